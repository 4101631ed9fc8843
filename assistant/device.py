"""What kind of medical device a description makes of a system, by its function: MDR class, and FDA's types of radiology software.

By function means likely, never settled: a classification is the maker's to give and an authority's to check. Sources: MDR
Annex VIII rule 11 with the Commission's guidance on software; 21 CFR 892.2050 to 892.2090. Knows nothing of cards or facts.
"""

import re
from dataclasses import dataclass

from assistant.aiact import Description
from assistant.statements import sentences

_DECIDES = (
    r"(?:diagnos\w*|triag\w*|detect\w*|classif\w*|characteri[sz]\w*|predict\w*|segment\w*|measur\w*|quantif\w*|prognos\w*|treat(?:ment|ing)?\b|therap\w*|"
    r"screen\w*|grad(?:e|es|ing)\b|stag(?:e|es|ing)\b|"
    r"notif\w*|flag\w*|alert\w*|identif\w*|assess\w*|scor(?:e|es|ing)\b|prioriti[sz]\w*|risk|tells? you|recogni[sz]\w*|early[- ]warning)"
)
_CLINICAL = (
    r"(?:patients?|clinic\w*|radiolog\w*|radiograph\w*|patholog\w*|dermat\w*|cardiolog\w*|oncolog\w*|hospital\w*|physicians?|nurses?|surg\w*|lesions?|"
    r"moles?\b|tumou?rs?|cancer\w*|melanoma|malignan\w*|sepsis|stroke|haemorrhage|hemorrhage|fractures?|"
    r"pneumothora\w*|pneumonia|nodules?|retinopath\w*|disease\w*|CT\b|MRIs?\b|MR\b|x-?rays?|ultrasound|mammogra\w*|ECGs?|organs?|liver|lungs?|brain|chest|"
    r"scans?)"
)
_NOT_DEVICE = (
    r"(?:(?:for )?research (?:use )?only|(?:only|solely|exclusively) for (?:\w+ )?research|not (?:a |intended as a |considered a |regulated as a |"
    r"an? (?:approved |certified |regulated |cleared )+)(?:medical )?device|"
    r"not (?:be )?(?:used |intended |suitable |meant |approved |validated )?(?:for|in) (?:\w+ ){0,2}(?:clinical|diagnostic|medical|patient care)\b|"
    r"not for (?:clinical|diagnostic|medical)|no clinical use|non-clinical|academic (?:use|purposes) only)"
)
_DEADLY = (
    r"(?:sepsis|stroke|haemorrhage|hemorrhage|cardiac arrest|tension pneumothora\w*|pulmonary embol\w*|aortic|life-threatening|intensive care|\bICU\b|"
    r"death|mortality|irreversible|insulin|ventilat\w*|radiotherapy|radiation dose|pacemaker|defibrillat\w*)"
)
_SERIOUS = (
    r"(?:cancer\w*|melanoma|malignan\w*|tumou?rs?|pneumothora\w*|pneumonia|fracture\w*|emergenc\w*|surg(?:ery|ical)|biops\w*|chemotherap\w*|urgent|acute|"
    r"serious|triag\w*|nodules?|embol\w*)"
)
_CLASS = r"\bclass (?:III|IIb|IIa|I)\b(?! ?(?:exempt|recall))"


@dataclass(frozen=True, slots=True)
class DeviceClass:
    """The MDR class: `stated` in the card's words, or "IIa at least" by rule 11; "" where it is no device or not known."""

    value: str
    stated: bool
    words: str


def is_medical(text: Description) -> str:
    """The words that make a medical purpose, or ""."""
    words = text.all((_DECIDES, _CLINICAL))
    return " … ".join(words)


_US_LAW = re.compile(r"\b(?:FDA|520\(o\)|United States|U\.S\.|510\(k\))", re.I)


def denied(text: Description) -> str:
    """The words by which a maker says that it is no device, or not for clinical use; or "". What is said of US law counts there only."""
    for start, end in sentences(text.text, 0, len(text.text)):
        sentence = text.text[start:end]
        if not _US_LAW.search(sentence) and (found := re.search(_NOT_DEVICE, sentence, re.I)):
            return found[0]
    return ""


def mdr_class(text: Description) -> DeviceClass:
    """The class by statement, else by rule 11 from what the output is for."""
    stated = text.find(_CLASS)
    if stated and text.find(r"(?:MDR|2017/745|\bCE\b|Rule 11|EU\b|Europe\w*|notified body)"):
        return DeviceClass(stated.split()[-1], True, stated)
    purpose = is_medical(text)
    if not purpose or denied(text):
        return DeviceClass("", False, "")
    for value, pattern in (
        ("IIb at least, III where a wrong output could kill", _DEADLY),
        ("IIa at least, IIb where a wrong output could seriously harm", _SERIOUS),
    ):
        if words := text.find(pattern):
            return DeviceClass(value, False, f"{purpose} … {words}")
    return DeviceClass("IIa at least", False, purpose)


