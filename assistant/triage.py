"""What applies to a project: facts from its card or from a person, and what follows from them by rule.

A fact nobody stated is unknown, and so is all that rests on it. Knows nothing of findings, indexes or models.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from assistant.corpus import FactQuestion, fact_questions
from assistant.errors import UsageError
from assistant.findings import Evidence, Facet, Fact, ModelCard
from assistant.reading import Reading, assess_facet, read

Answer = Literal["yes", "no", "unknown"]

# ---- applicability expressions -----------------------------------------------------------------------------------------

# Readiness for a breach is judged whether or not one has happened.
READINESS = frozenset({"breach_occurred", "breach_500_plus"})
_TOKEN = re.compile(r"\s*([&|!()]|[A-Za-z0-9_]+)")


@dataclass(frozen=True, slots=True)
class Applicability:
    """Whether a condition holds, the facts that decided it, and the facts that would."""

    value: Answer
    because: tuple[str, ...] = ()  # "us_device = no"
    open: tuple[str, ...] = ()

    def why(self) -> str:
        """The deciding facts, or the open ones, in a few words."""
        return "it is not known whether " + ", ".join(self.open) if self.value == "unknown" else ", ".join(self.because) or "no condition"


@dataclass(frozen=True, slots=True)
class Node:
    """A condition: a fact's name, or `&`, `|`, `!` over others."""

    op: str
    parts: tuple["Node", ...] = ()


