"""Long work as rows of the record, on both stores: taken by one worker at a time, done once, ended by a word, shown to its owner."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assistant import jobs, record, sessions, worker
from assistant.errors import NotReady, Overtaken
from assistant.jobs import Job
from assistant.record import Store
from assistant.ui import work
from assistant.worker import Worker, card_files
from tests.fakes import stub_bench

CARD = Path(__file__).resolve().parents[1] / "corpus" / "cards" / "chest-xray-triage"
NOW = "2026-11-22T10:00:00.000+00:00"


def begun(store: Store, kind: str = "gaps", owner: str = "ann", made: str = NOW, files: Any = ()) -> str:
    return jobs.submit(store, made, owner, kind, "Assessing a card", {"as_of": "2026-11-22"}, files)


def held(store: Store, id: str) -> Job:
    found = jobs.job(store, id)
    assert found
    return found


@pytest.fixture
def bench(store: Store, home: Path) -> Any:
    made = stub_bench(home)
    made.store = store
    return made


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Calling it makes every worker that has not beaten in this very moment count as dead."""

    def now() -> None:
        monkeypatch.setattr(jobs, "DEAD", -1.0)

    return now


# ---- the table ---------------------------------------------------------------------------------------------------


def test_each_job_goes_to_one_worker(store: Store) -> None:
    ids, taken, lock = [begun(store) for _ in range(12)], [], threading.Lock()

    def work_all() -> None:
        while job := jobs.take(store, threading.current_thread().name):
            with lock:
                taken.append(job.id)

    threads = [threading.Thread(target=work_all) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(taken) == sorted(ids) and jobs.take(store, "late") is None


def test_whoever_has_least_running_comes_first_then_who_came_first(store: Store) -> None:
    a1, a2, b = begun(store, owner="ann", made="1"), begun(store, owner="ann", made="2"), begun(store, owner="bob", made="3")
    order = [job.id for job in (jobs.take(store, "w") for _ in range(3)) if job]
    assert order == [a1, b, a2]


def test_a_dead_workers_job_is_taken_up_and_recorded_once(store: Store, dead: Callable[[], None]) -> None:
    id = begun(store, files=[("card", "README.md", b"words")])
    assert jobs.take(store, "first") and jobs.take(store, "second") is None, "the first beats"
    dead()
    again = jobs.take(store, "second")
    assert again and (again.id, again.tries) == (id, 2)

    def append(worker: str) -> record.AuditRecord:
        return record.append(store, NOW, "ann", "gaps", {}, run=("gaps", lambda run: {"run": run}), job=(id, worker))

    with pytest.raises(Overtaken):
        append("first")
    written = append("second")
    with pytest.raises(Overtaken):
        append("second")
    assert not jobs.finish(store, id, "first", "failed", {}) and jobs.finish(store, id, "second", "done", {"said": "Done"})
    assert [r.id for r in record.records(store)] == [written.id] and record.run(store, written.id) == {"run": written.id}
    ended = held(store, id)
    assert (ended.state, ended.run, ended.audit, jobs.files(store, id, "card")) == ("done", written.id, written.id, [])
    assert record.verify_chain(record.records(store)).sound


def test_a_job_that_ends_its_workers_is_given_up(store: Store, dead: Callable[[], None]) -> None:
    id = begun(store)
    dead()
    assert sum(jobs.take(store, f"w{n}") is not None for n in range(9)) == jobs.TRIES
    assert held(store, id).state == "failed" and "ended its worker" in held(store, id).outcome["said"]


@pytest.mark.parametrize("taken", [False, True])
def test_a_cancelled_job_writes_nothing(store: Store, taken: bool) -> None:
    id = begun(store, files=[("card", "README.md", b"words")])
    if taken:
        jobs.take(store, "w")
    assert jobs.to_stop(store, {id: "w"}) == (set() if taken else {id})
    jobs.cancel(store, [id])
    assert jobs.to_stop(store, {id: "w"}) == {id} and jobs.take(store, "other") is None
    with pytest.raises(Overtaken):
        record.append(store, NOW, "ann", "gaps", {}, job=(id, "w"))
    jobs.finish(store, id, "w", "done", {})
    assert held(store, id).state == "cancelled" and not list(record.records(store)) and jobs.files(store, id, "card") == []


def test_what_was_cancelled_while_its_worker_was_dead_is_not_taken_up(store: Store, dead: Callable[[], None]) -> None:
    id = begun(store)
    jobs.take(store, "w")
    jobs.cancel(store, [id])
    dead()
    assert jobs.take(store, "other") is None and held(store, id).state == "cancelled"


def test_a_beat_tells_how_far_a_job_is(store: Store) -> None:
    id = begun(store)
    jobs.take(store, "w")
    jobs.beat(store, id, "w", "requirement 1 of 4", 1, 4)
    jobs.beat(store, id, "another", "nonsense", 9, 9)
    seen = held(store, id)
    assert (seen.step, seen.place, seen.places) == ("requirement 1 of 4", 1, 4) and seen.left is not None
    assert [j.id for j in jobs.unended(store, "ann")] == [id] and jobs.unended(store, "bob") == []


def test_with_a_run_goes_its_job_and_its_files(store: Store) -> None:
    id = jobs.submit(store, NOW, "ann", "export", "Making a file", {}, [], run="r1")
    jobs.keep_result(store, id, "x.docx", b"bytes\x00")
    record.keep_run(store, "r1", NOW, "gaps", {})
    assert jobs.files(store, id, "result") == [("result", "x.docx", b"bytes\x00")]
    record.erase_run(store, "r1")
    assert jobs.job(store, id) is None and jobs.files(store, id, "result") == []


def test_a_backup_carries_jobs_but_no_sign_in(store: Store, tmp_path: Path) -> None:
    record.keep_user(store, record.User("ann", "admin", record.secret_of("a long password")))
    doors = sessions.Sessions(store)
    token = doors.sign_in("ann", "a long password").token
    id = begun(store, files=[("card", "README.md", b"words")])
    (tmp_path / "copy").mkdir()
    record.copy(store, tmp_path / "copy" / "record.sqlite")
    assert jobs.files(tmp_path / "copy", id, "card") == [("card", "README.md", b"words")]
    assert doors.of(token)[0] == sessions.Session("ann", "admin") and sessions.Sessions(tmp_path / "copy").of(token) == (None, True)
    assert token.encode() not in (tmp_path / "copy" / "record.sqlite").read_bytes()


# ---- the worker --------------------------------------------------------------------------------------------------


def test_a_card_is_assessed_by_whichever_worker_takes_it(bench: Any) -> None:
    kept, how = card_files(CARD)
    wanted = {"as_of": "2026-11-22", "frameworks": ["gdpr"], "everything": False, "since": "", "project": ""}
    id = jobs.submit(bench.store, NOW, "ann", "gaps", "Assessing a card", {**wanted, **how}, kept)  # as another process would
    other = Worker(bench)
    other.start()
    ended = other.wait(id)
    other.close()
    direct = bench.gaps(CARD, "2026-11-22", ("gdpr",))
    made = bench.run(ended.run)
    assert (ended.state, made["owner"], made["kind"]) == ("done", "ann", "gaps")
    assert [(f["requirement"], f["status"]) for f in made["findings"]] == [(f["requirement"], f["status"]) for f in direct["findings"]]
    assert made["card"] == direct["card"] and [r.id for r in bench.audit_tail(9) if r.action == "gaps"] == [ended.run, direct["run"]]


def counting(bench: Any, job: Job, folder: Path) -> dict[str, Any]:
    for n in range(1, 2000):
        bench.step(f"file {n} of 2000")
        time.sleep(0.01)
    return {"said": "not cancelled"}


@pytest.mark.parametrize("by", ["the page's own process", "another process"])
def test_a_running_job_hears_that_it_is_to_end(bench: Any, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_work", counting)
    here = Worker(bench)
    id = here.submit("gaps", {})
    while not here.job(id).places:
        time.sleep(0.05)
    Worker(bench).cancel("bob") if by == "another process" else here.cancel("bob")
    assert held(bench.store, id).state == "running", "one's own jobs only"
    (Worker(bench) if by == "another process" else here).cancel("")
    ended = here.wait(id)
    assert ended.state == "cancelled" and "cancelled" in work.outcome(ended)


def test_a_job_that_fails_says_why(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> dict[str, Any]:
        raise NotReady("Another ingest is running", "Wait for it")

    monkeypatch.setattr(worker, "_work", fails)
    here = Worker(bench)
    *_, last = work.watch(here, here.submit("ingest", {}))
    assert "Another ingest is running. Wait for it" in last and jobs.newest(bench.store)[0].state == "failed"


def test_an_overtaken_worker_leaves_the_job_to_the_other(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers do the same job at the same time: the first seemed dead. One record, one run."""
    free, both = threading.Event(), threading.Semaphore(0)

    def slow(bench: Any, job: Job, folder: Path) -> dict[str, Any]:
        both.release()
        assert free.wait(20)
        return {"said": bench._write_run("gaps", {}, {"schema": "x"})["run"]}

    monkeypatch.setattr(worker, "_work", slow)
    monkeypatch.setattr(jobs, "DEAD", -1.0)
    monkeypatch.setattr(worker, "AT_ONCE", 1)
    one, two = Worker(bench), Worker(bench)
    id = one.submit("gaps", {})
    assert both.acquire(timeout=20)
    two.start()
    assert both.acquire(timeout=20)
    monkeypatch.setattr(jobs, "DEAD", 60.0)
    free.set()
    ended = two.wait(id)
    two.close()
    assert ended.state == "done" and [r.id for r in bench.audit_tail(9) if r.action == "gaps"] == [ended.run]


# ---- what the pages show -----------------------------------------------------------------------------------------


def test_progress_counts_and_estimates() -> None:
    job = Job("1", "gaps", "ann", "Assessing", {}, "running", NOW, 10.0, "w", 2, "requirement 50 of 200", 50, 200, "", "", {})
    shown = work.progress(job)
    assert 'max="200" value="50"' in shown and "about 30 s left" in shown and "10 s so far" in shown and "try 2" in shown


def test_the_list_of_long_work_is_the_users_and_links_its_files(bench: Any) -> None:
    mine, other = begun(bench.store, owner="ann", made="1"), begun(bench.store, owner="bob", made="2")
    jobs.take(bench.store, "w")
    jobs.finish(bench.store, mine, "w", "done", {"said": "x.pdf is ready", "file": "x.pdf"})
    here = Worker(bench)
    assert f"/export/job-{mine}.pdf" in work.overview(here, "ann") and "bob" not in work.overview(here, "ann") and "bob" in work.overview(here)
    assert held(bench.store, other).state == "queued"
