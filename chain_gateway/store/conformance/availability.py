"""A store that cannot answer says so, in one way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from chain_gateway.errors import StoreUnavailable
from chain_gateway.store.base import Store
from chain_gateway.store.conformance.case import Broken
from chain_gateway.store.conformance.values import NOW, NOW_MS, a_walk, an_entry, an_id

EVERY_CALL: dict[str, Callable[[Store], Awaitable[object]]] = {
    "ping": lambda store: store.ping(),
    "counts": lambda store: store.counts(),
    "take_epoch": lambda store: store.take_epoch(an_id(), NOW_MS, logout=False),
    "login_epoch": lambda store: store.login_epoch(an_id(), NOW_MS, NOW_MS),
    "open_walk": lambda store: store.open_walk(a_walk(an_id()), (), None),
    "advance": lambda store: store.advance(a_walk(an_id()), an_id(), ()),
    "walk": lambda store: store.walk(an_id()),
    "open_walks": lambda store: store.open_walks(an_id(), NOW),
    "open_everywhere": lambda store: store.open_everywhere(1),
    "drop_walk": lambda store: store.drop_walk(an_id()),
    "sweep": lambda store: store.sweep(NOW),
    "browser": lambda store: store.browser(an_id()),
    "note": lambda store: store.note(an_id(), [an_entry()]),
    "owed": lambda store: store.owed(NOW, NOW + 1, 1),
    "defer": lambda store: store.defer(an_id(), "shop", NOW_MS, NOW, 1),
    "all_owed": lambda store: store.all_owed(1),
    "browsers_of": lambda store: store.browsers_of("sub", "sid"),
    "clear_op": lambda store: store.clear_op(an_id(), NOW_MS),
    "once": lambda store: store.once("label", an_id().hex(), NOW, NOW),
}
"""One call of every method that a store may refuse."""


async def is_answered_while_open(store: Store) -> None:
    """An open store pings, and answers every call."""
    for name, call in EVERY_CALL.items():
        try:
            await call(store)
        except StoreUnavailable as error:
            raise Broken(f"{name} of an open store: wanted an answer, found {error!r}") from error


async def ends_with_closing(store: Store) -> None:
    """A closed store refuses every call, and may be closed again."""
    await store.close()
    for name, call in EVERY_CALL.items():
        await refused(f"{name} of a closed store", call(store))
    await store.close()


async def refused(what: str, call: Awaitable[object]) -> None:
    """Raises Broken unless the call raises StoreUnavailable."""
    try:
        answer = await call
    except StoreUnavailable:
        return
    except Exception as error:
        raise Broken(f"{what}: wanted StoreUnavailable, found {error!r}") from error
    raise Broken(f"{what}: wanted StoreUnavailable, found the answer {answer!r}")


CHECKS = (is_answered_while_open, ends_with_closing)
