"""What an explored world comes to when it is left alone: one request and all that it leads to, and time that passes."""

from __future__ import annotations

from collections.abc import Iterator

import exploration_provider as provider
from exploration_gateway import BROWSER
from exploration_values import ENDED, GATEWAY, JARS, TABS, Request, State, Tab
from exploration_world import Event, Intention, World

from chain_gateway.core.limits import HOP_SECONDS, OWED_SECONDS, WALK_SECONDS
from chain_gateway.service.loops import LOOP_SECONDS

ALONE = 1_000_000
"""From here on the requests of a tab are counted that is alone, so that it draws nothing that others drew."""
STEPS = 80
A_WHILE = 2 * LOOP_SECONDS
"""So long after a login that the next one is not taken for an app that asks in a loop."""
RESUME = Request(GATEWAY, "/resume")


def alone(world: World, state: State, request: Request, choose: tuple[str, ...] = ()) -> State:
    """The state after ``request`` in a tab of its own and all that it leads to, with nothing in between.

    ``choose`` are words of the events that are taken where there is a choice. AssertionError if there is no end (I4).
    """
    tabs, faults, ghosts = state.tabs, state.faults, state.ghosts
    state = state._replace(tabs=(TABS.number(Tab(sent=ALONE + state.now)),), faults=0, ghosts=())
    narrow, world.gateway.narrow = world.gateway.narrow, False
    try:
        state = world.begun(state, 0, request)
        for _ in range(STEPS):
            if TABS.values[state.tabs[0]].phase == ENDED:
                return state._replace(tabs=tabs, faults=faults, ghosts=ghosts)
            state = _first(world.following(state, ()), choose).state
    finally:
        world.gateway.narrow = narrow
    raise AssertionError(f"{request.path} leads to no end")


def _first(events: Iterator[Event], choose: tuple[str, ...]) -> Event:
    """The first event, or the first that has one of these words in its name."""
    first = next(events)
    if not choose:
        return first
    return next((event for event in (first, *events) if any(word in event.name for word in choose)), first)


def at_rest(world: World, state: State) -> State:
    """What is left of ``state`` for whatever comes later: no tabs, and no cookies and codes of theirs."""
    session = world.gateway.provider.states.values[state.op].session
    op = world.gateway.provider.states.number(provider.OpState(session))
    jar = frozenset(cookie for cookie in JARS.values[state.jars[0]] if cookie[0] == BROWSER)
    jars = (JARS.number(jar), *state.jars[1:])
    return state._replace(op=op, jars=jars, tabs=(), ghosts=(), faults=0, facts=0)


def later(state: State, seconds: int) -> State:
    """The same, that many seconds later."""
    return state._replace(now=state.now + seconds * 1000)


def visited(world: World, tabs: int) -> State:
    """A browser that has the gateway's cookie, from a sign-in that was begun and given up, and nothing else."""
    state = world.begun(world.first(1), 0, Intention("login", world.settings.apps[0]).request())
    for _ in range(2):
        state = next(world.following(state, ())).state
    return at_rest(world, state)._replace(tabs=(0,) * tabs)


def signed_in(world: World, tabs: int) -> State:
    """A browser that has been signed in everywhere for a while, and as many tabs in which nothing was done yet."""
    state = alone(world, world.first(tabs), Intention("login", world.settings.apps[0]).request())
    return later(state, A_WHILE)._replace(facts=0)


def resumed(world: World, state: State) -> State:
    """A browser that was stranded at an app comes back to the gateway after the time of its hop."""
    return alone(world, later(state, HOP_SECONDS + 1), RESUME)


def told(world: World, state: State) -> State:
    """When the browser has not come for so long that the back channel has taken over."""
    return world.delivered(later(state, OWED_SECONDS + 1))


def settled(world: World, state: State) -> State:
    """After every deadline, with the rounds that the gateway makes beside its requests; ``state`` is of ``told``."""
    state = later(state, WALK_SECONDS)
    return world.delivered(state._replace(store=world.gateway.swept(state.store, state.now)))
