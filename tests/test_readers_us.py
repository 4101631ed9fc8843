"""The readers of US and Indian formats and of agency guidance: made-up samples of each format, and the official files beside the clone.

The samples are about keeping lanterns. Gazette, eCFR and guidance PDFs are drawn here with reportlab.
"""

import io
import re
import time
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen import canvas

from assistant import pdf
from assistant.errors import Unreadable
from assistant.law import Instrument
from assistant.pinpoint import KNOWN, Pinpoint
from assistant.readers import READERS, cfr, cfr_markdown, ecfr, eu_guidelines, guidance, guidance_markdown, pdfs, plain, recognise
from assistant.readers.cfr import CFR, INDIA, US_CODE, Label, solve
from assistant.verify import normalise

Shared = Callable[[str], Path]
SAMPLES = Path(__file__).parent / "samples" / "us"


@lru_cache(maxsize=64)
def read(path: Path) -> list[Instrument]:
    """What the reader that recognises a file makes of it."""
    data = path.read_bytes()
    reader = recognise(path.name, data[:65536])
    assert reader is not None, f"no reader knows {path.name}"
    return reader.read([(path.name, data)])


def words_at(instrument: Instrument) -> dict[str, str]:
    return {p.pinpoint.address: normalise(p.span.of(instrument.text)) for p in instrument.provisions}


def count(instrument: Instrument, kind: str) -> int:
    return instrument.counts().get(kind, 0)


def is_sound(instrument: Instrument) -> None:
    """Every span slices back, begins with its label or its heading, lies in its parent, has its own address that parses."""
    seen: set[str] = set()
    for p in instrument.provisions:
        words = p.span.of(instrument.text)
        assert words == words.strip() and words, p.pinpoint.address
        assert p.pinpoint.address not in seen
        seen.add(p.pinpoint.address)
        if p.parent >= 0:
            assert instrument.provisions[p.parent].span.holds(p.span), p.pinpoint.address
        if p.label and p.kind not in ("section", "container"):
            assert words.startswith(p.label) or p.label in words[: len(p.heading) + len(p.label) + 3], (p.pinpoint.address, p.label, words[:60])
        if p.pinpoint.instrument in KNOWN:
            assert Pinpoint.parse(p.pinpoint.address) == p.pinpoint
    siblings: dict[int, int] = {}
    for p in instrument.provisions:  # siblings follow one another and do not overlap
        assert p.span.start >= siblings.get(p.parent, 0)
        siblings[p.parent] = p.span.end


def gaps(instrument: Instrument) -> list[str]:
    """Provisions whose numbered children are no unbroken sequence: where a label may have been misplaced."""
    children: dict[int, list[str]] = {}
    for p in instrument.provisions:
        if step := re.search(r"\(([^()]+)\)$", p.pinpoint.path):
            children.setdefault(p.parent, []).append(step[1])
    found = []
    for parent, names in children.items():
        styles = [[cfr.values(n.upper() if style.isupper() else n, style) for n in names] for style in ("a", "1", "i", "A", "I", "aa")]
        if list(range(1, len(names) + 1)) not in styles:
            found.append(f"{instrument.provisions[parent].pinpoint.address}: {' '.join(names)}")
    return found


# ---- the solver of flat labels -----------------------------------------------------------------------------------


def paths(text: str, scheme: tuple[str, ...] = CFR) -> str:
    """Labels as printed, "a 1 i ii b", to the paths they are given; a label in italics is written *1, words that open a list end in a colon: "a:"."""
    labels, opened = [], False
    for name in text.split():
        labels.append(Label(name.strip("*:"), name.startswith("*"), opened=opened))
        opened = name.endswith(":")
    stack: list[tuple[int, str]] = []
    out = []
    for label, level in zip(labels, solve(labels, scheme), strict=True):
        if level >= 0:
            stack = [*[entry for entry in stack if entry[0] < level], (level, label.name)]
        out.append("-" if level < 0 else "".join(name for _, name in stack))
    return " ".join(out)


HARD = [  # (what it shows, labels, the paths they get)
    ("letters only", "a b c", "a b c"),
    ("numbers below a letter", "a 1 2 b 1", "a a1 a2 b b1"),
    ("all four levels and back", "a 1 i A B ii 2 b", "a a1 a1i a1iA a1iB a1ii a2 b"),
    ("i after h is a letter when j follows", "g h i j", "g h i j"),
    ("i after (h)(1) is roman when ii follows", "a b c d e f g h 1: i ii 2 i: 1 2", "a b c d e f g h h1 h1i h1ii h2 i i1 i2"),
    ("i after (h)(2) is the letter when (1) and j follow", "a b c d e f g h 1 2 i 1 2 j", "a b c d e f g h h1 h2 i i1 i2 j"),
    ("v after iv is roman", "a 1 i ii iii iv v vi 2", "a a1 a1i a1ii a1iii a1iv a1v a1vi a2"),
    ("v after u is a letter", "a b c d e f g h i j k l m n o p q r s t u v w", "a b c d e f g h i j k l m n o p q r s t u v w"),
    ("x after w is a letter, x after ix roman", "v w x y", "v w x y"),
    ("I after H at the capital level", "a 1 i A B C D E F G H I J ii", "a a1 a1i a1iA a1iB a1iC a1iD a1iE a1iF a1iG a1iH a1iI a1iJ a1ii"),
    ("C after B is a letter, not a hundred", "a 1 i A B C", "a a1 a1i a1iA a1iB a1iC"),
    ("doubled letters after z", "x y z aa bb", "x y z aa bb"),
    ("italic figures are the fifth level", "a 1 i A *1 *2 B ii", "a a1 a1i a1iA a1iA1 a1iA2 a1iB a1ii"),
    ("figures without italics below a capital, when they go on there", "a 1 i A: 1 2 B 2 b", "a a1 a1i a1iA a1iA1 a1iA2 a1iB a2 b"),
    ("a section that begins with figures", "1 2 3", "1 2 3"),
    ("a reserved paragraph left out", "a b e f", "a b e f"),
    ("a label that fits nowhere is none", "a 1 Z 2 b", "a a1 - a2 b"),
]  # fmt: skip


@pytest.mark.parametrize(("labels", "expected"), [(a, b) for _, a, b in HARD], ids=[name for name, _, _ in HARD])
def test_flat_labels_are_placed_by_sequence_and_depth(labels: str, expected: str) -> None:
    assert paths(labels) == expected


@pytest.mark.parametrize(
    ("scheme", "labels", "expected"),
    [
        (US_CODE, "a 1 A B i ii I II C 2 b", "a a1 a1A a1B a1Bi a1Bii a1BiiI a1BiiII a1C a2 b"),
        (US_CODE, "a b c d e f g h 1 A i ii B 2 i 1 2 j", "a b c d e f g h h1 h1A h1Ai h1Aii h1B h2 i i1 i2 j"),
        (INDIA, "1 2 a b i ii 3", "1 2 2a 2b 2bi 2bii 3"),
        (INDIA, "1 " + " ".join("abcdefghijklmnopqrstuvwxyz") + " za zb 2", "1 " + " ".join(f"1{c}" for c in "abcdefghijklmnopqrstuvwxyz") + " 1za 1zb 2"),
        (INDIA, "a b c d e f g h i j i ii k", "a b c d e f g h i j ji jii k"),
    ],
)
def test_other_laws_have_their_own_order_of_levels(scheme: tuple[str, ...], labels: str, expected: str) -> None:
    assert paths(labels, scheme) == expected


