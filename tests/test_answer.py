"""Answers: every claim is a quotation that stands, the right limits, the same twice; and a model that can only phrase."""

import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import ScriptedModel

from assistant import answer, corpus, evaluate, refuse
from assistant.embed import Embedder
from assistant.errors import NotReady
from assistant.followups import leans, rewrite
from assistant.law import Answer, Citation, Claim, Quote, framework_of
from assistant.library import Library
from assistant.llm import Message, ModelFailure, Schema
from assistant.phrasing import KEYS, PROMPT_TOKENS, checked, entries, phrase
from assistant.quoting import opening
from assistant.retrieve import Filter
from assistant.settings import Settings
from assistant.support import bears
from assistant.verify import cite, stands
from assistant.workbench import Workbench

DAY = Filter("2026-11-22")


@pytest.fixture(scope="module")
def embed() -> Callable[[str], "np.ndarray"]:
    return Embedder().embed_query


Ask = Callable[..., Answer]


@pytest.fixture(scope="module")
def ask(lib: Library, embed: Callable[[str], "np.ndarray"]) -> Ask:
    kept: dict[str, Answer] = {}

    def asked(question: str, wanted: Filter = DAY, history: Sequence[Mapping[str, str]] = ()) -> Answer:
        if wanted != DAY or history:
            return answer.respond(lib, answer.seek(lib, question, wanted, embed, history), wanted)
        if question not in kept:
            kept[question] = answer.respond(lib, answer.seek(lib, question, wanted, embed), wanted)
        return kept[question]

    return asked


def cited(found: Answer) -> list[str]:
    return [c.pinpoint.address for claim in found.claims for c in claim.citations]


# ---- claims ------------------------------------------------------------------------------------------------------

PLAIN = [
    "How fast must a breach be reported to the supervisory authority under the GDPR?", "What must a data protection impact assessment contain?", "Who is a business associate?", "Is encryption of ePHI addressable?",
    "How must parents' consent for children be obtained in India?", "What is a cyber device?", "What must a threat model cover?", "Which practices does the AI Act ban?", "What does Article 14(4) of the AI Act require?",
]  # fmt: skip


@pytest.mark.parametrize("question", PLAIN)
def test_every_quotation_stands_where_it_says_and_the_claim_is_made_of_quotations(question: str, ask: Ask, lib: Library) -> None:
    found = ask(question)
    assert not found.abstained
    assert 1 <= len(found.claims) <= answer.MOST_CLAIMS
    for claim in found.claims:
        assert claim.text == " ".join(c.quote for c in claim.citations)
        assert claim.phrased_by == "extract"
        for c in claim.citations:
            edition = next(
                e
                for e in lib.editions.values()
                if e.sha256 == c.source_sha256 and e.version == c.version and framework_of(e.instrument) == framework_of(c.instrument)
            )
            assert stands(asdict(c), lib.text(edition.id))


@pytest.mark.parametrize("question", PLAIN)
def test_no_claim_is_a_fragment_a_heading_or_a_bare_point(question: str, ask: Ask) -> None:
    for claim in ask(question).claims:
        assert len(claim.text.split()) >= 5
        assert not re.match(r"\(\w{1,4}\)\s", claim.text) or "\n" in claim.text
        assert len(claim.text) <= 2200


def test_the_same_question_gives_the_same_answer_byte_for_byte(lib: Library, embed: Callable[[str], "np.ndarray"]) -> None:
    question = "Within what time must a breach be notified?"
    once, twice = (answer.seek(lib, question, DAY, embed) for _ in range(2))
    assert repr((once.hits, answer.respond(lib, once, DAY))) == repr((twice.hits, answer.respond(lib, twice, DAY)))


@pytest.mark.parametrize(
    ("question", "address"),
    [
        ("What is pseudonymisation?", "gdpr:art-4(5)"), ("What does deployer mean?", "eu-ai-act:art-3(4)"), ("Who is a covered entity?", "hipaa:160.103/covered-entity"),
        ("Define protected health information.", "hipaa:160.103/protected-health-information"),
    ],
)  # fmt: skip
def test_a_question_for_a_meaning_gets_the_definition_first(question: str, address: str, ask: Ask) -> None:
    assert cited(ask(question))[0] == address


