"""The example app in JavaScript, spoken to on the wire with tickets of the real gateway's making.

It was written from the protocol alone; what holds for the SDK must hold for it.
"""

import asyncio
import os
import shutil
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer

from chain_gateway.core.limits import EPOCH_AHEAD_MS
from chain_gateway.sdk.testing import SECRET, SESSION_KEY, AppBrowser, FakeGateway
from chain_gateway.tokens.logout_request import verify_logout_request
from chain_gateway.tokens.ticket import Act

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "node-app"
PACKAGES = (EXAMPLE / "node_modules", ROOT / "tests" / "node" / "node_modules")
START_SECONDS = 30

pytestmark = pytest.mark.node


class Wire:
    """What a browser of the test kit needs to reach the app: requests by path, cookies by hand."""

    def __init__(self, session, port):
        self._session = session
        self._at = f"http://127.0.0.1:{port}"

    async def get(self, path, **more):
        return await self._session.get(self._at + path, **more)

    async def post(self, path, **more):
        return await self._session.post(self._at + path, **more)


class NodeApp:
    """The running example, its gateway, and browsers at it."""

    def __init__(self, gateway, chain, wire):
        self.gateway = gateway
        self.chain = chain
        self.wire = wire

    def browser(self):
        """A new browser, with an empty jar and its own id at the gateway."""
        return AppBrowser(self.wire, self.gateway, self.chain)

    def ticket(self, browser, act=Act.LOGIN, **changed):
        """A new ticket for that browser."""
        return replace(self.gateway.ticket(self.chain, act, browser.bid), **changed)


def a_copy(folder):
    """The example in ``folder``, with the packages that are installed for it or for the tests."""
    packages = next((p for p in PACKAGES if (p / "jose").is_dir()), None)
    if packages is None or shutil.which("node") is None:
        raise RuntimeError("the tests marked `node` need Node.js, and `npm ci` in tests/node (or: python3 run.py test)")
    for name in ("app.js", "chain.js", "package.json"):
        shutil.copy(EXAMPLE / name, folder / name)
    (folder / "node_modules").symlink_to(packages)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(tmp_path_factory):
    """One process of the example for all tests here; each test has browsers of its own."""
    gateway = FakeGateway()
    async with TestServer(gateway.application()) as server:
        gateway.url = f"http://login.localhost:{server.port}"
        chain = gateway.config("notes", "https://notes.example")
        environment = {
            "PATH": os.environ["PATH"],
            "GATEWAY": gateway.url,
            "APP_ID": "notes",
            "APP_ORIGIN": chain.origin,
            "APP_SECRET": SECRET,
            "SESSION_KEY": SESSION_KEY,
            "PORT": "0",
        }
        folder = a_copy(tmp_path_factory.mktemp("node-app"))
        process = await asyncio.create_subprocess_exec(
            "node", "app.js", cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                line = await process.stdout.readline()
            async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
                yield NodeApp(gateway, chain, Wire(session, int(line.split()[-1])))
        finally:
            process.terminate()
            await process.wait()


on_one_loop = pytest.mark.asyncio(loop_scope="module")


async def who(browser):
    """Who is signed in, as the front page says."""
    text = await (await browser.get("/")).text()
    return text.partition("<b>")[2].partition("</b>")[0] or "nobody"


def told(landing):
    """The words of a receipt, which was verified: outcome and reason."""
    return f"{landing.receipt.outcome} {landing.receipt.reason}".strip()


@on_one_loop
async def test_it_signs_in_by_form_post_and_out_by_redirect(app):
    """The default hops, with receipts that the gateway can verify."""
    browser = app.browser()
    landing = await browser.login("alice", claims={"email": "alice@example.com"})
    assert (landing.status, told(landing)) == (303, "applied")
    assert await who(browser) == "alice"
    landing = await browser.logout()
    assert (landing.status, told(landing)) == (302, "applied")
    assert await who(browser) == "nobody"
    assert told(await browser.logout()) == "absent"


@on_one_loop
async def test_it_signs_in_by_two_step(app):
    """The bind cookie ties the ticket to the browser, and is cleared."""
    browser, thief = app.browser(), app.browser()
    ticket = app.ticket(browser)
    bound = replace(ticket, cnf=(await browser.begin(ticket)).bind)
    await thief.begin(ticket)
    assert told(await thief.redirect(bound)) == "refused bind"
    assert told(await browser.redirect(bound)) == "applied"
    assert "__Host-chain-bind" not in browser.jar
    assert await who(browser) == "alice"
    assert told(await browser.two_step(app.ticket(browser, Act.LOGOUT))) == "applied"


@on_one_loop
@pytest.mark.parametrize("origin", [None, "null", "https://evil.example"])
async def test_it_takes_posted_tickets_from_the_gateway_alone(app, origin):
    """T08: another page's form sets nothing, and the page leads to the gateway."""
    landing = await app.browser().form_post(app.ticket(app.browser()), origin)
    assert (landing.status, landing.location, landing.set_cookies) == (403, "", ())
    assert f'href="{app.gateway.url}/resume"' in landing.text


@on_one_loop
async def test_it_takes_no_login_from_a_plain_url(app):
    """A login ticket is never accepted unbound."""
    landing = await app.browser().redirect(app.ticket(app.browser()))
    assert (told(landing), landing.set_cookies) == ("refused unbound", ())


@on_one_loop
@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "https://bank.example"},
        {"iat": 1_000_000_000, "exp": 1_000_000_060},
        {"return_to": "http://evil.localhost/relay?state=x"},
        {"return_to": "elsewhere"},
    ],
    ids=str,
)
async def test_it_redirects_nowhere_for_a_ticket_that_is_not_its_own(app, changed):
    """T13, and no open redirect: a plain page."""
    if changed.get("return_to") == "elsewhere":
        changed = {"return_to": f"{app.gateway.url}/elsewhere?state=x"}
    landing = await app.browser().form_post(app.ticket(app.browser(), **changed))
    assert (landing.status, landing.location, landing.set_cookies) == (400, "", ())


