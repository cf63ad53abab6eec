"""A walk in the words and lines that its page shows."""

from __future__ import annotations

from collections.abc import Container

from chain_gateway.core.walk import Hops, Kind, OpLogout, Outcome, Walk
from chain_gateway.service.realm import Realm
from chain_gateway.service.views import AppLine, Lines, WalkView
from chain_gateway.tokens.encoding import b64e

OP_OUTCOMES = {
    OpLogout.NONE: None,
    OpLogout.FIRST: Outcome.PENDING,
    OpLogout.LAST: Outcome.PENDING,
    OpLogout.UNPROVEN: Outcome.UNPROVEN,
    OpLogout.PROVEN: Outcome.APPLIED,
    OpLogout.FAILED: Outcome.UNREACHABLE,
}


def describe(realm: Realm, walk: Walk, owed: Container[str] = ()) -> WalkView:
    """The view of ``walk``: a line an app, in the order of the hops; ``owed`` are the apps that are owed a logout."""
    at = -1 if walk.place.ended or walk.through else walk.cursor
    hops = walk.hops
    lines = Lines(hops.all_outcomes, lambda index: _line(realm, hops, index, owed, current=index == at))
    op = OP_OUTCOMES[walk.op] if walk.kind is Kind.LOGOUT else None
    return WalkView(b64e(walk.id), walk.kind, lines, op, walk.place.ended, at)


def _line(realm: Realm, hops: Hops, index: int, owed: Container[str], *, current: bool) -> AppLine:
    app = realm.registry.by_tag.get(hops[index].tag)
    app_id = app.id if app else ""
    return AppLine(app_id, realm.app_name(app), hops.outcome(index), current, owed=app_id in owed)
