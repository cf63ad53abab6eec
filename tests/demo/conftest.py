"""A browser and a client for the embedded provider, on a clock that a test sets; and a Chromium for whole demos."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import async_playwright
from yarl import URL

from chain_gateway.demo import headless
from chain_gateway.demo.op import Account, DemoOp, OpClient
from chain_gateway.demo.op.token import s256

ISSUER = "http://id.localhost:9000"
CALLBACK = "http://login.localhost:9000/callback"
LOGGED_OUT = "http://login.localhost:9000/logged-out"
SECRET = "s" * 32
VERIFIER = "v" * 43
CLIENT = OpClient("gateway", SECRET, (CALLBACK,), (LOGGED_OUT,), "the gateway")
OTHER = OpClient("other", "o" * 32, ("http://other.localhost:9000/cb",))
START = 1_700_000_000


class Visitor:
    """A browser at the provider, and the client's back channel to it."""

    def __init__(self, op: DemoOp, browser: TestClient) -> None:
        self.op = op
        self.browser = browser
        self.now = float(START)

    async def authorize(self, *, method: str = "GET", drop: tuple[str, ...] = (), **changes: str):
        """One request to /authorize, as a client makes it unless ``changes`` say otherwise."""
        query = {
            "client_id": "gateway",
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid profile email",
            "state": "st&te",
            "nonce": "n-1",
            "code_challenge": s256(VERIFIER),
            "code_challenge_method": "S256",
        } | changes
        query = {name: value for name, value in query.items() if name not in drop}
        if method == "POST":
            return await self.browser.post("/authorize", data=query, allow_redirects=False)
        return await self.browser.get("/authorize", params=query, allow_redirects=False)

    async def form(self, response) -> str:
        """The hidden field of the page in ``response``."""
        found = re.search(r'name="form" value="([^"]+)"', await response.text())
        assert found, "the page has a form"
        return found[1]

    async def press(self, response, path: str = "/login", **button: str):
        """Presses a button of the page in ``response``."""
        data = {"form": await self.form(response), **button}
        return await self.browser.post(path, data=data, allow_redirects=False)

    async def sign_in(self, account: str = "alice", **changes: str) -> URL:
        """Signs in by hand and returns where the browser is sent."""
        page = await self.authorize(**changes)
        assert page.status == 200
        answer = await self.press(page, account=account)
        assert answer.status == 303
        return URL(answer.headers["Location"])

    async def redeem(self, code: str, *, auth: str = "basic", path: str = "/token", **changes: str):
        """The client's request for tokens."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        headers = {}
        if auth == "basic":
            headers = {"Authorization": aiohttp.encode_basic_auth("gateway", SECRET)}
        elif auth == "post":
            form |= {"client_id": "gateway", "client_secret": SECRET}
        return await self.browser.post(path, data=form | changes, headers=headers)

    async def id_token(self, **changes: str) -> str:
        """Signs in by hand and returns the ID token."""
        path = changes.pop("path", "/token")
        back = await self.sign_in(**changes)
        return (await (await self.redeem(back.query["code"], path=path)).json())["id_token"]

    async def signed_in(self) -> bool:
        """Whether the provider's own page says so."""
        return 'data-signed-in="yes"' in await (await self.browser.get("/")).text()


@pytest.fixture
async def visit() -> AsyncIterator[Callable[..., Awaitable[Visitor]]]:
    """Opens a browser at a new provider; arguments are the provider's."""
    opened = []

    async def _visit(**settings: object) -> Visitor:
        visitor: Visitor
        op = DemoOp(ISSUER, **{"clients": [CLIENT, OTHER], "clock": lambda: visitor.now, **settings})
        server = TestServer(op.app())
        await server.start_server()
        jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=server.make_url("/").origin())
        browser = TestClient(server, cookie_jar=jar)
        visitor = Visitor(op, browser)
        opened.append(browser)
        return visitor

    yield _visit
    for browser in opened:
        await browser.close()


@pytest_asyncio.fixture(name="chromium", scope="module", loop_scope="module")
async def run_chromium():
    """One for each file; everybody in it has a context of their own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=headless.find_browser(), args=list(headless.ARGUMENTS)
        )
        yield browser
        await browser.close()


@pytest.fixture
def carol() -> Account:
    return Account("carol", "demo|carol", "Carol <i>", "carol@example.test")
