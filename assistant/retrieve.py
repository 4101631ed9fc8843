"""From a question to the provisions that bear on it: named addresses first, then words and meaning fused.

Scores every root provision (article, section, annex, topic) from its passages, digests and the questions they
answer, then picks the passage to show. Pure over a `Library` and a query vector; knows nothing of models or answers.
"""

import re
import tomllib
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from assistant import corpus
from assistant.law import Hit, Passage
from assistant.library import ROW_TYPES, WORD, Library, RowTable, tokens
from assistant.library import Filter as Filter
from assistant.pinpoint import EU, KNOWN, Pinpoint, find_references

if TYPE_CHECKING:
    from numpy.typing import NDArray

PASSAGE, SECTION, DIGEST, QUESTION = range(len(ROW_TYPES))
DENSE = {PASSAGE: 4, DIGEST: 5, QUESTION: 6}
FEATURES = (
    "lexical_passage", "lexical_section", "lexical_digest", "lexical_question", "dense_passage", "dense_digest", "dense_question",
    "dense_best", "framework_named", "framework_prior", "guidance", "recital", "draft", "no_text", "no_digest",
)  # fmt: skip
RANKED = 7  # of these `via` tells the ranks
TOLD = 20  # places by a feature that `via` tells
LEADING = 3  # hits among which operative law goes before the recitals of its act
MATCH = 8  # these say how well a provision matches; the others are leanings

# Root provisions that are lists of definitions: they name most words of their act, and answer only what one of them means.
DEFINITIONS = re.compile(
    r"gdpr:art-4|eu-ai-act:art-3|mdr:art-2|dpdp:s-2|dpdp-rules:r-2|hipaa:(?:160\.(?:103|202|401|502)|162\.103|164\.(?:103|304|402|501))"
    r"|fda:21cfr-(?:(?:11|801|803|807|808|809|812|814|820|821|822|830|860)\.3|(?:806|810)\.2)"
)
_ASKS_MEANING = re.compile(
    r"\b(?:mean(?:s|ing|t)?|defin\w+|(?:what|who) (?:exactly )?(?:is|are) (?!the\b|required|allowed|needed|told|done|to\b)|counts?|considered|regarded"
    r"|treated as|term|called|qualif\w+|same as|falls? under)\b",
    re.I,
)

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
    found = [h for h in _ranked(library, question, vector, wanted, max(k, LEADING) + len(taken)) if h.passage.pinpoint.root not in taken]
    return (named + _operative_first(found))[:k]


def _operative_first(hits: list[Hit]) -> list[Hit]:
    """The hits with every recital among the LEADING ones behind an operative provision of its own act that is there too: recitals explain, articles bind."""
    first, rest = hits[:LEADING], hits[LEADING:]
    binding = {h.passage.pinpoint.instrument: i for i, h in enumerate(first) if not _is_recital(h)}  # the last of each act

    def place(at: tuple[int, Hit]) -> tuple[int, bool]:
        i, h = at
        return (max(i, binding.get(h.passage.pinpoint.instrument, i)), True) if _is_recital(h) else (i, False)

    return [h for _, h in sorted(enumerate(first), key=place)] + rest


def _is_recital(hit: Hit) -> bool:
    return hit.passage.pinpoint.instrument in EU and hit.passage.pinpoint.path.startswith("rec-")


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


def _ranked(library: Library, question: str, vector: "NDArray[np.float32]", wanted: Filter, k: int) -> list[Hit]:
    found = library.scores(words_of(question) if _field(wanted) else tokens(question[:2000]), vector, wanted)
    rows, ok, lexical, dense = found.rows, found.ok, found.lexical, found.dense
    if not ok.any():
        return []
    table = unit_features(rows, lexical, dense, ok, question, vector)
    score = np.where(table[:, :RANKED].max(axis=1) > 0, table @ weight_vector(), -np.inf)
    near = _best(score, max(10 * TOLD, 2 * k))
    if not _ASKS_MEANING.search(question):
        score[[u for u in near if DEFINITIONS.fullmatch(rows.units[u])]] += weights()["definitions"]
    hits, best = [], near[_best(score[near], k)]
    for unit, ranks in zip(best, _ranks(table, best, near), strict=True):
        key = _show(rows, int(unit), lexical, dense, ok)
        via = tuple(f"{FEATURES[i].replace('_', '-')}:{rank}" for i, rank in enumerate(ranks) if 0 < rank <= TOLD)
        hits.append(Hit(library.passage(int(found.keys[key]), wanted.as_of), round(float(score[unit]), 5), via or ("fused",)))
    return hits


