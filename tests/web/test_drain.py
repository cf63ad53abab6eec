"""How long open requests have at the end: what is documented, and not twice that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from chain_gateway.web.server import opened

DRAIN = 2.0


class Slow:
    """A gateway that is asked to stop while it answers; ``may_answer`` lets it."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.stop_took = 0.0

    async def answer(self, _: web.Request) -> web.Response:
        self.asked.set()
        await self.may_answer.wait()
        return web.Response(text="answered")

    @asynccontextmanager
    async def stopping(self) -> AsyncIterator[asyncio.Task[str]]:
        """What the client gets, once the gateway is about to stop; at the end of the block it does."""
        loop = asyncio.get_running_loop()
        app = web.Application()
        app.router.add_get("/", self.answer)
        async with aiohttp.ClientSession() as client:
            async with opened(app, drain_seconds=DRAIN) as runner:
                site = web.TCPSite(runner, "127.0.0.1", 0)
                await site.start()
                request = asyncio.create_task(self.get(client, runner.addresses[0][1]))
                await self.asked.wait()
                yield request
                began = loop.time()
            self.stop_took = loop.time() - began

    async def get(self, client: aiohttp.ClientSession, port: int) -> str:
        try:
            async with client.get(f"http://127.0.0.1:{port}/") as answer:
                return await answer.text()
        except aiohttp.ClientError:
            return "cut off"


async def test_who_takes_longer_is_cut_off_when_the_time_is_over() -> None:
    """Once, not twice."""
    slow = Slow()
    async with slow.stopping() as request:
        pass
    assert await request == "cut off"
    assert DRAIN * 0.9 < slow.stop_took < DRAIN * 1.7


async def test_who_is_done_in_time_is_answered() -> None:
    """Also in the second half of it."""
    slow = Slow()
    async with slow.stopping() as request:
        asyncio.get_running_loop().call_later(DRAIN * 0.7, slow.may_answer.set)
    assert await request == "answered"
    assert slow.stop_took < DRAIN
