"""Open walks and owed logouts, as the gateway's own store has them, and what an operator may do to them.

The store is opened beside the running gateway. A browser is never named: its id is what its pseudonyms are made of.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote, urlsplit

from chain_gateway.config.model import Settings
from chain_gateway.config.registry import registry
from chain_gateway.core.chain import Registry
from chain_gateway.core.ledger import FORMER, Holding, app_of
from chain_gateway.core.packing import unpack
from chain_gateway.core.walk import Walk
from chain_gateway.errors import ConfigError, Problem
from chain_gateway.store.base import Owed, Store, StoredWalk
from chain_gateway.store.urls import open_store
from chain_gateway.tokens.encoding import b64d, b64e

MOST: Final = 1000
"""How many of each kind a list shows."""
ALL: Final = 1_000_000
REF_BYTES: Final = 9


@dataclass(frozen=True, slots=True)
class Found:
    """What an id names: a walk, or an owed logout; neither where nothing has this id."""

    walk: StoredWalk | None = None
    owed: Owed | None = None


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Store]:
    """The configured store; ConfigError where another process cannot look into it, or it is not there yet."""
    url = settings.store.url
    if url.startswith("memory:"):
        raise _problem("lives in the gateway's own process, where no other can look", "keep walks in sqlite:///PATH")
    if url.startswith("sqlite:") and not os.path.exists(unquote(urlsplit(url).path)[1:]):  # noqa: PTH110, ASYNC240
        raise _problem("is not there", "the gateway makes it when it starts; is this its configuration?")
    store = open_store(url)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def find(store: Store, name: str) -> Found:
    """What ``name`` is the id of."""
    for owed in await store.all_owed(ALL):
        if reference(owed) == name:
            return Found(owed=owed)
    try:
        return Found(walk=await store.walk(b64d(name)))
    except ValueError:
        return Found()


async def retry(store: Store, app: str, now: int) -> int:
    """Makes what ``app`` is owed due at once, or what all apps are; how many that were."""
    count = 0
    for owed in await store.all_owed(ALL):
        if app in {"", app_of(owed.entry.app)}:
            count += await store.defer(owed.browser, owed.entry.app, owed.entry.epoch, now, owed.attempts)
    return count


async def drop(store: Store, found: Found) -> bool:
    """Stops a walk where it stands, or takes an owed logout for lost; False if it was gone already."""
    if found.walk is not None:
        return await store.drop_walk(found.walk.id)
    if found.owed is None:
        return False
    await store.note(found.owed.browser, [replace(found.owed.entry, holding=Holding.LAPSED)])
    return True


def reference(owed: Owed) -> str:
    """A short name of an owed logout, from which nobody learns its browser."""
    digest = hashlib.sha256(owed.browser + owed.entry.app.encode()).digest()
    return b64e(digest[:REF_BYTES])


def walk_members(stored: StoredWalk, apps: Registry, *, hops: bool = False) -> dict[str, object]:
    """A walk for programs; times in seconds, ``epoch`` in milliseconds. ``hops`` adds one object a hop."""
    walk = unpack(stored.state)
    counted = [walk.hops.outcome(index) for index in range(len(walk.hops))]
    members: dict[str, object] = {
        "id": b64e(stored.id),
        "kind": walk.kind.word,
        "chain": walk.chain,
        "epoch": walk.epoch,
        "place": "stopped" if stored.stopped else walk.place.name.lower(),
        "at": "" if walk.place.ended or walk.through else _app_id(walk, walk.cursor, apps),
        "confirmed": sum(outcome.proven for outcome in counted),
        "failed": sum(outcome.failed for outcome in counted),
        "total": len(counted),
        "hop_deadline": stored.hop_deadline,
        "expires_at": stored.expires_at,
    }
    if hops:
        members["hops"] = [
            {"app": _app_id(walk, index, apps), "mode": walk.hops[index].mode.word, "outcome": counted[index].word}
            for index in range(len(walk.hops))
        ]
    return members


def owed_members(owed: Owed) -> dict[str, object]:
    """An owed logout for programs; times in seconds. ``former``: of a session from before the last sign-in."""
    return {
        "id": reference(owed),
        "app": app_of(owed.entry.app),
        "former": owed.entry.app.endswith(FORMER),
        "since": owed.entry.since,
        "epoch": owed.entry.epoch,
        "attempts": owed.attempts,
        "due": owed.due,
        "deliverable": bool(owed.entry.sid),
    }


async def listed(store: Store, settings: Settings) -> tuple[Sequence[dict[str, object]], Sequence[dict[str, object]]]:
    """Open walks, the first to be due first, and owed logouts, the next to be told first."""
    apps = registry(settings)
    walks = [walk_members(stored, apps) for stored in await store.open_everywhere(MOST)]
    return walks, [owed_members(owed) for owed in await store.all_owed(MOST)]


def _app_id(walk: Walk, index: int, apps: Registry) -> str:
    app = apps.by_tag.get(walk.hops[index].tag)
    return app.id if app else "gone"


def _problem(reason: str, hint: str) -> ConfigError:
    return ConfigError((Problem("store.url", reason, hint),))
