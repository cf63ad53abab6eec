"""Signing out by a link: the page that asks, and its form all the way to the end in a real Chromium (T28, T48)."""

from __future__ import annotations

import pytest
from real_browser import AT_PROVIDER, CONFIRM, in_a_world, press

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("op_logout", ["first", "last", "none"])
async def test_a_link_asks_and_its_form_walks_to_the_end(chromium, op_logout, javascript):
    """To look at the page changes nothing; its button signs out everywhere, and no policy stands in the way."""
    async with in_a_world(chromium, javascript=javascript, op={"logout": op_logout}) as (world, person):
        tab = person.tab
        await person.sign_in()
        await tab.goto(f"{world.gateway}/logout?return_to={world.apps['news']}/")
        assert await tab.get_by_role("heading").inner_text() == "Sign out of 3 sites?"
        assert await person.looks() == dict.fromkeys(world.apps, "demo|alice")
        await tab.goto(f"{world.gateway}/logout?return_to={world.apps['news']}/")
        await press(tab.locator(CONFIRM))
        await person.walk_on()
        assert tab.url == world.apps["news"] + "/"
        assert await person.looks() == {}
        await tab.goto(f"{world.gateway}/login?app=news")
        asked = op_logout != "none"
        await person.walk_on()
        assert await tab.locator(AT_PROVIDER.format("alice")).count() == asked


async def test_who_stays_is_led_back_and_stays(chromium):
    """The other way out of the page that asks leads to the site, and nothing has happened."""
    async with in_a_world(chromium) as (world, person):
        await person.sign_in()
        await person.tab.goto(f"{world.gateway}/logout?return_to={world.apps['bank']}/")
        await person.tab.get_by_role("link", name="Stay signed in").click()
        await person.tab.wait_for_url(world.apps["bank"] + "/")
        assert await person.looks() == dict.fromkeys(world.apps, "demo|alice")


async def test_a_site_that_came_in_meanwhile_is_signed_out_too(chromium):
    """T48: the page was asked for before another tab signed in at Bank, so its policy does not name Bank."""
    lazy = {"bank": {"visit": "lazy"}}
    async with in_a_world(chromium, apps=lazy, op={"logout": "none"}) as (world, person):
        await person.sign_in()
        await person.sign_out()  # Bank has said that nobody is signed in there, so the page need not name it
        await person.tab.goto(f"{world.gateway}/login?app=shop&return_to={world.apps['shop']}/")
        await person.walk_on()
        other = await person.context.new_page()
        await person.tab.goto(f"{world.gateway}/logout")
        await other.goto(f"{world.gateway}/login?app=bank")
        await person.walk_on(other)
        await press(person.tab.locator(CONFIRM))
        await person.walk_on()
        assert await person.tab.get_by_role("heading").inner_text() == "You are signed out"
        assert await person.looks() == {}
