"""A model card in any of its usual forms, read into text with places, sections and about forty fields.

Hugging Face README, MONAI bundle, CHAI Applied Model Card (XML, or PDF that carries it), DOCX, PDF, Markdown, plain text, or
a folder of these. A field is a value at its place; template text, "[More Information Needed]" and empty headings are
missing; nothing is guessed. `parse_card` does no I/O. Knows nothing of laws and requirements.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from assistant.bearing import marks_of, words_of
from assistant.cardfields import FIELD_CUES, FIELDS, REQUIRED, field_of
from assistant.cardformats import Part, read_part
from assistant.errors import Unreadable, printable
from assistant.findings import FRAGMENT, CardField, CardFile, CardSection, FieldState, ModelCard
from assistant.reading import TEXT_LIMIT, assess_facet, read
from assistant.statements import (
    Block,
    BrokenData,
    Scalar,
    blocks,
    clean,
    front_matter,
    hidden_places,
    json_scalars,
    sentences,
    yaml_scalars,
)

_FILES, _FILE_BYTES, _CARD_BYTES = 60, 20_000_000, 60_000_000
_KINDS = (".md", ".markdown", ".txt", ".rst", ".json", ".yaml", ".yml", ".xml", ".docx", ".pdf", ".html", ".htm")
_NOT_CARDS = re.compile(
    r"(?:^|/)(?:facts\.json|pincite\.toml|licen[cs]e[^/]*|copying[^/]*|requirements[^/]*\.txt|package(?:-lock)?\.json|tokenizer[^/]*\.json|vocab[^/]*|"
    r"special_tokens[^/]*|[^/]*\.safetensors\.index\.json)$",
    re.I,
)

# ---- files -------------------------------------------------------------------------------------------------------------


def card_files(path: Path) -> list[tuple[str, bytes]]:
    """The files of a card: one file, or those of a folder that may speak of the model. Raises Unreadable."""
    if not path.exists():
        raise Unreadable("not-found", f"{path} does not exist", "Give the path of a model card or of a folder that holds one")
    if path.is_file():
        if path.stat().st_size > _CARD_BYTES:
            raise Unreadable("too-large", f"{path.name} is larger than {_CARD_BYTES // 1_000_000} MB", "Give the card itself, not an archive of data")
        return [(printable(path.name), path.read_bytes())]
    found: list[tuple[str, bytes]] = []
    size = 0
    for file in sorted(_walk(path), key=lambda p: (p.name.lower() != "readme.md", len(p.relative_to(path).parts), p.as_posix())):
        size += file.stat().st_size
        if len(found) >= _FILES or size > _CARD_BYTES:
            break
        found.append((printable(file.relative_to(path).as_posix()), file.read_bytes()))
    if not found:
        raise Unreadable("no-card", f"{path.name or path} holds no card", f"A card is a file ending in {', '.join(_KINDS[:10])}")
    return found


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        inner = path.relative_to(folder)
        secret = any(part.startswith(".") and part != ".eval_results" for part in inner.parts)
        if secret or path.is_symlink() or len(inner.parts) > 3 or not path.is_file() or path.suffix.lower() not in _KINDS:
            continue
        config = path.suffix.lower() == ".json" and len(inner.parts) > 1 and path.name != "metadata.json"
        if config or _NOT_CARDS.search(inner.as_posix()) or not 0 < path.stat().st_size <= _FILE_BYTES:
            continue
        yield path


def read_card(path: Path) -> ModelCard:
    """The card at a path, a file or a folder. Raises Unreadable where nothing can be read."""
    return parse_card(card_files(path), path.resolve().name if path.is_dir() else "")


def parse_card(files: Sequence[tuple[str, bytes]], title: str = "") -> ModelCard:
    """The card that these files make together. Raises Unreadable where none of them has text."""
    parts = []
    refused: list[Unreadable] = []
    for name, data in files:
        try:
            parts.append(read_part(name, data))
        except Unreadable as error:
            refused.append(error)
    if not any(part.text.strip() for part in parts):
        raise refused[0] if refused else Unreadable("empty", f"{files[0][0] if files else 'The card'} is empty", "Give a card that has text")
    digests = sorted((name, hashlib.sha256(data).hexdigest()) for name, data in files)
    sha256 = digests[0][1] if len(digests) == 1 else hashlib.sha256(json.dumps(digests).encode()).hexdigest()
    sections = [section for part in parts for section in _sections(part)]
    problems = [p for part in parts for p in part.problems] + [error.line() for error in refused]
    if sum(len(part.text) for part in parts) > TEXT_LIMIT:
        problems.append(f"The card is very long: evidence is sought in the first {TEXT_LIMIT:,} characters of different statements only")
    card_files_ = tuple(CardFile(p.name, p.text) for p in parts)
    fields = _said_elsewhere(_fields(parts, problems), tuple(f for f in card_files_ if not f.name.endswith(FRAGMENT)))
    stated = next((f.value for f in fields if f.field == "name" and f.state == "stated"), "")
    fallback = title or PurePosixPath(files[0][0]).stem
    return ModelCard(
        name=clean(stated) or fallback, sha256=sha256, files=card_files_, sections=tuple(sections),
        fields=tuple(fields), hidden=tuple(_hidden(parts)), problems=tuple(dict.fromkeys(problems)),
    )  # fmt: skip


# ---- sections ----------------------------------------------------------------------------------------------------------


def _sections(part: Part) -> list[CardSection]:
    """Headings, each with all that stands below it."""
    headings = [b for b in blocks(part.name, part.text) if b.kind == "heading"]
    found = []
    for i, block in enumerate(headings):
        end = next((b.start for b in headings[i + 1 :] if b.level <= block.level), len(part.text))
        line = part.text.find("\n", block.end)
        start = min(line + 1 if line >= 0 else len(part.text), end)
        found.append(CardSection(clean(part.text[block.start : block.end]), part.name, start, end))
    return found


def _hidden(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        yield from part.hidden
        for start, end in (*hidden_places(part.text), *_comments(part)):
            if part.text[start:end].strip():
                yield part.text[start:end]


def _comments(part: Part) -> Iterator[tuple[int, int]]:
    """The comments of a front matter."""
    start, end, _ = front_matter(part.text)
    for m in re.finditer(r"(?:^|(?<=\s))#[^\n]*", part.text[start:end]):
        quoted = part.text[start : start + m.start()].rpartition("\n")[2]
        if quoted.count('"') % 2 == 0 and quoted.count("'") % 2 == 0:
            yield start + m.start(), start + m.end()


# ---- fields ------------------------------------------------------------------------------------------------------------


def _fields(parts: Sequence[Part], problems: list[str]) -> list[CardField]:
    found: list[CardField] = []
    for part in parts:
        found.extend(_fields_of(part, problems))
    return _settled(found)


def _fields_of(part: Part, problems: list[str]) -> Iterator[CardField]:
    lower = part.name.lower()
    if lower.endswith((".json", ".yaml", ".yml")):
        yield from _of_data(part, problems)
        return
    if part.fields:
        yield from (_field(name, part, start, end) for name, start, end in part.fields)
        return
    yield from _of_front_matter(part, problems)
    yield from _of_headings(part)
    yield from _of_labels(part)


def _settled(found: Sequence[CardField]) -> list[CardField]:
    """Each field's stated values in order; else its unreadable or missing place; else missing without a place."""
    settled: list[CardField] = []
    for name in FIELDS:
        all_of = list(dict.fromkeys(f for f in found if f.field == name))
        stated = [f for f in all_of if f.state == "stated"]
        if name == "name":
            stated.sort(key=lambda f: not f.file.endswith(".json"))
        unreadable = [f for f in all_of if f.state == "unreadable"]
        missing = [f for f in all_of if f.state == "missing"]
        settled.extend([*stated, *unreadable] or missing[:1] or [CardField(name, "", "", 0, 0, "missing")])
    return settled


