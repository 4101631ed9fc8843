"""Card: what a model card says, field by field with its place, what it does not say, and the facts on which applicability rests."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from assistant import compare, corpus
from assistant.errors import PinciteError
from assistant.evidence import folder
from assistant.pinpoint import Pinpoint
from assistant.ui.gaps import Facts, at_hand, computed_beside, samples
from assistant.ui.parts import FRAMEWORKS, Json, badge, banner, empty, esc, failure, short, table
from assistant.ui.shell import PRIVATE, QUIET, Shell

NOT_READ = empty("No card yet", "Give a Hugging Face README, CHAI XML or PDF, a DOCX, a PDF, Markdown or text; or choose a sample.")
VALUES = {"yes": True, "no": False, "not known": None}
NO_VERSION = empty("Nothing to compare", "A version shows here once a card of this name was assessed or drafted from; the card read now is held against it.")
MOST_LINES = 100
STATES = {"stated": ("✓ stated", "good"), "missing": ("✕ missing", "bad"), "unreadable": ("≠ unreadable", "warn")}


# ---- what a card looks like --------------------------------------------------------------------------------------


def fields_table(card: Json) -> str:
    """Every field with its value, its place and whether it is stated, missing or unreadable."""
    lines = {f["file"]: f["text"] for f in card["files"]}
    rows = []
    for f in sorted(card["fields"], key=lambda f: (list(STATES).index(f["state"]), f["field"])):
        place = f"{f['file']}, line {lines.get(f['file'], '').count(chr(10), 0, f['start']) + 1}" if f["end"] else ""
        rows.append([esc(f["field"].replace("_", " ")), badge(*STATES[f["state"]]), esc(short(f["value"], 300)), esc(place)])
    return table(["Field", "State", "Value", "Where"], rows, f"Fields of {card['name']}", plain=False)


def warnings(card: Json) -> str:
    """What a reader would not see, and what could not be read."""
    hidden = (
        banner(f"{len(card['hidden'])} pieces of hidden text were found. They are never evidence: {short(' | '.join(card['hidden']), 300)}", "warn")
        if card["hidden"]
        else ""
    )
    return hidden + "".join(banner(problem, "warn") for problem in card["problems"])


def card_text(card: Json, field: str) -> str:
    """The card's text with the places of one field marked."""
    shown = []
    for file in card["files"]:
        text, at, out = file["text"], 0, []
        for f in sorted((f for f in card["fields"] if f["field"] == field and f["file"] == file["file"] and f["end"]), key=lambda f: f["start"]):
            if f["start"] >= at:
                out += [esc(text[at : f["start"]]), f"<mark>{esc(text[f['start'] : f['end']])}</mark>"]
                at = f["end"]
        name = esc(file["file"])
        shown.append(f'<h3>{name}</h3><div class="pc-card-text" tabindex="0" role="region" aria-label="Text of {name}">{"".join(out)}{esc(text[at:])}</div>')
    return "".join(shown)


def computed_html(kept: Sequence[folder.Kept]) -> str:
    """Computed evidence that was given with the card: what it says, its pictures drawn anew from its figures, and where it comes from."""
    return "".join(_computed_one(k) for k in kept)


def _computed_one(kept: folder.Kept) -> str:
    from assistant.evidence import plots, report

    try:
        pictures = plots.pictures(kept.doc)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        pictures = {}
    shown = "".join(
        f'<figure class="pc-figure"><img src="data:image/png;base64,{base64.b64encode(png).decode()}" alt="{esc(caption)}"><figcaption>{esc(caption)}</figcaption></figure>'
        for caption, png in pictures.values()
    )
    lines = "".join(f"<li>{esc(line)}</li>" for line in report.summary(kept.doc))
    whole = f"<details class='pc-links'><summary>All {kept.text.count(chr(10) * 2)} sentences and their source</summary><p>{esc(kept.command)}</p><pre class='pc-card-text'>{esc(kept.text)}</pre></details>"
    return f"<section class='pc-computed'><h3>Computed evidence: {esc(kept.name)}</h3><ul>{lines}</ul>{shown}{whole}</section>"


