"""A program whose every connection is counted: `python -m tests.guard HOME`. Prints one line of JSON: what was done and what was reached."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

REACHED: list[str] = []


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Notes every connection and look-up, whoever asks for it; stops those that leave the machine."""
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        address = arguments[1] if event in ("socket.connect", "socket.sendto") else arguments[0]
        host = address[0] if isinstance(address, tuple) else address
        if isinstance(address, str | bytes) and event == "socket.connect":
            return  # a socket of this machine's file system
        name = host.decode() if isinstance(host, bytes) else str(host)
        if name not in ("127.0.0.1", "::1", "localhost", "None", ""):
            REACHED.append(f"{event} {name}")
            raise PermissionError(f"{event} {name}")


def main(home: str) -> None:
    """Ingests, asks, assesses, opens the models and the vector store's door, and builds the app, with no opt-out given by the caller."""
    sys.addaudithook(watch)
    import assistant.__main__  # noqa: F401  (as a user's command begins)
    from assistant.retrieve import Filter
    from assistant.settings import Settings
    from assistant.workbench import Workbench
    from tests.crash import SOUND, small_corpus

    small_corpus()
    done = []
    bench = Workbench(Settings(home=Path(home)))
    bench.ingest(list(SOUND))
    done.append("ingest")
    bench.ask("What does a consent manager do?", Filter("2026-11-22"))
    done.append("ask")
    bench.gaps(Path(__file__).parents[1] / "corpus" / "cards" / "chest-xray-triage", "2026-11-22", ("gdpr",))
    done.append("gaps")
    import chromadb

    store = chromadb.EphemeralClient()
    store.create_collection("words").add(ids=["1"], embeddings=[[0.1, 0.2]])
    done.append("chroma")
    from assistant.server import make_app

    make_app(bench)
    done.append("app")
    time.sleep(15)  # native code reports from threads of its own, and not at once: onnxruntime's waits ten seconds
    print(json.dumps({"done": done, "reached": REACHED}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
