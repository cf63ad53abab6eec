"""What lies ahead: found by the machine itself."""

from __future__ import annotations

from support.builders import NOW, a_walk, an_app

from chain_gateway.core.actions import SendTicket, ShowPause
from chain_gateway.core.chain import Mode
from chain_gateway.core.events import Proceed
from chain_gateway.core.forecast import ahead, form_reach
from chain_gateway.core.machine import step
from chain_gateway.core.picture import picture
from chain_gateway.core.table import TABLE
from chain_gateway.core.walk import Kind, OpLogout


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


def test_the_picture_shows_every_row() -> None:
    """One arrow a row, so nothing is hidden beside the table."""
    arrows = [line for line in picture().splitlines() if " / " in line]
    assert len(arrows) == sum(len(rows) for rows in TABLE.values())
