"""What was chosen on this machine: settings kept in the data folder, and the SHA-256 of each model file that was added.

A variable of the environment wins over what is kept here. Knows nothing of screens or of who may choose.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from assistant.embed import Embedder
from assistant.errors import NotReady, Refused, Unreadable, UsageError
from assistant.llm import open_model, prove
from assistant.weights import sha256_of

FILE = "settings.json"
NAMES = ("llm", "embedder", "offline")  # the settings that can be kept
DEFAULT = "embedded"  # the word for going back to the default
YES_NO: Mapping[str, bool] = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The settings that were chosen, by name, and the SHA-256 of the model files that were added, by path."""

    settings: Mapping[str, str | bool] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)

    def with_setting(self, name: str, value: str | bool | None) -> "Chosen":
        """The same with one more setting, or with one fewer (None)."""
        return replace(self, settings={k: v for k, v in self.settings.items() if k != name} | ({} if value is None else {name: value}))


def load(home: Path) -> Chosen:
    """What was chosen; nothing where nothing was. Raises NotReady for a file that is none of ours."""
    try:
        held: Any = json.loads((home / FILE).read_text("utf8"))
        settings, models = held["settings"], held["models"]
        sound = set(settings) <= set(NAMES) and all(isinstance(v, str | bool) for v in settings.values()) and all(isinstance(v, str) for v in models.values())
    except FileNotFoundError:
        return Chosen()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise NotReady(f"The settings kept in {home / FILE} cannot be read", "Remove the file to go back to the defaults")
    return Chosen(settings, models)


def keep(home: Path, chosen: Chosen) -> None:
    """Write what was chosen, whole or not at all, for its owner alone."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=home, prefix=f".{FILE}.")
    try:
        with os.fdopen(handle, "w", encoding="utf8") as file:
            json.dump({"settings": dict(chosen.settings), "models": dict(chosen.models)}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(home / FILE)
    except OSError as error:
        raise NotReady(f"The data folder {home} cannot be written ({error.strerror})", "Check its owner, mode and free space") from error
    finally:
        with contextlib.suppress(OSError):
            Path(name).unlink()


def value_of(name: str, text: str, home: Path) -> str | bool | None:
    """A setting as a person writes it, in the form in which it is kept; None for the default. Raises UsageError."""
    if name not in NAMES:
        raise UsageError(f"'{name}' cannot be set here", f"Choose one of: {', '.join(NAMES)}; the others are PINCITE_ variables, see: pincite settings show")
    text = text.strip()
    if text == DEFAULT:
        return None
    if name == "offline":
        if text not in YES_NO:
            raise UsageError(f"'{text}' is neither yes nor no", "Write: pincite settings set offline yes")
        return YES_NO[text]
    if name == "embedder":
        return str(Embedder(text, home).folder.resolve())
    if not text:
        raise UsageError("There is no model named", "Give a GGUF file, the address of a model server, none, or embedded")
    return text.lower() if text.lower() == "none" else text if "://" in text else str(Path(text).expanduser().resolve())


def tried(llm: str | None, home: Path, expected: str = "", offline: bool = False) -> tuple[str, str]:
    """What a language model is, once it has made a few tokens, and the SHA-256 of its file ("" for a server's, or none).

    Raises `Unreadable` for a file that is no model or not the one `expected`, `NotReady` for a model that gives no reply, `Refused` for a server elsewhere while offline.
    """
    if llm and "://" in llm:
        away = [host for url in llm.split(",") if (host := urlsplit(url.strip()).hostname or "") not in ("127.0.0.1", "localhost", "::1")]
        if offline and away:
            raise Refused(
                f"{away[0]} is another machine, and Pincite is set to work offline", "Choose a server on this machine, or: pincite settings set offline no"
            )
        return prove(llm, home), ""
    model = open_model(llm, home)
    sha256 = model.info.sha256 if model else ""
    if expected and sha256 != expected.strip().lower():
        raise Unreadable("wrong-hash", f"The file has the SHA-256 {sha256 or '(none)'}, not the one given", "Get it again from its publisher, and compare")
    return prove(llm, home), sha256


def unchanged(home: Path, models: Mapping[str, str], llm: str | None) -> None:
    """Raises NotReady when a model file is no longer the one that was added."""
    path = str(Path(llm).expanduser().resolve()) if llm and "://" not in llm and llm != "none" else ""
    if path in models and Path(path).is_file() and sha256_of(Path(path), home) != models[path]:
        raise NotReady(f"The model file {Path(path).name} is not the one that was added", f"If you changed it yourself: pincite models add {path}")
