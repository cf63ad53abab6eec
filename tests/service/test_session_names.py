"""Each app is told of its own session, however many there are and whatever the browser has lost (I5)."""

from __future__ import annotations

from support.browser import Browser
from support.world import World, a_world, choose

from chain_gateway.core.ledger import Holding, former_line
from chain_gateway.core.limits import HOP_SECONDS
from chain_gateway.core.recovery import STRANGER_SECONDS
from chain_gateway.service import identity

MANY = tuple(f"app{number}" for number in range(42))


async def with_names_of_their_own(world: World, browser: Browser) -> dict[str, str]:
    """Signs in, and makes the ledger tell of a session id of its own at each app; the ids by app."""
    await world.sign_in(browser, next(iter(world.apps)))
    (known,) = await world.store.browsers_of("demo|alice", "")
    ledger = (await world.store.browser(known)).ledger.values()
    await world.store.note(known, [entry._replace(sid=f"session-at-{entry.app}") for entry in ledger])
    return {entry.app: f"session-at-{entry.app}" for entry in ledger}


async def sign_out(world: World, browser: Browser) -> None:
    """Asks for a sign-out, says yes, and walks as far as that leads."""
    await browser.open(f"{world.gateway}/logout")
    await browser.submit()
    await world.walk_out(browser)


async def owed_names(world: World) -> dict[str, str]:
    """The session id that each owed logout names."""
    return {each.entry.app: each.entry.sid for each in await world.store.all_owed(100)}


async def test_each_logout_over_the_back_channel_names_its_own() -> None:
    """What is told at once names the session that the ledger knows, never another one."""
    async with a_world(*MANY, every={"logout": "back_channel"}) as world, world.browser() as b:
        names = await with_names_of_their_own(world, b)
        b.halt_at = world.op.issuer
        await b.open(f"{world.gateway}/logout")
        await b.submit()
        assert await owed_names(world) == names


async def test_each_ticket_names_its_own(monkeypatch) -> None:
    """A ticket of a logout names the session of its app, also where the cookie had no room for it."""
    monkeypatch.setattr(identity, "SIDS_BYTES", 30)
    async with a_world() as world, world.browser() as b:
        names = await with_names_of_their_own(world, b)
        await sign_out(world, b)
        told = {name: front.tickets[-1]["sid"] for name, front in world.fronts.items()}
        assert told == names


async def test_a_hop_that_fails_is_owed_under_its_own_name(monkeypatch) -> None:
    """Whatever the cookie had room for, the failed hop leaves a logout that names the app's session."""
    monkeypatch.setattr(identity, "SIDS_BYTES", 30)
    async with a_world() as world, world.browser() as b:
        names = await with_names_of_their_own(world, b)
        world.fronts["bank"].down()
        await sign_out(world, b)
        assert await owed_names(world) == {"bank": names["bank"]}


async def test_a_lost_cookie_loses_no_name() -> None:
    """A browser that lost the walk's cookie on the way leaves what it owes as it was written down."""
    async with a_world() as world, world.browser() as b:
        names = await with_names_of_their_own(world, b)
        world.fronts["bank"].down()
        b.halt_at = world.apps["news"] + "/chain/hop"
        await sign_out(world, b)
        for name in [name for name in b.cookies(world.gateway) if name.startswith(identity.PREFIX)]:
            del b.cookies(world.gateway)[name]
        b.halt_at = ""
        world.clock.now += HOP_SECONDS + 1
        await b.open(f"{world.gateway}/resume")
        await world.walk_out(b)
        assert (await owed_names(world))["bank"] == names["bank"]


async def with_unknown_apps(world: World, browser: Browser) -> None:
    """Signs in, and makes the ledger tell of apps that another gateway knows."""
    await world.sign_in(browser)
    (known,) = await world.store.browsers_of("demo|alice", "")
    held = (await world.store.browser(known)).ledger["shop"]
    lines = {
        "added": held._replace(sid="session-at-added"),
        "asked": held._replace(sid="session-at-asked", holding=Holding.MAY_HOLD),
        "left": held._replace(sid="session-at-left", holding=Holding.NONE),
        "old": held._replace(sid="session-at-old", since=held.since - STRANGER_SECONDS - 1),
        former_line("added"): held._replace(sid="session-before"),
        former_line("news"): held._replace(sid="session-at-news", holding=Holding.NONE),
    }
    await world.store.note(known, [entry._replace(app=app) for app, entry in lines.items()])


OWED = {"added": "session-at-added", "asked": "session-at-asked", former_line("added"): "session-before"}
"""What those apps are owed when the sessions end. What is over stays over."""


async def test_an_app_that_this_gateway_does_not_know_is_owed_its_logout() -> None:
    """As while a new configuration is not everywhere yet: whoever knows the app tells it."""
    async with a_world(op={"logout": "none"}) as world, world.browser() as b:
        await with_unknown_apps(world, b)
        await b.open(f"{world.apps['news']}/")
        await world.sign_out(b)
        assert await owed_names(world) == OWED


async def sign_in_again(world: World, browser: Browser, person: str) -> None:
    """At Shop, in the browser where Alice is; the apps that can be told are."""
    world.clock.now += 15
    await browser.open(f"{world.gateway}/login?app=shop&prompt=login")
    await choose(browser, person)
    await browser.walk_on()
    await world.deliver()


async def test_somebody_elses_session_at_an_app_that_this_gateway_does_not_know_is_owed() -> None:
    """Bob signs in where Alice was: her sessions end also at apps that this gateway cannot visit."""
    async with a_world() as world, world.browser() as b:
        await with_unknown_apps(world, b)
        await sign_in_again(world, b, "bob")
        assert await owed_names(world) == OWED


async def test_ones_own_session_at_an_app_that_this_gateway_does_not_know_stays() -> None:
    """Alice signs in anew: nobody else's session is there."""
    async with a_world() as world, world.browser() as b:
        await with_unknown_apps(world, b)
        await sign_in_again(world, b, "alice")
        assert await owed_names(world) == {}
