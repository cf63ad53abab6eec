"""What the gateway knows about one browser: which apps hold or may hold a session, and which are owed a logout.

An entry carries the epoch of the walk that wrote it, and gives way only to an entry of the same or a higher epoch: a
late answer of an older walk never overwrites what a newer one found out (``newer``).

The ledger is also the queue: an entry that says ``OWED`` is a logout to be delivered, and ends to be one the moment
another entry takes its place.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from chain_gateway.core.chain import AppId


class Holding(enum.Enum):
    """What one app has of this browser, as far as is known."""

    NONE = "none"
    MAY_HOLD = "may_hold"
    """A login ticket went out and no receipt came back."""
    HOLDS = "holds"
    LAPSED = "lapsed"
    """An owed logout that was never confirmed; the longest session that it was meant for has run out."""
    OWED = "owed"
    """A logout was due here and is not proven; it is delivered over the back channel until it is."""


OP_LINE: Final = AppId("@op")
"""The ledger's line for the provider itself: NONE once its logout token has come. No app can have this id."""
FORMER: Final = "@former"
GONE: Final = frozenset({Holding.NONE, Holding.LAPSED})
"""What an app holds that holds nothing."""


def former_line(app: AppId) -> AppId:
    """The line for the session of whoever was signed in at ``app`` before, while its own is about the newer one."""
    return AppId(app + FORMER)


def app_of(line: AppId) -> AppId:
    """The app that a line of the ledger is about.

    >>> app_of(former_line(AppId("bank"))), app_of(AppId("bank"))
    ('bank', 'bank')
    """
    return AppId(line.removesuffix(FORMER))


class Entry(NamedTuple):
    """One app's line in the ledger; ``epoch`` in milliseconds, the times in seconds.

    ``due`` is told to the queue with an ``OWED`` entry: the second before which it is not delivered, as the browser may
    still settle it. ``shown`` is told where the browser showed a session to the app, whoever's it was. A store that
    returns an entry leaves them 0 and False. A named tuple, as each hop makes some.
    """

    app: AppId
    holding: Holding
    epoch: int
    since: int
    sub: str = ""
    sid: str = ""
    auth_time: int = 0
    due: int = 0
    shown: bool = False

    @property
    def of_somebody(self) -> bool:
        """Whether it tells that somebody was signed in with the browser."""
        return bool(self.sub or self.sid) or self.shown


@dataclass(frozen=True, slots=True)
class OpRecord:
    """The provider's side of a browser's sign-in, and what the provider calls it.

    ``sealed`` is for the service that stored it alone. ``sub`` and ``sid`` are the provider's own words, by which its
    logout tokens name the sign-in; ``sid`` is empty where the provider gave none.
    """

    sealed: bytes
    sub: str
    sid: str = ""


@dataclass(frozen=True, slots=True)
class Browser:
    """All that is kept of one browser.

    ``signed_out_ms`` is when its last logout of everything began, by the clock of then, in milliseconds, 0 for never;
    ``signed_out_epoch`` is the epoch that this logout took, for comparing with other walks: epochs may run ahead of
    every clock. ``op_session`` is the provider's side of the sign-in that stands, None without one. ``whole`` is False
    where the store may have gone back to an earlier moment: an app that held nothing then may hold a session now.
    """

    id: bytes
    epoch: int = 0
    signed_out_ms: int = 0
    signed_out_epoch: int = 0
    op_session: OpRecord | None = None
    ledger: Mapping[str, Entry] = field(default_factory=dict)
    whole: bool = True


def newer(old: Entry | None, new: Entry) -> bool:
    """Whether ``new`` replaces ``old``."""
    return old is None or new.epoch >= old.epoch
