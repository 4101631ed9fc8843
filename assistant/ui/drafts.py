"""Drafts: a submission pack filled from a card, read and decided sentence by sentence, and signed: what is quoted, what the law says, every open question."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import gradio as gr

from assistant import packs
from assistant.errors import PinciteError
from assistant.export import DRAFT_FORMATS
from assistant.roles import need
from assistant.ui.gaps import DECISIONS, Facts, at_hand, open_law, remarks_html, samples
from assistant.ui.parts import CLICKS, SCROLLS, Json, badge, banner, citation_cards, clicked, empty, esc, failure, go, table
from assistant.ui.shell import QUIET, Shell
from assistant.ui.work import user_of
from assistant.worker import card_files

NOT_MADE = empty(
    "No draft yet", "Choose a pack and a card. Every sentence of a draft is quoted from the card or the law; what neither says becomes a question."
)
NO_SENTENCE = empty("No sentence open", "Press “Decide” at a sentence: its sources open here, and what you decide is recorded under your name.")
STATES = {"stated": ("✓ stated", "good"), "partly-stated": ("◐ partly stated", "warn"), "asked": ("? asked", "ask")}
MEANINGS = [("as author", "author"), ("as reviewer", "reviewer"), ("as approver", "approver")]
TONES = {"accept": "good", "edit": "ask", "reject": "bad"}


# ---- what a draft looks like -------------------------------------------------------------------------------------


def pack_choices() -> list[tuple[str, str]]:
    """The packs by title."""
    return [(packs.pack(id).title, id) for id in packs.pack_ids()]


def head(made: Json) -> str:
    """What the draft is, how much of it is stated and decided, and that it is machine-made; with its downloads and signatures."""
    c, (decided, of) = made["counts"], progress_of(made)
    what = f"{made['pack']['title']} for {made['card']['name']}, as of {made['as_of']}"
    said = (
        f"{what}. {c['stated']} elements stated, {c['partly-stated']} partly, {c['asked']} only asked; {decided} of {of} sentences decided. Run {made['run']}."
    )
    notice = banner("This draft is machine-made. It is no submission until a named person has read, completed and signed it.", "warn")
    note = banner(made["pack"]["note"], "info") if made["pack"]["note"] else ""
    links = "".join(f'<a href="/export/{esc(made["run"])}.{f}" download>{f.upper()}</a>' for f in (*DRAFT_FORMATS, "bundle"))
    downloads = f'<div class="pc-downloads" role="group" aria-label="Download the draft"><span>Download:</span>{links}</div>'
    return f"<p><strong>{esc(said)}</strong></p>{notice}{note}{signatures_html(made)}{downloads}"


def progress_of(made: Json) -> tuple[int, int]:
    """How many sentences are decided, of how many."""
    all_ = [x for s in made["sections"] for e in s["elements"] for x in e["sentences"]]
    return sum(bool(x.get("review")) for x in all_), len(all_)


def signatures_html(made: Json) -> str:
    """Who signed in which meaning, and whether each signature still stands."""
    rows = []
    for s in made.get("signatures", ()):
        state = badge("✕ void: " + "; ".join(s["void"]), "bad") if s["void"] else badge("✓ stands", "good")
        seen = "; acknowledged that the rest are summaries" if s["acknowledged"] else ""
        rows.append([esc(s["by"]), esc(s["meaning"]), esc(s["time"][:16].replace("T", " ")), esc(f"{s['official']} on official text{seen}"), state])
    return table(["Signed by", "As", "Time (UTC)", "Citations", "State"], rows, "Signatures", plain=False) if rows else ""


def outline(made: Json) -> str:
    """Every element with its state, how many questions it leaves, and how much of it is decided."""
    rows = []
    for s in made["sections"]:
        for e in s["elements"]:
            decided = sum(bool(x.get("review")) for x in e["sentences"])
            open_ = str(sum(x["kind"] == "input" for x in e["sentences"]))
            there = f'<button type="button" class="pc-jump" data-pin="section-{esc(s["id"])}">{esc(s["title"])}</button>'
            rows.append([there, esc(e["title"]), badge(*STATES[e["state"]]), open_, f"{decided} of {len(e['sentences'])}", esc(e["owner"])])
    return table(["Section", "Element", "State", "Questions", "Decided", "Owner"], rows, "Outline", plain=False)


def open_questions(made: Json) -> list[tuple[str, str]]:
    """Every [INPUT NEEDED] that nobody has answered, as a choice that leads to its sentence."""
    found = []
    for s in made["sections"]:
        for e in s["elements"]:
            found += [
                (f"{e['title']}: {x['text']}"[:160], f"{s['id']}#{e['id']}/{n}")
                for n, x in enumerate(e["sentences"])
                if x["kind"] == "input" and (x.get("review") or {}).get("decision") != "edit"
            ]
    return found


def section_html(made: Json, id: str) -> str:
    """One section: each element with its sentences, where each comes from, what was decided, and the way to decide."""
    section = next((s for s in made["sections"] if s["id"] == id), None)
    if section is None:
        return empty("No section open", "Choose a section of the outline.")
    elements = "".join(f"<h3>{esc(e['title'])} {badge(e['citation'])}{badge(*STATES[e['state']])}</h3>{_sentences(e)}" for e in section["elements"])
    whole = f'<button type="button" class="pc-jump" data-pin="decide-{esc(id)}">Decide on the whole section</button>'
    about = f"<p>{esc(section['about'])}</p>{whole}"
    return f'<article class="pc-finding" tabindex="0" role="region" aria-label="Section of the draft"><h2>{esc(section["title"])} {badge(section["citation"])}</h2>{about}{elements}</article>'


def _sentences(e: Json) -> str:
    return "".join(_sentence(x, f"{e['id']}/{n}") for n, x in enumerate(e["sentences"]))


def _sentence(x: Json, target: str) -> str:
    decide = f'<button type="button" class="pc-jump" data-pin="decide-{esc(target)}" aria-label="Decide on sentence {esc(target)}">Decide</button>'
    return f'<div class="pc-sentence" id="pc-s-{esc(target.replace("/", "-"))}">{_words(x)}{_decided(x.get("review"))}{decide}</div>'


def _words(x: Json) -> str:
    review = x.get("review") or {}
    gone = review.get("decision") in ("edit", "reject")
    text = f"<del>{esc(x['text'])}</del>" if gone else esc(x["text"])
    new = f"<ins>{esc(review['edited'])}</ins>" if review.get("edited") else ""
    if x["kind"] == "input":
        owner = f" Owner: {x['owner']}." if x["owner"] else ""
        return f'<div class="pc-banner pc-ask"><strong>{text}</strong>{esc(owner)} {new}</div>'
    if x["kind"] == "law":
        return f'<p>{text} {new} <button type="button" class="pc-jump" data-pin="law-{x["note"]}">[{x["note"]}]</button></p>'
    caution = banner(x["caution"], "warn") if x["caution"] else ""
    label = f"<b>{esc(x['label'])}:</b> " if x["label"] else ""
    place = f"{x['file']}, line {x['line']}, {x['section'] or 'before the first heading'}"
    return f'<blockquote>{label}{text} {new}</blockquote><div class="pc-where">{esc(place)}</div>{caution}'


def _decided(review: Json | None) -> str:
    if not review:
        return badge("not decided", "mute")
    said = f"{DECISIONS[review['decision']]} by {review['by']}, {review['time'][:16].replace('T', ' ')} UTC. {review['reason']}"
    problems = "".join(banner(f"Not in the sources: {p}", "bad") for p in review.get("problems", ()))
    return badge(said, TONES[review["decision"]]) + problems


def sentence_html(made: Json, target: str) -> str:
    """What a decision will be about: the machine's words, the evidence used, and what was said on it."""
    found = sentence_of(made, target)
    said = remarks_html([r for r in made.get("remarks", ()) if r["target"] == target])
    if found is None:
        section = next((s for s in made["sections"] if s["id"] == target), None)
        return f"<h3>The whole section: {esc(section['title'])}</h3><p>Accept or reject it as one.</p>{said}" if section else NO_SENTENCE
    used = [n for n in made["notes"] if n["n"] == found.get("note")]
    law = citation_cards(used, "law", int(used[0]["n"])) if used else ""
    return f"<h3>Sentence {esc(target)}</h3>{_words(found)}{_decided(found.get('review'))}{law}{said}"


