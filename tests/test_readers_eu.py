"""European acts in every format: counts, addresses to the last level, no loss, and the same words whatever the file.

The samples are made up: one act about lighthouses in each format, under the number of a known act. The real files are
read when they lie beside the clone.
"""

import io
import re
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import lxml.html
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from assistant.errors import Unreadable
from assistant.law import Instrument
from assistant.pinpoint import Pinpoint
from assistant.readers import HEAD, converted_eu, euact, eurlex, flat, formex, recognise
from assistant.readers.euact import Line
from assistant.readers.flat import Printed
from assistant.verify import normalise

SAMPLES = Path(__file__).parent / "samples" / "eu"
Shared = Callable[[str], Path]


def read(*paths: Path) -> list[Instrument]:
    """What the reader that recognises these files makes of them."""
    files = [(path.name, path.read_bytes()) for path in paths]
    (reader,) = {recognise(name, data[:HEAD]) for name, data in files}
    assert reader is not None, paths
    return reader.read(files)


def folder(path: Path) -> list[Path]:
    return sorted(p for p in path.iterdir() if p.is_file())


@lru_cache(maxsize=32)
def one(*paths: Path) -> Instrument:
    return read(*paths)[0]


same_words = lru_cache(maxsize=None)(normalise)


def words(instrument: Instrument) -> dict[str, str]:
    """The normalised text of each provision by address."""
    return {p.pinpoint.address: same_words(p.span.of(instrument.text)) for p in instrument.provisions}


def leaves(instrument: Instrument) -> set[str]:
    parents = {p.parent for p in instrument.provisions}
    return {p.pinpoint.address for n, p in enumerate(instrument.provisions) if n not in parents}


def outside(instrument: Instrument) -> list[str]:
    """The lines that belong to no provision."""
    lines, end = [], 0
    for p in instrument.provisions:
        if p.parent < 0:
            lines += instrument.text[end : p.span.start].splitlines()
            end = p.span.end
    return [line for line in [*lines, *instrument.text[end:].splitlines()] if line.strip()]


def check_laws(instrument: Instrument) -> None:
    """Parents first; children in order inside their parent; every span slices back; addresses once, readable, well nested."""
    ends: dict[int, int] = {}
    for n, p in enumerate(instrument.provisions):
        own = p.span.of(instrument.text)
        assert own.strip() and own == own.strip(), p.pinpoint
        assert own.startswith(p.label) and p.heading in own, p.pinpoint
        assert Pinpoint.parse(p.pinpoint.address) == p.pinpoint
        assert p.parent < n
        start = instrument.provisions[p.parent].span.start if p.parent >= 0 else 0
        assert p.span.start >= ends.get(p.parent, start), p.pinpoint
        assert p.parent < 0 or instrument.provisions[p.parent].span.holds(p.span), p.pinpoint
        ends[p.parent] = p.span.end
        if p.kind in ("paragraph", "point", "definition"):
            assert instrument.provisions[p.parent].pinpoint.root.path.split("-")[0] == p.pinpoint.root.path.split("-")[0], p.pinpoint
    assert len({p.pinpoint for p in instrument.provisions}) == len(instrument.provisions)
    assert not re.search(r"[ \t]{2}|\xa0|[►◄▼]", instrument.text)


# ---- the made-up act ---------------------------------------------------------------------------------------------

CURRENT = SAMPLES / "current.html"
LAYOUT_2016 = SAMPLES / "layout-2016.html"
CONSOLIDATED = SAMPLES / "consolidated.html"
FORMEX = folder(SAMPLES / "formex")
FORMEX_CONSOLIDATED = folder(SAMPLES / "formex-consolidated")
JSON_CONSOLIDATED = folder(SAMPLES / "consolidated-json")
MDR = folder(SAMPLES / "mdr")
ALL = [[CURRENT], [LAYOUT_2016], [CONSOLIDATED], FORMEX, FORMEX_CONSOLIDATED, JSON_CONSOLIDATED, MDR, [SAMPLES / "gdpr.json"]]


def one_of(paths: Sequence[Path]) -> Instrument:
    return one(*paths)


ACT = [  # address, kind, the words as printed
    ("preamble", "container", "THE KEEPERS OF THE LIGHTS, Whereas: (1) Ships need lights at night. (1) A light that fails is worse than none. (2) Horns help in fog. HAVE ADOPTED THIS SAMPLE:"),
    ("rec-1", "recital", "(1) Ships need lights at night. (1) A light that fails is worse than none."),
    ("rec-2", "recital", "(2) Horns help in fog."),
    ("art-1(1)(b)", "point", "(b) horns, including: (i) low horns; (ii) high horns;"),
    ("art-1(1)(b)(ii)", "point", "(ii) high horns;"),
    ("art-1(1)(c)", "point", "(c) keepers, their duties and their rest."),
    ("art-1(1)", "paragraph", "1. This sample is about: (a) lamps; (b) horns, including: (i) low horns; (ii) high horns; (c) keepers, their duties and their rest. Point (b) covers no bells."),
    ("art-1(2)", "paragraph", "2. It has no other purpose. It is short."),
    ("art-2(1)", "definition", "(1) 'lamp' means a light on a tower;"),
    ("art-2(2)(b)", "point", "(b) current;"),
    ("art-2(3)", "definition", "(3) 'keeper' means a person who looks after a lamp. A cat is not a keeper."),
    ("ch-3-sec-2", "container", None),
    ("art-10(h)", "point", "(h) fog;"),
    ("art-10(i)", "point", "(i) ice; and"),
    ("art-10(j)(i)", "point", "(i) of the lamp;"),
    ("art-11(1)", "paragraph", "1. A lamp is strong when its light in floating point operations is greater than 10^25."),
    ("art-12", "article", "Article 12 Amendment of Sample 2000/1 In Article 4 of Sample 2000/1, the following paragraph is added: '5. Lamps shall be lit at dusk.'."),
    ("annex-i-b", "container", "Section B. Towers of iron 3. The red tower; 4. The white tower."),
    ("annex-i(3)", "point", "3. The red tower;"),
    ("annex-ii(#3)", "point", "- a whistle."),
    ("annex-vii(1)", "point", "1. Introduction A tower is inspected under points 2 and 3."),
    ("annex-vii(3.1)(b)", "point", "(b) the height."),
    ("annex-vii(3.2)", "point", "3.2. The report is kept. It is kept dry."),
    ("annex-viii-a(1)", "point", "1. colour;"),
    ("annex-viii-b(1)", "point", "1. pitch;"),
]  # fmt: skip


