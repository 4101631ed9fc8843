"""Search in PostgreSQL at size: a library of N passages, its index, and how long questions take. Writes a line of JSON.

The passages are combinations: halves of two provisions of the library in the data folder, under invented instruments. Their vectors are not embedded but
sampled: the mean of the two provisions' own vectors with a little noise, of unit length. Times of search are real; relevance is not measured here.
Run: python benchmarks/postgres.py N postgresql://...
"""

import hashlib
import json
import random
import statistics
import sys
import time

import numpy as np

from assistant import corpus, library, retrieve, stores
from assistant.law import Instrument
from assistant.pinpoint import Pinpoint
from assistant.postgres import Postgres, session
from assistant.readers.tree import Tree
from assistant.settings import Settings
from assistant.workbench import Workbench, today

A_PIECE = 2_000  # passages of one invented instrument


def invented(number: int, texts: list[str], chance: random.Random) -> Instrument:
    """An instrument of A_PIECE articles, each of halves of two texts."""
    tree = Tree()
    for n in range(1, A_PIECE + 1):
        one, two = chance.sample(texts, 2)
        tree.open(Pinpoint(f"made-{number}", f"art-{n}"), "article", 0, "")
        tree.write(f"{number}.{n} {one[: len(one) // 2]} {two[len(two) // 2 :]}"[:900])
    text, provisions = tree.result()
    sha = hashlib.sha256(text.encode()).hexdigest()
    return Instrument(f"made-{number}", f"made-{number}", "Made up", "regulation", "2020-01-01", "official", "original", "made-up", "f", sha, text, provisions)


def main(wanted: int, url: str) -> None:
    """Builds and asks."""
    bench, store = Workbench(Settings(llm="none")), Postgres(url)
    held, chance, rng = bench.library, random.Random(7), np.random.default_rng(7)
    texts = [t for k in range(0, len(held.rows.type), 3) if len(t := held.passage(k, today()).text) > 200]
    base = np.asarray(held.vectors)

    def sampled(rows: list[str]) -> np.ndarray:
        found = base[rng.integers(len(base), size=len(rows))] + base[rng.integers(len(base), size=len(rows))]
        found += rng.normal(scale=0.02, size=found.shape).astype(np.float32)
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)

    made = [invented(i, texts, chance) for i in range(wanted // A_PIECE)]
    began = time.monotonic()
    stores.build(store, made, [], sampled, None)
    built = time.monotonic() - began
    large = stores.current(store)
    assert large
    questions = [json.loads(line)["question"] for line in (corpus.root() / "questions" / "answerable.jsonl").open()][:60]
    vectors = [bench.embedder.embed_query(q) for q in questions]
    times = []
    for question, vector in zip(questions * 2, vectors * 2, strict=True):
        started = time.perf_counter()
        retrieve.search(large, question, vector, library.Filter(today()))
        times.append(1000 * (time.perf_counter() - started))
    warm = sorted(times[len(questions) :])
    with session(store, f"pincite_library_{large.generation}") as db:
        sizes = dict(
            db.execute("SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relname IN ('search', 'search_near', 'search_words')").fetchall()
        )
    out = {
        "passages": wanted,
        "build_s": round(built, 1),
        "p50_ms": round(statistics.median(warm)),
        "p95_ms": round(warm[int(0.95 * len(warm))]),
        "bytes": sizes,
    }
    sys.stdout.write(json.dumps(out) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
