"""What every report shows, computed once from the plain dict of a gap analysis: stamp, matrix, bars, dates, remedies.

Takes and gives plain values in a fixed order, so that each format lays out the same report. Knows no format.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assistant import corpus, packs
from assistant.findings import FINDING_STATUSES, SEVERITIES
from assistant.law import FRAMEWORKS, unbinding

Report = Mapping[str, Any]

STATUS_LABELS = {
    "evidence-found": ("✓", "Evidence found"),
    "partial": ("◐", "Partial"),
    "gap": ("✗", "Gap"),
    "needs-information": ("?", "Needs information"),
    "not-applicable": ("–", "Not applicable"),
    "not-yet-applicable": ("◷", "Not yet applicable"),
    "not-assessed": ("…", "Not assessed"),
}
SEVERITY_LABELS = {"critical": "Critical", "major": "Major", "minor": "Minor"}
# One palette for every format, as print colours (dark ink on these): status and severity.
COLOURS = {
    "evidence-found": "#1b7f4b", "partial": "#b7791f", "gap": "#c0392b", "needs-information": "#2b6cb0", "not-applicable": "#7a828c",
    "not-yet-applicable": "#6b46c1", "not-assessed": "#4a5560",
}  # fmt: skip
OPEN = ("gap", "partial", "needs-information")
DIGEST_MARK = corpus.DIGEST_NOTICE
CAUTION = "It sets a model card beside what the law asks. It gives no verdict and is no legal advice: a named person decides."
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


def machine_mark(report: Report) -> str:
    """The line by which a reader and a program know that a machine made this document."""
    return f"Machine-made by {report.get('tool') or 'Pincite'}. {CAUTION}"


def official(report: Report) -> str:
    """How much of the report rests on official text."""
    return f"{report.get('official') or '0 of 0'} citations rest on official text"


def stamp(report: Report) -> list[tuple[str, str]]:
    """What ties a copy of the report to its inputs, as (name, value)."""
    card = report.get("card") or {}
    rows = [
        ("Card", str(card.get("name") or "unnamed")), ("Card SHA-256", str(card.get("sha256") or "")), ("As of", str(report.get("as_of") or "")),
        ("Run", str(report.get("run") or "not recorded")), ("Corpus digest", str(report.get("corpus_digest") or "no index: the law was not quoted")),
        ("Audit head", str(report.get("audit_head") or "not recorded")), ("Citations", official(report)), ("Made by", str(report.get("tool") or "Pincite")),
    ]  # fmt: skip
    return [(name, printable(value)) for name, value in rows]


def title_of(report: Report) -> str:
    """The report's title."""
    return printable(f"Gap report: {(report.get('card') or {}).get('name') or 'unnamed card'}")


def printable(text: str) -> str:
    """The text without characters that XML cannot hold; each becomes U+FFFD so that nothing vanishes unseen."""
    return _UNPRINTABLE.sub("\ufffd", text)


def framework_title(name: str) -> str:
    """The framework's printed name."""
    return {v: k for k, v in corpus.FRAMEWORK_OF_TITLE.items()}.get(name, name)


def status_label(finding: Mapping[str, Any]) -> str:
    """The status as a reader sees it; a gap against what does not bind reads so."""
    label = STATUS_LABELS[finding["status"]][1]
    return "Gap against guidance" if finding["status"] == "gap" and not binds(finding) else label


def binds(finding: Mapping[str, Any]) -> bool:
    """Whether the requirement is law rather than guidance or a principle."""
    return str(finding.get("legal_force", "")).startswith("binding")


def force_label(finding: Mapping[str, Any]) -> str:
    """The legal force in words."""
    names = {
        "binding": "binding", "binding-required": "binding (required specification)", "binding-addressable": "binding (addressable: decide and record)",
        "guidance-final": "guidance, final", "guidance-draft": "guidance, draft", "guidance": "guidance", "principle": "principle",
    }  # fmt: skip
    force = str(finding.get("legal_force", ""))
    return names.get(force, force)


