"""Owed logouts over the back channel: told until confirmed, bounded, by one worker at a time, and never lost."""

from __future__ import annotations

import asyncio
import math
import os
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from support.browser import Browser, Page
from support.wire import told
from support.world import World, a_world

from chain_gateway.core.chain import AppId
from chain_gateway.core.ledger import Entry, Holding
from chain_gateway.core.limits import OWED_SECONDS, WALK_SECONDS
from chain_gateway.core.packing import unpack
from chain_gateway.core.recovery import FACTOR, FIRST_SECONDS, LONGEST_SECONDS, STRANGER_SECONDS
from chain_gateway.core.walk import Kind
from chain_gateway.errors import StoreUnavailable
from chain_gateway.outgoing import AppCalls
from chain_gateway.resolver import LoopbackResolver
from chain_gateway.service.deliver import LEASE_SECONDS, Deliver
from chain_gateway.service.lanes import IN_ALL, PER_APP
from chain_gateway.store.memory import MemoryStore
from chain_gateway.store.sqlite import SqliteStore
from chain_gateway.tokens.encoding import b64e

NO_OP = {"logout": "none"}


class Noting(MemoryStore):
    """A store that says when a logout at an app was confirmed, and that can lose its voice."""

    def __init__(self) -> None:
        super().__init__()
        self.settled: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.mute = False

    async def note(self, browser: bytes, ledger) -> None:
        if self.mute:
            raise StoreUnavailable("mute")
        await super().note(browser, ledger)
        for entry in ledger:
            if entry.holding is Holding.NONE:
                self.settled[entry.app].set()


class Vanished(Exception):
    """The browser was closed."""


class Vanishing(Browser):
    """A browser that is closed before it asks for the request that ``left`` counts down to."""

    left = math.inf

    async def _ask(self, *args, **kwargs):
        self.left -= 1
        if self.left < 0:
            raise Vanished
        return await super()._ask(*args, **kwargs)


async def owe(world: World, app: str, times: int = 1, **changes: object) -> None:
    """The logouts of so many browsers are owed to ``app``, and due."""
    now = int(world.clock())
    for turn in range(times):
        entry = Entry(AppId(app), Holding.OWED, now * 1000, now, "somebody", f"session {turn}")
        await world.store.note(os.urandom(16), [entry._replace(**changes)])


@asynccontextmanager
async def impatient(world: World, seconds: float = 0.3) -> AsyncIterator[Deliver]:
    """Deliveries that wait less long for an answer."""
    connector = aiohttp.TCPConnector(resolver=LoopbackResolver())
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:
        yield Deliver(world.realm, AppCalls(http, delivery=seconds))


async def out_with_bank_down(world: World, browser: Browser) -> Page:
    """Signs in, and out while Bank is down; where that ends."""
    await world.sign_in(browser)
    world.fronts["bank"].down()
    return await world.sign_out(browser)


async def logout_of(world: World, browser: Browser) -> dict[str, object]:
    """The one logout walk, as its own page tells it."""
    walks = [*world.store._open.values(), *world.store._over.values()]
    (walk,) = [walk for walk in walks if unpack(walk.state).kind is Kind.LOGOUT]
    return await told(browser, world.gateway, b64e(walk.id))


@pytest.mark.parametrize("before", range(2, 11))
async def test_whoever_vanishes_on_the_way_out_is_signed_out_all_the_same(before: int) -> None:
    """Wherever the browser was closed, a minute later no app has its session, and the walk's page says so (I2, F09)."""
    async with a_world() as world, Vanishing() as b:
        await world.sign_in(b)
        await b.open(world.apps["shop"] + "/")
        b.left = before
        with pytest.raises(Vanished):
            await b.submit(b.page.forms[0])
        b.left = math.inf
        world.clock.now += OWED_SECONDS
        await world.deliver()
        assert await world.signed_in(b) == {}
        assert await world.owed() == {}
        world.clock.now += WALK_SECONDS - OWED_SECONDS
        assert await world.sweep() == (before < 10)
        walk = await logout_of(world, b)
        assert (walk["ended"], walk["done"]) == (True, 3)
        assert {app["outcome"] for app in walk["apps"]} <= {"applied", "absent"}
        await world.deliver()
        assert all(len(front.tokens) <= 1 for front in world.fronts.values())


