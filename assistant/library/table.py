"""The columns by which search filters and groups its rows, and the scores of rows for one question."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROW_TYPES = ("passage", "section", "digest", "question")


@dataclass(frozen=True, slots=True)
class Filter:
    """What a hit must satisfy. Empty tuples admit everything; `layer` is official, digest or any."""

    as_of: str
    frameworks: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    layer: str = "any"


@dataclass(frozen=True, slots=True)
class RowTable:
    """Columns over all search rows, in key order, and over their root provisions; dates are integers yyyymmdd so that a filter is one comparison."""

    type: "NDArray[np.int8]"  # index into ROW_TYPES
    unit: "NDArray[np.int32]"  # number of the root address
    paragraph: "NDArray[np.int32]"  # number of the first level below the root; 0 for the root itself
    provision: "NDArray[np.int32]"
    vector: "NDArray[np.int32]"  # number of its vector; -1 for none
    framework: "NDArray[np.int16]"
    instrument: "NDArray[np.int16]"
    official: "NDArray[np.bool_]"
    valid_from: "NDArray[np.int32]"
    valid_to: "NDArray[np.int32]"
    until: "NDArray[np.int32]"
    applies_from: "NDArray[np.int32]"
    hidden: "NDArray[np.bool_]"  # proposals: never a default hit
    by_unit: "NDArray[np.int32]"  # keys of rows, those of one unit together
    starts: "NDArray[np.int32]"  # where in by_unit each unit begins, and the end
    unit_framework: "NDArray[np.int16]"  # of each unit, as are the next three
    guidance: "NDArray[np.bool_]"
    recital: "NDArray[np.bool_]"
    draft: "NDArray[np.bool_]"
    units: tuple[str, ...]
    frameworks: tuple[str, ...]
    instruments: tuple[str, ...]

    def of_unit(self, root: str) -> "NDArray[np.int32]":
        """The keys of the rows of a root provision, by its address."""
        unit = self.units.index(root)
        return self.by_unit[self.starts[unit] : self.starts[unit + 1]]


@dataclass(frozen=True, slots=True)
class Scores:
    """Rows with their scores for one question: all rows of a library, or those among which its best are."""

    rows: RowTable
    keys: "NDArray[np.int64]"  # the search row of each
    ok: "NDArray[np.bool_]"  # admitted by the filter; the scores of others are zero
    lexical: "NDArray[np.float32]"
    dense: "NDArray[np.float32]"


@dataclass(frozen=True, slots=True)
class Lexical:
    """The BM25 index as bm25s writes it, read without bm25s: its import brings scipy, a fifth of a first search."""

    words: dict[str, int]
    weights: "NDArray[np.float32]"  # what a word adds to the score of a row; those of one word together
    rows: "NDArray[np.int32]"  # the row of each weight
    starts: "NDArray[np.int64]"  # where in both each word begins, and the end

    def count(self, word: str) -> int:
        """In how many rows a word stands."""
        n = self.words.get(word)
        return 0 if n is None else int(self.starts[n + 1] - self.starts[n])

    def scores(self, words: Iterable[str], rows: int) -> "NDArray[np.float32]":
        """The BM25 of each of `rows` rows for these words."""
        found = np.zeros(rows, dtype=np.float32)
        for n in (self.words[w] for w in words if w in self.words):
            mine = slice(self.starts[n], self.starts[n + 1])
            found[self.rows[mine]] += self.weights[mine]
        return found


def eligible(rows: RowTable, wanted: Filter) -> "NDArray[np.bool_]":
    """Which search rows the filter and the as-of date admit."""
    day = int(wanted.as_of.replace("-", ""))
    ok = (rows.valid_from <= day) & (day < rows.valid_to) & (day < rows.until) & ~rows.hidden
    if wanted.frameworks:
        ok &= np.isin(rows.framework, [rows.frameworks.index(f) for f in wanted.frameworks if f in rows.frameworks])
    if wanted.instruments:
        ok &= np.isin(rows.instrument, [rows.instruments.index(i) for i in wanted.instruments if i in rows.instruments])
    if wanted.layer != "any":
        ok &= rows.official == (wanted.layer == "official")
    return ok
