"""What the pages share: labels, badges, citation chips, tables and the provision viewer, as escaped HTML.

Every text that comes from a document, a user or a model passes through `esc` or `md`; nothing here fetches anything.
"""

import base64
import html
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import PinciteError
from assistant.law import unbinding
from assistant.pinpoint import Pinpoint
from assistant.roles import MAY

if TYPE_CHECKING:
    from assistant.workbench import Workbench

Json = Mapping[str, Any]
HERE = Path(__file__).parent

FRAMEWORKS = {
    "eu-ai-act": "EU AI Act", "gdpr": "GDPR", "hipaa": "HIPAA", "dpdp": "DPDP (India)", "fda": "FDA", "mdr": "EU MDR", "dpdp-rules": "DPDP Rules",
    "principles": "Principles",
}  # fmt: skip
FRAMEWORK_CHOICES = [(name, key) for key, name in FRAMEWORKS.items() if key != "dpdp-rules"]

# Each finding status: its sign, so that nothing is told by colour alone, its words, and its colour class.
STATUSES = {
    "gap": ("✕", "Gap", "bad"),
    "partial": ("◐", "Partial", "warn"),
    "needs-information": ("?", "Needs information", "ask"),
    "evidence-found": ("✓", "Evidence found", "good"),
    "not-yet-applicable": ("◷", "Not yet applicable", "later"),
    "not-applicable": ("–", "Not applicable", "mute"),
    "not-assessed": ("…", "Not assessed", "mute"),
}
SEVERITIES = ("critical", "major", "minor")
LAW_STATUSES = {
    "in-force": ("in force", "good"), "not-yet-applicable": ("not yet applicable", "later"), "superseded": ("superseded", "bad"),
    "vacated": ("vacated", "bad"), "proposed": ("proposed", "warn"), "draft": ("draft guidance", "warn"),
}  # fmt: skip
LAYERS = {"official": "official text", "digest": "Pincite summary"}
NOTICE = "You are talking to an AI system, not to a lawyer. Answers and drafts are machine-made; a named person decides. (Art. 50 AI Act)"


# ---- escaping ----------------------------------------------------------------------------------------------------

_BRACES = str.maketrans({"{": "&#123;", "}": "&#125;", "$": "&#36;", "`": "&#96;"})
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$=:^])")


def esc(value: object) -> str:
    """Text as HTML that neither the browser nor a template can take for anything else."""
    return html.escape(str(value)).translate(_BRACES)


def md(value: object) -> str:
    """Text as Markdown that means itself: no links, headings, formulas or HTML."""
    return _MARKDOWN.sub(r"\\\1", html.escape(str(value), quote=False).replace("\n", " "))


def long_date(iso: str) -> str:
    """ "2026-08-02" as "2 August 2026"; anything else as it is."""
    try:
        day = date.fromisoformat(iso[:10])
    except ValueError:
        return iso
    return f"{day.day} {day:%B %Y}"


# ---- small pieces ------------------------------------------------------------------------------------------------


def badge(text: str, tone: str = "mute") -> str:
    """A short label; `tone` is good, warn, bad, ask, later or mute."""
    return f'<span class="pc-badge pc-{tone}">{esc(text)}</span>'


def banner(text: str, tone: str = "info", command: str = "") -> str:
    """A line across the page: what is so, and the command that changes it."""
    more = f" <code>{esc(command)}</code>" if command else ""
    role = "alert" if tone == "bad" else "status"
    return f'<div class="pc-banner pc-{tone}" role="{role}">{esc(text)}{more}</div>'


def failure(error: PinciteError) -> str:
    """An expected error: what happened, and what to do."""
    hint = f'<div class="pc-hint">{esc(error.hint)}</div>' if error.hint else ""
    return f'<div class="pc-banner pc-bad" role="alert"><strong>{esc(error)}</strong>{hint}</div>'


def denied(what: str) -> str:
    """That the signed-in user's role does not cover an action, and which roles do."""
    return banner(f"This needs the role {' or '.join(MAY[what])}. Ask an administrator.", "bad")


