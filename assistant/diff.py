"""What changed between two versions of a text: provisions added, removed and changed, word by word.

Compares own words only, so that a changed point does not make every provision above it change too. Pure; knows
nothing of where texts are kept.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from assistant.law import Instrument
from assistant.pinpoint import Pinpoint
from assistant.verify import normalise


@dataclass(frozen=True, slots=True)
class Change:
    """One provision that differs. `words` are runs of the old and new text: same, removed or added."""

    pinpoint: Pinpoint
    kind: Literal["added", "removed", "changed"]
    heading: str
    words: tuple[tuple[Literal["same", "removed", "added"], str], ...]


def own_words(one: Instrument) -> dict[Pinpoint, tuple[str, str]]:
    """Heading and own words (without the words of its children) of every provision but containers."""
    inside: dict[int, list[tuple[int, int]]] = {}
    for p in one.provisions:
        if p.parent >= 0:
            inside.setdefault(p.parent, []).append((p.span.start, p.span.end))
    found = {}
    for i, p in enumerate(one.provisions):
        if p.kind == "container":
            continue
        pieces, at = [], p.span.start
        for start, end in inside.get(i, []):
            pieces.append(one.text[at:start])
            at = end
        pieces.append(one.text[at : p.span.end])
        found[p.pinpoint] = (p.heading, normalise(" ".join(pieces)))
    return found


def compare(old: Instrument, new: Instrument) -> list[Change]:
    """The changes from `old` to `new`, in the order of the law."""
    before, after = own_words(old), own_words(new)
    changes = [Change(p, "removed", before[p][0], (("removed", before[p][1]),)) for p in before.keys() - after.keys()]
    changes += [Change(p, "added", after[p][0], (("added", after[p][1]),)) for p in after.keys() - before.keys()]
    for p in before.keys() & after.keys():
        if before[p][1] != after[p][1]:
            changes.append(Change(p, "changed", after[p][0], words(before[p][1], after[p][1])))
    return sorted(changes, key=lambda c: c.pinpoint)


def words(old: str, new: str) -> tuple[tuple[Literal["same", "removed", "added"], str], ...]:
    """The difference of two texts as runs of whole words."""
    a, b = re.findall(r"\S+", old), re.findall(r"\S+", new)
    runs: list[tuple[Literal["same", "removed", "added"], str]] = []
    for op, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if op == "equal":
            runs.append(("same", " ".join(a[i:j])))
            continue
        if i < j:
            runs.append(("removed", " ".join(a[i:j])))
        if k < m:
            runs.append(("added", " ".join(b[k:m])))
    return tuple(runs)


def resting_on(changes: list[Change], pinpoints: Mapping[str, Pinpoint]) -> list[str]:
    """The names (requirements, findings, draft sentences) whose provision changed, or holds or stands in one that did."""
    return [name for name, p in pinpoints.items() if any(c.pinpoint.contains(p) or p.contains(c.pinpoint) for c in changes)]