LETTERS = [*"abcdefghijklmnopqrstuvwxyz"]
ROMANS = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"]
NAMES = [LETTERS, [str(n) for n in range(1, 30)], ROMANS, [*"ABCDEFGHIJKLMNOPQRSTUVWXYZ"]]


@st.composite
def numbered(draw: st.DrawFn, depth: int = 0) -> list[tuple[str, str, bool]]:
    """A made-up section as (label, path, opens a list) in reading order; a list has at least two items, as in the Code."""
    out: list[tuple[str, str, bool]] = []
    for name in NAMES[depth][: draw(st.integers(2, 10 if depth == 0 else 4))]:
        inner = draw(numbered(depth + 1)) if depth < 3 and draw(st.integers(0, 3)) == 0 else []
        out.append((name, name, bool(inner)))
        out += [(label, name + path, opens) for label, path, opens in inner]
    return out


@given(numbered())
@settings(max_examples=150, deadline=None)
def test_any_numbered_section_is_solved_back(section: list[tuple[str, str, bool]]) -> None:
    labels = " ".join(f"{name}:" if opens else name for name, _, opens in section)
    assert paths(labels) == " ".join(path for _, path, _ in section)


@given(st.lists(st.sampled_from([*"abiIA12", "ii", "v", "zz", "C"]), max_size=30))
@settings(max_examples=100, deadline=None)
def test_any_labels_at_all_get_one_level_each(names: list[str]) -> None:
    assert len(solve([Label(n) for n in names])) == len(names)


@pytest.mark.parametrize(
    ("printed", "pieces"),
    [
        ("(a) Plain words.", [("(a)", "(a) Plain words.", "")]),
        ("(a)(1)(i) Three at once.", [("(a)", "(a)", ""), ("(1)", "(1)", ""), ("(i)", "(i) Three at once.", "")]),
        ("(a) <General.> (1) Each.", [("(a)", "(a) General.", "General"), ("(1)", "(1) Each.", "")]),
        ("(a) <Standard: Notice>—(1) <Right.> Words.", [("(a)", "(a) Standard: Notice—", "Standard: Notice"), ("(1)", "(1) Right. Words.", "Right")]),
        ("(b)–(d) [Reserved]", [("(b)–(d)", "(b)–(d) [Reserved]", "")]),
        ("(a) <Act> means the Act.", [("(a)", "(a) Act means the Act.", "Act")]),
        ("(b) “Board” means the board.", [("(b)", "(b) “Board” means the board.", "Board")]),
        ("<Keeper> means a person.", [("", "Keeper means a person.", "Keeper")]),
        ("<Marketing:> (1) Except so.", [("", "Marketing:", "Marketing"), ("(1)", "(1) Except so.", "")]),
        ("(See the table.) Words.", [("", "(See the table.) Words.", "")]),
        ("(in) feet", [("", "(in) feet", "")]),
        ("$(<1>) The sun.", [("(1)", "(1) The sun.", "")]),
    ],
)
def test_a_paragraph_is_cut_at_its_labels(printed: str, pieces: list[tuple[str, str, str]]) -> None:
    marked = printed.replace("<", cfr.ON).replace(">", cfr.OFF)
    assert [(p.label, p.words, p.heading) for p in cfr.pieces(marked, False, "Marketing" in printed)] == pieces


# ---- eCFR and govinfo: one made-up part in four formats ------------------------------------------------------------

PART = {
    "fda:21cfr-999": "container", "fda:21cfr-999-subpart-a": "container", "fda:21cfr-999.3": "section", "fda:21cfr-999.3/keeper": "definition",
    "fda:21cfr-999.3/keeper(1)": "point", "fda:21cfr-999.3/keeper(2)": "point", "fda:21cfr-999.3/keeper(2)(i)": "point", "fda:21cfr-999.3/keeper(2)(ii)": "point",
    "fda:21cfr-999.3/oil": "definition", "fda:21cfr-999-subpart-b": "container", "fda:21cfr-999.10": "section", "fda:21cfr-999.10(a)": "paragraph",
    "fda:21cfr-999.10(b)": "paragraph", "fda:21cfr-999.10(b)(1)": "point", "fda:21cfr-999.10(b)(1)(i)": "point", "fda:21cfr-999.10(b)(1)(i)(A)": "point",
    "fda:21cfr-999.10(b)(1)(i)(B)": "point", "fda:21cfr-999.10(b)(1)(i)(B)(1)": "point", "fda:21cfr-999.10(b)(1)(i)(B)(2)": "point",
    "fda:21cfr-999.10(b)(1)(ii)": "point", "fda:21cfr-999.10(b)(2)": "point", "fda:21cfr-999.10(c)": "paragraph", "fda:21cfr-999.10(f)": "paragraph", "fda:21cfr-999.12": "section",
}  # fmt: skip
APPENDIX = "fda:21cfr-999-subpart-b-app-a"
FORMS = ["part-999.web.html", "title-21-part-999.xml", "CFR-2024-title21-part999.xml"]


@pytest.mark.parametrize("name", FORMS)
def test_a_part_reads_the_same_from_page_ecfr_xml_and_govinfo_xml(name: str) -> None:
    [one] = read(SAMPLES / name)
    is_sound(one)
    assert (one.id, one.work, one.version, one.provenance, one.kind) == ("fda", "21cfr-999", "2024-03-05", "original", "cfr-part")
    assert {p.pinpoint.address: p.kind for p in one.provisions} == {**PART, APPENDIX: "annex"}
    [page] = read(SAMPLES / FORMS[0])
    assert words_at(one) == words_at(page)


def test_what_a_made_up_part_says_and_where() -> None:
    [one] = read(SAMPLES / FORMS[0])
    by = {p.pinpoint.address: p for p in one.provisions}
    assert by["fda:21cfr-999.10"].label == "§ 999.10" and by["fda:21cfr-999.10"].heading == "What a keeper does."
    assert by["fda:21cfr-999.10(b)(1)"].heading == "Filling"
    assert by["fda:21cfr-999.3/keeper"].heading == "Keeper"
    assert by["fda:21cfr-999.10(b)(1)(i)(B)(2)"].span.of(one.text) == "(2) No fog lies."
    assert "[70 FR 1" not in by["fda:21cfr-999.3"].span.of(one.text), "the history of amendments is no law"
    assert "[70 FR 1" in one.text and "Authority" in by["fda:21cfr-999"].span.of(one.text)
    assert "no law" not in one.text, "the site's own words stay out"
    assert "North | Flat" in by["fda:21cfr-999.10"].span.of(one.text)


def test_the_markdown_of_a_part_agrees_and_keeps_editions_apart() -> None:
    now, coming = read(SAMPLES / "part-999.md")
    for one in (now, coming):
        is_sound(one)
        assert one.provenance == "converted" and one.work == "21cfr-999"
    assert (now.version, coming.version) == ("2024-04-01", "2025-07-01")
    later = "fda:21cfr-999.10/text-in-note"
    assert {p.pinpoint.address: p.kind for p in now.provisions if not p.pinpoint.address.startswith(later)} == PART
    [page] = read(SAMPLES / FORMS[0])
    theirs = words_at(page)
    ours = words_at(now)
    assert [a for a in PART if not a.endswith(("999", "-b")) and ours[a] != theirs[a]] == []
    assert ours[f"{later}(a)"] == "(a) The keeper shall rest."
    assert [p.pinpoint.address for p in coming.provisions] == ["fda:21cfr-999", "fda:21cfr-999.1", "fda:21cfr-999.1(a)"]


