"""Current data held against reference data: change of each metric by group, stability of inputs and scores, and the project's own limits.

The population stability index compares shares in ten equally filled bins of the reference; `noise` is what 95 of 100 unchanged samples of
these sizes stay below. A limit is passed only where the whole interval lies beyond it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.errors import UsageError
from assistant.evidence import intervals, metrics, tables
from assistant.evidence.tables import Codes, Floats, Table

BINS = 10
FALLS = ("auc", "sensitivity", "specificity", "ppv", "npv", "accuracy", "balanced_accuracy", "macro_auc", "all_right")  # lower is worse
KNOWN = (*FALLS, "prevalence", "selection_rate", "brier", "calibration_in_the_large", "mean", "psi")


@dataclass(frozen=True, slots=True)
class Request:
    """The same columns of two files; `inputs` are further columns whose distribution is compared; `limits` are the project's, by metric."""

    reference: Path
    current: Path
    results: metrics.Request | None  # its path is not used
    inputs: tuple[str, ...] = ()
    patient: str = ""
    limits: tuple[tuple[str, float], ...] = ()

    def check(self) -> None:
        """Raises UsageError for limits of what is not computed."""
        for name, value in self.limits:
            if name not in KNOWN:
                raise UsageError(f"There is no metric '{name}' to limit", f"Choose from: {', '.join(KNOWN)}")
            if not value > 0 or not math.isfinite(value):
                raise UsageError(f"The limit of {name} is not above 0", "Give the change from which on you want an alarm, such as --limit auc=0.03")
        if not self.results and not self.inputs:
            raise UsageError("There is nothing to compare", "Give --label and --score, --value, or --inputs")


def compute(request: Request) -> dict[str, Any]:
    """What changed, as plain values. Raises UsageError or Unreadable."""
    request.check()
    out: dict[str, Any] = {"kind": "drift", "inputs": [], "notes": [], "changes": [], "limits": dict(request.limits)}
    if request.results:
        held = [metrics.sample(replace(request.results, path=p)) for p in (request.reference, request.current)]
        out["notes"] = list(dict.fromkeys(f"{h[0].table.name}: {n}" if n[0].isdigit() else n for h in held for n in h[0].notes))
        out["changes"] = [c for a, b in zip(held[0][1], held[1][1]) for c in _changes(held[0][0], a, held[1][0], b)]
    out["stability"] = _stability(request, out)
    out["comparisons"] = len(out["changes"])
    for change in out["changes"]:
        a, b = change.pop("pair")
        change["stands"] = intervals.apart(a, b, out["comparisons"])
    out["alarms"] = _alarms(request.limits, out)
    return out


# ---- metrics -----------------------------------------------------------------------------------------------------------


def _changes(before: metrics.Sample, was: metrics.Slice, after: metrics.Sample, now: metrics.Slice) -> list[dict[str, Any]]:
    """The change of each figure in each group that both files have enough of."""
    old, new = metrics.figures(before, was), metrics.figures(after, now)
    rows = []
    for (group, task, metric), a in old.items():
        b = new.get((group, task, metric))
        if b is None or not all(map(math.isfinite, (a.value, a.low, b.value, b.low))):
            continue
        d, low, high = intervals.difference(b, a)
        rows.append(
            {
                "column": was.name, "group": group, "task": task, "metric": metric, "reference": a.value, "current": b.value,
                "change": d, "low": low, "high": high, "pair": (b, a),
            }
        )  # fmt: skip
    return rows


# ---- distributions -----------------------------------------------------------------------------------------------------


def _stability(request: Request, out: dict[str, Any]) -> list[dict[str, Any]]:
    scores = (*request.results.scores, *([request.results.value] if request.results.value else [])) if request.results else ()
    names = list(dict.fromkeys((*scores, *request.inputs)))
    pair = [tables.read(p, words=[*names, *([request.patient] if request.patient else [])]) for p in (request.reference, request.current)]
    out["inputs"] = [t.source() for t in pair]
    people = [len(t.words[request.patient].values) if request.patient else t.rows for t in pair]
    return [_index(name, pair[0], pair[1], people) for name in names]


def _index(name: str, reference: Table, current: Table, people: list[int]) -> dict[str, Any]:
    """The population stability index of one column, with what chance alone would give; a column of a few numbers counts as categories."""
    x, y = (tables.as_numbers(t.words[name]) for t in (reference, current))
    many = len(reference.words[name].values) > BINS
    a, b = _binned(name, reference.name, x, y) if many and x is not None and y is not None else _matched(reference, current, name)
    shares = [np.maximum(x, 0.5) / max(x.sum(), 1) for x in (a, b)]
    value = float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
    noise = _chi_square(max(len(a) - 1, 1)) * (1 / people[0] + 1 / people[1])
    return {"column": tables.label(name), "psi": value, "noise": noise, "bins": len(a), "beyond_noise": value > noise}


def _chi_square(freedom: int) -> float:
    from scipy.special import chdtri

    return float(chdtri(freedom, 1 - intervals.LEVEL))


def _binned(name: str, file: str, a: Floats, b: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    known = a[np.isfinite(a)]
    if not len(known):
        raise UsageError(f"Column '{name}' of {file} holds no number", "Name a column that has values")
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
    missing = bool(np.isnan(a).any() or np.isnan(b).any())
    return tuple(_counted(x, edges, missing) for x in (a, b))  # type: ignore[return-value]


def _counted(values: Floats, edges: Floats, missing: bool) -> NDArray[np.int64]:
    """Values by bin; one more bin for missing ones where either file has them."""
    known = values[np.isfinite(values)]
    counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    return np.append(counts, len(values) - len(known)) if missing else counts


def _matched(reference: Table, current: Table, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    pair = [tables.groups(t, name) for t in (reference, current)]
    labels = list(dict.fromkeys([*pair[0][1], *pair[1][1]]))
    return tuple(_placed(codes, names, labels) for codes, names in pair)  # type: ignore[return-value]


def _placed(codes: Codes, names: list[str], labels: list[str]) -> NDArray[np.int64]:
    counts = dict(zip(names, np.bincount(codes, minlength=len(names)).tolist()))
    return np.array([counts.get(label, 0) for label in labels], np.int64)


# ---- limits ------------------------------------------------------------------------------------------------------------


def _alarms(limits: tuple[tuple[str, float], ...], out: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row for each figure that has a limit: within, open (beyond it, the interval not) or alarm (the interval wholly beyond it)."""
    rows = []
    for name, limit in limits:
        if name == "psi":
            for s in out["stability"]:
                state = "within" if s["psi"] < limit else "alarm" if s["beyond_noise"] else "open"
                rows.append({"metric": "psi", "column": s["column"], "group": "", "task": "", "value": s["psi"], "limit": limit, "state": state})
            continue
        for c in (c for c in out["changes"] if c["metric"] == name):
            worst, least = (-c["change"], -c["high"]) if name in FALLS else (abs(c["change"]), max(c["low"], -c["high"]))
            state = "alarm" if least > limit else "open" if worst > limit else "within"
            rows.append({"metric": name, "column": c["column"], "group": c["group"], "task": c["task"], "value": c["change"], "limit": limit, "state": state})
    return rows