def facts_table(report: Json) -> str:
    """The known facts with their sources, then the questions that are open."""
    said = {True: "yes", False: "no", None: "not known"}
    asks = {q.name: q.ask for q in corpus.fact_questions().values()}
    known = [[asks.get(name, name), said[f["value"]], f["source"]] for name, f in sorted(report["facts"].items())]
    missing = [[m["ask"]] for m in report["missing_facts"]]
    first = table(["Fact", "Value", "Source"], known, "Facts that are known") if known else empty("No fact is known", "Set those that you know below.")
    return first + (table(["Question"], missing, "Open questions: while one is open, what hangs on it “needs information”") if missing else "")


def applicability(report: Json) -> str:
    """Which frameworks apply, and the rules and facts that say so."""
    tones = {"yes": "good", "no": "mute", "unknown": "ask"}
    rows = [
        [
            esc(FRAMEWORKS.get(f["framework"], f["framework"])),
            badge(f["applies"], tones.get(f["applies"], "mute")),
            esc("; ".join(f"{b['rule']} ({b['pinpoint']}): {b['fact']}" for b in f["because"])),
        ]
        for f in report["frameworks"]
    ]
    tier = report.get("eu_ai_act", {})
    basis = ", ".join(str(Pinpoint.parse(str(b)) or b) for b in tier.get("basis", [])) or "none"
    line = (
        f"<p>Under the AI Act: <strong>{esc(tier.get('tier', 'unknown'))}</strong>, in the role of {esc(tier.get('role', 'unknown'))}; basis: {esc(basis)}</p>"
    )
    return (table(["Framework", "Applies", "Because"], rows, "Which frameworks apply", plain=False) if rows else "") + line


def difference_html(before: Mapping[str, str], card: Json, since: str) -> str:
    """What the card says now that an earlier version did not, and the other way round, line by line."""
    found = compare.lines(before, {f["file"]: f["text"] for f in card["files"]})
    if not found:
        return banner(f"The card says what it said in the version of {since}.", "good")
    tags = {"same": ("", ""), "removed": ("<del>", "</del>"), "added": ("<ins>", "</ins>")}
    rows = [[esc(file), " ".join(tags[kind][0] + esc(short(words, 400)) + tags[kind][1] for kind, words in runs)] for file, runs in found[:MOST_LINES]]
    more = banner(f"{len(found) - MOST_LINES} more places differ.", "info") if len(found) > MOST_LINES else ""
    legend = f"<p class='pc-where'>Since the version of {esc(since)}: <del>taken out</del>, <ins>put in</ins>.</p>"
    return legend + table(["File", "What changed"], rows, f"{len(found)} places differ", plain=False) + more


# ---- what the page does ------------------------------------------------------------------------------------------


def read(shell: Shell, request: Any, files: Sequence[str] | None, sample: str | None, given: Facts) -> tuple[str, Json | None, str]:
    """What the card says, as HTML and as data, and the facts with what follows from them."""
    try:
        with shell.acting(request, "assess"), at_hand(files, sample, None, given) as (path, facts), computed_beside(files) as figures:
            card = shell.bench.card_show(path, figures)
            report = shell.bench.triage(path, facts)
            kept = folder.load(figures)
    except PinciteError as error:
        return failure(error), None, ""
    stated = len({f["field"] for f in card["fields"] if f["state"] == "stated"})
    missing = len({f["field"] for f in card["fields"] if f["state"] == "missing"})
    head = f"<p><strong>{esc(card['name'])}</strong>: {stated} fields stated, {missing} missing. SHA-256 {esc(card['sha256'][:16])}</p>"
    return head + warnings(card) + computed_html(kept) + fields_table(card), card, applicability(report) + facts_table(report)


def versions(shell: Shell, request: Any, card: Json | None) -> list[tuple[str, str]]:
    """The earlier versions of a card that the user assessed or drafted from, the newest first, for a list."""
    try:
        with shell.acting(request):
            rows = [r for kind in ("gaps", "draft") for r in shell.bench.runs(kind, 200)] if card else []
    except PinciteError:
        return []
    of_it = {r["card"]: r for r in sorted(rows, key=lambda r: r["time"]) if card and r["about"] == card["name"] and r["card"] not in ("", card["sha256"])}
    newest = sorted(of_it.values(), key=lambda r: r["time"], reverse=True)
    return [(f"{r['time'][:16].replace('T', ' ')} UTC, {'assessed' if r['kind'] == 'gaps' else 'drafted from'} by {r['owner']}", r["card"]) for r in newest]


