"""Ask: a conversation whose every sentence carries a citation chip, and beside it the evidence and the provision itself."""

import queue
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

import gradio as gr

from assistant.errors import Internal, PinciteError
from assistant.retrieve import Filter
from assistant.ui.parts import (
    CLICKS,
    PAGES,
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
    law_badges,
    law_status,
    long_date,
    md,
    number_of,
    numbered,
    page_html,
    provision_html,
    short,
    table,
    view_citation,
)  # fmt: skip
from assistant.ui.shell import QUIET, Shell

EXAMPLES = (
    "What must a data protection impact assessment contain?",
    "Do we need a DPIA for a chest X-ray triage model?",
    "Which data governance practices does the AI Act ask for in training data of high-risk systems?",
)
NOTHING_OPEN = empty("No provision open", "Choose a citation: its provision opens here, with the quotation marked.")
NO_EVIDENCE = empty("No evidence yet", "The provisions that bear an answer are listed here.")
STOPPED = "_Stopped. Nothing of this answer was kept; the record says that it was stopped._"
BEAT = 0.15  # seconds between two signs of work
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


def pinned_text(project: Json) -> str:
    """A project's pinned evidence as a Markdown file, with every quotation in full."""
    lines = [f"# {project['name']}: pinned evidence", "", "Chosen by a person from machine-made answers; each quotation was cut from its source.", ""]
    for p in project["pins"]:
        c = p["citation"]
        lines += [
            f"## {c['citation']}",
            "",
            f"{c['pinpoint']}, {c['layer']}, version {c['version']}, {law_status(c)[0]}; SHA-256 of the source {c['source_sha256']}",
            "",
        ]
        lines += [*(f"> {line}" for line in c["quote"].splitlines()), "", f"Asked: {p['question']} (record {p['ask']})", ""]
    return "\n".join(lines)


# ---- what the page does ------------------------------------------------------------------------------------------


def answer_steps(
    shell: Shell, request: Any, question: str, as_of: str, frameworks: Sequence[str], layer: str, turns: Turns
) -> Iterator[tuple[list[dict[str, str]], Turns]]:
    """The chat after each step: what is being done, each claim as soon as it stands, then the answer or a clear error. Turns grow only by answers."""
    from assistant.workbench import check_day

    asked = [*messages(turns), {"role": "user", "content": md(question)}]
    if not question.strip():
        yield messages(turns), turns
        return
    history = [{"q": t["question"], "a": " ".join(c["text"] for c in t["answer"]["claims"])} for t in turns[-4:]]
    found: Json | None = None
    try:
        wanted, stop = Filter(check_day(as_of), tuple(frameworks), (), layer), threading.Event()
        with shell.acting(request):
            steps = shell.bench.ask_steps(question, wanted, "auto", history, stop)
        for seen, elapsed in _with_beats(steps, stop):
            if seen and seen[-1]["step"] == "answer":
                found = seen[-1]["found"]
                break
            yield [*asked, {"role": "assistant", "content": _so_far(seen, elapsed)}], turns
    except PinciteError as error:
        yield [*asked, {"role": "assistant", "content": f"**{md(str(error))}**\n\n{md(error.hint)}"}], turns
        return
    done = [*turns, {**found, "question": question}] if found else turns
    yield (messages(done) if found else [*asked, {"role": "assistant", "content": STOPPED}]), done


def _with_beats(steps: Generator[dict[str, Any], None, None], stop: threading.Event) -> Iterator[tuple[list[dict[str, Any]], float]]:
    """All steps so far and the seconds spent, whenever a step comes and at least every `BEAT`: who stops listening is heard within one."""
    heard: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def work() -> None:
        try:
            for step in steps:
                heard.put(step)
        except PinciteError as error:
            heard.put(error)
        except Exception:
            heard.put(Internal("This question met an error of the program", "The server's log says where; please report it"))
            raise
        finally:
            heard.put(None)

    threading.Thread(target=work, name="ask", daemon=True).start()
    seen: list[dict[str, Any]] = []
    started = time.monotonic()
    try:
        yield seen, 0.0
        while True:
            try:
                step = heard.get(timeout=BEAT)
            except queue.Empty:
                yield seen, time.monotonic() - started
                continue
            if step is None:
                return
            if isinstance(step, PinciteError):
                raise step
            seen.append(step)
            yield seen, time.monotonic() - started
    finally:
        stop.set()


