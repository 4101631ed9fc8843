"""A store in PostgreSQL: its address, pooled connections that take the SQL of `library` and `record`, and errors in one line.

Hides psycopg. Knows nothing of what the tables mean.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from assistant.errors import Away, NotReady, UsageError

if TYPE_CHECKING:
    from psycopg import Connection, Cursor
    from psycopg_pool import ConnectionPool

CONNECTIONS = 8  # of one process; PostgreSQL's own limit is 100 for all
RECONNECT = 2.0  # seconds in which a lost connection is tried again ever more slowly; then the next request tries afresh
WAIT = 5.0  # seconds to wait for a connection, or for another process's short transaction
NEAR = 200  # rows that a search through an index of vectors keeps at hand: more finds more and takes longer
WRITER = 0x50696E63  # advisory lock: whoever appends to the audit chain
INGEST = 0x50696E64  # advisory lock: whoever builds a generation of the library


@dataclass(frozen=True, slots=True)
class Postgres:
    """A PostgreSQL database as a store, by its address (what PINCITE_STORE names)."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        """The address as it may be shown: without user, password and options."""
        from psycopg import conninfo

        said = {k: str(v) for k, v in conninfo.conninfo_to_dict(self.url).items()}
        port = f":{said['port']}" if "port" in said else ""
        return f"postgresql://{said.get('host', '')}{port}/{said.get('dbname', '')}"


def parse(setting: str) -> Postgres:
    """The store that PINCITE_STORE names. Raises `UsageError` for what is no PostgreSQL address."""
    if not find_spec("psycopg_pool"):
        raise NotReady("PostgreSQL support is not installed", "Run: .venv/bin/pip install -c constraints.txt -e '.[scale]'")
    if not setting.startswith(("postgresql://", "postgres://")):
        raise UsageError("PINCITE_STORE names no store that Pincite knows", "Write postgresql://USER@HOST/DATABASE, or unset it to use the data folder")
    if not _readable(setting):  # a part of it may be a password: nothing is repeated
        raise UsageError("PINCITE_STORE is no address of a database that can be read", "Write / ? # @ : in a user or password as %2F %3F %23 %40 %3A")
    return Postgres(setting)


def _readable(setting: str) -> bool:
    """Whether an address falls into its parts as meant; a bare `/` in a password would make a port and a name of it, which messages tell."""
    from psycopg import ProgrammingError, conninfo

    try:
        said = conninfo.conninfo_to_dict(setting)
    except ProgrammingError:
        return False
    ports = str(said.get("port", "")).replace(",", "")
    return (not ports or ports.isdigit()) and not any("@" in str(said.get(part, "")) for part in ("host", "dbname"))


class Session:
    """A connection that takes SQL with `?` for parameters, as SQLite does. Each statement is its own transaction outside `transaction`."""

    def __init__(self, connection: "Connection[Any]") -> None:
        self.connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = (), binary: bool = False) -> "Cursor[Any]":
        """The cursor of one statement; with `binary` bytes come as they are, not as twice as many digits."""
        return self.connection.execute(sql.replace("?", "%s").encode(), parameters or None, binary=binary)

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...]:
        """The first row of a statement that always gives one."""
        row: tuple[Any, ...] | None = self.execute(sql, parameters).fetchone()
        assert row is not None
        return row

    def copy(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Write many rows into a table, in one stream."""
        with self.connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN".encode()) as stream:
            for row in rows:
                stream.write_row(row)

    def copy_binary(self, table: str, parts: Iterable[bytes]) -> None:
        """Write rows that lie ready in PostgreSQL's own binary form, without header and trailer."""
        with self.connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)".encode()) as stream:
            stream.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            for part in parts:
                stream.write(part)
            stream.write(b"\xff\xff")

    @contextmanager
    def transaction(self, lock: int = 0) -> Iterator[None]:
        """All or nothing; with `lock` the only one of its kind until it ends, in whatever process."""
        with self.connection.transaction():
            if lock:
                self.connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
            yield


