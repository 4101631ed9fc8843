"""Commands on a card: show, check, triage, gaps, packs, draft, questionnaire."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.cli.base import AsOf, Card, EvidenceDirs, FactsFile, Frameworks, JsonFlag, bench, day, filter_of, put, put_json, read, say, write
from assistant.errors import UsageError
from assistant.export.terminal import gaps_table, short

app = typer.Typer()
card_app = typer.Typer(no_args_is_help=True, help="A model card: what it says, what is missing.")
app.add_typer(card_app, name="card")


@card_app.command("show")
def card_show(card: Card, evidence: EvidenceDirs = [], as_json: JsonFlag = False) -> None:  # noqa: B006
    """What a card says, each field with its place."""
    found = bench().card_show(card, evidence)
    if as_json:
        put_json(found)
        return
    put(f"{found['name']}  ({len(found['files'])} files, {len(found['sections'])} sections)")
    for f in found["fields"]:
        place = f"{f['file']}:{f['start']}-{f['end']}" if f["state"] == "stated" else f["state"]
        put(f"{f['field']:24} {place:28} {short(f['value'], 90)}")


@card_app.command("check")
def card_check(card: Card, format: Annotated[str, typer.Option(help="table, json or sarif")] = "table", as_json: JsonFlag = False) -> None:
    """What is missing in a card; exit 1 if a required field is."""
    found = bench().card_check(card)
    if as_json or format == "json":
        put_json(found)
    elif format == "sarif":
        from assistant.export import sarif

        put(sarif.render_check(found).decode())
    else:
        for p in found["problems"]:
            put(f"{p['file']}:{p['line']}: {p['severity']} {p['field']}: {p['message']}")
        put(f"{found['missing']} required fields missing" if found["missing"] else "every required field is stated")
    raise typer.Exit(1 if found["missing"] else 0)


@app.command("triage")
def triage_command(card: Card, facts: FactsFile = None, as_json: JsonFlag = False) -> None:
    """Which frameworks apply to a card's system, and why."""
    found = bench().triage(card, facts)
    if as_json:
        put_json(found)
        return
    for row in found["frameworks"]:
        put(
            f"{row['framework']:12} applies: {row['applies']}"
            + "".join(f"\n    {b.get('rule', '')} {b.get('fact', '')} {b.get('pinpoint', '')}" for b in row["because"])
        )
    put(f"AI Act tier: {found['eu_ai_act']['tier']} {' '.join(found['eu_ai_act']['basis'])}")
    for m in found["missing_facts"]:
        put(f"not known: {m}" if isinstance(m, str) else f"not known: {m.get('name')}: {m.get('ask', '')}")


