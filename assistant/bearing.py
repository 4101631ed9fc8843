"""Whether a sentence bears a facet: cue words on their stems, and what takes the force out of them.

A sentence that holds every cue is still no evidence when it denies, promises, guesses, asks, points elsewhere, tells the
reader to do it, repeats a form's instructions, claims compliance in bare words, or reports somebody else's results.
Such a marker is not held against a facet whose own cue contains it ("not intended for", "will be retrained").
Knows nothing of cards, sections or requirements.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import Stemmer

from assistant.findings import Facet

Verdict = Literal["bears", "against", "silent"]
Place = tuple[int, int]  # characters [start, end) of a sentence

# ---- words ---------------------------------------------------------------------------------------------------------

_WORD = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+(?:['’][^\W_]+)?")
_BRITISH = (
    (re.compile(r"ae"), "e"),
    (re.compile(r"is(e|ed|es|er|ers|ing|ation|ations)$"), r"iz\1"),
    (re.compile(r"our(s|ed|ing|al)?$"), r"or\1"),
    (re.compile(r"tre(s|d)?$"), r"ter\1"),
)
_LETTERS = 5  # shorter words are spelt alike on both sides of the ocean


@lru_cache(maxsize=1)
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The stem of a lower-case word, British and American spellings alike."""
    if len(word) >= _LETTERS:
        for pattern, spelling in _BRITISH:
            word = pattern.sub(spelling, word)
    stemmed: str = _stemmer().stemWord(word)
    return stemmed


@dataclass(frozen=True, slots=True)
class Words:
    """A text cut into words, with their places, lower-case forms and stems."""

    text: str
    places: tuple[Place, ...]
    low: tuple[str, ...]
    stems: tuple[str, ...]


def words_of(text: str) -> Words:
    """The words of a text; a hyphen separates words, an apostrophe does not."""
    found = [(m.start(), m.end(), m[0].lower().replace("’", "'")) for m in _WORD.finditer(text)]
    return Words(text, tuple((s, e) for s, e, _ in found), tuple(w for _, _, w in found), tuple(stem(w) for _, _, w in found))


# ---- cues ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cue:
    """One alternative of a facet's group: words to find in a row (stem, or prefix), or a regular expression."""

    words: tuple[tuple[str, bool], ...]  # (stem or prefix, is a prefix)
    pattern: re.Pattern[str] | None

    def places(self, words: Words) -> tuple[Place, ...]:
        """Where the cue stands in a text."""
        if self.pattern:
            found = tuple((m.start(), m.end()) for m in self.pattern.finditer(words.text) if m.end() > m.start())
            if self.pattern is not _FIGURE or not found:
                return found
            names = [m.span() for m in _NO_FIGURE.finditer(words.text)]
            return tuple(p for p in found if not any(_within(p, name) for name in names))
        size = len(self.words)
        if not size:
            return ()
        first, prefix = self.words[0]
        last = len(words.low) - size
        starts = [i for i, w in enumerate(words.low) if w.startswith(first)] if prefix else [i for i, w in enumerate(words.stems) if w == first]
        return tuple((words.places[i][0], words.places[i + size - 1][1]) for i in starts if i <= last and (size == 1 or self._at(words, i)))

    def _at(self, words: Words, at: int) -> bool:
        return all(words.low[at + i].startswith(w) if prefix else words.stems[at + i] == w for i, (w, prefix) in enumerate(self.words))


# A number that says something: no part of a name (3D, T2w, prostate158), mark of a list or a source ("2.", "(1)", "[1]"), address or DOI.
_FIGURE = re.compile(
    r"(?<![\w./\\#-])(?<!\w[-–])\d+(?:,\d{3})*(?:\.\d+)*(?:\s?(?:%|[x×]|°|[a-zµ]{1,3}\b|T\b|GB\b|MB\b|kVp\b|MHz\b|Gy\b|Hz\b))?(?![\w/\\])(?<!\d[bBdD])",
    re.IGNORECASE,
)
_NO_FIGURE = re.compile(r"^\W*\d{1,2}[.)]\s|\[\d{1,3}\]|\(\d{1,2}\)|https?://\S+|\bdoi\S+|\b10\.\d{4,}/\S+", re.IGNORECASE)


@lru_cache(maxsize=32768)
def cue(alternative: str) -> Cue:
    """An alternative as written in the catalogue: `external validation`, `recalibrat*`, `re:\\bAUC\\b`; `#` is any figure."""
    if alternative == "#":
        return Cue((), _FIGURE)
    if alternative.startswith("re:"):
        return Cue((), re.compile(alternative[3:], re.IGNORECASE))
    parts: list[tuple[str, bool]] = []
    for chunk in alternative.lower().replace("’", "'").split():
        pieces = _WORD.findall(chunk)
        for piece in pieces[:-1]:
            parts.append((stem(piece), False))
        if pieces:
            parts.append((pieces[-1], True) if chunk.endswith("*") else (stem(pieces[-1]), False))
    return Cue(tuple(parts), None)


# ---- markers -------------------------------------------------------------------------------------------------------

