"""Stores that break the promises about epochs, nonces and newer walks, each with the cases that must notice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from chain_gateway.core.ledger import Entry, OpRecord
from chain_gateway.store.base import Counts, Replayed, Step, StoredWalk, Superseded
from chain_gateway.store.conformance.values import NOW
from chain_gateway.store.memory import MemoryStore


class EpochIsTheTime(MemoryStore):
    """Forgets that the last epoch may be ahead of the clock."""

    async def take_epoch(self, browser: bytes, now_ms: int, *, logout: bool) -> int:
        await super().take_epoch(browser, now_ms, logout=logout)
        self._browsers[browser].epoch = now_ms
        return now_ms


class EpochOnlyCounts(MemoryStore):
    """Counts on from the last epoch and forgets the time."""

    async def take_epoch(self, browser: bytes, now_ms: int, *, logout: bool) -> int:
        known = self._browsers.get(browser)
        return await super().take_epoch(browser, known.epoch + 1 if known else now_ms, logout=logout)


class EpochReadThenWritten(MemoryStore):
    """Lets others run between reading the last epoch and writing the next."""

    async def take_epoch(self, browser: bytes, now_ms: int, *, logout: bool) -> int:
        known = self._browsers.get(browser)
        epoch = max(known.epoch + 1, now_ms) if known else now_ms
        await asyncio.sleep(0)
        await super().take_epoch(browser, epoch, logout=logout)
        self._browsers[browser].epoch = epoch
        return epoch


class EpochAhead(MemoryStore):
    """Begins one after the time."""

    async def take_epoch(self, browser: bytes, now_ms: int, *, logout: bool) -> int:
        return await super().take_epoch(browser, now_ms + 1, logout=logout)


class OneEpochForAll(MemoryStore):
    """Counts all browsers together."""

    def __init__(self) -> None:
        super().__init__()
        self.last = 0

    async def take_epoch(self, browser: bytes, now_ms: int, *, logout: bool) -> int:
        self.last = max(self.last + 1, now_ms)
        return await super().take_epoch(browser, self.last, logout=logout)


class EpochOfWalksIgnored(MemoryStore):
    """Counts only epochs that it handed out itself."""

    def __init__(self) -> None:
        super().__init__()
        self.last: dict[bytes, int] = {}

    async def take_epoch(self, browser: bytes, now_ms: int, *, logout: bool) -> int:
        await super().take_epoch(browser, now_ms, logout=logout)
        self.last[browser] = self._browsers[browser].epoch = max(self.last.get(browser, 0) + 1, now_ms)
        return self.last[browser]


class LogoutForgotten(MemoryStore):
    """Does not write down when a logout began."""

    async def take_epoch(self, browser: bytes, now_ms: int, *, logout: bool) -> int:  # noqa: ARG002
        return await super().take_epoch(browser, now_ms, logout=False)


class LoginOutranALogout(MemoryStore):
    """Gives an epoch to every login."""

    async def login_epoch(self, browser: bytes, now_ms: int, since_ms: int) -> int | None:  # noqa: ARG002
        return await self.take_epoch(browser, now_ms, logout=False)


class LogoutBySlowClock(MemoryStore):
    """Takes the last logout's time, even if it lies before an earlier one's."""

    async def take_epoch(self, browser: bytes, now_ms: int, *, logout: bool) -> int:
        epoch = await super().take_epoch(browser, now_ms, logout=logout)
        if logout:
            self._browsers[browser].signed_out_ms = now_ms
        return epoch


class LogoutEpochForgotten(MemoryStore):
    """Does not write down which epoch a logout took."""

    async def take_epoch(self, browser: bytes, now_ms: int, *, logout: bool) -> int:
        epoch = await super().take_epoch(browser, now_ms, logout=logout)
        self._browsers[browser].signed_out_epoch = 0
        return epoch


class LogoutEpochIsTheTime(MemoryStore):
    """Takes the time of a logout for its epoch."""

    async def take_epoch(self, browser: bytes, now_ms: int, *, logout: bool) -> int:
        epoch = await super().take_epoch(browser, now_ms, logout=logout)
        known = self._browsers[browser]
        known.signed_out_epoch = known.signed_out_ms
        return epoch


class AnyEpochIsALogouts(MemoryStore):
    """Writes a login's epoch down as a logout's."""

    async def take_epoch(self, browser: bytes, now_ms: int, *, logout: bool) -> int:
        epoch = await super().take_epoch(browser, now_ms, logout=logout)
        self._browsers[browser].signed_out_epoch = epoch
        return epoch


class OutrunLoginTakesOne(MemoryStore):
    """Does not look for a logout."""

    async def login_epoch(self, browser: bytes, now_ms: int, since_ms: int) -> int | None:  # noqa: ARG002
        return await self.take_epoch(browser, now_ms, logout=False)


class RefusedLoginTakesOne(MemoryStore):
    """Takes an epoch for a login that it refuses, which stops the logout."""

    async def login_epoch(self, browser: bytes, now_ms: int, since_ms: int) -> int | None:
        epoch = await super().login_epoch(browser, now_ms, since_ms)
        if epoch is None:
            await self.take_epoch(browser, now_ms, logout=False)
        return epoch


class LogoutLookedUpThenOvertaken(MemoryStore):
    """Lets others run between looking for a logout and taking the login's epoch."""

    async def login_epoch(self, browser: bytes, now_ms: int, since_ms: int) -> int | None:
        known = self._browsers.get(browser)
        refused = known is not None and known.signed_out_ms >= since_ms
        await asyncio.sleep(0)
        return None if refused else await self.take_epoch(browser, now_ms, logout=False)


