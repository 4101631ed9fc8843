"""Cross-references: which provisions a provision's own words name, in full ("Article 6(1)") or from where they stand ("paragraph 2").

Knows how the European Union, the United States and India cite inside their acts; knows nothing of files or of the library.
What is unclear names nothing: a target is never guessed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from assistant.law import Instrument, Provision, Span
from assistant.pinpoint import EU, FDCA_OF_USC, INDIA, Pinpoint, find_references, roman_value

LONGEST_RANGE = 12  # "Articles 8 to 15" is each of them; a longer range is its two ends
Steps = tuple[str, ...]

_ORDINAL = r"(?:first|second|third|fourth|fifth|sixth|seventh)"
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")
_GROUPS = r"(?:\s?\(\d{1,3}[a-z]?\)|\s?\([A-Za-z]{1,5}\))"
_JOIN = r"(?:\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or|to|through|and/or)\s+|\s?[–—]\s?(?=\())"
_MORE = rf"(?:{_JOIN}(?:\([A-Za-z]{{1,5}}\)|\(\d{{1,3}}[a-z]?\)){_GROUPS}*)*"
_NO_AMOUNT = r"(?!\.?\d|\s*%|\s+(?:EUR|days?|months?|years?|hours?|weeks?|per)\b)"


def _headed(head: str) -> str:
    """A list of numbers, each with the labels in brackets after it: "6(1) and (2)", "13, 14 and 22(3)"."""
    one = rf"{head}{_NO_AMOUNT}{_GROUPS}*{_MORE}"
    return rf"{one}(?:{_JOIN}{one})*"


_LETTERED = rf"{_GROUPS}+{_MORE}"
_NUMBER = r"\d{1,3}[a-z]{0,2}\b"
_DOTTED = r"\d{1,2}(?:\.\d{1,2})*[a-z]?\b"
_EU_LINK = re.compile(
    rf"\b(?:this\s+(?P<this>Article|Annex|Chapter|Section)\b"
    rf"|Articles?\s+(?P<article>{_headed(_NUMBER)})"
    rf"|[Pp]aragraphs?\s+(?P<paragraph>{_headed(_NUMBER)})"
    rf"|(?P<subparagraph>{_ORDINAL}(?:,?\s+(?:and|or)\s+{_ORDINAL})*\s+subparagraphs?)\b"
    rf"|[Pp]oints?\s+(?P<point>{_LETTERED}|{_headed(_DOTTED)})"
    rf"|Annex(?:es)?\s+(?P<annex>{_headed('[IVXL]+' + chr(92) + 'b')})"
    rf"|Chapters?\s+(?P<chapter>{_headed('[IVXL]+' + chr(92) + 'b')})"
    rf"|Sections?\s+(?P<section>{_headed(rf'(?:[A-D]{chr(92)}b|{_DOTTED})')})"
    rf"|Recitals?\s+(?P<recital>{_headed(_NUMBER)}|{_LETTERED}))"
)  # fmt: skip
_US_LINK = re.compile(
    rf"(?:\bthis\s+(?P<this>section|subpart|part|definition)\b"
    rf"|(?:\b(?P<title>\d+)\s+C\.?F\.?R\.?\s*)?(?:§{{1,2}}\s*|\b[Ss]ections?\s+|(?<=\bCFR\s)|(?<=C\.F\.R\.\s)|\b(?=16[024]\.\d{{3,4}}\b))(?P<cfr>{_headed(r'[0-9]{2,4}[.][0-9]{1,4}' + chr(92) + 'b')})"
    rf"|\b[Pp]aragraphs?\s+(?P<paragraph>{_LETTERED})"
    rf"|\b[Ss]ubparts?\s+(?P<subpart>{_headed('[A-Z]' + chr(92) + 'b')})"
    rf"|(?:\b(?P<title2>\d+)\s+C\.?F\.?R\.?\s*)?\b[Pp]arts?\s+(?P<part>{_headed(r'[0-9]{2,4}' + chr(92) + 'b')}))"
)  # fmt: skip
_STATUTE_LINK = re.compile(
    rf"\b(?:[Ss]ections?\s+(?P<usc>{_headed(r'[0-9]{3}[a-z]*(?:-[0-9]+)?' + chr(92) + 'b')})(?=\s+of\s+this\s+title)"
    rf"|[Ss]ubsections?\s+(?P<subsection>{_LETTERED})|(?:[Ss]ub)?[Pp]aragraphs?\s+(?P<paragraph>{_LETTERED}))"
)  # fmt: skip
_INDIA_LINK = re.compile(
    rf"\b(?:[Ss]ections?\s+(?P<section>{_headed(_NUMBER)})"
    rf"|[Rr]ules?\s+(?P<rule>{_headed(_NUMBER)})"
    rf"|[Ss]ub-?\s?(?:sections?|rules?)\s+(?P<paragraph>{_LETTERED})"
    rf"|[Ss]ub-?\s?clauses?\s+(?P<subclause>{_LETTERED})"
    rf"|[Cc]lauses?\s+(?P<clause>{_LETTERED})"
    rf"|(?P<schedule>(?:{_ORDINAL.replace('(?:', '(?i:')}\s+)?Schedule)\b"
    rf"|Part\s+(?P<piece>[A-D])\b)"
)  # fmt: skip
_OF = re.compile(r"\s*,?\s+(?:of|in)\s+(?:the\s+)?$")
_COMMA = re.compile(r"\s*,\s*(?:the\s+)?$")
_BESIDE = re.compile(r"\s*,?\s*(?:and|or|and/or|,)\s+(?:of\s+|in\s+|with\s+|under\s+|to\s+|from\s+)?(?:the\s+)?$")
_RANK = {
    "chapter": 0, "annex": 0, "article": 0, "recital": 0, "this": 0, "schedule": 0, "cfr": 1, "usc": 1, "part": 0, "subpart": 1, "rule": 0,
    "section": 1, "piece": 1, "subsection": 2, "paragraph": 2, "subparagraph": 3, "clause": 4, "point": 4, "subclause": 5,
}  # fmt: skip
_NAMED_EU = {"2024/1689": "eu-ai-act", "2016/679": "gdpr", "2017/745": "mdr"}
_ACT = re.compile(
    r"(?:Implementing\s+|Delegated\s+|Framework\s+)?(?:Regulations?|Directives?|Decisions?)\s+(?:\([A-Z]+(?:,\s*Euratom)?\)\s+)?(?:No\s+)?(?P<number>\d+/\d+)"
)
_AFTER = re.compile(
    r"\s*,?\s*(?:(?:of|to|under|in)\s+(?:the\s+)?(?P<act>"
    + _ACT.pattern.replace("?P<number>", "?:")
    + r")|(?P<treaty>TFEU|TEU|ECHR|thereof|thereto)\b|of\s+(?:the\s+)?(?P<word>(?:that|this|those|these|said)\s+\w+|[A-Z]\w*|basic act|same \w+))"
)
_AMENDS = re.compile(
    r"(?:is|are) amended as follows|following \w+ (?:is|are) (?:added|inserted)|(?:is|are) replaced by|shall be amended in the following manner|shall be substituted, namely"
)


@dataclass(frozen=True, slots=True)
class _Link:
    """One unit and its numbers: "paragraphs 1 and 3". `items` as (steps, whether a range ends here); `word` as matched."""

    unit: str
    word: str
    items: tuple[tuple[Steps, bool], ...]
    start: int
    end: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class _Chain:
    """Links that name one place together, largest first, and the act it belongs to: own "", another's id, or None for none of ours."""

    links: tuple[_Link, ...]
    start: int
    end: int
    act: str | None = ""
    explicit: bool = False

    @property
    def top(self) -> bool:
        """Whether it begins at a numbered unit of the act, not relative to where it stands."""
        return self.links[0].unit in ("article", "annex", "chapter", "recital", "this", "schedule", "cfr", "part", "section", "rule", "usc")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the words stand: the instrument's addresses, each with its neighbours in order, and the provision."""

    instrument: str
    paths: dict[str, int]
    order: dict[str, list[str]]
    source: Pinpoint
    above: tuple[Pinpoint, ...]
    statute: bool
    foreign: bool