MarkKind = Literal[
    "negation", "condition", "prohibition", "promise", "hedge", "duty", "claim", "pointer", "placeholder", "question", "form", "command", "others"
]


@dataclass(frozen=True, slots=True)
class Mark:
    """Words that take the force out of the cues within their scope."""

    kind: MarkKind
    place: Place
    scope: Place


# Verbs by which evidence is made: to deny, promise or demand one of them is to have no evidence yet.
_ACT = (
    r"(?:evaluat|validat|test|assess|measur|perform|conduct|carr|document|report|record|implement|establish|defin|collect|analy[sz]|monitor|stud|"
    r"investigat|disclos|"
    r"specif|obtain|complet|includ|appl|quantif|characteri[sz]|examin|explor|verif|audit|provid|publish|releas|address|consider|determin|develop|prepar|check|"
    r"calibrat|compar|describ|review|undertak|add|clear|approv|certif|account|estimat|stratif|confirm|demonstrat|prov|shown|show|done|made|ma[dk]e|run|"
    r"set|made available|known|available|tracked|track|appoint|sign|"
    r"submit|encrypt|remov|retain|delet|train|creat|written|draft|finali[sz])"
)
_PARTICIPLE = rf"(?:{_ACT}\w*)"
_ADVERBS = r"(?:(?:\w+ly|yet|been|be|being|ever|also|further|then|formally|systematically|independently)\s+){0,3}"
_CADENCE = re.compile(
    r"\b(?:daily|weekly|monthly|quarterly|yearly|annual(?:ly)?|biannual\w*|(?:every|each|per)\s+(?:\w+\s+)?(?:day|week|month|quarter|year|release|update|"
    r"version|case|batch)s?|"
    r"within\s+\w+\s+(?:\w+\s+)?(?:hour|day|week|month)s?|at least|continuous(?:ly)?|real[- ]time)\b", re.I,
)  # fmt: skip

_BREAK = re.compile(
    r"[;!?]|\.(?=\s+[A-Z(\"“])|\n\n|\s[–—]\s|,?(?<!not)\s(?:but|however|although|though|while|whereas|yet|except that|nevertheless|nonetheless)\s|"
    r",\s+(?:and|so|then|which|who)\s+(?=(?:it|we|they|the|this|these|was|were|is|are|has|have|had|all|each|every|results?|performance)\b)|"
    r",\s+(?=(?:[\w-]+\s+){1,5}(?:was|were|is|are|reached|achieved|fell|rose|dropped|had|has)\b)", re.I,
)  # fmt: skip

_NOT = re.compile(
    r"\b(?:not|never|cannot|can't|\w+n['’]t|nor|neither)\b(?!\s+(?:only|limited|merely|just|necessarily|least|exceed\w*|less|more|later|fewer|"
    r"(?:a|an|intended\s+as\s+a|meant\s+as\s+a)\s+(?:substitute|replacement)|(?:(?:intended|designed|meant)\s+to\s+)?(?:replace|substitute|override)|"
    r"(?:been\s+)?(?:(?:seen|used|part|included|involved|present)\s+)?(?:in|for|during|of)\s+(?:the\s+|any\s+|its\s+|model\s+)*(?:training|development|"
    r"pre-?training|tuning|fitting)\b|"
    r"(?:be\s+)?(?:altered|modified|deleted|bypassed|overwritten|disabled|edited|tampered|re-?identified|linked|shared|stored|retained|leave|transferred|"
    r"exported|sent|reused))\b)", re.I,
)  # fmt: skip
_PROHIBIT = re.compile(
    r"\b(?:(?:must|should|shall|may|do|is|are|was|were)\s+not\s+(?:be\s+)?(?:use[ds]?|intended|suitable|recommended|indicated|designed|meant|rely|relied|"
    r"interpret\w*|appl\w+|deploy\w*)|"
    r"not\s+(?:intended|suitable|recommended|indicated|designed|meant|for\s+use))\b", re.I,
)  # fmt: skip
_NO = re.compile(
    r"(?<!\w)(?:no|none\s+of|zero)\b(?!\.?\s*\d)(?!\s+(?:longer|more|less|later|fewer|matter|doubt|"
    r"(?:statistically\s+|clinically\s+)?(?:significant|meaningful|material|relevant|notable|substantial|systematic)|"
    r"(?:measurable\s+|observed\s+)?(?:duplicat\w+|outliers?|overlap|leak|leakage|difference|differences|disparit\w+|degradation|drift|identif\w+|"
    r"identity|personal|protected|phi|data|evidence\s+of|adverse|serious|names?)\b|"
    r"(?:\w+\s+)?(?:patient|subject|individual|participant|person|image|scan|study|exam|examination|case)s?\s+(?:\w+\s+){0,8}?"
    r"(?:appear|both|shared?|overlap|contribut|occur|cross|present|common|more\s+than\s+one|leave|leaves|left)|"
    r"(?:\w+\s+)?(?:sub-?group|group|site|vendor|scanner|hospital|metric|result)s?\s+(?:\w+\s+){0,2}?(?:falls?|fell|drops?|dropped|differ\w*|deviat\w*|"
    r"perform\w*\s+(?:worse|below|significantly)|below|shows?|showed|exceed\w*)))", re.I,
)  # fmt: skip
_LACK = re.compile(
    r"\b(?:without(?!\s+(?:undue|delay|loss|degradation|leaving|exposing|sharing|transferring|transmitting|moving|contrast|exchanging|disclosing|"
    r"centrali[sz]ing|revealing|re-?training))|"
    r"lack(?:s|ed|ing)?(?:\s+of)?|absence\s+of|fail(?:s|ed)?\s+to|unable\s+to|instead\s+of|rather\s+than|in\s+the\s+absence\s+of|exempt\s+from|free\s+of)\b", re.I,
)  # fmt: skip
_CONDITION = re.compile(r"\b(?:when(?:ever)?|if|where|unless|until|in\s+case|whether)\b[^,;.]*$", re.I)
_UNLESS = re.compile(r"\b(?:without|unless|until|except|before|only|other\s+than|and\s+must|and\s+should)\b", re.I)

