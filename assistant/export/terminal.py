"""Answers, findings and records as plain text for a terminal. Starts from the contract's JSON forms."""

from collections.abc import Mapping, Sequence
from typing import Any

from assistant.law import unbinding
from assistant.record import AuditRecord, export_line

DECIDED = {"accept": "accepted", "edit": "edited", "reject": "rejected"}


def answer_text(found: Mapping[str, Any]) -> str:
    """An answer for a terminal: claims with numbered citations, notes, and what it rests on."""
    a = found["answer"]
    if a["abstained"]:
        return "\n".join((a["reason"], *a["notes"]))
    lines: list[str] = []
    sources: list[str] = []
    for claim in a["claims"]:
        marks = []
        for c in claim["citations"]:
            sources.append(f"[{len(sources) + 1}] {c['citation']} · {c['layer']} {c['version']} · {standing(c)}\n    “{short(c['quote'], 300)}”")
            marks.append(f"[{len(sources)}]")
        lines.append(f"- {claim['text']} {''.join(marks)}")
    tail = f"{a['official']} citations rest on official text · as of {found['as_of']} · record {found['audit']}"
    return "\n".join((*lines, "", *sources, *([""] if a["notes"] else []), *(f"Note: {n}" for n in a["notes"]), "", tail))


def gaps_table(report: Mapping[str, Any]) -> str:
    """Findings for a terminal, worst first, with the counts."""
    shown = [f for f in report["findings"] if f["status"] not in ("not-applicable", "not-yet-applicable")]
    order = {"critical": 0, "major": 1, "minor": 2}
    lines = [
        f"{f['severity']:8} {f['status']:17} {f['citation']:32} {f['title']}: {short(f['why'], 110)}"
        for f in sorted(shown, key=lambda f: (order[f["severity"]], f["pinpoint"]))
    ]
    if "since" in report:
        lines += ["", f"Since run {report['since']['run']}: changed in {', '.join(report['since']['because']) or 'nothing'}"]
        lines += [f"  {c['requirement']}: {c['was']} -> {c['is']}" for c in report["since"]["changed"]]
    if report.get("imaging"):
        kinds = [x["id"] for x in report["imaging"] if x["status"] != "found"]
        lines += [
            "",
            f"Imaging evidence: {len(report['imaging']) - len(kinds)} of {len(report['imaging'])} kinds shown"
            + (f"; not: {', '.join(kinds)}" if kinds else ""),
        ]
    counts = ", ".join(f"{n} {s}" for s, n in report["summary"]["by_status"].items() if n)
    return "\n".join(
        (
            *lines,
            "",
            f"{report['card']['name']}: {counts}",
            f"as of {report['as_of']} · {report['official']} citations rest on official text · run {report['run']}",
        )
    )


def run_lines(rows: Sequence[Mapping[str, str]]) -> str:
    """Runs for a terminal, one a line."""
    return "\n".join(f"{r['id']}  {r['time'][:16]}  {r['kind']:5}  {r['owner']:12}  {r['pack']:28}  {short(r['about'], 80)}" for r in rows) or "No runs yet."


def review_lines(run: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """The targets of a run for a terminal: the decision on each, and who decided; then tasks and how much is open."""
    lines = [f"{DECIDED.get(r['decision'], 'open'):9} {r['target']:18} {short(r['text'], 110)}" + (f"  ({r['by']})" if r["by"] else "") for r in rows]
    tasks = [f"task      {t['target']:18} {t['owner']}{', by ' + t['due'] if t['due'] else ''}: {short(t['text'], 90)}" for t in run["remarks"] if t["owner"]]
    left = sum(not r["decision"] for r in rows)
    return "\n".join((*lines, *tasks, "", f"{len(rows) - left} decided, {left} open, {len(run['signatures'])} signatures"))


def review_text(row: Mapping[str, Any], run: Mapping[str, Any]) -> str:
    """One target for a terminal: the machine's words, the person's, what speaks against them, and the remarks."""
    lines = [f"{row['target']}  {row['title']}", "", f"Machine: {row['text']}"]
    if row["decision"]:
        lines += [f"{DECIDED[row['decision']].capitalize()} by {row['by']}, {row['time'][:16]}. {row['reason']}".rstrip()]
        lines += [f"In that person's words: {row['edited']}"] if row["edited"] else []
        lines += [f"Check: {p}" for p in row["problems"]]
    for r in run["remarks"]:
        if r["target"] == row["target"]:
            due = f" -> {r['owner']}{', by ' + r['due'] if r['due'] else ''}" if r["owner"] else ""
            lines.append(f"{r['by']}, {r['time'][:16]}{due}: {r['text']}")
    return "\n".join(lines)


def disagreement_lines(rows: Sequence[Mapping[str, str]]) -> str:
    """Disagreements for a terminal, both places of each."""
    lines = []
    for d in rows:
        lines += [f"{d['field']}:", f"  {d['one']}: “{short(d['says'], 140)}”", f"  {d['other']}: “{short(d['says_there'], 140)}”"]
    return "\n".join((*lines, *([""] if lines else []), f"{len(rows)} disagreements" if rows else "The drafts agree with each other and with the card."))


def signature_lines(rows: Sequence[Mapping[str, Any]]) -> str:
    """Signatures for a terminal, each with whether it stands and why not."""
    lines = []
    for s in rows:
        seen = ", acknowledged" if s["acknowledged"] else ""
        lines.append(f"{'VOID  ' if s['void'] else 'stands'} {s['by']} as {s['meaning']}, {s['time'][:16]} ({s['official']} citations on official text{seen})")
        lines += [f"       {reason}" for reason in s["void"]]
    return "\n".join(lines) or "Nobody has signed."


def record_line(r: AuditRecord) -> str:
    """An audit record as one line of JSON."""
    return export_line(r)


def standing(c: Mapping[str, Any]) -> str:
    """A citation's or hit's status with its date."""
    words = f"applies from {c['applies_from']}" if c["status"] == "not-yet-applicable" else str(c["status"])
    return "; ".join(part for part in (words, unbinding(str(c.get("note") or ""))) if part)


def short(text: str, most: int = 160) -> str:
    """One line of at most `most` characters, cut between words."""
    folded = " ".join(text.split())
    return folded if len(folded) <= most else folded[: folded.rfind(" ", 0, most)] + " …"
