"""The record: a hash-chained audit log, which anyone can re-derive without a model or a network, and what is kept beside it.

It lives in `record.sqlite` of a data folder, or in the schema `pincite` of a PostgreSQL database; the same statements run on both.

Form of a record (the contract for other verifiers). A record is the JSON object {"seq","id","time","user","action",
"body","parent"}: `seq` an integer, `body` an object of texts, integers, booleans, nulls, lists and objects (no fractions),
the others texts. Its bytes are that object with keys sorted by code point at every depth, the separators "," and ":",
no white space, UTF-8 with no escapes but those that JSON demands (quotation mark, backslash, and control characters, as
\\b \\t \\n \\f \\r or \\u00xx in lower case). `hash` is SHA-256, in lower-case hexadecimal, over the ASCII tag
"pincite-audit-1" and a line feed (0x0A), then those bytes. `seq` counts from 1 without a gap; `parent` is the hash of
the record before, 64 zeros for the first. The head is the last record's hash.
An exported log (`audit export`) is one line a record, the same object with "hash" beside, in the same byte form; in
the table `audit`, `body` is kept in that form. Any other spelling of the same values counts as changed.
The chain shows tampering; truncation and roll-back show only against a head that was exported earlier.
Knows nothing of what the bodies mean.
"""

import hashlib
import hmac
import json
import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant import postgres
from assistant.errors import NotReady, Overtaken
from assistant.postgres import Postgres

TAG = b"pincite-audit-1\n"
GENESIS = "0" * 64
WAIT = 5.0  # seconds to wait for another process's short transaction
BROKEN = (sqlite3.DatabaseError, UnicodeDecodeError)  # SQLite can name a damaged table in words that are no text
_FIELDS = ("seq", "id", "time", "user", "action", "body", "parent", "hash")

# Numbered migrations: the n-th brings a record of schema n-1 to schema n. One that was published is never changed.
_MIGRATIONS = (
    """
CREATE TABLE audit(seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, time TEXT NOT NULL, user TEXT NOT NULL, action TEXT NOT NULL,
  body TEXT NOT NULL, parent TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TABLE run(id TEXT PRIMARY KEY, time TEXT NOT NULL, kind TEXT NOT NULL, content TEXT NOT NULL);
""",
    "CREATE TABLE user(name TEXT PRIMARY KEY, role TEXT NOT NULL, secret TEXT NOT NULL);",
    """
CREATE TABLE review(id TEXT PRIMARY KEY, run TEXT NOT NULL, time TEXT NOT NULL, user TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL,
  content TEXT NOT NULL);
CREATE INDEX review_run ON review(run);
CREATE INDEX run_kind ON run(kind, time);
""",
    "CREATE INDEX audit_action ON audit(action, seq);",
    """
CREATE TABLE job(id TEXT PRIMARY KEY, kind TEXT NOT NULL, owner TEXT NOT NULL, title TEXT NOT NULL, inputs TEXT NOT NULL, state TEXT NOT NULL, made TEXT NOT NULL,
  started INTEGER NOT NULL, beat INTEGER NOT NULL, worker TEXT NOT NULL, tries INTEGER NOT NULL, stop INTEGER NOT NULL, step TEXT NOT NULL, place INTEGER NOT NULL,
  places INTEGER NOT NULL, run TEXT NOT NULL, audit TEXT NOT NULL, outcome TEXT NOT NULL);
CREATE INDEX job_state ON job(state, made);
CREATE TABLE job_file(job TEXT NOT NULL, part TEXT NOT NULL, name TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY(job, part, name));
CREATE TABLE sign_in(token TEXT PRIMARY KEY, name TEXT NOT NULL, secret TEXT NOT NULL, born INTEGER NOT NULL, seen INTEGER NOT NULL);
CREATE TABLE wrong_try(name TEXT PRIMARY KEY, tries INTEGER NOT NULL, since INTEGER NOT NULL);
DELETE FROM run WHERE kind = 'job';
""",
)
SCHEMA = len(_MIGRATIONS)
_REFUSE = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''the audit log is append-only''; END';
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
"""
_SPACE = "pincite"  # the schema in PostgreSQL; its comment is the version of its form
_RECORD_TABLES = ("audit", "run", '"user"', "review", "job", "job_file")
_PASSING = ("sign_in", "wrong_try")  # who is signed in just now, which no backup carries on

Store = Path | Postgres  # a data folder, or a database
Session = sqlite3.Connection | postgres.Session


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One record of the chain."""

    seq: int
    id: str
    time: str
    user: str
    action: str
    body: Mapping[str, Any]
    parent: str
    hash: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of re-deriving the chain: its head and length, or the first bad record and what is wrong with it."""

    sound: bool
    records: int
    head: str
    problem: str = ""


def canonical(value: object) -> bytes:
    """The one byte form of a JSON value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf8", "replace")


