"""Cards of every form: fields at their places, what is missing, what is hidden, and files that nobody should be able to break."""

import io
import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.cardfields import FIELDS, REQUIRED, field_of
from assistant.errors import PinciteError, Unreadable
from assistant.findings import ModelCard
from assistant.modelcard import check_card, parse_card, read_card
from assistant.reading import read
from assistant.statements import BrokenData, clean, json_scalars, sentences, statements, yaml_scalars

CARDS = Path(__file__).parent / "samples" / "cards"
SAMPLES = sorted(p for p in CARDS.iterdir())
SHIPPED = sorted((Path(__file__).parents[1] / "corpus" / "cards").iterdir())


def value(card: ModelCard, field: str) -> str:
    return " / ".join(f.value for f in card.stated(field))


# ---- fields --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*SAMPLES, *SHIPPED], ids=lambda p: p.name)
def test_every_value_is_the_slice_at_its_place(path: Path) -> None:
    card = read_card(path)
    texts = {f.name: f.text for f in card.files}
    assert {f.field for f in card.fields} == set(FIELDS)
    for f in card.fields:
        assert f.state in ("stated", "missing", "unreadable")
        if f.state == "stated":
            assert f.value and texts[f.file][f.start : f.end] == f.value
        else:
            assert f.value == ""
    for s in card.sections:
        assert 0 <= s.start <= s.end <= len(texts[s.file])
    for unit in read(card).units:
        s = unit.statement
        assert clean(texts[s.file][s.start : s.end]) == s.words or s.words.endswith(clean(texts[s.file][s.start : s.end]))


@pytest.mark.parametrize(
    ("sample", "field", "expected"),
    [
        ("monai", "name", "Kidney CT segmentation (sample)"),
        ("monai", "version", "0.3.1"),
        ("monai", "developer", "Northfjord Imaging Group"),
        ("monai", "training_data", "A public kidney challenge set"),
        ("monai", "hardware", "at least 16GB of GPU memory"),
        ("azure_style.md", "developer", "Harbour Eye Analytics Ltd."),
        ("azure_style.md", "version", "4"),
        ("azure_style.md", "inputs", "One colour fundus photograph, 45 degrees, at least 1500 pixels wide"),
        ("azure_style.md", "oversight", "A grader confirms every grade before it reaches the patient."),
        ("azure_style.md", "privacy", "de-identified before transfer"),
        ("plain.txt", "contacts", "help@otoscope.example"),
        ("plain.txt", "limitations", "It has not been tested on photographs with ear wax that hides the drum."),
        ("plain.txt", "training_data", "6,120 photographs of 2,890 children"),
        ("unusual.md", "version", "0.9-beta"),
        ("unusual.md", "intended_purpose", "Measures the Cobb angle in adolescents"),
        ("unusual.md", "limitations", "Fails when the pelvis is not in the picture."),
        ("folder", "metrics", 'type: froc, value: 0.81, name: "FROC (95% CI 0.77-0.85)'),
        ("folder", "metrics", "value: 0.79"),
        ("folder", "monitoring", "checked every month against a limit of 1.5 per scan"),
        ("folder", "base_model", "someone/base-vit"),
    ],
)
def test_fields_of_the_samples(sample: str, field: str, expected: str) -> None:
    assert expected in value(read_card(CARDS / sample), field)


CHAI = {
    "name": "BleedAlert & Route (sample)", "developer": "Cedar Point Imaging, Inc.", "contacts": "safety@cedarpoint.example", "date": "2025-06-30", "version": "3.2",
    "regulatory_status": "FDA 510(k) cleared as triage software (K000001, made up)", "description": "Flags **suspected intracranial haemorrhage** on non-contrast head CT.",
    "users": "Hospital radiologists", "population": "Adults of 22 years and older who undergo head CT", "contraindications": "Not for paediatric patients; not for contrast studies.",
    "limitations": "Motion artefacts lower sensitivity. / Older scanners were under-represented.", "outputs": "A binary flag for each study", "architecture": "Convolutional neural network",
    "training_data": "24,000 head CTs from 11 US sites, 2014 to 2022; 51 % women.", "monitoring": "Performance is reviewed monthly with each site.",
    "security": "SOC 2 Type II audit each year; data are encrypted in transit and at rest.",
    "setting": "Notifications appear in the worklist.\n- Open the study.\n- Read it as usual.",
}  # fmt: skip


