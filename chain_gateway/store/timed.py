"""A store that tells how long it took: the same store, with a stopwatch around each call."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from chain_gateway.core.ledger import Browser, Entry, OpRecord
from chain_gateway.store.base import Counts, Owed, Step, Store, StoredWalk

Observe = Callable[[str, float], None]
T = TypeVar("T")


class TimedStore:
    """``store.base.Store`` over another one; ``observe`` is told each call's name and its seconds."""

    def __init__(self, store: Store, observe: Observe) -> None:
        """What ``store`` raises is raised, and timed too."""
        self._store = store
        self._observe = observe

    async def _timed(self, call: str, answer: Awaitable[T]) -> T:
        began = time.perf_counter()
        try:
            return await answer
        finally:
            self._observe(call, time.perf_counter() - began)

    async def take_epoch(self, browser: bytes, now_ms: int, *, logout: bool) -> int:
        """See ``Walks.take_epoch``."""
        return await self._timed("take_epoch", self._store.take_epoch(browser, now_ms, logout=logout))

    async def login_epoch(self, browser: bytes, now_ms: int, since_ms: int) -> int | None:
        """See ``Walks.login_epoch``."""
        return await self._timed("login_epoch", self._store.login_epoch(browser, now_ms, since_ms))

    async def open_walk(self, walk: StoredWalk, ledger: Sequence[Entry], op_session: OpRecord | None) -> None:
        """See ``Walks.open_walk``."""
        await self._timed("open_walk", self._store.open_walk(walk, ledger, op_session))

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        """See ``Walks.advance``."""
        return await self._timed("advance", self._store.advance(walk, spent, ledger))

    async def walk(self, walk_id: bytes) -> StoredWalk | None:
        """See ``Walks.walk``."""
        return await self._timed("walk", self._store.walk(walk_id))

    async def open_walks(self, browser: bytes, now: int) -> list[StoredWalk]:
        """See ``Walks.open_walks``."""
        return await self._timed("open_walks", self._store.open_walks(browser, now))

    async def open_everywhere(self, limit: int) -> list[StoredWalk]:
        """See ``Walks.open_everywhere``."""
        return await self._timed("open_everywhere", self._store.open_everywhere(limit))

    async def drop_walk(self, walk_id: bytes) -> bool:
        """See ``Walks.drop_walk``."""
        return await self._timed("drop_walk", self._store.drop_walk(walk_id))

    async def sweep(self, now: int) -> list[StoredWalk]:
        """See ``Walks.sweep``."""
        return await self._timed("sweep", self._store.sweep(now))

    async def browser(self, browser: bytes) -> Browser | None:
        """See ``Ledger.browser``."""
        return await self._timed("browser", self._store.browser(browser))

    async def note(self, browser: bytes, ledger: Sequence[Entry]) -> None:
        """See ``Ledger.note``."""
        await self._timed("note", self._store.note(browser, ledger))

    async def owed(self, now: int, lease_until: int, limit: int) -> list[Owed]:
        """See ``Queue.owed``."""
        return await self._timed("owed", self._store.owed(now, lease_until, limit))

    async def defer(self, browser: bytes, app: str, epoch: int, due: int, attempts: int) -> bool:
        """See ``Queue.defer``."""
        return await self._timed("defer", self._store.defer(browser, app, epoch, due, attempts))

    async def all_owed(self, limit: int) -> list[Owed]:
        """See ``Queue.all_owed``."""
        return await self._timed("all_owed", self._store.all_owed(limit))

    async def browsers_of(self, sub: str, sid: str) -> list[bytes]:
        """See ``SignIns.browsers_of``."""
        return await self._timed("browsers_of", self._store.browsers_of(sub, sid))

    async def clear_op(self, browser: bytes, epoch: int) -> None:
        """See ``SignIns.clear_op``."""
        await self._timed("clear_op", self._store.clear_op(browser, epoch))

    async def once(self, label: str, key: str, until: int, now: int) -> bool:
        """See ``Memory.once``."""
        return await self._timed("once", self._store.once(label, key, until, now))

    async def open(self) -> None:
        """See ``Store.open``."""
        await self._timed("open", self._store.open())

    async def close(self) -> None:
        """See ``Store.close``."""
        await self._timed("close", self._store.close())

    async def counts(self) -> Counts:
        """See ``Store.counts``."""
        return await self._timed("counts", self._store.counts())

    async def ping(self) -> None:
        """See ``Store.ping``."""
        await self._timed("ping", self._store.ping())
