"""A line to a server that loses answers: the server has done what was asked, and nobody hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Lossy:
    """``lose`` is how many of the next answers are lost, each with its connection; ``taken`` counts connections."""

    server: int
    port: int = 0
    lose: int = 0
    lost: int = 0
    taken: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        self.taken += 1
        inward, outward = await asyncio.open_connection("127.0.0.1", self.server)
        asking = asyncio.create_task(self._carry(reader, outward))
        self._tasks.add(asking)
        asking.add_done_callback(self._tasks.discard)
        with suppress(ConnectionError):
            while answer := await inward.read(2**16):
                if self.lose:
                    self.lose -= 1
                    self.lost += 1
                    break
                writer.write(answer)
                await writer.drain()
        for each in (writer, outward):
            each.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while asked := await reader.read(2**16):
                writer.write(asked)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def losing(server: int) -> AsyncIterator[Lossy]:
    """A line to the server of that port."""
    line = Lossy(server)
    listener = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    line.port = listener.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        listener.close()
        await asyncio.gather(*line._tasks, return_exceptions=True)
