"""Stores that break the promise about owed logouts, each with the cases that must notice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from chain_gateway.core.ledger import Entry, Holding, OpRecord
from chain_gateway.store.base import Owed, Step, StoredWalk
from chain_gateway.store.memory import MemoryStore
from chain_gateway.store.memory.owing import Owing


class OwedByNotesAlone(MemoryStore):
    """Queues what ``note`` brings and nothing else."""

    async def open_walk(self, walk: StoredWalk, ledger: Sequence[Entry], op_session: OpRecord | None) -> None:
        await super().open_walk(walk, ledger, op_session)
        self._owing.clear()

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        step = await super().advance(walk, spent, ledger)
        self._owing.clear()
        return step


class ClaimReadThenWritten(MemoryStore):
    """Lets others run between finding what is due and taking it."""

    async def owed(self, now: int, lease_until: int, limit: int) -> list[Owed]:
        due = [each for each in self._owing.all(limit) if each.due <= now]
        await asyncio.sleep(0)
        self._owing.claim(now, lease_until, limit)
        return [replace(each, due=lease_until) for each in due]


class ClaimedWithoutALease(MemoryStore):
    """Gives what is due to everyone who asks."""

    async def owed(self, now: int, lease_until: int, limit: int) -> list[Owed]:
        due = [each for each in self._owing.all(limit) if each.due <= now]
        return [replace(each, due=lease_until) for each in due]


class ClaimedForGood(MemoryStore):
    """Takes out what it gives away, so that a worker that dies takes it along."""

    async def owed(self, now: int, lease_until: int, limit: int) -> list[Owed]:
        claimed = await super().owed(now, lease_until, limit)
        for each in claimed:
            self._owing.forget(each.browser, each.entry.app)
        return claimed


class DueIgnored(MemoryStore):
    """Gives away at once what should wait for its browser."""

    async def note(self, browser: bytes, ledger: Sequence[Entry]) -> None:
        await super().note(browser, [entry._replace(due=0) for entry in ledger])


class LeaseASecondShort(MemoryStore):
    """Gives away in its last second what is somebody else's."""

    async def owed(self, now: int, lease_until: int, limit: int) -> list[Owed]:
        return await super().owed(now + 1, lease_until, limit)


class ClaimedWithoutABound(MemoryStore):
    """Gives more than asked for."""

    async def owed(self, now: int, lease_until: int, limit: int) -> list[Owed]:
        return await super().owed(now, lease_until, limit + 1)


class DeferredForAnyEpoch(MemoryStore):
    """Puts off a logout that took the place of the one that was tried."""

    async def defer(self, browser: bytes, app: str, epoch: int, due: int, attempts: int) -> bool:
        known = self._browsers.get(browser)
        entry = known.ledger.get(app) if known else None
        return await super().defer(browser, app, entry.epoch if entry else epoch, due, attempts)


class DeferredWhateverItIs(MemoryStore):
    """Claims to have put off what is not owed."""

    async def defer(self, browser: bytes, app: str, epoch: int, due: int, attempts: int) -> bool:
        await super().defer(browser, app, epoch, due, attempts)
        return True


class DeferredBeyondTheLease(MemoryStore):
    """Does not try again before the lease of the last try has run out."""

    async def defer(self, browser: bytes, app: str, epoch: int, due: int, attempts: int) -> bool:
        stands = [each.due for each in await self.all_owed(10**6) if (each.browser, each.entry.app) == (browser, app)]
        return await super().defer(browser, app, epoch, max([due, *stands]), attempts)


class DeferForgetsAttempts(MemoryStore):
    """Has no column for ``attempts``."""

    async def defer(self, browser: bytes, app: str, epoch: int, due: int, attempts: int) -> bool:  # noqa: ARG002
        return await super().defer(browser, app, epoch, due, 0)


class SettledByWhatIsOlder(MemoryStore):
    """Ends a delivery by what an older one brought."""

    async def note(self, browser: bytes, ledger: Sequence[Entry]) -> None:
        await super().note(browser, ledger)
        for entry in ledger:
            if entry.holding is Holding.NONE:
                self._owing.forget(browser, entry.app)


class LookingClaims(MemoryStore):
    """Claims what is looked at."""

    async def all_owed(self, limit: int) -> list[Owed]:
        owed = await super().all_owed(limit)
        self._owing.claim(2**60, 2**60, limit)
        return owed


class ShownWithoutABound(MemoryStore):
    """Shows more than asked for."""

    async def all_owed(self, limit: int) -> list[Owed]:
        return await super().all_owed(limit + 1)


class ClaimedIsHidden(MemoryStore):
    """Shows only what is due at once."""

    async def all_owed(self, limit: int) -> list[Owed]:
        return [each for each in await super().all_owed(limit) if not each.due]


class DueByTheWritersClock(Owing):
    """Takes the time of an entry for when it is due, by whatever clock that was."""

    def follow(self, browser: bytes, old: Entry | None, new: Entry) -> None:
        super().follow(browser, old, new)
        self.defer(browser, new.app, new.epoch, new.since, 0)


class DueWhenItTurnsOwed(Owing):
    """Does not wait for the browser to settle it."""

    def follow(self, browser: bytes, old: Entry | None, new: Entry) -> None:
        super().follow(browser, old, new._replace(due=0))


