"""Killed at any point, out of space, shut out or damaged: one clear line, the right exit code, and the next start needs no hand."""

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from assistant import library, record
from tests import crash
from tests.fakes import stub_bench

ROOT = Path(__file__).resolve().parents[1]


def child(*arguments: str, **options: Any) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.crash", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def done(*arguments: str, **options: Any) -> tuple[int, str, str]:
    process = child(*arguments, **options)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def killed_after(seconds: float, *arguments: str) -> list[str]:
    """What the child said before it was killed, so long after it began its work; whole lines only."""
    process = child(*arguments)
    assert process.stdout
    first = process.stdout.readline()
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    rest = process.stdout.read()
    process.wait()
    return [line for line in (first + rest).split("\n")[:-1] if line]


def kill_ingests(home: Path, times: int, seed: int) -> dict[str, float]:
    """Kills ingests at random points of one that is let through; every next start resumes. The longest recovery and how many were killed in the work."""
    chance, process = random.Random(seed), child("ingest", str(home / "whole"))
    assert process.stdout
    process.stdout.readline()  # "start": from here on it works
    begun = time.monotonic()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    wanted, span = out.split()[-1], time.monotonic() - begun
    longest, inside = 0.0, 0
    for n in range(times):
        folder = home / f"{n}"
        if n % 2:
            shutil.copytree(home / "whole", folder)
            (folder / "library" / "current").unlink()
        said = killed_after(chance.uniform(0, span * 0.9), "ingest", str(folder))
        inside += len(said) == 1
        library.current(folder)  # whatever is there is whole or is not there
        started = time.monotonic()
        code, out, err = done("ingest", str(folder))
        longest = max(longest, time.monotonic() - started)
        assert (code, out.split()[-1], err) == (0, wanted, ""), f"kill {n}"
        held = library.current(folder)
        assert held and held.digest == wanted and not held.damaged() and record.verify_chain(record.records(folder)).sound
        assert {p.name for p in (folder / "library").iterdir()} == {"current", held.folder.name}, "nothing is left behind"
        shutil.rmtree(folder)
    return {"kills": times, "inside": inside, "recovery": round(longest, 2), "undisturbed": round(span, 2)}


@pytest.mark.slow
def test_an_ingest_killed_anywhere_is_resumed_by_the_next(tmp_path: Path) -> None:
    assert kill_ingests(tmp_path, 2, seed=1)["kills"] == 2


def test_every_step_of_a_build_may_be_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop at each call that touches the disk, as if the power went there; then an ingest without a hand."""
    monkeypatch.setattr("assistant.corpus.digest_instruments", lambda: ())
    bench = stub_bench(tmp_path / "whole")
    first, second = crash.SOUND
    wanted = bench.ingest([first, second])["corpus_digest"]
    home = tmp_path / "home"
    old = stub_bench(home).ingest([first])["corpus_digest"]

    class Stop(BaseException):
        pass

    steps = 0
    while True:
        left, seen = steps, []

        def stepping(real: Any, seen: list[int] = seen, left: int = left) -> Any:
            def step(*arguments: Any, **options: Any) -> Any:
                seen.append(1)
                if len(seen) > left:
                    raise Stop
                return real(*arguments, **options)

            return step

        with pytest.MonkeyPatch.context() as patched:
            for name in ("fsync",):
                patched.setattr(os, name, stepping(getattr(os, name)))
            for name in ("rename", "mkdir", "write_text"):
                patched.setattr(Path, name, stepping(getattr(Path, name)))
            try:
                stub_bench(home).ingest([second])
            except Stop:
                pass
            else:
                break
        held = library.current(home)
        assert held and not held.damaged() and held.digest in (old, wanted), f"step {steps}"
        steps += 1
    assert steps > 8
    assert stub_bench(home).ingest([second])["corpus_digest"] == wanted and record.verify_chain(record.records(home)).sound


def test_an_ask_killed_in_the_middle_loses_nothing_acknowledged(tmp_path: Path) -> None:
    assert done("ingest", str(tmp_path))[0] == 0
    asked = killed_after(1.5, "ask", str(tmp_path))[1:]
    chain = list(record.records(tmp_path))
    assert asked and set(asked) <= {r.id for r in chain} and record.verify_chain(chain).sound
    assert all(record.kept(tmp_path, id) for id in asked)


@pytest.mark.parametrize("what", ["review", "export"])
def test_a_decision_or_export_killed_in_the_middle_is_whole_or_not_there(what: str, tmp_path: Path) -> None:
    """What was acknowledged is on the chain, and a decision's words are never there without their record, or the other way round."""
    said = killed_after(1.0, what, str(tmp_path))[1:]
    chain = list(record.records(tmp_path))
    assert said and set(said) <= {r.id for r in chain} and record.verify_chain(chain).sound
    decided = [r for r in chain if r.action == "review"]
    assert {r.id for r in decided} == {r.id for run in {str(d.body["run"]) for d in decided} for r in record.reviews(tmp_path, run)}


