"""Quotations are found character for character after one normaliser, or not at all."""

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.law import Citation, Passage, Quote, Span
from assistant.pinpoint import Pinpoint
from assistant.verify import Rejected, cite, locate, normalise, stands

LAW = "1. The controller shall notify the authority within 72 hours,\nunless the breach is “unlikely” to result in a risk."


def passage(text: str = LAW, address: str = "gdpr:art-33(1)", start: int = 100) -> Passage:
    p = Pinpoint.parse(address)
    assert p
    return Passage(
        1,
        p,
        "gdpr",
        "gdpr",
        "regulation",
        "2016-05-04",
        "official",
        "original",
        "ab" * 32,
        Span(start, start + len(text)),
        "",
        (),
        text,
        "in-force",
        "2018-05-25",
    )


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("a  b\n c", "a b c"),
        ("“risk”", "'risk'"),
        ("‘risk’", "'risk'"),
        ("data sub-\n ject", "data subject"),
        ("self-\nEvident", "self- Evident"),
        ("risk–based", "risk-based"),
        ("soft\u00adware", "software"),
        ("  edges  ", "edges"),
        ("well-known", "well-known"),
    ],
)
def test_normaliser(written: str, same: str) -> None:
    assert normalise(written) == same


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("shall notify the authority within 72 hours, unless the breach", True),
        ('the breach is "unlikely" to result', True),
        ("shall notify the authority within 24 hours", False),
        ("shall not notify the authority", False),
        ("may notify the authority", False),
        ("The controller shall notify the authority unless", False),
        ("otify the authority", False),
        ("within 7", False),
        ("the controller shall", False),
        ("", False),
    ],
)
def test_a_quotation_is_found_exactly_or_refused(quote: str, found: bool) -> None:
    result = cite(Quote(Pinpoint("gdpr", "art-33(1)"), quote), passage())
    assert isinstance(result, Citation) is found
    if isinstance(result, Citation):
        assert LAW[result.start - 100 : result.end - 100] == result.quote


def test_the_address_must_hold_the_passage() -> None:
    refused = cite(Quote(Pinpoint("gdpr", "art-34(1)"), "shall notify the authority"), passage())
    assert isinstance(refused, Rejected) and refused.reason == "wrong-address"
    assert isinstance(cite(Quote(Pinpoint("gdpr", "art-33"), "shall notify the authority"), passage()), Citation)


@given(st.integers(0, len(LAW) - 1), st.integers(1, len(LAW)))
def test_every_word_run_of_a_text_is_located_in_it(start: int, length: int) -> None:
    words = LAW[start : start + length]
    span = locate(words, LAW)
    if span is not None:
        assert normalise(span.of(LAW)) == normalise(words)
    elif normalise(words):
        end = start + length
        cut = (start > 0 and LAW[start - 1].isalnum() and LAW[start].isalnum()) or (end < len(LAW) and LAW[end - 1].isalnum() and LAW[end].isalnum())
        assert cut, "a run of whole words must be found"


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(("old", "new"), [("72", "27"), ("shall", "should"), ("unless", "if"), ("within", "after")])
def test_one_changed_word_is_refused(old: str, new: str) -> None:
    changed = "The controller shall notify the authority within 72 hours, unless the breach".replace(old, new)
    assert locate(changed, LAW) is None


def test_a_citation_is_checked_again_against_the_source() -> None:
    source = "x" * 100 + LAW
    found = cite(Quote(Pinpoint("gdpr", "art-33(1)"), "within 72 hours"), passage())
    assert isinstance(found, Citation)
    assert stands(asdict(found), source)
    assert not stands(asdict(found), source.replace("72", "24"))
