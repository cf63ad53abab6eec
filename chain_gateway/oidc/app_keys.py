"""The keys of the registered apps: given in the configuration, or published by the app and fetched when needed.

A published set is fetched with the bounds of every other call, kept for ten minutes, and asked for again at once when
a message names a key that is not in it, but then at most once a minute: a ``kid`` is just a text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine, Mapping
from typing import Final

from chain_gateway.core.chain import AppId
from chain_gateway.errors import OpUnavailable
from chain_gateway.oidc.cached import Cached
from chain_gateway.oidc.wire import Wire
from chain_gateway.tokens.app_key import AppKey

RENEW_SECONDS: Final = 60


class AppKeys:
    """Finds an app's key."""

    def __init__(
        self, given: Mapping[AppId, AppKey], published: Mapping[AppId, str], wire: Wire, clock: Callable[[], float]
    ) -> None:
        """``given`` by app id; ``published`` has the URL of each app's key set; ``clock`` gives seconds."""
        self._given = given
        self._published = {app: Cached(self._fetch(wire, url), clock) for app, url in published.items()}
        self._renewed_at = dict.fromkeys(published, -math.inf)
        self._clock = clock

    async def of(self, app_id: str) -> AppKey | None:
        """The key of an app; None if it has none, or does not answer with one."""
        app = AppId(app_id)
        if app not in self._published:
            return self._given.get(app)
        try:
            return await self._published[app].current()
        except OpUnavailable:
            return None

    async def renewed(self, app_id: str) -> AppKey | None:
        """A newer key set, after a message named a key that was not in the last one; None if none is to be had."""
        app, now = AppId(app_id), self._clock()
        if app not in self._published or now - self._renewed_at[app] < RENEW_SECONDS:
            return None
        self._renewed_at[app] = now
        try:
            return await self._published[app].renewed()
        except OpUnavailable:
            return None

    @staticmethod
    def _fetch(wire: Wire, url: str) -> Callable[[], Coroutine[None, None, AppKey]]:
        async def fetch() -> AppKey:
            try:
                return AppKey.key_set(await wire.get("an app's keys", url))
            except ValueError as error:
                raise OpUnavailable("an app's keys: not a JWK set", code="op_unavailable.body") from error

        return fetch
