"""A new generation of the corpus: made aside, synced, and made current by renaming one pointer, so that a reader never sees half of it."""

import fcntl
import json
import os
import shutil
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant import corpus
from assistant.errors import NotReady
from assistant.law import NOT_BINDING, Instrument, Provision, Span
from assistant.library.reading import REBUILD, ROWS, SCHEMA, STAMP, Content, Library, digest_line, digest_of, hash_of, is_guidance
from assistant.library.rows import Row, rows_of, tokens
from assistant.library.table import RowTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

K1, B = 1.2, 0.6  # of BM25
FOREVER = "9999-12-31"
MANY = 50_000  # vectors: above this, reading all of them takes longer than embedding the question
COARSE = 96  # axes of 384 that the first comparison reads then
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
Embed = Callable[[list[str]], "NDArray[np.float32]"]


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did: rows embedded anew and reused, and the corpus digest."""

    generation: str
    digest: str
    passages: int
    embedded: int
    reused: int


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
    (aside / STAMP).write_text(hash_of(aside / "library.sqlite"))
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


def _sync(path: Path) -> None:
    """What was written is on the disk, and its owner's alone."""
    os.chmod(path, 0o700 if path.is_dir() else 0o600)
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _term(one: Instrument, p: Provision) -> corpus.Term:
    note = one.notes.get(p.pinpoint.address) or one.notes.get(p.pinpoint.root.address)
    base = "proposed" if one.kind == "proposal" else "draft" if ("draft", "true") in one.marks else ""
    default = corpus.Term(note.applies_from, base="draft" if note.status == "draft" else "") if note else corpus.Term(base=base)
    term = corpus.term_of(p.pinpoint, one.date, default)
    binds = term.base == "draft" or not is_guidance(one.kind, one.layer, p.pinpoint)  # what is a draft says more than that by its status
    return term if binds else replace(term, note=". ".join(words for words in (NOT_BINDING, term.note.strip()) if words))


def content_of(instruments: Sequence[Instrument], edges: Iterable[tuple[int, str, str, Span]]) -> Content:
    """The tables' rows for instruments and the references between their provisions.

    The corpus digest is the SHA-256 over the sorted (pinpoint, version, layer, status, SHA-256 of the text) of every provision.
    """
    same_as = winners(instruments)
    days = validity(instruments, same_as)
    checked = corpus.manifest().checked_until
    lines: list[str] = []
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
        terms = [_term(one, p) for p in one.provisions]
        lines.extend(
            digest_line(p.pinpoint.address, one.version, one.layer, t.at(checked), p.span.of(one.text)) for p, t in zip(one.provisions, terms, strict=True)
        )
        provisions.extend(_provision_rows(one, terms, i + 1, first))
        if stands_for is None and one.language == "en":
            rows.extend(rows_of(one, first))
    named = [(source, target, span.start, span.end, i + 1) for i, source, target, span in edges]
    return Content(held, provisions, named, rows, digest_of(lines))


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


def _provision_rows(one: Instrument, terms: Sequence[corpus.Term], instrument: int, first_id: int) -> Iterator[tuple[object, ...]]:
    for i, (p, term) in enumerate(zip(one.provisions, terms, strict=True)):
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
    sums = {p.name: hash_of(p) for p in (*sorted(aside.glob("*.np[yz]")), *sorted((aside / "lexical").iterdir()))}
    with closing(sqlite3.connect(aside / "library.sqlite")) as db:
        db.executemany("INSERT INTO meta VALUES(?,?)", [*meta_of(content).items(), ("files", json.dumps(sums))])
        db.commit()


def meta_of(content: Content) -> dict[str, str]:
    """What a generation says of itself."""
    vectors = len({r.hash for r in content.rows if r.type != "section"})
    return {"digest": content.digest, "passages": str(content.passages), "vectors": str(vectors)}
