"""The store in one SQLite file, which several processes of one machine may share."""

from chain_gateway.store.sqlite.connection import Synchronous
from chain_gateway.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore", "Synchronous"]
