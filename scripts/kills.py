"""kill -9 of any one process under load: `python scripts/kills.py [KILLS] [USERS]`; exits 1 where a record is lost, doubled or crossed, or the service is away for 10 s.

Two apps, a worker, a model server and PostgreSQL (and nginx, where it is installed or NGINX names it) are killed in turn while people ask, assess as jobs and
make files; each is started again as systemd would. What was acknowledged with a 200 or 202 must be there at the end, once, and its owner's.
"""

import argparse
import json
import os
import random
import re
import secrets
import shutil
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import httpx  # noqa: E402

from assistant import jobs, record  # noqa: E402
from scripts.fleet import Fleet, fleet  # noqa: E402

PASSWORD = "correct horse battery"
QUESTION = "What does a consent manager do? For {}."
GOAL = 10.0  # seconds until the service is back


@dataclass
class Told:
    """What people were told, under a lock, and how often they were refused meanwhile."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    asks: dict[str, tuple[str, str]] = field(default_factory=dict)  # run: user, mark
    begun: dict[str, tuple[str, str]] = field(default_factory=dict)  # job: user, mark
    files: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Person:
    """Someone who asks, assesses and fetches files, and tries again when refused."""

    def __init__(self, all_of: Fleet, n: int, told: Told, ends: threading.Event, pause: float) -> None:
        self.fleet, self.n, self.told, self.ends, self.pause = all_of, n, told, ends, pause
        self.name, self.mark = f"user{n}", f"mark{secrets.token_hex(6)}"
        self.client = all_of.client(n, 30)

    def live(self) -> None:
        """Works until told to end."""
        turn = 0
        while not self.ends.is_set():
            turn += 1
            try:
                {0: self._assess, 2: self._fetch}.get(turn % 4, self._ask)()
            except Exception as error:
                self._note(type(error).__name__)
                self.client.close()
                self.n += 1  # without nginx: the next process
                cookies = self.client.cookies
                self.client = self.fleet.client(self.n, 30)
                self.client.cookies = cookies
            self.ends.wait(self.pause)

    def _note(self, what: str) -> None:
        with self.told.lock:
            self.told.refused[what] += 1

    def _do(self, method: str, path: str, **what: Any) -> httpx.Response | None:
        """The answer; None when it was refused for now."""
        said = self.client.request(method, path, **what)
        if said.status_code == 401:
            self._note("401")
            self.client.post("/login", data={"name": self.name, "password": PASSWORD})
            return None
        if said.status_code >= 429:
            self._note(str(said.status_code))
            return None
        if said.status_code >= 400:
            with self.told.lock:
                self.told.wrong.append(f"{method} {path} {said.status_code} {said.text[:120]}")
            return None
        return said

    def _ask(self) -> str:
        if said := self._do("POST", "/api/ask", json={"question": QUESTION.format(self.mark)}):
            with self.told.lock:
                self.told.asks[said.json()["audit"]] = (self.name, self.mark)
            return str(said.json()["audit"])
        return ""

    def _assess(self) -> str:
        card = f"# {self.mark}\n\nA model for chest radiographs in adults. It was trained on 400 images.\n".encode()
        said = self._do("POST", "/api/gaps", files={"card": ("README.md", card)}, data={"framework": "dpdp", "wait": "false"})
        if said is None:
            return ""
        id = str(said.json()["job"])
        with self.told.lock:
            self.told.begun[id] = (self.name, self.mark)
        for _ in range(100):
            seen = self._do("GET", f"/api/jobs/{id}")
            if seen and seen.json()["state"] not in ("queued", "running"):
                return str(seen.json()["run"])
            if self.ends.wait(0.5):
                break
        return ""

    def _fetch(self) -> None:
        if (run := self._assess()) and (said := self._do("GET", f"/export/{run}.xlsx")):
            with self.told.lock:
                self.told.files += len(said.content) > 1000


def back(all_of: Fleet, since: float) -> float:
    """Seconds from `since` until a question is answered and a job is done for someone who comes anew."""
    told, ends = Told(), threading.Event()
    probe = Person(all_of, 0, told, ends, 0)
    while time.monotonic() - since < 120:
        try:
            probe._do("POST", "/login", data={"name": probe.name, "password": PASSWORD})
            if probe._ask() and probe._assess():
                return time.monotonic() - since
        except httpx.HTTPError:
            probe = Person(all_of, probe.n + 1, told, ends, 0)
        time.sleep(0.2)
    return 120.0


def killed(all_of: Fleet, name: str) -> dict[str, Any]:
    """One kill: who, how long the service was away for someone who comes then, and until the process itself answered again."""
    since = time.monotonic()
    if name == "database":
        all_of.restart_database()
    else:
        part = all_of.parts[name]
        starts = part.starts
        part.kill()
        while part.starts == starts:
            time.sleep(0.05)
    away = back(all_of, since)
    if name in all_of.own:
        all_of.answers(all_of.own[name])  # one process at a time is away
    return {"killed": name, "service back": round(away, 1), "itself back": round(time.monotonic() - since, 1)}


def verified(all_of: Fleet, told: Told) -> dict[str, Any]:
    """Everything acknowledged held against the record."""
    deadline = time.monotonic() + 60
    rows = {j.id: j for j in jobs.newest(all_of.store, most=1 << 30)}
    while any(not j.ended for j in rows.values()) and time.monotonic() < deadline:
        time.sleep(1)
        rows = {j.id: j for j in jobs.newest(all_of.store, most=1 << 30)}
    chain = list(record.records(all_of.store))
    of = {r.id: r for r in chain}
    kinds = Counter(r.action for r in chain)
    lost = [run for run, (who, mark) in told.asks.items() if run not in of or of[run].user != who or mark not in str(record.run(all_of.store, run))]
    unended = [id for id, j in rows.items() if not j.ended]
    failed = [f"{j.kind} {j.state} {j.outcome}" for j in rows.values() if j.ended and j.state != "done"]
    lost_jobs = [
        id for id, (who, _) in told.begun.items() if id not in rows or rows[id].owner != who or rows[id].audit not in of or of[rows[id].audit].user != who
    ]
    crossed = [id for id, (_, mark) in told.begun.items() if id in rows and rows[id].run and set(_marks(all_of, rows[id].run)) - {mark}]
    done = Counter(j.kind for j in rows.values() if j.audit)
    return {
        "questions acknowledged": len(told.asks), "jobs acknowledged": len(told.begun), "files fetched": told.files, "questions lost or crossed": len(lost), "jobs lost": len(lost_jobs),
        "jobs crossed": len(crossed), "jobs not ended": len(unended), "jobs failed": failed[:5], "jobs taken up again": sum(j.tries > 1 for j in rows.values()),
        "records of jobs beyond one each": kinds["gaps"] + kinds["export"] - done["gaps"] - done["export"], "chain": record.verify_chain(chain).sound, "records": len(chain),
        "refused meanwhile": dict(told.refused), "wrong": told.wrong[:5], "tracebacks": all_of.tracebacks(),
    }  # fmt: skip


def _marks(all_of: Fleet, run: str) -> list[str]:
    found = record.run(all_of.store, run) or {}
    kept = record.run(all_of.store, f"card-{found['card']['sha256']}") if "card" in found else {}
    return re.findall(r"mark[0-9a-f]{12}", json.dumps([found, kept]))


def run(kills: int, users: int, seed: int = 7) -> tuple[bool, dict[str, Any]]:
    """Whether the goals were met, and the figures."""
    all_of, chance, told, ends = fleet(2), random.Random(seed), Told(), threading.Event()
    try:
        all_of.begin(users + 1, PASSWORD)
        people = [threading.Thread(target=Person(all_of, n, told, ends, 1.0).live) for n in range(1, users + 1)]
        for person in people:
            person.start()
        time.sleep(10)
        names = ["app1", "database", "worker", "app2", "model", *(["nginx"] if all_of.proxied else [])]
        found = []
        for n in range(kills):
            found.append(killed(all_of, names[n % len(names)]))
            sys.stderr.write(f"{json.dumps(found[-1])}\n")
            time.sleep(chance.uniform(2, 5))
        ends.set()
        for person in people:
            person.join()
        figures = verified(all_of, told)
    finally:
        ends.set()
        all_of.end()
    away = [f["service back"] for f in found]
    none = ("questions lost or crossed", "jobs lost", "jobs crossed", "jobs not ended", "records of jobs beyond one each")
    met = not any(figures[k] for k in none) and figures["chain"] and not figures["jobs failed"] and not figures["wrong"] and max(away) <= GOAL
    slowest = {name: max(f["service back"] for f in found if f["killed"] == name) for name in dict.fromkeys(f["killed"] for f in found)}
    shutil.rmtree(all_of.folder, ignore_errors=True)
    return met, {
        "kills": kills,
        "users": users,
        "nginx": all_of.proxied,
        "slowest back": slowest,
        **figures,
        "machine load": [round(x, 1) for x in os.getloadavg()],
    }


def main() -> int:
    """The command."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("kills", nargs="?", type=int, default=20)
    arguments.add_argument("users", nargs="?", type=int, default=10)
    given = arguments.parse_args()
    met, figures = run(given.kills, given.users)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
