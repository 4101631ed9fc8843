"""Evidence as it lies in a folder, read back: each card fragment with its figures, refused where it is not what its own figures give.

Imports nothing heavy: a gap analysis reads evidence and computes none.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.claims import Computed
from assistant.errors import UsageError, printable
from assistant.evidence import report

_MOST_BYTES = 50_000_000
_MOST_FILES = 20
_HINT = "Compute it again: pincite evidence … -o DIR"


@dataclass(frozen=True, slots=True)
class Kept:
    """One piece of evidence: the fragment's name in the card and its text, its figures, and where it comes from."""

    name: str
    text: str
    kind: str
    command: str
    sha256: str  # of the JSON
    figures: tuple[Computed, ...]
    doc: Mapping[str, Any]  # all of the JSON


def among(names: Sequence[str]) -> frozenset[str]:
    """Which of some files are pieces of computed evidence: those of a kind whose JSON and card fragment are both there."""
    kinds = [k for k in report.KINDS if f"{k}.json" in names and f"{k}.card.md" in names]
    return frozenset(n for n in names for k in kinds if n in (f"{k}.json", f"{k}.md", f"{k}.card.md") or (n.startswith(f"{k}-") and n.endswith(".png")))


def load(folders: Sequence[Path]) -> list[Kept]:
    """The evidence of some folders. Raises UsageError for a folder without any, and for what was changed after it was computed."""
    found: list[Kept] = []
    for folder in folders:
        files = sorted(p for p in folder.glob("*.json") if p.is_file() and not p.is_symlink()) if folder.is_dir() else []
        own = [kept for p in files[:_MOST_FILES] if (kept := _kept(p, len(found))) is not None]
        if not own:
            raise UsageError(f"{printable(folder.name)} holds no evidence", "Make it with: pincite evidence metrics|split|privacy|dicom|drift … -o DIR")
        found += own
    names = [k.name for k in found]
    if len(set(names)) < len(names):
        raise UsageError("Two evidence folders have the same name", "Give each folder a name of its own")
    return found


def _kept(path: Path, before: int) -> Kept | None:
    """The evidence of one JSON file; None where it is something else."""
    try:
        data = path.read_bytes() if path.stat().st_size <= _MOST_BYTES else b""
        doc = json.loads(data)
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(doc, dict) or doc.get("schema") != report.SCHEMA or doc.get("kind") not in report.KINDS:
        return None
    beside = path.with_name(f"{doc['kind']}.card.md")
    try:
        said = report.fragment(doc)
        with beside.open("rb") as stream:
            text = stream.read(4 * len(said.text) + 1).decode("utf8")
        threshold = doc["results"].get("threshold")
        name = f"{printable(path.resolve().parent.name)}/{beside.name}"
        figures = tuple(_computed(f, name, said.text, threshold) for f in doc["figures"])
        command = str(doc["command"])
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{printable(path.name)} has no readable {beside.name} beside it", _HINT) from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise UsageError(f"{printable(path.name)} is no sound evidence", _HINT) from error
    if text != said.text or list(doc["figures"]) != said.figures:
        raise UsageError(
            f"{beside.name} in {printable(path.resolve().parent.name)} is not what {printable(path.name)} gives: one of them was changed, or another version of Pincite made them",
            _HINT,
        )
    return Kept(name, text, str(doc["kind"]), command, hashlib.sha256(data).hexdigest(), figures, doc)


def _computed(figure: dict[str, Any], name: str, text: str, threshold: float | None) -> Computed:
    start, end = int(figure["start"]), int(figure["end"])
    return Computed(
        str(figure["metric"]), str(figure["of"]), str(figure["column"]), str(figure["group"]), str(figure["task"]), float(figure["value"]), threshold,
        name, start, end, text[start:end],
    )  # fmt: skip