def references_in(instrument: Instrument) -> Iterator[tuple[str, str, Span]]:
    """The references in an instrument: (address of the provision that holds the words, address named, span of the words).

    A target inside the instrument exists in it; one in another instrument is only well formed. Guidance and other free texts give only full forms.
    """
    paths: dict[str, int] = {}
    order: dict[str, list[str]] = {}
    for p in instrument.provisions:
        paths[p.pinpoint.path] = paths.get(p.pinpoint.path, 0) + 1
        order.setdefault(_group(p.pinpoint), []).append(p.pinpoint.path)
    amending = {
        p.pinpoint.root.path for p in instrument.provisions if p.parent < 0 or p.kind in ("article", "section") if _AMENDS.search(p.span.of(instrument.text))
    }
    for p, piece in _own_words(instrument):
        above = tuple(_above(instrument, p))
        place = _Place(instrument.id, paths, order, p.pinpoint, above, instrument.kind == "statute", p.pinpoint.root.path in amending)
        seen: set[tuple[str, int]] = set()
        for target, start, end in _named(piece.of(instrument.text), place):
            if (target.address, start) not in seen:
                seen.add((target.address, start))
                yield p.pinpoint.address, target.address, Span(piece.start + start, piece.start + end)


def _own_words(instrument: Instrument) -> Iterator[tuple[Provision, Span]]:
    """The runs of a provision's text that belong to no child of it; containers have headings only, a correlation table names an older act's."""
    children: dict[int, list[Span]] = {}
    for p in instrument.provisions:
        children.setdefault(p.parent, []).append(p.span)
    for n, p in enumerate(instrument.provisions):
        if p.kind == "container" or (p.kind == "annex" and "correlation table" in p.span.of(instrument.text)[:120].lower()):
            continue
        at = p.span.start + (len(p.label) if p.span.of(instrument.text).startswith(p.label) else 0)
        for child in sorted(children.get(n, []), key=lambda s: s.start):
            if at < child.start:
                yield p, Span(at, child.start)
            at = max(at, child.end)
        if at < p.span.end:
            yield p, Span(at, p.span.end)


