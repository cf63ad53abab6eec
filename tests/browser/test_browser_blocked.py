"""A real Chromium that is set to keep no cookie of one site, or of the gateway (F08): no loop, and true pages."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Request
from real_browser import ENDS, PATIENCE_MS, PATIENT, TELL_VIOLATIONS, Person, Watch, press
from support import world as world_of
from support.gallery import CHROMIUM, CHROMIUM_ARGS
from support.world import HOME, World, a_world

from chain_gateway.sdk.aiohttp import chain_session

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

BLOCK = 2
"""What Chromium's preferences call it."""
MOST = 20
"""More pages and redirects than any of these stories needs; a loop has no end of them."""
SKIP = "html:not([data-left]) main:has(#slow:not([hidden])) #acts a"
LOST = "cookies were cleared"


@asynccontextmanager
async def blocking(chromium: Browser, profile: Path, *blocked: str) -> AsyncIterator[BrowserContext]:
    """A Chromium with this ``profile``, whose settings say to keep and send no cookie of the ``blocked`` origins."""
    preferences = profile / "Default" / "Preferences"
    preferences.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(preferences.read_text()) if preferences.exists() else {}
    exceptions = known.setdefault("profile", {}).setdefault("content_settings", {}).setdefault("exceptions", {})
    exceptions["cookies"] = {f"{origin},*": {"setting": BLOCK} for origin in blocked}
    preferences.write_text(json.dumps(known))
    context = await chromium.browser_type.launch_persistent_context(
        str(profile), executable_path=CHROMIUM, args=list(CHROMIUM_ARGS)
    )
    try:
        context.set_default_timeout(PATIENCE_MS)
        await context.add_init_script(TELL_VIOLATIONS)
        await context.add_init_script(PATIENT)
        yield context
    finally:
        await context.close()


class Blocked:
    """Somebody in such a browser, and every place that it went to since somebody last looked."""

    def __init__(self, context: BrowserContext, world: World) -> None:
        self.person = Person(context, context.pages[0], world.apps)
        self.tab = self.person.tab
        self.watch = Watch(context, (world.gateway, world.op.issuer.rstrip("/"), *world.apps.values()))
        self.places: list[str] = []
        context.on("request", self._seen)

    def _seen(self, request: Request) -> None:
        if request.is_navigation_request():
            self.places.append(request.url.partition("?")[0])

    async def goes_to(self, url: str, end: str = ENDS) -> str:
        """Opens ``url``, waits for ``end`` and returns the words of the page; the way there must have an end."""
        self.places.clear()
        await self.tab.goto(url, wait_until="commit")
        await self.tab.locator(end).first.wait_for()
        assert len(self.places) <= MOST, self.places
        return await self.words()

    async def words(self) -> str:
        """What the page says."""
        return await self.tab.locator("body").inner_text()