@app.command()
def gaps(
    card: Card,
    framework: Frameworks = [],  # noqa: B006
    scope: Annotated[list[str], typer.Option(metavar="PINPOINT")] = [],  # noqa: B006
    facts: FactsFile = None,
    evidence: EvidenceDirs = [],  # noqa: B006
    format: Annotated[str, typer.Option(help="table, json, md, html, docx, pdf, xlsx, sarif or oscal")] = "table",
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE")] = None,
    fail_on: Annotated[str, typer.Option(help="critical, major or minor")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Assess every requirement, whatever its applicability.")] = False,
    since: Annotated[str, typer.Option(metavar="RUN", help="Say what changed since an earlier run.")] = "",
    baseline: Annotated[str, typer.Option(metavar="RUN", help="With --fail-on: count only what is worse than in that run.")] = "",
    as_of: AsOf = "",
    as_json: JsonFlag = False,
) -> None:
    """Hold a card against the requirements: what is evidenced, what is missing, what to do."""
    from assistant import compare
    from assistant.findings import SEVERITIES

    if fail_on and fail_on not in SEVERITIES:
        raise UsageError(f"'{fail_on}' is no severity", f"Choose from {', '.join(SEVERITIES)}")
    wanted = filter_of(as_of, framework, ())
    w = bench()
    report = w.gaps(card, wanted.as_of, framework, scope, facts, everything, since, evidence)
    report = {**report, "audit_head": w.verify_audit().head}
    for e in report.get("evidence", ()):
        say(f"computed figures of {e['file']} count: {e['command']}" + ("" if e["audit"] else " (not on this record)"))
    _put_report(report, "json" if as_json else format, out)
    if out:
        w.exported(report["run"], format, read(out))
    counted = SEVERITIES[: SEVERITIES.index(fail_on) + 1] if fail_on else ()
    raise typer.Exit(1 if compare.worse(report, counted, w.run(baseline) if baseline else None) else 0)


def _put_report(report: Mapping[str, Any], format: str, out: Path | None) -> None:
    if format == "table":
        text = gaps_table(report)
        write(out, text.encode()) if out else put(text)
        return
    if format == "json":
        data = (json.dumps(report, indent=2, ensure_ascii=False) + "\n").encode()
    else:
        from assistant import export

        data = export.render(format, report)
    if out:
        write(out, data)
        say(f"wrote {out}")
    elif format in ("json", "md", "html", "sarif", "oscal"):
        put(data.decode())
    else:
        raise UsageError(f"{format} needs a file", "Give -o FILE")


@app.command("packs")
def packs_command(as_json: JsonFlag = False) -> None:
    """The submission packs that can be drafted."""
    from assistant import packs

    rows = [{"id": i, "title": packs.pack(i).title, "levels": list(packs.pack(i).levels)} for i in packs.pack_ids()]
    if as_json:
        put_json(rows)
    else:
        put("\n".join(f"{r['id']:32} {r['title']}" for r in rows))


@app.command()
def draft(
    card: Card,
    pack: Annotated[list[str], typer.Option(help="See: pincite packs; may be repeated")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR")],
    format: Annotated[list[str], typer.Option(help="docx, md, pdf, json, xlsx, or folder (FDA); may be repeated")] = ["docx", "json"],  # noqa: B006
    level: Annotated[str, typer.Option(help="For packs with documentation levels, such as basic or enhanced")] = "",
    facts: FactsFile = None,
    clauses: Annotated[bool, typer.Option(help="Show clause references, for an auditor")] = True,
    template: Annotated[Path | None, typer.Option(metavar="FILE.docx", help="A house template for DOCX")] = None,
    mode: Annotated[str, typer.Option(help="auto or extractive")] = "auto",
    as_of: AsOf = "",
) -> None:
    """Draft submission packs from a card: quotations, what the law asks, and [INPUT NEEDED: …]."""
    w = bench()
    runs = {name: w.draft(card, name, day(as_of), facts, level, mode)["run"] for name in dict.fromkeys(pack)}
    for name in format:
        if name == "folder":
            for file, data in w.render_folder(list(runs.values()), clauses).items():
                write(out / "submission" / file, data)
            put(str(out / "submission"))
            continue
        for id, run in runs.items():
            path = out / f"{id}.{name}"
            write(path, w.render_draft(run, name, clauses, template if name == "docx" else None))
            put(str(path))
    for d in w.disagreements(card):
        say(f"not in agreement on {d['field']}: {d['one']}; {d['other']}. See: pincite review agreement {card}")


@app.command()
def questionnaire(
    file: Annotated[Path, typer.Argument(metavar="IN.xlsx|csv", help="A customer's checklist with a column of questions.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT")],
    card: Annotated[
        Path | None, typer.Option(metavar="CARD", help="The card whose words answer; without one only questions about the law are answered.")
    ] = None,
    facts: FactsFile = None,
    as_of: AsOf = "",
) -> None:
    """Answer a checklist in place: answer, evidence, citation and status in each row, blank where there is no evidence."""
    filled, found = bench().questionnaire(file, day(as_of), card, facts)
    write(out, filled)
    put(f"{out}: {found['drafted']} of {found['questions']} questions have an answer drafted, to be checked; record {found['audit']}")
