"""One generation of the corpus on disk: instruments, provisions, search rows, vectors and the lexical index.

A generation is built aside, synced, and made current by renaming one pointer, so that a reader never sees half of it.
Hides SQLite, bm25s and the vector files. Knows nothing of questions, ranking or models.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from assistant import corpus
from assistant.errors import NotReady
from assistant.law import NOT_BINDING, Instrument, Layer, Passage, Provenance, Provision, Span, Status, framework_of
from assistant.pinpoint import Pinpoint

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCHEMA = 1
K1, B = 1.2, 0.6  # of BM25
LONG = 1100  # characters: what the embedder reads in full is about 256 tokens
UNITS = ("article", "recital", "annex", "section", "rule", "schedule")  # what a reader leafs through
FOREVER = "9999-12-31"
MANY = 50_000  # vectors: above this, reading all of them takes longer than embedding the question
COARSE = 96  # axes of 384 that the first comparison reads then
NEAREST = 2_000  # rows that are compared exactly after it
ROWS = "rows.npz"
STAMP = "library.sha256"  # holds the hash of the database beside it
REBUILD = "Run: pincite ingest --rebuild"
WORD = re.compile(r"[a-z0-9]+(?:\.[0-9]+)*")
STOP = frozenset(
    [
        "a",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "been",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "for",
        "from",
        "had",
        "has",
        "have",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "may",
        "me",
        "my",
        "no",
        "nor",
        "not",
        "of",
        "on",
        "or",
        "our",
        "shall",
        "she",
        "should",
        "so",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "under",
        "upon",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "who",
        "whom",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
    ]
)

TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE instrument(id INTEGER PRIMARY KEY, instrument TEXT, work TEXT, title TEXT, kind TEXT, version TEXT, layer TEXT, provenance TEXT,
  reader TEXT, file TEXT, sha256 TEXT, text BLOB, marks TEXT, notes TEXT, same_as INTEGER, valid_from TEXT, valid_to TEXT, recitals_to TEXT);
CREATE TABLE provision(id INTEGER PRIMARY KEY, instrument INTEGER, address TEXT, root TEXT, kind TEXT, heading TEXT, label TEXT, start INTEGER, "end" INTEGER,
  parent INTEGER, applies_from TEXT, until TEXT, after TEXT, base TEXT, note TEXT);
CREATE INDEX provision_address ON provision(address);
CREATE INDEX provision_instrument ON provision(instrument);
CREATE TABLE row(key INTEGER PRIMARY KEY, type TEXT, provision INTEGER, start INTEGER, "end" INTEGER, trail TEXT, words TEXT, hash TEXT);
CREATE TABLE edge(source TEXT, target TEXT, start INTEGER, "end" INTEGER, instrument INTEGER);
CREATE INDEX edge_source ON edge(source);
"""
COLUMNS = {"instrument": 18, "provision": 15, "row": 8, "edge": 5}


@dataclass(frozen=True, slots=True)
class Row:
    """What search indexes: a `passage` of official text, a whole `section`, a `digest`, or a `question` a digest answers."""

    type: str
    provision: int
    span: Span
    trail: tuple[str, ...]
    words: str

    @property
    def hash(self) -> str:
        """Identity of the words, by which vectors are kept."""
        return hashlib.sha256(self.words.encode()).hexdigest()


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
class BuildReport:
    """What a build did: rows embedded anew and reused, and the corpus digest."""

    generation: str
    digest: str
    passages: int
    embedded: int
    reused: int


@dataclass(frozen=True, slots=True)
class Filter:
    """What a hit must satisfy. Empty tuples admit everything; `layer` is official, digest or any."""

    as_of: str
    frameworks: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    layer: str = "any"


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


# ---- words -------------------------------------------------------------------------------------------------------


def tokens(text: str) -> list[str]:
    """The stemmed words by which the lexical index finds a text; section numbers such as 164.312 stay whole."""
    import Stemmer

    words = [w for w in WORD.findall(text.lower()) if w not in STOP]
    return cast("list[str]", Stemmer.Stemmer("english").stemWords(words))


# ---- rows of an instrument ---------------------------------------------------------------------------------------


