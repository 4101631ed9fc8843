"""The PDFs that official texts were read from, kept by their hash, and the printed page on which a quotation stands."""

import hashlib
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from assistant import pages, sandbox
from assistant.errors import PinciteError
from assistant.law import Span
from assistant.verify import on_page, stands

# Characters of the source before and after that are taken along where a quotation alone stands in several places.
AROUND = ((0, 0), (40, 0), (0, 40), (150, 0), (0, 150), (150, 150))


def keep(home: Path, file: Path, sha256: str) -> None:
    """Keep a PDF by its hash; other files, and one that is kept already, are left."""
    to = _path(home, sha256)
    with file.open("rb") as stream:
        if to.exists() or stream.read(5) != b"%PDF-":
            return
        data = b"%PDF-" + stream.read()
    if hashlib.sha256(data).hexdigest() != sha256:
        return
    to.parent.mkdir(mode=0o700, exist_ok=True)
    aside = to.with_suffix(f".{os.getpid()}")
    aside.write_bytes(data)
    aside.chmod(0o600)
    aside.replace(to)


def _path(home: Path, sha256: str) -> Path:
    return home / "originals" / f"{sha256}.pdf"


def printed(home: Path, citation: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The page that a citation's words are printed on: `png` with the words marked, `page` (from 1), `of`, `marks`; or the `reason` there is none.

    `text` is the source's whole text. Nothing is marked unless one place of the PDF alone has the words.
    """
    file = _path(home, str(citation["source_sha256"]))
    if not file.exists():
        return {"reason": "The PDF of this text is not kept here: read it again to see its pages"}
    if not stands(citation, text):
        return {"reason": "The quotation does not stand at its place in the text"}
    try:
        found = _found(_texts(file), text, Span(citation["start"], citation["end"]))
        if found is None:
            return {"reason": "The words could not be found with certainty on a single page of the PDF, so no page is shown"}
        png, marks = sandbox.call(pages.picture, file.read_bytes(), *found, seconds=20)
    except (PinciteError, OSError) as error:
        return {"reason": f"The page could not be drawn: {error}"}
    return {"png": png, "page": found[0] + 1, "of": len(_texts(file)), "marks": [list(m) for m in marks]}


def _found(texts: tuple[str, ...], text: str, span: Span) -> tuple[int, Span] | None:
    for before, after in AROUND:
        wide = on_page(text[max(0, span.start - before) : span.end + after], texts)
        if wide:
            page, place = wide
            inside = on_page(span.of(text), [place.of(texts[page])])
            return (page, Span(place.start + inside[1].start, place.start + inside[1].end)) if inside else None
    return None


@lru_cache(maxsize=8)
def _texts(file: Path) -> tuple[str, ...]:
    return tuple(sandbox.call(pages.page_texts, file.read_bytes(), seconds=60))
