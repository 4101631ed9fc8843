"""The door to LangChain, both ways: Pincite's model as a LangChain chat model, and a LangChain chat model as Pincite's.

Imported only where LangChain is wanted: its import takes most of a second. Knows nothing about llama.cpp.
"""

import json
import os
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, convert_to_messages
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableLambda
from pydantic import BaseModel, ConfigDict

from assistant.errors import NotReady
from assistant.llm import BEAT, ChatModel, Message, ModelFailure, ModelInfo, Role, Schema, over, unbounded_part

SERVER_SECONDS = 5.0
SERVER_CONTEXT = 4096


class LlamaChat(BaseChatModel):
    """Pincite's model in anyone's LangChain chain: `invoke`, `stream`, and `with_structured_output` under a grammar.

    A `ModelFailure` becomes `NotReady`, since LangChain knows no failure that is a value.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)
    model: ChatModel
    max_tokens: int = 256
    seconds: float = 30

    @property
    def _llm_type(self) -> str:
        return "pincite"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"name": self.model.info.name, "sha256": self.model.info.sha256}

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> ChatResult:
        text = "".join(str(chunk.message.content) for chunk in self._stream(messages, stop, run_manager, **kwargs))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=text))])

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        seen = ""
        for piece in self.model.stream(_ours(messages), schema=kwargs.get("schema"), max_tokens=self.max_tokens, seconds=self.seconds):
            if isinstance(piece, ModelFailure):
                raise NotReady(f"the model gave no reply: {piece.reason} {piece.detail}".strip())
            before, seen = len(seen), seen + piece
            cut = min((at for word in stop or [] if (at := seen.find(word)) >= 0), default=len(seen))
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=seen[before:cut]))
            if run_manager:
                run_manager.on_llm_new_token(seen[before:cut], chunk=chunk)
            yield chunk
            if cut < len(seen):
                return

    def with_structured_output(self, schema: Any, *, include_raw: bool = False, **kwargs: Any) -> Runnable[LanguageModelInput, Any]:
        """A chain whose reply is an object of the schema, a JSON schema or a Pydantic class."""
        pydantic = isinstance(schema, type) and issubclass(schema, BaseModel)
        shape = schema.model_json_schema() if pydantic else schema

        def reply(given: LanguageModelInput) -> Any:
            messages = self._convert_input(given).to_messages()
            value = self.model.complete_json(_ours(messages), shape, max_tokens=self.max_tokens, seconds=self.seconds)
            if isinstance(value, ModelFailure):
                raise NotReady(f"the model gave no reply: {value.reason} {value.detail}".strip())
            parsed = schema.model_validate(value) if pydantic else value
            return {"raw": AIMessage(content=json.dumps(value)), "parsed": parsed, "parsing_error": None} if include_raw else parsed

        return RunnableLambda(reply)


class LangChainModel(ChatModel):
    """A LangChain chat model that speaks to an OpenAI-compatible server, as Pincite's. A JSON schema goes to it as `response_format`."""

    def __init__(self, chat: BaseChatModel, info: ModelInfo) -> None:
        self.chat, self.info = chat, info
        self._way = 0

    def stream(
        self, messages: Sequence[Message], *, schema: Schema | None = None, max_tokens: int = 256, seconds: float = 30, stop: threading.Event | None = None
    ) -> Iterator[str | ModelFailure]:
        unbounded = unbounded_part(schema) if schema is not None else ""
        if unbounded:
            yield ModelFailure("bad-schema", unbounded)
            return
        deadline = time.monotonic() + seconds
        pieces: queue.SimpleQueue[str | ModelFailure | None] = queue.SimpleQueue()
        left = threading.Event()
        threading.Thread(target=self._listen, args=(messages, schema, max_tokens, seconds, pieces, left), daemon=True).start()
        try:
            while True:
                ended = over(deadline, stop)
                if ended:
                    yield ModelFailure(ended)
                    return
                try:
                    piece = pieces.get(timeout=BEAT)
                except queue.Empty:
                    continue
                if piece is None:
                    return
                yield piece
        finally:
            left.set()

    def _listen(
        self,
        messages: Sequence[Message],
        schema: Schema | None,
        max_tokens: int,
        seconds: float,
        pieces: "queue.SimpleQueue[str | ModelFailure | None]",
        left: threading.Event,
    ) -> None:
        """Reads the reply in a thread of its own, so that whoever waits can leave at any moment; the connection closes at the next piece.

        A server that refuses the first way of giving a schema is tried with the second, and from then on with that.
        """
        import httpx
        from openai import APIStatusError, OpenAIError

        ways = [{}] if schema is None else _ways(schema)[self._way :]
        failure = None
        for way in ways:
            try:
                # As `extra_body`: the client's own arguments have names that some servers do not know, and make it parse the reply itself.
                for chunk in self.chat.stream(convert_to_messages(list(messages)), timeout=seconds, extra_body={"max_tokens": max_tokens, **way}):
                    if left.is_set():
                        return
                    if chunk.text:
                        pieces.put(str(chunk.text))
                    if chunk.response_metadata.get("finish_reason") == "length" and schema is not None:
                        failure = ModelFailure("too-long", f"the reply did not end within {max_tokens} tokens")
                break
            except APIStatusError as error:
                failure = ModelFailure("server", _said(error))
                if way is not ways[-1]:
                    self._way, failure = 1, None
            except (OpenAIError, httpx.HTTPError, OSError, ValueError, TypeError, KeyError) as error:
                failure = ModelFailure("server", _said(error))
                break
        if failure:
            pieces.put(failure)
        pieces.put(None)


def _ways(schema: Schema) -> list[dict[str, Any]]:
    """How servers are given a schema: OpenAI's way (llama-server, vLLM, SGLang, Ollama, LM Studio), then llama-cpp-python's."""
    ours = {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": schema}}
    return [{"response_format": ours}, {"response_format": {"type": "json_object", "schema": schema}}]


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"


def open_server(url: str) -> LangChainModel:
    """The first model that an OpenAI-compatible server offers. Raises `NotReady` when it does not answer like one."""
    from langchain_openai import ChatOpenAI

    base = url.rstrip("/") if url.rstrip("/").endswith("/v1") else f"{url.rstrip('/')}/v1"
    try:
        with urllib.request.urlopen(f"{base}/models", timeout=SERVER_SECONDS) as answer:
            first = json.load(answer)["data"][0]
            name = str(first["id"])
    except (urllib.error.URLError, OSError, ValueError, LookupError, TypeError) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        raise NotReady(f"the model server at {url} gives no list of models ({reason})", "Start it, mend PINCITE_LLM, or set PINCITE_LLM=none") from error
    meta = first.get("meta") or {}
    n_ctx = next((n for n in (first.get("max_model_len"), meta.get("n_ctx"), meta.get("n_ctx_train")) if isinstance(n, int) and n > 0), SERVER_CONTEXT)
    key = os.environ.get("OPENAI_API_KEY") or "none"
    chat = ChatOpenAI(base_url=base, model=name, api_key=key, temperature=0, seed=0, max_retries=0)  # type: ignore[arg-type]
    return LangChainModel(chat, ModelInfo(Path(name).stem if name.endswith(".gguf") else name, "", n_ctx))


def _ours(messages: Sequence[BaseMessage]) -> list[Message]:
    roles: dict[str, Role] = {"system": "system", "ai": "assistant"}
    return [(roles.get(message.type, "user"), str(message.text)) for message in messages]
