"""One connection in a thread of its own, which takes whatever waits into one transaction.

A commit costs more than the work in it, so the calls of one turn of the event loop, and those that come while the
thread is at work, share the next transaction. There is no window of waiting: a call that comes alone is served alone.
The answers of a batch go back to the loop in one wake-up, after the commit; the next batch is handed over when the
callers have taken their next step, so that loop and thread take turns instead of fighting for the interpreter.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Concatenate, Generic, ParamSpec, Protocol, TypeVar

from chain_gateway.errors import StoreUnavailable

P = ParamSpec("P")
T = TypeVar("T")

WAITING = 1024
"""Calls that may wait; one more is refused, as it could not be answered in time."""
BATCH = 128
"""Calls that share a transaction: enough to make its cost vanish, few enough for the first one not to wait."""
ANSWER_SECONDS = 2.0
"""When a call counts as unanswered; what it asked for may still be done."""


class Job(Protocol):
    """What the lane knows of a call."""

    def perform(self, connection: sqlite3.Connection) -> None:
        """Does the work and keeps the result; in the thread."""

    def fail(self, error: Exception) -> None:
        """Keeps the refusal instead; in the thread."""

    def answer(self) -> None:
        """Hands over what was kept; in the event loop."""


class Call(Generic[T]):
    """Work on the connection, what came of it, and the future at which it is awaited."""

    __slots__ = ("_error", "_result", "_where", "_work", "future")

    def __init__(self, where: str, future: asyncio.Future[T], work: Callable[[sqlite3.Connection], T]) -> None:
        """``where`` opens each refusal."""
        self.future = future
        self._where = where
        self._work = work
        self._error: StoreUnavailable | None = None

    def perform(self, connection: sqlite3.Connection) -> None:
        """See ``Job``."""
        self._result = self._work(connection)
        self._error = None

    def fail(self, error: Exception) -> None:
        """See ``Job``."""
        self._error = refusal(self._where, error)

    def answer(self) -> None:
        """See ``Job``; a caller that has gone, or has waited too long, gets nothing."""
        if self.future.done():
            return
        if self._error is None:
            self.future.set_result(self._result)
        else:
            self.future.set_exception(self._error)

    def expire(self) -> None:
        """Ends the waiting."""
        if not self.future.done():
            self.future.set_exception(StoreUnavailable(f"{self._where}: no answer in time"))


class Lane:
    """The thread and its connection; belongs to the event loop that starts it, and starts once."""

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        *,
        where: str,
        transactions: bool,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        """``connect`` is called in the thread, ``where`` opens each refusal.

        ``transactions`` makes one transaction of each batch; without it each call is for itself.
        """
        self._answer_seconds = answer_seconds
        self._connect = connect
        self._where = where
        self._transactions = transactions
        self._batches: queue.SimpleQueue[list[Job] | None] = queue.SimpleQueue()
        self._waiting: list[Job] = []
        self._at_work = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Opens the connection; raises StoreUnavailable."""
        loop = asyncio.get_running_loop()
        opening: Call[None] = Call(self._where, loop.create_future(), lambda _: None)
        self._ended = loop.create_future()
        life = (loop, opening, self._ended)
        threading.Thread(target=self._live, args=life, name=self._where, daemon=True).start()
        try:
            await opening.future
        except BaseException:
            self._batches.put(None)
            raise
        self._loop = loop

    async def stop(self) -> None:
        """Serves what waits, closes the connection and ends the thread; does nothing if it is not there."""
        if self._loop is None or self._ended is None:
            return
        self._loop = None
        self._batches.put(self._waiting)
        self._waiting = []
        self._batches.put(None)
        await asyncio.wait((self._ended,), timeout=self._answer_seconds)

    async def run(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of ``work(connection, …)``, once it is committed; raises StoreUnavailable."""
        loop = self._loop
        if loop is None:
            raise StoreUnavailable(f"{self._where}: not open")
        if len(self._waiting) >= WAITING:
            raise StoreUnavailable(f"{self._where}: {WAITING} calls are waiting already")
        call: Call[T] = Call(self._where, loop.create_future(), lambda connection: work(connection, *args, **kwargs))
        self._waiting.append(call)
        if not self._at_work:
            self._at_work = True
            loop.call_soon(self._hand_over)
        timer = loop.call_later(self._answer_seconds, call.expire)
        try:
            return await call.future
        finally:
            timer.cancel()

    def _hand_over(self) -> None:
        """Gives the thread what has gathered, if anything."""
        batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        self._at_work = bool(batch)
        if batch:
            self._batches.put(batch)

    def _answer(self, batch: Sequence[Job]) -> None:
        """Wakes the callers of a batch, and has the next one handed over after they have taken their next step."""
        for job in batch:
            job.answer()
        if self._loop is not None:
            self._loop.call_soon(self._hand_over)

    def _live(self, loop: asyncio.AbstractEventLoop, opening: Job, ended: asyncio.Future[None]) -> None:
        """The life of the thread, until None comes or the loop has gone without a word."""
        with contextlib.suppress(RuntimeError):  # what call_soon_threadsafe raises for a closed loop
            try:
                connection = self._connect()
                opening.perform(connection)
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller waits for an answer
                opening.fail(error)
                loop.call_soon_threadsafe(opening.answer)
                return
            with contextlib.closing(connection):
                loop.call_soon_threadsafe(opening.answer)
                while (batch := self._batches.get()) is not None:
                    perform(connection, batch, transactions=self._transactions)
                    loop.call_soon_threadsafe(self._answer, batch)
            loop.call_soon_threadsafe(ended.set_result, None)


def perform(connection: sqlite3.Connection, batch: Sequence[Job], *, transactions: bool) -> None:
    """Does a batch as one transaction; if one of it spoils that, each again by itself."""
    try:
        if transactions:
            _commit(connection, batch)
        else:
            _each(connection, batch)
    except Exception as error:  # noqa: BLE001 - a thread that dies answers nobody
        if len(batch) == 1 or _locked(error):
            for job in batch:
                job.fail(error)
            return
        for job in batch:
            perform(connection, [job], transactions=transactions)


def _commit(connection: sqlite3.Connection, batch: Sequence[Job]) -> None:
    """The batch, whole or not at all; raises what SQLite raises."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        _each(connection, batch)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:  # else a full disk has rolled back already
            connection.execute("ROLLBACK")


def _each(connection: sqlite3.Connection, batch: Sequence[Job]) -> None:
    for job in batch:
        job.perform(connection)


def _locked(error: Exception) -> bool:
    """Whether another process holds the file, so that trying again one by one would only wait longer."""
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def refusal(where: str, error: Exception) -> StoreUnavailable:
    """The one exception that leaves a store, with the cause inside."""
    if isinstance(error, StoreUnavailable):
        reason = error.detail
    elif isinstance(error, sqlite3.Error) and hasattr(error, "sqlite_errorname"):
        reason = f"{error} ({error.sqlite_errorname})"
    else:
        reason = f"{type(error).__name__}: {error}"
    refused = StoreUnavailable(f"{where}: {reason}")
    refused.__cause__ = error
    return refused
