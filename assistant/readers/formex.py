"""Formex 4, the Publications Office's XML: an act with its annex files, the zip it is delivered in, or a consolidated act.

Turns elements into lines for `euact`. Words that an amendment deleted still stand in a consolidated file, between
processing instructions: they are left out, and every such instruction is kept as a mark on the provision it concerns.
Knows nothing of addresses.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, cast

from lxml import etree
from lxml.etree import _Element as Element

from assistant.errors import Unreadable
from assistant.law import Instrument
from assistant.readers import euact
from assistant.readers.euact import Line, fold

NAME = "formex"
GROUPED = True

_ROOT = re.compile(rb"<(?:ACT|CONS\.ACT|ANNEX|DOC|PUBLICATION)[\s>]")
_ZIPPED = re.compile(rb"^PK\x03\x04.{26}(?:[A-Z]{1,2}_\w+\.(?:\w+\.)?fmx|CL\d{4}[A-Z]\w+\.\d+(?:\.doc)?)\.xml", re.S)
_ALL_FILES = "Give all files of the publication together, or its zip"
_UNZIPPED_LIMIT = 64 * 1024 * 1024
_MEMBERS_LIMIT = 500


def recognises(name: str, head: bytes) -> bool:
    """Whether this is a Formex file, or a zip whose first member is one."""
    if head.startswith(b"PK"):
        return bool(_ZIPPED.match(head))
    return head.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"<?xml") and bool(_ROOT.search(head[:2048])) and b"formex" in head[:4096].lower()


def read(files: Sequence[tuple[str, bytes]]) -> list[Instrument]:
    """One instrument for each act in these files; a zip is a set of files of its own. Raises `Unreadable`."""
    loose = [(name, data) for name, data in files if not data.startswith(b"PK")]
    found = _acts(loose, loose)
    for name, data in files:
        if data.startswith(b"PK"):
            found += _acts(_unzip(name, data), [(name, data)])
    if not found:
        raise Unreadable("incomplete", "annexes or a table of contents without the act they belong to", _ALL_FILES)
    return found


def _unzip(name: str, data: bytes) -> list[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [m for m in archive.infolist() if m.filename.endswith(".xml")]
            if len(members) > _MEMBERS_LIMIT or sum(m.file_size for m in members) > _UNZIPPED_LIMIT:
                raise Unreadable("too-large", f"{PurePath(name).name} unpacks to more than {_UNZIPPED_LIMIT >> 20} MB or {_MEMBERS_LIMIT} files")
            return [(PurePath(m.filename).name, archive.read(m)) for m in members]
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as error:
        raise Unreadable("damaged", f"the zip cannot be unpacked: {error}", "Fetch it again") from error


# ---- which files make one act ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _File:
    """One parsed file and the publication it names: its registry file."""

    name: str
    data: bytes
    root: Element
    publication: str

    @property
    def own_name(self) -> str:
        return PurePath(self.name).name


def _acts(files: Sequence[tuple[str, bytes]], given: Sequence[tuple[str, bytes]]) -> list[Instrument]:
    """One instrument for each act among these files; `given` is the zip they came from, or the files themselves."""
    parsed = [_file(name, data) for name, data in files]
    dates = [date for f in parsed if f.root.tag == "PUBLICATION" for date in _all(f.root, "OJ/BIB.OJ/DATE/@ISO")]
    zipped = list(given) if len(given) == 1 and given[0][1].startswith(b"PK") else []
    found = []
    for act in (f for f in parsed if f.root.tag in ("ACT", "CONS.ACT")):
        others = [f for f in parsed if f.publication == act.publication and f.root.tag in ("ANNEX", "DOC")]
        found.append(_instrument(act, others, zipped or [(f.name, f.data) for f in (act, *others)], dates))
    return found


def _file(name: str, data: bytes) -> _File:
    root = _parse(name, data)
    own = PurePath(name).name
    return _File(name, data, root, own if root.tag == "DOC" else next(iter(_all(root, "(.//DOCUMENT.REF/@FILE)[1]")), own))


def _all(element: Element, path: str) -> list[Any]:
    """What an XPath finds: elements, or the strings of attributes and texts."""
    return cast(list[Any], element.xpath(path))


def _parse(name: str, data: bytes) -> Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable("damaged", f"{PurePath(name).name} is not well-formed XML: {error.msg}", "Fetch it again; it may be cut short") from error


def _instrument(act: _File, others: Sequence[_File], files: Sequence[tuple[str, bytes]], dates: Sequence[str]) -> Instrument:
    walk = _Walk()
    lines = list(walk.act(act.root))
    for annex in _annexes_in_order(others):
        lines += walk.annex(annex)
    lines += [Line("note", note) for note in walk.notes]
    title = " ".join(line.words for line in lines if line.kind == "title")
    instrument = euact.act_of(title)
    language = next(iter(_all(act.root, "(.//BIB.INSTANCE/LG.DOC)[1]/text()")), "EN").lower()
    consolidated = act.root.find("INFO.CONSLEG")
    facts: list[tuple[str, str]] = []
    if consolidated is not None:  # CONSLEG.DATE is the day it was made, START.DATE the day it applies
        date = euact.iso_date(consolidated.get("START.DATE", "") or consolidated.get("CONSLEG.DATE", ""))
        facts = [("consolidated", f"0{consolidated.get('CONSLEG.REF', '')} {date}".strip())]
        facts += [("changed-by", number) for number in _all(act.root, ".//MOD.ACT/BIB.DATA/NO.CELEX/text()")]
    else:
        registered = [date for f in others if f.root.tag == "DOC" for date in _all(f.root, "PUBLICATION.REF/DATE/@ISO")]
        date = euact.iso_date(next(iter([*registered, *dates]), ""))
    source = euact.Source(instrument, title, date, language, "original", NAME, files)
    return euact.instrument(source, euact.build(instrument, lines), facts)


def _annexes_in_order(files: Sequence[_File]) -> list[Element]:
    """The annexes in the registry's order; raises `Unreadable` when one that it lists is not there."""
    annexes = {f.own_name: f.root for f in files if f.root.tag == "ANNEX"}
    registries = [f.root for f in files if f.root.tag == "DOC"]
    if not registries:
        return [annexes[name] for name in sorted(annexes)]
    listed = [str(name) for name in _all(registries[0], ".//DOC.SUB.PUB/REF.PHYS[@TYPE='DOC.XML']/@FILE")]
    missing = [name for name in listed if name not in annexes]
    if missing:
        raise Unreadable("incomplete", f"{len(missing)} of the act's files are missing: {', '.join(missing[:3])}", _ALL_FILES)
    return [annexes[name] for name in listed]