def difference(shell: Shell, request: Any, card: Json | None, version: str | None) -> str:
    """How the card that is read differs from an earlier version of it."""
    known = {sha256: name for name, sha256 in versions(shell, request, card)}
    if card is None or version not in known:
        return NO_VERSION
    try:
        with shell.acting(request):
            before = shell.bench.card_files(str(version))
    except PinciteError as error:
        return failure(error)
    return difference_html(before, card, known[str(version)])


def set_fact(given: Facts, name: str | None, value: str | None, source: str) -> tuple[Facts, str]:
    """The facts with one more set by a person, who must say where it comes from; or what is missing."""
    if name not in corpus.fact_questions() or value not in VALUES:
        return given, banner("Choose a fact and its value.", "warn")
    if not source.strip():
        return given, banner("Say where this is known from: a document, a decision, a person.", "warn")
    return {**given, name: {"value": VALUES[value], "source": source.strip()[:300]}}, banner(f"Set: {name} is {value} ({source.strip()[:100]}).", "good")


# ---- the page ----------------------------------------------------------------------------------------------------


def build(shell: Shell) -> Mapping[str, Any]:
    """The page's components, by name."""
    card, given = gr.State(None), shell.facts
    with gr.Row(equal_height=False):
        files = gr.File(
            label="Model card: one file, or the card with what lies beside it and the files of computed evidence",
            file_count="multiple",
            height=150,
            scale=3,
            min_width=300,
        )
        with gr.Column(scale=2, min_width=260):
            sample = gr.Dropdown(label="or a sample card", choices=samples(), value=None, interactive=True)
            show = gr.Button("Read the card", variant="primary", elem_id="pc-read-card")
            onward = gr.Button("Assess this card on the Gaps page")
    said = gr.HTML(NOT_READ)
    with gr.Accordion("Difference to an earlier version", open=False) as differs:
        version = gr.Dropdown(label="Earlier version", choices=[], value=None, interactive=True, elem_id="pc-version")
        changed = gr.HTML(NO_VERSION, elem_id="pc-card-diff")
    with gr.Accordion("The card's text, with a field marked", open=False):
        field = gr.Dropdown(label="Field", choices=[], value=None, interactive=True)
        text = gr.HTML()
    with gr.Accordion("Facts for applicability", open=True):
        known = gr.HTML(empty("No facts yet", "Read a card first."))
        with gr.Row():
            questions = [(f"{q.ask} ({q.name})", q.name) for q in corpus.fact_questions().values()]
            name = gr.Dropdown(label="Fact", choices=questions, value=None, interactive=True, scale=4, min_width=280)
            value = gr.Radio(label="Value", choices=list(VALUES), value=None, scale=2, min_width=220)
            source = gr.Textbox(label="Known from", placeholder="who or what says so", scale=3, min_width=200)
            put = gr.Button("Set this fact", scale=1, min_width=120)
        noted = gr.HTML()

    def reads(files: Any, sample: Any, facts: Facts, request: gr.Request) -> Any:
        shown, found, about = read(shell, request, files, sample, facts)
        names = sorted({f["field"] for f in found["fields"] if f["end"]}) if found else []
        some = versions(shell, request, found)
        last = some[0][1] if some else None  # the version before opens by itself, where there is one
        return (
            shown, found, about, gr.Dropdown(choices=[(n.replace("_", " "), n) for n in names], value=None), card_text(found, "") if found else "",
            gr.Dropdown(choices=some, value=last), difference(shell, request, found, last), gr.Accordion(open=bool(some)),
        )  # fmt: skip

    def compares(found: Any, chosen: str | None, request: gr.Request) -> str:
        return difference(shell, request, found, chosen)

    outputs = [said, card, known, field, text, version, changed, differs]
    show.click(reads, [files, sample, given], outputs, concurrency_limit=4, **PRIVATE)
    version.input(compares, [card, version], changed, **QUIET)
    field.input(lambda c, f: card_text(c, f or "") if c else "", [card, field], text, **QUIET)
    put.click(set_fact, [given, name, value, source], [given, noted], **QUIET).then(reads, [files, sample, given], outputs, **QUIET)
    return {"files": files, "sample": sample, "onward": onward}
