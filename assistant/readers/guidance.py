"""The shape of agency guidance: headings and numbered paragraphs in, an instrument with addresses out.

Shared by the readers of guidance in Markdown, text and PDF. A heading is known by the table of contents of its own
document; a known document's headings become the topics of the catalogue by `corpus/guidance_aliases.toml`.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from assistant.law import Instrument, Provenance
from assistant.pinpoint import Pinpoint
from assistant.readers.cfr import slug
from assistant.readers.tree import Tree

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")


@dataclass(frozen=True, slots=True)
class Para:
    """A heading (`level` 1 and more), a numbered paragraph (`number` set) or an ordinary one; `label` is the number as printed."""

    words: str
    level: int = 0
    label: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """A document whose headings have names in the catalogue: work key, title pattern, (pattern, topic) pairs."""

    work: str
    title: str
    topics: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1)
def known_documents() -> tuple[Known, ...]:
    """The alias table that is shipped with the program."""
    path = Path(__file__).resolve().parents[2] / "corpus" / "guidance_aliases.toml"
    rows = tomllib.loads(path.read_text("utf8"))["guidance"]
    return tuple(Known(row["work"], row["title"], tuple((a, b) for a, b in row["topics"])) for row in rows)


def known(title: str) -> Known | None:
    """The known document with this title, or None."""
    return next((k for k in known_documents() if re.search(k.title, title, re.I)), None)


@dataclass(frozen=True, slots=True)
class Source:
    """What a document is: instrument id, path prefix of all addresses in it, work key, title, date, where it came from."""

    instrument: str
    prefix: str
    work: str
    title: str
    date: str
    provenance: Provenance
    reader: str
    file: tuple[str, bytes]
    topics: tuple[tuple[str, str], ...] = ()
    marks: tuple[tuple[str, str], ...] = ()
    kind: str = "guidance"


def build(source: Source, paras: Sequence[Para]) -> Instrument:
    """The instrument of one document: it as a whole, its headings nested by level, its numbered paragraphs."""
    tree = Tree()
    parted = any(para.level or para.number for para in paras)
    tree.open(Pinpoint(source.instrument, source.prefix), "container" if parted else "topic", 0, source.title)
    open_now: list[tuple[int, str]] = []  # (level, path)
    taken: set[str] = set()
    aliased = False
    for para in paras:
        alias = _alias(source.topics, para, taken)
        if para.level:
            aliased = False
            open_now = [entry for entry in open_now if entry[0] < para.level]
            path = _path(source, alias or slug(para.words)[:70].strip("-") or "section", open_now, taken)
            taken.add(path)
            tree.open(Pinpoint(source.instrument, path), "topic", 1 + len(open_now), para.words, para.label)
            open_now.append((para.level, path))
            tree.write(f"{para.label} {para.words}".strip())
            continue
        if alias:
            path = f"{source.prefix}:{alias}"
            taken.add(path)
            tree.open(Pinpoint(source.instrument, path), "topic", 1 + len(open_now), "")
            aliased = True
        if para.number:
            tree.close(1 + len(open_now))
            path = f"{source.prefix}({para.number})" if source.instrument in ("fda", "eu-ai-act") else f"{source.prefix}:{para.number}"
            tree.open(Pinpoint(source.instrument, path), "paragraph", 1 + len(open_now), "", para.label)
        elif not aliased and not _in_number(tree):
            tree.close(1 + len(open_now))
        tree.write(f"{para.label} {para.words}".strip())
    text, provisions = tree.result()
    name, data = source.file
    return Instrument(
        id=source.instrument, work=source.work, title=source.title, kind=source.kind, version=source.date, layer="official",
        provenance=source.provenance, reader=source.reader, file=name, sha256=hashlib.sha256(data).hexdigest(), text=text, provisions=provisions,
        marks=(*source.marks, *(("repeated", p.address) for p in tree.repeated)),
    )  # fmt: skip


def _in_number(tree: Tree) -> bool:
    """Whether a numbered paragraph is open: what follows it without a number goes on with it."""
    current = tree.current
    return current is not None and bool(re.search(r"(?:\(|:)(?:[a-z]+-)?[\d.]+\)?$", current.path))


def _alias(topics: Sequence[tuple[str, str]], para: Para, taken: set[str]) -> str:
    """The topic that a heading or a paragraph's beginning stands for, once."""
    for pattern, topic in topics:
        text = pattern.startswith("text:")
        if text == (para.level == 0) and re.search(pattern.removeprefix("text:"), para.words, re.I) and not any(path.endswith(f":{topic}") for path in taken):
            return topic if not text or re.match(pattern.removeprefix("text:"), para.words, re.I) else ""
    return ""


