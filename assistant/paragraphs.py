"""Which paragraphs of the best provision a question is about: search finds the article, this chooses inside it.

A learned sum over what speaks for each paragraph (`corpus/answering.toml`). Knows nothing of quotations or models.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from assistant import corpus
from assistant.law import Hit
from assistant.library import ROW_TYPES, Found, Library
from assistant.quoting import answers_kind, score_of
from assistant.retrieve import Filter, words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURES = ("meaning", "asked", "words", "asked_words", "share", "list", "first", "kind", "refers")
MOST = 30  # paragraphs: what has more is no article but a catalogue
_ASKS_LIST = re.compile(
    r"\b(?:which (?!law|framework|article|regulation|authorit)\w+|what (?:must|should|has|have|does|do|are|goes|minimum|information)|conditions?|grounds"
    r"|bases|cases|contents?|contain|include|comprise|cover|properties|circumstances|obligations|requirements|criteria|factors|things|elements)\b",
    re.I,
)
_REFERS = re.compile(r"\bparagraphs? \d|\bpoint \(|\bsub-?sections? \(|\(\d\) (?:to|and)\b")  # a paragraph about another one


@lru_cache(maxsize=1)
def _learned() -> Mapping[str, float]:
    table: dict[str, float] = tomllib.loads((corpus.root() / "answering.toml").read_text("utf8"))["paragraph"]
    return table


def fitting(library: Library, question: str, vector: "NDArray[np.float32]", wanted: Filter, hit: Hit) -> list[Hit]:
    """The paragraph of a hit's provision that fits best, and a second one that fits nearly as well; the hit where there is no choice."""
    table = features(library, question, vector, wanted, hit)
    if len(table) < 2:
        return [hit]
    learned = _learned()
    sums = np.array([sum(learned[name] * v for name, v in zip(FEATURES, row, strict=True)) for _, row in table])
    order = np.argsort(-sums, kind="stable")
    kept = [int(i) for i in order[:2] if sums[order[0]] - sums[i] <= learned["near"]]
    return [replace(hit, passage=library.as_passage(table[i][0])) for i in kept]


def features(library: Library, question: str, vector: "NDArray[np.float32]", wanted: Filter, hit: Hit) -> list[tuple[Found, tuple[float, ...]]]:
    """The paragraphs of a hit's provision, in order, each with its FEATURES; none where it is a list of definitions or a catalogue."""
    p = hit.passage.pinpoint
    if not p.steps:
        return []
    root = library.find(p.root, wanted.as_of, version=hit.passage.version, layer=hit.passage.layer)
    if root is None or not 2 <= len(library.children(root)) <= MOST:
        return []
    scores = library.scores(words_of(question), vector, wanted, p.root.address)
    unit = np.flatnonzero(scores.ok & (scores.rows.type != ROW_TYPES.index("section")))
    near, lexical = scores.dense[unit], scores.lexical[unit]
    lexical = lexical / max(float(lexical.max(initial=0.0)), 1e-6)
    asked = scores.rows.type[unit] == ROW_TYPES.index("question")
    under = [library.passage(int(key), wanted.as_of).pinpoint.steps[:1] for key in scores.keys[unit]]
    table = []
    for n, child in enumerate(library.children(root)):
        mine = np.array([step == child.steps[:1] for step in under], dtype=np.bool_)
        found = library.find(child, wanted.as_of, version=hit.passage.version, layer=hit.passage.layer)
        if found is None or found.kind not in ("paragraph", "point") or not mine.any():
            continue
        best = [float(values[mine & kind].max(initial=0.0)) for values in (near, lexical) for kind in (~asked, asked)]
        listed = bool(_ASKS_LIST.search(question)) and len(library.children(found)) >= 2
        refers = bool(_REFERS.search(found.text[:160]))
        marks = (listed, n == 0, answers_kind(question, found.text), refers)
        table.append((found, (*best, score_of(library, question, found.text), *map(float, marks))))
    return table