_LONG = 400_000  # characters beyond which sentences are not searched for fields


def _said_elsewhere(fields: list[CardField], files: tuple[CardFile, ...]) -> list[CardField]:
    """The fields, those that no heading or label states taken from sentences that state them; the card's first words describe it."""
    wanted = {f.field: f for f in fields if f.state == "missing"}
    if not wanted or sum(len(f.text) for f in files) > _LONG:
        return fields
    reading = read(ModelCard("", "", files, (), ()))
    found: dict[str, list[CardField]] = {}
    for facet in FIELD_CUES:
        if facet.id in wanted:
            result = assess_facet(reading, facet, label=True)
            said = result.evidence if result.status == "found" else ()
            found[facet.id] = [CardField(facet.id, e.quote, e.file, e.start, e.end, "stated") for e in sorted(said, key=lambda e: (e.file, e.start))]
    first = next((u.statement for u in reading.units if u.statement.kind == "paragraph"), None)
    if "description" in wanted and first and _says(first.words):
        text = next(f.text for f in files if f.name == first.file)
        found["description"] = [CardField("description", text[first.start : first.end], first.file, first.start, first.end, "stated")]
    return [new for f in fields for new in (found.get(f.field) or [f] if f.state == "missing" else [f])]


def _field(name: str, part: Part, start: int, end: int) -> CardField:
    while start < end and part.text[start].isspace():
        start += 1
    while end > start and part.text[end - 1].isspace():
        end -= 1
    state: FieldState = "stated" if _says(part.text[start:end]) else "missing"
    return CardField(name, part.text[start:end] if state == "stated" else "", part.name, start, end if state == "stated" else start, state)


