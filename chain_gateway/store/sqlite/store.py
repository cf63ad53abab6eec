"""The port, on two lanes: one that writes, and one beside it that reads what is committed."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from chain_gateway.core.ledger import Browser, Entry, OpRecord
from chain_gateway.errors import StoreUnavailable
from chain_gateway.store.base import Counts, Owed, Step, StoredWalk
from chain_gateway.store.sqlite import entries, op_records, past, reads, writes
from chain_gateway.store.sqlite.connection import Synchronous, connect_to_read, connect_to_write
from chain_gateway.store.sqlite.lane import Lane


class SqliteStore:
    """``store.base.Store`` in the file ``path``."""

    def __init__(self, path: Path, *, synchronous: Synchronous = Synchronous.NORMAL) -> None:
        """``path`` is made if it is missing, its folder is not; see ``connection`` for ``synchronous``."""
        self._path = path
        self._synchronous = synchronous
        self._writer, self._reader = self._lanes()

    def _lanes(self) -> tuple[Lane, Lane]:
        to_write = functools.partial(connect_to_write, self._path, self._synchronous)
        to_read = functools.partial(connect_to_read, self._path, self._synchronous)
        where = str(self._path)
        return Lane(to_write, where=where, transactions=True), Lane(to_read, where=where, transactions=False)

    async def open(self) -> None:
        """See ``Store.open``; a store that was closed may be opened again."""
        await self.close()
        self._writer, self._reader = self._lanes()
        try:
            await self._writer.start()
            await self._reader.start()
        except StoreUnavailable:
            await self.close()
            raise

    async def close(self) -> None:
        """See ``Store.close``; the writer goes last, and takes the log into the file."""
        await self._reader.stop()
        await self._writer.stop()

    async def ping(self) -> None:
        """See ``Store.ping``."""
        await self._writer.run(writes.ping)
        await self._reader.run(reads.ping)

    async def counts(self) -> Counts:
        """See ``Store.counts``."""
        return await self._reader.run(reads.counts)

    async def take_epoch(self, browser: bytes, now_ms: int, *, logout: bool) -> int:
        """See ``Walks.take_epoch``."""
        return await self._writer.run(writes.take_epoch, browser, now_ms, logout=logout)

    async def login_epoch(self, browser: bytes, now_ms: int, since_ms: int) -> int | None:
        """See ``Walks.login_epoch``."""
        return await self._writer.run(writes.login_epoch, browser, now_ms, since_ms)

    async def open_walk(self, walk: StoredWalk, ledger: Sequence[Entry], op_session: OpRecord | None) -> None:
        """See ``Walks.open_walk``."""
        await self._writer.run(writes.open_walk, walk, ledger, op_session)

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        """See ``Walks.advance``."""
        return await self._writer.run(writes.advance, walk, spent, ledger)

    async def walk(self, walk_id: bytes) -> StoredWalk | None:
        """See ``Walks.walk``."""
        return await self._reader.run(reads.walk, walk_id)

    async def open_walks(self, browser: bytes, now: int) -> list[StoredWalk]:
        """See ``Walks.open_walks``."""
        return await self._reader.run(reads.open_walks, browser, now)

    async def open_everywhere(self, limit: int) -> list[StoredWalk]:
        """See ``Walks.open_everywhere``."""
        return await self._reader.run(reads.open_everywhere, limit)

    async def drop_walk(self, walk_id: bytes) -> bool:
        """See ``Walks.drop_walk``."""
        return await self._writer.run(writes.drop_walk, walk_id)

    async def sweep(self, now: int) -> list[StoredWalk]:
        """See ``Walks.sweep``; what is past is forgotten in shares, between which others write."""
        while await self._writer.run(past.forget, now):
            pass
        overdue = await self._reader.run(reads.overdue, now)
        await self._reader.run(reads.checkpoint)
        return overdue

    async def browser(self, browser: bytes) -> Browser | None:
        """See ``Ledger.browser``."""
        return await self._reader.run(reads.browser, browser)

    async def note(self, browser: bytes, ledger: Sequence[Entry]) -> None:
        """See ``Ledger.note``."""
        await self._writer.run(entries.note, browser, ledger)

    async def owed(self, now: int, lease_until: int, limit: int) -> list[Owed]:
        """See ``Queue.owed``."""
        return await self._writer.run(entries.claim, now, lease_until, limit)

    async def defer(self, browser: bytes, app: str, epoch: int, due: int, attempts: int) -> bool:
        """See ``Queue.defer``."""
        return await self._writer.run(entries.defer, browser, app, epoch, due, attempts)

    async def all_owed(self, limit: int) -> list[Owed]:
        """See ``Queue.all_owed``."""
        return await self._reader.run(reads.owed, limit)

    async def browsers_of(self, sub: str, sid: str) -> list[bytes]:
        """See ``SignIns.browsers_of``."""
        return await self._reader.run(reads.browsers_of, sub, sid)

    async def clear_op(self, browser: bytes, epoch: int) -> None:
        """See ``SignIns.clear_op``."""
        await self._writer.run(op_records.clear_op, browser, epoch)

    async def once(self, label: str, key: str, until: int, now: int) -> bool:
        """See ``Memory.once``."""
        return await self._writer.run(writes.once, label, key, until, now)