def asking_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives each app a page that signs its visitor in without a question, and leaves it at that after an error."""
    as_it_is = world_of.sdk_app

    def with_such_a_page(config, clock):
        app = as_it_is(config, clock)

        async def first(request: web.Request) -> web.Response:
            session = chain_session(request)
            if session is None and "error" not in request.query:
                raise web.HTTPFound("/chain/login?prompt=none&return_to=/first")
            page = HOME.format(signed_in="yes" if session else "no", sub=session.sub if session else "")
            return web.Response(text=page, content_type="text/html")

        app.router.add_get("/first", first)
        return app

    monkeypatch.setattr(world_of, "sdk_app", with_such_a_page)


async def test_a_site_without_cookies_goes_round_no_second_time(chromium, tmp_path):
    """It was visited and called signed in; its protected page finds out, and a page of the gateway says so."""
    async with a_world() as world, blocking(chromium, tmp_path, world.apps["bank"]) as context:
        one = Blocked(context, world)
        await one.person.sign_in()
        assert one.tab.url == world.apps["shop"] + "/"
        assert await one.person.looks() == dict.fromkeys(("shop", "news"), "demo|alice")
        assert not [each for each in await context.cookies() if each["domain"] == "bank.localhost"]
        words = await one.goes_to(world.apps["bank"] + "/account")
        assert one.tab.url.startswith(world.gateway)
        assert "The sign-in was refused by Bank." in words
        assert "Signed in to 0 of 1" in words
        await one.person.sign_out()
        assert await one.person.looks() == {}
        one.watch.check()


async def test_a_first_visit_to_such_a_site_comes_to_an_end(chromium, tmp_path):
    """No walk has been there: it signs in once, does not keep it, and the page offers a way to where that is said."""
    lazy = {"bank": {"visit": "lazy"}}
    async with a_world(apps=lazy) as world, blocking(chromium, tmp_path, world.apps["bank"]) as context:
        one = Blocked(context, world)
        await one.person.sign_in()
        await one.goes_to(world.apps["bank"] + "/account", f"{SKIP}, {ENDS}")
        if await one.tab.locator(SKIP).count():
            await press(one.tab.locator(SKIP))
            await one.tab.locator(ENDS).first.wait_for()
        assert one.tab.url.startswith(world.gateway)
        assert "The sign-in was refused by Bank." in await one.words()
        assert await one.person.looks() == dict.fromkeys(("shop", "news"), "demo|alice")


async def test_a_first_visit_to_such_a_site_is_stopped_by_no_policy(chromium, tmp_path):
    """The run that began with the form goes on through the site's next question to the page that says why (T48)."""
    lazy = {"bank": {"visit": "lazy"}}
    async with a_world(apps=lazy) as world, blocking(chromium, tmp_path, world.apps["bank"]) as context:
        one = Blocked(context, world)
        await one.person.sign_in()
        await one.goes_to(world.apps["bank"] + "/account", f"{SKIP}, {ENDS}")
        one.watch.check()
        assert "refused by Bank" in await one.words()


@pytest.mark.parametrize("visit", ["lazy", "eager"])
async def test_a_first_silent_visit_does_not_go_round(chromium, tmp_path, monkeypatch, visit):
    """The site cannot prove the browser, so nobody is signed in there, and it hears so (T33)."""
    asking_silently(monkeypatch)
    apps = {"bank": {"visit": visit}}
    async with a_world(apps=apps) as world, blocking(chromium, tmp_path, world.apps["bank"]) as context:
        one = Blocked(context, world)
        await one.person.sign_in()
        await one.goes_to(world.apps["bank"] + "/first")
        assert one.tab.url.startswith(world.apps["bank"] + "/first?error=")


async def test_a_gateway_without_cookies_signs_nobody_in_and_says_so(chromium, tmp_path, monkeypatch):
    """The login begins once more by itself and stops; a silent one ends with an error; there is nothing to sign out."""
    asking_silently(monkeypatch)
    async with a_world() as world, blocking(chromium, tmp_path, world.gateway) as context:
        one = Blocked(context, world)
        await one.person.sign_in()
        assert "You were not signed in." in await one.words()
        assert one.places.count(world.gateway + "/callback") == 2
        for site in world.apps.values():
            assert "You were not signed in." in await one.goes_to(site + "/account")
            await one.goes_to(site + "/first")
            assert one.tab.url.startswith(site + "/first?error=")
        assert await one.person.looks() == {}
        await one.person.sign_out()
        assert LOST in await one.words()
        assert not [each for each in await context.cookies() if each["domain"] == "login.localhost"]
        one.watch.check()


async def test_a_gateway_that_lost_its_cookies_calls_nobody_signed_out(chromium, tmp_path):
    """Blocked after the sign-in: no site is signed out, the page claims nothing, and with the cookies back it works."""
    async with a_world() as world:
        everywhere = dict.fromkeys(world.apps, "demo|alice")
        async with blocking(chromium, tmp_path) as context:
            await Blocked(context, world).person.sign_in()
        async with blocking(chromium, tmp_path, world.gateway) as context:
            one = Blocked(context, world)
            assert await one.person.looks() == everywhere
            await one.person.sign_out()
            assert LOST in await one.words()
            assert await one.person.looks() == everywhere
            one.watch.check()
        async with blocking(chromium, tmp_path) as context:
            one = Blocked(context, world)
            await one.person.sign_out()
            assert await one.person.looks() == {}
