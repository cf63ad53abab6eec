"""What no handler should see: prefetches, and bodies in a content coding."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from chain_gateway.errors import BadInput

PURPOSES: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_AHEAD: Final = re.compile(r"prefetch|preview", re.IGNORECASE)


@web.middleware
async def guard_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses a prefetch with 503, as a browser then asks again when its person really comes (Fetch, Sec-Purpose)."""
    headers = request.headers
    for name in PURPOSES:
        purpose = headers.get(name)
        if purpose is not None and _AHEAD.search(purpose):
            return web.Response(status=503, text="Not before you come here.")
    if "Content-Encoding" in headers:
        raise BadInput("a content coding", code="bad_input.body")
    return await handler(request)
