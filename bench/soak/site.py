"""The provider and the apps, in this process, with a clock that can be moved, and a switch that turns an app off."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Final

from aiohttp import web

from bench.gateways import CLIENT_ID, SECRET, url
from bench.soak.browser import claims
from bench.soak.trace import Delivery, Trace
from chain_gateway.demo.op import DemoOp, OpClient
from chain_gateway.demo.op.model import Account
from chain_gateway.sdk import ChainConfig
from chain_gateway.sdk.aiohttp import chain_session, setup_chain
from chain_gateway.sdk.app_side import AppSide
from chain_gateway.sdk.memory import InProcessMemory

NAMES: Final = ("shop", "news", "bank", "mail")
SESSION_KEY: Final = "a session key of the soak alone, longer than 32 bytes: "
PEOPLE: Final = tuple(Account(f"p{n}", f"demo|p{n}", f"Person {n}", f"p{n}@example.test") for n in range(8))
BACK_CHANNEL: Final = "/chain/backchannel-logout"
HOME: Final = """<!doctype html>
<html lang="en"><title>A site</title><h1 id="state" data-sub="{sub}">A site</h1></html>"""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Clock:
    """The real time, and as many seconds more as ``ahead``."""

    def __init__(self) -> None:
        """Nothing is ahead yet."""
        self.ahead = 0.0

    def __call__(self) -> float:
        """The time in seconds."""
        return time.time() + self.ahead


class CountingMemory(InProcessMemory):
    """An app's memory that counts how often each message took effect."""

    def __init__(self, app: str, effects: Counter[str]) -> None:
        """``effects`` counts for all apps."""
        super().__init__()
        self._app = app
        self._effects = effects

    async def first(self, key: str, value: str, until: int, now: int) -> str | None:
        """See ``Memory``."""
        known = await super().first(key, value, until, now)
        if known is None:
            self._effects[f"{self._app} {key}"] += 1
        return known


@dataclass
class Site:
    """What stands around the gateways."""

    trace: Trace
    clock: Clock
    ports: dict[str, int]
    sides: dict[str, AppSide] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    """Apps that close every connection without an answer."""

    @property
    def gateway(self) -> str:
        """The gateways' common origin."""
        return url("login", self.ports["login"])

    @property
    def op(self) -> str:
        """The provider's origin."""
        return url("id", self.ports["id"])

    @property
    def apps(self) -> dict[str, str]:
        """The origin of each app."""
        return {name: url(name, self.ports[name]) for name in NAMES}

    async def holds(self, cookies: dict[str, str]) -> dict[str, tuple[int, str]]:
        """Epoch and person of the session that each app finds in these Cookie headers, by origin."""
        found = {}
        for name, origin in self.apps.items():
            side = self.sides[name]
            session = await side.session(side.jar.shown_by(cookies.get(origin, ""), side.now))
            if session is not None:
                found[name] = session.epoch, session.sub
        return found


def _app(site: Site, name: str) -> web.Application:
    chain = ChainConfig(
        gateway=site.gateway,
        app_id=name,
        origin=site.apps[name],
        secret=SECRET + name,
        session_key=SESSION_KEY + name,
        memory=CountingMemory(name, site.trace.effects),
    )
    app = web.Application(middlewares=[_switched(site, name)])
    setup_chain(app, chain, clock=site.clock)
    site.sides[name] = next(value for value in app.values() if isinstance(value, AppSide))

    async def home(request: web.Request) -> web.Response:
        session = chain_session(request)
        page = HOME.format(sub=escape(session.sub if session else ""))
        return web.Response(text=page, content_type="text/html", headers={"Referrer-Policy": "strict-origin"})

    app.router.add_get("/", home)
    return app


def _switched(site: Site, name: str) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
    """Closes the connection while the app is down."""

    @web.middleware
    async def switch(request: web.Request, handler: Handler) -> web.StreamResponse:
        if name in site.down:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        return await handler(request)

    return switch


def _noted(site: Site, name: str) -> None:
    """Notes each logout token that the app confirms."""
    side = site.sides[name]
    answer = side.backchannel_logout

    async def noted(text: str) -> object:
        reply = await answer(text)
        if reply.status == web.HTTPOk.status_code:
            site.trace.deliveries.add(Delivery(name, int(str(claims(text)["epoch"]))))
        return reply

    side.backchannel_logout = noted  # type: ignore[method-assign, assignment]


@asynccontextmanager
async def a_site(trace: Trace, gateway_port: int) -> AsyncIterator[Site]:
    """The provider and the apps are served as long as the context lasts."""
    async with AsyncExitStack() as stack:
        bound = {name: socket.create_server(("127.0.0.1", 0), backlog=1024) for name in ("id", *NAMES)}
        ports = {"login": gateway_port} | {name: each.getsockname()[1] for name, each in bound.items()}
        site = Site(trace, Clock(), ports)
        client = OpClient(
            CLIENT_ID,
            SECRET,
            (site.gateway + "/callback",),
            (site.gateway + "/logged-out",),
            backchannel_logout_uri=site.gateway + "/backchannel-logout",
        )
        applications = {"id": DemoOp(site.op, [client], PEOPLE, clock=site.clock).app()}
        for name in NAMES:
            applications[name] = _app(site, name)
            _noted(site, name)
        for name, application in applications.items():
            runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.SockSite(runner, bound[name], backlog=1024).start()
        yield site
