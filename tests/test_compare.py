"""Runs held against each other, and gaps that a project has accepted."""

from typing import Any

import pytest

from assistant import compare
from assistant.errors import UsageError


def finding(id: str, status: str, severity: str = "major", quote: str = "") -> dict[str, Any]:
    evidence = [{"quote": quote, "file": "README.md", "start": 0, "end": len(quote), "section": ""}] if quote else []
    facets = [{"id": "f", "asks": "a", "status": "found" if quote else "missing", "evidence": evidence}]
    return {"requirement": id, "status": status, "severity": severity, "facets": facets, "law": []}


def report(*findings: dict[str, Any], card: str = "c1", law: str = "l1", as_of: str = "2026-11-22") -> dict[str, Any]:
    return {"run": "r", "tool": "pincite 0", "as_of": as_of, "corpus_digest": law, "card": {"sha256": card}, "summary": {}, "findings": list(findings)}


TOML = '[[accepted]]\nrequirement = "A"\nreason = "stand-alone software"\nowner = "Ann"\nexpiry = "{}"\n'


@pytest.mark.parametrize(("expiry", "lapsed", "fails"), [("2027-01-01", False, []), ("2026-11-21", True, ["A"]), ("2026-11-22", False, [])])
def test_an_accepted_gap_is_shown_counted_apart_and_lapses(expiry: str, lapsed: bool, fails: list[str]) -> None:
    out = compare.with_accepted(report(finding("A", "gap"), finding("B", "evidence-found")), compare.accepted_gaps(TOML.format(expiry)))
    assert out["findings"][0]["accepted"]["lapsed"] is lapsed and out["findings"][0]["status"] == "gap"
    assert out["summary"]["accepted"] == (0 if lapsed else 1)
    assert compare.worse(out, ["critical", "major"]) == fails


@pytest.mark.parametrize("text", ["[[accepted]]\nrequirement='A'", "not toml [", "accepted = 3"])
def test_a_bad_file_is_one_line(text: str) -> None:
    with pytest.raises(UsageError, match=r"pincite\.toml"):
        compare.accepted_gaps(text)


def test_what_changed_and_why() -> None:
    old = report(finding("A", "gap"), finding("B", "gap"), finding("C", "partial", quote="x"), finding("D", "gap"))
    new = report(finding("A", "gap"), finding("B", "evidence-found", quote="AUC .9"), finding("C", "partial", quote="y"), finding("E", "gap"), card="c2")
    found = compare.since(new, old)
    assert found["because"] == ["card", "catalogue"]
    assert {(c["requirement"], c["was"], c["is"]) for c in found["changed"]} == {
        ("B", "gap", "evidence-found"), ("C", "partial", "partial"), ("E", "not there", "gap"), ("D", "gap", "not there"),
    }  # fmt: skip
    assert compare.since(old, old) == {"run": "r", "because": [], "changed": []}


def test_a_baseline_leaves_only_what_got_worse() -> None:
    old = report(finding("A", "gap"), finding("B", "partial"), finding("C", "evidence-found"))
    new = report(finding("A", "gap"), finding("B", "gap"), finding("C", "partial"), finding("D", "gap", "minor"))
    assert compare.worse(new, ["critical", "major"], old) == ["B", "C"]
    assert compare.worse(new, ["critical", "major"]) == ["A", "B", "C"]
