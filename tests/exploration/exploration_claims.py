"""The invariants of an explored world: what must hold at every moment, and what must hold when all has come to an end.

I1 the newest intention wins; I2 after a logout is done no registered app has an older live session; I3 no ticket is
applied twice; I4 every walk ends, and tells truly what was proven. I3 and the telling of I4 are noticed where facts are
gathered (``exploration_facts``), and so is what leaves a use case by accident or leads out of the registry.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from exploration_facts import FACTS
from exploration_gateway import BROWSER
from exploration_rest import A_WHILE, alone, at_rest, later, settled, told
from exploration_values import JARS, State
from exploration_world import Intention, World

from chain_gateway.core.ledger import GONE, Browser, Holding

DONE = frozenset({"applied", "absent", "stale"})
LEFT_OPEN = frozenset({"gone", "pending"})


class Claims:
    """The invariants of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._names = world.settings.apps
        self._ledgers: dict[tuple[int, int], Browser | None] = {}
        self._ends: dict[State, tuple[str, ...]] = {}
        self._held: set[tuple[object, ...]] = set()
        self._later: dict[State, tuple[State, State]] = {}

    def live(self, state: State) -> dict[str, int]:
        """The epoch of the live session at each app that has one."""
        found = {}
        for place, app in enumerate(self._world.apps):
            session = app.live(state.jars[place + 1], state.memories[place], state.now)
            if session is not None:
                found[app.id] = session.epoch
        return found

    def broken(self, state: State) -> Iterator[str]:
        """What does not hold in ``state``, in words; nothing of it may be so at any moment.

        Nothing is said twice of states that differ in their tabs alone.
        """
        key = (state.store, state.memories, state.jars, state.now, state.facts)
        if key not in self._held:
            self._held.add(key)
            yield from self._broken(state)

    def _broken(self, state: State) -> Iterator[str]:
        facts = FACTS.values[state.facts]
        yield from facts.wrong
        live = self.live(state)
        if not live:
            return
        for app, session in live.items():
            for epoch, scope in signed_out(state.facts):
                if scope in {"", app} and session < epoch:
                    yield f"I2: session {session} lives at {app} after logout {epoch} was done"
            for older in facts.outdated:
                if older.scope in {"", app} and session == older.epoch:
                    where = "I1 at one app" if older.scope else "I1"
                    yield f"{where}: session {session} lives at {app}, but somebody signed out later ({older.logout})"
        yield from self._unknown(state, live)

    def _unknown(self, state: State, live: dict[str, int]) -> Iterator[str]:
        """Sessions that the ledger would leave out of a logout."""
        ledger = self.ledger(state)
        for app, session in live.items():
            entry = ledger.ledger.get(app) if ledger else None
            if entry is None or entry.holding in GONE:
                yield f"the ledger does not know of session {session} at {app}"

    def broken_at_end(self, state: State) -> Iterator[str]:
        """What does not hold in ``state``, after which nothing more comes by itself."""
        yield from self._newest_wins(state)
        yield from self._owed(state)
        yield from self._afterwards(state)

    def ledger(self, state: State) -> Browser | None:
        """What the store has of the browser, by the cookie that it has."""
        key = (state.store, state.jars[0])
        if key not in self._ledgers:
            browser = next((value for name, value, _ in JARS.values[state.jars[0]] if name == BROWSER), "")
            self._ledgers[key] = self._world.gateway.look(state.store, bytes.fromhex(browser))
        return self._ledgers[key]

    def _newest_wins(self, state: State) -> Iterator[str]:
        """I1 at each app: the newest walk that reached it has its way."""
        facts = FACTS.values[state.facts]
        live = self.live(state)
        for app in self._names:
            reached = [t for t in facts.reached if t.app == app and (t.sets or t.outcome == "stale")]
            if not reached:
                continue
            newest = max(reached, key=lambda t: (t.epoch, t.sets))
            newer = any(t.app == app and t.epoch > newest.epoch and t.sets for t in facts.treated)
            newer = newer or any(by == app and epoch > newest.epoch for by, epoch in facts.told)
            session = live.get(app, 0)
            if newest.act == "logout" and session:
                yield f"I1: session {session} lives at {app} after logout {newest.epoch}"
            elif newest.act == "login" and not newer and newest.outcome == "stale":
                yield f"I1: login {newest.epoch} was refused at {app}, and nothing is newer"
            elif newest.act == "login" and newest.outcome == "applied" and session != newest.epoch and not newer:
                yield f"I1: login {newest.epoch} does not live at {app}, {session} does"

    def _owed(self, state: State) -> Iterator[str]:
        """I2: what a logout could not prove is owed, unless something newer is known."""
        facts = FACTS.values[state.facts]
        ledger = self.ledger(state)
        entries = ledger.ledger if ledger else {}
        for epoch, kind, place, outcomes in facts.ended:
            if kind != "logout":
                continue
            for app, outcome in outcomes:
                entry = entries.get(app)
                if outcome in DONE or (entry is not None and entry.epoch > epoch):
                    continue
                told = {Holding.OWED, Holding.NONE}
                if entry is None or entry.holding not in (told if entry.sid else {*told, Holding.MAY_HOLD}):
                    yield f"I2: logout {epoch} ({place}) left {app} {outcome}, and it is not owed"

    def _afterwards(self, state: State) -> Iterator[str]:
        """What must hold of everything that may come later, whatever was lost on the way."""
        rest = at_rest(self._world, state)
        if rest not in self._ends:
            self._ends[rest] = tuple(self._probed(rest))
        yield from self._ends[rest]
        yield from self._settled(state, rest)

    def _probed(self, state: State) -> Iterator[str]:
        """One undisturbed logout leaves nobody signed in, and one undisturbed login signs in everywhere."""
        name = self._names[0]
        out = alone(self._world, state, Intention("logout", name).request())
        if left := self.live(out):
            yield f"I2: a logout afterwards leaves {left}"
        yield from FACTS.values[out.facts].wrong
        back = alone(self._world, later(out, A_WHILE), Intention("login", name).request())
        if len(self.live(back)) != len(self._names):
            yield f"a login after that leads to {self.live(back)}"
        again = alone(self._world, later(state, A_WHILE), Intention("login", name).request(), ("by hand",))
        if len(self.live(again)) != len(self._names):
            yield f"a login by hand afterwards leads to {self.live(again)}"

    def _settled(self, state: State, rest: State) -> Iterator[str]:
        """When a minute has passed, no session is older than a logout that began; in the end nothing is owed."""
        if rest not in self._later:
            soon = told(self._world, rest)
            self._later[rest] = soon, settled(self._world, soon)
        soon, end = self._later[rest]
        live = {**self.live(soon), **self.live(end)}
        for epoch, scope in FACTS.values[state.facts].scopes:
            for app, session in live.items():
                if scope in {"", app} and session < epoch:
                    yield f"I2: session {session} lives at {app} long after logout {epoch} began"
        ledger = self.ledger(end)
        for entry in ledger.ledger.values() if ledger else ():
            if entry.holding is Holding.OWED and entry.sid:  # without one only the browser's next visit can settle it
                yield f"a logout is owed to {entry.app} for ever"


@cache
def signed_out(facts: int) -> tuple[tuple[int, str], ...]:
    """The logouts that were called done, by epoch, and the one app that each was about (or empty)."""
    scopes = dict(FACTS.values[facts].scopes)
    return tuple(
        (epoch, scopes[epoch])
        for epoch, kind, place, outcomes in FACTS.values[facts].ended
        if kind == "logout" and place == "DONE" and all(outcome in DONE for _, outcome in outcomes)
    )
