"""What stands before an app: it notes what comes, and where it is told to, it answers in the place of the app."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.streams import StreamReader

from support.wire import claims, query

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
BACK_CHANNEL = "/chain/backchannel-logout"
HOP = "/chain/hop"


@dataclass
class Front:
    """One app's front door. ``fault`` answers what comes to ``paths`` (all of them if empty); None lets it through."""

    fault: Handler | None = None
    paths: tuple[str, ...] = ()
    tokens: list[dict[str, Any]] = field(default_factory=list)
    """The claims of each logout token that came by the back channel."""
    tickets: list[dict[str, Any]] = field(default_factory=list)
    """The claims of each ticket that a hop brought."""
    seen: list[str] = field(default_factory=list)
    """The path of each request."""
    inside: int = 0
    most: int = 0
    """How many requests are, and ever were, inside at once."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    handler: Handler | None = None
    """The app itself, as the last request would have found it: a fault may let its request through after all."""

    async def arrived(self, count: int) -> None:
        """Returns when that many logout tokens have come."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.tokens) >= count)

    def down(self, *paths: str) -> None:
        """From now on the connection is closed without an answer."""
        self.fault, self.paths = self._close, paths

    def hang(self, *paths: str) -> None:
        """From now on the request is taken and never answered."""
        self.fault, self.paths = self._wait, paths

    def answers(self, status: int, *paths: str) -> None:
        """From now on this status is all that is said."""

        async def say(_request: web.Request) -> web.Response:
            return web.Response(status=status)

        self.fault, self.paths = say, paths

    def well(self) -> None:
        """From now on the app itself answers."""
        self.fault = None

    async def _close(self, request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    async def _wait(self, _request: web.Request) -> web.Response:
        await self.over.wait()
        return web.Response(status=500)

    @contextmanager
    def _counted(self):
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            yield
        finally:
            self.inside -= 1

    def before(self, app: web.Application) -> None:
        """Puts itself before ``app``."""

        @web.middleware
        async def stand(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.seen.append(request.path)
            if request.path == BACK_CHANNEL:
                told = query("?" + await _body(request))
                self.tokens += [claims(told["logout_token"])] if "logout_token" in told else []
                async with self._news:
                    self._news.notify_all()
            elif request.path == HOP:
                brought = query("?" + await _body(request)) if request.method == "POST" else request.query
                self.tickets += [claims(brought["ticket"])] if "ticket" in brought else []
            with self._counted():
                self.handler = handler
                if self.fault is not None and (not self.paths or request.path in self.paths):
                    return await self.fault(request)
                return await handler(request)

        app.middlewares.insert(0, stand)


async def _body(request: web.Request) -> str:
    """The body, which whoever comes after can read once more."""
    body = await request._payload.read()
    again = StreamReader(request.protocol, 2**16, loop=asyncio.get_running_loop())
    again.feed_data(body)
    again.feed_eof()
    request._payload = again
    return body.decode()
