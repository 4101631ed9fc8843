"""The nouns of the law: instruments, provisions, passages, quotations, citations, claims and answers.

Frozen values without I/O. An `Instrument` owns its text; everything else points into it with a `Span`.
"""

from dataclasses import dataclass, field
from typing import Literal

from assistant.pinpoint import Pinpoint

Layer = Literal["official", "digest"]
Provenance = Literal["original", "converted"]
Status = Literal["in-force", "not-yet-applicable", "superseded", "vacated", "proposed", "draft"]

FRAMEWORKS = ("eu-ai-act", "gdpr", "hipaa", "dpdp", "fda", "mdr", "principles")


def framework_of(instrument: str) -> str:
    """The framework an instrument belongs to: `dpdp-rules` is part of `dpdp`; an added set is its own."""
    return "dpdp" if instrument == "dpdp-rules" else instrument


NOT_BINDING = "Guidance, not binding"  # how the note begins on what recommends and obliges nobody


def unbinding(note: str) -> str:
    """ "guidance, not binding" for a provision whose note says so, to stand beside its status; "" for law."""
    return NOT_BINDING.lower() if note.startswith(NOT_BINDING) else ""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of a text."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The words themselves."""
        return text[self.start : self.end]

    def holds(self, other: "Span") -> bool:
        """Whether `other` lies inside this span."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Provision:
    """One addressed piece of an instrument: label, heading, own words and children together.

    `kind`: article, recital, annex, section, rule, schedule, definition, paragraph, point, container, part, topic.
    `label` is the number as printed ("1.", "(a)"), with which the span begins; `parent` is the index of the
    enclosing provision in `Instrument.provisions`, or -1.
    """

    pinpoint: Pinpoint
    kind: str
    heading: str
    label: str
    span: Span
    parent: int


@dataclass(frozen=True, slots=True)
class Instrument:
    """One version of one legal text in one language, as one reader read it from one file.

    `work` names what is replaced as a whole when a new version comes: `gdpr`, `45cfr-164`, `21cfr-820`, `pccp-2025`.
    `version` is the date of the text, with `.lang` where not English. `provisions` are in document order, parents first.
    `questions` (digest layer only) are questions that a provision answers, by address.
    """

    id: str
    work: str
    title: str
    kind: str  # regulation, act, rules, cfr-part, statute, guidance, principles, other
    version: str
    layer: Layer
    provenance: Provenance
    reader: str
    file: str
    sha256: str
    text: str
    provisions: tuple[Provision, ...]
    marks: tuple[tuple[str, str], ...] = ()  # facts a reader saw that are no text: amendment marks, issue date, docket
    notes: dict[str, "DigestNote"] = field(default_factory=dict)

    @property
    def language(self) -> str:
        """Two-letter code; English unless the version says otherwise."""
        return self.version.partition(".")[2] or "en"

    @property
    def date(self) -> str:
        """The version's date alone."""
        return self.version.partition(".")[0]

    def counts(self) -> dict[str, int]:
        """How many provisions of each kind."""
        kinds: dict[str, int] = {}
        for provision in self.provisions:
            kinds[provision.kind] = kinds.get(provision.kind, 0) + 1
        return kinds


@dataclass(frozen=True, slots=True)
class DigestNote:
    """What stands beside a digest: questions it answers, who it concerns, dates, and what it was checked against."""

    questions: tuple[str, ...]
    actors: tuple[str, ...]
    applies_from: str
    status: Status
    checked: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A provision, or a run of its points, as search sees it. `trail` is the headings above it, outermost first."""

    key: int
    pinpoint: Pinpoint
    instrument: str
    work: str
    kind: str  # of the instrument
    version: str
    layer: Layer
    provenance: Provenance
    source_sha256: str
    span: Span
    heading: str
    trail: tuple[str, ...]
    text: str
    status: Status
    applies_from: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that search found. `via` says why, each with its rank: `lexical:3`, `dense:1`, `reference`."""

    passage: Passage
    score: float
    via: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """What a model or a rule claims to stand at an address. Not yet believed."""

    pinpoint: Pinpoint
    text: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A quotation that `verify` found, character for character, at [start, end) of the source's text.

    Only `assistant.verify` constructs one.
    """

    pinpoint: Pinpoint
    instrument: str
    version: str
    layer: Layer
    provenance: Provenance
    quote: str
    start: int
    end: int
    source_sha256: str
    status: Status
    applies_from: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement and the citations that bear it; `phrased_by` is `extract` when the words are the quotation's own."""

    text: str
    citations: tuple[Citation, ...]
    phrased_by: Literal["model", "extract"] = "extract"


@dataclass(frozen=True, slots=True)
class Answer:
    """Claims with their citations, or an abstention with its reason. `notes` carry dates, layers and limits."""

    claims: tuple[Claim, ...]
    abstained: bool
    reason: str
    notes: tuple[str, ...] = ()

    def official(self) -> str:
        """How many citations rest on official text: "3 of 5"."""
        layers = [c.layer for claim in self.claims for c in claim.citations]
        return f"{layers.count('official')} of {len(layers)}"
