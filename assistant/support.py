"""Whether a passage bears a claim: every number, actor, duty, negation, condition and reference, and the content.

Hard checks refuse by themselves, each with its reason; what they let through is weighed by a learned sum of overlap
features (`corpus/bearing.toml`). Works on words alone; knows nothing of libraries, addresses or models.
"""

import itertools
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant import relations
from assistant.actors import exchanged, participle
from assistant.vocabulary import WORD, Words, actor_of, alike, covers, light_words, opposites, prepared, stem, tables


@dataclass(frozen=True, slots=True)
class Bearing:
    """Whether a passage bears a claim, how well (0 to 1), and what speaks against it."""

    supported: bool
    score: float
    reasons: tuple[str, ...]


# ---- windows of a passage ----------------------------------------------------------------------------------------


def windows(passage: str) -> list[str]:
    """The stretches of a passage that may bear a claim: each sentence, each point with its opening, neighbours, and the whole."""
    lines = [line.strip() for line in passage.split("\n") if line.strip()]
    found: list[str] = []
    lead = ""
    for line in lines:
        parts = [p for p in re.split(r"(?<=[.;?!])\s+(?=[A-Z“‘\"(])", line) if p]
        for part in parts:
            found.append(f"{lead} {part}" if lead and re.match(r"\(?\w{1,5}[.)]", line) else part)
        if parts and parts[-1].rstrip().endswith((":", "—", "-")):
            lead = parts[-1]
        elif parts and not re.match(r"\(?\w{1,5}[.)]", line):
            lead = ""
    pairs = [f"{a} {b}" for a, b in itertools.pairwise(found)]
    return list(dict.fromkeys([*found, *pairs]))[:400]


def best_window(claim: Words, passage: str) -> tuple[str, Words]:
    """The stretch that shares most of the claim's content; the shorter one among equals."""
    wanted = claim.content()
    numbers = {w for w in claim.low if w[0].isdigit()}
    best: tuple[float, str, Words] = (-1.0, passage, Words.of(passage))
    for text in windows(passage):
        words = Words.of(text)
        have = set(words.stems)
        share = sum(covers(w, have) for w in wanted) / (len(wanted) or 1)
        share += 0.3 * len(numbers & set(words.low)) / (len(numbers) or 1)
        value = share - 0.0015 * len(words.low)
        if value > best[0]:
            best = (value, text, words)
    return best[1], best[2]


# ---- quantities --------------------------------------------------------------------------------------------------

