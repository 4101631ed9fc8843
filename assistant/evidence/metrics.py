"""Results by group: how well a classifier or a measured value does overall, in each group and crossing, and how far groups lie apart.

Point figures are scikit-learn's and fairlearn's. Intervals are those of `intervals`: patients, not rows, are what is drawn. Returns plain
values: counts and statistics, and for groups of too few patients only that they are too few.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.errors import UsageError
from assistant.evidence import intervals, tables
from assistant.evidence.intervals import Figure, between, means, proportion
from assistant.evidence.tables import Codes, Floats, Table

LEAST_PATIENTS = 20  # a group of fewer is named and not judged
LEAST_CASES = 10  # positive or negative cases below which what they are the base of is not judged
BINS = 256  # of scores in the bootstrap of an AUC; its point value is exact
_AT_ONCE = 6  # groups resampled together: bounds the memory
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
YES = ("1", "true", "yes", "y", "positive", "pos", "present", "malignant", "disease", "case")
NO = ("0", "false", "no", "n", "negative", "neg", "absent", "benign", "healthy", "control", "-1")

RATES = ("prevalence", "selection_rate", "sensitivity", "specificity", "ppv", "npv", "accuracy")


@dataclass(frozen=True, slots=True)
class Request:
    """What to compute: label and score columns (several of both: multilabel; one label, several scores: multiclass), or one value a case."""

    path: Path
    labels: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()
    value: str = ""
    groups: tuple[str, ...] = ()  # columns, or columns joined by + for a crossing
    patient: str = ""
    threshold: float | None = None
    positive: str = ""
    seed: int = 0
    bootstraps: int = 1000

    def check(self) -> None:
        """Raises UsageError for what cannot be computed together."""
        if bool(self.value) == bool(self.labels or self.scores):
            raise UsageError("Give --label and --score, or --value", "See: pincite evidence metrics --help")
        if not self.value and not (self.labels and self.scores):
            raise UsageError("--label and --score go together", "Name the column of the truth and the column of the model's output")
        if len(self.labels) > 1 and len(self.labels) != len(self.scores):
            raise UsageError(f"{len(self.labels)} labels and {len(self.scores)} scores do not pair", "Give one score column for each label, in the same order")
        if not 100 <= self.bootstraps <= 10_000:
            raise UsageError("--bootstraps is between 100 and 10,000", "1,000 is enough for 95 % intervals")


@dataclass(frozen=True, slots=True)
class Task:
    """One yes-or-no question with its truth, score and decision by row; `name` is empty for a binary classifier."""

    name: str
    truth: NDArray[np.bool_]
    score: Floats
    chosen: NDArray[np.bool_]
    probability: bool


@dataclass(slots=True)
class Sample:
    """The rows that can be used, their patients, and the draws of the bootstrap."""

    request: Request
    table: Table
    kind: str  # binary, multiclass, multilabel, value
    keep: NDArray[np.bool_]
    patients: Codes  # of the rows kept, from 0
    patient_count: int
    unit: Codes
    units: int
    drawn: NDArray[np.float32]
    clustered: bool
    tasks: list[Task] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    predicted: Codes | None = None  # multiclass: the class chosen
    actual: Codes | None = None
    value: Floats | None = None
    threshold: float | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Slice:
    """A column or crossing as groups of the rows kept: "" is everybody."""

    name: str
    codes: Codes
    labels: list[str]


# ---- reading -----------------------------------------------------------------------------------------------------------


def sample(request: Request) -> tuple[Sample, list[Slice]]:
    """The usable rows of the request's file and the groups to judge. Raises UsageError or Unreadable."""
    request.check()
    names = list(dict.fromkeys(n for g in request.groups for n in g.split("+")))
    multiclass = len(request.labels) == 1 and len(request.scores) > 1
    words = [*names, *request.labels, *([request.patient] if request.patient else [])]
    table = tables.read(request.path, numbers=(*request.scores, *([request.value] if request.value else [])), words=words)
    notes: list[str] = []
    keep = np.ones(table.rows, bool)
    for column in (*request.scores, *([request.value] if request.value else [])):
        keep &= np.isfinite(table.numbers[column])
    for column in request.labels:
        keep &= table.words[column].codes >= 0
    lost = int(table.rows - keep.sum())
    if lost:
        notes.append(f"{lost:,} of {table.rows:,} rows lack a label, a score or a value and are left out.")
    if not keep.any():
        raise UsageError(
            f"No row of {table.name} has all of: {', '.join((*request.labels, *request.scores, request.value)).strip(', ')}", "Check the columns named"
        )
    patients, count = _patients(table, request.patient, keep, notes)
    rng = np.random.default_rng(request.seed)
    unit, units = intervals.blocks_of(patients, count, rng)
    if count > intervals.BLOCKS:
        notes.append(f"With {count:,} patients, {units:,} random groups of patients are drawn in the bootstrap in place of single patients.")
    drawn = intervals.weights(units, request.bootstraps, rng)
    kind = "value" if request.value else "multiclass" if multiclass else "multilabel" if len(request.labels) > 1 else "binary"
    found = Sample(request, table, kind, keep, patients, count, unit, units, drawn, count < int(keep.sum()), notes=notes)
    if kind == "value":
        found.value = table.numbers[request.value][keep]
    elif kind == "multiclass":
        _classes(found)
    else:
        found.threshold = _threshold(request, [table.numbers[s][keep] for s in request.scores])
        found.tasks = [_task(found, y, s, tables.label(y) if kind == "multilabel" else "") for y, s in zip(request.labels, request.scores)]
    return found, [Slice("", np.zeros(int(keep.sum()), np.int32), ["all"]), *(_slice(table, g, keep) for g in request.groups)]


