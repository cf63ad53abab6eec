"""Open walks and owed logouts, as the store has them, and what an operator may do to them.

A browser is never named: its id is what its pseudonyms are made of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chain_gateway.core.chain import Registry
from chain_gateway.core.forecast import ahead
from chain_gateway.core.ledger import FORMER, OP_LINE, Browser, Entry, Holding, app_of
from chain_gateway.core.packing import unpack
from chain_gateway.core.plan import Decision, plan_logout
from chain_gateway.core.walk import Walk
from chain_gateway.service.audit import Audit, AuditEvent
from chain_gateway.service.story import story
from chain_gateway.store.base import Owed, Store, StoredWalk
from chain_gateway.tokens.encoding import b64d, b64e

MOST: Final = 1000
"""How many of each kind a list shows."""
ALL: Final = 1_000_000
REF_BYTES: Final = 9
MINUTE: Final = 60
HOUR: Final = 3600


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
    """What ``name`` is the id of; its length tells which of the two it can be."""
    try:
        raw = b64d(name)
    except ValueError:
        return Found()
    if len(raw) != REF_BYTES:
        return Found(walk=await store.walk(raw))
    return Found(owed=next((owed for owed in await store.all_owed(ALL) if reference(owed) == name), None))


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
    lapsed = found.owed.entry._replace(holding=Holding.LAPSED)
    await store.note(found.owed.browser, [lapsed])
    known = await store.browser(found.owed.browser)
    line = known.ledger.get(lapsed.app) if known is not None else None
    if line is None or (line.holding, line.epoch) != (lapsed.holding, lapsed.epoch):
        return False  # something newer stands there, and stays
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


def ahead_of(stored: StoredWalk, apps: Registry) -> list[str]:
    """What an open walk has before it if every app applies its ticket, in words."""
    try:
        walk = unpack(stored.state)
    except ValueError:
        return []
    names = [_app_id(walk, index, apps) for index in range(len(walk.hops))]
    return story(ahead(walk), walk, names) if stored.open else []


def ledger_members(known: Browser, chain: str, apps: Registry, now: int) -> list[dict[str, object]]:
    """What each app holds of a browser, and what a sign-out by ``chain`` that began now would do there, and why.

    There is nobody's name in it: a line tells of an app, as the ledger of the browser does.
    """
    walked = apps.chain_for(chain, "") or apps.chain_for("", "")
    others = apps.apps
    decided = {d.app.id: d for d in plan_logout(walked, known, now=now, others=others)} if walked else {}
    lines = [entry for line, entry in sorted(known.ledger.items()) if line != OP_LINE]
    rows = [_ledger_row(app_of(entry.app), entry, decided.get(app_of(entry.app))) for entry in lines]
    untold = [_ledger_row(app, None, decision) for app, decision in decided.items() if app not in known.ledger]
    return [*rows, *untold]


def _ledger_row(app: str, entry: Entry | None, decision: Decision | None) -> dict[str, object]:
    return {
        "app": app,
        "former": entry is not None and entry.app.endswith(FORMER),
        "holding": entry.holding.value if entry else "untold",
        "since": entry.since if entry else 0,
        "visit": decision is not None and decision.visited,
        "mode": decision.mode.word if decision is not None and decision.visited else "",
        "reason": decision.reason if decision is not None else "registered no more",
    }


async def listed(
    store: Store, apps: Registry, most: int = MOST
) -> tuple[Sequence[dict[str, object]], Sequence[dict[str, object]]]:
    """Open walks, the first to be due first, and owed logouts, the next to be told first."""
    walks = [walk_members(stored, apps) for stored in await store.open_everywhere(most)]
    return walks, [owed_members(owed) for owed in await store.all_owed(most)]


def when(at: object, now: int) -> str:
    """A moment in seconds, as seen from ``now``; 0 is at once.

    >>> when(100, 160), when(7300, 0), when(0, 5)
    ('1 min ago', 'in 2 h', 'now')
    """
    if not isinstance(at, int) or at in {0, now}:
        return "now"
    size = abs(at - now)
    units = ((HOUR, "h"), (MINUTE, "min"), (1, "s"))
    words = next(f"{size // unit} {word}" for unit, word in units if size >= unit)
    return f"in {words}" if at > now else f"{words} ago"


def _app_id(walk: Walk, index: int, apps: Registry) -> str:
    app = apps.by_tag.get(walk.hops[index].tag)
    return app.id if app else "gone"
