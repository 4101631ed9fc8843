"""The five sample cards against what their author wrote down by hand, facet by facet: found, missing or contradicted."""

import csv
import json
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest

from assistant import corpus, triage
from assistant.assess import assess
from assistant.findings import GapAnalysis
from assistant.modelcard import read_card

ROOT = Path(__file__).parents[1]
CARDS = ROOT / "corpus" / "cards"
NAMES = ("chest-xray-triage", "ct-liver-segmentation", "mri-federated-foundation", "sepsis-early-warning", "skin-lesion")


def expected() -> list[dict[str, str]]:
    with (Path(__file__).parent / "samples" / "expected_facets.tsv").open(encoding="utf8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


@lru_cache(maxsize=8)
def analysed(name: str) -> GapAnalysis:
    card = read_card(CARDS / name)
    given = json.loads((CARDS / name / "facts.json").read_text("utf8"))
    return assess(card, corpus.requirements(), triage.facts(card, given), "2026-11-22", lambda p: (), everything=True)


def status(name: str, requirement: str, facet: str) -> str:
    finding = next(f for f in analysed(name).findings if f.requirement.id == requirement)
    return next(r.status for r in finding.facets if r.facet.id == facet)


def pairs(name: str = "") -> Counter[tuple[str, str]]:
    return Counter((row["expected"], status(row["card"], row["requirement"], row["facet"])) for row in expected() if not name or row["card"] == name)


def test_every_card_has_its_expectations_and_its_facts() -> None:
    assert sorted(p.name for p in CARDS.iterdir()) == sorted(NAMES) == sorted({row["card"] for row in expected()})
    assert len(expected()) >= 300


def test_the_program_agrees_with_the_hand() -> None:
    seen = pairs()
    agreed = sum(n for (a, b), n in seen.items() if a == b)
    granted = sum(n for (a, b), n in seen.items() if b == "found")
    rightly = seen["found", "found"]
    assert agreed / seen.total() >= 0.88, seen
    assert (granted - rightly) / seen.total() <= 0.04, "over-granting is the harm"
    assert rightly / granted >= 0.93


@pytest.mark.parametrize("name", NAMES)
def test_no_card_is_granted_what_its_author_denies(name: str) -> None:
    wrong = [row for row in expected() if row["card"] == name and row["expected"] != "found" and status(name, row["requirement"], row["facet"]) == "found"]
    assert len(wrong) <= 2, wrong


def test_thorough_beats_ordinary_beats_poor() -> None:
    def share(name: str) -> float:
        results = [r.status == "found" for f in analysed(name).findings if f.requirement.framework == "eu-ai-act" for r in f.facets]
        return sum(results) / len(results)

    good, middling, poor = (share(n) for n in ("chest-xray-triage", "ct-liver-segmentation", "skin-lesion"))
    assert good > 2 * middling > 4 * poor


@pytest.mark.parametrize(
    ("name", "requirement", "expected_status"),
    [
        ("chest-xray-triage", "AIA-9-1", "not-yet-applicable"), ("chest-xray-triage", "GDPR-35-1", "evidence-found"), ("chest-xray-triage", "FDA-FDCA-524B-B-3", "evidence-found"), ("chest-xray-triage", "DPDP-S8-5", "not-applicable"),
        ("skin-lesion", "GDPR-6-1", "gap"), ("skin-lesion", "FDA-FDCA-524B-B-3", "gap"), ("skin-lesion", "HIPAA-164.312-B", "not-applicable"), ("ct-liver-segmentation", "FDA-807.81-A", "not-applicable"),
        ("ct-liver-segmentation", "GDPR-35-1", "gap"), ("mri-federated-foundation", "AIA-9-1", "not-applicable"), ("sepsis-early-warning", "AIA-9-1", "not-applicable"), ("sepsis-early-warning", "HIPAA-164.308-A-1-II-A", "gap"),
    ],
)  # fmt: skip
def test_statuses_with_the_facts_given(name: str, requirement: str, expected_status: str) -> None:
    assert next(f.status for f in analysed(name).findings if f.requirement.id == requirement) == expected_status


@pytest.mark.parametrize("name", NAMES)
def test_two_runs_are_the_same(name: str) -> None:
    analysed.cache_clear()
    first = analysed(name)
    analysed.cache_clear()
    assert analysed(name) == first
