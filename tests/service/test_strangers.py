"""A browser that nobody signed in with leaves nothing behind, and is told nothing that is not so (I9, T35, T41)."""

from __future__ import annotations

import pytest
from support.browser import Browser, Page
from support.world import World, a_world, choose

from chain_gateway.core.limits import NOBODY_SECONDS

HEADER_BYTES = 8190


async def sign_out_as_nobody(world: World, browser: Browser) -> Page:
    """Asks for a sign-out, says yes, and walks to the end."""
    await browser.open(f"{world.gateway}/logout")
    await browser.submit()
    return await world.walk_out(browser)


async def rounds(world: World, seconds: int) -> None:
    """What goes on beside the requests."""
    for _ in range(0, seconds, 60):
        world.clock.now += 60
        for each in world.background._rounds:
            await each.run()


@pytest.mark.parametrize("logout", ["form_post", "back_channel"])
async def test_a_stranger_leaves_nothing_in_the_queue(logout: str) -> None:
    """Two requests of nobody make no work: a logout that names no session could never be delivered."""
    async with a_world(every={"logout": logout}) as world, world.browser() as b:
        await b.open(f"{world.gateway}/logout")
        b.halt_at = world.op.issuer
        await b.submit()
        assert not await world.store.all_owed(10)


async def test_a_stranger_is_forgotten_with_the_walk() -> None:
    """Whoever never signed in is remembered no longer than the walk that they began."""
    async with a_world() as world, world.browser() as b:
        await b.open(f"{world.gateway}/logout")
        b.halt_at = world.op.issuer
        await b.submit()
        known = [walk.browser for walk in await world.store.open_everywhere(10)]
        assert known
        await rounds(world, NOBODY_SECONDS + 60)
        assert [await world.store.browser(browser) for browser in known] == [None]


async def test_walks_that_are_left_on_the_way_do_not_fill_the_jar() -> None:
    """A page of somebody else that starts login after login does not lock a person out of the gateway (T35)."""
    async with a_world() as world, world.browser() as b:
        await b.open(f"{world.apps['shop']}/chain/login")
        await choose(b)
        for _ in range(15):
            world.clock.now += 2
            b.page = None
            await b.open(f"{world.gateway}/login?app=shop")
        shown = sum(len(name) + len(value) + 3 for name, value in b.cookies(world.gateway).items())
        assert shown < HEADER_BYTES * 2 / 3
        await sign_out_as_nobody(world, b)
        assert await world.signed_in(b) == {}


async def test_logouts_that_are_left_at_the_provider_do_not_fill_the_jar() -> None:
    """Nor does one that starts logout after logout; the newest is the one that goes on (T35)."""
    async with a_world(gateway={"confirm_logout": "never"}) as world, world.browser() as b:
        await world.sign_in(b)
        for _ in range(15):
            world.clock.now += 2
            b.page, b.halt_at = None, world.op.issuer
            await b.open(f"{world.gateway}/logout")
        shown = sum(len(name) + len(value) + 3 for name, value in b.cookies(world.gateway).items())
        assert shown < HEADER_BYTES * 2 / 3
        b.halt_at = ""
        await world.sign_out(b)
        assert await world.signed_in(b) == {}


async def test_an_app_of_the_back_channel_is_visited_where_no_session_has_a_name() -> None:
    """With the store's memory gone only a hop finds the session, and the app's own receipt proves its end (F21)."""
    async with a_world(every={"logout": "back_channel"}) as world, world.browser() as b:
        await world.sign_in(b)
        await world.store.close()
        await world.store.open()
        page = await sign_out_as_nobody(world, b)
        assert "Signed out of 3 of 3" in page.text or "You are signed out" in page.text
        assert "Told in the background" not in page.text
        assert await world.signed_in(b) == {}


async def test_nobody_is_promised_what_cannot_be_kept() -> None:
    """Where an app is down and no session is known the page says so, and not that anything is tried again."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        await world.store.close()
        await world.store.open()
        world.fronts["bank"].down()
        page = await sign_out_as_nobody(world, b)
        said = "Bank could not be reached. You may still be signed in there. Try again, or sign out at Bank yourself."
        assert said in page.text
        assert "Look again" not in page.text
        assert not await world.store.all_owed(10)
        world.fronts["bank"].well()
        world.clock.now += 60
        await sign_out_as_nobody(world, b)
        assert await world.signed_in(b) == {}


async def test_an_app_that_cannot_be_told_is_not_called_told() -> None:
    """It takes logout tokens alone, and nobody knows the name of a session there."""
    bank = {"login": "none", "logout": "back_channel", "claims": []}
    async with a_world(op={"logout": "none"}, apps={"bank": bank}) as world, world.browser() as b:
        page = await sign_out_as_nobody(world, b)
        assert "Signed out of 2 of 3" in page.text
        assert "Not confirmed by Bank." in page.text
        assert "Told in the background" not in page.text


async def test_nobody_says_yes_to_somebody_elses_question() -> None:
    """A form that was made for one browser starts nothing in another, id or no id (T28)."""
    async with a_world() as world, world.browser() as one, world.browser() as other:
        await one.open(f"{world.gateway}/logout")
        await other.open(f"{world.gateway}/logout")
        assert "__Host-chain-browser" not in other.cookies(world.gateway)
        await other.submit(one.page.forms[0])
        assert other.page.status == 403
        assert not await world.store.open_everywhere(10)
        await one.submit()
        assert await world.store.open_everywhere(10) or "Signed out of" in one.page.text


async def test_two_questions_in_two_tabs_are_both_answered() -> None:
    """The second page takes nothing from the first."""
    async with a_world() as world, world.browser() as b:
        await b.open(f"{world.gateway}/logout")
        first = b.page.forms[0]
        await b.open(f"{world.gateway}/logout")
        await b.submit(first)
        assert b.page.status == 200
        assert "__Host-chain-ask" not in b.cookies(world.gateway)
