"""HS256 (RFC 7518 section 3.2): HMAC with SHA-256 under a secret that app and gateway share."""

from __future__ import annotations

import hmac

from chain_gateway.tokens.compact import CompactSigner


def signature(secret: bytes, message: bytes) -> bytes:
    """The 32 bytes of the HMAC."""
    return hmac.digest(secret, message, "sha256")


def holds(secret: bytes, message: bytes, made: bytes) -> bool:
    """Whether ``made`` is the HMAC of ``message``, found out in constant time."""
    return hmac.compare_digest(signature(secret, message), made)


class Hs256Signer(CompactSigner):
    """One secret, ready to sign; a secret has no name, so its headers have no ``kid``."""

    def __init__(self, secret: bytes) -> None:
        """How long ``secret`` must be is the matter of whoever takes it from outside."""
        super().__init__("HS256")
        self._secret = secret

    def _signature(self, message: bytes) -> bytes:
        return signature(self._secret, message)
