"""Evidence from a project's own files: figures against scikit-learn and fairlearn, intervals, what was planted, hostile input, repetition."""

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import demographic_parity_difference, equal_opportunity_difference, equalized_odds_difference
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics as sk

from assistant import __version__
from assistant.errors import PinciteError
from assistant.evidence import dicom, drift, intervals, metrics, plots, privacy, report, run, split, tables

CLOSE = 1e-9


def frame(n: int = 400, seed: int = 0, rows_each: int = 1) -> pd.DataFrame:
    """A made-up study: a classifier's scores for two sexes and three sites, and one value a case."""
    rng = np.random.default_rng(seed)
    of = np.arange(n) // rows_each
    y = rng.random(n) < 0.35
    return pd.DataFrame(
        {
            "patient": [f"P{i:04d}" for i in of], "y": y.astype(int), "p": np.round(1 / (1 + np.exp(-rng.normal(2.5 * y - 1.2, 1.3))), 3),
            "sex": np.array(["F", "M"])[rng.integers(0, 2, n)[of]], "site": np.array(["A", "B", "C"])[rng.integers(0, 3, n)],
            "dice": np.round(rng.beta(8, 2, n), 4),
        }
    )  # fmt: skip


def saved(folder: Path, data: pd.DataFrame, name: str = "r.csv") -> Path:
    path = folder / name
    data.to_parquet(path) if name.endswith("parquet") else data.to_csv(path, index=False)
    return path


def results(path: Path, **wanted: Any) -> dict[str, Any]:
    return metrics.compute(metrics.Request(path, **({"labels": ("y",), "scores": ("p",), "bootstraps": 200} | wanted)))


def groups(found: dict[str, Any], column: str) -> dict[str, Any]:
    (part,) = [s for s in found["slices"] if s["column"] == column]
    return {g["group"]: g for g in part["groups"]}


