"""The gateway as a process beside the world of a test: started, killed, and started again on the same file."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from simulator_proxy import Proxy
from simulator_world import Simulation, document, surroundings

from bench.gateways import toml
from bench.ports import free_port
from chain_gateway.cli import keys
from chain_gateway.store.urls import open_store

PROGRAM = Path(__file__).with_name("simulator_gateway.py")
ROOT = Path(__file__).parents[2]


@dataclass
class MovedClock:
    """The real time, moved by what the gateway's process reads from a file."""

    path: Path
    ahead: float = 0

    def __call__(self) -> float:
        return time.time() + self.ahead

    def move(self, seconds: float) -> None:
        """Moves the time of apps, provider and gateway."""
        self.ahead += seconds
        self.path.write_text(f"{self.ahead}")


@dataclass
class GatewayProcess:
    """What a test does to the process. It is started again whenever it ends, as by the system."""

    directory: Path
    front: Proxy
    pid: int = 0
    codes: list[int] = field(default_factory=list)
    """How it ended, each time."""
    killed: list[str] = field(default_factory=list)
    """At which writes it was killed."""
    wrote: Counter[str] = field(default_factory=Counter)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _process: asyncio.subprocess.Process | None = None
    _reader: asyncio.Task[None] | None = None

    @property
    def orders(self) -> Path:
        return self.directory / "orders"

    def die(self, when: str, what: str) -> None:
        """Tells it at which write to kill itself."""
        self.orders.write_text(f"{when} {what}")

    def spare(self) -> bool:
        """Takes the order back; whether it had been carried out."""
        carried_out = not self.orders.read_text()
        self.orders.write_text("")
        return carried_out

    def stop(self) -> None:
        """SIGTERM; what comes new waits at the proxy for the next process."""
        self.front.ready.clear()
        os.kill(self.pid, signal.SIGTERM)

    async def until(self, what: str, count: int) -> None:
        """Returns when that was written ``count`` times."""
        async with self.news:
            await self.news.wait_for(lambda: self.wrote[what] >= count)

    async def ended(self, times: int) -> None:
        """Returns when it has ended that often."""
        async with self.news:
            await self.news.wait_for(lambda: len(self.codes) >= times)

    async def start(self) -> None:
        """Starts the program that starts gateways, and the first of them."""
        self.orders.write_text("")
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, PROGRAM, self.directory / "config.toml", self.directory / "clock", self.orders),
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self._reader = asyncio.create_task(self._read())
        self._again()
        await self.front.ready.wait()

    async def close(self) -> None:
        """Ends it for good."""
        assert self._process is not None
        self._process.stdin.close()
        os.kill(self.pid, signal.SIGKILL)
        await self._process.wait()
        await self._reader

    def _again(self) -> None:
        if not self._process.stdin.is_closing():
            self._process.stdin.write(b"start\n")

    async def _read(self) -> None:
        async for line in self._process.stdout:
            word, _, rest = line.decode().strip().partition(" ")
            match word:
                case "pid":
                    self.pid = int(rest)
                case "listening":
                    self.front.ready.set()
                case "wrote":
                    self.wrote[rest] += 1
                case "killed":
                    self.front.ready.clear()
                    self.killed.append(rest)
                case "ended":
                    self.front.ready.clear()
                    self.codes.append(int(rest))
                    self._again()
            async with self.news:
                self.news.notify_all()


@asynccontextmanager
async def a_gateway_process(directory: Path) -> AsyncIterator[tuple[Simulation, GatewayProcess]]:
    """The world with the gateway in its own process, on SQLite; ``simulation.store`` is a second look at the file."""
    clock = MovedClock(directory / "clock")
    clock.move(0)
    port = free_port()
    async with surroundings(clock, gateway_port=port) as simulation:
        keys.new(directory / "keys.json", int(clock()) - 10, force=False)
        gateway = {"listen": f"127.0.0.1:{port}", "keys": {"file": str(directory / "keys.json")}}
        url = f"sqlite:///{directory / 'chain.db'}"
        urls = simulation.apps | {"login": simulation.gateway}
        sections = {"gateway": gateway, "store": {"url": url}}
        (directory / "config.toml").write_text(toml(document(urls, simulation.op.issuer, **sections)))
        simulation.front.ready.clear()
        process = GatewayProcess(directory, simulation.front)
        await process.start()
        simulation.store = open_store(url)
        await simulation.store.open()
        try:
            yield simulation, process
        finally:
            await simulation.store.close()
            await process.close()
