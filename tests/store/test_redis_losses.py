"""What Redis forgets makes no promise false: each kind of loss, and what stands afterwards on what."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.browser import Browser
from support.redis_servers import Ground, alone, looks_closely, watched
from support.world import World, a_world, choose

from chain_gateway.core.ledger import Holding
from chain_gateway.store.base import Advanced, Replayed
from chain_gateway.store.conformance.case import opened
from chain_gateway.store.conformance.values import (
    NOW,
    NOW_MS,
    RACERS,
    a_record,
    a_walk,
    an_entry,
    an_id,
    begun,
    known,
    step,
)
from chain_gateway.store.redis import RedisStore

pytestmark = pytest.mark.redis
NO_OP = {"logout": "none"}


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    """One server that keeps what a snapshot has, and no more."""
    with alone(tmp_path) as servers:
        yield servers


def forget(ground: Ground) -> None:
    """The server is killed and started again on what it has on its disk."""
    ground.servers[0].kill()
    ground.servers[0].start()


async def signed_out(store: RedisStore, browser: bytes) -> None:
    """A logout of everything takes its epoch, looks, and begins."""
    epoch = await store.take_epoch(browser, NOW_MS, logout=True)
    await known(store, browser)
    await store.open_walk(a_walk(browser, epoch), [an_entry("shop", epoch, Holding.OWED)], None)


async def test_what_is_written_to_the_disk_first_is_never_lost(tmp_path: Path) -> None:
    """With ``appendfsync always`` a SIGKILL in the midst of a crowd loses nothing acknowledged (promise 5)."""
    with alone(tmp_path, appendonly="yes", appendfsync="always") as ground:
        async with opened(ground.store) as store:
            walk = await begun(store, ledger=[an_entry("shop", holding=Holding.OWED)])
            following = step(walk)
            await store.advance(following, walk.nonce, ())
            browser = an_id()
            calls = [asyncio.ensure_future(store.take_epoch(browser, NOW_MS, logout=False)) for _ in range(RACERS)]
            await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            ground.servers[0].kill()
            told = await asyncio.gather(*calls, return_exceptions=True)
        ground.servers[0].start()
        async with opened(ground.store) as store:
            assert await store.walk(walk.id) == following
            assert [each.browser for each in await store.all_owed(9)] == [walk.browser]
            assert (await known(store, browser)).epoch >= max(each for each in told if isinstance(each, int))


async def test_a_server_that_forgot_everything(ground: Ground) -> None:
    """SIGKILL without a file: walks go on from their tokens, epochs rise by them and by the clock."""
    async with opened(ground.store) as store:
        walk = await begun(store, ledger=[an_entry("shop")])
        forget(ground)
        assert await store.browser(walk.browser) is None
        following = step(walk)
        assert await store.advance(following, walk.nonce, [an_entry("bank", walk.epoch)]) == Advanced()
        assert await store.advance(step(walk), walk.nonce, ()) == Replayed(following)
        assert await store.take_epoch(walk.browser, 0, logout=False) == walk.epoch + 1


async def test_a_server_that_went_back(ground: Ground) -> None:
    """SIGKILL after a snapshot: each browser is as it was then, whole in itself, and its ledger is in doubt."""
    async with opened(ground.store) as store:
        record = a_record()
        walk = await begun(store, ledger=[an_entry("shop")])
        await store.open_walk(a_walk(walk.browser, walk.epoch), (), record)
        ground.servers[0].ask("SAVE")
        following = step(walk)
        await store.advance(following, walk.nonce, [an_entry("bank", walk.epoch)])
        forget(ground)
        found = await known(store, walk.browser)
        assert (list(found.ledger), found.op_session, found.whole) == (["shop"], record, False)
        assert await store.advance(step(following), following.nonce, ()) == Replayed(walk)
        assert not (await known(store, walk.browser)).whole
        other = await store.take_epoch(an_id(), NOW_MS, logout=False)
        assert other == NOW_MS


async def test_a_doubt_stays_until_a_logout_that_saw_it(ground: Ground) -> None:
    """A login does not settle it, nor a logout that was planned before the loss; the next logout does."""
    async with opened(ground.store) as store:
        walk = await begun(store, ledger=[an_entry("shop")])
        planned = await store.take_epoch(walk.browser, NOW_MS, logout=True)
        ground.servers[0].ask("SAVE")
        forget(ground)
        await store.note(walk.browser, [an_entry("bank", planned)])
        await store.open_walk(a_walk(walk.browser, planned), [an_entry("shop", planned, Holding.OWED)], None)
        assert not (await known(store, walk.browser)).whole
        await begun(store, browser=walk.browser)
        assert not (await known(store, walk.browser)).whole
        await signed_out(store, walk.browser)
        assert (await known(store, walk.browser)).whole


async def test_a_primary_whose_last_writes_are_lost(tmp_path: Path) -> None:
    """A failover to a replica that had not heard of the last writes is a step back like any other (F25)."""
    with watched(tmp_path) as ground:
        primary, replica, sentinel = ground.servers
        assert replica.process is not None
        async with opened(ground.store) as store:
            walk = await begun(store, ledger=[an_entry("shop")])
            primary.copied()
            os.kill(replica.process.pid, signal.SIGSTOP)
            primary.ask("CLIENT", "KILL", "TYPE", "replica")
            following = step(walk)
            assert await store.advance(following, walk.nonce, [an_entry("bank", walk.epoch)]) == Advanced()
            looks_closely(sentinel)
            primary.kill()
            os.kill(replica.process.pid, signal.SIGCONT)
            sentinel.heard(r"\+switch-master")
            found = await known(store, walk.browser)
            assert (list(found.ledger), found.whole) == (["shop"], False)
            assert await store.take_epoch(walk.browser, 0, logout=False) == walk.epoch + 1


@pytest.fixture
async def store(ground: Ground) -> RedisStore:
    """A store that a world opens."""
    return ground.store()


async def confirmed_out(world: World, browser: Browser) -> None:
    """Signs out from an app; without the ledger nobody knows its session, so the gateway asks the person first."""
    page = await world.sign_out(browser)
    assert "confirm" in page.forms[0].fields
    await browser.submit()
    await world.walk_out(browser)


async def test_everything_is_lost_and_the_logout_is_true(ground: Ground, store: RedisStore) -> None:
    """Nothing is known of the browser, so every app is visited, and says itself that it is signed out (F24)."""
    async with a_world(store=store, op=NO_OP) as world, world.browser() as b:
        await world.sign_in(b)
        assert len(await world.signed_in(b)) == 3
        ground.clear()
        await confirmed_out(world, b)
        assert await world.signed_in(b) == {}
        assert await world.owed() == {}


async def test_everything_is_lost_in_mid_walk_and_the_logout_is_true(ground: Ground, store: RedisStore) -> None:
    """The walk goes on from its token; the ledger lacks the first apps, and the logout visits them all the same."""
    async with a_world(store=store, op=NO_OP) as world, world.browser() as b:
        await b.open(f"{world.apps['shop']}/chain/login")
        await choose(b)
        await b.submit()
        await b.submit()
        ground.clear()
        await b.walk_on()
        assert len(await world.signed_in(b)) == 3
        await confirmed_out(world, b)
        assert await world.signed_in(b) == {}


async def test_the_last_writes_are_lost_and_the_logout_is_true(ground: Ground, store: RedisStore) -> None:
    """The ledger went back to a moment at which nobody was signed in; the logout does not believe that."""
    async with a_world(store=store, op=NO_OP) as world, world.browser() as b:
        await world.sign_in(b)
        await world.sign_out(b)
        ground.servers[0].ask("SAVE")
        world.clock.now += 60
        await world.sign_in(b)
        assert len(await world.signed_in(b)) == 3
        forget(ground)
        await world.sign_out(b)
        assert await world.signed_in(b) == {}


async def test_a_walk_that_went_back_comes_to_its_end(ground: Ground, store: RedisStore) -> None:
    """The store stands at an earlier hop than the browser: that hop is made again, and the login ends at every app."""
    async with a_world(store=store, op=NO_OP) as world, world.browser() as b:
        await b.open(f"{world.apps['shop']}/chain/login")
        await choose(b)
        ground.servers[0].ask("SAVE")
        await b.submit()
        forget(ground)
        await b.walk_on()
        assert len(await world.signed_in(b)) == 3
        await world.sign_out(b)
        assert await world.signed_in(b) == {}
        assert await store.sweep(NOW) == []


async def test_a_loss_in_mid_logout_leaves_nobody_signed_in(ground: Ground, store: RedisStore) -> None:
    """The logout's own token has the plan, and tombstones at the apps keep the epoch that the store forgot."""
    async with a_world(store=store, op=NO_OP) as world, world.browser() as b:
        await world.sign_in(b)
        b.halt_at = world.apps["news"] + "/chain/hop"
        await b.open(world.apps["shop"] + "/")
        await b.submit(b.page.forms[0] if b.page else None)
        await b.walk_on()
        ground.clear()
        stood, b.halt_at = b.page.url if b.page else "", ""
        await b.open(stood)
        await b.walk_on()
        assert await world.signed_in(b) == {}
