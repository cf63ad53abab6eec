"""Durations: whole seconds as a number, or a number with its unit as people write it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator

from chain_gateway.config.fields import Shape, refuse

UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}

_SPELLED = re.compile(r"([0-9]{1,9})([smhd])")


def seconds(value: object) -> int:
    """The seconds that ``90``, ``"90s"``, ``"15m"``, ``"12h"`` or ``"30d"`` stand for; refused if it is neither."""
    if isinstance(value, str) and (match := _SPELLED.fullmatch(value)):
        return int(match[1]) * UNITS[match[2]]
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise refuse(
        "this is not a duration",
        'write a whole number of seconds, or a number with its unit: "90s", "15m", "12h", "30d"',
    )


Duration = Annotated[int, BeforeValidator(seconds), Shape("duration")]
"""A whole number of seconds, at least 0."""


def spelled(value: int) -> str:
    """The shortest way to write ``value`` seconds, e.g. ``12h``; ``seconds`` reads it back."""
    for unit, size in reversed(UNITS.items()):
        if value and value % size == 0:
            return f"{value // size}{unit}"
    return f"{value}s"


def between(least: int, most: int) -> AfterValidator:
    """The check that a duration lies within ``least`` and ``most`` seconds."""
    check: Callable[[int], int] = lambda value: _within(value, least, most)  # noqa: E731 - one closure, named for mypy
    return AfterValidator(check)


def _within(value: int, least: int, most: int) -> int:
    if least <= value <= most:
        return value
    span = f'"{spelled(least)}" to "{spelled(most)}"'
    raise refuse(f"{spelled(value)} is outside {span}", f"write a duration from {span}")
