"""The app attacked: without a login, by one user against another, by paths that climb, by guessing, from other sites, with too much."""

import os
import re
import secrets
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant import corpus, door, record, server, sessions
from assistant.errors import Away
from tests import attack
from tests.attack import PASSWORD, SECRET, TELL, House, Raw


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("attacked")
    (folder / "outside.txt").write_text(SECRET)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(corpus, "digest_instruments", corpus.digest_instruments)
        patched.setenv("GRADIO_TEMP_DIR", "")
        made = House(folder / "home", clock)
        with made.client:
            made.people()
            yield made


@pytest.fixture
def raw(house: House) -> Iterator[Raw]:
    made = Raw(house.app)
    yield made
    made.close()


# ---- without a login ---------------------------------------------------------------------------------------------


def routes(app: Any) -> Iterator[tuple[str, str]]:
    """Every route of the server and of Gradio inside it, with made-up parameters."""
    for route in app.routes:
        inside = getattr(route, "original_router", None) or getattr(route, "app", None)
        if hasattr(inside, "routes"):
            yield from routes(inside)
        for method in getattr(route, "methods", None) or ():
            yield method, re.sub(r"\{[^}]*\}", "x", route.path) or "/"


def test_without_a_login_there_is_nothing_but_the_form(house: House, raw: Raw) -> None:
    every = sorted(set(routes(house.app.app)))
    assert len(every) > 60
    for method, path in every:
        for cookie in ("", f"{door.COOKIE}=", f"{door.COOKIE}={'x' * 43}", f"{door.COOKIE}=../../x"):
            status = raw(method, path, {"cookie": cookie}).status
            assert status in ((200, 401, 405, 422) if path.rstrip("/") in door.OPEN_PATHS else (401,)), (method, path, status)


def test_with_a_login_only_the_written_routes_answer(house: House, raw: Raw) -> None:
    """Of Gradio's routes, those that the page needs; the rest are not there, whoever asks."""
    cookie = {"cookie": house.sign_in(house.users[0].name)}
    answered = set()
    for method, path in sorted(set(routes(house.app.app)) - {("POST", "/logout")}):
        if not any(part in path for part in ("heartbeat", "queue/data", "startup-events")) and raw(method, path, cookie).status != 404:
            answered.add(f"{method} {path.rstrip('/') or '/'}")
    ours = {a for a in answered if re.search(r" /(login|logout|health|api/|export/)", a)}
    face = {
        "config",
        "favicon.ico",
        "manifest.json",
        "robots.txt",
        "theme.css",
        "gradio_api/app_id",
        "gradio_api/info",
        "gradio_api/startup-events",
        "gradio_api/theme.css",
    }
    acts = {"cancel", "reset", "queue/join", "upload"}
    wanted = {"GET /", "HEAD /"} | {f"GET /{f}" for f in face} | {f"POST /gradio_api/{a}" for a in acts}
    assert answered - ours - wanted <= {"GET /gradio_api/upload_progress"}, answered - ours - wanted


# ---- one user against another ------------------------------------------------------------------------------------


def test_what_is_ones_own_is_there(house: House) -> None:
    """So that the tests below do not pass because nothing ever answers."""
    for user in house.users:
        for run in user.runs:
            assert house.ask(user, "GET", f"/export/{run}.md").status_code == 200
        assert user.mark in house.ask(user, "GET", f"/api/runs/{user.runs[0]}").text
        assert user.mark in house.ask(user, "GET", f"/gradio_api/file={user.upload}").text
        assert user.event and house.join(user, user.session, 0, []).status_code == 200


@pytest.mark.parametrize("thief", range(6))
def test_no_user_reaches_what_is_anothers(thief: int, house: House) -> None:
    attacker = house.users[thief]
    for owner in house.users:
        if owner is not attacker:
            assert attack.crossed(house, attacker, owner) == []
    for owner in house.users:
        assert house.bench.run(owner.runs[0])["owner"] == owner.name, "nothing of it was changed"


