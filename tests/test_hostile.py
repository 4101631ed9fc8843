"""Documents that mean harm: each is refused in one line with its name, a code and a reason, or read; the program goes on."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from assistant import ingest, library
from assistant.cli import main
from assistant.errors import PinciteError, Unreadable
from assistant.workbench import CARD_SECONDS
from tests import hostile
from tests.fakes import StubEmbedder, stub_bench

SLOW = {  # small in bytes, long in work: the limit ends them; only the full run (make trust) waits for it
    "headings.md", "heading-levels.md", "table.md", "tables.md", "hyphens.md", "wide.json", "paragraphs.docx",
    "yaml-deep-closed.md", "bomb.docx", "bomb-beside.docx", "many.docx", "bomb-twice.pdf", "line-50mb.md", "letters-50mb.md", "one-line.html",
}  # fmt: skip


def quick(kind: str) -> list[tuple[str, bytes]]:
    """Every third file of a kind, and all whose names say that they were made to explode."""
    files = [f for f in hostile.KINDS[kind]() if f[0] not in SLOW and not f[0].startswith(".")]
    return [f for i, f in enumerate(files) if i % 3 == 0 or any(word in f[0] for word in ("loop", "laughs", "bomb", "deep", "encrypted", "\udcff", "\n"))]


@pytest.mark.slow
@pytest.mark.parametrize("kind", hostile.KINDS)
def test_every_refusal_names_file_code_and_reason(kind: str, tmp_path: Path) -> None:
    bench = stub_bench(tmp_path / "home")
    for n, (name, data) in enumerate(quick(kind)):
        folder = tmp_path / str(n)
        folder.mkdir()
        (folder / name).write_bytes(data)
        report = ingest.ingest(tmp_path / "home", [folder], StubEmbedder().embed_documents, lambda _: None)
        for r in report.refused:
            assert r.code and r.code != "crashed" and r.file in r.reason and "\n" not in r.reason and r.reason.isprintable(), (name, r)
        assert report.refused and not report.instruments and library.current(tmp_path / "home") is None, name
        try:
            card = bench.card_show(folder / name)
            assert sum(len(f["text"]) for f in card["files"]), name
        except Unreadable as error:
            assert error.code and error.code != "crashed" and error.line().isprintable(), (name, error.line())


def test_the_limits_end_what_takes_too_long(tmp_path: Path) -> None:
    bench = stub_bench(tmp_path / "home")
    (tmp_path / "card.md").write_bytes(b"# H\n" * 3_000_000)
    started = time.monotonic()
    with pytest.raises(Unreadable, match=r"card\.md: reading took longer") as caught:
        bench.card_show(tmp_path / "card.md")
    assert caught.value.code == "timeout" and time.monotonic() - started < CARD_SECONDS + 3


def test_sound_and_hostile_files_together(tmp_path: Path) -> None:
    """A folder with one sound document among harmful ones: the sound one is in, the others are named, exit code 5."""
    folder = tmp_path / "files"
    folder.mkdir()
    sample = Path(__file__).parent / "samples" / "us" / "title-21-part-999.xml"
    (folder / sample.name).write_bytes(sample.read_bytes())
    bad = {name: data for name, data in hostile.mislabelled() if len(name) < 100 and not name.startswith(".")}
    for name, data in bad.items():
        (folder / name).write_bytes(data)
    report = ingest.ingest(tmp_path / "home", [folder], StubEmbedder().embed_documents, lambda _: None)
    assert len(report.instruments) == 1 and len(report.refused) == len(bad)


@pytest.mark.parametrize(("name", "code"), [("na\udcffme.md", 2), ("two\nlines.pdf", 2), ("-rf.md", 2)])
def test_a_hostile_name_on_the_command_line(name: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / name).write_bytes(b"\0\1\2" * 100)
    for command in (["card", "show", str(tmp_path / name), "--json"], ["ingest", str(tmp_path / name), "--json"]):
        with pytest.raises(SystemExit) as ended:
            main(command)
        said = capsys.readouterr()
        assert ended.value.code == code and said.err.count("\n") <= 2
        (said.out + said.err).encode()


def test_a_card_name_with_strange_bytes_is_recorded(tmp_path: Path) -> None:
    bench = stub_bench(tmp_path / "home")
    path = tmp_path / "ca\udcffrd\n.md"
    path.write_text("# Model\n\nA model for chest radiographs in adults.\n")
    found = bench.gaps(path, "2026-11-22", ("gdpr",))
    assert found["run"] and bench.verify_audit().sound
    for file in bench.card_show(path)["files"]:
        assert file["file"].isprintable()


def test_nothing_outside_is_read_or_reached(tmp_path: Path) -> None:
    """Entities, inclusions and relations that point elsewhere bring nothing in."""
    secret = "root:x:0"
    for name, data in (*hostile.xmls(), *hostile.packed()):
        if any(word in name for word in ("entity", "remote", "include", "climbs")):
            (tmp_path / name).write_bytes(data)
            try:
                assert secret not in str(stub_bench(tmp_path / "home").card_show(tmp_path / name))
            except PinciteError as error:
                assert secret not in error.line()
    assert not Path("/tmp/evil").exists()


def test_a_pdf_with_a_cipher_that_is_not_here_is_encrypted(tmp_path: Path) -> None:
    for name, data in hostile.pdfs():
        if name.startswith("encrypted"):
            (tmp_path / name).write_bytes(data)
            with pytest.raises(Unreadable) as caught:
                stub_bench(tmp_path / "home").card_show(tmp_path / name)
            assert caught.value.code == "encrypted" and name in caught.value.line()


def test_a_page_that_draws_too_much_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """Twenty megabytes of one string once took half a minute."""
    for name, data in hostile.pdfs():
        if name in ("long-string.pdf", "many-operators.pdf", "ascii85.pdf"):
            (tmp_path / name).write_bytes(data)
            with pytest.raises(Unreadable, match="draws more than") as caught:
                stub_bench(tmp_path / "home").card_show(tmp_path / name)
            assert caught.value.code == "too-large"


def test_the_generator_makes_the_same_files_each_time() -> None:
    code = "import hashlib; from tests import hostile; print(hashlib.sha256(b''.join(d for _, d in hostile.mislabelled())).hexdigest())"
    runs = {subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True).stdout for _ in range(2)}
    assert len(runs) == 1
