"""One fault at one step of one walk: played, looked at from outside, and told in one line of the table."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from http import HTTPStatus

from simulator_person import LoneBrowser, Person, see
from simulator_proxy import (
    Fault,
    Proxy,
    Request,
    answer_late,
    answer_lost,
    cut_short,
    request_late,
    request_lost,
    reset_after,
    reset_before,
    says,
    twice_first,
    twice_second,
)
from simulator_world import BACK_CHANNEL, HOP, NAMES, PING, Simulation, ticket_of, told
from support.browser import Page
from support.wire import claims

from chain_gateway.core.limits import HOP_SECONDS, OWED_SECONDS
from chain_gateway.tokens.encoding import b64d

PROVEN = {"applied", "absent"}
TRIES_SECONDS = 900
"""The longest pause between two deliveries."""
PLACES = {"first": 0, "middle": 2, "last": 3}
LATE = {"request late", "answer late"}


def _faults(elsewhere: str) -> dict[str, Fault]:
    return {
        "request late": request_late,
        "answer late": answer_late,
        "request lost": request_lost,
        "answer lost": answer_lost,
        "reset before": reset_before,
        "reset after": reset_after,
        "request twice": twice_first,
        "request again": twice_second,
        "answer cut": cut_short,
        "says 500": says(HTTPStatus.INTERNAL_SERVER_ERROR),
        "says 404": says(HTTPStatus.NOT_FOUND),
        "says 200": says(HTTPStatus.OK),
        "elsewhere": says(HTTPStatus.FOUND, elsewhere),
        "in a circle": says(HTTPStatus.FOUND, "/around-in-a-circle"),
        "down": request_lost,
    }


AT_APP = tuple(name for name in _faults("") if name != "down")
FOR_GOOD = tuple(name for name in _faults("") if name not in {*LATE, "request twice", "request again"})
AT_GATEWAY = tuple(name for name in AT_APP if name not in {"says 404", "says 200", "elsewhere", "in a circle"})


@dataclass(frozen=True)
class Scenario:
    """A ``fault`` on the way to ``where`` (``app`` or ``gateway``), once or for good, at one place of a walk."""

    kind: str
    place: str
    where: str
    fault: str
    for_good: bool = False

    @property
    def app(self) -> str:
        return NAMES[PLACES[self.place]]

    @property
    def words(self) -> tuple[str, str]:
        """What the table says in front."""
        return self.where, f"{self.fault}, for good" if self.for_good else self.fault


def scenarios(kind: str, place: str) -> Iterator[Scenario]:
    """All that can happen there."""
    for fault in AT_APP:
        yield Scenario(kind, place, "app", fault)
    for fault in FOR_GOOD:
        yield Scenario(kind, place, "app", fault, for_good=True)
    for fault in AT_GATEWAY:
        yield Scenario(kind, place, "gateway", fault)


def wanted(scenario: Scenario) -> Callable[[Request], bool]:
    """Which requests meet the fault."""

    def at_the_hop(request: Request) -> bool:
        return request.path == HOP

    def at_the_relay(request: Request) -> bool:
        receipt = request.fields.get("receipt") if request.path == "/relay" else None
        return receipt is not None and claims(receipt)["iss"] == scenario.app

    def for_good(request: Request) -> bool:
        return request.path in {HOP, BACK_CHANNEL} and not (scenario.fault == "says 200" and request.path != HOP)

    if scenario.fault == "down":
        return lambda request: request.path in {HOP, PING, BACK_CHANNEL}
    if scenario.where == "gateway":
        return at_the_relay
    return for_good if scenario.for_good else at_the_hop


@dataclass
class Play:
    """One browser in one scenario."""

    simulation: Simulation
    scenario: Scenario
    browser: LoneBrowser

    @property
    def proxy(self) -> Proxy:
        """Where the fault is."""
        return self.simulation.proxies["login" if self.scenario.where == "gateway" else self.scenario.app]

    def person(self, browser: LoneBrowser) -> Person:
        return Person(browser, self.simulation.gateway, tuple(self.simulation.apps.values()), self.wait)

    async def row(self) -> tuple[str, ...]:
        """What came of it, for the table; AssertionError if the truth was not told, or something is not as it must."""
        if self.scenario.kind == "login":
            return await self._login()
        return await self._logout()

    async def _login(self) -> tuple[str, ...]:
        end, moves = await self._walk(lambda: self.simulation.at_first_hop(self.browser))
        self.proxy.heal()
        walk = self.walked()
        outcomes = await self.truth(walk)
        mine = outcomes.pop(self.scenario.app)
        assert set(outcomes.values()) == {"applied"}, "other apps are affected"
        inside = self.scenario.app in await self.simulation.signed_in(self.browser)
        return mine, "signed in" if inside else "signed out", f"{moves}", end

    async def signed_in_before(self) -> dict[str, dict[str, str]]:
        """Signs in everywhere, without a fault; returns the cookies of then, as somebody might have copied them."""
        await self.simulation.at_first_hop(self.browser)
        assert await self.person(self.browser).finish() == "back"
        return deepcopy(self.browser.jars)

    async def leave(self) -> Page:
        """Presses the button that signs out everywhere."""
        await self.simulation.at_logout(self.browser)
        return await self.browser.submit()

    async def _logout(self) -> tuple[str, ...]:
        stolen = await self.signed_in_before()
        end, moves = await self._walk(self.leave)
        walk = self.walked()
        outcomes = await self.truth(walk)
        first = outcomes.pop(self.scenario.app)
        assert set(outcomes.values()) <= PROVEN, "other apps are affected"
        inside = self.scenario.app in await self.simulation.signed_in(self.browser)
        await self.settle(walk)
        later = (await self.truth(walk))[self.scenario.app]
        await self.nobody_is_signed_in(stolen)
        return first, "signed in" if inside else "signed out", f"{moves}", end, later

    async def _walk(self, begin: Callable[[], Awaitable[Page]]) -> tuple[str, int]:
        """Walks with the fault in the way; returns where it ended and how often the person had to do something."""
        proxy, person = self.proxy, self.person(self.browser)
        self.strike()

        async def tab() -> str:
            await see(self.browser, begin())
            return await person.finish()

        walking = asyncio.create_task(tab())
        if self.scenario.fault in LATE:
            await asyncio.wait({walking, held := asyncio.create_task(proxy.held.wait())}, return_when="FIRST_COMPLETED")
            held.cancel()
            with suppress(asyncio.CancelledError):
                await held
            person.moves += await self._in_another_tab()
            proxy.let_go.set()
        end = await walking
        assert proxy.struck, "the fault was never met"
        return end, person.moves

    async def _in_another_tab(self) -> int:
        """While the first tab waits the person goes on in a second one, to the end; returns how often they had to."""
        async with LoneBrowser() as second:
            second.jars = self.browser.jars
            person = self.person(second)
            await see(second, second.open(f"{self.simulation.gateway}/resume"))
            await person.finish()
            return person.moves + 1

    def strike(self) -> None:
        """From now on the fault waits for its request, and what the apps see is of this walk."""
        self._forget()
        self.proxy.strike(self._fault(), wanted(self.scenario), -1 if self.scenario.for_good else 1)

    def wait(self) -> None:
        self.simulation.clock.now += HOP_SECONDS + 1

    def _fault(self) -> Fault:
        return _faults(self.simulation.elsewhere + "/")[self.scenario.fault]

    def _forget(self) -> None:
        for proxy in self.simulation.proxies.values():
            proxy.seen.clear()

    def walked(self, walks: int = 1) -> str:
        """The id of the newest walk that tickets were issued for, of that many."""
        hops = [each for name in NAMES for each in self.simulation.proxies[name].seen if each.request.path == HOP]
        known = {int(str(ticket["epoch"])): str(ticket["walk"]) for ticket in map(ticket_of, hops)}
        assert len(known) == walks, f"{len(known)} walks"
        return known[max(known)]

    async def settle(self, walk: str) -> None:
        """What is owed is tried while the fault lasts, and delivered when it is over; the store then owes nothing."""
        simulation = self.simulation
        browser = (await simulation.store.walk(b64d(walk))).browser
        simulation.clock.now += OWED_SECONDS + 1
        await simulation.round("deliver")
        owed = await simulation.owed(browser)
        assert {each.entry.app for each in owed} <= {self.scenario.app}, "owed to apps that were well"
        self.proxy.heal()
        simulation.clock.now += TRIES_SECONDS + 1
        await simulation.round("deliver")
        assert not await simulation.owed(browser)

    async def nobody_is_signed_in(self, stolen: dict[str, dict[str, str]]) -> None:
        """Neither in this browser nor in one that shows the cookies of before the logout."""
        assert not await self.simulation.signed_in(self.browser)
        async with LoneBrowser() as thief:
            thief.jars = deepcopy(stolen)
            assert not await self.simulation.signed_in(thief), "cookies of before the logout still count"

    async def truth(self, walk: str) -> dict[str, str]:
        """The outcome of each app, after comparing all that the walk's page says with what the apps did and have."""
        simulation = self.simulation
        page = await told(simulation, self.browser, walk)
        outcomes = {str(app["id"]): str(app["outcome"]) for app in page["apps"]}
        assert page["ended"]
        inside = await simulation.signed_in(self.browser)
        for app, outcome in outcomes.items():
            receipts = simulation.receipts(app, walk)
            epochs = {int(str(ticket_of(each)["epoch"])) for name in NAMES for each in simulation.tickets(name, walk)}
            told_so = {receipt.outcome.value for receipt in receipts}
            if page["kind"] == "logout" and simulation.deliveries(app, max(epochs)):
                told_so |= PROVEN
            assert outcome not in PROVEN or outcome in told_so, f"{app} never said {outcome}: {told_so}"
            if outcome in PROVEN:
                assert (app in inside) is (page["kind"] == "login"), f"{outcome} at {app}, which has {inside.get(app)}"
            assert max(simulation.memories[app].effects.values(), default=0) <= 1, "a message took effect twice"
        return outcomes
