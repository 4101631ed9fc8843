"""The trust figures in full: `make trust`, or `python scripts/trust.py [PART]...`; prints a table, writes out/trust.json, exits 1 where a goal is missed.

The quick forms are in the suite. Parts: kills, writers, hostile, damage, backups, injection, egress, answers, access, load, processes, alone. `--quick` does a tenth of each.
"""

import argparse
import json
import multiprocessing
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from assistant import ingest, library, record, sandbox  # noqa: E402
from assistant.errors import NotReady, PinciteError, Unreadable  # noqa: E402
from scripts import kills as fleet_kills  # noqa: E402
from scripts import load  # noqa: E402
from tests import attack, crash, hostile, test_crash  # noqa: E402
from tests.fakes import StubEmbedder, stub_bench  # noqa: E402

Figures = dict[str, Any]


def kills(home: Path, share: float) -> tuple[bool, Figures]:
    """kill -9 at random points of an ingest; the next resumes."""
    found = test_crash.kill_ingests(home, max(2, int(50 * share)), seed=11)
    return found["recovery"] < 10, found


def _writer(home: str, who: int, told: str) -> None:
    """Appends for ever; what was acknowledged is told by one unbuffered write to a file."""
    out, n = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 0
    while True:
        n += 1
        os.write(out, record.append(Path(home), f"t{n}", f"w{who}", "note", {"n": n}).hash.encode() + b"\n")


def writers(home: Path, share: float) -> tuple[bool, Figures]:
    """kill -9 at random points of audit writing by eight writers."""
    context, killed, chance = multiprocessing.get_context("spawn"), 0, random.Random(5)
    record.append(home / "data", "t", "u", "start", {})
    while killed < 200 * share:
        told = [home / f"told-{killed + who}" for who in range(8)]
        group = [context.Process(target=_writer, args=(str(home / "data"), who, str(path))) for who, path in enumerate(told)]
        for process in group:
            process.start()
        deadline = time.monotonic() + 60
        while not all(path.exists() for path in told) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(chance.uniform(0, 1.0))
        for process in group:
            process.kill()
        for process in group:
            process.join()
            killed += 1
    lines = [line for path in home.glob("told-*") for line in path.read_text("ascii").split("\n")[:-1]]
    chain = list(record.records(home / "data"))
    lost = len(set(lines) - {r.hash for r in chain})
    return bool(lines) and lost == 0 and record.verify_chain(chain).sound, {"kills": killed, "acknowledged": len(lines), "lost": lost, "records": len(chain)}


def _one(folder: Path, name: str, bench: Any) -> tuple[str, str]:
    report = ingest.ingest(bench.home, [folder], StubEmbedder().embed_documents, lambda _: None)
    by_ingest = " ".join(r.code for r in report.refused) or "read"
    if any(r.file not in r.reason or not r.reason.isprintable() for r in report.refused):
        by_ingest = "unnamed"
    try:
        bench.card_show(folder / name)
        return by_ingest, "read"
    except Unreadable as error:
        return by_ingest, error.code
    except PinciteError:
        return by_ingest, "unnamed"


def hostile_files(home: Path, share: float) -> tuple[bool, Figures]:
    """Every made-up hostile file through ingest and card show; the longest in processor seconds, the most memory of a child."""
    bench, codes, worst, longest, crashes, total = stub_bench(home / "home"), {}, "", 0.0, 0, 0
    for n, (name, data) in enumerate(hostile.everything()):
        if name.startswith(".") or n % max(1, round(1 / share)):
            continue
        total += 1
        folder = home / str(n)
        folder.mkdir(parents=True)
        (folder / name).write_bytes(data)
        started = time.monotonic()
        try:
            for code in _one(folder, name, bench):
                codes[code] = codes.get(code, 0) + 1
        except Exception as error:
            crashes += 1
            codes[f"CRASH {type(error).__name__} {name!r}"] = 1
        taken = (time.monotonic() - started) / 2
        if taken > longest:
            longest, worst = taken, name
        shutil.rmtree(folder)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    partly = library.current(bench.home) is not None
    wrong = crashes + codes.get("crashed", 0) + codes.get("unnamed", 0) + partly
    return not wrong and longest <= 10.5, {
        "files": total,
        "crashes": crashes,
        "codes": codes,
        "longest": round(longest, 1),
        "which": worst,
        "children_peak_mb": round(peak),
    }


