"""Whatever a document does to its reader, the program answers in one line and goes on."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assistant import sandbox
from assistant.errors import NotReady, PinciteError, Unreadable
from assistant.law import Instrument, Provision, Span
from assistant.pinpoint import Pinpoint
from assistant.sandbox import CALLS_PER_CHILD, Sandbox, call

ROOT = Path(__file__).resolve().parents[1]


def double(n: int) -> int:
    return 2 * n


def echo(value: Any) -> Any:
    return value


def pid() -> int:
    return os.getpid()


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def spin() -> None:
    while True:
        pass


def fill_memory() -> int:
    rows: list[bytes] = []
    while True:
        rows.append(bytes(10_000_000))


def one_large_block(mb: int) -> int:
    return len(bytearray(mb << 20))


def leave(code: int) -> None:
    os._exit(code)


def die(number: int) -> None:
    signal.raise_signal(number)


def recurse(n: int) -> int:
    return recurse(n + 1) + 1


def stumble() -> None:
    raise KeyError("missing\nsecond line")


def refuse() -> None:
    raise Unreadable("no-text", "the file holds no text", "Run OCR on it first")


def not_ready() -> None:
    raise NotReady("nothing is there", "Run something")


def connect() -> None:
    socket.create_connection(("127.0.0.1", 9), timeout=1)


def look_up() -> None:
    socket.getaddrinfo("localhost", 80)


def run_something() -> None:
    subprocess.run(["true"])


def fork() -> int:
    return os.fork()


def write(path: str) -> None:
    Path(path).write_text("x")


def delete(path: str) -> None:
    os.remove(path)


def heavy_modules() -> list[str]:
    return sorted(set(sys.modules) & {"torch", "numpy", "chromadb", "langchain_core", "gradio", "llama_cpp", "pandas", "rich", "typer"})


def environment() -> dict[str, str]:
    return dict(os.environ)


class Gadget:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, ("true",))


def give_a_lock() -> Any:
    return threading.Lock()


def take_over() -> Any:
    return Gadget()


def instrument() -> list[Instrument]:
    at = Pinpoint.parse("gdpr:art-35(7)")
    assert at
    provision = Provision(at, "paragraph", "", "7.", Span(0, 5), -1)
    return [Instrument("gdpr", "gdpr", "T", "regulation", "2016-04-27", "official", "original", "eurlex", "f", "0" * 64, "Words", (provision,))]


@pytest.fixture
def box() -> Any:
    box = Sandbox(1)
    yield box
    box.close()


def code_of(function: Callable[..., Any], *args: Any, **limits: Any) -> str:
    with pytest.raises(Unreadable) as caught:
        call(function, *args, **limits)
    assert "\n" not in caught.value.line() and caught.value.hint
    assert call(double, 21) == 42, "the next call is served"
    return caught.value.code


@pytest.mark.parametrize("value", [None, 1, 2.5, "§ “x” 個\x00", b"\xff" * 5_000_000, [1, (2, {"a": {3}})], {"k": [True]}, Span(1, 2)])
def test_plain_values_and_nouns_come_back(value: Any) -> None:
    assert call(echo, value) == value


def test_an_instrument_comes_back_whole() -> None:
    assert call(instrument) == instrument()


ENDS = [
    ("an endless loop", spin, (), {"seconds": 0.7}, "timeout"),
    ("a reader that waits", sleep, (60,), {"seconds": 0.5}, "timeout"),
    ("a reader that fills memory", fill_memory, (), {"memory_mb": 256}, "memory"),
    ("one block that is too large", one_large_block, (2000,), {"memory_mb": 512}, "memory"),
    ("a silent exit", leave, (0,), {}, "crashed"),
    ("an exit with a code", leave, (3,), {}, "crashed"),
    ("killed from outside", die, (signal.SIGKILL,), {}, "crashed"),
    ("a segmentation fault", die, (signal.SIGSEGV,), {}, "crashed"),
    ("processor time used up", die, (signal.SIGXCPU,), {}, "timeout"),
    ("too deep a recursion", recurse, (0,), {}, "crashed"),
    ("an unforeseen error", stumble, (), {}, "crashed"),
    ("a connection", connect, (), {}, "crashed"),
    ("a look-up", look_up, (), {}, "crashed"),
    ("another program", run_something, (), {}, "crashed"),
    ("a fork", fork, (), {}, "crashed"),
    ("an answer that would run code", take_over, (), {}, "crashed"),
    ("an answer that cannot be sent", give_a_lock, (), {}, "crashed"),
]


@pytest.mark.parametrize(("what", "function", "args", "limits", "code"), ENDS, ids=lambda x: x if isinstance(x, str) else "")
def test_an_ill_end_is_one_line(what: str, function: Callable[..., Any], args: tuple[Any, ...], limits: dict[str, Any], code: str) -> None:
    started = time.monotonic()
    assert code_of(function, *args, **limits) == code
    assert time.monotonic() - started < 5


def test_a_block_within_the_limit_is_allowed() -> None:
    assert call(one_large_block, 300, memory_mb=1024) == 300 << 20


def test_the_reason_names_the_place() -> None:
    with pytest.raises(Unreadable, match=r"KeyError: 'missing\\nsecond line' \(test_sandbox.py:\d+\)"):
        call(stumble)
    with pytest.raises(Unreadable, match="not allowed"):
        call(connect)


def test_nothing_is_written_or_deleted(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("safe")
    assert code_of(write, str(tmp_path / "new")) == code_of(write, str(kept)) == code_of(delete, str(kept)) == "crashed"
    assert kept.read_text() == "safe" and not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("function", "kind", "line"),
    [(refuse, Unreadable, "the file holds no text. Run OCR on it first"), (not_ready, NotReady, "nothing is there. Run something")],
)
def test_a_refusal_passes_as_it_is(function: Callable[[], None], kind: type[PinciteError], line: str) -> None:
    with pytest.raises(kind) as caught:
        call(function)
    assert type(caught.value) is kind and caught.value.line() == line
    assert getattr(caught.value, "code", "no-text") == "no-text"


def test_the_child_is_light_and_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "secret")
    box = Sandbox(1)
    assert box.call(heavy_modules) == []
    assert "SOME_TOKEN" not in box.call(environment)
    box.close()


def test_one_child_serves_many_calls_quickly(box: Sandbox) -> None:
    first = box.call(pid)
    started = time.monotonic()
    pids = {box.call(pid) for _ in range(CALLS_PER_CHILD)}
    assert time.monotonic() - started < 5
    assert first in pids and len(pids) == 2, "a fresh child after so many calls"


def test_refusals_are_served_as_often(box: Sandbox) -> None:
    for _ in range(CALLS_PER_CHILD + 1):
        with pytest.raises(Unreadable, match="no text"):
            box.call(refuse)


def test_an_idle_child_that_was_killed_costs_nothing(box: Sandbox) -> None:
    os.kill(box.call(pid), signal.SIGKILL)
    time.sleep(0.1)
    assert box.call(double, 4) == 8


def test_a_child_killed_in_the_middle_costs_one_line(box: Sandbox) -> None:
    victim = box.call(pid)
    threading.Timer(0.3, os.kill, (victim, signal.SIGKILL)).start()
    with pytest.raises(Unreadable, match="signal 9"):
        box.call(sleep, 30)
    assert box.call(double, 4) == 8


def test_a_child_that_has_grown_is_replaced(box: Sandbox) -> None:
    first = box.call(pid)
    box.call(one_large_block, 300, memory_mb=512)
    assert box.call(pid) != first


def test_calls_from_many_threads() -> None:
    results: list[int] = []
    threads = [threading.Thread(target=lambda n=n: results.append(call(double, n))) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [2 * n for n in range(40)]


def test_control_c_ends_the_child_too(tmp_path: Path) -> None:
    program = (
        "import sys, os; sys.path.insert(0, 'tests'); import test_sandbox as t; from assistant.sandbox import call\n"
        "print(call(t.pid), flush=True)\n"
        "try: call(t.sleep, 60)\nexcept KeyboardInterrupt: print('interrupted', flush=True)"
    )
    run = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stdout
    child = int(run.stdout.readline())
    time.sleep(0.5)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=10)
    assert (out.strip(), err, run.returncode) == ("interrupted", "", 0)
    assert gone(child)


def test_a_parent_that_is_killed_takes_an_idle_child_with_it() -> None:
    program = "import sys, time; sys.path.insert(0, 'tests'); import test_sandbox as t; from assistant.sandbox import call; print(call(t.pid), flush=True); time.sleep(60)"
    run = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert run.stdout
    child = int(run.stdout.readline())
    run.kill()
    run.wait()
    assert gone(child)


def gone(process: int) -> bool:
    """Whether the process ends within two seconds (a zombie that nobody reaps has ended)."""
    for _ in range(40):
        try:
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def test_the_module_keeps_no_child_of_another_process() -> None:
    assert sandbox._shared(os.getpid()) is sandbox._shared(os.getpid())
    assert sandbox._shared(-1) is not sandbox._shared(os.getpid())


def test_a_child_of_a_large_parent_is_kept(box: Sandbox) -> None:
    block = bytearray(700 << 20)  # a parent that holds models
    block[:: 1 << 12] = b"x" * len(block[:: 1 << 12])
    assert box.call(pid) == box.call(pid)
