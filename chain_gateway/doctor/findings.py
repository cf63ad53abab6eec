"""What was found: a line on one subject, how bad it is, and what to do about it."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Level(enum.StrEnum):
    """How a finding is meant: all is well, it works and could be better, or people will notice."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; ``hint`` is what to do, empty where all is well."""

    subject: str
    level: Level
    text: str
    hint: str = ""


def ok(subject: str, text: str) -> Finding:
    """All is well."""
    return Finding(subject, Level.OK, text)


def warn(subject: str, text: str, hint: str) -> Finding:
    """It works, and could be better."""
    return Finding(subject, Level.WARN, text, hint)


def bad(subject: str, text: str, hint: str) -> Finding:
    """People will notice."""
    return Finding(subject, Level.BAD, text, hint)
