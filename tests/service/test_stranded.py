"""A browser that a dead app held up: it goes on at its next visit to the gateway, and nothing leads it in a circle."""

from __future__ import annotations

import pytest
from support.browser import Browser
from support.wire import outcomes, query
from support.world import World, a_world, choose

from chain_gateway.core.limits import HOP_SECONDS
from chain_gateway.service.loops import LOOP_SECONDS
from chain_gateway.tokens.encoding import b64e

NO_OP = {"logout": "none"}


async def stuck_at_news(world: World, browser: Browser) -> str:
    """Signs in; the browser then stands at News, which does not answer. The id of the walk."""
    await browser.open(f"{world.apps['shop']}/chain/login")
    browser.halt_at = world.apps["news"]
    await choose(browser)
    browser.halt_at = ""
    (walk,) = await world.store.open_everywhere(10)
    return b64e(walk.id)


async def signing_out_stuck_at_news(world: World, browser: Browser) -> str:
    """Signed in everywhere, and on its way out at News, which does not answer. The id of the walk."""
    await world.sign_in(browser)
    browser.halt_at = world.apps["news"]
    await world.sign_out(browser)
    browser.halt_at = ""
    (walk,) = await world.store.open_everywhere(10)
    return b64e(walk.id)


async def test_the_next_sign_in_goes_on_where_the_last_one_was_held_up() -> None:
    """Past the dead app, on to where this one leads; the provider is not asked again (F02)."""
    async with a_world(every={"login": "two_step", "retries": 0}) as world, world.browser() as b:
        walk = await stuck_at_news(world, b)
        world.clock.now += HOP_SECONDS
        page = await b.open(f"{world.apps['bank']}/chain/login")
        await b.walk_on()
        assert not [url for url in page.chain if "/authorize" in url]
        assert await outcomes(b, world.gateway, walk) == ["applied", "timed_out", "applied"]
        assert b.page.links["Continue to Bank"] == world.apps["bank"] + "/"
        assert set(await world.signed_in(b)) == {"shop", "bank"}


async def test_before_the_hops_time_is_over_a_new_sign_in_is_a_new_one() -> None:
    """The app may still answer in the other tab; the newer walk wins."""
    async with a_world(every={"login": "two_step"}) as world, world.browser() as b:
        await stuck_at_news(world, b)
        world.clock.now += HOP_SECONDS - 1
        page = await b.open(f"{world.apps['bank']}/chain/login")
        assert [url for url in page.chain if "/authorize" in url]


@pytest.mark.parametrize("prompt", ["login", "none"])
async def test_who_asks_for_something_else_is_not_led_on(prompt: str) -> None:
    """Signing in anew, or silently, is another wish than going on."""
    async with a_world(every={"login": "two_step"}) as world, world.browser() as b:
        await stuck_at_news(world, b)
        world.clock.now += HOP_SECONDS
        page = await b.open(f"{world.gateway}/login?app=bank&prompt={prompt}")
        assert [url for url in page.chain if "/authorize" in url]


async def test_another_browser_is_not_led_on() -> None:
    """A walk belongs to its own browser."""
    async with (
        a_world(every={"login": "two_step"}) as world,
        world.browser() as b,
        world.browser() as other,
    ):
        await stuck_at_news(world, b)
        world.clock.now += HOP_SECONDS
        page = await other.open(f"{world.apps['bank']}/chain/login")
        assert [url for url in page.chain if "/authorize" in url]


async def test_a_sign_in_that_lost_its_identity_begins_anew() -> None:
    """The cookie that says who it is about is gone: nobody is signed in as nobody."""
    async with a_world(every={"login": "two_step"}) as world, world.browser() as b:
        await stuck_at_news(world, b)
        for name in [name for name in b.cookies(world.gateway) if name.startswith("__Host-chain-who-")]:
            del b.cookies(world.gateway)[name]
        world.clock.now += HOP_SECONDS
        page = await b.open(f"{world.apps['bank']}/chain/login")
        assert [url for url in page.chain if "/authorize" in url]


