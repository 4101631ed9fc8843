"""The Markdown report of a piece of evidence: where it comes from, tables of figures, pictures, and what must be known to read it.

Pure functions of the document; every word from a file passes `cell`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from assistant.evidence.report import WORDS, number

Json = Mapping[str, Any]


def page(doc: Json) -> str:
    """The whole report."""
    parts = [f"# {_HEADS[doc['kind']]}", _PAGES[doc["kind"]](doc["results"], doc)]
    for name, caption in doc["pictures"].items():
        parts.append(f"![{caption}]({name})\n\n*{caption}*")
    parts += [_reading(doc), _source(doc)]
    return "\n\n".join(p for p in parts if p) + "\n"


def cell(value: object) -> str:
    """A word as a table cell: nothing in it is read as Markdown or HTML."""
    text = " ".join(str(value).split())
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>|#!~$" else c for c in text)


_NUMBER = re.compile(r"-?\d[\d,.]*(?: %)?(?: \(.*\))?|too few.*")


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; columns of numbers stand right."""
    sides = ["---:" if i and all(_NUMBER.fullmatch(str(row[i])) for row in rows if str(row[i])) else "---" for i in range(len(head))]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, sides, *([cell(c) for c in row] for row in rows)))


def _figure(figure: Json | None, digits: int = 3) -> str:
    if figure is None or figure["value"] is None:
        return "too few"
    if figure["low"] is None:
        return number(figure["value"], digits)
    return f"{number(figure['value'], digits)} ({number(figure['low'], digits)} to {number(figure['high'], digits)})"


# ---- metrics -----------------------------------------------------------------------------------------------------------


def _metrics(results: Json, doc: Json) -> str:
    parts = [
        f"{results['cases']:,} cases of {results['patients']:,} patients."
        + (f" Threshold {results['threshold']:g}." if results["threshold"] is not None else "")
    ]
    for part in results["slices"]:
        parts.append("## " + (f"By {cell(part['column'])}" if part["column"] else "Overall"))
        parts += _tables(part["column"], part["groups"])
        for task in dict.fromkeys(t["task"] for g in part["groups"] for t in g["tasks"]):
            own = [{**g, "figures": next((t["figures"] for t in g["tasks"] if t["task"] == task), {})} for g in part["groups"]]
            parts += [f"### Class {cell(task)}", *_tables(part["column"], own)]
        if part["gaps"]:
            parts.append(_gaps(part["gaps"]))
    if results.get("calibration"):
        rows = [[c["task"] or "all", number(c["expected_calibration_error"])] for c in results["calibration"]]
        parts.append("## Calibration\n\n" + table(["", "expected calibration error, 10 bins (no interval: it is biased upward in small samples)"], rows))
    return "\n\n".join(parts)


_SECOND = ("selection_rate", "accuracy", "brier", "calibration_in_the_large")  # in a table of their own, so that neither is too wide


def _tables(column: str, groups: Sequence[Json]) -> list[str]:
    names = list(dict.fromkeys(m for g in groups for m in g["figures"]))
    first = [n for n in names if n not in _SECOND or len(names) < 6]
    return [
        table([cell(column) or "group", "patients", "cases", *(WORDS[n] for n in some)], [_row(g, some) for g in groups])
        for some in (first, [n for n in names if n not in first])
        if some
    ]


def _row(group: Json, names: Sequence[str]) -> list[object]:
    if not group["judged"]:
        return [group["group"], "too few to judge", "", *[""] * len(names)]
    return [group["group"], f"{group['patients']:,}", f"{group['cases']:,}", *(_figure(group["figures"].get(n)) for n in names)]


def _gaps(gaps: Sequence[Json]) -> str:
    rows = [
        [g["gap"] + (f" ({g['task']})" if g["task"] else ""), _figure(g), WORDS[g["metric"]], g["lowest"], g["highest"], "yes" if g["stands"] else "no"]
        for g in gaps
    ]
    return "Gaps between the groups that can be judged:\n\n" + table(
        ["gap", "largest difference", "of", "lowest in", "highest in", "stands after correction"], rows
    )


# ---- the others --------------------------------------------------------------------------------------------------------


