"""How the parts of a claim hang together: before or after, to whom and from whom, both or either, and how absolutely.

Each check names what speaks against the claim, or nothing. Reads words and their order only, like `actors`.
"""

import re
from collections.abc import Iterator, Sequence

from assistant.vocabulary import Words, alike, covers, light_words, prepared, stem

_TOKEN = re.compile(r"[a-z]+(?:['’][a-z]+)?|\d[\d.,]*\d|\d|[.,;:?!()—]")
_STOP = frozenset(".;:?!—,()")
_NEAR = 6  # words after a preposition in which its noun stands


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(prepared(text).lower())


def _named(tokens: Sequence[str], at: int, reach: int = _NEAR) -> list[str]:
    """The stems that carry content among the words from a place on, up to the next mark or preposition."""
    found: list[str] = []
    for t in tokens[at : at + reach]:
        if t in _STOP or (found and t in _JOINTS):
            break
        if t[0].isalpha() and stem(t) not in light_words():
            found.append(stem(t))
    return found


_JOINTS = frozenset(
    ["to", "from", "by", "with", "against", "upon", "for", "of", "in", "on", "at", "under", "within", "before", "after", "where", "if", "unless", "when",
    "which", "who", "that", "shall", "must", "may", "should", "is", "are", "has", "have", "without", "as", "referred", "pursuant"]
)  # fmt: skip


# ---- before and after ---------------------------------------------------------------------------------------------

_TIME = re.compile(
    r"\b(?:(?P<before>before|prior to|ahead of|in advance of|preceding|precedes?|preceded by)|(?P<after>after|following|follows|followed by|upon|once|since))\b"
)


def times(claim: str, passage: str) -> list[str]:
    """ "After" what the passage puts "before", and the other way round."""
    theirs = list(_moments(passage))
    for before, anchor in _moments(claim):
        same = [b for b, names in theirs if any(covers(a, set(names)) for a in anchor[:2])]
        if same and before not in same:
            return [f"time: the passage says '{'after' if before else 'before'} {anchor[0]}', not '{'before' if before else 'after'}'"]
    return []


def _moments(text: str) -> Iterator[tuple[bool, list[str]]]:
    low = prepared(text).lower()
    for m in _TIME.finditer(low):
        tokens = _TOKEN.findall(low[m.end() : m.end() + 90])
        anchor: list[str] = []
        for t in tokens[:8]:
            if t in _STOP:
                break
            if t[0].isalpha() and stem(t) not in light_words():
                anchor.append(stem(t))
        if anchor:
            yield bool(m["before"]), anchor


# ---- to whom, from whom, upon whom --------------------------------------------------------------------------------

_TOWARDS = frozenset(["to", "from", "upon", "against"])
_BESIDE = frozenset(["by", "with", "in", "of", "on", "under"])
_DETERMINER = frozenset(["the", "all", "any", "each", "every", "its", "their", "his", "her", "such"])
_LAWS = frozenset(
    map(
        stem,
        [
            "act",
            "regulation",
            "directive",
            "article",
            "annex",
            "chapter",
            "section",
            "part",
            "rule",
            "schedule",
            "title",
            "union",
            "gdpr",
            "hipaa",
            "mdr",
            "dpdp",
            "ai",
            "eu",
            "us",
            "law",
            "code",
        ],
    )
)
_VAGUE = frozenset(map(stem, ["anyone", "anybody", "someone", "new", "other", "side", "party", "case", "time", "way", "place", "thing", "one"]))


def complements(claim: str, passage: str) -> list[str]:
    """A verb or noun that keeps its preposition, but not what stands after it: "to the Board" for "to the Commission"."""
    theirs = list(_towards(_tokens(passage)))
    have = set(Words.of(passage).stems)
    for head, prep, named in _towards(_tokens(claim)):
        rivals = [n for h, p, n in theirs if p == prep and alike(h, head)]
        if not rivals or any(covers(w, set(n)) for n in rivals for w in named) or named[-1] in _LAWS | _VAGUE:
            continue
        new = covers(named[-1], have) == 0
        elsewhere = prep == "to" and any(covers(w, set(n)) for _, p, n in theirs if p == prep for w in named)
        if new or (prep in _TOWARDS and not elsewhere and all(len(n) <= 4 for n in rivals)):
            return [f"changed: the passage says '{' '.join(filter(None, (head, prep, *rivals[0])))}', not '{' '.join(named)}'"]
    return []


