"""The chain proves itself: any change is found and named; nothing acknowledged is lost."""

import multiprocessing
import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant import postgres, record
from assistant.errors import NotReady, UsageError
from assistant.postgres import Postgres
from assistant.record import AuditRecord, Store, verify_chain


def write(store: Store, n: int) -> list[AuditRecord]:
    return [record.append(store, f"2026-11-22T10:00:{i:02}Z", "ann", "ask", {"question": f"hash{i}", "hits": ["gdpr:art-35"]}) for i in range(n)]


def test_a_sound_chain(store: Store) -> None:
    written = write(store, 5)
    verdict = verify_chain(record.records(store))
    assert (verdict.sound, verdict.records, verdict.head) == (True, 5, written[-1].hash)
    assert [r.parent for r in written] == [record.GENESIS, *(r.hash for r in written[:-1])]
    assert record.head(store) == written[-1].hash
    assert list(record.records(store, last=2)) == written[-2:]


def test_an_empty_chain_is_sound(store: Store) -> None:
    assert verify_chain(record.records(store)).head == record.GENESIS


CHAIN = 6
ATTACKS = {
    "a time": lambda c: [*c[:2], replace(c[2], time="2026-11-23T10:00:02Z"), *c[3:]],
    "a user": lambda c: [*c[:2], replace(c[2], user="bob"), *c[3:]],
    "a body": lambda c: [*c[:2], replace(c[2], body={"question": "other"}), *c[3:]],
    "an action": lambda c: [*c[:2], replace(c[2], action="gaps"), *c[3:]],
    "a hash": lambda c: [*c[:2], replace(c[2], hash="f" * 64), *c[3:]],
    "deleted": lambda c: [*c[:2], *c[3:]],
    "deleted and renumbered": lambda c: [*c[:2], *(replace(r, seq=r.seq - 1) for r in c[3:])],
    "swapped": lambda c: [*c[:2], c[3], c[2], *c[4:]],
    "doubled": lambda c: [*c[:3], c[2], *c[3:]],
    "spliced": lambda c: [*c[:3], replace(c[1], seq=4), *c[4:]],
    "first cut off": lambda c: c[1:],
}


@pytest.mark.parametrize("name", ATTACKS)
def test_every_change_is_found_and_the_first_bad_record_named(name: str, home: Path) -> None:
    chain = write(home, CHAIN)
    verdict = verify_chain(iter(ATTACKS[name](chain)))
    assert not verdict.sound
    assert verdict.problem.startswith("record 1:" if name == "first cut off" else ("record 4:" if name in ("doubled", "spliced") else "record 3:"))


def test_truncation_and_roll_back_show_against_an_exported_head(store: Store) -> None:
    chain = write(store, CHAIN)
    assert verify_chain(iter(chain[:4])).sound, "without a head, a cut chain cannot be told"
    cut = verify_chain(iter(chain[:4]), chain[5].hash)
    assert not cut.sound and "head" in cut.problem
    assert verify_chain(iter(chain), chain[3].hash).sound, "records after the exported head are growth"


def test_a_record_rehashed_after_a_change_breaks_the_next(home: Path) -> None:
    chain = write(home, 3)
    forged = replace(chain[1], user="eve")
    forged = replace(forged, hash=record.record_hash(forged.seq, forged.id, forged.time, forged.user, forged.action, forged.body, forged.parent))
    verdict = verify_chain(iter([chain[0], forged, chain[2]]))
    assert not verdict.sound and verdict.problem.startswith("record 3:")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_byte_changed_in_any_field_is_found(data: st.DataObject) -> None:
    parent, chain = record.GENESIS, []
    for seq in range(1, 4):
        body = {"n": seq}
        hash = record.record_hash(seq, f"id{seq}", "t", "u", "ask", body, parent)
        chain.append(AuditRecord(seq, f"id{seq}", "t", "u", "ask", body, parent, hash))
        parent = hash
    at = data.draw(st.integers(0, 2))
    name = data.draw(st.sampled_from(["id", "time", "user", "action", "parent", "hash"]))
    old = getattr(chain[at], name)
    place = data.draw(st.integers(0, len(old) - 1))
    letter = data.draw(st.characters(codec="utf-8").filter(lambda c: c != old[place]))
    chain[at] = replace(chain[at], **{name: old[:place] + letter + old[place + 1 :]})
    assert not verify_chain(iter(chain), parent).sound


