"""Names under localhost mean this machine, also where the system's resolver does not know them."""

from __future__ import annotations

import socket

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver
from aiohttp.test_utils import TestServer

from chain_gateway.resolver import LoopbackResolver


async def test_a_call_to_a_name_under_localhost_reaches_this_machine():
    """A real request to a made-up name under localhost arrives, with that name as its Host."""

    async def host(request: web.Request) -> web.Response:
        return web.Response(text=request.host)

    app = web.Application()
    app.router.add_get("/", host)
    async with TestServer(app) as server, _session() as session:
        url = f"http://no-such-name.deep.localhost:{server.port}/"
        async with session.get(url) as answer:
            assert await answer.text() == f"no-such-name.deep.localhost:{server.port}"


class Asked(AbstractResolver):
    """A resolver that writes down what it is asked, and knows nothing."""

    def __init__(self):
        self.asked: list[tuple[str, int, int]] = []
        self.closed = False

    async def resolve(self, host, port=0, family=socket.AF_INET):
        self.asked.append((host, port, family))
        raise OSError("no such name")

    async def close(self):
        self.closed = True


@pytest.mark.parametrize("host", ["localhost", "shop.localhost", "SHOP.LocalHost"])
async def test_loopback_names_are_answered_without_a_question(host):
    """Every spelling of a loopback name, for any address family, with the one address; nobody else is asked."""
    others = Asked()
    for family in (socket.AF_INET, socket.AF_UNSPEC):
        assert [row["host"] for row in await LoopbackResolver(others).resolve(host, 8000, family)] == ["127.0.0.1"]
    assert others.asked == []


async def test_other_names_are_left_to_the_system():
    """A name that only looks like loopback is asked elsewhere, and what is said there stands."""
    others = Asked()
    resolver = LoopbackResolver(others)
    for host in ("localhost.example", "xlocalhost", "shop.example"):
        with pytest.raises(OSError, match="no such name"):
            await resolver.resolve(host, 8000)
    await resolver.close()
    assert others.asked == [
        (host, 8000, socket.AF_INET) for host in ("localhost.example", "xlocalhost", "shop.example")
    ]
    assert others.closed


async def test_the_system_is_asked_by_default():
    """Without anything said, other names are resolved as aiohttp resolves them."""
    resolver = LoopbackResolver()
    assert [row["host"] for row in await resolver.resolve("127.0.0.5", 8000)] == ["127.0.0.5"]
    await resolver.close()


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=LoopbackResolver()))
