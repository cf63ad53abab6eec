"""Public keys that somebody publishes as a JWK set: the gateway's for the apps, an app's for the gateway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from chain_gateway.tokens.jws import VerifyKey
from chain_gateway.tokens.public_keys import es256_jwk, public_from_jwk, verify_key


class KeySet:
    """Keys by kid, made ready once."""

    def __init__(self, keys: Mapping[str, VerifyKey]) -> None:
        """``keys`` by kid."""
        self._keys = dict(keys)

    @classmethod
    def from_jwks(cls, jwks: Mapping[str, object]) -> Self:
        """The keys of a key set (RFC 7517 section 5); ValueError if it is none, or a key for ES256 is malformed.

        Keys of other types are passed over, as the RFC asks, and so are keys without a kid, which nothing can name.
        """
        entries = jwks.get("keys")
        if not isinstance(entries, list):
            raise ValueError("not a JWK set")  # noqa: TRY004 - a refusal of what was fetched
        keys: dict[str, VerifyKey] = {}
        for jwk in entries:
            if not isinstance(jwk, dict) or not es256_jwk(jwk):
                continue
            kid = jwk.get("kid")
            if not isinstance(kid, str) or not kid:
                continue
            if kid in keys:
                raise ValueError("a JWK set with one kid twice")
            keys[kid] = verify_key(public_from_jwk(jwk))
        return cls(keys)

    def find(self, kid: str) -> VerifyKey | None:
        """The key of ``kid``."""
        return self._keys.get(kid)

    def __contains__(self, kid: object) -> bool:
        """Whether there is a key of that kid."""
        return kid in self._keys

    def __len__(self) -> int:
        """How many keys there are."""
        return len(self._keys)
