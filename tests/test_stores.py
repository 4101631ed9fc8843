"""One contract for both stores: a data folder and a PostgreSQL database give the same answers, records, backups and restores."""

from pathlib import Path
from typing import Any

import pytest

from assistant import corpus, record
from assistant.errors import UsageError
from assistant.postgres import Postgres
from assistant.record import Store
from assistant.retrieve import Filter
from tests.crash import SOUND
from tests.fakes import stub_bench

TODAY = Filter("2026-11-22")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only one framework's digests: an ingest takes a second."""
    few = tuple(i for i in corpus.digest_instruments() if i.id == "dpdp-rules")
    monkeypatch.setattr(corpus, "digest_instruments", lambda: few)


def bench_on(store: Store, home: Path) -> Any:
    """A workbench without models over a store."""
    bench = stub_bench(home)
    bench.store = store
    return bench


@pytest.mark.parametrize("to", ["folder", "database"])
def test_a_backup_of_either_store_restores_into_either(to: str, store: Store, small: None, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    bench = bench_on(store, tmp_path / "old")
    bench.ingest(list(SOUND))
    asked = bench.ask("What does a consent manager do?", TODAY)
    bench.keep_user("ann", "admin", "a long password")
    made = bench.backup(tmp_path / "backup.zip")
    other: Store = tmp_path / "new"
    if to == "database":
        other = request.getfixturevalue("database")
    new = bench_on(other, tmp_path / "new")
    there = other == store  # the one database of this test, restored over itself
    if there:
        with pytest.raises(UsageError, match="not empty"):
            new.restore(tmp_path / "backup.zip")
    found = new.restore(tmp_path / "backup.zip", force=there)
    assert (found["head"], found["corpus_digest"]) == (made["head"], made["corpus_digest"])
    assert new.verify_audit(made["head"]).sound and new.library.digest == made["corpus_digest"]
    again = new.ask("What does a consent manager do?", TODAY)
    assert (again["hits"], again["answer"]) == (asked["hits"], asked["answer"])
    assert record.user(other, "ann") and new.run(asked["audit"])["question"] == "What does a consent manager do?"


def test_the_setting_names_the_store(database: Postgres, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from assistant.workbench import Workbench

    monkeypatch.setenv("PINCITE_STORE", database.url)
    bench = Workbench()
    bench.write("note", {})
    assert bench.store == database and record.last_of(database, "note") and record.verify_chain(record.records(database)).sound
    assert not (home / "record.sqlite").exists(), "nothing is written to the data folder beside"


def test_what_is_kept_beside_the_chain_is_listed_alike(store: Store) -> None:
    asked = record.append(store, "2026-11-22T10:00:00Z", "ann", "ask", {})
    record.keep_run(store, asked.id, "2026-11-22T10:00:00Z", "ask", {"question": "Must we?\x00é"})
    record.keep_run(store, "d1", "2026-11-22T11:00:00Z", "draft", {"owner": "bob", "card": {"name": "LumaTriage"}, "pack": {"id": "gdpr-dpia"}})
    record.keep_run(store, "j1", "2026-11-22T12:00:00Z", "job", {"owner": "bob"})
    found = [(r.id, r.kind, r.owner, r.about, r.pack) for r in record.listed(store, ("ask", "draft"), 10)]
    assert found == [("d1", "draft", "bob", "LumaTriage", "gdpr-dpia"), (asked.id, "ask", "ann", "Must we?\x00é", "")]
    assert [r.id for r in record.listed(store, ("ask", "draft"), 1)] == ["d1"]
    said = [record.append(store, f"t{n}", "bob", "review", {}, (asked.id, "comment", "", {"text": f"{n}"})) for n in (2, 1)]
    assert [(r.id, r.user, r.content["text"]) for r in record.reviews(store, asked.id)] == [(said[0].id, "bob", "2"), (said[1].id, "bob", "1")]
    assert record.erase_run(store, asked.id) and record.reviews(store, asked.id) == []
