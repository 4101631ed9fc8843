"""The Gazette of India as PDF: the Digital Personal Data Protection Act, 2023, and its Rules of 2025.

Marginal notes are the headings of the Act's sections; the Rules print theirs in the line; schedules are lists or
tables. Knows the layout of these two; the labels are solved by `cfr`.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assistant import pdf
from assistant.errors import Unreadable
from assistant.law import Instrument
from assistant.pdf import Chunk, Row
from assistant.pinpoint import Pinpoint, roman_value
from assistant.readers import cfr
from assistant.readers.cfr import Line
from assistant.readers.tree import Tree

_ACT = re.compile(r"(?i)THE DIGITAL PERSONAL DATA PROTECTION ACT, 2023\s*\(NO\. 22 OF 2023\)")
_RULES = re.compile(r"(?i)These rules may be called the Digital Personal Data Protection\s+Rules,\s+2025")
_DATE = re.compile(r"(?:\[|New Delhi, the )(\d{1,2})(?:st|nd|rd|th) (\w+), (\d{4})")
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_ORDINALS = ("FIRST", "SECOND", "THIRD", "FOURTH", "FIFTH", "SIXTH", "SEVENTH", "EIGHTH", "NINTH", "TENTH")


def is_act(first: str) -> bool:
    """Whether the first pages are those of the Act."""
    return bool(_ACT.search(" ".join(first.split())))


def is_rules(first: str) -> bool:
    """Whether the first pages are those of the Rules."""
    return bool(_RULES.search(" ".join(first.split())))


def read(document: pdf.Document, first: str, file: tuple[str, bytes]) -> list[Instrument]:
    """The Act or the Rules; raises `Unreadable` when a gazette has neither."""
    act = is_act(first)
    dated = _DATE.search(" ".join(first.split()))
    if not dated or dated[2].lower() not in _MONTHS:
        raise Unreadable("no-date", "no date of publication was found in this gazette", "Give the gazette with its first page.")
    version = f"{dated[3]}-{_MONTHS.index(dated[2].lower()) + 1:02}-{int(dated[1]):02}"
    blocks = list(_blocks(document))
    tree = Tree()
    _write(tree, "dpdp" if act else "dpdp-rules", blocks, _margins(document) if act else [])
    text, provisions = tree.result()
    if not any(p.kind in ("section", "rule") for p in provisions):
        raise Unreadable("no-sections", "this looks like the Gazette of India, but no section or rule was found in it", "Give the whole Act or Rules.")
    name, data = file
    return [
        Instrument(
            id="dpdp" if act else "dpdp-rules", work="dpdp" if act else "dpdp-rules",
            title="Digital Personal Data Protection Act, 2023" if act else "Digital Personal Data Protection Rules, 2025",
            kind="act" if act else "rules", version=version, layer="official", provenance="original", reader="gazette", file=name,
            sha256=hashlib.sha256(data).hexdigest(), text=text, provisions=provisions, marks=tuple(("repeated", p.address) for p in tree.repeated),
        )
    ]  # fmt: skip


# ---- rows and blocks ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that are one paragraph, or one row of a table."""

    rows: tuple[Row, ...]

    @property
    def words(self) -> str:
        """Its words with italics marked."""
        return pdf.join(self.rows, marked=True)

    @property
    def text(self) -> str:
        """Its words."""
        return cfr.bare(self.words)

    @property
    def bold(self) -> bool:
        """Whether it is printed in bold."""
        return self.rows[0].bold


def _is_margin(chunk: Chunk) -> bool:
    return 7.5 < chunk.size < 8.6 and (chunk.x > 475 or chunk.x < 110) and chunk.y > 60


def _body_rows(document: pdf.Document) -> Iterator[Row]:
    """The rows of the text itself, from the Act's or the Rules' beginning on, without marginal notes and running heads."""
    begun = False
    for row in document.rows():
        kept = tuple(c for c in row.chunks if not _is_margin(c))
        if not kept or (row.y > 0.905 * document.sizes[row.page][1] and re.search(r"GAZETTE OF INDIA|\[भाग", row.text)):
            continue
        row = replace(row, chunks=kept, x=kept[0].x)
        begun = begun or bool(re.match(r"(?i)THE DIGITAL PERSONAL DATA PROTECTION ACT|MINISTRY OF ELECTRONICS|G\.S\.R\.", row.text))
        if begun:
            yield row


_BEGINS = re.compile(
    r"\(\w{1,5}\)\s?\S|\d{1,2}\.\s?(?:[A-Z]|\(\d)|Provided |Explanation|Illustration|Note ?:"
    r"|CHAPTER |PART [AB]\b|THE SCHEDULE|[A-Z]+ SCHEDULE|\[See |S\. |Sl\. No"
)