def test_a_section_of_the_act_has_the_acts_number_and_leaves_editors_notes_out() -> None:
    [one] = read(SAMPLES / "section-360zz.md")
    is_sound(one)
    assert (one.id, one.work, one.version, one.kind) == ("fda", "fdca-520", "2024-12-31", "statute")
    wanted = "(a) (a)(1) (a)(2) (a)(2)(a) (a)(2)(b) (a)(2)(b)(i) (a)(2)(b)(ii) (a)(2)(b)(ii)(i) (a)(2)(b)(ii)(ii) (b) (b)(1)"
    assert [p.pinpoint.path for p in one.provisions] == ["fdca-520", *(f"fdca-520{path}" for path in wanted.split())]
    assert "was worse" not in one.text and "as added long ago" in one.text
    assert "as added long ago" not in one.provisions[0].span.of(one.text)


CLOSING = """---
source:
  family: "STATUTE"
  source_file: "USCODE-2024-title21-chap9-subchapV.htm"
---
     # §360zz. Lanterns

   ## (a) In general

 (1) If a lantern is found—

   (A) out; or

   (B) without—

     (i) oil; or

     (ii) a wick,


 at sea, and no keeper is near;

   (C) upside down,


 the harbour shall be told.

 The harbour answers.

 (2) A keeper has these duties:

   (A) A lantern that—

     (i) smokes, or

     (ii) hisses,


 is to be put out.

 (3) A keeper sleeps.

   > Source: (June 25, 1938.)
21 U.S.C. 360zz
"""


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("(a)(1)(b)(ii)", "(ii) a wick,"),
        ("(a)(1)(b)", "(B) without—\n(i) oil; or\n(ii) a wick,\nat sea, and no keeper is near;"),
        ("(a)(1)(c)", "(C) upside down,"),
        ("(a)(2)(a)(ii)", "(ii) hisses,"),
        ("(a)(2)(a)", "(A) A lantern that—\n(i) smokes, or\n(ii) hisses,\nis to be put out."),
        ("(a)(3)", "(3) A keeper sleeps."),
    ],
)
def test_closing_words_of_a_list_belong_to_what_holds_it(address: str, says: str) -> None:
    [one] = cfr_markdown.read([("section-360zz.md", CLOSING.encode())])
    is_sound(one)
    words = {p.pinpoint.path: p.span.of(one.text) for p in one.provisions}
    assert words[f"usc-360zz{address}"] == says
    assert words["usc-360zz(a)(1)"].endswith("the harbour shall be told.\nThe harbour answers.")


# ---- PDF: drawn here -----------------------------------------------------------------------------------------------


def draw(pages: list[list[tuple[float, float, str, float, str]]], title: str = "") -> bytes:
    """A PDF from rows (x, y, font, size, words) page by page."""
    out = io.BytesIO()
    c = canvas.Canvas(out, pagesize=A4)
    c.setTitle(title)
    for rows in pages:
        for x, y, font, size, words in rows:
            c.setFont(font, size)
            c.drawString(x, y, words)
        c.showPage()
    c.save()
    return out.getvalue()


R, B, I = "Times-Roman", "Times-Bold", "Times-Italic"  # noqa: E741


def chunk(text: str, x: float) -> pdf.Chunk:
    return pdf.Chunk(text, x, 600.0, 10.0, False, False)


@pytest.mark.parametrize(
    ("text", "x", "parts"),
    [
        ("(C) plain", 300.0, [("(C) plain", 300.0)]),
        (" (C) only its space hangs before", 287.0, [("(C) only its space hangs before", 300.0)]),
        ("s (9) The time and place", 285.0, [("s ", 285.0), ("(9) The time and place", 300.0)]),  # the last letter of the left column's row
        ("left column's last words", 180.0, [("left column's last words", 180.0)]),
    ],
)
def test_a_run_of_text_over_a_columns_edge_goes_where_its_words_stand(text: str, x: float, parts: list[tuple[str, float]]) -> None:
    assert [(c.text, c.x) for c in pdf._parted(chunk(text, x), 296.0)] == parts


@pytest.mark.parametrize(
    ("drawn", "row"),
    [
        ([(2, "( t", 230.0), (1, "ii) It must state tha", 233.8)], "(ii) It must state that"),
        ([(2, "f  ", 230.0), (1, "or any use of health", 233.4)], "for any use of health "),
        ([(1, "(a) ", 72.0), (2, "Trimming.", 86.0)], "(a) Trimming."),
        ([(1, "the terms of a long line ", 72.0), (2, "lantern", 90.0)], "the terms of a long line lantern"),  # drawn in order: nothing is out of place
    ],
)
def test_words_drawn_apart_and_read_as_one_are_put_back(drawn: list[tuple[int, str, float]], row: str) -> None:
    assert "".join(c.text for c in pdf._unglued([(order, chunk(text, x)) for order, text, x in drawn])) == row


def test_a_page_laid_across_is_read_as_it_is_shown() -> None:
    out = io.BytesIO()
    c = canvas.Canvas(out, pagesize=A4)
    c.setPageRotation(90)
    c.rotate(90)
    for at, words in enumerate(["A lantern is lit", "at dusk and kept", "until the dawn."]):
        c.drawString(72, -100 - 14 * at, words)
    c.showPage()
    c.save()
    document = pdf.open_pdf(out.getvalue())
    assert [row.text for row in document.rows()] == ["A lantern is lit", "at dusk and kept", "until the dawn."]
    assert [round(side) for side in document.sizes[0]] == [595, 842], "the page that is drawn on its side is shown upright"
    assert [(round(row.x), round(row.y)) for row in document.rows()] == [(72, 742), (72, 728), (72, 714)]


def test_an_ecfr_pdf_reads_across_its_pages() -> None:
    def head(page: int) -> list[tuple[float, float, str, float, str]]:
        return [(36, 815, B, 9.4, "21 CFR Part 999 (up to date as of 3/05/2024)"), (36, 30, B, 9.4, f"21 CFR 999.10 (enhanced display) page {page} of 2")]

    one = [
        *head(1), (36, 760, R, 9, "This content is from the eCFR and is authoritative but unofficial."),
        (36, 740, B, 12, "Part 999 Lantern Keeping"), (66, 722, B, 12, "§ 999.10 What a keeper does."),
        (36, 690, B, 17.1, "PART 999—LANTERN KEEPING"), (36, 660, B, 12, "Subpart B—Duties"), (36, 636, B, 12, "§ 999.10 What a keeper does."),
        (60, 614, R, 10.5, "(a)"), (83, 614, I, 10.5, "Trimming."), (135, 614, R, 10.5, " The keeper shall trim the wick and"),
        (83, 600, R, 10.5, "shall keep it short."), (60, 578, R, 10.5, "(b)"), (84, 556, R, 10.5, "(1) The keeper shall fill the lantern to"),
    ]  # fmt: skip
    two = [*head(2), (107, 750, R, 10.5, "the brim."), (84, 728, R, 10.5, "(2) A spill is wiped up."), (36, 700, I, 9.6, "[70 FR 1, Jan. 3, 2005]")]
    [read_back] = pdfs.read([("a.pdf", draw([one, two]))])
    is_sound(read_back)
    assert (read_back.work, read_back.version, read_back.reader) == ("21cfr-999", "2024-03-05", "ecfr-pdf")
    words = words_at(read_back)
    assert words["fda:21cfr-999.10(a)"] == "(a) Trimming. The keeper shall trim the wick and shall keep it short."
    assert words["fda:21cfr-999.10(b)(1)"] == "(1) The keeper shall fill the lantern to the brim."
    assert words["fda:21cfr-999.10(b)(2)"] == "(2) A spill is wiped up."
    assert "page 1 of 2" not in read_back.text and read_back.text.count("§ 999.10") == 1


