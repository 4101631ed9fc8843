"""Ingest on Ray: a cluster of two nodes on the loopback, one of them killed in the middle; the same library as without Ray; this machine's own cores."""

import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant import corpus, ray_ingest
from assistant.embed import Embedder
from assistant.errors import NotReady, UsageError
from assistant.settings import Settings
from assistant.workbench import Workbench
from tests.crash import SOUND

ROOT = Path(__file__).resolve().parents[1]
HEAD, SECOND = "127.0.0.2", "127.0.0.3"
SOON = {
    "RAY_worker_niceness": "0",
    "RAY_health_check_initial_delay_ms": "500",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_failure_threshold": "3",
}  # a dead node is missed soon; workers are not put behind every other process


def start(*options: str) -> subprocess.Popen[str]:
    """A node of a Ray cluster with one core, once it stands."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus=1", "--disable-usage-stats", "--object-store-memory=100000000"]
    node = subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert node.stdout
    told = []
    for line in node.stdout:
        told.append(line)
        if "Ray runtime started" in line:
            return node
    raise AssertionError("".join(told[-5:]))


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster of two nodes with one core each."""
    if not find_spec("ray"):
        pytest.skip("Ray is not installed")
    with socket.socket() as free:
        free.bind((HEAD, 0))
        address = f"{HEAD}:{free.getsockname()[1]}"
    nodes = []
    with pytest.MonkeyPatch.context() as env, tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        for name, value in {**SOON, "PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}.items():
            env.setenv(name, value)
        import ray  # reads them

        try:
            port = f"--port={address.partition(':')[2]}"
            nodes.append(start("--head", f"--node-ip-address={HEAD}", port, "--include-dashboard=false", f"--temp-dir={folder}"))
            nodes.append(start(f"--address={address}", f"--node-ip-address={SECOND}"))
            yield address
        finally:
            ray.shutdown()
            for node in reversed(nodes):
                node.terminate()
            for node in nodes:
                node.wait(60)


def processes(**wanted: bytes) -> list[int]:
    """The processes of this machine whose command line holds all these words."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if all(word in told for word in wanted.values()):
            found.append(int(entry.name))
    return found


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


def texts(n: int) -> list[str]:
    return [f"Record {i} of the device: " + "what was measured, by whom and when; " * (1 + i % 7) for i in range(n)]


def vectors_of(bench: Workbench) -> dict[str, Any]:
    lib = bench.library
    return {h: lib.vectors[k] for h, k in lib.vector_index().items()}


def test_a_cluster_gives_the_library_that_one_process_gives(cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = tuple(i for i in corpus.digest_instruments() if i.id == "dpdp-rules")
    monkeypatch.setattr(corpus, "digest_instruments", lambda: few)
    odd = tmp_path / "odd.xml"
    odd.write_bytes(SOUND[0].read_bytes().replace(b"<HEAD>", b"<HEAD", 1))
    told: list[str] = []
    plain, spread = (Workbench(Settings(home=tmp_path / name, llm="none"), told.append) for name in ("plain", "spread"))
    reports = [plain.ingest([*SOUND, odd]), spread.ingest([*SOUND, odd], ray=cluster)]
    assert {**reports[0], "seconds": 0} == {**reports[1], "seconds": 0} and reports[0]["instruments"]
    ours, theirs = vectors_of(plain), vectors_of(spread)
    assert ours.keys() == theirs.keys() and all(np.allclose(ours[h], theirs[h], atol=1e-6) for h in ours)
    assert not (tmp_path / "spread" / "embedding").exists() and any(line.startswith("embedded ") for line in told)
    again = spread.ingest([*SOUND, odd], ray=cluster)
    assert (again["embedded"], again["corpus_digest"]) == (0, reports[0]["corpus_digest"])


def test_a_worker_with_another_embedder_is_refused(cluster: str, tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="A worker has another embedder") as error:
        with ray_ingest.workers(cluster, None, "0" * 64, tmp_path, lambda _: None) as workers:
            workers.embed(["one kind of record"])
    assert "PINCITE_EMBEDDER" in error.value.hint and "\n" not in error.value.line()


def test_a_node_that_dies_costs_no_passage_and_what_is_broken_off_goes_on(cluster: str, tmp_path: Path, embedder: Embedder) -> None:
    asked = texts(800)
    told: list[str] = []

    def stop(line: str) -> None:
        told.append(line)
        raise KeyboardInterrupt

    def kill(line: str) -> None:
        told.append(line)
        if len(told) == 2:
            [raylet] = processes(what=b"raylet/raylet", where=f"--node_ip_address={SECOND}".encode())
            os.kill(raylet, 9)

    with pytest.raises(KeyboardInterrupt), ray_ingest.workers(cluster, None, embedder.sha256, tmp_path, stop) as workers:
        workers.embed(asked)
    kept = sorted((tmp_path / "embedding").rglob("*.npz"))
    assert len(kept) == 1
    first = int(told[0].split()[1])
    with ray_ingest.workers(cluster, None, embedder.sha256, tmp_path, kill) as workers:
        found = workers.embed([*asked, asked[0]])
    numbers = [int(line.split()[1]) for line in told]
    assert numbers[1] > first and numbers[-1] == len(asked) and len(told) > 3, "what was kept is not embedded again, and each text once"
    assert not processes(what=b"raylet/raylet", where=f"--node_ip_address={SECOND}".encode())
    assert np.allclose(found[:-1:97], embedder.embed_documents(asked[::97]), atol=1e-6) and np.array_equal(found[0], found[-1])
    assert not (tmp_path / "embedding").exists()


def test_what_was_written_when_the_machine_went_down_is_embedded_again(tmp_path: Path) -> None:
    workers = ray_ingest.Workers(None, "x", tmp_path, lambda _: None)
    workers._keep(["a", "b"], np.eye(2, dtype=np.float32))
    workers._keep(["c"], np.ones((1, 2), dtype=np.float32))
    assert set(workers._held()) == {"a", "b", "c"}
    torn = sorted(tmp_path.glob("*.npz"))[0]
    torn.write_bytes(torn.read_bytes()[:100])
    assert set(workers._held()) in ({"a", "b"}, {"c"}) and not torn.exists()


@pytest.mark.skipif(not find_spec("ray"), reason="Ray is not installed")
def test_this_machines_own_cores_listen_on_the_loopback_alone(tmp_path: Path, embedder: Embedder) -> None:
    code = f"""
import re, subprocess, sys
from pathlib import Path
from assistant import ray_ingest
def cmdline(entry):
    try:
        return (entry / "cmdline").read_bytes()
    except OSError:
        return b""
with ray_ingest.workers("local", None, {embedder.sha256!r}, Path({str(tmp_path)!r}), lambda _: None) as workers:
    print(workers.embed(["one kind of record", "another"]).shape)
    import ray
    print(ray.nodes()[0]["NodeManagerAddress"])
    sockets = {{}}
    for name in ("tcp", "tcp6"):
        for line in Path("/proc/net", name).read_text().splitlines()[1:]:
            where, _, state, *_, inode = line.split()[1:10]
            if state == "0A":
                sockets[inode] = where.partition(":")[0]
    session = ray._private.worker._global_node.get_session_dir_path()
    found = set()
    mine = {{e.name for e in Path("/proc").glob("[0-9]*") if session.encode() in cmdline(e)}}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            if entry.name in mine or (parent in mine and cmdline(entry).startswith(b"ray::")):  # its workers change their names
                found |= {{sockets.get(l[8:-1]) for l in (str(f.readlink()) for f in (entry / "fd").iterdir()) if l.startswith("socket:[")}}
        except OSError:
            pass
    print(sorted(f for f in found if f))
"""
    env = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env={**env, "HOME": str(tmp_path)}, timeout=200)
    shape, node, listening = done.stdout.splitlines() or [done.stderr, "", ""]
    assert (shape, node) == ("(2, 384)", "127.0.0.1"), done.stderr
    assert set(eval(listening)) and set(eval(listening)) <= {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}, listening
    assert list(tmp_path.iterdir()) == [], "neither a token nor a vector is left behind"


@pytest.mark.skipif(not find_spec("ray"), reason="Ray is not installed")
@pytest.mark.parametrize("address", ["ray://other:10001", "other", "/tmp/x"])
def test_an_address_that_is_none_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no address"), ray_ingest.workers(address, None, "x", tmp_path, lambda _: None):
        pass


def test_without_ray_one_line_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_ingest, "find_spec", lambda _: None)
    with pytest.raises(NotReady, match="not installed") as error, ray_ingest.workers("local", None, "x", tmp_path, lambda _: None):
        pass
    assert "pip install" in error.value.hint
