"""Promise 2: a nonce is spent once, and with it all that goes with it."""

from __future__ import annotations

import asyncio

from chain_gateway.store.base import Advanced, Replayed, Step, Store, StoredWalk
from chain_gateway.store.conformance.case import expect
from chain_gateway.store.conformance.values import NOW_MS, RACERS, a_walk, an_entry, an_id, begun, known, step


async def is_spent_for_the_next_step(store: Store) -> None:
    """A step with the nonce that is out is taken, and what it wrote is what is read."""
    walk = await begun(store)
    for _ in range(5):
        following = step(walk)
        expect("the answer to a step", await store.advance(following, walk.nonce, ()), Advanced())
        expect("the walk after a step", await store.walk(walk.id), following)
        walk = following


async def is_spent_once(store: Store) -> None:
    """A nonce that was spent before is answered with the walk's place and changes nothing."""
    walk = await begun(store)
    second, third = step(walk), step(walk)
    await store.advance(second, walk.nonce, [an_entry("shop", walk.epoch)])
    replay = await store.advance(third, walk.nonce, [an_entry("bank", walk.epoch)])
    expect("the answer to a replay", replay, Replayed(second))
    expect("the walk after a replay", await store.walk(walk.id), second)
    expect("the ledger after a replay", list((await known(store, walk.browser)).ledger), ["shop"])


async def is_spent_once_for_the_end(store: Store) -> None:
    """A nonce that was spent before does not end the walk either."""
    walk = await begun(store)
    following = step(walk)
    await store.advance(following, walk.nonce, ())
    replay = await store.advance(step(walk, ended=True), walk.nonce, ())
    expect("the answer to a replay that would end the walk", replay, Replayed(following))
    expect("the walk after it", await store.walk(walk.id), following)


async def is_not_guessed(store: Store) -> None:
    """A nonce that never was is answered like one that was spent."""
    walk = await begun(store)
    expect("the answer to a foreign nonce", await store.advance(step(walk), an_id(), ()), Replayed(walk))
    expect("the walk after it", await store.walk(walk.id), walk)


async def is_spent_once_in_a_race(store: Store) -> None:
    """Of concurrent steps with one nonce one is taken, whole; the others are told where the walk stands."""
    walk = await begun(store)
    await _race(store, walk)


async def is_spent_once_in_a_race_after_a_loss(store: Store) -> None:
    """A walk that the store lost is written once, too."""
    walk = a_walk(an_id())
    await _race(store, walk)


async def of_a_lost_walk_is_believed(store: Store) -> None:
    """The sealed token is enough: a walk that is not there goes on, and its old nonces are spent."""
    lost = a_walk(an_id())
    following = step(lost)
    expect("the answer for a lost walk", await store.advance(following, lost.nonce, [an_entry()]), Advanced())
    expect("the walk that was lost", await store.walk(lost.id), following)
    expect("its ledger", list((await known(store, lost.browser)).ledger), ["shop"])
    expect("the answer to a replay", await store.advance(step(lost), lost.nonce, ()), Replayed(following))


async def of_an_ended_walk_is_worth_nothing(store: Store) -> None:
    """A walk that has ended stays ended, even for the nonce that it ended with."""
    walk = await begun(store)
    end = step(walk, ended=True)
    expect("the answer to the last step", await store.advance(end, walk.nonce, ()), Advanced())
    answer = await store.advance(step(end), end.nonce, [an_entry("bank", walk.epoch)])
    expect("the answer to a step after the end", answer, Replayed(end))
    expect("the walk that ended", await store.walk(walk.id), end)
    expect("the ledger after the end", (await known(store, walk.browser)).ledger, {})


async def survives_a_repeated_beginning(store: Store) -> None:
    """Opening a walk again, as after an answer that was lost, does not take it back."""
    walk = await begun(store)
    following = step(walk)
    await store.advance(following, walk.nonce, ())
    await store.open_walk(walk, (), None)
    expect("the walk that was opened twice", await store.walk(walk.id), following)


async def is_each_walks_own(store: Store) -> None:
    """Two browsers' walks with the same nonce do not meet."""
    one, other = await begun(store), a_walk(an_id())
    other = other._replace(nonce=one.nonce)
    await store.open_walk(other, (), None)
    await store.advance(step(one), one.nonce, ())
    expect("the other walk", await store.walk(other.id), other)
    expect("the answer to its step", await store.advance(step(other), one.nonce, ()), Advanced())


async def comes_back_byte_for_byte(store: Store) -> None:
    """A walk is read back as it was written: any bytes, a state of two kilobytes, every field."""
    walk = a_walk(an_id(), NOW_MS + 7)._replace(nonce=bytes(16), state=bytes(range(256)) * 8, hop_deadline=0)
    await store.open_walk(walk, (), None)
    expect("the walk", await store.walk(walk.id), walk)
    expect("a walk that never was", await store.walk(an_id()), None)


async def _race(store: Store, walk: StoredWalk) -> None:
    """Many steps with one nonce, each with a state and a ledger entry of its own."""
    steps = [step(walk) for _ in range(RACERS)]
    answers: list[Step] = await asyncio.gather(
        *(
            store.advance(each, walk.nonce, [an_entry(f"app{i}", walk.epoch), an_entry("next", walk.epoch)])
            for i, each in enumerate(steps)
        )
    )
    expect("how many steps were taken", answers.count(Advanced()), 1)
    winner = answers.index(Advanced())
    others = answers[:winner] + answers[winner + 1 :]
    expect("the other answers", others, [Replayed(steps[winner])] * (RACERS - 1))
    expect("the walk after the race", await store.walk(walk.id), steps[winner])
    expect("the ledger after the race", set((await known(store, walk.browser)).ledger), {f"app{winner}", "next"})


CHECKS = (
    is_spent_for_the_next_step,
    is_spent_once,
    is_spent_once_for_the_end,
    is_not_guessed,
    is_spent_once_in_a_race,
    is_spent_once_in_a_race_after_a_loss,
    of_a_lost_walk_is_believed,
    of_an_ended_walk_is_worth_nothing,
    survives_a_repeated_beginning,
    is_each_walks_own,
    comes_back_byte_for_byte,
)
