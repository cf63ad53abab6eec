"""What a page of somebody else can make a browser do by sending it round, and what it can not."""

from __future__ import annotations

from support.browser import Browser, origin
from support.world import World, a_world

ROUNDS = 25
HEADER_BYTES = 8190
"""The longest header field that common servers take."""


def size(browser: Browser, url: str) -> int:
    """How long the Cookie header is that ``browser`` sends to ``url``."""
    return sum(len(name) + len(value) + len("=; ") for name, value in browser.cookies(url).items())


async def send_round(world: World, browser: Browser) -> None:
    """What a script in another window does: a login for Shop that ends where Shop never gets to see its cookies."""
    world.clock.now += 2
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
