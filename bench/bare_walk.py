"""What a browser does on a walk, without a walk: bare redirects and pages on as many hosts, by one aiohttp server.

``python -m bench.bare_walk`` answers ``port``. ``/go?redirects=R&pages=P`` on any host of loopback makes R redirects
from host to host and then shows P pages, each of which asks the next host for an empty answer and posts a form there,
which is answered by a redirect to the next page. The pages are as short as such a page can be, and nothing is signed,
sealed, written down or set.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final

from aiohttp import web

from bench.serving import obey, run, serving

HOSTS: Final = 5
END: Final = "the end"
PAGE: Final = """<!doctype html><html lang="en"><title>a page</title>
<form id="hop" method="post" action="{there}/hop?redirects=0&pages={left}"></form>
<script>fetch("{there}/ping", {{mode: "no-cors", credentials: "omit", cache: "no-store"}})
.then(() => document.getElementById("hop").submit())</script></html>"""


def bare_walk(port: Callable[[], int]) -> web.Application:
    """The application; ``port`` tells where it is served."""

    def host(number: int) -> str:
        return f"http://bare{number % HOSTS}.localhost:{port()}"

    async def go(request: web.Request) -> web.Response:
        redirects, pages = int(request.query["redirects"]), int(request.query["pages"])
        if redirects:
            there = f"{host(redirects)}/go?redirects={redirects - 1}&pages={pages}"
            return web.Response(status=302, headers={"Location": there})
        text = PAGE.format(there=host(pages), left=pages - 1) if pages else END
        return web.Response(text=text, content_type="text/html")

    async def hop(request: web.Request) -> web.Response:
        there = f"{host(0)}/go?{request.query_string}"
        return web.Response(status=303, headers={"Location": there})

    async def ping(_: web.Request) -> web.Response:
        return web.Response(status=204)

    app = web.Application()
    app.add_routes([web.get("/go", go), web.post("/hop", hop), web.get("/ping", ping)])
    return app


async def main() -> None:
    """Serves until standard input ends."""
    bound = socket.create_server(("127.0.0.1", 0))
    port = bound.getsockname()[1]
    async with serving(bare_walk(lambda: port), bound):

        async def told(_: str) -> list[str]:
            return [str(port)]

        await obey({"port": told})


if __name__ == "__main__":
    run(main())
