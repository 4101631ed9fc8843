"""A LangChain `VectorStore` over the library's vectors: Chroma by default, derived from the library and stamped with it.

Search itself compares with every vector exactly (docs/adr/0001); this store is for chains of a user's own and for stores
of other kinds to be held against. Hides Chroma. Knows nothing of law or questions.
"""

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.library import Library

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.vectorstores import VectorStore
    from numpy.typing import NDArray

BATCH = 5_000  # Chroma refuses more than 5,461 at once
COLLECTION = "passages"


def chroma(library: Library, embedding: Any) -> "VectorStore":
    """The Chroma store of this generation, made on first use; ids are search row keys, metadata names address and layer.

    `embedding` is a LangChain `Embeddings` for users who query the store with text; Pincite queries it with vectors.
    """
    import chromadb
    from langchain_chroma import Chroma

    logging.getLogger("chromadb").setLevel(logging.ERROR)
    folder = library.folder.parent.parent / "chroma" / library.digest[:16]
    client = chromadb.PersistentClient(str(folder), settings=chromadb.Settings(anonymized_telemetry=False))
    store: VectorStore = Chroma(
        client=client, collection_name=COLLECTION, embedding_function=embedding, collection_configuration={"hnsw": {"space": "cosine", "ef_search": 200}}
    )
    stamp = folder / "complete"
    if not stamp.exists():
        _fill(client.get_or_create_collection(COLLECTION), library)
        stamp.write_text(library.digest)
    return store


def _fill(collection: Any, library: Library) -> None:
    rows = library.rows
    keys = np.flatnonzero(rows.vector >= 0)
    for at in range(0, len(keys), BATCH):
        part = keys[at : at + BATCH].tolist()
        passages = [library.passage(k, "") for k in part]
        places = [{"pinpoint": p.pinpoint.address, "official": p.layer == "official"} for p in passages]
        collection.upsert(ids=[str(k) for k in part], embeddings=library.vectors[rows.vector[part]], metadatas=places, documents=[p.text for p in passages])


def nearest(store: "VectorStore", vector: "NDArray[np.float32]", k: int) -> "tuple[NDArray[np.int64], NDArray[np.float32]]":
    """The keys and cosines of the `k` rows nearest to a vector, by any LangChain store whose ids are row keys."""
    found = store.similarity_search_by_vector_with_relevance_scores(vector.tolist(), k=k)  # type: ignore[attr-defined]
    keys = np.array([int(doc.id) for doc, _ in found], dtype=np.int64)
    return keys, 1.0 - np.array([distance for _, distance in found], dtype=np.float32)


class Given:
    """A LangChain `Embeddings` that hands out vectors made before, in the order in which the texts are added; questions go to `embed_query`."""

    def __init__(self, embed_query: "Callable[[str], NDArray[np.float32]]") -> None:
        self._embed_query = embed_query
        self.vectors: list[list[float]] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """The vectors that lie ready for these texts."""
        ready, self.vectors = self.vectors[: len(texts)], self.vectors[len(texts) :]
        return ready

    def embed_query(self, text: str) -> list[float]:
        """A question's vector."""
        return [float(x) for x in self._embed_query(text)]


def fill(store: "VectorStore", given: Given, library: Library) -> None:
    """Put every row of the library that has a vector into a LangChain store of any kind, which was made with `given`; ids are row keys."""
    from langchain_core.documents import Document

    rows = library.rows
    keys = np.flatnonzero(rows.vector >= 0)
    for at in range(0, len(keys), BATCH):
        part = keys[at : at + BATCH].tolist()
        passages = [library.passage(k, "") for k in part]
        given.vectors = library.vectors[rows.vector[part]].tolist()
        documents = [
            Document(id=str(k), page_content=p.text, metadata={"pinpoint": p.pinpoint.address, "official": p.layer == "official"})
            for k, p in zip(part, passages, strict=True)
        ]
        store.add_documents(documents, ids=[str(k) for k in part])