class NonceNotCompared(MemoryStore):
    """Takes any nonce."""

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        stored = await self.walk(walk.id)
        return await super().advance(walk, stored.nonce if stored else spent, ledger)


class OneNonceForAll(MemoryStore):
    """Remembers spent nonces without the walk that they belong to."""

    def __init__(self) -> None:
        super().__init__()
        self.spent: set[bytes] = set()

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        if spent in self.spent:
            return Replayed(walk)
        self.spent.add(spent)
        return await super().advance(walk, spent, ledger)


class NonceComparedThenSpent(MemoryStore):
    """Lets others run between comparing the nonce and writing the next."""

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        stored = await self.walk(walk.id)
        if stored is not None and stored.nonce != spent:
            return Replayed(stored)
        await asyncio.sleep(0)
        stored = await self.walk(walk.id)
        return await super().advance(walk, stored.nonce if stored else spent, ledger)


class ReplayWritesTheLedger(MemoryStore):
    """Takes a replay's ledger entries."""

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        step = await super().advance(walk, spent, ledger)
        await self.note(walk.browser, ledger)
        return step


class StepLosesTheLedger(MemoryStore):
    """Writes the step without its ledger entries."""

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:  # noqa: ARG002
        return await super().advance(walk, spent, ())


class StepNotWritten(MemoryStore):
    """Spends the nonce and keeps the old state."""

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        stored = await self.walk(walk.id)
        return await super().advance(walk._replace(state=stored.state) if stored else walk, spent, ledger)


class EndedWalkRevived(MemoryStore):
    """Lets an ended walk go on."""

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        ended = self._over.pop(walk.id, None)
        if ended is not None:
            self._write(self._known(walk.browser, walk.epoch), ended._replace(ended=False))
        return await super().advance(walk, spent, ledger)


class LostWalkRefused(MemoryStore):
    """Does not believe the sealed token."""

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        if await self.walk(walk.id) is None:
            return Replayed(walk)
        return await super().advance(walk, spent, ledger)


class RepeatedBeginningTakesBack(MemoryStore):
    """Writes a walk anew that is there."""

    async def open_walk(self, walk: StoredWalk, ledger: Sequence[Entry], op_session: OpRecord | None) -> None:
        await super().open_walk(walk, ledger, op_session)
        self._open[walk.id] = walk


class StateCutShort(MemoryStore):
    """Has a column that is too short."""

    async def open_walk(self, walk: StoredWalk, ledger: Sequence[Entry], op_session: OpRecord | None) -> None:
        await super().open_walk(walk._replace(state=walk.state[:255]), ledger, op_session)


class OlderWalkGoesOn(MemoryStore):
    """Compares no epochs."""

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        known = self._known(walk.browser, walk.epoch)
        epoch, known.epoch = known.epoch, walk.epoch
        step = await super().advance(walk, spent, ledger)
        known.epoch = epoch
        return step


class EpochComparedThenWritten(MemoryStore):
    """Lets others run between comparing the epoch and writing the step."""

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        known = self._known(walk.browser, walk.epoch)
        if walk.epoch < known.epoch:
            return await super().advance(walk, spent, ledger)
        await asyncio.sleep(0)
        epoch, known.epoch = known.epoch, walk.epoch
        step = await super().advance(walk, spent, ledger)
        known.epoch = epoch
        return step


class OnlyTheNewestSteps(MemoryStore):
    """Takes the browser's own epoch for a newer one."""

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        known = self._known(walk.browser, walk.epoch)
        if walk.epoch == known.epoch:
            return Superseded(known.epoch)
        return await super().advance(walk, spent, ledger)


class ReplayBeforeSuperseded(MemoryStore):
    """Looks at the nonce first."""

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        stored = await self.walk(walk.id)
        if stored is not None and stored.nonce != spent:
            return Replayed(stored)
        return await super().advance(walk, spent, ledger)


