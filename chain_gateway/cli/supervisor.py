"""Several workers on the same sockets: started, started again when one dies, and stopped together.

Each is a process of its own that inherits the sockets, so a connection waits for whichever is free and survives the
death of those that have not taken it. Counts go into files that all workers share.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from chain_gateway.cli.console import DONE, FAILED, USAGE
from chain_gateway.cli.generation import DRAIN_SECONDS
from chain_gateway.cli.listening import close
from chain_gateway.ops.shared_counts import SHARED

SOCKETS: Final = "CHAIN_GATEWAY_SOCKETS"
"""The environment variable by which a worker learns its sockets: two numbers of descriptors, or a dash for none."""
READY: Final = b"ready\n"
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
"""Seconds before a worker that died is started again: doubled each time, until one has lived for that long."""
LATE_SECONDS: Final = DRAIN_SECONDS + 10
"""How long a worker has to stop before it is killed."""
log = structlog.stdlib.get_logger("chain_gateway")


class Supervisor:
    """Keeps ``count`` workers alive."""

    def __init__(self, path: Path, sockets: Sequence[socket.socket | None], count: int) -> None:
        """Each worker serves the configuration at ``path`` on ``sockets``."""
        self._path = path
        self._sockets = sockets
        self._count = count
        self._alive: set[asyncio.subprocess.Process] = set()
        self._ready: set[asyncio.subprocess.Process] = set()
        self._stop = asyncio.Event()
        self._served = False
        self._refused = False

    async def run(self) -> int:
        """Returns the exit code when all workers have stopped."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        with tempfile.TemporaryDirectory(prefix="chain-gateway-") as counts:
            keepers = [asyncio.create_task(self._keep(number, counts)) for number in range(self._count)]
            await self._stop.wait()
            close(self._sockets)
            self._pass_on(signal.SIGTERM)
            _, late = await asyncio.wait(keepers, timeout=LATE_SECONDS)
            if late:
                log.error("workers.killed", count=len(self._alive))
                self._pass_on(signal.SIGKILL)
            await asyncio.gather(*keepers)
        return USAGE if self._refused else DONE

    async def _keep(self, number: int, counts: str) -> None:
        """Runs the worker of this number again and again, until it is time to stop."""
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            began = asyncio.get_running_loop().time()
            code = await self._once(number, counts)
            if self._stop.is_set():
                return
            if code == USAGE and not self._served:  # later on the file may be bad for a while, and others serve
                self._refused = True
                self._stop.set()
                return
            lived = asyncio.get_running_loop().time() - began
            pause = FIRST_PAUSE if lived > LONGEST_PAUSE else min(2 * pause, LONGEST_PAUSE)
            log.error("worker.died", worker=number, code=code, pause=pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)

    async def _once(self, number: int, counts: str) -> int:
        """One life of a worker; returns its exit code."""
        own = [sock for sock in self._sockets if sock is not None]
        spelled = ",".join(str(sock.fileno()) if sock is not None else "-" for sock in self._sockets)
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "chain_gateway.cli.serve", str(self._path), str(number)),
                env={**os.environ, SOCKETS: spelled, SHARED: counts},
                pass_fds=[sock.fileno() for sock in own],
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        except OSError as error:  # no memory or descriptor is left just now, or the program is being replaced
            log.error("worker.not_started", worker=number, reason=error.strerror)  # noqa: TRY400 - it is the system's
            return FAILED
        self._alive.add(process)
        try:
            if self._stop.is_set():
                process.send_signal(signal.SIGTERM)
            assert process.stdout is not None  # noqa: S101 - it was asked for
            if await process.stdout.readline() == READY:
                self._served = True
                self._ready.add(process)
                log.info("worker.started", worker=number, process=process.pid)
            return await process.wait()
        finally:
            self._alive.discard(process)
            self._ready.discard(process)

    def _pass_on(self, number: signal.Signals) -> None:
        _send(number, self._alive)

    def _reload(self) -> None:
        """One that is still starting would die of it, and sees by itself that a file has changed since it read it."""
        _send(signal.SIGHUP, self._ready)


def _send(number: signal.Signals, processes: Iterable[asyncio.subprocess.Process]) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            process.send_signal(number)


def end_with_supervisor() -> None:
    """Has a worker end calmly when its supervisor is no more: nothing is ever said on standard input but its end.

    Otherwise workers of one that was killed would go on, on sockets that nobody could bind again.
    """

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1):  # no buffer, whose lock the end of the process would wait for
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="supervisor", daemon=True).start()


def inherited(spelled: str) -> list[socket.socket | None]:
    """The sockets that ``SOCKETS`` names, in a worker."""
    return [None if word == "-" else socket.socket(fileno=int(word)) for word in spelled.split(",")]
