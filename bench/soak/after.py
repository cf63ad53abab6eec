"""After the run: what is under way ends, and what is owed is delivered, first in real time and then in our own.

A walk whose tab was closed has a quarter of an hour. So the gateways are stopped in the end, and one in this process
takes their place, on the same store and the same keys: its clock, and that of the apps, goes a minute ahead at a time.
"""

from __future__ import annotations

import os
from typing import Final

from aiohttp import web

from bench.figures import MeasurementFailed
from bench.soak.replicas import Pair
from bench.soak.servers import until
from bench.soak.site import Site
from chain_gateway import assembly
from chain_gateway.cli import keys
from chain_gateway.config.load import load
from chain_gateway.store.base import Store
from chain_gateway.store.urls import open_store

MINUTES: Final = 60
MANY: Final = 100_000


class After:
    """Brings everything to its end."""

    def __init__(self, site: Site, pair: Pair) -> None:
        """``pair`` is running."""
        self._site = site
        self._pair = pair
        self.owed_at_end = 0
        self.open_at_end = 0
        self.owed_after_drain = 0
        self.minutes = 0

    async def run(self, drain_seconds: float) -> None:
        """Waits for the gateways, stops them, and lets the time pass that is left."""
        settings = load(self._pair.config)
        store = open_store(settings.store.url)
        await store.open()
        try:
            self.owed_at_end = len(await store.all_owed(MANY))
            self.open_at_end = len(await store.open_everywhere(MANY))
            await self._drain(store, drain_seconds)
            self.owed_after_drain = len(await store.all_owed(MANY))
        finally:
            await store.close()
        for replica in self._pair.replicas:
            self._site.trace.codes[await replica.stop()] += 1
        await self._let_time_pass()

    async def _drain(self, store: Store, seconds: float) -> None:
        """Gives the running gateways so long to deliver what is owed."""

        async def nothing_owed() -> bool:
            return not await store.all_owed(1)

        try:
            await until(nothing_owed, "the end of the queue", seconds)
        except MeasurementFailed:
            return  # some walks have a quarter of an hour, and what these leave is owed after that

    async def _let_time_pass(self) -> None:
        settings = load(self._pair.config)
        world = assembly.World(self._site.clock, os.urandom)
        store = open_store(settings.store.url)
        app = await assembly.build(settings, keys.load(settings.gateway.keys), world=world, store=store, rounds=False)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        place = self._pair.replicas[0].socket
        place.unlink(missing_ok=True)
        await web.UnixSite(runner, str(place)).start()  # apps ask it for its keys
        try:
            rounds = {each.name: each.run for each in app[assembly.BACKGROUND]._rounds}  # noqa: SLF001 - by hand, as tests do
            for self.minutes in range(1, MINUTES + 1):
                self._site.clock.ahead += 60
                await rounds["sweep"]()
                await rounds["deliver"]()
                if not await store.open_everywhere(1) and not await store.all_owed(1):
                    break
            trace = self._site.trace
            trace.open_walks = [walk.id.hex() for walk in await store.open_everywhere(MANY)]
            trace.owed = [f"{owed.entry.app} in {owed.entry.epoch}" for owed in await store.all_owed(MANY)]
        finally:
            await runner.cleanup()
