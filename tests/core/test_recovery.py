"""Owed logouts come back neither together nor too often; an app that is down is left alone, but not for ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chain_gateway.core.recovery import (
    LONGEST_SECONDS,
    OPENS_AFTER,
    Breaker,
    given_up,
    next_delivery,
)

NOW = 1_800_000_000


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_the_next_delivery_is_later_and_bounded(attempts: int, chance: float) -> None:
    """Never at once, never more than fifteen minutes away."""
    assert NOW < next_delivery(attempts, NOW, chance) <= NOW + LONGEST_SECONDS


def test_pauses_grow() -> None:
    """Each pause is longer than the one before, until the longest."""
    pauses = [next_delivery(n, NOW, 0.0) - NOW for n in range(8)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_SECONDS / 2


def test_chance_spreads_what_failed_together() -> None:
    """Ten thousand deliveries of the same attempt are spread over half the pause."""
    dues = {next_delivery(6, NOW, n / 1000) for n in range(1000)}
    assert len(dues) > 400


def test_nothing_is_given_up_before_the_longest_session_has_ended() -> None:
    """The last second of the longest session still counts."""
    assert not given_up(NOW, 3600, NOW + 3600)
    assert given_up(NOW, 3600, NOW + 3601)


def test_a_breaker_opens_after_failures_in_a_row() -> None:
    """Down after three, well after one success."""
    breaker = Breaker()
    for _ in range(OPENS_AFTER):
        assert not breaker.open
        breaker = breaker.failed()
    assert breaker.open
    assert not breaker.succeeded().open


def test_a_success_between_failures_keeps_it_closed() -> None:
    """Only failures in a row count."""
    breaker = Breaker()
    for _ in range(10):
        breaker = breaker.failed().failed().succeeded()
    assert not breaker.open