def sentence_of(made: Json, target: str) -> Json | None:
    """A sentence of the draft by its address."""
    element, _, n = target.rpartition("/")
    sentences: Sequence[Json] = next((e["sentences"] for s in made["sections"] for e in s["elements"] if e["id"] == element), [])
    return sentences[int(n)] if n.isdigit() and int(n) < len(sentences) else None


def acknowledgement(made: Json) -> str:
    """What an approver acknowledges: how many citations rest on official text."""
    return f"I know that {made['official']} citations rest on official text; the others rest on Pincite's summaries"


def notes(made: Json) -> str:
    """The law behind the draft: every citation once, by its number."""
    if not made["notes"]:
        return empty("No law quoted", "The library holds no words for the provisions of this pack.")
    cards = f'<div class="pc-evidence" tabindex="0" role="region" aria-label="Law used">{citation_cards(made["notes"], "law")}</div>'
    return f'<details class="pc-links"><summary>Law used ({len(made["notes"])})</summary>{cards}</details>'


# ---- what the page does ------------------------------------------------------------------------------------------


def make(
    shell: Shell,
    request: Any,
    pack: str | None,
    level: str | None,
    files: Sequence[str] | None,
    sample: str | None,
    given: Facts,
    as_of: str,
    project: str = "",
) -> Iterator[tuple[str, Json | None]]:
    """What to show while the draft is made, and at the end the draft. The work is a job: it goes on when the tab is closed."""
    from assistant.workbench import check_day

    try:
        need(shell.role(request), "assess")
        day = check_day(as_of)
    except PinciteError as error:
        yield failure(error), None
        return
    try:
        with at_hand(files, sample, None, given) as (card, facts), shell.bench.acting(user_of(request)):
            kept, how = card_files(card, facts)
            id = shell.jobs.submit("draft", {"as_of": day, "pack": pack or "", "level": level or "", "project": project, **how}, kept)
    except PinciteError as error:
        yield failure(error), None
        return
    yield from shell.run_of(id, head)


