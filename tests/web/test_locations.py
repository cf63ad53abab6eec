"""Every ``Location`` that crosses the wire leads to a place of the registry, by a judge that shares no code (I8)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import aiohttp
import pytest
from support.browser import Browser
from support.payloads import payloads
from support.second_judge import landing, lands_in
from support.world import World, a_world, choose
from yarl import URL

from chain_gateway.resolver import LoopbackResolver

MODES = [
    {},
    {"every": {"login": "two_step", "logout": "form_post"}},
    {"op": {"logout": "last"}, "every": {"logout": "back_channel"}},
    {"dialect": "auth0", "gateway": {"redirect_budget": 6}},
    {"gateway": {"confirm_logout": "never"}, "op": {"logout": "none"}},
]
ENTRANCES = ("login?return_to=", "login?app=shop&return_to=", "logout?return_to=", "logout?app=shop&return_to=")


def places(world: World) -> Mapping[str, tuple[str, ...]]:
    """Where a browser may be sent: the gateway, the provider, the apps."""
    return {landing(url).origin: ("/",) for url in (world.gateway, world.op.issuer, *world.apps.values())}


def judge(world: World, browser: Browser) -> None:
    """Looks at every redirect that ``browser`` was given."""
    assert browser.locations
    for location in browser.locations:
        assert lands_in(location, places(world), base=world.gateway + "/login"), location
        assert location.startswith(tuple(f"{origin}/" for origin in places(world))), location


async def walks(world: World, b: Browser) -> None:
    """In and out by every way there is, with steps in the wrong order and at the wrong time."""
    shop = world.apps["shop"]
    await b.open(f"{shop}/chain/login?return_to={shop}/whoami")
    await choose(b)
    first = b.page
    await b.walk_on()
    await b.open(f"{world.gateway}/login?app=news&prompt=none")
    await b.open(f"{world.gateway}/login?return_to={shop}/whoami&prompt=login")
    await choose(b, "bob")
    for url in [*first.chain, *b.page.chain]:
        await b.open(url)
    await b.open(f"{world.gateway}/resume")
    await b.walk_on()
    await b.open(f"{world.gateway}/logout?app=shop&scope=app&return_to={shop}/whoami")
    if b.page.forms:
        await b.submit()
    await b.walk_on()
    await b.open(f"{world.gateway}/login?app=shop&prompt=none")
    await world.sign_out(b, "news")
    if b.page.forms:
        await b.submit()
    await world.walk_out(b)
    for url in b.page.chain:
        await b.open(url)
    for path in ("logged-out", "logged-out?state=x", "resume", "callback?state=x", "relay?state=x"):
        await b.open(f"{world.gateway}/{path}")
    for path in ("login", "logout", "login?prompt=none"):
        page = await b.open(f"{world.gateway}/{path}{'&' if '?' in path else '?'}return_to=http://evil.localhost:1/")
        assert page.status == 400
    await b._go("POST", f"{world.gateway}/logout", {"app": "shop", "return_to": shop + "/"}, {})
    await b._go("POST", f"{world.gateway}/relay", {"state": "https://evil.example/"}, {})


@pytest.mark.parametrize("settings", MODES)
async def test_every_redirect_of_a_walk_stays_in_the_registry(settings: Mapping[str, Mapping[str, object]]) -> None:
    """Whatever the modes, and in whatever order the steps come."""
    async with a_world(**settings) as world, world.browser() as b:
        await walks(world, b)
        judge(world, b)


async def test_every_redirect_to_an_app_without_the_sdk_stays_in_the_registry() -> None:
    """Its templates are the operator's, and what fills them leads nowhere."""
    templates = {"external_login": "/start?iss={iss}&to={target_link_uri}", "external_logout": "/end?to={return_to}"}
    async with a_world("shop", "old", external={"old": templates}) as world, world.browser() as b:
        await world.sign_in(b)
        await b.open(f"{world.gateway}/resume")
        await b.walk_on()
        await world.sign_out(b)
        await b.open(f"{world.gateway}/resume")
        judge(world, b)
        assert any(location.startswith(world.apps["old"]) for location in b.locations)


async def test_no_written_attack_is_answered_with_a_redirect_astray() -> None:
    """Each of the hundreds, at each entrance, as it stands and encoded, followed to where a browser lands (T01)."""
    connector = aiohttp.TCPConnector(resolver=LoopbackResolver())
    async with (
        a_world("shop", "news") as world,
        aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        allowed = {landing(url).origin: ("/",) for url in (world.gateway, world.op.issuer)}
        ours = world.apps["shop"].removeprefix("http://")
        tried = 0
        for payload in payloads("return_to"):
            text = payload.replace("https://shop.example", world.apps["shop"]).replace("shop.example", ours)
            value = quote(text.encode("utf-8", "surrogatepass"), safe="")
            for entrance in ENTRANCES:
                url = URL(f"{world.gateway}/{entrance}{value}", encoded=True)
                async with http.get(url, allow_redirects=False) as response:
                    tried += 1
                    location = response.headers.get("Location")
                    assert response.status in {200, 302, 400}, (payload, response.status)
                    assert location is None or lands_in(location, allowed), (payload, location)
                    assert "evil" not in (location or "").partition("?")[0]
        assert tried > 1000


async def test_the_judge_of_these_tests_can_say_no() -> None:
    """It does, to what leaves the registry."""
    async with a_world("shop") as world, world.browser() as b:
        b.locations = [world.gateway + "/x", "https://evil.example/"]
        with pytest.raises(AssertionError):
            judge(world, b)
