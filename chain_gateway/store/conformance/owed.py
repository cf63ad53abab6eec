"""Promise 8: what is owed is delivered by one at a time, until it is settled."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from chain_gateway.core.ledger import Entry, Holding
from chain_gateway.core.limits import BROWSER_SECONDS
from chain_gateway.store.base import Owed, Store
from chain_gateway.store.conformance.case import expect
from chain_gateway.store.conformance.values import NOW, NOW_MS, RACERS, a_walk, an_entry, an_id, begun, known, step

LEASE = NOW + 30
MANY = 10**6
FAR = NOW * 2
"""A lease that no case sees the end of."""


async def is_due_at_once(store: Store) -> None:
    """What turns owed is claimed as soon as somebody asks, whatever clock wrote it; nothing else is."""
    browser = an_id()
    owed = an_owed("shop")._replace(since=NOW + 900)
    others = [an_entry(each.value, holding=each) for each in Holding if each is not Holding.OWED]
    await store.note(browser, [owed, *others])
    expect("what is claimed", await claimed(store, browser), [Owed(browser, owed, 0, LEASE)])


async def waits_until_it_is_due(store: Store) -> None:
    """What says when it is due is not claimed before, is not moved by saying it again, and comes back without it."""
    browser = an_id()
    owed, later = an_owed("shop"), an_owed("shop")._replace(due=NOW + 60)
    await store.note(browser, [later, later._replace(due=NOW), an_owed("shop")])
    expect("the ledger", (await known(store, browser)).ledger, {"shop": owed})
    expect("what is shown", of(browser, await store.all_owed(MANY)), [Owed(browser, owed, 0, NOW + 60)])
    expect("a second early", await claimed(store, browser, NOW + 59), [])
    expect("in time", await claimed(store, browser, NOW + 60, LEASE + 60), [Owed(browser, owed, 0, LEASE + 60)])
    await store.note(browser, [later._replace(holding=Holding.HOLDS, due=NOW + 60), an_owed("shop")])
    expect("when it is owed anew", await claimed(store, browser), [Owed(browser, owed, 0, LEASE)])
    await store.note(browser, [later._replace(epoch=NOW_MS + 1)])
    expect("what is newer, too early", await claimed(store, browser, NOW + 59), [])


async def comes_by_every_way(store: Store) -> None:
    """Entries that come with a walk's beginning, with its step and with a superseded one are queued like any other."""
    walk = await begun(store, ledger=[an_owed("shop")])
    await store.advance(step(walk), walk.nonce, [an_owed("bank", walk.epoch)])
    await store.take_epoch(walk.browser, NOW_MS, logout=False)
    await store.advance(step(walk), an_id(), [an_owed("mail", walk.epoch)])
    await store.note(walk.browser, [an_owed("shop", walk.epoch - 1)])
    expect("the apps", sorted(each.entry.app for each in await claimed(store, walk.browser)), ["bank", "mail", "shop"])


async def is_claimed_until_the_lease_runs_out(store: Store) -> None:
    """What was claimed is nobody else's until the second of the lease, and then the next one's."""
    browser = an_id()
    await store.note(browser, [an_owed("shop")])
    expect("the first claim", len(await claimed(store, browser)), 1)
    expect("a claim at once", await claimed(store, browser), [])
    expect("in the last second", await claimed(store, browser, LEASE - 1), [])
    again = await claimed(store, browser, LEASE, LEASE + 60)
    expect("when the lease has run out", again, [Owed(browser, an_owed("shop"), 0, LEASE + 60)])


async def is_claimed_by_one_in_a_race(store: Store) -> None:
    """However many ask at once, each entry is given to one of them, and all are given."""
    browsers = [an_id() for _ in range(6)]
    for browser in browsers:
        await store.note(browser, [an_owed(f"app{i}") for i in range(RACERS)])
    shares = await asyncio.gather(*(store.owed(NOW, FAR, 7) for _ in range(RACERS)))
    expect("the most that one was given", max(len(share) for share in shares), 7)
    left = await store.owed(NOW, FAR, MANY)
    given = [(each.browser, each.entry.app) for share in (*shares, left) for each in share if each.browser in browsers]
    expect("how many were given twice", len(given) - len(set(given)), 0)
    expect("how many were given", len(given), 6 * RACERS)