class SupersededLosesTheLedger(MemoryStore):
    """Does not keep what an app said to an older walk."""

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        known = self._known(walk.browser, walk.epoch)
        return await super().advance(walk, spent, () if walk.epoch < known.epoch else ledger)


class SupersededStaysOpen(MemoryStore):
    """Leaves an older walk among the open ones, where the sweeper meets it for ever."""

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        before = self._open.get(walk.id)
        step = await super().advance(walk, spent, ledger)
        if isinstance(step, Superseded) and before is not None:
            del self._over[walk.id]
            self._write(self._known(walk.browser, 0), before)
        return step


class SupersededIsWritten(MemoryStore):
    """Writes the new state of an older walk."""

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        step = await super().advance(walk, spent, ledger)
        if isinstance(step, Superseded):
            self._over[walk.id] = walk._replace(ended=False, stopped=True)
        return step


class SupersededOnce(MemoryStore):
    """Tells of the newer walk once, and from then on where the older one stands."""

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        stored = await self.walk(walk.id)
        if stored is not None and stored.stopped:
            return Replayed(stored)
        return await super().advance(walk, spent, ledger)


class SupersededCountsAsEnded(MemoryStore):
    """Does not tell a walk that was stopped from one that came to its end."""

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        step = await super().advance(walk, spent, ledger)
        if isinstance(step, Superseded) and walk.id in self._over:
            self._over[walk.id] = self._over[walk.id]._replace(ended=True, stopped=False)
        return step


class SupersededBeforeEnded(MemoryStore):
    """Tells a walk that came to its end long ago that it gave way to a newer one."""

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        known = self._known(walk.browser, walk.epoch)
        return Superseded(known.epoch) if walk.epoch < known.epoch else await super().advance(walk, spent, ledger)


class StoppedWalksListed(MemoryStore):
    """Lists walks that are not open as open."""

    async def open_everywhere(self, limit: int) -> list[StoredWalk]:
        every = (*self._open.values(), *self._over.values())
        return sorted(every, key=lambda walk: walk.hop_deadline)[:limit]


class ListedWithoutABound(MemoryStore):
    """Lists more walks than asked for."""

    async def open_everywhere(self, limit: int) -> list[StoredWalk]:
        return await super().open_everywhere(limit + 1)


class ListedInTheOrderOfArrival(MemoryStore):
    """Lists walks as they came."""

    async def open_everywhere(self, limit: int) -> list[StoredWalk]:
        return list(self._open.values())[:limit]


class ExpiredWalksNotListed(MemoryStore):
    """Hides walks that have expired."""

    async def open_everywhere(self, limit: int) -> list[StoredWalk]:
        return [walk for walk in await super().open_everywhere(limit) if walk.expires_at > NOW]


class EndedWalksCounted(MemoryStore):
    """Counts walks that are over as open."""

    async def counts(self) -> Counts:
        found = await super().counts()
        return replace(found, walks=found.walks + len(self._over))


class OnlyCountsWhatIsDue(MemoryStore):
    """Counts no logout that waits."""

    async def counts(self) -> Counts:
        found = await super().counts()
        return replace(found, owed=sum(each.due <= NOW for each in self._owing.all(found.owed)))


class DroppedIsForgotten(MemoryStore):
    """Forgets a walk that is dropped, which brings its token back to life."""

    async def drop_walk(self, walk_id: bytes) -> bool:
        dropped = await super().drop_walk(walk_id)
        self._over.pop(walk_id, None)
        return dropped


class DroppedIsEnded(MemoryStore):
    """Says of a dropped walk that it came to its end."""

    async def drop_walk(self, walk_id: bytes) -> bool:
        dropped = await super().drop_walk(walk_id)
        if dropped:
            self._over[walk_id] = self._over[walk_id]._replace(ended=True, stopped=False)
        return dropped


class DroppedWhateverItIs(MemoryStore):
    """Claims to have dropped what there was not."""

    async def drop_walk(self, walk_id: bytes) -> bool:
        await super().drop_walk(walk_id)
        return True


class DroppedAfterItsEnd(MemoryStore):
    """Stops a walk that has ended."""

    async def drop_walk(self, walk_id: bytes) -> bool:
        if walk_id in self._over:
            self._over[walk_id] = self._over[walk_id]._replace(ended=False, stopped=True)
        return await super().drop_walk(walk_id)


class DropLookedUpThenWritten(MemoryStore):
    """Lets others run between looking whether a walk is open and stopping it."""

    async def drop_walk(self, walk_id: bytes) -> bool:
        is_open = walk_id in self._open
        await asyncio.sleep(0)
        await super().drop_walk(walk_id)
        return is_open