@pytest.mark.slow
def test_no_listener_of_the_page_tells_what_is_anothers(house: House) -> None:
    answered, found = attack.listened(house, house.users[0], house.users[3], every=3)
    assert answered > 15 and found == []


def test_the_listeners_do_tell_what_is_ones_own(house: House) -> None:
    """So that the test above does not pass because nothing ever answers."""
    user = house.users[0]
    config = house.config(user)
    opening = [one for one in config["dependencies"] if [0, "load"] in one["targets"]]
    assert any(user.mark in house.told(user, config, one, user.runs[3]) for one in opening)


def test_an_open_page_keeps_no_more_after_many_answers(house: House) -> None:
    """Gradio keeps what a component showed before each `gr.skip()`: it was the evidence of the whole conversation, once for every answer."""
    user, session = house.users[0], secrets.token_hex(6)
    config = house.config(user)
    kinds = {c["id"]: c for c in config["components"]}
    box = next(id for id, c in kinds.items() if c["props"].get("elem_id") == "pc-question")
    asks = next(d for d in config["dependencies"] if [box, "submit"] in d["targets"] and d["backend_fn"])
    keeps = next(d for d in config["dependencies"] if d["trigger_after"] == asks["id"])
    holder = next(route.app.state_holder for route in house.app.app.routes if hasattr(getattr(route, "app", None), "state_holder"))
    sizes = []
    for n in range(4):
        for listener in (asks, keeps):
            words = f"What does a consent manager do? Question {n} of {user.mark}."
            given = [words if i == box else None if kinds[i]["type"] == "state" else kinds[i]["props"].get("value") for i in listener["inputs"]]
            house.join(user, session, listener["id"], given)
            assert '"success":true' in house.heard(user, session)
        page = holder.session_data[session]
        held = [v for v in page.state_data.values() if user.mark in str(v)]
        showing = [c["type"] for c in page.config_values.values() if user.mark in str(c) or "pc-turn" in str(c)]
        sizes.append((len(page.config_values), len(page.blocks_config.blocks), held, showing))
        asked = next(v for v in page.state_data.values() if isinstance(v, list) and v)
        assert len(asked) == n + 1 and all(re.fullmatch("[0-9a-f]{16}", id) for id in asked), "an open page holds the ids of its answers, no words"
    assert sizes[1:] == sizes[:1] * 3


def test_a_file_that_nobody_uploaded_is_not_read_and_no_address_is_fetched(house: House) -> None:
    """Gradio would fetch an address given as a file; here it is nobody's."""
    user = house.users[0]
    for path in ("/etc/passwd", str(house.bench.home / "record.sqlite"), "http://192.0.2.1/x", "https://example.org/", user.upload + "/../x"):
        for file in ({"path": path, "meta": {"_type": "gradio.FileData"}}, {"url": path}, {"path": None, "url": path}):
            said = house.join(user, "s" * 12, 0, [[file]])
            assert said.status_code == 404 or file == {"path": None, "url": path}, file
        assert house.ask(user, "GET", f"/gradio_api/file={path}").status_code == 404


def test_a_role_taken_or_a_user_removed_holds_at_once(house: House) -> None:
    secret = record.secret_of(PASSWORD)
    record.keep_user(house.bench.home, record.User("temp", "auditor", secret))
    cookie = {"cookie": house.sign_in("temp")}
    assert house.client.get("/api/audit", headers=cookie).status_code == 200
    record.keep_user(house.bench.home, record.User("temp", "developer", secret))
    assert house.client.get("/api/audit", headers=cookie).status_code == 403
    record.keep_user(house.bench.home, record.User("temp", "developer", record.secret_of("another password")))
    assert house.client.get("/api/provisions/x", headers=cookie).status_code == 401
    record.remove_user(house.bench.home, "temp")
    assert house.sign_in("temp", "another password") == ""


def test_beyond_this_machine_no_users_means_closed(tmp_path: Path) -> None:
    """Where the last user was removed on an address that others reach, nobody becomes the administrator."""
    shut = door.Door(None, sessions.Sessions(tmp_path), "ada", frozenset(), alone=False)
    raw = Raw(shut)
    assert raw("GET", "/api/audit").status == 401 and raw("POST", "/api/ask").status == 401
    raw.close()


