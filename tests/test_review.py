"""Decisions keep both wordings and check edits; a signature stands until what it rests on changes."""

from typing import Any

import pytest

from assistant import review
from assistant.errors import Refused, UsageError

LAW = "The controller shall notify within 72 hours after having become aware of it."


def document(official: str = "1 of 1") -> dict[str, Any]:
    sentences = [
        {"kind": "law", "text": "Tell the authority within 72 hours.", "note": 1, "requirements": ["GDPR-33-1"]},
        {"kind": "card", "text": "Sensitivity was 0.91 on 4,112 films.", "requirements": []},
        {"kind": "input", "text": "[INPUT NEEDED: Who tells whom?]", "requirements": ["GDPR-33-1"]},
    ]
    return {
        "schema": "pincite/draft@1", "run": "r1", "audit_head": "h1", "card": {"name": "c", "sha256": "c1"}, "corpus_digest": "l1", "official": official,
        "sections": [{"id": "1", "elements": [{"id": "1a", "sentences": sentences}]}], "notes": [{"n": 1, "quote": LAW}],
    }  # fmt: skip


def test_every_sentence_and_finding_can_be_decided_on() -> None:
    assert [t for t, _ in review.targets(document())] == ["1a/0", "1a/1", "1a/2"]
    assert [t for t, _ in review.targets({"findings": [{"requirement": "AIA-9-1"}]})] == ["AIA-9-1"]


def test_both_wordings_are_kept() -> None:
    d = review.decide(document(), "1a/0", "edit", " Ada ", "2026-11-22T10:00:00Z", "clearer", "Notify in 72 hours.")
    assert (d.by, d.machine, d.person, d.problems) == ("Ada", "Tell the authority within 72 hours.", "Notify in 72 hours.", ())


@pytest.mark.parametrize(
    ("target", "words", "problems"),  # the problems by a part of each, all of them
    [
        ("1a/0", "Notify “within 72 hours”.", []),
        ("1a/0", "Notify within 96 hours.", ["number 96 stands in none"]),
        ("1a/0", "The processor shall notify within 72 hours.", ["speak of the processor", "controller, not processor"]),
        ("1a/0", "The controller need not notify within 72 hours.", ["must, not neednot", "'must notify', not 'neednot'", "negation", "negation"]),
        ("1a/0", "Notify “within 96 hours”.", ["“within 96 hours” stands in none"]),
        ("1a/0", "Notify “within 72  hours after having become\naware of it”.", []),  # white space is the normaliser's
        ("1a/1", "Sensitivity was 0.91.", []),
        ("1a/1", "Sensitivity was 0.95 on 4,112 films.", ["number 0.95 stands in none", "'0.91' became '0.95'"]),
        (
            "1a/1",
            "Sensitivity was high (0.99; “excellent results”).",
            ["“excellent results” stands in none", "number 0.99 stands in none", "not in the passage: high"],
        ),
        ("1a/1", "It was tested on children in Kenya.", ["content: not in the passage"]),
        ("1a/2", "The officer tells the authority within 5 hours.", []),  # a person's own answer cites nothing
    ],
)
def test_an_edit_of_a_cited_sentence_is_checked_again(target: str, words: str, problems: list[str]) -> None:
    found = review.decide(document(), target, "edit", "Ada", "t", "why", words).problems
    assert len(found) == len(problems)
    assert all(part in problem for part, problem in zip(problems, found, strict=True))


