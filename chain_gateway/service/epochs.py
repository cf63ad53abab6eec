"""Epochs that a clock which was fast has left behind.

A browser's epochs only rise, so one walk under a clock that was an hour ahead would leave an hour in which every app
refuses every ticket of it. Such a browser gets a new id, and with it epochs of today; what its old one is known for
still tells whom to visit.
"""

from __future__ import annotations

from chain_gateway.core.limits import EPOCH_AHEAD_MS
from chain_gateway.service.log import log
from chain_gateway.service.realm import Realm


def is_ahead(realm: Realm, epoch: int) -> bool:
    """Whether apps would refuse a ticket of ``epoch``, as it is too far ahead of the clock."""
    ahead = epoch > realm.now_ms() + EPOCH_AHEAD_MS
    if ahead:
        log.warning("browser.epoch_ahead", epoch=epoch)
    return ahead