_ALONE = re.compile(r"S\.(?:\s|$)|Sl\. No|\(1\) ?\(2\)|PART [A-Z]\s*$|[A-Z]+ SCHEDULE\s*$|\[See |CHAPTER ")


def _blocks(document: pdf.Document) -> Iterator[Block]:
    held: list[Row] = []
    for row in _body_rows(document):
        if held and not _goes_on(held, row):
            yield Block(tuple(held))
            held = []
        held.append(row)
    if held:
        yield Block(tuple(held))


def _goes_on(held: list[Row], row: Row) -> bool:
    """Whether a row continues the paragraph before it."""
    before = held[-1]
    if _ALONE.match(row.text) or _ALONE.match(before.text) or (before.bold and re.match(r"\d{1,2}\.\s?\S", row.text) and len(before.text) > 3):
        return False
    ended = bool(re.search(r"(?:[.;:,—–-]|[.;][”\"]|\b(?:and|or))$", before.text)) and not before.text.endswith(("sub-", "Act,"))
    full = bool(re.search(r"(?:[.;:—–-]|[.;][”\"]|[;,] (?:and|or))$", before.text))
    if before.bold and not any(chunk.bold for chunk in row.chunks) and before.x > 150:  # a heading's last line, set in the middle
        return False
    if row.page == before.page:
        gap = before.y - row.y
        if not 0 <= gap < 1.5 * row.size:
            return False
        return not (_BEGINS.match(row.text) and (full or (ended and abs(row.x - held[0].x) < 1 and row.text.startswith("(")))) and not _centred(before)
    if _BEGINS.match(row.text):
        return not full
    return not full or row.x < held[0].x - 5 or (len(held) > 1 and abs(row.x - before.x) < 2 and abs(held[0].x - before.x) > 5)


def _centred(row: Row) -> bool:
    return bool(re.match(r"CHAPTER |PART [AB]\s*$|THE\s+SCHEDULE|[A-Z]+ SCHEDULE\s*$|\[See |Illustrations?\.?$", row.text))


def _margins(document: pdf.Document) -> list[tuple[int, float, str]]:
    """The marginal notes as (page, height of the first line, words); the years of acts cited there are left out."""
    notes: list[tuple[int, float, float, str]] = []
    for row in document.rows():
        words = " ".join(re.sub(r"\d+ of \d{4}\.?", "", "".join(c.text for c in row.chunks if _is_margin(c))).split())
        if not words or words.startswith("MGIP"):
            continue
        top = next(c.y for c in row.chunks if _is_margin(c))
        if notes and notes[-1][0] == row.page and 0 < notes[-1][2] - top < 11.5:
            notes[-1] = (row.page, notes[-1][1], top, f"{notes[-1][3]} {words}")
        else:
            notes.append((row.page, top, top, words))
    return [(page, y, words) for page, y, _, words in notes]


# ---- the tree ----------------------------------------------------------------------------------------------------

_UNIT = re.compile(r"(?P<number>\d{1,2})\.\s?(?P<rest>\S.*)$", re.S)
_HEADED = re.compile(r"(?P<heading>[A-Z“][^—]*?)\.?\s?—+\s?(?P<rest>.*)$", re.S)


def _write(tree: Tree, instrument: str, blocks: Sequence[Block], margins: Sequence[tuple[int, float, str]]) -> None:
    at, number = 0, 0
    while at < len(blocks):
        block = blocks[at]
        text = block.text
        unit = _UNIT.match(text)
        if chapter := re.match(r"CHAPTER ([IVXL]+)\b\s*(.*)$", text):
            heading = chapter[2] or blocks[at + 1].text
            tree.open(Pinpoint(instrument, f"ch-{roman_value(chapter[1])}"), "container", 0, heading, f"CHAPTER {chapter[1]}")
            tree.write(f"CHAPTER {chapter[1]}")
            tree.write(heading)
            at += 1 if chapter[2] else 2
        elif re.match(r"THE\s+SCHEDULE$|(?:" + "|".join(_ORDINALS) + r") SCHEDULE\b", text):
            at = _schedule(tree, instrument, blocks, at)
        elif unit and int(unit["number"]) == number + 1 and block.rows[0].chunks[0].bold:
            number += 1
            end = next((i for i in range(at + 1, len(blocks)) if _ends_unit(blocks[i], number)), len(blocks))
            _unit(tree, instrument, number, blocks[at:end], margins)
            at = end
        else:
            tree.close(0)
            tree.write(text)
            at += 1