async def comes_in_its_turn(store: Store) -> None:
    """No more than asked for: those that are due longest, and of those that are due at once the oldest."""
    browser = an_id()
    await store.owed(FAR - 1, FAR, MANY)  # what other cases left
    entries = [an_owed(f"app{i}")._replace(since=NOW - i) for i in range(6)]
    await store.note(browser, entries)
    for each, due in ((entries[0], NOW - 5), (entries[1], NOW - 9), (entries[2], NOW)):
        await store.defer(browser, each.app, NOW_MS, due, 1)
    expect("what is given to who can take no more", [await store.owed(NOW, FAR, n) for n in (0, -1)], [[], []])
    turns = [[each.entry.app for each in await store.owed(NOW, FAR, 2)] for _ in range(4)]
    expect("the turns", turns, [["app5", "app4"], ["app3", "app1"], ["app0", "app2"], []])


async def is_deferred(store: Store) -> None:
    """What is put off is due from its second on, with its attempts, whether that is before the lease or after."""
    browser = an_id()
    await store.note(browser, [an_owed("shop")])
    await claimed(store, browser)
    for attempts, due in enumerate((NOW + 5, NOW + 500), 1):
        expect("whether it was put off", await store.defer(browser, "shop", NOW_MS, due, attempts), wanted=True)
        expect("a second early", await claimed(store, browser, due - 1), [])
        found = await claimed(store, browser, due, due + 30)
        expect("in time", found, [Owed(browser, an_owed("shop"), attempts, due + 30)])


async def is_deferred_while_it_is_owed(store: Store) -> None:
    """What is settled, of another epoch, another app's or a stranger's is not put off, and stays as it is."""
    browser = an_id()
    await store.note(browser, [an_owed("shop"), an_entry("bank")])
    for who, app, epoch in (
        (browser, "shop", NOW_MS - 1),
        (browser, "shop", NOW_MS + 1),
        (browser, "bank", NOW_MS),
        (browser, "mail", NOW_MS),
        (an_id(), "shop", NOW_MS),
    ):
        expect("whether it was put off", await store.defer(who, app, epoch, FAR, 9), wanted=False)
    expect("what is owed", await claimed(store, browser), [Owed(browser, an_owed("shop"), 0, LEASE)])


async def ends_when_it_is_settled(store: Store) -> None:
    """A delivery that was confirmed ends it: nobody is given it again, nor can put it off."""
    for holding in Holding:
        browser = an_id()
        await store.note(browser, [an_owed("shop")])
        await claimed(store, browser)
        await store.note(browser, [an_entry("shop", holding=holding)])
        still = holding is Holding.OWED
        expect(f"after {holding.value}", len(await claimed(store, browser, LEASE, LEASE)), int(still))
        expect("what is shown", len(of(browser, await store.all_owed(MANY))), int(still))
        put_off = await store.defer(browser, "shop", NOW_MS, LEASE, 1)
        expect("whether it can be put off", put_off, wanted=still)


async def is_not_settled_by_what_is_older(store: Store) -> None:
    """A delivery for an older logout says nothing of a newer one."""
    browser = an_id()
    newer = an_owed("shop", NOW_MS + 1)
    await store.note(browser, [an_owed("shop")])
    await claimed(store, browser)
    await store.note(browser, [newer])
    await store.note(browser, [an_entry("shop", holding=Holding.NONE)])
    expect("what is owed", await claimed(store, browser), [Owed(browser, newer, 0, LEASE)])


