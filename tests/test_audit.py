"""Everything that has to be on the record is: each action is done through the server or the workbench, and the log is read afterwards."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from assistant import corpus, door, record, server, sessions
from assistant.errors import Refused, UsageError
from assistant.settings import Settings
from assistant.workbench import Workbench
from tests import crash
from tests.fakes import ScriptedModel, StubEmbedder, stub_bench

PASSWORD = "correct horse battery"
CARD = Path(__file__).resolve().parents[1] / "corpus" / "cards" / "chest-xray-triage"


@dataclass
class House:
    """A server over a small library, its workbench, and the runs made through it."""

    client: TestClient
    bench: Workbench
    asked: str
    assessed: str

    def sign_in(self, name: str, password: str = PASSWORD) -> Any:
        self.client.cookies.clear()
        return self.client.post("/login", data={"name": name, "password": password})

    def last(self, n: int = 1) -> list[record.AuditRecord]:
        return list(self.bench.audit_tail(n))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home = tmp_path_factory.mktemp("house") / "home"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(corpus, "digest_instruments", corpus.digest_instruments)  # put back at the end what small_corpus changes
        crash.small_corpus()
        bench = stub_bench(home)
        bench.ingest(list(crash.SOUND))
        for name, role in (("root", "admin"), ("dev", "developer"), ("aud", "auditor")):
            bench.keep_user(name, role, PASSWORD)
        with TestClient(server.make_app(bench), base_url="http://127.0.0.1:7860", follow_redirects=False) as client:
            made = House(client, bench, "", "")
            made.sign_in("dev")
            made.asked = client.post("/api/ask", json={"question": "What does a consent manager do?"}).json()["audit"]
            files = [("card", (p.name, p.read_bytes())) for p in sorted(CARD.iterdir())]
            made.assessed = client.post("/api/gaps", files=files, data={"framework": "gdpr"}).json()["run"]
            yield made


# What is done, as whom, and the record that it leaves: action, user, and what its body holds.
Done = Callable[[House], object]
ACTIONS: list[tuple[str, Done, str, str, dict[str, Any]]] = [
    ("a wrong password", lambda h: h.sign_in("dev", "wrong"), "sign-in-failed", "dev", {"tries": 1, "locked": False}),
    ("a name of nobody", lambda h: h.sign_in("no password of mine", "x"), "sign-in-failed", sessions.STRANGER, {"tries": 1}),
    ("signing in", lambda h: h.sign_in("dev"), "sign-in", "dev", {}),
    ("signing out", lambda h: (h.sign_in("dev"), h.client.post("/logout")), "sign-out", "dev", {}),
    ("a question and its answer", lambda h: (h.sign_in("dev"), h.client.post("/api/ask", json={"question": "Who keeps a log?"})), "ask", "dev", {"as_of": ...}),
    ("an assessment", lambda h: h.bench.gaps(CARD, "2026-11-22", ("gdpr",)), "gaps", "ann", {"card": ..., "output": ...}),
    ("a draft", lambda h: h.bench.draft(CARD, "gdpr-dpia", "2026-11-22"), "draft", "ann", {"pack": "gdpr-dpia", "output": ...}),
    ("a decision", lambda h: h.bench.review(h.assessed, _first(h), "accept"), "review", "ann", {"decision": "accept", "run": ...}),
    ("a signature", lambda h: h.bench.signoff(h.assessed, "author"), "signoff", "ann", {"meaning": "author", "basis": ...}),
    ("a comment", lambda h: h.bench.comment(h.assessed, _first(h), "Look again"), "comment", "ann", {"content": ...}),
    ("a task", lambda h: h.bench.comment(h.assessed, _first(h), "Look again", "bob"), "assign", "ann", {"content": ...}),
    ("an export by the app", lambda h: (h.sign_in("dev"), h.client.get(f"/export/{h.assessed}.json")), "export", "dev", {"format": "json", "file": ...}),
    ("a bundle", lambda h: h.bench.bundle(h.asked), "export", "ann", {"format": "bundle"}),
    ("a new user", lambda h: h.bench.keep_user("eve", "reviewer", PASSWORD), "user", "ann", {"name": "eve", "role": "reviewer"}),
    ("a change of role", lambda h: h.bench.keep_user("eve", "auditor", PASSWORD), "user", "ann", {"name": "eve", "role": "auditor"}),
    ("a user who leaves", lambda h: h.bench.remove_user("eve"), "user", "ann", {"name": "eve", "role": ""}),
    ("a changed setting", lambda h: _other(h, offline=True).write("mark", {}), "settings", "ann", {"offline": True}),
    ("the setting put back", lambda h: _other(h).write("mark", {}), "settings", "ann", {"offline": False}),
    ("another model", lambda h: _with_model(h, "tiny"), "model", "ann", {"name": "tiny", "sha256": "0" * 64}),
    ("no model", lambda h: _other(h).model, "model", "ann", {"name": "none"}),
    ("a model's accuracy card", lambda h: h.bench.measured({"name": "m", "sha256": "", "roles": {"phrasing": True}}, b"{}"), "model-card", "ann", {"roles": ...}),
    ("another index", lambda h: h.bench.ingest([crash.SOUND[0]], rebuild=True), "ingest", "ann", {"corpus_digest": ..., "embedder": ..., "files": ...}),
    ("a backup", lambda h: h.bench.backup(h.bench.home.parent / "b.zip"), "backup", "ann", {"file": ...}),
    ("an erased answer", lambda h: (h.sign_in("dev"), h.client.delete(f"/api/runs/{_ask(h)}")), "delete", "dev", {"erased": ...}),
]  # fmt: skip


def _first(h: House) -> str:
    return str(h.bench.run(h.assessed)["findings"][0]["requirement"])


def _other(h: House, **settings: Any) -> Workbench:
    return Workbench(Settings(home=h.bench.home, user="ann", **{"llm": "none", **settings}))


def _with_model(h: House, name: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("assistant.llm.open_model", lambda *_: ScriptedModel(forever="{}", name=name))
        assert _other(h).model.info.name == name


def _ask(h: House) -> str:
    h.sign_in("dev")
    return str(h.client.post("/api/ask", json={"question": "What is unmistakable here?"}).json()["audit"])


@pytest.mark.parametrize(("do", "action", "user", "body"), [pytest.param(*row[1:], id=row[0]) for row in ACTIONS])
def test_each_action_is_on_the_record(do: Done, action: str, user: str, body: dict[str, Any], house: House) -> None:
    before = house.bench.verify_audit().records
    do(house)
    new = house.last(house.bench.verify_audit().records - before)
    found = [r for r in new if r.action == action and r.user == user]
    assert found, [(r.action, r.user) for r in new]
    for key, value in body.items():
        assert found[-1].body[key] if value is ... else found[-1].body[key] == value, key
    assert house.bench.verify_audit().sound


def test_standing_facts_are_recorded_once(house: House) -> None:
    """Settings and model are on the record when they change, not at every start."""
    before = house.bench.verify_audit().records
    for _ in range(3):
        bench = _other(house)
        assert bench.model is None
        bench.write("mark", {})
    assert [r.action for r in house.last(house.bench.verify_audit().records - before)] == ["mark"] * 3


def test_the_record_names_no_folder_and_no_password_of_a_server(house: House) -> None:
    bench = _other(house, llm="http://user:hunter2@127.0.0.1:9/v1", embedder="/somewhere/private/minilm")
    bench.write("mark", {})
    told = next(r.body for r in house.last(2) if r.action == "settings")
    assert (told["llm"], told["embedder"]) == ("http://127.0.0.1", "minilm")


def test_no_secret_stands_in_the_record(house: House) -> None:
    house.sign_in("dev", "my-wrong-password")
    house.sign_in("a password in the name field", "x")
    token = house.sign_in("aud").cookies[door.COOKIE]
    log = "".join(record.export_line(r) for r in house.bench.audit_tail(1 << 40))
    for secret in (PASSWORD, "my-wrong-password", "a password in the name field", "What does a consent manager do", "scrypt", token):
        assert secret not in log


def test_guesses_do_not_fill_the_record(tmp_path: Path) -> None:
    """Five wrong tries are on the record, the fifth as the one that locked; the rest of a flood leaves nothing."""
    bench = stub_bench(tmp_path / "home")
    bench.keep_user("dev", "developer", PASSWORD)
    with TestClient(server.make_app(bench), base_url="http://127.0.0.1:7860", follow_redirects=False) as client:
        for n in range(2 * sessions.TRIES):
            client.post("/login", data={"name": "dev", "password": f"guess {n}"})
            client.post("/login", data={"name": f"stranger{n}", "password": "guess"})
    failed = [r for r in bench.audit_tail(1000) if r.action == "sign-in-failed"]
    for who in ("dev", sessions.STRANGER):
        assert [(r.body["tries"], r.body["locked"]) for r in failed if r.user == who] == [(n, n == sessions.TRIES) for n in range(1, sessions.TRIES + 1)]


# ---- erasure -----------------------------------------------------------------------------------------------------


@pytest.fixture
def bench(tmp_path: Path, house: House) -> Workbench:
    """The house's data folder, restored elsewhere, so that erasing there harms no other test."""
    file = tmp_path / "b.zip"
    house.bench.backup(file)
    other = stub_bench(tmp_path / "home")
    other.restore(file)
    return other


