"""When an owed logout is told again, and when a failing app is left alone: two small rules, without a clock.

The schedule is exponential with full jitter on its upper half, so that ten thousand deliveries that failed together do
not come back together; it never gives up before the longest life that a session at the app may have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FIRST_SECONDS: Final = 2
FACTOR: Final = 3
LONGEST_SECONDS: Final = 15 * 60

OPENS_AFTER: Final = 3
"""Failures in a row after which an app counts as down."""


def next_delivery(attempts: int, now: int, chance: float) -> int:
    """When attempt number ``attempts + 1`` is due, in seconds; ``chance`` is in [0, 1).

    2, 6, 18, … seconds, at most fifteen minutes, each cut to between half and the whole of it.
    """
    pause = min(FIRST_SECONDS * int(FACTOR ** min(attempts, 12)), LONGEST_SECONDS)
    return now + max(1, round(pause * (0.5 + chance / 2)))


STRANGER_SECONDS: Final = 24 * 3600
"""How long a logout is kept for an app that is registered no more: the next configuration may know it again."""


def given_up(since: int, session_max: int, now: int) -> bool:
    """Whether no session can live any more that an owed logout of ``since`` was meant for."""
    return now > since + session_max


@dataclass(frozen=True, slots=True)
class Breaker:
    """One app's answers to the gateway's own questions: closed until it fails ``OPENS_AFTER`` times in a row."""

    failures: int = 0

    @property
    def open(self) -> bool:
        """Whether the app counts as down."""
        return self.failures >= OPENS_AFTER

    def failed(self) -> Breaker:
        """After a failure."""
        return Breaker(self.failures + 1)

    def succeeded(self) -> Breaker:
        """After a success all is forgotten."""
        return Breaker()
