"""Backup and restore of a data folder: one file with the record, the current library and the fetched sources.

A backup is taken while Pincite may be writing and equals a quiet point: the record is copied at one instant, the
library is the generation that was current before and after. A restore is checked whole before anything is put in place.
The file is the same whether the store is a folder or a database, so that a restore also moves from one to the other.
Knows nothing of what is in the files but their names and hashes.
"""

import hashlib
import json
import os
import re
import shutil
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from assistant import library, record, stores
from assistant.errors import NotReady, UsageError
from assistant.postgres import Postgres
from assistant.record import Store

SCHEMA = "pincite/backup@1"
PATIENCE = 60.0  # seconds in which a quiet point is waited for
_WHEN = (1980, 1, 1, 0, 0, 0)
_NAME = re.compile(r"record\.sqlite|library/current|(?:library/\d{6}|sources)(?:/[^/\\\x00-\x1f]+)+")
_PARTS = ("record.sqlite", "library", "sources")
_UNZIP = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, struct.error)


def backup(home: Path, to: Path, store: Store | None = None) -> dict[str, Any]:
    """Write the backup whole or not at all; its hash, head, corpus digest and how many files it holds."""
    store = store or home
    if store == home and not (home / "record.sqlite").exists() and not (home / "library").exists():
        raise UsageError(f"There is nothing to back up in {home}", "Set PINCITE_HOME to the data folder")
    if to.resolve().is_relative_to(home.resolve()):
        raise UsageError(f"{to} lies in the data folder itself", "Choose a place outside it, best on another disk")
    part = to.with_name(to.name + ".part")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="pincite-backup-", dir=to.parent) as aside:
            files, manifest = _snapshot(home, store, Path(aside))
            with part.open("wb") as stream:
                os.chmod(part, 0o600)
                _pack(stream, files, manifest)
                stream.flush()
                os.fsync(stream.fileno())
        part.replace(to)
    except OSError as error:
        raise UsageError(f"{to} cannot be written: {error.strerror or error}", "Check the folder's mode and free space") from error
    finally:
        with suppress(OSError):
            part.unlink()
    with to.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"sha256": digest, "head": manifest["head"], "corpus_digest": manifest["corpus_digest"], "files": len(files)}


def _snapshot(home: Path, store: Store, aside: Path) -> tuple[dict[str, Path], dict[str, Any]]:
    """The files by name, with the library linked or copied aside, where the next ingest cannot take it away."""
    deadline = time.monotonic() + PATIENCE
    while True:
        files: dict[str, Path] = {}
        held = stores.current(store)
        with suppress(FileNotFoundError):
            if held and isinstance(store, Postgres):
                stores.adopt(aside, held)
                files |= {p.relative_to(aside).as_posix(): p for p in sorted((aside / "library").rglob("*")) if p.is_file()}
            elif held:
                for path in sorted(p for p in held.folder.rglob("*") if p.is_file()):
                    name = f"library/{held.folder.name}/{path.relative_to(held.folder).as_posix()}"
                    files[name] = _keep(path, aside / name)
                files["library/current"] = aside / "current"
                files["library/current"].write_text(held.folder.name)
            if store != home or (home / "record.sqlite").exists():
                files["record.sqlite"] = aside / "record.sqlite"
                record.copy(store, files["record.sqlite"])
            again = stores.current(store)
            same = (again.generation if again else None) == (held.generation if held else None)
            if same and (_told(aside, held) or time.monotonic() > deadline):
                break
        if time.monotonic() > deadline:
            raise NotReady("The library changed all the while", "Wait for the ingest to end, then back up again")
        shutil.rmtree(aside / "library", ignore_errors=True)
        (aside / "record.sqlite").unlink(missing_ok=True)
        time.sleep(0.1)
    for path in sorted(p for p in (home / "sources").rglob("*") if p.is_file() and not p.is_symlink() and not p.name.endswith(".part")):
        files[f"sources/{path.relative_to(home / 'sources').as_posix()}"] = path
    return files, {"schema": SCHEMA, "head": record.head(aside), "corpus_digest": held.digest if held else ""}


def _keep(path: Path, to: Path) -> Path:
    to.parent.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        os.link(path, to)
        return to
    shutil.copyfile(path, to)
    return to


def _told(aside: Path, held: library.Library | None) -> bool:
    """Whether the record's last word on the corpus is the generation held: an ingest writes it just after it made that current."""
    said = [r.body.get("corpus_digest") for r in record.records(aside) if r.action in ("ingest", "restore") and r.body.get("corpus_digest")]
    return not held or not said or said[-1] == held.digest


