"""Ask: a conversation whose every sentence carries a citation chip, and beside it the evidence and the provision itself."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import gradio as gr

from assistant.errors import PinciteError
from assistant.retrieve import Filter
from assistant.ui.parts import (
    CLICKS,
    SCROLLS,
    Json,
    banner,
    chip_words,
    citation_cards,
    clicked,
    empty,
    esc,
    failure,
    go,
    jump,
    law_status,
    long_date,
    md,
    number_of,
    numbered,
    provision_html,
    view_citation,
)  # fmt: skip
from assistant.ui.shell import PRIVATE, QUIET, Shell

EXAMPLES = (
    "What must a data protection impact assessment contain?",
    "Do we need a DPIA for a chest X-ray triage model?",
    "Which data governance practices does the AI Act ask for in training data of high-risk systems?",
)
NOTHING_OPEN = empty("No provision open", "Choose a citation: its provision opens here, with the quotation marked.")
NO_EVIDENCE = empty("No evidence yet", "The provisions that bear an answer are listed here.")
Turns = list[dict[str, Any]]  # each the form of `ask` in the contract, with its `question`


# The chat shows a new answer from its question on, not from its end.
SHOW_ANSWER = """() => {
  const asked = [...document.querySelectorAll('.pc-chat .user-row')].pop(), box = asked && asked.closest('.bubble-wrap');
  if (box) box.scrollTop += asked.getBoundingClientRect().top - box.getBoundingClientRect().top - 8;
}"""


# ---- what an answer looks like -----------------------------------------------------------------------------------


def reply(turn: Json, number: int) -> str:
    """An answer as Markdown: its claims, each with chips that say pinpoint, layer and standing; or the refusal."""
    answer = turn["answer"]
    if answer["abstained"]:
        return _refusal(turn)
    citations = numbered(answer["claims"])
    lines = [f"_As of {md(long_date(turn['as_of']))}; {md(answer['official'])} citations rest on official text._", ""]
    for claim in answer["claims"]:
        chips = " ".join(_chip(c, number_of(c, citations), number) for c in claim["citations"])
        by = " _(phrased by the model)_" if claim["phrased_by"] == "model" else ""
        lines.append(f"- {md(claim['text'])}{by} {chips}")
    if answer["notes"]:
        lines += ["", "**What to know about this answer**", *(f"- {md(note)}" for note in answer["notes"])]
    return "\n".join([*lines, "", f"_Record {md(turn['audit'])}; {turn['seconds']['total']:.1f} s._"])


def _chip(c: Json, n: int, turn: int) -> str:
    return f"[\\[{n}\\] {md(c['citation'])}, {md(chip_words(c))}](#pin-{turn}-{n})"


def _refusal(turn: Json) -> str:
    answer = turn["answer"]
    near = [f"- {md(note)}" for note in answer["notes"]]
    add = "- Add the text that would answer it (Sources), or ask with the words or the address of a provision, such as Art. 35 GDPR."
    return "\n".join([f"**{md(answer['reason'])}**", "", *near, add, "", f"_Record {md(turn['audit'])}._"])


def messages(turns: Sequence[Json]) -> list[dict[str, str]]:
    """The whole conversation as the chat shows it."""
    shown = []
    for number, turn in enumerate(turns, 1):
        shown += [{"role": "user", "content": md(turn["question"])}, {"role": "assistant", "content": reply(turn, number)}]
    return shown


def evidence(turns: Sequence[Json]) -> str:
    """The citations of all answers, the last one open; for a refusal the nearest provisions."""
    if not turns:
        return NO_EVIDENCE
    groups = []
    for number in range(len(turns), 0, -1):
        turn = turns[number - 1]
        cited = numbered(turn["answer"]["claims"])
        inside = citation_cards(cited, str(number)) if cited else _nearest(turn)
        title = f"Answer {number}: {len(cited)} passages" if cited else f"Answer {number}: nearest provisions"
        groups.append(f'<details class="pc-turn"{" open" if number == len(turns) else ""}><summary>{esc(title)}</summary>{inside}{_found(turn)}</details>')
    return f'<div class="pc-evidence" tabindex="0" role="region" aria-label="Evidence">{"".join(groups)}</div>'


def _nearest(turn: Json) -> str:
    jumps = "".join(jump(h["pinpoint"], h["citation"], h) for h in turn["hits"][:3])
    return jumps or empty("Nothing near", "No provision of the library shares words or meaning with the question.")


def _found(turn: Json) -> str:
    """What search found and why: ranks, never percentages."""
    rows = "".join(f"<li>{jump(h['pinpoint'], h['citation'], h)} {esc(_ranks(h['via']))}</li>" for h in turn["hits"])
    return f'<details class="pc-links"><summary>All that search found ({len(turn["hits"])})</summary><ol>{rows}</ol></details>' if rows else ""


def _ranks(via: Sequence[str]) -> str:
    names = {"lexical": "by text", "dense": "by meaning", "reference": "named in the question"}
    said = [f"{names.get(kind, kind)} rank {rank}" if rank else names.get(kind, kind) for kind, _, rank in (v.partition(":") for v in via)]
    return ", ".join(dict.fromkeys(said))


def transcript(title: str, turns: Sequence[Json]) -> str:
    """A conversation as a Markdown file, with every quotation in full."""
    lines = [f"# {title}", "", "Machine-made by Pincite; check it before use.", ""]
    for turn in turns:
        lines += [f"## {turn['question']}", "", f"As of {turn['as_of']}. Corpus {turn['corpus_digest']}. Record {turn['audit']}.", ""]
        answer = turn["answer"]
        cited = numbered(answer["claims"])
        lines += [f"**{answer['reason']}**"] if answer["abstained"] else []
        lines += [f"- {claim['text']} {' '.join(f'[{number_of(c, cited)}]' for c in claim['citations'])}" for claim in answer["claims"]]
        lines += [
            "",
            *(
                f"[{n}] {c['citation']} ({c['pinpoint']}, {c['layer']}, version {c['version']}, {law_status(c)[0]}): “{c['quote']}”"
                for n, c in enumerate(cited, 1)
            ),
        ]
        lines += ["", *(f"Note: {note}" for note in answer["notes"]), ""]
    return "\n".join(lines)


# ---- what the page does ------------------------------------------------------------------------------------------


def answer_steps(
    shell: Shell, request: Any, question: str, as_of: str, frameworks: Sequence[str], layer: str, turns: Turns
) -> Iterator[tuple[list[dict[str, str]], Turns]]:
    """The chat after each step: the question with a sign of work, then the answer or a clear error. Turns grow only by answers."""
    from assistant.workbench import check_day

    asked = [*messages(turns), {"role": "user", "content": md(question)}]
    if not question.strip():
        yield messages(turns), turns
        return
    yield (
        [
            *asked,
            {"role": "assistant", "content": "_Step 1 of 2: searching the library by text and by meaning. Step 2: checking each quotation in its source._"},
        ],
        turns,
    )
    history = [{"q": t["question"], "a": " ".join(c["text"] for c in t["answer"]["claims"])} for t in turns[-4:]]
    try:
        with shell.acting(request):
            found = shell.bench.ask(question, Filter(check_day(as_of), tuple(frameworks), (), layer), "auto", history)
    except PinciteError as error:
        yield [*asked, {"role": "assistant", "content": f"**{md(str(error))}**\n\n{md(error.hint)}"}], turns
        return
    done = [*turns, {**found, "question": question}]
    yield messages(done), done


def open_pin(shell: Shell, data: Json, turns: Sequence[Json], as_of: str) -> str:
    """The viewer after a click in the list of evidence: on a citation (`pin`: answer-number), or on a provision (`go`)."""
    if "pin" not in data:
        return go(shell.bench, data, as_of)
    turn, _, n = str(data["pin"]).partition("-")
    if not (turn.isdigit() and n.isdigit() and 0 < int(turn) <= len(turns)):
        return NOTHING_OPEN
    asked = turns[int(turn) - 1]
    cited = numbered(asked["answer"]["claims"])
    if not 0 < int(n) <= len(cited):
        return NOTHING_OPEN
    try:
        return provision_html(view_citation(shell.bench, cited[int(n) - 1], asked["as_of"]))
    except PinciteError as error:
        return failure(error)


def readiness(standing: Json) -> tuple[str, Any]:
    """The banner over the chat, and the chat box: closed, with the reason, until there is an index."""
    if not standing["ready"]:
        closed = gr.Textbox(interactive=False, placeholder=f"Closed: {standing['reason']}. Build the index on the Start page.")
        return banner(f"You cannot ask yet: {standing['reason']}. The Start page builds the index, or run", "bad", "pincite ingest"), closed
    opened = gr.Textbox(interactive=True, placeholder="For example: " + EXAMPLES[0])
    if standing["digest_only"]:
        names = " ".join(standing["digest_only"])
        return banner(
            "Answers on these laws rest on Pincite's summaries until their official texts are added:", "info", f"pincite corpus fetch {names}"
        ), opened
    return "", opened


def load_turns(shell: Shell, request: Any, id: str) -> Turns:
    """The answers of a kept conversation of this user; an erased answer is left out."""
    with shell.acting(request):
        chat = next((c for c in shell.bench.chats() if c["id"] == id), None)
        turns = []
        for ask in chat["asks"] if chat else []:
            try:
                turns.append(shell.bench.run(ask))
            except PinciteError:
                continue
    return turns


def choices(shell: Shell, request: Any) -> list[tuple[str, str]]:
    """The user's conversations, newest first, for a list."""
    with shell.acting(request):
        return [(f"{c['title'][:70]} ({c['time'][:16].replace('T', ' ')})", c["id"]) for c in shell.bench.chats()]


