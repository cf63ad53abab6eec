"""The port, in dictionaries.

Each method runs through without an ``await``, so the event loop itself makes it one change. What is past its time goes
at each sweep, and at each epoch that is taken, as every walk begins with one.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from chain_gateway.core.ledger import Browser, Entry, OpRecord, newer
from chain_gateway.core.limits import NOBODY_SECONDS, OPEN_WALKS, WALK_SECONDS
from chain_gateway.errors import StoreUnavailable
from chain_gateway.store.base import Advanced, Counts, Owed, Replayed, Step, StoredWalk, Superseded
from chain_gateway.store.memory.known import Known
from chain_gateway.store.memory.owing import Owing
from chain_gateway.store.memory.sign_ins import SignIns
from chain_gateway.store.memory.timetable import Timetable


class MemoryStore:
    """``store.base.Store``, ready as soon as it is made; closing it forgets everything."""

    def __init__(self) -> None:
        self._closed = False
        self._browsers: dict[bytes, Known] = {}
        self._open: dict[bytes, StoredWalk] = {}
        self._over: dict[bytes, StoredWalk] = {}
        self._seen: dict[tuple[str, str], int] = {}
        self._owing = Owing()
        self._sign_ins = SignIns()
        self._browsers_due = Timetable[bytes]()
        self._over_due = Timetable[bytes]()
        self._seen_due = Timetable[tuple[str, str]]()

    async def open(self) -> None:
        """See ``Store.open``."""
        self._closed = False

    async def close(self) -> None:
        """See ``Store.close``."""
        self._closed = True
        for kept in (self._browsers, self._open, self._over, self._seen, self._owing, self._sign_ins):
            kept.clear()
        for times in (self._browsers_due, self._over_due, self._seen_due):
            times.clear()

    async def ping(self) -> None:
        """See ``Store.ping``."""
        self._check()

    async def counts(self) -> Counts:
        """See ``Store.counts``."""
        self._check()
        return Counts(walks=len(self._open), owed=len(self._owing))

    async def take_epoch(self, browser: bytes, now_ms: int, *, logout: bool) -> int:
        """See ``Walks.take_epoch``."""
        self._check()
        self._forget(now_ms // 1000)
        return self._known(browser, 0).next_epoch(now_ms, logout=logout)

    async def login_epoch(self, browser: bytes, now_ms: int, since_ms: int) -> int | None:
        """See ``Walks.login_epoch``."""
        self._check()
        known = self._browsers.get(browser)
        if known is not None and known.signed_out_ms >= since_ms:
            return None
        return await self.take_epoch(browser, now_ms, logout=False)

    async def open_walk(self, walk: StoredWalk, ledger: Sequence[Entry], op_session: OpRecord | None) -> None:
        """See ``Walks.open_walk``."""
        self._check()
        known = self._known(walk.browser, walk.epoch)
        if op_session is not None and known.takes(walk.epoch):
            self._sign_ins.put(walk.browser, known.op, op_session)
            known.op, known.op_epoch, known.someone = op_session, walk.epoch, True
        self._take(walk.browser, known, ledger)
        if walk.id not in self._open and walk.id not in self._over:
            self._write(known, walk)
        if len(known.walks) > OPEN_WALKS:
            oldest_first = sorted((self._open[walk_id] for walk_id in known.walks), key=lambda each: each.epoch)
            for surplus in oldest_first[:-OPEN_WALKS]:
                self._write(known, surplus._replace(stopped=True))

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        """See ``Walks.advance``."""
        self._check()
        stored = self._open.get(walk.id) or self._over.get(walk.id)
        if stored is not None and stored.ended:
            return Replayed(stored)
        known = self._known(walk.browser, walk.epoch)
        if walk.epoch < known.epoch:
            self._take(walk.browser, known, ledger)
            if stored is not None and stored.open:
                self._write(known, stored._replace(stopped=True))
            return Superseded(known.epoch)
        if stored is not None and (stored.stopped or stored.nonce != spent):
            return Replayed(stored)
        self._take(walk.browser, known, ledger)
        self._write(known, walk)
        return Advanced()

    async def walk(self, walk_id: bytes) -> StoredWalk | None:
        """See ``Walks.walk``."""
        self._check()
        return self._open.get(walk_id) or self._over.get(walk_id)

    async def open_walks(self, browser: bytes, now: int) -> list[StoredWalk]:
        """See ``Walks.open_walks``."""
        self._check()
        known = self._browsers.get(browser)
        walks = [self._open[walk_id] for walk_id in known.walks] if known else []
        return sorted((w for w in walks if now < w.expires_at), key=lambda each: each.epoch, reverse=True)

    async def open_everywhere(self, limit: int) -> list[StoredWalk]:
        """See ``Walks.open_everywhere``."""
        self._check()
        return heapq.nsmallest(limit, self._open.values(), key=lambda walk: walk.hop_deadline)

    async def drop_walk(self, walk_id: bytes) -> bool:
        """See ``Walks.drop_walk``."""
        self._check()
        walk = self._open.get(walk_id)
        if walk is None:
            return False
        self._write(self._known(walk.browser, walk.epoch), walk._replace(stopped=True))
        return True

    async def sweep(self, now: int) -> list[StoredWalk]:
        """See ``Walks.sweep``."""
        self._check()
        self._forget(now)
        return [walk for walk in self._open.values() if walk.hop_deadline <= now or walk.expires_at <= now]

    async def browser(self, browser: bytes) -> Browser | None:
        """See ``Ledger.browser``."""
        self._check()
        known = self._browsers.get(browser)
        return None if known is None else known.as_browser(browser)

    async def note(self, browser: bytes, ledger: Sequence[Entry]) -> None:
        """See ``Ledger.note``."""
        self._check()
        if ledger:
            self._take(browser, self._known(browser, 0), ledger)

    async def owed(self, now: int, lease_until: int, limit: int) -> list[Owed]:
        """See ``Queue.owed``."""
        self._check()
        return self._owing.claim(now, lease_until, limit)

    async def defer(self, browser: bytes, app: str, epoch: int, due: int, attempts: int) -> bool:
        """See ``Queue.defer``."""
        self._check()
        return self._owing.defer(browser, app, epoch, due, attempts)

    async def all_owed(self, limit: int) -> list[Owed]:
        """See ``Queue.all_owed``."""
        self._check()
        return self._owing.all(limit)

    async def browsers_of(self, sub: str, sid: str) -> list[bytes]:
        """See ``SignIns.browsers_of``."""
        self._check()
        return self._sign_ins.find(sub, sid)

    async def clear_op(self, browser: bytes, epoch: int) -> None:
        """See ``SignIns.clear_op``."""
        self._check()
        known = self._browsers.get(browser)
        if known is not None and epoch >= known.op_epoch:
            known.epoch = max(known.epoch, epoch)
            self._sign_ins.put(browser, known.op, None)
            known.op, known.op_epoch = None, epoch

    async def once(self, label: str, key: str, until: int, now: int) -> bool:
        """See ``Memory.once``."""
        self._check()
        self._forget(now)
        if self._seen.get((label, key), now - 1) >= now:
            return False
        self._seen[label, key] = until
        self._seen_due.add(until, (label, key))
        return True

    def _check(self) -> None:
        if self._closed:
            raise StoreUnavailable("the store is closed")

    def _known(self, browser: bytes, epoch: int) -> Known:
        """What is known of a browser, which has at least this epoch; begun if there is nothing."""
        known = self._browsers.get(browser)
        if known is None:
            known = self._browsers[browser] = Known(epoch)
            self._browsers_due.add(epoch // 1000 + NOBODY_SECONDS, browser)
        elif epoch > known.epoch:
            known.epoch = epoch
        return known

    def _take(self, browser: bytes, known: Known, ledger: Sequence[Entry]) -> None:
        """Takes the entries that are newer than what stands."""
        for entry in ledger:
            known.epoch = max(known.epoch, entry.epoch)
            known.someone = known.someone or entry.of_somebody
            old = known.ledger.get(entry.app)
            if newer(old, entry):
                known.ledger[entry.app] = entry._replace(due=0, shown=False) if entry.due or entry.shown else entry
                self._owing.follow(browser, old, entry)

    def _write(self, known: Known, walk: StoredWalk) -> None:
        """Puts a walk where it belongs: among the open ones, or among those that wait to be forgotten."""
        if walk.open:
            if self._open.get(walk.id) is None:
                known.walks = (*known.walks, walk.id)
            self._open[walk.id] = walk
            return
        if self._open.pop(walk.id, None) is not None:
            known.walks = tuple(walk_id for walk_id in known.walks if walk_id != walk.id)
        self._over[walk.id] = walk
        self._over_due.add(walk.expires_at + WALK_SECONDS, walk.id)

    def _forget(self, now: int) -> None:
        """Lets go of what is past its time; what has been renewed meanwhile gets a new time."""
        for seen in self._seen_due.due(now):
            if self._seen.get(seen, now) < now:
                del self._seen[seen]
        for walk_id in self._over_due.due(now):
            self._over.pop(walk_id, None)
        for browser in self._browsers_due.due(now):
            at = self._browsers[browser].kept_until(now)
            if at >= now:
                self._browsers_due.add(at, browser)
            else:
                self._lose(browser)

    def _lose(self, browser: bytes) -> None:
        """Forgets a browser with everything of it."""
        known = self._browsers.pop(browser)
        self._sign_ins.put(browser, known.op, None)
        for app in known.ledger:
            self._owing.forget(browser, app)
        for walk_id in known.walks:
            del self._open[walk_id]
