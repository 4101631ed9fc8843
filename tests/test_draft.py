"""Drafts hold three kinds of sentence and no other, for every pack and card; each quotation exact, each question owned."""

import dataclasses
import io
import json
import re
import time
from dataclasses import asdict
from functools import cache
from typing import Any

import openpyxl
import pytest
from docx import Document
from markdown_it import MarkdownIt
from pypdf import PdfReader

from assistant import assess, corpus, draft, modelcard, packs, phrasing, triage
from assistant.errors import Unreadable, UsageError
from assistant.export import DRAFT_FORMATS, docx, folder, render_draft, view
from assistant.findings import CardField, CardFile, ModelCard
from assistant.law import Answer, Citation, Claim, Passage, Quote
from assistant.llm import ModelFailure
from assistant.pinpoint import Pinpoint
from assistant.verify import cite, normalise, stands
from tests.fakes import ScriptedModel
from tests.made_up import citation

CARDS = sorted(p.name for p in (corpus.root() / "cards").iterdir() if p.is_dir())
AS_OF = "2026-11-22"
EVERY = [(p, c) for p in packs.pack_ids() for c in CARDS]


@cache
def digests() -> dict[str, tuple[Any, Any]]:
    return {p.pinpoint.address: (i, p) for i in corpus.digest_instruments() for p in i.provisions}


def law(p: Pinpoint) -> tuple[Citation, ...]:
    """Cites the shipped digest of a provision, where there is one."""
    if p.address not in digests():
        return ()
    i, provision = digests()[p.address]
    words = provision.span.of(i.text)
    passage = Passage(0, p, i.id, i.work, i.kind, i.version, "digest", "original", i.sha256, provision.span, "", (), words, "in-force", "")
    granted = cite(Quote(p, words), passage)
    return (granted,) if isinstance(granted, Citation) else ()


@cache
def card(name: str) -> ModelCard:
    return modelcard.parse_card([(f.name, f.read_bytes()) for f in sorted((corpus.root() / "cards" / name).iterdir()) if f.name != "facts.json"])


@cache
def analysis(name: str) -> Any:
    path = corpus.root() / "cards" / name / "facts.json"
    given = json.loads(path.read_text("utf8")) if path.exists() else {}
    return assess.assess(card(name), corpus.requirements(), triage.facts(card(name), given), AS_OF, law, "ab" * 32, True)


@cache
def made(pack: str, name: str, level: str = "") -> draft.Draft:
    return draft.draft(card(name), packs.pack(pack), analysis(name), law, level)


@cache
def as_json(pack: str, name: str, level: str = "") -> dict[str, Any]:
    return {**draft.to_json(made(pack, name, level), citation), "run": "run-1", "audit_head": "cd" * 32, "tool": "pincite 0.1.0"}


# ---- the three kinds ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("pack", "name"), EVERY)
def test_a_sentence_is_the_cards_words_the_law_or_a_question(pack: str, name: str) -> None:
    texts = {f.name: f.text for f in card(name).files}
    wording = {e.must for e in packs.pack(pack).elements()}
    instruments = {i.sha256: i.text for i in corpus.digest_instruments()}
    seen = list(made(pack, name).sentences())
    assert seen
    for s in seen:
        if s.kind == "card":
            assert s.evidence and s.citation is None
            assert texts[s.evidence.file][s.evidence.start : s.evidence.end] == s.evidence.quote == s.text
        elif s.kind == "law":
            assert s.text in wording and s.evidence is None
            assert s.citation and stands(asdict(s.citation), instruments[s.citation.source_sha256])
        else:
            assert s.kind == "input" and s.evidence is None and s.citation is None
            assert re.fullmatch(r"\[INPUT NEEDED: .+\]", s.text, re.S) and s.owner
            assert set(s.requirements) <= {r.id for r in corpus.requirements()}


@pytest.mark.parametrize(("pack", "name"), EVERY)
def test_every_element_of_the_pack_is_fed_or_asked_for(pack: str, name: str) -> None:
    found = {x.element.id: x for s in made(pack, name).sections for x in s.elements}
    assert list(found) == [e.id for e in packs.pack(pack).elements()]
    for x in found.values():
        kinds = {s.kind for s in x.sentences}
        assert "law" in kinds and kinds & {"card", "input"}
        assert (x.state == "asked") <= ("input" in kinds)


