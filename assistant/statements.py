"""A card's text cut into blocks and statements: sentences, list items, table rows and fields that a reader can see.

Markdown is cut by markdown-it's line maps, front matter and JSON by their scalars. Every place is counted in the text as
given. Knows nothing of fields, facets or requirements.
"""

import html
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]
from typing import Literal

import yaml
from markdown_it import MarkdownIt

BlockKind = Literal["heading", "paragraph", "item", "row", "code", "field"]
_MARKDOWN_LIMIT = 1_000_000  # characters; a longer text is cut at blank lines
_FRONT_MATTER_LIMIT = 100_000
_SENTENCE_LIMIT = 1200
_PARAGRAPH_LIMIT = 20_000

# ---- what a reader does not see --------------------------------------------------------------------------------------

_HIDING = (
    r"(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?:\.0+)?\b(?!\.)|(?<![-\w])color\s*:\s*(?:white|#fff(?:fff)?\b|"
    r"transparent|rgba?\([^)]*,\s*0\)))"
)
_HIDDEN = (
    re.compile(r"<!--.*?(?:-->|\Z)", re.S),
    re.compile(r"<(script|style|template|noscript|head|title|object|iframe)\b[^>]{0,500}>.*?(?:</\1\s*>|\Z)", re.S | re.I),
    re.compile(rf"<(\w+)\b(?=[^<>]{{0,500}}?(?:\shidden\b|{_HIDING}))[^<>]{{0,500}}>.*?(?:</\1\s*>|\Z)", re.S | re.I),
    re.compile(r"^ {0,3}\[(?!\^)[^\]\n]+\]:[ \t]*\S[^\n]*(?:\n[ \t]+[\"'(][^\n]*[\"')][ \t]*$)?", re.M),
    re.compile(r"[\U000e0000-\U000e007f]+"),
    re.compile(r"<[?!](?!--)[^<>]{0,500}>"),
)
_IMAGE = re.compile(r"!\[[^\]\n]{0,500}\](?:\([^)\n]{0,1000}\)|\[[^\]\n]{0,200}\])|<img\b[^<>]{0,1000}>", re.I)
_ZERO_WIDTH = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")


@lru_cache(maxsize=8)
def hidden_places(text: str) -> tuple[tuple[int, int], ...]:
    """Comments, unrendered definitions, scripts and text styled away, in order and apart."""
    return _merged(sorted((m.start(), m.end()) for pattern in _HIDDEN for m in pattern.finditer(text)))


