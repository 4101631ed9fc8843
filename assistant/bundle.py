"""Evidence bundles: one run with all it rests on, in one file that proves itself without a model, an index or a network.

A bundle is a zip of stored members in a fixed order with a fixed date, so that the same run and chain give the same
bytes and any other byte is an alteration:

    manifest.json    what follows from the other members: hashes, run, corpus, model, program, head
    audit.jsonl      the chain from its first record to the head, as `audit export` writes it
    run.json         the question and answer, the gap analysis or the draft, as its audit record hashed it
    provisions.json  the whole text of every cited provision, with its place in the source
    corpus.tsv       address, version, layer, status and text hash of every provision held: the corpus digest is the
                     SHA-256 of this file, so each cited text is shown to have been in that corpus
    card.json        the card's text as it was assessed (gap analyses, drafts)
    reviews.json     people's decisions, remarks and signatures (gap analyses, drafts)
    prompts/*        the prompts that a model was given

The chain holds the hash of the run, of the card's text and of the decisions; the head, exported earlier, holds the chain.
"""

import hashlib
import json
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from assistant import prompts, record
from assistant.errors import UsageError
from assistant.law import Span
from assistant.record import AuditRecord, canonical
from assistant.verify import stands

if TYPE_CHECKING:
    from assistant.library import Library

SCHEMA = "pincite/bundle@1"
REVIEWS = {"review": "decision", "comment": "comment", "assign": "task", "signoff": "signature"}  # by the action of their audit record
KINDS = ("ask", "gaps", "draft")
DOCUMENTS = {"gaps": "report", "draft": "draft"}  # under which name run.json holds what people review and sign
LARGEST = 500 << 20
STAMP = ("run", "audit_head")  # what a gap analysis carries beside what its record hashed
_WHEN = (1980, 1, 1, 0, 0, 0)


class Altered(Exception):
    """A part of a bundle is not what it has to be: the part's name and what is wrong."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part}: {reason}")


@dataclass(frozen=True, slots=True)
class BundleVerdict:
    """The outcome of checking a bundle; `problem` names the part and what is wrong with it."""

    sound: bool
    problem: str = ""
    run: str = ""
    kind: str = ""
    quotations: int = 0
    records: int = 0
    head: str = ""


# ---- making ------------------------------------------------------------------------------------------------------


def prompt_hash(name: str) -> str:
    """The hash of a prompt's file, as records name it."""
    return hashlib.sha256((prompts.root() / f"{name}.md").read_bytes()).hexdigest()


def pack(store: record.Store, run: str, library: "Library | None") -> bytes:
    """The bundle of a run. Raises UsageError when the run, its card or the corpus that it rests on is no longer there."""
    kept = record.kept(store, run)
    if kept is None or kept.kind not in KINDS:
        raise UsageError(f"There is no answer, gap analysis or draft '{run}'", "Its id stands in its JSON and in: pincite audit tail")
    chain = list(record.records(store))
    verdict = record.verify_chain(chain)
    if not verdict.sound:
        raise UsageError(f"The audit chain is not sound: {verdict.problem}", "Compare with a backup")
    content = _content(kept.kind, kept.content)
    members = {"audit.jsonl": "".join(record.export_line(r) + "\n" for r in chain).encode(), "run.json": canonical({"id": run, "kind": kept.kind, **content})}
    cited = list(_citations(content))
    if cited:
        members |= _sources(run, content, cited, library)
    if kept.kind in DOCUMENTS:
        members |= _card(store, run, chain, content)
    else:
        members |= _prompt(content, next(r for r in chain if r.id == run))
    data = _zip({"manifest.json": canonical(_manifest(members, chain, run)), **members})
    checked = check(data)
    if not checked.sound:
        raise UsageError(f"Run {run} cannot be bundled: {checked.problem}", "What is kept is not what the record says; compare with a backup")
    return data