def rows_of(instrument: Instrument, first_id: int) -> Iterator[Row]:
    """The rows that search gets from one instrument; `first_id` is the library id of its first provision."""
    provisions = instrument.provisions
    children: dict[int, list[int]] = {}
    for i, p in enumerate(provisions):
        children.setdefault(p.parent, []).append(i)
    trails = _trails(instrument)
    for i, p in enumerate(provisions):
        outer = provisions[p.parent] if p.parent >= 0 else None
        if instrument.layer == "digest":
            yield from _digest_rows(instrument, i, first_id, trails[i])
        elif p.kind != "container" and (outer is None or outer.kind == "container"):
            section = Row("section", first_id + i, p.span, trails[i], " ".join(filter(None, (*trails[i], p.heading, p.span.of(instrument.text)))))
            passages = [
                Row("passage", first_id + j, span, trails[j], " ".join((*trails[j], span.of(instrument.text)))) for j, span in _pieces(instrument, children, i)
            ]
            if [passage.words for passage in passages] != [section.words]:  # the same words need no second row
                yield section
            yield from passages


def _digest_rows(instrument: Instrument, i: int, first_id: int, trail: tuple[str, ...]) -> Iterator[Row]:
    p = instrument.provisions[i]
    note = instrument.notes.get(p.pinpoint.address)
    if note is None:
        return
    end = _own_end(instrument, i)
    span = Span(p.span.start, end)
    yield Row("digest", first_id + i, span, trail, " ".join((p.heading, span.of(instrument.text))))
    for question in note.questions:
        yield Row("question", first_id + i, span, trail, question)


def _own_end(instrument: Instrument, i: int) -> int:
    """Where a digest's own words and points end: before the next digest, which may be nested in it."""
    p = instrument.provisions[i]
    for q in instrument.provisions[i + 1 :]:
        if q.span.start >= p.span.end:
            break
        if q.pinpoint.address in instrument.notes:
            return q.span.start - 1
    return p.span.end


def _trails(instrument: Instrument) -> list[tuple[str, ...]]:
    """The headings above each provision, the root's own heading among them for what lies below it."""
    trails: list[tuple[str, ...]] = []
    for p in instrument.provisions:
        if p.parent < 0:
            trails.append(())
            continue
        outer = instrument.provisions[p.parent]
        trails.append((*trails[p.parent], outer.heading) if outer.heading else trails[p.parent])
    return trails


def _pieces(instrument: Instrument, children: dict[int, list[int]], i: int) -> Iterator[tuple[int, Span]]:
    """Cuts a provision into passages along its tree; only a leaf that is too long is cut at sentence ends."""
    p = instrument.provisions[i]
    below = children.get(i, [])
    if p.span.end - p.span.start <= LONG:
        yield i, p.span
    elif not below:
        yield from ((i, span) for span in _sentences(instrument.text, p.span))
    else:
        opening = Span(p.span.start, instrument.provisions[below[0]].span.start)
        if len(opening.of(instrument.text).strip()) > 60:
            yield from ((i, span) for span in _sentences(instrument.text, opening))
        for j in below:
            yield from _pieces(instrument, children, j)
        closing = Span(instrument.provisions[below[-1]].span.end, p.span.end)
        if len(closing.of(instrument.text).strip()) > 60:
            yield from ((i, span) for span in _sentences(instrument.text, closing))


def _sentences(text: str, span: Span) -> Iterator[Span]:
    """Runs of whole sentences of at most about LONG characters."""
    start = span.start
    cuts = [span.start + m.end() for m in re.finditer(r"[.;:]\s+(?=[A-Z(“‘\"])|\n", span.of(text))] + [span.end]
    last = start
    for cut in cuts:
        if cut - start > LONG and last > start:
            yield _trim(text, start, last)
            start = last
        last = cut
    if start < span.end:
        yield _trim(text, start, span.end)


def _trim(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return Span(start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip()))


# ---- editions ----------------------------------------------------------------------------------------------------


def winners(instruments: Sequence[Instrument]) -> list[int | None]:
    """For each instrument the index of the edition that stands for it, or None if it stands for itself.

    Of several editions of one version the original wins over a conversion, then the one with more provisions.
    An edition of the same day in another format is the same text; its differences are for `corpus diff` to show.
    """
    best: dict[tuple[str, str, str], int] = {}
    for i, one in enumerate(instruments):
        key = (one.work, one.version, one.layer)
        rank = (one.provenance == "original", len(one.provisions))
        held = best.get(key)
        if held is None or rank > (instruments[held].provenance == "original", len(instruments[held].provisions)):
            best[key] = i
    return [None if best[(o.work, o.version, o.layer)] == i else best[(o.work, o.version, o.layer)] for i, o in enumerate(instruments)]