def _says(value: str) -> bool:
    """Whether a value says anything: not empty, no placeholder, no instruction of a template."""
    plain = clean(value)
    if not re.search(r"\w", plain):
        return False
    said = [plain[s:e] for s, e in sentences(plain, 0, len(plain))]
    return any(not any(m.kind in ("placeholder", "form") and m.scope == (0, len(s)) for m in marks_of(words_of(s))) for s in said)


def _of_data(part: Part, problems: list[str]) -> Iterator[CardField]:
    """The fields of a JSON or YAML file beside the card; of evaluation results, their values."""
    results = ".eval_results/" in f"/{part.name}"
    try:
        scalars = json_scalars(part.text) if part.name.lower().endswith(".json") else yaml_scalars(part.text)
    except BrokenData as error:
        problems.append(f"{part.name} cannot be read: {error}")
        yield CardField("metrics" if results else "description", "", part.name, 0, 0, "unreadable")
        return
    for scalar in scalars:
        if results:
            if scalar.path[-1:] == ("value",):
                yield _field("metrics", part, scalar.key, scalar.end)
        elif name := _field_of_path(scalar):
            yield _field(name, part, scalar.start, scalar.end)


def _field_of_path(scalar: Scalar) -> str:
    """The field that a value's own key names, or the key of the list or map right at the top that holds it."""
    own = _KEYS.get(_key(scalar.path[-1]), field_of(scalar.path[-1], inside=False)) if scalar.path else ""
    if own or len(scalar.path) > 2 or len(scalar.path) < 2:
        return own
    return _KEYS.get(_key(scalar.path[0]), field_of(scalar.path[0], inside=False))


