"""Two workers of ``serve`` on one socket against one: hops a second, and what a hop costs all of them together."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvloop
from aiohttp import web

from bench.crowd import CONNECTIONS, Crowd, crowd
from bench.figures import Figure, MeasurementFailed, Size, Subject, Words, middle
from bench.process import children, cpu_seconds, open_sockets
from bench.redis_server import redis_server
from bench.relay import FEW, MICRO, TO_NEXT, Series
from bench.relay_server import hops
from bench.start import SERVE, configured, listening
from chain_gateway import assembly
from chain_gateway.config.load import load
from chain_gateway.service.realm import Realm
from chain_gateway.tokens.keyring import Keyring

SETTLE_SECONDS: Final = 10
LEAST_PART: Final = 4
"""Each worker has more than this part of the connections."""
SLICES: Final = 5
"""A round is as long as so many slices, as one worker may have more connections, and ends with the slower one."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running ``serve``: its port, and the processes of its workers."""

    port: int
    pids: list[int]

    def cpu(self) -> float:
        """The processor time of all workers until now, in seconds."""
        return sum(cpu_seconds(pid) for pid in self.pids)


@contextmanager
def served(folder: Path, count: int) -> Iterator[Served]:
    """``serve`` with that many workers, with the configuration in ``folder``."""
    command = [*SERVE, "--config", "gateway.toml", "--workers", str(count)]
    with listening(command, folder) as (process, said):
        until = time.monotonic() + SETTLE_SECONDS
        pids = [process.pid] if count == 1 else children(process.pid)
        while len(pids) < count:
            if time.monotonic() > until:
                raise MeasurementFailed(f"{len(pids)} of {count} workers are there")
            pids = children(process.pid)
        yield Served(int(said.partition(" as ")[0].rpartition(":")[2]), pids)


@asynccontextmanager
async def shared(served: Served) -> AsyncIterator[Crowd]:
    """A crowd of which each worker has taken its part; whoever comes while one still starts has the other alone."""
    until = time.monotonic() + SETTLE_SECONDS
    while True:
        async with crowd(served.port) as clients:
            if min(open_sockets(pid) for pid in served.pids) > CONNECTIONS // LEAST_PART:
                yield clients
                return
        if time.monotonic() > until:
            raise MeasurementFailed("a worker takes no connections")


@asynccontextmanager
async def realm_of(folder: Path) -> AsyncIterator[Realm]:
    """The gateway's own parts in this process, on the same store and keys, to write walks down with."""
    keyring = Keyring.load((folder / "keys.json").read_text("utf-8"))
    gateway = await assembly.build(load(folder / "gateway.toml"), keyring, rounds=False)
    runner = web.AppRunner(gateway)
    await runner.setup()
    try:
        yield gateway[assembly.REALM]
    finally:
        await runner.cleanup()


async def _round(series: Series, realm: Realm, served: Served, clients: Crowd, size: Size) -> None:
    requests = [text.encode() for text in await hops(realm, SLICES * size.hops, FEW)]
    before = served.cpu()
    done = await clients.send(requests, b"302", TO_NEXT)
    series.cpu.append((served.cpu() - before) / done.answers * MICRO)
    series.rates.append(done.rate)


async def _by_workers(size: Size) -> tuple[Series, Series]:
    """Rounds with two workers and with one, by turns."""
    one, two = Series(), Series()
    with redis_server() as store, configured(FEW, store) as folder, served(folder, 1) as few, served(folder, 2) as many:
        async with realm_of(folder) as realm, shared(few) as at_few, shared(many) as at_many:
            for _ in range(size.rounds):
                await _round(one, realm, few, at_few, size)
                await _round(two, realm, many, at_many, size)
    return two, one


def _measure(size: Size) -> Mapping[str, Figure]:
    two, one = uvloop.run(_by_workers(size))
    return {
        "workers.2": Figure(middle(two.rates), "hops/s", middle(one.rates)),
        "workers.2.cpu": Figure(middle(two.cpu), "µs", middle(one.cpu)),
    }


SUBJECTS: Final = (
    Subject(
        {
            "workers.2": Words(
                "hops at `/relay` of `serve --workers 2`; clients, Redis and workers share the machine's cores",
                "of `serve` with one worker",
            ),
            "workers.2.cpu": Words("processor time of both workers for each hop", "of one worker"),
        },
        _measure,
    ),
)
