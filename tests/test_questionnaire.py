"""A checklist is answered in place: what was there stays, what has no evidence stays blank, nothing becomes a formula."""

import csv
import io

import openpyxl
import pytest
from openpyxl.styles import Font, PatternFill

from assistant.errors import Unreadable
from assistant.questionnaire import ANSWERED, KEPT, NO_EVIDENCE, Question, Reply, fill, questions

ROWS = [
    ["Vendor checklist", None, None],
    ["No.", "Question", "Response"],
    [1, "Do you keep logs for six months?", None],
    [2, "Who is the data protection officer?", "Ada Example"],
    [3, "Is the model tested on children?", None],
]


def workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book["Sheet"]
    sheet.title = "Security"
    for row in ROWS:
        sheet.append(row)
    for cell in sheet[2]:
        cell.font, cell.fill = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="1F4E79")
    sheet["B3"].font = Font(italic=True)
    sheet.column_dimensions["B"].width = 61
    sheet["A7"] = "=SUM(A3:A5)"
    book.create_sheet("Notes").append(["only text"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def answers(found: list[Question]) -> dict[Question, Reply]:
    first, second, third = found
    return {
        first: Reply("=Logs are kept for a year.", "README.md, line 7: “Logs are kept for a year.”", "Art. 19(1) AI Act"),
        second: Reply("other"),
        third: Reply(),
    }


def test_questions_are_found_with_their_rows() -> None:
    assert questions(workbook(), "q.xlsx") == [Question("Security", n, str(ROWS[n - 1][1])) for n in (3, 4, 5)]


def test_a_workbook_is_answered_in_place() -> None:
    data = workbook()
    book = openpyxl.load_workbook(io.BytesIO(fill(data, "q.xlsx", answers(questions(data, "q.xlsx")))))
    sheet = book["Security"]
    assert [c.value for c in sheet[2]] == ["No.", "Question", "Response", "Evidence", "Citation", "Status"]
    assert [c.value for c in sheet[3]][2:] == ["=Logs are kept for a year.", "README.md, line 7: “Logs are kept for a year.”", "Art. 19(1) AI Act", ANSWERED]
    assert sheet["C3"].data_type == "s"
    assert [c.value for c in sheet[4]][2:] == ["Ada Example", None, None, KEPT]
    assert [c.value for c in sheet[5]][2:] == [None, None, None, NO_EVIDENCE]


def test_formatting_formulas_and_other_sheets_stay() -> None:
    data = workbook()
    book = openpyxl.load_workbook(io.BytesIO(fill(data, "q.xlsx", answers(questions(data, "q.xlsx")))))
    sheet = book["Security"]
    assert sheet["B3"].font.italic and sheet.column_dimensions["B"].width == 61
    assert sheet["A7"].value == "=SUM(A3:A5)"
    assert sheet["F2"].font.bold and sheet["F2"].fill.fgColor.rgb == sheet["B2"].fill.fgColor.rgb
    assert book["Notes"]["A1"].value == "only text" and book["Notes"].max_column == 1


@pytest.mark.parametrize(("mark", "ending", "bom"), [(",", "\n", b""), (";", "\r\n", b"\xef\xbb\xbf"), ("\t", "\n", b"")])
def test_a_csv_is_answered_in_place(mark: str, ending: str, bom: bytes) -> None:
    rows = [
        ["Id", "Question", "Answer"],
        ["1", 'Who signs, and "how"?', ""],
        ["2", "Where is it kept; for how long?", "In Berlin"],
        ["3", "Why is that so, at all?", ""],
    ]
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=mark, lineterminator=ending).writerows(rows)
    data = bom + out.getvalue().encode()
    found = questions(data, "q.csv")
    assert [(q.row, q.text) for q in found] == [(n, rows[n - 1][1]) for n in (2, 3, 4)]
    filled = fill(data, "q.csv", {found[0]: Reply("-1 person", "x", "y"), found[1]: Reply("z"), found[2]: Reply()})
    assert filled.startswith(bom) and ending.encode() in filled
    got = list(csv.reader(io.StringIO(filled.decode("utf-8-sig"), newline=""), delimiter=mark))
    assert got == [
        ["Id", "Question", "Answer", "Evidence", "Citation", "Status"],
        ["1", 'Who signs, and "how"?', "'-1 person", "x", "y", ANSWERED],
        ["2", "Where is it kept; for how long?", "In Berlin", "", "", KEPT],
        ["3", "Why is that so, at all?", "", "", "", NO_EVIDENCE],
    ]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "no-questions"),
        (b"name,age\nx,3\n", "no-questions"),
        (b"PK\x03\x04 not a zip", "not-recognised"),
        (b"\x00\x01\x02binary", "not-recognised"),
    ],
)
def test_what_is_no_checklist_is_refused_in_one_line(data: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as error:
        questions(data, "q")
    assert error.value.code == code and "\n" not in error.value.line()


def test_answering_twice_changes_nothing_more() -> None:
    data = workbook()
    found = questions(data, "q.xlsx")
    once = fill(data, "q.xlsx", answers(found))
    twice = openpyxl.load_workbook(io.BytesIO(fill(once, "q.xlsx", answers(found))))["Security"]
    assert [c.value for c in twice[3]] == [c.value for c in openpyxl.load_workbook(io.BytesIO(once))["Security"][3]]
    assert twice.max_column == 6
