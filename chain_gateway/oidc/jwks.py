"""The provider's public keys (RFC 7517), and which of them may have signed a given text.

A key that cannot verify one of our algorithms is passed over (section 5): an encryption key, a symmetric one, a type or
curve that we do not know, an RSA key under 2048 bits. Only public members are read, whatever else stands there.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import DictKey, ECKey, OKPKey, RSAKey

from chain_gateway.errors import OpUnavailable

PublicKey = RSAKey | ECKey | OKPKey

_TYPES: Final[Mapping[str, type[RSAKey | ECKey | OKPKey]]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_ALGORITHMS: Final[Mapping[str, frozenset[str]]] = {
    "RSA": frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    "P-256": frozenset({"ES256"}),
    "P-384": frozenset({"ES384"}),
    "P-521": frozenset({"ES512"}),
    "Ed25519": frozenset({"EdDSA", "Ed25519"}),
}
_MEMBERS: Final = ("kty", "kid", "use", "alg", "key_ops", "n", "e", "crv", "x", "y")


class PublicKeys:
    """One reading of a provider's key set."""

    def __init__(self, keys: Iterable[PublicKey]) -> None:
        """``keys`` in the order in which the provider lists them."""
        self._keys = tuple(keys)

    def find(self, kid: str, alg: str) -> PublicKey | None:
        """The key of that ``kid`` that serves ``alg``; without a kid (empty) the only one that does; else None.

        Core section 10.1: a provider with several keys must name the one that it used.
        """
        fitting = [key for key in self._keys if alg in algorithms_of(key) and (not kid or key.kid == kid)]
        return fitting[0] if fitting and (kid or len(fitting) == 1) else None


def algorithms_of(key: PublicKey) -> frozenset[str]:
    """The algorithms that ``key`` can serve by its type, its curve and its own ``alg``."""
    able = _ALGORITHMS.get(key.key_type if isinstance(key, RSAKey) else key.curve_name, frozenset())
    return able if key.alg is None else able & {key.alg}


def read_jwks(document: Mapping[str, object]) -> PublicKeys:
    """The usable keys in ``document``; OpUnavailable if it is no key set, or holds none of use."""
    members = document.get("keys")
    if not isinstance(members, list):
        raise OpUnavailable("the key set has no list of keys", code="op_unavailable.jwks")
    keys = [key for key in map(_usable, members) if key is not None]
    if not keys:
        raise OpUnavailable("the key set holds no key that could sign an ID token", code="op_unavailable.jwks")
    return PublicKeys(keys)


def _usable(member: object) -> PublicKey | None:
    """The key that ``member`` describes, or None if it can verify nothing here."""
    if not isinstance(member, dict):
        return None
    jwk: DictKey = {}
    for name in _MEMBERS:
        value = member.get(name)
        if isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            jwk[name] = value
    key_type = _TYPES.get(str(jwk.get("kty")))
    if key_type is None or jwk.get("use", "sig") != "sig" or "verify" not in jwk.get("key_ops", ["verify"]):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", SecurityWarning)  # a key too short to trust
            key = key_type.import_key(jwk)
    except (JoseError, SecurityWarning, UnsupportedAlgorithm, ValueError, KeyError):
        return None
    return key if algorithms_of(key) else None