@pytest.mark.parametrize("paths", [[CURRENT], [LAYOUT_2016], FORMEX], ids=["current", "2016", "formex"])
@pytest.mark.parametrize(("path", "kind", "text"), ACT, ids=[row[0] for row in ACT])
def test_the_made_up_act_has_this_provision_in_each_format(paths: list[Path], path: str, kind: str, text: str | None) -> None:
    act = one_of(paths)
    (found,) = [p for p in act.provisions if p.pinpoint.path == path]
    assert found.kind == kind
    assert text is None or normalise(found.span.of(act.text)) == text


@pytest.mark.parametrize("paths", ALL, ids=lambda paths: paths[0].parent.name + "/" + paths[0].name)
def test_laws_hold_for_every_sample(paths: list[Path]) -> None:
    for instrument in read(*paths):
        check_laws(instrument)
        assert instrument.layer == "official"


def test_three_formats_of_one_act_have_the_same_addresses_kinds_headings_and_words() -> None:
    current = one(CURRENT)
    for other in (one(LAYOUT_2016), one_of(FORMEX)):
        assert words(other) == words(current)
        assert [(p.kind, p.heading, p.label) for p in other.provisions] == [(p.kind, p.heading, p.label) for p in current.provisions]
        assert other.version == current.version == "2024-07-12"
        assert other.title == current.title
        assert outside(other) == outside(current)


def test_what_no_provision_holds_is_title_final_words_and_footnotes() -> None:
    assert outside(one(CURRENT)) == [
        "REGULATION (EU) 2024/1689 OF THE KEEPERS OF LIGHTHOUSES",
        "of 13 June 2024",
        "on the care of lamps and horns (made up for tests)",
        "This sample binds nobody.",
        "Done on the rock, 13 June 2024.",
        "For the keepers",
        "(1) OJ C 1, 1.1.2024, p. 1.",
    ]


def test_consolidated_html_keeps_amendment_marks_as_data_and_out_of_the_words() -> None:
    act = one(CONSOLIDATED)
    assert act.version == "2026-07-27"
    assert words(act)["eu-ai-act:art-1(2)"] == "2. It has one other purpose. It is short."
    assert ("eu-ai-act:art-1(2)", "▼M1 32026R1744: REPLACED") in act.marks
    assert ("changed-by", "►M1 Sample 2026/1744 of 8 July 2026") in act.marks
    before = words(one(CURRENT))
    changed = {a for a, text in words(act).items() if before[a] != text}
    assert changed == {f"eu-ai-act:{path}" for path in ("ch-1", "art-1", "art-1(2)")}
    assert set(before) - set(words(act)) == {f"eu-ai-act:{path}" for path in ("preamble", "rec-1", "rec-2")}


def test_consolidated_formex_leaves_out_deleted_words_and_says_where_they_stood() -> None:
    act = one_of(FORMEX_CONSOLIDATED)
    now = words(act)
    assert act.version == "2026-07-27", "the day it applies, not the day it was made"
    assert "eu-ai-act:art-11(2)" not in now and "mended" not in act.text
    assert "eu-ai-act:annex-i(1)" not in now and "old tower" not in act.text
    assert now["eu-ai-act:art-11(2a)"] == "2a. A dark lamp is replaced."
    assert now["eu-ai-act:art-1(2)"] == "2. It has one other purpose. It is short."
    assert set(act.marks) == {
        ("consolidated", "02024R1689 2026-07-27"),
        ("changed-by", "32026R1744"),
        ("eu-ai-act:art-1(2)", "REPLACED 32026R1744 AR:1;PT:1"),
        ("eu-ai-act:art-1(2)", "REPLACED 32026R1744 AR:1;PT:2"),
        ("eu-ai-act:art-11(2)", "DELETED 32026R1744 AR:1;PT:3"),
        ("eu-ai-act:art-11(2a)", "INSERTED 32026R1744 AR:1;PT:4"),
        ("eu-ai-act:annex-i(1)", "DELETED 32026R1744 AR:1;PT:5"),
    }


def test_json_of_the_consolidated_act_gets_its_depth_back() -> None:
    act = one_of(JSON_CONSOLIDATED)
    without_recitals = {a: t for a, t in words(one(CURRENT)).items() if "preamble" not in a and "rec-" not in a}
    assert words(act) == without_recitals
    assert act.provenance == "converted" and act.version == "2026-07-27"
    assert ("eu-ai-act:art-11", "REPAIRED 10^25, which the conversion gives as 1025") in act.marks


def test_json_of_the_gdpr() -> None:
    act = one(SAMPLES / "gdpr.json")
    assert act.id == "gdpr" and act.version == "2016-05-04" and act.provenance == "converted"
    assert {a.removeprefix("gdpr:"): t for a, t in words(act).items() if a in leaves(act)} == {
        "rec-1": "(1) Ships need lights.",
        "art-1(1)(a)": "(a) lamps;",
        "art-1(1)(#1)": "- their glass;",
        "art-4(1)": "(1) 'lamp' means a light;",
        "art-35(7)": "7. A bed is dry.",
    }
    assert "gdpr:ch-4-sec-3" in words(act)


def test_markdown_of_the_mdr() -> None:
    act = one_of(MDR)
    text = words(act)
    assert act.id == "mdr" and act.version == "2017-05-05" and act.provenance == "converted"
    for path, expected in {
        "art-1(1)": "1. This sample covers in vitro lamps. It covers no horns.",
        "art-1(2)(b)(#2)": "- small ones.",
        "art-2(1)": "(1) 'lamp' means a light that is: - red, - green, and which turns. The following are also lamps: - candles; - fires.",
        "art-2(1)(#3)": "- candles;",
        "annex-i(17.2)": "17.2. They are verified.",
        "annex-viii(rule-11)": "6.3. Rule 11 Lamps that inform are class IIa, unless they cause: - a wreck; or - a scratch. All others are class I.",
        "annex-xii(1)": "1. A certificate names: (a) the lamp; (b) the keeper.",
        "rec-2": "(2) So do horns.",
    }.items():
        assert text[f"mdr:{path}"] == expected
    assert outside(act)[-1].startswith("(1) Directive 2000/1/EC"), "a footnote is no point 1 of the annex"


# ---- roman and letter --------------------------------------------------------------------------------------------