def gazette_act() -> bytes:
    front = [(145, 314, R, 12, "THE DIGITAL PERSONAL DATA PROTECTION ACT, 2023"), (254, 298, R, 12, "(NO. 22 OF 2023)"), (398, 285, R, 10, "[11th August, 2023.]"),
             (273, 250, R, 10, "CHAPTER I"), (272, 234, R, 10, "LANTERNS"),
             (485, 218, R, 8, "Lamps and"), (141, 216, B, 10, "1."), (155, 216, R, 10, "(1) A lamp shall burn—"), (485, 208, R, 8, "oil."),
             (165, 198, R, 10, "(a) by night; and"), (165, 180, R, 10, "(b) in fog."), (141, 162, R, 10, "Provided that thin fog does not count."),
             (141, 144, R, 10, "(2) A lamp is of brass.")]  # fmt: skip
    last = [(141, 740, B, 10, "2."), (155, 740, R, 10, "A keeper shall keep it."), (57, 739, R, 8, "Keeper."),
            (261, 700, R, 10, "THE SCHEDULE"), (259, 682, R, 10, "[See section 1 (1)]"), (130, 660, R, 10, "(1)"), (250, 660, R, 10, "(2)"), (420, 660, R, 10, "(3)"),
            (132, 636, R, 10, "1."), (165, 636, R, 10, "A lamp that is out at night"), (405, 636, R, 10, "Two crowns"), (165, 624, R, 10, "in the harbour."), (405, 624, R, 10, "and a day."),
            (132, 600, R, 10, "2."), (165, 600, R, 10, "A dirty lamp, a half"), (255, 600, R, 10, "-"), (259, 600, R, 10, "crown"), (405, 600, R, 10, "One crown."),
            (130, 672, R, 10, "Sl. No."), (240, 672, R, 10, "Breach"), (420, 672, R, 10, "Penalty"),
            (132, 570, R, 10, "3."), (165, 570, R, 10, "No lamp."), (405, 570, R, 10, "A ship")]  # fmt: skip
    return draw([front, last])


def test_a_gazette_act_takes_headings_from_the_margin_and_its_schedule_row_by_row() -> None:
    [one] = pdfs.read([("act.pdf", gazette_act())])
    is_sound(one)
    words = words_at(one)
    headings = {p.pinpoint.address: p.heading for p in one.provisions}
    assert one.version == "2023-08-11" and headings["dpdp:s-1"] == "Lamps and oil" and headings["dpdp:s-2"] == "Keeper"
    assert headings["dpdp:ch-1"] == "LANTERNS"
    assert words["dpdp:s-1(1)(b)"] == "(b) in fog."
    assert words["dpdp:s-1(1)"].endswith("Provided that thin fog does not count."), "a proviso belongs to what it limits"
    assert words["dpdp:sch(1)"] == "1. A lamp that is out at night in the harbour. | Two crowns and a day."
    assert words["dpdp:sch(2)"] == "2. A dirty lamp, a half-crown | One crown.", "a run of text within a cell begins no column"
    assert words["dpdp:sch"].startswith("THE SCHEDULE [See section 1 (1)] Sl. No. | Breach | Penalty (1) | (2) | (3) 1. A lamp")


def test_gazette_rules_print_their_headings_in_the_line() -> None:
    rows = [(60, 790, R, 11, "New Delhi, the 13th November, 2025"), (88, 760, R, 11, "G.S.R. 846(E).— Whereas lamps burn."),
            (60, 730, B, 11, "1. Short title. —"), (150, 730, R, 11, "(1) These rules may be called the Digital Personal Data Protection Rules, 2025."),
            (60, 708, R, 11, "(2) They begin at dusk."), (60, 690, B, 11, "2.Lamps in fog.—"), (150, 690, R, 11, "A lamp burns in fog, if—"),
            (91, 668, R, 11, "(a) it has oil; and"), (91, 646, R, 11, "(b) it has a wick."),
            (243, 610, B, 11, "FIRST SCHEDULE"), (247, 595, R, 11, "[See rule 2]"), (277, 580, B, 11, "PART A"), (200, 565, B, 11, "Of oil"),
            (60, 551, R, 11, "These are its rules:"), (60, 537, R, 11, "1. Oil is clean."), (60, 521, R, 11, "2. Oil is—"), (91, 499, R, 11, "(a) whale oil; or"), (91, 477, R, 11, "(b) seed oil.")]  # fmt: skip
    [one] = pdfs.read([("rules.pdf", draw([rows]))])
    is_sound(one)
    words = words_at(one)
    headings = {p.pinpoint.address: p.heading for p in one.provisions}
    assert one.version == "2025-11-13" and headings["dpdp-rules:r-1"] == "Short title" and headings["dpdp-rules:r-2"] == "Lamps in fog"
    assert words["dpdp-rules:r-1(2)"] == "(2) They begin at dusk." and words["dpdp-rules:r-2(b)"] == "(b) it has a wick."
    assert headings["dpdp-rules:sch-1-part-a"] == "Of oil", "its heading ends where its words, in other print, begin"
    assert "Of oil\nThese are its rules:\n1. Oil" in one.text
    assert words["dpdp-rules:sch-1-part-a(2)(b)"] == "(b) seed oil."


def test_a_councils_position_is_a_proposal_read_by_its_margins() -> None:
    cover = [(340, 724, B, 11.5, "Brussels, 6 April 2016"), (57, 520, B, 11.5, "LEGISLATIVE ACTS AND OTHER INSTRUMENTS"),
             (57, 480, R, 11.5, "Subject: REGULATION repealing Directive 95/46/EC (General Data Protection Regulation)")]  # fmt: skip
    one = [(200, 752, B, 12, "REGULATION (EU) 2016/..."), (57, 700, R, 12, "Having regard to lanterns"), (240, 700, R, 8, "1"), (245, 700, R, 12, ","),
           (57, 660, R, 12, "(1) Ships need light."), (57, 120, R, 8, "1"), (61, 120, R, 12, " OJ C 1, p. 1."), (57, 53, R, 12, "5419/16   AV/NT/sr  1")]  # fmt: skip
    two = [(270, 760, B, 14, "CHAPTER I"), (250, 736, B, 14, "LAMPS"), (277, 700, I, 12, "Article 1"), (257, 679, I, 12, "Which lamps"),
           (57, 640, R, 12, "1. A lamp burns:"), (99, 608, R, 12, "(a) by night, and where the night"), (57, 53, R, 12, "5419/16   AV/NT/sr  2")]  # fmt: skip
    three = [(128, 760, R, 12, "is long;"), (99, 728, R, 12, "(b) in fog that"), (128, 696, R, 12, "(i) is thick,"), (99, 664, R, 12, "and it smokes not."),
             (57, 632, R, 12, "It is of brass."), (277, 600, I, 12, "Article 2"), (257, 579, I, 12, "Words"), (57, 540, R, 12, "In this Regulation:"),
             (57, 508, R, 12, "(1) 'lamp' means:"), (99, 476, R, 12, "(a) a light;"), (57, 430, R, 12, "Done at ...,")]  # fmt: skip
    [act] = pdfs.read([("council.pdf", draw([cover, one, two, three]))])
    is_sound(act)
    words = words_at(act)
    assert (act.id, act.kind, act.version) == ("gdpr", "proposal", "2016-04-06") and "OJ C 1" in act.text and "AV/NT" not in act.text
    assert words["gdpr:rec-1"] == "(1) Ships need light." and words["gdpr:art-1(1)(a)"] == "(a) by night, and where the night is long;"
    assert words["gdpr:art-1(1)"].endswith("(b) in fog that (i) is thick, and it smokes not.") and words["gdpr:art-1(1)(b)"] == "(b) in fog that (i) is thick,"
    assert words["gdpr:art-1"].endswith("It is of brass.") and words["gdpr:art-2(1)(a)"] == "(a) a light;"
    assert {p.pinpoint.path: p.heading for p in act.provisions if p.heading} == {"ch-1": "LAMPS", "art-1": "Which lamps", "art-2": "Words"}


