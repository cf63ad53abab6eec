"""Many clients at once that cost less than the server: keep-alive connections, and requests written ahead of time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from bench.figures import MeasurementFailed

CONNECTIONS: Final = 32
TOLD_BYTES: Final = 400
_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"Content-Length: "


@dataclass(frozen=True, slots=True)
class Run:
    """How many answers came in how many seconds."""

    answers: int
    seconds: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


class _Turn:
    """What the connections share: the requests that are left, what each answer must be, and the tally."""

    def __init__(self, requests: Sequence[bytes], status: bytes, part: bytes) -> None:
        self.left: Iterator[bytes] = iter(requests)
        self.missing = len(requests)
        self.right = 0
        self.wrong = b""
        self.done = asyncio.get_running_loop().create_future()
        self._begin = b"HTTP/1.1 " + status
        self._part = part

    def count(self, answer: bytes) -> None:
        """Takes one answer into the tally; the last one ends the turn."""
        if answer.startswith(self._begin) and self._part in answer:
            self.right += 1
        else:
            self.wrong = answer
        self.missing -= 1
        if not self.missing and not self.done.done():
            self.done.set_result(None)


class _Connection(asyncio.Protocol):
    """One keep-alive connection: the next request goes out when the answer to the last one is there."""

    def __init__(self) -> None:
        self.turn: _Turn | None = None
        self.transport: asyncio.WriteTransport | None = None
        self._part = b""

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol; an end in the middle ends the turn."""
        if self.turn is not None and not self.turn.done.done():
            self.turn.done.set_exception(MeasurementFailed(f"a connection was closed: {exc}"))

    def close(self) -> None:
        """Closes the connection, whatever is under way."""
        self.turn = None
        if self.transport is not None:
            self.transport.close()

    def send(self, turn: _Turn) -> None:
        """Sends the next request of ``turn``, if one is left."""
        self.turn = turn
        request = next(turn.left, None)
        if request is not None and self.transport is not None:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol; takes the answer into the tally once its end is there."""
        turn = self.turn
        if turn is None:
            return
        if self._part:
            data = self._part + data
        end = data.find(_END) + len(_END)
        at = data.find(_LENGTH) + len(_LENGTH)
        if end < len(_END) or len(data) < end + int(data[at : data.index(b"\r", at)]):
            self._part = data
            return
        self._part = b""
        turn.count(data)
        self.send(turn)


class Crowd:
    """Connections to one port of loopback."""

    def __init__(self, connections: Sequence[_Connection]) -> None:
        """Made by ``crowd``."""
        self._connections = connections

    async def send(self, requests: Sequence[bytes], status: bytes, part: bytes) -> Run:
        """Sends each request once, one at a time on each connection.

        MeasurementFailed if a connection ends, or if an answer has not that ``status`` or does not hold ``part``.
        """
        turn = _Turn(requests, status, part)
        began = time.perf_counter()
        for connection in self._connections:
            connection.send(turn)
        await turn.done
        run = Run(len(requests), time.perf_counter() - began)
        if turn.right < run.answers:
            wrong = f"{run.answers - turn.right} of {run.answers} answers are wrong"
            raise MeasurementFailed(f"{wrong}, the last of them: {turn.wrong[:TOLD_BYTES]!r}")
        return run


@asynccontextmanager
async def crowd(port: int, connections: int = CONNECTIONS) -> AsyncIterator[Crowd]:
    """That many open connections to ``port``, as long as the context lasts."""
    loop = asyncio.get_running_loop()
    opened = []
    try:
        for _ in range(connections):
            transport, connection = await loop.create_connection(_Connection, "127.0.0.1", port)
            connection.transport = transport
            opened.append(connection)
        yield Crowd(opened)
    finally:
        for connection in opened:
            connection.close()
