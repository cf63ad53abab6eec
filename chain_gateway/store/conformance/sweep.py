"""Promise 7: nothing stays for ever, and nothing goes early."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from chain_gateway.core.ledger import Holding
from chain_gateway.core.limits import BROWSER_SECONDS, NOBODY_SECONDS, OPEN_WALKS, WALK_SECONDS
from chain_gateway.store.base import Store, StoredWalk
from chain_gateway.store.conformance.case import expect
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


async def returns_what_is_overdue(store: Store) -> None:
    """A walk is returned from the second of its hop deadline on, and not before."""
    walk = await begun(store)
    expect("a second early", _of(walk, await store.sweep(walk.hop_deadline - 1)), [])
    expect("in time", _of(walk, await store.sweep(walk.hop_deadline)), [walk])
    following = step(walk)._replace(hop_deadline=walk.hop_deadline + 30)
    await store.advance(following, walk.nonce, ())
    expect("after a step in time", _of(walk, await store.sweep(walk.hop_deadline)), [])
    expect("when that is overdue", _of(walk, await store.sweep(following.hop_deadline)), [following])


async def returns_what_has_expired(store: Store) -> None:
    """A walk is returned from the second of its expiry on, however far its hop deadline is."""
    walk = a_walk(an_id())._replace(hop_deadline=NOW * 2)
    await store.open_walk(walk, (), None)
    expect("a second early", _of(walk, await store.sweep(walk.expires_at - 1)), [])
    expect("in time", _of(walk, await store.sweep(walk.expires_at)), [walk])
    longer = step(walk)._replace(expires_at=walk.expires_at + 60)
    await store.advance(longer, walk.nonce, ())
    expect("after a step that gave it longer", _of(walk, await store.sweep(walk.expires_at)), [])
    expect("when that is over", _of(walk, await store.sweep(longer.expires_at)), [longer])


async def returns_what_gave_way(store: Store) -> None:
    """A walk that gave way to a newer one is returned as well, until a step of it was tried."""
    walk = await begun(store)
    await store.take_epoch(walk.browser, NOW_MS, logout=False)
    expect("before the try", _of(walk, await store.sweep(walk.hop_deadline)), [walk])
    await store.advance(step(walk, ended=True), walk.nonce, ())
    expect("after it", _of(walk, await store.sweep(walk.expires_at)), [])


async def leaves_an_ended_walk_alone(store: Store) -> None:
    """A walk that has ended or was stopped is not overdue."""
    ended, dropped = await begun(store), await begun(store)
    await store.advance(step(ended, ended=True), ended.nonce, ())
    await store.drop_walk(dropped.id)
    swept = await store.sweep(ended.expires_at)
    expect("what is overdue", _of(ended, swept) + _of(dropped, swept), [])


async def keeps_an_ended_walk_a_while(store: Store) -> None:
    """A walk that ended or was stopped is there for another walk's life after it expired, then gone."""
    walk, dropped = await begun(store), await begun(store)
    end = step(walk, ended=True)
    await store.advance(end, walk.nonce, ())
    await store.drop_walk(dropped.id)
    last = walk.expires_at + WALK_SECONDS
    await store.sweep(last)
    expect("in the last second", await store.walk(walk.id), end)
    expect("the dropped one", await store.walk(dropped.id), dropped._replace(stopped=True))
    await store.sweep(last + 1)
    expect("a second later", [await store.walk(each.id) for each in (walk, dropped)], [None, None])


async def never_loses_a_walk_that_nobody_ended(store: Store) -> None:
    """However long nobody swept, an open walk is returned until it is ended."""
    walk = await begun(store)
    much_later = walk.expires_at + 100 * WALK_SECONDS
    for _ in range(2):
        expect("the open walk", _of(walk, await store.sweep(much_later)), [walk])
    await store.advance(step(walk, ended=True), walk.nonce, ())
    expect("when it is ended", _of(walk, await store.sweep(much_later)), [])
    expect("the walk", await store.walk(walk.id), None)