HARD = [  # printed paragraphs -> the path of each, "" for words
    (["(g) x;", "(h) y;", "(i) z;", "(j) w."], ["g", "h", "i", "j"]),
    (["(g) x;", "(h) y:", "(i) z;", "(ii) w."], ["g", "h", "h/i", "h/ii"]),
    (["(h) y:", "(i) z;", "(ii) w;", "(i) last letter."], ["h", "h/i", "h/ii", "i"]),
    (["(a) x:", "(i) z;", "(ii) w;", "(b) y."], ["a", "a/i", "a/ii", "b"]),
    (["(a) x:", "(i) one;", "(b) y:", "(i) only one."], ["a", "a/i", "b", "b/i"]),
    (["(iv) x;", "(v) y;", "(vi) z."], ["iv", "v", "vi"]),
    (["(u) x;", "(v) y;", "(w) z."], ["u", "v", "w"]),
    (["(a) x:", *[f"({r}) p;" for r in ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi")], "(b) y."], ["a", *[f"a/{r}" for r in ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi")], "b"]),
    (["(k) x;", "(l) y;", "(m) z."], ["k", "l", "m"]),
    (["1. x:", "(a) y;", "(b) z.", "2. w."], ["1", "1/a", "1/b", "2"]),
    (["(a) x;", "(b) y;", "(ba) inserted;", "(bb) inserted;", "(c) z."], ["a", "b", "ba", "bb", "c"]),
    (["(y) x;", "(z) y;", "(aa) z;", "(ab) w."], ["y", "z", "aa", "ab"]),
    (["6. x.", "6a. inserted.", "7. y."], ["6", "6a", "7"]),
    (["2. the first was deleted;", "3. next."], ["2", "3"]),
    (["(a) x;", "(c) the second was deleted."], ["a", "c"]),
    (["1. x:", "(a) y;", "(b) z.", "Words of the paragraph.", "2. w."], ["1", "1/a", "1/b", "1", "2"]),
    (["1. x:", "(a) y;", "more about a.", "(b) z.", "2. w."], ["1", "1/a", "1/a", "1/b", "2"]),
    (["1. x:", "(a) y;", "(b) z.", "Where:", "(a) y again.", "(b) z again.", "(c) more."], ["1", "1/a", "1/b", "1", "1/a", "1/b", "1/c"]),
    (["(1) x:", "— p,", "— q,", "and which ends.", "(2) y."], ["1", "1/#", "1/#", "1", "2"]),
    (["(1) x:", "— p:", "— inner,", "— inner,", "and so on.", "— q.", "(2) y."], ["1", "1/#", "1/#/#", "1/#/#", "1/#", "1/#", "2"]),
    (["10. Title", "10.1. x:", "(a) y;", "10.2. z.", "11. Next"], ["10", "10/10.1", "10/10.1/a", "10/10.2", "11"]),
    (["h) x;", "i) y:", "i) z;", "ii) w;", "j) v."], ["h", "i", "i/i", "i/ii", "j"]),
    (["(a) x:", "(i) p; or", "(ii) q:", "(A) deep;", "(B) deep.", "(iii) r."], ["a", "a/i", "a/ii", "a/ii/A", "a/ii/B", "a/iii"]),
]  # fmt: skip


@pytest.mark.parametrize(("printed", "expected"), HARD, ids=[" ".join(p.split()[0] for p in row[0])[:40] for row in HARD])
def test_roman_or_letter_is_decided_by_sequence_and_depth(printed: list[str], expected: list[str]) -> None:
    path: list[str] = []
    found = []
    lines = flat.lines(Printed(p) for p in printed)
    outermost = min(line.depth for line in lines)
    for line in lines:
        path = path[: line.depth - outermost]
        if line.kind == "point":
            path.append("#" if line.label in "—–" else line.label.strip("()."))
        found.append("/".join(path))
    assert found == expected


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("(a)", "a"),
        ("a)", "a"),
        ("1.", "1"),
        ("(14)", "14"),
        ("14)", "14"),
        ("—", ""),
        ("1 bis.", "1a"),
        ("b ter)", "bb"),
        ("3.1.", "3.1"),
        ("(ba)", "ba"),
        ("Rule 11", "rule-11"),
        ("‘(68)", "68"),
    ],
)
def test_the_step_of_a_printed_label(label: str, expected: str) -> None:
    assert euact.step(label) == expected


@pytest.mark.parametrize(
    ("printed", "path"),
    [("Article 5", "art-5"), ("Artikel 4 bis", "art-4a"), ("Article 75d", "art-75d"), ("Article premier", "art-1"), ("1 artikla", "art-1"), ("Artigo 1.o", "art-1"), ("1. cikk", "art-1"), ("Artikel 60 a", "art-60a"), ("Член 12", "art-12")],
)  # fmt: skip
def test_articles_are_numbered_in_any_language(printed: str, path: str) -> None:
    built = euact.build("eu-ai-act", [Line("article", label=printed), Line("heading", "On lamps"), Line("point", "Lamps.", "(1)", 0)])
    assert [(p.pinpoint.path, p.kind) for p in built.provisions] == [(path, "article"), (f"{path}(1)", "paragraph")]


@pytest.mark.parametrize(("printed", "path"), [("ANNEX IV", "annex-iv"), ("I. MELLÉKLET", "annex-i"), ("LIITE XIII", "annex-xiii"), ("ALLEGATO", "annex-i")])
def test_annexes_are_numbered_in_any_language(printed: str, path: str) -> None:
    page = CURRENT.read_text("utf8").replace("ANNEX I<", f"{printed}<")
    (act,) = eurlex.read([("x", page.encode())])
    assert next(p.pinpoint.path for p in act.provisions if p.kind == "annex") == path


def test_what_a_consolidated_page_prints_as_dashes_was_deleted() -> None:
    lines = [
        Line("article", label="Article 5"),
        Line("point", "Lamps.", "1.", 0),
        Line("mark", "▼M1"),
        Line("words", "— — — — —"),
        Line("mark", "▼B"),
        Line("point", "Horns.", "3.", 0),
    ]
    built = euact.build("eu-ai-act", lines)
    assert built.text == "Article 5\n1. Lamps.\n3. Horns."
    assert built.marks == (("eu-ai-act:art-5(1)", "▼M1"), ("eu-ai-act:art-5(3)", "▼B"))


