"""Protected pages, the ways to the gateway, and the back channel, through the aiohttp adapter."""

from urllib.parse import parse_qs, urlsplit

import pytest
from support.sdk_site import NOW, Site, told, who

from chain_gateway.sdk.aiohttp import chain_session
from chain_gateway.tokens.logout_request import verify_logout_request
from chain_gateway.tokens.ticket import Act

BACK = "/chain/backchannel-logout"


def leads_to(answer):
    """The address before the query, and the query's parameters, of a redirect."""
    parts = urlsplit(answer.headers["Location"])
    return f"{parts.scheme}://{parts.netloc}{parts.path}", {k: v for k, (v,) in parse_qs(parts.query).items()}


async def test_a_stranger_at_a_protected_page_is_sent_to_sign_in_and_back(site):
    """302 to the gateway, with the very address that was asked for."""
    answer = await site.browser().get("/account/orders?year=2026&q=a%20b")
    assert answer.status == 302
    assert leads_to(answer) == (
        "https://login.example.com/login",
        {"app": "shop", "return_to": "https://shop.example/account/orders?year=2026&q=a%20b"},
    )


async def test_a_protected_page_opens_for_who_is_signed_in(site):
    """The handler sees the claims that the gateway passed on."""
    browser = site.browser()
    await browser.login("alice", claims={"email": "alice@example.com"})
    answer = await browser.get("/account")
    assert (answer.status, await answer.json()) == (200, {"email": "alice@example.com"})


@pytest.mark.parametrize("path", ["/account//evil.example", "/account/%252e%252e/x", "/account/%5cevil"])
async def test_an_address_that_the_gateway_would_refuse_comes_back_to_the_front_page(site, path):
    """T01: a stranger's odd address is not passed on, and the sign-in still works."""
    answer = await site.browser().get(path)
    assert leads_to(answer)[1]["return_to"] == "https://shop.example/"


async def test_what_is_no_visit_of_a_page_gets_401(site):
    """A script's request or a form cannot be sent to sign in and back."""
    browser = site.browser()
    assert (await browser.get("/account", {"Sec-Fetch-Mode": "cors"})).status == 401
    assert (await browser.post("/account", {}, {"Origin": "https://shop.example"})).status == 401
    assert (await browser.get("/account", {"Sec-Fetch-Mode": "navigate"})).status == 302


@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize("path", ["/", "/account"])
async def test_pages_that_depend_on_the_session_are_kept_by_no_cache(site, signed_in, path):
    """T58: Back after a sign-out asks anew; and the address is told to nobody."""
    browser = site.browser()
    if signed_in:
        await browser.login("alice")
    answer = await browser.get(path)
    assert answer.headers["Cache-Control"] == "no-store"
    redirected = answer.status == 302
    assert answer.headers["Referrer-Policy"] == ("no-referrer" if redirected else "same-origin")


async def test_other_pages_are_left_alone(site):
    """What does not ask who is signed in is the app's own matter."""
    browser = site.browser()
    await browser.login("alice")
    answer = await browser.get("/public")
    assert "Cache-Control" not in answer.headers
    assert "Set-Cookie" not in answer.headers


def test_an_app_without_the_set_up_is_told_so():
    """``chain_session`` without ``setup_chain`` is a programmer's mistake, not a stranger."""
    with pytest.raises(RuntimeError, match="setup_chain"):
        chain_session({})


@pytest.mark.parametrize(
    ("query", "back"),
    [
        ("", "https://shop.example/"),
        ("?return_to=/account%3Fa=b", "https://shop.example/account?a=b"),
        ("?return_to=https://shop.example/account", "https://shop.example/account"),
    ],
)
async def test_the_login_link_leads_to_the_gateway_and_back(site, query, back):
    """``/chain/login`` names the app and where to return, by a path or an address of its own."""
    answer = await site.browser().get(f"/chain/login{query}")
    assert answer.status == 302
    assert leads_to(answer) == ("https://login.example.com/login", {"app": "shop", "return_to": back})


async def test_the_login_link_names_the_chain_and_the_prompt(aiohttp_client):
    """A configured chain goes with it, and ``prompt=none`` asks for silence."""
    site = await Site(aiohttp_client, chain="partners").start()
    answer = await site.browser().get("/chain/login?prompt=none")
    assert leads_to(answer)[1] == {
        "app": "shop",
        "chain": "partners",
        "return_to": "https://shop.example/",
        "prompt": "none",
    }
    assert (await site.browser().get("/chain/login?prompt=consent")).status == 400


@pytest.mark.parametrize("route", ["/chain/login", "/chain/logout"])
@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/%5Cevil.example",
        "/%09/evil.example",
        "https://evil.example/",
        "https://shop.example.evil.example/",
        "https://shop.example@evil.example/",
        "https:evil.example",
        "javascript:alert(1)",
        "/a/../b",
        "/a%0d%0aSet-Cookie:x=y",
        "/" + "a" * 600,
        "/&return_to=/b",
    ],
)
async def test_no_link_leads_back_elsewhere(site, route, target):
    """T01, T02, T04: an address that is not this app's, or has two readings, is refused before the gateway sees it."""
    answer = await site.browser().get(f"{route}?return_to={target}")
    assert (answer.status, "Location" in answer.headers) == (400, False)