@pytest.mark.parametrize("version", ["chai_v01.xml", "chai_v02.xml"])
@pytest.mark.parametrize(("field", "expected"), CHAI.items())
def test_chai_fields_are_exact(version: str, field: str, expected: str) -> None:
    assert value(read_card(CARDS / version), field) == expected


def test_chai_metrics_keep_label_value_and_group() -> None:
    card = read_card(CARDS / "chai_v02.xml")
    assert "Sensitivity: 0.936 (95% CI 0.916-0.951)" in value(card, "metrics")
    assert "Sensitivity, women: 0.931 (0.900-0.953)" in value(card, "subgroups")
    assert not card.stated("base_model"), "N/A states nothing"
    assert "External validation was performed" not in "".join(f.text for f in card.files), "the bibliography is no text of the card"
    assert "exported by a sample tool; external validation was performed everywhere" in card.hidden


def test_a_template_states_nothing() -> None:
    card = read_card(CARDS / "hf_template.md")
    assert [f.field for f in card.fields if f.state == "stated"] == []
    assert len(card.hidden) >= 3
    lines = (CARDS / "hf_template.md").read_text().split("\n")
    placed = {p.field: p for p in check_card(card)}
    assert "Developed by" in lines[placed["developer"].line - 1]
    assert lines[placed["training_data"].line - 1] == "### Training Data"
    assert all(placed[name].required for name in REQUIRED)


def test_broken_front_matter_is_unreadable_and_the_rest_is_read() -> None:
    card = read_card(CARDS / "broken.md")
    states = {f.field: f.state for f in card.fields}
    assert states["metrics"] == states["licences"] == "unreadable"
    assert states["intended_purpose"] == "stated"
    assert card.problems and "line 3" in card.problems[0]


def test_an_odd_results_block_is_unreadable_not_absent() -> None:
    card = read_card(CARDS / "bad_results.md")
    assert [f.state for f in card.fields if f.field == "metrics"] == ["unreadable"]
    assert value(card, "licences") == "mit"
    assert any("model-index" in p for p in card.problems)


def test_a_thorough_card_lacks_no_required_field() -> None:
    card = read_card(next(p for p in SHIPPED if p.name == "chest-xray-triage"))
    assert not [p for p in check_card(card) if p.required]


@pytest.mark.parametrize(
    ("title", "field"),
    [
        ("Intended Use", "intended_purpose"), ("Out-of-Scope Use", "contraindications"), ("2.3 Training Data", "training_data"), ("Bias, Risks, and Limitations", "limitations"),
        ("EthicalConsiderations", "limitations"), ("Human oversight measures", "oversight"), ("Ground Truth", "reference_standard"), ("Fairness", "subgroups"), ("Known failure modes", "failure_modes"),
        ("Post-Market Surveillance", "monitoring"), ("Model Card Contact", "contacts"), ("License", "licences"), ("Hardware requirements", "hardware"), ("Software bill of materials and cybersecurity", "security"),
        ("External Validation", "external_validation"), ("How to cite", ""), ("Acknowledgements", ""), ("Primary intended users", "users"), ("Target patient population", "population"), ("Data Splits", "split"),
    ],
)  # fmt: skip
def test_headings_name_fields(title: str, field: str) -> None:
    assert field_of(title) == field


# ---- hidden text ---------------------------------------------------------------------------------------------------


def test_hidden_words_are_listed_and_said_by_nobody() -> None:
    card = read_card(CARDS / "hidden.md")
    numbers = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "nineteen"]
    for word in numbers:
        assert any(f"{word} hospitals" in h for h in card.hidden)
    assert any("the front matter's comment" in h for h in card.hidden)
    said = " ".join(s.words for f in card.files for s in statements(f.name, f.text))
    assert "validation" not in said
    assert "Visible words describe a liver segmentation model." in said and "visible words." in said
    fields = " ".join(f.value for f in card.fields)
    assert "validation" not in fields


