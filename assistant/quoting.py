"""Which words of a provision to quote: whole when short, a list with its opening words, or the sentence that fits.

Quotations are runs of the source's own characters: never a heading, never a fragment, never a point without the words
that open its list. Knows nothing of ranking or of models.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.library import Found, Library, tokens
from assistant.refuse import rarity
from assistant.retrieve import expand

LONGEST = 1000  # characters of one quotation
RUN = 500  # characters up to which a sentence takes the next one with it
_LABEL = re.compile(r"(?:\((?:\w{1,5}|\d+\.\d+)\)|\d{1,3}[a-z]?\.(?:\d+\.?)*|[a-z]\)|—|-|•)\s+")
_TITLE = re.compile(r"^(?:Article|Art\.|ANNEX|Annex|SECTION|Section|CHAPTER|Rule|§+)\s*[\w.§-]+.{0,200}$")
_SENTENCE = re.compile(r"(?<=[.?!])[”’\"']?\s+(?=[A-Z“‘\"(])")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|No|Art|art|para|sec|Sec|U\.S|U\.S\.C|C\.F\.R|cf|Dr|Inc|Ltd|approx|etc|vs|pt|ch|Pub|Stat|Fed|Reg)|\b[A-Z])\.$")
_TRAILING = re.compile(r"[;,]?\s*(?:\band\b|\bor\b|\band/or\b)?\s*$")
_POINTS_BACK = re.compile(r"(?:Those|These|Such|This|That|They|It)\b")
_LEADS = (":", "—", "–", "-")
_TITLED = re.compile(r"^(?:Standard|Implementation specifications?)\b[^.]{0,120}[:—–-]$|^(?:\S+\s+){0,3}\S+[:—–-]$")  # a title in the place of opening words
_PERIOD = re.compile(
    r"\b(?:\d+|one|two|three|four|five|six|seven|ten|fifteen|thirty|sixty|ninety)[\s-]+(?:calendar |working |business |work )?(?:hours?|days?|weeks?"
    r"|months?|years?)\b|without (?:undue|unreasonable) delay|immediately|promptly",
    re.I,
)
_MONEY = re.compile(r"(?:EUR|USD|\$|€|₹|rupees?|crore|lakh)|\d\s?%|per ?cent", re.I)
_ASKS_TIME = re.compile(
    r"\b(?:how (?:long|fast|soon|quickly|often|many (?:days|years|hours|months))|when|deadline|within what|by when|time limit|period|in time|until when)\b",
    re.I,
)
_ASKS_MONEY = re.compile(r"\b(?:fines?|penalt\w+|how much|fees?|charge|cost|amounts?)\b", re.I)


@dataclass(frozen=True, slots=True)
class Cut:
    """A run of words to quote, with the opening words of the lists that it stands in, outermost first."""

    library: Library
    found: Found
    quote: str
    openings: tuple[tuple[Found, str], ...] = ()
    worth: float = 0.0


def score_of(library: Library, question: str, text: str) -> float:
    """The share of the question's words, weighed by rarity, that a text uses; abbreviations count as their words."""
    own = list(dict.fromkeys(t for t in tokens(question) if not t.isdigit()))
    spelt = {t for t in tokens(expand(question)) if t not in own}
    have = set(tokens(text))
    total = sum(rarity(library, w) for w in own) or 1.0
    bonus = sum(min(2.0, rarity(library, w)) for w in spelt & have)
    return min(1.0, (sum(rarity(library, w) for w in own if w in have) + bonus) / total)


def worth(library: Library, question: str, text: str) -> float:
    """How well a sentence fits a question: its words, and a period or an amount where the question asks for one."""
    extra = 0.15 if _ASKS_TIME.search(question) and _PERIOD.search(text) else 0.0
    extra += 0.15 if _ASKS_MONEY.search(question) and _MONEY.search(text) else 0.0
    return score_of(library, question, text) + extra - 0.0001 * max(0, len(text) - 300)


# ---- the words of a provision ------------------------------------------------------------------------------------


def whole_body(found: Found) -> str:
    """A provision's words without its number and heading lines."""
    text = found.text
    return text[_begin(found, text) :].strip()


def body(found: Found, first_child: Found | None) -> str:
    """A provision's own words before its first point, without its number and heading lines."""
    own = found.text[: first_child.span.start - found.span.start] if first_child else found.text
    begin = _begin(found, own)
    return own[begin:].strip()


def _begin(found: Found, text: str) -> int:
    at = 0
    for line in text.split("\n"):
        bare = line.strip()
        label = _LABEL.match(bare + " ")
        rest = bare[label.end() :].strip() if label and label.end() <= len(bare) + 1 else bare
        if not bare or _is_heading(found, bare, rest, at == 0):
            at += len(line) + 1
            continue
        return at + (line.find(rest) if (label and rest and at == 0) or (label and rest and found.label and bare.startswith(found.label)) else line.find(bare))
    return min(at, len(text))