def empty(title: str, text: str) -> str:
    """What stands where nothing is yet."""
    return f'<div class="pc-empty"><strong>{esc(title)}</strong><p>{esc(text)}</p></div>'


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], caption: str, plain: bool = True) -> str:
    """A table with a caption; cells are text, or ready HTML when `plain` is false."""
    head = "".join(f'<th scope="col">{esc(h)}</th>' for h in headers)
    body = "".join("<tr>" + "".join(f"<td>{esc(c) if plain else c}</td>" for c in row) + "</tr>" for row in rows)
    return (
        f'<div class="pc-scroll" tabindex="0" role="region" aria-label="{esc(caption)}"><table class="pc-table"><caption>{esc(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def law_status(c: Json) -> tuple[str, str]:
    """A provision's standing in words, and its tone."""
    if c["status"] == "not-yet-applicable" and c.get("applies_from"):
        return f"applies from {long_date(c['applies_from'])}", "later"
    if c["status"] == "in-force" and (beside := unbinding(str(c.get("note") or ""))):
        return (f"issued {long_date(c['applies_from'])}; {beside}" if c.get("applies_from") else beside), "info"
    if c["status"] == "in-force" and str(c.get("applies_from", "")).startswith(("1", "2")):
        return f"in force since {long_date(c['applies_from'])}", "good"
    return LAW_STATUSES.get(c["status"], (c["status"], "mute"))


def law_badges(c: Json) -> str:
    """Layer, provenance and standing of a provision."""
    converted = " (converted file)" if c["layer"] == "official" and c["provenance"] == "converted" else ""
    return badge(LAYERS.get(c["layer"], str(c["layer"])) + converted, "info" if c["layer"] == "official" else "warn") + badge(*law_status(c))


def status_badge(status: str) -> str:
    """A finding's status with its sign."""
    sign, words, tone = STATUSES[status]
    return badge(f"{sign} {words}", tone)


def short(text: str, most: int) -> str:
    """The beginning of a text, cut at a word."""
    return text if len(text) <= most else text[: text.rfind(" ", 0, most)].rstrip(" ,;") + " …"


def foot(s: Json) -> str:
    """The line under every page: corpus, model, reach, user, head of the record, and that this is a machine."""
    model = f"{s['model']['name']} {s['model']['sha256'][:12]}" if s["model"] else "none (quotations only)"
    reach = "questions go to the model server that was named" if s["server"] else "nothing leaves this machine"
    parts = (
        ("Corpus", s["corpus_digest"][:12] or "no index"), ("Law checked until", s["checked_until"]), ("Model", model), ("Network", reach),
        ("User", s["user"]), ("Audit head", s["audit_head"][:12]), ("Pincite", s["program"]),
    )  # fmt: skip
    return f'<div class="pc-foot">{"".join(f"<span>{esc(k)}: <code>{esc(v)}</code></span>" for k, v in parts)}<p>{esc(NOTICE)}</p></div>'


def who_html(user: str, role: str, signed_in: bool, closed: Sequence[str] = ()) -> str:
    """Who works here in which role, with a way to sign out where people sign in; `closed` are the pages that the role does not open."""
    out = '<form method="post" action="/logout"><button class="pc-jump">Sign out</button></form>' if signed_in else ""
    return f'<div class="pc-who{"".join(f" pc-closed-{page}" for page in closed)}"><span>{esc(user)} ({esc(role)})</span>{out}</div>'


# ---- citations and provisions ------------------------------------------------------------------------------------


def numbered(claims: Sequence[Json]) -> list[Json]:
    """The distinct citations of an answer in order of first use; a citation's number is its place here, from 1."""
    found: list[Json] = []
    for claim in claims:
        for c in claim["citations"]:
            if not any(_same(c, other) for other in found):
                found.append(c)
    return found


def chip_words(c: Json) -> str:
    """Layer and standing of a citation as few words as say it."""
    standing = "in force" if c["status"] == "in-force" else law_status(c)[0]
    return f"{'official' if c['layer'] == 'official' else 'summary'}, {standing}"


def number_of(citation: Json, among: Sequence[Json]) -> int:
    """A citation's number."""
    return next(n for n, c in enumerate(among, 1) if _same(c, citation))


def _same(a: Json, b: Json) -> bool:
    return all(a[k] == b[k] for k in ("pinpoint", "version", "layer", "start", "end"))


def citation_cards(citations: Sequence[Json], prefix: str, first: int = 1) -> str:
    """Citations as a list of buttons, numbered from `first`: lawyer's pinpoint, layer, standing, quotation. `data-pin` is prefix-number."""
    items = []
    for n, c in enumerate(citations, first):
        note = f'<span class="pc-note">{esc(c["note"])}</span>' if c.get("note") else ""
        items.append(
            f'<li><button type="button" class="pc-cite" data-pin="{esc(prefix)}-{n}" aria-label="Open [{n}] {esc(c["citation"])}">'
            f'<span class="pc-cite-head"><b>[{n}]</b> <b>{esc(c["citation"])}</b> {law_badges(c)}</span>'
            f'<span class="pc-quote">“{esc(short(c["quote"], 240))}”</span>{note}</button></li>'
        )
    return f'<ul class="pc-cites">{"".join(items)}</ul>'


@dataclass(frozen=True, slots=True)
class View:
    """A provision on the screen: what `show` gave, and where in it a quotation stands ((0, 0) for none)."""

    shown: Json
    mark: tuple[int, int] = (0, 0)
    lost: bool = False  # a quotation was asked for and is not there with certainty


LARGEST_VIEW = 9000


def view_citation(bench: "Workbench", citation: Json, as_of: str) -> View:
    """The unit of law around a citation, as large as can be read at once, with the quotation's place."""
    p: Pinpoint | None = Pinpoint.parse(citation["pinpoint"])
    chain: list[Pinpoint] = []
    while p is not None:
        chain.append(p)
        p = p.parent
    for around in reversed(chain):
        try:
            shown = bench.show(around.address, as_of, citation["version"], citation["layer"])
        except PinciteError:
            continue
        if around != chain[0] and (len(shown["text"]) > LARGEST_VIEW or not shown["start"] <= citation["start"] < citation["end"] <= shown["end"]):
            continue
        start, end = citation["start"] - shown["start"], citation["end"] - shown["start"]
        exact = shown["source_sha256"] == citation["source_sha256"] and start >= 0 and shown["text"][start:end] == citation["quote"]
        return View(shown, (start, end)) if exact else View(shown, lost=True)
    return View(bench.show(citation["pinpoint"], as_of), lost=True)


def jump(address: str, label: str, view: Json) -> str:
    """A button that opens a provision in the version and layer of `view`."""
    data = f'data-go="{esc(address)}" data-version="{esc(view["version"])}" data-layer="{esc(view["layer"])}"'
    return f'<button type="button" class="pc-jump" {data}>{esc(label)}</button>'


def provision_html(view: View) -> str:
    """The provision viewer: address, standing, text with the quotation marked, neighbours, parts and references."""
    v, (start, end) = view.shown, view.mark
    body = _structured(v, start, end)
    alerts = ""
    if v["status"] in ("superseded", "vacated", "proposed", "draft", "not-yet-applicable"):
        alerts += banner(f"{v['citation']}: {law_status(v)[0]}. {v['note']}".strip(), "warn")
    elif v["note"].strip():
        alerts += banner(v["note"], "info")
    if v["layer"] == "digest":
        alerts += banner("This is a summary in Pincite's own words, not the words of the law.", "info")
    if view.lost:
        alerts += banner("The quotation could not be located here with certainty, so nothing is marked.", "warn")
    nav = "".join(
        jump(v[key], label, v) if v.get(key) else f'<button type="button" class="pc-jump" disabled>{label}</button>'
        for key, label in (("previous", "← Previous"), ("next", "Next →"))
    )
    link = f'<a href="{esc(v["link"])}" target="_blank" rel="noopener noreferrer">Official page (opens the internet)</a>' if v.get("link") else ""
    source = f"{v['instrument']} · version {v['version']} · {v['file']} · characters {v['start']}–{v['end']} · SHA-256 {v['source_sha256'][:12]}"
    return (
        f'<section class="pc-provision" aria-label="{esc(v["citation"])}"><header><h2>{esc(v["citation"])}</h2><span>{law_badges(v)}</span></header>'
        f'{alerts}<nav aria-label="Neighbouring provisions">{nav}{link}</nav>'
        f'<div class="pc-law" tabindex="0" role="region" aria-label="Text of {esc(v["citation"])}">{body}</div>'
        f"{_links('Parts', v['children'], v)}{_links('Refers to', v['references'], v)}<footer>{esc(source)}</footer></section>"
    )


def _links(title: str, addresses: Sequence[str], view: Json, most: int = 24) -> str:
    if not addresses:
        return ""
    shown = []
    for a in addresses[:most]:
        same_work = a.partition(":")[0] == view["instrument"]
        shown.append(jump(a, str(Pinpoint.parse(a) or a), view if same_work and title == "Parts" else {"version": "", "layer": ""}))
    more = f" and {len(addresses) - most} more" if len(addresses) > most else ""
    return f'<details class="pc-links"><summary>{title} ({len(addresses)})</summary>{"".join(shown)}{more}</details>'


def _structured(v: Json, start: int, end: int) -> str:
    """The words with each point on its level, what [start, end) holds marked, and references that open what they name."""
    text, links, at = v["text"], [], 0
    for a, b, address in v.get("links", ()):
        if a >= at:
            links.append((a, b, address))
            at = b
    blocks = [(0, 0), *((a, depth) for a, depth in v.get("parts", ()) if a)]
    out = []
    for n, (a, depth) in enumerate(blocks):
        b = blocks[n + 1][0] if n + 1 < len(blocks) else len(text)
        words = "".join(_run(text, x, y, start <= x < end, x == start, links) for x, y in _cuts(a, b, (start, end), links))
        if text[a:b].strip():
            out.append(f'<div class="pc-part pc-depth-{min(depth, 5)}">{words.removesuffix("<br>")}</div>')
    return "".join(out)


def _cuts(a: int, b: int, mark: tuple[int, int], links: Sequence[tuple[int, int, str]]) -> Iterator[tuple[int, int]]:
    """[a, b) cut wherever a mark or a link begins or ends."""
    places = sorted({a, b, *(p for p in (*mark, *(x for link in links for x in link[:2])) if a < p < b)})
    yield from itertools.pairwise(places)


def _run(text: str, a: int, b: int, marked: bool, first: bool, links: Sequence[tuple[int, int, str]]) -> str:
    words = esc(text[a:b]).replace("\n", "<br>")
    target = next((address for x, y, address in links if x <= a and b <= y), "")
    if target:
        words = f'<button type="button" class="pc-ref" data-go="{esc(target)}" title="Open {esc(target)}">{words}</button>'
    return (f'<mark id="pc-mark">{words}</mark>' if first else f"<mark>{words}</mark>") if marked else words


def page_html(printed: Json, citation: Json) -> str:
    """The printed page with the quotation marked; for a text that came from no PDF nothing, for one that did the reason there is no picture."""
    if "png" not in printed:
        return f'<p class="pc-where">{esc(printed["reason"])}.</p>' if printed["reason"] else ""
    where = f"Page {printed['page']} of {printed['of']} of the official PDF; the quotation is marked."
    picture = base64.b64encode(printed["png"]).decode()
    return (
        f'<figure class="pc-page"><figcaption>{esc(where)}</figcaption><div class="pc-paper" tabindex="0" role="region" aria-label="{esc(where)}">'
        f'<img src="data:image/png;base64,{picture}" alt="{esc(where)} It reads: {esc(citation["quote"])}" data-top="{printed["marks"][0][1]:.4f}"></div></figure>'
    )


def go(bench: "Workbench", data: Json, as_of: str) -> str:
    """The viewer after a click on one of its own buttons, whose data come from the browser and are not trusted."""
    address, version, layer = (str(data.get(key, ""))[:200] for key in ("go", "version", "layer"))
    try:
        try:
            return provision_html(View(bench.show(address, as_of, version, layer)))
        except PinciteError:
            return provision_html(View(bench.show(address, as_of)))
    except PinciteError as error:
        return failure(error)


PAGES = """
watch('value', () => {
  const paper = element.querySelector('.pc-paper'), image = paper && paper.querySelector('img');
  if (!image) return;
  const show = () => { paper.scrollTop = Math.max(0, image.clientHeight * Number(image.dataset.top) - 60); };
  if (image.complete) show(); else image.addEventListener('load', show);
});
"""

# A click, or Enter on a button, inside an HTML component becomes its `select` event with the button's data.
CLICKS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-pin], [data-go]');
  if (button && !button.disabled) trigger('select', {...button.dataset});
});
"""
SCROLLS = (
    CLICKS
    + """
watch('value', () => {
  const law = element.querySelector('.pc-law'), mark = element.querySelector('#pc-mark');
  if (law && mark) law.scrollTop += mark.getBoundingClientRect().top - law.getBoundingClientRect().top - 40;
});
"""
)


def clicked(event: Any) -> Json:
    """The data of a clicked button; nothing when the event carries none."""
    data = getattr(event, "_data", None)
    return data if isinstance(data, Mapping) else {}


@lru_cache(maxsize=1)
def style() -> str:
    """The style sheet."""
    return (HERE / "style.css").read_text("utf8")


@lru_cache(maxsize=1)
def script() -> str:
    """The page's script, as an element for the head."""
    return f"<script>{(HERE / 'pincite.js').read_text('utf8')}</script>"
