"""PDF files as rows of text with their place, size and slant, page by page; the only user of pypdf.

Running heads and page numbers are found by their repetition. Knows nothing of laws or of what the text means.
"""

import io
import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from assistant.errors import Unreadable

if TYPE_CHECKING:
    from pypdf import PdfReader

ON, OFF = "\ue000", "\ue001"  # stand around words printed in italics in `Row.marked`


@cache
def _broken() -> tuple[type[Exception], ...]:
    """What pypdf raises over a damaged file. Imported here: a search that reads no PDF need not wait for it."""
    from pypdf.errors import PyPdfError

    usual = (ValueError, KeyError, TypeError, IndexError, AttributeError, AssertionError, RecursionError, OverflowError, NotImplementedError)
    return (PyPdfError, *usual, zlib.error, struct.error)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of text in one font at (x, y), in points from the page's lower left corner; `size` is the printed size."""

    text: str
    x: float
    y: float
    size: float
    bold: bool
    italic: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One printed line (of one column): where it begins, its size, whether all of it is bold or italic."""

    page: int
    x: float
    y: float
    size: float
    chunks: tuple[Chunk, ...]

    @property
    def text(self) -> str:
        """The words, white space folded."""
        return " ".join("".join(c.text for c in self.chunks).split())

    @property
    def marked(self) -> str:
        """The words with italics between marks."""
        parts = (f"{ON}{c.text}{OFF}" if c.italic and c.text.strip() else c.text for c in self.chunks)
        return re.sub(rf"{OFF}(\s*){ON}", r"\1", " ".join("".join(parts).split()))

    @property
    def bold(self) -> bool:
        """Whether every letter is bold."""
        return all(c.bold for c in self.chunks if c.text.strip())

    @property
    def italic(self) -> bool:
        """Whether every letter is in italics."""
        return all(c.italic for c in self.chunks if c.text.strip())


@dataclass(frozen=True, slots=True)
class Document:
    """A PDF: its rows page by page in reading order, the page sizes, the outline as (level, title, page), the title it gives itself."""

    pages: tuple[tuple[Row, ...], ...]
    sizes: tuple[tuple[float, float], ...]
    outline: tuple[tuple[int, str, int], ...]
    title: str

    def rows(self) -> Iterator[Row]:
        """All rows, page after page."""
        for page in self.pages:
            yield from page


def open_pdf(data: bytes, columns: int = 1, pages: int | None = None) -> Document:
    """The text of a PDF, or of its first `pages` pages; `columns` is how many columns its pages have.

    Raises `Unreadable` with code `encrypted`, `no-text` (scanned pages) or `damaged`.
    """
    try:
        reader = _opened(data)
        chunks = [list(_chunks(_drawn(n, page))) for n, page in enumerate(reader.pages[:pages])]
        sizes = tuple(_size(page) for page in reader.pages)
        outline = tuple(_outline(reader, reader.outline, 0))
        title = str(reader.metadata.title or "") if reader.metadata else ""
    except _broken() as error:
        raise Unreadable("damaged", f"this PDF cannot be read: {type(error).__name__}", "Download it again, or print it to a new PDF.") from error
    if pages is None and sum(len(c.text.strip()) for page in chunks for c in page) < 20 * len(chunks):
        raise Unreadable("no-text", "this PDF has pictures of pages but no text", "Give a PDF with text, or run text recognition on it first.")
    return Document(tuple(tuple(_rows(number, page, columns)) for number, page in enumerate(chunks)), sizes, outline, title)


def _opened(data: bytes) -> "PdfReader":
    """The PDF, open. Raises `Unreadable` where it opens only with a password, or with a cipher that is not here."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    locked = Unreadable("encrypted", "this PDF is locked with a password", "Give a copy without a password.")
    try:
        reader = PdfReader(io.BytesIO(data))
        if not reader.is_encrypted or reader.decrypt(""):
            return reader
    except (DependencyError, NotImplementedError) as error:
        raise locked from error
    raise locked


def _size(page: Any) -> tuple[float, float]:
    """Width and height of a page as it is shown."""
    box = page.mediabox
    return (float(box.height), float(box.width)) if page.rotation % 180 else (float(box.width), float(box.height))


LARGEST_PAGE = 8 << 20  # bytes of drawing on a page; the fullest page of an official document has a hundredth of it


def _drawn(number: int, page: Any) -> Any:
    """The page, unless what is drawn on it would take minutes to read."""
    contents = page.get_contents()
    if contents is not None and len(contents.get_data()) > LARGEST_PAGE:
        raise Unreadable("too-large", f"page {number + 1} of this PDF draws more than {LARGEST_PAGE >> 20} MB", "Print the document to a new PDF.")
    return page