def _above(instrument: Instrument, p: Provision) -> Iterator[Pinpoint]:
    while p.parent >= 0:
        p = instrument.provisions[p.parent]
        yield p.pinpoint


def _group(pinpoint: Pinpoint) -> str:
    """What an address shares with its neighbours: its parent, or the kind of unit at the root."""
    parent = pinpoint.parent
    if parent:
        return parent.path
    kind = re.match(r".*?-sec-|.*-subpart-|annex-[ivxl]+-|annex-|[a-z]+-(?=\d)|(?:21cfr-)?\d+\.", pinpoint.path)
    return kind[0] if kind else pinpoint.path


def _named(text: str, place: _Place) -> Iterator[tuple[Pinpoint, int, int]]:
    """Every (target, start, end) of a piece of text."""
    if place.instrument in EU:
        yield from _resolved(_eu_chains(text, place), place)
    elif place.instrument in INDIA:
        yield from _resolved(_india_chains(text, place), place)
    elif place.instrument == "hipaa" or place.source.path.startswith(("21cfr-", "fdca-")):
        yield from _fdca(text, place)
        yield from _resolved(_us_chains(text, place), place)
    else:
        for r in find_references(text, place.instrument):
            yield r.pinpoint, r.start, r.end


# ---- reading links and chains ------------------------------------------------------------------------------------


_ITEM = re.compile(
    r"(?P<range>\b(?:to|through)\b|[–—])|(?P<head>\b\d+(?:\.\d+)*[a-z]{0,2}(?:-\d+)?\b|\b[IVXL]+\b|\b[A-Z]\b)?(?P<steps>(?:\s?\([A-Za-z0-9]+\))*)"
)


def _items(raw: str, us: bool) -> tuple[tuple[Steps, bool], ...]:
    """The places of a list, each with all its steps: "6(1) and (2)" is ("6", "1") and ("6", "2")."""
    found: list[tuple[Steps, bool]] = []
    through = False
    for m in _ITEM.finditer(raw):
        if m["range"]:
            through = True
            continue
        labels = tuple(re.findall(r"\(([A-Za-z0-9]+)\)", m["steps"]))
        if not m["head"] and not labels:
            continue
        steps = (m["head"], *labels) if m["head"] else ("", *labels)
        if not m["head"] and found:
            steps = _after(found[-1][0], labels, us)
        if steps:
            found.append((steps, through and bool(found)))
        through = False
    return tuple(found)


