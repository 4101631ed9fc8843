"""Measures speed on this machine and writes `benchmarks/results/`: search, first and repeated ingest, readers, LangChain's pipeline.

    make bench                       # over the shipped corpus
    .venv/bin/python benchmarks/run.py HOME [FOLDER]

HOME is a data folder with an index (default: a fresh one from the shipped corpus); FOLDER holds official texts to read
(default: ../shared/corpus when it is there). Figures are of a warm process, medians over many runs.
"""

import json
import platform
import statistics
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from assistant import corpus, retrieve  # noqa: E402
from assistant.ingest import IngestReport, gather, read_source  # noqa: E402
from assistant.workbench import Settings, Workbench, today  # noqa: E402


def search(bench: Workbench, questions: list[str]) -> dict[str, Any]:
    """Milliseconds of a warm search, embedding included."""
    wanted = retrieve.Filter(today())
    for q in questions[:5]:
        bench.search(q, wanted)
    each = [bench.search(q, wanted)["ms"] for q in questions]
    rows = {name: [e[name] for e in each] for name in ("embed", "search", "total")}
    return {
        "passages": int(bench.library.meta["passages"]),
        "rows": len(bench.library.rows.type),
        **{n: {"p50": statistics.median(v), "p95": float(np.quantile(v, 0.95))} for n, v in rows.items()},
    }


def ingest(folder: Path) -> dict[str, Any]:
    """Seconds of a first ingest of the shipped corpus, and of one with nothing changed."""
    with tempfile.TemporaryDirectory() as home:
        times = []
        for _ in range(2):
            started = time.perf_counter()
            Workbench(Settings(home=Path(home), llm="none")).ingest()
            times.append(round(time.perf_counter() - started, 2))
    return {"first": times[0], "again": times[1]}


def readers(folder: Path) -> dict[str, Any]:
    """Megabytes a second of each reader, without the sandbox and without embedding."""
    spent: dict[str, list[float]] = {}
    for source in gather([folder], IngestReport()):
        data = [(name, path.read_bytes()) for name, path in source.files]
        started = time.perf_counter()
        try:
            read_source(source.reader, data)
        except Exception as error:
            sys.stderr.write(f"{source.files[0][0]}: {error}\n")
            continue
        row = spent.setdefault(source.reader, [0.0, 0.0])
        row[0] += sum(len(d) for _, d in data) / 1e6
        row[1] += time.perf_counter() - started
    return {name: {"MB": round(mb, 2), "seconds": round(s, 2), "MB/s": round(mb / s, 2)} for name, (mb, s) in sorted(spent.items())}


def langchain(texts: list[str], questions: list[str]) -> dict[str, Any]:
    """LangChain's ordinary pipeline over the same text and embedding model: splitter, HuggingFaceEmbeddings, Chroma."""
    from assistant.embed import Embedder

    embedder = Embedder()
    ours = time.perf_counter()
    embedder.embed_documents(texts)
    ours = time.perf_counter() - ours
    from langchain_chroma import Chroma
    from langchain_huggingface import HuggingFaceEmbeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    model = HuggingFaceEmbeddings(model_name=str(embedder.folder), model_kwargs={"local_files_only": True}, encode_kwargs={"normalize_embeddings": True})
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=0)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        store = Chroma.from_texts([c for t in texts for c in splitter.split_text(t)], model, persist_directory=folder)
        theirs = time.perf_counter() - started
        each = []
        for q in questions:
            started = time.perf_counter()
            store.similarity_search(q, k=10)
            each.append(1000 * (time.perf_counter() - started))
    return {
        "passages": len(texts),
        "pincite_embedding_s": round(ours, 2),
        "langchain_index_s": round(theirs, 2),
        "langchain_query_ms_p50": round(statistics.median(each), 1),
    }


def main() -> None:
    """Run what can be run here and write one JSON file named by the day."""
    home = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT.parent / "shared" / "corpus"
    bench = Workbench(Settings(home=home, llm="none"))
    if not (home / "library").exists():
        bench.ingest()
    questions = [json.loads(line)["question"] for line in (corpus.root() / "questions" / "answerable.jsonl").read_text("utf8").splitlines()]
    texts = [p.text for p in (bench.library.passage(int(k), today()) for k in np.flatnonzero(bench.library.rows.type % 2 == 0)[:400])]
    found: dict[str, Any] = {
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {len(__import__('os').sched_getaffinity(0))} cores",
        "search": search(bench, questions),
    }
    found["ingest_shipped"] = ingest(folder)
    found["langchain"] = langchain(texts, questions[:50])
    if folder.is_dir():
        found["readers"] = readers(folder)
    out = ROOT / "benchmarks" / "results" / f"{found['date']}.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(found, indent=2) + "\n", "utf8")
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
