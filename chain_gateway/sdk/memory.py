"""What an app remembers besides its cookies: which tickets it has applied, and which sessions were ended from afar.

The port is small. A memory belongs to one app, and an app with several processes gives one that they share. Two are
here: one in the process, and one in an SQLite file. Both are bounded, and neither has a clock: times are whole seconds
and are passed in. Nothing is ever remembered for a stranger, as each entry belongs to a message that the gateway
signed.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar

from chain_gateway.errors import StoreUnavailable

ENTRIES: Final = 100_000
"""How many entries of each sort are kept; past that nothing new is taken until old ones have run out."""
BUSY_SECONDS: Final = 5
"""How long an SQLite memory waits for another process that writes."""
_SWEEP_SECONDS: Final = 60
_T = TypeVar("_T")


class Memory(Protocol):
    """The port. Every method raises StoreUnavailable where the backend is out of reach or full."""

    async def first(self, key: str, value: str, until: int, now: int) -> str | None:
        """None if ``key`` is new: it now stands for ``value`` until ``until``. Else the value that it stood for.

        Of any number of concurrent calls with one key, exactly one gets None.
        """

    async def revoke(self, sid: str, epoch: int, until: int, now: int) -> None:
        """Ends the sessions of ``sid`` up to ``epoch``; the highest epoch ever named for it stands."""

    async def revoked(self, sid: str, now: int) -> int | None:
        """The epoch up to which sessions of ``sid`` are ended, or None."""

    async def close(self) -> None:
        """Lets go of files and threads."""


@dataclass(frozen=True, slots=True)
class _Entry:
    value: str
    until: int


@dataclass(frozen=True, slots=True)
class _Revoked:
    epoch: int
    until: int


class InProcessMemory:
    """For an app of one process. A restart forgets which sessions were ended from afar, so prefer ``SqliteMemory``.

    >>> memory = InProcessMemory()
    >>> asyncio.run(memory.first("jti-1", "applied", until=60, now=0)) is None
    True
    >>> asyncio.run(memory.first("jti-1", "stale", until=60, now=1))
    'applied'
    """

    def __init__(self, entries: int = ENTRIES) -> None:
        """``entries`` bounds each of the two tables."""
        self._bound = entries
        self._seen: dict[str, _Entry] = {}
        self._ended: dict[str, _Revoked] = {}
        self._swept = 0

    async def first(self, key: str, value: str, until: int, now: int) -> str | None:
        """See ``Memory``."""
        self._sweep(now)
        known = self._seen.get(key)
        if known is not None and known.until > now:
            return known.value
        if len(self._seen) >= self._bound:
            raise _full(self._bound)
        self._seen[key] = _Entry(value, until)
        return None

    async def revoke(self, sid: str, epoch: int, until: int, now: int) -> None:
        """See ``Memory``."""
        self._sweep(now)
        known = self._ended.get(sid)
        if known is None:
            if len(self._ended) >= self._bound:
                raise _full(self._bound)
            known = _Revoked(epoch, until)
        self._ended[sid] = _Revoked(max(epoch, known.epoch), max(until, known.until))

    async def revoked(self, sid: str, now: int) -> int | None:
        """See ``Memory``."""
        known = self._ended.get(sid)
        return None if known is None or known.until <= now else known.epoch

    async def close(self) -> None:
        """Nothing to let go of."""

    def _sweep(self, now: int) -> None:
        """Forgets what has run out: once a minute, and whenever a table is full."""
        if now - self._swept < _SWEEP_SECONDS and max(len(self._seen), len(self._ended)) < self._bound:
            return
        self._swept = now
        self._seen = {key: entry for key, entry in self._seen.items() if entry.until > now}
        self._ended = {sid: entry for sid, entry in self._ended.items() if entry.until > now}


_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS seen (key TEXT PRIMARY KEY, value TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ended (sid TEXT PRIMARY KEY, epoch INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_until ON seen (until);
CREATE INDEX IF NOT EXISTS ended_until ON ended (until);
"""


class SqliteMemory:
    """In one file, for an app whose processes share a disk; what was acknowledged survives a crash."""

    def __init__(self, path: Path | str, entries: int = ENTRIES) -> None:
        """``path`` is made where it is missing; ``entries`` bounds each of the two tables."""
        self._path = str(path)
        self._bound = entries
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="chain-memory")
        self._db: sqlite3.Connection | None = None

    async def first(self, key: str, value: str, until: int, now: int) -> str | None:
        """See ``Memory``."""

        def insert(db: sqlite3.Connection) -> str | None:
            row = db.execute("SELECT value FROM seen WHERE key = ? AND until > ?", (key, now)).fetchone()
            if row is not None:
                return str(row[0])
            self._make_room(db, "seen", now)
            db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (key, value, until))
            return None

        return await self._change(insert)

    async def revoke(self, sid: str, epoch: int, until: int, now: int) -> None:
        """See ``Memory``."""

        def raise_epoch(db: sqlite3.Connection) -> None:
            known = db.execute(
                "UPDATE ended SET epoch = max(epoch, ?), until = max(until, ?) WHERE sid = ?", (epoch, until, sid)
            )
            if not known.rowcount:
                self._make_room(db, "ended", now)
                db.execute("INSERT INTO ended VALUES (?, ?, ?)", (sid, epoch, until))

        await self._change(raise_epoch)

    async def revoked(self, sid: str, now: int) -> int | None:
        """See ``Memory``."""

        def select(db: sqlite3.Connection) -> int | None:
            row = db.execute("SELECT epoch FROM ended WHERE sid = ? AND until > ?", (sid, now)).fetchone()
            return None if row is None else int(row[0])

        return await self._run(select)

    async def close(self) -> None:
        """Closes the file after what is under way."""
        if self._db is not None:
            await self._run(sqlite3.Connection.close)
            self._db = None
        self._thread.shutdown()

    def _make_room(self, db: sqlite3.Connection, table: str, now: int) -> None:
        """Forgets what has run out; StoreUnavailable where what still counts fills the table."""
        db.execute(f"DELETE FROM {table} WHERE until <= ?", (now,))  # noqa: S608  (one of two literals)
        (count,) = db.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608  (the same)
        if count >= self._bound:
            raise _full(self._bound)

    async def _change(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """``work`` in one write transaction, which no other process can come between."""

        def transact(db: sqlite3.Connection) -> _T:
            with db:
                db.execute("BEGIN IMMEDIATE")
                return work(db)

        return await self._run(transact)

    async def _run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """``work`` on the connection, in the one thread that owns it."""

        def guarded() -> _T:
            try:
                return work(self._connection())
            except sqlite3.Error as error:
                raise StoreUnavailable(f"sqlite: {error}") from error

        return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)

    def _connection(self) -> sqlite3.Connection:
        """The connection, opened at the first use."""
        if self._db is None:
            db = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = FULL")
                db.executescript(_SCHEMA)
            except sqlite3.Error:
                db.close()
                raise
            self._db = db
        return self._db


def _full(bound: int) -> StoreUnavailable:
    return StoreUnavailable(f"the memory is full: {bound} entries that still count")
