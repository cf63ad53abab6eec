"""A proxy of TCP connections before an app or the gateway, and everything that can go wrong there.

It takes one request from each connection, as the last hop of a real path may: read whole, handed on over a connection
of its own, and answered with what came back. A *fault* is what happens to the one request that it waits for.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Self
from urllib.parse import parse_qsl, urlsplit

END = b"\r\n\r\n"
LOOP = "/around-in-a-circle"


@dataclass(frozen=True)
class Request:
    """One request, as bytes and taken apart."""

    method: str
    target: str
    head: bytes
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def fields(self) -> dict[str, str]:
        """Query and form together."""
        return dict(parse_qsl(urlsplit(self.target).query) + parse_qsl(self.body.decode()))

    @property
    def wire(self) -> bytes:
        """The request as it is handed on: over a connection that ends with its answer."""
        lines = [line for line in self.head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        return b"\r\n".join([*lines, b"Connection: close"]) + END + self.body


@dataclass(frozen=True)
class Answer:
    """What came back, as bytes."""

    wire: bytes

    @property
    def status(self) -> int:
        return int(self.wire.split(b" ", 2)[1])

    @property
    def location(self) -> str:
        """Where it leads; empty if nowhere."""
        for line in self.wire.partition(END)[0].split(b"\r\n"):
            if line.lower().startswith(b"location:"):
                return line.split(b":", 1)[1].strip().decode()
        return ""


@dataclass
class Exchange:
    """A request that reached what is behind the proxy, and its answer (None until it comes)."""

    request: Request
    answer: Answer | None = None


@dataclass
class Passing:
    """One request on its way through: what a fault may do with it."""

    proxy: Proxy
    request: Request
    client: asyncio.StreamWriter

    async def ask(self) -> bytes:
        """Hands it on; returns the whole answer. ConnectionError if nobody is there, or who was there went away."""
        exchange = Exchange(self.request)
        await self.proxy.ready.wait()
        reader, writer = await asyncio.open_connection(*self.proxy.upstream)
        try:
            self.proxy.seen.append(exchange)
            writer.write(self.request.wire)
            await writer.drain()
            wire = await reader.read(-1)
        finally:
            writer.close()
        if END not in wire:
            raise ConnectionResetError("the answer broke off")
        exchange.answer = Answer(wire)
        return wire

    def give(self, wire: bytes) -> None:
        """Answers."""
        self.client.write(wire)

    def reset(self) -> None:
        """Ends the connection as a machine does that has forgotten it."""
        linger = b"\x01\x00\x00\x00" + bytes(4)
        self.client.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.client.transport.abort()

    async def hold(self) -> None:
        """Says that it is held, and waits until the test lets go."""
        self.proxy.held.set()
        await self.proxy.let_go.wait()


Fault = Callable[[Passing], Awaitable[None]]
Wanted = Callable[[Request], bool]


async def passes(it: Passing) -> None:
    """No fault."""
    it.give(await it.ask())


async def request_late(it: Passing) -> None:
    await it.hold()
    it.give(await it.ask())


async def answer_late(it: Passing) -> None:
    wire = await it.ask()
    await it.hold()
    it.give(wire)


async def request_lost(it: Passing) -> None:
    """Nothing reaches what is behind; the connection just ends."""


async def answer_lost(it: Passing) -> None:
    await it.ask()


async def reset_before(it: Passing) -> None:
    it.reset()


async def reset_after(it: Passing) -> None:
    await it.ask()
    it.reset()


async def twice_first(it: Passing) -> None:
    """Two copies arrive; the browser gets the answer to the first."""
    wire = await it.ask()
    await it.ask()
    it.give(wire)


async def twice_second(it: Passing) -> None:
    """A proxy tries again after an answer that it lost; the browser gets the answer to the second."""
    await it.ask()
    it.give(await it.ask())


async def cut_short(it: Passing) -> None:
    """The answer breaks off in the middle of its head."""
    wire = await it.ask()
    it.give(wire[: len(wire.partition(END)[0]) // 2])


def says(status: HTTPStatus, location: str = "") -> Fault:
    """The proxy answers in its own words; nothing reaches what is behind."""
    lead = f"Location: {location}\r\n" if location else ""
    wire = f"HTTP/1.1 {status} {status.phrase}\r\n{lead}Content-Length: 2\r\nConnection: close\r\n\r\nhm"

    async def say(it: Passing) -> None:
        it.give(wire.encode())

    return say


@dataclass
class Proxy:
    """Listens on ``bound`` and hands on to ``upstream``, but for what a fault is waiting for."""

    bound: socket.socket
    upstream: tuple[str, int]
    seen: list[Exchange] = field(default_factory=list)
    """What reached what is behind, in order."""
    held: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether somebody is there behind it; until then what comes waits."""
    struck: int = 0
    """How many requests met the fault."""
    _fault: Fault = passes
    _wanted: Wanted = lambda _: False
    _left: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.ready.set()

    def strike(self, fault: Fault, wanted: Wanted, times: int = 1) -> None:
        """The next ``times`` requests that are ``wanted`` meet ``fault``; -1 for all of them until ``heal``."""
        self.held, self.let_go, self.struck = asyncio.Event(), asyncio.Event(), 0
        self._fault, self._wanted, self._left = fault, wanted, times

    def heal(self) -> None:
        """From now on everything passes, what was held too."""
        self._left = 0
        self.let_go.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._take, sock=self.bound, limit=1 << 20)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.heal()
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            try:
                await self._fault_of(request := await read(reader))(Passing(self, request, client))
                await client.drain()
            finally:
                client.close()

    def _fault_of(self, request: Request) -> Fault:
        if request.path == LOOP:
            return says(HTTPStatus.FOUND, LOOP)
        if not self._left or not self._wanted(request):
            return passes
        self._left -= self._left > 0
        self.struck += 1
        return self._fault


async def read(reader: asyncio.StreamReader) -> Request:
    """One whole request; browsers of these tests tell the length of what they send."""
    head = (await reader.readuntil(END)).removesuffix(END)
    method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    body = await reader.readexactly(int(lengths[0])) if lengths else b""
    return Request(method, target, head, body)
