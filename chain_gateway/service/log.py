"""What a step leaves behind: lines in the log, of a name and fields from a fixed list, and counts.

No line has a secret, a token or a URL.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

import structlog

from chain_gateway.core.actions import Action, Settle
from chain_gateway.core.limits import WALK_SECONDS
from chain_gateway.core.walk import OUT, Walk
from chain_gateway.service.realm import Realm
from chain_gateway.tokens.encoding import b64e

log = structlog.stdlib.get_logger("chain_gateway")
_LOGGER: Final = logging.getLogger("chain_gateway")
"""The one behind ``log``, which takes ten times as long to say whether anybody listens, at each hop."""


def log_step(realm: Realm, before: Walk, walk: Walk, actions: Sequence[Action], event: str) -> None:
    """One line for the step from ``before`` to ``walk``, and one for each hop that it settled; all of it counted."""
    _count(realm, before, walk, actions, event)
    if walk.place.ended:
        tell_end(realm, walk)
    plain = not walk.place.ended and event == "walk.stepped"
    settled = [action for action in actions if isinstance(action, Settle)]
    if plain and not any(action.outcome.failed for action in settled) and not _LOGGER.isEnabledFor(logging.DEBUG):
        return
    walk_id = b64e(walk.id)
    for action in settled:
        hop = walk.hops[action.index]
        app = realm.registry.by_tag.get(hop.tag)
        write = log.warning if action.outcome.failed else log.debug
        write(
            "hop.settled",
            walk=walk_id,
            kind=walk.kind.word,
            hop=action.index,
            app=app.id if app else "gone",
            mode=hop.mode.word,
            outcome=action.outcome.word,
        )
    write = log.debug if plain else log.info
    write(
        event, walk=walk_id, kind=walk.kind.word, epoch=walk.epoch, place=walk.place.name.lower(), hops=len(walk.hops)
    )


def tell_end(realm: Realm, walk: Walk) -> None:
    """Writes into the audit log that ``walk`` has ended, and counts it: once, as an end may be looked at often."""
    if realm.audit.walk_ended(walk, realm.registry):
        took = max(0.0, realm.clock() - walk.expires_at + WALK_SECONDS)
        realm.meter.walk_ended(walk.kind.word, walk.place.name.lower(), took)


def _count(realm: Realm, before: Walk, walk: Walk, actions: Sequence[Action], event: str) -> None:
    kind, meter, clock = walk.kind.word, realm.meter, realm.clock
    if event == "walk.begun":
        meter.walk_begun(kind)
    for action in actions:
        if isinstance(action, Settle):
            hop = walk.hops[action.index]
            app = realm.registry.by_tag.get(hop.tag)
            out = before.place in OUT and action.index == before.cursor
            took = max(0.0, clock() - before.issued_at) if out else None
            app_id = app.id if app else "gone"
            meter.hop_settled(app_id, kind, hop.mode.word, action.outcome.word, took)
            if realm.traces is not None:
                realm.traces.hop_settled(walk, action.index, app_id, action.outcome, took or 0, clock())
    if realm.traces is not None:
        realm.traces.stepped(walk, clock())
