"""Commands on the record and the machine: audit, bundle, backup, restore, doctor, demo, serve, work."""

from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.base import JsonFlag, bench, put, put_json, read, say, write
from assistant.export.terminal import record_line

app = typer.Typer()
audit_app = typer.Typer(no_args_is_help=True, help="The record: verify, tail, export.")
bundle_app = typer.Typer(no_args_is_help=True, help="Evidence bundles: make, verify.")
app.add_typer(audit_app, name="audit")
app.add_typer(bundle_app, name="bundle")


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
    write(out, data)
    put(rows[-1].hash if rows else "0" * 64)
    w.exported("", "audit", data)


@bundle_app.command("make")
def bundle_make(run: str, out: Annotated[Path, typer.Option("-o", "--out", metavar="F.zip")]) -> None:
    """Pack an answer or a gap analysis with all it rests on; prints the audit head to check it against."""
    w = bench()
    data = w.bundle(run)
    write(out, data)
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

    v = check(read(file), head)
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


@app.command()
def work() -> None:
    """Do the long work that apps of the same store begin, until interrupted; apps do it themselves too."""
    from assistant.worker import Worker

    say("Pincite takes jobs (Ctrl-C ends it)")
    Worker(bench()).stay()
