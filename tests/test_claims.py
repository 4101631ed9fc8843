"""Figures that a card claims against computed ones: what is another figure, what is no claim of that figure, and what a gap analysis makes of it."""

import contextlib
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from assistant import __version__
from assistant.assess import assess
from assistant.claims import Computed, conflicts
from assistant.errors import PinciteError
from assistant.evidence import folder, metrics, report, run
from assistant.findings import CardFile, Facet, ModelCard, Requirement
from assistant.modelcard import parse_card
from assistant.pinpoint import Pinpoint
from assistant.reading import read
from assistant.settings import Settings
from assistant.workbench import Workbench
from tests.test_evidence import frame, saved

FRAGMENT = "ev/metrics.card.md"
SENTENCE = "A computed sentence."


def figure(metric: str, value: float, column: str = "", group: str = "", of: str = "", threshold: float | None = 0.5) -> Computed:
    return Computed(metric, of, column, group, "", value, threshold, FRAGMENT, 0, len(SENTENCE), SENTENCE)


COMPUTED = [
    figure("sensitivity", 0.8712), figure("specificity", 0.9), figure("auc", 0.9349), figure("accuracy", 0.88), figure("mean", 0.812, of="dice"),
    figure("sensitivity", 0.85, "sex", "F"), figure("sensitivity", 0.89, "sex", "M"), figure("sensitivity", 0.8, "site", "A"), figure("auc", 0.9, "scanner", "Vendor X"),
]  # fmt: skip


def contradicted(text: str) -> list[str]:
    card = ModelCard("x", "", (CardFile("README.md", text), CardFile(FRAGMENT, SENTENCE)), (), ())
    found = conflicts(read(card), COMPUTED)
    assert all(text[c.claim.start : c.claim.end] == c.claim.quote and c.computed.quote == SENTENCE for c in found)
    return [c.claim.quote for c in found]


@pytest.mark.parametrize(
    "text",
    [
        "Sensitivity was 0.94.", "The sensitivity of the model is 94 %.", "Sensitivity was 0.94 (95 % CI 0.91-0.96).", "The model reaches a recall of 0.94 on 500 patients.",
        "It has 94% sensitivity.", "AUC: 0.97", "The AUROC on the test set was 0.98.", "Sensitivity was 0.94 and specificity 0.90.", "Sensitivity in women was 0.92.",
        "At site A, sensitivity was 0.91.", "The AUC on Vendor X was 0.95.", "Sensitivity was 0.8.", "The Dice score was 0.91.", "The mean Dice coefficient was 0.85.",
        "| Metric | Value |\n|---|---|\n| Sensitivity | 0.94 |", "| Group | Sensitivity |\n|---|---|\n| Women | 0.93 |", "| Group | AUC | Specificity |\n|---|---|---|\n| All | 0.97 | 0.90 |",
        "Accuracy was 91 percent.",
    ],
)  # fmt: skip
def test_another_figure_contradicts(text: str) -> None:
    assert len(contradicted(f"# X\n\n## Evaluation\n\n{text}\n")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Sensitivity was 0.871.", "Sensitivity was 0.87.", "Sensitivity was 0.9.", "Sensitivity was 87 %.", "Sensitivity was 87.1 %.", "The AUC was 0.93.", "The AUC was 0.935.",
        "Sensitivity in women was 0.85.", "Sensitivity in children was 0.94.", "Sensitivity was 0.85 in women and 0.89 in men.", "Sensitivity was above 0.80.",
        "The target sensitivity is 0.95.", "We plan to reach a sensitivity of 0.95.", "Radiologists alone had a sensitivity of 0.81.", "Training sensitivity was 0.99.",
        "The previous version had a sensitivity of 0.81.", "Smith et al. report a sensitivity of 0.95.", "Sensitivity improved by 0.03.", "Sensitivity should be 0.95.",
        "Sensitivity is between 0.80 and 0.90.", "At a threshold of 0.3 sensitivity was 0.95.", "Sensitivity, measured on 0.5 mm slices, was 0.94.", "Balanced accuracy was 0.95.",
        "The AUC of the membership-inference attack was 0.51.", "Sensitivity was 0.95 with the AI and 0.90 without.", "The F1 score was 0.95.", "Sensitivity is 0.95 if used as intended.",
        "External: sensitivity was 0.95.", "Internal sensitivity was 0.95; on this set it was 0.87.", "Lesion-level sensitivity was 0.95.",
        "| Group | Sensitivity |\n|---|---|\n| Children | 0.93 |", "| Site | Reader | Sensitivity |\n|---|---|---|\n| B | 1 | 0.93 |", "Is sensitivity 0.95?",
        "Sensitivity was 0.94 in one run. Over all, sensitivity was 0.871.", "NPV was 0.99.", "The p-value for sensitivity was 0.03.", "Sensitivity (95 % CI 0.91-0.96) is reported below.",
    ],
)  # fmt: skip
def test_what_agrees_or_speaks_of_something_else_does_not(text: str) -> None:
    assert contradicted(f"# X\n\n## Evaluation\n\n{text}\n") == []


