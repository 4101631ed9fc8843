"""The app without a browser: what its pages show and do over a stub of the workbench, and every route behind the one door."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from assistant import door, record, roles, server, sessions
from assistant.errors import NotReady, Refused, UsageError
from assistant.retrieve import Filter
from assistant.settings import Settings
from assistant.ui import app, ask, audit, card, drafts, gaps, parts, settings, sources, start
from assistant.ui.shell import Shell
from assistant.workbench import Workbench, now, sha256
from assistant.worker import Worker

TEXT = "Article 35\n1. Where a model may harm people, look first.\n7. The look shall contain at least:\n(a) what is done;\n(b) why it is needed."
QUOTE = "(a) what is done;"
AT = 1000  # where the provision stands in its source
SOURCE = "ab" * 32
EVIL = "<img src=x onerror=alert(1)> ${alert(1)} {{#each x}} [click](http://evil.example) **bold** `code`"


def citation(**changes: Any) -> dict[str, Any]:
    start = AT + TEXT.index(QUOTE)
    base = {
        "pinpoint": "gdpr:art-35(7)(a)", "citation": "Art. 35(7)(a) GDPR", "instrument": "gdpr", "version": "2016-05-04", "layer": "official", "provenance": "original",
        "quote": QUOTE, "start": start, "end": start + len(QUOTE), "source_sha256": SOURCE, "status": "in-force", "applies_from": "2018-05-25", "note": "", "link": "",
    }  # fmt: skip
    return {**base, **changes}


def finding(id: str, status: str, severity: str = "major", framework: str = "gdpr", quote: str = "We looked.") -> dict[str, Any]:
    facets = [
        {"id": "1", "asks": "that someone looked", "status": "found", "evidence": [{"quote": quote, "file": "README.md", "start": 0, "end": len(quote), "section": "Use"}]},
        {"id": "2", "asks": "that someone wrote it down", "status": "missing", "evidence": []},
    ]  # fmt: skip
    return {
        "requirement": id, "title": f"Title of {id}", "obligation": "Look and write it down.", "framework": framework, "pinpoint": "gdpr:art-35(7)", "citation": "Art. 35(7) GDPR",
        "legal_force": "binding", "severity": severity, "applies_from": "2018-05-25", "status": status, "why": "One of two is missing.", "facets": facets,
        "law": [citation()], "remedy": "Write it down.", "owner": "quality manager", "review": None,
    }  # fmt: skip


def report(findings: Sequence[dict[str, Any]]) -> dict[str, Any]:
    by_framework: dict[str, dict[str, int]] = {}
    for f in findings:
        row = by_framework.setdefault(f["framework"], {})
        row[f["status"]] = row.get(f["status"], 0) + 1
    by_status = {s: sum(f["status"] == s for f in findings) for s in parts.STATUSES}
    return {
        "schema": "pincite/gaps@1", "tool": "pincite 0", "as_of": "2026-11-22", "corpus_digest": "c" * 64, "card": {"name": "Made-up model", "sha256": "d" * 64}, "official": "2 of 2",
        "facts": {"eu_market": {"value": True, "source": "a person"}}, "summary": {"by_status": by_status, "by_framework": by_framework}, "findings": list(findings),
    }  # fmt: skip


FINDINGS = (
    finding("GDPR-1", "gap", "critical"), finding("GDPR-2", "partial"), finding("GDPR-3", "evidence-found", "minor"), finding("HIPAA-1", "needs-information", framework="hipaa"),
)  # fmt: skip


class Stub(Workbench):
    """A workbench whose answers are scripted; its record, users and runs are real."""

    ready = True

    def standing(self) -> dict[str, Any]:
        base = {
            "user": self.user,
            "as_of": "2026-11-22",
            "offline": False,
            "server": False,
            "program": "0",
            "audit_head": record.head(self.home),
            "model": None,
            "checked_until": "2026-11-22",
        }
        if not self.ready:
            return {
                **base,
                "ready": False,
                "reason": "There is no index yet",
                "hint": "Run: pincite ingest",
                "corpus_digest": "",
                "editions": 0,
                "official": [],
                "digest_only": [],
            }
        return {**base, "ready": True, "reason": "", "hint": "", "corpus_digest": "c" * 64, "editions": 2, "official": ["gdpr"], "digest_only": ["hipaa"]}

    def renew(self) -> None: ...

    def hits(self, question: str, wanted: Filter, k: int) -> list[Any]:
        return []

    def ask(self, question: str, wanted: Filter, mode: str = "auto", history: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
        if "broken" in question:
            raise NotReady("The library is damaged", "Run: pincite ingest --rebuild")
        refused = "tyres" in question
        claims = [] if refused else [{"text": "The look shall contain what is done.", "phrased_by": "extract", "citations": [citation()]}]
        answer = {
            "abstained": refused,
            "reason": "The indexed texts do not support an answer to this question." if refused else "",
            "claims": claims,
            "notes": ["A note."],
            "official": "1 of 1",
        }
        hit = {
            "pinpoint": "gdpr:art-35(7)",
            "citation": "Art. 35(7) GDPR",
            "version": "2016-05-04",
            "layer": "official",
            "status": "in-force",
            "applies_from": "",
            "via": ["lexical:1", "dense:3"],
        }
        out = {
            "answer": answer,
            "hits": [hit],
            "model": None,
            "prompt": "answer@1",
            "as_of": wanted.as_of,
            "corpus_digest": "c" * 64,
            "seconds": {"first": 0.1, "total": 0.1},
        }
        out["audit"] = self.write("ask", {"question": sha256(question)})
        record.keep_run(self.home, out["audit"], now(), "ask", {"question": question, **out})
        return out

    def ask_steps(self, question: str, wanted: Filter, mode: str = "auto", history: Sequence[Mapping[str, str]] = (), stop: Any = None) -> Any:
        def steps(user: str) -> Iterator[dict[str, Any]]:
            with self.acting(user):
                found = self.ask(question, wanted, mode, history)
            yield {"step": "hits", "question": question, "hits": found["hits"]}
            for place, claim in enumerate(found["answer"]["claims"]):
                yield {"step": "claim", "place": place, "claim": claim}
            yield {"step": "answer", "found": found}

        return steps(self.user)

    def show(self, address: str, as_of: str, version: str = "", layer: str = "") -> dict[str, Any]:
        if address not in ("gdpr:art-35", "Art. 35 GDPR"):
            raise UsageError(f"{address} is not in the library", "See what is held: pincite corpus list")
        return {
            "pinpoint": "gdpr:art-35", "citation": "Art. 35 GDPR", "heading": "Look first", "text": TEXT, "instrument": "gdpr", "version": "2016-05-04", "layer": "official",
            "provenance": "original", "file": "gdpr.html", "start": AT, "end": AT + len(TEXT), "source_sha256": SOURCE, "status": "in-force", "applies_from": "", "note": "", "link": "",
            "children": ["gdpr:art-35(7)"], "references": ["gdpr:art-36"], "previous": "gdpr:art-34", "next": None,
        }  # fmt: skip

    def gaps(
        self,
        path: Path,
        as_of: str,
        frameworks: Sequence[str] = (),
        scope: Sequence[str] = (),
        facts: Path | None = None,
        everything: bool = False,
        since: str = "",
        evidence: Sequence[Path] = (),
    ) -> dict[str, Any]:
        self.given = json.loads(facts.read_text()) if facts else {}
        self.seen = path.name, (path.read_text() if path.is_file() else sorted(p.name for p in path.iterdir()))
        out = report(FINDINGS)
        if since:
            out["since"] = {"run": since, "because": ["card"], "changed": [{"requirement": "GDPR-2", "was": "gap", "is": "partial"}]}
        return self._write_run("gaps", {"card": "d" * 64}, out)


@pytest.fixture
def bench(home: Path) -> Stub:
    return Stub(Settings(home=home, user="ada", llm="none"))


@pytest.fixture
def shell(bench: Stub) -> Shell:
    return Shell(bench, Worker(bench), None, None, None, None, None)


def request(user: str = "ada") -> Any:
    return SimpleNamespace(username=user)


# ---- escaping ----------------------------------------------------------------------------------------------------


def test_text_of_a_document_stays_text() -> None:
    shown = parts.esc(EVIL)
    assert "<" not in shown and "${" not in shown and "{{" not in shown
    marked = parts.md(EVIL)
    assert "<img" not in marked and "\\[click\\]\\(" in marked and "\\*\\*bold" in marked


@pytest.mark.parametrize(
    "make", [parts.banner, parts.badge, lambda t: parts.table(["A"], [[t]], t), lambda t: parts.empty(t, t), lambda t: parts.failure(UsageError(t, t))]
)
def test_every_piece_escapes(make: Any) -> None:
    assert "<img" not in make(EVIL) and "${alert" not in make(EVIL)


@pytest.mark.parametrize(
    ("status", "applies_from", "says"),
    [
        ("in-force", "2018-05-25", "in force since 25 May 2018"),
        ("in-force", "in-force", "in force"),
        ("not-yet-applicable", "2027-12-02", "applies from 2 December 2027"),
        ("superseded", "", "superseded"),
        ("draft", "", "draft guidance"),
    ],
)
def test_standing_is_said_in_words(status: str, applies_from: str, says: str) -> None:
    assert parts.law_status({"status": status, "applies_from": applies_from})[0] == says


# ---- Ask ---------------------------------------------------------------------------------------------------------


def turn(shell: Shell, question: str, turns: Any = (), who: str = "ada") -> tuple[list[dict[str, str]], list[dict[str, Any]]]:
    *_, last = ask.answer_steps(shell, request(who), question, "2026-11-22", [], "any", list(turns))
    return last


def test_an_answer_has_a_chip_for_every_citation(shell: Shell) -> None:
    shown, turns = turn(shell, "What must it contain?")
    assert [m["role"] for m in shown] == ["user", "assistant"]
    assert "](#pin-1-1)" in shown[1]["content"] and "Art\\. 35\\(7\\)\\(a\\) GDPR, official, in force" in shown[1]["content"]
    assert 'data-pin="1-1"' in ask.evidence(turns) and "by text rank 1, by meaning rank 3" in ask.evidence(turns)
    assert "%" not in shown[1]["content"]


def test_a_step_is_shown_before_the_answer(shell: Shell) -> None:
    first, turns = next(ask.answer_steps(shell, request(), "What?", "2026-11-22", [], "any", []))
    assert "Step 1 of 3" in first[-1]["content"] and turns == []


def test_each_claim_is_shown_as_soon_as_it_stands(shell: Shell) -> None:
    shown = [s[-1]["content"] for s, _ in ask.answer_steps(shell, request(), "What must it contain?", "2026-11-22", [], "any", []) if s]
    claims = [c for c in shown if "The look shall contain what is done" in c]
    assert (
        "Step 2 of 3: 1 provisions found" in "".join(shown)
        and "Step 3 of 3: 1 claims stand" in claims[0]
        and "#pin" not in claims[0]
        and "#pin-1-1" in shown[-1]
    )


def test_what_was_stopped_elsewhere_is_said(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stub, "ask_steps", lambda *a: iter([{"step": "cancelled", "audit": "x"}]))
    shown, turns = turn(shell, "What?")
    assert shown[-1]["content"] == ask.STOPPED and turns == []


def test_a_refusal_is_the_fixed_sentence_with_the_nearest_provisions(shell: Shell) -> None:
    shown, turns = turn(shell, "Which tyres?")
    assert "The indexed texts do not support an answer to this question" in shown[1]["content"].replace("\\", "")
    assert 'data-go="gdpr:art-35(7)"' in ask.evidence(turns)


def test_an_error_is_said_and_no_turn_is_kept(shell: Shell) -> None:
    shown, turns = turn(shell, "broken")
    assert "The library is damaged" in shown[-1]["content"] and turns == []
    assert turn(shell, "   ") == ([], [])
    *_, (shown, turns) = ask.answer_steps(shell, request(), "What?", "next week", [], "any", [])
    assert "is no date" in shown[-1]["content"] and turns == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_unforeseen_error_is_no_stop(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def steps(*_: Any) -> Iterator[dict[str, Any]]:
        yield {"step": "hits", "hits": []}
        raise AttributeError("a defect")

    monkeypatch.setattr(Stub, "ask_steps", steps)
    shown, turns = turn(shell, "What?")
    assert "met an error of the program" in shown[-1]["content"] and turns == []


def test_a_question_cannot_write_markup(shell: Shell) -> None:
    shown, _ = turn(shell, EVIL)
    assert "<img" not in shown[0]["content"] and "](http" not in shown[0]["content"]


def test_a_chip_opens_the_provision_with_exactly_the_quotation_marked(shell: Shell) -> None:
    _, turns = turn(shell, "What must it contain?")
    shown = ask.open_pin(shell, {"pin": "1-1"}, turns, "2026-11-22")
    assert re.search(r"<mark[^>]*>(.*?)</mark>", shown)[1] == parts.esc(QUOTE)  # type: ignore[index]
    assert "Art. 35 GDPR" in shown and 'data-go="gdpr:art-34"' in shown and "disabled>Next" in shown


@pytest.mark.parametrize("changes", [{"start": AT + 3, "end": AT + 20}, {"source_sha256": "cd" * 32}, {"quote": "(a) what was done;"}])
def test_a_quotation_that_is_not_there_is_not_marked(shell: Shell, changes: dict[str, Any]) -> None:
    shown = parts.provision_html(parts.view_citation(shell.bench, citation(**changes), "2026-11-22"))
    assert "<mark" not in shown and "could not be located here with certainty" in shown


@pytest.mark.parametrize(
    "data", [{"pin": "9-1"}, {"pin": "x"}, {"pin": "1-99"}, {"pin": "-1-1"}, {}, {"go": EVIL}, {"go": "gdpr:art-9", "version": "../../etc"}]
)
def test_clicks_that_point_nowhere_do_no_harm(shell: Shell, data: dict[str, str]) -> None:
    _, turns = turn(shell, "What must it contain?")
    shown = ask.open_pin(shell, data, turns, "2026-11-22")
    assert "<mark" not in shown and "<img" not in shown


def test_the_chat_is_closed_with_the_reason_until_there_is_an_index(bench: Stub) -> None:
    bench.ready = False
    said, box = ask.readiness(bench.standing())
    assert "There is no index yet" in said and box.interactive is False and "There is no index yet" in box.placeholder
    bench.ready = True
    said, box = ask.readiness(bench.standing())
    assert box.interactive and "pincite corpus fetch hipaa" in said


def test_a_conversation_is_kept_for_its_owner_only(shell: Shell) -> None:
    _, turns = turn(shell, "What must it contain?")
    id = ask.keep(shell, request("ada"), "", turns)
    assert ask.load_turns(shell, request("ada"), id) and ask.load_turns(shell, request("bob"), id) == []
    assert [c[1] for c in ask.choices(shell, request("ada"))] == [id] and ask.choices(shell, request("bob")) == []
    assert "“(a) what is done;”" in ask.transcript("T", turns)


def test_conversations_are_found_by_the_words_of_their_answers(shell: Shell) -> None:
    _, turns = turn(shell, "What must it contain?")
    id = ask.keep(shell, request(), "", turns)
    assert [c[1] for c in ask.choices(shell, request(), "SHALL contain")] == [id] and ask.choices(shell, request(), "contain tyres") == []


def test_stop_is_heard_within_a_beat_and_says_so(shell: Shell, bench: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = threading.Event()
    answers = Stub.ask
    monkeypatch.setattr(Stub, "ask", lambda *args: slow.wait(5) and answers(*args))
    steps = ask.answer_steps(shell, request(), "What?", "2026-11-22", [], "any", [])
    shown = [next(steps) for _ in range(3)]
    started = time.monotonic()
    steps.close()
    assert time.monotonic() - started < ask.BEAT + 0.2
    slow.set()
    assert all(turns == [] for _, turns in shown)
    said = ask.stopped([{"role": "user", "content": [{"type": "text", "text": "What?"}]}, {"role": "assistant", "content": "…"}], [])
    assert [m["content"] for m in said] == ["What?", ask.STOPPED] and ask.stopped([], []) == []


def test_a_passage_is_pinned_to_a_project_of_ones_own(shell: Shell, bench: Stub) -> None:
    _, turns = turn(shell, "What must it contain?")
    project = app.open_project(shell, request("ada"), "  Skin   lesions ")
    assert project and app.open_project(shell, request("ada"), "skin lesions") == project == app.open_project(shell, request("ada"), project)
    assert "pinned" in ask.pin(shell, request("ada"), project, {"pin": "1-1"}, turns)
    ask.pin(shell, request("ada"), project, {"pin": "1-1"}, turns)
    shown = ask.pins_html(shell, request("ada"), project)
    assert shown.count("Take out</button>") == 1 and "Art. 35(7)(a) GDPR" in shown and "What must it contain?" in shown
    for data in ({"pin": "9-9"}, {"go": "x"}, {}):
        assert "Open a citation first" in ask.pin(shell, request("ada"), project, data, turns)
    assert "Choose a project" in ask.pin(shell, request("ada"), None, {"pin": "1-1"}, turns)
    for who in ("bob", "eve"):
        assert "no such project" in ask.pins_html(shell, request(who), project) and app.project_choices(shell, request(who)) == []
        assert "no such project" in ask.pin(shell, request(who), project, {"pin": "1-1"}, turns)
        pin = bench.project(project)["pins"][0]["id"]
        assert "no such pin" in ask.unpin(shell, request(who), {"pin": f"unpin-{pin}"})
    assert "> (a) what is done;" in ask.pinned_text(bench.project(project))
    assert ask.unpin(shell, request("ada"), {"pin": f"unpin-{pin}"}) == "" and "Nothing pinned" in ask.pins_html(shell, request("ada"), project)
    assert [r.action for r in bench.audit_tail(9)].count("pin") == 2 and bench.verify_audit().sound


def test_points_stand_on_their_level_and_references_open_what_they_name() -> None:
    text = "Look.\n(a) as Article 36 says;\n(b) else."
    at = text.index("Article 36")
    shown = {
        **Stub.show(None, "gdpr:art-35", "2026-11-22"),  # type: ignore[arg-type]
        "text": text, "parts": [[text.index("(a)"), 1], [text.index("(b)"), 2]], "links": [[at, at + 10, "gdpr:art-36"], [at + 3, at + 10, "gdpr:art-9"]],
    }  # fmt: skip
    html = parts.provision_html(parts.View(shown, (text.index("as"), text.index("(b)") + 3)))
    assert re.findall(r'<div class="pc-part pc-depth-(\d)">', html) == ["0", "1", "2"]
    assert html.count('data-go="gdpr:art-36"') == 2 and "gdpr:art-9" not in html  # inside the words, and in the list below
    marked = "".join(re.sub(r"<[^>]*>", "", m) for m in re.findall(r"<mark[^>]*>(.*?)</mark>", html))
    assert marked == "as Article 36 says;(b)" and html.count('id="pc-mark"') == 1


# ---- Gaps --------------------------------------------------------------------------------------------------------


def assess(shell: Shell, tmp_path: Path, given: dict[str, Any] | None = None) -> dict[str, Any]:
    file = tmp_path / "README.md"
    file.write_text("We looked.")
    *_, (_, found) = gaps.assess_steps(shell, request(), [str(file)], None, None, given or {}, "2026-11-22", [], False)
    assert found is not None
    return dict(found)


def test_the_card_is_read_under_its_own_name_with_the_facts_a_person_set(shell: Shell, bench: Stub, tmp_path: Path) -> None:
    assess(shell, tmp_path, {"us_device": {"value": True, "source": "510(k)"}})
    assert bench.seen == ("README.md", "We looked.") and bench.given == {"us_device": {"value": True, "source": "510(k)"}}


def test_without_a_card_the_page_says_what_to_give(shell: Shell) -> None:
    *_, (shown, found) = gaps.assess_steps(shell, request(), None, "../../etc/passwd", None, {}, "2026-11-22", [], False)
    assert found is None and "Upload one" in shown


def test_counts_matrix_and_severity_agree_with_the_findings() -> None:
    found = report(FINDINGS)
    assert "<b>1</b>✕ Gap" in gaps.counts(found)
    frame = gaps.matrix(found).data
    assert list(frame.iloc[0])[:5] == ["GDPR", 1, 1, 0, 1] and list(frame.iloc[1])[3] == 1
    bars = gaps.severity_bars(found)
    assert "<table" in bars and "<td>critical</td><td>1</td><td>0</td><td>1</td>" in bars
    assert "25 May 2018" in gaps.timeline(found)


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        (("any", "any", "any", ""), ["GDPR-1", "GDPR-2", "HIPAA-1", "GDPR-3"]),
        (("gdpr", "any", "any", ""), ["GDPR-1", "GDPR-2", "GDPR-3"]),
        (("any", "partial", "any", ""), ["GDPR-2"]),
        (("any", "any", "critical", ""), ["GDPR-1"]),
        (("any", "any", "any", "title hipaa"), ["HIPAA-1"]),
        (("hipaa", "gap", "any", ""), []),
    ],
)
def test_filters(filters: tuple[str, str, str, str], ids: list[str]) -> None:
    assert [f["requirement"] for f in gaps.chosen(report(FINDINGS), *filters)] == ids


@pytest.mark.parametrize(
    ("cell", "means"), [((0, 0), ("gdpr", "any")), ((0, 1), ("gdpr", "gap")), ((1, 3), ("hipaa", "needs-information")), ((7, 1), ("any", "any"))]
)
def test_a_cell_of_the_matrix_is_a_filter(cell: tuple[int, int], means: tuple[str, str]) -> None:
    assert gaps.from_cell(report(FINDINGS), *cell) == means


def test_a_finding_shows_law_and_card_and_escapes_the_card() -> None:
    shown = gaps.detail(finding("GDPR-1", "partial", quote=EVIL))
    assert "Art. 35(7)(a) GDPR" in shown and "README.md, Use" in shown and "✕ missing" in shown and "quality manager" in shown
    assert "<img" not in shown and "${alert" not in shown


def test_a_gap_against_guidance_is_called_that() -> None:
    assert "(against guidance)" in gaps.detail({**finding("F-1", "gap"), "legal_force": "draft guidance"})
    assert "(against guidance)" not in gaps.detail(finding("F-1", "gap"))


@pytest.mark.parametrize(
    ("decision", "reason", "edited", "says"),
    [("reject", "", "", "needs a reason"), ("edit", "because", "", "needs the new wording"), (None, "", "", "is no decision")],
)
def test_a_decision_needs_its_reason(shell: Shell, tmp_path: Path, decision: str | None, reason: str, edited: str, says: str) -> None:
    found = assess(shell, tmp_path)
    said, after = gaps.decide(shell, request("eve"), found, "GDPR-1", decision, reason, edited)
    assert says in said and after == found


def test_a_decision_is_recorded_under_the_name_of_who_made_it(shell: Shell, bench: Stub, tmp_path: Path) -> None:
    found = assess(shell, tmp_path)
    said, after = gaps.decide(shell, request("eve"), found, "GDPR-1", "reject", "It is out of scope: <b>see</b>", "")
    assert "GDPR-1: rejected" in said and after
    shown = gaps.detail(gaps.finding(after, "GDPR-1") or {})
    assert "Rejected by eve" in shown and "<b>see" not in shown
    assert [(r.action, r.user) for r in bench.audit_tail(1)] == [("review", "eve")]
    kept = {f["requirement"]: f["review"] for f in bench.run(found["run"])["findings"]}
    assert kept["GDPR-1"]["decision"] == "reject" and kept["GDPR-2"] is None
    assert bench.verify_audit().sound


def test_the_next_assessment_of_a_project_is_held_against_its_last(shell: Shell, bench: Stub, tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("We looked.")
    project = app.open_project(shell, request(), "Lesions") or ""
    steps = [list(gaps.assess_steps(shell, request(), [str(file)], None, None, {}, "2026-11-22", [], False, "", project))[-1] for _ in range(2)]
    first, second = (found for _, found in steps)
    assert first and second and "since" not in first and second["since"]["run"] == first["run"]
    assert "Gap</td><td>Partial" in steps[1][0] and [f["requirement"] for f in gaps.chosen(second, "any", "any", "any", "", True)] == ["GDPR-2"]


def test_a_kept_assessment_is_opened_again_by_its_owner_and_by_whom_it_was_shared_with(shell: Shell, staff: None, tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("We looked.")
    project = app.open_project(shell, request("developer"), "Lesions") or ""
    *_, (_, found) = gaps.assess_steps(shell, request("developer"), [str(file)], None, None, {}, "2026-11-22", [], False, "", project)
    assert found
    assert "There is no gap analysis" in gaps.remark(shell, request("reviewer"), found, "GDPR-1", "Do it", "bob", "")[0]
    assert "Choose a user" in start.share(shell, request("developer"), project, None, "view")
    assert "may look at it" in start.share(shell, request("developer"), project, "auditor", "view")
    assert "may work on it" in start.share(shell, request("developer"), project, "reviewer", "work")
    assert "is developer&#x27;s to share" in start.share(shell, request("reviewer"), project, "compliance", "view")
    assert "assigned to bob" in gaps.remark(shell, request("reviewer"), found, "GDPR-1", "Do it", "bob", "2026-12-01")[0]
    for who, there in (("developer", True), ("reviewer", True), ("auditor", True), ("admin", True), ("compliance", False), ("gone", False)):
        _, again = gaps.reopened(shell, request(who), found["run"])
        assert (again is not None) is there, who
        assert (found["run"] in start.projects_html(shell, request(who), project)) is (there and who != "admin"), who
    assert "Lesions (developer)" in [name for name, _ in app.project_choices(shell, request("auditor"))]
    _, again = gaps.reopened(shell, request("developer"), found["run"])
    assert "bob, due 1 December 2026" in gaps.detail(gaps.finding(again, "GDPR-1") or {}) and "bob" not in gaps.detail(gaps.finding(again, "GDPR-2") or {})


def test_decisions_on_what_has_not_changed_stand_again_by_a_persons_act(shell: Shell, bench: Stub, tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("We looked.")
    *_, (_, first) = gaps.assess_steps(shell, request(), [str(file)], None, None, {}, "2026-11-22", [], False)
    assert first
    for id, decision, words in (("GDPR-1", "edit", "We looked there."), ("GDPR-2", "reject", "")):
        gaps.decide(shell, request(), first, id, decision, "I know", words)
    *_, (_, second) = gaps.assess_steps(shell, request(), [str(file)], None, None, {}, "2026-11-22", [], False, first["run"])
    assert second and bench.reviews(second["run"]) == {}
    differ = [{**f, "status": "gap"} if f["requirement"] == "GDPR-2" else f for f in second["findings"]]
    record.keep_run(bench.home, second["run"], now(), "gaps", {**second, "findings": differ})
    assert gaps.carry_offer(shell, request(), first) == "" and "Stand by 1 earlier decision" in gaps.carry_offer(shell, request(), second)
    said, after = gaps.carry(shell, request("eve"), second)
    assert "1 decision stands again" in said and after and gaps.carry_offer(shell, request(), second) == ""
    stood = bench.reviews(second["run"])
    assert list(stood) == ["GDPR-1"] and (stood["GDPR-1"]["decision"], stood["GDPR-1"]["by"], stood["GDPR-1"]["edited"]) == ("edit", "eve", "We looked there.")
    assert stood["GDPR-1"]["reason"] == f"As in run {first['run']}: I know" and bench.audit_tail and bench.verify_audit().sound


def test_an_assessment_is_checked_again_from_the_card_as_it_was_kept(shell: Shell, bench: Stub, tmp_path: Path) -> None:
    sha256_ = "e" * 64
    record.keep_run(bench.home, f"card-{sha256_}", now(), "card", {"name": "Model", "sha256": sha256_, "files": [{"file": "README.md", "text": "We\nlooked."}]})
    run = bench.write("gaps", {})
    held = {**report(FINDINGS), "card": {"name": "Model", "sha256": sha256_}}
    record.keep_run(bench.home, run, now(), "gaps", held)
    with gaps.kept_files(shell, held) as files:
        assert [(Path(f).name, Path(f).read_bytes()) for f in files] == [("README.md", b"We\nlooked.")]
    *_, (_, again) = gaps.assess_steps(shell, request(), None, None, None, {}, "2026-11-22", [], False, run, "", held)
    assert again and again["since"]["run"] == run
    record.keep_run(bench.home, f"card-{sha256_}", now(), "card", {"name": "Model", "sha256": sha256_, "files": [{"file": "card.pdf", "text": "We looked."}]})
    shown = list(gaps.assess_steps(shell, request(), None, None, None, {}, "2026-11-22", [], False, run, "", held))[-1]
    assert "only the text was kept" in shown[0] and shown[1] is None


def test_the_card_page_shows_what_changed_since_the_version_before(shell: Shell, bench: Stub) -> None:
    texts = {"d" * 64: "One line.\nIt is for adults.\nThe end.", "e" * 64: f"One line.\nIt is for {EVIL}.\nThe end."}
    for sha256_, text in texts.items():
        record.keep_run(bench.home, f"card-{sha256_}", now(), "card", {"name": "Model", "sha256": sha256_, "files": [{"file": "README.md", "text": text}]})
        record.keep_run(bench.home, bench.write("gaps", {}), now(), "gaps", {**report(FINDINGS), "card": {"name": "Model", "sha256": sha256_}})
    read_now = {"name": "Model", "sha256": "f" * 64, "files": [{"file": "README.md", "text": "One line.\nIt is for children.\nThe end."}]}
    known = card.versions(shell, request(), read_now)
    assert [v for _, v in known] == ["e" * 64, "d" * 64] and card.versions(shell, request(), {**read_now, "name": "Other"}) == []
    shown = card.difference(shell, request(), read_now, "d" * 64)
    assert "It is for <del>adults.</del> <ins>children.</ins>" in shown and "1 places differ" in shown and "One line" not in shown
    assert "<img" not in card.difference(shell, request(), read_now, "e" * 64)
    assert "says what it said" in card.difference(shell, request(), {**read_now, "files": [{"file": "README.md", "text": texts["d" * 64]}]}, "d" * 64)
    assert card.difference(shell, request(), read_now, "0" * 64) == card.NO_VERSION


def test_another_model_is_chosen_on_the_page_by_an_administrator(shell: Shell, bench: Stub, staff: None) -> None:
    assert "needs the role admin" in list(settings.choose(shell, request("developer"), "none", ""))[-1]
    assert "needs the role admin" in list(settings.measure(shell, request("developer")))[-1] and "needs the role admin" in settings.model_html(
        shell, request("developer")
    )
    assert "Name a GGUF file" in list(settings.choose(shell, request("admin"), " ", ""))[-1]
    bench.fixed = frozenset()
    told = list(settings.choose(shell, request("admin"), "/nowhere/x.gguf", ""))
    assert "Step 1" in told[0] and "names no file" in told[-1] and record.last_of(bench.home, "settings") is None
    assert "In use from now on" in list(settings.choose(shell, request("admin"), "none", ""))[-1]
    last = record.last_of(bench.home, "settings")
    assert last and (last.user, last.body["changed"], last.body["llm"]) == ("admin", "llm", "none")
    assert "From: chosen here" in settings.model_html(shell, request("admin")) and "no model to measure" in list(settings.measure(shell, request("admin")))[-1]
    bench.fixed = frozenset({"llm"})
    assert "was set before the start and wins" in settings.model_html(shell, request("admin"))
    assert "PINCITE_LLM is set and wins" in list(settings.choose(shell, request("admin"), "none", ""))[-1]


@pytest.mark.parametrize(
    ("address", "before"),
    [
        ("eu-ai-act:art-9(1)", ("2026-08-02",)),
        ("eu-ai-act:art-6(1)", ("2027-08-02",)),
        ("eu-ai-act:art-4a(1)", ()),  # put in by the amendment
        ("eu-ai-act:art-5(1)(ba)", ()),
        ("eu-ai-act:art-3(14)", ("2025-02-02",)),
        ("gdpr:art-35", ()),
        ("hipaa:164.308(a)", ()),
    ],
)
def test_moved_dates_come_from_the_dates_of_the_corpus(address: str, before: tuple[str, ...]) -> None:
    assert gaps.earlier_dates(address) == before


def test_the_timeline_shows_what_an_amendment_moved() -> None:
    moved = {**finding("AIA-9-1", "gap", framework="eu-ai-act"), "pinpoint": "eu-ai-act:art-9(1)", "citation": "Art. 9(1) AI Act", "applies_from": "2028-08-02"}
    shown = gaps.timeline(report([moved, finding("GDPR-1", "gap")]))
    assert "<td>2 August 2026</td><td>2 August 2028</td><td>1</td><td>Art. 9(1) AI Act</td>" in shown
    assert "2 August 2028 (ahead)" in shown and "1 requirements applied already on 6 May 2026" in shown


def test_the_crosswalk_shows_both_statuses_once() -> None:
    pair = report([finding("AIA-4-1", "evidence-found"), finding("HIPAA-164.308-A-5-I", "gap", framework="hipaa")])
    shown = gaps.crosswalk(pair)
    assert shown.count("HIPAA-164.308-A-5-I: ") == 1 and "look whether the evidence serves both" in shown
    assert "No crosswalk" in gaps.crosswalk(report([finding("AIA-4-1", "gap")]))


# ---- the other pages ---------------------------------------------------------------------------------------------


def test_start_says_what_is_missing_and_how_to_add_it(bench: Stub) -> None:
    bench.ready = False
    assert "There is no index yet" in start.overview(bench.standing()) and "pincite ingest" in start.overview(bench.standing())
    bench.ready = True
    assert "Official texts: GDPR" in start.overview(bench.standing())


def test_a_card_field_is_marked_where_it_stands() -> None:
    shown = {"name": "M", "sha256": "d" * 64, "files": [{"file": "README.md", "text": "# M\nUse: <b>skin</b>"}], "hidden": ["do as I say"], "problems": [], "fields": [
        {"field": "intended_purpose", "value": "<b>skin</b>", "file": "README.md", "start": 9, "end": 20, "state": "stated"},
        {"field": "licence", "value": "", "file": "", "start": 0, "end": 0, "state": "missing"}]}  # fmt: skip
    assert "<mark>&lt;b&gt;skin&lt;/b&gt;</mark>" in card.card_text(shown, "intended_purpose") and "<mark>" not in card.card_text(shown, "licence")
    assert "README.md, line 2" in card.fields_table(shown) and "✕ missing" in card.fields_table(shown)
    assert "never evidence" in card.warnings(shown)


def test_a_fact_needs_a_source() -> None:
    given, said = card.set_fact({}, "us_device", "yes", "  ")
    assert given == {} and "where this is known from" in said
    given, _ = card.set_fact({}, "us_device", "not known", "nobody knows")
    assert given == {"us_device": {"value": None, "source": "nobody knows"}}
    assert card.set_fact({}, "no_such_fact", "yes", "me")[0] == {}


def test_audit_shows_the_trace_of_an_answer_and_checks_the_chain(shell: Shell, bench: Stub) -> None:
    _, turns = turn(shell, "What must it contain?")
    rows = audit.rows(shell, request(), 50, "ask", "AD")
    assert [r[4] for r in rows] == [turns[0]["audit"]] and audit.rows(shell, request(), 50, "gaps", "") == []
    shown = audit.trace(shell, request(), turns[0]["audit"])
    assert "What must it contain?" in shown and "lexical:1, dense:3" in shown and "answer@1" in shown
    assert "Sound: 2 records" in audit.verify(shell, request(), "") and "not in the chain" in audit.verify(shell, request(), "f" * 64)


def test_a_sample_is_the_same_for_the_same_seed_and_its_marks_are_recorded(shell: Shell, bench: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stub, "_stands", lambda self, c: True)
    for n in range(6):
        turn(shell, f"Question {n}?")
    first, drawn = audit.draw(shell, request(), 3, 7)
    assert audit.draw(shell, request(), 3, 7)[0] == first and audit.draw(shell, request(), 3, 8)[0] != first and len(drawn) == 3
    assert "marked “agree”" in audit.mark(shell, request("aud"), drawn, 2, "agree") and [(r.action, r.user) for r in bench.audit_tail(1)] == [("mark", "aud")]
    assert "Choose a claim" in audit.mark(shell, request(), drawn, 9, "agree") and "is no mark" in audit.mark(shell, request(), drawn, 1, "fine")


def test_only_an_administrator_manages_users_and_one_must_stay(shell: Shell) -> None:
    assert "has to be an administrator" in settings.change_user(shell, request(), "bob", "auditor", "a long password", False)[0]
    assert "may sign in as admin" in settings.change_user(shell, request(), "root", "admin", "a long password", False)[0]
    assert "too short" in settings.change_user(shell, request("root"), "bob", "auditor", "short", False)[0]
    assert "may sign in as auditor" in settings.change_user(shell, request("root"), "bob", "auditor", "a long password", False)[0]
    assert "needs the role admin" in settings.change_user(shell, request("bob"), "bob", "admin", "a long password", False)[0]
    assert "has to be an administrator" in settings.change_user(shell, request("root"), "root", "", "", True)[0]


@pytest.fixture
def staff(shell: Shell) -> None:
    """One user of each role, under the role's name."""
    for role in roles.ROLES:
        record.keep_user(shell.bench.home, record.User(role, role, "x"))


