"""One generation of the library in PostgreSQL: the tables of `library` in a schema of its own, searched by the database itself.

A generation is filled aside and made current by switching one row; the one before stays until the next, for whoever still
reads it. Words are found by a `tsvector` and ranked by the same BM25 as in a folder, meanings by pgvector. Knows nothing of questions.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant import library, postgres
from assistant.errors import NotReady, UsageError
from assistant.law import framework_of
from assistant.library import K1, B, BuildReport, Content, Edition, Embed, Filter, Library, RowTable, Scores, tokens
from assistant.postgres import Postgres

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHELF = "pincite_library"  # the schema that says which generation is current; a generation's own is this and its number
BEST = 60  # rows of each kind that words, and that meaning, put forward; their provisions are then scored in full
EXACT = 50_000  # passages up to which every vector is compared
COMMON = 20_000  # rows that a question's rarer words may put forward; commoner words then only count in the score
TEXTS = 64  # instruments whose text is kept in memory

_SEARCH = """
CREATE TABLE search(key BIGINT PRIMARY KEY, type SMALLINT, unit INTEGER, provision BIGINT, paragraph INTEGER, framework TEXT COLLATE "C",
  instrument TEXT COLLATE "C", official BOOLEAN, hidden BOOLEAN, valid_from INTEGER, valid_to INTEGER,
  until INTEGER, length INTEGER, words TSVECTOR, vector VECTOR({width}));
