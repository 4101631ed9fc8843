"""The shipped corpus is whole: digests, dates, requirements and links, and the digests say what the law says."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from assistant import corpus
from assistant.law import Instrument
from assistant.pinpoint import Pinpoint
from assistant.readers import recognise
from tests.test_readers_us import read

DAY = "2026-11-22"
DIGESTS = {path.stem: path for path in sorted((corpus.root() / "digests").glob("*.toml"))}


@cache
def instruments() -> dict[str, Instrument]:
    return {i.work.removeprefix("digest-"): i for i in corpus.digest_instruments()}


def entries(name: str) -> list[tuple[str, str]]:
    """(address, words of the digest with its own points) in a file."""
    one = instruments()[name]
    starts = [p for p in one.provisions if p.pinpoint.address in one.notes]
    ends = [*(p.span.start - 1 for p in starts[1:]), len(one.text)]
    return [(p.pinpoint.address, one.text[p.span.start : end]) for p, end in zip(starts, ends, strict=True)]


@pytest.mark.parametrize("name", DIGESTS)
def test_every_digest_has_its_form(name: str) -> None:
    one = instruments()[name]
    bad = []
    for p in one.provisions:
        note = one.notes.get(p.pinpoint.address)
        if note and (not p.heading or not 2 <= len(note.questions) <= 5 or not note.actors or not re.match(r"(?:2026-\d\d-\d\d|secondary)", note.checked)):
            bad.append(p.pinpoint.address)
    bad += [a for a, words in entries(name) if not 35 <= len(re.sub(r"(?m)^\([^)]*\)(?:\([^)]*\))* ", "", words).split()) <= 150]
    assert bad == []


@pytest.mark.parametrize("name", DIGESTS)
def test_a_digests_dates_are_those_of_the_overlay(name: str) -> None:
    one = instruments()[name]
    bad = []
    for address, note in one.notes.items():
        term = corpus.term_of(corpus.pinpoint(address), one.date, corpus.Term(note.applies_from, base="draft" if note.status == "draft" else ""))
        if term.at(DAY) != note.status or term.applies_from != note.applies_from:
            bad.append((address, note.status, term.at(DAY), note.applies_from, term.applies_from))
    assert bad == []


def test_the_list_of_provisions_that_must_have_a_digest() -> None:
    held = {p.pinpoint.root.address for one in instruments().values() for p in one.provisions}
    wanted = [f"gdpr:art-{n}" for n in range(1, 100)]
    wanted += [
        f"gdpr:rec-{n}" for n in (26, 28, 35, 38, 39, 42, 43, 46, 47, *range(50, 55), 63, 71, *range(75, 79), *range(83, 86), *range(89, 95), *range(156, 163))
    ]
    wanted += [f"eu-ai-act:art-{n}" for n in [*range(1, 114), "4a", "60a", "75a", "75b", "75c", "75d"]]
    wanted += [f"dpdp:s-{n}" for n in range(1, 45)] + ["dpdp:sch"] + [f"dpdp-rules:r-{n}" for n in range(1, 24)]
    wanted += [
        f"fda:21cfr-{s}"
        for s in (
            "11.10",
            "801.20",
            "803.50",
            "806.10",
            "807.81",
            "807.87",
            "812.20",
            "814.20",
            "820.10",
            "820.30",
            "820.250",
            "830.300",
            "860.7",
            "892.2010",
            "892.2080",
            "892.2090",
        )
    ]
    wanted += ["fda:fdca-515c", "fda:fdca-520", "fda:fdca-524b"]
    wanted += [f"fda:{topic}" for topic in TOPICS]
    wanted += [f"mdr:art-{n}" for n in (2, 10, 51, 52, 61, *range(83, 89))] + [f"mdr:annex-{n}" for n in ("i", "ii", "viii", "xiv")]
    wanted += [
        f"hipaa:164.{n}"
        for n in (*range(102, 107), *range(302, 319, 2), *range(400, 415, 2), *range(500, 511, 2), 509, *range(512, 536, 2), 535)
        if n not in NO_164
    ]
    wanted += [f"dpdp-rules:sch-{n}" for n in range(1, 8)]
    assert [w for w in wanted if w not in held] == []
    annexes = {a.split(":annex-")[1].split("-")[0] for a in held if a.startswith("eu-ai-act:annex-")}
    assert annexes == {"i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv"}


TOPICS = (
    "pccp-2025", "sw-functions-2023", "cyber-2026", "cds-2026", "ai-dsf-2025-draft", "gmlp-2025", "transparency-2024", "cade-clinical-2022",
    "quant-imaging-2022", "hf-content-2026", "part11-scope-2003", "estar-2023",
)  # fmt: skip
NO_164 = {516, 518}  # numbers that 45 CFR 164 does not use
PARTS = "corpus/fda/21cfr-parts-800-898-md/part-"
# Whole works of which every section, article or rule has a digest, and the roots left out: recitals, containers, reserved numbers.
WHOLE = [
    ("corpus/gdpr/gdpr-oj-2016-en.eurlex.html", r"rec-\d+|preamble"),
    ("corpus/hipaa/45cfr-part160.ecfr-2026-04-23.pdf", "160|160.302"),
    ("corpus/hipaa/45cfr-part162.ecfr-web.html", "162|162.402|162.900"),
    ("corpus/hipaa/45cfr-part164.ecfr-2026-04-23.pdf", "164"),
    ("corpus/dpdp/dpdp-act-2023-en.pdf", ""),
    ("corpus/dpdp/dpdp-rules-2025-gsr846e-en.pdf", ""),
    ("corpus/fda/21cfr-part11.ecfr-2026-01-22.pdf", "21cfr-11"),
    *((f"{PARTS}{n}.md", f"21cfr-{n}" + (r"|21cfr-812\.65" if n == 812 else "")) for n in (803, 806, 807, 812, 814, 820, 830, 860)),
    (f"{PARTS}820-qmsr.md", "21cfr-820"),
]


@pytest.mark.shared
@pytest.mark.parametrize(("file", "left_out"), WHOLE, ids=[f.rsplit("/", 1)[1] for f, _ in WHOLE])
def test_every_section_of_a_work_that_is_digested_whole_has_a_digest(file: str, left_out: str, shared: Callable[[str], Path]) -> None:
    roots = {p.pinpoint.root.address for one in read(shared(file)) for p in one.provisions}
    held = {p.pinpoint.root.address for one in instruments().values() for p in one.provisions}
    wanted = {a for a in roots if not re.fullmatch(rf"(?:{left_out})|.*-subpart-.*|ch-.*", a.partition(":")[2])}
    assert len(wanted) > 5 and sorted(wanted - held) == []


OFFICIAL = [
    ("gdpr", "corpus/gdpr/gdpr-oj-2016-en.eurlex.html"),
    ("hipaa", "corpus/hipaa/45cfr-part164.ecfr-2026-04-23.pdf"),
    ("hipaa", "corpus/hipaa/45cfr-part160.ecfr-2026-04-23.pdf"),
    ("dpdp", "corpus/dpdp/dpdp-act-2023-en.pdf"),
    ("dpdp-rules", "corpus/dpdp/dpdp-rules-2025-gsr846e-en.pdf"),
]
UNITS = {
    w: n
    for n, w in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
TENS = {w: 10 * n for n, w in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)}
WORD_NUMBER = re.compile(rf"\b(?:{'|'.join([*UNITS, *TENS, 'hundred', 'a hundred'])})(?:(?:[ -]| and )(?:{'|'.join([*UNITS, *TENS, 'hundred'])}))*\b")


def value_of(words: str) -> int:
    """The number that a run of number words names: "two hundred and fifty" is 250."""
    total = 0
    for word in re.findall(r"[a-z]+", words):
        total = total * 100 if word == "hundred" and total else total + (100 if word == "hundred" else UNITS.get(word, 0) + TENS.get(word, 0))
    return total


def numbers(text: str) -> set[str]:
    """Periods, amounts and shares in a text, in one form: "72 hour", "20 million", "250 crore"."""
    low = WORD_NUMBER.sub(lambda m: str(value_of(m[0])), text.lower())
    low = re.sub(r"(?<=\d)[ ,\u00a0](?=\d{3}\b)", "", low)
    low = re.sub(r"\b(\d+)000000\b", r"\1 million", low)
    found = re.findall(r"\b(\d+(?:\.\d+)?)\s*(%|per cent|percent|hours?|days?|weeks?|months?|years?|million|crore|individuals|persons|employees)", low)
    return {f"{float(n):g} {unit.rstrip('s').replace('per cent', '%').replace('percent', '%')}" for n, unit in found}


@pytest.mark.shared
@pytest.mark.parametrize(("name", "file"), OFFICIAL, ids=[f.rsplit("/", 1)[1] for _, f in OFFICIAL])
def test_every_period_and_amount_of_a_digest_stands_in_the_law(name: str, file: str, shared: Callable[[str], Path]) -> None:
    official: dict[Pinpoint, str] = {}
    whole = ""
    for one in read(shared(file)):
        official |= {p.pinpoint: p.span.of(one.text) for p in one.provisions}
        whole += one.text
    missing, absent, checked = [], [], 0
    for address, words in entries(name):
        p = corpus.pinpoint(address)
        law = official.get(p) or official.get(p.root)
        if law is None:
            absent.append(address)
            continue
        checked += 1
        missing += [(address, n) for n in numbers(words) - numbers(law) if n not in numbers(whole)]
    assert checked > 20
    assert missing == []


@pytest.mark.shared
def test_every_address_of_the_ai_act_digests_exists(shared: Callable[[str], Path]) -> None:
    folder = shared("corpus/eu-ai-act/consolidated-2026-07-27-en-json")
    files = [(p.name, p.read_bytes()) for p in sorted(folder.glob("*.json"))]
    page = shared("corpus/eu-ai-act/aiact-oj-2024-en.eurlex.html").read_bytes()
    readers = recognise(*files[0]), recognise("x.html", page)
    assert readers[0] and readers[1]
    held = {p.pinpoint.address for one in (*readers[0].read(files), *readers[1].read([("x.html", page)])) for p in one.provisions}
    wanted = {p.pinpoint.address for name in ("eu-ai-act-1", "eu-ai-act-2") for p in instruments()[name].provisions}
    assert sorted(wanted - held) == []


@pytest.mark.shared
def test_every_article_of_the_ai_act_has_the_date_that_article_113_gives_its_chapter(shared: Callable[[str], Path]) -> None:
    folder = shared("corpus/eu-ai-act/consolidated-2026-07-27-en-json")
    files = [(p.name, p.read_bytes()) for p in sorted(folder.glob("*.json"))]
    reader = recognise(*files[0])
    assert reader
    high_risk = {"2028-08-02", "2027-12-02"}  # by Annex I or by Annex III
    days = {(3, s): high_risk for s in (1, 2, 3)} | {(3, 4): {"2025-08-02"}} | {(c, 0): {"2025-02-02"} for c in (1, 2)}
    days |= {(c, s): {"2025-08-02"} for c in (5, 7, 12) for s in range(5)}
    apart = {"4a": "2026-07-27", "78": "2025-08-02", "101": "2026-08-02", "113": "2024-08-01", **{str(n): "2026-07-27" for n in range(102, 111)}}
    chapter, section, seen, wrong = 0, 0, 0, []
    for p in (p.pinpoint for one in reader.read(files) for p in one.provisions):
        found = re.fullmatch(r"ch-(\d+)(?:-sec-(\d+))?|art-(\w+)", p.path)
        if not found:
            continue
        if found[1]:
            chapter, section = int(found[1]), int(found[2] or 0)
        seen += 1
        expected = {apart[found[3]]} if found[3] in apart else days.get((chapter, section), {"2026-08-02"})
        term = corpus.term_of(p, "2026-07-27")
        wrong += [(p.address, term.applies_from, expected)] if term.applies_from not in expected else []
    assert seen > 119 and wrong == []


@pytest.mark.shared
def test_what_only_the_2026_text_of_the_ai_act_holds_did_not_apply_before_it(shared: Callable[[str], Path]) -> None:
    def pinpoints(folder: str) -> dict[str, Pinpoint]:
        files = [(p.name, p.read_bytes()) for p in sorted(shared(f"corpus/eu-ai-act/{folder}").iterdir())]
        reader = recognise(*files[0])
        assert reader
        return {p.pinpoint.path: p.pinpoint for one in reader.read(files) for p in one.provisions}

    old, new = pinpoints("oj-2024-formex"), pinpoints("consolidated-2026-07-27-en-json")
    early = {path for path, p in new.items() if path not in old and corpus.term_of(p, "2026-07-27").applies_from < "2026-07-27"}
    assert {path for path in early if not path.startswith("art-113")} == {"art-4(1)"}  # literacy as such is of 2025


def test_requirements_keep_their_ids_and_stand_on_addresses() -> None:
    rows = corpus.requirements()
    assert len({r.id for r in rows}) == len(rows) >= 385
    assert sum(r.pinpoint_check == "secondary-digest" and not r.id.startswith("PRIN") for r in rows) >= 5


@pytest.mark.shared
def test_the_343_given_rows_are_all_there(shared: Callable[[str], Path]) -> None:
    given = {line.split("\t")[0] for line in shared("regulatory/requirements.tsv").read_text("utf8").splitlines()[1:]}
    assert given - {r.id for r in corpus.requirements()} == set() and len(given) == 343


@pytest.mark.parametrize(
    ("address", "version", "day", "status", "applies_from"),
    [
        ("gdpr:art-35", "2016-05-04", "2018-05-24", "not-yet-applicable", "2018-05-25"),
        ("gdpr:art-35", "2016-05-04", DAY, "in-force", "2018-05-25"),
        ("eu-ai-act:art-9", "2026-07-27", DAY, "not-yet-applicable", "2028-08-02"),
        ("eu-ai-act:art-27", "2026-07-27", DAY, "not-yet-applicable", "2027-12-02"),
        ("eu-ai-act:annex-iii(5)(d)", "2026-07-27", DAY, "not-yet-applicable", "2027-12-02"),
        ("eu-ai-act:art-5(1)(a)", "2026-07-27", DAY, "in-force", "2025-02-02"),
        ("eu-ai-act:art-5(1)(ba)", "2026-07-27", DAY, "not-yet-applicable", "2026-12-02"),
        ("eu-ai-act:art-50(1)", "2026-07-27", DAY, "in-force", "2026-08-02"),
        ("eu-ai-act:art-53", "2026-07-27", DAY, "in-force", "2025-08-02"),
        ("eu-ai-act:art-4a(1)", "2026-07-27", DAY, "in-force", "2026-07-27"),
        ("eu-ai-act:art-10(5)", "2024-07-12", DAY, "superseded", "2026-08-02"),
        ("hipaa:164.509", "2026-04-23", DAY, "vacated", ""),
        ("hipaa:164.502(a)(5)(iii)(A)", "2026-04-23", DAY, "vacated", ""),
        ("hipaa:164.312(a)(1)", "2026-04-23", DAY, "in-force", ""),
        ("hipaa:164.520(b)(1)(iii)(D)", "2026-04-23", "2026-01-15", "not-yet-applicable", "2026-02-16"),
        ("hipaa:164.520(b)(1)(iii)(A)", "2026-04-23", DAY, "in-force", ""),
        ("eu-ai-act:art-99(6a)", "2026-07-27", DAY, "in-force", "2026-07-27"),
        ("eu-ai-act:ch-3-sec-4", "2026-07-27", DAY, "in-force", "2025-08-02"),
        ("eu-ai-act:ch-5-sec-2", "2026-07-27", DAY, "in-force", "2025-08-02"),
        ("dpdp:s-8(5)", "2023-08-11", DAY, "not-yet-applicable", "2027-05-13"),
        ("dpdp:s-8(5)", "2023-08-11", "2027-05-13", "in-force", "2027-05-13"),
        ("dpdp:s-18", "2023-08-11", DAY, "in-force", "2025-11-13"),
        ("dpdp-rules:r-4(1)", "2025-11-13", DAY, "in-force", "2026-11-13"),
        ("dpdp-rules:r-7(1)", "2025-11-13", DAY, "not-yet-applicable", "2027-05-13"),
        ("fda:21cfr-820.30(a)", "2025-04-01", "2026-01-15", "in-force", "1997-06-01"),
        ("fda:21cfr-820.30(a)", "2025-04-01", DAY, "superseded", "1997-06-01"),
        ("fda:21cfr-820.10", "2026-02-02", DAY, "in-force", "2026-02-02"),
        ("fda:ai-dsf-2025-draft:validation", "2025-01-07", DAY, "draft", ""),
    ],
)
def test_dates_and_status(address: str, version: str, day: str, status: str, applies_from: str) -> None:
    term = corpus.term_of(corpus.pinpoint(address), version)
    assert (term.at(day), term.applies_from) == (status, applies_from)


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("gdpr:art-35(7)", "https://eur-lex.europa.eu/legal-content/EN/TXT/HTML/?uri=CELEX:32016R0679#art_35"),
        ("eu-ai-act:annex-iv(2)(d)", "https://eur-lex.europa.eu/legal-content/EN/TXT/HTML/?uri=CELEX:02024R1689-20260727#anx_IV"),
        ("hipaa:164.312(a)(2)(iv)", "https://www.ecfr.gov/current/title-45/section-164.312#p-164.312(a)(2)(iv)"),
        ("hipaa:160.103/business-associate", "https://www.ecfr.gov/current/title-45/section-160.103"),
        ("fda:21cfr-820.10", "https://www.ecfr.gov/current/title-21/section-820.10"),
        ("fda:fdca-524b(b)(3)", "https://uscode.house.gov/view.xhtml?req=granuleid:USC-prelim-title21-section360n-2"),
        ("fda:pccp-2025:labeling", "https://www.fda.gov/media/166704/download"),
        ("fda:general-wellness-2026:scope", "https://www.fda.gov/regulatory-information/search-fda-guidance-documents"),
        ("eu-ai-act:high-risk-guidelines-2026-draft", "https://digital-strategy.ec.europa.eu/en/policies/regulatory-framework-ai"),
        ("principles:human-oversight", ""),
    ],
)
def test_deep_links(address: str, link: str) -> None:
    assert corpus.manifest().deep_link(corpus.pinpoint(address)) == link


def test_an_earlier_version_links_to_its_own_page() -> None:
    p = corpus.pinpoint("eu-ai-act:art-58(1)")
    assert corpus.manifest().deep_link(p, "2024-07-12") == "https://eur-lex.europa.eu/legal-content/EN/TXT/HTML/?uri=CELEX:32024R1689#art_58"
    assert corpus.manifest().deep_link(p, "2024-07-12.nl") == "https://eur-lex.europa.eu/legal-content/NL/TXT/HTML/?uri=CELEX:32024R1689#art_58"
    assert corpus.manifest().deep_link(p, "2026-07-27").endswith("02024R1689-20260727#art_58")
