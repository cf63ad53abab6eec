"""What the simulator has found, each as a test of its own."""

from __future__ import annotations

from pathlib import Path

from simulator_person import Person, see
from simulator_proxy import answer_lost
from simulator_world import NAMES, a_simulation


def nothing() -> None:
    """Nobody waits here."""


async def test_a_login_whose_first_answer_was_lost_ends_at_once(tmp_path: Path) -> None:
    """Its cookie never came, so no ticket can be made: one page says so, and the next sign-in is a whole one (F17)."""
    async with a_simulation(tmp_path) as simulation, simulation.browser() as browser:
        person = Person(browser, simulation.gateway, tuple(simulation.apps.values()), nothing)
        simulation.front.strike(answer_lost, lambda request: request.path == "/callback")
        await see(browser, simulation.at_first_hop(browser))
        assert await person.finish() == "page"
        assert person.moves == 1
        assert "Signed in to 0 of 4" in browser.page.text
        await see(browser, browser.follow("Try again"))
        assert await person.finish() == "back"
        assert await simulation.signed_in(browser) == dict.fromkeys(NAMES, "demo|alice")
