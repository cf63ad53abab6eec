"""Promise 5: acknowledged is durable; and what several processes of a gateway share, they share."""

from __future__ import annotations

import asyncio

from chain_gateway.errors import StoreUnavailable
from chain_gateway.store.base import Advanced, Replayed
from chain_gateway.store.conformance.case import MakeStore, expect, opened
from chain_gateway.store.conformance.values import NOW, NOW_MS, RACERS, a_walk, an_entry, an_id, begun, known, step


async def keeps_all_that_was_acknowledged(make: MakeStore) -> None:
    """Everything is there when the store is opened again: browser, ledger, walks, spent nonces, keys seen once."""
    async with opened(make) as store:
        walk = await begun(store, ledger=[an_entry("shop")])
        second = step(walk)
        await store.advance(second, walk.nonce, [an_entry("bank", walk.epoch)])
        ended = a_walk(walk.browser, walk.epoch)
        await store.open_walk(ended, (), b"session")
        await store.advance(step(ended, ended=True), ended.nonce, ())
        key = an_id().hex()
        await store.once("label", key, NOW + 60, NOW)
        before = await store.browser(walk.browser)
    async with opened(make) as store:
        expect("the browser", await store.browser(walk.browser), before)
        expect("its open walks", await store.open_walks(walk.browser, NOW), [second])
        expect("a spent nonce", await store.advance(step(walk), walk.nonce, ()), Replayed(second))
        expect("the nonce that is out", await store.advance(step(second), second.nonce, ()), Advanced())
        expect("a key seen once", await store.once("label", key, NOW + 60, NOW), wanted=False)
        expect("the next epoch", await store.take_epoch(walk.browser, 0, logout=False), walk.epoch + 1)


async def keeps_what_was_acknowledged_while_it_closes(make: MakeStore) -> None:
    """Calls that are under way when the store is closed are either acknowledged and kept, or refused."""
    browser = an_id()
    store = make()
    await store.open()
    calls = [asyncio.ensure_future(store.take_epoch(browser, NOW_MS, logout=False)) for _ in range(RACERS)]
    await asyncio.sleep(0)
    await store.close()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    strange = [a for a in answers if isinstance(a, BaseException) and not isinstance(a, StoreUnavailable)]
    expect("exceptions other than StoreUnavailable", strange, [])
    highest = max((a for a in answers if isinstance(a, int)), default=-1)
    async with opened(make) as again:
        kept = (await known(again, browser)).epoch
        expect(f"whether {kept} is at least {highest}", kept >= highest, wanted=True)


async def is_shared_between_stores(make: MakeStore) -> None:
    """What one store acknowledged another on the same data sees at once."""
    async with opened(make) as one, opened(make) as other:
        walk = await begun(one)
        expect("the walk", await other.walk(walk.id), walk)
        following = step(walk)
        expect("the other's step", await other.advance(following, walk.nonce, [an_entry()]), Advanced())
        expect("a replay at the first", await one.advance(step(walk), walk.nonce, ()), Replayed(following))
        expect("the ledger at the first", list((await known(one, walk.browser)).ledger), ["shop"])


async def makes_one_of_a_race_between_stores(make: MakeStore) -> None:
    """Epochs, nonces and keys are each one's, whichever of two stores the calls go to."""
    async with opened(make) as one, opened(make) as other:
        stores = (one, other) * (RACERS // 2)
        browser, key, walk = an_id(), an_id().hex(), await begun(one)
        epochs = await asyncio.gather(*(store.take_epoch(browser, NOW_MS, logout=False) for store in stores))
        expect("epochs", sorted(epochs), list(range(NOW_MS, NOW_MS + RACERS)))
        steps = await asyncio.gather(*(store.advance(step(walk), walk.nonce, ()) for store in stores))
        expect("steps taken", steps.count(Advanced()), 1)
        firsts = await asyncio.gather(*(store.once("label", key, NOW, NOW) for store in stores))
        expect("first times", firsts.count(True), 1)


CHECKS = (
    keeps_all_that_was_acknowledged,
    keeps_what_was_acknowledged_while_it_closes,
    is_shared_between_stores,
    makes_one_of_a_race_between_stores,
)