def test_a_store_that_is_away_is_said_so_and_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> Any:
        raise Away("The store postgresql://db/pincite does not answer", "Start PostgreSQL, or mend PINCITE_STORE")

    monkeypatch.setattr(sessions.Sessions, "of", away)
    raw = Raw(door.Door(None, sessions.Sessions(tmp_path), "ada", frozenset()))
    said = raw("GET", "/api/audit")
    assert said.status == 503 and b"does not answer" in said.body and said.headers["retry-after"] == "2"
    raw.close()


# ---- guessing ----------------------------------------------------------------------------------------------------


def test_guesses_lock_a_name_and_cost_little(house: House, clock: Clock) -> None:
    """The quick form of ten thousand: after five the name rests, the rest of the guesses cost next to nothing, others sign in."""
    door_, used = sessions.Sessions(house.bench.home, clock), []
    for n in range(200):
        begun = time.process_time()
        assert door_.sign_in("developer1", f"guess {n}").outcome == ("wrong" if n < sessions.TRIES else "locked")
        used.append(time.process_time() - begun)
    assert sum(used[sessions.TRIES :]) < 10 * max(used[: sessions.TRIES])
    assert door_.sign_in("developer1", PASSWORD).outcome == "locked" and door_.sign_in("developer2", PASSWORD).outcome == "in"
    clock.now += sessions.LOCKED + 1
    assert door_.sign_in("developer1", PASSWORD).outcome == "in"


def test_a_flood_of_sign_ins_is_turned_away(house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each check takes memory and time: only so many at once, the others are told to come back."""
    door_, going, free = sessions.Sessions(house.bench.home, clock), threading.Barrier(sessions.AT_ONCE + 1), threading.Event()

    def slow(*_: str) -> bool:
        going.wait(10)
        return not free.wait(10)

    monkeypatch.setattr(record, "password_fits", slow)
    threads = [threading.Thread(target=door_.sign_in, args=(f"n{n}", "x")) for n in range(sessions.AT_ONCE)]
    for t in threads:
        t.start()
    going.wait(10)
    assert door_.sign_in("developer2", PASSWORD).outcome == "busy"
    free.set()
    for t in threads:
        t.join()
    monkeypatch.undo()
    assert door_.sign_in("developer2", PASSWORD).outcome == "in"


def test_a_full_queue_is_said_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as may work do; the next is told so while they still do, and served when one has ended."""
    busy, free, user = threading.Semaphore(0), threading.Event(), house.users[0]

    def slow(*_: Any, **__: Any) -> dict[str, Any]:
        busy.release()
        free.wait(20)
        return {}

    monkeypatch.setattr(type(house.bench), "ask", slow)
    said: list[int] = []

    def one() -> None:
        said.append(house.ask(user, "POST", "/api/ask", json={"question": "What?"}).status_code)

    threads = [threading.Thread(target=one) for _ in range(server.AT_WORK)]
    for t in threads:
        t.start()
    for _ in threads:
        assert busy.acquire(timeout=20)
    turned_away = house.ask(user, "POST", "/api/ask", json={"question": "What?"})
    free.set()
    for t in threads:
        t.join()
    assert turned_away.status_code == 429 and turned_away.headers["retry-after"] and said == [200] * server.AT_WORK
    assert house.ask(user, "POST", "/api/ask", json={"question": "What?"}).status_code == 200


# ---- paths -------------------------------------------------------------------------------------------------------


def test_there_are_enough_climbing_strings(tmp_path: Path) -> None:
    assert len(set(attack.climbing(tmp_path / "outside.txt"))) >= 1900


@pytest.mark.parametrize("route", attack.ROUTES)
def test_no_path_leads_outside(route: str, house: House, raw: Raw) -> None:
    """Every thirtieth string; `make trust` tries them all."""
    user = house.users[0]
    for text in attack.climbing(house.bench.home.parent / "outside.txt")[::30]:
        got = raw("GET", route.format(text), {"cookie": user.cookie})
        assert not any(t in got.body for t in TELL), (route, text)
        assert got.status < 500, (route, text, got.status)


@pytest.mark.parametrize("name", ["../../x.md", "..\\..\\x.md", "/etc/x.md", "%2e%2e%2fx.md", "a/../../x.md", "\u2025/x.md", "x\0.md"])
def test_an_upload_stays_in_its_folder(name: str, house: House) -> None:
    user, before = house.users[0], set(house.bench.home.parent.iterdir())
    said = house.ask(user, "POST", "/gradio_api/upload", files={"files": (name, b"x")})
    for path in said.json() if said.status_code == 200 else ():
        assert Path(path).resolve().is_relative_to((house.bench.home / "uploads").resolve())
    assert house.ask(user, "POST", "/api/gaps", files={"card": (name, b"# M\n\nWords of a card.\n")}).status_code in (200, 400)
    assert set(house.bench.home.parent.iterdir()) == before


# ---- other sites, headers, sizes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/login", {"origin": "http://evil.example"}, 403),
        ("POST", "/logout", {"origin": "null"}, 403),
        ("POST", "/api/ask", {"sec-fetch-site": "cross-site"}, 403),
        ("POST", "/gradio_api/queue/join", {"origin": "http://127.0.0.1:3000"}, 403),
        ("DELETE", "/api/runs/0000000000000000", {"origin": "http://evil.example"}, 403),
        ("GET", "/config", {"origin": "http://localhost:3000"}, 403),
        ("GET", "/export/0000000000000000.md", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, 403),
        ("GET", "/config", {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}, 403),
        ("GET", "/config", {"host": "evil.example"}, 421),
        ("GET", "/config", {"host": "127.0.0.1.evil.example:7860"}, 421),
        ("GET", "/", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 200),
        ("GET", "/config", {"origin": "http://127.0.0.1:7860", "sec-fetch-site": "same-origin"}, 200),
    ],
)
def test_other_sites_are_kept_out(method: str, path: str, headers: dict[str, str], status: int, house: House, raw: Raw) -> None:
    assert raw(method, path, {"cookie": house.users[0].cookie, **headers}).status == status


