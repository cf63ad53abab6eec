"""The demo's sites: what they show of a session, and that they show nothing else."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from aiohttp.test_utils import TestServer

from chain_gateway.demo.apps import Neighbour, Site
from chain_gateway.demo.looks import FOUR, generated
from chain_gateway.sdk.testing import FakeGateway
from chain_gateway.tokens.ticket import Act

ORIGIN = "http://shop.localhost:9000"
SHOP = FOUR[0]


@pytest.fixture
async def open_site(unused_tcp_port, aiohttp_client):
    """Opens a browser at a site whose gateway is a real server of real keys."""
    gateway = FakeGateway(f"http://localhost:{unused_tcp_port}", clock=lambda: 1_700_000_000.0)
    server = TestServer(gateway.application(), host="127.0.0.1", port=unused_tcp_port)
    await server.start_server()

    async def _open(look=SHOP, neighbours=()):
        chain = gateway.config(look.id, ORIGIN)
        site = Site(look, chain, neighbours, "http://*.localhost:9000", clock=gateway.clock)
        return gateway.browser(await aiohttp_client(site.application()), chain)

    yield _open
    await server.close()


async def test_a_stranger_sees_a_site_that_is_signed_out(open_site):
    """Nobody is signed in, and the one button leads to the gateway."""
    shop = await open_site()
    page = await (await shop.get("/")).text()
    assert 'data-signed-in="no"' in page
    assert 'action="/chain/login"' in page
    assert await (await shop.get("/whoami")).json() == {"signed_in": False}


async def test_a_session_is_told_in_words(open_site):
    """Name, subject, time of the sign-in and epoch of the last ticket stand on the page."""
    shop = await open_site()
    ticket = replace(
        shop._gateway.ticket(shop._chain, bid=shop.bid),
        sub="demo|alice",
        auth_time=1_699_999_880,
        acr="urn:x",
        claims={"name": "Alice", "email": "alice@example.test"},
    )
    await shop.form_post(ticket)
    page = re.sub(r"<[^>]+>", "", await (await shop.get("/")).text())
    assert "You are signed in as Alice." in page
    for words in ("demo|alice", "alice@example.test", "2 minutes ago", "urn:x", str(ticket.epoch), ticket.jti):
        assert words in page
    told = await (await shop.get("/whoami")).json()
    assert (told["signed_in"], told["sub"], told["epoch"]) == (True, "demo|alice", ticket.epoch)


async def test_claims_are_text_on_a_page(open_site):
    """What an account calls itself is escaped."""
    shop = await open_site()
    await shop.login("alice", claims={"name": "<script>alert(1)</script>"})
    page = await (await shop.get("/")).text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


async def test_the_account_page_is_for_those_who_are_signed_in(open_site):
    """A stranger is sent to the gateway and back to this very page; a person who is signed in sees it."""
    shop = await open_site()
    away = await shop.get("/account")
    assert away.status == 302
    assert away.headers["Location"].startswith(shop._gateway.url + "/login?")
    assert "%2Faccount" in away.headers["Location"]
    await shop.login("alice")
    assert (await shop.get("/account")).status == 200


async def test_after_a_sign_out_the_site_remembers_it(open_site):
    """The page says which sign-out it was that ended every session before."""
    shop = await open_site()
    await shop.login("alice")
    await shop.redirect(shop._gateway.ticket(shop._chain, Act.LOGOUT, shop.bid))
    page = await (await shop.get("/")).text()
    assert 'data-signed-in="no"' in page
    assert "A sign-out that began on 14 November 2023 at 22:13:20.00" in page


async def test_a_sign_out_button_is_heard_from_its_own_page_alone(open_site):
    """The buttons post to the SDK, which asks for this site's own Origin; so the page must let it be sent."""
    shop = await open_site()
    await shop.login("alice")
    page = await shop.get("/")
    assert page.headers["Referrer-Policy"] == "same-origin"
    away = await shop.post("/chain/logout", {"scope": "app"}, {"Origin": ORIGIN})
    assert away.status == 303
    assert "scope=app" in away.headers["Location"]
    assert (await shop.post("/chain/logout", {}, {"Origin": "http://evil.localhost:9000"})).status >= 400


async def test_every_page_is_strict(open_site):
    """Nothing is loaded from elsewhere, scripted, framed or kept; forms lead through the demo's own hosts alone."""
    shop = await open_site(neighbours=(Neighbour("News", "http://news.localhost:9000"),))
    page = await shop.get("/")
    policy = page.headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "form-action 'self' http://*.localhost:9000" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["Cache-Control"] == "no-store"
    text = await page.text()
    assert not re.findall(r"<script|\son\w+=|style=|(?:src|href)=\"(?:https?:)?//(?!news\.localhost)", text)


async def test_each_site_has_its_own_look(open_site):
    """Style and hue differ from site to site, and its icon shows its initial."""
    app = generated(3)[2]
    site = await open_site(app)
    assert 'class="plain"' in await (await site.get("/")).text()
    style = await site.get("/look.css")
    assert (style.content_type, (await style.text()).strip()) == ("text/css", f":root {{ --hue: {app.hue}; }}")
    icon = await site.get("/look.svg")
    assert icon.content_type == "image/svg+xml"
    assert ">A<" in await icon.text()
    assert (await site.get("/static/app.css")).status == 200


def test_generated_sites_are_told_apart():
    """Two hundred of them have two hundred ids, and neighbours differ in hue by far."""
    looks = generated(200)
    assert [looks[0].id, looks[-1].id, len({look.id for look in looks})] == ["app-1", "app-200", 200]
    assert all(90 < abs(a.hue - b.hue) % 360 < 270 for a, b in pairwise(looks))
