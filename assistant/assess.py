"""Requirements held against a card: which facets the card bears, with exact quotations, and the status that follows by rule.

Pure functions of nouns. The law's citations come through a function that is passed in; knows nothing of indexes, models,
files or screens.
"""

from collections.abc import Callable, Sequence

from assistant.bearing import bears, verdict
from assistant.findings import Evidence, FacetResult, Fact, Finding, FindingStatus, GapAnalysis, ModelCard, Requirement
from assistant.imaging import admissions, lowered
from assistant.law import Citation
from assistant.pinpoint import Pinpoint
from assistant.reading import Reading, assess_facet, read
from assistant.triage import Applicability, applies

__all__ = ["Reading", "applies_from", "assess", "assess_facet", "bears", "read", "status_of", "verdict"]

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
) -> GapAnalysis:
    """A finding for each requirement, in catalogue order. `everything` assesses the facets whatever the applicability."""
    reading = card if isinstance(card, Reading) else read(card)
    admitted = admissions(reading)
    findings = []
    for requirement in requirements:
        found = applies(requirement.applies_when, facts)
        findings.append(_finding(reading, admitted, requirement, found, facts, as_of, cite_law(requirement.pinpoint), everything))
    return GapAnalysis(reading.card, as_of, corpus_digest, tuple(findings), facts)


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
    reading: Reading, admitted: dict[str, tuple[Evidence, ...]], requirement: Requirement, found: Applicability, facts: dict[str, Fact], as_of: str, law: tuple[Citation, ...], everything: bool
) -> Finding:  # fmt: skip
    start = applies_from(requirement, facts)
    judged = everything or found.value == "yes"
    facets = tuple(lowered(assess_facet(reading, facet), admitted) for facet in requirement.facets) if judged else ()
    if found.value == "no":
        return Finding(requirement, "not-applicable", f"It does not apply: {found.why()}.", facets, law, start)
    if found.value == "unknown":
        return Finding(requirement, "needs-information", f"Whether it applies is open: {found.why()}.", facets, law, start)
    status = status_of(facets)
    if status == "gap" and requirement.id in PERMISSIONS:
        return Finding(requirement, "not-applicable", "It is a permission, and not to use one is no gap.", facets, law, start)
    if start != "in-force" and start > as_of:
        return Finding(requirement, "not-yet-applicable", f"It applies from {start}; as things stand, {_said_by(facets)}.", facets, law, start)
    why = _said_by(facets)
    if status == "gap" and requirement.legal_force in _GUIDANCE:
        why = f"{why} (a gap against guidance, not against law)"
    return Finding(requirement, status, f"{why[0].upper()}{why[1:]}.", facets, law, start)


def status_of(facets: Sequence[FacetResult]) -> FindingStatus:
    """The status by rule: all facets found, some, or none."""
    found = sum(f.status == "found" for f in facets)
    return "evidence-found" if facets and found == len(facets) else "partial" if found else "gap"


def _said_by(facets: Sequence[FacetResult]) -> str:
    """One plain clause on what the card says and does not say."""
    missing = [f.facet.asks.rstrip(".?") for f in facets if f.status == "missing"]
    denied = [f.facet.asks.rstrip(".?") for f in facets if f.status == "contradicted"]
    if not missing and not denied:
        return "the card states what is asked"
    parts = []
    if denied:
        parts.append(f"the card denies this: {'; '.join(denied)}")
    if missing:
        whole = "nothing in the card says" if len(missing) + len(denied) == len(facets) else "the card does not say"
        parts.append(f"{whole}: {'; '.join(missing)}")
    return ", and ".join(parts)