_CLAUSE_MARKS: tuple[tuple[MarkKind, re.Pattern[str]], ...] = (
    ("promise", re.compile(
        r"\b(?:(?:is|are|was|were|been|remains?)\s+(?:currently\s+|still\s+|being\s+|also\s+)?(?:planned|foreseen|envisaged|envisioned|scheduled\s+(?:for|"
        r"to)|in\s+preparation|in\s+progress|"
        r"under\s+(?:way|development|preparation|construction|consideration)|underway|ongoing\s+and\s+will|pending|forthcoming|upcoming|"
        r"in\s+the\s+pipeline|on\s+(?:the|our)\s+roadmap|awaited|outstanding|expected\s+(?:by|in))|"
        rf"(?:we|team|developers?|company|manufacturer|authors?|vendor|provider)\s+(?:\w+\s+)?(?:plan|plans|intend|intends|aim|aims|hope|hopes|propose|"
        rf"expect|expects|(?:are|is)\s+planning)\s+to|"
        rf"(?:plans?|planned|planning|intends?|intending|intention)\s+to\s+{_ADVERBS}{_ACT}|"
        rf"(?:is|are|remains?|yet|has|have|still)\s+to\s+be\s+{_ADVERBS}{_PARTICIPLE}|to\s+be\s+(?:done|confirmed|announced|determined|defined|decided|"
        rf"agreed|added|completed|provided|published|finali[sz]ed|established|drafted)|"
        r"planned\s+(?:for|evaluation|validation|study|studies|trial|analysis|assessment|release|work)|"
        r"future\s+(?:work|versions?|releases?|stud(?:y|ies)|research|plans?|iterations?|efforts?|evaluations?|assessments?|validation)|"
        r"in\s+(?:the|a)\s+(?:near\s+)?future|in\s+due\s+course|(?:the\s+)?(?:next|upcoming|forthcoming|coming)\s+(?:release|version|quarter|year|month|"
        r"months|phase|iteration|sprint)|"
        r"roadmap|yet\s+to\s+(?:be|come)|not\s+yet|tb[dca]|work\s+in\s+progress|coming\s+soon|"
        r"(?:is|are)\s+(?:currently\s+|still\s+)?being\s+(?:developed|prepared|drafted|written|finali[sz]ed|collected|built|set\s+up|established|planned|"
        r"designed|investigated|considered|arranged|negotiated)|"
        r"currently\s+(?:developing|preparing|drafting|working\s+on|collecting|planning|seeking)|once\s+\w+(?:\s+\w+){0,6}\s+(?:is|are|has|"
        r"have)\s+(?:been\s+)?(?:available|complete\w*|approved|cleared|collected|agreed|signed)|"
        r"(?:would|should)\s+like\s+to|proposed\s+(?:study|validation|evaluation))\b", re.I)),
    ("hedge", re.compile(
        r"\b(?:(?:we|i|authors?|developers?|team)\s+(?:also\s+|would\s+)?(?:believe|think|assume|hope|expect|anticipate|feel|suspect|speculate|trust)|"
        r"(?:is|are|was|were|be)\s+(?:believed|assumed|thought|presumed|supposed|hoped|anticipated|considered\s+likely)\s+(?:to|that)|it\s+is\s+(?:likely|"
        r"possible|probable|plausible|conceivable|assumed|believed|expected|hoped)\s+that|"
        r"expected\s+to\s+(?:perform|generali[sz]e|work|transfer|be\s+(?:robust|accurate|similar|safe|fair|low|minimal|comparable|sufficient|good|"
        r"representative|negligible|unbiased))|"
        r"should\s+(?:generali[sz]e|perform|transfer|work|be\s+(?:robust|accurate|similar|safe|fair|fine|comparable|representative|sufficient|unbiased))|"
        r"presumably|potentially|probably|possibly|perhaps|maybe|supposedly|arguably|hopefully|apparently|in\s+principle|in\s+theory|theoretically|"
        rf"(?:could|would|might|may)\s+(?:be|have\s+been)\s+{_PARTICIPLE}|(?:could|would|might)\s+{_ACT})\b", re.I)),
)  # fmt: skip
_WILL = re.compile(rf"\b(?:will|shall|going\s+to)\s+(?:also\s+|then\s+|soon\s+|later\s+|eventually\s+)?(?:be\s+)?{_ADVERBS}{_ACT}\w*", re.I)
_DUTY = re.compile(
    r"\b(?:should|must|shall|needs?\s+to|ought\s+to|ha(?:s|ve)\s+to|(?:strongly\s+)?recommend(?:ed|s)?|advis(?:e|ed|able)|encourag\w+|responsible\s+for|"
    r"responsibility\s+(?:of|to)|"
    rf"up\s+to\s+(?:the|each)|important\s+(?:to|that)|essential\s+(?:to|that)|necessary\s+to|required\s+to|"
    rf"consider)\s+(?:[\w'’-]+\s+){{0,6}}?(?:be\s+)?{_ADVERBS}"
    r"(?:evaluat|validat|test|assess|measur|monitor|audit|verif|document|establish|conduct|perform|carr|check\s+(?:for|whether)|quantif|analy[sz]|stud|"
    r"investigat|determin|implement|calibrat|re-?train|fine-?tun|anonymi[sz]|obtain|ensur|made\s+aware|comply)\w*", re.I,
)  # fmt: skip
# How the product works, or how its output is read: no promise and no duty passed on.
_WORKS = re.compile(
    r"\b(?:radiologists?|clinicians?|physicians?|readers?|users?|doctors?|operators?|nurses?|technologists?|surgeons?|pathologists?|dermatologists?|"
    r"software|system|device|model|algorithm|tool|application|interface|it)\s+(?:\w+\s+)?$", re.I,
)  # fmt: skip
_READS = re.compile(
    r"\b(?:verif\w+|assess\w*|check\w*|determin\w*|investigat\w*|document\w*|record\w*)\s+(?:\w+\s+){0,3}?(?:outputs?|results?|findings?|images?|flags?|flagged|predictions?|alerts?|stud(?:y|ies)|contours?|"
    r"segmentations?|cases?|patients?|overrides?|measurements?)\b", re.I,
)  # fmt: skip
_ADVICE = re.compile(r"\b(?:is|are)\s+(?:\w+ly\s+)?(?:recommended|advised|encouraged|advisable|suggested)\b(?!\s+by)", re.I)
_LAW = (
    r"(?:regulations?|requirements?|acts?|gdpr|hipaa|dpdp\w*|mdr|ivdr|fda|laws?|legislation|articles?|art\.|rules?|provisions?|obligations?|principles?|"
    r"guidance|guidelines?|best\s+practices?|frameworks?)"
)
_CLAIM = re.compile(
    rf"\b(?:(?:fully\s+|is\s+|are\s+)*(?:compl(?:y|ies|iant|ying)\s+with|in\s+(?:full\s+)?compliance\s+with|conform(?:s|ing)?\s+(?:to|with)|"
    rf"in\s+conformity\s+with|meets?|satisf(?:y|ies|ied)|fulfil\w*|adher\w+\s+to)\b(?=[^.;]*\b{_LAW})|"
    r"(?:gdpr|hipaa|mdr|fda|dpdp|ai\s+act)[- ](?:compliant|ready|conformant|approved))", re.I,
)  # fmt: skip
_CLAIMED = re.compile(
    r"\b(?:requirements?|obligations?|articles?|provisions?|duties|standards?|facets?|criteria)\b[^.;]*\b(?:is|are|was|were|been)\s+(?:all\s+|fully\s+|"
    r"duly\s+)*(?:met|satisfied|fulfilled|complied|covered|addressed)\b|"
    r"\b(?:fully|100\s*%)\s+compliant\b|\bno\s+(?:gaps?|findings?|issues?)\b|\bevidence[- ]found\b", re.I,
)  # fmt: skip

