"""Commands that measure: eval, models."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.cli.base import AsOf, JsonFlag, bench, filter_of, put, put_json, row_filter

app = typer.Typer()
eval_app = typer.Typer(no_args_is_help=True, help="Measure retrieval, answers, cards and claims on a labelled set.")
SetFile = Annotated[Path, typer.Option("--set", metavar="FILE.jsonl")]
Against = Annotated[Path | None, typer.Option("--against", metavar="RUN.json", help="Compare with an earlier run's --json.")]
app.add_typer(eval_app, name="eval")


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