def did(shell: Shell, tmp_path: Path, what: str, who: Any) -> str:
    """What a page shows after an action of the table."""
    file = tmp_path / "README.md"
    file.write_text("We looked.")
    held = report(FINDINGS)
    bench = shell.bench
    with bench.acting("compliance"):
        run = bench.write("gaps", {})
    record.keep_run(bench.home, run, now(), "gaps", held)

    def rows() -> str:
        try:
            return str(audit.rows(shell, who, 9, "any", ""))
        except Refused as error:
            return str(error)

    acts = {
        "assess": [
            lambda: str(list(gaps.assess_steps(shell, who, [str(file)], None, None, {}, "2026-11-22", [], False))[-1][0]),
            lambda: str(list(drafts.make(shell, who, "no-pack", None, [str(file)], None, {}, "2026-11-22"))[-1][0]),
            lambda: card.read(shell, who, [str(file)], None, {})[0],
        ],
        "decide": [lambda: gaps.decide(shell, who, {**held, "run": run}, "GDPR-1", "accept", "", "")[0]],
        "audit": [
            rows,
            lambda: audit.verify(shell, who, ""),
            lambda: audit.trace(shell, who, run),
            lambda: audit.draw(shell, who, 1, 1)[0],
            lambda: audit.mark(shell, who, [{"ask": run, "claim": 0}], 1, "agree"),
        ],
        "sources": [
            lambda: list(sources.add(shell, who, [], "id") if not roles.may(shell.role(who), "sources") else ["ok"])[-1],
            lambda: list(start.build_index(shell, who) if not roles.may(shell.role(who), "sources") else ["ok"])[-1],
        ],
        "settings": [
            lambda: settings.settings_table(shell, who),
            lambda: settings.users_table(shell, who),
            lambda: settings.change_user(shell, who, "new", "developer", "a long password", False)[0],
            lambda: settings.prove(shell, who) if not roles.may(shell.role(who), "settings") else "ok",
            lambda: start.check_machine(shell, who) if not roles.may(shell.role(who), "settings") else "ok",
        ],
    }
    said = [act() for act in acts[what]]
    assert len({"This needs the role" in s for s in said}) == 1, said
    return said[0]


