"""From a use case's reply to an HTTP response: the only place that writes ``Location``."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from chain_gateway.core.origins import check_location
from chain_gateway.service.views import Go, Page, Reply
from chain_gateway.web.cookies import remember
from chain_gateway.web.page_json import as_json
from chain_gateway.web.pages import Pages
from chain_gateway.web.setcookie import set_cookie

PAGES: Final = web.AppKey("pages", Pages)


async def answer(request: web.Request, reply: Reply) -> web.Response:
    """The response; redirects are 302 from GET and 303 from POST, so that no method is ever repeated."""
    response = go(request, reply.url) if isinstance(reply, Go) else show(request, reply.page, reply.status)
    for cookie in reply.cookies:
        set_cookie(response, cookie.name, cookie.value, cookie.max_age)
    if reply.browser:
        await remember(request, reply.browser)
    return response


def go(request: web.Request, url: str) -> web.Response:
    """A redirect to ``url``, which is looked at once more before it is written."""
    status = 303 if request.method == "POST" else 302
    return web.Response(status=status, headers={"Location": check_location(url)})


def show(request: web.Request, page: Page, status: int) -> web.Response:
    """The page as HTML, or as JSON for a program that asks for it."""
    if wants_json(request):
        return web.json_response(as_json(page), status=status)
    rendered = request.app[PAGES].render(page, status=status)
    return web.Response(text=rendered.html, status=status, content_type="text/html", headers=dict(rendered.headers))


def wants_json(request: web.Request) -> bool:
    """Whether the client prefers JSON to a page."""
    accept = request.headers.get("Accept", "")
    return "application/json" in accept and "text/html" not in accept
