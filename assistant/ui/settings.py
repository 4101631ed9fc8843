"""Settings: the language model, which can be changed here, tested and measured; every setting with where it comes from; users and roles."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from assistant.errors import PinciteError
from assistant.roles import ROLES, may
from assistant.ui.parts import Json, badge, banner, denied, empty, esc, failure, table
from assistant.ui.shell import MINIMAL, PRIVATE, QUIET, Shell

MEANINGS = {
    "store": "A PostgreSQL database for the record, or this folder",
    "home": "Where everything written lives", "llm": "A GGUF file, a server's address, or none", "embedder": "A sentence-transformers folder",
    "offline": "Refuse every connection", "user": "Who is recorded as acting on this machine", "tls_cert": "Certificate for opening beyond this machine",
    "tls_key": "Its key",
    "proxy": "Host name under which a proxy passes requests on",
}  # fmt: skip


ROLES_OF_MODEL = {  # each role of a model: what it may then do, and where in its accuracy card the measured share stands
    "phrasing": ("put quotations into plainer words; each wording is checked", "kept"),
    "rewriting": ("make a follow-up question whole", "right"),
    "lowering": ("doubt evidence, which can only lower a finding", "right"),
}


def settings_table(shell: Shell, request: Any) -> str:
    """Each setting: meaning, value, and whether a variable, a choice made here or the default gave it."""
    if not may(shell.role(request), "settings"):
        return denied("settings")
    rows = []
    for s in shell.bench.settings_rows():
        shown = "the embedded default" if s["value"] == "" and s["name"] in ("llm", "embedder") else s["value"]
        rows.append([s["name"], MEANINGS.get(s["name"], ""), shown, s["source"], s["variable"]])
    return table(["Setting", "Meaning", "Value", "From", "Variable that wins"], rows, "Settings")


def model_html(shell: Shell, request: Any) -> str:
    """The language model in use, where that was said, and what it may do by its accuracy card."""
    if not may(shell.role(request), "settings"):
        return denied("settings")
    try:
        held = next(m for m in shell.bench.models() if m["in_use"])
    except PinciteError as error:
        return failure(error) + banner("Choose another below; until then answers are made of quotations.", "info")
    source = next(s["source"] for s in shell.bench.settings_rows() if s["name"] == "llm")
    hash = f"SHA-256 {held['sha256']}" if held["sha256"] else "" if held["setting"] == "none" else "a server's model: its file is not known here"
    head = f"<p><strong>{esc(held['name'])}</strong></p><p class='pc-where'>{esc(hash)}</p><p>From: {esc(source)}</p>"
    wins = source.startswith("PINCITE_")
    note = banner(f"{source} was set before the start and wins. To choose here, start Pincite without it.", "warn") if wins else ""
    return f'<section class="pc-tile"><h2>Language model in use</h2>{head}</section>{note}{_roles_table(held) if held["setting"] != "none" else ""}'


def _roles_table(held: Json) -> str:
    card = held["card"]
    rows = []
    for role, (does, figure) in ROLES_OF_MODEL.items():
        suite = card["suites"][role][figure] if card else None
        measured = f"{round(suite['value'] * suite['n'])} of {suite['n']} tries" if suite else "not measured yet"
        needed = f"{round(card['thresholds'][role] * suite['n'])} of {suite['n']}" if card and suite else ""
        rows.append([esc(does), esc(measured), esc(needed), badge("open", "good") if held["roles"][role] else badge("closed", "mute")])
    shown = table(["The model may", "Measured", "Needed", ""], rows, "What the model may do, by its accuracy card", plain=False)
    return shown if card else banner("This model was not measured yet: until then it may only reword, and each wording is checked.", "info") + shown


def choose(shell: Shell, request: Any, text: str, sha256: str) -> Iterator[str]:
    """Tries another language model and uses it from now on, telling each step."""
    if not may(shell.role(request), "settings"):
        yield denied("settings")
        return
    if not text.strip():
        yield banner("Name a GGUF file on this machine, the address of a model server, none, or embedded.", "warn")
        return
    yield banner("Step 1 of 1: opening the model and letting it make a few words; a large file takes a while.", "info")
    try:
        with shell.acting(request, "settings"):
            said = shell.bench.choose("llm", text, sha256)["said"]
    except PinciteError as error:
        yield failure(error)
        return
    yield banner(f"In use from now on: {said}. The change is on the record.", "good")


def measure(shell: Shell, request: Any) -> Iterator[str]:
    """Measures the model on the built-in suites, telling each step; its card opens or closes its roles."""
    if not may(shell.role(request), "settings"):
        yield denied("settings")
        return
    begun, steps = time.monotonic(), shell.bench.measure_model()
    try:
        while True:
            with shell.acting(request, "settings"):  # anew for each step: a generator's context is not its own
                step = next(steps)
            yield banner(f"{step[0].upper()}{step[1:]}; {time.monotonic() - begun:.0f} s so far. Cancel ends it after this step.", "info")
    except StopIteration as ended:
        opened = [role for role, is_open in ended.value["roles"].items() if is_open]
        yield banner(f"{ended.value['name']} was measured. Open: {', '.join(opened) or 'no role; answers stay quotations'}.", "good")
    except PinciteError as error:
        yield failure(error)


def prove(shell: Shell, request: Any) -> str:
    """The language model makes a token in its own process; how long that took."""
    started = time.perf_counter()
    try:
        with shell.acting(request, "settings"):
            said = shell.bench.prove_model()
    except PinciteError as error:
        return failure(error)
    return banner(f"{said} ({time.perf_counter() - started:.1f} s, start of the process included)", "good")


def speed(shell: Shell, request: Any) -> str:
    """How fast the language model is on this machine."""
    try:
        with shell.acting(request, "settings"):
            found = shell.bench.model_speed()
    except PinciteError as error:
        return failure(error)
    if not found:
        return banner("There is no model: answers are made of quotations only.", "info")
    if "failure" in found:
        return banner(f"The model gave nothing: {found['failure']}.", "bad")
    return banner(
        f"First piece after {found['first_seconds']} s on a prompt of {found['prompt_tokens']} tokens, then {found['tokens_per_second']} tokens a second.",
        "good",
    )


def users_table(shell: Shell, request: Any) -> str:
    """Who may sign in."""
    if not may(shell.role(request), "settings"):
        return denied("settings")
    users = [[u["name"], u["role"]] for u in shell.bench.users()]
    if not users:
        return empty("No users", "Without users this machine's owner works here without signing in. The first user added makes everyone sign in.")
    return table(["Name", "Role"], users, "Users")


def change_user(shell: Shell, request: Any, name: str, role: str, password: str, remove: bool) -> tuple[str, str]:
    """Adds, changes or removes a user; the outcome and the table as it is then."""
    if not may(shell.role(request), "settings"):
        return denied("settings"), ""
    others = [u for u in shell.bench.users() if u["name"] != name and u["role"] == "admin"]
    if not others and (remove or role != "admin"):
        return banner("There has to be an administrator: add one first.", "warn"), users_table(shell, request)
    try:
        with shell.acting(request, "settings"):
            if remove:
                shell.bench.remove_user(name)
            else:
                shell.bench.keep_user(name, role, password)
    except PinciteError as error:
        return failure(error), users_table(shell, request)
    return banner(f"{name}: {'removed' if remove else f'may sign in as {role}'}.", "good"), users_table(shell, request)


def build(shell: Shell) -> Mapping[str, Any]:
    """The page's components, by name."""
    model = gr.HTML(empty("Loading", "Looking at the language model."))
    with gr.Row(equal_height=False):
        other = gr.Textbox(
            label="Another model", info="A GGUF file on this machine, the address of an OpenAI-compatible server, none, or embedded",
            placeholder="/models/some-model.gguf or http://127.0.0.1:8080", max_length=1000, scale=4, min_width=280, elem_id="pc-model",
        )  # fmt: skip
        hash = gr.Textbox(
            label="SHA-256 of the file (optional)", info="As its publisher gives it; another file is then refused", max_length=64, scale=3, min_width=240
        )
        use = gr.Button("Check it and use it", variant="primary", scale=1, min_width=150, elem_id="pc-use-model")
    with gr.Row():
        test = gr.Button("Test the model", min_width=150)
        fast = gr.Button("Measure its speed", min_width=150)
        suites = gr.Button("Measure what it may do (minutes)", min_width=200)
        cancel = gr.Button("Cancel", min_width=90)
    proof = gr.HTML(elem_id="pc-model-said")
    with gr.Accordion("Advanced: every setting and where it comes from", open=False):
        shown = gr.HTML()
    gr.HTML('<div class="pc-downloads"><a href="/api/backup" download>Download a backup</a><span>Record, sources and index; for pincite restore.</span></div>')
    with gr.Accordion("Users and roles", open=False):
        users = gr.HTML()
        with gr.Row():
            name = gr.Textbox(label="Name", max_length=64, min_width=160)
            role = gr.Dropdown(label="Role", choices=list(ROLES), value="admin", interactive=True, min_width=140)
            password = gr.Textbox(label="Password (twelve characters or more)", type="password", max_length=500, min_width=200)
        with gr.Row():
            keep, remove = gr.Button("Add or change", min_width=140), gr.Button("Remove", variant="stop", min_width=140)
        outcome = gr.HTML()

    def keeps(name: str, role: str, password: str, request: gr.Request) -> Any:
        return *change_user(shell, request, name, role, password, False), ""

    def removes(name: str, request: gr.Request) -> Any:
        return *change_user(shell, request, name, "", "", True), ""

    def proves(request: gr.Request) -> str:
        return prove(shell, request)

    def measures(request: gr.Request) -> str:
        return speed(shell, request)

    def chooses(text: str, sha256: str, request: gr.Request) -> Iterator[str]:
        yield from choose(shell, request, text, sha256)

    def benches(request: gr.Request) -> Iterator[str]:
        yield from measure(shell, request)

    def fills(request: gr.Request) -> Any:
        return model_html(shell, request), settings_table(shell, request), users_table(shell, request)

    screen = [model, shown, users]
    tried = use.click(chooses, [other, hash], proof, concurrency_limit=1, **MINIMAL)
    measured = suites.click(benches, None, proof, concurrency_limit=1, **MINIMAL)
    for done in (tried, measured):
        done.then(fills, None, screen, **QUIET).then(shell.foot, None, shell.footer, **QUIET)
    cancel.click(lambda: banner("Cancelled; what was in use stays in use.", "warn"), None, proof, cancels=[measured], queue=False, **QUIET)
    fast.click(measures, None, proof, concurrency_limit=1, **PRIVATE)
    test.click(proves, None, proof, concurrency_limit=1, **PRIVATE)
    keep.click(keeps, [name, role, password], [outcome, users, password], **QUIET)
    remove.click(removes, [name], [outcome, users, password], **QUIET)
    return {"fills": fills, "screen": screen}
