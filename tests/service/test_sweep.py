"""A walk whose browser never comes back ends when its time is over, and what it leaves open is known."""

from __future__ import annotations

import asyncio

from support.browser import Browser, origin
from support.wire import claims, outcomes, ticket_on
from support.world import World, a_world, choose

from chain_gateway.core.ledger import Holding
from chain_gateway.core.limits import HOP_SECONDS, WALK_SECONDS
from chain_gateway.core.packing import unpack
from chain_gateway.core.walk import Place
from chain_gateway.tokens.encoding import b64d

NO_OP = {"logout": "none"}


async def at_second_hop(world: World, browser: Browser) -> str:
    """Signed in at Shop, with the ticket for News on the page; the id of the walk."""
    await browser.open(f"{world.apps['shop']}/chain/login")
    await choose(browser)
    await browser.submit()
    return ticket_on(browser)["walk"]


async def holdings(world: World) -> dict[str, str]:
    """What the ledger of the one browser says."""
    (browser,) = world.store._browsers
    known = await world.store.browser(browser)
    assert known is not None
    return {app: entry.holding.value for app, entry in known.ledger.items()}


async def test_a_walk_ends_when_its_time_is_over_and_not_before() -> None:
    """The time of a hop ends no walk: the browser may still come back (F09, I4)."""
    async with a_world() as world, world.browser() as b:
        walk = await at_second_hop(world, b)
        world.clock.now += HOP_SECONDS
        assert await world.sweep() == 0
        world.clock.now += WALK_SECONDS - HOP_SECONDS - 1
        assert await world.sweep() == 0
        assert await outcomes(b, world.gateway, walk) == ["applied", "pending", "pending"]
        world.clock.now += 1
        assert await world.sweep() == 1
        assert await outcomes(b, world.gateway, walk) == ["applied", "timed_out", "timed_out"]
        assert await world.sweep() == 0


async def test_what_a_swept_login_may_have_left_is_visited_at_the_next_logout() -> None:
    """A ticket that went out and never came back is unknown, and unknown means visit."""
    async with a_world(op=NO_OP) as world, world.browser() as b:
        await at_second_hop(world, b)
        world.clock.now += WALK_SECONDS
        await world.sweep()
        assert await holdings(world) == {"shop": "holds", "news": "may_hold"}
        await b.open(f"{world.gateway}/logout")
        page = await b.submit()
        assert [origin(url) for url in page.chain if "/chain/hop" in url] == list(world.apps.values())


async def test_a_swept_logout_is_owed_with_the_session_that_each_app_has() -> None:
    """Two sign-ins of one person at the provider: each app is told of its own (the sids are kept)."""
    async with a_world(op=NO_OP, apps={"bank": {"visit": "lazy"}}) as world, world.browser() as b:
        await signed_in_twice(world, b)
        b.halt_at = world.apps["shop"] + "/chain/hop"
        await b.open(f"{world.gateway}/logout")
        await b.submit()
        for front in world.fronts.values():
            front.down()
        world.clock.now += WALK_SECONDS
        assert await world.sweep() == 1
        assert all(each.entry.sid for each in (await world.owed()).values())
        for front in world.fronts.values():
            front.well()
        await world.deliver()
        assert await world.signed_in(b) == {}
        assert len({token["sid"] for front in world.fronts.values() for token in front.tokens}) == 2


async def signed_in_twice(world: World, browser: Browser) -> None:
    """Everywhere in one session of the provider; then the ticket of another one went out to Shop, and was lost."""
    await world.sign_in(browser)
    world.op.forget_sessions()
    world.clock.now += 15
    await browser.open(f"{world.apps['bank']}/account")
    await choose(browser)
    browser.halt_at = world.apps["shop"]
    await browser.walk_on()
    browser.halt_at = ""
    world.clock.now += WALK_SECONDS
    await world.sweep()


async def test_what_was_confirmed_is_not_owed_again() -> None:
    """The back channel was first: the sweeper leaves its word as it is."""
    async with a_world(op=NO_OP) as world, world.browser() as b:
        await world.sign_in(b)
        b.halt_at = world.apps["shop"] + "/chain/hop"
        await world.sign_out(b)
        world.clock.now += WALK_SECONDS
        assert await world.deliver() == 3
        await world.sweep()
        assert set((await holdings(world)).values()) == {Holding.NONE.value}
        assert await world.deliver() == 0


async def test_a_return_to_a_swept_walk_is_told_so() -> None:
    """And gets no ticket."""
    async with a_world() as world, world.browser() as b:
        await at_second_hop(world, b)
        late = claims(b.page.forms[0].fields["ticket"])["return"]
        world.clock.now += WALK_SECONDS
        await world.sweep()
        page = await b.open(late)
        assert "Signed in to 1 of 3" in page.text
        assert "ticket" not in page.text


async def test_of_two_sweepers_one_ends_a_walk() -> None:
    """Both are given it, and one step is taken."""
    async with a_world() as world, world.browser() as b:
        await at_second_hop(world, b)
        world.clock.now += WALK_SECONDS
        assert sum(await asyncio.gather(world.sweep(), world.sweep())) == 1


async def test_a_walk_that_gave_way_is_swept_once() -> None:
    """The newer one has decided about its apps; it is stopped, and not looked at again."""
    async with a_world(op=NO_OP) as world, world.browser() as b:
        older = await at_second_hop(world, b)
        await world.sign_out(b)
        world.clock.now += WALK_SECONDS
        assert await world.sweep() == 0
        walk = await world.store.walk(b64d(older))
        assert walk is not None
        assert walk.stopped
        assert await world.signed_in(b) == {}
        assert await world.store.sweep(int(world.clock())) == []


async def test_a_walk_that_cannot_be_read_keeps_no_other_from_its_end() -> None:
    """One of another version, say: it is dropped, and said so."""
    async with a_world() as world, world.browser() as b, world.browser() as other:
        unreadable = await at_second_hop(world, b)
        readable = await at_second_hop(world, other)
        walk = await world.store.walk(b64d(unreadable))
        assert walk is not None
        world.store._open[walk.id] = walk._replace(state=b"\xff" + walk.state[1:])
        world.clock.now += WALK_SECONDS
        assert await world.sweep() == 2
        ended = await world.store.walk(b64d(readable))
        assert ended is not None
        assert unpack(ended.state).place is Place.EXPIRED
        assert await world.sweep() == 0


async def test_a_store_out_of_reach_ends_no_round_for_good() -> None:
    """The round says how little it did, and raises nothing."""
    async with a_world() as world:
        await world.store.close()
        assert await world.sweep() == 0
