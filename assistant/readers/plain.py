"""Documents nobody knows, read as headings and paragraphs under an id that the user gives; and sets of passages as JSON lines.

Text, Markdown, HTML, PDF and DOCX. Addresses are opaque. Knows nothing of laws.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence

import lxml.html

from assistant import pdf
from assistant.errors import Unreadable
from assistant.law import Instrument
from assistant.pinpoint import KNOWN, Pinpoint
from assistant.readers import guidance
from assistant.readers.cfr import slug
from assistant.readers.guidance import Para
from assistant.readers.tree import Tree

UNDATED = "0001-01-01"  # the version of a document that says no date: older than every as-of date
_ID = re.compile(r"[a-z0-9][a-z0-9_.-]*$")


def read_as(name: str, data: bytes, instrument: str) -> Instrument:
    """A document as headings and paragraphs under the id given; raises `Unreadable` when it has no text."""
    _check(instrument)
    paras = [para for para in _paras(name, data) if para.words]
    if not paras:
        raise Unreadable("no-text", f"{name} has no text", "Give a document with text in it.")
    tree = Tree()
    above: list[tuple[int, str]] = []
    taken: set[str] = set()
    number = 0
    for para in paras:
        if para.level:
            above = [entry for entry in above if entry[0] < para.level]
            path = _free(slug(para.words)[:80].strip("-") or "section", taken)
            tree.open(Pinpoint(instrument, path), "topic", len(above), para.words, para.label)
            above.append((para.level, path))
            number = 0
        else:
            number += 1
            tree.open(Pinpoint(instrument, _free(f"{above[-1][1]}/{number}" if above else f"p{number}", taken)), "paragraph", len(above))
        tree.write(f"{para.label} {para.words}".strip())
    title = next((p.words for p in paras if p.level), name)
    opening = "\n".join(p.words for p in paras[:40])
    return _instrument(tree, instrument, title, guidance.issue_date(opening) or UNDATED, "plain", name, data)


def read_passages(name: str, data: bytes, instrument: str) -> Instrument:
    """A set of passages, one JSON object a line with "id", "text" and perhaps "heading"; the address is `<instrument>:<id>`.

    Raises `Unreadable` with the line's number for a line that is no such object, and for an id met twice.
    """
    _check(instrument)
    tree = Tree()
    for number, line in enumerate(data.decode("utf-8-sig", "replace").splitlines(), 1):
        if not line.strip():
            continue
        row = _passage(name, number, line)
        heading = str(row.get("heading") or "")
        if not tree.open(Pinpoint(instrument, str(row["id"])), "paragraph", 0, heading):
            raise Unreadable("bad-passages", f"{name}, line {number}: the id {row['id']!r} was met before", "Give each passage its own id.")
        tree.write(heading)
        tree.write(str(row["text"]))
    return _instrument(tree, instrument, instrument, UNDATED, "passages", name, data)


def _passage(name: str, number: int, line: str) -> dict[str, object]:
    hint = 'A line is {"id": ..., "text": ..., "heading": ...}.'
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise Unreadable("bad-passages", f"{name}, line {number}: not JSON ({error.msg})", hint) from error
    if (
        not isinstance(row, dict)
        or not isinstance(row.get("id"), str | int)
        or not str(row["id"]).strip()
        or not isinstance(row.get("text"), str)
        or not row["text"].strip()
    ):
        raise Unreadable("bad-passages", f"{name}, line {number}: no id or no text", hint)
    return row


def _check(instrument: str) -> None:
    if not _ID.match(instrument) or instrument in KNOWN:
        why = "is the id of a law that has its own readers" if instrument in KNOWN else "is no id"
        raise Unreadable("bad-id", f"'{instrument}' {why}", "Give an id of small letters, digits and hyphens, such as acme-policy.")


def _free(path: str, taken: set[str]) -> str:
    """The path, or the first of path-2, path-3 and so on that is not taken."""
    found = next(p for p in (path, *(f"{path}-{n}" for n in range(2, 100_000))) if p not in taken)
    taken.add(found)
    return found


def _instrument(tree: Tree, instrument: str, title: str, version: str, reader: str, name: str, data: bytes) -> Instrument:
    text, provisions = tree.result()
    if not provisions:
        raise Unreadable("empty", f"{name} has no passages", "Give a file with at least one.")
    return Instrument(
        id=instrument, work=instrument, title=title, kind="other", version=version, layer="official", provenance="converted", reader=reader,
        file=name, sha256=hashlib.sha256(data).hexdigest(), text=text, provisions=provisions,
    )  # fmt: skip


# ---- formats -----------------------------------------------------------------------------------------------------


def _paras(name: str, data: bytes) -> Iterator[Para]:
    start = data[:1024].lstrip()
    if start.startswith(b"%PDF"):
        return _pdf(data)
    if data.startswith(b"PK\x03\x04"):
        return _docx(name, data)
    if data[:65536].count(0) > 2 and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("binary", f"{name} is not text", "Give text, Markdown, HTML, PDF or DOCX.")
    text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig", "replace")
    if re.match(r"(?is)\s*(?:<!doctype html|<html|<\?xml[^>]*>\s*<html|<body|<h1|<p>)", text):
        return _html(data)
    return _text(text.replace("\r\n", "\n"))


def _text(text: str) -> Iterator[Para]:
    """Markdown or plain text: headings by `#`, by underlining, or by a short numbered line of its own."""
    front = re.match(r"\s*---\n.*?\n---\n", text, re.S)
    lines = text[front.end() if front else 0 :].split("\n")
    held: list[str] = []
    for at, line in enumerate(lines):
        words = line.strip()
        under = lines[at + 1].strip() if at + 1 < len(lines) else ""
        hashes = re.match(r"(#{1,6})\s+(.*?)\s*#*$", words)
        numbered = re.fullmatch(r"\d{1,2}(?:\.\d{1,2}){0,3}\.?\s+[A-Z][^.;:]{2,80}", words) and not under and (at == 0 or not lines[at - 1].strip())
        if hashes or numbered or (words and re.fullmatch(r"={3,}|-{3,}", under)):
            yield from (Para(p) for p in guidance.flow(held))
            held = []
            label, title = guidance.split_label(words) if numbered else ("", hashes[2] if hashes else words)
            yield Para(title, len(hashes[1]) if hashes else label.strip(".").count(".") + 1 if label else 1 + under.startswith("-"), label)
        elif not re.fullmatch(r"={3,}|-{3,}|\*{3,}", words):
            held.append(line)
    yield from (Para(p) for p in guidance.flow(held))


def _html(data: bytes) -> Iterator[Para]:
    page = lxml.html.document_fromstring(data, parser=lxml.html.HTMLParser(encoding="utf-8", huge_tree=False))
    for element in page.iter("h1", "h2", "h3", "h4", "h5", "h6", "p", "li", "td", "blockquote", "pre"):
        if any(str(a.tag) in ("nav", "footer", "script", "style", "li", "td", "blockquote") for a in element.iterancestors()):
            continue
        words = " ".join("".join(str(t) for t in element.itertext()).split())
        tag = str(element.tag)
        yield Para(words, int(tag[1]) if tag[0] == "h" else 0)


def _pdf(data: bytes) -> Iterator[Para]:
    document = pdf.open_pdf(data)
    rows = pdf.body(document)
    sizes = sorted(row.size for row in rows)
    usual = sizes[len(sizes) // 2] if sizes else 0.0
    larger = sorted({round(row.size) for row in rows if row.size > usual + 0.7}, reverse=True)
    for group in _even(pdf.paragraphs(rows)):
        first = group[0]
        words = " ".join(pdf.join(group).split())
        heading = len(words) < 160 and (round(first.size) in larger or (first.bold and not words.endswith((".", ";", ","))))
        yield Para(words, (1 + larger.index(round(first.size)) if round(first.size) in larger else 1 + len(larger)) if heading else 0)


def _even(groups: Iterator[list[pdf.Row]]) -> Iterator[list[pdf.Row]]:
    """Paragraphs cut where the print changes its size or weight."""
    for group in groups:
        held: list[pdf.Row] = []
        for row in group:
            if held and (abs(row.size - held[-1].size) > 0.7 or row.bold != held[-1].bold):
                yield held
                held = []
            held.append(row)
        yield held


def _docx(name: str, data: bytes) -> Iterator[Para]:
    import docx

    try:
        document = docx.Document(io.BytesIO(data))
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise Unreadable("damaged", f"{name} is not a Word document that can be read", "Save it again as DOCX.") from error
    for block in document.iter_inner_content():
        if hasattr(block, "rows"):
            for row in block.rows:
                yield Para(" | ".join(_cells([cell.text for cell in row.cells])))
        else:
            level = re.match(r"(?i)(?:heading|überschrift) (\d)|(title)$", block.style.name if block.style is not None else "")
            yield Para(" ".join(block.text.split()), (int(level[1]) if level[1] else 1) if level else 0)


def _cells(texts: Sequence[str]) -> list[str]:
    """The cells' words; merged cells repeat and are printed once."""
    return [" ".join(t.split()) for i, t in enumerate(texts) if t.strip() and (i == 0 or t != texts[i - 1])]