async def forgets_a_browser_in_the_end(store: Store) -> None:
    """A browser without a walk for as long as its cookie lasts is forgotten with all that is of it."""
    walk = a_walk(an_id())
    await store.open_walk(walk, [an_entry()], a_record())
    other = await begun(store)
    last = NOW + BROWSER_SECONDS
    await store.take_epoch(other.browser, last * 1000, logout=False)
    await store.sweep(last)
    before = await store.browser(walk.browser)
    expect("in the last second", before is not None and len(before.ledger), 1)
    await store.sweep(last + 1)
    expect("a second later", await store.browser(walk.browser), None)
    expect("its walk", await store.walk(walk.id), None)
    after = await store.browser(other.browser)
    expect("a browser that came back", after is not None and after.epoch, last * 1000)


async def forgets_a_browser_of_nobody(store: Store) -> None:
    """One that nobody signed in with goes soon after its last walk, whatever is said of its apps; any other stays."""
    out, told, waits = await begun(store), await begun(store), await begun(store)
    mine = [await begun(store), await begun(store), await begun(store), a_walk(an_id())]
    nameless = an_entry(holding=Holding.MAY_HOLD)._replace(sub="", sid="")
    await store.note(told.browser, [nameless])
    await store.note(mine[0].browser, [nameless._replace(sub="alice")])
    await store.note(mine[1].browser, [nameless._replace(sid="session")])
    await store.note(mine[2].browser, [nameless._replace(shown=True)])
    expect("what is read", (await known(store, mine[2].browser)).ledger, {nameless.app: nameless})
    await store.open_walk(mine[3], (), a_record())
    for walk in (out, told, *mine):
        await store.advance(step(walk, ended=True), walk.nonce, ())
    last = max(NOW, nameless.epoch // 1000) + NOBODY_SECONDS
    await store.sweep(last)
    expect("in the last second", [await _is_known(store, each) for each in (out, told)], [True, True])
    await store.sweep(last + 1)
    expect("a second later", [await _is_known(store, each) for each in (out, told)], [False, False])
    expect("with an open walk", await _is_known(store, waits), wanted=True)
    expect("where somebody signed in", [await _is_known(store, each) for each in mine], [True] * 4)
    await store.drop_walk(waits.id)
    await store.sweep(last + 2)
    expect("when its walk is over", await _is_known(store, waits), wanted=False)


async def _is_known(store: Store, walk: StoredWalk) -> bool:
    return await store.browser(walk.browser) is not None


async def lists_open_walks(store: Store) -> None:
    """A browser's open walks come newest first, without those that ended or expired."""
    browser = an_id()
    walks = [a_walk(browser, NOW_MS + i, now=NOW + i) for i in range(4)]
    for walk in (walks[1], walks[3], walks[0], walks[2]):
        await store.open_walk(walk, (), None)
    await store.advance(step(walks[3], ended=True), walks[3].nonce, ())
    await store.open_walk(a_walk(an_id()), (), None)
    expect("open walks", await store.open_walks(browser, NOW), [walks[2], walks[1], walks[0]])
    expect("when one has expired", await store.open_walks(browser, walks[0].expires_at), [walks[2], walks[1]])


async def bounds_open_walks(store: Store) -> None:
    """The oldest of too many open walks are stopped, in order of epochs and not of arrival."""
    browser = an_id()
    walks = [a_walk(browser, NOW_MS + i) for i in range(OPEN_WALKS + 2)]
    for walk in walks[::2] + walks[1::2]:
        await store.open_walk(walk, (), None)
    kept = await store.open_walks(browser, NOW)
    expect("the walks that are open", kept, list(reversed(walks[2:])))
    expect("the oldest walk", await store.walk(walks[0].id), walks[0]._replace(stopped=True))


async def bounds_open_walks_in_a_race(store: Store) -> None:
    """However many walks begin at once, a browser has no more than so many open."""
    browser = an_id()
    await asyncio.gather(*(begun(store, browser=browser) for _ in range(RACERS)))
    expect("how many are open", len(await store.open_walks(browser, NOW)), OPEN_WALKS)


def _of(walk: StoredWalk, swept: Sequence[StoredWalk]) -> list[StoredWalk]:
    """What was swept of this walk; other cases' may be there as well."""
    return [each for each in swept if each.id == walk.id]


CHECKS = (
    returns_what_is_overdue,
    returns_what_has_expired,
    returns_what_gave_way,
    leaves_an_ended_walk_alone,
    keeps_an_ended_walk_a_while,
    never_loses_a_walk_that_nobody_ended,
    forgets_a_browser_in_the_end,
    forgets_a_browser_of_nobody,
    lists_open_walks,
    bounds_open_walks,
    bounds_open_walks_in_a_race,
)
