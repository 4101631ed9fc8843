"""Evidence as files: JSON with every figure, a Markdown report, pictures, and a card fragment whose sentences a gap analysis can quote.

Pure functions of the plain values that the other modules compute; the same values give the same bytes. The fragment's figures carry the
place of their sentence, so that each can be found again.
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any

SCHEMA = "pincite/evidence@1"
KINDS = ("metrics", "split", "privacy", "dicom", "drift")
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "fairlearn", "pyarrow", "pydicom", "matplotlib")
WORDS = {
    "prevalence": "Prevalence", "selection_rate": "Selection rate", "sensitivity": "Sensitivity", "specificity": "Specificity",
    "ppv": "Positive predictive value (PPV)", "npv": "Negative predictive value (NPV)", "accuracy": "Accuracy", "auc": "AUC", "brier": "Brier score",
    "calibration_in_the_large": "Mean score less prevalence (calibration)", "balanced_accuracy": "Balanced accuracy", "macro_auc": "Mean AUC over the classes",
    "all_right": "Share of cases with every label right", "mean": "Mean", "median": "Median", "advantage": "Membership advantage",
} | {f"quantile_{q:02d}": f"{q} % quantile" for q in (5, 25, 75, 95)}  # fmt: skip

Json = Mapping[str, Any]


def document(result: Json, request: Any, program: str) -> dict[str, Any]:
    """The results with where they come from: inputs by hash, command, seed and versions. No clock and no folder, so that it repeats."""
    kind = str(result["kind"]) if result["kind"] in KINDS else "metrics"
    held = {k: v for k, v in result.items() if k not in ("inputs", "notes")}
    return {
        "schema": SCHEMA, "kind": kind, "tool": f"pincite {program}", "command": command(kind, request), "seed": getattr(request, "seed", 0),
        "versions": {"python": python_version()} | {name: _version(name) for name in _LIBRARIES}, "inputs": list(result["inputs"]),
        "notes": list(result["notes"]), "results": held,
    }  # fmt: skip


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


_PLACED = ("path", "train", "test", "reference", "current", "folder")
_FLAGS = {"labels": "label", "scores": "score", "results": "", "column": "", "loss": "", "limits": "limit"}


def command(kind: str, request: Any) -> str:
    """The command that makes the same figures again, with the files by name."""
    found: list[str] = []
    at: list[str] = []
    for name, value in _settings(request):
        if name in _PLACED:
            at.append(value.name)
        elif name == "column":
            found += ["--loss" if request.loss else "--score", value]
        elif name == "limits":
            found += [part for metric, limit in value for part in ("--limit", f"{metric}={limit:g}")]
        else:
            said = (
                value.name
                if isinstance(value, Path)
                else ",".join(value)
                if isinstance(value, tuple)
                else f"{value:g}"
                if isinstance(value, float)
                else str(value)
            )
            found += [f"--{_FLAGS.get(name, name)}", said]
    return shlex.join(["pincite", "evidence", kind, *at, *found])


def _settings(request: Any) -> Iterator[tuple[str, Any]]:
    """What was set, in the order of the request; a request inside another gives its own."""
    for f in fields(request):
        value = getattr(request, f.name)
        if f.name == "results" and value is not None:
            yield from ((n, v) for n, v in _settings(value) if n not in ("path", "patient"))
        elif f.name not in ("results", "loss") and value is not None and (value != f.default and value != ()):
            yield f.name, value


# ---- the card fragment -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Fragment:
    """Markdown that grows sentence by sentence; `figures` names each sentence's figure and place."""

    text: str = ""
    figures: list[dict[str, Any]] = field(default_factory=list)

    def heading(self, words: str) -> None:
        """A heading of its own."""
        self.text += f"## {words}\n\n"

    def say(self, sentence: str, metric: str = "", of: str = "", column: str = "", group: str = "", task: str = "", **figure: Any) -> None:
        """A paragraph of one sentence, and the figure it states if a metric is named; of what, which column, group and task where it has one."""
        if metric:
            self.figures.append(
                {
                    "metric": metric,
                    "of": of,
                    "column": column,
                    "group": group,
                    "task": task,
                    **figure,
                    "start": len(self.text),
                    "end": len(self.text) + len(sentence),
                }
            )
        self.text += sentence + "\n\n"


