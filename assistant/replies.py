"""What a card shows on a question of a customer's checklist: quotations that an assessment found, or none.

A quotation is taken only where it, with what it was found for, covers what the question speaks of; the words are the
card's own, and no yes or no is made of them. Pure; knows nothing of files, indexes or models.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from assistant import corpus
from assistant.draft import CAUTIONS, caution_of, section_of
from assistant.findings import Evidence, GapAnalysis, Requirement
from assistant.statements import sentences
from assistant.vocabulary import Words, alike

COVERED, OWN = 0.7, 0.4  # shares of the question's weight: by a quotation with its heading and facet; by the quotation alone
MOST = 2  # quotations in one reply
_ON_LAW = re.compile(r"\b(?:must|shall|laws?|legal(?:ly)?|regulations?|obligations?|art(?:icle|\.)|gdpr|hipaa|dpdp|cfr|mdr|(?:ai|fd&c|dpdp) act|fda)\b", re.I)
_ASKING = frozenset(Words.of("describe please provide explain company organisation vendor product system software solution device model tool use used using detail list state specify "
                             "yes if so long available currently required happens often across performed established supported evaluated ensure ensured exist exists way support your name give information any new place").stems)  # fmt: skip


def on_law(question: str) -> bool:
    """Whether a question asks what a law says, rather than what someone has or does."""
    return bool(_ON_LAW.search(question)) and not re.search(r"\b(?:you|your|yours)\b", question, re.I)


@dataclass(frozen=True, slots=True)
class Shown:
    """A quotation that speaks to a question, with the requirement for which it was found, or None when it is a card's field."""

    evidence: Evidence
    requirement: Requirement | None
    share: float


def replies(questions: Sequence[str], analysis: GapAnalysis) -> Mapping[str, tuple[Shown, ...]]:
    """For each question the quotations that speak to it, the best first; none where nothing in the card does."""
    held = [(*row, _stems(row[0].quote), _stems(row[1])) for row in _held(analysis)]
    return {q: _best(q, held) for q in dict.fromkeys(questions)}


def _held(analysis: GapAnalysis) -> Iterator[tuple[Evidence, str, Requirement | None]]:
    """Every quotation that shows something, with the words around it: its heading and what it was found for."""
    for f in analysis.findings:
        for x in f.facets:
            for e in x.evidence if x.status == "found" else ():
                yield e, f"{e.section} {x.facet.asks} {f.requirement.title}", f.requirement
    for field in analysis.card.fields:
        if field.state == "stated":
            text = next(f.text for f in analysis.card.files if f.name == field.file)
            section = section_of(analysis.card, field)
            for start, end in sentences(text, field.start, field.end):
                quote = text[start:end]
                if caution_of(quote) not in CAUTIONS.values():
                    yield Evidence(quote, field.file, start, end, section), f"{section.rpartition('>')[2]} {field.field.replace('_', ' ')}", None


def _best(question: str, held: Sequence[tuple[Evidence, str, Requirement | None, frozenset[str], frozenset[str]]]) -> tuple[Shown, ...]:
    wanted = [s for s in Words.of(question).content() if s not in _ASKING]
    total = sum(_rarity(s) for s in wanted)
    if not wanted:
        return ()
    rarest = max(wanted, key=_rarity)
    found: dict[tuple[str, int], tuple[float, Shown]] = {}
    for evidence, _, requirement, own, around in held:
        mine = sum(_rarity(s) for s in wanted if _in(s, own)) / total
        all_ = sum(_rarity(s) for s in wanted if _in(s, own) or _in(s, around)) / total
        said = all_ >= COVERED and mine >= OWN and any(h[:5] == rarest[:5] for h in own) and (len(wanted) > 1 or _in(rarest, around))
        named = requirement is None and all(_in(s, around) for s in wanted)  # the question is the field's own heading
        if said or named:
            key, value = (evidence.file, evidence.start), all_ + mine + (0.1 if requirement else 0)
            if key not in found or found[key][0] < value:
                found[key] = (value, Shown(evidence, requirement, round(all_, 3)))
    ranked = [shown for _, shown in sorted(found.values(), key=lambda v: (-v[0], v[1].evidence.file, v[1].evidence.start))]
    apart = [s for i, s in enumerate(ranked) if not any(_overlap(s.evidence, o.evidence) for o in ranked[:i])]
    return tuple(apart[:MOST])


def _overlap(a: Evidence, b: Evidence) -> bool:
    return a.file == b.file and a.start < b.end and b.start < a.end


def _stems(text: str) -> frozenset[str]:
    return frozenset(Words.of(text).stems)


def _in(stem: str, have: frozenset[str]) -> bool:
    return stem in have or any(alike(stem, h) for h in have)


@lru_cache(maxsize=1)
def _frequency() -> tuple[Counter[str], int]:
    texts = [_stems(f"{x.asks} {x.satisfies}") for r in corpus.requirements() for x in r.facets]
    return Counter(s for t in texts for s in t), len(texts)


@lru_cache(maxsize=10_000)
def _rarity(stem: str) -> float:
    """How much a word tells: rare among the catalogue's facets, more."""
    counts, n = _frequency()
    return math.log((n + 1) / (counts[stem] + 0.5))
