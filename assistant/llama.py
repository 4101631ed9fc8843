"""The inside of the model worker: a GGUF model in llama.cpp that answers one request at a time over a pipe. Runs in a child of its own.

The only module that imports llama_cpp; the program's own process never does. Messages are JSON. Every reply to request `run` carries
its number: any number of {"text"}, then one {"done"} or {"failed", "detail"}. A request that is not foreseen ends the worker with last words.
"""

import codecs
import contextlib
import json
import os
import queue
import re
import sys
import threading
from functools import partial
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

CHATML = "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}{{ '<|im_start|>assistant\n' }}"


def serve(connection: Connection) -> None:
    """The worker's loop, until the pipe closes."""
    worker = _Worker(connection)
    sys.excepthook = partial(_last_words, worker)
    threading.Thread(target=worker.listen, daemon=True).start()
    while True:
        message = worker.inbox.get()
        worker.running = message["run"]
        worker.send(**getattr(worker, f"do_{message.pop('do')}")(message))


class _Worker:
    """One model and the requests to it. A thread listens, so that a stop is heard while the model computes."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.running = 0
        self.stopped = 0  # the last request that was told to stop
        self.prefix: list[int] = []  # the tokens of the conversation's beginning, which the model holds evaluated
        self.grammars: dict[str, Any] = {}

    def listen(self) -> None:
        try:
            while True:
                message = json.loads(self.connection.recv_bytes())
                if message["do"] == "stop":
                    self.stopped = message["run"]
                else:
                    self.inbox.put(message)
        except (EOFError, OSError):
            os._exit(0)

    def send(self, **reply: Any) -> None:
        with contextlib.suppress(OSError):
            self.connection.send_bytes(json.dumps({"run": self.running, **reply}).encode())

    def told_to_stop(self, _: object = None) -> bool:
        return self.stopped >= self.running

    # ---------------------------------------------------------------- requests

    def do_load(self, message: dict[str, Any]) -> dict[str, Any]:
        """Opens the model; what llama.cpp says of a file that it cannot open goes to stderr, which nobody reads: the reason is its alone."""
        import llama_cpp
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        cores = os.cpu_count() or 1
        # Its threads wait for each other at every layer, spinning. With as many as there are cores, one busy neighbour made
        # generation 3 to 20 times slower; with one fewer nothing was lost that mattered (2 cores, docs/experiments.md).
        threads = {"n_threads": max(cores - 1, 1), "n_threads_batch": cores}
        try:
            self.llm = llama_cpp.Llama(message["path"], n_ctx=message["n_ctx"], n_gpu_layers=-1, seed=0, verbose=False, **threads)
        except (ValueError, RuntimeError) as error:
            return {"failed": "not-loadable", "detail": str(error).splitlines()[0]}
        self.vocabulary = llama_cpp.llama_model_get_vocab(self.llm._model.model)
        self.abort = llama_cpp.ggml_abort_callback(self.told_to_stop)  # must live as long as the context
        llama_cpp.llama_set_abort_callback(self.llm._ctx.ctx, self.abort, None)
        texts = {token: self.llm.detokenize([token], special=True).decode("utf-8", "ignore") for token in self._controls(llama_cpp)}
        self.control = re.compile("|".join(re.escape(text) for text in sorted(texts.values(), key=len, reverse=True) if text.strip()) or r"(?!)")
        template = self.llm.metadata.get("tokenizer.chat_template") or CHATML
        ends = [texts.get(token, "") for token in (self.llm.token_eos(), self.llm.token_bos())]
        self.template = Jinja2ChatFormatter(template=template, eos_token=ends[0], bos_token=ends[1])
        return {"done": {"n_ctx": self.llm.n_ctx()}}

    def do_generate(self, message: dict[str, Any]) -> dict[str, Any]:
        """The most likely reply, token by token. The same request gives the same reply, whatever was asked before."""
        grammar = None
        if message["schema"] is not None:
            grammar = self.grammar(json.dumps(message["schema"]))
            if grammar is None:
                return {"failed": "bad-schema", "detail": "llama.cpp cannot read the grammar made of it"}
        before, rest = self.prompt(message["messages"])
        room = self.llm.n_ctx() - len(before) - len(rest)
        if room < message["max_tokens"]:
            detail = f"{len(before) + len(rest)} tokens and {message['max_tokens']} for the reply, of {self.llm.n_ctx()}"
            return {"failed": "prompt-too-long", "detail": detail}
        try:
            return self.generate(before, rest, grammar, message["max_tokens"])
        except RuntimeError:  # llama_decode was aborted
            if not self.told_to_stop():
                raise
            return {"done": {"end": "stopped"}}

    def do_accepts(self, message: dict[str, Any]) -> dict[str, Any]:
        """Whether a schema makes a grammar that llama.cpp can read."""
        sound = self.grammar(json.dumps(message["schema"])) is not None
        return {"done": True} if sound else {"failed": "bad-schema", "detail": "llama.cpp cannot read the grammar made of it"}

    def do_count(self, message: dict[str, Any]) -> dict[str, Any]:
        """How many tokens a text is."""
        return {"done": len(self.llm.tokenize(message["text"].encode(), add_bos=False, special=False))}

    # ---------------------------------------------------------------- the work

    def _controls(self, llama_cpp: Any) -> list[int]:
        count = llama_cpp.llama_vocab_n_tokens(self.vocabulary)
        return [token for token in range(count) if llama_cpp.llama_vocab_is_control(self.vocabulary, token)]

    def grammar(self, schema: str) -> Any:
        """The grammar of a schema, tried out first: llama-cpp-python would hand a null pointer on, and the process would die."""
        import llama_cpp

        if schema not in self.grammars:
            grammar = llama_cpp.LlamaGrammar.from_json_schema(schema, verbose=False)
            sampler = llama_cpp.llama_sampler_init_grammar(self.vocabulary, grammar._grammar.encode(), grammar._root.encode())
            if sampler:
                llama_cpp.llama_sampler_free(sampler)
            self.grammars[schema] = grammar if sampler else None
        return self.grammars[schema]

    def prompt(self, messages: list[dict[str, str]]) -> tuple[list[int], list[int]]:
        """The tokens of everything before the last message's words, and the rest. Words that would act as control tokens are taken out."""
        import jinja2

        messages = [{"role": m["role"], "content": self.control.sub(" ", m["content"])} for m in messages]
        try:
            text = self.template(messages=messages, enable_thinking=False).prompt
        except (jinja2.TemplateError, ValueError):  # a template that knows no system message: its words open the user's first
            system = [m["content"] for m in messages if m["role"] == "system"]
            messages = [dict(m) for m in messages if m["role"] != "system"]
            messages[0]["content"] = "\n\n".join([*system, messages[0]["content"]])
            text = self.template(messages=messages, enable_thinking=False).prompt
        cut = max(text.rfind(messages[-1]["content"].strip()), 0)
        before, rest = (self.llm.tokenize(part.encode(), add_bos=False, special=True) if part else [] for part in (text[:cut], text[cut:]))
        return before, rest

    def settle(self, prefix: list[int]) -> None:
        """Brings the model to the point after `prefix`, evaluated by itself: the same numbers whether it was there already or not."""
        if prefix and prefix == self.prefix and self.llm._ctx.kv_cache_seq_rm(-1, len(prefix), -1):
            self.llm.n_tokens = len(prefix)
            return
        self.prefix = []
        self.llm.reset()
        if prefix:
            self.llm.eval(prefix)
            self.prefix = prefix

    def generate(self, before: list[int], rest: list[int], grammar: Any, max_tokens: int) -> dict[str, Any]:
        import llama_cpp

        self.settle(before)
        decoder, count = codecs.getincrementaldecoder("utf-8")("replace"), 0
        for token in self.llm.generate(rest, temp=0.0, reset=False, grammar=grammar):
            if self.told_to_stop():
                return {"done": {"end": "stopped"}}
            if llama_cpp.llama_vocab_is_eog(self.vocabulary, token):
                return {"done": {"end": "complete", "tokens": count}}
            count += 1
            piece = decoder.decode(self.llm.detokenize([token]))
            if piece:
                self.send(text=piece)
            if count == max_tokens:
                break
        return {"done": {"end": "full", "tokens": count}}


def _last_words(worker: _Worker, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    said = (str(error).splitlines() or [""])[0][:200]
    worker.send(failed="worker-died", detail=f"{kind.__name__}: {said}")
