"""The shape of a part of the Code of Federal Regulations, whatever file it came in: lines in, text and addresses out.

Every reader of a CFR format turns it into `Line`s; `build` finds the flat paragraph labels (a)(1)(i)(A)(1)(i), decides
by sequence and depth which level each belongs to, and gives addresses. The same solver serves other laws with flat
labels under their own order of levels. Knows nothing of HTML, XML, PDF or Markdown.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from assistant.law import Provision
from assistant.pinpoint import Pinpoint, roman_value
from assistant.readers.tree import Tree

ON, OFF = "\ue000", "\ue001"  # stand around words printed in italics in a line's words

Kind = Literal["part", "subpart", "group", "section", "appendix", "p", "plain", "note"]


@dataclass(frozen=True, slots=True)
class Line:
    """One printed paragraph. `label` and `words` of a unit are its number and its heading ("§ 164.308", "Administrative ...").

    `p` is a paragraph whose labels count, `plain` one whose labels do not (table, extract, form), `note` editorial
    matter that is no law (authority, source, amendment history), `group` a heading between sections.
    """

    kind: Kind
    words: str = ""
    label: str = ""
    indent: float = -1.0  # where the line begins on the page, when known: words without a label end what stands deeper


def fold(text: str) -> str:
    """The text with each run of white space as one space, and none before a dash that follows italics."""
    return " ".join(text.split()).replace(f"{OFF} —", f"{OFF}—")


def bare(text: str) -> str:
    """The words without the marks of italics."""
    return " ".join(text.replace(ON, "").replace(OFF, "").split())


# ---- labels and their levels -------------------------------------------------------------------------------------

CFR = ("a", "1", "i", "A", "1", "i")
US_CODE = ("a", "1", "A", "i", "I", "aa", "AA")
INDIA = ("1", "a", "i", "A")


_STYLES = ("a", "1", "i", "A", "I", "aa", "AA")


def values(label: str, style: str) -> int | None:
    """The place of a label among those of a style: `values("c", "a") == 3`, `values("iv", "i") == 4`, None when it cannot be one."""
    if style == "1":
        return int(label) if label.isdigit() else None
    if not label.isalpha() or label.isupper() != style.isupper() or (label.islower() != style.islower()):
        return None
    low = label.lower()
    if style in "iI":
        return roman_value(low)
    doubled = len(low) == 2 and low[0] == low[1]
    if len(style) == 2:
        return ord(low[0]) - 96 if doubled else None
    if len(low) == 2 and low[0] == "z":  # how Indian acts go on after (z): (za), (zb)
        return 26 + ord(low[1]) - 96
    return ord(low) - 96 if len(low) == 1 else ord(low[0]) - 70 if doubled else None


@dataclass(frozen=True, slots=True)
class Label:
    """A label met in a text: "i", printed in italics or not; `last` is the end of a range such as (b)-(d) [Reserved].

    `opened` says that the words before it lead into a list; `term` that this is no label but a definition's beginning.
    """

    name: str
    italic: bool = False
    last: str = ""
    opened: bool = False
    term: bool = False


_INNER = 10  # levels inside a definition count from here
_TERM = _INNER - 1
_Stack = tuple[tuple[int, int], ...]  # (level, value) of what is open, outermost first


@dataclass(frozen=True, slots=True)
class _Way:
    """One reading of the labels so far: its cost, what is open, and the levels chosen."""

    cost: float
    stack: _Stack
    chosen: tuple["_Way", int] | None  # the way before and the level; a chain is cheaper than copying lists


def solve(labels: Sequence[Label], scheme: Sequence[str] = CFR) -> list[int]:
    """The level of each label (0 outermost; 10 and more inside a definition; -1: not a label), as the sequence as a whole reads best.

    Costs nothing: the next of an open level, the first of the level below. Costs: gaps, levels left out, a list of one.
    """
    ways = [_Way(0.0, (), None)]
    for label in labels:
        better: dict[_Stack, _Way] = {}
        for way in ways:
            for cost, stack, level in _steps(way.stack, label, scheme):
                found = better.get(stack)
                if found is None or way.cost + cost < found.cost:
                    better[stack] = _Way(way.cost + cost, stack, (way, level))
        ways = sorted(better.values(), key=lambda w: w.cost)[:32]
    best: _Way | None = min(ways, key=lambda w: w.cost + _closing(w.stack, 0))
    levels: list[int] = []
    while best is not None and best.chosen:
        levels.append(best.chosen[1])
        best = best.chosen[0]
    return levels[::-1]


def _closing(stack: _Stack, start: int) -> float:
    """What it costs to end the levels from place `start` on: a list of one is unlikely."""
    return sum(1.0 for level, value in stack[start:] if value == 1 and level != _TERM)


def _steps(stack: _Stack, label: Label, scheme: Sequence[str]) -> Iterator[tuple[float, _Stack, int]]:
    """The ways to read one more label: (cost, what is open then, level)."""
    term_at = next((i for i, (level, _) in enumerate(stack) if level == _TERM), -1)
    if label.term:
        keep = term_at if term_at >= 0 else len(stack)
        yield _closing(stack, keep), (*stack[:keep], (_TERM, 1)), _TERM
        return
    yield 9.0, stack, -1
    for base in (0, _INNER) if term_at >= 0 else (0,):
        for depth, style in enumerate(scheme):
            value = values(label.name, style)
            if value is None:
                continue
            level = base + depth
            place = next((i for i, (open_level, _) in enumerate(stack) if open_level >= level), len(stack))
            if base == 0 and 0 <= term_at < place:
                place = term_at
            cost = _cost(stack, place, level, value, label) + _closing(stack, place + (place < len(stack) and stack[place][0] == level))
            if base == 0 and term_at >= 0:
                cost += 2.0 if place == term_at else 0.0
            cost += (0.0 if depth >= 4 else 3.0) if label.italic else (1.5 if depth >= 4 and len(scheme) == 6 else 0.0)
            last = values(label.last, style) if label.last else value
            yield cost, (*stack[:place], (level, last or value)), level


def _cost(stack: _Stack, place: int, level: int, value: int, label: Label) -> float:
    """The cost of putting `value` at `level`, where what is open up to `place` stays."""
    if place < len(stack) and stack[place][0] == level:
        before = stack[place][1]
        gap = value - before - 1
        lead = 0.4 if label.opened and place == len(stack) - 1 else 0.0
        return lead if gap == 0 else 12.0 if gap < 0 else 4.0 + min(gap, 10) * 0.5 + lead
    above = stack[place - 1][0] if place else -1
    if above == _TERM:
        skipped = 0 if level - _INNER <= 1 else level - _INNER - 1
    else:
        skipped = level - above - 1
    if above == -1 and level == 1:
        skipped = 0.5  # type: ignore[assignment]
    cost = 2.5 * skipped + (0.0 if label.opened else 0.3)
    return cost if value == 1 else cost + 6.0 + min(value, 10) * 0.3


# ---- pieces of a paragraph ---------------------------------------------------------------------------------------

_NAME = r"(?:\d{1,3}|[a-z]{1,2}|[A-Z]{1,2}|[ivxl]{1,6}|[IVXL]{1,6})"
_ONE = re.compile(rf"\s*(?P<open>{ON}?)\(\s?(?P<in>{ON}?)(?P<name>{_NAME})(?:{OFF}?)\s?\)(?P<close>{OFF}?)(?=[\s(—–{ON}{OFF}]|$|[A-Z“\"])")
_RANGE = re.compile(rf"\s*{ON}?\((?P<first>{_NAME})\)\s?{ON}?(?:-|–|—|through|to|and|,)\s?\((?P<last>{_NAME})\)(?=\s*(?:\[|{ON}?Repealed))")
_HEADING = re.compile(rf"\s*{ON}(?P<words>[^{OFF}]*[.:—–]?){OFF}\s?[.:]?\s?[—–-]?(?=\s*(?:\(|$|\S))")
_INSIDE = re.compile(rf"\s*\(\s?{ON}?(?P<name>1|i|A|a|I){OFF}?\s?\)(?=[\s({ON}])")
_LEADS = re.compile(r"[:—–]\s*$")
_TERM_VERB = re.compile(
    r"\s*(?:\([^()]*\)\s*|,[^,]*,\s*|or\s+[^.]{1,60}?\s)?(?:means?|includes?|is|are|has|have|exists?|refers?|shall\s+(?:mean|have)|does|in\s+the\s+context)\b",
    re.I,
)


_DEFINED = re.compile(
    rf"\s*(?:{ON}(?P<slanted>[^{OFF}.]+){OFF}|[“\"](?P<quoted>[^”\"]+)[”\"])(?=,?\s(?:\([^()]*\)\s)?(?:means?|includes?|has the)\b|,? in relation to\b)"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """The words that go with one label: `label` as printed with its parentheses, `heading` the words in italics that name it."""

    label: str
    words: str
    heading: str
    found: Label | None


def pieces(marked: str, opened: bool, defining: bool) -> list[Piece]:
    """A paragraph cut at its labels: "(a)(1) General" is two pieces. `opened`: a list may begin here; `defining`: in a section of definitions."""
    text = re.sub(r"^\$(?=\()", "", fold(marked))  # the eCFR prints "$(1)" where it failed to set a label
    rest = text
    found: list[Piece] = []
    while match := (_RANGE.match(rest) or _ONE.match(rest)):
        groups = match.groupdict()
        if not any(values(groups.get("first") or groups["name"], style) for style in _STYLES):
            break
        last = groups.get("last") or ""
        name = groups.get("first") or groups["name"]
        label = Label(name, bool(groups.get("in")), last, opened or bool(found))
        rest = (ON if groups.get("open") and not groups.get("close") else "") + rest[match.end() :]
        heading = _HEADING.match(rest)
        inside = _INSIDE.match(rest, heading.end()) if heading else None
        if heading and inside and not last:
            found.append(Piece(f"({name})", bare(f"({name}) {rest[: heading.end()]}"), _clean(heading["words"]), label))
            rest = rest[heading.end() :]
            continue
        more = None if last else _ONE.match(rest)
        if more is None:
            title = _clean(heading["words"]) if heading and _names(heading, rest) else ""
            if defined := _DEFINED.match(rest):
                title = bare(defined["slanted"] or defined["quoted"])
            shown = bare(match[0]) if last else f"({name})"
            found.append(Piece(shown, f"{shown} {bare(rest)}".strip(), title, label))
            return found
        found.append(Piece(f"({name})", f"({name})", "", label))
    if found:
        return found
    heading = _HEADING.match(text)
    if (
        heading
        and heading["words"].strip()
        and (defining or _TERM_VERB.match(text, text.index(OFF) + 1))
        and not text[heading.end() :].lstrip().startswith("]")
    ):
        term = _clean(heading["words"])
        inside = _INSIDE.match(text, heading.end())
        first = Piece("", bare(text[: heading.end()] if inside else text), term, Label(term, term=True))
        return [first, *pieces(text[heading.end() :], True, False)] if inside else [first]
    return [Piece("", bare(text), "", None)]


def _names(heading: re.Match[str], rest: str) -> bool:
    """Whether italics after a label are a heading and not an emphasised word: they end with a stop, or one follows."""
    after = rest[heading.end("words") + 1 :].lstrip()
    return heading["words"].rstrip().endswith((".", ":", "—", "–", "-")) or after[:1] in ".:—–" or not after


def _clean(heading: str) -> str:
    return bare(heading).rstrip(" .:—–-,")


def slug(words: str) -> str:
    """Words as a part of an address: "Protected health information" -> "protected-health-information"."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower().replace("’", "").replace("'", "")).strip("-")


