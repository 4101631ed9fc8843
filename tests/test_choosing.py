"""What an administrator chooses on this machine: it is kept, a variable wins over it, a model is tried and its file's hash is held against it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant import chosen, modelbench, record
from assistant.errors import NotReady, PinciteError, Refused, Unreadable, UsageError
from assistant.llm import EMBEDDED_PACKAGE, EMBEDDED_SHA256
from assistant.settings import Settings
from assistant.weights import packaged
from assistant.workbench import Workbench
from tests.fakes import ScriptedModel


def bench(home: Path, **settings: Any) -> Workbench:
    return Workbench(Settings(home=home, user="ann", **settings))


def source(w: Workbench, name: str) -> tuple[str, str]:
    row = next(r for r in w.settings_rows() if r["name"] == name)
    return row["value"], row["source"]


def test_a_choice_is_kept_recorded_and_taken_back(home: Path) -> None:
    assert source(bench(home), "llm") == ("", "default")
    bench(home).choose("llm", "none")
    assert source(bench(home), "llm") == ("none", "chosen here") and bench(home).model is None
    told = record.last_of(home, "settings")
    assert told and (told.user, told.body["changed"], told.body["llm"]) == ("ann", "llm", "none")
    assert (home / chosen.FILE).stat().st_mode & 0o077 == 0
    bench(home).choose("offline", "yes")
    assert source(bench(home), "offline") == ("True", "chosen here") and bench(home).settings.offline
    bench(home).choose("offline", chosen.DEFAULT)
    assert source(bench(home), "offline") == ("False", "default")


def test_a_variable_wins_and_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench(home).choose("llm", "none")
    monkeypatch.setenv("PINCITE_LLM", "http://127.0.0.1:9")
    w = Workbench(Settings())
    assert source(w, "llm") == ("http://127.0.0.1:9", "PINCITE_LLM")
    with pytest.raises(Refused, match="PINCITE_LLM is set and wins"):
        w.choose("llm", "none")


@pytest.mark.parametrize(
    ("name", "value", "error", "words"),
    [
        ("home", "/x", UsageError, "cannot be set here"),
        ("user", "bob", UsageError, "cannot be set here"),
        ("offline", "perhaps", UsageError, "neither yes nor no"),
        ("llm", " ", UsageError, "no model named"),
        ("llm", "/nowhere/model.gguf", UsageError, "names no file"),
        ("llm", "CARD", Unreadable, "is not a GGUF model"),
        ("llm", "http://127.0.0.1:9", NotReady, "gives no list of models"),
        ("embedder", "/nowhere", UsageError, "not a sentence-transformers model folder"),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_changes(name: str, value: str, error: type[PinciteError], words: str, home: Path, tmp_path: Path) -> None:
    if value == "CARD":
        (tmp_path / "card.gguf").write_bytes(b"# A card, not a model, whatever its name says. " * 9)
        value = str(tmp_path / "card.gguf")
    w = bench(home)
    with pytest.raises(error, match=words):
        w.choose(name, value)
    assert not (home / chosen.FILE).exists() and record.last_of(home, "settings") is None and w.settings == bench(home).settings


def test_offline_no_server_elsewhere_is_chosen(home: Path) -> None:
    with pytest.raises(Refused, match=r"192\.0\.2\.1 is another machine"):
        bench(home, offline=True).choose("llm", "http://192.0.2.1:8080")


def test_a_damaged_choice_is_said_and_not_guessed_at(home: Path) -> None:
    home.mkdir()
    for text in ("", "[]", '{"settings": {"home": "/"}, "models": {}}', '{"settings": {"llm": 3}, "models": {}}', '{"settings": {}}'):
        (home / chosen.FILE).write_text(text)
        with pytest.raises(NotReady, match="cannot be read"):
            bench(home)


@pytest.fixture
def model_file(tmp_path: Path) -> Iterator[Path]:
    """The embedded model under a name of its own."""
    path = tmp_path / "mine.gguf"
    shutil.copy(packaged(EMBEDDED_PACKAGE, "*.gguf"), path)
    yield path


def test_a_model_file_is_tried_used_and_held_to_its_hash(home: Path, model_file: Path) -> None:
    """The real thing: the model answers before it is chosen, the old worker ends, and a changed file is not opened."""
    w = bench(home)
    with pytest.raises(Unreadable, match="not the one given"):
        w.choose("llm", str(model_file), "ab" * 32)
    before = ScriptedModel(forever="{}")
    closed: list[bool] = []
    before.close = lambda: closed.append(True)  # type: ignore[method-assign]
    w.__dict__["model"] = before
    assert "it replies" in w.choose("llm", str(model_file), EMBEDDED_SHA256.upper())["said"] and closed == [True]
    assert w.model.info.name == "mine" and source(bench(home), "llm") == (str(model_file), "chosen here")
    told = record.last_of(home, "settings")
    assert told and told.body["model_sha256"] == EMBEDDED_SHA256 and told.body["llm"] == "mine.gguf"  # no folder of this machine
    used = bench(home).models()[0]
    assert used["in_use"] and used["sha256"] == EMBEDDED_SHA256 and used["roles"] == modelbench.open_roles(home, EMBEDDED_SHA256, "x")
    w.model.close()
    with model_file.open("ab") as file:
        file.write(b"x")
    with pytest.raises(NotReady, match=r"mine\.gguf is not the one that was added"):
        bench(home).model  # noqa: B018
    standing = bench(home).standing()  # the pages open all the same, and say why there is no model
    assert standing["model"] is None and "is not the one that was added" in standing["model_problem"]


def test_a_server_that_is_away_closes_no_page_and_is_not_asked_for_each(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from assistant import llm

    asked: list[str] = []

    def away(setting: str, home: Path) -> None:
        asked.append(setting)
        raise NotReady("the model server gives no list of models", "Start it")

    monkeypatch.setattr(llm, "open_model", away)
    w = bench(home, llm="http://127.0.0.1:9")
    assert [w.standing()["model_problem"] for _ in range(3)] == ["the model server gives no list of models. Start it"] * 3 and asked == ["http://127.0.0.1:9"]


def test_an_accuracy_card_decides_the_roles_and_stays_in_its_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    w = bench(home, llm="none")
    w.__dict__["model"] = ScriptedModel(forever="{}", name="../../evil/model")
    monkeypatch.setattr(modelbench, "_phrasing", lambda m: {"kept": {"value": 1.0, "n": 16}})
    monkeypatch.setattr(modelbench, "_rewriting", lambda m: {"right": {"value": 0.2, "n": 20}})
    monkeypatch.setattr(modelbench, "_lowering", lambda m: {"right": {"value": 0.9, "n": 24}, "precision": 0.2})
    steps, said = w.measure_model(), []
    with pytest.raises(StopIteration) as ended:
        while True:
            said.append(next(steps))
    assert said == ["step 1 of 4: phrasing", "step 2 of 4: rewriting", "step 3 of 4: lowering", "step 4 of 4: speed"]
    assert Path(ended.value.value["file"]).parent == home / "models" and [p.parent for p in home.parent.rglob("*model.json")] == [home / "models"]
    assert w.models()[0]["roles"] == {"phrasing": True, "rewriting": False, "lowering": False}
    told = record.last_of(home, "model-card")
    assert told and told.body["roles"] == w.models()[0]["roles"]
    assert json.loads(Path(ended.value.value["file"]).read_text())["name"] == "../../evil/model"