# ---- FDA ---------------------------------------------------------------------------------------------------------------

_IMAGING = (
    r"(?:radiolog\w*|radiograph\w*|x-?rays?|\bCTs?\b|computed tomography|\bMRIs?\b|\bMR\b|magnetic resonance|ultrasound|mammogra\w*|tomosynthesis|\bPET\b|"
    r"DICOM|\bPACS\b|angiogra\w*|fluoroscop\w*|echocardiogra\w*)"
)
_TRIAGE = (
    r"(?:triag\w*|notif(?:y|ies|ication|ications)\b|worklist|re-?order\w*|prioriti[sz]\w*|top of the (?:\w+ )?(?:list|queue|worklist)|"
    r"alerts? (?:the )?(?:radiolog|stroke|specialist|care|on-call|clinician|reading|physician|team)\w*|\bCADt\b|time[- ]critical|time[- ]sensitive)"
)
_MARKS = (
    r"(?:mark(?:s|ed|ings?)?\b|locali[sz]\w*|highlight\w*|bounding box\w*|outlin(?:es?|ing)\b|heat ?maps?|point(?:s|ing)? (?:to|out)|regions? of interest|"
    r"circles?|annotat\w* (?:the )?(?:image|lesion|finding)s?|computer[- ]?(?:aided|assisted) detection|\bCADe\b|detect\w* (?:\w+ ){0,4}(?:lesions?|"
    r"nodules?|masses|mass|polyps?|microcalcifications?|fractures?|aneurysms?|tumou?rs?|findings?|abnormalit\w+|caries))"
)
_TELLS = (
    r"(?:malignan\w*|benign|BI-?RADS|PI-?RADS|LI-?RADS|likelihood of (?:cancer|malignancy)|probability of (?:cancer|malignancy)|cancer (?:score|"
    r"likelihood|probability|risk)|characteri[sz]\w*|computer[- ]?(?:aided|assisted) diagnosis|\bCADx\b|differential diagnosis|suspicio(?:n|us) (?:score|"
    r"level|of cancer|for cancer))"
)
_SHAPES = (
    r"(?:segment\w*|measur\w*|quantif\w*|volum(?:e|es|etry|etric)\b|contour\w*|registration|reconstruct\w*|denois\w*|super[- ]?resolution|visuali[sz]\w*|"
    r"3D (?:model|rendering)|bone age|calcium scor\w*|ejection fraction|density|image (?:enhancement|quality)|harmoni[sz]\w*)"
)

KINDS = {
    "cadt": ("892.2080", "triage and notification (CADt)"),
    "cade": ("892.2070", "detection: marks places for a reader (CADe)"),
    "cadx": ("892.2060", "characterisation of lesions suspicious for cancer (CADx)"),
    "cadex": ("892.2090", "detection and characterisation (CADe/x)"),
    "mimps": ("892.2050", "image management and processing (segmentation, measurement)"),
}


@dataclass(frozen=True, slots=True)
class RadiologyKind:
    """FDA's likely type of a radiology software function, or "" where none fits, with the words that say so."""

    fact: str  # cadt, cade, cadx, cadex, mimps
    words: str
    stated: bool


def radiology_kind(text: Description) -> RadiologyKind:
    """The type by regulation number or name, else by function; marks and characterisation outrank triage, triage outranks processing."""
    for fact, (number, _) in KINDS.items():
        if words := text.find(rf"(?:21 ?CFR ?§? ?)?{number.replace('.', '[.]')}\b"):
            return RadiologyKind(fact, words, True)
    if not text.find(_IMAGING):
        return RadiologyKind("", "", False)
    marks, tells, triage, shapes = (text.find(p) for p in (_MARKS, _TELLS, _TRIAGE, _SHAPES))
    if triage and not tells and (not marks or "detect" in marks.lower()):
        return RadiologyKind("cadt", triage, False)
    if tells:
        return RadiologyKind("cadex" if marks else "cadx", f"{tells} … {marks}" if marks else tells, False)
    if marks and not shapes:
        return RadiologyKind("cade", marks, False)
    if shapes:
        return RadiologyKind("mimps", shapes, False)
    return RadiologyKind("", "", False)


def documentation_signals(text: Description) -> tuple[str, ...]:
    """Words that speak for FDA's Enhanced documentation level: conditions in which a failure could kill or seriously injure."""
    return tuple(filter(None, (text.find(_DEADLY), text.find(_SERIOUS))))
