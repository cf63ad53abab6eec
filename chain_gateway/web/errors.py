"""Every refusal as a calm page with a stable code, or as JSON; nothing of the request is repeated in it."""

from __future__ import annotations

import secrets
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from chain_gateway.errors import BadInput, BodyTooLong, ChainGatewayError, NotFound, TooManyRequests, WalkGone
from chain_gateway.service.views import ErrorPage, Link
from chain_gateway.web.cookies import BROWSER, own_cookies
from chain_gateway.web.reply import show

log = structlog.stdlib.get_logger("chain_gateway")

SERVER_ERROR: Final = 500
RETRY_SECONDS: Final = 10
HTTP_CODES: Final = {
    404: NotFound("no such path"),
    405: BadInput("method not allowed", code="bad_input.method"),
    413: BodyTooLong("the body is too long"),
}


@web.middleware
async def error_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns what was raised into an answer; an unknown exception is logged with a reference and told as 500."""
    try:
        return await handler(request)
    except ChainGatewayError as error:
        response = _tell(request, error, error.status)
        if isinstance(error, TooManyRequests):
            response.headers["Retry-After"] = str(RETRY_SECONDS)
        return response
    except web.HTTPException as error:
        known = HTTP_CODES.get(error.status, BadInput(error.reason))
        response = _tell(request, known, error.status)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except Exception:
        reference = secrets.token_hex(4)
        log.exception("request.failed", path=_path(request), reference=reference)
        return _answer(request, ChainGatewayError(), SERVER_ERROR, reference)


def _tell(request: web.Request, error: ChainGatewayError, status: int) -> web.Response:
    reference = secrets.token_hex(4)
    write = log.error if status >= SERVER_ERROR else log.info
    write("request.refused", path=_path(request), code=error.code, detail=error.detail, reference=reference)
    return _answer(request, error, status, reference)


def _answer(request: web.Request, error: ChainGatewayError, status: int, reference: str) -> web.Response:
    may_resume = _has_browser(request) and not isinstance(error, NotFound | WalkGone)
    links = (Link("/resume", "Continue where you left off"),) if may_resume else ()
    return show(request, ErrorPage(error.code, status, error.text, error.help, reference, links), status)


def _has_browser(request: web.Request) -> bool:
    """Whether the request shows a cookie of a browser that we know, or says so."""
    try:
        return BROWSER in own_cookies(request)
    except BadInput:
        return False


def _path(request: web.Request) -> str:
    """The route's path, never the query, which may hold a token."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "-"