_POINTER = re.compile(
    r"(?:^\W*(?:please\s+)?(?:see|refer(?:\s+to)?|consult|cf\.?|read|visit|contact|check\s+out|e-?mail)\b|"
    r"\b(?:please\s+|kindly\s+)?(?:see|refer\s+to|consult|contact|visit)\s+(?:the|our|section|appendix|table|figure|supplement\w*|paper|manual|user|"
    r"instructions|https?|us|\[|annex|chapter|document\w*)|"
    r"\bfor\s+(?:more|further|full|additional|all|the)\s+(?:\w+\s+)?(?:details?|information|results?|description|discussion)\b|"
    r"\b(?:is|are|was|were|can\s+be|may\s+be|has\s+been|have\s+been)\s+(?:\w+ly\s+|also\s+)?(?:described|documented|detailed|provided|given|reported|"
    r"available|listed|found|discussed|explained|covered|outlined|published|set\s+out|presented|maintained|kept|held|summari[sz]ed)\s+"
    r"(?:\w+ly\s+)?(?:in|at|on|by|through|via|from|under|separately|elsewhere)\s+(?:the|our|a|an|its|separate|another|section|appendix|annex|request|"
    r"chapter|supplement\w*|https?|\[|document|report|\w+\s+et\b)?[^.;]*?"
    r"\b(?:papers?|manuals?|documentation|ifu|instructions(?:\s+for\s+use)?|file|reports?|supplement\w*|appendix|annex|websites?|white\s*papers?|"
    r"publications?|links?|repositor\w+|repo|preprints?|request|section|articles?|portal|wiki|page|documents?|elsewhere|plan|sop|handbook|guide)\b|"
    r"\b(?:available|provided|shared|supplied)\s+(?:up)?on\s+request\b|\bon\s+request\b|\belsewhere\b)", re.I,
)  # fmt: skip
_ASIDE = re.compile(r"\((?:please\s+)?(?:see|cf\.?|refer|details?\s+in|ref|table|figure|fig\.?|section|appendix|annex|supplement\w*)\b[^()]*\)", re.I)
_SUBSTANCE = re.compile(
    r"\d(?:[\d.,]*\d)?\s*(?:%|per\s*cent|patients?|images?|cases?|studies|exams?|scans?|sites?|hospitals?|readers?|days?|hours?|months?|years?)|"
    r"\b0?\.\d{2,}\b|95\s*%"
)

