"""Resolves a follow-up against the conversation by rules: "and for processors?", "what about India?", "how long?".

The result is a question that stands alone and is shown to the reader. Knows nothing of texts, search or models.
"""

import re
from collections.abc import Mapping, Sequence

from assistant.pinpoint import find_references

_LEAD = re.compile(
    r"^\s*(?:(?:and|but|so|ok(?:ay)?|then|also)[, ]+)*(?:(?:what|how) about|and|same for|what of|and for|for)\s+(?P<rest>.+?)\s*[?.!]*\s*$", re.I
)
_STARTS = re.compile(r"^\s*(?:and|but|so|then|also|what about|how about|same|what if)\b", re.I)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|that|this|those|these|they|them|their|he|she|his|her|there|then|one|ones|the same|such|otherwise|instead|either)\b", re.I
)
_SHORT = 5  # words: a shorter question leans on the one before

FRAMEWORK_NAMES = {
    r"(?:the )?gdpr|(?:the )?general data protection regulation|(?:in )?(?:europe|the eu|the european union)": "the GDPR",
    r"(?:the )?(?:eu )?ai act": "the AI Act",
    r"hipaa|(?:the )?(?:us|u\.s\.|united states|america)": "HIPAA",
    r"(?:the )?dpdp(?: act| rules|a)?|(?:in )?india|(?:the )?indian (?:law|act|rules)": "the DPDP Act in India",
    r"(?:the )?fda": "the FDA",
    r"(?:the )?mdr|(?:the )?medical devices? regulation": "the MDR",
}  # fmt: skip
_UNDER = re.compile(
    r"\s*\b(?:under|in|according to|by|of|for|per)\s+(?:the\s+)?(?:(?:eu\s+)?gdpr|general data protection regulation|(?:eu\s+)?ai act|hipaa"
    r"|dpdp(?:\s+act|\s+rules)?(?:\s+in\s+india)?|fda|mdr|india(?:n law)?|europe|eu)\b",
    re.I,
)
ACTORS = (
    "data protection officer", "supervisory authority", "joint controller", "controller", "sub-processor", "processor", "data subject",
    "authorised representative", "provider", "deployer",
    "importer", "distributor", "product manufacturer", "manufacturer", "user facility", "hospital", "covered entity", "business associate",
    "subcontractor", "health plan", "data fiduciary", "significant data fiduciary",
    "data processor", "data principal", "consent manager", "notified body", "sponsor", "investigator",
)  # fmt: skip
_PLURALS = {
    "supervisory authorities": "supervisory authority",
    "covered entities": "covered entity",
    "data fiduciaries": "data fiduciary",
    "notified bodies": "notified body",
    "user facilities": "user facility",
}
_UNIT = re.compile(
    r"^(?:art(?:icle|\.)?\s*(?P<art>\d+\w?)|(?:paragraph|para\.?|subsection)\s*\(?(?P<par>\d+\w?)\)?|(?:point|letter|item)\s*\(?(?P<point>\w{1,4})\)?"
    r"|(?:section|rule|recital|annex)\s*(?P<num>[\w.]+))$",
    re.I,
)


def rewrite(question: str, history: Sequence[Mapping[str, str]]) -> str:
    """The question as it stands alone. `history` holds {"q", "a"} of earlier turns, oldest first."""
    before = ""
    for turn in history:
        asked = turn.get("q", "").strip()
        before = _resolve(asked, before) if before else asked
    return _resolve(question.strip(), before) if before else question.strip()


def leans(question: str) -> bool:
    """Whether a question needs the one before it to be understood."""
    if any(True for _ in find_references(question, None)) and not _STARTS.match(question):
        return False
    words = re.findall(r"[\w'()-]+", question)
    return len(words) <= _SHORT or bool(_STARTS.match(question)) or (bool(_POINTS_BACK.search(question)) and len(words) <= 12)


def _resolve(question: str, before: str) -> str:
    if not leans(question):
        return question
    lead = _LEAD.match(question)
    rest = lead["rest"].strip() if lead else ""
    if not rest:
        return _joined(before, question)
    rest = re.sub(r"^(?:for|under|in|to|of|with|about)\s+", "", rest, flags=re.I)
    for resolved in (_framework(rest, before), _unit(rest, before), _actor(rest, before)):
        if resolved:
            return resolved
    return _joined(before, question)


def _joined(before: str, question: str) -> str:
    head = before.rstrip()
    head = head if head.endswith(("?", ".", "!")) else head + "?"
    return f"{head} {question[:1].upper()}{question[1:]}"


def _framework(rest: str, before: str) -> str:
    for pattern, name in FRAMEWORK_NAMES.items():
        if re.fullmatch(pattern, rest, re.I):
            bare = _UNDER.sub("", before).rstrip(" ?.!")
            return f"{bare} under {name}?" if name != "the FDA" else f"{bare} to {name}?"
    if re.match(r"^(?:out of|from|within|inside|outside)\s+india$", rest, re.I):
        return f"{_UNDER.sub('', before).rstrip(' ?.!')} {rest} under the DPDP Act?"
    return ""


def _actor(rest: str, before: str) -> str:
    wanted = _singular(re.sub(r"^(?:the|a|an|our|any)\s+", "", rest.lower()))
    if wanted not in ACTORS:
        return ""
    low = before.lower()
    subject = re.search(
        r"\b(?:must|shall|should|does|do|can|may|is|are|of)\s+(?:the|a|an|our|each|every)?\s*(?:\w+\s+)?(?P<who>" + "|".join(map(re.escape, ACTORS)) + r")s?\b",
        low,
    )
    article = "an" if wanted[0] in "aeiou" else "a"
    if not subject:
        return f"{before.rstrip(' ?.!')} for {article} {wanted}?"
    start, end = subject.span("who")
    start = re.search(r"(?:\b(?:the|a|an|our|each|every)\s+)?$", before[:start], re.I).start()  # type: ignore[union-attr]
    end += 1 if low[end : end + 1] == "s" else 0
    return f"{before[:start]}{article} {wanted}{before[end:]}"


def _singular(words: str) -> str:
    if words in _PLURALS:
        return _PLURALS[words]
    return words[:-1] if words.endswith("s") and words[:-1] in ACTORS else words


def _unit(rest: str, before: str) -> str:
    unit = _UNIT.match(rest)
    references = list(find_references(before, None))
    if not unit or not references:
        return ""
    last = references[-1].pinpoint
    if unit["par"]:
        target = last.root.child(unit["par"])
    elif unit["point"]:
        target = (last if len(last.steps) < 2 else last.parent or last).child(unit["point"].lower())
    else:
        number = unit["art"] or unit["num"]
        prefix = last.root.path.rpartition("-")[0] or last.root.path
        if not unit["art"]:
            prefix = {"section": "s", "rule": "r", "recital": "rec", "annex": "annex"}[rest.split()[0].lower()]
            number = number.lower()
        from assistant.pinpoint import Pinpoint

        named = Pinpoint.parse(f"{last.instrument}:{prefix}-{number}")
        if named is None:
            return ""
        target = named
    return f"{before[: references[-1].start]}{target}{before[references[-1].end :]}"
