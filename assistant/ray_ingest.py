"""Reading and embedding on a Ray cluster: this machine's own cores, or the machines of the cluster at an address. The library is written from here.

Vectors are kept in the data folder as they come, so that an ingest that was broken off goes on where it was. Hides Ray. Knows nothing of formats or stores.
"""

import hashlib
import logging
import os
import pickle
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from assistant.errors import NotReady, UsageError
from assistant.ingest import Progress, Refusal, Source, bytes_of, read_bytes
from assistant.law import Instrument

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.embed import Embedder

HERE = "local"  # the address that stands for this machine's own cores
TASK = 128  # texts of one task: some seconds of a core, and what is done again when a worker dies
PORTION = 256 << 20  # bytes of documents that are handed out at once

# What Ray reads when it is imported: quieter. The second: without clusters it listens on the loopback alone, and to who has the token.
QUIET = {"RAY_DATA_LOG_LEVEL": "ERROR", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}


@dataclass(frozen=True, slots=True)
class Workers:
    """A cluster that reads documents and embeds texts with the model whose file has the hash `sha256`; `kept` holds the vectors of an unfinished ingest."""

    embedder: str | None
    sha256: str
    kept: Path
    say: Progress

    def read(self, sources: Sequence[Source], say: Progress) -> Iterator[list[Instrument] | Refusal]:
        """What each source holds, or why it was not read, in the order of the sources; the bytes are read here and parsed in a sandbox on a worker."""
        done = 0
        for portion in _portions(sources):
            say(f"reading {done} of {len(sources)}")
            rows = [{"number": n, "source": pickle.dumps(one)} for n, one in enumerate(portion)]
            found = {row["number"]: row["found"] for row in _dataset(rows, len(rows)).map(_read).iter_rows()}
            yield from (pickle.loads(found[n]) for n in range(len(portion)))
            done += len(portion)

    def embed(self, texts: list[str]) -> "NDArray[np.float32]":
        """The vectors of texts, each different text embedded once; those that an earlier ingest left behind are taken."""
        hashes = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        held = self._held()
        unknown = {h: text for h, text in zip(hashes, texts, strict=True) if h not in held}
        if unknown:
            rows = [{"hash": h, "text": text} for h, text in unknown.items()]
            asked = _dataset(rows, -(-len(rows) // TASK)).map_batches(_embed, batch_size=TASK, fn_kwargs={"setting": self.embedder})
            for batch in asked.iter_batches(batch_size=None, batch_format="numpy"):
                if set(batch["by"]) != {self.sha256}:
                    raise NotReady("A worker has another embedder than this machine", "Install the same Pincite and set the same PINCITE_EMBEDDER on each")
                self._keep(batch["hash"].tolist(), batch["vector"])
                held |= dict(zip(batch["hash"].tolist(), batch["vector"], strict=True))
                self.say(f"embedded {len(held)} passages")
        return np.stack([held[h] for h in hashes]).astype(np.float32)

    def _held(self) -> "dict[str, NDArray[np.float32]]":
        found: dict[str, Any] = {}
        for part in sorted(self.kept.glob("*.npz")):
            try:
                with np.load(part) as shard:
                    found |= dict(zip(shard["hashes"].tolist(), shard["vectors"], strict=True))
            except (OSError, ValueError, KeyError, EOFError, BadZipFile):
                part.unlink()  # written when the machine went down: embedded again
        return found

    def _keep(self, hashes: list[str], vectors: "NDArray[np.float32]") -> None:
        self.kept.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = hashlib.sha256("".join(hashes).encode()).hexdigest()[:16]
        aside = self.kept / f"{name}.new"
        with aside.open("wb") as stream:
            np.savez(stream, hashes=np.array(hashes), vectors=np.stack(list(vectors)).astype(np.float32))
        aside.rename(self.kept / f"{name}.npz")


@contextmanager
def workers(address: str, embedder: str | None, sha256: str, home: Path, say: Progress) -> Iterator[Workers]:
    """The cluster at an address (`local`: this machine's own cores, on the loopback alone); vectors are forgotten when all went well.

    Raises `NotReady` when Ray is missing, does not answer or gives up.
    """
    if not find_spec("ray"):
        raise NotReady("Ray is not installed", "Run: .venv/bin/pip install -c constraints.txt -e '.[ray]'")
    settle(address)
    import ray
    from ray.exceptions import RayError

    kept = home / "embedding" / sha256[:16]
    with tempfile.TemporaryDirectory(prefix="pincite-ray-", ignore_cleanup_errors=True) as folder:
        try:
            start(address, folder, os.cpu_count() or 1)
            yield Workers(embedder, sha256, kept, say)
        except (RayError, ConnectionError, TimeoutError) as error:
            raise _given_up(address, error) from error
        finally:
            ray.shutdown()
    shutil.rmtree(kept.parent, ignore_errors=True)


def settle(address: str) -> None:
    """What Ray reads when it is imported is set."""
    os.environ.update(QUIET | (LOOPBACK | {"RAY_AUTH_TOKEN": secrets.token_hex(32)} if address == HERE else {}))


def start(address: str, folder: str, cores: int) -> None:
    """Connects this process with the cluster at an address; `local` starts one of some cores, whose files lie in `folder`."""
    import ray

    common: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address == HERE:
        ray.init(address=HERE, num_cpus=cores, include_dashboard=False, _node_ip_address="127.0.0.1", _temp_dir=folder, **common)
    elif ":" in address and "/" not in address:
        ray.init(address=address, **common)
    else:
        raise UsageError(f"'{address}' is no address of a Ray cluster", f"Write HOST:PORT, or {HERE} for this machine's own cores")
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False


def _given_up(address: str, error: Exception) -> NotReady:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    said = next((line for line in reversed(lines) if re.match(r"[A-Za-z_.]+(Error|NotReady|Exception): ", line)), lines[-1])[:200]
    return NotReady(
        f"The Ray cluster {address} cannot be used ({said})",
        "Look at `ray status` and RAY_AUTH_TOKEN, then run the same command again: it goes on where it was",
    )


def _dataset(rows: list[dict[str, Any]], tasks: int) -> Any:
    import ray

    return ray.data.from_items(rows, override_num_blocks=max(1, min(tasks, len(rows))))


def _portions(sources: Sequence[Source]) -> Iterator[list[tuple[Source, list[tuple[str, bytes]] | Refusal]]]:
    """The sources with their bytes, some at a time."""
    portion, size = [], 0
    for source in sources:
        data = bytes_of(source)
        portion.append((source, data))
        size += 0 if isinstance(data, Refusal) else sum(len(d) for _, d in data)
        if size > PORTION:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


# ---- on a worker -------------------------------------------------------------------------------------------------


def _read(row: Mapping[str, Any]) -> dict[str, Any]:
    source, data = pickle.loads(row["source"])
    found = data if isinstance(data, Refusal) else read_bytes(source.reader, source.name, source.sha256, data)
    return {"number": row["number"], "found": pickle.dumps(found)}


def _embed(batch: Mapping[str, Any], setting: str | None) -> dict[str, Any]:
    embedder = _embedder(setting)
    return {"hash": batch["hash"], "vector": embedder.embed_documents([str(text) for text in batch["text"]]), "by": [embedder.sha256] * len(batch["hash"])}


@cache
def _embedder(setting: str | None) -> "Embedder":
    """The model of this process, on one thread."""
    from assistant.embed import Embedder

    return Embedder(setting, threads=1)
