"""Longer runs, sampled: three tabs, two people, any number of intentions, time that passes, and many faults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain

from exploration_claims import Claims
from exploration_rest import later, visited
from exploration_settings import Intention, Settings
from exploration_values import ENDED, LOST, TABS, State, Tab
from exploration_world import World, a_world
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chain_gateway.core.chain import Mode
from chain_gateway.core.walk import OpLogout

TABS_OPEN = 3
FAULTS = 6
ROUND = 1000
"""The requests of a tab's next intention are counted from the next multiple of this."""
WAITS = (1, 20, 31, 61, 601, 901)
"""Seconds on each side of the deadlines: a hop's, an owed logout's, a sign-in's at the provider, a walk's."""
LONGEST = 400
WANTED = tuple(
    Intention(what, app) for what in ("login", "silent login", "logout", "app logout") for app in ("shop", "news")
)


class Machine(RuleBasedStateMachine):
    """One world, driven step by step: a rule for each thing that may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.held = ExitStack()
        self.world: World | None = None
        self.state: State | None = None
        self.rounds = 0
        self.past: list[str] = []

    @initialize(
        login=st.sampled_from((Mode.FORM_POST, Mode.TWO_STEP)),
        logout=st.sampled_from((Mode.REDIRECT, Mode.FORM_POST, Mode.TWO_STEP)),
        op_logout=st.sampled_from((OpLogout.FIRST, OpLogout.LAST, OpLogout.NONE)),
        tells=st.booleans(),
    )
    def begins(self, login: Mode, logout: Mode, op_logout: OpLogout, tells: bool) -> None:
        """A browser that the gateway has seen once."""
        chosen = Settings(
            login=login, logout=logout, op_logout=op_logout, tells=tells, others=True, pages=True, narrow=False
        )
        self.world = self.held.enter_context(a_world(chosen))
        self.claims = Claims(self.world)
        tabs = (TABS.number(Tab(ENDED)),) * TABS_OPEN
        self.state = visited(self.world, TABS_OPEN)._replace(tabs=tabs, faults=FAULTS)

    @rule(tab=st.integers(0, TABS_OPEN - 1), wanted=st.sampled_from(WANTED))
    def wants(self, tab: int, wanted: Intention) -> None:
        """Somebody acts in a tab; what was under way there is dropped, and its request may still be served."""
        self.rounds += 1
        fresh = TABS.number(Tab(sent=self.rounds * ROUND))
        tabs = (*self.state.tabs[:tab], fresh, *self.state.tabs[tab + 1 :])
        self.state = self.world.begun(self.state._replace(tabs=tabs), tab, wanted.request())
        self.past.append(f"{tab} wants {wanted}")

    @precondition(lambda self: self.world and next(self.world.following(self.state, ()), None))
    @rule(data=st.data())
    def goes_on(self, data: st.DataObject) -> None:
        """One of the events that may come next."""
        events = sorted(self.world.following(self.state, ()))
        name, self.state = data.draw(st.sampled_from(events), label="event")
        self.past.append(name)

    @rule(seconds=st.sampled_from(WAITS))
    def waits(self, seconds: int) -> None:
        """Time passes, and what the gateway does beside its requests is done."""
        self.state = later(self.state, seconds)
        store = self.world.gateway.swept(self.state.store, self.state.now)
        self.state = self.world.delivered(self.state._replace(store=store))
        self.past.append(f"{seconds} s pass")

    @invariant()
    def holds(self) -> None:
        """What must hold at every moment."""
        if self.world:
            self.hold(self.claims.broken(self.state))

    def hold(self, found: Iterator[str]) -> None:
        """AssertionError if anything is found broken, but for what is known to be (``test_exploration_found``)."""
        broken = list(found)
        assert not broken, (broken, self.past)

    def teardown(self) -> None:
        """All messages arrive, nothing else goes wrong, and then what must hold at an end is asked for."""
        if self.world:
            with self.held:
                self._ends()

    def _ends(self) -> None:
        self.state = self.state._replace(faults=0)
        for _ in range(LONGEST):
            events = sorted(self.world.following(self.state, ()))
            if not events:
                break
            name, self.state = events[0]
            self.past.append(name)
        phases = {TABS.values[number].phase for number in self.state.tabs}
        assert phases <= {ENDED, LOST}, (self.past, "I4: no end")
        self.hold(chain(self.claims.broken(self.state), self.claims.broken_at_end(self.state)))
