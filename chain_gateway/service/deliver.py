"""Owed logouts over the back channel: taken from the ledger when they are due, told, and told again until confirmed.

An ``OWED`` entry is the queue's item: whoever claims it holds a lease, so a worker that dies leaves it to the next one.
Each attempt signs a fresh token with a ``jti`` of its own (OpenID Connect Back-Channel Logout 1.0).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from typing import Final

from chain_gateway.core.chain import App
from chain_gateway.core.ledger import Holding
from chain_gateway.core.recovery import given_up, next_delivery
from chain_gateway.errors import StoreUnavailable
from chain_gateway.service.log import log
from chain_gateway.service.notes import takes_back_channel
from chain_gateway.service.ports import BackChannel
from chain_gateway.service.realm import Realm
from chain_gateway.store.base import Owed
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.logout_token import LogoutToken, sign_logout_token

LEASE_SECONDS: Final = 30
BATCH: Final = 64
PER_APP: Final = 4
CONFIRMED: Final = frozenset({200, 204})


class Deliver:
    """Delivers what is due."""

    def __init__(self, realm: Realm, channel: BackChannel) -> None:
        """``channel`` posts."""
        self._realm = realm
        self._channel = channel
        self._lanes: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(PER_APP))

    async def __call__(self) -> int:
        """Claims and delivers one batch; returns how many were claimed. Nothing is raised: the next round goes on."""
        now = self._realm.now()
        try:
            claimed = await self._realm.store.owed(now, now + LEASE_SECONDS, BATCH)
        except StoreUnavailable:
            log.warning("delivery.store_unavailable")
            return 0
        await asyncio.gather(*(self._one(owed) for owed in claimed))
        return len(claimed)

    async def _one(self, owed: Owed) -> None:
        app = self._realm.registry.apps.get(owed.entry.app)
        try:
            if app is None or given_up(owed.entry.since, app.session_max, self._realm.now()):
                await self._give_up(owed)
            elif not takes_back_channel(app):
                await self._realm.store.note(owed.browser, [replace(owed.entry, holding=Holding.MAY_HOLD)])
            elif not owed.entry.sid:
                await self._wait(owed)
            else:
                await self._deliver(owed, app)
        except StoreUnavailable:
            log.warning("delivery.store_unavailable", app=owed.entry.app)

    async def _deliver(self, owed: Owed, app: App) -> None:
        realm = self._realm
        token = LogoutToken(
            iss=realm.public_url,
            aud=app.origin,
            sid=owed.entry.sid,
            epoch=owed.entry.epoch,
            jti=b64e(realm.random(16)),
            iat=realm.now(),
        )
        async with self._lanes[app.id]:
            status = await self._channel.post(app.backchannel_logout_url, sign_logout_token(token, realm.keyring()))
        if status in CONFIRMED:
            await realm.store.note(owed.browser, [replace(owed.entry, holding=Holding.NONE, since=realm.now())])
            log.info("delivery.confirmed", app=app.id, attempts=owed.attempts + 1)
            return
        log.warning("delivery.failed", app=app.id, attempts=owed.attempts + 1, status=status or 0)
        await self._wait(owed)

    async def _wait(self, owed: Owed) -> None:
        """Puts it off; a browser's next walk may settle it before."""
        chance = int.from_bytes(self._realm.random(4)) / 2**32
        due = next_delivery(owed.attempts, self._realm.now(), chance)
        await self._realm.store.defer(owed.browser, owed.entry.app, owed.entry.epoch, due, owed.attempts + 1)

    async def _give_up(self, owed: Owed) -> None:
        """No session can live any more that this was meant for; it is said, and forgotten."""
        log.warning("delivery.given_up", app=owed.entry.app, attempts=owed.attempts)
        await self._realm.store.note(owed.browser, [replace(owed.entry, holding=Holding.LAPSED)])
