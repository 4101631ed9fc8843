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

_TIME = re.compile(r"\b(?:(?P<before>before|prior to|ahead of|in advance of|preceding|precedes?|preceded by)|(?P<after>after|following|follows|followed by|upon|once|since))\b")


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


def complements(claim: str, passage: str) -> list[str]:
    """A verb or noun that keeps its preposition, but not what stands after it: "to the Board" for "to the Commission"."""
    theirs = list(_towards(_tokens(passage)))
    have = set(Words.of(passage).stems)
    for head, prep, named in _towards(_tokens(claim)):
        rivals = [n for h, p, n in theirs if p == prep and alike(h, head)]
        if not rivals or any(covers(w, set(n)) for n in rivals for w in named):
            continue
        if all(covers(w, have) == 0 for w in named) or all(len(n) <= 4 for n in rivals):
            return [f"changed: the passage says '{head} {prep} {' '.join(rivals[0])}', not '{' '.join(named)}'"]
    return []


def _towards(tokens: Sequence[str]) -> Iterator[tuple[str, str, list[str]]]:
    for i, t in enumerate(tokens):
        if t not in _TOWARDS or not i:
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
_EITHER = re.compile(r"\b(?:either or both|and/or|one or (?:more|both)|any (?:one )?of|at least one of|either of)\b", re.I)
_BOTH = re.compile(r"\b(?:(?<!or )both|and also|not enough|not suffice|does not suffice|together with)\b", re.I)


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
    return []


# ---- how absolutely -----------------------------------------------------------------------------------------------

_SOFT = re.compile(
    r"\breasonabl[ey]\b|\bas far as\b|\bso far as\b|\bbest efforts\b|\bto the extent\b|\b(?:where|when|if|as) (?:\w+ )?(?:feasible|possible|practicable|appropriate)\b|\badequate\b|\bminimi[sz]e", re.I
)
_ABSOLUTE = re.compile(r"\b(?:guarante\w*|entirely|completely|absolute\w*|wholly|totally|altogether|at any cost)\b", re.I)


def absolute(claim: str, window: str) -> list[str]:
    """A guarantee of what the passage asks only as far as is reasonable or possible."""
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
    return any(_DENIED.search(ahead) and not re.search(r"\bnot affect|\bwithout prejudice", ahead) for i in places for ahead in [" ".join(words[max(0, i - 5) : i])])


def _joined(words: Sequence[str]) -> list[str]:
    """The words of a text, "non" joined to the word after it."""
    return ["non" + w if i and words[i - 1] == "non" else w for i, w in enumerate(words) if w != "non"]


def _turned(word: str) -> str:
    """What a word turns round, or "": "lawful" of "unlawful"."""
    m = _TURNED.match(word)
    return "" if not m or word.startswith(("union", "unit", "unif", "unique", "universi", "under", "until", "unless")) else word[m.end() :]