def _towards(tokens: Sequence[str]) -> Iterator[tuple[str, str, list[str]]]:
    for i, t in enumerate(tokens):
        if t in _DETERMINER and i and tokens[i - 1] not in _JOINTS and tokens[i - 1][0].isalpha() and (named := _named(tokens, i + 1)):
            yield stem(tokens[i - 1]), "", named
        if t not in _TOWARDS | _BESIDE or not i:
            continue
        before, after = tokens[i - 1], "".join(tokens[i + 1 : i + 2])
        named = _named(tokens, i + 1)
        if before[0].isalpha() and before not in _JOINTS and named and after not in _CLAUSE and not (t == "to" and _infinitive(after)):
            yield stem(before), t, named


_CLAUSE = frozenset(["when", "which", "whom", "where", "whether", "whose", "what", "how", "being", "becoming"])


def _infinitive(after: str) -> bool:
    """Whether "to" is likely followed by a verb: no article, and no plural to tell by."""
    return after not in ("the", "a", "an", "any", "each", "every", "its", "their", "such", "that", "those", "all") and not after.endswith("s")


# ---- both and either ----------------------------------------------------------------------------------------------

_PAIR = re.compile(r"\b(?:(?P<strong>either|both) )?(?P<a>[a-z]{3,}) (?P<how>and|or) (?:the |a |an |of |by |in |with |to )?(?P<b>[a-z]{3,})\b")
_EITHER = re.compile(r"\b(?:either or both|and/or)\b", re.I)
_BOTH = re.compile(r"\b(?:(?<!or )both|and also|not enough|not suffice|does not suffice)\b", re.I)


def pairs(claim: str, passage: str) -> list[str]:
    """ "Either … or" for "and", "both … and" for "or"."""
    theirs = [(stem(m["a"]), m["how"], stem(m["b"])) for m in _PAIR.finditer(prepared(passage).lower())]
    if _EITHER.search(passage) and _BOTH.search(claim) and not _BOTH.search(_EITHER.sub("", passage)):
        return ["changed: the passage leaves a choice that the claim takes away"]
    for m in _PAIR.finditer(prepared(claim).lower()):
        if stem(m["a"]) == stem(m["b"]):
            return [f"changed: '{m['a']}' stands for two things"]
        said = {how for a, how, b in theirs if {a, b} == {stem(m["a"]), stem(m["b"])}}
        if m["strong"] and said and m["how"] not in said:
            return [f"changed: the passage joins '{m['a']}' and '{m['b']}' by '{said.pop()}'"]
    chosen = _CHOICE.search(prepared(claim).lower())
    if chosen:
        left, right = Words.of(chosen[1]).content()[-1:], Words.of(chosen[2]).content()[:2]
        joints = [
            (how.group(), Words.of(low[max(0, how.start() - 40) : how.start()]).content()[-2:], Words.of(low[how.end() : how.end() + 50]).content()[:3])
            for low in [prepared(passage).lower()]
            for how in re.finditer(r"\b(?:and|or)\b", low)
        ]
        said = {how for how, ahead, after in joints if set(left) & set(ahead) and set(right) & set(after)}
        if said == {"and"}:
            return [f"changed: the passage joins '{' '.join(left)}' and '{' '.join(right)}' by 'and'"]
    return []


_CHOICE = re.compile(r"\beither (.{2,60}?) or (.{2,60})")


# ---- how absolutely -----------------------------------------------------------------------------------------------

_SOFT = re.compile(
    r"\breasonabl[ey]\b|\bas far as\b|\bso far as\b|\bbest efforts\b|\bto the extent\b|\b(?:where|when|if|as) (?:\w+ )?(?:feasible|possible|practicable|appropriate)\b|\badequate\b|\bminimi[sz]e",
    re.I,
)
_ABSOLUTE = re.compile(r"\b(?:guarante\w*|entirely|completely|absolute\w*|wholly|totally|altogether|at any cost)\b", re.I)


def absolute(claim: str, window: str) -> list[str]:
    """A guarantee of what the passage asks only as far as is reasonable or possible."""
    against = re.search(r"\b(?:outside|contrary to|in breach of)\b", claim, re.I)
    if against and not re.search(r"\b(?:outside|contrary|breach|beyond|exceed\w*|third|abroad|foreign|not|other than)\b", window, re.I):
        return [f"opposite: '{against[0].lower()}' stands only in the claim"]
    found = _ABSOLUTE.search(claim)
    if found and _SOFT.search(window) and not _SOFT.search(claim) and not _ABSOLUTE.search(window):
        return [f"extent: '{found[0].lower()}' is more than the passage says"]
    return []


