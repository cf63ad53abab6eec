"""What becomes of a walk by what its person does when the browser is stranded at an app."""

from __future__ import annotations

from collections.abc import Mapping

from simulator_person import see
from simulator_scenarios import Play
from support.world import choose

from chain_gateway.core.limits import OWED_SECONDS, WALK_SECONDS

WAITS, ADDRESS, CLOSES = "waits, then comes back", "types the address of that site", "closes the tab"
MANNERS = (WAITS, ADDRESS, CLOSES)


async def stranded(play: Play, manner: str) -> tuple[str, ...]:
    """Walks until stranded, goes on in that manner, and looks: the row of the table."""
    login = play.scenario.kind == "login"
    stolen = {} if login else await play.signed_in_before()
    play.strike()
    begin = play.simulation.at_first_hop(play.browser) if login else play.leave()
    await see(play.browser, begin)
    await play.person(play.browser).until_stranded()
    walks = await _goes_on(play, manner)
    outcomes = await play.truth(play.walked(walks))
    inside = await play.simulation.signed_in(play.browser)
    row = _listed(outcomes), " ".join(inside) or "nowhere"
    if login:
        return *row, await _comes_again(play)
    if manner != CLOSES:
        await play.settle(play.walked(walks))
    await play.nobody_is_signed_in(stolen)
    after = await play.truth(play.walked(walks))
    return *row, _listed(after)


async def _goes_on(play: Play, manner: str) -> int:
    """What the person does; returns how many walks that makes."""
    simulation, browser = play.simulation, play.browser
    if manner == WAITS:
        play.wait()
        await see(browser, browser.open(f"{simulation.gateway}/resume"))
        await play.person(browser).finish()
        return 1
    if manner == ADDRESS:
        return await _at_the_site(play)
    if play.scenario.kind == "logout":
        simulation.clock.now += OWED_SECONDS + 1
        await simulation.round("deliver")
        assert not await simulation.signed_in(browser), "the back channel did not take over"
    simulation.clock.now += WALK_SECONDS + 1
    await simulation.round("sweep")
    return 1


async def _at_the_site(play: Play) -> int:
    """On the site's own page they press the button that fits; where they are signed out they see that, and go."""
    simulation, browser = play.simulation, play.browser
    home = await browser.open(f"{simulation.apps[play.scenario.app]}/")
    inside = 'data-signed-in="yes"' in home.text
    login = play.scenario.kind == "login"
    if inside is login:
        simulation.clock.now += WALK_SECONDS + 1
        await simulation.round("sweep")
        return 1
    await see(browser, browser.submit(home.forms[1 if login else 0]))
    await choose(browser)
    await play.person(browser).finish()
    return 2


async def _comes_again(play: Play) -> str:
    """At the next sign-in they are signed in everywhere."""
    await play.simulation.at_first_hop(play.browser)
    await play.person(play.browser).finish()
    return f"{len(await play.simulation.signed_in(play.browser))} of 4 at the next sign-in"


def _listed(outcomes: Mapping[str, str]) -> str:
    return ", ".join(f"{app} {outcome}" for app, outcome in outcomes.items())
