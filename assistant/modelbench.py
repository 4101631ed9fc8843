"""The accuracy card of a language model: what it can be trusted with here, measured on built-in suites.

Roles open only above the thresholds written here. A card names the model by its hash and is kept in `corpus/models/`
for the embedded model, in the data folder for others. Knows nothing of settings or screens.
"""

import json
import re
import time
import tomllib
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

from assistant import corpus, evaluate
from assistant.law import Answer, Citation, Claim, Instrument, Passage, Quote
from assistant.llm import ChatModel, ModelFailure
from assistant.phrasing import doubts, phrase, rewritten
from assistant.verify import cite

SUITE = 1  # number of the built-in suites; a card of another number is measured anew
THRESHOLDS = {"phrasing": 0.5, "rewriting": 0.9, "lowering": 0.85}  # share right; lowering also needs as high a precision
PHRASING_AT = (
    "gdpr:art-33(1)", "gdpr:art-35(1)", "gdpr:art-28(2)", "gdpr:art-12(3)", "eu-ai-act:art-26(6)", "eu-ai-act:art-18", "eu-ai-act:art-50(1)",
    "eu-ai-act:art-25(1)",
    "hipaa:164.404(b)", "hipaa:164.308(a)(2)", "hipaa:164.316(b)", "dpdp:s-8(6)", "dpdp:s-6(4)", "fda:21cfr-803.53", "fda:21cfr-806.10", "fda:fdca-524b(b)",
)  # fmt: skip
Progress = Callable[[str], None]


def card(model: ChatModel, memory: Callable[[], int] | None = None, progress: Progress = lambda _: None) -> dict[str, Any]:
    """The accuracy card, JSON-ready. `memory` gives the model's resident bytes, where that can be known."""
    steps = measured(model, memory)
    while True:
        try:
            progress(next(steps))
        except StopIteration as ended:
            made: dict[str, Any] = ended.value
            return made


def measured(model: ChatModel, memory: Callable[[], int] | None = None) -> Generator[str, None, dict[str, Any]]:
    """Each step before it is taken, and in the end the accuracy card; whoever closes it between two steps ends the measuring."""
    model.start()
    suites: dict[str, Any] = {}
    suite = (("phrasing", _phrasing), ("rewriting", _rewriting), ("lowering", _lowering), ("speed", speed))
    for n, (name, run) in enumerate(suite, 1):
        yield f"step {n} of {len(suite)}: {name}"
        suites[name] = run(model)
    suites["memory_mb"] = round(memory() / 1e6) if memory else None
    return {
        "schema": "pincite-model-card/1",
        "suite": SUITE,
        "name": model.info.name,
        "sha256": model.info.sha256,
        "n_ctx": model.info.n_ctx,
        "suites": suites,
        "thresholds": THRESHOLDS,
        "roles": roles(suites),
    }


def roles(suites: Mapping[str, Any]) -> dict[str, bool]:
    """Which roles the figures open."""
    lowering = suites["lowering"]
    return {
        "phrasing": suites["phrasing"]["kept"]["value"] >= THRESHOLDS["phrasing"],
        "rewriting": suites["rewriting"]["right"]["value"] >= THRESHOLDS["rewriting"],
        "lowering": lowering["right"]["value"] >= THRESHOLDS["lowering"] and lowering["precision"] >= THRESHOLDS["lowering"],
    }  # fmt: skip


def held_card(folder: Path, sha256: str, name: str) -> dict[str, Any] | None:
    """The accuracy card of a model, from `folder` or `corpus/models/`; None before it was measured."""
    for place in (folder, corpus.root() / "models"):
        for path in sorted(place.glob("*.json")) if place.is_dir() else ():
            held: dict[str, Any] = json.loads(path.read_text("utf8"))
            if held.get("suite") == SUITE and held.get("sha256") == sha256 and (sha256 or held.get("name") == name):
                return held
    return None


def open_roles(folder: Path, sha256: str, name: str) -> dict[str, bool]:
    """The roles of a model by its card; without a card only phrasing, which every word of is checked."""
    held = held_card(folder, sha256, name)
    return {k: bool(v) for k, v in held["roles"].items()} if held else {"phrasing": True, "rewriting": False, "lowering": False}


