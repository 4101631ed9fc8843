"""The shipped corpus: manifest, status overlay, digests in our own words, requirements and packs, read from `corpus/`.

Turns data files into nouns. Knows nothing of ingested documents, indexes or cards.
"""

import csv
import hashlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from assistant.errors import UsageError
from assistant.findings import Facet, Requirement, Severity
from assistant.law import DigestNote, Instrument, Status
from assistant.pinpoint import USC_OF_FDCA, Pinpoint
from assistant.readers.tree import Tree

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FRAMEWORK_OF_TITLE = {"EU AI Act": "eu-ai-act", "GDPR": "gdpr", "HIPAA": "hipaa", "DPDP": "dpdp", "FDA": "fda", "MDR": "mdr", "Principles": "principles"}
GUIDANCE_SEARCH = "https://www.fda.gov/regulatory-information/search-fda-guidance-documents"
DIGEST_NOTICE = "Pincite summary, not the law's words"


def root() -> Path:
    """The folder `corpus/`, beside the package in a checkout."""
    return Path(__file__).resolve().parent.parent / "corpus"


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path.name} of the shipped corpus cannot be read: {error}", "Restore it from the repository") from error


def pinpoint(address: str) -> Pinpoint:
    """The pinpoint of a canonical address in the corpus's own data."""
    found = Pinpoint.parse(address)
    if found is None:
        raise UsageError(f"'{address}' in the shipped corpus is no address")
    return found


# ---- manifest ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Work:
    """A legal text that is replaced as a whole: its names, official addresses and terms of reuse."""

    id: str  # work id: gdpr, 45cfr-164, pccp-2025
    instrument: str
    title: str
    kind: str
    jurisdiction: str
    official_id: str
    url: str
    deep_link: str
    reuse: str
    fetch: str
    issued: str
    draft: bool
    earlier: dict[str, str]  # deep link by the date of an earlier version


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the project knows of each work, and the date until which that was checked."""

    checked_until: str
    works: dict[str, Work]

    def work(self, name: str) -> Work | None:
        """The work, or the family it belongs to: `21cfr-820` falls back to `21cfr`."""
        return self.works.get(name) or self.works.get(name.split("-", 1)[0])

    def of_pinpoint(self, p: Pinpoint) -> Work | None:
        """The work that holds a provision, from its address alone."""
        return self.work(work_of(p))

    def deep_link(self, p: Pinpoint, version: str = "") -> str:
        """The official page at which the provision can be read, in the version of that date; "" where there is none."""
        work = self.of_pinpoint(p)
        if work is None:
            return GUIDANCE_SEARCH if p.instrument == "fda" else ""
        date, _, language = version.partition(".")
        link = _deep_link(work.earlier.get(date) or work.deep_link or work.url, p)
        return link.replace("/EN/TXT/", f"/{language.upper()}/TXT/") if language else link


def work_of(p: Pinpoint) -> str:
    """The work id that an address implies: `hipaa:164.308` is in `45cfr-164`, `fda:21cfr-820.10` in `21cfr-820`."""
    if p.instrument == "hipaa":
        return f"45cfr-{p.path[:3]}"
    root_path = p.root.path
    if p.instrument != "fda":  # guidance on an act lies under the act's id, by its own key
        return root_path.split(":")[0] if re.match(r"[a-z][a-z0-9-]*-\d{4}(?:-draft)?(?::|$)", root_path) else p.instrument
    if root_path.startswith("21cfr-"):
        return root_path.split(".")[0].split("-subpart")[0]
    return root_path.split(":")[0]


def _deep_link(pattern: str, p: Pinpoint) -> str:
    """Fills {kind} {section} {anchor} {usc} {number} in the manifest's pattern from the address."""
    root_path = p.root.path
    number = root_path.split("-", 1)[-1]
    section = number if p.instrument in ("hipaa", "fda") else root_path
    usc = USC_OF_FDCA.get(number, "") if root_path.startswith("fdca-") else ""
    steps = "".join(f"({s})" for s in p.steps)
    kind = {"art": f"art_{number}", "rec": f"rct_{number}", "annex": f"anx_{number.split('-')[0].upper()}"}.get(root_path.split("-")[0], "")
    anchor = f"#p-{section}{steps}" if steps else ""
    return pattern.format(kind=kind, section=section, anchor=anchor, usc=usc, number=number)


@lru_cache(maxsize=1)
def manifest() -> Manifest:
    """The manifest of works."""
    data = _toml(root() / "manifest.toml")
    works = {}
    for row in data["work"]:
        works[row["id"]] = Work(
            row["id"], row["instrument"], row["title"], row["kind"], row["jurisdiction"], row.get("official_id", ""), row.get("url", ""),
            row.get("deep_link", ""), row.get("reuse", ""), row.get("fetch", ""), row.get("issued", ""), row.get("draft", False), row.get("earlier", {}),
        )  # fmt: skip
    return Manifest(data["checked_until"], works)


