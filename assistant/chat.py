"""Pincite's model as a LangChain chat model, for anyone's chain. Imported only where LangChain is wanted: that takes most of a second."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableLambda
from pydantic import BaseModel, ConfigDict

from assistant.errors import NotReady
from assistant.llm import ChatModel, Message, ModelFailure, Role


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


def _ours(messages: Sequence[BaseMessage]) -> list[Message]:
    roles: dict[str, Role] = {"system": "system", "ai": "assistant"}
    return [(roles.get(message.type, "user"), str(message.text)) for message in messages]