@pytest.mark.parametrize(
    ("target", "action", "by", "reason", "words", "message"),
    [
        ("9z/0", "accept", "Ada", "", "", "no '9z/0'"),
        ("1a/0", "agree", "Ada", "", "", "no decision"),
        ("1a/0", "accept", " ", "", "", "needs a name"),
        ("1a/0", "reject", "Ada", "", "", "needs a reason"),
        ("1a/0", "edit", "Ada", "why", "", "new wording"),
        ("1a/0", "accept", "Ada", "", "other", "new wording"),
    ],
)
def test_an_unsound_decision_is_refused(target: str, action: str, by: str, reason: str, words: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        review.decide(document(), target, action, by, "t", reason, words)


def accepted(doc: dict[str, Any]) -> list[review.Decision]:
    return [review.decide(doc, t, "accept", "Ada", "t") for t, _ in review.targets(doc)]


LAW_NOW = [("gdpr:art-33(1)", "2016-04-27", "official", "in-force", "2018-05-25", "a" * 64)]


def on(doc: dict[str, Any], decisions: list[review.Decision], catalogue: str = "k1", law: list[tuple[str, ...]] = LAW_NOW, card: str = "") -> review.Basis:
    return review.basis(doc, decisions, law, catalogue, card)


def sign(doc: dict[str, Any], decisions: list[review.Decision], meaning: str, acknowledged: bool = False) -> review.Signature:
    return review.sign(doc, decisions, on(doc, decisions), "Ada", meaning, "t", acknowledged)


def test_the_last_decision_counts_and_what_is_open_is_named() -> None:
    doc = document()
    one = review.decide(doc, "1a/0", "accept", "Ada", "t1")
    two = review.decide(doc, "1a/0", "reject", "Ben", "t2", "not ours")
    assert review.latest(doc, [one, two])["1a/0"] == two
    assert review.undecided(doc, [one, two]) == ("1a/1", "1a/2")


def test_a_decision_on_the_whole_leaves_those_on_its_parts() -> None:
    doc = document()
    said = [review.decide(doc, t, a, "Ada", "t", "why") for t, a in (("1a/0", "reject"), ("1", "accept"), ("1a", "reject"), ("1a", "accept"))]
    assert {t: d.action for t, d in review.latest(doc, said).items()} == {"1a/0": "reject", "1a/1": "accept", "1a/2": "reject"}
    assert "1a/2" in review.undecided(doc, [review.decide(doc, "1", "accept", "Ada", "t")]), "a question is not accepted by accepting its section"
    with pytest.raises(UsageError, match="more than one sentence"):
        review.decide(doc, "1a", "edit", "Ada", "t", "why", "other words")
    report = {"findings": [{"requirement": r, "framework": "gdpr"} for r in ("A-1", "A-2")]}
    said = [review.decide(report, t, "accept", "Ada", "t") for t in ("gdpr",)]
    assert set(review.latest(report, said)) == {"A-1", "A-2"}


def test_an_approver_acknowledges_digests_and_leaves_nothing_open() -> None:
    doc = document("0 of 1")
    with pytest.raises(Refused, match="0 of 1"):
        sign(doc, accepted(doc), "approver")
    signed = sign(doc, accepted(doc), "approver", acknowledged=True)
    assert signed.acknowledged and signed.official == "0 of 1"
    with pytest.raises(Refused, match="3 items are undecided"):
        sign(doc, [], "approver", acknowledged=True)
    bad = [*accepted(doc), review.decide(doc, "1a/1", "edit", "Ada", "t", "why", "Sensitivity was 0.99.")]
    with pytest.raises(Refused, match="1a/1"):
        sign(doc, bad, "approver", acknowledged=True)
    assert sign(doc, [], "author").meaning == "author"


@pytest.mark.parametrize("official", ["0 of 0", "", "2 of 3"])
def test_what_rests_on_digests(official: str) -> None:
    assert review.rests_on_digests({"official": official})
    assert not review.rests_on_digests({"official": "3 of 3"})


@pytest.mark.parametrize(
    ("change", "now", "because"),
    [
        ({}, {}, ()),
        ({"run": "r2", "audit_head": "h2"}, {}, ()),  # the run's stamp is no content
        ({}, {"card": "c2"}, ("card",)),
        ({}, {"law": [(*LAW_NOW[0][:5], "b" * 64)]}, ("law",)),
        ({}, {"law": []}, ("law",)),
        ({}, {"catalogue": "k2"}, ("catalogue",)),
        ({"notes": []}, {}, ("text",)),
    ],
)
def test_a_later_change_voids_a_signature_and_says_why(change: dict[str, Any], now: dict[str, Any], because: tuple[str, ...]) -> None:
    doc = document()
    signed = sign(doc, accepted(doc), "approver")
    reasons = review.void_because(signed, on({**doc, **change}, accepted(doc), **now))
    assert len(reasons) == len(because)
    assert all(word in reason and "Ada" in reason for word, reason in zip(because, reasons, strict=True))


def test_a_later_decision_voids_a_signature() -> None:
    doc = document()
    signed = sign(doc, accepted(doc), "approver")
    more = [*accepted(doc), review.decide(doc, "1a/0", "reject", "Ben", "t2", "no")]
    assert review.void_because(signed, on(doc, more)) == ("the text or a decision has changed since Ada signed",)


def test_a_signature_needs_a_name_and_a_meaning() -> None:
    for by, meaning in (("", "author"), ("Ada", "witness")):
        with pytest.raises(UsageError):
            review.sign(document(), [], on(document(), []), by, meaning, "t")
