"""Measures speed on this machine and writes `benchmarks/results/`: search at several sizes, ingest, readers, the pipelines of LangChain and of txtai.

    make bench                       # over the shipped corpus
    .venv/bin/python benchmarks/run.py HOME [FOLDER]

HOME is a data folder with an index (default: a fresh one from the shipped corpus); FOLDER holds official texts to read
(default: ../shared/corpus when it is there). Figures are of a warm process, medians over many runs; the load of the
machine stands beside them. Every part runs in a process of its own, so that its peak of memory is its own.
"""

import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import screens  # noqa: E402

from assistant import corpus, library, retrieve  # noqa: E402
from assistant.ingest import IngestReport, gather, read_source  # noqa: E402
from assistant.law import Instrument  # noqa: E402
from assistant.readers import plain  # noqa: E402
from assistant.settings import Settings  # noqa: E402
from assistant.workbench import Workbench, today  # noqa: E402

SIZES = (10_000, 100_000, 1_000_000)  # passages of the made-up libraries
SET = 5_000  # passages of one made-up instrument
WORK = 3_072  # passages that one worker embeds, and then two: twenty-four tasks, so that the last one weighs little
PAIR = 400  # passages that each pipeline indexes
PEERS = ROOT / "build" / "peers"
PEER_PACKAGES = ("txtai==9.14.0", "faiss-cpu==1.15.1")


def peak() -> int:
    """The most memory this process has held, MB."""
    lines = Path("/proc/self/status").read_text().splitlines()  # not ru_maxrss, which begins at what the parent held
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) >> 10


