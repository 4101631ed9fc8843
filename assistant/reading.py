"""A card made ready to be searched: its statements indexed by word stem, and what they say on a facet, with quotations.

Knows nothing of requirements, laws or statuses.
"""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from assistant.bearing import CLOSE, NEAR, Cue, Mark, Place, Verdict, Words, cue, judge, marks_of, words_of
from assistant.cardfields import field_of
from assistant.findings import Evidence, Facet, FacetResult, FacetStatus, ModelCard
from assistant.statements import Statement, statements

_QUOTES = 3  # quotations shown for a facet

# ---- a card made ready for reading -------------------------------------------------------------------------------------


TEXT_LIMIT = 1_500_000  # characters of different statements; what comes after is not read
_LISTED = 3_000  # statements looked at for one word
_JUDGED = 400  # statements judged for one facet


@dataclass(frozen=True, slots=True)
class Unit:
    """A statement with what introduces it, cut into words; `own` is where its own words begin."""

    statement: Statement
    words: Words
    own: int


@dataclass(slots=True)
class Reading:
    """A card's statements, indexed by word stem; what was looked up is kept for the next facet."""

    card: ModelCard
    units: tuple[Unit, ...]
    by_stem: dict[str, list[int]]
    by_word: dict[str, list[int]]
    vocabulary: list[str]  # the keys of by_word, in order
    by_title: dict[str, tuple[Words, list[int]]]  # the nearest headings, with the units below them
    title_stems: frozenset[str]
    whole: bool  # whether all of the card was read
    marks: dict[int, tuple[Mark, ...]] = field(default_factory=dict)
    known: dict[str, dict[int, tuple[Place, ...]]] = field(default_factory=dict)
    titled: dict[str, frozenset[int]] = field(default_factory=dict)


def read(card: ModelCard) -> Reading:
    """The card's visible statements, ready for any number of facets; one said twice in one place is read once."""
    units, whole = _units(card)
    by_stem: dict[str, list[int]] = defaultdict(list)
    by_word: dict[str, list[int]] = defaultdict(list)
    under: dict[str, list[int]] = defaultdict(list)
    for number, unit in enumerate(units):
        for stem in dict.fromkeys(unit.words.stems):
            by_stem[stem].append(number)
        for word in dict.fromkeys(unit.words.low):
            by_word[word].append(number)
        if heading := _near_headings(unit.statement.section):
            under[heading].append(number)
    by_title = {title: (words_of(title), numbers) for title, numbers in under.items()}
    title_stems = frozenset(stem for words, _ in by_title.values() for stem in words.stems)
    return Reading(card, units, dict(by_stem), dict(by_word), sorted(by_word), by_title, title_stems, whole)


def _units(card: ModelCard) -> tuple[tuple[Unit, ...], bool]:
    units: list[Unit] = []
    seen: set[tuple[str, str, str]] = set()
    size = 0
    for file in card.files:
        for statement in statements(file.name, file.text):
            key = (statement.words, statement.lead, statement.section)
            if key in seen:
                continue
            if size > TEXT_LIMIT:
                return tuple(units), False
            seen.add(key)
            size += len(statement.words)
            units.append(_unit(statement))
    return tuple(units), True


# Names that the CHAI schema gives to groups of fields whatever stands in them: they say nothing of what does.
_SHELVES = frozenset(("Basic Info", "Release Info", "Uses And Directions", "Warnings", "Trust Ingredients", "AI System Facts", "Transparency Information",
                      "Key Metrics", "Usefulness Usability Efficacy", "Safety Reliability", "Resources", "Results"))  # fmt: skip


def _near_headings(section: str) -> str:
    """The last two headings of a trail; the first heading of all is the card's title and lends nothing."""
    return " > ".join(title for title in section.split(" > ")[1:][-2:] if title not in _SHELVES)


def _unit(statement: Statement) -> Unit:
    lead = f"{statement.lead.rstrip(' :')}: " if statement.lead and not statement.words.startswith(statement.lead) else ""
    return Unit(statement, words_of(lead + statement.words), len(lead))


