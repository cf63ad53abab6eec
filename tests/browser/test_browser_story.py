"""The main story in a real Chromium, with the demo as it is: sign in once, look around, sign out once, look again."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
from real_browser import AT_PROVIDER, BROWSER, HOP, Person, cookies_at, findings, press, stand_still_at, watched

from chain_gateway.demo.options import DemoOptions
from chain_gateway.demo.server import running

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@asynccontextmanager
async def at_the_demo(chromium, *, javascript=True, **options):
    """The demo and somebody who visits it."""
    async with running(DemoOptions(port=0, **options)) as ready:
        sites = {chain.app_id: chain.origin for chain in ready.chains}
        known = (ready.gateway, ready.provider, *sites.values())
        async with watched(chromium, known, java_script_enabled=javascript) as context:
            yield ready, Person(context, await context.new_page(), sites, by_hand=not javascript)


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
async def test_one_sign_in_and_one_sign_out_are_everywhere(chromium, javascript):
    """Nobody, then Alice at each of the four, then nobody; the cookies of each domain say the same (PROTOCOL 6)."""
    async with at_the_demo(chromium, javascript=javascript) as (ready, person):
        assert await person.looks() == {}
        assert await person.context.cookies() == []
        await person.sign_in()
        assert person.tab.url == person.sites["shop"] + "/"
        assert await person.looks() == dict.fromkeys(person.sites, "demo|alice")
        kept = await person.epochs()
        ((login,), _) = kept["shop"]
        assert kept == dict.fromkeys(person.sites, ([login], []))
        browser = await cookies_at(person.context, ready.gateway)
        assert browser.keys() == {BROWSER}
        await person.sign_out("mail")
        assert person.tab.url == person.sites["mail"] + "/"
        assert await person.looks() == {}
        kept = await person.epochs()
        (_, (logout,)) = kept["shop"]
        assert logout > login
        assert kept == dict.fromkeys(person.sites, ([], [logout]))
        assert await cookies_at(person.context, ready.gateway) == browser


async def test_each_page_on_the_way_is_accessible(chromium):
    """What a person meets from the first site to the last: axe-core finds nothing on any page, in light and in dark."""
    async with at_the_demo(chromium) as (ready, person):
        tab, found = person.tab, []

        async def look(name):
            for scheme in ("light", "dark"):
                await tab.emulate_media(color_scheme=scheme)
                found.extend((name, scheme, *finding) for finding in await findings(tab))

        await stand_still_at(person, "news")
        await tab.goto(person.sites["shop"] + "/")
        await look("site, signed out")
        await person.ask_to_sign_in("shop", tab)
        await look("provider, sign in")
        await press(tab.locator(AT_PROVIDER.format("alice")))
        await tab.locator(f"form[action^='{person.sites['news']}/']").wait_for()
        await look("hop")
        await press(tab.locator(HOP))
        await person.walk_on()
        await look("site, signed in")
        await tab.goto(person.sites["news"] + "/account")
        await look("site, account")
        await tab.goto(ready.provider + "/")
        await look("provider, session")
        await tab.goto(ready.gateway + "/logout")
        await look("question")
        await person.walk_on()
        await look("end")
        await tab.goto(person.sites["bank"] + "/")
        await look("site, signed out again")
        await tab.goto(ready.gateway + "/resume")
        await look("error")
        assert found == []
