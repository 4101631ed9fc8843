"""A report as one HTML page that needs nothing else: tables, inline SVG charts, quotations side by side, print and dark styles.

Every value is escaped by the template engine; links are web addresses or nothing.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from assistant.export import view

BAR = 560  # width of the longest bar, in SVG units


def render(report: view.Report, texts: Mapping[str, str]) -> str:
    """The page."""
    folder = Path(__file__).parent / "templates"
    env = Environment(loader=FileSystemLoader(folder), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    env.filters["printable"] = lambda text: view.printable(str(text))
    env.filters["link"] = view.safe_link
    page = env.get_template("report.html.j2")
    return page.render(
        report=report, view=view, title=view.title_of(report), stamp=view.stamp(report), people=view.people(report), statuses=view.statuses(report), totals=view.totals(report),
        coverage=view.coverage(report), severities=view.severities(report), severity_bars=bars(view.severities(report)), timeline=view.timeline(report),
        date_bars=bars(view.dates_ahead(report)), frameworks=[r.name for r in view.coverage(report)], groups=view.by_framework(report),
        remedies=view.remedies(report), conflicts=view.conflicts(report), imaging=view.imaging_rows(report), facts=report.get("facts") or {},
    )  # fmt: skip


def bars(rows: Sequence[view.Row]) -> list[dict[str, Any]]:
    """Stacked bars: for each row its segments with place, width and count, on one scale."""
    longest = max((r.total for r in rows), default=0) or 1
    drawn = []
    for row in rows:
        at, segments = 0.0, []
        for name, n in row.counts.items():
            width = BAR * n / longest
            if n:
                segments.append({"name": name, "n": n, "x": round(at, 1), "width": round(width, 1), "labelled": width >= 9 * len(str(n)) + 6})
            at += width
        drawn.append({"name": row.name, "title": row.title, "total": row.total, "segments": segments, "end": round(at, 1)})
    return drawn
