"""The store in memory stays as large as what it must remember."""

from __future__ import annotations

import gc

from chain_gateway.core.ledger import Holding
from chain_gateway.core.limits import BROWSER_SECONDS, WALK_SECONDS
from chain_gateway.store.base import Advanced
from chain_gateway.store.conformance.values import NOW, NOW_MS, a_record, a_walk, an_entry, an_id, step
from chain_gateway.store.memory import MemoryStore
from chain_gateway.store.memory.owing import SLACK


async def walk_through(store: MemoryStore, now: int, hops: int = 3) -> None:
    """One login from beginning to end, of a browser that was never seen before."""
    browser = an_id()
    epoch = await store.take_epoch(browser, now * 1000, logout=False)
    walk = a_walk(browser, epoch, now=now)
    await store.open_walk(walk, [an_entry("owed", epoch, Holding.OWED)], a_record())
    for hop in range(hops):
        following = step(walk, ended=hop == hops - 1)
        assert await store.advance(following, walk.nonce, [an_entry(f"app{hop}", epoch)]) == Advanced()
        walk = following


def held(store: MemoryStore) -> list[int]:
    """How much is kept of each kind."""
    kept = (store._browsers, store._open, store._over, store._seen, store._owing, store._sign_ins)
    times = (store._browsers_due, store._over_due, store._seen_due)
    return [len(each) for each in (*kept, *times)]


async def test_a_sweep_forgets_all_of_ten_thousand_walks() -> None:
    """When everything's time has passed, the store holds nothing, and nothing else holds what it held."""
    store = MemoryStore()
    await walk_through(store, NOW)
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(10_000):
        await walk_through(store, NOW)
        await store.once("label", an_id().hex(), NOW + 60, NOW)
    assert held(store) == [10_001, 0, 10_001, 10_000, 10_001, 20_002, 10_001, 10_001, 10_000]
    assert len(gc.get_objects()) - before > 50_000
    await store.sweep(NOW + BROWSER_SECONDS + 1)
    gc.collect()
    assert held(store) == [0] * 9
    assert len(gc.get_objects()) - before < 1000


async def test_walks_alone_keep_it_bounded() -> None:
    """Without any sweep, a walk that begins forgets those that have passed: one an hour leaves one hour's behind."""
    store = MemoryStore()
    for hour in range(200):
        await walk_through(store, NOW + hour * 3600)
    browsers, still_open, ended, *_ = held(store)
    assert (browsers, still_open, ended) == (200, 0, 1)


async def test_keys_alone_keep_it_bounded() -> None:
    """Without any sweep, a key that is seen forgets those that have passed."""
    store = MemoryStore()
    for hour in range(200):
        await store.once("label", f"{hour}", NOW + hour * 3600 + 60, NOW + hour * 3600)
    assert len(store._seen) == len(store._seen_due) == 1


async def test_a_queue_is_as_long_as_what_is_owed() -> None:
    """However often a logout is owed, put off and settled, one place in the queue is kept of it, and then none."""
    store = MemoryStore()
    browser = an_id()
    for turn in range(100):
        await store.note(browser, [an_entry("shop", NOW_MS + turn, Holding.OWED)])
        await store.owed(NOW, NOW + 30, 10)
        assert await store.defer(browser, "shop", NOW_MS + turn, NOW + turn, turn)
        assert len(store._owing) == 1
        assert len(store._owing._turns) <= 2 + SLACK
    await store.note(browser, [an_entry("shop", NOW_MS + 99, Holding.NONE)])
    assert len(store._owing) == 0


async def test_a_long_queue_leaves_nothing_behind() -> None:
    """When thousands of logouts have been put off and settled, what was kept of their turns is gone, too."""
    store = MemoryStore()
    browsers = [an_id() for _ in range(3000)]
    for browser in browsers:
        await store.note(browser, [an_entry("shop", holding=Holding.OWED)])
    for turn in range(3):
        assert len(await store.owed(NOW + turn, NOW + 30, 10**6)) == 3000
        for browser in browsers:
            assert await store.defer(browser, "shop", NOW_MS, NOW + turn + 1, turn)
        assert len(store._owing._turns) <= 2 * 3000 + SLACK
    for browser in browsers:
        await store.note(browser, [an_entry("shop", holding=Holding.NONE)])
    assert len(store._owing._turns) <= SLACK


async def test_an_index_is_as_large_as_what_stands() -> None:
    """However often somebody signs in anew, one browser is found by one person and one session, and then by none."""
    store = MemoryStore()
    browser = an_id()
    for turn in range(100):
        await store.open_walk(a_walk(browser, NOW_MS + turn), (), a_record())
        assert len(store._sign_ins) == 2
    await store.clear_op(browser, NOW_MS + 99)
    assert len(store._sign_ins) == 0


async def test_closing_forgets_everything() -> None:
    """A store that was closed and opened again is as empty as a new one."""
    store = MemoryStore()
    await walk_through(store, NOW)
    await store.once("label", "key", NOW, NOW)
    await store.close()
    await store.open()
    assert held(store) == [0] * 9


async def test_one_browser_is_due_once() -> None:
    """However often a browser comes back, one reminder of it is kept."""
    store = MemoryStore()
    browser = an_id()
    for day in range(0, 2000, 10):
        await store.take_epoch(browser, (NOW + day * 86400) * 1000, logout=False)
    assert len(store._browsers_due) == 1
    assert await store.browser(browser) is not None


async def test_an_abandoned_walk_stays_until_it_is_ended() -> None:
    """Time alone does not take a walk that nobody ended; its end does."""
    store = MemoryStore()
    walk = a_walk(an_id())
    await store.open_walk(walk, (), None)
    later = walk.expires_at + WALK_SECONDS * 9
    assert await store.sweep(later) == [walk]
    await store.advance(step(walk, ended=True), walk.nonce, ())
    assert await store.sweep(later) == []
    assert held(store)[1:4] == [0, 0, 0]
