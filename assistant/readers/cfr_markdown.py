"""Markdown made from official XML and HTML: parts of the Code of Federal Regulations, sections of the FD&C Act.

The words are the official ones; the conversion is not, so all of it counts as converted. Knows nothing of addresses
below the section: `cfr` solves the labels of both.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence

from assistant.errors import Unreadable
from assistant.law import Instrument
from assistant.pinpoint import FDCA_OF_USC, Pinpoint
from assistant.readers import cfr, ecfr
from assistant.readers.cfr import OFF, ON, Line
from assistant.readers.tree import Tree

NAME = "cfr-markdown"
GROUPED = False

_PART = re.compile(rb"(?m)^#{1,3} PART \d+")
_SECTION = re.compile(rb"(?m)^#{1,4}\s\xc2\xa7\s?[\d.]+")
_USC = re.compile(rb"(?m)^\s*# \xc2\xa7\d+")


def recognises(name: str, head: bytes) -> bool:
    """Whether this is Markdown with a part's head and sections, or one section of title 21 of the United States Code."""
    if head.lstrip()[:1] in (b"<", b"{", b"%"):
        return False
    return bool(_PART.search(head[:8192]) or (_USC.search(head[:4096]) and b"21 U.S.C." in head[:4096]))


def read(files: Sequence[tuple[str, bytes]]) -> list[Instrument]:
    """One instrument for each part or section; a part printed with its coming edition gives two."""
    return [one for name, data in files for one in (_read_parts(name, data) if _PART.search(data[:8192]) else [_read_statute(name, data)])]


def _split(data: bytes) -> tuple[str, str]:
    """Front matter and body."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    found = re.match(r"\s*---\n(.*?)\n---\n", text, re.S)
    return (found[1], text[found.end() :]) if found else ("", text)


def _slanted(text: str) -> str:
    """Markdown's emphasis as marks of italics; bold is not kept."""
    text = text.replace("**", "")
    text = re.sub(r"(?<![\w*\\])\*(?!\s)([^*]+?)\*(?!\w)", lambda m: f"{ON}{m[1].strip()}{OFF}", text).replace("\\*", "*")
    # the conversion broke the line around all italics: before a closing and after an opening mark there was no space
    return re.sub(rf"([(\[“])\s+(?={ON})", r"\1", re.sub(rf"(?<={OFF})\s+(?=[)\].,;:”])", "", text))


def _blocks(body: str, hanging: int) -> Iterator[str]:
    """The blocks of a text between empty lines; one that hangs `hanging` spaces or more goes on with the block before."""
    held = ""
    for block in re.split(r"\n[ \t]*\n", body):
        if not block.strip():
            continue
        if held and re.match(rf"[ \t]{{{hanging},}}", block.lstrip("\n")) and not held.lstrip().startswith(("#", "|")):
            held += " " + block
            continue
        if held:
            yield held
        held = block
    if held:
        yield held


# ---- parts of the CFR --------------------------------------------------------------------------------------------

_NOTE = re.compile(r"(?i)#+\s*(?:\*\*)?(authority|source|editorial note|effective date note|cross reference)s?\b")


def _read_parts(name: str, data: bytes) -> list[Instrument]:
    front, body = _split(data)
    title = re.search(r"(\d+) CFR", front)
    edition = re.search(r"CFR-(\d{4})-title(\d+)", front)
    annual = f"{edition[1]}-{_revised(int(edition[2]))}" if edition else ""
    parts: list[tuple[cfr.Part, str]] = []
    for line in _part_lines(body):
        if line.kind == "part":
            number = re.search(r"\d+", line.label)
            coming = re.search(r"\(EFF\. (\d+)-(\d+)-(\d+)\)", line.words)
            version = f"20{int(coming[3]):02}-{int(coming[1]):02}-{int(coming[2]):02}" if coming else annual
            parts.append((cfr.Part(title[1] if title else "21", number[0] if number else ""), version))
        if parts:
            parts[-1][0].lines.append(line)
    return [ecfr.instrument(part, version, "converted", NAME, (name, data)) for part, version in parts]


def _revised(title: int) -> str:
    """The day of the year as of which a title's annual edition is revised."""
    return "01-01" if title <= 16 else "04-01" if title <= 27 else "07-01" if title <= 41 else "10-01"


