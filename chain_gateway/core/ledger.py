"""What the gateway knows about one browser: which apps hold or may hold a session, and which are owed a logout.

An entry carries the epoch of the walk that wrote it, and gives way only to an entry of the same or a higher epoch: a
late answer of an older walk never overwrites what a newer one found out (``newer``).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from chain_gateway.core.chain import AppId


class Holding(enum.Enum):
    """What one app has of this browser, as far as is known."""

    NONE = "none"
    MAY_HOLD = "may_hold"
    """A login ticket went out and no receipt came back."""
    HOLDS = "holds"
    OWED = "owed"
    """A logout was due here and is not proven."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One app's line in the ledger; ``epoch`` in milliseconds, the times in seconds."""

    app: AppId
    holding: Holding
    epoch: int
    since: int
    sub: str = ""
    sid: str = ""
    auth_time: int = 0


@dataclass(frozen=True, slots=True)
class Browser:
    """All that is kept of one browser. ``signed_out_ms`` is when its last logout began, in milliseconds, 0 for never.

    ``op_session`` is the provider's side of the last sign-in, sealed by the service that stored it; empty without.
    """

    id: bytes
    epoch: int = 0
    signed_out_ms: int = 0
    op_session: bytes = b""
    ledger: Mapping[str, Entry] = field(default_factory=dict)


def newer(old: Entry | None, new: Entry) -> bool:
    """Whether ``new`` replaces ``old``."""
    return old is None or new.epoch >= old.epoch