@pytest.mark.parametrize("name", CARDS)
def test_a_citation_stands_at_the_elements_address_or_above(name: str) -> None:
    for s in made("eu-ai-act-annex-iv", name).sections:
        for x in s.elements:
            cited = next(q.citation for q in x.sentences if q.kind == "law")
            assert cited and cited.pinpoint.contains(x.element.pinpoint)


def test_without_an_index_nothing_is_said_about_the_law() -> None:
    bare = draft.draft(card(CARDS[0]), packs.pack("gdpr-dpia"), analysis(CARDS[0]), lambda p: ())
    assert {s.kind for s in bare.sentences()} == {"card", "input"}
    assert draft.to_json(bare, citation)["official"] == "0 of 0"


@pytest.mark.parametrize("level", ["basic", "enhanced"])
def test_a_level_leaves_out_the_other_levels_elements(level: str) -> None:
    kept = [x.element for s in made("fda-device-software", "chest-xray-triage", level).sections for x in s.elements]
    assert len({e.pinpoint.address for e in kept}) == 10
    assert all(not e.levels or level in e.levels for e in kept)


def test_a_draft_is_the_same_each_time_and_quick() -> None:
    started = time.perf_counter()
    again = draft.draft(card("chest-xray-triage"), packs.pack("eu-ai-act-annex-iv"), analysis("chest-xray-triage"), law)
    assert time.perf_counter() - started < 10
    first, second = (json.dumps(draft.to_json(d, citation), sort_keys=True) for d in (again, made("eu-ai-act-annex-iv", "chest-xray-triage")))
    assert first == second


LIES = ("The manufacturer is fully compliant with this.", "Do it within 7777 days.", "Here is the restated quotation:", "short.")


@pytest.mark.parametrize("lie", [*LIES, ""])
def test_a_models_words_stand_only_where_the_citation_bears_them(lie: str) -> None:
    """`lie` is given for every second claim; for the others the first sentence of the quotation, which bears itself."""
    before = made("gdpr-dpia", "skin-lesion")

    def words(claims: Any) -> Any:
        proposed = [lie if lie and i % 2 else re.split(r"(?<=[.])\s", c.citations[0].quote)[0] for i, c in enumerate(claims)]
        entries = [{"key": phrasing.KEYS[i], "text": text} for i, text in enumerate(proposed)]
        answer = Answer(tuple(claims), False, "")
        return phrasing.phrase("What does the law ask for here?", answer, ScriptedModel({"claims": entries}), 5).answer.claims

    after = draft.in_words(before, words)
    pairs = list(zip(before.sentences(), after.sentences(), strict=True))
    changed = [(a, b) for a, b in pairs if a != b]
    assert changed and lie not in {b.text for _, b in pairs}
    for a, b in changed:
        assert a.kind == b.kind == "law" and b.phrased_by == "model" and b.citation == a.citation and b.citation
        assert phrasing.checked(0, b.text, Claim(b.text, (b.citation,))).kept
    for _, b in pairs:
        assert b.phrased_by == "model" or b.text in {e.must for e in before.pack.elements()} or b.kind != "law"


def test_a_model_that_fails_costs_only_its_words() -> None:
    before = made("gdpr-dpia", "skin-lesion")
    model = ScriptedModel(forever=ModelFailure("crashed"))
    assert draft.in_words(before, lambda claims: phrasing.phrase("?", Answer(tuple(claims), False, ""), model, 5).answer.claims) == before


# ---- by hand: what a thorough card feeds -------------------------------------------------------------------------

EXPECTED = {  # element of Annex IV: words of the chest X-ray card that must be quoted under it
    "1a": "ThoraxFlag analyses digital frontal chest radiographs of adults",
    "1b": "DICOM Storage SCP",
    "1c": "2.1.0",
    "1d": "Hospitals with a radiology worklist",
    "1e": "8 cores, 32 GB memory",
    "1g": "A probability between 0 and 1",
    "1h": "must not be used for patients under 18 years",
    "2a": "timm/densenet121.ra_in1k",
    "2b": "DenseNet-121 was chosen over a vision transformer",
    "2c": "61 GPU hours on four NVIDIA A100",
    "2d": "182,430 frontal radiographs",
    "2e": "The radiologist reads every study",
    "2f": "PCCP-02",
    "2g": "The internal test set has 18,101 images",
    "2h": "The threat model (STRIDE)",
    "3-1": "Sensitivity for pneumothoraces below 1 cm",
    "3-2": "Skin folds (34 % of false positives)",
    "3-3": "heat map",
    "3-4": "at least 1024 x 1024 pixels",
    "4": "AUC alone would hide the threshold",
    "5": "RMF-004 follows ISO 14971",
    "6": "2.1.0 (2026-09-14)",
    "7": "CE marked as class IIa",
    "9": "PMS-006",
}


