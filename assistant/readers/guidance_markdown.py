"""Agency guidance as Markdown or plain text taken out of PDF files: FDA, MDCG, NIST; and the pages of NIST's AI RMF.

Front matter says what a document is; its own table of contents says what its headings are. Knows nothing of laws.
"""

import re
from collections.abc import Iterator, Sequence

import lxml.html

from assistant.errors import Unreadable
from assistant.law import Instrument
from assistant.readers import guidance
from assistant.readers.cfr import slug
from assistant.readers.guidance import Para

NAME = "guidance-markdown"
GROUPED = False

_FRONT = re.compile(rb'(?m)^\s+family:\s*"?(?:GUIDANCE|MDCG)\b')
_NIST_TEXT = re.compile(rb"NIST AI 100-1|Artificial Intelligence Risk Management\s+Framework")
_NIST_PAGE = re.compile(rb"(?i)airc\.nist\.gov|<title>[^<]*AI RMF")


def recognises(name: str, head: bytes) -> bool:
    """Whether this is guidance with front matter that says so, the text of NIST AI 100-1, or a page of NIST's AI Resource Center."""
    start = head.lstrip()[:1]
    if start == b"<":
        return bool(_NIST_PAGE.search(head))
    return start not in (b"{", b"%") and bool(_FRONT.search(head[:2000]) or _NIST_TEXT.search(head[:4000]))


def read(files: Sequence[tuple[str, bytes]]) -> list[Instrument]:
    """One instrument for each document; raises `Unreadable` for one without a date."""
    return [_read(name, data) for name, data in files]


def _read(name: str, data: bytes) -> Instrument:
    if data.lstrip()[:1] == b"<":
        return _nist_page(name, data)
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\f", "\n---\n")
    found = re.match(r"\s*---\n(.*?)\n---\n", text, re.S)
    front, body = (found[1], text[found.end() :]) if found else ("", text)
    if _NIST_TEXT.search(data[:4000]) and not front:
        return _nist_text(name, data, body)
    title = _field(front, "title")
    mdcg = re.search(r"family:\s*\"?MDCG\b", front) is not None
    year = re.search(r"_(20\d{2})_", title) if mdcg else None
    date = guidance.issue_date("\n".join(body.splitlines()[:150])) or (f"{year[1]}-01-01" if year else "")
    if not date:
        raise Unreadable("no-date", "no date of issue was found in this guidance", "Give the document with its title page.")
    paras = list(_paras(body))
    if mdcg:
        work = _mdcg_work(title, body)
        named = f"MDCG {work.removeprefix('mdcg-')}"
        return guidance.build(guidance.Source("mdcg", work.removeprefix("mdcg-"), work, named, date, "converted", NAME, (name, data)), paras)
    title = re.sub(r"\s*:?\s*(?:Final\s+)?Guidance for (?:Industry|Sponsors|IRBs|Clinical).*$", "", title, flags=re.I) or title
    known = guidance.known(title)
    work = known.work if known else f"{_short(title)}-{date[:4]}"
    marks = tuple((key, value) for key, value in (("docket", _field(front, "docket")), ("issued", date)) if value)
    draft = (("draft", "true"),) if re.search(r"(?i)draft\s+[—–-]+\s+not for implementation|distributed for comment purposes only", body[:6000]) else ()
    return guidance.build(
        guidance.Source("fda", work, work, title, date, "converted", NAME, (name, data), known.topics if known else (), (*marks, *draft)), paras
    )


def _field(front: str, key: str) -> str:
    """A field of the front matter, over several lines where it is folded."""
    found = re.search(rf"(?m)^\s+{key}:\s*(?P<value>.*(?:\n\s{{4,}}\S.*)*)$", front)
    return " ".join(found["value"].split()).strip("\"' ") if found else ""


def _short(title: str) -> str:
    words = slug(re.split(r":\s| - ", title)[0])
    return words if len(words) <= 60 else words[:60].rsplit("-", 1)[0]


def _mdcg_work(title: str, body: str) -> str:
    found = re.search(r"(?m)^\s*MDCG\s+(\d{4})\s?[-–]\s?(\d+)(?:\s*[Rr]ev\.?\s?(\d))?", body[:4000])
    return f"mdcg-{found[1]}-{found[2]}" + (f"-rev-{found[3]}" if found[3] else "") if found else slug(title)


# ---- lines -------------------------------------------------------------------------------------------------------

_RUNNING = re.compile(
    r"(?i)contains nonbinding recommendations|draft\s+[—–-]+\s+not for implementation|(?:page\s+)?\d{1,3}(?:\s+of\s+\d{1,3})?|-{3,}|_{3,}"
    r"|medical devices?|medical device coordination group document|MDCG \d{4}-\d+(?: rev\.? ?\d)?|AIB 2025-1"
)


def _clean(body: str) -> list[str]:
    """The lines without running heads and page numbers."""
    return ["" if _RUNNING.fullmatch(line.strip()) else line.rstrip() for line in body.splitlines()]


def _paras(body: str) -> Iterator[Para]:
    """Headings and paragraphs; the table of contents itself is left out."""
    lines = _clean(body)
    entries, end = guidance.contents(lines)
    if not entries:
        yield from _by_pattern(lines)
        return
    begin = next((i for i in range(end) if _is_contents(lines[i])), 0)
    for words in guidance.flow(lines[:begin]):
        yield Para(words)
    yield from _marked(lines[end:], entries)


