"""Which reader a PDF is for: opened once, told by the words of its first pages.

Knows nothing of the laws themselves.
"""

from collections.abc import Sequence

from assistant import pdf
from assistant.errors import Unreadable
from assistant.law import Instrument
from assistant.readers import council_pdf, ecfr_pdf, gazette, guidance_pdf

NAME = "pdf"
GROUPED = False


def recognises(name: str, head: bytes) -> bool:
    """Whether this is a PDF; which one can be told only from its pages, so `read` refuses those nobody knows."""
    return b"%PDF-" in head[:1024]


def read(files: Sequence[tuple[str, bytes]]) -> list[Instrument]:
    """The instruments in these PDFs; raises `Unreadable`."""
    return [one for name, data in files for one in _read(name, data)]


def _read(name: str, data: bytes) -> list[Instrument]:
    opening = pdf.open_pdf(data, pages=2)
    first = "\n".join(row.text for row in opening.rows())
    file = (name, data)
    if ecfr_pdf.is_ecfr(first):
        return ecfr_pdf.read_ecfr(pdf.open_pdf(data), first, file)
    if ecfr_pdf.is_hhs(first):
        return ecfr_pdf.read_hhs(pdf.open_pdf(data, ecfr_pdf.HHS_COLUMNS), first, file)
    if gazette.is_act(first) or gazette.is_rules(first):
        return gazette.read(pdf.open_pdf(data), first, file)
    if council_pdf.is_council(first):
        return council_pdf.read(pdf.open_pdf(data), first, file)
    if guidance_pdf.is_guidance(first):
        return guidance_pdf.read(pdf.open_pdf(data), first, file)
    if len(first.strip()) < 40:
        pdf.open_pdf(data)  # says so when no page has text
    seen = " ".join(first.split())[:100] or "a page without text"
    raise Unreadable("not-recognised", f"no reader knows this PDF; it begins: {seen}", "Give --instrument ID to read it as headings and paragraphs.")
