"""Stand-ins for machinery, each a scripted queue: what goes in is kept, what comes out was written down before."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from assistant.llm import ChatModel, Message, ModelFailure, ModelInfo, Schema, unbounded_part

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

    def stream(
        self, messages: Sequence[Message], *, schema: Schema | None = None, max_tokens: int = 256, seconds: float = 30, stop: threading.Event | None = None
    ) -> Iterator[str | ModelFailure]:
        assert schema is None or not unbounded_part(schema), unbounded_part(schema)
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