def test_a_comparison_gets_one_claim_for_each_framework(ask: Ask) -> None:
    found = ask("Compare breach notification deadlines across the frameworks")
    frameworks = [framework_of(claim.citations[-1].instrument) for claim in found.claims]
    assert len(frameworks) == len(set(frameworks)) >= 5
    two = ask("How do GDPR and HIPAA differ on breach notification?")
    assert [framework_of(claim.citations[-1].instrument) for claim in two.claims] == ["gdpr", "hipaa"]


def test_every_comparison_topic_quotes_provisions_that_exist(lib: Library) -> None:
    for topic in answer.topics():
        held = [f for f in topic if f not in ("id", "title", "cues") and any(lib.find(corpus.pinpoint(a), DAY.as_of) for a in topic[f])]
        assert len(held) >= 2, topic["id"]


def test_a_framework_filter_holds_for_every_claim(ask: Ask) -> None:
    found = ask("How soon must a breach be reported?", Filter("2026-11-22", ("hipaa",)))
    assert {framework_of(c.instrument) for claim in found.claims for c in claim.citations} == {"hipaa"}


# ---- notes -------------------------------------------------------------------------------------------------------


def test_notes_tell_dates_layers_and_limits(ask: Ask) -> None:
    found = ask("What does Article 9 of the AI Act require?")
    assert any("applies from 2028-08-02" in note for note in found.notes)
    assert any("summaries, not the law's words" in note and "pincite corpus fetch" in note for note in found.notes)
    assert any(note.startswith("What this does not cover") for note in found.notes)
    assert any("vacated" in note for note in ask("What does 45 CFR 164.509 require?").notes)
    assert any("draft" in note for note in ask("What does the draft FDA guidance on AI-enabled device software say about validation?").notes)
    assert any("checked until" in note for note in ask("What does Article 33 GDPR require?", Filter("2031-01-01")).notes)


# ---- refusal -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of France?",
        "What are the rules on truck tyres?",
        "blorf quantic wibble strand",
        "How is a limited liability company dissolved?",
        "?",
        "x",
        "Tell me a joke.",
    ],
)
def test_what_the_texts_do_not_speak_to_is_refused_in_one_sentence(question: str, ask: Ask) -> None:
    found = ask(question)
    assert found.abstained
    assert found.reason == answer.REFUSAL
    assert found.claims == ()


def test_a_refusal_names_the_law_that_is_missing_and_what_is_near(ask: Ask) -> None:
    found = ask("What does the CCPA say about deletion?")
    assert found.abstained
    assert "CCPA" in found.notes[0]
    assert found.notes[1].startswith("Nearest provisions: ")


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("What does the UK GDPR say about consent?", "UK GDPR"), ("what does ccpa require", "ccpa"), ("What does the Shipping Act 1912 require of captains?", "Shipping Act 1912"), ("How does Argentina protect health data?", "Argentina"),
        ("What does Regulation (EU) 2017/746 require?", "2017/746"), ("What does the Colorado AI Act require?", "Colorado AI Act"), ("What do the SPDI Rules require in India?", "SPDI Rules"),
    ],
)  # fmt: skip
def test_law_that_is_not_held_is_known_by_name(question: str, named: str, lib: Library) -> None:
    found = refuse.elsewhere(question, lib, DAY)
    assert found
    assert found.words == named


@pytest.mark.parametrize(
    "question",
    [
        "May we transfer data to the United States under the GDPR?", "Can we send scans to a processor in Brazil?", "Does a vendor in Canada need a representative in France?", "Is the Digital Personal Data Protection Act in force?",
        "Does California law prevail over HIPAA?", "Is ISO 13485 part of 21 CFR 820?", "What does the Food, Drug, and Cosmetic Act say about cyber devices?", "Does the General Data Protection Regulation apply to Swiss companies?",
    ],
)  # fmt: skip
def test_held_law_is_not_refused_for_a_name_beside_it(question: str, lib: Library) -> None:
    assert refuse.elsewhere(question, lib, DAY) is None