@on_one_loop
async def test_it_applies_a_ticket_once(app):
    """T12: used up for other browsers, answered alike for the same one."""
    browser, thief = app.browser(), app.browser()
    ticket = app.ticket(browser)
    await browser.form_post(ticket)
    landing = await thief.form_post(ticket)
    assert (told(landing), landing.set_cookies) == ("refused used", ())
    logout = app.ticket(browser, Act.LOGOUT)
    assert told(await browser.redirect(logout)) == "applied"
    assert told(await browser.redirect(logout)) == "applied"
    assert told(await thief.redirect(logout)) == "refused used"


@on_one_loop
async def test_it_keeps_the_epoch_rule(app):
    """T25, T26, T27: late logins lose, late logouts hit nothing newer, the newer account stays."""
    browser = app.browser()
    late_login, late_logout = app.ticket(browser, sid="late"), app.ticket(browser, Act.LOGOUT)
    assert told(await browser.form_post(app.ticket(browser, sub="bob", sid="bob"))) == "applied"
    assert told(await browser.redirect(late_logout)) == "stale"
    assert told(await browser.form_post(late_login)) == "applied"
    assert await who(browser) == "bob"
    assert told(await browser.logout()) == "applied"
    assert told(await browser.form_post(app.ticket(browser, sid="later", epoch=late_login.epoch))) == "applied"
    assert await who(browser) == "nobody"
    assert told(await browser.two_step(app.ticket(browser, sid="later", epoch=late_login.epoch))) == "stale"


@on_one_loop
async def test_it_refuses_an_absurd_epoch(app):
    """T29: more than five minutes ahead sets nothing."""
    ahead = int(app.gateway.clock() * 1000) + EPOCH_AHEAD_MS + 60_000
    landing = await app.browser().form_post(app.ticket(app.browser(), epoch=ahead))
    assert (told(landing), landing.set_cookies) == ("refused epoch_ahead", ())


