"""What lies ahead: found by the machine itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.builders import NOW, a_walk, an_app

from chain_gateway.core.actions import Finish, SendBegin, SendTicket, ShowPause
from chain_gateway.core.chain import Mode
from chain_gateway.core.events import Bound, HopFailed, Proceed, Receipted
from chain_gateway.core.forecast import ahead, form_reach
from chain_gateway.core.machine import step
from chain_gateway.core.picture import picture
from chain_gateway.core.rules import left_out
from chain_gateway.core.table import TABLE
from chain_gateway.core.walk import Kind, OpLogout, Outcome, Place


def tag(index: int) -> bytes:
    return an_app(f"app{index}").tag


def test_a_forecast_shows_where_pages_fall() -> None:
    """Twenty redirect hops with a budget of fifteen: a page after every seven."""
    walk = a_walk(*(Mode.REDIRECT,) * 20, kind=Kind.LOGOUT, budget=15)
    stretches = list(ahead(walk))
    assert [s.cursor for s in stretches if isinstance(s.action, ShowPause)] == [7, 14]
    assert sum(isinstance(s.action, SendTicket) for s in stretches) == 20
    assert max(s.redirects for s in stretches) <= 15


def test_a_form_page_names_only_its_app_when_a_page_follows() -> None:
    """The next form-post hop is a page, which breaks the chain of redirects."""
    walk, _ = step(a_walk(Mode.FORM_POST, Mode.FORM_POST), Proceed(), NOW)
    assert form_reach(walk) == ((tag(0),), False)


def test_a_form_page_names_the_redirect_hops_that_follow_and_the_end() -> None:
    """Chromium holds `form-action` against every redirect until the next page."""
    walk, _ = step(a_walk(Mode.FORM_POST, Mode.REDIRECT, Mode.TWO_STEP), Proceed(), NOW)
    assert form_reach(walk) == ((tag(0), tag(1), tag(2)), True)


def test_a_form_page_names_nobody_beyond_a_page() -> None:
    """A page comes before an external app and before the provider, so they need not be named."""
    walk, _ = step(a_walk(Mode.FORM_POST, Mode.EXTERNAL), Proceed(), NOW)
    assert form_reach(walk) == ((tag(0),), False)
    walk, _ = step(a_walk(Mode.FORM_POST, kind=Kind.LOGOUT, op=OpLogout.LAST), Proceed(), NOW)
    assert form_reach(walk) == ((tag(0),), False)


def test_hops_that_fail_at_once_lead_no_further() -> None:
    """Of a ``two_step`` hop that ends after its first step two redirects are not made; the page still comes in time."""
    walk, _ = step(a_walk(Mode.FORM_POST, *(Mode.TWO_STEP,) * 6, retries=0), Proceed(), NOW)
    named, _ = form_reach(walk)
    passed = []
    while walk.place is not Place.PAUSED:
        passed.append(walk.hop.tag)
        walk, _ = step(walk, HopFailed(Outcome.ERROR), NOW)
    assert tuple(passed) == named


HOP_MODES = st.sampled_from([Mode.FORM_POST, Mode.REDIRECT, Mode.TWO_STEP, Mode.EXTERNAL, Mode.BACK_CHANNEL])
RETURNS = st.sampled_from([HopFailed(Outcome.ERROR), Receipted(Outcome.REFUSED), Receipted(Outcome.APPLIED)])


@given(
    st.lists(HOP_MODES, max_size=12),
    st.sampled_from(Kind),
    st.sampled_from([OpLogout.NONE, OpLogout.LAST]),
    st.integers(6, 19),
    st.data(),
)
def test_a_run_that_began_with_a_form_goes_nowhere_else(
    modes: list[Mode], kind: Kind, op: OpLogout, budget: int, data: st.DataObject
) -> None:
    """Whatever hops come to, and whichever are not made at all, the page before has named where the run leads."""
    walk, actions = step(a_walk(Mode.FORM_POST, *modes, kind=kind, op=op, budget=budget), Proceed(), NOW)
    (*named,), ends = form_reach(walk)
    passed = [walk.hop.tag]
    while True:
        bound = walk.place is Place.BINDING and data.draw(st.booleans())
        walk, actions = step(walk, Bound("h" * 43) if bound else data.draw(RETURNS), NOW)
        while isinstance(actions[-1], SendTicket | SendBegin) and data.draw(st.booleans()):
            walk, actions = step(left_out(walk), HopFailed(Outcome.UNREACHABLE), NOW)
        if isinstance(actions[-1], Finish):
            assert ends
            break
        if isinstance(actions[-1], ShowPause) or walk.mode is Mode.FORM_POST:
            break
        assert isinstance(actions[-1], SendTicket | SendBegin)
        passed.append(walk.hop.tag)
    assert set(passed) <= set(named)


def test_the_picture_shows_every_row() -> None:
    """One arrow a row, so nothing is hidden beside the table."""
    arrows = [line for line in picture().splitlines() if " / " in line]
    assert len(arrows) == sum(len(rows) for rows in TABLE.values())
