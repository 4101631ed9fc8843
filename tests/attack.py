"""Our own attacks on the app: raw requests, paths that climb, and what one user may try against another. Used by the suite in part, by `make trust` in full."""

import asyncio
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from starlette.testclient import TestClient

from assistant import door, record, server
from assistant.workbench import Workbench
from tests import crash
from tests.fakes import stub_bench

HOST = "http://127.0.0.1:7860"
PASSWORD = "correct horse battery"
ROLES = ("developer", "compliance", "reviewer")  # those that see only their own
SECRET = "PINCITE-OUTSIDE-7f3a"  # stands in a file that no route may give
TELL = (SECRET.encode(), b"root:x:0:", b"SQLite format 3\x00", b"scrypt$")


@dataclass(frozen=True)
class Answer:
    """What came back of a raw request."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Raw:
    """Requests to an app as a hostile client writes them: the target goes out byte for byte, nothing is tidied."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.loop = asyncio.new_event_loop()

    def __call__(self, method: str, target: str, headers: Mapping[str, str] = {}, body: bytes = b"") -> Answer:
        return self.loop.run_until_complete(asyncio.wait_for(self._one(method, target, headers, body), 20))

    async def _one(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        path, _, query = target.partition("?")
        told = {"host": "127.0.0.1:7860", "content-length": str(len(body)), **headers}
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "path": unquote(path), "raw_path": path.encode("latin-1", "replace"),
            "query_string": query.encode("latin-1", "replace"), "root_path": "", "headers": [(k.encode(), v.encode("latin-1")) for k, v in told.items()],
            "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 7860), "state": {},
        }  # fmt: skip
        sent, got, start = False, bytearray(), {"status": 0, "headers": []}

        async def receive() -> dict[str, Any]:
            nonlocal sent
            if sent:
                await asyncio.sleep(0.05)
                return {"type": "http.disconnect"}
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                got.extend(message.get("body", b""))

        await self.app(scope, receive, send)
        return Answer(start["status"], {k.decode().lower(): v.decode("latin-1") for k, v in start["headers"]}, bytes(got))

    def close(self) -> None:
        self.loop.close()


# ---- the house that is attacked ----------------------------------------------------------------------------------


@dataclass
class Victim:
    """A user with things of their own, each holding the user's mark."""

    name: str
    role: str
    mark: str
    cookie: str = ""
    session: str = ""
    upload: str = ""
    event: str = ""
    runs: tuple[str, ...] = ()  # an answer, a gap analysis, a draft, a conversation


