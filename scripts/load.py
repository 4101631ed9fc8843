"""Many people at once: `python scripts/load.py [USERS] [MINUTES]` starts the app on loopback with a stub model and asks as they would; exits 1 where a goal is missed.

`--apps N --active M` asks N app processes over one PostgreSQL (through nginx, where there is one): M of the users work, the others have the page open.

Each user signs in, asks through the page's own queue and the API, assesses a card and fetches the file, with a pause between. Goals: no record lost,
doubled or crossed, no 5xx, first words within 3 s (95 of 100) or "queue full" (429, 503) within 1 s, memory growth below 10 %, file handles flat.
"""

import argparse
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import httpx  # noqa: E402

from assistant import record  # noqa: E402

PASSWORD = "correct horse battery"
QUESTIONS = (
    "What does a consent manager do?",
    "Who keeps a log, and for how long?",
    "What is told to a person after a breach?",
    "What is done with data of a child?",
)


@dataclass
class Seen:
    """What the users saw, added up under a lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    first: list[float] = field(default_factory=list)  # seconds to the first words of an answer
    full: list[float] = field(default_factory=list)  # seconds to hear that the queue is full
    codes: Counter[int] = field(default_factory=Counter)
    trouble: list[str] = field(default_factory=list)
    made: dict[str, str] = field(default_factory=dict)  # run: who made it
    doubled: int = 0

    def note(self, user: str, run: str) -> None:
        """A run that a user was given."""
        with self.lock:
            self.doubled += run in self.made
            self.made[run] = user


def serving(home: Path, port: int) -> None:
    """The app as it is, over a small library, with a model that answers in a tenth of a second and stub vectors. Never returns."""
    from assistant import server
    from tests import crash
    from tests.fakes import ScriptedModel, StubEmbedder

    def reply(messages: Any, schema: Any) -> str:
        time.sleep(0.1)
        return "{}"

    from assistant.settings import Settings
    from assistant.workbench import Workbench

    crash.small_corpus()
    bench = Workbench(Settings(home=home, llm="none"))
    bench.__dict__ |= {"embedder": StubEmbedder(), "model": ScriptedModel(forever=reply)}
    server.serve("127.0.0.1", port, bench)


class Person:
    """One user in front of the app."""

    def __init__(self, base: str, name: str, seen: Seen, until: float, pause: float, client: httpx.Client | None = None) -> None:
        self.client = client or httpx.Client(base_url=base, timeout=60)
        self.name = name
        self.seen = seen
        self.until = until
        self.pause = pause
        self.mark = f"mark{secrets.token_hex(6)}"
        self.session = secrets.token_hex(6)

    def live(self) -> None:
        """Works until the time is over."""
        try:
            while self._ok(self.client.post("/login", data={"name": self.name, "password": PASSWORD})).status_code == 429:
                time.sleep(1)
            self._work(self._listener(self._ok(self.client.get("/config")).json()))
            self._ok(self.client.post("/logout"))
        except Exception as error:
            with self.seen.lock:
                self.seen.trouble.append(f"{self.name}: {type(error).__name__} {error}"[:300])
        finally:
            self.client.close()

    def _work(self, listener: dict[str, Any]) -> None:
        turn = 0
        while time.monotonic() < self.until:
            turn += 1
            {0: self._assess, 1: self._ask}.get(turn % 4, lambda: self._converse(listener))()
            time.sleep(self.pause)

    def _ok(self, said: httpx.Response) -> httpx.Response:
        with self.seen.lock:
            self.seen.codes[said.status_code] += 1
        return said

    def _turned_away(self, begun: float) -> None:
        """The queue was full; when that was said."""
        with self.seen.lock:
            self.seen.full.append(time.monotonic() - begun)

    def _listener(self, config: dict[str, Any]) -> dict[str, Any]:
        """The listener of the box in which questions are written, with its inputs' kinds."""
        box = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == "pc-question")
        kinds = {c["id"]: c for c in config["components"]}
        found = next(d for d in config["dependencies"] if [box, "submit"] in d["targets"] and d.get("backend_fn"))
        return {"id": found["id"], "inputs": [(kinds[i]["type"], kinds[i]["props"].get("value"), i == box) for i in found["inputs"]]}

    def _question(self) -> str:
        return f"{QUESTIONS[secrets.randbelow(len(QUESTIONS))]} For {self.mark}."

    def _ask(self) -> None:
        begun = time.monotonic()
        said = self._ok(self.client.post("/api/ask", json={"question": self._question()}))
        if said.status_code == 429:
            self._turned_away(begun)
            return
        run = said.json()["audit"]
        self.seen.note(self.name, run)
        own = self._ok(self.client.get(f"/api/runs/{run}"))
        if self.mark not in own.text or len(re.findall(r"mark[0-9a-f]{12}", own.text)) != own.text.count(self.mark):
            raise AssertionError(f"run {run} is not mine")

    def _converse(self, listener: dict[str, Any]) -> None:
        """A question through the page's queue; the first words are the first step that shows any."""
        begun, words = time.monotonic(), self._question()
        data = [words if box else None if kind == "state" else value for kind, value, box in listener["inputs"]]
        said = self._ok(
            self.client.post(
                "/gradio_api/queue/join", json={"data": data, "fn_index": listener["id"], "session_hash": self.session, "event_data": None, "trigger_id": None}
            )
        )
        if said.status_code != 200:
            self._turned_away(begun)
            return
        first, text = 0.0, ""
        with self.client.stream("GET", f"/gradio_api/queue/data?session_hash={self.session}") as heard:
            self._ok(heard)
            for line in heard.iter_lines():
                if line.startswith("data:") and ("process_generating" in line or "process_completed" in line):
                    text += line
                    first = first or time.monotonic() - begun
        with self.seen.lock:
            self.seen.first.append(first)
        marks = set(re.findall(r"mark[0-9a-f]{12}", text))
        if marks != {self.mark}:
            raise AssertionError(f"the stream told {marks or 'nothing'}, not {self.mark}: {text[-300:]}")

    def _assess(self) -> None:
        card = f"# {self.mark}\n\nA model for chest radiographs in adults. It was trained on 400 images.\n".encode()
        begun = time.monotonic()
        said = self._ok(self.client.post("/api/gaps", files={"card": ("README.md", card)}, data={"framework": "dpdp"}))
        if said.status_code == 429:
            self._turned_away(begun)
            return
        run = said.json()["run"]
        self.seen.note(self.name, run)
        if self.mark not in self._ok(self.client.get(f"/export/{run}.md")).text:
            raise AssertionError(f"the export of {run} is not mine")


