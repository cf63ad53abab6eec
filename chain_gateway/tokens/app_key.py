"""What an app signs with and the gateway verifies with: a shared secret (HS256) or a key on P-256 (ES256)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Self

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import OctKey
from joserfc.jws import JWSRegistry, serialize_compact

from chain_gateway.tokens.es256 import Es256Signer
from chain_gateway.tokens.jws import VerifyKey
from chain_gateway.tokens.public_keys import (
    private_from_jwk,
    private_from_pem,
    public_from_jwk,
    public_from_pem,
    verify_key,
)

SECRET_BYTES: Final = 32

_HS256: Final = JWSRegistry(algorithms=["HS256"])


class AppKey:
    """One key with its one algorithm, made ready once. A key with a kid names it, and takes no other."""

    def __init__(self, verifies: VerifyKey, kid: str = "", signs: OctKey | Es256Signer | None = None) -> None:
        """``signs`` is None for a public key; use ``secret``, ``public`` or ``private``."""
        self._verifies = verifies
        self._kid = kid
        self._signs = signs

    @classmethod
    def secret(cls, secret: bytes) -> Self:
        """A shared secret, which signs and verifies HS256; ValueError below 32 bytes (RFC 7518 section 3.2)."""
        if len(secret) < SECRET_BYTES:
            raise ValueError(f"an app's secret has at least {SECRET_BYTES} bytes")
        key = OctKey.import_key(secret)
        return cls(VerifyKey("HS256", key), signs=key)

    @classmethod
    def public(cls, key: str | Mapping[str, object]) -> Self:
        """A public key, PEM text or JWK, which verifies ES256; ValueError if it is none on P-256."""
        if isinstance(key, str):
            return cls(verify_key(public_from_pem(key)))
        return cls(verify_key(public_from_jwk(key)), _kid(key))

    @classmethod
    def private(cls, key: str | Mapping[str, object]) -> Self:
        """A private key, PEM text or JWK, which signs and verifies ES256; ValueError if it is none on P-256."""
        if isinstance(key, str):
            return cls._of(private_from_pem(key), "")
        return cls._of(private_from_jwk(key), _kid(key))

    @classmethod
    def _of(cls, key: ec.EllipticCurvePrivateKey, kid: str) -> Self:
        return cls(verify_key(key.public_key()), kid, Es256Signer(key, kid))

    def find(self, kid: str) -> VerifyKey | None:
        """This key, if a header with ``kid`` (empty for none) can mean it."""
        return self._verifies if not kid or not self._kid or kid == self._kid else None

    def sign(self, typ: str, claims: Mapping[str, object]) -> str:
        """A JWS of ``claims``; ValueError with a public key."""
        payload = orjson.dumps(claims)
        if isinstance(self._signs, Es256Signer):
            return self._signs.sign(typ, payload)
        if self._signs is None:
            raise ValueError("a public key does not sign")
        return serialize_compact({"alg": "HS256", "typ": typ}, payload, self._signs, registry=_HS256)


def _kid(jwk: Mapping[str, object]) -> str:
    kid = jwk.get("kid", "")
    if not isinstance(kid, str):
        raise ValueError("a JWK whose kid is not a text")  # noqa: TRY004 - a refusal of what was configured
    return kid
