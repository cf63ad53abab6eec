"""The keys of a test's apps, where no provider and no configuration is asked for them."""

from __future__ import annotations

from collections.abc import Mapping

from chain_gateway.tokens.app_key import AppKey


class Keys:
    """Keys that never change."""

    def __init__(self, keys: Mapping[str, AppKey]) -> None:
        self._keys = keys

    async def of(self, app_id: str) -> AppKey | None:
        return self._keys.get(app_id)

    async def renewed(self, app_id: str) -> AppKey | None:  # noqa: ARG002 - the port's signature
        return None
