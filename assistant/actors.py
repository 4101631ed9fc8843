"""Who does what to whom: the doer and the object of each duty or permission, in the active or the passive voice.

A claim in which they changed places, or in which somebody else has the duty, does not rest on the passage. Reads word order
only, and says nothing where it cannot tell who acts.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.vocabulary import Words, alike, covers, prepared, stem, tables

_TOKEN = re.compile(r"[a-z]+(?:['’][a-z]+)?|\d[\d.,]*\d|\d|[.,;:?!()—]")
_MODAL = frozenset(["shall", "must", "may", "should"])
_TO = frozenset(["has", "have", "needs", "need"])  # "has to"
_HELD = frozenset(["required", "obliged", "permitted", "allowed", "entitled", "authorised", "authorized", "free"])  # "is required to"
_STOP = frozenset(".;:?!—")
_SUBORDINATE = frozenset(["where", "if", "when", "unless", "while", "whether", "because", "until", "whenever", "although", "once"])
_RELATIVE = frozenset(["who", "which", "that", "whose", "whom"])
_PREPOSITION = frozenset(
    ["of", "in", "for", "to", "from", "with", "under", "on", "by", "at", "within", "against", "about", "referred", "established", "acting", "subject",
    "without", "as", "before", "after", "during", "through", "upon", "between", "concerned", "pursuant", "other", "including", "having", "through"]
)  # fmt: skip
_PRONOUN = frozenset(
    [
        "it",
        "they",
        "he",
        "she",
        "this",
        "these",
        "those",
        "that",
        "there",
        "who",
        "which",
        "one",
        "we",
        "you",
        "i",
        "such",
        "nothing",
        "nobody",
        "whoever",
        "anyone",
    ]
)
_SKIPPED = frozenset(
    ["not", "never", "also", "only", "then", "always", "further", "therefore", "itself", "themselves", "thereafter", "first", "either", "both"]
)
_BE = frozenset(["be", "been", "being", "is", "are", "was", "were"])
_TAKES_THAT = frozenset(
    map(
        stem, ["consider", "ensure", "demonstrate", "show", "establish", "provide", "believe", "suggest", "find", "found", "determine", "likely", "so", "aware"]
    )
) | frozenset(
    map(stem, ["state", "verify", "confirm", "fact", "extent", "think", "thought", "conclude", "prove", "claim", "know", "require", "assume", "deem"])
)
_IRREGULAR = frozenset(
    ["made", "kept", "given", "told", "sent", "held", "put", "set", "drawn", "borne", "shown", "taken", "done", "sought", "brought", "met", "left"]
)
_PLAIN_FORM = {
    "drawn": "draw",
    "given": "give",
    "made": "make",
    "taken": "take",
    "borne": "bear",
    "shown": "show",
    "sought": "seek",
    "brought": "bring",
    "done": "do",
}
_ANYONE = frozenset(map(stem, ["person", "people", "individual", "anyone", "someone"]))
_TO_WHOM = frozenset(
    map(stem, ["give", "given", "provide", "grant", "send", "sent", "offer", "issue", "supply", "tell", "told", "pay", "award", "deny", "refuse", "allow"])
)
_REACH = 28  # words after a verb in which its object and its "by" are looked for


@dataclass(frozen=True, slots=True)
class Frame:
    """A verb under a duty or permission, as stems: what stands before it, who does it (none where that is not said), and the words after it."""

    verb: str
    subject: frozenset[str]
    doer: frozenset[str]
    object: frozenset[str]

    @property
    def passive(self) -> bool:
        """Whether it is done to the subject."""
        return self.subject != self.doer


def frames(text: str, verbs: Sequence[str] = (), told: bool = False) -> list[Frame]:
    """Who does what in a text; with `told` also what somebody has done. Where a sentence has no duty or permission, the given verbs are looked for in it."""
    found: list[Frame] = []
    for sentence in re.split(r"(?<=[.;?!])\s+|\n", prepared(text).lower()):
        tokens = _TOKEN.findall(sentence)
        duties = [
            i
            for i, t in enumerate(tokens)
            if t in _MODAL or (t in _TO and tokens[i + 1 : i + 2] == ["to"]) or _held(tokens, i) or (told and _perfect(tokens, i))
        ]
        before = found[-1].doer if found else frozenset[str]()
        for i in duties:
            frame = _frame(tokens, i, before)
            if frame:
                found.append(frame)
                before = frame.doer or before
        if not duties:
            found.extend(_plain_frames(tokens, verbs))
    return found


def exchanged(claim: str, passage: str) -> list[str]:
    """What speaks against a claim: a duty of one that the passage gives to another, or a doer and an object that changed places."""
    theirs = frames(passage, told=True)
    words = set(Words.of(passage).stems)
    reasons = []
    for mine in frames(claim, [f.verb for f in theirs]):
        rivals = [f for f in theirs if alike(f.verb, mine.verb) and _about_the_same(mine, f)]
        told = mine.doer or mine.subject
        if not rivals or not told or not any(covers(s, words) for s in told):
            continue
        if mine.doer and all(f.doer and not _meet(mine.doer, f.doer, words) for f in rivals):
            reasons.append(f"actor: what the passage says of '{_name(rivals[0].doer)}' is said of '{_name(mine.doer)}'")
        elif mine.passive and mine.verb not in _TO_WHOM and all(_elsewhere(mine.subject, f, words) for f in rivals):
            reasons.append(f"actor: '{_name(mine.subject)}' has another part in the passage")
    return reasons[:1]


def _elsewhere(subject: frozenset[str], frame: Frame, passage: set[str]) -> bool:
    """Whether the subject of a passive stands in the passage, but not as that to which it is done."""
    done_to, beside = (frame.subject, frame.object) if frame.passive else (frame.object, frame.doer)
    return _meet(subject, beside, passage) and not _meet(subject, done_to, passage)


def _name(who: frozenset[str]) -> str:
    return " ".join(sorted(who))


def _perfect(tokens: Sequence[str], i: int) -> bool:
    """Whether a deed told in the perfect begins here: "the provider has drawn up", "has been carried out by the provider"."""
    after = tokens[i + 1 : i + 4]
    return tokens[i] in ("has", "have") and any(participle(t) and t != "been" for t in after[: 2 + (after[:1] == ["been"])])


def _held(tokens: Sequence[str], i: int) -> bool:
    """Whether "is required to", "are permitted to" begin here."""
    return tokens[i] in ("is", "are") and any(tokens[j : j + 1] and tokens[j] in _HELD and tokens[j + 1 : j + 2] == ["to"] for j in (i + 1, i + 2))


def _frame(tokens: Sequence[str], at: int, before: frozenset[str]) -> Frame | None:
    j = at + 1
    while j < len(tokens) and tokens[j] in _HELD | {"to", "not"}:
        j += 1
    j = _verb_at(tokens, j)
    if tokens[j : j + 2] == ["continue", "to"]:
        j += 2
    passive = j < len(tokens) and tokens[j] in ("be", "been", "have")
    if passive:
        j = _verb_at(tokens, j + 1 + (tokens[j + 1 : j + 2] == ["been"]))
    if j >= len(tokens) or not tokens[j].isalpha() or tokens[j] in _PREPOSITION:
        return None
    subject = _subject(tokens, at, before)
    return _voiced(tokens, j, subject, passive and participle(tokens[j]))


def _plain_frames(tokens: Sequence[str], verbs: Sequence[str]) -> Iterator[Frame]:
    """Frames of a sentence in the present tense: the verbs that the passage uses, after a subject of at most a few words."""
    for k in range(1, len(tokens)):
        previous = tokens[k - 1]
        if (
            previous in _PREPOSITION
            or previous in ("the", "a", "an", "any", "its", "their", "each", "every")
            or not any(alike(stem(tokens[k]), v) for v in verbs)
        ):
            continue
        passive = any(t in _BE for t in tokens[max(0, k - 2) : k]) and participle(tokens[k])
        end = next((i for i in range(k - 1, -1, -1) if tokens[i] in _BE), k) if passive else k
        subject = _subject(tokens, end, frozenset())
        if subject and (passive or tokens[k].endswith("s") != previous.endswith("s")):
            yield _voiced(tokens, k, subject, passive)
            return


def _voiced(tokens: Sequence[str], verb: int, subject: frozenset[str], passive: bool) -> Frame:
    after = []
    for t in tokens[verb + 1 : verb + 1 + _REACH]:
        if t in _STOP or t in _SUBORDINATE or t in _MODAL:
            break
        after.append(t)
    if not passive:
        return Frame(_plain(tokens[verb]), subject, subject, _content(after))
    by = after.index("by") if "by" in after else len(after)
    doer = _head(after[by + 1 :])
    return Frame(_plain(tokens[verb]), subject, doer, _content(after[:by]))


def _plain(verb: str) -> str:
    """The stem of a verb, also of a participle that is formed in its own way."""
    return stem(_PLAIN_FORM.get(verb, verb))


def _verb_at(tokens: Sequence[str], j: int) -> int:
    """The place of the verb from `j` on: past adverbs, "at all times", and what stands between commas."""
    while j < len(tokens):
        if tokens[j] == ",":
            j = next((k + 1 for k in range(j + 1, len(tokens)) if tokens[k] == ","), len(tokens))
        elif list(tokens[j : j + 3]) == ["at", "all", "times"]:
            j += 3
        elif tokens[j] in _SKIPPED or (tokens[j].endswith("ly") and tokens[j] not in ("apply", "supply", "comply", "rely", "reply")):
            j += 1
        else:
            break
    return j


def participle(word: str) -> bool:
    """Whether a word after "be" makes a passive."""
    return word.endswith("ed") or word in _IRREGULAR or (word.endswith("en") and len(word) > 4)


def _subject(tokens: Sequence[str], at: int, before: frozenset[str]) -> frozenset[str]:
    """The stems of who stands before a verb; the one before for "and shall", whoever the clause ahead spoke of for "it"."""
    start = next((i + 1 for i in range(at - 1, -1, -1) if tokens[i] in _STOP or tokens[i] == ","), 0)
    part = list(tokens[start:at])
    if part[:1] == ["("] and part[2:3] == [")"]:  # the label of a point
        part = part[3:]
    while part and part[-1] in ("and", "or", "but", "then", "also"):
        part.pop()
    duty = max((i for i, t in enumerate(part) if t in _MODAL), default=-1)
    if duty >= 0:  # the words of the duty before this one: its doer goes on, unless another is named after "and"
        joint = next((i for i in range(len(part) - 1, duty, -1) if part[i] in ("and", "or", "but")), -1)
        clause = any(t in _SUBORDINATE or t == "that" for t in part[duty:])
        part = part[joint + 1 :] if joint > 0 else part[duty + 1 :] if clause else []
    if not part:
        return before
    for i in range(len(part) - 1, -1, -1):
        if part[i] in _SUBORDINATE or (part[i] == "that" and i and stem(part[i - 1]) in _TAKES_THAT and not _RELATIVE & set(part[:i])):
            part = part[i + 1 :]
            break
    if part and part[0] in ("and", "or", "but"):
        part = part[1:]
    ahead = list(tokens[: max(0, start - 1)])
    if part and part[-1] in ("it", "they", "he", "she", "this"):
        return (_head(ahead[1:]) if ahead and ahead[0] in _SUBORDINATE else frozenset()) or before
    if part and part[0] in _PRONOUN:
        return frozenset()
    listed = bool(ahead) and ahead[0] not in _SUBORDINATE | _PREPOSITION and not _MODAL & set(ahead)  # the part after a comma may end a list
    return _head(part) | (_head(ahead) if listed else frozenset())


def _head(part: Sequence[str]) -> frozenset[str]:
    """The stems of the first thing named: up to a preposition, a relative clause or a mark."""
    cut = next((i for i, t in enumerate(part) if i and (t in _PREPOSITION or t in _RELATIVE or not t[0].isalpha())), len(part))
    also = part[cut + 2 :] if list(part[cut + 1 : cut + 2]) in (["is"], ["are"]) and part[cut] in _RELATIVE else ()  # "deployers who are employers"
    return _content(part[:cut]) | (_head(also) if also else frozenset())


def _content(part: Sequence[str]) -> frozenset[str]:
    light = frozenset(tables()["light"].split())  # as words: the stem of "regulation" is that of the regulator too
    return frozenset(stem(t) for t in part if t not in light and t[0].isalpha() and len(t) > 1)


def _about_the_same(a: Frame, b: Frame) -> bool:
    """Whether two frames share at least half of what the shorter one names, or one of them names no object."""
    mine, theirs = a.doer | a.subject | a.object, b.doer | b.subject | b.object
    short, long_ = sorted((mine, theirs), key=len)
    return not (a.object and b.object) or sum(covers(s, set(long_)) > 0 for s in short) >= 0.5 * len(short)


def _meet(a: frozenset[str], b: frozenset[str], passage: set[str]) -> bool:
    """Whether two names may be one: a common word, or kindred words that the passage does not use side by side."""
    return any(x in y or y in x or (alike(x, y) and (not {x, y} <= passage or _ANYONE & {x, y})) for x in a for y in b)