class DueByTheLastWord(Owing):
    """Moves what is said again to when that is due."""

    def follow(self, browser: bytes, old: Entry | None, new: Entry) -> None:
        super().follow(browser, old, new)
        self.defer(browser, new.app, new.epoch, new.due, 0)


class WhateverMayHoldIsOwed(Owing):
    """Queues what may hold a session, too."""

    def follow(self, browser: bytes, old: Entry | None, new: Entry) -> None:
        super().follow(browser, old, new)
        if new.holding is Holding.MAY_HOLD:
            self._put(Owed(browser, new))


class SettledStaysOwed(Owing):
    """Goes on with a delivery that was confirmed."""

    def follow(self, browser: bytes, old: Entry | None, new: Entry) -> None:
        if new.holding is Holding.OWED:
            super().follow(browser, old, new)


class NewerKeepsAttempts(Owing):
    """Does not begin anew for a newer logout."""

    def follow(self, browser: bytes, old: Entry | None, new: Entry) -> None:
        before = self._owed.get((browser, new.app))
        super().follow(browser, old, new)
        if before is not None and new.holding is Holding.OWED:
            self._put(replace(before, entry=new))


class SaidAgainBeginsAnew(Owing):
    """Lets a second one claim what is said again while the first one delivers it."""

    def follow(self, browser: bytes, old: Entry | None, new: Entry) -> None:  # noqa: ARG002
        self.forget(browser, new.app)
        super().follow(browser, None, new)


class SaidAgainIsIgnored(Owing):
    """Keeps the entry that was there when it is said again."""

    def follow(self, browser: bytes, old: Entry | None, new: Entry) -> None:
        if old is None or old.holding is not new.holding or old.epoch != new.epoch:
            super().follow(browser, old, new)


class LastDueFirst(Owing):
    """Gives what has waited least."""

    def claim(self, now: int, lease_until: int, limit: int) -> list[Owed]:
        last = sorted((e for e in self._owed.values() if e.due <= now), key=lambda e: (-e.due, -e.entry.since))
        for each in last[:limit]:
            self._put(replace(each, due=lease_until))
        return [replace(each, due=lease_until) for each in last[:limit]]


class InTheOrderOfArrival(Owing):
    """Gives what is due as it came."""

    def claim(self, now: int, lease_until: int, limit: int) -> list[Owed]:
        first = [each for each in self._owed.values() if each.due <= now][:limit]
        for each in first:
            self._put(replace(each, due=lease_until))
        return [replace(each, due=lease_until) for each in first]


class OwedForEver(Owing):
    """Keeps what a browser's apps are owed when the browser is forgotten."""

    def forget(self, browser: bytes, app: str) -> None:
        pass


def queued_by(queue: type[Owing]) -> type[MemoryStore]:
    """A store of that queue, and of its name."""

    class Queued(MemoryStore):
        def __init__(self) -> None:
            super().__init__()
            self._owing = queue()

    Queued.__name__ = queue.__name__
    return Queued


BROKEN: list[tuple[type[MemoryStore], str]] = [
    (queued_by(DueByTheWritersClock), "owed.is_due_at_once"),
    (queued_by(WhateverMayHoldIsOwed), "owed.is_due_at_once"),
    (queued_by(DueWhenItTurnsOwed), "owed.waits_until_it_is_due"),
    (queued_by(DueByTheLastWord), "owed.waits_until_it_is_due"),
    (OwedByNotesAlone, "owed.comes_by_every_way"),
    (ClaimedWithoutALease, "owed.is_claimed_until_the_lease_runs_out"),
    (LeaseASecondShort, "owed.is_claimed_until_the_lease_runs_out"),
    (ClaimedForGood, "owed.is_claimed_until_the_lease_runs_out"),
    (ClaimReadThenWritten, "owed.is_claimed_by_one_in_a_race"),
    (ClaimedWithoutABound, "owed.is_claimed_by_one_in_a_race"),
    (ClaimedWithoutABound, "owed.comes_in_its_turn"),
    (queued_by(LastDueFirst), "owed.comes_in_its_turn"),
    (queued_by(InTheOrderOfArrival), "owed.comes_in_its_turn"),
    (DeferredBeyondTheLease, "owed.is_deferred"),
    (DeferForgetsAttempts, "owed.is_deferred"),
    (DeferredForAnyEpoch, "owed.is_deferred_while_it_is_owed"),
    (DeferredForAnyEpoch, "owed.gives_way_to_what_is_newer"),
    (DeferredWhateverItIs, "owed.is_deferred_while_it_is_owed"),
    (queued_by(SettledStaysOwed), "owed.ends_when_it_is_settled"),
    (queued_by(SettledStaysOwed), "owed.gives_way_to_what_is_newer"),
    (SettledByWhatIsOlder, "owed.is_not_settled_by_what_is_older"),
    (queued_by(NewerKeepsAttempts), "owed.gives_way_to_what_is_newer"),
    (queued_by(SaidAgainBeginsAnew), "owed.keeps_its_turn_when_said_again"),
    (queued_by(SaidAgainIsIgnored), "owed.keeps_its_turn_when_said_again"),
    (ClaimedIsHidden, "owed.keeps_its_turn_when_said_again"),
    (ClaimedIsHidden, "owed.is_shown_without_a_claim"),
    (LookingClaims, "owed.is_shown_without_a_claim"),
    (ShownWithoutABound, "owed.is_shown_without_a_claim"),
    (queued_by(OwedForEver), "owed.is_forgotten_with_its_browser"),
]
