"""The shape of a European act, whatever file it came in: lines in, text and addresses out.

Every European reader turns its format into `Line`s (what is printed, how deep in lists it stands); `build` gives
them addresses. So two formats of one act cannot disagree about an address except by what they print.
Knows nothing of HTML, XML or JSON, and nothing of which provisions an act ought to have.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from assistant.errors import Unreadable
from assistant.law import Instrument, Provenance, Provision
from assistant.pinpoint import Pinpoint, roman_value
from assistant.readers.tree import Tree

ACTS = {"2016/679": "gdpr", "2024/1689": "eu-ai-act", "2017/745": "mdr"}  # act number -> pinpoint instrument

Kind = Literal["title", "division", "article", "heading", "recital", "annex", "group", "point", "words", "final", "note", "mark", "gone"]


@dataclass(frozen=True, slots=True)
class Line:
    """One printed paragraph: `label` as printed ("1.", "(a)", "Article 5"), `words` after it.

    `depth` counts lists around it: numbered paragraphs of an article stand at 0, its lists and its own words at 1,
    what stands inside a list item at 2 and so on. `division` is a chapter (roman numeral) or a section (arabic);
    `heading` names what was opened last; `group` is a titled part of an annex; `mark` is an amendment mark, `gone` a
    provision that an amendment deleted: it gives the mark an address and has no words.
    """

    kind: Kind
    words: str = ""
    label: str = ""
    depth: int = 1
    number: str = ""  # the step where it is known to differ from the printed label, as after a misprint


# ---- labels ------------------------------------------------------------------------------------------------------

QUOTES = "‘’“”„‚«»\"'"
DASHES = "—–-•·"
_BIS = {"bis": "a", "ter": "b", "quater": "c", "quinquies": "d", "sexies": "e", "septies": "f", "octies": "g"}
_BIS_WORD = re.compile(r"\s+(" + "|".join(_BIS) + r")\b")
_LABEL = re.compile(rf"(?:\(\s*)?(?:\d{{1,3}}(?:\.\d{{1,2}}){{0,3}}[a-z]{{0,2}}|[^\W\d_]{{1,2}}|[ivxl]{{1,6}})(?:\s(?:{'|'.join(_BIS)}))?(?:\.\)|[.)])$")
_PARAGRAPH = re.compile(rf"(\(?\d{{1,3}}(?:\.\d{{1,2}}){{0,3}}[a-z]{{0,2}}(?:\s(?:{'|'.join(_BIS)}))?[.)])\s(?=\S)")
_OPENS_QUOTE = re.compile(r"[‘“„‚«»\"]\s?\(?(?:\d{1,3}(?:\.\d+)*[a-z]{0,2}|[a-z]{1,2}|[ivx]{1,5})(?:\sbis)?[.)]")
_CLOSES_QUOTE = re.compile(r"[’”“«»\"]\s*[.,;:]*$")


def is_label(text: str) -> bool:
    """Whether a text is nothing but a printed number or dash: "1.", "(a)", "iii)", "3.1.", "—"."""
    return bool(_LABEL.match(text)) or (len(text) == 1 and text in DASHES)


def step(label: str) -> str:
    """The pinpoint step of a printed label: "(a)" -> "a", "1 bis." -> "1a", "Rule 11" -> "rule-11"; "" for a dash."""
    bare = label.strip().strip("()." + QUOTES).strip().lower()
    if rule := re.match(r"rule\s+(\d+)$", bare):
        return f"rule-{rule[1]}"
    return "" if not bare or bare in DASHES else _BIS_WORD.sub(lambda m: _BIS[m[1]], bare)


def split_paragraph(text: str) -> tuple[str, str]:
    """The number with which a numbered paragraph begins and its words: ("1.", "Where ..."); ("", text) without one."""
    match = _PARAGRAPH.match(text)
    return (match[1], text[match.end() :].lstrip()) if match else ("", text)


def number_of_place(label: str, before: int, identifier: str) -> tuple[str, int]:
    """The number of a paragraph where its printed one breaks the sequence and its identifier (073.010) does not; and the last number.

    The Official Journal has misprints: in Dutch, Article 73(10) of Regulation (EU) 2024/1689 was printed as a second 11.
    """
    printed = step(label)
    place = re.match(r"\w+\.(\d+)$", identifier)
    number = str(before + 1) if printed != str(before + 1) and place and int(place[1]) == before + 1 else ""
    digits = re.match(r"\d+", number or printed)
    return number, int(digits[0]) if digits else before


def fold(text: str) -> str:
    """The text with each run of white space as one space."""
    return " ".join(text.split())


# ---- building ----------------------------------------------------------------------------------------------------

_ARTICLE_NUMBER = re.compile(r"(\d+)\s?(" + "|".join(_BIS) + r"|[a-z]{1,2}\b)?", re.I)
_DIVISION_NUMBER = re.compile(r"(?:\s|^)([IVXL]+[A-Z]?|\d+[a-zA-Z]?)\b(?!.*(?:\s)[IVXL\d]+\b)")
_GROUP = re.compile(r"(?P<word>[^\W\d]+)\s(?P<number>[A-Z]|[IVX]+|\d{1,2})(?P<rest>\W.*|)$")
_NUMBERED_GROUP = re.compile(r"(?P<label>\d{1,2}(?:\.\d{1,2}){0,3}\.)\s?(?P<words>.+)$")
_POINTS = 3  # tree depth of the outermost points; above them stand chapter or annex, section or group, article


def _article_number(label: str) -> str:
    """The number in a printed article heading, whatever the language: "Artikel 4 bis" -> "4a", "Article premier" -> "1"; "" without one."""
    if re.search(r"\bpremier$", label):
        return "1"
    match = _ARTICLE_NUMBER.search(label)
    letter = (match[2] or "").lower() if match else ""
    return f"{match[1]}{_BIS.get(letter, letter)}" if match else ""


class _Builder:
    """Takes lines one by one; keeps which provision, list and quotation is open."""

    def __init__(self, instrument: str, lines: Sequence[Line]) -> None:
        self.instrument = instrument
        self.tree = Tree()
        self.marks: list[tuple[str, str]] = []
        self._carried = _annexes_whose_groups_carry(lines)
        self._annexes = 0
        self._chapter = ""
        self._division = Pinpoint(instrument, "")  # container last opened: chapter, section, group
        self._root: Pinpoint | None = None  # article, recital or annex
        self._prefix: Pinpoint | None = None  # what the outermost steps are added to: the root, or a group of an annex
        self._stack: list[tuple[int, str, Pinpoint]] = []  # open points: (source depth, step, address)
        self._dashes: dict[Pinpoint, int] = {}
        self._quoting = False
        self._defining = False  # the article's own points are definitions
        self._fresh = False  # the line before opened something that a heading may name
        self._pending: list[str] = []
        self._part = "title"  # title, preamble, body, annex, final

    def take(self, line: Line) -> None:
        {
            "title": self._title, "division": self._open_division, "article": self._article, "heading": self._heading,
            "recital": self._recital, "annex": self._annex, "group": self._group, "point": self._point,
            "words": self._words, "final": self._final, "note": self._note, "mark": self._mark,
            "gone": self._gone,
        }[line.kind](line)  # fmt: skip

    def _title(self, line: Line) -> None:
        self.tree.write(line.words)

    def _leave(self, depth: int) -> None:
        """Close everything as deep as `depth` and forget the points inside."""
        self._stack.clear()
        self._quoting = False
        self.tree.close(depth)

    def _open(self, path: str, kind: str, depth: int, label: str) -> Pinpoint:
        pinpoint = Pinpoint(self.instrument, path)
        self._leave(depth)
        self._fresh = self.tree.open(pinpoint, kind, depth, label=label)
        self.tree.write(label)
        self._settle_marks(pinpoint)
        return pinpoint

    def _open_division(self, line: Line) -> None:
        match = _DIVISION_NUMBER.search(line.label)
        if not match:
            return self._words(Line("words", line.label, depth=0))
        number = match[1]
        self._root = self._prefix = None
        self._part = "body"
        if value := roman_value(number):
            self._chapter = f"ch-{value}"
            self._division = self._open(self._chapter, "container", 0, line.label)
        else:
            path = f"{self._chapter}-sec-{number.lower()}" if self._chapter else f"ch-{number.lower()}"
            self._division = self._open(path, "container", 1 if self._chapter else 0, line.label)

    def _article(self, line: Line) -> None:
        number = _article_number(line.label)
        if not number:
            return self._words(Line("words", line.label, depth=0))
        if self._part != "body":  # an act without chapters: what is open is the preamble
            self._leave(0)
        self._part = "body"
        self._defining = False
        self._root = self._prefix = self._open(f"art-{number}", "article", 2, line.label)

    def _recital(self, line: Line) -> None:
        self._part = "preamble"
        self._root = self._prefix = Pinpoint(self.instrument, f"rec-{step(line.label)}")
        self._leave(1)
        self.tree.open(self._root, "recital", 1, label=line.label)
        self.tree.write(f"{line.label} {line.words}")
        self._settle_marks(self._root)
        self._fresh = False

    def _enter_preamble(self) -> None:
        if self._part == "title":
            self._part = "preamble"
            self.tree.open(Pinpoint(self.instrument, "preamble"), "container", 0)

    def _annex(self, line: Line) -> None:
        match = re.search(r"(?<!\w)([IVXL]+)(?!\w)", line.label)
        self._annexes += 1
        self._part = "annex"
        number = match[1].lower() if match else "i"
        self._root = self._prefix = self._open(f"annex-{number}", "annex", 0, line.label)
        self._division = self._root

    def _heading(self, line: Line) -> None:
        if not self._fresh:
            return self._words(Line("words", line.words))
        self.tree.write(line.words)
        self.tree.heading(line.words)
        self._fresh = False

    def _group(self, line: Line) -> None:
        """A titled part of an annex: "Section A. List ...", "CHAPTER II", or a numbered point that is a title, "3. Quality ..."."""
        if numbered := _NUMBERED_GROUP.match(line.words):
            rule = re.match(r"Rule \d+$", numbered["words"])
            if self._point(Line("point", numbered["words"], numbered["label"], line.depth, step(rule[0]) if rule else "")):
                self.tree.heading(numbered["words"])
            return
        match = _GROUP.match(line.words)
        if self._root is None or not match:
            return self._heading(line)
        number = match["number"]
        value = None if len(number) == 1 and number not in "IVX" else roman_value(number)
        token = str(value) if value else number.lower()
        self._division = self._open(f"{self._root.path}-{token}", "container", 1, "")
        self._prefix = self._division if self._annexes in self._carried else self._root
        self.tree.write(line.words)
        rest = match["rest"].strip(" .:—–-")
        if rest and self._fresh:
            self.tree.heading(rest)
            self._fresh = False

    # ---- points and words ----

    def _pop(self, depth: int) -> None:
        while self._stack and self._stack[-1][0] >= depth:
            self._stack.pop()
        self.tree.close(_POINTS + len(self._stack))

    def _point(self, line: Line) -> bool:
        """Open a numbered provision; False when its words belong to one already open, as in words quoted for another act."""
        printed = fold(f"{line.label} {line.words}")
        printed_step = step(line.label)
        if self._stack and self._stack[-1][0] == line.depth and _is_next(printed_step, self._stack[-1][1]):
            self._quoting = False  # the quotation had no end mark: the list goes on
        if self._prefix is None or self._quoted(printed):
            self._words(Line("words", printed, depth=line.depth))
            return False
        name = line.number or printed_step
        absolute = "." in printed_step
        if not absolute:
            self._pop(line.depth)
        while absolute and self._stack and not printed_step.startswith(self._stack[-1][1] + "."):
            self._stack.pop()
        self.tree.close(_POINTS + len(self._stack))
        base = self._stack[-1][2] if self._stack and not absolute else self._prefix
        if not name:
            self._dashes[base] = self._dashes.get(base, 0) + 1
            name = f"#{self._dashes[base]}"
        address = base.child(name)
        opened = self.tree.open(address, self._kind(line, name), _POINTS + len(self._stack), label=line.label)
        if opened:
            self._stack.append((line.depth, printed_step, address))
            self._settle_marks(address)
        self.tree.write(printed)
        self._fresh = False
        return opened

    def _kind(self, line: Line, name: str) -> str:
        """A numbered paragraph, or a definition when the article's points begin with a term in quotation marks."""
        if self._part != "body" or self._stack or not name[0].isdigit():
            return "point"
        if line.depth == 0 and line.label.endswith("."):
            return "paragraph"
        self._defining = self._defining or bool(re.match(r"[‘“„»«\"'][^‘“„»«\"]+[’”“»«\"']", line.words))
        return "definition" if self._defining else "paragraph" if line.depth == 0 else "point"

    def _words(self, line: Line) -> None:
        if not line.words:
            return
        if re.fullmatch(r"[—–\s-]{5,}", line.words):  # how a consolidated page prints what was deleted
            self._settle_marks(self.tree.current or self._division)
            return
        if self._part == "title":
            self._enter_preamble()
        if self._part == "final":
            return self._final(line)
        self._pop(line.depth)
        if self._part == "preamble" and line.depth <= 1:
            self.tree.close(1)
            self._root = None
        self._quoted(line.words)
        if self._pending and self.tree.current:
            self._settle_marks(self.tree.current)
        self.tree.write(line.words, "" if re.fullmatch(r"[’”“»«]?[.,;:]+[’”“»«]?", line.words) else "\n")
        self._fresh = False

    def _quoted(self, printed: str) -> bool:
        """Whether this line belongs to words quoted for another act; notices where such words begin and end."""
        inside = self._quoting or bool(_OPENS_QUOTE.match(printed))
        self._quoting = inside and not _CLOSES_QUOTE.search(printed)
        return inside

    # ---- what is outside provisions ----

    def _final(self, line: Line) -> None:
        self._part = "final"
        self._root = self._prefix = None
        self._leave(0)
        self.tree.write(line.words)

    def _note(self, line: Line) -> None:
        self._leave(0)
        self._root = self._prefix = None
        self.tree.write(line.words)

    def _mark(self, line: Line) -> None:
        self._pending.append(line.words)

    def _gone(self, line: Line) -> None:
        if re.search(r"[^\W\d]{4,}", line.label):
            self._settle_marks(Pinpoint(self.instrument, f"art-{_article_number(line.label)}"))
        elif self._prefix is not None:
            self._pop(line.depth)
            base = self._stack[-1][2] if self._stack else self._prefix
            self._settle_marks(base.child(step(line.label)) if step(line.label) else base)

    def _settle_marks(self, pinpoint: Pinpoint) -> None:
        self.marks += [(pinpoint.address, mark) for mark in self._pending]
        self._pending.clear()