def record_hash(seq: int, id: str, time: str, user: str, action: str, body: object, parent: str) -> str:
    """The hash of a record from its fields."""
    fields = {"seq": seq, "id": id, "time": time, "user": user, "action": action, "body": body, "parent": parent}
    return hashlib.sha256(TAG + canonical(fields)).hexdigest()


def _open(home: Path) -> sqlite3.Connection:
    path = home / "record.sqlite"
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = not path.exists()
        db = sqlite3.connect(path, timeout=WAIT, isolation_level=None)
        with ExitStack() as undo:
            undo.callback(db.close)
            if fresh:
                os.chmod(path, 0o600)
            db.execute("PRAGMA synchronous=FULL")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA:
                raise NotReady(f"The record {path} was written by a newer Pincite", "Use that version, or restore an older backup: pincite restore BACKUP")
            if version < SCHEMA:
                _create(db)
            undo.pop_all()
        return db
    except BROKEN as error:
        raise _unusable(path, error) from error
    except OSError as error:
        raise NotReady(f"The data folder {home} cannot be used ({error.strerror})", "Check its owner, mode and free space, or set PINCITE_HOME") from error


@contextmanager
def session(store: Store) -> Iterator[Session]:
    """The record, open, for the modules that keep tables in it; whatever the store then says against it is one line."""
    if isinstance(store, Postgres):
        with postgres.session(store, _SPACE) as session:
            _migrate(store, session)
            yield session
        return
    try:
        with closing(_open(store)) as db:
            yield db
    except BROKEN as error:
        raise _unusable(store / "record.sqlite", error) from error


@contextmanager
def alone(db: Session) -> Iterator[None]:
    """One transaction, with no other writer until it ends."""
    if isinstance(db, postgres.Session):
        with db.transaction(postgres.WRITER):
            yield
        return
    db.execute("BEGIN IMMEDIATE")
    yield
    db.execute("COMMIT")


def exists(store: Store) -> bool:
    """Whether there is a record; a database is asked when it is used."""
    return isinstance(store, Postgres) or (store / "record.sqlite").exists()


def _unusable(path: Path, error: Exception) -> NotReady:
    if "locked" in str(error):
        return NotReady("The record is in use by another process", "Try again when it has finished")
    if "full" in str(error) or "disk I/O" in str(error):
        return NotReady(f"The record {path} cannot be written ({error})", "Free some space and try again; nothing is half-written")
    if "readonly" in str(error) or "unable to open" in str(error):
        return NotReady(f"The record {path} cannot be written", "Check the data folder's owner and mode")
    return NotReady(f"The record {path} is damaged ({error})", "Restore it: pincite restore BACKUP")


def _create(db: sqlite3.Connection) -> None:
    """Brings a new or older record to this schema, in one transaction."""
    with alone(db):
        _advance(db, db.execute("PRAGMA user_version").fetchone()[0])
        db.execute(f"PRAGMA user_version={SCHEMA}")


def _migrate(store: Postgres, db: postgres.Session) -> None:
    """The same for the record in a database."""
    known = f"SELECT coalesce(obj_description(to_regnamespace('{_SPACE}'), 'pg_namespace'), '0')::int"
    (version,) = db.one(known)
    if version > SCHEMA:
        raise NotReady(f"The record in {store} was written by a newer Pincite", "Use that version, or restore an older backup: pincite restore BACKUP")
    if version < SCHEMA:
        with alone(db):
            db.execute(f"CREATE SCHEMA IF NOT EXISTS {_SPACE}")
            _advance(db, *db.one(known))
            db.execute(f"COMMENT ON SCHEMA {_SPACE} IS '{SCHEMA}'")


