"""A run: everything is started, people come while things break, all of it ends, and the trace is judged."""

from __future__ import annotations

import asyncio
import json
import socket
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from bench.gateways import SECRET
from bench.soak import reading
from bench.soak.after import After
from bench.soak.checks import forgotten, violations
from bench.soak.crowd import Crowd
from bench.soak.faults import Faults
from bench.soak.front import a_front
from bench.soak.replicas import Pair
from bench.soak.servers import a_ground
from bench.soak.site import NAMES, SESSION_KEY, a_site
from bench.soak.trace import Trace
from chain_gateway.cli import keys

Figures = dict[str, Any]
TOLD: Final = 20
"""How many violations of one invariant are told."""


async def soak(seconds: float, people: int, workers: int, drain: float, seed: int) -> Figures:
    """The figures of a run of so many seconds with so many people at once; ``violations`` has what broke."""
    trace = Trace()
    reading.listen(trace)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        ground = await stack.enter_async_context(a_ground(folder))
        bound = socket.create_server(("127.0.0.1", 0), backlog=1024)
        site = await stack.enter_async_context(a_site(trace, bound.getsockname()[1]))
        pair = Pair(folder, workers)
        await stack.enter_async_context(a_front(bound, [each.socket for each in pair.replicas]))
        keys.new(pair.keys, int(time.time()) - 10, force=False)
        faults, crowd, after = Faults(site, pair, ground), Crowd(site, seed), After(site, pair)
        faults.write(list(NAMES[:3]))
        for replica in pair.replicas:
            stack.callback(replica.kill)
        await asyncio.gather(*(replica.start() for replica in pair.replicas))
        await pair.logged("gateway.started", pair.workers, 0)
        began = time.monotonic()
        coming = asyncio.create_task(crowd.come(people))
        try:
            await faults.happen(seconds)
        finally:
            crowd.over = True
        await coming
        took = time.monotonic() - began
        _say(f"{len(crowd.browsers)} browsers in {took:.0f} s")
        await after.run(drain)
        await crowd.look()
        logged = await asyncio.to_thread(_logged, trace, pair, crowd.secrets)
    return _figures(trace, faults, after, logged, took) | {"people": people, "workers": pair.workers, "seed": seed}


def _logged(trace: Trace, pair: Pair, seen: set[str]) -> Figures:
    planted = [SECRET, SESSION_KEY, *(key["secret"] for key in json.loads(pair.keys.read_text())["keys"])]
    for replica in pair.replicas:
        found = reading.leaks(replica.log.read_text(errors="replace"), planted, seen)
        trace.leaks += [f"the log of {replica.name}, {leak}" for leak in found]
    return reading.read(trace, [line for replica in pair.replicas for line in replica.lines()])


def _figures(trace: Trace, faults: Faults, after: After, logged: Figures, took: float) -> Figures:
    broken = violations(trace)
    logins = [trip.seconds for trip in trace.trips if (trip.wanted, trip.end) == ("login", "back")]
    events = logged["events"]
    return {
        "seconds": round(took),
        "browsers": len(trace.people),
        "trips": len(trace.trips),
        "ends": dict(Counter(trip.end for trip in trace.trips)),
        "walks_begun": logged["begun"],
        "login_ms": {"median": _ms(statistics.median(logins)), "p99": _ms(statistics.quantiles(logins, n=100)[-1])},
        "receipts": len(trace.receipts),
        "logouts_read": len(trace.told),
        "logouts_complete": sum(told.complete for told in trace.told),
        "open_at_end": after.open_at_end,
        "owed_at_end": after.owed_at_end,
        "owed_after_drain": after.owed_after_drain,
        "deliveries_confirmed": len(trace.deliveries),
        "deliveries_failed": events["delivery.failed"],
        "minutes_moved": after.minutes,
        "longest_redirects": max(trip.redirects for trip in trace.trips),
        "workers_died": events["worker.died"],
        "calm_ends": trace.codes[0],
        "trouble": dict(trace.trouble.most_common()),
        "done": faults.done,
        "forgotten_by_redis": forgotten(trace),
        "open_walks": len(trace.open_walks),
        "owed": len(trace.owed),
        "checks": list(broken),
        "violations": {name: found[:TOLD] for name, found in broken.items() if found},
    }


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
