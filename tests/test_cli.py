"""The commands as a person meets them: forms of the contract, one line for each error, the right exit code."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from assistant.pinpoint import Pinpoint

ROOT = Path(__file__).resolve().parents[1]
CARD = ROOT / "corpus" / "cards" / "chest-xray-triage"


@pytest.fixture
def stocked(shipped_home: Path, home: Path) -> Path:
    """A data folder of this test's own, with the shipped corpus in it."""
    shutil.copytree(shipped_home, home)
    return home


def pincite(*args: str, home: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PINCITE_HOME": str(home), "PINCITE_LLM": "none", **(env or {})}
    return subprocess.run([sys.executable, "-m", "assistant", *args], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=250)


def data(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in done.stderr.splitlines() if line.startswith("pincite:")]
    assert len(lines) == 1 and "Traceback" not in done.stderr, done.stderr
    return lines[0]


def test_search_in_the_form_of_the_contract(stocked: Path) -> None:
    found = data(pincite("search", "What must a DPIA contain?", "-k", "5", "--json", home=stocked))
    assert len(found["hits"]) == 5 and set(found["ms"]) == {"embed", "search", "total"}
    assert {"pinpoint", "instrument", "version", "layer", "status", "applies_from", "heading", "text", "score", "via"} <= set(found["hits"][0])
    assert found["hits"][0]["pinpoint"].startswith("gdpr:art-35") and found["hits"][0]["layer"] == "digest"


def test_search_batch(stocked: Path, tmp_path: Path) -> None:
    rows = [{"id": "a", "query": "breach notice to individuals", "frameworks": ["hipaa"]}, {"id": "b", "query": "design controls", "as_of": "2026-01-15"}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    done = pincite("search", "--batch", str(tmp_path / "in.jsonl"), "--out", str(tmp_path / "out.jsonl"), home=stocked)
    assert done.returncode == 0, done.stderr
    a, b = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert a["id"] == "a" and {h["instrument"] for h in a["hits"]} == {"hipaa"}
    assert any(h["pinpoint"].startswith("fda:21cfr-820.30") for h in b["hits"])


def test_ask_quotes_slice_back_from_their_source(stocked: Path) -> None:
    found = data(pincite("ask", "What must a data protection impact assessment contain?", "--json", home=stocked))
    citations = [c for claim in found["answer"]["claims"] for c in claim["citations"]]
    assert citations and any(c["pinpoint"].startswith("gdpr:art-35(7)") for c in citations)
    from assistant import library

    lib = library.current(stocked)
    assert lib
    for c in citations:
        texts = [lib.text(e.id) for e in lib.editions.values() if e.sha256 == c["source_sha256"]]
        assert any(t[c["start"] : c["end"]] == c["quote"] for t in texts)
    assert found["model"] is None and found["answer"]["official"].startswith("0 of")
    assert any("pincite corpus fetch" in note for note in found["answer"]["notes"])


def test_the_same_question_gives_the_same_answer(stocked: Path) -> None:
    first, second = (data(pincite("ask", "Who must be told about a breach under the GDPR?", "--json", home=stocked))["answer"] for _ in range(2))
    assert json.dumps(first) == json.dumps(second)


def test_ask_refuses_what_the_texts_do_not_bear(stocked: Path) -> None:
    found = data(pincite("ask", "What is the capital of France?", "--json", home=stocked))
    assert found["answer"]["abstained"] and found["answer"]["claims"] == []


def test_gaps_evidence_is_an_exact_substring_of_the_card(home: Path) -> None:
    found = data(pincite("gaps", str(CARD), "--json", home=home))
    texts = {f["file"]: f["text"] for f in data(pincite("card", "show", str(CARD), "--json", home=home))["files"]}
    quotes = [e for f in found["findings"] for x in f["facets"] for e in x["evidence"]]
    assert len(quotes) > 20
    for e in quotes:
        assert texts[e["file"]][e["start"] : e["end"]] == e["quote"]
    assert {r["status"] for r in found["findings"]} <= set(found["summary"]["by_status"])
    for f in found["findings"]:
        statuses = {x["status"] for x in f["facets"]}
        if f["status"] == "evidence-found":
            assert statuses == {"found"}
        if f["status"] == "gap":
            assert "found" not in statuses
    assert "compliant" not in json.dumps({k: v for k, v in found.items() if k != "findings"})


def test_fail_on_sets_the_exit_code(home: Path) -> None:
    assert pincite("gaps", str(CARD), "-f", "gdpr", "--fail-on", "critical", "--json", home=home).returncode in (0, 1)
    poor = ROOT / "corpus" / "cards" / "skin-lesion"
    assert pincite("gaps", str(poor), "--all", "--fail-on", "major", home=home).returncode == 1


@pytest.mark.parametrize("format", ["md", "html", "docx", "pdf", "xlsx", "sarif", "oscal", "json"])
def test_every_format_is_written(format: str, home: Path, tmp_path: Path) -> None:
    out = tmp_path / f"gaps.{format}"
    done = pincite("gaps", str(CARD), "-f", "gdpr", "--format", format, "-o", str(out), home=home)
    assert done.returncode == 0, done.stderr
    assert out.stat().st_size > 1000


def test_verify_batch(home: Path, tmp_path: Path) -> None:
    passage = "The controller shall notify the supervisory authority not later than 72 hours after having become aware of the breach."
    rows = [{"id": 1, "claim": "The controller shall notify the supervisory authority within 72 hours of becoming aware of the breach.", "passage": passage},
            {"id": 2, "claim": "The controller shall notify the supervisory authority within 24 hours of becoming aware of the breach.", "passage": passage}]  # fmt: skip
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    done = pincite("verify", "--batch", str(tmp_path / "in.jsonl"), "--out", str(tmp_path / "out.jsonl"), home=home)
    assert done.returncode == 0, done.stderr
    good, bad = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert good["supported"] and not bad["supported"] and bad["reasons"] and 0 <= bad["score"] <= 1


def test_each_ask_is_one_record_and_the_chain_verifies(stocked: Path) -> None:
    before = data(pincite("audit", "verify", "--json", home=stocked))
    asked = data(pincite("ask", "What is a business associate?", "--json", home=stocked))
    after = data(pincite("audit", "verify", "--head", before["head"], "--json", home=stocked))
    assert after["sound"] and after["records"] == before["records"] + 2, "the first use of its model, and the ask"
    last = json.loads(pincite("audit", "tail", "-n", "1", "--json", home=stocked).stdout)
    assert last["id"] == asked["audit"] and last["action"] == "ask" and "business associate" not in json.dumps(last["body"])


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["ask", "x"], 3, "pincite ingest"),
        (["search", "x"], 3, "pincite ingest"),
        (["ingest", "no/such/file"], 2, "does not exist"),
        (["gaps", "no/such/card"], 2, "does not exist"),
        (["corpus", "show", "Article 6"], 2, "no address"),
        (["ask", "x", "--as-of", "tomorrow"], 2, "YYYY-MM-DD"),
        (["search", "x", "-f", "ccpa"], 2, "no framework"),
        (["ask"], 2, "--batch"),
        (["nonsense"], 2, "--help"),
        (["gaps", "corpus/cards/skin-lesion", "--fail-on", "huge"], 2, "no severity"),
        (["gaps", "corpus/cards/skin-lesion", "--format", "docx"], 2, "-o FILE"),
        (["ingest", "--passages", "x.jsonl"], 2, "--instrument"),
    ],
)
def test_each_mistake_is_one_line_and_the_right_code(args: list[str], code: int, says: str, home: Path) -> None:
    done = pincite(*args, home=home)
    assert done.returncode == code, done.stderr
    assert says in one_line(done) + done.stderr


