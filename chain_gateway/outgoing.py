"""What the gateway itself asks of apps: whether they are up, and that a session be ended over the back channel.

The addresses come from the configuration alone; no redirect is followed, no answer read beyond its status, and every
call is bounded in time.
"""

from __future__ import annotations

from typing import Final

import aiohttp

from chain_gateway.core.limits import DELIVERY_SECONDS, PING_SECONDS

SERVER_ERROR: Final = 500


class AppCalls:
    """Calls apps over a session that is the caller's to close."""

    def __init__(
        self, session: aiohttp.ClientSession, *, ping: float = PING_SECONDS, delivery: float = DELIVERY_SECONDS
    ) -> None:
        """``session`` keeps no cookies; ``ping`` and ``delivery`` are how many seconds an answer may take."""
        self._session = session
        self._ping = aiohttp.ClientTimeout(total=ping)
        self._delivery = aiohttp.ClientTimeout(total=delivery)

    async def ask(self, url: str) -> bool:
        """Whether the app answers its ping in time, with anything but a server error."""
        try:
            async with self._session.get(
                url, timeout=self._ping, allow_redirects=False, trace_request_ctx="ping"
            ) as response:
                return response.status < SERVER_ERROR
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def post(self, url: str, logout_token: str) -> int | None:
        """The status of the app's answer to a logout token; None if there was none in time."""
        try:
            async with self._session.post(
                url,
                data={"logout_token": logout_token},
                timeout=self._delivery,
                allow_redirects=False,
                trace_request_ctx="back_channel",
            ) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
