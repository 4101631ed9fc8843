"""A report as SARIF 2.1.0, so that a code review shows each gap beside the line of the card.

A result for each gap, partial finding and open question; `texts` (the card's files) give the lines.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from assistant.export import view
from assistant.verify import stands

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"critical": "error", "major": "warning", "minor": "note"}


def render(report: view.Report, texts: Mapping[str, str]) -> str:
    """The log with one run."""
    shown = [f for f in view.findings(report) if f["status"] in view.OPEN]
    rules = list(dict.fromkeys(f["requirement"] for f in shown))
    tool, _, version = str(report.get("tool") or "pincite").partition(" ")
    driver = {"name": "Pincite", "semanticVersion": version or "0", "rules": [_rule(next(f for f in shown if f["requirement"] == r)) for r in rules]}
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"pincite-gaps/{report.get('run') or report.get('as_of')}"},
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": _uri(name)}} for name in _files(report, texts)],
        "results": [_result(f, rules.index(f["requirement"]), report, texts) for f in shown],
        "properties": {**dict(view.stamp(report)), "machineMade": view.machine_mark(report), "runner": tool},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2) + "\n"


def render_check(found: Mapping[str, Any]) -> bytes:
    """What `card check` found, as SARIF: a result for each problem ({file, line, severity, field, message}) at its line."""
    problems = list(found.get("problems") or [])
    rules = list(dict.fromkeys(_check_rule(p) for p in problems))
    results = [
        {
            "ruleId": _check_rule(p), "ruleIndex": rules.index(_check_rule(p)),
            "level": p["severity"] if p.get("severity") in ("error", "warning", "note") else "warning",
            "message": {"text": str(p["message"])},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(p["file"])}, "region": {"startLine": max(1, int(p["line"]))}}}],
        }
        for p in problems
    ]  # fmt: skip
    driver = {"name": "Pincite", "rules": [{"id": r, "shortDescription": {"text": f"Model card: {r.removeprefix('card/')}"}} for r in rules]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return (json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2) + "\n").encode("utf8")


def _check_rule(problem: Mapping[str, Any]) -> str:
    return f"card/{problem.get('field') or 'unreadable'}"


def _uri(name: str) -> str:
    from urllib.parse import quote

    return quote(name.replace("\\", "/"))


def _files(report: view.Report, texts: Mapping[str, str]) -> list[str]:
    named = [e["file"] for f in view.findings(report) for x in f.get("facets") or [] for e in x["evidence"]]
    return list(dict.fromkeys([*texts, *named])) or [str((report.get("card") or {}).get("name") or "card")]


def _rule(f: Mapping[str, Any]) -> dict[str, Any]:
    rule = {
        "id": f["requirement"], "name": f["title"], "shortDescription": {"text": f"{f['title']} ({f['citation']})"},
        "fullDescription": {"text": str(f.get("obligation") or f["title"])}, "defaultConfiguration": {"level": _level(f)},
        "properties": {
            "framework": f["framework"], "pinpoint": f["pinpoint"], "severity": f["severity"], "legalForce": str(f.get("legal_force", "")),
            "tags": ["pincite", f["framework"]],
        },
    }  # fmt: skip
    links = [url for c in f.get("law") or [] if (url := view.safe_link(c.get("link")))]
    return {**rule, "helpUri": links[0]} if links else rule


def _level(f: Mapping[str, Any]) -> str:
    return LEVELS[f["severity"]] if view.binds(f) else "note"


def _result(f: Mapping[str, Any], rule: int, report: view.Report, texts: Mapping[str, str]) -> dict[str, Any]:
    found = [(x, e) for x in f.get("facets") or [] for e in x["evidence"]]
    places = [_location(e, texts) for _, e in found] or [
        {"physicalLocation": {"artifactLocation": {"uri": _uri(_files(report, texts)[0])}, "region": {"startLine": 1}}}
    ]
    text = f"{view.status_label(f)}: {f['title']} ({f['citation']}). {f['why']} What to do: {view.remedy(f)}"
    key = hashlib.sha256("\0".join([f["requirement"], *(x["id"] for x in view.lacking(f))]).encode()).hexdigest()
    asked = f["status"] == "needs-information"
    return {
        "ruleId": f["requirement"], "ruleIndex": rule, "kind": "review" if asked else "fail", "level": "none" if asked else _level(f),
        "message": {"text": text}, "locations": places[:1], "relatedLocations": [{"id": i, **p} for i, p in enumerate(places[1:], 1)],
        "partialFingerprints": {"pincite/v1": key}, "properties": {"status": f["status"], "appliesFrom": str(f.get("applies_from") or "")},
    }  # fmt: skip


def _location(e: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    region: dict[str, Any] = {"charOffset": e["start"], "charLength": e["end"] - e["start"], "snippet": {"text": e["quote"]}}
    text = texts.get(e["file"])
    if text is not None and stands(e, text):
        region = {
            "startLine": text.count("\n", 0, e["start"]) + 1, "startColumn": e["start"] - (text.rfind("\n", 0, e["start"]) + 1) + 1,
            "endLine": text.count("\n", 0, e["end"]) + 1, "endColumn": e["end"] - (text.rfind("\n", 0, e["end"]) + 1) + 1, **region,
        }  # fmt: skip
    elif e.get("line"):
        region = {"startLine": e["line"], **region}
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(e["file"])}, "region": region}}