def test_bad_files_are_refused_by_name(home: Path, tmp_path: Path) -> None:
    for name, content in (
        ("empty.pdf", b""),
        ("noise.html", b"<html><body>news</body></html>"),
        ("not.pdf", b"%PDF-1.7\nbroken"),
        ("bin.xml", bytes(range(256))),
    ):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    done = pincite("ingest", str(tmp_path / "in"), "--json", home=home)
    assert done.returncode == 2
    refused = {r["file"]: r for r in json.loads(done.stdout)["refused"]}
    assert set(refused) == {"empty.pdf", "noise.html", "not.pdf", "bin.xml"}
    assert all(r["code"] and r["reason"] and "\n" not in r["reason"] for r in refused.values())


@pytest.mark.shared
def test_two_european_acts_with_the_counts_of_the_journal(shared: Callable[[str], Path], stocked: Path) -> None:
    from assistant.ingest import IngestReport, gather, read_source

    report = IngestReport()
    sources = gather([shared("corpus/gdpr/gdpr-oj-2016-en.eurlex.html"), shared("corpus/eu-ai-act/aiact-oj-2024-en.eurlex.html")], report)
    assert report.refused == []
    gdpr, act = [read_source(s.reader, [(n, p.read_bytes()) for n, p in s.files])[0].counts() for s in sources]
    assert (gdpr["article"], gdpr["recital"]) == (99, 173)
    assert (act["article"], act["recital"], act["annex"]) == (113, 180, 13)


def test_passages_of_a_house_are_searched_by_their_ids(stocked: Path, tmp_path: Path) -> None:
    lines = [
        {"id": "Doc 3 / 1", "text": "Radiographers wear dosimeters in the hybrid theatre.", "heading": "Dosimeters"},
        {"id": "Doc 3 / 2", "text": "Lead aprons are checked once a year."},
    ]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(r) + "\n" for r in lines))
    done = pincite("ingest", "--passages", str(tmp_path / "p.jsonl"), "--instrument", "house-rules", "--json", home=stocked)
    assert done.returncode == 0, done.stderr
    found = data(pincite("search", "How often are lead aprons checked?", "--instrument", "house-rules", "--json", home=stocked))
    assert found["hits"][0]["pinpoint"] == "house-rules:Doc 3 / 2"


def test_interrupting_an_ingest_leaves_the_library_as_it_was(stocked: Path) -> None:
    environment = {**os.environ, "PINCITE_HOME": str(stocked), "PINCITE_LLM": "none"}
    before = (stocked / "library" / "current").read_text()
    child = subprocess.Popen([sys.executable, "-m", "assistant", "ingest", "--rebuild"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    assert child.stderr
    for line in child.stderr:
        if "building" in line:
            break
    time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    rest = child.stderr.read()
    assert child.wait(60) in (0, 130), rest
    if child.returncode == 130:
        assert "interrupted" in rest and (stocked / "library" / "current").read_text() == before
    assert pincite("corpus", "verify", home=stocked).returncode == 0


def test_help_is_quick_and_lists_the_commands(home: Path) -> None:
    done = pincite("--help", home=home)
    assert done.returncode == 0
    for word in ("ingest", "ask", "gaps", "corpus", "audit", "verify", "card"):
        assert word in done.stdout


def test_addresses_shown_are_addresses(stocked: Path) -> None:
    found = data(pincite("corpus", "show", "Art. 35(7)(a) GDPR", "--json", home=stocked))
    assert found["pinpoint"] == "gdpr:art-35(7)(a)" and found["link"].endswith("#art_35")
    assert Pinpoint.parse(found["citation"]) == Pinpoint.parse(found["pinpoint"])
