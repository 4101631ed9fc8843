"""Headers of DICOM files held against the eighteen safe-harbor identifiers and the basic confidentiality profile: counts and names, never values.

Files are parsed in the sandbox, some hundreds a call; one that breaks its reader is found by halving and counted. Whether a date was
shifted or a number replaced cannot be seen in it: then it counts as said what the file says of itself (Patient Identity Removed, the
de-identification codes, Longitudinal Temporal Information Modified). Sources: 45 CFR 164.514(b)(2)(i); DICOM PS3.15 Annex E, PS3.16 CID 7050.
"""

import csv
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from assistant.errors import Unreadable, UsageError
from assistant.evidence.tables import label
from assistant.sandbox import Sandbox

MOST_FILES = 500_000
_BATCH = 100  # files a call
_SECONDS = 60.0
_MEMORY_MB = 1024
_DEPTH = 8  # sequences inside sequences that are looked into


@dataclass(frozen=True, slots=True)
class Request:
    """The folder whose files are examined, with what lies below it."""

    folder: Path


HARBOR = {
    "A": "Names", "B": "Geographic subdivisions smaller than a state", "C": "Dates (but the year) and ages over 89", "D": "Telephone numbers", "E": "Fax numbers",
    "F": "E-mail addresses", "G": "Social security numbers", "H": "Medical record numbers", "I": "Health plan beneficiary numbers", "J": "Account numbers",
    "K": "Certificate and licence numbers", "L": "Vehicle identifiers", "M": "Device identifiers and serial numbers", "N": "Web addresses", "O": "IP addresses",
    "P": "Biometric identifiers", "Q": "Full-face photographs", "R": "Any other unique number, characteristic or code",
}  # fmt: skip
_UNSEEN = "EKLP"  # identifiers for which no header element stands

