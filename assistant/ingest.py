"""Files in, a new generation of the library out: finds documents, recognises and reads them in the sandbox, and builds.

Knows the order of the work and what to say about each file; the formats are the readers', the disk form the library's.
"""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant import corpus, library, originals, sandbox, stores
from assistant.errors import NotReady, Unreadable, UsageError, printable
from assistant.law import Instrument, Span
from assistant.library import Embed, Library
from assistant.pinpoint import KNOWN
from assistant.readers import HEAD, READERS, plain, recognise
from assistant.record import Store
from assistant.references import references_in

if TYPE_CHECKING:
    import numpy as np

LARGEST = 200 * 1024 * 1024
INPUTS = "inputs.json"
ALONE = {r.NAME for r in READERS if not r.GROUPED}
Progress = Callable[[str], None]
AT_ONCE = 512  # texts that are embedded between two words of progress


@dataclass(frozen=True, slots=True)
class Source:
    """The files that one reader takes together, by name and path, with the hash of their bytes."""

    reader: str
    files: tuple[tuple[str, Path], ...]
    sha256: str

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.files[0][0] if len(self.files) == 1 else str(Path(self.files[0][0]).parent)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that was not read, and why."""

    file: str
    code: str
    reason: str


ReadSources = Callable[[Sequence[Source], Progress], Iterable[list[Instrument] | Refusal]]


@dataclass(slots=True)
class IngestReport:
    """What an ingest did: the editions now held from the files given, the refusals, and the counts."""

    instruments: list[Instrument] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    embedded: int = 0
    reused: int = 0
    passages: int = 0
    seconds: float = 0.0
    digest: str = ""
    changed: bool = True


def gather(paths: Sequence[Path], report: IngestReport, known: Mapping[str, str] | None = None) -> list[Source]:
    """The sources under the paths given; files that no reader knows are refused in `report`.

    `known` is the reader of each file read before, by its hash.
    """
    groups: dict[tuple[str, str], list[tuple[str, Path]]] = {}
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} does not exist", "Give an official document or a folder of them")
        for name, file in _files(path):
            reader = _reader_of(name, file, report, known or {})
            if reader:
                key = (reader, str(file.parent) if _grouped(reader) else str(file))
                groups.setdefault(key, []).append((name, file))
    return [Source(reader, tuple(files), _hash(files)) for (reader, _), files in groups.items()]


def _grouped(reader: str) -> bool:
    return any(reader == r.NAME and r.GROUPED for r in READERS)


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    if path.is_file():
        yield printable(path.name), path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        folders[:] = [f for f in folders if not f.startswith(".")]
        for name in sorted(names):
            if not name.startswith("."):
                file = Path(folder) / name
                yield printable(str(file.relative_to(path))), file


def _reader_of(name: str, file: Path, report: IngestReport, known: Mapping[str, str]) -> str | None:
    try:
        if file.stat().st_size > LARGEST:
            raise Unreadable("too-large", f"{name} is larger than {LARGEST >> 20} MB", "Split it, or ingest the official part files")
        if known and (reader := known.get(_hash([(name, file)]))):
            return reader
        with file.open("rb") as stream:
            head = stream.read(HEAD)
        if not head.strip():
            raise Unreadable("empty", f"{name} is empty", "Fetch it again from its publisher")
        found = sandbox.call(reader_name, name, head)
        if found is None:
            raise Unreadable(
                "not-recognised", f"{name}: no reader knows this document (it begins {head[:40]!r})", "Give --instrument ID to read it as plain text"
            )
        return found
    except OSError as error:
        report.refused.append(Refusal(name, "unreadable", f"{name} cannot be opened: {error.strerror}"))
    except Unreadable as error:
        report.refused.append(Refusal(name, error.code, error.about(name).line()))
    return None


def reader_name(name: str, head: bytes) -> str | None:
    """The name of the reader for a file; runs in the sandbox."""
    reader = recognise(name, head)
    return reader.NAME if reader else None


def read_source(reader: str, files: list[tuple[str, bytes]]) -> list[Instrument]:
    """The instruments in one source; runs in the sandbox."""
    return next(r for r in READERS if reader == r.NAME).read(files)


def _hash(files: Iterable[tuple[str, Path]]) -> str:
    sums = [hashlib.sha256(file.read_bytes()).hexdigest() for _, file in files]
    return sums[0] if len(sums) == 1 else hashlib.sha256("\n".join(sums).encode()).hexdigest()


def read_here(sources: Sequence[Source], say: Progress) -> Iterator[list[Instrument] | Refusal]:
    """What each source holds, or why it was not read, one after the other."""
    for n, source in enumerate(sources, 1):
        say(f"reading {n} of {len(sources)}: {source.files[0][0]}")
        data = bytes_of(source)
        yield data if isinstance(data, Refusal) else read_bytes(source.reader, source.name, source.sha256, data)


def bytes_of(source: Source) -> list[tuple[str, bytes]] | Refusal:
    """A source's files by name, or why one cannot be opened."""
    try:
        return [(n, file.read_bytes()) for n, file in source.files]
    except OSError as error:
        return Refusal(source.name, "unreadable", f"{source.name} cannot be opened: {error.strerror}")