@dataclass(frozen=True, slots=True)
class _Open:
    """A labelled paragraph that is open: `led` when its own words break off with a dash before a list."""

    level: int
    step: str
    indent: float
    led: bool


def _held(open_now: Sequence[_Open], indent: float, coming: int, words: str) -> int:
    """How many of the open paragraphs, outermost first, hold words without a label that begin at `indent`.

    Those that begin no deeper do, and those whose list goes on after the words; so does a paragraph whose list ends
    here and whose next of kin comes (level `coming`). Words in small letters go on with a sentence that broke off.
    """
    last = len(open_now) - 1
    held = sum(entry.indent <= indent + 2 or entry.level < coming or (entry.level == coming and at < last) for at, entry in enumerate(open_now))
    if words[:1].islower() and held and not open_now[held - 1].led:
        return next((at + 1 for at in range(held, len(open_now)) if open_now[at].led), held)
    return held


def write_paragraphs(tree: Tree, root: Pinpoint, depth: int, lines: Sequence[Line], scheme: Sequence[str] = CFR, defining: bool = False) -> None:
    """Write the paragraphs of one section into the open provision `root`, each labelled one as a provision from `depth` on."""
    cut: list[list[Piece]] = []
    opened = False
    for line in lines:
        cut.append([Piece("", bare(fold(line.words)), "", None)] if line.kind != "p" else pieces(line.words, opened, defining))
        opened = bool(_LEADS.search(cut[-1][-1].words)) or (cut[-1][-1].found is not None and cut[-1][-1].words == cut[-1][-1].label)
    terms = [group for group in cut if group[0].found and group[0].found.term]
    if not defining and len(terms) == 1 and terms[0] is cut[0]:  # a section about one term, as 21 CFR 801.5: its points are the section's own
        cut[0][0] = replace(cut[0][0], found=None)
    folded = root.path.startswith(("fdca-", "usc-"))  # people write the Act's addresses in small letters
    labels = [piece.found for group in cut for piece in group if piece.found]
    levels = solve(labels, scheme)
    following = iter([*levels, -1])
    coming = next(following)  # the level of the next label
    open_now: list[_Open] = []
    repeated = 99  # level of an address met before: what stands below it has no address of its own
    for line, group in zip(lines, cut, strict=True):
        if line.indent >= 0 and group[0].found is None:
            open_now = open_now[: _held(open_now, line.indent, coming, group[0].words)]
            tree.close(depth + len(open_now))
        for at, piece in enumerate(group):
            level = coming if piece.found else -1
            coming = next(following) if piece.found else coming
            if piece.found is None or level < 0 or level > repeated:
                tree.write(piece.words, " " if at and piece.found is None else "\n")
                continue
            if level == _TERM:
                open_now = [entry for entry in open_now if entry.level < _TERM]
                step = f"/{slug(piece.found.name)}"
            else:
                open_now = [entry for entry in open_now if entry.level < level and not (level < _TERM <= entry.level)]
                step = f"({piece.found.name.lower() if folded else piece.found.name})"
            path = root.path + "".join(entry.step for entry in open_now) + step
            kind = "definition" if level == _TERM else "point" if open_now else "paragraph"
            opens = tree.open(Pinpoint(root.instrument, path), kind, depth + len(open_now), piece.heading, piece.label)
            repeated = 99 if opens else level
            open_now += [_Open(level, step, line.indent, piece.words.endswith(("—", "–")))] if opens else []
            tree.write(piece.words)


