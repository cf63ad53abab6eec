"""The headers of every answer, errors included."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

ALWAYS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Server": "chain-gateway",
}
"""What an answer gets that does not say otherwise itself, as pages do."""
HSTS: Final = "max-age=31536000"


def headers_middleware(*, https: bool) -> Middleware:
    """Adds ``ALWAYS``, and HSTS where the gateway is served by https; the outermost middleware."""

    @web.middleware
    async def add_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        headers = response.headers
        headers.extend([each for each in ALWAYS.items() if each[0] not in headers])
        if https:
            response.headers["Strict-Transport-Security"] = HSTS
        return response

    return add_headers
