"""ES256 (RFC 7518 section 3.4): ECDSA on P-256 with SHA-256, a signature being the 64 bytes ``r + s``.

Signatures are deterministic (RFC 6979), so signing needs no randomness and the same ticket always has the same text.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from chain_gateway.tokens.compact import CompactSigner

_SIZE: Final = 32
_SIGNS: Final = ECDSA(SHA256(), deterministic_signing=True)
_VERIFIES: Final = ECDSA(SHA256())


def signature(key: EllipticCurvePrivateKey, message: bytes) -> bytes:
    """The 64 bytes of a signature by ``key``, a key on P-256."""
    r, s = decode_dss_signature(key.sign(message, _SIGNS))
    return r.to_bytes(_SIZE, "big") + s.to_bytes(_SIZE, "big")


def holds(key: EllipticCurvePublicKey, message: bytes, made: bytes) -> bool:
    """Whether ``made`` is a signature of ``message`` by the private half of ``key``, a key on P-256.

    The range of the two numbers, and all arithmetic, is the library's.
    """
    if len(made) != 2 * _SIZE:
        return False
    r, s = int.from_bytes(made[:_SIZE], "big"), int.from_bytes(made[_SIZE:], "big")
    try:
        key.verify(encode_dss_signature(r, s), message, _VERIFIES)
    except InvalidSignature:
        return False
    return True


class Es256Signer(CompactSigner):
    """One private key on P-256, ready to sign."""

    def __init__(self, key: EllipticCurvePrivateKey, kid: str = "") -> None:
        """An empty ``kid`` is left out of the header; ValueError if the key is on another curve."""
        if not isinstance(key.curve, SECP256R1):
            raise ValueError("ES256 takes a key on P-256")  # noqa: TRY004 - the type is right, its curve is not
        super().__init__("ES256", kid)
        self._key = key

    def _signature(self, message: bytes) -> bytes:
        return signature(self._key, message)
