"""A report as Markdown: tables, findings with both quotations, links; the words of law and card are escaped, not changed."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from assistant.export import view


def render(report: view.Report, texts: Mapping[str, str]) -> str:
    """The document."""
    return "\n".join(_document(report)).rstrip() + "\n"


def _document(report: view.Report) -> Iterator[str]:
    yield from (f"# {escape(view.title_of(report))}", "", f"**{escape(view.machine_mark(report))}**", "")
    yield from table(["", ""], [[name, escape(value)] for name, value in view.stamp(report)])
    yield from people(report)
    statuses = view.statuses(report)
    labels = [" ".join(view.STATUS_LABELS[s]) for s in statuses]
    yield from ("", "## Coverage by framework", "")
    rows = [[r.title, *(str(r.counts[s]) for s in statuses), str(r.total)] for r in view.coverage(report)]
    totals = view.totals(report)
    yield from table(["Framework", *labels, "All"], [*rows, ["**All**", *(str(totals[s]) for s in statuses), str(len(view.findings(report)))]])
    yield from ("", "## Severity", "")
    columns = view.severities(report)[0].counts
    yield from table(
        ["Severity", *(" ".join(view.STATUS_LABELS[s]) for s in columns), ""],
        [[r.title, *(str(n) for n in r.counts.values()), _bar(r, view.severities(report))] for r in view.severities(report)],
    )
    yield from ("", "## When the requirements apply", "")
    frameworks = [r.name for r in view.coverage(report)]
    yield from table(
        ["From", f"On {report.get('as_of')}", *(view.framework_title(n) for n in frameworks), "All"],
        view.date_rows(report),
    )
    yield from _todo(report)
    yield from _conflicts(report)
    if rows := view.imaging_rows(report):
        yield from ("", f"## {view.IMAGING_TITLE}", "", view.IMAGING_NOTE, "")
        yield from table(["Kind", "In the card", "Quotation"], [[escape(a), b, escape(c)] for a, b, c in rows])
    for name, group in view.by_framework(report):
        yield from ("", f"## {view.framework_title(name)}", "")
        for finding in group:
            if finding["status"] != "not-applicable":
                yield from _finding(finding)
        yield from _left_out(group)
    yield from _facts(report)


def _bar(row: view.Row, rows: list[view.Row]) -> str:
    longest = max(r.total for r in rows) or 1
    return "█" * round(24 * (row.counts["gap"]) / longest) + "▒" * round(24 * row.counts["partial"] / longest)


def _todo(report: view.Report) -> Iterator[str]:
    yield from ("", "## What to do", "")
    todo = view.remedies(report)
    if not todo:
        yield "No gap and no partial finding among the requirements assessed."
        return
    yield from table(
        ["Severity", "Finding", "Status", "What to do", "Owner", "Still to show"],
        [
            [
                view.SEVERITY_LABELS[f["severity"]],
                f"{escape(f['title'])} ({escape(f['citation'])})",
                view.status_label(f),
                escape(view.remedy(f)),
                escape(f.get("owner") or ""),
                view.still_to_show(f),
            ]
            for f in todo
        ],
    )


def _conflicts(report: view.Report) -> Iterator[str]:
    found = view.conflicts(report)
    if found:
        yield from ("", "## Where the frameworks pull apart", "", "Shown side by side, not averaged. The descriptions are ours; the provisions are linked.")
    for one in found:
        yield from ("", f"### {escape(one['title'])}", "", escape(one["tension"]), "")
        yield from table(
            ["Framework", "Provision", "What it asks"], [[p["framework"], link(p["citation"], p["link"]), escape(p["asks"])] for p in one["positions"]]
        )


def _finding(f: Mapping[str, Any]) -> Iterator[str]:
    mark = view.STATUS_LABELS[f["status"]][0]
    yield from (f"### {mark} {escape(f['title'])}", "")
    yield f"**{view.status_label(f)}** · {view.SEVERITY_LABELS[f['severity']].lower()} · {escape(f['citation'])} · {view.force_label(f)} · `{f['requirement']}`"
    yield from ("", escape(f["why"]), "", f"*The law* (our words): {escape(f.get('obligation') or '')}", "")
    for c in f.get("law") or []:
        yield from (
            *quote(c["quote"]),
            ">",
            f"> — {link(c['citation'], view.safe_link(c.get('link')))}, {view.layer_label(c)}, version {escape(c['version'])}, {view.standing(c)}",
            "",
        )
    if not f.get("law"):
        yield from ("Not quoted: this provision is not in the library.", "")
    yield from ("*The card*:", "")
    for x in f.get("facets") or []:
        sign = {"found": "✓ found", "missing": "✗ missing", "contradicted": "! contradicted"}[x["status"]]
        yield from (f"- **{sign}**: {escape(x['asks'])}", "")
        for e in x["evidence"]:
            yield from (*(f"  {line}" for line in quote(view.reflow(e["quote"]))), "  >", f"  > — {escape(view.place(e))}", "")
        if view.doubted(x):
            yield from (f"  {escape(view.doubted(x))}", "")
    if f["status"] in view.OPEN:
        yield from (f"*What to do*: {escape(view.remedy(f))}", "")
    if view.review_line(f):
        yield from (f"*Review*: {escape(view.review_line(f))}", "")


def _left_out(group: list[Mapping[str, Any]]) -> Iterator[str]:
    out = [f for f in group if f["status"] == "not-applicable"]
    if out:
        yield from (f"### Not applicable ({len(out)})", "")
        yield from table(["Requirement", "Provision", "Why"], [[escape(f["title"]), escape(f["citation"]), escape(f["why"])] for f in out])


def _facts(report: view.Report) -> Iterator[str]:
    facts = report.get("facts") or {}
    if facts:
        yield from ("", "## Facts on which applicability rests", "")
        words = {True: "yes", False: "no", None: "unknown"}
        yield from table(["Fact", "Value", "Source"], [[f"`{n}`", words[x["value"]], escape(x.get("source") or "")] for n, x in facts.items()])


# ---- drafts --------------------------------------------------------------------------------------------------------


def render_draft(draft: view.Report, clauses: bool) -> str:
    """A draft as Markdown; `clauses` shows the addresses, requirement ids and notes."""
    return "\n".join(_draft(draft, clauses)).rstrip() + "\n"


def _draft(draft: view.Report, clauses: bool) -> Iterator[str]:
    yield from (f"# {escape(view.draft_title(draft))}", "", f"**{escape(view.draft_mark(draft))}**", "")
    yield from (escape(view.head_line(draft)), "", escape(draft["pack"]["about"]), "", escape(draft["pack"]["note"]), "", "## Where this draft stands", "")
    yield from table(["Section", "Element", "State", "Open", "Owner"], [[escape(cell) for cell in row] for row in view.standing_rows(draft)])
    yield from people(draft)
    for section in draft["sections"]:
        yield from ("", f"## {escape(section['title'])}", "")
        if section["about"]:
            yield from (escape(section["about"]), "")
        for element in section["elements"]:
            yield from (f"### {escape(element['title'])}" + (f" ({escape(element['citation'])})" if clauses else ""), "")
            for sentence in element["sentences"]:
                yield from _decided(sentence, clauses)
    yield from _notes(draft, clauses)
    yield from ("## About this copy", "")
    yield from table(["", ""], [[name, escape(value)] for name, value in view.stamp(draft)])


def people(report: view.Report) -> Iterator[str]:
    """Signatures, disagreements, comments and tasks."""
    for title, head, rows in view.people(report):
        yield from ("", f"## {title}", "")
        yield from table(head, [[escape(cell) for cell in row] for row in rows])


def _decided(x: Mapping[str, Any], clauses: bool) -> Iterator[str]:
    shown, line = view.decided(x)
    if shown:
        yield from (*_sentence(shown, clauses), "")
    if line:
        yield from (f"*{escape(line)}*", "")


def _sentence(x: Mapping[str, Any], clauses: bool) -> Iterator[str]:
    if x["kind"] == "person":
        yield escape(x["text"])
    elif x["kind"] == "law":
        yield f"*{escape(view.asked_for(x))}*" + (f" \\[{x['note']}\\]" if clauses else "")
    elif x["kind"] == "card":
        yield from (f"{escape(x['label'])}:", "", *quote(view.reflow(x["text"])), ">", f"> — {escape(view.source(x))}")
    else:
        yield f"**{escape(x['text'])}** {escape(view.asked_by(x, clauses))}"


def _notes(draft: view.Report, clauses: bool) -> Iterator[str]:
    if clauses and draft["notes"]:
        yield from ("## Notes", "", f"{view.official(draft)}.", "")
        for n in draft["notes"]:
            yield from (
                f"\\[{n['n']}\\] {link(n['citation'], view.safe_link(n.get('link')))}, {escape(view.noted(n))}:",
                "",
            )
            yield from (*quote(n["quote"]), "")


# ---- Markdown itself ---------------------------------------------------------------------------------------------


def escape(text: str) -> str:
    """The text so that Markdown shows exactly its characters; line ends become spaces."""
    flat = re.sub(r"\s*\n\s*", " ", view.printable(str(text)))
    return _leading(re.sub(r"([\\`*_{}\[\]<>|~&#$])", r"\\\1", flat))


def _leading(line: str) -> str:
    """Escapes what would start a list, a rule or a heading at the beginning of a line."""
    line = re.sub(r"^(\s*)([-+=])", r"\1\\\2", line)
    return re.sub(r"^(\s*\d{1,9})([.)])(\s|$)", r"\1\\\2\3", line)


def quote(text: str) -> list[str]:
    """The lines of a block quotation of exactly these words, line by line."""
    lines = [line for line in view.printable(str(text)).splitlines() if line.strip()]
    return [f"> {escape(line)}" + ("\\" if i + 1 < len(lines) else "") for i, line in enumerate(lines)]


def link(words: str, url: str) -> str:
    """A link, or the words alone where there is no address."""
    return f"[{escape(words)}]({url.replace('(', '%28').replace(')', '%29')})" if url else escape(words)


def table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    """A table of cells that are Markdown already."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("\n", " ") for cell in row) + " |"
