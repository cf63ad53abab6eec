"""What a page of somebody else can make a browser do by sending it round, and what it can not."""

from __future__ import annotations

import pytest
from support.browser import Browser, origin
from support.wire import outcomes, ticket_on
from support.world import World, a_world, choose

ROUNDS = 25
A_WHILE = 61
"""Seconds: slow enough not to be taken for an app that asks in a loop."""
HEADER_BYTES = 8190
"""The longest header field that common servers take."""


def size(browser: Browser, url: str) -> int:
    """How long the Cookie header is that ``browser`` sends to ``url``."""
    return sum(len(name) + len(value) + len("=; ") for name, value in browser.cookies(url).items())


async def rounds(world: World, times: int) -> None:
    """What goes on beside the requests, a while later."""
    for _ in range(times):
        world.clock.now += 70
        for each in world.background._rounds:
            await each.run()


async def send_round(world: World, browser: Browser) -> None:
    """What a script in another window does: a login for Shop that ends where Shop never gets to see its cookies."""
    world.clock.now += A_WHILE
    browser.page = None
    await browser.open(f"{world.gateway}/login?app=shop&return_to={world.apps['news']}/chain/ping")
    await browser.walk_on()


async def test_a_browser_that_is_sent_round_and_round_can_still_use_the_app() -> None:
    """Each posted ticket adds a session cookie; nineteen of them would lock a person out of Shop for hours (T35)."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        for _ in range(ROUNDS):
            await send_round(world, b)
        for url in (world.gateway, *world.apps.values()):
            assert size(b, url) < HEADER_BYTES / 2, url
        assert await world.signed_in(b) == dict.fromkeys(world.apps, "demo|alice")


class Forgetful(Browser):
    """A browser that keeps no cookie of one origin."""

    def __init__(self, blocked: str) -> None:
        super().__init__()
        self.blocked = blocked

    def _keep(self, url: str) -> None:
        if origin(url) != self.blocked:
            super()._keep(url)


async def test_an_app_whose_cookies_are_blocked_is_no_endless_walk() -> None:
    """It asks for a login, is confirmed, and asks again: the second time a page says what is wrong (F08)."""
    async with a_world() as world, Forgetful(world.apps["shop"]) as b:
        page = await world.sign_in(b)
        assert page.url == world.apps["shop"] + "/"
        assert "shop" not in await world.signed_in(b)
        await b.open(f"{world.apps['shop']}/chain/login")
        page = await b.walk_on()
        assert page.url.startswith(world.gateway)
        assert "Signed in to 0 of 1" in page.text
        assert "refused by Shop" in page.text


@pytest.mark.parametrize("said", ["none", "cross-site", "same-site", ""])
async def test_an_app_ends_no_walk(said: str) -> None:
    """An app has the chain token of its own hop, and speaks for that hop alone (T24)."""
    async with a_world("shop", "news") as world, world.browser() as b:
        await b.open(f"{world.apps['shop']}/chain/login")
        await choose(b)
        walk = ticket_on(b)["walk"]
        await b.open(ticket_on(b)["return"] + "&error=finish", **{"Sec-Fetch-Site": said})
        assert await outcomes(b, world.gateway, walk) == ["pending", "pending"]
        assert "ticket" in b.page.forms[0].fields


@pytest.mark.parametrize("logout", ["back_channel", "redirect"])
async def test_an_earlier_session_of_the_same_person_ends_with_the_logout(logout: str) -> None:
    """Alice signs in anew and leaves News out; News keeps her first session, and the logout must end that one (I2)."""
    async with a_world("shop", "news", apps={"news": {"logout": logout}}) as world, world.browser() as b:
        await world.sign_in(b)
        world.clock.now += 100
        await b.open(f"{world.apps['shop']}/chain/login?prompt=login")
        await choose(b)
        await b.submit()
        await b.follow("Skip News")
        world.clock.now += 10
        b.halt_at = "" if logout == "back_channel" else world.apps["news"] + "/chain/hop"
        await world.sign_out(b)
        b.halt_at = ""
        await rounds(world, 5)
        assert await world.signed_in(b) == {}


async def test_no_parameter_lowers_a_policy() -> None:
    """What an app may fail, how it is visited and how often is the operator's word alone (T59)."""
    lower = (
        "required=false&retries=0&visit=lazy&login=none&logout=none&ping=false&budget=99&confirm_logout=never&apps=shop"
    )
    async with a_world(apps={"shop": {"required": True}}) as world, world.browser() as b:
        await b.open(f"{world.gateway}/login?app=shop&{lower}")
        await choose(b)
        walk = ticket_on(b)["walk"]
        assert await outcomes(b, world.gateway, walk) == ["pending"] * 3
        await b.open(f"{ticket_on(b)['return']}&error=skipped&{lower}")
        assert "The sign-in was stopped" in b.page.text
        await world.sign_in(b)
        page = await b.open(f"{world.gateway}/logout?{lower}")
        assert "Sign out of 3 sites?" in page.text
