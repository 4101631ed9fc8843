"""From hits to an answer: claims made of exact quotations, notes on dates and layers, or a refusal with its reason.

Every claim's words are cut from the source here, never taken from a model. Pure; knows nothing of engines.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assistant.law import Answer, Citation, Claim, Hit, Passage, Quote
from assistant.library import Found, Library, tokens
from assistant.retrieve import Filter, expand, whole
from assistant.verify import cite

REFUSAL = "The indexed texts do not support an answer to this question."
MOST_CLAIMS = 6
LONGEST = 700  # characters of one quotation


@dataclass(frozen=True, slots=True)
class Piece:
    """A quotable run of words: a sentence or a point, with the opening words of the list it stands in."""

    passage: Passage
    quote: str
    opening: str  # "" unless the piece is a point of a list
    opening_of: Passage | None
    score: float


def extractive(library: Library, question: str, hits: Sequence[Hit], wanted: Filter) -> Answer:
    """An answer whose every claim is a quotation; abstains when the hits bear too little on the question."""
    if not hits or not supported(library, question, hits):
        return refuse(hits)
    claims: list[Claim] = []
    for place, hit in enumerate(hits[:4]):
        room = 4 if place == 0 else 1
        if len(claims) < MOST_CLAIMS:
            claims.extend(_claims(library, question, hit, wanted, min(room, MOST_CLAIMS - len(claims))))
    if not claims:
        return refuse(hits)
    return Answer(tuple(claims), False, "", notes(claims, library, question))


def refuse(hits: Sequence[Hit]) -> Answer:
    """The one refusal, with the nearest provisions."""
    near = ", ".join(str(h.passage.pinpoint) for h in hits[:3])
    return Answer((), True, REFUSAL, (f"Nearest provisions: {near}",) if near else ())


def supported(library: Library, question: str, hits: Sequence[Hit]) -> bool:
    """Whether the best hits carry enough of the question's own words, weighed by how rare they are."""
    if any("reference" in h.via for h in hits):
        return True
    words = [t for t in dict.fromkeys(tokens(question)) if not t.isdigit()]
    if not words:
        return False
    weight = {w: _rarity(library, w) for w in words}
    seen: set[str] = set()
    for hit in hits[:3]:
        seen.update(tokens(" ".join((*hit.passage.trail, hit.passage.heading, hit.passage.text))))
    spelt = set(tokens(expand(question))) - set(words)
    covered = sum(v for w, v in weight.items() if w in seen) + (1.0 if spelt & seen else 0.0)
    return covered >= 0.3 * sum(weight.values())


def _rarity(library: Library, word: str) -> float:
    known = library.lexical.vocab_dict
    if word not in known:
        return 6.0
    return float(np.clip(8.0 - np.log1p(library.word_counts.get(known[word], 1)), 0.5, 8.0))


def _claims(library: Library, question: str, hit: Hit, wanted: Filter, room: int) -> list[Claim]:
    passage = whole(library, hit, wanted.as_of)
    pieces = _pieces(library, passage, question, wanted)
    if not pieces:
        return []
    ranked = sorted(range(len(pieces)), key=lambda i: -pieces[i].score)
    top = pieces[ranked[0]]
    chosen = [i for i in ranked[:room] if pieces[i].score >= 0.5 * top.score and (top.opening or i == ranked[0])]
    if top.opening and room > 1:  # a list is answered with its points, in order
        chosen = [i for i in range(len(pieces)) if pieces[i].opening == top.opening][:room]
    return [claim for i in sorted(chosen) if (claim := _claim(pieces[i]))]


def _claim(piece: Piece) -> Claim | None:
    citations: list[Citation] = []
    words = piece.quote
    if piece.opening and piece.opening_of:
        opening = cite(Quote(piece.opening_of.pinpoint, piece.opening), piece.opening_of)
        if isinstance(opening, Citation):
            citations.append(opening)
            words = f"{piece.opening} {piece.quote}"
    granted = cite(Quote(piece.passage.pinpoint, piece.quote), piece.passage)
    if not isinstance(granted, Citation):
        return None
    return Claim(words, (*citations, granted))


def _pieces(library: Library, passage: Passage, question: str, wanted: Filter) -> list[Piece]:
    """The sentences of a provision and of everything below it, each at its own address, scored by the question's words."""
    words = set(tokens(expand(question)))
    pieces: list[Piece] = []

    def walk(found: Found, opening: str, opening_of: Passage | None) -> None:
        here = library.as_passage(found)
        below = [c for p in library.children(found) if (c := library.find(p, wanted.as_of, version=found.edition.version, layer=found.edition.layer))]
        own = found.text[: below[0].span.start - found.span.start] if below else found.text
        sentences = _quotable(own, found)
        lead = sentences[-1] if below and sentences and sentences[-1].endswith((":", "—", "-")) else ""
        for sentence in sentences:
            if sentence != lead:
                pieces.append(Piece(here, sentence, opening, opening_of, _overlap(sentence, words)))
        for child in below:
            walk(child, lead or opening, here if lead else opening_of)

    found = library.find(passage.pinpoint, wanted.as_of, version=passage.version, layer=passage.layer)
    if found:
        walk(found, "", None)
    return pieces


def _quotable(own: str, found: Found) -> list[str]:
    """The sentences of a provision's own words, without its number and heading lines."""
    lines = [line for line in own.split("\n") if line.strip()]
    if found.kind in ("article", "annex", "section", "rule", "schedule"):
        lines = [line for line in lines if line.strip() != found.heading and not re.fullmatch(r"(?:Article|ANNEX|§)\s*[\w.]+.{0,80}", line.strip())]
    sentences: list[str] = []
    for line in lines:
        body = re.sub(r"^\s*(?:\(\w{1,5}\)|\d{1,3}\.)\s+", "", line).strip()
        sentences.extend(s.strip() for s in re.split(r"(?<=[.;])\s+(?=[A-Z“‘])", body) if len(s.strip()) > 15)
    return [s if len(s) <= LONGEST else s[: s.rfind(",", 0, LONGEST) if s.rfind(",", 0, LONGEST) > 100 else LONGEST] for s in sentences]


def _overlap(sentence: str, words: set[str]) -> float:
    mine = set(tokens(sentence))
    return len(mine & words) / (4 + len(mine)) ** 0.5 if mine else 0.0


def notes(claims: Sequence[Claim], library: Library, question: str) -> tuple[str, ...]:
    """What a reader must know beside the claims: dates, drafts, vacated text, and layers."""
    found: list[str] = []
    citations = [c for claim in claims for c in claim.citations]
    for c in citations:
        if c.status == "not-yet-applicable":
            found.append(f"{c.pinpoint.root} applies from {c.applies_from}" + (f" ({c.note})" if c.note else ""))
        elif c.status != "in-force":
            found.append(f"{c.pinpoint.root}: {c.status}" + (f" ({c.note})" if c.note else ""))
        elif c.note:
            found.append(f"{c.pinpoint.root}: {c.note}")
    if all(c.layer == "digest" for c in citations):
        wanted = " ".join(dict.fromkeys(c.instrument for c in citations))
        found.append(f"This answer rests on Pincite summaries, not the law's words. To add the official texts: pincite corpus fetch {wanted}, or pincite ingest FILE")
    return tuple(dict.fromkeys(found))