CREATE TABLE unit(number INTEGER PRIMARY KEY, root TEXT COLLATE "C", guidance BOOLEAN, recital BOOLEAN, draft BOOLEAN);
CREATE TABLE word(word TEXT COLLATE "C" PRIMARY KEY, rows BIGINT)
"""
_INDEXES = """
CREATE INDEX search_words ON search USING gin(words);
CREATE INDEX search_unit ON search(unit);
CREATE INDEX unit_root ON unit(root);
CREATE INDEX search_kind ON search(type) WHERE type IN (2, 3);
ANALYZE
"""
_NEAR = "CREATE INDEX search_near ON search USING hnsw((vector::halfvec({width})) halfvec_ip_ops) WHERE type = 0"

# BM25 of a row. PostgreSQL's ts_rank of one word that stands n times is the sum of 1/i^2 for i = 1..n, over that of all i (zeta(2) = 1.6449340668...);
# what is missing to 1 is 1/(n + 1/2) over zeta(2), near enough that rounding gives n itself (tests hold it to 255).
_BM25 = """(SELECT coalesce(sum(t.weight * f.n / (f.n + {least} + {slope} * s.length)), 0)
  FROM unnest(?::text[]::tsquery[], ?::float8[]) AS t(word, weight),
  LATERAL (SELECT round((1 / (1.6449340668482264 * (1 - ts_rank('{{1,1,1,1}}', s.words, t.word))) - 0.5)::numeric)::float8 AS n) AS f WHERE f.n > 0)"""
MOST = 255  # positions that a tsvector keeps of one word


def current(store: Postgres) -> "PostgresLibrary | None":
    """The current generation, or None before the first ingest."""
    with postgres.session(store, SHELF) as db:
        name = _current(db)
    return PostgresLibrary(store, name) if name else None


def _current(db: postgres.Session) -> str:
    if db.one("SELECT to_regclass(?)", (f"{SHELF}.current",))[0] is None:
        return ""
    row = db.execute("SELECT generation FROM current").fetchone()
    return str(row[0]) if row else ""


@contextmanager
def write_lock(store: Postgres) -> Iterator[None]:
    """The one lock of the library, for all machines: taken by ingest alone, and refused at once when another holds it."""
    with postgres.session(store, SHELF) as db:
        if not db.one("SELECT pg_try_advisory_lock(?)", (postgres.INGEST,))[0]:
            raise NotReady("Another ingest is running in this store", "Wait for it to end, then run the command again")
        try:
            yield
        finally:
            db.execute("SELECT pg_advisory_unlock(?)", (postgres.INGEST,))


# ---- building ----------------------------------------------------------------------------------------------------


def write(store: Postgres, content: Content, embed: Embed, previous: Library | None) -> BuildReport:
    """Make `content` the current generation. Vectors of words that `previous` holds are copied, all others come from `embed`."""
    with TemporaryDirectory(prefix="pincite-vectors-") as aside:
        vectors, embedded, reused = library.vectors_of(content.rows, embed, previous, Path(aside) / "vectors.npy")
        name = _publish(store, content, vectors)
    return BuildReport(name, content.digest, content.passages, embedded, reused)


def _publish(store: Postgres, content: Content, vectors: "NDArray[np.float32]") -> str:
    with postgres.session(store, SHELF) as db:
        db.execute("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public")
        db.execute(f"CREATE SCHEMA IF NOT EXISTS {SHELF}")
        db.execute(f"CREATE TABLE IF NOT EXISTS {SHELF}.current(one BOOLEAN PRIMARY KEY DEFAULT true CHECK (one), generation TEXT)")
        before = _current(db)
        for left in _generations(db):
            if left > before:
                _drop(db, left)
        name = f"{int(before or 0) + 1:06d}"
        db.execute(f"CREATE SCHEMA {SHELF}_{name}")
    with postgres.session(store, f"{SHELF}_{name}") as db:
        _fill(db, content)
    _fill_search(PostgresLibrary(store, name), content, vectors)
    with postgres.session(store, SHELF) as db:
        db.execute("INSERT INTO current(generation) VALUES(?) ON CONFLICT(one) DO UPDATE SET generation = excluded.generation", (name,))
        for old in _generations(db):
            if old < (before or name):
                _drop(db, old)
    return name


def _generations(db: postgres.Session) -> list[str]:
    found = db.execute("SELECT right(nspname, 6) FROM pg_namespace WHERE nspname ~ ? ORDER BY 1", (f"^{SHELF}_[0-9]{{6}}$",)).fetchall()
    return [str(name) for (name,) in found]


def _drop(db: postgres.Session, name: str) -> None:
    db.execute(f"DROP SCHEMA {SHELF}_{name} CASCADE")


def _run(db: postgres.Session, statements: str) -> None:
    for statement in statements.split(";\n"):
        if statement.strip():
            db.execute(statement)


def _fill(db: postgres.Session, content: Content) -> None:
    _run(db, postgres.tables(library.TABLES))
    for table, rows in {
        "instrument": content.instruments,
        "provision": content.provisions,
        "row": library.row_tuples(content.rows),
        "edge": content.edges,
        "meta": [("schema", str(library.SCHEMA)), *library.meta_of(content).items()],
    }.items():
        db.copy(table, rows)
    db.execute("ANALYZE")


def _fill_search(lib: "PostgresLibrary", content: Content, vectors: "NDArray[np.float32]") -> None:
    rows, width = lib.all_rows(), vectors.shape[1]
    counts: Counter[str] = Counter()
    total = 0

    def search() -> Iterator[tuple[Any, ...]]:
        nonlocal total
        for k, row in enumerate(content.rows):
            bag = Counter(tokens(row.words))
            counts.update(bag.keys())
            total += bag.total()
            yield (
                k, int(rows.type[k]), int(rows.unit[k]), int(rows.provision[k]), int(rows.paragraph[k]), rows.frameworks[rows.framework[k]],
                rows.instruments[rows.instrument[k]], bool(rows.official[k]), bool(rows.hidden[k]),
                int(rows.valid_from[k]), int(rows.valid_to[k]), int(rows.until[k]), bag.total(), _tsvector(bag),
                None if row.type == "section" else "[" + ",".join(map("%.9g".__mod__, vectors[rows.vector[k]].tolist())) + "]",
            )  # fmt: skip

    with postgres.session(lib.store, lib.schema) as db:
        _run(db, _SEARCH.format(width=width))
        db.copy("search", search())
        db.copy("unit", zip(range(len(rows.units)), rows.units, rows.guidance.tolist(), rows.recital.tolist(), rows.draft.tolist(), strict=True))
        db.copy("word", counts.items())
        _run(db, _INDEXES)
        near = int(np.count_nonzero(rows.type == 0)) > EXACT
        if near:
            db.execute(_NEAR.format(width=width))
        average = total / max(len(content.rows), 1)
        db.copy("meta", [("rows", str(len(content.rows))), ("average", repr(average)), ("near", "index" if near else "all"), ("width", str(width))])


def _tsvector(bag: Counter[str]) -> str:
    """How often each word stands in a row, in the form of a tsvector; the places themselves are not kept."""
    return " ".join(f"'{word}':{','.join(map(str, range(1, min(n, MOST) + 1)))}" for word, n in bag.items())


# ---- reading -----------------------------------------------------------------------------------------------------


class PostgresLibrary(Library):
    """A generation in a database, open for reading; safe to share between threads."""

    def __init__(self, store: Postgres, name: str) -> None:
        self.store, self.name, self.schema = store, name, f"{SHELF}_{name}"
        self.db = postgres.Reader(store, self.schema)
        self._counts: dict[str, int | None] = {}
        self.meta = dict(self.db.execute("SELECT key, value FROM meta"))
        if self.meta.get("schema") != str(library.SCHEMA):
            raise NotReady("The library was made by another version of Pincite", library.REBUILD)

    @property
    def generation(self) -> str:
        """The name of this generation."""
        return self.name

    @property
    def folder(self) -> Path:  # type: ignore[override]
        """Nothing of it lies in a folder."""
        raise UsageError("The library is in a database, not in a folder", "Fill a LangChain store of your own from it: examples/vector_store.py")

    def damaged(self) -> list[str]:
        """The names of what no longer gives the corpus digest. (Pages of the database have checksums of their own.)"""
        found = library.digest_of(self.digest_lines())
        return [] if found == self.digest else ["provisions"]

    def cached_text(self, edition: int) -> str:
        """The text of an instrument; those read last are kept in memory."""
        text = self._texts.pop(edition, None) or self.text(edition)
        self._texts[edition] = text
        while len(self._texts) > TEXTS:
            self._texts.pop(next(iter(self._texts)), None)
        return text

    def all_rows(self) -> RowTable:
        """The columns of every search row, put together from the tables."""
        return library.row_table(self)

    @cached_property
    def rows(self) -> RowTable:
        """The columns of every search row, for who fills another store from this one; search does not read them."""
        return self.all_rows()

    @cached_property
    def vectors(self) -> "NDArray[np.float32]":
        """All vectors, in memory, for who fills another store from this one; search does not read them."""
        found = np.zeros((int(self.meta["vectors"]), int(self.meta["width"])), dtype=np.float32)
        for key, sent in self.db.execute("SELECT key, vector_send(vector) FROM search WHERE vector IS NOT NULL"):
            found[self.rows.vector[key]] = np.frombuffer(sent, dtype=">f4", offset=4)  # two shorts, then the numbers, the highest byte first
        return found

    def counts(self, words: Iterable[str]) -> dict[str, int]:
        """In how many search rows each indexed word stands; unknown words are left out."""
        asked = list(words)
        new = [w for w in asked if w not in self._counts]
        if new:
            told = dict(self.db.execute("SELECT word, rows FROM word WHERE word = ANY(?)", (new,)))
            if len(self._counts) > 100_000:
                self._counts.clear()
            self._counts.update({w: told.get(w) for w in new})
        return {w: n for w in asked if (n := self._counts.get(w)) is not None}

    def holding(self, words: str) -> Iterator[Edition]:
        """The editions in whose text these words may stand: those with a row that has them all, and those that are not indexed."""
        query = " & ".join(map(_quoted, tokens(words)))
        sql = "SELECT DISTINCT p.instrument FROM search s JOIN provision p ON p.id = s.provision WHERE s.words @@ ?::tsquery"
        found = {id for (id,) in self.db.execute(sql, (query,))} if query else set(self.editions)
        yield from (e for e in self.editions.values() if e.id in found or e.same_as or "." in e.version)

    def scores(self, words: Sequence[str], vector: "NDArray[np.float32]", wanted: Filter, root: str = "") -> Scores:
        """The rows of the provisions that words or meaning put forward (or of `root` alone), each with its BM25 and cosine, as a folder gives them."""
        known = self.counts(words)
        total, average = int(self.meta["rows"]), float(self.meta["average"])
        weights = [math.log(1 + (total - n + 0.5) / (n + 0.5)) for n in known.values()]
        least, slope = K1 * (1 - B), K1 * B / max(average, 1e-9)
        bm25 = _BM25.format(least=repr(least), slope=repr(slope))
        asked = ([_quoted(w) for w in known], weights)
        where, values = _admitted(wanted)
        sought = "[" + ",".join(map("%.9g".__mod__, vector.tolist())) + "]"
        if root:
            units = {unit for (unit,) in self.db.execute("SELECT number FROM unit WHERE root = ?", (root,))}
        else:
            units = self._by_meaning(sought, where, values) | self._by_words(known, bm25, asked, where, values)
        found = self.db.execute(
            f"""SELECT s.key, s.type, u.root, s.provision, s.paragraph, s.official, u.guidance, u.recital, u.draft, {bm25}, coalesce(-(s.vector <#> ?::vector), 0)
                FROM search s JOIN unit u ON u.number = s.unit WHERE s.unit = ANY(?) AND {where} ORDER BY s.key""",
            (*asked, sought, sorted(units), *values),
        ).fetchall()
        return _scores(found)

    def _by_meaning(self, sought: str, where: str, values: tuple[Any, ...]) -> set[int]:
        """The units of the nearest rows of each kind. Passages are looked up in the index where there is one, the others are compared one by one."""
        half = f"HALFVEC({self.meta['width']})"
        by_index, by_all = f"s.vector::{half} <#> ?::{half}", "s.vector <#> ?::vector"
        nearest = " UNION ALL ".join(
            f"(SELECT s.unit FROM search s WHERE s.type = {kind} AND {where} ORDER BY {by_index if kind == 0 and self.meta['near'] == 'index' else by_all} LIMIT {BEST})"
            for kind in (0, 2, 3)
        )
        return {unit for (unit,) in self.db.execute(nearest, (*values, sought) * 3)}

    def _by_words(self, known: dict[str, int], bm25: str, asked: tuple[Any, ...], where: str, values: tuple[Any, ...]) -> set[int]:
        """The units of the best rows of each kind by their words."""
        rare: list[str] = []
        reach = 0
        for word, n in sorted(known.items(), key=lambda item: item[1]):
            if rare and reach + n > COMMON:
                break
            rare.append(word)
            reach += n
        if not rare:
            return set()
        sql = f"""SELECT unit FROM (SELECT h.unit, row_number() OVER (PARTITION BY h.type ORDER BY h.score DESC, h.key) AS place
            FROM (SELECT s.key, s.type, s.unit, {bm25} AS score FROM search s WHERE s.words @@ ?::tsquery AND {where}) AS h) AS ranked WHERE place <= {BEST}"""
        return {unit for (unit,) in self.db.execute(sql, (*asked, " | ".join(map(_quoted, rare)), *values))}


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"


def _admitted(wanted: Filter) -> tuple[str, tuple[Any, ...]]:
    """The filter as SQL, as `library.eligible` has it for columns in memory."""
    day = int(wanted.as_of.replace("-", ""))
    parts: list[str] = ["s.valid_from <= ?", "? < s.valid_to", "? < s.until", "NOT s.hidden"]
    values: list[Any] = [day, day, day]
    for column, names in (("framework", wanted.frameworks), ("instrument", wanted.instruments)):
        if names:
            parts.append(f"s.{column} = ANY(?)")
            values.append(list(names))
    if wanted.layer != "any":
        parts.append("s.official = ?")
        values.append(wanted.layer == "official")
    return " AND ".join(parts), tuple(values)


def _scores(found: Sequence[tuple[Any, ...]]) -> Scores:
    n = len(found)
    key, type, root, provision, paragraph, official, guidance, recital, draft, lexical, dense = zip(*found, strict=True) if found else ((),) * 11
    units = {u: i for i, u in enumerate(dict.fromkeys(root))}
    unit = np.array([units[r] for r in root], dtype=np.int32)
    of_unit = np.unique(unit, return_index=True)[1]  # a row of each
    kinds = [framework_of(u.partition(":")[0]) for u in units]
    frameworks = tuple(dict.fromkeys(kinds))
    none = np.zeros(n, dtype=np.int32)
    rows = RowTable(
        type=np.array(type, dtype=np.int8), unit=unit, paragraph=np.array(paragraph, dtype=np.int32), provision=np.array(provision, dtype=np.int32),
        vector=none - 1, framework=none.astype(np.int16), instrument=none.astype(np.int16), official=np.array(official, dtype=np.bool_),
        valid_from=none, valid_to=none, until=none, applies_from=none, hidden=none.astype(np.bool_),
        by_unit=np.argsort(unit, kind="stable").astype(np.int32), starts=np.concatenate([[0], np.cumsum(np.bincount(unit, minlength=len(units)))]).astype(np.int32),
        unit_framework=np.array([frameworks.index(k) for k in kinds], dtype=np.int16),
        guidance=np.array(guidance, dtype=np.bool_)[of_unit], recital=np.array(recital, dtype=np.bool_)[of_unit], draft=np.array(draft, dtype=np.bool_)[of_unit],
        units=tuple(units), frameworks=frameworks, instruments=(),
    )  # fmt: skip
    admitted = np.ones(n, dtype=np.bool_)
    return Scores(rows, np.array(key, dtype=np.int64), admitted, np.array(lexical, dtype=np.float32), np.array(dense, dtype=np.float32))
