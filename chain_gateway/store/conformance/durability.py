"""Promise 5: acknowledged is durable; and what several processes of a gateway share, they share."""

from __future__ import annotations

import asyncio

from chain_gateway.core.ledger import Holding
from chain_gateway.errors import StoreUnavailable
from chain_gateway.store.base import Advanced, Owed, Replayed
from chain_gateway.store.conformance.case import MakeStore, expect, opened
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


async def keeps_all_that_was_acknowledged(make: MakeStore) -> None:
    """Everything is there when the store is opened again: browser, ledger, walks, their ends, nonces, keys."""
    async with opened(make) as store:
        walk = await begun(store, ledger=[an_entry("shop")])
        second = step(walk)
        await store.advance(second, walk.nonce, [an_entry("bank", walk.epoch)])
        ended, dropped = a_walk(walk.browser, walk.epoch), a_walk(walk.browser, walk.epoch)
        await store.open_walk(ended, (), a_record())
        end = step(ended, ended=True)
        await store.advance(end, ended.nonce, ())
        await store.open_walk(dropped, (), None)
        await store.drop_walk(dropped.id)
        key = an_id().hex()
        await store.once("label", key, NOW + 60, NOW)
        before = await store.browser(walk.browser)
    async with opened(make) as store:
        expect("the browser", await store.browser(walk.browser), before)
        expect("its open walks", await store.open_walks(walk.browser, NOW), [second])
        expect("a spent nonce", await store.advance(step(walk), walk.nonce, ()), Replayed(second))
        expect("the nonce that is out", await store.advance(step(second), second.nonce, ()), Advanced())
        expect("the walk that ended", await store.walk(ended.id), end)
        expect("the walk that was dropped", await store.walk(dropped.id), dropped._replace(stopped=True))
        expect("a key seen once", await store.once("label", key, NOW + 60, NOW), wanted=False)
        expect("the next epoch", await store.take_epoch(walk.browser, 0, logout=False), walk.epoch + 1)


async def keeps_what_is_owed(make: MakeStore) -> None:
    """What is owed, until when it is claimed, how often it was tried and who signed out is there again."""
    browser, record = an_id(), a_record()
    owed = [an_entry(app, NOW_MS + 1, Holding.OWED) for app in ("bank", "mail", "shop")]
    async with opened(make) as store:
        await store.open_walk(a_walk(browser, NOW_MS), (), record)
        await store.take_epoch(browser, NOW_MS, logout=True)
        await store.note(browser, owed)
        await store.defer(browser, "bank", NOW_MS + 1, NOW + 500, 4)
        await store.defer(browser, "mail", NOW_MS + 1, NOW, 1)
        await store.owed(NOW - 1, NOW + 30, 10**6)
    async with opened(make) as store:
        shown = [each for each in await store.all_owed(10**6) if each.browser == browser]
        places = [(NOW, 1), (NOW + 30, 0), (NOW + 500, 4)]
        mail, shop, bank = owed[1], owed[2], owed[0]
        wanted = [Owed(browser, e, n, due) for e, (due, n) in zip((mail, shop, bank), places, strict=True)]
        expect("what is owed", shown, wanted)
        expect("the epoch of the logout", (await known(store, browser)).signed_out_epoch, NOW_MS + 1)
        expect("who is signed in", await store.browsers_of(record.sub, record.sid), [browser])
        await store.clear_op(browser, NOW_MS)
    async with opened(make) as store:
        await store.open_walk(a_walk(browser, NOW_MS), (), record)
        expect("who is signed in after the logout", await store.browsers_of(record.sub, record.sid), [])


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
    """Epochs, nonces, keys and owed logouts are each one's, whichever of two stores the calls go to."""
    async with opened(make) as one, opened(make) as other:
        stores = (one, other) * (RACERS // 2)
        browser, key, walk = an_id(), an_id().hex(), await begun(one)
        epochs = await asyncio.gather(*(store.take_epoch(browser, NOW_MS, logout=False) for store in stores))
        expect("epochs", sorted(epochs), list(range(NOW_MS, NOW_MS + RACERS)))
        steps = await asyncio.gather(*(store.advance(step(walk), walk.nonce, ()) for store in stores))
        expect("steps taken", steps.count(Advanced()), 1)
        firsts = await asyncio.gather(*(store.once("label", key, NOW, NOW) for store in stores))
        expect("first times", firsts.count(True), 1)
        await one.note(browser, [an_entry(f"app{i}", holding=Holding.OWED) for i in range(RACERS)])
        shares = await asyncio.gather(*(store.owed(NOW, NOW + 30, 5) for store in stores))
        given = [each.entry.app for share in shares for each in share if each.browser == browser]
        expect("owed logouts that were given", sorted(given), sorted(f"app{i}" for i in range(RACERS)))


CHECKS = (
    keeps_all_that_was_acknowledged,
    keeps_what_is_owed,
    keeps_what_was_acknowledged_while_it_closes,
    is_shared_between_stores,
    makes_one_of_a_race_between_stores,
)