def test_a_list_run_together_is_cut_only_in_sequence() -> None:
    text = "1. Areas: (a) lamps, see point (b) or (c); (b) horns as in point (a); and (c) bells."
    assert converted_eu.split_inline(text) == ["1. Areas:", "(a) lamps, see point (b) or (c);", "(b) horns as in point (a); and", "(c) bells."]
    assert converted_eu.split_inline("See point (a), and (b) too.") == ["See point (a), and (b) too."]


@pytest.mark.parametrize(
    ("label", "before", "identifier", "expected"),
    [
        ("10.", 9, "073.010", ("", 10)),
        ("11.", 9, "073.010", ("10", 10)),
        ("11.", 10, "073.011", ("", 11)),
        ("12.", 9, "073.012", ("", 12)),
        ("6a.", 6, "", ("", 6)),
        ("1.", 0, "", ("", 1)),
    ],
)
def test_a_misprinted_paragraph_keeps_its_place(label: str, before: int, identifier: str, expected: tuple[str, int]) -> None:
    assert euact.number_of_place(label, before, identifier) == expected


# ---- recognising and refusing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "reader"),
    [("current.html", eurlex), ("layout-2016.html", eurlex), ("consolidated.html", eurlex), ("amendments.html", eurlex), ("other-act.html", eurlex), ("lossy.md", eurlex),
     ("formex/L_202401689EN.000101.fmx.xml", formex), ("formex/L_202401689EN.doc.fmx.xml", formex), ("formex/L_202401689EN.toc.fmx.xml", formex),
     ("formex-consolidated/CL2024R1689EN0010010.0001.xml", formex),
     ("consolidated-json/articles.json", converted_eu), ("gdpr.json", converted_eu), ("mdr/annex-I.md", converted_eu), ("mdr/_index.yaml", converted_eu)],
)  # fmt: skip
def test_recognised_by_content_whatever_the_name(name: str, reader: object) -> None:
    head = (SAMPLES / name).read_bytes()[:HEAD]
    assert recognise(name, head) is reader
    assert recognise("upload.bin", head) is reader


def made_zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "head",
    [b"", b"%PDF-1.7", b"<html><body>Hello</body></html>", b'{"name": "x"}', b"[1, 2]", b"# A model card\n", b"---\ntitle: x\n---\n", b"<?xml version='1.0'?><ECFR><DIV1/></ECFR>", made_zip({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"})],
)  # fmt: skip
def test_other_documents_are_left_to_other_readers(head: bytes) -> None:
    assert not any(reader.recognises("x", head) for reader in (eurlex, formex, converted_eu))


def as_files(*paths: Path) -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in paths]


BOMB = made_zip({f"L_202401689EN.{n:06}.fmx.xml": b"<ACT/>" for n in range(600)})
REFUSED = [
    ("a proposal", eurlex, as_files(SAMPLES / "amendments.html"), "proposal"),
    ("another act", eurlex, as_files(SAMPLES / "other-act.html"), "not-recognised"),
    ("a lossy conversion", eurlex, as_files(SAMPLES / "lossy.md"), "lossy-conversion"),
    ("a page without articles", eurlex, [("x", re.sub(rb'(?s)<div class="eli-subdivision" id="enc_1">.*</body>', b"</body>", CURRENT.read_bytes()))], "no-articles"),
    ("a page without a date", eurlex, [("x", CURRENT.read_bytes().replace(b"12.7.2024", b""))], "no-date"),
    ("a page cut short", eurlex, [("x", CURRENT.read_bytes()[:9000])], "damaged"),
    ("a page nested without end", eurlex, [("x", CURRENT.read_bytes().replace(b"<p class=\"oj-normal\">It is", b"<div>" * 2000 + b"<p class=\"oj-normal\">It is"))], "too-deep"),
    ("XML nested without end", formex, [(p.name, p.read_bytes().replace(b"It is short.", b"<P>" * 2000 + b"It" + b"</P>" * 2000)) for p in FORMEX], "damaged"),
    ("an empty page", eurlex, [("x", b"")], "damaged"),
    ("annexes without their act", formex, as_files(FORMEX[1], FORMEX[2]), "incomplete"),
    ("an act whose registry lists a missing annex", formex, as_files(*[f for f in FORMEX if "013001" not in f.name]), "incomplete"),
    ("an act without its registry has no date", formex, as_files(FORMEX[0]), "no-date"),
    ("XML cut short", formex, [(FORMEX[0].name, FORMEX[0].read_bytes()[:2000])], "damaged"),
    ("a zip cut short", formex, [("x.zip", made_zip({p.name: p.read_bytes() for p in FORMEX})[:500])], "damaged"),
    ("a zip of too many files", formex, [("x.zip", BOMB)], "too-large"),
    ("JSON cut short", converted_eu, [("articles.json", JSON_CONSOLIDATED[1].read_bytes()[:500])], "damaged"),
    ("JSON with half a character", converted_eu, [("x.json", JSON_CONSOLIDATED[1].read_bytes().replace(b"rain;", b"r\\ud800n;"))], "damaged"),
    ("JSON annexes alone", converted_eu, as_files(JSON_CONSOLIDATED[0]), "not-recognised"),
    ("JSON of another act", converted_eu, [("x.json", JSON_CONSOLIDATED[1].read_bytes().replace(b'"eu-ai-act"', b'"data-act"'))], "not-recognised"),
    ("JSON without a field", converted_eu, [("x.json", JSON_CONSOLIDATED[1].read_bytes().replace(b'"paragraphs"', b'"paras"'))], "damaged"),
    ("Markdown of another act", converted_eu, [(p.name, p.read_bytes().replace(b"32017R0745", b"32017R0746")) for p in MDR], "not-recognised"),
    ("Markdown annexes alone", converted_eu, as_files(*[p for p in MDR if "annex" in p.name]), "incomplete"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "reader", "files", "code"), REFUSED, ids=[row[0] for row in REFUSED])
def test_refused_with_a_reason(what: str, reader: object, files: list[tuple[str, bytes]], code: str) -> None:
    with pytest.raises(Unreadable) as caught:
        reader.read(files)  # type: ignore[attr-defined]
    assert caught.value.code == code
    assert "\n" not in caught.value.line() and len(caught.value.line()) < 400


def test_a_formex_zip_reads_as_its_folder_and_beside_it_is_a_second_source() -> None:
    zipped = made_zip({f"some/folder/{p.name}": p.read_bytes() for p in FORMEX})
    loose = one_of(FORMEX)
    (alone,) = formex.read([("act.zip", zipped)])
    assert (alone.text, alone.provisions, alone.version) == (loose.text, loose.provisions, loose.version)
    both = formex.read([*as_files(*FORMEX), ("act.zip", zipped)])
    assert [i.file for i in both] == [FORMEX[0].name, "act.zip"]
    assert len({i.sha256 for i in both}) == 2


def test_external_entities_are_not_resolved(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the combination is 1234")
    act = FORMEX[0].read_text("utf8").replace("<ACT ", f'<!DOCTYPE ACT [<!ENTITY x SYSTEM "{secret.as_uri()}">]><ACT ', 1).replace("wind;", "&x;wind;")
    (instrument,) = formex.read([(FORMEX[0].name, act.encode()), *as_files(*FORMEX[1:])])
    assert "1234" not in instrument.text


def test_the_order_of_files_does_not_matter() -> None:
    for paths in (FORMEX, JSON_CONSOLIDATED, MDR):
        forward, backward = read(*paths)[0], read(*reversed(paths))[0]
        assert (forward.text, forward.sha256) == (backward.text, backward.sha256)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_are_read_or_refused_never_a_crash(data: st.DataObject) -> None:
    reader, paths = data.draw(st.sampled_from([(eurlex, [CURRENT]), (eurlex, [LAYOUT_2016]), (eurlex, [CONSOLIDATED]), (formex, FORMEX), (formex, FORMEX_CONSOLIDATED), (converted_eu, JSON_CONSOLIDATED), (converted_eu, MDR), (converted_eu, [SAMPLES / "gdpr.json"])]))  # fmt: skip
    files = as_files(*paths)
    index = data.draw(st.integers(0, len(files) - 1))
    name, content = files[index]
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + data.draw(st.sampled_from([1, 30, 5000])))))
    files[index] = (name, content[:start] + data.draw(st.sampled_from([b"", b"<p>", b"\xff\xfe", b"{", b"(i) "])) + content[end:])
    try:
        found = reader.read(files)
    except Unreadable:
        return
    for instrument in found:
        for p in instrument.provisions:
            assert 0 <= p.span.start <= p.span.end <= len(instrument.text)
            assert p.parent < 0 or instrument.provisions[p.parent].span.holds(p.span)