@pytest.mark.parametrize("role", [*roles.ROLES, "gone"])
@pytest.mark.parametrize("what", ["assess", "decide", "audit", "sources", "settings"])
def test_every_handler_asks_for_the_role(shell: Shell, staff: None, tmp_path: Path, role: str, what: str) -> None:
    may = role != "gone" and roles.may(role, what)
    assert ("This needs the role" in did(shell, tmp_path, what, request(role))) is not may


def test_a_user_who_is_gone_cannot_ask(shell: Shell, staff: None) -> None:
    assert turn(shell, "What must it contain?", who="developer")[1]
    record.remove_user(shell.bench.home, "developer")
    shown, turns = turn(shell, "What must it contain?", who="developer")
    assert turns == [] and "needs the role" in shown[-1]["content"]


def test_pages_for_some_roles_are_hidden_from_others_who_may_sign_out(shell: Shell, staff: None) -> None:
    who = app.allowed(shell, request("developer"))
    assert 'action="/logout"' in who and "developer (developer)" in who and "pc-closed-audit" in who and "pc-closed-settings" in who
    assert "pc-closed" not in app.allowed(shell, request("admin"))
    for page in ("audit", "settings"):
        assert f"body:has(.pc-closed-{page}) #pc-tab-{page}-button" in parts.style()


