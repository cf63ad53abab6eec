"""Promise 3: a newer walk wins."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from chain_gateway.store.base import Advanced, Store, StoredWalk, Superseded
from chain_gateway.store.conformance.case import expect
from chain_gateway.store.conformance.values import NOW, NOW_MS, a_walk, an_entry, an_id, begun, known, step


async def stops_the_older_walk(store: Store) -> None:
    """From the moment a newer epoch is taken, the older walk gets no further, and has ended."""
    walk = await begun(store)
    newer = await store.take_epoch(walk.browser, NOW_MS, logout=True)
    expect("the older walk's step", await store.advance(step(walk), walk.nonce, ()), Superseded(newer))
    expect("the older walk", await store.walk(walk.id), replace(walk, ended=True))
    expect("the browser's open walks", await store.open_walks(walk.browser, NOW), [])
    expect("what is overdue", [w for w in await store.sweep(walk.hop_deadline) if w.id == walk.id], [])


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


async def keeps_the_newer_sign_in(store: Store) -> None:
    """A walk that is opened late does not replace what a newer one knows of the provider's session."""
    browser = an_id()
    await store.open_walk(a_walk(browser, NOW_MS + 1), (), b"newer")
    await store.open_walk(a_walk(browser, NOW_MS), (), b"older")
    expect("op_session", (await known(store, browser)).op_session, b"newer")


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
    stands = [each and replace(each, ended=True) for each in stood]
    expect("the older walk after the race, as it stood but ended", [stored], stands)


CHECKS = (
    stops_the_older_walk,
    is_said_of_a_spent_nonce_too,
    takes_the_ledger_all_the_same,
    does_not_write_a_lost_walk,
    leaves_the_newest_walk_alone,
    keeps_the_newer_sign_in,
    holds_in_a_race,
)
