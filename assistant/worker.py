"""Long work done: takes jobs of the store, does them by the workbench's verbs, and says how far each is. Every app process has one; `pincite work` is one alone.

A job that cannot be finished here, because the process dies or the store goes away, is taken up again by another worker or by
this one. Knows nothing of pages.
"""

import re
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant import export, jobs, record, sandbox
from assistant.errors import Away, NotReady, Overtaken, PinciteError, UsageError, printable
from assistant.jobs import File, Job

if TYPE_CHECKING:
    from assistant.workbench import Workbench

AT_ONCE = 4  # jobs of one process
HEARD = 0.05  # seconds between two looks for jobs that are to stop
BEAT = 0.5  # seconds between two beats, which also write how far a job is
LOOK = 0.5  # seconds between two looks for work of other processes, and of workers that died
AGAIN = 0.3  # seconds between two looks of whoever waits for a job
TITLES = {
    "gaps": "Assessing a card", "draft": "Making a draft", "ingest": "Reading documents", "fetch": "Fetching official texts", "export": "Making a file",
}  # fmt: skip
_COUNT = re.compile(r"(\d+) of (\d+)")
_LAID_OUT = ("docx", "pdf", "xlsx")  # formats that take long enough to be jobs


class Cancelled(PinciteError):
    """A job is to end at this step."""


@dataclass(slots=True)
class Going:
    """A job that this process works on, and what it said last."""

    id: str
    token: str
    step: str = "starting"
    place: int = 0
    places: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    beaten: float = 0.0

    def say(self, step: str) -> None:
        """Notes a step; the place where a person's word to stop is heard."""
        if self.stop.is_set():
            raise Cancelled("Cancelled", "What was there before is unchanged")
        count = _COUNT.search(step)
        self.step, self.place, self.places = step, int(count[1]) if count else 0, int(count[2]) if count else 0


