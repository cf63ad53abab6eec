"""Redis as one has it that must not stand still: a primary, a replica, and three sentinels that watch them."""

from __future__ import annotations

import asyncio
import random
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import redis

from bench.figures import MeasurementFailed

NAME: Final = "soak"
SENTINELS: Final = 3
QUORUM: Final = 2
PATIENCE: Final = 30
LOOK: Final = 0.05
PORTS: Final = (20_000, 32_000)
BROKEN: Final = (redis.RedisError, OSError)
COMMON: Final = {"bind": "127.0.0.1", "daemonize": "no", "logfile": '""'}
SERVER: Final = {"appendonly": "yes", "appendfsync": "everysec", "save": '""', "repl-diskless-sync-delay": "0"}


async def until(holds: Callable[[], Awaitable[bool]], what: str, seconds: float = PATIENCE) -> None:
    """Returns once ``holds`` says so; MeasurementFailed with ``what`` did not come if it never does."""
    end = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > end:
            raise MeasurementFailed(f"{what} did not come in {seconds} seconds")
        await asyncio.sleep(LOOK)


def free_port() -> int:
    """A port that nobody listens at, from below those that the system deals out to whoever connects.

    So it is still free a while later, when a server that was killed is started again.
    """
    while True:
        port = random.randrange(*PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Server:
    """One process of Redis."""

    def __init__(self, folder: Path, program: str = "redis-server") -> None:
        """``folder`` keeps its files."""
        self.folder = folder
        self.port = free_port()
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, *options: str) -> None:
        """Starts it, also once more on what its files kept; returns when it answers."""
        program = shutil.which(self._program)
        if program is None:
            raise MeasurementFailed(f"{self._program} is not there; to have it: sudo apt-get install redis-sentinel")
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "server.conf"
        if not file.exists():
            lines = {"port": str(self.port), "dir": str(self.folder), **COMMON}
            lines |= SERVER if self._program == "redis-server" else {}
            file.write_text("".join(f"{name} {value}\n" for name, value in lines.items()) + "\n".join(options) + "\n")
            options = ()
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
                [program, str(file), *options], stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )
        await until(self._answers, f"{self._program} at {self.port}")

    def kill(self) -> None:
        """SIGKILL, as when a machine loses it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ask(self, *words: str | int) -> Any:
        """One command."""
        with redis.Redis(host="127.0.0.1", port=self.port, protocol=2, socket_timeout=2) as client:
            return client.execute_command(*words)

    async def says(self, expected: object, *words: str | int) -> bool:
        """Whether the answer to a command begins with ``expected``."""
        with suppress(*BROKEN):
            answer = await asyncio.to_thread(self.ask, *words)
            return bool((answer[0] if isinstance(answer, list) else answer) == expected)
        return False

    async def _answers(self) -> bool:
        with suppress(*BROKEN):
            return bool(await asyncio.to_thread(self.ask, "PING"))
        return False


class Ground:
    """All of them."""

    def __init__(self, folder: Path) -> None:
        """Nothing runs before ``start``."""
        self.primary, self.replica = Server(folder / "one"), Server(folder / "two")
        self.sentinels = [Server(folder / f"sentinel{n}", "redis-sentinel") for n in range(SENTINELS)]

    @property
    def url(self) -> str:
        """What ``store.url`` says of it."""
        return f"redis+sentinel://{','.join(f'127.0.0.1:{each.port}' for each in self.sentinels)}/{NAME}"

    async def start(self) -> None:
        """Returns when the replica follows, and the sentinels know it and one another."""
        await self.primary.start()
        await self.replica.start(f"replicaof 127.0.0.1 {self.primary.port}")
        await until(lambda: self.replica.says(b"slave", "ROLE"), "the replica")
        watch = (
            f"sentinel monitor {NAME} 127.0.0.1 {self.primary.port} {QUORUM}",
            f"sentinel down-after-milliseconds {NAME} 500",
            f"sentinel failover-timeout {NAME} 3000",
        )
        await asyncio.gather(*(each.start(*watch) for each in self.sentinels))
        for each in self.sentinels:
            await until(partial(_knows_all, each), "the sentinels' word of the replica and of one another")

    async def fail_over(self) -> None:
        """Kills the primary; returns when the replica has taken its place, and the old one follows it."""
        self.primary.kill()
        await until(lambda: self.replica.says(b"master", "ROLE"), "the failover")
        self.primary, self.replica = self.replica, self.primary
        await self.replica.start("--replicaof", f"127.0.0.1 {self.primary.port}")
        await until(lambda: self.replica.says(b"slave", "ROLE"), "the old primary as a replica")

    def kill(self) -> None:
        """Ends all."""
        for each in (*self.sentinels, self.replica, self.primary):
            each.kill()


async def _knows_all(sentinel: Server) -> bool:
    with suppress(*BROKEN):
        replicas = await asyncio.to_thread(sentinel.ask, "SENTINEL", "REPLICAS", NAME)
        others = await asyncio.to_thread(sentinel.ask, "SENTINEL", "SENTINELS", NAME)
        return bool(replicas) and len(others) == SENTINELS - 1 and "s_down" not in f"{replicas}{others}"
    return False


@asynccontextmanager
async def a_ground(folder: Path) -> AsyncIterator[Ground]:
    """The servers run as long as the context lasts."""
    ground = Ground(folder)
    try:
        await ground.start()
        yield ground
    finally:
        ground.kill()
