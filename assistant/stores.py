"""The library of a store, be it in a data folder or in a database: what is current, the lock, and writing. Knows nothing of either's inside."""

from contextlib import AbstractContextManager

from assistant import library, postgres_library
from assistant.library import BuildReport, Embed, Library
from assistant.postgres import Postgres
from assistant.record import Store


def current(store: Store) -> Library | None:
    """The current generation, or None before the first ingest."""
    return postgres_library.current(store) if isinstance(store, Postgres) else library.current(store)


def write_lock(store: Store) -> AbstractContextManager[None]:
    """The one lock of the library, refused at once when another holds it."""
    return postgres_library.write_lock(store) if isinstance(store, Postgres) else library.write_lock(store)


def adopt(store: Store, source: Library) -> BuildReport:
    """Make a copy of another store's generation current; nothing is embedded anew."""
    return write(store, source.content(), library.no_embedder, source)


def write(store: Store, content: library.Content, embed: Embed, previous: Library | None) -> BuildReport:
    """Make this content the current generation, as `library.write` does."""
    if isinstance(store, Postgres):
        return postgres_library.write(store, content, embed, previous)
    return library.write(store, content, embed, previous)