def _patients(table: Table, name: str, keep: NDArray[np.bool_], notes: list[str]) -> tuple[Codes, int]:
    """Each kept row's patient from 0; a row without one, or every row where no column is named, is a patient of its own."""
    rows = int(keep.sum())
    if not name:
        notes.append("No patient column was named: each row counts as one patient. If patients have several rows, the intervals are too narrow.")
        return np.arange(rows, dtype=np.int32), rows
    codes = table.words[name].codes[keep].astype(np.int64)
    alone = codes < 0
    if alone.any():
        notes.append(f"{int(alone.sum()):,} rows have no patient; each counts as one patient.")
        codes[alone] = len(table.words[name].values) + np.arange(int(alone.sum()))
    seen = np.zeros(int(codes.max()) + 1, bool)
    seen[codes] = True
    return (np.cumsum(seen) - 1)[codes].astype(np.int32), int(seen.sum())


def _slice(table: Table, name: str, keep: NDArray[np.bool_]) -> Slice:
    """A column or a crossing of columns as groups; crossings that no row has are no group."""
    parts = [tables.groups(table, n) for n in name.split("+")]
    codes, labels = parts[0][0][keep], parts[0][1]
    for more, names in ((c[keep], n) for c, n in parts[1:]):
        codes = codes * len(names) + more
        labels = [f"{a} / {b}" for a in labels for b in names]
    present = np.bincount(codes, minlength=len(labels)) > 0
    if present.sum() > 4 * tables.MOST_GROUPS:
        raise UsageError(f"The crossing {name} has {int(present.sum())} groups", "Cross fewer columns, or use broader bands")
    place = (np.cumsum(present) - 1).astype(np.int32)
    return Slice(tables.label(name), place[codes], [tables.label(text) for text, there in zip(labels, present) if there])


def _threshold(request: Request, scores: Sequence[Floats]) -> float:
    if request.threshold is not None:
        return request.threshold
    if any(s.min() < 0 or s.max() > 1 for s in scores):
        raise UsageError("Some scores lie outside 0 to 1, so they are no probabilities", "Give --threshold: the score from which a case counts as positive")
    return 0.5


