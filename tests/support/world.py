"""A whole world on loopback: the gateway, a real provider, and apps with the SDK, each at a host of its own."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from aiohttp import web

from chain_gateway import assembly
from chain_gateway.config.load import parse
from chain_gateway.config.model import Settings
from chain_gateway.demo.op.model import OpClient
from chain_gateway.demo.op.provider import DemoOp
from chain_gateway.ops.meter import PrometheusMeter
from chain_gateway.ops.tracing import Tracing
from chain_gateway.sdk import ChainConfig
from chain_gateway.sdk.aiohttp import chain_session, login_required, setup_chain
from chain_gateway.store.base import Owed, Store
from chain_gateway.store.memory import MemoryStore
from chain_gateway.tokens.keyring import Keyring
from support.browser import Browser, Page
from support.front import Front

SECRET = "an app's secret of more than 32 bytes: "
HOME = """<!doctype html>
<html lang="en"><title>A site</title>
<h1 id="state" data-signed-in="{signed_in}" data-sub="{sub}">A site</h1>
<form method="post" action="/chain/logout"><button>Sign out everywhere</button></form>
<form action="/chain/login"><button>Sign in</button></form>
</html>"""


@dataclass
class Clock:
    """The time of the whole world, which only a test moves."""

    now: float = 1_800_000_000.5

    def __call__(self) -> float:
        return self.now


@dataclass
class RealTime(Clock):
    """The time that everybody has."""

    def __call__(self) -> float:
        return time.time()


@dataclass
class World:
    """What a test can reach."""

    gateway: str
    op: DemoOp
    apps: dict[str, str]
    clock: Clock
    store: Store
    keyring: Keyring
    realm: assembly.Realm
    background: assembly.Background
    runners: dict[str, web.AppRunner] = field(default_factory=dict)
    fronts: dict[str, Front] = field(default_factory=dict)
    """What stands before each app that has the SDK."""
    settings: Settings | None = None

    async def deliver(self) -> int:
        """Delivers what is owed and due, by hand; returns how many deliveries were claimed."""
        return await self._round("deliver")

    async def sweep(self) -> int:
        """Ends what is past its time, by hand; returns how many walks that were."""
        return await self._round("sweep")

    async def look(self) -> None:
        """Asks the apps of recent walks whether they are up, by hand."""
        await self._round("health")

    async def _round(self, name: str) -> int:
        """One round of what goes on beside the requests."""
        return await next(each for each in self.background._rounds if each.name == name).run()

    async def owed(self) -> dict[str, Owed]:
        """What each app is owed; of one browser."""
        return {each.entry.app: each for each in await self.store.all_owed(1000)}

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[Browser]:
        """A new browser, without cookies."""
        async with Browser() as browser:
            yield browser

    async def sign_in(self, browser: Browser, app: str = "shop", who: str = "alice") -> Page:
        """Starts at ``app``, signs in at the provider, and walks to the end."""
        await browser.open(f"{self.apps[app]}/chain/login")
        await choose(browser, who)
        return await browser.walk_on()

    async def sign_out(self, browser: Browser, app: str = "shop") -> Page:
        """Signs out everywhere from ``app``, and walks to the end."""
        await browser.open(f"{self.apps[app]}/")
        await browser.submit(browser.page.forms[0])
        return await self.walk_out(browser)

    async def walk_out(self, browser: Browser) -> Page:
        """Walks a logout to its end, and says yes if the provider asks."""
        page = await browser.walk_on()
        if "/session/end" in page.url:
            await browser.submit(page.forms[0], page.forms[0].buttons[0])
            page = await browser.walk_on()
        return page

    async def signed_in(self, browser: Browser) -> dict[str, str]:
        """Who is signed in where, by each app's own page; apps where nobody is are left out."""
        found = {}
        for name, url in self.apps.items():
            page = await browser.open(f"{url}/whoami")
            if page.text:
                found[name] = page.text
        return found


async def choose(browser: Browser, who: str = "alice") -> Page:
    """Signs in on the provider's page, if it shows one."""
    form = next(
        (f for f in browser.page.forms if ("account", who) in f.buttons or f.fields.get("account") == who), None
    )
    if form is None:
        return browser.page
    button = next((b for b in form.buttons if b[1] == who), None)
    return await browser.submit(form, button)


async def overtaken(world: World, browser: Browser) -> str:
    """A sign-in that another tab's has overtaken, whose hop came back all the same; the address of that way back."""
    await browser.open(f"{world.apps['shop']}/chain/login")
    await choose(browser)
    first, hop = browser.page, browser.page.forms[0]
    world.clock.now += 1
    await browser.open(f"{world.apps['news']}/chain/login")
    await browser.walk_on()
    browser.page = first
    await browser.submit(hop)
    return next(url for url in browser.page.chain if "/relay?" in url)


def sdk_app(config: ChainConfig, clock: Clock) -> web.Application:
    """A small app: a page that shows who is signed in with the buttons, and one that tells it to programs."""
    app = web.Application()
    setup_chain(app, config, clock=clock)

    async def home(request: web.Request) -> web.Response:
        session = chain_session(request)
        page = HOME.format(signed_in="yes" if session else "no", sub=escape(session.sub if session else ""))
        return web.Response(text=page, content_type="text/html", headers={"Referrer-Policy": "strict-origin"})

    async def whoami(request: web.Request) -> web.Response:
        session = chain_session(request)
        return web.Response(text=session.sub if session else "")

    app.add_routes([web.get("/", home), web.get("/whoami", whoami), web.get("/account", login_required(whoami))])
    return app


