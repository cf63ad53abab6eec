"""Promise 6: once is once."""

from __future__ import annotations

import asyncio

from chain_gateway.store.base import Store
from chain_gateway.store.conformance.case import expect
from chain_gateway.store.conformance.values import NOW, RACERS, an_id

LATER = NOW + 900


async def is_true_the_first_time(store: Store) -> None:
    """A key is new once, and a different key or label is another one."""
    key = an_id().hex()
    expect("the first call", await store.once("logout_request", key, LATER, NOW), wanted=True)
    expect("the second call", await store.once("logout_request", key, LATER, NOW), wanted=False)
    expect("another label", await store.once("continue", key, LATER, NOW), wanted=True)
    expect("another key", await store.once("logout_request", key + "ä☂", LATER, NOW), wanted=True)


async def is_remembered_until_its_time(store: Store) -> None:
    """A key is remembered up to the second that the first call named, and is new after it, sweep or not."""
    key = an_id().hex()
    await store.once("continue", key, LATER, NOW)
    await store.sweep(LATER)
    expect("in the last second", await store.once("continue", key, LATER + 900, LATER), wanted=False)
    expect("a second later", await store.once("continue", key, LATER + 900, LATER + 1), wanted=True)
    expect("and again", await store.once("continue", key, LATER + 900, LATER + 1), wanted=False)


async def is_true_once_in_a_race(store: Store) -> None:
    """Of concurrent calls for one key one gets True."""
    key = an_id().hex()
    answers = await asyncio.gather(*(store.once("continue", key, LATER, NOW) for _ in range(RACERS)))
    expect("how many were the first", answers.count(True), 1)


CHECKS = (is_true_the_first_time, is_remembered_until_its_time, is_true_once_in_a_race)
