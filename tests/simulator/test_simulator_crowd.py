"""Many walks at once, with a fault in one of ten hops: nobody becomes somebody else, all end, and nothing stays."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import time
import tracemalloc
from collections.abc import Iterator

import pytest
import structlog
from simulator_crowd import FAULTS, Client, Crowd
from simulator_world import NAMES

from chain_gateway.core.limits import BROWSER_SECONDS, OWED_SECONDS, WALK_SECONDS

WALKS = int(os.environ.get("SIMULATOR_WALKS", "1000"))
"""How many browsers walk at once; ``docs/simulator.md`` has the numbers of 10,000."""
SEED = 20240
SIGN_OUT = 4
"""One in so many signs out again."""
LEFT_OVER = 40_000
"""Bytes by which a wave may differ from the one before it."""
DAY = 24 * 3600


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """As the gateway is: its log has no lines below a warning's, which are of no use here."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield
    structlog.reset_defaults()


async def wave(crowd: Crowd, count: int) -> list[Client]:
    """So many browsers sign in at the same time, and some of those that came through sign out at the same time."""
    clients = [Client(crowd, number) for number in range(count)]
    await together(crowd, clients, Client.log_in)
    for client in clients:
        inside = await client.signed_in()
        assert set(inside.values()) <= {client.name}, "somebody else's session"
        assert client.end in {"back", "page", "left"}
        assert client.end != "back" or set(inside) == set(NAMES)
    leaving = [client for client in clients[::SIGN_OUT] if client.end != "left"]
    crowd.clock.now += 1
    await together(crowd, leaving, Client.log_out)
    return leaving


async def together(crowd: Crowd, clients: list[Client], act) -> None:
    """All of ``clients`` begin before the first goes on, and then go on in a drawn order."""
    everybody = asyncio.Barrier(len(clients) + 1)
    tasks = [asyncio.create_task(act(client, everybody)) for client in clients]

    async def watch() -> None:
        await everybody.wait()
        walks = {walk.id for walk in await crowd.store.open_everywhere(2 * len(clients)) if walk.open}
        assert len(walks) >= len(clients), "not all under way at once"

    await crowd.turns.run([*tasks, asyncio.create_task(watch())])


async def settled(crowd: Crowd, leaving: list[Client]) -> None:
    """What is owed is delivered, what was left is ended; who signed out has no session, the tab closed or not."""
    crowd.clock.now += OWED_SECONDS + 1
    while await crowd.round("deliver"):
        pass
    assert not await crowd.store.all_owed(1)
    for client in leaving:
        assert not await client.signed_in(), "signed out, and still inside"
    crowd.clock.now += WALK_SECONDS + 1
    while await crowd.round("sweep"):
        pass
    assert not await crowd.store.open_everywhere(1), "a walk without an end"


def kept(crowd: Crowd) -> int:
    """How many things the store keeps."""
    store = crowd.store
    return len(store._browsers) + len(store._open) + len(store._over) + len(store._seen)


async def test_nobody_becomes_somebody_else_in_a_crowd() -> None:
    """Each browser ends with its own person or none, each walk ends, and a logout reaches every app (I2, I4, T19)."""
    crowd, began = Crowd(SEED), time.process_time()
    leaving = await wave(crowd, WALKS)
    await settled(crowd, leaving)
    seconds = time.process_time() - began
    assert set(FAULTS) <= set(crowd.met)
    most = kept(crowd)
    assert most <= 3 * WALKS
    crowd.clock.now += BROWSER_SECONDS + DAY
    await crowd.round("sweep")
    assert kept(crowd) == 0
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{WALKS} browsers, {dict(crowd.met)}, {seconds:.1f} s of processor, {most} records, {rss} MiB")  # noqa: T201


async def test_a_crowd_leaves_nothing_behind() -> None:
    """After each wave of walks the memory in use is what it was after the wave before (F30)."""
    crowd, used = Crowd(SEED), []
    tracemalloc.start()
    try:
        for _ in range(3):
            leaving = await wave(crowd, 60)
            await settled(crowd, leaving)
            crowd.clock.now += BROWSER_SECONDS + DAY
            await crowd.round("sweep")
            crowd.returns.clear()
            leaving.clear()
            gc.collect()
            used.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert used[-1] - used[-2] < LEFT_OVER, used