def test_an_added_instrument_is_never_refused_for_a_name(lib: Library) -> None:
    assert refuse.elsewhere("What does Singapore's PDPA say?", lib, DAY)
    assert refuse.elsewhere("What does Singapore's PDPA say?", lib, Filter("2026-11-22", instruments=("pdpa",))) is None


# ---- follow-ups --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "question", "whole"),
    [
        (
            "Within what time must a breach be notified under the GDPR?",
            "What about India?",
            "Within what time must a breach be notified under the DPDP Act in India?",
        ),
        ("Within what time must a breach be notified under the GDPR?", "and under HIPAA?", "Within what time must a breach be notified under HIPAA?"),
        ("What must the controller document?", "and for processors?", "What must a processor document?"),
        ("What does Art. 33(1) GDPR require?", "and paragraph 2?", "What does Art. 33(2) GDPR require?"),
        ("Must the provider keep the file?", "How long?", "Must the provider keep the file? How long?"),
        (
            "Must the provider keep the file?",
            "What fines can the Data Protection Board of India impose on a fiduciary?",
            "What fines can the Data Protection Board of India impose on a fiduciary?",
        ),
        ("", "How long?", "How long?"),
    ],
)
def test_follow_ups_are_made_whole_by_rules(before: str, question: str, whole: str) -> None:
    assert rewrite(question, [{"q": before, "a": ""}] if before else []) == whole


def test_a_chain_of_follow_ups_is_resolved_from_the_first() -> None:
    turns = [{"q": "Within what time must a breach be notified under the GDPR?", "a": ""}, {"q": "and under HIPAA?", "a": ""}]
    assert rewrite("what about India?", turns) == "Within what time must a breach be notified under the DPDP Act in India?"
    assert not leans("What does Article 33 GDPR require of a controller that learns of a breach?")


def test_the_question_as_understood_is_shown(ask: Ask) -> None:
    found = ask("what about India?", DAY, [{"q": "Within what time must a breach be notified under the GDPR?", "a": "…"}])
    assert found.notes[0] == "Read as: Within what time must a breach be notified under the DPDP Act in India?"


# ---- the model's place -------------------------------------------------------------------------------------------

ASKED = [str(r["question"]) for r in evaluate.load_set(corpus.root() / "questions" / "answerable.jsonl")[::5]]
QUOTATIONS = re.compile(r"^([A-F]):\n(=== \w+ ===)\n(.*?)\n\2$", re.M | re.S)


def wording(change: Callable[[str], str]) -> Callable[[Sequence[Message], Schema | None], Mapping[str, object]]:
    """A model that restates each quotation it is shown by a function."""

    def reply(messages: Sequence[Message], _: Schema | None) -> Mapping[str, object]:
        return {"claims": [{"key": key, "text": change(text)[:400]} for key, _, text in QUOTATIONS.findall(messages[-1][1])]}

    return reply


def good(text: str) -> str:
    first = re.split(r"(?<=[.])\s", text)[0].rstrip(".;:")
    return first.replace(" shall not ", " must not ").replace(" shall ", " must ").replace("pursuant to", "under") + "."


LIES: list[tuple[str, Callable[[str], str]]] = [
    ("numbers", lambda t: re.sub(r"\b(?:\d+|one|seventy-two) (?:calendar )?(?:hours|days|months?|years)|(?:72)\b", "9 years", good(t), flags=re.I)),
    ("negation", lambda t: re.sub(r" (?:must|may|should) (?!not)", " must not ", good(t), count=1)),
    ("duty", lambda t: re.sub(r" must (?!not)", " may ", good(t))),
    ("actor", lambda t: re.sub(r"\b(?:controller|provider|processor|deployer|Data Fiduciary|covered entity)\b", "importer", good(t))),
    ("invention", lambda t: "Every hospital has to buy an insurance policy and repaint its server room each spring."),
    ("verdict", lambda t: "Your system is compliant and certified."),
]