def earlier(shell: Shell, request: Any) -> list[tuple[str, str]]:
    """The kept drafts that the user may open, newest first, for a list."""
    try:
        with shell.acting(request):
            rows = shell.bench.runs("draft", 200)
    except PinciteError:
        return []
    return [(f"{r['pack']}: {r['about']} ({r['time'][:16].replace('T', ' ')}, {r['owner']})", r["id"]) for r in rows]


def reopened(shell: Shell, request: Any, id: str | None) -> tuple[str, Json | None]:
    """A kept draft with what was decided, said and signed on it; one that is another's is not there."""
    if not id or id not in {run for _, run in earlier(shell, request)}:
        return NOT_MADE, None
    try:
        with shell.acting(request):
            found = shell.bench.run(id)
            stale = shell.bench.stale(id)
    except PinciteError as error:
        return failure(error), None
    made = {**found, "run": id}
    return "".join(banner(f"Out of date: {s}. Make the draft again before it is signed.", "warn") for s in stale) + head(made), made


def again(shell: Shell, request: Any, made: Json) -> Json:
    """The draft as it is now, with what was decided, said and signed meanwhile."""
    return reopened(shell, request, made["run"])[1] or made


def decide(shell: Shell, request: Any, made: Json | None, target: str, decision: str | None, reason: str, words: str) -> tuple[str, Json | None]:
    """Records a named person's decision on a sentence or section; what to say, and the draft with it."""
    if made is None or not target:
        return banner("Open a sentence first.", "warn"), made
    try:
        with shell.acting(request, "decide"):
            done = shell.bench.review(made["run"], target, decision or "", reason, words if decision == "edit" else "")
    except PinciteError as error:
        return failure(error), made
    problems = "".join(banner(f"Not in the sources: {p}. An approver cannot sign over this.", "bad") for p in done["problems"])
    return banner(f"{target}: {DECISIONS[decision or '']} and on the record.", "good") + problems, again(shell, request, made)