def test_a_guidance_pdf_gives_headings_and_leaves_running_heads_out() -> None:
    def page(number: int, rows: list[tuple[float, float, str, float, str]]) -> list[tuple[float, float, str, float, str]]:
        return [(200, 820, I, 10, "Contains Nonbinding Recommendations"), *rows, (300, 30, R, 12, str(number))]

    pages = [
        page(
            1,
            [
                (72, 700, B, 18, "Lantern Care"),
                (72, 660, R, 12, "Guidance for Industry"),
                (72, 630, R, 12, "Food and Drug Administration"),
                (72, 600, R, 12, "May 2022"),
            ],
        )
    ]
    pages += [
        page(n, [(72, 740, B, 14, f"Part {n}"), (72, 720, R, 12, f"Words of part {n} that go on"), (72, 706, R, 12, "to a second line.")]) for n in (2, 3)
    ]
    [one] = pdfs.read([("g.pdf", draw(pages, "Lantern Care: Guidance"))])
    is_sound(one)
    assert (one.work, one.version) == ("lantern-care-2022", "2022-05-01")
    assert [p.heading for p in one.provisions if p.kind == "topic"][-2:] == ["Part 2", "Part 3"]
    assert "Nonbinding" not in one.text and "Words of part 2 that go on to a second line." in one.text


def encrypted() -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(gazette_act())))
    writer.encrypt("secret")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("encrypted", encrypted),
        ("no-text", lambda: draw([[(100, 100, R, 10, "")], [(100, 100, R, 10, "2")]])),
        ("damaged", lambda: gazette_act()[:900]),
        ("not-recognised", lambda: draw([[(72, 700, R, 12, "A letter about the weather in the harbour, nothing more.")]])),
    ],
)
def test_pdfs_that_cannot_be_used_are_refused_with_a_code(code: str, data: Callable[[], bytes]) -> None:
    with pytest.raises(Unreadable) as refused:
        pdfs.read([("x.pdf", data())])
    assert refused.value.code == code and "\n" not in refused.value.line()


# ---- guidance, plain, passages -------------------------------------------------------------------------------------


def test_guidance_text_takes_its_headings_from_its_own_contents() -> None:
    [one] = read(SAMPLES / "guidance.md")
    is_sound(one)
    assert (one.id, one.work, one.version) == ("fda", "lantern-safety-2021", "2021-04-02")
    assert ("docket", "FDA-2020-D-0001") in one.marks
    assert [(p.pinpoint.path, p.label, one.provisions[p.parent].heading) for p in one.provisions[1:]] == [
        ("lantern-safety-2021:introduction", "I.", "Lantern Safety"),
        ("lantern-safety-2021:testing", "II.", "Lantern Safety"),
        ("lantern-safety-2021:drop-test", "A.", "Testing"),
        ("lantern-safety-2021:wind-test-for-lanterns-that-hang-outdoors", "B.", "Testing"),
        ("lantern-safety-2021:terms", "Appendix A.", "Lantern Safety"),
    ]
    assert words_at(one)["fda:lantern-safety-2021:drop-test"] == "A. Drop Test Drop the lantern once."
    assert "Nonbinding" not in one.text


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("Document issued on August 18, 2025.\nDocument originally issued on December 4, 2024.", "2025-08-18"),
        ("On June 14, 2023, another was issued on May 11, 2005.\nDocument issued on September 28, 2022.", "2022-09-28"),
        ("The draft of this was issued in January 2018.\nFEBRUARY 2019\n", "2019-02-01"),
        ("Adopted on 4 May 2020", "2020-05-04"),
        ("no date here", ""),
    ],
)
def test_issue_dates(text: str, date: str) -> None:
    assert guidance.issue_date(text) == date


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"# Policy\n\nKeep lamps.\n\n## Oil\n\nClean oil that\nis clear.\n", ["policy", "policy/1", "oil", "oil/1"]),
        (b"Keep lamps.\n\nKeep oil.\n", ["p1", "p2"]),
        (b"Policy\n======\n\nKeep lamps.\n", ["policy", "policy/1"]),
        (b"<html><body><h1>Policy</h1><p>Keep lamps.</p><nav><p>Menu</p></nav></body></html>", ["policy", "policy/1"]),
    ],
)
def test_a_document_nobody_knows_is_headings_and_paragraphs(data: bytes, wanted: list[str]) -> None:
    one = plain.read_as("x", data, "acme")
    is_sound(one)
    assert [p.pinpoint.path for p in one.provisions] == wanted and one.provenance == "converted" and one.id == one.work == "acme"


def test_word_and_pdf_documents_nobody_knows() -> None:
    import docx

    document = docx.Document()
    document.add_heading("Policy", 1)
    document.add_paragraph("Keep lamps.")
    out = io.BytesIO()
    document.save(out)
    assert [p.pinpoint.path for p in plain.read_as("x.docx", out.getvalue(), "acme").provisions] == ["policy", "policy/1"]
    drawn = draw([[(72, 700, B, 16, "Policy"), (72, 660, R, 11, "Keep all the lamps of the harbour burning through the night.")]])
    assert [p.pinpoint.path for p in plain.read_as("x.pdf", drawn, "acme").provisions] == ["policy", "policy/1"]


def test_passages_keep_their_ids_as_they_are() -> None:
    one = plain.read_passages("p.jsonl", b'{"id": "Section 24 (Protection)", "text": "Keep it.", "heading": "Care"}\n\n{"id": 7, "text": "Oil."}\n', "pdpa")
    is_sound(one)
    assert [(p.pinpoint.address, p.heading) for p in one.provisions] == [("pdpa:Section 24 (Protection)", "Care"), ("pdpa:7", "")]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"not json\n", "line 1"),
        (b'{"id":"a","text":"x"}\n{"id":"a","text":"y"}\n', "line 2"),
        (b'{"id":"a"}\n', "no id or no text"),
        (b"[1]\n", "line 1"),
        (b"", "no passages"),
    ],
)
def test_bad_passages_are_refused_with_the_line(data: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        plain.read_passages("p.jsonl", data, "pdpa")


@pytest.mark.parametrize("instrument", ["gdpr", "Not An Id", ""])
def test_an_added_set_cannot_take_a_laws_name(instrument: str) -> None:
    with pytest.raises(Unreadable) as refused:
        plain.read_as("x", b"words", instrument)
    assert refused.value.code == "bad-id"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"# A heading\n\nwords",
        b"<html><body>hello</body></html>",
        b'{"a": 1}',
        b"PK\x03\x04",
        b"a,b\n1,2",
        b"---\ntitle: x\n---\nwords",
        b"<?xml version='1.0'?><a/>",
    ],
)
def test_ordinary_files_are_nobodys(data: bytes) -> None:
    ours = (ecfr, cfr_markdown, pdfs, guidance_markdown, eu_guidelines)
    assert [r.NAME for r in ours if r.recognises("x", data)] == []


