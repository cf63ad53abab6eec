"""What only a real browser decides: which cookies it keeps and sends, which Origin it tells, what Back shows.

The app and the gateway are on hosts that are foreign to each other; the gateway is a few pages that carry real tickets.
"""

import html
from contextlib import AsyncExitStack
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import async_playwright
from support.gallery import CHROMIUM, CHROMIUM_ARGS

from chain_gateway.sdk.aiohttp import chain_session, login_required, setup_chain
from chain_gateway.sdk.testing import FakeGateway
from chain_gateway.tokens.ticket import Act

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

HOME = """<!doctype html><title>shop</title><p id="who">{who}</p>
<form method="post" action="/chain/logout"><button>Sign out</button></form>"""
POSTING = """<!doctype html><title>hop</title>
<meta name="referrer" content="{policy}">
<form method="post" action="{hop}">
<input type="hidden" name="ticket" value="{ticket}"><button>Continue</button></form>"""


class World:
    """A gateway, an app, and the browser's one tab; ``seen`` are the gateway's URLs that the browser came to."""

    def __init__(self):
        self.gateway = FakeGateway()
        self.chain = None
        self.seen = []
        self.policy = ""

    def gateway_application(self):
        app = self.gateway.application()
        app.router.add_get("/post", self._post)
        app.router.add_get("/{any:.*}", self._see)
        return app

    def shop_application(self):
        async def home(request):
            session = chain_session(request)
            headers = {"Referrer-Policy": self.policy} if self.policy else {}
            text = HOME.format(who=session.sub if session else "nobody")
            return web.Response(text=text, content_type="text/html", headers=headers)

        @login_required
        async def account(request):
            text = HOME.format(who=chain_session(request).sub)
            return web.Response(text=text, content_type="text/html")

        app = web.Application()
        app.add_routes([web.get("/", home), web.get("/account", account)])
        setup_chain(app, self.chain, keys=self.gateway.keys)
        return app

    async def _post(self, request):
        """A page with a form for the app; ``policy`` is its referrer policy."""
        values = {"policy": request.query["policy"], "hop": self.chain.origin + self.chain.hop_path}
        text = POSTING.format(**values, ticket=html.escape(request.query["ticket"]))
        return web.Response(text=text, content_type="text/html")

    async def _see(self, request):
        if request.path != "/favicon.ico":
            self.seen.append(request.path_qs)
        return web.Response(text="<!doctype html><title>gateway</title>", content_type="text/html")

    def ticket(self, act=Act.LOGIN, **changed):
        return replace(self.gateway.ticket(self.chain, act, "chromium"), **changed)

    async def post(self, tab, ticket, policy="strict-origin"):
        """The tab opens the gateway's page and presses its button."""
        text = self.gateway.sign(ticket)
        await tab.goto(f"{self.gateway.url}/post?policy={policy}&ticket={text}")
        await tab.click("button")
        await tab.wait_for_load_state()

    async def redirect(self, tab, ticket):
        """The tab follows a link with the ticket."""
        await tab.goto(f"{self.chain.origin}{self.chain.hop_path}?ticket={self.gateway.sign(ticket)}")

    async def who(self, tab, path="/"):
        """Who is signed in, as a page of the app says."""
        await tab.goto(self.chain.origin + path)
        return await tab.text_content("#who")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium():
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(CHROMIUM_ARGS), ignore_default_args=["--disable-back-forward-cache"]
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def world():
    made = World()
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(TestServer(made.gateway_application()))
        made.gateway.url = f"http://login.localhost:{gateway.port}"
        shop = TestServer(web.Application())
        async with shop:
            port = shop.port
        made.chain = made.gateway.config("shop", f"http://shop.localhost:{port}")
        await stack.enter_async_context(TestServer(made.shop_application(), port=port))
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def tab(chromium):
    context = await chromium.new_context()
    yield await context.new_page()
    await context.close()


async def test_a_session_is_set_by_a_foreign_form_and_ended_by_a_redirect(world, tab):
    """The default hops with real cookies; the form's POST shows none, and its answer's are kept all the same."""
    await world.post(tab, world.ticket())
    assert world.seen[-1].startswith("/relay?state=")
    assert await world.who(tab, "/account") == "alice"
    await world.redirect(tab, world.ticket(Act.LOGOUT))
    assert await world.who(tab) == "nobody"


async def test_a_page_that_tells_no_origin_signs_nobody_in(world, tab):
    """T08: Chromium sends Origin null from a page without referrers; the app refuses, and sends the browser nowhere."""
    await world.post(tab, world.ticket(), policy="no-referrer")
    assert urlsplit(tab.url).path == "/chain/hop"
    assert await tab.get_attribute("a", "href") == f"{world.gateway.url}/resume"
    assert await world.who(tab) == "nobody"


async def test_a_late_login_stays_dead_after_a_logout(world, tab):
    """T25: the older login's answer comes last, and the tombstone stands."""
    late = world.ticket()
    await world.redirect(tab, world.ticket(Act.LOGOUT))
    await world.post(tab, late)
    names = {cookie["name"].rpartition("-")[0] for cookie in await tab.context.cookies(world.chain.origin)}
    assert names == {"__Host-chain-s", "__Host-chain-t"}
    assert await world.who(tab) == "nobody"


async def test_two_step_works_with_cookies_that_come_and_go(world, tab):
    """The bind cookie is set by one redirect and shown at the next, though both began at a foreign site."""
    ticket = world.ticket()
    begin = replace(world.ticket(Act.BEGIN), epoch=ticket.epoch)
    await tab.goto(f"{world.chain.origin}/chain/hop?begin={world.gateway.sign(begin)}")
    (bind,) = parse_qs(urlsplit(world.seen[-1]).query)["bind"]
    await world.redirect(tab, replace(ticket, cnf=bind))
    assert await world.who(tab) == "alice"


async def test_back_after_a_sign_out_asks_anew(world, tab):
    """T58: neither the cache nor the back-forward cache shows the page of who was signed in."""
    await world.post(tab, world.ticket())
    assert await world.who(tab) == "alice"
    await world.redirect(tab, world.ticket(Act.LOGOUT))
    await tab.go_back()
    assert await tab.text_content("#who") == "nobody"


@pytest.mark.parametrize("policy", ["", "no-referrer", "strict-origin"])
async def test_the_sign_out_form_is_known_as_the_apps_own(world, tab, policy):
    """Whatever the page's referrer policy: the default one, or one that makes Chromium say Origin null."""
    world.policy = policy
    await world.post(tab, world.ticket())
    assert await world.who(tab) == "alice"
    await tab.click("button")
    await tab.wait_for_load_state()
    assert world.seen[-1].startswith("/logout?app=shop&")
    assert "request=" in world.seen[-1]
