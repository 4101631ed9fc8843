"""A generation of the corpus, open for reading. Hides SQLite, bm25s and the vector files; knows nothing of questions, ranking or models."""

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from assistant import corpus
from assistant.errors import NotReady
from assistant.law import Instrument, Layer, Passage, Provenance, Provision, Span, Status, framework_of
from assistant.library.rows import Row
from assistant.library.table import ROW_TYPES, Filter, Lexical, RowTable, Scores, eligible
from assistant.pinpoint import Pinpoint

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCHEMA = 1
UNITS = ("article", "recital", "annex", "section", "rule", "schedule")  # what a reader leafs through
NEAREST = 2_000  # rows that are compared exactly after the coarse comparison
ROWS = "rows.npz"
STAMP = "library.sha256"  # holds the hash of the database beside it
REBUILD = "Run: pincite ingest --rebuild"


@dataclass(frozen=True, slots=True)
class Edition:
    """An instrument as the library keeps it: all but its text, with the days [valid_from, valid_to) on which it is the one to read."""

    id: int
    instrument: str
    work: str
    title: str
    kind: str
    version: str
    layer: Layer
    provenance: Provenance
    reader: str
    file: str
    sha256: str
    marks: tuple[tuple[str, str], ...]
    same_as: int | None
    valid_from: str
    valid_to: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Found:
    """A provision as the library keeps it, with its words and its standing on a day."""

    id: int
    pinpoint: Pinpoint
    kind: str
    heading: str
    label: str
    span: Span
    text: str
    edition: Edition
    status: Status
    applies_from: str
    note: str


@dataclass(frozen=True, slots=True)
class Content:
    """A generation as plain rows of its tables: what each store writes, and what is copied from one into another."""

    instruments: list[tuple[Any, ...]]
    provisions: list[tuple[Any, ...]]
    edges: list[tuple[Any, ...]]
    rows: list[Row]
    digest: str

    @property
    def passages(self) -> int:
        """How many passages and digests it holds."""
        return sum(r.type in ("passage", "digest") for r in self.rows)


def current(home: Path) -> "Library | None":
    """The current generation, or None before the first ingest."""
    pointer = home / "library" / "current"
    for _ in range(3):  # a generation that goes while it is opened was replaced by the next
        try:
            name = str(pointer.read_text("ascii")).strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise NotReady(f"The library in {home} cannot be read ({error.strerror})", "Check the data folder's owner and mode") from error
        except UnicodeDecodeError:
            name = ""
        if name.isdigit() and (home / "library" / name / "library.sqlite").exists():
            return Library(home / "library" / name)
    raise NotReady("The library is damaged", REBUILD)