def _task(found: Sample, label: str, score: str, name: str) -> Task:
    column = found.table.words[label]
    used = [w if (column.codes[found.keep] == i).any() else "" for i, w in enumerate(column.words())] if len(column.values) <= tables.MOST_GROUPS else None
    if used is None:
        raise UsageError(
            f"Label '{label}' has {len(column.values):,} different values",
            "A label is two classes, or several with one score column each; for measured values use --value",
        )
    positive = _positive(label, [w for w in used if w], found.request.positive)
    lookup = np.array([w.casefold() in positive for w in used] or [False])
    truth = lookup[column.codes[found.keep]]
    scores = found.table.numbers[score][found.keep]
    assert found.threshold is not None
    return Task(name, truth, scores, scores >= found.threshold, bool(scores.min() >= 0 and scores.max() <= 1))


def _positive(label: str, values: list[str], named: str) -> frozenset[str]:
    """Which values of a label mean positive. Raises UsageError where that is open."""
    low = {v.casefold().removesuffix(".0") for v in values}
    if named:
        if named.casefold() not in {v.casefold() for v in values}:
            raise UsageError(f"No row has '{named}' as label '{label}'", "Name the positive class as the file writes it")
        if len(low) > 2:
            raise UsageError(f"Label '{label}' has {len(values)} classes", "Give one score column a class: --score A=column,B=column")
        return frozenset({named.casefold()})
    if low <= set(YES) | set(NO) and len(low & set(YES)) <= 1 and len(low & set(NO)) <= 1:
        return frozenset(v.casefold() for v in values if v.casefold().removesuffix(".0") in YES)
    if len(low) > 2:
        raise UsageError(f"Label '{label}' has {len(values)} classes and one score", "Give one score column a class: --score A=column,B=column")
    raise UsageError(f"It is not said which value of label '{label}' is positive", "Give --positive VALUE, or write the label as 0 and 1")


def _classes(found: Sample) -> None:
    """A multiclass problem as its chosen class, and one yes-or-no task a class. Score columns carry their class: `A=column`, or a name ending in it."""
    (label,) = found.request.labels
    column = found.table.words[label]
    if len(column.values) > tables.MOST_GROUPS:
        raise UsageError(f"Label '{label}' has {len(column.values):,} different values", f"At most {tables.MOST_GROUPS} classes can be compared")
    words = column.words()
    of_class: dict[str, str] = {}
    for word in words:
        ends = [s for s in found.request.scores if s == word or s.casefold().endswith(("_" + word.casefold(), "." + word.casefold(), " " + word.casefold()))]
        if len(ends) != 1:
            raise UsageError(
                f"No one score column belongs to class '{tables.label(word)}' of '{label}'",
                "Name the score columns by their classes: score_A, score_B …, one each",
            )
        of_class[word] = ends[0]
    extra = [s for s in found.request.scores if s not in of_class.values()]
    classes = sorted(words) + extra
    scores = np.column_stack([found.table.numbers[of_class.get(c, c)][found.keep] for c in classes])
    order = np.array([classes.index(w) for w in words], np.int32)
    found.actual = order[column.codes[found.keep]]
    found.predicted = scores.argmax(1).astype(np.int32)
    found.classes = [tables.label(c) for c in classes]
    probability = bool(scores.min() >= 0 and scores.max() <= 1)
    found.tasks = [
        Task(found.classes[k], found.actual == k, scores[:, k], found.predicted == k, probability) for k in range(len(classes)) if (found.actual == k).any()
    ]


# ---- counting ----------------------------------------------------------------------------------------------------------


def compute(request: Request) -> dict[str, Any]:
    """The results of a request, as plain values."""
    found, slices = sample(request)
    out: dict[str, Any] = {
        "kind": found.kind, "inputs": [found.table.source()], "cases": int(found.keep.sum()), "patients": found.patient_count, "clustered": found.clustered,
        "threshold": found.threshold, "value_name": tables.label(request.value), "classes": found.classes, "notes": found.notes, "least": {"patients": LEAST_PATIENTS, "cases": LEAST_CASES},
    }  # fmt: skip
    out["slices"] = [_values(found, s) if found.kind == "value" else _classified(found, s) for s in slices]
    out["comparisons"] = _pay(out["slices"])
    if found.kind != "value":
        out["calibration"] = [c for t in found.tasks if t.probability for c in [_calibration(t)]]
    return out