def _path(source: Source, name: str, above: Sequence[tuple[int, str]], taken: set[str]) -> str:
    """A heading's address: its own name, or, where that is taken, its parent's name and its own, or a number after it."""
    flat = f"{source.prefix}:{name}"
    nested = f"{above[-1][1]}:{name}" if above else flat
    candidates = [flat, nested, *(f"{nested}-{n}" for n in range(2, 500))]
    return next(c for c in candidates if c not in taken)


# ---- dates -------------------------------------------------------------------------------------------------------

_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
_ISSUED = (
    r"(?im)^\s*document issued on:?\s+(?P<month>[A-Z][a-z]+)\s+(?P<day>\d{1,2}),?\s+(?P<year>\d{4})",
    r"(?im)^\s*(?P<month>" + _MONTH + r")\s+(?:(?P<day>\d{1,2}),\s+)?(?P<year>(?:19|20)\d{2})\s*$",
    r"(?i)(?:document |guidance )?(?:issued|issue date|adopted)(?: on)?:?\s+(?P<month>[A-Z][a-z]+)\s+(?P<day>\d{1,2}),?\s+(?P<year>\d{4})",
    r"(?<!\d )(?P<month>" + _MONTH + r")\s+(?:(?P<day>\d{1,2}),?\s+)?(?P<year>(?:19|20)\d{2})\b",
    r"(?i)(?:adopted on\s+)?(?P<day>\d{1,2})\s+(?P<month>" + _MONTH + r")\s+(?P<year>\d{4})",
)


def issue_date(text: str) -> str:
    """The date a document says it was issued, as ISO; the first of the month where it names no day; "" without one."""
    for pattern in _ISSUED:
        for found in re.finditer(pattern, text):
            if found["month"].lower() in MONTHS:
                return f"{found['year']}-{MONTHS.index(found['month'].lower()) + 1:02}-{int(found['day'] or 1):02}"
    return ""


# ---- headings by the table of contents ---------------------------------------------------------------------------

LABEL = re.compile(
    r"(?P<label>(?:[IVX]{1,5}|[A-Z]|[a-z]|\d{1,2}(?:\.\d{1,2}){0,3})\.?\)?|\(\d{1,2}\)|\([a-z]\)|(?:Appendix|Annex|Part|Chapter)\s+[\dA-Z]{1,3}[.:]?)\s+(?P<title>\S.*)$",
    re.S,
)
_DOTS = re.compile(r"\s*(?:\.\s?){4,}\s*(?P<page>\d*)\s*$")
_FEW_DOTS = re.compile(r"\s\.{2,3}\s*\d{1,3}$")  # a title that leaves its line little room


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a table of contents: label, title, level."""

    label: str
    title: str
    level: int


def split_label(words: str) -> tuple[str, str]:
    """A heading's number and its words: ("II.", "Background"); ("", words) without one."""
    found = LABEL.match(words)
    if not found or (re.fullmatch(r"[A-Za-z]|\d+", found["label"]) and not found["title"][:1].isupper()) or re.fullmatch(r"[A-Za-z]", found["label"]):
        return "", words
    return found["label"], found["title"].strip()


def level_of(label: str, before: str = "") -> int:
    """How deep a numbered heading stands: I. 1, A. 2, 1. 3, a. or (1) 4; 1.2.3 by its points."""
    bare = label.strip("().: ")
    if not label or (label[0] in "ACP" and " " in label):
        return 1
    if "." in bare:
        return bare.count(".") + 1
    if label.startswith("("):
        return 4
    if re.fullmatch(r"[IVX]+", bare) and not (len(bare) == 1 and bare in "VX" and re.fullmatch(r"[UW]", before.strip("().: "))):
        return 2 if bare == "I" and before.strip("().: ") == "H" else 1
    return 2 if bare.isupper() else 3 if bare.isdigit() else 4