# ---- figures against the libraries ---------------------------------------------------------------------------------------


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(120, 300), steps=st.sampled_from([2, 10, 1000]))
def test_figures_are_scikit_learns(tmp_path_factory: pytest.TempPathFactory, seed: int, n: int, steps: int) -> None:
    data = frame(n, seed)
    data["p"] = (data.p * steps).round() / steps  # many ties, or none
    found = results(saved(tmp_path_factory.mktemp("r"), data), groups=("sex",), bootstraps=100)
    for name, own in {"all": data, "F": data[data.sex == "F"], "M": data[data.sex == "M"]}.items():
        group = groups(found, "" if name == "all" else "sex")[name]["figures"]
        chosen = own.p >= 0.5
        expected = {
            "prevalence": own.y.mean(), "selection_rate": chosen.mean(), "accuracy": sk.accuracy_score(own.y, chosen), "auc": sk.roc_auc_score(own.y, own.p),
            "sensitivity": sk.recall_score(own.y, chosen), "specificity": sk.recall_score(own.y, chosen, pos_label=0), "brier": sk.brier_score_loss(own.y, own.p),
            "ppv": sk.precision_score(own.y, chosen, zero_division=0), "npv": sk.precision_score(own.y, chosen, pos_label=0, zero_division=0),
        }  # fmt: skip
        for metric, value in expected.items():
            if group[metric]["value"] is not None:
                assert group[metric]["value"] == pytest.approx(value, abs=CLOSE), (name, metric)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_gaps_are_fairlearns(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    data = frame(500, seed)
    found = results(saved(tmp_path_factory.mktemp("r"), data), groups=("site", "sex+site"), bootstraps=100)
    whole = data.assign(cross=data.sex + data.site)
    for column, of in (("site", "site"), ("sex+site", "cross")):
        (part,) = [s for s in found["slices"] if s["column"] == column]
        if not all(g["judged"] and g["figures"]["sensitivity"]["value"] is not None for g in part["groups"]):
            continue
        gaps = {g["gap"]: g for g in part["gaps"]}
        for name, function in (
            ("demographic parity difference", demographic_parity_difference), ("equal opportunity difference", equal_opportunity_difference),
            ("equalised odds difference", equalized_odds_difference),
        ):  # fmt: skip
            gap = gaps[name]
            assert gap["value"] == pytest.approx(function(whole.y, whole.p >= 0.5, sensitive_features=whole[of]), abs=CLOSE)
            assert gap["low"] <= gap["value"] <= gap["high"]


def test_several_classes_and_labels_are_scikit_learns(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    truth = rng.choice(["a", "b", "c"], 400, p=[0.5, 0.3, 0.2])
    scores = rng.dirichlet([1, 1, 1], 400) + 0.6 * (truth[:, None] == np.array(["a", "b", "c"]))
    scores /= scores.sum(1, keepdims=True)
    data = pd.DataFrame({"y": truth, "s_a": scores[:, 0], "s_b": scores[:, 1], "s_c": scores[:, 2], "sex": rng.choice(["F", "M"], 400)})
    found = results(saved(tmp_path, data), scores=("s_a", "s_b", "s_c"), groups=("sex",))
    for name, own in {"all": data, "F": data[data.sex == "F"]}.items():
        group = groups(found, "" if name == "all" else "sex")[name]
        chosen = np.array(["a", "b", "c"])[own[["s_a", "s_b", "s_c"]].to_numpy().argmax(1)]
        assert group["figures"]["accuracy"]["value"] == pytest.approx(sk.accuracy_score(own.y, chosen), abs=CLOSE)
        assert group["figures"]["balanced_accuracy"]["value"] == pytest.approx(sk.balanced_accuracy_score(own.y, chosen), abs=CLOSE)
        assert group["figures"]["macro_auc"]["value"] == pytest.approx(
            sk.roc_auc_score(own.y, own[["s_a", "s_b", "s_c"]], multi_class="ovr", average="macro"), abs=CLOSE
        )
        of_b = {t["task"]: t["figures"] for t in group["tasks"]}["b"]
        assert of_b["sensitivity"]["value"] == pytest.approx(sk.recall_score(own.y == "b", chosen == "b"), abs=CLOSE)
    many = pd.DataFrame({"y1": truth == "a", "y2": rng.random(400) < 0.4, "s1": scores[:, 0], "s2": rng.random(400)})
    group = groups(results(saved(tmp_path, many, "m.parquet"), labels=("y1", "y2"), scores=("s1", "s2")), "")["all"]
    assert group["figures"]["macro_auc"]["value"] == pytest.approx(sk.roc_auc_score(many[["y1", "y2"]], many[["s1", "s2"]], average="macro"), abs=CLOSE)
    right = sk.accuracy_score(many[["y1", "y2"]], many[["s1", "s2"]] >= 0.5)
    assert group["figures"]["all_right"]["value"] == pytest.approx(right, abs=CLOSE)


def test_one_value_a_case(tmp_path: Path) -> None:
    data = frame(600, rows_each=3)
    found = results(saved(tmp_path, data), labels=(), scores=(), value="dice", groups=("sex",), patient="patient")
    for name, own in data.groupby("sex"):
        figures = groups(found, "sex")[str(name)]["figures"]
        assert figures["mean"]["value"] == pytest.approx(own.dice.mean(), abs=CLOSE)
        assert figures["median"]["value"] == pytest.approx(own.dice.median(), abs=CLOSE)
        assert figures["median"]["low"] < figures["median"]["value"] < figures["median"]["high"]


# ---- intervals -------------------------------------------------------------------------------------------------------------


@given(n=st.integers(1, 500), share=st.floats(0, 1))
def test_wilson_is_scipys(n: int, share: float) -> None:
    hits = round(n * share)
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    assert intervals.wilson(hits / n, n) == pytest.approx((expected.low, expected.high), abs=1e-9)


@settings(max_examples=40)
@given(values=st.lists(st.tuples(st.floats(0, 1), st.integers(10, 500)), min_size=2, max_size=5))
def test_a_gaps_interval_holds_its_value_and_is_wider_than_the_pairs(values: list[tuple[float, int]]) -> None:
    figures = [intervals.proportion(round(p * n), n) for p, n in values]
    value, low, high = intervals.widest([figures])
    best, worst = max(figures, key=lambda f: f.value), min(figures, key=lambda f: f.value)
    d, pair_low, pair_high = intervals.difference(best, worst)
    assert 0 <= low <= value <= high and value == pytest.approx(d)
    assert (high >= pair_high - 1e-12 and low <= max(0.0, pair_low) + 1e-12) or len(figures) > 2


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """The quick form of scripts/coverage.py: 600 samples of clustered patients, means and an AUC; 95 % ± what 600 samples can show."""
    rng = np.random.default_rng(5)
    truth, held = 0.8, []
    for _ in range(300):
        patients = np.repeat(np.arange(80), 4)
        level = rng.beta(8, 2, 80)[patients]  # each patient has a sensitivity of their own, 0.8 on average
        hit = rng.random(320) < level
        sums, counts = np.bincount(patients, hit), np.bincount(patients).astype(float)
        again = intervals.weights(80, 200, rng)
        f = intervals.between(hit.mean(), ((again @ sums) / (again @ counts)).astype(float), 80, 320)
        held.append(f.low <= truth <= f.high)
    assert 0.92 <= np.mean(held) <= 0.98
    sums = rng.exponential(1, (60, 400))  # 400 samples of 60 skewed values
    found = intervals.means(sums, np.ones_like(sums), intervals.weights(60, 400, rng))
    assert 0.92 <= np.mean([f.low <= 1 <= f.high for f in found]) <= 0.98


def test_patients_and_not_rows_are_drawn(tmp_path: Path) -> None:
    """The same patients four times over know no more than once."""
    once = frame(300)
    path = saved(tmp_path, pd.concat([once] * 4))
    a = groups(results(saved(tmp_path, once, "once.csv"), patient="patient"), "")["all"]["figures"]
    b = groups(results(path, patient="patient", bootstraps=1000), "")["all"]["figures"]
    for metric in ("sensitivity", "specificity", "auc", "brier"):
        assert b[metric]["high"] - b[metric]["low"] == pytest.approx(a[metric]["high"] - a[metric]["low"], rel=0.15), metric
    c = groups(results(path), "")["all"]["figures"]
    assert c["sensitivity"]["high"] - c["sensitivity"]["low"] < 0.6 * (a["sensitivity"]["high"] - a["sensitivity"]["low"])


# ---- planted and clean -----------------------------------------------------------------------------------------------------


def test_a_planted_gap_stands_and_chance_does_not(tmp_path: Path) -> None:
    stood = 0
    for seed in range(12):
        found = results(saved(tmp_path, frame(600, seed)), groups=("sex", "site"), bootstraps=100)
        stood += any(g["stands"] for s in found["slices"] for g in s["gaps"])
    assert stood <= 2  # scripts/evidence_check.py counts a thousand
    data = frame(1500)
    missed = (data.sex == "F") & (data.y == 1) & (np.arange(1500) % 3 == 0)
    data.loc[missed, "p"] = 0.1
    (part,) = [s for s in results(saved(tmp_path, data), groups=("sex",))["slices"] if s["column"]]
    gap = {g["gap"]: g for g in part["gaps"]}["equal opportunity difference"]
    assert gap["stands"] and gap["lowest"] == "F" and gap["low"] > 0.1


def test_groups_too_small_are_named_and_not_ranked(tmp_path: Path) -> None:
    data = frame(300)
    data.loc[:7, "sex"] = "X"
    found = results(saved(tmp_path, data), groups=("sex",))
    small = groups(found, "sex")["X"]
    assert not small["judged"] and not small["figures"] and "cases" not in small
    assert all("X" not in (g["lowest"], g["highest"]) for s in found["slices"] for g in s["gaps"])
    doc = report.document(found, metrics.Request(tmp_path / "r.csv"), __version__)
    assert "sex = X" in report.fragment(doc).text and "fewer than 20 patients" in report.fragment(doc).text


def test_leakage_between_the_sets(tmp_path: Path) -> None:
    data = frame(400, rows_each=2).assign(image=lambda d: [f"h{i}" for i in range(len(d))], day=pd.date_range("2020-01-01", periods=400).strftime("%Y-%m-%d"))
    train, test = data[:300], data[300:]
    clean = split.compute(split.Request(saved(tmp_path, train, "a.csv"), saved(tmp_path, test, "b.csv"), "patient", "image", ("sex",), "site", "day"))
    assert clean["patients"]["both"] == clean["cases"]["both"] == clean["dates"]["test_rows_before_last_training"] == 0
    leaky = pd.concat([test, train[:6].assign(patient=lambda d: " " + d.patient.str.lower())])
    found = split.compute(split.Request(tmp_path / "a.csv", saved(tmp_path, leaky, "c.csv"), "patient", "image", date="day"))
    assert found["patients"]["both"] == 3 and found["patients"]["test_rows_shared"] == 6 and found["cases"]["both"] == 6
    assert found["dates"]["test_rows_before_last_training"] == 6


def test_numbers_and_words_of_one_patient_are_one(tmp_path: Path) -> None:
    a, b = saved(tmp_path, pd.DataFrame({"id": [1.0, 2.0, 3.0]}), "a.parquet"), saved(tmp_path, pd.DataFrame({"id": ["3", "P-004", "5"]}), "b.csv")
    found = split.compute(split.Request(a, b, "id"))["patients"]
    assert found["both"] == 1
    c = saved(tmp_path, pd.DataFrame({"id": ["003", "9"]}), "c.csv")
    assert split.compute(split.Request(a, c, "id"))["patients"] == {"train": 3, "test": 2, "both": 0, "test_rows_shared": 0, "alike": 1}


def test_members_told_from_others(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def attack(scale: float, seed: int) -> dict[str, Any]:
        rng = np.random.default_rng(seed)
        a, b = (saved(tmp_path, pd.DataFrame({"l": rng.gamma(2, s, 1500)}), f"{s}.csv") for s in (0.1, scale))
        found: dict[str, Any] = privacy.compute(privacy.Request(a, b, "l", loss=True, bootstraps=100))["membership"]
        return found

    assert attack(0.13, 1)["told_apart"] and attack(0.13, 1)["figures"]["auc"]["low"] > 0.5
    clean = [attack(0.1000001, seed) for seed in range(15)]
    assert sum(c["told_apart"] for c in clean) <= 2 and sum(any(r.get("exposed") for r in c["at"]) for c in clean) <= 2
    a, b = rng.gamma(2, 0.1, 500), rng.gamma(2, 0.2, 500)
    false, true, _ = sk.roc_curve(np.repeat([1, 0], 500), -np.concatenate([a, b]))
    pair = [saved(tmp_path, pd.DataFrame({"l": x}), f"{i}.csv") for i, x in enumerate((a, b))]
    found = privacy.compute(privacy.Request(*pair, "l", loss=True, bootstraps=100))["membership"]
    assert found["largest_advantage"] == pytest.approx((true - false).max(), abs=CLOSE)
    assert found["figures"]["auc"]["value"] == pytest.approx(sk.auc(false, true), abs=CLOSE)


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["1", "2", "3"]), st.integers(0, 9)), min_size=2, max_size=60))
def test_k_is_what_counting_gives(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, int]]) -> None:
    data = pd.DataFrame(rows, columns=["x", "z", "who"])
    found = privacy.compute(privacy.Request(table=saved(tmp_path_factory.mktemp("k"), data), quasi=("x", "z"), patient="who"))["cells"]
    counts = data.groupby(["x", "z"]).who.nunique()
    assert (found["k"], found["cells"], found["people"]) == (counts.min(), len(counts), data.who.nunique())
    assert {s["fewer_than"]: s["cells"] for s in found["small"]} == {n: (counts < n).sum() for n in (2, 5, 11)}


