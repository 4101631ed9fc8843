"""One contract for both stores: a data folder and a PostgreSQL database give the same answers, records, backups and restores."""

import json
import math
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant import corpus, library, postgres, postgres_library, record, refuse, retrieve, stores
from assistant.embed import Embedder
from assistant.errors import NotReady, UsageError
from assistant.library import Library
from assistant.postgres import Postgres
from assistant.record import Store
from assistant.retrieve import Filter
from assistant.settings import Settings
from assistant.workbench import Workbench
from tests.crash import SOUND
from tests.fakes import stub_bench
from tests.test_crash import child, done
from tests.test_library import embed, made_up

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


# ---- the library -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both(database_server: str, shipped_home: Path) -> Iterator[tuple[Library, Library]]:
    """The shipped corpus as a data folder holds it, and the same in a database."""
    import psycopg

    name = f"t{secrets.token_hex(4)}"
    with psycopg.connect(database_server, autocommit=True) as db:
        db.execute(f"CREATE DATABASE {name}")
        folder = stores.current(shipped_home)
        assert folder
        store = Postgres(database_server.replace("/postgres?", f"/{name}?"))
        stores.adopt(store, folder)
        held = stores.current(store)
        assert held and held.digest == folder.digest
        yield folder, held
        db.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


def questions(step: int) -> list[str]:
    """Every so-many-th of the shared questions of all kinds."""
    folder = corpus.root() / "questions"
    asked = [json.loads(line)["question"] for name in ("answerable", "named", "operative", "otherfield") for line in (folder / f"{name}.jsonl").open()]
    return asked[::step]


FILTERS = (
    Filter("2026-11-22"),
    Filter("2020-01-01"),
    Filter("2028-09-01", frameworks=("gdpr", "hipaa")),
    Filter("2026-11-22", instruments=("dpdp-rules",), layer="digest"),
    Filter("2026-11-22", layer="official"),
)


def test_the_same_hits_in_the_same_order(both: tuple[Library, Library], embedder: Any) -> None:
    folder, database = both
    for i, question in enumerate(questions(31)):
        vector = embedder.embed_query(question)
        wanted = FILTERS[i % len(FILTERS)]
        ours, theirs = (retrieve.search(lib, question, vector, wanted) for lib in both)
        assert [h.passage for h in ours] == [h.passage for h in theirs], question
        assert np.allclose([h.score for h in ours], [h.score for h in theirs], atol=1e-4)
        features = (refuse.features(lib, question, vector, wanted, ours) for lib in both)
        assert np.allclose(*features, atol=1e-4), question
    assert folder.counts(("control", "erasur", "zzz")) == database.counts(("control", "erasur", "zzz"))


def test_a_database_gives_each_row_the_scores_that_a_folder_gives_it(both: tuple[Library, Library], embedder: Any) -> None:
    folder, _ = both
    question = "When must a controller notify a personal data breach under 164.404?"
    vector, words = embedder.embed_query(question), retrieve.words_of(question)
    whole, part = (lib.scores(words, vector, TODAY) for lib in both)
    assert 500 < len(part.keys) < len(whole.keys)
    assert np.allclose(whole.lexical[part.keys], part.lexical, atol=1e-4) and np.allclose(whole.dense[part.keys], part.dense, atol=1e-5)
    assert whole.lexical.max() == pytest.approx(part.lexical.max(), abs=1e-4)
    assert [folder.rows.units[folder.rows.unit[k]] for k in part.keys] == [part.rows.units[u] for u in part.rows.unit]


def test_the_rows_of_one_provision(both: tuple[Library, Library], embedder: Embedder) -> None:
    question, root = "What goes into a data protection impact assessment?", "gdpr:art-35"
    vector, words = embedder.embed_query(question), retrieve.words_of(question)
    whole, part = (lib.scores(words, vector, TODAY, root) for lib in both)
    keys = np.flatnonzero(whole.ok)
    assert len(keys) > 5 and keys.tolist() == part.keys.tolist()
    assert np.allclose(whole.lexical[keys], part.lexical, atol=1e-4) and np.allclose(whole.dense[keys], part.dense, atol=1e-5)
    assert not len(both[1].scores(words, vector, TODAY, "gdpr:art-999").keys) and not both[0].scores(words, vector, TODAY, "gdpr:art-999").ok.any()


