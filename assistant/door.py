"""The one check before every route, Gradio's included: who asks, from where, for what, how much; and whose each thing inside is.

Knows nothing of what the routes do. A route that is not on the written list here does not exist from outside.
"""

import json
import re
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fastapi import HTTPException
from fastapi.responses import JSONResponse, RedirectResponse, Response

from assistant.errors import NotReady
from assistant.sessions import Session, Sessions

COOKIE = "pincite_session"
OPEN_PATHS = ("/login", "/health")  # what answers without a session
LARGEST_BODY, LARGEST_UPLOADS = 4 << 20, 200 << 20  # bytes of a request, and of one that brings files

OURS = re.compile(r"/(?:login|logout|health|api/.*|export/[^/]*)")
FACE = re.compile(  # what the app's own page asks of Gradio; its other routes are closed
    r"/(?:|config|theme\.css|favicon\.ico|robots\.txt|manifest\.json|(?:assets|static|svelte)/.*|"
    r"gradio_api/(?:info|startup-events|theme\.css|app_id|queue/data|upload_progress|heartbeat/[\w-]+|file=.*))/?",
    re.S,
)
ACTS = re.compile(r"/gradio_api/(?:queue/join|cancel|reset|upload)/?")

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'"
)
HEADERS = (  # with referrer-policy no-referrer a browser sends "Origin: null" with the sign-in form, and nobody could enter
    (b"content-security-policy", POLICY.encode()), (b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"), (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    (b"cross-origin-resource-policy", b"same-origin"), (b"cross-origin-opener-policy", b"same-origin"),
)  # fmt: skip
PRIVATE = (b"cache-control", b"no-store")  # for whatever the user's own data may stand in
SECURE = (b"strict-transport-security", b"max-age=31536000")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


# ---- who may enter -----------------------------------------------------------------------------------------------


def session_of(request: Any) -> Session:
    """Who makes a request that has passed the door."""
    session = request.scope.get("pincite")
    if not isinstance(session, Session):
        raise HTTPException(401, "Sign in first")
    return session


# ---- whose each thing is -----------------------------------------------------------------------------------------


class Owners:
    """To which user Gradio's sessions, events and uploaded files belong: what one user began, no other sees or continues."""

    MOST = 50_000

    def __init__(self) -> None:
        self._of: dict[str, str] = {}
        self._lock = threading.Lock()

    def claim(self, thing: str, user: str) -> bool:
        """Whether the thing is this user's; what is nobody's yet becomes theirs."""
        with self._lock:
            owner = self._of.setdefault(thing, user)
            while len(self._of) > self.MOST:
                self._of.pop(next(iter(self._of)))
            return owner == user

    def holds(self, thing: str, user: str) -> bool:
        """Whether the thing is known and this user's."""
        return self._of.get(thing) == user


def _files_in(value: object) -> Iterator[object]:
    """Every path or address of a file that a request's data name."""
    if isinstance(value, dict):
        if "path" in value:
            yield value["path"]
        if value.get("url") is not None and "path" not in value:
            yield value["url"]
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _files_in(inner)


# ---- the door ----------------------------------------------------------------------------------------------------


class _Started:
    """An answer on its way: adds the headers, says 413 where the request grew too large, and keeps the body where it is needed."""

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]], keep: bool) -> None:
        self.send = send
        self.headers = headers
        self.keep = keep
        self.over = False
        self.status = 0
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"] = 413 if self.over else message["status"]
            ours = {name for name, _ in self.headers}
            message["headers"] = [*((k, v) for k, v in message.get("headers", []) if k.lower() not in ours), *self.headers]
        elif self.keep:
            self.body += message.get("body", b"")
        await self.send(message)