def _marks(reading: Reading, number: int) -> tuple[Mark, ...]:
    if number not in reading.marks:
        reading.marks[number] = marks_of(reading.units[number].words)
    return reading.marks[number]


# ---- looking up --------------------------------------------------------------------------------------------------------


def _hits(reading: Reading, facet: Facet) -> list[dict[int, list[Place]]]:
    """Where each group of a facet's cues stands, by unit. Patterns are tried only where the groups of words leave room for them."""
    plain = [not any(cue(a).pattern for a in group) for group in facet.cues]
    found = [_group(reading, group, None) if is_plain else {} for group, is_plain in zip(facet.cues, plain)]
    scope = _scope(reading, facet, [(group, hits) for group, hits, is_plain in zip(facet.cues, found, plain) if is_plain])
    return [hits if is_plain else _group(reading, group, scope) for group, hits, is_plain in zip(facet.cues, found, plain)]


def _scope(reading: Reading, facet: Facet, plain: Sequence[tuple[Sequence[str], dict[int, list[Place]]]]) -> list[int]:
    """The units in which all groups of words stand but for one that the heading or a neighbouring sentence may supply."""
    if not plain:
        return list(range(min(len(reading.units), _LISTED)))
    count = Counter(n for _, hits in plain for n in hits)
    wanted = {n for n, c in count.items() if c == len(plain)}
    for group, hits in plain:
        wanted |= {n for a in group for n in _titled(reading, a) if n not in hits and count[n] == len(plain) - 1}
    if len(facet.cues) > 2:
        most = {n for n, c in count.items() if c >= len(plain) - 1}
        wanted |= most | {n + 1 for n in most} | {n - 1 for n in most}
    return sorted(n for n in wanted if 0 <= n < len(reading.units))[:_LISTED]


def _group(reading: Reading, group: Sequence[str], scope: Sequence[int] | None) -> dict[int, list[Place]]:
    found: dict[int, list[Place]] = {}
    for alternative in group:
        for number, places in _places(reading, alternative, scope).items():
            found.setdefault(number, []).extend(places)
    return found


def _places(reading: Reading, alternative: str, scope: Sequence[int] | None) -> dict[int, tuple[Place, ...]]:
    """Where an alternative stands, by unit; a pattern is tried in the units of `scope`."""
    wanted = cue(alternative)
    if wanted.pattern and scope is not None:
        known = reading.known.setdefault(alternative, {})
        for n in scope:
            if n not in known:
                known[n] = wanted.places(reading.units[n].words)
        return {n: known[n] for n in scope if known[n]}
    if alternative not in reading.known:
        found = ((n, wanted.places(reading.units[n].words)) for n in _candidates(reading, wanted)[:_LISTED])
        reading.known[alternative] = {n: places for n, places in found if places}
    return reading.known[alternative]


def _candidates(reading: Reading, wanted: Cue) -> Sequence[int]:
    """The units in which words may stand."""
    if not wanted.words:
        return ()
    lists = [reading.by_stem.get(word, []) for word, prefix in wanted.words if not prefix]
    if lists:
        return min(lists, key=len)
    prefix = wanted.words[0][0]
    first = bisect_left(reading.vocabulary, prefix)
    last = bisect_left(reading.vocabulary, prefix + "\uffff", first)
    return sorted({n for word in reading.vocabulary[first:last] for n in reading.by_word[word]})


def _titled(reading: Reading, alternative: str) -> frozenset[int]:
    """The units under a heading in which an alternative stands."""
    if alternative not in reading.titled:
        wanted = cue(alternative)
        possible = wanted.pattern or all(prefix or word in reading.title_stems for word, prefix in wanted.words)
        under = [n for words, numbers in reading.by_title.values() if wanted.places(words) for n in numbers] if possible else []
        reading.titled[alternative] = frozenset(under)
    return reading.titled[alternative]


# ---- topics ------------------------------------------------------------------------------------------------------------

