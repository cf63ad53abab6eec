"""A walk in the words and lines that its page shows."""

from __future__ import annotations

from chain_gateway.core.walk import Hops, Kind, OpLogout, Outcome, Walk
from chain_gateway.service.realm import Realm
from chain_gateway.service.views import AppLine, WalkView
from chain_gateway.tokens.encoding import b64e

OP_OUTCOMES = {
    OpLogout.NONE: None,
    OpLogout.FIRST: Outcome.PENDING,
    OpLogout.LAST: Outcome.PENDING,
    OpLogout.UNPROVEN: Outcome.UNPROVEN,
    OpLogout.PROVEN: Outcome.APPLIED,
    OpLogout.FAILED: Outcome.UNREACHABLE,
}


def describe(realm: Realm, walk: Walk) -> WalkView:
    """The view of ``walk``: a line an app, in the order of the hops."""
    open_at = -1 if walk.place.ended else walk.cursor
    lines = tuple(_line(realm, walk.hops, index, current=index == open_at) for index in range(len(walk.hops)))
    op = OP_OUTCOMES[walk.op] if walk.kind is Kind.LOGOUT else None
    return WalkView(b64e(walk.id), walk.kind, lines, op, walk.place.ended)


def _line(realm: Realm, hops: Hops, index: int, *, current: bool) -> AppLine:
    app = realm.registry.by_tag.get(hops[index].tag)
    return AppLine(app.id if app else "", realm.app_name(app), hops.outcome(index), current)