def safe_link(url: object) -> str:
    """The link when it is a web address, else nothing."""
    return url if isinstance(url, str) and re.match(r"https?://[^\s\"'<>]+$", url) else ""


# ---- counts ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table of counts: its name, and how many findings under each column."""

    name: str
    title: str
    counts: dict[str, int]

    @property
    def total(self) -> int:
        """All findings of the line."""
        return sum(self.counts.values())


def _order(names: Sequence[str]) -> list[str]:
    known = [f for f in FRAMEWORKS if f in names]
    return known + sorted(set(names) - set(known))


def findings(report: Report) -> list[Mapping[str, Any]]:
    """The findings as given."""
    return list(report.get("findings") or [])


def statuses(report: Report) -> list[str]:
    """The statuses that occur, in the fixed order."""
    held = {f["status"] for f in findings(report)}
    return [s for s in FINDING_STATUSES if s in held]


def totals(report: Report) -> dict[str, int]:
    """How many findings have each status, all statuses named."""
    return {s: sum(f["status"] == s for f in findings(report)) for s in FINDING_STATUSES}


def coverage(report: Report) -> list[Row]:
    """The coverage matrix: one row a framework, one column a status that occurs."""
    rows = []
    for name in _order([f["framework"] for f in findings(report)]):
        mine = [f for f in findings(report) if f["framework"] == name]
        rows.append(Row(name, framework_title(name), {s: sum(f["status"] == s for f in mine) for s in statuses(report)}))
    return rows


def severities(report: Report) -> list[Row]:
    """Open findings and found evidence by severity."""
    shown = ("gap", "partial", "needs-information", "evidence-found")
    return [Row(s, SEVERITY_LABELS[s], {t: sum(f["severity"] == s and f["status"] == t for f in findings(report)) for t in shown}) for s in SEVERITIES]


def timeline(report: Report) -> list[Row]:
    """From which date requirements apply, earliest first: date or "in force", and how many of each framework."""
    names = _order([f["framework"] for f in findings(report)])
    counted = [f for f in findings(report) if f["status"] != "not-applicable"]
    dates = sorted({_date(f) for f in counted})
    return [Row(d, d or "in force", {n: sum(_date(f) == d and f["framework"] == n for f in counted) for n in names}) for d in dates]


def dates_ahead(report: Report) -> list[Row]:
    """The timeline for a chart: what applies already as one row, then each date to come."""
    rows, as_of = timeline(report), str(report.get("as_of"))
    past = [r for r in rows if r.name <= as_of]
    now = Row("", "applies already", {n: sum(r.counts[n] for r in past) for n in rows[0].counts}) if past else None
    return [*([now] if now else []), *(Row(r.name, f"from {r.name}", r.counts) for r in rows if r.name > as_of)]


def _date(finding: Mapping[str, Any]) -> str:
    value = str(finding.get("applies_from") or "")
    return value if re.match(r"\d{4}-\d\d-\d\d$", value) else ""


# ---- findings ----------------------------------------------------------------------------------------------------


def _rank(finding: Mapping[str, Any]) -> tuple[int, int, str]:
    urgency = ("gap", "partial", "needs-information", "not-yet-applicable", "not-assessed", "evidence-found", "not-applicable")
    return (urgency.index(finding["status"]), SEVERITIES.index(finding["severity"]), str(finding["requirement"]))


def by_framework(report: Report) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Findings under their framework's name, the open and severe ones first."""
    return [(row.name, sorted((f for f in findings(report) if f["framework"] == row.name), key=_rank)) for row in coverage(report)]


def remedy_rows(report: Report) -> list[list[str]]:
    """What to do, a row a finding: severity, finding with its citation and status, remedy, owner, what is still to be shown."""
    return [
        [SEVERITY_LABELS[f["severity"]], f"{f['title']}\n{f['citation']} · {status_label(f)}", remedy(f), str(f.get("owner") or ""), still_to_show(f)]
        for f in remedies(report)
    ]


def remedies(report: Report) -> list[Mapping[str, Any]]:
    """Gaps and partial findings, severest first; at equal severity what lacks least comes first."""
    todo = [f for f in findings(report) if f["status"] in ("gap", "partial")]
    return sorted(todo, key=lambda f: (SEVERITIES.index(f["severity"]), not binds(f), len(lacking(f)), str(f["requirement"])))


