"""Whether a quotation stands where it is said to stand: the only maker of citations.

One named normaliser (white space, hyphenation, quotation marks and dashes), then exact comparison; never an overlap,
never a threshold. A failed check is a value with a reason. Knows nothing of models or ranking.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.law import Citation, Passage, Quote, Span

_SAME = str.maketrans({**dict.fromkeys("“”„«»‘’‚`\"'", "'"), **dict.fromkeys("–—‐‑−", "-"), "\u00ad": None, "\u200b": None, "\ufeff": None})

_BROKEN = re.compile(r"[-\u2010\u00ad][ \t]*\r?\n\s*(?=[a-z])")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A quotation that was not granted, and why: `empty`, `wrong-address` or `not-found`."""

    quote: Quote
    reason: str


def normalise(text: str) -> str:
    """The form in which two texts count as the same words.

    White space is folded to one space, a hyphen at a line's end joins its word, quotation marks and dashes take one
    shape, and soft hyphens and zero-width marks go. Letters, digits, case and punctuation stay.
    """
    return _fold(text)[0]


def _fold(text: str) -> tuple[str, list[int]]:
    """The normalised text and, for each of its characters, the index in `text` that it came from."""
    out: list[str] = []
    places: list[int] = []
    i = 0
    while i < len(text):
        c = text[i]
        broken = _BROKEN.match(text, i) if c in "-\u2010\u00ad" else None
        if broken and out and out[-1].isalpha():
            i = broken.end()
            continue
        if c.isspace():
            if out and out[-1] != " ":
                out.append(" ")
                places.append(i)
            i += 1
            continue
        mapped = c.translate(_SAME)
        if mapped:
            out.append(mapped)
            places.append(i)
        i += 1
    if out and out[-1] == " ":
        out.pop()
        places.pop()
    return "".join(out), places


def locate(words: str, text: str, within: Span | None = None) -> Span | None:
    """Where `words` stand in `text` (or in a part of it), as characters of `text`; None when they do not.

    The words must be the text's own after `normalise` and must begin and end at word boundaries.
    """
    within = within or Span(0, len(text))
    needle = normalise(words)
    if not needle:
        return None
    hay, places = _fold(within.of(text))
    at = hay.find(needle)
    while at >= 0:
        end = at + len(needle)
        if not _inside_word(hay, at) and not _inside_word(hay, end):
            return Span(within.start + places[at], within.start + places[end - 1] + 1)
        at = hay.find(needle, at + 1)
    return None


def on_page(words: str, pages: Sequence[str]) -> tuple[int, Span] | None:
    """The one page, counted from 0, and the place in its text at which `words` are printed; None unless exactly one place has them.

    A page's text has its own spaces and line ends, so these and hyphens do not count; every other character does.
    """
    needle = _squeeze(words)[0]
    found: list[tuple[int, Span]] = []
    letters = _letters(needle)
    for number, page in enumerate(pages) if letters else ():
        if letters not in _letters(page):
            continue
        hay, places = _squeeze(page)
        at = hay.find(needle)
        while at >= 0:
            found.append((number, Span(places[at], places[at + len(needle) - 1] + 1)))
            at = hay.find(needle, at + 1)
    return found[0] if len(found) == 1 else None


def _letters(text: str) -> str:
    """Letters and digits alone: what the rest of a text cannot bring in, found fast."""
    return re.sub(r"[\W_]+", "", text)


def _squeeze(text: str) -> tuple[str, list[int]]:
    folded, places = _fold(text)
    kept = [i for i, c in enumerate(folded) if c not in " -"]
    return "".join(folded[i] for i in kept), [places[i] for i in kept]


def _inside_word(text: str, at: int) -> bool:
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


def cite(quote: Quote, passage: Passage) -> Citation | Rejected:
    """The citation that a quotation earns from a passage: its exact words, place, version and standing.

    `passage.text` is the source's characters [span.start, span.end); the citation counts in the same characters.
    """
    if not quote.text.strip():
        return Rejected(quote, "empty")
    if not quote.pinpoint.contains(passage.pinpoint) and not passage.pinpoint.contains(quote.pinpoint):
        return Rejected(quote, "wrong-address")
    span = locate(quote.text, passage.text)
    if span is None:
        return Rejected(quote, "not-found")
    return Citation(
        pinpoint=passage.pinpoint, instrument=passage.instrument, version=passage.version, layer=passage.layer, provenance=passage.provenance,
        quote=span.of(passage.text), start=passage.span.start + span.start, end=passage.span.start + span.end,
        source_sha256=passage.source_sha256, status=passage.status, applies_from=passage.applies_from, note=passage.note,
    )  # fmt: skip


def stands(quoted: Mapping[str, Any], text: str, begins: int = 0) -> bool:
    """Whether the words of a citation or of evidence, in its JSON form, stand at their place in a text that begins at `begins` of its source."""
    start, end = quoted["start"] - begins, quoted["end"] - begins
    return bool(0 <= start < end and text[start:end] == quoted["quote"])