def test_the_table_itself_refuses_changes(home: Path) -> None:
    write(home, 2)
    db = sqlite3.connect(home / "record.sqlite")
    for statement in ("UPDATE audit SET user = 'x'", "DELETE FROM audit"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(statement)
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "delete", "a rollback journal, not a write-ahead log"


def test_the_table_of_a_database_refuses_changes_too(database: Postgres) -> None:
    import psycopg

    write(database, 2)
    with psycopg.connect(database.url, autocommit=True) as db:
        for statement in ("UPDATE pincite.audit SET seq = 9", "DELETE FROM pincite.audit", "TRUNCATE pincite.audit"):
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                db.execute(statement)


def test_content_beside_the_chain_can_go_without_breaking_it(store: Store) -> None:
    one = write(store, 1)[0]
    for words in ("first", "words"):
        record.keep_run(store, one.id, "t", "ask", {"question": words})
    assert record.run(store, one.id) == {"question": "words"} and record.author(store, one.id) == "ann"
    assert [k.id for k in record.all_kept(store, "ask")] == [one.id] and record.all_kept(store, "gaps") == []
    assert record.erase_run(store, one.id) and not record.erase_run(store, one.id)
    assert record.run(store, one.id) is None and record.kept(store, one.id) is None
    assert verify_chain(record.records(store)).sound


def test_users_are_kept_changed_and_taken_away(store: Store) -> None:
    for name in ("bob", "Ann", "ann", "Émile"):
        record.keep_user(store, record.User(name, "admin", "x"))
    record.keep_user(store, record.User("bob", "auditor", "y"))
    assert [u.name for u in record.users(store)] == ["Ann", "ann", "bob", "Émile"], "in the order of their bytes on both stores"
    assert record.user(store, "bob") == record.User("bob", "auditor", "y")
    record.remove_user(store, "bob")
    assert record.user(store, "bob") is None


def test_a_copy_is_a_data_folder_whatever_the_store(store: Store, tmp_path: Path) -> None:
    chain = write(store, 3)
    record.keep_run(store, chain[0].id, "t", "ask", {"question": "words"})
    record.keep_user(store, record.User("ann", "admin", "x"))
    (tmp_path / "copy").mkdir()
    record.copy(store, tmp_path / "copy" / "record.sqlite")
    assert list(record.records(tmp_path / "copy")) == chain
    assert record.users(tmp_path / "copy") == record.users(store) and record.run(tmp_path / "copy", chain[0].id) == {"question": "words"}


def test_a_data_folder_moves_into_a_database(home: Path, database: Postgres) -> None:
    old, new = write(database, 2), write(home, 4)
    record.keep_user(home, record.User("ann", "admin", "x"))
    record.put(database, home)
    assert list(record.records(database)) == new and record.user(database, "ann")
    assert write(database, 1)[0].parent == new[-1].hash and verify_chain(record.records(database)).sound
    record.put(database, home)
    with postgres.session(database, "pincite_before_restore_1") as db:
        assert db.one("SELECT max(hash) FROM audit WHERE seq = 2") == (old[-1].hash,), "what was there is set aside"
        assert db.one("SELECT count(*) FROM pincite_before_restore_2.audit") == (5,)


def test_a_database_of_a_newer_form_is_left_alone(database: Postgres) -> None:
    write(database, 1)
    with postgres.session(database, "pincite") as db:
        db.execute("COMMENT ON SCHEMA pincite IS '99'")
    with pytest.raises(NotReady, match="newer"):
        write(database, 1)


def test_a_database_of_the_first_form_is_carried_over(database: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as old:
        old.setattr(record, "SCHEMA", 1)
        old.setattr(record, "_MIGRATIONS", record._MIGRATIONS[:1])
        chain = write(database, 2)
    record.keep_user(database, record.User("ann", "admin", "x"))
    assert list(record.records(database)) == chain and record.user(database, "ann")


@pytest.mark.parametrize(
    ("url", "said"),
    [("postgresql://ann:secret@127.0.0.1:1/none", "does not answer"), ("postgresql://ann:secret@127.0.0.1:1/x?sslmode=verify-full", "does not answer")],
)
def test_a_database_that_is_not_there_is_one_line_without_the_password(url: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "WAIT", 0.5)
    with pytest.raises(NotReady) as caught:
        write(Postgres(url), 1)
    assert said in caught.value.line() and "secret" not in caught.value.line() and "\n" not in caught.value.line()


def test_a_restart_of_the_database_costs_no_record(database: Postgres) -> None:
    """As the server does when it goes down: every connection is cut; the next record finds a new one."""
    write(database, 2)
    with postgres.session(database, "public") as db:
        db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()")
    with pytest.raises(NotReady), postgres.session(database, "public") as db:
        db.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    write(database, 1)
    assert verify_chain(record.records(database)).records == 3


@pytest.mark.parametrize("setting", ["mysql://host/db", "/var/lib/pincite", "postgres"])
def test_a_store_of_another_kind_is_refused(setting: str) -> None:
    with pytest.raises(UsageError):
        postgres.parse(setting)


def test_file_modes(home: Path) -> None:
    write(home, 1)
    assert (home / "record.sqlite").stat().st_mode & 0o077 == 0
    assert home.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", [b"", b"not a database at all" * 50])
def test_a_damaged_record_says_what_to_do(damage: bytes, home: Path) -> None:
    write(home, 3)
    path = home / "record.sqlite"
    good = path.read_bytes()
    path.write_bytes(damage or b"\0" * 4096 + good[4096:])
    with pytest.raises(NotReady) as caught:
        write(home, 1)
    assert "\n" not in caught.value.line() and "restore" in caught.value.line().lower()


def _hammer(store: Store, who: int, acknowledged: "multiprocessing.queues.Queue[str]") -> None:
    n = 0
    while True:
        n += 1
        acknowledged.put(record.append(store, f"t{n}", f"writer{who}", "ask", {"n": n}).hash)


def test_killed_writers_lose_nothing_acknowledged(store: Store) -> None:
    context = multiprocessing.get_context("spawn")
    acknowledged = context.Queue()
    record.append(store, "t", "u", "start", {})
    for _ in range(3):
        writers = [context.Process(target=_hammer, args=(store, who, acknowledged)) for who in range(3)]
        for w in writers:
            w.start()
        deadline = time.monotonic() + 20
        while acknowledged.empty() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.2)
        for w in writers:
            assert w.pid
            os.kill(w.pid, signal.SIGKILL)
            w.join()
    seen = set(drain(acknowledged))
    chain = list(record.records(store))
    assert verify_chain(iter(chain)).sound
    assert seen and seen <= {r.hash for r in chain}


def drain(queue: "multiprocessing.queues.Queue[str]") -> Iterator[str]:
    """What the writers reported before they were killed; a report cut in the middle ends it."""
    while not queue.empty():
        try:
            yield queue.get(timeout=0.2)
        except Exception:
            return


def _edit(home: Path, statement: str, *values: object) -> None:
    """Change the audit table as someone with the file in their hands would."""
    db = sqlite3.connect(home / "record.sqlite")
    db.execute("DROP TRIGGER audit_no_update")
    db.execute(statement, values)
    db.commit()
    db.close()


@pytest.mark.parametrize(
    ("what", "column", "value"),
    [
        ("white space in the body", "body", '{"hits": ["gdpr:art-35"],"question":"hash1"}'),
        ("keys in another order", "body", '{"question":"hash1","hits":["gdpr:art-35"]}'),
        ("a key twice", "body", '{"hits":[],"hits":["gdpr:art-35"],"question":"hash1"}'),
        ("an escape for a letter", "body", '{"hits":["gdpr:art-35"],"question":"\\u0068ash1"}'),
        ("no JSON", "body", "{"),
        ("deep JSON", "body", "[" * 100_000),
        ("bytes for text", "user", b"ann"),
        ("a number for text", "time", 5),
    ],
)
def test_the_log_on_disk_has_one_spelling(what: str, column: str, value: object, home: Path) -> None:
    write(home, 3)
    _edit(home, f"UPDATE audit SET {column} = ? WHERE seq = 2", value)
    verdict = verify_chain(record.records(home))
    assert not verdict.sound and verdict.problem.startswith("record 2:")


def test_awkward_words_are_recorded_and_read_back(store: Store) -> None:
    body = {"file": "caf\u00e9 \udcff.md", "quote": 'a "b" \\ \n \x01 \x7f \u2028 😀', "none": None, "yes": True}
    record.append(store, "t", "böb", "ingest", body)
    lines = [record.export_line(r) for r in record.records(store)]
    assert verify_chain(record.records(store)).sound
    back = [record.read_line(line) for line in lines]
    assert all(back) and verify_chain(r for r in back if r).sound
    assert record.read_line(lines[0].replace(":", ": ", 1)) is None


def test_every_byte_of_an_exported_log_counts(home: Path) -> None:
    write(home, 3)
    lines = [record.export_line(r) for r in record.records(home)]
    data = "\n".join(lines).encode()
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        parsed = [record.read_line(line) for line in changed.decode("utf8", "replace").split("\n")]
        assert None in parsed or not verify_chain(r for r in parsed if r).sound, f"byte {at}"


def test_erasing_content_leaves_no_words_and_a_sound_chain(home: Path) -> None:
    one = write(home, 1)[0]
    record.keep_run(home, one.id, "t", "ask", {"question": "unmistakable words"})
    assert record.erase_run(home, one.id) and not record.erase_run(home, one.id)
    assert b"unmistakable" not in (home / "record.sqlite").read_bytes()
    assert verify_chain(record.records(home)).sound


def test_a_clock_that_jumps_back_breaks_nothing(store: Store) -> None:
    for when in ("2026-11-22T10:00:00Z", "1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z"):
        record.append(store, when, "ann", "ask", {})
    assert verify_chain(record.records(store)).sound


# The first schema as it was published, with a record, its run and (from the second on) a user: written out, so that a change of the migrations is seen.
FIRST = """
CREATE TABLE audit(seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, time TEXT NOT NULL, user TEXT NOT NULL, action TEXT NOT NULL,
  body TEXT NOT NULL, parent TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TABLE run(id TEXT PRIMARY KEY, time TEXT NOT NULL, kind TEXT NOT NULL, content TEXT NOT NULL);
INSERT INTO audit VALUES(1, 'aa', 't', 'ann', 'ask', '{}', '0000000000000000000000000000000000000000000000000000000000000000',
  '82daafa307b72acd7125f55bce1c4c364b7cf947801cf5e5a1e5051e8712dec1');
INSERT INTO run VALUES('aa', 't', 'ask', '{"question":"What?"}');
"""
SECOND = FIRST + "CREATE TABLE user(name TEXT PRIMARY KEY, role TEXT NOT NULL, secret TEXT NOT NULL); INSERT INTO user VALUES('ann', 'admin', 'x');"


@pytest.mark.parametrize(("schema", "script", "users"), [(1, FIRST, []), (2, SECOND, ["ann"])])
def test_an_older_data_folder_is_carried_over_step_by_step(schema: int, script: str, users: list[str], home: Path) -> None:
    home.mkdir()
    db = sqlite3.connect(home / "record.sqlite")
    db.executescript(script)
    db.execute(f"PRAGMA user_version={schema}")
    db.commit()
    db.close()
    before = record.head(home)
    assert [u.name for u in record.users(home)] == users
    write(home, 2)
    assert verify_chain(record.records(home), before).sound and record.last_of(home, "ask") and record.run(home, "aa") == {"question": "What?"}
    record.keep_user(home, record.User("eve", "auditor", "y"))
    fresh = home.with_name("fresh")
    write(fresh, 1)
    shapes = [
        {tuple(row) for row in sqlite3.connect(folder / "record.sqlite").execute("SELECT type, name, sql FROM sqlite_master")} for folder in (home, fresh)
    ]
    assert shapes[0] == shapes[1], "an old folder ends in the same form as a new one"


def test_an_upgrade_that_is_cut_off_leaves_the_older_form(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    db = sqlite3.connect(home / "record.sqlite")
    db.executescript(SECOND)
    db.execute("PRAGMA user_version=2")
    db.commit()
    db.close()
    with monkeypatch.context() as broken:
        broken.setattr(record, "_MIGRATIONS", (*record._MIGRATIONS, "CREATE TABLE more(x);\nCREATE TABLE more(x);"))
        broken.setattr(record, "SCHEMA", len(record._MIGRATIONS))
        with pytest.raises(NotReady):
            record.head(home)
    held = sqlite3.connect(home / "record.sqlite")
    assert held.execute("PRAGMA user_version").fetchone() == (2,)
    assert not held.execute("SELECT name FROM sqlite_master WHERE name IN ('more', 'audit_action')").fetchall()


def test_decisions_of_the_second_form_are_carried_over(home: Path) -> None:
    home.mkdir()
    db = sqlite3.connect(home / "record.sqlite")
    db.executescript(SECOND)
    old = {"owner": "ann", "run": "r1", "requirement": "AIA-9-1", "decision": "edit", "reason": "clearer", "edited": "new “words”"}
    db.execute("INSERT INTO run VALUES('a1', 't1', 'review', ?)", (record.canonical(old).decode(),))
    db.execute("INSERT INTO run VALUES('r1', 't0', 'gaps', '{}')")
    db.execute("PRAGMA user_version=2")
    db.commit()
    [one] = record.reviews(home, "r1")
    assert (one.id, one.time, one.user, one.kind, one.target) == ("a1", "t1", "ann", "decision", "AIA-9-1")
    assert one.content["edited"] == "new “words”" and one.content["decision"] == "edit"
    assert [r.id for r in record.listed(home, ("gaps", "review"), 9)] == ["r1"]


def test_a_record_of_a_newer_form_is_left_alone(home: Path) -> None:
    write(home, 1)
    db = sqlite3.connect(home / "record.sqlite")
    db.execute("PRAGMA user_version=99")
    db.commit()
    with pytest.raises(NotReady, match="newer"):
        write(home, 1)


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_file_is_one_line_or_a_named_record(seed: int, home: Path) -> None:
    """Bytes changed anywhere in the file: an expected error, a named record, or room that held nothing."""
    chance = random.Random(seed)
    head = write(home, 4)[-1].hash
    path = home / "record.sqlite"
    data = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 20, 400))):
        data[chance.randrange(len(data))] = chance.randrange(256)
    path.write_bytes(bytes(data) if seed % 5 else bytes(data[: chance.randrange(len(data))]))
    try:
        verdict = verify_chain(record.records(home), head)
        record.users(home), record.all_kept(home, "ask"), record.kept(home, "x")
    except NotReady as error:
        assert "\n" not in error.line()
    else:
        assert not verdict.sound or verdict.head == head
