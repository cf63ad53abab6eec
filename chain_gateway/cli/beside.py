"""The gateway's own store, opened beside the gateway that may be running."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import unquote, urlsplit

from chain_gateway.config.model import Settings
from chain_gateway.errors import ConfigError, Problem
from chain_gateway.ops.audit_log import sink_at
from chain_gateway.service.audit import Audit
from chain_gateway.service.walk_book import Hand
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


@contextmanager
def audited(settings: Settings) -> Iterator[Hand]:
    """The hand of who gives a command; its audit log is the configured file, and nothing where there is none."""
    path = settings.gateway.audit_log
    with sink_at(path) as sink:
        yield Hand(Audit(sink if path is not None else _nowhere), "command")


def _nowhere(event: str, **fields: object) -> None:
    """A command has no log: what it does it says."""


def _problem(reason: str, hint: str) -> ConfigError:
    return ConfigError((Problem("store.url", reason, hint),))
