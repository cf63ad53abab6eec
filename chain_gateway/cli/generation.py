"""One configuration in service: an application on its own copy of the sockets, from its first request to its last."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

from aiohttp import web

from chain_gateway.assembly import PROVIDER, REALM, build
from chain_gateway.cli.listening import BACKLOG
from chain_gateway.config.model import Settings
from chain_gateway.ops.app import Operations, operations
from chain_gateway.ops.audit_log import sink_at
from chain_gateway.ops.meter import PrometheusMeter
from chain_gateway.ops.tracing import Tracing
from chain_gateway.service.audit import Audit, AuditEvent
from chain_gateway.store.base import Store
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.web.server import opened

DRAIN_SECONDS: Final = 30


class Generation:
    """A configuration that is being served. ``settings`` are its own, and so is ``audit``."""

    def __init__(self, settings: Settings, audit: Audit, sites: Sequence[web.BaseSite], stack: AsyncExitStack) -> None:
        """Made by ``begin``."""
        self.settings = settings
        self.audit = audit
        self._sites = sites
        self._stack = stack

    @classmethod
    async def begin(
        cls,
        settings: Settings,
        keyring: Keyring,
        store: Store,
        meter: PrometheusMeter,
        sockets: Sequence[socket.socket | None],
        tracing: Tracing | None = None,
    ) -> Generation:
        """Serves from now on; ConfigError if a part cannot be made of the settings, and then nothing is open.

        ``store`` is open, and stays so. ``sockets`` are those for browsers and for operators, None where there is none.
        """
        async with AsyncExitStack() as stack:
            sink = stack.enter_context(sink_at(settings.gateway.audit_log))
            app = await build(settings, keyring, store=store, own_store=False, meter=meter, audit=sink, tracing=tracing)
            runner = await stack.enter_async_context(opened(app, drain_seconds=DRAIN_SECONDS))
            gateway = settings.gateway
            inside = Operations.of(app[REALM], app[PROVIDER], meter, gateway.dashboard_token, gateway.title)
            desk = await stack.enter_async_context(opened(operations(inside), drain_seconds=1))
            places = zip((runner, desk), sockets, strict=True)
            sites = [web.SockSite(place, sock.dup(), backlog=BACKLOG) for place, sock in places if sock is not None]
            for site in sites:
                await site.start()
            meter.leaves_nobody_out()
            _tell(app[REALM].audit, settings, keyring)
            return cls(settings, app[REALM].audit, sites, stack.pop_all())
        raise AssertionError("unreachable")

    async def retreat(self) -> None:
        """Takes no new connection from now on."""
        for site in self._sites:
            await site.stop()
        self._sites = ()

    async def end(self) -> None:
        """Takes no new connection, answers what is open, and lets go of all that is its own."""
        await self.retreat()
        await self._stack.aclose()


def _tell(audit: Audit, settings: Settings, keyring: Keyring) -> None:
    """Tells the audit log what is served from now on, and by which keys."""
    keys = [{"kid": row.kid, "use": row.use.value, "stands": row.state.value} for row in keyring.rows(int(time.time()))]
    audit(
        AuditEvent.CONFIGURATION_TAKEN,
        process=os.getpid(),
        apps=[app.id for app in settings.apps],
        chains=[chain.id for chain in settings.chains],
        keys=keys,
    )
