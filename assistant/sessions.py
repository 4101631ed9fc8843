"""Who is signed in and which names rest after wrong tries, as rows of the record: every process that shares the store knows them.

Knows nothing of requests.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from assistant import record

IDLE, LIFE = 3600.0, 12 * 3600.0  # seconds a session may rest, and live
TOUCH = 60.0  # a request notes that the session is in use when the last note is this old, so that few requests write
TRIES, LOCKED = 5, 900.0  # wrong passwords before a name is locked, and for how many seconds
AT_ONCE = 8  # passwords checked at the same time by a process: each takes 16 MB and some tens of milliseconds
MOST_NAMES = 10_000  # names whose wrong tries are remembered
STRANGER = "(unknown)"  # who tried, in the record, when the name is nobody's: it may be a password typed into the wrong field
_STRANGERS = "#"  # where the tries under nobody's name are counted together; no user's name has this sign


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser: its user, in the role they have now."""

    user: str
    role: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a sign-in: its token, or why there is none. `tries` counts the wrong ones of whoever stands in the record; 0 is not recorded."""

    outcome: Literal["in", "wrong", "locked", "busy"]
    token: str = ""
    by: str = STRANGER
    tries: int = 0


class Sessions:
    """Sign-ins over a store. The store keeps hashes of tokens, so that reading it opens no door."""

    def __init__(self, store: record.Store, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.clock = clock
        self._checking = threading.BoundedSemaphore(AT_ONCE)

    def sign_in(self, name: str, password: str) -> Attempt:
        """Opens a session, or says why not. From outside a wrong name, a wrong password and a locked name look the same."""
        if not self._checking.acquire(blocking=False):
            return Attempt("busy")
        try:
            user = record.user(self.store, name)
            tries = self._tried(user.name if user else _nobody(name))
            if not tries:
                return Attempt("locked")
            if record.password_fits(password, user.secret if user else "") and user is not None:
                return Attempt("in", self._open(user), user.name)
            return Attempt("wrong", by=user.name, tries=tries) if user else Attempt("wrong", tries=self._by_a_stranger())
        finally:
            self._checking.release()

    def _tried(self, name: str) -> int:
        """Which try this is under a name, counted before the password is looked at; 0 when the name is locked."""
        now = self._now()
        with record.session(self.store) as db:
            known = "SELECT tries, since FROM wrong_try WHERE name = ?"
            if _locked(db.execute(known, (name,)).fetchone(), now):
                return 0
            with record.alone(db):
                row = db.execute(known, (name,)).fetchone()
                if _locked(row, now):
                    return 0
                tries = row[0] + 1 if row and row[0] < TRIES else 1
                db.execute("DELETE FROM wrong_try WHERE since < ?", (now - _ms(LOCKED),))
                newest = f"SELECT name FROM wrong_try ORDER BY since DESC LIMIT {MOST_NAMES}"
                db.execute(f"DELETE FROM wrong_try WHERE (SELECT count(*) FROM wrong_try) > {MOST_NAMES} AND name NOT IN ({newest})")
                _count(db, name, tries, now)
        return int(tries)

    def _by_a_stranger(self) -> int:
        """Which try under nobody's name this is; 0 once there were enough to record, so that guesses cannot fill the record."""
        now = self._now()
        with record.session(self.store) as db:
            tries, since = db.execute("SELECT tries, since FROM wrong_try WHERE name = ?", (_STRANGERS,)).fetchone() or (0, now)
            tries, since = (1, now) if not tries or now - since >= _ms(LOCKED) else (tries + 1, since)
            if tries > TRIES:
                return 0
            with record.alone(db):
                _count(db, _STRANGERS, tries, since)
        return int(tries)

    def _open(self, user: record.User) -> str:
        token, now = secrets.token_urlsafe(32), self._now()
        with record.session(self.store) as db, record.alone(db):
            db.execute("DELETE FROM wrong_try WHERE name = ?", (user.name,))
            db.execute("DELETE FROM sign_in WHERE seen < ? OR born < ?", (now - _ms(IDLE), now - _ms(LIFE)))
            db.execute("INSERT INTO sign_in VALUES(?,?,?,?,?)", (_kept(token), user.name, user.secret, now, now))
        return token

    def of(self, token: str) -> tuple[Session | None, bool]:
        """The session of a token, unless it has expired or its user's password was changed; and whether anyone may sign in here at all."""
        if not record.exists(self.store):
            return None, False
        now = self._now()
        with record.session(self.store) as db:
            sql = 'SELECT u.name, u.role, s.born, s.seen FROM sign_in s JOIN "user" u ON u.name = s.name AND u.secret = s.secret WHERE s.token = ?'
            row = db.execute(sql, (_kept(token),)).fetchone() if token else None
            if row is None:
                return None, db.execute('SELECT 1 FROM "user" LIMIT 1').fetchone() is not None
            name, role, born, seen = row
            if now - seen > _ms(IDLE) or now - born > _ms(LIFE):
                return None, True
            if now - seen > _ms(TOUCH):
                db.execute("UPDATE sign_in SET seen = ? WHERE token = ?", (now, _kept(token)))
        return Session(name, role), True

    def sign_out(self, token: str) -> None:
        """Ends a session, in every process."""
        with record.session(self.store) as db:
            db.execute("DELETE FROM sign_in WHERE token = ?", (_kept(token),))

    def _now(self) -> int:
        return _ms(self.clock())


def _ms(seconds: float) -> int:
    return round(1000 * seconds)


def _kept(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _nobody(name: str) -> str:
    """Under what the tries with a name that is nobody's are counted: too little of its hash to tell a password typed into the wrong field."""
    return _STRANGERS + hashlib.sha256(name.encode()).hexdigest()[:6]


def _locked(row: "tuple[int, int] | None", now: int) -> bool:
    return row is not None and row[0] >= TRIES and now - row[1] < _ms(LOCKED)


def _count(db: record.Session, name: str, tries: int, since: int) -> None:
    db.execute("DELETE FROM wrong_try WHERE name = ?", (name,))
    db.execute("INSERT INTO wrong_try VALUES(?,?,?)", (name, tries, since))
