"""A submission draft from a card, a pack and a gap analysis, made of three kinds of sentence and no other.

`card`: words of the card, exactly, with their place. `law`: what is asked, in the pack's words or in a model's that
passed the check, with a citation that `verify` granted. `input`: "[INPUT NEEDED: question]" with its owner and the requirements it serves. Pure; the law's
citations come through a function that is passed in. Knows nothing of formats, indexes or models.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from assistant.bearing import marks_of, words_of
from assistant.findings import CardField, CardFile, Evidence, FacetResult, Finding, GapAnalysis, ModelCard
from assistant.law import Citation, Claim
from assistant.packs import Element, Pack, PackSection
from assistant.pinpoint import Pinpoint
from assistant.statements import sentences

CiteLaw = Callable[[Pinpoint], tuple[Citation, ...]]
Kind = Literal["card", "law", "input"]
LONGEST = 1500  # characters of one quotation
CAUTIONS = {
    "promise": "promised, not shown", "hedge": "said with a hedge", "pointer": "points elsewhere", "placeholder": "placeholder", "form": "a form's words",
    "others": "results of others", "question": "a question", "claim": "a bare claim",
}  # fmt: skip
PARTLY = "holds a bare claim"
AGREEING = ("name", "version", "date", "intended_purpose", "population", "metrics", "dates")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One statement of a draft.

    `text` is the card's words (card), the pack's words (law), or the question in its mark (input). `label` says what a
    quotation is about; `field` is the card field it comes from, or "" when it is evidence for a requirement; `caution`
    says why a quotation shows nothing although it stands in the card, or that it holds a bare claim.
    """

    kind: Kind
    text: str
    label: str = ""
    field: str = ""
    evidence: Evidence | None = None
    citation: Citation | None = None
    requirements: tuple[str, ...] = ()
    owner: str = ""
    caution: str = ""
    phrased_by: str = ""  # "model" where a model's words for what the law asks passed the check against its citation


@dataclass(frozen=True, slots=True)
class DraftElement:
    """An element of the pack with its sentences."""

    element: Element
    sentences: tuple[Sentence, ...]

    @property
    def state(self) -> Literal["stated", "partly-stated", "asked"]:
        """Whether the card feeds the element, feeds it and leaves questions, or leaves only questions."""
        quoted = any(s.kind == "card" and s.caution not in CAUTIONS.values() for s in self.sentences)
        return "asked" if not quoted else "partly-stated" if any(s.kind == "input" for s in self.sentences) else "stated"


