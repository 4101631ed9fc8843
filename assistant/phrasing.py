"""A model's words for claims whose quotations stand already: kept only where the quotations bear them.

The model chooses nothing and proves nothing: it restates, under a grammar, the quotations it is shown by key. What fails
a check is dropped and the quotation stands; a crash, nonsense or a timeout costs the wording only.
"""

import json
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from assistant import prompts
from assistant.followups import rewrite
from assistant.law import Answer, Claim
from assistant.llm import ChatModel, Message, ModelFailure, spoken
from assistant.support import Bearing, bears

KEYS = "ABCDEF"
PROMPT_TOKENS = 700
REPLY_TOKENS = 420
REPLY_MOST = 20_000  # characters after which a server that knows no limit is no longer listened to
SHORTEST = 20  # characters: less is no statement
RESTATED = 480  # characters: a longer quotation, such as a list, is better read as it stands
_VERDICT = re.compile(r"\b(?:compliant|certified|approved|fully compl\w+|legal advice|guarantee[ds]?)\b", re.I)
_TALK = re.compile(r"\b(?:as an ai|i cannot|i am|here is|the quotation|fence|json|restate|the claim|key [A-F])\b", re.I)


@dataclass(frozen=True, slots=True)
class Wording:
    """A model's words for one claim, and what the check said of them."""

    place: int
    text: str
    bearing: Bearing

    @property
    def kept(self) -> bool:
        """Whether the words may be shown."""
        return self.bearing.supported


@dataclass(frozen=True, slots=True)
class Phrased:
    """An answer with the wording that passed, every wording proposed, the model's raw reply, and why it ended early."""

    answer: Answer
    wordings: tuple[Wording, ...]
    raw: str
    failure: ModelFailure | None


def phrase(question: str, answer: Answer, model: ChatModel, seconds: float = 20, stop: threading.Event | None = None) -> Phrased:
    """The answer in the model's words wherever they pass; claims that the prompt has no room for keep their quotation."""
    *_, whole = phrasings(question, answer, model, seconds, stop)
    return whole


def phrasings(question: str, answer: Answer, model: ChatModel, seconds: float = 20, stop: threading.Event | None = None) -> Iterator[Phrased]:
    """The answer with ever more of it in the model's words: after each wording, as soon as it was checked, and last as a whole."""
    if answer.abstained or not answer.claims:
        yield Phrased(answer, (), "", None)
        return
    places, room = _shown(question, answer.claims, model)
    if not places:
        yield Phrased(answer, (), "", None if room else ModelFailure("prompt-too-long"))
        return
    messages, schema = _asked(question, [answer.claims[i] for i in places])
    now = Phrased(answer, (), "", None)
    for piece in model.stream(messages, schema=schema, max_tokens=REPLY_TOKENS, seconds=seconds, stop=stop):
        if isinstance(piece, ModelFailure):
            now = replace(now, failure=piece)
            break
        if len(now.raw) > REPLY_MOST:
            now = replace(now, failure=ModelFailure("too-long", f"the reply did not end within {REPLY_MOST:,} characters"))
            break
        now = replace(now, raw=now.raw + piece)
        if "}" in piece:
            more = _with_wordings(now, answer, places)
            if more != now:
                now = more
                yield now
    yield now


def _with_wordings(now: Phrased, answer: Answer, places: Sequence[int]) -> Phrased:
    """What the reply so far makes of the answer: each claim in the first wording that the model gives it, where that is kept."""
    for key, text in entries(now.raw):
        at = KEYS.find(key)
        if not 0 <= at < len(places) or any(w.place == places[at] for w in now.wordings):
            continue
        wording = checked(places[at], text, answer.claims[places[at]])
        claims = list(now.answer.claims)
        if wording.kept:
            claims[wording.place] = replace(claims[wording.place], text=wording.text, phrased_by="model")
        now = replace(now, answer=replace(now.answer, claims=tuple(claims)), wordings=(*now.wordings, wording))
    return now


def checked(place: int, text: str, claim: Claim) -> Wording:
    """A proposed wording with its check against the claim's quotations."""
    text = " ".join(text.split())
    passage = "\n".join(c.quote for c in claim.citations)
    if len(text) < SHORTEST or not re.search(r"[.!?]$", text):
        return Wording(place, text, Bearing(False, 0.0, ("form: not a whole sentence",)))
    for pattern, reason in ((_VERDICT, "form: a verdict that the quotation does not give"), (_TALK, "form: talk instead of a statement")):
        found = pattern.search(text)
        if found and found[0].lower() not in passage.lower():
            return Wording(place, text, Bearing(False, 0.0, (reason,)))
    return Wording(place, text, bears(text, passage))