@pytest.mark.parametrize("logout", ["redirect", "form_post"])
async def test_the_next_sign_out_goes_on_where_the_last_one_was_held_up(logout: str) -> None:
    """Without asking again: the person had said yes. The app is left out, and owed (F02, F16)."""
    async with a_world(op=NO_OP, every={"logout": logout, "retries": 0}) as world, world.browser() as b:
        walk = await signing_out_stuck_at_news(world, b)
        if logout == "form_post":
            await b.walk_on(1)
        world.clock.now += HOP_SECONDS
        await b.open(f"{world.gateway}/logout")
        await b.walk_on()
        assert (await outcomes(b, world.gateway, walk)).count("timed_out") == 1
        assert len(await world.owed()) == 1
        await world.deliver()
        assert await world.signed_in(b) == {}


async def test_resume_goes_on_as_well() -> None:
    """As every error page of an app says."""
    async with a_world(op=NO_OP) as world, world.browser() as b:
        walk = await signing_out_stuck_at_news(world, b)
        world.clock.now += HOP_SECONDS
        page = await b.open(world.gateway + "/resume")
        assert "2 of 3" in page.text
        assert await outcomes(b, world.gateway, walk) == ["applied", "timed_out", "applied"]


async def test_who_comes_back_from_an_app_is_not_sent_there_again_at_once() -> None:
    """The page of the hop waits for its person, who may skip; the next app's page goes on by itself (T23)."""
    async with a_world() as world, world.browser() as b:
        await b.open(f"{world.apps['shop']}/chain/login")
        page = await choose(b)
        assert "data-wait" not in page.text
        world.fronts["shop"].answers(500, "/chain/hop")
        await b.submit()
        page = await b.open(world.gateway + "/resume")
        assert "data-wait" in page.text
        assert "ticket" in page.forms[0].fields
        page = await b.follow("Skip Shop")
        assert page.forms[0].action.startswith(world.apps["news"])
        assert "data-wait" not in page.text


async def test_a_sign_out_begins_although_an_older_one_was_left_standing() -> None:
    """Held up, signed in again, and out again: the new sign-out is what counts, not the old one (T26, I1)."""
    async with a_world(op=NO_OP) as world, world.browser() as b:
        await signing_out_stuck_at_news(world, b)
        world.clock.now += HOP_SECONDS
        await world.sign_in(b)
        await b.walk_on()
        assert len(await world.signed_in(b)) == 3
        world.clock.now += HOP_SECONDS
        page = await world.sign_out(b)
        assert page.url == world.apps["shop"] + "/", page.text
        assert await world.signed_in(b) == {}


async def test_a_sign_in_begins_although_an_older_one_was_left_standing() -> None:
    """Held up, signed out, and in again: the new sign-in is what counts."""
    async with a_world(op=NO_OP, every={"login": "two_step"}) as world, world.browser() as b:
        await stuck_at_news(world, b)
        world.clock.now += 1
        await world.sign_out(b)
        world.clock.now += HOP_SECONDS
        await b.open(f"{world.gateway}/login?app=shop&prompt=login")
        world.clock.now += 1
        await choose(b)
        await b.walk_on()
        assert await world.signed_in(b) == dict.fromkeys(world.apps, "demo|alice")
        world.clock.now += HOP_SECONDS
        page = await b.open(f"{world.apps['bank']}/chain/login")
        assert page.url == world.apps["bank"] + "/"


async def test_one_app_alone_does_not_lead_on() -> None:
    """What is gone on with is a sign-out of everything: who comes now may want another app out, or all."""
    async with a_world(op=NO_OP) as world, world.browser() as b:
        await world.sign_in(b)
        b.halt_at = world.apps["news"]
        await b.open(f"{world.gateway}/logout?app=news&scope=app")
        await b.submit()
        b.page, b.halt_at = None, ""
        world.clock.now += HOP_SECONDS
        page = await b.open(f"{world.gateway}/logout")
        assert "Sign out of" in page.text


