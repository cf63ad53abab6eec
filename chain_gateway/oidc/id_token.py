"""What an ID token must say before it says who signed in (OpenID Connect Core 1.0, section 3.1.3.7).

One function per rule, in the order of the section, each with a code of its own: ``sign_in_failed.<claim>``. All times
are whole seconds, and clocks may differ by ``SKEW_SECONDS``.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Mapping
from typing import Final

from chain_gateway.core.limits import SKEW_SECONDS
from chain_gateway.errors import SignInFailed
from chain_gateway.oidc.jws import Signed
from chain_gateway.oidc.settings import Client
from chain_gateway.tokens.encoding import b64e

SUB_CHARS: Final = 255
"""Core section 2: a ``sub`` has at most 255 ASCII characters; ``sid`` and ``acr`` are held to the same length."""

_TYPES: Final = frozenset({"", "jwt"})
"""``typ`` absent or JWT: any other names a token of another kind, e.g. ``logout+jwt`` (RFC 8725 section 3.11)."""


def check_type(signed: Signed) -> None:
    """SignInFailed if the header says that the text is something else than an ID token."""
    if signed.typ.lower() not in _TYPES:
        raise _failed("typ", "a token of another kind")


def check_claims(claims: Mapping[str, object], client: Client, *, nonce: str, now: int) -> None:
    """SignInFailed unless ``claims`` are those of an ID token for ``client``, for the request of ``nonce``, of now."""
    _check_issuer(claims, client)
    _check_audience(claims, client)
    _check_times(claims, now)
    _check_nonce(claims, nonce)
    _check_auth_time(claims, client, now)
    _check_subject(claims)
    for name in ("sid", "acr"):
        text_of(claims, name)


def check_access_token(claims: Mapping[str, object], signed: Signed, access_token: str) -> None:
    """SignInFailed if ``at_hash`` is there and not that of the access token beside it (Core section 3.1.3.8)."""
    at_hash = claims.get("at_hash")
    if at_hash is None or not access_token:
        return
    digest = hashlib.new(_digest_name(signed.alg), access_token.encode()).digest()
    expected = b64e(digest[: len(digest) // 2])
    if not isinstance(at_hash, str) or not _equal(at_hash, expected):
        raise _failed("at_hash", "the access token is not the one that the ID token came with")


def seconds_of(claims: Mapping[str, object], name: str) -> int | None:
    """The time in ``name`` in whole seconds, None if it is absent; SignInFailed if it is no number."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _failed(name, "not a number of seconds")
    return int(value)


def text_of(claims: Mapping[str, object], name: str) -> str:
    """The text in ``name``, empty if it is absent; SignInFailed if it is no text, or none that a ticket can carry."""
    value = claims.get(name, "")
    if not isinstance(value, str) or len(value) > SUB_CHARS or not value.isprintable():
        raise _failed(name, f"not a text of at most {SUB_CHARS} printable characters")
    return value


def _check_issuer(claims: Mapping[str, object], client: Client) -> None:
    """Rule 2: exactly the issuer that was discovered."""
    if claims.get("iss") != client.issuer:
        raise _failed("iss", "of another issuer")


def _check_audience(claims: Mapping[str, object], client: Client) -> None:
    """Rules 3 to 5: meant for us; where others are named as well, issued to us (``azp``)."""
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if client.client_id not in named:
        raise _failed("aud", "meant for another client")
    azp = claims.get("azp")
    if azp != client.client_id and (azp is not None or len(named) > 1):
        raise _failed("azp", "issued to another client")


def _check_times(claims: Mapping[str, object], now: int) -> None:
    """Rules 9 and 10: not expired, and not of the future."""
    expires, issued, begins = (seconds_of(claims, name) for name in ("exp", "iat", "nbf"))
    if expires is None or now >= expires + SKEW_SECONDS:
        raise _failed("exp", "expired, or without an end")
    if issued is None or issued > now + SKEW_SECONDS:
        raise _failed("iat", "of the future, or without a beginning")
    if begins is not None and begins > now + SKEW_SECONDS:
        raise _failed("nbf", "not yet valid")


def _check_nonce(claims: Mapping[str, object], nonce: str) -> None:
    """Rule 11: the answer to this very request."""
    value = claims.get("nonce")
    if not nonce or not isinstance(value, str) or not _equal(value, nonce):
        raise _failed("nonce", "the answer to another request")


def _check_auth_time(claims: Mapping[str, object], client: Client, now: int) -> None:
    """Rule 13: the person signed in no longer ago than ``max_age``, which every request asks for."""
    signed_in = seconds_of(claims, "auth_time")
    if signed_in is None:
        if client.demands_auth_time:
            raise _failed("auth_time", "max_age cannot be checked without it")
    elif signed_in > now + SKEW_SECONDS or signed_in + client.max_age + SKEW_SECONDS < now:
        raise _failed("auth_time", "signed in too long ago, or in the future")


def _check_subject(claims: Mapping[str, object]) -> None:
    """Core section 2: somebody, in at most 255 ASCII characters."""
    sub = text_of(claims, "sub")
    if not sub or not sub.isascii() or not sub.isprintable():
        raise _failed("sub", "nobody, or not in printable ASCII")


def _digest_name(alg: str) -> str:
    """The hash that belongs to a signature algorithm; that of Ed25519 is SHA-512."""
    return "sha512" if alg.startswith("Ed") else f"sha{alg[2:]}"


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _failed(check: str, reason: str) -> SignInFailed:
    return SignInFailed(f"ID token: {check}: {reason}", code=f"sign_in_failed.{check}")
