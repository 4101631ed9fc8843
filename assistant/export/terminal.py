"""Answers, findings and records as plain text for a terminal. Starts from the contract's JSON forms."""

from collections.abc import Mapping
from typing import Any

from assistant.record import AuditRecord, export_line


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
    counts = ", ".join(f"{n} {s}" for s, n in report["summary"]["by_status"].items() if n)
    return "\n".join(
        (
            *lines,
            "",
            f"{report['card']['name']}: {counts}",
            f"as of {report['as_of']} · {report['official']} citations rest on official text · run {report['run']}",
        )
    )


def record_line(r: AuditRecord) -> str:
    """An audit record as one line of JSON."""
    return export_line(r)


def standing(c: Mapping[str, Any]) -> str:
    """A citation's or hit's status with its date."""
    return f"applies from {c['applies_from']}" if c["status"] == "not-yet-applicable" else str(c["status"])


def short(text: str, most: int = 160) -> str:
    """One line of at most `most` characters, cut between words."""
    folded = " ".join(text.split())
    return folded if len(folded) <= most else folded[: folded.rfind(" ", 0, most)] + " …"
