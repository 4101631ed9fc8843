"""Cross-references: a table of sentences as the laws write them, and what each names from where it stands."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.ingest import read_source, reader_name
from assistant.law import Instrument, Provision, Span
from assistant.pinpoint import Pinpoint
from assistant.references import references_in

# One provision a word; indentation is what holds what.
LAWS = {
    "eu-ai-act": """
ch-3
  ch-3-sec-1
    art-6
      art-6(1) art-6(2)
      art-6(3)
        art-6(3)(a) art-6(3)(b) art-6(3)(c) art-6(3)(d)
      art-6(4)
    art-7
      art-7(1)
        art-7(1)(a)
          art-7(1)(a)(i) art-7(1)(a)(ii)
        art-7(1)(b)
  ch-3-sec-2
    art-8 art-9 art-10 art-11 art-12 art-13 art-14 art-15
    art-16
      art-16(a) art-16(b)
  ch-3-sec-3
art-102
annex-iii
  annex-iii(1)
    annex-iii(1)(a)
  annex-iii(2) annex-iii(3) annex-iii(4)
annex-viii
  annex-viii-a
    annex-viii-a(1) annex-viii-a(2)
""",
    "gdpr": """
art-6
  art-6(1)
    art-6(1)(a) art-6(1)(b) art-6(1)(f)
  art-6(2)
art-9
  art-9(2)
    art-9(2)(a) art-9(2)(b)
art-13 art-14
rec-26
""",
    "hipaa": """
164
  164-subpart-c
    164.306
      164.306(a)
        164.306(a)(1) 164.306(a)(2)
          164.306(a)(2)(i) 164.306(a)(2)(ii)
      164.306(b)
        164.306(b)(2)
      164.306(c)
      164.306(d)
        164.306(d)(3)
    164.312
    164.314
  164-subpart-e
    164.501
      164.501/marketing
        164.501/marketing(1) 164.501/marketing(2)
""",
    "fda": """
21cfr-820
  21cfr-820-subpart-b
    21cfr-820.35
      21cfr-820.35(a)
        21cfr-820.35(a)(1)
    21cfr-820.45
""",
    "dpdp": """
s-5
s-6
  s-6(1)
  s-6(2)
    s-6(2)(a) s-6(2)(b)
s-7 s-8
sch
  sch(1)
""",
    "dpdp-rules": """
r-6
r-7
  r-7(1)
    r-7(1)(a)
  r-7(2)
sch-1
  sch-1-part-a
    sch-1-part-a(1)