def lacking(finding: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The facets for which the card shows nothing, or the contrary."""
    return [x for x in finding.get("facets") or [] if x["status"] != "found"]


def still_to_show(finding: Mapping[str, Any]) -> str:
    """How much is missing: "2 of 3"."""
    return f"{len(lacking(finding))} of {len(finding.get('facets') or [])}"


def remedy(finding: Mapping[str, Any]) -> str:
    """What to do: the catalogue's remedy, else the facets to show."""
    return str(finding.get("remedy") or "") or "Show: " + "; ".join(str(x["asks"]) for x in lacking(finding))


def conflicts(report: Report) -> list[dict[str, Any]]:
    """Conflicts between the frameworks that the report touches, each position with its address and link."""
    touched = {f["framework"] for f in findings(report) if f["status"] != "not-applicable"}
    links = corpus.manifest()
    return [
        {
            "title": c.title, "tension": c.tension,
            "positions": [
                {
                    "framework": framework_title(p.framework), "pinpoint": p.pinpoint.address, "citation": str(p.pinpoint), "asks": p.asks,
                    "link": safe_link(links.deep_link(p.pinpoint)),
                }
                for p in c.positions
            ],
        }
        for c in packs.conflicts_between(touched)
    ]  # fmt: skip


IMAGING_TITLE = "Evidence asked of imaging models"
IMAGING_NOTE = "Our own list, whatever the framework: each kind is shown only where the card gives its substance, a value, a number or a method."
_SHOWN = {"found": "✓ Shown", "missing": "✗ Not shown", "contradicted": "✗ The card says the contrary"}


def imaging_rows(report: Report) -> list[list[str]]:
    """Kind of evidence, whether the card shows it, the first quotation with its place; empty where the card is of no imaging model."""
    rows = []
    for x in report.get("imaging") or []:
        first = (x["evidence"] or [None])[0]
        place = f"{first['quote']} ({first['file']}, line {first['line']})" if first else ""
        rows.append([printable(x["asks"]), _SHOWN[x["status"]], printable(" ".join(place.split()))])
    return rows


def doubted(facet: Mapping[str, Any]) -> str:
    """The quotations of a facet that a language model doubts, in one line; empty when there are none."""
    quotes = [" ".join(str(e["quote"]).split()) for e in facet.get("doubted") or []]
    return printable("A language model doubts: " + "; ".join(f"“{q}”" for q in quotes)) if quotes else ""


def review_line(f: Mapping[str, Any]) -> str:
    """A person's decision on a finding in one line; the machine's words stay beside it. Empty when there is none."""
    review = f.get("review") or {}
    if not review:
        return ""
    decision = {"accept": "Accepted", "edit": "Edited", "reject": "Rejected"}.get(review.get("decision", ""), str(review.get("decision", "")))
    edited = f" In that person's words: {review['edited']}" if review.get("edited") else ""
    when = f", {str(review['time'])[:10]}" if review.get("time") else ""
    return printable(f"{decision} by {review.get('by') or 'unnamed'}{when}. {review.get('reason') or ''}{edited}".strip())


def layer_label(citation: Mapping[str, Any]) -> str:
    """Which layer a citation quotes, and what stands between it and the law's words."""
    if citation.get("layer") != "official":
        return DIGEST_MARK
    return "Official text" + (", converted copy" if citation.get("provenance") == "converted" else "")


def standing(citation: Mapping[str, Any]) -> str:
    """A provision's status, with its date where it has one to come."""
    status, since = str(citation.get("status") or ""), str(citation.get("applies_from") or "")
    words = status.replace("-", " ")
    dated = f"applies from {since}" if status == "not-yet-applicable" and since else words
    return "; ".join(part for part in (dated, unbinding(str(citation.get("note") or ""))) if part)


def place(evidence: Mapping[str, Any]) -> str:
    """Where in the card a quotation stands: file, line where known, section."""
    line = f", line {evidence['line']}" if evidence.get("line") else f", characters {evidence['start']}–{evidence['end']}"
    section = f" ({evidence['section']})" if evidence.get("section") else ""
    return printable(f"{evidence['file']}{line}{section}")


_FRESH = re.compile(r"\s*(?:[-*+|#>]|\d+[.)]\s|\(?[a-z]\)\s|$)")


def reflow(text: str) -> str:
    """A card's words without the line ends that its source file only wraps at; lists, tables and blank lines keep theirs."""
    out: list[str] = []
    for line in printable(text).split("\n"):
        wrapped = bool(out) and (len(out) == 1 or len(out[-1]) > 40) and not out[-1].lstrip().startswith("|") and not _FRESH.match(line)
        if wrapped:
            out[-1] = f"{out[-1].rstrip()} {line.strip()}"
        else:
            out.append(line)
    return "\n".join(out)


def grid(text: str) -> list[list[str]]:
    """The cells of a quotation that is a Markdown table, without its rule; empty when it is none."""
    lines = [line.strip() for line in text.strip().split("\n")]
    if len(lines) < 3 or not all(line.startswith("|") and line.endswith("|") for line in lines) or not re.match(r"[|:\s-]+$", lines[1]):
        return []
    rows = [[cell.strip() for cell in line[1:-1].split("|")] for i, line in enumerate(lines) if i != 1]
    return rows if all(len(row) == len(rows[0]) for row in rows) else []


def blocks(text: str) -> list[str | list[list[str]]]:
    """A quotation as its parts in order: text as it is to be set, and the cells of each Markdown table in it."""
    found: list[str | list[list[str]]] = []
    for part in re.split(r"((?:^[ \t]*\|.*\|[ \t]*(?:\n|$)){3,})", text, flags=re.M):
        if part.strip():
            found.append(grid(part) or reflow(part.strip("\n")))
    return found


def standing_rows(draft: Report) -> list[list[str]]:
    """Where a draft stands, one row an element; the section is named once."""
    rows, last = [], ""
    for section, e in elements(draft):
        asked = sum(x["kind"] == "input" for x in e["sentences"])
        rows.append([section["title"] if section["title"] != last else "", e["title"], " ".join(STATE_LABELS[e["state"]]), str(asked or ""), e["owner"]])
        last = section["title"]
    return rows


# ---- drafts ------------------------------------------------------------------------------------------------------

STATE_LABELS = {"stated": ("✓", "Stated in the card"), "partly-stated": ("◐", "Partly stated"), "asked": ("✗", "Input needed")}
DRAFT_CAUTION = "Every sentence is the card's words, what the law asks with a checked citation, or a question. A named person completes, decides and signs."


def draft_title(draft: Report) -> str:
    """The draft's title."""
    return printable(f"{draft['pack']['title']}: {draft['card']['name']}")


def draft_mark(draft: Report) -> str:
    """The line by which a reader and a program know that a machine made this draft."""
    return f"Machine-made draft by {draft.get('tool') or 'Pincite'}. {DRAFT_CAUTION}"


def head_line(draft: Report) -> str:
    """Day, level, sources and run in one line; the whole stamp stands at the end."""
    level = f" · {draft['level']} documentation" if draft.get("level") else ""
    return printable(f"As of {draft.get('as_of')}{level} · {official(draft)} · run {draft.get('run') or 'not recorded'}")


def elements(draft: Report) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Every element with its section, in document order."""
    return [(s, e) for s in draft["sections"] for e in s["elements"]]


def questions(draft: Report) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Every open question with its element, in document order."""
    return [(e, x) for _, e in elements(draft) for x in e["sentences"] if x["kind"] == "input"]


def asked_for(sentence: Mapping[str, Any]) -> str:
    """What the law asks, marked where a model phrased it."""
    return printable(f"Asked for: {sentence['text']}" + (" (phrased by a model, checked)" if sentence.get("phrased_by") == "model" else ""))


def source(sentence: Mapping[str, Any]) -> str:
    """Where a quotation of the card stands, and what a reader must know about it."""
    return place(sentence) + (f"; {sentence['caution']}" if sentence.get("caution") else "")


def asked_by(sentence: Mapping[str, Any], clauses: bool) -> str:
    """Who answers a question and, with clauses shown, for which requirements."""
    ids = ", ".join(sentence["requirements"]) if clauses else ""
    return f"Owner: {sentence.get('owner') or 'to be named'}" + (f" · for {ids}" if ids else "")


def decided(sentence: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str]:
    """The sentence as it stands after review, None where it was left out, and a line on who decided; the line keeps the machine's words."""
    review = sentence.get("review") or {}
    if not review:
        return sentence, ""
    who = f"by {review['by'] or 'unnamed'}, {str(review['time'])[:10]}"
    reason = f": {review['reason']}" if review["reason"] else ""
    if review["decision"] == "accept":
        alone = "/" in str(review.get("on") or "/")  # what was accepted as a whole is listed as a whole
        return sentence, printable(f"Accepted {who}{reason}") if alone else ""
    verb = "Edited" if review["decision"] == "edit" else "Left out"
    checks = "".join(f" Check: {p}." for p in review["problems"])
    line = printable(f"{verb} {who}{reason}. The machine's words: “{' '.join(str(sentence['text']).split())}”{checks}")
    return ({**sentence, "kind": "person", "text": review["edited"]} if review["decision"] == "edit" else None), line


def people(report: Report) -> list[tuple[str, list[str], list[list[str]]]]:
    """What people said of a run and where its drafts disagree, as tables: title, head, rows. Only those that have rows."""
    signed = [
        [
            x["by"],
            x["meaning"],
            str(x["time"])[:16].replace("T", " "),
            ("VOID: " + "; ".join(x["void"])) if x["void"] else "stands",
            f"{x['official']}{', acknowledged' if x['acknowledged'] else ''}",
        ]
        for x in report.get("signatures") or []
    ]
    apart = [[x["field"].replace("_", " "), x["one"], x["says"], x["other"], x["says_there"]] for x in report.get("disagreements") or []]
    said = [[x["target"], x["by"], str(x["time"])[:10], x["text"], x["owner"], x["due"]] for x in report.get("remarks") or []]
    whole = Counter(
        (x["review"]["on"], x["review"]["decision"], x["review"]["by"], str(x["review"]["time"])[:10], x["review"]["reason"])
        for s in report.get("sections") or []
        for e in s["elements"]
        for x in e["sentences"]
        if x.get("review") and "/" not in str(x["review"].get("on") or "/")
    )
    names = {s["id"]: s["title"] for s in report.get("sections") or []}
    tables = [
        ("Decided as a whole", ["On", "Decision", "By", "Day", "Reason", "Sentences"], [[names.get(on, on), *row, str(n)] for (on, *row), n in whole.items()]),
        ("Signatures", ["Name", "Signed as", "Time (UTC)", "Standing", "Citations on official text"], signed),
        ("Where the drafts and the card do not agree", ["On", "One place", "says", "Other place", "says"], apart),
        ("Comments and tasks", ["On", "By", "Day", "Words", "Owner", "Due"], said),
    ]
    return [(title, head, [[printable(cell) for cell in row] for row in rows]) for title, head, rows in tables if rows]


def date_rows(report: Report) -> list[list[str]]:
    """The timeline as rows of text: date, whether it applies, a count for each framework, all."""
    as_of = str(report.get("as_of"))
    return [[r.title, "still to come" if r.name > as_of else "applies", *(str(n or "") for n in r.counts.values()), str(r.total)] for r in timeline(report)]


def noted(note: Mapping[str, Any]) -> str:
    """What stands after a note's address: layer, version, standing."""
    return printable(f"{layer_label(note)}, version {note['version']}, {standing(note)}")


def foot(stamped: Report) -> str:
    """The line at the foot of every page."""
    digest, head = str(stamped.get("corpus_digest") or "none")[:12], str(stamped.get("audit_head") or "none")[:12]
    return f"Machine-made by Pincite · run {stamped.get('run') or 'not recorded'} · as of {stamped.get('as_of')} · corpus {digest} · audit head {head}"
