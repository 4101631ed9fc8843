"""The command line: reads arguments, calls one verb of the workbench, prints. Data on stdout, progress on stderr.

Exit codes: 0 done, 1 findings at or above --fail-on or a failed check, 2 usage, 3 not ready, 4 refused, 5 partly done,
101 internal, 130 interrupted. Imports nothing heavy: `pincite --help` answers at once.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from assistant import cli_evidence
from assistant.errors import PinciteError, UsageError
from assistant.export.terminal import (
    answer_text,
    disagreement_lines,
    gaps_table,
    record_line,
    review_lines,
    review_text,
    run_lines,
    short,
    signature_lines,
    standing,
)

if TYPE_CHECKING:
    from assistant.workbench import Workbench

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Answers, checks and drafts for medical AI regulation, each statement with a checked citation.",
)
corpus_app = typer.Typer(no_args_is_help=True, help="The texts: list, show, fetch, verify, compare.")
card_app = typer.Typer(no_args_is_help=True, help="A model card: what it says, what is missing.")
audit_app = typer.Typer(no_args_is_help=True, help="The record: verify, tail, export.")
users_app = typer.Typer(no_args_is_help=True, help="Who may sign in to the app.")
models_app = typer.Typer(no_args_is_help=True, help="The language model: what it is, what it may do.")
eval_app = typer.Typer(no_args_is_help=True, help="Measure retrieval, answers, cards and claims on a labelled set.")
runs_app = typer.Typer(no_args_is_help=True, help="Earlier answers, gap analyses and drafts: list, show, erase.")
review_app = typer.Typer(no_args_is_help=True, help="Decide on findings and drafts: list, show, accept, edit, reject, comment, assign.")
signoff_app = typer.Typer(no_args_is_help=True, help="Sign a gap analysis or draft, and see which signatures stand.")
bundle_app = typer.Typer(no_args_is_help=True, help="Evidence bundles: make, verify.")
for name, sub in (
    ("corpus", corpus_app),
    ("card", card_app),
    ("evidence", cli_evidence.app),
    ("audit", audit_app),
    ("bundle", bundle_app),
    ("eval", eval_app),
    ("models", models_app),
    ("runs", runs_app),
    ("review", review_app),
    ("signoff", signoff_app),
    ("users", users_app),
):
    app.add_typer(sub, name=name)

JsonFlag = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
AsOf = Annotated[str, typer.Option("--as-of", metavar="YYYY-MM-DD", help="The day the law is asked about (default: today).")]
Frameworks = Annotated[list[str], typer.Option("--framework", "-f", help="Only this framework; may be repeated.")]
Instruments = Annotated[list[str], typer.Option("--instrument", help="Only this instrument; may be repeated.")]
Batch = Annotated[Path | None, typer.Option("--batch", metavar="IN.jsonl", help="One JSON object a line.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", metavar="OUT")]
LAYERS = ("official", "digest", "any")


def say(message: str) -> None:
    """Progress, on stderr."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


def put(text: str) -> None:
    """Data, on stdout."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def put_json(value: object) -> None:
    """Data as indented JSON."""
    put(json.dumps(value, indent=2, ensure_ascii=False))


def bench() -> "Workbench":
    """The workbench over the user's settings."""
    from assistant.workbench import Workbench

    return Workbench(say=say)


