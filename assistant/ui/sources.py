"""Sources: every text that is held, with version, layer, dates and hash; opens provisions, adds documents, checks the index."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from assistant import corpus
from assistant.errors import PinciteError
from assistant.jobs import File
from assistant.roles import may
from assistant.ui.parts import (
    CLICKS,
    FRAMEWORKS,
    SCROLLS,
    Json,
    View,
    badge,
    banner,
    clicked,
    denied,
    empty,
    esc,
    failure,
    go,
    jump,
    provision_html,
    short,
    table,
)  # fmt: skip
from assistant.ui.shell import PRIVATE, QUIET, Shell
from assistant.ui.work import user_of, watch

KINDS = {"added": ("+ added", "good"), "removed": ("− removed", "bad"), "changed": ("≠ changed", "warn")}
MOST_CHANGES = 300
HEADERS = ("Instrument", "Title", "Version", "Layer", "File read", "In use", "Provisions", "Reuse", "SHA-256")


def editions_rows(editions: Sequence[Json]) -> list[list[str]]:
    """One row for each edition held."""
    manifest = corpus.manifest()
    rows = []
    for e in sorted(editions, key=lambda e: (e["id"], e["work"], e["version"], e["layer"])):
        until = f" to {e['valid_to']}" if e["valid_to"] and not e["valid_to"].startswith("9999") else ""
        kinds = ", ".join(f"{n} {kind}" for kind, n in e["counts"].items() if kind in ("article", "recital", "annex", "section", "rule", "schedule", "topic"))
        work = manifest.work(e["work"])
        layer = "summary" if e["layer"] == "digest" else f"official, {e['provenance']}"
        same = f" (same words as {e['same_as']})" if e["same_as"] else ""
        rows.append(
            [
                FRAMEWORKS.get(e["id"], e["id"]),
                f"{e['title']}{same}",
                e["version"],
                layer,
                e["file"],
                f"{e['valid_from'] or 'always'}{until}",
                kinds,
                "our own words" if e["layer"] == "digest" else work.reuse if work else "",
                e["sha256"][:12],
            ]
        )
    return rows


def listing(shell: Shell) -> tuple[str, list[list[str]]]:
    """A line on what is held, and the table's rows."""
    try:
        shell.bench.renew()
        editions = shell.bench.editions()
    except PinciteError as error:
        return failure(error), []
    official = sum(e["layer"] == "official" for e in editions)
    checked = corpus.manifest().checked_until
    return banner(f"{len(editions)} editions, {official} of them official texts; what the law says was checked until {checked}.", "info"), editions_rows(
        editions
    )


def verify(shell: Shell) -> str:
    """Whether the files of the index are those that were written."""
    try:
        found = shell.bench.verify_corpus()
    except PinciteError as error:
        return failure(error)
    if found["sound"]:
        return banner(f"Sound: every index file of generation {found['generation']} has its hash; corpus digest {found['corpus_digest']}.", "good")
    return banner(f"Damaged: {', '.join(found['damaged'])}. Mend with", "bad", "pincite ingest --rebuild")


def open_address(shell: Shell, address: str, as_of: str) -> str:
    """The provision at an address as a person writes it, or what is wrong with it."""
    try:
        return provision_html(View(shell.bench.show(address.strip(), as_of)))
    except PinciteError as error:
        return failure(error)


def add(shell: Shell, request: Any, files: Sequence[str] | None, instrument: str) -> Iterator[str]:
    """Reads documents into the library, telling each step; ends with what was read and what was refused, and why."""
    if not may(shell.role(request), "sources"):
        yield denied("sources")
        return
    if not files:
        yield banner("Choose a file first: an official document, such as the HTML page of EUR-Lex.", "warn")
        return
    given = [("document", f"{n}/{Path(f).name}", Path(f).read_bytes()) for n, f in enumerate(files)]
    yield from _done(shell, request, "ingest", {"instrument": instrument.strip(), "shipped": False}, given)


def fetch(shell: Shell, request: Any, ids: Sequence[str] | None) -> Iterator[str]:
    """Fetches official texts from their publishers and reads them, telling each step; ends with what came and what was refused, and why."""
    if not may(shell.role(request), "sources"):
        yield denied("sources")
        return
    yield from _done(shell, request, "fetch", {"ids": list(ids or [])})


def _done(shell: Shell, request: Any, kind: str, inputs: Json, files: Sequence[File] = ()) -> Iterator[str]:
    with shell.bench.acting(user_of(request)):
        id = shell.jobs.submit(kind, inputs, files)
    yield from watch(shell.jobs, id)
    shell.bench.renew()


def fetch_choices() -> list[tuple[str, str]]:
    """What can be fetched, by instrument."""
    ids = dict.fromkeys(str(r["instrument"]) for r in corpus.fetch_rows())
    return [(FRAMEWORKS.get(i, i), i) for i in ids]


def versions(shell: Shell) -> list[tuple[str, str]]:
    """The works whose official text is held in two versions or more, for a list: name and "work old new" choices come from it."""
    try:
        editions = [e for e in shell.bench.editions() if e["layer"] == "official" and not e["same_as"]]
    except PinciteError:
        return []
    held: dict[str, list[str]] = {}
    for e in sorted(editions, key=lambda e: (e["work"], e["version"])):
        held.setdefault(e["work"], []).append(e["version"])
    return [(f"{work}: {old} and {new}", f"{work} {old} {new}") for work, found in held.items() for n, old in enumerate(found) for new in found[n + 1 :]]


