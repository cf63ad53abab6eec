"""A logout reaches apps of all chains, and a walk has an end: who is signed out without a visit when there are more.

Apps that can be told over the back channel are left out of the walk first. They are owed a logout at once, so nothing
is lost but the receipt. What is left then waits for the next logout, as the ledger goes on saying that it may hold a
session.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from chain_gateway.core.ledger import Browser, Entry, Holding
from chain_gateway.core.limits import CHAIN_APPS
from chain_gateway.core.plan import Decision
from chain_gateway.service.log import log
from chain_gateway.service.notes import takes_back_channel

TOLD: Final = "the walk is full: told over the back channel"
LEFT: Final = "the walk is full: left to the next sign-out"


def fitting(decisions: tuple[Decision, ...], known: Browser | None) -> tuple[Decision, ...]:
    """``decisions`` with no more visits than a walk can have; of those who can be told otherwise the last go first."""
    ledger: Mapping[str, Entry] = known.ledger if known is not None else {}
    visits = [decision for decision in decisions if decision.visited]
    surplus = len(visits) - CHAIN_APPS
    if surplus <= 0:
        return decisions
    visits.sort(key=lambda decision: _can_be_told(decision, ledger))
    left_out = {decision.app.id for decision in visits[CHAIN_APPS:]}
    fitted = []
    for decision in decisions:
        if decision.visited and decision.app.id in left_out:
            reason = TOLD if _can_be_told(decision, ledger) else LEFT
            decision = replace(decision, visited=False, reason=reason)  # noqa: PLW2901
        fitted.append(decision)
    untold = sum(decision.reason == LEFT for decision in fitted)
    log.warning("logout.too_many_apps", left_out=surplus, untold=untold)
    return tuple(fitted)


def owed_at_once(decisions: tuple[Decision, ...], known: Browser | None, epoch: int, now: int) -> list[Entry]:
    """What the back channel delivers to those that the walk of ``epoch`` has no room for."""
    ledger: Mapping[str, Entry] = known.ledger if known is not None else {}
    told = [ledger[decision.app.id] for decision in decisions if decision.reason == TOLD]
    return [entry._replace(holding=Holding.OWED, epoch=epoch, since=now) for entry in told]


def _can_be_told(decision: Decision, ledger: Mapping[str, Entry]) -> bool:
    """Whether a logout token can name the app's session."""
    entry = ledger.get(decision.app.id)
    return entry is not None and bool(entry.sid) and takes_back_channel(decision.app)