class Library:
    """A generation, open for reading. Loads what search needs on first use; safe to share between threads."""

    def __init__(self, folder: Path, finished: bool = True) -> None:
        self.folder = folder
        path = folder / "library.sqlite"
        try:
            self.db: Any = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
            self.meta = dict(self.db.execute("SELECT key, value FROM meta"))
            stamp = folder / STAMP
            whole = not finished or not stamp.exists() or stamp.read_bytes() == hash_of(path).encode()
        except (sqlite3.DatabaseError, UnicodeDecodeError, OSError) as error:
            raise NotReady("The library is damaged", REBUILD) from error
        if self.meta.get("schema") != str(SCHEMA):
            raise NotReady("The library was made by another version of Pincite", REBUILD)
        if not whole:
            raise NotReady("The library is damaged", REBUILD)

    @property
    def generation(self) -> str:
        """The name of this generation; another one has another."""
        return self.folder.name

    @property
    def digest(self) -> str:
        """The corpus digest."""
        return str(self.meta["digest"])

    def damaged(self) -> list[str]:
        """The names of index files whose bytes are not those that were written."""
        sums: dict[str, str] = json.loads(self.meta["files"])
        bad = []
        for name, wanted in sums.items():
            path = self.folder / "lexical" / name if ".index." in name else self.folder / name
            if not path.exists() or hash_of(path) != wanted:
                bad.append(name)
        return bad

    @cached_property
    def _index(self) -> Path:
        """The folder of the index files, once their bytes were found to be those that were written."""
        try:
            bad = self.damaged()
        except OSError as error:
            raise NotReady(f"An index file cannot be read ({error.strerror})", REBUILD) from error
        if bad and not self.folder.exists():
            raise NotReady("The library was replaced by a newer one meanwhile", "Try again")
        if bad:
            raise NotReady(f"Index files are damaged: {', '.join(bad)}", REBUILD)
        return self.folder

    def digest_lines(self) -> list[str]:
        """What the corpus digest is the SHA-256 of, joined by line feeds: each provision's address, version, layer, status and hash of its text."""
        day = corpus.manifest().checked_until
        query = 'SELECT instrument, address, start, "end", applies_from, until, after, base, note FROM provision'
        texts, found = {e: self.text(e) for e in self.editions}, []
        for edition, address, start, end, *term in self.db.execute(query):
            e = self.editions[edition]
            found.append(digest_line(address, e.version, e.layer, corpus.Term(*term).at(day), texts[edition][start:end]))
        return sorted(found)

    @cached_property
    def editions(self) -> dict[int, Edition]:
        """Every instrument held, by its library id."""
        counts: dict[int, dict[str, int]] = {}
        for instrument, kind, n in self.db.execute("SELECT instrument, kind, count(*) FROM provision GROUP BY 1, 2"):
            counts.setdefault(instrument, {})[kind] = n
        fields = (
            "id",
            "instrument",
            "work",
            "title",
            "kind",
            "version",
            "layer",
            "provenance",
            "reader",
            "file",
            "sha256",
            "same_as",
            "valid_from",
            "valid_to",
        )
        found = {}
        for marks, *row in self.db.execute(f"SELECT marks, {', '.join(fields)} FROM instrument"):
            named: dict[str, Any] = dict(zip(fields, row, strict=True))
            found[row[0]] = Edition(**named, marks=tuple((str(a), str(b)) for a, b in json.loads(marks)), counts=counts.get(row[0], {}))
        return found

    def text(self, edition: int) -> str:
        """The whole text of an instrument."""
        (blob,) = self.db.execute("SELECT text FROM instrument WHERE id = ?", (edition,)).fetchone()
        return zlib.decompress(blob).decode()

    def instruments(self) -> list[Instrument]:
        """Everything held in the official layer, as it was read; what a rebuild starts from."""
        return [self.instrument(e.id) for e in self.editions.values() if e.layer == "official"]

    def edges(self) -> list[list[tuple[str, str, Span]]]:
        """For each of `instruments()` the references in it: (source, target, span)."""
        found: dict[int, list[tuple[str, str, Span]]] = {e.id: [] for e in self.editions.values() if e.layer == "official"}
        for instrument, source, target, start, end in self.db.execute(
            'SELECT instrument, source, target, start, "end" FROM edge ORDER BY instrument, start, "end"'
        ):
            found[instrument].append((source, target, Span(start, end)))
        return list(found.values())

    def instrument(self, edition: int) -> Instrument:
        """One edition with its text, as its reader made it."""
        e = self.editions[edition]
        rows = self.db.execute(
            'SELECT id, address, kind, heading, label, start, "end", parent FROM provision WHERE instrument = ? ORDER BY id', (e.id,)
        ).fetchall()
        first = rows[0][0] if rows else 0
        provisions = tuple(
            Provision(_address(address), kind, heading, label, Span(start, end), parent - first if parent else -1)
            for _, address, kind, heading, label, start, end, parent in rows
        )
        return Instrument(
            e.instrument, e.work, e.title, e.kind, e.version, e.layer, e.provenance, e.reader, e.file, e.sha256, self.text(e.id), provisions, e.marks
        )

    def find(self, p: Pinpoint, as_of: str, version: str = "", layer: str = "") -> Found | None:
        """The provision at an address: of the version asked for, else of the one valid on the day; official before digest."""
        fields = 'id, kind, heading, label, start, "end", instrument, applies_from, until, after, base, note'
        best: tuple[tuple[bool, bool, bool, bool, int], Any] | None = None
        for row in self.db.execute(f"SELECT {fields} FROM provision WHERE address = ?", (p.address,)):
            e = self.editions[row[6]]
            if e.same_as or (layer and e.layer != layer) or (version and e.version != version) or (not version and "." in e.version):
                continue
            day = _day(e.version, 0)  # before the first version the earliest is nearest, after the last the latest
            adopted = e.kind != "proposal" or bool(version)  # a text before its adoption is given only when asked for by its date
            rank = (adopted, self._valid(e, row[1], as_of), e.layer == "official", e.provenance == "original", day if e.valid_from <= as_of else -day)
            if best is None or rank > best[0]:
                best = (rank, row)
        return self._found(p, best[1], as_of) if best else None

    def _valid(self, e: Edition, kind: str, as_of: str) -> bool:
        return e.valid_from <= as_of and (as_of < e.valid_to or kind == "recital")

    def _found(self, p: Pinpoint, row: Any, as_of: str) -> Found:
        key, kind, heading, label, start, end, edition, *term = row
        e = self.editions[edition]
        standing = corpus.Term(*term)
        return Found(
            key,
            p,
            kind,
            heading,
            label,
            Span(start, end),
            self.cached_text(edition)[start:end],
            e,
            _status(standing, e, kind, as_of),
            standing.applies_from,
            standing.note,
        )

    def as_passage(self, found: Found) -> Passage:
        """A provision in the form in which search and verification take it; it has no search row (key -1)."""
        e = found.edition
        return Passage(
            -1,
            found.pinpoint,
            e.instrument,
            e.work,
            e.kind,
            e.version,
            e.layer,
            e.provenance,
            e.sha256,
            found.span,
            found.heading,
            (),
            found.text,
            found.status,
            found.applies_from,
            found.note,
        )

    def children(self, found: Found) -> list[Pinpoint]:
        """The addresses directly below a provision, in order."""
        return [_address(a) for (a,) in self.db.execute("SELECT address FROM provision WHERE parent = ? ORDER BY id", (found.id,))]

    def neighbours(self, found: Found) -> tuple[Pinpoint | None, Pinpoint | None]:
        """The provisions before and after on the same level of the same edition."""
        row = self.db.execute("SELECT parent, kind FROM provision WHERE id = ?", (found.id,)).fetchone()
        near = "SELECT address FROM provision WHERE instrument = ? AND parent = ? AND id {} ? ORDER BY id {} LIMIT 1"
        before = self.db.execute(near.format("<", "DESC"), (found.edition.id, row[0], found.id)).fetchone()
        after = self.db.execute(near.format(">", "ASC"), (found.edition.id, row[0], found.id)).fetchone()
        if row[1] in UNITS:  # the last article of a chapter is followed by the first of the next
            unit = "SELECT address FROM provision WHERE instrument = ? AND kind = ? AND id {} ? ORDER BY id {} LIMIT 1"
            before = before or self.db.execute(unit.format("<", "DESC"), (found.edition.id, row[1], found.id)).fetchone()
            after = after or self.db.execute(unit.format(">", "ASC"), (found.edition.id, row[1], found.id)).fetchone()
        return (_address(before[0]) if before else None, _address(after[0]) if after else None)

    def references(self, source: Pinpoint) -> list[Pinpoint]:
        """The provisions that one names, in order of mention."""
        found = self.db.execute("SELECT target FROM edge WHERE source = ? GROUP BY target ORDER BY min(start)", (source.address,))
        return [_address(a) for (a,) in found]

    def parts(self, found: Found) -> list[tuple[Pinpoint, Span, int]]:
        """The provisions inside one, in order, each with its span in the source and how many levels below it stands."""
        query = 'SELECT id, address, start, "end", parent FROM provision WHERE instrument = ? AND id > ? AND start >= ? AND "end" <= ? ORDER BY id'
        depth, inside = {found.id: 0}, []
        for id, address, start, end, parent in self.db.execute(query, (found.edition.id, found.id, found.span.start, found.span.end)):
            if parent in depth:
                depth[id] = depth[parent] + 1
                inside.append((_address(address), Span(start, end), depth[id]))
        return inside

    def links(self, found: Found) -> list[tuple[Pinpoint, Span]]:
        """The references printed inside a provision: what is named, and the span of the words that name it."""
        query = 'SELECT DISTINCT target, start, "end" FROM edge WHERE instrument = ? AND start >= ? AND "end" <= ? ORDER BY start, "end" DESC'
        return [(_address(a), Span(start, end)) for a, start, end in self.db.execute(query, (found.edition.id, found.span.start, found.span.end))]

    def spans(self, edition: int, address: str) -> list[Span]:
        """The places in an edition's text that have this address."""
        found = self.db.execute('SELECT start, "end" FROM provision WHERE instrument = ? AND address = ? ORDER BY id', (edition, address))
        return [Span(start, end) for start, end in found]

    def addresses(self, edition: int) -> list[Pinpoint]:
        """Every address of one edition, in document order."""
        return [_address(a) for (a,) in self.db.execute("SELECT address FROM provision WHERE instrument = ? ORDER BY id", (edition,))]

    def content(self) -> Content:
        """The whole generation as plain rows, to be written elsewhere. Raises `NotReady` when words are not those that were indexed."""
        instruments, provisions, edges = (
            [tuple(r) for r in self.db.execute(f"SELECT * FROM {table} ORDER BY 1")] for table in ("instrument", "provision", "edge")
        )
        sql = 'SELECT r.type, r.provision, r.start, r."end", r.trail, r.words, r.hash, p.heading, p.instrument FROM row r JOIN provision p ON p.id = r.provision ORDER BY r.key'
        rows = []
        for type, provision, start, end, told, words, kept, heading, edition in self.db.execute(sql):
            trail, text = tuple(json.loads(told)), self.cached_text(edition)[start:end]
            parts = {"question": (words,), "section": (*trail, heading, text), "passage": (*trail, text), "digest": (heading, text)}[type]
            row = Row(type, provision, Span(start, end), trail, " ".join(filter(None, parts) if type == "section" else parts))
            if row.hash != kept:
                raise NotReady("The library is damaged", REBUILD)
            rows.append(row)
        return Content(instruments, provisions, edges, rows, self.digest)

    # ---- what search reads

    def scores(self, words: Sequence[str], vector: "NDArray[np.float32]", wanted: Filter, root: str = "") -> "Scores":
        """How near the rows that the filter admits are to a question: by its indexed words (BM25) and by its vector (cosine).

        With `root` only the rows of that root provision count.
        """
        rows = self.rows
        ok = eligible(rows, wanted)
        lexical = self.lexical.scores(words, len(ok))
        if not root:
            return Scores(rows, np.arange(len(ok)), ok, lexical * ok, self.cosines(vector, ok))
        mine = rows.of_unit(root) if root in rows.units else np.zeros(0, dtype=np.int32)
        mine = mine[ok[mine]]
        with_vector = mine[rows.vector[mine] >= 0]
        ok, dense = np.zeros(len(ok), dtype=np.bool_), np.zeros(len(ok), dtype=np.float32)
        ok[mine], dense[with_vector] = True, self.vectors[rows.vector[with_vector]] @ vector
        return Scores(rows, np.arange(len(ok)), ok, lexical * ok, dense)

    def counts(self, words: Iterable[str]) -> dict[str, int]:
        """In how many search rows each indexed word stands; unknown words are left out."""
        return {w: max(self.lexical.count(w), 1) for w in words if w in self.lexical.words}

    def holding(self, words: str) -> Iterator[Edition]:
        """The editions in whose text these words may stand."""
        yield from self.editions.values()

    @cached_property
    def vectors(self) -> "NDArray[np.float32]":
        """One row of unit length for each embedded text, mapped from disk; `rows.vector` says which row of search has which."""
        return cast("NDArray[np.float32]", np.load(self._index / "vectors.npy", mmap_mode="r"))

    def vector_index(self) -> dict[str, int]:
        """The number of each embedded text in `vectors`, by the hash of its words."""
        keys = {h: k for k, h in self.db.execute("SELECT key, hash FROM row WHERE type != 'section' ORDER BY key DESC")}
        return {h: int(self.rows.vector[k]) for h, k in keys.items()}

    @cached_property
    def _coarse(self) -> "tuple[NDArray[np.float32], NDArray[np.float32]] | None":
        if "coarse.npy" not in json.loads(self.meta["files"]):
            return None
        return np.load(self._index / "axes.npy"), np.load(self._index / "coarse.npy", mmap_mode="r")

    def cosines(self, vector: "NDArray[np.float32]", ok: "NDArray[np.bool_]") -> "NDArray[np.float32]":
        """How near each search row that is `ok` lies to a unit vector; 0 for the others and for a whole section, which has no vector.

        In a large library the nearest NEAREST rows are exact; the rest are compared along the coarse axes only.
        """
        rows = self.rows
        near = np.zeros(len(self.vectors) + 1, dtype=np.float32)
        if self._coarse is None:
            np.dot(self.vectors, vector, out=near[:-1])
        else:
            axes, coarse = self._coarse
            np.dot(coarse, axes @ vector, out=near[:-1])
            texts = rows.vector[ok & (rows.vector >= 0)]
            coarsely = near[texts]
            nearest = texts[coarsely >= np.partition(coarsely, -NEAREST)[-NEAREST]] if len(texts) > NEAREST else texts
            near[nearest] = self.vectors[nearest] @ vector
        found: NDArray[np.float32] = near[rows.vector] * ok
        return found

    @cached_property
    def lexical(self) -> Lexical:
        """The BM25 index over all search rows."""
        folder = self._index / "lexical"
        weights, rows, starts = (np.load(folder / f"{name}.csc.index.npy") for name in ("data", "indices", "indptr"))
        return Lexical(json.loads((folder / "vocab.index.json").read_text("utf8")), weights, rows, starts)

    @cached_property
    def rows(self) -> "RowTable":
        """The columns by which search filters and groups its rows."""
        if ROWS not in json.loads(self.meta["files"]):  # of an earlier version, which kept a vector for each row
            made = self.made_rows()
            return replace(made, vector=np.where(made.type == ROW_TYPES.index("section"), -1, np.arange(len(made.type), dtype=np.int32)))
        with np.load(self._index / ROWS) as held:
            columns: dict[str, Any] = {name: held[name] for name in RowTable.__slots__}
        texts = {name: tuple(v.tobytes().decode().split("\0")) for name, v in columns.items() if v.dtype == np.uint8}
        return RowTable(**(columns | texts))

    def made_rows(self) -> "RowTable":
        """The columns made from the database."""
        return row_table(self)

    def passage(self, key: int, as_of: str) -> Passage:
        """The passage of a search row, with its standing on a day."""
        query = (
            'SELECT row.start, row."end", row.trail, p.address, p.heading, p.instrument, p.applies_from, p.until, p.after, p.base, p.note, p.kind '
            "FROM row JOIN provision p ON p.id = row.provision WHERE row.key = ?"
        )
        start, end, trail, address, heading, edition, *term, kind = self.db.execute(query, (key,)).fetchone()
        e = self.editions[edition]
        standing = corpus.Term(*term)
        status = _status(standing, e, kind, as_of)
        return Passage(
            key, _address(address), e.instrument, e.work, e.kind, e.version, e.layer, e.provenance, e.sha256, Span(start, end), heading,
            tuple(json.loads(trail)), self.cached_text(edition)[start:end], status, standing.applies_from, standing.note,
        )  # fmt: skip

    def cached_text(self, edition: int) -> str:
        """The text of an instrument, kept in memory once read."""
        if edition not in self._texts:
            self._texts[edition] = self.text(edition)
        return self._texts[edition]

    @cached_property
    def _texts(self) -> dict[int, str]:
        return {}


