"""How the sites of the demo look: four of their own kind, and any number that differ by their hue."""

from __future__ import annotations

from dataclasses import dataclass

GOLDEN_ANGLE = 137.508
"""Degrees; neighbours in the list are far apart on the colour wheel, however many there are."""


@dataclass(frozen=True, slots=True)
class Look:
    """One site: its id, which is also its host's first label, its name, what it says of itself, style and hue (°)."""

    id: str
    name: str
    tagline: str
    style: str
    hue: int


FOUR = (
    Look("shop", "Shop", "Good things, fairly priced.", "shop", 24),
    Look("news", "News", "All that happened today.", "news", 0),
    Look("bank", "Bank", "Your money, quietly.", "bank", 215),
    Look("mail", "Mail", "Letters, without the stamps.", "mail", 165),
)


def generated(count: int) -> tuple[Look, ...]:
    """``count`` sites, App 1 to App N, each of another hue."""
    return tuple(generic(f"app-{number}", f"App {number}", number) for number in range(1, count + 1))


def generic(app_id: str, name: str, number: int) -> Look:
    """The plain look in the hue that belongs to ``number``."""
    return Look(app_id, name, "One of many, on a domain of its own.", "plain", round(number * GOLDEN_ANGLE) % 360)


def look_of(app_id: str, name: str, number: int) -> Look:
    """The look of an app from somebody's own chain: its own where it has one of the four ids."""
    return next((look for look in FOUR if look.id == app_id), generic(app_id, name, number))
