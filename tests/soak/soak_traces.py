"""A sound trace of a soak, for tests that break one thing of it."""

from __future__ import annotations

from bench.soak.checks import violations
from bench.soak.trace import Delivery, Held, Logout, Receipt, Told, Trace, Trip

SHOP, BANK = "shop", "bank"
BEFORE, OUT, AFTER = 1000, 2000, 3000
"""Epochs: a login, a logout, a login after it."""


def a_trace() -> Trace:
    """Alice signs in, signs out everywhere, and signs in again; Shop confirms by its receipt, Bank later."""
    trace = Trace()
    trace.people[1] = "alice"
    trace.trips = [Trip(1, "login", "back", 0.3, 1, 8), Trip(1, "logout", "page", 0.2, 1, 6)]
    trace.logouts["out"] = Logout(1, "out", OUT, 50.0)
    trace.told = [Told(1, "out", OUT, {SHOP: "applied", BANK: "applied"})]
    trace.receipts.add(Receipt(SHOP, "out", "applied"))
    trace.deliveries.add(Delivery(BANK, OUT))
    trace.held = [Held(1, SHOP, AFTER, "alice")]
    trace.effects["shop ticket x"] = 1
    trace.codes[0] = 2
    return trace


def broken(trace: Trace) -> list[str]:
    """The names of the checks that find something."""
    return [name for name, found in violations(trace).items() if found]
