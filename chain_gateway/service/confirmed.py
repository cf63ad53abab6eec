"""What the ledger knows better than the walk: apps that confirmed after their hop was over, and the provider itself."""

from __future__ import annotations

from chain_gateway.core.ledger import OP_LINE, Browser, Entry, Holding, app_of
from chain_gateway.core.walk import Kind, OpLogout, Outcome, Walk
from chain_gateway.service.realm import Realm


def is_settled(entry: Entry | None, epoch: int) -> bool:
    """Whether an app has confirmed the logout of ``epoch``, or a newer one."""
    return entry is not None and entry.holding is Holding.NONE and entry.epoch >= epoch


def still_owed(known: Browser | None) -> frozenset[str]:
    """The apps that the back channel goes on telling."""
    ledger = known.ledger if known is not None else {}
    return frozenset(app_of(entry.app) for entry in ledger.values() if entry.holding is Holding.OWED)


def with_confirmations(realm: Realm, walk: Walk, known: Browser | None) -> Walk:
    """A logout walk with every outcome that the back channel has settled since; others are left as they are.

    An entry that says NONE at this walk's epoch or a later one was written on a receipt or on a confirmed delivery. An
    app that is told nothing, as no session of it is known by its name, has not confirmed anything.
    """
    if walk.kind is not Kind.LOGOUT or known is None:
        return walk
    hops, owed = walk.hops, still_owed(known)
    for index in range(len(hops)):
        outcome = hops.outcome(index)
        if outcome is Outcome.TOLD or outcome.failed:
            app = realm.registry.by_tag.get(hops[index].tag)
            if app is not None and is_settled(known.ledger.get(app.id), walk.epoch):
                hops = hops.settled(index, Outcome.APPLIED)
            elif outcome is Outcome.TOLD and (app is None or app.id not in owed):
                hops = hops.settled(index, Outcome.UNPROVEN)
    line = known.ledger.get(OP_LINE)
    proven = walk.op is OpLogout.UNPROVEN and line is not None and line.epoch >= walk.epoch
    return walk._replace(hops=hops, op=OpLogout.PROVEN if proven else walk.op)
