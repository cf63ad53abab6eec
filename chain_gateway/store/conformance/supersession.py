"""Promise 3: a newer walk wins."""

from __future__ import annotations

import asyncio

from chain_gateway.store.base import Advanced, Replayed, Store, StoredWalk, Superseded
from chain_gateway.store.conformance.case import expect
from chain_gateway.store.conformance.values import NOW, NOW_MS, a_walk, an_entry, an_id, begun, known, step


async def stops_the_older_walk(store: Store) -> None:
    """From the moment a newer epoch is taken, the older walk gets no further, and its first try stops it."""
    walk = await begun(store)
    newer = await store.take_epoch(walk.browser, NOW_MS, logout=True)
    expect("the older walk's step", await store.advance(step(walk), walk.nonce, ()), Superseded(newer))
    expect("the older walk", await store.walk(walk.id), walk._replace(stopped=True))
    expect("the browser's open walks", await store.open_walks(walk.browser, NOW), [])
    expect("what is overdue", [w for w in await store.sweep(walk.hop_deadline) if w.id == walk.id], [])


async def is_said_as_often_as_it_is_asked(store: Store) -> None:
    """A walk that gave way to a newer one has given way for good: each later return is told the same."""
    walk = await begun(store)
    newer = await store.take_epoch(walk.browser, NOW_MS, logout=True)
    for each in (step(walk), step(walk, ended=True), step(walk)):
        expect("the answer", await store.advance(each, walk.nonce, ()), Superseded(newer))
    newest = await store.take_epoch(walk.browser, NOW_MS, logout=False)
    expect("the answer after a third walk", await store.advance(step(walk), an_id(), ()), Superseded(newest))


async def leaves_a_walk_that_has_ended(store: Store) -> None:
    """A walk that came to its end was not stopped by what came after it: a reload shows that end, changing nothing."""
    walk = await begun(store)
    end = step(walk, ended=True)
    await store.advance(end, walk.nonce, ())
    await store.take_epoch(walk.browser, NOW_MS, logout=True)
    for spent in (walk.nonce, end.nonce, an_id()):
        answer = await store.advance(step(walk), spent, [an_entry("shop", walk.epoch)])
        expect("the answer to a reload", answer, Replayed(end))
    expect("the walk that ended", await store.walk(walk.id), end)
    expect("the ledger", (await known(store, walk.browser)).ledger, {})


async def is_said_of_a_spent_nonce_too(store: Store) -> None:
    """An old walk's old nonce says that there is a newer walk, not where the old one stands."""
    walk = await begun(store)
    await store.advance(step(walk), walk.nonce, ())
    newer = await store.take_epoch(walk.browser, NOW_MS, logout=False)
    expect("the answer", await store.advance(step(walk), walk.nonce, ()), Superseded(newer))


async def takes_the_ledger_all_the_same(store: Store) -> None:
    """What an app said to an older walk is kept, under that walk's epoch."""
    walk = await begun(store)
    await store.take_epoch(walk.browser, NOW_MS, logout=True)
    entry = an_entry("shop", walk.epoch)
    await store.advance(step(walk), walk.nonce, [entry])
    expect("the ledger", (await known(store, walk.browser)).ledger, {"shop": entry})


async def does_not_write_a_lost_walk(store: Store) -> None:
    """An older walk that the store does not have is not begun anew."""
    browser = an_id()
    newer = await store.take_epoch(browser, NOW_MS, logout=False)
    lost = a_walk(browser, newer - 1)
    expect("the answer for a lost walk", await store.advance(step(lost), lost.nonce, ()), Superseded(newer))
    expect("the lost walk", await store.walk(lost.id), None)


async def leaves_the_newest_walk_alone(store: Store) -> None:
    """The walk of the browser's own epoch goes on, whatever older ones tried."""
    older = await begun(store)
    newest = await begun(store, browser=older.browser)
    await store.advance(step(older), older.nonce, ())
    expect("the newest walk's step", await store.advance(step(newest), newest.nonce, ()), Advanced())


async def holds_in_a_race(store: Store) -> None:
    """From the moment a newer epoch is handed out, no step of the older walk is written, under way or not."""
    walk = await begun(store)
    newer: list[int] = []
    stood: list[StoredWalk | None] = []

    async def supersede() -> None:
        for _ in range(5):  # lets some steps go first
            await store.walk(walk.id)
        newer.append(await store.take_epoch(walk.browser, NOW_MS, logout=True))
        stood.append(await store.walk(walk.id))

    async def go_on() -> None:
        current = walk
        while True:
            was_newer = bool(newer)
            following = step(current)
            answer = await store.advance(following, current.nonce, ())
            if was_newer:
                expect("a step after the newer epoch", answer, Superseded(newer[0]))
            if answer != Advanced():
                return
            current = following
            await asyncio.sleep(0)

    await asyncio.gather(go_on(), supersede())
    stored = await store.walk(walk.id)
    stands = [each and each._replace(stopped=True) for each in stood]
    expect("the older walk after the race, as it stood but stopped", [stored], stands)


CHECKS = (
    stops_the_older_walk,
    is_said_as_often_as_it_is_asked,
    leaves_a_walk_that_has_ended,
    is_said_of_a_spent_nonce_too,
    takes_the_ledger_all_the_same,
    does_not_write_a_lost_walk,
    leaves_the_newest_walk_alone,
    holds_in_a_race,
)
