"""FDA drafts as a folder in the order of submission, with a paste map: which text answers which part of the form.

eSTAR is a form that a person fills in; nothing here claims to fill it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from assistant.export import docx, markdown, view

ORDER = ("fda-device-software", "fda-pccp")
WHERE = {
    "fda-device-software": "Software/Firmware",
    "fda-pccp": "a section of its own, named in cover letter and table of contents",
}


def render_folder(drafts: Sequence[view.Report], clauses: bool = True) -> dict[str, bytes]:
    """The files by name: one document a section, numbered in submission order, and `00-paste-map.md`."""
    files: dict[str, bytes] = {}
    rows: list[list[str]] = []
    for draft in sorted((d for d in drafts if d["pack"]["id"] in ORDER), key=lambda d: ORDER.index(d["pack"]["id"])):
        for section in draft["sections"]:
            name = f"{len(files) + 1:02}-{_slug(section['title'])}.docx"
            files[name] = docx.render_draft(_only(draft, section), clauses)
            asked = sum(x["kind"] == "input" for e in section["elements"] for x in e["sentences"])
            rows.append([name, markdown.escape(section["title"]), WHERE[draft["pack"]["id"]], str(asked), " ".join(_state(section))])
    return {"00-paste-map.md": _map(drafts, rows).encode("utf8"), **files}


def _only(draft: view.Report, section: Mapping[str, Any]) -> dict[str, Any]:
    """The draft with one section, and the notes that it cites."""
    cited = {x.get("note") for e in section["elements"] for x in e["sentences"]}
    notes = [n for n in draft["notes"] if n["n"] in cited]
    official = f"{sum(n['layer'] == 'official' for n in notes)} of {len(notes)}"
    return {**draft, "sections": [section], "notes": notes, "official": official}


def _state(section: Mapping[str, Any]) -> tuple[str, str]:
    states = {e["state"] for e in section["elements"]}
    return view.STATE_LABELS["stated" if states == {"stated"} else "asked" if states == {"asked"} else "partly-stated"]


def _slug(title: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", re.sub(r"^\d+\.\s*", "", title).lower()).strip("-")
    return words if len(words) <= 60 else words[: words.rfind("-", 0, 61)]


def _map(drafts: Sequence[view.Report], rows: list[list[str]]) -> str:
    head = ["# Paste map", "", f"**{markdown.escape(view.draft_mark(drafts[0]))}**", ""] if drafts else ["# Paste map", ""]
    about = "Files in the order of submission. The third column names the part of the form or submission to which each belongs; a person pastes or attaches it."
    lines = [*head, about, "", *markdown.table(["File", "Content", "Belongs to", "Open questions", "State"], rows)]
    stamp = [*markdown.table(["", ""], [[n, markdown.escape(v)] for n, v in view.stamp(drafts[0])])] if drafts else []
    return "\n".join([*lines, "", *stamp]) + "\n"
