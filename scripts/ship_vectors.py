"""Writes `corpus/vectors.npz`: vectors of the digests and their questions, so that a first start need not embed them.

    .venv/bin/python scripts/ship_vectors.py HOME

HOME is a data folder in which the shipped corpus was ingested with the embedded model. The file is a cache by text hash:
a digest that was changed since is embedded at ingest, and a wrong file cannot be used, for it names its model.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from assistant import corpus, library
from assistant.embed import Embedder


def main() -> None:
    """Take the vectors of every digest and question row, as signed bytes with one scale a row."""
    held = library.current(Path(sys.argv[1]))
    if held is None:
        sys.exit("no library in this folder: run `pincite ingest` there first")
    wanted = {r.hash for one in corpus.digest_instruments() for r in library.rows_of(one, 0)}
    rows = {h: k for h, k in held.vector_index().items() if h in wanted}
    matrix = np.asarray(held.vectors[[rows[h] for h in sorted(rows)]])
    scale = np.abs(matrix).max(axis=1) / 127.0
    small = np.round(matrix / scale[:, None]).astype(np.int8)
    hashes = np.frombuffer(b"".join(bytes.fromhex(h) for h in sorted(rows)), dtype=np.uint8).reshape(-1, 32)
    path = corpus.root() / "vectors.npz"
    np.savez_compressed(path, model=np.array(Embedder().sha256), hashes=hashes, matrix=small, scale=scale.astype(np.float32))
    agree = (small * scale[:, None] * matrix).sum(axis=1) / np.linalg.norm(small * scale[:, None], axis=1)
    sys.stdout.write(f"{len(rows)} of {len(wanted)} vectors, {path.stat().st_size >> 10} KiB, least cosine to the original {agree.min():.5f}\n")


if __name__ == "__main__":
    main()