# ---- the real files ----------------------------------------------------------------------------------------------

AI_EN = ("corpus/eu-ai-act/aiact-oj-2024-en.eurlex.html",)
AI_DA = ("corpus/eu-ai-act/aiact-oj-2024-da.eurlex.html",)
AI_NL = ("corpus/eu-ai-act/aiact-oj-2024-nl.eurlex.html",)
AI_NL_CONSOLIDATED = ("corpus/eu-ai-act/aiact-consolidated-2024-07-12-nl.eurlex-clg.html",)
GDPR_EN = ("corpus/gdpr/gdpr-oj-2016-en.eurlex.html",)
GDPR_2016 = ("corpus/gdpr/gdpr-oj-2016-en.eurlex-2016layout.html",)
GDPR_DA = ("corpus/gdpr/gdpr-oj-2016-da.eurlex.html",)
GDPR_JSON = ("corpus/gdpr/gdpr-en.gdprtext.json",)
AI_FORMEX = ("corpus/eu-ai-act/oj-2024-formex", "*.xml")
AI_ZIP = ("corpus/eu-ai-act/oj-2024-formex/L_202401689EN.fmx4.zip",)
AI_JSON = ("corpus/eu-ai-act/consolidated-2026-07-27-en-json", "*.json")
MDR_MD = ("corpus/other/mdr-2017-745-md", "*")

Source = tuple[str, ...]


def real(shared: Shared, source: Source) -> Instrument:
    path = shared(source[0])
    return one(*(sorted(path.glob(source[1])) if len(source) > 1 else [path]))


COUNTS = [
    (GDPR_EN, "gdpr", "2016-05-04", {"article": 99, "recital": 173}),
    (GDPR_DA, "gdpr", "2016-05-04.da", {"article": 99, "recital": 173}),
    (GDPR_2016, "gdpr", "2016-05-04", {"article": 99, "recital": 173}),
    (GDPR_JSON, "gdpr", "2016-05-04", {"article": 99, "recital": 173}),
    (AI_EN, "eu-ai-act", "2024-07-12", {"article": 113, "recital": 180, "annex": 13}),
    (AI_DA, "eu-ai-act", "2024-07-12.da", {"article": 113, "recital": 180, "annex": 13}),
    (AI_NL, "eu-ai-act", "2024-07-12.nl", {"article": 113, "recital": 180, "annex": 13}),
    (AI_NL_CONSOLIDATED, "eu-ai-act", "2024-07-12.nl", {"article": 113, "recital": None, "annex": 13}),
    (AI_FORMEX, "eu-ai-act", "2024-07-12", {"article": 113, "recital": 180, "annex": 13}),
    (AI_ZIP, "eu-ai-act", "2024-07-12", {"article": 113, "recital": 180, "annex": 13}),
    (AI_JSON, "eu-ai-act", "2026-07-27", {"article": 119, "recital": None, "annex": 14}),
    (MDR_MD, "mdr", "2017-05-05", {"article": 123, "recital": 101, "annex": 17}),
]  # fmt: skip
NAMES = [row[0][0].rsplit("/", 1)[-1] for row in COUNTS]


@pytest.mark.parametrize(("source", "act", "version", "counts"), COUNTS, ids=NAMES)
def test_every_article_recital_and_annex_is_there(shared: Shared, source: Source, act: str, version: str, counts: dict[str, int | None]) -> None:
    instrument = real(shared, source)
    assert (instrument.id, instrument.version) == (act, version)
    assert {kind: instrument.counts().get(kind) for kind in counts} == counts
    numbers = [p.pinpoint.path for p in instrument.provisions if p.kind == "article"]
    assert [f"art-{n}" for n in range(1, len(numbers) + 1)] == numbers or "art-4a" in numbers
    check_laws(instrument)


