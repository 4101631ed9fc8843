"""EUR-Lex HTML: the current layout (with ids), the layout of 2016 (without) and the consolidated layout, in any language.

Turns a page into lines for `euact`; the classes of paragraphs say what they are, tables and grids say how deep.
Knows nothing of addresses, and refuses what only looks like an act: parliamentary amendments, lossy conversions.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import lxml.html
from lxml import etree
from lxml.html import HtmlElement

from assistant.errors import Unreadable
from assistant.law import Instrument
from assistant.readers import euact
from assistant.readers.euact import Line, fold

NAME = "eurlex"
GROUPED = False

_CURRENT = re.compile(rb'class="(?:oj-(?:doc-ti|normal|hd-date)|eli-container)"')
_OF_2016 = re.compile(rb'class="(?:doc-ti|hd-oj|hd-date)"')
_CONSOLIDATED = re.compile(rb'class="(?:title-doc-first|title-article-norm|hd-modifiers)"')
_EURLEX_PAGE = re.compile(rb"(?i)eur-lex(?:\.europa\.eu)?[^>]{0,200}(?:<|/legal-content|/eli)|<title>[^<]*EUR-Lex")


def recognises(name: str, head: bytes) -> bool:
    """Whether this is a page of EUR-Lex, by the classes of its paragraphs or its title."""
    if b"<html" not in head[:8192].lower():
        return _is_lossy_markdown(head[:8192])
    return any(p.search(head) for p in (_CURRENT, _OF_2016, _CONSOLIDATED, _EURLEX_PAGE))


def read(files: Sequence[tuple[str, bytes]]) -> list[Instrument]:
    """One instrument for each page; raises `Unreadable` for a page that is not the text of a known act."""
    return [_read_page(name, data) for name, data in files]


def _is_lossy_markdown(head: bytes) -> bool:
    return b"<html" not in head.lower() and re.search(rb"(?m)^#+ REGULATION \(EU\) \d{4}/\d+", head) is not None


def _read_page(name: str, data: bytes) -> Instrument:
    if _is_lossy_markdown(data[:8192]):
        what = "a Markdown conversion of the Official Journal's PDF, with footnotes among the recitals"
        raise Unreadable("lossy-conversion", what, "Give the HTML or the Formex files of EUR-Lex instead")
    page = _parse(data)
    _refuse_amendments(page)
    lines = list(_Page(page).lines())
    titles = [line.words for line in lines if line.kind == "title"]
    act = euact.act_of(titles[0] if titles else fold("".join(_all(page, "//title/text()")[:1])))
    date, language = _date_and_language(page)
    source = euact.Source(act, " ".join(titles), date, language, "original", NAME, [(name, data)])
    return euact.instrument(source, euact.build(act, lines), _facts(page))


def _parse(data: bytes) -> HtmlElement:
    """The whole page, or `Unreadable`: the parser alone would pass half a page for a page."""
    parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=False)
    if b"</html>" not in data[-4096:].lower():
        raise Unreadable("damaged", "this page is cut short: its end is missing", "Fetch it again")
    try:
        page = lxml.html.document_fromstring(data, parser=parser)
    except etree.ParserError as error:
        raise Unreadable("damaged", f"this page cannot be read: {error}", "Fetch it again") from error
    if any("depth" in entry.message for entry in parser.error_log):
        raise Unreadable("too-deep", "this page is nested deeper than any act is", "Give the page as EUR-Lex serves it")
    return page


def _refuse_amendments(page: HtmlElement) -> None:
    title = fold(" ".join(_all(page, "//title/text() | //p[@class='oj-doc-ti' or @class='doc-ti']//text()")[:8]))
    text = fold(" ".join(_all(page, "(//p[contains(., 'P9_TA(')])[1]//text()")))
    if text or re.search(r"(?i)amendments adopted by the european parliament", title):
        raise Unreadable("proposal", f"amendments of the European Parliament to a proposal, not an act: {(title or text)[:100]}", "Give the act as adopted")


def _text_of(page: HtmlElement, *classes: str) -> str:
    path = " | ".join(f"//p[@class='{c}']" for c in classes)
    return fold(" ".join("".join(p.itertext()) for p in _all(page, path)[:1]))


def _date_and_language(page: HtmlElement) -> tuple[str, str]:
    """The date of the Official Journal, or of the consolidation, and the two-letter language."""
    reference = _text_of(page, "reference")  # 02024R1689 - NL - 12.07.2024 - 000.004
    date = euact.iso_date(reference or _text_of(page, "oj-hd-date", "hd-date"))
    code = re.search(r"\b([A-Z]{2})\b", reference) or re.match(r"([A-Z]{2})$", _text_of(page, "oj-hd-lg", "hd-lg"))
    declared = (page.get("lang") or page.get("{http://www.w3.org/XML/1998/namespace}lang") or "en")[:2]
    return date, (code[1] if code else declared).lower()


def _facts(page: HtmlElement) -> list[tuple[str, str]]:
    """What a consolidated page says of itself and of the acts that changed it."""
    reference = _text_of(page, "reference")
    rows = _all(page, "//tr[.//p[@class='title-fam-member']]")
    facts = [("consolidated", reference)] if reference else []
    return facts + [("changed-by", fold(" ".join(row.itertext()))) for row in rows]


def _all(element: HtmlElement, path: str) -> Any:
    """What an XPath finds: elements, strings, or a truth value."""
    return element.xpath(path)


# ---- from the page to lines --------------------------------------------------------------------------------------

_INLINE = {"a", "span", "b", "i", "em", "strong", "sup", "sub", "u", "br", "font", "img", "ins", "del", "small"}
_SKIPPED = {"script", "style", "col", "colgroup", "hr", "head"}
_HEADINGS = {
    "ti-section-1": "division", "title-division-1": "division", "ti-section-2": "heading", "title-division-2": "heading",
    "ti-art": "article", "title-article-norm": "article", "sti-art": "heading", "stitle-article-norm": "heading",
    "signatory": "final", "footnote": "note",
}  # fmt: skip
_MARKS = {"modref", "arrow"}
_INLINE_MARK = re.compile(r"[►▼](?P<code>[A-Z]\d*)\s?|\s?◄")


def _inline(element: HtmlElement, before: str = "") -> str:
    """The words of an element; a raised figure after a number is an exponent, 10^25, not the number 1025."""
    if not _all(element, "boolean(descendant-or-self::span[contains(@class, 'super')])"):
        return "".join(element.itertext())
    parts = [before]
    for event, node in etree.iterwalk(element, events=("start", "end", "comment", "pi")):
        if event == "start":
            text = node.text or ""
            raised = (node.get("class") or "").removeprefix("oj-") in ("super", "superscript")
            parts.append(f"^{text}" if raised and re.search(r"\d$", "".join(parts[-2:])) else text)
        elif node is not element:
            parts.append(node.tail or "")
    return "".join(parts[1:])


def _folded(text: str) -> str:
    """White space folded, and none inside the call of a footnote: "( *1 )" is printed "(*1)"."""
    return re.sub(r"\( (\*?\d{0,3}) ?\)", r"(\1)", fold(text))


class _Page:
    """Walks a page in reading order and says what each printed paragraph is."""

    def __init__(self, page: HtmlElement) -> None:
        self._parts = _all(page, "//div[contains(concat(' ', @class, ' '), ' eli-container ')]") or _all(page, "//body")
        self._state = "title"  # title, preamble, body, annex, notes
        self._annex_line = False
        self._paragraph_before = 0  # number of the article's paragraph before

    def lines(self) -> Iterator[Line]:
        for part in self._parts:
            if self._state == "notes":
                self._state = "body"
            yield from self._walk(part, 1)
            # 2016 pages have all annexes in one body; current pages one container each

    def _walk(self, element: HtmlElement, depth: int) -> Iterator[Line]:
        """The lines inside `element`: its blocks, and the runs of loose text between them."""
        run: list[str] = [element.text or ""]
        for child in element:
            tag = child.tag
            if not isinstance(tag, str):
                run.append(child.tail or "")
                continue
            if tag in _INLINE and not _all(child, ".//p | .//table | .//div"):
                run.append(_inline(child, run[-1]))
            else:
                yield from self._loose(run, depth)
                run = [""]
                if tag not in _SKIPPED:
                    yield from self._block(child, depth)
                elif tag == "hr" and (child.get("class") or "").removeprefix("oj-") in ("note", "separator-short"):
                    self._state = "notes"
            run.append(child.tail or "")
        yield from self._loose(run, depth)

    def _loose(self, run: list[str], depth: int) -> Iterator[Line]:
        words = _folded("".join(run))
        if words and self._state != "title":
            yield from self._text(words, depth)

    def _block(self, element: HtmlElement, depth: int) -> Iterator[Line]:
        name = (element.get("class") or "").removeprefix("oj-")
        if element.tag == "table":
            yield from self._table(element, depth)
        elif element.tag == "p":
            yield from self._paragraph(element, name, depth)
        elif name.startswith("grid-container"):
            yield from self._item([c for c in element if isinstance(c.tag, str)], depth)
        elif name == "enumeration-spacing" or _all(element, "boolean(span[@class='no-parag'])"):
            yield from self._numbered(element, depth)
        elif name == "final":
            for paragraph in element.iter("p"):
                yield Line("final", fold("".join(paragraph.itertext())))
        else:
            yield from self._walk(element, depth)

    def _paragraph(self, element: HtmlElement, name: str, depth: int) -> Iterator[Line]:
        words = _folded(_inline(element))
        if not words:
            return
        if name in _MARKS:
            yield Line("mark", fold(f"{words} {' '.join(_all(element, './/a/@title'))}"))
        elif name in ("doc-ti", "title-doc-first", "title-doc-last", "title-annex-1", "title-annex-2"):
            yield self._title(words, name)
        elif name in _HEADINGS or name.startswith(("ti-grseq-", "title-gr-seq-level-")):
            yield self._heading(words, name)
        elif name == "note" and self._state == "notes":
            yield Line("note", words)
        elif not name.startswith("hd-"):
            for line in self._text(words, depth):
                yield self._numbered_by_id(line, element) if line.kind == "point" else line

    def _numbered_by_id(self, line: Line, element: HtmlElement) -> Line:
        """The paragraph with the number of its place, where its id knows better than the print."""
        parent = element.getparent()
        identifier = (parent.get("id") or "") if parent is not None else ""
        number, self._paragraph_before = euact.number_of_place(line.label, self._paragraph_before, identifier)
        return replace(line, number=number)

    def _title(self, words: str, name: str) -> Line:
        """A title line of the act, or of an annex: the number first, its heading after it."""
        if self._state == "title" and name not in ("title-annex-1", "title-annex-2"):
            return Line("title", words)
        if re.fullmatch(r"(?:[IVXL]+\.?\s)?[^\W\d]+(?:\s[IVXL]+)?", words) and not self._annex_line:
            self._state, self._annex_line = "annex", True
            return Line("annex", label=words)
        self._annex_line = False
        return Line("heading", words)

    def _heading(self, words: str, name: str) -> Line:
        self._annex_line = False
        kind = _HEADINGS.get(name, "group")
        if kind in ("division", "article"):
            self._state, self._paragraph_before = "body", 0
            return Line("article" if kind == "article" else "division", label=words)
        if kind == "group":
            return Line("group", words, depth=-1)
        return Line("heading" if kind == "heading" else "note" if kind == "note" else "final", words)

    def _text(self, words: str, depth: int) -> Iterator[Line]:
        """Running words, or a numbered paragraph where one can stand; amendment marks inside are taken out."""
        self._annex_line = False
        if self._state == "title":
            self._state = "preamble"
        for mark in _INLINE_MARK.finditer(words):
            if mark["code"]:
                yield Line("mark", mark[0].strip())
        words = _INLINE_MARK.sub("", words)
        label, rest = euact.split_paragraph(words) if depth == 1 and self._state in ("body", "annex") else ("", words)
        yield Line("point", rest, label, 0) if label else Line("words", words, depth=depth)

    def _numbered(self, element: HtmlElement, depth: int) -> Iterator[Line]:
        """A paragraph whose number stands in an element of its own."""
        first, *others = [c for c in element if isinstance(c.tag, str)]
        label = fold("".join(first.itertext()))
        yield from self._labelled(label, others, 0 if depth == 1 else depth)

    def _table(self, table: HtmlElement, depth: int) -> Iterator[Line]:
        """A list item is a table of two cells, a label and its words; other rows are printed cell by cell."""
        rows = [row for body in table if body.tag in ("tbody", "thead", "tr") for row in ([body] if body.tag == "tr" else body) if row.tag == "tr"]
        for row in rows:
            cells = [cell for cell in row if cell.tag in ("td", "th")]
            while cells and not fold("".join(cells[0].itertext())):
                cells.pop(0)
            yield from self._item(cells, depth)

    def _item(self, cells: Sequence[HtmlElement], depth: int) -> Iterator[Line]:
        label = fold("".join(cells[0].itertext())) if cells else ""
        bare = label.lstrip(euact.QUOTES)
        if len(cells) == 2 and euact.is_label(bare):
            yield from self._labelled(label, [cells[1]], depth)
        elif len(cells) == 1:
            yield from self._walk(cells[0], depth)
        elif cells and self._state != "title":
            yield Line("words", " | ".join(fold("".join(cell.itertext())) for cell in cells), depth=depth)

    def _labelled(self, label: str, content: Sequence[HtmlElement], depth: int) -> Iterator[Line]:
        """A numbered item: its first words go with the number, the rest stands one deeper."""
        if self._state == "title":
            self._state = "preamble"
        inner = [line for element in content for line in self._walk(element, depth + 1)]
        first = inner.pop(0).words if inner and inner[0].kind == "words" else ""
        if self._state == "preamble":
            yield Line("recital", first, label, 1)
        elif label[:1] in euact.QUOTES:
            yield Line("words", fold(f"{label} {first}"), depth=depth)
        else:
            yield Line("point", first, label, depth)
        yield from inner
