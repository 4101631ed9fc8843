"""A report as OSCAL assessment-results (JSON), for auditors' tools.

OSCAL knows only satisfied and not-satisfied: evidence found is the first, gap and partial are the second with a
property `coverage`; every other status is an observation without a finding. Ids are UUIDv5 of the content.
"""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from assistant.export import view

SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://pincite.invalid/oscal")
PROPS = "https://pincite.invalid/ns/oscal"
VERSION = "1.1.2"
NO_PLAN = "This run was made without an OSCAL assessment plan; the requirements of Pincite's catalogue were held against the card."
FINDABLE = ("evidence-found", "partial", "gap")


def render(report: view.Report, texts: Mapping[str, str]) -> str:
    """The document; its times are the as-of date, so that the same report gives the same bytes."""
    instant = f"{report.get('as_of')}T00:00:00Z"
    seed = json.dumps(report, sort_keys=True, ensure_ascii=False)
    plan = _id("plan", seed)
    shown = view.findings(report)
    result = {
        "uuid": _id("result", seed), "title": view.title_of(report), "description": view.machine_mark(report), "start": instant,
        "props": [_prop(name.replace("_", "-"), report[name]) for name in ("as_of", "run", "corpus_digest", "audit_head") if report.get(name)],
        "remarks": f"{view.official(report)}.",
        "reviewed-controls": _reviewed(shown),
        "observations": [_observation(f, instant) for f in shown],
        "findings": [_finding(f) for f in shown if f["status"] in FINDABLE],
    }  # fmt: skip
    document = {
        "uuid": _id("document", seed),
        "metadata": {
            "title": view.title_of(report), "last-modified": instant, "version": str(report.get("as_of")), "oscal-version": VERSION,
            "props": [_prop("machine-made", "true"), _prop("tool", report.get("tool") or "pincite"), _prop("card-sha256", _card(report))],
            "remarks": view.machine_mark(report),
        },
        "import-ap": {"href": f"#{plan}"},
        "results": [{k: v for k, v in result.items() if v}],
        "back-matter": {"resources": [{"uuid": plan, "title": "No assessment plan", "description": NO_PLAN}]},
    }  # fmt: skip
    return json.dumps({"assessment-results": document}, ensure_ascii=False, indent=2) + "\n"


def _id(kind: str, *content: str) -> str:
    return str(uuid.uuid5(SPACE, "\0".join([kind, *content])))


def _prop(name: str, value: object) -> dict[str, str]:
    return {"name": name, "ns": PROPS, "value": " ".join(view.printable(str(value)).split())}


def _card(report: view.Report) -> str:
    return str((report.get("card") or {}).get("sha256") or "unknown")


def _reviewed(shown: list[Mapping[str, Any]]) -> dict[str, Any]:
    ids = [{"control-id": f["requirement"]} for f in shown]
    return {"control-selections": [{"include-controls": ids} if ids else {"include-all": {}}]}


def _observation(f: Mapping[str, Any], instant: str) -> dict[str, Any]:
    quotes = [(x, e) for x in f.get("facets") or [] for e in x["evidence"]]
    links = [{"href": url, "rel": "reference", "text": c["citation"]} for c in f.get("law") or [] if (url := view.safe_link(c.get("link")))]
    observation = {
        "uuid": _id("observation", _content(f)), "title": f["title"], "description": f["why"],
        "props": [_prop(name.replace("_", "-"), f.get(name) or "unknown") for name in ("status", "severity", "pinpoint", "legal_force", "applies_from")],
        "links": links, "methods": ["EXAMINE"], "types": ["finding"],
        "relevant-evidence": [_evidence(x, e) for x, e in quotes],
        "collected": instant,
    }  # fmt: skip
    return {k: v for k, v in observation.items() if v}


def _evidence(facet: Mapping[str, Any], e: Mapping[str, Any]) -> dict[str, Any]:
    props = [_prop("facet", facet["id"]), _prop("facet-status", facet["status"])]
    return {"description": f"{view.place(e)}: {view.printable(e['quote'])}", "props": props}


def _finding(f: Mapping[str, Any]) -> dict[str, Any]:
    found = f["status"] == "evidence-found"
    props = [_prop("coverage", {"evidence-found": "found", "partial": "partial", "gap": "none"}[f["status"]]), _prop("label", view.status_label(f))]
    return {
        "uuid": _id("finding", _content(f)), "title": f["title"], "description": f["why"],
        "target": {
            "type": "objective-id", "target-id": f["requirement"], "props": props, "status": {"state": "satisfied" if found else "not-satisfied"},
            "remarks": "Evidence for every facet stands in the card; this is no verdict." if found else view.remedy(f),
        },
        "related-observations": [{"observation-uuid": _id("observation", _content(f))}],
    }  # fmt: skip


def _content(f: Mapping[str, Any]) -> str:
    return json.dumps(f, sort_keys=True, ensure_ascii=False)