def fragment(doc: Json) -> Fragment:
    """What a card may say of the figures, in sentences that name their base, interval and source."""
    out = Fragment()
    files = " and ".join(f"{i['name']} (SHA-256 {i['sha256'][:16]}, {i['rows']:,} {'files' if doc['kind'] == 'dicom' else 'rows'})" for i in doc["inputs"])
    out.heading("Evidence: " + _TITLES[doc["kind"]])  # no title: the card has its own name
    out.say(f"Figures of this page were computed by {doc['tool']} from {files}.")
    _SAID[doc["kind"]](out, doc["results"], doc)
    return out


def number(value: float | None, digits: int = 3) -> str:
    """A figure as a report prints it."""
    return "not computed" if value is None else f"{value:.{digits}f}".replace("-0." + "0" * digits, "0." + "0" * digits)


def interval(figure: Json) -> str:
    """A figure's interval in words for brackets."""
    return f"95 % CI {number(figure['low'])} to {number(figure['high'])}" if figure["low"] is not None else "no interval: too few or equal values"


def _where(column: str, group: str, task: str = "") -> str:
    of = f" of {task}" if task else ""
    return f"{of} for {column} = {group}" if column else of


def _metrics_said(out: Fragment, results: Json, doc: Json) -> None:
    at = f", scores from {results['threshold']:g} on counted as positive," if results["threshold"] is not None else ""
    what = results["value_name"] if results["kind"] == "value" else ""
    for part in results["slices"]:
        out.heading("Results by subgroup: " + part["column"] if part["column"] else "Performance results")
        small = [g["group"] for g in part["groups"] if not g["judged"]]
        for group in part["groups"]:
            if group["judged"]:
                for task, own in (("", group["figures"]), *((t["task"], t["figures"]) for t in group["tasks"])):
                    _figures_said(out, part["column"], group, task, own, at, what)
        if small:
            least = results["least"]["patients"]
            named = ", ".join(f"{part['column']} = {name}" for name in small)
            out.say(f"Not judged, having fewer than {least} patients each: {named}.")
        for gap in part["gaps"]:
            _gap_said(out, part["column"], gap, results["comparisons"])


_AT_THRESHOLD = ("sensitivity", "specificity", "ppv", "npv", "accuracy", "selection_rate", "all_right")


def _figures_said(out: Fragment, column: str, group: Json, task: str, own: Json, at: str, what: str) -> None:
    for metric, figure in own.items():
        if figure["value"] is None or metric.startswith("quantile"):
            continue
        name = f"{WORDS[metric]} {what}".strip() if what else WORDS[metric]
        base = f"{group['cases']:,} cases of {group['patients']:,} patients" if group["cases"] != group["patients"] else f"{group['patients']:,} patients"
        said = (
            f"{name}{_where(column, group['group'], task)}{at if metric in _AT_THRESHOLD else ''} was {number(figure['value'])} ({interval(figure)}; {base})."
        )
        out.say(said, metric=metric, of=what, column=column, group=group["group"] if column else "", task=task, **figure)


def _gap_said(out: Fragment, column: str, gap: Json, comparisons: int) -> None:
    stands = f"it {'stands' if gap['stands'] else 'does not stand'} when all {comparisons} comparisons of this page are allowed for"
    of = f" of {gap['task']}" if gap["task"] else ""
    said = f"The {gap['gap']}{of} between the {gap['groups']} groups of {column} was {number(gap['value'])} ({interval(gap)}); the lowest {WORDS[gap['metric']]} was found for {column} = {gap['lowest']} and the highest for {column} = {gap['highest']}; {stands}."
    out.say(said, metric=gap["gap"], of="", column=column, group="", task=gap["task"], value=gap["value"], low=gap["low"], high=gap["high"])


def _split_said(out: Fragment, results: Json, doc: Json) -> None:
    train, test = (i["name"] for i in doc["inputs"])
    out.heading("Data split")
    p = results["patients"]
    if p["both"]:
        out.say(
            f"Some patients are in both the training and the test set: {p['both']:,} of the {p['test']:,} patients of {test} are among the {p['train']:,} of {train}."
        )
    else:
        out.say(
            f"No patient is in both the training and the test set; the {p['test']:,} patients of {test} were compared with the {p['train']:,} patients of {train}."
        )
    if c := results.get("cases"):
        found = f"{c['both']:,} cases of {test} were found in {train} as well" if c["both"] else f"No duplicate case was found between {train} and {test}"
        out.say(f"{found}; duplicates within: {c['train_repeated']:,} in {train}, {c['test_repeated']:,} in {test}.")
    if s := results.get("site"):
        out.say(f"{s['new']:,} of the {s['test']:,} sites of {test} took no part in {train}.")
    if d := results.get("dates"):
        out.say(f"{d['test_rows_before_last_training']:,} of {d['test_rows']:,} rows of {test} are dated no later than the last row of {train}.")