@dataclass(frozen=True, slots=True)
class DraftSection:
    """A heading of the pack with its elements."""

    section: PackSection
    elements: tuple[DraftElement, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A document in the pack's order. `level` is the documentation level it was made for, or ""."""

    pack: Pack
    card: ModelCard
    as_of: str
    corpus_digest: str
    level: str
    sections: tuple[DraftSection, ...]

    def sentences(self) -> Iterator[Sentence]:
        """Every sentence, in document order."""
        for section in self.sections:
            for element in section.elements:
                yield from element.sentences


def draft(card: ModelCard, pack: Pack, analysis: GapAnalysis, cite_law: CiteLaw, level: str = "", step: Callable[[str], None] = lambda _: None) -> Draft:
    """The pack filled from the card; what the card does not say is asked for.

    `level` ("basic", "enhanced") leaves out elements of the other level. The same input gives the same draft.
    `step` is told before each section, and may end it all by raising.
    """
    kept = [e for e in pack.elements() if not level or not e.levels or level in e.levels]
    facets = _homes(kept, analysis)
    sections = []
    for n, section in enumerate(pack.sections, 1):
        step(f"section {n} of {len(pack.sections)}: {section.title}")
        mine = tuple(DraftElement(e, _sentences(e, card, facets[e.id], cite_law)) for e in section.elements if e in kept)
        if mine:
            sections.append(DraftSection(section, mine))
    return Draft(pack, card, analysis.as_of, analysis.corpus_digest, level, tuple(sections))


def in_words(made: Draft, words: Callable[[Sequence[Claim]], Sequence[Claim]], at_once: int = 6) -> Draft:
    """The draft with what the law asks in a model's words, where `words` kept them after its check; elsewhere the pack's words stay.

    `words` gets claims whose citations were granted, at most `at_once`, and gives as many back; only the words of those
    that it marks as the model's are taken. The card's words and the questions never change.
    """
    asked = list(dict.fromkeys((s.text, s.citation) for s in made.sentences() if s.kind == "law" and s.citation))
    given: dict[tuple[str, Citation | None], str] = {}
    for start in range(0, len(asked), at_once):
        some = asked[start : start + at_once]
        for key, claim in zip(some, words([Claim(text, (cited,)) for text, cited in some]), strict=True):
            if claim.phrased_by == "model":
                given[key] = claim.text

    def said(s: Sentence) -> Sentence:
        text = given.get((s.text, s.citation)) if s.kind == "law" else None
        return replace(s, text=text, phrased_by="model") if text else s

    sections = tuple(replace(sec, elements=tuple(replace(x, sentences=tuple(map(said, x.sentences))) for x in sec.elements)) for sec in made.sections)
    return replace(made, sections=sections)


# ---- one element -------------------------------------------------------------------------------------------------


def _homes(elements: Sequence[Element], analysis: GapAnalysis) -> dict[str, list[tuple[Finding, FacetResult]]]:
    """Each facet of a named requirement under the one element it fits best: most card fields in common, else the first."""
    by_id = {f.requirement.id: f for f in analysis.findings}
    homes: dict[str, list[tuple[Finding, FacetResult]]] = {e.id: [] for e in elements}
    for name in dict.fromkeys(r for e in elements for r in e.requirements):
        if name not in by_id or by_id[name].status == "not-applicable":
            continue
        naming = [e for e in elements if name in e.requirements]
        for result in by_id[name].facets:
            best = max(naming, key=lambda e: (len(set(e.fields) & set(result.facet.where)), -naming.index(e)))
            homes[best.id].append((by_id[name], result))
    return homes


def _sentences(e: Element, card: ModelCard, facets: Sequence[tuple[Finding, FacetResult]], cite_law: CiteLaw) -> tuple[Sentence, ...]:
    quotations = _without_repeats([*_from_fields(e, card), *_from_evidence(facets)])
    questions = [_question(f"{_noun(name)} is not stated in the card", e, e.requirements) for name in e.needs if not card.stated(name)]
    questions += [_question(result.facet.asks, e, (finding.requirement.id,)) for finding, result in facets if result.status != "found"]
    if all(q.caution in CAUTIONS.values() for q in quotations):
        questions.insert(0, _question(e.ask, e, e.requirements))
    law = _law(e, cite_law)
    return (*law, *quotations, *_once(questions))


def _law(e: Element, cite_law: CiteLaw) -> tuple[Sentence, ...]:
    """What is asked, where its words can be cited: at the element's own address, else at the one above it."""
    at: Pinpoint | None = e.pinpoint
    while at is not None:
        granted = cite_law(at)
        if granted:
            return (Sentence("law", e.must, citation=granted[0], requirements=e.requirements),)
        at = at.parent
    return ()


def _from_fields(e: Element, card: ModelCard) -> Iterator[Sentence]:
    texts = {f.name: f for f in card.files}
    for name in dict.fromkeys((*e.needs, *e.fields)):
        for field in card.stated(name):
            end = _cut(texts[field.file].text, field.start, field.end)
            quote = texts[field.file].text[field.start : end]
            if quote.strip():
                place = Evidence(quote, field.file, field.start, end, section_of(card, field))
                yield Sentence("card", quote, _noun(name), name, place, requirements=e.requirements, caution=caution_of(quote))


def _from_evidence(facets: Sequence[tuple[Finding, FacetResult]]) -> Iterator[Sentence]:
    for finding, result in facets:
        if result.status == "found":
            for evidence in result.evidence[:2]:
                yield Sentence("card", evidence.quote, result.facet.asks.strip().rstrip("."), "", evidence, requirements=(finding.requirement.id,))


def _without_repeats(found: Sequence[Sentence]) -> list[Sentence]:
    """The quotations without those that lie inside another or say no more than another of the same label; the first of equals stays."""
    kept: list[Sentence] = []
    for i, one in enumerate(found):
        inside = any((_holds(other, one) and (j < i or not _holds(one, other))) or _says_less(one, other, j < i) for j, other in enumerate(found) if j != i)
        if not inside:
            kept.append(one)
    return kept


def _holds(outer: Sentence, inner: Sentence) -> bool:
    a, b = outer.evidence, inner.evidence
    return a is not None and b is not None and a.file == b.file and a.start <= b.start and b.end <= a.end


def _says_less(one: Sentence, other: Sentence, later: bool) -> bool:
    a, b = _plain(one.text).strip("."), _plain(other.text).strip(".")
    return one.label == other.label and a in b and (later or a != b)


def _question(asks: str, e: Element, requirements: tuple[str, ...]) -> Sentence:
    return Sentence("input", f"[INPUT NEEDED: {asks.strip()}]", requirements=requirements, owner=e.owner)


def _once(questions: Sequence[Sentence]) -> list[Sentence]:
    """Each question once, for all requirements that raise it."""
    merged: dict[str, Sentence] = {}
    for q in questions:
        before = merged.get(q.text)
        ids = tuple(dict.fromkeys((*(before.requirements if before else ()), *q.requirements)))
        merged[q.text] = Sentence("input", q.text, requirements=ids, owner=q.owner)
    return list(merged.values())


def caution_of(quote: str) -> str:
    """Why a quotation shows nothing: every sentence of it promises, hedges, points elsewhere or the like.

    "" when some sentence stands; then it says only whether a bare claim ("fully compliant") stands among them.
    """
    kinds = [{m.kind for m in marks_of(words_of(quote[a:b]))} & set(CAUTIONS) for a, b in sentences(quote, 0, len(quote))]
    if kinds and all(kinds):
        return CAUTIONS[min(kinds[0], key=list(CAUTIONS).index)]
    return PARTLY if any("claim" in k for k in kinds) else ""


def _noun(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _cut(text: str, start: int, end: int) -> int:
    """Where a quotation ends that is not too long: at a line's or sentence's end."""
    if end - start <= LONGEST:
        return end
    at = max(text.rfind(mark, start, start + LONGEST) for mark in ("\n", ". "))
    return at + 1 if at > start + LONGEST // 3 else start + LONGEST


def section_of(card: ModelCard, field: CardField) -> str:
    """The heading under which a field stands: the innermost."""
    around = [s for s in card.sections if s.file == field.file and s.start <= field.start and field.end <= s.end]
    return min(around, key=lambda s: s.end - s.start).title if around else ""


# ---- agreement over a project's drafts ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two places that say different things on one matter."""

    field: str
    one: str
    says: str
    other: str
    says_there: str


def disagreements(drafts: Sequence[Mapping[str, Any]], card: ModelCard) -> list[Disagreement]:
    """Where drafts (in their JSON form, with reviews where there are any) and the card do not agree, both places named.

    The card's own name and version are compared with each other; every quotation of a draft, and a person's words in its
    place, with the card as it is now; and each matter on which drafts must agree among them.
    """
    found = list(_within(card))
    for one in drafts:
        for element, sentence in _card_sentences(one):
            found.extend(_against(card, one["pack"]["id"], element, sentence))
    for i, one in enumerate(drafts):
        for other in drafts[i + 1 :]:
            found.extend(_between(one, other))
    return list(dict.fromkeys(found))


def card_of(made: Mapping[str, Any], files: Sequence[Mapping[str, str]]) -> ModelCard:
    """What a draft says its card stated on the matters that must agree, with the card's kept texts."""
    fields = tuple(CardField(f["field"], f["value"], f["file"], f["start"], f["end"], "stated") for f in made["stated"])
    return ModelCard(made["card"]["name"], made["card"]["sha256"], tuple(CardFile(f["file"], f["text"]) for f in files), (), fields)


def _card_sentences(made: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The sentences on the card that count: those that nobody rejected."""
    for section in made["sections"]:
        for element in section["elements"]:
            for sentence in element["sentences"]:
                if sentence["kind"] == "card" and (sentence.get("review") or {}).get("decision") != "reject":
                    yield element, sentence


def _words(sentence: Mapping[str, Any]) -> str:
    """The words that count: the person's where a person edited them."""
    return str((sentence.get("review") or {}).get("edited") or sentence["text"])


def _within(card: ModelCard) -> Iterator[Disagreement]:
    for name in ("name", "version"):
        stated = card.stated(name)
        for other in stated[1:]:
            if not _agree(stated[0].value, other.value, name):
                yield Disagreement(name, _place(stated[0]), stated[0].value, _place(other), other.value)


def _against(card: ModelCard, pack: str, element: Mapping[str, Any], sentence: Mapping[str, Any]) -> Iterator[Disagreement]:
    here = f"draft {pack}, {element['title']}"
    name, words = sentence.get("field") or "", _plain(_words(sentence))
    values = card.stated(name)
    if words != _plain(sentence["text"]):  # a person's words: free, but for the figures in them
        known = {n for f in card.files for n in _FIGURE.findall(f.text)}
        for figure in dict.fromkeys(n for n in _FIGURE.findall(words) if n not in known):
            there = (_place(values[0]), values[0].value) if values else (f"card {card.name}", f"{figure} is nowhere in the card as it is now")
            yield Disagreement(name or "evidence", here, _words(sentence), *there)
    elif name in AGREEING and values and not any(_agree(sentence["text"], v.value, name) for v in values):
        yield Disagreement(name, here, sentence["text"], _place(values[0]), values[0].value)
    elif not any(words in _plain(f.text) for f in card.files):
        yield Disagreement(name or "evidence", here, sentence["text"], f"card {card.name}", "these words are not in the card as it is now")


def _between(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Disagreement]:
    """What one draft says on a matter where the other says something else and nowhere the same."""
    theirs = list(_card_sentences(other))
    for element, sentence in _card_sentences(one):
        name = sentence.get("field") or ""
        against = [(e, x) for e, x in theirs if x.get("field") == name] if name in AGREEING else []
        if against and not any(_agree(_words(sentence), _words(x), name) for _, x in theirs):
            e, x = against[0]
            yield Disagreement(
                name, f"draft {one['pack']['id']}, {element['title']}", _words(sentence), f"draft {other['pack']['id']}, {e['title']}", _words(x)
            )


def _agree(a: str, b: str, name: str) -> bool:
    """Whether the shorter stands whole in the longer: a name or version as words of its own, anything else as whole sentences or cells."""
    short, long = sorted((_plain(a), _plain(b)), key=len)
    ends = r"(?![\w]|\.\w)" if name in ("name", "version", "date") else r"(?:$|(?<=[.!?:;|])| ?[(|;])"
    return re.search(rf"(?<!\w)(?<!\w\.){re.escape(short)}{ends}" if short[:1].isalnum() else re.escape(short), long) is not None


_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().casefold()


def _place(field: CardField) -> str:
    return f"{field.file}, characters {field.start} to {field.end}"


# ---- JSON --------------------------------------------------------------------------------------------------------


def to_json(made: Draft, citation_json: Callable[[Citation], dict[str, Any]]) -> dict[str, Any]:
    """The draft as plain values: what every renderer starts from. Citations are numbered notes, each once."""
    notes: list[dict[str, Any]] = []
    numbers: dict[tuple[str, str], int] = {}

    def note(c: Citation) -> int:
        key = (c.pinpoint.address, c.quote)
        if key not in numbers:
            numbers[key] = len(notes) + 1
            notes.append({"n": numbers[key], **citation_json(c)})
        return numbers[key]

    lines = {f.name: f.text for f in made.card.files}
    sections = [
        {
            "id": s.section.id, "title": s.section.title, "pinpoint": s.section.pinpoint.address, "citation": str(s.section.pinpoint), "about": s.section.about,
            "elements": [_element_json(x, note, lines) for x in s.elements],
        }
        for s in made.sections
    ]  # fmt: skip
    states = [x.state for s in made.sections for x in s.elements]
    kinds = [x.kind for x in made.sentences()]
    return {
        "schema": "pincite/draft@1", "as_of": made.as_of, "corpus_digest": made.corpus_digest, "level": made.level,
        "pack": {"id": made.pack.id, "title": made.pack.title, "framework": made.pack.framework, "about": made.pack.about, "note": made.pack.note},
        "card": {"name": made.card.name, "sha256": made.card.sha256},
        "stated": [{"field": f.field, "value": f.value, "file": f.file, "start": f.start, "end": f.end} for n in AGREEING for f in made.card.stated(n)],
        "official": f"{sum(n['layer'] == 'official' for n in notes)} of {len(notes)}",
        "counts": {s: states.count(s) for s in ("stated", "partly-stated", "asked")} | {f"{k} sentences": kinds.count(k) for k in ("card", "law", "input")},
        "sections": sections, "notes": notes,
    }  # fmt: skip


def _element_json(x: DraftElement, note: Callable[[Citation], int], texts: Mapping[str, str]) -> dict[str, Any]:
    e = x.element
    return {
        "id": e.id, "title": e.title, "pinpoint": e.pinpoint.address, "citation": str(e.pinpoint), "owner": e.owner, "levels": list(e.levels), "state": x.state,
        "sentences": [_sentence_json(s, note, texts) for s in x.sentences],
    }  # fmt: skip


def _sentence_json(s: Sentence, note: Callable[[Citation], int], texts: Mapping[str, str]) -> dict[str, Any]:
    out: dict[str, Any] = {"kind": s.kind, "text": s.text, "requirements": list(s.requirements)}
    if s.kind == "card" and s.evidence:
        e = s.evidence
        line = texts[e.file].count("\n", 0, e.start) + 1
        place = {"file": e.file, "start": e.start, "end": e.end, "line": line, "section": e.section}
        return {**out, "label": s.label, "field": s.field, "caution": s.caution, **place}
    if s.kind == "law" and s.citation:
        return {**out, "note": note(s.citation), "pinpoint": s.citation.pinpoint.address} | ({"phrased_by": s.phrased_by} if s.phrased_by else {})
    return {**out, "owner": s.owner}
