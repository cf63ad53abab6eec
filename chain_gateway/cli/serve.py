"""``serve``: the gateway on its listener, until SIGTERM or SIGINT; then open requests are answered, and it ends."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from typing import Final

import structlog
import uvloop
from aiohttp import http_parser, web

from chain_gateway.assembly import build
from chain_gateway.cli import keys, logs
from chain_gateway.cli.console import DONE, USAGE, complain, say
from chain_gateway.config.addresses import TcpAddress
from chain_gateway.config.load import load
from chain_gateway.config.model import Settings
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.web.server import opened

DRAIN_SECONDS: Final = 30
log = structlog.stdlib.get_logger("chain_gateway")


def serve(path: Path, workers: int) -> int:
    """Serves the configuration at ``path``; ConfigError with all that is wrong with it. Returns the exit code."""
    if workers != 1:
        complain("this version serves from one process; write --workers 1")
        return USAGE
    if not has_c_parser():
        complain("aiohttp's C parser is not in use, and the pure-Python one is more lenient than a gateway may be")
        complain("  take AIOHTTP_NO_EXTENSIONS out of the environment, or reinstall aiohttp from a wheel")
        return USAGE
    settings = load(path)
    keyring = keys.load(settings.gateway.keys)
    logs.configure()
    uvloop.run(_serve(settings, keyring))
    return DONE


def has_c_parser() -> bool:
    """Whether aiohttp parses requests with llhttp: it is there, and AIOHTTP_NO_EXTENSIONS does not keep it out."""
    return http_parser.HttpRequestParser is not http_parser.HttpRequestParserPy


async def _serve(settings: Settings, keyring: Keyring) -> None:
    began = time.monotonic()
    app = await build(settings, keyring)
    async with opened(app, drain_seconds=DRAIN_SECONDS) as runner:
        await _site(runner, settings).start()
        ready = round(time.monotonic() - began, 3)
        log.info(
            "gateway.started", listen=str(settings.gateway.listen), issuer=settings.gateway.public_url, seconds=ready
        )
        say(f"listening on {settings.gateway.listen} as {settings.gateway.public_url}")
        await _stopped()
        log.info("gateway.draining")
    log.info("gateway.stopped")


def _site(runner: web.BaseRunner, settings: Settings) -> web.BaseSite:
    listen = settings.gateway.listen
    if isinstance(listen, TcpAddress):
        return web.TCPSite(runner, listen.host, listen.port)
    return web.UnixSite(runner, str(listen.path))


async def _stopped() -> None:
    """Returns when the process is asked to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