ADDRESSES = [  # source, address, how it begins, how it ends
    (AI_EN, "art-3(14)", "(14) ‘safety component’ means a component of a product", "endangers the health and safety of persons or property;"),
    (AI_EN, "art-5(1)(h)(iii)", "(iii) the localisation or identification of a person", "at least four years."),
    (AI_EN, "art-10(2)(f)", "(f) examination in view of possible biases", "future operations;"),
    (AI_EN, "art-13(3)(b)(ii)", "(ii) the level of accuracy, including its metrics,", "cybersecurity;"),
    (AI_EN, "art-51(2)", "2. A general-purpose AI model shall be presumed", "is greater than 10^25."),
    (AI_EN, "annex-i(11)", "11. Regulation (EU) 2017/745", "(OJ L 117, 5.5.2017, p. 1);"),
    (AI_EN, "annex-ii(#3)", "— sexual exploitation of children", "child pornography,"),
    (AI_EN, "annex-iii(5)(d)", "(d) AI systems intended to evaluate and classify emergency calls", "triage systems."),
    (AI_EN, "annex-iv(2)(d)", "(d) where relevant, the data requirements", "(e.g. outliers detection);"),
    (AI_EN, "annex-vii(3.1)(a)", "(a) the name and address of the provider", "their name and address;"),
    (AI_EN, "annex-viii-a(1)", "1. The name, address and contact details of the provider;", ";"),
    (AI_EN, "annex-viii-c(5)", "5. A summary of the data protection impact assessment", "where applicable."),
    (AI_EN, "annex-x(1)(b)", "(b) Regulation (EU) 2018/1861", "p. 14)."),
    (AI_EN, "annex-xi-1(1)(a)", "(a) the tasks that the model is intended to perform", "integrated;"),
    (AI_EN, "ch-3-sec-2", "SECTION 2\nRequirements for high-risk AI systems\nArticle 8", "."),
    (AI_EN, "rec-180", "(180) The European Data Protection Supervisor", "18 June 2021,"),
    (GDPR_EN, "art-4(15)", "(15) ‘data concerning health’ means", "health status;"),
    (GDPR_EN, "art-6(1)", "1. Processing shall be lawful only if", "authorities in the performance of their tasks."),
    (GDPR_EN, "art-9(2)(j)", "(j) processing is necessary for archiving purposes", "interests of the data subject."),
    (GDPR_EN, "art-35(7)(a)", "(a) a systematic description", "the controller;"),
    (GDPR_EN, "ch-4-sec-3", "Section 3\nData protection impact assessment", "."),
    (GDPR_DA, "art-4(15)", "15) »helbredsoplysninger«:", "helbredstilstand"),
    (AI_DA, "art-13(3)(b)(ii)", "ii) det niveau af nøjagtighed", "robusthed og cybersikkerhed"),
    (AI_NL, "art-73(10)", "11. Voor AI-systemen met een hoog risico die veiligheidscomponenten van apparaten zijn", "."),
    (AI_NL, "art-73(11)", "11. De nationale bevoegde autoriteiten stellen de Commissie", "."),
    (AI_NL_CONSOLIDATED, "art-73(10)", "10. Voor AI-systemen met een hoog risico die veiligheidscomponenten", "."),
    (AI_FORMEX, "annex-iii(5)(d)", "(d) AI systems intended to evaluate and classify emergency calls", "triage systems."),
    (AI_JSON, "art-4a(1)(a)", "(a) ", ";"),
    (AI_JSON, "art-5(1)(ba)", "(ba) ", ";"),
    (AI_JSON, "art-113(c)(ii)", "(ii) 2 August 2028", ";"),
    (AI_JSON, "annex-iii(5)(d)", "(d) AI systems intended to evaluate and classify emergency calls", "triage systems."),
    (AI_JSON, "annex-iv(2)(d)", "(d) where relevant, the data requirements", "(e.g. outliers detection);"),
    (AI_JSON, "annex-i(21)", "21. Regulation (EU) 2023/1230", "."),
    (MDR_MD, "annex-viii(rule-11)", "6.3. Rule 11\nSoftware intended to provide information", "All other software is classified as class I."),
    (MDR_MD, "annex-i(17.2)", "17.2. For devices that incorporate software", "verification and validation."),
    (MDR_MD, "annex-i(10.4.1)(a)", "(a) substances which are carcinogenic", "(1), or"),
    (MDR_MD, "art-2(1)(#1)", "— diagnosis, prevention, monitoring", "disease,"),
    (MDR_MD, "art-10(2)", "2. Manufacturers shall establish, document, implement and maintain a system for risk management", "Annex I."),
]  # fmt: skip


@pytest.mark.parametrize(("source", "path", "begins", "ends"), ADDRESSES, ids=[f"{row[0][0].rsplit('/', 1)[-1][:24]}-{row[1]}" for row in ADDRESSES])
def test_the_words_at_an_address(shared: Shared, source: Source, path: str, begins: str, ends: str) -> None:
    instrument = real(shared, source)
    (text,) = [p.span.of(instrument.text) for p in instrument.provisions if p.pinpoint.path == path]
    assert text.startswith(begins), text[:120]
    assert text.endswith(ends), text[-120:]


@pytest.mark.parametrize(("first", "second"), [(AI_EN, AI_DA), (AI_EN, AI_NL), (AI_EN, AI_FORMEX), (GDPR_EN, GDPR_DA), (GDPR_EN, GDPR_2016)])
def test_the_same_act_has_the_same_addresses_in_every_language_and_format(shared: Shared, first: Source, second: Source) -> None:
    a, b = real(shared, first), real(shared, second)
    assert [(p.pinpoint, p.kind, p.parent) for p in a.provisions] == [(p.pinpoint, p.kind, p.parent) for p in b.provisions]


def differing(a: Instrument, b: Instrument) -> set[str]:
    """The addresses of leaves, articles and recitals whose words differ."""
    first, second = words(a), words(b)
    return {address.partition(":")[2] for address in first if address in second and first[address] != second[address]}


def test_the_2016_layout_has_the_same_words_as_the_current(shared: Shared) -> None:
    assert words(real(shared, GDPR_2016)) == words(real(shared, GDPR_EN))


def test_formex_and_html_of_the_ai_act_differ_only_in_notes_that_the_html_lacks(shared: Shared) -> None:
    """In Articles 102 to 109 the inserted words carry a footnote; the page prints it in Article 108(1) alone, with a stray quotation mark."""
    html, xml = real(shared, AI_EN), real(shared, AI_FORMEX)
    printed, marked_up = words(html), words(xml)
    assert differing(html, xml) == {"ch-13", *[f"art-{n}" for n in range(102, 110)], "art-108(1)"}
    note = re.compile(r" \(\*\) Regulation \(EU\) 2024/1689 of the European Parliament.*?/oj\)[.;'\"]*", re.S)
    for address in ("eu-ai-act:art-102", "eu-ai-act:art-105", "eu-ai-act:art-109", "eu-ai-act:art-108(1)"):
        assert note.sub("", printed[address]) == note.sub("", marked_up[address])
    assert real(shared, AI_ZIP).text == xml.text


