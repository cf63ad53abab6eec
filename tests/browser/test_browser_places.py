"""What people do in the middle of a walk in a real Chromium: Back, reload, double click, two tabs, a closed tab."""

from __future__ import annotations

import asyncio

import pytest
from real_browser import AT_PROVIDER, BROWSER, HOP, cookies_at, in_a_world, press, stand_still_at

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def begin(person, site, tab):
    """Signs in at the provider on the way to ``site``, and waits for no more than the click."""
    await person.ask_to_sign_in(site, tab)
    await press(tab.locator(AT_PROVIDER.format("alice")))


async def back(tab):
    """Every step back to where the tab began, page by page."""
    history = await tab.context.new_cdp_session(tab)
    # A page may lead forward again: a bound, so that a loop is a failure.
    for _ in range(30):
        if (await history.send("Page.getNavigationHistory"))["currentIndex"] == 1:
            return
        await tab.go_back(wait_until="commit")
        await tab.locator("h1").wait_for()
        yield tab.url
    raise AssertionError("Back leads round in circles")


async def test_back_shows_nothing_that_is_over(chromium):
    """T58: on the whole way back after a sign-out no page says signed in, whatever the browser has kept."""
    async with in_a_world(chromium, "shop", "news") as (world, person):
        await person.sign_in()
        assert await person.looks() == dict.fromkeys(world.apps, "demo|alice")
        await person.sign_out()
        assert await person.looks() == {}
        passed = set()
        async for url in back(person.tab):
            passed.add(url)
            assert await person.tab.locator("[data-signed-in=yes]").count() == 0, url
        assert passed >= {url + "/" for url in world.apps.values()}
        assert await person.looks() == {}


async def test_back_after_a_sign_in_breaks_nothing(chromium):
    """Hops, callback and provider lie behind: each leads to what is true now, and none to an error."""
    async with in_a_world(chromium, "shop", "news") as (world, person):
        await person.sign_in()
        async for url in back(person.tab):
            assert await person.tab.locator("h1.bad").count() == 0, url
        assert await person.looks() == dict.fromkeys(world.apps, "demo|alice")
        await person.sign_out()
        assert await person.looks() == {}


@pytest.mark.parametrize("site", ["shop", "news"])
async def test_reload_at_a_hop_is_the_same_hop(chromium, site):
    """The first hop's page, which the provider's answer led to, and a later one: the walk goes on as if nothing was."""
    async with in_a_world(chromium) as (world, person):
        tab, hop = person.tab, await stand_still_at(person, site)
        await begin(person, "bank", tab)
        await tab.locator(hop).wait_for()
        await tab.reload()
        await tab.locator(hop).wait_for()
        await press(tab.locator(HOP))
        await person.walk_on()
        assert tab.url == world.apps["bank"] + "/"
        assert await person.looks() == dict.fromkeys(world.apps, "demo|alice")


async def test_a_double_click_is_one_hop(chromium):
    """The app gets its ticket once, and the walk goes on."""
    async with in_a_world(chromium) as (world, person):
        posts = []
        person.context.on("request", lambda request: request.method == "POST" and posts.append(request.url))
        hop = await stand_still_at(person, "news")
        await begin(person, "shop", person.tab)
        await person.tab.locator(hop).wait_for()
        await person.tab.locator(HOP).dblclick()
        await person.walk_on()
        assert posts.count(world.apps["news"] + "/chain/hop") == 1
        assert await person.looks() == dict.fromkeys(world.apps, "demo|alice")