class Worker:
    """The jobs of a workbench's store: begins them, does them, and is asked about them."""

    def __init__(self, bench: "Workbench") -> None:
        self.bench = bench
        self._going: dict[str, Going] = {}
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._tends = False
        self._stays = False
        self._closed = False

    # ---- for whoever wants something done

    def submit(self, kind: str, inputs: Mapping[str, Any], files: Sequence[File] = (), title: str = "", run: str = "") -> str:
        """Begins a job of the acting user; its id. From here on neither a closed tab nor the end of a process loses it."""
        from assistant.workbench import now

        id = jobs.submit(self.bench.store, now(), self.bench.user, kind, title or TITLES[kind], inputs, files, run)
        self._wake.set()
        self._tend()
        return id

    def job(self, id: str) -> Job:
        """A job as it is now. Raises UsageError for what is none."""
        found = jobs.job(self.bench.store, id)
        if found is None:
            raise UsageError("There is no such job", "It may have been erased with its run")
        return found

    def steps(self, id: str) -> Iterator[Job]:
        """A job again and again until it has ended. A store that is away for a moment is waited for."""
        away = 0.0
        while True:
            try:
                yield (found := self.job(id))
                if found.ended:
                    return
                away = 0.0
            except Away:
                away = away or time.monotonic()
                if time.monotonic() - away > 30:
                    raise
            time.sleep(AGAIN)

    def wait(self, id: str) -> Job:
        """A job when it has ended."""
        *_, last = self.steps(id)
        return last

    def running(self, user: str) -> list[Job]:
        """A user's jobs that have not ended, in the order they came."""
        with self.bench.acting(user):
            return jobs.unended(self.bench.store, self.bench.user)

    def cancel(self, user: str, *kinds: str) -> None:
        """Ends a user's jobs (of these kinds) at their next step."""
        self.end([j.id for j in self.running(user) if not kinds or j.kind in kinds])

    def end(self, ids: Sequence[str]) -> None:
        """Ends jobs at their next step."""
        jobs.cancel(self.bench.store, ids)
        for id in ids:
            if going := self._going.get(id):
                going.stop.set()

    # ---- the work

    def start(self) -> None:
        """Looks for work from now on, whoever began it."""
        self._stays = True
        self._tend()

    def stay(self) -> None:
        """Does what there is to do until interrupted."""
        self.start()
        threading.Event().wait()

    def close(self) -> None:
        """Takes no more jobs; those that run here and do not end are taken up by others."""
        self._closed = True
        self._wake.set()

    def _tend(self) -> None:
        with self._lock:
            if not self._tends:
                self._tends = True
                threading.Thread(target=self._tending, name="jobs", daemon=True).start()

    def _tending(self) -> None:
        """Takes jobs, beats for them and hears who is to stop; without `start` until there is nothing left to do."""
        looked, idle = 0.0, 0
        while not self._closed:
            try:
                if self._going:
                    self._beat()
                if len(self._going) < AT_ONCE and (self._wake.is_set() or time.monotonic() - looked > LOOK):
                    self._wake.clear()
                    looked = time.monotonic()
                    idle = 0 if self._take() else idle + 1
            except NotReady:
                time.sleep(LOOK)  # the store is away, or in use for long: what runs goes on, and is told when it is back
            with self._lock:
                if not self._stays and not self._going and not self._wake.is_set() and idle > 1:
                    self._tends = False
                    return
            self._wake.wait(HEARD if self._going else LOOK)

    def _take(self) -> bool:
        token = secrets.token_hex(8)
        job = jobs.take(self.bench.store, token)
        if job is None:
            return False
        going = self._going[job.id] = Going(job.id, token, beaten=time.monotonic())
        self._wake.set()  # there may be more
        threading.Thread(target=self._run, args=(job, going), name=f"job {job.kind}", daemon=True).start()
        return True

    def _beat(self) -> None:
        for going in list(self._going.values()):
            if time.monotonic() - going.beaten > BEAT:
                going.beaten = time.monotonic()
                jobs.beat(self.bench.store, going.id, going.token, going.step, going.place, going.places)
        for id in jobs.to_stop(self.bench.store, {g.id: g.token for g in list(self._going.values())}) if self._going else ():
            if going_ := self._going.get(id):
                going_.stop.set()

    def _run(self, job: Job, going: Going) -> None:
        outcome: dict[str, Any] = {"said": f"{job.title} stopped unexpectedly. The server's log says why."}
        state: jobs.State | None = "failed"
        try:
            state, outcome = "done", self._done(job, going)
        except Cancelled as ended:
            state, outcome = "cancelled", {"said": f"{job.title}: cancelled", "hint": ended.hint}
        except (Away, Overtaken):
            state = None  # another worker has it, or this one takes it up again
        except PinciteError as error:
            outcome = {"said": str(error), "hint": error.hint}
        finally:
            self._end(job, going, state, outcome)

    def _end(self, job: Job, going: Going, state: "jobs.State | None", outcome: Mapping[str, Any]) -> None:
        try:
            if state:
                jobs.finish(self.bench.store, job.id, going.token, state, outcome)
        except NotReady:
            return  # it is taken up again, and found to have its record where it was written
        finally:
            self._going.pop(job.id, None)
            self._wake.set()

    def _done(self, job: Job, going: Going) -> dict[str, Any]:
        """What came of a job. One whose record stands from an earlier worker is only brought to its end."""
        bench = self.bench
        with tempfile.TemporaryDirectory(prefix="pincite-job-") as folder, bench.acting(job.owner), bench.on_job(job.kind, (job.id, going.token), going.say):
            return _work(bench, job, Path(folder))


# ---- the kinds of work -------------------------------------------------------------------------------------------


def _work(bench: "Workbench", job: Job, folder: Path) -> dict[str, Any]:
    match job.kind:
        case "gaps":
            return _gaps(bench, job, folder)
        case "draft":
            return _draft(bench, job, folder)
        case "ingest":
            return _ingest(bench, job, folder)
        case "fetch":
            return _fetch(bench, job)
        case _:
            return _export(bench, job)


def _gaps(bench: "Workbench", job: Job, folder: Path) -> dict[str, Any]:
    wanted, run = job.inputs, job.run
    if not job.audit:
        bench.step("reading the card")
        card, facts, figures = laid_out(bench, job, folder)
        run = bench.gaps(card, wanted["as_of"], tuple(wanted["frameworks"]), (), facts, wanted["everything"], wanted["since"], figures)["run"]
    _for_project(bench, job, run)
    return {"said": f"Assessed: run {run}, which stays under “Earlier assessments”."}


def _draft(bench: "Workbench", job: Job, folder: Path) -> dict[str, Any]:
    wanted, run = job.inputs, job.run
    if not job.audit:
        bench.step("reading the card")
        card, facts, _ = laid_out(bench, job, folder)
        run = bench.draft(card, wanted["pack"], wanted["as_of"], facts, wanted["level"])["run"]
    _for_project(bench, job, run)
    return {"said": f"Made: run {run}, which stays under “Earlier drafts”."}