async def test_a_form_of_the_app_signs_out_at_once(site):
    """A POST from the app's own origin carries a request that the app signed, for the session that is live."""
    browser = site.browser()
    await browser.login("alice")
    answer = await browser.post("/chain/logout", {"return_to": "/bye"}, {"Origin": "https://shop.example"})
    assert answer.status == 303
    address, query = leads_to(answer)
    request = verify_logout_request(
        query.pop("request"), site.chain.key(), app_id="shop", gateway=site.gateway.url, now=NOW
    )
    assert address == "https://login.example.com/logout"
    assert query == {"app": "shop", "return_to": "https://shop.example/bye", "scope": "all"}
    assert (request.sid, request.exp - request.iat) == ("sid-1", 60)


async def test_a_sign_out_can_be_of_this_app_alone(site):
    """``scope=app`` is passed on; what is no scope is refused."""
    browser = site.browser()
    await browser.login("alice")
    own = {"Origin": "https://shop.example"}
    assert leads_to(await browser.post("/chain/logout", {"scope": "app"}, own))[1]["scope"] == "app"
    assert (await browser.post("/chain/logout", {"scope": "everything"}, own)).status == 400


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "https://login.example.com"])
async def test_a_form_of_another_site_signs_nobody_out(site, origin):
    """T28: the app vouches for its own pages alone."""
    browser = site.browser()
    await browser.login("alice")
    answer = await browser.post("/chain/logout", {}, {"Origin": origin} if origin else {})
    assert (answer.status, "Location" in answer.headers) == (403, False)


@pytest.mark.parametrize(
    ("site_of", "status"), [("same-origin", 303), ("same-site", 403), ("cross-site", 403), ("", 403)]
)
async def test_a_page_that_hides_its_origin_is_known_by_what_the_browser_says(site, site_of, status):
    """A page of the app with ``no-referrer`` posts Origin null; only the browser can say that it is the same origin."""
    browser = site.browser()
    await browser.login("alice")
    headers = {"Origin": "null"} | ({"Sec-Fetch-Site": site_of} if site_of else {})
    assert (await browser.post("/chain/logout", {}, headers)).status == status
    headers = {"Origin": "https://evil.example"} | ({"Sec-Fetch-Site": site_of} if site_of else {})
    assert (await browser.post("/chain/logout", {}, headers)).status == 403


async def test_a_link_to_sign_out_lets_the_gateway_ask(site):
    """T28: a GET could come from anywhere, so nothing is signed; nor is it where nobody is signed in."""
    browser = site.browser()
    answer = await browser.post("/chain/logout", {}, {"Origin": "https://shop.example"})
    assert (answer.status, "request" in leads_to(answer)[1]) == (303, False)
    await browser.login("alice")
    answer = await browser.get("/chain/logout?scope=app")
    assert answer.status == 302
    assert leads_to(answer)[1] == {"app": "shop", "return_to": "https://shop.example/", "scope": "app"}


async def test_the_back_channel_ends_a_session_without_its_browser(site):
    """From the next request on, nobody is signed in; the answer is 200, JSON, and kept by no cache."""
    browser = site.browser()
    await browser.login("alice")
    answer = await site.client.post(BACK, data={"logout_token": site.gateway.logout_token(site.chain, "sid-1")})
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert await answer.json() == {}
    assert await who(browser) == "nobody"


async def test_a_late_delivery_does_not_end_a_newer_login(site):
    """T27: the same ``sid`` signed in again since; the token's epoch is lower, and the session lives."""
    browser = site.browser()
    token = site.gateway.logout_token(site.chain, "sid-1")
    await browser.login("alice")
    assert (await site.client.post(BACK, data={"logout_token": token})).status == 200
    assert await who(browser) == "alice"


async def test_a_login_of_before_a_back_channel_logout_is_stale(site):
    """A ticket that was on its way when its ``sid`` was ended signs nobody in, and says so."""
    browser = site.browser()
    late = site.ticket(browser)
    await site.client.post(BACK, data={"logout_token": site.gateway.logout_token(site.chain, "sid-1")})
    assert told(await browser.form_post(late)) == "stale"


async def test_a_logout_by_a_browser_ends_copies_of_its_session(site):
    """The server side is killed by ``sid``: a cookie that somebody copied is nobody's session any more."""
    browser, thief = site.browser(), site.browser()
    await browser.login("alice")
    thief.jar = dict(browser.jar)
    await browser.redirect(site.ticket(browser, Act.LOGOUT))
    assert await who(thief) == "nobody"


async def test_a_logout_token_that_proves_nothing_is_answered_with_400(site):
    """T42: refused with what OAuth calls an error, and nothing ended; the same for one that comes twice."""
    browser = site.browser()
    await browser.login("alice")
    for data in ({}, {"logout_token": ""}, {"logout_token": "x"}, {"ticket": "x"}):
        answer = await site.client.post(BACK, data=data)
        assert (answer.status, answer.headers["Cache-Control"]) == (400, "no-store")
        assert (await answer.json())["error"] == "invalid_request"
    answer = await site.client.post(BACK, json={"logout_token": "x"})
    assert (answer.status, answer.content_type) == (400, "application/json")
    assert await who(browser) == "alice"
    token = site.gateway.logout_token(site.chain, "sid-2")
    assert (await site.client.post(BACK, data={"logout_token": token})).status == 200
    assert (await site.client.post(BACK, data={"logout_token": token})).status == 400
