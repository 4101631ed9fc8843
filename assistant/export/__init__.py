"""Reports in every format, from the plain dict of a gap analysis: the same findings, the same stamp, one file a format.

`render("html", report)` gives the bytes to write. Knows nothing of how a report came about.
"""

import json
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from assistant.errors import UsageError

FORMATS = {
    "html": "assistant.export.html",
    "md": "assistant.export.markdown",
    "docx": "assistant.export.docx",
    "pdf": "assistant.export.pdf",
    "xlsx": "assistant.export.xlsx",
    "sarif": "assistant.export.sarif",
    "oscal": "assistant.export.oscal",
}
DRAFT_FORMATS = ("docx", "md", "pdf", "json", "xlsx")
SUFFIXES = {"json": ".json", "html": ".html", "md": ".md", "docx": ".docx", "pdf": ".pdf", "xlsx": ".xlsx", "sarif": ".sarif", "oscal": ".oscal.json"}


def render(format: str, report: Mapping[str, Any], texts: Mapping[str, str] | None = None) -> bytes:
    """The report as the bytes of a file.

    `report` is what `pincite gaps --format json` prints, with `audit_head` where it is known. `texts` are the card's
    files by name, from which SARIF tells lines. The same input gives the same bytes. Raises UsageError for an unknown format.
    """
    if format == "json":
        return (json.dumps(report, ensure_ascii=False, indent=2) + "\n").encode("utf8")
    if format not in FORMATS:
        raise UsageError(f"There is no format '{format}'", f"Choose one of: json, {', '.join(FORMATS)}")
    made = import_module(FORMATS[format]).render(report, texts or {})
    return made if isinstance(made, bytes) else str(made).encode("utf8")


def render_draft(format: str, draft: Mapping[str, Any], clauses: bool = True, template: bytes | None = None) -> bytes:
    """A draft (in its JSON form) as the bytes of a file.

    `clauses` shows addresses, requirement ids and the notes; `template` is a house template for DOCX. The same input
    gives the same bytes. Raises UsageError for an unknown format.
    """
    if format not in DRAFT_FORMATS:
        raise UsageError(f"There is no draft format '{format}'", f"Choose one of: {', '.join(DRAFT_FORMATS)}")
    if format == "json":
        from assistant.export import view

        return render("json", {**draft, "mark": view.draft_mark(draft)})
    module = import_module(FORMATS[format])
    made = module.render_draft(draft, clauses, template) if format == "docx" else module.render_draft(draft, clauses)
    return made if isinstance(made, bytes) else str(made).encode("utf8")
