"""Many applications on one port, told apart by the host that a request names."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from chain_gateway.web.server import Door

STOP_SECONDS = 2.0


class Hosts:
    """Serves each application under its own host; a request for any other host gets 421 and the list.

    Each application keeps its own life: start-up, limits, clean-up. A request finds it by one look-up.
    """

    def __init__(self, applications: Mapping[str, web.Application]) -> None:
        """``applications`` by host name, without the port."""
        self._names = sorted(applications)
        self._runners = {host: web.AppRunner(app, access_log=None) for host, app in applications.items()}
        self._servers: dict[str, web.Server] = {}
        self._front: web.ServerRunner | None = None

    async def start(self, sockets: list[socket.socket]) -> None:
        """Starts every application, then listens on ``sockets``, which are bound already."""
        for host, runner in [*self._runners.items()]:
            await runner.setup()
            if runner.server is not None:
                self._servers[host] = runner.server
        self._front = web.ServerRunner(Door(self._handle, self._request), shutdown_timeout=STOP_SECONDS)
        await self._front.setup()
        for listening in sockets:
            await web.SockSite(self._front, listening).start()

    async def stop(self) -> None:
        """Closes the door, then every application."""
        if self._front is not None:
            await self._front.cleanup()
        for runner in self._runners.values():
            await runner.cleanup()

    def _server(self, host: str) -> web.Server | None:
        """The server of the application whose host a ``Host`` header names."""
        name, _, _ = host.partition(":")
        return self._servers.get(name.lower())

    def _request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:
        """The request as its application makes it, with that application's limits."""
        server = self._server(message.headers.get("Host", ""))
        if server is None:
            return web.BaseRequest(message, payload, protocol, writer, task, asyncio.get_running_loop())
        return server.request_factory(message, payload, protocol, writer, task)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer of the application."""
        server = self._server(request.headers.get("Host", ""))
        if server is None:
            return web.Response(status=421, text="Here are only:\n" + "\n".join(self._names) + "\n")
        return await server.request_handler(request)
