"""What a user may set, and where each setting comes from."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from pydantic_settings import BaseSettings, SettingsConfigDict


def default_home() -> Path:
    """The platform's user data folder for Pincite."""
    base = {"darwin": "~/Library/Application Support", "win32": "~/AppData/Local"}.get(sys.platform, "~/.local/share")
    return Path(base).expanduser() / "pincite"


def servers_of(llm: str | None) -> list[str]:
    """The model servers that PINCITE_LLM names, each as scheme and host alone; none for a file and for what is no address."""
    found = []
    for url in (llm or "").split(","):
        try:
            parts = urlsplit(url.strip())
        except ValueError:
            continue
        found += [f"{parts.scheme}://{parts.hostname}"] if parts.netloc and parts.hostname else []
    return found


class Settings(BaseSettings):
    """What a user may set, by PINCITE_* variables. `llm`: a GGUF file, a server's URL (or several, with commas), or none; unset is the embedded model."""

    model_config = SettingsConfigDict(env_prefix="PINCITE_", extra="ignore")

    home: Path = default_home()
    store: str = ""  # a PostgreSQL address that several machines share; unset keeps everything in the data folder
    llm: str | None = None
    embedder: str | None = None
    offline: bool = False
    user: str = ""
    proxy: str = ""  # the host name under which a proxy with a certificate passes requests on to `serve`
    tls_cert: Path | None = None  # with tls_key: what `serve` needs beyond this machine
    tls_key: Path | None = None