def compared(shell: Shell, choice: str | None) -> str:
    """What changed from one version of a work to another: every provision that differs, with the words taken out and put in."""
    if not choice or choice not in {c for _, c in versions(shell)}:
        return empty("Nothing to compare", "Choose two versions. A work shows here when its official text is held in two versions.")
    try:
        found = shell.bench.diff(*choice.split(" "))
    except PinciteError as error:
        return failure(error)
    rows = [
        [jump(c["pinpoint"], c["citation"], {"version": "", "layer": ""}), badge(*KINDS[c["kind"]]), "".join(_piece(kind, text) for kind, text in c["words"])]
        for c in found["changes"][:MOST_CHANGES]
    ]
    n = found["counts"]
    more = f" The first {MOST_CHANGES} are shown." if len(found["changes"]) > MOST_CHANGES else ""
    rests = ", ".join(found["requirements"][:12]) or "none"
    said = f"{n['added']} provisions added, {n['removed']} removed, {n['changed']} changed.{more} Requirements that rest on them: {rests}"
    said += f" and {len(found['requirements']) - 12} more." if len(found["requirements"]) > 12 else "."
    return banner(said, "info") + (table(["Provision", "Change", "Words"], rows, f"Changes in {choice}", plain=False) if rows else "")


def _piece(kind: str, text: str) -> str:
    if kind == "same":
        return esc(short(text, 120)) if len(text) <= 160 else f"{esc(text[:70])} … {esc(text[-70:])}"
    return f"<del>{esc(text)}</del>" if kind == "removed" else f"<ins>{esc(text)}</ins>"


def build(shell: Shell) -> Mapping[str, Any]:
    """The page's components, by name."""
    head = gr.HTML()
    listed = gr.Dataframe(
        headers=list(HEADERS), label="What is held", interactive=False, wrap=True, max_height=420, buttons=[], elem_id="pc-editions",
        column_widths=["9%", "21%", "9%", "9%", "14%", "11%", "10%", "9%", "8%"],
    )  # fmt: skip
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=320):
            address = gr.Textbox(
                label="Open a provision", placeholder="Art. 35(7) GDPR, 45 CFR 164.312(a)(1), s. 8(5) DPDP Act", submit_btn="Open", elem_id="pc-address"
            )
            check = gr.Button("Check the index files against their hashes", size="sm")
            checked = gr.HTML()
            with gr.Accordion("Compare two versions", open=False):
                pair = gr.Dropdown(label="Versions held", choices=[], value=None, interactive=True, elem_id="pc-versions")
                differences = gr.HTML(js_on_load=CLICKS, elem_id="pc-diff")
            with gr.Accordion("Fetch official texts", open=False):
                offline = shell.bench.settings.offline
                why = "This installation is offline (PINCITE_OFFLINE is set), so nothing is fetched. Add documents from files below."
                gr.HTML(banner(why, "warn") if offline else banner("This asks the publishers' own servers over the internet, and nobody else.", "info"))
                wanted = gr.Dropdown(label="Instruments (none chosen: all)", choices=fetch_choices(), multiselect=True, value=[], interactive=not offline)
                get = gr.Button("Fetch and read", interactive=not offline, elem_id="pc-fetch")
                fetching = gr.HTML()
            with gr.Accordion("Add a document", open=False):
                files = gr.File(label="Official documents (recognised by content)", file_count="multiple", height=150)
                instrument = gr.Textbox(label="Instrument id, only for a document that is not an official format", placeholder="our-sop-12")
                read = gr.Button("Read into the library", variant="primary")
                progress = gr.HTML()
        with gr.Column(scale=3, min_width=380):
            viewer = gr.HTML(empty("No provision open", "Write an address on the left."), js_on_load=SCROLLS, elem_id="pc-source-viewer")

    def adds(files: Any, instrument: str, request: gr.Request) -> Iterator[str]:
        yield from add(shell, request, files, instrument)

    def fetches(ids: list[str], request: gr.Request) -> Iterator[str]:
        yield from fetch(shell, request, ids)

    def move(as_of: str, event: gr.EventData) -> str:
        return go(shell.bench, clicked(event), as_of)

    address.submit(lambda a, d: open_address(shell, a, d), [address, shell.as_of], viewer, **QUIET)
    viewer.select(move, [shell.as_of], viewer, **QUIET)
    check.click(lambda: verify(shell), None, checked, **PRIVATE)
    added = read.click(adds, [files, instrument], progress, concurrency_limit=1, **PRIVATE)
    added.then(lambda: listing(shell), None, [head, listed], **QUIET)
    fetched = get.click(fetches, [wanted], fetching, concurrency_limit=1, **QUIET)
    fetched.then(lambda: listing(shell), None, [head, listed], **QUIET)
    pair.input(lambda choice: compared(shell, choice), [pair], differences, **QUIET)
    differences.select(move, [shell.as_of], viewer, **QUIET)
    return {"head": head, "listed": listed, "added": added, "pair": pair, "pairs": lambda: gr.Dropdown(choices=versions(shell))}