BY_HAND = {  # for the other packs, written from the card and the packs' lists; an element of which the card says nothing is not named
    "gdpr-dpia": {
        "0-1": "Lumenbay Medical GmbH", "0-2": "96,114 patients", "1-1": "182,430 frontal radiographs", "1-2": "notifies the reading radiologist",
        "1-4": "DenseNet-121", "2-1": "GDPR Article 6(1)(e) with Article 9(2)(j)", "2-2": "deleted five years after the end of support",
        "2-3": "data subject requests: safety@lumenbay.example", "2-4": "processing agreement under Article 28", "3-1": "threat model (STRIDE)",
        "3-2": "residual risk of a missed or late flag", "3-3": "membership-inference test on 10,000 images", "4-1": "Access is role-based with two-factor sign-in",
        "4-2": "DPIA-11 was completed", "5-1": "approved by the data protection officer on 2025-01-30", "5-3": "no prior consultation was needed",
    },
    "dpdp-assessment": {
        "1-1": "Lumenbay Medical GmbH", "1-2": "notifies the reading radiologist", "1-4": "182,430 frontal radiographs", "2-2": "data subject requests",
        "2-3": "must not be used for patients under 18 years", "3-1": "DPIA-11 was completed", "3-2": "largest gap in sensitivity between groups",
        "4-1": "Access is role-based with two-factor sign-in", "4-3": "deleted five years after the end of support", "4-4": "Images do not leave the European Union",
        "5-1": "dpo@lumenbay.example",
    },
    "eu-declaration-of-conformity": {
        "1": "ThoraxFlag", "2": "Lindenallee 4", "4": "Regulation (EU) 2017/745", "5": "GDPR Article 6(1)(e)", "6": "ISO 13485:2016", "7": "notified body 0000",
    },
    "fda-device-software": {
        "02-1": "analyses digital frontal chest radiographs", "02-2": "One DICOM image (CR or DX", "02-3": "DenseNet-121 was chosen", "03": "RMF-004 follows ISO 14971",
        "05": "PACS that support DICOM Storage SCP", "08-enhanced": "The internal test set has 18,101 images", "09": "2.0.0 (2025-11-03)",
        "10": "Skin folds (34 % of false positives)",
    },
    "fda-pccp": {
        "d1": "threshold per site within 0.30 to 0.45", "d2": "threshold per site", "p1": "data management, re-training", "p2": "re-training with new sites",
        "p3": "lower bound for sensitivity is at least 0.87", "p4": "staged roll-out with roll-back", "i2": "impact assessment lists benefits, risks and mitigations",
        "i3": "acceptance when the lower bound", "l0": "PCCP-02",
    },
    "hipaa-risk-analysis": {
        "s1": "Lumenbay Medical GmbH", "s2": "the software runs in the hospital", "s3": "de-identified by expert determination", "r1": "threat model (STRIDE)",
        "r2": "37 hazards are identified", "a4": "processing agreement", "t1": "two-factor sign-in", "t2": "Each analysis is logged with time",
        "t3": "all connections use TLS 1.3",
    },
}  # fmt: skip


@pytest.mark.parametrize("pack", ["eu-ai-act-annex-iv", *BY_HAND])
def test_the_thorough_card_feeds_what_was_expected_by_hand(pack: str) -> None:
    expected = BY_HAND.get(pack, EXPECTED)
    quoted = {
        x.element.id: normalise(" ".join(s.text for s in x.sentences if s.kind == "card")) for s in made(pack, "chest-xray-triage").sections for x in s.elements
    }
    missed = {e: words for e, words in expected.items() if words not in quoted[e]}
    assert len(missed) <= (0.1 if expected is EXPECTED else 0.4) * len(expected), missed  # the goal is 0.4
    if pack == "eu-ai-act-annex-iv":
        assert quoted["8"] == quoted["1f"] == ""


