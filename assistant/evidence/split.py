"""Training and test data held against each other: patients and cases in both, shares of groups and sites, dates out of order.

Returns counts and shares; no patient's name or number leaves it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from assistant.errors import UsageError
from assistant.evidence import tables
from assistant.evidence.tables import Table


@dataclass(frozen=True, slots=True)
class Request:
    """What to compare: the patient column; `case` names what is unique to an image or its content, such as a file hash."""

    train: Path
    test: Path
    patient: str
    case: str = ""
    groups: tuple[str, ...] = ()
    site: str = ""
    date: str = ""


def compute(request: Request) -> dict[str, Any]:
    """The overlap of the two tables and how they differ, as plain values. Raises UsageError or Unreadable."""
    names = [n for n in (request.patient, request.case, request.site, request.date, *request.groups) if n]
    train, test = (tables.read(p, words=names) for p in (request.train, request.test))
    out: dict[str, Any] = {"kind": "split", "inputs": [train.source(), test.source()], "notes": []}
    out["patients"] = _patients(train, test, request.patient, out["notes"])
    if request.case:
        out["cases"] = _cases(train, test, request.case)
    else:
        out["notes"].append("No column names the single case (--case), so repeated cases are not looked for.")
    if request.date:
        out["dates"] = _dates(train, test, request)
    columns = dict.fromkeys((*request.groups, *([request.site] if request.site else [])))
    out["shares"] = [_shares(train, test, name) for name in columns]
    if request.site:
        out["site"] = _sites(train, test, request.site)
    return out


def _keys(table: Table, name: str) -> tuple[NDArray[np.int32], list[str]]:
    """A column's codes and its values in one spelling: case, outer spaces and a trailing .0 mean nothing."""
    column = table.words[name]
    return column.codes, pc.replace_substring_regex(pc.utf8_lower(column.values), r"\.0$", "").to_pylist()


def _patients(train: Table, test: Table, name: str, notes: list[str]) -> dict[str, Any]:
    (a, a_names), (b, b_names) = _keys(train, name), _keys(test, name)
    both = set(a_names) & set(b_names)
    shared = np.array([n in both for n in b_names] + [False])[b]
    loose_a, loose_b = ({_loose(n) for n in names} for names in (a_names, b_names))
    for table, codes in ((train, a), (test, b)):
        if (codes < 0).any():
            notes.append(f"{int((codes < 0).sum()):,} rows of {table.name} have no patient; whose they are cannot be told.")
    alike = len(loose_a & loose_b) - len({_loose(n) for n in both})
    if alike > 0:
        notes.append(f"{alike:,} further patient numbers differ only by zeros or marks (such as 007 and P-7): look whether they are the same people.")
    return {"train": len(set(a_names)), "test": len(set(b_names)), "both": len(both), "test_rows_shared": int(shared.sum()), "alike": max(alike, 0)}


def _loose(name: str) -> str:
    kept = "".join(c for c in name if c.isalnum())
    digits = kept.lstrip("abcdefghijklmnopqrstuvwxyz").lstrip("0")
    return digits if digits.isdigit() else kept


def _cases(train: Table, test: Table, name: str) -> dict[str, int]:
    (a, a_names), (b, b_names) = _keys(train, name), _keys(test, name)
    both = set(a_names) & set(b_names)
    return {
        "both": len(both), "test_rows_shared": int(np.array([n in both for n in b_names] + [False])[b].sum()),
        "train_repeated": _repeated(a), "test_repeated": _repeated(b),
    }  # fmt: skip


def _repeated(codes: NDArray[np.int32]) -> int:
    known = codes[codes >= 0]
    return int(len(known) - len(np.unique(known)))


def _shares(train: Table, test: Table, name: str) -> dict[str, Any]:
    """The share of each group in either table; groups of fewer than ten rows in both are put together."""
    counted: list[Mapping[str, int]] = []
    for table in (train, test):
        codes, labels = tables.groups(table, name)
        counted.append(dict(zip(labels, np.bincount(codes, minlength=len(labels)).tolist())))
    labels = list(dict.fromkeys([*counted[0], *counted[1]]))
    rows: list[dict[str, Any]] = []
    few = [0, 0]
    for label in labels:
        a, b = counted[0].get(label, 0), counted[1].get(label, 0)
        if max(a, b) < 10:
            few = [few[0] + a, few[1] + b]
        else:
            rows.append({"group": tables.label(label), "train": a / train.rows, "test": b / test.rows})
    if sum(few):
        rows.append({"group": "groups of fewer than 10", "train": few[0] / train.rows, "test": few[1] / test.rows})
    return {"column": tables.label(name), "groups": rows, "distance": 0.5 * sum(abs(r["train"] - r["test"]) for r in rows)}


def _sites(train: Table, test: Table, name: str) -> dict[str, int]:
    (_, a_names), (b, b_names) = _keys(train, name), _keys(test, name)
    new = np.array([n not in set(a_names) for n in b_names] + [False])[b]
    return {"train": len(set(a_names)), "test": len(set(b_names)), "new": len(set(b_names) - set(a_names)), "test_rows_new": int(new.sum())}


def _dates(train: Table, test: Table, request: Request) -> dict[str, Any]:
    """Test rows dated no later than the last training row, and patients tested before they were trained on."""
    a, b = _days(train, request.date), _days(test, request.date)
    last = np.nanmax(a)
    out: dict[str, Any] = {
        "unreadable": int(np.isnan(a).sum() + np.isnan(b).sum()),
        "test_rows_before_last_training": int((b <= last).sum()),
        "test_rows": test.rows,
    }
    (x, x_names), (y, y_names) = _keys(train, request.patient), _keys(test, request.patient)
    first = np.full(len(x_names) + 1, np.inf)
    np.fmin.at(first, x, a)
    of_train = dict(zip(x_names, first))
    started = np.array([of_train.get(n, np.inf) for n in y_names] + [np.inf])[y]
    return out | {"test_rows_before_own_training": int((b < started)[np.isfinite(started)].sum())}


def _days(table: Table, name: str) -> NDArray[np.float64]:
    """A column of dates as days; NaN where it is none. Raises UsageError where none is."""
    column = table.words[name]
    text = pc.utf8_slice_codeunits(column.values, 0, 10)
    found = np.full(len(text) + 1, np.nan)
    for form, shape in (("%Y-%m-%d", r"^\d{4}-\d\d-\d\d$"), ("%Y%m%d", r"^\d{8}"), ("%d.%m.%Y", r"^\d\d\.\d\d\.\d{4}$"), ("%Y/%m/%d", r"^\d{4}/\d\d/\d\d$")):
        fits = pc.match_substring_regex(text, shape)
        dates = pc.strptime(
            pc.if_else(fits, pc.utf8_slice_codeunits(text, 0, 8) if form == "%Y%m%d" else text, pa.scalar(None, pa.string())), form, "s", error_is_null=True
        )
        days = dates.cast(pa.int64()).to_numpy(zero_copy_only=False).astype(float) / 86400
        found[:-1] = np.where(np.isnan(found[:-1]), days, found[:-1])
    if np.isnan(found[column.codes]).all():
        raise UsageError(f"Column '{name}' of {table.name} holds no dates that can be read", "Write dates as YYYY-MM-DD")
    return found[column.codes]
