"""The record: a hash-chained audit log in `record.sqlite`, which anyone can re-derive without a model or a network.

Form of a record (the contract for other verifiers): the JSON object {"seq","id","time","user","action","body","parent"}
with sorted keys, separators "," and ":", UTF-8 without escapes; its hash is SHA-256 over the ASCII tag
"pincite-audit-1\n" followed by those bytes; `parent` is the hash before it, 64 zeros for the first. The chain shows
tampering; truncation and roll-back show only against a head that was exported earlier.
Knows nothing of what the bodies mean.
"""

import hashlib
import hmac
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import NotReady

TAG = b"pincite-audit-1\n"
GENESIS = "0" * 64
SCHEMA = 2

_TABLES = """
CREATE TABLE audit(seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, time TEXT NOT NULL, user TEXT NOT NULL, action TEXT NOT NULL,
  body TEXT NOT NULL, parent TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TABLE run(id TEXT PRIMARY KEY, time TEXT NOT NULL, kind TEXT NOT NULL, content TEXT NOT NULL);
"""
_TABLES_2 = "CREATE TABLE user(name TEXT PRIMARY KEY, role TEXT NOT NULL, secret TEXT NOT NULL);"


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
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def record_hash(seq: int, id: str, time: str, user: str, action: str, body: object, parent: str) -> str:
    """The hash of a record from its fields."""
    fields = {"seq": seq, "id": id, "time": time, "user": user, "action": action, "body": body, "parent": parent}
    return hashlib.sha256(TAG + canonical(fields)).hexdigest()


def _open(home: Path) -> sqlite3.Connection:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = home / "record.sqlite"
    fresh = not path.exists()
    try:
        db = sqlite3.connect(path, timeout=5, isolation_level=None)
        if fresh:
            os.chmod(path, 0o600)
        db.execute("PRAGMA synchronous=FULL")
        if db.execute("PRAGMA user_version").fetchone()[0] < SCHEMA:
            _create(db)
        return db
    except sqlite3.DatabaseError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: sqlite3.DatabaseError) -> NotReady:
    if "locked" in str(error):
        return NotReady("The record is in use by another process", "Try again when it has finished")
    if "readonly" in str(error) or "unable to open" in str(error):
        return NotReady(f"The record {path} cannot be written", "Check the data folder's owner and mode")
    return NotReady(f"The record {path} is damaged ({error})", "Restore it: pincite restore BACKUP")