def test_what_is_left_in_headers_contradicts_that_all_was_removed() -> None:
    text = "# X\n\nAll identifiers were removed from the DICOM headers.\n\nThe images will be fully anonymised.\n\nSite staff have no access to identifying data of others.\n"
    card = ModelCard("x", "", (CardFile("README.md", text), CardFile("ev/dicom.card.md", SENTENCE)), (), ())
    left = Computed("identifiers", "", "", "", "", 3, None, "ev/dicom.card.md", 0, len(SENTENCE), SENTENCE)
    assert "All identifiers were removed from the DICOM headers." in [c.claim.quote for c in conflicts(read(card), [left])]
    none = Computed("identifiers", "", "", "", "", 0, None, "ev/dicom.card.md", 0, len(SENTENCE), SENTENCE)
    assert conflicts(read(card), [none]) == ()


# ---- a whole run -----------------------------------------------------------------------------------------------------------


def requirement(*facets: Facet) -> Requirement:
    return Requirement(
        "T-1", "eu-ai-act", Pinpoint("eu-ai-act", "art-15(1)"), "t", "o", "provider", "always", "", "major", "in-force", (), "law", "", facets, "r"
    )  # fmt: skip


ACCURACY = Facet("accuracy", "Accuracy with its interval.", (("sensitivity",), (r"re:\b0?\.\d+",), ("CI",)), ("metrics",))
PLAN = Facet("plan", "Who the patients are.", (("patients",), (r"re:\b\d+",)), ("population",))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("ev")
    request = metrics.Request(saved(where, frame(200)), ("y",), ("p",), groups=("sex",), bootstraps=100)
    run.write(where / "figures", run.make(request, __version__))
    return where / "figures"


def judged(made: Path, text: str) -> tuple[ModelCard, list[tuple[str, list[str]]]]:
    kept = folder.load([made])
    card = parse_card([("README.md", text.encode()), *((k.name, k.text.encode()) for k in kept)])
    analysis = assess(card, [requirement(ACCURACY, PLAN)], {}, "2026-11-22", lambda p: (), everything=True, computed=[f for k in kept for f in k.figures])
    files = {f.name: f.text for f in card.files}
    for f in analysis.findings[0].facets:
        assert all(files[e.file][e.start : e.end] == e.quote for e in f.evidence)
    return card, [(f.status, [e.file for e in f.evidence]) for f in analysis.findings[0].facets]


def test_a_fragment_bears_results_and_nothing_else(made: Path) -> None:
    card, facets = judged(made, "# Model X\n\nA classifier.\n")
    assert facets[0][0] == "found" and set(facets[0][1]) == {"figures/metrics.card.md"} and facets[1] == ("missing", [])
    assert {f.name for f in card.files} == {"README.md", "figures/metrics.card.md"}


def test_a_wrong_claim_contradicts_the_facet_it_bears_and_a_right_one_does_not(made: Path) -> None:
    _, facets = judged(made, "# Model X\n\nSensitivity was 0.99 (95 % CI 0.98 to 1.00) in 200 patients.\n")
    assert facets[0] == ("contradicted", ["README.md", "figures/metrics.card.md"]) and facets[1] == ("found", ["README.md"])
    (kept,) = folder.load([made])
    right = next(f.value for f in kept.figures if f.metric == "sensitivity" and not f.column)
    _, facets = judged(made, f"# Model X\n\nSensitivity was {right:.2f} (95 % CI 0.60 to 0.90) in 200 patients.\n")
    assert facets[0][0] == "found"


