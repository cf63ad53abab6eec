"""Promise 1: epochs rise."""

from __future__ import annotations

import asyncio

from chain_gateway.store.base import Store
from chain_gateway.store.conformance.case import expect
from chain_gateway.store.conformance.values import NOW_MS, RACERS, a_walk, an_entry, an_id, known

TWO_MINUTES_MS = 120_000


async def begin_at_the_time(store: Store) -> None:
    """The first epoch of a browser is the time in milliseconds."""
    browser = an_id()
    expect("the first epoch", await store.take_epoch(browser, NOW_MS, logout=False), NOW_MS)
    expect("the epoch that is read back", (await known(store, browser)).epoch, NOW_MS)


async def follow_the_time(store: Store) -> None:
    """An epoch is the time again as soon as that is ahead."""
    browser = an_id()
    await store.take_epoch(browser, NOW_MS, logout=False)
    expect("the epoch a second later", await store.take_epoch(browser, NOW_MS + 1000, logout=False), NOW_MS + 1000)


async def rise_when_the_time_stands_still(store: Store) -> None:
    """Walks of one millisecond have epochs one apart."""
    browser = an_id()
    taken = [await store.take_epoch(browser, NOW_MS, logout=bool(i % 2)) for i in range(5)]
    expect("five epochs of one millisecond", taken, list(range(NOW_MS, NOW_MS + 5)))


async def rise_when_the_time_goes_back(store: Store) -> None:
    """A clock two minutes behind takes an epoch above the last one."""
    browser = an_id()
    await store.take_epoch(browser, NOW_MS, logout=False)
    taken = await store.take_epoch(browser, NOW_MS - TWO_MINUTES_MS, logout=True)
    expect("the epoch by a slow clock", taken, NOW_MS + 1)


async def rise_in_a_race(store: Store) -> None:
    """Concurrent calls for one browser get as many epochs, without a gap."""
    browser = an_id()
    taken = await asyncio.gather(*(store.take_epoch(browser, NOW_MS, logout=False) for _ in range(RACERS)))
    expect("epochs of a race", sorted(taken), list(range(NOW_MS, NOW_MS + RACERS)))


async def are_each_browsers_own(store: Store) -> None:
    """The epoch of one browser does not move another's."""
    await store.take_epoch(an_id(), NOW_MS + 1000, logout=True)
    other = an_id()
    expect("another browser's epoch", await store.take_epoch(other, NOW_MS, logout=False), NOW_MS)
    expect("another browser's logout", (await known(store, other)).signed_out_ms, 0)


async def stay_above_what_a_walk_carried(store: Store) -> None:
    """After a loss, the epoch of a walk or an entry that comes in is one that was taken."""
    opened, advanced, noted = an_id(), an_id(), an_id()
    await store.open_walk(a_walk(opened, NOW_MS), (), None)
    await store.advance(a_walk(advanced, NOW_MS), an_id(), ())
    await store.note(noted, [an_entry(epoch=NOW_MS)])
    taken = [await store.take_epoch(each, NOW_MS - TWO_MINUTES_MS, logout=False) for each in (opened, advanced, noted)]
    expect("epochs after a walk opened, a walk advanced, an entry noted", taken, [NOW_MS + 1] * 3)


async def tell_when_a_logout_began(store: Store) -> None:
    """``signed_out_ms`` is the time of the latest logout, and a login leaves it."""
    browser = an_id()
    await store.take_epoch(browser, NOW_MS, logout=False)
    expect("signed_out_ms before any logout", (await known(store, browser)).signed_out_ms, 0)
    await store.take_epoch(browser, NOW_MS + 5, logout=True)
    expect("signed_out_ms after a logout", (await known(store, browser)).signed_out_ms, NOW_MS + 5)
    await store.take_epoch(browser, NOW_MS + 9, logout=False)
    await store.take_epoch(browser, NOW_MS - TWO_MINUTES_MS, logout=True)
    expect("signed_out_ms after one by a slow clock", (await known(store, browser)).signed_out_ms, NOW_MS + 5)


async def tell_which_one_a_logout_took(store: Store) -> None:
    """``signed_out_epoch`` is what the latest logout was given, also by a slow clock; a login leaves it."""
    browser = an_id()
    await store.take_epoch(browser, NOW_MS, logout=False)
    expect("signed_out_epoch before any logout", (await known(store, browser)).signed_out_epoch, 0)
    for now_ms in (NOW_MS, NOW_MS + 5, NOW_MS - TWO_MINUTES_MS):
        taken = await store.take_epoch(browser, now_ms, logout=True)
        expect("signed_out_epoch after a logout", (await known(store, browser)).signed_out_epoch, taken)
        await store.take_epoch(browser, now_ms, logout=False)
        expect("signed_out_epoch after a login", (await known(store, browser)).signed_out_epoch, taken)
    first = an_id()
    taken = await store.take_epoch(first, NOW_MS, logout=True)
    expect("signed_out_epoch of a browser that begins with it", (await known(store, first)).signed_out_epoch, taken)


async def are_refused_to_a_login_that_a_logout_outran(store: Store) -> None:
    """A login that is older than the last logout gets none, and takes none; one that is newer does."""
    browser = an_id()
    expect("a login of a new browser", await store.login_epoch(browser, NOW_MS, NOW_MS), NOW_MS)
    out = await store.take_epoch(browser, NOW_MS + 5, logout=True)
    expect("a login from before the logout", await store.login_epoch(browser, NOW_MS + 9, NOW_MS + 5), None)
    expect("the epoch after a refusal", (await known(store, browser)).epoch, out)
    expect("a login from after the logout", await store.login_epoch(browser, NOW_MS + 9, NOW_MS + 6), NOW_MS + 9)


async def are_refused_in_a_race(store: Store) -> None:
    """Of logins that a logout comes in between, each one is older than the logout, or refused."""
    browser = an_id()
    before, after = ([store.login_epoch(browser, NOW_MS, NOW_MS) for _ in range(RACERS)] for _ in range(2))

    out: list[int] = []

    async def sign_out() -> None:
        out.append(await store.take_epoch(browser, NOW_MS, logout=True))

    taken = await asyncio.gather(*before, sign_out(), *after)
    expect("logins after the logout", [each for each in taken if each is not None and each > out[0]], [])


CHECKS = (
    begin_at_the_time,
    follow_the_time,
    rise_when_the_time_stands_still,
    rise_when_the_time_goes_back,
    rise_in_a_race,
    are_each_browsers_own,
    stay_above_what_a_walk_carried,
    tell_when_a_logout_began,
    tell_which_one_a_logout_took,
    are_refused_to_a_login_that_a_logout_outran,
    are_refused_in_a_race,
)
