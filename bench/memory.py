"""What a worker holds in memory: at rest, for each open walk, and after ten thousand hops."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Final

import uvloop

from bench.child import Child
from bench.crowd import crowd
from bench.figures import Figure, Size, Subject, Words
from bench.process import resident
from bench.redis_server import redis_server
from bench.relay import FEW, TO_NEXT
from bench.start import BASELINE, SERVE, configured, listening

MIB: Final = 1024 * 1024
KIB: Final = 1024
TOKEN_KIB: Final = 0.227 + FEW * 0.005
"""The chain token of a walk through that many apps: what a browser carries for it."""
SHARES: Final = 5
"""The hops are made in shares; after the first one caches and pools are as full as they get."""


def _open(size: Size) -> float:
    """Growth of a worker with the memory store for each walk that is open in it, in KiB."""
    with Child("bench.relay_server", "memory://", str(FEW)) as server:
        server.ask(f"open {size.open_walks // 10} {FEW}")
        before = resident(server.pid)
        server.ask(f"open {size.open_walks} {FEW}")
        return (resident(server.pid) - before) / size.open_walks / KIB


def _rest() -> tuple[float, float]:
    """A worker of ``serve`` that waits, and Python with aiohttp and uvloop imported, in MiB."""
    with configured() as folder:
        with listening([*SERVE, "--config", "gateway.toml"], folder) as (served, _):
            rest = resident(served.pid)
        with listening([sys.executable, "-c", f"{BASELINE}; input()"], folder, stdin=subprocess.PIPE) as (bare, _):
            imported = resident(bare.pid)
    return rest / MIB, imported / MIB


async def _flat(size: Size) -> tuple[float, float]:
    """A worker with Redis after all hops, each of a walk of its own, and after the first share of them, in MiB.

    With SQLite its page cache would be measured, which fills up to 16 MiB and stays.
    """
    share = size.flat_hops // SHARES
    with redis_server() as store, Child("bench.relay_server", store, str(FEW)) as server:
        async with crowd(int(server.ask("ports")[0])) as clients:
            held = []
            for _ in range(SHARES):
                requests = [text.encode() for text in server.ask(f"hops {share} {FEW}")]
                await clients.send(requests, b"302", TO_NEXT)
                held.append(resident(server.pid) / MIB)
    return held[-1], held[0]


def _measure(size: Size) -> Mapping[str, Figure]:
    return {
        "memory.rest": _figure("MiB", *_rest()),
        "memory.walk": _figure("KiB", _open(size), TOKEN_KIB),
        "memory.flat": _figure("MiB", *uvloop.run(_flat(size))),
    }


def _figure(unit: str, value: float, baseline: float) -> Figure:
    return Figure(value, unit, baseline)


SUBJECTS: Final = (
    Subject(
        {
            "memory.rest": Words(
                "memory of a worker of `serve` with one app, at rest, without what it shares with others",
                "Python with aiohttp and uvloop imported, and nothing else",
            ),
            "memory.walk": Words(
                f"memory that each open walk through {FEW} apps takes in a worker, with its browser and ledger; "
                "store: memory",
                "the chain token of such a walk",
            ),
            "memory.flat": Words(
                "memory of a worker after 10,000 hops, each of a walk of its own; store: redis", "after the first 2,000"
            ),
        },
        _measure,
    ),
)
