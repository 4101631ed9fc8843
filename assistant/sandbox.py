"""Runs a function in a child process with limits of memory, processor, wall time and no network, so that no document can take the program down.

Knows nothing about documents. A `Child` is a spawned Python that serves a protocol over a pipe; `call` sends a function and its arguments to a
warm one and gives back the value. What comes back is trusted only as far as plain values and this package's own dataclasses go.
"""

import atexit
import contextlib
import dataclasses
import importlib
import io
import math
import os
import pickle
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from functools import cache, partial
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, TypeVar

from assistant import errors
from assistant.errors import PinciteError, Unreadable

T = TypeVar("T")

MB = 1 << 20
CALLS_PER_CHILD = 200  # then a fresh one: whatever a parser leaks ends with it
BUG_HINT = "The document is damaged, or it is a case no reader foresaw: please report it"


class Child:
    """A spawned Python that runs `module:function(connection)`. It ends when its pipe closes; `end` ends it at once.

    It takes this process's import path and the environment given, and a session of its own: Ctrl-C in a terminal reaches only the parent.
    """

    def __init__(self, entry: str, env: Mapping[str, str]) -> None:
        module, _, function = entry.partition(":")
        ours, theirs = socket.socketpair()
        path = [os.path.abspath(folder) for folder in sys.path]
        code = (
            f"import sys; sys.path[:] = {path!r}; from multiprocessing.connection import Connection; "
            f"import {module} as module; module.{function}(Connection({theirs.fileno()}))"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=dict(env),
            start_new_session=True,
        )
        theirs.close()
        self.connection = Connection(ours.detach())
        self.calls = 0

    def alive(self) -> bool:
        """Whether the process is there."""
        return self.process.poll() is None

    def end(self) -> int:
        """Kills the process if it is there; its exit code, negative for the signal that ended it."""
        self.connection.close()
        if self.alive():
            self.process.kill()
        return self.process.wait()

    def exit_code(self) -> int:
        """The exit code of a child whose pipe has closed; one that lingers is killed."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=2)
        return self.end()


class Sandbox:
    """A few warm children, each for one call at a time; further callers wait. Close it, or let the end of the program do so."""

    def __init__(self, children: int) -> None:
        self._slots = threading.BoundedSemaphore(children)
        self._idle: queue.LifoQueue[Child] = queue.LifoQueue()

    def call(self, function: Callable[..., T], *args: Any, seconds: float = 30, memory_mb: int = 1024) -> T:
        """What `function(*args)` returns, computed in a limited child. Raises as the module's `call` does."""
        with self._slots:
            child = self._warm()
            state = "broken"
            try:
                kind, *answer = _ask(child, pickle.dumps((function, args, seconds, memory_mb)), seconds)
                if kind in ("value", "refused"):
                    state = answer.pop()
            finally:
                child.calls += 1
                if state == "ready" and child.calls < CALLS_PER_CHILD:
                    self._idle.put(child)
                else:
                    child.end()
        if kind == "value":
            value: T = answer[0]
            return value
        raise _error(kind, answer, seconds, memory_mb)

    def close(self) -> None:
        """Ends the idle children."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().end()

    def _warm(self) -> Child:
        with contextlib.suppress(queue.Empty):
            while True:
                child = self._idle.get_nowait()
                if child.alive():
                    return child
                child.end()
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")  # threads reserve address space
        return Child("assistant.sandbox:serve", {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", **one_thread})


def call(function: Callable[..., T], *args: Any, seconds: float = 30, memory_mb: int = 1024) -> T:
    """What `function(*args)` returns, computed in a child process that can neither outlast its limits nor reach the network or the disk.

    `function` stands at the top level of a module, and pickles; what it returns is made of plain values and this package's dataclasses.
    Raises what the child raised if it is a `PinciteError`; else `Unreadable` with the code `timeout` (wall time or processor time above
    `seconds`), `memory` (address space above `memory_mb`) or `crashed` (any other end).
    """
    return _shared(os.getpid()).call(function, *args, seconds=seconds, memory_mb=memory_mb)


@cache
def _shared(pid: int) -> Sandbox:
    """The process's own sandbox; a forked process makes another."""
    sandbox = Sandbox(os.cpu_count() or 1)
    atexit.register(sandbox.close)
    return sandbox


# ---------------------------------------------------------------- parent's side


