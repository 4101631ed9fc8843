"""Long work as rows of the record: who wants what done, which worker does it, how far it is, and what came of it.

A job is taken by one worker at a time, which beats while it works; the job of a worker that stopped beating is taken up by
another. The audit record of a job is written with the job's id in one transaction (`record.append`), so that a job has one
record and one run however often it was taken up. Knows nothing of what the kinds of work do.
"""

import json
import secrets
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from assistant import record
from assistant.record import Session, Store, canonical

DEAD = 4.0  # seconds without a beat after which a job is anyone's
TRIES = 5  # times that a job is taken up before it counts as one that ends its worker
KEPT = 24 * 3600.0  # seconds for which the file that a job made can be fetched
File = tuple[str, str, bytes]  # what it is to the job (card, facts, result, ...), its name and its bytes
State = Literal["queued", "running", "done", "failed", "cancelled"]

_COLUMNS = "id, kind, owner, title, inputs, state, made, started, beat, worker, tries, step, place, places, run, audit, outcome"
_NOW = {
    True: "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
    False: "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
}  # milliseconds by the store's own clock: machines need not agree on the time


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of long work. `seconds`: how long it has run; `place` of `places`: how far its step is (0 of 0: the step does not count)."""

    id: str
    kind: str
    owner: str
    title: str
    inputs: Mapping[str, Any]
    state: State
    made: str
    seconds: float
    worker: str
    tries: int
    step: str
    place: int
    places: int
    run: str
    audit: str
    outcome: Mapping[str, Any]

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.state not in ("queued", "running")

    @property
    def left(self) -> float | None:
        """Seconds that the step will still take at the pace so far; None while nothing tells."""
        return self.seconds / self.place * (self.places - self.place) if self.state == "running" and 0 < self.place < self.places else None


def _now(db: Session) -> str:
    return _NOW[isinstance(db, sqlite3.Connection)]


def _jobs(db: Session, rest: str, parameters: Sequence[Any] = ()) -> list[Job]:
    rows = db.execute(f"SELECT {_COLUMNS}, {_now(db)} FROM job {rest}", parameters).fetchall()
    return [_job(row) for row in rows]


def _job(row: Sequence[Any]) -> Job:
    id, kind, owner, title, inputs, state, made, started, beat, worker, tries, step, place, places, run, audit, outcome, now = row
    seconds = max(0, (now if state == "running" else beat) - started) / 1000 if started else 0.0
    return Job(id, kind, owner, title, json.loads(inputs), state, made, seconds, worker, tries, step, place, places, run, audit, json.loads(outcome))


def submit(store: Store, made: str, owner: str, kind: str, title: str, inputs: Mapping[str, Any], files: Iterable[File] = (), run: str = "") -> str:
    """Keep a job with its files until a worker takes it; its id. `made` is ISO 8601 in UTC, `run` the run it is about. From here on it is not lost."""
    id = secrets.token_hex(8)
    with record.session(store) as db, record.alone(db):
        row = (id, kind, owner, title, canonical(inputs).decode(), "queued", made, 0, 0, "", 0, 0, "waiting for a worker", 0, 0, run, "", "{}")
        db.execute(f"INSERT INTO job VALUES({','.join('?' * len(row))})", row)
        _put(db, id, files)
    return id


def _put(db: Session, id: str, files: Iterable[File]) -> None:
    for part, name, content in files:
        db.execute("DELETE FROM job_file WHERE job = ? AND part = ? AND name = ?", (id, part, name))
        db.execute("INSERT INTO job_file VALUES(?,?,?,?)", (id, part, name, content))


def take(store: Store, worker: str) -> Job | None:
    """A job that waits, or whose worker stopped beating, for this worker alone; None when there is none.

    Whoever has least work running comes first, then who came first. A job that ends its workers is given up after `TRIES`.
    """
    with record.session(store) as db:
        free = f"(state = 'queued' OR (state = 'running' AND beat < {_now(db)} - {int(DEAD * 1000)}))"
        if not db.execute(f"SELECT 1 FROM job WHERE {free} LIMIT 1").fetchone():
            return None
        with _among(db):
            _give_up(db, free)
            skip = "" if isinstance(db, sqlite3.Connection) else "FOR UPDATE SKIP LOCKED"
            others = f"(SELECT count(*) FROM job o WHERE o.owner = job.owner AND o.state = 'running' AND o.beat >= {_now(db)} - {int(DEAD * 1000)})"
            row = db.execute(f"SELECT id FROM job WHERE {free} ORDER BY {others}, made, id LIMIT 1 {skip}").fetchone()
            if row is None:
                return None
            db.execute(
                f"UPDATE job SET state = 'running', worker = ?, tries = tries + 1, started = {_now(db)}, beat = {_now(db)}, step = 'starting', place = 0, places = 0 "
                "WHERE id = ?",
                (worker, row[0]),
            )
        return _jobs(db, "WHERE id = ?", row)[0]


def _among(db: Session) -> Any:
    """A transaction: alone on SQLite, which has one writer; on PostgreSQL beside others, since rows that one worker looks at are passed over by the next."""
    return record.alone(db) if isinstance(db, sqlite3.Connection) else db.transaction()


def _give_up(db: Session, free: str) -> None:
    """Ends what was cancelled while nobody worked on it, and what ended its worker too often."""
    db.execute(f"UPDATE job SET state = 'cancelled', outcome = '{{}}' WHERE {free} AND stop = 1")
    said = canonical({"said": "It ended its worker each time it was taken up", "hint": "See the server's log; start it again with less"}).decode()
    db.execute(f"UPDATE job SET state = 'failed', outcome = ? WHERE {free} AND tries >= {TRIES} AND audit = ''", (said,))


def beat(store: Store, id: str, worker: str, step: str, place: int, places: int) -> None:
    """Says that a job is worked on, and how far it is; to a job that is another's by now it says nothing."""
    with record.session(store) as db:
        mine = "id = ? AND worker = ? AND state = 'running'"
        db.execute(f"UPDATE job SET beat = {_now(db)}, step = ?, place = ?, places = ? WHERE {mine}", (step, place, places, id, worker))


