"""Agency guidance as PDF: FDA, EDPB, MDCG, NIST and the EU's High-Level Expert Group.

Headings are known by the outline, or by their print; paragraphs numbered throughout get addresses; footnotes stand
after the text, outside all provisions. Knows nothing of what the documents say.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assistant import pdf
from assistant.errors import Unreadable
from assistant.law import Instrument
from assistant.pdf import Row
from assistant.readers import guidance
from assistant.readers.cfr import slug
from assistant.readers.guidance import Para


@dataclass(frozen=True, slots=True)
class _Known:
    """A document whose title page may be missing or says no date: how to know it, and its facts."""

    seen: str
    instrument: str
    prefix: str
    title: str
    date: str


_KNOWN = (
    _Known(r"Guidelines on consent .{0,300}EDPB", "edpb", "05-2020", "EDPB Guidelines 05/2020 on consent under Regulation 2016/679", "2020-05-04"),
    _Known(r"(?i)ethics guidelines\s+for trustworthy AI", "hleg", "ethics-2019", "Ethics Guidelines for Trustworthy AI", "2019-04-08"),
    _Known(r"NIST Special Publication 800-66 Revision 1", "nist", "sp-800-66r1", "NIST SP 800-66 Rev. 1: Implementing the HIPAA Security Rule", "2008-10-01"),
)


def is_guidance(first: str) -> bool:
    """Whether the first pages are those of guidance by a known agency."""
    words = " ".join(first.split())
    return any(re.search(k.seen, words) for k in _KNOWN) or bool(re.search(r"MDCG \d{4}-\d+", words)) or _is_fda(words)


def _is_fda(words: str) -> bool:
    return "Food and Drug Administration" in words and bool(re.search(r"Contains Nonbinding Recommendations|Guidance for Industry", words))


def read(document: pdf.Document, first: str, file: tuple[str, bytes]) -> list[Instrument]:
    """The document as an instrument; raises `Unreadable` without a date of issue."""
    words = " ".join(first.split())
    known = next((k for k in _KNOWN if re.search(k.seen, words)), None)
    paras, notes = _paras(document)
    if known:
        source = guidance.Source(
            known.instrument, known.prefix, f"{known.instrument}-{known.prefix}", known.title, known.date, "original", "guidance-pdf", file
        )
    else:
        source = _from_title_page(document, first, file)
    if known and re.search(r"reprinted", file[0]):
        source = replace(source, provenance="converted")
    built = guidance.build(source, paras)
    return [replace(built, text="\n".join([built.text, *notes]))]


def _from_title_page(document: pdf.Document, first: str, file: tuple[str, bytes]) -> guidance.Source:
    date = guidance.issue_date(first)
    if not date:
        raise Unreadable("no-date", "no date of issue was found in this guidance", "Give the document with its title page.")
    if found := re.search(r"MDCG (\d{4})-(\d+)", first):
        return guidance.Source("mdcg", f"{found[1]}-{found[2]}", f"mdcg-{found[1]}-{found[2]}", found[0], date, "original", "guidance-pdf", file)
    title = document.title or _largest(document)
    alias = guidance.known(title)
    short = slug(re.split(r":\s", title)[0])
    work = alias.work if alias else f"{short[:60].rsplit('-', 1)[0] if len(short) > 60 else short}-{date[:4]}"
    return guidance.Source("fda", work, work, title, date, "original", "guidance-pdf", file, alias.topics if alias else (), (("issued", date),))


def _largest(document: pdf.Document) -> str:
    """The words printed largest on the first page."""
    rows = document.pages[0]
    size = max((row.size for row in rows), default=0)
    return " ".join(row.text for row in rows if row.size > size - 0.5)


# ---- rows to paragraphs ------------------------------------------------------------------------------------------


def _paras(document: pdf.Document) -> tuple[list[Para], list[str]]:
    """The headings and paragraphs, and the footnotes."""
    rows = [kept for row in pdf.body(document) if (kept := _without_marks(row)).chunks]
    sizes = Counter(round(row.size * 2) / 2 for row in rows for _ in range(1 + len(row.text) // 20))
    size = sizes.most_common(1)[0][0]
    across = {page for page, (width, height) in enumerate(document.sizes) if width > height}  # pages of tables, small throughout
    small = [row for row in rows if row.size < size - 0.9 and row.page not in across]
    text = [row for row in rows if (row.size >= size - 0.9 or row.page in across) and not _DOTTED.search(row.text)]
    notes = [pdf.join(group) for group in pdf.paragraphs(small)]
    return list(_sorted_out(text, size, document)), notes


_DOTTED = re.compile(r"(?:\.\s?){5,}\s*\d*\s*$")


def _without_marks(row: Row) -> Row:
    """The row without raised figures, the marks of footnotes."""
    big = max(c.size for c in row.chunks)
    return replace(row, chunks=tuple(c for c in row.chunks if not (c.size < 0.75 * big and re.fullmatch(r"[\d\s,]+", c.text))))


def _sorted_out(rows: Sequence[Row], size: float, document: pdf.Document) -> Iterator[Para]:
    outline = [(guidance.split_label(title), level) for level, title, _ in document.outline]
    titles = {_key(title): (label, title, level + 1) for (label, title), level in outline}
    titles |= {_key(f"{label}{title}"): (label, title, level + 1) for (label, title), level in outline}
    larger = sorted({round(row.size) for row in rows if row.size > size + 0.7 and len(row.text) < 120}, reverse=True)
    count = _numbered(rows)
    number = 0
    held: list[Row] = []
    for row in rows:
        words = row.text
        entry = titles.get(_key(words)) if len(titles) > 2 else None
        heading = entry or (len(titles) <= 2 and words and _heading(row, size, larger))
        starts = re.match(rf"{number + 1}\.(?:\s|$)", words) if count else None
        if not (heading or starts):
            if held and not _same(held, row):
                yield from _flush(held, number if count else 0)
                held = []
            held.append(row)
            continue
        yield from _flush(held, number if count else 0)
        held = []
        if starts:
            number += 1
            held = [row]
        elif entry:
            yield Para(entry[1], entry[2], entry[0])
        else:
            label, title = guidance.split_label(words)
            yield Para(title, 1 + larger.index(round(row.size)) if round(row.size) in larger else 1 + len(larger), label)
    yield from _flush(held, number if count else 0)


def _key(words: str) -> str:
    return re.sub(r"[\W_]+", "", words.lower())


def _heading(row: Row, size: float, larger: Sequence[int]) -> bool:
    return (round(row.size) in larger or (row.bold and len(row.text) < 100 and not row.text.endswith((".", ",", ";")))) and bool(
        re.search(r"[A-Za-z]{3}", row.text)
    )


def _numbered(rows: Sequence[Row]) -> int:
    """How many paragraphs are numbered throughout, 1. to n.; 0 when it is only a list here and there."""
    number = 0
    for row in rows:
        number += bool(re.match(rf"{number + 1}\.(?:\s|$)", row.text))
    return number if number > 30 else 0


def _same(held: list[Row], row: Row) -> bool:
    """Whether a row goes on with the paragraph before it."""
    before = held[-1]
    if row.page != before.page:
        return not re.search(r"[.:;”]$", before.text)
    return 0 <= before.y - row.y < 1.45 * row.size and not re.match(r"[•▪●\uf0b7–]\s", row.text)


def _flush(held: Sequence[Row], number: int) -> Iterator[Para]:
    if not held:
        return
    words = pdf.join(held).replace("\uf0b7", "•")
    found = re.match(r"(\d+)\.\s*", words)
    if number and found and int(found[1]) == number:
        yield Para(words[found.end() :], 0, f"{number}.", str(number))
    else:
        yield Para(words)
