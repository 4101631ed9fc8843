"""Gaps: a model card held against the requirements: counts, coverage, dates and findings, the law left and the card's words right."""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from assistant import corpus
from assistant.errors import PinciteError, UsageError
from assistant.evidence.folder import among
from assistant.export import FORMATS
from assistant.roles import need
from assistant.ui.parts import (
    CLICKS,
    FRAMEWORKS,
    SCROLLS,
    SEVERITIES,
    STATUSES,
    Json,
    badge,
    banner,
    citation_cards,
    clicked,
    empty,
    esc,
    failure,
    go,
    long_date,
    provision_html,
    short,
    status_badge,
    table,
    view_citation,
)  # fmt: skip
from assistant.ui.shell import MINIMAL, QUIET, Shell
from assistant.ui.work import user_of
from assistant.worker import card_files

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

NOT_RUN = empty("No assessment yet", "Give a model card, or choose a sample, and press “Assess”. Nothing of it leaves this machine.")
NO_FINDING = empty("No finding open", "Choose a row of the findings: the law opens on the left, the card's own words on the right.")
ANY = "any"
AS_TEXT = (".md", ".markdown", ".txt", ".xml", ".json", ".yaml", ".yml", ".html")  # files whose kept text is the file
Facts = dict[str, dict[str, Any]]
SHOW_FINDING = "() => document.getElementById('pc-finding').scrollIntoView({block: 'nearest'})"
AMENDED_BY_LETTERS = ("eu-ai-act", "gdpr", "mdr")
# Art. 4a, paragraph 1a, point (ba): how Union law numbers what an amendment puts in; (ii), (iv) and the like are roman numbers.
INSERTED = re.compile(r"-\d+[a-z]|\(\d+[a-z]+\)|\((?![ivx]+\))[a-z]{2,}\)")
DECISIONS = {"accept": "accepted", "edit": "edited", "reject": "rejected"}
COLUMNS = ("Requirement", "Title", "Status", "Severity", "Law", "Applies from")
TONES = {
    "bad": "background-color:#fde4e4;color:#9b1c1c", "warn": "background-color:#fdf0d2;color:#7a4b00", "ask": "background-color:#e1edfb;color:#1c4f8f",
    "good": "background-color:#dff3e6;color:#14603a", "later": "background-color:#eee6f9;color:#5b3a8c", "mute": "background-color:#eceef1;color:#4b5563",
}  # fmt: skip


# ---- what a report looks like ------------------------------------------------------------------------------------


def head(report: Json) -> str:
    """Which card, as of when, on what corpus, and that these are proposals."""
    what = f"{report['card']['name']}, as of {long_date(report['as_of'])}. Corpus {report['corpus_digest'][:12] or 'none'}"
    text = f"{what}; run {report['run']}; {report['official']} citations rest on official text."
    proposal = banner("These findings are proposals of a machine. A named person accepts, edits or rejects each.", "info")
    waiting = report["summary"]["by_status"].get("needs-information", 0)
    if waiting:
        proposal += banner(
            f"{waiting} findings wait for facts that the card does not state. Set them on the Card page (or give a facts.json), then assess again.", "ask"
        )
    proposal += "".join(
        banner(f"Computed figures count: {e['file']}, made by {e['command']}" + ("" if e["audit"] else "; this is not on this record"), "info")
        for e in report.get("evidence", ())
    )
    asks = {q.name: q.ask for q in corpus.fact_questions().values()}
    facts = [[asks.get(name, name), {True: "yes", False: "no", None: "not known"}[f["value"]], f["source"]] for name, f in report["facts"].items()]
    known = table(["Fact", "Value", "Source"], facts, "Facts on which applicability rests") if facts else ""
    return f"<p><strong>{esc(text)}</strong></p>{proposal}<details class='pc-links'><summary>Facts ({len(facts)})</summary>{known}</details>"


def counts(report: Json) -> str:
    """How many findings have each status."""
    boxes = "".join(
        f'<div class="pc-count pc-{tone}"><b>{report["summary"]["by_status"].get(key, 0)}</b>{sign} {esc(words)}</div>'
        for key, (sign, words, tone) in STATUSES.items()
    )
    return f'<div class="pc-counts" role="group" aria-label="Findings by status">{boxes}</div>'


def by_framework(report: Json) -> dict[str, Json]:
    """The counts of a report by framework, in the order of the header's list: a report that was kept has its keys sorted."""
    held = report["summary"]["by_framework"]
    return {f: held[f] for f in (*FRAMEWORKS, *held) if f in held}