def _advance(db: Session, version: int) -> None:
    for number, tables in enumerate(_MIGRATIONS[version:], version + 1):
        if isinstance(db, postgres.Session):
            tables = postgres.tables(re.sub(r"CREATE TRIGGER .*;\n", "", tables)) + (_REFUSE if number == 1 else "")
        for statement in tables.split(";\n"):
            if statement.strip():
                db.execute(statement)
        if number == 3:
            _carry_decisions(db)


def _carry_decisions(db: Session) -> None:
    """Decisions on findings were kept among the runs before; each becomes a review under the id of its audit record."""
    rows = db.execute("SELECT id, time, content FROM run WHERE kind = 'review'").fetchall()
    for id, time, text in rows:
        old = _loads(text)
        content = {"decision": old.get("decision", ""), "reason": old.get("reason", ""), "edited": old.get("edited", ""), "machine": "", "problems": []}
        row = (id, old.get("run", ""), time, old.get("owner", ""), "decision", old.get("requirement", ""), canonical(content).decode())
        db.execute("INSERT INTO review VALUES(?,?,?,?,?,?,?)", row)
    db.execute("DELETE FROM run WHERE kind = 'review'")


Said = tuple[str, str, str, Mapping[str, Any]]  # what a review says: its run, kind, target and content
Run = tuple[str, Callable[[str], object]]  # what a run is kept as: its kind, and its content by its id
Held = tuple[str, str]  # a job, and the worker that holds it


def append(
    store: Store, time: str, user: str, action: str, body: Mapping[str, Any], review: Said | None = None, run: Run | None = None, job: Held | None = None
) -> AuditRecord:
    """Write one record durably and return it. `time` is ISO 8601 in UTC; `body` is JSON: hashes and names, no texts.

    `review` and `run` are kept beside it under the same id, in the same transaction: there is never the one without the other.
    With `job` that job has its record with it, once: raises `Overtaken`, and writes nothing, where the worker holds it no more.
    """
    with session(store) as db:
        with alone(db):
            last = db.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone() or (0, GENESIS)
            seq, parent = last[0] + 1, last[1]
            id = hashlib.sha256(canonical([parent, time, user, action, body])).hexdigest()[:16]
            hash = record_hash(seq, id, time, user, action, body, parent)
            db.execute("INSERT INTO audit VALUES(?,?,?,?,?,?,?,?)", (seq, id, time, user, action, canonical(body).decode(), parent, hash))
            if review:
                of, kind, target, content = review
                db.execute("INSERT INTO review VALUES(?,?,?,?,?,?,?)", (id, of, time, user, kind, target, canonical(content).decode()))
            if run:
                db.execute("INSERT INTO run VALUES(?,?,?,?)", (id, time, run[0], canonical(run[1](id)).decode()))
            if job:
                _claim(db, job, id, run is not None)
    return AuditRecord(seq, id, time, user, action, body, parent, hash)


def _claim(db: Session, job: Held, audit: str, made: bool) -> None:
    mine = "id = ? AND worker = ? AND state = 'running' AND stop = 0 AND audit = ''"
    if not db.execute(f"UPDATE job SET audit = ?, run = CASE WHEN ? = 1 THEN ? ELSE run END WHERE {mine}", (audit, int(made), audit, *job)).rowcount:
        raise Overtaken("The job was cancelled, or another worker has taken it up", "Nothing was written here")


def records(store: Store, last: int | None = None) -> Iterator[AuditRecord]:
    """The chain in order, or its last few records."""
    if not exists(store):
        return
    limit = "" if last is None else f" DESC LIMIT {min(int(last), 1 << 60)}"
    with session(store) as db:
        rows = db.execute(f"SELECT * FROM (SELECT * FROM audit ORDER BY seq{limit}) AS tail ORDER BY seq").fetchall()
    for seq, id, time, user, action, body, parent, hash in rows:
        yield AuditRecord(seq, id, time, user, action, _loads(body), parent, hash)