def validity(instruments: Sequence[Instrument], same_as: Sequence[int | None]) -> list[tuple[str, str, str]]:
    """For each instrument the days [from, to) on which it is the version to read, and the same end for its recitals.

    A snapshot of a code or statute says nothing about when its words began, so the first one held reaches back
    without limit; an act or a guidance document begins on its date. Consolidated texts carry no recitals, so recitals
    stay valid until a version that has recitals follows.
    """
    result = []
    for one in instruments:
        later = [
            o
            for o, s in zip(instruments, same_as, strict=True)
            if s is None and o.kind != "proposal" and (o.work, o.layer) == (one.work, one.layer) and o.language in ("en", one.language) and o.date > one.date
        ]
        earlier = any(
            (o.work, o.layer, o.language) == (one.work, one.layer, one.language) and o.date < one.date and s is None and o.kind != "proposal"
            for o, s in zip(instruments, same_as, strict=True)
        )
        begins = "" if (one.layer == "digest" or (one.kind in ("cfr-part", "statute") and not earlier)) else one.date
        ends = min((o.date[:10] for o in later), default=FOREVER)
        recitals = min((o.date[:10] for o in later if any(p.kind == "recital" for p in o.provisions)), default=FOREVER)
        result.append((begins, ends, recitals))
    return result


# ---- building ----------------------------------------------------------------------------------------------------

Embed = Callable[[list[str]], "NDArray[np.float32]"]


def no_embedder(texts: list[str]) -> "NDArray[np.float32]":
    """Stands where every vector is known: to be asked for one is damage."""
    raise NotReady(f"The library is damaged: {len(texts)} vectors are missing", REBUILD)


@contextmanager
def write_lock(home: Path) -> Iterator[None]:
    """The one lock of the library: taken by ingest alone, and refused at once when another process holds it."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(home / "ingest.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise NotReady(f"The data folder {home} cannot be used ({error.strerror})", "Check its owner, mode and free space, or set PINCITE_HOME") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise NotReady("Another ingest is running in this data folder", "Wait for it to end, then run the command again") from error
        yield
    finally:
        os.close(handle)


def build(home: Path, instruments: Sequence[Instrument], edges: Iterable[tuple[int, str, str, Span]], embed: Embed, previous: "Library | None") -> BuildReport:
    """Write a new generation holding `instruments` and make it current. The caller holds `write_lock`.

    `edges` are references between provisions: (index of the instrument, source address, target address, span).
    Vectors of words that `previous` already holds are copied, all others come from `embed`.
    """
    return write(home, content_of(instruments, edges), embed, previous)


def write(home: Path, content: Content, embed: Embed, previous: "Library | None") -> BuildReport:
    """Make `content` the current generation, as `build` does."""
    try:
        return _write(home, content, embed, previous)
    except (OSError, sqlite3.Error) as error:
        for left in (home / "library").glob("*.building"):
            shutil.rmtree(left, ignore_errors=True)
        raise NotReady(f"The library cannot be written ({error})", "Free some space or check the data folder's mode; what was there is still in use") from error


def _write(home: Path, content: Content, embed: Embed, previous: "Library | None") -> BuildReport:
    folder = home / "library"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    number = 1 + max((int(p.name.split(".")[0]) for p in folder.iterdir() if p.name.split(".")[0].isdigit()), default=0)
    aside = folder / f"{number:06d}.building"
    for left in folder.glob("*.building"):
        shutil.rmtree(left)
    aside.mkdir(mode=0o700)
    _write_database(aside / "library.sqlite", content)
    matrix, embedded, reused = vectors_of(content.rows, embed, previous, aside / "vectors.npy")
    if len(matrix) > MANY:
        _write_coarse(aside, matrix)
    _write_lexical(aside, content.rows)
    _write_row_table(aside)
    _stamp(aside, content)
    (aside / STAMP).write_text(_hash_of(aside / "library.sqlite"))
    for path in aside.rglob("*"):
        _sync(path)
    final = folder / f"{number:06d}"
    aside.rename(final)
    _sync(folder)
    pointer = folder / "current.new"
    pointer.write_text(final.name)
    _sync(pointer)
    pointer.rename(folder / "current")
    _sync(folder)
    for old in folder.iterdir():
        if old.is_dir() and old.name < final.name:
            shutil.rmtree(old, ignore_errors=True)
    return BuildReport(final.name, content.digest, content.passages, embedded, reused)


def _hash_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """What was written is on the disk, and its owner's alone."""
    os.chmod(path, 0o700 if path.is_dir() else 0o600)
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def corpus_digest(instruments: Sequence[Instrument]) -> str:
    """SHA-256 over the sorted (pinpoint, version, layer, status, SHA-256 of the text) of every provision."""
    day = corpus.manifest().checked_until
    lines = []
    for one in instruments:
        for p in one.provisions:
            lines.append(_digest_line(p.pinpoint.address, one.version, one.layer, _term(one, p).at(day), p.span.of(one.text)))
    return digest_of(lines)


