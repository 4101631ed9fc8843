"""What search indexes of an instrument: passages along its tree, whole sections, digests and their questions, and the words of each."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from assistant.law import Instrument, Span

LONG = 1100  # characters: what the embedder reads in full is about 256 tokens
WORD = re.compile(r"[a-z0-9]+(?:\.[0-9]+)*")
STOP = frozenset(
    """
    a an and any are as at be been by can could did do does for from had has have how i if in into is it its may me my no nor not of
    on or our shall she should so such than that the their them then there these they this those to under upon was we were what when
    where which who whom why will with would you your
    """.split()  # noqa: SIM905
)


def tokens(text: str) -> list[str]:
    """The stemmed words by which the lexical index finds a text; section numbers such as 164.312 stay whole."""
    import Stemmer

    words = [w for w in WORD.findall(text.lower()) if w not in STOP]
    return cast("list[str]", Stemmer.Stemmer("english").stemWords(words))


@dataclass(frozen=True, slots=True)
class Row:
    """What search indexes: a `passage` of official text, a whole `section`, a `digest`, or a `question` a digest answers."""

    type: str
    provision: int
    span: Span
    trail: tuple[str, ...]
    words: str

    @property
    def hash(self) -> str:
        """Identity of the words, by which vectors are kept."""
        return hashlib.sha256(self.words.encode()).hexdigest()


def rows_of(instrument: Instrument, first_id: int) -> Iterator[Row]:
    """The rows that search gets from one instrument; `first_id` is the library id of its first provision."""
    provisions = instrument.provisions
    children: dict[int, list[int]] = {}
    for i, p in enumerate(provisions):
        children.setdefault(p.parent, []).append(i)
    trails = _trails(instrument)
    for i, p in enumerate(provisions):
        outer = provisions[p.parent] if p.parent >= 0 else None
        if instrument.layer == "digest":
            yield from _digest_rows(instrument, i, first_id, trails[i])
        elif p.kind != "container" and (outer is None or outer.kind == "container"):
            section = Row("section", first_id + i, p.span, trails[i], " ".join(filter(None, (*trails[i], p.heading, p.span.of(instrument.text)))))
            passages = [
                Row("passage", first_id + j, span, trails[j], " ".join((*trails[j], span.of(instrument.text)))) for j, span in _pieces(instrument, children, i)
            ]
            if [passage.words for passage in passages] != [section.words]:  # the same words need no second row
                yield section
            yield from passages


def _digest_rows(instrument: Instrument, i: int, first_id: int, trail: tuple[str, ...]) -> Iterator[Row]:
    p = instrument.provisions[i]
    note = instrument.notes.get(p.pinpoint.address)
    if note is None:
        return
    end = _own_end(instrument, i)
    span = Span(p.span.start, end)
    yield Row("digest", first_id + i, span, trail, " ".join((p.heading, span.of(instrument.text))))
    for question in note.questions:
        yield Row("question", first_id + i, span, trail, question)


def _own_end(instrument: Instrument, i: int) -> int:
    """Where a digest's own words and points end: before the next digest, which may be nested in it."""
    p = instrument.provisions[i]
    for q in instrument.provisions[i + 1 :]:
        if q.span.start >= p.span.end:
            break
        if q.pinpoint.address in instrument.notes:
            return q.span.start - 1
    return p.span.end


def _trails(instrument: Instrument) -> list[tuple[str, ...]]:
    """The headings above each provision, the root's own heading among them for what lies below it."""
    trails: list[tuple[str, ...]] = []
    for p in instrument.provisions:
        if p.parent < 0:
            trails.append(())
            continue
        outer = instrument.provisions[p.parent]
        trails.append((*trails[p.parent], outer.heading) if outer.heading else trails[p.parent])
    return trails


def _pieces(instrument: Instrument, children: dict[int, list[int]], i: int) -> Iterator[tuple[int, Span]]:
    """Cuts a provision into passages along its tree; only a leaf that is too long is cut at sentence ends."""
    p = instrument.provisions[i]
    below = children.get(i, [])
    if p.span.end - p.span.start <= LONG:
        yield i, p.span
    elif not below:
        yield from ((i, span) for span in _sentences(instrument.text, p.span))
    else:
        opening = Span(p.span.start, instrument.provisions[below[0]].span.start)
        if len(opening.of(instrument.text).strip()) > 60:
            yield from ((i, span) for span in _sentences(instrument.text, opening))
        for j in below:
            yield from _pieces(instrument, children, j)
        closing = Span(instrument.provisions[below[-1]].span.end, p.span.end)
        if len(closing.of(instrument.text).strip()) > 60:
            yield from ((i, span) for span in _sentences(instrument.text, closing))


def _sentences(text: str, span: Span) -> Iterator[Span]:
    """Runs of whole sentences of at most about LONG characters."""
    start = span.start
    cuts = [span.start + m.end() for m in re.finditer(r"[.;:]\s+(?=[A-Z(“‘\"])|\n", span.of(text))] + [span.end]
    last = start
    for cut in cuts:
        if cut - start > LONG and last > start:
            yield _trim(text, start, last)
            start = last
        last = cut
    if start < span.end:
        yield _trim(text, start, span.end)


def _trim(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return Span(start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip()))
