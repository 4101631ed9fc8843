"""Long work as the pages show it: step, k of n, elapsed, estimate, and what came of it. A closed tab stops the watching, never the work."""

from collections.abc import Iterator
from typing import Any

from assistant.jobs import Job, newest
from assistant.ui.parts import badge, banner, esc, table
from assistant.worker import Worker

STATES = {"queued": ("waits", "ask"), "running": ("running", "ask"), "done": ("done", "good"), "failed": ("failed", "bad"), "cancelled": ("cancelled", "warn")}


def watch(worker: Worker, id: str) -> Iterator[str]:
    """What to show until the job ends, and then its outcome."""
    for job in worker.steps(id):
        yield outcome(job) if job.ended else progress(job)


def outcome(job: Job) -> str:
    """What came of a job that has ended."""
    tone = {"done": "good", "cancelled": "warn"}.get(job.state, "bad")
    said = job.outcome.get("said") or f"{job.title}: {job.state}"
    refused = job.outcome.get("refused")
    rows = table(["File", "Code", "Reason"], refused, "Refused") if refused else ""
    return banner(f"{said}. {job.outcome['hint']}" if job.outcome.get("hint") else said, tone) + rows


def progress(job: Job) -> str:
    """Step, k of n, elapsed time, and an estimate when the step counts."""
    bar = f'<progress max="{job.places}" value="{job.place}" aria-label="{esc(job.step)}"></progress>' if job.places else ""
    estimate = "" if job.left is None else f", about {job.left:.0f} s left in this step"
    again = f"<p>Taken up again after its process ended (try {job.tries}).</p>" if job.tries > 1 else ""
    return (
        f'<div class="pc-tile" role="status"><h2>{esc(job.title)}</h2><p>{esc(job.step)}</p>{bar}<p>{job.seconds:.0f} s so far{estimate}</p>{again}'
        "<p>You may close this page: the work goes on, and what comes of it is kept.</p></div>"
    )


def overview(worker: Worker, user: str = "") -> str:
    """The last jobs of a user ("": of everyone), as a table."""
    rows = []
    for job in newest(worker.bench.store, user):
        step = f"{job.step}" if job.state == "running" else str(job.outcome.get("said", ""))
        if name := job.outcome.get("file"):
            cell = f'<a href="/export/job-{esc(job.id)}.{esc(str(name).rpartition(".")[2])}" download>{esc(name)}</a>'
        else:
            cell = esc(step)
        rows.append([esc(job.made[:19].replace("T", " ")), esc(job.owner), esc(job.title), badge(*STATES[job.state]), cell, f"{job.seconds:.0f} s"])
    return table(["Begun (UTC)", "User", "Work", "State", "Step or outcome", "Took"], rows, "Long work", plain=False) if rows else ""


def user_of(request: Any) -> str:
    """The signed-in user of a request, or "" when the request has none."""
    return getattr(request, "username", None) or ""
