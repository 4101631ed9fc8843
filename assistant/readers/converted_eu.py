"""Conversions of European acts: JSON of the AI Act as consolidated, JSON of the GDPR, Markdown of the MDR.

Their wording is official, their structure partly lost: depth is read from the sequence of numbers (`flat`). What such a
file cannot give is said in marks; provenance is always "converted". Knows nothing of addresses.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any

from assistant.errors import Unreadable
from assistant.law import Instrument
from assistant.pinpoint import roman_value
from assistant.readers import euact, flat
from assistant.readers.euact import Line, fold
from assistant.readers.flat import Printed

NAME = "converted-eu"
GROUPED = True

# The act number of the Markdown's source, and when the Official Journal printed it: the files do not say.
_PUBLISHED = {"32017R0745": ("2017/745", "2017-05-05")}
# The raised figure of Article 51(2) of the AI Act is lost in the JSON: 10^25 stands there as 1025.
_LOST_EXPONENT = ("floating point operations is greater than 1025", "floating point operations is greater than 10^25")


def recognises(name: str, head: bytes) -> bool:
    """Whether this is one of the three conversions, by its keys or its front matter."""
    start = head[:4096]
    if start.lstrip().startswith((b"[", b"{")):
        consolidated = b'"instrumentId"' in start and (b'"articleNumber"' in start or b'"annexNumber"' in start)
        return consolidated or (b'"regulation"' in start and b'"chapters"' in start)
    return re.search(rb"source_file:\s*\"?CELEX_3\d{4}R\d{4}", start) is not None


def read(files: Sequence[tuple[str, bytes]]) -> list[Instrument]:
    """One instrument for the JSON files of each act and one for the Markdown files together; raises `Unreadable`."""
    articles: list[tuple[str, bytes, Any]] = []
    found: list[Instrument] = []
    markdown: list[tuple[str, bytes]] = []
    for name, data in files:
        if data.lstrip()[:1] not in (b"[", b"{"):
            markdown.append((name, data))
            continue
        value = _parsed(name, data)
        if isinstance(value, dict):
            found.append(_gdpr(name, data, value))
        else:
            articles.append((name, data, value))
    if articles:
        found.append(_consolidated(articles))
    if markdown:
        found.append(_markdown(markdown))
    return found


def _parsed(name: str, data: bytes) -> Any:
    try:
        return json.loads(data)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable("damaged", f"{PurePath(name).name} is not whole JSON: {error}", "Fetch it again; it may be cut short") from error


def _damaged(what: str) -> Unreadable:
    return Unreadable("damaged", f"the conversion lacks {what}", "Use the HTML or Formex files of EUR-Lex instead")


# ---- the AI Act as consolidated: a list of articles, a list of annexes ---------------------------------------------


def _consolidated(files: Sequence[tuple[str, bytes, Any]]) -> Instrument:
    rows = [row for _, _, value in files for row in value if isinstance(row, dict)]
    articles = [row for row in rows if "articleNumber" in row]
    annexes = [row for row in rows if "annexNumber" in row]
    act = {str(row.get("instrumentId")) for row in rows}
    if act != {"eu-ai-act"} or not articles:
        seen = ", ".join(sorted(act)) or "nothing"
        raise Unreadable("not-recognised", f"a JSON conversion of {seen}, not the AI Act with its articles", "Give its articles and its annexes together")
    dates = [str(row["consolidatedAsOf"]) for row in rows if row.get("consolidatedAsOf")]
    title = "Regulation (EU) 2024/1689 (Artificial Intelligence Act)"
    lines = [Line("title", title)]
    try:
        lines += _json_articles(articles)
        for annex in annexes:
            lines += _json_annex(annex)
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(f"a field that it always has: {error}") from error
    given = sorted(((name, data) for name, data, _ in files), key=lambda f: "annex" in f[0])
    built = euact.build("eu-ai-act", lines)
    source = euact.Source("eu-ai-act", title, max(dates, default=""), str(articles[0].get("language") or "en"), "converted", NAME, given)
    return euact.instrument(source, built, [("consolidated", max(dates, default="")), *_changes(articles, annexes)])


def _changes(articles: Sequence[dict[str, Any]], annexes: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """What the conversion says was changed, by article and annex."""
    for row in articles:
        if source := row.get("amendingSource"):
            word = "INSERTED" if row.get("introducedBy") else "AMENDED"
            yield f"eu-ai-act:art-{row['articleNumber']}", f"{word} {source} from {row.get('amendmentEffectiveFrom')}"
        if _LOST_EXPONENT[0] in " ".join(row["paragraphs"]):
            yield f"eu-ai-act:art-{row['articleNumber']}", "REPAIRED 10^25, which the conversion gives as 1025"
    for row in annexes:
        for operation in row.get("amendmentOperations") or ():
            yield f"eu-ai-act:annex-{row['annexNumber'].lower()}", f"AMENDED {operation}"


def _json_articles(articles: Sequence[dict[str, Any]]) -> Iterator[Line]:
    at: list[str | None] = [None, None]
    for article in articles:
        for place, division in enumerate((article["chapter"], article["section"])):
            identifier = division and str(division["id"])
            if division and identifier != at[place]:
                yield Line("division", label=fold(division["label"]))
                yield Line("heading", fold(division["title"]))
                at[place + 1 :] = [None] * (1 - place)
            at[place] = identifier
        yield Line("article", label=fold(article["label"]))
        yield Line("heading", fold(article["title"]))
        yield from flat.lines(Printed(text.replace(*_LOST_EXPONENT)) for text in article["paragraphs"])


def _json_annex(annex: dict[str, Any]) -> Iterator[Line]:
    yield Line("annex", label=f"ANNEX {annex['annexNumber']}")
    yield Line("heading", fold(annex["title"]))
    paragraphs = [fold(text) for text in annex["paragraphs"]]
    held: list[Printed] = []
    after_group = False
    for number, text in enumerate(paragraphs):
        if re.match(r"Section [A-Z0-9]\b", text):
            yield from flat.lines(held)
            held = []
            yield Line("group", text, depth=-1)
            after_group = re.fullmatch(r"Section [A-Z0-9]", text) is not None
        elif after_group:
            yield Line("heading", text)
            after_group = False
        else:
            held += [Printed(piece, title=_is_title(piece, paragraphs[number + 1 :])) for piece in split_inline(text)]
    yield from flat.lines(held)


def _is_title(text: str, following: Sequence[str]) -> bool:
    """Whether a numbered paragraph of an annex is only a title: no full stop, or its own sub-numbers follow."""
    match = re.match(r"(\d+)\. .", text)
    return bool(match) and len(text) < 160 and (text[-1] not in ".;:,)" or bool(following and match and following[0].startswith(f"{match[1]}.1")))


_INLINE = re.compile(r"(?<=[:;,.])(?P<joint>(?: and| or)?) (?=(?P<label>\([a-z]{1,2}\)|—) )")


def split_inline(text: str) -> list[str]:
    """A paragraph with its list run together, cut before each point in sequence: "1. X: (a) y; (b) z" gives three.

    Only a list that a colon opens is cut, and only at the number that comes next, so that "point (b)" stays whole.
    """
    pieces, start, expected = [], 0, ""
    for match in _INLINE.finditer(text):
        label = match["label"]
        opens = not expected and text[match.start() - 1] == ":" and label in ("(a)", "—")
        if opens or (expected and label == expected):
            pieces.append(text[start : match.end()].strip())
            start = match.end()
            expected = "—" if label == "—" else f"({chr(ord(label[1]) + 1)})"
    return [*pieces, text[start:]]


# ---- the GDPR: chapters, sections, articles, points ---------------------------------------------------------------


def _gdpr(name: str, data: bytes, value: dict[str, Any]) -> Instrument:
    title = f"Regulation (EU) {value.get('regulation')} {value.get('title')}"
    act = euact.act_of(str(value.get("regulation")))
    lines = [Line("title", title)]
    try:
        for recital in value["recitals"]:
            lines.append(Line("recital", fold(recital["text"]), f"({recital['number']})"))
        for chapter in value["chapters"]:
            lines += _gdpr_division(chapter, "CHAPTER")
        notes = value.get("citations") or {}
        lines += [Line("note", f"({note['number']}) {fold(note['text'])}") for note in (notes.values() if isinstance(notes, dict) else notes)]
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(f"a field that it always has: {error}") from error
    date, language = euact.iso_date(str(value.get("updated"))), str(value.get("language") or "en").lower()
    source = euact.Source(act, title, date, language, "converted", NAME, [(name, data)])
    return euact.instrument(source, euact.build(act, lines))


def _gdpr_division(division: dict[str, Any], word: str) -> Iterator[Line]:
    yield Line("division", label=f"{word} {division['number']}")
    yield Line("heading", fold(division["title"]))
    for part in division["contents"]:
        if part["type"] == "section":
            yield from _gdpr_division(part, "Section")
            continue
        yield Line("article", label=f"Article {part['number']}")
        yield Line("heading", fold(part["title"]))
        defines = any(re.match("‘[^’]+’", p["text"]) for p in part["contents"] if p["type"] == "point")
        for point in part["contents"]:
            yield from _gdpr_point(point, defines)


def _gdpr_point(point: dict[str, Any], defines: bool) -> Iterator[Line]:
    number = point["number"]
    if number is None:
        yield Line("words", fold(point["text"]))
    else:
        yield Line("point", fold(point["text"]), f"({number})" if defines else f"{number}.", 0)
    for inner in point["subpoints"]:
        yield Line("point", fold(inner["text"]), "—" if inner["number"] is None else f"({inner['number']})", 1)


# ---- the MDR: a folder of Markdown, one file an article or annex ---------------------------------------------------


def _markdown(files: Sequence[tuple[str, bytes]]) -> Instrument:
    pages = [(name, data.decode("utf-8", errors="replace")) for name, data in files]
    celex = {match[1] for _, text in pages if (match := re.search(r"CELEX_(3\d{4}R\d{4})", text[:2000]))}
    if len(celex) != 1 or next(iter(celex)) not in _PUBLISHED:
        seen = ", ".join(sorted(celex)) or "an unnamed act"
        raise Unreadable("not-recognised", f"a Markdown conversion of {seen}, which Pincite does not know", "Known is 32017R0745")
    number, date = _PUBLISHED[celex.pop()]
    act = euact.act_of(number)
    title = f"Regulation (EU) {number}"
    lines = [Line("title", title)]
    for _, text in sorted(pages, key=lambda page: _order(page[1])):
        lines += _page(text)
    if not any(line.kind == "article" for line in lines):
        raise Unreadable("incomplete", "part of a Markdown conversion without any article", "Give the whole folder")
    source = euact.Source(act, title, date, "en", "converted", NAME, sorted(files))
    return euact.instrument(source, euact.build(act, lines))


def _order(text: str) -> tuple[int, int]:
    """Preamble, recitals, articles by number, annexes by number."""
    identifier = re.search(r'chunk_id:\s*"([^"]*)"', text[:2000])
    name = identifier[1] if identifier else ""
    if match := re.match(r"Article (\d+)", name):
        return 2, int(match[1])
    if match := re.match(r"Annex ([IVXL]+)", name):
        return 3, roman_value(match[1]) or 0
    return (0, 0) if name == "Preamble" else (1, 0)


def _page(text: str) -> Iterator[Line]:
    matter, _, body = text.partition("\n---\n")
    kind = re.search(r'chunk_type:\s*"?(\w+)', matter)
    paragraphs = [p.strip() for p in re.split(r"\n\s*\n", body) if p.strip(" \n-")]
    if kind is None:
        return
    if kind[1] == "RECITALS":
        yield from _recitals(paragraphs)
    elif kind[1] == "PREAMBLE":
        for paragraph in paragraphs:
            yield Line("words", _plain(paragraph))
    else:
        yield from _chunk(paragraphs)


def _recitals(paragraphs: Sequence[str]) -> Iterator[Line]:
    for paragraph in paragraphs:
        match = re.match(r"(\(\d+\))\s+(.*)$", _plain(paragraph))
        yield Line("recital", match[2], match[1]) if match else Line("words", _plain(paragraph), depth=2)


def _plain(text: str) -> str:
    """Markdown's words without its marks of emphasis and its escapes."""
    return fold(re.sub(r"\\([*_\[\]|])", r"\1", re.sub(r"(?<!\\)\*{1,3}(?=\S)(.+?)(?<=\S)\*{1,3}", r"\1", text, flags=re.S)))


