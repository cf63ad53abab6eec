"""The store in memory, for one process: tests, demonstrations, and a gateway that may forget at a restart."""

from chain_gateway.store.memory.store import MemoryStore

__all__ = ["MemoryStore"]
