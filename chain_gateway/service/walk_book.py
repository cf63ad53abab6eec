"""Open walks and owed logouts, as the store has them, and what an operator may do to them.

A browser is never named: its id is what its pseudonyms are made of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from chain_gateway.core.chain import Registry
from chain_gateway.core.ledger import FORMER, Holding, app_of
from chain_gateway.core.packing import unpack
from chain_gateway.core.walk import Walk
from chain_gateway.service.audit import Audit, AuditEvent
from chain_gateway.store.base import Owed, Store, StoredWalk
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


@dataclass(frozen=True, slots=True)
class Hand:
    """Whose hand changes something: told to ``audit`` as ``by``."""

    audit: Audit
    by: str


async def find(store: Store, name: str) -> Found:
    """What ``name`` is the id of."""
    for owed in await store.all_owed(ALL):
        if reference(owed) == name:
            return Found(owed=owed)
    try:
        return Found(walk=await store.walk(b64d(name)))
    except ValueError:
        return Found()


async def retry(store: Store, app: str, now: int, hand: Hand) -> int:
    """Makes what ``app`` is owed due at once, or what all apps are; how many that were."""
    count = 0
    for owed in await store.all_owed(ALL):
        if app in {"", app_of(owed.entry.app)}:
            count += await store.defer(owed.browser, owed.entry.app, owed.entry.epoch, now, owed.attempts)
    hand.audit(AuditEvent.OWED_RETRIED, by=hand.by, app=app, count=count)
    return count


async def drop(store: Store, found: Found, hand: Hand) -> bool:
    """Stops a walk where it stands, or takes an owed logout for lost; False if it was gone already."""
    if found.walk is not None and await store.drop_walk(found.walk.id):
        hand.audit(AuditEvent.WALK_DROPPED, by=hand.by, walk=b64e(found.walk.id))
        return True
    if found.owed is None:
        return False
    await store.note(found.owed.browser, [replace(found.owed.entry, holding=Holding.LAPSED)])
    named = {"owed": reference(found.owed), "app": app_of(found.owed.entry.app)}
    hand.audit(AuditEvent.OWED_DROPPED, by=hand.by, **named)
    return True


def reference(owed: Owed) -> str:
    """A short name of an owed logout, from which nobody learns its browser."""
    digest = hashlib.sha256(owed.browser + owed.entry.app.encode()).digest()
    return b64e(digest[:REF_BYTES])


def walk_members(stored: StoredWalk, apps: Registry, *, hops: bool = False) -> dict[str, object]:
    """A walk for programs; times in seconds, ``epoch`` in milliseconds. ``hops`` adds one object a hop.

    One that this version cannot read has the place ``unreadable``, so that it hides no other and can be dropped.
    """
    members: dict[str, object] = {
        "id": b64e(stored.id),
        "kind": "",
        "chain": "",
        "epoch": stored.epoch,
        "place": "unreadable",
        "at": "",
        "confirmed": 0,
        "failed": 0,
        "total": 0,
        "hop_deadline": stored.hop_deadline,
        "expires_at": stored.expires_at,
    }
    rows: list[dict[str, object]] = []
    try:
        walk = unpack(stored.state)
    except ValueError:
        pass
    else:
        counted = [walk.hops.outcome(index) for index in range(len(walk.hops))]
        members |= {
            "kind": walk.kind.word,
            "chain": walk.chain,
            "place": "stopped" if stored.stopped else walk.place.name.lower(),
            "at": "" if walk.place.ended or walk.through else _app_id(walk, walk.cursor, apps),
            "confirmed": sum(outcome.proven for outcome in counted),
            "failed": sum(outcome.failed for outcome in counted),
            "total": len(counted),
        }
        rows = [
            {"app": _app_id(walk, index, apps), "mode": walk.hops[index].mode.word, "outcome": counted[index].word}
            for index in range(len(walk.hops))
        ]
    return members | {"hops": rows} if hops else members


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


async def listed(store: Store, apps: Registry) -> tuple[Sequence[dict[str, object]], Sequence[dict[str, object]]]:
    """Open walks, the first to be due first, and owed logouts, the next to be told first."""
    walks = [walk_members(stored, apps) for stored in await store.open_everywhere(MOST)]
    return walks, [owed_members(owed) for owed in await store.all_owed(MOST)]


def _app_id(walk: Walk, index: int, apps: Registry) -> str:
    app = apps.by_tag.get(walk.hops[index].tag)
    return app.id if app else "gone"
