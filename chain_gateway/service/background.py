"""What goes on beside the requests: rounds that are repeated until the gateway stops.

A round that fails is logged and tried again at its next time: nothing here may end for good while the gateway runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from chain_gateway.service.log import log


@dataclass(frozen=True, slots=True)
class Round:
    """One thing that is done every ``seconds``, by ``run``; ``name`` is what the log calls it."""

    name: str
    seconds: float
    run: Callable[[], Awaitable[object]]


class Background:
    """Runs rounds, each in its own task."""

    def __init__(self, rounds: Sequence[Round]) -> None:
        """Nothing runs before ``start``."""
        self._rounds = rounds
        self._tasks: list[asyncio.Task[None]] = []
        self._wakers: dict[str, asyncio.Event] = {each.name: asyncio.Event() for each in rounds}

    def start(self) -> None:
        """Begins all rounds."""
        self._tasks = [asyncio.create_task(self._repeat(each), name=each.name) for each in self._rounds]

    def wake(self, name: str) -> None:
        """Lets the round ``name`` run at once, as there is something to do."""
        self._wakers[name].set()

    async def stop(self) -> None:
        """Ends all rounds; what they had begun is taken up by the next start, here or elsewhere."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _repeat(self, each: Round) -> None:
        waker = self._wakers[each.name]
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(each.seconds):
                    await waker.wait()
            waker.clear()
            try:
                await each.run()
            except Exception:  # noqa: BLE001 - a round must not end the rounds after it
                log.exception("background.failed", round=each.name)