def _merged(places: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for start, end in places:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


# ---- front matter and JSON -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value of a YAML or JSON document: the keys that lead to it, and where key and value stand."""

    path: tuple[str, ...]
    key: int  # where its own key begins
    start: int
    end: int
    value: str


class BrokenData(Exception):
    """YAML or JSON that cannot be read; the message says where."""


_FENCE = re.compile(r"\A\s*---[ \t]*\n(.*?)(?:^(?:---|\.\.\.)[ \t]*(?:\n|\Z))", re.S | re.M)


def front_matter(text: str) -> tuple[int, int, int]:
    """Where the YAML of a front matter begins and ends, and where the body begins; (0, 0, 0) when there is none."""
    m = _FENCE.match(text)
    return (m.start(1), m.end(1), m.end()) if m else (0, 0, 0)


def yaml_scalars(text: str, offset: int = 0) -> list[Scalar]:
    """All scalars of a YAML text with their places, aliases not followed. Raises BrokenData."""
    if len(text) > _FRONT_MATTER_LIMIT:
        raise BrokenData(f"more than {_FRONT_MATTER_LIMIT} characters of YAML")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        found: list[Scalar] = []
        if root is not None:
            _walk(root, (), -1, text, offset, found, set())
        return found
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise BrokenData(f"{getattr(error, 'problem', None) or 'not YAML'}{f' at line {mark.line + 1} of it' if mark else ''}") from error
    except (RecursionError, ValueError) as error:
        raise BrokenData("nested too deeply or damaged") from error


def _walk(node: yaml.Node, path: tuple[str, ...], key: int, text: str, offset: int, found: list[Scalar], seen: set[int]) -> None:
    if isinstance(node, yaml.ScalarNode):
        start, end = node.start_mark.index, node.end_mark.index
        raw = text[start:end]
        if node.style in ('"', "'") and len(raw) >= 2:
            start, end = start + 1, end - 1
        elif node.style in ("|", ">"):
            start += raw.find("\n") + 1 if "\n" in raw else len(raw)
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        found.append(Scalar(path, offset + (key if key >= 0 else start), offset + start, offset + end, str(node.value)))
        return
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            label = str(name.value) if isinstance(name, yaml.ScalarNode) else ""
            _walk(value, (*path, label), name.start_mark.index, text, offset, found, seen)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _walk(value, path, -1, text, offset, found, seen)


_SPACE = re.compile(r"[ \t\r\n]*")
_BARE = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|NaN|-?Infinity")
_DEPTH = 60


def json_scalars(text: str) -> list[Scalar]:
    """All scalars of a JSON text with their places; strings without their quotation marks. Raises BrokenData."""
    found: list[Scalar] = []
    try:
        json.loads(text)
        _json_value(text, _SPACE.match(text, 0).end(), (), -1, 0, found)  # type: ignore[union-attr]
    except (JSONDecodeError, RecursionError, ValueError) as error:
        raise BrokenData(str(error) if isinstance(error, JSONDecodeError) else "nested too deeply or damaged") from error
    return found


def _json_value(text: str, at: int, path: tuple[str, ...], key: int, depth: int, found: list[Scalar]) -> int:
    if depth > _DEPTH:
        raise ValueError("nested too deeply")
    if text[at] in "{[":
        return _json_items(text, at, path, depth, found)
    if text[at] == '"':
        value, end = scanstring(text, at + 1, False)
        end = int(end)
        found.append(Scalar(path, key if key >= 0 else at, at + 1, end - 1, value))
        return end
    bare = _BARE.match(text, at)
    if not bare:
        raise ValueError("not JSON")
    found.append(Scalar(path, key if key >= 0 else at, at, bare.end(), bare[0]))
    return bare.end()


def _json_items(text: str, at: int, path: tuple[str, ...], depth: int, found: list[Scalar]) -> int:
    mapping = text[at] == "{"
    at = _skip(text, at + 1)
    while text[at] not in "}]":
        name, key = path, -1
        if mapping:
            key = at
            label, at = scanstring(text, at + 1, False)
            name, at = (*path, label), _skip(text, _skip(text, at) + 1)
        at = _skip(text, _json_value(text, at, name, key, depth + 1, found))
        if text[at] == ",":
            at = _skip(text, at + 1)
    return at + 1


def _skip(text: str, at: int) -> int:
    m = _SPACE.match(text, at)
    return m.end() if m else at


# ---- blocks ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, paragraph, list item, table row, code or field, at [start, end).

    `lead` is what introduces it: the sentence before a list, the header row of a table, the keys above a value.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    lead: str = ""


@lru_cache(maxsize=8)
def blocks(name: str, text: str) -> tuple[Block, ...]:
    """The blocks of a card's file, by the kind of file its name says; hidden places are still in them."""
    lower = name.lower()
    if lower.endswith((".json", ".yaml", ".yml")):
        try:
            scalars = json_scalars(text) if lower.endswith(".json") else yaml_scalars(text)
        except BrokenData:
            return tuple(_lines(text, 0))
        return tuple(_fields(scalars, text))
    start, end, body = front_matter(text)
    found: list[Block] = []
    if body:
        try:
            found = _fields(yaml_scalars(text[start:end], start), text)
        except BrokenData:
            found = []
    found.extend(_markdown(text, body) if len(text) <= _MARKDOWN_LIMIT else _lines(text, body))
    return tuple(found)


def _fields(scalars: Sequence[Scalar], text: str) -> list[Block]:
    found = []
    for s in scalars:
        quoted = text[s.start - 1 : s.start] == '"' == text[s.end : s.end + 1]
        if s.end > s.start:
            start = s.key - 1 if quoted and s.key == s.start else s.key
            found.append(Block("field", start, s.end + quoted, lead=" ".join(s.path).replace("_", " ")))
    return found


def _lines(text: str, offset: int) -> Iterator[Block]:
    """Paragraphs between blank lines: the plain cut for texts that are no Markdown or too long for it."""
    first, at = -1, offset
    for line in text[offset:].splitlines(keepends=True):
        bare = line.strip()
        heading = re.match(r"(#{1,6})\s", bare) if bare.startswith("#") else None
        if (not bare or heading or at - first > _PARAGRAPH_LIMIT) and first >= 0:
            yield Block("paragraph", first, at)
            first = -1
        if heading:
            yield Block("heading", at, at + len(line.rstrip()), len(heading[1]))
        elif bare and first < 0:
            first = at
        at += len(line)
    if first >= 0:
        yield Block("paragraph", first, at)


_COMMONMARK = MarkdownIt("commonmark").enable("table").disable(["inline"])


def _markdown(text: str, body: int) -> list[Block]:
    rest = text[body:]
    starts = [body, *(body + m.end() for m in re.finditer("\n", rest)), len(text) + 1]

    def place(first: int, last: int) -> tuple[int, int]:
        start, end = starts[min(first, len(starts) - 1)], min(starts[min(last, len(starts) - 1)], len(text))
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        return start, end

    found: list[Block] = []
    leads: list[str] = []  # one an open list
    header, in_head, items, last_text = "", False, 0, ""
    heading_level = 0
    for token in _COMMONMARK.parse(rest):
        if token.type in ("bullet_list_open", "ordered_list_open"):
            leads.append(last_text if last_text.rstrip(" *_").endswith((":", "：")) else "")
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            leads.pop()
        elif token.type == "list_item_open":
            items += 1
        elif token.type == "list_item_close":
            items -= 1
        elif token.type == "heading_open":
            heading_level = int(token.tag[1:])
        elif token.type == "thead_open":
            in_head = True
        elif token.type == "thead_close":
            in_head = False
        elif token.type == "tr_open" and token.map:
            start, end = place(*token.map)
            if in_head:
                header = clean(text[start:end])
                if _stated_header(header):
                    found.append(Block("row", start, end))
            else:
                found.append(Block("row", start, end, lead=header))
        elif token.type == "inline" and token.map and not in_head and not _in_row(found, token.map, starts):
            start, end = place(*token.map)
            if heading_level:
                found.append(Block("heading", start, end, heading_level))
                heading_level, last_text = 0, ""
            elif _BOLD_LINE.fullmatch(text[start:end]):
                found.append(Block("heading", start, end, 7))
                last_text = ""
            else:
                lead = next((x for x in reversed(leads) if x), "") if items else ""
                found.append(Block("item" if items else "paragraph", start, end, lead=lead))
                last_text = clean(text[start:end])
        elif token.type in ("fence", "code_block") and token.map:
            found.append(Block("code", *place(*token.map)))
        elif token.type == "html_block" and token.map:
            found.extend(_html(text, *place(*token.map)))
    return found


_BOLD_LINE = re.compile(r"(?:[-*+]\s+)?(?:\*\*|__)[^*_:\n]{2,80}(?:\*\*:?|__:?|:\*\*|:__)")


def _stated_header(header: str) -> bool:
    """Two-column tables of names and values often put their first pair in the header."""
    return header.count("|") == 1 and bool(re.search(r"\d", header))


def _in_row(found: Sequence[Block], lines: Sequence[int], starts: Sequence[int]) -> bool:
    return bool(found) and found[-1].kind == "row" and starts[lines[0]] <= found[-1].start < starts[lines[1]]


_BLOCK_TAG = re.compile(r"</?(?:p|div|br|li|ul|ol|tr|table|thead|tbody|h[1-6]|section|article|details|summary|dl|dt|dd|blockquote|center|hr|pre)\b[^>]*>", re.I)
_HTML_HEADING = re.compile(r"<h([1-6])\b[^>]*>(.*?)</h\1\s*>", re.I | re.S)


def _html(text: str, start: int, end: int) -> Iterator[Block]:
    """The pieces of an HTML block between tags that break lines; the cells of a row stay together."""
    headings = [(start + m.start(2), start + m.end(2), int(m[1])) for m in _HTML_HEADING.finditer(text[start:end])]
    cuts = [(start + m.start(), start + m.end()) for m in _BLOCK_TAG.finditer(text[start:end])]
    at = start
    for cut_start, cut_end in [*cuts, (end, end)]:
        s, e = at, cut_start
        while s < e and text[s].isspace():
            s += 1
        while e > s and text[e - 1].isspace():
            e -= 1
        if e > s and clean(text[s:e]):
            level = next((level for hs, he, level in headings if hs <= s and e <= he), 0)
            row = bool(re.search(r"<t[dh]\b", text[s:e], re.I))
            yield Block("heading", s, e, level) if level else Block("row" if row else "paragraph", s, e)
        at = cut_end


# ---- statements ------------------------------------------------------------------------------------------------------

_LINK = re.compile(r"!?\[([^\[\]\n]{0,500})\](?:\([^()\n]{0,1000}(?:\([^()\n]{0,200}\)[^()\n]{0,200})?\)|\[[^\]\n]{0,200}\])")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,1000}>|<https?://[^<>\s]{0,1000}>")
_CELL = re.compile(r"</t[dh]>\s*<t[dh]\b[^>]*>", re.I)
_EMPHASIS = re.compile(r"(?<![\w*])[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}(?![\w*])|\*\*|`+|~~|\\(?=[^\w\s])")
_PREFIX = re.compile(r"^[\s>]*(?:[-*+•▪◦–]|\d{1,3}[.)]|\(?[a-zA-Z][.)])?\s+(?:\[[ xX]\]\s)?|^[\s>#|]+")


