"""What applies to a project: facts from its card or from a person, and what follows from them by rule.

A fact nobody stated is unknown, and so is all that rests on it. Knows nothing of findings, indexes or models.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Literal

from assistant import aiact
from assistant.aiact import Description
from assistant.corpus import FactQuestion, fact_questions, requirements
from assistant.device import KINDS, denied, documentation_signals, is_medical, mdr_class, radiology_kind
from assistant.errors import UsageError
from assistant.findings import Evidence, Facet, Fact, ModelCard
from assistant.reading import Reading, read, weigh

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
    """The best statement of the card that bears the first cue that any bears."""
    for facet in facets:
        for_it, _ = weigh(reading, facet, label=True)
        if for_it:
            return min(for_it, key=lambda item: (-item[0], item[1].file, item[1].start))[1]
    return None


def _read_fact(reading: Reading, question: FactQuestion) -> Fact:
    """A fact as the card states it; two statements that disagree leave it open, and of one statement the contrary counts."""
    yes, no = (_stated(reading, facets) for facets in _cues(question.name))
    if yes and no and yes != no:
        return Fact(question.name, None, f"the card says both “{_short(yes.quote)}” and “{_short(no.quote)}”")
    if no:
        return Fact(question.name, False, f"{no.file}: “{_short(no.quote)}”")
    if yes:
        return Fact(question.name, True, f"{yes.file}: “{_short(yes.quote)}”")
    return Fact(question.name, None, "")


def _short(quote: str, limit: int = 240) -> str:
    plain = " ".join(quote.split())
    return plain if len(plain) <= limit else f"{plain[:limit].rsplit(' ', 1)[0]} …"


def facts(card: ModelCard | Reading, given: Mapping[str, Any] | None = None) -> dict[str, Fact]:
    """Every named fact: given by a person, else read from the card, else what follows from other facts, else unknown."""
    reading = card if isinstance(card, Reading) else read(card)
    return _established(reading, given)[0]


def _established(reading: Reading, given: Mapping[str, Any] | None) -> tuple[dict[str, Fact], aiact.Classification, Description]:
    found = {name: _read_fact(reading, question) for name, question in fact_questions().items()}
    for name, value in (given or {}).items():
        if name not in found:
            near = get_close_matches(name, found, 1)
            raise UsageError(f"There is no fact named {name}", f"Did you mean {near[0]}?" if near else "pincite triage lists the facts")
        found[name] = _given(name, value)
    _imply(found)
    purpose = Description(described(reading))
    tier = _tier(aiact.classify(purpose.text), purpose, found, len(reading.card.sections) <= 1)
    _follow(found, tier, purpose)
    _imply(found)
    return found, tier, purpose


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


# ---- what follows by rule ----------------------------------------------------------------------------------------------

_PURPOSE = ("description", "intended_purpose", "users", "population", "setting", "outputs", "contraindications", "regulatory_status", "oversight")
_WHOLE = 5_000  # characters: a text as short as this is a description as a whole
_OPENING = 12  # statements with which a card opens


def described(reading: Reading) -> str:
    """What the card says the system is for: all of a short text, else its opening and the fields of purpose and use."""
    statements = [unit.statement for unit in reading.units if unit.statement.kind != "field"]
    if sum(len(s.words) for s in statements) <= _WHOLE and len(reading.card.sections) <= 1:
        return ". ".join([*(s.title for s in reading.card.sections), " ".join(s.words for s in statements)])
    places = [(f.file, f.start, f.end) for name in _PURPOSE for f in reading.card.stated(name)]
    chosen = [s for i, s in enumerate(statements) if i < _OPENING or any(file == s.file and start <= s.start < end for file, start, end in places)]
    return " ".join(s.words if s.words.endswith((".", "!", "?", ":")) else f"{s.words}." for s in chosen)[:20_000]


def _tier(found: aiact.Classification, purpose: Description, known: Mapping[str, Fact], described_shortly: bool) -> aiact.Classification:
    """The tier with what a person or the card itself has settled; a full card of a medical purpose is a device's, by rule 11."""
    device, listed, filtered = (known[name].value for name in ("mdr_nb", "aia_annex3_health", "claims_art6_3"))
    if found.tier == "prohibited":
        return found
    if device:
        reason = aiact.Reason("a device that needs a notified body", "eu-ai-act:art-6(1)", known["mdr_nb"].source)
        return aiact.Classification("high-risk", ("eu-ai-act:art-6(1)", "eu-ai-act:annex-i(11)"), (reason,), found.considered)
    made = mdr_class(purpose)
    if found.tier in ("minimal", "transparency") and made.value not in ("", "I") and device is None and not described_shortly:
        reason = aiact.Reason("a medical device that needs a notified body", "mdr:annex-viii(rule-11)", made.words)
        found = aiact.Classification("high-risk", ("eu-ai-act:art-6(1)", "eu-ai-act:annex-i(11)"), (reason,), found.considered)
    by_device = "eu-ai-act:art-6(1)" in found.basis and "eu-ai-act:annex-i(11)" in found.basis
    if by_device and device is False:
        return aiact.Classification(
            "minimal", (), (aiact.Reason("no notified body is needed", "eu-ai-act:art-6(1)", known["mdr_nb"].source),), found.considered
        )
    if by_device and (words := denied(purpose)):
        return aiact.Classification(
            "unknown", (), (aiact.Reason("the maker says it is no device, yet describes a medical use", "eu-ai-act:art-6(1)", words),), found.considered
        )
    if listed and filtered:
        reason = aiact.Reason("the exemption is claimed", "eu-ai-act:art-6(3)", known["claims_art6_3"].source)
        return aiact.Classification("minimal", ("eu-ai-act:art-6(3)",), (reason,), found.considered)
    if listed and found.tier != "high-risk":
        reason = aiact.Reason("a use listed in Annex III", "eu-ai-act:annex-iii(5)", known["aia_annex3_health"].source)
        return aiact.Classification("high-risk", ("eu-ai-act:annex-iii(5)",), (reason,), found.considered)
    return found