def test_a_good_models_words_are_kept(ask: Ask) -> None:
    kept = []
    for question in ASKED:
        found = ask(question)
        out = phrase(question, found, ScriptedModel(forever=wording(good)))
        kept.extend(w.kept for w in out.wordings)
        for claim, before in zip(out.answer.claims, found.claims, strict=True):
            assert claim.citations == before.citations
            assert (claim.phrased_by == "model") == (claim.text != before.text) or claim.text == before.text
    assert len(kept) >= 40
    assert np.mean(kept) >= 0.9


@pytest.mark.parametrize(("name", "lie"), LIES)
def test_no_false_wording_of_a_lying_model_is_shown(name: str, lie: Callable[[str], str], ask: Ask) -> None:
    lied = 0
    for question in ASKED:
        found = ask(question)
        out = phrase(question, found, ScriptedModel(forever=wording(lie)))
        for w in out.wordings:
            said, honest = w.text, good(found.claims[w.place].text)
            if said != " ".join(honest.split())[:400]:
                lied += 1
                assert not w.kept, (name, said)
        for claim, before in zip(out.answer.claims, found.claims, strict=True):
            assert claim.phrased_by == "model" or claim == before
    assert lied >= 2, name


@pytest.mark.parametrize(
    "reply",
    [
        ModelFailure("worker-died"), ModelFailure("timeout"), "nonsense", "{}", '{"claims": []}', '{"claims": [{"key": "Z", "text": "Something else altogether, long enough."}]}', '{"claims": [{"key": "A"}]}',
        '{"claims": [{"key": "A", "text": "', "[[[[", "\x00", "", "I'm sorry, but I can't help with legal questions.", '<think>The user wants [A] {"key": "A", "text": "A controller must do what it likes."}',
        '{"claims": [{"key": "A", "text": "Der Verantwortliche muss eine Folgenabschätzung durchführen."}]}', '{"claims": [' + '{"key": "A", "text": "No."}, ' * 3000,
    ],
)  # fmt: skip
def test_a_models_failure_costs_the_wording_only(reply: object, ask: Ask) -> None:
    found = ask(PLAIN[0])
    assert phrase(PLAIN[0], found, ScriptedModel(reply)).answer == found  # type: ignore[arg-type]


def test_what_came_before_a_cut_off_is_kept() -> None:
    raw = '{"claims": [{"key": "A", "text": "one {brace}"}, {"key": "B", "text": "two"}, {"key": "C", "te'
    assert list(entries(raw)) == [("A", "one {brace}"), ("B", "two")]


def test_what_a_reasoning_model_thinks_is_not_what_it_says() -> None:
    thought = '<think>Perhaps [{"key": "A", "text": "first try"}] or [{</think>'
    assert list(entries(thought[:-3])) == [] and list(entries(thought + '```json\n{"claims": [{"key": "A", "text": "said"}]}\n```')) == [("A", "said")]


def test_a_server_that_knows_no_limit_is_left(ask: Ask) -> None:
    out = phrase(PLAIN[0], ask(PLAIN[0]), ScriptedModel('{"claims": [' + " " * 1_000_000))
    assert out.failure and out.failure.reason == "too-long" and len(out.raw) < 30_000


def test_a_stop_ends_the_phrasing(ask: Ask) -> None:
    stop = threading.Event()
    stop.set()
    out = phrase(PLAIN[0], ask(PLAIN[0]), ScriptedModel(forever=wording(good)), stop=stop)
    assert out.failure == ModelFailure("cancelled")