def clean(text: str) -> str:
    """A slice of a card as its words read: without link targets, tags, emphasis and list marks."""
    text = _CELL.sub(" | ", _IMAGE.sub(" ", text))
    text = _TAG.sub(" ", _LINK.sub(r"\1", text))
    text = html.unescape(_ZERO_WIDTH.sub("", _EMPHASIS.sub("", text)))
    text = _PREFIX.sub("", text)
    return " ".join(text.split()).strip("| ")


@dataclass(frozen=True, slots=True)
class Statement:
    """What a card says at [start, end) of one file: `words` is the same as it reads, `lead` introduces it.

    `block` numbers the block it stands in: statements of one paragraph are neighbours.
    """

    words: str
    file: str
    start: int
    end: int
    kind: BlockKind
    section: str
    lead: str
    block: int


_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|approx|ca|cf|resp|incl|excl|al|Dr|Prof|Mr|Mrs|Ms|St|Fig|Figs|Tab|Eq|Ref|Refs|No|Nos|Art|Arts|Sec|Ch|Vol|pp|Inc|Ltd|Corp|Co|"
    r"Univ|Dept|U\.S|U\.K|E\.U|v|min|max|std|avg|est)|\b[A-Z])\.$"
)
_END = re.compile(r"[.!?][\"'”’)\]*_]*(?=\s|$|<)|(?<=[.!?])\s*<br\s*/?>|(?:(?<! ) {2,}|\\)\n|<br\s*/?>", re.I)
_NEXT = re.compile(r"\s*(?:$|[\"'“‘(\[*_#<-]|[A-Z0-9À-Þ]|[^\x00-\x7f])")


def sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentences of text[start:end], trimmed."""
    at = start
    chunk = text[start:end]
    for m in _END.finditer(chunk):
        stop = start + m.end()
        if stop < at:
            continue
        if chunk[m.start()] == "." and (_ABBREVIATION.search(chunk[max(0, m.start() - 12) : m.start() + 1]) or not _NEXT.match(chunk, m.end())):
            continue
        yield from _pieces(text, at, stop)
        at = stop
    yield from _pieces(text, at, end)


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    while end - start > _SENTENCE_LIMIT:
        cut = max(text.rfind(mark, start + 1, start + _SENTENCE_LIMIT) for mark in ("; ", ";\n", "\n"))
        if cut <= start:
            cut = text.rfind(" ", start + 1, start + _SENTENCE_LIMIT)
        cut = cut if cut > start else start + _SENTENCE_LIMIT
        yield start, cut
        start = cut + 1
        while start < end and text[start].isspace():
            start += 1
    if end > start:
        yield start, end


def _visible(start: int, end: int, hidden: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for hidden_start, hidden_end in hidden:
        if hidden_end <= start or hidden_start >= end:
            continue
        if hidden_start > start:
            yield start, hidden_start
        start = max(start, hidden_end)
    if start < end:
        yield start, end


def statements(name: str, text: str) -> list[Statement]:
    """Everything that a file says to its reader, in order; headings, code and hidden text are not statements."""
    hidden = hidden_places(text)
    breaks = _merged(sorted([*hidden, *((m.start(), m.end()) for m in _IMAGE.finditer(text))]))
    found: list[Statement] = []
    titles: list[tuple[int, str]] = []
    for number, block in enumerate(blocks(name, text)):
        near = _crossing(breaks, block.start, block.end)
        if block.kind == "heading":
            title = " ".join(clean(text[s:e]) for s, e in _visible(block.start, block.end, near))
            titles = [*((level, t) for level, t in titles if level < block.level), (block.level, title)]
            continue
        if block.kind == "code":
            continue
        section = " > ".join(t for _, t in titles if t)
        for start, end in _visible(block.start, block.end, near):
            cut = [(start, end)] if block.kind in ("row", "field") and end - start <= _SENTENCE_LIMIT else list(sentences(text, start, end))
            for s, e in cut:
                if words := clean(text[s:e]):
                    found.append(Statement(words, name, s + _marks_before(text[s:e]), e, block.kind, section, block.lead, number))
    return found


def _crossing(places: Sequence[tuple[int, int]], start: int, end: int) -> Sequence[tuple[int, int]]:
    """The places, ordered and apart, that have something in [start, end)."""
    first = bisect_right(places, start, key=lambda p: p[1])
    return places[first : bisect_left(places, end, key=lambda p: p[0])]


def _marks_before(text: str) -> int:
    m = _PREFIX.match(text)
    return m.end() if m and m.end() < len(text) else 0
