"""What somebody can do by asking slowly, or often: nothing that others notice (T39, T41)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from ipaddress import ip_address

import pytest
from aiohttp import web
from support.patience import PATIENCE
from support.world import World, a_world

from chain_gateway.web import parse, rate, server
from chain_gateway.web.rate import Buckets
from chain_gateway.web.server import Door

SOON = 0.4
SLOW_CONNECTIONS = 5000
REQUEST = b"GET /.well-known/chain-gateway HTTP/1.1\r\nHost: login.example\r\n\r\n"
FORM = b"POST /logout HTTP/1.1\r\nHost: login.example\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A gateway behind its door."""
    async with a_world("shop") as world:
        inside = world.runners["login"].server
        runner = web.ServerRunner(Door(inside.request_handler, inside.request_factory), shutdown_timeout=0.1)
        await runner.setup()
        bound = socket.create_server(("127.0.0.1", 0), backlog=1024)
        await web.SockSite(runner, bound, backlog=1024).start()
        yield bound.getsockname()[1]
        await runner.cleanup()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that has a time has less of it."""
    monkeypatch.setattr(server, "KEEPALIVE_SECONDS", SOON)
    monkeypatch.setattr(parse, "REQUEST_SECONDS", SOON)


async def answered(port: int, *pieces: bytes, pause: float = 0) -> bytes:
    """Sends the pieces, one after the other, and reads until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said = bytearray()

    async def read() -> None:
        with suppress(ConnectionResetError):
            while piece := await reader.read(4096):
                said.extend(piece)

    try:
        async with asyncio.timeout(PATIENCE):
            reading = asyncio.create_task(read())
            for piece in pieces:
                writer.write(piece)
                await asyncio.wait([reading], timeout=pause)
            await reading
    finally:
        writer.close()
    return bytes(said)


async def test_whoever_says_nothing_is_let_go(soon: None, port: int) -> None:
    """A connection on which no request comes ends by itself."""
    assert await answered(port) == b""


async def test_whoever_asks_letter_by_letter_is_let_go(soon: None, port: int) -> None:
    """However often something comes, the whole request has its time."""
    letters = [bytes([letter]) for letter in REQUEST]
    assert await answered(port, *letters, pause=SOON / 10) == b""


async def test_whoever_asks_a_second_time_letter_by_letter_is_let_go_too(soon: None, port: int) -> None:
    """After an answer the connection is kept a while, for a whole request and not for half a one."""
    letters = [bytes([letter]) for letter in REQUEST]
    said = await answered(port, REQUEST, *letters, pause=SOON / 10)
    assert said.count(b"HTTP/1.1 200") == 1


async def test_a_body_that_does_not_come_is_not_waited_for(soon: None, port: int) -> None:
    """The page says so, and the connection ends."""
    head = FORM + b"Content-Length: 20\r\nConnection: close\r\n\r\n"
    said = await answered(port, head, b"scope=", pause=0)
    assert said.startswith(b"HTTP/1.1 408")
    assert b"bad_input.late" in said
    assert b"did not arrive in time" in said
    assert b"This link" not in said


async def test_whoever_is_in_time_is_answered(soon: None, port: int) -> None:
    """In two halves, and with a body in two."""
    assert (await answered(port, REQUEST[:20], REQUEST[20:], pause=SOON / 8)).startswith(b"HTTP/1.1 200")
    head = FORM + b"Content-Length: 9\r\nConnection: close\r\n\r\n"
    assert (await answered(port, head, b"scope", b"=all", pause=SOON / 8)).startswith(b"HTTP/1.1 303")


async def test_slow_connections_do_not_stop_others(port: int) -> None:
    """Thousands that have sent half a request, and somebody who asks is answered."""
    slow = []
    try:
        for _ in range(SLOW_CONNECTIONS // 100):
            some = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(100)))
            for _, writer in some:
                writer.write(REQUEST[:40])
            slow += some
        assert len(slow) == SLOW_CONNECTIONS
        close = REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        assert (await answered(port, close)).startswith(b"HTTP/1.1 200")
    finally:
        for _, writer in slow:
            writer.transport.abort()


