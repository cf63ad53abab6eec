"""What an operator sees of all browsers' walks, and the one thing that is done to them."""

from __future__ import annotations

import asyncio

from chain_gateway.core.ledger import Holding
from chain_gateway.store.base import Counts, Replayed, Store, Superseded
from chain_gateway.store.conformance.case import expect
from chain_gateway.store.conformance.values import NOW, NOW_MS, RACERS, a_walk, an_entry, an_id, begun, known, step

MANY = 10**6


async def lists_open_walks_everywhere(store: Store) -> None:
    """All browsers' open walks come by their deadlines, also expired ones, as many as asked for and no others."""
    walks = [a_walk(an_id(), now=NOW - i) for i in (1, 3000, 2000, 0, 4000)]
    for walk in walks:
        await store.open_walk(walk, (), None)
    await store.advance(step(walks[4], ended=True), walks[4].nonce, ())
    await store.open_walk(walks[4], (), None)
    listed = await store.open_everywhere(MANY)
    mine = [walk for walk in listed if walk.id in {each.id for each in walks}]
    expect("the list", mine, [walks[1], walks[2], walks[0], walks[3]])
    expect("the first three", await store.open_everywhere(3), listed[:3])
    expect("none at all", [await store.open_everywhere(n) for n in (0, -1)], [[], []])


async def stops_a_dropped_walk(store: Store) -> None:
    """A walk that was dropped stays where it stood, takes no further step, and is open nowhere."""
    walk = await begun(store)
    dropped = walk._replace(stopped=True)
    expect("whether it was dropped", await store.drop_walk(walk.id), wanted=True)
    answer = await store.advance(step(walk), walk.nonce, [an_entry("shop", walk.epoch)])
    expect("the answer to its step", answer, Replayed(dropped))
    expect("the walk", await store.walk(walk.id), dropped)
    expect("its ledger", (await known(store, walk.browser)).ledger, {})
    expect("the browser's open walks", await store.open_walks(walk.browser, NOW), [])
    newer = await store.take_epoch(walk.browser, NOW_MS, logout=False)
    answer = await store.advance(step(walk), walk.nonce, ())
    expect("the answer when there is a newer one", answer, Superseded(newer))


async def drops_what_is_open(store: Store) -> None:
    """What has ended, was dropped already or never was is not dropped, and an end stays that end."""
    walk = await begun(store)
    end = step(walk, ended=True)
    await store.advance(end, walk.nonce, ())
    expect("an ended walk", await store.drop_walk(walk.id), wanted=False)
    expect("its record", await store.walk(walk.id), end)
    expect("a walk that never was", await store.drop_walk(an_id()), wanted=False)
    dropped = await begun(store)
    answers = await asyncio.gather(*(store.drop_walk(dropped.id) for _ in range(RACERS)))
    expect("how many dropped it", answers.count(True), 1)


async def counts_what_it_lists(store: Store) -> None:
    """Open walks, expired or not, and owed logouts, due or not: each until it is over, and nothing else."""
    before = await store.counts()
    walks = [await begun(store) for _ in range(3)]
    await store.open_walk(a_walk(an_id(), now=NOW - 4000), (), None)
    owing = [an_entry(app, holding=Holding.OWED) for app in ("shop", "bank")]
    await store.note(walks[0].browser, [*owing, an_entry("news")])
    await store.defer(walks[0].browser, "bank", owing[1].epoch, NOW + 3600, 4)
    expect("what there is more", await grown(store, before), Counts(walks=4, owed=2))
    await store.advance(step(walks[0], ended=True), walks[0].nonce, ())
    await store.drop_walk(walks[1].id)
    await store.note(walks[0].browser, [owing[0]._replace(holding=Holding.NONE)])
    expect("what there is more once some are over", await grown(store, before), Counts(walks=2, owed=1))


async def grown(store: Store, before: Counts) -> Counts:
    """How many there are more than ``before``."""
    now = await store.counts()
    return Counts(now.walks - before.walks, now.owed - before.owed)


CHECKS = (
    counts_what_it_lists,
    lists_open_walks_everywhere,
    stops_a_dropped_walk,
    drops_what_is_open,
)
