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
from assistant.record import Review
from assistant.support import bears
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


# ---- decisions ---------------------------------------------------------------------------------------------------


def targets(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every sentence of a draft ("1a/0") or finding of a report ("AIA-9-1") that a person may decide on, with its address."""
    for finding in document.get("findings") or []:
        yield str(finding["requirement"]), finding
    for section in document.get("sections") or []:
        for element in section["elements"]:
            for i, sentence in enumerate(element["sentences"]):
                yield f"{element['id']}/{i}", sentence


def wholes(document: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What can be decided or discussed as one, each with the targets inside: elements ("1a") and sections ("1") of a draft, frameworks of a report."""
    found: dict[str, tuple[str, ...]] = {}
    for f in document.get("findings") or []:
        found[f["framework"]] = (*found.get(f["framework"], ()), str(f["requirement"]))
    for section in document.get("sections") or []:
        inside: list[str] = []
        for element in section["elements"]:
            mine = tuple(f"{element['id']}/{i}" for i in range(len(element["sentences"])))
            found.setdefault(element["id"], mine)
            inside += mine
        found[section["id"]] = tuple(inside)
    return found


def check_target(document: Mapping[str, Any], target: str) -> None:
    """Raises UsageError unless the document has this finding, sentence, element or section."""
    if target not in dict(targets(document)) and target not in wholes(document):
        raise UsageError(f"There is no '{target}' in this run", "See its targets: pincite review show RUN")


def decide(document: Mapping[str, Any], target: str, action: str, by: str, at: str, reason: str = "", words: str = "") -> Decision:
    """The decision, checked. Raises UsageError when it lacks a name, a reason (to edit or reject) or new words (to edit)."""
    check_target(document, target)
    if action not in ACTIONS:
        raise UsageError(f"'{action}' is no decision", f"Choose one of: {', '.join(ACTIONS)}")
    if not by.strip():
        raise UsageError("A decision needs a name", "Say who decides")
    if action != "accept" and not reason.strip():
        raise UsageError(f"To {action} needs a reason", "Say why, for whoever reads it later")
    if action == "edit" and not words.strip():
        raise UsageError("An edit needs the new wording", "Write what it should say")
    if action != "edit" and words.strip():
        raise UsageError("Only an edit has a new wording", "Choose edit, or leave the words out")
    one = dict(targets(document)).get(target)
    if one is None:
        if action == "edit":
            raise UsageError(f"'{target}' is more than one sentence", "Edit its sentences one by one")
        return Decision(target, action, by.strip(), at, reason.strip(), "")
    problems = tuple(edit_problems(document, one, words)) if action == "edit" else ()
    return Decision(target, action, by.strip(), at, reason.strip(), str(one.get("text") or one.get("why") or ""), words, problems)


def edit_problems(document: Mapping[str, Any], one: Mapping[str, Any], words: str) -> Iterator[str]:
    """What an edited sentence says that its sources do not bear.

    The sources are the citations and card quotations of the sentence or finding: quotations and numbers must stand in
    one of them, and a sentence of a draft must pass the same check of support as a model's words. A sentence without
    sources, such as an answer to a question, is a person's own statement and is not checked.
    """
    sources = list(_sources(document, one))
    if not sources:
        return
    for quoted in _QUOTED.findall(words):
        if not any(locate(quoted, s) for s in sources):
            yield f"“{quoted}” stands in none of the sources cited here"
    own = normalise(_QUOTED.sub(" ", words))
    known = {n for s in sources for n in _NUMBER.findall(s)} | set(_NUMBER.findall(str(one.get("text") or "")))
    new = [number for number in dict.fromkeys(_NUMBER.findall(own)) if number not in known]
    yield from (f"the number {number} stands in none of the sources cited here" for number in new)
    if one.get("kind") and own.strip(" .;:()"):
        reasons = bears(own, "\n".join([*sources, str(one["text"])])).reasons
        yield from (f"the sources cited here do not bear it: {reason}" for reason in reasons if not (new and reason.startswith("number:")))


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


def latest(document: Mapping[str, Any], decisions: Iterable[Decision]) -> dict[str, Decision]:
    """The decision that counts for each sentence or finding: the last on itself, else on its element, else on its section or framework.

    A decision on the whole never undoes one on a part, and accepting the whole answers no question in it. Earlier
    decisions stay in the record.
    """
    questions = {t for t, one in targets(document) if one.get("kind") == "input"}
    groups = wholes(document)
    inside = {t: (t,) for t, _ in targets(document)} | groups
    widest_first = sorted(decisions, key=lambda d: -len(inside.get(d.target, ())) if d.target in groups else 1)
    return {t: d for d in widest_first for t in inside.get(d.target, ()) if not (d.action == "accept" and d.target in groups and t in questions)}


def undecided(document: Mapping[str, Any], decisions: Sequence[Decision]) -> tuple[str, ...]:
    """The targets on which nobody has decided."""
    done = latest(document, decisions)
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


LawRow = tuple[str, ...]  # a provision cited: address, version, layer, status, since when, SHA-256 of its whole text


def basis(document: Mapping[str, Any], decisions: Sequence[Decision], law: Sequence[LawRow], catalogue: str, card: str = "") -> Basis:
    """What a signature on this document would be bound to.

    `law` is what the library now holds at the addresses cited; `catalogue` the hash of requirements and packs; `card`
    the card's hash as it is now, where that is known.
    """
    plain = {k: v for k, v in document.items() if k not in STAMP}
    text = [plain, [[d.target, d.action, d.by, d.at, d.reason, d.machine, d.person] for d in decisions]]
    return Basis(_hash(text), card or str((document.get("card") or {}).get("sha256") or ""), _hash(sorted(law)), catalogue)


def cited(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Every citation of law in a draft or report, each address once."""
    found = [*(document.get("notes") or []), *(c for f in document.get("findings") or [] for c in f["law"])]
    return list({str(c["pinpoint"]): c for c in found}.values())


def _hash(value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf8", "surrogatepass")).hexdigest()


def rests_on_digests(document: Mapping[str, Any]) -> bool:
    """Whether some citation, or all law, rests on summaries rather than on official text."""
    stands, _, of = str(document.get("official") or "0 of 0").partition(" of ")
    return stands != of or of == "0"


def sign(document: Mapping[str, Any], decisions: Sequence[Decision], on: Basis, by: str, meaning: str, at: str, acknowledged: bool = False) -> Signature:
    """The signature. Raises UsageError without name or meaning; Refused for an approver while something is unsound.

    `on` is what the signature is bound to. An approver acknowledges explicitly that citations rest on digests, and does not sign over an edit that its sources
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
        unsound = [d.target for d in latest(document, decisions).values() if d.problems]
        if unsound:
            raise Refused(f"{len(unsound)} edits say what their sources do not: {', '.join(unsound[:5])}", "Correct or reject them")
        left = undecided(document, decisions)
        if left:
            raise Refused(f"{len(left)} items are undecided, the first is {left[0]}", "Accept, edit or reject them")
    return Signature(by.strip(), meaning, at, on, str(document.get("official") or "0 of 0"), acknowledged)


def void_because(signature: Signature, now: Basis, moved: Sequence[str] = ()) -> tuple[str, ...]:
    """Why a signature no longer stands; empty while it does. `moved` names the provisions that are not as they were."""
    at = f" ({', '.join(moved[:8])}{' and more' if len(moved) > 8 else ''})" if moved else ""
    names = {"text": "the text or a decision", "card": "the card", "law": f"the law in the library{at}", "catalogue": "the catalogue of requirements and packs"}
    return tuple(f"{words} has changed since {signature.by} signed" for key, words in names.items() if getattr(signature.basis, key) != getattr(now, key))


def differing(then: Sequence[Sequence[str]], now: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The addresses whose provision is not what it was."""
    before = {tuple(row) for row in then}
    return tuple(row[0] for row in now if tuple(row) not in before)


# ---- what is kept ------------------------------------------------------------------------------------------------


def decided(kept: Iterable[Review]) -> list[Decision]:
    """The decisions among what was said about a run, in order."""
    return [
        Decision(
            r.target,
            r.content["decision"],
            r.user,
            r.time,
            r.content["reason"],
            r.content["machine"],
            r.content["edited"],
            tuple(r.content["problems"]),
        )
        for r in kept
        if r.kind == "decision"
    ]


def signature(kept: Review) -> Signature:
    """A signature as it was made."""
    c = kept.content
    return Signature(kept.user, c["meaning"], kept.time, Basis(**c["basis"]), c["official"], c["acknowledged"])


def shown(document: Mapping[str, Any], kept: Sequence[Review]) -> dict[str, dict[str, Any]]:
    """The decision that counts on each sentence or finding, as plain values: decision, reason, edited, machine, problems, by, time, audit."""
    rows = {(r.target, r.time): r.id for r in kept if r.kind == "decision"}
    return {
        target: {
            "decision": d.action, "reason": d.reason, "edited": d.person, "machine": d.machine, "problems": list(d.problems), "by": d.by, "time": d.at,
            "audit": rows[(d.target, d.at)], "on": d.target,
        }
        for target, d in latest(document, decided(kept)).items()
    }  # fmt: skip


def listing(document: Mapping[str, Any], shown: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row a finding or sentence: target, title, text (the machine's), and the decision that counts, its parts "" where there is none."""
    none: dict[str, Any] = {"decision": "", "reason": "", "edited": "", "problems": [], "by": "", "time": ""}
    titles = {f"{e['id']}/{i}": e["title"] for s in document.get("sections") or [] for e in s["elements"] for i in range(len(e["sentences"]))}
    return [
        {"target": t, "title": titles.get(t) or str(one.get("title") or ""), "text": str(one.get("text") or one.get("why") or "")}
        | {k: shown.get(t, none)[k] for k in none}
        for t, one in targets(document)
    ]


def with_reviews(document: Mapping[str, Any], shown: Mapping[str, Any], remarks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The document with `review` on each finding or sentence that has a decision, and `remarks`, for screens and exports."""
    out = {**document, "remarks": list(remarks)}
    if "findings" in document:
        out["findings"] = [{**f, "review": shown.get(str(f["requirement"]))} for f in document["findings"]]
    if "sections" in document:
        out["sections"] = [{**s, "elements": [{**e, "sentences": _reviewed(e, shown)} for e in s["elements"]]} for s in document["sections"]]
    return out


def _reviewed(element: Mapping[str, Any], shown: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{**x, "review": shown.get(f"{element['id']}/{i}")} for i, x in enumerate(element["sentences"])]


def remarks(kept: Iterable[Review]) -> list[dict[str, Any]]:
    """Comments and tasks in the order they were made: target, text, owner, due, by, time, audit."""
    return [{"target": r.target, **r.content, "by": r.user, "time": r.time, "audit": r.id} for r in kept if r.kind in ("comment", "task")]