def _chunks(page: Any) -> Iterator[Chunk]:
    """The text operations of a page, as it is shown, in the order in which they are drawn; white space goes with the words before it."""
    found: list[Chunk] = []
    turned = page.rotation % 360
    width, height = _size(page)

    def visit(text: str, cm: list[float], tm: list[float], font: dict[str, Any] | None, size: float) -> None:
        if not text:
            return
        if not text.strip():
            if found and " " in text:
                found[-1] = Chunk(found[-1].text + " ", found[-1].x, found[-1].y, found[-1].size, found[-1].bold, found[-1].italic)
            return
        x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
        y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
        x, y = {90: (y, height - x), 180: (width - x, height - y), 270: (width - y, x)}.get(turned, (x, y))
        scale = abs(tm[3] * cm[3]) or abs(tm[1] * cm[2]) or abs(tm[2] * cm[0]) or 1.0
        name = str((font or {}).get("/BaseFont", "")).lower()
        found.append(Chunk(text.replace("\n", ""), x, y, size * scale, "bold" in name, "italic" in name or "oblique" in name))

    page.extract_text(visitor_text=visit)
    return iter(found)


def _rows(number: int, chunks: Sequence[Chunk], columns: int) -> Iterator[Row]:
    """Rows of a page: column after column, from top to bottom; raised or lowered small print joins the row it stands in."""
    edges = _edges(chunks, columns)
    for edge in edges[1:]:
        chunks = [piece for chunk in chunks for piece in _parted(chunk, edge)]
    for at, edge in enumerate(edges):
        end = edges[at + 1] if at + 1 < len(edges) else float("inf")
        yield from _column(number, [c for c in chunks if edge <= c.x < end])


def _parted(chunk: Chunk, edge: float) -> list[Chunk]:
    """A chunk that begins just before a column's edge and runs over it, cut where the column begins.

    Letters are taken as half as wide as high. What begins with a space belongs to the column whole: only the space hangs before it.
    """
    letter = 0.45 * chunk.size
    if not edge - 25 < chunk.x < edge - 1 or chunk.x + letter * len(chunk.text.rstrip()) < edge + 2:
        return [chunk]
    if chunk.text.startswith(" "):
        return [replace(chunk, text=chunk.text.lstrip(), x=edge + 4)]
    spaces = [i for i, c in enumerate(chunk.text.rstrip()) if c == " "]
    if not spaces:
        return [chunk]
    cut = max([i for i in spaces if chunk.x + letter * i < edge], default=spaces[0])
    return [replace(chunk, text=chunk.text[: cut + 1]), replace(chunk, text=chunk.text[cut + 1 :], x=edge + 4)]


def _edges(chunks: Sequence[Chunk], columns: int) -> list[float]:
    """Where the columns of a page begin: the places at which most runs of text do, well apart from each other."""
    found: list[float] = []
    for x, count in Counter(round(c.x) for c in chunks).most_common() if columns > 1 else ():
        if count > 4 and len(found) < columns and all(abs(x - other) > 100 for other in found):
            found.append(x)
    return [float("-inf"), *(x - 4.0 for x in sorted(found)[1:])]


def _column(number: int, chunks: Sequence[Chunk]) -> Iterator[Row]:
    lines: list[tuple[float, float, list[tuple[float, int, Chunk]]]] = []  # (y, size, [(x, order, chunk)])
    for order, chunk in sorted(enumerate(chunks), key=lambda pair: (-pair[1].size, pair[0])):
        near = next((line for line in lines if _same_line(line[0], line[1], chunk)), None)
        if near is None:
            near = (chunk.y, chunk.size, [])
            lines.append(near)
        near[2].append((chunk.x, order, chunk))
    for y, size, members in sorted(lines, key=lambda line: -line[0]):
        members.sort(key=lambda m: (m[0], m[1]))
        yield Row(number, members[0][0], y, size, tuple(_small_capitals(_unglued([(order, chunk) for _, order, chunk in members]))))


def _unglued(drawn: Sequence[tuple[int, Chunk]]) -> list[Chunk]:
    """The chunks of a row from left to right, given with the order in which they were drawn.

    A later chunk too long for the place before its neighbour was drawn in two places, which reading gave as one: its
    first word stands here, the rest at the row's end.
    """
    here: list[Chunk] = []
    ends: list[Chunk] = []
    for (order, chunk), after in zip(drawn, [*drawn[1:], None], strict=True):
        first, space, rest = chunk.text.partition(" ")
        if after and first and space and order > after[0] and chunk.x + 0.25 * chunk.size * len(chunk.text) > after[1].x + 1:
            here.append(replace(chunk, text=first))
            ends.append(replace(chunk, text=rest, x=max(c.x for _, c in drawn) + 1))
        else:
            here.append(chunk)
    return here + ends


