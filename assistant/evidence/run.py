"""From a request to the files of one piece of evidence: computed in a limited child process, rendered here, written whole.

Foreign files are read only in the child; what comes back is counts and statistics.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from assistant.errors import UsageError
from assistant.evidence import dicom, drift, metrics, pages, plots, privacy, report, split
from assistant.sandbox import Sandbox

SECONDS = 1800.0
MEMORY_MB = 8192
Request = metrics.Request | split.Request | privacy.Request | dicom.Request | drift.Request
_COMPUTE: Mapping[type, Any] = {metrics.Request: metrics.compute, split.Request: split.compute, privacy.Request: privacy.compute, drift.Request: drift.compute}


def make(request: Request, program: str) -> dict[str, bytes]:
    """The files of a request's evidence by name. Raises UsageError or Unreadable."""
    if isinstance(request, dicom.Request):
        result = dicom.survey(request)
    else:
        with closing(Sandbox(1)) as sandbox:  # one of its own: it grows beyond what the next document could be given
            result = sandbox.call(_COMPUTE[type(request)], request, seconds=SECONDS, memory_mb=MEMORY_MB)
    doc = report.document(result, request, program)
    return files(doc, plots.pictures(doc))


def files(doc: Mapping[str, Any], pictures: Mapping[str, tuple[str, bytes]]) -> dict[str, bytes]:
    """All files of one piece of evidence by name; `pictures` are (caption, PNG) by name."""
    kind = doc["kind"]
    doc = _rounded(doc)  # the sentences are made of what the JSON holds, so that they can be made again from it
    said = report.fragment(doc)
    whole = _rounded({**doc, "figures": said.figures, "fragment": f"{kind}.card.md", "pictures": {name: caption for name, (caption, _) in pictures.items()}})
    return {
        f"{kind}.json": (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode(),
        f"{kind}.card.md": said.text.encode(),
        f"{kind}.md": pages.page(whole).encode(),
        **{name: png for name, (_, png) in pictures.items()},
    }


def _rounded(value: Any) -> Any:
    """Floats to twelve decimals, so that the last bits of a sum do not change a file."""
    if isinstance(value, float):
        return round(value, 12)
    if isinstance(value, Mapping):
        return {k: _rounded(v) for k, v in value.items()}
    return [_rounded(v) for v in value] if isinstance(value, Sequence) and not isinstance(value, str) else value


def write(folder: Path, files: Mapping[str, bytes]) -> dict[str, str]:
    """Writes the files into a folder, each whole, the JSON last; their hashes by name. Raises UsageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in sorted(files.items(), key=lambda item: item[0].endswith(".json")):
            aside = folder / f"{name}.part"
            aside.write_bytes(data)
            aside.replace(folder / name)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}", "Give another folder with -o") from error
    return {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