def read_bytes(reader: str, name: str, sha256: str, data: list[tuple[str, bytes]]) -> list[Instrument] | Refusal:
    """The instruments in the bytes of one source, read in the sandbox, or why there are none."""
    try:
        found = sandbox.call(read_source, reader, data, seconds=120, memory_mb=2048)
        return [replace(one, sha256=sha256, file=name if len(data) > 1 else one.file) for one in found]
    except Unreadable as error:
        return Refusal(name, error.code, error.about(name).line())


def ingest(
    home: Path,
    paths: Sequence[Path],
    embed: Embed,
    say: Progress,
    rebuild: bool = False,
    instrument: str = "",
    passages: Path | None = None,
    store: Store | None = None,
    read: ReadSources = read_here,
) -> IngestReport:
    """Read what the paths hold (nothing: the shipped corpus alone), add it to what the library has, and make that current.

    A file that the same program has read before is not read again. Nothing is written when no file could be read.
    `passages` is a file of JSON lines for `instrument`; with `instrument` alone, unknown documents are read as plain text under that id. `store` is the data folder unless given.
    `read` gives for each source in turn what it holds.
    """
    store = store or home
    started = time.monotonic()
    report = IngestReport()
    if instrument and (instrument in KNOWN or ":" in instrument):
        raise UsageError(f"'{instrument}' is a framework of Pincite's own or not a plain id", "Choose another id, such as hospital-policy")
    with stores.write_lock(store):
        held = _held(store, rebuild)
        sound = held if held and not held.damaged() else None  # never copy what is damaged
        own = sound if sound and not rebuild and _same_inputs(home, sound) else None  # made by this program; another may read worse
        known = {e.sha256: e for e in own.editions.values() if e.layer == "official"} if own else {}
        if instrument:
            fresh = _added_set(instrument, paths, passages, report)
        else:
            fresh, unread = [], []
            for source in gather(paths, report, {sha256: e.reader for sha256, e in known.items() if e.reader in ALONE}):
                if len(source.files) == 1:
                    with contextlib.suppress(OSError):  # without it the text is shown instead of the page
                        originals.keep(home, source.files[0][1], source.sha256)
                if own and source.sha256 in known:
                    report.instruments.extend(own.instrument(e.id) for e in own.editions.values() if e.sha256 == source.sha256)
                else:
                    unread.append(source)
            for found in read(unread, say):
                report.refused.append(found) if isinstance(found, Refusal) else fresh.extend(found)
        if (paths or passages) and not fresh and not report.instruments:
            return report
        if own and not fresh:
            _unchanged(own, report)
        else:
            kept = held.instruments() if held else []
            if own or (instrument and not rebuild):
                fresh = [one for one in fresh if not any(one.sha256 == k.sha256 and one.work == k.work for k in kept)]
            else:  # what was read again stands for what it was
                again = {one.sha256 for one in fresh}
                kept = [k for k in kept if k.sha256 not in again]
            _build(store, kept, fresh, embed, rebuild, report, say, sound, own.edges() if own else ())
            built = stores.current(store)
            if built:
                _keep_inputs(home, built)
    report.seconds = round(time.monotonic() - started, 2)
    return report


def _held(store: Store, rebuild: bool) -> Library | None:
    """The library as it is; a rebuild starts from nothing where the old one cannot be opened."""
    try:
        return stores.current(store)
    except NotReady:
        if rebuild:
            return None
        raise


def _added_set(instrument: str, paths: Sequence[Path], passages: Path | None, report: IngestReport) -> list[Instrument]:
    found: list[Instrument] = []
    for path in [passages] if passages else list(paths):
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UsageError(f"{path} cannot be opened: {error.strerror}") from error
        reader = plain.read_passages if passages else plain.read_as
        try:
            one = sandbox.call(reader, path.name, data, instrument, seconds=60, memory_mb=2048)
            found.append(replace(one, sha256=hashlib.sha256(data).hexdigest()))
        except Unreadable as error:
            report.refused.append(Refusal(printable(path.name), error.code, error.about(printable(path.name)).line()))
    return found


