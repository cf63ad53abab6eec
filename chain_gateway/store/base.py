"""What a store promises.

The store guards, it does not carry: a walk can be finished from its sealed token alone. What a store must do right are
nine things, and ``store.conformance`` holds every backend to them, races included:

1. **Epochs rise.** ``take_epoch`` never returns a number at or below one that it returned for the same browser, or that
   any walk, ledger entry or ``clear_op`` of this browser carried into the store (after a loss, they are all that is
   known).
2. **A nonce is spent once.** Of any number of concurrent ``advance`` calls that name the same spent nonce, one gets
   ``Advanced``; the spending, the new state of the walk and the ledger entries are one change, or none. A walk that has
   ended stays ended: whatever its nonce and whatever came since, the answer is ``Replayed``.
3. **A newer walk wins.** ``advance`` for an epoch below the browser's own, of a walk that has not ended, writes no new
   state and says ``Superseded``, whatever the nonce, then and at each later call; the walk it names counts as stopped,
   and its ledger entries are taken all the same, as they tell what an app said.
4. **The ledger is monotone.** An entry of a lower epoch than the one that stands is ignored.
5. **Acknowledged is durable** (not in memory): after a method has returned, a SIGKILL loses nothing of it.
6. **Once is once.** Of any number of concurrent ``once`` calls for one label and key, one gets True.
7. **Nothing stays for ever, and nothing goes early.** What is kept and how long is said at ``open_walk`` and ``sweep``.
8. **What is owed is delivered by one at a time, until it is settled.** A logout is owed as long as the ledger says so,
   and is claimed by one caller of ``owed`` until that one's lease runs out.
9. **A sign-in is found by its provider's words.** ``browsers_of`` finds the records that stand, and a record of a lower
   epoch than one that stands, or than a ``clear_op``, is ignored.

Every method raises ``StoreUnavailable`` if the backend does not answer; no other exception leaves a store. A method
that raised, or whose caller was cancelled, may have done its work or not. A store belongs to the event loop that opened
it.

``Store`` is all of it; a use case that needs less names the part that it needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from chain_gateway.core.ledger import Browser, Entry, OpRecord


class StoredWalk(NamedTuple):
    """A walk as it is written down. ``state`` is ``core.packing.pack`` of it; times are seconds, ``epoch`` ms.

    ``nonce`` is the one that is out and not yet spent; ``hop_deadline`` is when the hop that is out counts as failed;
    the record is kept until ``expires_at`` and a while longer, so that a missing record means a loss and not an end.

    ``ended`` is the caller's word: ``state`` is that of the walk's end. ``stopped`` is the store's: the walk gets no
    further, as there is a newer one, were too many, or somebody dropped it, and ``state`` is still that of its last
    step. No walk is both; an open one is neither. A named tuple, as each hop makes one.
    """

    id: bytes
    browser: bytes
    epoch: int
    nonce: bytes
    state: bytes
    hop_deadline: int
    expires_at: int
    ended: bool = False
    stopped: bool = False

    @property
    def open(self) -> bool:
        """Whether it may go on, unless its browser has a newer one."""
        return not (self.ended or self.stopped)


@dataclass(frozen=True, slots=True)
class Advanced:
    """The nonce was spent now, and the new state is written down."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """The nonce was spent before, or the walk is not open; ``walk`` is where it stands, and nothing was changed."""

    walk: StoredWalk


@dataclass(frozen=True, slots=True)
class Superseded:
    """This browser has a newer walk, of ``epoch``; the older one is stopped, and only the ledger was changed."""

    epoch: int


Step = Advanced | Replayed | Superseded


@dataclass(frozen=True, slots=True)
class Owed:
    """A logout that an app is owed: ``entry`` says which, ``attempts`` how many deliveries have failed.

    ``due`` is the second from which on it may be tried again, 0 for at once.
    """

    browser: bytes
    entry: Entry
    attempts: int = 0
    due: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """How much of what an operator watches there is: open ``walks``, expired or not, and ``owed`` logouts."""

    walks: int
    owed: int


class Walks(Protocol):
    """Walks: begun, taken a step further, found again, and brought to an end."""

    async def take_epoch(self, browser: bytes, now_ms: int, *, logout: bool) -> int:
        """``max(last epoch of this browser + 1, now_ms)``, atomically.

        A ``logout`` (of everything) also sets ``signed_out_epoch`` to what is returned, and ``signed_out_ms`` to
        ``now_ms``, unless a later one is there.
        """

    async def login_epoch(self, browser: bytes, now_ms: int, since_ms: int) -> int | None:
        """The epoch of a login, as of ``take_epoch``; None, and nothing taken, if ``signed_out_ms >= since_ms``.

        Looking and taking are one change: a login that is older than a logout does not overtake it in between.
        """

    async def open_walk(self, walk: StoredWalk, ledger: Sequence[Entry], op_session: OpRecord | None) -> None:
        """Writes a new walk down, and ledger entries with it; ``op_session`` takes the place of an older walk's.

        Without an ``op_session`` the one that stands is left. A walk that is there already stays as it is, so that the
        call may be repeated. A browser has at most ``limits.OPEN_WALKS`` open walks: those of the lowest epochs beyond
        that are stopped.
        """

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        """Spends the nonce ``spent`` and writes ``walk`` (with its next nonce) and ``ledger`` down, as one change.

        A walk that is not there was lost: ``walk`` is written as new, and the answer is ``Advanced``. The questions are
        asked in this order: has the walk ended (``Replayed``), is there a newer one (``Superseded``), is it stopped or
        the nonce spent (``Replayed``)?
        """

    async def walk(self, walk_id: bytes) -> StoredWalk | None:
        """The walk as it stands."""

    async def open_walks(self, browser: bytes, now: int) -> list[StoredWalk]:
        """This browser's walks that are open and have not expired (``now < expires_at``), the newest epoch first."""

    async def open_everywhere(self, limit: int) -> list[StoredWalk]:
        """Up to ``limit`` (none below 1) open walks of all browsers, expired or not, the earliest deadline first."""

    async def drop_walk(self, walk_id: bytes) -> bool:
        """Stops a walk where it stands; False if there is none of this id that is open."""

    async def sweep(self, now: int) -> list[StoredWalk]:
        """Forgets what is past its time, and returns the open walks that are past theirs, for somebody to end them.

        Returned are the open walks whose hop deadline or expiry has come (``<= now``), by each sweep until they are
        ended or stopped, however long the gateway was down. A walk that gave way to a newer one is among them until a
        step of it is tried, which stops it. Several sweepers may be given the same walk; of their steps one is taken.

        Forgotten are: what ``once`` remembered, after its ``until``; walks that are not open, ``limits.WALK_SECONDS``
        after their ``expires_at``; a browser with everything of it, what its apps are owed included,
        ``limits.BROWSER_SECONDS`` after its last epoch. A browser that nobody signed in with, of which no record of the
        provider and no ledger entry ``of_somebody`` was ever stored, is forgotten
        ``limits.NOBODY_SECONDS`` after its last epoch, once none of its walks is open.
        """


