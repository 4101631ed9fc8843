"""A report as PDF: matrix, charts, what to do, conflicts, and findings with both quotations side by side.

Set in DejaVu Sans (it comes with matplotlib), which holds Latin, Greek and Cyrillic; other scripts show as boxes.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape as xml

from assistant.export import charts, view

FONT = "PinciteSans"
WIDTH = 482.0  # points between the margins of an A4 page


def render(report: view.Report, texts: Mapping[str, str]) -> bytes:
    """The document."""
    return build(view.title_of(report), view.machine_mark(report), view.foot(report), list(_story(report)))


def _story(report: view.Report) -> Iterator[Any]:
    yield para(view.title_of(report), "title")
    yield para(view.machine_mark(report), "mark")
    yield table([[n, v] for n, v in view.stamp(report)], (90, WIDTH - 90), head=False)
    yield from _people(report)
    yield from _counts(report)
    yield from heading("What to do", "h1")
    rows = view.remedy_rows(report)
    yield (
        table([["Severity", "Finding", "What to do", "Owner", "To show"], *rows], (48, 150, 178, 62, 44))
        if rows
        else para("No gap and no partial finding among the requirements assessed.")
    )
    yield from _conflicts(report)
    if rows := view.imaging_rows(report):
        yield from heading(view.IMAGING_TITLE, "h1")
        yield para(view.IMAGING_NOTE)
        yield table([["Kind", "In the card", "Quotation"], *rows], (170, 80, 232))
    for name, group in view.by_framework(report):
        yield from heading(view.framework_title(name), "h1")
        for finding in group:
            if finding["status"] != "not-applicable":
                yield from _finding(finding)
        out = [f for f in group if f["status"] == "not-applicable"]
        if out:
            yield from heading(f"Not applicable ({len(out)})", "h2")
            yield table([["Requirement", "Provision", "Why"], *([f["title"], f["citation"], f["why"]] for f in out)], (160, 122, 200))
    facts = report.get("facts") or {}
    if facts:
        words = {True: "yes", False: "no", None: "unknown"}
        yield from heading("Facts on which applicability rests", "h1")
        yield table([["Fact", "Value", "Source"], *([n, words[x["value"]], str(x.get("source") or "")] for n, x in facts.items())], (150, 52, 280))


def _counts(report: view.Report) -> Iterator[Any]:
    statuses, totals = view.statuses(report), view.totals(report)
    yield from heading("Coverage by framework", "h1")
    rows = [[r.title, *(str(r.counts[s]) for s in statuses), str(r.total)] for r in view.coverage(report)]
    rows.append(["All", *(str(totals[s]) for s in statuses), str(len(view.findings(report)))])
    fills = {(c, r): view.COLOURS[s] for r in range(1, len(rows)) for c, s in enumerate(statuses, 1) if rows[r - 1][c] != "0"}
    each = (WIDTH - 62 - 30) / max(len(statuses), 1)
    yield table([["Framework", *(" ".join(view.STATUS_LABELS[s]) for s in statuses), "All"], *rows], (62, *([each] * len(statuses)), 30), fills=fills)
    yield from heading("Severity", "h1")
    severe = view.severities(report)
    yield picture(charts.severity_png(severe))
    yield table(
        [
            ["Severity", *(" ".join(view.STATUS_LABELS[s]) for s in severe[0].counts), "All shown"],
            *([r.title, *map(str, r.counts.values()), str(r.total)] for r in severe),
        ],
        (72, 82, 82, 82, 82, 82),
    )
    dates, names = view.dates_ahead(report), [r.name for r in view.coverage(report)]
    if dates:
        yield from heading("When the requirements apply", "h1")
        yield picture(charts.dates_png(dates))
        yield table(
            [["From", f"On {report.get('as_of')}", *(view.framework_title(n) for n in names), "All"], *view.date_rows(report)],
            (70, 90, *([(WIDTH - 160) / (len(names) + 1)] * (len(names) + 1))),
        )


def _conflicts(report: view.Report) -> Iterator[Any]:
    found = view.conflicts(report)
    if found:
        yield from heading("Where the frameworks pull apart", "h1")
        yield para("Shown side by side, not averaged. The descriptions are ours; the provisions are linked.")
    for one in found:
        yield from heading(one["title"], "h2")
        yield para(one["tension"])
        yield table(
            [["Framework", "Provision", "What it asks"], *([p["framework"], raw(link(p["citation"], p["link"]), "cell"), p["asks"]] for p in one["positions"])],
            (62, 130, 290),
        )


def _finding(f: Mapping[str, Any]) -> Iterator[Any]:
    yield from heading(f["title"], "h2")
    status = f'<font color="{view.COLOURS[f["status"]]}"><b>{view.STATUS_LABELS[f["status"]][0]} {view.status_label(f)}</b></font>'
    yield raw(
        f"{status} · {view.SEVERITY_LABELS[f['severity']].lower()} · {safe(f['citation'])} · {safe(view.force_label(f))} · {safe(f['requirement'])}", "small"
    )
    yield para(f["why"])
    law: list[Any] = [para(f"{f.get('obligation') or ''} (our words)", "small")]
    for c in f.get("law") or []:
        law.append(para(c["quote"], "quote"))
        law.append(
            raw(
                f"{link(c['citation'], view.safe_link(c.get('link')))} · {safe(view.layer_label(c))} · version {safe(c['version'])} · {safe(view.standing(c))}",
                "small",
            )
        )
    if not f.get("law"):
        law.append(para("Not quoted: this provision is not in the library.", "small"))
    card: list[Any] = []
    words = {"found": "✓ Found:", "missing": "✗ Missing:", "contradicted": "! Contradicted:"}
    for x in f.get("facets") or []:
        card.append(raw(f"<b>{words[x['status']]}</b> {safe(x['asks'])}", "small"))
        for e in x["evidence"]:
            card += [para(view.reflow(e["quote"]), "quote"), para(view.place(e), "small")]
        if view.doubted(x):
            card.append(para(view.doubted(x), "small"))
    yield sides(law, card)
    if f["status"] in view.OPEN:
        yield raw(f"<b>What to do.</b> {safe(view.remedy(f))}" + (f" (Owner: {safe(f['owner'])})" if f.get("owner") else ""))
    if view.review_line(f):
        yield raw(f"<i>Review. {safe(view.review_line(f))}</i>")


# ---- drafts --------------------------------------------------------------------------------------------------------


def render_draft(draft: view.Report, clauses: bool) -> bytes:
    """A draft as PDF; `clauses` shows addresses, requirement ids and notes."""
    return build(view.draft_title(draft), view.draft_mark(draft), view.foot(draft), list(_draft(draft, clauses)))


def _draft(draft: view.Report, clauses: bool) -> Iterator[Any]:
    yield para(view.draft_title(draft), "title")
    yield para(view.draft_mark(draft), "mark")
    yield para(view.head_line(draft), "small")
    yield para(draft["pack"]["about"])
    yield para(draft["pack"]["note"])
    yield from heading("Where this draft stands", "h1")
    yield table([["Section", "Element", "State", "Open", "Owner"], *view.standing_rows(draft)], (132, 150, 84, 30, 86))
    yield from _people(draft)
    for section in draft["sections"]:
        yield from heading(section["title"], "h1")
        if section["about"]:
            yield para(section["about"])
        for element in section["elements"]:
            yield from heading(element["title"] + (f" ({element['citation']})" if clauses else ""), "h2")
            for sentence in element["sentences"]:
                yield from _decided(sentence, clauses)
    if clauses and draft["notes"]:
        yield from heading("Notes", "h1")
        yield para(f"{view.official(draft)}.")
        for n in draft["notes"]:
            yield raw(
                f"[{n['n']}] {link(n['citation'], view.safe_link(n.get('link')))}, {safe(view.noted(n))}:",
                "small",
            )
            yield para(n["quote"], "quote")
    yield from heading("About this copy", "h1")
    yield table([[n, v] for n, v in view.stamp(draft)], (90, WIDTH - 90), head=False)


def _people(report: view.Report) -> Iterator[Any]:
    """Signatures, disagreements, comments and tasks."""
    for title, head, rows in view.people(report):
        yield from heading(title, "h1")
        yield table([head, *rows], [WIDTH / len(head)] * len(head))


def _decided(x: Mapping[str, Any], clauses: bool) -> Iterator[Any]:
    shown, line = view.decided(x)
    if shown:
        yield from _sentence(shown, clauses)
    if line:
        yield raw(f"<i>{safe(line)}</i>", "small")


def _sentence(x: Mapping[str, Any], clauses: bool) -> Iterator[Any]:
    if x["kind"] == "person":
        yield para(x["text"])
    elif x["kind"] == "law":
        yield raw(f"<i>{safe(view.asked_for(x))}</i>" + (f" <super>[{x['note']}]</super>" if clauses else ""))
    elif x["kind"] == "card":
        yield from heading(f"{x['label']}:", "label")
        for block in view.blocks(x["text"]):
            yield para(block, "quote") if isinstance(block, str) else table(block, [WIDTH / len(block[0])] * len(block[0]))
        yield para(f"— {view.source(x)}", "source")
    else:
        yield para(x["text"], "todo")
        yield para(view.asked_by(x, clauses), "source")


# ---- PDF itself, for reports and drafts ----------------------------------------------------------------------------


def build(title: str, mark: str, foot: str, story: Sequence[Any]) -> bytes:
    """A document from its parts; the same parts give the same bytes. The mark stands in its properties, `foot` on each page."""
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import SimpleDocTemplate

    _fonts()
    out = io.BytesIO()
    paper = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=56, rightMargin=56, topMargin=52, bottomMargin=56, title=view.printable(title), author="Pincite (machine-made)",
        subject=view.printable(mark), keywords="machine-made", creator="Pincite", invariant=1,
    )  # fmt: skip
    page = _page(view.printable(foot))
    paper.build(list(story), onFirstPage=page, onLaterPages=page)
    return out.getvalue()


def _page(foot: str) -> Callable[[Any, Any], None]:
    def draw(canvas: Any, paper: Any) -> None:
        canvas.saveState()
        canvas.setFont(FONT, 6.5)
        canvas.setFillGray(0.35)
        canvas.drawString(56, 34, foot)
        canvas.drawRightString(56 + WIDTH, 34, f"page {paper.page}")
        canvas.restoreState()

    return draw


def _fonts() -> None:
    import matplotlib
    from reportlab.lib.fonts import addMapping
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    if FONT in pdfmetrics.getRegisteredFontNames():
        return
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for bold, italic, file in ((0, 0, ""), (1, 0, "-Bold"), (0, 1, "-Oblique"), (1, 1, "-BoldOblique")):
        pdfmetrics.registerFont(TTFont(FONT + file, str(folder / f"DejaVuSans{file}.ttf")))
        addMapping(FONT, bold, italic, FONT + file)


def _style(name: str) -> Any:
    from reportlab.lib.colors import HexColor
    from reportlab.lib.styles import ParagraphStyle

    _fonts()
    base: dict[str, Any] = {"fontName": FONT, "fontSize": 8.5, "leading": 11.5, "spaceAfter": 3, "textColor": HexColor("#1c2430")}
    own: dict[str, dict[str, Any]] = {
        "body": {}, "small": {"fontSize": 7, "leading": 9.2, "spaceAfter": 2}, "cell": {"fontSize": 7, "leading": 9, "spaceAfter": 0},
        "source": {"fontSize": 7, "leading": 9.2, "spaceAfter": 6},
        "head": {"fontName": f"{FONT}-Bold", "fontSize": 7, "leading": 9, "spaceAfter": 0},
        "title": {"fontName": f"{FONT}-Bold", "fontSize": 16, "leading": 20, "spaceAfter": 10},
        "h1": {"fontName": f"{FONT}-Bold", "fontSize": 12.5, "leading": 16, "spaceBefore": 14, "spaceAfter": 5},
        "h2": {"fontName": f"{FONT}-Bold", "fontSize": 9.5, "leading": 13, "spaceBefore": 9, "spaceAfter": 3},
        "label": {"fontName": f"{FONT}-Bold", "spaceBefore": 3},
        "mark": {"fontName": f"{FONT}-Bold", "backColor": HexColor("#fff4e0"), "borderPadding": 5, "spaceBefore": 6, "spaceAfter": 10},
        "quote": {"fontSize": 7.2, "leading": 9.6, "leftIndent": 6, "backColor": HexColor("#f5f7f9"), "borderPadding": 2, "spaceBefore": 3, "spaceAfter": 4},
        "todo": {"fontName": f"{FONT}-Bold", "backColor": HexColor("#fdecea"), "borderPadding": 3, "spaceBefore": 4, "spaceAfter": 6},
    }  # fmt: skip
    return ParagraphStyle(name, **{**base, **own[name]})


def safe(text: object) -> str:
    """Text for a paragraph's mark-up: only its characters, its line ends kept."""
    return xml(view.printable(str(text))).replace("\n", "<br/>")