def _so_far(seen: Sequence[Json], elapsed: float) -> str:
    """An answer in the making: the step, the time it has taken, and the claims that stand already."""
    claims = {s["place"]: s["claim"] for s in seen if s["step"] == "claim"}
    hits = next((s["hits"] for s in seen if s["step"] == "hits"), None)
    step = (
        "Step 1 of 3: searching the library by text and by meaning."
        if hits is None
        else f"Step 2 of 3: {len(hits)} provisions found; cutting quotations and checking each in its source."
        if not claims
        else f"Step 3 of 3: {len(claims)} claims stand; looking whether more do, or a wording."
    )
    lines = [f"_{step} {elapsed:.1f} s._", ""]
    for _, claim in sorted(claims.items()):
        lines.append(f"- {md(claim['text'])} ({'; '.join(md(c['citation']) for c in claim['citations'])})")
    return "\n".join(lines)


def stopped(chat: Sequence[Any], turns: Turns) -> list[dict[str, str]]:
    """The chat after Stop: the question that was pending, and that nothing of its answer was kept."""
    pending = [{"role": "user", "content": md(text_of(m))} for m in chat[2 * len(turns) :][:1]]
    return [*messages(turns), *pending, *([{"role": "assistant", "content": STOPPED}] if pending else [])]


def text_of(message: Any) -> str:
    """The words of a chat message, which Gradio gives as a text or as a list of blocks."""
    content = message["content"] if isinstance(message, Mapping) else message.content
    return content if isinstance(content, str) else " ".join(str(block.get("text", "")) for block in content)


def pinned_citation(data: Json, turns: Sequence[Json]) -> tuple[Json, Json] | None:
    """The answer and the citation that a click on a chip or a card means (`pin`: answer-number); None when it means neither."""
    turn, _, n = str(data.get("pin", "")).partition("-")
    if not (turn.isdigit() and n.isdigit() and 0 < int(turn) <= len(turns)):
        return None
    cited = numbered(turns[int(turn) - 1]["answer"]["claims"])
    return (turns[int(turn) - 1], cited[int(n) - 1]) if 0 < int(n) <= len(cited) else None


def open_page(shell: Shell, data: Json, turns: Sequence[Json]) -> str:
    """The printed page behind a click on a citation, where its source is a PDF; nothing for any other click."""
    found = pinned_citation(data, turns)
    try:
        return page_html(shell.bench.printed(found[1]), found[1]) if found else ""
    except PinciteError as error:
        return failure(error)


def pin(shell: Shell, request: Any, project: str | None, data: Json, turns: Sequence[Json]) -> str:
    """Keeps the open citation with a project; what to say."""
    found = pinned_citation(data, turns)
    if found is None:
        return banner("Open a citation first.", "warn")
    if not project:
        return banner("Choose a project in the header, or write the name of a new one there.", "warn")
    asked, citation = found
    try:
        with shell.acting(request):
            shell.bench.pin(project, asked["audit"], asked["question"], citation)
    except PinciteError as error:
        return failure(error)
    return banner(f"{citation['citation']} is pinned to the project.", "good")


def pins_html(shell: Shell, request: Any, project: str | None) -> str:
    """What is pinned to a project, each with a way to take it out, and the download."""
    if not project:
        return empty("No project chosen", "Choose one in the header, or write the name of a new one there; then pin the passages that matter.")
    try:
        with shell.acting(request):
            held = shell.bench.project(project)
    except PinciteError as error:
        return failure(error)
    if not held["pins"]:
        return empty(f"Nothing pinned to {held['name']} yet", "Open a citation and press “Pin to the project”.")
    rows = [
        [
            jump(p["citation"]["pinpoint"], p["citation"]["citation"], p["citation"]) + law_badges(p["citation"]), f"“{esc(short(p['citation']['quote'], 240))}”",
            esc(p["question"]), f'<button type="button" class="pc-jump" data-pin="unpin-{esc(p["id"])}" aria-label="Take out {esc(p["citation"]["citation"])}">Take out</button>',
        ]
        for p in held["pins"]
    ]  # fmt: skip
    link = f'<div class="pc-downloads"><a href="/export/{esc(project)}.md" download>Download the pinned evidence (Markdown)</a></div>'
    return table(["Provision", "Quotation", "Asked", ""], rows, f"Pinned to {held['name']}", plain=False) + link


def unpin(shell: Shell, request: Any, data: Json) -> str:
    """Takes a pinned passage out of its project; what to say when that cannot be."""
    kind, _, id = str(data.get("pin", "")).partition("-")
    if kind != "unpin":
        return ""
    try:
        with shell.acting(request):
            shell.bench.unpin(id)
    except PinciteError as error:
        return failure(error)
    return ""


def open_pin(shell: Shell, data: Json, turns: Sequence[Json], as_of: str) -> str:
    """The viewer after a click in the list of evidence: on a citation (`pin`: answer-number), or on a provision (`go`)."""
    if "pin" not in data:
        return go(shell.bench, data, as_of)
    found = pinned_citation(data, turns)
    if found is None:
        return NOTHING_OPEN
    try:
        return provision_html(view_citation(shell.bench, found[1], found[0]["as_of"]))
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