def test_a_promise_in_the_card_answers_nothing() -> None:
    texts = {x.element.id: x for s in made("eu-ai-act-annex-iv", "skin-lesion").sections for x in s.elements}
    standards = texts["7"]
    assert [s.caution for s in standards.sentences if s.kind == "card"] == ["promised, not shown"]
    assert standards.state == "asked" and packs.pack("eu-ai-act-annex-iv").elements()[-3].ask in standards.sentences[2].text


@pytest.mark.parametrize(
    ("words", "caution"),
    [
        ("We will apply for CE marking soon.", "promised, not shown"),
        ("External validation is planned for next year.", "promised, not shown"),
        ("External validation was done at five hospitals.", ""),
        ("It was tested on 900 films. External validation is planned.", ""),
        ("See our website for details.", "points elsewhere"),
        ("We are fully GDPR compliant.", "a bare claim"),
        ("Photos are kept on our servers. We are fully GDPR compliant.", "holds a bare claim"),
    ],
)
def test_what_a_quotation_shows(words: str, caution: str) -> None:
    assert draft.caution_of(words) == caution


def test_a_facet_is_asked_once_in_the_element_it_fits() -> None:
    for pack in packs.pack_ids():
        asked = [(r, s.text) for s in made(pack, "skin-lesion").sentences() if s.kind == "input" and len(s.requirements) == 1 for r in s.requirements]
        facets = {(r.id, f"[INPUT NEEDED: {f.asks.strip()}]") for r in corpus.requirements() for f in r.facets}
        from_facets = [a for a in asked if a in facets]
        assert len(from_facets) == len(set(from_facets))


# ---- agreement ---------------------------------------------------------------------------------------------------


def test_drafts_of_one_card_agree_with_it() -> None:
    for name in CARDS:
        drafts = [as_json(p, name) for p in packs.pack_ids()]
        assert [d for d in draft.disagreements(drafts, card(name)) if d.one.startswith("draft")] == []


def changed(name: str, old: str, new: str) -> ModelCard:
    """The card read anew after one change of its words."""
    files = [(f.name, f.text.replace(old, new).encode()) for f in card(name).files]
    assert any(old in f.text for f in card(name).files)
    return modelcard.parse_card(files)


@pytest.mark.parametrize(
    ("field", "old", "new"),
    [
        ("version", "| Version | 2.1.0 |", "| Version | 3.0.0 |"),
        ("intended_purpose", "chest radiographs of adults", "chest radiographs of adults and children"),
        ("population", "Patients aged 18 years and above", "Patients aged 16 years and above"),
        ("metrics", "calibration slope is 0.97", "calibration slope is 0.91"),
    ],
)
def test_a_later_change_of_the_card_is_found_with_both_places(field: str, old: str, new: str) -> None:
    found = draft.disagreements([as_json("eu-ai-act-annex-iv", "chest-xray-triage")], changed("chest-xray-triage", old, new))
    mine = [d for d in found if d.field == field]
    assert mine and all(d.one.startswith("draft eu-ai-act-annex-iv") and "README.md" in d.other for d in mine)


def test_a_card_that_names_two_versions_disagrees_with_itself() -> None:
    text = "version 1.0\nversion 2.0\n"
    fields = (CardField("version", "1.0", "c.md", 8, 11, "stated"), CardField("version", "2.0", "c.md", 20, 23, "stated"))
    two = ModelCard("c", "0", (CardFile("c.md", text),), (), fields)
    assert [(d.field, d.says, d.says_there) for d in draft.disagreements([], two)] == [("version", "1.0", "2.0")]


def test_two_drafts_that_say_different_things_are_listed_with_both_places() -> None:
    old, new = as_json("eu-ai-act-annex-iv", "chest-xray-triage"), as_json("fda-device-software", "chest-xray-triage")
    aged = json.loads(json.dumps(old).replace("2.1.0", "2.0.9"))
    found = [d for d in draft.disagreements([aged, new], card("chest-xray-triage")) if d.one.startswith("draft") and d.other.startswith("draft")]
    assert {(d.field, d.says, d.says_there) for d in found} == {("version", "2.0.9", "2.1.0")}
    assert "eu-ai-act-annex-iv" in found[0].one and "fda-device-software" in found[0].other


