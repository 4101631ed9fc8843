"""Requirements held against a card: which facets the card bears, with exact quotations, and the status that follows by rule.

Pure functions of nouns. The law's citations come through a function that is passed in; knows nothing of indexes, models,
files or screens.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from assistant.bearing import bears, verdict
from assistant.claims import Computed, Conflict, conflicts, may_bear, refuted
from assistant.findings import FRAGMENT, Evidence, Facet, FacetResult, Fact, Finding, FindingStatus, GapAnalysis, ModelCard, Requirement
from assistant.imaging import FACETS as IMAGING
from assistant.imaging import admissions, lowered
from assistant.law import Citation
from assistant.pinpoint import Pinpoint
from assistant.reading import Reading, assess_facet, read
from assistant.triage import Applicability, applies

__all__ = ["Reading", "applies_from", "assess", "assess_facet", "bears", "lower", "read", "status_of", "verdict"]

CiteLaw = Callable[[Pinpoint], tuple[Citation, ...]]

# ---- requirements ------------------------------------------------------------------------------------------------------


def assess(
    card: ModelCard | Reading,
    requirements: Sequence[Requirement],
    facts: dict[str, Fact],
    as_of: str,
    cite_law: CiteLaw,
    corpus_digest: str = "",
    everything: bool = False,
    computed: Sequence[Computed] = (),
    step: Callable[[str], None] = lambda _: None,
) -> GapAnalysis:
    """A finding for each requirement, in catalogue order. `everything` assesses the facets whatever the applicability.

    `computed` are figures whose fragments are files of the card: a claim of another figure contradicts the facets that it bears.
    `step` is told before each requirement, and may end it all by raising.
    """
    reading = card if isinstance(card, Reading) else read(card)
    admitted = admissions(reading)
    wrong = conflicts(reading, computed)
    sources = Sources(reading, {})
    findings = []
    for n, requirement in enumerate(requirements, 1):
        step(f"requirement {n} of {len(requirements)}")
        found = applies(requirement.applies_when, facts)
        findings.append(_finding(sources, admitted, wrong, requirement, found, facts, as_of, cite_law(requirement.pinpoint), everything))
    imaging = tuple(_judged(sources.of(facet), facet, admitted, wrong) for facet in IMAGING) if reading.card.stated("modality") else ()
    return GapAnalysis(reading.card, as_of, corpus_digest, tuple(findings), facts, imaging)


_DEVICE_ROUTE, _ANNEX_III_ROUTE = "2028-08-02", "2027-12-02"  # AI Act, Article 113 as amended
_GUIDANCE = ("guidance", "guidance-final", "guidance-draft", "principle")


PERMISSIONS = frozenset({"DPDP-S17-2-B", "DPDP-R12-1"})  # rows that allow and do not oblige


def applies_from(requirement: Requirement, facts: dict[str, Fact]) -> str:
    """The date a requirement applies from: ISO, or `in-force`. AI Act rows carry the device route's date; an Annex III system's comes sooner."""
    device = facts.get("mdr_nb")
    listed = facts.get("aia_annex3_health")
    if requirement.effective == _DEVICE_ROUTE and listed and listed.value and not (device and device.value):
        return _ANNEX_III_ROUTE
    return requirement.effective


def _finding(
    sources: "Sources", admitted: dict[str, tuple[Evidence, ...]], wrong: Sequence[Conflict], requirement: Requirement, found: Applicability, facts: dict[str, Fact], as_of: str, law: tuple[Citation, ...], everything: bool
) -> Finding:  # fmt: skip
    start = applies_from(requirement, facts)
    judged = everything or found.value == "yes"
    facets = tuple(_judged(sources.of(facet), facet, admitted, wrong) for facet in requirement.facets) if judged else ()
    if found.value == "no":
        return Finding(requirement, "not-applicable", f"It does not apply: {found.why()}.", facets, law, start)
    if found.value == "unknown":
        return Finding(requirement, "needs-information", f"Whether it applies is open: {found.why()}.", facets, law, start)
    return _settled(requirement, facets, law, start, as_of)


def _settled(requirement: Requirement, facets: tuple[FacetResult, ...], law: tuple[Citation, ...], start: str, as_of: str) -> Finding:
    """The finding for a requirement that applies: status and reason by rule from its facets."""
    status = status_of(facets)
    if status == "gap" and requirement.id in PERMISSIONS:
        return Finding(requirement, "not-applicable", "It is a permission, and not to use one is no gap.", facets, law, start)
    if start != "in-force" and start > as_of:
        return Finding(requirement, "not-yet-applicable", f"It applies from {start}; as things stand, {_said_by(facets)}.", facets, law, start)
    why = _said_by(facets)
    if status == "gap" and requirement.legal_force in _GUIDANCE:
        why = f"{why} (a gap against guidance, not against law)"
    return Finding(requirement, status, f"{why[0].upper()}{why[1:]}.", facets, law, start)


def lower(analysis: GapAnalysis, doubts: Callable[[str, str], bool]) -> GapAnalysis:
    """The analysis with what `doubts(statement, quotation)` doubts counted as missing: a status can only sink. The doubted quotations stay in view.

    Findings that are open or do not apply stay as they are, for no status of theirs rests on evidence.
    """
    findings = []
    for f in analysis.findings:
        facets = tuple(_doubted(x, doubts) for x in f.facets) if f.status in ("evidence-found", "partial", "not-yet-applicable") else f.facets
        findings.append(f if facets == f.facets else _settled(f.requirement, facets, f.law, f.applies_from, analysis.as_of))
    return replace(analysis, findings=tuple(findings))


def _doubted(result: FacetResult, doubts: Callable[[str, str], bool]) -> FacetResult:
    if result.status != "found":
        return result
    doubted = tuple(e for e in result.evidence if doubts(f"This says: {result.facet.asks}", e.quote))
    kept = tuple(e for e in result.evidence if e not in doubted)
    return FacetResult(result.facet, "found" if kept else "missing", kept, doubted)


@dataclass(slots=True)
class Sources:
    """A card's reading, and the readings without the computed fragments that cannot bear a facet; each is made once."""

    whole: Reading
    parts: dict[tuple[str, ...], Reading]

    def of(self, facet: Facet) -> Reading:
        """The reading in which a facet's evidence is sought."""
        kept = tuple(f.name for f in self.whole.card.files if may_bear(f.name, facet))
        if len(kept) == len(self.whole.card.files):
            return self.whole
        if kept not in self.parts:
            self.parts[kept] = read(replace(self.whole.card, files=tuple(f for f in self.whole.card.files if f.name in kept)))
        return self.parts[kept]


