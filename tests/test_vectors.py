"""LangChain's two doors: a Chroma store derived from the library, and Pincite's search as a retriever."""

from pathlib import Path

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from assistant import library, vectors
from assistant.retrieve import Filter
from assistant.retriever import PinciteRetriever
from assistant.settings import Settings
from assistant.workbench import Workbench
from tests.test_library import build, made_up


class Unused(Embeddings):
    """Pincite queries with vectors; no text is embedded by the store."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise AssertionError("the library's own vectors are used")

    def embed_query(self, text: str) -> list[float]:
        raise AssertionError("the library's own vectors are used")


def test_chroma_finds_what_an_exact_comparison_finds(home: Path) -> None:
    lib = build(home, *(made_up(f"20{n}-01-01", f"words of year {n}", work=f"work-{n}") for n in range(10, 40)))
    store = vectors.chroma(lib, Unused())
    for k in np.flatnonzero(lib.rows.vector >= 0)[::7]:
        vector = np.asarray(lib.vectors[lib.rows.vector[k]])
        keys, cosines = vectors.nearest(store, vector, 5)
        exact = lib.cosines(vector, np.ones(len(lib.rows.type), dtype=bool))
        assert keys[0] == k and abs(float(cosines[0]) - 1) < 1e-4
        assert np.allclose(sorted(cosines)[::-1], np.sort(exact)[::-1][:5], atol=1e-4)


def test_the_store_is_made_once_for_a_corpus(home: Path) -> None:
    lib = build(home, made_up("2020-01-01", "one"))
    vectors.chroma(lib, Unused())
    stamp = next((home / "chroma").rglob("complete"))
    assert stamp.read_text() == lib.digest
    before = stamp.stat().st_mtime_ns
    vectors.chroma(lib, Unused())
    assert stamp.stat().st_mtime_ns == before


def test_any_other_store_of_langchain_finds_what_an_exact_comparison_finds(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from langchain_core.vectorstores import InMemoryVectorStore

    monkeypatch.setattr(vectors, "BATCH", 7)
    lib = build(home, *(made_up(f"20{n}-01-01", f"words of year {n}", work=f"work-{n}") for n in range(10, 40)))
    given = vectors.Given(lambda text: lib.vectors[int(text)])
    store = InMemoryVectorStore(given)  # type: ignore[arg-type]
    vectors.fill(store, given, lib)
    assert {int(id) for id in store.store} == set(np.flatnonzero(lib.rows.vector >= 0).tolist()) and given.vectors == []
    for k in range(0, len(lib.vectors), 7):
        (best,) = store.similarity_search(str(k), k=1)
        assert lib.rows.vector[int(best.id or -1)] == k and best.metadata["pinpoint"] == lib.passage(int(best.id or -1), "").pinpoint.address


def test_search_as_a_langchain_retriever(shipped_home: Path) -> None:
    assert library.current(shipped_home)
    bench = Workbench(Settings(home=shipped_home, llm="none"))
    found = PinciteRetriever(bench=bench, wanted=Filter("2026-11-22", ("gdpr",)), k=3).invoke("When is an impact assessment needed?")
    assert len(found) == 3 and any(d.metadata["pinpoint"].startswith("gdpr:art-35") for d in found)
    assert all(d.page_content and d.metadata["layer"] == "digest" for d in found)
