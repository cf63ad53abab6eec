"""The embedded provider's signing keys: one that signs, and the one before it, which still verifies."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, KeySetSerialization, OctKey, RSAKey

from chain_gateway.demo.op.model import Algorithm

RSA_BITS = 2048
KEPT = 2


class OpKeys:
    """Signs ID tokens, reads its own back, and seals the forms of the provider's own pages."""

    def __init__(self, algorithm: Algorithm, random: Callable[[int], bytes]) -> None:
        """``random`` names the keys; their material comes from the operating system through the JOSE library."""
        self.algorithm = algorithm
        self._random = random
        self._keys = [self._new()]
        self._form_key = OctKey.import_key(random(32))

    def _new(self) -> ECKey | RSAKey:
        """A key of the configured algorithm."""
        kid = base64.urlsafe_b64encode(self._random(9)).decode()
        if self.algorithm is Algorithm.RS256:
            return RSAKey.generate_key(RSA_BITS, {"kid": kid, "alg": self.algorithm, "use": "sig"})
        return ECKey.generate_key("P-256", {"kid": kid, "alg": self.algorithm, "use": "sig"})

    def rotate(self) -> None:
        """From now on a new key signs; the previous one stays published, what came before it is gone."""
        self._keys = [self._new(), *self._keys][:KEPT]

    def jwks(self) -> KeySetSerialization:
        """The public keys (RFC 7517 §5)."""
        return KeySet([*self._keys]).as_dict(private=False)

    def sign(self, claims: Mapping[str, object], typ: str = "JWT") -> str:
        """A token of ``claims``: an ID token unless ``typ`` says otherwise."""
        key = self._keys[0]
        header = {"alg": self.algorithm.value, "kid": key.kid, "typ": typ}
        return jwt.encode(header, dict(claims), key, [self.algorithm.value])

    def read(self, token: str) -> Mapping[str, object] | None:
        """The claims of an ID token that was signed here, however old it is; None for anything else.

        RP-Initiated Logout 1.0 §4 asks to take an expired ID token as a hint.
        """
        try:
            return jwt.decode(token, KeySet([*self._keys]), [self.algorithm.value]).claims
        except (JoseError, ValueError):
            return None

    def seal_form(self, fields: Mapping[str, object]) -> str:
        """The hidden field of a page's form, which only this provider can have made."""
        return jwt.encode({"alg": "HS256", "typ": "op-form"}, dict(fields), self._form_key, ["HS256"])

    def open_form(self, text: str) -> Mapping[str, object] | None:
        """The fields of ``seal_form``; None if they were not sealed here."""
        try:
            token = jwt.decode(text, self._form_key, ["HS256"])
        except (JoseError, ValueError):
            return None
        return token.claims if token.header.get("typ") == "op-form" else None


def at_hash(access_token: str) -> str:
    """The left half of the access token's SHA-256, as both algorithms demand (OIDC Core §3.1.3.6)."""
    left = hashlib.sha256(access_token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(left).rstrip(b"=").decode()
