"""Pincite's search in a LangChain chain of your own: prints the provisions that bear on a question.

Run after `pincite ingest`:  .venv/bin/python examples/langchain_retriever.py "When is a DPIA needed?"
"""

import sys

from assistant.retrieve import Filter
from assistant.retriever import PinciteRetriever
from assistant.workbench import Workbench, today

retriever = PinciteRetriever(bench=Workbench(), wanted=Filter(as_of=today(), frameworks=("gdpr",)), k=3)
for document in retriever.invoke(sys.argv[1] if len(sys.argv) > 1 else "When is a data protection impact assessment needed?"):
    print(document.metadata["citation"], document.metadata["layer"], document.metadata["status"])
    print("   ", " ".join(document.page_content.split())[:160])
