"""The Commission's draft guidelines on high-risk AI systems as Markdown: one file a section, paragraphs numbered throughout.

All files of a folder are one draft. Knows nothing of the AI Act itself.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePath

from assistant.errors import Unreadable
from assistant.law import Instrument
from assistant.readers import euact, guidance
from assistant.readers.guidance import Para

NAME = "eu-guidelines"
GROUPED = True
WORK = "high-risk-guidelines-2026-draft"

_SOURCE = re.compile(rb"Draft Commission guidelines on the classification of high-risk AI systems")


def recognises(name: str, head: bytes) -> bool:
    """Whether this is a section of the draft guidelines, by the line on its source."""
    return head[:1] == b"#" and bool(_SOURCE.search(head[:2000]))


def read(files: Sequence[tuple[str, bytes]]) -> list[Instrument]:
    """The draft as one instrument, its sections in the order of their numbers; raises `Unreadable` when there is no paragraph."""
    ordered = sorted(files, key=lambda file: [int(n) for n in re.findall(r"\d+", PurePath(file[0]).name)[:2]])
    paras = [para for _, data in ordered for para in _paras(data.decode("utf-8", "replace"))]
    if not any(para.number for para in paras):
        raise Unreadable("no-paragraphs", "this looks like draft guidelines, but no numbered paragraph was found", "Give the folder with all its sections.")
    source = guidance.Source(
        "eu-ai-act", WORK, WORK, "Draft Commission guidelines on high-risk AI systems (Article 6 AI Act)", "2026-05-19", "converted", NAME,
        ordered[0], (), (("draft", "true"),),
    )  # fmt: skip
    return [replace(guidance.build(source, paras), sha256=euact.fingerprint(ordered))]


def _paras(text: str) -> Iterator[Para]:
    for block in re.split(r"\n\s*\n", text):
        words = " ".join(block.replace("**", "").split())
        if not words or re.match(r"# |_Source:", words):
            continue
        heading = re.match(r"(#{2,6})\s+(.*)$", words)
        number = re.match(r"\((\d+)\)\s+(.*)$", words)
        if heading:
            label, title = guidance.split_label(heading[2])
            yield Para(title, len(heading[1]) - 1, label)
        elif number:
            yield Para(number[2], 0, f"({number[1]})", number[1])
        else:
            yield Para(re.sub(r"(?<![\w*])\*([^*]+)\*(?!\w)", r"\1", words))