def row_table(library: Library) -> RowTable:
    """The columns of every search row, from the tables."""
    query = (
        "SELECT row.type, p.root, p.id, p.instrument, p.kind, p.applies_from, p.until, p.base, p.address, i.recitals_to, row.hash FROM row "
        "JOIN provision p ON p.id = row.provision JOIN instrument i ON i.id = p.instrument ORDER BY row.key"
    )
    records = library.db.execute(query).fetchall()
    editions = library.editions
    units = {u: n for n, u in enumerate(dict.fromkeys(r[1] for r in records))}
    names = {u: n for n, u in enumerate(dict.fromkeys(e.instrument for e in editions.values()))}
    fws = {u: n for n, u in enumerate(dict.fromkeys(framework_of(e.instrument) for e in editions.values()))}
    of = [editions[r[3]] for r in records]
    unit = np.array([units[r[1]] for r in records], dtype=np.int32)
    texts = {h: n for n, h in enumerate(dict.fromkeys(r[10] for r in records if r[0] != "section"))}
    heads = [_head(r[8]) if r[8] != r[1] else "" for r in records]
    paragraphs = {"": 0} | {h: n for n, h in enumerate(dict.fromkeys(h for h in heads if h), 1)}

    def units_where(marked: Iterable[bool]) -> "NDArray[np.bool_]":
        found = np.zeros(len(units), dtype=np.bool_)
        found[unit[np.array(list(marked), dtype=np.bool_)]] = True
        return found

    return RowTable(
        type=np.array([ROW_TYPES.index(r[0]) for r in records], dtype=np.int8),
        unit=unit,
        paragraph=np.array([paragraphs[h] for h in heads], dtype=np.int32),
        provision=np.array([r[2] for r in records], dtype=np.int32),
        vector=np.array([-1 if r[0] == "section" else texts[r[10]] for r in records], dtype=np.int32),
        framework=np.array([fws[framework_of(e.instrument)] for e in of], dtype=np.int16),
        instrument=np.array([names[e.instrument] for e in of], dtype=np.int16),
        official=np.array([e.layer == "official" for e in of], dtype=np.bool_),
        valid_from=np.array([_day(e.valid_from, 0) for e in of], dtype=np.int32),
        valid_to=np.array([_day(r[9] if r[4] == "recital" else e.valid_to, 99991231) for e, r in zip(of, records, strict=True)], dtype=np.int32),
        until=np.array([_day(r[6], 99991231) for r in records], dtype=np.int32),
        applies_from=np.array([_day(r[5], 0) for r in records], dtype=np.int32),
        hidden=np.array([r[7] == "proposed" for r in records], dtype=np.bool_),
        by_unit=np.argsort(unit, kind="stable").astype(np.int32),
        starts=np.concatenate([[0], np.cumsum(np.bincount(unit, minlength=len(units)))]).astype(np.int32),
        unit_framework=np.array([fws[framework_of(u.partition(":")[0])] for u in units], dtype=np.int16),
        guidance=units_where(is_guidance(e.kind, e.layer, _address(r[8])) for e, r in zip(of, records, strict=True)),
        recital=units_where(r[4] == "recital" for r in records),
        draft=units_where(r[7] == "draft" for r in records),
        units=tuple(units), frameworks=tuple(fws), instruments=tuple(names),
    )  # fmt: skip


