"""One verb for each thing a person can do, with all wiring: settings, library, embedder, model, clock and the record.

The command line, the app and the API call these verbs; each that asks, assesses or changes something writes one audit
record. Verbs return plain JSON-ready values in the forms of the contract.
"""

import getpass
import hashlib
import json
import platform
import random
import re
import secrets
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from assistant import (
    __version__,
    answer,
    assess,
    chosen,
    compare,
    corpus,
    diff,
    egress,
    export,
    library,
    modelbench,
    modelcard,
    originals,
    packs,
    phrasing,
    postgres,
    projects,
    prompts,
    ray_ingest,
    record,
    replies,
    retrieve,
    roles,
    sandbox,
    stores,
    triage,
)
from assistant import backup as backing
from assistant import bundle as bundling
from assistant import draft as drafting
from assistant import fetch as fetching
from assistant import ingest as ingestion
from assistant import questionnaire as checklist
from assistant import review as reviewing
from assistant.errors import NotReady, PinciteError, Refused, Unreadable, UsageError, printable
from assistant.evidence import folder as computed
from assistant.evidence.folder import Kept
from assistant.export import folder
from assistant.findings import GapAnalysis, ModelCard
from assistant.forms import answer_json, citation_json, claim_json, gaps_json, hit_json
from assistant.law import Answer, Citation, Claim, Hit, Quote
from assistant.library import Edition, Found, Library
from assistant.pinpoint import Pinpoint
from assistant.settings import Settings, servers_of
from assistant.verify import cite, stands

Progress = Callable[[str], None]
RUN_KINDS = ("ask", "gaps", "draft")
REST = 30.0  # seconds for which a model that could not be had is not tried again for a screen
ERASABLE = (*RUN_KINDS, "chat", "card")
STRANGE = "Few of these words stand in the texts held, which are searched in English: what is found is near in meaning at best"
CARD_SECONDS = 10.0  # a sound card takes well under one
ACTING: ContextVar[str] = ContextVar("acting", default="")  # the signed-in user on whose behalf a verb runs


@dataclass(frozen=True, slots=True)
class OnJob:
    """The job for which verbs run: the record of its kind is written with its id, once, and `step` hears how far they are and may end them."""

    kind: str
    held: record.Held
    step: Progress


JOB: ContextVar[OnJob | None] = ContextVar("job", default=None)


def today() -> str:
    """The day that answers are as of unless told otherwise."""
    return date.today().isoformat()


def now() -> str:
    """The instant for an audit record, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def prompt_name(name: str) -> str:
    """A prompt with its version, as records name it: `answer@1`."""
    return f"{name}@{prompts.load(name).version}"


def sha256(value: object) -> str:
    """The hash under which inputs and outputs stand in the record."""
    return hashlib.sha256(record.canonical(value)).hexdigest()


def check_day(day: str) -> str:
    """The day as given, or an error that says the form."""
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError as error:
        raise UsageError(f"'{day}' is no date", "Write it as YYYY-MM-DD") from error


@cache
def code_hash() -> str:
    """One hash over the program's own source files, so that a record says by what exactly it was made."""
    here = Path(__file__).parent
    files = sorted((p.relative_to(here).as_posix(), hashlib.sha256(p.read_bytes()).hexdigest()) for p in here.rglob("*.py"))
    return sha256(files)


