"""A gap analysis held against an earlier one, and against the gaps that a project has accepted. Works on the JSON form; pure."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from assistant import diff
from assistant.errors import UsageError

OPEN = ("gap", "partial")


@dataclass(frozen=True, slots=True)
class Accepted:
    """A gap that a named owner has accepted until a day, with the reason."""

    requirement: str
    reason: str
    owner: str
    expiry: str


def accepted_gaps(text: str) -> list[Accepted]:
    """The `[[accepted]]` tables of a pincite.toml; each needs requirement, reason, owner and expiry. Raises UsageError."""
    try:
        rows = tomllib.loads(text).get("accepted", [])
        return [Accepted(str(r["requirement"]), str(r["reason"]), str(r["owner"]), str(r["expiry"])) for r in rows]
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"pincite.toml cannot be used: {error}", "Each [[accepted]] needs requirement, reason, owner and expiry (YYYY-MM-DD)") from error


def with_accepted(report: Mapping[str, Any], accepted: Sequence[Accepted]) -> dict[str, Any]:
    """The report with `accepted` on each open finding that a project has accepted; one past its expiry lapses visibly."""
    by_id = {a.requirement: a for a in accepted}
    findings = []
    for f in report["findings"]:
        a = by_id.get(f["requirement"])
        if a and f["status"] in OPEN:
            f = {**f, "accepted": {"reason": a.reason, "owner": a.owner, "expiry": a.expiry, "lapsed": a.expiry < report["as_of"]}}
        findings.append(f)
    live = sum(not f["accepted"]["lapsed"] for f in findings if "accepted" in f)
    return {**report, "findings": findings, "summary": {**report["summary"], "accepted": live}}


def since(report: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """What changed since an earlier run: in card, law, day or catalogue, and each finding whose status or evidence differs."""
    because = [
        name
        for name, now, then in (
            ("card", report["card"]["sha256"], before["card"]["sha256"]),
            ("law", report["corpus_digest"], before["corpus_digest"]),
            ("as-of date", report["as_of"], before["as_of"]),
            ("program", report["tool"], before["tool"]),
            ("catalogue", _asks(report), _asks(before)),
        )
        if now != then
    ]
    earlier = {f["requirement"]: f for f in before["findings"]}
    changed = []
    for f in report["findings"]:
        old = earlier.pop(f["requirement"], None)
        if old is None or not _same(f, old):
            changed.append({"requirement": f["requirement"], "was": old["status"] if old else "not there", "is": f["status"]})
    changed += [{"requirement": name, "was": old["status"], "is": "not there"} for name, old in earlier.items()]
    return {"run": before["run"], "because": because, "changed": changed}


def unchanged(report: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """The requirements whose finding has the status, evidence and law that it had in an earlier run."""
    earlier = {f["requirement"]: f for f in before["findings"]}
    return [f["requirement"] for f in report["findings"] if f["requirement"] in earlier and _same(f, earlier[f["requirement"]])]


def _same(f: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    return (f["status"], _evidence(f), _law(f)) == (old["status"], _evidence(old), _law(old))


Line = tuple[str, tuple[tuple[str, str], ...]]  # its file, and its words as runs: same, removed, added


def lines(old: Mapping[str, str], new: Mapping[str, str]) -> list[Line]:
    """The lines that differ between two versions of a card, whose files are given as name and text, in the order of the new one."""
    out: list[Line] = []
    for name in dict.fromkeys((*new, *old)):
        a, b = (text.get(name, "").splitlines() for text in (old, new))
        for op, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
            if op != "equal" and (gone := "\n".join(a[i:j]), came := "\n".join(b[k:m])) != ("", ""):
                out.append((name, diff.words(gone, came)))
    return out


def _asks(report: Mapping[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    return [(f["requirement"], tuple(x["asks"] for x in f["facets"])) for f in report["findings"]]


def _evidence(f: Mapping[str, Any]) -> list[tuple[str, str, list[str]]]:
    return [(x["id"], x["status"], [e["quote"] for e in x["evidence"]]) for x in f["facets"]]


def _law(f: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [(c["pinpoint"], c["quote"], c["status"]) for c in f["law"]]


def worse(report: Mapping[str, Any], severities: Sequence[str], baseline: Mapping[str, Any] | None = None) -> list[str]:
    """The requirements with an open finding of these severities that is neither accepted nor as open in the baseline."""
    order = {"partial": 1, "gap": 2}
    known = {f["requirement"]: order.get(f["status"], 0) for f in baseline["findings"]} if baseline else {}
    return [
        f["requirement"]
        for f in report["findings"]
        if f["status"] in OPEN
        and f["severity"] in severities
        and not ("accepted" in f and not f["accepted"]["lapsed"])
        and order[f["status"]] > known.get(f["requirement"], 0)
    ]
