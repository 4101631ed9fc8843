"""From a question to the provisions that bear on it: named addresses first, then words and meaning fused.

Scores every root provision (article, section, annex, topic) from its passages, digests and the questions they
answer, then picks the passage to show. Pure over a `Library` and a query vector; knows nothing of models or answers.
"""

import re
import tomllib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from assistant import corpus
from assistant.law import Hit, Passage
from assistant.library import ROW_TYPES, Library, RowTable, tokens
from assistant.pinpoint import Pinpoint, find_references

if TYPE_CHECKING:
    from numpy.typing import NDArray

PASSAGE, SECTION, DIGEST, QUESTION = range(len(ROW_TYPES))

# Words by which a question shows the framework it is about. A nudge, not a filter.
FRAMEWORK_WORDS = {
    "eu-ai-act": r"\bai act\b|\baia\b|2024/1689|artificial intelligence act|\bhigh-risk ai\b|\bgpai\b|general-purpose ai|notified body|annex i[vx]|annex iii",
    "gdpr": r"\bgdpr\b|2016/679|data protection regulation|\bdpia\b|supervisory authority|data subject",
    "hipaa": r"\bhipaa\b|\be?phi\b|protected health information|covered entit|business associate|\b45 c\.?f\.?r|privacy rule|security rule|\bhhs\b|\bocr\b",
    "dpdp": r"\bdpdpa?\b|\bindian?\b|data fiduciar|data principal|consent manager|data protection board",
    "fda": r"\bfda\b|\b21 c\.?f\.?r|510\(?k\)?|\bpma\b|de novo|\bqmsr?\b|\bsamd\b|premarket|\bcdrh\b|\budi\b|\bpccp\b|fd&c|\bdevice master|design history|quality system regulation",
    "mdr": r"\bmdr\b|2017/745|medical devices? regulation|\beudamed\b",
    "principles": r"\bprinciples?\b.*foundation model|foundation model.*\bprinciples?\b",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filter:
    """What a hit must satisfy. Empty tuples admit everything; `layer` is official, digest or any."""

    as_of: str
    frameworks: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    layer: str = "any"


@lru_cache(maxsize=1)
def weights() -> dict[str, float]:
    """The fusion's weights, from `corpus/ranking.toml`."""
    return tomllib.loads((corpus.root() / "ranking.toml").read_text("utf8"))


def named_frameworks(question: str) -> tuple[str, ...]:
    """The frameworks whose own words the question uses."""
    low = question.lower()
    return tuple(name for name, pattern in FRAMEWORK_WORDS.items() if re.search(pattern, low))


def expand(question: str) -> str:
    """The question with the field's abbreviations spelt out behind it."""
    low = f" {re.sub(r'[^a-z0-9()&-]+', ' ', question.lower())} "
    extra = [words for term, words in corpus.abbreviations().items() if f" {term} " in low]
    return " ".join((question, *extra))


def search(library: Library, question: str, vector: "NDArray[np.float32]", wanted: Filter, k: int = 10) -> list[Hit]:
    """The `k` best provisions, one hit a root provision; provisions that the question names come first."""
    named = _named(library, question, wanted)
    taken = {h.passage.pinpoint.root for h in named}
    found = [h for h in _ranked(library, question, vector, wanted, k + len(taken)) if h.passage.pinpoint.root not in taken]
    return (named + found)[:k]


def _named(library: Library, question: str, wanted: Filter) -> list[Hit]:
    hits: list[Hit] = []
    default = wanted.instruments[0] if len(wanted.instruments) == 1 else wanted.frameworks[0] if len(wanted.frameworks) == 1 else None
    for reference in find_references(question, default):
        p: Pinpoint | None = reference.pinpoint
        if not _admits(wanted, reference.pinpoint):
            continue
        while p is not None:
            found = library.find(p, wanted.as_of, layer="" if wanted.layer == "any" else wanted.layer)
            if found:
                hits.append(Hit(library.as_passage(found), 2.0 - 0.01 * len(hits), ("reference",)))
                break
            p = p.parent
    return list({h.passage.pinpoint: h for h in reversed(hits)}.values())[::-1]


def _admits(wanted: Filter, p: Pinpoint) -> bool:
    from assistant.law import framework_of

    return (not wanted.frameworks or framework_of(p.instrument) in wanted.frameworks) and (not wanted.instruments or p.instrument in wanted.instruments)


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


def _ranked(library: Library, question: str, vector: "NDArray[np.float32]", wanted: Filter, k: int) -> list[Hit]:
    rows = library.rows
    ok = eligible(rows, wanted)
    if not ok.any():
        return []
    lexical = lexical_scores(library, question) * ok
    dense = np.where(ok, library.vectors @ vector, 0.0).astype(np.float32)
    features = unit_features(rows, lexical, dense)
    score = fuse(rows, features, question, ok)
    present = np.zeros(len(rows.units), dtype=bool)
    present[rows.unit[ok]] = True
    score = np.where(present & (score > 0), score, -np.inf)
    best = np.argsort(-score, kind="stable")[:k]
    ranks = {name: _rank(values) for name, values in features.items()}
    hits = []
    for unit in best:
        if score[unit] == -np.inf:
            break
        key = _show(rows, int(unit), lexical, dense, ok)
        via = tuple(f"{name.replace('_', '-')}:{ranks[name][unit]}" for name, values in features.items() if values[unit] > 0 and ranks[name][unit] <= 20)
        hits.append(Hit(library.passage(key, wanted.as_of), float(score[unit]), via or ("fused",)))
    return hits


def lexical_scores(library: Library, question: str) -> "NDArray[np.float32]":
    """BM25 of every search row for the question and its spelt-out abbreviations."""
    known = library.lexical.vocab_dict
    words = [t for t in dict.fromkeys(tokens(expand(question)[:2000])) if t in known]
    if not words:
        return np.zeros(len(library.rows.type), dtype=np.float32)
    return np.asarray(library.lexical.get_scores(words), dtype=np.float32)


def unit_features(rows: RowTable, lexical: "NDArray[np.float32]", dense: "NDArray[np.float32]") -> dict[str, "NDArray[np.float32]"]:
    """For each root provision the best of each kind of row: BM25 as a share of the best in that kind, cosine as it is."""
    features = {}
    for name, kind, values in (
        ("lexical_passage", PASSAGE, lexical), ("lexical_section", SECTION, lexical), ("lexical_digest", DIGEST, lexical), ("lexical_question", QUESTION, lexical),
        ("dense_passage", PASSAGE, dense), ("dense_digest", DIGEST, dense), ("dense_question", QUESTION, dense),
    ):  # fmt: skip
        best = np.zeros(len(rows.units), dtype=np.float32)
        chosen = rows.type == kind
        np.maximum.at(best, rows.unit[chosen], values[chosen])
        if name.startswith("lexical") and best.max() > 0:
            best /= best.max()
        features[name] = best
    return features


def fuse(rows: RowTable, features: dict[str, "NDArray[np.float32]"], question: str, ok: "NDArray[np.bool_]") -> "NDArray[np.float32]":
    """One score for each root provision: weighted features, a nudge for frameworks named, and the kind of text."""
    w = weights()
    score = np.zeros(len(rows.units), dtype=np.float32)
    for name, values in features.items():
        score += np.float32(w[name]) * values
    for name in named_frameworks(question):
        if name in rows.frameworks:
            units = np.unique(rows.unit[ok & (rows.framework == rows.frameworks.index(name))])
            score[units] += np.float32(w["framework_named"])
    for name, column in (("guidance", rows.guidance), ("recital", rows.recital), ("draft", rows.draft)):
        score[np.unique(rows.unit[column])] += np.float32(w[name])
    return score


def _rank(values: "NDArray[np.float32]") -> "NDArray[np.int64]":
    order = np.argsort(-values, kind="stable")
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[order] = np.arange(1, len(values) + 1)
    return ranks


def _show(rows: RowTable, unit: int, lexical: "NDArray[np.float32]", dense: "NDArray[np.float32]", ok: "NDArray[np.bool_]") -> int:
    """The row to show for a root provision: from its best paragraph, official text before a digest.

    A paragraph's worth is its best passage, digest and question together, so that a digest that fits the question
    leads to the paragraph it summarises.
    """
    mine = np.flatnonzero(ok & (rows.unit == unit) & (rows.type != SECTION))
    top = max(float(lexical[mine].max()), 1e-6)
    value = dense[mine] + 0.6 * lexical[mine] / top
    groups: dict[str, list[float]] = {}
    heads = [_paragraph(_pinpoint_of(rows, int(m))) for m in mine]
    for head, kind, worth in zip(heads, rows.type[mine], value, strict=True):
        best = groups.setdefault(head, [0.0] * len(ROW_TYPES))
        best[kind] = max(best[kind], float(worth))
    near = np.array([sum(groups[head]) if head else 0.0 for head in heads])
    official = rows.type[mine] == PASSAGE
    if official.any():
        return int(mine[np.argmax(np.where(official, value + near, -np.inf))])
    best_row = int(mine[np.argmax(value + near)])
    same = mine[(rows.provision[mine] == rows.provision[best_row]) & (rows.type[mine] == DIGEST)]
    return int(same[0]) if len(same) else best_row


def _paragraph(p: Pinpoint) -> str:
    """The first level below the root: paragraph 7 of Article 35(7)(a); "" for the root itself."""
    return p.steps[0] if p.steps else ""


def _pinpoint_of(rows: RowTable, key: int) -> Pinpoint:
    instrument, _, path = rows.addresses[key].partition(":")
    return Pinpoint(instrument, path)


def whole(library: Library, hit: Hit, as_of: str) -> Passage:
    """The paragraph (or undivided provision) in which a hit stands, so that a list is read with its opening words."""
    p = hit.passage.pinpoint
    while p.parent is not None and len(p.steps) > 1:
        p = p.parent
    found = library.find(p, as_of, version=hit.passage.version, layer=hit.passage.layer)
    return replace(library.as_passage(found), trail=hit.passage.trail) if found else hit.passage
