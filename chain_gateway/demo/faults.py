"""What can be wrong with a site of the demo, on purpose: ``--fail bank=hang`` puts this before the site."""

from __future__ import annotations

import asyncio
import enum
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware
from yarl import URL

from chain_gateway.demo.cast import problem

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HANG_SECONDS: Final = 3600
LONGEST_SECONDS: Final = 60
_SPELLED: Final = re.compile(r"([a-z0-9][a-z0-9_-]*)=([a-z-]+)(?::([0-9]{1,3})s)?", re.ASCII)


class Kind(enum.StrEnum):
    """How a site fails: all but the first at its hop alone, while its pages and its back channel are well."""

    DOWN = "down"
    """Whatever is asked, the connection is closed without an answer; its ping too."""
    HANG = "hang"
    """The request is taken and never answered."""
    ERROR = "error"
    """500, on a page that leads nowhere."""
    NO_RECEIPT = "no-receipt"
    """It does what the ticket says, and sends the browser back without its receipt."""
    RESET = "reset"
    """It does what the ticket says, and the connection breaks before the answer."""
    LOOP = "loop"
    """It redirects to itself for ever."""
    SLOW = "slow"
    """It answers, later."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one site; ``seconds`` is how slow it is."""

    kind: Kind
    seconds: int = 0

    @property
    def breaks(self) -> bool:
        """Whether the hop does not come to its end, sooner or later."""
        return self.kind is not Kind.SLOW

    def before(self, hop_path: str) -> Middleware:
        """Stands before the site whose hop is at ``hop_path``."""

        @web.middleware
        async def stand(request: web.Request, handler: Handler) -> web.StreamResponse:
            if self.kind is Kind.DOWN:
                return _broken(request)
            if request.path != hop_path:
                return await handler(request)
            return await FAILING[self.kind](request, handler, self.seconds)

        return stand


def read_faults(spelled: Iterable[str], apps: Iterable[str]) -> Mapping[str, Fault]:
    """The faults of ``APP=KIND`` items, by app; ConfigError if one names no site of ``apps``, or no kind."""
    known, found = set(apps), {}
    kinds = ", ".join(kind if kind is not Kind.SLOW else "slow:2s" for kind in Kind)
    for item in spelled:
        match = _SPELLED.fullmatch(item)
        if match is None:
            raise problem("--fail", f"{item}: is not APP=KIND", f"KIND is one of {kinds}")
        app, word, seconds = match.groups()
        if app not in known:
            raise problem("--fail", f"{item}: no site has this id", f"write APP=KIND; APP is one of {', '.join(known)}")
        if word not in set(Kind) or (word == Kind.SLOW) != (seconds is not None):
            raise problem("--fail", f"{item}: no site can fail like this", f"write APP=KIND; KIND is one of {kinds}")
        if int(seconds or 0) > LONGEST_SECONDS:
            raise problem("--fail", f"{item}: that is too slow to wait for", f"{LONGEST_SECONDS} seconds are the most")
        found[app] = Fault(Kind(word), int(seconds or 0))
    return found


def _broken(request: web.Request) -> web.Response:
    """Closes the connection; the response is written to nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=web.HTTPServiceUnavailable.status_code)


async def _hang(_request: web.Request, _handler: Handler, _seconds: int) -> web.StreamResponse:
    await asyncio.sleep(HANG_SECONDS)
    return web.Response(status=web.HTTPGatewayTimeout.status_code)


async def _error(_request: web.Request, _handler: Handler, _seconds: int) -> web.StreamResponse:
    return web.Response(text="Internal Server Error", status=web.HTTPInternalServerError.status_code)


async def _no_receipt(request: web.Request, handler: Handler, _seconds: int) -> web.StreamResponse:
    response = await handler(request)
    if "Location" in response.headers:
        url = URL(response.headers["Location"])
        response.headers["Location"] = str(url.without_query_params("receipt"))
    return response


async def _reset(request: web.Request, handler: Handler, _seconds: int) -> web.StreamResponse:
    await handler(request)
    return _broken(request)


async def _loop(request: web.Request, _handler: Handler, _seconds: int) -> web.StreamResponse:
    return web.Response(status=web.HTTPSeeOther.status_code, headers={"Location": request.path_qs})


async def _slow(request: web.Request, handler: Handler, seconds: int) -> web.StreamResponse:
    await asyncio.sleep(seconds)
    return await handler(request)


FAILING: Final[Mapping[Kind, Callable[[web.Request, Handler, int], Awaitable[web.StreamResponse]]]] = {
    Kind.HANG: _hang,
    Kind.ERROR: _error,
    Kind.NO_RECEIPT: _no_receipt,
    Kind.RESET: _reset,
    Kind.LOOP: _loop,
    Kind.SLOW: _slow,
}
