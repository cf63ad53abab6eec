"""Real servers of Redis, each on a free port of loopback in a folder of its own, ended with the test."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import redis

from chain_gateway.store.redis import RedisStore
from chain_gateway.store.redis.places import read_place

READY = re.compile(rb"Ready to accept connections|Sentinel ID is")
QUIET = {"save": '""', "appendonly": "no", "bind": "127.0.0.1", "daemonize": "no", "logfile": '""'}


def free_port() -> int:
    """A port that was free a moment ago, whose number leaves room for a cluster's bus."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as bound:
            port: int = bound.getsockname()[1]
        if port + 10_000 < 2**16:
            return port


@dataclass
class Server:
    """One server; ``options`` are lines of its configuration."""

    folder: Path
    options: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    program: str = "redis-server"
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, also once more on what its files kept; returns when it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "server.conf"
        if not file.exists():
            lines = {"port": str(self.port), "dir": str(self.folder), **QUIET, **self.options}
            if self.program == "redis-sentinel":
                lines = {name: value for name, value in lines.items() if name not in {"save", "appendonly"}}
            file.write_text("".join(f"{name.split('#')[0]} {value}\n" for name, value in lines.items()))
        self.process = subprocess.Popen(
            [self.program, str(file)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.folder
        )
        assert self.process.stdout is not None
        told = b""
        for line in self.process.stdout:
            told += line
            if READY.search(line):
                return
        raise AssertionError(told.decode())

    def kill(self) -> None:
        """SIGKILL, as when a machine loses it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def client(self, **options: object) -> redis.Redis:
        """Somebody who may do everything."""
        return redis.Redis(port=self.port, protocol=2, **options)  # type: ignore[call-overload, no-any-return]

    def ask(self, *words: str) -> object:
        """One command by somebody who may do everything."""
        with self.client() as client:
            return client.execute_command(*words)  # type: ignore[no-untyped-call]

    @property
    def url(self) -> str:
        """What ``store.url`` says of it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def store(self) -> RedisStore:
        """A store on it, not yet opened."""
        return a_store(self.url)


def a_store(url: str) -> RedisStore:
    """The store of a URL, not yet opened."""
    return RedisStore(read_place(urlsplit(url)))


@contextmanager
def running(*servers: Server) -> Iterator[None]:
    """Servers that run while the block does."""
    try:
        for each in servers:
            each.start()
        yield
    finally:
        for each in servers:
            each.kill()