def _put(found: dict[str, Fact], name: str, value: bool | None, source: str) -> None:
    """A fact by rule, where neither a person nor the card has one."""
    if value is not None and found[name].value is None and not found[name].source:
        found[name] = Fact(name, value, source)


def _both(*values: bool | None) -> bool | None:
    """Three-valued and."""
    return False if False in values else None if None in values else True


def _follow(found: dict[str, Fact], tier: aiact.Classification, purpose: Description) -> None:
    """Facts that follow from the tier, the device class and the function."""
    words = "; ".join(f"{r.rule}: {r.words}" if r.words else r.rule for r in tier.because) or "nothing in the description meets Article 6"
    health = [p for p in tier.basis if p.startswith("eu-ai-act:annex-iii(5)") and tier.tier == "high-risk"]
    _put(found, "aia_annex3_health", bool(health) if tier.tier != "unknown" else None, f"rule: {words}")
    if "eu-ai-act:annex-i(11)" in tier.basis:
        _put(found, "mdr_nb", True, f"rule: MDR Annex VIII rule 11, {words}")
    high = {"high-risk": True, "prohibited": None, "unknown": None}.get(tier.tier, False)
    _put(found, "aia_high_risk", _both(found["eu_market"].value, high), f"rule: {words}")
    _put(
        found,
        "ai_dsf",
        _both(found["us_device"].value, found["trains_on_data"].value),
        "rule: a device in the United States whose software was trained on data",
    )
    kind = radiology_kind(purpose)
    if found["us_device"].value and kind.fact:
        for name, (number, title) in KINDS.items():
            _put(
                found,
                name,
                name == kind.fact,
                f"rule: likely 21 CFR {KINDS[kind.fact][0]} by its function (“{kind.words}”)"
                if name == kind.fact
                else f"rule: another function than {number}, {title}",
            )


_SCOPE: tuple[tuple[str, str, tuple[tuple[str, str, str], ...]], ...] = (
    # framework, condition, (fact, rule, pinpoint)
    ("eu-ai-act", "eu_market", (("eu_market", "sold, given out or put to use in the Union, or its output used there", "eu-ai-act:art-2(1)"),)),
    ("gdpr", "personal_data_eu", (("personal_data_eu", "personal data of people in the Union are processed", "gdpr:art-3"),)),
    ("hipaa", "phi & (covered_entity | business_associate) | deidentified_claim", (
        ("phi", "protected health information is handled", "hipaa:160.103/protected-health-information"), ("covered_entity", "by a covered entity",
        "hipaa:160.102"),
        ("business_associate", "or for one, as business associate", "hipaa:160.103/business-associate"), ("deidentified_claim",
        "data are said to be de-identified by its standard", "hipaa:164.514(a)"),
    )),
    ("dpdp", "india_data", (("india_data", "digital personal data are processed in India, or of people offered something there", "dpdp:s-3"),)),
    ("fda", "us_device", (("us_device", "a medical device for the United States", "fda:fdca-201(h)"),)),
    ("mdr", "eu_market & mdr_nb", (("eu_market", "placed on the Union market", "mdr:art-5"), ("mdr_nb", "a device of class IIa or higher",
    "mdr:annex-viii(rule-11)"))),
)  # fmt: skip