# ---- a whole part ------------------------------------------------------------------------------------------------


def home(title: str, part: str) -> tuple[str, str]:
    """The pinpoint instrument and the path prefix of a part: ("hipaa", "") for 45 CFR 164, ("fda", "21cfr-") for 21 CFR 820."""
    if title == "45" and part in ("160", "162", "164"):
        return "hipaa", ""
    if title == "21" and part.isdigit() and int(part) < 1300:
        return "fda", "21cfr-"
    return f"{title}cfr", ""


_UNITS = ("part", "subpart", "section", "appendix", "group")


@dataclass
class Part:
    """A part of the CFR under construction: take its lines, then ask for the result."""

    title: str
    number: str
    lines: list[Line] = field(default_factory=list)

    def build(self) -> tuple[str, tuple[Provision, ...], list[Pinpoint]]:
        """The text, the provisions, and the addresses met twice."""
        tree = Tree()
        subpart, seen = "", set[Pinpoint]()
        starts = [i for i, line in enumerate(self.lines) if line.kind in _UNITS]
        for start, end in zip([0, *starts], [*starts, len(self.lines)], strict=True):
            run = self.lines[start:end]
            if run and run[0].kind == "subpart":
                subpart = subpart_step(run[0].label)
            self._write(tree, run, subpart, seen)
        text, provisions = tree.result()
        return text, provisions, tree.repeated

    def _write(self, tree: Tree, run: list[Line], subpart: str, seen: set[Pinpoint]) -> None:
        """One unit and what stands below its head, up to the next unit."""
        instrument, prefix = home(self.title, self.number)
        unit = run[0] if run and run[0].kind in _UNITS else None
        body = run[1:] if unit else run
        if unit is None or unit.kind in ("part", "subpart", "group"):
            if unit and unit.kind == "group":
                tree.close(2)
                tree.write(bare(fold(unit.words)))
            elif unit:
                path = f"{prefix}{self.number}" + (f"-{subpart}" if unit.kind == "subpart" else "")
                _unit(tree, Pinpoint(instrument, path), "container", int(unit.kind == "subpart"), unit)
            for line in body:
                tree.write(bare(fold(line.words)))
            return
        last = max((i + 1 for i, line in enumerate(body) if line.kind != "note"), default=0)
        path = prefix + section_number(unit.label)
        if unit.kind == "appendix":
            path = f"{prefix}{self.number}{f'-{subpart}' if subpart and 'subpart' in unit.label.lower() else ''}-{appendix_step(unit.label)}"
        pinpoint = Pinpoint(instrument, path)
        if pinpoint in seen:  # a later text of the same section, set forth in a note on its effective date
            pinpoint = Pinpoint(instrument, f"{path}/text-in-note")
        seen.add(pinpoint)
        _unit(tree, pinpoint, "section" if unit.kind == "section" else "annex", 2, unit)
        write_paragraphs(tree, pinpoint, 3, body[:last], CFR, "definition" in unit.words.lower())
        tree.close(2)
        for line in body[last:]:
            tree.write(bare(fold(line.words)))


