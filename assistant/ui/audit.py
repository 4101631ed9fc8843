"""Audit: the record with filters, the whole trace of one answer, the check of the chain, and a seeded sample of claims to mark."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.errors import PinciteError
from assistant.roles import may, need
from assistant.ui.parts import (
    Json,
    badge,
    banner,
    citation_cards,
    denied,
    empty,
    esc,
    failure,
    law_status,
    numbered,
    short,
    table,
)  # fmt: skip
from assistant.ui.shell import PRIVATE, QUIET, Shell

HEADERS = ("No.", "Time (UTC)", "User", "Action", "Record", "About")
NO_RECORD = empty("No record open", "Choose a row: the record opens here, with the whole trace of an answer.")
ACTIONS = (
    "ask", "gaps", "draft", "review", "comment", "assign", "signoff", "mark", "export", "ingest", "fetch", "project", "share", "pin", "unpin", "sign-in",
    "sign-in-failed", "sign-out", "user", "settings", "model", "model-card", "backup", "restore", "delete",
)  # fmt: skip
BUNDLED = ("ask", "gaps", "draft")
MARKS = ("agree", "disagree", "unclear")


def rows(shell: Shell, request: Any, last: int, action: str, user: str, since: str = "", until: str = "") -> list[list[str]]:
    """The last records that pass the filters, newest first."""
    need(shell.role(request), "audit")
    found = [r for r in shell.bench.audit_tail(max(1, min(int(last or 200), 5000))) if action in ("any", r.action) and user.strip().lower() in r.user.lower()]
    found = [r for r in found if since.strip() <= r.time and (not until.strip() or r.time[:10] <= until.strip())]
    return [[str(r.seq), r.time[:19].replace("T", " "), r.user, r.action, r.id, _about(r.body)] for r in reversed(found)]


def _about(body: Json) -> str:
    kept = {k: v for k, v in body.items() if k not in ("output", "question", "corpus_digest", "program", "code", "prompt_sha256")}
    return short(", ".join(f"{k}: {_brief(v)}" for k, v in kept.items()), 160)


def _brief(value: object) -> str:
    if isinstance(value, list):
        return f"{len(value)} ({short(', '.join(str(v) for v in value[:3] if not isinstance(v, dict)), 60)})"
    text = str(value)
    return text[:12] if len(text) == 64 and text.isalnum() else text


def verify(shell: Shell, request: Any, head: str) -> str:
    """The outcome of re-deriving the chain, and what that does and does not show."""
    if not may(shell.role(request), "audit"):
        return denied("audit")
    verdict = shell.bench.verify_audit(head.strip() or None)
    if not verdict.sound:
        return banner(f"Not sound: {verdict.problem}. Compare with a backup.", "bad")
    compared = (
        "and the exported head is in it." if head.strip() else "Cut-off or rolled-back records show only against a head exported earlier: paste one to compare."
    )
    return banner(f"Sound: {verdict.records} records re-derived, head {verdict.head}; {compared}", "good")


def trace(shell: Shell, request: Any, id: str) -> str:
    """One record, and where its content was kept the whole trace: question, as-of, hits with ranks, prompt, model, citations."""
    if not may(shell.role(request), "audit"):
        return denied("audit")
    record = next((r for r in shell.bench.audit_tail(1 << 40) if r.id == id), None)
    if record is None:
        return NO_RECORD
    plain = [["Record", record.id], ["Time", record.time], ["User", record.user], ["Action", record.action], ["Parent", record.parent], ["Hash", record.hash]]
    chain = table(["Field", "Value"], plain, f"Record {record.seq} of the chain")
    held = esc(json.dumps(dict(record.body), indent=2, ensure_ascii=False))
    body = f'<details class="pc-links"><summary>What the chain holds of it</summary><div class="pc-steps">{held}</div></details>'
    try:
        with shell.acting(request, "audit"):
            run = shell.bench.run(id)
    except PinciteError:
        return (
            chain
            + body
            + banner(
                "The content of this record is not kept here, was erased, or is another user's that was not shared with you; the chain is whole all the same.",
                "info",
            )
        )
    bundle = f'<div class="pc-downloads"><a href="/export/{esc(id)}.bundle" download>Evidence bundle</a></div>' if run["kind"] in BUNDLED else ""
    return chain + body + bundle + (_ask_trace(run) if run["kind"] == "ask" else _plain_trace(run))


def _ask_trace(run: Json) -> str:
    model = run["model"]
    facts = [
        ["Question", run["question"]], ["As of", run["as_of"]], ["Corpus digest", run["corpus_digest"]], ["Prompt", str(run["prompt"])],
        ["Model", f"{model['name']} {model['sha256']}" if model else "none: quotations only"],
        ["Refused", run["answer"]["reason"] if run["answer"]["abstained"] else "no"],
    ]  # fmt: skip
    hits = [[str(n), h["citation"], h["layer"], h["version"], law_status(h)[0], ", ".join(h["via"])] for n, h in enumerate(run["hits"], 1)]
    cited = numbered(run["answer"]["claims"])
    claims = "".join(
        f"<li>{esc(c['text'])} {badge('phrased by the model', 'warn') if c['phrased_by'] == 'model' else ''}</li>" for c in run["answer"]["claims"]
    )
    return (
        table(["What", "Value"], facts, "The question and what answered it")
        + table(["Rank", "Provision", "Layer", "Version", "Standing", "Found by"], hits, "What search found, in order")
        + f"<h3>Claims</h3><ol>{claims}</ol><h3>Citations</h3>{citation_cards(cited, 'trace')}"
    )


def _plain_trace(run: Json) -> str:
    if run["kind"] == "gaps":
        counted = [[k, str(v)] for k, v in run["summary"]["by_status"].items()]
        link = f'<div class="pc-downloads"><a href="/export/{esc(run["id"])}.json" download>The whole run (JSON)</a></div>'
        return table(["Status", "Findings"], counted, f"Findings for {run['card']['name']}, as of {run['as_of']}") + link
    shown = [[k, short(str(v), 300)] for k, v in run.items() if k not in ("id", "kind")]
    return table(["Field", "Value"], shown, f"Kept content ({run['kind']})")


def check_bundle(shell: Shell, request: Any, file: str | None, head: str) -> str:
    """Whether a bundle re-derives from its bytes alone, and what that covers."""
    from assistant.bundle import check

    if not may(shell.role(request), "audit"):
        return denied("audit")
    if not file:
        return banner("Choose a bundle first.", "warn")
    verdict = check(Path(file).read_bytes(), head.strip() or None)
    if not verdict.sound:
        return banner(f"Not sound: {verdict.problem}.", "bad")
    compared = " The head above is in it." if head.strip() else ""
    return banner(
        f"Sound: run {verdict.run} ({verdict.kind}); {verdict.quotations} quotations found again in the included sources, {verdict.records} records "
        f"re-derived, head {verdict.head}.{compared}",
        "good",
    )


def draw(shell: Shell, request: Any, n: float, seed: float) -> tuple[str, list[Json]]:
    """A seeded sample of claims, each beside its sources and with whether its quotations still stand."""
    try:
        with shell.acting(request, "audit"):
            drawn = shell.bench.sample_claims(max(1, min(int(n or 25), 200)), int(seed or 0))
    except PinciteError as error:
        return failure(error), []
    if not drawn:
        return empty("Nothing to sample", "No answer is kept that you may see: your own, those of projects shared with you, and those handed to you."), []
    cards = []
    for i, c in enumerate(drawn, 1):
        stands = badge("✓ every quotation stands in its source", "good") if c["stands"] else badge("✕ a quotation does not stand", "bad")
        cards.append(
            f'<article class="pc-tile"><h3>{i}. {esc(c["text"])} {stands}</h3>'
            f"<p>Asked: {esc(c['question'])} (as of {esc(c['as_of'])}; record {esc(c['ask'])})</p>"
            f"{citation_cards(c['citations'], f's{i}')}</article>"
        )
    return "".join(cards), list(drawn)


def mark(shell: Shell, request: Any, drawn: Sequence[Json], which: float, verdict: str | None) -> str:
    """Records an auditor's mark on one claim of the sample."""
    if not 1 <= int(which or 0) <= len(drawn):
        return banner(f"Choose a claim from 1 to {len(drawn)}." if drawn else "Draw a sample first.", "warn")
    chosen = drawn[int(which) - 1]
    try:
        with shell.acting(request, "audit"):
            id = shell.bench.mark_claim(chosen["ask"], chosen["claim"], verdict or "")
    except PinciteError as error:
        return failure(error)
    return banner(f"Claim {int(which)} marked “{verdict}”; record {id}.", "good")


