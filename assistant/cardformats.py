"""The files of a card as text a reader would see: plain text, DOCX, PDF, and CHAI XML (bare, or inside a PDF).

Word files, XML and PDFs become Markdown whose places are then counted; what their reader cannot see is kept apart. Knows
nothing of fields but the names of CHAI's own.
"""

import io
import json
import re
import textwrap
import zipfile
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree

from assistant import pdf
from assistant.errors import Unreadable

_XML_BYTES = 40_000_000
_TINY = 2.0  # points; smaller print is not for readers
_CELL_BAR = "¦"  # stands for "|" inside a cell


class Part(NamedTuple):
    """One file of a card as text; `fields` are (name, start, end) where the format itself names them."""

    name: str
    text: str
    hidden: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    fields: tuple[tuple[str, int, int], ...] = ()


def read_part(name: str, data: bytes) -> Part:
    """A file as text, recognised by content. Raises Unreadable."""
    if not data.strip():
        raise Unreadable("empty", f"{name} is empty", "Give a card that has text")
    if data[:1024].lstrip().startswith(b"%PDF"):
        return _pdf(name, data)
    if data.startswith(b"PK\x03\x04"):
        return _docx(name, data)
    text = _decoded(name, data)
    if re.match(r"\s*(?:<\?xml\b|<(?:\w+:)?AppliedModelCard\b)", text) or (name.lower().endswith(".xml") and text.lstrip().startswith("<")):
        return _xml(name, data)
    return Part(name, _titled(text) if name.lower().endswith(".txt") else text)


def _decoded(name: str, data: bytes) -> str:
    """Text from bytes: UTF-8, or UTF-16 with a mark, else Latin-1 where it is plainly text. Raises Unreadable."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return _plain(data.decode(encoding, "replace"))
    head = data[:65536]
    strange = sum(head.count(bytes([b])) for b in (*range(9), 11, *range(14, 32)))
    if strange > len(head) * 0.02:
        raise Unreadable("binary", f"{name} is not text", "Give Markdown, text, XML, JSON, DOCX or PDF")
    text = data.decode("utf8", "replace")
    return _plain(text if text.count("\ufffd") <= len(text) * 0.01 else data.decode("latin-1"))


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd")


_SHOUTED = re.compile(r"(?:\d{1,2}(?:\.\d{1,2}){0,3}\.?\s+)?[A-Z][A-Z0-9 ,/&()'-]{3,60}:?")
_NUMBERED = re.compile(r"\d{1,2}(?:\.\d{1,2}){0,3}\.?\s+[A-Z][\w ,/&()'-]{2,60}")


def _titled(text: str) -> str:
    """Plain text whose headings (capitals, or numbered and alone between blank lines) are marked as Markdown's; nothing is lost."""
    lines = text.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if len(lines[first].strip()) <= 90 and first + 1 < len(lines) and not lines[first + 1].strip() and not lines[first].rstrip().endswith("."):
        lines[first] = f"# {lines[first].strip()}"
    for i, line in enumerate(lines):
        bare = line.strip()
        alone = (i == 0 or not lines[i - 1].strip()) and i + 1 < len(lines)
        if alone and bare and (_SHOUTED.fullmatch(bare) or (_NUMBERED.fullmatch(bare) and not lines[i + 1].strip())):
            lines[i] = f"## {bare}"
    return "\n".join(lines)


# ---- XML ---------------------------------------------------------------------------------------------------------------

# CHAI Applied Model Card, schema v0.1 and v0.2: element, the field it states.
_CHAI = {
    "ModelName": "name", "ModelDeveloper": "developer", "DeveloperContact": "contacts", "ReleaseDate": "date", "ReleaseVersion": "version",
    "RegulatoryApproval": "regulatory_status", "Summary": "description", "IntendedUseAndWorkflow": "intended_purpose", "PrimaryIntendedUsers": "users",
    "HowToUse": "setting", "TargetedPatientPopulation": "population", "CautionedOutOfScopeSettings": "contraindications", "KnownRisksAndLimitations":
    "limitations",
    "KnownBiasesOrEthicalConsiderations": "limitations", "ClinicalRiskLevel": "risk_management", "OutcomesAndOutputs": "outputs", "ModelType": "architecture",
    "FoundationModels": "base_model", "InputDataSource": "inputs", "OutputAndInputDataTypes": "inputs", "DevelopmentDataCharacterization": "training_data",
    "BiasMitigationApproaches": "risk_management", "OngoingMaintenance": "monitoring", "Security": "security", "Transparency": "explainability",
    "PatientConsentOrDisclosure": "legal_basis", "EvaluationReferences": "evaluation", "ClinicalTrial": "evaluation", "MetricGoal": "metrics", "Result":
    "metrics", "Results": "metrics",
    "MetricResult": "metrics", "Interpretation": "metrics", "TestType": "evaluation", "TestingDataDescription": "evaluation",
    "ValidationProcessAndJustification": "evaluation",
}  # fmt: skip
_FAIRNESS = {"Result": "subgroups", "Results": "subgroups", "MetricResult": "subgroups", "Interpretation": "subgroups"}
_SKIPPED = ("Signature", "Bibliography")
_PARSER = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False, "remove_pis": True}


