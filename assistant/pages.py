"""PDF pages as pictures: the text of each page with one place a character, and a page drawn with marks over some of them; the only user of pypdfium2.

Both functions are for the sandbox: the bytes are foreign. Knows nothing of quotations or laws.
"""

import io
from typing import Any

from assistant.errors import Unreadable
from assistant.law import Span

_MARK = (255, 226, 110)  # the yellow of a marker pen: it darkens the paper and leaves the letters black
_EDGE = (140, 90, 0)
_LARGEST = 2000  # pixels on the longer side of a picture


def page_texts(data: bytes) -> list[str]:
    """The text of every page, one character for each that the page draws, so that a place in it is a place on the page."""
    import pypdfium2.raw as raw

    found = []
    with _opened(data) as pdf:
        for number in range(len(pdf)):
            page = pdf[number].get_textpage()
            codes = (raw.FPDFText_GetUnicode(page.raw, i) for i in range(raw.FPDFText_CountChars(page.raw)))
            found.append("".join(_character(c) for c in codes))
    return found


def _character(code: int) -> str:
    """A character as text: what PDFium writes for a hyphen at a line's end is a hyphen, and what has no meaning a space."""
    return "-" if code in (0x02, 0xFFFE) else " " if not code or 0xD800 <= code < 0xE000 or code > 0x10FFFF else chr(code)


def picture(data: bytes, page: int, span: Span, width: int = 900) -> tuple[bytes, tuple[tuple[float, float, float, float], ...]]:
    """A page as a PNG `width` pixels wide with the characters of `span` marked, and the marks as left, top, right, bottom in parts of the page."""
    from PIL import Image, ImageChops, ImageDraw

    with _opened(data) as pdf:
        drawn = pdf[page]
        wide, high = drawn.get_size()
        scale = min(width / wide, _LARGEST / max(wide, high))
        image = drawn.render(scale=scale).to_pil().convert("RGB")
        text = drawn.get_textpage()
        boxes = [text.get_rect(i) for i in range(text.count_rects(span.start, span.end - span.start))]
    pixels = [(x0 * scale - 2, (high - y1) * scale - 2, x1 * scale + 2, (high - y0) * scale + 2) for x0, y0, x1, y1 in boxes]
    over = Image.new("RGB", image.size, (255, 255, 255))
    pen = ImageDraw.Draw(over)
    for box in pixels:
        pen.rectangle(box, fill=_MARK, outline=_EDGE)
    marked = ImageChops.multiply(image, over).convert("P", palette=Image.Palette.ADAPTIVE, colors=32)
    out = io.BytesIO()
    marked.save(out, "PNG", optimize=True)
    size = (marked.width, marked.height, marked.width, marked.height)
    return out.getvalue(), tuple((a / size[0], b / size[1], c / size[2], d / size[3]) for a, b, c, d in pixels)


def _opened(data: bytes) -> Any:
    import pypdfium2 as pdfium

    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        raise Unreadable("damaged", "this PDF cannot be drawn", "Download it again") from error
