"""From a question to an answer: claims made of exact quotations, notes on dates and limits, or a refusal with its reason.

Every claim's words are cut from the source here, never taken from a model. Pure over a `Library` and a query vector;
knows nothing of engines, settings or the record.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from assistant import corpus, refuse
from assistant.followups import rewrite
from assistant.law import FRAMEWORKS, Answer, Citation, Claim, Hit, Quote, framework_of
from assistant.library import Found, Library, tokens
from assistant.paragraphs import fitting
from assistant.pinpoint import Pinpoint
from assistant.quoting import Cut, answers_kind, best_sentence, body, cut_points, score_of, told, whole_body
from assistant.retrieve import Filter, expand, named_frameworks, search
from assistant.verify import cite

if TYPE_CHECKING:
    from numpy.typing import NDArray

REFUSAL = "The indexed texts do not support an answer to this question."
MOST_CLAIMS = 6
PLAIN_CLAIMS = 5  # of a plain question; six are for lists and comparisons
FIRST_PLACES = 3  # the first claims come from so many different provisions
SHORT = 700  # characters: a provision up to this length is quoted whole
LIST = 1500  # and a list up to this
NEAR = 0.72  # share of the best hit's score that a further provision needs
BESIDE = 0.12  # share of a question's words that a provision beside the best one needs
SAME = 0.45  # share of a question's words that a further paragraph of the same provision needs

_COMPARES = re.compile(
    r"\b(?:compar\w*|differ\w*|versus|vs\.?|side by side|across (?:the )?(?:frameworks|laws|jurisdictions|regimes|all)|"
    r"(?:each|every|all|which|both) (?:of the )?(?:five |six |three |two )?(?:frameworks?|laws?|regimes?|jurisdictions?|regulations)|under each|as"
    r" opposed to|and what about under)\b",
    re.I,
)  # fmt: skip
_DEFINES = re.compile(
    r"^\W*(?:what (?:is|are)(?: meant by)?|what does|what do|what counts as|what qualifies as|who (?:is|are|counts as)|how (?:is|are)|define"
    r"|definition of|meaning of|what is the (?:definition|meaning) of)\s+"
    r"(?:an?\s+|the\s+(?:term\s+)?)?[\"'“‘]?(?P<term>[\w() -]{2,60}?)[\"'”’]?(?:\s+(?:mean|defined|means|stand for)\b.*|\s+(?:according to|under|in"
    r"|for the purposes? of|within)\b.*|\s+and (?:what|how|who)\b.*)?[?.! ]*$",
    re.I,
)  # fmt: skip
_WHAT_IS_THE = re.compile(
    r"^(?:deadline|time|limit|penalt|fine|maximum|minimum|highest|normal|role|duty|duties|obligation|right|rule|process|procedure|difference|purpose"
    r"|principle|date|status|legal)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Sought:
    """A question as it was understood, its vector, and what search found."""

    asked: str
    question: str
    vector: "NDArray[np.float32]"
    hits: tuple[Hit, ...]


def seek(
    library: Library, question: str, wanted: Filter, embed: "Callable[[str], NDArray[np.float32]]", history: Sequence[Mapping[str, str]] = (), k: int = 10
) -> Sought:
    """What a question in its conversation finds; `embed` turns the question, once understood, into its vector."""
    understood = rewrite(question, history)
    vector = embed(understood[:2000])
    hits = search(library, understood, vector, wanted, k) if understood.strip() else []
    return Sought(question, understood, vector, tuple(hits))


def respond(library: Library, sought: Sought, wanted: Filter) -> Answer:
    """The answer to what was sought; where the question was understood otherwise than it was asked, a note says how."""
    answer = extractive(library, sought.question, sought.hits, wanted, sought.vector)
    if sought.question == sought.asked.strip():
        return answer
    return Answer(answer.claims, answer.abstained, answer.reason, (f"Read as: {sought.question}", *answer.notes))


def extractive(library: Library, question: str, hits: Sequence[Hit], wanted: Filter, vector: "NDArray[np.float32] | None" = None) -> Answer:
    """An answer whose every claim is a quotation; abstains when the hits bear too little on the question."""
    stranger = refuse.elsewhere(question, library, wanted)
    if stranger:
        return refused(
            hits, f"The question is about {stranger.words}, which is not among the indexed texts. To add a text: pincite ingest FILE --instrument ID"
        )
    named = [h for h in hits if "reference" in h.via]
    if not hits or not (named or supported(library, question, hits, wanted, vector)):
        return refused(hits, "")
    claims = compared(library, question, wanted) or _claims(library, question, hits, named, wanted, vector)
    if not claims:
        return refused(hits, "")
    return Answer(tuple(claims), False, "", notes(claims, library, question, wanted))


def refused(hits: Sequence[Hit], why: str) -> Answer:
    """The one refusal, with its reason where one can be named and the nearest provisions."""
    near = ", ".join(str(h.passage.pinpoint) for h in hits[:3])
    return Answer((), True, REFUSAL, tuple(note for note in (why, f"Nearest provisions: {near}" if near else "") if note))


def supported(library: Library, question: str, hits: Sequence[Hit], wanted: Filter, vector: "NDArray[np.float32] | None") -> bool:
    """Whether the library speaks to the question well enough; without a vector the question's words alone decide."""
    if vector is not None:
        return refuse.support(refuse.features(library, question, vector, wanted, hits)) >= refuse.level().level
    return score_of(library, question, " ".join(" ".join((*h.passage.trail, h.passage.heading, h.passage.text)) for h in hits[:3])) >= 0.5