class Workbench:
    """Everything behind the commands, over one data folder. Parts are opened when first needed."""

    def __init__(self, settings: Settings | None = None, say: Progress = lambda _: None) -> None:
        given = settings or Settings()
        self.home = given.home.expanduser()
        self.fixed = frozenset(given.model_fields_set)  # the settings that variables give, which win
        self.settings = given.model_copy(update={k: v for k, v in chosen.load(self.home).settings.items() if k not in self.fixed})
        self.store: record.Store = postgres.parse(self.settings.store) if self.settings.store else self.home
        self._say = say
        self._settled = False  # whether the settings in effect stand in the record
        self._without_model = (0.0, "")  # when a model could not be had last, and why

    @property
    def user(self) -> str:
        """Who is recorded as acting."""
        return ACTING.get() or self.settings.user or getpass.getuser()

    @property
    def say(self) -> Progress:
        """What is told of the progress of long work."""
        job = JOB.get()
        return job.step if job else self._say

    @property
    def step(self) -> Progress:
        """What is told of each small step; only a job listens."""
        job = JOB.get()
        return job.step if job else lambda _: None

    # ---- parts

    @cached_property
    def library(self) -> Library:
        """The current generation; raises NotReady before the first ingest."""
        found = stores.current(self.store)
        if found is None:
            raise NotReady("There is no index yet", "Run: pincite ingest")
        return found

    @cached_property
    def embedder(self) -> Any:
        """The embedding model."""
        from assistant.embed import Embedder

        return Embedder(self.settings.embedder, self.home)

    @cached_property
    def model(self) -> Any:
        """The language model, or None when PINCITE_LLM is none."""
        from assistant.llm import open_model

        chosen.unchanged(self.home, chosen.load(self.home).models, self.settings.llm)
        opened = open_model(self.settings.llm, self.home)
        self._note("model", {"name": opened.info.name, "sha256": opened.info.sha256} if opened else {"name": "none", "sha256": ""})
        return opened

    def write(self, action: str, body: Mapping[str, Any], run: record.Run | None = None) -> str:
        """One audit record, after one of the settings where they changed since the last, and with it the run of its id; its id."""
        self._settle()
        return self._append(action, body, run)

    def _write_run(self, kind: str, body: Mapping[str, Any], out: Mapping[str, Any]) -> dict[str, Any]:
        """A run kept with its audit record in one transaction, and stamped with its id."""
        stamped: dict[str, Any] = {}

        def content(id: str) -> dict[str, Any]:
            stamped.update({"schema": out["schema"], "run": id, **{k: v for k, v in out.items() if k != "schema"}})
            return stamped

        self.write(kind, body, (kind, content))
        return stamped

    def _settle(self) -> None:
        if not self._settled:
            self._settled = True
            self._note("settings", self._recorded_settings())

    def _recorded_settings(self) -> dict[str, Any]:
        """The settings as the record names them: no folder of this machine, no user or password of a server."""
        llm = self.settings.llm or "embedded"
        return {
            "llm": " ".join(servers_of(llm)) or ("(no file)" if "@" in llm else Path(llm).name),
            "embedder": Path(self.settings.embedder).name if self.settings.embedder else "embedded",
            "offline": self.settings.offline, "tls": bool(self.settings.tls_cert and self.settings.tls_key),
        }  # fmt: skip

    def _note(self, action: str, body: Mapping[str, Any]) -> None:
        """One audit record, unless the last of its action says the same."""
        last = record.last_of(self.store, action)
        if last is None or any(last.body.get(k) != v for k, v in body.items()):
            self._append(action, body)

    def _append(self, action: str, body: Mapping[str, Any], run: record.Run | None = None) -> str:
        job = JOB.get()
        held = job.held if job and job.kind == action else None
        return record.append(self.store, now(), self.user, action, {**body, "program": __version__, "code": code_hash()}, run=run, job=held).id

    # ---- ingest and corpus

    def ingest(self, paths: Sequence[Path] = (), passages: Path | None = None, instrument: str = "", rebuild: bool = False, ray: str = "") -> dict[str, Any]:
        """Read documents into the library; the report of the contract. `ray` is the address of a cluster that reads and embeds."""

        def embed(texts: list[str]) -> Any:
            return self.embedder.embed_documents(texts)

        def read_into(embed: library.Embed, read: ingestion.ReadSources, at_once: int) -> ingestion.IngestReport:
            spared = ingestion.sparing(embed, lambda: corpus.shipped_vectors(self.embedder.sha256), self.say, at_once)
            return ingestion.ingest(self.home, list(paths), spared, self.say, rebuild, instrument, passages, self.store, read)

        if ray:
            with ray_ingest.workers(ray, self.settings.embedder, self.embedder.sha256, self.home, self.say) as workers:
                report = read_into(workers.embed, workers.read, sys.maxsize)
        else:
            report = read_into(embed, ingestion.read_here, ingestion.AT_ONCE)
        if report.refused and not report.instruments:
            self.write("ingest", {"files": [], "refused": [r.file for r in report.refused], "corpus_digest": ""})
            return self._ingest_json(report, {})
        self.__dict__.pop("library", None)
        same = {(e.sha256, e.work): e for e in self.library.editions.values()}
        out = self._ingest_json(report, same)
        files = [{"file": i.file, "sha256": i.sha256, "version": i.version} for i in report.instruments]
        refused, embedder = [r.file for r in report.refused], {"name": self.embedder.name, "sha256": self.embedder.sha256}
        self.write("ingest", {"files": files, "refused": refused, "corpus_digest": self.library.digest, "embedder": embedder})
        return out

    def _ingest_json(self, report: ingestion.IngestReport, editions: Mapping[tuple[str, str], Edition]) -> dict[str, Any]:
        rows = []
        for one in report.instruments:
            e = editions.get((one.sha256, one.work))
            row = {
                "id": one.id, "work": one.work, "version": one.version, "layer": one.layer, "provenance": one.provenance, "reader": one.reader,
                "file": one.file, "sha256": one.sha256, "counts": one.counts(), "provisions": len(one.provisions),
                "passages": sum(r.type == "passage" for r in library.rows_of(one, 0)),
            }  # fmt: skip
            if e and e.same_as:
                other = self.library.editions[e.same_as]
                row["same_as"] = f"{other.work}@{other.version} ({other.file})"
            rows.append(row)
        refused = [{"file": r.file, "reason": r.reason, "code": r.code} for r in report.refused]
        return {
            "instruments": rows, "refused": refused, "embedded": report.embedded, "reused": report.reused, "passages": report.passages,
            "corpus_digest": report.digest, "seconds": report.seconds,
        }  # fmt: skip

    def editions(self) -> list[dict[str, Any]]:
        """Every edition held, with its dates and counts."""
        return [
            {
                "id": e.instrument, "work": e.work, "title": e.title, "version": e.version, "layer": e.layer, "provenance": e.provenance, "reader": e.reader,
                "file": e.file, "sha256": e.sha256, "counts": e.counts, "same_as": self._edition_name(e.same_as), "valid_from": e.valid_from, "valid_to": e.valid_to,
            }
            for e in self.library.editions.values()
        ]  # fmt: skip

    def _edition_name(self, id: int | None) -> str | None:
        return f"{self.library.editions[id].work}@{self.library.editions[id].version}" if id else None

    def find(self, address: str, as_of: str, version: str = "", layer: str = "") -> Found:
        """The provision at an address as a person writes it."""
        p = Pinpoint.parse(address)
        if p is None:
            raise UsageError(f"'{address}' is no address", "Write it like gdpr:art-35(7) or Art. 35(7) GDPR")
        found = self.library.find(p, as_of, version, layer)
        if found is None:
            raise UsageError(f"{p} is not in the library", "See what is held: pincite corpus list")
        return found

    def show(self, address: str, as_of: str, version: str = "", layer: str = "") -> dict[str, Any]:
        """A provision with its words, place, standing, neighbours and official link."""
        found = self.find(address, as_of, version, layer)
        before, after = self.library.neighbours(found)
        return {
            "pinpoint": found.pinpoint.address, "citation": str(found.pinpoint), "heading": found.heading, "text": found.text,
            "instrument": found.edition.instrument, "version": found.edition.version, "layer": found.edition.layer, "provenance": found.edition.provenance,
            "file": found.edition.file, "start": found.span.start, "end": found.span.end, "source_sha256": found.edition.sha256,
            "status": found.status, "applies_from": found.applies_from, "note": found.note, "link": corpus.manifest().deep_link(found.pinpoint, found.edition.version),
            "children": [c.address for c in self.library.children(found)], "references": [r.address for r in self.library.references(found.pinpoint)],
            "previous": before.address if before else None, "next": after.address if after else None,
            "parts": [[s.start - found.span.start, depth] for _, s, depth in self.library.parts(found)],
            "links": [[s.start - found.span.start, s.end - found.span.start, p.address] for p, s in self.library.links(found)],
        }  # fmt: skip

    def printed(self, citation: Mapping[str, Any]) -> dict[str, Any]:
        """The page of the official PDF on which a citation's words are printed, with the words marked; or the reason there is none ("": it is no PDF)."""
        same = (e for e in self.library.editions.values() if (e.sha256, e.version) == (citation["source_sha256"], citation["version"]))
        found = next((e for e in same if e.instrument == citation["instrument"]), None)
        if found is None or not found.file.lower().endswith(".pdf"):
            return {"reason": "" if found else "This text is no longer held"}
        return originals.printed(self.home, citation, self.library.cached_text(found.id))

    def verify_corpus(self) -> dict[str, Any]:
        """Whether the index files are those that were written."""
        damaged = self.library.damaged()
        return {"sound": not damaged, "damaged": damaged, "corpus_digest": self.library.digest, "generation": self.library.generation}

    def fetch(self, ids: Sequence[str]) -> dict[str, Any]:
        """Download official texts into the data folder and ingest what came; what was refused is named with its code."""
        folder = self.home / "sources"
        rows = corpus.fetch_rows()
        chosen = [r for r in rows if not ids or {r["id"], r["work"], r["instrument"]} & set(ids)]
        hosts = frozenset(urlsplit(str(r["url"])).netloc for r in rows)
        dates = self._issue_dates(chosen, folder, hosts)
        items = [replace(i, url=i.url.format(**dates)) for i in fetching.items_for(rows, ids)]
        done, refused = fetching.fetch(items, folder, hosts, today, self.say, self.settings.offline)
        report = self.ingest([Path(f.file) for f in done]) if done else {"instruments": [], "refused": []}
        self.write("fetch", {"fetched": [{"file": f.name, "sha256": f.sha256, "state": f.state} for f in done], "refused": [name for name, _, _ in refused]})
        failed = [{"file": name, "code": code, "reason": reason} for name, code, reason in refused]
        return {"fetched": [asdict(f) for f in done], "refused": failed + report["refused"], "instruments": report["instruments"]}

    def _issue_dates(self, rows: Sequence[Mapping[str, Any]], folder: Path, hosts: frozenset[str]) -> dict[str, str]:
        """The latest issue of the titles that the rows ask of the eCFR, which serves no text without a date."""
        if not any("{ecfr" in str(r["url"]) for r in rows) or self.settings.offline:
            return {"ecfr45": today(), "ecfr21": today()}
        titles = fetching.Item("ecfr-titles.json", "https://www.ecfr.gov/api/versioner/v1/titles.json", "json")
        done, _ = fetching.fetch([titles], folder, hosts, today, self.say, False)
        known = json.loads(Path(done[0].file).read_text("utf8"))["titles"] if done else []
        latest = {int(t["number"]): str(t["up_to_date_as_of"]) for t in known}
        return {"ecfr45": latest.get(45, today()), "ecfr21": latest.get(21, today())}

    def diff(self, instrument: str, old: str, new: str) -> dict[str, Any]:
        """What changed in an instrument (or work) from one version to another, and which requirements and runs rest on it."""
        editions = [e for e in self.library.editions.values() if instrument in (e.instrument, e.work) and e.layer == "official" and not e.same_as]
        if not editions:
            raise UsageError(f"No official text of '{instrument}' is held", "See what is held: pincite corpus list")
        before, after = ({e.work: e for e in editions if e.version.startswith(v)} for v in (old, new))
        works = sorted(before.keys() & after.keys())
        if not works:
            held = ", ".join(sorted({e.version for e in editions}))
            raise UsageError(f"{instrument} is not held in both versions", f"Held: {held}")
        changes = [c for w in works for c in diff.compare(self.library.instrument(before[w].id), self.library.instrument(after[w].id))]
        on = {r.id: r.pinpoint for r in corpus.requirements()}
        runs = {
            f"{row.id} {f['requirement']}": Pinpoint(*f["pinpoint"].split(":", 1))
            for row in record.all_kept(self.store, "gaps")
            for f in row.content["findings"]
        }
        rows = [
            {"pinpoint": c.pinpoint.address, "citation": str(c.pinpoint), "kind": c.kind, "heading": c.heading, "words": [list(w) for w in c.words]}
            for c in changes
        ]
        counts = {kind: sum(c.kind == kind for c in changes) for kind in ("added", "removed", "changed")}
        return {
            "instrument": instrument,
            "old": old,
            "new": new,
            "works": works,
            "counts": counts,
            "changes": rows,
            "requirements": diff.resting_on(changes, on),
            "findings": diff.resting_on(changes, runs),
        }

    # ---- search and ask

    def hits(self, question: str, wanted: retrieve.Filter, k: int) -> list[Hit]:
        """What search finds, as nouns."""
        vector = self.embedder.embed_query(question[:2000]) if question.strip() else None
        return retrieve.search(self.library, question, vector, wanted, k) if vector is not None else []

    def search(self, question: str, wanted: retrieve.Filter, k: int = 10) -> dict[str, Any]:
        """The hits for a question, in the form of the contract."""
        library_ = self.library
        started = time.perf_counter()
        vector = self.embedder.embed_query(question[:2000])
        embedded = time.perf_counter()
        hits = retrieve.search(library_, question, vector, wanted, k) if question.strip() else []
        done = time.perf_counter()
        ms = {"embed": _ms(embedded - started), "search": _ms(done - embedded), "total": _ms(done - started)}
        named = bool(hits) and hits[0].via == ("reference",)
        strange = {"note": STRANGE} if not named and retrieve.strange(library_, question[:2000]) else {}
        return {"hits": [hit_json(h) for h in hits], "ms": ms, **strange}

    def ask(self, question: str, wanted: retrieve.Filter, mode: str = "auto", history: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
        """The answer to a question with its hits, in the form of the contract, and one audit record."""
        *_, last = self.ask_steps(question, wanted, mode, history)
        return dict(last["found"])

    def ask_steps(
        self,
        question: str,
        wanted: retrieve.Filter,
        mode: str = "auto",
        history: Sequence[Mapping[str, str]] = (),
        stop: threading.Event | None = None,
    ) -> Generator[dict[str, Any], None, None]:
        """The answer to a question as it comes: what was found, each claim as soon as it stands, and last what `ask` gives.

        {"step": "hits", "question", "hits"}; {"step": "claim", "place", "claim"}, and again for the same place when the model's words replace
        the quotation's; {"step": "answer", "found"}. `stop` set from any thread: within 200 ms {"step": "cancelled", "audit"} comes last. A
        generator that is closed or interrupted is recorded so too, and sets `stop`. Whoever acts when this is called is recorded.
        """
        return self._steps(question, wanted, mode, tuple(history), stop or threading.Event(), self.user)

    def _steps(
        self, question: str, wanted: retrieve.Filter, mode: str, history: Sequence[Mapping[str, str]], stop: threading.Event, user: str
    ) -> Generator[dict[str, Any], None, None]:
        from assistant.llm import ModelFailure, relayed

        started, first, last = time.perf_counter(), 0.0, dict[str, Any]()
        try:
            for step in relayed(self._worked(question, wanted, mode, history, stop), stop):
                if isinstance(step, ModelFailure):
                    last = {"step": "cancelled"}
                elif step["step"] == "answer":
                    last = step
                else:
                    first = first or (time.perf_counter() - started if step["step"] == "claim" else 0.0)
                    yield step
        except (GeneratorExit, KeyboardInterrupt):
            stop.set()
            self._keep_cancelled(question, wanted, user)
            raise
        if last["step"] == "cancelled":
            yield {**last, "audit": self._keep_cancelled(question, wanted, user)}
            return
        found = self._keep_answer(question, wanted, user, last["found"])
        total = time.perf_counter() - started
        found["seconds"] = {"first": round(first or total, 3), "total": round(total, 3)}
        record.keep_run(self.store, str(found["audit"]), now(), "ask", {"question": question, **found})
        yield {"step": "answer", "found": found}

    def _worked(
        self, question: str, wanted: retrieve.Filter, mode: str, history: Sequence[Mapping[str, str]], stop: threading.Event
    ) -> Generator[dict[str, Any], None, None]:
        """The steps of an answer, the last without what its record adds. Writes nothing."""
        sought = answer.seek(self.library, question, wanted, self.embedder.embed_query, history)
        hits = [hit_json(h) for h in sought.hits]
        yield {"step": "hits", "question": sought.question, "hits": hits}
        shown: tuple[Claim, ...] = ()
        for now in self._answers(sought, wanted, mode, stop):
            for place, claim in enumerate(now[0].claims):
                if claim not in shown[place : place + 1]:
                    yield {"step": "claim", "place": place, "claim": claim_json(claim)}
            shown = now[0].claims
        result, model = now
        found = {
            "answer": answer_json(result), "hits": hits, "model": model, "prompt": prompt_name("answer"), "as_of": wanted.as_of, "corpus_digest": self.library.digest,
        }  # fmt: skip
        yield {"step": "answer", "found": found}

    def _answers(self, sought: answer.Sought, wanted: retrieve.Filter, mode: str, stop: threading.Event) -> Iterator[tuple[Answer, dict[str, str] | None]]:
        """The answer in quotations, then in the model's words where its accuracy card opens that role and each wording passes its check.

        Whatever is wrong with the model costs the phrasing, never the answer; a note says so.
        """
        extracted = answer.respond(self.library, sought, wanted)
        yield extracted, None
        if mode != "auto":
            return
        try:
            model = self.model
        except PinciteError as error:
            yield replace(extracted, notes=(*extracted.notes, f"Answered without a language model: {error}")), None
            return
        if model is None or extracted.abstained or not modelbench.open_roles(self.home / "models", model.info.sha256, model.info.name)["phrasing"]:
            return
        by: list[str] = []
        for phrased in phrasing.phrasings(sought.question, extracted, model.witnessed(by), stop=stop):
            named = {"name": model.info.name, "sha256": model.info.sha256} | ({"server": " ".join(dict.fromkeys(by))} if by else {})
            if phrased.failure:
                lost = f"The language model gave no usable wording ({phrased.failure.reason}); the quotations stand"
                phrased = replace(phrased, answer=replace(phrased.answer, notes=(*phrased.answer.notes, lost)))
            yield phrased.answer, named

    def _keep_answer(self, question: str, wanted: retrieve.Filter, user: str, found: dict[str, Any]) -> dict[str, Any]:
        """What was found with the id of its audit record, which names it by hashes."""
        body = {
            "question": sha256(question), "as_of": wanted.as_of, "corpus_digest": found["corpus_digest"], "prompt": found["prompt"], "model": found["model"],
            "hits": [h["pinpoint"] for h in found["hits"]], "output": sha256(found["answer"]), "prompt_sha256": bundling.prompt_hash("answer"),
        }  # fmt: skip
        with self.acting(user):
            return {**found, "audit": self.write("ask", body)}

    def _keep_cancelled(self, question: str, wanted: retrieve.Filter, user: str) -> str:
        """The audit record of a question whose answer nobody waited for."""
        with self.acting(user):
            return self.write("ask", {"question": sha256(question), "as_of": wanted.as_of, "cancelled": True})

    # ---- cards

    def card(self, path: Path, evidence: Sequence[Kept] = ()) -> ModelCard:
        """A card, parsed in the sandbox, and with it the fragments of computed evidence."""
        try:
            named = {e.name for e in evidence}
            files = [f for f in modelcard.card_files(path) if not any(f[0].endswith(n) for n in named)] + [(e.name, e.text.encode()) for e in evidence]
            return sandbox.call(modelcard.parse_card, files, seconds=CARD_SECONDS, memory_mb=1024)
        except Unreadable as error:
            raise error.about(printable(path.name)) from error
        except OSError as error:
            raise UsageError(f"{printable(path.name)} cannot be opened: {error.strerror}", "Check the file's owner and mode") from error

    def card_show(self, path: Path, evidence: Sequence[Path] = ()) -> dict[str, Any]:
        """What the card says, with places, in the form of the contract; with the fragments of the evidence folders given."""
        card = self.card(path, computed.load(evidence))
        return {
            "name": card.name, "sha256": card.sha256, "files": [{"file": f.name, "text": f.text} for f in card.files],
            "sections": [{"title": s.title, "file": s.file, "start": s.start, "end": s.end} for s in card.sections],
            "fields": [{"field": f.field, "value": f.value, "file": f.file, "start": f.start, "end": f.end, "state": f.state} for f in card.fields],
            "hidden": list(card.hidden), "problems": list(card.problems),
        }  # fmt: skip

    def card_check(self, path: Path) -> dict[str, Any]:
        """What a card lacks, with lines, and how many of the required fields are missing."""
        problems = modelcard.check_card(self.card(path))
        rows = [
            {"file": p.file, "line": p.line, "severity": "error" if p.required else "warning", "field": p.field, "state": p.state, "message": p.message}
            for p in problems
        ]  # fmt: skip
        return {"problems": rows, "missing": sum(p.required for p in problems)}

    def law(self, as_of: str) -> Callable[[Pinpoint], tuple[Citation, ...]]:
        """A function that cites the words of a provision; it cites nothing when there is no index."""
        held = stores.current(self.store)

        def cite_law(p: Pinpoint) -> tuple[Citation, ...]:
            found = held.find(p, as_of) if held else None
            if held is None or found is None:
                return ()
            passage = held.as_passage(found)
            granted = cite(Quote(p, first_words(found.text)), passage)
            return (granted,) if isinstance(granted, Citation) else ()

        return cite_law

    def gaps(
        self,
        path: Path,
        as_of: str,
        frameworks: Sequence[str] = (),
        scope: Sequence[str] = (),
        facts: Path | None = None,
        everything: bool = False,
        since: str = "",
        evidence: Sequence[Path] = (),
    ) -> dict[str, Any]:
        """The gap analysis of a card, in the form of the contract, and one audit record.

        `since` names an earlier run, whose differences are added; gaps accepted in a pincite.toml beside the card are marked.
        `evidence` are folders of computed figures, which count as material of the card.
        """
        kept = computed.load(evidence)
        analysis = self.analyse(path, as_of, frameworks, scope, facts, everything, kept)
        analysis, model = self._lowered(analysis)
        out = {**gaps_json(analysis), "model": model}
        if kept:
            out["evidence"] = [{"kind": k.kind, "file": k.name, "sha256": k.sha256, "command": k.command, "audit": self._computed_in(k)} for k in kept]
        config = (path if path.is_dir() else path.parent) / "pincite.toml"
        if config.is_file():
            out = compare.with_accepted(out, compare.accepted_gaps(config.read_text("utf8")))
        if since:
            out["since"] = compare.since(out, self.run(since))
        return self._write_run("gaps", {**self._kept_card(analysis.card), **_rests_on(out), "output": sha256(out)}, out)

    def _lowered(self, analysis: GapAnalysis) -> tuple[GapAnalysis, dict[str, str] | None]:
        """The analysis as a language model lowers it, and the model's name and hash; as it stands where no accuracy card opens that role.

        A reply that fails doubts nothing. The embedded model's own card keeps the role closed, so that it is not even opened here.
        """
        if self.settings.llm in (None, "none"):
            return analysis, None
        try:
            model = self.model
        except PinciteError:
            return analysis, None
        if model is None or not modelbench.open_roles(self.home / "models", model.info.sha256, model.info.name)["lowering"]:
            return analysis, None
        named = {"name": model.info.name, "sha256": model.info.sha256}
        return assess.lower(analysis, lambda claim, quote: phrasing.doubts(claim, quote, model) is True), named

    def _computed_in(self, kept: Kept) -> str:
        """The audit record in which a piece of evidence was computed; empty where it is not on this record."""
        of_it = (r for r in record.records(self.store) if r.action == "evidence" and kept.sha256 in r.body.get("files", {}).values())
        return next((r.id for r in of_it), "")

    def _kept_card(self, card: ModelCard) -> dict[str, str]:
        """Keeps a card's text beside the chain; its hashes, for the record."""
        kept = {"name": card.name, "sha256": card.sha256, "files": [{"file": f.name, "text": f.text} for f in card.files]}
        record.keep_run(self.store, f"card-{card.sha256}", now(), "card", kept)
        return {"card": card.sha256, "card_text": sha256(kept["files"])}

    def analyse(
        self, path: Path, as_of: str, frameworks: Sequence[str] = (), scope: Sequence[str] = (), facts: Path | None = None, everything: bool = False, kept: Sequence[Kept] = ()
    ) -> GapAnalysis:  # fmt: skip
        """The gap analysis of a card, as nouns. Facts are the card's own; computed evidence states none."""
        card = self.card(path)
        wanted = [r for r in corpus.requirements() if (not frameworks or r.framework in frameworks) and _in_scope(r.pinpoint, scope)]
        held = stores.current(self.store)
        digest = held.digest if held else ""
        given = load_facts(facts, path)
        established = triage.facts(card, given)
        whole = self.card(path, kept) if kept else card
        return assess.assess(whole, wanted, established, as_of, self.law(as_of), digest, everything, [f for k in kept for f in k.figures], self.step)

    def evidence(self, request: Any, folder: Path) -> dict[str, Any]:
        """Figures from a project's own files, written into a folder: what stands out, and the files by hash. One audit record."""
        from assistant.evidence import report, run

        files = run.make(request, __version__)
        hashes = run.write(folder, files)
        doc = json.loads(files[next(name for name in files if name.endswith(".json"))])
        inputs = [{"sha256": i["sha256"], "rows": i["rows"]} for i in doc["inputs"]]
        audit = self.write("evidence", {"kind": doc["kind"], "command": sha256(doc["command"]), "seed": doc["seed"], "inputs": inputs, "files": hashes})
        return {"audit": audit, "kind": doc["kind"], "command": doc["command"], "files": hashes, "summary": report.summary(doc)}

    def triage(self, path: Path, facts: Path | None = None) -> dict[str, Any]:
        """Which frameworks apply and why, in the form of the contract."""
        card = self.card(path)
        return triage.report(card, load_facts(facts, path), today())

    # ---- record and health

    def verify_audit(self, known_head: str | None = None) -> record.Verdict:
        """Re-derives the audit chain."""
        return record.verify_chain(record.records(self.store), known_head)

    def audit_tail(self, n: int) -> Iterator[record.AuditRecord]:
        """The last records."""
        return record.records(self.store, last=n)

    def doctor(self) -> dict[str, Any]:
        """What works and what does not on this machine, each with what to do about it."""
        checks: list[dict[str, Any]] = []
        reached = egress.reached()
        before = len(reached)

        def check(name: str, probe: Callable[[], str]) -> None:
            try:
                checks.append({"check": name, "ok": True, "detail": probe()})
            except PinciteError as error:
                checks.append({"check": name, "ok": False, "detail": error.line()})

        check("python", platform.python_version)
        check("data folder", lambda: str(self.home))
        check("library", lambda: f"generation {self.library.generation}, corpus digest {self.library.digest[:12]}")
        check("index files", lambda: "sound" if not self.library.damaged() else _raise(NotReady("Index files are damaged", "Run: pincite ingest --rebuild")))
        check("embedder", lambda: f"{self.embedder.name} {self.embedder.sha256[:12]}, {len(self.embedder.embed_query('test'))} dimensions")
        check("language model", lambda: self.prove_model())
        check(
            "audit chain",
            lambda: (
                f"{self.verify_audit().records} records, sound"
                if self.verify_audit().sound
                else _raise(NotReady(self.verify_audit().problem, "Compare with a backup"))
            ),
        )
        check("egress", lambda: self._egress(reached[before:]))
        checks.append({"check": "corpus checked until", "ok": True, "detail": corpus.manifest().checked_until})
        return {"ok": all(c["ok"] for c in checks), "checks": checks}

    def _egress(self, reached: Sequence[str]) -> str:
        """That the checks before asked for nobody beyond this machine, but for a model server that the user named."""
        servers = {urlsplit(server).hostname for server in servers_of(self.settings.llm)}
        beyond = sorted({host for host in reached if host not in servers})
        if beyond:
            raise NotReady(f"Something asked for {', '.join(beyond)}", "Set PINCITE_OFFLINE=1, and please report it")
        asked = f"only the model server {', '.join(sorted(set(reached)))}" if reached else "nobody beyond this machine"
        return f"{asked} was asked for while these checks ran; {len(egress.opted_out())} opt-outs hold; PINCITE_OFFLINE is {'on' if self.settings.offline else 'off'}"

    def measured(self, card: Mapping[str, Any], data: bytes) -> str:
        """One audit record for a model's accuracy card, which opens or closes its roles; its id."""
        body = {"name": card["name"], "sha256": card["sha256"], "roles": card["roles"], "file": hashlib.sha256(data).hexdigest()}
        return self.write("model-card", body)

    # ---- settings and models

    def settings_rows(self) -> list[dict[str, str]]:
        """Each setting: name, value, the variable that would win, and its source: that variable, `chosen here`, or `default`."""
        kept = chosen.load(self.home).settings
        sources = {
            name: f"PINCITE_{name.upper()}" if name in self.fixed else "chosen here" if name in kept else "default" for name in type(self.settings).model_fields
        }
        return [
            {"name": name, "value": self._value_shown(name, value), "source": sources[name], "variable": f"PINCITE_{name.upper()}"}
            for name, value in self.settings
        ]  # fmt: skip

    def _value_shown(self, name: str, value: object) -> str:
        """A setting as it may be shown: no password of a store, and nothing of what may hold one of a server."""
        text = "" if value is None else str(value)
        if name == "store" and text:
            return str(self.store)
        return "(not shown: a password may stand in it)" if name == "llm" and {"@", "?"} & set(text) else text

    def choose(self, name: str, text: str, sha256: str = "") -> dict[str, str]:
        """Set a setting on this machine from now on; a language model is tried first, and its worker starts anew. One audit record.

        Raises Refused where a variable of the environment wins.
        """
        if name in chosen.NAMES and name in self.fixed:
            raise Refused(f"PINCITE_{name.upper()} is set and wins over what is chosen here", "Start Pincite without it, then choose")
        value, kept = chosen.value_of(name, text, self.home), chosen.load(self.home)
        said, found = str(text), ""
        if name == "llm":
            said, found = chosen.tried(str(value) if value else None, self.home, sha256, self.settings.offline)
            kept = replace(kept, models={**kept.models, str(value): found}) if value and found else kept
        chosen.keep(self.home, kept.with_setting(name, value))
        default = type(self.settings).model_fields[name].default
        self.settings = self.settings.model_copy(update={name: default if value is None else value})
        for part in ("model",) if name == "llm" else ("embedder",) if name == "embedder" else ():
            before = self.__dict__.pop(part, None)
            if part == "model" and before is not None:
                before.close()
            self._without_model = (0.0, "")
        self._settled = True
        self.write("settings", {**self._recorded_settings(), "changed": name, "model_sha256": found})
        return {"name": name, "value": text if value is None else str(value), "said": said}

    def models(self) -> list[dict[str, Any]]:
        """The language models known here, the one in use first: setting, name, sha256, in_use, roles, and its accuracy card (None before it was measured)."""
        used = self.model
        name, sha256 = (used.info.name, used.info.sha256) if used else ("none", "")
        rows = [{"setting": self.settings.llm or chosen.DEFAULT, "name": name, "sha256": sha256, "in_use": True}]
        others = [(p, h) for p, h in chosen.load(self.home).models.items() if p != self.settings.llm]
        rows += [{"setting": p, "name": Path(p).stem, "sha256": h, "in_use": False} for p, h in others]
        at = self.home / "models"
        return [{**r, "roles": modelbench.open_roles(at, *_key(r)), "card": modelbench.held_card(at, *_key(r))} for r in rows]

    def measure_model(self, out: Path | None = None) -> Generator[str, None, dict[str, Any]]:
        """Each step of measuring the model in use, then its accuracy card, which is kept and opens or closes its roles. One audit record."""
        if self.model is None:
            raise UsageError("There is no model to measure (it is set to none)", "Name a GGUF file or a server")
        card = yield from modelbench.measured(self.model)
        path = out or self.home / "models" / f"{re.sub(r'[^A-Za-z0-9._-]', '_', card['name'])}.json"
        data = (json.dumps(card, indent=1, ensure_ascii=False) + "\n").encode()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(data)
        self.measured(card, data)
        return {**card, "file": str(path)}

    def prove_model(self) -> str:
        """One token from the language model, made in its own process."""
        from assistant.llm import prove

        return prove(self.settings.llm, self.home)

    def model_speed(self) -> dict[str, Any]:
        """How fast the language model is here: prompt_tokens, first_seconds, tokens_per_second; or the `failure`. {} without a model."""
        return modelbench.speed(self.model) if self.model else {}

    def bundle(self, run: str) -> bytes:
        """The evidence bundle of a run, and one audit record with its hash."""
        if not self.access(run):
            raise UsageError(f"There is no run '{run}' of yours", "See what there is: pincite runs list")
        data = bundling.pack(self.store, run, stores.current(self.store))
        self.exported(run, "bundle", data)
        return data

    def render_draft(self, run: str, format: str, clauses: bool = True, template: Path | None = None) -> bytes:
        """A draft as a file, with what people said of it, where it disagrees, and the stamp; one audit record.

        `template` is a house template (.docx), which is read in the sandbox.
        """
        made = self._stamped(run)
        try:
            house = template.read_bytes() if template else None
        except OSError as error:
            raise UsageError(f"{template} cannot be read: {error.strerror}") from error
        if house and format != "docx":
            raise UsageError("A template is for DOCX", "Add --format docx")
        if house:
            data = sandbox.call(export.render_draft, format, made, clauses, house, seconds=60)
        else:
            data = export.render_draft(format, made, clauses)
        self.exported(run, format, data)
        return data

    def render_folder(self, runs: Sequence[str], clauses: bool = True) -> dict[str, bytes]:
        """FDA drafts as a folder in the order of submission, with a paste map: file names and contents; one audit record a run."""
        drafts = [self._stamped(run) for run in runs]
        other = [d["pack"]["id"] for d in drafts if d["pack"]["id"] not in folder.ORDER]
        if other:
            raise UsageError(f"{other[0]} is no part of an FDA submission", f"A folder is made of: {', '.join(folder.ORDER)}")
        files = folder.render_folder(drafts, clauses)
        for run in runs:
            self.exported(run, "folder", b"".join(files.values()))
        return files

    def _stamped(self, run: str) -> dict[str, Any]:
        """A draft as exports show it."""
        made = self.run(run)
        if made["kind"] != "draft":
            raise UsageError(f"'{run}' is no draft", "See what there is: pincite runs list --kind draft")
        shown = {k: v for k, v in made.items() if k not in ("id", "time", "kind", "owner")}
        return {**shown, "disagreements": self.disagreements(run=run), "audit_head": record.head(self.store)}

    def exported(self, run: str, format: str, data: bytes) -> str:
        """One audit record for a file that left Pincite; its id."""
        return self.write("export", {"run": run, "format": format, "file": hashlib.sha256(data).hexdigest()})

    def erase(self, run: str) -> list[str]:
        """Erase the words of a run, a conversation with its answers, or a card (`card-` and its hash); the ids erased.

        With a gap analysis or draft goes its card, unless another rests on it; with a run what people said about it. The audit records stay. One audit record.
        """
        kept = record.kept(self.store, run)
        if kept is None or self.access(run) != "own":
            raise UsageError(f"There is no run '{run}' of yours", "It may have been erased before")
        if kept.kind not in ERASABLE:
            raise Refused(f"Run '{run}' is a {kept.kind}, which is not erased", "Erase the run that it belongs to")
        beside = list(kept.content["asks"]) if kept.kind == "chat" else self._only_cards(kept) if kept.kind in ("gaps", "draft") else []
        erased = [id for id in (run, *beside) if record.erase_run(self.store, id)]
        self.write("delete", {"run": run, "erased": erased})
        return erased

    def _only_cards(self, run: record.Kept) -> list[str]:
        """The kept card of a gap analysis or draft when no other rests on it."""
        card = run.content["card"]["sha256"]
        others = (row.card for row in record.listed(self.store, ("gaps", "draft"), 1 << 40) if row.id != run.id)
        return [] if card in others else [f"card-{card}"]

    def backup(self, to: Path) -> dict[str, Any]:
        """Everything worth keeping, in one file; its hash and what it holds. One audit record."""
        made = backing.backup(self.home, to, self.store)
        self.write("backup", {"file": made["sha256"], "head": made["head"], "corpus_digest": made["corpus_digest"]})
        return made

    def restore(self, file: Path, force: bool = False) -> dict[str, Any]:
        """Put a backup in place of an empty data folder, or with `force` of what is there, which is set aside. One audit record."""
        found = backing.restore(self.home, file, force, self.store)
        self.__dict__.pop("library", None)
        self.write("restore", {"file": found["sha256"], "head": found["head"], "corpus_digest": found["corpus_digest"], "replaced": found["replaced_head"]})
        return found

    # ---- what the app and the API need beside

    @contextmanager
    def acting(self, name: str) -> Iterator[None]:
        """Verbs called inside are recorded under this user's name."""
        token = ACTING.set(name)
        try:
            yield
        finally:
            ACTING.reset(token)

    @contextmanager
    def on_job(self, kind: str, held: record.Held, step: Progress) -> Iterator[None]:
        """Verbs called inside do a job that a worker holds, tell `step` how far they are, and write its record once."""
        token = JOB.set(OnJob(kind, held, step))
        try:
            yield
        finally:
            JOB.reset(token)

    def renew(self) -> None:
        """Use the current generation of the library from now on, whoever built it."""
        held, now_current = self.__dict__.get("library"), stores.current(self.store)
        if now_current and (held is None or held.generation != now_current.generation):
            self.__dict__["library"] = now_current

    def _model_or_why(self) -> tuple[Any, str]:
        """The language model, or why it cannot be had; a server that is away is not asked anew for every screen."""
        when, why = self._without_model
        if why and time.monotonic() - when < REST:
            return None, why
        try:
            model, self._without_model = self.model, (0.0, "")
            return model, ""
        except PinciteError as error:
            self._without_model = (time.monotonic(), error.line())
            return None, error.line()

    def standing(self) -> dict[str, Any]:
        """What every screen shows: the corpus, the model, the user, the audit head, and why something is not ready."""
        out: dict[str, Any] = {
            "user": self.user,
            "as_of": today(),
            "offline": self.settings.offline,
            "program": __version__,
            "audit_head": record.head(self.store),
        }
        model, out["model_problem"] = self._model_or_why()
        out["model"] = {"name": model.info.name, "sha256": model.info.sha256} if model else None
        out["server"] = bool(model and not model.info.sha256)
        out["checked_until"] = corpus.manifest().checked_until
        try:
            self.renew()
            editions = list(self.library.editions.values())
        except NotReady as error:
            return {**out, "ready": False, "reason": str(error), "hint": error.hint, "corpus_digest": "", "editions": 0, "official": [], "digest_only": []}
        official = {e.instrument for e in editions if e.layer == "official"}
        digests = {e.instrument for e in editions if e.layer == "digest"}
        return {
            **out, "ready": True, "reason": "", "hint": "", "corpus_digest": self.library.digest, "editions": len(editions),
            "official": sorted(official), "digest_only": sorted(digests - official - {"principles"}),
        }  # fmt: skip

    def access(self, id: str, owner: str = "") -> projects.Access:
        """What the acting user may do with a run: `own`, `work` (decide on it), `view`, or nothing; another's only where it was shared with them or handed to them.

        Outside a sign-in (the command line, an app without users) everything is one person's own, as it is an administrator's.
        """
        who = ACTING.get()
        if not who or roles.may(self.role(who), "see-all") or (owner or self._owner(id)) == who:
            return "own"
        return projects.lent(self.store, who).get(id, "") or next((p["access"] for p in projects.found(self.store, who) if p["id"] == id), "")

    def _owner(self, id: str) -> str:
        kept = record.kept(self.store, id)
        return str(kept.content.get("owner") or record.author(self.store, id)) if kept else ""

    def run(self, id: str) -> dict[str, Any]:
        """What an earlier ask, gap analysis or conversation gave, with its `id`, `time`, `kind` and `owner`. What the acting user may not see is not there."""
        kept = record.kept(self.store, id)
        owner = str(kept.content.get("owner") or record.author(self.store, id)) if kept else ""
        if kept is None or not self.access(id, owner):
            raise UsageError(f"There is no run '{id}'", "It may have been erased; its audit record remains")
        out = {**kept.content, "id": kept.id, "time": kept.time, "kind": kept.kind, "owner": owner}
        if kept.kind in ("gaps", "draft"):
            said = record.reviews(self.store, id)
            out = reviewing.with_reviews(out, reviewing.shown(kept.content, said), reviewing.remarks(said))
            out["signatures"] = self.signatures(id)
        return out

    # ---- review and sign-off

    def runs(self, kind: str = "", most: int = 50) -> list[dict[str, str]]:
        """The newest runs that the acting user may see, newest first: id, time, kind (ask, gaps, draft), owner, what each is about, a draft's pack, its card's hash."""
        if kind and kind not in RUN_KINDS:
            raise UsageError(f"'{kind}' is no kind of run", f"Choose one of: {', '.join(RUN_KINDS)}")
        return [asdict(row) for row in self._listed((kind,) if kind else RUN_KINDS, most)]

    def _listed(self, kinds: Sequence[str], most: int = 1 << 40) -> list[record.Listed]:
        """The newest runs that the acting user may see."""
        who, rows = ACTING.get(), record.listed(self.store, kinds, most)
        if not who or roles.may(self.role(who), "see-all"):
            return rows
        lent = projects.lent(self.store, who)
        return [row for row in rows if row.owner == who or row.id in lent]

    def _document(self, run: str, to_change: bool = False) -> Mapping[str, Any]:
        """The report or draft of a run as the machine made it, where the acting user may see it, or `to_change`, decide on it."""
        kept = record.kept(self.store, run)
        held = self.access(run) if kept else ""
        if kept is None or kept.kind not in ("gaps", "draft") or not held:
            raise UsageError(f"There is no gap analysis or draft '{run}'", "See what there is: pincite runs list")
        if to_change and held == "view":
            raise Refused("This was shared with you to look at, not to decide on", "Ask its owner to share the project for work")
        return kept.content

    def _say_on(self, action: str, run: str, kind: str, target: str, content: Mapping[str, Any], **said: object) -> str:
        """One audit record with its review beside it; its id. The record holds the hash of the words."""
        self._settle()
        body = {"run": run, "target": target, **said, "content": sha256(content), "program": __version__, "code": code_hash()}
        return record.append(self.store, now(), self.user, action, body, (run, kind, target, content)).id

    def review(self, run: str, target: str, decision: str, reason: str = "", words: str = "") -> dict[str, Any]:
        """The acting user's decision on a finding, or on a sentence, element or section of a draft; one audit record.

        `decision` is accept, edit (with the `words` that replace the machine's) or reject. The answer has `audit` and
        `problems`: what edited words say that the sources cited do not. They are recorded, and bar an approver's signature.
        """
        d = reviewing.decide(self._document(run, True), target, decision, self.user, "", reason, words)
        content = {"decision": d.action, "reason": d.reason, "edited": d.person, "machine": d.machine, "problems": list(d.problems)}
        return {"audit": self._say_on("review", run, "decision", target, content, decision=d.action), "problems": list(d.problems)}

    def carry(self, run: str) -> list[str]:
        """The acting user stands by the decisions of the earlier run, where finding, evidence and law are what they were; the findings. One audit record each.

        Only findings on which nobody has decided yet, and only runs that were held against an earlier one.
        """
        standing = self.carried(run)
        for target, d in standing.items():
            self.review(run, target, d["decision"], f"As in run {d['on_run']}: {d['reason']}".rstrip(": "), d["edited"])
        return list(standing)

    def carried(self, run: str) -> dict[str, dict[str, Any]]:
        """The decisions of the earlier run, by finding, that rest on what has not changed and are not made in this one."""
        document = self._document(run)
        before = str((document.get("since") or {}).get("run") or "")
        if not before or not record.run(self.store, before) or not self.access(before):
            return {}
        same, mine = set(compare.unchanged(document, self._document(before))), self.reviews(run)
        return {t: {**d, "on_run": before} for t, d in self.reviews(before).items() if t in same and t not in mine}

    def card_files(self, sha256: str) -> dict[str, str]:
        """The texts of a kept card, by file. Raises UsageError where the acting user has no run that rests on it."""
        kept = record.run(self.store, f"card-{sha256}") if any(row.card == sha256 for row in self._listed(("gaps", "draft"))) else None
        if kept is None:
            raise UsageError("There is no such card of yours", "It may have been erased")
        return {str(f["file"]): str(f["text"]) for f in kept["files"]}

    def comment(self, run: str, target: str, text: str, owner: str = "", due: str = "") -> str:
        """A remark on a finding, sentence, element or section; with an owner a task, with a due date (ISO) or without. One audit record; its id."""
        reviewing.check_target(self._document(run, True), target)
        if not text.strip() and not owner.strip():
            raise UsageError("A comment needs words", "Write what there is to say, or name an owner")
        if due and not owner.strip():
            raise UsageError("A due date needs an owner", "Name who is to do it")
        content = {"text": text.strip(), "owner": owner.strip(), "due": check_day(due) if due else ""}
        return self._say_on("assign" if owner else "comment", run, "task" if owner else "comment", target, content)

    def reviews(self, run: str) -> dict[str, dict[str, Any]]:
        """The decision that counts on each finding or sentence of a run, by target: decision, reason, edited, machine, problems, by, time, audit, on."""
        return reviewing.shown(self._document(run), record.reviews(self.store, run))

    def remarks(self, run: str) -> list[dict[str, Any]]:
        """The comments and tasks on a run, in the order they were made: target, text, owner, due, by, time, audit."""
        self._document(run)
        return reviewing.remarks(record.reviews(self.store, run))

    def review_rows(self, run: str) -> list[dict[str, Any]]:
        """Every finding or sentence of a run in order: target, title, text, and the decision that counts (decision "" where there is none)."""
        return reviewing.listing(self._document(run), self.reviews(run))

    def undecided(self, run: str) -> list[str]:
        """The findings or sentences of a run on which nobody has decided."""
        return list(reviewing.undecided(self._document(run), reviewing.decided(record.reviews(self.store, run))))

    def disagreements(self, card: Path | None = None, run: str = "") -> list[dict[str, str]]:
        """Where the newest drafts of a card, one a pack, and the card as it is now do not agree: field, one, says, other, says_there.

        The card is the file named, else the newest text kept under the name of the card of `run`, a draft, which itself counts for its pack.
        """
        parsed = self.card(card) if card else None
        mine = self.run(run) if run else None
        name = parsed.name if parsed else (mine or {"card": {"name": ""}})["card"]["name"]
        newest = {row.pack: row.id for row in reversed(self._listed(("draft",))) if row.about == name}
        if mine:
            newest[mine["pack"]["id"]] = run
        drafts = [self.run(id) for _, id in sorted(newest.items())]
        now_card = parsed or self._card_kept(name, drafts)
        return [asdict(d) for d in drafting.disagreements(drafts, now_card)] if now_card else []

    def _card_kept(self, name: str, drafts: Sequence[Mapping[str, Any]]) -> ModelCard | None:
        """The newest card of this name as it was kept, with what a draft from that very text says it stated."""
        kept = record.run(self.store, f"card-{self._newest_card(name)}")
        of = next((d for d in drafts if kept and d["card"]["sha256"] == kept["sha256"] and "stated" in d), None)
        if kept is None:
            return None
        return drafting.card_of(of or {"card": kept, "stated": []}, kept["files"])

    def _newest_card(self, name: str) -> str:
        """The hash of the newest card of this name that was assessed or drafted from, as far as the acting user may see; "" when there is none."""
        return next((row.card for row in self._listed(("gaps", "draft")) if row.about == name and record.run(self.store, f"card-{row.card}")), "")

    def signoff(self, run: str, meaning: str, acknowledged: bool = False) -> dict[str, Any]:
        """The acting user's signature on a run as author, reviewer or approver, bound to the hashes of what is signed; one audit record.

        Refuses what rests on a card, law or catalogue that has changed since, and an approver's signature while
        something is undecided, an edit is unsound, or citations rest on digests without `acknowledged`.
        """
        document = self._document(run, True)
        stale = self.stale(run)
        if stale:
            raise Refused(f"Run {run} is out of date: {'; '.join(stale)}", "Make it again, and sign that")
        said, rows = reviewing.decided(record.reviews(self.store, run)), self._law_rows(document)
        signed = reviewing.sign(document, said, reviewing.basis(document, said, rows, corpus.catalogue_digest()), self.user, meaning, "", acknowledged)
        content = {"meaning": signed.meaning, "official": signed.official, "acknowledged": acknowledged, "basis": asdict(signed.basis), "law": rows}
        audit = self._say_on("signoff", run, "signature", "", content, meaning=meaning, acknowledged=acknowledged, basis=asdict(signed.basis))
        return {"audit": audit, "by": signed.by, "meaning": meaning, "official": signed.official, "acknowledged": acknowledged, **asdict(signed.basis)}

    def signatures(self, run: str, card: Path | None = None) -> list[dict[str, Any]]:
        """The signatures on a run: by, meaning, time, official, acknowledged, audit, and `void`, the reasons why one no longer stands.

        `card` is the card as it is now; without it the newest one assessed or drafted from under the same name counts.
        """
        document, kept = self._document(run), record.reviews(self.store, run)
        signed = [r for r in kept if r.kind == "signature"]
        if not signed:
            return []
        rows = self._law_rows(document)
        now_on = reviewing.basis(document, reviewing.decided(kept), rows, corpus.catalogue_digest(), self._card_now(document, card))
        out = []
        for r in signed:
            one = reviewing.signature(r)
            void = reviewing.void_because(one, now_on, reviewing.differing(r.content["law"], rows))
            row = {"by": one.by, "meaning": one.meaning, "time": one.at, "official": one.official, "acknowledged": one.acknowledged}
            out.append({**row, "audit": r.id, "void": list(void)})
        return out

    def stale(self, run: str, card: Path | None = None) -> list[str]:
        """What a run rests on that has changed since it was made: the card, provisions it cites, the catalogue."""
        document = self._document(run)
        law = self.law(str(document["as_of"]))
        moved = [str(c["citation"]) for c in reviewing.cited(document) if not _as_before(c, law(Pinpoint(*str(c["pinpoint"]).split(":", 1))))]
        out = [f"the law at {', '.join(moved[:8])}{' and more' if len(moved) > 8 else ''} has changed"] if moved else []
        if self._card_now(document, card) not in ("", document["card"]["sha256"]):
            out.append(f"the card {document['card']['name']} has changed")
        if document.get("catalogue") not in (None, corpus.catalogue_digest()):
            out.append("the catalogue of requirements and packs has changed")
        return out

    def _card_now(self, document: Mapping[str, Any], card: Path | None) -> str:
        if card is not None:
            return self.card(card).sha256
        return self._newest_card(document["card"]["name"])

    def _law_rows(self, document: Mapping[str, Any]) -> list[tuple[str, ...]]:
        """What the library now holds at each address that a document cites."""
        held = stores.current(self.store)
        rows: list[tuple[str, ...]] = []
        for c in reviewing.cited(document):
            found = held.find(Pinpoint(*str(c["pinpoint"]).split(":", 1)), str(document["as_of"])) if held else None
            now_there = (found.edition.version, found.edition.layer, found.status, found.applies_from, sha256(found.text)) if found else ("",) * 5
            rows.append((str(c["pinpoint"]), *now_there))
        return rows

    def sample_claims(self, n: int, seed: int) -> list[dict[str, Any]]:
        """`n` claims of kept answers that the acting user may see, drawn with a seed so that anyone draws the same, each with whether its quotations still stand."""
        claims = []
        seen = {row.id for row in self._listed(("ask",))}
        for kept in sorted((k for k in record.all_kept(self.store, "ask") if k.id in seen), key=lambda k: k.id):
            for i, claim in enumerate(kept.content["answer"]["claims"]):
                claims.append({"ask": kept.id, "claim": i, "question": kept.content["question"], "as_of": kept.content["as_of"], **claim})
        drawn = random.Random(seed).sample(claims, min(n, len(claims)))
        return [{**c, "stands": all(self._stands(x) for x in c["citations"])} for c in drawn]

    def _stands(self, c: Mapping[str, Any]) -> bool:
        texts = (self.library.text(e.id) for e in self.library.editions.values() if e.sha256 == c["source_sha256"] and e.version == c["version"])
        return any(stands(c, text) for text in texts)

    def mark_claim(self, ask: str, claim: int, mark: str) -> str:
        """An auditor's mark on a claim: agree, disagree or unclear. One audit record; its id."""
        if mark not in ("agree", "disagree", "unclear"):
            raise UsageError(f"'{mark}' is no mark", "Choose agree, disagree or unclear")
        return self.write("mark", {"ask": ask, "claim": claim, "mark": mark})

    def users(self) -> list[dict[str, str]]:
        """Who may sign in, with their roles."""
        return [{"name": u.name, "role": u.role} for u in record.users(self.store)]

    def role(self, name: str) -> str:
        """The role of who acts under this name now: everyone's own machine is theirs while there are no users; "" for who is no user."""
        users = record.users(self.store)
        return next((u.role for u in users if u.name == name), "") if users else "admin"

    def keep_user(self, name: str, role: str, password: str) -> None:
        """Add a user, or change their role and password. One audit record."""
        if not re.fullmatch(r"[\w.@-]{1,64}", name):
            raise UsageError(f"'{name}' is no user name", "Use letters, digits, . _ - or @")
        if role not in roles.ROLES:
            raise UsageError(f"'{role}' is no role", f"Choose one of: {', '.join(roles.ROLES)}")
        if len(password) < 12:
            raise UsageError("The password is too short", "Use twelve characters or more")
        record.keep_user(self.store, record.User(name, role, record.secret_of(password)))
        self.write("user", {"name": name, "role": role})

    def remove_user(self, name: str) -> None:
        """Take a user away; their records stay. One audit record."""
        if record.user(self.store, name) is None:
            raise UsageError(f"There is no user '{name}'", "See who there is: pincite users list")
        record.remove_user(self.store, name)
        self.write("user", {"name": name, "role": ""})

    def draft(self, path: Path, pack: str, as_of: str, facts: Path | None = None, level: str = "", mode: str = "auto") -> dict[str, Any]:
        """A submission pack filled from a card: every sentence quoted from card or law, or a question; one audit record.

        In mode `auto` a model whose accuracy card opens phrasing may put what the law asks in words of its own, each
        checked against its citation; `extractive` asks no model.
        """
        chosen = packs.pack(pack)
        if level and level not in chosen.levels:
            raise UsageError(f"'{level}' is no level of {pack}", f"Choose one of: {', '.join(chosen.levels) or 'none; this pack has no levels'}")
        analysis = self.analyse(path, as_of, (), (), facts, True)
        drawn, model = self._in_words(drafting.draft(analysis.card, chosen, analysis, self.law(as_of), level, self.step), mode)
        made = drafting.to_json(drawn, citation_json)
        made |= {"catalogue": corpus.catalogue_digest(), "tool": f"pincite {__version__}", "model": model}
        by = {"model": model, "prompt": prompt_name("answer") if model else None}
        return self._write_run("draft", {"pack": pack, **self._kept_card(analysis.card), **_rests_on(made), **by, "output": sha256(made)}, made)

    def _in_words(self, made: drafting.Draft, mode: str) -> tuple[drafting.Draft, dict[str, str] | None]:
        """The draft in the model's words where its role is open and each passes its check, and the model's name; else as it is."""
        if mode not in ("auto", "extractive"):
            raise UsageError(f"'{mode}' is no mode", "Choose auto or extractive")
        try:
            model = self.model if mode == "auto" else None
        except PinciteError as error:
            self.say(f"Drafted without a language model: {error}")
            return made, None
        if model is None or not modelbench.open_roles(self.home / "models", model.info.sha256, model.info.name)["phrasing"]:
            return made, None

        def words(claims: Sequence[Claim]) -> Sequence[Claim]:
            return phrasing.phrase("What does the law ask for here?", Answer(tuple(claims), False, ""), model, 60).answer.claims

        return drafting.in_words(made, words), {"name": model.info.name, "sha256": model.info.sha256}

    def projects(self) -> list[dict[str, Any]]:
        """The acting user's projects and those shared with them, the newest first."""
        return projects.found(self.store, self.user)

    def project(self, id: str) -> dict[str, Any]:
        """One of them with its pinned passages, its runs, and with whom it is shared."""
        return projects.opened(self.store, self.user, id)

    def add_project(self, name: str) -> str:
        """Begin a project, or find the one of this name; its id. One audit record."""
        id = projects.add(self.store, now(), self.user, name)
        self.write("project", {"project": id, "name": sha256(name)})
        return id

    def pin(self, project: str, ask: str, question: str, citation: Mapping[str, Any]) -> str:
        """Keep a cited passage with a project; the pin's id. One audit record."""
        id = projects.pin(self.store, now(), self.user, project, ask, question, citation)
        if record.author(self.store, ask) == self.user:
            projects.add_run(self.store, now(), self.user, project, ask, "ask")
        self.write("pin", {"project": project, "ask": ask, "pinpoint": citation["pinpoint"], "quote": sha256(citation["quote"])})
        return id

    def pin_of(self, project: str, run: str, number: int) -> str:
        """Keep the citation of this number, from 1 as the command line shows them, of an answer with a project; the pin's id. One audit record."""
        found = self.run(run)
        cited = [c for claim in found["answer"]["claims"] for c in claim["citations"]] if found["kind"] == "ask" else []
        if not 0 < number <= len(cited):
            raise UsageError(f"Run '{run}' has no citation {number}", f"It has {len(cited)}: pincite runs show {run}")
        return self.pin(project, run, found["question"], cited[number - 1])

    def share_project(self, project: str, user: str, access: str) -> None:
        """Let another user look at a project of the acting user's own (`view`) or work on it (`work`), or no longer (""). One audit record."""
        projects.share(self.store, self.user, project, user, access)
        self.write("share", {"project": project, "with": user, "access": access})

    def unpin(self, id: str) -> None:
        """Take a pinned passage out of its project. One audit record."""
        self.write("unpin", {"project": projects.unpin(self.store, self.user, id), "pin": id})

    def add_project_run(self, project: str, run: str, kind: str) -> None:
        """Note that a run was made for a project."""
        projects.add_run(self.store, now(), self.user, project, run, kind)

    def questionnaire(self, file: Path, as_of: str, card: Path | None = None, facts: Path | None = None) -> tuple[bytes, dict[str, Any]]:
        """A customer's checklist answered in place, and how it went; one audit record.

        With a card its own words answer, where they speak to a question, with their place and the law they bear on;
        without one questions about the law are answered by quotation from the library. What nothing speaks to stays blank.
        """
        try:
            data = file.read_bytes()
        except OSError as error:
            raise UsageError(f"{printable(file.name)} cannot be read: {error.strerror}") from error
        asked = sandbox.call(checklist.questions, data, printable(file.name), seconds=CARD_SECONDS)
        answered = (
            self._from_card([q.text for q in asked], card, as_of, facts)
            if card
            else {q.text: self._from_law(q.text, as_of) if replies.on_law(q.text) else checklist.Reply() for q in asked}
        )
        filled = checklist.fill(data, file.name, {q: answered[q.text] for q in asked})  # writing needs a disk; the sandbox has just read these bytes
        counts = {"questions": len(asked), "drafted": sum(bool(answered[q.text].answer) for q in asked)}
        hashes = {"file": hashlib.sha256(data).hexdigest(), "output": hashlib.sha256(filled).hexdigest()}
        head = {"as_of": as_of, "corpus_digest": held.digest if (held := stores.current(self.store)) else ""}
        return filled, {**counts, "audit": self.write("questionnaire", {**hashes, **counts, **head})}

    def _from_card(self, asked: Sequence[str], card: Path, as_of: str, facts: Path | None) -> dict[str, checklist.Reply]:
        analysis = self.analyse(card, as_of, (), (), facts, True)
        law = self.law(as_of)
        return {q: _reply(shown, analysis.card, law) for q, shown in replies.replies(asked, analysis).items()}

    def _from_law(self, question: str, as_of: str) -> checklist.Reply:
        wanted = retrieve.Filter(as_of)
        found = answer.respond(self.library, answer.seek(self.library, question, wanted, self.embedder.embed_query), wanted)
        cited = [] if found.abstained else [c for claim in found.claims[:2] for c in claim.citations]
        return checklist.Reply(
            "\n".join(dict.fromkeys(c.quote for c in cited)),
            "; ".join(dict.fromkeys("official text" if c.layer == "official" else corpus.DIGEST_NOTICE for c in cited)),
            "; ".join(dict.fromkeys(f"{c.pinpoint} [{c.pinpoint.address}], {c.version}" for c in cited)),
        )

    def keep_chat(self, id: str, title: str, asks: Sequence[str]) -> str:
        """Keep a conversation, as the ids of its answers, for its owner; a new id when `id` is empty."""
        id = id or secrets.token_hex(8)
        record.keep_run(self.store, id, now(), "chat", {"owner": self.user, "title": title, "asks": list(asks)})
        return id

    def chats(self) -> list[dict[str, Any]]:
        """The user's own conversations, newest first."""
        mine = [k for k in record.all_kept(self.store, "chat") if k.content.get("owner") == self.user]
        return [{"id": k.id, "time": k.time, "title": k.content.get("title", ""), "asks": k.content.get("asks", [])} for k in mine]


def _key(row: Mapping[str, Any]) -> tuple[str, str]:
    return str(row["sha256"]), str(row["name"])


def _raise(error: PinciteError) -> str:
    raise error


def _reply(shown: Sequence[replies.Shown], card: ModelCard, law: Callable[[Pinpoint], tuple[Citation, ...]]) -> checklist.Reply:
    """A row of a checklist from the card's own words: each with its file, line and section, and the provision it bears on."""
    texts = {f.name: f.text for f in card.files}
    places, cited = [], []
    for s in shown:
        e = s.evidence
        places.append(f"{e.file}, line {texts[e.file].count(chr(10), 0, e.start) + 1}{f' ({e.section})' if e.section else ''}")
        granted = law(s.requirement.pinpoint) if s.requirement else ()
        if s.requirement:
            layer = granted[0].layer if granted else "not in the library"
            cited.append(f"{s.requirement.pinpoint} [{s.requirement.pinpoint.address}], {layer}")
    return checklist.Reply("\n".join(" ".join(s.evidence.quote.split()) for s in shown), "\n".join(places), "\n".join(dict.fromkeys(cited)))


def _rests_on(made: Mapping[str, Any]) -> dict[str, Any]:
    return {name: made[name] for name in ("as_of", "corpus_digest", "catalogue")}


def _as_before(c: Mapping[str, Any], granted: Sequence[Citation]) -> bool:
    """Whether a provision would be cited today as it was."""
    return any(
        (g.quote, g.version, g.layer, g.status, g.applies_from) == tuple(c[k] for k in ("quote", "version", "layer", "status", "applies_from")) for g in granted
    )


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 2)