def test_a_clock_that_jumps_breaks_no_session_and_no_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Days and instants of the record are the machine's; their order is the chain's, whatever the clock says."""
    bench = stub_bench(tmp_path)
    for day in ("2026-11-22T10:00:00.000+00:00", "1970-01-01T00:00:00.000+00:00", "2099-12-31T23:59:59.000+00:00", "2026-11-22T09:00:00.000+00:00"):
        monkeypatch.setattr("assistant.workbench.core.now", lambda day=day: day)
        bench.keep_chat("", f"at {day}", [])
        bench.write("mark", {"at": day})
    assert bench.verify_audit().sound and len(bench.chats()) == 4
    assert [r.body["at"][:4] for r in bench.audit_tail(4)] == ["2026", "1970", "2099", "2026"]


# ---- no space ----------------------------------------------------------------------------------------------------


def test_no_space_for_the_record(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    code, out, err = done("write", str(tmp_path), "1000", preexec_fn=limit)
    assert code == 3 and err.count("\n") == 1 and "cannot be written" in err
    acknowledged = set(out.split())
    chain = list(record.records(tmp_path))
    assert acknowledged and acknowledged <= {r.hash for r in chain} and record.verify_chain(chain).sound
    assert record.append(tmp_path, "t", "ann", "note", {}).seq == len(chain) + 1, "with space again it goes on"


def test_no_space_for_the_library(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    code, _, err = done("ingest", str(tmp_path), preexec_fn=limit)
    assert code == 3 and err.count("\n") == 1 and "space" in err
    assert library.current(tmp_path) is None
    assert done("ingest", str(tmp_path))[0] == 0


def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("no small disk can be made here (needs the right to mount)")
    try:
        code, _, err = done("ingest", str(disk))
        assert code == 3 and err.count("\n") == 1, err
        code, out, err = done("write", str(disk), "1000")
        assert code == 3 and err.count("\n") == 1, err
        assert set(out.split()) <= {r.hash for r in record.records(disk)}
    finally:
        subprocess.run(["umount", str(disk)], check=True)


# ---- shut out, locked, damaged -----------------------------------------------------------------------------------


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="the superuser may write anywhere")
@pytest.mark.parametrize("what", ["ingest", "write"])
def test_a_folder_that_may_only_be_read(what: str, tmp_path: Path) -> None:
    home = Path("/proc/sys/kernel/pincite") if os.geteuid() == 0 else tmp_path / "closed" / "home"  # closed to the superuser too
    (tmp_path / "closed").mkdir(mode=0o500)
    code, _, err = done(what, str(home), *(["1"] if what == "write" else []))
    assert code == 3 and err.count("\n") == 1 and "data folder" in err, err


def test_a_second_ingest_is_told_at_once(tmp_path: Path) -> None:
    with library.write_lock(tmp_path):
        started = time.monotonic()
        code, _, err = done("ingest", str(tmp_path))
        assert code == 3 and "Another ingest" in err and err.count("\n") == 1 and time.monotonic() - started < 30


def test_a_record_held_by_another_is_waited_for_and_then_said(tmp_path: Path) -> None:
    record.append(tmp_path, "t", "ann", "note", {})
    db = sqlite3.connect(tmp_path / "record.sqlite", isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    code, _, err = done("write", str(tmp_path), "1")
    db.close()
    assert code == 3 and "in use" in err and err.count("\n") == 1
    assert done("write", str(tmp_path), "1")[0] == 0


@pytest.mark.parametrize("damage", [b"", b"x" * 5000])
def test_a_damaged_record_names_the_way_out(damage: bytes, tmp_path: Path) -> None:
    record.append(tmp_path, "t", "ann", "note", {})
    (tmp_path / "record.sqlite").write_bytes(damage or b"SQLite format 3\0" + b"\0" * 4000)
    code, _, err = done("write", str(tmp_path), "1")
    assert code == 3 and "pincite restore" in err and err.count("\n") == 1


def test_two_ingests_one_after_the_other_from_two_processes(tmp_path: Path) -> None:
    both = [child("ingest", str(tmp_path)) for _ in range(2)]
    ends = [(p.communicate(timeout=120), p.returncode) for p in both]
    assert sorted(code for _, code in ends) in ([0, 0], [0, 3]), ends
    held = library.current(tmp_path)
    assert held and not held.damaged() and record.verify_chain(record.records(tmp_path)).sound
