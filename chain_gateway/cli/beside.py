"""The gateway's own store, opened beside the gateway that may be running."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote, urlsplit

from chain_gateway.config.model import Settings
from chain_gateway.errors import ConfigError, Problem
from chain_gateway.store.base import Store
from chain_gateway.store.urls import open_store


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Store]:
    """The configured store; ConfigError where another process cannot look into it, or it is not there yet."""
    url = settings.store.url
    if url.startswith("memory:"):
        raise _problem("lives in the gateway's own process, where no other can look", "keep walks in sqlite:///PATH")
    if url.startswith("sqlite:") and not os.path.exists(unquote(urlsplit(url).path)[1:]):  # noqa: PTH110, ASYNC240
        raise _problem("is not there", "the gateway makes it when it starts; is this its configuration?")
    store = open_store(url)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def _problem(reason: str, hint: str) -> ConfigError:
    return ConfigError((Problem("store.url", reason, hint),))
