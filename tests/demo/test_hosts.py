"""Many applications on one port: each by its own host, with its own limits and its own life."""

import aiohttp
import pytest
from aiohttp import web

from chain_gateway.demo.hosts import Hosts
from chain_gateway.demo.server import bind
from chain_gateway.errors import ConfigError


def application(name: str, life: list[str], size: int = 1024) -> web.Application:
    """Says its name, and its life is written down."""

    async def hello(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(text=name)

    async def lifetime(_app: web.Application):
        life.append(f"{name} begins")
        yield
        life.append(f"{name} ends")

    app = web.Application(client_max_size=size)
    app.router.add_route("*", "/", hello)
    app.cleanup_ctx.append(lifetime)
    return app


@pytest.fixture
async def port():
    """A port with a small and a large application behind it."""
    life: list[str] = []
    sockets = bind(0)
    hosts = Hosts({"small.localhost": application("small", life, 10), "large.localhost": application("large", life)})
    await hosts.start(sockets)
    yield sockets[0].getsockname()[1]
    await hosts.stop()
    assert life == ["small begins", "large begins", "small ends", "large ends"]


async def ask(port: int, host: str, **more: object) -> tuple[int, str]:
    """One request for ``host``."""
    async with (
        aiohttp.ClientSession() as session,
        session.request("POST", f"http://127.0.0.1:{port}/", headers={"Host": host}, **more) as answer,
    ):
        return answer.status, await answer.text()


@pytest.mark.parametrize("host", ["small.localhost", "SMALL.localhost", "small.localhost:8080"])
async def test_a_host_finds_its_application(port, host):
    """Case and port make no difference."""
    assert await ask(port, host) == (200, "small")


@pytest.mark.parametrize("host", ["other.localhost", "127.0.0.1", "small.localhost.evil.example", ""])
async def test_any_other_host_gets_the_list(port, host):
    """421 (RFC 9110, 15.5.20), with the names that are here."""
    status, text = await ask(port, host)
    assert status == 421
    assert text.splitlines()[1:] == ["large.localhost", "small.localhost"]


async def test_each_application_keeps_its_own_limits(port):
    """What is too large for one is fine for the other, on the same port."""
    assert (await ask(port, "small.localhost", data=b"x" * 11))[0] == 413
    assert await ask(port, "large.localhost", data=b"x" * 11) == (200, "large")


async def test_one_connection_can_ask_for_both(port):
    """The host of each request counts, not that of the first."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        for name in ("small", "large", "small"):
            headers = {"Host": f"{name}.localhost"}
            async with session.post(f"http://127.0.0.1:{port}/", headers=headers) as answer:
                assert await answer.text() == name


def test_a_taken_port_is_said_so():
    """The problem names the port and another one to try, and nothing stays open."""
    sockets = bind(0)
    taken = sockets[0].getsockname()[1]
    try:
        with pytest.raises(ConfigError) as refused:
            bind(taken)
        assert str(taken) in refused.value.problems[0].reason
        assert "--port" in refused.value.problems[0].hint
    finally:
        for each in sockets:
            each.close()
    for each in bind(taken):
        each.close()
