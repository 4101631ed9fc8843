"""Commands on what this machine uses: settings, models; and on projects, which people share."""

from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.base import JsonFlag, bench, put, put_json, say
from assistant.errors import UsageError

app = typer.Typer()
settings_app = typer.Typer(no_args_is_help=True, help="What Pincite uses on this machine: show, set.")
models_app = typer.Typer(no_args_is_help=True, help="The language model: which there are, add one, measure what it may do.")
project_app = typer.Typer(no_args_is_help=True, help="Projects: list, add, show, pin, runs, share.")
app.add_typer(settings_app, name="settings")
app.add_typer(models_app, name="models")
app.add_typer(project_app, name="project")
Project = Annotated[str, typer.Argument(metavar="PROJECT", help="Its id or name.")]


@settings_app.command("show")
def settings_show(as_json: JsonFlag = False) -> None:
    """Every setting, its value, and where that comes from: a variable, a choice made here, or the default."""
    rows = bench().settings_rows()
    put_json(rows) if as_json else put("\n".join(f"{r['name']:10} {r['value'] or '-':40} {r['source']}" for r in rows))


@settings_app.command("set")
def settings_set(
    name: Annotated[str, typer.Argument(help="llm, embedder or offline")],
    value: Annotated[str, typer.Argument(help="A path, an address, none, yes or no; `embedded` goes back to the default.")],
) -> None:
    """Set it on this machine from now on; a variable of the environment wins. A model is tried first."""
    found = bench().choose(name, value)
    put(f"{name}: {found['value']} ({found['said']})")
    _after(name)


def _after(name: str) -> None:
    say("An app that is open takes it up when it is started again")
    if name == "embedder":
        say("The index was made with another embedder: run pincite ingest --rebuild")


@models_app.command("list")
def models_list(as_json: JsonFlag = False) -> None:
    """The language models known here, the one in use first, and the roles that its accuracy card opens."""
    rows = bench().models()
    if as_json:
        put_json(rows)
        return
    for r in rows:
        roles = ", ".join(f"{role}: {'open' if is_open else 'closed'}" for role, is_open in r["roles"].items()) if r["setting"] != "none" else ""
        put(f"{'in use' if r['in_use'] else 'added':7} {r['name']:32} {r['sha256'][:12]:12} {r['setting']}  {roles}{'' if r['card'] else '  (not measured)'}")


@models_app.command("add")
def models_add(
    model: Annotated[str, typer.Argument(metavar="FILE|URL", help="A GGUF file, or the address of an OpenAI-compatible server.")],
    sha256: Annotated[str, typer.Option(metavar="HASH", help="What its publisher gives; another file is refused.")] = "",
) -> None:
    """Check a model, let it make a few words, and use it from now on; its file's hash is recorded and checked at each opening."""
    found = bench().choose("llm", model, sha256)
    put(f"in use: {found['said']}")
    _after("llm")


@models_app.command("bench")
def models_bench(out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE")] = None) -> None:
    """Measure the model at hand and write its accuracy card, which opens or closes its roles."""
    steps = bench().measure_model(out)
    while True:
        try:
            say(next(steps))
        except StopIteration as ended:
            put(f"{ended.value['file']}: {ended.value['roles']}")
            return


# ---- projects ----------------------------------------------------------------------------------------------------


def _id(project: str) -> str:
    """The id of a project given by id or name."""
    held = [p for p in bench().projects() if project in (p["id"], p["name"])]
    if len(held) != 1:
        raise UsageError(f"There is {'more than one' if held else 'no'} project '{project}' of yours", "Give its id, as in: pincite project list")
    return str(held[0]["id"])


@project_app.command("list")
def project_list(as_json: JsonFlag = False) -> None:
    """Your projects and those shared with you, the newest first."""
    rows = bench().projects()
    put_json(rows) if as_json else put("\n".join(f"{r['id']} {r['time'][:10]} {r['access']:5} {r['owner']:16} {r['name']}" for r in rows) or "No project yet.")


@project_app.command("add")
def project_add(name: str) -> None:
    """Begin a project; prints its id."""
    put(bench().add_project(name))


@project_app.command("show")
def project_show(project: Project, as_json: JsonFlag = False) -> None:
    """A project: its pinned passages, its runs, and with whom it is shared."""
    found = bench().project(_id(project))
    if as_json:
        put_json(found)
        return
    put(f"{found['name']} ({found['id']}), {found['owner']}'s; shared with {', '.join(f'{u} ({a})' for u, a in found['shared'].items()) or 'nobody'}")
    for p in found["pins"]:
        put(f"pin {p['id']} {p['citation']['citation']}: {' '.join(p['citation']['quote'].split())[:160]}")
    for r in found["runs"]:
        put(f"run {r['run']} {r['kind']} {r['time'][:16]} {r['by']}")


@project_app.command("pin")
def project_pin(
    project: Project, run: str, citation: Annotated[int, typer.Argument(min=1, help="Its number in the answer, as in: pincite runs show RUN")] = 1
) -> None:
    """Keep a cited passage of an answer with a project; prints the pin's id."""
    w = bench()
    put(w.pin_of(_id(project), run, citation))


@project_app.command("runs")
def project_runs(
    project: Project,
    add: Annotated[str, typer.Option("--add", metavar="RUN", help="Put a run of yours into the project.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """The runs made for a project, the newest first."""
    w, id = bench(), _id(project)
    if add:
        w.add_project_run(id, add, w.run(add)["kind"])
    rows = w.project(id)["runs"]
    put_json(rows) if as_json else put("\n".join(f"{r['run']} {r['kind']:6} {r['time'][:16]} {r['by']}" for r in rows) or "No run yet.")


@project_app.command("share")
def project_share(
    project: Project,
    user: Annotated[str, typer.Option("--with", metavar="USER")],
    access: Annotated[str, typer.Option("--as", help="view, work, or none to take it back")] = "view",
) -> None:
    """Let another user of the app look at a project, or work on it."""
    bench().share_project(_id(project), user, "" if access == "none" else access)
    put(f"{user}: {access}")