def test_settings_say_where_they_come_from(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINCITE_LLM", "none")
    shown = settings.settings_table(shell, request())
    assert "<td>PINCITE_LLM</td><td>PINCITE_LLM</td>" in shown and "<td>default</td><td>PINCITE_EMBEDDER</td>" in shown


def test_sources_open_an_address_or_say_what_is_wrong(shell: Shell) -> None:
    assert "Look" not in sources.open_address(shell, "Art. 9999 GDPR", "2026-11-22") and "not in the library" in sources.open_address(
        shell, "Art. 9999 GDPR", "2026-11-22"
    )
    assert "Art. 35 GDPR" in sources.open_address(shell, "gdpr:art-35", "2026-11-22")


def test_two_versions_are_compared_on_the_screen(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    held = [{"work": "gdpr", "version": v, "layer": "official", "same_as": None} for v in ("2016-05-04", "2026-01-01")]
    other = [{"work": "dpdp", "version": "2023-08-11", "layer": "official", "same_as": None}]
    monkeypatch.setattr(Stub, "editions", lambda self: [*held, *other])
    change = {"pinpoint": "gdpr:art-35", "citation": "Art. 35 GDPR", "kind": "changed", "words": [["same", "Look "], ["removed", EVIL], ["added", "twice"]]}
    found = {"counts": {"added": 0, "removed": 0, "changed": 1}, "changes": [change], "requirements": ["GDPR-35-1"]}
    monkeypatch.setattr(Stub, "diff", lambda self, work, old, new: found)
    assert [c for _, c in sources.versions(shell)] == ["gdpr 2016-05-04 2026-01-01"]
    shown = sources.compared(shell, "gdpr 2016-05-04 2026-01-01")
    assert "1 changed" in shown and "<ins>twice</ins>" in shown and "<del>&lt;img" in shown and "<img" not in shown and "GDPR-35-1" in shown
    assert "Nothing to compare" in sources.compared(shell, "../../x y z") and "Nothing to compare" in sources.compared(shell, None)


def test_fetching_is_closed_with_the_reason_where_the_installation_is_offline(home: Path) -> None:
    config = app.build(Stub(Settings(home=home, user="ada", llm="none", offline=True))).get_config_file()
    button = next(c["props"] for c in config["components"] if c["props"].get("elem_id") == "pc-fetch")
    assert button["interactive"] is False and any("PINCITE_OFFLINE is set" in str(c["props"].get("value")) for c in config["components"])


def test_a_bundle_is_checked_from_its_bytes(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    file.write_bytes(b"PK not one")
    assert "Not sound" in audit.check_bundle(shell, request(), str(file), "") and "Choose a bundle" in audit.check_bundle(shell, request(), None, "")


def test_records_are_filtered_by_day(shell: Shell) -> None:
    turn(shell, "What must it contain?")
    day = now()[:10]
    assert len(audit.rows(shell, request(), 9, "ask", "", day, day)) == 1
    assert audit.rows(shell, request(), 9, "any", "", "2999-01-01") == [] == audit.rows(shell, request(), 9, "any", "", "", "1999-01-01")


MADE = {
    "schema": "pincite/draft@1", "run": "0" * 16, "as_of": "2026-11-22", "corpus_digest": "c" * 64, "level": "", "card": {"name": "M", "sha256": "d" * 64}, "official": "1 of 1",
    "pack": {"id": "p", "title": "A pack", "framework": "gdpr", "about": "", "note": "Read it."}, "counts": {"stated": 0, "partly-stated": 1, "asked": 0},
    "notes": [{"n": 1, **citation()}],
    "sections": [{"id": "s1", "title": "First", "pinpoint": "gdpr:art-35", "citation": "Art. 35 GDPR", "about": "", "elements": [{
        "id": "e1", "title": "Element", "pinpoint": "gdpr:art-35", "citation": "Art. 35 GDPR", "owner": "ada", "levels": [], "state": "partly-stated", "sentences": [
            {"kind": "law", "text": "Say what is done.", "note": 1, "pinpoint": "gdpr:art-35", "requirements": []},
            {"kind": "card", "text": EVIL, "label": "Use", "field": "use", "caution": "", "file": "README.md", "start": 0, "end": 9, "line": 1, "section": "", "requirements": []},
            {"kind": "input", "text": "[INPUT NEEDED: why it is needed]", "owner": "ada", "requirements": []}]}]}],
}  # fmt: skip


def test_a_draft_shows_its_sources_and_every_open_question() -> None:
    shown = drafts.section_html(MADE, "s1")
    assert "[INPUT NEEDED: why it is needed]" in shown and "README.md, line 1" in shown and 'data-pin="law-1"' in shown and "<img" not in shown
    assert drafts.open_questions(MADE) == [("Element: [INPUT NEEDED: why it is needed]", "s1#e1/2")]
    assert "machine-made" in drafts.head(MADE) and "◐ partly stated" in drafts.outline(MADE)
    assert "No section open" in drafts.section_html(MADE, "../s1")


def kept_draft(bench: Stub, owner: str) -> dict[str, Any]:
    """A draft of the owner's that is kept in the record."""
    with bench.acting(owner):
        run = bench.write("draft", {})
    record.keep_run(bench.home, run, now(), "draft", {**MADE, "run": run})
    return {**MADE, "run": run}


def test_a_sentence_is_edited_under_a_name_and_the_machines_words_stay(shell: Shell, bench: Stub, staff: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stub, "stale", lambda self, run, card=None: [])
    made = kept_draft(bench, "developer")
    assert "There is no gap analysis or draft" in drafts.decide(shell, request("reviewer"), made, "e1/2", "accept", "", "")[0]
    bench.comment(made["run"], "e1/2", "Please look", "reviewer")  # handed over
    said, after = drafts.decide(shell, request("reviewer"), made, "e1/2", "edit", "we know it", "It is needed <b>for triage</b>.")
    assert "e1/2: edited" in said and after and drafts.progress_of(after) == (1, 3) and drafts.open_questions(after) == []
    shown = drafts.section_html(after, "s1")
    assert (
        "<del>[INPUT NEEDED: why it is needed]</del>" in shown
        and "<ins>It is needed &lt;b&gt;for triage&lt;/b&gt;.</ins>" in shown
        and "edited by reviewer" in shown
    )
    assert "needs a reason" in drafts.decide(shell, request("reviewer"), made, "e1/2", "reject", "", "")[0]
    assert "needs the role" in drafts.decide(shell, request("developer"), made, "e1/2", "accept", "", "")[0]
    said, after = drafts.remark(shell, request("reviewer"), made, "e1/2", "Ask the clinic", "bob", "2026-12-01")
    assert "assigned to bob" in said and after and "due 1 December 2026" in drafts.sentence_html(after, "e1/2")
    assert {who: drafts.reopened(shell, request(who), made["run"])[1] is not None for who in ("developer", "reviewer", "compliance", "gone")} == {
        "developer": True, "reviewer": True, "compliance": False, "gone": False,
    }  # fmt: skip


@pytest.mark.parametrize("target", ["e1/9", "e9/0", "../e1/0", "", "e1/-1"])
def test_a_sentence_that_is_not_there_opens_nothing(target: str) -> None:
    assert "No sentence open" in drafts.sentence_html(MADE, target)


def test_a_draft_that_was_made_again_says_what_differs() -> None:
    other = json.loads(json.dumps(MADE))
    other["sections"][0]["elements"][0]["sentences"][0]["text"] = "New."
    said = drafts.differences(MADE, other, "s1")
    assert "1 sentences of this section are new. No other section changed" in said and "Other sections changed too: First" in drafts.differences(
        MADE, other, "s2"
    )


# ---- the whole app -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return app.build(Stub(Settings(home=tmp_path_factory.mktemp("home"), user="ada", llm="none")))


def test_no_listener_is_an_endpoint(blocks: Any) -> None:
    config = blocks.get_config_file()
    assert len(config["dependencies"]) > 30
    assert {d["api_visibility"] for d in config["dependencies"]} == {"private"}


def test_the_chat_renders_nothing_but_clean_markdown(blocks: Any) -> None:
    chat = next(c["props"] for c in blocks.get_config_file()["components"] if c["type"] == "chatbot")
    assert chat["sanitize_html"] is True and chat["allow_tags"] is False and not chat["latex_delimiters"]


def test_nothing_is_fetched_from_elsewhere() -> None:
    theme = app.theme()
    assert not theme._stylesheets and not re.search(r"url\(.?https?:|@import", theme._get_theme_css())
    for file in parts.HERE.iterdir():
        if file.suffix in (".css", ".js"):
            assert "http" not in file.read_text() and "@import" not in file.read_text(), file


def test_no_screen_gives_a_verdict() -> None:
    """No string of the app says that something is compliant, certified or approved; quotations come from documents, not from here."""
    files = [*parts.HERE.iterdir(), Path(server.__file__)]
    for file in files:
        if file.suffix in (".py", ".js", ".css"):
            assert not re.search(r"\b(compliant|certified|approved)\b", file.read_text("utf8"), re.I), file


# ---- the door ----------------------------------------------------------------------------------------------------

HOST = "http://127.0.0.1:7860"
PASSWORD = "correct horse battery"


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Stub, Clock]]:
    """One server for all tests here: building the app takes a second."""
    bench, clock = Stub(Settings(home=tmp_path_factory.mktemp("home"), user="ada", llm="none")), Clock()
    whole = server.make_app(bench, frozenset({"127.0.0.1", "localhost"}), clock=clock)
    with TestClient(whole, base_url=HOST, follow_redirects=False) as client:
        yield client, bench, clock


@pytest.fixture
def bench_(house: tuple[TestClient, Stub, Clock]) -> Stub:
    return house[1]


@pytest.fixture
def clock(house: tuple[TestClient, Stub, Clock]) -> Clock:
    return house[2]


@pytest.fixture
def client(house: tuple[TestClient, Stub, Clock]) -> TestClient:
    client, bench, clock = house
    (bench.home / "record.sqlite").unlink(missing_ok=True)
    client.cookies.clear()
    clock.now += 10 * sessions.LIFE  # no session and no lock of an earlier test is left
    return client


def sign_in(client: TestClient, name: str, password: str = PASSWORD) -> Any:
    client.cookies.clear()
    return client.post("/login", data={"name": name, "password": password})


@pytest.fixture
def users(client: TestClient, bench_: Stub) -> None:
    for name, role in (("root", "admin"), ("dev", "developer"), ("dev2", "developer"), ("aud", "auditor")):
        record.keep_user(bench_.home, record.User(name, role, record.secret_of(PASSWORD)))


def test_on_loopback_one_user_needs_no_ceremony(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200 and "gradio" in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"] and page.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"origin": HOST}, 200),
        ({}, 200),
    ],
)
def test_other_sites_are_kept_out(client: TestClient, headers: dict[str, str], status: int) -> None:
    assert client.post("/api/ask", json={"question": "What?"}, headers=headers).status_code == status