def test_dutch_consolidated_and_published_differ_where_the_corrigenda_do(shared: Shared) -> None:
    """Consolidated pages number footnotes anew and hold two corrigenda; every other difference would be ours."""
    published, consolidated = real(shared, AI_NL), real(shared, AI_NL_CONSOLIDATED)
    gone = {p.pinpoint.path for p in published.provisions} - {p.pinpoint.path for p in consolidated.provisions}
    assert gone == {"preamble", *[f"rec-{n}" for n in range(1, 181)]}
    assert ("eu-ai-act:art-73(10)", "▼C2 32024R1689R(04): RENUMBERED") in consolidated.marks
    assert any(mark[0] == "changed-by" and "L 90343, 4.5.2026" in mark[1] for mark in consolidated.marks)
    changed = differing(published, consolidated) & {a.partition(":")[2] for a in leaves(published)}
    assert changed == {"art-73(10)", *NOTED}
    call = re.compile(r" \(\*?\d*\)")
    texts = [words(published), words(consolidated)]
    for path in NOTED:
        as_published, as_consolidated = (call.sub("", text[f"eu-ai-act:{path}"]) for text in texts)
        assert as_published == as_consolidated or (path == "art-108(1)" and as_published.startswith(as_consolidated))


NOTED = {"art-78(1)(a)", "art-108(1)", "art-110", *[f"art-{n}" for n in (102, 103, 104, 105, 106, 107, 109)]}


def test_json_and_html_of_the_gdpr_differ_in_one_recital(shared: Shared) -> None:
    """The conversion says "and prevent" in recital 71 where the page says "and that prevents"; it has no preamble before the recitals."""
    html, converted = real(shared, GDPR_EN), real(shared, GDPR_JSON)
    assert set(words(html)) - set(words(converted)) == {"gdpr:preamble"}
    assert not set(words(converted)) - set(words(html))
    assert {a for a in differing(html, converted) if f"gdpr:{a}" in leaves(html)} == {"rec-71"}


def test_json_of_the_act_in_force_holds_every_provision_that_was_not_deleted(shared: Shared) -> None:
    before, after = real(shared, AI_EN), real(shared, AI_JSON)
    gone = {p.pinpoint.path for p in before.provisions if not p.pinpoint.path.startswith(("rec-", "preamble"))} - {p.pinpoint.path for p in after.provisions}
    assert gone == DELETED_2026
    marked = {address.partition(":")[2] for address, _ in after.marks}
    changed = differing(before, after) & {a.partition(":")[2] for a in leaves(before)}
    unmarked = {path for path in changed if path.partition("(")[0] not in marked}
    assert unmarked == JSON_ODDITIES


# What Regulation (EU) 2026/1744 took away, and where the conversion differs without a change of law: it glues the last
# words of a point in Annex XI to the list before, mends a missing space in Annex VIII, and loses semicolons of Article 108.
DELETED_2026 = {"art-10(5)", *[f"art-10(5)({c})" for c in "abcdef"], "annex-i(1)", "annex-viii-b(7)", "annex-viii-b(9)"}
JSON_ODDITIES = {"annex-viii-b(6)", "annex-xi-1(2)(e)", *[f"art-108({n})" for n in range(1, 6)]}


# ---- no loss -----------------------------------------------------------------------------------------------------

AROUND = {
    "oj-note", "note", "footnote", "oj-hd-date", "oj-hd-lg", "oj-hd-ti", "oj-hd-oj", "oj-hd-coll", "oj-hd-uniq", "hd-date", "hd-lg", "hd-ti", "hd-oj",
    "oj-final", "final", "oj-signatory", "signatory", "modref", "arrow",
}  # fmt: skip
TITLES = {"oj-doc-ti", "doc-ti", "title-doc-first", "title-doc-last"}


def page_words(path: Path) -> Iterator[str]:
    """The normative words of a page, node by node: without chrome, footnotes, marks, the act's title and its final words."""
    page: Any = lxml.html.document_fromstring(path.read_bytes(), parser=lxml.html.HTMLParser(encoding="utf-8"))
    parts = page.xpath("//div[contains(concat(' ', @class, ' '), ' eli-container ')]") or [page.find("body")]
    at_front = True
    for text in (text for part in parts for text in part.xpath(".//text()[not(parent::script or parent::style)]")):
        holder = text.getparent().getparent() if text.is_tail else text.getparent()
        classes = {name for element in [holder, *holder.iterancestors()] for name in (element.get("class") or "").split()}
        at_front = at_front and not classes & {"oj-normal", "normal", "title-division-1"}
        if not classes & ((AROUND | TITLES) if at_front else AROUND) and (bare := re.sub(r"►M1|[\s►◄]", "", text)):
            yield bare


def formex_words(paths: Sequence[Path]) -> Iterator[str]:
    roots: dict[str, Any] = {path.name: etree.parse(path).getroot() for path in paths if ".doc." not in path.name and ".toc." not in path.name}
    for name in sorted(roots):
        for text in roots[name].xpath("//text()[not(ancestor::BIB.INSTANCE or ancestor::NOTE or ancestor::FINAL or ancestor::TITLE[parent::ACT])]"):
            yield re.sub(r"\s+", "", text)


def markdown_words(paths: Sequence[Path]) -> Iterator[str]:
    for path in paths:
        if path.suffix == ".md":
            body = path.read_text("utf8").partition("\n---\n")[2].partition("\n---\n")[0]
            yield from (re.sub(r"[\s#]+|(?<!\()\*+", "", line) for line in body.splitlines() if not line.lstrip().startswith("|"))


def json_words(paths: Sequence[Path]) -> Iterator[str]:
    import json

    for path in paths:
        for row in json.loads(path.read_text("utf8")):
            yield from (re.sub(r"\s+", "", text) for text in row["paragraphs"])


def coverage(instrument: Instrument, source: Iterator[str], ordered: bool = True) -> tuple[float, list[str]]:
    """The share of the source's characters found, in order, in provisions; and the pieces that were not."""
    held = re.sub(r"\s+|\^", "", "".join(p.span.of(instrument.text) for p in instrument.provisions if p.parent < 0))
    found = total = at = 0
    missing = []
    for piece in source:
        total += len(piece)
        place = held.find(piece, at, at + len(piece) + 4000) if ordered else held.find(piece)
        if piece and place < 0:
            missing.append(piece)
        else:
            found += len(piece)
            at = place + len(piece) if ordered else at
    return found / total, missing


