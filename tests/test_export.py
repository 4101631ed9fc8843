"""Every format opened again in its own library: every finding in it, every quotation exact, the same bytes each time."""

import io
import json
import re
import uuid
import zipfile
from html.parser import HTMLParser
from typing import Any

import openpyxl
import pytest
from docx import Document
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pypdf import PdfReader

from assistant.errors import UsageError
from assistant.export import FORMATS, docx, markdown, render, sarif, view
from assistant.export.html import bars
from assistant.export.xlsx import put
from assistant.verify import normalise
from tests import made_up

STEP = 9
VERDICTS = re.compile(r"\b(?:non-)?(?:complian(?:t|ce)|certified|approved)\b", re.I)


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return made_up.report(STEP)


@pytest.fixture(scope="module")
def files(report: dict[str, Any]) -> dict[str, bytes]:
    return {f: render(f, report, {"README.md": made_up.CARD_TEXT}) for f in ("json", *FORMATS)}


class Words(HTMLParser):
    """The text of a page by element: all of it, and that of its quotations."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.quotes: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.links += [str(found[k]) for k in ("href", "src") if k in found]
        self.ids += [str(found["id"])] if "id" in found else []

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def feed_page(self, page: str) -> "Words":
        """Reads a page; text between <blockquote> and its end is a quotation."""
        self.feed(page)
        self.quotes = [Words._plain(q) for q in re.findall(r"<blockquote[^>]*>(.*?)</blockquote>", page, re.S)]
        return self

    @staticmethod
    def _plain(markup: str) -> str:
        inner = Words()
        inner.feed(markup)
        return "".join(inner.text)


def flat(text: str) -> str:
    return normalise(text).replace(" ", "")


def quotations(report: dict[str, Any]) -> tuple[set[str], set[str]]:
    """What the report quotes from the law and from the card, not applicable findings left out."""
    shown = [f for f in report["findings"] if f["status"] != "not-applicable"]
    law = {c["quote"] for f in shown for c in f["law"]}
    card = {e["quote"] for f in shown for x in f["facets"] for e in x["evidence"]}
    assert len(law) > 10 and len(card) == 3
    return law, card


def text_of(format: str, data: bytes) -> str:
    """All words of a file, read by its own library."""
    if format == "html":
        return "".join(Words().feed_page(data.decode()).text)
    if format == "md":
        return "".join(Words().feed_page(MarkdownIt("commonmark").enable("table").render(data.decode())).text)
    if format == "docx":
        return "\n".join(docx.paragraphs(data))
    if format == "pdf":
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)
    if format == "xlsx":
        return "\n".join(str(c) for s in openpyxl.load_workbook(io.BytesIO(data)) for row in s.iter_rows(values_only=True) for c in row if c is not None)
    return "\n".join(strings(json.loads(data)))


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [s for v in value.values() for s in strings(v)]
    if isinstance(value, list):
        return [s for v in value for s in strings(v)]
    return [str(value)]


@pytest.mark.parametrize("format", ["json", *FORMATS])
def test_every_export_carries_its_stamp(format: str, files: dict[str, bytes], report: dict[str, Any]) -> None:
    text = text_of(format, files[format])
    for needle in (report["run"], report["as_of"], report["corpus_digest"], report["audit_head"], report["card"]["sha256"], "0 of "):
        assert flat(needle) in flat(text), needle
    if format != "json":
        assert flat("Machine-made by pincite 0.1.0") in flat(text)
        assert flat(view.official(report)) in flat(text)


@pytest.mark.parametrize("format", ["html", "md", "docx", "pdf", "xlsx"])
def test_every_finding_and_quotation_stands_in_every_document(format: str, files: dict[str, bytes], report: dict[str, Any]) -> None:
    text = flat(re.sub(r"Machine-made by Pincite · run .*?page\s*\d*", "", text_of(format, files[format]).replace("\n", " ")))
    law, card = quotations(report)
    if format == "pdf":  # columns side by side and running feet cut a long quotation: its lines are there
        missing = [q for q in law | card if any(flat(w) not in text for w in normalise(q).split(" ")[:6])]
    else:
        missing = [q for q in law | card if flat(q) not in text]
    assert not missing
    for finding in report["findings"]:
        assert flat(finding["title"]) in text
        assert flat(finding["citation"]) in text
    for words in ("Severity", "What to do", "DPDP", "Gap against guidance"):
        assert flat(words) in text


@pytest.mark.parametrize("format", ["json", *FORMATS])
def test_the_same_report_gives_the_same_bytes(format: str, files: dict[str, bytes], report: dict[str, Any]) -> None:
    assert render(format, json.loads(json.dumps(report)), {"README.md": made_up.CARD_TEXT}) == files[format]


@pytest.mark.parametrize("format", [f for f in FORMATS if f not in ("sarif", "oscal")])
def test_another_run_differs_only_in_its_stamp(format: str, report: dict[str, Any], files: dict[str, bytes]) -> None:
    other = text_of(format, render(format, {**report, "run": "another-run-1"}))
    assert other.replace("another-run-1", "R") == text_of(format, files[format]).replace(report["run"], "R")


@pytest.mark.parametrize("format", FORMATS)
def test_no_export_gives_a_verdict(format: str, report: dict[str, Any]) -> None:
    bare = [{**f, "title": "T", "obligation": "O", "law": [], "facets": [], "remedy": "", "citation": "C", "why": "W."} for f in report["findings"]]
    text = text_of(format, render(format, {**report, "findings": bare, "card": {"name": "c", "sha256": "0"}}))
    assert not VERDICTS.findall(text)


@pytest.mark.parametrize("format", ["json", *FORMATS])
def test_an_empty_report_can_be_exported(format: str) -> None:
    empty = {"schema": "pincite/gaps@1", "as_of": "2026-11-22", "card": {"name": "", "sha256": ""}, "findings": []}
    assert len(render(format, empty)) > 20


def test_an_unknown_format_names_the_known_ones(report: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="no format 'odt'") as error:
        render("odt", report)
    assert "docx" in error.value.hint


@pytest.mark.parametrize("format", ["html", "md", "docx", "pdf", "xlsx"])
def test_a_persons_decision_stands_beside_the_machines_words(format: str, report: dict[str, Any]) -> None:
    finding = next(f for f in report["findings"] if f["status"] == "gap")
    review = {
        "decision": "edit",
        "reason": "seen in the risk file",
        "edited": "Shown in RMF-7.",
        "by": "Ada Example",
        "time": "2026-11-22T09:00:00Z",
        "audit": "x",
    }
    text = flat(text_of(format, render(format, {**report, "findings": [{**finding, "review": review}]})))
    for needle in (finding["why"], "Ada Example", "seen in the risk file", "Shown in RMF-7."):
        assert flat(needle) in text


# ---- HTML --------------------------------------------------------------------------------------------------------


def test_the_page_needs_nothing_else_and_runs_nothing(files: dict[str, bytes]) -> None:
    page = Words().feed_page(files["html"].decode())
    assert not {"script", "iframe", "object", "img", "link", "form"} & set(page.tags)
    outside = [link for link in page.links if not link.startswith("#")]
    assert outside and all(link.startswith("https://") for link in outside)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert b"url(" not in files["html"] and b"@import" not in files["html"]
    assert b"prefers-color-scheme: dark" in files["html"] and b"@media print" in files["html"]


def test_quotations_of_law_and_card_stand_in_quotation_elements(files: dict[str, bytes], report: dict[str, Any]) -> None:
    law, card = quotations(report)
    quoted = {normalise(q) for q in Words().feed_page(files["html"].decode()).quotes}
    assert quoted == {normalise(q) for q in law | card}


def test_every_chart_has_a_description_and_a_table(files: dict[str, bytes]) -> None:
    page = files["html"].decode()
    charts = re.findall(r"<svg[^>]*>", page)
    assert len(charts) == 2 and all('role="img"' in c and "aria-label" in c for c in charts)
    assert all("<table" in page[m.end() : m.end() + 900] for m in re.finditer(r"</svg>", page))


def test_a_link_that_is_no_web_address_is_dropped(report: dict[str, Any]) -> None:
    finding = next(f for f in report["findings"] if f["law"] and f["status"] == "gap")
    bad = {**finding, "law": [{**finding["law"][0], "link": "javascript:alert(1)"}]}
    for format in ("html", "md", "docx", "pdf", "xlsx", "sarif", "oscal"):
        assert b"javascript:" not in render(format, {**report, "findings": [bad]})


def test_bars_are_on_one_scale() -> None:
    rows = [view.Row("a", "A", {"gap": 4, "partial": 4}), view.Row("b", "B", {"gap": 0, "partial": 2})]
    long, short = bars(rows)
    assert long["end"] == 560 and short["end"] == 140
    assert [s["name"] for s in short["segments"]] == ["partial"]


# ---- Markdown ----------------------------------------------------------------------------------------------------


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=80))
def test_markdown_shows_exactly_the_words_it_was_given(words: str) -> None:
    shown = Words().feed_page(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown.escape(words)))
    assert normalise("".join(shown.text)) == normalise(words)
    assert set(shown.tags) <= {"p"}


# ---- DOCX and PDF ------------------------------------------------------------------------------------------------


def test_the_document_carries_its_mark_in_properties_and_foot(files: dict[str, bytes]) -> None:
    paper = Document(io.BytesIO(files["docx"]))
    assert "Machine-made by pincite" in paper.core_properties.comments
    assert "machine-made" in paper.core_properties.keywords
    assert paper.sections[0].footer.paragraphs[0].text.startswith("Machine-made by Pincite · run 0f3c2d1e-run · as of 2026-11-22")
    assert {"Coverage by framework", "Severity", "What to do", "GDPR"} <= {p.text for p in paper.paragraphs if p.style.name == "Heading 1"}
    assert len(paper.inline_shapes) == 2
    info = PdfReader(io.BytesIO(files["pdf"])).metadata
    assert info is not None and "Machine-made by pincite" in str(info.subject)


def test_the_archive_has_fixed_times(files: dict[str, bytes]) -> None:
    for format in ("docx", "xlsx"):
        with zipfile.ZipFile(io.BytesIO(files[format])) as z:
            assert {i.date_time for i in z.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert z.testzip() is None


# ---- XLSX --------------------------------------------------------------------------------------------------------


def test_no_cell_is_a_formula(files: dict[str, bytes]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))
    cells = [c for s in book for row in s.iter_rows() for c in row if c.value is not None]
    assert not [c for c in cells if c.data_type == "f"]
    assert [c for c in cells if c.value == made_up.AWKWARD and c.data_type == "s" and c.quotePrefix]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0"])
def test_what_looks_like_a_formula_is_text(text: str) -> None:
    book = openpyxl.Workbook()
    put(book["Sheet"]["A1"], text)
    out = io.BytesIO()
    book.save(out)
    cell = openpyxl.load_workbook(io.BytesIO(out.getvalue()))["Sheet"]["A1"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == (text, "s", True)


def test_sheets_have_filters_a_frozen_head_and_one_row_a_finding(files: dict[str, bytes], report: dict[str, Any]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))
    assert book.sheetnames == ["Summary", "Findings", "What to do", "Evidence", "Law", "Dates", "Conflicts", "Imaging", "Facts"]
    for sheet in list(book)[1:]:
        assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref
    rows = list(book["Findings"].iter_rows(min_row=2, values_only=True))
    assert {r[0] for r in rows} == {f["requirement"] for f in report["findings"]}
    law, card = quotations(report)
    assert card <= {r[3] for r in book["Evidence"].iter_rows(values_only=True)}
    assert law <= {r[2] for r in book["Law"].iter_rows(values_only=True)}


# ---- SARIF and OSCAL ---------------------------------------------------------------------------------------------


def test_sarif_points_at_the_lines_of_the_card(files: dict[str, bytes], report: dict[str, Any]) -> None:
    run = json.loads(files["sarif"])["runs"][0]
    lines = made_up.CARD_TEXT.split("\n")
    regions = [r["locations"][0]["physicalLocation"]["region"] for r in run["results"]]
    snippets = [r for r in regions if "snippet" in r]
    assert snippets
    for region in snippets:
        quote = region["snippet"]["text"]
        assert made_up.CARD_TEXT[region["charOffset"] :][: region["charLength"]] == quote
        assert lines[region["startLine"] - 1][region["startColumn"] - 1 :].startswith(quote.split("\n")[0])
        assert lines[region["endLine"] - 1][: region["endColumn"] - 1].endswith(quote.split("\n")[-1])
    rules = [r["id"] for r in run["tool"]["driver"]["rules"]]
    assert all(rules[r["ruleIndex"]] == r["ruleId"] for r in run["results"])
    assert {r["level"] for r in run["results"]} <= {"error", "warning", "note", "none"}
    open_ = [f for f in report["findings"] if f["status"] in ("gap", "partial", "needs-information")]
    assert len(run["results"]) == len(open_)
    weak = {f["requirement"] for f in open_ if not f["legal_force"].startswith("binding")}
    assert weak and all(r["level"] in ("note", "none") for r in run["results"] if r["ruleId"] in weak)


def test_a_card_check_points_at_lines() -> None:
    problems = [
        {"file": "a b.md", "line": 7, "severity": "error", "field": "users", "message": "Intended users are not stated"},
        {"file": "a b.md", "line": 0, "severity": "odd", "field": "", "message": "The front matter cannot be read"},
    ]
    run = json.loads(sarif.render_check({"problems": problems}))["runs"][0]
    places = [r["locations"][0]["physicalLocation"] for r in run["results"]]
    assert [(p["artifactLocation"]["uri"], p["region"]["startLine"]) for p in places] == [("a%20b.md", 7), ("a%20b.md", 1)]
    assert [(r["ruleId"], r["level"]) for r in run["results"]] == [("card/users", "error"), ("card/unreadable", "warning")]
    assert [r["id"] for r in run["tool"]["driver"]["rules"]] == ["card/users", "card/unreadable"]


def test_oscal_calls_partial_not_satisfied(files: dict[str, bytes], report: dict[str, Any]) -> None:
    results = json.loads(files["oscal"])["assessment-results"]
    result = results["results"][0]
    state = {f["target"]["target-id"]: f["target"]["status"]["state"] for f in result["findings"]}
    expected = {"evidence-found": "satisfied", "partial": "not-satisfied", "gap": "not-satisfied"}
    assert state == {f["requirement"]: expected[f["status"]] for f in report["findings"] if f["status"] in expected}
    partial = next(f for f in result["findings"] if f["target"]["target-id"] == next(x["requirement"] for x in report["findings"] if x["status"] == "partial"))
    assert {"coverage": "partial"}.items() <= {p["name"]: p["value"] for p in partial["target"]["props"]}.items()
    ids = {o["uuid"] for o in result["observations"]}
    assert len(ids) == len(report["findings"])
    assert all(f["related-observations"][0]["observation-uuid"] in ids for f in result["findings"])
    assert results["import-ap"]["href"] == "#" + results["back-matter"]["resources"][0]["uuid"]
    assert all(uuid.UUID(i).version == 5 for i in re.findall(r'"uuid": "([^"]+)"', files["oscal"].decode()))
    assert "[]" not in files["oscal"].decode()  # OSCAL allows no empty list


# ---- view --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("force", "status", "label"),
    [
        ("binding", "gap", "Gap"),
        ("binding-addressable", "gap", "Gap"),
        ("guidance-draft", "gap", "Gap against guidance"),
        ("principle", "gap", "Gap against guidance"),
        ("guidance-draft", "partial", "Partial"),
        ("principle", "evidence-found", "Evidence found"),
    ],
)
def test_a_gap_against_what_does_not_bind_reads_so(force: str, status: str, label: str) -> None:
    assert view.status_label({"legal_force": force, "status": status}) == label


def test_remedies_run_from_severe_to_slight_and_law_before_guidance(report: dict[str, Any]) -> None:
    order = [(("critical", "major", "minor").index(f["severity"]), not view.binds(f), len(view.lacking(f))) for f in view.remedies(report)]
    assert order == sorted(order) and len({o[0] for o in order}) > 1
    assert {f["status"] for f in view.remedies(report)} == {"gap", "partial"}


def test_counts_add_up(report: dict[str, Any]) -> None:
    n = len(report["findings"])
    assert sum(view.totals(report).values()) == n == sum(r.total for r in view.coverage(report))
    out = sum(f["status"] == "not-applicable" for f in report["findings"])
    assert sum(r.total for r in view.timeline(report)) == n - out == sum(r.total for r in view.dates_ahead(report))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("The device reads every film that the\narchive sends to it.", "The device reads every film that the archive sends to it."),
        ("- one thing that is long enough to have wrapped\n- another", "- one thing that is long enough to have wrapped\n- another"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("first\n\nsecond", "first\n\nsecond"),
    ],
)
def test_wrapped_lines_flow_and_lists_stay(given: str, shown: str) -> None:
    assert view.reflow(given) == shown
    assert normalise(view.reflow(given)) == normalise(given)


@given(st.text(max_size=200))
def test_reflow_changes_no_word(text: str) -> None:
    assert normalise(view.reflow(text)) == normalise(view.printable(text))


def test_a_markdown_table_is_read_into_cells() -> None:
    assert view.grid("| a | b |\n|---|:--|\n| 1 | 2 |") == [["a", "b"], ["1", "2"]]
    assert view.grid("| a | b |\n|---|---|\n| 1 |") == [] == view.grid("a | b")