def _ends_unit(block: Block, number: int) -> bool:
    unit = _UNIT.match(block.text)
    return bool(
        (unit and int(unit["number"]) == number + 1 and block.rows[0].chunks[0].bold)
        or re.match(r"CHAPTER [IVXL]+\b|THE\s+SCHEDULE$|[A-Z]+ SCHEDULE\b", block.text)
    )


def _unit(tree: Tree, instrument: str, number: int, blocks: Sequence[Block], margins: Sequence[tuple[int, float, str]]) -> None:
    """One section of the Act or one rule, with its paragraphs."""
    first = blocks[0].rows[0]
    words = blocks[0].words
    unit = _UNIT.match(cfr.bare(words))
    rest = unit["rest"] if unit else words
    if instrument == "dpdp":
        near = [(abs(y - first.y), note) for page, y, note in margins if page == first.page]
        heading = min(near)[1].rstrip(".") if near and min(near)[0] < 12 else ""
        printed = ""
    else:
        headed = _HEADED.match(rest)
        heading = headed["heading"].strip() if headed else ""
        printed = cfr.bare(words)[: -len(headed["rest"])].strip() if headed and headed["rest"] else cfr.bare(words)
        rest = headed["rest"] if headed else ""
    pinpoint = Pinpoint(instrument, f"{'s' if instrument == 'dpdp' else 'r'}-{number}")
    tree.open(pinpoint, "section" if instrument == "dpdp" else "rule", 1, heading, f"{number}.")
    tree.write(f"{heading}." if instrument == "dpdp" and heading else "")
    tree.write(printed or f"{number}.")
    lines = _lines(blocks[1:])
    begins = Line("p", rest, "", first.x) if rest else None
    if begins and not re.match(r"\(\w+\)", rest):
        tree.write(rest, " ")
        begins = None
    cfr.write_paragraphs(tree, pinpoint, 2, [begins, *lines] if begins else lines, cfr.INDIA)


def _lines(blocks: Sequence[Block]) -> list[Line]:
    """The paragraphs as lines; what is quoted from another act, or to be put into it, has no labels of ours."""
    lines: list[Line] = []
    quoting = False
    for at, block in enumerate(blocks):
        text = block.text
        quoting = quoting or bool(re.match(r"[“‘]\(?\w{1,5}[).]", text))
        centred = bool(re.match(r"Illustrations?\.?$", text))
        indent = -1.0 if quoting else blocks[min(at + centred, len(blocks) - 1)].rows[0].x
        lines.append(Line("plain" if quoting or centred or _WITHIN.match(text) else "p", block.words, "", indent))
        quoting = quoting and not re.search(r"[”’][.;,]*$", text)
    return lines


_WITHIN = re.compile(r"\([a-z]\) X, |Case \d")


# ---- schedules ---------------------------------------------------------------------------------------------------


def _schedule(tree: Tree, instrument: str, blocks: Sequence[Block], at: int) -> int:
    """One schedule from its title on; gives the place after it."""
    title = blocks[at].text
    word = title.split()[0]
    path = "sch" if instrument == "dpdp" else f"sch-{_ORDINALS.index(word) + 1}"
    end = next((i for i in range(at + 1, len(blocks)) if re.match(r"[A-Z]+ SCHEDULE\b|—{3,}|\[F\. No", blocks[i].text)), len(blocks))
    inside = list(blocks[at + 1 : end])
    tree.open(Pinpoint(instrument, path), "schedule", 0, _schedule_heading(inside), title)
    tree.write(title)
    parts = [i for i, block in enumerate(inside) if re.match(r"PART [A-Z]\b", block.text)]
    for start, stop in zip([0, *parts], [*parts, len(inside)], strict=True):
        run = inside[start:stop]
        letter = re.match(r"PART ([A-Z])\b\s*(.*)$", run[0].text) if run else None
        base = Pinpoint(instrument, path)
        if letter:
            base = Pinpoint(instrument, f"{path}-part-{letter[1].lower()}")
            tree.open(base, "container", 1, letter[2] or (run[1].text if len(run) > 1 else ""), f"PART {letter[1]}")
        _schedule_part(tree, base, run, 2 if letter else 1)
    tree.close(0)
    return end


_NUMBERS = re.compile(r"\(1\) ?\(2\)")  # the numbers of a table's columns, below their heads


def _table_head(blocks: Sequence[Block]) -> int:
    """The place at which the heads of a table's columns begin; after the last block when there is no table."""
    return next((i for i, b in enumerate(blocks) if re.match(r"S\.(?:\s|$)|Sl\. No", b.text) or _NUMBERS.match(b.text)), len(blocks))


