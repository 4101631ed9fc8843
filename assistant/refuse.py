"""When not to answer: questions about law that is not held, and questions that the held texts support too weakly.

Laws, authorities and countries that are not held are data (`corpus/elsewhere.toml`); how much support is enough is a
learned sum of a few features with its level in `corpus/answering.toml`. Knows nothing of claims or of models.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant import corpus
from assistant.law import FRAMEWORKS, Hit
from assistant.library import ROW_TYPES, Library, tokens
from assistant.pinpoint import find_references
from assistant.retrieve import Filter, expand, named_frameworks, words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURES = ("dense_text", "dense_question", "dense_three", "covered", "unknown", "lexical", "named", "words", "foreign")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A law, authority or country that a question names and that is not held."""

    words: str
    kind: str  # law, authority, country


@dataclass(frozen=True, slots=True)
class Terms:
    """The names of `corpus/elsewhere.toml`, as patterns."""

    laws: re.Pattern[str]
    authorities: re.Pattern[str]
    countries: re.Pattern[str]
    held: re.Pattern[str]
    places: re.Pattern[str]
    fields: re.Pattern[str]


def _pattern(names: Sequence[str]) -> re.Pattern[str]:
    """Whole words; names of up to three letters only as written, longer ones in any case; the longest name wins."""
    parts = [(f"(?-i:{re.escape(n)})" if len(n) <= 3 else re.escape(n)) for n in sorted(names, key=len, reverse=True)]
    return re.compile(rf"(?<![\w-])(?:{'|'.join(parts)})(?![\w])", re.I)


@lru_cache(maxsize=1)
def terms() -> Terms:
    """What is not held and what is, by name."""
    data = tomllib.loads((corpus.root() / "elsewhere.toml").read_text("utf8"))
    return Terms(
        _pattern(data["laws"]),
        _pattern(data["authorities"]),
        _pattern(data["countries"]),
        _pattern(data["held"]),
        _pattern(data["places"]),
        _pattern(data["fields"]),
    )


# Full names of held law, which contain words that also begin the names of other laws.
_OURS = re.compile(
    r"digital personal data protection (?:act|rules)(?:,? 20\d\d)?|general data protection regulation|\b(?:eu |european )?(?:ai|artificial intelligence) act\b|"
    r"food,? drug,? (?:and|&) cosmetic act|(?:eu )?medical devices? regulation|section 50[0-9]\b|21 cfr part \d+|45 cfr part 16[024]",
    re.I,
)
_TRANSFER = re.compile(
    r"\b(?:send|sent|sending|transfer\w*|export\w*|transmit\w*|move[ds]?|moving|store[ds]?|storing|host\w*|disclos\w*|shar(?:e|ed|ing)|access\w* from"
    r"|back-?up|flow\w*|adequacy)\b", re.I
)  # fmt: skip
_RESIDENT = re.compile(
    r"\b(?:compan\w+|vendors?|providers?|manufacturers?|suppliers?|processors?|start-?ups?|firms?|subsidiar\w+|servers?|cloud|based|established"
    r"|located|headquartered|seated|team|lab\w*|hospitals?|partner)\W+(?:\w+\W+){0,3}$",
    re.I,
)  # fmt: skip
_NAMED_LAW = re.compile(
    r"\b(?:[A-Z][\w'’&-]*\s+(?:(?:and|of|on|for|in|the|to)\s+)*){1,7}(?:Act|Law|Directive|Convention|Decree|Ordinance|Treaty|Statute|Bill)\b(?:\s+\d{4})?"
)


def elsewhere(question: str, library: Library, wanted: Filter) -> Elsewhere | None:
    """The law, authority or country not held that a question is about; None when it is about held law.

    A question that names held law as well, or speaks of data or suppliers going to or coming from a country, is about
    held law. A question asked of an added instrument alone is never refused for a name.
    """
    added = any(name not in FRAMEWORKS for name in wanted.frameworks) or any(name not in (*FRAMEWORKS, "dpdp-rules") for name in wanted.instruments)
    if added:
        return None
    known = terms()
    plain = question.replace("(EU)", " ")
    ours, theirs = _spans(plain, known)
    rest = _without(plain, theirs)
    if ours or known.held.search(rest) or any(True for _ in find_references(rest, None)):
        return None
    for start, end, kind in theirs:
        if not _in_added(library, plain[start:end]):
            return Elsewhere(plain[start:end], kind)
    unknown = _unheld_law(plain, library)
    if unknown:
        return unknown
    found = known.countries.search(plain)
    held_here = bool(wanted.frameworks or wanted.instruments or known.places.search(rest))
    if found and not held_here and not _passing(plain, found) and not _in_added(library, found[0]):
        return Elsewhere(found[0], "country")
    return None


def _spans(question: str, known: Terms) -> tuple[list[tuple[int, int, str]], list[tuple[int, int, str]]]:
    """The full names of held law and the names of other law and authorities, where a name inside a longer one does not count."""
    found = [(m.start(), m.end(), kind) for kind, p in (("ours", _OURS), ("law", known.laws), ("authority", known.authorities)) for m in p.finditer(question)]
    outer = [a for a in found if not any(b[0] <= a[0] and a[1] <= b[1] and b[:2] != a[:2] for b in found)]
    return [a for a in outer if a[2] == "ours"], [a for a in outer if a[2] != "ours"]