# ---- words turned round by a prefix -------------------------------------------------------------------------------

_TURNED = re.compile(r"^(?:non|un)-?(?=[a-z]{4})")
_DENIED = re.compile(r"\b(?:not|no|never|cannot|neither|nor|without)\b")


def turned(claim: Words, passage: Words) -> list[str]:
    """ "Lawful" for "unlawful", "prescription" for "nonprescription", where the passage has only the other one and denies neither."""
    mine, theirs = _joined(claim.low), _joined(passage.low)
    for here, there, name in ((mine, theirs, "claim"), (theirs, mine, "passage")):
        for w in here:
            root = _turned(w)
            bare = [t for t in there if root and (t == root or (len(root) > 4 and alike(stem(t), stem(root)) and name == "claim"))]
            if not bare or w in there or any(_turned(t) and alike(stem(_turned(t)), stem(root)) for t in there) or (name == "passage" and root in here):
                continue
            if not any(_denies(side, b) for side in (here, there) for b in (w, *bare)):
                return [f"opposite: '{w}' in the {name}, '{bare[0]}' in the {'passage' if name == 'claim' else 'claim'}"]
    return []


def _denies(words: Sequence[str], word: str) -> bool:
    """Whether a word stands right after a "not", other than in "shall not affect"."""
    places = [i for i, w in enumerate(words) if w == word]
    return any(
        _DENIED.search(ahead) and not re.search(r"\bnot affect|\bwithout prejudice", ahead) for i in places for ahead in [" ".join(words[max(0, i - 5) : i])]
    )


def _joined(words: Sequence[str]) -> list[str]:
    """The words of a text, "non" joined to the word after it."""
    return ["non" + w if i and words[i - 1] == "non" else w for i, w in enumerate(words) if w != "non"]


def _turned(word: str) -> str:
    """What a word turns round, or "": "lawful" of "unlawful"."""
    m = _TURNED.match(word)
    return "" if not m or word.startswith(("union", "unit", "unif", "unique", "universi", "under", "until", "unless")) else word[m.end() :]


# ---- names ---------------------------------------------------------------------------------------------------------

_NAME = re.compile(r"(?<![.;:!?] )(?<!^)\b[A-Z][A-Za-z]+(?:(?: (?:of|for|the|and|on))* [A-Z][A-Za-z]+)*")
_OURS = frozenset(["fda", "agency", "secretary", "we", "us", "our", "hhs", "department", "food"])


def names(claim: str, passage: str) -> list[str]:
    """A body, country or institution that the claim names and the passage does not."""
    low = set(Words.of(passage).low)
    have = {stem(w) for w in low}
    initials = "".join(w[0] for w in re.findall(r"[A-Za-z]+", passage)).lower()
    for m in _NAME.finditer(claim):
        words = [w for w in re.findall(r"[A-Za-z]+", m[0]) if w[0].isupper()]
        stems = [stem(w.lower()) for w in words]
        if all(s in _LAWS for s in stems) or any(covers(s, have) for s in stems if s not in _LAWS) or set(Words.of(m[0]).stems) & have:
            continue
        if len(words) == 1 and (words[0].isupper() and (words[0].lower() in initials or (words[0] in ("FDA", "HHS") and low & _OURS))):
            continue
        if (len(words) > 1 and not words[0].isupper()) or words[0] in ("FDA", "HHS", "Commission", "Parliament", "Council", "Board", "India", "Secretary"):
            return [f"actor: the passage does not name '{m[0]}'"]
    return []


# ---- what is left untouched ---------------------------------------------------------------------------------------

_UNTOUCHED = re.compile(
    r"\b(?:not|nothing\b[^.;]{0,60}?)\s+(?:be construed (?:to|as) |in any way )?(?:affect|alter|limit|prejudice|prevent|preclude|restrict)\w*\s+(?P<what>[^.;,]{3,160})",
    re.I,
)
_TOUCHES = re.compile(
    r"\b(?:affects?|alters?|limits?|overrid\w*|overrul\w*|ends?|terminat\w*|invalidat\w*|repeals?|changes?|prevents?|precludes?|restricts?|voids?|annuls?|prevails?|supersedes?|replaces?"
    r"|diminish\w*|reduces?|makes?|loses?|unlawful|invalid)\b",
    re.I,
)
_NEGATED = re.compile(r"\b(?:not|no|nothing|never|without|neither|nor|cannot|un(?:affected|touched|changed)|remains?|stays?|keeps?|still|continues?)\b", re.I)


