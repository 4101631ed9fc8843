"""Printed pages: a quotation is marked on a page only where one place alone has its words, and the mark lies over them."""

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest

from assistant import originals, pages, sandbox
from assistant.errors import Unreadable
from assistant.law import Span
from assistant.verify import on_page

FIRST = ("1. The controller shall look before", "it pro-", "cesses, and shall write down what it saw.", "This line stands on both pages.")
SECOND = ("2. The controller shall keep what it wrote.", "This line stands on both pages.")
TEXT = (
    "1. The controller shall look before it processes, and shall write down what it saw. This line stands on both pages.\n"
    "2. The controller shall keep what it wrote. This line stands on both pages."
)


@pytest.fixture(scope="module")
def pdf() -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(400, 500))
    for lines in (FIRST, SECOND):
        for n, line in enumerate(lines):
            canvas.drawString(50, 400 - 20 * n, line)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("what is done", (0, "what is  done")),
        ("harm is looked for", (1, "harm is\nlooked for")),  # a line's end
        ("processes data", (1, "pro-\ncesses data")),  # a broken word
        ("“quoted”", (1, "'quoted'")),  # the shape of quotation marks
        ("What is done", None),  # another letter
        ("twice", None),  # two places
        ("absent", None),
        ("  - ", None),
        ("", None),
    ],
)
def test_words_are_found_on_the_one_page_that_has_them(words: str, found: tuple[int, str] | None) -> None:
    texts = ["It says what is  done; twice", "and harm is\nlooked for when one pro-\ncesses data 'quoted' twice"]
    got = on_page(words, texts)
    assert (got and (got[0], got[1].of(texts[got[0]]))) == found


def test_the_mark_lies_over_the_words(pdf: bytes) -> None:
    texts = sandbox.call(pages.page_texts, pdf)
    place = on_page("it processes, and shall write", texts)
    assert place and place[0] == 0
    png, marks = sandbox.call(pages.picture, pdf, 0, place[1], 800)
    assert png.startswith(b"\x89PNG") and len(marks) == 2  # one for each line
    for (left, top, right, bottom), y in zip(marks, (380, 360), strict=True):
        assert top < 1 - y / 500 < bottom + 0.01 and bottom - top < 0.05 and 0.1 < left < right < 1


def test_a_file_that_is_no_pdf_is_refused() -> None:
    with pytest.raises(Unreadable):
        sandbox.call(pages.page_texts, b"%PDF-1.4 torn")


def citation(quote: str, sha: str, nth: int = 0) -> dict[str, Any]:
    at = -1
    for _ in range(nth + 1):
        at = TEXT.index(quote, at + 1)
    return {"quote": quote, "start": at, "end": at + len(quote), "source_sha256": sha}


@pytest.fixture
def kept(tmp_path: Path, pdf: bytes) -> tuple[Path, str]:
    file, sha = tmp_path / "law.pdf", hashlib.sha256(pdf).hexdigest()
    file.write_bytes(pdf)
    originals.keep(tmp_path, file, sha)
    return tmp_path, sha


@pytest.mark.parametrize(
    ("quote", "nth", "page"), [("it processes, and shall write down", 0, 1), ("shall keep what", 0, 2), ("This line stands", 0, 1), ("This line stands", 1, 2)]
)
def test_a_quotation_is_shown_on_its_page(kept: tuple[Path, str], quote: str, nth: int, page: int) -> None:
    home, sha = kept
    shown = originals.printed(home, citation(quote, sha, nth), TEXT)
    assert (shown.get("page"), shown.get("of")) == (page, 2), shown


def test_what_is_not_certain_is_not_shown(kept: tuple[Path, str]) -> None:
    home, sha = kept
    across = citation("what it saw. This line stands on both pages.\n2. The controller", sha)
    assert "with certainty" in originals.printed(home, across, TEXT)["reason"]
    moved = {**citation("shall keep what", sha), "start": 0, "end": 15}
    assert "does not stand" in originals.printed(home, moved, TEXT)["reason"]
    assert "read it again" in originals.printed(home, citation("shall keep what", "0" * 64), TEXT)["reason"]


def test_only_the_pdf_of_this_hash_is_kept(tmp_path: Path, pdf: bytes) -> None:
    file = tmp_path / "law.pdf"
    for data, sha in ((pdf, "0" * 64), (b"<html>", hashlib.sha256(b"<html>").hexdigest())):
        file.write_bytes(data)
        originals.keep(tmp_path, file, sha)
    assert not (tmp_path / "originals").exists()


def test_a_span_outside_the_page_marks_nothing(pdf: bytes) -> None:
    assert sandbox.call(pages.picture, pdf, 1, Span(5000, 5005))[1] == ()
