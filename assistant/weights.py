"""Finds the model files that come as packages, and tells a file's SHA-256, remembered so that a large file is read once.

Knows nothing about what the files hold.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from importlib.util import find_spec
from pathlib import Path

from assistant.errors import NotReady


def packaged(package: str, pattern: str) -> Path:
    """The one file of an installed package that fits the pattern, found without importing the package. Raises `NotReady`."""
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    found = sorted(Path(folders[0]).glob(pattern)) if folders else []
    if not found:
        raise NotReady(f"the embedded model {package} is not installed", "Run `make setup`")
    return found[0]


SEEN = "seen-files.json"


def sha256_of(path: Path, home: Path | None = None) -> str:
    """The file's SHA-256 in hex, remembered in the data folder `home` by path, size and time of change.

    What cannot be remembered is computed again. Raises OSError when the file cannot be read.
    """
    memory = home / SEEN if home else None
    stat = path.stat()
    key, seen = str(path.resolve()), [stat.st_size, stat.st_mtime_ns]
    known = _remembered(memory)
    entry = known.get(key)
    if isinstance(entry, list) and len(entry) == 3 and entry[:2] == seen:
        return str(entry[2])
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if memory:
        _remember(memory, {**known, key: [*seen, digest]})
    return digest


def _remembered(memory: Path | None) -> dict[str, object]:
    if memory is None:
        return {}
    try:
        known = json.loads(memory.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(memory: Path, known: dict[str, object]) -> None:
    """Replaces the file as a whole, so that two programs at once cannot mix theirs; a folder that cannot be written is no reason to stop."""
    with contextlib.suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=memory.parent, prefix=f".{memory.name}.")
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(known, file)
            Path(name).replace(memory)
        finally:
            Path(name).unlink(missing_ok=True)
