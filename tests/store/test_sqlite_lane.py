"""The thread that writes: what shares a transaction, what is refused, and that one call never spoils another's."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator

import pytest

from chain_gateway.errors import StoreUnavailable
from chain_gateway.store.sqlite.lane import BATCH, WAITING, Lane


class Opened:
    """A lane on a table in memory that writes down the transactions it makes."""

    def __init__(self, *, answer_seconds: float = 5.0) -> None:
        self.statements: list[str] = []
        self.lane = Lane(self.connect, where="here", transactions=True, answer_seconds=answer_seconds)

    def connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        connection.execute("CREATE TABLE t (n INTEGER NOT NULL UNIQUE)")
        connection.set_trace_callback(self.statements.append)
        return connection

    @property
    def commits(self) -> int:
        return self.statements.count("COMMIT")


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    """One that runs until the test ends."""
    opened = Opened()
    await opened.lane.start()
    yield opened
    await opened.lane.stop()


def insert(connection: sqlite3.Connection, n: int | None) -> int | None:
    connection.execute("INSERT INTO t VALUES (?)", (n,))
    return n


def numbers(connection: sqlite3.Connection) -> list[int]:
    return [n for (n,) in connection.execute("SELECT n FROM t ORDER BY n")]


def block(_: sqlite3.Connection, until: threading.Event) -> None:
    until.wait()


async def test_calls_of_one_turn_share_a_transaction(opened: Opened) -> None:
    """As many calls as fit into a batch make one commit, and each gets its own answer."""
    answers = await asyncio.gather(*(opened.lane.run(insert, n) for n in range(BATCH)))
    assert answers == list(range(BATCH))
    assert opened.commits == 1


async def test_calls_that_come_meanwhile_share_the_next(opened: Opened) -> None:
    """What comes while the thread is at work is taken together when it has finished."""
    until = threading.Event()
    first = asyncio.ensure_future(opened.lane.run(block, until))
    await asyncio.sleep(0)
    others = [asyncio.ensure_future(opened.lane.run(insert, n)) for n in range(20)]
    await asyncio.sleep(0)
    until.set()
    await asyncio.gather(first, *others)
    assert opened.commits == 2


async def test_a_failing_call_spoils_no_other(opened: Opened) -> None:
    """One of a batch that SQLite refuses is refused; the others are done, and done once."""
    calls = [opened.lane.run(insert, n) for n in (1, 2, None, 2, 3)]
    one, two, null, twice, three = await asyncio.gather(*calls, return_exceptions=True)
    assert (one, two, three) == (1, 2, 3)
    assert isinstance(null, StoreUnavailable)
    assert null.detail == "here: NOT NULL constraint failed: t.n (SQLITE_CONSTRAINT_NOTNULL)"
    assert isinstance(twice, StoreUnavailable)
    assert isinstance(twice.__cause__, sqlite3.IntegrityError)
    assert await opened.lane.run(numbers) == [1, 2, 3]


async def test_a_mistake_of_ours_does_not_end_the_thread(opened: Opened) -> None:
    """Whatever a call raises, it is refused in the one way, and the next is served."""
    with pytest.raises(StoreUnavailable, match="OverflowError"):
        await opened.lane.run(insert, 2**70)
    with pytest.raises(StoreUnavailable, match="here: ZeroDivisionError"):
        await opened.lane.run(lambda _: 1 // 0)
    assert await opened.lane.run(insert, 1) == 1


async def test_too_many_calls_are_refused_at_once(opened: Opened) -> None:
    """Beyond a bound the queue takes nothing more, and what it has taken is served."""
    until = threading.Event()
    first = asyncio.ensure_future(opened.lane.run(block, until))
    await asyncio.sleep(0)
    waiting = [asyncio.ensure_future(opened.lane.run(insert, n)) for n in range(WAITING)]
    await asyncio.sleep(0)
    beyond = asyncio.ensure_future(opened.lane.run(insert, -1))
    await asyncio.sleep(0)
    at_once = beyond.done()
    until.set()
    with pytest.raises(StoreUnavailable, match=f"{WAITING} calls are waiting already"):
        await beyond
    assert at_once
    await asyncio.gather(first, *waiting)
    assert await opened.lane.run(numbers) == list(range(WAITING))


async def test_a_thread_that_hangs_keeps_nobody_waiting() -> None:
    """A call that is not answered in time is refused; the thread goes on when it can."""
    opened = Opened(answer_seconds=0.05)
    await opened.lane.start()
    until = threading.Event()
    calls = [opened.lane.run(block, until), opened.lane.run(insert, 1)]
    for answer in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(answer, StoreUnavailable)
        assert answer.detail == "here: no answer in time"
    until.set()
    await opened.lane.stop()


async def test_closing_waits_no_longer_than_a_call() -> None:
    """A thread that hangs does not keep the gateway from ending."""
    opened = Opened(answer_seconds=0.05)
    await opened.lane.start()
    until = threading.Event()
    with pytest.raises(StoreUnavailable):
        await opened.lane.run(block, until)
    await opened.lane.stop()
    until.set()


async def test_a_caller_that_leaves_takes_nobody_along(opened: Opened) -> None:
    """A call that is cancelled does not disturb those in its batch."""
    gone, stays = (asyncio.ensure_future(opened.lane.run(insert, n)) for n in (1, 2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == 2
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await opened.lane.run(insert, 3) == 3


async def test_closing_serves_what_waits(opened: Opened) -> None:
    """What was called before the end is done; what is called after it is refused."""
    calls = [asyncio.ensure_future(opened.lane.run(insert, n)) for n in range(BATCH * 3)]
    await asyncio.sleep(0)
    await opened.lane.stop()
    assert await asyncio.gather(*calls) == list(range(BATCH * 3))
    with pytest.raises(StoreUnavailable, match="here: not open"):
        await opened.lane.run(insert, -1)


async def test_a_start_that_is_given_up_leaves_no_thread() -> None:
    """A lane whose start is cancelled ends its thread by itself."""
    until = threading.Event()
    lane = Lane(lambda: until.wait() and sqlite3.connect(":memory:"), where="given up", transactions=True)
    start = asyncio.ensure_future(lane.start())
    await asyncio.sleep(0)
    (thread,) = (each for each in threading.enumerate() if each.name == "given up")
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    until.set()
    await asyncio.to_thread(thread.join, 5)
    assert not thread.is_alive()


def test_a_loop_that_ends_without_a_word_ends_the_thread() -> None:
    """Where nobody closed the lane, the thread ends with the next answer that it cannot deliver, quietly."""
    until = threading.Event()
    opened = Opened()

    async def leave() -> None:
        await opened.lane.start()
        asyncio.ensure_future(opened.lane.run(block, until))  # noqa: RUF006 - it is to be left behind
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(leave())
    (thread,) = (each for each in threading.enumerate() if each.name == "here")
    until.set()
    thread.join(5)
    assert not thread.is_alive()
