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
LOOK_SECONDS: Final = 1.0
"""How long a round waits for who does not answer, before it looks at what has become due meanwhile."""
STRANGER_SECONDS: Final = 24 * 3600
"""How long a logout is kept for an app that is registered no more: the next configuration may know it again."""
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

        Nothing is raised for a delivery or a store that fails: the next round goes on. What an ended round had claimed
        is claimed again when its lease has run out.
        """
        count = 0
        flying: set[asyncio.Task[None]] = set()
        try:
            while claimed := await self._claim(IN_ALL - len(flying)) or flying:
                if claimed is not flying:
                    count += len(claimed)
                    flying |= {asyncio.create_task(self._one(owed)) for owed in claimed}
                _, flying = await asyncio.wait(flying, timeout=LOOK_SECONDS)
        finally:
            for task in flying:
                task.cancel()
            await asyncio.gather(*flying, return_exceptions=True)
        return count