def _is_heading(found: Found, bare: str, rest: str, first: bool) -> bool:
    if not rest or bare == found.label or (found.heading and _plain(rest) == _plain(found.heading)):
        return True
    return (
        found.kind in ("article", "annex", "section", "rule", "schedule", "recital")
        and first
        and bool(_TITLE.match(bare))
        and (found.heading in bare or len(bare) < 40)
    )


def _plain(line: str) -> str:
    return line.rstrip(".:;—–- ").lower()


def sentences(text: str) -> list[str]:
    """The sentences of a run of words; a short lead-in ("Risk analysis (Required).") stays with what follows."""
    found: list[str] = []
    for line in text.split("\n"):
        start = 0
        for gap in _SENTENCE.finditer(line):
            piece = line[start : gap.start()]
            if not _ABBREVIATION.search(piece):
                found.append(piece.strip())
                start = gap.end()
        found.append(line[start:].strip())
    return _with_lead_ins([s for s in found if s], text)


def opening(own: str) -> str:
    """The last sentence of a list's opening words; with the one before it when it points back to that ("Those practices shall concern:")."""
    parts = sentences(own)
    if not parts:
        return ""
    begin = own.rfind(parts[-2]) if len(parts) > 1 and _POINTS_BACK.match(parts[-1]) else -1
    return own[begin:].strip() if begin >= 0 and len(own) - begin <= LONGEST else parts[-1]


def _with_lead_ins(parts: list[str], text: str) -> list[str]:
    merged: list[str] = []
    for part in parts:
        joined = f"{merged[-1]} {part}" if merged else part
        if merged and len(merged[-1]) < 70 and not merged[-1].endswith(";") and len(merged[-1].split()) <= 9 and joined in text:
            merged[-1] = joined
        else:
            merged.append(part)
    return merged


def _fit(sentence: str) -> str:
    """A sentence that is too long, cut at the last semicolon that fits; never in mid-clause where that can be helped."""
    if len(sentence) <= LONGEST:
        return sentence
    cut = max(sentence.rfind("; ", 0, LONGEST), sentence.rfind(". ", 0, LONGEST))
    return sentence[:cut] if cut > 100 else sentence[: sentence.rfind(", ", 0, LONGEST)]


def best_sentence(library: Library, found: Found, children: Sequence[Found], question: str) -> Cut | None:
    """The sentence of a provision's own words that fits the question best, if it speaks to it."""
    own = [s for s in sentences(body(found, children[0] if children else None)) if _stands_alone(s)]
    if not own:
        return None
    best = max(own, key=lambda s: worth(library, question, s))
    value = worth(library, question, best)
    return Cut(library, found, _fit(best), (), value) if value >= 0.25 else None


def _stands_alone(sentence: str) -> bool:
    return len(sentence.split()) >= 5 and not sentence.endswith(_LEADS) and not sentence.startswith("|") and not sentence[0].islower()


def answers_kind(question: str, text: str) -> bool:
    """Whether a text has the period or the amount that a question asks for; true when it asks for neither."""
    if _ASKS_TIME.search(question):
        return bool(_PERIOD.search(text))
    return bool(_MONEY.search(text)) if _ASKS_MONEY.search(question) else True


def told(question: str) -> str:
    """A question without the words that only ask for a time or an amount ("how fast", "when"): those no text repeats."""
    return _ASKS_MONEY.sub(" ", _ASKS_TIME.sub(" ", question))


# ---- cutting -----------------------------------------------------------------------------------------------------


def cut_points(library: Library, unit: Found, question: str, as_of: str, room: int, short: int, longest_list: int) -> list[Cut]:
    """At most `room` quotations from a provision: all of it when short, else points with their opening, or its best sentence."""
    openings = _openings(library, unit, as_of)
    text = _TRAILING.sub("", whole_body(unit))
    if not text:
        return []
    if text.startswith("|"):
        return []  # a table's row
    torn = unit.kind == "topic" and text[0].islower()  # a page of guidance that begins in mid-sentence
    if len(text) <= short and not torn:
        return [Cut(library, unit, text, openings)]
    children = [c for p in library.children(unit) if (c := library.find(p, as_of, version=unit.edition.version, layer=unit.edition.layer))]
    lead = body(unit, children[0]) if children else ""
    if children and lead and (lead.endswith(_LEADS) or not lead.endswith((".", ";"))):
        before = [s for s in sentences(lead)[:-1] if _stands_alone(s)]
        fits = max(before, key=lambda s: worth(library, question, s), default="") if not _POINTS_BACK.match(sentences(lead)[-1]) else ""
        if fits and worth(library, question, fits) > worth(library, question, sentences(lead)[-1]) + 0.1:
            rest = _list(library, unit, children, openings, question, as_of, room - 1, longest_list) if room > 1 else []
            return [Cut(library, unit, _fit(fits), openings), *rest]
        return _list(library, unit, children, openings, question, as_of, room, longest_list)
    picked = _run_of_sentences(library, unit, children, openings, question, room)
    if children:
        below = [cut for child in children for cut in _leaves(library, child, (), question, as_of)]
        picked = sorted([*picked, *below], key=lambda c: -c.worth)[:room]
    return picked


