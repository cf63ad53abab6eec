"""An app behind the SDK on loopback, and browsers at it."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import DummyCookieJar, web

from chain_gateway.errors import StoreUnavailable
from chain_gateway.sdk.aiohttp import chain_session, login_required, setup_chain
from chain_gateway.sdk.testing import AppBrowser, FakeGateway
from chain_gateway.tokens.ticket import Act, Ticket

NOW = 1_800_000_000


class Clock:
    """Seconds that a test sets."""

    def __init__(self, now: int = NOW) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class Site:
    """An app with a front page that says who is signed in, and an account page for those who are."""

    def __init__(self, aiohttp_client, keys=None, **config: object) -> None:
        self.clock = Clock()
        self.gateway = FakeGateway(clock=self.clock)
        self.chain = replace(self.gateway.config(), **config)
        self.client = None
        self._aiohttp_client = aiohttp_client
        self._keys = keys

    async def start(self) -> Site:
        """Makes the app listen."""

        async def home(request):
            session = chain_session(request)
            return web.Response(text=session.sub if session else "nobody")

        @login_required
        async def account(request):
            return web.json_response(dict(chain_session(request).claims))

        async def public(request):
            return web.Response(text="public")

        app = web.Application()
        app.add_routes([web.get("/", home), web.get("/public", public)])
        app.add_routes([web.get("/account{rest:.*}", account), web.post("/account", account)])
        setup_chain(app, self.chain, keys=self._keys or self.gateway.keys, clock=self.clock)
        self.client = await self._aiohttp_client(app, cookie_jar=DummyCookieJar())
        return self

    def browser(self) -> AppBrowser:
        """A new browser, with an empty jar and its own id at the gateway."""
        return self.gateway.browser(self.client, self.chain)

    def ticket(self, browser: AppBrowser, act: Act = Act.LOGIN, **changed: object) -> Ticket:
        """A new ticket for that browser."""
        return replace(self.gateway.ticket(self.chain, act, browser.bid), **changed)


class BrokenMemory:
    """A memory whose backend is out of reach."""

    async def first(self, *_: object):
        raise StoreUnavailable("down")

    async def revoke(self, *_: object):
        raise StoreUnavailable("down")

    async def revoked(self, *_: object):
        raise StoreUnavailable("down")

    async def close(self):
        """Nothing to let go of."""


async def who(browser: AppBrowser) -> str:
    """Who is signed in, as the app's front page says."""
    return await (await browser.get("/")).text()


def told(landing) -> str:
    """The words of a receipt: outcome and reason."""
    return f"{landing.receipt.outcome} {landing.receipt.reason}".strip()