def _kind(before: Steps, label: str, us: bool) -> set[str]:
    """What a label can be below the steps before it: a number, a letter, a capital, a roman numeral."""
    if label[0].isdigit():
        return {"number"}
    if label[0].isupper():
        return {"capital"}
    last = before[-1] if before else ""
    below = last.isdigit() if us else last.isalpha()
    if us and len(before) > 1 and below:
        return {"roman"} if roman_value(label) else set()
    return {"roman"} if below and roman_value(label) else {"letter"}


def _after(previous: Steps, labels: Steps, us: bool) -> Steps:
    """The steps of a place named after another in a list: after 6(1), "(2)" is 6(2). Empty when unclear."""
    for depth in range(len(previous) - 1, 0, -1):
        if _kind(previous[:depth], previous[depth], us) & _kind(previous[:depth], labels[0], us):
            return (*previous[:depth], *labels)
    return ()


def _links(text: str, pattern: re.Pattern[str], us: bool) -> Iterator[_Link]:
    for m in pattern.finditer(text):
        unit = next(name for name, value in m.groupdict().items() if value and not name.startswith("title"))
        raw = m[unit]
        listed = unit not in ("this", "subparagraph", "schedule", "piece")
        items = _items(raw, us) if listed else ()
        if not listed or items:
            groups = m.groupdict()
            yield _Link(unit, raw, items, m.start(), m.end(), groups.get("title") or groups.get("title2") or "")


def _chains(text: str, links: list[_Link]) -> list[_Chain]:
    """Links put together: "point (a) of paragraph 1" and "Article 6(1), point (a)" are one chain each."""
    chains: list[list[_Link]] = []
    for link in links:
        if chains:
            last, gap = chains[-1], text[chains[-1][-1].end : link.start]
            rank = _RANK[link.unit]
            up = _OF.match(gap) and rank < min(_RANK[k.unit] for k in last)
            between = _OF.match(gap) and link.unit not in {k.unit for k in last} and rank < _RANK[last[-1].unit]
            within = link.unit not in ("cfr", "usc") and last[-1].unit != "rule" and (link.unit != "section" or last[-1].unit in ("chapter", "annex"))
            beside = _COMMA.match(gap) or (gap == " " and (last[-1].unit, link.unit) == ("chapter", "section"))
            down = beside and within and rank > _RANK[last[-1].unit] and link.unit not in {k.unit for k in last}
            if up or between or down:
                last.append(link)
                continue
        chains.append([link])
    return [_Chain(tuple(sorted(c, key=lambda k: _RANK[k.unit])), c[0].start, c[-1].end) for c in chains]


def _together(text: str, chains: list[_Chain]) -> list[_Chain]:
    """What one chain takes from its neighbour: "point (a) or point (b) of Article 9(2)", "Article 6 and Article 9 of Directive ..."."""
    for n in range(len(chains) - 2, -1, -1):
        one, following = chains[n], chains[n + 1]
        if not _BESIDE.fullmatch(text[one.end : following.start]):
            continue
        if not one.top and following.top and not one.explicit and one.links[0].unit == following.links[-1].unit:
            chains[n] = replace(one, links=(*following.links[:-1], *one.links), act=following.act, explicit=following.explicit)
        elif one.top and not one.explicit and following.top and following.explicit and one.links[0].unit != "this":
            chains[n] = replace(one, act=following.act, explicit=True)
    for n in range(1, len(chains)):
        before, one = chains[n - 1], chains[n]
        units = [k.unit for k in before.links]
        if one.top or one.explicit or not before.top or not _BESIDE.fullmatch(text[before.end : one.start]) or one.links[0].unit not in units[1:]:
            continue
        chains[n] = replace(one, links=(*before.links[: units.index(one.links[0].unit)], *one.links), act=before.act, explicit=before.explicit)
    return chains


def _eu_chains(text: str, place: _Place) -> list[_Chain]:
    chains = _chains(text, list(_links(text, _EU_LINK, us=False)))
    for n, chain in enumerate(chains):
        chains[n] = _with_eu_act(text, chain, chains[:n], place)
    return _together(text, chains)


