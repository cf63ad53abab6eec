"""Opens signed texts of the project: compact JWS (RFC 7515) of a fixed type under a key with a fixed algorithm.

The header chooses nothing: it must say what the key and the door already know. ES256 is verified by joserfc, HS256 by
the standard library's ``hmac``, a receipt at each hop; docs/decisions/0002-jose.md has the numbers.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from joserfc.jwk import ECKey
from joserfc.jws import CompactSignature, JWSRegistry, validate_compact

from chain_gateway.tokens.encoding import b64d, strict_json
from chain_gateway.tokens.refusals import Check, refused

Alg = Literal["ES256", "HS256"]

_PARTS = 3
_MEMBERS: Final = frozenset({"alg", "typ", "kid"})
_ES256: Final = JWSRegistry(algorithms=["ES256"])


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A key that verifies, and the one algorithm that it verifies with: a secret for HS256, an EC key for ES256."""

    alg: Alg
    key: ECKey | bytes = field(repr=False)

    def holds(self, header: dict[str, object], parts: list[str], signature: bytes) -> bool:
        """Whether ``signature`` is this key's over the first two ``parts`` of a JWS, of which ``header`` is one."""
        if isinstance(self.key, bytes):
            signed = f"{parts[0]}.{parts[1]}".encode()
            return hmac.compare_digest(hmac.digest(self.key, signed, "sha256"), signature)
        compact = CompactSignature(header, b"")
        texts = [part.encode() for part in parts]
        compact.segments = {"header": texts[0], "payload": texts[1], "signature": texts[2]}
        return validate_compact(compact, self.key, registry=_ES256)


def open_jws(text: str, typ: str, max_bytes: int, find: Callable[[str], VerifyKey | None]) -> dict[str, object]:
    """The claims of a JWS that holds; TokenRefused at the first check: size, shape, header, key, signature.

    ``find`` gives the key of a ``kid``, which is empty where the header has none.
    """
    if len(text) > max_bytes:
        raise refused(Check.SIZE, f"a {typ} of {len(text)} characters")
    parts = text.split(".", _PARTS)
    if len(parts) != _PARTS:
        raise refused(Check.SHAPE, f"a {typ} without its three parts")
    try:
        header, payload, signature = strict_json(b64d(parts[0])), b64d(parts[1]), b64d(parts[2])
    except ValueError as error:
        raise refused(Check.SHAPE, f"a {typ} that cannot be read: {error}") from error
    alg, kid = header.get("alg"), header.get("kid", "")
    if header.get("typ") != typ or not header.keys() <= _MEMBERS or not isinstance(kid, str):
        raise refused(Check.HEADER, f"not the header of a {typ}")
    key = find(kid)
    if key is None:
        raise refused(Check.KEY, f"a {typ} under a key that is not known")
    if alg != key.alg:
        raise refused(Check.HEADER, f"a {typ} whose algorithm is not the key's")
    if not key.holds(header, parts, signature):
        raise refused(Check.SIGNATURE, f"a {typ} with a signature that is not its key's")
    try:
        return strict_json(payload)
    except ValueError as error:
        raise refused(Check.SHAPE, f"a {typ} whose claims cannot be read: {error}") from error