def damage(home: Path, share: float) -> tuple[bool, Figures]:
    """Bytes changed anywhere in the library or the record: found at start or first use, in one line."""
    chance, cases, silent, harmless = random.Random(9), int(200 * share), [], 0
    crash.small_corpus()
    bench = stub_bench(home / "sound")
    wanted = bench.ingest(list(crash.SOUND))["corpus_digest"]
    head = record.head(bench.home)
    for n in range(cases):
        folder = home / "case"
        shutil.copytree(bench.home, folder)
        path = chance.choice([p for p in sorted(folder.rglob("*")) if p.is_file() and p.name not in ("ingest.lock", library.STAMP) and p.stat().st_size])
        data = bytearray(path.read_bytes())
        for _ in range(chance.choice((1, 1, 30))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data if n % 4 else data[: chance.randrange(len(data))])
        try:
            held = library.current(folder)
            if held:
                held.vectors, held.lexical  # noqa: B018
            verdict = record.verify_chain(record.records(folder), head)
            if held is None or held.digest != wanted or (verdict.sound and verdict.head != head):
                silent.append(path.name)
            elif verdict.sound:
                harmless += 1
        except NotReady:
            pass
        except Exception as error:
            silent.append(f"{path.name}: {type(error).__name__} {error}")
        shutil.rmtree(folder)
    return not silent, {"cases": cases, "not found": silent, "bytes that held nothing": harmless}


def backups(home: Path, share: float) -> tuple[bool, Figures]:
    """Backups while an ingest and writers run; each restored on an empty folder equals a quiet point."""
    crash.small_corpus()
    live = home / "live"
    stub_bench(live).ingest([crash.SOUND[0]])
    digests, stop, good, wanted = {library.current(live).digest}, threading.Event(), 0, max(2, int(20 * share))  # type: ignore[union-attr]

    def busy() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            digests.add(stub_bench(live).ingest([crash.SOUND[turn % 2]], rebuild=True)["corpus_digest"])
            record.append(live, f"t{turn}", "ann", "note", {"n": turn})

    worker = threading.Thread(target=busy)
    worker.start()
    try:
        made = [stub_bench(live).backup(home / f"{n}.zip") for n in range(wanted)]
    finally:
        stop.set()
        worker.join()
    for n, told in enumerate(made):
        other = stub_bench(home / f"restored-{n}")
        other.restore(home / f"{n}.zip")
        said = [r.body["corpus_digest"] for r in other.audit_tail(1 << 40) if r.action == "ingest" and r.body["corpus_digest"]]
        good += other.verify_audit(told["head"]).sound and other.library.digest == said[-1] and other.library.digest in digests and not other.library.damaged()
    return good == wanted, {"backups": wanted, "equal to a quiet point": good}


def relocated(found: dict[str, Any], shown: Callable[[dict[str, Any]], dict[str, Any]]) -> tuple[int, list[str]]:
    """How many quotations an answer has, and those that do not stand, letter for letter, where the text that `corpus show` gives has them."""
    wrong, count = [], 0
    for claim in found["answer"]["claims"]:
        for c in claim["citations"]:
            count += 1
            there = shown(c)
            same = all(there[name] == c[name] for name in ("pinpoint", "version", "layer", "source_sha256"))
            if not same or not c["quote"] or there["text"][c["start"] - there["start"] : c["end"] - there["start"]] != c["quote"]:
                wrong.append(f"{c['pinpoint']} {c['version']} {c['start']}")
        if not claim["citations"]:
            wrong.append(f"no citation: {claim['text'][:60]}")
    return count, wrong


