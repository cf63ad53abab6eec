"""What the ledger learns from a step: one entry an app that a ticket went to or that a hop was settled at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from chain_gateway.core.actions import Action, SendAway, SendTicket, Settle
from chain_gateway.core.chain import App, AppTag, Mode
from chain_gateway.core.ledger import Entry, Holding
from chain_gateway.core.limits import OWED_SECONDS
from chain_gateway.core.recovery import STRANGER_SECONDS, given_up
from chain_gateway.core.walk import Kind, Outcome, Place, Walk
from chain_gateway.service.identity import Identity
from chain_gateway.service.realm import Realm

AFTER: Final = {
    (Kind.LOGIN, Outcome.APPLIED): Holding.HOLDS,
    (Kind.LOGIN, Outcome.STALE): None,
    (Kind.LOGIN, Outcome.GONE): None,
    (Kind.LOGOUT, Outcome.APPLIED): Holding.NONE,
    (Kind.LOGOUT, Outcome.ABSENT): Holding.NONE,
    (Kind.LOGOUT, Outcome.STALE): None,
    (Kind.LOGOUT, Outcome.GONE): None,
    (Kind.LOGOUT, Outcome.UNPROVEN): Holding.MAY_HOLD,
    (Kind.LOGOUT, Outcome.TOLD): Holding.OWED,
}
"""What an app has after an outcome; None leaves the entry as it is. Else a failed login may have set a session, and a
failed logout is owed."""

HOLDING: Final = frozenset({Holding.HOLDS, Holding.MAY_HOLD})
"""What an app holds, or may hold, that no logout has been owed for yet."""
TICKET_OUT: Final = frozenset({Place.VISITING, Place.AWAY})
OTHERWISE: Final = {Kind.LOGIN: Holding.MAY_HOLD, Kind.LOGOUT: Holding.OWED}


def takes_back_channel(app: App | None) -> bool:
    """Whether a logout token means anything to ``app``: one without the SDK believes its own provider alone."""
    return app is not None and app.logout not in {Mode.EXTERNAL, Mode.NONE}


def may_live_unknown(entry: Entry, now: int) -> bool:
    """Whether ``entry`` tells of a session, owed no logout yet, at an app that this gateway does not know.

    Where a new configuration is not everywhere yet, another gateway knows the app, and tells it what it is owed.
    """
    return entry.holding in HOLDING and not given_up(entry.since, STRANGER_SECONDS, now)


def by_name(entries: Iterable[Entry], ledger: Mapping[str, Entry]) -> list[Entry]:
    """``entries`` with each owed logout under the session id that ``ledger`` knows, or else the entry itself.

    A logout that names no session can never be delivered, so it is not owed: the app may hold something, as far as is
    known. Nobody who never signed in here makes work for the queue.
    """
    named = []
    for entry in entries:
        if entry.holding is Holding.OWED:
            known = ledger.get(entry.app)
            sid = known.sid if known is not None and known.sid else entry.sid
            entry = entry._replace(sid=sid, holding=Holding.OWED if sid else Holding.MAY_HOLD)  # noqa: PLW2901
        named.append(entry)
    return named


def _has_shown(walk: Walk, settle: Settle) -> bool:
    """Whether the browser showed a session to the app that signed it out; a posted ticket comes without cookies."""
    applied = walk.kind is Kind.LOGOUT and settle.outcome is Outcome.APPLIED
    return applied and walk.hops.mode(settle.index) in {Mode.REDIRECT, Mode.TWO_STEP}


class Notes:
    """Turns actions into ledger entries."""

    def __init__(self, realm: Realm) -> None:
        """``realm`` knows the apps by tag, and the time."""
        self._realm = realm

    def entries(self, before: Walk, walk: Walk, actions: Iterable[Action], identity: Identity) -> list[Entry]:
        """The entries of one step from ``before`` to ``walk``, in order, for ``by_name``.

        A login hop that failed before its ticket went out leaves the app's entry as it is. An app that says that there
        was no session has an entry of nobody's: it counts as one where this browser has not been.
        """
        out = before.cursor if before.place in TICKET_OUT else None
        noted = []
        for action in actions:
            if isinstance(action, Settle):
                nobody = walk.kind is Kind.LOGIN and not identity.sub  # the line of the ticket tells whose it was
                if walk.kind is Kind.LOGIN and action.outcome.failed and (nobody or action.index != out):
                    continue
                hop = walk.hops[action.index]
                otherwise = Holding.MAY_HOLD if hop.mode is Mode.EXTERNAL else OTHERWISE[walk.kind]
                what = (walk.kind, action.outcome)
                whose = Identity() if what == (Kind.LOGOUT, Outcome.ABSENT) else identity
                entry = self._entry(walk, hop.tag, AFTER.get(what, otherwise), whose, shown=_has_shown(walk, action))
            elif isinstance(action, SendTicket | SendAway) and walk.kind is Kind.LOGIN:
                entry = self._entry(walk, walk.hop.tag, Holding.MAY_HOLD, identity)
            else:
                continue
            if entry is not None:
                noted.append(entry)
        return noted

    def in_advance(self, walk: Walk, identity: Identity) -> list[Entry]:
        """What a logout that begins owes to every app that it is going to visit, for ``by_name``.

        It is written before the browser leaves, so whatever becomes of the browser, the back channel takes over.
        """
        due = self._realm.now() + OWED_SECONDS
        entries = []
        for index in range(len(walk.hops)):
            hop = walk.hops[index]
            if walk.hops.outcome(index) is Outcome.PENDING and hop.mode is not Mode.EXTERNAL:
                entry = self._entry(walk, hop.tag, Holding.OWED, identity, due=due)
                entries += [entry] if entry is not None else []
        return entries

    def _entry(
        self, walk: Walk, tag: AppTag, holding: Holding | None, whose: Identity, *, due: int = 0, shown: bool = False
    ) -> Entry | None:
        app = self._realm.registry.by_tag.get(tag)
        if app is None or holding is None:
            return None
        sid, now = whose.sid_at(app.id), self._realm.now()
        return Entry(app.id, holding, walk.epoch, now, whose.sub, sid, whose.auth_time, due, shown)