@pytest.mark.parametrize("name", ["part-999.web.html", "title-21-part-999.xml", "part-999.md", "section-360zz.md", "guidance.md"])
@pytest.mark.parametrize("keep", [0.1, 0.4, 0.8])
def test_a_truncated_file_is_read_in_part_or_refused(name: str, keep: float) -> None:
    data = (SAMPLES / name).read_bytes()
    data = data[: int(len(data) * keep)]
    reader = recognise(name, data)
    if reader is None:
        return
    try:
        for one in reader.read([(name, data)]):
            is_sound(one)
    except Unreadable as refused:
        assert refused.code and str(refused)


# ---- the official files --------------------------------------------------------------------------------------------

HIPAA = "corpus/hipaa/"


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "work", "version", "sections"),
    [
        ("hipaa/45cfr-part160.ecfr-web.html", "45cfr-160", "2023-11-20", 61),
        ("hipaa/45cfr-part162.ecfr-web.html", "45cfr-162", "2023-11-20", 44),
        ("hipaa/45cfr-part164.ecfr-web.html", "45cfr-164", "2023-11-20", 39),
        ("hipaa/45cfr-part160.ecfr-2026-04-23.pdf", "45cfr-160", "2026-04-23", 61),
        ("hipaa/45cfr-part164.ecfr-2026-04-23.pdf", "45cfr-164", "2026-04-23", 41),
        ("fda/21cfr-part11.ecfr-2026-01-22.pdf", "21cfr-11", "2026-01-22", 10),
    ],
)
def test_official_parts_are_complete(shared: Shared, file: str, work: str, version: str, sections: int) -> None:
    [one] = read(shared(f"corpus/{file}"))
    is_sound(one)
    assert (one.work, one.version, count(one, "section")) == (work, version, sections)
    assert one.provenance == "original" and not [m for m in one.marks if m[0] == "repeated"]
    # 164.502(b)(1) lost its label in the eCFR's own display; 164.504(c)-(d) are reserved with (b)
    assert set(gaps(one)) <= {"hipaa:164.502(b): 2", "hipaa:164.504: a b e f g"}


@pytest.mark.shared
@pytest.mark.parametrize("part", ["160", "162", "164"])
def test_nothing_of_an_official_page_is_lost(shared: Shared, part: str) -> None:
    path = shared(f"{HIPAA}45cfr-part{part}.ecfr-web.html")
    [one] = read(path)
    [source] = lxml.html.document_fromstring(path.read_text("utf8")).xpath("//div[@class='part']")
    printed = Counter(re.findall(r"\w+", "".join(source.itertext())))
    assert printed == Counter(re.findall(r"\w+", one.text))
    held = sum(p.span.end - p.span.start for p in one.provisions if p.parent < 0)
    assert held >= 0.995 * len(one.text)


@pytest.mark.shared
@pytest.mark.parametrize("part", ["160", "162", "164"])
def test_the_solver_agrees_with_the_publishers_own_identifiers(shared: Shared, part: str) -> None:
    path = shared(f"{HIPAA}45cfr-part{part}.ecfr-web.html")
    [one] = read(path)
    ids = [
        i[2:]
        for i in lxml.html.document_fromstring(path.read_text("utf8")).xpath("//div[@class='part']//@id")
        if re.fullmatch(r"p-[\d.]+(?:\((?:\d+|[a-z]{1,2}|[ivxl]+|[A-Z])\))+", i)
    ]
    ours = {p.pinpoint.path for p in one.provisions}
    # the publisher misplaces 164.404(d)(2)(ii)(A) and (B), whose (i) and (ii) stand inside other paragraphs
    assert len(ids) > 250
    assert {i for i in ids if i not in ours} <= {"164.404(d)(2)(A)", "164.404(d)(2)(B)"}


CHANGED_2024 = {  # what the rules of 2024 changed between the two texts: 89 FR 32976 (reproductive health care), 89 FR 12472 (part 2 records)
    "hipaa:160.103/person", "hipaa:164.502(a)(1)(vi)", "hipaa:164.502(g)(5)(i)(A)", "hipaa:164.502(g)(5)(i)(B)", "hipaa:164.502(g)(5)(ii)", "hipaa:164.520(a)(1)",
    "hipaa:164.520(a)(3)", "hipaa:164.520(b)(1)(ii)(C)", "hipaa:164.520(b)(1)(ii)(D)", "hipaa:164.520(b)(1)(iii)(B)", "hipaa:164.520(b)(1)(iii)(C)",
    "hipaa:164.520(b)(1)(iv)(A)", "hipaa:164.520(b)(1)(v)(A)",
    "hipaa:164-subpart-c-app-a",  # a table: the PDF repeats its head on each page
}  # fmt: skip


@pytest.mark.shared
@pytest.mark.parametrize(("part", "least"), [("160", 445), ("164", 850)])
def test_page_and_pdf_of_one_law_agree_where_the_law_did_not_change(shared: Shared, part: str, least: int) -> None:
    [page] = read(shared(f"{HIPAA}45cfr-part{part}.ecfr-web.html"))
    [printed] = read(shared(f"{HIPAA}45cfr-part{part}.ecfr-2026-04-23.pdf"))
    ours, theirs = words_at(page), words_at(printed)
    parents = {p.parent for p in page.provisions}
    leaves = [p.pinpoint.address for i, p in enumerate(page.provisions) if i not in parents]
    assert {a for a in ours if a not in theirs and not a.startswith("hipaa:164.520(a)(2)")} == set()
    assert {a for a in leaves if a in theirs and ours[a] != theirs[a]} <= CHANGED_2024
    assert sum(ours[a] == theirs.get(a) for a in leaves) >= least
    new = {a for a in theirs if a not in ours}
    assert all(re.match(r"hipaa:(160\.103/(public-health|reproductive)|164\.(502\(a\)|502\(g\)|509|512\(c\)\(3\)|520|535))", a) for a in new), new


