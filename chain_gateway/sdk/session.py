"""The tombstone rule: which of the cookies that a browser shows is its live session (PROTOCOL.md 6).

Answers reach a browser in any order, and a browser keeps whichever ``Set-Cookie`` comes last. So each login and each
logout has a cookie of its own, named by its epoch, and no answer ever overwrites another's:

=========================  ==========================================================
``__Host-chain-s-EPOCH``   the session that the login of that epoch made
``__Host-chain-t-EPOCH``   the tombstone that the logout of that epoch left
``__Host-chain-bind``      the nonce that ties a ``two_step`` hop to this browser
=========================  ==========================================================

What counts is compared when a session is *used*, not when it is set: the live session is the one of the highest epoch,
if it is higher than every tombstone that counts against it. A session that arrives late loses to the tombstone that
is already there, and a logout that arrives late is lower than the session it would have hit.

A tombstone counts against everybody's sessions in this browser, or against those of one ``bid`` alone: the second is
what an unbound logout leaves, so that a logout ticket of somebody else's ends nothing of this browser's.

Pure: no clock, no keys; ``now`` and times are whole seconds, epochs milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson

PREFIX: Final = "__Host-chain-"
BIND_COOKIE: Final = f"{PREFIX}bind"
EVERYBODY: Final = ""
"""The ``bid`` of a tombstone that counts against all sessions."""

NEVER: Final = -1
"""Below every epoch."""

_NAME = re.compile(rf"{PREFIX}(?P<kind>[st])-(?P<epoch>0|[1-9][0-9]{{0,15}})")


@dataclass(frozen=True, slots=True)
class Session:
    """One person's session in one browser, as the login of ``epoch`` made it.

    ``sub``, ``sid``, ``auth_time``, ``acr`` and ``claims`` are the provider's words; ``bid`` is this browser's
    pseudonym at this app; ``jti`` names the ticket that made the session; ``iat`` and ``exp`` bound its life.
    """

    epoch: int
    bid: str
    jti: str
    sub: str
    sid: str
    iat: int
    exp: int
    auth_time: int | None = None
    acr: str = ""
    claims: Mapping[str, object] = field(default_factory=dict, hash=False, repr=False)

    @property
    def cookie(self) -> str:
        """The name of the cookie that holds it."""
        return f"{PREFIX}s-{self.epoch}"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What the logout of ``epoch`` left: nothing at or below it lives, of ``bid`` or, if that is empty, of anybody."""

    epoch: int
    bid: str
    jti: str
    iat: int
    exp: int

    @property
    def cookie(self) -> str:
        """The name of the cookie that holds it."""
        return f"{PREFIX}t-{self.epoch}"

    def counts_against(self, bid: str) -> bool:
        """Whether sessions of ``bid`` are its concern."""
        return self.bid in {EVERYBODY, bid}

    def makes_needless(self, other: Tombstone) -> bool:
        """Whether all that ``other`` ends is ended by this one too, so that ``other`` may go."""
        return other.epoch < self.epoch and self.counts_against(other.bid)


@dataclass(frozen=True, slots=True)
class Shown:
    """What one request showed of our cookies, opened. ``doubled``: one name came twice, so that none can be believed.

    ``sessions`` holds those past their ``exp`` too: they are dead, and still tell that a newer login was here.
    """

    sessions: tuple[Session, ...] = ()
    tombstones: tuple[Tombstone, ...] = ()
    bind: str = ""
    doubled: bool = False

    def buried(self, session: Session) -> bool:
        """Whether a tombstone that counts against ``session`` is at or above it."""
        return session.epoch <= self.barrier(session.bid)

    def barrier(self, bid: str) -> int:
        """The highest epoch at which a tombstone counts against ``bid``; ``NEVER`` without one."""
        return highest(stone.epoch for stone in self.tombstones if stone.counts_against(bid))


NOTHING: Final = Shown()
"""What a request shows that has no cookie of ours."""


def live(shown: Shown, now: int) -> Session | None:
    """The session that this browser has now, or None: the one of the highest epoch, unless a tombstone buried it.

    There is no falling back to a lower one: the newer login took its place, and that stands when the newer one ends.

    >>> old = Session(epoch=7, bid="b", jti="j", sub="alice", sid="s", iat=0, exp=100)
    >>> live(Shown(sessions=(old,)), now=50).sub
    'alice'
    >>> gone = Tombstone(epoch=9, bid="b", jti="k", iat=0, exp=200)
    >>> live(Shown(sessions=(old,), tombstones=(gone,)), now=50) is None
    True
    """
    if shown.doubled or not shown.sessions:
        return None
    top = max(shown.sessions, key=lambda session: session.epoch)
    if shown.buried(top) or now >= top.exp:
        return None
    return top


def outlived(shown: Shown) -> tuple[str, ...]:
    """Names of session cookies that can never be live again, and that any answer to this request may delete.

    Form-post logins set their session without seeing the older ones; this is how those go. Tombstones stay: only
    their age, or a higher tombstone that counts as widely, ends them.
    """
    if shown.doubled:
        return ()
    top = highest(session.epoch for session in shown.sessions)
    return tuple(s.cookie for s in shown.sessions if s.epoch < top or shown.buried(s))


def named(name: str) -> tuple[str, int] | None:
    """The kind (``"s"`` or ``"t"``) and epoch in a cookie's name; None if it is none of ours, or not spelt our way.

    >>> named("__Host-chain-s-1763967600000")
    ('s', 1763967600000)
    >>> named("__Host-chain-s-007") is None
    True
    """
    match = _NAME.fullmatch(name)
    return None if match is None else (match["kind"], int(match["epoch"]))


def highest(epochs: Iterable[int]) -> int:
    """The highest of ``epochs``; ``NEVER`` of none."""
    return max(epochs, default=NEVER)


def compact(value: Mapping[str, object]) -> bytes:
    """``value`` as the shortest JSON, the spelling in which cookies hold it."""
    return orjson.dumps(dict(value))
