"""Any LangChain vector store beside the library: filled with the library's own vectors, then asked by meaning.

Here LangChain's in-memory store; Qdrant, Milvus or pgvector (langchain-postgres) go in the same way. Run after `pincite ingest`:
.venv/bin/python examples/vector_store.py "When is a DPIA needed?"
"""

import sys

from langchain_core.vectorstores import InMemoryVectorStore

from assistant import vectors
from assistant.workbench import Workbench

bench = Workbench()
given = vectors.Given(bench.embedder.embed_query)
store = InMemoryVectorStore(given)
vectors.fill(store, given, bench.library)
for document in store.similarity_search(sys.argv[1] if len(sys.argv) > 1 else "When is a data protection impact assessment needed?", k=5):
    print(document.metadata["pinpoint"], " ".join(document.page_content.split())[:120])