# ---- which provisions --------------------------------------------------------------------------------------------


def _claims(library: Library, question: str, hits: Sequence[Hit], named: Sequence[Hit], wanted: Filter, vector: "NDArray[np.float32] | None") -> list[Claim]:
    if named:
        return _beside_named(library, question, hits, named, wanted)
    defined = _definition(library, question, wanted)
    best, *rest = _order(question, hits)
    first = [best] if defined or vector is None else fitting(library, question, vector, wanted, best)
    found = [f for h in (*first, *rest) if (f := _unit(library, h, question, wanted))]
    if defined:
        found = [defined, *(f for f in found if f.pinpoint.root != defined.pinpoint.root or not f.pinpoint.contains(defined.pinpoint))]
    claims = _first_of_each(library, found, question, wanted, FIRST_PLACES + len(first) - 1)
    if found and len(claims) < PLAIN_CLAIMS:
        claims.extend(_more(library, found[0], claims, question, wanted, PLAIN_CLAIMS - len(claims)))
    return _distinct(claims)[:MOST_CLAIMS]


def _first_of_each(library: Library, found: Sequence[Found], question: str, wanted: Filter, places: int) -> list[Claim]:
    """One claim from each of the first `places` provisions."""
    claims: list[Claim] = []
    used: list[Pinpoint] = []
    for unit in found:
        if len(used) > 1 and score_of(library, question, f"{unit.heading} {unit.text}") < BESIDE:
            continue
        if used and _defines_other(unit, question):
            continue
        if len(used) < places and not any(p.contains(unit.pinpoint) for p in used):
            made = _unit_claims(library, unit, question, wanted, 1)
            claims.extend(made)
            used.extend([unit.pinpoint] if made else [])
    return claims


_TERM = re.compile(r"^\W*(?:\(?\w{1,4}[.)]\s+)?[‘'“\"](?P<term>[^’'”\"]{2,60})[’'”\"] means\b")


def _defines_other(unit: Found, question: str) -> bool:
    """Whether a provision defines a term of which the question has no word."""
    term = _TERM.match(unit.text)
    name = term["term"] if term else unit.heading if unit.kind == "definition" else ""
    return bool(name) and not set(tokens(name)) & set(tokens(expand(question)))


def _beside_named(library: Library, question: str, hits: Sequence[Hit], named: Sequence[Hit], wanted: Filter) -> list[Claim]:
    """The provisions that a question names, and what else speaks to it when it asks more than for their words."""
    others = [h for h in hits if "reference" not in h.via]
    if not _speaks(question) or not others or any(h.passage.pinpoint.steps for h in named):
        return _named_claims(library, question, named, wanted)
    fit = max((score_of(library, question, h.passage.text) for h in others[:2]), default=0.0)
    mine = max((score_of(library, question, c.text) for c in _named_claims(library, question, named, wanted)), default=0.0)
    if fit < mine + 0.1:
        return _named_claims(library, question, named, wanted)
    claims = [c for h in named[:2] for c in _named_claims(library, question, [h], wanted)[:1]]
    found = [f for h in _order(question, others) if (f := _unit(library, h, question, wanted))]
    return _distinct([*claims, *_first_of_each(library, found, question, wanted, FIRST_PLACES)])[:MOST_CLAIMS]


