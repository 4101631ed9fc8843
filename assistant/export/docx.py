"""A report as a Word document: matrix, charts, what to do, conflicts, findings with both quotations side by side.

Times in the file are the as-of date, so that the same report gives the same bytes.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from assistant.errors import Unreadable
from assistant.export import charts, view
from assistant.export.settle import settle

LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"


def render(report: view.Report, texts: Mapping[str, str]) -> bytes:
    """The document."""
    paper = new_document(view.title_of(report), view.machine_mark(report), str(report.get("as_of")), view.foot(report))
    paper.add_heading(view.title_of(report), 0)
    mark(paper, view.machine_mark(report))
    table(paper, ["", ""], [[n, v] for n, v in view.stamp(report)], (4.0, 12.8), head=False)
    _people(paper, report)
    _counts(paper, report)
    _todo(paper, report)
    _conflicts(paper, report)
    if rows := view.imaging_rows(report):
        paper.add_heading(view.IMAGING_TITLE, 1)
        paper.add_paragraph(view.IMAGING_NOTE)
        table(paper, ["Kind", "In the card", "Quotation"], rows, (6.0, 2.8, 8.0))
    for name, group in view.by_framework(report):
        paper.add_heading(view.framework_title(name), 1)
        for finding in group:
            if finding["status"] != "not-applicable":
                _finding(paper, finding)
        _left_out(paper, group)
    facts = report.get("facts") or {}
    if facts:
        paper.add_heading("Facts on which applicability rests", 1)
        words = {True: "yes", False: "no", None: "unknown"}
        table(paper, ["Fact", "Value", "Source"], [[n, words[x["value"]], str(x.get("source") or "")] for n, x in facts.items()], (5.0, 2.0, 9.8))
    return saved(paper, str(report.get("as_of")))


def _counts(paper: Any, report: view.Report) -> None:
    statuses, totals = view.statuses(report), view.totals(report)
    paper.add_heading("Coverage by framework", 1)
    rows = [[r.title, *(str(r.counts[s]) for s in statuses), str(r.total)] for r in view.coverage(report)]
    rows.append(["All", *(str(totals[s]) for s in statuses), str(len(view.findings(report)))])
    widths = (2.2, *([13.6 / len(statuses)] * len(statuses)), 1.0) if statuses else (15.8, 1.0)
    made = table(paper, ["Framework", *(" ".join(view.STATUS_LABELS[s]) for s in statuses), "All"], rows, widths, size=7.5)
    for line in range(1, len(rows)):
        for column, status in enumerate(statuses, 1):
            if rows[line - 1][column] != "0":
                shade(made.cell(line, column), _tint(view.COLOURS[status]))
    paper.add_heading("Severity", 1)
    rows_ = view.severities(report)
    picture(paper, charts.severity_png(rows_), "Findings by severity and status; the table below has the same numbers")
    table(
        paper,
        ["Severity", *(" ".join(view.STATUS_LABELS[s]) for s in rows_[0].counts), "All shown"],
        [[r.title, *map(str, r.counts.values()), str(r.total)] for r in rows_],
        (3.0, 2.8, 2.8, 3.6, 3.4, 1.8),
    )
    names = [r.name for r in view.coverage(report)]
    dates = view.dates_ahead(report)
    if not dates:
        return
    paper.add_heading("When the requirements apply", 1)
    picture(paper, charts.dates_png(dates), "Requirements by the date from which they apply; the table below has the same numbers")
    table(
        paper, ["From", f"On {report.get('as_of')}", *(view.framework_title(n) for n in names), "All"],
        view.date_rows(report),
        (2.6, 2.8, *([11.0 / (len(names) + 1)] * (len(names) + 1))),
    )  # fmt: skip


def _todo(paper: Any, report: view.Report) -> None:
    paper.add_heading("What to do", 1)
    rows = view.remedy_rows(report)
    if not rows:
        paper.add_paragraph("No gap and no partial finding among the requirements assessed.")
        return
    table(paper, ["Severity", "Finding", "What to do", "Owner", "To show"], rows, (1.7, 5.2, 6.2, 2.2, 1.6))


def _conflicts(paper: Any, report: view.Report) -> None:
    found = view.conflicts(report)
    if found:
        paper.add_heading("Where the frameworks pull apart", 1)
        paper.add_paragraph("Shown side by side, not averaged. The descriptions are ours; the provisions are linked.")
    for one in found:
        paper.add_heading(one["title"], 2)
        paper.add_paragraph(one["tension"])
        made = table(paper, ["Framework", "Provision", "What it asks"], [[p["framework"], "", p["asks"]] for p in one["positions"]], (2.4, 4.2, 10.2))
        for line, p in enumerate(one["positions"], 1):
            link(made.cell(line, 1).paragraphs[0], p["citation"], p["link"], 8.5)


def _finding(paper: Any, f: Mapping[str, Any]) -> None:
    paper.add_heading(view.printable(f["title"]), 2)
    line = paper.add_paragraph()
    status = line.add_run(f"{view.STATUS_LABELS[f['status']][0]} {view.status_label(f)}")
    status.bold = True
    _colour(status, view.COLOURS[f["status"]])
    line.add_run(f" · {view.SEVERITY_LABELS[f['severity']].lower()} · {f['citation']} · {view.force_label(f)} · {f['requirement']}")
    paper.add_paragraph(view.printable(f["why"]))
    made = table(paper, ["The law", "The card"], [["", ""]], (8.4, 8.4))
    _law(made.cell(1, 0), f)
    _card(made.cell(1, 1), f)
    if f["status"] in view.OPEN:
        todo = paper.add_paragraph()
        todo.add_run("What to do. ").bold = True
        todo.add_run(view.printable(view.remedy(f)) + (f" (Owner: {f['owner']})" if f.get("owner") else ""))
    if view.review_line(f):
        paper.add_paragraph().add_run(f"Review. {view.review_line(f)}").italic = True


def _law(cell: Any, f: Mapping[str, Any]) -> None:
    small(cell.paragraphs[0], view.printable(str(f.get("obligation") or "")) + " (our words)")
    for c in f.get("law") or []:
        quotation(cell, c["quote"])
        source = cell.add_paragraph()
        link(source, c["citation"], view.safe_link(c.get("link")))
        small(source, f" · {view.layer_label(c)} · version {c['version']} · {view.standing(c)}")
    if not f.get("law"):
        small(cell.add_paragraph(), "Not quoted: this provision is not in the library.")


def _card(cell: Any, f: Mapping[str, Any]) -> None:
    words = {"found": "✓ Found: ", "missing": "✗ Missing: ", "contradicted": "! Contradicted: "}
    for number, x in enumerate(f.get("facets") or []):
        asked = cell.paragraphs[0] if number == 0 else cell.add_paragraph()
        small(asked, words[x["status"]]).bold = True
        small(asked, view.printable(x["asks"]))
        for e in x["evidence"]:
            quotation(cell, view.reflow(e["quote"]))
            small(cell.add_paragraph(), view.place(e))
        if view.doubted(x):
            small(cell.add_paragraph(), view.doubted(x))


def _left_out(paper: Any, group: Sequence[Mapping[str, Any]]) -> None:
    out = [f for f in group if f["status"] == "not-applicable"]
    if out:
        paper.add_heading(f"Not applicable ({len(out)})", 2)
        table(paper, ["Requirement", "Provision", "Why"], [[f["title"], f["citation"], f["why"]] for f in out], (5.6, 4.4, 6.8))


# ---- drafts --------------------------------------------------------------------------------------------------------


def render_draft(draft: view.Report, clauses: bool, template: bytes | None = None) -> bytes:
    """A draft as Word; `clauses` shows addresses, requirement ids and notes; `template` is a house template (.docx)."""
    day = str(draft.get("as_of"))
    paper = new_document(view.draft_title(draft), view.draft_mark(draft), day, view.foot(draft), template)
    paper.add_heading(view.draft_title(draft), 0)
    mark(paper, view.draft_mark(draft))
    small(paper.add_paragraph(), view.head_line(draft))
    for text in (draft["pack"]["about"], draft["pack"]["note"]):
        paper.add_paragraph(text)
    paper.add_heading("Where this draft stands", 1)
    table(paper, ["Section", "Element", "State", "Open", "Owner"], view.standing_rows(draft), (4.5, 5.2, 2.8, 1.6, 2.7))
    _people(paper, draft)
    for section in draft["sections"]:
        paper.add_heading(section["title"], 1)
        if section["about"]:
            paper.add_paragraph(section["about"])
        for element in section["elements"]:
            paper.add_heading(element["title"] + (f" ({element['citation']})" if clauses else ""), 2)
            for sentence in element["sentences"]:
                _decided(paper, sentence, clauses)
    _notes(paper, draft, clauses)
    paper.add_heading("About this copy", 1)
    table(paper, ["", ""], [[n, v] for n, v in view.stamp(draft)], (4.0, 12.8), head=False)
    return saved(paper, day)


def _people(paper: Any, report: view.Report) -> None:
    """Signatures, disagreements, comments and tasks."""
    for title, head, rows in view.people(report):
        paper.add_heading(title, 1)
        table(paper, head, rows, [16.8 / len(head)] * len(head))


def _decided(paper: Any, x: Mapping[str, Any], clauses: bool) -> None:
    shown, line = view.decided(x)
    if shown:
        _sentence(paper, shown, clauses)
    if line:
        small(paper.add_paragraph(), line).italic = True


def _sentence(paper: Any, x: Mapping[str, Any], clauses: bool) -> None:
    from docx.shared import Pt

    line = paper.add_paragraph()
    if x["kind"] == "person":
        line.add_run(view.printable(x["text"]))
    elif x["kind"] == "law":
        line.add_run(view.asked_for(x)).italic = True
        if clauses:
            line.add_run(f" [{x['note']}]").font.superscript = True
    elif x["kind"] == "card":
        line.paragraph_format.keep_with_next = True
        line.paragraph_format.space_before = Pt(4)
        line.add_run(view.printable(f"{x['label']}:")).bold = True
        for block in view.blocks(x["text"]):
            if isinstance(block, str):
                quotation(paper, block).paragraph_format.keep_with_next = True
            else:
                table(paper, block[0], block[1:], [16.6 / len(block[0])] * len(block[0]))
        source = paper.add_paragraph()
        small(source, f"— {view.source(x)}")
        source.paragraph_format.space_after = Pt(7)
    else:
        line.paragraph_format.space_before, line.paragraph_format.space_after = Pt(3), Pt(7)
        run = line.add_run(view.printable(x["text"]))
        run.bold = True
        _highlight(run)
        small(line, f"  {view.asked_by(x, clauses)}").font.size = Pt(8)
        line.paragraph_format.space_after = Pt(7)


def _highlight(run: Any) -> None:
    from docx.enum.text import WD_COLOR_INDEX

    run.font.highlight_color = WD_COLOR_INDEX.YELLOW


def _notes(paper: Any, draft: view.Report, clauses: bool) -> None:
    if not clauses or not draft["notes"]:
        return
    paper.add_heading("Notes", 1)
    paper.add_paragraph(f"{view.official(draft)}.")
    for n in draft["notes"]:
        line = paper.add_paragraph()
        line.add_run(f"[{n['n']}] ")
        link(line, n["citation"], view.safe_link(n.get("link")), 10)
        line.add_run(f", {view.noted(n)}:")
        quotation(paper, n["quote"])


# ---- Word itself, for reports and drafts ---------------------------------------------------------------------------


def new_document(title: str, mark: str, day: str, foot: str, template: bytes | None = None) -> Any:
    """An A4 document with the house's styles, its mark in the properties and in the foot; `template` is a .docx of the user's."""
    from docx import Document
    from docx.shared import Cm, Pt, RGBColor

    paper = _house(template) if template else Document()
    core = paper.core_properties
    core.title, core.author, core.comments, core.keywords = title, "Pincite (machine-made draft)", mark, "machine-made"
    core.created = core.modified = datetime.fromisoformat(f"{day}T00:00:00")
    core.last_modified_by = "Pincite"
    if template is None:
        page = paper.sections[0]
        page.page_width, page.page_height = Cm(21), Cm(29.7)
        page.left_margin = page.right_margin = Cm(2.1)
        page.top_margin = page.bottom_margin = Cm(2)
        for name, size in (("Normal", 10), ("Title", 20), ("Heading 1", 14), ("Heading 2", 11.5), ("Heading 3", 10.5)):
            style = paper.styles[name]
            style.font.name, style.font.size = "Calibri", Pt(size)
            fonts = style.element.rPr.rFonts
            for kind in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
                fonts.attrib.pop(f"{{http://schemas.openxmlformats.org/wordprocessingml/2006/main}}{kind}", None)
            if name != "Normal":
                style.font.color.rgb = RGBColor(0x1C, 0x24, 0x30)
        paper.styles["Normal"].paragraph_format.space_after = Pt(5)
    _footer(paper, foot)
    return paper


def _house(template: bytes) -> Any:
    """The user's template, with the styles that a draft needs where it lacks them."""
    from docx import Document
    from docx.enum.style import WD_STYLE_TYPE

    try:
        paper = Document(io.BytesIO(template))
    except (ValueError, KeyError, SyntaxError, zipfile.BadZipFile, OSError) as error:
        raise Unreadable("not-recognised", "The template cannot be read as a Word document", "Save it in Word as a document (.docx), not as .dotx") from error
    held = {style.name for style in paper.styles if style.type == WD_STYLE_TYPE.PARAGRAPH}
    for name in ("Title", "Heading 1", "Heading 2"):
        if name not in held:
            paper.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH).font.bold = True
    return paper