def _ask(child: Child, request: bytes, seconds: float) -> tuple[Any, ...]:
    """The child's answer, or ("timeout",) or ("ended", exit code); the child is killed when its time is up."""
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        child.process.kill()

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        child.connection.send_bytes(request)
        answer = _Plain(io.BytesIO(child.connection.recv_bytes())).load()
    except (EOFError, OSError):
        answer = ("ended", child.exit_code())
    except (pickle.UnpicklingError, AttributeError, ImportError, IndexError, TypeError, ValueError) as error:
        answer = ("crashed", f"its answer cannot be understood: {error}")
    finally:
        timer.cancel()
        timer.join()
    return ("timeout",) if expired.is_set() else tuple(answer)


def _error(kind: str, answer: list[Any], seconds: float, memory_mb: int) -> PinciteError:
    if kind == "refused":
        name, code, message, hint = answer
        of_ours = getattr(errors, name)
        refusal: PinciteError = Unreadable(code, message, hint) if of_ours is Unreadable else of_ours(message, hint)
        return refusal
    if kind == "timeout" or (kind == "ended" and answer[0] == -signal.SIGXCPU):
        return Unreadable("timeout", f"reading took longer than {seconds:g} s and was stopped", "Try a smaller file")
    if kind == "memory":
        return Unreadable("memory", f"reading needed more than {memory_mb} MB and was stopped", "Try a smaller file")
    if kind == "ended":
        how = f"signal {-answer[0]}" if answer[0] < 0 else f"exit code {answer[0]}"
        return Unreadable("crashed", f"the process that read the document ended early ({how})", BUG_HINT)
    return Unreadable("crashed", f"the reader failed: {answer[0]}", BUG_HINT)


class _Plain(pickle.Unpickler):
    """Reads plain values and this package's dataclasses, nothing else: a child that was taken over gets no further."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in {("builtins", "set"), ("builtins", "frozenset"), ("builtins", "bytearray"), ("datetime", "date"), ("datetime", "datetime")}:
            return super().find_class(module, name)
        if module.startswith("assistant.") and "." not in name:
            found = getattr(importlib.import_module(module), name, None)
            if isinstance(found, type) and found.__module__ == module and dataclasses.is_dataclass(found):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is not a plain value")


# ---------------------------------------------------------------- child's side


def serve(connection: Connection) -> None:
    """The child's loop: a request in, an answer out, until the pipe closes. An unforeseen error is sent as last words and ends the child."""
    sys.addaudithook(_forbid)
    sys.excepthook = partial(_last_words, connection)
    while True:
        try:
            request = connection.recv_bytes()
        except EOFError:
            return
        function, args, seconds, memory_mb = pickle.loads(request)
        _limit(seconds, memory_mb)
        try:
            answer: tuple[Any, ...] = ("value", function(*args))
        except PinciteError as error:
            name = next(c.__name__ for c in type(error).__mro__ if c.__module__ == errors.__name__)
            answer = ("refused", name, getattr(error, "code", ""), str(error), error.hint)
        connection.send_bytes(pickle.dumps((*answer, _state(memory_mb))))


def _limit(seconds: float, memory_mb: int) -> None:
    """Limits from here on: processor time is counted from the child's start, so what was used is added. Where the system has no limits, wall time remains."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        _soft(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime + seconds))
        _soft(resource.RLIMIT_CORE, 0)
        _soft(resource.RLIMIT_AS, memory_mb * MB)


def _soft(which: int, value: int) -> None:
    import resource

    hard = resource.getrlimit(which)[1]
    resource.setrlimit(which, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _state(memory_mb: int) -> str:
    """Whether this child can serve again: one that has grown would make the next document look too large."""
    return "retire" if _peak_kb() > memory_mb * 1024 // 2 else "ready"


def _peak_kb() -> int:
    """The most memory this process has held. Not `ru_maxrss`, which on Linux begins at what the parent held."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        with open("/proc/self/status", encoding="ascii") as lines:
            return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
    with contextlib.suppress(ImportError):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return 0


def _forbid(event: str, args: tuple[Any, ...]) -> None:
    """An audit hook, which cannot be taken out again: no network, no other process, no file opened for writing."""
    writing = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
    if writing or event.startswith(
        ("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.fork", "os.system", "os.kill", "os.remove", "os.rename", "os.rmdir")
    ):
        raise PermissionError(f"{event} is not allowed while a document is read")


def _last_words(connection: Connection, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _soft(resource.RLIMIT_AS, resource.RLIM_INFINITY)  # room for the last words
    if issubclass(kind, MemoryError):
        words: tuple[str, ...] = ("memory",)
    else:
        while trace and trace.tb_next:
            trace = trace.tb_next
        place = f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})" if trace else ""
        said = (str(error).splitlines() or [""])[0][:200]
        words = ("crashed", f"{kind.__name__}: {said}{place}")
    with contextlib.suppress(OSError):
        connection.send_bytes(pickle.dumps(words))