def _pack(stream: Any, files: dict[str, Path], manifest: dict[str, Any]) -> None:
    sums: dict[str, str] = {}
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in sorted(files):
            digest = hashlib.sha256()
            info = zipfile.ZipInfo(name, _WHEN)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            with files[name].open("rb") as source, archive.open(info, "w", force_zip64=True) as into:
                while block := source.read(1 << 20):
                    digest.update(block)
                    into.write(block)
            sums[name] = digest.hexdigest()
        archive.writestr(zipfile.ZipInfo("manifest.json", _WHEN), record.canonical({**manifest, "files": sums}))


def restore(home: Path, file: Path, force: bool, store: Store | None = None) -> dict[str, Any]:
    """Put a backup in place, once every hash, the chain and the library have been checked; what was there is set aside."""
    store = store or home
    there = [name for name in _PARTS if (home / name).exists()]
    if store != home and record.head(store) != record.GENESIS:
        there.append(str(store))
    if there and not force:
        raise UsageError(
            f"The data folder {home} is not empty: {', '.join(there)}", "Give --force to replace it; what is there is set aside in before-restore-1"
        )
    with stores.write_lock(store):
        aside = home / "restoring"
        shutil.rmtree(aside, ignore_errors=True)
        try:
            manifest = _unpack(file, aside)
            verdict = record.verify_chain(record.records(aside), manifest["head"])
            if not verdict.sound:
                raise UsageError(f"{file} was altered: {verdict.problem}", "Use another backup")
            held = library.current(aside)
            if (held.digest if held else "") != manifest["corpus_digest"] or (held and held.damaged()):
                raise UsageError(f"{file} was altered: its library is not the one that was saved", "Use another backup")
            replaced = _head(store)
            if isinstance(store, Postgres):
                _put_in(store, aside, held)
            _put(home, aside)
        except OSError as error:
            raise NotReady(f"The backup cannot be put into {home} ({error.strerror or error})", "Check free space and the folder's mode") from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {
        "sha256": digest, "head": verdict.head, "records": verdict.records, "corpus_digest": manifest["corpus_digest"],
        "files": len(manifest["files"]), "replaced_head": replaced,
    }  # fmt: skip


def _unpack(file: Path, aside: Path) -> dict[str, Any]:
    """The backup's files under `aside`, each checked; its manifest."""
    bad = UsageError(f"{file} is not a sound backup", "Give a file that `pincite backup` wrote")
    if not file.is_file():
        raise UsageError(f"{file} does not exist", "Give a file that `pincite backup` wrote")
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            sums = manifest["files"]
            names = [i.filename for i in archive.infolist() if i.filename != "manifest.json"]
            if manifest["schema"] != SCHEMA or sorted(names) != sorted(sums) or any(not _NAME.fullmatch(n) or ".." in n.split("/") for n in names):
                raise bad
            for name in names:
                to = aside / name
                to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                if _extract(archive, name, to) != sums[name]:
                    raise UsageError(f"{file} was altered: {name} is not what was saved", "Use another backup")
    except (*_UNZIP, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise bad from error
    if not isinstance(manifest["head"], str) or not isinstance(manifest["corpus_digest"], str):
        raise bad
    return dict(manifest)


def _extract(archive: zipfile.ZipFile, name: str, to: Path) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as source, to.open("wb") as into:
        os.chmod(to, 0o600)
        while block := source.read(1 << 20):
            digest.update(block)
            into.write(block)
        into.flush()
        os.fsync(into.fileno())
    return digest.hexdigest()


def _put_in(store: Postgres, aside: Path, held: library.Library | None) -> None:
    """Put the checked library and record into a database; the record last, and what was there set aside. Only `sources` are left for the folder."""
    if held:
        stores.adopt(store, held)
        shutil.rmtree(aside / "library")
    if (aside / "record.sqlite").exists():
        record.put(store, aside)
        (aside / "record.sqlite").unlink()


def _put(home: Path, aside: Path) -> None:
    """Set aside what is there, then move the checked parts in; the record last, so that it never speaks of what is not there yet."""
    old = next(_places(home))
    for name in (*_PARTS, "record.sqlite-journal"):
        if (home / name).exists():
            old.mkdir(exist_ok=True, mode=0o700)
            (home / name).rename(old / name)
    for name in reversed(_PARTS):
        if (aside / name).exists():
            (aside / name).rename(home / name)
    handle = os.open(home, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _places(home: Path) -> Iterator[Path]:
    n = 1
    while True:
        if not (home / f"before-restore-{n}").exists():
            yield home / f"before-restore-{n}"
        n += 1


def _head(store: Store) -> str:
    """The head of the record that is replaced; "" where there is none or it cannot be read."""
    with suppress(NotReady):
        return record.head(store) if isinstance(store, Postgres) or (store / "record.sqlite").exists() else ""
    return ""
