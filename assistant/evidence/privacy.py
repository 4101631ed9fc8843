"""What a model or a table gives away: how well members are told from non-members by their loss or score, and how small the cells of a table are.

Membership inference by a threshold on one number a case is the simplest attack (Yeom et al. 2018); its true-positive rate at a low
false-positive rate is what matters to the few it exposes (Carlini et al. 2022). k is the smallest number of people who share their
quasi-identifiers (Sweeney 2002). Returns counts and rates, never a value of a cell.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.errors import UsageError
from assistant.evidence import intervals, tables
from assistant.evidence.intervals import Figure, between, proportion
from assistant.evidence.metrics import area, binned, plain
from assistant.evidence.tables import Floats, Table

FALSE_POSITIVE_RATES = (0.1, 0.01, 0.001)
SMALL = (2, 5, 11)  # cells of fewer people than these are counted


@dataclass(frozen=True, slots=True)
class Request:
    """Members and non-members with one number a case (a loss, or a score that is higher for members), or a table and its quasi-identifiers."""

    members: Path | None = None
    nonmembers: Path | None = None
    column: str = ""
    loss: bool = False
    table: Path | None = None
    quasi: tuple[str, ...] = ()
    patient: str = ""
    seed: int = 0
    bootstraps: int = 1000

    def check(self) -> None:
        """Raises UsageError for what cannot be computed together."""
        if bool(self.members) != bool(self.nonmembers) or bool(self.members) != bool(self.column):
            raise UsageError("--members, --nonmembers and --loss or --score go together", "Give one number a case for both")
        if bool(self.table) != bool(self.quasi):
            raise UsageError("--table and --quasi go together", "Name the columns by which people could be recognised, such as --quasi age_band,sex,site")
        if not self.members and not self.table:
            raise UsageError("There is nothing to examine", "Give --members and --nonmembers, or --table and --quasi")


def compute(request: Request) -> dict[str, Any]:
    """What the request's files give away, as plain values. Raises UsageError or Unreadable."""
    request.check()
    out: dict[str, Any] = {"kind": "privacy", "inputs": [], "notes": []}
    if request.members and request.nonmembers:
        pair = [tables.read(p, numbers=(request.column,)) for p in (request.members, request.nonmembers)]
        out["inputs"] += [t.source() for t in pair]
        out["membership"] = _membership(request, pair[0], pair[1], out["notes"])
    if request.table:
        table = tables.read(request.table, words=(*request.quasi, *([request.patient] if request.patient else [])))
        out["inputs"].append(table.source())
        out["cells"] = _cells(table, request)
    return out


# ---- membership --------------------------------------------------------------------------------------------------------


def _membership(request: Request, members: Table, others: Table, notes: list[str]) -> dict[str, Any]:
    inside, outside = (_clean(t, request, notes) for t in (members, others))
    rng = np.random.default_rng(request.seed)
    hits, alarms = _crossed(inside, outside, rng)
    advantage, low, high = intervals.difference(proportion(hits, len(inside)), proportion(alarms, len(outside)))
    truth = np.concatenate([np.ones(len(inside), bool), np.zeros(len(outside), bool)])
    score = np.concatenate([inside, outside])
    auc = _auc(truth, score, request, rng)
    return {
        "by": "loss" if request.loss else "score", "members": len(inside), "nonmembers": len(outside),
        "figures": plain({"advantage": Figure(advantage, low, high, math.nan), "auc": auc}),
        "largest_advantage": _largest(truth, score), "told_apart": bool(low > 0), "at": _at_low_rates(truth, score, len(inside), len(outside)),
    }  # fmt: skip


def _clean(table: Table, request: Request, notes: list[str]) -> Floats:
    values = table.numbers[request.column]
    kept = values[np.isfinite(values)]
    if len(kept) < len(values):
        notes.append(f"{len(values) - len(kept):,} rows of {table.name} have no number in '{request.column}' and are left out.")
    if len(kept) < 100:
        raise UsageError(f"{table.name} has {len(kept)} usable rows", "At least 100 members and 100 non-members are needed to say anything")
    return -kept if request.loss else kept


