"""The catalogue of requirements is whole, and its own sample sentences are judged as it says."""

import csv
import re
from collections import Counter

import pytest

from assistant import bearing, corpus
from assistant.findings import SEVERITIES, Facet, Requirement
from assistant.modelcard import FIELDS
from assistant.pinpoint import Pinpoint

FORCES = {"binding", "binding-required", "binding-addressable", "guidance-final", "guidance-draft", "guidance", "principle"}
REQUIREMENTS = corpus.requirements()
AUTHORED = tuple(r for r in REQUIREMENTS if r.remedy)  # those with facets of their own
BY_ID = {r.id: r for r in REQUIREMENTS}
# Guidance of which no official copy could be read, with the number of rows that rest on it; the principles come on top.
SECONDARY = {"fda:ai-dsf-2025-draft": 9, "fda:gmlp-2025": 4, "fda:transparency-2024": 2, "fda:hf-content-2026": 1, "gdpr:edpb-opinion-28-2024": 2}
FILES = ("eu-ai-act", "gdpr", "hipaa", "dpdp", "fda", "principles")
complete = pytest.mark.skipif(
    not all((corpus.root() / "requirements" / f"{name}.toml").exists() for name in FILES), reason="not every framework's facets are written yet"
)


def _facets(requirements: tuple[Requirement, ...]) -> list[tuple[Requirement, Facet]]:
    return [(r, f) for r in requirements for f in r.facets]


@complete
def test_the_catalogue_has_at_least_385_requirements_with_unique_ids() -> None:
    assert len(REQUIREMENTS) == len(BY_ID) >= 385


def test_no_framework_lost_a_requirement() -> None:
    counts = Counter(r.framework for r in REQUIREMENTS)
    assert counts["fda"] >= 72 and counts["hipaa"] >= 60 and counts["dpdp"] >= 47
    assert counts["eu-ai-act"] == 102
    assert counts["gdpr"] >= 70
    assert counts["principles"] >= 22


def test_every_row_has_all_columns() -> None:
    with (corpus.root() / "requirements" / "requirements.tsv").open(encoding="utf8", newline="") as lines:
        rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert {len(row) for row in rows} == {14}
    wanting = [
        (row[0], rows[0][i]) for row in rows for i in range(14) if not row[i].strip() and rows[0][i] not in ("cross_references", "applicability_condition")
    ]
    assert wanting == []


@complete
def test_every_requirement_says_why_it_weighs_what_to_do_and_who_owns_it() -> None:
    wanting = [r.id for r in REQUIREMENTS if not (r.remedy and r.owner and r.severity_reason and r.facets)]
    assert wanting == []


def test_severity_force_and_date_are_of_the_known_kinds() -> None:
    assert [r.id for r in REQUIREMENTS if r.severity not in SEVERITIES or r.legal_force not in FORCES] == []
    assert [r.id for r in REQUIREMENTS if not re.fullmatch(r"in-force|\d{4}-\d{2}-\d{2}", r.effective)] == []
    assert [r.id for r in REQUIREMENTS if not 1 <= len(r.facets) <= 5] == []


def test_no_framework_describes_a_requirement_that_is_not_in_the_table() -> None:
    described = {row["id"] for path in (corpus.root() / "requirements").glob("*.toml") for row in corpus._toml(path).get("requirement", [])}
    assert described - set(BY_ID) == set()


def test_every_pinpoint_stands_in_a_digest_or_within_a_provision_that_has_one() -> None:
    known = {p.pinpoint.address for instrument in corpus.digest_instruments() for p in instrument.provisions}

    def resolves(p: Pinpoint | None) -> bool:
        return p is not None and (p.address in known or resolves(p.parent))

    assert [r.pinpoint.address for r in REQUIREMENTS if Pinpoint.parse(r.pinpoint.address) != r.pinpoint] == []
    assert [r.id for r in REQUIREMENTS if not resolves(r.pinpoint)] == []


def test_every_fact_of_an_applicability_condition_is_defined() -> None:
    defined = set(corpus.fact_questions())
    named = {(r.id, token) for r in REQUIREMENTS for token in re.findall(r"[a-z0-9_]+", r.applies_when)}
    assert sorted((i, t) for i, t in named if t not in defined) == []


