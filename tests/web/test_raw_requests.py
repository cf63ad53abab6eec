"""What no client library would send: turned away calmly, with the headers of every answer, repeated nowhere."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from structlog.testing import capture_logs
from support.payloads import numbered
from support.world import a_world

from chain_gateway.web.headers import ALWAYS
from chain_gateway.web.server import Door, opened

CASES = numbered("raw_requests")
FILL = {
    "{h}": "Host: login.example\r\nConnection: close\r\n",
    "{2k}": "a" * 2000,
    "{8k}": "a" * 9000,
    "{150 headers}": "".join(f"X-{number}: canary\r\n" for number in range(150)),
}
CANARY = re.compile("canary", re.IGNORECASE)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def port() -> AsyncIterator[int]:
    """A gateway behind its door."""
    async with a_world("shop") as world:
        server = world.runners["login"].server
        runner = web.ServerRunner(Door(server.request_handler, server.request_factory))
        await runner.setup()
        bound = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(runner, bound).start()
        yield bound.getsockname()[1]
        await runner.cleanup()


async def said(port: int, request: bytes) -> bytes:
    """All that the server answers until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_a_strange_request_is_turned_away_calmly(
    case: str, port: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The status is that of the list, the headers are those of every answer, and nothing is repeated (T36, T45)."""
    request, _, status = case.rpartition(" => ")
    for name, text in FILL.items():
        request = request.replace(name, text)
    with capture_logs() as lines:
        answer = await said(port, request.encode("latin-1"))
    head, _, body = answer.decode("latin-1").partition("\r\n\r\n")
    assert head.split()[1] == status, answer[:400]
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.split("\r\n")[1:])}
    for name in ALWAYS:
        assert name.lower() in headers, name
    assert headers["cache-control"] == "no-store"
    assert "Traceback" not in body
    heard = f"{answer.decode('latin-1')} {lines} {caplog.text} {capfd.readouterr()}"
    assert CANARY.search(heard) is None, heard


async def test_a_failure_that_no_handler_caught_is_told_in_our_words(capfd: pytest.CaptureFixture[str]) -> None:
    """What breaks outside the application's middlewares shows no more than a reference, which is in the log."""

    async def fall(_request: web.BaseRequest) -> web.StreamResponse:
        raise RuntimeError("canary")

    app = web.Application()
    app.router.add_get("/", fall)
    bound = socket.create_server(("127.0.0.1", 0))
    with capture_logs() as lines:
        async with opened(app, drain_seconds=1) as runner:
            await web.SockSite(runner, bound).start()
            answer = await said(bound.getsockname()[1], b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"canary" not in answer
    (line,) = lines
    assert line["event"] == "request.failed"
    assert line["reference"].encode() in answer
    assert isinstance(line["exc_info"], RuntimeError)
    assert capfd.readouterr() == ("", "")