def test_the_prompt_keeps_its_budget_and_shows_only_what_was_found(ask: Ask) -> None:
    for question in PLAIN:
        model = ScriptedModel(forever=wording(good))
        found = ask(question)
        phrase(question, found, model)
        if model.asked:
            messages, schema = model.asked[0]
            assert sum(model.count_tokens(text) for _, text in messages) <= PROMPT_TOKENS + 60
            assert schema
            keys = schema["properties"]["claims"]["items"]["properties"]["key"]["enum"]
            assert keys == list(KEYS[: len(keys)])
            assert len(keys) == schema["properties"]["claims"]["maxItems"] == len(QUOTATIONS.findall(messages[-1][1]))


def test_a_small_context_is_respected(ask: Ask) -> None:
    found = ask(PLAIN[0])
    out = phrase(PLAIN[0], found, ScriptedModel(n_ctx=500))
    assert out.answer == found
    assert out.failure == ModelFailure("prompt-too-long")


def test_the_fixed_part_comes_first_and_never_changes(ask: Ask) -> None:
    model = ScriptedModel(forever=wording(good))
    for question in PLAIN[:3]:
        phrase(question, ask(question), model)
    assert len({messages[0] for messages, _ in model.asked}) == 1
    assert all(messages[0][0] == "system" for messages, _ in model.asked)


def test_talk_and_fragments_are_no_statements(ask: Ask) -> None:
    claim = ask(PLAIN[0]).claims[0]
    for text in ("Yes.", "The controller shall notify", "As an AI, I cannot say what the controller shall do.", "Here is the JSON you wanted, dear user."):
        assert not checked(0, text, claim).kept


def test_extracted_claims_bear_themselves(ask: Ask) -> None:
    """The check does not refuse the law's own words."""
    found = [bears(claim.citations[-1].quote, claim.citations[-1].quote).supported for q in PLAIN for claim in ask(q).claims]
    assert np.mean(found) >= 0.97


def test_a_refusal_is_not_phrased(ask: Ask) -> None:
    model = ScriptedModel()
    phrase("capital of France", ask("capital of France"), model)
    assert model.asked == []


def test_answers_can_be_written_as_json(ask: Ask) -> None:
    assert json.dumps([claim.text for claim in ask(PLAIN[0]).claims])


# ---- as it comes -------------------------------------------------------------------------------------------------

IMPACT = "What must a data protection impact assessment contain?"


@pytest.fixture
def bench(home: Path, lib: Library) -> Workbench:
    found = Workbench(Settings(home=home, user="ann"))
    found.__dict__.update(library=lib, embedder=Embedder(), model=ScriptedModel(forever=wording(good)))
    return found


def content(found: Mapping[str, Any]) -> str:
    return json.dumps({k: v for k, v in found.items() if k not in ("audit", "seconds")})


def actions(bench: Workbench) -> list[tuple[str, bool]]:
    return [(r.action, bool(r.body.get("cancelled"))) for r in bench.audit_tail(100) if r.action != "settings"]


def test_an_answer_comes_in_steps_and_ends_as_ask_gives_it(bench: Workbench) -> None:
    *steps, last = bench.ask_steps(IMPACT, DAY)
    assert actions(bench) == [("ask", False)]
    assert [s["step"] for s in steps] == ["hits"] + ["claim"] * (len(steps) - 1)
    claims = [(s["place"], s["claim"]) for s in steps[1:]]
    whole = last["found"]["answer"]["claims"]
    assert [place for place, _ in claims[: len(whole)]] == list(range(len(whole)))
    assert {c["phrased_by"] for _, c in claims[: len(whole)]} == {"extract"}
    assert {c["phrased_by"] for _, c in claims[len(whole) :]} == {"model"}
    assert list(dict(claims).values()) == whole
    assert steps[0]["hits"] == last["found"]["hits"]
    assert content(last["found"]) == content(bench.ask(IMPACT, DAY))
    assert bench.run(last["found"]["audit"])["question"] == IMPACT


def test_a_refusal_has_no_claim_on_the_way(bench: Workbench) -> None:
    assert [s["step"] for s in bench.ask_steps("capital of France", DAY)] == ["hits", "answer"]


