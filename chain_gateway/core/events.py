"""What can happen to a walk, as frozen values; none of them says what follows (``core.table`` does)."""

from __future__ import annotations

from dataclasses import dataclass

from chain_gateway.core.walk import Outcome


@dataclass(frozen=True, slots=True)
class Proceed:
    """The browser is at the gateway and the next hop may be made."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The app answered a begin ticket: ``value`` is the hash of the cookie that it set (base64url of SHA-256)."""

    value: str


@dataclass(frozen=True, slots=True)
class Receipted:
    """A valid receipt for the ticket that is out: applied, absent, stale, refused or error, and the app's reason."""

    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HopFailed:
    """The hop came back without a valid receipt, was skipped, or its app cannot be reached by this browser."""

    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CameBack:
    """The browser is back by the one fixed address that says nothing about the hop."""


@dataclass(frozen=True, slots=True)
class OpReturned:
    """The browser is back from the provider's logout, which proves nothing."""


@dataclass(frozen=True, slots=True)
class Continued:
    """The person, or the page by itself, went on from a page that broke a run of redirects."""


@dataclass(frozen=True, slots=True)
class Abandoned:
    """The person wants the walk to end here."""


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """The walk's own time is over."""


@dataclass(frozen=True, slots=True)
class Overtaken:
    """A walk with a higher epoch has begun in this browser."""


Event = (
    Proceed | Bound | Receipted | HopFailed | CameBack | OpReturned | Continued | Abandoned | DeadlinePassed | Overtaken
)
EVENTS: tuple[type[Event], ...] = (
    Proceed,
    Bound,
    Receipted,
    HopFailed,
    CameBack,
    OpReturned,
    Continued,
    Abandoned,
    DeadlinePassed,
    Overtaken,
)
