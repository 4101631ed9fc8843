"""The words of claims and passages: stems, synonyms, opposites, terms of several words joined into one, and who acts.

The tables stand in `corpus/bearing.toml`. Knows nothing of sentences or checks.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from assistant import corpus

WORD = re.compile(r"[a-z]+(?:['’][a-z]+)?|\d+(?:[.,]\d+)*|%")


@lru_cache(maxsize=1)
def tables() -> dict[str, Any]:
    """The tables of `corpus/bearing.toml`."""
    return tomllib.loads((corpus.root() / "bearing.toml").read_text("utf8"))


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The stem of a lower-case word; British and American spelling alike."""
    word = re.sub(r"is(e|ed|es|er|ing|ation|ations)$", r"iz\1", word.replace("’", "'")) if len(word) > 5 else word
    word = re.sub(r"our(s|ed|ing|able)?$", r"or\1", word) if len(word) > 5 else word
    found: str = _stemmer().stemWord(word.removesuffix("'s"))
    return found


@lru_cache(maxsize=1)
def _groups() -> dict[str, frozenset[int]]:
    """For each stem the synonym groups it belongs to."""
    groups: dict[str, set[int]] = {}
    for n, words in enumerate(tables()["synonyms"]):
        for word in words:
            groups.setdefault(stem(word), set()).add(n)
    return {s: frozenset(g) for s, g in groups.items()}


@lru_cache(maxsize=1)
def opposites() -> dict[str, frozenset[str]]:
    """For each stem those that it may not stand for."""
    found: dict[str, set[str]] = {}
    for left, right in tables()["opposites"]:
        for a, b in ((left, right), (right, left)):
            found.setdefault(stem(a), set()).add(stem(b))
    return {s: frozenset(o) for s, o in found.items()}


@lru_cache(maxsize=1)
def light_words() -> frozenset[str]:
    """The stems that carry no content of their own."""
    return frozenset(stem(w) for w in tables()["light"].split())


def alike(a: str, b: str) -> bool:
    """Whether two stems mean the same here: equal, or in one synonym group, or one begins the other."""
    if a == b:
        return True
    groups = _groups()
    if a in groups and b in groups and groups[a] & groups[b]:
        return True
    return len(a) >= 6 and len(b) >= 6 and (a.startswith(b) or b.startswith(a) or (a[:6] == b[:6] and abs(len(a) - len(b)) <= 4))


_PHRASES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.I), name)
    for pattern, name in (
        (r"\bdata protection impact assessments?\b|\bdpias?\b", " dpia "),
        (r"\bfundamental rights impact assessments?\b|\bfrias?\b", " fria "),
        (r"\bdata protection officers?\b|\bdpos?\b", " dpo "),
        (r"\bdata protection authorit(?:y|ies)\b|\bsupervisory authorit(?:y|ies)\b", " supervisoryauthority "),
        (r"\bmarket surveillance authorit(?:y|ies)\b", " marketauthority "), (r"\bnational competent authorit(?:y|ies)\b", " competentauthority "),
        (r"\bdata subjects?\b", " datasubject "), (r"\bdata principals?\b", " dataprincipal "), (r"\bsignificant data fiduciar(?:y|ies)\b",
        " significantfiduciary "), (r"\bdata fiduciar(?:y|ies)\b", " datafiduciary "),
        (r"\bdata processors?\b", " processor "), (r"\bjoint controllers?\b", " jointcontroller "), (r"\bconsent managers?\b", " consentmanager "),
        (r"\bdata protection board\b", " board "),
        (r"\bcovered entit(?:y|ies)\b", " coveredentity "), (r"\bbusiness associates?\b", " businessassociate "), (r"\bhealth plans?\b", " healthplan "),
        (r"\bhealth care"
            r" (?:provider|clearinghouse)s?\b", " hcprovider "),
        (r"\bnotified bod(?:y|ies)\b", " notifiedbody "), (r"\bauthori[sz]ed representatives?\b", " representative "), (r"\bproduct manufacturers?\b",
        " productmanufacturer "), (r"\bdevice user"
            r" facilit(?:y|ies)\b|\buser facilit(?:y|ies)\b", " userfacility "),
        (r"\bprotected health information\b|\bphi\b", " phi "), (r"\belectronic phi\b|\bephi\b|\belectronic  phi ", " ephi "), (r"\bgeneral[- ]purpose"
            r" ai models?\b", " gpaimodel "), (r"\bmember states?\b", " memberstate "),
    )
)  # fmt: skip

ACTORS = frozenset(
    ["supervisoryauthority", "marketauthority", "competentauthority", "datasubject", "dataprincipal", "significantfiduciary", "datafiduciary",
    "processor", "jointcontroller", "controller", "consentmanager", "board", "coveredentity", "businessassociate", "healthplan", "hcprovider",
    "notifiedbody", "representative", "productmanufacturer", "manufacturer", "userfacility", "provider", "deployer", "importer", "distributor", "sponsor",
    "investigator", "commission", "memberstate", "secretary", "dpo", "subcontractor", "subprocessor", "operator", "labeler", "applicant", "tribunal",
    "government", "recipient", "employer"]
)  # fmt: skip


def prepared(text: str) -> str:
    """A text with terms of several words joined into one."""
    text = re.sub(r"\bsub-processors?\b", " subprocessor ", text, flags=re.I)
    text = re.sub(r"\b\d{1,3}(?:[ ,\u00a0\u202f]\d{3})+\b", lambda m: re.sub(r"\D", "", m[0]), text)
    text = re.sub(r"\b(\d+) million\b", r"\g<1>000000", text)
    for pattern, name in _PHRASES:
        text = pattern.sub(name, text)
    return text


@dataclass(frozen=True, slots=True)
class Words:
    """A text as lower-case words and their stems."""

    low: tuple[str, ...]
    stems: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "Words":
        """The words of a prepared text."""
        low = tuple(WORD.findall(prepared(text).lower()))
        return cls(low, tuple(stem(w) for w in low))

    def content(self) -> list[str]:
        """The stems that carry meaning, each once, in order."""
        light = light_words()
        return [s for s in dict.fromkeys(self.stems) if s not in light and not s[0].isdigit() and s != "%" and len(s) > 1]


def covers(word: str, have: set[str]) -> float:
    """How well a stem stands in a set of stems: 1 itself, .9 a synonym, .8 a kindred word, 0 not."""
    if word in have:
        return 1.0
    groups = _groups().get(word)
    if groups and any(groups & _groups().get(h, frozenset()) for h in have):
        return 0.9
    return 0.8 if any(alike(word, h) for h in have) else 0.0


def actor_of(word: str) -> str:
    """The actor that a word names, or ""."""
    word = word.removesuffix("'s").removesuffix("’s")
    single = word if word in ACTORS else word[:-1] if word.endswith("s") and word[:-1] in ACTORS else ""
    return single