def _judged(reading: Reading, facet: Facet, admitted: dict[str, tuple[Evidence, ...]], wrong: Sequence[Conflict]) -> FacetResult:
    return refuted(reading, lowered(assess_facet(reading, facet), admitted), wrong)


def status_of(facets: Sequence[FacetResult]) -> FindingStatus:
    """The status by rule: all facets found, some, or none."""
    found = sum(f.status == "found" for f in facets)
    return "evidence-found" if facets and found == len(facets) else "partial" if found else "gap"


def _said_by(facets: Sequence[FacetResult]) -> str:
    """One plain clause on what the card says and does not say."""
    missing = [f.facet.asks.rstrip(".?") for f in facets if f.status == "missing" and not f.doubted]
    doubted = [f.facet.asks.rstrip(".?") for f in facets if f.status == "missing" and f.doubted]
    computed = [f.facet.asks.rstrip(".?") for f in facets if f.status == "contradicted" and any(e.file.endswith(FRAGMENT) for e in f.evidence)]
    denied = [f.facet.asks.rstrip(".?") for f in facets if f.status == "contradicted" and f.facet.asks.rstrip(".?") not in computed]
    if not missing and not denied and not doubted and not computed:
        return "the card states what is asked"
    parts = []
    if computed:
        parts.append(f"figures computed from the project's own files contradict the card on this: {'; '.join(computed)}")
    if denied:
        parts.append(f"the card denies this: {'; '.join(denied)}")
    if missing:
        whole = "nothing in the card says" if len(missing) + len(denied) + len(computed) == len(facets) else "the card does not say"
        parts.append(f"{whole}: {'; '.join(missing)}")
    if doubted:
        parts.append(f"a language model doubts that the card's words say this: {'; '.join(doubted)}")
    return ", and ".join(parts)
