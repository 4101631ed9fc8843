"""Pinpoints: the one address of every provision, read from the forms people write and printed as lawyers print it.

Knows the citation habits of each instrument; knows nothing of texts, files or which provisions exist.
Ambiguous text gives None: an address is never guessed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import total_ordering

EU = {"eu-ai-act": "AI Act", "gdpr": "GDPR", "mdr": "MDR"}
INDIA = {"dpdp": "DPDP Act", "dpdp-rules": "DPDP Rules"}
KNOWN = {*EU, *INDIA, "hipaa", "fda", "principles"}

# US Code section numbers under which people cite the FD&C Act, by the Act's own section number.
# Source: the credits below the sections of 21 U.S.C. chapter 9.
USC_OF_FDCA = {
    "201": "321", "301": "331", "303": "333", "304": "334", "501": "351", "502": "352", "503": "353", "503a": "353a", "503b": "353b", "503c": "353c",
    "503d": "353d", "504": "354", "505": "355", "505-1": "355-1", "505a": "355a", "505b": "355c", "505c": "355d", "505d": "355e", "505e": "355f",
    "505f": "355g", "505g": "355h", "506": "356", "506a": "356a", "506b": "356b", "506c": "356c", "506c-1": "356c-1", "506d": "356d", "506e": "356e",
    "506f": "356f", "506g": "356g", "506h": "356h", "506i": "356i", "506j": "356j", "506k": "356k", "506l": "356l", "507": "357", "508": "358",
    "509": "359", "510": "360", "511": "360a", "511a": "360a-2", "512": "360b", "512a": "360b-1", "513": "360c", "514": "360d", "515": "360e",
    "515a": "360e-1", "515b": "360e-3", "515c": "360e-4", "516": "360f", "517": "360g", "517a": "360g-1", "518": "360h", "518a": "360h-1",
    "519": "360i", "520": "360j", "521": "360k", "522": "360l", "523": "360m", "524": "360n", "524a": "360n-1", "524b": "360n-2", "525": "360aa",
    "526": "360bb", "527": "360cc", "528": "360dd", "529": "360ff", "529a": "360ff-1", "531": "360hh", "532": "360ii", "533": "360jj", "534": "360kk",
    "535": "360ll", "536": "360mm", "537": "360nn", "538": "360oo", "539": "360pp", "540": "360qq", "541": "360rr", "542": "360ss", "561": "360bbb",
    "561a": "360bbb-0", "562": "360bbb-1", "563": "360bbb-2", "564": "360bbb-3", "565": "360bbb-4", "566": "360bbb-5", "567": "360bbb-6",
    "568": "360bbb-7", "569": "360bbb-8", "571": "360ccc", "572": "360ccc-1", "573": "360ccc-2", "575": "360ddd", "576": "360ddd-1",
    "577": "360ddd-2", "581": "360eee", "582": "360eee-1", "583": "360eee-2", "584": "360eee-3", "585": "360eee-4", "586": "360fff",
    "586a": "360fff-1", "586b": "360fff-2", "586c": "360fff-3", "586d": "360fff-4", "586e": "360fff-5", "586f": "360fff-6", "586g": "360fff-7",
    "586h": "360fff-8", "701": "371", "702": "372", "704": "374", "745a": "379k-1", "756": "379v",
}  # fmt: skip
FDCA_OF_USC = {usc: fdca for fdca, usc in USC_OF_FDCA.items()}

_ROMAN = re.compile(r"(?=[ivxl])(?:xl|l?x{0,3})(?:ix|iv|v?i{0,3})$")
_STEP = re.compile(r"\(([^()]+)\)")
_CANONICAL = re.compile(r"(?P<root>[^()/\s]+)(?P<steps>(?:\([^()]+\))*)(?:/(?P<term>[^()\s]+)(?P<inner>(?:\([^()]+\))*))?$")


def roman_value(text: str) -> int | None:
    """The number a roman numeral stands for, or None: `roman_value("xiv") == 14`."""
    low = text.lower()
    if not low or not _ROMAN.match(low):
        return None
    values = [{"i": 1, "v": 5, "x": 10, "l": 50}[c] for c in low]
    return sum(-v if v < max(values[i:]) else v for i, v in enumerate(values))


@total_ordering
@dataclass(frozen=True, slots=True)
class Pinpoint:
    """An address: `instrument` such as `gdpr`, `path` such as `art-35(7)(a)`.

    `address` is the canonical form used in data; `str()` is the lawyer's form; `parse` reads both.
    Pinpoints order as the law does and contain their sub-provisions.
    """

    instrument: str
    path: str

    @property
    def address(self) -> str:
        """The canonical form: `gdpr:art-35(7)(a)`."""
        return f"{self.instrument}:{self.path}" if self.path else self.instrument

    @property
    def steps(self) -> tuple[str, ...]:
        """The levels below the root: `("7", "a")`; empty for an opaque address."""
        match = _CANONICAL.match(self.path) if self.instrument in KNOWN else None
        return tuple(_STEP.findall(match["steps"])) if match else ()

    @property
    def root(self) -> "Pinpoint":
        """The numbered unit that holds this one: article, recital, annex, section, rule, schedule or topic."""
        match = _CANONICAL.match(self.path) if self.instrument in KNOWN else None
        return Pinpoint(self.instrument, match["root"]) if match else self

    @property
    def parent(self) -> "Pinpoint | None":
        """One level up, or None at the root."""
        if self.instrument not in KNOWN:
            return None
        if self.path.endswith(")") and _CANONICAL.match(self.path):
            return Pinpoint(self.instrument, self.path[: self.path.rindex("(")])
        if "/" in self.path:
            return Pinpoint(self.instrument, self.path.rsplit("/", 1)[0])
        if ":" in self.path:
            return Pinpoint(self.instrument, self.path.rsplit(":", 1)[0])
        return None

    def child(self, *labels: str) -> "Pinpoint":
        """The address below this one: `child("7", "a")`."""
        return Pinpoint(self.instrument, self.path + "".join(f"({label})" for label in labels))

    def contains(self, other: "Pinpoint") -> bool:
        """Whether `other` is this provision or lies inside it; a bare instrument contains all of its provisions."""
        if self.instrument != other.instrument:
            return False
        rest = other.path.removeprefix(self.path)
        return not self.path or (other.path.startswith(self.path) and (not rest or rest[0] in "(/:"))

    def _key(self) -> tuple[object, ...]:
        if self.instrument not in KNOWN:
            return (self.instrument, 9, _natural(self.path))
        head, _, term = self.path.partition("/")
        root = head.split("(", 1)[0]
        rank = 0 if root.startswith("rec-") else 2 if root.startswith(("annex-", "sch")) else 1
        steps = tuple(_step_key(self, i, s) for i, s in enumerate(self.steps))
        return (self.instrument, rank, _root_key(root), steps, _natural(term))

    def __lt__(self, other: "Pinpoint") -> bool:
        if not isinstance(other, Pinpoint):
            return NotImplemented
        return self._key() < other._key() or (self._key() == other._key() and self.path < other.path)

    def __str__(self) -> str:
        return _lawyers_form(self)

    @classmethod
    def parse(cls, text: str) -> "Pinpoint | None":
        """The address that `text` as a whole names, canonical or as people write it; None when unclear."""
        text = text.strip()
        canonical = _parse_canonical(text)
        if canonical:
            return canonical
        found = list(find_references(text))
        if len(found) == 1 and _covers(text, found[0]):
            return found[0].pinpoint
        return None


def _natural(text: str) -> tuple[tuple[int, int | str], ...]:
    return tuple((0, int(p)) if p.isdigit() else (1, p) for p in re.split(r"(\d+)", text) if p)


def _root_key(root: str) -> tuple[tuple[int, int | str], ...]:
    """Annex numbers order by value and their sections after them: annex-iv before annex-viii before annex-viii-a."""
    if root.startswith("annex-"):
        number, *rest = root.removeprefix("annex-").split("-")
        return ((1, "annex"), (0, roman_value(number) or 0), *((1, r) for r in rest))
    return _natural(root)


def is_roman_step(instrument: str, path: str, previous: str | None, step: str) -> bool:
    """Whether a step that could be a letter is a roman numeral, from the level above it.

    The Code of Federal Regulations counts (a)(1)(i)(A), the FD&C Act (a)(1)(A)(i), the EU and India (1)(a)(i).
    """
    if previous is None or roman_value(step) is None:
        return False
    if instrument == "hipaa" or path.startswith("21cfr-"):
        return previous.isdigit() and step.islower()
    return previous.isalpha()


def _step_key(pinpoint: Pinpoint, index: int, step: str) -> tuple[int, tuple[tuple[int, int | str], ...]]:
    previous = pinpoint.steps[index - 1] if index else None
    if is_roman_step(pinpoint.instrument, pinpoint.path, previous, step):
        return (0, ((0, roman_value(step) or 0),))
    return (1, _natural(step))


def _parse_canonical(text: str) -> Pinpoint | None:
    instrument, colon, path = text.partition(":")
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", instrument):
        return None
    if not colon:
        return Pinpoint(instrument, "") if instrument in KNOWN else None
    if instrument not in KNOWN:
        return Pinpoint(instrument, path) if path.strip() and not path.startswith(" ") else None
    if path != path.strip() or not (match := _CANONICAL.match(path)):
        return None
    if not _ROOT_FORMS[instrument].match(match["root"]):
        return None
    return Pinpoint(instrument, path.lower() if path.startswith("fdca-") else path)


_EU_ROOT = re.compile(
    r"(?:art-\d+[a-z]*|rec-\d+|annex-[ivxl]+(?:-[a-z0-9]+)*|ch-[0-9ivxl]+[a-z]?(?:-sec-\d+[a-z]?)?|title-\w+|preamble|[a-z][a-z0-9-]*-\d{4}(?:-draft)?(?::[a-z0-9][a-z0-9.-]*)*)$"
)
_ROOT_FORMS = {
    "eu-ai-act": _EU_ROOT,
    "gdpr": _EU_ROOT,
    "mdr": _EU_ROOT,
    "hipaa": re.compile(r"(?:\d{3}\.\d{3,4}|\d{3}|\d{3}-subpart-[a-z]+(?:-app-[a-z]+)?)$"),
    "dpdp": re.compile(r"(?:s-\d+[a-z]*|ch-\d+|sch)$"),
    "dpdp-rules": re.compile(r"(?:r-\d+[a-z]*|sch-\d+(?:-part-[a-z])?)$"),
    "fda": re.compile(r"(?:21cfr-\d+\.\d+|21cfr-\d+|21cfr-\d+-subpart-[a-z]+|21cfr-\d+-app-[a-z0-9-]+|fdca-\d+[a-z]*(?:-\d+)?|usc-[\w-]+|[a-z0-9][a-z0-9-]*(?::[a-z0-9][a-z0-9.-]*)*)$"),
    "principles": re.compile(r"[a-z0-9-]+$"),
}  # fmt: skip


# ---- the lawyer's form -------------------------------------------------------------------------------------------


def _lawyers_form(p: Pinpoint) -> str:
    root, steps = (p.root.path, "".join(f"({s})" for s in p.steps)) if p.instrument in KNOWN else (p.path, "")
    if p.instrument in EU:
        return _eu_form(p, root, steps)
    if p.instrument in INDIA:
        return _india_form(p, root, steps)
    named = re.search(r"/([^()]+)(.*)$", p.path) if p.instrument in KNOWN else None
    term = f" “{named[1].replace('-', ' ')}”{' ' * bool(named[2])}{named[2]}" if named else ""
    if p.instrument == "hipaa":
        return f"45 CFR § {root}{steps}{term}" if re.match(r"\d{3}\.\d{3,4}$", root) else p.address
    if p.instrument == "fda" and (m := re.match(r"21cfr-(\d+\.\d+)$", root)):
        return f"21 CFR § {m[1]}{steps}{term}"
    if p.instrument == "fda" and (m := re.match(r"fdca-(\d+)([a-z]*)$", root)):
        return f"FD&C Act § {m[1]}{m[2].upper()}{_statute_steps(p.steps)}{term}"
    return p.address


def _statute_steps(steps: tuple[str, ...]) -> str:
    """The FD&C Act prints (a)(1)(A)(i)(I); its addresses are lower case throughout."""
    return "".join(f"({s.upper() if depth in (2, 4) else s})" for depth, s in enumerate(steps))


def _eu_form(p: Pinpoint, root: str, steps: str) -> str:
    name = EU[p.instrument]
    if m := re.match(r"art-(\d+[a-z]*)$", root):
        return f"Art. {m[1]}{steps} {name}"
    if m := re.match(r"rec-(\d+)$", root):
        return f"Recital {m[1]} {name}"
    if m := re.match(r"annex-([ivxl]+)$", root):
        return f"Annex {m[1].upper()}{_point(steps)} {name}"
    if (m := re.match(r"annex-([ivxl]+)-([a-z0-9])$", root)) and not p.path.count("/"):
        return f"Annex {m[1].upper()}, Section {m[2].upper()}{_point(steps)} {name}"
    return p.address


def _point(steps: str) -> str:
    """ "(2)(d)" as " point 2(d)", "(rule-11)" as " Rule 11"."""
    if not steps:
        return ""
    return re.sub(r"^ point rule-", " Rule ", f" point {steps[1:].replace(')', '', 1)}")


def _india_form(p: Pinpoint, root: str, steps: str) -> str:
    if m := re.match(r"(s|r)-(\d+[a-z]*)$", root):
        return f"{'s.' if m[1] == 's' else 'Rule'} {m[2].upper()}{steps} {INDIA[p.instrument]}"
    if root == "sch":
        return f"Schedule{_point(steps)} {INDIA[p.instrument]}"
    if m := re.match(r"sch-(\d)$", root):
        return f"{list(_ORDINALS)[int(m[1]) - 1].title()} Schedule{_point(steps)} {INDIA[p.instrument]}"
    return p.address


# ---- finding references in running text ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reference:
    """A provision named in a text, with the characters [start, end) that name it."""

    pinpoint: Pinpoint
    start: int
    end: int


_ACT_NAMES = {
    "eu-ai-act": r"(?:the\s+)?(?:EU\s+|European\s+)?(?:AI\s?Act|AIA|Artificial\s+Intelligence\s+Act|Regulation\s+\(EU\)\s+(?:No\s+)?2024/1689)",
    "gdpr": r"(?:the\s+)?(?:EU[\s-]|UK[\s-])?(?:GDPR|DSGVO|General\s+Data\s+Protection\s+Regulation|Regulation\s+\(EU\)\s+(?:No\s+)?2016/679)",
    "mdr": r"(?:the\s+)?(?:EU\s+)?(?:MDR|Medical\s+Devices?\s+Regulation|Regulation\s+\(EU\)\s+(?:No\s+)?2017/745)",
    "dpdp-rules": r"(?:the\s+)?(?:India(?:n|'s)?\s+)?(?:DPDP\s+Rules|DPDPR|Digital\s+Personal\s+Data\s+Protection\s+Rules)(?:,?\s+2025)?",
    "dpdp": r"(?:the\s+)?(?:India(?:n|'s)?\s+)?(?:DPDP(?:\s+Act\b|A\b)?|Digital\s+Personal\s+Data\s+Protection\s+Act)(?:,?\s+2023)?",
}  # fmt: skip
_LABEL = r"(?:#?\d+(?:\.\d+)*[a-z]{0,2}|rule-\d+|[A-Za-z]{1,6})"
_STEPS = rf"(?:\s*\(\s*{_LABEL}\s*\))*"
_WORD = r"(?:paragraph|para\.?|sub-?paragraph|point|letter|lit\.?|item|clause|sub-?section|sub-?rule|sub-?clause)s?"
_WORDED = rf"(?:\s*,?\s*(?:{_WORD}\s*(?:\(\s*{_LABEL}\s*\)|(?:#?\d+(?:\.\d+)*[a-z]?|[a-z]{{1,4}})\b)|rule\s+\d+\b){_STEPS})*"
_NUMBER = r"(?:\d{1,3}[a-z]{0,2}\b)"
_UNIT = re.compile(
    r"(?P<unit>\bArt(?:icle|\.)?|\bRecital|\bRec\.|\bAnnex|\bSections?|\bSec\.|\bs\.|§{1,2}|\bRule|\br\.|\b(?:First|Second|Third|Fourth|Fifth|Sixth|Seventh)\s+Schedule|\bSchedule)"
    r"\s*(?P<number>(?<=Annex)\s*[IVXL]+\b(?:,?\s+Section\s+[A-D0-9]\b)?|(?<=Annex\s)[IVXL]+\b(?:,?\s+Section\s+[A-D0-9]\b)?|" + _NUMBER + r")?"
    r"(?P<rest>(?:\.\d{1,2}\b)?" + _STEPS + _WORDED + r")",
    re.I,
)  # fmt: skip
_CFR = re.compile(
    r"(?:\b(?P<title>21|45)\s*C\.?F\.?R\.?\s*)?(?:§{1,2}\s*|\b(?:sections?|sec\.|parts?)\s+)?(?<![\d.])(?P<part>\d{2,3}|1[6-9]\d|[1-9]\d{3})\.(?P<section>\d{1,4})(?![\d%])(?P<rest>" + _STEPS + r")(?:\s*[“\"](?P<term>[A-Za-z][A-Za-z -]{1,60})[”\"])?",
    re.I,
)  # fmt: skip
_FDCA = re.compile(
    r"\b(?:(?:section|sec\.|§)\s*)?(?P<number>\d{3}[A-Z]?)\b(?P<rest>" + _STEPS + r")\s*,?\s*(?:of\s+)?(?:the\s+)?(?:FD&C\s*Act|FDCA|FD&CA|Federal\s+Food,?\s+Drug,?\s+and\s+Cosmetic\s+Act)"
    r"|\b(?:FD&C\s*Act|FDCA|FD&CA)\s*,?\s*(?:section|sec\.|§)?\s*(?P<number2>\d{3}[A-Z]?)\b(?P<rest2>" + _STEPS + r")"
    r"|\b21\s*U\.?S\.?C\.?\s*(?:§{1,2}\s*|section\s+)?(?P<usc>\d{3}[a-z]*(?:-\d+)?)(?P<rest3>" + _STEPS + r")"
    r"|\b(?:section|sec\.|§)\s*(?P<bare>524B|515C|520\(o\)|745A)(?P<rest4>" + _STEPS + r")",
    re.I,
)  # fmt: skip
_CANON_IN_TEXT = re.compile(r"\b(?:eu-ai-act|gdpr|mdr|hipaa|dpdp-rules|dpdp|fda|principles):[a-z0-9][a-zA-Z0-9./:#-]*(?:\([0-9A-Za-z#.-]+\))*(?:/[a-z-]+)?")
_CFR_OF_PART = {"160": "hipaa", "162": "hipaa", "164": "hipaa", "11": "fda"}
_ORDINALS = {w: str(i) for i, w in enumerate(("first", "second", "third", "fourth", "fifth", "sixth", "seventh"), 1)}


def find_references(text: str, instrument: str | None = None) -> Iterator[Reference]:
    """Every provision that `text` names, left to right.

    A bare "Article 6" or "section 8" needs an act's name beside it in the text, or `instrument` as the one meant;
    otherwise it is passed over.
    """
    taken: list[tuple[int, int]] = []
    for reference in sorted([*_canonical(text), *_fdca(text), *_cfr(text, instrument), *_units(text, instrument)], key=lambda r: (r.start, -r.end)):
        if all(reference.start >= end or reference.end <= start for start, end in taken):
            taken.append((reference.start, reference.end))
            yield reference


def _canonical(text: str) -> Iterator[Reference]:
    for m in _CANON_IN_TEXT.finditer(text):
        if p := _parse_canonical(m[0].rstrip(".:")):
            yield Reference(p, m.start(), m.start() + len(m[0].rstrip(".:")))


def _labels(rest: str, lower: bool = False) -> list[str]:
    """The labels of "(1)(a), point (ii)" in order."""
    found = re.findall(rf"\(\s*({_LABEL})\s*\)|{_WORD}\s*(#?\d+(?:\.\d+)*[a-z]?|[a-z]{{1,4}})\b|rule\s+(\d+)|^\.(\d+)", rest, re.I)
    labels = [a or b or d or f"rule-{c}" for a, b, c, d in found]
    return [label.lower() for label in labels] if lower else labels


def _cfr(text: str, instrument: str | None) -> Iterator[Reference]:
    for m in _CFR.finditer(text):
        part = m["part"]
        home = _CFR_OF_PART.get(part) or ("fda" if 800 <= int(part) <= 1299 else None)
        named = m["title"] or re.match(r"\s*(?:§|sec|part)", m[0], re.I)
        strong = home == "hipaa" or (home == "fda" and len(part) == 3) or (home == instrument and named)
        if m["title"] == "45" and part not in ("160", "162", "164"):
            continue
        if not home or not (named or strong) or (m["title"] and (m["title"] == "45") != (home == "hipaa")):
            continue
        root = f"{part}.{m['section']}" if home == "hipaa" else f"21cfr-{part}.{m['section']}"
        if home == "hipaa" and len(m["section"]) < 3:
            continue
        term = "/" + re.sub(r"[ -]+", "-", m["term"].lower()) if m["term"] else ""
        yield Reference(Pinpoint(home, Pinpoint(home, root).child(*_labels(m["rest"])).path + term), m.start() + len(m[0]) - len(m[0].lstrip()), m.end())


def _fdca(text: str) -> Iterator[Reference]:
    for m in _FDCA.finditer(text):
        rest = m["rest"] or m["rest2"] or m["rest3"] or m["rest4"] or ""
        number = m["number"] or m["number2"]
        if m["usc"]:
            number = FDCA_OF_USC.get(m["usc"].lower())
        elif m["bare"]:
            number, _, inner = m["bare"].partition("(")
            rest = f"({inner}{rest}" if inner else rest
        if number:
            yield Reference(Pinpoint("fda", f"fdca-{number.lower()}").child(*_labels(rest, lower=True)), m.start(), m.end())


def _acts(text: str) -> list[tuple[int, int, str]]:
    found = [(m.start(), m.end(), name) for name, pattern in _ACT_NAMES.items() for m in re.finditer(pattern, text, re.I)]
    # "DPDP Rules" also matches "DPDP": the longer name wins.
    return [f for f in found if not any(o != f and o[0] <= f[0] and f[1] <= o[1] and (o[1] - o[0]) > (f[1] - f[0]) for o in found)]


def _units(text: str, instrument: str | None) -> Iterator[Reference]:
    acts = _acts(text)
    for m in _UNIT.finditer(text):
        unit = m["unit"].lower().rstrip(".")
        if not m["number"] and not unit.endswith("schedule"):
            continue
        end = m.start() + len(m[0].rstrip())
        home, start, end = _home(text, acts, m.start(), end, unit, instrument)
        p = _unit_pinpoint(home, unit, (m["number"] or "").strip(), m["rest"]) if home else None
        if p:
            yield Reference(p, start, end)


def _home(text: str, acts: list[tuple[int, int, str]], start: int, end: int, unit: str, instrument: str | None) -> tuple[str | None, int, int]:
    """Which act a unit belongs to: the name right after it, right before it, the only one in the text, or the default."""
    for s, e, name in acts:
        if s >= end and re.fullmatch(r"[\s,]*(?:of\s+|in\s+|under\s+)?\(?", text[end:s], re.I):
            return name, start, e
    for s, e, name in acts:
        if e <= start and re.fullmatch(r"[\s,:]*", text[e:start]):
            return name, s, end
    names = {name for _, _, name in acts if _fits(name, unit)}
    if len(names) == 1:
        return names.pop(), start, end
    # Of the five frameworks only the AI Act has annexes; another act's annex must be named with its act.
    default = instrument or ("eu-ai-act" if unit == "annex" else None)
    if not acts and default and _fits(default, unit):
        return default, start, end
    return None, start, end


def _fits(instrument: str, unit: str) -> bool:
    if instrument in EU:
        return unit in ("art", "article", "recital", "rec", "annex") or (instrument == "mdr" and unit == "rule")
    if instrument == "dpdp":
        return unit in ("section", "sections", "sec", "s", "§", "schedule")
    return instrument == "dpdp-rules" and (unit in ("rule", "r") or unit.endswith("schedule"))


def _unit_pinpoint(home: str, unit: str, number: str, rest: str) -> Pinpoint | None:
    if not _fits(home, unit):
        return None
    labels = _labels(rest, lower=home in EU)
    number = number.lower()
    if home == "mdr" and unit == "rule":  # classification rules stand in Annex VIII only
        return Pinpoint("mdr", "annex-viii").child(f"rule-{number}")
    if unit == "annex":
        pieces = re.match(r"([ivxl]+)(?:,?\s+section\s+([a-d0-9]))?$", number)
        if home == "eu-ai-act" and pieces and pieces[1] == "i" and labels:
            return Pinpoint(home, "annex-i").child(*labels)  # its points count on through the sections
        return Pinpoint(home, f"annex-{pieces[1]}" + (f"-{pieces[2]}" if pieces[2] else "")).child(*labels) if pieces and roman_value(pieces[1]) else None
    if unit.endswith("schedule"):
        word = unit.split()[0]
        if home == "dpdp":
            return Pinpoint("dpdp", "sch").child(*labels)
        return Pinpoint(home, f"sch-{_ORDINALS[word]}").child(*labels) if word in _ORDINALS else None
    prefix = {"a": "art", "s": "s", "§": "s"}.get(unit[0], "rec" if unit.startswith("rec") else "r")
    return Pinpoint(home, f"{prefix}-{number}").child(*labels)


def _covers(text: str, reference: Reference) -> bool:
    """Whether nothing but punctuation and filler stands around the reference."""
    around = text[: reference.start] + " " + text[reference.end :]
    return not re.sub(r"(?i)\b(?:of|the|see|under|in|cf|para|act|rules?|regulation)\b|[\s.,;:()\[\]]+", "", around)