@pytest.mark.parametrize("path", ["/", "/login", "/config", "/health", "/api/audit", "/nowhere", "/gradio_api/theme.css"])
def test_every_answer_carries_its_headers_once(path: str, house: House, raw: Raw) -> None:
    got = raw("GET", path, {"cookie": house.users[0].cookie})
    assert "default-src 'self'" in got.headers["content-security-policy"] and "frame-ancestors 'none'" in got.headers["content-security-policy"]
    expected = {"x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "same-origin", "cross-origin-resource-policy": "same-origin"}
    assert {k: got.headers[k] for k in expected} == expected and "access-control-allow-origin" not in got.headers
    if path not in ("/gradio_api/theme.css",):
        assert got.headers["cache-control"] == "no-store"


def test_what_is_private_is_not_kept_by_a_browser(house: House) -> None:
    user = house.users[0]
    for path in (f"/api/runs/{user.runs[0]}", f"/export/{user.runs[1]}.json"):
        assert house.ask(user, "GET", path).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "kind", "size"), [("/api/ask", "application/json", door.LARGEST_BODY), ("/gradio_api/queue/join", "application/json", door.LARGEST_BODY),
                               ("/api/gaps", "multipart/form-data; boundary=x", door.LARGEST_UPLOADS), ("/login", "application/x-www-form-urlencoded", door.LARGEST_BODY)],
)  # fmt: skip
def test_too_much_is_refused_before_it_is_read(path: str, kind: str, size: int, house: House, raw: Raw) -> None:
    told = {"cookie": house.users[0].cookie, "content-type": kind, "content-length": str(size + 1)}
    assert raw("POST", path, told).status == 413