def matrix(report: Json) -> "Styler":
    """Coverage: framework against status, coloured, each cell a count."""
    import pandas as pd

    rows = by_framework(report)
    names = [FRAMEWORKS.get(f, f) for f in rows]
    headers = [f"{sign} {words}" for sign, words, _ in STATUSES.values()]
    frame = pd.DataFrame([[FRAMEWORKS.get(f, f), *(row.get(s, 0) for s in STATUSES)] for f, row in rows.items()], columns=["Framework", *headers])
    tones = [tone for _, _, tone in STATUSES.values()]

    def colour(row: Any) -> list[str]:
        return ["", *(TONES[t] if n else "" for n, t in zip(list(row)[1:], tones, strict=True))]

    assert len(names) == len(frame)
    return frame.style.apply(colour, axis=1)


def severity_bars(report: Json) -> str:
    """Gaps and partial findings by severity: bars, and the same numbers as a table."""
    open_ = {s: [sum(f["severity"] == s and f["status"] == k for f in report["findings"]) for k in ("gap", "partial")] for s in SEVERITIES}
    most = max((sum(n) for n in open_.values()), default=0) or 1
    bars = "".join(
        f'<span>{s}</span><span class="pc-bar"><i class="pc-fill-bad" style="width:{100 * gap / most:.1f}%"></i>'
        f'<i class="pc-fill-warn" style="width:{100 * partial / most:.1f}%"></i></span><span>{gap} gaps, {partial} partial</span>'
        for s, (gap, partial) in open_.items()
    )
    rows = [[s, str(gap), str(partial), str(gap + partial)] for s, (gap, partial) in open_.items()]
    return (
        f'<div class="pc-bars" role="img" aria-label="Gaps and partial findings by severity; the table below has the numbers">{bars}</div>'
        f"{table(['Severity', 'Gaps', 'Partial', 'Open together'], rows, 'Open findings by severity')}"
    )


def timeline(report: Json) -> str:
    """When which duties begin, and how many of them are open: a line of dates, the same as a table, and the dates that the law has moved."""
    dated: dict[str, list[Json]] = {}
    for f in report["findings"]:
        if f["applies_from"][:1].isdigit():
            dated.setdefault(f["applies_from"][:10], []).append(f)
    if not dated:
        return empty("No dates", "No finding carries a date.")
    rows = [
        [
            long_date(day) + (" (ahead)" if day > report["as_of"] else ""),
            ", ".join(dict.fromkeys(FRAMEWORKS.get(f["framework"], str(f["framework"])) for f in found)),
            str(len(found)),
            str(sum(f["status"] in ("gap", "partial") for f in found)),
            short(", ".join(dict.fromkeys(f["citation"] for f in found)), 160),
        ]
        for day, found in sorted(dated.items())
    ]
    listed = table(["Applies from", "Framework", "Requirements", "Gap or partial", "Provisions"], rows, "When duties begin")
    return _line_of_dates({day: len(found) for day, found in dated.items()}, report["as_of"]) + listed + _moved_dates(report)


def _line_of_dates(dated: Mapping[str, int], as_of: str) -> str:
    """The dates from half a year before the as-of date on, as marks on a line; earlier ones are counted together."""
    start = (date.fromisoformat(as_of) - timedelta(days=200)).isoformat()
    ahead = {day: n for day, n in sorted(dated.items()) if day >= start}
    before = sum(n for day, n in dated.items() if day < start)
    last = max([*ahead, as_of])
    first, whole = date.fromisoformat(start), max(1, (date.fromisoformat(last) - date.fromisoformat(start)).days)

    def mark(day: str, words: str, kind: str, row: int) -> str:
        left = 2 + 84 * (date.fromisoformat(day) - first).days / whole
        return f'<span class="pc-when {kind} pc-row-{row}" style="left:{left:.1f}%">{esc(words)}</span>'

    marks = "".join(mark(day, f"{day}: {n}", "pc-ahead" if day > as_of else "pc-since", i % 3) for i, (day, n) in enumerate(ahead.items()))
    said = f"{before} requirements applied already on {long_date(start)}. " if before else ""
    return (
        f'<p>{esc(said)}Each mark: a date, and how many requirements begin to apply then.</p><div class="pc-dates" role="img" '
        f'aria-label="Dates on a line; the table below has the same">{marks}{mark(as_of, "as of", "pc-now", 3)}</div>'
    )


def _moved_dates(report: Json) -> str:
    """Requirements whose provision applied from another day in an earlier text of the law, from the dates the corpus keeps with their source."""
    moved: dict[tuple[str, str], list[str]] = {}
    for f in report["findings"]:
        for then in earlier_dates(f["pinpoint"]):
            if then != f["applies_from"][:10] and f["applies_from"][:1].isdigit():
                moved.setdefault((then, f["applies_from"][:10]), []).append(f"{f['citation']}")
    rows = [[long_date(was), long_date(now), str(len(where)), short(", ".join(dict.fromkeys(where)), 200)] for (was, now), where in sorted(moved.items())]
    return table(["Applied first from", "Now from", "Requirements", "Provisions"], rows, "Dates that an amendment has moved") if rows else ""


