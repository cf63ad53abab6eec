"""The aiohttp adapter, through a real server on loopback and a browser's rules for cookies."""

from dataclasses import replace

import pytest
from aiohttp import DummyCookieJar, web

from chain_gateway.sdk.aiohttp import chain_session, login_required, setup_chain
from chain_gateway.sdk.testing import FakeGateway
from chain_gateway.tokens.receipt import ReceiptOutcome
from chain_gateway.tokens.ticket import Act


class Clock:
    """Seconds that a test sets."""

    def __init__(self, now=1_800_000_000):
        self.now = now

    def __call__(self):
        return self.now


class Site:
    """An app behind the SDK, and browsers at it."""

    def __init__(self, aiohttp_client, **config):
        self.clock = Clock()
        self.gateway = FakeGateway(clock=self.clock)
        self.chain = replace(self.gateway.config(), **config)
        self._aiohttp_client = aiohttp_client
        self.client = None

    async def start(self):
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
        app.add_routes([web.get("/", home), web.get("/account", account), web.post("/account", account)])
        app.router.add_get("/public", public)
        setup_chain(app, self.chain, keys=self.gateway.keys, clock=self.clock)
        self.client = await self._aiohttp_client(app, cookie_jar=DummyCookieJar())
        return self

    def browser(self):
        """A new browser, with empty jar and its own id at the gateway."""
        return self.gateway.browser(self.client, self.chain)

    def ticket(self, browser, act=Act.LOGIN, **changed):
        """A ticket for that browser."""
        return replace(self.gateway.ticket(self.chain, act, browser.bid), **changed)


@pytest.fixture
async def site(aiohttp_client):
    return await Site(aiohttp_client).start()


async def who(browser):
    """Who is signed in at the app's front page."""
    return await (await browser.get("/")).text()


async def test_a_posted_login_signs_in_and_a_redirect_logout_signs_out(site):
    """The two default hops do what they say, with receipts of outcome applied."""
    browser = site.browser()
    landing = await browser.login("alice")
    assert (landing.status, landing.receipt.outcome) == (303, ReceiptOutcome.APPLIED)
    assert await who(browser) == "alice"
    landing = await browser.logout()
    assert (landing.status, landing.receipt.outcome) == (302, ReceiptOutcome.APPLIED)
    assert await who(browser) == "nobody"