def _footer(paper: Any, foot: str) -> None:
    from docx.shared import Pt

    line = paper.sections[0].footer.paragraphs[0]
    if line.text.strip():
        line = paper.sections[0].footer.add_paragraph()  # the house's own foot stays
    line.add_run(view.printable(foot) + " · page ")
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        _field(line.add_run(), kind, text)
    for run in line.runs:
        run.font.size = Pt(6.5)


def _field(run: Any, kind: str, text: str) -> None:
    """A part of a field, each in a run of its own so that each takes the run's size."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    part = OxmlElement("w:fldChar" if kind else "w:instrText")
    if kind:
        part.set(qn("w:fldCharType"), kind)
    part.text = text or None
    run._r.append(part)


def saved(paper: Any, day: str) -> bytes:
    """The document's bytes, the same each time."""
    out = io.BytesIO()
    paper.save(out)
    return settle(out.getvalue(), day)


def mark(paper: Any, text: str) -> None:
    """The machine-made mark as a shaded paragraph."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    line = paper.add_paragraph()
    line.add_run(view.printable(text)).bold = True
    fill = OxmlElement("w:shd")
    fill.set(qn("w:val"), "clear")
    fill.set(qn("w:fill"), "FFF4E0")
    line._p.get_or_add_pPr().append(fill)


def table(paper: Any, titles: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float], head: bool = True, size: float = 8.5) -> Any:
    """A ruled table with fixed widths in cm; its head repeats on each page."""
    from docx.oxml import OxmlElement
    from docx.shared import Cm

    room = _room(paper)
    widths = [w * room / sum(widths) for w in widths] if sum(widths) > room else widths
    made = paper.add_table(rows=0, cols=len(titles))
    made.autofit = False
    _rules(made)
    for number, row in enumerate([titles, *rows] if head else rows):
        cells = made.add_row().cells
        for cell, text, width in zip(cells, row, widths, strict=True):
            cell.width = Cm(width)
            run = small(cell.paragraphs[0], view.printable(text), size)
            if head and number == 0:
                run.bold = True
                shade(cell, "E6EAF0")
    if head:
        made.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    for column, width in zip(made.columns, widths, strict=True):
        column.width = Cm(width)
    paper.add_paragraph().paragraph_format.space_after = Cm(0.1)
    return made


def _room(paper: Any) -> float:
    """The width between the margins in cm; a house template may have less than ours."""
    page = paper.sections[0]
    return float(page.page_width - page.left_margin - page.right_margin) / 360_000  # English Metric Units


def _rules(made: Any) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    borders = OxmlElement("w:tblBorders")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        line = OxmlElement(f"w:{side}")
        for key, value in (("val", "single"), ("sz", "4"), ("color", "C3CAD3")):
            line.set(qn(f"w:{key}"), value)
        borders.append(line)
    made._tbl.tblPr.append(borders)


def small(paragraph: Any, text: str, size: float = 8.5) -> Any:
    """A run in small print, tight above and below."""
    from docx.shared import Pt

    paragraph.paragraph_format.space_after = Pt(2)
    run = paragraph.add_run(text)
    run.font.size = Pt(size)
    return run


def quotation(cell: Any, words: str) -> Any:
    """A quotation as an indented paragraph of exactly these words."""
    from docx.shared import Cm, Pt

    line = cell.add_paragraph()
    line.paragraph_format.left_indent = Cm(0.3)
    line.paragraph_format.space_after = Pt(1)
    run = line.add_run(view.printable(words))
    run.font.size = Pt(9)
    run.italic = True
    return line


def link(paragraph: Any, words: str, url: str, size: float = 8.5) -> None:
    """A hyperlink, or the words alone where there is no address."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    run = paragraph.add_run(view.printable(words))
    run.font.size = Pt(size)
    if url:
        run.font.color.rgb = RGBColor(0x0B, 0x57, 0xA4)
        run.font.underline = True
        outer = OxmlElement("w:hyperlink")
        outer.set(qn("r:id"), paragraph.part.relate_to(url, LINK, is_external=True))
        paragraph._p.remove(run._r)
        outer.append(run._r)
        paragraph._p.append(outer)


def shade(cell: Any, fill: str) -> None:
    """A cell's background, "RRGGBB"."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    part = OxmlElement("w:shd")
    part.set(qn("w:val"), "clear")
    part.set(qn("w:fill"), fill)
    cell._tc.get_or_add_tcPr().append(part)


def picture(paper: Any, png: bytes, words: str) -> None:
    """A chart with its description for those who do not see it."""
    from docx.shared import Cm

    shape = paper.add_picture(io.BytesIO(png), width=Cm(16))
    shape._inline.docPr.set("descr", words)


def _colour(run: Any, colour: str) -> None:
    from docx.shared import RGBColor

    run.font.color.rgb = RGBColor.from_string(colour[1:].upper())


def _tint(colour: str) -> str:
    return "".join(f"{round(255 - (255 - int(colour[i : i + 2], 16)) * 0.25):02X}" for i in (1, 3, 5))


def paragraphs(data: bytes) -> Iterator[str]:
    """Every paragraph's words, those of tables too; what a check reads back."""
    from docx import Document
    from docx.text.paragraph import Paragraph

    paper = Document(io.BytesIO(data))
    for element in paper.element.body.iter("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}p"):
        yield Paragraph(element, paper._body).text