def test_evidence_that_was_changed_is_refused(made: Path, tmp_path: Path) -> None:
    for name, old, new in (("metrics.card.md", "Sensitivity", "Sensibility"), ("metrics.json", '"cases": 200', '"cases": 900')):
        for file in ("metrics.card.md", "metrics.json"):
            data = (made / file).read_text("utf8")
            assert file != name or old in data
            (tmp_path / file).write_text(data.replace(old, new) if file == name else data, "utf8")
        with pytest.raises(PinciteError, match="was changed"):
            folder.load([tmp_path])
    (tmp_path / "metrics.json").write_text(json.dumps({"schema": report.SCHEMA, "kind": "metrics", "results": 7}))
    with pytest.raises(PinciteError, match="no sound evidence"):
        folder.load([tmp_path])
    with pytest.raises(PinciteError, match="holds no evidence"):
        folder.load([tmp_path / "nowhere"])


# ---- the workbench and the app ---------------------------------------------------------------------------------------------


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(Settings(home=tmp_path / "home", llm="none", user="ada"))


def test_evidence_is_one_record_and_gaps_names_it(bench: Workbench, tmp_path: Path) -> None:
    results = saved(tmp_path, frame(200))
    found = bench.evidence(metrics.Request(results, ("y",), ("p",), groups=("sex",), bootstraps=100), tmp_path / "out")
    last = list(bench.audit_tail(5))[-1]
    assert last.action == "evidence" and last.id == found["audit"] and last.body["files"] == found["files"] and bench.verify_audit().sound
    assert {name: hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() for name in found["files"]} == found["files"]
    card = tmp_path / "README.md"
    card.write_text("# Model X\n\nIt reads chest radiographs.\n\nSensitivity was 0.99 on the test set of 200 patients.\n")
    report = bench.gaps(card, "2026-11-22", ("eu-ai-act",), (), None, True, "", [tmp_path / "out"])
    (kept,) = report["evidence"]
    assert kept["audit"] == found["audit"] and kept["file"] == "out/metrics.card.md"
    shown = {f["file"]: f["text"] for f in bench.card_show(card, [tmp_path / "out"])["files"]}
    quotes = [e for f in report["findings"] for x in f["facets"] for e in x["evidence"]]
    assert quotes and all(shown[e["file"]][e["start"] : e["end"]] == e["quote"] for e in quotes)
    wrong = [x for f in report["findings"] for x in f["facets"] if x["status"] == "contradicted"]
    assert wrong and all({e["file"] for e in x["evidence"]} == {"README.md", "out/metrics.card.md"} for x in wrong)
    fields = bench.card_show(card, [tmp_path / "out"])["fields"]
    assert {f["field"] for f in fields if f["file"] == "out/metrics.card.md" and f["state"] == "stated"} <= {"metrics", "subgroups", "evaluation"}


def test_the_card_page_shows_the_figures_and_their_pictures(bench: Workbench, made: Path, tmp_path: Path) -> None:
    from assistant.ui import card
    from assistant.ui.gaps import computed_beside

    readme = tmp_path / "README.md"
    readme.write_text("# Model X\n\nIt reads chest radiographs.\n")
    files = [str(readme), *map(str, sorted(made.iterdir()))]
    shell = SimpleNamespace(bench=bench, acting=lambda request, action: contextlib.nullcontext())
    html, found, _ = card.read(shell, None, files, None, {})  # type: ignore[arg-type]
    assert found is not None and {f["file"] for f in found["files"]} == {"README.md", "evidence/metrics.card.md"}
    assert html.count("data:image/png;base64,") == 2 and "Sensitivity, scores from 0.5 on counted as positive, was" in html
    with computed_beside([str(readme), str(tmp_path / "privacy.md")]) as none:  # one's own file of that name is none of ours
        assert none == []