def _for_project(bench: "Workbench", job: Job, run: str) -> None:
    project = job.inputs.get("project")
    if project and run not in {r["run"] for r in bench.project(project)["runs"]}:
        bench.add_project_run(project, run, job.kind)


def _ingest(bench: "Workbench", job: Job, folder: Path) -> dict[str, Any]:
    if job.audit:
        return {"said": "The documents were read."}
    report = bench.ingest(_written(jobs.files(bench.store, job.id, "document"), folder), None, job.inputs["instrument"])
    if job.inputs["shipped"]:
        embedded = f"{report['embedded']} embedded, {report['reused']} reused"
        return {"said": f"{report['passages']} passages are ready ({embedded}) in {report['seconds']} s."}
    read = ", ".join(f"{i['id']} {i['version']} ({i['provisions']} provisions)" for i in report["instruments"]) or "nothing"
    return {"said": f"Read: {read}.", "refused": _refused(report)}


def _fetch(bench: "Workbench", job: Job) -> dict[str, Any]:
    if job.audit:
        return {"said": "The texts were fetched."}
    report = bench.fetch(job.inputs["ids"])
    return {"said": f"Fetched: {', '.join(f['name'] for f in report['fetched']) or 'nothing'}.", "refused": _refused(report)}


def _refused(report: Mapping[str, Any]) -> list[list[str]]:
    return [[r["file"], r["code"], r["reason"]] for r in report["refused"]]


def _export(bench: "Workbench", job: Job) -> dict[str, Any]:
    run, format = job.inputs["run"], job.inputs["format"]
    if not job.audit:
        bench.step(f"laying out the {format.upper()}")
        data = rendered(bench, bench.run(run), format)
        bench.step("keeping the file")
        jobs.keep_result(bench.store, job.id, job.inputs["file"], data)
        bench.exported(run, format, data)
    return {"said": f"{job.inputs['file']} is ready.", "file": job.inputs["file"]}


def is_job(format: str) -> bool:
    """Whether a file of this format takes long enough to be made as a job."""
    return format in _LAID_OUT


def rendered(bench: "Workbench", found: Mapping[str, Any], format: str) -> bytes:
    """A run as a file of a format, with its stamp."""
    stamped = {k: v for k, v in found.items() if k not in ("id", "time", "kind", "owner")}
    make = export.render_draft if found["kind"] == "draft" else export.render
    stamped["audit_head"] = record.head(bench.store)
    if found["kind"] == "draft":
        stamped["disagreements"] = bench.disagreements(run=str(found["id"]))
    # Two seconds of layout: in a process of its own, where it holds up nobody else's answer.
    return bytes(sandbox.call(make, format, stamped, seconds=120) if format in ("docx", "pdf") else make(format, stamped))


# ---- a card on its way to a worker -------------------------------------------------------------------------------


def card_files(card: Path, facts: Path | None = None, figures: Sequence[Path] = ()) -> tuple[list[File], dict[str, Any]]:
    """A card, what lies beside it, facts and computed figures as files of a job, and what says how they lay."""
    inside = sorted(p for p in card.rglob("*") if p.is_file()) if card.is_dir() else [card]
    base = card if card.is_dir() else card.parent
    files = [("card", p.relative_to(base).as_posix(), p.read_bytes()) for p in inside]
    files += [("facts", facts.name, facts.read_bytes())] if facts else []
    files += [("figures", p.name, p.read_bytes()) for folder in figures for p in sorted(folder.iterdir())]
    return files, {"card": card.name, "folder": card.is_dir()}


def laid_out(bench: "Workbench", job: Job, folder: Path) -> tuple[Path, Path | None, list[Path]]:
    """The card, the facts and the folders of figures of a job, as files below a folder."""
    parts = {part: jobs.files(bench.store, job.id, part) for part in ("card", "facts", "figures")}
    base = folder / "card" / (job.inputs["card"] if job.inputs["folder"] else "")
    written = _written(parts["card"], base)
    if not written:
        raise UsageError("What the job was given is gone", "Start it again")
    facts, figures = _written(parts["facts"], folder / "facts"), _written(parts["figures"], folder / "figures")
    return base if job.inputs["folder"] else written[0], facts[0] if facts else None, [folder / "figures"] if figures else []


def _written(files: Sequence[File], folder: Path) -> list[Path]:
    paths = []
    for _, name, content in files:
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise UsageError(f"{printable(name)} is no name of a file", "Rename it")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        paths.append(path)
    return paths
