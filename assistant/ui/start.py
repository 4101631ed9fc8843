"""Start: what is here, what is missing and the one command that adds it, and three worked examples."""

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from assistant.errors import PinciteError
from assistant.roles import may
from assistant.ui.ask import EXAMPLES
from assistant.ui.parts import FRAMEWORKS, Json, badge, banner, denied, empty, esc, failure, table
from assistant.ui.shell import MINIMAL, PRIVATE, QUIET, Shell
from assistant.ui.work import overview as work_overview
from assistant.ui.work import user_of, watch

INDEX = "Building the index"


def overview(standing: Json) -> str:
    """What the program stands on: corpus, model and record, with what is missing said first."""
    tiles = [_corpus_tile(standing), _model_tile(standing), _record_tile(standing)]
    return _missing(standing) + f'<div class="pc-cards3">{"".join(tiles)}</div>'


def _missing(standing: Json) -> str:
    if not standing["ready"]:
        return banner(f"{standing['reason']}. Build it with the button below, or run", "bad", "pincite ingest")
    if not standing["official"]:
        return banner(
            "Everything here works on Pincite's own summaries. To quote the words of the law, add the official texts on the page Sources, or run",
            "info",
            "pincite corpus fetch",
        )
    return ""


def _corpus_tile(s: Json) -> str:
    official = ", ".join(FRAMEWORKS.get(i, i) for i in s["official"]) or "none yet"
    digest = ", ".join(FRAMEWORKS.get(i, i) for i in s["digest_only"]) or "none"
    held = f"{s['editions']} editions, law checked until {s['checked_until']}"
    rows = f"<p>{esc(held)}</p><p>Official texts: {esc(official)}</p><p>Summaries only: {esc(digest)}</p>"
    return (
        f'<section class="pc-tile"><h2>Corpus {badge("ready", "good") if s["ready"] else badge("no index", "bad")}</h2>{rows if s["ready"] else ""}</section>'
    )


def _model_tile(s: Json) -> str:
    model, problem = s["model"], s.get("model_problem", "")
    if problem:
        return f'<section class="pc-tile"><h2>Language model {badge("not there", "warn")}</h2><p>{esc(problem)}</p><p>Until then answers are made of quotations.</p></section>'
    words = (
        f"<p>{esc(model['name'])}</p><p>SHA-256 {esc(model['sha256'][:16] or 'kept by its server')}</p>"
        if model
        else "<p>No model: answers are made of quotations only.</p>"
    )
    return f'<section class="pc-tile"><h2>Language model</h2>{words}<p>It may phrase; it never decides.</p></section>'


def _record_tile(s: Json) -> str:
    rows = f"<p>User: {esc(s['user'])}</p><p>Audit head: {esc(s['audit_head'][:16])}</p><p>Every answer and assessment is on the chain.</p>"
    return f'<section class="pc-tile"><h2>Record</h2>{rows}</section>'


def check_machine(shell: Shell, request: Any) -> str:
    """What works and what does not, as a table."""
    try:
        with shell.acting(request, "settings"):
            found = shell.bench.doctor()
    except PinciteError as error:
        return failure(error)
    rows = [[esc(c["check"]), badge("works", "good") if c["ok"] else badge("does not work", "bad"), esc(c["detail"])] for c in found["checks"]]
    return table(["Check", "State", "Detail"], rows, "What works on this machine", plain=False)


def build_index(shell: Shell, request: Any) -> Iterator[str]:
    """Ingests the shipped corpus, telling each step; ends with what is in the library."""
    if not may(shell.role(request), "sources"):
        yield denied("sources")
        return
    user = user_of(request)
    going = next((j.id for j in shell.jobs.running(user) if j.title == INDEX), None)
    with shell.bench.acting(user):
        id = going or shell.jobs.submit("ingest", {"instrument": "", "shipped": True}, title=INDEX)
    yield from watch(shell.jobs, id)
    shell.bench.renew()


def overview_of(shell: Shell, request: Any) -> str:
    """The long work of the user; of everyone for those who see all."""
    return work_overview(shell.jobs, "" if may(shell.role(request), "see-all") else shell.user(request))


def resume(shell: Shell, request: Any) -> Iterator[str]:
    """Goes on watching what the user had running when the tab or the app was closed."""
    for job in shell.jobs.running(user_of(request)):
        yield from watch(shell.jobs, job.id)


MAY_DO = {"own": "yours", "work": "shared with you to work on", "view": "shared with you to look at"}
WAYS = [("look at it", "view"), ("work on it: pin, add runs, decide", "work"), ("no longer: take it back", "")]


def projects_html(shell: Shell, request: Any, chosen: str | None) -> str:
    """The projects that the user may open, and of the chosen one its runs and with whom it is shared."""
    try:
        with shell.acting(request):
            held = shell.bench.projects()
            one = shell.bench.project(chosen) if chosen and chosen in {p["id"] for p in held} else None
    except PinciteError as error:
        return failure(error)
    if not held:
        return empty("No project yet", "Write a name into “Project” at the top, such as the device's. What you pin and assess is then kept together.")
    rows = [[p["name"], p["owner"], MAY_DO[p["access"]], p["time"][:10]] for p in held]
    return table(["Project", "Owner", "For you", "Since"], rows, "Your projects") + (_project_html(one) if one else "")