def remark(shell: Shell, request: Any, made: Json | None, target: str, text: str, owner: str, due: str) -> tuple[str, Json | None]:
    """Records a remark on a sentence or section, or with an owner a task; what to say, and the draft with it."""
    if made is None or not target:
        return banner("Open a sentence first.", "warn"), made
    try:
        with shell.acting(request, "decide"):
            shell.bench.comment(made["run"], target, text, owner, due.strip())
    except PinciteError as error:
        return failure(error), made
    return banner(f"{target}: {'assigned to ' + owner if owner.strip() else 'remark kept'}, and on the record.", "good"), again(shell, request, made)


def sign(shell: Shell, request: Any, made: Json | None, meaning: str | None, acknowledged: bool) -> tuple[str, Json | None]:
    """Records the user's signature; what to say, and the draft with it."""
    if made is None:
        return banner("Open a draft first.", "warn"), made
    try:
        with shell.acting(request, "decide"):
            done = shell.bench.signoff(made["run"], meaning or "", acknowledged)
    except PinciteError as error:
        return failure(error), made
    return banner(f"Signed by {done['by']} as {done['meaning']}; record {done['audit']}.", "good"), again(shell, request, made)


def differences(before: Json, after: Json, id: str) -> str:
    """How a draft that was made again differs from the one before: in the section that was asked for, and elsewhere."""

    def texts(made: Json) -> dict[str, list[str]]:
        return {s["id"]: [x["text"] for e in s["elements"] for x in e["sentences"]] for s in made["sections"]}

    old, new = texts(before), texts(after)
    here = sum(t not in old.get(id, []) for t in new.get(id, []))
    others = [s["title"] for s in after["sections"] if s["id"] != id and old.get(s["id"]) != new[s["id"]]]
    elsewhere = f" Other sections changed too: {', '.join(others)}." if others else " No other section changed."
    return banner(f"Made again: {here} sentences of this section are new.{elsewhere} Decisions and signatures stay with run {before['run']}.", "info")


# ---- the page ----------------------------------------------------------------------------------------------------