def turns_of(shell: Shell, request: Any, asks: Sequence[str]) -> Turns:
    """These answers as the record has them; an erased one is left out."""
    with shell.acting(request):
        return shell.bench.answers(asks)


def asks_of(turns: Sequence[Json]) -> list[str]:
    """What an open page keeps of its answers: their ids. The words stay in the record, from which they can be erased, and not in memory."""
    return [t["audit"] for t in turns]


def load_turns(shell: Shell, request: Any, id: str) -> Turns:
    """The answers of a kept conversation of this user."""
    with shell.acting(request):
        chat = next((c for c in shell.bench.chats() if c["id"] == id), None)
    return turns_of(shell, request, chat["asks"] if chat else [])


def choices(shell: Shell, request: Any, words: str = "") -> list[tuple[str, str]]:
    """The user's conversations, newest first, for a list: all, or those in whose questions and answers every word stands."""
    with shell.acting(request):
        chats = shell.bench.chats()
    wanted = words.lower().split()
    if wanted:
        chats = [c for c in chats if all(w in _said(shell, request, c) for w in wanted)]
    return [(f"{c['title'][:70]} ({c['time'][:16].replace('T', ' ')})", c["id"]) for c in chats]


def _said(shell: Shell, request: Any, chat: Json) -> str:
    turns = load_turns(shell, request, chat["id"])
    return " ".join([chat["title"], *(f"{t['question']} {claim['text']}" for t in turns for claim in t["answer"]["claims"])]).lower()


def keep(shell: Shell, request: Any, id: str, turns: Sequence[Json]) -> str:
    """Keep the conversation; its id."""
    if not turns:
        return id
    with shell.acting(request):
        return shell.bench.keep_chat(id, str(turns[0]["question"])[:120], asks_of(turns))


def export_link(id: str) -> str:
    """The link that downloads a kept conversation."""
    links = f'<a href="/export/{esc(id)}.md" download>Download this conversation (Markdown)</a><a href="/export/{esc(id)}.json" download>JSON</a>'
    return f'<div class="pc-downloads">{links}</div>' if id else ""


# ---- the page ----------------------------------------------------------------------------------------------------