def _is_next(number: str, before: str) -> bool:
    """Whether a step comes right after another: 2 after 1, b after a."""
    if number.isdigit() and before.isdigit():
        return int(number) == int(before) + 1
    return len(number) == len(before) == 1 and ord(number) == ord(before) + 1


def _annexes_whose_groups_carry(lines: Iterable[Line]) -> set[int]:
    """Which annexes (1 = first) number their points anew in each group, so that the group is part of the address."""
    carried: set[int] = set()
    annex = group = 0
    seen: dict[str, int] = {}
    for line in lines:
        if line.kind == "annex":
            annex, group, seen = annex + 1, 0, {}
            continue
        numbered = _NUMBERED_GROUP.match(line.words) if line.kind == "group" else None
        number = step(numbered["label"] if numbered else line.label) if numbered or line.kind == "point" else ""
        if line.kind == "group" and not numbered:
            group += 1
        elif annex and line.depth <= 1 and number.isdigit() and seen.setdefault(number, group) != group:
            carried.add(annex)
    return carried


@dataclass(frozen=True, slots=True)
class Built:
    """An act's text and provisions, and the marks met on the way."""

    text: str
    provisions: tuple[Provision, ...]
    marks: tuple[tuple[str, str], ...]


def build(instrument: str, lines: Sequence[Line]) -> Built:
    """The text of an act and its provisions; raises `Unreadable` when there is no article and no annex in it."""
    builder = _Builder(instrument, lines)
    for line in lines:
        builder.take(line)
    text, provisions = builder.tree.result()
    if not any(p.kind in ("article", "annex") for p in provisions):
        raise Unreadable("no-articles", "this looks like a European act, but no article was found in it", "Give the full text, not a summary or a notice")
    if re.search("[\ud800-\udfff\0]", text):
        raise Unreadable("damaged", "this document holds characters that are none", "Fetch it again")
    repeated = tuple(("repeated", p.address) for p in builder.tree.repeated)
    return Built(text, provisions, (*builder.marks, *repeated))


