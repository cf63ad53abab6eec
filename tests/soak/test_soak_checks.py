"""Each invariant of the soak can be broken: a sound trace breaks none, and one with one thing wrong breaks one."""

from __future__ import annotations

from soak_traces import AFTER, BANK, BEFORE, OUT, SHOP, a_trace, broken

from bench.soak.checks import CHECKS, violations
from bench.soak.trace import Delivery, Held, Logout, Receipt, Told, Trace


def test_a_sound_trace_breaks_nothing() -> None:
    """Each check looks at it, and none has a word."""
    assert violations(a_trace()) == {check.__name__: [] for check in CHECKS}


def test_a_run_in_which_nothing_happened_is_no_success() -> None:
    """Whoever cannot start anything proves nothing."""
    assert broken(Trace()) == ["something_happened"]


def test_a_walk_that_is_open() -> None:
    """After its time."""
    trace = a_trace()
    trace.open_walks = ["a walk"]
    assert broken(trace) == ["every_walk_ends"]


def test_a_logout_that_stays_owed() -> None:
    """When every app is back."""
    trace = a_trace()
    trace.owed = ["bank in 2000"]
    assert broken(trace) == ["nothing_stays_owed"]


def test_a_session_from_before_a_logout() -> None:
    """Of the same epoch, or of a lower one; a later answer has revived it."""
    for epoch in (BEFORE, OUT):
        trace = a_trace()
        trace.held = [Held(1, BANK, epoch, "alice")]
        assert broken(trace) == ["newest_intention_wins"]


def test_the_last_logout_counts() -> None:
    """A session between two logouts is one from before the last; it does not matter which of them was read first."""
    trace = a_trace()
    trace.logouts = {"late": Logout(1, "late", AFTER + 1, 90.0), **trace.logouts}
    assert broken(trace) == ["newest_intention_wins"]


def test_a_copy_of_cookies_that_still_opens_something() -> None:
    """Where the app has confirmed; where it has not yet, nothing was promised."""
    trace = a_trace()
    trace.held = [Held(1, BANK, BEFORE, "alice", of_copy="out")]
    assert broken(trace) == ["copies_are_dead"]
    trace.told = [Told(1, "out", OUT, {SHOP: "applied", BANK: "timed_out"})]
    assert broken(trace) == []


def test_a_session_of_somebody_else() -> None:
    """In any browser."""
    trace = a_trace()
    trace.held = [Held(1, SHOP, AFTER, "mallory")]
    assert broken(trace) == ["nobody_is_somebody_else"]


def test_a_claim_that_no_app_has_signed() -> None:
    """A receipt of another walk, of another outcome, or a delivery of another logout proves nothing."""
    for receipts, deliveries in (
        ({Receipt(SHOP, "another", "applied")}, {Delivery(BANK, OUT)}),
        ({Receipt(SHOP, "out", "absent")}, {Delivery(BANK, OUT)}),
        ({Receipt(SHOP, "out", "applied")}, {Delivery(BANK, BEFORE)}),
    ):
        trace = a_trace()
        trace.receipts, trace.deliveries = receipts, deliveries
        assert broken(trace) == ["what_is_told_is_proven"]


def test_what_was_not_claimed_needs_no_proof() -> None:
    """A page that says that an app timed out is honest."""
    trace = a_trace()
    trace.told = [Told(1, "out", OUT, {SHOP: "applied", BANK: "timed_out"})]
    assert broken(trace) == []
    assert not trace.told[0].complete


def test_a_ticket_that_took_effect_twice() -> None:
    """At one app."""
    trace = a_trace()
    trace.effects["shop ticket x"] = 2
    assert broken(trace) == ["nothing_twice"]


def test_a_gateway_that_does_not_end_calmly() -> None:
    """Any code but 0."""
    trace = a_trace()
    trace.codes[-9] = 1
    assert broken(trace) == ["gateways_end_calmly"]
