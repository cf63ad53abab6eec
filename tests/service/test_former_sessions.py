"""Somebody else signs in: whatever session the person before has in this browser ends, at every app."""

from __future__ import annotations

from support.browser import Browser
from support.wire import claims
from support.world import World, a_world, choose

from chain_gateway.core.ledger import former_line


async def bob_signs_in(world: World, browser: Browser) -> None:
    """At Shop, in the browser where Alice was."""
    world.clock.now += 15
    await browser.open(f"{world.gateway}/login?app=shop&prompt=login")
    await choose(browser, "bob")
    await browser.walk_on()


async def test_a_lazy_app_with_somebody_elses_session_is_visited() -> None:
    """It does not wait for its next visit, which would find Alice signed in."""
    async with a_world(apps={"bank": {"visit": "lazy"}}) as world, world.browser() as b:
        await world.sign_in(b)
        await b.open(f"{world.apps['bank']}/account")
        await b.walk_on()
        await bob_signs_in(world, b)
        assert await world.signed_in(b) == dict.fromkeys(world.apps, "demo|bob")


async def test_where_a_silent_login_does_not_come_the_session_before_ends_over_the_back_channel() -> None:
    """It visits the app that asks alone; the others are told, and sign the new person in at their next visit."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        world.clock.now += 15
        await b.open(f"{world.gateway}/login?app=shop&prompt=login")
        b.halt_at = world.gateway + "/callback"
        await choose(b, "bob")
        b.halt_at = ""
        await b.open(f"{world.gateway}/login?app=bank&prompt=none")
        await world.deliver()
        assert await world.signed_in(b) == {"bank": "demo|bob"}
        await b.open(f"{world.apps['shop']}/account")
        assert (await b.walk_on()).text == "demo|bob"


async def test_where_the_hop_fails_the_session_before_ends_as_well() -> None:
    """The app was down for Bob's sign-in; when it is back, nobody finds Alice signed in there (I1)."""
    async with a_world(every={"login": "two_step"}) as world, world.browser() as b:
        await world.sign_in(b)
        bank = world.fronts["bank"]
        bank.down()
        await bob_signs_in(world, b)
        await world.deliver()
        assert list(await world.owed()) == [former_line("bank")]
        bank.well()
        world.clock.now += 2
        await world.deliver()
        assert await world.signed_in(b) == {"shop": "demo|bob", "news": "demo|bob"}
        await b.open(f"{world.apps['bank']}/account")
        assert (await b.walk_on()).text == "demo|bob"


async def test_where_the_answer_was_lost_both_are_remembered() -> None:
    """Bob's ticket went out, and no receipt came: Alice's session is owed, and Bob's sign-out goes there too."""
    async with a_world(op={"logout": "none"}, every={"retries": 0}) as world, world.browser() as b:
        await world.sign_in(b)
        world.clock.now += 15
        await b.open(f"{world.gateway}/login?app=bank&prompt=login")
        await choose(b, "bob")
        await b.submit()
        await b.submit()
        b.halt_at = world.gateway + "/relay"
        await b.submit()
        b.halt_at = ""
        world.clock.now += 900
        await world.sweep()
        await world.deliver()
        assert await world.owed() == {}
        assert (await world.signed_in(b))["bank"] == "demo|bob"
        await b.open(f"{world.gateway}/logout")
        page = await b.submit()
        assert [url for url in page.chain if url.startswith(world.apps["bank"] + "/chain/hop")]
        assert await world.signed_in(b) == {}


async def test_the_new_session_is_not_ended_with_the_old_one() -> None:
    """Every app is told of Alice's session alone, and Bob stays signed in everywhere."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        await bob_signs_in(world, b)
        await world.deliver()
        assert await world.signed_in(b) == dict.fromkeys(world.apps, "demo|bob")
        told = [token["sid"] for front in world.fronts.values() for token in front.tokens]
        assert (len(told), len(set(told))) == (3, 1)


async def test_the_same_person_again_ends_nothing() -> None:
    """Alice signs in anew: nobody else's session is there."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        world.clock.now += 15
        await b.open(f"{world.gateway}/login?app=shop&prompt=login")
        await choose(b, "alice")
        ticket = claims(b.page.forms[0].fields["ticket"])
        assert ticket["sub"] == "demo|alice"
        await b.walk_on()
        assert await world.deliver() == 0
        assert await world.signed_in(b) == dict.fromkeys(world.apps, "demo|alice")