# Fields of one topic usually stand together; evidence from under a heading of another topic must say it more closely.
_TOPICS = {
    "data": ("training_data", "sites", "dates", "annotation", "reference_standard", "split", "sample_sizes"),
    "test": ("evaluation", "metrics", "subgroups", "external_validation"),
    "use": ("intended_purpose", "users", "population", "setting", "contraindications", "inputs", "outputs", "modality"),
    "limits": ("limitations", "failure_modes", "risk_management"),
    "people": ("oversight", "explainability"),
    "life": ("monitoring", "change_plan"),
    "build": ("architecture", "base_model", "hardware"),
    "safe": ("security", "privacy", "legal_basis"),
    "papers": ("regulatory_status", "licences", "contacts", "name", "version", "date", "developer"),
}
_TOPIC_OF = {name: topic for topic, names in _TOPICS.items() for name in names}
_NEIGHBOURS = frozenset(
    frozenset(pair)
    for pair in (
        ("data", "test"),
        ("test", "limits"),
        ("use", "limits"),
        ("use", "people"),
        ("limits", "people"),
        ("limits", "life"),
        ("use", "papers"),
        ("data", "safe"),
        ("build", "use"),
        ("build", "data"),
        ("life", "safe"),
        ("people", "life"),
        ("test", "people"),
    )
)


@lru_cache(maxsize=4096)
def _topic(section: str) -> str:
    """The topic of the nearest heading that names a field, or ""."""
    return next((topic for title in reversed(section.split(" > ")) if (topic := _TOPIC_OF.get(field_of(title), ""))), "")


def _astray(facet: Facet, section: str) -> bool:
    """Whether a statement stands under a heading of quite another topic than the facet's."""
    topic = _topic(section)
    wanted = {_TOPIC_OF[name] for name in facet.where if name in _TOPIC_OF}
    return bool(topic and wanted) and topic not in wanted and not any(frozenset((topic, w)) in _NEIGHBOURS for w in wanted)


# ---- facets ------------------------------------------------------------------------------------------------------------


def assess_facet(reading: Reading, facet: Facet, label: bool = False) -> FacetResult:
    """What the card says on one facet, with up to three quotations; `label`: bare words count ("CE marked")."""
    if not facet.cues:
        return FacetResult(facet, "missing")
    for_it, against = weigh(reading, facet, label)
    flat = [item for item in against if not _narrowed(item[1].quote)]
    status: FacetStatus = "contradicted" if flat or (against and not for_it) else "found" if for_it else "missing"
    shown = against if status == "contradicted" else for_it
    return FacetResult(facet, status, tuple(e for _, e in sorted(shown, key=lambda x: (-x[0], x[1].file, x[1].start))[:_QUOTES]))


Weighed = list[tuple[float, Evidence]]


def weigh(reading: Reading, facet: Facet, label: bool = False) -> tuple[Weighed, Weighed]:
    """What bears a facet and what denies it, each with its weight."""
    groups = _hits(reading, facet)
    for_it: Weighed = []
    against: Weighed = []
    seen = sorted({n for group in groups for n in group})
    judged = 0
    for number in seen:
        if sum(number in g for g in groups) < len(groups) - 1 or judged >= _JUDGED:
            continue
        said = _said(reading, facet, groups, number, label)
        judged += said is not None
        if said in ("bears", "against"):
            (for_it if said == "bears" else against).append((_weight(reading, facet, groups, number), _evidence(reading, number, number)))
    if not for_it and len(groups) > 2:
        for_it = _pairs(reading, facet, groups, seen)
    return for_it, against


def _said(reading: Reading, facet: Facet, groups: Sequence[dict[int, list[Place]]], number: int, label: bool) -> Verdict | None:
    """A statement's verdict on a facet, the heading above supplying one group of several; None where cues are missing."""
    unit = reading.units[number]
    own = [group.get(number, []) for group in groups]
    absent = [i for i, places in enumerate(own) if not places]
    lent = 0
    astray = _astray(facet, unit.statement.section)
    if absent:
        if astray or len(absent) > 1 or len(groups) == 1:
            return None
        if not any(number in _titled(reading, alternative) for alternative in facet.cues[absent[0]]):
            return None
        lent = 1
    if _wished(unit.statement.section) or (not label and unit.statement.kind == "field" and _bare(unit.statement)):
        return "silent"
    return judge(unit.words, _marks(reading, number), own, unit.own, lent, label, CLOSE if astray else NEAR)