class Door:
    """The one check before every route: host, origin, session, route, size and owner; and the headers of every answer."""

    def __init__(self, app: Any, sessions: Sessions, local_user: str, hosts: frozenset[str], alone: bool = True, tls: bool = False) -> None:
        self.app = app
        self.sessions = sessions
        self.local_user = local_user  # who everyone is while there are no users
        self.hosts = hosts  # host names answered to; empty for any
        self.alone = alone  # whether it is open to the local user while there are no users
        self.headers = [*HEADERS, *([SECURE] if tls else [])]
        self.owners = Owners()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        cached = scope["path"].startswith(("/assets/", "/static/", "/svelte/", "/theme.css", "/favicon.ico"))
        acting = scope["method"] == "POST" and ACTS.fullmatch(scope["path"]) is not None
        answer = _Started(send, self.headers if cached else [*self.headers, PRIVATE], acting)
        most = LARGEST_UPLOADS if headers.get("content-type", "").startswith("multipart/") else LARGEST_BODY
        refused = self._stranger(scope, headers) or self._unknown(scope, headers) or _closed(scope) or _too_large(headers, most)
        if refused is None and (acting or FACE.fullmatch(scope["path"])):
            scope["headers"] = [(k, v) for k, v in scope["headers"] if not (acting and k.lower() == b"accept-encoding")]
            limited = _limited(receive, most, answer)
            receive, refused = (limited, None) if scope["path"].startswith("/gradio_api/upload") else await _read(limited)
            refused = refused or self._crossed(scope, getattr(receive, "body", b""))
        else:
            receive = _limited(receive, most, answer)
        await (refused or self.app)(scope, receive, answer)
        if acting and refused is None and answer.status == 200:
            self._keep(scope, answer.body)

    def _stranger(self, scope: Scope, headers: Mapping[str, str]) -> Response | None:
        """Refuses what another site asks: by name of host, by origin, and whatever is no visit to the page itself."""
        host = headers.get("host", "")
        name = host.rsplit(":", 1)[0] if re.search(r":\d+$", host) else host
        if self.hosts and name.lower() not in self.hosts:
            return JSONResponse({"error": "This address is not served here"}, 421)
        origin = headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc != host
        elsewhere = headers.get("sec-fetch-site") in ("cross-site", "same-site")
        visit = scope["method"] in ("GET", "HEAD") and headers.get("sec-fetch-mode") == "navigate"
        if foreign or (elsewhere and not visit):
            return JSONResponse({"error": "Requests from other sites are refused"}, 403)
        return None

    def _unknown(self, scope: Scope, headers: Mapping[str, str]) -> Response | None:
        """Refuses who is not signed in; the role is the one that the user has now."""
        try:
            session, anyone = self.sessions.of(_cookie(headers.get("cookie", "")))
        except NotReady as error:
            return JSONResponse({"error": str(error), "hint": error.hint}, 503, {"Retry-After": "2"})
        if not anyone and self.alone:
            session = Session(self.local_user, "admin")
        if session:
            scope["pincite"] = session
            return None
        if scope["path"] in OPEN_PATHS:
            return None
        if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            return RedirectResponse("/login", 303)
        return JSONResponse({"error": "Sign in first", "hint": "POST /login"}, 401)

    def _crossed(self, scope: Scope, body: bytes) -> Response | None:
        """Refuses a request to Gradio that names another user's session, event or file, or a file that nobody uploaded."""
        user, path = session_of_scope(scope), scope["path"].rstrip("/")
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        try:
            said = json.loads(body) if body else {}
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            return JSONResponse({"error": "This is no JSON object"}, 400)
        named = [*query.get("session_hash", ()), said.get("session_hash"), path.rpartition("/")[2] if "/heartbeat/" in path else None]
        sessions = [f"session {s}" for s in named if s is not None]
        sessions += [f"progress {u}" for u in query.get("upload_id", ())]
        files = [*(f for f in _files_in(said) if f is not None), *([path.partition("file=")[2]] if path.startswith("/gradio_api/file=") else [])]
        event = said.get("event_id")
        known = all(self.owners.holds(f"file {f}", user) for f in files) and (event is None or self.owners.holds(f"event {event}", user))
        if not known or not all(self.owners.claim(s, user) for s in sessions):
            return JSONResponse({"error": "There is no such thing of yours"}, 404)
        return None

    def _keep(self, scope: Scope, body: bytes) -> None:
        """Notes whose the files and the event are that an answer of Gradio's names."""
        try:
            said = json.loads(body)
        except ValueError:
            return
        user = session_of_scope(scope)
        for file in said if isinstance(said, list) else ():
            self.owners.claim(f"file {file}", user)
        if isinstance(said, dict) and "event_id" in said:
            self.owners.claim(f"event {said['event_id']}", user)


def session_of_scope(scope: Scope) -> str:
    """The user of a request that has passed the door."""
    session = scope.get("pincite")
    return session.user if isinstance(session, Session) else ""


def _closed(scope: Scope) -> Response | None:
    """Refuses a route that is not on the list."""
    path, reads = scope["path"], scope["method"] in ("GET", "HEAD")
    if OURS.fullmatch(path) or (reads and FACE.fullmatch(path)) or (scope["method"] == "POST" and ACTS.fullmatch(path)):
        return None
    return JSONResponse({"error": "There is nothing here"}, 404)


def _too_large(headers: Mapping[str, str], most: int) -> Response | None:
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > most:
        return JSONResponse({"error": f"The request is larger than {most >> 20} MB"}, 413)
    return None


def _limited(receive: Receive, most: int, answer: _Started) -> Receive:
    """The request's body, cut off where it grows larger than it may, whatever length it named."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            answer.over = True
            return {"type": "http.disconnect"}
        return message

    return limited


class _Again:
    """A body that was read, given once more, and then whatever follows."""

    def __init__(self, body: bytes, then: Receive) -> None:
        self.body = body
        self.then = then
        self.given = False

    async def __call__(self) -> Message:
        if self.given:
            return await self.then()
        self.given = True
        return {"type": "http.request", "body": self.body, "more_body": False}


async def _read(receive: Receive) -> tuple[_Again, Response | None]:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] != "http.request":
            return _Again(body, receive), JSONResponse({"error": "The request did not end"}, 413)
        if not message.get("more_body"):
            return _Again(body, receive), None


def _cookie(header: str) -> str:
    found = re.search(rf"(?:^|;\s*){COOKIE}=([\w-]+)", header)
    return found[1] if found else ""