def _in_scope(p: Pinpoint, scope: Sequence[str]) -> bool:
    if not scope:
        return True
    wanted = [Pinpoint.parse(s) for s in scope]
    bad = [s for s, w in zip(scope, wanted, strict=True) if w is None]
    if bad:
        raise UsageError(f"'{bad[0]}' is no address", "Write it like eu-ai-act:art-10")
    return any(w and (w.contains(p) or p.contains(w)) for w in wanted)


def first_words(text: str, most: int = 600) -> str:
    """A provision's words for a citation: all of a short one, else whole lines or sentences up to `most` characters."""
    if len(text) <= most:
        return text
    cut = max(text.rfind(mark, 0, most) for mark in ("\n", ". ", "; "))
    return text[: cut + 1].rstrip() if cut > most // 3 else text[: text.rfind(" ", 0, most)]


def load_facts(path: Path | None, card: Path) -> dict[str, Any]:
    """Facts given by a person: the file named, else `facts.json` beside the card."""
    beside = (card if card.is_dir() else card.parent) / "facts.json"
    chosen = path or (beside if beside.exists() else None)
    if chosen is None:
        return {}
    try:
        found = json.loads(chosen.read_text("utf8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{printable(chosen.name)} cannot be read as facts: {error}", 'Write {"us_device": {"value": true, "source": "who said so"}}'
        ) from error
    if not isinstance(found, dict):
        raise UsageError(f"{printable(chosen.name)} is no list of facts", 'Write {"us_device": {"value": true, "source": "who said so"}}')
    return found
