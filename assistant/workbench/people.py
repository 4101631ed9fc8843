"""Verbs for what people do: runs, review, sign-off, marks, projects, conversations."""

import random
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assistant import __version__, compare, corpus, projects, record, roles, stores
from assistant import draft as drafting
from assistant import review as reviewing
from assistant.errors import Refused, UsageError
from assistant.findings import ModelCard
from assistant.law import Citation
from assistant.pinpoint import Pinpoint
from assistant.verify import stands
from assistant.workbench.cards import Cards
from assistant.workbench.core import ACTING, check_day, code_hash, now, sha256

RUN_KINDS = ("ask", "gaps", "draft")


class People(Cards):
    """What people decide, keep and share."""

    def run(self, id: str) -> dict[str, Any]:
        """What an earlier ask, gap analysis or conversation gave, with its `id`, `time`, `kind` and `owner`. What the acting user may not see is not there."""
        kept, owner = next(iter(self._owned(id)), (None, ""))
        if kept is None or not self.access(id, owner):
            raise UsageError(f"There is no run '{id}'", "It may have been erased; its audit record remains")
        out = {**kept.content, "id": kept.id, "time": kept.time, "kind": kept.kind, "owner": owner}
        if kept.kind in ("gaps", "draft"):
            said = record.reviews(self.store, id)
            out = reviewing.with_reviews(out, reviewing.shown(kept.content, said), reviewing.remarks(said))
            out["signatures"] = self.signatures(id)
        return out

    def answers(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """What earlier questions gave, as `run` gives each, read in one go; one that was erased or is not the acting user's to see is left out."""
        rows = ((k, owner) for k, owner in self._owned(*ids) if k.kind == "ask" and self.access(k.id, owner))
        return [{**k.content, "id": k.id, "time": k.time, "kind": k.kind, "owner": owner} for k, owner in rows]

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


def _as_before(c: Mapping[str, Any], granted: Sequence[Citation]) -> bool:
    """Whether a provision would be cited today as it was."""
    return any(
        (g.quote, g.version, g.layer, g.status, g.applies_from) == tuple(c[k] for k in ("quote", "version", "layer", "status", "applies_from")) for g in granted
    )
