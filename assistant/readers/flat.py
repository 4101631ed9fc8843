"""How deep a printed number stands, read from the sequence of numbers alone: for formats that lost their structure.

"(i)" after "(h)" is a letter when "(j)" follows and a roman numeral when "(ii)" does. Every rule here is about what
is printed; the tests hold them against pages whose structure is known. Knows nothing of acts or addresses.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from assistant.pinpoint import roman_value
from assistant.readers import euact
from assistant.readers.euact import Line

_LABELLED = re.compile(
    r"(?P<label>\d{1,3}(?:\.\d{1,2}){1,3}\.?|\d{1,3}[a-z]{0,2}\.|\(?\d{1,3}[a-z]{0,2}\)|\(?[ivxl]{1,6}\)|\(?[a-zA-Z]{1,2}\)|[a-z]\.|[—–])(?:\s+|$)(?P<words>.*)$",
    re.S,
)

Value = tuple[int, ...]
_AHEAD = 400  # how many paragraphs are looked at to see whether a list goes on


@dataclass(frozen=True, slots=True)
class Printed:
    """One printed paragraph; `title` when it is printed as a heading, `plain` when a number at its start is none."""

    text: str
    title: bool = False
    plain: bool = False


@dataclass(frozen=True, slots=True)
class _Level:
    style: str  # "1." "1.1" "(1)" "a" "A" "i" "—"
    value: Value


def split_label(text: str) -> tuple[str, str]:
    """The printed number or dash with which a paragraph begins, and its words: ("(a)", "the ..."); ("", text) without."""
    match = _LABELLED.match(text)
    return (match["label"], match["words"].strip()) if match else ("", text)


def lines(paragraphs: Iterable[Printed]) -> list[Line]:
    """The paragraphs as points and words, each with the depth at which it stands; a titled point is a `group`.

    As in every `Line`, depth 0 is for numbered paragraphs ("1."): a list without them begins at 1.
    """
    items = _items(paragraphs)
    stack: list[_Level] = []
    done: list[Line] = []
    for index, (label, words, title) in enumerate(items):
        if not label:
            depth = _depth_of_words(stack, items, index)
            stack = stack[:depth]
            done.append(Line("words", words, depth=depth))
            continue
        depth, level = _place(label, stack, items, index)
        stack = [*stack[:depth], level]
        done.append(Line("group", f"{label} {words}", depth=depth) if title and words else Line("point", words, label, depth))
    numbered = any(line.kind != "words" and line.depth == 0 and re.match(r"\d", line.label or line.words) for line in done)
    return done if numbered else [replace(line, depth=line.depth + 1) for line in done]


def _items(paragraphs: Iterable[Printed]) -> list[tuple[str, str, bool]]:
    """(label, words, title); a number printed alone takes the words of the next paragraph."""
    items: list[tuple[str, str, bool]] = []
    for printed in paragraphs:
        text = euact.fold(printed.text)
        label, words = ("", text) if printed.plain else split_label(text)
        if items and items[-1][0] and not items[-1][1] and not label:
            items[-1] = (items[-1][0], words, items[-1][2])
        elif label or words:
            items.append((label, words, printed.title))
    return items


def _readings(label: str) -> list[_Level]:
    """What a label can be: "(i)" is a roman numeral and a letter."""
    bare = label.strip("().")
    if bare in "—–":
        return [_Level("—", ())]
    if re.fullmatch(r"\d+(?:\.\d+)+", bare):
        return [_Level(f"1{'.1' * bare.count('.')}", tuple(int(n) for n in bare.split(".")))]
    if match := re.match(r"(\d+)([a-z]*)$", bare):
        return [_Level("(1)" if label.endswith(")") else "1.", (int(match[1]), *(ord(c) - 96 for c in match[2])))]
    readings = [_Level("a" if bare.islower() else "A", tuple(ord(c) - 96 for c in bare.lower()))] if len(bare) <= 2 else []
    value = roman_value(bare)
    return [*readings, _Level("i", (value,))] if value else readings


def _follows(value: Value, after: Value) -> bool:
    """Whether one number comes next after another: b after a, ba after b, c after bb, aa after z."""
    if not value or not after:
        return False
    if value == (*after, 1) or (after == (26,) and value == (1, 1)):
        return True
    shared = len(value) <= len(after) and value[:-1] == after[: len(value) - 1]
    return shared and value[-1] == after[len(value) - 1] + 1


def _place(label: str, stack: Sequence[_Level], items: Sequence[tuple[str, str, bool]], index: int) -> tuple[int, _Level]:
    """The depth of a label and what it is there."""
    readings = _readings(label)
    inner_first = range(len(stack) - 1, -1, -1)
    continued = [(d, r) for d in inner_first for r in readings if r.style == stack[d].style and _follows(r.value, stack[d].value)]
    dashes = [(depth, r) for depth, level in enumerate(stack) for r in readings if r.style == level.style == "—"]
    if dashes and items[index - 1][0] in ("—", "–") and items[index - 1][1].endswith(":"):
        return len(stack), dashes[0][1]
    begun = [(len(stack), r) for r in readings if r.value in ((1,), ()) and all(level.style != r.style for level in stack)]
    if dashes:
        return dashes[-1]
    if continued and begun:
        return begun[0] if _begins(begun[0][1], continued[0][1], items, index) else continued[0]
    if continued:
        return continued[0]
    if (begun and begun[0][1].style != "i") or (begun and len(begun) == 1):
        return begun[0]
    if begun:
        return begun[-1] if _next_is(items, index, _Level("i", (2,))) or not _next_is(items, index, _Level("a", (10,))) else begun[0]
    return _otherwise(readings, stack)


def _begins(begun: _Level, continued: _Level, items: Sequence[tuple[str, str, bool]], index: int) -> bool:
    """Whether a label that could be next in its list begins a deeper one instead: what follows decides, then a colon before."""
    if _next_is(items, index, _Level(begun.style, (2,)), unless=items[index][0]):
        return True
    if any(_next_is(items, index, _Level(continued.style, v)) for v in ((continued.value[0] + 1,), (*continued.value, 1))):
        return False
    return index > 0 and items[index - 1][1].endswith(":")


def _next_is(items: Sequence[tuple[str, str, bool]], index: int, level: _Level, unless: str = "") -> bool:
    """Whether the next label, nested lists aside, can be this one; not when `unless` is printed before it."""
    for label, _, _ in items[index + 1 : index + _AHEAD]:
        if unless and label == unless:
            return False
        if label and label not in "—–":
            if level in _readings(label):
                return True
            if not any(r.value == (1,) for r in _readings(label)):
                return False
    return False


def _otherwise(readings: Sequence[_Level], stack: Sequence[_Level]) -> tuple[int, _Level]:
    """A number out of sequence: later in an open list (something was deleted), the same list anew, or a list of its own."""
    same = [(depth, r) for depth in range(len(stack) - 1, -1, -1) for r in readings if r.style == stack[depth].style]
    later = [(depth, r) for depth, r in same if r.value > stack[depth].value]
    if later or same:
        return (later or same)[0]
    dotted = readings[0].style.startswith("1.")
    return (0 if dotted and readings[0].style == "1." else len(stack)), readings[0]


def _depth_of_words(stack: Sequence[_Level], items: Sequence[tuple[str, str, bool]], index: int) -> int:
    """Where words without a number belong: inside the item whose list goes on after them, else to what holds the list.

    Numbered paragraphs and sections hold whatever follows them until the next one. Words that begin small end the
    sentence that a list interrupted; a list of dashes goes on unless a colon before it begins another.
    """
    numbered = [depth for depth, level in enumerate(stack) if level.style.startswith("1.")]
    floor = numbered[-1] + 1 if numbered else 0
    labelled = [n for n in range(index + 1, min(len(items), index + _AHEAD)) if items[n][0]]
    following = [_readings(items[n][0]) for n in labelled]
    if len(stack) > floor and stack[-1].style == "—":
        small = items[index][1][:1].islower()
        if following and following[0][0].style == "—" and not small and not items[labelled[0] - 1][1].endswith(":"):
            return len(stack)
        if small:
            return len(stack) - 1
    if not following:
        return max(floor, 1) if stack and stack[0].style == "(1)" else floor
    return next((depth + 1 for depth in range(len(stack) - 1, floor - 1, -1) if _goes_on(stack, depth, following)), floor)


def _goes_on(stack: Sequence[_Level], depth: int, following: Sequence[Sequence[_Level]]) -> bool:
    """Whether the list at `depth` has a next item before a list above it goes on."""
    for readings in following:
        if all(r.style == stack[depth].style and r.value == (1,) for r in readings):
            return False
        for level in stack[depth], *stack[:depth]:
            if any(r.style == level.style and _follows(r.value, level.value) for r in readings):
                return level is stack[depth]
    return False
