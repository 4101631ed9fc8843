"""Parts of the Code of Federal Regulations as PDF: the eCFR's own, and the HHS print of 45 CFR 160, 162 and 164 of 2013.

Rows and their fonts become lines for `cfr`. Knows nothing of addresses.
"""

import re
from collections.abc import Iterator, Sequence

from assistant import pdf
from assistant.law import Instrument
from assistant.pdf import Row
from assistant.readers import cfr, ecfr
from assistant.readers.cfr import OFF, ON, Line

_ECFR = re.compile(r"(?P<title>\d+) CFR (?:Part )?(?P<part>\d+)\b[^\n]*?\(up to date as of (?P<month>\d+)/(?P<day>\d+)/(?P<year>\d{4})\)")
_HHS = re.compile(r"45 CFR Parts 160, 162, and 164\s*\(Unofficial Version, as amended through (?P<month>\w+) (?P<day>\d+), (?P<year>\d{4})\)")
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
HHS_COLUMNS = 3


def is_ecfr(first: str) -> bool:
    """Whether the first page is that of the eCFR's own PDF of a part."""
    return bool(_ECFR.search(first)) and "eCFR" in first


def is_hhs(first: str) -> bool:
    """Whether the first page is that of the HHS print of the HIPAA regulations."""
    return bool(_HHS.search(" ".join(first.split())))


# ---- the eCFR's PDF ----------------------------------------------------------------------------------------------


def read_ecfr(document: pdf.Document, first: str, file: tuple[str, bytes]) -> list[Instrument]:
    """The part in an eCFR PDF."""
    found = _ECFR.search(first)
    assert found is not None
    part = cfr.Part(found["title"], found["part"])
    rows = [row for page in document.pages for row in page if 45 < row.y < document.sizes[row.page][1] - 45]
    start = next((i for i, row in enumerate(rows) if row.size > 15 and row.text.startswith("PART ")), 0)
    part.lines.extend(_ecfr_lines(rows[start:]))
    version = f"{found['year']}-{int(found['month']):02}-{int(found['day']):02}"
    return [ecfr.instrument(part, version, "original", "ecfr-pdf", file)]


_NOTED = re.compile(r"(?:Authority|Source|Editorial Note|Cross Reference|Effective Date Note)s?:")


def _ecfr_lines(rows: Sequence[Row]) -> Iterator[Line]:
    table = False
    for group in _spaced(rows):
        words = pdf.join(group, marked=True)
        text = cfr.bare(words)
        first = group[0]
        if first.size > 15:
            yield cfr.head("part", text)
        elif first.size > 11.5 and first.bold:
            table = text.startswith("Appendix")
            yield cfr.head("section" if text.startswith("§") else "appendix" if table else "subpart" if text.startswith("Subpart") else "group", text)
        elif (first.bold is False and first.chunks[0].bold and _NOTED.match(text)) or (first.size < 10 and first.italic and text.startswith("[")):
            yield Line("note", text)
        elif first.size < 10:
            yield Line("plain", " | ".join(cell for row in group for cell in _cells(row)))
        else:
            yield Line("p", words)


def _spaced(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows that are one paragraph; over a page's end a paragraph goes on when the next row hangs where its last one did."""
    held: list[Row] = []
    for row in rows:
        if held and not _goes_on(held, row):
            yield held
            held = []
        held.append(row)
    if held:
        yield held


_LABELLED = re.compile(rf"{ON}?\(\s?{ON}?\w{{1,5}}{OFF}?\s?\)")


def _goes_on(held: list[Row], row: Row) -> bool:
    """Whether a row continues the paragraph before it."""
    before = held[-1]
    if abs(row.size - before.size) > 0.4 or (row.size < 9.8 and not before.italic) or row.bold != before.bold:
        return False
    ended = bool(re.search(r"(?:[.;:—\]”\"]|\b(?:and|or))$", before.text))
    if row.page == before.page:
        return 0 < before.y - row.y < 1.6 * row.size and not (_LABELLED.match(row.marked) and before.text.endswith((".", ";", ":")))
    if _LABELLED.match(row.marked):
        return not ended
    if len(held) == 1:
        return not ended
    return abs(row.x - before.x) < 2 and (abs(held[0].x - before.x) > 5 or not ended)


def _cells(row: Row) -> list[str]:
    """The cells of a table's row: what stands well apart."""
    cells: list[str] = []
    end = -1e9
    for chunk in row.chunks:
        apart = chunk.x - end > 8
        cells = [*cells, chunk.text] if apart else [*cells[:-1], cells[-1] + chunk.text]
        end = chunk.x + 0.5 * chunk.size * len(chunk.text)
    return [" ".join(cell.split()) for cell in cells if cell.strip()]


# ---- the HHS print -----------------------------------------------------------------------------------------------


def read_hhs(document: pdf.Document, first: str, file: tuple[str, bytes]) -> list[Instrument]:
    """The three parts in the HHS print of 2013."""
    found = _HHS.search(" ".join(first.split()))
    assert found is not None
    version = f"{found['year']}-{_MONTHS.index(found['month'].lower()) + 1:02}-{int(found['day']):02}"
    parts: list[cfr.Part] = []
    for line in _hhs_lines(document):
        if line.kind == "part":
            number = re.search(r"\d+", line.label)
            parts.append(cfr.Part("45", number[0] if number else ""))
        if parts:
            parts[-1].lines.append(line)
    return [ecfr.instrument(part, version, "original", "hhs-pdf", file) for part in parts]


_NOTE = re.compile(r"(?:AUTHORITY|SOURCE|EDITORIAL NOTE|Editorial Note|Effective Date Note)S?:|\[\d+ FR ")


def _hhs_lines(document: pdf.Document) -> Iterator[Line]:
    """The lines of the three parts; each part's table of contents is passed over."""
    rows = [row for page in document.pages for row in page if 50 < row.y < 730 and "....." not in row.text]
    first = next((i for i, row in enumerate(rows) if row.bold and row.text.startswith("PART 160")), 0)
    contents = False
    for group in _spaced(rows[first:]):
        words = pdf.join(group, marked=True)
        text = cfr.bare(words)
        if group[0].bold and text.startswith("PART 16"):
            contents = True
            yield cfr.head("part", text)
        elif (contents and not _NOTE.match(text) and not group[0].bold) or text == "Contents":
            continue
        elif group[0].bold and re.match(r"Subparts? [A-Z]|§ ?16\d|Appendix ", text):
            contents = False
            yield cfr.head("section" if text.startswith("§") else "appendix" if text.startswith("App") else "subpart", text)
        elif _NOTE.match(text):
            yield Line("note", text)
        else:
            yield Line("p", words)