@pytest.mark.shared
def test_the_print_of_2013_gives_three_parts(shared: Shared) -> None:
    path = shared(f"{HIPAA}hhs-hipaa-simplification-2013-03.pdf")
    parts = read(path)
    assert [(p.work, p.version, count(p, "section")) for p in parts] == [
        ("45cfr-160", "2013-03-26", 61),
        ("45cfr-162", "2013-03-26", 51),
        ("45cfr-164", "2013-03-26", 39),
    ]
    for one in parts:
        is_sound(one)
        assert len(gaps(one)) <= 3
    [now] = read(shared(f"{HIPAA}45cfr-part164.ecfr-web.html"))
    before, after = words_at(parts[2]), words_at(now)
    same = sum(before[a].replace(" ", "") == after[a].replace(" ", "") for a in after if a in before)
    assert same >= 1100, "most of Part 164 did not change between 2013 and 2023"
    assert "164.308(a)(1)(ii)(A)" in {p.pinpoint.path for p in parts[2].provisions}


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "address", "begins"),
    [
        ("hipaa/45cfr-part164.ecfr-web.html", "hipaa:164.308(a)(1)(ii)(A)", "(A) Risk analysis (Required). Conduct an accurate and thorough assessment"),
        ("hipaa/45cfr-part164.ecfr-2026-04-23.pdf", "hipaa:164.308(a)(1)(ii)(A)", "(A) Risk analysis (Required). Conduct an accurate and thorough assessment"),
        ("hipaa/45cfr-part164.ecfr-2026-04-23.pdf", "hipaa:164.514(b)(2)(i)(R)", "(R) Any other unique identifying number"),
        ("hipaa/45cfr-part164.ecfr-2026-04-23.pdf", "hipaa:164.306(d)(3)(ii)(B)(2)", "(2) Implement an equivalent alternative measure"),
        ("hipaa/45cfr-part160.ecfr-2026-04-23.pdf", "hipaa:160.103/protected-health-information", "Protected health information means individually identifiable"),
        ("hipaa/45cfr-part164.ecfr-web.html", "hipaa:164.512(i)(1)(i)(B)(3)", "(3) Does not have any member participating"),
        ("fda/21cfr-part11.ecfr-2026-01-22.pdf", "fda:21cfr-11.10(e)", "(e) Use of secure, computer-generated, time-stamped audit trails"),
        ("fda/21cfr-parts-800-898-md/part-801.md", "fda:21cfr-801.5(a)", "(a) Statements of all conditions, purposes, or uses"),
        ("fda/21cfr-parts-800-898-md/part-892.md", "fda:21cfr-892.2060(b)(1)(iii)", "(iii) Results from performance testing protocols"),
        ("fda/guidance-md/001-cybersecurity-in-medical-devices-quality-management-system-considerations-an.md", "fda:cyber-2026:sbom", "(a) Software Bill of Materials (SBOM) An SBOM can aid"),
        ("fda/guidance-md/001-cybersecurity-in-medical-devices-quality-management-system-considerations-an.md", "fda:cyber-2026:terminology", "Appendix 5. Terminology"),
        ("fda/fdca-subchapter-v-md/section-360n-2.md", "fda:fdca-524b(b)(3)", "(3) provide to the Secretary a software bill of materials"),
        ("fda/fdca-subchapter-v-md/section-360e-4.md", "fda:fdca-515c(b)(1)", "(1) In general Notwithstanding section 360(k)"),
        ("fda/fdca-subchapter-v-md/section-360j.md", "fda:fdca-520(o)(1)(e)", "(E) unless the function is intended to acquire, process, or analyze a medical image"),
        ("dpdp/dpdp-act-2023-en.pdf", "dpdp:s-2(za)", "(za) 'specified purpose' means the purpose mentioned in the notice"),
        ("other/nist-ai-rmf/nist-ai-100-1.pdftotext.txt", "nist:ai-rmf-1.0:govern-3", "GOVERN 3: Workforce diversity, equity, inclusion"),
        ("dpdp/dpdp-act-2023-en.pdf", "dpdp:s-8(5)", "(5) A Data Fiduciary shall protect personal data in its possession"),
        ("dpdp/dpdp-act-2023-en.pdf", "dpdp:s-10(2)(c)(i)", "(i) periodic Data Protection Impact Assessment"),
        ("dpdp/dpdp-act-2023-en.pdf", "dpdp:sch(1)", "1. Breach in observing the obligation of Data Fiduciary to take reasonable security safeguards"),
        ("dpdp/dpdp-rules-2025-gsr846e-en.pdf", "dpdp-rules:r-7(2)(a)", "(a) without delay, a description of the breach"),
        ("dpdp/dpdp-rules-2025-gsr846e-en.pdf", "dpdp-rules:sch-4-part-b(4)", "4. For the determination of real-time location of a child. | Processing is restricted"),
        ("hipaa/hhs-hipaa-simplification-2013-03.pdf", "hipaa:164.512(i)(1)(ii)(C)", "(C) The protected health information for which use or access is sought"),
        ("hipaa/hhs-hipaa-simplification-2013-03.pdf", "hipaa:164.502(g)(3)(i)(B)", "(B) The minor may lawfully obtain such health care service"),
        ("hipaa/hhs-hipaa-simplification-2013-03.pdf", "hipaa:164.508(a)(4)(ii)", "(ii) Such authorization must state that the disclosure will result in"),
        ("fda/fdca-subchapter-v-md/section-360j.md", "fda:fdca-520(f)(2)(b)(ii)", "(ii) if the petition was referred to an advisory committee, the expiration of the sixty-day"),
        ("dpdp/dpdp-rules-2025-gsr846e-en.pdf", "dpdp-rules:sch-4-part-a(1)", "1. A Data Fiduciary who is a clinical establishment"),
        ("gdpr/edpb-guidelines-05-2020-consent.reprinted.pdf", "edpb:05-2020:171", "171. If a controller finds that the consent previously obtained"),
        ("other/nist-ai-rmf/nist-ai-100-1.pdftotext.txt", "nist:ai-rmf-1.0:govern-1.1", "GOVERN 1.1: Legal and regulatory requirements involving AI"),
    ],
)  # fmt: skip
def test_provisions_that_were_read_by_eye(shared: Shared, file: str, address: str, begins: str) -> None:
    words = {p.pinpoint.address: normalise(p.span.of(one.text)) for one in read(shared(f"corpus/{file}")) for p in one.provisions}
    assert words[address].startswith(begins), words.get(address, "")[:200]


@pytest.mark.shared
def test_the_device_regulations_are_complete_and_fast(shared: Shared) -> None:
    files = sorted(shared("corpus/fda/21cfr-parts-800-898-md").glob("*.md"))
    started = time.process_time()
    parts = [one for path in files for one in read(path)]
    assert time.process_time() - started < 15
    assert len(files) == 35 and sum(count(one, "section") for one in parts) == 2475
    by = Counter((one.work, one.version, count(one, "section")) for one in parts)
    assert by[("21cfr-820", "2025-04-01", 31)] == 1 and by[("21cfr-820", "2026-02-02", 9)] == 2
    assert [(one.work, count(one, "section")) for one in parts if one.work in ("21cfr-801", "21cfr-803", "21cfr-806", "21cfr-892")] == [
        ("21cfr-801", 39),
        ("21cfr-803", 26),
        ("21cfr-806", 6),
        ("21cfr-892", 86),
    ]
    for one in parts:
        is_sound(one)
        assert one.provenance == "converted" and set(gaps(one)) <= {"fda:21cfr-809.10(a)(10): ii"}  # (i) stands in the middle of a sentence
    old, new = (one for one in parts if one.work == "21cfr-820" and one.version == "2026-02-02")
    assert words_at(old) == words_at(new), "the coming edition printed with the old one is the new one"


@pytest.mark.shared
def test_the_act_is_complete_and_numbered_as_the_act(shared: Shared) -> None:
    files = sorted(shared("corpus/fda/fdca-subchapter-v-md").glob("section-*.md"))
    sections = [one for path in files for one in read(path)]
    assert len(sections) == 117 and len({one.work for one in sections}) == 117
    assert {"fdca-524b", "fdca-515c", "fdca-520", "fdca-510", "fdca-505-1", "fdca-586h", "usc-360ee"} <= {one.work for one in sections}
    for one, path in zip(sections, files, strict=True):
        is_sound(one)
        credit = re.search(r"ch\. 675, §(\d+[A-Z]*(?:–\d+)?)", path.read_text("utf8"))
        if credit and one.work.startswith("fdca-"):
            assert one.work == f"fdca-{credit[1].lower().replace('–', '-')}"
    unusual = {gap.split(":")[1] for one in sections for gap in gaps(one)}
    assert len(unusual) <= 2, unusual


