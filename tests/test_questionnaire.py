"""A checklist is answered in place: what was there stays, what has no evidence stays blank, nothing becomes a formula."""

import csv
import io
import json
from pathlib import Path

import openpyxl
import pytest
from openpyxl.styles import Font, PatternFill

from assistant import assess, cli, corpus, modelcard, replies, triage
from assistant.errors import Unreadable
from assistant.questionnaire import ANSWERED, KEPT, NO_EVIDENCE, Question, Reply, fill, questions
from assistant.verify import normalise
from tests.fakes import stub_bench

CARD = corpus.root() / "cards" / "chest-xray-triage"

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


# ---- what a card shows on a question -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shown() -> dict[str, str]:
    """What the thorough sample card answers, by question."""
    card = modelcard.parse_card([(f.name, f.read_bytes()) for f in sorted(CARD.iterdir()) if f.name != "facts.json"])
    facts = triage.facts(card, json.loads((CARD / "facts.json").read_text("utf8")))
    analysis = assess.assess(card, corpus.requirements(), facts, "2026-11-22", lambda p: (), "", True)
    texts = {f.name: f.text for f in card.files}
    found = replies.replies([*SPOKEN, *SILENT], analysis)
    for one in (s.evidence for q in found for s in found[q]):
        assert texts[one.file][one.start : one.end] == one.quote
    return {q: normalise(" ".join(s.evidence.quote for s in found[q])) for q in found}


SPOKEN = {
    "What is the intended use of the software?": "notifies the reading radiologist when a pneumothorax is suspected",
    "Who is your data protection officer?": "dpo@lumenbay.example",
    "What are sensitivity and specificity on external data?": "sensitivity was 0.912",
    "Do you have a software bill of materials?": "CycloneDX form lists 143 components",
    "How are known vulnerabilities patched?": "patched within 30 days",
    "Is penetration testing performed, and how often?": "a penetration test by an outside laboratory",
    "How was the reference standard established?": "the majority of three thoracic radiologists",
    "Is the device CE marked, and in which class?": "CE marked as class IIa",
    "Which hardware is required?": "8 cores, 32 GB memory",
    "Do you have an ISO 13485 certificate?": "certified to ISO 13485:2016",
}
SILENT = (
    "Has the model been tested on children?",
    "Is data encrypted at rest and in transit?",
    "Do you hold a SOC 2 report?",
    "What is your disaster recovery plan?",
    "Do you have cyber insurance?",
    "What is your refund policy?",
    "How many employees do you have?",
    "Is there a data processing agreement template?",
)


@pytest.mark.parametrize("question", SPOKEN)
def test_a_question_is_answered_by_the_cards_own_words(shown: dict[str, str], question: str) -> None:
    assert SPOKEN[question] in shown[question]


@pytest.mark.parametrize("question", SILENT)
def test_what_the_card_does_not_speak_of_stays_blank(shown: dict[str, str], question: str) -> None:
    assert shown[question] == ""


@pytest.mark.parametrize(
    ("question", "law"),
    [
        ("What must a DPIA contain under the GDPR?", True),
        ("Which records does 45 CFR 164.316 ask for?", True),
        ("Do you comply with the GDPR?", False),
        ("Is the model tested on children?", False),
    ],
)
def test_without_a_card_only_questions_on_the_law_are_answered(question: str, law: bool) -> None:
    assert replies.on_law(question) is law


def test_the_command_answers_a_file_in_place(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    bench = stub_bench(home)
    monkeypatch.setattr(cli.cards, "bench", lambda: bench)
    (tmp_path / "in.csv").write_text("No,Question,Answer\n1,Which hardware is required?,\n2,Do you have cyber insurance?,\n", "utf8")
    with pytest.raises(SystemExit) as left:
        cli.main(["questionnaire", str(tmp_path / "in.csv"), "-o", str(tmp_path / "out.csv"), "--card", str(CARD)])
    assert left.value.code == 0 and "1 of 2 questions" in capsys.readouterr().out
    rows = list(csv.reader(io.StringIO((tmp_path / "out.csv").read_text("utf8"))))
    assert rows[1][2].startswith("Runs on premises on a Linux server") and rows[1][3].startswith("README.md, line 244") and rows[1][5] == ANSWERED
    assert rows[2][2:] == ["", "", "", NO_EVIDENCE]
    last = next(iter(bench.audit_tail(1)))
    assert (last.action, last.body["questions"], last.body["drafted"]) == ("questionnaire", 2, 1)
