"""What every verb stands on: settings, store, library, embedder, model, clock, the record, and who may see what."""

import getpass
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from assistant import __version__, chosen, postgres, projects, record, roles, stores
from assistant.errors import NotReady, Refused, UsageError
from assistant.library import Library
from assistant.settings import Settings, servers_of

Progress = Callable[[str], None]
ACTING: ContextVar[str] = ContextVar("acting", default="")  # the signed-in user on whose behalf a verb runs


@dataclass(frozen=True, slots=True)
class OnJob:
    """The job for which verbs run: the record of its kind is written with its id, once, and `step` hears how far they are and may end them."""

    kind: str
    held: record.Held
    step: Progress


JOB: ContextVar[OnJob | None] = ContextVar("job", default=None)


def today() -> str:
    """The day that answers are as of unless told otherwise."""
    return date.today().isoformat()


def now() -> str:
    """The instant for an audit record, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def sha256(value: object) -> str:
    """The hash under which inputs and outputs stand in the record."""
    return hashlib.sha256(record.canonical(value)).hexdigest()


def check_day(day: str) -> str:
    """The day as given, or an error that says the form."""
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError as error:
        raise UsageError(f"'{day}' is no date", "Write it as YYYY-MM-DD") from error


@cache
def code_hash() -> str:
    """One hash over the program's own source files, so that a record says by what exactly it was made."""
    here = Path(__file__).parents[1]
    files = sorted((p.relative_to(here).as_posix(), hashlib.sha256(p.read_bytes()).hexdigest()) for p in here.rglob("*.py"))
    return sha256(files)


