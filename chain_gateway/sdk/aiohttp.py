"""The SDK for aiohttp: ``setup_chain`` once, then ``chain_session`` and ``login_required`` in the handlers.

What is decided is decided elsewhere (``app_side``, ``hop``, ``session``); here requests are read and replies written.
Nothing is ever taken from ``Host`` or ``X-Forwarded-*``: addresses come from the configuration alone.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import StreamReader, web
from aiohttp.typedefs import Middleware
from multidict import CIMultiDict, MultiDict, MultiMapping

from chain_gateway.core.limits import REQUEST_SECONDS, TICKET_BYTES
from chain_gateway.errors import BadInput, ChainGatewayError, StoreUnavailable
from chain_gateway.sdk.app_side import AppSide, Arrival, Prefetched
from chain_gateway.sdk.config import ChainConfig
from chain_gateway.sdk.cookies import delete_cookie
from chain_gateway.sdk.jwks import fetch_jwks
from chain_gateway.sdk.keys import KeyCache, KeySource
from chain_gateway.sdk.links import Sender, sign_in, sign_in_again, sign_out, sign_out_asking
from chain_gateway.sdk.reply import PRIVATE, Reply, page
from chain_gateway.sdk.session import NOTHING, PREFIX, Session, Shown, outlived

__all__ = ["chain_session", "login_required", "setup_chain"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

FORM_BYTES: Final = 2 * TICKET_BYTES
FORM_FIELDS: Final = 16
PAGES_REFERRER_POLICY: Final = "same-origin"
"""Tells no other site where the person was, and lets the sign-out form say its Origin, as ``no-referrer`` would not."""
FORM_TYPE: Final = "application/x-www-form-urlencoded"

_PING: Final = {**PRIVATE, "Cross-Origin-Resource-Policy": "cross-origin"}


@dataclass(slots=True)
class _Seen:
    """What the middleware found out about a request; ``asked`` once the handler looked at the session."""

    shown: Shown
    session: Session | None
    trouble: StoreUnavailable | None = None
    asked: bool = False


_SIDE: Final = web.AppKey("chain_side", AppSide)
_SEEN: Final = web.RequestKey("chain_seen", _Seen)


def setup_chain(
    app: web.Application,
    chain: ChainConfig,
    *,
    keys: KeySource | None = None,
    clock: Callable[[], float] = time.time,
    random: Callable[[int], bytes] = os.urandom,
) -> None:
    """Mounts the routes of ``chain`` on ``app`` and installs the session rule; call it before the app starts.

    The gateway's keys are fetched when the first ticket comes, unless ``keys`` gives them. ``clock`` returns seconds
    since 1970. When the app is cleaned up, the configured memory is closed.
    """
    side = AppSide(chain, keys or KeyCache(partial(fetch_jwks, chain.gateway)), clock, random)
    own = partial(_own, side)
    app[_SIDE] = side
    app.middlewares.insert(0, _finder(side))
    app.on_response_prepare.append(_finish)
    app.on_cleanup.append(_close)
    app.add_routes(
        [
            web.post(chain.hop_path, own(_hop)),
            web.get(chain.hop_path, own(_hop), allow_head=False),
            web.get(chain.ping_path, _ping, allow_head=False),
            web.post(chain.backchannel_logout_path, own(_backchannel_logout)),
            web.get(chain.login_path, own(_login), allow_head=False),
            web.get(chain.logout_path, own(_logout_asking), allow_head=False),
            web.post(chain.logout_path, own(_logout)),
        ]
    )


def chain_session(request: web.Request) -> Session | None:
    """Who is signed in, with ``sub``, ``sid``, ``claims``, ``auth_time`` and ``epoch``; None for nobody.

    A page that asks is not kept by any cache, as it looks different after the sign-out. Raises 503 where the memory
    of ended sessions does not answer.
    """
    seen = _seen(request)
    seen.asked = True
    if seen.trouble is not None:
        raise web.HTTPServiceUnavailable(text=seen.trouble.text)
    return seen.session


def login_required(handler: Handler) -> Handler:
    """``handler`` for those who are signed in; others go to the gateway and come back to the same address.

    What cannot be sent there and back, because it is no visit of a person to a page, gets 401.
    """

    @wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        if chain_session(request) is not None:
            return await handler(request)
        if request.method not in {"GET", "HEAD"} or request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate":
            raise web.HTTPUnauthorized(text="Not signed in.")
        return _response(sign_in_again(request.config_dict[_SIDE], request.path_qs))

    return guarded


def _finder(side: AppSide) -> Middleware:
    """The middleware that finds the live session before the handler runs."""

    @web.middleware
    async def found(request: web.Request, handler: Handler) -> web.StreamResponse:
        header = "; ".join(request.headers.getall("Cookie", ()))
        request[_SEEN] = await _found(header, side) if PREFIX in header else _Seen(NOTHING, None)
        return await handler(request)

    return found


async def _found(header: str, side: AppSide) -> _Seen:
    """What a ``Cookie`` header shows of ours, and whose session it is."""
    shown = side.jar.shown_by(header, side.now)
    try:
        return _Seen(shown, await side.session(shown))
    except StoreUnavailable as error:
        return _Seen(shown, None, error)


async def _finish(request: web.Request, response: web.StreamResponse) -> None:
    """Keeps what depends on the session out of every cache, and deletes sessions that newer ones have outlived."""
    seen: _Seen | None = request.get(_SEEN)
    if seen is None or not seen.asked:
        return
    response.headers["Cache-Control"] = PRIVATE["Cache-Control"]
    response.headers.setdefault("Referrer-Policy", PAGES_REFERRER_POLICY)
    for name in outlived(seen.shown):
        response.headers.add("Set-Cookie", delete_cookie(name))


async def _close(app: web.Application) -> None:
    """Lets go of the memory."""
    await app[_SIDE].memory.close()


def _own(side: AppSide, answer: Callable[[web.Request, AppSide], Awaitable[Reply]]) -> Handler:
    """A handler of ours: no work ahead of time, and every refusal a plain page."""

    async def handler(request: web.Request) -> web.Response:
        try:
            if "prefetch" in request.headers.get("Sec-Purpose", request.headers.get("Purpose", "")).lower():
                raise Prefetched("asked for ahead of time")
            return _response(await answer(request, side))
        except ChainGatewayError as refusal:
            return _response(page(refusal, side.chain.gateway))

    return handler


async def _hop(request: web.Request, side: AppSide) -> Reply:
    posted = request.method == "POST"
    fields = await _form(request) if posted else request.query
    arrival = Arrival(
        posted=posted,
        origin=_origin(request) if posted else "",
        ticket=_one(fields, "ticket"),
        begin=_one(fields, "begin"),
        shown=_seen(request).shown,
    )
    return await side.hop(arrival)


async def _ping(request: web.Request) -> web.Response:  # noqa: ARG001  (a handler's signature)
    """Tells a page of the gateway that this browser can reach the app; it asks without cookies and reads nothing."""
    return web.Response(status=204, headers=_PING)


async def _backchannel_logout(request: web.Request, side: AppSide) -> Reply:
    try:
        token = _one(await _form(request), "logout_token")
    except BadInput:
        token = ""  # a server asks: it gets the answer of a token that proves nothing, and no page
    return await side.backchannel_logout(token)


async def _login(request: web.Request, side: AppSide) -> Reply:
    return sign_in(side, _one(request.query, "return_to"), _one(request.query, "prompt"))


async def _logout_asking(request: web.Request, side: AppSide) -> Reply:
    return sign_out_asking(side, _one(request.query, "return_to"), _one(request.query, "scope") or "all")


async def _logout(request: web.Request, side: AppSide) -> Reply:
    fields = await _form(request)
    back, scope = _one(fields, "return_to"), _one(fields, "scope") or "all"
    sender = Sender(_origin(request), request.headers.get("Sec-Fetch-Site", ""))
    return sign_out(side, back, scope, sender=sender, session=_seen(request).session)


def _seen(request: web.Request) -> _Seen:
    """What the middleware found; RuntimeError where it is not installed."""
    try:
        return request[_SEEN]
    except KeyError:
        raise RuntimeError("setup_chain(app, chain) was not called for this app") from None


def _origin(request: web.Request) -> str:
    """The one ``Origin`` header; empty if there is none, or more than one."""
    origins = request.headers.getall("Origin", ())
    return origins[0] if len(origins) == 1 else ""


def _one(fields: MultiMapping[str], name: str) -> str:
    """The value of ``name``, empty if it is absent; BadInput if it is there twice."""
    values = fields.getall(name, ())
    if len(values) > 1:
        raise BadInput(f"{name} is there {len(values)} times", code="bad_input.doubled")
    return values[0] if values else ""


async def _form(request: web.Request) -> MultiDict[str]:
    """The fields of a posted form; BadInput if it is none, too big, compressed, or too slow."""
    if request.content_type != FORM_TYPE or "Content-Encoding" in request.headers:
        raise BadInput("not a plain form")
    body = await _body(request.content)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=FORM_FIELDS, errors="strict")
    except ValueError as error:
        raise BadInput("a form that does not parse") from error
    return MultiDict(pairs)


async def _body(content: StreamReader) -> bytes:
    """The body of a form; one that is here already, as almost every one is, is not waited for."""
    if content.is_eof():
        body = content.read_nowait()
        _measured(len(body))
        return body
    read = bytearray()
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            async for chunk in content.iter_any():
                read += chunk
                _measured(len(read))
    except TimeoutError as error:
        raise BadInput("a form that did not come to its end in time") from error
    return bytes(read)


def _measured(length: int) -> None:
    """BadInput if a form is longer than one of ours."""
    if length > FORM_BYTES:
        raise BadInput(f"a form of more than {FORM_BYTES} bytes", code="bad_input.too_long")


def _response(reply: Reply) -> web.Response:
    """``reply`` as aiohttp writes it."""
    headers = CIMultiDict(reply.headers)
    for cookie in reply.cookies:
        headers.add("Set-Cookie", cookie)
    return web.Response(status=reply.status, headers=headers, body=reply.body or None)