# ---- from elements to lines --------------------------------------------------------------------------------------

_BLOCKS = {
    "P", "LIST", "ITEM", "NP", "PARAG", "ALINEA", "QUOT.S", "GR.SEQ", "TBL", "ARTICLE", "DIVISION", "CONSID", "FINAL", "CONTENTS", "TXT",
    "GR.VISA", "VISA", "GR.CONSID", "GR.CONSID.INIT", "PREAMBLE.INIT", "PREAMBLE.FINAL", "SIGNATURE", "DLIST", "DLIST.ITEM", "CONS.ANNEX", "ANNEX",
}  # fmt: skip
_PASSED_OVER = {"BIB.INSTANCE", "INFO.CONSLEG", "INFO.PROD", "FAM.COMP", "BIB.DATA", "TITLE", "TI.ART", "STI.ART", "NO.PARAG", "NO.P", "LV"}
_BULLETS = {"DASH": "—", "NDASH": "–", "BULLET": "•", "DISC": "•"}
_ATTRIBUTE = re.compile(r'([\w.]+)=["\']([^"\']*)["\']')

_Node = tuple[str, str, Element | None]  # kind: text, mark, gone, element


def _nodes(element: Element) -> Iterator[_Node]:
    """The text, marks and child elements of `element` in order; what an amendment deleted comes as `gone`."""
    yield "text", element.text or "", None
    ends: str | None = None  # the instruction that ends a deletion
    mark = ""
    for child in element:
        if isinstance(child, etree._ProcessingInstruction):
            facts = dict(_ATTRIBUTE.findall(child.text or ""))
            if child.target == "CLG.MDFO" and ends is None:
                mark = fold(f"{facts.get('ACTION', 'CHANGED')} {facts.get('ACTIVE.DOC', '')} {facts.get('ACTIVE.LOC', '')}")
                yield "mark", mark, None
                if facts.get("ACTION") == "DELETED" and _ends_here(child, facts.get("IDREF")):
                    ends = facts.get("IDREF")
            elif child.target == "CLG.MDFC" and facts.get("ID") == ends:
                ends = None
        elif ends is not None and isinstance(child.tag, str):
            yield "gone", mark, child
        elif isinstance(child.tag, str):
            yield "element", "", child
        if ends is None:
            yield "text", child.tail or "", None


