"""A program that is killed: `python -m tests.crash WHAT HOME [...]`; WHAT is ingest, ask, review, export or write. Small corpus, stub vectors, no models."""

import sys
from itertools import count
from pathlib import Path

from assistant import corpus, record
from assistant.errors import PinciteError
from assistant.retrieve import Filter
from tests.fakes import stub_bench

SAMPLES = Path(__file__).parent / "samples"
SOUND = (SAMPLES / "us" / "title-21-part-999.xml", SAMPLES / "us" / "part-999.md")


def small_corpus() -> None:
    """Only one framework's digests from here on: a build takes a second."""
    few = tuple(i for i in corpus.digest_instruments() if i.id == "dpdp-rules")
    corpus.digest_instruments = lambda: few  # type: ignore[assignment]


def main(what: str, home: str, *more: str) -> int:
    small_corpus()
    bench = stub_bench(Path(home))
    if what == "ingest":
        print("start", flush=True)
        found = bench.ingest([Path(p) for p in more] or list(SOUND))
        print(found["corpus_digest"], flush=True)
    elif what == "ask":
        print("start", flush=True)
        while True:
            found = bench.ask("What does a consent manager do?", Filter("2026-11-22"))
            print(found["audit"], flush=True)
    elif what in ("review", "export"):
        card = Path(__file__).parents[1] / "corpus" / "cards" / "chest-xray-triage"
        run = bench.gaps(card, "2026-11-22", ("dpdp",))
        print("start", flush=True)
        for n in count():
            target = run["findings"][n % len(run["findings"])]["requirement"]
            print(
                bench.review(run["run"], target, "reject", f"reason {n}")["audit"] if what == "review" else bench.exported(run["run"], "json", b"%d" % n),
                flush=True,
            )
    else:
        for n in range(int(more[0])):
            print(record.append(Path(home), f"t{n}", "ann", "note", {"n": n, "words": "x" * 2000}).hash, flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except PinciteError as error:
        sys.stderr.write(error.line() + "\n")
        sys.exit(error.exit_code)
