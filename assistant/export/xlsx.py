"""A report as a workbook: summary with matrix and chart, findings, evidence, law, what to do, dates, conflicts, facts.

No cell is a formula: what begins with = + - @ is text. Each sheet has a frozen head, filters and widths.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from assistant.export import view
from assistant.export.settle import settle

FONT = "Calibri"
LONGEST = 32_000  # characters a cell may hold, with room to spare
Cell = str | int


def render(report: view.Report, texts: Mapping[str, str]) -> bytes:
    """The workbook."""
    from openpyxl import Workbook

    book = Workbook()
    _summary(book.active, report)
    for title, head, widths, rows in _sheets(report):
        _fill(book.create_sheet(title), head, widths, rows)
    _people(book, report)
    book["Findings"].page_setup.paperSize = book["Findings"].PAPERSIZE_A3
    return _saved(book, view.title_of(report), view.machine_mark(report), report)


def _sheets(report: view.Report) -> list[tuple[str, list[str], list[int], list[list[Cell]]]]:
    shown = [f for _, group in view.by_framework(report) for f in group]
    facets = [(f, x) for f in shown for x in f.get("facets") or []]
    blank = {"quote": "", "file": "", "start": "", "end": "", "section": ""}
    as_of, names = str(report.get("as_of")), [r.title for r in view.coverage(report)]
    facts = [[name, {True: "yes", False: "no", None: "unknown"}[x["value"]], str(x.get("source") or "")] for name, x in (report.get("facts") or {}).items()]
    return [
        ("Findings", list(FINDING_COLUMNS), list(FINDING_COLUMNS.values()), [_finding(f) for f in shown]),
        ("What to do", list(TODO_COLUMNS), list(TODO_COLUMNS.values()), [_todo(f) for f in view.remedies(report)]),
        (
            "Evidence", ["Requirement", "Asked for", "Facet status", "Quotation", "File", "From", "To", "Section"], [22, 44, 14, 70, 18, 8, 8, 24],
            [_evidence(f, x, e) for f, x in facets for e in (x["evidence"] or [blank])],
        ),
        (
            "Law", ["Requirement", "Provision", "Quotation", "Layer", "Version", "Standing", "Link", "Source SHA-256"], [22, 24, 80, 24, 12, 20, 40, 20],
            [_law(f, c) for f in shown for c in f.get("law") or []],
        ),
        (
            "Dates", ["From", f"On {as_of}", *names, "All"], [14, 16, *([12] * len(names)), 8],
            [[r.title, "still to come" if r.name > as_of else "applies", *r.counts.values(), r.total] for r in view.timeline(report)],
        ),
        (
            "Conflicts", ["Matter", "What pulls apart", "Framework", "Provision", "What it asks", "Link"], [34, 50, 12, 24, 60, 40],
            [[c["title"], c["tension"], p["framework"], p["citation"], p["asks"], p["link"]] for c in view.conflicts(report) for p in c["positions"]],
        ),
        ("Imaging", ["Kind of evidence", "In the card", "Quotation"], [52, 24, 90], view.imaging_rows(report)),
        ("Facts", ["Fact", "Value", "Source"], [32, 10, 80], facts),
    ]  # fmt: skip


FINDING_COLUMNS = {
    "Requirement": 22, "Framework": 12, "Provision": 24, "Title": 30, "Status": 19, "Severity": 10, "Applies from": 13, "Legal force": 18, "Why": 46,
    "To show": 9, "What to do": 46, "Owner": 16, "Decision": 12, "Decided by": 16, "Reason": 30, "Person's words": 40,
}  # fmt: skip
TODO_COLUMNS = {"Severity": 10, "Status": 19, "Provision": 24, "Title": 32, "What to do": 60, "Owner": 18, "Due": 12, "To show": 9, "Requirement": 22}


def _finding(f: Mapping[str, Any]) -> list[Cell]:
    review = f.get("review") or {}
    return [
        f["requirement"], view.framework_title(f["framework"]), f["citation"], f["title"], view.status_label(f), view.SEVERITY_LABELS[f["severity"]],
        str(f.get("applies_from") or ""), view.force_label(f), f["why"], view.still_to_show(f), view.remedy(f) if f["status"] in view.OPEN else "",
        str(f.get("owner") or ""), *(str(review.get(key) or "") for key in ("decision", "by", "reason", "edited")),
    ]  # fmt: skip


def _todo(f: Mapping[str, Any]) -> list[Cell]:
    severity, owner = view.SEVERITY_LABELS[f["severity"]], str(f.get("owner") or "")
    return [severity, view.status_label(f), f["citation"], f["title"], view.remedy(f), owner, "", view.still_to_show(f), f["requirement"]]


def _evidence(f: Mapping[str, Any], x: Mapping[str, Any], e: Mapping[str, Any]) -> list[Cell]:
    return [f["requirement"], x["asks"], x["status"], e["quote"], e["file"], e["start"], e["end"], str(e.get("section") or "")]


def _law(f: Mapping[str, Any], c: Mapping[str, Any]) -> list[Cell]:
    link, source = view.safe_link(c.get("link")), str(c.get("source_sha256") or "")
    return [f["requirement"], c["citation"], c["quote"], view.layer_label(c), c["version"], view.standing(c), link, source]


def render_draft(draft: view.Report, clauses: bool) -> bytes:
    """A draft as a checklist: every sentence with its source, the open questions with room for answers, the notes."""
    from openpyxl import Workbook

    book = Workbook()
    stamp: Any = book.active
    stamp.title = "About"
    about = [
        ["Document", view.draft_title(draft)],
        ["Mark", view.draft_mark(draft)],
        *map(list, view.stamp(draft)),
        ["About", draft["pack"]["about"]],
        ["Note", draft["pack"]["note"]],
    ]
    _fill(stamp, ["", ""], [18, 100], about)
    kinds = {"card": "Card", "law": "Asked for", "input": "Input needed"}
    rows: list[list[Cell]] = [
        [
            s["title"],
            e["title"],
            e["citation"] if clauses else "",
            " ".join(view.STATE_LABELS[e["state"]]),
            kinds[x["kind"]],
            x["text"],
            view.source(x) if x["kind"] == "card" else "",
            e["owner"],
            (x.get("review") or {}).get("edited") or "",
            view.decided(x)[1],
        ]
        for s, e in view.elements(draft)
        for x in e["sentences"]
    ]
    _fill(
        book.create_sheet("Checklist"),
        ["Section", "Element", "Provision", "State", "Kind", "Text", "Source", "Owner", "A person's words", "Review"],
        [30, 30, 24, 18, 13, 80, 34, 18, 60, 40],
        rows,
    )
    asked: list[list[Cell]] = [[x["owner"], e["title"], x["text"], "", "", ", ".join(x["requirements"]) if clauses else ""] for e, x in view.questions(draft)]
    _fill(book.create_sheet("Questions"), ["Owner", "Element", "Question", "Answer", "Due", "Requirements"], [18, 34, 70, 60, 12, 34], asked)
    if clauses:
        notes: list[list[Cell]] = [
            [n["n"], n["citation"], n["quote"], view.layer_label(n), n["version"], view.standing(n), view.safe_link(n.get("link"))] for n in draft["notes"]
        ]
        _fill(book.create_sheet("Notes"), ["No.", "Provision", "Quotation", "Layer", "Version", "Standing", "Link"], [6, 26, 90, 24, 12, 20, 40], notes)
    _people(book, draft)
    return _saved(book, view.draft_title(draft), view.draft_mark(draft), draft)


def _people(book: Any, report: view.Report) -> None:
    """A sheet each for signatures, disagreements, comments and tasks."""
    for title, head, rows in view.people(report):
        _fill(book.create_sheet(title[:31]), head, [30] * len(head), rows)


def _saved(book: Any, title: str, mark: str, stamped: view.Report) -> bytes:
    book.properties.creator = "Pincite (machine-made)"
    book.properties.title, book.properties.description, book.properties.keywords = title, mark, view.foot(stamped)
    out = io.BytesIO()
    book.save(out)
    return settle(out.getvalue(), str(stamped.get("as_of")))


def put(cell: Any, value: Cell) -> None:
    """Writes a value so that no programme takes it for a formula."""
    if isinstance(value, int):
        cell.value = value
        return
    text = view.printable(value)
    cell.value = text if len(text) <= LONGEST else text[:LONGEST] + " [cut: see the JSON export]"
    cell.data_type = "s"
    if text[:1] in "=+-@\t\r" and text:
        cell.quotePrefix = True


def _fill(sheet: Any, head: Sequence[str], widths: Sequence[int], rows: Sequence[Sequence[Cell]]) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    top = Alignment(vertical="top", wrap_text=True)
    colours = {view.STATUS_LABELS[s][1]: c for s, c in view.COLOURS.items()} | {"Gap against guidance": view.COLOURS["gap"]}
    for column, (title, width) in enumerate(zip(head, widths, strict=True), 1):
        _head(sheet.cell(1, column), title)
        sheet.column_dimensions[get_column_letter(column)].width = width
    for number, row in enumerate(rows, 2):
        for column, value in enumerate(row, 1):
            cell = sheet.cell(number, column)
            put(cell, value)
            cell.alignment = top
            cell.font = Font(name=FONT, size=11)
            if head[column - 1] == "Status" and value in colours:
                cell.font = Font(name=FONT, color="FFFFFF", bold=True)
                cell.fill = PatternFill("solid", fgColor=colours[str(value)][1:])
            if head[column - 1] == "Link" and value:
                cell.hyperlink = value
                cell.font = Font(name=FONT, color="0B57A4", underline="single")
        sheet.row_dimensions[number].height = height(row, widths)
    sheet.row_dimensions[1].height = height(head, widths)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(head))}{max(len(rows) + 1, 2)}"
    _page(sheet)


def height(row: Sequence[Cell], widths: Sequence[int]) -> float:
    """The height in points that shows the row's longest cell whole, up to what a row may have."""
    lines = max(sum(-(-max(len(part), 1) // max(width - 1, 1)) for part in str(value).split("\n")) for value, width in zip(row, widths, strict=True))
    return min(15.0 * lines + 1, 400.0)


def tint(colour: str, share: float) -> str:
    """A colour "#rrggbb" mixed into white, as "rrggbb"; the larger the share, the stronger."""
    mix = 0.18 + 0.42 * share
    return "".join(f"{round(255 - (255 - int(colour[i : i + 2], 16)) * mix):02X}" for i in (1, 3, 5))


def _head(cell: Any, title: str) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill

    put(cell, title)
    cell.font = Font(name=FONT, bold=True)
    cell.fill = PatternFill("solid", fgColor="E6EAF0")
    cell.alignment = Alignment(vertical="top", wrap_text=True)


def _page(sheet: Any) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"
    sheet.oddFooter.left.text = "Machine-made by Pincite; no verdict, no legal advice"
    sheet.oddFooter.right.text = "&P of &N"


def _summary(sheet: Any, report: view.Report) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill

    sheet.title = "Summary"
    put(sheet.cell(1, 1), view.title_of(report))
    sheet.cell(1, 1).font = Font(name=FONT, bold=True, size=14)
    put(sheet.cell(2, 1), view.machine_mark(report))
    sheet.cell(2, 1).alignment = Alignment(wrap_text=True, vertical="top")
    sheet.merge_cells("A2:I2")
    sheet.row_dimensions[2].height = 32
    at = 4
    for name, value in view.stamp(report):
        put(sheet.cell(at, 1), name)
        put(sheet.cell(at, 2), value)
        sheet.cell(at, 1).font = Font(name=FONT, color="566070")
        at += 1
    at += 1
    statuses = view.statuses(report)
    for column, title in enumerate(["Framework", *(view.STATUS_LABELS[s][1] for s in statuses), "All"], 1):
        _head(sheet.cell(at, column), title)
    sheet.row_dimensions[at].height = 31
    for row in view.coverage(report):
        at += 1
        put(sheet.cell(at, 1), row.title)
        for column, n in enumerate([*(row.counts[s] for s in statuses), row.total], 2):
            put(sheet.cell(at, column), n)
            sheet.cell(at, column).alignment = Alignment(horizontal="center")
            if column <= len(statuses) + 1 and n:
                sheet.cell(at, column).fill = PatternFill("solid", fgColor=tint(view.COLOURS[statuses[column - 2]], n / row.total))
    _severity(sheet, report, at + 2)
    for letter, width in zip("ABCDEFGHI", (18, 16, 12, 12, 14, 14, 14, 14, 10), strict=True):
        sheet.column_dimensions[letter].width = width
    _page(sheet)
    sheet.page_setup.fitToHeight = 1
    sheet.print_title_rows = None


def _severity(sheet: Any, report: view.Report, at: int) -> None:
    from openpyxl.chart import BarChart, Reference
    from openpyxl.styles import Alignment

    rows = view.severities(report)
    for column, title in enumerate(["Severity", *(view.STATUS_LABELS[s][1] for s in rows[0].counts)], 1):
        _head(sheet.cell(at, column), title)
    sheet.row_dimensions[at].height = 31
    for number, row in enumerate(rows, at + 1):
        put(sheet.cell(number, 1), row.title)
        for column, n in enumerate(row.counts.values(), 2):
            put(sheet.cell(number, column), n)
            sheet.cell(number, column).alignment = Alignment(horizontal="center")
    chart = BarChart()
    chart.type, chart.grouping, chart.overlap, chart.gapWidth = "bar", "stacked", 100, 60
    chart.add_data(Reference(sheet, min_col=2, max_col=5, min_row=at, max_row=at + len(rows)), titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=1, min_row=at + 1, max_row=at + len(rows)))
    for series, status in zip(chart.series, rows[0].counts, strict=True):
        series.graphicalProperties.solidFill = view.COLOURS[status][1:]
    chart.title, chart.height, chart.width = "Findings by severity", 6.5, 20
    chart.y_axis.delete = chart.x_axis.delete = False
    chart.x_axis.scaling.orientation = "maxMin"
    sheet.add_chart(chart, f"A{at + len(rows) + 2}")
