"""The hops of the last hours as bars, placed on a drawing of fixed size: what a template turns into ``<svg>``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from chain_gateway.ops.history import MINUTE, MINUTES, Tally

BAR_MINUTES: Final = 5
BARS: Final = MINUTES // BAR_MINUTES
STEP: Final = 10
"""How wide a bar is, with the gap after it."""
WIDTH: Final = BARS * STEP
UP: Final = 44
DOWN: Final = 20
"""The room above the line for what was confirmed, and below it for what failed."""
LEAST: Final = 2
"""How high a bar is at least, so that one hop among thousands is seen."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Five minutes: ``at`` is the second at which they end; the rest is drawing."""

    at: int
    hops: Tally
    x: int
    confirmed: int
    other: int
    failed: int


@dataclass(frozen=True, slots=True)
class Chart:
    """One app: its bars that are not empty, all of its hops, and the most in five minutes."""

    app: str
    bars: tuple[Bar, ...]
    total: Tally
    most: int


def charts(minutes: Iterable[tuple[int, Mapping[str, Tally]]], now: int) -> list[Chart]:
    """A chart for each app that had a hop, those with the most failures first."""
    found: dict[str, dict[int, Tally]] = {}
    for ended, apps in minutes:
        index = BARS - 1 - max(0, now - ended) // (BAR_MINUTES * MINUTE)
        for app, hops in apps.items() if index >= 0 else ():
            bars = found.setdefault(app, {})
            bars[index] = bars.get(index, Tally()) + hops
    drawn = [_chart(app, bars, now) for app, bars in found.items()]
    return sorted(drawn, key=lambda chart: (-chart.total.failed, chart.app))


def _chart(app: str, bars: Mapping[int, Tally], now: int) -> Chart:
    total = Tally()
    for hops in bars.values():
        total += hops
    most = max(hops.confirmed + hops.other for hops in bars.values())
    worst = max(hops.failed for hops in bars.values())
    scale = max(most / UP, worst / DOWN)
    drawn = tuple(
        Bar(
            at=now - (BARS - 1 - index) * BAR_MINUTES * MINUTE,
            hops=hops,
            x=index * STEP,
            confirmed=_height(hops.confirmed, scale),
            other=_height(hops.other, scale),
            failed=_height(hops.failed, scale),
        )
        for index, hops in sorted(bars.items())
    )
    return Chart(app, drawn, total, max(most, worst))


def _height(count: int, scale: float) -> int:
    return max(LEAST, round(count / scale)) if count else 0