def _part_lines(body: str) -> Iterator[Line]:
    note = ""
    for block in _blocks(body, 8):
        first = block.strip()
        if found := re.match(r"#+\s*(PART \d.*|Subparts? [A-Z].*|§.*)$", " ".join(first.split())):
            note = ""
            kind: cfr.Kind = "part" if found[1].startswith("PART") else "section" if found[1].startswith("§") else "subpart"
            yield cfr.head(kind, _slanted(found[1]))
        elif reserved := re.match(r"\*(Subparts? [^*]*\[Reserved\])\*$", first):
            yield cfr.head("subpart", reserved[1])
        elif _NOTE.match(first):
            note = first.lstrip("# ").strip()
        elif note:
            yield Line("note", cfr.fold(_slanted(f"{note} {block}")))
            note = note if "Note" in note else ""
        elif first.startswith("> Citation:"):
            yield Line("note", cfr.fold(_slanted(first.removeprefix("> Citation:"))))
        elif first.startswith("|"):
            yield from _table(first)
        elif first.startswith((">", "#")):
            yield Line("plain", cfr.fold(_slanted(re.sub(r"(?m)^\s*(?:>|#+)\s?", "", block))))
        else:
            yield Line("p", cfr.fold(_slanted(block)))


def _table(block: str) -> Iterator[Line]:
    for row in block.splitlines():
        cells = [cfr.bare(_slanted(cell)) for cell in row.strip().strip("|").split("|")]
        if any(cells) and not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            yield Line("plain", " | ".join(cell for cell in cells if cell))


# ---- sections of the FD&C Act ------------------------------------------------------------------------------------

_EDITORIAL = re.compile(
    r"\s*#+\s*\**\s*(?:Editorial Notes|Statutory Notes|Executive Documents|Amendments|Effective Date|Codification|References in Text|Prior Provisions)\b"
)


def _read_statute(name: str, data: bytes) -> Instrument:
    front, body = _split(data)
    found = re.search(r"(?m)^\s*# §(?P<usc>[\w–*-]+)\.\s*(?P<heading>.*)$", body)
    edition = re.search(r"USCODE-(\d{4})", front)
    if not found or not edition:
        raise Unreadable("not-recognised", "a section of the United States Code without its number or edition", "Give the file with its front matter.")
    usc = found["usc"].replace("–", "-").replace("*", "")
    number = FDCA_OF_USC.get(usc)
    root = Pinpoint("fda", f"fdca-{number}" if number else f"usc-{usc}")
    lines, notes = _statute_lines(body[found.end() :])
    tree = Tree()
    tree.open(root, "section", 0, found["heading"].strip(), f"§{usc}.")
    tree.write(f"§{usc}. {found['heading'].strip()}")
    cfr.write_paragraphs(tree, root, 1, lines, cfr.US_CODE)
    tree.close()
    for note in notes:
        tree.write(note)
    text, provisions = tree.result()
    named = f"FD&C Act § {number.upper()} (21 U.S.C. {usc})" if number else f"21 U.S.C. {usc}"
    return Instrument(
        id="fda", work=root.path, title=f"{named}: {found['heading'].strip()}", kind="statute", version=f"{edition[1]}-12-31", layer="official",
        provenance="converted", reader=NAME, file=name, sha256=hashlib.sha256(data).hexdigest(), text=text, provisions=provisions,
        marks=tuple(("repeated", p.address) for p in tree.repeated),
    )  # fmt: skip


_POINTS = 4.0  # to a space of indentation


def _statute_lines(body: str) -> tuple[list[Line], list[str]]:
    """The law's own lines, and the source credit with which they end; editors' notes after it are left out."""
    lines: list[Line] = []
    for block in _blocks(body, 99):
        words = cfr.fold(_slanted(block))
        start = block.lstrip("\n")
        indent = _POINTS * (len(start) - len(start.lstrip(" ")))
        if words.startswith("> Source:"):
            return lines, [words.removeprefix("> Source:").strip()]
        if _EDITORIAL.match(block):
            break
        if heading := re.match(r"#+ (?P<label>(?:\(\w+\)\s?)*)(?P<words>.*)$", words):
            shown = f"{heading['label']}{ON}{cfr.bare(heading['words'])}{OFF}" if heading["words"] else heading["label"]
            lines.append(Line("p", shown, indent=0.0 if heading["label"] else -1.0))  # headed: it holds what follows, wherever that begins
        elif words.startswith("|"):
            lines.extend(_table(block.strip()))
        else:
            lines.append(Line("p", words, indent=indent))
    return lines, []
