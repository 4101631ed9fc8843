"""One generation on disk: built aside, made current whole, chosen by date, damaged only visibly."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant import library
from assistant.errors import NotReady
from assistant.export.terminal import standing
from assistant.ingest import revised
from assistant.law import Instrument
from assistant.pinpoint import Pinpoint
from assistant.readers.tree import Tree


def made_up(version: str, words: str, work: str = "gdpr", provenance: str = "original", recital: bool = False, kind: str = "regulation") -> Instrument:
    tree = Tree()
    if recital:
        tree.open(Pinpoint("gdpr", "rec-1"), "recital", 0, label="(1)")
        tree.write("(1) A reason.")
    tree.open(Pinpoint("gdpr", "art-1"), "article", 0, "Subject")
    tree.write("Article 1")
    tree.open(Pinpoint("gdpr", "art-1(1)"), "paragraph", 1, label="1.")
    tree.write(f"1. {words}")
    text, provisions = tree.result()
    return Instrument("gdpr", work, "T", kind, version, "official", provenance, "made-up", "f", hashlib.sha256(text.encode()).hexdigest(), text, provisions)  # type: ignore[arg-type]


def embed(texts: list[str]) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    rng = [np.random.default_rng(int(hashlib.sha256(t.encode()).hexdigest()[:8], 16)).normal(size=16) for t in texts]
    return np.stack([r / np.linalg.norm(r) for r in rng]).astype(np.float32)


def build(home: Path, *instruments: Instrument) -> library.Library:
    with library.write_lock(home):
        library.build(home, instruments, [], embed, library.current(home))
    found = library.current(home)
    assert found
    return found


def test_every_span_slices_back(home: Path) -> None:
    one = made_up("2020-01-01", "The controller shall keep records of scans.")
    lib = build(home, one)
    for p in lib.addresses(1):
        found = lib.find(p, "2026-01-01")
        assert found and lib.text(1)[found.span.start : found.span.end] == found.text
    assert lib.instrument(1).provisions == one.provisions


@pytest.mark.parametrize(
    ("as_of", "words", "status"),
    [
        ("2019-06-01", "1. old words", "not-yet-applicable"),
        ("2020-06-01", "1. old words", "in-force"),
        ("2021-01-01", "1. new words", "in-force"),
        ("2026-01-01", "1. new words", "in-force"),
    ],
)
def test_the_day_chooses_the_version(as_of: str, words: str, status: str, home: Path) -> None:
    lib = build(home, made_up("2020-01-01", "old words", recital=True), made_up("2021-01-01", "new words"))
    found = lib.find(Pinpoint("gdpr", "art-1(1)"), as_of)
    assert found and (found.text, found.status) == (words, status)
    recital = lib.find(Pinpoint("gdpr", "rec-1"), as_of)
    assert recital and recital.status == status, "a consolidated text without recitals does not end them"


def test_a_version_asked_for_by_name_says_that_it_is_superseded(home: Path) -> None:
    lib = build(home, made_up("2020-01-01", "old words"), made_up("2021-01-01", "new words"))
    found = lib.find(Pinpoint("gdpr", "art-1(1)"), "2026-01-01", version="2020-01-01")
    assert found and found.status == "superseded" and found.text == "1. old words"


def test_a_text_before_its_adoption_is_given_only_when_asked_for(home: Path) -> None:
    lib = build(
        home,
        made_up("2019-12-01", "as proposed", kind="proposal"),
        made_up("2020-01-01", "as adopted"),
        made_up("2020-06-01", "to be amended", kind="proposal"),
    )
    address = Pinpoint("gdpr", "art-1(1)")
    for day in ("2019-12-15", "2020-02-01", "2026-01-01"):
        found = lib.find(address, day)
        assert found and found.text == "1. as adopted" and (day < "2020" or found.status == "in-force"), day
    asked = lib.find(address, "2026-01-01", version="2020-06-01")
    assert asked and (asked.text, asked.status) == ("1. to be amended", "proposed")
    assert lib.rows.hidden.tolist().count(False) == 2, "only the adopted text can be a hit"


@pytest.mark.parametrize(("kind", "note"), [("regulation", ""), ("guidance", "Guidance, not binding"), ("principles", "Guidance, not binding")])
def test_guidance_says_that_it_does_not_bind_and_keeps_its_status(kind: str, note: str, home: Path) -> None:
    lib = build(home, made_up("2020-01-01", "words", kind=kind))
    found = lib.find(Pinpoint("gdpr", "art-1(1)"), "2026-01-01")
    assert found and (found.status, found.note) == ("in-force", note)
    shown = standing({"status": found.status, "applies_from": "", "note": found.note})
    assert shown == ("in-force; guidance, not binding" if note else "in-force")


def test_the_same_version_twice_is_one_and_the_original_wins(home: Path) -> None:
    lib = build(home, made_up("2020-01-01", "words", provenance="converted"), made_up("2020-01-01", "words"))
    assert [(e.provenance, e.same_as) for e in lib.editions.values()] == [("converted", 2), ("original", None)]
    assert set(lib.rows.provision.tolist()) <= {3, 4}, "a second edition is not indexed"


def test_changed_words_under_the_same_date_are_a_revision() -> None:
    old, new = made_up("2020-01-01", "words"), made_up("2020-01-01", "other words")
    assert revised(new, [old]).version == "2020-01-01-r2"
    assert revised(old, [old]).version == "2020-01-01"


def test_a_text_is_embedded_once(home: Path) -> None:
    asked: list[str] = []

    def counting(texts: list[str]) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
        asked.extend(texts)
        return embed(texts)

    for instruments in ([made_up("2020-01-01", "one")], [made_up("2020-01-01", "one"), made_up("2021-01-01", "two")]):
        with library.write_lock(home):
            library.build(home, instruments, [], counting, library.current(home))
    assert len(asked) == len(set(asked)) == 2


def test_a_reader_of_the_old_generation_is_not_disturbed(home: Path) -> None:
    old = build(home, made_up("2020-01-01", "one"))
    assert old.vectors.shape[0] == old.rows.vector.max() + 1
    build(home, made_up("2020-01-01", "two"))
    found = old.find(Pinpoint("gdpr", "art-1(1)"), "2026-01-01")
    assert found and found.text == "1. one"


def test_an_unfinished_build_is_invisible_and_swept_away(home: Path) -> None:
    build(home, made_up("2020-01-01", "one"))
    left = home / "library" / "000009.building"
    left.mkdir()
    (left / "library.sqlite").write_bytes(b"half")
    assert library.current(home) is not None
    build(home, made_up("2020-01-01", "two"))
    assert not left.exists()


def test_a_second_ingest_is_told_at_once(home: Path) -> None:
    with library.write_lock(home), pytest.raises(NotReady, match="Another ingest"), library.write_lock(home):
        pass


@pytest.mark.parametrize("name", ["vectors.npy", "lexical/data.csc.index.npy"])
def test_damaged_index_files_are_named(name: str, home: Path) -> None:
    lib = build(home, made_up("2020-01-01", "one"))
    path = lib.folder / name
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert lib.damaged() == [Path(name).name]


def test_a_damaged_database_says_what_to_do(home: Path) -> None:
    lib = build(home, made_up("2020-01-01", "one"))
    (lib.folder / "library.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(NotReady) as caught:
        library.current(home)
    assert "pincite ingest --rebuild" in caught.value.line()


def test_long_provisions_are_cut_along_the_tree_and_never_inside_a_sentence() -> None:
    tree = Tree()
    tree.open(Pinpoint("gdpr", "art-1"), "article", 0, "Long")
    tree.write("Article 1")
    for n in range(1, 4):
        tree.open(Pinpoint("gdpr", f"art-1({n})"), "paragraph", 1, label=f"{n}.")
        tree.write(f"{n}. " + " ".join(f"Sentence {i} of paragraph {n} says something about scans." for i in range(40)))
    text, provisions = tree.result()
    one = Instrument("gdpr", "gdpr", "T", "regulation", "2020-01-01", "official", "original", "r", "f", "0" * 64, text, provisions)
    pieces = [r for r in library.rows_of(one, 0) if r.type == "passage"]
    assert len(pieces) > 5
    for r in pieces:
        words = r.span.of(text)
        assert len(words) <= library.LONG + 100 and words.endswith("."), words[-40:]
    covered = sum(r.span.end - r.span.start for r in pieces)
    assert covered >= 0.98 * len(text)


def test_the_corpus_digest_depends_on_words_and_not_on_order() -> None:
    a, b = made_up("2020-01-01", "one"), made_up("2021-01-01", "two")

    def digest(*instruments: Instrument) -> str:
        return library.content_of(instruments, []).digest

    assert digest(a, b) == digest(b, a)
    assert digest(a) != digest(made_up("2020-01-01", "One"))


def test_the_shipped_corpus_stands(shipped_home: Path) -> None:
    lib = library.current(shipped_home)
    assert lib and lib.damaged() == []
    assert {e.layer for e in lib.editions.values()} == {"digest"}
    assert len(lib.rows.units) > 800


@pytest.mark.shared
def test_official_text_is_preferred_to_a_digest(shared: Callable[[str], Path], home: Path) -> None:
    from assistant.readers import recognise

    data = shared("corpus/gdpr/gdpr-oj-2016-en.eurlex.html").read_bytes()
    reader = recognise("x", data[:65536])
    assert reader
    from assistant import corpus

    digests = [d for d in corpus.digest_instruments() if d.id == "gdpr"]
    lib = build(home, *reader.read([("x", data)]), *digests)
    found = lib.find(Pinpoint("gdpr", "art-35(7)(a)"), "2026-11-22")
    assert found and found.edition.layer == "official"
    digest = lib.find(Pinpoint("gdpr", "art-35(7)(a)"), "2026-11-22", layer="digest")
    assert digest and digest.edition.layer == "digest"


@pytest.mark.parametrize(
    "name", ["library.sqlite", "vectors.npy", "rows.npz", "lexical/vocab.index.json", "lexical/data.csc.index.npy", "lexical/params.index.json"]
)
@pytest.mark.parametrize("how", ["one bit", "cut", "gone"])
def test_damage_is_found_before_it_is_used(name: str, how: str, home: Path) -> None:
    build(home, made_up("2020-01-01", "One"))
    lib = library.current(home)
    assert lib
    path = lib.folder / name
    data = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(data[: len(data) // 2] if how == "cut" else data[:-30] + bytes([data[-30] ^ 1]) + data[-29:])
    with pytest.raises(NotReady, match=r"damaged.*") as caught:
        found = library.current(home)
        assert found
        found.vectors, found.lexical  # noqa: B018
    assert "ingest --rebuild" in caught.value.line()


@pytest.mark.parametrize("pointer", [b"", b"\xff\xfe", b"../../etc", b"000099"])
def test_a_damaged_pointer_is_not_taken_for_an_empty_library(pointer: bytes, home: Path) -> None:
    build(home, made_up("2020-01-01", "One"))
    (home / "library" / "current").write_bytes(pointer)
    with pytest.raises(NotReady, match="damaged"):
        library.current(home)


def test_the_digest_can_be_derived_again_from_what_is_held(home: Path) -> None:
    build(home, made_up("2020-01-01", "One"), made_up("2021-01-01", "Two"))
    lib = library.current(home)
    assert lib and hashlib.sha256("\n".join(lib.digest_lines()).encode()).hexdigest() == lib.digest


def test_a_large_library_compares_the_nearest_exactly(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    works = [made_up(f"20{n}-01-01", f"words of year {n}", work=f"work-{n}") for n in range(10, 90)]
    for name, value in (("building.MANY", 10), ("building.COARSE", 8), ("reading.NEAREST", 40)):
        monkeypatch.setattr(f"assistant.library.{name}", value)
    lib = build(home, *works)
    ok = lib.rows.unit >= 0
    ok[::2] = False  # what the filter leaves out takes no place among the nearest
    for v in np.asarray(lib.vectors[::9]):
        exact = np.where(ok & (lib.rows.vector >= 0), lib.vectors[lib.rows.vector] @ v, 0)
        near = lib.cosines(v, ok)
        assert (near[~ok] == 0).all()
        assert np.argmax(near) == np.argmax(exact) and np.isclose(near.max(), exact.max(), atol=1e-6)
    assert lib.damaged() == []


def test_a_generation_with_a_vector_for_each_row_is_still_read(home: Path) -> None:
    """The form of the first version: no rows.npz, and zeros for whole sections."""
    lib = build(home, made_up("2020-01-01", "one", recital=True), made_up("2021-01-01", "two"))
    v = np.asarray(lib.vectors[0])
    ok = lib.rows.unit >= 0
    wanted = lib.cosines(v, ok)
    old = np.where(lib.rows.vector[:, None] >= 0, lib.vectors[lib.rows.vector], 0).astype(np.float32)
    lib.__dict__ |= {"vectors": old, "meta": {**lib.meta, "files": "{}"}}
    del lib.__dict__["rows"]
    assert np.allclose(lib.cosines(v, ok), wanted)
    assert all(np.isclose(old[n] @ old[n], 1) for n in lib.vector_index().values())


def test_words_are_scored_as_bm25s_scores_them(home: Path) -> None:
    import bm25s

    lib = build(home, made_up("2020-01-01", "One data controller must keep a record of each breach"), made_up("2020-01-01", "Two records of a breach", "mdr"))
    oracle = bm25s.BM25.load(str(lib.folder / "lexical"), show_progress=False)
    rows = len(lib.rows.type)
    for words in (["record"], ["record", "breach", "unheard"], ["must", "keep", "each", "breach", "two"]):
        told = oracle.get_scores([w for w in words if w in oracle.vocab_dict])
        assert np.allclose(lib.lexical.scores(words, rows), told, atol=1e-6)
    assert not lib.lexical.scores(["unheard"], rows).any() and lib.lexical.count("unheard") == 0
    assert lib.counts(["breach", "unheard"]) == {"breach": int(np.count_nonzero(oracle.get_scores(["breach"])))}


def test_nothing_changed_is_seen_without_making_anything_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from assistant import corpus, ingest

    def embed(texts: list[str]) -> "np.ndarray":
        return np.eye(1, 8, dtype=np.float32).repeat(len(texts), axis=0)

    def run() -> ingest.IngestReport:
        return ingest.ingest(home, [], embed, lambda words: None)

    first = run()
    with monkeypatch.context() as patched:
        patched.setattr(corpus, "digest_instruments", lambda: pytest.fail("read again"))
        second = run()
    assert first.changed and not second.changed
    assert (second.digest, second.passages, second.embedded) == (first.digest, first.passages, 0)
    (home / ingest.INPUTS).write_text("{}")  # of another program, or damaged: everything is made and compared again
    third = run()
    assert not third.changed and third.digest == first.digest
    assert ingest.ingest(home, [], embed, lambda words: None, rebuild=True).changed


def test_what_another_program_has_read_is_read_again_and_stands_for_what_it_was(home: Path) -> None:
    from assistant import ingest

    file, asked = Path(__file__).parent / "samples" / "us" / "part-999.md", []

    def run(words: str) -> tuple[ingest.IngestReport, library.Library]:
        def read(sources: "Sequence[ingest.Source]", say: ingest.Progress) -> "list[list[Instrument]]":
            asked.append(len(sources))
            return [[replace(made_up("2020-01-01", words), sha256=source.sha256)] for source in sources]

        report = ingest.ingest(home, [file], embed, lambda words: None, read=read)
        held = library.current(home)
        assert held
        return report, held

    run("One")
    report, held = run("Two")
    assert asked == [1, 0] and [one.text for one in report.instruments] == [one.text for one in held.instruments()] and "One" in held.instruments()[0].text
    (home / ingest.INPUTS).write_text("{}")
    report, held = run("Two")
    (one,) = held.instruments()
    assert asked == [1, 0, 1] and "Two" in one.text and one.version == "2020-01-01"