def untouched(claim: str, passage: str) -> list[str]:
    """A claim that something changes what the passage says is not affected."""
    if not _TOUCHES.search(claim) or _NEGATED.search(claim):
        return []
    told = set(WORD_OR_NUMBER.findall(prepared(claim).lower()))
    stems = {stem(w) for w in told}
    for m in _UNTOUCHED.finditer(passage):
        what = [w for w in WORD_OR_NUMBER.findall(prepared(m["what"]).lower()) if stem(w) not in light_words()][:4]
        if what and sum(w in told or covers(stem(w), stems) > 0 for w in what) * 2 >= len(what):
            return [f"negation: '{' '.join(m[0].split()[:4])}' in the passage"]
    return []


WORD_OR_NUMBER = re.compile(r"[a-z]{2,}|\d+/\d+|\d+")


# ---- all, of what is said of some cases ---------------------------------------------------------------------------

_NARROWS = re.compile(r"\s(?:that|which|who|referred|\w{5,}ing)\b")
_EVERY = re.compile(r"\b(?:any|every|all|each)\b", re.I)
_OPENED = re.compile(r"^\W*(?:\(?\w{1,4}[.)]\s+)?(?:where|if|when|in (?:the )?cases? (?:where|of))\b", re.I)
_HEDGED = re.compile(
    r"\b(?:where|if|when\w*|in (?:the )?cases?|unless|provided|subject to|only|once|after|upon|as long as|to the extent|insofar|on (?:request|receipt)|that|which|who|whose|\w+ed|\w+ing)\b",
    re.I,
)


def universal(claim: str, window: str) -> list[str]:
    """ "Every" and "any" without a condition, of what the passage says under a condition that opens its sentence."""
    for m in re.finditer(r"\bany ([a-z]{3,})", prepared(claim).lower()):
        after = [prepared(window).lower()[k.end() : k.end() + 70] for k in re.finditer(rf"\b{m[1]}\b", prepared(window).lower())]
        told = set(Words.of(claim).stems)
        if after and all(_NARROWS.match(a) and not any(covers(w, told) for w in Words.of(a).content()[1:5]) for a in after):
            return [f"extent: 'any {m[1]}' is more than the passage says"]
    found = _EVERY.search(claim)
    if found and _OPENED.match(window) and not _EVERY.search(window) and not _HEDGED.search(claim):
        return [f"extent: '{found[0].lower()}' drops the condition of the passage"]
    return []


# ---- references in their places -----------------------------------------------------------------------------------

_PLACED = re.compile(r"\b(Articles?|[Ss]ections?|§{1,2}|Annex|paragraphs?|[Rr]ules?)\s*(\d+[A-Za-z]?(?:\.\d+)?(?:\(\w{1,4}\))*|[IVX]+\b|\(\w{1,4}\))")


def misplaced(claim: str, passage: str) -> list[str]:
    """A reference that the passage has beside other words, where beside these words it has another one."""
    theirs = list(_places(passage))
    for unit, number, near in _places(claim):
        own = [len(near & n) for u, k, n in theirs if u == unit and k == number]
        other = [(len(near & n), k) for u, k, n in theirs if u == unit and not k.startswith(number) and not number.startswith(k) and k not in claim]
        if own and other and max(other)[0] >= 2 and max(other)[0] > max(own):
            return [f"reference: beside these words the passage names {unit} {max(other)[1]}, not {number}"]
    return []


def _places(text: str) -> Iterator[tuple[str, str, set[str]]]:
    for sentence in re.split(r"(?<=[.;:])\s+(?=[A-Z(])", text):
        end = 0
        for m in _PLACED.finditer(sentence):
            ahead = Words.of(re.sub(r"\d+|\([a-z]\)", " ", sentence[max(end, m.start() - 110) : m.start()])).content()
            yield m[1].lower().rstrip("s"), m[2].lower(), set(ahead[-8:])
            end = m.end()