def _frameworks(known: Mapping[str, Fact]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for framework, condition, facts_of in _SCOPE:
        answer = applies(condition, known).value
        because = [{"rule": rule, "pinpoint": pinpoint, "fact": _told(known[fact])} for fact, rule, pinpoint in facts_of]
        rows.append({"framework": framework, "applies": answer, "because": because})
    rows.append(
        {
            "framework": "principles",
            "applies": "yes",
            "because": [{"rule": "held against every card, without legal force", "pinpoint": "principles:human-oversight", "fact": ""}],
        }
    )
    return rows


def _told(fact: Fact) -> str:
    value = {True: "yes", False: "no", None: "unknown"}[fact.value]
    return f"{fact.name} = {value}" + (f" ({fact.source})" if fact.source else "")


def _role(reading: Reading) -> dict[str, str]:
    developer = reading.card.stated("developer")
    if developer:
        return {"role": "provider", "role_because": f"the card names its developer: “{_short(developer[0].value, 120)}”"}
    return {"role": "unknown", "role_because": "the card names no developer"}


def _eu_ai_act(reading: Reading, tier: aiact.Classification, purpose: Description) -> dict[str, Any]:
    device = mdr_class(purpose)
    return {
        "tier": tier.tier, "basis": list(tier.basis), "because": [{"rule": r.rule, "pinpoint": r.pinpoint, "words": r.words} for r in tier.because],
        "considered": list(tier.considered), **_role(reading),
        "mdr_class": {"value": device.value or "unknown", "stated": device.stated, "words": device.words, "pinpoint": "mdr:annex-viii(rule-11)"},
    }  # fmt: skip


def _fda(known: Mapping[str, Fact], purpose: Description) -> dict[str, Any]:
    """Device or not, likely type of radiology software, pathway and signals of the documentation level."""
    kind = radiology_kind(purpose)
    stated = next((name for name in KINDS if known[name].value), kind.fact) if known["us_device"].value is not False else ""
    signals = documentation_signals(purpose) if is_medical(purpose) else ()
    level = known["enhanced_doc_level"].value
    return {
        "device": {True: "yes", False: "no", None: "unknown"}[known["us_device"].value],
        "classification": {"regulation": f"21 CFR {KINDS[stated][0]}", "kind": KINDS[stated][1], "pinpoint": f"fda:21cfr-{KINDS[stated][0]}", "likely": not kind.stated,
        "words": kind.words} if stated else None,
        "pathway": _pathway(known, bool(stated)),
        "documentation_level": {"level": {True: "enhanced", False: "basic", None: "unknown"}[level], "pinpoint": "fda:sw-functions-2023:documentation-level",
        "signals": list(signals)},
    }  # fmt: skip


def _pathway(known: Mapping[str, Fact], classified: bool) -> str:
    if known["us_device"].value is False:
        return "none"
    if known["510k"].value:
        return "510(k)"
    if known["denovo"].value:
        return "De Novo"
    return "510(k) likely: the type is classified" if classified else "unknown"


def _hipaa(known: Mapping[str, Fact]) -> dict[str, str]:
    entity, associate, phi = (known[name].value for name in ("covered_entity", "business_associate", "phi"))
    if entity:
        return {"role": "covered entity", "because": known["covered_entity"].source}
    if associate:
        return {"role": "business associate", "because": known["business_associate"].source}
    if phi is False or (entity is False and associate is False):
        return {"role": "none", "because": known["phi"].source if phi is False else "neither covered entity nor business associate"}
    return {"role": "unknown", "because": ""}


# Commencement of the Indian Act by phases (G.S.R. 843(E) and 846(E) of 13 November 2025).
_PHASES = (
    ("2025-11-13", "Board, definitions, rule-making powers"),
    ("2026-11-13", "consent managers"),
    ("2027-05-13", "nearly all duties, rights and penalties"),
)


def _dpdp(known: Mapping[str, Fact], as_of: str) -> dict[str, Any]:
    applies_ = known["india_data"].value
    role = {True: "data fiduciary", False: "none", None: "unknown"}[applies_]
    if applies_ and known["sdf"].value:
        role = "significant data fiduciary"
    begun = [what for day, what in _PHASES if as_of and day <= as_of]
    return {
        "role": role,
        "because": known["india_data"].source,
        "phases": [{"from": day, "what": what} for day, what in _PHASES],
        "phase": begun[-1] if begun else "",
    }


def _missing(known: Mapping[str, Fact]) -> list[dict[str, Any]]:
    """Open facts with the question to ask, those first on which most requirements hang."""
    weight: dict[str, int] = {}
    for requirement in requirements():
        for name in applies(requirement.applies_when, known).open:
            weight[name] = weight.get(name, 0) + 1
    rows = [
        {"name": n, "ask": fact_questions()[n].ask, "decides": weight.get(n, 0), "note": f.source}
        for n, f in known.items()
        if f.value is None and weight.get(n)
    ]
    return sorted(rows, key=lambda row: (-int(row["decides"]), row["name"]))


def report(card: ModelCard | Reading, given: Mapping[str, Any] | None = None, as_of: str = "") -> dict[str, Any]:
    """Facts, open questions, frameworks, AI Act tier, FDA type, HIPAA and DPDP roles of a card, in the form of the contract."""
    reading = card if isinstance(card, Reading) else read(card)
    known, tier, purpose = _established(reading, given)
    return {
        "facts": {n: {"value": f.value, "source": f.source} for n, f in known.items() if f.value is not None},
        "missing_facts": _missing(known), "frameworks": _frameworks(known), "eu_ai_act": _eu_ai_act(reading, tier, purpose),
        "fda": _fda(known, purpose), "hipaa": _hipaa(known), "dpdp": _dpdp(known, as_of),
    }  # fmt: skip
