"""Columns of a CSV or Parquet file as compact arrays, read block by block; what cannot be used is refused in one line without its values.

Knows nothing of metrics. Missing is NaN in numbers and -1 in codes. Rows are counted from 1 after the header, as a spreadsheet's reader would.
"""

import csv
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from assistant.errors import Unreadable, UsageError

MOST_ROWS = 50_000_000
MOST_GROUPS = 50
_BLOCK = 8 << 20  # bytes of a CSV read at a time
_BATCH = 1 << 17  # rows of a Parquet file read at a time
_HEADER = 1 << 20
MISSING = ["", "NA", "N/A", "#N/A", "NaN", "nan", "-nan", "null", "NULL", "None", "none", "n/a", "<NA>"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of words: each row's number in `values`, or -1 where it is missing."""

    codes: Codes
    values: Any  # a pyarrow array of strings

    def words(self) -> list[str]:
        """The different values, in the order of their codes."""
        return [str(v) for v in self.values.to_pylist()]


@dataclass(slots=True)
class Table:
    """The columns asked for of one file, its name, hash and number of rows."""

    name: str
    sha256: str
    rows: int
    columns: tuple[str, ...]
    numbers: dict[str, Floats] = field(default_factory=dict)
    words: dict[str, Coded] = field(default_factory=dict)

    def source(self) -> dict[str, Any]:
        """The file as a report names it."""
        return {"name": label(self.name, 80), "sha256": self.sha256, "rows": self.rows}


def digest(path: Path) -> str:
    """The SHA-256 of a file, read in pieces. Raises UsageError where it cannot be opened."""
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                found.update(piece)
    except OSError as error:
        raise UsageError(f"{path.name} cannot be opened: {error.strerror}", "Give a CSV or Parquet file") from error
    return found.hexdigest()


def read(path: Path, numbers: Sequence[str] = (), words: Sequence[str] = ()) -> Table:
    """The named columns of a file, as numbers and as words. Raises UsageError or Unreadable, naming the column and never a value."""
    sha256 = digest(path)
    names, parquet, delimiter = _open(path)
    wanted = list(dict.fromkeys([*numbers, *words]))
    for name in wanted:
        if names.count(name) != 1:
            problem = "no column" if name not in names else "more than one column"
            raise UsageError(f"{path.name} has {problem} '{name}'", f"It has: {', '.join(names[:30])}{' …' if len(names) > 30 else ''}")
    held: dict[str, list[Any]] = {f"n {n}": [] for n in numbers} | {f"w {w}": [] for w in words}
    rows = 0
    try:
        for batch in _parquet(path, wanted) if parquet else _csv(path, wanted, delimiter):
            for name in numbers:
                held[f"n {name}"].append(_numbers(batch.column(name), name, path.name, rows))
            for name in words:
                held[f"w {name}"].append(_words(batch.column(name)))
            rows += batch.num_rows
            if rows > MOST_ROWS:
                raise Unreadable("too-large", f"{path.name} has more than {MOST_ROWS:,} rows", "Give a sample of the patients, or one file a site")
    except pa.ArrowInvalid as error:
        raise Unreadable("damaged", f"{path.name} cannot be read as a table: {_safe(error)}", "Write it again as UTF-8 CSV or Parquet") from error
    except (pa.ArrowException, OSError) as error:
        raise Unreadable("damaged", f"{path.name} is no sound table", "Write it again as UTF-8 CSV or Parquet") from error
    if not rows:
        raise UsageError(f"{path.name} has no rows", "Give a file with a header and at least one row")
    table = Table(path.name, sha256, rows, names)
    table.numbers = {n: np.concatenate(held.pop(f"n {n}")) for n in numbers}
    table.words = {w: _joined(held.pop(f"w {w}")) for w in words}
    return table


def groups(table: Table, name: str) -> tuple[Codes, list[str]]:
    """A column as groups: each row's number and the groups' labels in order; rows without a value are the last group, "(not stated)".

    Raises UsageError for a column with so many values that it looks like an identifier.
    """
    column = table.words[name]
    if len(column.values) > MOST_GROUPS:
        raise UsageError(
            f"Column '{name}' of {table.name} has {len(column.values):,} different values, groups may have {MOST_GROUPS}",
            "Give bands or categories, and never an identifier",
        )
    labels = column.words()
    order = sorted(range(len(labels)), key=lambda i: _natural(labels[i]))
    place = np.empty(len(labels) + 1, np.int32)
    place[order] = np.arange(len(labels), dtype=np.int32)
    place[-1] = len(labels)
    codes = place[column.codes]
    return codes, [labels[i] for i in order] + (["(not stated)"] if (column.codes < 0).any() else [])


def as_numbers(column: Coded) -> Floats | None:
    """A column of words as numbers, NaN where missing; None where one of them is no number."""
    try:
        values = column.values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowException:
        return None
    found = np.append(np.where(np.isfinite(values), values, np.nan), np.nan)[column.codes]
    return found.astype(np.float64)


def label(text: str, most: int = 40) -> str:
    """A name out of a file as a report may print it: one short line without marks that any format would read as its own."""
    kept = "".join(c if c.isalnum() or c in " -_+.,/()<>≥≤=–%:&" else "·" for c in " ".join(text.split()))
    kept = re.sub(r"<(?=[^\W\d]|/)", "·", kept).replace("__", "_·")
    return kept if len(kept) <= most else kept[: most - 1] + "…"


# ---- reading -----------------------------------------------------------------------------------------------------------


def _open(path: Path) -> tuple[tuple[str, ...], bool, str]:
    """The column names, whether it is Parquet, and the separator of a CSV."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER)
    except OSError as error:
        raise UsageError(f"{path.name} cannot be opened: {error.strerror}", "Give a CSV or Parquet file") from error
    if not head.strip():
        raise UsageError(f"{path.name} is empty", "Give a file with a header and at least one row")
    if head[:4] == b"PAR1":
        try:
            return tuple(str(n) for n in pq.ParquetFile(path).schema_arrow.names), True, ""
        except (pa.ArrowException, OSError) as error:
            raise Unreadable("damaged", f"{path.name} is no sound Parquet file", "Write it again") from error
    if b"\0" in head:
        raise Unreadable("not-recognised", f"{path.name} is neither CSV nor Parquet", "Save the table as CSV (UTF-8) or Parquet")
    try:
        first = head.decode("utf-8-sig", "strict" if len(head) < _HEADER else "ignore").splitlines()[0]
    except UnicodeDecodeError as error:
        raise Unreadable("encoding", f"{path.name} is not UTF-8", "Save it as CSV UTF-8") from error
    delimiter = max("\t;,|", key=first.count)
    names = tuple(next(csv.reader([first], delimiter=delimiter)))
    return names, False, delimiter


def _csv(path: Path, wanted: Sequence[str], delimiter: str) -> Iterator[Any]:
    short: list[int] = []

    def bad(row: Any) -> str:
        short.append(row.number or 0)
        return "error"

    reader = pv.open_csv(
        path,
        read_options=pv.ReadOptions(block_size=_BLOCK, use_threads=False),
        parse_options=pv.ParseOptions(delimiter=delimiter, newlines_in_values=False, invalid_row_handler=bad),
        convert_options=pv.ConvertOptions(
            include_columns=list(wanted), column_types=dict.fromkeys(wanted, pa.string()), null_values=MISSING, strings_can_be_null=True
        ),
    )
    yield from reader


def _parquet(path: Path, wanted: Sequence[str]) -> Iterator[Any]:
    yield from pq.ParquetFile(path).iter_batches(batch_size=_BATCH, columns=list(wanted))


def _safe(error: pa.ArrowInvalid) -> str:
    """What is wrong without the row that Arrow quotes."""
    said = str(error)
    if "columns, got" in said:
        return "its rows do not all have the same number of columns"
    if "UTF8" in said or "UTF-8" in said:
        return "it is not UTF-8"
    if "straddling" in said:
        return "one of its rows is far too long"
    return "its rows cannot be told apart"


def _numbers(column: Any, name: str, file: str, before: int) -> Floats:
    """A piece of a column as floats, infinities counted as missing. Raises UsageError at the first text."""
    try:
        if pa.types.is_boolean(column.type):
            column = column.cast(pa.int8())
        floats = (pc.utf8_trim_whitespace(column) if pa.types.is_string(column.type) else column).cast(pa.float64())
    except pa.ArrowException as error:
        at = _first_text(column)
        where = f" (the first at row {before + at + 1:,})" if at is not None else ""
        raise UsageError(
            f"Column '{name}' of {file} holds text where numbers belong{where}", "Give numbers with a decimal point; leave cells empty where there is none"
        ) from error
    found = floats.to_numpy(zero_copy_only=False).astype(np.float64)
    return np.where(np.isfinite(found), found, np.nan)


def _first_text(column: Any) -> int | None:
    for i, value in enumerate(column.to_pylist()):
        try:
            float(value if value is not None else 0)
        except (TypeError, ValueError):
            return i
    return None


def _words(column: Any) -> Any:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_floating(column.type):  # 1.0 and 1 are one value
        whole = pc.all(pc.equal(pc.fill_null(pc.round(column), 0), pc.fill_null(column, 0))).as_py()
        column = column.cast(pa.int64(), safe=False) if whole else column
    text = pc.utf8_trim_whitespace(column.cast(pa.string()))
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text).dictionary_encode()


def _joined(pieces: list[Any]) -> Coded:
    whole = pa.chunked_array(pieces).unify_dictionaries().combine_chunks()
    whole = whole if isinstance(whole, pa.DictionaryArray) else whole.chunk(0)
    codes = pc.fill_null(whole.indices, -1).to_numpy(zero_copy_only=False).astype(np.int32)
    return Coded(codes, whole.dictionary)


def _natural(text: str) -> tuple[Any, ...]:
    """Groups in the order a person expects: 9 before 10, "18-40" before "41-60"."""
    parts: list[tuple[int, float, str]] = []
    number = ""
    for c in [*text, ""]:
        if c.isdecimal():
            number += c
            continue
        if number:
            parts.append((0, float(number[:300]), ""))
            number = ""
        if c:
            parts.append((1, 0.0, c.casefold()))
    return tuple(parts)
