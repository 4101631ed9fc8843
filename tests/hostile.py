"""Documents that mean harm or were harmed on the way, made up here: (name, bytes) of about 150 files. Deterministic."""

import gzip
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping

EURLEX = '<html><head><title>EUR-Lex</title></head><body><div class="eli-container"><p class="oj-doc-ti">REGULATION (EU) 2016/679</p>{}</body></html>'
FORMEX = '<?xml version="1.0" encoding="UTF-8"?><ACT><TITLE><TI><P>Regulation (EU) 2016/679</P></TI></TITLE>{}</ACT>'
ECFR = '<?xml version="1.0"?><DLPSTEXTCLASS><TEXT><BODY><ECFRBRWS><DIV5 N="164" TYPE="PART"><HEAD>PART 164</HEAD>{}</DIV5></ECFRBRWS></BODY></TEXT></DLPSTEXTCLASS>'
CHAI = '<?xml version="1.0"?><AppliedModelCard xmlns="urn:x"><BasicInfo><ModelName>M</ModelName>{}</BasicInfo></AppliedModelCard>'
CARD = "---\nlicense: mit\n{}\n---\n# Model\n\nA model for chest radiographs.\n"
DOCX_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
DOCX_RELS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>'
)
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def zipped(members: Mapping[str, bytes | str], level: int = 6) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return out.getvalue()


def docx(body: str, extra: Mapping[str, bytes | str] | None = None, head: str = "") -> bytes:
    document = f'<?xml version="1.0"?>{head}<w:document {W}><w:body>{body}</w:body></w:document>'
    return zipped({"[Content_Types].xml": DOCX_TYPES, "_rels/.rels": DOCX_RELS, "word/document.xml": document, **(extra or {})})