@lru_cache(maxsize=1024)
def parse_condition(text: str) -> Node:
    """The tree of a condition such as `us_device & (510k | denovo)`. Raises UsageError where it is none."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s+", "", text) or not tokens:
        raise UsageError(f"'{text}' is no condition")
    node, rest = _either(tokens)
    if rest:
        raise UsageError(f"'{text}' is no condition")
    return node


def _either(tokens: list[str]) -> tuple[Node, list[str]]:
    return _joined(tokens, "|")


def _joined(tokens: list[str], op: str) -> tuple[Node, list[str]]:
    node, rest = _joined(tokens, "&") if op == "|" else _single(tokens)
    parts = [node]
    while rest[:1] == [op]:
        node, rest = _joined(rest[1:], "&") if op == "|" else _single(rest[1:])
        parts.append(node)
    return (parts[0] if len(parts) == 1 else Node(op, tuple(parts))), rest


def _single(tokens: list[str]) -> tuple[Node, list[str]]:
    if not tokens:
        raise UsageError("A condition ends too early")
    head, rest = tokens[0], tokens[1:]
    if head == "!":
        node, rest = _single(rest)
        return Node("!", (node,)), rest
    if head == "(":
        node, rest = _either(rest)
        if rest[:1] != [")"]:
            raise UsageError("A bracket of a condition is not closed")
        return node, rest[1:]
    if not re.fullmatch(r"\w+", head):
        raise UsageError(f"A condition has '{head}' where a fact is expected")
    return Node(head), rest


def facts_in(condition: str) -> tuple[str, ...]:
    """The names of the facts in a condition, in order."""
    return tuple(dict.fromkeys(re.findall(r"\w+", condition)))


def applies(condition: str, facts: Mapping[str, Fact]) -> Applicability:
    """Whether a condition holds, in three-valued logic: unknown only where the unknown facts could still decide it."""
    return _value(parse_condition(condition), facts) if condition.strip() else Applicability("yes")


def _value(node: Node, facts: Mapping[str, Fact]) -> Applicability:
    if node.op == "!":
        inner = _value(node.parts[0], facts)
        turned: dict[Answer, Answer] = {"yes": "no", "no": "yes", "unknown": "unknown"}
        return Applicability(turned[inner.value], inner.because, inner.open)
    if node.op not in "&|":
        return _fact(node.op, facts)
    parts = [_value(part, facts) for part in node.parts]
    decides: Answer = "no" if node.op == "&" else "yes"
    decided = [p for p in parts if p.value == decides]
    if decided:
        return Applicability(decides, decided[0].because)
    unknown = tuple(dict.fromkeys(name for p in parts if p.value == "unknown" for name in p.open))
    if unknown:
        return Applicability("unknown", (), unknown)
    return Applicability("yes" if decides == "no" else "no", tuple(b for p in parts for b in p.because))


def _fact(name: str, facts: Mapping[str, Fact]) -> Applicability:
    if name in READINESS:
        return Applicability("yes", (f"readiness is judged whatever {name}",))
    fact = facts.get(name)
    if fact is None or fact.value is None:
        return Applicability("unknown", (), (name,))
    return Applicability("yes" if fact.value else "no", (f"{name} = {'yes' if fact.value else 'no'}",))


# ---- facts -------------------------------------------------------------------------------------------------------------


def _facets(name: str, cues: Sequence[str]) -> tuple[Facet, ...]:
    """Each cue of a fact as a facet: " & " joins groups."""
    return tuple(Facet(name, "", tuple((part.strip(),) for part in cue.split(" & "))) for cue in cues)


@lru_cache(maxsize=256)
def _cues(name: str) -> tuple[tuple[Facet, ...], tuple[Facet, ...]]:
    question = fact_questions()[name]
    return _facets(name, question.yes), _facets(name, question.no)


def _stated(reading: Reading, facets: Sequence[Facet]) -> Evidence | None:
    """The first statement of the card that bears one of the cues."""
    for facet in facets:
        result = assess_facet(reading, facet, label=True)
        if result.status == "found":
            return result.evidence[0]
    return None


def _read_fact(reading: Reading, question: FactQuestion) -> Fact:
    """A fact as the card states it; two statements that disagree leave it open."""
    yes, no = (_stated(reading, facets) for facets in _cues(question.name))
    if yes and no:
        return Fact(question.name, None, f"the card says both “{_short(yes.quote)}” and “{_short(no.quote)}”")
    if yes or no:
        quoted = yes or no
        assert quoted is not None
        return Fact(question.name, bool(yes), f"{quoted.file}: “{_short(quoted.quote)}”")
    return Fact(question.name, None, "")


def _short(quote: str, limit: int = 240) -> str:
    plain = " ".join(quote.split())
    return plain if len(plain) <= limit else f"{plain[:limit].rsplit(' ', 1)[0]} …"


def facts(card: ModelCard | Reading, given: Mapping[str, Any] | None = None) -> dict[str, Fact]:
    """Every named fact: given by a person, else read from the card, else what follows from other facts, else unknown."""
    reading = card if isinstance(card, Reading) else read(card)
    found = {name: _read_fact(reading, question) for name, question in fact_questions().items()}
    for name, value in (given or {}).items():
        found[name] = _given(name, value)
    _imply(found)
    return found


def _given(name: str, value: Any) -> Fact:
    if isinstance(value, Mapping):
        source = str(value.get("source") or "a person")
        value = value.get("value")
    else:
        source = "a person"
    if not isinstance(value, bool) and value is not None:
        raise UsageError(f"The fact {name} is neither true nor false", 'Write {"us_device": {"value": true, "source": "who said so"}}')
    return Fact(name, value, source)


def _imply(found: dict[str, Fact]) -> None:
    """Adds what follows from facts that are known, until nothing more follows; known facts stay as they are."""
    changed = True
    while changed:
        changed = False
        for name, question in fact_questions().items():
            if not found[name].value:
                continue
            for implied in question.implies:
                other, value = implied.lstrip("!"), not implied.startswith("!")
                if found[other].value is None and not found[other].source:
                    found[other] = Fact(other, value, f"follows from {name}")
                    changed = True


def report(card: ModelCard | Reading, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Facts, open questions, frameworks, AI Act tier and FDA class of a card, in the form of the contract."""
    reading = card if isinstance(card, Reading) else read(card)
    known = facts(reading, given)
    return {
        "facts": {n: {"value": f.value, "source": f.source} for n, f in known.items() if f.value is not None},
        "missing_facts": [{"name": n, "ask": fact_questions()[n].ask} for n, f in known.items() if f.value is None and n in fact_questions()],
        "frameworks": [], "eu_ai_act": {"tier": "unknown", "basis": [], "role": "unknown"}, "fda": {},
    }  # fmt: skip