def _day(as_of: str) -> str:
    from assistant.workbench import check_day, today

    return check_day(as_of) if as_of else today()


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text("utf8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    for n, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                value = json.loads(line)
            except ValueError as error:
                raise UsageError(f"{path} line {n} is no JSON: {error}") from error
            if not isinstance(value, dict):
                raise UsageError(f"{path} line {n} is no JSON object")
            yield value


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(path.name + ".part")
        aside.write_bytes(data)
        aside.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def _batch(source: Path, out: Path | None, each: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
    rows = [json.dumps({"id": row.get("id"), **each(row)}, ensure_ascii=False) for row in _lines(source)]
    data = "".join(row + "\n" for row in rows)
    if out:
        _write(out, data.encode())
    else:
        put(data)


def _filter(as_of: str, frameworks: Sequence[str], instruments: Sequence[str], layer: str = "any") -> Any:
    from assistant.law import FRAMEWORKS
    from assistant.retrieve import Filter

    for f in frameworks:
        if f not in FRAMEWORKS:
            raise UsageError(f"'{f}' is no framework", f"Choose from {', '.join(FRAMEWORKS)}")
    if layer not in LAYERS:
        raise UsageError(f"'{layer}' is no layer", f"Choose from {', '.join(LAYERS)}")
    return Filter(_day(as_of), tuple(frameworks), tuple(instruments), layer)


def _row_filter(row: Mapping[str, Any], base: Any) -> Any:
    from dataclasses import replace

    chosen = _filter(row.get("as_of") or base.as_of, row.get("frameworks") or base.frameworks, row.get("instruments") or base.instruments)
    return replace(chosen, layer=base.layer)


# ---- ingest and corpus -------------------------------------------------------------------------------------------


@app.command()
def ingest(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="[PATH]...", help="Official files or folders; none: the shipped corpus.")] = None,
    passages: Annotated[Path | None, typer.Option(metavar="FILE.jsonl", help='Lines {"id","text","heading"?} for --instrument.')] = None,
    instrument: Annotated[str, typer.Option(metavar="ID", help="Id of an added set, or read unknown documents as plain text.")] = "",
    rebuild: Annotated[bool, typer.Option(help="Read and build again even what has not changed.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Read official documents into the library."""
    if passages and not instrument:
        raise UsageError("--passages needs --instrument ID", "Name the set, such as hospital-policy")
    report = bench().ingest(paths or [], passages, instrument, rebuild)
    if as_json:
        put_json(report)
    else:
        for row in report["instruments"]:
            counts = ", ".join(f"{n} {kind}" for kind, n in row["counts"].items())
            put(
                f"{row['id']} {row['work']} {row['version']} ({row['provenance']}, {row['reader']}): {counts}"
                + (f"; same as {row['same_as']}" if row.get("same_as") else "")
            )
        for row in report["refused"]:
            put(f"refused {row['code']}: {row['reason']}")
        put(
            f"{report['passages']} passages; {report['embedded']} embedded, {report['reused']} reused; {report['seconds']} s; corpus {report['corpus_digest'][:12]}"
        )
    if report["refused"]:
        for row in report["refused"] if as_json else []:
            say(f"refused {row['code']}: {row['reason']}")
        raise typer.Exit(5 if report["instruments"] else 2)


@corpus_app.command("list")
def corpus_list(as_json: JsonFlag = False) -> None:
    """Every edition held."""
    rows = bench().editions()
    if as_json:
        put_json(rows)
        return
    for r in rows:
        put(
            f"{r['work']:24} {r['version']:16} {r['layer']:8} {r['provenance']:9} {sum(r['counts'].values()):6} provisions  {r['file']}"
            + (f"  = {r['same_as']}" if r["same_as"] else "")
        )


@corpus_app.command("show")
def corpus_show(
    pinpoint: str,
    version: str = "",
    layer: Annotated[str, typer.Option(help="official or digest")] = "",
    as_of: AsOf = "",
    as_json: JsonFlag = False,
) -> None:
    """A provision: its words, place, standing and official link."""
    found = bench().show(pinpoint, _day(as_of), version, layer)
    if as_json:
        put_json(found)
        return
    put(f"{found['citation']}  [{found['pinpoint']}]\n{found['version']} · {found['layer']} · {standing(found)}")
    put("\n".join([*(line for line in (found["note"].strip(), found["link"]) if line), "", found["text"]]))


@corpus_app.command("verify")
def corpus_verify(as_json: JsonFlag = False) -> None:
    """Whether the index on disk is the one that was built."""
    found = bench().verify_corpus()
    put_json(found) if as_json else put("sound" if found["sound"] else f"damaged: {', '.join(found['damaged'])}. Run: pincite ingest --rebuild")
    raise typer.Exit(0 if found["sound"] else 1)


@corpus_app.command("fetch")
def corpus_fetch(ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...")] = None, as_json: JsonFlag = False) -> None:
    """Download official texts from their publishers."""
    found = bench().fetch(ids or [])
    if as_json:
        put_json(found)
    else:
        for f in found["fetched"]:
            put(f"{f['state']:9} {f['name']} {f['bytes']} bytes {f['sha256'][:12]}")
        for r in found["refused"]:
            put(f"refused {r['code']}: {r['reason']}")
    if found["refused"]:
        raise typer.Exit(5 if found["fetched"] else 2)


@corpus_app.command("diff")
def corpus_diff(instrument: str, old: str, new: str, as_json: JsonFlag = False) -> None:
    """What changed between two versions of a text."""
    found = bench().diff(instrument, old, new)
    if as_json:
        put_json(found)
        return
    for c in found["changes"]:
        put(f"{c['kind']:8} {c['citation']} {c['heading']}")
        for kind, words in c["words"]:
            if kind != "same":
                put(f"    {'+' if kind == 'added' else '-'} {short(words, 200)}")
    put(f"{found['counts']['added']} added, {found['counts']['removed']} removed, {found['counts']['changed']} changed in {', '.join(found['works'])}")
    put(f"requirements that rest on them: {' '.join(found['requirements']) or 'none'}")
    put(f"findings of earlier runs that rest on them: {' '.join(found['findings']) or 'none'}")


# ---- search, ask, verify -----------------------------------------------------------------------------------------


@app.command()
def search(
    query: Annotated[str | None, typer.Argument()] = None,
    batch: Batch = None,
    out: Out = None,
    framework: Frameworks = [],  # noqa: B006
    instrument: Instruments = [],  # noqa: B006
    layer: Annotated[str, typer.Option(help="official, digest or any")] = "any",
    k: Annotated[int, typer.Option("-k", min=1, max=1000)] = 10,
    as_of: AsOf = "",
    as_json: JsonFlag = False,
) -> None:
    """Find the provisions that bear on a question."""
    wanted, w = _filter(as_of, framework, instrument, layer), bench()
    if batch:
        _batch(batch, out, lambda row: w.search(str(row.get("query", "")), _row_filter(row, wanted), k))
        return
    found = w.search(_needed(query, "a query"), wanted, k)
    if as_json:
        put_json(found)
        return
    for n, h in enumerate(found["hits"], 1):
        put(f"{n:2}. {h['citation']} [{h['pinpoint']}] {h['layer']} {h['version']} · {standing(h)} · {' '.join(h['via'][:3])}\n    {short(h['text'])}")
    if not found["hits"]:
        put("Nothing found.")
    if "note" in found:
        say(found["note"])


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument()] = None,
    batch: Batch = None,
    out: Out = None,
    mode: Annotated[str, typer.Option(help="auto or extractive")] = "auto",
    framework: Frameworks = [],  # noqa: B006
    instrument: Instruments = [],  # noqa: B006
    as_of: AsOf = "",
    as_json: JsonFlag = False,
) -> None:
    """Answer a question from the texts, with citations, or refuse."""
    if mode not in ("auto", "extractive"):
        raise UsageError(f"'{mode}' is no mode", "Choose auto or extractive")
    wanted, w = _filter(as_of, framework, instrument), bench()
    if batch:
        _batch(batch, out, lambda row: w.ask(str(row.get("question", "")), _row_filter(row, wanted), mode, row.get("history") or ()))
        return
    steps = w.ask_steps(_needed(question, "a question"), wanted, mode)
    found = _watched(steps) if sys.stderr.isatty() and not as_json else _last(steps)
    put_json(found) if as_json else put(answer_text(found))


def _last(steps: Iterator[Mapping[str, Any]]) -> Mapping[str, Any]:
    *_, last = steps
    found: Mapping[str, Any] = last["found"]
    return found


def _watched(steps: Iterator[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The answer; until it is whole, its claims are shown as they come, and the model's words as they replace them."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    claims: dict[int, str] = {}
    with Live(Text("searching …"), console=Console(stderr=True), transient=True) as live:
        for step in steps:
            if step["step"] == "claim":
                claims[step["place"]] = step["claim"]["text"]
            live.update(Text("\n".join(f"- {text}" for text in claims.values()) or "checking each quotation in its source …"))
    found: Mapping[str, Any] = step["found"]
    return found


@app.command()
def verify(batch: Annotated[Path, typer.Option(metavar="IN.jsonl")], out: Out = None) -> None:
    """Is a claim supported by a passage? Lines {"id","claim","passage"} in, {"id","supported","score","reasons"} out."""
    from assistant.support import bears

    def each(row: Mapping[str, Any]) -> Mapping[str, Any]:
        found = bears(str(row.get("claim", "")), str(row.get("passage", "")))
        return {"supported": found.supported, "score": round(found.score, 4), "reasons": list(found.reasons)}

    _batch(batch, out, each)


# ---- cards -------------------------------------------------------------------------------------------------------

Card = Annotated[Path, typer.Argument(metavar="CARD", help="A card file, or a folder with one.")]
SetFile = Annotated[Path, typer.Option("--set", metavar="FILE.jsonl")]
Against = Annotated[Path | None, typer.Option("--against", metavar="RUN.json", help="Compare with an earlier run's --json.")]
EvidenceDirs = Annotated[list[Path], typer.Option("--evidence", metavar="DIR", help="Figures computed by pincite evidence; may be repeated.")]
FactsFile = Annotated[Path | None, typer.Option("--facts", metavar="FILE", help='{"name": {"value": true, "source": "who"}}')]


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
    wanted = _filter(as_of, framework, ())
    w = bench()
    report = w.gaps(card, wanted.as_of, framework, scope, facts, everything, since, evidence)
    report = {**report, "audit_head": w.verify_audit().head}
    for e in report.get("evidence", ()):
        say(f"computed figures of {e['file']} count: {e['command']}" + ("" if e["audit"] else " (not on this record)"))
    _put_report(report, "json" if as_json else format, out)
    if out:
        w.exported(report["run"], format, _bytes(out))
    counted = SEVERITIES[: SEVERITIES.index(fail_on) + 1] if fail_on else ()
    raise typer.Exit(1 if compare.worse(report, counted, w.run(baseline) if baseline else None) else 0)


def _put_report(report: Mapping[str, Any], format: str, out: Path | None) -> None:
    if format == "table":
        text = gaps_table(report)
        _write(out, text.encode()) if out else put(text)
        return
    if format == "json":
        data = (json.dumps(report, indent=2, ensure_ascii=False) + "\n").encode()
    else:
        from assistant import export

        data = export.render(format, report)
    if out:
        _write(out, data)
        say(f"wrote {out}")
    elif format in ("json", "md", "html", "sarif", "oscal"):
        put(data.decode())
    else:
        raise UsageError(f"{format} needs a file", "Give -o FILE")


# ---- record, health, app -----------------------------------------------------------------------------------------


@audit_app.command("verify")
def audit_verify(head: Annotated[str | None, typer.Option(metavar="HASH", help="A head exported earlier.")] = None, as_json: JsonFlag = False) -> None:
    """Re-derive the whole chain; name the first bad record."""
    v = bench().verify_audit(head)
    if as_json:
        put_json({"sound": v.sound, "records": v.records, "head": v.head, "problem": v.problem})
    else:
        put(f"sound: {v.records} records, head {v.head}" if v.sound else f"NOT sound: {v.problem}")
    raise typer.Exit(0 if v.sound else 1)


@audit_app.command("tail")
def audit_tail(n: Annotated[int, typer.Option("-n", min=1)] = 10, as_json: JsonFlag = False) -> None:
    """The last records."""
    for r in bench().audit_tail(n):
        if as_json:
            put(record_line(r))
        else:
            put(f"{r.seq:5} {r.time} {r.user} {r.action} {r.hash[:12]}")


@audit_app.command("export")
def audit_export(out: Annotated[Path, typer.Option("-o", "--out")]) -> None:
    """Every record as JSON lines, for another verifier; prints the head."""
    w = bench()
    rows = list(w.audit_tail(1 << 40))
    data = "".join(record_line(r) + "\n" for r in rows).encode()
    _write(out, data)
    put(rows[-1].hash if rows else "0" * 64)
    w.exported("", "audit", data)


@bundle_app.command("make")
def bundle_make(run: str, out: Annotated[Path, typer.Option("-o", "--out", metavar="F.zip")]) -> None:
    """Pack an answer or a gap analysis with all it rests on; prints the audit head to check it against."""
    w = bench()
    data = w.bundle(run)
    _write(out, data)
    from assistant.bundle import check

    found = check(data)
    say(f"wrote {out}: {found.quotations} quotations, {found.records} records")
    put(found.head)


@bundle_app.command("verify")
def bundle_verify(
    file: Path, head: Annotated[str | None, typer.Option(metavar="HASH", help="A head exported earlier.")] = None, as_json: JsonFlag = False
) -> None:
    """Re-derive a bundle from its bytes alone; name the first part that is wrong."""
    from assistant.bundle import check

    v = check(_bytes(file), head)
    if as_json:
        names = ("sound", "problem", "run", "kind", "quotations", "records", "head")
        put_json({name: getattr(v, name) for name in names})
    elif v.sound:
        put(f"sound: run {v.run} ({v.kind}), {v.quotations} quotations stand where they should, {v.records} records, head {v.head}")
        if head is None:
            say("Without --head, a chain that was rewritten as a whole cannot be told from the first one")
    else:
        put(f"NOT sound: {v.problem}")
    raise typer.Exit(0 if v.sound else 1)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


@app.command()
def backup(file: Annotated[Path, typer.Argument(metavar="F.zip")], as_json: JsonFlag = False) -> None:
    """Write the record, the library and the fetched sources to one file; also while Pincite runs."""
    found = bench().backup(file)
    put_json(found) if as_json else put(
        f"{found['files']} files, head {found['head']}, corpus {found['corpus_digest'][:12] or 'none'}; SHA-256 {found['sha256']}"
    )


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="F.zip")],
    force: Annotated[bool, typer.Option("--force", help="Replace what is in the data folder; it is set aside, not deleted.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Put a backup into an empty data folder, checked first."""
    found = bench().restore(file, force)
    put_json(found) if as_json else put(
        f"{found['files']} files, {found['records']} records, head {found['head']}, corpus {found['corpus_digest'][:12] or 'none'}"
    )


@users_app.command("list")
def users_list(as_json: JsonFlag = False) -> None:
    """Who may sign in to the app, with their roles."""
    rows = bench().users()
    put_json(rows) if as_json else put("\n".join(f"{u['name']:24} {u['role']}" for u in rows) or "Nobody: the app is open to its one local user.")


@users_app.command("add")
def users_add(name: str, role: Annotated[str, typer.Option(help="compliance, developer, reviewer, auditor or admin")] = "compliance") -> None:
    """Add a user, or change a role and password; the password is asked for."""
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    bench().keep_user(name, role, password)
    put(f"{name}: {role}")


@users_app.command("remove")
def users_remove(name: str) -> None:
    """Take a user away; their records stay."""
    bench().remove_user(name)
    put(f"{name} removed")


@app.command()
def doctor(as_json: JsonFlag = False) -> None:
    """What works on this machine and what to do about the rest."""
    found = bench().doctor()
    if as_json:
        put_json(found)
    else:
        for c in found["checks"]:
            put(f"{'ok ' if c['ok'] else 'NO '} {c['check']}: {c['detail']}")
    raise typer.Exit(0 if found["ok"] else 3)


@app.command()
def demo(out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the reports.")] = Path("out/demo")) -> None:
    """Ingest the shipped corpus, ask three questions, assess a sample card, write reports."""
    from assistant.demo import run

    run(bench(), out, put)


@app.command()
def serve(host: str = "127.0.0.1", port: int = 7860) -> None:
    """Open the app."""
    from assistant import server

    server.serve(host, port, bench())


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
    runs = {name: w.draft(card, name, _day(as_of), facts, level, mode)["run"] for name in dict.fromkeys(pack)}
    for name in format:
        if name == "folder":
            for file, data in w.render_folder(list(runs.values()), clauses).items():
                _write(out / "submission" / file, data)
            put(str(out / "submission"))
            continue
        for id, run in runs.items():
            path = out / f"{id}.{name}"
            _write(path, w.render_draft(run, name, clauses, template if name == "docx" else None))
            put(str(path))
    for d in w.disagreements(card):
        say(f"not in agreement on {d['field']}: {d['one']}; {d['other']}. See: pincite review agreement {card}")


# ---- review and sign-off -----------------------------------------------------------------------------------------

By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides (default: PINCITE_USER, else the login name).")]
Targets = Annotated[list[str], typer.Argument(metavar="TARGET...", help="Findings, sentences, elements, sections or frameworks; see: review list RUN")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT")]


@runs_app.command("list")
def runs_list(
    kind: Annotated[str, typer.Option(help="ask, gaps or draft")] = "", n: Annotated[int, typer.Option("-n", min=1)] = 50, as_json: JsonFlag = False
) -> None:
    """The newest runs, newest first."""
    rows = bench().runs(kind, n)
    put_json(rows) if as_json else put(run_lines(rows))


@runs_app.command("erase")
def runs_erase(run: Annotated[str, typer.Argument(help="A run, or card- and the hash of a card.")]) -> None:
    """Erase the words of a run, a conversation with its answers, or a card; their audit records stay."""
    put("\n".join(f"erased {id}" for id in bench().erase(run)))


@runs_app.command("show")
def runs_show(run: str, as_json: JsonFlag = False) -> None:
    """What a run gave, with what people said of it."""
    w = bench()
    found = w.run(run)
    if as_json:
        put_json(found)
    elif found["kind"] == "ask":
        put(answer_text(found))
    elif found["kind"] == "gaps":
        put(gaps_table(found))
    elif found["kind"] == "draft":
        put(review_lines(found, w.review_rows(run)))
    else:
        raise UsageError(f"'{run}' is no answer, gap analysis or draft", "See what there is: pincite runs list")


@review_app.command("list")
def review_list(run: str, open_only: Annotated[bool, typer.Option("--open", help="Only what nobody has decided.")] = False, as_json: JsonFlag = False) -> None:
    """Every finding or sentence of a run with its decision."""
    w = bench()
    rows = [r for r in w.review_rows(run) if not (open_only and r["decision"])]
    put_json(rows) if as_json else put(review_lines(w.run(run), rows))


@review_app.command("show")
def review_show(run: str, target: str, as_json: JsonFlag = False) -> None:
    """One finding or sentence: the machine's words, the person's, and the remarks."""
    w = bench()
    row = next((r for r in w.review_rows(run) if r["target"] == target), None)
    if row is None:
        raise UsageError(f"There is no '{target}' in this run", f"See its targets: pincite review list {run}")
    put_json({**row, "remarks": [r for r in w.remarks(run) if r["target"] == target]}) if as_json else put(review_text(row, w.run(run)))


@review_app.command("accept")
def review_accept(run: str, targets: Targets, reason: Reason = "", by: By = "") -> None:
    """Accept findings, sentences, or whole sections."""
    _decide(run, targets, "accept", reason, "", by)


@review_app.command("reject")
def review_reject(run: str, targets: Targets, reason: Reason, by: By = "") -> None:
    """Reject findings, sentences, or whole sections, with the reason."""
    _decide(run, targets, "reject", reason, "", by)


@review_app.command("edit")
def review_edit(run: str, target: str, words: Annotated[str, typer.Option("--words", metavar="TEXT")], reason: Reason, by: By = "") -> None:
    """Replace a sentence's or finding's words; they are checked against its sources, and both wordings are kept. Exit 1 when the check fails."""
    raise typer.Exit(1 if _decide(run, [target], "edit", reason, words, by) else 0)


def _decide(run: str, targets: Sequence[str], decision: str, reason: str, words: str, by: str) -> list[str]:
    w = bench()
    problems: list[str] = []
    with w.acting(by):
        for target in targets:
            found = w.review(run, target, decision, reason, words)
            put(f"{target}: {decision}, recorded as {found['audit']}")
            problems += found["problems"]
    for problem in problems:
        say(f"check failed: {problem}")
    return problems


@review_app.command("comment")
def review_comment(run: str, target: str, text: str, by: By = "") -> None:
    """Remark on a finding, sentence, element or section."""
    w = bench()
    with w.acting(by):
        put(w.comment(run, target, text))


@review_app.command("assign")
def review_assign(
    run: str,
    target: str,
    owner: Annotated[str, typer.Option(metavar="NAME")],
    due: Annotated[str, typer.Option(metavar="YYYY-MM-DD")] = "",
    text: Annotated[str, typer.Option(metavar="TEXT", help="What is to be done.")] = "",
    by: By = "",
) -> None:
    """Give a finding, sentence, element or section to an owner, with a due date."""
    w = bench()
    with w.acting(by):
        put(w.comment(run, target, text, owner, due))


@runs_app.command("export")
def runs_export(
    run: str,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="Its ending is the format: docx, md, pdf, json, xlsx.")],
    clauses: Annotated[bool, typer.Option(help="Show clause references, for an auditor")] = True,
    template: Annotated[Path | None, typer.Option(metavar="FILE.docx", help="A house template for DOCX")] = None,
) -> None:
    """A draft as it stands after review, with its signatures, as a file."""
    _write(out, bench().render_draft(run, out.suffix.lstrip("."), clauses, template))
    put(str(out))


@review_app.command("agreement")
def review_agreement(card: Card, as_json: JsonFlag = False) -> None:
    """Whether the newest drafts of a card, one a pack, agree with each other and with the card; exit 1 when they do not."""
    rows = bench().disagreements(card)
    put_json(rows) if as_json else put(disagreement_lines(rows))
    raise typer.Exit(1 if rows else 0)


@signoff_app.command("sign")
def signoff_sign(
    run: str,
    meaning: Annotated[str, typer.Option("--as", help="author, reviewer or approver")],
    digests: Annotated[
        bool, typer.Option("--acknowledge-digests", help="As approver: I have seen how many citations rest on summaries, not the law's words.")
    ] = False,
    by: By = "",
    as_json: JsonFlag = False,
) -> None:
    """Sign a run; the signature is bound to its text, decisions, card, law and catalogue."""
    w = bench()
    with w.acting(by):
        found = w.signoff(run, meaning, digests)
    put_json(found) if as_json else put(
        f"signed by {found['by']} as {meaning}, recorded as {found['audit']}; {found['official']} citations rest on official text"
    )


@signoff_app.command("show")
def signoff_show(run: str, card: Annotated[Path | None, typer.Option(metavar="CARD", help="The card as it is now.")] = None, as_json: JsonFlag = False) -> None:
    """The signatures on a run, and why one no longer stands; exit 1 when one is void."""
    rows = bench().signatures(run, card)
    put_json(rows) if as_json else put(signature_lines(rows))
    raise typer.Exit(1 if any(r["void"] for r in rows) else 0)


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
    filled, found = bench().questionnaire(file, _day(as_of), card, facts)
    _write(out, filled)
    put(f"{out}: {found['drafted']} of {found['questions']} questions have an answer drafted, to be checked; record {found['audit']}")


@eval_app.command("retrieval")
def eval_retrieval(
    set_file: SetFile,
    layer: str = "any",
    within: Annotated[bool, typer.Option(help="Search only the framework of the gold address.")] = False,
    as_of: AsOf = "",
    as_json: JsonFlag = False,
) -> None:
    """Hit rates over questions with gold pinpoints: {"id","question","gold":[…],"as_of"?}."""
    from dataclasses import replace

    from assistant import evaluate
    from assistant.law import framework_of

    w, wanted = bench(), _filter(as_of, (), (), layer)

    def search_row(row: Mapping[str, Any]) -> Mapping[str, Any]:
        frameworks = (framework_of(str(row["gold"][0]).partition(":")[0]),) if within else ()
        return w.search(str(row.get("question") or row.get("query")), replace(wanted, as_of=row.get("as_of") or wanted.as_of, frameworks=frameworks), 10)

    _put_figures(evaluate.retrieval(evaluate.load_set(set_file), search_row), as_json)


@eval_app.command("answers")
def eval_answers(set_file: SetFile, against: Against = None, as_of: AsOf = "", as_json: JsonFlag = False) -> None:
    """Refusals, verified claims and gold provisions cited over a set of questions."""
    from assistant import evaluate

    w, wanted = bench(), _filter(as_of, (), ())
    found = evaluate.answers(
        evaluate.load_set(set_file), lambda row: w.ask(str(row["question"]), _row_filter(row, wanted), "extractive", row.get("history") or ())
    )
    _put_figures(found, as_json, against)


@eval_app.command("claims")
def eval_claims(set_file: SetFile, against: Against = None, as_json: JsonFlag = False) -> None:
    """How often true claims are accepted and wrong ones refused: {"id","claim","passage","supported","kind"?}."""
    from assistant import evaluate
    from assistant.support import bears

    def check(row: Mapping[str, Any]) -> Mapping[str, Any]:
        found = bears(str(row["claim"]), str(row["passage"]))
        return {"supported": found.supported, "score": found.score, "reasons": list(found.reasons)}

    _put_figures(evaluate.claims(evaluate.load_set(set_file), check), as_json, against)


def _put_figures(found: Mapping[str, Any], as_json: bool, against: Path | None = None) -> None:
    from assistant import evaluate

    if against:
        found = {**found, "compared": evaluate.compare(found, json.loads(against.read_text("utf8")))}
    if as_json:
        put_json(found)
        return
    for name, f in found["figures"].items():
        put(f"{name:32} {f['value']:.3f}  [{f['low']:.3f}, {f['high']:.3f}]  n={f['n']}")


@models_app.command("list")
def models_list(as_json: JsonFlag = False) -> None:
    """The language model in use and the roles its accuracy card opens."""
    from assistant import modelbench

    w = bench()
    model = w.model
    roles = modelbench.open_roles(w.home / "models", model.info.sha256, model.info.name) if model else {}
    name, digest = (model.info.name, model.info.sha256) if model else ("none", "")
    if as_json:
        put_json({"name": name, "sha256": digest, "roles": roles})
    else:
        put(f"{name} {digest[:12]} " + ", ".join(f"{role}: {'open' if open_ else 'closed'}" for role, open_ in roles.items()))


@models_app.command("bench")
def models_bench(out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE")] = None) -> None:
    """Measure the model at hand and write its accuracy card, which opens or closes its roles."""
    from assistant import modelbench

    w = bench()
    if w.model is None:
        raise UsageError("There is no model to measure (PINCITE_LLM is none)", "Name a GGUF file or a server")
    card = modelbench.card(w.model, progress=say)
    path = out or w.home / "models" / f"{card['name']}.json"
    data = (json.dumps(card, indent=1, ensure_ascii=False) + "\n").encode()
    _write(path, data)
    w.measured(card, data)
    put(f"{path}: {card['roles']}")


def _needed(value: str | None, what: str) -> str:
    if value is None:
        raise UsageError(f"Give {what}, or --batch IN.jsonl")
    return value


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run a command and exit with its code; every expected error is one line on stderr."""
    try:
        code = app(list(argv) if argv is not None else None, standalone_mode=False)
        if code == 130:  # how typer reports Ctrl-C
            raise KeyboardInterrupt
        sys.exit(code if isinstance(code, int) else 0)
    except PinciteError as error:
        say(f"pincite: {error.line()}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say("pincite: interrupted; nothing was left half-written")
        sys.exit(130)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        sys.exit(0)
    except Exception as error:
        sys.exit(_unexpected(error))


def _unexpected(error: Exception) -> int:
    """Typer's own usage errors keep their text; anything else is a defect of ours."""
    show = getattr(error, "format_message", None)
    if callable(show):
        say(f"pincite: {show()}. Try --help")
        return 2
    if os.environ.get("PINCITE_DEBUG"):
        raise error
    say(f"pincite: internal error: {type(error).__name__}: {error}. Please report it; PINCITE_DEBUG=1 shows where")
    return 101