def _parent(element: Element) -> Element:
    parent = element.getparent()
    return element if parent is None else parent


def _ends_here(opening: Element, identifier: str | None) -> bool:
    """Whether the instruction that closes a change stands beside the one that opens it."""
    closing = [s for s in opening.itersiblings() if isinstance(s, etree._ProcessingInstruction) and s.target == "CLG.MDFC"]
    return any(identifier and dict(_ATTRIBUTE.findall(s.text or "")).get("ID") == identifier for s in closing)


class _Walk:
    """Walks one act in reading order. `notes` are its footnotes, with the numbers under which they were called."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._inserted: list[str] = []  # notes that are part of inserted words: printed after the paragraph
        self._marks: list[str] = []  # met inside a paragraph: they come before its line
        self._paragraph_before = 0

    def act(self, root: Element) -> Iterator[Line]:
        """Title, preamble, articles, final words and, in a consolidated act, annexes."""
        body = root if root.tag == "ACT" else root.find("CONS.DOC")
        if body is None:
            raise Unreadable("damaged", "a consolidated act without a document inside", "Fetch it again")
        for paragraph in _all(body, "TITLE/TI/P"):
            yield Line("title", fold(self._inline(paragraph)))
        for part in body:
            if part.tag in ("PREAMBLE", "ENACTING.TERMS"):
                yield from self._flow(part, 1)
            elif part.tag in ("FINAL", "CONS.ANNEX"):
                yield from self._block(part, 1)

    def annex(self, root: Element) -> Iterator[Line]:
        """Number, heading and contents of one annex."""
        first, *others = [fold(self._inline(p)) for p in _all(root, "TITLE/TI/P | TITLE/STI/P | TITLE/TI[not(P)] | TITLE/STI[not(P)]")] or ["ANNEX"]
        yield Line("annex", label=first)
        for heading in others:
            yield Line("heading", heading)
        yield from self._flow(root, 1)

    # ---- blocks ----

    def _flow(self, element: Element, depth: int) -> Iterator[Line]:
        """The lines inside an element: its blocks, and the runs of words between them."""
        run: list[str] = []
        for kind, text, child in _nodes(element):
            if kind == "text":
                run.append(text)
            elif kind == "mark":
                self._marks.append(text)
            elif child is None or child.tag in _PASSED_OVER:
                continue
            elif child.tag not in _BLOCKS:
                run.append(self._inline_child(child) if kind == "element" else "")
            else:
                yield from self._words(run, depth)
                run = []
                yield from self._gone(child) if kind == "gone" else self._block(child, depth)
        yield from self._words(run, depth)

    def _words(self, run: list[str], depth: int) -> Iterator[Line]:
        words = fold("".join(run))
        if words:
            yield from self._take_marks()
            yield Line("words", words, depth=depth)
        inserted, self._inserted = self._inserted, []
        for note in inserted:
            yield Line("words", note, depth=depth)

    def _take_marks(self) -> Iterator[Line]:
        marks, self._marks = self._marks, []
        for mark in marks:
            yield Line("mark", mark)

    def _gone(self, element: Element) -> Iterator[Line]:
        """A deleted provision: no words, but its number, so that the mark has an address."""
        yield from self._take_marks()
        label = next((fold(self._inline(n)) for n in element.iter("TI.ART", "NO.PARAG", "NO.P")), "")
        yield Line("gone", label=label, depth=0 if element.tag in ("PARAG", "NP") else 1)

    def _block(self, element: Element, depth: int) -> Iterator[Line]:
        match element.tag:
            case "DIVISION" | "GR.SEQ":
                yield from self._titled(element, "division" if element.tag == "DIVISION" else "group", depth)
            case "ARTICLE":
                yield from self._article(element)
            case "PARAG":
                yield from self._paragraph(element, depth)
            case "NP":
                label = fold(self._inline(element.find("NO.P")))
                yield from self._labelled(label, element, 0 if _parent(element).tag in ("CONTENTS", "GR.SEQ") else depth)
            case "ITEM" if element.find("NP") is None:
                yield from self._labelled(_BULLETS.get(_parent(element).get("TYPE", "DASH").upper(), "—"), element, depth)
            case "CONSID":
                numbered = element.find("NP")
                label = fold(self._inline(element.find("NP/NO.P")))
                first, *rest = list(self._flow(element if numbered is None else numbered, 2)) or [Line("words")]
                yield Line("recital", first.words, label)
                yield from rest
            case "FINAL":
                for paragraph in element.iter("P"):
                    yield Line("final", fold(self._inline(paragraph)))
            case "TBL":
                for row in element.iter("ROW"):
                    yield Line("words", " | ".join(fold(self._inline(cell)) for cell in row.iter("CELL")), depth=depth)
            case "CONS.ANNEX":
                yield from self.annex(element)
            case _:
                yield from self._flow(element, depth)

    def _titled(self, element: Element, kind: str, depth: int) -> Iterator[Line]:
        yield from self._take_marks()
        titles = [fold(self._inline(p)) for p in _all(element, "TITLE/TI/P | TITLE/TI/NP | TITLE/TI[not(*)] | TITLE/STI/P | TITLE/STI[not(*)]")]
        for number, title in enumerate(t for t in titles if t):
            if number:
                yield Line("heading", title)
            else:
                yield Line("division", label=title) if kind == "division" else Line("group", title, depth=-1)
        yield from self._flow(element, depth)

    def _article(self, element: Element) -> Iterator[Line]:
        self._paragraph_before = 0
        yield from self._take_marks()
        yield Line("article", label=fold(self._inline(element.find("TI.ART"))))
        for heading in _all(element, "STI.ART/P | STI.ART[not(P)]"):
            yield Line("heading", fold(self._inline(heading)))
        yield from self._flow(element, 1)

    def _paragraph(self, element: Element, depth: int) -> Iterator[Line]:
        label = fold(self._inline(element.find("NO.PARAG")))
        quoted = label[:1] in euact.QUOTES or _parent(element).tag == "QUOT.S"
        number = ""
        if not quoted:
            number, self._paragraph_before = euact.number_of_place(label, self._paragraph_before, element.get("IDENTIFIER", ""))
        yield from self._labelled(label, element, depth if quoted else 0, number)

    def _labelled(self, label: str, element: Element, depth: int, number: str = "") -> Iterator[Line]:
        """A numbered piece: its first words go with the number, the rest stands one deeper."""
        yield from self._take_marks()
        inner = list(self._flow(element, depth + 1))
        marks = []
        while inner and inner[0].kind == "mark":
            marks.append(inner.pop(0))
        first = inner.pop(0).words if inner and inner[0].kind == "words" else ""
        yield from marks
        if label[:1] in euact.QUOTES:
            yield Line("words", fold(f"{label} {first}"), depth=depth)
        else:
            yield Line("point", first, label, depth, number)
        yield from inner

    # ---- words ----

    def _inline(self, element: Element | None) -> str:
        """The words of an element with its quotation marks, raised figures and footnote numbers."""
        if element is None:
            return ""
        parts: list[str] = []
        for kind, text, child in _nodes(element):
            if kind == "text":
                parts.append(text)
            elif kind == "mark":
                self._marks.append(text)
            elif kind == "element" and child is not None:
                parts.append(self._inline_child(child))
        return "".join(parts)

    def _inline_child(self, child: Element) -> str:
        kind = child.get("TYPE", "")
        if child.tag in ("QUOT.START", "QUOT.END"):
            code = child.get("CODE", "")
            mark = chr(int(code, 16)) if re.fullmatch(r"[0-9A-Fa-f]{4}", code) else ""
            return mark if mark.isprintable() and mark else "‘" if child.tag == "QUOT.START" else "’"
        if child.tag == "NOTE":
            return self._note(child)
        words = self._inline(child)
        if child.tag == "HT" and kind == "UC":
            return words.upper()
        if (child.tag == "HT" and kind == "SUP") or child.tag == "SUP":
            return f"^{words}"
        if child.tag == "FT" and kind == "NUMBER" and words.strip().isdigit():
            return f"{int(words):,}".replace(",", " ")
        return f"{words} " if child.tag in ("NO.P", "P") and child.getnext() is not None else words

    def _note(self, note: Element) -> str:
        """The call of a footnote; its words are kept for the end, or for after the paragraph when they are quoted law."""
        if note.get("TYPE") == "QUOTATION" or note.get("NUMBERING") == "STAR":
            call = f"({note.get('NUMBER.ORG', '*')})"
            self._inserted.append(fold(f"{call} {self._inline(note)}"))
        else:
            call = f"({len(self.notes) + 1})"
            self.notes.append("")
            self.notes[int(call[1:-1]) - 1] = fold(f"{call} {self._inline(note)}")
        return f" {call}"