@pytest.mark.parametrize("after", range(5))
def test_a_question_left_at_any_step_is_recorded_as_cancelled(after: int, bench: Workbench) -> None:
    steps = bench.ask_steps(IMPACT, DAY)
    for _ in range(after + 1):
        assert next(steps)["step"] != "answer"
    steps.close()
    assert actions(bench) == [("ask", True)]


def test_stop_ends_the_wait_for_a_model_that_hangs(bench: Workbench) -> None:
    stop, hangs = threading.Event(), threading.Event()

    def reply(_: Sequence[Message], __: Schema | None) -> str:
        stop.set()
        hangs.wait(60)
        return "{}"

    bench.__dict__["model"] = ScriptedModel(forever=reply)
    *steps, last = bench.ask_steps(IMPACT, DAY, stop=stop)
    assert not hangs.is_set()
    hangs.set()
    assert {s["claim"]["phrased_by"] for s in steps[1:]} == {"extract"}
    assert last == {"step": "cancelled", "audit": next(iter(bench.audit_tail(1))).id}
    assert actions(bench) == [("ask", True)]


def test_whoever_acts_when_the_question_is_asked_is_recorded(bench: Workbench) -> None:
    with bench.acting("bea"):
        steps = bench.ask_steps(IMPACT, DAY, "extractive")
    assert list(steps)[-1]["step"] == "answer"
    assert [r.user for r in bench.audit_tail(1)] == ["bea"]


def test_an_error_on_the_way_is_raised_and_no_answer_is_recorded(bench: Workbench, tmp_path: Path) -> None:
    del bench.__dict__["library"]
    with pytest.raises(NotReady, match="no index"):
        list(bench.ask_steps(IMPACT, DAY))
    assert actions(bench) == []


# ---- paragraphs and lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "address"),
    [
        ("What are the lawful bases for processing personal data?", "gdpr:art-6(1)"),
        ("Which minimum contents has a data protection impact assessment?", "gdpr:art-35(7)"),
        ("What does the quality management system of an AI provider have to cover?", "eu-ai-act:art-17(1)"),
        ("What has to be in the contract with a processor?", "gdpr:art-28(3)"),
    ],
)
def test_the_paragraph_asked_for_is_quoted_first_or_second(question: str, address: str, ask: Ask) -> None:
    assert any(a.startswith(address) for a in cited(ask(question))[:2]), cited(ask(question))


@pytest.mark.parametrize(
    ("own", "opens"),
    [
        ("The file shall hold:", "The file shall hold:"),
        ("Files shall be kept with the greatest care in a dry place.\nThey shall hold the following papers:", "Files shall be kept with the greatest care in a dry place.\nThey shall hold the following papers:"),
        ("Files shall be kept with the greatest care in a dry place. The office shall hold the following papers:", "The office shall hold the following papers:"),
        ("", ""),
    ],
)  # fmt: skip
def test_opening_words_that_point_back_bring_what_they_point_to(own: str, opens: str) -> None:
    assert opening(own) == opens


def test_a_list_that_breaks_off_says_so(lib: Library) -> None:
    found = lib.find(corpus.pinpoint("gdpr:art-6(1)"), "2026-11-22")
    assert found
    first = lib.find(corpus.pinpoint("gdpr:art-6(1)(a)"), "2026-11-22")
    assert first
    words = found.text[: first.span.end - found.span.start]
    granted = cite(Quote(found.pinpoint, words.strip()), lib.as_passage(found))
    assert isinstance(granted, Citation)
    assert "The list in Art. 6(1) GDPR goes on with (b) to (f)" in answer.notes([Claim(words, (granted,))], lib, "grounds", DAY)
    whole = cite(Quote(found.pinpoint, found.text.strip()), lib.as_passage(found))
    assert isinstance(whole, Citation)
    assert not any("goes on" in note for note in answer.notes([Claim(found.text, (whole,))], lib, "grounds", DAY))


def test_words_that_only_ask_are_not_missed(ask: Ask) -> None:
    assert not any("speaks of" in note for note in ask("How fast must a breach be reported to the supervisory authority under the GDPR?").notes)