@pytest.mark.parametrize(
    ("a", "b", "name", "agree"),
    [
        ("2.1", "2.1.0", "version", False),
        ("2.1.0", "2.1.0 (2026-09-14)", "version", True),
        ("1.0", "2.1.0", "version", False),
        ("ThoraxFlag", "ThoraxFlag 2.1", "name", True),
        ("It flags films of adults", "It flags films of adults and children.", "intended_purpose", False),
        ("It flags films of adults.", "It flags films of adults. It is no diagnosis.", "intended_purpose", True),
        ("It flags films of adults.", "It  flags films\nof adults.", "intended_purpose", True),
        ("| AUC | 0.97 |", "| AUC | 0.97 | 0.95-0.98 |", "metrics", True),
    ],
)
def test_when_two_statements_agree(a: str, b: str, name: str, agree: bool) -> None:
    assert draft._agree(a, b, name) is agree and draft._agree(b, a, name) is agree


@pytest.mark.parametrize(
    ("review", "found"),
    [
        ({"decision": "edit", "edited": "ThoraxFlag is meant for adults."}, 0),
        ({"decision": "edit", "edited": "ThoraxFlag is meant for 7777 adults."}, 1),
        ({"decision": "reject", "edited": ""}, 0),
    ],
)
def test_a_persons_words_are_compared_by_their_figures(review: dict[str, str], found: int) -> None:
    d = json.loads(json.dumps(as_json("eu-ai-act-annex-iv", "chest-xray-triage")))
    d["sections"][0]["elements"][0]["sentences"][1]["review"] = review
    rows = [r for r in draft.disagreements([d], card("chest-xray-triage")) if r.one.startswith("draft")]
    assert len(rows) == found and all(r.field == "intended_purpose" and "README.md" in r.other for r in rows)


def test_the_card_kept_with_a_draft_serves_as_the_card() -> None:
    d = as_json("gdpr-dpia", "chest-xray-triage")
    kept = draft.card_of(d, [{"file": f.name, "text": f.text} for f in card("chest-xray-triage").files])
    assert [x for x in draft.disagreements([d], kept) if x.one.startswith("draft")] == []
    assert {f.field for f in kept.fields} <= set(draft.AGREEING) and kept.stated("version")


# ---- renderings --------------------------------------------------------------------------------------------------


def flat(text: str) -> str:
    return re.sub(r"[\s|]+", "", normalise(text))


def text_of(format: str, data: bytes) -> str:
    if format == "docx":
        return "\n".join(docx.paragraphs(data))
    if format == "pdf":
        return "\n".join(re.sub(r"Machine-made by Pincite · run[^\n]*\npage \d+", "", page.extract_text()) for page in PdfReader(io.BytesIO(data)).pages)
    if format == "md":
        html = MarkdownIt("commonmark").enable("table").render(data.decode())
        return re.sub(r"<[^>]+>", "", html).replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    if format == "xlsx":
        return "\n".join(str(c) for s in openpyxl.load_workbook(io.BytesIO(data)) for row in s.iter_rows(values_only=True) for c in row if c is not None)
    return json.dumps(json.loads(data), ensure_ascii=False)


@pytest.mark.parametrize("format", [f for f in DRAFT_FORMATS if f != "json"])
@pytest.mark.parametrize("pack", ["eu-ai-act-annex-iv", "fda-pccp"])
def test_each_rendering_has_every_section_sentence_and_note(format: str, pack: str) -> None:
    d = as_json(pack, "chest-xray-triage")
    text = flat(re.sub(r"\|[-:| ]+\|", "", text_of(format, render_draft(format, d))))
    for section in d["sections"]:
        assert flat(section["title"]) in text
        for element in section["elements"]:
            assert flat(element["title"]) in text
            for s in element["sentences"]:
                words = re.sub(r"\n\|[-:| ]+\|", "", s["text"]) if view.grid(s["text"]) and format != "xlsx" else re.sub(r"\|[-:| ]+\|", "", s["text"])
                if format == "pdf" and flat(words) not in text:  # cut by a page's end or set in columns: its words are there
                    assert all(flat(w) in text for w in words.split()), s["text"]
                else:
                    assert flat(words) in text, s["text"]
    for note in d["notes"]:
        assert flat(note["quote"]) in text or format == "pdf"
        assert flat(note["citation"]) in text
    for needle in ("run-1", AS_OF, "ab" * 32, "cd" * 32, "Machine-made draft by pincite 0.1.0", view.official(d)):
        assert flat(needle) in text


