"""The nouns of an assessment: requirements and their facets, model cards, evidence, findings and gap analyses.

Frozen values without I/O.
"""

from dataclasses import dataclass, field
from typing import Literal

from assistant.law import Citation
from assistant.pinpoint import Pinpoint

FindingStatus = Literal["evidence-found", "partial", "gap", "needs-information", "not-applicable", "not-yet-applicable", "not-assessed"]
FINDING_STATUSES: tuple[FindingStatus, ...] = ("evidence-found", "partial", "gap", "needs-information", "not-applicable", "not-yet-applicable", "not-assessed")
FacetStatus = Literal["found", "missing", "contradicted"]
FieldState = Literal["stated", "missing", "unreadable"]
Severity = Literal["critical", "major", "minor"]
SEVERITIES: tuple[Severity, ...] = ("critical", "major", "minor")


FRAGMENT = ".card.md"  # ends the name of a card's file that holds computed figures


@dataclass(frozen=True, slots=True)
class Facet:
    """One thing the evidence for a requirement must say.

    `cues` is a conjunction of alternatives: a passage of the card bears the facet only if, for every group, one of its
    alternatives occurs in it. An alternative is a phrase matched on word stems, `prefix*`, or `re:` and a regular expression.
    `where` names the card fields in which it usually stands; `satisfies` and `seems` are made-up sentences that
    do and do not bear it.
    """

    id: str
    asks: str
    cues: tuple[tuple[str, ...], ...]
    where: tuple[str, ...] = ()
    satisfies: str = ""
    seems: str = ""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One duty or expectation, at its pinpoint, with what would evidence it. The fields are those of requirements.tsv."""

    id: str
    framework: str
    pinpoint: Pinpoint
    title: str
    obligation: str
    actor: str
    applies_when: str
    evidence_expected: str
    severity: Severity
    effective: str  # ISO date or "in-force"
    cross_references: tuple[str, ...]
    legal_force: str
    pinpoint_check: str
    facets: tuple[Facet, ...]
    remedy: str = ""
    owner: str = ""
    severity_reason: str = ""


@dataclass(frozen=True, slots=True)
class CardFile:
    """One file of a card: its name and the text in which all places are counted."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class CardSection:
    """A heading and the characters [start, end) below it, in the file named."""

    title: str
    file: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CardField:
    """A named fact of a card, such as `intended_purpose`, with its place; a missing field has no place (start = end = 0)."""

    field: str
    value: str
    file: str
    start: int
    end: int
    state: FieldState


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model card: visible text by file, sections and fields. `hidden` lists text that a reader does not see."""

    name: str
    sha256: str
    files: tuple[CardFile, ...]
    sections: tuple[CardSection, ...]
    fields: tuple[CardField, ...]
    hidden: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def stated(self, name: str) -> tuple[CardField, ...]:
        """The stated values of one field."""
        return tuple(f for f in self.fields if f.field == name and f.state == "stated")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Characters [start, end) of a card's file that bear a facet; `quote` is exactly those characters."""

    quote: str
    file: str
    start: int
    end: int
    section: str


@dataclass(frozen=True, slots=True)
class FacetResult:
    """What the card says on one facet."""

    facet: Facet
    status: FacetStatus
    evidence: tuple[Evidence, ...] = ()
    doubted: tuple[Evidence, ...] = ()  # what bears the facet by rule but not to a language model


@dataclass(frozen=True, slots=True)
class Finding:
    """A requirement held against a card: status by rule from the facets, why in one sentence, the law it rests on, the remedy."""

    requirement: Requirement
    status: FindingStatus
    why: str
    facets: tuple[FacetResult, ...]
    law: tuple[Citation, ...]
    applies_from: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A named fact about the project, with the source of its value: a quotation, a person, or a rule."""

    name: str
    value: bool | None
    source: str


@dataclass(frozen=True, slots=True)
class GapAnalysis:
    """All findings for one card as of one date, with the facts they rest on; `imaging`: evidence asked of imaging models whatever the framework."""

    card: ModelCard
    as_of: str
    corpus_digest: str
    findings: tuple[Finding, ...]
    facts: dict[str, Fact] = field(default_factory=dict)
    imaging: tuple[FacetResult, ...] = ()

    def by_status(self) -> dict[str, int]:
        """How many findings have each status, all statuses named."""
        return {s: sum(f.status == s for f in self.findings) for s in FINDING_STATUSES}