class Ledger(Protocol):
    """What is known of a browser and of what its apps hold."""

    async def browser(self, browser: bytes) -> Browser | None:
        """All that is known of a browser; None if nothing."""

    async def note(self, browser: bytes, ledger: Sequence[Entry]) -> None:
        """Takes ledger entries without a step, e.g. of a return that came late, or of a logout that was delivered."""


class Queue(Protocol):
    """The owed logouts, which are the ``OWED`` entries of all ledgers, and when each is to be tried again.

    An entry is due when it turns ``OWED``: at once, or from its ``Entry.due`` on. Saying the same again, in the same
    epoch, leaves it where it is in the queue. A newer entry takes its place: if that is ``OWED`` too, it begins anew,
    without attempts. An owed logout is settled by ``Ledger.note`` with another holding and the same epoch.
    """

    async def owed(self, now: int, lease_until: int, limit: int) -> list[Owed]:
        """Claims up to ``limit`` (none below 1) that are due (``due <= now``): those due at once, then the longest due.

        Claiming is that ``due`` becomes ``lease_until``, in the same change, so that nobody else gets them before. Who
        claims one settles or defers it until then; for who does not, because it died, the next claim does.
        """

    async def defer(self, browser: bytes, app: str, epoch: int, due: int, attempts: int) -> bool:
        """Sets when an entry is due, and its ``attempts``; False if it is not owed any more with that ``epoch``."""

    async def all_owed(self, limit: int) -> list[Owed]:
        """Up to ``limit`` (none below 1) owed logouts, claimed or not, the first to be due first; claims nothing."""


class SignIns(Protocol):
    """Who is signed in at the provider, in which browsers, by the last ``op_session`` of each."""

    async def browsers_of(self, sub: str, sid: str) -> list[bytes]:
        """The browsers of the provider's session ``sid``, or, where that is empty, of the person ``sub``.

        Where both are given both must be the record's. Where both are empty there is none.
        """

    async def clear_op(self, browser: bytes, epoch: int) -> None:
        """Forgets the ``op_session`` of a walk of this epoch or an older one; one that comes later is ignored."""


class Memory(Protocol):
    """What must happen once."""

    async def once(self, label: str, key: str, until: int, now: int) -> bool:
        """Whether ``key`` is seen for the first time under ``label``.

        It is remembered as long as ``now <= until``, by the ``until`` (seconds) of the first call.
        """


class Store(Walks, Ledger, Queue, SignIns, Memory, Protocol):
    """The port that the use cases name; times are passed in, a store has no clock of its own."""

    async def open(self) -> None:
        """Makes ready: files, schema, connections."""

    async def close(self) -> None:
        """Lets go of everything, after what was acknowledged is safe; from then on every method is unavailable."""

    async def counts(self) -> Counts:
        """How many walks ``open_everywhere`` and logouts ``all_owed`` would list; cheap, however many there are.

        The two numbers need not be of one moment.
        """

    async def ping(self) -> None:
        """Returns if the backend answers and can be written to."""
