"""The whole gateway before somebody else's provider: ``oidc-provider`` from npm, three SDK apps, and real time."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from chain_gateway import assembly
from chain_gateway.config.load import parse
from chain_gateway.sdk import ChainConfig
from chain_gateway.sdk.aiohttp import chain_session, setup_chain
from chain_gateway.store.memory import MemoryStore
from chain_gateway.tokens.keyring import Keyring
from support.browser import Browser, Form, Page
from support.oidc_provider import RunningProvider, oidc_provider
from support.world import SECRET, serve

NAMES = ("shop", "news", "bank")


@dataclass
class Walkable:
    """What a test can reach."""

    gateway: str
    op: RunningProvider
    apps: dict[str, str]

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[Browser]:
        """A new browser, without cookies."""
        async with Browser() as browser:
            yield browser

    async def sign_in(self, browser: Browser, app: str = "shop", who: str = "alice") -> Page:
        """From the app through the provider's pages, whichever it shows, to the end of the walk."""
        await browser.open(f"{self.apps[app]}/chain/login")
        while (form := self._asked(browser)) is not None:
            await browser.submit(form, login=who, password="any")
        return await browser.walk_on()

    async def sign_out(self, browser: Browser, app: str = "shop", *, stay: bool = False) -> Page:
        """From the app's button; at the provider's question yes, or no for who wants to ``stay``."""
        await browser.open(self.apps[app] + "/")
        await browser.submit(browser.page.forms[0])
        await browser.walk_on()
        form = self._asked(browser)
        assert form is not None, "the provider asks"
        await browser.submit(form, None if stay else ("logout", "yes"))
        return await browser.walk_on()

    def _asked(self, browser: Browser) -> Form | None:
        """The form of the provider's page, if the browser stands before one."""
        return browser.page.forms[0] if browser.page.url.startswith(self.op.issuer) else None

    async def signed_in(self, browser: Browser) -> dict[str, str]:
        """Who is signed in where, with what the app was told; apps where nobody is are left out."""
        found = {name: (await browser.open(f"{url}/whoami")).text for name, url in self.apps.items()}
        return {name: said for name, said in found.items() if said}


def told_app(config: ChainConfig) -> web.Application:
    """An app whose page tells who is signed in, and with which address."""
    app = web.Application()
    setup_chain(app, config)

    async def home(request: web.Request) -> web.Response:
        form = '<form method="post" action="/chain/logout"><button>Sign out</button></form>'
        return web.Response(text=form, content_type="text/html", headers={"Referrer-Policy": "strict-origin"})

    async def whoami(request: web.Request) -> web.Response:
        session = chain_session(request)
        return web.Response(text=f"{session.sub} {session.claims.get('email')}" if session else "")

    app.add_routes([web.get("/", home), web.get("/whoami", whoami)])
    return app


@asynccontextmanager
async def before_oidc_provider(
    op: Mapping[str, object] | None = None, apps: Mapping[str, Mapping[str, object]] | None = None
) -> AsyncIterator[Walkable]:
    """The gateway and its apps before ``oidc-provider``; settings of the provider and of each app as given."""
    sockets = {name: socket.create_server(("127.0.0.1", 0)) for name in ("login", *NAMES)}
    urls = {name: f"http://{name}.localhost:{bound.getsockname()[1]}" for name, bound in sockets.items()}
    async with oidc_provider(urls["login"], host="id.localhost") as provider:
        settings = parse(
            {
                "gateway": {"public_url": urls["login"]},
                "store": {"url": "memory://"},
                "op": {
                    "kind": "oidc",
                    "issuer": provider.issuer,
                    "client_id": provider.client_id,
                    "client_secret": provider.client_secret,
                    **(op or {}),
                },
                "apps": [
                    {"id": name, "origin": urls[name], "secret": SECRET + name, **(apps or {}).get(name, {})}
                    for name in NAMES
                ],
                "chains": [{"id": "main", "apps": list(NAMES)}],
            },
            base=Path("/"),
            environ={},
        )
        gateway = await assembly.build(settings, Keyring.generate(int(time.time()), os.urandom), store=MemoryStore())
        runners = [await serve(gateway, sockets["login"])]
        for name in NAMES:
            config = ChainConfig(
                gateway=urls["login"],
                app_id=name,
                origin=urls[name],
                secret=SECRET + name,
                session_key=SECRET + "k" + name,
            )
            runners.append(await serve(told_app(config), sockets[name]))
        try:
            yield Walkable(urls["login"], provider, {name: urls[name] for name in NAMES})
        finally:
            for runner in runners:
                await runner.cleanup()
