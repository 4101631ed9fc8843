"""One generation of the corpus on disk: instruments, provisions, search rows, vectors and the lexical index.

A generation is built aside, synced, and made current by renaming one pointer, so that a reader never sees half of it.
Hides SQLite, bm25s and the vector files. Knows nothing of questions, ranking or models.
"""

from assistant.library.building import (
    K1,
    TABLES,
    B,
    BuildReport,
    Embed,
    build,
    content_of,
    meta_of,
    no_embedder,
    row_tuples,
    vectors_of,
    write,
    write_lock,
)
from assistant.library.reading import REBUILD, SCHEMA, STAMP, Content, Edition, Found, Library, current, digest_of, row_table
from assistant.library.rows import LONG, WORD, Row, rows_of, tokens
from assistant.library.table import ROW_TYPES, Filter, RowTable, Scores, eligible

__all__ = [
    "K1",
    "LONG",
    "REBUILD",
    "ROW_TYPES",
    "SCHEMA",
    "STAMP",
    "TABLES",
    "WORD",
    "B",
    "BuildReport",
    "Content",
    "Edition",
    "Embed",
    "Filter",
    "Found",
    "Library",
    "Row",
    "RowTable",
    "Scores",
    "build",
    "content_of",
    "current",
    "digest_of",
    "eligible",
    "meta_of",
    "no_embedder",
    "row_table",
    "row_tuples",
    "rows_of",
    "tokens",
    "vectors_of",
    "write",
    "write_lock",
]