BROKEN: list[tuple[type[MemoryStore], str]] = [
    (EpochAhead, "epochs.begin_at_the_time"),
    (EpochIsTheTime, "epochs.rise_when_the_time_stands_still"),
    (EpochIsTheTime, "epochs.rise_when_the_time_goes_back"),
    (EpochOnlyCounts, "epochs.follow_the_time"),
    (EpochReadThenWritten, "epochs.rise_in_a_race"),
    (OneEpochForAll, "epochs.are_each_browsers_own"),
    (EpochOfWalksIgnored, "epochs.stay_above_what_a_walk_carried"),
    (LogoutForgotten, "epochs.tell_when_a_logout_began"),
    (LogoutBySlowClock, "epochs.tell_when_a_logout_began"),
    (LogoutEpochForgotten, "epochs.tell_which_one_a_logout_took"),
    (LogoutEpochIsTheTime, "epochs.tell_which_one_a_logout_took"),
    (AnyEpochIsALogouts, "epochs.tell_which_one_a_logout_took"),
    (OutrunLoginTakesOne, "epochs.are_refused_to_a_login_that_a_logout_outran"),
    (RefusedLoginTakesOne, "epochs.are_refused_to_a_login_that_a_logout_outran"),
    (LogoutLookedUpThenOvertaken, "epochs.are_refused_in_a_race"),
    (NonceNotCompared, "nonce.is_spent_once"),
    (NonceNotCompared, "nonce.is_spent_once_for_the_end"),
    (NonceNotCompared, "nonce.is_not_guessed"),
    (OneNonceForAll, "nonce.is_each_walks_own"),
    (NonceComparedThenSpent, "nonce.is_spent_once_in_a_race"),
    (NonceComparedThenSpent, "nonce.is_spent_once_in_a_race_after_a_loss"),
    (ReplayWritesTheLedger, "nonce.is_spent_once"),
    (ReplayWritesTheLedger, "nonce.is_spent_once_in_a_race"),
    (StepLosesTheLedger, "ledger.goes_with_the_walk"),
    (StepNotWritten, "nonce.is_spent_for_the_next_step"),
    (EndedWalkRevived, "nonce.of_an_ended_walk_is_worth_nothing"),
    (LostWalkRefused, "nonce.of_a_lost_walk_is_believed"),
    (RepeatedBeginningTakesBack, "nonce.survives_a_repeated_beginning"),
    (StateCutShort, "nonce.comes_back_byte_for_byte"),
    (OlderWalkGoesOn, "supersession.stops_the_older_walk"),
    (OlderWalkGoesOn, "supersession.does_not_write_a_lost_walk"),
    (EpochComparedThenWritten, "supersession.holds_in_a_race"),
    (OnlyTheNewestSteps, "supersession.leaves_the_newest_walk_alone"),
    (ReplayBeforeSuperseded, "supersession.is_said_of_a_spent_nonce_too"),
    (SupersededLosesTheLedger, "supersession.takes_the_ledger_all_the_same"),
    (SupersededStaysOpen, "supersession.stops_the_older_walk"),
    (SupersededStaysOpen, "sweep.returns_what_gave_way"),
    (SupersededOnce, "supersession.is_said_as_often_as_it_is_asked"),
    (SupersededCountsAsEnded, "supersession.is_said_as_often_as_it_is_asked"),
    (SupersededCountsAsEnded, "supersession.stops_the_older_walk"),
    (SupersededBeforeEnded, "supersession.leaves_a_walk_that_has_ended"),
    (ReplayWritesTheLedger, "supersession.leaves_a_walk_that_has_ended"),
    (SupersededIsWritten, "supersession.stops_the_older_walk"),
    (SupersededIsWritten, "supersession.does_not_write_a_lost_walk"),
    (StoppedWalksListed, "overview.lists_open_walks_everywhere"),
    (ListedWithoutABound, "overview.lists_open_walks_everywhere"),
    (ListedInTheOrderOfArrival, "overview.lists_open_walks_everywhere"),
    (ExpiredWalksNotListed, "overview.lists_open_walks_everywhere"),
    (EndedWalksCounted, "overview.counts_what_it_lists"),
    (OnlyCountsWhatIsDue, "overview.counts_what_it_lists"),
    (DroppedIsForgotten, "overview.stops_a_dropped_walk"),
    (DroppedIsEnded, "overview.stops_a_dropped_walk"),
    (DroppedWhateverItIs, "overview.drops_what_is_open"),
    (DroppedAfterItsEnd, "overview.drops_what_is_open"),
    (DropLookedUpThenWritten, "overview.drops_what_is_open"),
]