def build(shell: Shell) -> Mapping[str, Any]:
    """The page's components that the loading of the app needs, by name."""
    made, target = gr.State(None), gr.State("")
    with gr.Row(equal_height=False):
        files = gr.File(label="Model card: one file, or the card and what lies beside it", file_count="multiple", height=140, scale=3, min_width=300)
        with gr.Column(scale=2, min_width=260):
            sample = gr.Dropdown(label="or a sample card", choices=samples(), value=None, interactive=True)
            pack = gr.Dropdown(label="Pack", choices=pack_choices(), value=None, interactive=True, elem_id="pc-pack")
            level = gr.Dropdown(label="Documentation level", choices=[], value=None, interactive=True, visible=False)
        with gr.Column(scale=2, min_width=240):
            run = gr.Button("Make the draft", variant="primary", elem_id="pc-draft")
            stop = gr.Button("Stop", size="sm")
            past = gr.Dropdown(label="Earlier drafts: open one", choices=[], value=None, interactive=True, elem_id="pc-earlier-drafts")
    top = gr.HTML(NOT_MADE)
    with gr.Column(visible=False) as results:
        with gr.Accordion("Outline", open=False):
            listed = gr.HTML(js_on_load=CLICKS, elem_id="pc-outline")
        with gr.Row():
            section = gr.Dropdown(label="Section", choices=[], value=None, interactive=True, min_width=260)
            question = gr.Dropdown(label="Jump to an open question", choices=[], value=None, interactive=True, min_width=260, elem_id="pc-question-jump")
            anew = gr.Button("Make this section again from the card as it is now", min_width=220)
        with gr.Row(equal_height=False):
            with gr.Column(scale=3, min_width=380):
                shown = gr.HTML(js_on_load=CLICKS, elem_id="pc-draft-section")
            with gr.Column(scale=2, min_width=340):
                one = gr.HTML(NO_SENTENCE, js_on_load=CLICKS, elem_id="pc-sentence")
                with gr.Column(visible=False) as deciding:
                    decision = gr.Radio(
                        label="Your decision", choices=[("Accept", "accept"), ("Edit", "edit"), ("Reject", "reject")], value=None, elem_id="pc-draft-decision"
                    )
                    words = gr.Textbox(label="Text (to edit: what it should say)", lines=3, max_length=4000, elem_id="pc-draft-words")
                    reason = gr.Textbox(label="Reason (needed to edit or reject)", lines=2, max_length=2000)
                    record = gr.Button("Record the decision on the sentence")
                    with gr.Accordion("Remark or task", open=False):
                        text = gr.Textbox(label="Remark, or what is to be done", lines=2, max_length=2000)
                        with gr.Row():
                            owner = gr.Textbox(label="Owner (makes it a task)", max_length=100, min_width=120)
                            due = gr.Textbox(label="Due (YYYY-MM-DD)", max_length=10, min_width=120)
                        put = gr.Button("Keep the remark or task")
                said = gr.HTML()
                used = gr.HTML(js_on_load=CLICKS)
                viewer = gr.HTML(js_on_load=SCROLLS)
        with gr.Accordion("Sign", open=False):
            with gr.Row():
                meaning = gr.Radio(label="I sign", choices=MEANINGS, value=None, min_width=300)
                seen = gr.Checkbox(label="I know how many citations rest on official text", value=False, min_width=300)
                signs = gr.Button("Sign the draft", min_width=140)
            signed = gr.HTML()

    def levels(id: str | None) -> Any:
        found = list(packs.pack(id).levels) if id in packs.pack_ids() else []
        return gr.Dropdown(choices=found, value=found[0] if found else None, visible=bool(found))

    def results_of(shown_top: str, found: Json, id: str = "") -> dict[Any, Any]:
        sections = [(s["title"], s["id"]) for s in found["sections"]]
        first = id if id in {s for _, s in sections} else sections[0][1] if sections else ""
        return {
            top: shown_top, made: found, results: gr.Column(visible=True), listed: outline(found), section: gr.Dropdown(choices=sections, value=first),
            question: gr.Dropdown(choices=open_questions(found), value=None), shown: section_html(found, first), used: notes(found), viewer: "", one: NO_SENTENCE,
            target: "", deciding: gr.Column(visible=False), said: "", signed: "", seen: gr.Checkbox(label=acknowledgement(found), value=False),
        }  # fmt: skip

    def makes(pack: Any, level: Any, files: Any, sample: Any, given: Facts, as_of: str, project: Any, request: gr.Request) -> Iterator[Any]:
        for shown_top, found in make(shell, request, pack, level, files, sample, given, as_of, project or ""):
            yield {top: shown_top, made: None, results: gr.Column(visible=False)} if found is None else results_of(shown_top, found)

    def makes_again(before: Json | None, id: str | None, files: Any, sample: Any, given: Facts, as_of: str, request: gr.Request) -> Iterator[Any]:
        if before is None:
            return
        for shown_top, found in make(shell, request, before["pack"]["id"], before["level"], files, sample, given, as_of):
            yield {top: shown_top} if found is None else results_of(differences(before, found, id or "") + shown_top, found, id or "")

    def reopens(id: str | None, request: gr.Request) -> dict[Any, Any]:
        shown_top, found = reopened(shell, request, id)
        return {top: shown_top, made: None, results: gr.Column(visible=False)} if found is None else results_of(shown_top, found)

    def lists(request: gr.Request) -> Any:
        return gr.Dropdown(choices=earlier(shell, request))

    def turn(found: Json | None, id: str | None) -> str:
        return section_html(found, id or "") if found else NOT_MADE

    def opens(found: Json, place: str) -> dict[Any, Any]:
        words_of = sentence_of(found, place)
        text_now = ((words_of.get("review") or {}).get("edited") or words_of["text"]) if words_of else ""
        return {
            one: sentence_html(found, place), target: place, deciding: gr.Column(visible=True), said: "", decision: None, reason: "",
            words: gr.Textbox(value=text_now, visible=words_of is not None),
        }  # fmt: skip

    def jump(found: Json | None, place: str | None) -> dict[Any, Any]:
        id, _, where = (place or "").partition("#")
        return {shown: turn(found, id), section: id, **(opens(found, where) if found and where else {})}

    def click(found: Json | None, as_of: str, event: gr.EventData) -> dict[Any, Any]:
        data = clicked(event)
        kind, _, rest = str(data.get("pin", "")).partition("-")
        if found and kind == "decide":
            return opens(found, rest)
        if found and kind == "section":
            return {shown: turn(found, rest), section: rest}
        if found and kind == "law":
            return {viewer: open_law(shell, {"law": found["notes"]}, data, found["as_of"])}
        return {viewer: go(shell.bench, data, as_of)}

    def after(told: str, found: Json | None, id: str | None, place: str) -> dict[Any, Any]:
        if found is None:
            return {said: told}
        return {
            said: told, made: found, top: head(found), listed: outline(found), shown: section_html(found, id or ""),
            question: gr.Dropdown(choices=open_questions(found), value=None), one: sentence_html(found, place),
        }  # fmt: skip

    def decides(found: Any, place: str, id: Any, decision: Any, reason: str, words: str, request: gr.Request) -> dict[Any, Any]:
        return after(*decide(shell, request, found, place, decision, reason, words), id, place)

    def remarks(found: Any, place: str, id: Any, text: str, owner: str, due: str, request: gr.Request) -> dict[Any, Any]:
        return after(*remark(shell, request, found, place, text, owner, due), id, place)

    def signing(found: Any, meaning: Any, seen: bool, request: gr.Request) -> dict[Any, Any]:
        told, now = sign(shell, request, found, meaning, seen)
        return {signed: told, **({made: now, top: head(now)} if now else {})}

    def ends(request: gr.Request) -> None:
        shell.jobs.cancel(user_of(request), "draft")

    pack.change(levels, [pack], level, **QUIET)
    outputs = [top, made, results, listed, section, question, shown, used, viewer, one, target, deciding, said, signed, seen]
    ran = run.click(makes, [pack, level, files, sample, shell.facts, shell.as_of, shell.project], outputs, concurrency_limit=4, **QUIET)
    rerun = anew.click(makes_again, [made, section, files, sample, shell.facts, shell.as_of], outputs, concurrency_limit=4, **QUIET)
    for done in (ran, rerun):
        done.then(shell.foot, None, shell.footer, **QUIET).then(lists, None, past, **QUIET)
    stop.click(ends, None, None, cancels=[ran, rerun], **QUIET)
    past.input(reopens, [past], outputs, **QUIET)
    section.input(turn, [made, section], shown, **QUIET)
    panel = [shown, section, one, target, deciding, said, decision, reason, words]
    question.input(jump, [made, question], panel, **QUIET)
    for part in (shown, listed, used, one, viewer):
        part.select(click, [made, shell.as_of], [*panel, viewer], **QUIET)
    changed = [said, made, top, listed, shown, question, one]
    record.click(decides, [made, target, section, decision, reason, words], changed, **QUIET).then(shell.foot, None, shell.footer, **QUIET)
    put.click(remarks, [made, target, section, text, owner, due], changed, **QUIET).then(shell.foot, None, shell.footer, **QUIET)
    signs.click(signing, [made, meaning, seen], [signed, made, top], **QUIET).then(shell.foot, None, shell.footer, **QUIET)
    return {"lists": lists, "past": past}