def _ranks(table: "NDArray[np.float32]", units: "NDArray[np.int64]", near: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """The place of each of these units by each of the RANKED features, counted from 1; 0 for none, and for one behind TOLD of the units `near`."""
    ranks = np.zeros((len(units), RANKED), dtype=np.int64)
    for i in range(RANKED):
        own, floor = table[units, i], np.sort(table[near, i])[-TOLD:][0]
        higher = np.sort(table[:, i][table[:, i] > floor])
        ranks[:, i] = np.where((own > 0) & (own >= floor), 1 + len(higher) - np.searchsorted(higher, own, side="right"), 0)
    return ranks


def _field(wanted: Filter) -> bool:
    """Whether the field's abbreviations may be meant: another regulator's rules, asked for alone, use words of their own."""
    return not wanted.instruments or any(i in KNOWN for i in wanted.instruments)


def _best(score: "NDArray[np.float32]", k: int) -> "NDArray[np.int64]":
    """The numbers of the `k` highest scores, best first and the lower number before its equal; never one of -inf."""
    least = np.partition(score, -k)[-k] if 0 < k < len(score) else -np.inf
    among = np.flatnonzero((score >= least) & (score > -np.inf))
    return among[np.argsort(-score[among], kind="stable")][:k]


def words_of(question: str) -> list[str]:
    """The indexed words of a question and of its spelt-out abbreviations, each once."""
    return list(dict.fromkeys(tokens(expand(question)[:2000])))


def strange(library: Library, question: str) -> bool:
    """Whether a question looks like another language or none: hardly an English function word in it, and few of its words in the texts held."""
    words, told = WORD.findall(question.lower()), tokens(question)
    held = library.counts(told)
    if not words:
        return any(c.isalpha() for c in question)
    return 8 * (len(words) - len(told)) < len(words) and sum(t in held for t in told) < 0.6 * len(told)


def unit_features(
    rows: RowTable, lexical: "NDArray[np.float32]", dense: "NDArray[np.float32]", ok: "NDArray[np.bool_]", question: str, vector: "NDArray[np.float32]"
) -> "NDArray[np.float32]":
    """One row of FEATURES for each root provision.

    The first RANKED are the best of each kind of row: BM25 as a share of the best of that kind, cosine as it is. A
    provision without official text is judged by its digest alone, one without a digest by its text alone. `dense_best`
    is the nearest row of any kind: one that answers the question must not be outweighed by several that nearly do.
    """
    n = len(rows.units)
    table = np.zeros((n, len(FEATURES)), dtype=np.float32, order="F")
    has = np.zeros((len(ROW_TYPES), n), dtype=bool)
    for kind in range(len(ROW_TYPES)):
        chosen = np.flatnonzero(ok & (rows.type == kind))
        unit = rows.unit[chosen]
        has[kind, unit] = True
        np.maximum.at(table[:, kind], unit, lexical[chosen])
        if kind != SECTION:
            np.maximum.at(table[:, DENSE[kind]], unit, dense[chosen])
    undivided = ~has[SECTION] & has[PASSAGE]  # a section whose one passage has the same words
    table[undivided, SECTION] = table[undivided, PASSAGE]
    for kind in range(len(ROW_TYPES)):
        table[:, kind] /= max(float(table[:, kind].max(initial=0)), 1e-6)
    only_digest, only_text = ~has[PASSAGE] & has[DIGEST], has[PASSAGE] & ~has[DIGEST]
    for target, source in ((PASSAGE, DIGEST), (SECTION, DIGEST), (DENSE[PASSAGE], DENSE[DIGEST])):
        np.copyto(table[:, target], table[:, source], where=only_digest)
    for target, source in ((DIGEST, PASSAGE), (QUESTION, PASSAGE), (DENSE[DIGEST], DENSE[PASSAGE]), (DENSE[QUESTION], DENSE[PASSAGE])):
        np.copyto(table[:, target], table[:, source], where=only_text)
    column = {name: i for i, name in enumerate(FEATURES)}
    np.maximum.reduce([table[:, i] for i in DENSE.values()], out=table[:, column["dense_best"]])
    table[:, column["no_text"]], table[:, column["no_digest"]] = only_digest, only_text
    for name in named_frameworks(question):
        if name in rows.frameworks:
            table[rows.unit_framework == rows.frameworks.index(name), column["framework_named"]] = 1
    prior = framework_prior(vector)
    for name, value in prior.items():
        if name in rows.frameworks:
            table[rows.unit_framework == rows.frameworks.index(name), column["framework_prior"]] = value
    for name in ("guidance", "recital", "draft"):
        table[:, column[name]] = getattr(rows, name)
    return table


def framework_prior(vector: "NDArray[np.float32]") -> dict[str, float]:
    """How likely each framework is from the meaning of a question alone: a small classifier learned on digest questions."""
    names, matrix = _classifier()
    if not names or matrix.shape[1] != len(vector) + 1:
        return {}
    z = matrix[:, :-1] @ vector + matrix[:, -1]
    p = np.exp(z - z.max())
    return dict(zip(names, (p / p.sum()).tolist(), strict=True))


@lru_cache(maxsize=1)
def _classifier() -> "tuple[tuple[str, ...], NDArray[np.float32]]":
    path = corpus.root() / "framework_classifier.npz"
    if not path.exists():
        return (), np.zeros((0, 0), dtype=np.float32)
    data = np.load(path)
    return tuple(str(n) for n in data["names"]), data["weights"].astype(np.float32)


@lru_cache(maxsize=1)
def weight_vector() -> "NDArray[np.float32]":
    """The weights of FEATURES, scaled so that a perfect match scores about one."""
    w = np.array([weights()[name] for name in FEATURES], dtype=np.float32)
    return np.asarray(w / w[:MATCH].sum(), dtype=np.float32)


def _show(rows: RowTable, unit: int, lexical: "NDArray[np.float32]", dense: "NDArray[np.float32]", ok: "NDArray[np.bool_]") -> int:
    """The row to show for a root provision: from its best paragraph, official text before a digest.

    A paragraph's worth is its best passage, digest and question together, so that a digest that fits the question
    leads to the paragraph it summarises.
    """
    mine = rows.by_unit[rows.starts[unit] : rows.starts[unit + 1]]
    mine = mine[ok[mine] & (rows.type[mine] != SECTION)]
    top = max(float(lexical[mine].max()), 1e-6)
    value = dense[mine] + 0.6 * lexical[mine] / top
    heads, group = np.unique(rows.paragraph[mine], return_inverse=True)
    best = np.zeros((len(heads), len(ROW_TYPES)), dtype=np.float64)
    np.maximum.at(best, (group, rows.type[mine]), value)
    near = np.where(heads > 0, best.sum(axis=1), 0.0)[group]
    official = rows.type[mine] == PASSAGE
    if official.any():
        return int(mine[np.argmax(np.where(official, value + near, -np.inf))])
    best_row = int(mine[np.argmax(value + near)])
    same = mine[(rows.provision[mine] == rows.provision[best_row]) & (rows.type[mine] == DIGEST)]
    return int(same[0]) if len(same) else best_row


def whole(library: Library, hit: Hit, as_of: str) -> Passage:
    """The paragraph (or undivided provision) in which a hit stands, so that a list is read with its opening words."""
    p = hit.passage.pinpoint
    while p.parent is not None and len(p.steps) > 1:
        p = p.parent
    found = library.find(p, as_of, version=hit.passage.version, layer=hit.passage.layer)
    return replace(library.as_passage(found), trail=hit.passage.trail) if found else hit.passage
