"""The logout token that comes by the back channel (OpenID Connect Back-Channel Logout 1.0, sections 2.4 to 2.8).

The gateway is its issuer. One private claim is added to the standard ones: ``epoch``, the number of the logout, so that
a delivery that is retried late never ends a newer login of the same ``sid``. A token without ``sid`` is refused: what
it would end is a person's sessions on every device.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chain_gateway.core.limits import EPOCH_AHEAD_MS, SKEW_SECONDS, TICKET_BYTES
from chain_gateway.tokens.claims import Claims
from chain_gateway.tokens.jws import open_jws
from chain_gateway.tokens.logout_token import EVENT, LOGOUT_TOKEN_SECONDS, LOGOUT_TOKEN_TYP
from chain_gateway.tokens.refusals import Check, refused
from chain_gateway.tokens.ticket import GatewayKeys

MUST: Final = frozenset({"iss", "aud", "iat", "exp", "jti", "events", "sid", "epoch"})
MUST_NOT: Final = frozenset({"nonce"})
"""Which claims a logout token carries and never carries; any other is passed over, as section 2.4 wants."""


@dataclass(frozen=True, slots=True)
class LogoutToken:
    """What a logout token says: the session ``sid`` is over, up to ``epoch`` (ms).

    ``until`` is when the token itself is past all acceptance, in seconds.
    """

    jti: str
    sid: str
    epoch: int
    until: int


def verify_logout_token(
    text: str, keys: GatewayKeys, *, gateway: str, audiences: frozenset[str], now: int
) -> LogoutToken:
    """The logout token in ``text``, from ``gateway`` for one of ``audiences``; TokenRefused at the first failed check.

    ``token_refused.key`` says that ``keys`` may be out of date.
    """
    members = open_jws(text, LOGOUT_TOKEN_TYP, TICKET_BYTES, keys.find)
    if not members.keys() >= MUST or members.keys() & MUST_NOT:
        raise refused(Check.CLAIMS, "a logout token with a claim too few, or with a nonce")
    read = Claims(LOGOUT_TOKEN_TYP, members)
    read.party("iss", gateway, Check.ISSUER)
    _check_audience(members, audiences)
    _, expires = read.life(LOGOUT_TOKEN_SECONDS, now)
    if members["events"] != {EVENT: {}}:
        raise refused(Check.CLAIMS, "a logout token whose events are not the one of a logout")
    epoch = read.integer("epoch")
    if epoch > now * 1000 + EPOCH_AHEAD_MS:
        raise refused(Check.CLAIMS, "a logout token of an epoch that is far ahead")
    return LogoutToken(read.text("jti"), read.text("sid"), epoch, expires + SKEW_SECONDS)


def _check_audience(members: Mapping[str, object], audiences: frozenset[str]) -> None:
    """TokenRefused unless ``aud``, a text or a list of one, is one of ``audiences``."""
    aud = members["aud"]
    if isinstance(aud, list) and len(aud) == 1:
        aud = aud[0]
    if not isinstance(aud, str) or aud not in audiences:
        raise refused(Check.AUDIENCE, "a logout token for somebody else")
