"""HS256 (RFC 7518 section 3.2): HMAC with SHA-256 under a secret that app and gateway share."""

from __future__ import annotations

import hmac

from chain_gateway.tokens.compact import CompactSigner


class Secret:
    """A secret that the HMAC has taken in once, as each message begins where that ended."""

    def __init__(self, secret: bytes) -> None:
        """How long ``secret`` must be is the matter of whoever takes it from outside."""
        self._keyed = hmac.new(secret, digestmod="sha256")

    def signature(self, message: bytes) -> bytes:
        """The 32 bytes of the HMAC."""
        made = self._keyed.copy()
        made.update(message)
        return made.digest()

    def holds(self, message: bytes, made: bytes) -> bool:
        """Whether ``made`` is the HMAC of ``message``, found out in constant time."""
        return hmac.compare_digest(self.signature(message), made)


class Hs256Signer(CompactSigner):
    """One secret, ready to sign; a secret has no name, so its headers have no ``kid``."""

    def __init__(self, secret: Secret) -> None:
        """``secret`` may verify as well."""
        super().__init__("HS256")
        self._secret = secret

    def _signature(self, message: bytes) -> bytes:
        return self._secret.signature(message)
