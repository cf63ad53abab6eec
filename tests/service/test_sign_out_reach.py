"""How far a sign-out reaches: whatever was lost, and whatever an app, another tab or sign-out does meanwhile."""

from __future__ import annotations

import pytest
from aiohttp import web
from support.browser import Browser
from support.wire import query
from support.world import World, a_world, choose

from chain_gateway.core.limits import HOP_SECONDS, NOBODY_SECONDS

NO_OP = {"logout": "none"}


def silent(world: World) -> str:
    """A login for Shop that shows nothing."""
    return f"{world.gateway}/login?app=shop&prompt=none&return_to={world.apps['shop']}/"


@pytest.mark.parametrize("lost", ["store", "cookie"])
async def test_a_sign_out_reaches_what_was_signed_in_before_the_memory_was_lost(lost: str) -> None:
    """After the loss one app signs in silently; a sign-out visits the others all the same (F24, I2)."""
    async with a_world(op=NO_OP) as world, world.browser() as b:
        await world.sign_in(b)
        world.clock.now += 60
        if lost == "store":
            await world.store.close()
            await world.store.open()
        else:
            b.jars.pop(world.gateway)
        await b.open(silent(world))
        page = await world.sign_out(b)
        assert page.url == f"{world.apps['shop']}/"
        assert await world.signed_in(b) == {}


async def test_a_lazy_app_is_visited_by_the_first_sign_out_alone() -> None:
    """It says that there is nothing, and the ledger has that from then on; nor is a recent app taken for visited."""
    lazy = {"news": {"visit": "lazy"}, "bank": {"visit": "recent"}}
    async with a_world(op=NO_OP, apps=lazy) as world, world.browser() as b:
        for others in (["news", "bank"], []):
            page = await world.sign_in(b)
            assert not [url for url in page.chain if "/chain/hop" in url and world.apps["shop"] not in url]
            page = await world.sign_out(b)
            visited = [url for url in page.chain if "/chain/hop" in url]
            assert [name for name in world.apps if any(world.apps[name] in url for url in visited)] == ["shop", *others]
            world.clock.now += 60


def comes_back_to_sign_in(world: World, name: str) -> None:
    """Lets an app answer its hop with a login that nobody asked for."""

    async def again(_request: web.Request) -> web.Response:
        world.clock.now += 1
        return web.Response(status=302, headers={"Location": f"{world.gateway}/login?app={name}"})

    world.fronts[name].fault, world.fronts[name].paths = again, ("/chain/hop",)


@pytest.mark.parametrize("when", ["last", "none"])
async def test_no_app_turns_a_sign_out_into_a_sign_in(when: str) -> None:
    """The provider would sign in without a question; the sign-out goes on past that app instead."""
    async with a_world(op={"logout": when}) as world, world.browser() as b:
        await world.sign_in(b)
        comes_back_to_sign_in(world, "news")
        world.clock.now += 5
        await b.open(f"{world.apps['shop']}/")
        await b.submit()
        world.fronts["news"].well()
        await world.walk_out(b)
        assert await world.signed_in(b) == {"news": "demo|alice"}
        assert set(await world.owed()) == {"news"}


@pytest.mark.parametrize("paused", [False, True])
async def test_a_sign_out_that_stands_open_is_followed_by_a_sign_in_by_hand_alone(paused: bool) -> None:
    """An app can wait until the time of its hop is over; a page of the gateway that waits is left open as well."""
    names = ("shop", "news", *(f"a{n}" for n in range(7 * paused)))
    async with a_world(*names, op=NO_OP) as world, world.browser() as b:
        await world.sign_in(b)
        world.clock.now += 5
        if paused:
            await b.open(f"{world.apps['shop']}/")
            await b.submit()
            assert b.page.origin == world.gateway
            world.clock.now += 1
        else:
            comes_back_to_sign_in(world, "news")
            b.halt_at = f"{world.gateway}/login"
            await b.open(f"{world.apps['shop']}/")
            await b.submit()
            world.fronts["news"].well()
            world.clock.now += HOP_SECONDS
        b.page, b.halt_at = None, ""
        await b.open(f"{world.gateway}/login?app=news")
        assert b.page.origin == world.op.issuer
        await choose(b)
        await b.walk_on()
        assert set(await world.signed_in(b)) == set(world.apps)


async def test_at_the_providers_logout_nobody_is_held_up() -> None:
    """Some providers never lead back; who goes on to sign in is sent to the provider as ever."""
    async with a_world(op={"logout": "last"}) as world, world.browser() as b:
        await world.sign_in(b)
        await b.open(f"{world.apps['shop']}/")
        b.halt_at = world.op.issuer
        assert "/session/end" in (await b.submit()).url
        b.page, b.halt_at = None, f"{world.op.issuer}/authorize"
        page = await b.open(f"{world.gateway}/login?app=news")
        assert "prompt" not in query(page.url)


async def test_a_sign_out_of_everything_is_not_swallowed_by_one_of_an_app() -> None:
    """Shop signed the request for all apps; that News is held up with its own is no reason to sign out of nothing."""
    async with a_world(op=NO_OP) as world, world.browser() as b:
        await world.sign_in(b)
        world.fronts["news"].answers(500, "/chain/hop")
        await b.open(f"{world.gateway}/logout?app=news&scope=app")
        await b.submit()
        world.clock.now += HOP_SECONDS + 1
        await world.sign_out(b)
        world.clock.now += HOP_SECONDS + 1
        await b.open(f"{world.gateway}/resume")
        assert set(await world.signed_in(b)) == {"news"}


TWO_CHAINS = {"main": ["shop", "news"], "other": ["bank", "mail"]}