async def test_two_tabs_at_once_both_end_right(chromium):
    """T26: each tab ends at its own site, and the same person is signed in everywhere."""
    async with in_a_world(chromium) as (world, person):
        other = await person.context.new_page()
        await person.ask_to_sign_in("shop", person.tab)
        await person.ask_to_sign_in("news", other)
        # One id for both, before either comes back from the provider; else each callback would draw its own.
        browser = await cookies_at(person.context, world.gateway)
        assert BROWSER in browser
        tabs = (person.tab, other)
        await asyncio.gather(*(press(tab.locator(AT_PROVIDER.format("alice"))) for tab in tabs))
        await asyncio.gather(*(person.walk_on(tab) for tab in tabs))
        assert [tab.url for tab in tabs] == [world.apps["shop"] + "/", world.apps["news"] + "/"]
        assert await person.looks() == dict.fromkeys(world.apps, "demo|alice")
        assert await cookies_at(person.context, world.gateway) == {BROWSER: browser[BROWSER]}


async def test_a_sign_in_that_gave_way_goes_on_to_its_own_site(chromium):
    """T26, T48: from the hop where it stood when the newer one began, and no policy of that page stops it there."""
    async with in_a_world(chromium) as (world, person):
        older, newer = person.tab, await person.context.new_page()
        hop = await stand_still_at(person, "shop")
        await begin(person, "bank", older)
        await older.locator(hop).wait_for()
        await newer.goto(world.apps["news"] + "/chain/login", wait_until="commit")
        await newer.locator(hop).wait_for()
        for tab, site in ((newer, "news"), (older, "bank")):
            await press(tab.locator(HOP))
            await person.walk_on(tab)
            assert tab.url == world.apps[site] + "/"
        assert await person.looks() == dict.fromkeys(world.apps, "demo|alice")


async def test_two_people_at_once_are_not_mixed(chromium):
    """T26: Alice and Bob sign in at the same time in one browser; one of them is signed in, everywhere."""
    async with in_a_world(chromium) as (world, person):
        other = await person.context.new_page()
        await person.ask_to_sign_in("shop", person.tab)
        await person.ask_to_sign_in("news", other)
        tabs = {"alice": person.tab, "bob": other}
        await asyncio.gather(*(press(tab.locator(AT_PROVIDER.format(who))) for who, tab in tabs.items()))
        await asyncio.gather(*(person.walk_on(tab) for tab in tabs.values()))
        looks = await person.looks()
        assert looks.keys() == world.apps.keys()
        assert len(set(looks.values())) == 1


async def test_a_sign_out_in_another_tab_stops_a_sign_in(chromium):
    """T26: the tab that was signing in is told, and nobody is signed in afterwards."""
    async with in_a_world(chromium) as (_, person):
        tab, other = person.tab, await person.context.new_page()
        hop = await stand_still_at(person, "news")
        await begin(person, "bank", tab)
        await tab.locator(hop).wait_for()
        await person.sign_out("shop", other)
        await press(tab.locator(HOP))
        await person.walk_on(tab)
        assert await tab.get_by_role("heading").inner_text() == "This sign-in was stopped"
        assert await person.looks() == {}


@pytest.mark.parametrize("later", [0, 31], ids=["at once", "after the hop's time"])
async def test_a_closed_tab_is_gone_on_with(chromium, later):
    """F09: the walk waits at /resume; after the hop's time it goes on without that site, and says so."""
    async with in_a_world(chromium) as (world, person):
        hop = await stand_still_at(person, "news")
        await begin(person, "shop", person.tab)
        await person.tab.locator(hop).wait_for()
        await person.tab.close()
        world.clock.now += later
        person.tab = await person.context.new_page()
        await person.tab.goto(world.gateway + "/resume")
        if not later:
            await press(person.tab.locator(hop).locator("button"))
        await person.walk_on()
        if later:
            assert await person.tab.get_by_role("heading").inner_text() == "Signed in to 2 of 3"
            await person.tab.get_by_role("link", name="Continue to Shop").click()
        await person.tab.wait_for_url(world.apps["shop"] + "/")
        signed_in = {name: "demo|alice" for name in world.apps if name != "news" or not later}
        assert await person.looks() == signed_in
        await person.sign_out()
        assert await person.looks() == {}
