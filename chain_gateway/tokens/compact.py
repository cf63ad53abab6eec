"""Writes JWS of one fixed profile: compact, with ``alg``, ``typ`` and ``kid`` in the header, in that order.

The project's own tickets and receipts, a signature each at every hop, are where a library's generality costs more than
the arithmetic; docs/decisions/0002-jose.md has the numbers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import orjson

from chain_gateway.tokens.encoding import b64e


class CompactSigner(ABC):
    """One key, ready to sign; its headers are encoded once for each type."""

    def __init__(self, alg: str, kid: str = "") -> None:
        """An empty ``kid`` is left out of the header."""
        self._alg = alg
        self._kid = {"kid": kid} if kid else {}
        self._headers: dict[str, str] = {}

    def sign(self, typ: str, payload: bytes) -> str:
        """The JWS of ``payload``, with ``typ`` in its header (a fixed label, never something that came in)."""
        header = self._headers.get(typ)
        if header is None:
            header = b64e(orjson.dumps({"alg": self._alg, "typ": typ, **self._kid}))
            self._headers[typ] = header
        signed = f"{header}.{b64e(payload)}"
        return f"{signed}.{b64e(self._signature(signed.encode()))}"

    @abstractmethod
    def _signature(self, message: bytes) -> bytes:
        """The bytes of the JWS signature over ``message``."""
