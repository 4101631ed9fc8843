"""Placeholder until the reader is written."""

from collections.abc import Sequence

from assistant.errors import Unreadable
from assistant.law import Instrument

NAME = "converted_eu"
GROUPED = False


def recognises(name: str, head: bytes) -> bool:
    """Not yet."""
    return False


def read(files: Sequence[tuple[str, bytes]]) -> list[Instrument]:
    """Not yet."""
    raise Unreadable("not-recognised", "this format is not read yet")
