"""Documents of the provider, kept for a while: fetched once for all who wait, and served stale when it is down."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from typing import Final, Generic, TypeVar

from chain_gateway.errors import OpUnavailable, SignInFailed
from chain_gateway.oidc.jwks import PublicKeys
from chain_gateway.oidc.jws import Signed

T = TypeVar("T")

LIFE_SECONDS: Final = 10 * 60
PAUSE_SECONDS: Final = 60
"""After a failed or a forced fetch, how long the provider is left alone."""


class Cached(Generic[T]):
    """One document; ``clock`` gives seconds."""

    def __init__(self, fetch: Callable[[], Coroutine[None, None, T]], clock: Callable[[], float]) -> None:
        """``fetch`` gets a new copy or raises OpUnavailable."""
        self._fetch = fetch
        self._clock = clock
        self._kept: T | None = None
        self._fetched_at = self._failed_at = -math.inf
        self._flight: asyncio.Task[T] | None = None

    @property
    def kept(self) -> T | None:
        """The copy that is kept, however old; None before the first has come."""
        return self._kept

    @property
    def fetching(self) -> bool:
        """Whether a fetch is under way, which ``renewed`` would join."""
        return self._flight is not None

    async def current(self) -> T:
        """The copy that is kept, fetched anew when it is too old; an old one rather than none."""
        now = self._clock()
        if self._kept is not None and (
            _within(self._fetched_at, LIFE_SECONDS, now) or _within(self._failed_at, PAUSE_SECONDS, now)
        ):
            return self._kept
        try:
            return await self.renewed()
        except OpUnavailable:
            if self._kept is None:
                raise
            return self._kept

    async def renewed(self) -> T:
        """A new copy; whoever asks meanwhile gets the same one. One caller that is gone does not end the others'."""
        if self._flight is None:
            self._flight = asyncio.create_task(self._fetch())
            self._flight.add_done_callback(self._landed)
        return await asyncio.shield(self._flight)

    def _landed(self, flight: asyncio.Task[T]) -> None:
        """Keeps what was fetched, or the time of the failure; whoever waits gets the exception from the task."""
        self._flight = None
        if flight.cancelled() or flight.exception() is not None:
            self._failed_at = self._clock()
        else:
            self._kept, self._fetched_at = flight.result(), self._clock()


class SigningKeys:
    """The provider's keys, and the rule by which an unknown one is asked for: at once, then once a minute at most.

    The provider may change its keys in the middle of a login; but a ``kid`` is just a text, and whoever sends many of
    them must not make us call the provider as often.
    """

    def __init__(self, fetch: Callable[[], Coroutine[None, None, PublicKeys]], clock: Callable[[], float]) -> None:
        """``fetch`` gets the key set or raises OpUnavailable."""
        self._clock = clock
        self._keys = Cached(fetch, clock)
        self._forced_at = -math.inf

    async def claims(self, signed: Signed) -> dict[str, object]:
        """What ``signed`` says, verified by the key that it names; SignInFailed if there is none, or it does not hold.

        A text that names no key and does not hold may be of a new one as well.
        """
        keys = await self._keys.current()
        key = keys.find(signed.kid, signed.alg)
        if key is not None:
            try:
                return signed.claims(key)
            except SignInFailed:
                if signed.kid or not self._may_force():
                    raise
        key = (await self._forced()).find(signed.kid, signed.alg)
        if key is None:
            raise SignInFailed("signed with a key that the provider does not publish", code="sign_in_failed.key")
        return signed.claims(key)

    async def ready(self) -> None:
        """Returns if there are keys; OpUnavailable if there are none to be had."""
        await self._keys.current()

    def _may_force(self) -> bool:
        return self._keys.fetching or not _within(self._forced_at, PAUSE_SECONDS, self._clock())

    async def _forced(self) -> PublicKeys:
        """The keys fetched anew, because one was missing; those that are kept while that was done just now."""
        if not self._may_force():
            return await self._keys.current()
        if not self._keys.fetching:
            self._forced_at = self._clock()
        return await self._keys.renewed()


def _within(since: float, seconds: float, now: float) -> bool:
    """Whether ``now`` is less than ``seconds`` after ``since``; a clock that was set back ends the time as well."""
    return 0 <= now - since < seconds