""",
}
CASES: tuple[tuple[str, str, str], ...] = (  # source, its sentence, what it names
    # European Union: from where it stands
    ("eu-ai-act:art-6(3)", "By derogation from paragraph 2, it is not.", "art-6(2)"),
    ("eu-ai-act:art-6(3)(a)", "as set out in paragraphs 1 and 4", "art-6(1) art-6(4)"),
    ("eu-ai-act:art-6(4)", "as set out in paragraphs 1, 2 and 3", "art-6(1) art-6(2) art-6(3)"),
    ("eu-ai-act:art-6(4)", "as set out in paragraphs 1 to 3", "art-6(1) art-6(2) art-6(3)"),
    ("eu-ai-act:art-6(4)", "the conditions of point (a) of paragraph 3", "art-6(3)(a)"),
    ("eu-ai-act:art-6(4)", "the conditions of paragraph 3, point (b),", "art-6(3)(b)"),
    ("eu-ai-act:art-6(4)", "paragraph 3, first subparagraph, points (a) and (b)", "art-6(3)(a) art-6(3)(b)"),
    ("eu-ai-act:art-6(3)", "the conditions in points (a) to (c)", "art-6(3)(a) art-6(3)(b) art-6(3)(c)"),
    ("eu-ai-act:art-6(3)(d)", "where point (b) does not apply", "art-6(3)(b)"),
    ("eu-ai-act:art-16(a)", "where point (b) does not apply", "art-16(b)"),
    ("eu-ai-act:art-7(1)(a)(ii)", "where point (i) does not apply", "art-7(1)(a)(i)"),
    ("eu-ai-act:art-6(3)(a)", "Notwithstanding the first subparagraph, it is.", "art-6(3)"),
    ("eu-ai-act:art-6(3)", "as referred to in this Article", "art-6"),
    ("eu-ai-act:art-6(3)", "the requirements of Section 2 of this Chapter", "ch-3-sec-2"),
    ("eu-ai-act:art-6(3)", "the requirements of Sections 2 and 3 of this Chapter", "ch-3-sec-2 ch-3-sec-3"),
    ("eu-ai-act:art-6(3)", "the requirements of Chapter III, Section 2", "ch-3-sec-2"),
    ("eu-ai-act:art-102", "Chapter III Section 2 applies", "ch-3-sec-2"),
    ("eu-ai-act:art-6(3)", "the bodies in this Section", "ch-3-sec-1"),
    ("eu-ai-act:annex-viii-a(2)", "as named in point 1", "annex-viii-a(1)"),
    # ... what is not there is not named
    ("eu-ai-act:art-6(3)", "paragraph 9 of it", ""),
    ("eu-ai-act:art-6(4)", "point (a) applies", ""),
    ("eu-ai-act:art-6(3)", "Chapter IX applies", ""),
    ("eu-ai-act:art-6(3)", "Article 99 applies", ""),
    # ... in full
    ("eu-ai-act:art-8", "Article 6(1) and (2)", "art-6(1) art-6(2)"),
    ("eu-ai-act:art-8", "Articles 13 and 14", "art-13 art-14"),
    ("eu-ai-act:art-7", "Articles 8 to 11", "art-8 art-9 art-10 art-11"),
    ("eu-ai-act:art-8", "Article 6(1) and 30 days later", "art-6(1)"),
    ("eu-ai-act:art-8", "Article 6(7)", "art-6"),
    ("eu-ai-act:art-8", "Annex III", "annex-iii"),
    ("eu-ai-act:art-8", "point 1(a) of Annex III", "annex-iii(1)(a)"),
    ("eu-ai-act:art-8", "Annexes III to VIII", "annex-iii annex-viii"),
    ("eu-ai-act:art-8", "points 1 to 4 of Annex III", "annex-iii(1) annex-iii(2) annex-iii(3) annex-iii(4)"),
    ("eu-ai-act:art-8", "Annex III, points 2 and 3", "annex-iii(2) annex-iii(3)"),
    ("eu-ai-act:art-8", "Section A, point 1, of Annex VIII", "annex-viii-a(1)"),
    ("eu-ai-act:art-9", "Article 6(3) applies; paragraph 4 of that Article does not", "art-6(3) art-6(4)"),
    # ... other acts
    ("eu-ai-act:art-8", "Article 9 of Directive 95/46/EC", ""),
    ("eu-ai-act:art-8", "Article 9 and Article 10 of Directive 95/46/EC", ""),
    ("eu-ai-act:art-8", "as in Article 4, point (1), of Regulation (EU) 2016/679", "gdpr:art-4(1)"),
    ("eu-ai-act:art-8", "Article 10(1) of Regulation (EU) 2018/1725", ""),
    ("eu-ai-act:art-8", "Article 16 TFEU and Articles 7 and 8 of the Charter", ""),
    ("eu-ai-act:art-8", "Regulation (EU) 2019/881, in particular Article 9", ""),
    ("eu-ai-act:art-102", "In it the following subparagraph is added: under Article 9 or Article 8 of Regulation (EU) 2024/1689", "art-9 art-8"),
    ("eu-ai-act:art-102", "In it the following subparagraph is added: see Article 9", ""),
    ("gdpr:art-13", "point (a) of Article 6(1) or point (a) of Article 9(2)", "art-6(1)(a) art-9(2)(a)"),
    ("gdpr:art-13", "point (a) or point (b) of Article 9(2)", "art-9(2)(a) art-9(2)(b)"),
    ("gdpr:rec-26", "under Article 6(1)(f) of this Regulation", "art-6(1)(f)"),
    # Code of Federal Regulations
    ("hipaa:164.306(b)", "under paragraph (a)(1) of this section", "164.306(a)(1)"),
    ("hipaa:164.306(a)", "under paragraphs (b)(2) and (c) of this section", "164.306(b)(2) 164.306(c)"),
    ("hipaa:164.306(b)", "under paragraph (a)(2)(i) or (ii) of this section", "164.306(a)(2)(i) 164.306(a)(2)(ii)"),
    ("hipaa:164.306(b)", "under paragraphs (a) through (d) of this section", "164.306(a) 164.306(b) 164.306(c) 164.306(d)"),
    ("hipaa:164.306(b)", "see § 164.306(a)(2)(i)–(ii)", "164.306(a)(2)(i) 164.306(a)(2)(ii)"),
    ("hipaa:164.306(b)", "in § 164.312, § 164.314, or § 164.501 of this subpart", "164.312 164.314 164.501"),
    ("hipaa:164.306(b)", "see § 164.306(d)(3)", "164.306(d)(3)"),
    ("hipaa:164.306(b)", "see §§ 164.312 and 164.314", "164.312 164.314"),
    ("hipaa:164.306(b)", "paragraph (a) of § 164.306", "164.306(a)"),
    ("hipaa:164.306(b)", "required by this section and by subpart C of this part", "164.306 164-subpart-c"),
    ("hipaa:164.306(b)", "subpart C of part 160 of this subchapter", "160-subpart-c"),
    ("hipaa:164.306(b)", "paragraph (a)(1) of this section, §§ 164.312, and 164.314", "164.306(a)(1) 164.312 164.314"),
    ("hipaa:164.306(b)", "42 CFR 493.2, 29 CFR part 160 and section 264 of Public Law 104-191", ""),
    ("hipaa:164.501/marketing(2)", "paragraph (1) of this definition", "164.501/marketing(1)"),
    ("hipaa:164.306(b)", "paragraph (1) of the definition of marketing", ""),
    ("fda:21cfr-820.45", "see § 820.35(a)(1) and 21 U.S.C. 360n-2", "fdca-524b 21cfr-820.35(a)(1)"),
    ("fda:21cfr-820.45", "section 520(e) of the act, in subpart B of this part", "fdca-520(e) 21cfr-820-subpart-b"),
    # India
    ("dpdp:s-6(2)", "referred to in sub-section (1)", "s-6(1)"),
    ("dpdp:s-8", "under section 7", "s-7"),
    ("dpdp:s-8", "under sub-section (1) of section 6", "s-6(1)"),
    ("dpdp:s-6(1)", "under clause (b) of sub-section (2)", "s-6(2)(b)"),
    ("dpdp:s-8", "under sections 5 to 7, as in the Schedule", "s-5 s-6 s-7 sch"),
    ("dpdp:s-8", "section 14 of the Telecom Regulatory Authority of India Act, 1997", ""),
    ("dpdp-rules:r-7(2)", "rule 6 and sub-rule (1) and Part A of the First Schedule", "r-6 r-7(1) sch-1-part-a"),
    ("dpdp-rules:r-7(2)", "under rule 6, clauses (a) and (d) of rule 7 and rule 17 of the Central Civil Services Rules", ""),
    ("dpdp-rules:r-7(2)", "clause (b) of sub-section (2) of section 6 of the Act", "dpdp:s-6(2)(b)"),
)  # fmt: skip


def made_up(source: str, sentence: str) -> Instrument:
    """The little law of `source`'s instrument, with `sentence` as that provision's own words."""
    name = source.partition(":")[0]
    rows = [(len(line) - len(line.lstrip()), path) for line in LAWS[name].splitlines() for path in line.split()]
    text, starts, ends, parents, open_rows = "", [0] * len(rows), [0] * len(rows), [-1] * len(rows), list[int]()
    for n, (depth, path) in enumerate(rows):
        while open_rows and rows[open_rows[-1]][0] >= depth:
            ends[open_rows.pop()] = len(text)
        parents[n] = open_rows[-1] if open_rows else -1
        starts[n] = len(text)
        text += (sentence if f"{name}:{path}" == source else "Words.") + "\n"
        open_rows.append(n)
    for n in open_rows:
        ends[n] = len(text)
    provisions = tuple(
        Provision(Pinpoint(name, p), "container" if p.startswith(("ch-", "annex-viii-")) and "(" not in p else "paragraph", "", "", Span(s, e), up)
        for (_, p), s, e, up in zip(rows, starts, ends, parents, strict=True)
    )
    return Instrument(name, name, "Made up", "regulation", "2026-01-01", "official", "original", "test", "made-up", "0" * 64, text, provisions)


@pytest.mark.parametrize(("source", "sentence", "expected"), CASES)
def test_a_sentence_names_what_a_lawyer_would_read(source: str, sentence: str, expected: str) -> None:
    name = source.partition(":")[0]
    found = list(references_in(made_up(source, sentence)))
    wanted = [t if ":" in t else f"{name}:{t}" for t in expected.split()]
    assert sorted(t for _, t, _ in found) == sorted(wanted)
    assert all(s == source for s, _, _ in found)


def test_the_span_is_the_words_that_name() -> None:
    law = made_up("eu-ai-act:art-6(3)", "By derogation from paragraph 2, it is not.")
    assert [span.of(law.text) for _, _, span in references_in(law)] == ["paragraph 2"]


REAL = (  # file, how many at least, and some that must be among them
    ("corpus/gdpr/gdpr-oj-2016-en.eurlex.html", 650, {("gdpr:art-49(4)", "gdpr:art-49(1)(d)"), ("gdpr:art-20(1)(a)", "gdpr:art-9(2)(a)")}),
    (
        "corpus/hipaa/45cfr-part164.ecfr-web.html",
        650,
        {
            ("hipaa:164.314(a)(2)(i)(B)", "hipaa:164-subpart-c"),
            ("hipaa:164.404(d)(2)", "hipaa:164.404(d)(1)(i)"),
            ("hipaa:164.316(a)", "hipaa:164.306(b)(2)(iii)"),
        },
    ),
    (
        "corpus/fda/21cfr-parts-800-898-md/part-812.md",
        150,
        {("fda:21cfr-812.35(a)(3)", "fda:21cfr-812.35(a)(3)(ii)"), ("fda:21cfr-812.38(b)(3)", "fda:21cfr-812.38(c)")},
    ),
)


@pytest.mark.parametrize(("file", "least", "among"), REAL)
def test_real_laws(shared: Callable[[str], Path], file: str, least: int, among: set[tuple[str, str]]) -> None:
    path = shared(file)
    data = path.read_bytes()
    reader = reader_name(path.name, data[:65536])
    assert reader
    found = [(law, r) for law in read_source(reader, [(path.name, data)]) for r in references_in(law)]
    pairs = {(s, t) for _, (s, t, _) in found}
    assert len(found) >= least
    assert among <= pairs
    for law, (source, target, span) in found:
        own = {p.pinpoint.address for p in law.provisions}
        part = re.escape(law.provisions[-1].pinpoint.address.split(".")[0])
        assert source in own
        assert span.of(law.text).strip()
        assert target in own or not re.match(part + r"\." if law.id in ("hipaa", "fda") else f"{law.id}:", target)