_WHOLE_MARKS: tuple[tuple[MarkKind, re.Pattern[str]], ...] = (
    ("placeholder", re.compile(
        r"\[\s*(?:more\s+information\s+needed|insert|todo|tbd|tbc|your|name\b|date\b|fill|add\b|placeholder|xx+|to\s+be|describe|specify|enter)[^\]]*\]|"
        r"\{\{.*?\}\}|<(?:insert|your|todo|placeholder|add|name|describe)[^>]*>|"
        r"\blorem\s+ipsum\b|\b(?:TODO|FIXME)\b|\bX{3,}\b|_{5,}|\.{6,}|\bmore\s+information\s+(?:is\s+)?needed\b|\binformation\s+(?:needed|to\s+follow)\b|"
        r"\bplaceholder\b|\bto\s+be\s+(?:filled|supplied)\b|"
        r"\b(?:example|sample|dummy)\s+text\b|\busers\s+\(both\s+direct\s+and\s+downstream\)\s+should\s+be\s+made\s+aware\b|"
        r"\buse\s+the\s+code\s+below\s+to\s+get\s+started\b|^\W*(?:n/?a|none|null|nil|unknown|not\s+(?:applicable|available|specified|provided|stated|"
        r"known|reported|disclosed))\W*$", re.I)),
    ("question", re.compile(r"\?[\s\"'”’)*_]*$")),
    ("form", re.compile(
        r"^\W*(?:(?:please|kindly)\s+\w+|(?:describe|provide|list|explain|specify|insert|fill\s+in|enter|state|summari[sz]e|include|outline|indicate|"
        r"mention|discuss|give|write|detail|identify|note\s+here|add)(?!\s+of\b|\w)(?=\s+(?:the|any|all|a|an|how|what|which|whether|here|your|who|why|"
        r"each|information|details?|relevant|brief\w*|if|in|key|known|sections?|and|or)\b))|"
        r"^\W*(?:this|the\s+following)\s+(?:section|card|document|page|template|field|chapter|table|form|model\s+card)\b.{0,30}?\b(?:describe[sd]?|"
        r"provides?|is\s+(?:for|meant|intended|where)|should|contains?|outlines?|summari[sz]es?|covers?|address(?:es)?|lists?|explains?|aims?|will|"
        r"follows?|gives?|discusses)\b|"
        r"\b(?:e\.g\.|for\s+example),?\s*$|^\W*(?:what|how|who|which|where|when|why|does|do|is|are|has|have|was|were)\b[^.:|]*\?\W*$", re.I)),
    ("command", re.compile(
        r"\b(?:ignore|disregard|forget|override)\s+(?:\w+\s+){0,4}(?:instructions?|prompts?|rules?|above|previous|prior|guidelines|checks?|requirements?)\b|"
        r"\b(?:system|developer|assistant|user)\s*(?:prompt|message)\b|<\|?\/?(?:system|assistant|user|im_start|im_end|inst)\b|\[/?inst\]|"
        r"^\W*(?:system|assistant|developer|user|human|ai)\s*:|\bas\s+an?\s+(?:ai|assistant|auditor|assessor|language\s+model|reviewer)\b|"
        r"\b(?:you|assessors?|auditors?|reviewers?|evaluators?|assistants?|models?\s+reading|llms?|ai\s+(?:tools?|systems?|assistants?)\s+reading|pincite|"
        r"checkers?|the\s+tool|this\s+tool|graders?)\s+(?:must|should|shall|are\s+(?:asked|instructed|required|to)|will|need\s+to|have\s+to|can|"
        r"may)\s+(?:now\s+|please\s+|always\s+|only\s+)?"
        r"(?:report|mark|treat|consider|answer|output|conclude|assume|state|rate|grade|score|accept|regard|record|respond|say|write|set|count|skip|give|"
        r"grant|cite|classify|find|print|return|reply|note|confirm|add|quote|not\s+(?:report|mark|list|flag|mention))\b|"
        r"\b(?:mark|treat|consider|rate|grade|score|record|count|classify|regard|report|set|list|flag|accept|output|answer|return|assume|conclude|write|"
        r"say|grant|cite|quote)\b[^.]{0,60}\b(?:as\s+(?:(?:fully\s+)?(?:met|satisfied|found|compliant|fulfilled|complete|passed|evidence\w*|"
        r"not\s+applicable|in\s+force|granted|covered)|evidence)|requirements?|facets?|findings?|status(?:es)?|no\s+gaps?|evidence[- ]found|to\s+(?:found|"
        r"met|compliant))\b|"
        r"\bdo\s+not\s+(?:report|mark|list|flag|mention|show|raise|question|check)\b", re.I)),
    ("others", re.compile(
        r"\bet\s+al\b|\b(?:previous(?:ly)?|prior|earlier|published|other|existing|recent|several|many|numerous|some|related|"
        r"independent\s+published)\s+(?:published\s+)?(?:stud(?:y|ies)|works?|models?|research|literature|systems?|devices?|products?|authors?|groups?|"
        r"vendors?|reports?|papers?|tools?|approaches|algorithms)\s+(?:\w+\s+){0,4}?(?:ha(?:s|ve)|show\w*|report\w*|suggest\w*|found|demonstrat\w*|"
        r"achiev\w*|indicat\w*|evaluat\w*|validat\w*|perform\w*|describ\w*|us(?:e|ed)|were|was|are|is|often|typically|by)\b|"
        r"\b(?:literature|stud(?:y|ies)\s+in\s+the\s+literature|research)\s+(?:\w+\s+)?(?:shows?|suggests?|reports?|indicates?|has|have|describes?)\b|"
        r"\bin\s+the\s+literature\b|\bstudies\s+have\s+(?:shown|reported|suggested|found)\b|"
        r"\b(?:similar|comparable|competing|commercial|third[- ]party|state[- ]of[- ]the[- ]art)\s+(?:devices?|products?|models?|systems?|tools?|methods?|"
        r"algorithms?|software)\s+(?:\w+\s+){0,3}?(?:ha(?:s|ve)|achiev\w*|report\w*|show\w*|were|was|are|demonstrat\w*|perform\w*|undergo\w*)\b|"
        r"\b(?:the\s+)?(?:original|upstream)\s+(?:authors?|paper|publication|model\s+card|developers?|study)\s+(?:\w+\s+){0,3}?(?:report\w*|claim\w*|"
        r"show\w*|state\w*|describ\w*|evaluat\w*|validat\w*|found|present\w*|test\w*)\b|"
        r"\b(?:evaluated|validated|tested|reported|assessed)\s+by\s+(?:the\s+)?(?:its\s+)?(?:original|upstream|base\s+model)\b|"
        r"\b(?:ai|ml|machine[- ]learning|deep[- ]learning|such|most|these\s+kinds\s+of)\s+(?:\w+\s+)?(?:models?|systems?|algorithms?|devices?|"
        r"tools?)\s+(?:often|generally|typically|usually|commonly|tend|can\s+(?:be|have)|in\s+general)\b", re.I)),
)  # fmt: skip

