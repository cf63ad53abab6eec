"""The example app in JavaScript between two apps with the SDK: one chain, and nobody sees the difference."""

from __future__ import annotations

import re
import socket
from contextlib import asynccontextmanager

import pytest
from support.browser import Browser
from support.node_app import node_app
from support.world import SECRET, RealTime, World, a_world

from chain_gateway.sdk.session import named

pytestmark = pytest.mark.node

NAMES = ("shop", "notes", "bank")
EVERYWHERE = dict.fromkeys(NAMES, "demo|alice")
SIGNED_IN_AS = re.compile(r"Signed in as <b>([^<]*)</b>")


def free_origin(name: str) -> str:
    """An origin at a port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return f"http://{name}.localhost:{bound.getsockname()[1]}"


@asynccontextmanager
async def a_chain(folder, **settings):
    """Shop, Notes (in JavaScript), Bank."""
    notes = free_origin("notes")
    async with (
        a_world(*NAMES, clock=RealTime(), elsewhere={"notes": notes}, **settings) as world,
        node_app(folder, gateway=world.gateway, app_id="notes", origin=notes, secret=SECRET + "notes"),
        world.browser() as browser,
    ):
        yield world, browser


async def looks(world: World, browser: Browser) -> dict[str, str]:
    """Who is signed in where, by each app's own page."""
    found = {}
    for name, url in world.apps.items():
        if name == "notes":
            page = await browser.open(url + "/")
            match = SIGNED_IN_AS.search(page.text)
            assert match or "Not signed in" in page.text
            found[name] = match[1] if match else ""
        else:
            found[name] = (await browser.open(url + "/whoami")).text
    return {name: sub for name, sub in found.items() if sub}


def epochs(world: World, browser: Browser) -> dict[str, int]:
    """The highest epoch of a session and of a tombstone that the browser has at Notes."""
    kinds = filter(None, map(named, browser.cookies(world.apps["notes"])))
    return dict(sorted(kinds))


@pytest.mark.parametrize("login", ["form_post", "two_step"])
@pytest.mark.parametrize("logout", ["redirect", "form_post"])
async def test_it_is_signed_in_and_out_with_the_others(tmp_path, login: str, logout: str) -> None:
    """Its own page says signed in, then signed out, and the tombstone lies above the session."""
    async with a_chain(tmp_path, every={"login": login, "logout": logout}) as (world, browser):
        assert await looks(world, browser) == {}
        page = await world.sign_in(browser)
        assert page.url == world.apps["shop"] + "/"
        assert await looks(world, browser) == EVERYWHERE
        signed_in = epochs(world, browser)
        assert signed_in.keys() == {"s"}
        page = await world.sign_out(browser)
        assert page.url == world.apps["shop"] + "/", "every app has confirmed"
        assert await looks(world, browser) == {}
        assert epochs(world, browser)["t"] > signed_in["s"]


async def test_its_own_buttons_begin_and_end_it(tmp_path) -> None:
    """Its login leads through the chain and back to it; its sign-out form is believed without a question."""
    async with a_chain(tmp_path) as (world, browser):
        page = await world.sign_in(browser, app="notes")
        assert page.url == world.apps["notes"] + "/"
        assert await looks(world, browser) == EVERYWHERE
        await browser.open(world.apps["notes"] + "/")
        page = await browser.submit()
        assert not page.url.startswith(world.gateway + "/logout"), "the gateway does not ask"
        page = await world.walk_out(browser)
        assert page.url == world.apps["notes"] + "/"
        assert await looks(world, browser) == {}


async def test_a_browser_that_lost_the_gateways_cookie_is_proven_first(tmp_path) -> None:
    """Its sessions name another browser: it refuses, the hop is made again in two steps, and then it is out."""
    async with a_chain(tmp_path, op={"logout": "none"}) as (world, browser):
        await world.sign_in(browser)
        browser.jars[world.gateway].clear()
        await browser.open(f"{world.gateway}/logout")
        browser.locations.clear()
        await browser.submit()
        page = await browser.walk_on()
        hops = [url for url in browser.locations if url.startswith(world.apps["notes"])]
        assert ["begin=" in url for url in hops] == [False, True, False]
        assert "You are signed out" in page.text
        assert await looks(world, browser) == {}


async def test_it_is_told_over_the_back_channel(tmp_path) -> None:
    """Without a visit of the browser: the session is ended by its id, and the end page says so when it is looked at."""
    async with a_chain(tmp_path, apps={"notes": {"logout": "back_channel"}}, op={"logout": "none"}) as (world, browser):
        await world.sign_in(browser)
        page = await world.sign_out(browser)
        assert page.url.startswith(world.gateway)
        assert await world.deliver() == 1
        page = await browser.follow("Look again")
        assert "You are signed out" in page.text
        assert await looks(world, browser) == {}
        assert epochs(world, browser).keys() == {"s"}, "nobody has been there to leave a tombstone"


async def test_a_late_sign_in_finds_the_tombstone(tmp_path) -> None:
    """Two tabs: the ticket of a login that was overtaken by a logout sets nothing at Notes."""
    async with a_chain(tmp_path, every={"login": "two_step"}, op={"logout": "none"}) as (world, browser):
        browser.halt_at = world.apps["notes"] + "/chain/hop?ticket="
        late = await world.sign_in(browser)
        assert late.status == 0
        browser.halt_at = ""
        await browser.open(f"{world.gateway}/logout")
        await browser.submit()
        await browser.walk_on()
        await browser.open(late.url)
        assert await looks(world, browser) == {}