def _unit(tree: Tree, pinpoint: Pinpoint, kind: str, depth: int, line: Line) -> None:
    heading = bare(line.words)
    tree.open(pinpoint, kind, depth, heading, line.label.rstrip("—"))
    tree.write(f"{line.label}{'' if line.label.endswith('—') else ' '}{heading}".strip())


def subpart_step(label: str) -> str:
    """ "Subpart C—" -> "subpart-c"; "Subparts B-C" -> "subpart-b"."""
    found = re.search(r"(?i)subparts?\s+([A-Z]+)", label)
    return f"subpart-{found[1].lower()}" if found else "subpart-x"


def section_number(label: str) -> str:
    """ "§ 164.308" -> "164.308"; of a range the first."""
    found = re.search(r"\d+\.\d+[a-z]?", label)
    return found[0] if found else slug(label)


def appendix_step(label: str) -> str:
    """ "Appendix A to Subpart C of Part 164" -> "app-a"."""
    found = re.search(r"(?i)appendix\s+([A-Z0-9]+)\b(?!\s*$(?<=to))", label)
    name = found[1].lower() if found and found[1].lower() not in ("to",) else "a"
    return f"app-{name}"


HEAD = re.compile(
    r"\s*(?P<label>(?:§+\s*[\d.]+[a-z]?(?:\s*[-–—]\s*[\d.]+)?|(?:PART|SUBCHAPTER|CHAPTER)\s+[\w]+|Subparts?\s+[A-Z]+(?:\s*[-–—,]\s*[A-Z]+\b(?![a-z]))?))\s*(?P<dash>—|–|-)?\s*(?P<words>.*)$",
    re.S,
)


def head(kind: Kind, printed: str) -> Line:
    """A unit's line from its printed head: "§ 164.308 Administrative safeguards." """
    text = bare(printed)
    found = HEAD.match(text)
    if not found:
        return Line(kind, "", text) if kind == "appendix" else Line(kind, text, "")
    dash = "—" if found["dash"] and kind != "section" else ""
    return Line(kind, found["words"].strip(), found["label"].strip() + dash)
