"""Drafts: a submission pack filled from a card, section by section: what is quoted, what the law says, and every question left open."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import gradio as gr

from assistant import packs
from assistant.errors import PinciteError
from assistant.export import DRAFT_FORMATS
from assistant.ui.gaps import Facts, at_hand, open_law, samples
from assistant.ui.parts import CLICKS, SCROLLS, Json, badge, banner, citation_cards, clicked, empty, esc, failure, table
from assistant.ui.shell import PRIVATE, QUIET, Shell

NOT_MADE = empty(
    "No draft yet", "Choose a pack and a card. Every sentence of a draft is quoted from the card or the law; what neither says becomes a question."
)
STATES = {"stated": ("✓ stated", "good"), "partly-stated": ("◐ partly stated", "warn"), "asked": ("? asked", "ask")}


def pack_choices() -> list[tuple[str, str]]:
    """The packs by title."""
    return [(packs.pack(id).title, id) for id in packs.pack_ids()]


def head(made: Json) -> str:
    """What the draft is, how much of it is stated, and that it is machine-made; with its downloads."""
    c = made["counts"]
    what = f"{made['pack']['title']} for {made['card']['name']}, as of {made['as_of']}"
    said = f"{what}. {c['stated']} elements stated, {c['partly-stated']} partly, {c['asked']} only asked. Run {made['run']}."
    notice = banner("This draft is machine-made. It is no submission until a named person has read, completed and signed it.", "warn")
    note = banner(made["pack"]["note"], "info") if made["pack"]["note"] else ""
    links = "".join(f'<a href="/export/{esc(made["run"])}.{f}" download>{f.upper()}</a>' for f in DRAFT_FORMATS)
    downloads = f'<div class="pc-downloads" role="group" aria-label="Download the draft"><span>Download:</span>{links}</div>'
    return f"<p><strong>{esc(said)}</strong></p>{notice}{note}{downloads}"


def outline(made: Json) -> str:
    """Every element with its state and how many questions it leaves."""
    rows = [
        [esc(s["title"]), esc(e["title"]), badge(*STATES[e["state"]]), str(sum(x["kind"] == "input" for x in e["sentences"])), esc(e["owner"])]
        for s in made["sections"]
        for e in s["elements"]
    ]
    return table(["Section", "Element", "State", "Questions", "Owner"], rows, "Outline", plain=False)


def open_questions(made: Json) -> list[tuple[str, str]]:
    """Every [INPUT NEEDED], as a choice that leads to its section."""
    found = []
    for s in made["sections"]:
        for e in s["elements"]:
            found += [(f"{e['title']}: {x['text']}"[:160], f"{s['id']}#{e['id']}#{n}") for n, x in enumerate(e["sentences"]) if x["kind"] == "input"]
    return found


def section_html(made: Json, id: str) -> str:
    """One section: each element with its sentences, where each comes from, and the law's words behind it."""
    section = next((s for s in made["sections"] if s["id"] == id), None)
    if section is None:
        return empty("No section open", "Choose a section of the outline.")
    elements = "".join(
        f"<h3>{esc(e['title'])} {badge(e['citation'])}{badge(*STATES[e['state']])}</h3>{''.join(_sentence(x) for x in e['sentences'])}"
        for e in section["elements"]
    )
    return f'<article class="pc-finding"><h2>{esc(section["title"])} {badge(section["citation"])}</h2><p>{esc(section["about"])}</p>{elements}</article>'


def _sentence(x: Json) -> str:
    if x["kind"] == "input":
        owner = f" Owner: {x['owner']}." if x["owner"] else ""
        return f'<div class="pc-banner pc-ask"><strong>{esc(x["text"])}</strong>{esc(owner)}</div>'
    if x["kind"] == "law":
        return f'<p>{esc(x["text"])} <button type="button" class="pc-jump" data-pin="law-{x["note"]}">[{x["note"]}]</button></p>'
    caution = banner(x["caution"], "warn") if x["caution"] else ""
    label = f"<b>{esc(x['label'])}:</b> " if x["label"] else ""
    place = f"{x['file']}, line {x['line']}, {x['section'] or 'before the first heading'}"
    return f'<blockquote>{label}{esc(x["text"])}</blockquote><div class="pc-where">{esc(place)}</div>{caution}'