def _without(question: str, spans: Sequence[tuple[int, int, str]]) -> str:
    for start, end, _ in sorted(spans, reverse=True):
        question = f"{question[:start]} {question[end:]}"
    return question


def _passing(question: str, found: re.Match[str]) -> bool:
    """Whether a country is named only as the place that data go to or a party sits in."""
    before = question[: found.start()]
    return bool(_TRANSFER.search(question)) or bool(_RESIDENT.search(before[-60:]))


def _unheld_law(question: str, library: Library) -> Elsewhere | None:
    """A law named in capitals ("Shipping Act 1912") that no held text mentions."""
    for found in _NAMED_LAW.finditer(question):
        words = re.sub(r"^(?:(?:What|Which|Does|Do|Is|Are|Under|How|When|Can|Must|The|In|Of|A|An|May|Should|Who|If|For|By)\s+)+(?:the\s+)?", "", found[0])
        if len(words.split()) < 2 or not words[0].isupper():
            continue
        if not any(words in library.cached_text(e.id) for e in library.holding(words)):
            return Elsewhere(words, "law")
    return None


def _in_added(library: Library, words: str) -> bool:
    """Whether an instrument that a user added speaks of these words, in its name or its text."""
    low = words.lower()
    added = [e for e in library.editions.values() if e.instrument not in (*FRAMEWORKS, "dpdp-rules")]
    if any(low in f"{e.instrument} {e.title} {e.file}".lower() for e in added):
        return True
    return bool(added) and any(low in library.cached_text(e.id).lower() for e in library.holding(words) if e in added)


# ---- support -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Level:
    """Weights of the support features, in the order of FEATURES, and the sum from which an answer is given."""

    weights: tuple[float, ...]
    bias: float
    level: float


@lru_cache(maxsize=1)
def level() -> Level:
    """The learned level, from `corpus/answering.toml`."""
    data: dict[str, Any] = tomllib.loads((corpus.root() / "answering.toml").read_text("utf8"))["support"]
    return Level(tuple(float(data["weights"][name]) for name in FEATURES), float(data["bias"]), float(data["level"]))


def features(library: Library, question: str, vector: "NDArray[np.float32]", wanted: Filter, hits: Sequence[Hit]) -> tuple[float, ...]:
    """How well the library speaks to a question, as numbers in the order of FEATURES."""
    question = without_names(question)
    found = library.scores(words_of(question), vector, wanted)
    rows, dense, lexical = found.rows, found.dense, found.lexical
    text = dense[(rows.type == ROW_TYPES.index("passage")) | (rows.type == ROW_TYPES.index("digest"))]
    asked = dense[rows.type == ROW_TYPES.index("question")]
    top = np.sort(text)[-3:] if len(text) else np.zeros(1)
    words = [t for t in dict.fromkeys(tokens(question)) if not t.isdigit()]
    known = library.counts(words)
    weight = {w: rarity(library, w) for w in words}
    total = sum(weight.values()) or 1.0
    seen: set[str] = set()
    for hit in hits[:3]:
        seen.update(tokens(" ".join((*hit.passage.trail, hit.passage.heading, hit.passage.text))))
    spelt = set(tokens(expand(question))) - set(words)
    covered = sum(v for w, v in weight.items() if w in seen) + (1.0 if spelt & seen else 0.0)
    spelt_out = {t for m in re.findall(r"[\w()-]+", question) if tokens(expand(m)) != tokens(m) for t in tokens(m)}
    unknown = sum(v for w, v in weight.items() if w not in known and w not in spelt_out)
    return (
        float(text.max()) if len(text) else 0.0, float(asked.max()) if len(asked) else 0.0, float(top.mean()), min(covered / total, 1.0), unknown / total,
        float(lexical.max()) / total if len(lexical) else 0.0, 1.0 if named_frameworks(question) else 0.0, min(len(words), 20) / 20,
        float(foreign(library, question)),
    )  # fmt: skip


def without_names(question: str) -> str:
    """A question without the countries, and the laws and authorities not held, that it names in passing: they are nothing its answer must speak of."""
    known = terms()
    spans = [(m.start(), m.end(), "") for p in (known.countries, known.laws, known.authorities) for m in p.finditer(question)]
    held = [m.span() for m in known.held.finditer(question)]
    return _without(question, [s for s in spans if not any(a < s[1] and s[0] < b for a, b in held)])


def foreign(library: Library, question: str) -> int:
    """How many words of other fields a question uses, up to three; words that an added instrument uses do not count."""
    words = {m[0].lower() for m in terms().fields.finditer(question)}
    return min(3, sum(not _in_added(library, w) for w in words))


def rarity(library: Library, word: str) -> float:
    """How much a word tells: high for words in few rows; an unknown word tells as much as the rarest."""
    count = library.counts((word,)).get(word)
    return 8.0 if count is None else float(np.clip(8.0 - np.log1p(count), 0.5, 8.0))


def support(values: Sequence[float]) -> float:
    """The learned sum of the features; an answer is given from `level().level` on."""
    learned = level()
    return learned.bias + sum(w * v for w, v in zip(learned.weights, values, strict=True))