def _sizes(found: Sample, part: Slice) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cases and patients of each group."""
    size = len(part.labels)
    cases = np.bincount(part.codes, minlength=size)
    return cases, cases if not found.clustered else _distinct(found, part.codes, size)


def _distinct(found: Sample, codes: Codes, size: int) -> NDArray[np.int64]:
    """How many different patients each group has."""
    key = np.unique(found.patients.astype(np.int64) * size + codes)
    return np.bincount(key % size, minlength=size)


def _classified(found: Sample, part: Slice) -> dict[str, Any]:
    cases, patients = _sizes(found, part)
    judged = patients >= LEAST_PATIENTS
    rows: list[dict[str, Any]] = [
        {"group": name, "judged": bool(ok), **({"cases": int(n), "patients": int(p)} if ok else {}), "figures": {}, "tasks": []}
        for name, n, p, ok in zip(part.labels, cases, patients, judged)
    ]
    gaps: list[dict[str, Any]] = []
    for task in found.tasks:
        figures = _task_figures(found, part, task, judged)
        if not task.name:
            for row, own in zip(rows, figures):
                row["figures"] = plain(own) if row["judged"] else {}
        else:
            for row, own in zip(rows, figures):
                if row["judged"]:
                    row["tasks"].append({"task": task.name, "figures": plain(own)})
        if part.name:
            gaps += _gaps(part.labels, figures, _counts(part, task), judged, task.name)
    if found.kind == "multiclass":
        for row, own in zip(rows, _multiclass(found, part, judged)):
            row["figures"] = plain(own) if row["judged"] else {}
    if found.kind == "multilabel":
        for row, own in zip(rows, _multilabel(found, part, judged)):
            row["figures"] = plain(own) if row["judged"] else {}
    return {"column": part.name, "groups": rows, "gaps": gaps}


def _task_figures(found: Sample, part: Slice, task: Task, judged: NDArray[np.bool_]) -> list[dict[str, Figure]]:
    """All figures of one task in each group; what has too few cases as its base is NaN."""
    size, counts = len(part.labels), _counts(part, task)
    by_rate = _rates(found, _cell(part, task), counts, size)
    aucs = _aucs(found, part, task, judged & (counts[:, :2].sum(1) >= LEAST_CASES) & (counts[:, 2:].sum(1) >= LEAST_CASES))
    sums = _calibrated(found, part, task) if task.probability else {}
    out = []
    for g in range(size):
        tn, fp, fn, tp = (int(c) for c in counts[g])
        own = {name: by_rate[name][g] for name in RATES}
        for name, base in (("sensitivity", tp + fn), ("specificity", tn + fp), ("ppv", tp + fp), ("npv", tn + fn)):
            if base < LEAST_CASES:
                own[name] = intervals.NONE
        own["auc"] = aucs[g]
        out.append(own | {name: figures[g] for name, figures in sums.items()})
    return out


def _cell(part: Slice, task: Task) -> Codes:
    """Each row's cell: of its group true negative, false positive, false negative or true positive."""
    return (part.codes * 4 + task.truth * 2 + task.chosen).astype(np.int32)


def _counts(part: Slice, task: Task) -> NDArray[np.int64]:
    """How many rows are in each cell, groups × 4."""
    return np.bincount(_cell(part, task), minlength=4 * len(part.labels)).reshape(-1, 4)