def build(shell: Shell) -> Mapping[str, Any]:
    """The page's components, by name."""
    with gr.Row():
        head = gr.Textbox(
            label="Audit head you wrote down earlier (optional)", info="With it, records that were cut off since then are found too",
            placeholder="64 hexadecimal digits, as in the footer of an export", scale=4, min_width=260,
        )  # fmt: skip
        check = gr.Button("Verify the chain", variant="primary", scale=1, min_width=160, elem_id="pc-verify")
    outcome = gr.HTML()
    with gr.Row():
        action = gr.Dropdown(label="Action", choices=["any", *ACTIONS], value="any", interactive=True, min_width=140)
        user = gr.Textbox(label="User", min_width=140)
        last = gr.Number(label="Of the last", value=200, precision=0, minimum=1, maximum=5000, min_width=120)
        since = gr.Textbox(label="From (YYYY-MM-DD)", max_length=10, min_width=130)
        until = gr.Textbox(label="To (YYYY-MM-DD)", max_length=10, min_width=130)
        renew = gr.Button("Show", min_width=100)
    listed = gr.Dataframe(
        headers=list(HEADERS), label="Records: choose a row to open it", interactive=False, wrap=True, max_height=360, buttons=[], elem_id="pc-records",
        column_widths=["6%", "17%", "12%", "10%", "17%", "38%"],
    )  # fmt: skip
    one = gr.HTML(NO_RECORD)
    drawn = gr.State([])
    with gr.Accordion("Sample claims and mark them", open=False):
        with gr.Row():
            n = gr.Number(label="How many", value=25, precision=0, minimum=1, maximum=200, min_width=120)
            seed = gr.Number(label="Seed", value=1, precision=0, min_width=120)
            pull = gr.Button("Draw", min_width=100)
        sample = gr.HTML(empty("No sample yet", "The same number, seed and record give everyone the same claims."))
        with gr.Row():
            which = gr.Number(label="Claim", value=1, precision=0, minimum=1, min_width=120)
            verdict = gr.Radio(label="Mark", choices=list(MARKS), value=None, min_width=260)
            put = gr.Button("Record the mark", min_width=140)
        marked = gr.HTML()

    with gr.Accordion("Check an evidence bundle", open=False):
        bundle = gr.File(label="Bundle (ZIP)", file_types=[".zip"], height=120, elem_id="pc-bundle")
        look = gr.Button("Check the bundle", min_width=140)
        checked = gr.HTML(empty("No bundle yet", "It is checked from its bytes alone: no index, no model, no network."))

    def looks(file: str | None, head: str, request: gr.Request) -> str:
        return check_bundle(shell, request, file, head)

    look.click(looks, [bundle, head], checked, **QUIET)

    def marks(drawn: Any, which: float, verdict: str | None, request: gr.Request) -> str:
        return mark(shell, request, drawn, which, verdict)

    def opened(event: gr.SelectData, request: gr.Request) -> str:
        return trace(shell, request, str(event.row_value[4])) if event.row_value else NO_RECORD

    def fill(last: float, action: str, user: str, since: str, until: str, request: gr.Request) -> Any:
        try:
            return rows(shell, request, int(last), action, user, since, until), NO_RECORD
        except PinciteError as error:
            return [], failure(error)

    def checks(head: str, request: gr.Request) -> str:
        return verify(shell, request, head)

    def draws(n: float, seed: float, request: gr.Request) -> Any:
        return draw(shell, request, n, seed)

    check.click(checks, [head], outcome, **PRIVATE)
    renew.click(fill, [last, action, user, since, until], [listed, one], **QUIET)
    action.input(fill, [last, action, user, since, until], [listed, one], **QUIET)
    user.submit(fill, [last, action, user, since, until], [listed, one], **QUIET)
    listed.select(opened, None, one, **QUIET)
    pull.click(draws, [n, seed], [sample, drawn], **PRIVATE)
    put.click(marks, [drawn, which, verdict], marked, **PRIVATE)
    return {"listed": [listed, one], "fill": fill, "filters": [last, action, user, since, until]}
