"""What was seen in a run, from outside: by the browsers, at the apps, in the store and in the logs.

Nothing here is the gateway's own word but what it told people. The checks (``checks``) read this alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

PROVEN: Final = frozenset({"applied", "absent"})
"""Outcomes that an app has confirmed."""
ENDS: Final = frozenset({"back", "page", "gone", "left"})
"""How a trip ends well: at a site, on a page that tells how it went or that it is over, or as the tab is closed."""


@dataclass(frozen=True, slots=True)
class Trip:
    """One sign-in or sign-out as its person saw it. ``redirects`` is the longest run of them without a page.

    ``way`` has the addresses of that run, without their queries, where it is longer than browsers follow.
    """

    browser: int
    wanted: str
    end: str
    seconds: float = 0.0
    moves: int = 0
    redirects: int = 0
    way: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Logout:
    """A logout of everything that a browser went on, by the first ticket of it; ``at`` in seconds."""

    browser: int
    walk: str
    epoch: int
    at: float


@dataclass(frozen=True, slots=True)
class Told:
    """What a logout's page told at the end of the trip: an outcome for each app."""

    browser: int
    walk: str
    epoch: int
    outcomes: Mapping[str, str]

    @property
    def complete(self) -> bool:
        """Whether every app has confirmed."""
        return set(self.outcomes.values()) <= PROVEN


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an app signed in a hop."""

    app: str
    walk: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A logout token that an app has confirmed."""

    app: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Held:
    """A session that is live at an app in the end. ``of_copy`` names the logout before which the jar was copied."""

    browser: int
    app: str
    epoch: int
    sub: str
    of_copy: str = ""


@dataclass(slots=True)
class Trace:
    """All of a run. ``outages`` are the times in which the store may have forgotten what it had acknowledged.

    Each begins when the replica had, as it was seen, all that was acknowledged until then.
    """

    trips: list[Trip] = field(default_factory=list)
    people: dict[int, str] = field(default_factory=dict)
    """Whose browser it is, by its number: the ``sub``."""
    logouts: dict[str, Logout] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    receipts: set[Receipt] = field(default_factory=set)
    deliveries: set[Delivery] = field(default_factory=set)
    held: list[Held] = field(default_factory=list)
    effects: Counter[str] = field(default_factory=Counter)
    """How often each ticket and logout token took effect, by app and ``jti``."""
    open_walks: list[str] = field(default_factory=list)
    owed: list[str] = field(default_factory=list)
    outages: list[tuple[float, float]] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    """Exceptions that nobody caught, in the logs of gateways and apps."""
    leaks: list[str] = field(default_factory=list)
    """Log lines that have something secret, without it."""
    codes: Counter[int] = field(default_factory=Counter)
    """Exit codes of gateways that were asked to stop."""
    kids: Counter[str] = field(default_factory=Counter)
    """How many tickets each of the gateway's keys has signed."""
    trouble: Counter[str] = field(default_factory=Counter)
    """What people met that was no page of a walk, by its cause."""

    def in_outage(self, at: float) -> bool:
        """Whether the store may have forgotten what was written at that time."""
        return any(begin <= at <= end for begin, end in self.outages)
