"""The seven packs against the catalogue, the card's fields, the shipped digests and the official texts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from assistant import corpus, modelcard, packs
from assistant.errors import UsageError
from assistant.law import FRAMEWORKS
from assistant.readers import eurlex

IDS = ["dpdp-assessment", "eu-ai-act-annex-iv", "eu-declaration-of-conformity", "fda-device-software", "fda-pccp", "gdpr-dpia", "hipaa-risk-analysis"]


def test_the_seven_packs() -> None:
    assert list(packs.pack_ids()) == IDS


@pytest.mark.parametrize("name", IDS)
def test_a_pack_is_whole(name: str) -> None:
    pack = packs.pack(name)
    known = {r.id for r in corpus.requirements()}
    digests = {p.pinpoint.address for i in corpus.digest_instruments() for p in i.provisions}
    elements = pack.elements()
    assert pack.framework in FRAMEWORKS
    assert len({e.id for e in elements}) == len(elements)
    assert len({s.id for s in pack.sections}) == len(pack.sections)
    for e in elements:
        assert set(e.requirements) <= known, e.id
        assert {*e.fields, *e.needs} <= set(modelcard.FIELDS), e.id
        assert set(e.levels) <= set(pack.levels), e.id
        assert e.ask.endswith((".", "?", ")")) and e.owner and e.must.endswith("."), e.id
        here, chain = e.pinpoint, [e.pinpoint.address]
        while here.parent is not None:
            here = here.parent
            chain.append(here.address)
        assert digests & set(chain), f"{e.id}: nothing to cite at {e.pinpoint}"


@pytest.mark.parametrize(
    ("pack", "sections", "elements"),
    [
        ("eu-ai-act-annex-iv", 9, 24),  # nine headings; points (a) to (h) of the first two
        ("eu-declaration-of-conformity", 5, 8),  # eight items
        ("fda-device-software", 10, 10),  # ten elements
        ("fda-pccp", 3, 10),  # three parts
    ],
)
def test_a_pack_has_the_parts_its_source_names(pack: str, sections: int, elements: int) -> None:
    assert len(packs.pack(pack).sections) >= sections
    assert len(packs.pack(pack).elements()) >= elements


def test_ten_software_elements_at_each_level() -> None:
    elements = packs.pack("fda-device-software").elements()
    for level in ("basic", "enhanced"):
        kept = {e.pinpoint.address for e in elements if not e.levels or level in e.levels}
        topics = "documentation-level software-description risk-management-file srs architecture sds development-practices testing version-history anomalies"
        assert kept == {f"fda:sw-functions-2023:{t}" for t in topics.split()}


@pytest.mark.parametrize(
    ("pack", "file", "root", "below"),
    [
        ("eu-ai-act-annex-iv", "corpus/eu-ai-act/aiact-oj-2024-en.eurlex.html", "eu-ai-act:annex-iv", "eu-ai-act:annex-iv"),
        ("eu-declaration-of-conformity", "corpus/eu-ai-act/aiact-oj-2024-en.eurlex.html", "eu-ai-act:annex-v", "eu-ai-act:annex-v"),
        ("gdpr-dpia", "corpus/gdpr/gdpr-oj-2016-en.eurlex.html", "gdpr:art-35(7)", "gdpr:art-35(7)"),
    ],
)
def test_every_point_of_the_official_text_has_its_element(pack: str, file: str, root: str, below: str, shared: Callable[[str], Path]) -> None:
    path = shared(file)
    text = eurlex.read([(path.name, path.read_bytes())])[0]
    inside = [p.pinpoint for p in text.provisions if corpus.pinpoint(root).contains(p.pinpoint) and p.pinpoint.address != root]
    parents = {p.parent.address for p in inside if p.parent}
    points = {p.address for p in inside} - parents
    assert len(points) >= 4
    assert points <= {e.pinpoint.address for e in packs.pack(pack).elements()}


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("Data management practices", "fda:pccp-2025:data-management"),
        ("Re-training practices", "fda:pccp-2025:re-training"),
        ("Performance evaluation", "fda:pccp-2025:performance-evaluation"),
        ("Update procedures", "fda:pccp-2025:update-procedures"),
        ("Description of Modifications", "fda:pccp-2025:description-of-modifications"),
        ("Impact Assessment", "fda:pccp-2025:impact-assessment"),
    ],
)
def test_every_part_of_the_change_plan_guidance_has_its_element(topic: str, words: str, shared: Callable[[str], Path]) -> None:
    guidance = shared("corpus/fda/guidance-md/012-predetermined-change-control-plan-ai-dsf.md").read_text("utf8")
    assert topic in guidance
    assert words in {e.pinpoint.address for e in packs.pack("fda-pccp").elements()}


def test_an_unknown_pack_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="no pack 'x'") as error:
        packs.pack("x")
    assert "gdpr-dpia" in error.value.hint


def test_conflicts_need_two_frameworks_and_show_only_theirs() -> None:
    assert packs.conflicts_between(["gdpr"]) == ()
    found = {c.id: c for c in packs.conflicts_between(["gdpr", "hipaa"])}
    assert {"retention", "breach-clocks"} <= set(found)
    assert {p.framework for c in found.values() for p in c.positions} == {"gdpr", "hipaa"}
    assert {c.id for c in packs.conflicts()} >= {"retention", "breach-clocks", "bias-testing"}


def test_every_position_of_a_conflict_can_be_read() -> None:
    held = {p.pinpoint.address for i in corpus.digest_instruments() for p in i.provisions}
    for conflict in packs.conflicts():
        for position in conflict.positions:
            around, here = {position.pinpoint.address}, position.pinpoint
            while here.parent is not None:
                here = here.parent
                around.add(here.address)
            assert around & held, f"{conflict.id}: {position.pinpoint}"
            assert corpus.manifest().deep_link(position.pinpoint).startswith("https://")