@on_one_loop
async def test_it_minds_whose_logout_it_is(app):
    """T61: somebody else's ticket ends nothing until the browser is proven."""
    browser, attacker = app.browser(), app.browser()
    await browser.login("alice", sid="minded")
    landing = await browser.redirect(app.ticket(attacker, Act.LOGOUT))
    assert (told(landing), landing.set_cookies) == ("refused other_browser", ())
    assert await who(browser) == "alice"
    assert told(await browser.two_step(app.ticket(attacker, Act.LOGOUT))) == "applied"
    assert await who(browser) == "nobody"


@on_one_loop
async def test_it_believes_no_doubled_and_no_planted_cookie(app):
    """T10, T11: a cookie under another name, or under a name that is there twice, is nobody's."""
    browser = app.browser()
    await browser.login("alice", sid="planted")
    ((name, value),) = browser.jar.items()
    answer = await app.wire.get("/", headers={"Cookie": f"{name}={value}; {name}={value}"})
    assert "Not signed in" in await answer.text()
    browser.jar = {f"{name}1": value}
    assert await who(browser) == "nobody"


@on_one_loop
async def test_it_takes_a_back_channel_logout(app):
    """The session ends without its browser; a late token does not end a newer login, and none is taken twice."""
    browser = app.browser()
    late = app.gateway.logout_token(app.chain, "back-channel")
    await browser.login("alice", sid="back-channel")
    assert (await app.wire.post("/chain/backchannel-logout", data={"logout_token": late})).status == 200
    assert await who(browser) == "alice"
    token = app.gateway.logout_token(app.chain, "back-channel")
    assert (await app.wire.post("/chain/backchannel-logout", data={"logout_token": token})).status == 200
    assert await who(browser) == "nobody"
    for wrong in (token, "x", app.gateway.logout_token(app.chain, "back-channel", nonce="n")):
        assert (await app.wire.post("/chain/backchannel-logout", data={"logout_token": wrong})).status == 400


@on_one_loop
async def test_its_sign_out_form_is_signed(app):
    """A POST from its own origin carries a logout request; another origin's is refused; a link lets the gateway ask."""
    browser = app.browser()
    await browser.login("alice", sid="form")
    # with no-referrer, browsers would say "Origin: null" for the form of this very page
    assert (await browser.get("/")).headers["Referrer-Policy"] == "same-origin"
    answer = await browser.post("/chain/logout", {}, {"Origin": app.chain.origin})
    assert answer.status == 303
    (text,) = parse_qs(urlsplit(answer.headers["Location"]).query)["request"]
    request = verify_logout_request(
        text, app.chain.key(), app_id="notes", gateway=app.gateway.url, now=int(app.gateway.clock())
    )
    assert request.sid == "form"
    assert (await browser.post("/chain/logout", {}, {"Origin": "https://evil.example"})).status == 403
    assert "request=" not in (await browser.get("/chain/logout")).headers["Location"]


@on_one_loop
async def test_nothing_happens_ahead_of_time_and_the_ping_answers(app):
    """T57: a prefetch gets 503 and spends nothing; the ping is 204."""
    browser = app.browser()
    ticket = app.ticket(browser, Act.LOGOUT)
    answer = await browser.get(f"/chain/hop?ticket={app.gateway.sign(ticket)}", {"Sec-Purpose": "prefetch"})
    assert answer.status == 503
    assert (await browser.get("/chain/ping")).status == 204
    assert told(await browser.redirect(ticket)) == "absent"


def test_its_lock_file_names_versions_and_no_place():
    """Whoever installs it uses a registry of their own; sums say that it is the same package."""
    text = (EXAMPLE / "package-lock.json").read_text()
    assert "resolved" not in text
    assert text.count("sha512-") == text.count('"node_modules/')
