"""What an app signs with and the gateway verifies with: a shared secret (HS256) or a key on P-256 (ES256)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Self

import orjson

from chain_gateway.tokens.compact import CompactSigner
from chain_gateway.tokens.es256 import Es256Signer
from chain_gateway.tokens.hs256 import Hs256Signer, Secret
from chain_gateway.tokens.jws import VerifyKey
from chain_gateway.tokens.key_set import KeySet
from chain_gateway.tokens.public_keys import (
    private_from_jwk,
    private_from_pem,
    public_from_jwk,
    public_from_pem,
    verify_key,
)

SECRET_BYTES: Final = 32


class AppKey:
    """One app's key with its one algorithm, made ready once."""

    def __init__(self, find: Callable[[str], VerifyKey | None], signs: CompactSigner | None = None) -> None:
        """``find`` gives the key that a header's kid (empty for none) can mean; without ``signs`` it only verifies.

        Made by ``secret``, ``public``, ``key_set`` or ``private``.
        """
        self.find = find
        self._signs = signs

    @classmethod
    def secret(cls, secret: bytes) -> Self:
        """A shared secret, which signs and verifies HS256; ValueError below 32 bytes (RFC 7518 section 3.2)."""
        if len(secret) < SECRET_BYTES:
            raise ValueError(f"an app's secret has at least {SECRET_BYTES} bytes")
        shared = Secret(secret)
        return cls(_only(VerifyKey("HS256", shared.holds), ""), Hs256Signer(shared))

    @classmethod
    def public(cls, key: str | Mapping[str, object]) -> Self:
        """A public key, PEM text or JWK, which verifies ES256; ValueError if it is none on P-256."""
        public, kid = (public_from_pem(key), "") if isinstance(key, str) else (public_from_jwk(key), _kid(key))
        return cls(_only(verify_key(public), kid))

    @classmethod
    def key_set(cls, jwks: Mapping[str, object]) -> Self:
        """Public keys as the app publishes them, which verify ES256 by kid; ValueError as ``KeySet.from_jwks``."""
        return cls(KeySet.from_jwks(jwks).find)

    @classmethod
    def private(cls, key: str | Mapping[str, object]) -> Self:
        """A private key, PEM text or JWK, which signs and verifies ES256; ValueError if it is none on P-256."""
        private, kid = (private_from_pem(key), "") if isinstance(key, str) else (private_from_jwk(key), _kid(key))
        return cls(_only(verify_key(private.public_key()), kid), Es256Signer(private, kid))

    def sign(self, typ: str, claims: Mapping[str, object]) -> str:
        """A JWS of ``claims``; ValueError with a public key."""
        if self._signs is None:
            raise ValueError("a public key does not sign")
        return self._signs.sign(typ, orjson.dumps(claims))


def _only(key: VerifyKey, own_kid: str) -> Callable[[str], VerifyKey | None]:
    """Finds the one key there is, unless both it and the header have a kid, and not the same."""

    def find(kid: str) -> VerifyKey | None:
        return key if not kid or not own_kid or kid == own_kid else None

    return find


def _kid(jwk: Mapping[str, object]) -> str:
    kid = jwk.get("kid", "")
    if not isinstance(kid, str):
        raise ValueError("a JWK whose kid is not a text")  # noqa: TRY004 - a refusal of what was configured
    return kid
