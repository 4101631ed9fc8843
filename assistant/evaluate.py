"""Measures answers and claim checks on question sets: figures with intervals, and the difference to a saved run.

Every function takes what it measures as an argument. Knows nothing of settings, of the command line, or of how an
answer is made.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.errors import UsageError
from assistant.law import framework_of
from assistant.pinpoint import Pinpoint

RESAMPLES = 1000
Ask = Callable[[Mapping[str, Any]], Mapping[str, Any]]  # a line of `ask --batch` in, a line out
Check = Callable[[Mapping[str, Any]], Mapping[str, Any]]  # a line of `verify --batch` in, a line out


def load_set(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines. Raises `UsageError` for a file that cannot be read and for a line that is no object."""
    try:
        text = path.read_text("utf8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    rows = []
    for n, line in enumerate(text.split("\n"), 1):  # only here does a line of JSON end: its strings may hold other separators
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise UsageError(f"{path} line {n} is no JSON: {error}") from error
            if not isinstance(row, dict):
                raise UsageError(f"{path} line {n} is no JSON object")
            rows.append(row)
    return rows


@dataclass(frozen=True, slots=True)
class Figure:
    """A share or a mean, with its 95 % bootstrap interval and the number of cases behind it."""

    value: float
    low: float
    high: float
    n: int

    def to_json(self) -> dict[str, float | int]:
        """Rounded to four digits."""
        return {"value": round(self.value, 4), "low": round(self.low, 4), "high": round(self.high, 4), "n": self.n}


def figure(values: Iterable[float]) -> Figure | None:
    """The mean of values with its percentile bootstrap interval (1,000 resamples, fixed seed); None when there are none."""
    data = np.asarray(list(values), dtype=np.float64)
    if not len(data):
        return None
    draws = np.random.default_rng(7).integers(0, len(data), (RESAMPLES, len(data)))
    means = data[draws].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Figure(float(data.mean()), float(low), float(high), len(data))


# ---- retrieval ---------------------------------------------------------------------------------------------------


def retrieval(rows: Sequence[Mapping[str, Any]], search: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> dict[str, Any]:
    """Hit rates at 1, 5 and 10 and MRR by root provision, over all and by framework. `search` gives a line of `search --batch`."""
    each: list[dict[str, Any]] = []
    for row in rows:
        found = [h["pinpoint"] for h in search(row)["hits"]]
        rank = next((n for n, address in enumerate(found, 1) if same_section(row["gold"], address)), 0)
        marks = {"hit@1": float(rank == 1), "hit@5": float(0 < rank <= 5), "hit@10": float(0 < rank <= 10), "mrr": 1 / rank if rank else 0.0}
        each.append({"id": row["id"], "group": framework_of(str(row["gold"][0]).partition(":")[0]), "marks": marks})
    figures: dict[str, Any] = {}
    for group in ["all", *sorted({e["group"] for e in each})]:
        for name in ("hit@1", "hit@5", "hit@10", "mrr"):
            f = figure(e["marks"][name] for e in each if group in ("all", e["group"]))
            if f:
                figures[f"{group} {name}"] = f.to_json()
    return {"kind": "retrieval", "n": len(each), "figures": figures, "each": [{"id": e["id"], "marks": e["marks"]} for e in each]}


# ---- answers -----------------------------------------------------------------------------------------------------


def same_section(gold: Sequence[str], address: str) -> bool:
    """Whether an address lies in the same root provision as one of the gold addresses."""
    p = Pinpoint.parse(address)
    return any(g is not None and p is not None and g.root == p.root for g in map(Pinpoint.parse, gold)) or address in gold


def same_provision(gold: Sequence[str], address: str) -> bool:
    """Whether an address is a gold address, or contains one, or lies in one."""
    p = Pinpoint.parse(address)
    return any(g is not None and p is not None and (g.contains(p) or p.contains(g)) for g in map(Pinpoint.parse, gold)) or address in gold


def _cited(answer: Mapping[str, Any]) -> list[str]:
    return [c["pinpoint"] for claim in answer["claims"] for c in claim["citations"]]


def judge_answer(row: Mapping[str, Any], answer: Mapping[str, Any], stands: Callable[[Mapping[str, Any]], bool] | None) -> dict[str, float]:
    """The marks of one answer; a mark that the row does not ask for is left out.

    Rows: `gold` (answerable), none (to be refused), `must_say` and `must_not_say` (words), `status` and `applies_from`
    (of a gold citation). `stands` re-checks one citation against its source.
    """
    marks: dict[str, float] = {"refused": float(answer["abstained"])}
    cited = _cited(answer)
    said = " ".join([*(claim["text"] for claim in answer["claims"]), *answer.get("notes", [])]).lower()
    if row.get("gold"):
        marks["answered"] = 1.0 - marks["refused"]
        if not answer["abstained"]:
            marks["gold_section_in_3"] = float(any(same_section(row["gold"], a) for a in cited[:3]))
            marks["gold_provision_in_3"] = float(any(same_provision(row["gold"], a) for a in cited[:3]))
            marks["gold_section"] = float(any(same_section(row["gold"], a) for a in cited))
    if "status" in row:
        right = [
            c
            for claim in answer["claims"]
            for c in claim["citations"]
            if same_section(row["gold"], c["pinpoint"]) or same_provision(row["gold"], c["pinpoint"])
        ]
        exact = [c for c in right if same_provision(row["gold"], c["pinpoint"])] or right
        marks["date_right"] = float(
            bool(exact) and exact[0]["status"] == row["status"] and (not row.get("applies_from") or exact[0]["applies_from"] == row["applies_from"])
        )
        if row.get("version"):
            marks["date_right"] *= float(bool(exact) and (exact[0]["layer"] == "digest" or exact[0]["version"].startswith(row["version"])))
    if row.get("must_say"):
        marks["must_say"] = float(all(word.lower() in said for word in row["must_say"]))
    if row.get("must_not_say"):
        marks["must_not_say"] = float(not any(word.lower() in said for word in row["must_not_say"]))
    if stands is not None and answer["claims"]:
        checks = [stands(c) for claim in answer["claims"] for c in claim["citations"]]
        marks["verbatim"] = float(np.mean(checks))
    if answer["claims"]:
        marks["claims"] = float(len(answer["claims"]))
        marks["phrased_by_model"] = float(np.mean([claim["phrased_by"] == "model" for claim in answer["claims"]]))
    return marks


def answers(rows: Sequence[Mapping[str, Any]], ask: Ask, stands: Callable[[Mapping[str, Any]], bool] | None = None) -> dict[str, Any]:
    """Figures over a set of questions, the marks of each, and refusal's precision and recall where both kinds occur."""
    each: list[dict[str, Any]] = []
    for row in rows:
        began = time.perf_counter()
        out = ask(row)
        took = time.perf_counter() - began
        each.append({"id": row["id"], "marks": judge_answer(row, out["answer"], stands), "seconds": took, "refuse": not row.get("gold")})
    names = sorted({name for e in each for name in e["marks"]})
    figures = {name: f.to_json() for name in names if (f := figure(e["marks"][name] for e in each if name in e["marks"]))}
    seconds = np.array([e["seconds"] for e in each] or [0.0])
    return {
        "kind": "answers", "n": len(each), "figures": figures, "refusal": _refusal(each),
        "seconds": {"p50": round(float(np.quantile(seconds, 0.5)), 3), "p95": round(float(np.quantile(seconds, 0.95)), 3)},
        "each": [{"id": e["id"], "marks": e["marks"]} for e in each],
    }  # fmt: skip


def _refusal(each: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of the refusals, the share that was due; of what was due, the share refused."""
    given = [e for e in each if e["marks"]["refused"]]
    due = [e for e in each if e["refuse"]]
    precision = figure(float(e["refuse"]) for e in given)
    recall = figure(e["marks"]["refused"] for e in due)
    return {"precision": precision.to_json() if precision else None, "recall": recall.to_json() if recall else None}


# ---- claims ------------------------------------------------------------------------------------------------------


def claims(rows: Sequence[Mapping[str, Any]], check: Check) -> dict[str, Any]:
    """How often true claims are accepted and wrong ones refused, by kind. Rows: id, claim, passage, supported, kind?."""
    each = []
    for row in rows:
        out = check(row)
        each.append(
            {
                "id": row["id"],
                "kind": row.get("kind", ""),
                "supported": bool(row["supported"]),
                "said": bool(out["supported"]),
                "score": out["score"],
                "reasons": out["reasons"],
            }
        )
    figures: dict[str, Any] = {}
    for kind in sorted({e["kind"] for e in each}):
        for truth, name in ((True, "accepted"), (False, "refused")):
            found = figure(float(e["said"] == truth) for e in each if e["kind"] == kind and e["supported"] == truth)
            if found:
                figures[f"{kind} {name}".strip()] = found.to_json()
    for truth, name in ((True, "true accepted"), (False, "wrong refused")):
        found = figure(float(e["said"] == truth) for e in each if e["supported"] == truth)
        if found:
            figures[name] = found.to_json()
    return {"kind": "claims", "n": len(each), "figures": figures, "each": each}


# ---- comparison --------------------------------------------------------------------------------------------------


def compare(now: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """For each figure of two runs the difference with its paired bootstrap interval, and the ids that changed."""
    earlier = {e["id"]: e for e in before["each"]}
    pairs = [(e, earlier[e["id"]]) for e in now["each"] if e["id"] in earlier]
    out: dict[str, Any] = {"common": len(pairs), "figures": {}, "better": [], "worse": []}
    if now["kind"] == "claims":
        gains = [float(a["said"] == a["supported"]) - float(b["said"] == b["supported"]) for a, b in pairs]
        diffs = {"right": gains}
    else:
        names = {n for a, b in pairs for n in a["marks"] if n in b["marks"]}
        diffs = {n: [a["marks"][n] - b["marks"][n] for a, b in pairs if n in a["marks"] and n in b["marks"]] for n in sorted(names)}
    for name, values in diffs.items():
        found = figure(values)
        if found:
            out["figures"][name] = found.to_json()
    key = "right" if now["kind"] == "claims" else "gold_section_in_3"
    for a, b in pairs:
        x, y = (
            (float(a["said"] == a["supported"]), float(b["said"] == b["supported"])) if key == "right" else (a["marks"].get(key, 0.0), b["marks"].get(key, 0.0))
        )
        if x != y:
            out["better" if x > y else "worse"].append(a["id"])
    return out