_GAP = r"(?:(?!\b(?:was|were|is|are|has|have|had|and|but|did|does|do|can)\b)[^.;!?,|]){0,60}?"
_AFTER = re.compile(
    rf"^{_GAP}[\s:*_()–—-]*\b(?:(?:(?:was|were|is|are|has|have|had|could|did|does|do|can)\s+(?:\w+\s+)?(?:not|never)|(?:wasn|weren|isn|aren|hasn|haven|"
    rf"hadn|couldn|didn)['’]t)\s+{_ADVERBS}{_PARTICIPLE}\b|"
    r"(?:remains?|is|are|was|were|has|have)\s+(?:\w+ly\s+|yet\s+to\s+be\s+|currently\s+)?(?:lacking|absent|missing|unknown|unclear|unavailable|untested|"
    r"unvalidated|undocumented|unexplored|undefined|unspecified|never|non-?existent)\b|"
    r"(?:lacks?|is\s+out\s+of\s+scope)\b)", re.I,
)  # fmt: skip
_VALUE = re.compile(
    r"^\s*(?:[:|=?]|[–—-]\s)[\s|:*_`\"'-]*(?:no(?:ne)?|n/?a|nil|null|false|never|not\s+(?:yet\s+)?\w+(?:\s+\w+){0,3}|unknown|unavailable|absent|missing|"
    r"untested|-+|–|—)[\s|.*_`\"']*(?:$|\|)|"
    r"^[^:|.;]{0,40}[:|?][\s|*_`\"']*(?:no(?:ne)?|not\s+(?:yet\s+)?\w+(?:\s+\w+){0,3}|unknown|missing)[\s|.*_`\"',]*(?:$|[.,;(])", re.I,
)  # fmt: skip
_PENDING = re.compile(
    r"^[^.;!?]{0,40}?[\s|:*_()–—-]+(?:pending|planned|tb[dca]|in\s+progress|ongoing|in\s+preparation|to\s+do|todo|scheduled|underway|in\s+development)[\s|"
    r".*_)]*$",
    re.I,
)

