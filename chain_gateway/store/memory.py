"""The store in memory, for one process: tests, demonstrations, and a gateway that may forget at a restart.

Each method runs through without an ``await``, so the event loop itself makes it one change. What is past its time goes
at each sweep, and at each epoch that is taken, as every walk begins with one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from chain_gateway.core.ledger import Browser, Entry, newer
from chain_gateway.core.limits import BROWSER_SECONDS, OPEN_WALKS, WALK_SECONDS
from chain_gateway.errors import StoreUnavailable
from chain_gateway.store.base import Advanced, Replayed, Step, StoredWalk, Superseded
from chain_gateway.store.timetable import Timetable


@dataclass(slots=True)
class _Known:
    """What is kept of one browser: ``walks`` are the ids of its open ones, ``op_epoch`` the epoch of ``op_session``."""

    epoch: int
    signed_out_ms: int = 0
    op_session: bytes = b""
    op_epoch: int = 0
    ledger: dict[str, Entry] = field(default_factory=dict)
    walks: tuple[bytes, ...] = ()

    def take(self, ledger: Sequence[Entry]) -> None:
        """Takes the entries that are newer than what stands."""
        for entry in ledger:
            self.epoch = max(self.epoch, entry.epoch)
            if newer(self.ledger.get(entry.app), entry):
                self.ledger[entry.app] = entry


class MemoryStore:
    """``store.base.Store`` in dictionaries, ready as soon as it is made; closing it forgets everything."""

    def __init__(self) -> None:
        self._closed = False
        self._browsers: dict[bytes, _Known] = {}
        self._open: dict[bytes, StoredWalk] = {}
        self._ended: dict[bytes, StoredWalk] = {}
        self._seen: dict[tuple[str, str], int] = {}
        self._browsers_due = Timetable[bytes]()
        self._ended_due = Timetable[bytes]()
        self._seen_due = Timetable[tuple[str, str]]()

    async def open(self) -> None:
        """See ``Store.open``."""
        self._closed = False

    async def close(self) -> None:
        """See ``Store.close``."""
        self._closed = True
        for kept in (self._browsers, self._open, self._ended, self._seen):
            kept.clear()
        for times in (self._browsers_due, self._ended_due, self._seen_due):
            times.clear()

    async def ping(self) -> None:
        """See ``Store.ping``."""
        self._check()

    async def take_epoch(self, browser: bytes, now_ms: int, *, logout: bool) -> int:
        """See ``Store.take_epoch``."""
        self._check()
        self._forget(now_ms // 1000)
        known = self._known(browser, 0)
        known.epoch = max(known.epoch + 1, now_ms)
        if logout:
            known.signed_out_ms = max(known.signed_out_ms, now_ms)
        return known.epoch

    async def open_walk(self, walk: StoredWalk, ledger: Sequence[Entry], op_session: bytes | None) -> None:
        """See ``Store.open_walk``."""
        self._check()
        known = self._known(walk.browser, walk.epoch)
        if op_session is not None and walk.epoch >= known.op_epoch:
            known.op_session, known.op_epoch = op_session, walk.epoch
        known.take(ledger)
        if walk.id not in self._open and walk.id not in self._ended:
            self._write(known, walk)
        if len(known.walks) > OPEN_WALKS:
            oldest_first = sorted((self._open[walk_id] for walk_id in known.walks), key=lambda each: each.epoch)
            for surplus in oldest_first[:-OPEN_WALKS]:
                self._write(known, replace(surplus, ended=True))

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        """See ``Store.advance``."""
        self._check()
        known = self._known(walk.browser, walk.epoch)
        stored = self._open.get(walk.id)
        if walk.epoch < known.epoch:
            known.take(ledger)
            if stored is not None:
                self._write(known, replace(stored, ended=True))
            return Superseded(known.epoch)
        if stored is None:
            stored = self._ended.get(walk.id)
        if stored is not None and (stored.ended or stored.nonce != spent):
            return Replayed(stored)
        known.take(ledger)
        self._write(known, walk)
        return Advanced()

    async def note(self, browser: bytes, ledger: Sequence[Entry]) -> None:
        """See ``Store.note``."""
        self._check()
        if ledger:
            self._known(browser, 0).take(ledger)

    async def walk(self, walk_id: bytes) -> StoredWalk | None:
        """See ``Store.walk``."""
        self._check()
        return self._open.get(walk_id) or self._ended.get(walk_id)

    async def open_walks(self, browser: bytes, now: int) -> list[StoredWalk]:
        """See ``Store.open_walks``."""
        self._check()
        known = self._browsers.get(browser)
        walks = [self._open[walk_id] for walk_id in known.walks] if known else []
        return sorted((w for w in walks if now < w.expires_at), key=lambda each: each.epoch, reverse=True)

    async def browser(self, browser: bytes) -> Browser | None:
        """See ``Store.browser``."""
        self._check()
        known = self._browsers.get(browser)
        if known is None:
            return None
        return Browser(browser, known.epoch, known.signed_out_ms, known.op_session, dict(known.ledger))

    async def once(self, label: str, key: str, until: int, now: int) -> bool:
        """See ``Store.once``."""
        self._check()
        self._forget(now)
        if self._seen.get((label, key), now - 1) >= now:
            return False
        self._seen[label, key] = until
        self._seen_due.add(until, (label, key))
        return True

    async def sweep(self, now: int) -> list[StoredWalk]:
        """See ``Store.sweep``."""
        self._check()
        self._forget(now)
        return [walk for walk in self._open.values() if walk.hop_deadline <= now]

    def _check(self) -> None:
        if self._closed:
            raise StoreUnavailable("the store is closed")

    def _known(self, browser: bytes, epoch: int) -> _Known:
        """What is known of a browser, which has at least this epoch; begun if there is nothing."""
        known = self._browsers.get(browser)
        if known is None:
            known = self._browsers[browser] = _Known(epoch)
            self._browsers_due.add(epoch // 1000 + BROWSER_SECONDS, browser)
        elif epoch > known.epoch:
            known.epoch = epoch
        return known

    def _write(self, known: _Known, walk: StoredWalk) -> None:
        """Puts a walk where it belongs: among the open ones, or among those that wait to be forgotten."""
        if not walk.ended:
            if self._open.get(walk.id) is None:
                known.walks = (*known.walks, walk.id)
            self._open[walk.id] = walk
            return
        if self._open.pop(walk.id, None) is not None:
            known.walks = tuple(walk_id for walk_id in known.walks if walk_id != walk.id)
        self._ended[walk.id] = walk
        self._ended_due.add(walk.expires_at + WALK_SECONDS, walk.id)

    def _forget(self, now: int) -> None:
        """Lets go of what is past its time; what has been renewed meanwhile gets a new time."""
        for seen in self._seen_due.due(now):
            if self._seen.get(seen, now) < now:
                del self._seen[seen]
        for walk_id in self._ended_due.due(now):
            self._ended.pop(walk_id, None)
        for browser in self._browsers_due.due(now):
            known = self._browsers[browser]
            at = known.epoch // 1000 + BROWSER_SECONDS
            if at >= now:
                self._browsers_due.add(at, browser)
                continue
            del self._browsers[browser]
            for walk_id in known.walks:
                del self._open[walk_id]
