"""Prompts as files: `prompts/<name>.md` with a header (name, version, variables, reply schema), a fixed part and a part to fill.

The fixed part goes first, so that a model's prefix cache holds it from one question to the next. Knows nothing of models.
"""

import hashlib
import json
import string
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from assistant.errors import Internal, UsageError

MARK = "+++\n"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt with its version; `str()` is the name that an audit record carries, such as `answer@1`."""

    name: str
    version: int
    variables: tuple[str, ...]
    reply: str  # JSON schema of the reply
    fixed: str
    open: str
    sha256: str  # of fixed part, part to fill, variables and schema

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    def schema(self) -> dict[str, Any]:
        """A fresh copy of the reply's schema."""
        found: dict[str, Any] = json.loads(self.reply)
        return found

    def filled(self, values: Mapping[str, str]) -> str:
        """The open part with its variables replaced. Values are put in as they are; they are not looked into."""
        if missing := [v for v in self.variables if v not in values]:
            raise Internal(f"prompt {self} lacks {', '.join(missing)}")
        return string.Template(self.open).substitute(values)


def root() -> Path:
    """The folder `prompts/`, beside the package in a checkout."""
    return Path(__file__).resolve().parent.parent / "prompts"


@lru_cache(maxsize=32)
def load(name: str) -> Prompt:
    """The prompt of that name. Raises `UsageError` for a file that is not in the form."""
    path = root() / f"{name}.md"
    try:
        return parse(path.read_text("utf8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"prompt {name} cannot be read: {error}", "Restore it from the repository") from error


def parse(text: str) -> Prompt:
    """A prompt from the text of its file. Raises `ValueError` or `KeyError` where the form is broken."""
    empty, header, fixed, open_part = text.split(MARK, 3)
    if empty.strip():
        raise ValueError("a prompt begins with +++")
    head = tomllib.loads(header)
    variables = tuple(head["variables"])
    reply = json.dumps(json.loads(head["reply"]), sort_keys=True)
    named = {m["named"] or m["braced"] for m in string.Template(open_part).pattern.finditer(open_part)} - {None}
    if unknown := named - set(variables):
        raise ValueError(f"unknown variables: {', '.join(sorted(unknown))}")
    body = json.dumps([fixed, open_part, sorted(variables), reply], ensure_ascii=False)
    return Prompt(head["name"], int(head["version"]), variables, reply, fixed.strip(), open_part.strip(), hashlib.sha256(body.encode()).hexdigest())


def versions() -> dict[str, str]:
    """The recorded hash of each prompt and version, from `prompts/versions.toml`: {"answer@1": sha256}."""
    return {str(k): str(v) for k, v in tomllib.loads((root() / "versions.toml").read_text("utf8"))["sha256"].items()}


def fence(parts: Sequence[str]) -> str:
    """A line that no part can contain: a hash over all of them, so that nobody who wrote one can know it."""
    return "=== " + hashlib.sha256("\N{NULL}".join(parts).encode()).hexdigest()[:16] + " ==="