# ---- suites ------------------------------------------------------------------------------------------------------


def _digests() -> dict[str, Instrument]:
    return {p.pinpoint.address: one for one in corpus.digest_instruments() for p in one.provisions}


def _claim_at(address: str, held: Mapping[str, Instrument]) -> Claim:
    """A claim that quotes the first sentences of our digest of a provision."""
    one = held[address]
    p = next(p for p in one.provisions if p.pinpoint.address == address)
    words = p.span.of(one.text)
    quote = re.split(r"(?<=[.])\s+(?=[A-Z])", words.split("\n")[0])[0]
    passage = Passage(
        -1, p.pinpoint, one.id, one.work, one.kind, one.version, one.layer, one.provenance, one.sha256, p.span, p.heading, (), words, "in-force", ""
    )
    granted = cite(Quote(p.pinpoint, quote), passage)
    assert isinstance(granted, Citation)
    return Claim(quote, (granted,))


def _phrasing(model: ChatModel) -> dict[str, Any]:
    held = _digests()
    kept: list[float] = []
    seconds: list[float] = []
    failures = 0
    claims = [_claim_at(a, held) for a in PHRASING_AT if a in held]
    for start in range(0, len(claims), 4):
        some = claims[start : start + 4]
        began = time.perf_counter()
        out = phrase("What does the law ask here?", Answer(tuple(some), False, ""), model, 60)
        seconds.append(time.perf_counter() - began)
        failures += out.failure is not None
        kept.extend(float(c.phrased_by == "model") for c in out.answer.claims)
    share = evaluate.figure(kept)
    return {"kept": share.to_json() if share else None, "failures": failures, "seconds_each": round(sum(seconds) / max(1, len(claims)), 2)}


def _rewriting(model: ChatModel) -> dict[str, Any]:
    right: list[float] = []
    for row in evaluate.load_set(corpus.root() / "questions" / "followups.jsonl"):
        text = rewritten(row["question"], row["history"][-1]["q"], model, 20).lower()
        right.append(float(all(word.lower() in text for word in row["rewritten_has"]) and text != row["question"].lower()))
    share = evaluate.figure(right)
    return {"right": share.to_json() if share else None}


def _lowering(model: ChatModel) -> dict[str, Any]:
    """Twelve true and twelve wrong statements about digests: right when the model doubts the wrong ones only."""
    held = _digests()
    pairs = tomllib.loads((corpus.root() / "questions" / "lowering.toml").read_text("utf8"))["pair"]
    right: list[float] = []
    doubted: list[float] = []
    failures = 0
    for pair in pairs:
        one = held[pair["pinpoint"]]
        passage = next(p for p in one.provisions if p.pinpoint.address == pair["pinpoint"]).span.of(one.text)
        verdict = doubts(pair["claim"], passage, model, 30)
        failures += isinstance(verdict, ModelFailure)
        right.append(float(not isinstance(verdict, ModelFailure) and verdict != pair["true"]))
        if verdict is True:
            doubted.append(float(not pair["true"]))
    share = evaluate.figure(right)
    return {"right": share.to_json() if share else None, "precision": round(sum(doubted) / len(doubted), 4) if doubted else 0.0, "failures": failures}


def speed(model: ChatModel) -> dict[str, Any]:
    """Seconds to the first piece over a fresh prompt of about 500 tokens, and tokens a second after it."""
    text = " ".join(f"{n}. The controller keeps record number {n} of its processing." for n in range(45))
    began = time.perf_counter()
    first, pieces = 0.0, ""
    for piece in model.stream([("user", f"{text}\nSummarise this in plain words.")], max_tokens=64, seconds=60):
        if isinstance(piece, ModelFailure):
            return {"failure": piece.reason}
        first = first or time.perf_counter() - began
        pieces += piece
    rest = time.perf_counter() - began - first
    tokens = model.count_tokens(pieces)
    return {"prompt_tokens": model.count_tokens(text), "first_seconds": round(first, 2), "tokens_per_second": round(tokens / rest, 1) if rest > 0 else None}
