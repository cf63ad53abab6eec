"""What came of a hop, in the words that a person reads, and the icon that stands beside them.

Each outcome has its word for a sign-in and for a sign-out. A word never claims more than a receipt has proven: what
an app signed is "confirmed by" that app, and everything else says plainly that it is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from chain_gateway.core.walk import Kind, Outcome


class Word(NamedTuple):
    """An icon's name, the words, and whether the app's own name ends them."""

    icon: str
    text: str
    named: bool = False

    def of(self, name: str) -> str:
        """The words for the app called ``name``."""
        return f"{self.text} {name}" if self.named else self.text


_BOTH: Final = {
    Outcome.PENDING: Word("wait", "waiting"),
    Outcome.REFUSED: Word("bad", "refused by", named=True),
    Outcome.ERROR: Word("bad", "failed at", named=True),
    Outcome.UNPROVEN: Word("ask", "not confirmed"),
    Outcome.UNREACHABLE: Word("bad", "could not be reached"),
    Outcome.SKIPPED: Word("note", "skipped"),
    Outcome.TIMED_OUT: Word("bad", "did not answer in time"),
    Outcome.GONE: Word("note", "no longer connected here"),
    Outcome.TOLD: Word("ask", "told, not confirmed yet"),
}

OUTCOMES: Final[Mapping[Kind, Mapping[Outcome, Word]]] = {
    Kind.LOGIN: {
        **_BOTH,
        Outcome.APPLIED: Word("ok", "signed in, confirmed by", named=True),
        Outcome.ABSENT: Word("ok", "nothing to do, confirmed by", named=True),
        Outcome.STALE: Word("note", "a newer sign-in or sign-out is in place"),
    },
    Kind.LOGOUT: {
        **_BOTH,
        Outcome.APPLIED: Word("ok", "signed out, confirmed by", named=True),
        Outcome.ABSENT: Word("ok", "was not signed in, confirmed by", named=True),
        Outcome.STALE: Word("note", "a newer sign-in is in place"),
    },
}

NOW: Final = Word("now", "now")
NOT_VISITED: Final = Word("note", "not visited")
OP_NAME: Final = "Sign-in provider"
DOING: Final = {Kind.LOGIN: "Signing you in", Kind.LOGOUT: "Signing you out"}
NOUN: Final = {Kind.LOGIN: "sign-in", Kind.LOGOUT: "sign-out"}

_REASON: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}", re.ASCII)
_REASONS: Final = {
    "other_browser": "it belongs to another browser",
    "used": "this step was used before",
}


def word(outcome: Outcome, kind: Kind, *, current: bool = False, ended: bool = False) -> Word:
    """The word for one app's outcome; an app that an ended walk never came to was "not visited"."""
    if outcome is Outcome.PENDING and (current or ended):
        return NOT_VISITED if ended else NOW
    return OUTCOMES[kind][outcome]


def op_word(outcome: Outcome, *, ended: bool) -> Word:
    """The word for the provider's own session, which only its own logout token or its own answer proves."""
    if outcome.proven:
        return Word("ok", "signed out, confirmed")
    return word(Outcome.UNREACHABLE if outcome.failed else outcome, Kind.LOGOUT, ended=ended)


def reason(text: str) -> str:
    """An app's reason as a page may show it: a known one in words, a plain short code as it is, else nothing.

    Reasons come from apps; a sentence of theirs would speak in the gateway's voice.
    """
    if text in _REASONS:
        return _REASONS[text]
    return text if _REASON.fullmatch(text) else ""


def listed(names: Sequence[str], most: int = 3) -> str:
    """Names as a sentence holds them: ``A``, ``A and B``, ``A, B and C``, ``A, B and 5 more``."""
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} more"]
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