def test_how_often_a_word_stands_is_kept_in_every_block(database: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows in several blocks, words in many rows and a word that stands very often: the scores are those of a folder."""
    monkeypatch.setattr(postgres_library, "BLOCK", 4)
    held = build(database, *(f"scan {n} " + "record " * n + "scan 164.312 " * (300 if n == 5 else 0) for n in range(11)))
    words = ["scan", "record", "164.312", "7", "none"]
    rows = held.rows
    lists = [library.tokens(row.words) for row in held.content().rows]
    length = sum(map(len, lists)) / len(lists)
    for k, found in enumerate(held._bm25(words)):  # type: ignore[attr-defined]
        bag, wanted = postgres_library.Counter(lists[k]), 0.0
        for word in words:
            n = sum(word in one for one in lists)
            weight = math.log(1 + (len(lists) - n + 0.5) / (n + 0.5))
            wanted += weight * bag[word] / (bag[word] + library.K1 * (1 - library.B + library.B * len(lists[k]) / length))
        assert found == pytest.approx(wanted, abs=1e-5), (k, rows.units[rows.unit[k]])
    assert len(lists) > 8 and [e.instrument for e in held.holding("164.312")] == [held.editions[6].instrument]


def test_every_reading_is_the_same_on_both(both: tuple[Library, Library]) -> None:
    folder, database = both
    assert folder.editions == database.editions and folder.digest_lines() == database.digest_lines()
    assert folder.damaged() == database.damaged() == []
    for e in list(folder.editions.values())[::3]:
        assert folder.instrument(e.id) == database.instrument(e.id)
        for p in folder.addresses(e.id)[::40]:
            found = [lib.find(p, "2026-11-22") for lib in both]
            assert found[0] == found[1]
            assert not found[0] or (folder.neighbours(found[0]) == database.neighbours(found[0]) and folder.children(found[0]) == database.children(found[0]))
            assert folder.references(p) == database.references(p) and folder.spans(e.id, p.address) == database.spans(e.id, p.address)
    ours, theirs = (lib.vector_index() for lib in both)
    assert ours.keys() == theirs.keys()
    assert np.array_equal(folder.vectors[list(ours.values())], database.vectors[[theirs[h] for h in ours]]), "vectors come back bit for bit"
    assert folder.content() == database.content()


def test_a_library_goes_from_one_store_to_the_other_and_back(both: tuple[Library, Library], tmp_path: Path) -> None:
    _, database = both
    report = stores.adopt(tmp_path / "home", database)
    back = stores.current(tmp_path / "home")
    assert back and (back.digest, report.embedded) == (database.digest, 0) and back.damaged() == []
    assert np.array_equal(back.vectors, database.vectors)


def build(store: Store, *words: str) -> Library:
    with stores.write_lock(store):
        stores.write(store, library.content_of([made_up(f"{2001 + n}-01-01", w, work=f"w{n}") for n, w in enumerate(words)], []), embed, stores.current(store))
    held = stores.current(store)
    assert held
    return held


def test_generations_follow_each_other(store: Store) -> None:
    first = build(store, "one kind of record")
    second = build(store, "one kind of record", "another kind of record")
    assert (first.generation, second.generation) == ("000001", "000002") and first.digest != second.digest
    assert [p.address for p in first.addresses(1)] == ["gdpr:art-1", "gdpr:art-1(1)"], "who reads the old one may finish"
    assert stores.write(store, library.content_of(second.instruments(), []), embed, second).embedded == 0


def test_a_generation_that_is_gone_is_one_line(database: Postgres) -> None:
    old = build(database, "one")
    build(database, "two"), build(database, "three")
    with pytest.raises(NotReady, match="replaced by a newer one"):
        old.addresses(1)


def test_one_ingest_at_a_time(store: Store) -> None:
    with stores.write_lock(store), pytest.raises(NotReady, match="Another ingest"), stores.write_lock(store):
        pass
    with stores.write_lock(store):
        pass


def test_an_ingest_that_ends_in_the_middle_leaves_what_was_there(store: Store) -> None:
    held = build(store, "one")

    def dies(texts: list[str]) -> Any:
        raise NotReady("killed")

    def dies_later(*_: Any) -> Any:
        raise RuntimeError("killed while writing")

    with pytest.raises(NotReady, match="killed"):
        stores.write(store, library.content_of([made_up("2020-01-01", "new words")], []), dies, held)
    with pytest.MonkeyPatch.context() as patched, pytest.raises(RuntimeError):
        patched.setattr(postgres_library, "_fill_search", dies_later)
        patched.setattr("assistant.library.building._write_lexical", dies_later)
        stores.write(store, library.content_of([made_up("2020-01-01", "new words")], []), embed, held)
    again = stores.current(store)
    assert again and again.digest == held.digest and again.generation == held.generation
    assert build(store, "two").digest != held.digest, "what was left behind is in nobody's way"


def test_damage_in_a_database_shows(database: Postgres) -> None:
    held = build(database, "the words of the law")
    with postgres.session(database, "pincite_library_000001") as db:
        db.execute("UPDATE provision SET applies_from = '2030-01-01'")
    assert held.damaged() == ["provisions"]


def test_the_index_of_meanings_finds_what_comparing_all_finds(database: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = build(database, *(f"a kind of record, number {n}, of scans" for n in range(60)))
    monkeypatch.setattr(postgres_library, "EXACT", 10)
    indexed = build(database, *(f"a kind of record, number {n}, of scans" for n in range(60)))
    assert (exact.meta["near"], indexed.meta["near"]) == ("all", "index")
    for k in range(0, 120, 13):
        vector = exact.vectors[k % len(exact.vectors)]
        first, second = (retrieve.search(lib, "record of scans", vector, TODAY) for lib in (exact, indexed))
        assert [h.passage.pinpoint for h in first] == [h.passage.pinpoint for h in second]


def test_a_database_behind_every_verb(database: Postgres, small: None, tmp_path: Path) -> None:
    bench, plain = bench_on(database, tmp_path / "one"), bench_on(tmp_path / "two", tmp_path / "two")
    reports = [b.ingest(list(SOUND)) for b in (bench, plain)]
    assert {**reports[0], "seconds": 0} == {**reports[1], "seconds": 0}
    for question in ("What does a consent manager do?", "Does the Shipping Act 1912 apply?", "What is the capital of France?"):
        asked = [b.ask(question, TODAY) for b in (bench, plain)]
        assert asked[0]["answer"] == asked[1]["answer"] and asked[0]["hits"] == asked[1]["hits"]
    assert bench.verify_corpus()["sound"] and bench.standing()["ready"] and bench.doctor()["checks"][2]["ok"]
    run = bench.ask("What does a consent manager do?", TODAY)["audit"]
    assert bench.bundle(run)


def test_two_processes_on_one_database_one_of_them_killed(database: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a process acknowledged before it was killed is on the one chain, and the other goes on."""
    monkeypatch.setenv("PINCITE_STORE", database.url)
    assert done("ingest", str(tmp_path / "one"))[0] == 0
    doomed, other = child("ask", str(tmp_path / "one")), child("ask", str(tmp_path / "two"))
    try:
        assert doomed.stdout and other.stdout
        said = {p: [p.stdout.readline().strip() for _ in range(6)][1:] for p in (doomed, other) if p.stdout}
        doomed.kill()
        after = [other.stdout.readline().strip() for _ in range(5)]
    finally:
        doomed.kill(), other.kill()
    chain = list(record.records(database))
    asked = {*said[doomed], *said[other], *after}
    assert record.verify_chain(iter(chain)).sound and len(asked) == 15 and asked <= {r.id for r in chain}
    assert all(record.kept(database, id) for id in asked), "and what was answered is there"


@pytest.mark.parametrize(
    ("address", "as_shown"),
    [
        ("postgresql://bob:s3cret@db.local:5433/pincite", "postgresql://db.local:5433/pincite"),
        ("postgresql://bob:s3%2Fcret@db.local/pincite?sslmode=require", "postgresql://db.local/pincite"),
        ("postgresql:///pincite?host=db.local&user=bob&password=s3cret", "postgresql://db.local/pincite"),
        ("postgresql://bob:s3?cr#et@db.local/pincite", "postgresql://db.local/pincite"),
        ("postgresql://bob:s3/cret@db.local/pincite", ""),
        ("postgresql://bob:12/34s3@db.local/pincite", ""),
        ("postgresql://db.local:s3cret/pincite", ""),
        ("postgresql://bob:s3cret@db.local/pincite?pasword=s3cret", ""),
        ("mysql://bob:s3cret@db.local/pincite", ""),
    ],
)
def test_no_part_of_a_password_is_shown(address: str, as_shown: str) -> None:
    """Where the address cannot be cut into its parts it is refused, and nothing of it is repeated."""
    if as_shown:
        store = postgres.parse(address)
        assert str(store) == as_shown and "s3" not in repr(store) and store.url == address
    else:
        with pytest.raises(UsageError) as caught:
            postgres.parse(address)
        assert "s3" not in caught.value.line() and "12" not in caught.value.line()


@pytest.mark.parametrize("llm", ["http://bob:s3cret@127.0.0.1:9", "bob:s3cret@x", "http://127.0.0.1:9/v1?key=s3cret"])
def test_the_settings_show_no_password(llm: str, tmp_path: Path) -> None:
    bench = Workbench(Settings(home=tmp_path, llm=llm, store="postgresql://bob:s3cret@db.local/pincite"))
    shown = {row["name"]: row["value"] for row in bench.settings_rows()}
    assert "s3cret" not in str(shown) and shown["store"] == "postgresql://db.local/pincite" and "not shown" in shown["llm"]