def keep(shell: Shell, request: Any, id: str, turns: Sequence[Json]) -> str:
    """Keep the conversation; its id."""
    if not turns:
        return id
    with shell.acting(request):
        return shell.bench.keep_chat(id, str(turns[0]["question"])[:120], [t["audit"] for t in turns])


def export_link(id: str) -> str:
    """The link that downloads a kept conversation."""
    return f'<div class="pc-downloads"><a href="/export/{esc(id)}.md" download>Download this conversation (Markdown)</a></div>' if id else ""


# ---- the page ----------------------------------------------------------------------------------------------------


def build(shell: Shell) -> Mapping[str, Any]:
    """The page's components; those that other pages and the loading of the app need, by name."""
    turns, chat_id = gr.State([]), gr.State("")
    state = gr.HTML()
    with gr.Row(equal_height=False):
        with gr.Column(scale=6, min_width=420):
            chat = gr.Chatbot(
                label="Conversation", height=520, sanitize_html=True, allow_tags=False, latex_delimiters=[], feedback_options=None, buttons=["copy"],
                elem_classes=["pc-chat"], autoscroll=False,
                placeholder="Ask what a law requires. Every sentence of an answer is quoted from a provision that you can open.",
            )  # fmt: skip
            question = gr.Textbox(label="Your question", lines=2, max_lines=6, max_length=2000, submit_btn="Ask", interactive=False, elem_id="pc-question")
            with gr.Row():
                stop = gr.Button("Stop", size="sm", min_width=90)
                retry = gr.Button("Ask again", size="sm", min_width=90)
                fresh = gr.Button("New conversation", size="sm", min_width=90)
            with gr.Accordion("Earlier conversations and limits", open=False):
                earlier = gr.Dropdown(label="Earlier conversations (type to search)", choices=[], value=None, interactive=True)
                layer = gr.Radio(
                    label="Search in",
                    choices=[("official texts and summaries", "any"), ("official texts only", "official"), ("summaries only", "digest")],
                    value="any",
                )
                export = gr.HTML()
        with gr.Column(scale=5, min_width=400):
            found = gr.HTML(NO_EVIDENCE, js_on_load=CLICKS, elem_id="pc-evidence")
            viewer = gr.HTML(NOTHING_OPEN, js_on_load=SCROLLS, elem_id="pc-viewer")

    def ask(text: str, as_of: str, frameworks: list[str], where: str, now: Turns, request: gr.Request) -> Iterator[Any]:
        for shown, after in answer_steps(shell, request, text, as_of, frameworks, where, now):
            yield shown, after, "", evidence(after)

    def again(as_of: str, frameworks: list[str], where: str, now: Turns, request: gr.Request) -> Iterator[Any]:
        if now:
            yield from ask(now[-1]["question"], as_of, frameworks, where, now[:-1], request)
        else:
            yield [], [], "", NO_EVIDENCE

    def kept(now: Turns, id: str, request: gr.Request) -> Any:
        new = keep(shell, request, id, now)
        return new, gr.Dropdown(choices=choices(shell, request), value=None), export_link(new), _first_view(shell, now)

    def resume(id: str | None, request: gr.Request) -> Any:
        now = load_turns(shell, request, id or "")
        return messages(now), now, id or "", evidence(now), _first_view(shell, now), export_link(id or "")

    def click(now: Turns, as_of: str, event: gr.EventData) -> str:
        return open_pin(shell, clicked(event), now, as_of)

    def move(as_of: str, event: gr.EventData) -> str:
        return go(shell.bench, clicked(event), as_of)

    shown = [chat, turns, question, found]
    after = {"fn": kept, "inputs": [turns, chat_id], "outputs": [chat_id, earlier, export, viewer], **QUIET}
    asked = question.submit(ask, [question, shell.as_of, shell.frameworks, layer, turns], shown, concurrency_limit=8, **PRIVATE)
    asked.then(**after).then(None, js=SHOW_ANSWER, **QUIET).then(shell.foot, None, shell.footer, **QUIET)
    anew = retry.click(again, [shell.as_of, shell.frameworks, layer, turns], shown, concurrency_limit=8, **PRIVATE)
    anew.then(**after).then(None, js=SHOW_ANSWER, **QUIET)
    stop.click(None, cancels=[asked, anew], **QUIET)
    fresh.click(lambda: ([], [], "", NO_EVIDENCE, NOTHING_OPEN, ""), None, [chat, turns, chat_id, found, viewer, export], **QUIET)
    earlier.input(resume, [earlier], [chat, turns, chat_id, found, viewer, export], **QUIET)
    found.select(click, [turns, shell.as_of], viewer, **QUIET)
    viewer.select(move, [shell.as_of], viewer, **QUIET)
    return {
        "state": state,
        "question": question,
        "earlier": earlier,
        "submit": ask,
        "shown": shown,
        "layer": layer,
        "turns": turns,
        "after": after,
        "viewer": viewer,
    }


def _first_view(shell: Shell, turns: Sequence[Json]) -> str:
    """The provision of the last answer's first citation, or none."""
    cited = numbered(turns[-1]["answer"]["claims"]) if turns else []
    return open_pin(shell, {"pin": f"{len(turns)}-1"}, turns, turns[-1]["as_of"]) if cited else NOTHING_OPEN
