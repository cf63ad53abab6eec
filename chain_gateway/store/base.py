"""What a store promises.

The store guards, it does not carry: a walk can be finished from its sealed token alone. What a store must do right are
seven things, and ``store.conformance`` holds every backend to them, races included:

1. **Epochs rise.** ``take_epoch`` never returns a number at or below one that it returned for the same browser, or that
   any walk or ledger entry of this browser carried into the store (after a loss, they are all that is known).
2. **A nonce is spent once.** Of any number of concurrent ``advance`` calls that name the same spent nonce, one gets
   ``Advanced``; the spending, the new state of the walk and the ledger entries are one change, or none. A walk that has
   ended stays ended: whatever its nonce, the answer is ``Replayed``.
3. **A newer walk wins.** ``advance`` for an epoch below the browser's own writes no new state and says ``Superseded``,
   whatever the nonce; the walk it names counts as ended from then on, and its ledger entries are taken all the same, as
   they tell what an app said.
4. **The ledger is monotone.** An entry of a lower epoch than the one that stands is ignored; so is an ``op_session``.
5. **Acknowledged is durable** (not in memory): after a method has returned, a SIGKILL loses nothing of it.
6. **Once is once.** Of any number of concurrent ``once`` calls for one label and key, one gets True.
7. **Nothing stays for ever, and nothing goes early.** What is kept and how long is said at ``open_walk`` and ``sweep``.

Every method raises ``StoreUnavailable`` if the backend does not answer; no other exception leaves a store. A method
that raised may have done its work or not. A store belongs to the event loop that opened it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chain_gateway.core.ledger import Browser, Entry


@dataclass(frozen=True, slots=True)
class StoredWalk:
    """A walk as it is written down. ``state`` is ``core.packing.pack`` of it; times are seconds, ``epoch`` ms.

    ``nonce`` is the one that is out and not yet spent; ``hop_deadline`` is when the hop that is out counts as failed;
    the record is kept until ``expires_at`` and a while longer, so that a missing record means a loss and not an end.
    ``ended`` may be set by the store (a newer walk, too many open ones) while ``state`` is still that of the last step.
    """

    id: bytes
    browser: bytes
    epoch: int
    nonce: bytes
    state: bytes
    hop_deadline: int
    expires_at: int
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Advanced:
    """The nonce was spent now, and the new state is written down."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """The nonce had been spent before, or the walk has ended; ``walk`` is where it stands, and nothing was changed."""

    walk: StoredWalk


@dataclass(frozen=True, slots=True)
class Superseded:
    """This browser has a newer walk, of ``epoch``; the older one has ended, and only the ledger was changed."""

    epoch: int


Step = Advanced | Replayed | Superseded


class Store(Protocol):
    """The port that the use cases name; times are passed in, a store has no clock of its own."""

    async def open(self) -> None:
        """Makes ready: files, schema, connections."""

    async def close(self) -> None:
        """Lets go of everything, after what was acknowledged is safe; from then on every method is unavailable."""

    async def ping(self) -> None:
        """Returns if the backend answers and can be written to."""

    async def take_epoch(self, browser: bytes, now_ms: int, *, logout: bool) -> int:
        """``max(last epoch of this browser + 1, now_ms)``, atomically.

        A logout also sets ``signed_out_ms`` to ``now_ms``, unless a later one is there.
        """

    async def open_walk(self, walk: StoredWalk, ledger: Sequence[Entry], op_session: bytes | None) -> None:
        """Writes a new walk down, and ledger entries with it; ``op_session`` replaces the stored one unless None.

        A walk that is there already stays as it stands, so that the call may be repeated. A browser has at most
        ``limits.OPEN_WALKS`` open walks: those of the lowest epochs beyond that are ended.
        """

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        """Spends the nonce ``spent`` and writes ``walk`` (with its next nonce) and ``ledger`` down, as one change.

        A walk that is not there was lost: ``walk`` is written as new, and the answer is ``Advanced``.
        """

    async def note(self, browser: bytes, ledger: Sequence[Entry]) -> None:
        """Takes ledger entries without a step, e.g. of a return that came late."""

    async def walk(self, walk_id: bytes) -> StoredWalk | None:
        """The walk as it stands."""

    async def open_walks(self, browser: bytes, now: int) -> list[StoredWalk]:
        """This browser's walks that have not ended and not expired (``now < expires_at``), the newest epoch first."""

    async def browser(self, browser: bytes) -> Browser | None:
        """All that is known of a browser; None if nothing."""

    async def once(self, label: str, key: str, until: int, now: int) -> bool:
        """Whether ``key`` is seen for the first time under ``label``.

        It is remembered as long as ``now <= until``, by the ``until`` (seconds) of the first call.
        """

    async def sweep(self, now: int) -> list[StoredWalk]:
        """Forgets what is past its time and returns the open walks whose hop deadline has passed (``<= now``).

        Forgotten are: what ``once`` remembered, after its ``until``; ended walks, ``limits.WALK_SECONDS`` after their
        ``expires_at``; a browser with everything of it, ``limits.BROWSER_SECONDS`` after its last epoch. A walk that
        nobody ended is not forgotten but returned, by each sweep until it is ended, however long the gateway was down.
        """
