"""The eCFR as its publisher gives it: the saved web page, and the XML of eCFR and govinfo (part or whole title).

Turns each into lines for `cfr`. Knows nothing of addresses.
"""

import hashlib
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
        raise Unreadable(
            "no-sections",
            "this looks like the Code of Federal Regulations, but no section was found in it",
            "Save the page with its text, not only the table of contents.",
        )
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
    citation = " ".join(str(t.text) for t in page.iter("title"))
    found = re.search(r"(\d+)\s+CFR\s+(?:Part\s+)?(\d+)", citation)
    roots = [div for div in page.iter("div") if div.get("class") == "part"]
    if not found or not roots:
        raise Unreadable(
            "not-recognised",
            f"a page of ecfr.gov that is not a part of the CFR: {cfr.fold(citation)[:80]}",
            "Save the page of one part, such as 45 CFR Part 164.",
        )
    dated = re.search(r"up to date as of (\d{1,2})/(\d{1,2})/(\d{4})", data.decode("utf-8", "replace"))
    version = f"{dated[3]}-{int(dated[1]):02}-{int(dated[2]):02}" if dated else ""
    part = cfr.Part(found[1], found[2])
    for root in roots:
        part.lines.extend(_page_lines(root))
    return instrument(part, version, "original", NAME, (name, data))


_UNITS = {"part": "part", "subpart": "subpart", "section": "section", "appendix": "appendix"}
_NOTES = {"authority", "source", "citation", "cross-reference", "editorial-note", "effective-date-note", "footnotes", "footnote", "cross-reference-box"}


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
        yield Line("note", cfr.bare(_words(element)))
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
        above = element.getparent()
        between = above is not None and bool(_classes(above) & {"subpart", "part", "subject-group"})
        yield Line("group" if between else "plain", _marked(element, _SLANTED_HTML))
        return
    elif element.tag in ("li", "dt", "dd", "blockquote", "pre") and not any(c.tag in ("p", "ul", "ol", "table") for c in children):
        yield Line("plain", cfr.fold(_marked(element, _SLANTED_HTML)))
        return
    for child in children:
        plain = "extract" in _classes(child) or child.tag in ("ul", "ol")
        for line in _page_lines(child):
            yield Line("plain", line.words) if plain and line.kind == "p" else line


def _rows(table: etree._Element, path: str, cells: tuple[str, ...]) -> Iterator[Line]:
    """The rows of a table, cell by cell."""
    for row in table.iterfind(path):
        printed = [cfr.bare(_words(cell)) for cell in row if cell.tag in cells]
        if any(printed):
            yield Line("plain", " | ".join(cell for cell in printed if cell))


# ---- XML ---------------------------------------------------------------------------------------------------------


_DIV = {"DIV5": "part", "DIV6": "subpart", "DIV7": "group", "DIV8": "section", "DIV9": "appendix"}
_GOVINFO = {"PART": "part", "SUBPART": "subpart", "SUBJGRP": "group", "SECTION": "section", "APPENDIX": "appendix"}
_XML_NOTES = {"AUTH", "SOURCE", "CITA", "SECAUTH", "EDNOTE", "EFFDNOT", "EFFDNOTP", "CROSSREF", "APPRO", "PARAUTH", "FTNT", "XREF"}
_PLAIN = {"EXTRACT", "EXAMPLE", "NOTE", "FORM", "MATH", "GPOTABLE", "SCOL2"}
_SKIPPED = {"CONTENTS", "PRTPAGE", "RESERVED"}


def _read_xml(name: str, data: bytes) -> list[Instrument]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable("damaged", f"this XML is not well formed: {error}", "Download it again.") from error
    parts = [root] if root.tag in ("DIV5", "PART") else [e for e in root.iter("DIV5", "PART") if len(e)]
    if not parts:
        raise Unreadable("not-recognised", f"XML of the CFR without a part in it: <{root.tag}>", "Give a file with at least one whole part.")
    title, version = _title_of(root, parts[0]), _date_of(name, root)
    found = []
    for element in parts:
        part = cfr.Part(title, _number_of(element))
        part.lines.extend(_xml_lines(element))
        if any(line.kind == "section" for line in part.lines):
            found.append(instrument(part, version, "original", NAME, (name, data)))
    if not found:
        raise Unreadable("no-sections", "no section was found in this XML of the CFR", "Give a file with at least one whole part.")
    return found