def _loads(text: object) -> Mapping[str, Any]:
    """A body as it was written; text in any other spelling is no body."""
    try:
        value = json.loads(text) if isinstance(text, str) else None
        if isinstance(value, dict) and canonical(value).decode() == text:
            return value
    except (ValueError, RecursionError):
        pass
    return {"unreadable": str(text)}


def head(store: Store) -> str:
    """The hash of the last record, or 64 zeros before the first."""
    return next((r.hash for r in records(store, last=1)), GENESIS)


def verify_chain(chain: Iterable[AuditRecord], known_head: str | None = None) -> Verdict:
    """Re-derive every hash; name the first record that is wrong. `known_head`, exported earlier, shows truncation."""
    parent, count, seen = GENESIS, 0, {GENESIS}
    for r in chain:
        count += 1
        if r.seq != count:
            return Verdict(False, count, parent, f"record {count}: sequence number {r.seq}, so records are missing or moved")
        if r.parent != parent:
            return Verdict(False, count, parent, f"record {r.seq}: its parent is not the record before it")
        if not _sound(r):
            return Verdict(False, count, parent, f"record {r.seq}: its content does not give its hash")
        parent = r.hash
        seen.add(parent)
    if known_head is not None and known_head not in seen:
        return Verdict(False, count, parent, "the exported head is not in the chain: records were cut off, or the log is another one")
    return Verdict(True, count, parent)


def _sound(r: AuditRecord) -> bool:
    texts = (r.id, r.time, r.user, r.action, r.parent, r.hash)
    try:
        return all(type(t) is str for t in texts) and type(r.seq) is int and record_hash(r.seq, r.id, r.time, r.user, r.action, r.body, r.parent) == r.hash
    except (ValueError, TypeError, RecursionError):
        return False


def export_line(r: AuditRecord) -> str:
    """A record as a line of an exported log, without the line's end."""
    return canonical({name: getattr(r, name) for name in _FIELDS}).decode()


def read_line(line: str) -> AuditRecord | None:
    """The record of a line of an exported log; None when it is not in the form."""
    try:
        value = json.loads(line)
        if not isinstance(value, dict) or set(value) != set(_FIELDS) or not isinstance(value["body"], dict):
            return None
        return AuditRecord(**value) if canonical(value).decode() == line else None
    except (ValueError, TypeError, RecursionError):
        return None


def copy(store: Store, to: Path) -> None:
    """A whole copy of the record at one instant, as a `record.sqlite`, while others may be writing."""
    with session(store) as db:
        if isinstance(db, sqlite3.Connection):
            with closing(sqlite3.connect(to)) as into:
                db.backup(into)
                into.execute("PRAGMA secure_delete=ON")
                for table in _PASSING:
                    into.execute(f"DELETE FROM {table}")
                into.commit()
        else:
            with closing(_open(to.parent)) as into, alone(db), alone(into):
                _copy_tables(db, into)


def put(store: Postgres, home: Path) -> None:
    """Make a database's record that of a data folder; the one that is there is set aside as the schema `pincite_before_restore_1` (2, 3, ...)."""
    with closing(_open(home)) as source, postgres.session(store, _SPACE) as db:
        with alone(db):
            aside = f"{_SPACE}_before_restore_"
            (held,) = db.one("SELECT count(*) FROM pg_namespace WHERE starts_with(nspname, ?)", (aside,))
            if db.one("SELECT to_regnamespace(?)", (_SPACE,))[0]:
                db.execute(f"ALTER SCHEMA {_SPACE} RENAME TO {aside}{held + 1}")
            _migrate(store, db)
            _copy_tables(source, db)


def _copy_tables(source: Session, into: Session) -> None:
    for table in _RECORD_TABLES:
        for row in source.execute(f"SELECT * FROM {table} ORDER BY 1"):
            into.execute(f"INSERT INTO {table} VALUES({','.join('?' * len(row))})", row)


