"""The logout request: an app asks the gateway to sign its person out at once (docs/protocol.md, "Endpoints")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chain_gateway.core.limits import LOGOUT_REQUEST_BYTES, LOGOUT_REQUEST_SECONDS
from chain_gateway.tokens.app_key import AppKey
from chain_gateway.tokens.claims import Claims, Rule
from chain_gateway.tokens.jws import open_jws
from chain_gateway.tokens.purposes import LOGOUT_REQUEST_TYP
from chain_gateway.tokens.refusals import Check

CLAIMS: Final = Rule(must=frozenset({"iss", "aud", "sid", "jti", "iat", "exp"}))
"""Which claims a logout request must carry."""


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A logout request's claims; times are seconds, ``sid`` the session that is to end."""

    iss: str
    aud: str
    sid: str
    jti: str
    iat: int
    exp: int


def sign_logout_request(request: LogoutRequest, key: AppKey) -> str:
    """The request's text, signed by the app's secret or private key."""
    claims: dict[str, object] = {
        "iss": request.iss,
        "aud": request.aud,
        "sid": request.sid,
        "jti": request.jti,
        "iat": request.iat,
        "exp": request.exp,
    }
    return key.sign(LOGOUT_REQUEST_TYP, claims)


def verify_logout_request(text: str, key: AppKey, *, app_id: str, gateway: str, now: int) -> LogoutRequest:
    """The request in ``text`` of the app ``app_id`` to ``gateway``; TokenRefused at the first check that fails."""
    read = Claims(LOGOUT_REQUEST_TYP, open_jws(text, LOGOUT_REQUEST_TYP, LOGOUT_REQUEST_BYTES, key.find))
    read.obey(CLAIMS)
    issuer = read.party("iss", app_id, Check.ISSUER)
    audience = read.party("aud", gateway, Check.AUDIENCE)
    issued, expires = read.life(LOGOUT_REQUEST_SECONDS, now)
    return LogoutRequest(issuer, audience, read.text("sid"), read.ident("jti"), issued, expires)
