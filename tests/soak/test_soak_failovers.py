"""What a failover of Redis excuses in a soak: what came after the last moment that the replica surely had."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from soak_traces import BANK, BEFORE, OUT, SHOP, a_trace, broken

from bench.figures import MeasurementFailed
from bench.soak.checks import forgotten
from bench.soak.servers import MARK, Server, until
from bench.soak.trace import Held, Told


def test_what_redis_may_have_forgotten_is_counted_and_not_excused_twice() -> None:
    """A logout from the failover that no app has confirmed is counted; one that was told as confirmed is broken."""
    trace = a_trace()
    trace.held, trace.outages = [Held(1, BANK, BEFORE, "alice")], [(50.0, 51.0)]
    assert (broken(trace), forgotten(trace)) == (["newest_intention_wins"], 0)
    trace.told = [Told(1, "out", OUT, {SHOP: "applied", BANK: "timed_out"})]
    assert (broken(trace), forgotten(trace)) == ([], 1)
    trace.outages = [(50.01, 53.0)]
    assert (broken(trace), forgotten(trace)) == (["newest_intention_wins"], 0)


@asynccontextmanager
async def a_replica_that_stands_still(folder: Path) -> AsyncIterator[tuple[Server, int]]:
    """Its primary, and the process of the replica, which has all that was written and hears of nothing more."""
    primary, replica = Server(folder / "one"), Server(folder / "two")
    try:
        await primary.start()
        await replica.start(f"replicaof 127.0.0.1 {primary.port}")

        async def follows() -> bool:
            return bool(replica.ask("INFO", "replication")["master_link_status"] == "up")

        await until(follows, "the replica")
        await asyncio.to_thread(primary.copied)
        process = int(replica.ask("INFO", "server")["process_id"])
        os.kill(process, signal.SIGSTOP)
        yield primary, process
    finally:
        replica.kill()
        primary.kill()


@pytest.mark.redis
async def test_a_replica_that_lags_behind_is_no_ground_for_a_failover(tmp_path: Path) -> None:
    """Nothing is put down to a failover then: the run has failed. So it has where no replica follows."""
    async with a_replica_that_stands_still(tmp_path) as (primary, _):
        with pytest.raises(MeasurementFailed, match="had not caught up"):
            await asyncio.to_thread(primary.copied, 50)
    with pytest.raises(MeasurementFailed, match="did not answer"):
        primary.copied(50)


@pytest.mark.redis
async def test_a_failover_may_lose_what_came_after_the_mark_and_nothing_older(tmp_path: Path) -> None:
    """What is written while the replica is waited for is not sure to be there, however late its answer comes."""
    async with a_replica_that_stands_still(tmp_path) as (primary, process):
        primary.ask("DEL", MARK)
        before = time.time()
        copied = asyncio.create_task(asyncio.to_thread(primary.copied))
        await until(lambda: primary.says(1, "EXISTS", MARK), "the mark")
        written = time.time()
        os.kill(process, signal.SIGCONT)
        assert before <= await copied <= written
