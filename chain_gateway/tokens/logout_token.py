"""The logout token: the gateway tells an app over the back channel that a session is over.

OpenID Connect Back-Channel Logout 1.0, section 2.4, with ``sid`` and without ``sub`` (which would end a person's
sessions on every device), and one private claim: ``epoch``, so that a late delivery never ends a newer login.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chain_gateway.tokens.keyring import Keyring

LOGOUT_TOKEN_TYP: Final = "logout+jwt"  # noqa: S105 - a type, not a secret
EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_TOKEN_SECONDS: Final = 120
"""How long a logout token may live (section 4)."""


@dataclass(frozen=True, slots=True)
class LogoutToken:
    """A logout token's claims; ``iat`` in seconds, ``epoch`` of the logout in milliseconds."""

    iss: str
    aud: str
    sid: str
    epoch: int
    jti: str
    iat: int


def sign_logout_token(token: LogoutToken, keyring: Keyring) -> str:
    """The token's text, signed by the gateway."""
    claims: Mapping[str, object] = {
        "iss": token.iss,
        "aud": token.aud,
        "iat": token.iat,
        "exp": token.iat + LOGOUT_TOKEN_SECONDS,
        "jti": token.jti,
        "sid": token.sid,
        "epoch": token.epoch,
        "events": {EVENT: {}},
    }
    return keyring.sign(LOGOUT_TOKEN_TYP, claims, token.iat)
