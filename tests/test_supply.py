"""What is installed is no older than the first version without a known hole that concerns us; the doors by which a library could call home are shut."""

import re
import sqlite3
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
FLOORS = {
    "gradio": "6.25.0", "starlette": "1.3.1", "python-multipart": "0.0.27", "brotli": "1.2.1", "pypdf": "7.0.0", "chromadb": "1.5.9", "llama-cpp-python": "0.3.36", "jinja2": "3.1.6",
    "langchain-core": "1.4.9", "langchain-text-splitters": "1.1.2", "langchain-community": "0.3.27", "lxml": "6.1.0", "transformers": "5.5.0", "torch": "2.10.0",
    "sentence-transformers": "6.2.0", "cryptography": "46.0.7",
}  # fmt: skip
MODULES = sorted((ROOT / "assistant").rglob("*.py"))


def installed(package: str) -> str | None:
    """The version that is there, or None for a package that nothing asks for."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@pytest.mark.parametrize("package", FLOORS)
def test_no_package_is_older_than_its_floor(package: str) -> None:
    found = installed(package)
    assert found is None or Version(found) >= Version(FLOORS[package])


def test_the_packages_that_matter_are_there() -> None:
    assert {p for p in FLOORS if installed(p) is None} <= {"langchain-community", "cryptography"}


def test_the_constraints_hold_the_same_floors() -> None:
    lines = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text("utf8").splitlines() if re.match(r"[\w.-]+==[\w.]+$", line))
    names = {re.sub(r"[-_.]+", "-", k).lower(): v for k, v in lines.items()}
    shared = FLOORS.keys() & names.keys()
    assert len(shared) > 8 and all(Version(names[n]) >= Version(FLOORS[n]) for n in shared)


def test_an_older_sqlite_is_safe_without_a_write_ahead_log(home: Path) -> None:
    from assistant import record

    record.append(home, "t", "u", "a", {})
    with sqlite3.connect(home / "record.sqlite") as db:
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
    assert not any("journal_mode" in f.read_text("utf8").lower() and "wal" in f.read_text("utf8").lower().split("journal_mode")[1][:10] for f in MODULES)


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a Chroma server or client of one", r"chromadb\.(?:Async)?HttpClient|chroma run"),
        ("pickles of the outside", r"LlamaDiskCache|joblib\.load|allow_pickle=True"),
        ("YAML that builds objects", r"yaml\.(?:unsafe_load|full_load|load)\("),
        ("code of a model's maker", r"trust_remote_code=True"),
        ("LangChain's loaders of data", r"langchain_core\.load|load_prompt\("),
        ("evaluated text", r"(?<![\w.])(?:eval|exec)\("),
        ("a shell", r"shell=True|os\.system\("),
    ],
)
def test_what_is_never_used(what: str, pattern: str) -> None:
    assert [f.name for f in MODULES if re.search(pattern, f.read_text("utf8"))] == []


def test_the_model_files_have_known_hashes() -> None:
    held = "".join(f.read_text("utf8") for f in MODULES if f.stem in ("embed", "llm", "llama"))
    assert len(set(re.findall(r"\b[0-9a-f]{64}\b", held))) >= 2


def test_opt_outs_are_set_before_any_library(tmp_path: Path) -> None:
    code = "import assistant.cli, os, sys; print(os.environ['HF_HUB_OFFLINE'], os.environ['GRADIO_ANALYTICS_ENABLED'], os.environ['LANGSMITH_TRACING'], 'gradio' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANGSMITH_TRACING": "true"},
    )
    assert done.stdout.split() == ["1", "False", "false", "False"], done.stderr