def spent() -> float:
    """Processor seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def questions() -> list[str]:
    """Our own questions."""
    return [json.loads(line)["question"] for line in (corpus.root() / "questions" / "answerable.jsonl").read_text("utf8").splitlines()]


def search(home: Path) -> dict[str, Any]:
    """Milliseconds of a warm search, embedding included."""
    bench, wanted, asked = Workbench(Settings(home=home, llm="none")), retrieve.Filter(today()), questions()
    for q in asked[:5]:
        bench.search(q, wanted)
    began = spent()
    each = [bench.search(q, wanted)["ms"] for q in asked]
    rows = {name: [e[name] for e in each] for name in ("embed", "search", "total")}
    return {
        "passages": int(bench.library.meta["passages"]),
        "rows": len(bench.library.rows.type),
        "index_MB": sum(f.stat().st_size for f in bench.library.folder.rglob("*") if f.is_file()) >> 20,
        "peak_MB": peak(),
        "processor_ms": round(1000 * (spent() - began) / len(asked), 2),
        **{n: {"p50": statistics.median(v), "p95": float(np.quantile(v, 0.95))} for n, v in rows.items()},
    }


def made_up(home: Path, passages: int) -> Iterator[Instrument]:
    """Instruments of `SET` passages, each passage half of one and half of another of the library in `home`."""
    held = library.current(home)
    assert held
    texts = [held.passage(int(k), today()).text.split() for k in np.flatnonzero(np.isin(held.rows.type, (0, 2)))]
    rng = np.random.default_rng(3)
    for n in range(passages // SET):
        lines = []
        for i in range(SET):
            a, b = (texts[k] for k in rng.integers(len(texts), size=2))
            lines.append(json.dumps({"id": f"p{n}-{i}", "text": " ".join(a[: len(a) // 2] + b[len(b) // 2 :])}))
        yield plain.read_passages(f"made-up-{n}.jsonl", "\n".join(lines).encode(), f"made-up-{n}")


def sampler(held: library.Library) -> library.Embed:
    """Vectors that are not embedded but sums of two real ones with noise: right for speed, not for finding."""
    real, rng = np.asarray(held.vectors), np.random.default_rng(3)

    def sampled(texts: list[str]) -> np.ndarray:
        matrix = np.empty((len(texts), real.shape[1]), dtype=np.float32)
        for at in range(0, len(texts), 50_000):
            part = matrix[at : at + 50_000]
            a, b = rng.integers(len(real), size=(2, len(part)))
            part[:] = 0.7 * real[a] + 0.5 * real[b] + 0.02 * rng.standard_normal(part.shape, dtype=np.float32)
            part /= np.linalg.norm(part, axis=1, keepdims=True)
        return matrix

    return sampled


def scale(home: Path, passages: int) -> dict[str, Any]:
    """A warm search over a made-up library."""
    held = library.current(home)
    assert held
    with tempfile.TemporaryDirectory() as folder:
        began = spent()
        with library.write_lock(Path(folder)):
            library.build(Path(folder), list(made_up(home, passages)), [], sampler(held), None)
        built = {"build_processor_s": round(spent() - began, 1), "build_peak_MB": peak()}
        return {**own_process("search", folder), **built}


def ingest() -> dict[str, Any]:
    """Seconds of a first ingest of the shipped corpus with its vectors shipped, and of one with nothing changed."""
    with tempfile.TemporaryDirectory() as home:
        times = []
        for _ in range(2):
            started = time.perf_counter()
            Workbench(Settings(home=Path(home), llm="none")).ingest()
            times.append(round(time.perf_counter() - started, 2))
    return {"first": times[0], "again": times[1]}


def again(folder: Path) -> dict[str, Any]:
    """Seconds to ingest all official texts: the first time, with nothing changed, and with one article of one of them changed."""
    found = {}
    with tempfile.TemporaryDirectory() as home:
        texts = Path(home) / "texts"
        shutil.copytree(folder, texts)
        gdpr = texts / "gdpr" / "gdpr-oj-2016-en.eurlex.html"
        changed = gdpr.read_bytes().replace(b"not later than 72 hours", b"not later than 71 hours")
        assert changed != gdpr.read_bytes()
        for name in ("first", "nothing changed", "one article changed"):
            if name == "one article changed":
                gdpr.chmod(0o600)
                gdpr.write_bytes(changed)
            started, began = time.perf_counter(), spent()
            report = Workbench(Settings(home=Path(home) / "home", llm="none")).ingest([texts])
            took = {"seconds": round(time.perf_counter() - started, 2), "processor_s": round(spent() - began, 2)}
            found[name] = {**took, "embedded": report["embedded"], "passages": report["passages"]}
    return found


def readers(folder: Path) -> dict[str, Any]:
    """Megabytes a second of each reader, without the sandbox and without embedding."""
    took: dict[str, list[float]] = {}
    for source in gather([folder], IngestReport()):
        data = [(name, path.read_bytes()) for name, path in source.files]
        started = time.perf_counter()
        try:
            read_source(source.reader, data)
        except Exception as error:
            sys.stderr.write(f"{source.files[0][0]}: {error}\n")
            continue
        row = took.setdefault(source.reader, [0.0, 0.0])
        row[0] += sum(len(d) for _, d in data) / 1e6
        row[1] += time.perf_counter() - started
    return {name: {"MB": round(mb, 2), "seconds": round(s, 2), "MB/s": round(mb / s, 2)} for name, (mb, s) in sorted(took.items())}


def passages_of(home: Path) -> list[str]:
    """Texts to index, the same for both pipelines: official passages where there are any, otherwise digests."""
    held = library.current(home)
    assert held
    keys = np.flatnonzero(held.rows.type == 0)
    keys = keys if len(keys) >= PAIR else np.flatnonzero(held.rows.type == 2)
    return [held.passage(int(k), today()).text for k in np.random.default_rng(5).permutation(keys)[:PAIR]]


def clocks() -> tuple[float, float]:
    """The time, and the processor seconds spent so far."""
    return time.perf_counter(), spent()


def indexed(texts: Sequence[str], pieces: int, begun: tuple[float, float], ready: tuple[float, float], done: tuple[float, float]) -> dict[str, Any]:
    """What a pipeline took, by the clocks before its imports, when its model was loaded, and when its index stood."""
    (start, start_cpu), (index, index_cpu) = ([round(b - a, 2) for a, b in zip(*pair, strict=True)] for pair in ((begun, ready), (ready, done)))
    return {
        "characters": sum(map(len, texts)), "pieces": pieces, "start_s": start, "index_s": index,
        "start_processor_s": start_cpu, "index_processor_s": index_cpu, "peak_MB": peak(),
    }  # fmt: skip


def asked(search: Callable[[str], object]) -> float:
    """Milliseconds of a question, the median of fifty."""
    each = []
    for q in questions()[:50]:
        one = time.perf_counter()
        search(q)
        each.append(1000 * (time.perf_counter() - one))
    return round(statistics.median(each), 1)


def ours(home: Path) -> dict[str, Any]:
    """Indexing by Pincite: from texts as JSON lines to a library that can be searched; imports and model included and named."""
    texts = passages_of(home)
    data = "\n".join(json.dumps({"id": str(n), "text": t}) for n, t in enumerate(texts)).encode()
    begun = clocks()
    from assistant.embed import Embedder

    embedder = Embedder()
    embedder.embed_query("x")
    ready = clocks()
    with tempfile.TemporaryDirectory() as folder, library.write_lock(Path(folder)):
        built = library.build(Path(folder), [plain.read_passages("p.jsonl", data, "pair")], [], embedder.embed_documents, None)
    done = clocks()
    return indexed(texts, built.embedded, begun, ready, done)


def langchain(home: Path) -> dict[str, Any]:
    """LangChain's ordinary pipeline over the same texts and embedding model: splitter, HuggingFaceEmbeddings, Chroma on disk; the same clocks."""
    from assistant.embed import Embedder

    texts, model_folder = passages_of(home), str(Embedder().folder)
    begun = clocks()
    from langchain_chroma import Chroma
    from langchain_huggingface import HuggingFaceEmbeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    model = HuggingFaceEmbeddings(model_name=model_folder, model_kwargs={"local_files_only": True}, encode_kwargs={"normalize_embeddings": True})
    model.embed_query("x")
    pieces = [c for t in texts for c in RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=0).split_text(t)]
    ready = clocks()
    with tempfile.TemporaryDirectory() as folder:
        store = Chroma.from_texts(pieces, model, persist_directory=folder)
        done = clocks()
        p50 = asked(lambda q: store.similarity_search(q, k=10))
    return indexed(texts, len(pieces), begun, ready, done) | {"query_ms_p50": p50}