def _chunk(paragraphs: Sequence[str]) -> Iterator[Line]:
    """One article or annex: its own headings, its groups, and runs of numbered paragraphs between them."""
    held: list[Printed] = []
    heading = False
    for number, paragraph in enumerate(paragraphs):
        hashes = len(paragraph) - len(paragraph.lstrip("#"))
        words = _plain(paragraph.lstrip("# "))
        if paragraph.startswith("|"):
            held += _table(paragraph)
        elif _is_footnote(words, paragraphs[number + 1 :]):
            yield from flat.lines(held)
            held = []
            yield Line("note", words)
        elif not hashes:
            held.append(Printed(words))
        elif re.match(r"\d", words):
            held.append(Printed(words, title=True))
        else:
            opened = _opened(words, heading)
            if opened is None:
                held.append(Printed(words))
                continue
            yield from flat.lines(held)
            held = []
            yield opened
            heading = opened.kind != "heading"
            continue
        heading = False
    yield from flat.lines(held)


def _opened(words: str, heading: bool) -> Line | None:
    """What a heading without a number opens or names; None when it only stands above some words."""
    if re.fullmatch(r"Article \d+[a-z]?", words):
        return Line("article", label=words)
    if re.fullmatch(r"ANNEX [IVXL]+", words):
        return Line("annex", label=words)
    if re.fullmatch(r"(?:CHAPTER|PART|SECTION) (?:[IVX]+|[A-Z]|\d+)", words):
        return Line("group", words, depth=-1)
    return Line("heading", words) if heading else None


