"""Stand-ins for machinery, each a scripted queue: what goes in is kept, what comes out was written down before."""

import json
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.llm import ChatModel, Message, ModelFailure, ModelInfo, Schema

Reply = str | Mapping[str, Any] | ModelFailure | Callable[[Sequence[Message], Schema | None], "str | Mapping[str, Any] | ModelFailure"]


class ScriptedModel(ChatModel):
    """Answers with the replies given, in order: a text, an object (sent as JSON), a failure, or a function of the messages and the schema.

    `forever` is the reply once the script is at its end; without it a further question is an error of the test.
    """

    def __init__(self, *replies: Reply, forever: Reply | None = None, name: str = "scripted", n_ctx: int = 4096) -> None:
        self.info = ModelInfo(name, "0" * 64, n_ctx)
        self.replies = list(replies)
        self.forever = forever
        self.asked: list[tuple[tuple[Message, ...], Schema | None]] = []

    def _reply(
        self, messages: Sequence[Message], schema: Schema | None, max_tokens: int, seconds: float, stop: threading.Event | None
    ) -> Iterator[str | ModelFailure]:
        self.asked.append((tuple(messages), schema))
        assert self.replies or self.forever is not None, f"the script has ended; asked: {messages[-1][1][:200]}"
        reply = self.replies.pop(0) if self.replies else self.forever
        if callable(reply):
            reply = reply(messages, schema)
        if isinstance(reply, ModelFailure):
            yield reply
            return
        text = reply if isinstance(reply, str) else json.dumps(reply)
        for start in range(0, len(text), 7):
            if stop is not None and stop.is_set():
                yield ModelFailure("cancelled")
                return
            yield text[start : start + 7]


class StubEmbedder:
    """Vectors drawn from the words' hash: the same words, the same vector; meaning plays no part."""

    name = "stub"
    sha256 = "0" * 64

    def embed_documents(self, texts: Sequence[str]) -> Any:
        import numpy as np

        rows = np.zeros((len(texts), 16), dtype=np.float32)
        for i, text in enumerate(texts):
            for word in text.lower().split():
                rows[i, zlib.crc32(word.encode()) % 16] += 1
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(norms == 0, 1, norms)

    def embed_query(self, text: str) -> Any:
        return self.embed_documents([text])[0]


def stub_bench(home: Path) -> Any:
    """A workbench without models: stub vectors, no language model."""
    from assistant.settings import Settings
    from assistant.workbench import Workbench

    bench = Workbench(Settings(home=home, llm="none", user="ann"))
    bench.__dict__["embedder"] = StubEmbedder()
    return bench