@cache
def earlier_dates(address: str) -> tuple[str, ...]:
    """The days from which a provision applied under texts that an amendment has replaced; none for one that an amendment put in (its number says so)."""
    p = corpus.pinpoint(address)
    if p.instrument not in AMENDED_BY_LETTERS or INSERTED.search(p.path):
        return ()
    days = sorted({row.since for row in corpus.status_rows() if row.since and row.covers(p, row.since)})
    return tuple(then for day in days if (then := corpus.term_of(p, _day_before(day)).applies_from))


def _day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def crosswalk(report: Json) -> str:
    """Which requirements of other frameworks ask for the like, with the status of both: evidence found for one may serve the other."""
    asks = {r.id: r for r in corpus.requirements()}
    status = {f["requirement"]: f for f in report["findings"]}
    rows, done = [], set()
    for f in report["findings"]:
        here = asks.get(f["requirement"])
        for other in here.cross_references if here else ():
            found = status.get(other)
            if found is None or (pair := frozenset((other, f["requirement"]))) in done:
                continue
            done.add(pair)
            one, two = (f'{esc(x["requirement"])}: {esc(short(x["title"], 60))}<br><span class="pc-where">{esc(x["citation"])}</span>' for x in (f, found))
            serves = "evidence-found" in (f["status"], found["status"]) and f["status"] != found["status"]
            rows.append(
                [one, status_badge(f["status"]), two, status_badge(found["status"]), badge("look whether the evidence serves both", "ask") if serves else ""]
            )
    note = banner("Related, not equal: what fulfils one is looked at, never counted, for the other.", "info")
    return (
        note + table(["Requirement", "Status", "Related to", "Status", ""], rows, "Crosswalk between frameworks", plain=False)
        if rows
        else empty("No crosswalk", "No requirement here is related to another that was assessed.")
    )


def changes(report: Json) -> str:
    """What differs from the earlier run that the assessment was held against, and why it may."""
    since = report.get("since")
    if not since:
        return ""
    why = f"changed since run {since['run']}: {', '.join(since['because'])}" if since["because"] else f"nothing has changed since run {since['run']}"
    rows = [
        [c["requirement"], STATUSES[c["was"]][1] if c["was"] in STATUSES else c["was"], STATUSES[c["is"]][1] if c["is"] in STATUSES else c["is"]]
        for c in since["changed"]
    ]
    said = banner(f"Held against the earlier assessment; {why}. {len(rows)} findings differ.", "info" if rows else "good")
    return said + (table(["Requirement", "Was", "Is"], rows, "What changed since the earlier assessment") if rows else "")


def chosen(report: Json, framework: str, status: str, severity: str, words: str, changed: bool = False) -> list[Json]:
    """The findings that pass the filters, the worst first; `changed`: only those that differ from the earlier run."""
    wanted = words.lower().split()
    differ = {c["requirement"] for c in report["since"]["changed"]} if changed and report.get("since") else None
    found = [
        f for f in report["findings"]
        if (differ is None or f["requirement"] in differ) and framework in (ANY, f["framework"]) and status in (ANY, f["status"]) and severity in (ANY, f["severity"])
        and all(w in f"{f['requirement']} {f['title']} {f['obligation']} {f['citation']} {f['owner']}".lower() for w in wanted)
    ]  # fmt: skip
    order = list(STATUSES)
    return sorted(found, key=lambda f: (order.index(f["status"]), SEVERITIES.index(f["severity"]), f["requirement"]))


def findings_table(found: Sequence[Json]) -> list[list[str]]:
    """The findings as rows of a table."""
    rows = []
    for f in found:
        sign, words, _ = STATUSES[f["status"]]
        rows.append([f["requirement"], f["title"], f"{sign} {words}", f["severity"], f["citation"], f["applies_from"]])
    return rows


def detail(f: Json) -> str:
    """One finding: what the law asks on the left, what the card says on the right, why, and the remedy."""
    law = (
        citation_cards(f["law"], "law") if f["law"] else empty("No text of this provision here", "The library holds no words for it; its address stands above.")
    )
    force = badge(f["legal_force"]) + badge(f["severity"], "warn")
    when = f"<p>Applies from {esc(long_date(f['applies_from']))}.</p>" if f["applies_from"][:1].isdigit() else ""
    against = " (against guidance)" if "guidance" in f["legal_force"] and f["status"] in ("gap", "partial") else ""
    owner = f"<p>Suggested owner: {esc(f['owner'])}</p>" if f["owner"] else ""
    remedy = f"<h3>Remedy</h3><p>{esc(f['remedy'])}</p>{owner}" if f["remedy"] else owner
    return (
        f'<article class="pc-finding"><h2>{esc(f["requirement"])}: {esc(f["title"])} {status_badge(f["status"])}{esc(against)}</h2>'
        f"{_review(f.get('review'))}{remarks_html(f.get('remarks', ()))}<p>{esc(f['why'])}</p>"
        f'<div class="pc-two"><section aria-label="The law"><h3>The law: {esc(f["citation"])} {force}</h3><p>{esc(f["obligation"])}</p>{when}{law}</section>'
        f'<section aria-label="The card"><h3>The card</h3>{"".join(_facet(x) for x in f["facets"])}</section></div>{remedy}</article>'
    )


