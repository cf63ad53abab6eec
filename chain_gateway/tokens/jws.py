"""Opens signed texts of the project: compact JWS (RFC 7515) of a fixed type under a key with a fixed algorithm.

The header chooses nothing: it must say what the key and the door already know. docs/decisions/0002-jose.md tells why
this is done without a library, and what of it is the cryptography's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from chain_gateway.tokens.encoding import b64d, strict_json
from chain_gateway.tokens.refusals import Check, refused

Alg = Literal["ES256", "HS256"]

_PARTS = 3
_MEMBERS: Final = frozenset({"alg", "typ", "kid"})


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A key that verifies: its one algorithm, and whether over some bytes (the first) some others are its signature."""

    alg: Alg
    holds: Callable[[bytes, bytes], bool] = field(repr=False)


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
        header, payload, signature = _header(parts[0]), b64d(parts[1]), b64d(parts[2])
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
    if not key.holds(text.rpartition(".")[0].encode(), signature):
        raise refused(Check.SIGNATURE, f"a {typ} with a signature that is not its key's")
    try:
        return strict_json(payload)
    except ValueError as error:
        raise refused(Check.SHAPE, f"a {typ} whose claims cannot be read: {error}") from error


@lru_cache(maxsize=64)
def _header(text: str) -> Mapping[str, object]:
    """The header in the first part of a JWS. All texts of one type under one key have the same: it is remembered."""
    return strict_json(b64d(text))