async def test_an_app_that_failed_at_login_signs_in_at_its_first_visit() -> None:
    """By itself, without a question, and once (lazy)."""
    async with a_world(every={"retries": 0}) as world, world.browser() as b:
        bank = world.fronts["bank"]
        bank.answers(500, "/chain/hop")
        await b.open(f"{world.apps['shop']}/chain/login")
        await choose(b)
        await b.submit()
        await b.submit()
        await b.submit()
        assert b.page.status == 500
        await b.open(world.gateway + "/resume")
        world.clock.now += HOP_SECONDS
        await b.open(world.gateway + "/resume")
        assert "2 of 3" in b.page.text
        bank.well()
        page = await b.open(f"{world.apps['bank']}/account")
        hops = [url for url in page.chain if "/chain/hop" in url]
        page = await b.walk_on()
        assert page.url == world.apps["bank"] + "/account"
        assert page.text == "demo|alice"
        assert not [url for url in page.chain if "/session" in url]
        assert hops == []
        assert query(page.url) == {}


class Blocking(Browser):
    """A browser that keeps no cookie of the origin that it ``blocks`` whose name begins so."""

    blocks = ""
    names = "__Host-"

    def _keep(self, url: str) -> None:
        super()._keep(url)
        if self.blocks and url.startswith(self.blocks):
            kept = self.cookies(url)
            for name in [name for name in kept if name.startswith(self.names)]:
                del kept[name]


async def test_an_app_whose_cookies_are_blocked_does_not_go_round_for_ever() -> None:
    """It asks to sign in, is signed in, and asks again; then the app itself says that it sees no cookie (F08, T33)."""
    async with a_world() as world, Blocking() as b:
        b.blocks = world.apps["bank"]
        await world.sign_in(b)
        await b.open(f"{world.apps['bank']}/account")
        page = await b.walk_on(2)
        assert page.url.startswith(world.gateway)
        assert "The sign-in was refused by Bank." in page.text
        assert set(await world.signed_in(b)) == {"shop", "news"}


async def test_an_app_that_forgets_its_session_does_not_go_round_until_the_browser_stops() -> None:
    """Its cookies work, but not the one that counts: a page says so before there are too many redirects."""
    async with a_world() as world, Blocking() as b:
        b.blocks, b.names = world.apps["bank"], "__Host-chain-s-"
        await world.sign_in(b)
        await b.open(f"{world.apps['bank']}/account")
        page = await b.walk_on(2)
        assert page.status == 409
        assert "asks_again" in page.text
        assert "this browser does not keep that site" in page.text
        assert {"Try again", "Go back to Bank"} <= page.links.keys()
        assert len(page.chain) < 16
        assert set(await world.signed_in(b)) == {"shop", "news"}


async def test_who_keeps_the_cookies_again_can_try_again_after_a_minute() -> None:
    """The page is no verdict for ever."""
    async with a_world() as world, Blocking() as b:
        b.blocks, b.names = world.apps["bank"], "__Host-chain-s-"
        await world.sign_in(b)
        await b.open(f"{world.apps['bank']}/account")
        await b.walk_on(2)
        assert b.page.status == 409
        b.blocks = ""
        world.clock.now += LOOP_SECONDS + 1
        await b.follow("Try again")
        page = await b.walk_on()
        assert page.url == world.apps["bank"] + "/account"
        assert page.text == "demo|alice"


async def test_a_silent_login_that_would_go_round_ends_with_an_error() -> None:
    """It shows nothing, so it says so to the app."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        assert (await b.open(f"{world.gateway}/login?app=bank&prompt=none")).url == world.apps["bank"] + "/"
        page = await b.open(f"{world.gateway}/login?app=bank&prompt=none")
        assert page.url == world.apps["bank"] + "/?error=temporarily_unavailable"
