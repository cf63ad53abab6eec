"""Promise 4: the ledger is monotone."""

from __future__ import annotations

import asyncio
import random

from chain_gateway.core.chain import AppId
from chain_gateway.core.ledger import Entry, Holding
from chain_gateway.store.base import Store
from chain_gateway.store.conformance.case import expect
from chain_gateway.store.conformance.values import NOW, NOW_MS, RACERS, a_walk, an_entry, an_id, begun, known, step


async def is_empty_for_a_stranger(store: Store) -> None:
    """Nothing is known of a browser of which nothing was told."""
    browser = an_id()
    await store.note(browser, ())
    expect("the browser", await store.browser(browser), None)
    expect("its walks", await store.open_walks(browser, NOW), [])


async def keeps_every_field(store: Store) -> None:
    """An entry is read back as it was written, for each holding, with and without the person's part."""
    browser = an_id()
    entries = [Entry(AppId(f"{holding.value}-ä☂"), holding, NOW_MS, NOW) for holding in Holding]
    entries.append(Entry(AppId("long"), Holding.HOLDS, NOW_MS + 1, NOW + 1, "auth0|ü" * 30, "s" * 200, NOW - 5))
    await store.note(browser, entries)
    expect("the ledger", dict((await known(store, browser)).ledger), {entry.app: entry for entry in entries})


async def takes_what_is_newer(store: Store) -> None:
    """An entry gives way to one of a higher epoch, and to a later one of the same epoch."""
    browser = an_id()
    for entry in (
        an_entry(epoch=NOW_MS, holding=Holding.MAY_HOLD),
        an_entry(epoch=NOW_MS, holding=Holding.HOLDS),
        an_entry(epoch=NOW_MS + 1, holding=Holding.OWED),
    ):
        await store.note(browser, [entry])
        expect("the entry", (await known(store, browser)).ledger, {"shop": entry})


async def ignores_what_is_older(store: Store) -> None:
    """An entry of a lower epoch changes nothing, by whatever method it comes."""
    walk = await begun(store)
    newest = an_entry(epoch=walk.epoch + 1, holding=Holding.NONE)
    older = [an_entry(epoch=walk.epoch)]
    await store.note(walk.browser, [newest])
    await store.note(walk.browser, older)
    await store.open_walk(a_walk(walk.browser, walk.epoch), older, None)
    await store.advance(step(walk), walk.nonce, older)
    expect("the ledger", (await known(store, walk.browser)).ledger, {"shop": newest})


async def goes_with_the_walk(store: Store) -> None:
    """Entries that come with a walk's beginning and with its step are there after it, the last one of an app."""
    walk = await begun(store, ledger=[an_entry("shop"), an_entry("bank", holding=Holding.OWED)])
    expect("the ledger at the beginning", set((await known(store, walk.browser)).ledger), {"shop", "bank"})
    last = an_entry("shop", walk.epoch, Holding.NONE)
    await store.advance(step(walk), walk.nonce, [an_entry("shop", walk.epoch, Holding.OWED), last])
    expect("the entry after the step", (await known(store, walk.browser)).ledger["shop"], last)


async def holds_a_large_chain(store: Store) -> None:
    """A logout of 200 apps writes 200 entries with its walk."""
    entries = {f"app{i}": an_entry(f"app{i}", holding=Holding.OWED) for i in range(200)}
    walk = await begun(store, ledger=list(entries.values()))
    expect("the ledger", (await known(store, walk.browser)).ledger, entries)


async def is_each_browsers_own(store: Store) -> None:
    """An entry of one browser is not another's."""
    one, other = an_id(), an_id()
    await store.note(one, [an_entry()])
    await store.note(other, [an_entry("bank")])
    ledgers = [list((await known(store, each)).ledger) for each in (one, other)]
    expect("the two ledgers", ledgers, [["shop"], ["bank"]])


async def is_monotone_in_a_race(store: Store) -> None:
    """Of entries that come in any order the newest stands, though it is asked for before all others."""
    browser = an_id()
    newest, *others = (an_entry(epoch=NOW_MS - i) for i in range(RACERS))
    shuffled = [newest, *random.sample(others, len(others))]
    await asyncio.gather(*(store.note(browser, [entry]) for entry in shuffled))
    expect("the entry that stands", (await known(store, browser)).ledger, {"shop": newest})


CHECKS = (
    is_empty_for_a_stranger,
    keeps_every_field,
    takes_what_is_newer,
    ignores_what_is_older,
    goes_with_the_walk,
    holds_a_large_chain,
    is_each_browsers_own,
    is_monotone_in_a_race,
)
