"""The values of a walk: its kind, its hops, what came of each, and where it stands.

A ``Walk`` is immutable. It is all that the gateway needs to go on with a passage of a browser through a chain, and
exactly what the chain token seals and the store writes down (``core.packing``).
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from chain_gateway.core.chain import TAG_BYTES, AppTag, Mode

NO_APP = AppTag(bytes(TAG_BYTES))
"""Where a walk was asked for by no app in particular."""


class Kind(enum.IntEnum):
    """What a walk is for; the numbers are part of the chain token."""

    LOGIN = 1
    LOGOUT = 2

    @property
    def word(self) -> str:
        """``login`` or ``logout``."""
        return self._name_.lower()


class Outcome(enum.IntEnum):
    """What came of a hop; the numbers are part of the chain token and never change."""

    PENDING = 0
    APPLIED = 1
    ABSENT = 2
    STALE = 3
    REFUSED = 4
    ERROR = 5
    UNPROVEN = 6
    UNREACHABLE = 7
    SKIPPED = 8
    TIMED_OUT = 9
    GONE = 10
    TOLD = 11
    """Over the back channel; until its answer is in the ledger nothing is proven."""

    @property
    def word(self) -> str:
        """The outcome as logs and pages spell it."""
        return self._name_.lower()

    @property
    def proven(self) -> bool:
        """Whether a valid receipt says that the app is as the walk wanted it."""
        return self in PROVEN

    @property
    def failed(self) -> bool:
        """Whether the hop ended without what the walk wanted, and not because something newer came."""
        return self in FAILED


PROVEN: Final = frozenset({Outcome.APPLIED, Outcome.ABSENT})
FAILED: Final = frozenset(Outcome) - PROVEN - {Outcome.PENDING, Outcome.STALE, Outcome.UNPROVEN, Outcome.TOLD}


class Place(enum.IntEnum):
    """Where a walk stands: the states of the machine (``core.table``)."""

    READY = 1
    """The hop at the cursor is due; the browser is here."""
    BINDING = 2
    """The begin ticket of a ``two_step`` hop is out; its ``bind`` is awaited."""
    VISITING = 3
    """The ticket of the hop at the cursor is out; its receipt is awaited."""
    AWAY = 4
    """The browser is at an app without the SDK; it comes back by ``/resume``."""
    PAUSED = 5
    """A page breaks a long run of redirects; its Continue is awaited."""
    AT_OP = 6
    """The browser is at the provider's logout; it comes back by ``/logged-out``."""
    DONE = 7
    ABORTED = 8
    SUPERSEDED = 9
    EXPIRED = 10

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to the walk."""
        return self >= Place.DONE


OUT: Final = frozenset({Place.BINDING, Place.VISITING, Place.AWAY})
"""Where a walk stands while a hop is out."""
HELD: Final = frozenset({*OUT, Place.PAUSED})
"""Where a walk waits for its browser at an app, or at a page of ours."""


class OpLogout(enum.IntEnum):
    """What is known of the provider's own session in a logout walk."""

    NONE = 0
    """It is not this walk's concern."""
    FIRST = 1
    LAST = 2
    """Still to be visited, before or after the apps."""
    UNPROVEN = 3
    """The browser came back from the provider, which proves nothing."""
    PROVEN = 4
    FAILED = 5


@dataclass(frozen=True, slots=True)
class Hop:
    """One planned visit: the app by its tag, the mode, and the policy if it fails."""

    tag: AppTag
    mode: Mode
    required: bool = False
    retries: int = 1


HOP_BYTES = TAG_BYTES + 1
_MODES: Final = tuple(Mode)
_OUTCOMES: Final = tuple(Outcome)


@dataclass(frozen=True, slots=True)
class Hops:
    """The plan and its outcomes in two byte strings, so that a step costs the same for 1 app and for 200."""

    plan: bytes
    outcomes: bytes

    @classmethod
    def of(cls, hops: tuple[Hop, ...]) -> Hops:
        """The hops given, all of them pending."""
        plan = b"".join(h.tag + bytes([h.mode | h.required << 3 | h.retries << 4]) for h in hops)
        return cls(plan, bytes(len(hops)))

    def __len__(self) -> int:
        """How many hops were planned."""
        return len(self.outcomes)

    def __getitem__(self, index: int) -> Hop:
        """The hop at ``index``, zero-based."""
        if not 0 <= index < len(self.outcomes):
            raise IndexError(index)
        return _hop(self.plan[index * HOP_BYTES : (index + 1) * HOP_BYTES])

    def __iter__(self) -> Iterator[Hop]:
        """The hops in order."""
        return (self[index] for index in range(len(self)))

    def mode(self, index: int) -> Mode:
        """How the hop at ``index`` is made."""
        return _MODES[self.plan[index * HOP_BYTES + TAG_BYTES] & 7]

    def outcome(self, index: int) -> Outcome:
        """What came of the hop at ``index``."""
        return _OUTCOMES[self.outcomes[index]]

    @property
    def all_outcomes(self) -> tuple[Outcome, ...]:
        """What came of each hop."""
        return tuple(map(_OUTCOMES.__getitem__, self.outcomes))

    def settled(self, index: int, outcome: Outcome) -> Hops:
        """The same hops with the outcome of one set."""
        return Hops(self.plan, self.outcomes[:index] + bytes([outcome]) + self.outcomes[index + 1 :])

    def with_mode(self, index: int, mode: Mode) -> Hops:
        """The same hops with one made in another mode."""
        at = index * HOP_BYTES + TAG_BYTES
        return Hops(self.plan[:at] + bytes([self.plan[at] & ~7 | mode]) + self.plan[at + 1 :], self.outcomes)


@lru_cache(maxsize=1024)
def _hop(entry: bytes) -> Hop:
    """The hop of five bytes; there are few, as each is an app with the policy that it has."""
    flags = entry[TAG_BYTES]
    return Hop(AppTag(entry[:TAG_BYTES]), _MODES[flags & 7], bool(flags & 8), flags >> 4)


class Walk(NamedTuple):
    """One browser's passage through a chain. ``browser``, ``id`` and ``nonce`` are 16 random bytes; times are seconds.

    ``nonce`` is at once the chain nonce of the token that is out and the ``jti`` of the ticket it travels with;
    ``issued_at`` is when both were made. ``epoch`` is in milliseconds. ``redirects`` counts since the last page, up to
    ``budget``; ``form_run`` tells that the run began with a form. A named tuple, as each step makes new ones:
    ``_replace`` costs a quarter of what it does for a frozen dataclass.
    """

    id: bytes
    kind: Kind
    browser: bytes
    epoch: int
    chain: str
    hops: Hops
    nonce: bytes
    issued_at: int
    expires_at: int
    place: Place = Place.READY
    cursor: int = 0
    attempt: int = 0
    redirects: int = 0
    budget: int = 15
    form_run: bool = False
    op: OpLogout = OpLogout.NONE
    silent: bool = False
    app: AppTag = NO_APP
    return_to: str = ""

    @property
    def hop(self) -> Hop:
        """The hop at the cursor; IndexError when the chain is through."""
        return self.hops[self.cursor]

    @property
    def mode(self) -> Mode:
        """The mode of the hop at the cursor, without the rest of it; NONE when the chain is through."""
        return Mode.NONE if self.through else self.hops.mode(self.cursor)

    @property
    def through(self) -> bool:
        """Whether no hop is left."""
        return self.cursor >= len(self.hops.outcomes)

    def issued(self, nonce: bytes, now: int) -> Walk:
        """The walk with a fresh nonce, made at ``now``."""
        return self._replace(nonce=nonce, issued_at=now)