async def gives_way_to_what_is_newer(store: Store) -> None:
    """A newer entry ends the delivery of the older one: a logout begins anew, due at once; anything else is the end."""
    for holding in Holding:
        browser = an_id()
        await store.note(browser, [an_owed("shop")])
        await store.defer(browser, "shop", NOW_MS, FAR, 7)
        newer = an_entry("shop", NOW_MS + 1, holding)
        await store.note(browser, [newer])
        expect("whether the older can be put off", await store.defer(browser, "shop", NOW_MS, NOW, 8), wanted=False)
        expected = [Owed(browser, newer, 0, LEASE)] if holding is Holding.OWED else []
        expect(f"after {holding.value}", await claimed(store, browser), expected)


async def keeps_its_turn_when_said_again(store: Store) -> None:
    """The same said twice is one delivery: a lease and its attempts stand. What was settled between begins anew."""
    browser = an_id()
    await store.note(browser, [an_owed("shop")])
    await store.defer(browser, "shop", NOW_MS, NOW, 3)
    await claimed(store, browser)
    again = an_owed("shop")._replace(since=NOW + 1)
    await store.note(browser, [again, again])
    expect("what another one is given", await claimed(store, browser), [])
    shown = of(browser, await store.all_owed(MANY))
    expect("what is shown", shown, [Owed(browser, again, 3, LEASE)])
    await store.note(browser, [an_entry("shop", holding=Holding.NONE), again])
    expect("what is owed again", await claimed(store, browser), [Owed(browser, again, 0, LEASE)])


async def is_shown_without_a_claim(store: Store) -> None:
    """All that is owed can be looked at, claimed or not, as much as asked for, and is there to be claimed after it."""
    await store.owed(FAR - 1, FAR, MANY)  # what other cases left
    browser, other = an_id(), an_id()
    await store.note(browser, [an_owed("shop"), an_owed("bank")])
    await store.note(other, [an_owed("shop")])
    await store.defer(browser, "bank", NOW_MS, NOW + 5, 2)
    await store.defer(other, "shop", NOW_MS, NOW + 3, 1)
    wanted = [
        Owed(browser, an_owed("shop"), 0, 0),
        Owed(other, an_owed("shop"), 1, NOW + 3),
        Owed(browser, an_owed("bank"), 2, NOW + 5),
    ]
    expect("the first three", await store.all_owed(3), wanted)
    expect("the first two", await store.all_owed(2), wanted[:2])
    expect("none at all", [await store.all_owed(n) for n in (0, -1)], [[], []])
    due = [replace(each, due=FAR) for each in wanted]
    expect("what is claimed after it", await store.owed(NOW + 5, FAR, MANY), due)


async def is_forgotten_with_its_browser(store: Store) -> None:
    """A browser that is forgotten is owed nothing any more."""
    walk = a_walk(an_id())
    await store.open_walk(walk, [an_owed("shop"), an_owed("bank")], None)
    await store.sweep(NOW + BROWSER_SECONDS + 1)
    expect("what is shown", of(walk.browser, await store.all_owed(MANY)), [])
    expect("what is claimed", await claimed(store, walk.browser), [])


def an_owed(app: str, epoch: int = NOW_MS) -> Entry:
    """A logout that is owed."""
    return an_entry(app, epoch, Holding.OWED)


async def claimed(store: Store, browser: bytes, now: int = NOW, lease_until: int = LEASE) -> list[Owed]:
    """Claims all that is due, and returns what is this browser's of it; other cases' may be there as well."""
    return of(browser, await store.owed(now, lease_until, MANY))


def of(browser: bytes, owed: Sequence[Owed]) -> list[Owed]:
    """What is owed to one browser."""
    return [each for each in owed if each.browser == browser]


CHECKS = (
    is_due_at_once,
    waits_until_it_is_due,
    comes_by_every_way,
    is_claimed_until_the_lease_runs_out,
    is_claimed_by_one_in_a_race,
    comes_in_its_turn,
    is_deferred,
    is_deferred_while_it_is_owed,
    ends_when_it_is_settled,
    is_not_settled_by_what_is_older,
    gives_way_to_what_is_newer,
    keeps_its_turn_when_said_again,
    is_shown_without_a_claim,
    is_forgotten_with_its_browser,
)