class Onlooker(Person):
    """One user with the page open who does nothing: its heartbeat is held, and must not break."""

    def _work(self, listener: dict[str, Any]) -> None:
        with self.client.stream("GET", f"/gradio_api/heartbeat/{self.session}", timeout=60) as heard:
            self._ok(heard)
            for _ in heard.iter_raw():
                if time.monotonic() > self.until:
                    return
        raise AssertionError("the open page lost its server")


def usage(pid: int) -> tuple[float, int]:
    """Resident megabytes and open files of a process."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(x.split()[1]) for x in lines if x.startswith("VmRSS")) / 1024, len(os.listdir(f"/proc/{pid}/fd"))


def watched(process: "subprocess.Popen[bytes]", until: float) -> Iterator[tuple[float, int]]:
    """Memory and open files every second until the time is over."""
    while time.monotonic() < until and process.poll() is None:
        yield usage(process.pid)
        time.sleep(1)


def percentile(values: list[float], share: float) -> float:
    """The value below which this share lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def run(home: Path, users: int, minutes: float, pause: float = 2.0) -> tuple[bool, dict[str, Any]]:
    """Whether the goals were met, and the figures."""
    from tests import crash
    from tests.fakes import stub_bench

    crash.small_corpus()
    stub_bench(home).ingest(list(crash.SOUND))
    secret = record.secret_of(PASSWORD)
    for n in range(users):
        record.keep_user(home, record.User(f"user{n}", "compliance", secret))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = home.with_name("server.log")
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, __file__, "--serve", str(home), str(port)], cwd=ROOT, stdout=out, stderr=out)
    try:
        return _measured(home, process, f"http://127.0.0.1:{port}", users, minutes, pause, log)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _measured(home: Path, process: "subprocess.Popen[bytes]", base: str, users: int, minutes: float, pause: float, log: Path) -> tuple[bool, dict[str, Any]]:
    for _ in range(240):
        try:
            httpx.get(f"{base}/health", timeout=2)
            break
        except httpx.TransportError:
            time.sleep(0.5)
    seen, begun = Seen(), time.monotonic()
    until = begun + 60 * minutes
    people = [threading.Thread(target=Person(base, f"user{n}", seen, until, pause).live) for n in range(users)]
    for person in people:
        person.start()
    samples = list(watched(process, until))
    for person in people:
        person.join()
    time.sleep(10)  # connections that rest are closed after five seconds
    after = usage(process.pid)
    warm = samples[len(samples) // 3 : len(samples) // 3 + 10] or samples  # everyone is at work and the pages are loaded
    told, lost = account(home, seen)
    memory = [m for m, _ in samples[-10:]]
    growth = (sum(memory) / len(memory)) / (sum(m for m, _ in warm) / len(warm)) - 1
    wide = [str(p) for p in home.rglob("*") if not p.is_symlink() and p.stat().st_mode & 0o077]
    figures = {
        "users": users, "minutes": minutes, **told,
        "memory mb": [round(warm[0][0]), round(memory[-1])], "memory growth": round(growth, 3), "open files": [warm[0][1], samples[-1][1], after[1]],
        "files others can read": len(wide), "machine load": [round(x, 1) for x in os.getloadavg()],
        "tracebacks": log.read_text("utf8", "replace").count("Traceback"),
    }  # fmt: skip
    goals = {
        "records": not lost and not seen.doubled and not seen.trouble and figures["chain sound"], "no 5xx": not figures["server errors"],
        "first words": bool(seen.first) and percentile(seen.first, 0.95) < 3 and max(seen.full, default=0) < 1,
        "memory": growth < 0.10, "files": after[1] <= warm[0][1] + 10, "private": not wide,
    }  # fmt: skip
    return all(goals.values()), {**figures, "missed": [name for name, met in goals.items() if not met]}


def account(store: record.Store, seen: Seen) -> tuple[dict[str, Any], list[str]]:
    """What the users saw held against the record: the figures, and the runs that are not there once and their maker's."""
    chain = list(record.records(store))
    asked, by = Counter(r.id for r in chain if r.action in ("ask", "gaps")), {r.id: r.user for r in chain}
    lost = [run for run, who in seen.made.items() if asked[run] != 1 or by[run] != who]
    return {
        "answers by page": len(seen.first), "runs by api": len(seen.made), "records": len(chain), "lost or crossed": len(lost), "doubled": seen.doubled,
        "server errors": sum(n for code, n in seen.codes.items() if code >= 500), "codes": dict(seen.codes), "trouble": seen.trouble[:5], "p50 first": round(percentile(seen.first, 0.5), 2),
        "p95 first": round(percentile(seen.first, 0.95), 2), "queue full": len(seen.full), "slowest queue full": round(max(seen.full, default=0), 2), "chain sound": record.verify_chain(chain).sound,
    }, lost  # fmt: skip


def run_fleet(apps: int, users: int, active: int, minutes: float, pause: float) -> tuple[bool, dict[str, Any]]:
    """The same against several app processes over one database, with most of the users only looking on."""
    from scripts.fleet import fleet

    all_of, seen = fleet(apps), Seen()
    try:
        all_of.begin(users, PASSWORD)
        opening = users / 4  # seconds in which everyone comes in
        until = time.monotonic() + opening + 60 * minutes
        kinds = [Person if n % max(1, users // active) == 0 and n // max(1, users // active) < active else Onlooker for n in range(users)]
        people = [threading.Thread(target=kind("", f"user{n}", seen, until, pause, all_of.client(n)).live) for n, kind in enumerate(kinds)]
        for person in people:
            person.start()
            time.sleep(opening / users)
        begun = {name: usage(part.process.pid)[0] for name, part in all_of.parts.items() if part.process}
        for person in people:
            person.join()
        ended = {name: usage(part.process.pid)[0] for name, part in all_of.parts.items() if part.process}
        told, lost = account(all_of.store, seen)
        figures = {
            "apps": apps, "nginx": all_of.proxied, "users": users, "active": kinds.count(Person), "minutes": minutes, "pause": pause, **told,
            "memory mb": {name: [round(begun[name]), round(ended[name])] for name in begun}, "tracebacks": all_of.tracebacks(),
            "machine load": [round(x, 1) for x in os.getloadavg()],
        }  # fmt: skip
    finally:
        all_of.end()
    goals = {
        "records": not lost and not seen.doubled and not seen.trouble and figures["chain sound"], "no 5xx": not figures["server errors"],
        "first claim": bool(seen.first) and percentile(seen.first, 0.95) <= 2 and max(seen.full, default=0) < 1,
    }  # fmt: skip
    return all(goals.values()), {**figures, "missed": [name for name, met in goals.items() if not met]}


def main() -> int:
    """The command."""
    if sys.argv[1:2] == ["--serve"]:
        serving(Path(sys.argv[2]), int(sys.argv[3]))
        return 0
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("users", nargs="?", type=int, default=50)
    arguments.add_argument("minutes", nargs="?", type=float, default=10)
    arguments.add_argument("--apps", type=int, default=0, help="app processes over one PostgreSQL; 0: one process over a data folder")
    arguments.add_argument("--active", type=int, default=40, help="of the users with --apps, how many work")
    arguments.add_argument("--pause", type=float, default=2.0, help="seconds between an answer and the next question")
    given = arguments.parse_args()
    if given.apps:
        met, figures = run_fleet(given.apps, given.users, given.active, given.minutes, given.pause)
        sys.stdout.write(json.dumps(figures, indent=1) + "\n")
        return 0 if met else 1
    with tempfile.TemporaryDirectory(prefix="pincite-load-") as folder:
        met, figures = run(Path(folder) / "home", given.users, given.minutes)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