def build(shell: Shell) -> Mapping[str, Any]:
    """The page's components; those that other pages and the loading of the app need, by name."""
    turns, chat_id, here = gr.State([]), gr.State(""), gr.State({})  # turns: the ids of the answers; here: the citation that is open
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
                stop = gr.Button("Stop", size="sm", min_width=90, elem_id="pc-stop")
                retry = gr.Button("Ask again", size="sm", min_width=90)
                fresh = gr.Button("New conversation", size="sm", min_width=90)
            with gr.Accordion("Earlier conversations and limits", open=False):
                with gr.Row():
                    words = gr.Textbox(label="Find in conversations", placeholder="words of a question or an answer", submit_btn="Find", min_width=200)
                    earlier = gr.Dropdown(label="Earlier conversations", choices=[], value=None, interactive=True, min_width=240)
                layer = gr.Radio(
                    label="Search in",
                    choices=[("official texts and summaries", "any"), ("official texts only", "official"), ("summaries only", "digest")],
                    value="any",
                )
                export = gr.HTML()
            with gr.Accordion("Pinned evidence of the project", open=False):
                pinned = gr.HTML(js_on_load=CLICKS, elem_id="pc-pins")
        with gr.Column(scale=5, min_width=400):
            found = gr.HTML(NO_EVIDENCE, js_on_load=CLICKS, elem_id="pc-evidence")
            with gr.Row():
                keep_it = gr.Button("Pin to the project", size="sm", min_width=160, elem_id="pc-pin")
            said = gr.HTML()
            viewer = gr.HTML(NOTHING_OPEN, js_on_load=SCROLLS, elem_id="pc-viewer")
            paper = gr.HTML(js_on_load=PAGES, elem_id="pc-paper")

    # No `gr.skip()` for what shows a value: Gradio makes the component anew for it, and keeps what it showed for as long as the page is open.
    def ask(text: str, as_of: str, frameworks: list[str], where: str, asks: list[str], request: gr.Request) -> Iterator[Any]:
        now = turns_of(shell, request, asks)
        for shown, after in answer_steps(shell, request, text, as_of, frameworks, where, now):
            yield shown, asks_of(after), ""
        if len(after) == len(now):
            yield shown, asks, text  # the question comes back, to be mended

    def again(as_of: str, frameworks: list[str], where: str, asks: list[str], request: gr.Request) -> Iterator[Any]:
        last = turns_of(shell, request, asks[-1:])
        if last:
            yield from ask(last[0]["question"], as_of, frameworks, where, asks[:-1], request)
        else:
            yield [], [], ""

    def kept(asks: list[str], id: str, request: gr.Request) -> Any:
        now = turns_of(shell, request, asks)
        new = keep(shell, request, id, now)
        earlier_ones = gr.Dropdown(choices=choices(shell, request), value=None)
        return evidence(now), new, earlier_ones, export_link(new), _first_view(shell, now), {"pin": f"{len(now)}-1"}, ""

    def resume(id: str | None, request: gr.Request) -> Any:
        now = load_turns(shell, request, id or "")
        return messages(now), asks_of(now), id or "", evidence(now), _first_view(shell, now), export_link(id or ""), {"pin": f"{len(now)}-1"}

    def find(words: str, request: gr.Request) -> Any:
        some = choices(shell, request, words)
        return gr.Dropdown(choices=some, value=None, label=f"Earlier conversations ({len(some)} found)" if words.strip() else "Earlier conversations")

    def click(asks: list[str], as_of: str, event: gr.EventData, request: gr.Request) -> Any:
        data = dict(clicked(event))
        return open_pin(shell, data, turns_of(shell, request, asks), as_of), data if "pin" in data else gr.skip(), ""

    def page(asks: list[str], data: Any, request: gr.Request) -> str:
        return open_page(shell, data, turns_of(shell, request, asks))

    def stops(chat_now: Any, asks: list[str], request: gr.Request) -> Any:
        return stopped(chat_now, turns_of(shell, request, asks))

    def move(as_of: str, event: gr.EventData) -> Any:
        return go(shell.bench, clicked(event), as_of), "", {}

    def pins(project: str | None, data: Any, asks: list[str], request: gr.Request) -> Any:
        return pin(shell, request, project, data, turns_of(shell, request, asks)), pins_html(shell, request, project)

    def listed(project: str | None, request: gr.Request) -> str:
        return pins_html(shell, request, project)

    def takes_out(project: str | None, as_of: str, open_now: str, paper_now: str, event: gr.EventData, request: gr.Request) -> Any:
        data = clicked(event)
        if "go" in data:
            return pins_html(shell, request, project), go(shell.bench, data, as_of), ""
        return unpin(shell, request, data) + pins_html(shell, request, project), open_now, paper_now

    shown = [chat, turns, question]
    after = {"fn": kept, "inputs": [turns, chat_id], "outputs": [found, chat_id, earlier, export, viewer, here, paper], **QUIET}
    paged = {"fn": page, "inputs": [turns, here], "outputs": [paper], **QUIET}
    asked = question.submit(ask, [question, shell.as_of, shell.frameworks, layer, turns], shown, concurrency_limit=8, **QUIET)
    asked.then(**after).then(None, js=SHOW_ANSWER, **QUIET).then(**paged).then(shell.foot, None, shell.footer, **QUIET)
    anew = retry.click(again, [shell.as_of, shell.frameworks, layer, turns], shown, concurrency_limit=8, **QUIET)
    anew.then(**after).then(None, js=SHOW_ANSWER, **QUIET).then(**paged)
    stop.click(stops, [chat, turns], [chat], cancels=[asked, anew], queue=False, **QUIET)
    fresh.click(lambda: ([], [], "", NO_EVIDENCE, NOTHING_OPEN, "", {}, ""), None, [chat, turns, chat_id, found, viewer, export, here, paper], **QUIET)
    earlier.input(resume, [earlier], [chat, turns, chat_id, found, viewer, export, here], **QUIET).then(**paged)
    words.submit(find, [words], earlier, **QUIET)
    found.select(click, [turns, shell.as_of], [viewer, here, paper], **QUIET).then(**paged)
    viewer.select(move, [shell.as_of], [viewer, paper, here], **QUIET)
    keep_it.click(pins, [shell.project, here, turns], [said, pinned], **QUIET)
    pinned.select(takes_out, [shell.project, shell.as_of, viewer, paper], [pinned, viewer, paper], **QUIET)
    return {
        "state": state,
        "question": question,
        "earlier": earlier,
        "submit": ask,
        "shown": shown,
        "layer": layer,
        "turns": turns,
        "after": after,
        "paged": paged,
        "viewer": viewer,
        "pinned": pinned,
        "pins": listed,
    }


def _first_view(shell: Shell, turns: Sequence[Json]) -> str:
    """The provision of the last answer's first citation, or none."""
    cited = numbered(turns[-1]["answer"]["claims"]) if turns else []
    return open_pin(shell, {"pin": f"{len(turns)}-1"}, turns, turns[-1]["as_of"]) if cited else NOTHING_OPEN
