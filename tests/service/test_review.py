"""What a review found, and holds since: names, hosts, cookies, loops, second tries, and a clock that was fast."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web
from support.browser import Browser, Page
from support.situations import at_the_provider, named
from support.world import World, a_world

from chain_gateway.config.load import parse
from chain_gateway.core.ledger import Browser as Known
from chain_gateway.core.limits import HOP_SECONDS, TRANSACTIONS
from chain_gateway.errors import ConfigError, StoreUnavailable
from chain_gateway.store.memory import MemoryStore

NO_OP = {"logout": "none"}
SECRET = "a secret of more than 32 bytes for: "


async def browser_of(world: World) -> bytes:
    """The one browser in which Alice is signed in."""
    (found,) = await world.store.browsers_of("demo|alice", "")
    return found


async def sign_out_by_hand(world: World, browser: Browser) -> Page:
    """Asks for a sign-out, says yes, and walks to the end."""
    await browser.open(f"{world.gateway}/logout")
    await browser.submit()
    return await world.walk_out(browser)


def bent(world: World, **changes: object) -> None:
    """Lets the provider's tokens say something else from now on; None leaves a claim out."""
    sign: Callable[[dict[str, object]], str] = world.op._keys.sign

    def other(claims: dict[str, object]) -> str:
        return sign({name: value for name, value in {**claims, **changes}.items() if value is not None})

    world.op._keys.sign = other


async def test_an_app_without_hops_is_never_visited() -> None:
    """The browser of a stranger ends on the app's own 404, and the walk with it."""
    seen: list[str] = []

    async def nothing(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=404)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", nothing)
    receiver = {"bank": {"login": "none", "logout": "back_channel", "claims": [], "secret": None}}
    async with a_world(op=NO_OP, apps=receiver, extra={"bank": app}) as world, world.browser() as b:
        await sign_out_by_hand(world, b)
        assert "/chain/hop" not in seen


@pytest.mark.parametrize(("tabs", "length"), [(2, 1300), (TRANSACTIONS, 5)])
async def test_a_tab_that_gave_way_goes_on_to_where_it_was_going(tabs: int, length: int) -> None:
    """As many logins at once as the gateway allows; each leads to its own return URL."""
    async with a_world() as world, world.browser() as b:
        named(world, length)
        await at_the_provider(world, b)
        b.jars.pop(world.gateway)
        b.halt_at = f"{world.gateway}/callback"
        back = []
        for tab in range(tabs):
            b.page = None
            back.append((await b.open(f"{world.gateway}/login?return_to={world.apps['shop']}/%3Ftab={tab}")).url)
        b.halt_at = ""
        pages = []
        for url in back:
            world.clock.now += 1
            b.page = None
            pages.append(await b.open(url))
        b.page = pages[0]
        assert (await b.submit()).url == f"{world.apps['shop']}/?tab=0"


@pytest.mark.parametrize(("apps", "length"), [(10, 250), (40, 36)])
async def test_no_session_id_is_too_long_to_sign_out(apps: int, length: int) -> None:
    """A provider may give ids of 255 characters; a sign-out that cannot begin is the worst that can come of it."""
    names = tuple(f"an-app-with-a-rather-long-name{n:02}" for n in range(apps))
    async with a_world(*names, op=NO_OP) as world, world.browser() as b:
        await world.sign_in(b, names[0])
        found = await browser_of(world)
        known = await world.store.browser(found)
        assert known is not None
        entries = enumerate(known.ledger.values())
        await world.store.note(found, [entry._replace(sid=f"{n:02}".ljust(length, "s")) for n, entry in entries])
        await b.open(f"{world.gateway}/logout")
        assert (await b.submit()).status == 200


class Forgetful(Browser):
    """A browser that keeps no session of one app."""

    def __init__(self, app: str) -> None:
        super().__init__()
        self.app = app

    def _keep(self, url: str) -> None:
        super()._keep(url)
        kept = self.cookies(url)
        for name in [name for name in kept if url.startswith(self.app) and name.startswith("__Host-chain-s-")]:
            del kept[name]