def _is_footnote(words: str, following: Sequence[str]) -> bool:
    """A note at the foot of an annex: "(1) Directive ... (OJ L 50, ...)", with nothing but notes after it."""
    note = re.compile(r"\(\*?\d+\) (?:Council |Commission )?(?:Regulation|Directive|Decision|Recommendation) .*\( ?OJ [A-Z] ?\d+")
    return bool(note.match(words)) and all(note.match(_plain(p)) for p in following)


def _table(text: str) -> Iterator[Printed]:
    """A table whose first column is empty is a numbered point, its list repeated in rows below; any other is printed row by row."""
    rows = [[_plain(cell) for cell in line.strip().strip("|").split("|")] for line in text.splitlines() if not re.fullmatch(r"[\s|:-]+", line)]
    if not rows:
        return
    first = rows[0]
    if first[0] or len(first) < 3 or not euact.is_label(first[1]):
        for row in rows:
            yield Printed(" | ".join(row), plain=True)
        return
    inner = [(row[0], row[1]) for row in rows[1:] if len(row) > 1 and euact.is_label(row[0])]
    words = first[2]
    if inner:
        words = words.partition(f"{inner[0][0]} {inner[0][1][:60]}")[0].strip()
    yield Printed(f"{first[1]} {words}")
    for label, item in inner:
        yield Printed(f"{label} {item}")
