"""The few apps of a walk that its hop's page lists, so that the page stays small and quick for 200 apps.

Up to a dozen apps are listed all. Of more, there are the one that is being visited, its neighbours, and the latest
that failed; the rest are numbers, and the walk's own page has the full list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chain_gateway.core.walk import Outcome
from chain_gateway.service.views import AppLine, WalkView

LISTED: Final = 12
"""How many apps are listed openly at most; of more, the ones that need no attention are counted or folded away."""
NEIGHBOURS: Final = 2
FAILED: Final = 5

_PROVEN: Final = tuple(outcome for outcome in Outcome if outcome.proven)
_FAILED: Final = frozenset(outcome for outcome in Outcome if outcome.failed)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some ``lines`` in the walk's order, and how many of all apps are ``settled``, whatever came of it.

    ``counts`` tells the numbers of all in words; it is empty where ``lines`` holds every app.
    """

    lines: Sequence[AppLine]
    settled: int
    counts: str = ""


def excerpt(view: WalkView) -> Excerpt:
    """All apps of ``view`` if they are few, else the ones that matter now."""
    lines = view.lines
    outcomes = view.outcomes
    counted = Counter(outcomes)
    settled = len(lines) - counted[Outcome.PENDING]
    if len(lines) <= LISTED:
        return Excerpt(lines, settled)
    at = view.step - 1
    near = range(max(0, at - NEIGHBOURS), min(len(lines), at + NEIGHBOURS + 1))
    failed = [i for i, outcome in enumerate(outcomes) if outcome in _FAILED][-FAILED:]
    proven = sum(counted[outcome] for outcome in _PROVEN)
    numbers = ((proven, "confirmed"), (settled - proven, "not confirmed"), (len(lines) - settled, "to go"))
    counts = ", ".join(f"{number} {what}" for number, what in numbers if number)
    return Excerpt([lines[i] for i in sorted({*near, *failed})], settled, counts)
