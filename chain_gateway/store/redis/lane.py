"""Calls on their way: those of one turn of the event loop share a trip, and each is answered in time or refused.

A trip that fails is made again, a little later each time, as long as the caller waits. What became of the first one may
be unknown; every script may therefore be run twice for one call (``docs/decisions/0008-redis.md``).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from typing import Any, Final

from chain_gateway.errors import StoreUnavailable
from chain_gateway.store.redis.failures import is_unknown_script, may_pass, refusal
from chain_gateway.store.redis.links import Link
from chain_gateway.store.redis.records import Text
from chain_gateway.store.redis.scripts import Script, script

WAITING: Final = 1024
"""Calls that may wait; one more is refused, as it could not be answered in time."""
BATCH: Final = 128
"""Calls that share a trip."""
TRIPS: Final = 4
"""Trips under way at the same time; what comes meanwhile gathers for the next."""
ANSWER_SECONDS: Final = 2.0
"""When a call counts as unanswered; what it asked for may still be done."""
TRIES: Final = 8
FIRST_PAUSE: Final = 0.02
LONGEST_PAUSE: Final = 0.4


class Call:
    """One script with its keys and words, and the future at which its answer is awaited."""

    __slots__ = ("future", "keys", "last", "script", "tries", "whole", "words")

    def __init__(
        self, asked: Script, keys: Sequence[str], words: Sequence[Text], future: asyncio.Future[object]
    ) -> None:
        """``words`` stay the same in each try."""
        self.script = asked
        self.keys = keys
        self.words = words
        self.future = future
        self.tries = 0
        self.last: BaseException | None = None
        self.whole = False


class Lane:
    """What a store sends goes through here; belongs to the event loop in which it is made."""

    def __init__(self, link: Link, where: str, answer_seconds: float = ANSWER_SECONDS) -> None:
        """``where`` opens each refusal."""
        self._link = link
        self._where = where
        self._answer_seconds = answer_seconds
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Call] = []
        self._trips: set[asyncio.Task[None]] = set()
        self._due = False
        self._closed = False

    async def run(self, name: str, keys: Sequence[str], *words: Text) -> object:
        """The answer of a script; raises StoreUnavailable."""
        if self._closed:
            raise StoreUnavailable(f"{self._where}: not open")
        if len(self._waiting) >= WAITING:
            raise StoreUnavailable(f"{self._where}: {WAITING} calls are waiting already")
        call = Call(script(name), keys, words, self._loop.create_future())
        timer = self._loop.call_later(self._answer_seconds, self._expire, call)
        self._waiting.append(call)
        self._soon()
        try:
            return await call.future
        finally:
            timer.cancel()

    async def close(self) -> None:
        """Answers or refuses what is under way, and lets go of the link."""
        if self._closed:
            return
        self._closed = True
        until = self._loop.time() + self._answer_seconds
        while (self._trips or self._waiting) and (left := until - self._loop.time()) > 0:
            pending: list[asyncio.Future[Any]] = [*self._trips, *(call.future for call in self._waiting)]
            await asyncio.wait(pending, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            self._waiting = [call for call in self._waiting if not call.future.done()]
            self._hand_over()
        for trip in self._trips:
            trip.cancel()
        with contextlib.suppress(Exception):  # whatever it is, nobody needs the connections any more
            await self._link.close()

    def _expire(self, call: Call) -> None:
        if not call.future.done():
            refused = StoreUnavailable(f"{self._where}: no answer in time{f' ({call.last})' if call.last else ''}")
            refused.__cause__ = call.last
            call.future.set_exception(refused)

    def _soon(self) -> None:
        """Has what waits handed over after this turn of the loop, so that all calls of the turn go together."""
        if not self._due and len(self._trips) < TRIPS:
            self._due = True
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        self._due = False
        while self._waiting and len(self._trips) < TRIPS:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            trip = self._loop.create_task(self._send([call for call in batch if not call.future.done()]))
            self._trips.add(trip)
            trip.add_done_callback(self._came_back)

    def _came_back(self, trip: asyncio.Task[None]) -> None:
        self._trips.discard(trip)
        self._soon()

    async def _send(self, batch: Sequence[Call]) -> None:
        if not batch:
            return
        try:
            answers = await self._link.send(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, the callers wait for an answer
            answers = [error] * len(batch)
        failed = False
        for call, answer in zip(batch, answers, strict=True):
            if call.future.done():
                continue
            if not isinstance(answer, BaseException):
                call.future.set_result(answer)
            elif is_unknown_script(answer):
                call.whole = True
                self._again(call)
            elif may_pass(answer) and call.tries < TRIES:
                failed = True
                call.tries += 1
                call.last = answer
                pause = min(FIRST_PAUSE * 2**call.tries, LONGEST_PAUSE)
                self._loop.call_later(pause * random.uniform(0.5, 1), self._again, call)  # noqa: S311 - no secret
            else:
                call.future.set_exception(refusal(self._where, answer))
        if failed:
            with contextlib.suppress(Exception):  # the next try finds out
                await self._link.renew()

    def _again(self, call: Call) -> None:
        """One more try of a call that is still waited for."""
        if self._closed and not call.future.done():
            call.future.set_exception(StoreUnavailable(f"{self._where}: closed before an answer came"))
        elif not call.future.done():
            self._waiting.append(call)
            self._soon()