def _small_capitals(chunks: Sequence[Chunk]) -> Iterator[Chunk]:
    """Small capitals as the small letters that they stand for: F and EDERAL are "Federal"."""
    before: Chunk | None = None
    for chunk in chunks:
        small = before is not None and 0.6 < chunk.size / (before.size or 1) < 0.9 and abs(chunk.y - before.y) < 0.5
        if before is not None and small and chunk.text.isupper() and re.search(r"(?:^|\W)[A-Z]$", before.text):
            yield replace(chunk, text=chunk.text.lower(), size=before.size)
        else:
            yield chunk
        before = chunk


def _same_line(y: float, size: float, chunk: Chunk) -> bool:
    """Whether a chunk stands in a line at `y`: on it, or raised a little and smaller."""
    rise = chunk.y - y
    return abs(rise) < 1.5 or (chunk.size < 0.8 * size and -0.25 * size < rise < 0.6 * size)


def _outline(reader: "PdfReader", items: Any, level: int) -> Iterator[tuple[int, str, int]]:
    for item in items:
        if isinstance(item, list):
            yield from _outline(reader, item, level + 1)
        else:
            page = reader.get_destination_page_number(item)
            yield level, " ".join(str(item.title).split()), -1 if page is None else page


# ---- what is printed on every page -------------------------------------------------------------------------------


def body(document: Document) -> list[Row]:
    """The rows without running heads, running feet and page numbers, found by their repetition near the edges of pages."""
    edges = [(row, _edge(document, row)) for row in document.rows()]
    often = Counter((where, _shape(row)) for row, where in edges if where)
    least = max(2, len(document.pages) // 4)
    return [
        row
        for row, where in edges
        if not where or (often[where, _shape(row)] < least and not re.fullmatch(r"\W*(?:page\s*)?\d{1,3}(?:\s*(?:of|/)\s*\d{1,3})?\W*", row.text, re.I))
    ]


def _edge(document: Document, row: Row) -> str:
    height = document.sizes[row.page][1]
    return "top" if row.y > 0.9 * height else "bottom" if row.y < 0.1 * height else ""


def _shape(row: Row) -> str:
    return re.sub(r"\d+|\b[ivx]+\b", "#", row.text.lower())


def paragraphs(rows: Sequence[Row], gap: float = 1.6) -> Iterator[list[Row]]:
    """Runs of rows that stand closer together than `gap` times their size; a page's end alone does not end a paragraph."""
    held: list[Row] = []
    for row in rows:
        if held and (row.page == held[-1].page and not 0 < held[-1].y - row.y < gap * row.size):
            yield held
            held = []
        held.append(row)
    if held:
        yield held


def join(rows: Sequence[Row], marked: bool = False) -> str:
    """The words of rows as one paragraph; a word broken at a row's end is made whole where it goes on in small letters."""
    text = ""
    for row in rows:
        words = row.marked if marked else row.text
        glue = "" if not text or text.endswith(("/", "—")) or (re.search(r"\w-$", text) and not words[:1].isspace()) else " "
        text += glue + words
    return re.sub(rf"{OFF}(\s*){ON}", r"\1", text)


# ---- beside the text ---------------------------------------------------------------------------------------------


def properties(data: bytes) -> dict[str, str]:
    """The document properties, by name ("/Title"), where they are text; {} when the PDF cannot be read."""
    try:
        reader = _opened(data)
        return {str(key): str(value) for key, value in (reader.metadata or {}).items() if isinstance(value, str)}
    except Unreadable:
        return {}
    except _broken():
        return {}


_WHITE = 0.97  # a fill at least as light as this, 1 is white


def unseen_rows(data: bytes) -> set[tuple[int, int]]:
    """Page and height (rounded, as `Row.y`) of every line in which some text is drawn invisibly or in white; empty when the PDF cannot be read."""
    found: set[tuple[int, int]] = set()
    try:
        reader = _opened(data)
        for number, page in enumerate(reader.pages):
            _unseen(number, _drawn(number, page), found)
    except Unreadable:
        return found
    except _broken():
        return found
    return found


def _unseen(number: int, page: Any, found: set[tuple[int, int]]) -> None:
    mode, white = [0], [False]
    saved: list[tuple[int, bool]] = []

    def operate(operator: bytes, args: list[Any], cm: list[float], tm: list[float]) -> None:
        if operator == b"Tr":
            mode[0] = int(args[0])
        elif operator == b"q":
            saved.append((mode[0], white[0]))
        elif operator == b"Q" and saved:
            mode[0], white[0] = saved.pop()
        elif operator in (b"g", b"rg", b"sc", b"scn") and args and all(isinstance(a, int | float) for a in args):
            white[0] = len(args) in (1, 3) and all(float(a) >= _WHITE for a in args)
        elif operator == b"k":
            white[0] = all(float(a) <= 1 - _WHITE for a in args)
        elif operator in (b"Tj", b"TJ", b"'", b'"') and (white[0] or mode[0] in (3, 7)):
            found.add((number, round(tm[4] * cm[1] + tm[5] * cm[3] + cm[5])))

    page.extract_text(visitor_operand_before=operate)
