"""Which apps a walk leaves out because they are down, by the gateway's own questions, before a browser is stranded."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from support.browser import Browser
from support.builders import a_registry, an_app
from support.wire import outcomes, ticket_on
from support.world import Clock, World, a_world, choose

from chain_gateway.core.recovery import OPENS_AFTER
from chain_gateway.outgoing import AppCalls
from chain_gateway.service.health import ACTIVE_SECONDS, FRESH_SECONDS, HURRY_SECONDS, Health
from chain_gateway.service.realm import Realm
from chain_gateway.store.memory import MemoryStore
from chain_gateway.tokens.keyring import Keyring

SHOP, NEWS, QUIET = an_app("shop"), an_app("news"), an_app("quiet", ping=False)
PING = "/chain/ping"


@dataclass
class Asked:
    """A probe that answers as it is told to, and counts."""

    down: set[str] = field(default_factory=set)
    count: Counter[str] = field(default_factory=Counter)

    async def ask(self, url: str) -> bool:
        self.count[url] += 1
        await asyncio.sleep(0)
        return url not in self.down


class Keyless:
    """No app has a key."""

    async def of(self, _app_id: str) -> None:
        return None

    async def renewed(self, _app_id: str) -> None:
        return None


@dataclass
class Ward:
    """What is known of three apps, and the clock of whoever asks."""

    clock: Clock = field(default_factory=Clock)
    probe: Asked = field(default_factory=Asked)

    def __post_init__(self) -> None:
        keyring = Keyring.generate(0, os.urandom)
        registry = a_registry(SHOP, NEWS, QUIET)
        parts = (Keyless(), lambda: keyring, MemoryStore(), self.clock, os.urandom)
        self.health = Health(Realm("https://login.example", "https://id.example", registry, *parts), self.probe)

    async def after(self, seconds: float) -> None:
        """One round, that many seconds later."""
        self.clock.now += seconds
        await self.health.round()


async def test_one_answer_that_does_not_come_keeps_redirects_away_and_three_keep_everybody() -> None:
    """A redirect would strand the browser there; a page asks by itself first."""
    ward = Ward()
    ward.probe.down = {SHOP.ping_url}
    await ward.health.look([SHOP])
    assert (ward.health.is_down(SHOP, strict=True), ward.health.is_down(SHOP, strict=False)) == (True, False)
    for _ in range(OPENS_AFTER - 1):
        assert not ward.health.is_down(SHOP, strict=False)
        await ward.after(HURRY_SECONDS)
    assert ward.health.is_down(SHOP, strict=False)
    assert not ward.health.is_down(NEWS, strict=True)


async def test_one_answer_makes_it_well_again() -> None:
    """The breaker closes at once, and opens again only after three more."""
    ward = Ward()
    ward.probe.down = {SHOP.ping_url}
    await ward.health.look([SHOP])
    for _ in range(OPENS_AFTER):
        await ward.after(FRESH_SECONDS)
    ward.probe.down = set()
    await ward.after(FRESH_SECONDS)
    assert not ward.health.is_down(SHOP, strict=True)
    ward.probe.down = {SHOP.ping_url}
    await ward.after(FRESH_SECONDS)
    assert (ward.health.is_down(SHOP, strict=True), ward.health.is_down(SHOP, strict=False)) == (True, False)


async def test_news_is_not_asked_for_again_while_it_is_fresh() -> None:
    """Ten seconds; one after a first failure, so that a breaker opens or closes soon."""
    ward = Ward()
    await ward.health.look([SHOP])
    await ward.health.look([SHOP])
    await ward.after(FRESH_SECONDS - 1)
    assert ward.probe.count[SHOP.ping_url] == 1
    ward.probe.down = {SHOP.ping_url}
    await ward.after(1)
    await ward.after(HURRY_SECONDS)
    await ward.after(HURRY_SECONDS)
    assert ward.probe.count[SHOP.ping_url] == 4
    await ward.after(HURRY_SECONDS)
    assert ward.probe.count[SHOP.ping_url] == 4
    await ward.after(FRESH_SECONDS)
    assert ward.probe.count[SHOP.ping_url] == 5


async def test_an_idle_gateway_asks_nobody() -> None:
    """Only apps of walks of the last ten minutes, and never one that must not be asked."""
    ward = Ward()
    await ward.after(FRESH_SECONDS)
    assert ward.probe.count == {}
    ward.health.touch([SHOP, QUIET])
    await ward.after(FRESH_SECONDS)
    await ward.after(ACTIVE_SECONDS - FRESH_SECONDS - 1)
    assert ward.probe.count == {SHOP.ping_url: 2}
    await ward.after(ACTIVE_SECONDS)
    await ward.health.look([QUIET])
    assert ward.probe.count == {SHOP.ping_url: 2}
    assert not ward.health.is_down(QUIET, strict=True)


async def test_an_app_that_is_left_out_is_asked_until_it_is_back() -> None:
    """Or it would count as down for as long as nobody comes, and whoever was called out of bed finds nothing."""
    ward = Ward(probe=Asked(down={SHOP.ping_url}))
    ward.health.touch([SHOP, NEWS])
    for _ in range(3):
        await ward.after(FRESH_SECONDS)
    assert ward.health.is_down(SHOP, strict=False)
    ward.probe.down.clear()
    ward.probe.count.clear()
    await ward.after(ACTIVE_SECONDS)
    assert not ward.health.is_down(SHOP, strict=True)
    await ward.after(FRESH_SECONDS)
    assert ward.probe.count == {SHOP.ping_url: 1}


async def test_many_who_want_to_know_ask_once() -> None:
    """A thousand walks that begin at once are one question."""
    ward = Ward()
    await asyncio.gather(*(ward.health.look([SHOP, NEWS]) for _ in range(1000)))
    assert ward.probe.count == {SHOP.ping_url: 1, NEWS.ping_url: 1}


async def test_whoever_gives_up_asking_does_not_end_the_question() -> None:
    """A browser that goes away takes nobody's answer with it."""
    ward = Ward()
    gone, waits = (asyncio.create_task(ward.health.look([SHOP])) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await waits
    assert ward.probe.count == {SHOP.ping_url: 1}


@asynccontextmanager
async def at_an_app(answer: web.Response | None) -> AsyncIterator[str]:
    """The ping URL of an app that gives this answer, or none."""
    over = asyncio.Event()

    async def ping(_request: web.Request) -> web.Response:
        if answer is None:
            await over.wait()
        return answer or web.Response()

    app = web.Application()
    app.router.add_get(PING, ping)
    async with TestServer(app) as server:
        yield str(server.make_url(PING))
        over.set()


@pytest.mark.parametrize(
    ("status", "well"), [(200, True), (204, True), (302, True), (404, True), (500, False), (503, False), (None, False)]
)
async def test_what_counts_as_an_answer(status: int | None, well: bool) -> None:
    """Anything but a server's failure, in time; a redirect is one, and is not followed."""
    away = {"Location": "http://127.0.0.1:9/"} if status == 302 else {}
    answer = None if status is None else web.Response(status=status, headers=away)
    async with at_an_app(answer) as url, aiohttp.ClientSession() as http:
        assert await AppCalls(http, ping=0.3).ask(url) is well


async def test_nobody_at_home_is_no_answer() -> None:
    """A port that refuses, and a host that does not exist."""
    async with aiohttp.ClientSession() as http:
        calls = AppCalls(http)
        assert not await calls.ask("http://127.0.0.1:9/chain/ping")
        assert await calls.post("http://127.0.0.1:9/chain/backchannel-logout", "x") is None


async def sign_in_at_first_hop(world: World, browser: Browser) -> None:
    """To the first page of the gateway's own."""
    await browser.open(f"{world.apps['shop']}/chain/login")
    await choose(browser)


async def test_a_login_by_redirects_leaves_a_dead_app_out() -> None:
    """The browser is never sent to it; the app signs in at its first visit (F01)."""
    async with a_world(every={"login": "two_step"}) as world, world.browser() as b:
        world.fronts["news"].down()
        page = await world.sign_in(b)
        assert "2 of 3" in page.text
        assert not [url for url in b.locations if url.startswith(world.apps["news"])]
        world.fronts["news"].well()
        assert set(await world.signed_in(b)) == {"shop", "bank"}


async def test_a_page_still_asks_the_browser_after_one_failure() -> None:
    """What the gateway cannot reach this browser may; after three failures in a row the app is left out."""
    async with a_world() as world, world.browser() as b:
        world.fronts["news"].down(PING)
        await world.sign_in(b)
        assert len(await world.signed_in(b)) == 3
        for _ in range(OPENS_AFTER):
            world.clock.now += FRESH_SECONDS
            await world.look()
        await b.open(f"{world.gateway}/login?app=shop&prompt=login")
        await choose(b, "bob")
        walk = ticket_on(b)["walk"]
        await b.walk_on()
        assert await outcomes(b, world.gateway, walk) == ["applied", "unreachable", "applied"]


async def test_an_app_that_was_down_long_ago_is_asked_before_it_is_left_out() -> None:
    """Old news leaves nobody out."""
    async with a_world() as world, world.browser() as b:
        world.fronts["news"].down(PING)
        await world.sign_in(b)
        for _ in range(OPENS_AFTER):
            world.clock.now += FRESH_SECONDS
            await world.look()
        world.fronts["news"].well()
        world.clock.now += 2 * ACTIVE_SECONDS
        await b.open(f"{world.gateway}/login?app=shop&prompt=login")
        await choose(b, "bob")
        await b.walk_on()
        assert await world.signed_in(b) == dict.fromkeys(world.apps, "demo|bob")


async def test_what_browsers_report_declares_no_app_dead() -> None:
    """Ten who could not reach it change nothing for the eleventh."""
    async with a_world() as world:
        for _ in range(10):
            async with world.browser() as b:
                await sign_in_at_first_hop(world, b)
                skipped = ticket_on(b)["return"] + "&error=unreachable"
                await b.open(skipped)
        async with world.browser() as b:
            await world.sign_in(b)
            assert len(await world.signed_in(b)) == 3


async def test_apps_that_do_not_answer_take_no_connection_from_the_provider() -> None:
    """A hundred and more hang, and whoever signs in meanwhile does not wait for them."""
    async with a_world("shop") as world, world.browser() as b:
        shop = world.fronts["shop"]
        shop.hang(PING)
        channel = world.background._rounds[0].run._channel
        channel._ping = aiohttp.ClientTimeout(total=60)
        asked = [asyncio.create_task(channel.ask(world.apps["shop"] + PING)) for _ in range(120)]
        await world.sign_in(b)
        assert await world.signed_in(b) == {"shop": "demo|alice"}
        shop.over.set()
        await asyncio.gather(*asked)