async def test_an_app_that_forgets_goes_round_once_whatever_the_provider_names() -> None:
    """Not every provider has ``sid``; the page that ends the loop must come there as well (F08, T33)."""
    async with a_world() as world, Forgetful("") as b:
        bent(world, sid=None)
        b.app = world.apps["bank"]
        await world.sign_in(b)
        await b.open(f"{world.apps['bank']}/account")
        assert (await b.walk_on(10)).status == 409


class Hiccup(MemoryStore):
    """A store that does not answer a question or two."""

    fails = 0

    async def browser(self, browser: bytes) -> Known | None:
        if self.fails:
            self.fails -= 1
            raise StoreUnavailable("for a moment")
        return await super().browser(browser)


async def test_a_store_that_was_out_of_reach_for_a_moment_loses_no_name() -> None:
    """The ledger had the names of the sessions all the time; what fails on the way stays owed (I6)."""
    store = Hiccup()
    settings = {"confirm_logout": "never"}
    async with a_world(op=NO_OP, store=store, gateway=settings) as world, world.browser() as b:
        await world.sign_in(b)
        b.page, b.halt_at = None, f"{world.apps['shop']}/chain/hop"
        store.fails = 2
        await b.open(f"{world.gateway}/logout")
        for _ in range(20):
            world.clock.now += 60
            await world.sweep()
            await world.deliver()
        assert await world.signed_in(b) == {}


async def test_a_clock_that_was_fast_once_keeps_nobody_from_signing_in() -> None:
    """The other way round: every app takes the tickets of today (T29)."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        await world.sign_out(b)
        (known,) = {walk.browser for walk in world.store._over.values()}
        await world.store.take_epoch(known, world.realm.now_ms() + 3_600_000, logout=False)
        world.clock.now += 120
        await world.sign_in(b)
        assert await world.signed_in(b) == dict.fromkeys(world.apps, "demo|alice")


async def test_a_clock_that_was_fast_once_locks_nobody_out() -> None:
    """An hour too much for one walk, and sign-in and sign-out fail everywhere for an hour (T29)."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        await world.store.take_epoch(await browser_of(world), world.realm.now_ms() + 3_600_000, logout=False)
        world.clock.now += 120
        await world.sign_out(b)
        assert await world.signed_in(b) == {}


def test_no_two_apps_share_a_host() -> None:
    """Both sessions of a walk have one epoch, so one name: the later overwrites the earlier, and both said applied."""
    refused = False
    try:
        parse(
            {
                "gateway": {"public_url": "https://login.example"},
                "op": {"issuer": "https://id.example", "client_id": "g", "client_secret": SECRET + "op"},
                "apps": [
                    {"id": "shop", "origin": "https://host.example", "secret": SECRET + "shop"},
                    {"id": "news", "origin": "https://host.example:8443", "secret": SECRET + "news"},
                ],
                "chains": [{"id": "main", "apps": ["shop", "news"]}],
            },
            base=Path("/"),
            environ={},
        )
    except ConfigError as error:
        refused = any(".origin" in problem.path for problem in error.problems)
    assert refused


@pytest.mark.parametrize("kind", ["login", "logout"])
async def test_trying_again_is_trying_the_same_again(kind: str) -> None:
    """A lazy app is left out of the second login; a sign-out of one app has become one of all."""
    async with a_world(op=NO_OP, apps={"news": {"visit": "lazy"}}) as world, world.browser() as b:
        await world.sign_in(b)
        news = world.fronts["news"]
        news.answers(500, "/chain/hop")
        if kind == "logout":
            await b.open(f"{world.apps['news']}/chain/login")
            news.well()
            await b.walk_on()
            news.answers(500, "/chain/hop")
            await b.open(f"{world.gateway}/logout?app=news&scope=app")
            await b.submit()
        else:
            await b.open(f"{world.apps['news']}/chain/login")
            await b.submit()
        world.clock.now += HOP_SECONDS + 1
        await b.open(f"{world.gateway}/resume")
        news.well()
        page = await b.follow("Try again")
        if kind == "logout":
            assert "Sign out of News?" in page.text
        else:
            await b.walk_on()
            assert "news" in await world.signed_in(b)
