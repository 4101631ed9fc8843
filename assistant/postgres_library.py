"""One generation of the library in PostgreSQL: the tables of `library` in a schema of its own, searched by the database itself.

A generation is filled aside and made current by switching one row; the one before stays until the next, for whoever still
reads it. Words are found by lists of the rows in which they stand and ranked by the same BM25 as in a folder, meanings by pgvector. Knows nothing of questions.
"""

import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
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
BEST = 100  # rows of each kind that words, and that meaning, put forward; their provisions are then scored in full
EXACT = 50_000  # passages up to which every vector is compared
TEXTS = 64  # instruments whose text is kept in memory

BLOCK = 1 << 16  # search rows of one posting list, so that two bytes number a row in it
MOST = (1 << 16) - 1  # times that one word is counted in one row
FORM = f"{library.SCHEMA}.2"  # of the tables that both stores have, and of those below

_SEARCH = """
CREATE TABLE search(key BIGINT PRIMARY KEY, type SMALLINT, class INTEGER, unit INTEGER, provision BIGINT, paragraph INTEGER, vector VECTOR({width}));
CREATE TABLE unit(number INTEGER PRIMARY KEY, root TEXT COLLATE "C", guidance BOOLEAN, recital BOOLEAN, draft BOOLEAN);
CREATE TABLE class(number INTEGER PRIMARY KEY, type SMALLINT, edition BIGINT, valid_from INTEGER, valid_to INTEGER, until INTEGER, hidden BOOLEAN);
CREATE TABLE block(number INTEGER PRIMARY KEY, classes BYTEA, lengths BYTEA);
CREATE TABLE word(word TEXT COLLATE "C" PRIMARY KEY, rows BIGINT);
CREATE TABLE posting(word TEXT COLLATE "C", block INTEGER, rows BYTEA, times BYTEA);
ALTER TABLE posting ALTER rows SET STORAGE EXTERNAL, ALTER times SET STORAGE EXTERNAL
"""
_INDEXES = """
CREATE UNIQUE INDEX posting_word ON posting(word, block);
CREATE INDEX search_unit ON search(unit);
CREATE INDEX search_class ON search(class);
CREATE INDEX unit_root ON unit(root);
CREATE INDEX provision_parent ON provision(parent);
CREATE INDEX edge_instrument ON edge(instrument);
ANALYZE
"""
_NEAR = "CREATE INDEX search_near ON search USING hnsw((vector::halfvec({width})) halfvec_ip_ops) WHERE type = 0"


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
        "meta": [("schema", FORM), *library.meta_of(content).items()],
    }.items():
        db.copy(table, rows)
    db.execute("ANALYZE")


def _fill_search(lib: "PostgresLibrary", content: Content, vectors: "NDArray[np.float32]") -> None:
    rows, width = lib.all_rows(), vectors.shape[1]
    classes, of_row = _classes(content, rows)
    passages = int(np.count_nonzero(rows.type == 0))
    near = passages > EXACT
    with postgres.session(lib.store, lib.schema) as db:
        _run(db, _SEARCH.format(width=width))
        db.copy("class", classes)
        db.copy("unit", zip(range(len(rows.units)), rows.units, rows.guidance.tolist(), rows.recital.tolist(), rows.draft.tolist(), strict=True))
        total = _fill_words(db, content, of_row)
        db.copy_binary("search", _search_rows(rows, of_row, vectors))
        _run(db, _INDEXES)
        if near:
            with db.transaction():  # an index made in memory is made many times faster
                db.execute(f"SET LOCAL maintenance_work_mem = '{64 + (passages * (2 * width + 1000) >> 20)}MB'")
                db.execute(_NEAR.format(width=width))
        average = total / max(len(content.rows), 1)
        db.copy("meta", [("rows", str(len(content.rows))), ("average", repr(average)), ("near", "index" if near else "all"), ("width", str(width))])