def _with_eu_act(text: str, chain: _Chain, before: list[_Chain], place: _Place) -> _Chain:
    """The chain with the act it belongs to: named right after it, or right before it."""
    after = _AFTER.match(text, chain.end)
    if after and after["act"]:
        return _of_act(chain, after["act"], place)
    word = after["word"] if after else None
    if after and (after["treaty"] or word):
        named = [m[0] for m in _ACT.finditer(text, 0, chain.start)]
        if word == "this Regulation":
            return replace(chain, act="", explicit=True)
        if word in ("that Regulation", "that Directive") and named and named[-1].startswith(word[5:]):
            return _of_act(chain, named[-1], place)
        if word == "that Article" and not chain.top and before and before[-1].links[0].unit == "article" and len(before[-1].links[0].items) == 1:
            head = before[-1].links[0]
            return replace(chain, links=(replace(head, items=((head.items[0][0][:1], False),)), *chain.links), act=before[-1].act, explicit=True)
        if word not in ("this Article", "this paragraph", "this Annex"):
            return replace(chain, act=None, explicit=True)
    ahead = re.search(_ACT.pattern + r"(?:,?\s*\(?(?:and\s+)?in\s+particular|,)\s+(?:the\s+)?$", text[: chain.start])
    if ahead and chain.top:
        return _of_act(chain, ahead[0], place)
    return replace(chain, act=None) if place.foreign else chain


def _of_act(chain: _Chain, named: str, place: _Place) -> _Chain:
    number = m["number"] if (m := _ACT.search(named)) else ""
    act = _NAMED_EU.get(number) if named.lstrip().startswith("Regulation ") else None
    return replace(chain, act="" if act == place.instrument else act if chain.top else None, explicit=True)


def _india_chains(text: str, place: _Place) -> list[_Chain]:
    chains = _chains(text, list(_links(text, _INDIA_LINK, us=False)))
    for n, chain in enumerate(chains):
        home = "dpdp-rules" if chain.links[0].unit == "rule" else "dpdp" if chain.links[0].unit == "section" else place.instrument
        after = re.match(
            r"\s*,?\s*(?:of|to|under)\s+(?P<word>(?:this|these|that|those|the\s+said)\s+\w+|the\s+Act\b(?!,)|the\s+[A-Z]\w+|[A-Z]\w+)", text[chain.end :]
        )
        word = " ".join(after["word"].split()) if after else ""
        if word in ("this Act", "these rules", "the Act", ""):
            act: str | None = "dpdp" if word == "the Act" else home
        else:
            act = None if not word.startswith("the Schedule") else home
        own = act == place.instrument
        chains[n] = replace(chain, act=None if place.foreign else "" if own else act, explicit=bool(word))
    return _together(text, chains)


def _us_chains(text: str, place: _Place) -> list[_Chain]:
    pattern = _STATUTE_LINK if place.statute else _US_LINK
    title = "45" if place.instrument == "hipaa" else "21"
    chains = _chains(text, list(_links(text, pattern, us=True)))
    for n, chain in enumerate(chains):
        odd = any(k.title and k.title != title for k in chain.links)
        abroad = re.match(r"\s*,?\s*of\s+(?!this\b|the\s+chapter\b|§)(?:the\s+|that\s+|such\s+|\d|[A-Z]|section\b|title\b)", text[chain.end :])
        before = re.search(r"(?:C\.?F\.?R\.?|U\.?S\.?C\.?)\s*$", text[: chain.start])
        chains[n] = replace(chain, act=None if odd or abroad or before else "", explicit=bool(odd or abroad or before))
    return _together(text, chains)


# ---- from chains to addresses ------------------------------------------------------------------------------------


def _resolved(chains: list[_Chain], place: _Place) -> Iterator[tuple[Pinpoint, int, int]]:
    for chain in chains:
        if chain.act is None:
            continue
        away = bool(chain.act)
        home = chain.act or place.instrument
        for path in _paths(chain, home, away, place):
            target = Pinpoint(home, path) if away else _existing(Pinpoint(home, path), place)
            if target:
                yield target, chain.start, chain.end


def _existing(target: Pinpoint, place: _Place) -> Pinpoint | None:
    """The target when the instrument has it once, else the nearest above it that does; another part of the Code is taken at its word."""
    if target.instrument in ("hipaa", "fda") and not _same_part(target, place.source):
        return target
    step: Pinpoint | None = target
    while step:
        if place.paths.get(step.path) == 1:
            return step
        step = step.parent
    return None


