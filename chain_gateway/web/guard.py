"""What no handler should see: prefetches, and bodies in a content coding."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from chain_gateway.errors import BadInput


@web.middleware
async def guard_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses a prefetch with 503, as a browser then asks again when its person really comes (Fetch, Sec-Purpose)."""
    if "prefetch" in request.headers.get("Sec-Purpose", "") or request.headers.get("Purpose") == "prefetch":
        return web.Response(status=503, text="Not before you come here.")
    if "Content-Encoding" in request.headers:
        raise BadInput("a content coding", code="bad_input.body")
    return await handler(request)