# Elements by the identifier that they hold of the patient; what staff and institutions are called is the profile's matter.
_KEYWORDS = {
    "A": "PatientName OtherPatientNames PatientBirthName PatientMotherBirthName ResponsiblePerson PersonName ReferencedPatientAliasSequence",
    "B": "PatientAddress PersonAddress RegionOfResidence PatientInstitutionResidence GPSLatitude GPSLongitude GPSDestLatitude GPSDestLongitude GPSAreaInformation",
    "D": "PatientTelephoneNumbers PersonTelephoneNumbers OrderCallbackPhoneNumber", "F": "PatientTelecomInformation PersonTelecomInformation",
    "H": "PatientID OtherPatientIDs OtherPatientIDsSequence MedicalRecordLocator IssuerOfPatientID", "I": "InsurancePlanIdentification PatientInsurancePlanCodeSequence",
    "J": "AdmissionID ServiceEpisodeID IssuerOfAdmissionID", "Q": "ReferencedPatientPhotoSequence",
    "M": "DeviceSerialNumber DetectorID GantryID GeneratorID PlateID CassetteID XRayDetectorID XRaySourceID UniqueDeviceIdentifier UDISequence LensSerialNumber SourceSerialNumber DeviceUID",
    "N": "RetrieveURL RetrieveURI",
    "R": "AccessionNumber StudyID RequestedProcedureID PatientComments AdditionalPatientHistory ImageComments StudyComments VisitComments RequestedProcedureComments "
    "ImagingServiceRequestComments AcquisitionComments IdentifyingComments FrameComments TextComments CommentsOnThePerformedProcedureStep InterpretationText OverlayComments "
    "Occupation PatientReligiousPreference",
}  # fmt: skip
_HARBOR_OF = {keyword: letter for letter, words in _KEYWORDS.items() for keyword in words.split()}
_PSEUDONYM = ["PatientID", "AccessionNumber", "StudyID", "RequestedProcedureID", "OtherPatientIDs", "DeviceUID", "PersonName"]  # may stay, replaced
_KEPT = {  # what an option of the profile allows, by its code
    "113105": "description", "113109": "device", "113110": "uid", "113108": "patient", "113112": "institution", "113111": "private", "113106": "date", "113107": "date",
}  # fmt: skip
_PATIENT = [
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "PatientSex",
    "EthnicGroup",
    "SmokingStatus",
    "PregnancyStatus",
    "PatientState",
    "PreMedication",
    "SpecialNeeds",
    "Allergies",
    "PatientSexNeutered",
]
_DATED = ("DA", "DT")
_TEXT = ("LO", "SH", "ST", "LT", "UT", "UC", "PN", "UR")
_PLAIN = re.compile(
    r"anon|de-?ident|pseudo|removed|redacted|unknown|dummy|hidden|masked|not\s?(?:available|applicable|given)|^(?:none|n/?a|nil|x+|0+|1+|test|patient|subject|name|no ?name|\W*)$",
    re.I,
)
_IN_TEXT = (
    ("F", "an e-mail address in its text", re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")),
    ("G", "a number in the form of a social security number", re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")),
    ("D", "a telephone number in its text", re.compile(r"(?<![\w.])(?:\+\d{1,3}[ ./-]?)?(?:\(\d{2,4}\)|\d{3})[ ./-]\d{3}[ ./-]\d{4}(?![\w.])|(?:tel|phone|fax)\W{0,3}\+?\d[\d /-]{6,}", re.I)),
    ("N", "a web address in its text", re.compile(r"\bhttps?://\S+", re.I)),
    ("O", "an IP address in its text", re.compile(r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.])")),
    ("C", "a date in its text", re.compile(r"(?<![\d.])(?:(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])|(?:0?[1-9]|[12]\d|3[01])[/.](?:0?[1-9]|1[0-2])[/.](?:19|20)\d\d)(?![\d.])")),
)  # fmt: skip


@lru_cache(maxsize=1)
def profile() -> Mapping[str, tuple[str, str, str]]:
    """The profile's elements: tag to keyword, value representation and action."""
    path = Path(__file__).resolve().parents[2] / "corpus" / "dicom_profile.tsv"
    try:
        lines = [line for line in path.read_text("utf8").splitlines() if not line.startswith("#")]
    except OSError as error:
        raise UsageError(f"{path.name} of the shipped corpus cannot be read", "Restore it from the repository") from error
    return {row["tag"]: (row["keyword"], row["vr"], row["action"]) for row in csv.DictReader(lines, delimiter="\t")}


# ---- the folder --------------------------------------------------------------------------------------------------------


def survey(request: Request) -> dict[str, Any]:
    """What the headers below a folder hold, as plain values. Raises UsageError."""
    paths = _files(request.folder)
    counted: Counter[str] = Counter()
    digests: list[tuple[str, str]] = []
    batches = [paths[i : i + _BATCH] for i in range(0, len(paths), _BATCH)]
    workers = min(len(batches), os.cpu_count() or 1)
    with closing(Sandbox(workers)) as sandbox, ThreadPoolExecutor(workers) as pool:
        for found, hashes in pool.map(lambda some: _batch(sandbox, some), batches):
            counted.update(found)
            digests += hashes
    if not counted["read"]:
        raise UsageError(f"{request.folder.name} holds no DICOM file that can be read", f"{len(paths)} files were tried; give the folder of the .dcm files")
    names = {str(p): p.relative_to(request.folder).as_posix() for p in paths}
    whole = hashlib.sha256("".join(f"{names[path]}\0{digest}\n" for path, digest in sorted(digests)).encode("utf8", "surrogateescape")).hexdigest()
    return {"kind": "dicom", "inputs": [{"name": label(request.folder.resolve().name, 80), "sha256": whole, "rows": len(paths)}], **_report(counted)}


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UsageError(f"{folder.name} is no folder", "Give the folder of the DICOM files")
    found: list[Path] = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            found.append(path)
            if len(found) > MOST_FILES:
                raise UsageError(f"{folder.name} holds more than {MOST_FILES:,} files", "Give one part of it at a time")
    if not found:
        raise UsageError(f"{folder.name} holds no files", "Give the folder of the DICOM files")
    return found


def _batch(sandbox: Sandbox, paths: Sequence[Path]) -> tuple[Mapping[str, int], list[tuple[str, str]]]:
    """The counts and hashes of some files; those that break their reader are found by halving and counted as damaged."""
    try:
        return sandbox.call(examine, [str(p) for p in paths], seconds=_SECONDS, memory_mb=_MEMORY_MB)
    except Unreadable:
        if len(paths) == 1:
            return {"unreadable": 1}, [(str(paths[0]), "")]
        half = len(paths) // 2
        (a, x), (b, y) = _batch(sandbox, paths[:half]), _batch(sandbox, paths[half:])
        return Counter(a) + Counter(b), x + y


# ---- one file, in the sandbox ------------------------------------------------------------------------------------------


def examine(paths: Sequence[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """How many of some files show what, under keys without values, and each file's hash. Runs in the sandbox."""
    counted: Counter[str] = Counter()
    digests = []
    for path in paths:
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
        digests.append((path, digest.hexdigest()))
        counted.update(_one(path))
    return dict(counted), digests


def _one(path: str) -> set[str]:
    """What one file shows: `read`, `other` or `unreadable`, and its findings, each once."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        with open(path, "rb") as file:
            head = file.read(132)
        bare = head[:2] == b"\x08\x00" and head[128:] != b"DICM"  # a data set without preamble
        if head[128:132] != b"DICM" and not bare:
            return {"other"}
        data = pydicom.dcmread(path, stop_before_pixels=True, force=bare)
        return {"unreadable"} if _cut_short(data, os.path.getsize(path)) else {"read", *_findings(data)}
    except (
        InvalidDicomError,
        OSError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        EOFError,
        NotImplementedError,
        IndexError,
        OverflowError,
        RecursionError,
    ):
        return {"unreadable"}


def _cut_short(data: Any, size: int) -> bool:
    """Whether the file ends inside an element, so that what would follow was not seen."""
    last = max(data.keys(), default=None)
    raw = data.get_item(last) if last is not None else None
    value = getattr(raw, "value", None)
    if raw is None or not isinstance(value, bytes) or raw.length == 0xFFFFFFFF:
        return raw is None
    left = size - raw.value_tell - raw.length
    return bool(len(value) < raw.length or 0 < left < 8)


def _findings(data: Any) -> Iterator[str]:
    """The findings of a data set: `identifier|tag|keyword|letter|action|why`, `profile|…`, `mark|…`."""
    said = _said(data)
    yield from _marks(data, said)
    for tag, vr, text in _elements(data, 0):
        keyword, own_vr, action = profile().get(tag, ("", vr, ""))
        if int(tag[:4], 16) % 2:
            if "private" not in said:
                yield "profile|private|private elements|X"
            yield "mark|private elements"
        elif text and (found := _judged(tag, keyword, own_vr if vr in ("UN", "") else vr, action, text, said)):
            yield found
        if text and vr in (*_TEXT, "UN") and keyword not in _HARBOR_OF:
            for letter, why, pattern in _IN_TEXT:
                if pattern.search(text):
                    name = keyword or ("private element" if int(tag[:4], 16) % 2 else _keyword(tag))
                    yield f"identifier|{tag if name != 'private element' else 'private'}|{name}|{letter}|{action or '-'}|holds {why}"


def _said(data: Any) -> frozenset[str]:
    """What the file says of its own de-identification: `removed`, `dates`, and the options by name."""
    found = set()
    if str(data.get("PatientIdentityRemoved", "")).strip().upper() == "YES":
        found.add("removed")
    if str(data.get("LongitudinalTemporalInformationModified", "")).strip().upper() in ("MODIFIED", "REMOVED"):
        found.add("dates")
    for item in data.get("DeidentificationMethodCodeSequence", None) or ():
        found.add(_KEPT.get(str(item.get("CodeValue", "")).strip(), ""))
    return frozenset(found)


def _marks(data: Any, said: frozenset[str]) -> Iterator[str]:
    burned = str(data.get("BurnedInAnnotation", "")).strip().upper()
    modality = str(data.get("Modality", "")).strip().upper()
    yield f"mark|text burned into the pixels: {'said to be there' if burned == 'YES' else 'said to be absent' if burned == 'NO' else 'not said'}"
    if burned == "YES":
        yield "identifier|00280301|BurnedInAnnotation|R|-|says that text is burned into the pixels"
    elif burned != "NO" and modality in ("US", "SC", "OT", "XC", "ES", "SM", "XA", "RF"):
        yield "mark|of a kind that often has text in its pixels, and does not say"
    if str(data.get("RecognizableVisualFeatures", "")).strip().upper() == "YES":
        yield "identifier|00280302|RecognizableVisualFeatures|Q|-|says that the person can be recognised"
    yield f"mark|patient identity {'said' if 'removed' in said else 'not said'} to be removed"
    yield f"mark|dates {'said' if 'dates' in said else 'not said'} to be modified or removed"


def _elements(data: Any, depth: int) -> Iterator[tuple[str, str, str]]:
    """Each element as tag, value representation and text (of a sequence: whether it has items), items of sequences included, undecoded where possible."""
    from pydicom.datadict import dictionary_VR
    from pydicom.dataelem import RawDataElement

    for tag in list(data.keys()):
        raw = data.get_item(tag)
        name = f"{int(tag):08X}"
        vr = str(raw.VR or "")
        if not vr or vr == "UN":
            try:
                vr = dictionary_VR(tag)
            except KeyError:
                vr = "UN"
        if vr == "SQ":
            items = data[tag].value or ()
            yield name, vr, "items" if len(items) else ""
            if depth < _DEPTH:
                for item in items:
                    yield from _elements(item, depth + 1)
            continue
        value = raw.value
        if isinstance(raw, RawDataElement):
            text = value[:4096].decode("latin-1") if isinstance(value, bytes) else ""
        else:
            text = value[:4096].decode("latin-1") if isinstance(value, bytes) else "" if value is None else str(value)
        yield name, vr, text.strip("\0 \t\r\n")


def _judged(tag: str, keyword: str, vr: str, action: str, text: str, said: frozenset[str]) -> str:
    """What one element with a value means: an identifier, a departure from the profile, or nothing."""
    repeating = f"{tag[:2]}xx{tag[4:]}" if tag[:2] == "60" else "50xxxxxx" if tag[:2] == "50" else ""
    if repeating and not keyword:
        keyword, vr, action = profile().get(repeating, ("", vr, ""))
    letter = _HARBOR_OF.get(keyword, "")
    if vr in _DATED and re.match(r"\d{8}", text):
        return _dated(tag, keyword or _keyword(tag), action, text, said)
    if keyword == "PatientAge" and (age := re.match(r"(\d+)Y", text)) and int(age[1]) > 89:
        return f"identifier|{tag}|{keyword}|C|{action}|is over 89"
    if letter and (why := _identifies(keyword, letter, vr, text, said)):
        return f"identifier|{tag}|{keyword}|{letter}|{action or '-'}|{why}"
    if action == "U" and "removed" not in said:
        return f"identifier|{tag}|{keyword}|R|{action}|is a UID, and the file does not say that identity was removed"
    removable = action == "X" or (action.startswith("X/") and vr not in ("TM", "SQ"))
    if (action and "X" in action and removable) or (action == "Z" and vr == "PN" and _real_name(text)):
        if vr in _DATED or _PLAIN.search(text) or _allowed(keyword, vr, said):
            return ""
        return f"profile|{tag}|{keyword}|{action}"
    return ""


def _identifies(keyword: str, letter: str, vr: str, text: str, said: frozenset[str]) -> str:
    """Why an element of a safe-harbor identifier counts as one; empty where it holds a dummy, or a replacement by the file's own word."""
    if _PLAIN.search(text):
        return ""
    if vr == "PN" or keyword == "PatientName":
        return (
            "reads like a person's name"
            if _real_name(text)
            else ""
            if "removed" in said
            else "has a value, and the file does not say that identity was removed"
        )
    if keyword in _PSEUDONYM:
        return "" if "removed" in said else "has a value, and the file does not say that identity was removed"
    if letter == "R" and "description" in said:
        return ""
    return "is free text of any kind" if letter == "R" else "has a value"


def _real_name(text: str) -> bool:
    """Whether a name is made of words alone, none of them a word for nobody."""
    words = re.findall(r"[^\W\d_]{2,}", text.split("=")[0])
    return bool(words) and not any(c.isdigit() for c in text) and not _PLAIN.search(text)


def _dated(tag: str, keyword: str, action: str, text: str, said: frozenset[str]) -> str:
    """A date counts where it is more than a year and nothing says that dates were changed; the first of January is a dummy's day."""
    if "dates" in said or text[4:8] == "0101" or text[:8] in ("00010101", "11111111", "99991231"):
        return ""
    if not re.match(r"(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", text):
        return ""
    return f"identifier|{tag}|{keyword}|C|{action or '-'}|is a full date, and the file does not say that dates were changed"


def _allowed(keyword: str, vr: str, said: frozenset[str]) -> bool:
    """Whether an option that the file names lets an element stay."""
    return (
        (
            "description" in said
            and (vr in ("ST", "LT", "UT") or keyword.endswith(("Description", "Comments", "Label", "Name", "Notes")) or keyword == "ProtocolName")
        )
        or ("device" in said and keyword in [*_KEYWORDS["M"].split(), "StationName", "StationAETitle"])
        or ("institution" in said and keyword.startswith("Institution"))
        or ("patient" in said and keyword in _PATIENT)
        or (("date" in said and vr in ("TM", "DA", "DT")) or (keyword == "TimezoneOffsetFromUTC" and "date" in said))
    )


def _keyword(tag: str) -> str:
    from pydicom.datadict import keyword_for_tag

    return str(keyword_for_tag(int(tag, 16))) or "unknown element"


# ---- the report --------------------------------------------------------------------------------------------------------


def _report(counted: Mapping[str, int]) -> dict[str, Any]:
    """The counts as a report: identifiers, departures from the profile, marks, and all eighteen identifiers in order."""
    identifiers: list[dict[str, Any]] = [
        {"tag": tag, "keyword": keyword, "letter": letter, "harbor": f"{letter} {HARBOR[letter]}", "action": action, "why": why, "files": n}
        for n, (_, tag, keyword, letter, action, why) in _rows(counted, "identifier|")
    ]
    departures = [{"tag": tag, "keyword": keyword, "action": action, "files": n} for n, (_, tag, keyword, action) in _rows(counted, "profile|")]
    harbor = []
    for letter, name in HARBOR.items():
        own = [i for i in identifiers if i["letter"] == letter]
        most = max((int(i["files"]) for i in own), default=0)  # of one element: which files share several is not kept
        harbor.append({"letter": letter, "name": name, "files": None if letter in _UNSEEN else most, "elements": sorted({str(i["keyword"]) for i in own})})
    return {
        "notes": [], "files": {name: counted.get(name, 0) for name in ("read", "unreadable", "other")}, "identifiers": identifiers, "profile": departures,
        "marks": [[key.removeprefix("mark|"), n] for key, n in sorted(counted.items()) if key.startswith("mark|")], "harbor": harbor,
    }  # fmt: skip


def _rows(counted: Mapping[str, int], kind: str) -> Iterable[tuple[int, list[str]]]:
    """The counts of one kind, most files first."""
    return sorted(((n, key.split("|")) for key, n in counted.items() if key.startswith(kind)), key=lambda row: (-row[0], row[1]))
