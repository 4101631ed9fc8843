"""Figures that a card claims held against figures computed from the project's own files: which claims are another figure beyond rounding.

A claim counts only where it is plain: one metric with one value, for everybody or for one group that was computed, in a statement that
promises, limits, compares or reports nothing else. It is contradicted only where none of the card's claims of that figure agrees with what was
computed. Knows nothing of requirements; pure functions of nouns.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assistant.bearing import cue, marks_of, words_of
from assistant.findings import FRAGMENT, Evidence, Facet, FacetResult
from assistant.reading import Reading, weigh
from assistant.statements import Statement

# What each kind of computed evidence can bear, by the field in which a facet's evidence usually stands first. A figure is a result: it
# describes no data collection, no plan and no method.
_BEARS = {
    "metrics": ("metrics", "subgroups", "evaluation"), "split": ("split",), "privacy": ("privacy", "security"), "dicom": ("privacy",), "drift": ("monitoring", "metrics"),
}  # fmt: skip


def may_bear(file: str, facet: Facet) -> bool:
    """Whether a file of a card can bear a facet: a computed fragment only what is a result of its kind, any other file all."""
    kind = file.rpartition("/")[2].removesuffix(FRAGMENT)
    return not file.endswith(FRAGMENT) or kind not in _BEARS or facet.where[:1] == () or facet.where[0] in _BEARS[kind]


@dataclass(frozen=True, slots=True)
class Computed:
    """One computed figure: metric (and the value's name in `of`), group, class, and its sentence [start, end) in the fragment `file`."""

    metric: str
    of: str
    column: str
    group: str
    task: str
    value: float
    threshold: float | None
    file: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A figure that a card states, with the half unit of its last digit, and the statement it stands in."""

    metric: str
    word: str  # the metric as the card calls it
    column: str
    group: str
    task: str
    value: float
    slack: float
    statement: Statement


@dataclass(frozen=True, slots=True)
class Conflict:
    """A claim that the computed figure contradicts, both as evidence, and the word by which the card calls the metric."""

    claim: Evidence
    computed: Evidence
    word: str


METRICS: Mapping[str, str] = {
    "sensitivity": r"sensitivit(?:y|ies)|recall|true[- ]positive rate|TPR", "specificity": r"specificit(?:y|ies)|true[- ]negative rate|TNR",
    "ppv": r"positive predictive value|PPV|precision", "npv": r"negative predictive value|NPV", "brier": r"Brier(?: score)?", "prevalence": r"prevalence",
    "auc": r"AU-?ROC|AUC(?:[- ]?ROC)?|ROC[- ]AUC|area under the (?:ROC|receiver[- ]operating[- ]characteristics?)(?: curve)?|area under the curve",
    "balanced_accuracy": r"balanced accuracy", "accuracy": r"(?<!balanced )accuracy",
}  # fmt: skip
_ANY_METRIC = "|".join([*METRICS.values(), r"F1(?:[- ]score)?|dice|DSC|IoU|kappa|calibration|Hausdorff|MAE|error|loss|p[- ]?value|AUPRC|odds|likelihood"])
_VALUE = re.compile(
    r"(?<![\d.,/-])(?P<number>100(?:\.0+)?(?=\s?%)|\d{1,2}(?:\.\d+)?(?=\s?(?:%|per ?cent))|0?\.\d+|1\.0+|0\.\d+)(?P<percent>\s?(?:%|per ?cent))?(?![\d.]*\d)(?!\s*(?:CI\b|confidence|quantile))"
)
_SILENT = ("promise", "hedge", "duty", "others", "placeholder", "question", "form", "command", "prohibition", "condition", "claim", "negation")
_NO_FIGURE = re.compile(
    r"\b(?:above|over|below|under|at least|at most|least|exceed\w*|more than|less than|better than|worse than|between|minimum|maximum|goal|target\w*|accept\w+|required?|"
    r"criteri\w+|limit|differ\w*|gap|drop\w*|fell|falls?|ris\w+|rose|increas\w+|decreas\w+|improv\w+|chang\w+|gain\w*|compared|versus|vs|up to|from|margin|hypothes\w+|power|assum\w+|"
    r"alarm\w*|alert\w*|monitor\w*|threshold for)\b|[<>≥≤±]", re.I,
)  # fmt: skip
_OTHER_DATA = re.compile(
    r"\b(?:training|tuning|development|cross[- ]?validation|fold|ablation|baseline|previous|prior|earlier|version|radiologists?|readers?|physicians?|clinicians?|experts?|"
    r"without|unaided|alone|comparator|reference model|predicate|literature|per[- ]lesion|lesion[- ]level|lesions?|per[- ]image|image[- ]level|slice\w*|voxel\w*|pixel\w*|"
    r"simulat\w+|synthetic|noise|perturb\w+|membership|attack\w*|p[- ]values?|goals?|targets?|aims?|should|must|shall|would|could|may|might|if|unless|require\w*|"
    r"minimum|hypothes\w+|expected|example)\b", re.I,
)  # fmt: skip
_GROUPS = re.compile(
    r"\b(?:wom[ae]n|females?|girls?|m[ae]n|males?|boys?|sex(?:es)?|gender|age[ds]?|years?|older|younger|black|white|asian|hispanic|latin\w+|ethnic\w*|race|racial|skin|fitzpatrick|"
    r"monk|scanners?|vendors?|manufacturers?|sites?|hospitals?|cent(?:er|re)s?|sub-?groups?|children|p(?:a?e)diatric|adults?|bmi|supine|upright|portable|cohorts?|external\w*|"
    r"internal\w*|in patients with|subset|among|group)\b", re.I,
)  # fmt: skip
_SEXES = {
    "f": r"wom[ae]n|females?", "female": r"wom[ae]n|females?", "w": r"wom[ae]n|females?", "woman": r"wom[ae]n|females?", "women": r"wom[ae]n|females?",
    "m": r"m[ae]n|males?", "male": r"m[ae]n|males?", "man": r"m[ae]n|males?", "men": r"m[ae]n|males?",
}  # fmt: skip


def conflicts(reading: Reading, computed: Sequence[Computed]) -> tuple[Conflict, ...]:
    """The card's claims that another figure than theirs was computed for, with the computed sentence."""
    if not computed:
        return ()
    texts = {f.name: f.text for f in reading.card.files}
    by_scope: dict[tuple[str, str, str, str], list[Computed]] = {}
    for c in computed:
        by_scope.setdefault((c.metric, c.column, c.group, c.task), []).append(c)
    claimed: dict[tuple[str, str, str, str], list[Claim]] = {}
    for claim in _claims(reading, computed):
        claimed.setdefault((claim.metric, claim.column, claim.group, claim.task), []).append(claim)
    found = []
    for scope, claims in claimed.items():
        figures = by_scope.get(scope, [])
        if figures and not any(abs(c.value - f.value) <= c.slack + 1e-9 for c in claims for f in figures):
            found += [_conflict(claim.statement, claim.word, figures[0], texts) for claim in claims]
    left = [c for c in computed if c.metric == "identifiers" and c.value > 0]
    found += [_conflict(s, word, c, texts) for c in left for s, word in _cleaned(reading)]
    return tuple(found)


_CLEANED = re.compile(
    r"\b(?:all|every|each|no|without|free of|fully|completely)\b[^.;]{0,80}\b(?P<word>identifiers?|de-?identified|anonymi[sz]ed|identifying|PHI|protected health information)\b",
    re.I,
)
_REMOVED = re.compile(r"\b(?:headers?|DICOM|metadata|tags?|images?|scans?|radiographs?|studies|data|identifiers?)\b", re.I)


def _cleaned(reading: Reading) -> Iterator[tuple[Statement, str]]:
    """The statements that say that nothing identifying is left, with their word for it."""
    for unit in reading.units:
        s = unit.statement
        m = _CLEANED.search(s.words)
        if (
            m
            and not s.file.endswith(FRAGMENT)
            and _REMOVED.search(s.words)
            and not any(k.kind in _SILENT and k.kind != "negation" for k in marks_of(words_of(s.words)))
        ):
            yield s, s.words


def refuted(reading: Reading, result: FacetResult, found: Sequence[Conflict]) -> FacetResult:
    """A facet's result, contradicted where a claim that bears it is another figure than was computed."""
    if result.status != "found" or not found:
        return result
    wanted = [c for c in found if any(cue(a).places(words_of(c.word)) for group in result.facet.cues for a in group)]
    if not wanted:
        return result
    bearing, _ = weigh(reading, result.facet)
    for conflict in wanted:
        if any(e.file == conflict.claim.file and e.start < conflict.claim.end and conflict.claim.start < e.end for _, e in bearing):
            return FacetResult(result.facet, "contradicted", (conflict.claim, conflict.computed))
    return result


def _conflict(s: Statement, word: str, figure: Computed, texts: Mapping[str, str]) -> Conflict:
    said = Evidence(texts[s.file][s.start : s.end], s.file, s.start, s.end, s.section)
    return Conflict(said, Evidence(texts[figure.file][figure.start : figure.end], figure.file, figure.start, figure.end, "Computed evidence"), word)


# ---- what a card claims ------------------------------------------------------------------------------------------------


def _claims(reading: Reading, computed: Sequence[Computed]) -> Iterator[Claim]:
    patterns = {m: re.compile(rf"\b(?:{p})\b", re.I) for m, p in METRICS.items()}
    for of in {c.of for c in computed if c.metric == "mean" and c.of}:
        name = r"dice(?: (?:score|coefficient|similarity\w*(?: coefficient)?))?|DSC" if of.lower() in ("dice", "dsc") else re.escape(of).replace("_", "[ _]")
        patterns["mean"] = re.compile(rf"\b(?:{name})\b", re.I)
    computed_metrics = {c.metric for c in computed}
    patterns = {m: p for m, p in patterns.items() if m in computed_metrics}
    groups = _group_patterns(computed)
    for unit in reading.units:
        s = unit.statement
        if s.file.endswith(FRAGMENT) or s.kind in ("heading", "code") or any(m.kind in _SILENT for m in marks_of(words_of(s.words))):
            continue
        around = f"{s.lead} {s.section.rpartition(' > ')[2]}"
        if _OTHER_DATA.search(s.words) or _OTHER_DATA.search(around) or _other_threshold(s.words, computed):
            continue
        yield from _row(s, patterns, groups) if s.kind == "row" else _sentence(s, patterns, groups)


def _group_patterns(computed: Sequence[Computed]) -> list[tuple[str, str, re.Pattern[str]]]:
    """How a card may call each computed group: its label, women and men for a sex, a short label only beside its column's name."""
    found = []
    for column, group in dict.fromkeys((c.column, c.group) for c in computed if c.column):
        label = re.escape(group)
        if group.lower() in _SEXES and re.search(r"sex|gender", column, re.I):
            pattern = rf"\b(?:{_SEXES[group.lower()]})\b"
        elif len(group) < 4 or group.isdigit():
            pattern = rf"\b{re.escape(column).replace('_', '[ _]')}s?[ :=]+{label}(?!\w)"
        else:
            pattern = rf"(?<!\w){label}(?!\w)"
        found.append((column, group, re.compile(pattern, re.I)))
    return found


def _other_threshold(words: str, computed: Sequence[Computed]) -> bool:
    """Whether a statement names an operating point that is not the computed one."""
    named = re.search(r"\b(?:threshold|cut-?off|operating point)\b[^.;\d]{0,20}(\d?\.\d+)", words, re.I)
    return bool(named) and all(c.threshold is None or abs(float(named[1]) - c.threshold) > 1e-9 for c in computed)  # type: ignore[index]


def _sentence(s: Statement, patterns: Mapping[str, re.Pattern[str]], groups: Sequence[tuple[str, str, re.Pattern[str]]]) -> Iterator[Claim]:
    """The claims of a sentence: the first value after a metric and before the next one, or the value right before it."""
    words = s.words
    if s.lead and not words.lower().startswith(s.lead.lower()):
        words = f"{s.lead}: {words}" if s.kind == "field" else words
    scope = _scope(words, groups)
    if scope is None:
        return
    for metric, pattern in patterns.items():
        for m in pattern.finditer(words):
            value = _value_of(words, m.start(), m.end())
            if value is not None:
                yield _claim(metric, m[0], scope, value, s)


def _value_of(words: str, start: int, end: int) -> re.Match[str] | None:
    """The one value that a metric at [start, end) has, or None where that is not plain."""
    following = re.search(rf"\b(?:{_ANY_METRIC})\b|[;!?]|\.\s", words[end:], re.I)
    stop = end + following.start() if following else len(words)
    between = re.sub(r"\b(?:threshold|cut-?off|operating point|confidence level)\b\D{0,16}\d?\.\d+", lambda x: " " * len(x[0]), words[end:stop], flags=re.I)
    inside = [m for m in _VALUE.finditer(_unbracketed(between)) if m["number"]]
    before = re.search(rf"{_VALUE.pattern}\s+$", words[:start])
    if before and not _NO_FIGURE.search(words[max(0, before.start() - 25) : start]):
        return before
    if (
        len(inside) != 1
        or inside[0].start() > 60
        or _NO_FIGURE.search(between[: inside[0].start()])
        or _NO_FIGURE.search(between[inside[0].end() : inside[0].end() + 12])
    ):
        return None
    return inside[0]


def _unbracketed(text: str) -> str:
    """A text with what stands in brackets blanked: intervals, counts, asides."""
    return re.sub(r"\([^()]*\)|\[[^\[\]]*\]|,?\s*95\s?%\s*(?:CI|confidence).*", lambda m: " " * len(m[0]), text)


def _scope(words: str, groups: Sequence[tuple[str, str, re.Pattern[str]]]) -> tuple[str, str] | None:
    """The computed group a text speaks of, ("", "") for everybody; None where it speaks of several, or of one that was not computed."""
    named = [(column, group) for column, group, pattern in groups if pattern.search(words)]
    if len(named) == 1:
        return named[0]
    return ("", "") if not named and not _GROUPS.search(words) else None


def _row(s: Statement, patterns: Mapping[str, re.Pattern[str]], groups: Sequence[tuple[str, str, re.Pattern[str]]]) -> Iterator[Claim]:
    """The claims of a table's row: metrics are in its header, or in its first cell."""
    cells, head = [c.strip() for c in s.words.split("|")], [c.strip() for c in s.lead.split("|")]
    if len(cells) < 2:
        return
    by_row = [(m, p) for m, p in patterns.items() if p.search(cells[0])]
    if len(by_row) == 1:
        metric, by = by_row[0]
        word = by.search(cells[0])
        values = [(i, v) for i, c in enumerate(cells[1:], 1) if (v := _cell(c))]
        for i, value in values:
            scope = _scope(f"{cells[0]} {head[i] if i < len(head) else ''}", groups)
            if scope is not None and (scope[1] or len(values) == 1) and word:
                yield _claim(metric, word[0], scope, value, s)
    elif len(head) == len(cells):
        scope = ("", "") if re.fullmatch(r"(?:all|overall|total|everybody|all patients)", cells[0], re.I) else _scope(f"{head[0]} {cells[0]}", groups)
        if scope is None or (scope == ("", "") and not re.fullmatch(r"(?:all|overall|total|everybody|all patients)", cells[0], re.I)):
            return
        for title, text in zip(head[1:], cells[1:]):
            for name, column in patterns.items():
                if (found := column.search(title)) and (figure := _cell(text)):
                    yield _claim(name, found[0], scope, figure, s)


def _cell(text: str) -> re.Match[str] | None:
    found = list(_VALUE.finditer(_unbracketed(text)))
    return found[0] if len(found) == 1 and not _NO_FIGURE.search(text) else None


def _claim(metric: str, word: str, scope: tuple[str, str], value: re.Match[str], s: Statement) -> Claim:
    digits = len(value["number"].partition(".")[2])
    scale = 100 if value["percent"] else 1
    return Claim(metric, word, scope[0], scope[1], "", float(value["number"]) / scale, 0.5 * 10**-digits / scale, s)