_NUMBER_WORDS = {
    w: n for n, w in enumerate(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"])
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100, "twice": 2, "half": 0.5}  # fmt: skip
_UNIT_HOURS = {"hour": 1.0, "day": 24.0, "week": 168.0}
_UNIT_MONTHS = {"month": 1.0, "year": 12.0}
_QUANTITY = re.compile(
    r"(?P<cur>EUR|USD|INR|Rs\.?|€|\$|₹)?\s?(?P<n>\d{1,3}(?:[ ,\u00a0\u202f]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\b(?:" + "|".join(_NUMBER_WORDS) + r")(?:[- ](?:one"
    r"|two|three|four|five|six|seven|eight|nine|hundred))?\b)"
    r"(?:\s*\(\d+\))?[\s-]*(?P<scale>million|billion|crores?|lakhs?|thousand|hundred|m\b)?[\s-]*(?:of )?"
    r"(?P<unit>%|per ?cent\b|(?:(?:calendar|working|business|work|consecutive) )?(?:hours?|days?|weeks?|months?|years?)\b|EUR\b|euros?\b|dollars?\b"
    r"|rupees?\b)?",
    re.I,
)  # fmt: skip
_SCALES = {"million": 1e6, "m": 1e6, "billion": 1e9, "crore": 1e7, "crores": 1e7, "lakh": 1e5, "lakhs": 1e5, "thousand": 1e3, "hundred": 1e2}
_MINIMUM = re.compile(
    r"(?:at least|not less than|no less than|in no (?:case|event) less than|minimum(?: of)?|no fewer than|a minimum period of)\s*(?:\w+\s+){0,2}$|^\s*(?:or more|at (?:the )?least"
    r"|minimum|or over)",
    re.I,
)
_MAXIMUM = re.compile(
    r"(?:at most|in no (?:case|event) (?:more|later) than|not more than|no more than|up to|not exceed(?:ing)?|no later than|not later than|within|maximum(?: of)?|latest within|in no case"
    r" later than|under|(?<!no )(?<!not )(?<!case )(?<!event )(?:less|fewer) than|below|not exceed)\s*(?:\w+\s+){0,2}$|^\s*(?:or less|or fewer|at (?:the )?(?:most|latest)|maximum)",
    re.I,
)
_OVER = re.compile(r"(?<!not )(?<!no )(?<!case )(?<!event )(?:more than|exceed(?:s|ing)?|over|above|greater than|longer than|after)\s*(?:\w+\s+){0,2}$", re.I)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its kind (hours, months, percent, money, plain, working days) and the side it bounds: min, max, over or none."""

    kind: str
    value: float
    side: str


def quantities(text: str) -> list[Quantity]:
    """The quantities of a text; numbers of articles, paragraphs and dates are not among them."""
    text = re.sub(r"\((?:\d{1,2}|\d{1,2} (?:and|to) \d{1,2}|paragraphs? \d+\w?(?: (?:and|to) \d+)?)\)", " ", _strip_references(text))
    found = []
    for m in _QUANTITY.finditer(text):
        raw = m["n"].lower()
        unit = (m["unit"] or "").lower()
        value = _value(raw)
        if value is None or (raw in ("one", "two") and not unit and not m["scale"]) or raw == "half":
            continue
        value *= _SCALES.get((m["scale"] or "").lower(), 1.0)
        before, after = text[max(0, m.start() - 40) : m.start()], text[m.end() : m.end() + 20]
        side = (
            "min"
            if _MINIMUM.search(before) or _MINIMUM.match(after)
            else "max"
            if _MAXIMUM.search(before) or _MAXIMUM.match(after)
            else "over"
            if _OVER.search(before)
            else ""
        )
        found.append(_quantity(value, unit, bool(m["cur"]), side))
    return found


def _quantity(value: float, unit: str, currency: bool, side: str) -> Quantity:
    word = unit.split()[-1].rstrip("s") if unit else ""
    if re.match(r"working|business|work ", unit):
        return Quantity("workdays", value, side)
    if word in _UNIT_HOURS:
        return Quantity("hours", value * _UNIT_HOURS[word], side)
    if word in _UNIT_MONTHS:
        return Quantity("months", value * _UNIT_MONTHS[word], side)
    if unit.startswith(("%", "per")):
        return Quantity("percent", value, side)
    if currency or word in ("eur", "euro", "dollar", "rupee"):
        return Quantity("money", value, side)
    return Quantity("plain", value, side)


def _value(raw: str) -> float | None:
    if raw[0].isdigit():
        return float(re.sub(r"[ ,\u00a0\u202f]", "", raw))
    parts = re.split(r"[- ]", raw)
    numbers = [_NUMBER_WORDS.get(p) for p in parts]
    if any(n is None for n in numbers):
        return None
    if len(numbers) == 2 and parts[1] == "hundred":
        return float((numbers[0] or 0) * 100)
    return float(sum(n for n in numbers if n is not None))


# ---- references and dates ----------------------------------------------------------------------------------------

_REFERENCE = re.compile(
    r"(?P<unit>\bArticles?|\bArts?\.|\bparagraphs?|\bpara\.|\bpoints?|\bAnnex(?:es)?|\bRecitals?|\b[Ss]ections?|\bsub-?sections?|\bRules?|\bsub-?rules?"
    r"|\bclauses?|\bParts?|\bChapters?|\bSchedule|\b[Cc]lass(?:es)?|\b[Cc]ategory|\b[Tt]iers?|\b[Pp]hases?|\b[Tt]ables?|\bModules?|\bTitles?|§{1,2})\s*"
    r"(?P<n>(?:\d+[A-Za-z]?|[IVX]{1,5}[a-c]?\b|\([0-9A-Za-z]{1,4}\))(?:\.\d+)*(?:\([0-9A-Za-z]{1,4}\))*(?:(?:,| and| or| to|,? and/or)\s*(?:\d+[a-z]?\b"
    r"|\([0-9a-zA-Z]{1,4}\))(?:\([0-9A-Za-z]{1,4}\))*)*)",
)  # fmt: skip
_POINT_OF = re.compile(
    r"\b[Pp]oints? (?P<points>\(\w{1,4}\)(?:(?:,| and| or| to)* \(\w{1,4}\))*) (?:of|in) Article (?P<article>\d+[A-Za-z]?(?:\(\w{1,4}\))*)|"
    r"\bArticle (?P<ahead>\d+[A-Za-z]?(?:\(\w{1,4}\))*), (?:first subparagraph, )?points? (?P<after>\(\w{1,4}\)(?:(?:,| and| or| to)* \(\w{1,4}\))*)"
)
_REG_NUMBER = re.compile(r"\b(?:\(E[UC]\)\s*)?(?:No\s*)?\d{2,4}/\d{2,4}(?:/E[UC])?\b")
_CFR = re.compile(r"\b\d{2,3}\.\d{2,4}(?:\([0-9A-Za-z]{1,4}\))*")
_DATE = re.compile(
    r"\b(\d{1,2})\s+(January|February|March|April|May|June|July|August|September|October|November|December)\s+(\d{4})|\b(January|February|March|April"
    r"|May|June|July|August|September|October|November|December)\s+(\d{1,2}),?\s+(\d{4})"
)


def _strip_references(text: str) -> str:
    for pattern in (_DATE, _REG_NUMBER, _REFERENCE, _CFR):
        text = pattern.sub(" ", text)
    return re.sub(r"^\s*(?:\(?\d{1,3}[.)]|\(\w{1,4}\))\s+|(?<=\n)\s*(?:\(?\d{1,3}[.)]|\(\w{1,4}\))\s+", " ", text)


def references(text: str) -> set[str]:
    """The provisions and laws that a text names, each as its bare number with letters."""
    found: set[str] = set()
    for m in _REFERENCE.finditer(text):
        unit = m["unit"].lower().rstrip("s.")
        kind = {
            "art": "article",
            "para": "paragraph",
            "annexe": "annex",
            "subsection": "paragraph",
            "sub-section": "paragraph",
            "§": "section",
            "§§": "section",
        }.get(unit, unit)
        base = ""
        for n in filter(None, map(str.strip, re.split(r",|\band/or\b|\band\b|\bor\b|\bto\b", m["n"]))):
            found.add(f"{kind} {base}{n.lower()}" if base else f"{kind} {n.strip('()').lower()}" if n.startswith("(") else f"{kind} {n.lower()}")
            base = base if n.startswith("(") else re.sub(r"\([^()]*\)$", "", n).lower() if n.endswith(")") else ""
    for m in _POINT_OF.finditer(text):
        article, points = m["article"] or m["ahead"], m["points"] or m["after"]
        found.update(f"article {article.lower()}{point.lower()}" for point in re.findall(r"\(\w{1,4}\)", points))
    for m in re.finditer(r"(?:^|\n)\s*\(?([0-9]{1,3}[a-z]?|[a-z]{1,4})[.)]", text):
        found.update({f"paragraph {m[1]}", f"point {m[1]}"})
    found.update(re.sub(r"\(E[UC]\)|No|\s", "", m[0]) for m in _REG_NUMBER.finditer(text))
    found.update(m[0].lower() for m in _CFR.finditer(text))
    return found


def dates(text: str) -> set[tuple[str, str, str]]:
    """The calendar dates of a text as (day, month, year)."""
    return {(m[1] or m[5], (m[2] or m[4]).lower(), m[3] or m[6]) for m in _DATE.finditer(text)}


# ---- duties, negation, conditions --------------------------------------------------------------------------------

_MODES = (
    ("may", r"\b(?:shall|must) have the right\b"),
    ("mustnot", r"\b(?:shall|must|may) (?:\w+ )?(?:not|never)\b(?! (?:apply|be (?:obliged|required)))|\bcannot\b|\bcan not\b|\b(?:is|are) (?:prohibited|forbidden|not allowed"
        r"|not permitted|barred|banned)\b|\bprohibit\w*|\bforbid\w*|\bno (?!longer|later|less|more|fewer)\w+(?: \w+){0,3} (?:shall|may|must)\b|\bneither\b.{0,60}\b(?:may|shall|must)\b|\b(?:may|shall|must) (?:be )?neither\b"),
    ("neednot", r"\bneed not\b|\b(?:is|are) not (?:required|obliged|necessary|mandatory)\b|\bdo(?:es)? not (?:have|need) to\b|\bnot be (?:required|obliged)\b"
        r"|\bshall not apply\b|\bdo(?:es)? not apply\b|\bwithout having to\b|\bexempt\w*|\bnot (?:be )?(?:required|necessary)\b"),
    ("must", r"\bshall\b|\bmust\b|\b(?:is|are|be) (?:required|obliged|to be|obligated|bound)\b|\b(?:has|have|having) to\b|\brequires?\b|\bneeds? to\b"
        r"|\bobligation\b|\bduty\b|\bmandatory\b|\bcompulsory\b|\(required\)|\bis responsible for\b"),
    ("should", r"\bshould\b|\brecommend\w*|\badvis(?:e|ed|able)\b|\bencourag\w*|\bought\b"),
    ("may", r"\bmay\b|\bcan\b|\b(?:is|are) (?:allowed|permitted|entitled|free|authori[sz]ed) to\b|(?<!must )(?<!shall )\b(?:permits?|allows?)\b|\bhas the right\b|\bhave"
        r" the right\b|\boptional\b|\bat (?:its|their|his) discretion\b|\bpossible\b"),
    ("addressable", r"\baddressable\b"),
)  # fmt: skip
_MODE_PATTERNS = tuple((name, re.compile(p, re.I)) for name, p in _MODES)
_ALLOWED = {
    "must": {"must", "addressable"}, "mustnot": {"mustnot", "neednot"}, "neednot": {"neednot"}, "should": {"should"}, "may": {"may"},
    "addressable": {"addressable"},
}  # fmt: skip
_NOT = re.compile(
    r"\b(?:not(?! (?:exceed|only|merely|(?:less|more|later|fewer) than))|no(?! (?:less|more|later|fewer|earlier|sooner|matter)\b)|absence|never|cannot|neither|nor|without(?! exception)|none|nothing|unless|except|with the exception|(?<!this )(?<!that )(?<!the )prohibition|prohibit(?!ion)\w*|forbid\w*|forbidden|exclud\w*|fail\w*|refus\w*|den(?:y|ies"
    r"|ied)|un(?:lawful|likely|necessary|able)\w*|in(?:applicable|valid)|need not|exempt\w*|rather than|other than|instead)\b|n't\b",
    re.I,
)
_CONDITION = re.compile(
    r"\b(?P<word>unless|except(?: (?:where|when|as|if|for|that|in))?|only (?:if|where|when|to the extent|for|in|to|under|with)|provided that|subject to|without|other than"
    r"|save (?:where|as|for)|with the exception of|insofar as|in so far as|to the extent|where|when|if|in (?:the )?cases? (?:where|of|in which)|as"
    r" long as|in the event)\b",
    re.I,
)
_HARD = ("unless", "without", "except", "only", "provided", "subject", "other than", "save", "with the exception", "insofar", "in so far", "to the extent")
_HARD_MARK = re.compile(
    r"\b(?:unless|except\w*|only|provided|subject to|other than|save|apart from|but not|without|limited|insofar|in so far|to the extent|not apply|if"
    r"|where|when)\b",
    re.I,
)
_CLAIM_CONDITION = re.compile(
    r"\b(?:unless|except\w*|only|provided|subject to|other than|save|apart from|but not|exempt\w*|where|when|whenever|if|in case|in the event|once|as"
    r" long as|insofar|in so far|to the extent|likely|for (?:high|large)|depend\w*|after|upon|on (?:withdrawal|request)|need\w* not|otherwise|outside"
    r"|without|absent|until|following|save|limited to|conditions?|certain|some)\b",
    re.I,
)


def modes(text: str) -> list[tuple[str, int]]:
    """The duties, permissions and bans of a text in order of place; a narrower reading hides a wider one at the same place."""
    taken: list[tuple[int, int]] = []
    found = []
    for name, pattern in _MODE_PATTERNS:
        for m in pattern.finditer(text):
            if all(m.end() <= a or m.start() >= b for a, b in taken):
                taken.append((m.start(), m.end()))
                found.append((name, m.start()))
    return sorted(found, key=lambda f: f[1])


# ---- the checks --------------------------------------------------------------------------------------------------


def _check_quantities(claim: str, window: str, passage: str) -> list[str]:
    reasons = []
    near, far = quantities(window), quantities(passage)
    for q in quantities(claim):
        same = [w for w in near if w.kind == q.kind and math.isclose(w.value, q.value)]
        wide = [w for w in far if w.kind == q.kind and math.isclose(w.value, q.value)]
        rivals = [w for w in near if w.kind == q.kind]
        if not same and not wide:
            reasons.append(f"number: {q.value:g} {q.kind} is not in the passage")
        elif not same and rivals:
            reasons.append(f"number: the words say {rivals[0].value:g} {rivals[0].kind}, not {q.value:g}")
        elif q.side and not any(_same_side(q.side, w.side) for w in same or wide):
            reasons.append(f"bound: '{q.side}' of {q.value:g} {q.kind} is not what the passage says")
    return reasons


def _same_side(a: str, b: str) -> bool:
    return a == b or (not b and a in ("max", "min")) or {a, b} == {"over", "min"}


def _check_references(claim: str, window: str, passage: str) -> list[str]:
    have = references(passage)
    numbers = {r.split(" ")[-1] for r in have}
    reasons = [
        f"reference: {r} is not named in the passage"
        for r in sorted(references(claim))
        if r not in have and not any(h.startswith(r + "(") for h in have) and (r.split(" ")[-1] not in numbers or _other_unit(r, have))
    ]
    reasons.extend(f"date: {' '.join(d)} is not in the passage" for d in sorted(dates(claim) - dates(passage)))
    near = references(window)
    for r in sorted(references(claim) & (have - near)):
        unit, root = r.split(" ")[0], r.split("(")[0]
        rival = next((n for n in sorted(near - references(claim)) if n.split("(")[0] == root and n != root and r != root and unit == n.split(" ")[0]), "")
        if rival:
            reasons.append(f"reference: the words name {rival}, not {r}")
    return reasons


def _check_dates(claim: str, passage: str) -> list[str]:
    """A date beside a reference that the passage gives another date."""
    theirs = _dated(passage)
    wrong = [(r, d) for r, days in _dated(claim).items() for d in days if theirs.get(r) and d not in theirs[r]]
    return [f"date: the passage does not give {' '.join(d)} for {r}" for r, d in wrong[:1]]


def _dated(text: str) -> dict[str, set[tuple[str, str, str]]]:
    """For each reference the dates that stand after it in its sentence, up to the next reference."""
    found: dict[str, set[tuple[str, str, str]]] = {}
    for sentence in re.split(r"(?<=[.;?!])\s+|\n", text):
        starts = [m.start() for m in _REFERENCE.finditer(_DATE.sub(lambda m: "-" * len(m[0]), sentence))]
        for a, b in itertools.pairwise([*starts, len(sentence)]):
            for name in references(sentence[a:b]):
                found.setdefault(name, set()).update(dates(sentence[a:b]))
    return found


def _other_unit(reference: str, have: set[str]) -> bool:
    """Whether the passage uses the same number only for another kind of provision."""
    unit, _, number = reference.rpartition(" ")
    return bool(unit) and not any(h.rpartition(" ")[0] in ("", unit) and h.rpartition(" ")[2] == number for h in have)


def _check_actors(claim: Words, window: Words, passage: Words) -> list[str]:
    mine = [a for a in _actors(claim) if a]
    near, far = set(_actors(window)), set(_actors(passage))
    reasons = []
    for actor in dict.fromkeys(mine):
        if actor == "provider" and "hcprovider" in far:
            continue
        if actor not in far:
            if far and "you" not in passage.low:
                reasons.append(f"actor: the passage does not speak of the {actor}")
        elif actor not in near and near and actor in _subject(claim):
            reasons.append(f"actor: the words are about the {sorted(near)[0]}, not the {actor}")
    reasons.extend(f"actor: the passage does not speak of '{w}'" for w in _unknown_subjects(claim, passage))
    if not reasons:
        a, b = _subject(claim), _subject(window)
        if a and b and not a & b and "?" not in a | b and len(near) > 1:
            reasons.append(f"actor: the passage binds the {sorted(b)[0]}, not the {sorted(a)[0]}")
    return reasons


def _actors(words: Words) -> list[str]:
    return [s for w in words.low if (s := actor_of(w))]


def _subject(words: Words) -> set[str]:
    """The actors that stand right before a duty or permission ("the processor shall"), or after its "by"; "?" for a pronoun."""
    found: set[str] = set()
    for i, w in enumerate(words.low):
        if w not in ("shall", "must", "may", "should", "has", "have", "needs"):
            continue
        passive = next((k for k in (i + 2, i + 3) if words.low[k - 1 : k] == ("be",) and participle("".join(words.low[k : k + 1]))), 0)
        if passive:
            by = words.low[passive : passive + 20]
            near = by[by.index("by") + 1 :][:4] if "by" in by else ()
            found.update({"?"} if near[:1] in (("it",), ("them",), ("him",), ("her",)) else ())
        else:
            near = words.low[max(0, i - 4) : i]
            found.update({"?"} & {"?" if t in ("it", "they", "he", "she") else "" for t in words.low[max(0, i - 1) : i]})
        found.update(actor for back in near if (actor := actor_of(back)))
    return found


def _unknown_subjects(claim: Words, passage: Words) -> list[str]:
    """The words right before a duty or permission that the passage has in no form."""
    have, light = set(passage.stems), light_words()
    found = []
    for i, w in enumerate(claim.low):
        before = claim.low[i - 1] if i else ""
        if (
            w in ("shall", "must", "may", "should")
            and before.isalpha()
            and stem(before) not in light
            and before != "but"
            and not actor_of(before)
            and not covers(stem(before), have)
        ):
            found.append(before)
    return found


def _check_modes(claim: str, window: str, passage: str) -> list[str]:
    mine = {m for m, at in modes(claim) if not _SUBORDINATE_CAN.search(claim[: at + 3])}
    have = {m for m, _ in modes(window)}
    wide = {m for m, _ in modes(passage)}
    reasons = []
    for mode in sorted(mine):
        pool = have or wide
        if pool and not (_ALLOWED[mode] & pool) and not (mode == "must" and not pool & {"should", "may", "addressable", "mustnot", "neednot"}):
            reasons.append(f"modality: the passage says {'/'.join(sorted(pool))}, not {mode}")
    reasons.extend(_check_label(claim, passage))
    local = _local_mode(claim, window) or _governed(claim, window)
    if local:
        reasons.append(local)
    return list(dict.fromkeys(reasons))


_SUBORDINATE_CAN = re.compile(r"\b(?:that|who|which|where|if|unless|when|so|whereby)\b[^;.]*\bcan$", re.I)


def _check_label(claim: str, passage: str) -> list[str]:
    """Whether what the claim speaks of bears the label, "(Required)" or "(Addressable)", that the claim gives it."""
    said = {"addressable" if m[0].lower() in ("addressable", "optional") else "required" for m in _LABEL.finditer(claim)}
    labelled = [(Words.of(m[1]), m[2].lower()) for m in re.finditer(r"([^.;\n]+?)[.\s]*\((Required|Addressable)\)", passage, re.I)]
    if len(said) != 1 or not labelled:
        return []
    wanted = Words.of(_LABEL.sub(" ", claim)).content()
    part, label = max(labelled, key=lambda one: (sum(covers(w, set(one[0].stems)) for w in wanted), -len(one[0].low)))
    return [] if label in said or not any(covers(w, set(part.stems)) for w in wanted) else [f"modality: {label}, not {said.pop()}"]


_LABEL = re.compile(r"\b(?:required|mandatory|compulsory|addressable|optional)\b", re.I)
_VERB = re.compile(
    r"\b(?P<mode>shall not|must not|may not|should not|need not|cannot|shall|must|may|should|can)\s+(?:also |then |only |always |be |have "
    r"|immediately |without undue delay |where \w+ )*(?P<verb>[a-z]+)",
    re.I,
)
_DOES = re.compile(r"(?:refus|den[yi]|fail|exclud|exempt|prohibit|forbid)")
_MODE_OF = {
    "shall": "must",
    "must": "must",
    "should": "should",
    "may": "may",
    "can": "may",
    "shall not": "mustnot",
    "must not": "mustnot",
    "may not": "mustnot",
    "cannot": "mustnot",
    "should not": "shouldnot",
    "need not": "neednot",
}


def _local_mode(claim: str, window: str) -> str:
    """A verb whose duty differs: "may notify" against "shall notify"."""
    theirs: dict[str, set[str]] = {}
    for m in _VERB.finditer(window):
        theirs.setdefault(stem(m["verb"].lower()), set()).add(_MODE_OF[m["mode"].lower()])
    for m in _VERB.finditer(claim):
        verb, mode = stem(m["verb"].lower()), _MODE_OF[m["mode"].lower()]
        said = next((modes_ for v, modes_ in theirs.items() if alike(v, verb)), None)
        if said and mode not in said:
            return f"modality: the passage says '{'/'.join(sorted(said))} {m['verb']}', not '{mode}'"
    return ""


def _governed(claim: str, window: str) -> str:
    """A duty whose next words stand under another duty or permission in the passage."""
    theirs = modes(window)
    for mode, at in modes(claim):
        if mode not in ("must", "may", "should") or _SUBORDINATE_CAN.search(claim[: at + 3]):
            continue
        after = Words.of(re.sub(r"^\S+", "", claim[at : at + 120])).content()[:5]
        found: list[str] = []
        for word in after:
            for place in _places(window, [word])[:1]:
                stop = max(window.rfind(". ", 0, place), window.rfind("; ", 0, place), window.rfind("\n", 0, place))
                over = [m for m, p in theirs if stop < p < place]
                found.extend(over[-1:])
        if len(found) >= 2 and len(set(found)) == 1 and found[0] not in _ALLOWED[mode] and found[0] != "addressable":
            return f"modality: the passage says '{found[0]} {' '.join(after)}', not '{mode}'"
    return ""


def _check_negation(claim: str, window: str, claim_words: Words, window_words: Words) -> list[str]:
    """Whether a word is negated on one side only: the words right after each negation are looked up on the other side."""
    reasons = []
    for source, target, name in ((claim, window, "claim"), (window, claim, "passage")):
        for m in _NOT.finditer(source):
            word = m[0].lower()
            if _DOES.match(word) and any(alike(stem(word), s) for s in (window_words if name == "claim" else claim_words).stems):
                continue  # refusing is done on both sides: it is no "not"
            if name == "passage" and word in ("unless", "except", "without", "other than", "rather than", "instead", "none", "nothing", "nor", "neither"):
                continue
            if word == "need not" and any(mode == "neednot" for mode, _ in modes(target)):
                continue
            after = list(Words.of(source[m.end() : m.end() + 60]).content()[:2])
            if not after:
                if name == "claim" and not _NOT.search(target):
                    reasons.append(f"negation: '{word}' stands only in the claim")  # "was not 0.91"
                continue
            hits = list(_places(target, after))
            if hits and not any(_denied(target[max(0, at - 60) : at + 25], after) for at in hits):
                if name == "passage" and len(after) > 1 and not all(any(alike(a, s) for s in claim_words.stems) for a in after):
                    continue
                reasons.append(f"negation: '{word} {' '.join(after)}' stands only in the {name}")
            elif not hits and name == "claim" and not _NOT.search(target):
                reasons.append(f"negation: '{word}' stands only in the claim")
    return list(dict.fromkeys(reasons))[:2]


def _denied(text: str, words: Sequence[str]) -> bool:
    """Whether a stretch holds a negation other than one of these words themselves: "exempt" does not say "not exempt"."""
    return any(not any(alike(stem(m[0].lower()), w) for w in words) for m in _NOT.finditer(text))


def _places(text: str, wanted: Sequence[str]) -> list[int]:
    """Where the first of the wanted stems stands in a text."""
    spread = prepared(text)
    return [int(m.start() * len(text) / max(1, len(spread))) for m in re.finditer(r"[A-Za-z]+", spread) if alike(stem(m[0].lower()), wanted[0])]


def _told_before(text: str, told: set[str]) -> bool:
    """Whether a claim tells what stands right before a condition, so that the condition is its own."""
    near = Words.of(text).content()[-3:]
    return sum(covers(w, told) > 0 for w in near) * 2 >= len(near)


_POINTER = re.compile(
    r"\s*(?:as (?:otherwise )?(?:provided|permitted|specified|set out|described) (?:in|by|for in|under)|(?:the )?(?:provisions|requirements) of)?\s*(?:§|paragraphs?|Articles?|sections?|\()"
)


def _split(text: str) -> list[str]:
    return re.split(r"(?<=[.;?!])\s+(?=[A-Z“‘\"(])|\n", text)


def _check_conditions(claim: str, window: str, passage: str, claim_words: Words) -> list[str]:
    """Conditions and exceptions of the sentence that the claim restates, where the claim leaves them out altogether.

    What counts is the words that only the condition has; words that the rest of the sentence uses too prove nothing.
    """
    mine = set(claim_words.content())
    close = _ordered(claim_words, Words.of(window)) >= 0.75
    reasons = []
    for sentence in dict.fromkeys(_split(window) + _split(passage)):
        least = 0.4 if sentence in window else 0.8  # of a sentence elsewhere the claim must tell nearly all
        for m in _CONDITION.finditer(sentence):
            word = m["word"].lower()
            if word == "without" and not re.search(r"\b(?:not|no|never|neither)\b", sentence[: m.start()], re.I):
                continue
            clause = re.split(r"[,;:.]", sentence[m.end() :], maxsplit=1)[0]
            if not close and (re.search(r"\b(?:be|is|are|been) $", sentence[: m.start()]) or _POINTER.match(clause)):
                continue
            rest = Words.of(sentence[: m.start()] + " " + sentence[m.end() + len(clause) :]).content()
            told = sum(covers(w, mine) > 0 for w in rest)
            if not rest or told / len(rest) < least or (sentence not in window and told < 0.5 * len(mine)):
                continue
            own = [w for w in Words.of(clause).content() if w not in rest] or Words.of(clause).content()
            hard = word.startswith(_HARD)
            if m.start() >= 12 and not _told_before(sentence[: m.start()], mine):
                continue
            trailing = close and word in ("if", "where", "when") and len(own) > 1
            if not own or not (hard or trailing or (_opens(sentence, m.start()) and (close or len(own) > 1))):
                continue
            covered = sum(w in mine if close else covers(w, mine) > 0 for w in own) / len(own)
            marked = bool(_CLAIM_CONDITION.search(claim))
            bare = close and hard and not _HARD_MARK.search(claim)  # word for word, but for the condition
            if bare or covered < (0.2 if marked else 0.5) if hard else covered < (0.15 if marked else 0.34):
                reasons.append(f"condition: '{word} {' '.join(clause.split()[:6])}' is left out")
    return reasons[:2]


def _ordered(claim: Words, window: Words) -> float:
    """The share of a claim's words that stand in the window in the same order."""
    from difflib import SequenceMatcher

    blocks = SequenceMatcher(None, claim.stems, window.stems, autojunk=False).get_matching_blocks()
    return sum(b.size for b in blocks) / (len(claim.stems) or 1)


def _opens(sentence: str, at: int) -> bool:
    """Whether a where-clause opens its sentence, so that the rest hangs on it."""
    return at < 12


_ALL = frozenset(["all", "any", "each", "every"])
_SOME = re.compile(r"\b(?:some|several|certain|most|a few|a majority|(?:at least )?one|half)(?: of)?(?: the| these| those| its| their)?$", re.I)
_NOUNS = re.compile(
    r"\b(?P<how>all|any|each|every|some of|some|several|certain|most of|most|a majority of|half of|one of)\s+(?P<thing>[\w-]+(?:[ ][\w-]+){0,4})", re.I
)


def _check_extent(claim: str, passage: str) -> list[str]:
    """ "All" and "every" of what the passage says of some only, and "some" of what it says of all.

    The thing is the first word after it that the passage uses too; a word before that thing in the passage narrows it.
    """
    always = _ALWAYS.search(claim)
    if always and not _ALWAYS.search(passage) and not (always[0].lower() == "whatever" and re.search(r"\b(?:any|every|all)\b", passage)):
        return [f"extent: '{always[0].lower()}' stands only in the claim"]
    words = Words.of(passage)
    told = set(Words.of(claim).stems)
    for m in _NOUNS.finditer(" ".join(prepared(claim).split())):
        how = m["how"].lower().removesuffix(" of")
        thing = next((stem(w) for w in WORD.findall(m["thing"].lower()) if stem(w) not in light_words() and stem(w) in words.stems), "")
        places = [i for i, s in enumerate(words.stems) if s == thing]
        if not places or thing in _TIMES:
            continue
        ahead = [words.low[max(0, i - 4) : i] for i in places]
        if how in _ALL and all(_narrowed(a, told) for a in ahead):
            return [f"extent: '{how} {thing}' is more than the passage says"]
        if how not in _ALL and any(_ALL & set(a) for a in ahead) and not any(re.search(rf"\b{how.split()[-1]}\b", " ".join(a)) for a in ahead):
            return [f"extent: '{how} {thing}' is less than the passage says"]
    return []


def _narrowed(ahead: Sequence[str], told: set[str]) -> bool:
    """Whether the last word before a thing narrows it to some, and the claim does not tell it."""
    if not ahead or ahead[-1] in _ALL or stem(ahead[-1]) in light_words() - _NARROWING:
        return False
    return ahead[-1].isalpha() and covers(stem(ahead[-1]), told) == 0


_ALWAYS = re.compile(
    r"\b(?:in (?:all|every|any) cases?|always|at all times|without exception|even|regardless|irrespective|unconditional\w*|whatever|no matter|however (?:small|large|big|minor|slight|trivial|remote|brief|short|long|few|many|little|much|old|new|serious)"
    r"|forever|for ever|whether or not|under no circumstances|at will)\b",
    re.I,
)
_TIMES = frozenset(["time", "day", "week", "month", "year", "hour"])
_NARROWING = frozenset(map(stem, ["certain", "further", "relevant", "particular", "such"])) - {stem("such")}


def _check_only(claim: str, passage: str) -> list[str]:
    """An "only" that the passage does not have, or has beside other words."""
    limits = re.compile(
        r"\b(?:only|solely|exclusively|unless|except|without|not(?! (?:later|less|more|fewer))|no(?! (?:longer|later|less|more|fewer))|nothing|limit\w*|restrict\w*|confin\w*|nobody|none|cannot|alone|prior|before)\b",
        re.I,
    )
    for m in re.finditer(r"\b(?:only|solely|exclusively|alone(?! software))\b", claim, re.I):
        if not limits.search(passage) or (not claim[: m.start()].strip() and not _LIMITS_WHO.search(passage)):
            return ["extent: 'only' stands only in the claim"]
        ahead, after = Words.of(re.split(r"[.,;:]", claim[: m.start()])[-1]).content()[-1:], Words.of(claim[m.end() :]).content()[:1]
        held = [set(Words.of(part).stems) for part in re.split(r"[.;,:\n]|\bbut\b", passage) if re.search(r"\b(?:only|solely|exclusively)\b", part, re.I)]
        if not held or not ahead or not after:
            continue
        if not any(covers(ahead[0], h) and covers(after[0], h) for h in held) and any(covers(after[0], h) for h in held):
            whole = set(Words.of(passage).stems)
            if covers(ahead[0], whole) and all(_only_beside(part, after[0]) for part in held):
                return [f"extent: the passage does not say 'only' of '{ahead[0]}'"]
    return []


_LIMITS_WHO = re.compile(r"\b(?:only|solely|exclusively|unless|except|other than|nobody|none|no (?!later|less|more|case|event)\w+)\b", re.I)


def _only_beside(part: set[str], word: str) -> bool:
    return covers(word, part) > 0


_BOUND = re.compile(r"\b(?:at (?P<a>least|most)|no(?:t)? (?P<b>less|more|fewer|later|earlier) than)\s+(?P<what>\w+(?: \w+)?)", re.I)
_LOW = frozenset(["least", "less", "fewer", "earlier"])


def _check_bounds(claim: str, passage: str) -> list[str]:
    """ "At most" for "at least" of the same thing, number or not."""

    def bounds(text: str) -> set[tuple[bool, str]]:
        return {((m["a"] or m["b"]).lower() in _LOW, " ".join(Words.of(m["what"]).stems)) for m in _BOUND.finditer(text)}

    theirs = bounds(passage)
    wrong = [what for low, what in bounds(claim) if (not low, what) in theirs and (low, what) not in theirs]
    return [f"bound: the passage bounds '{what}' on the other side" for what in wrong[:1]]


def _check_opposites(claim: Words, window: Words) -> list[str]:
    have = set(window.stems)
    reasons = []
    for s in dict.fromkeys(claim.stems):
        against = opposites().get(s, frozenset()) & have
        if against and s not in have and not any(alike(s, h) for h in have - against):
            reasons.append(f"opposite: '{sorted(against)[0]}' in the passage, '{s}' in the claim")
    return reasons


_STRICT = (
    "all",
    "any",
    "every",
    "each",
    "only",
    "always",
    "solely",
    "exclusively",
    "both",
    "either",
    "immediately",
    "free",
    "written",
    "annually",
    "never",
    "automatically",
    "explicit",
    "explicitly",
)


_NO = re.compile(r"\b(?:(?:not|no)(?! (?:later|less|more|fewer|earlier|sooner|longer|exceed))|cannot|never|neither|nor|without|none)\b")
_DUTY_STEMS = frozenset(map(stem, ["shall", "must", "should", "may", "can", "pursuant", "accordance", "according", "example", "notably", "order", "prior"]))


def _check_swaps(claim: Words, window: Words) -> list[str]:
    """In a claim that follows the passage word for word: words put in the place of others."""
    from difflib import SequenceMatcher

    blocks = SequenceMatcher(None, claim.stems, window.stems, autojunk=False).get_matching_blocks()
    matched = sum(b.size for b in blocks)
    if matched < 0.7 * len(claim.stems) or len(claim.stems) < 6:
        return []
    reasons = []
    light = light_words() | _DUTY_STEMS
    start = SequenceMatcher(None, (), ()).get_matching_blocks()[0]
    for a, b in zip([start, *blocks], blocks, strict=False):
        here, there = slice(a.a + a.size, b.a), slice(a.b + a.size, b.b)
        tail = b.a >= len(claim.stems)
        if tail:
            there = slice(there.start, min(there.stop, there.start + 3))
        mine, theirs = claim.stems[here], window.stems[there]
        if (
            max(len(mine), len(theirs)) <= 3
            and a.size
            and not tail
            and bool(_NO.search(" ".join(claim.low[here]))) != bool(_NO.search(" ".join(window.low[there])))
        ):
            reasons.append(f"negation: '{' '.join(mine)}' for '{' '.join(theirs)}'")
            continue
        if not mine or not theirs or len(mine) > 4 or len(theirs) > 4:
            continue
        who, whom = {x for w in claim.low[here] if (x := actor_of(w))}, {x for w in window.low[there] if (x := actor_of(w))}
        if who and whom and not who & whom:
            reasons.append(f"actor: the passage says {sorted(whom)[0]}, not {sorted(who)[0]}")
            continue
        near = b.size if a.size == 0 else a.size  # a word at the very start is held by what follows it
        if a.size == 0 and len(mine) + len(theirs) > 2:
            continue
        if near < (4 if tail or a.size == 0 else 2) or _same_quantity(claim.low[here], window.low[there]):
            continue
        new = [w for w in mine if not any(alike(w, t) for t in theirs)]
        gone = [t for t in theirs if not any(alike(w, t) for w in mine)]
        if [n for n in new if n not in light] and [g for g in gone if g not in light]:
            reasons.append(f"changed: '{' '.join(gone)}' became '{' '.join(new)}'")
        elif {"before", "prior"} & {*new} and not {"until", "earlier", "advanc", "within"} & {*gone}:
            reasons.append(f"changed: '{' '.join(new)}' for '{' '.join(theirs)}'")
        elif {"and", "or"} <= {*new, *gone}:
            reasons.append("changed: 'and' and 'or' are exchanged")
    return reasons[:2]


def _same_quantity(mine: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether two gaps hold one period or amount in different units: two years, 24 months."""
    a, b = quantities(" ".join(mine)), quantities(" ".join(theirs))
    return bool(a) and [(q.kind, q.value) for q in a] == [(q.kind, q.value) for q in b] and all(q.kind != "plain" for q in a)


# ---- the learned part --------------------------------------------------------------------------------------------

FEATURES = ("covered", "covered_window", "run", "order", "new_words", "length")


def features(claim: Words, window: Words, passage: Words) -> tuple[float, ...]:
    """Overlap of a claim with a passage, as numbers in the order of FEATURES."""
    from difflib import SequenceMatcher

    wanted = claim.content()
    have, near = set(passage.stems), set(window.stems)
    n = len(wanted) or 1
    wide = sum(covers(w, have) for w in wanted) / n
    close = sum(covers(w, near) for w in wanted) / n
    blocks = SequenceMatcher(None, claim.stems, window.stems, autojunk=False).get_matching_blocks()
    longest = max((b.size for b in blocks), default=0)
    order = sum(b.size for b in blocks) / (len(claim.stems) or 1)
    new = sum(covers(w, have) == 0 for w in wanted)
    return (wide, close, min(longest, 12) / 12, order, min(new, 8) / 8, min(len(wanted), 30) / 30)


def bears(claim: str, passage: str) -> Bearing:
    """Whether `passage` bears `claim`: no hard check fails and the learned sum reaches its level, sentence by sentence.

    A sentence that stands in the passage word for word, whole, needs no further check.
    """
    if not claim.strip() or not passage.strip():
        return Bearing(False, 0.0, ("empty",))
    passage = _addressed(passage)
    whole = {_plain(s) for s in _sentences(passage)}
    found = [Bearing(True, 1.0, ()) if _plain(s) in whole else _bears(s, passage) for s in _sentences(claim)]
    reasons = tuple(dict.fromkeys(r for b in found for r in b.reasons))
    return Bearing(not reasons, min((b.score for b in found), default=0.0), reasons)


_YOU = re.compile(r"\b[Ii]f you are an? ([a-z]+(?: [a-z]+){0,2}),")


def _addressed(passage: str) -> str:
    """A rule that speaks to "you", after "if you are a manufacturer", as one about the manufacturer."""
    who = _YOU.search(passage)
    if not who or len(set(_YOU.findall(passage))) > 1:
        return passage
    return re.sub(r"\b[Yy]our\b", f"the {who[1]}'s", re.sub(r"\b[Yy]ou\b", f"the {who[1]}", passage))


def _sentences(text: str) -> list[str]:
    """The sentences and lines of a text; what is too short to say anything stays with what follows."""
    parts = [p.strip() for p in re.split(r"(?<=[.;?!:])\s+(?=[A-Z“‘\"(])|\n", text) if p.strip()]
    joined: list[str] = []
    for part in parts:
        if joined and len(WORD.findall(joined[-1].lower())) < 6:
            joined[-1] = f"{joined[-1]} {part}"
        else:
            joined.append(part)
    if len(joined) > 1 and len(WORD.findall(joined[-1].lower())) < 4:
        joined[-2:] = [f"{joined[-2]} {joined[-1]}"]
    return joined or [text]


def _plain(sentence: str) -> str:
    """A sentence without its number, its last mark and its spacing."""
    bare = re.sub(r"^(?:\(?\w{1,5}[.)]\s+)+", "", " ".join(sentence.split()).lower())
    return bare.rstrip(" .;:,")


FEW = 2  # words of content: so short a claim says nothing that the passage has no word for


def _bears(claim: str, passage: str) -> Bearing:
    claim_words, passage_words = Words.of(claim), Words.of(passage)
    window, window_words = best_window(claim_words, passage)
    reasons = _hard_checks(claim, window, passage, claim_words, window_words, passage_words)
    learned = tables()["learned"]
    values = features(claim_words, window_words, passage_words)
    total = float(learned["bias"]) + sum(float(learned["weights"][name]) * v for name, v in zip(FEATURES, values, strict=True))
    score = 1 / (1 + math.exp(-total))
    told = claim_words.content()
    bare = len(told) <= FEW and any(covers(w, set(passage_words.stems)) == 0 for w in told)
    if bare or score < float(learned["level"]):
        missing = [w for w in claim_words.content() if covers(w, set(passage_words.stems)) == 0][:4]
        reasons.append(f"content: not in the passage: {', '.join(missing)}" if missing else "content: too little of the claim is in one place")
    return Bearing(not reasons, round(score if not reasons else min(score, 0.49), 4), tuple(reasons))


def _hard_checks(claim: str, window: str, passage: str, claim_words: Words, window_words: Words, passage_words: Words) -> list[str]:
    found: Iterable[list[str]] = (
        _check_quantities(claim, window, passage),
        _check_bounds(claim, passage),
        _check_references(claim, window, passage),
        _check_dates(claim, passage),
        relations.times(claim, passage),
        relations.complements(claim, passage),
        relations.pairs(claim, passage),
        relations.absolute(claim, window),
        relations.turned(claim_words, passage_words),
        relations.names(claim, passage),
        relations.untouched(claim, passage),
        relations.universal(claim, window),
        relations.misplaced(claim, passage),
        _check_actors(claim_words, window_words, passage_words),
        exchanged(claim, passage),
        _check_modes(claim, window, passage),
        _check_negation(claim, window, claim_words, window_words),
        _check_conditions(claim, window, passage, claim_words),
        _check_extent(claim, passage),
        _check_only(claim, passage),
        _check_opposites(claim_words, window_words),
        _check_swaps(claim_words, window_words),
    )
    return [reason for reasons in found for reason in reasons]