# ---- which act, and the instrument -------------------------------------------------------------------------------


def act_of(title: str) -> str:
    """The pinpoint instrument of the act with this title: the first act number in it; raises `Unreadable` for any other act."""
    number = re.search(r"(?<![\d/])(\d{4}/\d+|\d+/\d{4})(?!\d)", title)
    found = ACTS.get(number[1]) if number else None
    if found is None:
        seen = fold(title)[:120] or "no title"
        known = ", ".join(sorted(ACTS))
        raise Unreadable("not-recognised", f"this European act is not one that Pincite knows: {seen}", f"Known are Regulations (EU) {known}")
    return found


def iso_date(printed: str) -> str:
    """A date printed as 12.7.2024 or 12/07/2024 or 20240712, as ISO; "" when there is none."""
    if match := re.search(r"\b(\d{1,2})[./](\d{1,2})[./](\d{4})\b", printed):
        return f"{match[3]}-{int(match[2]):02}-{int(match[1]):02}"
    match = re.search(r"\b(\d{4})-?(\d{2})-?(\d{2})\b", printed)
    return f"{match[1]}-{match[2]}-{match[3]}" if match else ""


def fingerprint(files: Sequence[tuple[str, bytes]]) -> str:
    """SHA-256 of the file; of several, SHA-256 over the sorted lines "hash  name"."""
    hashes = sorted(f"{hashlib.sha256(data).hexdigest()}  {PurePath(name).name}\n" for name, data in files)
    return hashes[0].split()[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Source:
    """Where an act came from: which act and version, which reader, which files (the first one gives the name)."""

    act: str
    title: str
    date: str
    language: str
    provenance: Provenance
    reader: str
    files: Sequence[tuple[str, bytes]]


def instrument(source: Source, built: Built, marks: Iterable[tuple[str, str]] = ()) -> Instrument:
    """The instrument that these lines of this source are; raises `Unreadable` without a date."""
    if not source.date:
        raise Unreadable("no-date", "no date of publication was found in this document", "Give the file as the Official Journal publishes it")
    return Instrument(
        id=source.act,
        work=source.act,
        title=source.title,
        kind="regulation",
        version=source.date if source.language == "en" else f"{source.date}.{source.language}",
        layer="official",
        provenance=source.provenance,
        reader=source.reader,
        file=source.files[0][0],
        sha256=fingerprint(source.files),
        text=built.text,
        provisions=built.provisions,
        marks=(*marks, *built.marks),
    )
