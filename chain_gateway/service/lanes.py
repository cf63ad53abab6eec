"""How many logout tokens are on their way at once: to one app, and in all.

An app that gives no answer holds up nobody but itself: the rest of what it is owed is put back into the queue, and one
delivery at a time finds out when it is there again.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from chain_gateway.core.recovery import next_delivery

IN_ALL: Final = 64
PER_APP: Final = 4
LONGEST_SECONDS: Final = 60
"""How long a silent app is left alone at most; the queue's own schedule is longer, and an operator may shorten it."""
SERVER_ERROR: Final = 500


@dataclass(slots=True)
class Lane:
    """What is on its way to one app.

    ``failures`` counts how often in a row it gave no answer that says anything; it is not asked before ``until``, in
    seconds.
    """

    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PER_APP))
    inside: int = 0
    failures: int = 0
    until: int = 0

    @contextmanager
    def entered(self, now: int) -> Iterator[bool]:
        """Whether there is room; at an app that does not answer, after a pause and for one."""
        if now < self.until or (self.failures and self.inside):
            yield False
            return
        self.inside += 1
        try:
            yield True
        finally:
            self.inside -= 1

    def told(self, status: int | None, failures: int, now: int) -> None:
        """What came of a delivery that began after so many ``failures``; those that fail together count once."""
        if status is not None and status < SERVER_ERROR:
            self.failures = self.until = 0
        elif failures == self.failures:
            self.failures += 1
            self.until = min(next_delivery(failures, now, 0), now + LONGEST_SECONDS)


class Lanes:
    """The lanes of all apps, and the door that they share."""

    def __init__(self) -> None:
        self._lanes: defaultdict[str, Lane] = defaultdict(Lane)
        self.door = asyncio.Semaphore(IN_ALL)

    def of(self, app: str) -> Lane:
        """The lane of ``app``."""
        return self._lanes[app]
