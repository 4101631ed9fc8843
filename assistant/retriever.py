"""Pincite's search as a LangChain retriever, for chains of your own. Knows nothing but the workbench's search."""

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from assistant.forms import hit_json
from assistant.retrieve import Filter
from assistant.workbench import Workbench


class PinciteRetriever(BaseRetriever):
    """Documents whose text is a provision's words and whose metadata is the hit in the form of the contract.

    `wanted` filters by framework, layer and date; `k` is how many provisions come back.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    bench: Workbench
    wanted: Filter
    k: int = 5

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        found: list[dict[str, Any]] = [hit_json(h) for h in self.bench.hits(query, self.wanted, self.k)]
        return [Document(page_content=h["text"], metadata={key: value for key, value in h.items() if key != "text"}) for h in found]
