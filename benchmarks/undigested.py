"""How well rules without digests are found: 170 questions over official passages under opaque ids, beside plain BM25, plain meaning and their ranks fused.

    python benchmarks/undigested.py write HOME FILE.jsonl      # the passages, from a data folder that holds the official texts of ../shared/corpus
    PINCITE_HOME=NEW pincite ingest --passages FILE.jsonl --instrument rules
    python benchmarks/undigested.py measure NEW

Questions: `benchmarks/undigested.jsonl`, written by us from reading single passages drawn at random; the gold is that passage alone, by the SHA-256 of
its words. Other passages often answer too, so figures are low; only differences count.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from assistant import library, retrieve  # noqa: E402
from assistant.library import Filter, tokens  # noqa: E402
from assistant.settings import Settings  # noqa: E402
from assistant.workbench import Workbench, today  # noqa: E402

CATALOGUES = re.compile(r"21cfr-8(6[2-9]|[789]\d)")  # classes of devices, a paragraph each
SHORT = 60  # characters


def identity(text: str) -> str:
    """The hash of a passage's words, whatever the white space."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:16]


def write(home: Path, to: Path) -> None:
    """The passages of the latest English edition of each official text, each text once, in the order in which they are printed."""
    held = library.current(home)
    assert held
    latest: dict[str, library.Edition] = {}
    for e in held.editions.values():
        if e.layer == "official" and e.kind != "proposal" and not e.same_as and "." not in e.version and not CATALOGUES.match(e.work):
            latest[e.work] = max(e, latest.get(e.work, e), key=lambda one: one.version)
    wanted = {e.id for e in latest.values()}
    query = "SELECT p.instrument, r.start, r.\"end\" FROM row r JOIN provision p ON p.id = r.provision WHERE r.type = 'passage' ORDER BY r.key"
    texts = (" ".join(held.cached_text(i)[a:b].split()) for i, a, b in held.db.execute(query) if i in wanted)
    lines = [json.dumps({"id": f"x{n}", "text": t}) for n, t in enumerate(dict.fromkeys(t for t in texts if len(t) >= SHORT))]
    to.write_text("\n".join(lines) + "\n", "utf8")


def figures(ranks: list[int]) -> str:
    """Recall@10 and MAP@10 where one passage is right."""
    r = np.array(ranks)
    return f"{np.mean(r <= 10):.3f} / {np.mean(np.where(r <= 10, 1 / r, 0)):.3f}"


def measure(home: Path) -> None:
    """Recall@10 / MAP@10 of Pincite's search and of the three plain ways over the same rows."""
    bench = Workbench(Settings(home=home, llm="none"))
    held, wanted = bench.library, Filter(today(), instruments=("rules",))
    mine = np.flatnonzero((held.rows.type == 0) & (held.rows.instrument == held.rows.instruments.index("rules")))
    units = held.rows.unit[mine]
    gold_of = {identity(held.passage(int(k), today()).text): int(u) for k, u in zip(mine, units, strict=True)}
    found: dict[str, list[int]] = {"BM25": [], "meaning": [], "ranks fused": [], "Pincite": []}
    for row in map(json.loads, (Path(__file__).with_suffix(".jsonl")).read_text("utf8").splitlines()):
        gold, vector = gold_of.get(row["passage"]), bench.embedder.embed_query(row["question"])
        if gold is None:
            continue
        scores = held.scores(tokens(row["question"]), vector, wanted)
        plain = [np.zeros(len(held.rows.units), dtype=np.float32) for _ in range(2)]
        for best, each in zip(plain, (scores.lexical, scores.dense), strict=True):
            np.maximum.at(best, units, each[mine])
        places = [np.argsort(np.argsort(-s, kind="stable"), kind="stable") for s in plain]
        plain.append(1.0 / (61 + places[0]) + 1.0 / (61 + places[1]))
        for name, s in zip(found, plain, strict=False):
            found[name].append(1 + int(np.sum(s > s[gold])))
        hits = [h.passage.pinpoint.root.address for h in retrieve.search(held, row["question"], vector, wanted, 10)]
        found["Pincite"].append(1 + hits.index(held.rows.units[gold]) if held.rows.units[gold] in hits else 99)
    for name, ranks in found.items():
        sys.stdout.write(f"{name}: {figures(ranks)} of {len(ranks)}\n")


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        measure(Path(sys.argv[2]))