def test_drift_is_found_and_none_is_invented(tmp_path: Path) -> None:
    old = saved(tmp_path, frame(1200, 1), "old.csv")
    wanted = metrics.Request(old, ("y",), ("p",), groups=("sex",), bootstraps=100)
    limits = (("sensitivity", 0.05), ("psi", 0.2))

    def compared(data: pd.DataFrame) -> dict[str, Any]:
        return drift.compute(drift.Request(old, saved(tmp_path, data, "new.csv"), wanted, ("site", "dice"), "", limits))

    worse = compared(frame(1200, 2).assign(p=lambda d: d.p * 0.6, site="A"))
    alarms = {(a["metric"], a["column"]): a["state"] for a in worse["alarms"] if a["group"] in ("", "all")}
    assert alarms[("sensitivity", "")] == alarms[("psi", "p")] == alarms[("psi", "site")] == "alarm" and alarms[("psi", "dice")] == "within"
    same = [compared(frame(1200, seed)) for seed in range(10, 20)]
    assert sum(a["state"] == "alarm" for s in same for a in s["alarms"]) == 0
    assert sum(any(c["stands"] for c in s["changes"]) for s in same) <= 2


# ---- hostile input ---------------------------------------------------------------------------------------------------------

HOSTILE = [
    ("no such column", "y,q\n1,0.5\n", "no column 'p'"), ("empty", "", "is empty"), ("header only", "y,p,sex\n", "no rows"),
    ("text where numbers belong", "y,p\n1,0.5\n0,high\n", "text where numbers belong (the first at row 2)"),
    ("decimal commas", "y;p\n1;0,5\n0;0,1\n", "text where numbers belong"), ("negative scores", "y,p\n1,-2\n0,3\n", "Give --threshold"),
    ("three classes", "y,p\na,0.1\nb,0.2\nc,0.3\n", "one score column a class"), ("which is positive", "y,p\nred,0.1\nblue,0.2\n", "Give --positive"),
    ("all missing", "y,p\n,NaN\nNA,\n", "No row of r.csv has all of"), ("ragged", "y,p\n1,0.5,9\n0,0.1\n", "same number of columns"),
    ("two columns of a name", "y,p,p\n1,0.5,0.1\n", "more than one column 'p'"), ("binary", "y,p\0\n", "neither CSV nor Parquet"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_what_cannot_be_used_is_one_line_without_values(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "r.csv"
    path.write_text(text)
    with pytest.raises(PinciteError) as error:
        results(path)
    line = error.value.line()
    assert said in line and error.value.exit_code == 2 and "\n" not in line and "high" not in line


def test_a_group_that_is_an_identifier_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PinciteError, match="400 different values"):
        results(saved(tmp_path, frame()), groups=("patient",))


@pytest.mark.parametrize(
    ("change", "column", "absent"),
    [
        (lambda d: d.assign(y=1), "", ("auc", "specificity")),
        (lambda d: d.assign(y=np.where(d.sex == "F", 0, d.y)), "sex", ("auc", "sensitivity")),
        (lambda d: d.assign(p=0.0), "", ("ppv",)),
    ],
    ids=["one class", "one class in a group", "nobody chosen"],
)  # fmt: skip
def test_what_has_no_base_is_not_computed(tmp_path: Path, change: Any, column: str, absent: tuple[str, ...]) -> None:
    found = results(saved(tmp_path, change(frame())), groups=("sex",))
    group = next(iter(groups(found, column).values()))
    assert all(group["figures"][metric]["value"] is None for metric in absent)
    run_files = run.files(report.document(found, metrics.Request(tmp_path / "r.csv"), __version__), {})
    assert b"NaN" not in run_files["metrics.json"] and b"nan" not in run_files["metrics.md"]


def test_missing_rows_are_counted_and_left_out(tmp_path: Path) -> None:
    data = frame(200)
    data.loc[:4, "p"] = np.nan
    data["p"] = data.p.astype(object)
    data.loc[5, "p"] = "inf"
    data.loc[6:7, "sex"] = None
    found = results(saved(tmp_path, data), groups=("sex",))
    assert found["cases"] == 194 and "6 of 200 rows" in " ".join(found["notes"])
    assert "(not stated)" in groups(found, "sex")


def test_names_from_a_file_are_only_words(tmp_path: Path) -> None:
    """A group's or column's name is no Markdown, no HTML, and never long."""
    data = (
        frame(200)
        .rename(columns={"sex": "se|x <b>`"})
        .assign(**{"se|x <b>`": lambda d: np.where(d["se|x <b>`"] == "F", "![x](http://e.org) **met** <script>" + "y" * 99, "M")})
    )
    found = results(saved(tmp_path, data), groups=("se|x <b>`",))
    doc = report.document(found, metrics.Request(tmp_path / "r.csv", groups=("se|x <b>`",)), __version__)
    files = run.files(doc, plots.pictures(doc))
    for name in ("metrics.md", "metrics.card.md"):
        text = re.sub(r"`[^`\n]*`|\\\\<", "", files[name].decode())  # what stands in code is not read
        assert "<script" not in text and "<b>" not in text and "](http" not in text and "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy" not in text


# ---- DICOM ------------------------------------------------------------------------------------------------------------------


def image(path: Path, **elements: Any) -> Path:
    """A small DICOM file as de-identification leaves it, with the elements given on top; None takes one away."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID = "1.2.840.10008.5.1.4.1.1.2", generate_uid(), ExplicitVRLittleEndian
    d = Dataset()
    d.file_meta, d.SOPClassUID, d.SOPInstanceUID, d.StudyInstanceUID = meta, meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, generate_uid()
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "113100", "DCM", "Basic Application Confidentiality Profile"
    start = {
        "Modality": "CT", "Rows": 8, "Columns": 8, "StudyDate": "20210314", "StudyTime": "101112", "PatientID": "S-0001", "PatientName": "S-0001", "PatientSex": "",
        "PatientIdentityRemoved": "YES", "LongitudinalTemporalInformationModified": "MODIFIED", "BurnedInAnnotation": "NO", "DeidentificationMethodCodeSequence": [code],
    }  # fmt: skip
    for name, value in (start | elements).items():
        if value is not None:
            setattr(d, name, value)
    d.save_as(path, enforce_file_format=True)
    return path


PLANTED = [
    ("PatientName", "Smith^Jane", "A"), ("PatientBirthName", "Miller", "A"), ("PatientAddress", "1 Main St", "B"), ("PatientAge", "093Y", "C"),
    ("PatientTelephoneNumbers", "555 123 4567", "D"), ("SeriesDescription", "ask jane@example.org", "F"), ("StudyDescription", "123-45-6789", "G"),
    ("OtherPatientIDs", "77-1", ""), ("MedicalRecordLocator", "MRN 8", "H"), ("InsurancePlanIdentification", "I9", "I"), ("AdmissionID", "A7", "J"),
    ("DeviceSerialNumber", "SN12345", "M"), ("ProtocolName", "see http://pacs.local/x", "N"), ("ImageComments", "from 10.1.2.3", "R"), ("BurnedInAnnotation", "YES", "R"),
    ("RecognizableVisualFeatures", "YES", "Q"), ("DerivationDescription", "copied 2021-03-14", "C"),
]  # fmt: skip


def shown(path: Path) -> tuple[set[str], set[str], dict[str, int]]:
    """The identifiers by keyword and letter, the departures by keyword, and the counts, of one file."""
    counted, _ = dicom.examine([str(path)])
    found = dicom._report(counted)
    letters = {f"{i['keyword']} {i['letter']}" for i in found["identifiers"]}
    return letters, {p["keyword"] for p in found["profile"]}, counted


@pytest.mark.parametrize(("element", "value", "letter"), PLANTED, ids=[row[0] for row in PLANTED])
def test_planted_identifiers_are_found_and_no_others(tmp_path: Path, element: str, value: str, letter: str) -> None:
    letters, departures, _ = shown(image(tmp_path / "x.dcm", **{element: value}))
    assert letters == ({f"{element} {letter}"} if letter else set()) or (element == "ImageComments" and f"{element} R" in letters)
    assert departures <= {element}
    assert value not in json.dumps([sorted(letters), sorted(departures)])


def test_a_clean_file_shows_nothing_and_one_that_says_nothing_shows_all(tmp_path: Path) -> None:
    letters, departures, counted = shown(image(tmp_path / "x.dcm"))
    assert not letters and not departures and counted["read"] == 1
    bare = image(tmp_path / "y.dcm", PatientIdentityRemoved=None, LongitudinalTemporalInformationModified=None, PatientBirthDate="19610724")
    letters, _, _ = shown(bare)
    assert {"PatientID H", "StudyDate C", "PatientBirthDate C", "StudyInstanceUID R"} <= letters


def test_private_elements_and_what_stands_in_sequences(tmp_path: Path) -> None:
    import pydicom

    data = pydicom.dcmread(image(tmp_path / "x.dcm"))
    data.private_block(0x0011, "ACME", create=True).add_new(1, "LO", "call +1 555 123 4567")
    item = pydicom.Dataset()
    item.PatientName = "Smith^Jane"
    data.ReferencedPatientSequence = [item]
    data.save_as(tmp_path / "y.dcm")
    letters, departures, counted = shown(tmp_path / "y.dcm")
    assert {"PatientName A", "private element D"} <= letters and "private elements" in departures and counted["mark|private elements"] == 1


def test_a_folder_with_all_kinds_of_files(tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    whole = image(folder / "Smith_Jane.dcm", PatientName="Smith^Jane").read_bytes()
    (folder / "cut.dcm").write_bytes(whole[:500])
    (folder / "noise.dcm").write_bytes(bytes(128) + b"DICM" + bytes(range(256)) * 8)
    (folder / "notes.txt").write_text("no image")
    made = run.make(dicom.Request(folder), __version__)
    found = json.loads(made["dicom.json"])
    assert found["results"]["files"]["read"] == 1 and sum(found["results"]["files"].values()) == 4 and found["results"]["files"]["other"] == 1
    assert not any(b"Smith" in data or b"Jane" in data for data in made.values())


def test_the_profiles_table_is_sound() -> None:
    rows = dicom.profile()
    assert len(rows) > 600 and {a for _, _, a in rows.values()} == {"X", "Z", "D", "U", "Z/D", "X/Z", "X/D", "X/Z/D", "X/Z/U*"}
    assert rows["00100010"] == ("PatientName", "PN", "Z") and rows["00080080"][2] == "X/Z/D" and rows["0020000D"][2] == "U" and rows["00104000"][2] == "X"
    held = {keyword for keyword, _, _ in rows.values()}
    assert {k for words in dicom._KEYWORDS.values() for k in words.split()} - held <= {"RetrieveURL", "RetrieveURI"}


# ---- files ------------------------------------------------------------------------------------------------------------------


def test_the_same_input_gives_the_same_bytes_and_no_row(tmp_path: Path) -> None:
    data = frame(240, rows_each=2).assign(patient=lambda d: "SECRET-" + d.patient)
    request = metrics.Request(saved(tmp_path, data), ("y",), ("p",), groups=("sex", "site", "sex+site"), patient="patient", bootstraps=100)
    first, second = run.make(request, __version__), run.make(request, __version__)
    assert first == second and {"metrics.json", "metrics.md", "metrics.card.md", "metrics-sex.png", "metrics-calibration.png"} <= set(first)
    assert all(b"SECRET" not in data for data in first.values())
    doc = json.loads(first["metrics.json"])
    text = first["metrics.card.md"].decode()
    for figure in doc["figures"]:
        sentence = text[figure["start"] : figure["end"]]
        assert report.number(figure["value"]) in sentence and sentence.endswith(".")
    assert doc["inputs"][0]["sha256"] == tables.digest(tmp_path / "r.csv") and doc["seed"] == 0 and doc["versions"]["scikit-learn"]
    assert doc["command"] == "pincite evidence metrics r.csv --label y --score p --groups sex,site,sex+site --patient patient --bootstraps 100"
    assert all(math.isfinite(f["value"]) for f in doc["figures"])
