"""The Council's PDF of an act before its adoption: its position at first reading, read as a proposal of a known act.

How far a row stands from the margin says how deep its number stands. Knows the Council's page, not the act; refuses
acts that amend others, whose points are mostly words of those others.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant import pdf
from assistant.errors import Unreadable
from assistant.law import Instrument
from assistant.pdf import Row
from assistant.readers import euact
from assistant.readers.euact import Line

_COVER = re.compile(r"LEGISLATIVE ACTS AND OTHER INSTRUMENTS|WETGEVINGSBESLUITEN EN ANDERE INSTRUMENTEN|PE-CONS \d+/\d\d")
_ACTS = (("repealing Directive 95/46/EC (General Data Protection Regulation)", "gdpr"),)  # no number is given before adoption
_DATE = re.compile(r"Brussels, (\d{1,2}) (\w+) (\d{4})")
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_LABEL = re.compile(r"(\d{1,3}\.|\((?:\d{1,3}|[a-z]{1,2}|[ivx]{1,5})\)|[–—-])\s+(?=\S)")
_ALONE = re.compile(r"(?:CHAPTER [IVX]+|SECTION \d+|Article \d+)\s*$")
_STEPS = (57.0, 99.0, 128.0, 156.0)  # where numbered paragraphs, their points and what stands below begin


def is_council(first: str) -> bool:
    """Whether the first page is the cover of a legislative act among the Council's documents."""
    return bool(_COVER.search(" ".join(first.split())))


def read(document: pdf.Document, first: str, file: tuple[str, bytes]) -> list[Instrument]:
    """The proposed act; raises `Unreadable` for any other than the acts known."""
    cover = " ".join(first.split())
    act = next((instrument for words, instrument in _ACTS if words in cover), "")
    dated = _DATE.search(cover)
    if not act or not dated or dated[2].lower() not in _MONTHS:
        number = re.search(r"PE-CONS \d+/\d\d|\b\d{4,5}/\d\d\b", cover)
        raise Unreadable(
            "proposal",
            f"a text before its adoption ({number[0] if number else 'Council document'}) that is not a whole act known here: {cover[:60]}",
            "Give the act as adopted, or the consolidated text of the act that it amends.",
        )
    lines = [*_lines(list(_paragraphs(document))), *(Line("note", words) for words in _notes(document))]
    title = " ".join(line.words for line in lines if line.kind == "title")
    date = f"{dated[3]}-{_MONTHS.index(dated[2].lower()) + 1:02}-{int(dated[1]):02}"
    source = euact.Source(act, f"{title} (position of the Council, before adoption)", date, "en", "original", "council-pdf", [file])
    return [replace(euact.instrument(source, euact.build(act, lines), [("proposal", "Council position at first reading")]), kind="proposal")]


def _paragraphs(document: pdf.Document) -> Iterator[list[Row]]:
    """The paragraphs after the cover, without feet and footnotes: rows a line apart, also over a page's end."""
    held: list[Row] = []
    for page in document.pages[1:]:
        for row in page:
            if row.y < _FOOT or _is_note(row):  # the foot of the page, or its first footnote and all below
                break
            if held and not _goes_on(held, row):
                yield held
                held = []
            held.append(replace(row, chunks=tuple(c for c in row.chunks if not (c.size < 0.75 * row.size and re.fullmatch(r"[\d\s*]+", c.text)))))
    if held:
        yield held


_FOOT = 60.0


def _is_note(row: Row) -> bool:
    """Whether a row begins a footnote: with a raised figure."""
    return row.chunks[0].size < 0.75 * row.size and row.chunks[0].text.strip(" *").isdigit()


def _notes(document: pdf.Document) -> Iterator[str]:
    """The footnotes, page by page."""
    for page in document.pages[1:]:
        start = next((at for at, row in enumerate(page) if _is_note(row)), len(page))
        yield from (row.text for row in page[start:] if row.y >= _FOOT)


def _goes_on(held: Sequence[Row], row: Row) -> bool:
    before = held[-1]
    if _ALONE.match(before.text) or row.bold != before.bold or (row.italic != before.italic and (row.x > 130 or before.x > 130)):
        return False
    if row.page == before.page:
        return before.y - row.y < 1.9 * row.size
    ended = re.search(r"[.;:]$", before.text) is not None
    return not ended and not _LABEL.match(row.text)


def _lines(paragraphs: Sequence[Sequence[Row]]) -> Iterator[Line]:
    part, listed = "title", 0  # `listed`: 1 where an article's own list is numbered (1), (2): its points stand one deeper
    headed = False
    for rows in paragraphs:
        words, first = pdf.join(rows), rows[0]
        label = _LABEL.match(words)
        step = min(range(len(_STEPS)), key=lambda n: abs(_STEPS[n] - first.x))
        if re.match(r"Done at ", words) or part == "final":
            part = "final"
            yield Line("final", words)
        elif _ALONE.match(words) and first.bold:
            part, headed = "body", True
            yield Line("division", label=words.strip())
        elif _ALONE.match(words) and first.italic:
            part, headed, listed = "body", True, 0
            yield Line("article", label=words.strip())
        elif headed and (first.italic or first.bold):
            yield Line("heading", words)
        elif part == "title" and first.bold:
            yield Line("title", words)
        elif part in ("title", "preamble"):
            part = "preamble"
            yield Line("recital", words[label.end() :], label[1], 1) if label and first.x < 70 else Line("words", words, depth=step + 1 if step else 0)
        else:
            headed = False
            if step == 0 and label:
                listed = int(label[1].startswith("("))
            depth = step + listed
            yield Line("point", words[label.end() :], label[1], depth) if label else Line("words", words, depth=depth)
