"""The readers of official formats, and which one a document is for.

A reader is a module with NAME, GROUPED, `recognises(name, head)` and `read(files)`: bytes in, nouns out, no I/O.
Knows nothing of folders, of the library, or of which laws exist.
"""

from collections.abc import Sequence
from typing import Protocol

from assistant.law import Instrument
from assistant.readers import cfr_markdown, converted_eu, ecfr, eu_guidelines, eurlex, formex, guidance_markdown, pdfs

HEAD = 64 * 1024  # how many first bytes of a file `recognise` is given


class Reader(Protocol):
    """What a reader module offers."""

    NAME: str
    GROUPED: bool

    def recognises(self, name: str, head: bytes) -> bool:
        """Whether the first bytes of a file look like this format; the name only breaks ties."""

    def read(self, files: Sequence[tuple[str, bytes]]) -> list[Instrument]:
        """The instruments in these files; raises `Unreadable`."""


# In order of trial: the more particular format first.
READERS: tuple[Reader, ...] = (eurlex, formex, converted_eu, ecfr, cfr_markdown, pdfs, guidance_markdown, eu_guidelines)


def recognise(name: str, head: bytes) -> Reader | None:
    """The reader for a file with this name and these first bytes, or None when no reader knows it."""
    return next((reader for reader in READERS if reader.recognises(name, head)), None)
