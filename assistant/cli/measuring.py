"""Commands that measure: eval, models."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.cli.base import AsOf, JsonFlag, bench, filter_of, put, put_json, row_filter, say, write
from assistant.errors import UsageError

app = typer.Typer()
eval_app = typer.Typer(no_args_is_help=True, help="Measure retrieval, answers, cards and claims on a labelled set.")
models_app = typer.Typer(no_args_is_help=True, help="The language model: what it is, what it may do.")
SetFile = Annotated[Path, typer.Option("--set", metavar="FILE.jsonl")]
Against = Annotated[Path | None, typer.Option("--against", metavar="RUN.json", help="Compare with an earlier run's --json.")]
app.add_typer(eval_app, name="eval")
app.add_typer(models_app, name="models")


@eval_app.command("retrieval")
def eval_retrieval(
    set_file: SetFile,
    layer: str = "any",
    within: Annotated[bool, typer.Option(help="Search only the framework of the gold address.")] = False,
    as_of: AsOf = "",
    as_json: JsonFlag = False,
) -> None:
    """Hit rates over questions with gold pinpoints: {"id","question","gold":[…],"as_of"?}."""
    from dataclasses import replace

    from assistant import evaluate
    from assistant.law import framework_of

    w, wanted = bench(), filter_of(as_of, (), (), layer)

    def search_row(row: Mapping[str, Any]) -> Mapping[str, Any]:
        frameworks = (framework_of(str(row["gold"][0]).partition(":")[0]),) if within else ()
        return w.search(str(row.get("question") or row.get("query")), replace(wanted, as_of=row.get("as_of") or wanted.as_of, frameworks=frameworks), 10)

    _put_figures(evaluate.retrieval(evaluate.load_set(set_file), search_row), as_json)


@eval_app.command("answers")
def eval_answers(set_file: SetFile, against: Against = None, as_of: AsOf = "", as_json: JsonFlag = False) -> None:
    """Refusals, verified claims and gold provisions cited over a set of questions."""
    from assistant import evaluate

    w, wanted = bench(), filter_of(as_of, (), ())
    found = evaluate.answers(
        evaluate.load_set(set_file), lambda row: w.ask(str(row["question"]), row_filter(row, wanted), "extractive", row.get("history") or ())
    )
    _put_figures(found, as_json, against)


@eval_app.command("claims")
def eval_claims(set_file: SetFile, against: Against = None, as_json: JsonFlag = False) -> None:
    """How often true claims are accepted and wrong ones refused: {"id","claim","passage","supported","kind"?}."""
    from assistant import evaluate
    from assistant.support import bears

    def check(row: Mapping[str, Any]) -> Mapping[str, Any]:
        found = bears(str(row["claim"]), str(row["passage"]))
        return {"supported": found.supported, "score": found.score, "reasons": list(found.reasons)}

    _put_figures(evaluate.claims(evaluate.load_set(set_file), check), as_json, against)


def _put_figures(found: Mapping[str, Any], as_json: bool, against: Path | None = None) -> None:
    from assistant import evaluate

    if against:
        found = {**found, "compared": evaluate.compare(found, json.loads(against.read_text("utf8")))}
    if as_json:
        put_json(found)
        return
    for name, f in found["figures"].items():
        put(f"{name:32} {f['value']:.3f}  [{f['low']:.3f}, {f['high']:.3f}]  n={f['n']}")


@models_app.command("list")
def models_list(as_json: JsonFlag = False) -> None:
    """The language model in use and the roles its accuracy card opens."""
    from assistant import modelbench

    w = bench()
    model = w.model
    roles = modelbench.open_roles(w.home / "models", model.info.sha256, model.info.name) if model else {}
    name, digest = (model.info.name, model.info.sha256) if model else ("none", "")
    if as_json:
        put_json({"name": name, "sha256": digest, "roles": roles})
    else:
        put(f"{name} {digest[:12]} " + ", ".join(f"{role}: {'open' if open_ else 'closed'}" for role, open_ in roles.items()))


@models_app.command("bench")
def models_bench(out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE")] = None) -> None:
    """Measure the model at hand and write its accuracy card, which opens or closes its roles."""
    from assistant import modelbench

    w = bench()
    if w.model is None:
        raise UsageError("There is no model to measure (PINCITE_LLM is none)", "Name a GGUF file or a server")
    card = modelbench.card(w.model, progress=say)
    path = out or w.home / "models" / f"{card['name']}.json"
    data = (json.dumps(card, indent=1, ensure_ascii=False) + "\n").encode()
    write(path, data)
    w.measured(card, data)
    put(f"{path}: {card['roles']}")