def txtai(home: Path) -> dict[str, Any]:
    """txtai's hybrid index (faiss and its BM25) over the same texts and embedding model; the same clocks. Runs in the peers' environment."""
    from assistant.embed import Embedder

    texts, model_folder = passages_of(home), str(Embedder().folder)
    begun = clocks()
    from txtai import Embeddings  # type: ignore[import-not-found,unused-ignore]

    index = Embeddings({"path": model_folder, "hybrid": True, "content": True})
    index.batchtransform(["x"])
    ready = clocks()
    with tempfile.TemporaryDirectory() as folder:
        index.index(list(enumerate(texts)))
        index.save(f"{folder}/index")
        done = clocks()
        p50 = asked(lambda q: index.search(q, 10))
    return indexed(texts, len(texts), begun, ready, done) | {"query_ms_p50": p50}


def peers() -> str:
    """The Python of an environment of its own with the peers' packages; what Pincite has itself (torch, transformers) is taken from here."""
    python = PEERS / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", PEERS], check=True, capture_output=True)
        ours, theirs = (
            subprocess.check_output([p, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True).strip() for p in (sys.executable, python)
        )
        (Path(theirs) / "pincite.pth").write_text(ours + "\n", "utf8")
    subprocess.run([python, "-m", "pip", "install", "-q", *PEER_PACKAGES], check=True, capture_output=True)  # also when an earlier try broke off
    return str(python)


def workers(home: Path) -> dict[str, Any]:
    """Seconds in which Ray embeds the same passages with one worker and with two, one thread each: two pairs, one or the other first."""
    from assistant import ray_ingest
    from assistant.embed import Embedder

    ray_ingest.settle(ray_ingest.HERE)
    import ray

    held = library.current(home)
    assert held
    keys = np.random.default_rng(5).permutation(np.flatnonzero(held.rows.type == 0))[:WORK]
    texts, sha256 = [held.passage(int(k), today()).text for k in keys], Embedder().sha256
    took: dict[int, list[float]] = {1: [], 2: []}
    for count in (1, 2, 2, 1):
        with tempfile.TemporaryDirectory(prefix="pincite-ray-", ignore_cleanup_errors=True) as folder:
            ray_ingest.start(ray_ingest.HERE, folder, count)
            hands = ray_ingest.Workers(None, sha256, Path(folder) / "kept", lambda _: None)
            hands.embed([f"{n} {texts[n]}" for n in range(2 * ray_ingest.TASK)])  # the model is loaded
            started = time.perf_counter()
            hands.embed(texts)
            took[count].append(round(time.perf_counter() - started, 1))
            ray.shutdown()
    ratios = [round(one / two, 2) for one, two in zip(took[1], took[2], strict=True)]
    rate = {count: round(len(texts) / statistics.median(each), 1) for count, each in took.items()}
    return {"passages": len(texts), "characters": sum(map(len, texts)), "seconds": took, "ratios": ratios, "a_second": rate}


def cold(home: Path) -> dict[str, Any]:
    """Seconds of `pincite search` from the shell, three times."""
    each = []
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "assistant", "search", questions()[0]],
            check=True,
            capture_output=True,
            cwd=ROOT,
            env={**os.environ, "PINCITE_HOME": str(home)},
        )
        each.append(round(time.perf_counter() - started, 2))
    return {"seconds": each}


