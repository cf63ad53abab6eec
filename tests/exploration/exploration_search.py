"""The enumerator: every order of events from a state, each state looked at once, the shortest way to a fault kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from exploration_claims import Claims
from exploration_values import State
from exploration_world import Intention, World


@dataclass
class Found:
    """What an exploration found; ``schedules`` counts all ways from the first state to an end."""

    states: int = 0
    events: int = 0
    ends: int = 0
    schedules: int = 0
    broken: dict[str, State] = field(default_factory=dict)
    """What was found broken, each thing with the first state that breaks it."""

    def __str__(self) -> str:
        counts = f"{self.states:,} states, {self.events:,} events, {self.ends:,} ends"
        return f"{counts}, {self.schedules:.3g} schedules, {len(self.broken)} broken"


class Search:
    """One exploration, breadth first: all states that are one event away, then all that are two away, and so on.

    Every event uses something up, so no state comes again at another distance, and the ways to a state can be counted
    as they are found.
    """

    def __init__(self, world: World, intentions: tuple[Intention, ...]) -> None:
        self._world = world
        self._intentions = intentions
        self._claims = Claims(world)

    def run(self, first: State) -> Found:
        """Explores everything that may follow ``first``."""
        found = Found()
        ways = {first: 1}
        while ways:
            following: dict[State, int] = {}
            for state, count in ways.items():
                self._hold(found, state, self._claims.broken(state))
                quiet = True
                for _, new in self._world.following(state, self._intentions):
                    quiet = False
                    found.events += 1
                    following[new] = following.get(new, 0) + count
                if quiet:
                    found.ends += 1
                    found.schedules += count
                    self._hold(found, state, self._claims.broken_at_end(state))
            found.states += len(ways)
            ways = following
        return found

    def schedule(self, first: State, goal: State) -> tuple[str, ...]:
        """The names of the events that lead from ``first`` to ``goal``, a state that was found."""
        levels: list[dict[State, tuple[State, str]]] = [{first: (first, "")}]
        while goal not in levels[-1]:
            following: dict[State, tuple[State, str]] = {}
            for state in levels[-1]:
                for name, new in self._world.following(state, self._intentions):
                    following.setdefault(new, (state, name))
            levels.append(following)
        names = []
        for level in reversed(levels[1:]):
            goal, name = level[goal]
            names.append(name)
        return tuple(reversed(names))

    @staticmethod
    def _hold(found: Found, state: State, broken: Iterator[str]) -> None:
        for words in broken:
            found.broken.setdefault(words, state)


def played(world: World, state: State, intentions: tuple[Intention, ...], schedule: tuple[str, ...]) -> Iterator[State]:
    """The states of a schedule, the first one included; AssertionError if it cannot be played."""
    yield state
    for name in schedule:
        events = {event.name: event.state for event in world.following(state, intentions)}
        assert name in events, f"{name!r} cannot happen, but {sorted(events)}"
        state = events[name]
        yield state
