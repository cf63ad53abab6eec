"""The sites of the demo: small aiohttp apps that know who is signed in through the SDK, as anybody's app would."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from chain_gateway.demo.looks import Look
from chain_gateway.demo.pages import STATIC, app_policy, asset, render, secure
from chain_gateway.demo.words import left, told
from chain_gateway.sdk import ChainConfig
from chain_gateway.sdk.aiohttp import chain_session, login_required, setup_chain

NEIGHBOURS = 12


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another site of the demo."""

    name: str
    url: str


class Site:
    """One site; ``application`` is what serves it."""

    def __init__(
        self,
        look: Look,
        chain: ChainConfig,
        neighbours: tuple[Neighbour, ...] = (),
        form_targets: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``form_targets`` are CSP sources that a form here may lead through: the gateway, and all it goes on to."""
        self._look = look
        self._chain = chain
        self._neighbours = neighbours[:NEIGHBOURS]
        self._policy = app_policy(form_targets or chain.gateway)
        self._clock = clock

    def application(self) -> web.Application:
        """A fresh application with the SDK installed."""
        app = web.Application()
        setup_chain(app, self._chain, clock=self._clock)
        app.on_response_prepare.append(secure)
        app.router.add_get("/", self._home)
        app.router.add_get("/account", login_required(self._account))
        app.router.add_get("/whoami", self._whoami)
        app.router.add_get("/look.css", self._css)
        app.router.add_get("/look.svg", self._icon)
        app.router.add_static("/static", STATIC)
        return app

    def _page(self, template: str, request: web.Request, **values: object) -> web.Response:
        """A page in this site's look."""
        here = request.path
        return render(template, self._policy, look=self._look, others=self._neighbours, here=here, **values)

    async def _home(self, request: web.Request) -> web.StreamResponse:
        """Who is signed in, what this site was told, and the buttons."""
        session = chain_session(request)
        paths = {"login": self._chain.login_path, "logout": self._chain.logout_path}
        return self._page(
            "app_home.html",
            request,
            told=told(session, int(self._clock())) if session else None,
            left=left(request.cookies),
            paths=paths,
        )

    async def _account(self, request: web.Request) -> web.StreamResponse:
        """A page for those who are signed in."""
        session = chain_session(request)
        if session is None:
            raise web.HTTPUnauthorized
        return self._page("app_account.html", request, told=told(session, int(self._clock())))

    async def _whoami(self, request: web.Request) -> web.StreamResponse:
        """The session for programs; ``epoch`` in milliseconds, ``auth_time`` in seconds."""
        session = chain_session(request)
        if session is None:
            return web.json_response({"signed_in": False})
        return web.json_response(
            {
                "signed_in": True,
                "sub": session.sub,
                "sid": session.sid,
                "epoch": session.epoch,
                "auth_time": session.auth_time,
                "claims": dict(session.claims),
            }
        )

    async def _css(self, _request: web.Request) -> web.StreamResponse:
        """The one colour that is this site's own."""
        return asset("app_look.css", "text/css", look=self._look)

    async def _icon(self, _request: web.Request) -> web.StreamResponse:
        """Its initial on that colour."""
        return asset("app_look.svg", "image/svg+xml", look=self._look)