def digest_of(lines: Iterable[str]) -> str:
    """The corpus digest of its lines, in whatever order."""
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _digest_line(address: str, version: str, layer: str, status: str, words: str) -> str:
    return "\t".join((address, version, layer, status, hashlib.sha256(words.encode()).hexdigest()))


def _term(one: Instrument, p: Provision) -> corpus.Term:
    note = one.notes.get(p.pinpoint.address) or one.notes.get(p.pinpoint.root.address)
    base = "proposed" if one.kind == "proposal" else "draft" if ("draft", "true") in one.marks else ""
    default = corpus.Term(note.applies_from, base="draft" if note.status == "draft" else "") if note else corpus.Term(base=base)
    term = corpus.term_of(p.pinpoint, one.date, default)
    binds = term.base == "draft" or not _is_guidance(one.kind, one.layer, p.pinpoint)  # what is a draft says more than that by its status
    return term if binds else replace(term, note=". ".join(words for words in (NOT_BINDING, term.note.strip()) if words))


def content_of(instruments: Sequence[Instrument], edges: Iterable[tuple[int, str, str, Span]]) -> Content:
    """The tables' rows for instruments and the references between their provisions."""
    same_as = winners(instruments)
    days = validity(instruments, same_as)
    held: list[tuple[Any, ...]] = []
    provisions: list[tuple[Any, ...]] = []
    rows: list[Row] = []
    for i, one in enumerate(instruments):
        notes = {a: (n.questions, n.actors, n.applies_from, n.status, n.checked) for a, n in one.notes.items()}
        stands_for = same_as[i]
        held.append(
            (i + 1, one.id, one.work, one.title, one.kind, one.version, one.layer, one.provenance, one.reader, one.file, one.sha256, zlib.compress(one.text.encode(), 6),
             json.dumps(one.marks), json.dumps(notes), None if stands_for is None else stands_for + 1, *days[i]),
        )  # fmt: skip
        first = len(provisions) + 1
        provisions.extend(_provision_rows(one, i + 1, first))
        if stands_for is None and one.language == "en":
            rows.extend(rows_of(one, first))
    named = [(source, target, span.start, span.end, i + 1) for i, source, target, span in edges]
    return Content(held, provisions, named, rows, corpus_digest(instruments))


def row_tuples(rows: Iterable[Row]) -> Iterator[tuple[Any, ...]]:
    """Search rows as the table `row` keeps them: words that can be put together again are not kept."""
    for k, r in enumerate(rows):
        yield (k, r.type, r.provision, r.span.start, r.span.end, json.dumps(r.trail), r.words if r.type == "question" else "", r.hash)


def _write_database(path: Path, content: Content) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(TABLES)
        tables = {"instrument": content.instruments, "provision": content.provisions, "row": row_tuples(content.rows), "edge": content.edges}
        for table, rows in tables.items():
            db.executemany(f"INSERT INTO {table} VALUES({','.join('?' * COLUMNS[table])})", rows)
        db.execute("INSERT INTO meta VALUES('schema', ?)", (str(SCHEMA),))
        db.commit()


def _provision_rows(one: Instrument, instrument: int, first_id: int) -> Iterator[tuple[object, ...]]:
    for i, p in enumerate(one.provisions):
        term = _term(one, p)
        parent = first_id + p.parent if p.parent >= 0 else 0
        yield (
            first_id + i, instrument, p.pinpoint.address, p.pinpoint.root.address, p.kind, p.heading, p.label, p.span.start, p.span.end,
            parent, term.applies_from, term.until, term.after, term.base, term.note.strip(),
        )  # fmt: skip