def _is_contents(line: str) -> bool:
    return bool(re.fullmatch(r"(?i)(?:table of )?contents:?", line.strip()))


def _marked(lines: Sequence[str], entries: Sequence[guidance.Entry]) -> Iterator[Para]:
    held: list[str] = []
    for entry, words in guidance.mark_headings(lines, entries):
        if entry is None:
            held.append(words)
            continue
        yield from (Para(p) for p in guidance.flow(held))
        held = []
        yield Para(words, entry.level, entry.label)
    yield from (Para(p) for p in guidance.flow(held))


_HEADING = re.compile(
    r"(?:#{1,4}\s+\S.*|(?:[IVX]{1,5}\.|[A-Z]\.|\d{1,2}(?:\.\d{1,2}){0,3}\.?)\s+[A-Z][^.;]{2,90}\??|(?:Appendix|APPENDIX|Annex|ANNEX)\s+[A-Z0-9]{1,3}\b[^.]{0,90})"
)


def _by_pattern(lines: Sequence[str]) -> Iterator[Para]:
    """Headings of a document without a table of contents: short numbered lines with an empty line before them."""
    held: list[str] = []
    for at, line in enumerate(lines):
        words = " ".join(line.split())
        alone = (at == 0 or not lines[at - 1].strip()) and (at + 1 == len(lines) or not lines[at + 1].strip() or lines[at + 1].strip()[:1].isupper())
        if not (alone and _HEADING.fullmatch(words)):
            held.append(line)
            continue
        yield from (Para(p) for p in guidance.flow(held))
        held = []
        label, title = guidance.split_label(words.lstrip("# "))
        yield Para(title, guidance.level_of(label), label)
    yield from (Para(p) for p in guidance.flow(held))


# ---- NIST --------------------------------------------------------------------------------------------------------

_OUTCOME = re.compile(r"(?P<name>(?:GOVERN|MAP|MEASURE|MANAGE) \d(?:\.\d{1,2})?):(?:\s|$)")


def _nist_text(name: str, data: bytes, body: str) -> Instrument:
    """NIST AI 100-1: sections by the numbers of its contents, and the outcomes GOVERN 1.1 to MANAGE 4.3."""
    lines = _clean(body)
    start = next((i for i, line in enumerate(lines) if _is_contents(line)), -1)
    entries: list[guidance.Entry] = []
    end = start + 1
    for at in range(start + 1, min(start + 120, len(lines)) if start >= 0 else 0):
        found = re.match(r"(?P<words>\S.*?)\s+(?P<page>\d{1,2})$", lines[at].strip())
        if found and re.search(r"[a-z]", found["words"]) and len(found["words"]) < 110:
            label, title = guidance.split_label(found["words"])
            entries.append(guidance.Entry(label, title, 1 if not re.match(r"\d", label) else 1 + guidance.level_of(label)))
            end = at + 1
        elif at - end > 8:
            break
    paras: list[Para] = []
    for para in _marked(lines[end:], entries):
        paras.extend(_outcomes(para) if not para.level else [para])
    date = guidance.issue_date("\n".join(lines[:60])) or "2023-01-26"
    return guidance.build(
        guidance.Source("nist", "ai-rmf-1.0", "nist-ai-rmf-1.0", "NIST AI 100-1: AI Risk Management Framework 1.0", date, "converted", NAME, (name, data)),
        paras,
    )


def _outcomes(para: Para) -> Iterator[Para]:
    """A paragraph cut before each outcome named in it."""
    starts = [m.start() for m in _OUTCOME.finditer(para.words)]
    if not starts or starts[0] > 0:
        yield Para(para.words[: starts[0]].strip() if starts else para.words)
    for start, stop in zip(starts, [*starts[1:], len(para.words)], strict=False):
        found = _OUTCOME.match(para.words, start)
        assert found is not None
        yield Para(para.words[found.end() : stop].strip(), 0, f"{found['name']}:", found["name"].lower().replace(" ", "-"))


def _nist_page(name: str, data: bytes) -> Instrument:
    """A page of the AI Resource Center: its headings and paragraphs."""
    page = lxml.html.document_fromstring(data, parser=lxml.html.HTMLParser(encoding="utf-8", huge_tree=False))
    found = page.xpath("//main | //article | //*[@role='main']")
    body = found[0] if isinstance(found, list) and found else page
    paras: list[Para] = []
    for element in body.iter("h1", "h2", "h3", "h4", "p", "li", "td"):  # type: ignore[union-attr]
        words = " ".join(str(element.text_content()).split())  # type: ignore[union-attr]
        if not words or any(str(a.tag) in ("nav", "footer", "li", "td") for a in element.iterancestors()):
            continue
        tag = str(element.tag)
        paras.extend([Para(words, int(tag[1]))] if tag[0] == "h" else _outcomes(Para(words)))
    heading = next((p.words for p in paras if p.level), "")
    snapshot = re.search(r"(\d{4}-\d{2}-\d{2})", name)
    if not heading:
        raise Unreadable("not-recognised", "a page of NIST without a heading", "Save the page of one chapter.")
    part = slug(heading)[:60]
    return guidance.build(
        guidance.Source(
            "nist",
            f"airc-{part}",
            f"nist-airc-{part}",
            f"NIST AI RMF 1.0: {heading}",
            snapshot[1] if snapshot else "2023-01-26",
            "original",
            NAME,
            (name, data),
        ),
        paras,
    )
