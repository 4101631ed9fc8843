"""Nothing leaves the machine: not by ingest, ask, gaps, the vector store or the app, even where nobody opted out of anything."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STAGES = ["ingest", "ask", "gaps", "chroma", "app"]


def guarded(home: Path, *before: str) -> subprocess.CompletedProcess[str]:
    bare = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(home), "LANG": "C.UTF-8"}
    return subprocess.run([*before, sys.executable, "-m", "tests.guard", str(home / "data")], cwd=ROOT, capture_output=True, text=True, timeout=280, env=bare)


@pytest.mark.slow
def test_no_connection_beyond_loopback(tmp_path: Path) -> None:
    done = guarded(tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {"done": STAGES, "reached": []}


def test_the_guard_sees_a_connection(tmp_path: Path) -> None:
    code = "import sys; from tests import guard; sys.addaudithook(guard.watch)\nimport socket\ntry: socket.create_connection(('192.0.2.1', 9), 1)\nexcept OSError: pass\nprint(guard.REACHED)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "192.0.2.1" in done.stdout


@pytest.mark.parametrize(
    ("llm", "host", "ok", "says"),
    [
        ("none", "", True, "nobody beyond this machine"),
        ("none", "192.0.2.1", False, "asked for 192.0.2.1"),
        ("http://192.0.2.1:9/v1", "192.0.2.1", True, "only the model server 192.0.2.1"),
    ],
)
def test_the_doctor_shows_what_was_reached(llm: str, host: str, ok: bool, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process of its own: a watch cannot be taken off again."""
    code = (
        "import sys, socket; from pathlib import Path; from assistant.settings import Settings; from assistant.workbench import Workbench; from assistant.errors import NotReady\n"
        "def prove(self):\n"
        "    try: socket.create_connection((sys.argv[2], 9), 0.1) if sys.argv[2] else None\n"
        "    except OSError: pass\n"
        "    return 'proved'\n"
        "Workbench.prove_model = prove\n"
        "found = Workbench(Settings(home=Path(sys.argv[1]), llm=sys.argv[3])).doctor()\n"
        "[one] = [c for c in found['checks'] if c['check'] == 'egress']; print(one['ok'], one['detail'])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path), host, llm], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.startswith(str(ok)) and says in done.stdout, done.stdout + done.stderr


@pytest.mark.slow
def test_everything_works_where_there_is_no_network_at_all(tmp_path: Path) -> None:
    if not shutil.which("unshare") or subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode:
        pytest.skip("no network namespace can be made here")
    done = guarded(tmp_path, "unshare", "-rn")
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1])["done"] == STAGES


@pytest.mark.slow
def test_no_system_call_beyond_loopback_by_any_process(tmp_path: Path) -> None:
    """Seen from outside, over all children and native code too."""
    trace = tmp_path / "trace"
    if not shutil.which("strace") or subprocess.run(["strace", "-o", str(trace), "true"], capture_output=True).returncode:
        pytest.skip("strace is not here, or may not trace")
    done = guarded(tmp_path, "strace", "-f", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg", "-o", str(trace))
    assert done.returncode == 0 and json.loads(done.stdout.splitlines()[-1])["done"] == STAGES, done.stderr[-2000:]
    calls = [line for line in trace.read_text("utf8", "replace").splitlines() if "AF_INET" in line]
    assert [p.name for p in tmp_path.iterdir() if p.name != "trace"] == ["data"], "something wrote beside the data folder"
    beyond = [line for line in calls if not re.search(r'inet_addr\("127\.|"::1"|inet_addr\("0\.0\.0\.0"\)', line)]
    assert beyond == []