def test_a_table_inside_a_quotation_is_set_as_a_table() -> None:
    text = "Before it\ngoes on.\n\n| Group | n |\n|---|---|\n| Women | 12 |\n\nAfter | it.\n"
    assert view.blocks(text) == ["Before it goes on.", [["Group", "n"], ["Women", "12"]], "After | it."]
    assert view.blocks("| no | table |\n") == ["| no | table |"]


def test_what_was_accepted_as_a_whole_is_listed_once() -> None:
    d = json.loads(json.dumps(as_json("gdpr-dpia", "skin-lesion")))
    inside = [x for e in d["sections"][0]["elements"] for x in e["sentences"]]
    for x in inside:
        x["review"] = {"decision": "accept", "by": "Ben", "time": "2026-11-23T10:00:00Z", "reason": "", "edited": "", "problems": [], "on": "0"}
    text = text_of("docx", render_draft("docx", d))
    assert "Accepted by Ben" not in text
    assert view.people(d) == [
        (
            "Decided as a whole",
            ["On", "Decision", "By", "Day", "Reason", "Sentences"],
            [[d["sections"][0]["title"], "accept", "Ben", "2026-11-23", "", str(len(inside))]],
        )
    ]


@pytest.mark.parametrize("format", DRAFT_FORMATS)
def test_the_same_draft_gives_the_same_bytes(format: str) -> None:
    d = as_json("gdpr-dpia", "chest-xray-triage")
    assert render_draft(format, d) == render_draft(format, json.loads(json.dumps(d)))


@pytest.mark.parametrize("format", ["docx", "md", "pdf", "xlsx"])
def test_the_auditors_switch_shows_or_hides_clause_references(format: str) -> None:
    d = as_json("gdpr-dpia", "skin-lesion")
    shown, hidden = (text_of(format, render_draft(format, d, clauses)) for clauses in (True, False))
    for needle in ("Art. 35(7)(c) GDPR", "GDPR-35-7-C"):
        assert flat(needle) in flat(shown) and flat(needle) not in flat(hidden)
    for section in d["sections"]:
        for element in section["elements"]:
            assert flat(element["title"]) in flat(hidden)


def test_nothing_else_stands_in_the_body_of_a_word_draft() -> None:
    d = as_json("fda-device-software", "skin-lesion")
    paper = Document(io.BytesIO(render_draft("docx", d)))
    body = [p.text for p in paper.paragraphs]
    start = max(i for i, p in enumerate(paper.paragraphs) if p.text == d["sections"][0]["title"])
    allowed = {flat(s["title"]) for s in d["sections"]}
    for section in d["sections"]:
        for e in section["elements"]:
            allowed.add(flat(f"{e['title']} ({e['citation']})"))
            for s in e["sentences"]:
                if s["kind"] == "law":
                    allowed.add(flat(f"Asked for: {s['text']} [{s['note']}]"))
                elif s["kind"] == "card":
                    allowed |= {*(flat(b) for b in view.blocks(s["text"]) if isinstance(b, str)), flat(f"{s['label']}:"), flat(f"— {view.source(s)}")}
                else:
                    allowed.add(flat(f"{s['text']} {view.asked_by(s, True)}"))
    stop = body.index("Notes")
    assert stop - start > 30
    assert [t for t in body[start:stop] if t.strip() and flat(t) not in allowed] == []


def test_a_house_template_is_used() -> None:
    house = Document()
    house.styles["Normal"].font.name = "Georgia"
    house.sections[0].header.paragraphs[0].text = "House of Examples"
    out = io.BytesIO()
    house.save(out)
    paper = Document(io.BytesIO(render_draft("docx", as_json("fda-pccp", "skin-lesion"), template=out.getvalue())))
    assert paper.styles["Normal"].font.name == "Georgia"
    assert paper.sections[0].header.paragraphs[0].text == "House of Examples"