def _rates(found: Sample, cell: Codes, counts: NDArray[np.int64], size: int) -> dict[str, list[Figure]]:
    """The proportions of each group: Wilson's interval where each patient has one case, else the bootstrap's."""
    hits, bases = _fractions(counts.astype(float))
    if not found.clustered:
        return {name: [proportion(h, n) for h, n in zip(hits[name], bases[name])] for name in RATES}
    held = np.bincount(found.unit.astype(np.int64) * (4 * size) + cell, minlength=found.units * 4 * size)
    again = (found.drawn @ held.reshape(found.units, 4 * size).astype(np.float32)).reshape(-1, size, 4).astype(float)
    hits_again, bases_again = _fractions(again)
    patients = _distinct(found, cell // 4, size)
    out: dict[str, list[Figure]] = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for name in RATES:
            p, replicates = hits[name] / bases[name], hits_again[name] / bases_again[name]
            out[name] = [
                between(float(p[g]), replicates[:, g], min(float(patients[g]), float(bases[name][g])), float(bases[name][g]), float(patients[g]))
                if bases[name][g]
                else intervals.NONE
                for g in range(size)
            ]
    return out


def _fractions(counts: NDArray[np.float64]) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
    """Numerator and base of each proportion from counts of (true negative, false positive, false negative, true positive)."""
    tn, fp, fn, tp = np.moveaxis(counts, -1, 0)
    n = tn + fp + fn + tp
    hits = {"prevalence": tp + fn, "selection_rate": tp + fp, "sensitivity": tp, "specificity": tn, "ppv": tp, "npv": tn, "accuracy": tp + tn}
    bases = {"prevalence": n, "selection_rate": n, "sensitivity": tp + fn, "specificity": tn + fp, "ppv": tp + fp, "npv": tn + fn, "accuracy": n}
    return hits, bases


def _aucs(found: Sample, part: Slice, task: Task, judged: NDArray[np.bool_]) -> list[Figure]:
    """The area under the ROC curve of each group: scikit-learn's value, its error from a bootstrap over scores in bins."""
    from sklearn.metrics import roc_auc_score

    out = [intervals.NONE] * len(part.labels)
    bins = binned(task.score)
    width = int(bins.max()) + 1
    wanted = np.flatnonzero(judged)
    order = np.argsort(task.score, kind="stable") if len(wanted) else np.empty(0, np.int64)
    truth, score, codes = task.truth[order], task.score[order], part.codes[order]
    for at in range(0, len(wanted), _AT_ONCE):
        some = wanted[at : at + _AT_ONCE]
        place = np.full(len(part.labels), -1, np.int64)
        place[some] = np.arange(len(some))
        rows = place[part.codes] >= 0
        cell = (place[part.codes[rows]] * 2 + task.truth[rows]) * width + bins[rows]
        held = np.bincount(found.unit[rows].astype(np.int64) * (len(some) * 2 * width) + cell, minlength=found.units * len(some) * 2 * width)
        again = (found.drawn @ held.reshape(found.units, -1).astype(np.float32)).reshape(-1, len(some), 2, width)
        replicates = area(again[:, :, 1], again[:, :, 0])
        for i, g in enumerate(some):
            own = codes == g
            value = float(roc_auc_score(truth[own], score[own]))
            fewer = min(int(truth[own].sum()), int((~truth[own]).sum()))
            out[g] = between(value, replicates[:, i], fewer, int(own.sum()))
    return out


def binned(score: Floats) -> NDArray[np.int64]:
    """Each score's bin: its own rank where there are few different ones, else one of `BINS` equally filled."""
    different = np.unique(score[: BINS * 4]) if len(score) > BINS * 4 else np.unique(score)
    if len(different) <= BINS and len(different := np.unique(score)) <= BINS:
        return np.searchsorted(different, score)
    edges = np.unique(np.quantile(score, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(edges, score, side="right")


def area(positive: NDArray[Any], negative: NDArray[Any]) -> NDArray[Any]:
    """The area under the ROC curve from counts by bin on the last axis; NaN where a class is absent."""
    below = np.cumsum(negative, -1) - negative
    with np.errstate(invalid="ignore", divide="ignore"):
        won = (positive * (below + negative / 2)).sum(-1, dtype=np.float64)
        found: NDArray[Any] = won / (positive.sum(-1, dtype=np.float64) * negative.sum(-1, dtype=np.float64))
    return found


def _calibrated(found: Sample, part: Slice, task: Task) -> dict[str, list[Figure]]:
    """The Brier score and the mean score less the prevalence, by group."""
    truth = task.truth.astype(float)
    return {
        "brier": by_group(found.unit, found.units, found.drawn, part, (task.score - truth) ** 2),
        "calibration_in_the_large": by_group(found.unit, found.units, found.drawn, part, task.score - truth),
    }


def by_group(unit: Codes, units: int, drawn: NDArray[np.float32], part: Slice, values: Floats) -> list[Figure]:
    """The mean of some values in each group."""
    size = len(part.labels)
    cell = unit.astype(np.int64) * size + part.codes
    sums: Floats = np.bincount(cell, weights=values, minlength=units * size).astype(float).reshape(units, size)
    counts = np.bincount(cell, minlength=units * size).reshape(units, size).astype(float)
    return means(sums, counts, drawn)


def _calibration(task: Task) -> dict[str, Any]:
    """Ten equally wide bins of the score with the share of positives, those of too few cases left out, and the expected calibration error over all."""
    place = np.minimum((task.score * 10).astype(int), 9)
    n = np.bincount(place, minlength=10)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, share = (np.bincount(place, weights=w, minlength=10) / n for w in (task.score, task.truth.astype(float)))
    error = float(np.nansum(np.abs(mean - share) * n) / n.sum())
    bins = [{"score": float(m), "share": float(s), "cases": int(k)} for m, s, k in zip(mean, share, n) if k >= LEAST_CASES]
    return {"task": task.name, "expected_calibration_error": error, "bins": bins}


def _multiclass(found: Sample, part: Slice, judged: NDArray[np.bool_]) -> list[dict[str, Figure]]:
    """Accuracy, mean sensitivity of the classes (balanced accuracy) and mean one-against-rest AUC, in each group."""
    assert found.actual is not None and found.predicted is not None
    right = (found.actual == found.predicted).astype(float)
    return [
        {"accuracy": accuracy, "balanced_accuracy": balanced, "macro_auc": macro}
        for accuracy, balanced, macro in zip(_share(found, part, right), _macro(found, part, judged, "sensitivity"), _macro(found, part, judged, "auc"))
    ]


def _multilabel(found: Sample, part: Slice, judged: NDArray[np.bool_]) -> list[dict[str, Figure]]:
    """The share of cases with all labels right, and the mean AUC of the labels, in each group."""
    right = np.logical_and.reduce([t.truth == t.chosen for t in found.tasks]).astype(float)
    return [{"all_right": a, "macro_auc": m} for a, m in zip(_share(found, part, right), _macro(found, part, judged, "auc"))]


def _share(found: Sample, part: Slice, hit: Floats) -> list[Figure]:
    size = len(part.labels)
    cell = part.codes.astype(np.int64) * 2 + hit.astype(np.int64)
    counts = np.bincount(cell, minlength=2 * size).reshape(size, 2)
    if not found.clustered:
        return [proportion(int(c[1]), int(c.sum())) for c in counts]
    held = np.bincount(found.unit.astype(np.int64) * 2 * size + cell, minlength=found.units * 2 * size).reshape(found.units, -1).astype(np.float32)
    again = (found.drawn @ held).reshape(-1, size, 2)
    patients = _distinct(found, part.codes, size)
    with np.errstate(invalid="ignore", divide="ignore"):
        replicates = again[:, :, 1] / again.sum(-1)
    return [between(c[1] / c.sum(), replicates[:, g], int(patients[g]), int(c.sum()), int(patients[g])) for g, c in enumerate(counts)]


def _macro(found: Sample, part: Slice, judged: NDArray[np.bool_], what: str) -> list[Figure]:
    """The mean over the classes of a figure in each group, resampled as one; NaN where a class has too few cases in the group."""
    from sklearn.metrics import balanced_accuracy_score, roc_auc_score

    out = []
    for g in range(len(part.labels)):
        own = part.codes == g
        few = any(min(t.truth[own].sum(), (~t.truth[own]).sum()) < LEAST_CASES for t in found.tasks)
        if not judged[g] or few:
            out.append(intervals.NONE)
            continue
        replicates = np.mean([_again(found, t, own, what) for t in found.tasks], 0)
        if what == "auc":
            value = float(np.mean([roc_auc_score(t.truth[own], t.score[own]) for t in found.tasks]))
        else:
            assert found.actual is not None and found.predicted is not None
            value = float(balanced_accuracy_score(found.actual[own], found.predicted[own]))
        fewest = min(int(t.truth[own].sum()) for t in found.tasks)
        out.append(between(value, replicates, fewest, int(own.sum())))
    return out


def _again(found: Sample, task: Task, own: NDArray[np.bool_], what: str) -> NDArray[np.float64]:
    """The replicates of a task's AUC or sensitivity in one group."""
    bins = binned(task.score)[own] if what == "auc" else task.chosen[own].astype(np.int64)
    width = int(bins.max()) + 1 if what == "auc" else 2
    held = np.bincount(found.unit[own].astype(np.int64) * 2 * width + task.truth[own] * width + bins, minlength=found.units * 2 * width)
    again = (found.drawn @ held.reshape(found.units, -1).astype(np.float32)).reshape(-1, 2, width)
    with np.errstate(invalid="ignore", divide="ignore"):
        return area(again[:, 1], again[:, 0]) if what == "auc" else (again[:, 1, 1] / again[:, 1].sum(-1)).astype(np.float64)


# ---- one value a case --------------------------------------------------------------------------------------------------


def _values(found: Sample, part: Slice) -> dict[str, Any]:
    """Mean and quantiles of the value in each group, and how far the means lie apart."""
    assert found.value is not None
    cases, patients = _sizes(found, part)
    judged = patients >= LEAST_PATIENTS
    average = by_group(found.unit, found.units, found.drawn, part, found.value)
    rows, figures = [], []
    for g, name in enumerate(part.labels):
        own = {"mean": average[g]} | (_quantiles(found, part.codes == g, int(patients[g])) if judged[g] else {})
        figures.append(own)
        row: dict[str, Any] = {"group": name, "judged": bool(judged[g]), "figures": {}, "tasks": []}
        if judged[g]:
            row |= {"cases": int(cases[g]), "patients": int(patients[g]), "figures": plain(own), "deviation": float(found.value[part.codes == g].std(ddof=1))}
        rows.append(row)
    kept = [(part.labels[g], figures[g]["mean"]) for g in range(len(part.labels)) if judged[g] and math.isfinite(figures[g]["mean"].low)]
    gaps = (
        [_gap("difference of means", "", [("mean", kept)], max(f.value for _, f in kept) - min(f.value for _, f in kept))]
        if part.name and len(kept) > 1
        else []
    )
    return {"column": part.name, "groups": rows, "gaps": gaps}


def _quantiles(found: Sample, own: NDArray[np.bool_], patients: int) -> dict[str, Figure]:
    """The quantiles of a group, each with the values at the ends of the interval of its rank (Woodruff 1952)."""
    assert found.value is not None
    values = np.sort(found.value[own])
    out = {}
    for q in QUANTILES:
        point = float(np.quantile(values, q))
        worth = float(len(values))
        if found.clustered:
            below = (found.value[own] <= point).astype(np.int64)
            held = np.bincount(found.unit[own].astype(np.int64) * 2 + below, minlength=found.units * 2).reshape(-1, 2).astype(np.float32)
            again = found.drawn @ held
            with np.errstate(invalid="ignore", divide="ignore"):
                worth = between(q, again[:, 1] / again.sum(1), patients, len(values), patients).worth
        low, high = intervals.wilson(q, worth)
        ends = [float(np.quantile(values, e)) for e in (low, high)]
        certain = worth * min(q, 1 - q) >= 5  # too few values beyond it say nothing of where it ends
        name = "median" if q == 0.5 else f"quantile_{int(q * 100):02d}"
        low, high = ends if certain else (math.nan, math.nan)
        out[name] = Figure(point, low, high, math.nan)
    return out


def figures(found: Sample, part: Slice) -> dict[tuple[str, str, str], Figure]:
    """All figures of the groups that can be judged, by group, task and metric, for one who compares two samples."""
    _, patients = _sizes(found, part)
    judged = patients >= LEAST_PATIENTS
    if found.kind == "value":
        assert found.value is not None
        return {(part.labels[g], "", "mean"): f for g, f in enumerate(by_group(found.unit, found.units, found.drawn, part, found.value)) if judged[g]}
    out: dict[tuple[str, str, str], Figure] = {}
    for task in found.tasks:
        for g, own in enumerate(_task_figures(found, part, task, judged)):
            out |= {(part.labels[g], task.name, metric): f for metric, f in own.items() if judged[g]}
    whole = _multiclass(found, part, judged) if found.kind == "multiclass" else _multilabel(found, part, judged) if found.kind == "multilabel" else []
    for g, own in enumerate(whole):
        out |= {(part.labels[g], "", metric): f for metric, f in own.items() if judged[g]}
    return out


# ---- gaps between groups -----------------------------------------------------------------------------------------------

_GAPS = (
    ("demographic parity difference", ("selection_rate",)),
    ("equal opportunity difference", ("sensitivity",)),
    ("equalised odds difference", ("sensitivity", "specificity")),
    ("specificity difference", ("specificity",)),
    ("AUC difference", ("auc",)),
)


def _gaps(labels: Sequence[str], figures: Sequence[dict[str, Figure]], counts: NDArray[np.int64], judged: NDArray[np.bool_], task: str) -> list[dict[str, Any]]:
    """The fairness gaps between the groups that can be judged, each the largest between any two."""
    out = []
    for name, metrics in _GAPS:
        fit = [g for g in range(len(labels)) if judged[g] and all(math.isfinite(figures[g][m].value) for m in metrics)]
        if len(fit) > 1:
            families = [(m, [(labels[g], figures[g][m]) for g in fit]) for m in metrics]
            out.append(_gap(name, task, families, _fairness(name, counts[fit], families)))
    return out


def _fairness(name: str, counts: NDArray[np.int64], families: Sequence[tuple[str, list[tuple[str, Figure]]]]) -> float:
    """A gap's value: fairlearn's where it defines the gap, else the largest difference. The counts are weighed, not repeated."""
    from fairlearn.metrics import demographic_parity_difference, equal_opportunity_difference, equalized_odds_difference

    of_fairlearn = {
        "demographic parity difference": demographic_parity_difference,
        "equal opportunity difference": equal_opportunity_difference,
        "equalised odds difference": equalized_odds_difference,
    }
    if name not in of_fairlearn:
        return max(max(f.value for _, f in own) - min(f.value for _, f in own) for _, own in families)
    groups, kinds = np.nonzero(counts)
    return float(of_fairlearn[name](kinds // 2, kinds % 2, sensitive_features=groups, sample_weight=counts[groups, kinds]))


def _gap(name: str, task: str, families: Sequence[tuple[str, list[tuple[str, Figure]]]], value: float) -> dict[str, Any]:
    """One gap with the pair that makes it. `pairs` are kept as figures until all comparisons of a report are counted."""
    _, low, high = intervals.widest([[f for _, f in own] for _, own in families])
    metric, own = max(families, key=lambda family: max(f.value for _, f in family[1]) - min(f.value for _, f in family[1]))
    worst, best = min(own, key=lambda x: x[1].value), max(own, key=lambda x: x[1].value)
    return {
        "gap": name, "task": task, "metric": metric, "value": value, "low": low, "high": high, "lowest": worst[0], "highest": best[0],
        "groups": len(own), "pairs": [(a[1], b[1]) for _, mine in families for i, a in enumerate(mine) for b in mine[i + 1 :]],
    }  # fmt: skip


def _pay(slices: Sequence[dict[str, Any]]) -> int:
    """Counts all pairs compared in a report and says of each gap whether it stands when they are paid for."""
    gaps = [g for s in slices for g in s["gaps"]]
    comparisons = sum(len(g["pairs"]) for g in gaps if g["gap"] != "equalised odds difference")
    for g in gaps:
        pairs = g.pop("pairs")
        g["stands"] = any(intervals.apart(a, b, comparisons) for a, b in pairs)
    return comparisons


def plain(figures: dict[str, Figure]) -> dict[str, Any]:
    """Figures as value, low and high; None where there is none."""
    return {name: {k: _number(v) for k, v in (("value", f.value), ("low", f.low), ("high", f.high))} for name, f in figures.items()}


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