def _review(review: Json | None) -> str:
    if not review:
        return ""
    edited = f"<blockquote>{esc(review['edited'])}</blockquote>" if review["edited"] else ""
    said = f"{DECISIONS[review['decision']]} by {review['by']}, {review['time'][:16].replace('T', ' ')} UTC. {review['reason']}"
    return f'<div class="pc-banner pc-good">{esc(said[0].upper() + said[1:])}{edited}</div>'


def remarks_html(said: Sequence[Json]) -> str:
    """What people said on a finding or sentence, and whose task it is."""
    rows = []
    for r in said:
        task = f" For {r['owner']}{', due ' + long_date(r['due']) if r['due'] else ''}." if r["owner"] else ""
        rows.append(f"<li><strong>{esc(r['by'])}</strong>, {esc(r['time'][:16].replace('T', ' '))} UTC: {esc(r['text'])}{esc(task)}</li>")
    return f'<ul class="pc-remarks" aria-label="Remarks and tasks">{"".join(rows)}</ul>' if rows else ""


def _facet(facet: Json) -> str:
    sign, tone = {"found": ("✓ found", "good"), "missing": ("✕ missing", "bad"), "contradicted": ("≠ contradicted", "warn")}[facet["status"]]
    quotes = "".join(
        f"<blockquote>{esc(e['quote'])}</blockquote>"
        f'<div class="pc-where">{esc(e["file"])}, {esc(e["section"] or "before the first heading")}, characters {e["start"]}–{e["end"]}</div>'
        for e in facet["evidence"]
    )
    return f"<p>{badge(sign, tone)} {esc(facet['asks'])}</p>{quotes or '<p>The card says nothing that bears this.</p>'}"


def downloads(report: Json) -> str:
    """Links that download the report; each carries run, date, corpus digest and audit head."""
    links = "".join(f'<a href="/export/{esc(report["run"])}.{f}" download>{f.upper()}</a>' for f in ("json", *FORMATS, "bundle"))
    return f'<div class="pc-downloads" role="group" aria-label="Download the report"><span>Download:</span>{links}</div>'


# ---- what the page does ------------------------------------------------------------------------------------------


def samples() -> list[tuple[str, str]]:
    """The shipped cards of devices that do not exist: name and folder name."""
    folder = corpus.root() / "cards"
    return [(p.name.replace("-", " "), p.name) for p in sorted(folder.iterdir()) if p.is_dir()] if folder.is_dir() else []


@contextmanager
def at_hand(files: Sequence[str] | None, sample: str | None, facts: str | None, given: Facts) -> Iterator[tuple[Path, Path | None]]:
    """The card to read, while inside: uploaded files together under their own names, or a sample; and a file of the facts known beside it.

    Facts come from facts.json beside the card or, before it, the file given; those that a person set win.
    """
    with tempfile.TemporaryDirectory(prefix="pincite-card-") as folder:
        inside = Path(folder) / "card"
        inside.mkdir()
        figures = among([Path(file).name for file in files or ()])
        own = [file for file in files or () if Path(file).name not in figures]
        if own:
            for file in own:
                shutil.copy(file, inside / Path(file).name)
            card = inside / Path(own[0]).name if len(own) == 1 else inside
        elif sample in {name for _, name in samples()}:
            card = corpus.root() / "cards" / str(sample)
        else:
            raise UsageError("There is no card yet", "Upload one (README.md, XML, DOCX, PDF or text), or choose a sample")
        beside = Path(facts) if facts else (card if card.is_dir() else card.parent) / "facts.json"
        merged = Path(folder) / "facts.json"
        if given and (not beside.exists() or _is_object(beside)):
            known = json.loads(beside.read_text("utf8")) if beside.exists() else {}
            merged.write_text(json.dumps({**known, **given}), "utf8")
        yield card, merged if merged.exists() else Path(facts) if facts else None


