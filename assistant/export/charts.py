"""Charts as PNG for documents that cannot draw their own: bars of findings by severity, and of dates to come.

Drawn with matplotlib's own font, so that the same numbers give the same picture.
"""

import io
from collections.abc import Mapping, Sequence

from assistant.export.view import COLOURS, STATUS_LABELS, Row, framework_title

SERIES = ("#2b62a8", "#1b7f4b", "#9a5f0b", "#6b46c1", "#0d7380", "#a03a72", "#4a5560")


def severity_png(rows: Sequence[Row]) -> bytes:
    """Findings by severity, stacked by status."""
    return bars(rows, {s: (STATUS_LABELS[s][1], COLOURS[s]) for s in rows[0].counts})


def dates_png(rows: Sequence[Row]) -> bytes:
    """Requirements by the date from which they apply, stacked by framework."""
    return bars(rows, {n: (framework_title(n), SERIES[i % len(SERIES)]) for i, n in enumerate(rows[0].counts)})


def bars(rows: Sequence[Row], legend: Mapping[str, tuple[str, str]]) -> bytes:
    """Horizontal stacked bars with their numbers; `legend` gives each segment's words and colour."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.7, 0.42 * len(rows) + 0.75), dpi=200)
    axes = figure.add_axes((0.17, 0.3 / (0.42 * len(rows) + 0.75) + 0.12, 0.78, 0.95 - 0.3 / (0.42 * len(rows) + 0.75) - 0.12))
    longest = max((r.total for r in rows), default=0) or 1
    for y, row in enumerate(reversed(rows)):
        left = 0
        for name, n in row.counts.items():
            if n:
                axes.barh(y, n, left=left, color=legend[name][1], height=0.68, edgecolor="white", linewidth=0.6)
                if n > longest * 0.02 * len(str(n)):
                    axes.text(left + n / 2, y, str(n), ha="center", va="center", color="white", fontsize=7.5, fontweight="bold")
                left += n
        axes.text(left + longest * 0.012, y, str(row.total), ha="left", va="center", fontsize=8, color="#1c2430")
    axes.set_yticks(range(len(rows)), [r.title for r in reversed(rows)], fontsize=8)
    axes.set_xlim(0, longest * 1.08)
    axes.xaxis.set_visible(False)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    _legend(figure, legend)
    out = io.BytesIO()
    FigureCanvasAgg(figure).print_png(out, metadata={"Software": None})
    return out.getvalue()


def _legend(figure: object, legend: Mapping[str, tuple[str, str]]) -> None:
    from matplotlib.patches import Patch

    patches = [Patch(color=colour, label=words) for words, colour in legend.values()]
    figure.legend(handles=patches, loc="lower left", ncols=len(patches), fontsize=7.5, frameon=False, handlelength=1, handleheight=1, columnspacing=1.2)  # type: ignore[attr-defined]
