"""Stores that break the promises about ledgers, keys, keeping and answering, each with the cases that must notice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from chain_gateway.core.ledger import Browser, Entry, OpRecord
from chain_gateway.core.limits import BROWSER_SECONDS, NOBODY_SECONDS, WALK_SECONDS
from chain_gateway.errors import StoreUnavailable
from chain_gateway.store.base import StoredWalk
from chain_gateway.store.memory import MemoryStore
from chain_gateway.store.memory.known import Known


class LastEntryWins(MemoryStore):
    """Compares no epochs of entries."""

    async def note(self, browser: bytes, ledger: Sequence[Entry]) -> None:
        await super().note(browser, ledger)
        for entry in ledger:
            self._browsers[browser].ledger[entry.app] = entry


class FirstEntryOfAnEpochWins(MemoryStore):
    """Ignores a second entry of the same epoch."""

    async def note(self, browser: bytes, ledger: Sequence[Entry]) -> None:
        known = self._known(browser, 0)
        await super().note(
            browser, [e for e in ledger if e.app not in known.ledger or known.ledger[e.app].epoch < e.epoch]
        )


class EntryReadThenWritten(MemoryStore):
    """Lets others run between comparing an entry and writing it."""

    async def note(self, browser: bytes, ledger: Sequence[Entry]) -> None:
        known = self._known(browser, 0)
        newer = [e for e in ledger if e.app not in known.ledger or known.ledger[e.app].epoch <= e.epoch]
        await asyncio.sleep(0)
        for entry in newer:
            known.ledger[entry.app] = entry


class OneLedgerForAll(MemoryStore):
    """Keeps one ledger for all browsers."""

    async def note(self, browser: bytes, ledger: Sequence[Entry]) -> None:
        await super().note(browser, ledger)
        for known in self._browsers.values():
            self._take(browser, known, ledger)


class StrangerRemembered(MemoryStore):
    """Keeps a browser of which nothing was told."""

    async def browser(self, browser: bytes) -> Browser | None:
        self._known(browser, 0)
        return await super().browser(browser)


class EntryLosesTheSession(MemoryStore):
    """Has no column for ``sid``."""

    async def note(self, browser: bytes, ledger: Sequence[Entry]) -> None:
        await super().note(browser, [entry._replace(sid="") for entry in ledger])


class BeginningLosesTheLedger(MemoryStore):
    """Writes a new walk without its ledger entries."""

    async def open_walk(self, walk: StoredWalk, ledger: Sequence[Entry], op_session: OpRecord | None) -> None:  # noqa: ARG002
        await super().open_walk(walk, (), op_session)


class AlwaysTheFirstTime(MemoryStore):
    """Remembers no key."""

    async def once(self, label: str, key: str, until: int, now: int) -> bool:
        await super().once(label, key, until, now)
        return True


class LabelsMixed(MemoryStore):
    """Does not tell labels apart."""

    async def once(self, label: str, key: str, until: int, now: int) -> bool:  # noqa: ARG002
        return await super().once("", key, until, now)


class OnceLookedUpThenWritten(MemoryStore):
    """Lets others run between looking for a key and writing it down."""

    async def once(self, label: str, key: str, until: int, now: int) -> bool:
        known = (label, key) in self._seen
        await asyncio.sleep(0)
        await super().once(label, key, until, now)
        return not known


class OnceForgottenEarly(MemoryStore):
    """Forgets a key in its last second."""

    async def once(self, label: str, key: str, until: int, now: int) -> bool:
        return await super().once(label, key, until - 1, now)


class OnceNeverForgotten(MemoryStore):
    """Remembers a key for ever."""

    async def once(self, label: str, key: str, until: int, now: int) -> bool:  # noqa: ARG002
        return await super().once(label, key, 2**60, now)


class SweptEarly(MemoryStore):
    """Returns a walk in the second before its deadline."""

    async def sweep(self, now: int) -> list[StoredWalk]:
        return await super().sweep(now + 1)


class SweptLate(MemoryStore):
    """Returns a walk in the second after its deadline."""

    async def sweep(self, now: int) -> list[StoredWalk]:
        return [walk for walk in await super().sweep(now) if walk.hop_deadline < now]


class ExpiryNotSwept(MemoryStore):
    """Looks at the deadline of the hop alone."""

    async def sweep(self, now: int) -> list[StoredWalk]:
        return [walk for walk in await super().sweep(now) if walk.hop_deadline <= now]


class ExpirySweptEarly(MemoryStore):
    """Returns a walk in the second before its expiry."""

    async def sweep(self, now: int) -> list[StoredWalk]:
        await super().sweep(now)
        return [walk for walk in self._open.values() if walk.hop_deadline <= now or walk.expires_at <= now + 1]


class OnlyNewestWalksSwept(MemoryStore):
    """Leaves out walks that gave way, which nobody ends then."""

    async def sweep(self, now: int) -> list[StoredWalk]:
        return [walk for walk in await super().sweep(now) if walk.epoch == self._browsers[walk.browser].epoch]


class StoppedWalksSwept(MemoryStore):
    """Returns stopped walks as overdue."""

    async def sweep(self, now: int) -> list[StoredWalk]:
        return await super().sweep(now) + [walk for walk in self._over.values() if walk.stopped]


class StoppedWalksForgottenAtOnce(MemoryStore):
    """Does not keep a stopped walk."""

    async def sweep(self, now: int) -> list[StoredWalk]:
        swept = await super().sweep(now)
        self._over = {i: walk for i, walk in self._over.items() if walk.ended}
        return swept


class EndedWalksSwept(MemoryStore):
    """Returns ended walks as overdue."""

    async def sweep(self, now: int) -> list[StoredWalk]:
        return await super().sweep(now) + [walk for walk in self._over.values() if walk.hop_deadline <= now]


class EndedWalksForgottenAtOnce(MemoryStore):
    """Does not keep an ended walk beyond its expiry."""

    async def sweep(self, now: int) -> list[StoredWalk]:
        swept = await super().sweep(now)
        self._over = {i: walk for i, walk in self._over.items() if walk.expires_at >= now}
        return swept


class EndedWalksKept(MemoryStore):
    """Never forgets an ended walk."""

    async def sweep(self, now: int) -> list[StoredWalk]:
        kept = dict(self._over)
        swept = await super().sweep(now)
        self._over |= kept
        return swept


class OpenWalksForgotten(MemoryStore):
    """Forgets an open walk like an ended one."""

    async def sweep(self, now: int) -> list[StoredWalk]:
        swept = await super().sweep(now)
        return [walk for walk in swept if walk.expires_at + WALK_SECONDS >= now]


class BrowsersForgottenEarly(MemoryStore):
    """Forgets browsers a second early."""

    async def sweep(self, now: int) -> list[StoredWalk]:
        return await super().sweep(now + 1 if now >= BROWSER_SECONDS else now)


class NobodyKept(MemoryStore):
    """Takes every browser for one that somebody signed in with."""

    def _known(self, browser: bytes, epoch: int) -> Known:
        known = super()._known(browser, epoch)
        known.someone = True
        return known


class NobodyForgottenAtOnce(MemoryStore):
    """Forgets a browser of nobody although a walk of it is open."""

    async def sweep(self, now: int) -> list[StoredWalk]:
        for browser, known in list(self._browsers.items()):
            if not known.someone and known.epoch // 1000 + NOBODY_SECONDS < now:
                self._lose(browser)
        self._browsers_due.clear()
        return await super().sweep(now)


class BrowsersKept(MemoryStore):
    """Never forgets a browser."""

    async def sweep(self, now: int) -> list[StoredWalk]:
        kept = dict(self._browsers)
        swept = await super().sweep(now)
        self._browsers |= kept
        return swept


class OldestWalkFirst(MemoryStore):
    """Lists walks in the order of their epochs."""

    async def open_walks(self, browser: bytes, now: int) -> list[StoredWalk]:
        return (await super().open_walks(browser, now))[::-1]


class ExpiredWalksListed(MemoryStore):
    """Lists expired walks as open."""

    async def open_walks(self, browser: bytes, now: int) -> list[StoredWalk]:  # noqa: ARG002
        return await super().open_walks(browser, 0)


class AnyNumberOfWalks(MemoryStore):
    """Does not bound the open walks of a browser."""

    async def open_walk(self, walk: StoredWalk, ledger: Sequence[Entry], op_session: OpRecord | None) -> None:
        known = self._known(walk.browser, walk.epoch)
        others, known.walks = known.walks, ()
        await super().open_walk(walk, ledger, op_session)
        known.walks += others


class NewestWalkDropped(MemoryStore):
    """Bounds the open walks by dropping the one that came last."""

    async def open_walk(self, walk: StoredWalk, ledger: Sequence[Entry], op_session: OpRecord | None) -> None:
        known = self._known(walk.browser, walk.epoch)
        full = len(known.walks) >= 8
        others, known.walks = known.walks, ()
        await super().open_walk(walk, ledger, op_session)
        known.walks += others
        if full:
            self._write(known, walk._replace(stopped=True))


class SurplusWalksEnded(MemoryStore):
    """Says of a walk that was one too many that it came to its end."""

    def _write(self, known: Known, walk: StoredWalk) -> None:
        super()._write(known, walk._replace(ended=walk.ended or walk.stopped, stopped=False))


class NeverReady(MemoryStore):
    """Does not answer its ping."""

    async def ping(self) -> None:
        raise StoreUnavailable("not ready")


class ClosedStoreAnswers(MemoryStore):
    """Goes on after it was closed."""

    async def close(self) -> None:
        await super().close()
        self._closed = False


class ClosedStoreStumbles(MemoryStore):
    """Lets an exception of its own out."""

    async def sweep(self, now: int) -> list[StoredWalk]:
        if self._closed:
            raise KeyError(now)
        return await super().sweep(now)


BROKEN: list[tuple[type[MemoryStore], str]] = [
    (LastEntryWins, "ledger.ignores_what_is_older"),
    (FirstEntryOfAnEpochWins, "ledger.takes_what_is_newer"),
    (EntryReadThenWritten, "ledger.is_monotone_in_a_race"),
    (OneLedgerForAll, "ledger.is_each_browsers_own"),
    (StrangerRemembered, "ledger.is_empty_for_a_stranger"),
    (EntryLosesTheSession, "ledger.keeps_every_field"),
    (BeginningLosesTheLedger, "ledger.goes_with_the_walk"),
    (BeginningLosesTheLedger, "ledger.holds_a_large_chain"),
    (AlwaysTheFirstTime, "once.is_true_the_first_time"),
    (LabelsMixed, "once.is_true_the_first_time"),
    (OnceLookedUpThenWritten, "once.is_true_once_in_a_race"),
    (OnceForgottenEarly, "once.is_remembered_until_its_time"),
    (OnceNeverForgotten, "once.is_remembered_until_its_time"),
    (SweptEarly, "sweep.returns_what_is_overdue"),
    (SweptLate, "sweep.returns_what_is_overdue"),
    (ExpiryNotSwept, "sweep.returns_what_has_expired"),
    (ExpirySweptEarly, "sweep.returns_what_has_expired"),
    (OnlyNewestWalksSwept, "sweep.returns_what_gave_way"),
    (StoppedWalksSwept, "sweep.leaves_an_ended_walk_alone"),
    (StoppedWalksForgottenAtOnce, "sweep.keeps_an_ended_walk_a_while"),
    (EndedWalksSwept, "sweep.leaves_an_ended_walk_alone"),
    (EndedWalksForgottenAtOnce, "sweep.keeps_an_ended_walk_a_while"),
    (EndedWalksKept, "sweep.keeps_an_ended_walk_a_while"),
    (OpenWalksForgotten, "sweep.never_loses_a_walk_that_nobody_ended"),
    (BrowsersForgottenEarly, "sweep.forgets_a_browser_in_the_end"),
    (NobodyKept, "sweep.forgets_a_browser_of_nobody"),
    (NobodyForgottenAtOnce, "sweep.forgets_a_browser_of_nobody"),
    (BrowsersKept, "sweep.forgets_a_browser_in_the_end"),
    (OldestWalkFirst, "sweep.lists_open_walks"),
    (ExpiredWalksListed, "sweep.lists_open_walks"),
    (AnyNumberOfWalks, "sweep.bounds_open_walks"),
    (AnyNumberOfWalks, "sweep.bounds_open_walks_in_a_race"),
    (NewestWalkDropped, "sweep.bounds_open_walks"),
    (SurplusWalksEnded, "sweep.bounds_open_walks"),
    (NeverReady, "availability.is_answered_while_open"),
    (ClosedStoreAnswers, "availability.ends_with_closing"),
    (ClosedStoreStumbles, "availability.ends_with_closing"),
    (MemoryStore, "durability.keeps_all_that_was_acknowledged"),
    (MemoryStore, "durability.keeps_what_is_owed"),
    (MemoryStore, "durability.keeps_what_was_acknowledged_while_it_closes"),
    (MemoryStore, "durability.is_shared_between_stores"),
    (MemoryStore, "durability.makes_one_of_a_race_between_stores"),
]