@contextmanager
def session(store: Postgres, schema: str) -> Iterator[Session]:
    """A connection whose tables are those of `schema`; what PostgreSQL says against it is one line."""
    import psycopg
    from psycopg_pool import PoolTimeout, TooManyRequests

    try:
        with _pool(store).connection() as connection:
            connection.execute("SELECT set_config('search_path', %s, false)", (f"{schema}, public",))
            yield Session(connection)
    except (psycopg.Error, PoolTimeout, TooManyRequests) as error:
        raise _unusable(store, error) from error


class Answer(list[tuple[Any, ...]]):
    """The rows of a question, all at hand, to be taken as from a cursor."""

    def fetchone(self) -> tuple[Any, ...] | None:
        """The first row, or None."""
        return self[0] if self else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows."""
        return self


class Reader:
    """Questions to the tables of one schema, each on any connection; so that threads do not wait for each other."""

    def __init__(self, store: Postgres, schema: str) -> None:
        self.store, self.schema = store, schema

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Answer:
        """The rows of one question. Raises `NotReady` when the schema is gone."""
        with session(self.store, self.schema) as db:
            return Answer(db.execute(sql, parameters, binary=True).fetchall())


@lru_cache(maxsize=16)
def _pool(store: Postgres) -> "ConnectionPool[Any]":
    from psycopg_pool import ConnectionPool

    # A filter can leave few rows of those that an index of vectors finds first, so it goes on until there are enough; and plans are made for the very filter.
    set_to = {"lock_timeout": int(WAIT * 1000), "hnsw.ef_search": NEAR, "hnsw.iterative_scan": "strict_order", "plan_cache_mode": "force_custom_plan"}
    options = {"autocommit": True, "connect_timeout": int(WAIT), "application_name": "pincite", "options": " ".join(f"-c {k}={v}" for k, v in set_to.items())}
    # Checked before use, so that a restart of the server costs a new connection and no one's request.
    return ConnectionPool(
        store.url, min_size=0, max_size=CONNECTIONS, timeout=WAIT, max_idle=60, kwargs=options, check=ConnectionPool.check_connection, open=True,
        reconnect_timeout=RECONNECT,
    )  # fmt: skip


def _unusable(store: Postgres, error: Exception) -> NotReady:
    from psycopg import errors

    said = (str(error).splitlines() or [type(error).__name__])[0]
    if isinstance(error, errors.LockNotAvailable):
        return NotReady("The store is in use by another process", "Try again when it has finished")
    if isinstance(error, errors.UndefinedTable | errors.InvalidSchemaName):
        return NotReady("The library was replaced by a newer one meanwhile", "Try again")
    if isinstance(error, errors.InsufficientPrivilege | errors.ReadOnlySqlTransaction):
        return NotReady(f"The store {store} cannot be written ({said})", "Give its role the rights that docs/scale.md lists")
    if isinstance(error, errors.DiskFull):
        return NotReady(f"The store {store} cannot be written ({said})", "Free some space and try again; nothing is half-written")
    if isinstance(error, errors.OperationalError) or not hasattr(error, "sqlstate"):
        return Away(f"The store {store} does not answer ({said})", "Start PostgreSQL, or mend PINCITE_STORE")
    return NotReady(f"The store {store} cannot be used ({said})", "Restore it from a backup, or mend what it names")


def tables(sql: str) -> str:
    """Tables written for SQLite as PostgreSQL makes them; texts are compared byte by byte, as SQLite compares them."""
    sql = re.sub(r"(?<=[ ,(])(user)(?=[ (])", r'"\1"', sql)  # a word of PostgreSQL's own
    return sql.replace("INTEGER", "BIGINT").replace("TEXT", 'TEXT COLLATE "C"').replace("BLOB", "BYTEA")