def test_every_cross_reference_is_mutual_and_leads_elsewhere() -> None:
    assert [(r.id, c) for r in REQUIREMENTS for c in r.cross_references if c not in BY_ID or c == r.id] == []
    assert [(r.id, c) for r in REQUIREMENTS for c in r.cross_references if r.id not in BY_ID[c].cross_references] == []
    assert [r.id for r in REQUIREMENTS if len(set(r.cross_references)) != len(r.cross_references)] == []


def test_rows_that_rest_on_secondary_material_say_so() -> None:
    for guidance, count in SECONDARY.items():
        rows = [r for r in REQUIREMENTS if r.pinpoint.address.startswith(guidance)]
        assert len(rows) == count, guidance
        assert {r.pinpoint_check for r in rows} <= {"secondary-digest", "text-or-quote-seen"}, guidance
    assert sum(SECONDARY.values()) == 18


def test_principles_are_marked_as_principles() -> None:
    principles = [r for r in REQUIREMENTS if r.framework == "principles"]
    assert {(r.pinpoint_check, r.legal_force, r.effective) for r in principles} == {("secondary-digest", "principle", "in-force")}
    digests = {a: note for i in corpus.digest_instruments() if i.id == "principles" for a, note in i.notes.items()}
    assert set(digests) == {r.pinpoint.address for r in principles}
    assert [a for a, note in digests.items() if not note.checked.startswith("secondary")] == []


def test_facets_are_conjunctions_and_name_fields_of_a_card() -> None:
    facets = _facets(AUTHORED)
    assert [(r.id, f.id) for r, f in facets if len(f.cues) < 2 or not all(f.cues)] == []
    assert [(r.id, f.id) for r, f in facets if not f.where or set(f.where) - set(FIELDS)] == []
    assert [(r.id, f.id) for r, f in facets if not (f.asks and f.satisfies and f.seems)] == []
    assert [r.id for r in AUTHORED if len({f.id for f in r.facets}) != len(r.facets)] == []
    blank = [(r.id, f.id, a) for r, f in facets for group in f.cues for a in group if not bearing.cue(a).pattern and not bearing.cue(a).words]
    assert blank == []  # a cue without a word would stand everywhere


@pytest.mark.parametrize("requirement", AUTHORED, ids=lambda r: r.id)
def test_sample_sentences_are_judged_as_the_catalogue_says(requirement: Requirement) -> None:
    for facet in requirement.facets:
        assert bearing.bears(facet.satisfies, facet), f"{facet.id} does not accept: {facet.satisfies}"
        assert not bearing.bears(facet.seems, facet), f"{facet.id} accepts: {facet.seems}"


VAGUE = (
    "We take data privacy and security very seriously.",
    "The model was developed by a multidisciplinary team of experts.",
    "Our algorithm achieves state-of-the-art performance.",
    "The model should be used by qualified professionals.",
    "This model card describes the intended use and limitations of the model.",
    "We care about fairness and bias.",
    "The model was trained on a large and diverse dataset.",
    "Users should validate the model on their own data before clinical use.",
    "Patient privacy is protected.",
    "The data was anonymized.",
    "The model was evaluated on a test set.",
    "The system complies with GDPR and HIPAA.",
    "Human oversight is recommended when using this model.",
    "We plan to monitor the model after deployment.",
    "The model has not been evaluated for bias.",
    "The model may be biased against certain subgroups.",
    "The model will be updated regularly.",
    "Security updates are provided regularly.",
    "The manufacturer has a quality management system.",
    "Performance may vary across populations and scanners.",
    "Risk management was conducted according to ISO 14971.",
    "All requirements of Article 9 are met.",
)  # fmt: skip


@pytest.mark.parametrize("sentence", VAGUE)
def test_a_vague_sentence_bears_no_facet(sentence: str) -> None:
    words = bearing.words_of(sentence)
    marks = bearing.marks_of(words)
    assert [(r.id, f.id) for r, f in _facets(AUTHORED) if bearing.judge(words, marks, bearing.find(f, words)) == "bears"] == []
