"""From a request to the files of one piece of evidence: computed in a limited child process, rendered here, written whole.

Foreign files are read only in the child; what comes back is counts and statistics.
"""

import hashlib
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from assistant.errors import UsageError
from assistant.evidence import dicom, drift, metrics, plots, privacy, report, split
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
    return report.files(doc, plots.pictures(doc))


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