@pytest.mark.shared
def test_the_indian_act_and_rules_are_complete(shared: Shared) -> None:
    [act] = read(shared("corpus/dpdp/dpdp-act-2023-en.pdf"))
    [rules] = read(shared("corpus/dpdp/dpdp-rules-2025-gsr846e-en.pdf"))
    for one in (act, rules):
        is_sound(one)
        assert gaps(one) == [] and not one.marks
    assert (act.version, count(act, "section"), count(act, "schedule"), count(act, "container")) == ("2023-08-11", 44, 1, 9)
    assert [p.label for p in act.provisions if p.pinpoint.path.startswith("sch(")] == [f"{n}." for n in range(1, 8)]
    assert all(p.heading for p in act.provisions if p.kind == "section")
    assert (rules.version, count(rules, "rule"), count(rules, "schedule")) == ("2025-11-13", 23, 7)
    assert all(p.heading for p in rules.provisions if p.kind == "rule")
    assert next(p.heading for p in rules.provisions if p.pinpoint.path == "r-17") == "Appointment of Chairperson and other Members"


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "text"), [("dpdp-act-2023-en.pdf", "dpdp-act-2023-en.txt"), ("dpdp-rules-2025-gsr846e-en.pdf", "dpdp-rules-2025-gsr846e-en.txt")]
)
def test_nothing_of_a_gazette_is_lost(shared: Shared, file: str, text: str) -> None:
    [one] = read(shared(f"corpus/dpdp/{file}"))
    printed = Counter(re.findall(r"[A-Za-z]{4,}", re.sub(r"-\s*\n\s*", "-", shared(f"corpus/text-of-pdfs/{text}").read_text("utf8"))))
    ours = Counter(re.findall(r"[A-Za-z]{4,}", one.text))
    furniture = {"GAZETTE", "INDIA", "EXTRAORDINARY", "PART", "SEC"}
    lost = sum(n for word, n in (printed - ours).items() if word not in furniture)
    assert lost <= 0.02 * sum(printed.values()), (printed - ours).most_common(20)  # the first page's front matter is no part of the Act


@pytest.mark.shared
def test_guidance_is_read_with_dates_and_the_catalogues_topics(shared: Shared) -> None:
    files = sorted(shared("corpus/fda/guidance-md").glob("*.md"))
    read_all = {path.name: read(path)[0] for path in files}
    assert len(read_all) == 86 and len({one.work for one in read_all.values()}) == 86
    for one in read_all.values():
        is_sound(one)
        assert count(one, "topic") >= 2, one.title
    by_work = {one.work: one for one in read_all.values()}
    for known in guidance.known_documents():
        found = {p.pinpoint.path for p in by_work[known.work].provisions}
        assert [topic for _, topic in known.topics if f"{known.work}:{topic}" not in found] == [], known.work
    listed = re.findall(r"\| `(\d{3}-[^`]+\.md)` \| (\w+) (?:(\d+), )?(\d{4}) \|", shared("corpus/MANIFEST.md").read_text("utf8"))
    assert len(listed) == 81
    for name, month, day, year in listed:
        assert read_all[name].version == f"{year}-{guidance.MONTHS.index(month.lower()) + 1:02}-{int(day or 1):02}", name


@pytest.mark.shared
def test_other_guidance(shared: Shared) -> None:
    [edpb] = read(shared("corpus/gdpr/edpb-guidelines-05-2020-consent.reprinted.pdf"))
    is_sound(edpb)
    assert count(edpb, "paragraph") == 171 and edpb.provenance == "converted" and edpb.version == "2020-05-04"
    [nist] = read(shared("corpus/other/nist-ai-rmf/nist-ai-100-1.pdftotext.txt"))
    is_sound(nist)
    assert sum(bool(re.search(r":(?:govern|map|measure|manage)-\d\.\d+$", p.pinpoint.path)) for p in nist.provisions) == 72
    mdcg = [read(p)[0] for p in sorted(shared("corpus/other/mdcg-md").glob("mdcg_*.md"))]
    assert [one.work for one in mdcg] == ["mdcg-2019-11-rev-1", "mdcg-2025-4", "mdcg-2025-6", "mdcg-2025-9"]
    files = [(p.name, p.read_bytes()) for p in sorted(shared("corpus/eu-ai-act/commission-draft-guidelines-high-risk-md").glob("*.md"))]
    assert {recognise(name, data[:65536]) for name, data in files} == {eu_guidelines}
    [draft] = eu_guidelines.read(files)
    is_sound(draft)
    assert ("draft", "true") in draft.marks and count(draft, "paragraph") == 426
    [fda] = read(shared("corpus/fda/fda-guidance-electronic-systems-records-signatures-clinical-investigations-2024-10.pdf"))
    assert fda.version == "2024-10-01" and count(fda, "topic") >= 10
    [hleg] = read(shared("corpus/other/eu-hleg-ethics-guidelines-trustworthy-ai-2019-en.pdf"))
    is_sound(hleg)


@pytest.mark.shared
def test_the_xml_samples_of_other_titles_are_read_as_opaque_sets(shared: Shared) -> None:
    folder = shared("corpus/other/ecfr-xml-format-samples")
    found = {path.name: [(one.id, one.work, one.version, count(one, "section")) for one in read(path)] for path in folder.glob("*.xml")}
    assert found["title-1-part-51-2024-05-17.xml"] == [("1cfr", "1cfr-51", "2024-05-17", 6)]
    assert [row[3] for row in found["title-3-full-2024-05-17.xml"]] == [1, 7, 19]
    assert found["title-3-part-101-2024-05-17.xml"] == [("3cfr", "3cfr-101", "2024-05-17", 7)]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "code", "says"),
    [
        ("other/fr-2023-24283-eo14110.pdf", "not-recognised", "begins"),
        ("eu-ai-act/pe-cons-30-26-digital-omnibus-ai-2026-06-18-nl.pdf", "proposal", "before its adoption .PE-CONS 30/26"),
    ],
)
def test_documents_we_do_not_know_are_refused_with_what_was_seen(shared: Shared, file: str, code: str, says: str) -> None:
    with pytest.raises(Unreadable, match=says) as refused:
        read(shared(f"corpus/{file}"))
    assert refused.value.code == code


@pytest.mark.shared
def test_the_councils_position_has_every_address_of_the_regulation_and_is_a_proposal(shared: Shared) -> None:
    [before] = read(shared("corpus/gdpr/gdpr-council-position-5419-16-2016-04-06-en.pdf"))
    [adopted] = read(shared("corpus/gdpr/gdpr-oj-2016-en.eurlex.html"))
    assert (before.kind, before.version, before.work) == ("proposal", "2016-04-06", "gdpr")
    assert [(p.pinpoint.address, p.kind) for p in before.provisions] == [(p.pinpoint.address, p.kind) for p in adopted.provisions]
    theirs, ours = words_at(adopted), words_at(before)
    assert ours["gdpr:art-99(2)"] == "2. It shall apply from … [two years from the date of entry into force of this Regulation]."
    changed = [a for a in theirs if re.sub(r"\(\d+\)|\W", "", ours[a]).lower() != re.sub(r"\(\d+\)|\W", "", theirs[a]).lower()]
    assert len(changed) <= 156, "each was read: what the lawyer-linguists changed before adoption, and what holds it"


@pytest.mark.shared
def test_the_largest_pdf_is_fast_enough(shared: Shared) -> None:
    data = shared(f"{HIPAA}45cfr-part164.ecfr-2026-04-23.pdf").read_bytes()
    started = time.process_time()
    pdfs.read([("x.pdf", data)])
    assert time.process_time() - started < 10


@pytest.mark.shared
def test_running_heads_and_page_numbers_are_no_text(shared: Shared) -> None:
    document = pdf.open_pdf(shared("corpus/other/eu-hleg-ethics-guidelines-trustworthy-ai-2019-en.pdf").read_bytes())
    numbers = [row for row in pdf.body(document) if re.fullmatch(r"\d{1,2}", row.text) and row.y < 60]
    assert numbers == [] and len(document.pages) == 41


def test_every_reader_here_is_listed() -> None:
    assert {ecfr, cfr_markdown, pdfs, guidance_markdown, eu_guidelines} <= set(READERS)
