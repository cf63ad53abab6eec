"""A text that the provider signed (RFC 7515, compact): what its header may say, and what its payload says.

The header names the algorithm, but never chooses it: an algorithm counts only if the caller allows it, and only
with a key of its own type and curve (RFC 8725 sections 3.1 and 3.2). Members that would bring a key along, or that must
be understood, refuse the text; others are ignored (RFC 7515 section 4).
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import orjson
from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning

from chain_gateway.errors import SignInFailed
from chain_gateway.oidc.jwks import PublicKey
from chain_gateway.tokens.encoding import b64d, strict_json

SIGNED_BYTES: Final = 16 * 1024
"""No honest ID token is longer, and no longer one would fit into what the gateway keeps of it."""

_OUTDATED: Final = "EdDSA"
_SEGMENTS: Final = 3
_DANGEROUS: Final = frozenset({"crit", "jku", "jwk", "x5u", "x5c", "zip", "b64"})


@dataclass(frozen=True, slots=True)
class Signed:
    """A text whose header was read and allowed; nothing of its payload is believed before ``claims``."""

    text: str = field(repr=False)
    alg: str
    kid: str
    typ: str

    def claims(self, key: PublicKey) -> dict[str, object]:
        """The payload, if ``key`` verifies the signature; SignInFailed if not, or if it is no JSON object."""
        registry = _only(self.alg)
        try:
            with _unwarned(self.alg):
                opened = jws.deserialize_compact(self.text, key, registry=registry)
        except (JoseError, ValueError) as error:
            raise SignInFailed("the signature does not hold", code="sign_in_failed.signature") from error
        try:
            return strict_json(opened.payload)
        except ValueError as error:
            raise SignInFailed("the payload is not one JSON object", code="sign_in_failed.shape") from error


def read_signed(text: str, algorithms: Collection[str]) -> Signed:
    """The header of ``text`` read and judged; SignInFailed names the check. ``algorithms`` are those allowed."""
    if len(text) > SIGNED_BYTES:
        raise SignInFailed(f"longer than {SIGNED_BYTES} characters", code="sign_in_failed.size")
    segments = text.split(".")
    if len(segments) != _SEGMENTS:
        raise SignInFailed("not three segments: unsigned, encrypted or no JWS", code="sign_in_failed.shape")
    try:
        header = strict_json(b64d(segments[0]))
    except ValueError as error:
        raise SignInFailed("the header is not one JSON object", code="sign_in_failed.shape") from error
    if not _DANGEROUS.isdisjoint(header):
        raise SignInFailed("the header brings a key or asks for an extension", code="sign_in_failed.header")
    alg, kid, typ = (header.get(name, "") for name in ("alg", "kid", "typ"))
    if not isinstance(alg, str) or not isinstance(kid, str) or not isinstance(typ, str):
        raise SignInFailed("alg, kid or typ is no text", code="sign_in_failed.header")
    if alg not in algorithms:
        raise SignInFailed("signed with an algorithm that is not allowed", code="sign_in_failed.alg")
    return Signed(text, alg, kid, typ)


def sign_text(claims: Mapping[str, object], key: PublicKey, alg: str) -> str:
    """A compact JWS of ``claims`` under our own private ``key``, named by its ``kid`` where it has one."""
    header = {"typ": "JWT", "alg": alg} | ({"kid": key.kid} if key.kid else {})
    with _unwarned(alg):
        return jws.serialize_compact(header, orjson.dumps(claims), key, algorithms=[alg])


@functools.cache
def _only(alg: str) -> jws.JWSRegistry:
    return jws.JWSRegistry(algorithms=[alg], strict_check_header=False)


@contextmanager
def _unwarned(alg: str) -> Iterator[None]:
    """Passes over the warning of EdDSA, whose name alone is outdated (RFC 9864); others give none."""
    if alg != _OUTDATED:
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        yield