def para(text: object, style: str = "body") -> Any:
    """A paragraph of plain text."""
    return raw(safe(text), style)


def heading(text: str, style: str) -> Iterator[Any]:
    """A heading that does not stand alone at a page's end."""
    from reportlab.platypus import CondPageBreak

    yield CondPageBreak(80)
    yield para(text, style)


def raw(markup: str, style: str = "body") -> Any:
    """A paragraph of mark-up that is safe already."""
    from reportlab.platypus import Paragraph

    return Paragraph(markup, _style(style))


def link(words: str, url: str) -> str:
    """Mark-up of a link, or the words alone where there is no address."""
    return f'<a href="{xml(url, {chr(34): "&quot;"})}" color="#0b57a4">{safe(words)}</a>' if url else safe(words)


def table(rows: Sequence[Sequence[Any]], widths: Sequence[float], head: bool = True, fills: Mapping[tuple[int, int], str] | None = None) -> Any:
    """A ruled table; its head repeats on each page. `fills` tints cells by (column, row)."""
    from reportlab.lib.colors import HexColor
    from reportlab.platypus import LongTable

    cells = [[para(c, "head" if head and r == 0 else "cell") if isinstance(c, str) else c for c in row] for r, row in enumerate(rows)]
    style: list[tuple[Any, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor("#c3cad3")), ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3), ("LEFTPADDING", (0, 0), (-1, -1), 3), ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ]  # fmt: skip
    if head:
        style.append(("BACKGROUND", (0, 0), (-1, 0), HexColor("#e6eaf0")))
    for at, colour in (fills or {}).items():
        tint = "".join(f"{round(255 - (255 - int(colour[i : i + 2], 16)) * 0.25):02X}" for i in (1, 3, 5))
        style.append(("BACKGROUND", at, at, HexColor(f"#{tint}")))
    long = any(isinstance(c, str) and len(c) > _LONG_CELL for row in rows for c in row)  # only a row that may fill a page is cut inside
    return LongTable(cells, colWidths=list(widths), style=style, repeatRows=int(head), spaceAfter=8, splitInRow=int(long))


_LONG_CELL = 600  # characters


def sides(left: Sequence[Any], right: Sequence[Any]) -> Any:
    """The law and the card side by side; long sides run over the page's end."""
    from reportlab.lib.colors import HexColor
    from reportlab.platypus import LongTable

    half = WIDTH / 2
    style = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEABOVE", (0, 0), (-1, 0), 0.4, HexColor("#c3cad3")),
        ("LINEAFTER", (0, 0), (0, -1), 0.4, HexColor("#c3cad3")),
    ]
    heads = [para("The law", "head"), para("The card", "head")]
    return LongTable(
        [heads, [list(left), list(right) or [para("Nothing.", "small")]]], colWidths=[half, half], style=style, repeatRows=1, splitInRow=1, spaceAfter=5
    )


def picture(png: bytes) -> Any:
    """A chart as wide as the page."""
    from reportlab.lib.utils import ImageReader
    from reportlab.platypus import Image

    width, height = ImageReader(io.BytesIO(png)).getSize()
    return Image(io.BytesIO(png), width=WIDTH, height=WIDTH * height / width)
