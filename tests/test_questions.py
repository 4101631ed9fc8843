"""Our own question sets, and what the answers make of them over the shipped summaries. Levels stand below what is measured."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from assistant import answer, corpus, evaluate, modelbench, refuse
from assistant.embed import Embedder
from assistant.errors import UsageError
from assistant.followups import rewrite
from assistant.forms import answer_json
from assistant.library import Library
from assistant.pinpoint import Pinpoint
from assistant.retrieve import Filter

QUESTIONS = corpus.root() / "questions"
SIZES = {
    "answerable": 200,
    "named": 200,
    "operative": 40,
    "unanswerable": 50,
    "elsewhere": 100,
    "dates": 30,
    "followups": 20,
    "otherfield": 60,
    "otherrules": 60,
    "abroad": 50,
    "passing": 30,
}


@pytest.fixture(scope="module")
def ask(lib: Library) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    embedder = Embedder()

    def asked(row: Mapping[str, Any]) -> dict[str, Any]:
        wanted = Filter(row.get("as_of", "2026-11-22"), tuple(row.get("frameworks", ())))
        return {"answer": answer_json(answer.respond(lib, answer.seek(lib, row["question"], wanted, embedder.embed_query, row.get("history", ())), wanted))}

    return asked


def rows(name: str) -> list[dict[str, Any]]:
    return evaluate.load_set(QUESTIONS / f"{name}.jsonl")


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_a_set_has_its_size_and_sound_rows(name: str, size: int) -> None:
    held = rows(name)
    assert len(held) == size
    assert len({r["id"] for r in held}) == size
    for r in held:
        assert r["question"].strip()
        for g in r.get("gold", []):
            found = Pinpoint.parse(g)
            assert found
            assert found.address == g


def test_every_gold_provision_is_in_the_shipped_corpus(lib: Library) -> None:
    missing = []
    for name in ("answerable", "operative", "followups", "dates"):
        for r in rows(name):
            if not any(lib.find(p, "2026-11-22") for g in r["gold"] for p in (corpus.pinpoint(g), corpus.pinpoint(g).root)):
                missing.append(r["id"])
    assert missing == []


def test_plain_questions_are_answered_from_the_right_section(ask: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    figures = evaluate.answers(rows("answerable"), ask)["figures"]
    assert figures["answered"]["value"] >= 0.9
    assert figures["gold_section_in_3"]["value"] >= 0.8
    assert figures["claims"]["value"] <= 6


def test_named_provisions_are_quoted(ask: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    figures = evaluate.answers(rows("named")[::4], ask)["figures"]
    assert figures["answered"]["value"] == 1.0
    assert figures["gold_provision_in_3"]["value"] >= 0.95


def test_date_questions_are_right(ask: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    out = evaluate.answers(rows("dates"), ask)
    assert [e["id"] for e in out["each"] if not e["marks"]["date_right"]] == []


def test_other_fields_and_nonsense_are_refused(ask: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    assert evaluate.answers(rows("unanswerable"), ask)["figures"]["refused"]["value"] >= 0.9
    assert evaluate.answers(rows("otherfield"), ask)["figures"]["refused"]["value"] >= 0.85
    rules = [r for r in rows("otherrules") if not r["id"].startswith("pd")]  # what is asked in general words of data protection is answered
    assert evaluate.answers(rules, ask)["figures"]["refused"]["value"] >= 0.85


def test_law_that_is_not_held_is_refused(lib: Library) -> None:
    answered = [r["question"] for r in rows("elsewhere") if refuse.elsewhere(r["question"], lib, Filter("2026-11-22")) is None]
    assert len(answered) <= 2, answered


def test_foreign_names_refuse_only_what_is_about_them(ask: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    """Fifty questions about law that is not held, and thirty about held law that name foreign law or countries in passing."""
    assert evaluate.answers(rows("abroad"), ask)["figures"]["refused"]["value"] >= 0.98
    assert sum(ask(r)["answer"]["abstained"] for r in rows("passing")) <= 3


def first_cited(found: Mapping[str, Any]) -> str:
    return str(found["answer"]["claims"][0]["citations"][0]["pinpoint"])


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("What are the lawful bases for processing personal data under GDPR?", "gdpr:art-6(1)"),
        ("on which legal ground can i process personal data gdpr", "gdpr:art-6(1)"),
        ("when is processing of personal data lawful under the GDPR?", "gdpr:art-6(1)"),
        ("If we put our own name on a high-risk AI system made by somebody else, do we become the provider?", "eu-ai-act:art-25(1)"),
        ("Who counts as provider when a distributor puts its brand on a high-risk AI system?", "eu-ai-act:art-25(1)"),
    ],
)
def test_the_first_citation_answers(question: str, first: str, ask: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    assert first_cited(ask({"question": question})) == first


def test_no_answerable_question_is_refused_for_a_name(lib: Library) -> None:
    for name in ("answerable", "named", "operative", "dates", "followups"):
        assert [r["question"] for r in rows(name) if refuse.elsewhere(r["question"], lib, Filter("2026-11-22"))] == []


def test_follow_ups_carry_what_they_lean_on(ask: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    bare = [r["id"] for r in rows("followups") if not all(w.lower() in rewrite(r["question"], r["history"]).lower() for w in r["rewritten_has"])]
    assert len(bare) <= 2, bare
    figures = evaluate.answers(rows("followups"), ask)["figures"]
    assert figures["gold_section_in_3"]["value"] >= 0.8


# ---- the measuring itself ----------------------------------------------------------------------------------------


def test_a_figure_has_an_interval_around_its_value() -> None:
    found = evaluate.figure([1.0] * 80 + [0.0] * 20)
    assert found
    assert found.value == 0.8
    assert 0.7 < found.low < 0.8 < found.high < 0.9
    assert evaluate.figure([]) is None
    assert evaluate.figure([1.0, 0.0]) == evaluate.figure([1.0, 0.0])


def an_answer(*addresses: str, text: str = "Seventy-two hours.", abstained: bool = False) -> dict[str, Any]:
    claims = [
        {
            "text": text,
            "phrased_by": "extract",
            "citations": [{"pinpoint": a, "status": "in-force", "applies_from": "2018-05-25", "version": "2016-05-04", "layer": "official"}],
        }
        for a in addresses
    ]
    return {"answer": {"abstained": abstained, "claims": claims, "notes": []}}


def test_marks_of_an_answer() -> None:
    row = {
        "id": "1",
        "question": "q",
        "gold": ["gdpr:art-33(1)"],
        "must_say": ["seventy-two"],
        "must_not_say": ["48"],
        "status": "in-force",
        "applies_from": "2018-05-25",
        "version": "2016-05-04",
    }
    marks = evaluate.judge_answer(row, an_answer("gdpr:art-34(1)", "gdpr:art-33")["answer"], lambda _: True)
    assert {
        k: marks[k] for k in ("answered", "gold_section_in_3", "gold_provision_in_3", "date_right", "must_say", "must_not_say", "verbatim")
    } == dict.fromkeys(("answered", "gold_section_in_3", "gold_provision_in_3", "date_right", "must_say", "must_not_say", "verbatim"), 1.0)
    late = evaluate.judge_answer(row, an_answer("gdpr:art-1", "gdpr:art-2", "gdpr:art-3", "gdpr:art-33")["answer"], None)
    assert (late["gold_section_in_3"], late["gold_section"]) == (0.0, 1.0)


def test_refusals_have_precision_and_recall() -> None:
    held = [{"id": "a", "question": "q", "gold": ["gdpr:art-1"]}, {"id": "b", "question": "q"}, {"id": "c", "question": "q"}]
    replies = {"a": an_answer(abstained=True), "b": an_answer(abstained=True), "c": an_answer("gdpr:art-1")}
    out = evaluate.answers(held, lambda row: replies[row["id"]])
    assert out["refusal"]["precision"]["value"] == 0.5
    assert out["refusal"]["recall"]["value"] == 0.5


def test_two_runs_are_compared_pair_by_pair() -> None:
    held = [{"id": str(i), "question": "q", "gold": ["gdpr:art-1"]} for i in range(4)]
    good = evaluate.answers(held, lambda _: an_answer("gdpr:art-1"))
    bad = evaluate.answers(held, lambda row: an_answer("gdpr:art-1" if row["id"] == "0" else "gdpr:art-2"))
    found = evaluate.compare(bad, json.loads(json.dumps(good)))
    assert found["worse"] == ["1", "2", "3"]
    assert found["figures"]["gold_section_in_3"]["value"] == -0.75


@pytest.mark.parametrize("line", ["[1]", "{", "nonsense"])
def test_a_set_with_a_broken_line_is_refused(line: str, tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(line + "\n", "utf8")
    with pytest.raises(UsageError):
        evaluate.load_set(path)


# ---- accuracy cards ----------------------------------------------------------------------------------------------


def test_the_committed_card_names_the_embedded_model_and_keeps_its_roles_to_the_thresholds() -> None:
    from assistant.llm import EMBEDDED_SHA256

    card = json.loads((corpus.root() / "models" / "smollm2-135m.json").read_text("utf8"))
    assert card["sha256"] == EMBEDDED_SHA256
    assert card["suite"] == modelbench.SUITE
    assert card["roles"] == modelbench.roles(card["suites"])
    assert modelbench.open_roles(Path("nowhere"), EMBEDDED_SHA256, "x") == card["roles"]
    assert modelbench.open_roles(Path("nowhere"), "0" * 64, "unknown") == {"phrasing": True, "rewriting": False, "lowering": False}


def test_a_card_is_made_of_any_model() -> None:
    from fakes import ScriptedModel

    def reply(messages: Any, schema: Any) -> Any:
        if schema is None:
            return "word " * 30
        if "verdict" in schema["properties"]:
            return {"verdict": "supported"}
        return {"question": "What?"} if "question" in schema["properties"] else {"claims": [{"key": "A", "text": "This is quite another matter altogether."}]}

    card = modelbench.card(ScriptedModel(forever=reply))
    assert card["roles"] == {"phrasing": False, "rewriting": False, "lowering": False} or card["suites"]["rewriting"]["right"]["value"] >= 0.9
    assert card["suites"]["lowering"]["right"]["value"] == 0.5
    assert card["suites"]["phrasing"]["kept"]["value"] == 0.0
