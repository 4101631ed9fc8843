"""Settings: every setting with its value and where it comes from, the model's proof with its speed, and users and roles."""

import os
import time
from collections.abc import Mapping
from typing import Any

import gradio as gr

from assistant.errors import PinciteError
from assistant.roles import ROLES, may
from assistant.ui.parts import banner, denied, empty, failure, table
from assistant.ui.shell import PRIVATE, QUIET, Shell

MEANINGS = {
    "store": "A PostgreSQL database for the record, or this folder",
    "home": "Where everything written lives", "llm": "A GGUF file, a server's address, or none", "embedder": "A sentence-transformers folder",
    "offline": "Refuse every connection", "user": "Who is recorded as acting on this machine", "tls_cert": "Certificate for opening beyond this machine",
    "tls_key": "Its key",
    "proxy": "Host name under which a proxy passes requests on",
}  # fmt: skip


def settings_table(shell: Shell, request: Any) -> str:
    """Each setting: meaning, value, and whether a variable or the default gave it."""
    if not may(shell.role(request), "settings"):
        return denied("settings")
    rows = []
    for name, value in shell.bench.settings:
        variable = f"PINCITE_{name.upper()}"
        shown = "" if value is None else str(value)
        rows.append(
            [
                name,
                MEANINGS.get(name, ""),
                shown or "the embedded default" if name in ("llm", "embedder") else shown,
                variable if variable in os.environ else "default",
                variable,
            ]
        )
    return table(["Setting", "Meaning", "Value", "From", "Set it with"], rows, "Settings")


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
    shown = gr.HTML()
    with gr.Row():
        test = gr.Button("Prove the language model", min_width=200)
        fast = gr.Button("Measure its speed", min_width=200)
    proof = gr.HTML()
    gr.HTML(
        banner(
            "Another model: a GGUF file or the address of an OpenAI-compatible server, set before the start of Pincite:", "info", "PINCITE_LLM=/path/model.gguf"
        )
        + '<div class="pc-downloads"><a href="/api/backup" download>Download a backup</a><span>Record, sources and index; for pincite restore.</span></div>'
    )
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

    fast.click(measures, None, proof, concurrency_limit=1, **PRIVATE)
    test.click(proves, None, proof, concurrency_limit=1, **PRIVATE)
    keep.click(keeps, [name, role, password], [outcome, users, password], **QUIET)
    remove.click(removes, [name], [outcome, users, password], **QUIET)
    return {"shown": shown, "users": users}
