"""The provider's logout token: which session, or whose sessions, have ended (Back-Channel Logout 1.0, section 2.6).

``typ`` may be ``logout+jwt``, ``JWT`` or absent, as section 4.1 leaves it; ``exp`` came with the errata, so where an
older provider leaves it out the token counts for two minutes after ``iat``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chain_gateway.core.limits import SKEW_SECONDS
from chain_gateway.errors import TokenRefused
from chain_gateway.oidc.settings import Client

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LIFE_SECONDS: Final = 120
TEXT_CHARS: Final = 255
TYPES: Final = frozenset({"", "jwt", "logout+jwt"})


@dataclass(frozen=True, slots=True)
class OpLogout:
    """What has ended: the session ``sid``, or all sessions of ``sub`` where that is empty; one of both is there.

    ``iat`` is when it was said, ``until`` when a replay need no longer be remembered, in seconds.
    """

    sub: str
    sid: str
    jti: str
    iat: int
    until: int


def read_logout_token(typ: str, claims: Mapping[str, object], client: Client, now: int) -> OpLogout:
    """What the verified ``claims`` say to ``client`` at ``now``, in seconds; TokenRefused at the first broken rule."""
    if typ.lower() not in TYPES:
        raise _refused("typ", "a token of another kind")
    if claims.get("iss") != client.issuer:
        raise _refused("iss", "of another issuer")
    audience = claims.get("aud")
    if client.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise _refused("aud", "meant for another client")
    if "nonce" in claims:
        raise _refused("nonce", "a logout token never has one")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise _refused("events", "not the event of a logout")
    issued, until = _check_times(claims, now)
    sub, sid, jti = (_text(claims, name) for name in ("sub", "sid", "jti"))
    if not jti:
        raise _refused("jti", "without an identifier")
    if not sub and not sid:
        raise _refused("sub", "neither of a session nor of a person")
    return OpLogout(sub, sid, jti, issued, until)


def _check_times(claims: Mapping[str, object], now: int) -> tuple[int, int]:
    issued, expires = claims.get("iat"), claims.get("exp")
    if isinstance(issued, bool) or not isinstance(issued, int | float) or issued > now + SKEW_SECONDS:
        raise _refused("iat", "of the future, or without a beginning")
    if expires is None:
        expires = issued + LIFE_SECONDS
    if isinstance(expires, bool) or not isinstance(expires, int | float) or now >= expires + SKEW_SECONDS:
        raise _refused("exp", "expired")
    if issued < now - LIFE_SECONDS - 2 * SKEW_SECONDS:
        raise _refused("iat", "of long ago")
    return int(issued), int(expires) + SKEW_SECONDS


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name, "")
    if not isinstance(value, str) or len(value) > TEXT_CHARS or not value.isprintable():
        raise _refused(name, "not a short text")
    return value


def _refused(check: str, reason: str) -> TokenRefused:
    return TokenRefused(f"logout token: {check}: {reason}", code=f"token_refused.{check}")
