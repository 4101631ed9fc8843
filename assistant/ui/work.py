"""Long work: a thread does it, the record keeps its state, and any page may watch it: step, k of n, elapsed, estimate, cancel.

A closed tab stops the watching, never the work; after a restart what had been running says so.
"""

import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assistant.errors import PinciteError
from assistant.ui.parts import badge, banner, esc, failure, table

if TYPE_CHECKING:
    from assistant.workbench import Workbench

_COUNT = re.compile(r"(\d+) of (\d+)")
BY = f"{socket.gethostname()} {os.getpid()}"  # several processes may share a store, each with jobs of its own
BEAT = 0.4  # seconds between two looks
Say = Callable[[str], None]


class Cancelled(PinciteError):
    """The user ended a job; it stops at its next step."""


@dataclass(slots=True)
class Job:
    """A piece of long work: what it said so far, and its outcome as HTML once it has ended."""

    id: str
    title: str
    user: str
    started: float
    said: list[str] = field(default_factory=list)
    state: str = "running"  # running, done, failed, cancelled
    outcome: str = ""
    stop: threading.Event = field(default_factory=threading.Event)
    kept: float = 0.0


class Jobs:
    """The long work of this server."""

    def __init__(self, bench: "Workbench") -> None:
        self.bench = bench
        self._jobs: dict[str, Job] = {}

    def start(self, title: str, user: str, work: Callable[[Say], str]) -> Job:
        """Begins `work(say)` in a thread; what it returns is its outcome."""
        job = Job(secrets.token_hex(8), title, user, time.monotonic())
        self._jobs[job.id] = job
        self._keep(job)
        threading.Thread(target=self._run, args=(job, work), name=f"job {title}").start()
        return job

    def _run(self, job: Job, work: Callable[[Say], str]) -> None:
        def say(message: str) -> None:
            if job.stop.is_set():
                raise Cancelled(f"{job.title}: cancelled", "What was there before is unchanged")
            job.said.append(message)
            if time.monotonic() - job.kept > 1:
                self._keep(job)

        state, outcome = "failed", banner(f"{job.title} stopped unexpectedly. The server's log says why.", "bad")
        try:
            state, outcome = "done", banner(work(say), "good")
        except Cancelled as ended:
            state, outcome = "cancelled", banner(ended.line(), "warn")
        except PinciteError as error:
            outcome = failure(error)
        finally:
            job.outcome = outcome
            self._keep(job, state)
            job.state = state

    def _keep(self, job: Job, state: str = "running") -> None:
        job.kept = time.monotonic()
        with self.bench.acting(job.user):
            self.bench.keep_job(job.id, {"title": job.title, "state": state, "said": job.said[-5:], "seconds": round(job.kept - job.started, 1), "by": BY})

    def watch(self, job: Job) -> Iterator[str]:
        """What to show until the job ends, and then its outcome."""
        while job.state == "running":
            yield progress(job.title, job.said, time.monotonic() - job.started)
            time.sleep(BEAT)
        yield job.outcome

    def running(self, user: str) -> list[Job]:
        """The user's jobs that have not ended."""
        return [j for j in self._jobs.values() if j.user == user and j.state == "running"]

    def cancel(self, user: str) -> None:
        """Ends the user's jobs at their next step."""
        for job in self.running(user):
            job.stop.set()

    def overview(self, user: str = "") -> str:
        """The last jobs of a user ("": of everyone), as a table; one that a restart ended says so."""
        rows = []
        for kept in self.bench.jobs():
            if user and kept["owner"] != user:
                continue
            lost = kept["state"] == "running" and kept["id"] not in self._jobs and not _alive(kept.get("by", ""))
            state = "ended by a restart; start it again, nothing is damaged" if lost else kept["state"]
            tone = "good" if state == "done" else "ask" if state == "running" else "warn"
            rows.append([esc(kept["time"][:19].replace("T", " ")), esc(kept["owner"]), esc(kept["title"]), badge(state, tone), f"{kept['seconds']:.0f} s"])
        return table(["Last seen (UTC)", "User", "Work", "State", "Took"], rows, "Long work", plain=False) if rows else ""


def _alive(by: str) -> bool:
    """Whether the process that does a job may still live: one of another machine is believed to."""
    host, _, number = by.partition(" ")
    if host != socket.gethostname():
        return bool(host)
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return int(number) != os.getpid()  # of this very process only those in its own list


def progress(title: str, said: list[str], elapsed: float) -> str:
    """Step, k of n, elapsed time, and an estimate when the step counts."""
    last = said[-1] if said else "starting"
    count = _COUNT.search(last)
    bar = estimate = ""
    if count and int(count[2]):
        done = min(1.0, int(count[1]) / int(count[2]))
        bar = f'<progress max="{count[2]}" value="{count[1]}" aria-label="{esc(last)}"></progress>'
        estimate = f", about {elapsed / done - elapsed:.0f} s left in this step" if 0 < done < 1 else ""
    earlier = "".join(f"<div>{esc(s)}</div>" for s in said[-6:-1])
    return (
        f'<div class="pc-tile" role="status"><h2>{esc(title)}</h2><p>{esc(last)}</p>{bar}<p>{elapsed:.0f} s so far{estimate}</p>'
        f'<div class="pc-steps">{earlier}</div></div>'
    )


def user_of(request: Any) -> str:
    """The signed-in user of a request, or "" when the request has none."""
    return getattr(request, "username", None) or ""
