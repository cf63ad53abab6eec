"""Whether an app is up, as the gateway itself finds it: a question to its ping URL, and a breaker an app.

Only the gateway's own questions count. What browsers report would let anybody who breaks off a few walks declare an app
dead for everybody. Apps that are asked about are those of recent walks, and those that are left out, until they are
back; so an idle gateway asks nobody who is well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from chain_gateway.core.chain import App
from chain_gateway.core.recovery import Breaker
from chain_gateway.service.log import log
from chain_gateway.service.ports import Probe
from chain_gateway.service.realm import Realm

FRESH_SECONDS: Final = 10
"""How long an answer counts as news."""
HURRY_SECONDS: Final = 1
ACTIVE_SECONDS: Final = 600
"""How long after its last walk an app is still asked."""


@dataclass(slots=True)
class _Known:
    breaker: Breaker = field(default_factory=Breaker)
    well: bool = True
    asked_at: float = 0
    wanted_at: float = 0


class Health:
    """What is known of each app."""

    def __init__(self, realm: Realm, probe: Probe) -> None:
        """``probe`` asks."""
        self._realm = realm
        self._probe = probe
        self._known: dict[str, _Known] = {}
        self._flights: dict[str, asyncio.Task[None]] = {}

    def touch(self, apps: Iterable[App]) -> None:
        """Says that walks go to ``apps`` now."""
        now = self._realm.clock()
        for app in apps:
            if app.ping:
                self._of(app).wanted_at = now

    async def look(self, apps: Iterable[App]) -> None:
        """Returns when there is fresh news of all ``apps``; they are asked at the same time."""
        asked = [app for app in apps if app.ping]
        self.touch(asked)
        await asyncio.gather(*(self._ask(app) for app in asked if not self._is_fresh(app)))

    def is_down(self, app: App, *, strict: bool) -> bool:
        """Whether a hop had better not be made: the breaker is open or, if ``strict``, the last answer was none."""
        known = self._known.get(app.id)
        if known is None or not app.ping:
            return False
        return known.breaker.open or (strict and not known.well)

    async def round(self) -> None:
        """Asks every app of recent walks, or left out, whose last answer is no longer fresh."""
        now = self._realm.clock()
        active = [
            app
            for app in self._realm.registry.apps.values()
            if app.id in self._known
            and (now - self._known[app.id].wanted_at < ACTIVE_SECONDS or self._known[app.id].breaker.open)
        ]
        await asyncio.gather(*(self._ask(app) for app in active if not self._is_fresh(app)))

    def _of(self, app: App) -> _Known:
        return self._known.setdefault(app.id, _Known())

    def _is_fresh(self, app: App) -> bool:
        known = self._of(app)
        hurry = not known.well and not known.breaker.open
        return self._realm.clock() - known.asked_at < (HURRY_SECONDS if hurry else FRESH_SECONDS)

    async def _ask(self, app: App) -> None:
        """Asks once, however many want to know."""
        flight = self._flights.get(app.id)
        if flight is None:
            flight = self._flights[app.id] = asyncio.create_task(self._asked(app))
            flight.add_done_callback(lambda _: self._flights.pop(app.id, None))
        await asyncio.shield(flight)

    async def _asked(self, app: App) -> None:
        known = self._of(app)
        was_open = known.breaker.open
        known.well = await self._probe.ask(app.ping_url)
        known.asked_at = self._realm.clock()
        known.breaker = known.breaker.succeeded() if known.well else known.breaker.failed()
        self._realm.meter.app_up(app.id, up=not known.breaker.open)
        if known.breaker.open != was_open:
            log.warning("app.down" if known.breaker.open else "app.up", app=app.id)