def _part(pinpoint: Pinpoint) -> str:
    return re.split(r"[.(/]|-subpart|-app", pinpoint.path.removeprefix("21cfr-"))[0]


def _same_part(target: Pinpoint, source: Pinpoint) -> bool:
    return _part(target) == _part(source)


def _paths(chain: _Chain, home: str, away: bool, place: _Place) -> list[str]:
    """The paths that a chain names; empty when it starts nowhere."""
    numbered = next((n for n, link in enumerate(chain.links) if link.unit == "cfr"), 0)  # "§ 164.501 of this subpart"
    first, *rest = chain.links[numbered:]
    if chain.top:
        bases = _tops(first, home, away, place)
    else:
        bases, rest = _relative(first, place), rest
    for link in rest:
        if link.unit == "subparagraph" or not bases:
            continue
        last = [bases[-1]] if link.start > first.start else bases
        bases = [*bases[: -len(last)], *(b for base in last for b in _below(base, link, away, place))]
    return bases


def _tops(link: _Link, home: str, away: bool, place: _Place) -> list[str]:
    if link.unit == "this":
        return _this(link.word.lower(), place)
    if link.unit == "schedule":
        word = link.word.lower().split()[0]
        return ["sch"] if home == "dpdp" and word == "schedule" else [f"sch-{_ORDINALS.index(word) + 1}"] if word in _ORDINALS and home == "dpdp-rules" else []
    if link.unit == "section" and home in EU:
        return _sections(link, place)
    found: list[str] = []
    for steps, through in link.items:
        root = _root(link.unit, steps[0] or (steps[1] if link.unit == "recital" else ""), home)
        if not root:
            return []
        path = _deeper(root, steps[1:] if link.unit != "recital" else ())
        found = _through(found, path, place) if through and not away else [*found, path]
    return found


def _root(unit: str, number: str, home: str) -> str:
    if unit == "annex" and roman_value(number):
        return f"annex-{number.lower()}"
    if unit == "chapter" and (value := roman_value(number)):
        return f"ch-{value}"
    if unit == "usc":
        return f"fdca-{FDCA_OF_USC[number]}" if number in FDCA_OF_USC else ""
    if unit in ("cfr", "part"):
        part = int(number.split(".")[0])
        known = part in (160, 162, 164) if home == "hipaa" else part == 11 or 800 <= part <= 1299
        return (number if home == "hipaa" else f"21cfr-{number}") if known else ""
    prefix = {"article": "art", "recital": "rec", "section": "s", "rule": "r"}.get(unit)
    return f"{prefix}-{number.lower()}" if prefix and number else ""


def _this(word: str, place: _Place) -> list[str]:
    root = place.source.root.path
    if word in ("article", "annex"):
        return [root.removesuffix(m[0]) if (m := re.search(r"(?<=[ivxl])-[a-z0-9]$", root)) else root] if root.startswith(word[:3]) else []
    if word in ("chapter", "section") and place.instrument in EU:
        pattern = r"ch-[^-]+$" if word == "chapter" else r"ch-[^-]+-sec-\w+$|annex-[ivxl]+-\w$"
        return [p.path for p in place.above if re.match(pattern, p.path)][:1]
    if word == "section":
        return [root]
    if word == "definition":
        return [m[0]] if (m := re.match(r"[^/]+/[^()]+", place.source.path)) else []
    pattern = r".*-subpart-[a-z]+$" if word == "subpart" else r"(?:21cfr-)?\d+$"
    return [p.path for p in place.above if re.match(pattern, p.path)][:1]


def _sections(link: _Link, place: _Place) -> list[str]:
    """ "Section 2" with no chapter or annex beside it: of the one it stands in."""
    for p in place.above:
        if re.match(r"ch-[^-]+$|annex-[ivxl]+$", p.path):
            return [b for b in _below(p.path, link, False, place) if b != p.path]
    return []


