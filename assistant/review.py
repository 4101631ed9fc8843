"""Rules of review and sign-off over a draft or a report in JSON form: what a person decides, and when a signature still stands.

The machine's words and the person's are both kept; an edit of a cited sentence is checked against what it cites; a
signature is bound to the hash of what was signed and to what it rests on. Pure: no clock, no store.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from assistant.errors import Refused, UsageError
from assistant.verify import locate, normalise

Action = Literal["accept", "edit", "reject"]
Meaning = Literal["author", "reviewer", "approver"]
ACTIONS: tuple[Action, ...] = ("accept", "edit", "reject")
MEANINGS: tuple[Meaning, ...] = ("author", "reviewer", "approver")
STAMP = ("run", "audit_head", "id", "time", "owner", "kind")  # what differs between two runs on the same input
_QUOTED = re.compile(r"[“\"„«]([^”\"“»]{3,})[”\"»]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Decision:
    """What a named person decided on one sentence or finding, with both wordings. `target` is its address in the document."""

    target: str
    action: Action
    by: str
    at: str
    reason: str
    machine: str
    person: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comment:
    """A remark on a target, or a task for its owner by a date (ISO, or "")."""

    target: str
    by: str
    at: str
    text: str
    owner: str = ""
    due: str = ""


# ---- decisions ---------------------------------------------------------------------------------------------------


def targets(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every sentence of a draft ("1a/0") or finding of a report ("AIA-9-1") that a person may decide on, with its address."""
    for finding in document.get("findings") or []:
        yield str(finding["requirement"]), finding
    for section in document.get("sections") or []:
        for element in section["elements"]:
            for i, sentence in enumerate(element["sentences"]):
                yield f"{element['id']}/{i}", sentence


def decide(document: Mapping[str, Any], target: str, action: str, by: str, at: str, reason: str = "", words: str = "") -> Decision:
    """The decision, checked. Raises UsageError when it lacks a name, a reason (to edit or reject) or new words (to edit)."""
    held = dict(targets(document))
    if target not in held:
        raise UsageError(f"There is no '{target}' in this document", "Choose one of its sentences or findings")
    if action not in ACTIONS:
        raise UsageError(f"'{action}' is no decision", f"Choose one of: {', '.join(ACTIONS)}")
    if not by.strip():
        raise UsageError("A decision needs a name", "Say who decides")
    if action != "accept" and not reason.strip():
        raise UsageError(f"To {action} needs a reason", "Say why, for whoever reads it later")
    if (action == "edit") != bool(words.strip()):
        raise UsageError("An edit needs new words, and only an edit has them", "Write what it should say")
    one = held[target]
    problems = tuple(edit_problems(document, one, words)) if action == "edit" else ()
    return Decision(target, action, by.strip(), at, reason.strip(), str(one.get("text") or one.get("why") or ""), words, problems)


def edit_problems(document: Mapping[str, Any], one: Mapping[str, Any], words: str) -> Iterator[str]:
    """What an edited sentence says that its sources do not: quotations and numbers that stand in none of them.

    The sources are the citations and card quotations of the sentence or finding. A sentence with none is a person's
    own statement and is not checked.
    """
    sources = list(_sources(document, one))
    if not sources:
        return
    for quoted in _QUOTED.findall(words):
        if not any(locate(quoted, s) for s in sources):
            yield f"“{quoted}” stands in none of the sources cited here"
    own = normalise(_QUOTED.sub(" ", words))
    known = {n for s in sources for n in _NUMBER.findall(s)} | set(_NUMBER.findall(str(one.get("text") or "")))
    for number in dict.fromkeys(_NUMBER.findall(own)):
        if number not in known:
            yield f"the number {number} stands in none of the sources cited here"


def _sources(document: Mapping[str, Any], one: Mapping[str, Any]) -> Iterator[str]:
    if one.get("kind") == "card":
        yield str(one["text"])
    for note in document.get("notes") or []:
        if one.get("note") == note["n"]:
            yield str(note["quote"])
    for c in one.get("law") or []:
        yield str(c["quote"])
    for facet in one.get("facets") or []:
        yield from (str(e["quote"]) for e in facet["evidence"])


def latest(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """The decision that counts for each target: the last. Earlier ones stay in the record."""
    return {d.target: d for d in decisions}


def undecided(document: Mapping[str, Any], decisions: Sequence[Decision]) -> tuple[str, ...]:
    """The targets on which nobody has decided."""
    done = latest(decisions)
    return tuple(t for t, _ in targets(document) if t not in done)


# ---- sign-off ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Basis:
    """The hashes a signature is bound to: the text with its decisions, the card, the law and the catalogue."""

    text: str
    card: str
    law: str
    catalogue: str


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed, in which meaning, when, and what. `acknowledged` records that an approver saw how much rests on digests."""

    by: str
    meaning: Meaning
    at: str
    basis: Basis
    official: str
    acknowledged: bool


def basis(document: Mapping[str, Any], decisions: Sequence[Decision], catalogue: str) -> Basis:
    """What a signature on this document would be bound to. `catalogue` is the hash of the requirements and packs."""
    plain = {k: v for k, v in document.items() if k not in STAMP}
    text = [plain, [[d.target, d.action, d.by, d.at, d.reason, d.machine, d.person] for d in decisions]]
    return Basis(_hash(text), str((document.get("card") or {}).get("sha256") or ""), str(document.get("corpus_digest") or ""), catalogue)


def _hash(value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf8", "surrogatepass")).hexdigest()


def rests_on_digests(document: Mapping[str, Any]) -> bool:
    """Whether some citation, or all law, rests on summaries rather than on official text."""
    stands, _, of = str(document.get("official") or "0 of 0").partition(" of ")
    return stands != of or of == "0"


def sign(document: Mapping[str, Any], decisions: Sequence[Decision], catalogue: str, by: str, meaning: str, at: str, acknowledged: bool = False) -> Signature:
    """The signature. Raises UsageError without name or meaning; Refused for an approver while something is unsound.

    An approver acknowledges explicitly that citations rest on digests, and does not sign over an edit that its sources
    do not bear, nor over anything undecided.
    """
    if not by.strip():
        raise UsageError("A signature needs a name", "Say who signs")
    if meaning not in MEANINGS:
        raise UsageError(f"'{meaning}' is no meaning of a signature", f"Choose one of: {', '.join(MEANINGS)}")
    if meaning == "approver":
        if rests_on_digests(document) and not acknowledged:
            raise Refused(
                f"{document.get('official')} citations rest on official text", "Acknowledge that the rest are summaries, or ingest the official texts"
            )
        unsound = [d.target for d in latest(decisions).values() if d.problems]
        if unsound:
            raise Refused(f"{len(unsound)} edits say what their sources do not: {', '.join(unsound[:5])}", "Correct or reject them")
        left = undecided(document, decisions)
        if left:
            raise Refused(f"{len(left)} items are undecided, the first is {left[0]}", "Accept, edit or reject them")
    return Signature(by.strip(), meaning, at, basis(document, decisions, catalogue), str(document.get("official") or "0 of 0"), acknowledged)


def void_because(signature: Signature, now: Basis) -> tuple[str, ...]:
    """Why a signature no longer stands; empty while it does."""
    names = {"text": "the text or a decision", "card": "the card", "law": "the law in the library", "catalogue": "the catalogue of requirements and packs"}
    return tuple(f"{words} has changed since {signature.by} signed" for key, words in names.items() if getattr(signature.basis, key) != getattr(now, key))