def _create(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    for since, tables in ((0, _TABLES), (1, _TABLES_2)):
        for statement in tables.split(";\n") if version <= since else ():
            if statement.strip():
                db.execute(statement)
    db.execute(f"PRAGMA user_version={SCHEMA}")
    db.execute("COMMIT")


def append(home: Path, time: str, user: str, action: str, body: Mapping[str, Any]) -> AuditRecord:
    """Write one record durably and return it. `time` is ISO 8601 in UTC; `body` is JSON: hashes and names, no texts."""
    path = home / "record.sqlite"
    try:
        with closing(_open(home)) as db:
            db.execute("BEGIN IMMEDIATE")
            last = db.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone() or (0, GENESIS)
            seq, parent = last[0] + 1, last[1]
            id = hashlib.sha256(canonical([parent, time, user, action, body])).hexdigest()[:16]
            hash = record_hash(seq, id, time, user, action, body, parent)
            db.execute("INSERT INTO audit VALUES(?,?,?,?,?,?,?,?)", (seq, id, time, user, action, canonical(body).decode(), parent, hash))
            db.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        raise _unusable(path, error) from error
    return AuditRecord(seq, id, time, user, action, body, parent, hash)


def records(home: Path, last: int | None = None) -> Iterator[AuditRecord]:
    """The chain in order, or its last few records."""
    path = home / "record.sqlite"
    if not path.exists():
        return
    try:
        with closing(_open(home)) as db:
            order = "SELECT * FROM audit ORDER BY seq" if last is None else f"SELECT * FROM (SELECT * FROM audit ORDER BY seq DESC LIMIT {int(last)}) ORDER BY seq"
            rows = db.execute(order).fetchall()
    except sqlite3.DatabaseError as error:
        raise _unusable(path, error) from error
    for seq, id, time, user, action, body, parent, hash in rows:
        yield AuditRecord(seq, id, time, user, action, _loads(body), parent, hash)


def _loads(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {"unreadable": text}
    return value if isinstance(value, dict) else {"unreadable": text}


def head(home: Path) -> str:
    """The hash of the last record, or 64 zeros before the first."""
    return next((r.hash for r in records(home, last=1)), GENESIS)


def verify_chain(chain: Iterator[AuditRecord], known_head: str | None = None) -> Verdict:
    """Re-derive every hash; name the first record that is wrong. `known_head`, exported earlier, shows truncation."""
    parent, count, seen = GENESIS, 0, {GENESIS}
    for r in chain:
        count += 1
        if r.seq != count:
            return Verdict(False, count, parent, f"record {count}: sequence number {r.seq}, so records are missing or moved")
        if r.parent != parent:
            return Verdict(False, count, parent, f"record {r.seq}: its parent is not the record before it")
        if record_hash(r.seq, r.id, r.time, r.user, r.action, r.body, r.parent) != r.hash:
            return Verdict(False, count, parent, f"record {r.seq}: its content does not give its hash")
        parent = r.hash
        seen.add(parent)
    if known_head is not None and known_head not in seen:
        return Verdict(False, count, parent, "the exported head is not in the chain: records were cut off, or the log is another one")
    return Verdict(True, count, parent)


def keep_run(home: Path, id: str, time: str, kind: str, content: object) -> None:
    """Keep the content of a run beside the chain, where it can be erased without breaking the chain."""
    try:
        with closing(_open(home)) as db:
            db.execute("INSERT OR REPLACE INTO run VALUES(?,?,?,?)", (id, time, kind, canonical(content).decode()))
    except sqlite3.DatabaseError as error:
        raise _unusable(home / "record.sqlite", error) from error


def run(home: Path, id: str) -> Mapping[str, Any] | None:
    """The content of a run, or None when it is unknown or was erased."""
    with closing(_open(home)) as db:
        row = db.execute("SELECT content FROM run WHERE id = ?", (id,)).fetchone()
    return _loads(row[0]) if row else None


@dataclass(frozen=True, slots=True)
class Kept:
    """The content of a run, with when and as what it was kept."""

    id: str
    time: str
    kind: str
    content: Mapping[str, Any]


def kept(home: Path, id: str) -> Kept | None:
    """A run with its time and kind, or None when it is unknown or was erased."""
    with closing(_open(home)) as db:
        row = db.execute("SELECT id, time, kind, content FROM run WHERE id = ?", (id,)).fetchone()
    return Kept(*row[:3], _loads(row[3])) if row else None


def all_kept(home: Path, kind: str) -> list[Kept]:
    """Every run of a kind, newest first."""
    with closing(_open(home)) as db:
        rows = db.execute("SELECT id, time, kind, content FROM run WHERE kind = ? ORDER BY time DESC", (kind,)).fetchall()
    return [Kept(*row[:3], _loads(row[3])) for row in rows]


def author(home: Path, id: str) -> str:
    """The user of the audit record with this id; "" when there is none."""
    with closing(_open(home)) as db:
        row = db.execute("SELECT user FROM audit WHERE id = ?", (id,)).fetchone()
    return str(row[0]) if row else ""


# ---- users -------------------------------------------------------------------------------------------------------

ROLES = ("compliance", "developer", "reviewer", "auditor", "admin")


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


def keep_user(home: Path, user: User) -> None:
    """Add a user, or change their role or password."""
    with closing(_open(home)) as db:
        db.execute("INSERT OR REPLACE INTO user VALUES(?,?,?)", (user.name, user.role, user.secret))


def remove_user(home: Path, name: str) -> None:
    """Take a user away; their records stay."""
    with closing(_open(home)) as db:
        db.execute("DELETE FROM user WHERE name = ?", (name,))


def users(home: Path) -> list[User]:
    """Everyone who may sign in, by name."""
    if not (home / "record.sqlite").exists():
        return []
    with closing(_open(home)) as db:
        return [User(*row) for row in db.execute("SELECT name, role, secret FROM user ORDER BY name")]


def user(home: Path, name: str) -> User | None:
    """One user, or None."""
    return next((u for u in users(home) if u.name == name), None)