@contextmanager
def computed_beside(files: Sequence[str] | None) -> Iterator[list[Path]]:
    """The folder of the computed evidence among uploaded files, while inside; none where there is none."""
    with tempfile.TemporaryDirectory(prefix="pincite-evidence-") as folder:
        inside = Path(folder) / "evidence"
        inside.mkdir()
        figures = among([Path(file).name for file in files or ()])
        for file in files or ():
            if Path(file).name in figures:
                shutil.copy(file, inside / Path(file).name)
        yield [inside] if figures else []


@contextmanager
def kept_files(shell: Shell, report: Json | None) -> Iterator[list[str]]:
    """The files of an assessed card as they were kept, while inside; none for no assessment."""
    with tempfile.TemporaryDirectory(prefix="pincite-kept-") as folder:
        texts = shell.bench.card_files(report["card"]["sha256"]) if report else {}
        foreign = [name for name in texts if Path(name).suffix.lower() not in AS_TEXT]
        if foreign:
            raise UsageError(f"Of {foreign[0]} only the text was kept", "Give the file again above and press “Assess”: it is then held against this assessment")
        for name, text in texts.items():
            (Path(folder) / Path(name).name).write_text(text, "utf8", newline="")
        yield [str(p) for p in sorted(Path(folder).iterdir())]


def _is_object(path: Path) -> bool:
    """Whether a file holds a JSON object; when not, reading it as facts says what is wrong."""
    try:
        return isinstance(json.loads(path.read_text("utf8")), dict)
    except (OSError, ValueError):
        return False


def assess_steps(
    shell: Shell,
    request: Any,
    files: Sequence[str] | None,
    sample: str | None,
    facts: str | None,
    given: Facts,
    as_of: str,
    frameworks: Sequence[str],
    everything: bool,
    since: str = "",
    project: str = "",
    again: Json | None = None,
) -> Iterator[tuple[str, Json | None]]:
    """What to show above the results after each step, and at the end the report. The work is a job: it goes on when the tab is closed.

    `again`: an earlier assessment, whose card as it was kept is held against the law as it is now.
    """
    from assistant.workbench import check_day

    try:
        need(shell.role(request), "assess")
        day = check_day(as_of)
    except PinciteError as error:
        yield failure(error), None
        return
    user, wanted = user_of(request), {"as_of": day, "frameworks": list(frameworks), "everything": everything, "project": project}
    try:
        with (
            shell.bench.acting(user),
            kept_files(shell, again) as before,
            at_hand(before or files, None if before else sample, facts, given) as (card, known),
            computed_beside(before or files) as figures,
        ):
            kept, how = card_files(card, known, figures)
            id = shell.jobs.submit("gaps", {**wanted, **how, "since": since or last_run(shell, project)}, kept)
    except PinciteError as error:
        yield failure(error), None
        return
    yield from shell.run_of(id, top_of)


def top_of(report: Json) -> str:
    """What stands above the results of an assessment."""
    return head(report) + changes(report) + downloads(report)


def carry_offer(shell: Shell, request: Any, report: Json) -> str:
    """What to say of the decisions of the earlier assessment that rest on what has not changed; "" where there are none."""
    try:
        with shell.acting(request):
            held = shell.bench.carried(report["run"]) if report.get("since") else {}
    except PinciteError:
        return ""
    return f"Stand by {len(held)} earlier decision{'s' if len(held) != 1 else ''} on what has not changed" if held else ""


def carry(shell: Shell, request: Any, report: Json | None) -> tuple[str, Json | None]:
    """Records that the user stands by the earlier decisions; what to say, and the report with them."""
    if report is None:
        return banner("Assess a card first.", "warn"), report
    try:
        with shell.acting(request, "decide"):
            done = shell.bench.carry(report["run"])
            reviews = shell.bench.reviews(report["run"])
    except PinciteError as error:
        return failure(error), report
    findings = [{**f, "review": reviews.get(f["requirement"])} for f in report["findings"]]
    return banner(
        f"{len(done)} decision{'s stand' if len(done) != 1 else ' stands'} again, under your name and on the record. What changed waits for you.", "good"
    ), {
        **report,
        "findings": findings,
    }


def last_run(shell: Shell, project: str) -> str:
    """The last assessment that was made for a project of the acting user; "" when there is none."""
    return next((str(r["run"]) for r in shell.bench.project(project)["runs"] if r["kind"] == "gaps"), "") if project else ""


def earlier(shell: Shell, request: Any) -> list[tuple[str, str]]:
    """The kept assessments that the user may open, newest first, for a list."""
    try:
        with shell.acting(request):
            rows = shell.bench.runs("gaps", 200)
    except PinciteError:
        return []
    return [(f"{r['about']} ({r['time'][:16].replace('T', ' ')}, {r['owner']})", r["id"]) for r in rows]


