"""A session in words, for a person who wants to see what one site was told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from chain_gateway.sdk.session import Session, named

_MINUTE = 60
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Line:
    """One fact and what it says."""

    what: str
    words: str


@dataclass(frozen=True, slots=True)
class Told:
    """A session as its page shows it."""

    name: str
    sub: str
    lines: tuple[Line, ...]


def told(session: Session, now: int) -> Told:
    """What the ticket that made ``session`` told this site; ``now`` in seconds."""
    name = str(session.claims.get("name") or session.sub)
    claims = tuple(Line(what.replace("_", " "), str(words)) for what, words in sorted(session.claims.items()))
    signed_in = f"{clock(session.auth_time)}, {ago(now - session.auth_time)}" if session.auth_time else "not told"
    return Told(
        name,
        session.sub,
        (
            Line("subject", session.sub),
            *claims,
            Line("signed in by hand", signed_in),
            Line("how", session.acr or "not told"),
            Line("epoch", f"{session.epoch}: the sign-in that began {moment(session.epoch)}"),
            Line("session", f"ends {clock(session.exp)} at the latest"),
            Line("ticket", f"number {session.jti}, used up"),
        ),
    )


def left(cookies: Iterable[str]) -> str:
    """What the tombstones among the names of this browser's cookies say; empty without one."""
    kinds = [kind for kind in map(named, cookies) if kind is not None]
    stones = [epoch for letter, epoch in kinds if letter == "t"]
    if not stones:
        return ""
    return f"A sign-out that began {moment(max(stones))} ended every session before it."


def ago(seconds: int) -> str:
    """A time span in words.

    >>> ago(59), ago(60), ago(7300)
    ('a moment ago', '1 minute ago', '2 hours ago')
    """
    if seconds < _MINUTE:
        return "a moment ago"
    count, unit = (seconds // _MINUTE, "minute") if seconds < _HOUR else (seconds // _HOUR, "hour")
    return f"{count} {unit}{'' if count == 1 else 's'} ago"


def clock(seconds: int) -> str:
    """A moment in UTC, to the second.

    >>> clock(1_700_000_000)
    '14 November 2023, 22:13:20 UTC'
    """
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%B %Y, %H:%M:%S} UTC"


def moment(epoch: int) -> str:
    """The moment that an epoch (milliseconds) stands for.

    >>> moment(1_700_000_000_123)
    'on 14 November 2023 at 22:13:20.123 UTC'
    """
    at = datetime.fromtimestamp(epoch // 1000, UTC)
    return f"on {at.day} {at:%B %Y} at {at:%H:%M:%S}.{epoch % 1000:03} UTC"
