"""The whole demo in one process: the gateway, the provider and the sites, each on its own host of one port."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from chain_gateway.assembly import build
from chain_gateway.demo.apps import Neighbour, Site
from chain_gateway.demo.cast import GATEWAY, PROVIDER
from chain_gateway.demo.hosts import Hosts
from chain_gateway.demo.op import DemoOp
from chain_gateway.demo.options import DemoOptions
from chain_gateway.demo.settings import Stage, stage
from chain_gateway.errors import ConfigError, Problem
from chain_gateway.tokens.keyring import Keyring

BACKLOG = 256


@asynccontextmanager
async def running(options: DemoOptions, random: Callable[[int], bytes] = os.urandom) -> AsyncIterator[Stage]:
    """The demo as long as the context lasts; ConfigError if the options do not make one or the port is taken."""
    sockets = bind(options.port)
    with contextlib.ExitStack() as open_sockets:
        for each in sockets:
            open_sockets.enter_context(contextlib.closing(each))
        ready = stage(options, sockets[0].getsockname()[1], random)
        hosts = Hosts(await applications(ready, random))
        try:
            await hosts.start(sockets)
            yield ready
        finally:
            await hosts.stop()


async def applications(ready: Stage, random: Callable[[int], bytes]) -> dict[str, web.Application]:
    """Every application of the demo by its host."""
    keyring = Keyring.generate(int(time.time()), random)
    found = {GATEWAY: await build(ready.settings, keyring)}
    if ready.client is not None:
        found[PROVIDER] = DemoOp(ready.provider, [ready.client], dialect=ready.dialect).app()
    everyone = tuple(Neighbour(look.name, app.origin) for look, app in zip(ready.looks, ready.chains, strict=True))
    for look, chain in zip(ready.looks, ready.chains, strict=True):
        others = tuple(site for site in everyone if site.url != chain.origin)
        label = chain.origin.removeprefix("http://").partition(".")[0]
        site = Site(look, chain, others, ready.form_targets).application()
        if chain.app_id in ready.faults:
            site.middlewares.insert(0, ready.faults[chain.app_id].before(chain.hop_path))
        found[label] = site
    return {f"{label}.localhost": app for label, app in found.items()}


def bind(port: int) -> list[socket.socket]:
    """Sockets on both loopback addresses, so that no other program answers on the second; 0 takes a free port.

    Raises ConfigError where the port is taken. A machine without IPv6 does with the first.
    """
    first = _bound(socket.AF_INET, "127.0.0.1", port)
    number = first.getsockname()[1]
    try:
        return [first, _bound(socket.AF_INET6, "::1", number)]
    except ConfigError:
        first.close()
        raise
    except OSError:
        return [first]


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    """One listening socket; ConfigError where the port is taken or not ours to take."""
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            what = "is taken by another program" if error.errno == errno.EADDRINUSE else "is not open to you"
            hint = "choose another one: --port 8081, or --port 0 for any that is free"
            raise ConfigError((Problem("--port", f"port {port} {what}", hint),)) from error
        raise
    return bound
