"""What stands before the two gateways: each connection goes to one of them, and to the other if that one refuses."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

BYTES = 65536


class Front:
    """Bytes to and fro. ``places`` are the gateways' sockets, taken in turn."""

    def __init__(self, places: Sequence[Path]) -> None:
        """Listens nowhere yet."""
        self.places = places
        self._turn = 0
        self._ways: set[asyncio.Task[None]] = set()
        self._served: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        task = asyncio.current_task()
        assert task is not None
        self._served.add(task)
        try:
            streams = await self._gateway()
            if streams is not None:
                there, back = streams
                ways = {asyncio.create_task(_pipe(reader, back)), asyncio.create_task(_pipe(there, writer))}
                self._ways |= ways
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in ways:
                    way.cancel()
                self._ways -= ways
                back.close()
        finally:
            writer.close()
            self._served.discard(task)

    async def close(self) -> None:
        """Ends every connection."""
        for way in self._ways:
            way.cancel()
        await asyncio.gather(*self._served)

    async def _gateway(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """A connection to the next gateway that takes one."""
        self._turn += 1
        for number in range(len(self.places)):
            place = self.places[(self._turn + number) % len(self.places)]
            with suppress(OSError):
                return await asyncio.open_unix_connection(str(place))
        return None


async def _pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(BYTES):
            target.write(data)
            await target.drain()


@asynccontextmanager
async def a_front(bound: socket.socket, places: Sequence[Path]) -> AsyncIterator[Front]:
    """A front on ``bound`` as long as the context lasts."""
    front = Front(places)
    server = await asyncio.start_server(front.serve, sock=bound)
    try:
        yield front
    finally:
        server.close()
        await front.close()
