"""One process that serves: the configuration, its reload by SIGHUP or when a file changes, and a calm end.

A configuration that is refused is refused as a whole, and the old one goes on. One that is taken is served at once on
the same sockets, while the old one still answers what it had begun: walks carry their plan with them, so those under
way finish on the chain that they began with.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from chain_gateway.cli.files import Files
from chain_gateway.cli.generation import Generation
from chain_gateway.cli.listening import close
from chain_gateway.config.model import Settings
from chain_gateway.errors import ConfigError, Problem
from chain_gateway.ops import tracing
from chain_gateway.ops.meter import PrometheusMeter
from chain_gateway.ops.tracing import Tracing
from chain_gateway.service.audit import AuditEvent
from chain_gateway.store.base import Store
from chain_gateway.store.urls import open_store
from chain_gateway.tokens.keyring import Keyring

LOOK_SECONDS: Final = 2.0
"""How often the files are looked at."""
FIXED: Final = ("gateway.listen", "gateway.ops_listen", "store.url")
"""What is bound or opened once, and takes a restart to change."""
log = structlog.stdlib.get_logger("chain_gateway")

Sockets = Sequence[socket.socket | None]


class Worker:
    """Serves what ``files`` say, whatever that becomes, until it is asked to stop."""

    def __init__(self, files: Files, sockets: Sockets) -> None:
        """``sockets`` are those for browsers and for operators."""
        self._files = files
        self._sockets = sockets
        self._meter = PrometheusMeter()
        self._tracing: Tracing | None = None
        self._stop = asyncio.Event()
        self._wanted = asyncio.Event()
        self._ending: set[asyncio.Task[None]] = set()

    async def run(self, settings: Settings, keyring: Keyring, ready: Callable[[], None]) -> None:
        """Serves ``settings`` first; ``ready`` is called once requests are answered. ConfigError if it cannot begin."""
        began = time.monotonic()
        self._obey()
        running = tracing.start()
        self._tracing = running.tracing if running else None
        store = open_store(settings.store.url)
        await store.open()
        try:
            current = await self._begin(settings, keyring, store)
            log.info("gateway.started", issuer=settings.gateway.public_url, seconds=round(time.monotonic() - began, 3))
            ready()
            watching = asyncio.create_task(self._watch())
            try:
                current = await self._serve(current, store)
            finally:
                watching.cancel()
            log.info("gateway.draining")
            close(self._sockets)
            await asyncio.gather(current.end(), *self._ending)
        finally:
            await store.close()
            if running:
                await running.stop()
        log.info("gateway.stopped")

    async def _serve(self, current: Generation, store: Store) -> Generation:
        """Serves until it is time to stop; returns what is being served then."""
        while True:
            waits = [asyncio.create_task(event.wait()) for event in (self._stop, self._wanted)]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
            if self._stop.is_set():
                return current
            self._wanted.clear()
            current = await self._reloaded(current, store)

    async def _reloaded(self, current: Generation, store: Store) -> Generation:
        """The new configuration, in service; or the one that was, if the new one does not hold."""
        try:
            settings, keyring = self._files.read()
            _check_fixed(current.settings, settings)
            new = await self._begin(settings, keyring, store)
        except ConfigError as error:
            refused = [f"{problem.path}: {problem.reason}" for problem in error.problems]
            if error.passing:
                return self._again_soon(current, "; ".join(refused))
            log.warning("configuration.refused", problems=refused)
            paths = [problem.path for problem in error.problems]
            current.audit(AuditEvent.CONFIGURATION_REFUSED, process=os.getpid(), problems=paths)
            return current
        except OSError as error:  # such as too many open files, which says nothing of the configuration
            return self._again_soon(current, error.strerror)
        except Exception:  # whatever it is, whom the old one serves must not be sent away for it
            log.exception("configuration.broken")
            current.audit(AuditEvent.CONFIGURATION_REFUSED, process=os.getpid(), problems=[])
            return current
        await current.retreat()
        log.info("configuration.taken", apps=len(settings.apps), chains=len(settings.chains))
        task = asyncio.create_task(current.end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        return new

    def _again_soon(self, current: Generation, reason: str | None) -> Generation:
        """What is in service goes on; the files are read again in a moment, also where nobody changes them."""
        log.error("configuration.not_taken", reason=reason)
        asyncio.get_running_loop().call_later(LOOK_SECONDS, self._wanted.set)
        return current

    async def _begin(self, settings: Settings, keyring: Keyring, store: Store) -> Generation:
        return await Generation.begin(settings, keyring, store, self._meter, self._sockets, self._tracing)

    def _obey(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._wanted.set)

    async def _watch(self) -> None:
        """Asks for a reload when the configuration or the keys have changed, and then stayed as they are for a look."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._files.have_changed():
                self._wanted.set()


def _check_fixed(old: Settings, new: Settings) -> None:
    """ConfigError if something has changed that takes a restart."""
    changed = [
        Problem(path, "cannot change while the gateway runs", "restart the gateway to change it")
        for path in FIXED
        if _at(old, path) != _at(new, path)
    ]
    if changed:
        raise ConfigError(tuple(changed))


def _at(settings: Settings, path: str) -> object:
    section, _, key = path.partition(".")
    return getattr(getattr(settings, section), key)