def _content(kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a kept run that its audit record hashed."""
    if kind in DOCUMENTS:
        return {DOCUMENTS[kind]: {k: v for k, v in content.items() if k not in STAMP}}
    hits = [h["pinpoint"] for h in content["hits"]]
    return {**{k: content.get(k) for k in ("question", "answer", "as_of", "corpus_digest", "prompt", "model")}, "hits": hits}


def _citations(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for finding in content["report"]["findings"] if "report" in content else ():
        yield from finding["law"]
    yield from content["draft"]["notes"] if "draft" in content else ()
    for claim in content["answer"]["claims"] if "answer" in content else ():
        yield from claim["citations"]


def _of_card(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a gap analysis or draft quotes from the card, each with its place."""
    if "report" in content:
        return [e for f in content["report"]["findings"] for x in f["facets"] for e in x["evidence"]]
    sentences = [x for s in content["draft"]["sections"] for e in s["elements"] for x in e["sentences"]]
    return [{**x, "quote": x["text"]} for x in sentences if x["kind"] == "card"]


def _document(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The report or draft of a run's content; nothing for an answer."""
    found: Mapping[str, Any] = content.get("report") or content.get("draft") or {}
    return found


def _sources(run: str, content: Mapping[str, Any], cited: Sequence[Mapping[str, Any]], library: "Library | None") -> dict[str, bytes]:
    digest = content.get("corpus_digest") or _document(content).get("corpus_digest")
    if library is None or library.digest != digest:
        now = library.digest[:12] if library else "nothing"
        raise UsageError(
            f"Run {run} rests on corpus {str(digest)[:12]}, the library holds {now}", "Run it again, or restore the library of that day from a backup"
        )
    lines = library.digest_lines()
    if hashlib.sha256("\n".join(lines).encode()).hexdigest() != digest:
        raise UsageError("The library's digest was made by another version of Pincite", "Run: pincite ingest --rebuild; then run it again")
    found = {(p["pinpoint"], p["version"], p["start"]): p for c in cited for p in [_provision(c, library)]}
    return {"provisions.json": canonical([found[key] for key in sorted(found)]), "corpus.tsv": "\n".join(lines).encode()}


def _provision(c: Mapping[str, Any], library: "Library") -> dict[str, Any]:
    """The provision that a citation quotes, whole, with its place in the source."""
    words = Span(c["start"], c["end"])
    for e in library.editions.values():
        if (e.sha256, e.version, e.layer, e.instrument) == (c["source_sha256"], c["version"], c["layer"], c["instrument"]):
            text = library.cached_text(e.id)
            for p in library.spans(e.id, c["pinpoint"]):
                if p.holds(words):
                    place = {k: c[k] for k in ("pinpoint", "instrument", "version", "layer", "provenance", "source_sha256")}
                    return {**place, "file": e.file, "title": e.title, "start": p.start, "end": p.end, "text": p.of(text)}
    raise UsageError(f"{c['citation']} of {c['version']} is no longer held", "Run it again, or restore the library of that day from a backup")


def _card(store: record.Store, run: str, chain: Sequence[AuditRecord], content: Mapping[str, Any]) -> dict[str, bytes]:
    card = record.kept(store, "card-" + _document(content)["card"]["sha256"])
    if card is None:
        raise UsageError(f"The text of the card of run {run} was not kept, or was erased", "Run the gap analysis or draft again")
    rows = [{"id": r.id, "time": r.time, "by": r.user, "kind": r.kind, "target": r.target, "content": r.content} for r in record.reviews(store, run)]
    return {"card.json": canonical(card.content), "reviews.json": canonical(rows)}


def _prompt(content: Mapping[str, Any], of: AuditRecord) -> dict[str, bytes]:
    """The prompt that a model was given for an answer; none where no model was asked."""
    if content["model"] is None:
        return {}
    name = f"{content['prompt'].partition('@')[0]}.md"
    data = (prompts.root() / name).read_bytes()
    if hashlib.sha256(data).hexdigest() != of.body.get("prompt_sha256"):
        raise UsageError(f"The prompt {content['prompt']} has changed since this answer", "Bundle it with the Pincite that gave it")
    return {f"prompts/{name}": data}


def _manifest(members: Mapping[str, bytes], chain: Sequence[AuditRecord], run: str) -> dict[str, Any]:
    """Everything the manifest says, from the other members alone."""
    of = next((r for r in chain if r.id == run), None)
    if of is None:
        raise Altered("audit.jsonl", f"the record of run {run} is not in the chain")
    said = {k: of.body.get(k) for k in ("as_of", "corpus_digest", "model", "prompt", "program", "code")}
    files = {name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in members.items()}
    return {
        "schema": SCHEMA,
        "run": run,
        "kind": of.action,
        "by": of.user,
        "time": of.time,
        **said,
        "head": chain[-1].hash,
        "records": len(chain),
        "files": files,
    }


def _zip(members: Mapping[str, bytes]) -> bytes:
    """The one zip of these members: stored, in the order of their names after the manifest, without dates or attributes."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members, key=lambda n: (n != "manifest.json", n)):
            info = zipfile.ZipInfo(name, _WHEN)
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, members[name])
    return out.getvalue()


# ---- checking ----------------------------------------------------------------------------------------------------


def check(data: bytes, known_head: str | None = None) -> BundleVerdict:
    """Re-derives the whole bundle from its bytes alone; names the first part that is altered, mixed in or stale."""
    try:
        members = _members(data)
        chain = _chain(members["audit.jsonl"], known_head)
        run = _json(members, "run.json", dict)
        _fits(
            "manifest.json",
            members["manifest.json"] == canonical(_manifest({k: v for k, v in members.items() if k != "manifest.json"}, chain, _text(run, "id"))),
        )
        quotations = _check_run(run, members, chain)
    except Altered as error:
        return BundleVerdict(False, str(error))
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        return BundleVerdict(False, f"run.json: it lacks what a run has ({type(error).__name__}: {error})")
    return BundleVerdict(True, "", run["id"], run["kind"], quotations, len(chain), chain[-1].hash)


def _fits(part: str, fits: bool, reason: str = "it does not follow from the other parts: it was altered or comes from another bundle") -> None:
    if not fits:
        raise Altered(part, reason)


def _members(data: bytes) -> dict[str, bytes]:
    """The members, once the file is byte for byte what these members make, and each has the hash that the manifest gives."""
    if len(data) > LARGEST:
        raise Altered("the file", f"larger than {LARGEST >> 20} MB")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            infos = archive.infolist()
            if sum(i.file_size for i in infos) > LARGEST or any(i.compress_type != zipfile.ZIP_STORED or i.flag_bits & 1 for i in infos):
                raise Altered("the file", "not a bundle: its members are not stored plainly")
            members = {i.filename: archive.read(i) for i in infos}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError, struct.error, OverflowError) as error:
        raise Altered("the file", f"not a sound archive ({str(error).splitlines()[0] if str(error) else type(error).__name__})") from error
    for name in ("manifest.json", "audit.jsonl", "run.json"):
        _fits(name, name in members, "it is missing")
    listed = _json(members, "manifest.json", dict).get("files")
    if isinstance(listed, dict):
        for name, body in members.items():
            if name != "manifest.json":
                said = listed.get(name)
                _fits(
                    name, isinstance(said, dict) and said.get("sha256") == hashlib.sha256(body).hexdigest(), "its bytes are not those that the manifest names"
                )
        for name in listed:
            _fits(str(name), name in members, "it is missing")
    _fits("the file", _zip(members) == data, "the archive around the parts was altered")
    return members


def _json(members: Mapping[str, bytes], name: str, kind: type) -> Any:
    """A member as JSON, in its one spelling."""
    _fits(name, name in members, "it is missing")
    try:
        value = json.loads(members[name])
        sound = isinstance(value, kind) and canonical(value) == members[name]
    except (ValueError, RecursionError):
        sound = False
    _fits(name, sound, "not in the form of a bundle")
    return value


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _chain(data: bytes, known_head: str | None) -> list[AuditRecord]:
    chain: list[AuditRecord] = []
    for n, line in enumerate(data.decode("utf8", "replace").removesuffix("\n").split("\n"), 1):
        read = record.read_line(line)
        if read is None:
            raise Altered("audit.jsonl", f"record {n}: not in the form of a record")
        chain.append(read)
    verdict = record.verify_chain(chain, known_head)
    _fits("audit.jsonl", verdict.sound, verdict.problem)
    return chain


def _check_run(run: Mapping[str, Any], members: Mapping[str, bytes], chain: Sequence[AuditRecord]) -> int:
    """How many quotations stand where the run says."""
    of = next(r for r in chain if r.id == run["id"])
    _fits("run.json", run["kind"] == of.action and run["kind"] in KINDS, f"record {of.seq} is of another action ({of.action})")
    cited = list(_citations(run))
    digest = of.body["corpus_digest"]
    if run["kind"] == "ask":
        same = {
            "question": _hash(run["question"]),
            "output": _hash(run["answer"]),
            **{k: run[k] for k in ("as_of", "corpus_digest", "prompt", "model", "hits")},
        }
    else:
        made = run[DOCUMENTS[run["kind"]]]
        same = {"output": _hash(made), "card": made["card"]["sha256"], **{k: made[k] for k in ("as_of", "corpus_digest")}}
        same |= {"pack": made["pack"]["id"], "catalogue": made["catalogue"]} if run["kind"] == "draft" else {}
    for name, value in same.items():
        _fits("run.json", of.body.get(name) == value, f"its {name} is not the one in record {of.seq}")
    if run["kind"] == "ask" and run["model"] is not None:
        _fits("prompts", any(name.startswith("prompts/") for name in members), "the model's prompt is missing")
    expected = {
        "manifest.json",
        "audit.jsonl",
        "run.json",
        *(("provisions.json", "corpus.tsv") if cited else ()),
        *(("card.json", "reviews.json") if run["kind"] in DOCUMENTS else ()),
    }
    for name in members:
        _fits(name, name in expected or (name.startswith("prompts/") and run["kind"] == "ask"), "it does not belong to this run")
    for name, body in members.items():
        if name.startswith("prompts/"):
            _fits(name, of.body.get("prompt_sha256") == hashlib.sha256(body).hexdigest(), f"not the prompt in record {of.seq}")
    count = _check_law(cited, members, digest) if cited else 0
    return count + (_check_card(run, members, of) + _check_reviews(run, members, chain) if run["kind"] in DOCUMENTS else 0)


def _hash(value: object) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def _check_law(cited: Sequence[Mapping[str, Any]], members: Mapping[str, bytes], digest: str) -> int:
    _fits("corpus.tsv", "corpus.tsv" in members, "it is missing")
    _fits(
        "corpus.tsv",
        hashlib.sha256(members["corpus.tsv"]).hexdigest() == digest,
        f"it is not the corpus {digest[:12]} that the run rests on: it was altered or is of another day",
    )
    held = {(a, v, layer, h) for a, v, layer, _, h in (line.split("\t") for line in members["corpus.tsv"].decode().split("\n"))}
    provisions = _json(members, "provisions.json", list)
    used: set[int] = set()
    for p in provisions:
        name = f"provisions.json: {p['pinpoint']} of {p['version']}"
        _fits(
            name,
            (p["pinpoint"], p["version"], p["layer"], hashlib.sha256(p["text"].encode()).hexdigest()) in held,
            "its text is not in the corpus that the run rests on",
        )
        _fits(name, p["end"] - p["start"] == len(p["text"]), "its place does not fit its text")
    for c in cited:
        at = next((i for i, p in enumerate(provisions) if _is_of(c, p)), None)
        if at is None:
            raise Altered("provisions.json", f"the text of {c['pinpoint']} of {c['version']} is missing")
        p = provisions[at]
        _fits("run.json", stands(c, p["text"], p["start"]), f"a quotation from {c['pinpoint']} does not stand at {c['start']} to {c['end']}")
        used.add(at)
    _fits("provisions.json", len(used) == len(provisions), "it holds a text that the run does not cite")
    return len(cited)


def _is_of(c: Mapping[str, Any], p: Mapping[str, Any]) -> bool:
    same = all(c[k] == p[k] for k in ("pinpoint", "instrument", "version", "layer", "provenance", "source_sha256"))
    return same and bool(p["start"] <= c["start"] <= c["end"] <= p["end"])


def _check_card(run: Mapping[str, Any], members: Mapping[str, bytes], of: AuditRecord) -> int:
    card = _json(members, "card.json", dict)
    _fits("card.json", card["sha256"] == of.body["card"], f"it is not the card of record {of.seq}: it is another, or of another day")
    _fits("card.json", _hash(card["files"]) == of.body.get("card_text"), f"its text is not the one in record {of.seq}")
    texts = {f["file"]: f["text"] for f in card["files"]}
    quotes = _of_card(run)
    for e in quotes:
        _fits("run.json", stands(e, texts.get(e["file"], "")), f"evidence in {e['file']} does not stand at {e['start']} to {e['end']}")
    return len(quotes)


def _check_reviews(run: Mapping[str, Any], members: Mapping[str, bytes], chain: Sequence[AuditRecord]) -> int:
    rows = {r["id"]: r for r in _json(members, "reviews.json", list)}
    for of in chain:
        if of.action in REVIEWS and of.body.get("run") == run["id"]:
            row = rows.pop(of.id, None)
            _fits("reviews.json", row is not None, f"what record {of.seq} says of the run is missing")
            assert row is not None
            same = (row["by"], row["time"], row["kind"], row["target"], _hash(row["content"]))
            _fits(
                "reviews.json",
                same == (of.user, of.time, REVIEWS[of.action], of.body["target"], of.body["content"]),
                f"what record {of.seq} says of the run is not what it holds",
            )
    _fits("reviews.json", not rows, "it holds what is not in the chain")
    return 0
