"""What an auditor takes away proves itself: every quotation in its source, every part in the chain, every byte accounted for."""

import hashlib
import json
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from assistant import bundle, corpus, record
from assistant.backup import backup, restore
from assistant.bundle import check
from assistant.errors import NotReady, UsageError
from assistant.retrieve import Filter
from tests.fakes import stub_bench

ROOT = Path(__file__).resolve().parents[1]
DAY = "2026-11-22"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str, str]]:
    """A workbench over one law's digests, an answer and a gap analysis with two decisions."""
    few = tuple(i for i in corpus.digest_instruments() if i.id == "gdpr")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(corpus, "digest_instruments", lambda: few)
        bench = stub_bench(tmp_path_factory.mktemp("bundle") / "home")
        bench.ingest()
        ask = bench.ask("What must a data protection impact assessment contain?", Filter(DAY))
        assert ask["answer"]["claims"]
        gaps = bench.gaps(corpus.root() / "cards" / "chest-xray-triage", DAY, ("gdpr",))
        assert any(x["evidence"] for f in gaps["findings"] for x in f["facets"])
        bench.review(gaps["run"], gaps["findings"][0]["requirement"], "reject", "another department's")
        bench.review(gaps["run"], gaps["findings"][1]["requirement"], "edit", "clearer", "new words")
        yield bench, ask["audit"], gaps["run"]


@pytest.fixture(scope="module")
def packed(made: tuple[Any, str, str]) -> bytes:
    bench, _, gaps = made
    data: bytes = bench.bundle(gaps)
    return data


def test_a_bundle_of_each_kind_is_sound(made: tuple[Any, str, str]) -> None:
    bench, ask, gaps = made
    head = bench.verify_audit().head
    drafted = bench.draft(corpus.root() / "cards" / "chest-xray-triage", "gdpr-dpia", DAY)["run"]
    bench.comment(drafted, bench.run(drafted)["sections"][0]["id"], "Looks well")
    bench.signoff(drafted, "author")
    head = bench.verify_audit().head
    for run, kind in ((ask, "ask"), (gaps, "gaps"), (drafted, "draft")):
        verdict = check(bench.bundle(run), head)
        assert verdict.sound and (verdict.run, verdict.kind) == (run, kind) and verdict.quotations >= 2


def test_the_same_state_gives_the_same_bytes(made: tuple[Any, str, str]) -> None:
    bench, _, gaps = made
    assert bundle.pack(bench.store, gaps, bench.library) == bundle.pack(bench.store, gaps, bench.library)


def test_making_one_is_an_export_in_the_record(made: tuple[Any, str, str]) -> None:
    bench, ask, _ = made
    data = bench.bundle(ask)
    last = next(record.records(bench.home, last=1))
    assert (last.action, last.body["run"], last.body["file"]) == ("export", ask, hashlib.sha256(data).hexdigest())


def test_any_byte_changed_is_found(packed: bytes) -> None:
    chance = random.Random(7)
    places = {*range(120), *range(len(packed) - 400, len(packed)), *chance.sample(range(len(packed)), 300)}
    for at in sorted(places):
        changed = packed[:at] + bytes([packed[at] ^ (1 << chance.randrange(8))]) + packed[at + 1 :]
        verdict = check(changed)
        assert not verdict.sound and verdict.problem, f"byte {at}"


