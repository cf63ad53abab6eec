"""Every fault at every step of a walk, over real connections; what comes of each is in ``table.txt``."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulator_parts import assert_kept
from simulator_scenarios import PLACES, Play, Scenario, scenarios
from simulator_stranded import MANNERS, stranded
from simulator_world import a_simulation

from chain_gateway.core.limits import WALK_SECONDS

pytestmark = pytest.mark.timeout(300)

HEADS = {
    "login": ("way to", "fault", "told", "has", "moves", "end"),
    "logout": ("way to", "fault", "told", "has", "moves", "end", "told later"),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["login", "logout"])
async def test_every_fault_ends_as_the_table_says(kind: str, place: str, tmp_path: Path) -> None:
    """The walk ends, its page is true, nothing counts twice, a logout leaves nobody signed in (I2-I6, F01-F06)."""
    rows = [HEADS[kind]]
    async with a_simulation(tmp_path) as simulation:
        for scenario in scenarios(kind, place):
            async with simulation.browser() as browser:
                try:
                    rows.append((*scenario.words, *await Play(simulation, scenario, browser).row()))
                except Exception as error:
                    error.add_note(f"in {scenario}")
                    raise
        simulation.clock.now += WALK_SECONDS + 1
        await simulation.round("sweep")
        assert await simulation.store.open_everywhere(10) == [], "a walk without an end"
    assert_kept(f"{kind}, {place} app", rows)


@pytest.mark.parametrize("kind", ["login", "logout"])
async def test_whatever_a_stranded_person_does(kind: str, tmp_path: Path) -> None:
    """They wait, type an address, or close the tab: the walk ends, and is told as it was (F02, F04, F09)."""
    rows = [("person", "fault", "told", "signed in", "afterwards")]
    async with a_simulation(tmp_path) as simulation:
        for manner in MANNERS:
            for fault in ("request lost", "answer lost", "says 200"):
                async with simulation.browser() as browser:
                    play = Play(simulation, Scenario(kind, "middle", "app", fault), browser)
                    rows.append((manner, fault, *await stranded(play, manner)))
        simulation.clock.now += WALK_SECONDS + 1
        await simulation.round("sweep")
        assert await simulation.store.open_everywhere(10) == [], "a walk without an end"
    assert_kept(f"{kind}, by what the person does", rows)