def _relative(link: _Link, place: _Place) -> list[str]:
    """The places a link names from where it stands: a paragraph of the same article, a point of the nearest list."""
    root = place.source.root.path
    if link.unit == "subparagraph":
        return (
            [root + f"({place.source.steps[0]})" if place.source.steps and place.source.steps[0].rstrip("abcdefgh").isdigit() else root]
            if root.startswith("art-")
            else []
        )
    if link.unit in ("subpart", "piece"):
        holder = next((p.path for p in place.above if re.match(r"(?:21cfr-)?\d+$|sch(?:-\d)?$", p.path)), "")
        return [b for b in _below(holder, link, False, place) if holder and b != holder]
    if link.unit in ("paragraph", "subsection") and (place.instrument in EU or place.instrument in INDIA or place.source.path.startswith("fdca-")):
        if place.source.path.startswith(("annex", "rec", "sch")) or (place.statute and link.unit == "paragraph"):
            return []
        return [b for b in _below(root, link, False, place) if b in place.paths or _climbs(b, root, place)]
    named = re.match(r"[^/]+/[^()]+", place.source.path)
    starts = [place.source.path, *(p.path for p in place.above)] if link.unit != "paragraph" else [*([named[0]] if named else []), root]
    for start in starts:
        if start.startswith("ch-"):
            continue
        inside = _below(start, link, False, place)
        if inside and all(b in place.paths for b in inside):
            return inside
    return []


def _climbs(path: str, root: str, place: _Place) -> bool:
    """Whether at least the first step below the root exists."""
    first = re.match(re.escape(root) + r"\([^()]+\)", path)
    return bool(first and first[0] in place.paths)


def _deeper(path: str, steps: Steps) -> str:
    lower = path.startswith("fdca-")
    return path + "".join(f"({s.lower() if lower else s})" for s in steps)


def _below(base: str, link: _Link, away: bool, place: _Place) -> list[str]:
    """The places a link names below a base: points, paragraphs, sections of a chapter, subparts of a part."""
    found: list[str] = []
    if link.unit == "piece":
        return [f"{base}-part-{link.word.lower()}"]
    for steps, through in link.items:
        if link.unit == "section" and base.startswith("ch-"):
            path = f"{base}-sec-{steps[0]}"
        elif link.unit == "subpart":
            path = f"{base}-subpart-{steps[0].lower()}"
        elif link.unit == "section" and base.startswith("annex-") and steps[0].isalpha():
            path = _deeper(f"{base}-{steps[0].lower()}", steps[1:])
        else:
            path = _deeper(base, tuple(s for s in steps if s))
            whole = re.match(r"(annex-[ivxl]+)-\w(?=\()", path)
            if whole and path not in place.paths and path.replace(whole[0], whole[1], 1) in place.paths:
                path = path.replace(whole[0], whole[1], 1)
        found = _through(found, path, place) if through and not away else [*found, path]
    return found


def _through(found: list[str], end: str, place: _Place) -> list[str]:
    """The places with those between the last one and `end`."""
    ranks = place.order.get(_group(Pinpoint(place.instrument, end)), [])
    if found and found[-1] in ranks and end in ranks:
        between = ranks[ranks.index(found[-1]) + 1 : ranks.index(end)]
        if len(between) + 2 <= LONGEST_RANGE:
            found = [*found, *between]
    return [*found, end]


_OF_THE_ACT = re.compile(
    rf"\b[Ss]ections?\s+(?P<list>{_headed(r'[0-9]{3}[A-Z]?' + chr(92) + 'b')})\s+of\s+the\s+(?:act\b|Act\b(?!\s*,?\s*of)|FD&C\s+Act|Federal\s+Food)"
)


def _fdca(text: str, place: _Place) -> Iterator[tuple[Pinpoint, int, int]]:
    """Sections of the FD&C Act, by its own numbers or the US Code's; "the act" is that Act in the device parts of 21 CFR."""
    taken: list[tuple[int, int]] = []
    if place.source.path.startswith("21cfr-"):
        for m in _OF_THE_ACT.finditer(text):
            taken.append((m.start(), m.end()))
            for steps, _ in _items(re.sub(r"\b(\d{3})([A-Z])\b", lambda n: n[1] + n[2].lower(), m["list"]), us=True):
                yield Pinpoint("fda", _deeper(f"fdca-{steps[0]}", steps[1:])), m.start(), m.end()
    for r in find_references(text):
        if r.pinpoint.path.startswith("fdca-") and not any(s < r.end and r.start < e for s, e in taken):
            yield r.pinpoint, r.start, r.end