def contents(lines: Sequence[str]) -> tuple[list[Entry], int]:
    """The table of contents with dotted lines, and the place after its last line; ([], 0) without one."""
    dotted = [i for i, line in enumerate(lines) if _DOTS.search(line)]
    if len(dotted) < 3:
        return [], 0
    entries: list[Entry] = []
    pending: list[str] = []
    start = next((i for i in range(dotted[0], max(-1, dotted[0] - 12), -1) if re.fullmatch(r"(?i)(?:table of )?contents:?", lines[i].strip())), dotted[0] - 1)
    end = dotted[0]
    for at in range(start + 1, dotted[-1] + 1):
        line = lines[at].strip()
        if at - end > 25:
            break
        if not line or re.fullmatch(r"\d+|---|(?i:contains nonbinding recommendations)|(?i:page \d+.*)|(?i:(?:table of )?contents)", line):
            continue
        found = _DOTS.search(line) or _FEW_DOTS.search(line)
        pending.append(line[: found.start()] if found else line)
        if found:
            label, title = split_label(" ".join(" ".join(pending).split()))
            if re.search(r"[A-Za-z]", title):
                entries.append(Entry(label, title, level_of(label, entries[-1].label if entries else "")))
            pending, end = [], at
    numbers_first = bool(entries) and all(not re.match(r"[IVX]+\.", e.label) for e in entries) and any(re.match(r"\d+\.?$", e.label) for e in entries)
    if numbers_first and not any(re.match(r"[A-Z]\.", e.label) for e in entries):
        entries = [Entry(e.label, e.title, 1 if re.fullmatch(r"\d+\.?", e.label) else e.level) for e in entries]
    return entries, end + 1


def _key(words: str) -> str:
    return re.sub(r"[\W_]+", "", words.lower())


def mark_headings(lines: Sequence[str], entries: Sequence[Entry]) -> Iterator[tuple[Entry | None, str]]:
    """The lines with the headings of a table of contents found in them, in order; a heading may run over several lines."""
    wanted: dict[str, int] = {}
    for place, entry in enumerate(entries):
        wanted.setdefault(_key(entry.title), place)
        wanted.setdefault(_key(f"{entry.label}{entry.title}"), place)
    found_at: dict[int, tuple[int, int]] = {}  # line -> (entry, lines taken)
    places: dict[int, list[tuple[int, int]]] = {}
    for at in range(len(lines)):
        for take in range(1, 8):
            run = [line for line in lines[at : at + 2 * take] if line.strip()][:take]
            if not lines[at].strip() or len(run) < take:
                break
            key = _key(" ".join(run))
            place = wanted.get(key, wanted.get(key.rstrip("0123456789"), -1))  # a footnote's number may stick to a heading
            if place >= 0:
                last = next(i for i in range(at, len(lines)) if [line for line in lines[at : i + 1] if line.strip()] == run)
                places.setdefault(place, []).append((at, last + 1))
    before = -1
    for place in range(len(entries)):
        later = [spot for spot in places.get(place, ()) if spot[0] > before]
        limit = min((spot[0] for other in range(place + 1, len(entries)) for spot in places.get(other, ())[-1:]), default=len(lines))
        spot = next((s for s in later if s[0] <= limit), None)
        if spot:
            found_at[spot[0]] = (place, spot[1])
            before = spot[1] - 1
    at = 0
    while at < len(lines):
        if at in found_at:
            place, end = found_at[at]
            yield entries[place], entries[place].title
            at = end
        else:
            yield None, lines[at]
            at += 1


# ---- running text ------------------------------------------------------------------------------------------------


def flow(lines: Sequence[str]) -> Iterator[str]:
    """Lines joined to paragraphs: a paragraph ends at an empty line, before a bullet, or with a short line that ends a sentence."""
    widths = sorted(len(line) for line in lines if line.strip())
    wide = widths[int(len(widths) * 0.8)] if widths else 80
    held: list[str] = []
    for line in (*lines, ""):
        words = line.strip()
        ends = bool(held) and bool(re.search(r"[.:;?!”\"]\)?\s*\d{0,3}$", held[-1])) and len(held[-1]) < 0.85 * wide
        if held and (not words or ends or re.match(r"[•▪●■–—\-o]\s|\(?[a-z0-9]{1,3}[.)]\s", words)):
            yield " ".join(" ".join(held).split())
            held = []
        if words:
            held.append(words)
