"""Reading what comes back to the relay: a receipt, a bind hash, or the word of the page that a hop was not made."""

from __future__ import annotations

import re
from typing import Final

from chain_gateway.core.events import Bound, Event, HopFailed, Receipted
from chain_gateway.core.walk import Outcome
from chain_gateway.errors import TokenRefused
from chain_gateway.hops.base import ReadReceipt, Returned
from chain_gateway.tokens.receipt import ReceiptOutcome

BIND: Final = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
"""base64url of 32 bytes in its one canonical spelling (RFC 4648 3.5)."""

WORDS: Final = {"unreachable": Outcome.UNREACHABLE, "skipped": Outcome.SKIPPED}
"""The errors of the gateway's own page; any other word is an app's."""
OUTCOMES: Final = {said: Outcome[said.name] for said in ReceiptOutcome}


def read_receipt(returned: Returned, receipt: ReadReceipt) -> Event:
    """What a valid receipt says; without one the hop has failed, as nothing is recorded as done on less."""
    if not returned.receipt:
        return read_error(returned)
    try:
        valid = receipt(returned.receipt)
    except TokenRefused as refusal:
        return HopFailed(Outcome.ERROR, refusal.code.rpartition(".")[2])
    return Receipted(OUTCOMES[valid.outcome], valid.reason)


def read_error(returned: Returned) -> Event:
    """A return that brings neither receipt nor bind."""
    if returned.error in WORDS:
        return HopFailed(WORDS[returned.error], returned.error)
    return HopFailed(Outcome.ERROR, "app_error" if returned.error else "no_receipt")


def read_bind(returned: Returned) -> Event | None:
    """The bind hash, or None if there is none of the right shape."""
    return Bound(returned.bind) if BIND.fullmatch(returned.bind) else None