def answers(home: Path, share: float) -> tuple[bool, Figures]:
    """A thousand answers from the library at hand (PINCITE_HOME, else the shipped corpus), each quotation found again where it says, by `corpus show` alone."""
    from assistant import corpus
    from assistant.retrieve import Filter
    from assistant.settings import Settings
    from assistant.workbench import Workbench

    given = Path(os.environ.get("PINCITE_HOME", "")) / "library"
    bench = Workbench(Settings(home=home / "home", llm="none"))
    if os.environ.get("PINCITE_HOME") and given.is_dir():
        shutil.copytree(given, home / "home" / "library")
    else:
        bench.ingest()
    wanted, seen, quotations, official, wrong, refused = int(1000 * share), 0, 0, 0, [], 0
    sets = [
        json.loads(line)
        for name in ("answerable", "named", "operative", "dates", "followups")
        for line in (corpus.root() / "questions" / f"{name}.jsonl").open("rb")
    ]
    for day, layer in (("2026-11-22", "any"), ("2026-11-22", "digest"), ("2028-09-01", "any"), ("2026-11-22", "official")):
        for row in sets:
            if seen >= wanted:
                break
            found = bench.ask(row["question"], Filter(row.get("as_of", day), (), (), layer), "extractive", row.get("history") or ())
            if found["answer"]["abstained"]:
                refused += 1
                continue
            seen += 1
            n, bad = relocated(found, lambda c, d=found["as_of"]: bench.show(c["pinpoint"], d, c["version"], c["layer"]))
            quotations, wrong = quotations + n, wrong + bad
            official += sum(c["layer"] == "official" for claim in found["answer"]["claims"] for c in claim["citations"])
    chain = bench.verify_audit()
    good = seen >= wanted and not wrong and chain.sound
    return good, {
        "answers": seen,
        "refused beside": refused,
        "quotations": quotations,
        "on official text": official,
        "not found": wrong[:5],
        "wrong": len(wrong),
        "chain": chain.sound,
    }


def access(home: Path, share: float) -> tuple[bool, Figures]:
    """Our own attacks in full: every user against every other, every listener, every climbing string on every route, ten thousand guesses."""
    from assistant import sessions

    (home / "outside.txt").write_text(attack.SECRET)
    house, figures = attack.House(home / "home"), {}
    with house.client:
        house.people()
        users, crossed, tried = house.users, [], 0
        for thief in users:
            for owner in users:
                if owner is not thief:
                    crossed += attack.crossed(house, thief, owner)
                    tried += 1
        listeners, told = 0, []
        for thief, owner in (pair for pair in ((users[0], users[3]), (users[2], users[5]), (users[4], users[1]))):
            answered, found = attack.listened(house, thief, owner, every=1 if share >= 1 else 5)
            listeners, told = listeners + answered, told + found
        strings, raw, outside, failed = attack.climbing(home / "outside.txt")[:: max(1, round(1 / share))], attack.Raw(house.app), [], []
        for route in attack.ROUTES:
            for text in strings:
                got = raw("GET", route.format(text), {"cookie": users[0].cookie})
                outside += [f"{route} {text}"] if any(t in got.body for t in attack.TELL) else []
                failed += [f"{route} {text} {got.status}"] if got.status >= 500 else []
        raw.close()
        before, begun, used, outcomes = house.bench.verify_audit().records, time.monotonic(), time.process_time(), {}
        for n in range(int(10_000 * share)):
            said = house.client.post("/login", data={"name": users[0].name, "password": f"guess {n}"}).status_code
            outcomes[said] = outcomes.get(said, 0) + 1
        spent = {"wall": round(time.monotonic() - begun, 1), "processor": round(time.process_time() - used, 1)}
        locked = house.sign_in(users[0].name) == "" and house.sign_in(users[1].name) != ""
        grown = house.bench.verify_audit().records - before
    figures = {
        "pairs of users": tried, "crossed": crossed[:5], "listener calls": listeners, "told": told[:5], "strings": len(strings), "routes": len(attack.ROUTES), "outside": outside[:5], "5xx": failed[:5],
        "guesses": outcomes, "guessing took s": spent, "locked, others not": locked, "records of the guesses": grown - 1,
    }  # fmt: skip
    return not crossed and not told and not outside and not failed and locked and set(outcomes) == {401} and grown - 1 == sessions.TRIES, figures