def _title_of(root: etree._Element, part: etree._Element) -> str:
    """The number of the title, from the element above or from the citation in the metadata."""
    above = next(root.iter("DIV1"), None)
    if above is not None and above.get("N"):
        return str(above.get("N"))
    cited = re.search(r"title-(\d+)", str(part.get("hierarchy_metadata") or "")) or re.search(
        r"(?i)title\W*(\d+)", _words(next(root.iter("TITLENUM", "CFRTITLE"), root))[:2000]
    )
    return cited[1] if cited else ""


def _number_of(part: etree._Element) -> str:
    head = part.get("N") or _words(next(part.iter("EAR", "HD", "HEAD"), part))
    found = re.search(r"\d+", head)
    return found[0] if found else ""


def _date_of(name: str, root: etree._Element) -> str:
    """The date of the text: the file's own where it says one, else the date in the file's name, as the publisher's addresses carry it."""
    stated = root.findtext(".//AMDDATE") or "" if root.tag != "ECFR" else ""
    revised = re.search(r"(?i)revised as of (\w+) (\d+), (\d{4})", _words(root)[:20000]) if root.tag in ("CFRDOC", "CFRGRANULE") else None
    day = re.search(r"(\d{4})-(\d{2})-(\d{2})", name) or re.search(r"/on/(\d{4})-(\d{2})-(\d{2})/", str(root.get("hierarchy_metadata") or ""))
    if revised:
        month = (re.sub(r"\W", "", revised[1]).lower()[:3], int(revised[2]), revised[3])
        return f"{month[2]}-{_MONTHS.index(month[0]) + 1:02}-{month[1]:02}" if month[0] in _MONTHS else ""
    if day:
        return "-".join(day.groups())
    stated = stated or root.findtext(".//AMDDATE") or ""
    written = re.search(r"(\w{3})\w*\.? (\d+), (\d{4})", stated)
    return f"{written[3]}-{_MONTHS.index(written[1].lower()) + 1:02}-{int(written[2]):02}" if written and written[1].lower() in _MONTHS else ""


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def _words(element: etree._Element) -> str:
    return " ".join("".join(str(t) for t in element.itertext()).split())


def _xml_lines(element: etree._Element, plain: bool = False) -> Iterator[Line]:
    """The lines of an element of the eCFR's or govinfo's XML."""
    tag = str(element.tag)
    kind = _DIV.get(tag) or _GOVINFO.get(tag)
    children = [child for child in element if isinstance(child.tag, str)]
    if kind:
        yield from _xml_head(kind, children)
        children = [
            c for c in children if c.tag not in ("HEAD", "SECTNO", "SUBJECT", "EAR") and not (c.tag == "HD" and c is next(element.iterchildren("HD"), None))
        ]
    elif tag in _XML_NOTES:
        yield Line("note", _words(element))
        return
    elif tag in ("P", "FP", "PSPACE", "LDRWK", "HD1", "HD2", "HD3") or (tag == "HD" and not kind):
        words = cfr.fold(_marked(element, _SLANTED_XML))
        if words:
            yield Line("plain" if plain or tag != "P" else "p", words)
        return
    elif tag in ("TABLE", "GPOTABLE"):
        yield from _rows(element, ".//TR" if tag == "TABLE" else ".//ROW", ("TD", "TH", "ENT"))
        return
    elif tag in _SKIPPED:
        return
    for child in children:
        yield from _xml_lines(child, plain or tag in _PLAIN)


def _xml_head(kind: str, children: Sequence[etree._Element]) -> Iterator[Line]:
    """The head of a unit: one element in the eCFR, number and subject in govinfo's print."""
    first = {str(c.tag): cfr.fold(_marked(c, _SLANTED_XML)) for c in reversed(children)}
    if kind == "section" and "SECTNO" in first:
        yield Line("section", first.get("SUBJECT", first.get("RESERVED", "")), cfr.bare(first["SECTNO"]))
    else:
        yield cfr.head(kind, first.get("HEAD") or first.get("HD") or first.get("EAR", ""))  # type: ignore[arg-type]
