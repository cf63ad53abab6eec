"""Promise 9: a sign-in is found by its provider's words."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from chain_gateway.core.ledger import OpRecord
from chain_gateway.core.limits import BROWSER_SECONDS
from chain_gateway.store.base import Store
from chain_gateway.store.conformance.case import expect
from chain_gateway.store.conformance.values import NOW, NOW_MS, RACERS, a_record, a_walk, an_id, known


async def are_kept_until_the_next(store: Store) -> None:
    """``op_session`` comes back byte for byte, until a later walk brings another; a walk without one leaves it."""
    browser = an_id()
    records = (None, a_record(), None, OpRecord(bytes(range(256)) * 10, "auth0|ü☂" * 30, ""), OpRecord(b"", "", ""))
    expected: OpRecord | None = None
    for brought in records:
        await signed_in(store, browser, brought, await store.take_epoch(browser, NOW_MS, logout=False))
        expected = brought or expected
        expect("op_session", (await known(store, browser)).op_session, expected)


async def are_not_replaced_by_older_ones(store: Store) -> None:
    """A walk that is opened late does not replace what a newer one knows, and its words lead nowhere."""
    browser, newer, older = an_id(), a_record(b"newer"), a_record(b"older")
    await signed_in(store, browser, newer, NOW_MS + 1)
    await signed_in(store, browser, older, NOW_MS)
    expect("op_session", (await known(store, browser)).op_session, newer)
    expect("browsers of the newer", await store.browsers_of(newer.sub, newer.sid), [browser])
    expect("browsers of the older", await store.browsers_of(older.sub, older.sid), [])


async def are_found_by_session(store: Store) -> None:
    """A ``sid`` leads to the browsers of that session alone, and with a ``sub`` only if both are the record's."""
    record = a_record()
    one, other = an_id(), an_id()
    await signed_in(store, one, record)
    await signed_in(store, other, replace(record, sid=an_id().hex()))
    expect("by sid", await store.browsers_of("", record.sid), [one])
    expect("by sid and sub", await store.browsers_of(record.sub, record.sid), [one])
    expect("by sid and somebody else's sub", await store.browsers_of(record.sub + "x", record.sid), [])
    expect("by a sid that nobody has, and sub", await store.browsers_of(record.sub, record.sid + "x"), [])


async def are_found_by_person(store: Store) -> None:
    """A ``sub`` alone leads to all browsers of the person, with and without a ``sid``, and to nobody else's."""
    record = a_record()
    mine = [an_id() for _ in range(3)]
    await signed_in(store, mine[0], record)
    await signed_in(store, mine[1], replace(record, sid=""))
    await signed_in(store, mine[2], replace(record, sid=record.sid + "x"))
    await signed_in(store, an_id(), replace(record, sub=record.sub + "x"))
    expect("by sub", sorted(await store.browsers_of(record.sub, "")), sorted(mine))


async def are_not_found_by_nothing(store: Store) -> None:
    """Empty words lead nowhere, not to the records that have none."""
    record = a_record()
    await signed_in(store, an_id(), OpRecord(b"sealed", "", ""))
    await signed_in(store, an_id(), replace(record, sid=""))
    expect("by neither", await store.browsers_of("", ""), [])


async def are_found_by_their_last_words(store: Store) -> None:
    """What was replaced is not found any more."""
    browser, first, second = an_id(), a_record(), a_record()
    await signed_in(store, browser, first)
    await signed_in(store, browser, second, NOW_MS + 1)
    expect("by the first sid", await store.browsers_of("", first.sid), [])
    expect("by the first sub", await store.browsers_of(first.sub, ""), [])
    expect("by the second sid", await store.browsers_of("", second.sid), [browser])


async def are_forgotten_after_a_logout(store: Store) -> None:
    """A logout forgets what is as old as it or older, and not what came since."""
    browser, record = an_id(), a_record()
    await signed_in(store, browser, record, NOW_MS)
    await store.clear_op(browser, NOW_MS - 1)
    expect("after an older logout", (await known(store, browser)).op_session, record)
    await store.clear_op(browser, NOW_MS)
    expect("after the logout", (await known(store, browser)).op_session, None)
    expect("browsers by sid", await store.browsers_of("", record.sid), [])
    expect("browsers by sub", await store.browsers_of(record.sub, ""), [])


async def are_not_revived(store: Store) -> None:
    """A walk that is opened late brings nothing back that a logout has forgotten, or would have; a newer one does."""
    for signed_in_before in (True, False):
        browser, record = an_id(), a_record()
        epoch = await store.take_epoch(browser, NOW_MS, logout=False)
        if signed_in_before:
            await signed_in(store, browser, record, epoch)
        await store.clear_op(browser, epoch)
        await store.clear_op(browser, epoch - 2)
        for late in (epoch, epoch - 1):
            await signed_in(store, browser, record, late)
            expect("op_session", (await known(store, browser)).op_session, None)
            expect("browsers", await store.browsers_of("", record.sid), [])
        await signed_in(store, browser, record, epoch + 1)
        expect("the next sign-in", await store.browsers_of("", record.sid), [browser])


async def leave_epochs_rising(store: Store) -> None:
    """After a loss, the epoch of a logout that forgets counts like a walk's, for a browser that is known again."""
    browser, stranger = an_id(), an_id()
    await store.take_epoch(browser, NOW_MS - 5, logout=False)
    await store.clear_op(browser, NOW_MS)
    await store.clear_op(stranger, NOW_MS)
    expect("the next epoch", await store.take_epoch(browser, NOW_MS - 5, logout=False), NOW_MS + 1)
    expect("a stranger", await store.browser(stranger), None)


async def agree_in_a_race(store: Store) -> None:
    """Of sign-ins and a logout that come in any order, what is newest stands, and it alone is found."""
    browser = an_id()
    records = [a_record() for _ in range(RACERS)]
    calls = [signed_in(store, browser, record, NOW_MS + i) for i, record in enumerate(records)]
    logouts = [store.clear_op(browser, NOW_MS + RACERS - 2) for _ in range(2)]
    await asyncio.gather(logouts[0], *reversed(calls), logouts[1])
    found = [await store.browsers_of("", record.sid) for record in records]
    expect("browsers by each sid", found, [[]] * (RACERS - 1) + [[browser]])


async def go_with_their_browser(store: Store) -> None:
    """A browser that is forgotten is not found any more."""
    browser, record = an_id(), a_record()
    await signed_in(store, browser, record)
    await store.sweep(NOW + BROWSER_SECONDS + 1)
    expect("browsers by sid", await store.browsers_of("", record.sid), [])
    expect("browsers by sub", await store.browsers_of(record.sub, ""), [])


async def signed_in(store: Store, browser: bytes, record: OpRecord | None, epoch: int = NOW_MS) -> None:
    """A login walk of this epoch begins with a record."""
    await store.open_walk(a_walk(browser, epoch), (), record)


CHECKS = (
    are_kept_until_the_next,
    are_not_replaced_by_older_ones,
    are_found_by_session,
    are_found_by_person,
    are_not_found_by_nothing,
    are_found_by_their_last_words,
    are_forgotten_after_a_logout,
    are_not_revived,
    leave_epochs_rising,
    agree_in_a_race,
    go_with_their_browser,
)