def docx_card() -> bytes:
    docx = pytest.importorskip("docx")
    document = docx.Document()
    document.add_heading("Model card for KneeGrade", 0)
    document.add_heading("Intended use", 1)
    paragraph = document.add_paragraph("Grades knee osteoarthritis on radiographs. ")
    run = paragraph.add_run("External validation was performed in secret.")
    run.font.hidden = True
    white = paragraph.add_run("External validation was performed in white.")
    white.font.color.rgb = docx.shared.RGBColor(255, 255, 255)
    paragraph.add_run(" For orthopaedic surgeons.")
    document.add_paragraph("first point", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for row, (key, word) in enumerate((("Version", "2.0"), ("Manufacturer", "Patella AB"))):
        table.cell(row, 0).text, table.cell(row, 1).text = key, word
    document.add_heading("Limitations", 2)
    document.add_paragraph("[More Information Needed]")
    document.core_properties.comments = "External validation was performed in the properties."
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def pdf_card(metadata: str = "") -> bytes:
    canvas = pytest.importorskip("reportlab.pdfgen.canvas")
    out = io.BytesIO()
    page = canvas.Canvas(out)
    page.setFont("Helvetica-Bold", 20)
    page.drawString(72, 780, "Model card for HipMeter")
    page.setFont("Helvetica-Bold", 14)
    page.drawString(72, 750, "Intended use")
    page.setFont("Helvetica", 10)
    page.drawString(72, 730, "HipMeter measures hip angles on ultrasound of infants for")
    page.drawString(72, 718, "paediatric radiologists.")
    page.setFillColorRGB(1, 1, 1)
    page.drawString(72, 690, "External validation was performed in white.")
    page.setFillColorRGB(0, 0, 0)
    page.setFont("Helvetica-Bold", 14)
    page.drawString(72, 660, "Limitations")
    page.setFont("Helvetica", 10)
    page.drawString(72, 640, "Not tested in premature infants, and less exact below a depth of four centimetres.")
    text = page.beginText(72, 600)
    text.setTextRenderMode(3)
    text.textLine("External validation was performed by ghosts.")
    page.drawText(text)
    page.save()
    data = out.getvalue()
    if not metadata:
        return data
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    writer.add_metadata({"/chaiMcXml": metadata, "/chaiMcSoftwareId": "sample"})
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_docx_shows_what_its_reader_sees() -> None:
    card = parse_card([("card.docx", docx_card())])
    assert card.name == "KneeGrade"
    assert value(card, "version") == "2.0" and value(card, "developer") == "Patella AB"
    assert "For orthopaedic surgeons." in value(card, "intended_purpose")
    assert not card.stated("limitations")
    assert "External validation" not in card.files[0].text
    assert {h.rsplit(" ", 1)[-1] for h in card.hidden if "External validation" in h} == {"secret.", "white.", "properties."}


def test_pdf_shows_what_its_reader_sees() -> None:
    card = parse_card([("card.pdf", pdf_card())])
    assert card.name == "HipMeter"
    assert "measures hip angles on ultrasound of infants for paediatric radiologists." in value(card, "intended_purpose")
    assert "premature infants" in value(card, "limitations")
    assert "External validation" not in card.files[0].text
    assert {h.rsplit(" ", 1)[-1] for h in card.hidden if "External validation" in h} == {"white.", "ghosts."}


@pytest.mark.parametrize(("field", "expected"), [("name", CHAI["name"]), ("users", CHAI["users"]), ("monitoring", CHAI["monitoring"])])
def test_a_pdf_that_carries_a_chai_card_is_read_from_it(field: str, expected: str) -> None:
    data = pdf_card((CARDS / "chai_v02.xml").read_text())
    card = parse_card([("card.pdf", data)])
    assert value(card, field) == expected
    assert "HipMeter" not in card.files[0].text


# ---- refusals and rubbish ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("README.md", b"", "empty"), ("README.md", b"  \n\t ", "empty"), ("card.bin", bytes(range(256)) * 40, "binary"), ("card.docx", b"PK\x03\x04nothing", "damaged"), ("card.pdf", b"%PDF-1.7\nnothing", "damaged"),
        ("card.xml", b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "entities"), ("card.xml", b"<?xml version='1.0'?><a><b></a>", "damaged"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_a_reason(name: str, data: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        parse_card([(name, data)])
    assert refusal.value.code == code and refusal.value.hint


def test_a_missing_path_and_an_empty_folder(tmp_path: Path) -> None:
    for path, code in ((tmp_path / "nothing.md", "not-found"), (tmp_path, "no-card")):
        with pytest.raises(Unreadable) as refusal:
            read_card(path)
        assert refusal.value.code == code


def test_a_folder_is_read_without_what_is_no_card(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# A model\n\nIt measures hips.\n")
    for name in ("LICENSE.txt", "facts.json", "requirements.txt", "pincite.toml", "weights.bin", ".secret.md"):
        (tmp_path / name).write_text("External validation was performed.")
    (tmp_path / "outside.md").symlink_to(CARDS / "plain.txt")
    card = read_card(tmp_path)
    assert [f.name for f in card.files] == ["README.md"]


def variants(data: bytes, seed: int) -> list[bytes]:
    rng = random.Random(seed)
    flipped = bytearray(data)
    for _ in range(25):
        flipped[rng.randrange(len(flipped))] = rng.randrange(256)
    rubbish = bytes(rng.randrange(256) for _ in range(3000))
    return [
        data[: len(data) // 3],
        data[: len(data) // 2],
        data[:-3],
        data + data,
        data + rubbish,
        rubbish + data,
        bytes(flipped),
        data.replace(b"\n", b"\r\n"),
        data.replace(b" ", b"\x00", 5),
    ]


@pytest.mark.parametrize("name", ["azure_style.md", "chai_v02.xml", "plain.txt", "hidden.md", "broken.md", "card.docx", "card.pdf", "metadata.json"])
def test_damaged_cards_are_read_or_refused(name: str) -> None:
    made = {"card.docx": docx_card, "card.pdf": pdf_card, "metadata.json": lambda: (CARDS / "monai/configs/metadata.json").read_bytes()}
    data = made[name]() if name in made else (CARDS / name).read_bytes()
    for seed in range(3):
        for damaged in variants(data, seed):
            try:
                card = parse_card([(name, damaged)])
            except PinciteError as error:
                assert error.line() and "\n" not in error.line()
                continue
            texts = {f.name: f.text for f in card.files}
            assert all(texts[f.file][f.start : f.end] == f.value for f in card.fields if f.state == "stated")


@pytest.mark.slow
@pytest.mark.parametrize(
    "padding",
    [
        b"[" * 5_000_000,
        b"<div " * 1_000_000,
        b"<!-- " * 1_000_000,
        b"| a | b |\n" * 500_000,
        b" " * 5_000_000 + b"x",
        b"word " * 1_000_000,
        b"\n" * 5_000_000,
        b"`" * 5_000_000,
    ],
)
def test_five_megabytes_more_do_not_hang(padding: bytes) -> None:
    card = parse_card([("README.md", b"# Model card for Big\n\n## Intended use\nMeasures hips.\n\n" + padding)])
    assert card.name == "Big"
    assert "Measures hips." in value(card, "intended_purpose") and any("very long" in p for p in card.problems)


def test_deep_and_endless_data_is_refused_in_time() -> None:
    bomb = "a: &a [x,x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)},*{chr(97 + i)},*{chr(97 + i)}]\n" for i in range(20))
    assert len(yaml_scalars(bomb)) == 2, "aliases are not followed"
    for broken in ("a: " + "[" * 20000, "x: y\n" * 60_000):
        with pytest.raises(BrokenData):
            yaml_scalars(broken)
    with pytest.raises(BrokenData):
        json_scalars("[" * 20000 + "]" * 20000)


# ---- statements ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It works. It was tested by Dr. Ada Stone at St. Mary. Done!", ["It works.", "It was tested by Dr. Ada Stone at St. Mary.", "Done!"]),
        ("Values, e.g. 0.91 vs. 0.89, are in Fig. 2. See there.", ["Values, e.g. 0.91 vs. 0.89, are in Fig. 2.", "See there."]),
        ("One line  \nanother line", ["One line", "another line"]),
        ('He said "stop." Then he left.', ['He said "stop."', "Then he left."]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert [text[s:e] for s, e in sentences(text, 0, len(text))] == expected


def test_lists_and_tables_keep_what_introduces_them() -> None:
    text = "# T\n\nThe device was not tested for:\n\n- children\n- pregnant women\n\n| Group | AUC |\n|---|---|\n| Men | 0.9 |\n"
    said = [(s.lead, s.words) for s in statements("a.md", text)]
    assert ("The device was not tested for:", "children") in said
    assert ("Group | AUC", "Men | 0.9") in said


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_cut_into_slices_of_itself(text: str) -> None:
    for name in ("a.md", "a.txt", "a.json", "a.yaml"):
        for s in statements(name, text):
            assert 0 <= s.start < s.end <= len(text) and s.words


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
        lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=4), x, max_size=3),
        max_leaves=12,
    )
)
def test_json_scalars_slice_back(data: object) -> None:
    text = json.dumps(data, ensure_ascii=False, indent=1)
    for scalar in json_scalars(text):
        raw = text[scalar.start : scalar.end]
        assert raw == scalar.value or json.loads(f'"{raw}"') == scalar.value
