"""The workbench as a whole, with the verbs that keep it: health, settings, models, exports, erasure, backup, users."""

import hashlib
import json
import platform
import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from assistant import __version__, chosen, corpus, egress, export, modelbench, record, roles, sandbox, stores
from assistant import backup as backing
from assistant import bundle as bundling
from assistant.errors import NotReady, PinciteError, Refused, UsageError
from assistant.export import folder
from assistant.settings import servers_of
from assistant.workbench.core import today
from assistant.workbench.people import RUN_KINDS, People, _key

REST = 30.0  # seconds for which a model that could not be had is not tried again for a screen
ERASABLE = (*RUN_KINDS, "chat", "card")


class Workbench(People):
    """Everything behind the commands, over one data folder. Parts are opened when first needed."""

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

    def users(self) -> list[dict[str, str]]:
        """Who may sign in, with their roles."""
        return [{"name": u.name, "role": u.role} for u in record.users(self.store)]

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


def _raise(error: PinciteError) -> str:
    raise error
