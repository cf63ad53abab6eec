"""What must be seen at an app before the sign-in, after it, and after the sign-out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """What one app's own page and the cookies of its host say; epochs in milliseconds, -1 without one."""

    signed_in: bool
    sub: str
    session: int
    tombstone: int


@dataclass(frozen=True, slots=True)
class Expected:
    """What is to come of one app: who is signed in there, empty for nobody, and what a sign-out leaves behind."""

    sub: str
    signs_out: bool = True
    buries: bool = True
    """Whether the sign-out visits the browser at this app, and so leaves a tombstone there."""

    @property
    def story(self) -> str:
        """What is to be seen, in words."""
        inside = "signed in" if self.sub else "never signed in"
        after = "signed out again" if self.signs_out and self.sub else "left as it was"
        return f"signed out, {inside}, {after}; its own page and cookies agree"


def faults_before(seen: Seen, _expected: Expected) -> list[str]:
    """Nobody has signed in, so there is nothing."""
    found = []
    if seen.signed_in:
        found.append("says signed in before anybody was")
    if seen.session >= 0 or seen.tombstone >= 0:
        found.append("has cookies of a walk before there was one")
    return found


def faults_signed_in(seen: Seen, expected: Expected) -> list[str]:
    """The page knows who it is, and the browser has a session that no tombstone buries."""
    if not expected.sub:
        return ["says signed in, and no login visits it"] if seen.signed_in else []
    if not seen.signed_in:
        return ["says signed out after the sign-in"]
    found = []
    if seen.sub != expected.sub:
        found.append(f"says that {seen.sub} is signed in, not {expected.sub}")
    if seen.session < 0:
        found.append("says signed in without a session cookie")
    if seen.tombstone >= seen.session >= 0:
        found.append("has a tombstone above its session, and says signed in")
    return found


def faults_after(seen: Seen, expected: Expected) -> list[str]:
    """The page says so, and the browser has a tombstone above any session."""
    if not expected.signs_out:
        return []
    found = []
    if seen.signed_in:
        found.append("still says signed in after the sign-out")
    if expected.buries and expected.sub and seen.tombstone < 0:
        found.append("has no tombstone")
    if expected.buries and seen.session > seen.tombstone:
        found.append("has a live session cookie")
    return found
