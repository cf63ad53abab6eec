"""Owed logouts over the back channel: taken from the ledger when they are due, told, and told again until confirmed.

An ``OWED`` entry is the queue's item: whoever claims it holds a lease, so a worker that dies leaves it to the next one.
Each attempt signs a fresh token with a ``jti`` of its own (OpenID Connect Back-Channel Logout 1.0).
"""

from __future__ import annotations

import asyncio
from typing import Final

from chain_gateway.core.chain import App
from chain_gateway.core.ledger import Holding, app_of
from chain_gateway.core.limits import DELIVERY_SECONDS
from chain_gateway.core.recovery import STRANGER_SECONDS, given_up, next_delivery
from chain_gateway.errors import StoreUnavailable
from chain_gateway.service.audit import AuditEvent
from chain_gateway.service.lanes import IN_ALL, Lane, Lanes
from chain_gateway.service.log import log
from chain_gateway.service.notes import takes_back_channel
from chain_gateway.service.ports import BackChannel
from chain_gateway.service.realm import Realm
from chain_gateway.service.walk_book import reference
from chain_gateway.store.base import Owed
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.logout_token import LogoutToken, sign_logout_token

LEASE_SECONDS: Final = 30
LOOK_SECONDS: Final = 1.0
"""How long a round waits for apps that do not answer, before it looks at what has become due meanwhile."""
CONFIRMED: Final = frozenset({200, 204})


class Deliver:
    """Delivers what is due."""

    def __init__(self, realm: Realm, channel: BackChannel) -> None:
        """``channel`` posts."""
        self._realm = realm
        self._channel = channel
        self._lanes = Lanes()

    async def __call__(self) -> int:
        """Delivers until nothing is due any more; returns how many deliveries were claimed.

        Nothing is raised for a delivery or a store that fails: the next round goes on. What a round had claimed that
        was stopped is claimed again when its lease has run out.
        """
        count = 0
        flying: set[asyncio.Task[None]] = set()
        try:
            while True:
                claimed = await self._claim(IN_ALL - len(flying))
                count += len(claimed)
                flying |= {asyncio.create_task(self._one(owed)) for owed in claimed}
                if not flying:
                    return count
                _, flying = await asyncio.wait(flying, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in flying:
                task.cancel()
            await asyncio.gather(*flying, return_exceptions=True)

    async def _claim(self, most: int) -> list[Owed]:
        now = self._realm.now()
        try:
            return await self._realm.store.owed(now, now + LEASE_SECONDS, most) if most else []
        except StoreUnavailable:
            log.warning("delivery.store_unavailable")
            return []

    async def _one(self, owed: Owed) -> None:
        app = self._realm.registry.apps.get(app_of(owed.entry.app))
        try:
            if given_up(owed.entry.since, app.session_max if app else STRANGER_SECONDS, self._realm.now()):
                await self._give_up(owed, app)
            elif app is None or not owed.entry.sid:
                await self._wait(owed)
            elif not takes_back_channel(app):
                await self._realm.store.note(owed.browser, [owed.entry._replace(holding=Holding.MAY_HOLD)])
            else:
                await self._deliver(owed, app, self._lanes.of(app.id))
        except StoreUnavailable:
            log.warning("delivery.store_unavailable", app=owed.entry.app)
        except Exception:  # noqa: BLE001 - one logout that cannot be told must not keep the others
            log.exception("delivery.broken", app=owed.entry.app)

    async def _deliver(self, owed: Owed, app: App, lane: Lane) -> None:
        failures = lane.failures
        with lane.entered(self._realm.now()) as entered:
            if not entered:
                await self._put_back(owed, lane)
                return
            async with lane.turn, self._lanes.door:
                if lane.failures != failures or self._realm.now() + DELIVERY_SECONDS >= owed.due:
                    # The app has stopped answering, or the lease would be over before the answer.
                    await self._put_back(owed, lane)
                    return
                status = await self._channel.post(app.backchannel_logout_url, self._token(owed, app))
                lane.told(status, failures, self._realm.now())
        if status in CONFIRMED:
            now = self._realm.now()
            await self._realm.store.note(owed.browser, [owed.entry._replace(holding=Holding.NONE, since=now)])
            self._realm.meter.delivered(app.id, "confirmed")
            log.info("delivery.confirmed", app=app.id, attempts=owed.attempts + 1)
            self._audit(AuditEvent.OWED_SETTLED, owed, owed.attempts + 1)
            return
        self._realm.meter.delivered(app.id, "failed")
        log.warning("delivery.failed", app=app.id, attempts=owed.attempts + 1, status=status or 0)
        await self._wait(owed)

    def _token(self, owed: Owed, app: App) -> str:
        """A logout token that was never sent before."""
        realm = self._realm
        token = LogoutToken(
            iss=realm.public_url,
            aud=app.origin,
            sid=owed.entry.sid,
            epoch=owed.entry.epoch,
            jti=b64e(realm.random(16)),
            iat=realm.now(),
        )
        return sign_logout_token(token, realm.keyring())

    async def _wait(self, owed: Owed) -> None:
        """Puts it off; a browser's next walk may settle it before."""
        await self._defer(owed, owed.attempts, owed.attempts + 1)

    async def _put_back(self, owed: Owed, lane: Lane) -> None:
        """Puts it off untried, as long as the app has been silent."""
        await self._defer(owed, max(lane.failures - 1, 0), owed.attempts)

    async def _defer(self, owed: Owed, failures: int, attempts: int) -> None:
        chance = int.from_bytes(self._realm.random(4)) / 2**32
        due = next_delivery(failures, self._realm.now(), chance)
        await self._realm.store.defer(owed.browser, owed.entry.app, owed.entry.epoch, due, attempts)

    async def _give_up(self, owed: Owed, app: App | None) -> None:
        """No session can live any more that this was meant for; it is said, and not called confirmed."""
        self._realm.meter.delivered(app.id if app else "gone", "given_up")
        log.warning("delivery.given_up", app=owed.entry.app, attempts=owed.attempts)
        await self._realm.store.note(owed.browser, [owed.entry._replace(holding=Holding.LAPSED)])
        self._audit(AuditEvent.OWED_LAPSED, owed, owed.attempts)

    def _audit(self, event: AuditEvent, owed: Owed, attempts: int) -> None:
        app = app_of(owed.entry.app)
        self._realm.audit(event, owed=reference(owed), app=app, attempts=attempts, since=owed.entry.since)
