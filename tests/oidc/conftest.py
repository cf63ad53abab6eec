from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiohttp
import pytest
import stamina
from support.op import Op, running_op

from chain_gateway.oidc.http import Provider


@pytest.fixture(autouse=True)
def _retries_at_once() -> Iterator[None]:
    stamina.set_testing(True, attempts=3)
    yield
    stamina.set_testing(False)


@pytest.fixture
async def op() -> AsyncIterator[Op]:
    async with running_op() as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as opened:
        yield opened


@pytest.fixture
def provider_of(op: Op, session: aiohttp.ClientSession) -> Callable[..., Provider]:
    """Makes a Provider of the running one; client settings by name, ``wanted`` and ``seconds`` apart."""

    def make(*, wanted: tuple[str, ...] = (), seconds: float = 10, **client: Any) -> Provider:
        return Provider(op.client(**client), session, op.clock, wanted, seconds=seconds)

    return make