def _tree(name: str, data: bytes) -> etree._Element:
    if b"<!ENTITY" in data or b"<!E\x00" in data:
        raise Unreadable("entities", f"{name} defines XML entities", "Give the card without a document type")
    try:
        root: etree._Element | None = etree.fromstring(data, etree.XMLParser(**_PARSER))  # type: ignore[arg-type]
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable("damaged", f"{name} is not sound XML: {' '.join(str(error).split())}", "Export the card again") from error
    if root is None:
        raise Unreadable("damaged", f"{name} has no XML in it", "Export the card again")
    return root


def _xml(name: str, data: bytes) -> Part:
    """An XML card as Markdown: containers are headings, elements headings with their text."""
    root = _tree(name, data)
    page = _Page()
    page.heading(1, _spaced(_tag(root)))
    for child in root:
        _element(child, 2, page, False)
    comments = (*root.itersiblings(etree.Comment, preceding=True), *root.iter(etree.Comment), *root.itersiblings(etree.Comment))
    hidden = tuple(said for c in comments if (said := str(c.text or "").strip()))
    return Part(name, page.text(), hidden, fields=tuple(page.fields))


def _tag(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _spaced(tag: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", tag).replace("_", " ")


class _Page:
    """Markdown being written, with the places of the fields in it."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.size = 0
        self.fields: list[tuple[str, int, int]] = []

    def write(self, text: str) -> tuple[int, int]:
        start = self.size
        self.parts.append(text)
        self.size += len(text)
        return start, self.size

    def heading(self, level: int, title: str) -> None:
        self.write(f"{'#' * min(level, 6)} {title}\n\n")

    def value(self, field: str, text: str) -> None:
        start, end = self.write(text)
        self.write("\n\n")
        if field:
            self.fields.append((field, start, end))

    def text(self) -> str:
        return "".join(self.parts)


def _element(element: etree._Element, level: int, page: _Page, fairness: bool) -> None:
    tag = _tag(element)
    if not tag or tag in _SKIPPED:
        return
    fairness = fairness or tag == "FairnessEquity"
    field = (_FAIRNESS.get(tag) if fairness else None) or _CHAI.get(tag, "")
    children = [c for c in element if _tag(c)]
    if tag == "MetricResult":
        label, value = (_own_text(c) for c in (element.find("{*}Label"), element.find("{*}ValueJson")))
        page.value(field, f"{label}: {_json_text(value)}" if value else label)
    elif children and all(len(c) == 0 and _tag(c) in ("Keyword", "EHR") for c in children):
        page.heading(level, _spaced(tag))
        page.value("", ", ".join(filter(None, map(_own_text, children))))
    elif children:
        page.heading(level, _spaced(tag))
        for child in children:
            _element(child, level + 1, page, fairness)
    else:
        page.heading(level, _spaced(tag))
        page.value(field, _own_text(element))


def _json_text(text: str) -> str:
    """The words of a value written as JSON (CHAI v0.2): "88.5 % (95 % CI 80.4 to 94.1)", digits as written; anything unknown as it stands."""
    try:
        value = json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, dict) and (figure := value.get("estimate", value.get("value"))) is not None and not isinstance(figure, dict | list):
        unit = f" {value['unit']}" if value.get("unit") else ""
        interval = f" ({value.get('level', '95')} % CI {value['lower']} to {value['upper']})" if value.get("lower") and value.get("upper") else ""
        return f"{figure}{unit}{interval}"
    return value.strip() if isinstance(value, str) else text


def _own_text(element: etree._Element | None) -> str:
    """An element's text without the indentation of the file around it."""
    text = _plain("".join(str(t) for t in element.itertext("*"))) if element is not None else ""
    first, _, rest = text.strip().partition("\n")
    return f"{first}\n{textwrap.dedent(rest)}".strip() if rest else first


# ---- DOCX --------------------------------------------------------------------------------------------------------------

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"


def _docx(name: str, data: bytes) -> Part:
    """A Word file as Markdown. Hidden, deleted and white text, comments and properties are kept apart."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = {
                n: _unzipped(name, archive, n)
                for n in archive.namelist()
                if re.fullmatch(r"word/(?:document|styles|comments)\.xml|docProps/(?:core|app|custom)\.xml", n)
            }
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise Unreadable("damaged", f"{name} is no sound Word file: {' '.join(str(error).split())}", "Save it again as .docx, or as PDF") from error
    if "word/document.xml" not in files:
        raise Unreadable("not-recognised", f"{name} is an archive but no Word file", "Give the card itself: Markdown, text, XML, JSON, DOCX or PDF")
    body = _tree(name, files["word/document.xml"]).find(f"{_W}body")
    styles = _styles(name, files.get("word/styles.xml", b""))
    hidden: list[str] = []
    text = "\n\n".join(line for line in _body(body, styles, hidden) if line) if body is not None else ""
    for other in ("word/comments.xml", "docProps/core.xml", "docProps/custom.xml"):
        if files.get(other):
            hidden.extend(t for e in _tree(name, files[other]) if (t := " ".join("".join(map(str, e.itertext("*"))).split())))
    return Part(name, re.sub(r"(?m)^(\|.*\|)\n\n(?=\|)", r"\1\n", text), tuple(hidden))


def _unzipped(name: str, archive: zipfile.ZipFile, member: str) -> bytes:
    with archive.open(member) as stream:
        data = stream.read(_XML_BYTES + 1)
    if len(data) > _XML_BYTES:
        raise Unreadable("too-large", f"{name} unpacks to more than {_XML_BYTES // 1_000_000} MB", "Give the card without embedded data")
    return data


def _styles(name: str, data: bytes) -> dict[str, str]:
    """Style ids with their names in lower case: "Heading1" is "heading 1" in any language of the program."""
    if not data:
        return {}
    found = {}
    for style in _tree(name, data).iter(f"{_W}style"):
        title = style.find(f"{_W}name")
        found[style.get(f"{_W}styleId", "")] = title.get(f"{_W}val", "").lower() if title is not None else ""
    return found


def _body(parent: etree._Element, styles: dict[str, str], hidden: list[str]) -> Iterator[str]:
    for element in parent:
        tag = _tag(element)
        if tag == "p":
            yield _paragraph(element, styles, hidden)
        elif tag == "tbl":
            yield _table(element, hidden)
        elif tag in ("sdt", "sdtContent", "customXml", "ins", "smartTag"):
            yield from _body(element, styles, hidden)


def _paragraph(paragraph: etree._Element, styles: dict[str, str], hidden: list[str]) -> str:
    text = " ".join(line for part in _runs(paragraph, hidden).split("\n") if (line := " ".join(part.split())))
    if not text:
        return ""
    style_id = paragraph.find(f"{_W}pPr/{_W}pStyle")
    style = styles.get(key := style_id.get(f"{_W}val", ""), key.lower()) if style_id is not None else ""
    heading = re.fullmatch(r"(?:heading|überschrift|titre|titolo|título|kop|rubrik|overskrift) ?(\d)", style)
    if heading:
        return f"{'#' * min(int(heading[1]) + 1, 6)} {text}"
    if style == "title":
        return f"# {text}"
    if paragraph.find(f"{_W}pPr/{_W}numPr") is not None or style.startswith("list"):
        return f"- {text}"
    if len(text) < 80 and not text.endswith(".") and _bold(paragraph):
        return f"**{text}**"
    return re.sub(r"^(?=[#>]|[-+*]\s|\d+[.)]\s|```|~~~|---|===)", r"\\", text)


def _runs(parent: etree._Element, hidden: list[str]) -> str:
    """The visible words of a paragraph; what is struck out or made invisible goes to `hidden`."""
    words = []
    for element in parent:
        tag = _tag(element)
        if tag == "r":
            said = _run(element, hidden)
            if _unseen(element) and said.strip():
                hidden.append(said.strip())
            else:
                words.append(said)
        elif tag in ("del", "moveFrom"):
            gone = "".join(str(t.text or "") for t in element.iter(f"{_W}delText", f"{_W}t")).strip()
            hidden.extend([gone] if gone else [])
        elif tag in ("hyperlink", "ins", "moveTo", "smartTag", "sdt", "sdtContent", "fldSimple", "customXml"):
            words.append(_runs(element, hidden))
    return "".join(words)


def _run(run: etree._Element, hidden: list[str]) -> str:
    words = []
    for element in run:
        tag = _tag(element)
        if tag == "t":
            words.append(str(element.text or ""))
        elif tag in ("tab", "br", "cr"):
            words.append(" " if tag == "tab" else "\n")
        elif tag == "noBreakHyphen":
            words.append("-")
        elif tag == "AlternateContent":
            choice = element.find(f"{_MC}Choice")
            boxes = choice.iter(f"{_W}txbxContent") if choice is not None else ()
            words.extend(f" {_runs(p, hidden)} " for box in boxes for p in box.iter(f"{_W}p"))
    return "".join(words)


def _unseen(run: etree._Element) -> bool:
    """Whether a run is hidden, white or too small to read."""
    properties = run.find(f"{_W}rPr")
    if properties is None:
        return False
    vanish = properties.find(f"{_W}vanish")
    colour = properties.find(f"{_W}color")
    size = properties.find(f"{_W}sz")
    off = ("0", "false", "off")
    if vanish is not None and vanish.get(f"{_W}val", "1") not in off:
        return True
    if colour is not None and colour.get(f"{_W}val", "").upper() in ("FFFFFF", "FEFEFE"):
        return True
    return size is not None and size.get(f"{_W}val", "24").isdigit() and int(size.get(f"{_W}val", "24")) <= 4


def _bold(paragraph: etree._Element) -> bool:
    runs = [r for r in paragraph.iter(f"{_W}r") if "".join(str(t.text or "") for t in r.iter(f"{_W}t")).strip()]
    return bool(runs) and all((b := r.find(f"{_W}rPr/{_W}b")) is not None and b.get(f"{_W}val", "1") not in ("0", "false") for r in runs)


def _table(table: etree._Element, hidden: list[str]) -> str:
    """A table as Markdown rows; its first row is the header."""
    rows = []
    for row in table.iter(f"{_W}tr"):
        cells = [" ".join(" ".join(_runs(p, hidden).split()) for p in cell.iter(f"{_W}p")).strip() for cell in row.findall(f"{_W}tc")]
        rows.append([c.replace("|", _CELL_BAR) for c in cells])
    rows = [row for row in rows if any(row)]
    if not rows:
        return ""
    width = max(map(len, rows))
    lines = ["| " + " | ".join([*row, *[""] * (width - len(row))]) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * width, *lines[1:]])


# ---- PDF ---------------------------------------------------------------------------------------------------------------


def _pdf(name: str, data: bytes) -> Part:
    """A PDF as Markdown by the size and weight of its rows; a CHAI card inside it is read instead of the pages."""
    properties = pdf.properties(data)
    inside = next((value for key, value in properties.items() if key.lower() == "/chaimcxml" and "<" in value), "")
    if inside:
        try:
            return _xml(name, inside.encode())
        except Unreadable as error:
            problem = f"The card inside {name} cannot be read: {error}"
    else:
        problem = ""
    document = pdf.open_pdf(data)
    unseen = pdf.unseen_rows(data)
    rows = [row for row in pdf.body(document) if (row.page, round(row.y)) not in unseen and row.size > _TINY]
    hidden = [row.text for row in document.rows() if (row.page, round(row.y)) in unseen or row.size <= _TINY]
    sizes = sorted(row.size for row in rows for _ in range(len(row.text)))
    usual = sizes[len(sizes) // 2] if sizes else 10.0
    lines = [line for paragraph in pdf.paragraphs(rows) for line in _printed(paragraph, usual)]
    hidden.extend(v for k, v in properties.items() if k in ("/Subject", "/Keywords") and v.strip())
    return Part(name, "\n\n".join(line for line in lines if line.strip()), tuple(hidden), (problem,) if problem else ())


_BULLET = re.compile(r"^(?:[•●▪◦‣∙·*–-]|o)\s+(?=\S)")


def _printed(rows: list[pdf.Row], usual: float) -> Iterator[str]:
    """A run of rows as headings, list items and paragraphs."""
    held: list[pdf.Row] = []
    for row in rows:
        text = row.text
        big = row.size > usual * 1.12 or (row.bold and len(text) < 80 and not text.rstrip().endswith((".", ";", ",")))
        if (big or _BULLET.match(text)) and held:
            yield _joined(held)
            held = []
        if big:
            level = 1 if row.size > usual * 1.7 else 2 if row.size > usual * 1.35 else 3
            yield f"{'#' * level} {text}"
        else:
            held.append(row)
    if held:
        yield _joined(held)


def _joined(rows: list[pdf.Row]) -> str:
    text = pdf.join(rows)
    bullet = _BULLET.match(text)
    if bullet:
        return f"- {text[bullet.end() :]}"
    return re.sub(r"^(?=[#>|]|[-+*]\s|```|~~~|---|===)", r"\\", text)