def test_an_erased_conversation_leaves_no_words_and_a_sound_chain(bench: Workbench) -> None:
    from assistant.retrieve import Filter

    asks = [bench.ask(f"What is unmistakable{n} here?", Filter("2026-11-22"))["audit"] for n in range(3)]
    chat = bench.keep_chat("", "The unmistakable chat", asks)
    head = record.head(bench.home)
    assert set(bench.erase(chat)) == {chat, *asks}
    assert b"unmistakable" not in (bench.home / "record.sqlite").read_bytes()
    assert bench.verify_audit(head).sound and [r.action for r in bench.audit_tail(1)] == ["delete"]
    with pytest.raises(UsageError, match="no run"):
        bench.run(asks[0])


def test_an_erased_assessment_takes_its_card_along_when_it_is_the_last(bench: Workbench, tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card.write_text("# Unmistakable\n\nA model for chest radiographs.\n")
    first, second = (bench.gaps(card, "2026-11-22", ("gdpr",)) for _ in range(2))
    kept = f"card-{first['card']['sha256']}"
    assert bench.erase(first["run"]) == [first["run"]] and record.kept(bench.home, kept)
    assert bench.erase(second["run"]) == [second["run"], kept] and record.kept(bench.home, kept) is None
    assert b"# Unmistakable" not in (bench.home / "record.sqlite").read_bytes() and bench.verify_audit().sound
    with pytest.raises(UsageError, match="no answer, gap analysis or draft"):
        bench.bundle(first["run"])


def test_a_card_may_go_while_its_assessment_stays(bench: Workbench) -> None:
    found = bench.gaps(CARD, "2026-11-22", ("gdpr",))
    bench.erase(f"card-{found['card']['sha256']}")
    assert bench.run(found["run"])["findings"] and bench.verify_audit().sound
    with pytest.raises(UsageError, match="was erased"):
        bench.bundle(found["run"])


def test_with_a_run_go_the_words_said_about_it(bench: Workbench, house: House) -> None:
    bench.review(house.assessed, _first(house), "reject", "Unmistakably out of scope")
    project = bench.add_project("Reading")
    with pytest.raises(Refused, match="is not erased"):
        bench.erase(project)
    bench.erase(house.assessed)
    assert b"Unmistakably" not in (bench.home / "record.sqlite").read_bytes() and bench.verify_audit().sound


def test_only_the_owner_or_an_administrator_erases(house: House) -> None:
    run = _ask(house)
    house.sign_in("aud")
    assert house.client.delete(f"/api/runs/{run}").status_code == 404  # to an auditor with whom it was not shared it is not there
    house.sign_in("root")
    assert house.client.delete(f"/api/runs/{run}").json() == {"erased": [run]}
    assert house.client.delete(f"/api/runs/{run}").status_code == 404


def test_runs_are_listed_shown_and_erased_by_command(house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from assistant.cli import main

    monkeypatch.setenv("PINCITE_HOME", str(house.bench.home))
    run = _ask(house)

    def said(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        return int(ended.value.code or 0), capsys.readouterr().out

    rows = json.loads(said("runs", "list", "--kind", "ask", "--json")[1])
    assert rows[0]["id"] == run and rows[0]["about"] == "What is unmistakable here?"
    assert json.loads(said("runs", "show", run, "--json")[1])["question"] == rows[0]["about"]
    assert said("runs", "erase", run) == (0, f"erased {run}\n") and said("runs", "erase", run)[0] == 2
    assert said("runs", "list", "--kind", "job")[0] == 2


def test_an_exported_log_is_an_export(house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from assistant.cli import main

    monkeypatch.setenv("PINCITE_HOME", str(house.bench.home))
    with pytest.raises(SystemExit):
        main(["audit", "export", "-o", str(tmp_path / "log.jsonl")])
    head = capsys.readouterr().out.strip()
    last = house.last()[0]
    assert (last.action, last.body["format"], last.parent) == ("export", "audit", head)


def test_stub_vectors_are_named_in_the_record(house: House) -> None:
    """Which embedder an index was made by is on the record, so that a change of it is seen."""
    assert next(r.body["embedder"] for r in house.bench.audit_tail(1000) if r.action == "ingest") == {"name": StubEmbedder.name, "sha256": StubEmbedder.sha256}