def _head(address: str) -> str:
    """The address down to the first level below the root: paragraph 7 of Article 35(7)(a)."""
    p = _address(address)
    return f"{p.root.address}({p.steps[0]})" if p.steps else ""


def _status(term: corpus.Term, e: Edition, kind: str, as_of: str) -> Status:
    """How a provision of an edition stands on a day: by the overlay, and by whether another version has taken its place."""
    status = term.at(as_of)
    if status in ("in-force", "not-yet-applicable"):
        if as_of >= e.valid_to and kind != "recital":
            return "superseded"
        if as_of < e.valid_from:
            return "not-yet-applicable"
    return status


def hash_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_line(address: str, version: str, layer: str, status: str, words: str) -> str:
    """One provision in what the corpus digest is made of."""
    return "\t".join((address, version, layer, status, hashlib.sha256(words.encode()).hexdigest()))


def digest_of(lines: Iterable[str]) -> str:
    """The corpus digest of its lines, in whatever order."""
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _day(text: str, default: int) -> int:
    return int(text[:10].replace("-", "")) if text and text[0].isdigit() else default


def is_guidance(kind: str, layer: str, p: Pinpoint) -> bool:
    """Whether a text does not bind: guidance, principles, or our digest of one."""
    if kind in ("guidance", "principles"):
        return True
    work = corpus.manifest().work(corpus.work_of(p)) if layer == "digest" else None
    return bool(work and work.kind in ("guidance", "principles"))


def _address(text: str) -> Pinpoint:
    instrument, _, path = text.partition(":")
    return Pinpoint(instrument, path)