async def test_nothing_is_told_over_the_back_channel_while_the_browser_may_still_come() -> None:
    """Within the minute the queue leaves the walk alone."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        b.halt_at = world.apps["shop"] + "/chain/hop"
        await world.sign_out(b)
        world.clock.now += OWED_SECONDS - 1
        assert await world.deliver() == 0
        assert len(await world.owed()) == 3


async def test_an_app_that_is_down_strands_nobody_and_is_told_when_it_is_back() -> None:
    """It is skipped, owed, and confirmed later; each attempt is a fresh token, on the schedule (F01, F29)."""
    async with a_world(op=NO_OP) as world, world.browser() as b:
        page = await out_with_bank_down(world, b)
        bank = world.fronts["bank"]
        assert page.url.startswith(world.gateway)
        assert "2 of 3" in page.text
        assert "Bank could not be reached. You may still be signed in there. We keep trying." in page.text
        for attempts in range(8):
            now = int(world.clock())
            assert await world.deliver() == 1
            owed = (await world.owed())["bank"]
            pause = min(FIRST_SECONDS * FACTOR**attempts, LONGEST_SECONDS)
            assert owed.attempts == attempts + 1
            assert math.floor(pause / 2) <= owed.due - now <= pause
            world.clock.now = owed.due - 1
            assert await world.deliver() == 0
            world.clock.now = owed.due
        bank.well()
        assert await world.signed_in(b) == {"bank": "demo|alice"}
        assert await world.deliver() == 1
        assert await world.signed_in(b) == {}
        assert await world.owed() == {}
        assert len(bank.tokens) == 9
        assert len({token["jti"] for token in bank.tokens}) == 9
        assert len({token["iat"] for token in bank.tokens}) == 9
        assert len({(token["epoch"], token["sid"]) for token in bank.tokens}) == 1
        assert (await logout_of(world, b))["done"] == 3


async def test_the_walks_page_goes_from_owed_to_confirmed() -> None:
    """Whoever looks again is told what has been proven since."""
    async with a_world(op=NO_OP) as world, world.browser() as b:
        page = await out_with_bank_down(world, b)
        assert "Look again" in page.links
        world.fronts["bank"].well()
        await world.deliver()
        page = await b.follow("Look again")
        assert "You are signed out" in page.text
        assert "Confirmed by all 3 sites" in page.text


@pytest.mark.parametrize("status", [400, 404, 500, 503, 302])
async def test_only_a_confirmation_settles_what_is_owed(status: int) -> None:
    """Any other answer leaves it owed, and it is told again."""
    async with a_world() as world:
        world.fronts["bank"].answers(status)
        await owe(world, "bank")
        await world.deliver()
        assert (await world.owed())["bank"].attempts == 1
        world.fronts["bank"].answers(204)
        world.clock.now += 2
        await world.deliver()
        assert await world.owed() == {}


async def test_apps_that_fail_or_hang_delay_no_other() -> None:
    """While one takes the token and says nothing, the others are told, those that became due meanwhile too."""
    store = Noting()
    async with a_world("shop", "news", "bank", "mail", store=store) as world:
        world.fronts["shop"].answers(500)
        world.fronts["news"].answers(400)
        world.fronts["bank"].hang()
        for app in ("bank", "shop", "news"):
            await owe(world, app)
        round_ = asyncio.create_task(world.deliver())
        await owe(world, "mail")
        await asyncio.wait_for(store.settled["mail"].wait(), 10)
        assert (world.fronts["bank"].inside, round_.done()) == (1, False)
        assert {app: owed.attempts for app, owed in (await world.owed()).items()} == {"bank": 0, "shop": 1, "news": 1}
        world.fronts["bank"].over.set()
        assert await round_ == 4
        assert (await world.owed())["bank"].attempts == 1


async def test_an_app_that_hangs_is_given_up_after_its_time() -> None:
    """The attempt counts as failed; the next one comes by the schedule."""
    async with a_world() as world, impatient(world) as deliver:
        world.fronts["bank"].hang()
        await owe(world, "bank")
        assert await deliver() == 1
        assert (await world.owed())["bank"].attempts == 1


async def test_of_an_app_that_is_silent_the_rest_is_put_back_untried() -> None:
    """What was to follow waits, as long as the app is silent; one at a time finds out when it is back."""
    async with a_world() as world, impatient(world) as deliver:
        bank = world.fronts["bank"]
        bank.hang()
        await owe(world, "bank", 50)
        await deliver()
        assert (len(bank.tokens), bank.most) == (PER_APP, PER_APP)
        owed = await world.store.all_owed(100)
        assert Counter(each.attempts for each in owed) == {1: PER_APP, 0: 50 - PER_APP}
        assert all(each.due > world.clock() for each in owed)
        world.clock.now += FIRST_SECONDS
        await deliver()
        world.clock.now += FIRST_SECONDS * FACTOR
        await deliver()
        assert len(bank.tokens) == PER_APP + 2
        bank.well()
        bank.over.set()
        bank.most = 0
        world.clock.now += FIRST_SECONDS * FACTOR**2
        await deliver()
        world.clock.now += FIRST_SECONDS * FACTOR**2
        await deliver()
        assert await world.owed() == {}
        assert bank.most <= PER_APP


async def test_so_many_at_once_and_no_more() -> None:
    """Four on their way to one app, 64 in all."""
    names = [f"a{number}" for number in range(20)]
    inside, most, full, over = 0, 0, asyncio.Event(), asyncio.Event()

    async def hold(_request: web.Request) -> web.Response:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        if inside == IN_ALL:
            full.set()
        await over.wait()
        inside -= 1
        return web.Response()

    async with a_world(*names) as world:
        for name in names:
            world.fronts[name].fault = hold
        for name in names[: IN_ALL // PER_APP]:
            await owe(world, name, PER_APP, since=int(world.clock()) - 1)
        for name in names:
            await owe(world, name, 2)
        async with impatient(world, 60) as deliver:
            round_ = asyncio.create_task(deliver())
            await asyncio.wait_for(full.wait(), 30)
            over.set()
            assert await round_ == IN_ALL + 40
        assert most == IN_ALL
        assert max(front.most for front in world.fronts.values()) == PER_APP
        assert await world.owed() == {}


async def test_a_restart_loses_nothing_that_is_owed(tmp_path: Path) -> None:
    """Another process on the same file tells the app; what was claimed before, after its lease (F17)."""
    path = tmp_path / "chain.db"
    async with a_world(op=NO_OP, store=SqliteStore(path)) as world, world.browser() as b:
        await out_with_bank_down(world, b)
        now = int(world.clock())
        assert len(await world.store.owed(now, now + LEASE_SECONDS, 10)) == 1
        await world.store.close()
        world.fronts["bank"].well()
        store = SqliteStore(path)
        await store.open()
        async with impatient(replace_store(world, store), 5) as deliver:
            assert await deliver() == 0
            world.clock.now += LEASE_SECONDS
            assert await deliver() == 1
        assert await store.all_owed(10) == []
        await store.close()
        assert await world.signed_in(b) == {}


def replace_store(world: World, store: SqliteStore) -> World:
    """The same world as a second process sees it."""
    return replace(world, store=store, realm=replace(world.realm, store=store))


async def test_two_workers_never_deliver_one_logout_twice(tmp_path: Path) -> None:
    """Two processes on one file: each token names another session."""
    path = tmp_path / "chain.db"
    async with a_world(store=SqliteStore(path)) as world:
        second = SqliteStore(path)
        await second.open()
        await owe(world, "bank", 60)
        async with impatient(world, 5) as one, impatient(replace_store(world, second), 5) as other:
            claimed = await asyncio.gather(one(), other())
        await second.close()
        assert sum(claimed) == 60
        sids = Counter(token["sid"] for token in world.fronts["bank"].tokens)
        assert (len(sids), sids.total()) == (60, 60)
        assert await world.owed() == {}


async def test_a_token_that_could_not_be_sent_within_its_lease_is_not_sent() -> None:
    """Somebody else may have claimed it meanwhile, so it goes back to the queue."""
    async with a_world() as world, impatient(world, 60) as deliver:
        bank, over = world.fronts["bank"], asyncio.Event()

        async def slow(_request: web.Request) -> web.Response:
            await over.wait()
            return web.Response()

        bank.fault = slow
        await owe(world, "bank", PER_APP + 1)
        round_ = asyncio.create_task(deliver())
        await asyncio.wait_for(bank.arrived(PER_APP), 10)
        world.clock.now += LEASE_SECONDS
        over.set()
        await round_
        assert len(bank.tokens) == PER_APP
        (owed,) = (await world.owed()).values()
        assert (owed.attempts, owed.due > world.clock()) == (0, True)


async def test_a_late_delivery_never_ends_a_newer_sign_in() -> None:
    """The token was on its way when the person signed in again, in the same session of the provider (T27)."""
    async with a_world(op=NO_OP) as world, world.browser() as b:
        await out_with_bank_down(world, b)
        bank, over = world.fronts["bank"], asyncio.Event()

        async def late(request: web.Request) -> web.StreamResponse:
            await over.wait()
            assert bank.handler is not None
            return await bank.handler(request)

        bank.fault, bank.paths = late, ("/chain/backchannel-logout",)
        round_ = asyncio.create_task(world.deliver())
        await asyncio.wait_for(bank.arrived(1), 10)
        world.clock.now += 5
        await b.open(f"{world.apps['shop']}/chain/login")
        await b.walk_on()
        over.set()
        await round_
        assert bank.tokens[0]["sid"]
        assert await world.signed_in(b) == dict.fromkeys(world.apps, "demo|alice")


async def test_it_is_given_up_only_when_no_session_can_live_any_more() -> None:
    """Until the app's own longest session is over it stays owed; then the page still claims nothing."""
    async with a_world(op=NO_OP, apps={"bank": {"session_max": "5m"}}) as world, world.browser() as b:
        await out_with_bank_down(world, b)
        world.clock.now += 300
        await world.deliver()
        assert list(await world.owed()) == ["bank"]
        world.clock.now += 300
        await world.deliver()
        assert await world.owed() == {}
        walk = await logout_of(world, b)
        assert walk["done"] == 2
        assert walk["apps"][2]["outcome"] == "unreachable"


