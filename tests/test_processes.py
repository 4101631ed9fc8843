"""Two app processes over one database: what is begun at one goes on at the other, and what ends at one has ended at the other."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from assistant import corpus, record, sessions
from assistant.postgres import Postgres
from scripts.fleet import bench, free_port
from tests.crash import SOUND

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "correct horse battery"
CARD = b"# Made-up model\n\nA model for chest radiographs in adults. It was trained on 400 images.\n"

pytestmark = pytest.mark.slow


@pytest.fixture
def two(database: Postgres, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Two running apps over one database, each by its own address."""
    monkeypatch.setenv("PINCITE_STORE", database.url)
    monkeypatch.setattr(corpus, "digest_instruments", corpus.digest_instruments)  # put back at the end what the small corpus changes
    bench(home, False).ingest(list(SOUND))
    for name in ("ann", "bob"):
        record.keep_user(database, record.User(name, "compliance", record.secret_of(PASSWORD)))
    ports = (free_port(), free_port())
    environment = {**os.environ, "PINCITE_LLM": "none"}
    log = (tmp_path / "log").open("wb")
    apps = [
        subprocess.Popen([sys.executable, str(ROOT / "scripts" / "fleet.py"), "--serve", str(home), str(p)], cwd=ROOT, env=environment, stdout=log, stderr=log)
        for p in ports
    ]
    one, two = (httpx.Client(base_url=f"http://127.0.0.1:{p}", timeout=60) for p in ports)
    try:
        for client in (one, two):
            _wait_for(client)
        yield one, two
    finally:
        for app in apps:
            app.kill()
            app.wait()
        log.close()


def _wait_for(client: httpx.Client) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        try:
            if client.get("/health").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.3)
    raise AssertionError("the app did not open")


def _signed_in(client: httpx.Client, name: str) -> bool:
    return client.post("/login", data={"name": name, "password": PASSWORD}).status_code == 303


def test_any_process_serves_any_request(two: tuple[httpx.Client, httpx.Client], database: Postgres) -> None:
    one, other = two
    assert _signed_in(one, "ann")
    other.cookies = one.cookies
    asked = other.post("/api/ask", json={"question": "What does a consent manager do?"}).json()["audit"]
    assert one.get(f"/api/runs/{asked}").json()["owner"] == "ann"

    id = one.post("/api/gaps", files={"card": ("README.md", CARD)}, data={"framework": "dpdp", "wait": "false"}).json()["job"]
    while (job := other.get(f"/api/jobs/{id}").json())["state"] in ("queued", "running"):
        time.sleep(0.2)
    assert job["state"] == "done" and other.get(f"/api/runs/{job['run']}").json()["kind"] == "gaps"

    made = one.get(f"/export/{job['run']}.xlsx")
    export = next(j for j in other.get("/api/jobs").json() if j["kind"] == "export")
    fetched = other.get(export["file"])
    assert made.status_code == 200 and made.content == fetched.content and made.content[:2] == b"PK"
    assert [r.action for r in record.records(database) if r.action in ("gaps", "export")] == ["gaps", "export"]

    stranger = httpx.Client(base_url=other.base_url, timeout=60)
    assert _signed_in(stranger, "bob") and [stranger.get(p).status_code for p in (f"/api/jobs/{id}", export["file"], f"/api/runs/{asked}")] == [404] * 3

    assert other.delete(f"/api/runs/{job['run']}").status_code == 200
    assert [one.get(p).status_code for p in (f"/api/runs/{job['run']}", f"/api/jobs/{id}", export["file"])] == [404] * 3
    assert one.post("/logout").status_code == 303 and other.get("/api/jobs").status_code == 401

    for n in range(sessions.TRIES):
        two[n % 2].post("/login", data={"name": "bob", "password": "wrong"})
    assert not _signed_in(one, "bob") and not _signed_in(other, "bob") and _signed_in(other, "ann")
    assert record.verify_chain(record.records(database)).sound