def pdf(objects: list[bytes], trailer: bytes = b"", root: int = 1) -> bytes:
    """A PDF of these objects, numbered from 1."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for n, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (n, body)
    at = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(b"%010d 00000 n \n" % p for p in places)
    out += b"trailer\n<< /Size %d /Root %d 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, root, trailer, at)
    return bytes(out)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"


def text_pdf(words: bytes = b"Article 1 Subject matter") -> bytes:
    return pdf([CATALOG, PAGES, PAGE, stream(b"BT /F1 12 Tf 72 700 Td (" + words + b") Tj ET"), FONT])


def pdfs() -> Iterator[tuple[str, bytes]]:
    good = text_pdf()
    yield "image-only.pdf", pdf([CATALOG, PAGES, PAGE, stream(b"q 600 0 0 700 0 0 cm /I Do Q"), FONT])
    yield "no-pages.pdf", pdf([CATALOG, b"<< /Type /Pages /Kids [] /Count 0 >>"])
    yield "loop-kids.pdf", pdf([CATALOG, b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"])
    yield "loop-two.pdf", pdf([CATALOG, b"<< /Type /Pages /Kids [3 0 R] /Count 9 >>", b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Parent 3 0 R /Count 9 >>"])
    yield "loop-parent.pdf", pdf([CATALOG, PAGES, b"<< /Type /Page /Parent 3 0 R /Contents 4 0 R >>", stream(b"BT ET")])
    yield "self-root.pdf", pdf([b"1 0 R"])
    yield "loop-reference.pdf", pdf([b"2 0 R", b"1 0 R"])
    yield "loop-form.pdf", pdf([CATALOG, PAGES, b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >> >>",
                                stream(b"/X Do"), stream(b"/X Do /X Do", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 5 0 R >> >>")])  # fmt: skip
    wide = b"".join(b"%d 0 R " % 3 for _ in range(200_000))
    yield "many-pages.pdf", pdf([CATALOG, b"<< /Type /Pages /Kids [" + wide + b"] /Count 200000 >>", PAGE, stream(b"BT /F1 9 Tf (a) Tj ET"), FONT])
    yield "count-lies.pdf", pdf([CATALOG, b"<< /Type /Pages /Kids [3 0 R] /Count 2000000000 >>", PAGE, stream(b"BT ET"), FONT])
    bomb = zlib.compress(b"\0" * 300_000_000, 9)
    yield "bomb.pdf", pdf([CATALOG, PAGES, PAGE, stream(bomb, b"/Filter /FlateDecode"), FONT])
    twice = zlib.compress(zlib.compress(b" " * 900_000_000, 9), 9)
    yield "bomb-twice.pdf", pdf([CATALOG, PAGES, PAGE, stream(twice, b"/Filter [/FlateDecode /FlateDecode]"), FONT])
    yield "filters.pdf", pdf([CATALOG, PAGES, PAGE, stream(zlib.compress(b"x"), b"/Filter [" + b"/FlateDecode " * 5000 + b"]"), FONT])
    yield "lzw.pdf", pdf([CATALOG, PAGES, PAGE, stream(b"\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01" * 9000, b"/Filter /LZWDecode"), FONT])
    yield "runs.pdf", pdf([CATALOG, PAGES, PAGE, stream(b"\x81a" * 2_000_000, b"/Filter /RunLengthDecode"), FONT])
    yield "ascii85.pdf", pdf([CATALOG, PAGES, PAGE, stream(b"z" * 5_000_000, b"/Filter /ASCII85Decode"), FONT])
    yield (
        "predictor.pdf",
        pdf(
            [
                CATALOG,
                PAGES,
                PAGE,
                stream(zlib.compress(b"\x02" * 1000), b"/Filter /FlateDecode /DecodeParms << /Predictor 15 /Columns 2147483647 /Colors 2147483647 >>"),
                FONT,
            ]
        ),
    )
    yield "deep-array.pdf", pdf([CATALOG, PAGES, b"[" * 100_000 + b"]" * 100_000])
    yield "deep-array-used.pdf", pdf([b"<< /Type /Catalog /Pages " + b"[" * 50_000 + b"]" * 50_000 + b" >>"])
    yield (
        "deep-dictionary.pdf",
        pdf([b"<< /Type /Catalog /Pages 2 0 R /A " + b"<< /A " * 50_000 + b"1 " + b">>" * 50_000 + b" >>", PAGES, PAGE, stream(b"BT ET"), FONT]),
    )
    yield "deep-operators.pdf", pdf([CATALOG, PAGES, PAGE, stream(b"[" * 200_000), FONT])
    yield "many-operators.pdf", pdf([CATALOG, PAGES, PAGE, stream(b"q " * 5_000_000), FONT])
    yield "long-string.pdf", text_pdf(b"a" * 20_000_000)
    yield "open-string.pdf", text_pdf(b"(" * 100_000)
    yield (
        "encrypted.pdf",
        pdf(
            [
                CATALOG,
                PAGES,
                PAGE,
                stream(b"BT (secret) Tj ET"),
                FONT,
                b"<< /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O <" + b"41" * 32 + b"> /U <" + b"42" * 32 + b"> >>",
            ],
            b"/Encrypt 6 0 R /ID [<41> <41>]",
        ),
    )
    yield "encrypted-strange.pdf", pdf([CATALOG, PAGES, PAGE, stream(b"BT ET"), FONT, b"<< /Filter /Odd /V 99 /R 99 >>"], b"/Encrypt 6 0 R /ID [<41> <41>]")
    yield (
        "encrypted-aes.pdf",
        pdf(
            [
                CATALOG,
                PAGES,
                PAGE,
                stream(b"BT ET"),
                FONT,
                b"<< /Filter /Standard /V 5 /R 6 /Length 256 /P -4 /O <"
                + b"41" * 48
                + b"> /U <"
                + b"42" * 48
                + b"> /OE <"
                + b"43" * 32
                + b"> /UE <"
                + b"44" * 32
                + b"> /Perms <"
                + b"45" * 16
                + b"> >>",
            ],
            b"/Encrypt 6 0 R /ID [<41> <41>]",
        ),
    )
    yield "no-trailer.pdf", good[: good.index(b"trailer")]
    yield "no-end.pdf", good[: good.index(b"startxref")]
    yield "header-only.pdf", b"%PDF-1.7\n"
    yield "header-and-noise.pdf", b"%PDF-1.7\n" + random.Random(1).randbytes(200_000)
    yield "xref-loop.pdf", good.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev %d" % good.index(b"xref\n"))
    yield "xref-far.pdf", good[: good.index(b"startxref")] + b"startxref\n99999999999999\n%%EOF"
    yield "xref-negative.pdf", good[: good.index(b"startxref")] + b"startxref\n-5\n%%EOF"
    yield "xref-huge.pdf", good.replace(b"xref\n0 6", b"xref\n0 999999999")
    yield "half.pdf", good[: len(good) // 2]
    yield "many-starts.pdf", b"%PDF-1.7\n" + b"1 0 obj\n<<\n" * 300_000
    yield (
        "font-map.pdf",
        pdf(
            [
                CATALOG,
                PAGES,
                PAGE,
                stream(b"BT /F1 12 Tf (abc) Tj ET"),
                b"<< /Type /Font /Subtype /Type0 /BaseFont /X /ToUnicode 6 0 R >>",
                stream(b"1 beginbfrange <0000> <ffffffff> <0041> endbfrange"),
            ]
        ),
    )
    yield (
        "font-map-long.pdf",
        pdf(
            [
                CATALOG,
                PAGES,
                PAGE,
                stream(b"BT /F1 12 Tf (abc) Tj ET"),
                b"<< /Type /Font /Subtype /Type0 /BaseFont /X /ToUnicode 6 0 R >>",
                stream(b"100 beginbfrange " + b"<0000> <ffff> <0041> " * 20_000 + b"endbfrange"),
            ]
        ),
    )
    yield "objects.pdf", pdf([CATALOG, PAGES, PAGE, stream(b"BT ET"), FONT, stream(b"1 0 2 0 " * 1000, b"/Type /ObjStm /N 2000000000 /First 5")])
    chai = b"(" + b"<AppliedModelCard>" * 5 + b")"
    yield (
        "chai-broken.pdf",
        pdf([CATALOG, PAGES, PAGE, stream(b"BT /F1 9 Tf (words of a card) Tj ET"), FONT, b"<< /chaiMcXml " + chai + b" >>"], b"/Info 6 0 R"),
    )
    for seed in range(24):
        chance, data = random.Random(seed), bytearray(good)
        for _ in range(1 + seed * 2):
            data[chance.randrange(9, len(data))] = chance.randrange(256)
        yield f"noise-{seed}.pdf", bytes(data)


def xmls() -> Iterator[tuple[str, bytes]]:
    laughs = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(f'<!ENTITY {c} "{f"&{p};" * 12}">' for p, c in zip("abcdefghi", "bcdefghij", strict=True)) + "]>"
    quadratic = f'<!DOCTYPE x [<!ENTITY a "{"x" * 100_000}">]>'
    outside = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    remote = '<!DOCTYPE x SYSTEM "http://192.0.2.1/x.dtd" [<!ENTITY % p SYSTEM "http://192.0.2.1/p"> %p;]>'
    for name, form in (("chai", CHAI), ("formex", FORMEX), ("ecfr", ECFR)):
        body = form.partition("?>")
        for kind, head, use in (
            ("laughs", laughs, "&j;"),
            ("quadratic", quadratic, "&a;" * 20_000),
            ("entity-file", outside, "&a;"),
            ("dtd-remote", remote, "x"),
        ):
            yield f"{name}-{kind}.xml", (body[0] + body[1] + head + body[2].format(f"<P>{use}</P>")).encode()
        yield f"{name}-deep.xml", form.format("<P>" * 200_000).encode()
        yield f"{name}-deep-closed.xml", form.format("<P>" * 30_000 + "x" + "</P>" * 30_000).encode()
        yield f"{name}-attribute.xml", form.format(f'<P a="{"x" * 12_000_000}">x</P>').encode()
        yield f"{name}-attributes.xml", form.format("<P " + " ".join(f'a{i}="1"' for i in range(200_000)) + ">x</P>").encode()
        yield f"{name}-open.xml", form.format("<P>never closed").replace("</", "<").encode()
        yield f"{name}-nul.xml", form.format("<P>a\0b</P>").encode()
        yield f"{name}-empty.xml", form.format("").encode()
        yield f"{name}-include.xml", form.format('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/>').encode()
    yield "utf16-liar.xml", b'<?xml version="1.0" encoding="UTF-16"?><ACT/>'
    yield "utf7.xml", b'<?xml version="1.0" encoding="UTF-7"?>+ADw-AppliedModelCard+AD4-'
    yield "instruction.xml", b'<?xml version="1.0"?>' + b"<?x y?>" * 200_000 + b"<AppliedModelCard/>"


def htmls() -> Iterator[tuple[str, bytes]]:
    yield "deep.html", EURLEX.format("<div>" * 100_000).encode()
    yield "deep-tables.html", EURLEX.format("<table><tr><td>" * 20_000 + "x").encode()
    yield "attribute.html", EURLEX.format(f'<p class="{"oj-normal " * 1_000_000}">x</p>').encode()
    yield "articles-empty.html", EURLEX.format('<p class="oj-ti-art">Article 1</p>' * 50_000).encode()
    yield "one-line.html", EURLEX.format('<p class="oj-normal">' + "word " * 4_000_000 + "</p>").encode()
    yield "half.html", EURLEX.format('<p class="oj-ti-art">Article 1</p><p class="oj-normal">1. Words').encode()[:-30]
    yield "nul.html", EURLEX.format('<p class="oj-ti-art">Article\0 1</p>').encode()
    yield "script.html", EURLEX.format("<script>while(1){}</script><img src=http://192.0.2.1/x>").encode()
    yield "entities.html", EURLEX.format("&amp;" * 2_000_000 + "&#x110000;&#0;&bogus;").encode()
    yield "brackets.html", EURLEX.format("<" * 2_000_000).encode()
    yield "comments.html", EURLEX.format("<!--" * 500_000).encode()


def texts() -> Iterator[tuple[str, bytes]]:
    yield "empty.md", b""
    yield "blank.md", b" \n\t\n" * 1000
    yield "nul.md", b"# Model\0\0\0\n" * 500
    yield "only-nul.md", b"\0" * 100_000
    yield "noise.md", random.Random(2).randbytes(300_000)
    yield "not-utf8.md", "# Modell für Lungen\n".encode("latin-1") * 50 + b"\xff\xfe\xc0\x80" * 50
    yield "utf16.md", "# Model\n\nA model for lungs.\n".encode("utf-16")
    yield "utf16-odd.md", "# Model\n".encode("utf-16")[:-1]
    yield "surrogates.md", b"# Model \xed\xa0\x80\xed\xb0\x80\n" * 200
    yield "line-50mb.md", b"# M\n\n" + b"word " * 10_000_000
    yield "letters-50mb.md", b"# M\n\n" + b"a" * 50_000_000
    yield "headings.md", b"# H\n" * 200_000
    yield "heading-levels.md", b"".join(b"#" * (1 + i % 6) + b" H%d\nx\n" % i for i in range(60_000))
    yield "lists.md", b"".join(b"  " * i + b"- x\n" for i in range(2_000))
    yield "quotes.md", b"# M\n" + b">" * 100_000 + b" x\n"
    yield "brackets.md", b"# M\n" + b"[" * 100_000 + b"](" * 50_000
    yield "stars.md", b"# M\n" + b"*a_" * 200_000
    yield "ticks.md", b"# M\n" + b"`" * 200_001 + b"\n" + b"``` x\n" * 5_000
    yield "table.md", b"# M\n\n" + b"|a" * 20_000 + b"|\n" + b"|-" * 20_000 + b"|\n" + (b"|1" * 20_000 + b"|\n") * 20
    yield "tables.md", b"# M\n" + b"|a|b|\n|-|-|\n|1|2|\n\n" * 20_000
    yield "links.md", b"# M\n" + b"[a](http://192.0.2.1/x) ![b](http://192.0.2.1/y) " * 30_000
    yield "html-in-markdown.md", b"# M\n" + b"<div>" * 100_000
    yield "comment-open.md", b"# M\n<!-- " + b"- " * 500_000
    yield "comments.md", b"# M\n" + b"<!-- " * 100_000 + b"-->"
    yield "spaces.md", b"# M\n\nSensitivity " + b" " * 300_000 + b"was 0.9"
    yield "digits.md", b"# M\n\nSensitivity was " + b"9" * 300_000 + b".\n"
    yield "decimals.md", b"# M\n\n" + b"1.2.3.4.5." * 60_000
    yield "sentences.md", b"# M\n\n" + b"No. " * 200_000
    yield "same-sentence.md", b"# M\n\n" + b"The model was evaluated on 500 chest radiographs from three hospitals. " * 20_000
    yield "commas.md", b"# M\n\n" + b"not, " * 200_000
    yield "hyphens.md", b"# M\n\n" + b"-\n" * 300_000
    yield "colons.md", b"# M\n\n" + b"Name: " * 100_000
    yield "parentheses.md", b"# M\n\n" + b"(" * 100_000 + b")" * 100_000
    yield "soft.md", b"# M\n\n" + "\u00ad\u200b\u202e\ufeff".encode() * 200_000
    yield "combining.md", b"# M\n\na" + "\u0301".encode() * 300_000
    yield (
        "yaml-bomb.md",
        CARD.format(
            "a: &a [x,x,x,x,x,x,x,x,x]\n" + "\n".join(f"{c}: &{c} [{','.join(['*' + p] * 9)}]" for p, c in zip("abcdefgh", "bcdefghi", strict=True))
        ).encode(),
    )
    yield "yaml-python.md", CARD.format("model: !!python/object/apply:os.system ['true']").encode()
    yield "yaml-deep.md", CARD.format("model: " + "[" * 100_000).encode()
    yield "yaml-deep-closed.md", CARD.format("model: " + "[" * 3000 + "]" * 3000).encode()
    yield "yaml-block-deep.md", CARD.format("\n".join(" " * i + "a:" for i in range(3000))).encode()
    yield "yaml-loop.md", CARD.format("a: &a [*a]").encode()
    yield "yaml-merge.md", CARD.format("a: &a {x: 1}\n" + "b: {<<: [" + ",".join(["*a"] * 30_000) + "]}").encode()
    yield "yaml-open.md", b"---\nlicense: mit\n" + b"a: 'never closed\n" * 1000
    yield "yaml-tab.md", CARD.format("\ta: b").encode()
    yield "yaml-keys.md", CARD.format("\n".join(f"k{i}: v" for i in range(60_000))).encode()
    yield "yaml-results.md", CARD.format("model-index:\n- name: x\n  results: 5").encode()
    yield "yaml-number.md", CARD.format("model: " + "1" * 50_000 + "\nother: 1e999\nday: 9999-99-99").encode()
    yield "deep.json", b"[" * 200_000
    yield "deep-closed.json", b'{"a":' * 20_000 + b"1" + b"}" * 20_000
    yield "number.json", b'{"name": "m", "version": ' + b"9" * 100_000 + b"}"
    yield "wide.json", b"{" + b",".join(b'"k%d": "v"' % i for i in range(150_000)) + b"}"
    yield "cut.json", b'{"name": "model", "description": "A mod'


def packed() -> Iterator[tuple[str, bytes]]:
    para = "<w:p><w:r><w:t>Words of a card.</w:t></w:r></w:p>"
    good = docx(para * 20)
    yield "bomb.docx", docx("<w:p><w:r><w:t>" + "a" * 400_000_000 + "</w:t></w:r></w:p>")
    yield "bomb-beside.docx", docx(para, {"word/media/image1.png": b"\0" * 400_000_000})
    yield "many.docx", docx(para, {f"word/x{i}.xml": "x" for i in range(30_000)})
    yield "deep.docx", docx("<w:p>" * 100_000)
    yield "deep-tables.docx", docx("<w:tbl><w:tr><w:tc>" * 3000 + para + "</w:tc></w:tr></w:tbl>" * 3000)
    yield (
        "laughs.docx",
        docx("<w:p><w:r><w:t>&b;</w:t></w:r></w:p>", head='<!DOCTYPE x [<!ENTITY a "' + "x" * 1000 + '"><!ENTITY b "' + "&a;" * 50_000 + '">]>'),
    )
    yield "paragraphs.docx", docx("<w:p><w:r><w:t>x</w:t></w:r></w:p>" * 100_000)
    yield "no-document.docx", zipped({"[Content_Types].xml": DOCX_TYPES, "_rels/.rels": DOCX_RELS})
    yield "no-types.docx", zipped({"word/document.xml": "<x/>"})
    yield "not-word.docx", zipped({"readme.txt": "hello"})
    yield "cut.docx", good[: len(good) // 2]
    yield "climbs.docx", docx(para, {"../../../tmp/evil": "x", "/etc/evil": "x"})
    yield (
        "remote.docx",
        docx(
            para,
            {
                "word/_rels/document.xml.rels": '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r9" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate" Target="http://192.0.2.1/t.dotm" TargetMode="External"/></Relationships>'
            },
        ),
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for _ in range(3):
            archive.writestr(f"a{_}.txt", zipped({"b.txt": b"\0" * 10_000_000}))
    yield "nested.zip", out.getvalue()
    yield "empty.zip", zipped({})
    lying = bytearray(good)
    at = lying.index(b"PK\x01\x02")
    lying[at + 24 : at + 28] = struct.pack("<I", 5)
    yield "size-lies.docx", bytes(lying)
    coded = bytearray(good)
    coded[6] |= 1
    coded[coded.index(b"PK\x01\x02") + 8] |= 1
    yield "encrypted.docx", bytes(coded)
    for seed in range(10):
        chance, data = random.Random(100 + seed), bytearray(good)
        for _ in range(1 + seed):
            data[chance.randrange(4, len(data))] = chance.randrange(256)
        yield f"noise-{seed}.docx", bytes(data)


def mislabelled() -> Iterator[tuple[str, bytes]]:
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 60_000, 60_000, 8, 2, 0, 0, 0) + b"\0" * 100
    yield "image.pdf", png
    yield "image.md", png
    yield "image.png", png
    yield "program.docx", b"\x7fELF" + random.Random(3).randbytes(50_000)
    yield "text.pdf", b"This is not a PDF at all.\n" * 100
    yield "pdf.md", text_pdf()
    yield "zip.pdf", zipped({"a": "b"})
    yield "gzip.xml", gzip.compress(b"<AppliedModelCard/>" * 1000, mtime=0)
    yield "html.xml", EURLEX.format("<p>x").encode()
    yield "database.md", b"SQLite format 3\0" + random.Random(4).randbytes(5_000)
    yield "name-long-" + "x" * 200 + ".md", b"\0\1\2" * 100
    yield "na\udcffme\udc80.md", b"\0\1\2" * 100
    yield "line\nbreak.pdf", b"%PDF-1.4\nbroken"
    yield "-rf.md", b"\0\1\2" * 100
    yield "$(touch evil);.xml", b"<?xml version='1.0'?><ACT>"
    yield "..%2f..%2fevil.html", b""


KINDS: dict[str, Callable[[], Iterator[tuple[str, bytes]]]] = {
    "pdf": pdfs,
    "xml": xmls,
    "html": htmls,
    "text": texts,
    "packed": packed,
    "mislabelled": mislabelled,
}


def everything() -> Iterator[tuple[str, bytes]]:
    """Every file of every kind."""
    for make in KINDS.values():
        yield from make()
