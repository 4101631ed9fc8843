"""The commands under `pincite evidence`: read arguments, call the workbench's one verb, say what was written and what stands out."""

from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.cli.base import JsonFlag, bench, put, put_json
from assistant.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="Figures from a project's own files: results by group, splits, privacy, DICOM headers, drift.")

Out = Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder for JSON, Markdown, pictures and card fragment.")]
Label = Annotated[str, typer.Option(metavar="Y", help="Column of the truth; several, with commas, for a multilabel model.")]
Score = Annotated[str, typer.Option(metavar="P", help="Column of the model's score; several, with commas, one a class or label.")]
Value = Annotated[str, typer.Option(metavar="COLUMN", help="One value a case, such as Dice, an error or a time.")]
Groups = Annotated[str, typer.Option(metavar="A,B,A+B", help="Columns to judge by; A+B is a crossing.")]
Patient = Annotated[str, typer.Option(metavar="ID", help="Column of the patient; without it each row counts as one.")]
Threshold = Annotated[float | None, typer.Option(metavar="T", help="Score from which a case is positive (0.5 for probabilities).")]
Positive = Annotated[str, typer.Option(metavar="VALUE", help="The label's value that means positive.")]
Seed = Annotated[int, typer.Option(help="Of the bootstrap.")]
Bootstraps = Annotated[int, typer.Option(help="Draws of the bootstrap.")]


def _list(text: str) -> tuple[str, ...]:
    """Names between commas."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _run(request: Any, out: Path, as_json: bool) -> None:
    found = bench().evidence(request, out)
    if as_json:
        put_json(found)
        return
    put("\n".join(found["summary"]))
    put(f"{len(found['files'])} files in {out}; read {next(n for n in found['files'] if n.endswith('.md') and '.card.' not in n)} there")


@app.command()
def metrics(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="A CSV or Parquet file, one case a row.")],
    out: Out,
    label: Label = "",
    score: Score = "",
    value: Value = "",
    groups: Groups = "",
    patient: Patient = "",
    threshold: Threshold = None,
    positive: Positive = "",
    seed: Seed = 0,
    bootstraps: Bootstraps = 1000,
    as_json: JsonFlag = False,
) -> None:
    """Results overall and by group, with intervals, and the gaps between groups."""
    from assistant.evidence.metrics import Request

    _run(Request(results, _list(label), _list(score), value, _list(groups), patient, threshold, positive, seed, bootstraps), out, as_json)


@app.command()
def split(
    train: Annotated[Path, typer.Argument(metavar="TRAIN")],
    test: Annotated[Path, typer.Argument(metavar="TEST")],
    patient: Annotated[str, typer.Option(metavar="ID", help="Column of the patient in both files.")],
    out: Out,
    case: Annotated[str, typer.Option(metavar="ID", help="Column that is unique to a case, such as a hash of the image.")] = "",
    groups: Groups = "",
    site: Annotated[str, typer.Option(metavar="COLUMN")] = "",
    date: Annotated[str, typer.Option(metavar="COLUMN", help="For a split in time.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Patients and cases that are in both sets, shares of groups and sites, dates out of order."""
    from assistant.evidence.split import Request

    _run(Request(train, test, patient, case, _list(groups), site, date), out, as_json)


@app.command()
def privacy(
    out: Out,
    members: Annotated[Path | None, typer.Option(metavar="FILE", help="Cases the model was trained on.")] = None,
    nonmembers: Annotated[Path | None, typer.Option(metavar="FILE", help="Cases it was not.")] = None,
    loss: Annotated[str, typer.Option(metavar="COLUMN", help="The model's loss on each case.")] = "",
    score: Annotated[str, typer.Option(metavar="COLUMN", help="Or a score that is higher for members.")] = "",
    table: Annotated[Path | None, typer.Option(metavar="FILE", help="A metadata table.")] = None,
    quasi: Annotated[str, typer.Option(metavar="A,B", help="Its columns by which people could be recognised.")] = "",
    patient: Patient = "",
    seed: Seed = 0,
    bootstraps: Bootstraps = 1000,
    as_json: JsonFlag = False,
) -> None:
    """Whether members can be told from non-members, and the smallest cells of a metadata table."""
    from assistant.evidence.privacy import Request

    if loss and score:
        raise UsageError("--loss and --score exclude each other", "Give the column that the attack goes by")
    _run(Request(members, nonmembers, loss or score, bool(loss), table, _list(quasi), patient, seed, bootstraps), out, as_json)


@app.command()
def dicom(folder: Annotated[Path, typer.Argument(metavar="FOLDER")], out: Out, as_json: JsonFlag = False) -> None:
    """Header elements that may identify a person: counts and names, never values. Pixels are not looked at."""
    from assistant.evidence.dicom import Request

    _run(Request(folder), out, as_json)


@app.command()
def drift(
    reference: Annotated[Path, typer.Argument(metavar="REFERENCE")],
    current: Annotated[Path, typer.Argument(metavar="CURRENT")],
    out: Out,
    label: Label = "",
    score: Score = "",
    value: Value = "",
    groups: Groups = "",
    inputs: Annotated[str, typer.Option(metavar="A,B", help="Further columns whose distribution is compared.")] = "",
    patient: Patient = "",
    threshold: Threshold = None,
    positive: Positive = "",
    limit: Annotated[list[str], typer.Option(metavar="METRIC=X", help="Your own limit of change, such as sensitivity=0.05 or psi=0.2; may be repeated.")] = [],  # noqa: B006
    seed: Seed = 0,
    bootstraps: Bootstraps = 1000,
    as_json: JsonFlag = False,
) -> None:
    """Change of each metric by group, stability of inputs and scores, and your limits."""
    from assistant.evidence.drift import Request
    from assistant.evidence.metrics import Request as Results

    results = (
        Results(reference, _list(label), _list(score), value, _list(groups), patient, threshold, positive, seed, bootstraps)
        if label or score or value
        else None
    )
    _run(Request(reference, current, results, _list(inputs), patient, tuple(map(_limit, limit))), out, as_json)


def _limit(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError as error:
        raise UsageError(f"'{text}' is no limit", "Write it like --limit sensitivity=0.05") from error
