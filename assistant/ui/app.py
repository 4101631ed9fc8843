"""The app: one page of tabs over the workbench's verbs, with a header that filters everything and a footer that says what it rests on."""

from datetime import date
from typing import TYPE_CHECKING, Any

import gradio as gr

from assistant.ui import ask, gaps, start
from assistant.ui.parts import FRAMEWORK_CHOICES, QUIET, Json, Shell, foot, script, style

if TYPE_CHECKING:
    from assistant.workbench import Workbench

TITLE = "Pincite"


def theme() -> Any:
    """A built-in theme with the system's own fonts: nothing is fetched."""
    return gr.themes.Default(primary_hue="blue", font=("system-ui", "sans-serif"), font_mono=("ui-monospace", "monospace"))


def dressing() -> dict[str, Any]:
    """How the app is mounted: theme, style and script, and everything off that Gradio would offer beside."""
    return {
        "theme": theme(), "css": style(), "head": script(), "footer_links": [], "run_history": False, "mcp_server": False, "ssr_mode": False, "pwa": False,
        "enable_monitoring": False, "show_error": False, "max_file_size": "50mb",
    }  # fmt: skip


def build(bench: "Workbench") -> gr.Blocks:
    """The whole app, ready to be mounted."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=(3600, 3600)) as blocks:
        with gr.Row(equal_height=True):
            gr.HTML(f'<div class="pc-head"><h1>{TITLE}</h1><span>Answers, checks and drafts for medical AI, each statement with a checked citation</span></div>', scale=3, min_width=300)
            frameworks = gr.Dropdown(label="Frameworks (none chosen: all)", choices=FRAMEWORK_CHOICES, multiselect=True, value=[], interactive=True, scale=3, min_width=240)
            as_of = gr.Textbox(label="As of (YYYY-MM-DD)", value=lambda: date.today().isoformat(), max_length=10, interactive=True, scale=1, min_width=150, elem_id="pc-as-of")
        footer = gr.HTML(render=False)
        with gr.Tabs(selected="start") as tabs:
            shell = Shell(bench, as_of, frameworks, tabs, footer)
            with gr.Tab("Start", id="start"):
                first = start.build(shell)
            with gr.Tab("Ask", id="ask"):
                asking = ask.build(shell)
            with gr.Tab("Gaps", id="gaps"):
                gapping = gaps.build(shell)
        footer.render()
        _wire(blocks, shell, first, asking, gapping)
    return blocks


def _wire(blocks: gr.Blocks, shell: Shell, first: Any, asking: Any, gapping: Any) -> None:
    """What happens when the app opens, when the index is built, and when an example is chosen."""

    def opened(request: gr.Request) -> Any:
        with shell.acting(request):
            standing: Json = shell.bench.standing()
        state, box = ask.readiness(standing)
        chats = gr.Dropdown(choices=ask.choices(shell, request), value=None)
        return start.overview(standing), gr.Group(visible=not standing["ready"]), state, box, chats, foot(standing)

    screen = [first["about"], first["first_run"], asking["state"], asking["question"], asking["earlier"], shell.footer]
    blocks.load(opened, None, screen, **QUIET)
    first["made"].then(opened, None, screen, **QUIET)

    def to(page: str) -> Any:
        return gr.Tabs(selected=page)

    example = first["ask"].click(lambda: (to("ask"), ask.EXAMPLES[0]), None, [shell.tabs, asking["question"]], **QUIET)
    answered = example.then(asking["submit"], [asking["question"], shell.as_of, shell.frameworks, asking["layer"], asking["turns"]], asking["shown"], **QUIET)
    answered.then(**asking["after"]).then(shell.foot, None, shell.footer, **QUIET)
    sample = gaps.samples()
    first["gaps"].click(lambda: (to("gaps"), sample[0][1] if sample else None), None, [shell.tabs, gapping["sample"]], **QUIET).then(
        gapping["assess"], gapping["inputs"], gapping["outputs"], **QUIET
    ).then(shell.foot, None, shell.footer, **QUIET)
    first["read"].click(lambda: (to("ask"), ask.open_pin(shell, {"go": "gdpr:art-35"}, [], date.today().isoformat())), None, [shell.tabs, asking["viewer"]], **QUIET)


