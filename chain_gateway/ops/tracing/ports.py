"""What traces are for whoever has them made: no more than is asked of them, and without a name of OpenTelemetry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

import aiohttp
from aiohttp.typedefs import Middleware

from chain_gateway.service.ports import Traces
from chain_gateway.store.base import Store
from chain_gateway.store.timed import Observe

STOP_SECONDS: Final = 5
"""How long the end of a gateway waits for whoever takes the spans."""


class Tracing(Traces, Protocol):
    """What makes spans, and where it is put around what there is."""

    def middleware(self) -> Middleware:
        """A span for each request."""

    def calls(self, apps: Mapping[str, str]) -> aiohttp.TraceConfig:
        """A span for each call of a client session; ``apps`` has the id of the app behind a URL."""

    def store(self, store: Store, observe: Observe) -> Store:
        """``store``, timed by ``observe``, with a span for each call that is part of something."""


class Running(Protocol):
    """Traces of one process."""

    @property
    def tracing(self) -> Tracing:
        """What makes the spans."""

    async def stop(self) -> None:
        """Sends what is left, in bounded time."""
