"""A gateway in a process of its own, with a clock that can be moved, that can be made to die at any of its writes.

It is ``chain-gateway serve`` itself, forked from a process that has loaded everything before, as loading takes longer
than a whole walk. On each line of standard input one is started, and standard output tells what becomes of it:
``pid N``, ``listening …``, ``wrote NAME`` after each write to the store, ``ended CODE``.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from chain_gateway import assembly
from chain_gateway.assembly import World, build
from chain_gateway.cli import generation, serve, worker
from chain_gateway.outgoing import AppCalls
from chain_gateway.service import health
from chain_gateway.store.base import Store
from chain_gateway.store.urls import open_store

WALKING = frozenset({"take_epoch", "login_epoch", "open_walk", "advance", "once", "clear_op"})
"""The writes that a request makes."""
PING_SECONDS = 60
"""How long an app may take to say that it is up, and each sign-out asks: one test stops the gateway meanwhile."""
BESIDE = frozenset({"owed", "note", "defer"})
"""The writes of deliveries."""


def say(*words: object) -> None:
    """One line, out of the process at once."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


class MovedClock:
    """The real time, and as many seconds more as the file at ``path`` says."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> float:
        return time.time() + float(self._path.read_text())


class DeadlyStore:
    """A store that tells of its writes, and at one of them kills its process.

    The file at ``orders`` says which: ``before 3`` or ``after 3`` for the third write of a request from when the file
    was written; ``before note`` or ``after note`` for the next of that name. An empty file says none.
    """

    def __init__(self, store: Store, orders: Path) -> None:
        self._store = store
        self._path = orders
        self._orders = ""
        self._count = 0

    def __getattr__(self, name: str) -> object:
        method = getattr(self._store, name)
        return partial(self._written, name, method) if name in WALKING | BESIDE else method

    async def _written(self, name: str, method: Callable[..., Awaitable[object]], *args: object, **kwargs: object):
        orders = self._path.read_text()
        if orders != self._orders:
            self._orders, self._count = orders, 0
        self._count += name in WALKING
        met = {name, f"{self._count}"} if name in WALKING else {name}
        self._die("before", met, name)
        result = await method(*args, **kwargs)
        if name != "owed" or result:
            self._die("after", met, name)
            say("wrote", name)
        return result

    def _die(self, when: str, met: set[str], name: str) -> None:
        if self._orders.partition(" ")[0] == when and self._orders.partition(" ")[2] in met:
            self._path.write_text("")
            say("killed", when, name)
            os.kill(os.getpid(), signal.SIGKILL)


def serve_one(config: Path, clock: Path, orders: Path) -> int:
    """Serves until SIGTERM; returns the exit code."""
    sys.stdout.reconfigure(line_buffering=True)
    worker.open_store = lambda url: DeadlyStore(open_store(url), orders)
    health.FRESH_SECONDS = 0
    assembly.AppCalls = partial(AppCalls, ping=PING_SECONDS)
    generation.build = partial(build, world=World(clock=MovedClock(clock)))
    return serve.serve(config, workers=1)


def main(*paths: str) -> None:
    """Starts a gateway for each line, one after the other."""
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(serve_one(*map(Path, paths)))
        say("pid", child)
        say("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main(*sys.argv[1:])
