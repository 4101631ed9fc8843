"""Commands on the texts: ingest, corpus, search, ask, verify."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.cli.base import AsOf, Batch, Frameworks, Instruments, JsonFlag, Out, batched, bench, day, filter_of, put, put_json, row_filter, say
from assistant.errors import UsageError
from assistant.export.terminal import answer_text, short, standing

app = typer.Typer()
corpus_app = typer.Typer(no_args_is_help=True, help="The texts: list, show, fetch, verify, compare.")
app.add_typer(corpus_app, name="corpus")


@app.command()
def ingest(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="[PATH]...", help="Official files or folders; none: the shipped corpus.")] = None,
    passages: Annotated[Path | None, typer.Option(metavar="FILE.jsonl", help='Lines {"id","text","heading"?} for --instrument.')] = None,
    instrument: Annotated[str, typer.Option(metavar="ID", help="Id of an added set, or read unknown documents as plain text.")] = "",
    rebuild: Annotated[bool, typer.Option(help="Read and build again even what has not changed.")] = False,
    ray: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Read and embed on this Ray cluster; `local`: in a process for each core of this machine.")
    ] = "",
    as_json: JsonFlag = False,
) -> None:
    """Read official documents into the library."""
    if passages and not instrument:
        raise UsageError("--passages needs --instrument ID", "Name the set, such as hospital-policy")
    report = bench().ingest(paths or [], passages, instrument, rebuild, ray)
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
    found = bench().show(pinpoint, day(as_of), version, layer)
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
    wanted, w = filter_of(as_of, framework, instrument, layer), bench()
    if batch:
        batched(batch, out, lambda row: w.search(str(row.get("query", "")), row_filter(row, wanted), k))
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
    wanted, w = filter_of(as_of, framework, instrument), bench()
    if batch:
        batched(batch, out, lambda row: w.ask(str(row.get("question", "")), row_filter(row, wanted), mode, row.get("history") or ()))
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


def _needed(value: str | None, what: str) -> str:
    if value is None:
        raise UsageError(f"Give {what}, or --batch IN.jsonl")
    return value


@app.command()
def verify(batch: Annotated[Path, typer.Option(metavar="IN.jsonl")], out: Out = None) -> None:
    """Is a claim supported by a passage? Lines {"id","claim","passage"} in, {"id","supported","score","reasons"} out."""
    from assistant.support import bears

    def each(row: Mapping[str, Any]) -> Mapping[str, Any]:
        found = bears(str(row.get("claim", "")), str(row.get("passage", "")))
        return {"supported": found.supported, "score": round(found.score, 4), "reasons": list(found.reasons)}

    batched(batch, out, each)