class Core:
    """The parts, opened when first needed, and the one way to write the record."""

    def __init__(self, settings: Settings | None = None, say: Progress = lambda _: None) -> None:
        given = settings or Settings()
        self.home = given.home.expanduser()
        self.fixed = frozenset(given.model_fields_set)  # the settings that variables give, which win
        self.settings = given.model_copy(update={k: v for k, v in chosen.load(self.home).settings.items() if k not in self.fixed})
        self.store: record.Store = postgres.parse(self.settings.store) if self.settings.store else self.home
        self._say = say
        self._settled = False  # whether the settings in effect stand in the record
        self._without_model = (0.0, "")  # when a model could not be had last, and why

    @property
    def user(self) -> str:
        """Who is recorded as acting."""
        return ACTING.get() or self.settings.user or getpass.getuser()

    @property
    def say(self) -> Progress:
        """What is told of the progress of long work."""
        job = JOB.get()
        return job.step if job else self._say

    @property
    def step(self) -> Progress:
        """What is told of each small step; only a job listens."""
        job = JOB.get()
        return job.step if job else lambda _: None

    @cached_property
    def library(self) -> Library:
        """The current generation; raises NotReady before the first ingest."""
        found = stores.current(self.store)
        if found is None:
            raise NotReady("There is no index yet", "Run: pincite ingest")
        return found

    @cached_property
    def embedder(self) -> Any:
        """The embedding model."""
        from assistant.embed import Embedder

        return Embedder(self.settings.embedder, self.home)

    @cached_property
    def model(self) -> Any:
        """The language model, or None when PINCITE_LLM is none."""
        from assistant.llm import open_model

        chosen.unchanged(self.home, chosen.load(self.home).models, self.settings.llm)
        opened = open_model(self.settings.llm, self.home)
        self._note("model", {"name": opened.info.name, "sha256": opened.info.sha256} if opened else {"name": "none", "sha256": ""})
        return opened

    def write(self, action: str, body: Mapping[str, Any], run: record.Run | None = None) -> str:
        """One audit record, after one of the settings where they changed since the last, and with it the run of its id; its id."""
        self._settle()
        return self._append(action, body, run)

    def _write_run(self, kind: str, body: Mapping[str, Any], out: Mapping[str, Any]) -> dict[str, Any]:
        """A run kept with its audit record in one transaction, and stamped with its id."""
        stamped: dict[str, Any] = {}

        def content(id: str) -> dict[str, Any]:
            stamped.update({"schema": out["schema"], "run": id, **{k: v for k, v in out.items() if k != "schema"}})
            return stamped

        self.write(kind, body, (kind, content))
        return stamped

    def _settle(self) -> None:
        if not self._settled:
            self._settled = True
            self._note("settings", self._recorded_settings())

    def _recorded_settings(self) -> dict[str, Any]:
        """The settings as the record names them: no folder of this machine, no user or password of a server."""
        llm = self.settings.llm or "embedded"
        return {
            "llm": " ".join(servers_of(llm)) or ("(no file)" if "@" in llm else Path(llm).name),
            "embedder": Path(self.settings.embedder).name if self.settings.embedder else "embedded",
            "offline": self.settings.offline, "tls": bool(self.settings.tls_cert and self.settings.tls_key),
        }  # fmt: skip

    def _note(self, action: str, body: Mapping[str, Any]) -> None:
        """One audit record, unless the last of its action says the same."""
        last = record.last_of(self.store, action)
        if last is None or any(last.body.get(k) != v for k, v in body.items()):
            self._append(action, body)

    def _append(self, action: str, body: Mapping[str, Any], run: record.Run | None = None) -> str:
        job = JOB.get()
        held = job.held if job and job.kind == action else None
        return record.append(self.store, now(), self.user, action, {**body, "program": __version__, "code": code_hash()}, run=run, job=held).id

    @contextmanager
    def acting(self, name: str) -> Iterator[None]:
        """Verbs called inside are recorded under this user's name."""
        token = ACTING.set(name)
        try:
            yield
        finally:
            ACTING.reset(token)

    @contextmanager
    def on_job(self, kind: str, held: record.Held, step: Progress) -> Iterator[None]:
        """Verbs called inside do a job that a worker holds, tell `step` how far they are, and write its record once."""
        token = JOB.set(OnJob(kind, held, step))
        try:
            yield
        finally:
            JOB.reset(token)

    def renew(self) -> None:
        """Use the current generation of the library from now on, whoever built it."""
        held, now_current = self.__dict__.get("library"), stores.current(self.store)
        if now_current and (held is None or held.generation != now_current.generation):
            self.__dict__["library"] = now_current

    def role(self, name: str) -> str:
        """The role of who acts under this name now: everyone's own machine is theirs while there are no users; "" for who is no user."""
        users = record.users(self.store)
        return next((u.role for u in users if u.name == name), "") if users else "admin"

    def access(self, id: str, owner: str = "") -> projects.Access:
        """What the acting user may do with a run: `own`, `work` (decide on it), `view`, or nothing; another's only where it was shared with them or handed to them.

        Outside a sign-in (the command line, an app without users) everything is one person's own, as it is an administrator's.
        """
        who = ACTING.get()
        if not who or (owner or self._owner(id)) == who or roles.may(self.role(who), "see-all"):
            return "own"
        return projects.lent(self.store, who).get(id, "") or next((p["access"] for p in projects.found(self.store, who) if p["id"] == id), "")

    def _owned(self, *ids: str) -> list[tuple[record.Kept, str]]:
        """Runs by their ids, each with its owner; what is unknown or was erased is left out."""
        return [(k, str(k.content.get("owner") or author)) for k, author in record.authored(self.store, ids)]

    def _owner(self, id: str) -> str:
        return next((owner for _, owner in self._owned(id)), "")

    def _document(self, run: str, to_change: bool = False) -> Mapping[str, Any]:
        """The report or draft of a run as the machine made it, where the acting user may see it, or `to_change`, decide on it."""
        kept, owner = next(iter(self._owned(run)), (None, ""))
        held = self.access(run, owner) if kept else ""
        if kept is None or kept.kind not in ("gaps", "draft") or not held:
            raise UsageError(f"There is no gap analysis or draft '{run}'", "See what there is: pincite runs list")
        if to_change and held == "view":
            raise Refused("This was shared with you to look at, not to decide on", "Ask its owner to share the project for work")
        return kept.content

    def exported(self, run: str, format: str, data: bytes) -> str:
        """One audit record for a file that left Pincite; its id."""
        return self.write("export", {"run": run, "format": format, "file": hashlib.sha256(data).hexdigest()})
