"""The epoch rule holds whatever the order: explored state by state on the SDK's own code, with the numbers printed."""

import itertools

import pytest
from support import exploration as e

MODES = (e.LOGIN, e.POSTED_LOGIN, e.LOGOUT, e.POSTED_LOGOUT, e.BOUND_LOGOUT)
PLAIN = (e.LOGIN, e.POSTED_LOGIN, e.LOGOUT)
TWO_BROWSERS = (*PLAIN, e.BOUND_LOGOUT, e.THEIR_LOGOUT)

pytestmark = pytest.mark.timeout(900)


def broken(kinds, *, least, **options):
    """The first broken invariants of all runs over ``kinds``, which must have had at least ``least`` states in all."""
    runs = [e.Exploration(k, **options).run() for k in kinds]
    states = sum(run.states for run in runs)
    print(f"{len(runs)} runs, {states:,} states, {sum(run.ends for run in runs):,} end states")  # noqa: T201
    assert states >= least
    return sorted({text for run in runs for text in run.broken})[:10]


def up_to(walks, choices):
    """All sequences of one to ``walks`` kinds of ``choices``."""
    return [k for n in range(1, walks + 1) for k in itertools.product(choices, repeat=n)]


def test_three_walks_of_every_mode_keep_the_invariants_in_every_order():
    """Newest intention wins and no session outlives a logout, with three walks in any of the five modes."""
    assert broken(up_to(3, MODES), least=40_000) == []


@pytest.mark.parametrize("first", PLAIN, ids=str)
def test_four_walks_keep_the_invariants_in_every_order(first):
    """The same with four walks of the three modes that are the default."""
    assert broken([(first, *rest) for rest in itertools.product(PLAIN, repeat=3)], least=65_000) == []


def test_a_page_that_tidies_up_in_between_breaks_nothing():
    """The answer to an ordinary page may delete outlived sessions at any moment, however late it arrives."""
    assert broken(up_to(3, PLAIN), least=35_000, page=True) == []


def test_tickets_that_come_twice_break_nothing():
    """Each ticket comes a second time, from a proxy or a reload, at any moment; two walks of every mode."""
    assert broken(up_to(2, MODES), least=20_000, again=True, page=True) == []


@pytest.mark.parametrize("last", [e.LOGIN, e.LOGOUT], ids=str)
def test_tickets_of_three_walks_that_come_twice_break_nothing(last):
    """The same with three walks: a form-post login, then anything, then a login or a logout."""
    assert broken([(e.POSTED_LOGIN, k, last) for k in PLAIN], least=25_000, again=True) == []


def test_logout_tickets_of_another_browser_end_nothing_here():
    """T61: somebody else's own logout tickets, opened here at any moment, change nothing of this browser's walks."""
    kinds = [k for k in up_to(3, TWO_BROWSERS) if e.THEIR_LOGOUT in k]
    assert broken(kinds, least=50_000, page=True) == []