def routes(app_: Any) -> Iterator[tuple[str, str]]:
    """Every route of the server and of Gradio inside it, with made-up parameters."""
    for route in app_.routes:
        inside = getattr(route, "original_router", None) or getattr(route, "app", None)
        if hasattr(inside, "routes"):
            yield from routes(inside)
        for method in getattr(route, "methods", None) or ():
            yield method, re.sub(r"\{[^}]*\}", "x", route.path) or "/"


def test_every_route_asks_who_it_is(client: TestClient, users: None) -> None:
    every = sorted(set(routes(client.app.app)))  # type: ignore[attr-defined]
    assert len(every) > 60
    for method, path in every:
        answer = client.request(method, path)
        if path.rstrip("/") in door.OPEN_PATHS:
            assert answer.status_code in (200, 401, 405, 422), (method, path)
        else:
            assert answer.status_code == 401, (method, path, answer.status_code)


def test_a_browser_is_sent_to_the_form(client: TestClient, users: None) -> None:
    answer = client.get("/", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "<form" in client.get("/login").text


def test_signing_in_and_out(client: TestClient, users: None, bench_: Stub) -> None:
    answer = sign_in(client, "dev")
    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 303 and "HttpOnly" in cookie and "samesite=strict" in cookie.lower()
    assert client.get("/").status_code == 200 and [r.action for r in bench_.audit_tail(1)] == ["sign-in"]
    client.post("/logout")
    assert [r.action for r in bench_.audit_tail(1)] == ["sign-out"]
    client.cookies.set(door.COOKIE, re.search(r"=([^;]+)", cookie)[1])  # type: ignore[index]
    assert client.get("/").status_code == 401


def test_a_name_is_locked_after_five_wrong_tries_and_others_are_not(client: TestClient, users: None, clock: Clock) -> None:
    for _ in range(sessions.TRIES):
        assert sign_in(client, "dev", "wrong").status_code == 401
    assert sign_in(client, "dev").status_code == 401
    assert sign_in(client, "dev2").status_code == 303
    clock.now += sessions.LOCKED + 1
    assert sign_in(client, "dev").status_code == 303


def test_wrong_passwords_are_on_the_record_without_what_was_typed(client: TestClient, users: None, bench_: Stub) -> None:
    for name in ("dev", "s3cret typed as a name", *["dev"] * sessions.TRIES):
        sign_in(client, name, "wrong")
    found = [r for r in bench_.audit_tail(50) if r.action == "sign-in-failed"]
    assert [r.user for r in found] == ["dev", sessions.STRANGER, *["dev"] * (sessions.TRIES - 1)]  # a locked name adds no more
    assert "s3cret" not in str(found)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda home, u: record.remove_user(home, u.name), 401),
        (lambda home, u: record.keep_user(home, record.User(u.name, u.role, record.secret_of("another password"))), 401),
        (lambda home, u: record.keep_user(home, record.User(u.name, "developer", u.secret)), 403),
        (lambda home, u: None, 200),
    ],
)
def test_a_changed_user_has_what_they_are_now(client: TestClient, users: None, bench_: Stub, change: Any, status: int) -> None:
    sign_in(client, "aud")
    assert client.get("/api/audit").status_code == 200
    change(bench_.home, record.user(bench_.home, "aud"))
    assert client.get("/api/audit").status_code == status