def _key(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")


def _of_front_matter(part: Part, problems: list[str]) -> Iterator[CardField]:
    start, end, body = front_matter(part.text)
    if not body:
        return
    try:
        scalars = yaml_scalars(part.text[start:end], start)
    except BrokenData as error:
        problems.append(f"The front matter of {part.name} cannot be read: {error}")
        for name in ("metrics", "licences"):
            yield CardField(name, "", part.name, start, start, "unreadable")
        return
    yield from _of_results(part, [s for s in scalars if s.path[:1] == ("model-index",)], problems)
    for scalar in scalars:
        if scalar.path and scalar.path[0] != "model-index" and (name := _field_of_key(scalar.path[0])):
            yield _field(name, part, scalar.start, scalar.end)


def _field_of_key(key: str) -> str:
    return _KEYS.get(_key(key), field_of(key, inside=False))


def _of_results(part: Part, scalars: Sequence[Scalar], problems: list[str]) -> Iterator[CardField]:
    """The metrics of a model index, each with its name and value as one piece; one of another shape is unreadable."""
    if not scalars:
        return
    metrics = [s for s in scalars if s.path[:3] == ("model-index", "results", "metrics") and len(s.path) > 3]
    if not any(s.path[3] == "value" for s in metrics):
        problems.append(f"The results block (model-index) of {part.name} cannot be read: no metric with a value in it")
        yield CardField("metrics", "", part.name, scalars[0].key, scalars[0].key, "unreadable")
        return
    held: list[Scalar] = []
    for scalar in [*metrics, None]:
        if held and (scalar is None or scalar.path[3] in {s.path[3] for s in held}):
            yield _field("metrics", part, held[0].key, held[-1].end)
            held = []
        if scalar is not None:
            held.append(scalar)


_KEYS = {
    "license": "licences", "license_name": "licences", "license_link": "licences", "datasets": "training_data", "base_model": "base_model", "model_name":
    "name",
    "pipeline_tag": "architecture", "library_name": "architecture", "metrics": "metrics", "tags": "", "language": "", "co2_eq_emissions": "", "widget": "",
    "thumbnail": "",
    "extra_gated_prompt": "", "extra_gated_fields": "", "inference": "", "base_model_relation": "", "new_version": "", "title": "name", "references": "",
    "schema": "",
    "image_classes": "inputs", "data_type": "inputs", "label_classes": "annotation", "pred_classes": "outputs", "eval_metrics": "metrics", "data_source":
    "training_data",
    "task": "intended_purpose", "changelog": "change_plan", "copyright": "licences", "authors": "developer", "is_patch_data": "", "type": "", "format": "",
    "spatial_shape": "",
}  # fmt: skip


_MODEL_CARD = re.compile(r"^\W*(?:the\s+)?(?:ai\s+)?model\s*card\b(?:\s+(?:for|of))?[\s:–—|-]*", re.I)


def _of_headings(part: Part) -> Iterator[CardField]:
    """The text below each heading that names a field; a heading that names none belongs to the one above it."""
    text = part.text
    hidden = hidden_places(text)
    headings = [b for b in blocks(part.name, text) if b.kind == "heading"]
    above: list[tuple[int, str]] = []
    for i, block in enumerate(headings):
        above = [(level, field) for level, field in above if level < block.level]
        parent = next((field for _, field in reversed(above) if field), "")
        start, end = block.end, headings[i + 1].start if i + 1 < len(headings) else len(text)
        if i == 0 and block.level == 1 and (title := _title(part, block)):
            yield title
            above.append((block.level, ""))
            continue
        name = _in_context(field_of(text[block.start : block.end]), parent)
        above.append((block.level, name))
        if name:
            yield from _pieces(part, name, start, end, hidden)


_UNNAMED = re.compile(r"(?:your |the |my )?(?:model|project)(?: (?:id|name|title|card))?|untitled|readme|n/?a", re.I)


def _title(part: Part, block: Block) -> CardField | None:
    """The name in a first heading such as "Model card for X", unless the heading names a section."""
    raw = part.text[block.start : block.end]
    lead = _MODEL_CARD.match(raw) or re.match(r"[#\s]*", raw)
    rest = raw[lead.end() :] if lead else raw
    if not re.search(r"\w", rest) or _UNNAMED.fullmatch(clean(rest)) or (field_of(raw, inside=False) and not _MODEL_CARD.match(raw)):
        return None
    start = block.start + len(raw) - len(rest)
    return _field("name", part, start, start + len(rest.split("\n")[0].rstrip("# ")))


def _in_context(name: str, parent: str) -> str:
    """What a heading means below another: "Data" below "Evaluation" is test data, "Summary" belongs to what it sums up."""
    tested = ("evaluation", "metrics", "external_validation", "subgroups")
    if not name or (name == "description" and parent):
        return parent
    if parent in tested and name in ("training_data", "sample_sizes", "description", "architecture"):
        return "sample_sizes" if name == "sample_sizes" else "evaluation"
    return name


def _pieces(part: Part, name: str, start: int, end: int, hidden: Sequence[tuple[int, int]]) -> Iterator[CardField]:
    """The visible runs of text[start:end] as values; one missing value at the heading's end where none says anything."""
    cuts = [start, *(place for h in hidden if h[1] > start and h[0] < end for place in h), end]
    pieces = [_field(name, part, max(s, start), min(e, end)) for s, e in zip(cuts[::2], cuts[1::2]) if e > s]
    stated = [p for p in pieces if p.state == "stated"]
    yield from stated or [CardField(name, "", part.name, start, start, "missing")]


_LABEL = re.compile(
    r"^[ \t>]*(?:[-*+•]\s+|\d{1,2}[.)]\s+)?(?:\*\*|__)?(?P<label>[A-Za-z][^:*|`\n<>\[\]]{1,60}?)(?:\*\*|__)?[ \t]*:(?:\*\*|"
    r"__)?(?![/\w])[ \t]*(?P<value>[^\n]*)$",
    re.M,
)
_CELLS = re.compile(r"^[ \t]*\|?[ \t]*(?P<label>[^|\n]{2,60}?)[ \t]*\|[ \t]*(?P<value>[^|\n]*?)[ \t]*\|?[ \t]*$")
_CELLS_HTML = re.compile(r"^\s*<t[dh]\b[^>]*>(?P<label>.{2,80}?)</t[dh]>\s*<t[dh]\b[^>]*>(?P<value>.*?)(?:</t[dh]>)?\s*$", re.S | re.I)


def _of_labels(part: Part) -> Iterator[CardField]:
    """Labelled lines ("**Version:** 1.2") and two-column rows whose label names a field."""
    text = part.text
    hidden = hidden_places(text)
    for block in blocks(part.name, text):
        if block.kind not in ("paragraph", "item", "row"):
            continue
        if any(h[0] < block.end and h[1] > block.start for h in hidden):
            continue
        piece = text[block.start : block.end]
        rows = (_CELLS.match(piece) or _CELLS_HTML.match(piece),) if block.kind == "row" else _LABEL.finditer(piece)
        for m in rows:
            if m and len(m["label"].split()) <= 7 and (name := field_of(m["label"], inside=False)):
                start = block.start + m.start("value")
                yield _field(name, part, start, block.start + m.end("value"))


# ---- check -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CardProblem:
    """Something a card lacks or that cannot be read, at a line (1 where the card has no place for it)."""

    field: str
    required: bool
    state: FieldState
    file: str
    line: int
    message: str


def check_card(card: ModelCard) -> list[CardProblem]:
    """What is missing or unreadable in a card, required fields first."""
    first = card.files[0].name
    texts = {f.name: f.text for f in card.files}
    found = []
    for field in card.fields:
        if field.state == "stated":
            continue
        file = field.file or first
        line = texts.get(file, "").count("\n", 0, field.start) + 1
        found.append(CardProblem(field.field, field.field in REQUIRED, field.state, file, line, _message(field)))
    found.extend(CardProblem("", False, "unreadable", first, 1, problem) for problem in card.problems)
    return sorted(found, key=lambda p: (not p.required, p.state != "unreadable", FIELDS.index(p.field) if p.field else 99))


def _message(field: CardField) -> str:
    plain = field.field.replace("_", " ")
    if field.state == "unreadable":
        return f"{plain} is there but cannot be read"
    return f"{plain} is named here but not filled in" if field.file else f"{plain} is not stated"
