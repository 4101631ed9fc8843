"""What the commands share: options, how they print, and the workbench over the user's settings."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.errors import UsageError

if TYPE_CHECKING:
    from assistant.workbench import Workbench
JsonFlag = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
AsOf = Annotated[str, typer.Option("--as-of", metavar="YYYY-MM-DD", help="The day the law is asked about (default: today).")]
Frameworks = Annotated[list[str], typer.Option("--framework", "-f", help="Only this framework; may be repeated.")]
Instruments = Annotated[list[str], typer.Option("--instrument", help="Only this instrument; may be repeated.")]
Batch = Annotated[Path | None, typer.Option("--batch", metavar="IN.jsonl", help="One JSON object a line.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", metavar="OUT")]
LAYERS = ("official", "digest", "any")
Card = Annotated[Path, typer.Argument(metavar="CARD", help="A card file, or a folder with one.")]
EvidenceDirs = Annotated[list[Path], typer.Option("--evidence", metavar="DIR", help="Figures computed by pincite evidence; may be repeated.")]
FactsFile = Annotated[Path | None, typer.Option("--facts", metavar="FILE", help='{"name": {"value": true, "source": "who"}}')]


def say(message: str) -> None:
    """Progress, on stderr."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


def put(text: str) -> None:
    """Data, on stdout."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def put_json(value: object) -> None:
    """Data as indented JSON."""
    put(json.dumps(value, indent=2, ensure_ascii=False))


def bench() -> "Workbench":
    """The workbench over the user's settings."""
    from assistant.workbench import Workbench

    return Workbench(say=say)


def day(as_of: str) -> str:
    """The day given, checked, or today."""
    from assistant.workbench import check_day, today

    return check_day(as_of) if as_of else today()


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(path.name + ".part")
        aside.write_bytes(data)
        aside.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def read(path: Path) -> bytes:
    """A file's bytes."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def batched(source: Path, out: Path | None, each: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
    """One line of output for each line of input, to a file or stdout."""
    from assistant.evaluate import load_set

    rows = [json.dumps({"id": row.get("id"), **each(row)}, ensure_ascii=False) for row in load_set(source)]
    data = "".join(row + "\n" for row in rows)
    if out:
        write(out, data.encode())
    else:
        put(data)


def filter_of(as_of: str, frameworks: Sequence[str], instruments: Sequence[str], layer: str = "any") -> Any:
    """The filter of the options, checked."""
    from assistant.law import FRAMEWORKS
    from assistant.retrieve import Filter

    for f in frameworks:
        if f not in FRAMEWORKS:
            raise UsageError(f"'{f}' is no framework", f"Choose from {', '.join(FRAMEWORKS)}")
    if layer not in LAYERS:
        raise UsageError(f"'{layer}' is no layer", f"Choose from {', '.join(LAYERS)}")
    return Filter(day(as_of), tuple(frameworks), tuple(instruments), layer)


def row_filter(row: Mapping[str, Any], base: Any) -> Any:
    """The filter of one line of a batch: what it says goes before the options."""
    from dataclasses import replace

    chosen = filter_of(row.get("as_of") or base.as_of, row.get("frameworks") or base.frameworks, row.get("instruments") or base.instruments)
    return replace(chosen, layer=base.layer)
