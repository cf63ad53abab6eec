"""What an operator and bad luck do while people sign in and out: one thing after the other, each at its time."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from bench.soak.replicas import Pair, Replica, document
from bench.soak.servers import Ground
from bench.soak.site import NAMES, Site
from chain_gateway.cli import keys
from chain_gateway.tokens.keyring import State
from chain_gateway.tokens.purposes import Use

SETTLE_SECONDS: Final = 1.0
"""How long after a failover some workers may still ask the old one."""
BROKEN: Final = "\n[no.such.section]\nnonsense = 1\n"


@dataclass(slots=True)
class Faults:
    """What is done, and what of it was done."""

    site: Site
    pair: Pair
    ground: Ground
    done: list[str] = field(default_factory=list)

    def plan(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """What is done, in its order, and how it is called once it was."""
        return [
            ("a changed chain was taken", self._reload),
            ("a bad configuration was refused", self._bad_configuration),
            ("keys were rotated", self._rotate),
            ("an app went down", self._app_goes),
            ("the primary of Redis was killed", self._fail_over),
            ("a gateway was killed", self._kill),
            ("the app came back", self._app_comes),
            ("a signing key was retired", self._retire),
            ("both gateways were restarted one after the other", self._rolling),
        ]

    def write(self, chain: list[str], *, broken: str = "") -> None:
        """Writes the configuration with this chain."""
        text: dict[str, Any] = document(self.site.gateway, self.site.op, self.site.apps, chain, self.ground.url)
        self.pair.write(text, broken=broken)

    async def happen(self, seconds: float) -> None:
        """All of them, with ``seconds`` of calm in all before, between and after them."""
        began, plan = time.monotonic(), self.plan()
        for name, do in plan:
            await asyncio.sleep(seconds / (len(plan) + 1))
            at = time.monotonic()
            await do()
            self.done.append(name)
            print(f"{at - began:6.1f} s  {name} ({time.monotonic() - at:.1f} s)", file=sys.stderr, flush=True)
        await asyncio.sleep(seconds / (len(plan) + 1))

    async def _taken(self, event: str) -> None:
        """Tells all workers to read their files, and waits until each has said what it makes of them."""
        before = self.pair.count(event)
        for replica in self.pair.replicas:
            replica.reload()
        await self.pair.logged(event, self.pair.workers, before)

    async def _reload(self) -> None:
        self.write(list(NAMES))
        await self._taken("configuration.taken")

    async def _bad_configuration(self) -> None:
        self.write(list(NAMES), broken=BROKEN)
        await self._taken("configuration.refused")
        self.write(list(NAMES))
        await self._taken("configuration.taken")

    async def _rotate(self) -> None:
        await self.pair.do("keys", "rotate", "--config", str(self.pair.config))
        await self._taken("configuration.taken")

    async def _retire(self) -> None:
        """The key that signs is taken back, as if somebody else had it; the one that waits takes its place."""
        rows = keys.load(self.pair.keys).rows(int(time.time()))
        kid = next(row.kid for row in rows if row.use is Use.SIGN and row.state is State.ACTIVE)
        await self.pair.do("keys", "retire", kid, "--config", str(self.pair.config))
        await self._taken("configuration.taken")

    async def _app_goes(self) -> None:
        self.site.down.add("bank")

    async def _app_comes(self) -> None:
        self.site.down.clear()

    async def _fail_over(self) -> None:
        since = await self.ground.fail_over()
        self.site.trace.outages.append((since, time.time() + SETTLE_SECONDS))

    async def _kill(self) -> None:
        await self.pair.replicas[0].lost()
        await self._start(self.pair.replicas[0])

    async def _rolling(self) -> None:
        for replica in reversed(self.pair.replicas):
            self.site.trace.codes[await replica.stop()] += 1
            await self._start(replica)

    async def _start(self, replica: Replica) -> None:
        """Starts a gateway, and waits for its workers."""
        before = self.pair.count("gateway.started")
        await replica.start()
        await self.pair.logged("gateway.started", replica.workers, before)