def test_no_answer_tells_a_wrong_name_from_a_wrong_password(client: TestClient, users: None) -> None:
    assert sign_in(client, "nobody").text == sign_in(client, "dev", "wrong").text


@pytest.mark.parametrize(("rest", "status"), [(sessions.IDLE - 1, 200), (sessions.IDLE + 1, 401)])
def test_a_session_ends_when_it_rests_too_long(client: TestClient, users: None, clock: Clock, rest: float, status: int) -> None:
    sign_in(client, "dev")
    clock.now += rest
    assert client.get("/").status_code == status


def test_a_session_does_not_live_for_ever(client: TestClient, users: None, clock: Clock) -> None:
    sign_in(client, "dev")
    for _ in range(int(sessions.LIFE / (sessions.IDLE - 1)) + 1):
        clock.now += sessions.IDLE - 1
        client.get("/health")
        client.get("/")
    assert client.get("/").status_code == 401


def test_runs_and_exports_are_their_owners(client: TestClient, users: None) -> None:
    sign_in(client, "dev")
    run = client.post("/api/ask", json={"question": "What?"}).json()["audit"]
    assert client.get(f"/api/runs/{run}").json()["owner"] == "dev"
    sign_in(client, "dev2")
    assert client.get(f"/api/runs/{run}").status_code == 404 and client.get(f"/export/{run}.json").status_code == 404
    sign_in(client, "aud")
    assert client.get(f"/api/runs/{run}").status_code == 404  # nobody shared it with them (tests/test_sharing.py)
    sign_in(client, "root")
    assert client.get(f"/api/runs/{run}").status_code == 200