async def test_a_sign_out_of_one_chain_is_not_swallowed_by_that_of_another() -> None:
    """What was lost is found by a sign-out of its own chain, not by going on with one that is held up."""
    names = [name for apps in TWO_CHAINS.values() for name in apps]
    async with a_world(*names, op=NO_OP, chains=TWO_CHAINS) as world, world.browser() as b:
        await world.sign_in(b, "bank")
        b.jars.pop(world.gateway)
        world.clock.now += 60
        await world.sign_in(b, "shop")
        b.halt_at = world.apps["news"]
        await world.sign_out(b, "shop")
        b.page, b.halt_at = None, ""
        world.clock.now += HOP_SECONDS
        await b.open(f"{world.gateway}/logout?chain=other")
        await b.submit()
        await b.walk_on()
        assert await world.signed_in(b) == {}


async def held_up_at_news(world: World, browser: Browser) -> str:
    """Signing out of everything, with the browser on its way to News; where it is going."""
    world.clock.now += 60
    browser.halt_at = f"{world.apps['news']}/chain/hop"
    left = (await world.sign_out(browser)).url
    browser.page, browser.halt_at = None, ""
    world.clock.now += 1
    return left


async def test_a_sign_out_of_one_app_does_not_stop_that_of_everything() -> None:
    """Both were wanted. A hostile app can do the same with a request that it signed, and its visit never comes back."""
    async with a_world(op={"logout": "last"}) as world, world.browser() as b:
        await world.sign_in(b)
        left = await held_up_at_news(world, b)
        await b.open(f"{world.gateway}/logout?app=bank&scope=app")
        await b.submit()
        world.clock.now += 1
        b.page = None
        await b.open(left)
        await world.walk_out(b)
        page = await b.open(f"{world.apps['bank']}/account")
        assert page.origin == world.op.issuer


async def test_a_sign_out_of_an_app_elsewhere_takes_over_that_of_everything() -> None:
    """The one under way does not visit that app; the new one visits it, and all that the other would have."""
    names = [name for apps in TWO_CHAINS.values() for name in apps]
    async with a_world(*names, op={"logout": "last"}, chains=TWO_CHAINS) as world, world.browser() as b:
        await world.sign_in(b)
        await held_up_at_news(world, b)
        await b.open(f"{world.gateway}/logout?app=bank&scope=app")
        await b.submit()
        await world.walk_out(b)
        assert await world.signed_in(b) == {}
        page = await b.open(f"{world.apps['bank']}/account")
        assert page.origin == world.op.issuer


async def test_a_login_that_left_before_one_app_signed_out_leaves_that_app_alone() -> None:
    """The provider answered from its own session: nobody has signed in by hand since (T62)."""
    async with a_world(op=NO_OP) as world, world.browser() as b:
        await world.sign_in(b)
        back = await signed_out_of_bank_meanwhile(world, b, "shop")
        await b.open(back)
        await b.walk_on()
        assert set(await world.signed_in(b)) == {"shop", "news"}
        world.clock.now += 1
        await b.open(f"{world.apps['bank']}/account")
        await b.walk_on()
        assert "bank" in await world.signed_in(b)


async def test_an_app_that_signed_out_meanwhile_is_not_signed_in_because_it_had_asked() -> None:
    """Its own login is older than its sign-out; the page says so (T62)."""
    async with a_world(op=NO_OP) as world, world.browser() as b:
        await world.sign_in(b)
        page = await b.open(await signed_out_of_bank_meanwhile(world, b, "bank"))
        assert page.status == 409
        assert "signed_out_meanwhile" in page.text
        assert set(await world.signed_in(b)) == {"shop", "news"}


async def signed_out_of_bank_meanwhile(world: World, browser: Browser, app: str) -> str:
    """A login of ``app`` that left for the provider before Bank alone signed out, and where it comes back."""
    world.clock.now += 60
    browser.page, browser.halt_at = None, f"{world.gateway}/callback"
    back = (await browser.open(f"{world.gateway}/login?app={app}")).url
    browser.page, browser.halt_at = None, ""
    world.clock.now += 5
    await browser.open(f"{world.gateway}/logout?app=bank&scope=app")
    await browser.submit()
    assert "bank" not in await world.signed_in(browser)
    world.clock.now += 5
    browser.page = None
    return back


async def signs_out_unknown(world: World, browser: Browser) -> None:
    """A sign-out by hand of a browser of which the store knows nothing, and the time after which that is forgotten."""
    await world.store.close()
    await world.store.open()
    world.clock.now += 60
    await browser.open(f"{world.gateway}/logout")
    await browser.submit()
    await world.walk_out(browser)
    for _ in range(NOBODY_SECONDS // 60 + 2):
        world.clock.now += 60
        await world.sweep()


async def test_a_sign_out_stands_until_somebody_signs_in_by_hand() -> None:
    """Apps said in their receipts that they had sessions: so it is somebody's browser, whatever the store had lost."""
    async with a_world(op=NO_OP) as world, world.browser() as b:
        await world.sign_in(b)
        await signs_out_unknown(world, b)
        assert (await b.open(silent(world))).url.endswith("?error=login_required")


@pytest.mark.parametrize("logout", ["redirect", "form_post"])
async def test_a_sign_out_of_a_stranger_is_forgotten(logout: str) -> None:
    """No app was shown a session; one that a ticket is posted to says that it has ended what there may be."""
    async with a_world(op=NO_OP, every={"logout": logout}) as world, world.browser() as b:
        await b.open(f"{world.apps['shop']}/")
        await signs_out_unknown(world, b)
        assert world.store._browsers == {}