@pytest.mark.parametrize("path", ["/api/ask", "/gradio_api/queue/join"])
def test_a_length_that_lies_does_not_help(path: str, house: House, raw: Raw) -> None:
    told = {"cookie": house.users[0].cookie, "content-type": "application/json", "content-length": "2"}
    assert raw("POST", path, told, b"{" + b" " * door.LARGEST_BODY + b"}").status == 413


def test_a_card_above_the_limit_is_refused_by_name(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.server.LARGEST_UPLOAD", 1000)
    said = house.ask(house.users[0], "POST", "/api/gaps", files={"card": ("big.md", b"x" * 1001)})
    assert said.status_code == 400 and "big.md" in said.json()["error"]


# ---- what lies on the disk ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["x%22y", "md%0d%0aX-Evil:%201", "x%E2%82%AC", "%00", "json", "md" * 2000])
def test_a_project_is_given_as_markdown_only(format: str, house: House, raw: Raw) -> None:
    """What stands behind the dot became a part of a header."""
    with house.bench.acting(house.users[0].name):
        project = house.bench.add_project("device")
    before = house.bench.verify_audit().records
    got = raw("GET", f"/export/{project}.{format}", {"cookie": house.users[0].cookie})
    assert got.status == 400 and "content-disposition" not in got.headers and house.bench.verify_audit().records == before
    assert raw("GET", f"/export/{project}.md", {"cookie": house.users[0].cookie}).status == 200


@pytest.mark.parametrize("name", ["a" * 300 + ".md", "日" * 100 + ".md", "a." + "b" * 300, "..", ".md", "a/../../b.md", "x\r\ny.md", "a\x00b.md"])
def test_a_card_may_be_called_anything(name: str, house: House) -> None:
    said = house.ask(house.users[0], "POST", "/api/gaps", files={"card": (name, b"# M\n\nA model.\n")}, data={"framework": "dpdp"})
    assert said.status_code == 200, said.text


def test_of_two_files_of_one_name_neither_is_lost_silently(house: House) -> None:
    twice = [("card", (f"{folder}/README.md", b"# M\n\nA model.\n")) for folder in ("a", "b")]
    said = house.ask(house.users[0], "POST", "/api/gaps", files=twice, data={"framework": "dpdp"})
    assert said.status_code == 400 and "Two files are called README.md" in said.text


def test_facts_that_cannot_be_read_name_no_folder_of_the_server(house: House) -> None:
    files = [("card", ("README.md", b"# M\n\nA model.\n")), ("card", ("facts.json", b"no"))]
    said = house.ask(house.users[0], "POST", "/api/gaps", files=files, data={"framework": "dpdp"})
    assert said.status_code == 400 and "facts.json cannot be read as facts" in said.text and "pincite-card-" not in said.text


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/api/ask", "application/json", b'{"question":"\\ud800 what is a breach"}'),
        ("/api/ask", "application/json", b'{"question":"What?","mode":"\\udfff"}'),
        ("/api/ask", "application/json", b'{"question":' + b"[" * 100_000),
        ("/login", "application/x-www-form-urlencoded", b"name=ann&password=" + b"s3cret" * 100),
    ],
)
def test_a_request_that_does_not_fit_is_told_so_and_not_repeated(path: str, kind: str, body: bytes, house: House, raw: Raw) -> None:
    got = raw("POST", path, {"cookie": house.users[0].cookie, "content-type": kind}, body)
    assert got.status in (400, 422) and b"s3cret" not in got.body and len(got.body) < 400, got.body[:300]


def test_only_the_owner_can_read_the_data_folder(house: House) -> None:
    """Folders 0700, files 0600: what the app wrote, uploads included."""
    wide, uploads = [], house.bench.home / "uploads"
    for path in (house.bench.home, *house.bench.home.rglob("*")):
        if uploads in path.parents:
            continue  # inside a closed folder; the running app has a mask besides
        mode = stat.S_IMODE(path.lstat().st_mode)
        if not path.is_symlink() and mode & 0o077:
            wide.append(f"{path.relative_to(house.bench.home)} {mode:o}")
    assert wide == []
    assert any(uploads.rglob("*.md")) and os.environ["GRADIO_TEMP_DIR"] == str(uploads)
