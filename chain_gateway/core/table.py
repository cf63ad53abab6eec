"""The transitions of a walk: the whole machine in one table.

A walk stands at a *place*; an *event* happens; the first *row* of that pair whose guard holds says what changes, where
the walk stands then, and what is to be done. The theory in five sentences:

* ``READY`` is the hub. Whatever a hop came to, the walk is ready again, with the cursor on the next hop; from there one
  row decides what comes next: the provider's logout, a page, a hop in its mode, or the end.
* A hop is out in exactly one of three places: ``BINDING`` and ``VISITING`` end by what comes back to the relay,
  ``AWAY`` by the browser's return to the one fixed address.
* Trouble is a guard, not a place: a failed hop is made again while its policy allows, else it is settled as failed and
  the walk goes on; only a required app ends a walk, and only a login.
* A pair without a row changes nothing and shows where the walk stands. So a doubled, late or foreign event is harmless.
* ``DONE``, ``ABORTED``, ``SUPERSEDED`` and ``EXPIRED`` have no rows but the empty one: nothing leaves them.

Guards and effects are named pure functions (``core.rules``), so the picture in docs/architecture.md, which is drawn
from this table, shows all that there is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chain_gateway.core import rules
from chain_gateway.core.actions import Action
from chain_gateway.core.events import (
    Abandoned,
    Bound,
    CameBack,
    Continued,
    DeadlinePassed,
    Event,
    HopFailed,
    OpReturned,
    Overtaken,
    Proceed,
    Receipted,
)
from chain_gateway.core.walk import Place, Walk

Guard = Callable[[Walk, Event], bool]
Effect = Callable[[Walk, Event], tuple[Walk, tuple[Action, ...]]]


@dataclass(frozen=True, slots=True)
class Row:
    """If ``guard`` holds, ``effect`` is applied and the walk then stands at ``to``."""

    guard: Guard
    effect: Effect
    to: Place


_FAILURE = (
    Row(rules.may_try_again, rules.try_again, Place.READY),
    Row(rules.ends_the_login, rules.abort, Place.ABORTED),
    Row(rules.always, rules.settle_failed, Place.READY),
)

_OPEN = (Place.READY, Place.BINDING, Place.VISITING, Place.AWAY, Place.PAUSED, Place.AT_OP)

TABLE: Mapping[tuple[Place, type[Event]], tuple[Row, ...]] = {
    (Place.READY, Proceed): (
        Row(rules.is_back_channel, rules.settle_told, Place.READY),
        Row(rules.needs_page, rules.pause, Place.PAUSED),
        Row(rules.op_is_due, rules.send_to_op, Place.AT_OP),
        Row(rules.is_through, rules.finish, Place.DONE),
        Row(rules.is_external, rules.send_away, Place.AWAY),
        Row(rules.is_two_step, rules.send_begin, Place.BINDING),
        Row(rules.always, rules.send_ticket, Place.VISITING),
    ),
    (Place.BINDING, Bound): (Row(rules.always, rules.send_bound_ticket, Place.VISITING),),
    (Place.BINDING, Receipted): (Row(rules.is_used, rules.try_again, Place.READY), *_FAILURE),
    (Place.BINDING, HopFailed): _FAILURE,
    (Place.VISITING, Receipted): (
        Row(rules.is_answered, rules.settle_receipt, Place.READY),
        Row(rules.is_other_browser, rules.prove_browser, Place.READY),
        Row(rules.is_used, rules.try_again, Place.READY),
        *_FAILURE,
    ),
    (Place.VISITING, HopFailed): _FAILURE,
    (Place.AWAY, CameBack): (Row(rules.always, rules.settle_unproven, Place.READY),),
    (Place.AWAY, HopFailed): _FAILURE,
    (Place.PAUSED, Continued): (Row(rules.always, rules.start_run, Place.READY),),
    (Place.AT_OP, OpReturned): (Row(rules.always, rules.op_unproven, Place.READY),),
    (Place.AT_OP, CameBack): (Row(rules.always, rules.op_unproven, Place.READY),),
    (Place.AT_OP, HopFailed): (Row(rules.always, rules.op_failed, Place.READY),),
    **{(place, Abandoned): (Row(rules.always, rules.abandon, Place.DONE),) for place in _OPEN},
    **{(place, DeadlinePassed): (Row(rules.always, rules.expire, Place.EXPIRED),) for place in _OPEN},
    **{(place, Overtaken): (Row(rules.always, rules.give_way, Place.SUPERSEDED),) for place in _OPEN},
}