def entries(raw: str) -> Iterator[tuple[str, str]]:
    """The whole entries of a reply, also of one that was cut off."""
    decoder, raw = json.JSONDecoder(), spoken(raw)
    at = raw.find("{", raw.find("[") + 1) if "[" in raw else -1
    while at >= 0:
        try:
            value, end = decoder.raw_decode(raw, at)
        except ValueError:
            return
        if isinstance(value, dict) and isinstance(value.get("key"), str) and isinstance(value.get("text"), str):
            yield value["key"], value["text"]
        at = raw.find("{", end)


def _shown(question: str, claims: Sequence[Claim], model: ChatModel) -> tuple[list[int], bool]:
    """Which claims the prompt has room for, by the model's own count and limit, first claims first; and whether there was room for all."""
    limit = min(PROMPT_TOKENS, model.info.n_ctx - REPLY_TOKENS - 16)
    prompt = prompts.load("answer")
    used = model.count_tokens(prompt.fixed) + model.count_tokens(question[:500]) + 60
    places: list[int] = []
    room = True
    for i, claim in enumerate(claims[: len(KEYS)]):
        if len(_quotation(claim)) > RESTATED or any("\n" in c.quote for c in claim.citations):
            continue
        cost = model.count_tokens(_quotation(claim)) + 40
        if used + cost <= limit:
            used += cost
            places.append(i)
        else:
            room = False
    return places, room


def _quotation(claim: Claim) -> str:
    return " ".join(" ".join(c.quote for c in claim.citations).split())


def _asked(question: str, claims: Sequence[Claim]) -> tuple[list[Message], dict[str, Any]]:
    prompt = prompts.load("answer")
    quotations = [_quotation(c) for c in claims]
    line = prompts.fence([question, *quotations])
    shown = "\n".join(f"{KEYS[i]}:\n{line}\n{q}\n{line}" for i, q in enumerate(quotations))
    schema = prompt.schema()
    schema["properties"]["claims"]["maxItems"] = len(claims)
    schema["properties"]["claims"]["items"]["properties"]["key"]["enum"] = list(KEYS[: len(claims)])
    asked = f"{line}\n{question[:500]}\n{line}"
    return [("system", prompt.fixed), ("user", prompt.filled({"question": asked, "fence": line, "quotations": shown}))], schema


def rewritten(question: str, before: str, model: ChatModel, seconds: float = 5) -> str:
    """A follow-up made whole by the model; the rules' version when the model fails or brings in words of its own."""
    by_rules = rewrite(question, [{"q": before, "a": ""}])
    prompt = prompts.load("rewrite")
    line = prompts.fence([before, question])
    reply = model.complete_json(
        [("system", prompt.fixed), ("user", prompt.filled({"before": before, "question": question, "fence": line}))],
        prompt.schema(),
        max_tokens=90,
        seconds=seconds,
    )
    text = "" if isinstance(reply, ModelFailure) else " ".join(str(reply["question"]).split())
    return text if text.endswith("?") and _of_their_words(text, f"{before} {question}") else by_rules


_SMALL = frozenset(
    """
    a an the is are be what which who whom when where how does do did must shall may can should of for to in on under by with from it
    its their and or if that this long much many also apply there
    """.split()  # noqa: SIM905
)


def _of_their_words(text: str, given: str) -> bool:
    stems = {w.lower()[:5] for w in re.findall(r"\w+", given)}
    return all(w.lower()[:5] in stems for w in re.findall(r"\w+", text) if w.lower() not in _SMALL)


def doubts(claim: str, passage: str, model: ChatModel, seconds: float = 10) -> bool | ModelFailure:
    """Whether the model thinks that a passage does not support a claim; used only to lower a status."""
    prompt = prompts.load("lower")
    line = prompts.fence([claim, passage])
    values = {"claim": claim[:600], "passage": passage[:2000], "fence": line}
    reply = model.complete_json([("system", prompt.fixed), ("user", prompt.filled(values))], prompt.schema(), max_tokens=16, seconds=seconds)
    return reply if isinstance(reply, ModelFailure) else reply["verdict"] == "not supported"
