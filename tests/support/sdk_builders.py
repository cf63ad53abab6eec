"""Tickets, sessions and requests with defaults, so that a test of the SDK names only what it is about."""

from __future__ import annotations

from chain_gateway.sdk.hop import Visit
from chain_gateway.sdk.session import Session, Shown, Tombstone
from chain_gateway.tokens.ticket import Act, Ticket

NOW = 1_800_000_000
LIFE = 12 * 3600
BIND = "b" * 43


def a_ticket(act: Act = Act.LOGIN, epoch: int = 10, **changes: object) -> Ticket:
    """A ticket of browser ``me`` for the shop; a login names alice."""
    values: dict[str, object] = {
        "iss": "https://login.example.com",
        "aud": "https://shop.example",
        "act": act,
        "bid": "me",
        "jti": f"{act}-{epoch}",
        "iat": NOW,
        "exp": NOW + 60,
        "epoch": epoch,
        "walk": "walk-1",
        "hop": 0,
        "return_to": "https://login.example.com/relay?state=token",
    }
    if act is Act.LOGIN:
        values |= {"sub": "alice", "sid": "sid-1"}
    return Ticket(**(values | changes))


def a_session(epoch: int, bid: str = "me", **changes: object) -> Session:
    """A session that was made a minute ago."""
    values: dict[str, object] = {"jti": f"login-{epoch}", "sub": "alice", "sid": "sid-1", "iat": NOW - 60}
    return Session(epoch=epoch, bid=bid, **({"exp": NOW - 60 + LIFE} | values | changes))


def a_tombstone(epoch: int, bid: str = "me", **changes: object) -> Tombstone:
    """A tombstone that was set a minute ago."""
    values: dict[str, object] = {"jti": f"logout-{epoch}", "iat": NOW - 60, "exp": NOW + LIFE}
    return Tombstone(epoch=epoch, bid=bid, **(values | changes))


def a_visit(ticket: Ticket, *cookies: Session | Tombstone, posted: bool = False, bind: str = "") -> Visit:
    """A request with these cookies, by GET unless ``posted``."""
    sessions = tuple(c for c in cookies if isinstance(c, Session))
    tombstones = tuple(c for c in cookies if isinstance(c, Tombstone))
    return Visit(ticket, posted, Shown(sessions, tombstones, bind), NOW)
