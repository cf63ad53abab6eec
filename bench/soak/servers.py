"""Redis as one has it that must not stand still: a primary, a replica, and three sentinels that watch them."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import redis

from bench.figures import MeasurementFailed
from bench.ports import free_port

NAME: Final = "soak"
SENTINELS: Final = 3
QUORUM: Final = 2
PATIENCE: Final = 30
LOOK: Final = 0.05
WAIT_MS: Final = 20_000
DOWN_MS: Final = 500
NEVER_MS: Final = 60_000
BROKEN: Final = (redis.RedisError, OSError)
COMMON: Final = {"bind": "127.0.0.1", "daemonize": "no", "logfile": '""'}
MARK: Final = "soak-mark"
"""A key that is none of the store's."""
SERVER: Final = {"appendonly": "yes", "appendfsync": "everysec", "save": '""', "repl-diskless-sync-delay": "0"}


async def until(holds: Callable[[], Awaitable[bool]], what: str, seconds: float = PATIENCE) -> None:
    """Returns once ``holds`` says so; MeasurementFailed with ``what`` did not come if it never does."""
    end = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > end:
            raise MeasurementFailed(f"{what} did not come in {seconds} seconds")
        await asyncio.sleep(LOOK)


def replicas_with_all(client: redis.Redis, wait_ms: int) -> int:
    """How many replicas have all that was written before; it waits for the first of them, but no longer than that.

    WAIT answers for the writes of its own connection, so a mark is written first, and both go in one piece: on a
    connection that has written nothing it answers at once.
    """
    batch = client.pipeline(transaction=False)
    batch.execute_command("SET", MARK, "1", "PX", WAIT_MS)
    batch.execute_command("WAIT", 1, wait_ms)
    return int(batch.execute()[1])


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

    def copied(self, wait_ms: int = WAIT_MS) -> float:
        """A time: whatever this server acknowledged before it is at its replica. MeasurementFailed if that lags behind.

        The time is that before the mark, not that of the answer: of what others wrote in between WAIT says nothing.
        """
        at = time.time()
        with redis.Redis(host="127.0.0.1", port=self.port, protocol=2, socket_timeout=wait_ms / 1000 + 2) as client:
            try:
                replicas = replicas_with_all(client, wait_ms)
            except BROKEN as error:
                raise MeasurementFailed(f"the primary of Redis at {self.port} did not answer: {error}") from error
        if not replicas:
            raise MeasurementFailed(f"the replica of Redis had not caught up with {self.port} in {wait_ms} ms")
        return at

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
            f"sentinel down-after-milliseconds {NAME} {NEVER_MS}",
            f"sentinel failover-timeout {NAME} 3000",
        )
        await asyncio.gather(*(each.start(*watch) for each in self.sentinels))
        for each in self.sentinels:
            await until(partial(_knows_all, each), "the sentinels' word of the replica and of one another")

    async def fail_over(self) -> float:
        """Kills the primary; returns when the replica has taken its place, and the old one follows it.

        The answer is the time since which the primary may have acknowledged what the replica had not heard of.
        """
        await until(self._in_sync, "the replica's sync")
        await asyncio.to_thread(self.primary.copied)  # it catches up in this one, so the one that counts is short
        since = await asyncio.to_thread(self.primary.copied)
        await self._down_after(DOWN_MS)
        self.primary.kill()
        await until(lambda: self.replica.says(b"master", "ROLE"), "the failover")
        await self._down_after(NEVER_MS)
        self.primary, self.replica = self.replica, self.primary
        await self.replica.start("--replicaof", f"127.0.0.1 {self.primary.port}")
        await until(lambda: self.replica.says(b"slave", "ROLE"), "the old primary as a replica")
        return since

    async def _down_after(self, milliseconds: int) -> None:
        """How long a server is silent before the sentinels take it for dead: short when one is meant to be.

        A busy machine is silent for half a second by itself, and a failover that nobody planned loses more.
        """
        for each in self.sentinels:
            await asyncio.to_thread(each.ask, "SENTINEL", "SET", NAME, "down-after-milliseconds", milliseconds)

    async def _in_sync(self) -> bool:
        with suppress(*BROKEN):
            told = await asyncio.to_thread(self.replica.ask, "INFO", "replication")
            return bool(told["master_link_status"] == "up" and not told["master_sync_in_progress"])
        return False

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