async def serve(app: web.Application, bound: socket.socket) -> web.AppRunner:
    """Runs ``app`` on a socket that is bound already, so that its port is known before it starts."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, bound).start()
    return runner


def _at(url: str, changes: Mapping[str, object]) -> dict[str, object]:
    """``changes`` with the app's own origin where a text says ``{origin}``: no test knows it beforehand."""
    return {k: v.replace("{origin}", url) if isinstance(v, str) else v for k, v in changes.items()}


def _external(name: str, url: str, templates: Mapping[str, str]) -> dict[str, object]:
    return {
        "id": name,
        "name": name.capitalize(),
        "origin": url,
        "login": "external",
        "logout": "external",
        **{key: url + path for key, path in templates.items()},
    }


@asynccontextmanager
async def a_world(
    *names: str,
    gateway: Mapping[str, object] | None = None,
    op: Mapping[str, object] | None = None,
    apps: Mapping[str, Mapping[str, object]] | None = None,
    every: Mapping[str, object] | None = None,
    dialect: str = "oidc",
    store: Store | None = None,
    extra: Mapping[str, web.Application] | None = None,
    external: Mapping[str, Mapping[str, str]] | None = None,
    op_tells: bool = False,
    elsewhere: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    private: Mapping[str, dict[str, object]] | None = None,
    meter: PrometheusMeter | None = None,
    tracing: Tracing | None = None,
    chains: Mapping[str, Sequence[str]] | None = None,
) -> AsyncIterator[World]:
    """A world of the apps named (default: shop, news, bank), with settings changed as given.

    ``every`` changes each app's settings, ``apps`` one's; ``extra`` serves other applications in place of SDK apps, and
    ``external`` makes apps without the SDK of some, by their templates from the path on. ``op_tells`` lets the provider
    send logout tokens. ``elsewhere`` are origins of apps that are served by other programs, which have real time: with
    them goes a ``RealTime`` as ``clock``. ``private`` are private keys (JWK) of apps that have no secret, whose public
    halves are for ``apps`` to name. ``{origin}`` in a text of a setting is the app's own origin. ``meter`` counts,
    ``tracing`` makes spans. ``chains`` takes the place of the one chain of all apps.
    """
    names = names or ("shop", "news", "bank")
    clock = clock or Clock()
    here = [name for name in names if name not in (elsewhere or {})]
    sockets = {name: socket.create_server(("127.0.0.1", 0)) for name in ("login", "id", *here)}
    urls = {name: f"http://{name}.localhost:{bound.getsockname()[1]}" for name, bound in sockets.items()}
    urls |= elsewhere or {}
    provider = DemoOp(
        urls["id"],
        [
            OpClient(
                "gateway",
                SECRET,
                (urls["login"] + "/callback",),
                (urls["login"] + "/logged-out",),
                backchannel_logout_uri=urls["login"] + "/backchannel-logout" if op_tells else "",
            )
        ],
        dialect=dialect,
        clock=clock,
    )
    settings = parse(
        {
            "gateway": {"public_url": urls["login"], **(gateway or {})},
            "store": {"url": "memory://"},
            "op": {
                "kind": "auth0" if dialect == "auth0" else "oidc",
                "issuer": provider.issuer,
                "client_id": "gateway",
                "client_secret": SECRET,
                **(op or {}),
            },
            "apps": [
                _external(name, urls[name], external[name])
                if name in (external or {})
                else {
                    "id": name,
                    "name": name.capitalize(),
                    "origin": urls[name],
                    **({} if name in (private or {}) else {"secret": SECRET + name}),
                    "claims": ["email", "name"],
                    **_at(urls[name], {**(every or {}), **(apps or {}).get(name, {})}),
                }
                for name in names
            ],
            "chains": [{"id": chain, "apps": list(ids)} for chain, ids in (chains or {"main": names}).items()],
        },
        base=Path("/"),
        environ={},
    )
    keyring = Keyring.generate(int(clock()) - 10, os.urandom)
    kept = store or MemoryStore()
    parts = assembly.World(clock, os.urandom)
    main = await assembly.build(settings, keyring, world=parts, store=kept, rounds=False, meter=meter, tracing=tracing)
    applications = {"id": provider.app(), "login": main}
    fronts = {name: Front() for name in here if name not in (extra or {})}
    for name in here:
        own: dict[str, Any] = {"secret": SECRET + name}
        if name in (private or {}):
            own = {"private_key": private[name]}
        config = ChainConfig(
            gateway=urls["login"], app_id=name, origin=urls[name], session_key=SECRET + "k" + name, **own
        )
        applications[name] = (extra or {}).get(name) or sdk_app(config, clock)
        if name in fronts:
            fronts[name].before(applications[name])
    runners = {name: await serve(application, sockets[name]) for name, application in applications.items()}
    world = World(
        urls["login"],
        provider,
        {n: urls[n] for n in names},
        clock,
        kept,
        keyring,
        main[assembly.REALM],
        main[assembly.BACKGROUND],
        runners,
        fronts,
        settings,
    )
    try:
        yield world
    finally:
        for front in fronts.values():
            front.over.set()
        for runner in runners.values():
            await runner.cleanup()
