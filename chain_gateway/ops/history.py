"""What became of the hops of the last hours, minute by minute and app by app: a bounded memory of what was counted.

It is made of the meter's own totals, so with several workers each of them remembers what all of them did. It begins
with the process that remembers, and ends with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import Metric

from chain_gateway.core.walk import Outcome

MINUTES: Final = 180
MINUTE: Final = 60
HOPS: Final = "chain_hops_total"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many hops were confirmed, how many failed, and how many ended as neither."""

    confirmed: int = 0
    failed: int = 0
    other: int = 0

    def __add__(self, more: Tally) -> Tally:
        """Both together."""
        return Tally(self.confirmed + more.confirmed, self.failed + more.failed, self.other + more.other)

    def since(self, before: Tally) -> Tally:
        """What came since ``before``; where counting began anew meanwhile, all of it."""
        more = (self.confirmed - before.confirmed, self.failed - before.failed, self.other - before.other)
        return self if min(more) < 0 else Tally(*more)

    def __bool__(self) -> bool:
        """Whether there was any."""
        return bool(self.confirmed or self.failed or self.other)


class History:
    """The last ``MINUTES``; ``take`` is called once a minute or more often."""

    def __init__(self) -> None:
        """Knows nothing yet."""
        self.began = 0
        """The second at which it began to remember; 0 before."""
        self.minutes: deque[tuple[int, Mapping[str, Tally]]] = deque(maxlen=MINUTES)
        """The second at which each minute ended, and what came in it, app by app; minutes without a hop too."""
        self._before: Mapping[str, Tally] = {}

    def take(self, totals: Mapping[str, Tally], now: int) -> None:
        """Takes what was counted by ``now``; nothing within a minute of the last time."""
        at = now // MINUTE * MINUTE
        last = self.minutes[-1][0] if self.minutes else self.began // MINUTE * MINUTE
        if self.began and at < last:  # the clock was set back
            self.minutes.clear()
            self.began = 0
        if not self.began:
            self.began = now
        elif at == last:
            return
        else:
            came = {app: hops.since(self._before.get(app, Tally())) for app, hops in totals.items()}
            self.minutes.append((at, {app: hops for app, hops in came.items() if hops}))
        self._before = dict(totals)

    def within(self, now: int) -> list[tuple[int, Mapping[str, Tally]]]:
        """The minutes that ended within the last ``MINUTES``."""
        return [(at, hops) for at, hops in self.minutes if now - MINUTES * MINUTE < at]


def hops_of(families: Iterable[Metric]) -> dict[str, Tally]:
    """The totals of each app, of all kinds and modes."""
    found: dict[str, Tally] = {}
    for sample in (sample for family in families for sample in family.samples if sample.name == HOPS):
        outcome, count = Outcome[sample.labels["outcome"].upper()], int(sample.value)
        hops = Tally(
            confirmed=count if outcome.proven else 0,
            failed=count if outcome.failed else 0,
            other=0 if outcome.proven or outcome.failed else count,
        )
        app = sample.labels["app"]
        found[app] = found.get(app, Tally()) + hops
    return found