def test_the_audit_is_for_those_who_audit(client: TestClient, users: None) -> None:
    sign_in(client, "dev")
    assert client.get("/api/audit").status_code == 403
    sign_in(client, "aud")
    assert client.get("/api/audit").status_code == 200 and client.get("/api/audit/verify").json()["sound"] is True


# ---- the API -----------------------------------------------------------------------------------------------------


def test_ask_gives_the_form_of_the_contract_under_the_users_name(client: TestClient, users: None, bench_: Stub) -> None:
    sign_in(client, "dev")
    out = client.post("/api/ask", json={"question": "What must it contain?", "frameworks": ["gdpr"], "as_of": "2026-01-01"}).json()
    assert out["answer"]["claims"][0]["citations"][0]["pinpoint"] == "gdpr:art-35(7)(a)" and out["as_of"] == "2026-01-01"
    assert [(r.action, r.user) for r in bench_.audit_tail(1)] == [("ask", "dev")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"question": ""}, 422),
        ({"question": "x" * 2001}, 422),
        ({"question": "What?", "as_of": "soon"}, 400),
        ({"question": "broken"}, 503),
        ({"question": "What?", "mode": "wild"}, 422),
        ({}, 422),
    ],
)
def test_bad_questions_get_a_clear_error(client: TestClient, body: dict[str, str], status: int) -> None:
    answer = client.post("/api/ask", json=body)
    assert answer.status_code == status and answer.json()


