"""A gateway, its apps and a provider, each kind in a process of its own, and what they cost."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from bench.child import Child
from bench.gateways import names, url

ROLES: Final = {"gateway": ("login", "bare"), "provider": ("id",), "apps": ()}
"""Which names each process serves; all others are apps."""


@dataclass(frozen=True, slots=True)
class World:
    """The three processes, and where everything is."""

    ports: Mapping[str, int]
    apps: tuple[str, ...]
    gateway: Child
    apps_server: Child

    def url(self, name: str) -> str:
        """The origin of a name."""
        return url(name, self.ports[name])

    def cpu(self) -> float:
        """The processor time that gateway and apps have taken until now, in seconds."""
        return self.gateway.cpu() + self.apps_server.cpu()


@contextmanager
def a_world(count: int, every: Mapping[str, object]) -> Iterator[World]:
    """A world of ``count`` apps with the settings ``every``, as long as the context lasts."""
    with ExitStack() as stack:
        bound = {
            name: stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            for name in ("login", "id", "bare", *names(count))
        }
        ports = {name: each.getsockname()[1] for name, each in bound.items()}
        children = {}
        for role, served in ROLES.items():
            mine = {name: bound[name] for name in served or names(count)}
            numbers = {name: each.fileno() for name, each in mine.items()}
            spec = json.dumps({"ports": ports, "sockets": numbers, "every": dict(every)})
            child = Child("bench.walk_server", role, spec, sockets=tuple(mine.values()))
            children[role] = stack.enter_context(child)
        for child in children.values():
            child.ask("ready")
        yield World(ports, tuple(names(count)), children["gateway"], children["apps"])
