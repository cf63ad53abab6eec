"""The ticket: what the gateway tells one app, by the browser, at one hop (docs/protocol.md, "A hop")."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from chain_gateway.core.limits import CHAIN_APPS, CHAIN_TOKEN_BYTES, TICKET_BYTES, TICKET_SECONDS, URL_CHARS
from chain_gateway.tokens.claims import Claims, Rule
from chain_gateway.tokens.encoding import b64d
from chain_gateway.tokens.gateway_keys import GatewayKeys
from chain_gateway.tokens.jws import open_jws
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.tokens.purposes import TICKET_TYP
from chain_gateway.tokens.refusals import Check, refused

__all__ = ["CLAIMS", "Act", "GatewayKeys", "Ticket", "confirmation", "sign_claims", "sign_ticket", "verify_ticket"]

RETURN_CHARS: Final = URL_CHARS + CHAIN_TOKEN_BYTES
WATCH_CHARS: Final = 1024

_BIND = "cb#S256"
_BIND_BYTES = 32


class Act(enum.StrEnum):
    """What a ticket asks of the app."""

    LOGIN = "login"
    LOGOUT = "logout"
    BEGIN = "begin"


_ACTS: Final[Mapping[str, Act]] = {str(act): act for act in Act}

_EACH = frozenset({"iss", "aud", "act", "bid", "jti", "iat", "exp", "epoch", "walk", "hop", "return"})

CLAIMS: Final[Mapping[Act, Rule]] = {
    Act.LOGIN: Rule(
        must=_EACH | {"sub", "sid"},
        may=frozenset({"auth_time", "acr", "claims", "cnf", "watch"}),
    ),
    Act.LOGOUT: Rule(must=_EACH, may=frozenset({"sid", "cnf", "watch"})),
    Act.BEGIN: Rule(must=_EACH),
}
"""Which claims each act must and may carry; with less or more a ticket is neither made nor taken."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket's claims. Times are seconds, ``epoch`` milliseconds, ``hop`` counts from zero.

    ``return_to`` is the relay's URL with the chain token (claim ``return``); ``cnf`` the hash of the app's bind cookie
    (claim ``cnf``, member ``cb#S256``). What is empty, or None, is left out of the text.
    """

    iss: str
    aud: str
    act: Act
    bid: str
    jti: str
    iat: int
    exp: int
    epoch: int
    walk: str
    hop: int
    return_to: str
    sub: str = ""
    sid: str = ""
    auth_time: int | None = None
    acr: str = ""
    claims: Mapping[str, object] = field(default_factory=dict)
    cnf: str = ""
    watch: str = ""


def sign_ticket(ticket: Ticket, keyring: Keyring, now: int) -> str:
    """The ticket's text, signed by the key that is active at ``now``.

    Raises what ``sign_claims`` does.
    """
    return sign_claims(ticket.act, _written(ticket), keyring, now)


def sign_claims(act: Act, claims: dict[str, object], keyring: Keyring, now: int) -> str:
    """The text of the ticket with ``claims``, for who makes one at each hop and has no use for a ``Ticket``.

    ValueError if they are not those of ``act``; TokenRefused (``size``) if no app would take the text for its length.
    """
    if wrong := CLAIMS[act].broken_by(claims):
        raise ValueError(f"a {act} ticket {wrong}")
    text = keyring.sign(TICKET_TYP, claims, now)
    if len(text) > TICKET_BYTES:
        raise refused(Check.SIZE, f"a ticket of {len(text)} characters is not sent")
    return text


def verify_ticket(text: str, keys: GatewayKeys, *, gateway: str, origin: str, now: int) -> Ticket:
    """The ticket in ``text`` for the app at ``origin``, from the gateway at ``gateway`` (both without a slash behind).

    TokenRefused at the first check that fails; of those, ``token_refused.key`` says that ``keys`` may be out of date.
    """
    read = Claims(TICKET_TYP, open_jws(text, TICKET_TYP, TICKET_BYTES, keys.find))
    act = _act(read)
    read.obey(CLAIMS[act])
    issuer = read.party("iss", gateway, Check.ISSUER)
    audience = read.party("aud", origin, Check.AUDIENCE)
    issued, expires = read.life(TICKET_SECONDS, now)
    return Ticket(
        iss=issuer,
        aud=audience,
        act=act,
        bid=read.text("bid"),
        jti=read.ident("jti"),
        iat=issued,
        exp=expires,
        epoch=read.integer("epoch"),
        walk=read.ident("walk"),
        hop=read.integer("hop", CHAIN_APPS - 1),
        return_to=_return(read, gateway),
        sub=read.text("sub"),
        sid=read.text("sid"),
        auth_time=read.integer("auth_time") if "auth_time" in read else None,
        acr=read.text("acr"),
        claims=read.members("claims"),
        cnf=_bind(read),
        watch=read.url("watch", WATCH_CHARS),
    )


def _written(ticket: Ticket) -> dict[str, object]:
    """The claims as they are sent."""
    claims: dict[str, object] = {
        "iss": ticket.iss,
        "aud": ticket.aud,
        "act": ticket.act,
        "bid": ticket.bid,
        "jti": ticket.jti,
        "iat": ticket.iat,
        "exp": ticket.exp,
        "epoch": ticket.epoch,
        "walk": ticket.walk,
        "hop": ticket.hop,
        "return": ticket.return_to,
    }
    texts = (("sub", ticket.sub), ("sid", ticket.sid), ("acr", ticket.acr), ("watch", ticket.watch))
    claims.update((name, value) for name, value in texts if value)
    if ticket.auth_time is not None:
        claims["auth_time"] = ticket.auth_time
    if ticket.claims:
        claims["claims"] = dict(ticket.claims)
    if ticket.cnf:
        claims["cnf"] = confirmation(ticket.cnf)
    return claims


def confirmation(bind: str) -> dict[str, str]:
    """The claim ``cnf`` for the hash of an app's bind cookie."""
    return {_BIND: bind}


def _act(read: Claims) -> Act:
    act = _ACTS.get(read.text("act"))
    if act is None:
        raise refused(Check.CLAIMS, "a ticket with an act that is not known")
    return act


def _return(read: Claims, gateway: str) -> str:
    """The relay's URL: an app sends the browser there, so it must be the gateway's own."""
    url = read.url("return", RETURN_CHARS)
    if not url.startswith(f"{gateway}/"):
        raise refused(Check.CLAIMS, "a ticket that does not return to its gateway")
    return url


def _bind(read: Claims) -> str:
    """The hash of the bind cookie: the one member of ``cnf``, a SHA-256 in base64url."""
    members = read.members("cnf")
    if "cnf" not in read:
        return ""
    value = members.get(_BIND)
    try:
        known = len(members) == 1 and isinstance(value, str) and len(b64d(value)) == _BIND_BYTES
    except ValueError:
        known = False
    if not known or not isinstance(value, str):
        raise refused(Check.CLAIMS, "a ticket whose cnf is no hash of a cookie")
    return value
