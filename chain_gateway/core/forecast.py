"""What lies ahead of a walk, found by running the machine itself on the answers that are hoped for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chain_gateway.core.actions import Action, Finish, SendAway, SendBegin, SendTicket, SendToOp, ShowPause
from chain_gateway.core.chain import AppTag, Mode
from chain_gateway.core.events import Bound, CameBack, Continued, Event, OpReturned, Proceed, Receipted
from chain_gateway.core.machine import step
from chain_gateway.core.walk import Outcome, Place, Walk

_HOPED: Mapping[Place, Event] = {
    Place.READY: Proceed(),
    Place.BINDING: Bound("x"),
    Place.VISITING: Receipted(Outcome.APPLIED),
    Place.AWAY: CameBack(),
    Place.PAUSED: Continued(),
    Place.AT_OP: OpReturned(),
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """One thing that the browser is sent to, and the redirects in a row once it is back."""

    action: Action
    cursor: int
    redirects: int


def ahead(walk: Walk) -> Iterator[Stretch]:
    """The rest of ``walk`` if every app applies its ticket, action by action."""
    while not walk.place.ended:
        walk, actions = step(walk, _HOPED[walk.place], walk.issued_at)
        for action in actions:
            if isinstance(action, SendTicket | SendBegin | SendAway | SendToOp | ShowPause | Finish):
                yield Stretch(action, walk.cursor, walk.redirects)


def form_reach(walk: Walk) -> tuple[tuple[AppTag, ...], bool]:
    """Whom a page with a form must name: the apps that the browser may pass before the next page, and the return URL.

    ``walk`` stands at a ``form_post`` hop, or is ready and its run begins with a form. A failed hop leads to the same
    places as a good one, and a page comes before anything that leaves the registry.
    """
    tags = [walk.hop.tag] if walk.place is Place.VISITING else []
    for stretch in ahead(walk):
        if isinstance(stretch.action, Finish):
            return tuple(dict.fromkeys(tags)), True
        if not isinstance(stretch.action, SendTicket | SendBegin):
            break
        hop = walk.hops[stretch.cursor]
        if hop.mode is Mode.FORM_POST:
            break
        tags.append(hop.tag)
    return tuple(dict.fromkeys(tags)), False