NEAR = 30  # words within which the groups of a facet must stand
CLOSE = 12  # the same, where the statement stands under a heading of another topic
_REACH = {"not": 9, "no": 6, "lack": 6}  # words forward of a negation that it may deny
_STOP = frozenset((
    "a", "an", "the", "of", "and", "or", "for", "in", "on", "to", "with", "by", "at", "as", "is", "are", "was", "were", "be", "been", "this", "that", "these", "those", "it", "its", "our", "we", "from", "per",
))  # fmt: skip


def _clauses(text: str) -> list[int]:
    return [0, *(m.start() for m in _BREAK.finditer(text)), len(text)]


def _clause(cuts: Sequence[int], at: int) -> Place:
    i = bisect_left(cuts, at + 1)
    return cuts[i - 1], cuts[i] if i < len(cuts) else cuts[-1]


def _forward(words: Words, cuts: Sequence[int], at: int, reach: int) -> Place:
    """From a negation to the end of its clause, `reach` words at most; an exception inside ("without", "unless") ends it."""
    clause_end = _clause(cuts, at)[1]
    first = bisect_left(words.places, (at, at))
    last = min(first + reach, len(words.places) - 1)
    end = min(clause_end, words.places[last][1]) if words.places else clause_end
    colon = words.text.find(":", at, end + 1)
    if colon >= 0 and reach != _REACH["lack"]:
        end = clause_end
    unless = _UNLESS.search(words.text, at + 2, end)
    return at, unless.start() if unless else end


_QUOTED = re.compile(r"[\"“][^\"“”]{3,200}[\"”]")


def _quoted(mark: Mark, quotes: Sequence[Place]) -> Mark:
    """A marker inside quotation marks speaks of what is quoted only."""
    inside = next((q for q in quotes if _within(mark.place, q)), None)
    return Mark("condition" if mark.kind == "negation" else mark.kind, mark.place, inside) if inside else mark


def _negations(words: Words, cuts: Sequence[int]) -> list[Mark]:
    text = words.text
    found: list[Mark] = []
    for m in _PROHIBIT.finditer(text):
        at = m.start() + m[0].lower().index("not")
        found.append(Mark("prohibition", (at, at + 3), _forward(words, cuts, at, _REACH["not"] + 3)))
    taken = {mark.place[0] for mark in found}
    for pattern, reach in ((_NOT, "not"), (_NO, "no"), (_LACK, "lack")):
        for m in pattern.finditer(text):
            covered = any(s < m.start() < e for s, e in (mark.scope for mark in found)) and pattern is _LACK
            excepted = pattern is _LACK and any(mark.scope[1] == m.start() for mark in found)
            if m.start() not in taken and not covered and not excepted:
                kind: MarkKind = "condition" if _CONDITION.search(text, 0, m.start()) else "negation"
                found.append(Mark(kind, (m.start(), m.end()), _forward(words, cuts, m.start(), _REACH[reach])))
    return found


def marks_of(words: Words) -> tuple[Mark, ...]:
    """Everything in a text that takes the force out of cues, with its scope."""
    text, cuts = words.text, _clauses(words.text)
    whole = (0, len(text))
    found = _negations(words, cuts)
    for kind, pattern in _CLAUSE_MARKS:
        for m in pattern.finditer(text):
            label = ":" in text[m.end() : m.end() + 12] and m.start() < 25
            found.append(Mark(kind, (m.start(), m.end()), whole if label else _clause(cuts, m.start())))
    cadence = _CADENCE.search(text)
    for m in _WILL.finditer(text):
        works = _WORKS.search(text, 0, m.start()) and " be " not in m[0]
        if not cadence and not works:
            found.append(Mark("promise", (m.start(), m.end()), _clause(cuts, m.start())))
    for m in (*_DUTY.finditer(text), *_ADVICE.finditer(text)):
        if not _READS.search(text, m.start(), m.end() + 60):
            found.append(Mark("duty", (m.start(), m.end()), _clause(cuts, m.start())))
    for m in _CLAIM.finditer(text):
        found.append(Mark("claim", (m.start(), m.end()), (m.start(), _clause(cuts, m.start())[1])))
    for m in _CLAIMED.finditer(text):
        found.append(Mark("claim", (m.start(), m.end()), _clause(cuts, m.start())))
    plain = _ASIDE.sub(lambda m: " " * len(m[0]), text)
    pointer = _POINTER.search(plain)
    if pointer and not _SUBSTANCE.search(plain):
        found.append(Mark("pointer", (pointer.start(), pointer.end()), _clause(cuts, pointer.start())))
    for kind, pattern in _WHOLE_MARKS:
        found.extend(Mark(kind, (m.start(), m.end()), whole) for m in pattern.finditer(text))
    quotes = [(m.start(), m.end()) for m in _QUOTED.finditer(text) if m.end() - m.start() < len(text) - 4]
    return tuple(_quoted(mark, quotes) if mark.kind not in ("command", "placeholder") else mark for mark in found)


