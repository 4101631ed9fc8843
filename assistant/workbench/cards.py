"""Verbs on a card: show, check, triage, gaps, evidence, draft, questionnaire."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant import (
    __version__,
    answer,
    assess,
    compare,
    corpus,
    modelbench,
    modelcard,
    packs,
    phrasing,
    record,
    replies,
    retrieve,
    sandbox,
    stores,
    triage,
)
from assistant import (
    draft as drafting,
)
from assistant import (
    questionnaire as checklist,
)
from assistant.errors import PinciteError, Unreadable, UsageError, printable
from assistant.evidence import folder as computed
from assistant.evidence.folder import Kept
from assistant.findings import GapAnalysis, ModelCard
from assistant.forms import citation_json, gaps_json
from assistant.law import Answer, Citation, Claim
from assistant.pinpoint import Pinpoint
from assistant.workbench.core import now, sha256, today
from assistant.workbench.texts import Texts, prompt_name

CARD_SECONDS = 10.0  # a sound card takes well under one


class Cards(Texts):
    """What can be done with a card."""

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
            out["since"] = compare.since(out, self._document(since))
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


def _in_scope(p: Pinpoint, scope: Sequence[str]) -> bool:
    if not scope:
        return True
    wanted = [Pinpoint.parse(s) for s in scope]
    bad = [s for s, w in zip(scope, wanted, strict=True) if w is None]
    if bad:
        raise UsageError(f"'{bad[0]}' is no address", "Write it like eu-ai-act:art-10")
    return any(w and (w.contains(p) or p.contains(w)) for w in wanted)


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


def _rests_on(made: Mapping[str, Any]) -> dict[str, Any]:
    return {name: made[name] for name in ("as_of", "corpus_digest", "catalogue")}


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
