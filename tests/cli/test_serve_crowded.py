"""``serve`` while thousands hold connections that they do not use, and a flood of strangers asks (T39, T41)."""

from __future__ import annotations

import resource
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from serving import Serving, made, serving

from bench.crowd import crowd

CONNECTIONS = 5000
GIVEN = 1024
"""As most systems give a process at first."""
PAGE = "/logout?app=shop"
HALF = b"GET /.well-known/chain-gateway HTTP/1.1\r\nHost: login"
FLOOD = 1500
"""So many strangers of each kind."""
GROWTH_KIB = 8 * 1024
"""What the allocator may keep of six thousand strangers; 1.4 KiB that stay of each would be more."""
STRANGERS = {
    "/logout?app=shop": b"200",
    "/callback?state={}&code=y": b"400",
    "/relay?state={}": b"400",
    "/resume?{}": b"410",
}


@pytest.fixture(name="many_files")
def with_many_files() -> Iterator[None]:
    """A process that is started now has what most systems give it; this one may have all that there is."""
    given, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert most == resource.RLIM_INFINITY or most > CONNECTIONS + GIVEN, "raise the hard limit of open files"
    resource.setrlimit(resource.RLIMIT_NOFILE, (GIVEN, most))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (given, most))


@contextmanager
def held(port: int) -> Iterator[list[socket.socket]]:
    """Thousands of connections: every second one has sent half a request, the others nothing."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    found: list[socket.socket] = []
    try:
        for number in range(CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", port), timeout=30)
            found.append(connection)
            if number % 2:
                connection.sendall(HALF)
        yield found
    finally:
        for connection in found:
            connection.close()


def resident_kib(gateway: Serving) -> int:
    """How much memory the process has."""
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def rows(database: Path) -> dict[str, int]:
    """How many rows each table of the store has."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as store:
        names = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: store.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}


def test_idle_connections_stop_nobody(tmp_path: Path, many_files: None) -> None:
    """Five thousand of them, more than the process was given at first; whoever comes then is answered at once."""
    path = made(tmp_path)
    with serving(path) as gateway, held(gateway.port) as connections:
        assert len(connections) == CONNECTIONS
        assert [gateway.get(PAGE)[0] for _ in range(20)] == [200] * 20
        open_files = len(list(Path(f"/proc/{gateway.process.pid}/fd").iterdir()))
        assert open_files > CONNECTIONS, "the connections wait in front of the gateway, and not inside"


async def test_a_flood_of_strangers_leaves_nothing(tmp_path: Path) -> None:
    """Thousands of requests of every kind by whom nobody knows: no row in the store, and no memory that stays."""
    path = made(tmp_path)
    with serving(path) as gateway:
        before = rows(tmp_path / "chain.db")
        await flood(gateway.port, FLOOD)
        settled = resident_kib(gateway)
        await flood(gateway.port, FLOOD)
        assert resident_kib(gateway) - settled < GROWTH_KIB
        assert rows(tmp_path / "chain.db") == before


async def flood(port: int, count: int) -> None:
    """So many requests of each kind, no two of them the same."""
    async with crowd(port) as clients:
        for path, status in STRANGERS.items():
            targets = [path.format(f"x{number}") for number in range(count)]
            head = "Host: 127.0.0.1\r\nAccept: text/html\r\n\r\n"
            await clients.send([f"GET {target} HTTP/1.1\r\n{head}".encode() for target in targets], status, b"")
