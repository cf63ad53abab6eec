"""The relay: what one hop costs, with each store, against a bare aiohttp 302 of the same process on the same loop."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import uvloop

from bench.child import Child
from bench.crowd import Crowd, crowd
from bench.figures import Figure, Size, Subject, Words, middle
from bench.redis_server import redis_server

BARE: Final = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
BARE_SHARE: Final = 8
"""How many bare requests are sent for each hop, so that a slice of both takes about as long."""
HOPS: Final = 0
PLAIN: Final = 1
FLOOR: Final = 2
"""Which of the server's ports is whose."""
FEW: Final = 4
MANY: Final = 100
MICRO: Final = 1e6
TO_BARE: Final = b"\r\nLocation: "
TO_NEXT: Final = b"\r\nLocation: http://app1.localhost:1/chain/hop?ticket="
"""What only a hop that was settled leads to: one that failed leads to the same app again."""

HOP: Final = (
    "one whole hop at `/relay`: unique URL, both cookies, token opened, receipt verified (HS256), nonce spent and walk "
    "written down, next token sealed, next ticket signed (ES256)"
)
SAME: Final = "a bare aiohttp 302, same process and loop"


@dataclass
class Series:
    """The rounds of one kind of request: answers a second, and processor time of the server for each, in µs."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    async def take(self, server: Child, clients: Crowd, requests: Sequence[bytes], part: bytes) -> None:
        """One more round; each answer must be a 302 and hold ``part``."""
        before = server.cpu()
        done = await clients.send(requests, b"302", part)
        self.cpu.append((server.cpu() - before) / done.answers * MICRO)
        self.rates.append(done.rate)


def _encoded(texts: Sequence[str]) -> list[bytes]:
    return [text.encode() for text in texts]


async def _against_bare(store: str, size: Size, served: int = HOPS) -> tuple[Series, Series]:
    """Hops at the port ``served``, and bare redirects, by turns, after a round that counts for neither."""
    hop, bare = Series(), Series()
    with Child("bench.relay_server", store, str(FEW)) as server:
        ports = [int(port) for port in server.ask("ports")]
        async with crowd(ports[served]) as at_relay, crowd(ports[PLAIN]) as at_bare:
            for number in range(size.slices + 1):
                if number == 1:
                    hop, bare = Series(), Series()
                requests = _encoded(server.ask(f"hops {size.hops} {FEW}"))
                await bare.take(server, at_bare, [BARE] * (BARE_SHARE * size.hops), TO_BARE)
                await hop.take(server, at_relay, requests, TO_NEXT)
    return hop, bare


def _figures(name: str, store: str, size: Size, served: int = HOPS) -> dict[str, Figure]:
    hop, bare = uvloop.run(_against_bare(store, size, served))
    return {
        name: Figure(middle(hop.rates), "hops/s", middle(bare.rates)),
        f"{name}.cpu": Figure(middle(hop.cpu), "µs", middle(bare.cpu)),
    }


def _floor(size: Size) -> Mapping[str, Figure]:
    return _figures("relay.floor", "memory://", size, FLOOR)


def _memory(size: Size) -> Mapping[str, Figure]:
    return _figures("relay.memory", "memory://", size)


def _sqlite(size: Size) -> Mapping[str, Figure]:
    with tempfile.TemporaryDirectory() as folder:
        return _figures("relay.sqlite", f"sqlite:///{Path(folder) / 'chain.db'}", size)


def _redis(size: Size) -> Mapping[str, Figure]:
    with redis_server() as url:
        return _figures("relay.redis", url, size)


def _apps(size: Size) -> Mapping[str, Figure]:
    series = uvloop.run(_by_apps(size))
    return {"relay.apps.100": Figure(middle(series[MANY].cpu), "µs", middle(series[FEW].cpu))}


async def _by_apps(size: Size) -> dict[int, Series]:
    """Hops of short and of long walks by turns."""
    series = {FEW: Series(), MANY: Series()}
    with Child("bench.relay_server", "memory://", str(MANY)) as server:
        async with crowd(int(server.ask("ports")[HOPS])) as clients:
            for number in range(size.slices + 1):
                if number == 1:
                    series = {FEW: Series(), MANY: Series()}
                for apps, one in series.items():
                    requests = _encoded(server.ask(f"hops {size.hops} {apps}"))
                    await one.take(server, clients, requests, TO_NEXT)
    return series


def _words(store: str) -> dict[str, Words]:
    return {
        f"relay.{store}": Words(f"{HOP}; store: {store}", SAME),
        f"relay.{store}.cpu": Words("the same, processor time of the server's process for each hop", SAME),
    }


FLOOR_WORDS: Final = {
    "relay.floor": Words(
        "the arithmetic of such a hop and an answer by aiohttp, and nothing else: three texts opened, a receipt "
        "verified, a token sealed, a ticket signed; what is left for a gateway to reach on this machine",
        SAME,
    ),
    "relay.floor.cpu": Words("the same, processor time of the server's process", SAME),
}

SUBJECTS: Final = (
    Subject(FLOOR_WORDS, _floor),
    Subject(_words("memory"), _memory),
    Subject(_words("sqlite"), _sqlite),
    Subject(_words("redis"), _redis),
    Subject(
        {"relay.apps.100": Words("processor time of a hop in a walk of 100 apps", "a hop in a walk of 4 apps")}, _apps
    ),
)