def _classes(content: Content, rows: RowTable) -> "tuple[Iterator[tuple[Any, ...]], NDArray[np.int32]]":
    """The classes of rows that every filter treats alike, as their table has them, and the number of each row's."""
    edition_of = {p[0]: p[1] for p in content.provisions}
    editions = np.array([edition_of[p] for p in rows.provision.tolist()], dtype=np.int32)
    found, of_row = np.unique(np.stack([rows.type, editions, rows.valid_from, rows.valid_to, rows.until, rows.hidden], axis=1), axis=0, return_inverse=True)
    return ((n, *row[:5], bool(row[5])) for n, row in enumerate(found.tolist())), of_row.ravel().astype(np.int32)


def _fill_words(db: postgres.Session, content: Content, of_row: "NDArray[np.int32]") -> int:
    """Writes the lists of rows in which each word stands, block by block; gives the number of all words."""
    counts: Counter[str] = Counter()
    total = 0
    for block in range(-(-len(content.rows) // BLOCK)):
        at = slice(block * BLOCK, (block + 1) * BLOCK)
        lists: dict[str, tuple[array[int], array[int]]] = defaultdict(lambda: (array("H"), array("H")))
        lengths = array("i")
        for number, row in enumerate(content.rows[at]):
            bag = Counter(tokens(row.words))
            lengths.append(bag.total())
            for word, times in bag.items():
                in_rows, in_times = lists[word]
                in_rows.append(number)
                in_times.append(min(times, MOST))
        db.copy("block", [(block, of_row[at].astype("<i4").tobytes(), np.asarray(lengths, dtype="<i4").tobytes())])
        db.copy("posting", ((word, block, np.asarray(a, dtype="<u2").tobytes(), np.asarray(b, dtype="<u2").tobytes()) for word, (a, b) in lists.items()))
        counts.update({word: len(a) for word, (a, _) in lists.items()})
        total += sum(lengths)
    db.copy("word", counts.items())
    return total


def _search_rows(rows: RowTable, of_row: "NDArray[np.int32]", vectors: "NDArray[np.float32]") -> Iterator[bytes]:
    """The table `search` in the binary form of COPY, some thousands of rows at a time: each column is its length and then the value, the highest byte first."""
    columns = {"key": "i8", "type": "i2", "class": "i4", "unit": "i4", "provision": "i8", "paragraph": "i4"}
    plain = [("columns", ">i2"), *((f"{k}{n}", f">{form}") for n, form in columns.items() for k, form in (("#", "i4"), ("", form)))]
    none = np.dtype([*plain, ("#vector", ">i4")])
    full = np.dtype([*none.descr, ("width", ">i2"), ("zero", ">i2"), ("vector", ">f4", (vectors.shape[1],))])
    for with_vector, form in ((False, none), (True, full)):
        keys = np.flatnonzero((rows.vector >= 0) == with_vector)
        for at in range(0, len(keys), 4096):
            part = keys[at : at + 4096]
            made = np.zeros(len(part), dtype=form)
            made["columns"], made["#vector"] = 7, 4 + 4 * vectors.shape[1] if with_vector else -1
            values = {"key": part, "type": rows.type[part], "class": of_row[part], "unit": rows.unit[part]}
            values |= {"provision": rows.provision[part], "paragraph": rows.paragraph[part]}
            for name, value in values.items():
                made[name], made[f"#{name}"] = value, int(columns[name][1])
            if with_vector:
                made["width"], made["vector"] = vectors.shape[1], vectors[rows.vector[part]]
            yield made.tobytes()


# ---- reading -----------------------------------------------------------------------------------------------------


class PostgresLibrary(Library):
    """A generation in a database, open for reading; safe to share between threads."""

    def __init__(self, store: Postgres, name: str) -> None:
        self.store, self.name, self.schema = store, name, f"{SHELF}_{name}"
        self.db = postgres.Reader(store, self.schema)
        self._counts: dict[str, int | None] = {}
        self.meta = dict(self.db.execute("SELECT key, value FROM meta"))
        if self.meta.get("schema") != FORM:
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
        asked = set(tokens(words))
        standing = np.zeros(self.rows_held, dtype=np.int16)
        for _, rows, _ in self._postings(asked):
            standing[rows] += 1
        found = {self._kinds[0][c] for c in np.unique(self._columns[0][standing == len(asked)])} if asked else set(self.editions)
        yield from (e for e in self.editions.values() if e.id in found or e.same_as or "." in e.version)

    # ---- what search reads

    @property
    def rows_held(self) -> int:
        """How many search rows there are."""
        return int(self.meta["rows"])

    @cached_property
    def _kinds(self) -> "tuple[list[int], RowTable]":
        """The edition of each class of rows, and what a filter asks about it."""
        classes = self.db.execute("SELECT type, edition, valid_from, valid_to, until, hidden FROM class ORDER BY number")
        of = [self.editions[edition] for _, edition, *_ in classes]
        names, works = (tuple(dict.fromkeys(told(e) for e in of)) for told in (lambda e: framework_of(e.instrument), lambda e: e.instrument))
        return [e.id for e in of], _table(
            type=[row[0] for row in classes], framework=[names.index(framework_of(e.instrument)) for e in of], instrument=[works.index(e.instrument) for e in of],
            official=[e.layer == "official" for e in of], valid_from=[row[2] for row in classes], valid_to=[row[3] for row in classes],
            until=[row[4] for row in classes], hidden=[row[5] for row in classes], frameworks=names, instruments=works,
        )  # fmt: skip

    @cached_property
    def _columns(self) -> "tuple[NDArray[np.int32], NDArray[np.float32]]":
        """The class of each search row, and what its length adds to a word's count in BM25: eight bytes a row, kept in memory."""
        blocks = self.db.execute("SELECT classes, lengths FROM block ORDER BY number")
        classes, lengths = (np.frombuffer(b"".join(row[k] for row in blocks), dtype="<i4") for k in (0, 1))
        return classes, (K1 * (1 - B) + K1 * B / max(float(self.meta["average"]), 1e-9) * lengths).astype(np.float32)

    def _postings(self, words: Iterable[str], blocks: "NDArray[np.int64] | None" = None) -> "Iterator[tuple[str, NDArray[np.int64], NDArray[np.float32]]]":
        """For words (and blocks) the rows in which each stands, and how often."""
        sql, asked = "SELECT word, block, rows, times FROM posting WHERE word = ANY(?)", [list(words)]
        for word, block, rows, times in (
            self.db.execute(sql, asked) if blocks is None else self.db.execute(f"{sql} AND block = ANY(?)", [*asked, blocks.tolist()])
        ):
            yield word, np.frombuffer(rows, dtype="<u2") + np.int64(block * BLOCK), np.frombuffer(times, dtype="<u2").astype(np.float32)

    def _bm25(self, words: Sequence[str], blocks: "NDArray[np.int64] | None" = None) -> "NDArray[np.float32]":
        """BM25 of every search row, or of those in some blocks."""
        known, total, more = self.counts(words), self.rows_held, self._columns[1]
        weights = {w: np.float32(math.log(1 + (total - n + 0.5) / (n + 0.5))) for w, n in known.items()}
        found = np.zeros(total, dtype=np.float32)
        for word, rows, times in self._postings(known, blocks):
            found[rows] += weights[word] * (times / (times + more[rows]))
        return found

    def scores(self, words: Sequence[str], vector: "NDArray[np.float32]", wanted: Filter, root: str = "") -> Scores:
        """The rows of the provisions that words or meaning put forward (or of `root` alone), each with its BM25 and cosine, as a folder gives them."""
        sought = "[" + ",".join(map("%.9g".__mod__, vector.tolist())) + "]"
        admitted = library.eligible(self._kinds[1], wanted)
        if root:
            put, lexical = "SELECT number FROM unit WHERE root = ?", None
            values: tuple[Any, ...] = (root,)
        else:
            lexical = self._bm25(words)
            by_words = self.db.execute("SELECT unit FROM search WHERE key = ANY(?)", (self._by_words(lexical, admitted),))
            units = {unit for (unit,) in by_words} | self._by_meaning(sought, admitted)
            put, values = "?::int[]", (sorted(units),)
        found = self.db.execute(
            f"""SELECT s.key, s.type, s.class, u.root, s.provision, s.paragraph, u.guidance, u.recital, u.draft, coalesce(-(s.vector <#> ?::vector), 0)
                FROM search s JOIN unit u ON u.number = s.unit WHERE s.unit = ANY({put}) ORDER BY s.key""",
            (sought, *values),
        )
        found = [row for row in found if admitted[row[2]]]
        keys = np.array([row[0] for row in found], dtype=np.int64)
        if lexical is None:
            lexical = self._bm25(words, np.unique(keys // BLOCK))
        return _scores(found, keys, lexical[keys], self._kinds[1])

    def _by_words(self, lexical: "NDArray[np.float32]", admitted: "NDArray[np.bool_]") -> list[int]:
        """The keys of the best rows of each kind by their words."""
        best: list[int] = []
        for kind in range(len(library.ROW_TYPES)):
            found = np.flatnonzero((admitted & (self._kinds[1].type == kind))[self._columns[0]] & (lexical > 0))
            if len(found) > BEST:
                least = np.partition(lexical[found], -BEST)[-BEST]
                found = found[lexical[found] >= least]
            best += found[np.argsort(-lexical[found], kind="stable")][:BEST].tolist()
        return best

    def _by_meaning(self, sought: str, admitted: "NDArray[np.bool_]") -> set[int]:
        """The units of the nearest rows of each kind. Many passages are looked up in the index where there is one, the others are compared one by one."""
        half = f"HALFVEC({self.meta['width']})"
        parts, values = [], []
        for kind in (0, 2, 3):
            classes = np.flatnonzero(admitted & (self._kinds[1].type == kind))
            many = kind == 0 and self.meta["near"] == "index" and self._rows_of[classes].sum() > EXACT
            order = f"s.vector::{half} <#> ?::{half}" if many else "s.vector <#> ?::vector"
            parts.append(f"(SELECT s.unit FROM search s WHERE s.type = {kind} AND s.class = ANY(?) ORDER BY {order} LIMIT {BEST})")
            values += [classes.tolist(), sought]
        return {unit for (unit,) in self.db.execute(" UNION ALL ".join(parts), values)}

    @cached_property
    def _rows_of(self) -> "NDArray[np.int64]":
        """How many rows each class has."""
        return np.bincount(self._columns[0], minlength=len(self._kinds[0]))


def _table(**columns: Any) -> RowTable:
    """A table of rows of which only some columns matter; the others are zero."""
    n, forms = len(columns["type"]), {f.name: str(f.type) for f in fields(RowTable)}
    made: dict[str, Any] = {name: () if "tuple" in form else np.zeros(n, dtype=form.partition("np.")[2].rstrip("]")) for name, form in forms.items()}
    return RowTable(**made | {name: v if isinstance(made[name], tuple) else np.asarray(v, dtype=made[name].dtype) for name, v in columns.items()})


def _scores(found: Sequence[tuple[Any, ...]], keys: "NDArray[np.int64]", lexical: "NDArray[np.float32]", kinds: RowTable) -> Scores:
    _, type, class_, root, provision, paragraph, guidance, recital, draft, dense = zip(*found, strict=True) if found else ((),) * 10
    units = {u: i for i, u in enumerate(dict.fromkeys(root))}
    unit = np.array([units[r] for r in root], dtype=np.int32)
    of_unit = np.unique(unit, return_index=True)[1]  # a row of each
    frameworks = [framework_of(u.partition(":")[0]) for u in units]
    names = tuple(dict.fromkeys(frameworks))
    rows = _table(
        type=type, unit=unit, paragraph=paragraph, provision=provision, vector=np.full(len(found), -1), official=kinds.official[list(class_)],
        by_unit=np.argsort(unit, kind="stable"), starts=np.concatenate([[0], np.cumsum(np.bincount(unit, minlength=len(units)))]),
        unit_framework=[names.index(k) for k in frameworks],
        guidance=np.array(guidance, dtype=np.bool_)[of_unit], recital=np.array(recital, dtype=np.bool_)[of_unit], draft=np.array(draft, dtype=np.bool_)[of_unit],
        units=tuple(units), frameworks=names,
    )  # fmt: skip
    return Scores(rows, keys, np.ones(len(found), dtype=np.bool_), lexical, np.array(dense, dtype=np.float32))
