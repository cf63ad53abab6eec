"""Rounds go on beside the requests until the gateway stops, whatever happens in one of them."""

from __future__ import annotations

import asyncio

from support.patience import PATIENCE

from chain_gateway.service.background import Background, Round


class Rounds:
    """Counts its rounds, and fails where it is told to."""

    def __init__(self, *fails: int) -> None:
        self.count = 0
        self.ran = asyncio.Condition()
        self._fails = fails

    async def __call__(self) -> None:
        async with self.ran:
            self.count += 1
            self.ran.notify_all()
        if self.count in self._fails:
            raise ZeroDivisionError

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE), self.ran:
            await self.ran.wait_for(lambda: self.count >= count)


async def test_a_round_is_repeated_after_its_time() -> None:
    """Nobody has to wake it."""
    rounds = Rounds()
    background = Background([Round("often", 0.001, rounds)])
    background.start()
    await rounds.reach(3)
    await background.stop()


async def test_a_wake_runs_it_at_once() -> None:
    """Without waiting for its hour; other rounds sleep on."""
    woken, asleep = Rounds(), Rounds()
    background = Background([Round("woken", 3600, woken), Round("asleep", 3600, asleep)])
    background.start()
    for turn in range(1, 4):
        background.wake("woken")
        await woken.reach(turn)
    await background.stop()
    assert asleep.count == 0


async def test_a_round_that_fails_is_not_the_last() -> None:
    """It is logged, and tried again."""
    rounds = Rounds(1, 2)
    background = Background([Round("fails", 0.001, rounds)])
    background.start()
    await rounds.reach(4)
    await background.stop()


async def test_stopping_ends_what_is_under_way() -> None:
    """And nothing runs afterwards; a second start begins anew."""
    began, rounds = asyncio.Event(), Rounds()

    async def endless() -> None:
        began.set()
        await asyncio.Event().wait()

    background = Background([Round("endless", 0, endless), Round("often", 0.001, rounds)])
    background.start()
    await asyncio.wait_for(began.wait(), 10)
    await background.stop()
    seen = rounds.count
    background.wake("often")
    await asyncio.sleep(0)
    assert rounds.count == seen
    background.start()
    await rounds.reach(seen + 1)
    await background.stop()