def fetch_rows() -> list[dict[str, Any]]:
    """The documents that can be fetched: id, work, instrument, url, expect, file, headers."""
    return list(_toml(root() / "fetch.toml")["document"])


# ---- status overlay ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Term:
    """The life of a provision: from when it applies, and until when and how it ended. Empty strings are open ends."""

    applies_from: str = ""
    until: str = ""
    after: str = ""  # superseded or vacated
    base: str = ""  # draft or proposed, whatever the date
    note: str = ""

    def at(self, as_of: str) -> Status:
        """The status on a day."""
        if self.until and self.until <= as_of:
            return cast(Status, self.after)
        if self.base:
            return cast(Status, self.base)
        return "not-yet-applicable" if self.applies_from > as_of else "in-force"


@dataclass(frozen=True, slots=True)
class StatusRow:
    """One row of the overlay: for the provisions in `scope`, in versions dated within [since, before)."""

    scope: tuple[tuple[Pinpoint, Pinpoint], ...]  # inclusive ranges of roots, or a provision with itself
    applies_from: str
    until: str
    after: str
    base: str
    note: str
    source: str
    since: str
    before: str

    def covers(self, p: Pinpoint, version: str) -> bool:
        """Whether this row speaks about a provision in the version of that date."""
        if (self.since and version < self.since) or (self.before and version >= self.before):
            return False
        return any(first.instrument == p.instrument and (first.contains(p) if first == last else _between(first, p.root, last)) for first, last in self.scope)


@lru_cache(maxsize=100_000)
def _between(first: Pinpoint, p: Pinpoint, last: Pinpoint) -> bool:
    return first <= p <= last


def _scope(entry: str) -> tuple[Pinpoint, Pinpoint]:
    first, _, last = entry.partition("..")
    start = pinpoint(first)
    return (start, pinpoint(f"{start.instrument}:{last}")) if last else (start, start)


@lru_cache(maxsize=1)
def status_rows() -> tuple[StatusRow, ...]:
    """The overlay, in file order; a later row refines an earlier one."""
    rows = _toml(root() / "status.toml")["status"]
    return tuple(
        StatusRow(
            tuple(_scope(s) for s in row["scope"]), row.get("applies_from", ""), row.get("until", ""), row.get("after", ""), row.get("base", ""),
            row.get("note", ""), row["source"], row.get("since", ""), row.get("before", ""),
        )
        for row in rows
    )  # fmt: skip


@lru_cache(maxsize=50_000)
def _rows_about(root: Pinpoint) -> tuple[StatusRow, ...]:
    """The rows that may speak about a root provision or a part of it, in file order."""

    def may(first: Pinpoint, last: Pinpoint) -> bool:
        return first.contains(root) or root.contains(first) if first == last else _between(first, root, last)

    return tuple(row for row in status_rows() if any(first.instrument == root.instrument and may(first, last) for first, last in row.scope))


def term_of(p: Pinpoint, version: str, default: Term | None = None) -> Term:
    """When a provision in the version of that date applies; `default` holds where the overlay is silent."""
    default = default or Term()
    parts = {"applies_from": default.applies_from, "until": default.until, "after": default.after, "base": default.base, "note": default.note}
    for row in _rows_about(p.root):
        if row.covers(p, version):
            for name in parts:
                parts[name] = getattr(row, name) or parts[name]
    return Term(**parts)


# ---- digests -----------------------------------------------------------------------------------------------------


def digest_instruments() -> Iterator[Instrument]:
    """The digest layer: one instrument a file of `corpus/digests/`, in our own words."""
    for path in sorted((root() / "digests").glob("*.toml")):
        yield _digest_instrument(path)


def _digest_instrument(path: Path) -> Instrument:
    raw = path.read_bytes()
    entries = _toml(path)["digest"]
    tree = Tree()
    notes: dict[str, DigestNote] = {}
    own = {entry["pinpoint"] for entry in entries}
    for entry in sorted(entries, key=lambda e: pinpoint(e["pinpoint"])):
        p = pinpoint(entry["pinpoint"])
        depth = len(p.steps) + p.path.count("/") + p.path.count(":")
        if not tree.open(p, _kind(p), depth, entry["heading"]):
            raise UsageError(f"{path.name} of the shipped corpus has two digests for {p.address}")
        tree.write(entry["text"])
        for label, words in entry.get("points", {}).items():
            steps = [s for s in label.strip("()").split(")(") if s]
            point = p.child(*steps)
            if point.address not in own:  # a point with a digest of its own gets its address from that
                tree.open(point, "point", depth + len(steps), label=label)
            else:
                tree.close(depth + 1)
            tree.write(f"{label} {words}")
        notes[p.address] = DigestNote(tuple(entry["questions"]), tuple(entry["actors"]), entry["applies_from"], entry["status"], entry["checked"])
    text, provisions = tree.result()
    first = provisions[0].pinpoint
    return Instrument(
        id=first.instrument, work=f"digest-{path.stem}", title=f"Pincite summaries: {path.stem}", kind="digest", version=manifest().checked_until,
        layer="digest", provenance="original", reader="digest", file=f"corpus/digests/{path.name}", sha256=hashlib.sha256(raw).hexdigest(),
        text=text, provisions=provisions, notes=notes,
    )  # fmt: skip


