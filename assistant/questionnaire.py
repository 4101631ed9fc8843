"""A customer's checklist in XLSX or CSV: its questions out, and drafted answers back into the same file.

One row a question. What a person has filled in stays; formatting stays; where there is no evidence the cell stays blank
and the status says so. Bytes in, bytes out: reading runs in the sandbox. Knows nothing of cards, law or models.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from assistant.errors import Unreadable
from assistant.export.view import printable
from assistant.export.xlsx import put

COLUMNS = ("Answer", "Evidence", "Citation", "Status")
NO_EVIDENCE, ANSWERED, KEPT = "no evidence", "drafted by machine, to be checked", "already answered"
MOST_ROWS, MOST_BYTES = 5_000, 200 << 20
_QUESTION = re.compile(r"^\W*(?:question|requirement|control|item|query|criterion|description)s?\b", re.I)
_NAMES = {
    "Answer": re.compile(r"^\W*(?:answer|response|reply|vendor (?:answer|response))s?\b", re.I),
    "Evidence": re.compile(r"^\W*(?:evidence|comment|explanation|details?|remarks?)\b", re.I),
    "Citation": re.compile(r"^\W*(?:citation|reference|source|clause)s?\b", re.I),
    "Status": re.compile(r"^\W*(?:status|state)\b", re.I),
}


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its place: the sheet ("" in CSV) and the row, counted from 1."""

    sheet: str
    row: int
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What to write beside a question; an empty answer says that there is no evidence."""

    answer: str = ""
    evidence: str = ""
    citation: str = ""


def questions(data: bytes, name: str) -> list[Question]:
    """Every question of a checklist, in order. Raises Unreadable when the file is no checklist."""
    if _is_xlsx(data):
        found = [q for sheet in _book(data).worksheets for q in _of_rows(sheet.title, [[c.value for c in row] for row in sheet.iter_rows(max_row=MOST_ROWS)])]
    else:
        found = list(_of_rows("", _table(data, name)[0]))
    if not found:
        raise Unreadable("no-questions", f"{name} has no column of questions", "Head one column 'Question'")
    return found


def fill(data: bytes, name: str, replies: Mapping[Question, Reply]) -> bytes:
    """The same file with an answer, its evidence, its citation and a status in the row of each question.

    Columns of that name are used when they are there, else added at the right end. A filled answer is left alone.
    """
    return _fill_xlsx(data, replies) if _is_xlsx(data) else _fill_csv(data, name, replies)


def _said(reply: Reply) -> dict[str, str]:
    status = ANSWERED if reply.answer.strip() else NO_EVIDENCE
    return {"Answer": reply.answer, "Evidence": reply.evidence, "Citation": reply.citation, "Status": status}


# ---- where the questions are -------------------------------------------------------------------------------------


def _of_rows(sheet: str, rows: Sequence[Sequence[Any]]) -> Iterator[Question]:
    head, column = _head(rows)
    if head < 0:
        return
    for number, row in enumerate(rows[head + 1 :], head + 2):
        text = str(row[column]).strip() if column < len(row) and row[column] is not None else ""
        if len(text) > 3:
            yield Question(sheet, number, text)


def _head(rows: Sequence[Sequence[Any]]) -> tuple[int, int]:
    """The row of headings and the column of questions, counted from 0; (-1, -1) when there is none.

    A heading that names questions wins; "description" and the like only when no better one stands beside it.
    """
    for number, row in enumerate(rows[:30]):
        named = [i for i, cell in enumerate(row) if isinstance(cell, str) and len(cell) < 60 and _QUESTION.match(cell)]
        filled = sum(cell is not None and str(cell).strip() != "" for cell in row)
        if named and (filled > 1 or len(row) == 1):  # a title alone in its row is no heading
            best = [i for i in named if re.match(r"\W*question", str(row[i]), re.I)] or named
            return number, _longest(rows[number + 1 :], best)
    return -1, -1


def _longest(rows: Sequence[Sequence[Any]], columns: Sequence[int]) -> int:
    """Of several columns the one with the most words: ids are short, questions long."""
    return max(columns, key=lambda c: sum(len(str(row[c])) for row in rows if c < len(row) and row[c] is not None))


# ---- XLSX --------------------------------------------------------------------------------------------------------


def _is_xlsx(data: bytes) -> bool:
    return data[:4] == b"PK\x03\x04"


def _book(data: bytes) -> Any:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as z:
            if sum(i.file_size for i in z.infolist()) > MOST_BYTES:
                raise Unreadable("too-large", "The workbook unpacks to more than 200 MB", "Give a smaller one")
        return load_workbook(io.BytesIO(data), rich_text=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, SyntaxError) as error:
        raise Unreadable("not-recognised", f"The workbook cannot be read: {error}", "Save it anew as .xlsx") from error


def _fill_xlsx(data: bytes, replies: Mapping[Question, Reply]) -> bytes:
    book = _book(data)
    for sheet in book.worksheets:
        rows = [[c.value for c in row] for row in sheet.iter_rows(max_row=MOST_ROWS)]
        head, _ = _head(rows)
        mine = [(q, r) for q, r in replies.items() if q.sheet == sheet.title]
        if head < 0 or not mine:
            continue
        columns = _columns(rows[head], sheet.max_column)
        for title, column in columns.items():
            _new_heading(sheet, head + 1, column + 1, title)
        for question, reply in mine:
            cells = {title: sheet.cell(question.row, column + 1) for title, column in columns.items()}
            said = _said(reply) if cells["Answer"].value in (None, "") else {"Status": KEPT}
            for title, text in said.items():
                if text and cells[title].value in (None, "") and not type(cells[title]).__name__.startswith("Merged"):
                    put(cells[title], text)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _columns(head: Sequence[Any], width: int) -> dict[str, int]:
    """Where each of our columns is, or will be, counted from 0; a heading is used once."""
    found: dict[str, int] = {}
    for title in COLUMNS:
        named = [i for i, cell in enumerate(head) if isinstance(cell, str) and _NAMES[title].match(cell) and i not in found.values()]
        if named:
            found[title] = named[0]
        else:
            found[title] = width
            width += 1
    return found


def _new_heading(sheet: Any, row: int, column: int, title: str) -> None:
    """Heads an added column as its neighbour is headed."""
    from openpyxl.utils import get_column_letter

    cell, beside = sheet.cell(row, column), sheet.cell(row, max(column - 1, 1))
    if cell.value not in (None, ""):
        return
    put(cell, title)
    for part in ("font", "fill", "border", "alignment"):
        setattr(cell, part, copy(getattr(beside, part)))
    sheet.column_dimensions[get_column_letter(column)].width = 22 if title == "Status" else 44


# ---- CSV ---------------------------------------------------------------------------------------------------------


def _table(data: bytes, name: str) -> tuple[list[list[str]], str, str]:
    """Rows, delimiter and encoding of a CSV file."""
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise Unreadable("not-recognised", f"{name} is neither XLSX nor text", "Save it as .xlsx or as CSV in UTF-8")
    if "\0" in text:
        raise Unreadable("not-recognised", f"{name} is neither XLSX nor text", "Save it as .xlsx or as CSV in UTF-8")
    try:
        mark = csv.Sniffer().sniff(text[:20_000], ",;\t|").delimiter
    except csv.Error:
        mark = ","
    try:
        rows = [row for row, _ in zip(csv.reader(io.StringIO(text, newline=""), delimiter=mark), range(MOST_ROWS))]
    except csv.Error as error:
        raise Unreadable("not-recognised", f"{name} cannot be read as CSV: {error}", "Save it anew") from error
    return rows, mark, encoding


def _fill_csv(data: bytes, name: str, replies: Mapping[Question, Reply]) -> bytes:
    rows, mark, encoding = _table(data, name)
    head, _ = _head(rows)
    if head < 0:
        return data
    columns = _columns(rows[head], len(rows[head]))
    width = max(columns.values()) + 1
    for title, column in columns.items():
        _set(rows[head], width, column, title)
    for question, reply in replies.items():
        row = rows[question.row - 1]
        answered = columns["Answer"] < len(row) and row[columns["Answer"]].strip()
        for title, text in ({"Status": KEPT} if answered else _said(reply)).items():
            _set(row, width, columns[title], text)
    out = io.StringIO(newline="")
    ending = "\r\n" if b"\r\n" in data else "\n"
    csv.writer(out, delimiter=mark, lineterminator=ending).writerows(rows)
    bom = encoding if data[:3] == b"\xef\xbb\xbf" else encoding.removesuffix("-sig")
    return out.getvalue().encode(bom, "replace")


def _set(row: list[str], width: int, column: int, text: str) -> None:
    """Writes into an empty cell; what a spreadsheet would take for a formula gets an apostrophe before it."""
    row.extend([""] * (width - len(row)))
    if text and not row[column].strip():
        clean = printable(text)
        row[column] = f"'{clean}" if clean[:1] in "=+-@\t\r" else clean