def _named_claims(library: Library, question: str, named: Sequence[Hit], wanted: Filter) -> list[Claim]:
    """The words of the provisions that the question names: whole where short, otherwise its paragraphs or points."""
    claims: list[Claim] = []
    room = max(1, MOST_CLAIMS // len(named[:3]))
    for hit in named[:3]:
        unit = library.find(hit.passage.pinpoint, wanted.as_of, version=hit.passage.version, layer=hit.passage.layer)
        if unit is None:
            continue
        children = [c for p in library.children(unit) if (c := _same(library, p, unit, wanted))]
        if len(whole_body(unit)) <= SHORT or not children or body(unit, children[0]).strip().endswith((":", "—")):
            claims.extend(_unit_claims(library, unit, question, wanted, room))
            continue
        lead = best_sentence(library, unit, children, question)
        parts = sorted(children, key=lambda c: -score_of(library, question, c.text))[:room] if _speaks(question) else children[:room]
        claims.extend(c for c in [_claim(lead)] if lead and c)
        for part in sorted(parts, key=lambda c: c.span.start):
            claims.extend(_unit_claims(library, part, question, wanted, 1))
    return _distinct(claims)[:MOST_CLAIMS]


def _speaks(question: str) -> bool:
    """Whether a question that names a provision says more than its name."""
    return (
        len(
            [
                w
                for w in tokens(re.sub(r"\([\w.]+\)|\d[\w.]*", " ", question))
                if w not in ("say", "articl", "art", "section", "act", "gdpr", "ai", "cfr", "requir", "explain", "pleas", "rule", "point", "paragraph")
            ]
        )
        >= 3
    )


def _order(question: str, hits: Sequence[Hit]) -> list[Hit]:
    """The hits to quote from: of the frameworks named where there are any, near the best in score, recitals after operative text."""
    frameworks = named_frameworks(question)
    inside = [h for h in hits if framework_of(h.passage.instrument) in frameworks] if frameworks else []
    pool = list(inside or hits)
    best = pool[0].score
    near = [h for h in pool if h.score >= NEAR * best][: FIRST_PLACES + 2]
    if re.search(r"\b(?:draft|guidance|recital|proposed|proposal)\b", question, re.I):
        return near
    return sorted(near, key=lambda h: (_explains(h), near.index(h)))


def _explains(hit: Hit) -> bool:
    """Whether a hit explains rather than rules: recitals and drafts."""
    return hit.passage.pinpoint.path.startswith("rec-") or hit.passage.status in ("draft", "proposed")


def _unit(library: Library, hit: Hit, question: str, wanted: Filter) -> Found | None:
    """The provision to quote for a hit: the hit itself, or what encloses it as long as that stays short."""
    p = hit.passage.pinpoint
    found = library.find(p, wanted.as_of, version=hit.passage.version, layer=hit.passage.layer)
    while found and p.parent is not None and p.steps:
        outer = library.find(p.parent, wanted.as_of, version=hit.passage.version, layer=hit.passage.layer)
        if outer is None or outer.kind == "container" or len(whole_body(outer)) > SHORT:
            break
        p, found = p.parent, outer
    return _with_period(library, found, question, wanted) if found else None


def _with_period(library: Library, found: Found, question: str, wanted: Filter) -> Found:
    """Where a period or an amount is asked for and the paragraph has none: the paragraph beside it that has, if it speaks to the question."""
    outer = library.find(found.pinpoint.parent, wanted.as_of, version=found.edition.version, layer=found.edition.layer) if found.pinpoint.parent else None
    if answers_kind(question, found.text) or outer is None or outer.kind == "container":
        return found
    beside = [c for p in library.children(outer)[:12] if (c := _same(library, p, found, wanted)) and c.kind == found.kind and answers_kind(question, c.text)]
    best = max(beside, key=lambda c: score_of(library, question, c.text), default=None)
    return best if best and score_of(library, question, best.text) >= 0.6 * score_of(library, question, found.text) else found


def _same(library: Library, p: Pinpoint, like: Found, wanted: Filter) -> Found | None:
    return library.find(p, wanted.as_of, version=like.edition.version, layer=like.edition.layer)


# ---- which words -------------------------------------------------------------------------------------------------


def _unit_claims(library: Library, unit: Found, question: str, wanted: Filter, room: int) -> list[Claim]:
    """Claims from one provision: whole where it is short, the points or the sentence that fit the question where it is not."""
    cuts = cut_points(library, unit, question, wanted.as_of, room, SHORT, LIST)
    return [claim for cut in cuts if (claim := _claim(cut))]


def _claim(cut: Cut | None) -> Claim | None:
    if cut is None:
        return None
    citations: list[Citation] = []
    words: list[str] = []
    for found, quote in (*cut.openings, (cut.found, cut.quote)):
        granted = cite(Quote(found.pinpoint, quote), cut.library.as_passage(found))
        if not isinstance(granted, Citation):
            return None
        citations.append(granted)
        words.append(quote)
    return Claim(" ".join(words), tuple(citations))


def _more(library: Library, first: Found, claims: Sequence[Claim], question: str, wanted: Filter, room: int) -> list[Claim]:
    """Further paragraphs of the best provision that speak to the question."""
    top = first.pinpoint if first.kind == "definition" else first.pinpoint.root
    root = library.find(top, wanted.as_of, version=first.edition.version, layer=first.edition.layer)
    if root is None or root.kind == "container":
        return []
    quoted = [c.pinpoint for claim in claims for c in claim.citations]
    others = []
    for p in library.children(root)[:40]:
        if not any(p.contains(q) or q.contains(p) for q in quoted):
            child = _same(library, p, root, wanted)
            if child and child.kind in ("paragraph", "point") and (worth := score_of(library, question, child.text)) >= SAME:
                others.append((worth, child))
    picked = sorted(sorted(others, key=lambda o: -o[0])[:room], key=lambda o: o[1].span.start)
    return [c for _, child in picked for c in _unit_claims(library, child, question, wanted, 1)]


def _distinct(claims: Sequence[Claim]) -> list[Claim]:
    """The claims without those whose last quotation another one already holds."""
    kept: list[Claim] = []
    for claim in claims:
        place = claim.citations[-1]
        if not any(
            k.citations[-1].source_sha256 == place.source_sha256 and k.citations[-1].start <= place.start and place.end <= k.citations[-1].end for k in kept
        ):
            kept.append(claim)
    return kept


# ---- definitions -------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _defined_terms(library: Library) -> dict[str, tuple[Pinpoint, ...]]:
    """Every term that a text defines, as its stems, with the provisions that define it."""
    terms: dict[str, list[Pinpoint]] = {}
    for e in library.editions.values():
        if e.same_as or "." in e.version:
            continue
        for p in library.addresses(e.id):
            if (term := p.path.partition("/")[2]) and "(" not in term:
                terms.setdefault(" ".join(tokens(term.replace("-", " "))), []).append(p)
            elif p.steps and p.root.address in ("gdpr:art-4", "eu-ai-act:art-3", "mdr:art-2", "dpdp:s-2", "dpdp-rules:r-2") and len(p.steps) == 1:
                found = library.find(p, "9999-01-01", version=e.version, layer=e.layer)
                quoted = re.match(r"\W*(?:\(?\w{1,3}[.)])?\s*[\"'“‘](.{2,80}?)[\"'”’]", found.text) if found else None
                if quoted:
                    terms.setdefault(" ".join(tokens(quoted[1])), []).append(p)
    return {term: tuple(dict.fromkeys(places)) for term, places in terms.items()}


def _definition(library: Library, question: str, wanted: Filter) -> Found | None:
    """The definition that a question asks for: of the framework named, else of the first framework that defines the term."""
    asked = _DEFINES.match(question)
    if not asked or _WHAT_IS_THE.match(asked["term"]):
        return None
    words = tokens(asked["term"])
    terms = _defined_terms(library)
    places = terms.get(" ".join(words)) or (terms.get(" ".join(words[:-1]), ()) if len(words) > 2 else ())
    frameworks = wanted.frameworks or named_frameworks(question)
    allowed = [
        p for p in places if (not wanted.instruments or p.instrument in wanted.instruments) and (not frameworks or framework_of(p.instrument) in frameworks)
    ]
    passing: Found | None = None
    for p in sorted(
        allowed or (() if wanted.frameworks or wanted.instruments else places),
        key=lambda p: FRAMEWORKS.index(framework_of(p.instrument)) if framework_of(p.instrument) in FRAMEWORKS else 99,
    ):
        found = library.find(p, wanted.as_of, layer="" if wanted.layer == "any" else wanted.layer)
        if found and not re.search(r"\bas defined in\b", found.text):
            return found
        passing = passing or found
    return passing


# ---- comparisons -------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def topics() -> tuple[dict[str, list[str]], ...]:
    """The topics on which frameworks can be compared, from `corpus/comparisons.toml`."""
    rows = tomllib.loads((corpus.root() / "comparisons.toml").read_text("utf8"))["topic"]
    return tuple({k: (v if isinstance(v, list) else [v]) for k, v in row.items()} for row in rows)


def compared(library: Library, question: str, wanted: Filter) -> list[Claim]:
    """One claim for each framework, when the question compares frameworks on a topic; otherwise none."""
    named = [f for f in named_frameworks(question) if f != "principles"]
    if not (_COMPARES.search(question) or len(named) >= 3) or (len(named) == 1 and not _COMPARES.search(question)):
        return []
    topic = max(topics(), key=lambda t: sum(len(re.findall(cue, question.lower())) for cue in t["cues"]))
    if not any(re.search(cue, question.lower()) for cue in topic["cues"]):
        return []
    among = named if len(named) >= 2 else [f for f in FRAMEWORKS if f in topic]
    claims: list[Claim] = []
    for framework in among:
        if wanted.frameworks and framework not in wanted.frameworks:
            continue
        for address in topic.get(framework, []):
            found = library.find(corpus.pinpoint(address), wanted.as_of, layer="" if wanted.layer == "any" else wanted.layer)
            if found and (cuts := _unit_claims(library, found, question, wanted, 1)):
                claims.append(cuts[0])
                break
    return claims if len(claims) >= 2 else []


# ---- notes -------------------------------------------------------------------------------------------------------


def notes(claims: Sequence[Claim], library: Library, question: str, wanted: Filter) -> tuple[str, ...]:
    """What a reader must know beside the claims: dates, drafts, vacated text, layers, and what is not covered."""
    citations = [c for claim in claims for c in claim.citations]
    found = [note for c in citations if (note := _standing(c))]
    digests = list(dict.fromkeys(c.instrument for c in citations if c.layer == "digest"))
    if digests and all(c.layer == "digest" for c in citations):
        found.append(
            "This answer rests on Pincite summaries, not the law's words. "
            f"To add the official texts: pincite corpus fetch {' '.join(digests)}, or pincite ingest FILE"
        )
    elif digests:
        found.append(f"Pincite summaries, not the law's words, stand for: {', '.join(digests)}")
    found.extend(left for claim in claims if (left := _rest_of_list(library, claim.citations[-1], wanted)))
    until = corpus.manifest().checked_until
    if wanted.as_of > until:
        found.append(f"The corpus was checked until {until}; changes after that day are not known")
    return tuple(dict.fromkeys((*found, *_not_covered(claims, library, question))))


def _rest_of_list(library: Library, cited: Citation, wanted: Filter) -> str:
    """Which points of a list follow those that are quoted; a list that breaks off must say so."""
    whole = library.find(cited.pinpoint, wanted.as_of, version=cited.version, layer=cited.layer)
    points = [c for p in library.children(whole) if (c := _same(library, p, whole, wanted))] if whole and whole.edition.sha256 == cited.source_sha256 else []
    after = [c for c in points if c.span.start >= cited.end]
    if not after or len(after) == len(points):
        return ""
    labels = [f"({c.pinpoint.steps[-1].strip('()')})" for c in after]
    return f"The list in {cited.pinpoint} goes on with {labels[0] if len(labels) == 1 else f'{labels[0]} to {labels[-1]}'}"


def _standing(c: Citation) -> str:
    where = str(c.pinpoint.root)
    beside = f" ({c.note})" if c.note else ""
    if c.status == "not-yet-applicable":
        return f"{where} applies from {c.applies_from}{beside}"
    if c.status == "draft":
        return f"{where} is draft guidance: it binds nobody yet{beside}"
    if c.status != "in-force":
        return f"{where} is {c.status}{beside}"
    return f"{where}: {c.note}" if c.note else ""


_OUTSIDE = {
    "gdpr": "national law of the member states, decisions of courts and authorities", "eu-ai-act": "harmonised standards, codes of practice and national law",
    "hipaa": "state law and 42 CFR Part 2", "dpdp": "sector rules and state law of India", "fda": "guidance that is not indexed and decisions on"
    " single devices", "mdr": "MDCG guidance and national law",
}  # fmt: skip


def _not_covered(claims: Sequence[Claim], library: Library, question: str) -> list[str]:
    """What the answer leaves out: telling words of the question that no claim uses, and the law beside each framework."""
    used = set(tokens(" ".join(claim.text for claim in claims))) | set(tokens(" ".join(claim.citations[-1].pinpoint.address for claim in claims)))
    silent = []
    for word in re.findall(r"[A-Za-z][A-Za-z-]{3,}", told(question)):
        stems = tokens(word)
        if stems and not set(stems) & used and not set(tokens(expand(word))) & used and refuse.rarity(library, stems[0]) >= 5.0 and word.lower() not in silent:
            silent.append(word.lower())
    frameworks = dict.fromkeys(framework_of(c.instrument) for claim in claims for c in claim.citations)
    out = [f"What this does not cover: {'; '.join(_OUTSIDE[f] for f in frameworks if f in _OUTSIDE)}"] if any(f in _OUTSIDE for f in frameworks) else []
    if silent:
        out.insert(0, f"No quotation above speaks of: {', '.join(silent[:5])}")
    return out
