"""Names that mean this machine, for calls from server to server.

Browsers send every name under ``localhost`` to loopback by themselves, a bare system's resolver does not. RFC 6761,
section 6.3: such names are answered with the loopback address and are never asked of a name server.
"""

from __future__ import annotations

import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver

from chain_gateway.core.origins import is_loopback


class LoopbackResolver(AbstractResolver):
    """Answers ``localhost`` and ``*.localhost`` with 127.0.0.1."""

    def __init__(self, others: AbstractResolver | None = None) -> None:
        """``others`` is asked for all other names and closed with this one; by default it is aiohttp's own."""
        self._others = others or DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of ``host``; raises OSError if there are none."""
        if not is_loopback(host.lower()):
            return await self._others.resolve(host, port, family)
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=port,
                family=socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Closes the resolver of the other names."""
        await self._others.close()
