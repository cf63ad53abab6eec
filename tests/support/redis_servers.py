"""Real servers of Redis, each on a free port of loopback in a folder of its own, ended with the test."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
import trustme

from bench.ports import free_port
from bench.soak.servers import WAIT_MS, replicas_with_all
from chain_gateway.store.redis import RedisStore
from chain_gateway.store.redis.places import read_place

READY = "Ready to accept connections|Sentinel ID is"
BUS = 10_000
"""How far above a cluster node's port is the one at which it talks to the others."""
SLOTS = ((0, 5460), (5461, 10922), (10923, 16383))
QUIET = {
    "save": '""',
    "appendonly": "no",
    "bind": "127.0.0.1",
    "daemonize": "no",
    "repl-diskless-sync-delay": "0",
    "logfile": '""',
}


@dataclass
class Server:
    """One server; ``options`` are lines of its configuration."""

    folder: Path
    options: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=lambda: free_port(BUS))
    program: str = "redis-server"
    way_in: dict[str, Any] = field(default_factory=dict)
    """What somebody needs who may do everything."""
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
        self.heard(READY)

    def heard(self, pattern: str) -> str:
        """Waits for a line of its log."""
        assert self.process is not None
        assert self.process.stdout is not None
        told = ""
        for line in self.process.stdout:
            told += line.decode()
            if re.search(pattern, line.decode()):
                return line.decode()
        raise AssertionError(f"no {pattern!r} in:\n{told}")

    def kill(self) -> None:
        """SIGKILL, as when a machine loses it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def ask(self, *words: str | int) -> object:
        """One command by somebody who may do everything."""
        with redis.Redis(host="127.0.0.1", port=self.port, protocol=2, **self.way_in) as client:
            return client.execute_command(*words)

    def copied(self) -> None:
        """Returns when a replica has all that was written before."""
        with redis.Redis(host="127.0.0.1", port=self.port, protocol=2, **self.way_in) as client:
            assert replicas_with_all(client, WAIT_MS) == 1

    @property
    def url(self) -> str:
        """What ``store.url`` says of it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def store(self) -> RedisStore:
        """A store on it, not yet opened."""
        return a_store(self.url)


PATIENT_SECONDS = 20
"""How long a store waits for an answer where nothing is meant to go wrong, however busy the machine is."""


def a_store(url: str) -> RedisStore:
    """The store of a URL, not yet opened."""
    return RedisStore(read_place(urlsplit(url)))


def a_patient_store(url: str) -> RedisStore:
    """The same, for where every answer comes in the end."""
    return RedisStore(read_place(urlsplit(url)), PATIENT_SECONDS)


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


RIGHTS = "chain on >pa:ss resetchannels ~cg{* -@all +@read +@write -@dangerous +eval +evalsha +info +select +ping"
"""What a gateway needs, as ``docs/decisions/0008-redis.md`` says it; in a cluster the others as well."""
CLUSTER_RIGHTS = f"{RIGHTS} +cluster|slots +cluster|shards +command +asking"
USERINFO = "chain:pa%3Ass@"


@dataclass
class Ground:
    """Servers that stand together as one store."""

    url: str
    servers: tuple[Server, ...]

    def store(self) -> RedisStore:
        """A store on it, not yet opened."""
        return a_store(self.url)

    def clear(self) -> None:
        """Forgets everything."""
        for each in self.servers:
            told = each.ask("ROLE")
            if isinstance(told, list) and told[0] == b"master":
                each.ask("FLUSHALL")


@contextmanager
def alone(folder: Path, **options: str) -> Iterator[Ground]:
    """One server."""
    server = Server(folder, options)
    with running(server):
        yield Ground(server.url, (server,))


@contextmanager
def behind_tls(folder: Path, *, clients: bool = False) -> Iterator[Ground]:
    """One server that speaks TLS alone, and lets in one user; with ``clients`` it asks for their certificates, too."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name in ("server", "client"):
        leaf = authority.issue_cert("127.0.0.1")
        leaf.private_key_pem.write_to_path(folder / f"{name}.key")
        leaf.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
    options = {
        "tls-cert-file": str(folder / "server.pem"),
        "tls-key-file": str(folder / "server.key"),
        "tls-ca-cert-file": str(folder / "ca.pem"),
        "tls-auth-clients": "yes" if clients else "no",
        "user#1": RIGHTS,
        "user#2": "admin on >admin ~* +@all",
        "user#3": "default off",
    }
    port = free_port()
    way_in = {"ssl": True, "ssl_ca_certs": str(folder / "ca.pem"), "username": "admin", "password": "admin"}
    pair = {"ssl_certfile": str(folder / "client.pem"), "ssl_keyfile": str(folder / "client.key")}
    server = Server(
        folder, options | {"tls-port": str(port), "port": "0"}, port, way_in=way_in | (pair if clients else {})
    )
    with running(server):
        yield Ground(f"rediss://{USERINFO}127.0.0.1:{port}?ca={folder}/ca.pem", (server,))


@contextmanager
def watched(folder: Path, password: str = "") -> Iterator[Ground]:
    """A primary, its replica, and a sentinel that watches them as ``main``; another sentinel is down.

    The sentinel asks for ``password``, which the URL has not yet.
    """
    primary = Server(folder / "one", {"user": RIGHTS})
    replica = Server(folder / "two", {"user": RIGHTS, "replicaof": f"127.0.0.1 {primary.port}"})
    words = {
        "sentinel#1": f"monitor main 127.0.0.1 {primary.port} 1",
        "sentinel#2": "down-after-milliseconds main 60000",  # a busy machine is no reason for a failover
        "sentinel#3": "failover-timeout main 2000",
    }
    way_in = {}
    if password:
        words, way_in = words | {"requirepass": f'"{password}"'}, {"password": password}
    sentinel = Server(folder / "sentinel", words, program="redis-sentinel", way_in=way_in)
    with running(primary, replica):
        replica.heard("sync: Finished with success|MASTER <-> REPLICA sync: Finished")
        with running(sentinel):
            sentinel.heard(r"\+slave slave")
            url = f"redis+sentinel://{USERINFO}127.0.0.1:{free_port()},127.0.0.1:{sentinel.port}/main"
            yield Ground(url, (primary, replica, sentinel))


def looks_closely(sentinel: Server) -> None:
    """From now on it takes a server for dead that is silent for 0.3 s; before it waited for a minute."""
    sentinel.ask("SENTINEL", "SET", "main", "down-after-milliseconds", 300)


@contextmanager
def cluster(folder: Path) -> Iterator[Ground]:
    """Three nodes, each with a third of the slots."""
    options = {"user": CLUSTER_RIGHTS, "cluster-enabled": "yes", "cluster-node-timeout": "2000"}
    nodes = [Server(folder / f"node{number}", options) for number in range(3)]
    with running(*nodes):
        for number, (node, (first, last)) in enumerate(zip(nodes, SLOTS, strict=True), 1):
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number)
            node.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
            node.ask("CLUSTER", "MEET", "127.0.0.1", nodes[0].port)
        for node in nodes:
            node.heard("Cluster state changed: ok")
        yield Ground(f"redis+cluster://{USERINFO}127.0.0.1:{free_port()},127.0.0.1:{nodes[1].port}", tuple(nodes))