@pytest.mark.parametrize(
    "source", [AI_EN, AI_DA, AI_NL, AI_NL_CONSOLIDATED, GDPR_EN, GDPR_DA, GDPR_2016, AI_FORMEX, MDR_MD, AI_JSON], ids=lambda s: s[0].rsplit("/", 1)[-1]
)
def test_nothing_is_lost(shared: Shared, source: Source) -> None:
    path = shared(source[0])
    files = sorted(path.glob(source[1])) if len(source) > 1 else [path]
    words_of: dict[Source, Callable[[Sequence[Path]], Iterator[str]]] = {AI_FORMEX: formex_words, MDR_MD: markdown_words, AI_JSON: json_words}
    pieces = words_of[source](files) if source in words_of else page_words(files[0])
    share, missing = coverage(real(shared, source), pieces, ordered=source not in (AI_FORMEX, MDR_MD, AI_JSON))
    assert share >= 0.995, (share, missing[:10])


@pytest.mark.parametrize("paths", [[CURRENT], [LAYOUT_2016], [CONSOLIDATED]], ids=["current", "2016", "consolidated"])
def test_nothing_is_lost_of_the_samples(paths: list[Path]) -> None:
    share, missing = coverage(one_of(paths), page_words(paths[0]))
    assert share == 1.0, missing


@pytest.mark.parametrize("source", [AI_EN, AI_DA, AI_NL, GDPR_EN, GDPR_DA, GDPR_2016, AI_NL_CONSOLIDATED], ids=lambda s: s[0].rsplit("/", 1)[-1])
def test_what_is_left_over_is_title_final_words_and_footnotes(shared: Shared, source: Source) -> None:
    left = outside(real(shared, source))
    assert 3 <= sum(not line.startswith("(") for line in left) <= 13, left[:14]
    assert all(re.match(r"\( ?\*?\d* ?\)", line) for line in left[13:])


# ---- the sequence of numbers against pages whose structure is known -----------------------------------------------


def flattened(lines: Sequence[Line]) -> list[Line]:
    """The lines of a page with every depth in its articles and annexes forgotten and found again."""
    out: list[Line] = []
    held: list[Printed] = []
    inside = False
    for line in lines:
        inside = inside or line.kind in ("article", "annex")
        numbered = line.kind == "group" and line.words[:1].isdigit()
        if inside and (line.kind in ("point", "words") or numbered):
            held.append(Printed(f"{line.label} {line.words}".strip(), title=numbered))
            continue
        if line.kind in ("division", "article", "annex", "final", "group"):
            out += flat.lines(held)
            held = []
        inside = inside and line.kind != "final"
        out.append(line)
    return [*out, *flat.lines(held)]


@pytest.mark.parametrize(
    ("source", "act"),
    [(AI_EN, "eu-ai-act"), (AI_DA, "eu-ai-act"), (GDPR_EN, "gdpr"), (GDPR_DA, "gdpr")],
    ids=lambda s: s if isinstance(s, str) else s[0].rsplit("/", 1)[-1],
)
def test_depth_is_found_again_from_the_numbers_alone(shared: Shared, source: Source, act: str) -> None:
    page: Any = lxml.html.document_fromstring(shared(source[0]).read_bytes(), parser=lxml.html.HTMLParser(encoding="utf-8"))
    lines = list(eurlex._Page(page).lines())
    known, guessed = euact.build(act, lines), euact.build(act, flattened(lines))
    assert {p.pinpoint: same_words(p.span.of(known.text)) for p in known.provisions} == {
        p.pinpoint: same_words(p.span.of(guessed.text)) for p in guessed.provisions
    }


# ---- the sequence of numbers in what was read --------------------------------------------------------------------

GAPS: dict[Source, set[tuple[str, str]]] = {  # what stands before a gap, and after it; every other list counts on without one
    AI_JSON: {("art-10(4)", "art-10(6)"), ("annex-viii-b(6)", "annex-viii-b(8)")},
}


@pytest.mark.parametrize(
    "source", [AI_EN, AI_DA, AI_NL, AI_NL_CONSOLIDATED, AI_JSON, GDPR_EN, GDPR_DA, GDPR_JSON, MDR_MD], ids=lambda s: s[0].rsplit("/", 1)[-1]
)
def test_the_numbers_of_every_list_follow_each_other(shared: Shared, source: Source) -> None:
    instrument = real(shared, source)
    children: dict[int, list[Pinpoint]] = {}
    for p in instrument.provisions:
        if p.kind in ("paragraph", "point", "definition") and not p.label.startswith("—") and "." not in p.label[:-1]:
            children.setdefault(p.parent, []).append(p.pinpoint)
    gaps = set()
    for siblings in children.values():
        for before, after in pairwise(siblings):
            readings = [flat._readings(f"({p.steps[-1]})") for p in (before, after)]
            if not any(b.style == a.style and flat._follows(a.value, b.value) for b in readings[0] for a in readings[1]):
                gaps.add((before.path, after.path))
    assert gaps == GAPS.get(source, set())
    assert sum(len(siblings) for siblings in children.values()) > 700


# ---- refusals and speed ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("corpus/eu-ai-act/aiact-ep-amendments-2023-06-14-en.eurlex-page.html", "proposal"),
        ("corpus/eu-ai-act/aiact-oj-2024-en.converted.md", "lossy-conversion"),
    ],
)
def test_real_files_that_are_not_the_law_are_refused(shared: Shared, path: str, code: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(shared(path))
    assert caught.value.code == code


def test_no_other_file_of_the_corpus_is_taken_for_a_european_act(shared: Shared) -> None:
    corpus = shared("corpus")
    taken = {
        str(p.relative_to(corpus)) for p in corpus.rglob("*") if p.is_file() and recognise(p.name, p.read_bytes()[:HEAD]) in (eurlex, formex, converted_eu)
    }
    assert all(t.startswith(("eu-ai-act/aiact-", "eu-ai-act/oj-2024-formex/", "eu-ai-act/consolidated-", "gdpr/gdpr-", "other/mdr-")) for t in taken)
    assert len(taken) == 6 + 17 + 2 + 4 + 143


def test_the_ai_act_is_read_within_two_seconds(shared: Shared) -> None:
    files = [(AI_EN[0], shared(AI_EN[0]).read_bytes())]
    begun = time.perf_counter()
    eurlex.read(files)
    assert time.perf_counter() - begun < 2