def _openings(library: Library, unit: Found, as_of: str) -> tuple[tuple[Found, str], ...]:
    """The opening words of the lists in which a provision is a point, outermost first."""
    if unit.kind == "definition" or (unit.edition.layer == "digest" and not unit.text.startswith("(")):
        return ()  # both stand by themselves
    found: list[tuple[Found, str]] = []
    p = unit.pinpoint.parent
    inner = unit
    while p is not None:
        outer = library.find(p, as_of, version=unit.edition.version, layer=unit.edition.layer)
        if outer is None or outer.kind == "container" or outer.edition.id != unit.edition.id or inner.span.start < outer.span.start:
            break
        before = outer.text[: inner.span.start - outer.span.start]
        first = next((c for q in library.children(outer)[:1] if (c := library.find(q, as_of, version=unit.edition.version, layer=unit.edition.layer))), None)
        own = body(outer, first)
        last = opening(own)
        if last and (last.endswith(_LEADS) or not last.endswith((".", ";")) or unit.edition.layer == "digest") and last in before and len(last) <= LONGEST:
            if not _TITLED.match(last):
                found.insert(0, (outer, last))
        elif last:
            break
        p, inner = p.parent, outer
    return tuple(found)


def _list(
    library: Library, unit: Found, children: Sequence[Found], openings: tuple[tuple[Found, str], ...], question: str, as_of: str, room: int, longest: int
) -> list[Cut]:
    """A list: whole when it fits, its fitting points when some stand out, else its opening with as many points as fit."""
    text = _TRAILING.sub("", whole_body(unit))
    if len(text) <= longest:
        return [Cut(library, unit, text, openings)]
    lead = opening(body(unit, children[0]))
    values = [score_of(library, question, c.text) - score_of(library, question, lead) * 0.5 for c in children]
    best = max(values)
    usual = sorted(values)[len(values) // 2]
    if best >= 0.25 and best >= 1.6 * max(usual, 0.05):
        chosen = sorted(sorted(range(len(children)), key=lambda i: -values[i])[: max(1, min(room, 2))])
        cuts = [cut for i in chosen if values[i] >= 0.7 * best for cut in _leaves(library, children[i], (*openings, (unit, lead)), question, as_of)[:1]]
        if cuts:
            return cuts
    begin = unit.text.find(lead)
    end = begin + len(lead)
    for child in children:
        stop = child.span.end - unit.span.start
        if stop - begin > longest:
            break
        end = stop
    if end == begin + len(lead):
        return _leaves(library, children[0], (*openings, (unit, lead)), question, as_of)[:1]
    return [Cut(library, unit, _TRAILING.sub("", unit.text[begin:end].strip()), openings)]


def _leaves(library: Library, found: Found, openings: tuple[tuple[Found, str], ...], question: str, as_of: str) -> list[Cut]:
    """The quotable runs of a point and of what lies below it, best first."""
    text = _TRAILING.sub("", whole_body(found))
    if not text:
        return []
    if len(text) <= 700:
        value = worth(library, question, text)
        return [Cut(library, found, text, openings, value)] if openings or len(text.split()) >= 5 else []
    children = [c for p in library.children(found) if (c := library.find(p, as_of, version=found.edition.version, layer=found.edition.layer))]
    own = _run_of_sentences(library, found, children, openings, question, 1)
    own_words = opening(body(found, children[0])) if children else ""
    lead = own_words if own_words.endswith(_LEADS) else ""
    inner = (*openings, (found, lead)) if lead else openings if not own_words else ()
    below = [cut for child in children for cut in _leaves(library, child, inner, question, as_of)]
    return sorted([*own, *below], key=lambda c: -c.worth)


def _run_of_sentences(library: Library, unit: Found, children: Sequence[Found], openings: tuple[tuple[Found, str], ...], question: str, room: int) -> list[Cut]:
    own = [
        s
        for s in sentences(body(unit, children[0] if children else None))
        if (_stands_alone(s) or openings) and not (unit.edition.layer == "digest" and s.startswith("("))
    ]
    ranked = sorted(range(len(own)), key=lambda i: (-worth(library, question, own[i]), i))[:room]
    cuts = []
    for i in sorted(ranked):
        run = own[i]
        if room == 1 and i + 1 < len(own) and len(run) + len(own[i + 1]) <= RUN and f"{run} {own[i + 1]}" in unit.text:
            run = f"{run} {own[i + 1]}"
        words = _fit(run)
        cuts.append(Cut(library, unit, _TRAILING.sub("", words) if words.endswith((";", ",")) else words, openings, worth(library, question, own[i])))
    return cuts