def reopened(shell: Shell, request: Any, id: str | None) -> tuple[str, Json | None]:
    """A kept assessment with the decisions and remarks on it; one that is another's is not there."""
    if not id or id not in {run for _, run in earlier(shell, request)}:
        return NOT_RUN, None
    try:
        with shell.acting(request):
            found = shell.bench.run(id)
    except PinciteError as error:
        return failure(error), None
    report = with_remarks({**found, "run": id}, found.get("remarks", ()))
    return top_of(report), report


def with_remarks(report: Json, remarks: Sequence[Json]) -> dict[str, Any]:
    """The report with each remark at its finding."""
    return {**report, "findings": [{**f, "remarks": [r for r in remarks if r["target"] == f["requirement"]]} for f in report["findings"]]}


def remark(shell: Shell, request: Any, report: Json | None, id: str, text: str, owner: str, due: str) -> tuple[str, Json | None]:
    """Records a remark on the open finding, or with an owner a task; what to say, and the report with it."""
    if report is None or not id:
        return banner("Open a finding first.", "warn"), report
    try:
        with shell.acting(request, "decide"):
            shell.bench.comment(report["run"], id, text, owner, due.strip())
            said = shell.bench.remarks(report["run"])
    except PinciteError as error:
        return failure(error), report
    return banner(f"{id}: {'assigned to ' + owner if owner.strip() else 'remark kept'}, and on the record.", "good"), with_remarks(report, said)


def options(report: Json | None) -> list[tuple[str, str]]:
    """The frameworks of a report as choices of a filter."""
    return [("any framework", ANY), *((FRAMEWORKS.get(f, f), f) for f in (by_framework(report) if report else ()))]


def from_cell(report: Json, row: int, column: int) -> tuple[str, str]:
    """The filters that a cell of the coverage matrix stands for: its framework, and its status when it is not the first column."""
    frameworks = list(by_framework(report))
    if not 0 <= row < len(frameworks):
        return ANY, ANY
    return frameworks[row], ANY if column <= 0 else list(STATUSES)[column - 1]


def finding(report: Json | None, id: str | None) -> Json | None:
    """The finding for a requirement id."""
    return next((f for f in report["findings"] if f["requirement"] == id), None) if report and id else None


def open_law(shell: Shell, f: Json | None, data: Json, as_of: str) -> str:
    """The provision behind a click on a finding's citation."""
    pin = str(data.get("pin", "")).removeprefix("law-")
    if "go" in data or f is None or not pin.isdigit() or not 0 < int(pin) <= len(f["law"]):
        return go(shell.bench, data, as_of)
    try:
        return provision_html(view_citation(shell.bench, f["law"][int(pin) - 1], as_of))
    except PinciteError as error:
        return failure(error)


def decide(shell: Shell, request: Any, report: Json | None, id: str, decision: str | None, reason: str, edited: str) -> tuple[str, Json | None]:
    """Records a named person's decision on the open finding: what to say, and the report with it."""
    if report is None or not id:
        return banner("Open a finding first.", "warn"), report
    try:
        with shell.acting(request, "decide"):
            shell.bench.review(report["run"], id, decision or "", reason, edited)
            reviews = shell.bench.reviews(report["run"])
    except PinciteError as error:
        return failure(error), report
    findings = [{**f, "review": reviews.get(f["requirement"])} for f in report["findings"]]
    return banner(f"{id}: {DECISIONS[decision or '']} and on the record.", "good"), {**report, "findings": findings}


# ---- the page ----------------------------------------------------------------------------------------------------