def vectors_of(rows: Sequence[Row], embed: Embed, previous: "Library | None", to: Path) -> "tuple[NDArray[np.float32], int, int]":
    """The file `to`: one float32 row of unit length for each text, in the order in which the texts come first; whole sections have none.

    Gives it mapped, with how many texts were embedded and how many reused.
    """
    wanted = list(dict.fromkeys(r.hash for r in rows if r.type != "section"))
    known = previous.vector_index() if previous else {}
    fresh = {h: r.words for r in rows if r.type != "section" and (h := r.hash) not in known}
    made = embed(list(fresh.values())) if fresh else np.zeros((0, previous.vectors.shape[1] if previous else 1), dtype=np.float32)
    place = {h: i for i, h in enumerate(fresh)}
    matrix = np.lib.format.open_memmap(to, mode="w+", dtype=np.float32, shape=(len(wanted), made.shape[1]))
    for i, h in enumerate(wanted):
        matrix[i] = made[place[h]] if h in place or previous is None else previous.vectors[known[h]]
    matrix.flush()
    return matrix, len(fresh), len(wanted) - len(fresh)


def _write_coarse(aside: Path, matrix: "NDArray[np.float32]") -> None:
    """axes.npy and coarse.npy: the directions in which the vectors differ most, and the vectors along them, a quarter of the bytes to compare."""
    sample = np.asarray(matrix[:: max(1, len(matrix) // 20_000)])
    _, axes = np.linalg.eigh(sample.T @ sample)
    axes = np.ascontiguousarray(axes[:, -COARSE:].T, dtype=np.float32)
    np.save(aside / "axes.npy", axes)
    coarse = np.lib.format.open_memmap(aside / "coarse.npy", mode="w+", dtype=np.float32, shape=(len(matrix), len(axes)))
    for at in range(0, len(matrix), MANY):
        coarse[at : at + MANY] = matrix[at : at + MANY] @ axes.T
    coarse.flush()


def _write_lexical(aside: Path, rows: Sequence[Row]) -> None:
    import bm25s

    vocabulary: dict[str, int] = {}
    ids = [[vocabulary.setdefault(t, len(vocabulary)) for t in tokens(r.words)] for r in rows]
    vocabulary.setdefault("", len(vocabulary))
    index = bm25s.BM25(k1=K1, b=B, method="lucene")
    index.index(bm25s.tokenization.Tokenized(ids=ids, vocab=vocabulary), show_progress=False)
    index.save(str(aside / "lexical"), show_progress=False)


def _write_row_table(aside: Path) -> None:
    """rows.npz: the columns of `RowTable`, texts as bytes with NUL between them, so that opening a library need not make them again."""
    made = Library(aside, finished=False)
    table = made.made_rows()
    columns: dict[str, Any] = {name: getattr(table, name) for name in RowTable.__slots__}
    columns |= {name: np.frombuffer("\0".join(v).encode(), dtype=np.uint8) for name, v in columns.items() if isinstance(v, tuple)}
    np.savez(aside / ROWS, **columns)
    made.db.close()


def _stamp(aside: Path, content: Content) -> None:
    sums = {p.name: _hash_of(p) for p in (*sorted(aside.glob("*.np[yz]")), *sorted((aside / "lexical").iterdir()))}
    with closing(sqlite3.connect(aside / "library.sqlite")) as db:
        db.executemany("INSERT INTO meta VALUES(?,?)", [*meta_of(content).items(), ("files", json.dumps(sums))])
        db.commit()


def meta_of(content: Content) -> dict[str, str]:
    """What a generation says of itself."""
    vectors = len({r.hash for r in content.rows if r.type != "section"})
    return {"digest": content.digest, "passages": str(content.passages), "vectors": str(vectors)}


# ---- reading -----------------------------------------------------------------------------------------------------


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
            whole = not finished or not stamp.exists() or stamp.read_bytes() == _hash_of(path).encode()
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
            if not path.exists() or _hash_of(path) != wanted:
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
            found.append(_digest_line(address, e.version, e.layer, corpus.Term(*term).at(day), texts[edition][start:end]))
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
        known = [w for w in words if w in self.lexical.vocab_dict]
        lexical = np.asarray(self.lexical.get_scores(known), dtype=np.float32) if known else np.zeros(len(ok), dtype=np.float32)
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
        known = self.lexical.vocab_dict
        return {w: self.word_counts.get(known[w], 1) for w in words if w in known}

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

        With more than MANY vectors the nearest NEAREST rows are exact; the rest are compared along the coarse axes only.
        """
        rows = self.rows
        near = np.zeros(len(self.vectors) + 1, dtype=np.float32)
        if self._coarse is None:
            np.dot(self.vectors, vector, out=near[:-1])
        else:
            axes, coarse = self._coarse
            np.dot(coarse, axes @ vector, out=near[:-1])
            texts = rows.vector[ok & (rows.vector >= 0)]
            nearest = texts[np.argpartition(near[texts], -NEAREST)[-NEAREST:]] if len(texts) > NEAREST else texts
            near[nearest] = self.vectors[nearest] @ vector
        found: NDArray[np.float32] = near[rows.vector] * ok
        return found

    @cached_property
    def lexical(self) -> Any:
        """The bm25s index over all search rows."""
        import bm25s

        return bm25s.BM25.load(str(self._index / "lexical"), show_progress=False)

    @cached_property
    def word_counts(self) -> dict[int, int]:
        """In how many search rows each indexed word stands, by the word's number in the lexical index."""
        scores = self.lexical.scores
        return dict(enumerate(np.diff(scores["indptr"]).tolist()))

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


@dataclass(frozen=True, slots=True)
class RowTable:
    """Columns over all search rows, in key order, and over their root provisions; dates are integers yyyymmdd so that a filter is one comparison."""

    type: "NDArray[np.int8]"  # index into ROW_TYPES
    unit: "NDArray[np.int32]"  # number of the root address
    paragraph: "NDArray[np.int32]"  # number of the first level below the root; 0 for the root itself
    provision: "NDArray[np.int32]"
    vector: "NDArray[np.int32]"  # number of its vector; -1 for none
    framework: "NDArray[np.int16]"
    instrument: "NDArray[np.int16]"
    official: "NDArray[np.bool_]"
    valid_from: "NDArray[np.int32]"
    valid_to: "NDArray[np.int32]"
    until: "NDArray[np.int32]"
    applies_from: "NDArray[np.int32]"
    hidden: "NDArray[np.bool_]"  # proposals: never a default hit
    by_unit: "NDArray[np.int32]"  # keys of rows, those of one unit together
    starts: "NDArray[np.int32]"  # where in by_unit each unit begins, and the end
    unit_framework: "NDArray[np.int16]"  # of each unit, as are the next three
    guidance: "NDArray[np.bool_]"
    recital: "NDArray[np.bool_]"
    draft: "NDArray[np.bool_]"
    units: tuple[str, ...]
    frameworks: tuple[str, ...]
    instruments: tuple[str, ...]

    def of_unit(self, root: str) -> "NDArray[np.int32]":
        """The keys of the rows of a root provision, by its address."""
        unit = self.units.index(root)
        return self.by_unit[self.starts[unit] : self.starts[unit + 1]]


@dataclass(frozen=True, slots=True)
class Scores:
    """Rows with their scores for one question: all rows of a library, or those among which its best are."""

    rows: RowTable
    keys: "NDArray[np.int64]"  # the search row of each
    ok: "NDArray[np.bool_]"  # admitted by the filter; the scores of others are zero
    lexical: "NDArray[np.float32]"
    dense: "NDArray[np.float32]"


ROW_TYPES = ("passage", "section", "digest", "question")


def eligible(rows: RowTable, wanted: Filter) -> "NDArray[np.bool_]":
    """Which search rows the filter and the as-of date admit."""
    day = int(wanted.as_of.replace("-", ""))
    ok = (rows.valid_from <= day) & (day < rows.valid_to) & (day < rows.until) & ~rows.hidden
    if wanted.frameworks:
        ok &= np.isin(rows.framework, [rows.frameworks.index(f) for f in wanted.frameworks if f in rows.frameworks])
    if wanted.instruments:
        ok &= np.isin(rows.instrument, [rows.instruments.index(i) for i in wanted.instruments if i in rows.instruments])
    if wanted.layer != "any":
        ok &= rows.official == (wanted.layer == "official")
    return ok


def _day(text: str, default: int) -> int:
    return int(text[:10].replace("-", "")) if text and text[0].isdigit() else default


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
        guidance=units_where(_is_guidance(e.kind, e.layer, _address(r[8])) for e, r in zip(of, records, strict=True)),
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


def _is_guidance(kind: str, layer: str, p: Pinpoint) -> bool:
    if kind in ("guidance", "principles"):
        return True
    work = corpus.manifest().work(corpus.work_of(p)) if layer == "digest" else None
    return bool(work and work.kind in ("guidance", "principles"))


def _address(text: str) -> Pinpoint:
    instrument, _, path = text.partition(":")
    return Pinpoint(instrument, path)
