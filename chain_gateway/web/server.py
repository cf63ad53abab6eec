"""The door before the application: what is said, and written down, of a request that no handler gets to see.

A request that cannot be read is answered by aiohttp itself, which repeats in the answer and in the log what it could
not read. That may be a cookie or a ticket: a browser with too many cookies is enough. So the door answers in its own
words, with the headers of every answer, and logs what kind of trouble it was and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from chain_gateway.core.limits import HEADER_FIELD_BYTES, HEADERS_BYTES, REQUEST_LINE_BYTES
from chain_gateway.errors import BadInput, ChainGatewayError
from chain_gateway.web.headers import ALWAYS

KEEPALIVE_SECONDS: Final = 30
"""How long a connection is kept for a whole request to be there, the first one and each next one."""
LINGER_SECONDS: Final = 2
"""How long the rest of a body is read that was answered without it, so that the answer arrives."""
HEADERS: Final = 100
"""How many header fields a request may have."""

_Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
_TURNED_AWAY: Final = {
    HTTPStatus.BAD_REQUEST: BadInput("the request cannot be read", code="bad_input.unreadable"),
    HTTPStatus.EXPECTATION_FAILED: BadInput("an Expect that nobody meets", code="bad_input.expect"),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: BadInput("the headers are too long", code="bad_input.headers"),
}

_SILENT: Final = logging.getLogger("chain_gateway.access")
_SILENT.disabled = True
"""A line of every request would hold its URL, and so its tickets and codes."""

log = structlog.stdlib.get_logger("chain_gateway")


@asynccontextmanager
async def opened(app: web.Application, *, drain_seconds: float) -> AsyncIterator[web.ServerRunner]:
    """Starts ``app`` behind the door; sites are put on the runner that is given.

    At the end no new connection is taken, open requests have ``drain_seconds`` to be answered, and the application
    is cleaned up.
    """
    inside = web.AppRunner(app, access_log=None, handle_signals=False)
    await inside.setup()
    if inside.server is None:
        raise RuntimeError("an application that was set up has no server")
    door = Door(inside.server.request_handler, inside.server.request_factory)
    # aiohttp waits twice for so long: for answers, and then for handlers, none of which it has cut off by then.
    runner = web.ServerRunner(door, handle_signals=False, shutdown_timeout=drain_seconds / 2)
    await runner.setup()
    try:
        yield runner
    finally:
        await runner.cleanup()
        await inside.cleanup()


class Door(web.Server):
    """An aiohttp server that is strict about sizes, and repeats nothing of a request that it turns away."""

    def __init__(self, answer: _Answer, request_factory: Callable[..., web.BaseRequest]) -> None:
        """``answer`` and ``request_factory`` are those of the application's own server."""
        super().__init__(self._handle, request_factory=request_factory)
        self._answer = answer

    def __call__(self) -> web.RequestHandler:
        """The handler of one connection."""
        return _Connection(
            self,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=KEEPALIVE_SECONDS,
            lingering_time=LINGER_SECONDS,
            access_log=_SILENT,
            max_line_size=REQUEST_LINE_BYTES,
            max_field_size=HEADER_FIELD_BYTES,
            max_headers=HEADERS,
        )

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """The application's answer, unless the headers as a whole are too long or expect what nobody does."""
        if sum(len(name) + len(value) for name, value in request.raw_headers) > HEADERS_BYTES:
            return turned_away(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        try:
            return await self._answer(request)
        except web.HTTPExpectationFailed:  # raised before the application's own middlewares, with the header in it
            return turned_away(HTTPStatus.EXPECTATION_FAILED)


class _Connection(web.RequestHandler):
    """One connection, which says our words where aiohttp would say its own."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it repeats the request
    ) -> web.StreamResponse:
        """The answer to what did not parse, or to a failure that no handler caught; the connection ends with it."""
        reference = secrets.token_hex(4)
        if isinstance(exc, HttpProcessingError):
            log.info("request.unreadable", cause=type(exc).__name__, reference=reference)
        else:
            log.error("request.failed", path="-", reference=reference, exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        return turned_away(HTTPStatus(status), reference)


def turned_away(status: HTTPStatus, reference: str = "") -> web.Response:
    """A short plain answer, after which the connection is closed; nothing of the request is in it."""
    error = _TURNED_AWAY.get(status, ChainGatewayError())
    found = f" Reference: {reference}." if reference else ""
    text = f"{error.text} {error.help}\nCode: {error.code}.{found}\n"
    response = web.Response(status=status, text=text, headers=ALWAYS)
    response.force_close()
    return response
