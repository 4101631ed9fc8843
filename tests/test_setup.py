"""The set-up, before and around what it downloads: what it chooses, what it refuses, and the one line it says."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def setup(tmp_path: Path) -> ModuleType:
    """scripts/setup.py as a module that believes it lives in an empty clone."""
    spec = importlib.util.spec_from_file_location("pincite_setup", ROOT / "scripts" / "setup.py")
    assert spec and spec.loader
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("pyproject.toml", "constraints.txt", "scripts/setup.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    module.ROOT, module.VENV = tmp_path, tmp_path / ".venv"
    module.PYTHON, module.STAMP, module.LOG = module.VENV / "bin" / "python", module.VENV / ".pincite-setup", module.VENV / "setup.log"
    return module


@pytest.mark.parametrize(
    ("pip_says", "we_say"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "the disk is full"),
        (
            "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError(...)': /simple/torch/\nERROR: No matching distribution found for x==1",
            "a download failed",
        ),
        ("ERROR: Exception:\npip._vendor.urllib3.exceptions.ReadTimeoutError: Read timed out.", "a download failed"),
        ("ERROR: HTTP error 503 while getting https://example.org/x.whl", "a download failed"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "arrived damaged"),
        ("ERROR: No matching distribution found for torch==2.13.0", "does not offer torch==2.13.0"),
        (
            "The conflict is caused by:\n    The user requested torch==2.13.0\n    The user requested (constraint) torch==2.13.0\nERROR: ResolutionImpossible",
            "does not offer torch==2.13.0",
        ),
        ("CMake Error at CMakeLists.txt:3\nERROR: Failed building wheel for llama-cpp-python", "did not compile"),
        ("g++: fatal error: Killed signal terminated program cc1plus\nERROR: Failed building wheel for llama-cpp-python", "out of memory"),
        ("ERROR: something never seen", "something never seen"),
        ("", "no reason given"),
    ],
)
def test_what_pip_says_becomes_one_line_that_says_what_to_do(setup: ModuleType, pip_says: str, we_say: str) -> None:
    line = setup.complaint(pip_says)
    assert we_say in line and "\n" not in line


@pytest.mark.parametrize(("version", "sound"), [((3, 10, 9), False), ((3, 11, 2), True), ((3, 13, 0), True), ((3, 14, 0), False)])
def test_an_old_or_too_new_python_is_told(setup: ModuleType, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], sound: bool) -> None:
    monkeypatch.setattr(setup, "sys", SimpleNamespace(version_info=version))
    if sound:
        setup.check_python()
    else:
        with pytest.raises(setup.Stop, match=r"Python 3.11 to 3.13 is needed"):
            setup.check_python()


def test_a_python_without_venv_is_told(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(setup.Stop, match="apt-get install python3-venv"):
        setup.check_python()


def test_a_full_disk_is_told_before_anything_is_downloaded(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup.shutil, "disk_usage", lambda path: SimpleNamespace(free=1e9))
    with pytest.raises(setup.Stop, match=r"about 6 GB of disk are needed.* 1.0 GB are free"):
        setup.check_disk()
    monkeypatch.setattr(setup.shutil, "disk_usage", lambda path: SimpleNamespace(free=7e9))
    setup.check_disk()


GCC12, GCC13, CLANG14, CLANG16 = {"g++": 12}, {"g++": 13}, {"g++": 12, "clang++": 14}, {"g++": 12, "clang++-16": 16}


@pytest.mark.parametrize(
    ("compilers", "amx", "cxx", "without_amx"),
    [
        (GCC12, False, "g++", False),
        (GCC12, True, "g++", True),
        (GCC13, True, "g++", False),
        (CLANG14, True, "g++", True),
        (CLANG14, False, "g++", False),
        (CLANG16, True, "clang++-16", False),
        (CLANG16, False, "clang++-16", False),
        ({}, False, None, False),
        ({"c++": 12}, True, "c++", True),
    ],
)
def test_compiler_and_flags(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, compilers: dict[str, int], amx: bool, cxx: str | None, without_amx: bool
) -> None:
    for name in ("CMAKE_ARGS", "CC", "CXX"):
        monkeypatch.delenv(name, raising=False)
    plus = {"gcc": "g++", "cc": "c++"}
    monkeypatch.setattr(setup.shutil, "which", lambda cc: plus.get(cc, cc.replace("clang", "clang++")) in compilers)
    monkeypatch.setattr(setup, "version_of", lambda name: compilers.get(name, 0))
    monkeypatch.setattr(setup, "compiles", lambda name, flags="": name in compilers)
    monkeypatch.setattr(setup, "has_amx", lambda: amx)
    if cxx is None:
        with pytest.raises(setup.Stop, match="apt-get install g"):
            setup.choose_compiler()
        return
    env, chosen = setup.choose_compiler()
    assert chosen == env["CXX"] == cxx
    assert ("-mno-amx-tile" in env.get("CMAKE_ARGS", "")) is without_amx
    assert ("GGML_NATIVE=OFF" in env.get("CMAKE_ARGS", "")) is without_amx


def test_what_the_user_set_stands(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMAKE_ARGS", "-DGGML_CUDA=ON")
    assert setup.choose_compiler()[0] == {}


def test_the_compiler_of_this_machine_compiles(setup: ModuleType) -> None:
    assert setup.compiles("c++") and not setup.compiles("c++", "-no-such-flag") and not setup.compiles("no-such-compiler")
    assert setup.version_of("c++") > 0 and setup.version_of("no-such-compiler") == 0


@pytest.mark.parametrize(
    ("runs", "rebuilt", "stopped"),
    [
        ([(0, "")], 0, ""),
        ([(-11, ""), (0, "")], 1, ""),
        ([(-4, ""), (0, "")], 1, ""),
        ([(1, "RuntimeError: Failed to load shared library 'libllama.so': file too short"), (0, "")], 1, ""),
        ([(-11, ""), (-11, "")], 1, "does not run"),
        ([(1, "no token came")], 0, "no token came"),
    ],
)
def test_a_build_that_dies_is_built_once_more(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, runs: list[tuple[int, str]], rebuilt: int, stopped: str
) -> None:
    monkeypatch.delenv("CMAKE_ARGS", raising=False)
    builds: list[dict[str, str]] = []
    monkeypatch.setattr(setup, "prove", lambda script: runs.pop(0))
    monkeypatch.setattr(setup, "pip", lambda what, *arguments, **env: builds.append(env) or arguments)
    if stopped:
        with pytest.raises(setup.Stop, match=stopped):
            setup.prove_llama("c++")
    else:
        setup.prove_llama("c++")
    assert len(builds) == rebuilt and all("GGML_NATIVE=OFF" in env["CMAKE_ARGS"] for env in builds)


def test_the_second_run_does_nothing_until_something_changes(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "check_disk", lambda: pytest.fail("it went on"))
    setup.PYTHON.parent.mkdir(parents=True)
    setup.PYTHON.touch()
    setup.STAMP.write_text(setup.fingerprint())
    setup.set_up()
    (setup.ROOT / "constraints.txt").write_text("torch==2.13.0\n")
    assert not setup.done_before()


def test_every_direct_dependency_is_pinned_and_allowed() -> None:
    """constraints.txt names a version that pyproject.toml allows, for each thing it asks for."""
    import tomllib

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    rows = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    pins = {canonicalize_name(name): version for name, _, version in (row.partition("==") for row in rows)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    for requirement in map(Requirement, asked):
        name = canonicalize_name(requirement.name)
        assert name in pins, f"{name} is not in constraints.txt"
        assert requirement.specifier.contains(pins[name]), f"{name}: {pins[name]} is not {requirement.specifier}"
    assert pins["torch"] == "2.13.0"
    assert len(rows) == len(set(rows)) == len(pins)


def test_make_lists_its_commands() -> None:
    listed = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, timeout=60).stdout
    for target in ("setup", "demo", "test", "app", "check", "format", "test-browser", "bench", "clean"):
        assert f"make {target} " in listed
