"""The forms of the contract: how hits, citations, answers and gap analyses are written as JSON."""

from collections.abc import Mapping
from typing import Any

from assistant import __version__, corpus
from assistant.findings import Evidence, FacetResult, GapAnalysis
from assistant.law import Answer, Citation, Claim, Hit


def hit_json(h: Hit) -> dict[str, Any]:
    """A hit in the form of the contract."""
    p = h.passage
    return {
        "pinpoint": p.pinpoint.address, "citation": str(p.pinpoint), "instrument": p.instrument, "version": p.version, "layer": p.layer, "provenance": p.provenance,
        "status": p.status, "applies_from": p.applies_from, "note": p.note, "heading": p.heading or (p.trail[-1] if p.trail else ""), "text": p.text, "score": round(h.score, 4), "via": list(h.via),
    }  # fmt: skip


def citation_json(c: Citation) -> dict[str, Any]:
    """A citation in the form of the contract."""
    return {
        "pinpoint": c.pinpoint.address, "citation": str(c.pinpoint), "instrument": c.instrument, "version": c.version, "layer": c.layer, "provenance": c.provenance, "quote": c.quote,
        "start": c.start, "end": c.end, "source_sha256": c.source_sha256, "status": c.status, "applies_from": c.applies_from, "note": c.note,
        "link": corpus.manifest().deep_link(c.pinpoint, c.version),
    }  # fmt: skip


def claim_json(c: Claim) -> dict[str, Any]:
    """A claim in the form of the contract."""
    return {"text": c.text, "phrased_by": c.phrased_by, "citations": [citation_json(x) for x in c.citations]}


def answer_json(a: Answer) -> dict[str, Any]:
    """An answer in the form of the contract."""
    return {"abstained": a.abstained, "reason": a.reason, "claims": [claim_json(c) for c in a.claims], "notes": list(a.notes), "official": a.official()}


def facet_json(x: FacetResult, texts: Mapping[str, str]) -> dict[str, Any]:
    """What a card says on one facet; `doubted`, where a language model lowered it, holds the quotations it doubts."""

    def shown(e: Evidence) -> dict[str, Any]:
        line = texts.get(e.file, "").count("\n", 0, e.start) + 1
        return {"quote": e.quote, "file": e.file, "start": e.start, "end": e.end, "section": e.section, "line": line}

    out = {"id": x.facet.id, "asks": x.facet.asks, "status": x.status, "evidence": [shown(e) for e in x.evidence]}
    return {**out, "doubted": [shown(e) for e in x.doubted]} if x.doubted else out


def gaps_json(g: GapAnalysis) -> dict[str, Any]:
    """A gap analysis in the form of the contract, without the run's stamp."""
    texts = {f.name: f.text for f in g.card.files}
    findings = []
    for f in g.findings:
        r = f.requirement
        facets = [facet_json(x, texts) for x in f.facets]
        findings.append(
            {
                "requirement": r.id, "title": r.title, "obligation": r.obligation, "framework": r.framework, "pinpoint": r.pinpoint.address, "citation": str(r.pinpoint),
                "legal_force": r.legal_force, "severity": r.severity, "applies_from": f.applies_from, "status": f.status, "why": f.why, "facets": facets,
                "law": [citation_json(c) for c in f.law], "remedy": r.remedy, "owner": r.owner, "review": None,
            }
        )  # fmt: skip
    by_framework: dict[str, dict[str, int]] = {}
    for f in g.findings:
        row = by_framework.setdefault(f.requirement.framework, {})
        row[f.status] = row.get(f.status, 0) + 1
    laws = [c for f in g.findings for c in f.law]
    return {
        "schema": "pincite/gaps@1", "tool": f"pincite {__version__}", "as_of": g.as_of, "corpus_digest": g.corpus_digest, "catalogue": corpus.catalogue_digest(),
        "card": {"name": g.card.name, "sha256": g.card.sha256, "files": [f.name for f in g.card.files]}, "official": f"{sum(c.layer == 'official' for c in laws)} of {len(laws)}",
        "facts": {name: {"value": x.value, "source": x.source} for name, x in sorted(g.facts.items())},
        "summary": {"by_status": g.by_status(), "by_framework": by_framework}, "findings": findings,
        "imaging": [facet_json(x, texts) for x in g.imaging],
    }  # fmt: skip
