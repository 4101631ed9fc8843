"""The app: one page of tabs over the workbench's verbs, with a header that filters everything and a footer that says what it rests on."""

from datetime import date
from types import ModuleType
from typing import TYPE_CHECKING, Any

import gradio as gr

from assistant.errors import PinciteError
from assistant.roles import may
from assistant.ui import ask, audit, card, drafts, gaps, settings, sources, start
from assistant.ui.parts import FRAMEWORK_CHOICES, Json, foot, script, style, who_html
from assistant.ui.shell import QUIET, Shell
from assistant.worker import Worker

if TYPE_CHECKING:
    from assistant.workbench import Workbench

TITLE = "Pincite"
PAGES = (("Start", start), ("Ask", ask), ("Card", card), ("Gaps", gaps), ("Drafts", drafts), ("Sources", sources), ("Audit", audit), ("Settings", settings))


def theme() -> Any:
    """A built-in theme with the system's own fonts: nothing is fetched."""
    base = gr.themes.Default(primary_hue="blue", font=("system-ui", "sans-serif"), font_mono=("ui-monospace", "monospace"))
    return base.set(  # darker than the default, for a contrast of 4.5 to 1 and more
        button_primary_background_fill="*primary_700", button_primary_background_fill_hover="*primary_800", button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600", input_placeholder_color="*neutral_600", input_placeholder_color_dark="*neutral_300",
        body_text_color_subdued="*neutral_600", body_text_color_subdued_dark="*neutral_300", block_label_text_color="*neutral_700",
        block_title_text_color="*neutral_700", block_title_text_color_dark="*neutral_200", block_label_text_color_dark="*neutral_200",
    )  # fmt: skip


def dressing() -> dict[str, Any]:
    """How the app is mounted: theme, style and script, and everything off that Gradio would offer beside."""
    return {
        "theme": theme(), "css": style(), "head": script(), "footer_links": [], "run_history": False, "mcp_server": False, "ssr_mode": False, "pwa": False,
        "enable_monitoring": False, "show_error": False, "max_file_size": "50mb",
    }  # fmt: skip