def _schedule_heading(blocks: Sequence[Block]) -> str:
    """The words below the reference to the rule, when they are a heading."""
    found = next((b.text for b in blocks[: min(4, _table_head(blocks))] if not re.match(r"\[See |PART ", b.text) and b.bold), "")
    return "" if re.match(r"\d|\(", found) else found


def _schedule_part(tree: Tree, base: Pinpoint, blocks: Sequence[Block], depth: int) -> None:
    """A schedule's or a part's items: rows of a table, numbered paragraphs, or lettered points."""
    table = _table_head(blocks) if any(_NUMBERS.match(block.text) for block in blocks) else len(blocks)
    note = next((i for i, block in enumerate(blocks) if re.match(r"Note ?:", block.text)), len(blocks))
    if table < len(blocks):
        for block in blocks[:table]:
            tree.write(block.text)
        _table(tree, base, [row for block in blocks[table:note] for row in block.rows], depth)
    else:
        starts = [
            i for i in range(note) if (unit := _UNIT.match(blocks[i].text)) and int(unit["number"]) == 1 + sum(bool(_UNIT.match(b.text)) for b in blocks[:i])
        ]
        for block in blocks[: starts[0]] if starts else []:
            tree.write(block.text)
        if not starts:
            cfr.write_paragraphs(tree, base, depth, _lines(blocks[:note]), cfr.INDIA)
        for start, stop in zip(starts, [*starts[1:], note], strict=False):
            _item(tree, base, blocks[start:stop], depth)
    tree.close(1 if note < len(blocks) else depth)
    for block in blocks[note:]:
        tree.write(block.text)


def _item(tree: Tree, base: Pinpoint, blocks: Sequence[Block], depth: int) -> None:
    """A numbered paragraph of a schedule."""
    unit = _UNIT.match(blocks[0].text)
    assert unit is not None
    headed = _HEADED.match(unit["rest"]) if blocks[0].rows[0].chunks[0].bold or re.match(r"[A-Z][^.—]{2,60}\.\s?—", unit["rest"]) else None
    pinpoint = base.child(unit["number"])
    tree.open(pinpoint, "paragraph", depth, headed["heading"].strip() if headed else "", f"{unit['number']}.")
    inner = headed["rest"] if headed and re.match(r"\(\w+\)", headed["rest"]) else ""
    whole = blocks[0].text
    tree.write(whole[: len(whole) - len(inner)].strip() if inner else whole)
    cfr.write_paragraphs(tree, pinpoint, depth + 1, [*([Line("p", inner, "", blocks[0].rows[0].x)] if inner else []), *_lines(blocks[1:])], cfr.INDIA)


def _table(tree: Tree, base: Pinpoint, rows: Sequence[Row], depth: int) -> None:
    """A table: the heads of its columns, then its numbered rows, each one cell after the other."""
    starts = [i for i, row in enumerate(rows) if re.match(r"\d{1,2}\.(?:\s|$)", row.chunks[0].text.strip() + " ") and row.x < 140]
    edges = _edges([rows[i] for i in starts])
    numbers = next((i for i, row in enumerate(rows) if _NUMBERS.match(row.text)), 0)
    for head in rows[:numbers], rows[numbers : min(starts, default=len(rows))]:
        tree.write(" | ".join(cell for cell in _cells(head, edges) if cell))
    for start, stop in zip(starts, [*starts[1:], len(rows)], strict=False):
        shown = _cells(rows[start:stop], edges)
        number = re.match(r"\d+", shown[0])
        tree.open(base.child(number[0] if number else "0"), "paragraph", depth, "", shown[0])
        tree.write(f"{shown[0]} {' | '.join(cell for cell in shown[1:] if cell)}")


def _edges(rows: Sequence[Row]) -> list[float]:
    """Where the columns begin: the places at which most numbered rows begin a run of text, not those where one goes on."""
    found: list[float] = []
    for x in sorted(chunk.x for row in rows for chunk in row.chunks):
        often = sum(any(abs(chunk.x - x) < 3 for chunk in row.chunks) for row in rows)
        if 2 * often > len(rows) and (not found or x - found[-1] > 15):
            found.append(x)
    return found


def _cells(rows: Sequence[Row], edges: Sequence[float]) -> list[str]:
    """The words of rows, column by column."""
    cells = ["" for _ in edges]
    for row in rows:
        for chunk in row.chunks:
            cells[max((i for i, edge in enumerate(edges) if chunk.x > edge - 8), default=0)] += chunk.text
        cells = [f"{cell} " for cell in cells]
    return [" ".join(cell.split()) for cell in cells]
