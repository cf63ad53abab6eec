"""Signs JWS of one fixed profile: compact, ES256, header ``alg``, ``typ`` and ``kid`` in that order.

The project's own tickets, a signature each hop, are the one place where the library's generality costs more than the
arithmetic; docs/decisions/0002-jose.md has the numbers. Nothing is verified here. Signatures are deterministic
(RFC 6979), so signing needs no randomness and the same ticket always has the same text.
"""

from __future__ import annotations

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from chain_gateway.tokens.encoding import b64e

_ES256 = ECDSA(SHA256(), deterministic_signing=True)


def signature(key: EllipticCurvePrivateKey, message: bytes) -> bytes:
    """The 64 bytes ``r + s`` of RFC 7518 section 3.4."""
    r, s = decode_dss_signature(key.sign(message, _ES256))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class Es256Signer:
    """One private P-256 key, ready to sign; its headers are encoded once for each type."""

    def __init__(self, key: EllipticCurvePrivateKey, kid: str = "") -> None:
        """An empty ``kid`` is left out of the header; ValueError if the key is on another curve."""
        if not isinstance(key.curve, SECP256R1):
            raise ValueError("ES256 takes a key on P-256")  # noqa: TRY004 - the type is right, its curve is not
        self._key = key
        self._kid = {"kid": kid} if kid else {}
        self._headers: dict[str, str] = {}

    def sign(self, typ: str, payload: bytes) -> str:
        """The JWS of ``payload``, with ``typ`` in its header (a fixed label, never something that came in)."""
        header = self._headers.get(typ)
        if header is None:
            header = b64e(orjson.dumps({"alg": "ES256", "typ": typ, **self._kid}))
            self._headers[typ] = header
        signed = f"{header}.{b64e(payload)}"
        return f"{signed}.{b64e(signature(self._key, signed.encode()))}"
