"""A measured figure, its baseline, and how much of each is measured."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

DIGITS: Final = 4


class MeasurementFailed(Exception):
    """What was measured did not answer as it should, so that no figure of it would be true."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A ``value`` in ``unit``, and the same of something simpler: ``ratio`` is how many times the baseline it is."""

    value: float
    unit: str
    baseline: float

    @property
    def ratio(self) -> float:
        """``value`` as a share of ``baseline``."""
        return self.value / self.baseline

    def as_json(self) -> dict[str, object]:
        """The figure for programs, rounded to what it is worth."""
        numbers = {"value": rounded(self.value), "baseline": rounded(self.baseline), "ratio": rounded(self.ratio)}
        return {
            "value": numbers["value"],
            "unit": self.unit,
            "baseline": numbers["baseline"],
            "ratio": numbers["ratio"],
        }


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured. A round of walks makes at least ``visits`` visits of an app.

    ``hops`` are in a slice: short, as neighbours on the machine come and go within a second, and what is compared
    should meet the same.

    ``browsers`` walk at once where a gateway is measured under load; ``chromium`` walks are made by a real browser.
    """

    rounds: int = 7
    slices: int = 31
    hops: int = 240
    visits: int = 100
    logins: int = 20
    renders: int = 200
    starts: int = 5
    open_walks: int = 5000
    flat_hops: int = 10_000
    browsers: int = 8
    chromium: int = 5
    apps: tuple[int, int, int] = (4, 25, 100)


@dataclass(frozen=True, slots=True)
class Words:
    """One figure for people: what it is, and what its baseline is."""

    what: str
    against: str


@dataclass(frozen=True, slots=True)
class Subject:
    """Figures that are taken together, by name, and the function that takes them."""

    figures: Mapping[str, Words]
    take: Callable[[Size], Mapping[str, Figure]]


def middle(values: Iterable[float]) -> float:
    """The median: what a busy moment of the machine leaves alone."""
    return statistics.median(values)


def rounded(number: float) -> float:
    """``number`` to four digits that count."""
    short = float(f"{number:.{DIGITS}g}")
    return int(short) if short.is_integer() else short