def _bare(statement: Statement) -> bool:
    """Whether a field only names or numbers: a tag, a data set's id, a single word or whole number."""
    value = statement.words.rpartition(": ")[2]
    worded = len(value.split()) > 1 or re.search(r"\d\.\d", value) is not None
    return not worded or statement.lead.split(" ")[0] in _LABELS


_LABELS = ("tags", "datasets", "metrics", "language", "widget", "pipeline", "library")  # front matter that names and says nothing


@lru_cache(maxsize=4096)
def _wished(section: str) -> bool:
    """Whether a heading says that what follows is not there yet."""
    marks = marks_of(words_of(section))
    return any(mark.kind in ("promise", "placeholder", "command") for mark in marks)


def _pairs(reading: Reading, facet: Facet, groups: Sequence[dict[int, list[Place]]], seen: Sequence[int]) -> list[tuple[float, Evidence]]:
    """Two neighbouring sentences of one paragraph that bear the facet together, the second going on about the first."""
    found = []
    for number in seen:
        after = number + 1
        if after not in range(len(reading.units)):
            continue
        first, second = reading.units[number], reading.units[after]
        if (first.statement.file, first.statement.block) != (second.statement.file, second.statement.block) or first.statement.kind not in (
            "paragraph",
            "item",
        ):
            continue
        if not _goes_on(first.words, second) or not all(number in g or after in g for g in groups) or _wished(first.statement.section):
            continue
        if max(sum(number in g for g in groups), sum(after in g for g in groups)) < len(groups) - 1:
            continue
        if _astray(facet, first.statement.section):
            continue
        verdicts = [judge(u.words, _marks(reading, n), [p for g in groups if (p := g.get(n, []))], u.own) for n, u in ((number, first), (after, second))]
        if verdicts == ["bears", "bears"]:
            found.append((_weight(reading, facet, groups, number) - 1.0, _evidence(reading, number, after)))
    return found


# How a sentence goes on about the one before it; any other begins a matter of its own.
_GOES_ON = re.compile(r"\W*(?:it|its|they|their|them|this|that|these|those|such|both|each|all|the (?:same|latter|former|two|three|other)|there|here|one|he|she|who|"
                      r"(?:in|on|at|of|for|with|by|from|after|before) (?:it|them|this|these|those|each|both|all)|then|thus|therefore|hence|results?|values?|in total|of which|"
                      r"where|otherwise|if (?:so|not|it|they|this))\b", re.I)  # fmt: skip


def _goes_on(first: Words, second: Unit) -> bool:
    """Whether a sentence refers back: by a pronoun, or by "the" and a noun of the sentence before."""
    named = [stem for stem, (start, _) in zip(second.words.stems, second.words.places) if start >= second.own][:3]
    return _GOES_ON.match(second.statement.words) is not None or (named[:1] == ["the"] and any(stem in first.stems for stem in named[1:]))


_NARROW = ("in ", "for ", "among ", "outside ", "beyond ", "with ", "on ", "at ", "under ", "below ", "other than ", "per ")


def _narrowed(quote: str) -> bool:
    """Whether a denial is limited to some part ("not validated in children"), so that it need not undo what is said elsewhere."""
    low = quote.lower()
    return any(f" {word}" in low for word in _NARROW)


def _weight(reading: Reading, facet: Facet, groups: Sequence[dict[int, list[Place]]], number: int) -> float:
    unit = reading.units[number]
    hits = sum(len(set(g.get(number, []))) for g in groups)
    usual = any(w.replace("_", " ") in unit.statement.section.lower() for w in facet.where)
    figures = any(c.isdigit() for c in unit.statement.words)
    return sum(number in g for g in groups) * 2 + min(hits, 6) * 0.5 + usual + figures * 0.5


def _evidence(reading: Reading, first: int, last: int) -> Evidence:
    a, b = reading.units[first].statement, reading.units[last].statement
    text = next(f.text for f in reading.card.files if f.name == a.file)
    return Evidence(text[a.start : b.end], a.file, a.start, b.end, a.section)