def build(bench: "Workbench", jobs: Worker | None = None) -> gr.Blocks:
    """The whole app, ready to be mounted; its long work is done by `jobs`."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=(3600, 3600)) as blocks:
        with gr.Row():
            with gr.Column(scale=4, min_width=220):
                gr.HTML(f'<div class="pc-head"><h1>{TITLE}</h1><span>Every statement with a checked citation</span></div>')
            with gr.Column(scale=5, min_width=260):
                frameworks = gr.Dropdown(label="Frameworks (none: all)", choices=FRAMEWORK_CHOICES, multiselect=True, value=[], interactive=True)
            with gr.Column(scale=3, min_width=200):
                project = gr.Dropdown(label="Project (or a new one)", choices=[], value=None, allow_custom_value=True, interactive=True, elem_id="pc-project")
            with gr.Column(scale=2, min_width=150):
                as_of = gr.Textbox(label="As of", value=date.today().isoformat(), max_length=10, interactive=True, elem_id="pc-as-of")
            with gr.Column(scale=2, min_width=120):
                who = gr.HTML(elem_id="pc-who")
        footer, facts = gr.HTML(render=False), gr.State({})
        with gr.Tabs(selected="start") as tabs:
            shell = Shell(bench, jobs or Worker(bench), as_of, frameworks, tabs, footer, facts, who, project)
            pages = {name.lower(): _page(name, module, shell) for name, module in PAGES}
        footer.render()
        _wire(blocks, shell, pages)
    return blocks


def _page(name: str, module: ModuleType, shell: Shell) -> dict[str, Any]:
    with gr.Tab(name, id=name.lower(), elem_id=f"pc-tab-{name.lower()}") as tab:
        return {**module.build(shell), "tab": tab}


def _wire(blocks: gr.Blocks, shell: Shell, pages: dict[str, dict[str, Any]]) -> None:
    """What happens when the app opens, when a page is turned to, when the index is built, and when an example is chosen."""
    first, asking, gapping, carding = pages["start"], pages["ask"], pages["gaps"], pages["card"]
    drafting = pages["drafts"]
    sourcing, auditing, setting = pages["sources"], pages["audit"], pages["settings"]

    def opened(request: gr.Request) -> Any:
        with shell.acting(request):
            standing: Json = shell.bench.standing()
        state, box = ask.readiness(standing)
        chats = gr.Dropdown(choices=ask.choices(shell, request), value=None)
        return (
            start.overview(standing),
            gr.Group(visible=not standing["ready"]),
            state,
            box,
            chats,
            foot(standing),
            start.overview_of(shell, request),
            allowed(shell, request),
        )

    def projects_of(request: gr.Request) -> Any:
        return gr.Dropdown(choices=project_choices(shell, request))

    def chosen(value: str | None, request: gr.Request) -> Any:
        id = open_project(shell, request, value)
        return gr.Dropdown(choices=project_choices(shell, request), value=id), asking["pins"](id, request)

    screen = [
        first["about"],
        first["first_run"],
        asking["state"],
        asking["question"],
        asking["earlier"],
        shell.footer,
        first["listed"],
        shell.who,
    ]
    blocks.load(opened, None, screen, **QUIET)
    blocks.load(lambda: date.today().isoformat(), None, shell.as_of, **QUIET)
    blocks.load(first["resumed"], None, first["progress"], **QUIET)
    blocks.load(projects_of, None, shell.project, **QUIET)
    blocks.load(first["fills"], [shell.project], first["projects"], **QUIET)
    first["tab"].select(first["fills"], [shell.project], first["projects"], **QUIET)
    shell.project.input(chosen, [shell.project], [shell.project, asking["pinned"]], **QUIET).then(first["fills"], [shell.project], first["projects"], **QUIET)
    asking["tab"].select(asking["pins"], [shell.project], asking["pinned"], **QUIET)
    first["made"].then(opened, None, screen, **QUIET)
    sourcing["added"].then(opened, None, screen, **QUIET)
    drafting["tab"].select(drafting["lists"], None, drafting["past"], **QUIET)
    gapping["tab"].select(gapping["lists"], None, gapping["past"], **QUIET)
    sourcing["tab"].select(lambda: sources.listing(shell), None, [sourcing["head"], sourcing["listed"]], **QUIET)
    sourcing["tab"].select(sourcing["pairs"], None, sourcing["pair"], **QUIET)
    auditing["tab"].select(auditing["fill"], auditing["filters"], auditing["listed"], **QUIET)

    setting["tab"].select(setting["fills"], None, setting["screen"], **QUIET)
    _examples(shell, first, asking, gapping)

    def onward(files: Any, sample: Any) -> Any:
        return _to("gaps"), files, sample

    carding["onward"].click(onward, [carding["files"], carding["sample"]], [shell.tabs, gapping["files"], gapping["sample"]], **QUIET).then(
        gapping["assess"], gapping["inputs"], gapping["outputs"], **QUIET
    ).then(shell.foot, None, shell.footer, **QUIET)


def project_choices(shell: Shell, request: Any) -> list[tuple[str, str]]:
    """The user's projects for a list."""
    try:
        with shell.acting(request):
            return [(p["name"] + (f" ({p['owner']})" if p["access"] != "own" else ""), p["id"]) for p in shell.bench.projects()]
    except PinciteError:
        return []


def open_project(shell: Shell, request: Any, value: str | None) -> str | None:
    """The id of the project chosen; a name that is none's begins one."""
    if not value or value in {id for _, id in project_choices(shell, request)}:
        return value or None
    try:
        with shell.acting(request):
            return shell.bench.add_project(value)
    except PinciteError:
        return None


def allowed(shell: Shell, request: Any) -> str:
    """Who is signed in, with the way out; it names the pages that their role does not open, which the style sheet then hides. Handlers check for themselves."""
    role = shell.role(request)
    closed = [page for page, what in (("audit", "audit"), ("settings", "settings")) if not may(role, what)]
    return who_html(shell.user(request), role, bool(shell.bench.users()), closed)


def _to(page: str) -> Any:
    return gr.Tabs(selected=page)


def _examples(shell: Shell, first: dict[str, Any], asking: dict[str, Any], gapping: dict[str, Any]) -> None:
    """The three worked examples of the Start page."""
    inputs = [asking["question"], shell.as_of, shell.frameworks, asking["layer"], asking["turns"]]
    example = first["ask"].click(lambda: (_to("ask"), ask.EXAMPLES[0]), None, [shell.tabs, asking["question"]], **QUIET)
    example.then(asking["submit"], inputs, asking["shown"], **QUIET).then(**asking["after"]).then(None, js=ask.SHOW_ANSWER, **QUIET).then(
        **asking["paged"]
    ).then(shell.foot, None, shell.footer, **QUIET)
    sample = next((name for _, name in gaps.samples()), None)
    assessed = first["gaps"].click(lambda: (_to("gaps"), sample), None, [shell.tabs, gapping["sample"]], **QUIET)
    assessed.then(gapping["assess"], gapping["inputs"], gapping["outputs"], **QUIET).then(shell.foot, None, shell.footer, **QUIET)
    first["read"].click(lambda day: (_to("ask"), sources.open_address(shell, "gdpr:art-35", day)), [shell.as_of], [shell.tabs, asking["viewer"]], **QUIET)