def _replacing(key: str, *others: str) -> str:
    return f"ON CONFLICT({key}) DO UPDATE SET {', '.join(f'{o} = excluded.{o}' for o in others)}"


def keep_run(store: Store, id: str, time: str, kind: str, content: object) -> None:
    """Keep the content of a run beside the chain, where it can be erased without breaking the chain."""
    with session(store) as db:
        db.execute(f"INSERT INTO run VALUES(?,?,?,?) {_replacing('id', 'time', 'kind', 'content')}", (id, time, kind, canonical(content).decode()))


def erase_run(store: Store, id: str) -> bool:
    """Erase the content of a run and what was said about it; the audit records stay, and the chain with them. Whether there was one."""
    with session(store) as db:
        if isinstance(db, sqlite3.Connection):
            db.execute("PRAGMA secure_delete=ON")
        db.execute("DELETE FROM review WHERE run = ?", (id,))
        db.execute("DELETE FROM job_file WHERE job IN (SELECT id FROM job WHERE run = ?)", (id,))
        db.execute("DELETE FROM job WHERE run = ?", (id,))
        return db.execute("DELETE FROM run WHERE id = ?", (id,)).rowcount > 0


def run(store: Store, id: str) -> Mapping[str, Any] | None:
    """The content of a run, or None when it is unknown or was erased."""
    with session(store) as db:
        row = db.execute("SELECT content FROM run WHERE id = ?", (id,)).fetchone()
    return _loads(row[0]) if row else None


@dataclass(frozen=True, slots=True)
class Kept:
    """The content of a run, with when and as what it was kept."""

    id: str
    time: str
    kind: str
    content: Mapping[str, Any]


def kept(store: Store, id: str) -> Kept | None:
    """A run with its time and kind, or None when it is unknown or was erased."""
    with session(store) as db:
        row = db.execute("SELECT id, time, kind, content FROM run WHERE id = ?", (id,)).fetchone()
    return Kept(row[0], row[1], row[2], _loads(row[3])) if row else None


def authored(store: Store, ids: Sequence[str]) -> list[tuple[Kept, str]]:
    """Runs by their ids, in that order, each with the user of its audit record; what is unknown or was erased is left out."""
    with session(store) as db:
        sql = f"""SELECT r.id, r.time, r.kind, r.content, coalesce(a."user", '') FROM run r LEFT JOIN audit a ON a.id = r.id WHERE r.id IN ({",".join("?" * len(ids))})"""
        found = {row[0]: row for row in db.execute(sql, tuple(ids)).fetchall()} if ids else {}
    return [(Kept(row[0], row[1], row[2], _loads(row[3])), str(row[4])) for id in ids if (row := found.get(id))]


def all_kept(store: Store, kind: str) -> list[Kept]:
    """Every run of a kind, newest first."""
    with session(store) as db:
        rows = db.execute("SELECT id, time, kind, content FROM run WHERE kind = ? ORDER BY time DESC", (kind,)).fetchall()
    return [Kept(row[0], row[1], row[2], _loads(row[3])) for row in rows]


@dataclass(frozen=True, slots=True)
class Listed:
    """A run without its content: what it is about (a card, a question, a title), and, where it has them, its pack and its card's hash."""

    id: str
    time: str
    kind: str
    owner: str
    about: str
    pack: str
    card: str = ""


_ABOUT = ("owner", "card.name", "question", "title", "pack.id", "card.sha256")
_NUL = "\ue000"  # stands for U+0000 on its way out of the database


