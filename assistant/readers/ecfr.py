"""The eCFR as its publisher gives it: the saved web page, and the XML of eCFR and govinfo (part or whole title).

Turns each into lines for `cfr`. Knows nothing of addresses.
"""

import hashlib
import html
import re
from collections.abc import Iterator, Sequence

import lxml.html
from lxml import etree

from assistant.errors import Unreadable
from assistant.law import Instrument, Provenance, Provision
from assistant.readers import cfr
from assistant.readers.cfr import OFF, ON, Line

NAME = "ecfr"
GROUPED = False

_PAGE = re.compile(rb"<title>\s*eCFR\s*::|https://www\.ecfr\.gov/current/title-")
_XML = re.compile(rb"<(?:ECFR|DIV[1-9] N=|CFRGRANULE|CFRDOC|CFRTITLE)[ >\"]?")


def recognises(name: str, head: bytes) -> bool:
    """Whether this is a page of ecfr.gov, or XML with the elements of eCFR or govinfo's CFR."""
    return bool(_PAGE.search(head[:8192]) or _XML.search(head[:8192]))


def read(files: Sequence[tuple[str, bytes]]) -> list[Instrument]:
    """One instrument for each part in these files; raises `Unreadable` for a file without sections."""
    return [one for name, data in files for one in (_read_xml(name, data) if _XML.search(data[:8192]) else [_read_page(name, data)])]


# ---- what all forms share ----------------------------------------------------------------------------------------


def instrument(part: cfr.Part, version: str, provenance: Provenance, reader: str, file: tuple[str, bytes], marks: Sequence[tuple[str, str]] = ()) -> Instrument:
    """The instrument of one part; raises `Unreadable` when it has no date or no section."""
    name, data = file
    if not version:
        raise Unreadable("no-date", "no date of the text was found in this document", "Save the page or file together with its date line.")
    if not any(line.kind == "section" for line in part.lines):
        raise Unreadable("no-sections", "this looks like the Code of Federal Regulations, but no section was found in it", "Save the page with its text, not only the table of contents.")
    text, provisions, repeated = part.build()
    home, _ = cfr.home(part.title, part.number)
    return Instrument(
        id=home,
        work=f"{part.title}cfr-{part.number}",
        title=f"{part.title} CFR Part {part.number} ({_named(provisions)})",
        kind="cfr-part",
        version=version,
        layer="official",
        provenance=provenance,
        reader=reader,
        file=name,
        sha256=hashlib.sha256(data).hexdigest(),
        text=text,
        provisions=provisions,
        marks=(*marks, *(("repeated", p.address) for p in repeated)),
    )


def _named(provisions: Sequence[Provision]) -> str:
    heading = next((p.heading for p in provisions if p.kind == "container"), "")
    words = heading.title() if heading.isupper() else heading
    return re.sub(r"\b(?:And|Of|The|In|For|To|Or|On|By|A)\b", lambda m: m[0].lower() if m.start() else m[0], words)


# ---- the web page ------------------------------------------------------------------------------------------------


def _read_page(name: str, data: bytes) -> Instrument:
    page = lxml.html.document_fromstring(data, parser=lxml.html.HTMLParser(encoding="utf-8", huge_tree=False))
    citation = " ".join(page.xpath("//title/text()")[:1])
    found = re.search(r"(\d+)\s+CFR\s+(?:Part\s+)?(\d+)", citation)
    roots = page.xpath("//div[@class='part']") or page.xpath("//div[@class='subpart' or @class='section']")
    if not found or not roots:
        raise Unreadable("not-recognised", f"a page of ecfr.gov that is not a part of the CFR: {cfr.fold(citation)[:80]}", "Save the page of one part, such as 45 CFR Part 164.")
    dated = re.search(r"up to date as of (\d{1,2})/(\d{1,2})/(\d{4})", data.decode("utf-8", "replace"))
    version = f"{dated[3]}-{int(dated[1]):02}-{int(dated[2]):02}" if dated else ""
    part = cfr.Part(found[1], found[2])
    for root in roots:
        part.lines.extend(_page_lines(root))
    return instrument(part, version, "original", NAME, (name, data))


_UNITS = {"part": "part", "subpart": "subpart", "section": "section", "appendix": "appendix"}
_NOTES = {"authority", "source", "citation", "cross-reference", "editorial-note", "effective-date-note", "footnotes", "footnote", "cross-reference-box"}
_BLOCKS = {"div", "p", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "dl", "section", "blockquote"}


def _classes(element: etree._Element) -> set[str]:
    return set((element.get("class") or "").split())


def _marked(element: etree._Element, italic: frozenset[str]) -> str:
    """The words of an element with its italics marked."""
    parts = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str):
            inner = _marked(child, italic)
            slanted = child.tag in italic and (child.tag != "E" or child.get("T") in ("03", "52"))
            parts.append(f"{ON}{inner}{OFF}" if slanted and inner.strip() else inner)
        parts.append(child.tail or "")
    return "".join(parts)


_SLANTED_HTML = frozenset({"em", "i"})
_SLANTED_XML = frozenset({"I", "E"})


def _page_lines(element: etree._Element) -> Iterator[Line]:
    classes = _classes(element)
    unit = next((u for c, u in _UNITS.items() if c in classes), "") if element.tag == "div" else ""
    children = [c for c in element if isinstance(c.tag, str)]
    if unit and children and re.fullmatch(r"h\d", str(children[0].tag)):
        yield cfr.head(unit, _marked(children[0], _SLANTED_HTML))  # type: ignore[arg-type]
        children = children[1:]
    elif classes & _NOTES:
        yield Line("note", cfr.bare(" ".join("".join(element.itertext()).split())))
        return
    elif element.tag == "p":
        words = cfr.fold(_marked(element, _SLANTED_HTML))
        if words:
            yield Line("p", words)
        return
    elif element.tag == "table":
        yield from _rows(element, ".//tr", ("td", "th"))
        return
    elif re.fullmatch(r"h\d", str(element.tag)):
        yield Line("group" if element.getparent() is not None and _classes(element.getparent()) & {"subpart", "part", "subject-group"} else "plain", _marked(element, _SLANTED_HTML))
        return
    for child in children:
        plain = "extract" in _classes(child) or child.tag in ("ul", "ol")
        for line in _page_lines(child):
            yield Line("plain", line.words) if plain and line.kind == "p" else line


def _rows(table: etree._Element, path: str, cells: tuple[str, ...]) -> Iterator[Line]:
    """The rows of a table, cell by cell."""
    for row in table.iterfind(path):
        printed = [cfr.bare(" ".join("".join(cell.itertext()).split())) for cell in row if cell.tag in cells]
        if any(printed):
            yield Line("plain", " | ".join(printed))


# ---- XML ---------------------------------------------------------------------------------------------------------

def _read_xml(name: str, data: bytes) -> list[Instrument]:
    raise Unreadable("not-recognised", "XML of the CFR is not read yet")
