"""What no handler should see: prefetches, and bodies in a content coding."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from chain_gateway.errors import BadInput


@web.middleware
async def guard_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses a prefetch with 503, as a browser then asks again when its person really comes (Fetch, Sec-Purpose)."""
    purposes = (request.headers.get(name, "").lower() for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"))
    if any("prefetch" in purpose or "preview" in purpose for purpose in purposes):
        return web.Response(status=503, text="Not before you come here.")
    if "Content-Encoding" in request.headers:
        raise BadInput("a content coding", code="bad_input.body")
    return await handler(request)