def _project_html(one: Json) -> str:
    shared = ", ".join(f"{user} ({'works on it' if access == 'work' else 'looks at it'})" for user, access in one["shared"].items()) or "nobody"
    rows = [[RUNS.get(r["kind"], r["kind"]), r["by"], r["time"][:16].replace("T", " "), r["run"]] for r in one["runs"]]
    runs = table(["What", "By", "When (UTC)", "Run"], rows, f"Made for {one['name']}") if rows else ""
    return f"<p><strong>{esc(one['name'])}</strong>: {len(one['pins'])} pinned passages, {len(rows)} runs. Shared with: {esc(shared)}.</p>{runs}"


RUNS = {"gaps": "Assessment", "draft": "Draft", "ask": "Answer"}


def sharing(shell: Shell, request: Any) -> list[str]:
    """The users with whom a project can be shared."""
    me = shell.user(request)
    return [u["name"] for u in shell.bench.users() if u["name"] != me]


def share(shell: Shell, request: Any, chosen: str | None, user: str | None, access: str | None) -> str:
    """Shares the chosen project, or takes that back; what to say."""
    if not chosen:
        return banner("Choose one of your projects at the top first.", "warn")
    if not user or access is None:
        return banner("Choose a user, and what they may do.", "warn")
    try:
        with shell.acting(request):
            shell.bench.share_project(chosen, user, access)
    except PinciteError as error:
        return failure(error)
    return banner(f"{user} may {'work on it' if access == 'work' else 'look at it'} from now on." if access else f"{user} sees it no longer.", "good")


def build(shell: Shell) -> Mapping[str, Any]:
    """The page's components, by name."""
    about = gr.HTML(empty("Loading", "Looking at the library, the model and the record."))
    with gr.Group(visible=False) as first_run:
        make = gr.Button("Build the index from the shipped corpus", variant="primary", elem_id="pc-build")
    progress = gr.HTML()
    cancel = gr.Button("Cancel the work", size="sm", visible=False)
    gr.Markdown("## Three worked examples")
    with gr.Row():
        ask = gr.Button(f"Ask: “{EXAMPLES[0]}”", min_width=260)
        read = gr.Button("Open a provision: Art. 35 GDPR", min_width=260)
        gaps = gr.Button("Assess a sample model card", min_width=260)
    with gr.Accordion("Projects", open=False):
        held = gr.HTML(empty("Loading", "Looking for your projects."), elem_id="pc-projects")
        with gr.Row(visible=False) as lending:
            user = gr.Dropdown(label="Share the chosen project with", choices=[], value=None, interactive=True, min_width=200, elem_id="pc-share-user")
            access = gr.Radio(label="They may", choices=WAYS, value="view", min_width=300)
            put = gr.Button("Share", min_width=100, elem_id="pc-share")
        lent = gr.HTML()
    with gr.Accordion("Check this machine", open=False):
        doctor = gr.Button("Run the checks", size="sm")
        report = gr.HTML()

    with gr.Accordion("Long work", open=False):
        listed = gr.HTML()
        look = gr.Button("Look again", size="sm")

    def make_index(request: gr.Request) -> Iterator[Any]:
        for shown in build_index(shell, request):
            yield shown, gr.Button(visible=bool(shell.jobs.running(user_of(request))))

    def resumed(request: gr.Request) -> Iterator[Any]:
        for shown in resume(shell, request):
            yield shown, gr.Button(visible=bool(shell.jobs.running(user_of(request))))

    def end(request: gr.Request) -> None:
        shell.jobs.cancel(user_of(request))

    made = make.click(make_index, None, [progress, cancel], concurrency_limit=8, **QUIET)
    cancel.click(end, None, None, **QUIET)

    def works(request: gr.Request) -> str:
        return overview_of(shell, request)

    def checks(request: gr.Request) -> str:
        return check_machine(shell, request)

    def shares(chosen: str | None, user: str | None, access: str | None, request: gr.Request) -> Any:
        return share(shell, request, chosen, user, access), projects_html(shell, request, chosen)

    def fills(chosen: str | None, request: gr.Request) -> Any:
        others = sharing(shell, request)
        return projects_html(shell, request, chosen), gr.Row(visible=bool(others)), gr.Dropdown(choices=others, value=None)

    put.click(shares, [shell.project, user, access], [lent, held], **MINIMAL)
    look.click(works, None, listed, **MINIMAL)
    doctor.click(checks, None, report, **PRIVATE)
    return {
        "about": about,
        "first_run": first_run,
        "made": made,
        "ask": ask,
        "read": read,
        "gaps": gaps,
        "resumed": resumed,
        "listed": listed,
        "progress": [progress, cancel],
        "fills": fills,
        "projects": [held, lending, user],
    }