class House:
    """A server over a small library with users of each role, two of each, and what they made."""

    def __init__(self, home: Path, clock: Any = None) -> None:
        crash.small_corpus()
        self.bench: Workbench = stub_bench(home)
        self.bench.ingest(list(crash.SOUND))
        self.app = server.make_app(self.bench, frozenset({"127.0.0.1"}), **({"clock": clock} if clock else {}))
        self.client = TestClient(self.app, base_url=HOST, follow_redirects=False)
        self.users: list[Victim] = []

    def people(self, roles: tuple[str, ...] = ROLES) -> None:
        """Two users of each role, signed in, each with runs, an upload, a session and an event."""
        secret = record.secret_of(PASSWORD)
        for role in roles:
            for n in (1, 2):
                record.keep_user(self.bench.home, record.User(f"{role}{n}", role, secret))
                self.users.append(Victim(f"{role}{n}", role, f"mark{secrets.token_hex(6)}"))
        for user in self.users:
            self._furnish(user)

    def sign_in(self, name: str, password: str = PASSWORD) -> str:
        """The cookie of a new session, or ""."""
        self.client.cookies.clear()
        said = self.client.post("/login", data={"name": name, "password": password})
        self.client.cookies.clear()
        found = re.search(rf"{door.COOKIE}=([\w-]+)", said.headers.get("set-cookie", ""))
        return f"{door.COOKIE}={found[1]}" if found else ""

    def ask(self, user: Victim, method: str, path: str, **more: Any) -> Any:
        """A request as a user."""
        return self.client.request(method, path, headers={"cookie": user.cookie, **more.pop("headers", {})}, **more)

    def _furnish(self, user: Victim) -> None:
        user.cookie = self.sign_in(user.name)
        card = f"# {user.mark}\n\nA model for chest radiographs in adults, named {user.mark}.\n".encode()
        asked = self.ask(user, "POST", "/api/ask", json={"question": f"What does a consent manager do for {user.mark}?"}).json()["audit"]
        assessed = self.ask(user, "POST", "/api/gaps", files={"card": ("README.md", card)}, data={"framework": "gdpr"}).json()["run"]
        with self.bench.acting(user.name):
            path = self.bench.home.parent / f"{user.mark}.md"
            path.write_bytes(card)
            drafted = self.bench.draft(path, "gdpr-dpia", "2026-11-22")["run"]
            chat = self.bench.keep_chat("", f"A chat of {user.mark}", [asked])
        user.runs = (asked, assessed, drafted, chat)
        user.session = secrets.token_hex(6)
        user.upload = self.ask(user, "POST", "/gradio_api/upload", files={"files": (f"{user.mark}.md", card)}).json()[0]
        user.event = self.join(user, user.session, 0, []).json().get("event_id", "")

    def join(self, user: Victim, session: str, fn: int, data: list[Any], **more: Any) -> Any:
        """One of Gradio's listeners, called the way the page calls it."""
        return self.ask(
            user, "POST", "/gradio_api/queue/join", json={"data": data, "fn_index": fn, "session_hash": session, "event_data": None, "trigger_id": None, **more}
        )

    def heard(self, user: Victim, session: str) -> str:
        """What a session's stream tells until it closes."""
        return str(self.ask(user, "GET", f"/gradio_api/queue/data?session_hash={session}").text)

    def config(self, user: Victim) -> dict[str, Any]:
        """What Gradio tells a page of its components and listeners."""
        return dict(self.ask(user, "GET", "/config").json())

    def told(self, user: Victim, config: Mapping[str, Any], listener: Mapping[str, Any], value: str) -> str:
        """What a listener answers when every input that takes words is given this value."""
        kinds = {c["id"]: (c["type"], c["props"]) for c in config["components"]}
        given = [_fitting(*kinds[id], value) for id in listener["inputs"]]
        session, event = secrets.token_hex(6), {"value": value, "index": [0, 0], "row_value": [value] * 6, "id": value, "run": value, "go": value}
        said = self.join(user, session, listener["id"], given, event_data=event)
        return self.heard(user, session) if said.status_code == 200 else f"{said.status_code} {said.text}"


def _fitting(kind: str, props: Mapping[str, Any], value: str) -> Any:
    """A value that a component of this kind takes."""
    if kind in ("number", "slider"):
        return 1
    if kind in ("checkbox", "file", "state", "dataframe", "chatbot", "uploadbutton"):
        return False if kind == "checkbox" else None
    if props.get("choices") and not props.get("allow_custom_value"):
        value = props["choices"][0][1]
    return [value] if props.get("multiselect") or kind == "checkboxgroup" else value