def _build(
    store: Store,
    kept: list[Instrument],
    fresh: list[Instrument],
    embed: Embed,
    rebuild: bool,
    report: IngestReport,
    say: Progress,
    sound: Library | None,
    known: Sequence[Sequence[tuple[str, str, Span]]],
) -> None:
    digests = list(corpus.digest_instruments())
    new = [revised(one, kept) for one in fresh]
    report.instruments.extend(new)
    everything = [*kept, *new, *digests]
    content = library.content_of(everything, references(everything, known))
    report.digest = content.digest
    files = {one.sha256 for one in everything}
    if sound and sound.digest == report.digest and files == {e.sha256 for e in sound.editions.values()} and not rebuild:
        _unchanged(sound, report)
        return
    say(f"building: {len(everything)} editions")
    built = stores.write(store, content, embed, sound)
    report.embedded, report.reused, report.passages = built.embedded, built.reused, built.passages


def _unchanged(held: Library, report: IngestReport) -> None:
    report.changed = False
    report.digest = held.digest
    report.passages = int(held.meta["passages"])
    report.reused = int(held.meta["vectors"])


def _inputs() -> str:
    """SHA-256 over the shipped corpus and the program: what a generation is made of beside the files read."""
    made = hashlib.sha256()
    for path in sorted([*(corpus.root() / "digests").glob("*.toml"), *corpus.root().glob("*.toml"), *Path(__file__).parent.rglob("*.py")]):
        made.update(hashlib.sha256(path.read_bytes()).digest())
    return made.hexdigest()


def _inputs_of(held: Library) -> str:
    return json.dumps({"generation": held.generation, "digest": held.digest, "inputs": _inputs()})


def _same_inputs(home: Path, held: Library) -> bool:
    """Whether this generation was made by this program of this shipped corpus, so that making it again would give the same."""
    try:
        return (home / INPUTS).read_text("ascii") == _inputs_of(held)
    except (OSError, ValueError):
        return False


def _keep_inputs(home: Path, held: Library) -> None:
    """What cannot be kept is computed again."""
    aside = home / f"{INPUTS}.{os.getpid()}"
    with contextlib.suppress(OSError):
        aside.write_text(_inputs_of(held), "ascii")
        aside.chmod(0o600)
        aside.replace(home / INPUTS)


def sparing(embed: Embed, vectors: Callable[[], Mapping[str, "np.ndarray[Any, Any]"]], say: Progress, at_once: int = AT_ONCE) -> Embed:
    """Embeds only texts without a shipped vector (`vectors` gives those by hash), in batches of similar length, and says how far it is."""
    import numpy as np

    def batched(texts: list[str]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        shipped = vectors()
        held = [shipped.get(hashlib.sha256(t.encode()).hexdigest()) for t in texts]
        order = sorted((i for i, h in enumerate(held) if h is None), key=lambda i: len(texts[i]))
        found: dict[int, Any] = {i: h for i, h in enumerate(held) if h is not None}
        for at in range(0, len(order), at_once):
            say(f"embedding {at} of {len(order)} passages")
            part = order[at : at + at_once]
            found |= dict(zip(part, embed([texts[i] for i in part]), strict=True))
        matrix = np.stack([found[i] for i in range(len(texts))]).astype(np.float32)
        return np.asarray(matrix / np.linalg.norm(matrix, axis=1, keepdims=True), dtype=np.float32)

    return batched


def revised(one: Instrument, kept: Sequence[Instrument]) -> Instrument:
    """The instrument as it is to be held: a changed text under a date already held is a revision of its own.

    A publisher can change a file under the same date and address; the older words stay for comparison.
    """
    same = [k for k in kept if (k.work, k.date[:10], k.language, k.reader, k.layer) == (one.work, one.date[:10], one.language, one.reader, one.layer)]
    if not same or any(k.text == one.text for k in same):
        return one
    language = f".{one.language}" if one.language != "en" else ""
    return replace(one, version=f"{one.date[:10]}-r{len(same) + 1}{language}")


def references(instruments: Sequence[Instrument], known: Sequence[Sequence[tuple[str, str, Span]]] = ()) -> Iterator[tuple[int, str, str, Span]]:
    """The provisions that each provision's own words name, but for those that hold it: (index of the instrument, source, target, span in the text).

    `known` are those of the first instruments, when they were found by this program before.
    """
    yield from ((i, *edge) for i, edges in enumerate(known) for edge in edges)
    for i, one in enumerate(instruments[len(known) :], len(known)):
        if one.layer != "official" or one.language != "en" or one.id not in KNOWN:
            continue
        for source, target, span in references_in(one):
            if target != source and not source.startswith((f"{target}(", f"{target}/")):
                yield i, source, target, span
