"""Addresses: every form people write, back and forth, order and containment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.pinpoint import KNOWN, Pinpoint, find_references, roman_value

FORMS = [
    # as written, address
    ("Art. 35(7)(a) GDPR", "gdpr:art-35(7)(a)"),
    ("Article 35(7)(a) of the GDPR", "gdpr:art-35(7)(a)"),
    ("GDPR Article 35(7)(a)", "gdpr:art-35(7)(a)"),
    ("GDPR Art 9(2)(j)", "gdpr:art-9(2)(j)"),
    ("Article 9 (2) (j) GDPR", "gdpr:art-9(2)(j)"),
    ("Art. 9.2(j) GDPR", "gdpr:art-9(2)(j)"),
    ("Art. 35 para. 7 lit. a GDPR", "gdpr:art-35(7)(a)"),
    ("Article 4, point (15), GDPR", "gdpr:art-4(15)"),
    ("Article 5(1)(f) of Regulation (EU) 2016/679", "gdpr:art-5(1)(f)"),
    ("Recital 26 GDPR", "gdpr:rec-26"),
    ("recital 71 of the GDPR", "gdpr:rec-71"),
    ("Article 10, paragraph 2, point (f) of the AI Act", "eu-ai-act:art-10(2)(f)"),
    ("Article 10(2)(f) AI Act", "eu-ai-act:art-10(2)(f)"),
    ("Art 13(3)(b)(ii) AIA", "eu-ai-act:art-13(3)(b)(ii)"),
    ("Article 4a(1) EU AI Act", "eu-ai-act:art-4a(1)"),
    ("Article 60a of the AI Act", "eu-ai-act:art-60a"),
    ("Article 5(1)(ba) of Regulation (EU) 2024/1689", "eu-ai-act:art-5(1)(ba)"),
    ("Annex IV point 2(d)", "eu-ai-act:annex-iv(2)(d)"),
    ("Annex IV, point 2(d), of the AI Act", "eu-ai-act:annex-iv(2)(d)"),
    ("Annex III point 5(d) AI Act", "eu-ai-act:annex-iii(5)(d)"),
    ("annex iv(2)(d) AI Act", "eu-ai-act:annex-iv(2)(d)"),
    ("Annex VIII, Section A, point 1 AI Act", "eu-ai-act:annex-viii-a(1)"),
    ("Annex I, Section A, point 11 AI Act", "eu-ai-act:annex-i(11)"),
    ("Annex I, Section A AI Act", "eu-ai-act:annex-i-a"),
    ("Annex XIV AI Act", "eu-ai-act:annex-xiv"),
    ("45 CFR § 164.308(a)(1)(ii)(A)", "hipaa:164.308(a)(1)(ii)(A)"),
    ("45 CFR 164.308(a)(1)(ii)(A)", "hipaa:164.308(a)(1)(ii)(A)"),
    ("45 C.F.R. § 164.514(b)(2)(i)(R)", "hipaa:164.514(b)(2)(i)(R)"),
    ("§ 164.312(a)(2)(iv)", "hipaa:164.312(a)(2)(iv)"),
    ("section 164.404", "hipaa:164.404"),
    ("164.502(b)", "hipaa:164.502(b)"),
    ("45 CFR § 160.103 “business associate”", "hipaa:160.103/business-associate"),
    ("section 8(5) DPDP Act", "dpdp:s-8(5)"),
    ("Section 8(5) of the DPDP Act", "dpdp:s-8(5)"),
    ("s. 8(5) DPDPA", "dpdp:s-8(5)"),
    ("section 10(2)(a) of the Digital Personal Data Protection Act, 2023", "dpdp:s-10(2)(a)"),
    ("Schedule DPDP Act", "dpdp:sch"),
    ("Rule 7(2)(a) DPDP Rules", "dpdp-rules:r-7(2)(a)"),
    ("rule 6(1)(e) of the DPDP Rules, 2025", "dpdp-rules:r-6(1)(e)"),
    ("Third Schedule DPDP Rules", "dpdp-rules:sch-3"),
    ("21 CFR 820.10(b)", "fda:21cfr-820.10(b)"),
    ("21 CFR § 892.2080(b)(1)(ii)", "fda:21cfr-892.2080(b)(1)(ii)"),
    ("21 CFR 11.10(e)", "fda:21cfr-11.10(e)"),
    ("21 CFR 1271.3", "fda:21cfr-1271.3"),
    ("Section 524B(b)(3) of the FD&C Act", "fda:fdca-524b(b)(3)"),
    ("FD&C Act section 524B(b)(3)", "fda:fdca-524b(b)(3)"),
    ("FDCA 515C(b)(1)", "fda:fdca-515c(b)(1)"),
    ("21 USC 360n-2(b)(3)", "fda:fdca-524b(b)(3)"),
    ("21 U.S.C. § 360e-4", "fda:fdca-515c"),
    ("21 U.S.C. 360j(o)(1)(E)", "fda:fdca-520(o)(1)(e)"),
    ("section 524B", "fda:fdca-524b"),
    ("Art. 10(2) MDR", "mdr:art-10(2)"),
    ("MDR Annex VIII Rule 11", "mdr:annex-viii(rule-11)"),
    ("Rule 11 MDR", "mdr:annex-viii(rule-11)"),
    ("Annex I point 17.2 MDR", "mdr:annex-i(17.2)"),
]

AMBIGUOUS = [
    "Article 6",
    "Article 6(1)(b)",
    "section 8",
    "paragraph 2",
    "the Act",
    "",
    "GDPR and AI Act",
    "Article 5 GDPR or Article 5 AI Act",
    "§",
    "Rule 5",
    "12.5 mg",
    "45 CFR 46.101",
]

CANONICAL = [
    "eu-ai-act:art-10(2)(f)", "eu-ai-act:art-4a(1)", "eu-ai-act:art-3(14)", "eu-ai-act:annex-iv(2)(d)", "eu-ai-act:rec-71", "gdpr:art-35(7)(a)",
    "gdpr:rec-26", "hipaa:164.308(a)(1)(ii)(A)", "hipaa:164.514(b)(2)(i)", "dpdp:s-8(5)", "dpdp:sch", "dpdp:sch(1)", "dpdp-rules:r-7(2)(a)", "dpdp-rules:sch-3",
    "dpdp-rules:sch-4-part-a(1)", "fda:21cfr-820.10(b)", "fda:fdca-524b(b)(3)", "fda:pccp-2025:modification-protocol", "mdr:art-10(2)", "mdr:annex-viii",
    "mdr:annex-viii(rule-11)", "mdr:annex-i(17.2)", "principles:human-oversight", "eu-ai-act:annex-viii-a(1)", "eu-ai-act:annex-xi-1(1)(a)", "eu-ai-act:annex-i(11)",
    "eu-ai-act:annex-ii(#3)", "hipaa:160.103/protected-health-information", "eu-ai-act:ch-3-sec-2", "hipaa:164-subpart-c", "acme:Doc 3 / x", "pdpa:Section 24 (Protection)",
]  # fmt: skip


@pytest.mark.parametrize(("written", "address"), FORMS)
def test_forms_people_write(written: str, address: str) -> None:
    found = Pinpoint.parse(written)
    assert found is not None
    assert found.address == address


@pytest.mark.parametrize("written", AMBIGUOUS)
def test_unclear_text_is_no_address(written: str) -> None:
    assert Pinpoint.parse(written) is None


@pytest.mark.parametrize("address", CANONICAL)
def test_canonical_and_lawyers_form_are_inverse(address: str) -> None:
    found = Pinpoint.parse(address)
    assert found is not None
    assert found.address == address
    assert Pinpoint.parse(str(found)) == found


@pytest.mark.parametrize("address", [a for _, a in FORMS])
def test_lawyers_form_of_every_form_parses_back(address: str) -> None:
    found = Pinpoint.parse(address)
    assert found is not None
    assert Pinpoint.parse(str(found)) == found


LETTERS = st.sampled_from("abcdefghjk")
NUMBERS = st.integers(1, 60).map(str)
ROMANS = st.sampled_from(["i", "ii", "iii", "iv", "v", "vi", "ix", "x"])


@st.composite
def pinpoints(draw: st.DrawFn) -> Pinpoint:
    instrument = draw(st.sampled_from(["gdpr", "eu-ai-act", "mdr", "hipaa", "dpdp", "dpdp-rules", "fda"]))
    roots = {
        "hipaa": st.sampled_from(["164.308", "160.103", "162.404"]),
        "dpdp": st.integers(1, 44).map("s-{}".format),
        "dpdp-rules": st.integers(1, 23).map("r-{}".format),
        "fda": st.sampled_from(["21cfr-820.10", "21cfr-11.300", "fdca-524b", "fdca-510"]),
    }
    root = draw(roots.get(instrument, st.integers(1, 113).map("art-{}".format)))
    levels = [LETTERS, NUMBERS, ROMANS] if instrument in ("hipaa", "fda") else [NUMBERS, LETTERS, ROMANS]
    steps = [draw(level) for level in levels[: draw(st.integers(0, 3))]]
    return Pinpoint(instrument, root).child(*steps)


@given(pinpoints())
def test_parse_is_the_inverse_of_print(p: Pinpoint) -> None:
    assert Pinpoint.parse(str(p)) == p
    assert Pinpoint.parse(p.address) == p


@given(pinpoints(), pinpoints())
def test_order_is_total_and_containment_agrees_with_parents(a: Pinpoint, b: Pinpoint) -> None:
    assert (a < b) + (b < a) + (a == b) == 1
    assert a.contains(a)
    if a.parent:
        assert a.parent.contains(a) and not a.contains(a.parent)
        assert a.parent < a
    if a != b and a.contains(b):
        assert not b.contains(a)


def test_order_is_the_laws_order() -> None:
    written = ["gdpr:rec-2", "gdpr:rec-10", "gdpr:art-4(2)", "gdpr:art-4(15)", "gdpr:art-9(2)(j)", "gdpr:art-35", "gdpr:art-35(7)(a)", "gdpr:art-35(7)(b)"]
    cfr = ["hipaa:164.308(a)(1)(i)", "hipaa:164.308(a)(1)(ii)(A)", "hipaa:164.308(a)(1)(v)", "hipaa:164.308(a)(1)(ix)", "hipaa:164.308(i)"]
    annexes = ["eu-ai-act:art-113", "eu-ai-act:annex-i", "eu-ai-act:annex-iv", "eu-ai-act:annex-viii", "eu-ai-act:annex-viii-a", "eu-ai-act:annex-ix"]
    for row in (written, cfr, annexes):
        points = [p for a in row if (p := Pinpoint.parse(a))]
        assert len(points) == len(row)
        assert sorted(points) == points


@pytest.mark.parametrize(
    ("outer", "inner", "holds"),
    [
        ("gdpr:art-35", "gdpr:art-35(7)(a)", True),
        ("gdpr:art-35(7)", "gdpr:art-35(7)(a)", True),
        ("gdpr:art-3", "gdpr:art-35(7)(a)", False),
        ("gdpr", "gdpr:art-3", True),
        ("hipaa:160.103", "hipaa:160.103/business-associate", True),
        ("fda:pccp-2025", "fda:pccp-2025:labeling", True),
        ("eu-ai-act:annex-v", "eu-ai-act:annex-viii", False),
        ("gdpr:art-35(7)(a)", "gdpr:art-35(7)", False),
    ],
)
def test_containment(outer: str, inner: str, holds: bool) -> None:
    a, b = Pinpoint.parse(outer), Pinpoint.parse(inner)
    assert a and b
    assert a.contains(b) is holds


@pytest.mark.parametrize(
    ("text", "default", "expected"),
    [
        ("as GDPR Article 35 and section 8(6) of the DPDP Act ask; see 45 CFR 164.404", None, ["gdpr:art-35", "dpdp:s-8(6)", "hipaa:164.404"]),
        ("in accordance with Article 6(1) and Article 9(2)(h)", "gdpr", ["gdpr:art-6(1)", "gdpr:art-9(2)(h)"]),
        ("in accordance with Article 6(1)", None, []),
        ("What does Article 10 of the AI Act ask, and Art. 9?", None, ["eu-ai-act:art-10", "eu-ai-act:art-9"]),
        ("sensitivity was 0.92 and 3.5 mm slices", None, []),
        ("see § 164.306(d)(3) for addressable", "hipaa", ["hipaa:164.306(d)(3)"]),
        ("under fda:pccp-2025:labeling.", None, ["fda:pccp-2025:labeling"]),
    ],
)
def test_references_in_running_text(text: str, default: str | None, expected: list[str]) -> None:
    found = list(find_references(text, default))
    assert [r.pinpoint.address for r in found] == expected


@given(st.text(max_size=200))
def test_any_text_is_read_without_error(text: str) -> None:
    for reference in find_references(text):
        assert reference.pinpoint.instrument in KNOWN
        assert 0 <= reference.start < reference.end <= len(text)


def test_roman_numerals() -> None:
    assert [roman_value(r) for r in ("i", "iv", "ix", "xiv", "xl", "IIII", "c", "", "vx")] == [1, 4, 9, 14, 40, None, None, None, None]
