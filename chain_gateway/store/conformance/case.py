"""A named case, and how it says that a promise is broken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chain_gateway.store.base import Store

MakeStore = Callable[[], Store]
"""Makes a store that is not yet opened; each one made is on the same data."""


class Broken(AssertionError):
    """A store does not keep what ``store.base`` promises."""


@dataclass(frozen=True, slots=True)
class Case:
    """One check. ``name`` is promise and check, as in ``epochs.rise_in_a_race``; ``promise`` is what must hold.

    ``run`` takes a function that makes stores, opens and closes what it makes, and raises ``Broken``.
    """

    name: str
    promise: str
    run: Callable[[MakeStore], Coroutine[None, None, None]]

    def __str__(self) -> str:
        """The name, as pytest shows it."""
        return self.name


def on_stores(check: Callable[[MakeStore], Coroutine[None, None, None]]) -> Case:
    """The case of a check that makes its stores itself."""
    return Case(f"{check.__module__.rpartition('.')[2]}.{check.__name__}", check.__doc__ or "", check)


def on_one_store(check: Callable[[Store], Awaitable[None]]) -> Case:
    """The case of a check that takes one open store."""

    async def run(make: MakeStore) -> None:
        async with opened(make) as store:
            await check(store)

    return Case(f"{check.__module__.rpartition('.')[2]}.{check.__name__}", check.__doc__ or "", run)


@asynccontextmanager
async def opened(make: MakeStore) -> AsyncIterator[Store]:
    """A store of ``make``, open while the block runs."""
    store = make()
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def expect(what: str, found: object, wanted: object) -> None:
    """Raises Broken unless the two are equal."""
    if found != wanted:
        raise Broken(f"{what}: wanted {wanted!r}, found {found!r}")
