"""``step``: one event, looked up in the table and folded until the walk waits for the world again."""

from __future__ import annotations

from chain_gateway.core import rules
from chain_gateway.core.actions import Action, Present
from chain_gateway.core.events import DeadlinePassed, Event
from chain_gateway.core.table import TABLE
from chain_gateway.core.walk import Place, Walk


def step(walk: Walk, event: Event, now: int) -> tuple[Walk, tuple[Action, ...]]:
    """The walk after ``event`` at ``now`` (seconds), and what is to be done, in order.

    After its own time a walk knows one event only. A pair without a row leaves the walk as it is, with ``Present``.
    """
    if now >= walk.expires_at and not isinstance(event, DeadlinePassed):
        event = DeadlinePassed()
    moved = _once(walk, event)
    if moved is None:
        return walk, (Present(),)
    walk, actions = moved
    while walk.place is Place.READY and (moved := _once(walk, rules.PROCEED)):
        walk, actions = moved[0], actions + moved[1]
    return walk, actions


def _once(walk: Walk, event: Event) -> rules.Change | None:
    for row in TABLE.get((walk.place, type(event)), ()):
        if row.guard(walk, event):
            changed, actions = row.effect(walk, event)
            return changed._replace(place=row.to), actions
    return None
