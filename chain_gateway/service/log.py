"""The lines that a walk leaves in the log: a name and fields from a fixed list, no secret, no token, no URL."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import structlog

from chain_gateway.core.actions import Action, Settle
from chain_gateway.core.walk import Walk
from chain_gateway.service.realm import Realm
from chain_gateway.tokens.encoding import b64e

log = structlog.stdlib.get_logger("chain_gateway")


def log_step(realm: Realm, walk: Walk, actions: Sequence[Action], event: str) -> None:
    """One line for the step, and one for each hop that it settled."""
    plain = not walk.place.ended and event == "walk.stepped"
    failed = any(isinstance(action, Settle) and action.outcome.failed for action in actions)
    if plain and not failed and not log.is_enabled_for(logging.DEBUG):
        return
    walk_id = b64e(walk.id)
    for action in actions:
        if isinstance(action, Settle):
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
