"""Pictures of evidence as PNG: figures with their intervals by group, calibration, shares, changes. Drawn from the document's numbers only.

Uses matplotlib's own font and no clock, so that the same numbers give the same bytes. Colour never carries meaning alone.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from assistant.evidence.report import WORDS

Json = Mapping[str, Any]
BLUE, GREY, RED = "#2b62a8", "#4a5560", "#9b1c1c"
_SHOWN = ("sensitivity", "specificity", "auc", "accuracy", "macro_auc", "all_right", "mean")
_MOST = 40  # groups in one picture


def pictures(doc: Json) -> dict[str, tuple[str, bytes]]:
    """The pictures of a document, (caption, PNG) by file name."""
    return _PICTURES[doc["kind"]](doc["results"])


def _metrics(results: Json) -> dict[str, tuple[str, bytes]]:
    out = {}
    whole = results["slices"][0]["groups"][0]
    for part in results["slices"][1:]:
        for task in dict.fromkeys(["", *(t["task"] for g in part["groups"] for t in g["tasks"])]):
            rows = [(g["group"], _own(g, task)) for g in part["groups"] if g["judged"]][:_MOST]
            names = [n for n in _SHOWN if any(own.get(n, {}).get("value") is not None for _, own in rows)]
            if rows and names:
                name = "-".join(filter(None, ("metrics", _safe(part["column"]), _safe(task)))) + ".png"
                of = f" of {task}" if task else ""
                out[name] = (f"Figures{of} by {part['column']} with 95 % intervals; the dashed line is everybody.", _forest(rows, names, _own(whole, task)))
    if results.get("calibration"):
        out["metrics-calibration.png"] = ("Calibration: share of positives by score; on the dashed line both agree.", _calibration(results["calibration"]))
    return out


def _own(group: Json, task: str) -> Json:
    own: Json = group["figures"] if not task else next((t["figures"] for t in group["tasks"] if t["task"] == task), {})
    return own


def _safe(name: str) -> str:
    return "".join(c if (c.isascii() and c.isalnum()) or c == "_" else "-" for c in name)[:60]


def _forest(rows: Sequence[tuple[str, Json]], names: Sequence[str], whole: Json) -> bytes:
    """A point with its interval for each group, one panel a metric."""
    figure, axes = _panels(len(names), 0.34 * len(rows) + 1.1)
    for axis, name in zip(axes, names):
        for y, (_, own) in enumerate(reversed(rows)):
            _point(axis, own.get(name), y)
        if whole.get(name, {}).get("value") is not None:
            axis.axvline(whole[name]["value"], color=GREY, linewidth=0.8, linestyle="--")
        axis.set_title(WORDS[name].partition(" (")[0], fontsize=8)
        axis.set_ylim(-0.7, len(rows) - 0.3)
        axis.set_yticks(range(len(rows)), [label for label, _ in reversed(rows)] if axis is axes[0] else [""] * len(rows), fontsize=8)
    return _png(figure)


def _point(axis: Any, figure: Json | None, y: float) -> None:
    if figure is None or figure["value"] is None:
        axis.text(0.5, y, "too few", transform=axis.get_yaxis_transform(), ha="center", va="center", fontsize=7, color=GREY)
        return
    if figure["low"] is not None:
        axis.plot([figure["low"], figure["high"]], [y, y], color=BLUE, linewidth=1.6, solid_capstyle="butt")
    axis.plot([figure["value"]], [y], marker="o", markersize=4, color=BLUE)


def _calibration(tasks: Sequence[Json]) -> bytes:
    figure, (axis,) = _panels(1, 3.4, 3.6)
    axis.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle="--")
    for i, task in enumerate(tasks[:8]):
        axis.plot(
            [b["score"] for b in task["bins"]],
            [b["share"] for b in task["bins"]],
            marker="os^Dvx+*"[i],
            markersize=4,
            linewidth=1.2,
            label=task["task"] or "all",
        )
    axis.set_xlabel("mean score", fontsize=8)
    axis.set_ylabel("share of positives", fontsize=8)
    if len(tasks) > 1:
        axis.legend(fontsize=7, frameon=False)
    return _png(figure)


def _split(results: Json) -> dict[str, tuple[str, bytes]]:
    return {
        f"split-{_safe(s['column'])}.png": (
            f"Shares of {s['column']} in training and test data.",
            _bars([(g["group"], (g["train"], g["test"])) for g in s["groups"]], ("training", "test")),
        )
        for s in results["shares"]
    }


def _bars(rows: Sequence[tuple[str, tuple[float, float]]], names: tuple[str, str]) -> bytes:
    rows = rows[:_MOST]
    figure, (axis,) = _panels(1, 0.42 * len(rows) + 1.0)
    for i, (name, colour, hatch) in enumerate(zip(names, (BLUE, "#c9d7ea"), ("", "///"))):
        axis.barh(
            [y + 0.2 - 0.4 * i for y in range(len(rows))],
            [100 * r[1][i] for r in reversed(rows)],
            height=0.38,
            color=colour,
            hatch=hatch,
            edgecolor=BLUE,
            linewidth=0.6,
            label=name,
        )
    axis.set_yticks(range(len(rows)), [label for label, _ in reversed(rows)], fontsize=8)
    axis.set_xlabel("share of rows in %", fontsize=8)
    axis.legend(fontsize=7, frameon=False)
    return _png(figure)


def _drift(results: Json) -> dict[str, tuple[str, bytes]]:
    out = {}
    columns = dict.fromkeys(c["column"] for c in results["changes"])
    for column in columns:
        changes = [c for c in results["changes"] if c["column"] == column and c["metric"] in _SHOWN and not c["task"]]
        names = [n for n in _SHOWN if any(c["metric"] == n for c in changes)]
        groups = list(dict.fromkeys(c["group"] for c in changes))[:_MOST]
        rows = [(g, {c["metric"]: {**c, "value": c["change"]} for c in changes if c["group"] == g}) for g in groups]
        if rows:
            where = f" by {column}" if column else ""
            out[f"drift-{_safe(column) or 'all'}.png"] = (
                f"Change{where}, current less reference, with 95 % intervals; dashed: no change.",
                _forest(rows, names, {n: {"value": 0.0} for n in names}),
            )
    if results["stability"]:
        out["drift-psi.png"] = ("Population stability index; the mark is what unchanged data of this size stay below.", _stability(results["stability"]))
    return out


def _stability(rows: Sequence[Json]) -> bytes:
    rows = rows[:_MOST]
    figure, (axis,) = _panels(1, 0.34 * len(rows) + 1.0)
    for y, row in enumerate(reversed(rows)):
        axis.barh(
            y, row["psi"], height=0.6, color=RED if row["beyond_noise"] else BLUE, hatch="///" if row["beyond_noise"] else "", edgecolor="white", linewidth=0.4
        )
        axis.plot([row["noise"], row["noise"]], [y - 0.4, y + 0.4], color=GREY, linewidth=1.4)
    axis.set_yticks(range(len(rows)), [r["column"] for r in reversed(rows)], fontsize=8)
    axis.set_xlabel("population stability index (hatched: beyond chance)", fontsize=8)
    return _png(figure)


def _dicom(results: Json) -> dict[str, tuple[str, bytes]]:
    rows = [(f"{i['keyword']}", i["files"]) for i in results["identifiers"]][:_MOST]
    if not rows:
        return {}
    figure, (axis,) = _panels(1, 0.3 * len(rows) + 1.0)
    axis.barh(range(len(rows)), [n for _, n in reversed(rows)], height=0.6, color=RED)
    axis.set_yticks(range(len(rows)), [name for name, _ in reversed(rows)], fontsize=8)
    axis.set_xlabel("files in which the element may identify a person", fontsize=8)
    return {"dicom-identifiers.png": ("Header elements that may identify a person, by number of files.", _png(figure))}


def _privacy(results: Json) -> dict[str, tuple[str, bytes]]:
    rows = [r for r in results.get("membership", {}).get("at", ()) if r["judged"]]
    if not rows:
        return {}
    figure, (axis,) = _panels(1, 0.4 * len(rows) + 1.1)
    for y, row in enumerate(reversed(rows)):
        axis.plot([100 * row["low"], 100 * row["high"]], [y, y], color=BLUE, linewidth=1.6)
        axis.plot([100 * row["value"]], [y], marker="o", markersize=4, color=BLUE)
        axis.plot([100 * row["false_positive_rate"]], [y], marker="|", markersize=12, color=GREY)
    axis.set_yticks(range(len(rows)), [f"at {100 * r['false_positive_rate']:g} % false positives" for r in reversed(rows)], fontsize=8)
    axis.set_ylim(-0.7, len(rows) - 0.3)
    axis.set_xscale("log")
    axis.set_xlabel("members found, in %; the bar is chance", fontsize=8)
    return {"privacy-membership.png": ("Members found at low false-positive rates, with 95 % intervals.", _png(figure))}


_PICTURES = {"metrics": _metrics, "split": _split, "privacy": _privacy, "drift": _drift, "dicom": _dicom}


def _panels(count: int, height: float, width: float = 6.7) -> tuple[Any, list[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, max(1.3, height)), dpi=160, layout="constrained")
    axes = list(figure.subplots(1, count, squeeze=False)[0])
    for axis in axes:
        axis.tick_params(labelsize=7.5, length=2)
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)
    return figure, axes


def _png(figure: Any) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    out = io.BytesIO()
    FigureCanvasAgg(figure).print_png(out, metadata={"Software": None})
    return out.getvalue()