def listed(store: Store, kinds: Sequence[str], most: int) -> list[Listed]:
    """The newest runs of these kinds, newest first. The database takes what is wanted out of their contents, which may be large."""
    if not exists(store):
        return []
    newest = f"SELECT id FROM run WHERE kind IN ({','.join('?' * len(kinds))}) ORDER BY time DESC, id DESC LIMIT ?"
    with session(store) as db:
        content = f"replace(r.content, '\\u0000', '{_NUL}')"  # which the one database cannot hand on, and at which the other ends
        parts = ", ".join(
            f"json_extract({content}, '$.{p}')" if isinstance(db, sqlite3.Connection) else f"{content}::json #>> '{{{p.replace('.', ',')}}}'" for p in _ABOUT
        )
        sql = f"""SELECT r.id, r.time, r.kind, coalesce(a."user", ''), {parts} FROM run r LEFT JOIN audit a ON a.id = r.id
            WHERE r.id IN ({newest}) ORDER BY r.time DESC, coalesce(a.seq, 0) DESC"""
        rows = db.execute(sql, (*kinds, min(most, 1 << 40))).fetchall()
    return [
        Listed(id, time, kind, str(owner or author), str(card or question or title or "").replace(_NUL, "\0"), str(pack or ""), str(sha256 or ""))
        for id, time, kind, author, owner, card, question, title, pack, sha256 in rows
    ]


@dataclass(frozen=True, slots=True)
class Review:
    """What a person said about a run: a `decision`, `comment`, `task` or `signature` on a target of it ("" for the whole)."""

    id: str
    run: str
    time: str
    user: str
    kind: str
    target: str
    content: Mapping[str, Any]


def reviews(store: Store, run: str) -> list[Review]:
    """Everything that was said about a run, in the order it was said."""
    with session(store) as db:
        rows = db.execute("SELECT * FROM review WHERE run = ? ORDER BY (SELECT seq FROM audit WHERE audit.id = review.id)", (run,)).fetchall()
    return [Review(id, run, time, user, kind, target, _loads(content)) for id, run, time, user, kind, target, content in rows]


def handed(store: Store, user: str) -> list[str]:
    """The runs in which a task was given to a user."""
    if not exists(store):
        return []
    with session(store) as db:
        rows = db.execute("SELECT run, content FROM review WHERE kind = 'task' ORDER BY time").fetchall()
    return list(dict.fromkeys(str(run) for run, text in rows if _loads(text).get("owner") == user))


def last_of(store: Store, action: str) -> AuditRecord | None:
    """The last record of an action, or None."""
    with session(store) as db:
        row = db.execute("SELECT * FROM audit WHERE action = ? ORDER BY seq DESC LIMIT 1", (action,)).fetchone()
    return AuditRecord(row[0], row[1], row[2], row[3], row[4], _loads(row[5]), row[6], row[7]) if row else None


def author(store: Store, id: str) -> str:
    """The user of the audit record with this id; "" when there is none."""
    with session(store) as db:
        row = db.execute('SELECT "user" FROM audit WHERE id = ?', (id,)).fetchone()
    return str(row[0]) if row else ""


# ---- users -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class User:
    """Someone who may sign in; `secret` is a salted scrypt hash."""

    name: str
    role: str
    secret: str


def secret_of(password: str) -> str:
    """A password as it is kept: `scrypt$salt$hash`, a new salt each time."""
    salt = os.urandom(16)
    return f"scrypt${salt.hex()}${_scrypt(password, salt)}"


def password_fits(password: str, secret: str) -> bool:
    """Whether a password is the one kept. An empty secret fits nothing, and takes as long to say so."""
    _, salt, kept = (secret or f"scrypt${'0' * 32}$").split("$")
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)), kept)


def _scrypt(password: str, salt: bytes) -> str:
    return hashlib.scrypt(password.encode(), salt=salt, n=1 << 14, r=8, p=1).hex()


def keep_user(store: Store, user: User) -> None:
    """Add a user, or change their role or password."""
    with session(store) as db:
        db.execute(f'INSERT INTO "user" VALUES(?,?,?) {_replacing("name", "role", "secret")}', (user.name, user.role, user.secret))


def remove_user(store: Store, name: str) -> None:
    """Take a user away; their records stay."""
    with session(store) as db:
        db.execute('DELETE FROM "user" WHERE name = ?', (name,))


def users(store: Store) -> list[User]:
    """Everyone who may sign in, by name."""
    if not exists(store):
        return []
    with session(store) as db:
        return [User(*row) for row in db.execute('SELECT name, role, secret FROM "user" ORDER BY name')]


def user(store: Store, name: str) -> User | None:
    """One user, or None."""
    return next((u for u in users(store) if u.name == name), None)
