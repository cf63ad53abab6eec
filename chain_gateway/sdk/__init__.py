"""What an app installs: the hop, the session rule, and an adapter for its framework."""

from chain_gateway.sdk.config import ChainConfig
from chain_gateway.sdk.memory import InProcessMemory, Memory, SqliteMemory
from chain_gateway.sdk.session import Session

__all__ = ["ChainConfig", "InProcessMemory", "Memory", "Session", "SqliteMemory"]