def load_full(home: Path, share: float) -> tuple[bool, Figures]:
    """Fifty users for ten minutes against the running app."""
    return load.run(home / "home", max(5, int(50 * share)), max(0.3, 10 * share))


def processes(home: Path, share: float) -> tuple[bool, Figures]:
    """kill -9 of apps, worker, model server and database in turn, under load."""
    return fleet_kills.run(max(4, int(20 * share)), 10)


# In a new network namespace the loopback is down: up with it (SIOCSIFFLAGS, IFF_UP and IFF_RUNNING and IFF_LOOPBACK), then pytest in this process's place.
LOOPBACK = """
import fcntl, os, socket, struct, sys
with socket.socket() as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", 0x49))
os.execv(sys.executable, [sys.executable, "-m", "pytest", *sys.argv[1:]])
"""


def alone(home: Path, share: float) -> tuple[bool, Figures]:
    """The whole suite where there is no network but the loopback and no variable opted out of anything; a tenth of it when asked to be quick."""
    bare = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(home), "LANG": "C.UTF-8"}
    chosen = ["tests"] if share >= 1 else ["tests/test_record.py", "tests/test_verify.py", "tests/test_cli.py"]
    space = ["unshare", "-n" if os.getuid() == 0 else "-rn", sys.executable, "-c", LOOPBACK]
    done = subprocess.run([*space, "-q", *chosen], cwd=ROOT, capture_output=True, text=True, env=bare)
    told = [line for line in done.stdout.splitlines() if line.strip()]
    return done.returncode == 0, {
        "pytest": told[-1] if told else done.stderr[-200:],
        "failed": [line for line in told if line.startswith(("FAILED", "ERROR"))][:10],
    }


def by_tests(*arguments: str) -> Callable[[Path, float], tuple[bool, Figures]]:
    """A part that is a file of the suite."""

    def part(home: Path, share: float) -> tuple[bool, Figures]:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            env={**os.environ, "PINCITE_HOME": str(home), "PINCITE_TRUST": "full" if share >= 1 else ""},
        )
        return done.returncode == 0, {"pytest": [line for line in done.stdout.splitlines() if line.strip()][-1]}

    return part


PARTS: dict[str, Callable[[Path, float], tuple[bool, Figures]]] = {
    "kills": kills, "writers": writers, "hostile": hostile_files, "damage": damage, "backups": backups,
    "injection": by_tests("tests/test_injection.py", "-v"), "egress": by_tests("tests/test_egress.py", "-v"), "answers": answers, "access": access, "load": load_full, "processes": processes, "alone": alone,
}  # fmt: skip


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART")
    arguments.add_argument("--quick", action="store_true")
    given = arguments.parse_args()
    results, missed = {}, 0
    for name in given.parts or PARTS:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="pincite-trust-") as folder:
            reached, figures = PARTS[name](Path(folder), 0.1 if given.quick else 1.0)
        missed += not reached
        results[name] = {"reached": reached, **figures, "seconds": round(time.monotonic() - started, 1)}
        sys.stdout.write(f"{'ok    ' if reached else 'MISSED'} {name:10} {json.dumps(results[name])}\n")
        sys.stdout.flush()
    sandbox._shared(os.getpid()).close()
    (ROOT / "out").mkdir(exist_ok=True)
    (ROOT / "out" / "trust.json").write_text(json.dumps(results, indent=2) + "\n", "utf8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