def _privacy_said(out: Fragment, results: Json, doc: Json) -> None:
    out.heading("Privacy tests")
    if m := results.get("membership"):
        base = f"measured on {m['members']:,} members and {m['nonmembers']:,} non-members"
        f = m["figures"]["auc"]
        out.say(
            f"A membership inference attack by {m['by']} reached an AUC of {number(f['value'])} ({interval(f)}), {base}.",
            metric="membership_auc",
            **f,
        )
        f = m["figures"]["advantage"]
        out.say(
            f"The advantage of the membership inference attack was {number(f['value'])} ({interval(f)}), {base}.",
            metric="advantage",
            **f,
        )
        for row in m["at"]:
            if row["judged"]:
                out.say(
                    f"At a false-positive rate of {row['false_positive_rate']:g} the true-positive rate of the membership inference attack was {number(row['value'])} ({interval(row)})."
                )
    if c := results.get("cells"):
        small = "; ".join(f"{100 * s['share']:.1f} % of people are in cells of fewer than {s['fewer_than']}" for s in c["small"][1:])
        out.say(
            f"Over {', '.join(c['quasi'])} the smallest cell of the table has {c['k']:,} of {c['people']:,} people (k = {c['k']:,}); {small}.",
            metric="k",
            value=c["k"],
            low=None,
            high=None,
        )


def _drift_said(out: Fragment, results: Json, doc: Json) -> None:
    reference, current = (i["name"] for i in doc["inputs"])
    out.heading("Current data against reference")
    for s in results["stability"]:
        out.say(
            f"From {reference} to {current} the population stability index of {s['column']} was {number(s['psi'])}; of 100 unchanged samples of this size 95 give {number(s['noise'])} or less."
        )
    for c in results["changes"]:
        if c["metric"] in ("sensitivity", "specificity", "auc", "accuracy", "macro_auc", "mean", "brier"):
            out.say(
                f"{WORDS[c['metric']]}{_where(c['column'], c['group'], c['task'])} changed from {number(c['reference'])} to {number(c['current'])}, by {number(c['change'])} ({interval(c)})."
            )
    for a in results["alarms"]:
        if a["state"] == "alarm":
            where = _where(a["column"], a["group"], a["task"]) if a["group"] else f" of {a['column']}"
            out.say(f"The limit of {a['limit']:g} that the project set for {WORDS.get(a['metric'], 'the population stability index')}{where} is exceeded.")


def _dicom_said(out: Fragment, results: Json, doc: Json) -> None:
    out.heading("Check of DICOM headers")
    n = results["files"]
    left = ", ".join(f"{i['keyword']} in {i['files']:,} files" for i in results["identifiers"][:12])
    said = f"Elements that may identify a person were found there: {left}" if left else "No element that may identify a person was found there"
    out.say(
        f"A check of the headers of {n['read']:,} DICOM files for safe-harbor identifiers was carried out; {n['unreadable']:,} further files could not be read. {said}.",
        **_figure("identifiers", len(results["identifiers"])),
    )
    out.say("Text in the pixels of the images was not looked at.")


def _figure(metric: str, value: float) -> dict[str, Any]:
    """A count as a figure of everybody."""
    return {"metric": metric, "of": "", "column": "", "group": "", "task": "", "value": value, "low": None, "high": None}


_TITLES = {
    "metrics": "results by group", "split": "training and test data", "privacy": "what model and table give away", "dicom": "DICOM headers", "drift": "what changed",
}  # fmt: skip
_SAID = {"metrics": _metrics_said, "split": _split_said, "privacy": _privacy_said, "dicom": _dicom_said, "drift": _drift_said}


def summary(doc: Json) -> list[str]:
    """What stands out, one line each, for the screen."""
    wanted = _OUTSTANDING.get(doc["kind"], ("",))
    lines = [b for b in fragment(doc).text.split("\n\n")[2:] if b and not b.startswith("#") and b.startswith(wanted) and not any(w in b for w in _PASSING)]
    return lines[:12] + ([f"… and {len(lines) - 12} more"] if len(lines) > 12 else [])


_PASSING = ("does not stand", "Mean score less")
_OUTSTANDING = {"metrics": ("Sensitivity,", "Specificity,", "AUC was", "Accuracy was", "Mean", "Not judged", "The "), "drift": ("From", "The limit")}