# ---- judgement -----------------------------------------------------------------------------------------------------


def _within(place: Place, scope: Place) -> bool:
    return scope[0] <= place[0] and place[1] <= scope[1]


def _standing(marks: Sequence[Mark], places: Sequence[Place]) -> list[Mark]:
    """The marks that no cue contains."""
    return [m for m in marks if not any(_within(m.place, p) for p in places)]


_RESTRICTS = re.compile(r"\b(?:not|never|no|none|cannot|only|solely|forbidden|prohibited|contraindicated)\b", re.I)  # a cue that says no by itself
_NEGATOR = re.compile(r"\b(?:not|never|no|none|unknown|untested|missing|lack\w*|unavailable)\b", re.I)


def _denied(text: str, place: Place, marks: Sequence[Mark], places: Sequence[Place]) -> MarkKind | None:
    rest = text[place[1] :]
    after = _AFTER.match(rest) or _VALUE.match(rest)
    itself = _RESTRICTS.search(text, *place) is not None
    if after and not itself and not any(place[1] <= p[0] <= place[1] + after.end() and _NEGATOR.search(text, *p) for p in places):
        return "negation"
    found: MarkKind | None = "promise" if _PENDING.match(rest) else None
    for mark in marks:
        overlaps = mark.place[0] < place[1] and place[0] < mark.place[1]
        if _within(place, mark.scope) or (overlaps and mark.kind != "pointer"):
            if mark.kind == "negation" and itself:
                continue  # "does not alter the image and is not intended for diagnosis": the second "not" is the cue's own
            if mark.kind == "negation":
                return mark.kind
            found = found or mark.kind
    return found


def judge(
    words: Words, marks: Sequence[Mark], groups: Sequence[Sequence[Place]], own: int = 0, lent: int = 0, label: bool = False, near: int = NEAR
) -> Verdict:
    """What a text says on a facet, given where each group of its cues stands.

    `own` is where the text's own words begin (before it: the words that introduce a list); `lent` is how many groups the
    heading above may supply; `label` lets bare words count, as a fact's do.
    """
    every = [p for g in groups for p in g]
    if not any(p[1] > own for p in every):
        return "silent"
    standing = _standing(marks, every)
    against = False
    usable: list[list[Place]] = []
    for group in groups:
        if not group:
            lent -= 1
            if lent < 0:
                return "silent"
            continue
        reasons = [_denied(words.text, p, standing, every) for p in group]
        if None in reasons:
            usable.append([p for p, reason in zip(group, reasons) if reason is None])
            continue
        if "negation" not in reasons:
            return "silent"
        against = True
    if any(m.kind in ("placeholder", "question", "form", "command") for m in standing):
        return "silent"
    if against:
        refusals = [m.place for m in marks if m.kind in ("negation", "prohibition", "condition")]
        twice = any(end <= own for _, end in refusals) and any(start >= own for start, _ in refusals)
        return "silent" if twice else "against"  # "It must not be used where: - consent was not obtained" denies nothing
    if _apart(words, [g for g in usable if g[0][0] >= own], near):
        return "silent"
    return "silent" if not label and _label(words, every) else "bears"


def _apart(words: Words, groups: Sequence[Sequence[Place]], near: int) -> bool:
    """Whether the cues stand too far from one another to speak of one thing."""
    if len(groups) < 2:
        return False
    hits = sorted((bisect_left(words.places, (p[0], 0)), g) for g, places in enumerate(groups) for p in places)
    last: dict[int, int] = {}
    for at, g in hits:
        last[g] = at
        if len(last) == len(groups) and at - min(last.values()) <= near:
            return False
    return True


_SAYS = frozenset(("is", "are", "was", "were", "has", "have", "had", "be", "been", "did", "does", "do"))  # fmt: skip


def _label(words: Words, places: Sequence[Place]) -> bool:
    """Whether nothing is said beside the cues themselves: a heading or an entry of a list of contents."""
    rest = [w for w, place in zip(words.low, words.places) if not any(_within(place, p) for p in places)]
    says = any(w in _SAYS or w[0].isdigit() for w in words.low) or re.search(r"\w\W{0,3}[:|]\W*\w", words.text) is not None
    return not says and not any(w not in _STOP for w in rest)


def find(facet: Facet, words: Words) -> list[list[Place]]:
    """Where each group of a facet's cues stands in a text."""
    return [[p for alternative in group for p in cue(alternative).places(words)] for group in facet.cues]


def verdict(sentence: str, facet: Facet) -> Verdict:
    """Whether a sentence bears a facet, denies it, or says nothing on it."""
    words = words_of(sentence)
    return judge(words, marks_of(words), find(facet, words)) if facet.cues else "silent"


def bears(sentence: str, facet: Facet) -> bool:
    """Whether a sentence, standing alone, is evidence for a facet."""
    return verdict(sentence, facet) == "bears"