def to_stop(store: Store, held: Mapping[str, str]) -> set[str]:
    """Which of these jobs (id: worker) are to end: cancelled, or another worker's by now."""
    with record.session(store) as db:
        rows = db.execute(f"SELECT id, worker FROM job WHERE id IN ({','.join('?' * len(held))}) AND state = 'running' AND stop = 0", tuple(held)).fetchall()
    return {id for id, worker in held.items() if (id, worker) not in {(r[0], r[1]) for r in rows}}


def finish(store: Store, id: str, worker: str, state: State, outcome: Mapping[str, Any]) -> bool:
    """Ends a job with what came of it and forgets what it was given; False, and nothing is changed, when it is another worker's by now."""
    with record.session(store) as db:
        if isinstance(db, sqlite3.Connection):
            db.execute("PRAGMA secure_delete=ON")
        with record.alone(db):
            # A job that was cancelled after its record was written is done: the record says so.
            ends = f"state = CASE WHEN stop = 1 AND audit = '' THEN 'cancelled' ELSE ? END, beat = {_now(db)}, outcome = ?"
            mine = "id = ? AND worker = ? AND state = 'running'"
            if not db.execute(f"UPDATE job SET {ends} WHERE {mine}", (state, canonical(outcome).decode(), id, worker)).rowcount:
                return False
            db.execute("DELETE FROM job_file WHERE job = ? AND part <> 'result'", (id,))
            old = f"SELECT id FROM job WHERE state NOT IN ('queued', 'running') AND beat < {_now(db)} - {int(KEPT * 1000)}"
            db.execute(f"DELETE FROM job_file WHERE job IN ({old})")
    return True


def cancel(store: Store, ids: Sequence[str]) -> None:
    """Ends jobs: one that waits at once, one that runs at its next step."""
    with record.session(store) as db, record.alone(db):
        for id in ids:
            db.execute("UPDATE job SET stop = 1 WHERE id = ? AND state = 'running'", (id,))
            db.execute("UPDATE job SET state = 'cancelled', stop = 1 WHERE id = ? AND state = 'queued'", (id,))
            db.execute("DELETE FROM job_file WHERE job IN (SELECT id FROM job WHERE id = ? AND state = 'cancelled')", (id,))


def job(store: Store, id: str) -> Job | None:
    """A job as it is now, or None."""
    with record.session(store) as db:
        return next(iter(_jobs(db, "WHERE id = ?", (id,))), None)


def unended(store: Store, owner: str) -> list[Job]:
    """A user's jobs that wait or run, in the order they came."""
    with record.session(store) as db:
        return _jobs(db, "WHERE owner = ? AND state IN ('queued', 'running') ORDER BY made, id", (owner,))


def newest(store: Store, owner: str = "", most: int = 20) -> list[Job]:
    """The last jobs of a user ("": of everyone), newest first."""
    with record.session(store) as db:
        return _jobs(db, f"{'WHERE owner = ?' if owner else ''} ORDER BY made DESC, id LIMIT {int(most)}", (owner,) if owner else ())


def files(store: Store, id: str, *parts: str) -> list[File]:
    """The files of a job that are these parts of it, by part and name."""
    with record.session(store) as db:
        sql = f"SELECT part, name, content FROM job_file WHERE job = ? AND part IN ({','.join('?' * len(parts))}) ORDER BY part, name"
        return [(part, name, bytes(content)) for part, name, content in db.execute(sql, (id, *parts)).fetchall()]


def keep_result(store: Store, id: str, name: str, content: bytes) -> None:
    """The file that a job made, to be fetched from any process for a day."""
    with record.session(store) as db, record.alone(db):
        _put(db, id, [("result", name, content)])