def build(shell: Shell) -> Mapping[str, Any]:
    """The page's components that the loading of the app needs, by name."""
    report, open_id = gr.State(None), gr.State("")
    with gr.Row(equal_height=False):
        files = gr.File(
            label="Model card: one file, or the card and what lies beside it",
            file_count="multiple",
            height=140,
            scale=3,
            min_width=300,
            elem_id="pc-card-files",
        )
        with gr.Column(scale=2, min_width=260):
            sample = gr.Dropdown(label="or a sample card", choices=samples(), value=None, interactive=True)
            facts = gr.File(label="Facts for applicability (facts.json, optional)", file_types=[".json"], height=140)
        with gr.Column(scale=2, min_width=220):
            everything = gr.Checkbox(label="Assess also what does not apply", value=False)
            since = gr.Dropdown(label="Compare with an earlier assessment", choices=[], value=None, interactive=True, elem_id="pc-since")
            run = gr.Button("Assess", variant="primary", elem_id="pc-assess")
            stop = gr.Button("Stop", size="sm")
    with gr.Row():
        past = gr.Dropdown(label="Earlier assessments: open one", choices=[], value=None, interactive=True, min_width=300, elem_id="pc-earlier-gaps")
        recheck = gr.Button("Check this one again: what changed in the law?", min_width=220, visible=False, elem_id="pc-recheck")
    top = gr.HTML(NOT_RUN, elem_id="pc-gap-top")
    stand = gr.Button("", variant="primary", visible=False, elem_id="pc-carry")
    stood = gr.HTML()
    with gr.Column(visible=False) as results:
        numbers = gr.HTML()
        grid = gr.Dataframe(label="Coverage: choose a cell to filter the findings", interactive=False, wrap=True, elem_id="pc-matrix", buttons=[])
        with gr.Accordion("Severity of what is open", open=True):
            bars = gr.HTML()
        with gr.Accordion("Timeline of effective dates", open=False):
            dates = gr.HTML()
        with gr.Accordion("Crosswalk between frameworks", open=False):
            cross = gr.HTML()
        with gr.Row():
            framework = gr.Dropdown(label="Framework", choices=options(None), value=ANY, interactive=True, min_width=150)
            status = gr.Dropdown(
                label="Status", choices=[("any status", ANY), *((w, k) for k, (_, w, _) in STATUSES.items())], value=ANY, interactive=True, min_width=150
            )
            severity = gr.Dropdown(label="Severity", choices=[("any severity", ANY), *((s, s) for s in SEVERITIES)], value=ANY, interactive=True, min_width=150)
            words = gr.Textbox(label="Words", placeholder="title, law or owner", min_width=150)
            only = gr.Checkbox(label="Only what changed", value=False, min_width=120)
        listed = gr.Dataframe(
            headers=list(COLUMNS), label="Findings: choose a row to open it", interactive=False, wrap=True, max_height=420, elem_id="pc-findings", buttons=[],
            column_widths=["17%", "29%", "16%", "11%", "16%", "11%"],
        )  # fmt: skip
        pick = gr.Dropdown(label="Open a finding (the same as choosing a row)", choices=[], value=None, interactive=True)
        one = gr.HTML(NO_FINDING, js_on_load=CLICKS, elem_id="pc-finding")
        viewer = gr.HTML(js_on_load=SCROLLS, elem_id="pc-gap-viewer")
        with gr.Row(visible=False, equal_height=False) as deciding:
            decision = gr.Radio(label="Your decision", choices=[("Accept", "accept"), ("Edit", "edit"), ("Reject", "reject")], value=None, min_width=240)
            reason = gr.Textbox(label="Reason (needed to edit or reject)", lines=2, max_length=2000, min_width=240)
            edited = gr.Textbox(label="New wording (to edit)", lines=2, max_length=4000, min_width=240)
            record = gr.Button("Record the decision", min_width=160)
        decided = gr.HTML()
        with gr.Row(visible=False, equal_height=False) as assigning:
            text = gr.Textbox(label="Remark, or what is to be done", lines=2, max_length=2000, min_width=240)
            owner = gr.Textbox(label="Owner (makes it a task)", max_length=100, min_width=160)
            due = gr.Textbox(label="Due (YYYY-MM-DD)", max_length=10, min_width=140)
            put = gr.Button("Keep the remark or task", min_width=160)

    filters = [framework, status, severity, words, only]

    def results_of(shown: str, found: Json, request: gr.Request) -> dict[Any, Any]:
        offer, differ = carry_offer(shell, request, found), bool((found.get("since") or {}).get("changed"))
        return {
            stand: gr.Button(value=offer, visible=bool(offer)), stood: "", recheck: gr.Button(visible=True),
            top: shown, report: found, results: gr.Column(visible=True), numbers: counts(found), grid: matrix(found), bars: severity_bars(found),
            dates: timeline(found), cross: crosswalk(found), framework: gr.Dropdown(choices=options(found), value=ANY), status: ANY, severity: ANY, words: "",
            only: differ, **_listing(found, ANY, ANY, ANY, "", differ),
        }  # fmt: skip

    def assess(
        files: Any, sample: Any, facts: Any, given: Facts, as_of: str, frameworks: list[str], everything: bool, since: Any, project: Any, request: gr.Request
    ) -> Iterator[Any]:
        for shown, found in assess_steps(shell, request, files, sample, facts, given, as_of, frameworks, everything, since or "", project or ""):
            yield {top: shown, report: None, results: gr.Column(visible=False)} if found is None else results_of(shown, found, request)

    def again(found: Json | None, given: Facts, as_of: str, project: Any, request: gr.Request) -> Iterator[Any]:
        if found:
            known = {name: f for name, f in found["facts"].items() if f["value"] is not None}
            asked, run = list(found["summary"]["by_framework"]), found["run"]
            for shown, new in assess_steps(shell, request, None, None, None, {**known, **given}, as_of, asked, False, run, project or "", found):
                yield {top: shown} if new is None else results_of(shown, new, request)

    def carries(found: Json | None, request: gr.Request) -> Any:
        said, after = carry(shell, request, found)
        return said, after, gr.Button(visible=False)

    def reopens(id: str | None, request: gr.Request) -> dict[Any, Any]:
        shown, found = reopened(shell, request, id)
        return {top: shown, report: None, results: gr.Column(visible=False)} if found is None else results_of(shown, found, request)

    def lists(request: gr.Request) -> Any:
        some = earlier(shell, request)
        return gr.Dropdown(choices=some), gr.Dropdown(choices=[("none", ""), *some])

    def ends(request: gr.Request) -> None:
        shell.jobs.cancel(user_of(request), "gaps")

    def _listing(found: Json | None, *wanted: Any) -> dict[Any, Any]:
        rows = chosen(found, *wanted) if found else []
        names = [(f"{f['requirement']}: {f['title']}", f["requirement"]) for f in rows]
        return {
            listed: findings_table(rows),
            pick: gr.Dropdown(choices=names, value=None),
            one: NO_FINDING,
            viewer: "",
            open_id: "",
            deciding: gr.Row(visible=False),
            assigning: gr.Row(visible=False),
            decided: "",
        }

    def narrow(found: Json | None, *wanted: Any) -> dict[Any, Any]:
        return _listing(found, *wanted)

    def cell(found: Json | None, words: str, event: gr.SelectData) -> dict[Any, Any]:
        f, s = from_cell(found, *event.index) if found else (ANY, ANY)
        return {framework: f, status: s, severity: ANY, only: False, **_listing(found, f, s, ANY, words, False)}

    def show(found: Json | None, id: str | None) -> Any:
        f = finding(found, id)
        return (detail(f) if f else NO_FINDING), "", id or "", gr.Row(visible=f is not None), gr.Row(visible=f is not None), ""

    def row(found: Json | None, event: gr.SelectData) -> Any:
        values = event.row_value
        return show(found, str(values[0]) if values else None)

    def law(found: Json | None, id: str, event: gr.EventData) -> str:
        return open_law(shell, finding(found, id), clicked(event), found["as_of"] if found else "")

    def decides(found: Json | None, id: str, decision: str | None, reason: str, edited: str, request: gr.Request) -> Any:
        said, after = decide(shell, request, found, id, decision, reason, edited)
        f = finding(after, id)
        return said, after, detail(f) if f else NO_FINDING

    def remarks(found: Json | None, id: str, text: str, owner: str, due: str, request: gr.Request) -> Any:
        said, after = remark(shell, request, found, id, text, owner, due)
        f = finding(after, id)
        return said, after, detail(f) if f else NO_FINDING

    list_out = [listed, pick, one, viewer, open_id, deciding, assigning, decided]
    everything_out = [top, stand, stood, recheck, report, results, numbers, grid, bars, dates, cross, *filters, *list_out]
    inputs = [files, sample, facts, shell.facts, shell.as_of, shell.frameworks, everything, since, shell.project]
    ran = run.click(assess, inputs, everything_out, concurrency_limit=4, **QUIET)
    ran.then(shell.foot, None, shell.footer, **QUIET).then(lists, None, [past, since], **QUIET)
    anew = recheck.click(again, [report, shell.facts, shell.as_of, shell.project], everything_out, concurrency_limit=4, **MINIMAL)
    anew.then(shell.foot, None, shell.footer, **QUIET).then(lists, None, [past, since], **QUIET)
    stand.click(carries, [report], [stood, report, stand], **MINIMAL).then(shell.foot, None, shell.footer, **QUIET)
    stop.click(ends, None, None, cancels=[ran, anew], **QUIET)
    past.input(reopens, [past], everything_out, **QUIET)
    for one_filter in (framework, status, severity, only):
        one_filter.input(narrow, [report, *filters], list_out, **QUIET)
    words.submit(narrow, [report, *filters], list_out, **QUIET)
    grid.select(cell, [report, words], [framework, status, severity, only, *list_out], **QUIET)
    opened = [one, viewer, open_id, deciding, assigning, decided]
    listed.select(row, [report], opened, **QUIET).then(None, js=SHOW_FINDING, **QUIET)
    pick.input(show, [report, pick], opened, **QUIET).then(None, js=SHOW_FINDING, **QUIET)
    one.select(law, [report, open_id], viewer, **QUIET)
    viewer.select(law, [report, open_id], viewer, **QUIET)
    decided_now = record.click(decides, [report, open_id, decision, reason, edited], [decided, report, one], **QUIET)
    decided_now.then(shell.foot, None, shell.footer, **QUIET)
    put.click(remarks, [report, open_id, text, owner, due], [decided, report, one], **QUIET).then(shell.foot, None, shell.footer, **QUIET)
    return {"files": files, "sample": sample, "assess": assess, "inputs": inputs, "outputs": everything_out, "lists": lists, "past": [past, since]}