def _split(results: Json, doc: Json) -> str:
    train, test = (i["name"] for i in doc["inputs"])
    p = results["patients"]
    rows: list[list[object]] = [
        ["patients in training", p["train"]],
        ["patients in test", p["test"]],
        ["patients in both", p["both"]],
        ["test rows of patients in training", p["test_rows_shared"]],
    ]
    if c := results.get("cases"):
        rows += [["cases in both", c["both"]], ["cases repeated in training", c["train_repeated"]], ["cases repeated in test", c["test_repeated"]]]
    if s := results.get("site"):
        rows += [
            ["sites in training", s["train"]],
            ["sites in test", s["test"]],
            ["test sites that are new", s["new"]],
            ["test rows from new sites", s["test_rows_new"]],
        ]
    if d := results.get("dates"):
        rows += [
            ["test rows dated no later than the last training row", d["test_rows_before_last_training"]], ["test rows dated before their patient's first training row", d["test_rows_before_own_training"]],
            ["dates that cannot be read", d["unreadable"]],
        ]  # fmt: skip
    verdict = f"**{p['both']:,} patients are in both sets.**" if p["both"] else "No patient is in both sets."
    parts = [f"Training: {cell(train)}; test: {cell(test)}. {verdict}", table(["", "count"], [[a, f"{b:,}"] for a, b in rows])]
    for s in results["shares"]:
        rows = [[g["group"], f"{100 * g['train']:.1f} %", f"{100 * g['test']:.1f} %"] for g in s["groups"]]
        parts += [
            f"## Shares of {cell(s['column'])}",
            table([cell(s["column"]), "training", "test"], rows),
            f"Share of rows that would have to change group: {100 * s['distance']:.1f} %.",
        ]
    return "\n\n".join(parts)


def _privacy(results: Json, doc: Json) -> str:
    parts = []
    if m := results.get("membership"):
        said = "can be told from" if m["told_apart"] else "could not be told from"
        parts += [
            "## Membership inference", f"{m['members']:,} members and {m['nonmembers']:,} non-members, by {m['by']}. Members {said} non-members.",
            table(["", "value (95 % interval)"], [["AUC", _figure(m["figures"]["auc"])], ["advantage, threshold chosen on the other half", _figure(m["figures"]["advantage"])], ["largest advantage of any threshold (optimistic)", number(m["largest_advantage"])]]),
            table(
                ["false-positive rate", "true-positive rate", "more than chance"],
                [[f"{100 * r['false_positive_rate']:g} %", _figure(r), "yes" if r["exposed"] else "no"] if r["judged"] else [f"{100 * r['false_positive_rate']:g} %", f"needs {r['needed']:,} non-members", ""] for r in m["at"]],
            ),
        ]  # fmt: skip
    if c := results.get("cells"):
        rows = [[f"fewer than {s['fewer_than']}", f"{s['cells']:,}", f"{100 * s['share']:.1f} %"] for s in c["small"]]
        parts += [
            "## Smallest cells", f"{c['people']:,} people in {c['cells']:,} cells of {cell(', '.join(c['quasi']))}. Smallest cell: **k = {c['k']:,}**.",
            table(["people in the cell", "cells", "share of people"], rows),
        ]  # fmt: skip
        if c["without"]:
            parts.append(table(["left out", "k"], [[w["column"], f"{w['k']:,}"] for w in c["without"]]))
    return "\n\n".join(parts)


def _drift(results: Json, doc: Json) -> str:
    reference, current = (i["name"] for i in doc["inputs"])
    parts = [f"Reference: {cell(reference)}; current: {cell(current)}."]
    if results["alarms"]:
        rows = [
            [WORDS.get(a["metric"], "PSI"), f"{a['column']} {a['group']} {a['task']}".strip() or "all", number(a["value"]), f"{a['limit']:g}", a["state"]]
            for a in results["alarms"]
        ]
        parts += [
            "## Limits of the project",
            table(["figure", "where", "change or index", "limit", "state"], rows),
            "alarm: the whole interval lies beyond the limit; open: the value does, the interval does not; within: neither.",
        ]
    else:
        parts.append("The project named no limit (--limit), so none is applied.")
    if results["stability"]:
        rows = [[s["column"], number(s["psi"]), number(s["noise"]), "yes" if s["beyond_noise"] else "no"] for s in results["stability"]]
        parts += ["## Stability of inputs and scores", table(["column", "population stability index", "unchanged data stay below", "beyond chance"], rows)]
    by_column: dict[str, list[Json]] = {}
    for c in results["changes"]:
        by_column.setdefault(c["column"], []).append(c)
    for column, changes in by_column.items():
        rows = [
            [
                f"{WORDS[c['metric']]} {c['task']}".strip(),
                c["group"],
                number(c["reference"]),
                number(c["current"]),
                f"{number(c['change'])} ({number(c['low'])} to {number(c['high'])})",
                "yes" if c["stands"] else "no",
            ]
            for c in changes
        ]
        parts += [
            "## Change " + (f"by {cell(column)}" if column else "overall"),
            table(["figure", "group", "reference", "current", "change", "stands after correction"], rows),
        ]
    return "\n\n".join(parts)


