"""Made-up inputs for exports and drafts: a card of a device that does not exist, and a gap report over it with awkward characters."""

from typing import Any

from assistant import corpus
from assistant.findings import FINDING_STATUSES
from assistant.law import Citation, Passage, Quote
from assistant.verify import cite

CARD_TEXT = """# LumaTriage 2.1

LumaTriage flags adult chest radiographs with suspected pneumothorax for earlier reading.

## Evaluation

Sensitivity was 0.91 (95 % CI 0.88-0.94) on 4,112 radiographs from *three* external hospitals; see [table_1] <b>& notes</b>.
=HYPERLINK("http://example.org","click")

## Limitations

Performance on portable films is lower: |AUC| 0.86. Not evaluated in children.
1. Do not use for follow-up.
"""
AWKWARD = '=HYPERLINK("http://example.org","click")'


def citation(c: Citation) -> dict[str, Any]:
    """A citation in the form of the contract."""
    return {
        "pinpoint": c.pinpoint.address, "citation": str(c.pinpoint), "instrument": c.instrument, "version": c.version, "layer": c.layer, "provenance": c.provenance,
        "quote": c.quote, "start": c.start, "end": c.end, "source_sha256": c.source_sha256, "status": c.status, "applies_from": c.applies_from, "note": c.note,
        "link": corpus.manifest().deep_link(c.pinpoint),
    }  # fmt: skip


def cited(address: str) -> list[dict[str, Any]]:
    """The digest's words for a provision, as a citation in the form of the contract."""
    wanted = corpus.pinpoint(address)
    for i in corpus.digest_instruments():
        for p in i.provisions:
            if p.pinpoint == wanted:
                words = p.span.of(i.text)
                passage = Passage(0, wanted, i.id, i.work, i.kind, i.version, "digest", "original", i.sha256, p.span, "", (), words, "in-force", "")
                found = cite(Quote(wanted, words), passage)
                assert isinstance(found, Citation)
                return [citation(found)]
    return []


def evidence(quote: str) -> dict[str, Any]:
    """A quotation of the made-up card with its place."""
    start = CARD_TEXT.index(quote)
    heading = CARD_TEXT[:start].rpartition("## ")[2].split("\n")[0]
    return {"quote": quote, "file": "README.md", "start": start, "end": start + len(quote), "section": heading}


def report(step: int = 1) -> dict[str, Any]:
    """A gap report in the form of the contract over every `step`-th requirement, with each status and severity in it."""
    quotes = [CARD_TEXT.split("\n")[6], AWKWARD, "Performance on portable films is lower: |AUC| 0.86. Not evaluated in children.\n1. Do not use for follow-up."]
    findings = []
    for i, r in enumerate(corpus.requirements()[::step]):
        status = FINDING_STATUSES[(i * 5 + i // 9) % 7]
        found = {"evidence-found": 2, "partial": 1}.get(status, 0)
        facets = [
            {
                "id": f"f{n}",
                "asks": f"{r.evidence_expected} ({n + 1})",
                "status": "found" if n < found else "contradicted" if i % 13 == 4 else "missing",
                "evidence": [evidence(quotes[(i + n) % 3])] if n < found or i % 13 == 4 else [],
            }
            for n in range(2)
        ]
        findings.append(
            {
                "requirement": r.id, "title": r.title, "obligation": r.obligation, "framework": r.framework, "pinpoint": r.pinpoint.address, "citation": str(r.pinpoint),
                "legal_force": r.legal_force, "severity": r.severity, "applies_from": r.effective, "status": status, "why": f"The card shows {found} of 2 things that {r.pinpoint} asks for.",
                "facets": facets, "law": cited(r.pinpoint.address), "remedy": f"Write it down: {r.evidence_expected}.", "owner": "quality lead", "review": None,
            }
        )  # fmt: skip
    laws = [c for f in findings for c in f["law"]]
    return {
        "schema": "pincite/gaps@1", "run": "0f3c2d1e-run", "tool": "pincite 0.1.0", "as_of": "2026-11-22", "corpus_digest": "ab" * 32, "audit_head": "cd" * 32,
        "card": {"name": "LumaTriage 2.1 <script>alert(1)</script>", "sha256": "ef" * 32}, "official": f"{sum(c['layer'] == 'official' for c in laws)} of {len(laws)}",
        "facts": {"eu_market": {"value": True, "source": "regulatory lead"}, "phi": {"value": None, "source": ""}},
        "summary": {"by_status": {}, "by_framework": {}}, "findings": findings,
        "imaging": [
            {"id": "calibration", "asks": "Calibration of the output, measured", "status": "found", "evidence": [
                {"quote": "The calibration slope was 0.97.", "file": "card.md", "start": 10, "end": 41, "section": "Results", "line": 3}]},
            {"id": "sample-size", "asks": "Why the sample is large enough", "status": "missing", "evidence": []},
        ],
    }  # fmt: skip