def _kind(p: Pinpoint) -> str:
    if p.steps:
        return "point" if not p.steps[-1].isdigit() else "paragraph"
    if "/" in p.path:
        return "definition"
    heads = {"art": "article", "rec": "recital", "annex": "annex", "s": "section", "r": "rule", "sch": "schedule", "ch": "container"}
    return heads.get(p.path.split("-")[0], "topic" if p.instrument == "fda" and not p.path.startswith(("21cfr", "fdca")) else "section")


# ---- requirements ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def catalogue_digest() -> str:
    """The hash of all requirements and packs: what findings and drafts are laid out by."""
    files = sorted(p for folder in ("requirements", "packs") for p in (root() / folder).iterdir() if p.suffix in (".toml", ".tsv"))
    lines = [f"{p.parent.name}/{p.name}\t{hashlib.sha256(p.read_bytes()).hexdigest()}" for p in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@lru_cache(maxsize=1)
def requirements() -> tuple[Requirement, ...]:
    """The catalogue, in file order, each requirement with its facets and remedy."""
    extras = _facets()
    path = root() / "requirements" / "requirements.tsv"
    with path.open(encoding="utf8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return tuple(_requirement(row, extras.get(row["requirement_id"], {})) for row in rows)


def _facets() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((root() / "requirements").glob("*.toml")):
        for row in _toml(path).get("requirement", []):
            if row["id"] in found:
                raise UsageError(f"{path.name} of the shipped corpus describes {row['id']} twice")
            found[row["id"]] = row
    return found


def _requirement(row: dict[str, str], extra: dict[str, Any]) -> Requirement:
    facets = tuple(
        Facet(f["id"], f["asks"], tuple(tuple(group) for group in f["cues"]), tuple(f.get("where", [])), f.get("satisfies", ""), f.get("seems", ""))
        for f in extra.get("facet", [])
    ) or (_plain_facet(row),)
    return Requirement(
        id=row["requirement_id"], framework=FRAMEWORK_OF_TITLE[row["framework"]], pinpoint=pinpoint(row["pinpoint"]), title=row["short_title"],
        obligation=row["obligation"], actor=row["actor"], applies_when=row["applicability_condition"], evidence_expected=row["evidence_expected"],
        severity=cast(Severity, row["severity"]), effective=row["effective_date"], cross_references=tuple(c for c in row["cross_references"].split(";") if c),
        legal_force=row["legal_force"], pinpoint_check=row["pinpoint_check"], facets=facets, remedy=extra.get("remedy", ""),
        owner=extra.get("owner", ""), severity_reason=extra.get("severity_reason", ""),
    )  # fmt: skip


def _plain_facet(row: dict[str, str]) -> Facet:
    """The one facet of a requirement that has none of its own: each expected document, named in the card."""
    documents = tuple(part.strip().lower() for part in row["evidence_expected"].replace(";", ",").split(",") if part.strip())
    return Facet("evidence", row["evidence_expected"], (documents,))


@dataclass(frozen=True, slots=True)
class FactQuestion:
    """A named fact on which applicability rests: what to ask a person, and the cues by which a card states it."""

    name: str
    ask: str
    yes: tuple[str, ...]
    no: tuple[str, ...]
    implies: tuple[str, ...]


@lru_cache(maxsize=1)
def fact_questions() -> dict[str, FactQuestion]:
    """Every fact that an applicability condition may name."""
    rows = _toml(root() / "requirements" / "facts.toml")["fact"]
    return {r["name"]: FactQuestion(r["name"], r["ask"], tuple(r.get("yes", [])), tuple(r.get("no", [])), tuple(r.get("implies", []))) for r in rows}


@lru_cache(maxsize=1)
def abbreviations() -> dict[str, str]:
    """The field's abbreviations and synonyms: a lower-case term and the words to search beside it."""
    return {k.lower(): v for k, v in _toml(root() / "abbreviations.toml")["terms"].items()}


# ---- vectors of the shipped words --------------------------------------------------------------------------------


def shipped_vectors(model_sha256: str) -> dict[str, "NDArray[np.float16]"]:
    """Vectors of the digests and their questions by the SHA-256 of the text, made with this very model; else nothing.

    They only save time on the first start: a text that is not among them is embedded. `scripts/ship_vectors.py` makes them.
    """
    import numpy as np

    path = root() / "vectors.npz"
    if not path.exists():
        return {}
    with np.load(path) as data:
        if str(data["model"]) != model_sha256:
            return {}
        hashes, matrix, scale = data["hashes"], data["matrix"], data["scale"]
    return {h.tobytes().hex(): (m * s).astype(np.float16) for h, m, s in zip(hashes, matrix.astype(np.float32), scale, strict=True)}