def test_a_bucket_empties_and_fills_again() -> None:
    """So many at once, and then so many a second; each address has its own."""
    now = [1000.0]
    buckets = Buckets(lambda: now[0], burst=3, per_second=2)
    one, other = ip_address("203.0.113.9"), ip_address("203.0.113.10")
    assert [buckets.take(one) for _ in range(5)] == [True, True, True, False, False]
    assert buckets.take(other)
    now[0] += 1
    assert [buckets.take(one) for _ in range(3)] == [True, True, False]
    now[0] -= 500
    assert not buckets.take(one)
    now[0] += 1000
    assert [buckets.take(one) for _ in range(4)] == [True, True, True, False]


def test_a_network_of_ipv6_is_one_client() -> None:
    """Whoever has one address of it has as many as they like."""
    buckets = Buckets(lambda: 0.0, burst=2, per_second=1)
    assert [buckets.take(ip_address(f"2001:db8:0:1::{n:x}")) for n in range(3)] == [True, True, False]
    assert buckets.take(ip_address("2001:db8:0:2::1"))


def test_no_more_addresses_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood from everywhere does not fill the memory; who was silent longest is forgotten."""
    monkeypatch.setattr(rate, "ADDRESSES", 10)
    buckets = Buckets(lambda: 0.0, burst=1, per_second=1)
    first = ip_address("198.51.100.1")
    assert buckets.take(first)
    for number in range(9):
        buckets.take(ip_address(number + 1))
    assert not buckets.take(first)
    for number in range(100):
        buckets.take(ip_address(number + 1000))
    assert len(buckets) == 10
    assert buckets.take(first)


async def asked(world: World, path: str, client: str) -> int:
    """The status of one more request from ``client``, as the proxy tells it."""
    async with world.browser() as browser:
        browser.halt_at = world.op.issuer
        return (await browser.open(world.gateway + path, **{"X-Forwarded-For": client})).status


@pytest.mark.parametrize("path", ["/login?app=shop", "/callback?state=x", "/%6Cogin?app=shop"])
async def test_one_address_cannot_ask_for_ever(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """429 with the time after which to ask again; another address is answered, and so is any other path."""
    monkeypatch.setattr(Buckets.__init__, "__defaults__", (5, 0.001))
    async with a_world("shop", gateway={"trusted_proxies": ["127.0.0.1/32"]}) as world:
        seen = [await asked(world, path, "203.0.113.9") for _ in range(7)]
        assert 429 not in seen[:5]
        assert seen[5:] == [429, 429]
        assert await asked(world, path, "203.0.113.10") != 429
        assert await asked(world, path, "203.0.113.10, 203.0.113.9") == 429
        assert await asked(world, "/logout", "203.0.113.9") == 200
        async with world.browser() as browser:
            page = await browser.open(world.gateway + path, **{"X-Forwarded-For": "203.0.113.9"})
            assert page.headers["Retry-After"] == "10"
            assert "too_many_requests" in page.text


async def test_a_header_of_nobody_we_trust_makes_no_new_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine itself has no limit, whatever it says; and it can blame nobody else."""
    monkeypatch.setattr(Buckets.__init__, "__defaults__", (2, 0.001))
    async with a_world("shop") as world:
        assert 429 not in [await asked(world, "/login?app=shop", f"203.0.113.{n}") for n in (1, 1, 1, 1)]


async def test_the_provider_has_a_limit_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every logout token costs the verification of a signature."""
    monkeypatch.setattr(Buckets.__init__, "__defaults__", (2, 0.001))
    async with a_world("shop", gateway={"trusted_proxies": ["127.0.0.1/32"]}) as world, world.browser() as browser:
        url, told = f"{world.gateway}/backchannel-logout", {"logout_token": "a.b.c"}
        said = [(await browser._go("POST", url, told, {"X-Forwarded-For": "203.0.113.9"})).status for _ in range(4)]
        assert said == [400, 400, 429, 429]