def test_a_template_without_our_styles_gets_them_and_another_file_is_refused() -> None:
    bare = Document()
    for name in ("Title", "Heading 1", "Heading 2"):
        bare.styles[name].delete()
    out = io.BytesIO()
    bare.save(out)
    paper = Document(io.BytesIO(render_draft("docx", as_json("fda-pccp", "skin-lesion"), template=out.getvalue())))
    assert {"Title", "Heading 1", "Heading 2"} <= {p.style.name for p in paper.paragraphs if p.style}
    for data in (b"no zip", b"PK\x03\x04 broken"):
        with pytest.raises(Unreadable, match="cannot be read as a Word document"):
            render_draft("docx", as_json("fda-pccp", "skin-lesion"), template=data)


def said(name: str) -> dict[str, Any]:
    """A draft on which people have decided, signed, remarked, and which disagrees with another."""
    d = json.loads(json.dumps(as_json("gdpr-dpia", name)))
    sentences = [x for s in d["sections"] for e in s["elements"] for x in e["sentences"]]
    by = {"by": "Ben", "time": "2026-11-23T10:00:00Z", "problems": [], "machine": ""}
    sentences[0]["review"] = {**by, "decision": "edit", "edited": "Words of a person.", "reason": "clearer", "problems": ["the number 9 stands in none"]}
    sentences[1]["review"] = {**by, "decision": "reject", "edited": "", "reason": "not ours"}
    sentences[2]["review"] = {**by, "decision": "accept", "edited": "", "reason": ""}
    d["signatures"] = [
        {
            "by": "Ada",
            "meaning": "author",
            "time": "2026-11-23T11:00:00Z",
            "official": "0 of 9",
            "acknowledged": False,
            "void": ["the card has changed since Ada signed"],
        }
    ]
    d["remarks"] = [{"target": "1-1", "by": "Cy", "time": "2026-11-23T11:00:00Z", "text": "Whose words?", "owner": "Dee", "due": "2026-12-01"}]
    d["disagreements"] = [{"field": "version", "one": "draft a, 1", "says": "1.0", "other": "draft b, 2", "says_there": "2.0"}]
    return d


@pytest.mark.parametrize("format", ["docx", "md", "pdf", "xlsx"])
def test_what_people_said_stands_in_every_rendering_with_the_machines_words(format: str) -> None:
    d = said("skin-lesion")
    sentences = [x for s in d["sections"] for e in s["elements"] for x in e["sentences"]]
    text = flat(text_of(format, render_draft(format, d)))
    for needle in (
        "Words of a person.", "Edited by Ben, 2026-11-23: clearer", "Check: the number 9 stands in none", "Left out by Ben, 2026-11-23: not ours",
        "Accepted by Ben", "VOID: the card has changed since Ada signed", "Whose words?", "Dee", "draft a, 1", "draft b, 2",
        *(" ".join(x["text"].split()) for x in sentences[:2]),
    ):  # fmt: skip
        assert flat(needle) in text, needle


def test_an_unknown_draft_format_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no draft format 'html'"):
        render_draft("html", as_json("fda-pccp", "skin-lesion"))


def test_the_fda_folder_is_in_submission_order_with_a_paste_map() -> None:
    drafts = [as_json("fda-pccp", "chest-xray-triage"), as_json("fda-device-software", "chest-xray-triage", "basic"), as_json("gdpr-dpia", "chest-xray-triage")]
    files = folder.render_folder(drafts)
    names = list(files)
    assert names[0] == "00-paste-map.md" and len(names) == 1 + 10 + len(packs.pack("fda-pccp").sections)
    assert names[1] == "01-documentation-level-evaluation.docx" and names[11] == "11-description-of-modifications.docx"
    paste = files["00-paste-map.md"].decode()
    for name in names[1:]:
        assert name in paste
        assert Document(io.BytesIO(files[name])).core_properties.author.startswith("Pincite")
    assert "Software/Firmware" in paste and folder.render_folder(drafts) == files


def test_the_checklist_leaves_room_for_answers() -> None:
    d = as_json("dpdp-assessment", "skin-lesion")
    book = openpyxl.load_workbook(io.BytesIO(render_draft("xlsx", d)))
    rows = list(book["Questions"].iter_rows(min_row=2, values_only=True))
    assert [r[2] for r in rows] == [x["text"] for _, x in view.questions(d)]
    assert all(r[0] and not r[3] for r in rows)


def test_sentences_are_values() -> None:
    first = next(iter(made("fda-pccp", "skin-lesion").sentences()))
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.text = "other"  # type: ignore[misc]


def test_samples_are_there() -> None:
    assert {"chest-xray-triage", "skin-lesion"} <= set(CARDS)