def _crossed(inside: Floats, outside: Floats, rng: np.random.Generator) -> tuple[int, int]:
    """Members and non-members called members, each half by the threshold that is best in the other half, so that nothing is tuned on what it is measured on."""
    a, b = (rng.permutation(len(x)) % 2 == 0 for x in (inside, outside))
    hits = alarms = 0
    for first in (True, False):
        cut = _best(inside[a == first], outside[b == first])
        hits += int((inside[a != first] >= cut).sum())
        alarms += int((outside[b != first] >= cut).sum())
    return hits, alarms


def _best(inside: Floats, outside: Floats) -> float:
    """The threshold of the largest difference between the two rates."""
    cuts = np.unique(np.concatenate([inside, outside]))
    inside, outside = np.sort(inside), np.sort(outside)
    gain = -np.searchsorted(inside, cuts) / len(inside) + np.searchsorted(outside, cuts) / len(outside)
    return float(cuts[int(gain.argmax())])


def _largest(truth: NDArray[np.bool_], score: Floats) -> float:
    from sklearn.metrics import roc_curve

    false, true, _ = roc_curve(truth, score)
    return float((true - false).max())


def _auc(truth: NDArray[np.bool_], score: Floats, request: Request, rng: np.random.Generator) -> Figure:
    from sklearn.metrics import roc_auc_score

    unit, units = intervals.blocks_of(np.arange(len(score), dtype=np.int32), len(score), rng)
    bins = binned(score)
    width = int(bins.max()) + 1
    held = np.bincount(unit.astype(np.int64) * 2 * width + truth * width + bins, minlength=units * 2 * width).reshape(units, -1).astype(np.float32)
    again = (intervals.weights(units, request.bootstraps, rng) @ held).reshape(-1, 2, width)
    return between(float(roc_auc_score(truth, score)), area(again[:, 1], again[:, 0]), min(truth.sum(), (~truth).sum()), len(score))


def _at_low_rates(truth: NDArray[np.bool_], score: Floats, members: int, others: int) -> list[dict[str, Any]]:
    """The true-positive rate at low false-positive rates; one that too few non-members can show is left out and said to be so."""
    from sklearn.metrics import roc_curve

    false, true, _ = roc_curve(truth, score, drop_intermediate=False)
    rows: list[dict[str, Any]] = []
    for rate in FALSE_POSITIVE_RATES:
        if others * rate < 10:
            rows.append({"false_positive_rate": rate, "judged": False, "needed": math.ceil(10 / rate)})
            continue
        at = int(np.flatnonzero(false <= rate)[-1])
        figure = proportion(round(true[at] * members), members)
        _, expected = intervals.wilson(float(false[at]), others)
        rows.append({"false_positive_rate": rate, "judged": True, **plain({"x": figure})["x"], "exposed": bool(figure.low > max(rate, expected))})
    return rows


# ---- cells of a table --------------------------------------------------------------------------------------------------


def _cells(table: Table, request: Request) -> dict[str, Any]:
    """How many people share their quasi-identifiers: the fewest (k), the cells of few people, and k without each column."""
    codes = [table.words[q].codes.astype(np.int64) for q in request.quasi]
    people = table.words[request.patient].codes.astype(np.int64) if request.patient else np.arange(table.rows, dtype=np.int64)
    counts, cell, person = _people(codes, people)
    total = len(np.unique(people))
    small = [{"fewer_than": n, "cells": int((counts < n).sum()), "share": len(np.unique(person[counts[cell] < n])) / total} for n in SMALL]
    without = (
        [{"column": tables.label(q), "k": int(_people(codes[:i] + codes[i + 1 :], people)[0].min())} for i, q in enumerate(request.quasi)]
        if len(codes) > 1
        else []
    )
    return {
        "quasi": [tables.label(q) for q in request.quasi],
        "rows": table.rows,
        "people": total,
        "cells": len(counts),
        "k": int(counts.min()),
        "small": small,
        "without": without,
    }


def _people(codes: list[NDArray[np.int64]], people: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """How many different people each cell has, and the pairs of cell and person that are counted."""
    key = np.zeros(len(people), np.int64)
    for column in codes:
        key = np.unique(key * (int(column.max()) + 2) + column + 1, return_inverse=True)[1].astype(np.int64)
    pair = np.unique(key * (int(people.max()) + 2) + people + 1)
    cell, person = pair // (int(people.max()) + 2), pair % (int(people.max()) + 2) - 1
    return np.bincount(cell), cell, person