async def test_an_app_of_the_back_channel_needs_no_hop() -> None:
    """The browser never goes there; the page says told, and then confirmed."""
    async with a_world(op=NO_OP, apps={"bank": {"logout": "back_channel"}}) as world, world.browser() as b:
        await world.sign_in(b)
        world.fronts["bank"].seen.clear()
        page = await world.sign_out(b)
        assert "/chain/hop" not in world.fronts["bank"].seen
        assert "Told in the background, not confirmed yet: Bank." in page.text
        assert await world.deliver() == 1
        page = await b.follow("Look again")
        assert "You are signed out" in page.text
        assert await world.signed_in(b) == {}


async def test_a_store_that_fails_after_the_answer_leaves_it_owed() -> None:
    """It is told once more, with another token, rather than lost."""
    store = Noting()
    async with a_world(store=store) as world:
        await owe(world, "bank")
        store.mute = True
        assert await world.deliver() == 1
        store.mute = False
        assert list(await world.owed()) == ["bank"]
        world.clock.now += LEASE_SECONDS
        await world.deliver()
        assert await world.owed() == {}
        first, second = world.fronts["bank"].tokens
        assert first["jti"] != second["jti"]


async def test_a_store_out_of_reach_ends_no_round_for_good() -> None:
    """The round says how little it did, and raises nothing."""
    async with a_world() as world:
        await owe(world, "bank")
        await world.store.close()
        assert await world.deliver() == 0