@pytest.mark.parametrize(
    "data",
    [b"", b"PK", b"PK\x03\x04" + b"\0" * 100, b"text", None, "cut", "twice", "tail", "before"],
    ids=["empty", "two bytes", "header", "text", "other zip", "cut", "twice", "tail", "before"],
)
def test_what_is_no_bundle_is_named(data: bytes | str | None, packed: bytes) -> None:
    if data is None:
        out = BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("big", b"\0" * 100_000_000)
        data = out.getvalue()
    if isinstance(data, str):
        data = {"cut": packed[: len(packed) // 2], "twice": packed * 2, "tail": packed + b"\0", "before": b"x" + packed}[data]
    verdict = check(data)
    assert not verdict.sound and verdict.problem


def members_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {n: archive.read(n) for n in archive.namelist() if n != "manifest.json"}


def forged(members: dict[str, bytes]) -> bytes:
    """A bundle of these members whose manifest was made to fit, as a careful forger would."""
    chain = [r for line in members["audit.jsonl"].decode().splitlines() if (r := record.read_line(line))]
    manifest = bundle._manifest(members, chain, json.loads(members["run.json"])["id"])
    return bundle._zip({"manifest.json": record.canonical(manifest), **members})


def edit(members: dict[str, bytes], name: str, change: Callable[[Any], None]) -> None:
    value = json.loads(members[name])
    change(value)
    members[name] = record.canonical(value)


def first_law(run: Any) -> Any:
    return next(c for f in run["report"]["findings"] for c in f["law"])


def first_evidence(run: Any) -> Any:
    return next(e for f in run["report"]["findings"] for x in f["facets"] for e in x["evidence"])


def drop(name: str) -> Callable[[dict[str, bytes]], None]:
    return lambda m: m.__delitem__(name)


FORGERIES: list[tuple[str, Callable[[dict[str, bytes]], Any], str]] = [
    ("a status", lambda m: edit(m, "run.json", lambda v: v["report"]["findings"][0].update(status="evidence-found", why="x")), "run.json: its output"),
    ("a quotation of law", lambda m: edit(m, "run.json", lambda v: first_law(v).update(quote="anything")), "run.json: its output"),
    ("evidence", lambda m: edit(m, "run.json", lambda v: first_evidence(v).update(start=0, end=3, quote="Lum")), "run.json: its output"),
    (
        "the card's text",
        lambda m: edit(m, "card.json", lambda v: v["files"][0].update(text=v["files"][0]["text"] + " Bias was assessed.")),
        "card.json: its text",
    ),
    ("another card", lambda m: edit(m, "card.json", lambda v: v.update(sha256="0" * 64)), "card.json: it is not the card"),
    ("the law's text", lambda m: edit(m, "provisions.json", lambda v: v[0].update(text="x" * len(v[0]["text"]))), "provisions.json: gdpr:"),
    ("the law's place", lambda m: edit(m, "provisions.json", lambda v: v[0].update(start=v[0]["start"] + 1, end=v[0]["end"] + 1)), ""),
    ("a law left out", lambda m: edit(m, "provisions.json", lambda v: v.pop()), "provisions.json: the text of"),
    ("a law too many", lambda m: edit(m, "provisions.json", lambda v: v.append({**v[0], "start": 0, "end": len(v[0]["text"])})), "provisions.json: it holds"),
    ("the corpus", lambda m: m.update({"corpus.tsv": m["corpus.tsv"].replace(b"in-force", b"vacated", 1)}), "corpus.tsv: it is not the corpus"),
    ("a decision turned", lambda m: edit(m, "reviews.json", lambda v: v[0]["content"].update(decision="accept")), "reviews.json: what record"),
    ("a decision's reason", lambda m: edit(m, "reviews.json", lambda v: v[0]["content"].update(reason="none")), "reviews.json: what record"),
    ("a decision left out", lambda m: edit(m, "reviews.json", lambda v: v.pop()), "reviews.json: what record"),
    ("a decision made up", lambda m: edit(m, "reviews.json", lambda v: v.append({**v[0], "id": "f" * 16})), "reviews.json: it holds what"),
    ("a part too many", lambda m: m.update({"notes.txt": b"All is well."}), "notes.txt: it does not belong"),
    ("no card", drop("card.json"), "card.json: it is missing"),
    ("no corpus", drop("corpus.tsv"), "corpus.tsv: it is missing"),
    ("no law", drop("provisions.json"), "provisions.json: it is missing"),
    ("a record's user", lambda m: m.update({"audit.jsonl": m["audit.jsonl"].replace(b'"user":"ann"', b'"user":"bob"', 1)}), "audit.jsonl: record 1:"),
    ("another spelling", lambda m: m.update({"run.json": m["run.json"] + b" "}), "run.json: not in the form"),
    ("no object", lambda m: m.update({"card.json": b"[]"}), "card.json: not in the form"),
    ("fields gone", lambda m: edit(m, "card.json", lambda v: v.clear()), "run.json: it lacks"),
]


@pytest.mark.parametrize(("what", "attack", "named"), FORGERIES, ids=[f[0] for f in FORGERIES])
def test_a_careful_forgery_is_named(what: str, attack: Callable[[dict[str, bytes]], Any], named: str, packed: bytes) -> None:
    members = members_of(packed)
    assert forged(dict(members)) == packed, "an honest bundle is what a forger would make of its parts"
    attack(members)
    verdict = check(forged(members))
    assert not verdict.sound and verdict.problem.startswith(named)


def test_parts_of_two_runs_do_not_mix(made: tuple[Any, str, str], packed: bytes) -> None:
    bench, ask, _ = made
    ours, theirs = members_of(packed), members_of(bench.bundle(ask))
    verdict = check(forged({**ours, "run.json": theirs["run.json"], "audit.jsonl": theirs["audit.jsonl"]}))
    assert not verdict.sound and "does not belong" in verdict.problem


def test_a_chain_written_anew_is_found_against_the_head(packed: bytes) -> None:
    members = members_of(packed)
    chain = [json.loads(line) for line in members["audit.jsonl"].decode().splitlines()]
    genuine, parent, lines = chain[-1]["hash"], record.GENESIS, []
    for r in chain:
        r["user"], r["parent"] = "eve", parent
        r["hash"] = parent = record.record_hash(*(r[k] for k in ("seq", "id", "time", "user", "action", "body", "parent")))
        lines.append(record.canonical(r) + b"\n")
    members["audit.jsonl"] = b"".join(lines)
    edit(members, "reviews.json", lambda v: [row.update(by="eve") for row in v])
    assert check(forged(members)).sound, "only the head can tell"
    assert "head" in check(forged(members), genuine).problem


def test_it_is_checked_without_index_model_or_network(packed: bytes, tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    file.write_bytes(packed)
    code = (
        "import sys\n"
        "for name in ('numpy', 'bm25s', 'torch', 'lxml', 'pydantic', 'chromadb', 'llama_cpp', 'gradio', 'socket'): sys.modules[name] = None\n"
        "from assistant import bundle; import pathlib; v = bundle.check(pathlib.Path(sys.argv[1]).read_bytes()); print(v.sound, v.quotations)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], cwd=ROOT, capture_output=True, text=True, env={"PINCITE_HOME": str(tmp_path / "nothing")})
    assert done.stdout.startswith("True "), done.stderr
    assert not (tmp_path / "nothing").exists()


def test_the_commands(made: tuple[Any, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from assistant.cli import main

    bench, ask, _ = made
    monkeypatch.setenv("PINCITE_HOME", str(bench.home))
    file = tmp_path / "b.zip"

    def run(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        return int(ended.value.code or 0), capsys.readouterr().out.strip()

    code, head = run("bundle", "make", ask, "-o", str(file))
    assert code == 0 and len(head) == 64
    assert run("bundle", "verify", str(file), "--head", head)[0] == 0
    assert run("bundle", "verify", str(file), "--head", "f" * 64)[0] == 1
    file.write_bytes(file.read_bytes().replace(b"impact", b"IMPACT"))
    code, said = run("bundle", "verify", str(file), "--json")
    assert code == 1 and json.loads(said)["problem"]
    assert run("bundle", "verify", str(tmp_path / "none"))[0] == 2
    assert run("bundle", "make", "f" * 16, "-o", str(file))[0] == 2


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda d: d["sections"][0]["elements"][0].update(title="Another"), "run.json: its output"),
        (lambda d: d["notes"][0].update(quote="What the law does not say."), "run.json: its output"),
        (lambda d: d["card"].update(sha256="0" * 64), "run.json: its output"),
        (lambda d: d["pack"].update(id="fda-pccp"), "run.json: its output"),
    ],
)
def test_a_changed_draft_is_named(change: Callable[[Any], None], named: str, made: tuple[Any, str, str]) -> None:
    bench, _, _ = made
    drafted = bench.draft(corpus.root() / "cards" / "chest-xray-triage", "gdpr-dpia", DAY)["run"]
    members = members_of(bench.bundle(drafted))
    edit(members, "run.json", lambda run: change(run["draft"]))
    verdict = check(forged(members))
    assert not verdict.sound and verdict.problem.startswith(named), verdict.problem


def test_a_draft_with_a_sentence_that_the_card_does_not_have_is_not_bundled(made: tuple[Any, str, str]) -> None:
    """Re-derived from the card kept beside, not believed from the draft."""
    bench, _, _ = made
    drafted = bench.draft(corpus.root() / "cards" / "chest-xray-triage", "gdpr-dpia", DAY)["run"]
    members = members_of(bench.bundle(drafted))
    edit(members, "card.json", lambda card: card["files"][0].update(text=card["files"][0]["text"].replace("a", "b")))
    assert "card.json" in check(forged(members)).problem


def test_a_run_whose_card_or_corpus_is_gone_is_not_bundled(made: tuple[Any, str, str], tmp_path: Path) -> None:
    bench, ask, gaps = made
    other = tmp_path / "home"
    restored = tmp_path / "b.zip"
    backup(bench.home, restored)
    restore(other, restored, False)
    with pytest.raises(UsageError, match="rests on corpus"):
        bundle.pack(other, ask, None)
    record.erase_run(other, "card-" + record.run(other, gaps)["card"]["sha256"])  # type: ignore[index]
    with pytest.raises(UsageError, match="card"):
        bundle.pack(other, gaps, bench.library)
    record.erase_run(other, ask)
    with pytest.raises(UsageError, match="no answer"):
        bundle.pack(other, ask, bench.library)
    assert record.verify_chain(record.records(other)).sound


# ---- another's verifier ------------------------------------------------------------------------------------------


def theirs(*arguments: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-I", str(ROOT / "examples" / "verify_chain.py"), *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout.strip() or done.stderr.strip()


def test_an_independent_verifier_agrees(made: tuple[Any, str, str], packed: bytes, tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT / "examples"))
    import verify_chain as other

    bench, _, _ = made
    record.append(bench.home, "t", "böb 😀", "note", {"x": 'a"b\\\n\x01\x7f\u2028', "deep": {"b": [1, None, True], "a": -7, "é": 1, "Z": {}}})
    rows = list(record.records(bench.home))
    log = tmp_path / "audit.jsonl"
    log.write_text("".join(record.export_line(r) + "\n" for r in rows), "utf8")
    (tmp_path / "b.zip").write_bytes(packed)
    for file in (log, bench.home / "record.sqlite"):
        assert theirs(str(file), rows[-1].hash) == (0, f"sound: {len(rows)} records, head {rows[-1].hash}")
    assert theirs(str(tmp_path / "b.zip"))[0] == 0
    assert theirs(str(log), "f" * 64)[0] == 1 and theirs(str(tmp_path / "none"))[0] == 2
    chance, lines = random.Random(3), [record.export_line(r) for r in rows]
    for _ in range(300):
        data = bytearray("\n".join(lines).encode())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        log.write_bytes(data)
        read = [record.read_line(line) for line in bytes(data).decode("utf8", "replace").split("\n")]
        ours = None not in read and record.verify_chain(r for r in read if r).sound
        assert other.verify(other.read(log))[0] is ours is False
    for cut in range(len(rows)):
        log.write_text("".join(line + "\n" for line in lines[:cut]), "utf8")
        assert other.verify(other.read(log))[0] and not other.verify(other.read(log), rows[-1].hash)[0]


# ---- backups -----------------------------------------------------------------------------------------------------


def test_a_backup_comes_back_whole(made: tuple[Any, str, str], tmp_path: Path) -> None:
    bench, ask, _ = made
    (bench.home / "sources").mkdir(exist_ok=True)
    (bench.home / "sources" / "law.html").write_text("text")
    head = bench.verify_audit().head
    file = tmp_path / "kept" / "b.zip"
    told = bench.backup(file)
    assert told["head"] == head and file.stat().st_mode & 0o077 == 0
    other = stub_bench(tmp_path / "home")
    other.restore(file)
    assert other.library.digest == bench.library.digest and not other.library.damaged()
    assert other.run(ask)["answer"] == bench.run(ask)["answer"]
    assert (other.home / "sources" / "law.html").read_text() == "text"
    assert [r.action for r in other.audit_tail(1)] == ["restore"] and other.verify_audit(head).sound
    assert check(other.bundle(ask), head).sound
    assert {p.name for p in other.home.iterdir()} == {"record.sqlite", "library", "sources", "ingest.lock"}
    assert (other.home / "record.sqlite").stat().st_mode & 0o077 == 0


def test_nothing_is_overwritten_unasked_and_nothing_lost_when_asked(made: tuple[Any, str, str], tmp_path: Path) -> None:
    bench, _, _ = made
    file, home = tmp_path / "b.zip", tmp_path / "home"
    backup(bench.home, file)
    record.append(home, "t", "bob", "ask", {})
    with pytest.raises(UsageError, match="not empty") as caught:
        restore(home, file, False)
    assert "--force" in caught.value.line()
    (home / "record.sqlite").write_bytes(b"damaged" * 1000)
    restore(home, file, True)
    assert (home / "before-restore-1" / "record.sqlite").read_bytes().startswith(b"damaged")
    assert record.verify_chain(record.records(home)).sound


@pytest.mark.parametrize("how", ["cut", "a byte", "text", "missing", "a name that climbs out", "another head"])
def test_an_altered_backup_is_refused_and_changes_nothing(how: str, made: tuple[Any, str, str], tmp_path: Path) -> None:
    bench, _, _ = made
    file, home = tmp_path / "b.zip", tmp_path / "home"
    backup(bench.home, file)
    data = file.read_bytes()
    if how == "missing":
        file.unlink()
    elif how in ("a name that climbs out", "another head"):
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = {n: archive.read(n) for n in archive.namelist()}
        manifest = json.loads(members.pop("manifest.json"))
        if how == "another head":
            manifest["head"] = "f" * 64
        else:
            members["library/../../evil"] = b"x"
            manifest["files"]["library/../../evil"] = hashlib.sha256(b"x").hexdigest()
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in {**members, "manifest.json": record.canonical(manifest)}.items():
                archive.writestr(name, content)
    else:
        file.write_bytes({"cut": data[: len(data) // 2], "a byte": data[:5000] + bytes([data[5000] ^ 4]) + data[5001:], "text": b"text"}[how])
    with pytest.raises(UsageError) as caught:
        restore(home, file, False)
    assert "\n" not in caught.value.line()
    assert not list(tmp_path.glob("**/evil")) and {p.name for p in home.iterdir()} <= {"ingest.lock"}


def test_a_backup_that_cannot_be_written_leaves_nothing(made: tuple[Any, str, str], tmp_path: Path) -> None:
    bench, _, _ = made
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        backup(bench.home, tmp_path / "file" / "b.zip")
    with pytest.raises(UsageError, match="in the data folder"):
        backup(bench.home, bench.home / "b.zip")
    with pytest.raises(UsageError, match="nothing to back up"):
        backup(tmp_path / "none", tmp_path / "b.zip")
    with pytest.raises(NotReady, match=r"another version|newer|damaged"):
        (tmp_path / "bad").mkdir()
        (tmp_path / "bad" / "record.sqlite").write_bytes(b"x" * 5000)
        backup(tmp_path / "bad", tmp_path / "b.zip")
    assert not list(tmp_path.glob("b.zip*"))