def own_process(part: str, *arguments: object) -> dict[str, Any]:
    """A part's figures, measured in a process of its own, with the machine's load when it ended."""
    try:
        python = peers() if part == "txtai" else sys.executable
    except (OSError, subprocess.CalledProcessError) as error:
        return {"failed": f"the peers' environment could not be made: {error}"}
    command = [python, __file__, "--part", part, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1:]}
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return {**found, "load": round(os.getloadavg()[0], 1)}


PARTS = {
    "search": lambda home: search(Path(home)),
    "scale": lambda home, size: scale(Path(home), int(size)),
    "ingest": ingest,
    "again": lambda folder: again(Path(folder)),
    "readers": lambda folder: readers(Path(folder)),
    "ours": lambda home: ours(Path(home)),
    "langchain": lambda home: langchain(Path(home)),
    "txtai": lambda home: txtai(Path(home)),
    "workers": lambda home: workers(Path(home)),
    "cold": lambda home: cold(Path(home)),
    "app": lambda home: screens.app(Path(home)),  # only when asked for: it needs Chromium
}


def main(arguments: Sequence[str]) -> None:
    """Run what can be run here and write one JSON file named by the day."""
    home = Path(arguments[0]) if arguments else Path(tempfile.mkdtemp())
    folder = Path(arguments[1]) if len(arguments) > 1 else ROOT.parent / "shared" / "corpus"
    if not (home / "library").exists():
        Workbench(Settings(home=home, llm="none")).ingest()
    found: dict[str, Any] = {"date": date.today().isoformat(), "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores"}
    wanted = [("search", home), ("cold", home), *(("scale", home, size) for size in SIZES), ("ingest",), ("ours", home), ("langchain", home), ("txtai", home)]
    for part, *rest in wanted + ([("again", folder), ("readers", folder)] if folder.is_dir() else []):
        name = f"{part} {rest[1]}" if part == "scale" else str(part)
        found[name] = own_process(str(part), *rest)
        sys.stdout.write(f"{name}: {json.dumps(found[name])}\n")
        sys.stdout.flush()
    out = ROOT / "benchmarks" / "results" / f"{found['date']}.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(found, indent=2) + "\n", "utf8")
    if not arguments:
        shutil.rmtree(home)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--part"]:
        sys.stdout.write(json.dumps(PARTS[sys.argv[2]](*sys.argv[3:])) + "\n")
    else:
        main(sys.argv[1:])