def _dicom(results: Json, doc: Json) -> str:
    n = results["files"]
    verdict = (
        f"**{len(results['identifiers'])} kinds of header element may identify a person.**"
        if results["identifiers"]
        else "No header element that may identify a person was found."
    )
    parts = [f"{n['read']:,} DICOM files read, {n['unreadable']:,} damaged, {n['other']:,} of another kind. {verdict} Text in the pixels was not checked."]
    rows = [[f"({i['tag']}) {i['keyword']}", i["harbor"], i["action"], f"{i['files']:,}", i["why"]] for i in results["identifiers"]]
    if rows:
        parts += ["## May identify a person", table(["element", "safe-harbor identifier", "profile's action", "files", "why"], rows)]
    rows = [[f"({i['tag']}) {i['keyword']}", i["action"], f"{i['files']:,}"] for i in results["profile"]]
    if rows:
        parts += ["## Against the basic profile, without an option that allows it", table(["element", "profile's action", "files"], rows)]
    rows = [[name, f"{count:,}"] for name, count in results["marks"]]
    parts += ["## Counts", table(["", "files"], rows)]
    rows = [
        [f"{h['letter']} {h['name']}", f"{h['files']:,}" if h["files"] is not None else "cannot stand in a header", ", ".join(h["elements"])]
        for h in results["harbor"]
    ]
    parts += ["## The eighteen safe-harbor identifiers (45 CFR 164.514(b)(2)(i))", table(["identifier", "files", "elements"], rows)]
    return "\n\n".join(parts)


# ---- how to read it, and where it comes from ------------------------------------------------------------------------------

_HEADS = {
    "metrics": "Results by group", "split": "Training and test data", "privacy": "What model and table give away", "dicom": "DICOM headers", "drift": "Drift",
}  # fmt: skip
_PAGES = {"metrics": _metrics, "split": _split, "privacy": _privacy, "dicom": _dicom, "drift": _drift}
_HOW = {
    "metrics": (
        "Brackets hold 95 % intervals. A proportion with one case a patient has Wilson's interval; with several cases a patient, and for an AUC, it is "
        "Wilson's interval with the number of independent cases that the error of a bootstrap over patients is worth. Means have the studentised "
        "bootstrap interval.",
        "Groups of fewer than {patients} patients are named and not judged; a figure whose base has fewer than {cases} cases is not computed. Groups are "
        "listed in their own order, not ranked.",
        "A gap is the largest difference between any two groups that can be judged; its interval holds for all pairs of groups at once. With {comparisons} "
        "comparisons on this page about {chance} would look real at 95 % by chance alone: the last column says what stands when all are allowed for (Bonferroni).",
    ),
    "split": ("Patients are matched by their number, whatever its case, outer spaces or a trailing .0. Different numbers of one person cannot be seen.",),
    "privacy": ("This is the simplest attack there is; that it fails does not show that a stronger one would.",),
    "drift": ("Changes are current less reference; the two files are taken to hold different patients.",),
    "dicom": (
        "Whether a date was shifted, a UID replaced or a name made up cannot be seen in the value: what the file says of itself is taken as said, and "
        "counted. Values are never printed.",
    ),
}  # fmt: skip


def _reading(doc: Json) -> str:
    results = doc["results"]
    least = results.get("least", {})
    filled = {
        "patients": least.get("patients"),
        "cases": least.get("cases"),
        "comparisons": results.get("comparisons"),
        "chance": f"{0.05 * (results.get('comparisons') or 0):.1f}",
    }
    return "## How to read this\n\n" + "\n".join(f"- {line.format(**filled)}" for line in _HOW[doc["kind"]]) + "".join(f"\n- {cell(n)}" for n in doc["notes"])


def _source(doc: Json) -> str:
    rows: list[list[object]] = [[i["name"], f"{i['rows']:,}", i["sha256"]] for i in doc["inputs"]]
    tools = ", ".join(f"{name} {number}" for name, number in doc["versions"].items())
    return (
        "## Where it comes from\n\n" + table(["file", "files" if doc["kind"] == "dicom" else "rows", "SHA-256"], rows)
        + f"\n\n`{doc['command'].replace('`', '')}`\n\nSeed {doc['seed']}; {doc['tool']}; {tools}. Computed on this machine; no row of the files is kept."
    )  # fmt: skip