async def test_an_app_that_is_registered_no_more_is_kept_for_a_day() -> None:
    """A configuration that left it out by mistake loses nothing (F20)."""
    async with a_world() as world:
        await owe(world, "gone")
        await world.deliver()
        world.clock.now += STRANGER_SECONDS
        await world.deliver()
        assert list(await world.owed()) == ["gone"]
        world.clock.now += STRANGER_SECONDS
        await world.deliver()
        assert await world.owed() == {}


async def test_without_a_session_id_it_waits_for_the_browser() -> None:
    """A token without a session would end a person's sessions on every device, so none is sent."""
    async with a_world() as world:
        await owe(world, "bank", sid="")
        await world.deliver()
        assert world.fronts["bank"].tokens == []
        assert (await world.owed())["bank"].attempts == 1


class Counting:
    """A back channel that counts, and answers at once or never well."""

    def __init__(self, status: int | None = 200) -> None:
        self.status = status
        self.posted: Counter[str] = Counter()
        self.inside: Counter[str] = Counter()
        self.most = self.most_of_one = 0

    async def post(self, url: str, _token: str) -> int | None:
        self.posted[url] += 1
        self.inside[url] += 1
        self.most = max(self.most, self.inside.total())
        self.most_of_one = max(self.most_of_one, self.inside[url])
        await asyncio.sleep(0)
        self.inside[url] -= 1
        return self.status


async def test_ten_thousand_drain_at_a_bounded_rate_with_steady_memory() -> None:
    """After an outage: as many at once as ever, and hardly more memory than the queue itself takes (F30)."""
    async with a_world() as world:
        for app in ("shop", "news", "bank"):
            await owe(world, app, 3334)
        channel = Counting()
        tracemalloc.start()
        try:
            assert await Deliver(world.realm, channel)() == 10_002
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert await world.owed() == {}
        assert set(channel.posted.values()) == {3334}
        assert channel.most_of_one == PER_APP
        assert channel.most <= IN_ALL
        assert peak < 4_000_000


async def test_ten_thousand_at_an_app_that_stays_down_are_tried_a_few_at_a_time() -> None:
    """Each round costs the app one question, and nothing is lost."""
    async with a_world() as world:
        await owe(world, "bank", 10_000)
        channel = Counting(None)
        deliver = Deliver(world.realm, channel)
        for turn in range(8):
            await deliver()
            assert channel.posted.total() == PER_APP + turn
            world.clock.now += LONGEST_SECONDS
        assert len(await world.store.all_owed(20_000)) == 10_000
        channel.status = 200
        await deliver()
        world.clock.now += LONGEST_SECONDS
        await deliver()
        assert await world.owed() == {}