@pytest.mark.parametrize(
    ("name", "kept"), [("README.md", "README.md"), ("../../etc/passwd", "passwd"), ("..", "card.md"), ("a b;c.md", "a b_c.md"), (".env", "env")]
)
def test_an_upload_keeps_only_its_bare_name(client: TestClient, bench_: Stub, name: str, kept: str) -> None:
    answer = client.post("/api/gaps", files={"card": (name, b"We looked.")})
    assert answer.status_code == 200 and bench_.seen == (kept, "We looked.")


def test_a_report_is_downloaded_in_every_format(client: TestClient, bench_: Stub, tmp_path: Path) -> None:
    run = client.post("/api/gaps", files={"card": ("README.md", b"We looked.")}).json()["run"]
    shown = gaps.downloads({"run": run})
    for link in re.findall(r'href="([^"]+)(?<!bundle)"', shown):  # the stub keeps no card to put into a bundle
        answer = client.get(link)
        assert answer.status_code == 200 and len(answer.content) > 200 and answer.headers["content-disposition"].startswith("attachment"), link
    found = client.get(f"/export/{run}.json").json()
    assert found["run"] == run and len(found["audit_head"]) == 64 and found["findings"][0]["review"] is None
    assert client.get(f"/export/{run}.exe").status_code == 400


def test_a_backup_is_an_administrators(client: TestClient, users: None, bench_: Stub) -> None:
    sign_in(client, "dev")
    assert client.get("/api/backup").status_code == 403
    sign_in(client, "root")
    answer = client.get("/api/backup")
    assert answer.status_code == 200 and answer.content[:2] == b"PK" and [r.action for r in bench_.audit_tail(1)] == ["backup"]


def test_a_draft_needs_a_pack_that_exists_and_the_role(client: TestClient, users: None) -> None:
    sign_in(client, "dev")
    answer = client.post("/api/draft", files={"card": ("README.md", b"We looked.")}, data={"pack": "no-such-pack"})
    assert answer.status_code == 400 and "no-such-pack" in answer.json()["error"]
    sign_in(client, "aud")
    assert client.post("/api/draft", files={"card": ("README.md", b"We looked.")}, data={"pack": "gdpr-dpia"}).status_code == 403


def test_a_conversation_is_downloaded(client: TestClient, bench_: Stub) -> None:
    run = client.post("/api/ask", json={"question": "What must it contain?"}).json()["audit"]
    chat = bench_.keep_chat("", "A chat", [run])
    assert "“(a) what is done;”" in client.get(f"/export/{chat}.md").text


@pytest.mark.parametrize(
    "path",
    [
        "/export/..%2f..%2fetc%2fpasswd.md",
        "/export/0000000000000000.md",
        "/api/runs/..%2f..%2frecord.sqlite",
        "/gradio_api/file=/etc/passwd",
        "/file=/etc/passwd",
    ],
)
def test_paths_lead_nowhere(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (403, 404) and "root:" not in answer.text


def test_the_api_describes_itself_and_loads_nothing_from_elsewhere(client: TestClient) -> None:
    described = client.get("/api/openapi.json").json()
    assert {"/api/ask", "/api/gaps", "/api/draft", "/api/audit"} <= set(described["paths"])
    assert client.get("/docs").status_code == 404


# ---- opening -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("192.168.1.4", False),
        ("::", False),
        ("example.org", False),
    ],
)
def test_what_only_this_machine_reaches(host: str, loopback: bool) -> None:
    assert server.is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("users", "certificate", "missing"), [(0, False, "users and a certificate"), (2, False, "without a certificate"), (0, True, "without users")]
)
def test_beyond_this_machine_it_opens_only_with_users_and_a_certificate(users: int, certificate: bool, missing: str) -> None:
    with pytest.raises(Refused, match=missing) as refused:
        server.check_address("0.0.0.0", 7860, users, certificate)
    assert "pincite users add" in refused.value.hint and refused.value.exit_code == 4


def test_behind_a_proxy_it_opens_only_with_users() -> None:
    with pytest.raises(Refused, match=r"pincite.example.org.*without users"):
        server.check_address("127.0.0.1", 7860, 0, False, "pincite.example.org")


def test_a_port_in_use_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(NotReady, match="cannot be opened"):
            server.check_address("127.0.0.1", taken.getsockname()[1], 0, False)
    with pytest.raises(UsageError):
        server.check_address("127.0.0.1", 70000, 0, False)


@pytest.mark.parametrize(("password", "secret", "fits"), [("right", "right", True), ("wrong", "right", False)])
def test_passwords_are_kept_as_salted_hashes(password: str, secret: str, fits: bool) -> None:
    kept = record.secret_of(secret)
    assert secret not in kept and kept != record.secret_of(secret) and record.password_fits(password, kept) is fits
    assert not record.password_fits("", "")
