"""A server of the measurement, from the inside: it serves as ``serve`` does, and answers lines on standard input.

uvloop, aiohttp's C parser, the limits of production, and the log as JSON at INFO.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Final

import uvloop
from aiohttp import web

from bench.figures import MeasurementFailed
from chain_gateway.cli import logs
from chain_gateway.cli.serve import has_c_parser, keep_what_is_loaded
from chain_gateway.core.limits import HEADER_FIELD_BYTES, REQUEST_LINE_BYTES

LOCATION: Final = "https://shop.example/chain/hop?ticket=" + "x" * 960

Answer = Callable[[str], Awaitable[list[str]]]


def run(main: Coroutine[None, None, None]) -> None:
    """Runs a server's ``main`` in the way of production; MeasurementFailed where that is not to be had."""
    if not has_c_parser():
        raise MeasurementFailed("aiohttp's C parser is missing")
    keep_what_is_loaded()
    logs.configure(json=True)
    uvloop.run(main)


@asynccontextmanager
async def serving(app: web.Application, bound: socket.socket) -> AsyncIterator[None]:
    """Serves ``app`` on ``bound`` as long as the context lasts."""
    runner = web.AppRunner(
        app, access_log=None, max_line_size=REQUEST_LINE_BYTES, max_field_size=HEADER_FIELD_BYTES, shutdown_timeout=1
    )
    await runner.setup()
    try:
        await web.SockSite(runner, bound).start()
        yield
    finally:
        await runner.cleanup()


def bare() -> web.Application:
    """The baseline: one route that answers 302 with a ``Location`` of 1 KiB, as cheap as aiohttp makes it."""
    headers = {"Location": LOCATION}

    async def redirect(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers=headers)

    app = web.Application()
    app.router.add_get("/", redirect)
    return app


async def obey(answers: Mapping[str, Answer]) -> None:
    """Answers each line of standard input, by its first word, with a JSON list of texts; returns at its end."""
    known = {"cpu": _cpu, **answers}
    while line := await asyncio.to_thread(sys.stdin.readline):
        word, _, rest = line.strip().partition(" ")
        print(json.dumps(await known[word](rest)), flush=True)


async def _cpu(_: str) -> list[str]:
    return [str(time.process_time())]