def crossings(house: House, thief: Victim, owner: Victim) -> Iterator[tuple[str, Any]]:
    """Every way in which one user may reach for what is another's: what was tried, and the answer."""
    for run in owner.runs:
        yield f"GET /api/runs/{run}", house.ask(thief, "GET", f"/api/runs/{run}")
        yield f"DELETE /api/runs/{run}", house.ask(thief, "DELETE", f"/api/runs/{run}")
        for format in ("json", "md", "html", "docx", "pdf", "xlsx", "sarif", "oscal"):
            yield f"GET /export/{run}.{format}", house.ask(thief, "GET", f"/export/{run}.{format}")
    file = {"path": owner.upload, "meta": {"_type": "gradio.FileData"}, "orig_name": "x.md"}
    yield "GET file=", house.ask(thief, "GET", f"/gradio_api/file={owner.upload}")
    yield "HEAD file=", house.ask(thief, "HEAD", f"/gradio_api/file={owner.upload}")
    yield "GET file/", house.ask(thief, "GET", f"/gradio_api/file/{owner.upload}")
    yield "join with another's file", house.join(thief, secrets.token_hex(6), 0, [[file], None, None])
    yield "join in another's session", house.join(thief, owner.session, 0, [])
    yield "join with another's event", house.join(thief, secrets.token_hex(6), 0, [], event_id=owner.event)
    yield "listen to another's session", house.ask(thief, "GET", f"/gradio_api/queue/data?session_hash={owner.session}")
    yield "beat for another's session", house.ask(thief, "GET", f"/gradio_api/heartbeat/{owner.session}")
    for body in (
        {"session_hash": owner.session, "fn_index": 0, "event_id": owner.event},
        {"session_hash": thief.session, "fn_index": 0, "event_id": owner.event},
    ):
        yield "cancel another's work", house.ask(thief, "POST", "/gradio_api/cancel", json=body)
    yield "reset another's work", house.ask(thief, "POST", "/gradio_api/reset", json={"event_id": owner.event, "fn_index": 0, "session_hash": owner.session})
    for path in (f"call/ask/{owner.event}", f"stream/{owner.session}/x/1/playlist.m3u8", f"stream/{owner.session}/x/1/playlist-file", "run-history/records"):
        yield f"GET {path}", house.ask(thief, "GET", f"/gradio_api/{path}")
    for path in (f"stream/{owner.event}", f"stream/{owner.event}/close", "run/predict", "api/predict", "call/ask", "component_server"):
        body = {"data": [owner.runs[0]], "fn_index": 0, "session_hash": owner.session, "fn_name": "x", "component_id": 1}
        yield f"POST {path}", house.ask(thief, "POST", f"/gradio_api/{path}", json=body)


def crossed(house: House, thief: Victim, owner: Victim) -> list[str]:
    """The crossings that were let through, or that told the owner's mark."""
    return [
        f"{thief.name} {what}: {answer.status_code}"
        for what, answer in crossings(house, thief, owner)
        if answer.status_code not in (401, 403, 404) or owner.mark in answer.text
    ]


def listened(house: House, thief: Victim, owner: Victim, every: int = 1) -> tuple[int, list[str]]:
    """How many listeners of the page answered when given another's ids wherever words go, and those that told the other's mark."""
    config, answered, found = house.config(thief), 0, []
    for n, listener in enumerate(config["dependencies"]):
        if listener.get("backend_fn") and n % every == 0:
            for value in owner.runs if every == 1 else (owner.runs[n % 4],):
                told = house.told(thief, config, listener, value)
                answered += '"success":true' in told
                if owner.mark in told:
                    found.append(f"{thief.role} {listener['id']} {listener['targets']} {value}")
    return answered, found


# ---- paths that climb --------------------------------------------------------------------------------------------

ROUTES = (
    "/export/{}.md", "/export/{}", "/api/runs/{}", "/api/provisions/{}", "/gradio_api/file={}", "/gradio_api/file/{}", "/file={}", "/static/{}", "/assets/{}", "/svelte/{}",
    "/gradio_api/custom_component/{}/client/component/style.css", "/gradio_api/proxy={}", "/gradio_api/heartbeat/{}", "/{}",
)  # fmt: skip


def climbing(outside: Path) -> list[str]:
    """1,900 and more strings that try to reach a file outside: each way of climbing, spelled in each way, towards each target."""
    targets = ("etc/passwd", str(outside).lstrip("/"), "record.sqlite", "proc/self/environ")
    ups = (
        "../",
        "..\\",
        "....//",
        "..;/",
        "%2e%2e/",
        "%2e%2e%2f",
        "..%2f",
        "..%5c",
        "%252e%252e%252f",
        "..%c0%af",
        "%c0%ae%c0%ae/",
        "..%00/",
        ".%2e/",
        "..//",
        "./../",
        "%2e%2e%5c",
        "..%ef%bc%8f",
        "\u2025/",
    )
    ends = ("", "%00", "%00.md", ".md", "?", "#", "/", "%20", "%0a", "::$DATA")
    found = [up * depth + target + end for target in targets for up in ups for depth in (1, 3, 8) for end in ends[: 8 if depth == 8 else 9]]
    absolute = [
        lead + target + end
        for target in targets
        for lead in ("/", "//", "%2f", "file:///", "file:/", "http://127.0.0.1/", "\\\\127.0.0.1\\", "~/", "$HOME/")
        for end in ends
    ]
    return found + absolute
