"""Submission packs and conflicts between frameworks: the parts of `corpus/` that drafts and reports are laid out by.

Data files in, frozen values out. Knows nothing of cards, findings or formats.
"""

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from assistant import corpus
from assistant.errors import UsageError
from assistant.law import framework_of
from assistant.pinpoint import Pinpoint


@dataclass(frozen=True, slots=True)
class Element:
    """One thing a section of a pack must contain.

    `must` says it in our words; `pinpoint` is where the law or guidance asks for it; `fields` are card fields that feed
    it, of which each one in `needs` must be there; `requirements` are ids of the catalogue it answers; `ask` is the question to `owner` when nothing feeds it.
    `levels` limits it to documentation levels ("basic", "enhanced"); empty means always.
    """

    id: str
    title: str
    pinpoint: Pinpoint
    must: str
    fields: tuple[str, ...]
    requirements: tuple[str, ...]
    ask: str
    owner: str
    levels: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PackSection:
    """A heading of a pack, as printed in the document, with its elements in order."""

    id: str
    title: str
    pinpoint: Pinpoint
    about: str
    elements: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """A document that a law or guidance expects: its sections in order, and what a reader must know about it."""

    id: str
    title: str
    framework: str
    pinpoint: Pinpoint
    about: str
    note: str
    levels: tuple[str, ...]
    sections: tuple[PackSection, ...]

    def elements(self) -> tuple[Element, ...]:
        """Every element, in document order."""
        return tuple(e for s in self.sections for e in s.elements)


def pack_ids() -> tuple[str, ...]:
    """The ids of the shipped packs, in alphabetical order."""
    return tuple(sorted(p.stem for p in (corpus.root() / "packs").glob("*.toml")))


@lru_cache(maxsize=32)
def pack(id: str) -> Pack:
    """The pack of that id; raises UsageError when there is none."""
    if id not in pack_ids():
        raise UsageError(f"There is no pack '{id}'", f"Choose one of: {', '.join(pack_ids())}")
    data = _toml(corpus.root() / "packs" / f"{id}.toml")
    sections = tuple(_section(row) for row in data["section"])
    return Pack(
        id, data["title"], data["framework"], corpus.pinpoint(data["pinpoint"]), data["about"], data.get("note", ""),
        tuple(data.get("levels", ())), sections,
    )  # fmt: skip


def _section(row: dict[str, Any]) -> PackSection:
    elements = tuple(
        Element(
            e["id"], e["title"], corpus.pinpoint(e["pinpoint"]), e["must"], tuple(e.get("fields", ())), tuple(e.get("requirements", ())),
            e["ask"], e["owner"], tuple(e.get("levels", ())), tuple(e.get("needs", ())),
        )
        for e in row["element"]
    )  # fmt: skip
    return PackSection(row["id"], row["title"], corpus.pinpoint(row["pinpoint"]), row.get("about", ""), elements)


@dataclass(frozen=True, slots=True)
class Position:
    """What one provision asks on a matter, in our words."""

    pinpoint: Pinpoint
    asks: str

    @property
    def framework(self) -> str:
        """The framework the provision belongs to."""
        return framework_of(self.pinpoint.instrument)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A matter on which frameworks ask for different things; positions stand side by side and are not averaged."""

    id: str
    title: str
    tension: str
    positions: tuple[Position, ...]


@lru_cache(maxsize=1)
def conflicts() -> tuple[Conflict, ...]:
    """Every known conflict, in file order."""
    rows = _toml(corpus.root() / "conflicts.toml")["conflict"]
    return tuple(Conflict(r["id"], r["title"], r["tension"], tuple(Position(corpus.pinpoint(p["pinpoint"]), p["asks"]) for p in r["positions"])) for r in rows)


def conflicts_between(frameworks: Collection[str]) -> tuple[Conflict, ...]:
    """The conflicts on which at least two of these frameworks take a position, with those positions only."""
    found = []
    for one in conflicts():
        held = tuple(p for p in one.positions if p.framework in frameworks)
        if len({p.framework for p in held}) > 1:
            found.append(Conflict(one.id, one.title, one.tension, held))
    return tuple(found)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path.name} of the shipped corpus cannot be read: {error}", "Restore it from the repository") from error
