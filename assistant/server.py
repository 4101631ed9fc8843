"""The app and the API behind one door: FastAPI with its own login, Gradio mounted inside, every route checked before it runs.

On loopback without users it is one local user's, without ceremony; with users everyone signs in; beyond loopback it
refuses to open without users and a certificate. Knows nothing of law: routes call the workbench's verbs.
"""

import asyncio
import ctypes
import ipaddress
import os
import re
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, File, Form, HTTPException, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from assistant import record
from assistant.door import COOKIE, Door, session_of
from assistant.errors import NotReady, PinciteError, Refused, UsageError
from assistant.jobs import Job, files
from assistant.jobs import newest as newest_jobs
from assistant.retrieve import Filter
from assistant.roles import may, need
from assistant.sessions import LIFE, LOCKED, TRIES, Session, Sessions
from assistant.worker import AGAIN, Worker, card_files, is_job, rendered

if TYPE_CHECKING:
    from assistant.workbench import Workbench

LARGEST_UPLOAD = 50 << 20
OPEN_PAGES = 300  # pages whose state is kept, some 0.6 MB each; of more, the one that rested longest begins anew, its conversation stays in the list
AT_WORK = 24  # requests of the API that may ask, assess or draft at once; fewer than there are threads for everything else
MEDIA = {
    "json": "application/json", "html": "text/html; charset=utf-8", "md": "text/markdown; charset=utf-8", "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip


# ---- the API -----------------------------------------------------------------------------------------------------


class Turn(BaseModel):
    """An earlier question and its answer."""

    q: str = Field(max_length=2000)
    a: str = Field(max_length=20_000)


class Question(BaseModel):
    """A question, in the form of the contract."""

    question: str = Field(min_length=1, max_length=2000)
    as_of: str = ""
    frameworks: list[str] = Field(default=[], max_length=20)
    instruments: list[str] = Field(default=[], max_length=50)
    layer: str = Field(default="any", pattern="^(official|digest|any)$")
    mode: str = Field(default="auto", pattern="^(auto|extractive)$")
    history: list[Turn] = Field(default=[], max_length=20)


class Places:
    """How much heavy work the API does at once; who comes later is told at once, not made to wait."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0

    async def __call__(self) -> AsyncIterator[None]:
        """A place while a request is worked on, or the answer 429. Runs on the one event loop, so it needs no lock."""
        if self.taken >= self.most:
            raise HTTPException(429, "The queue is full: try again in some seconds", {"Retry-After": "3"})
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1


def _add_api(app: FastAPI, bench: "Workbench", jobs: Worker) -> None:
    from assistant.workbench import check_day, today

    heavy = [Depends(Places(AT_WORK))]

    def begun(kind: str, path: Path, wanted: dict[str, Any]) -> JSONResponse:
        kept, how = card_files(path)
        return JSONResponse({"job": jobs.submit(kind, {**wanted, **how}, kept)}, 202)

    @app.post("/api/ask", tags=["API"], dependencies=heavy)
    def ask(question: Question, request: Request) -> dict[str, Any]:
        """The answer to a question, each claim with checked citations; one audit record."""
        need(session_of(request).role, "ask")
        wanted = Filter(check_day(question.as_of or today()), tuple(question.frameworks), tuple(question.instruments), question.layer)
        with bench.acting(session_of(request).user):
            return bench.ask(question.question, wanted, question.mode, [t.model_dump() for t in question.history])

    @app.post("/api/gaps", tags=["API"], dependencies=heavy)
    def gaps(
        request: Request,
        card: Annotated[list[UploadFile], File(description="The model card, or the card and what lies beside it; facts.json among them gives facts.")],
        as_of: Annotated[str, Form()] = "",
        framework: Annotated[list[str] | None, Form()] = None,
        everything: Annotated[bool, Form()] = False,
        wait: Annotated[bool, Form(description="false: answer at once with 202 and the job that does it.")] = True,
    ) -> Any:
        """The gap analysis of a card; one audit record."""
        need(session_of(request).role, "assess")
        with tempfile.TemporaryDirectory(prefix="pincite-card-") as folder:
            path = _receive(card, Path(folder))
            with bench.acting(session_of(request).user):
                if not wait:
                    return begun("gaps", path, {"as_of": check_day(as_of or today()), "frameworks": framework or [], "everything": everything, "since": ""})
                return bench.gaps(path, check_day(as_of or today()), tuple(framework or ()), (), None, everything)

    @app.post("/api/draft", tags=["API"], dependencies=heavy)
    def draft(
        request: Request,
        card: Annotated[list[UploadFile], File(description="The model card, or the card and what lies beside it; facts.json among them gives facts.")],
        pack: Annotated[str, Form(description="The submission pack, such as eu-ai-act-annex-iv.")],
        as_of: Annotated[str, Form()] = "",
        level: Annotated[str, Form()] = "",
        wait: Annotated[bool, Form(description="false: answer at once with 202 and the job that does it.")] = True,
    ) -> Any:
        """A submission pack filled from a card, each sentence quoted or a question; one audit record."""
        need(session_of(request).role, "assess")
        with tempfile.TemporaryDirectory(prefix="pincite-card-") as folder:
            path = _receive(card, Path(folder))
            with bench.acting(session_of(request).user):
                if not wait:
                    return begun("draft", path, {"as_of": check_day(as_of or today()), "pack": pack, "level": level})
                return bench.draft(path, pack, check_day(as_of or today()), None, level)

    @app.get("/api/backup", tags=["API"], dependencies=heavy)
    def backup(request: Request) -> Response:
        """Everything worth keeping, in one file, for `pincite restore`; one audit record."""
        need(session_of(request).role, "settings")
        folder = Path(tempfile.mkdtemp(prefix="pincite-backup-"))
        file = folder / f"pincite-backup-{today()}.zip"
        try:
            with bench.acting(session_of(request).user):
                bench.backup(file)
        except PinciteError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return FileResponse(file, filename=file.name, media_type="application/zip", background=BackgroundTask(shutil.rmtree, folder, True))

    @app.get("/api/runs/{id}", tags=["API"])
    def run(id: str, request: Request) -> dict[str, Any]:
        """An earlier answer or gap analysis of one's own."""
        return _own_run(bench, session_of(request), id)

    @app.delete("/api/runs/{id}", tags=["API"])
    def erase(id: str, request: Request) -> dict[str, list[str]]:
        """Erases the words of a run or conversation of one's own (an administrator: of anyone's); its audit records stay."""
        session = session_of(request)
        found = _own_run(bench, session, id)
        if found["owner"] != session.user:
            need(session.role, "settings")
        with bench.acting(session.user):
            return {"erased": bench.erase(id)}

    @app.get("/api/provisions/{address:path}", tags=["API"])
    def provision(address: str, as_of: str = "", version: str = "", layer: str = "") -> dict[str, Any]:
        """A provision with its words, standing and neighbours."""
        return bench.show(address, check_day(as_of or today()), version, layer)

    @app.get("/api/audit", tags=["API"])
    def audit(request: Request, last: int = 50) -> dict[str, Any]:
        """The last audit records, oldest first, and the head of the chain."""
        need(session_of(request).role, "audit")
        rows = [
            {"seq": r.seq, "id": r.id, "time": r.time, "user": r.user, "action": r.action, "body": r.body, "parent": r.parent, "hash": r.hash}
            for r in bench.audit_tail(max(1, min(last, 10_000)))
        ]
        return {"records": rows, "head": rows[-1]["hash"] if rows else record.GENESIS}

    @app.get("/api/audit/verify", tags=["API"])
    def verify(request: Request, head: str = "") -> dict[str, Any]:
        """Whether the chain re-derives; with `head`, whether it still holds that record."""
        need(session_of(request).role, "audit")
        verdict = bench.verify_audit(head or None)
        return {"sound": verdict.sound, "records": verdict.records, "head": verdict.head, "problem": verdict.problem}

    @app.get("/health", tags=["API"])
    def health() -> dict[str, str]:
        """Whether the server answers."""
        return {"state": "up"}


def _receive(files: Sequence[UploadFile], folder: Path) -> Path:
    """The uploaded files under their own bare names; the card's path: the file, or the folder of several."""
    written: list[Path] = []
    for file in files[:200]:
        name = _plain(file.filename or "")
        if folder / name in written:
            raise UsageError(f"Two files are called {name}", "Give each a name of its own")
        data = file.file.read(LARGEST_UPLOAD + 1)
        if len(data) > LARGEST_UPLOAD:
            raise UsageError(f"{name} is larger than {LARGEST_UPLOAD >> 20} MB", "Give the card without its weights")
        (folder / name).write_bytes(data)
        written.append(folder / name)
    if not written:
        raise UsageError("There is no card in the request", "Send it as the form field 'card'")
    return written[0] if len(written) == 1 else folder


def _plain(name: str) -> str:
    """A file's bare name, of signs and a length that every file system takes."""
    bare = re.sub(r"[^\w. -]", "_", Path(name).name).lstrip(".") or "card.md"
    ending = Path(bare).suffix if len(Path(bare).suffix.encode()) < 20 else ""
    return bare.removesuffix(ending).encode()[:120].decode("utf8", "ignore") + ending


def _own_run(bench: "Workbench", session: Session, id: str) -> dict[str, Any]:
    """A run that the session's user may see; any other is, from outside, not there."""
    try:
        with bench.acting(session.user):
            found = bench.run(id) if re.fullmatch(r"[0-9a-f]{16}", id) else {}
    except UsageError:
        found = {}
    if not found:
        raise HTTPException(404, "There is no such run of yours")
    return found


def _add_exports(app: FastAPI, bench: "Workbench", jobs: Worker) -> None:
    from assistant.ui.ask import pinned_text, transcript

    @app.get("/export/{id}.{format}", include_in_schema=False)
    async def download(id: str, format: str, request: Request) -> Response:
        """A gap analysis, a draft or a conversation of one's own as a file; `job-` and its id for the file that a job made."""
        session = session_of(request)
        if id.startswith("job-"):
            return await run_in_threadpool(_fetched, bench, jobs, session, id.removeprefix("job-"))
        found = await run_in_threadpool(_own_run, bench, session, id)
        if found["kind"] in ("gaps", "draft") and is_job(format):
            job = await _ended(jobs, await run_in_threadpool(_begin_export, bench, jobs, session, found, format))
            return await run_in_threadpool(_fetched, bench, jobs, session, job.id)
        return await run_in_threadpool(made_now, session, found, format)

    def made_now(session: Session, found: dict[str, Any], format: str) -> Response:
        id = str(found["id"])
        if found["kind"] == "project":
            if format != "md":
                raise UsageError("Pinned evidence is given as md", f"Ask for /export/{id}.md")
            with bench.acting(session.user):
                data = pinned_text(bench.project(id)).encode()
        elif format == "bundle":
            need(session.role, "audit")
            with bench.acting(session.user):
                data, format = bench.bundle(id), "zip"
        elif found["kind"] == "chat" and format == "md":
            turns = [_own_run(bench, session, ask) for ask in found["asks"]]
            data = transcript(str(found["title"]), turns).encode()
        else:
            if found["kind"] == "chat":
                found = {**found, "answers": [_own_run(bench, session, ask) for ask in found["asks"]]}
            with bench.acting(session.user):
                data = rendered(bench, found, format)
        with bench.acting(session.user):
            bench.exported(id, format, data)
        return _file(f"pincite-{found['kind']}-{id}.{format}", data)


def _file(name: str, data: bytes) -> Response:
    media = MEDIA.get(name.rpartition(".")[2], "application/octet-stream")
    return Response(data, media_type=media, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _begin_export(bench: "Workbench", jobs: Worker, session: Session, found: dict[str, Any], format: str) -> str:
    """The job that makes a file; one that is at it already when the page asks again after its server went away."""
    inputs = {"run": found["id"], "format": format, "file": f"pincite-{found['kind']}-{found['id']}.{format}"}
    same = next((j.id for j in jobs.running(session.user) if j.kind == "export" and j.inputs == inputs), None)
    with bench.acting(session.user):
        return same or jobs.submit("export", inputs, run=str(found["id"]))


async def _ended(jobs: Worker, id: str) -> Job:
    """A job when it has ended; no thread waits for it meanwhile."""
    while not (job := await run_in_threadpool(jobs.job, id)).ended:
        await asyncio.sleep(AGAIN)
    return job


def _fetched(bench: "Workbench", jobs: Worker, session: Session, id: str) -> Response:
    """The file that a job made, for who may see its run."""
    job = _own_job(jobs, session, id)
    _own_run(bench, session, job.run)
    if job.state != "done":
        raise NotReady(str(job.outcome.get("said") or "The file is not ready"), str(job.outcome.get("hint") or "Try again"))
    made = files(bench.store, id, "result")
    if not made:
        raise UsageError("This file is no longer kept", "Make it again")
    return _file(made[0][1], made[0][2])


def _own_job(jobs: Worker, session: Session, id: str) -> Job:
    """A job of the session's user; another's is, from outside, not there."""
    try:
        found = jobs.job(id)
    except UsageError:
        found = None
    if found is None or (found.owner != session.user and not may(session.role, "see-all")):
        raise HTTPException(404, "There is no such job of yours")
    return found


def _job_json(job: Job) -> dict[str, Any]:
    """A job as the API tells it."""
    file = f"/export/job-{job.id}.{str(job.outcome['file']).rpartition('.')[2]}" if job.outcome.get("file") else ""
    return {
        "id": job.id, "kind": job.kind, "owner": job.owner, "title": job.title, "state": job.state, "made": job.made, "step": job.step, "place": job.place, "places": job.places,
        "seconds": round(job.seconds, 1), "left": None if job.left is None else round(job.left, 1), "tries": job.tries, "run": job.run, "audit": job.audit, "outcome": dict(job.outcome), "file": file,
    }  # fmt: skip


def _add_jobs(app: FastAPI, bench: "Workbench", jobs: Worker) -> None:
    @app.get("/api/jobs", tags=["API"])
    def newest(request: Request) -> list[dict[str, Any]]:
        """One's own last jobs, newest first."""
        return [_job_json(j) for j in newest_jobs(bench.store, session_of(request).user)]

    @app.get("/api/jobs/{id}", tags=["API"])
    def job(id: str, request: Request) -> dict[str, Any]:
        """How far a job of one's own is, and what came of it."""
        return _job_json(_own_job(jobs, session_of(request), id))

    @app.delete("/api/jobs/{id}", tags=["API"])
    def cancel(id: str, request: Request) -> dict[str, Any]:
        """Ends a job of one's own at its next step."""
        found = _own_job(jobs, session_of(request), id)
        jobs.end([found.id])
        return _job_json(jobs.job(id))


# ---- login -------------------------------------------------------------------------------------------------------

LOGIN = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Pincite: sign in</title><link rel="icon" href="data:,">
<style>body{{font-family:system-ui,sans-serif;background:#f4f5f7;color:#1a1d21;display:grid;place-items:center;min-height:100vh;margin:0}}
form{{background:#fff;padding:2rem;border:1px solid #d4d8de;border-radius:10px;display:grid;gap:.8rem;width:min(20rem,90vw)}}
h1{{margin:0;font-size:1.4rem}}input,button{{font:inherit;padding:.5rem;border:1px solid #8a919c;border-radius:6px}}label{{display:grid;gap:.25rem}}
button{{background:#1d4ed8;color:#fff;border:0}}[role=alert]{{color:#9b1c1c;margin:0}}:focus-visible{{outline:3px solid #1d4ed8;outline-offset:2px}}
@media(prefers-color-scheme:dark){{body{{background:#14171c;color:#e8eaed}}
form{{background:#1e232b;border-color:#434a56}}input{{background:#14171c;color:inherit}}[role=alert]{{color:#fdc0c0}}}}</style></head>
<body><form method="post" action="/login"><h1>Pincite</h1>{problem}
<label>Name<input name="name" autocomplete="username" required autofocus maxlength="100"></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required maxlength="500"></label>
<button>Sign in</button></form></body></html>"""


def login_page(problem: str = "", status: int = 200) -> HTMLResponse:
    """The sign-in form."""
    said = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    return HTMLResponse(LOGIN.format(problem=said), status)


def _add_login(app: FastAPI, bench: "Workbench", sessions: Sessions, tls: bool) -> None:
    @app.get("/login", include_in_schema=False)
    def form(request: Request) -> Response:
        """The form, or the way in for who is known."""
        return RedirectResponse("/", 303) if isinstance(request.scope.get("pincite"), Session) else login_page()

    @app.post("/login", include_in_schema=False)
    def sign_in(name: Annotated[str, Form(max_length=100)], password: Annotated[str, Form(max_length=500)]) -> Response:
        """Opens a session, or says that it did not."""
        tried = sessions.sign_in(name, password)
        if tried.outcome == "busy":
            return login_page("Too many are signing in at this moment. Try again in a second.", 429)
        with bench.acting(tried.by):
            if tried.outcome == "in":
                bench.write("sign-in", {})
            elif tried.tries:
                bench.write("sign-in-failed", {"tries": tried.tries, "locked": tried.tries >= TRIES})
        if tried.outcome != "in":
            return login_page(f"Name or password is wrong, or the name is locked: after {TRIES} wrong tries it rests for {LOCKED / 60:.0f} minutes.", 401)
        response = RedirectResponse("/", 303)
        response.set_cookie(COOKIE, tried.token, max_age=int(LIFE), httponly=True, samesite="strict", secure=tls, path="/")
        return response

    @app.post("/logout", include_in_schema=False)
    def sign_out(request: Request) -> Response:
        """Ends the session."""
        sessions.sign_out(request.cookies.get(COOKIE, ""))
        with bench.acting(session_of(request).user):
            bench.write("sign-out", {})
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE, path="/")
        return response


# ---- the server --------------------------------------------------------------------------------------------------


def make_app(
    bench: "Workbench",
    hosts: frozenset[str] = frozenset(),
    tls: bool = False,
    clock: Callable[[], float] = time.time,
    alone: bool = True,
    jobs: Worker | None = None,
) -> Any:
    """The whole ASGI application; its long work is done by `jobs`. `hosts` are the host names it answers to, empty for any; `alone`: it opens while there are no users."""
    uploads = bench.home / "uploads"  # where only the owner of the data folder can read them
    uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ["GRADIO_TEMP_DIR"] = str(uploads)
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "100"  # Gradio makes a table of its last events after each one: of 10,000 that takes 20 ms
    import gradio as gr

    from assistant.ui import app as ui

    sessions = Sessions(bench.store, clock)
    app = FastAPI(
        title="Pincite",
        description="The verbs of Pincite: each statement carries a checked citation.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )

    @app.exception_handler(PinciteError)
    def expected(_: Request, error: PinciteError) -> JSONResponse:
        status = next((s for kind, s in ((UsageError, 400), (NotReady, 503), (Refused, 403)) if isinstance(error, kind)), 500)
        return JSONResponse({"error": str(error), "hint": error.hint}, status)

    @app.exception_handler(RequestValidationError)
    def unfit(_: Request, error: RequestValidationError) -> JSONResponse:
        """What is wrong with a request, without repeating what was sent: that may be a password, or words that no answer can carry."""
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]).encode("ascii", "backslashreplace").decode()
        return JSONResponse({"error": f"{where}: {first['msg']}", "hint": "See /api/openapi.json"}, 422)

    _add_login(app, bench, sessions, tls)
    work = jobs or Worker(bench)
    _add_api(app, bench, work)
    _add_jobs(app, bench, work)
    _add_exports(app, bench, work)
    blocks = ui.build(bench, work)
    blocks.queue(max_size=64, default_concurrency_limit=16, api_open=False)
    blocks.state_session_capacity = OPEN_PAGES
    gr.mount_gradio_app(app, blocks, path="/", auth_dependency=lambda request: session_of(request).user, **ui.dressing())
    return Door(app, sessions, bench.user, hosts, alone, tls)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_address(host: str, port: int, users: int, certificate: bool, proxy: str = "") -> None:
    """Raises what forbids to open on this address, or behind a proxy of that name, with how to make it possible."""
    if not 0 < port < 65536:
        raise UsageError(f"{port} is no port", "Choose one from 1024 to 65535")
    if not is_loopback(host) and not (users and certificate):
        missing = " and ".join(m for m, there in (("users", users), ("a certificate", certificate)) if not there)
        how = "Add them: pincite users add NAME --role admin; PINCITE_TLS_CERT=cert.pem PINCITE_TLS_KEY=key.pem. Or open on 127.0.0.1"
        raise Refused(f"The app is not opened on {host}, where others can reach it, without {missing}", how)
    if proxy and not users:
        raise Refused(f"The app is not opened behind {proxy}, where others can reach it, without users", "Add them: pincite users add NAME --role admin")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise NotReady(
                f"Port {port} on {host} cannot be opened ({error.strerror})",
                f"Close what uses it, or: pincite serve --port {port + 1 if port < 65535 else 7861}",
            ) from error


def serve(host: str, port: int, bench: "Workbench") -> None:
    """Opens the app and the API and stays until interrupted."""
    import uvicorn

    _few_heaps()
    os.umask(0o077)  # whatever the app writes, uploads included, is its owner's alone
    cert, key = bench.settings.tls_cert, bench.settings.tls_key
    proxy = bench.settings.proxy.lower()
    check_address(host, port, len(record.users(bench.store)), bool(cert and key), proxy)
    scheme = "https" if cert and key else "http"
    hosts = frozenset({"127.0.0.1", "localhost", "[::1]", host, proxy} - {""}) if is_loopback(host) else frozenset()
    jobs = Worker(bench)
    app = make_app(bench, hosts, scheme == "https" or bool(proxy), alone=is_loopback(host) and not proxy, jobs=jobs)
    jobs.start()
    threading.Thread(target=_warm, args=(bench,), daemon=True).start()
    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", server_header=False, ssl_certfile=cert, ssl_keyfile=key, timeout_graceful_shutdown=3
    )
    shown = f"[{host}]" if ":" in host else host

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            bench.say(f"Pincite is open at {scheme}://{shown}:{port} (Ctrl-C closes it)")  # not before: whoever follows the address must be let in

    Server(config).run()
    jobs.close()


def _few_heaps() -> None:
    """Two heaps for all threads: glibc gives each some of its own, and what the answers of fifty conversations took in each stays taken."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(-8, 2)  # M_ARENA_MAX


def _warm(bench: "Workbench") -> None:
    """Loads the index and the embedder, so that the first question is answered as fast as the next."""
    try:
        bench.standing()
        bench.hits("warm", Filter("2000-01-01"), 1)
    except PinciteError:
        return  # the pages say what is missing
