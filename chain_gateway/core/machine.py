"""``step``: one event, looked up in the table and folded until the walk waits for the world again."""

from __future__ import annotations

from chain_gateway.core.actions import Action, Present
from chain_gateway.core.events import DeadlinePassed, Event, Proceed
from chain_gateway.core.table import TABLE
from chain_gateway.core.walk import Place, Walk


def step(walk: Walk, event: Event, now: int) -> tuple[Walk, tuple[Action, ...]]:
    """The walk after ``event`` at ``now`` (seconds), and what is to be done, in order.

    After its own time a walk knows one event only. A pair without a row leaves the walk as it is, with ``Present``.
    """
    if now >= walk.expires_at and not isinstance(event, DeadlinePassed):
        event = DeadlinePassed()
    walk, actions, moved = _once(walk, event)
    if not moved:
        return walk, (Present(),)
    while walk.place is Place.READY:
        walk, more, _ = _once(walk, Proceed())
        actions += more
    return walk, actions


def _once(walk: Walk, event: Event) -> tuple[Walk, tuple[Action, ...], bool]:
    for row in TABLE.get((walk.place, type(event)), ()):
        if row.guard(walk, event):
            changed, actions = row.effect(walk, event)
            return changed._replace(place=row.to), actions, True
    return walk, (), False