def make(
    shell: Shell, request: Any, pack: str | None, level: str | None, files: Sequence[str] | None, sample: str | None, given: Facts, as_of: str
) -> Iterator[tuple[str, Json | None]]:
    """What to show while the draft is made, and at the end the draft."""
    from assistant.workbench import check_day

    yield banner("Reading the card, holding the requirements against it, and filling the pack section by section.", "info"), None
    try:
        with at_hand(files, sample, None, given) as (card, facts), shell.acting(request, "assess"):
            made = shell.bench.draft(card, pack or "", check_day(as_of), facts, level or "")
    except PinciteError as error:
        yield failure(error), None
        return
    yield head(made), made


def build(shell: Shell) -> Mapping[str, Any]:
    """The page's components, by name."""
    made = gr.State(None)
    with gr.Row(equal_height=False):
        files = gr.File(label="Model card: one file, or the card and what lies beside it", file_count="multiple", height=140, scale=3, min_width=300)
        with gr.Column(scale=2, min_width=260):
            sample = gr.Dropdown(label="or a sample card", choices=samples(), value=None, interactive=True)
            pack = gr.Dropdown(label="Pack", choices=pack_choices(), value=None, interactive=True, elem_id="pc-pack")
            level = gr.Dropdown(label="Documentation level", choices=[], value=None, interactive=True, visible=False)
            run = gr.Button("Make the draft", variant="primary", elem_id="pc-draft")
    top = gr.HTML(NOT_MADE)
    with gr.Column(visible=False) as results:
        with gr.Accordion("Outline", open=False):
            listed = gr.HTML()
        with gr.Row():
            section = gr.Dropdown(label="Section", choices=[], value=None, interactive=True, min_width=260)
            question = gr.Dropdown(label="Jump to an open question", choices=[], value=None, interactive=True, min_width=260)
        with gr.Row(equal_height=False):
            with gr.Column(scale=3, min_width=380):
                shown = gr.HTML(js_on_load=CLICKS, elem_id="pc-draft-section")
            with gr.Column(scale=2, min_width=340):
                used = gr.HTML(js_on_load=CLICKS)
                viewer = gr.HTML(js_on_load=SCROLLS)

    def levels(id: str | None) -> Any:
        found = list(packs.pack(id).levels) if id in packs.pack_ids() else []
        return gr.Dropdown(choices=found, value=found[0] if found else None, visible=bool(found))

    def makes(pack: Any, level: Any, files: Any, sample: Any, given: Facts, as_of: str, request: gr.Request) -> Iterator[Any]:
        for said, found in make(shell, request, pack, level, files, sample, given, as_of):
            if found is None:
                yield {top: said, made: None, results: gr.Column(visible=False)}
                continue
            sections = [(s["title"], s["id"]) for s in found["sections"]]
            first = sections[0][1] if sections else ""
            yield {
                top: said, made: found, results: gr.Column(visible=True), listed: outline(found), section: gr.Dropdown(choices=sections, value=first),
                question: gr.Dropdown(choices=open_questions(found), value=None), shown: section_html(found, first), used: notes(found), viewer: "",
            }  # fmt: skip

    def turn(found: Json | None, id: str | None) -> str:
        return section_html(found, id or "") if found else NOT_MADE

    def jump(found: Json | None, place: str | None) -> Any:
        id = (place or "").partition("#")[0]
        return turn(found, id), id

    def law(found: Json | None, event: gr.EventData) -> str:
        return open_law(shell, {"law": found["notes"]} if found else None, clicked(event), found["as_of"] if found else "")

    pack.change(levels, [pack], level, **QUIET)
    outputs = [top, made, results, listed, section, question, shown, used, viewer]
    run.click(makes, [pack, level, files, sample, shell.facts, shell.as_of], outputs, concurrency_limit=4, **PRIVATE).then(
        shell.foot, None, shell.footer, **QUIET
    )
    section.input(turn, [made, section], shown, **QUIET)
    question.input(jump, [made, question], [shown, section], **QUIET)
    for part in (shown, used, viewer):
        part.select(law, [made], viewer, **QUIET)
    return {}


def notes(made: Json) -> str:
    """The law behind the draft: every citation once, by its number."""
    if not made["notes"]:
        return empty("No law quoted", "The library holds no words for the provisions of this pack.")
    cards = f'<div class="pc-evidence" tabindex="0" role="region" aria-label="Law used">{citation_cards(made["notes"], "law")}</div>'
    return f'<details class="pc-links"><summary>Law used ({len(made["notes"])})</summary>{cards}</details>'
