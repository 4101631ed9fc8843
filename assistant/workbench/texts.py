"""Verbs on the texts: ingest, show, fetch, compare, search, ask."""

import json
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from assistant import (
    answer,
    corpus,
    diff,
    library,
    modelbench,
    originals,
    phrasing,
    prompts,
    ray_ingest,
    record,
    retrieve,
    stores,
)
from assistant import (
    bundle as bundling,
)
from assistant import (
    fetch as fetching,
)
from assistant import (
    ingest as ingestion,
)
from assistant.errors import PinciteError, UsageError
from assistant.forms import answer_json, claim_json, hit_json
from assistant.law import Answer, Citation, Claim, Hit, Quote
from assistant.library import Edition, Found
from assistant.pinpoint import Pinpoint
from assistant.verify import cite
from assistant.workbench.core import Core, now, sha256, today

STRANGE = "Few of these words stand in the texts held, which are searched in English: what is found is near in meaning at best"


class Texts(Core):
    """What can be done with the texts."""

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
        for so_far in self._answers(sought, wanted, mode, stop):
            for place, claim in enumerate(so_far[0].claims):
                if claim not in shown[place : place + 1]:
                    yield {"step": "claim", "place": place, "claim": claim_json(claim)}
            shown = so_far[0].claims
        result, model = so_far
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


def prompt_name(name: str) -> str:
    """A prompt with its version, as records name it: `answer@1`."""
    return f"{name}@{prompts.load(name).version}"


def first_words(text: str, most: int = 600) -> str:
    """A provision's words for a citation: all of a short one, else whole lines or sentences up to `most` characters."""
    if len(text) <= most:
        return text
    cut = max(text.rfind(mark, 0, most) for mark in ("\n", ". ", "; "))
    return text[: cut + 1].rstrip() if cut > most // 3 else text[: text.rfind(" ", 0, most)]


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 2)
