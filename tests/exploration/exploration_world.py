"""An explored world: one browser with its tabs, the gateway, the provider, and the apps, as states and events.

Each request and each answer is a message of its own, and between any two of them any other may come. The name of an
event says which tab it happens to and what it is, so that a schedule can be read, and played again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import exploration_provider as provider
import structlog
from exploration_apps import MOODS, WELL, AppServer, payload
from exploration_facts import heard, noted, said
from exploration_gateway import Gateway
from exploration_jars import has_browser, is_public, kept, with_cookies
from exploration_parts import Clock
from exploration_settings import Intention, Settings
from exploration_values import (
    ANSWERED,
    ANSWERS,
    ASKED,
    ENDED,
    GATEWAY,
    GHOSTS,
    IDLE,
    LOST,
    PROVIDER,
    REQUESTS,
    TABS,
    Answer,
    Ghost,
    Note,
    Request,
    State,
    Tab,
    forget,
)
from exploration_words import Words
from support.builders import a_registry, an_app

from chain_gateway.tokens.app_key import AppKey
from chain_gateway.tokens.ticket import GatewayKeys

START_MS = 1_800_000_000_500
SECRET = "an explored app's secret of 32 bytes or more: "
OK = 200
QUEUE = "the queue delivers"


class Event(NamedTuple):
    """Something that happens, by its name, and the state after it."""

    name: str
    state: State


class World:
    """States and what follows them. It is made by ``a_world``."""

    def __init__(self, settings: Settings, loop: asyncio.AbstractEventLoop) -> None:
        self.settings = settings
        self.clock = Clock()
        self.clock.now_ms = START_MS
        chosen = {"ping": False, "retries": settings.retries, "login": settings.login, "logout": settings.logout}
        registry = a_registry(*(an_app(name, **chosen) for name in settings.apps))
        secrets = {name: SECRET + name for name in settings.apps}
        keys = {name: AppKey.secret(secret.encode()) for name, secret in secrets.items()}
        self.gateway = Gateway(
            registry, keys, loop, self.clock, op_logout=settings.op_logout, confirm_logout=settings.confirm
        )
        self.gateway.narrow = settings.narrow
        public = GatewayKeys.from_jwks(self.gateway.keyring.jwks(START_MS // 1000))
        self.apps = [
            AppServer(registry.apps[n], secrets[n], public, loop, self.clock, forgetful=settings.forgetful)
            for n in settings.apps
        ]
        self._delivered: dict[tuple[object, ...], tuple[int, tuple[int, ...], tuple[Note, ...]]] = {}
        self.places = {GATEWAY: 0} | {name: index for index, name in enumerate(settings.apps, 1)}

    def first(self, tabs: int) -> State:
        """Nobody is known anywhere."""
        memories = tuple(app.memories.first for app in self.apps)
        return State(self.gateway.stores.first, 0, memories, (0,) * len(self.places), (0,) * tabs, (), START_MS, 0, 0)

    # What follows a state.

    def following(self, state: State, intentions: tuple[Intention, ...]) -> Iterator[Event]:
        """Everything that may happen next; nothing when all messages have come or are lost.

        Where an answer can arrive without anything else noticing, it does so first, or a fault of its own happens: in
        whatever order these and the events of others came, the same would follow.
        """
        alone = self._unnoticed(state)
        if alone is not None:
            yield from self._answered(state, alone, TABS.values[state.tabs[alone]])
            return
        for index, number in enumerate(state.tabs):
            tab = TABS.values[number]
            if tab.phase == ASKED:
                yield from self._asked(state, index, tab)
            elif tab.phase == ANSWERED:
                yield from self._answered(state, index, tab)
            elif tab.phase == IDLE and not self._waits(state, index, intentions):
                yield Event(f"{index} begins", self.begun(state, index, intentions[index].request()))
            elif tab.phase == ENDED and state.faults and tab.shown_page:
                yield Event(f"{index} goes back", self._resent(_faulty(state), index, tab, tab.shown_page))
        for place, number in enumerate(state.ghosts):
            yield from self._ghostly(state, place, GHOSTS.values[number])
        if self.settings.queue and self.gateway.due(state.store) * 1000 <= state.now:
            yield Event(QUEUE, self.delivered(state))

    @staticmethod
    def _waits(state: State, index: int, intentions: tuple[Intention, ...]) -> bool:
        """Whether another tab wants the very same and has not begun: which of the two begins first says nothing."""
        earlier = zip(state.tabs[:index], intentions, strict=False)
        return any(number == 0 and wanted == intentions[index] for number, wanted in earlier)

    def begun(self, state: State, index: int, request: Request) -> State:
        """A person acts in tab ``index``: ``request`` is sent, and if it asks for a logout, time has passed."""
        if request.path == "/logout":
            state = state._replace(now=state.now + self.settings.tick_ms)
        return self._sent(state, index, TABS.values[state.tabs[index]], request)

    def delivered(self, state: State) -> State:
        """All owed logouts that are due are told over the back channel, and the answers are noted."""
        key = (state.store, state.memories, state.now)
        if key not in self._delivered:
            self._delivered[key] = self._deliver(state)
        store, memories, told = self._delivered[key]
        return state._replace(store=store, memories=memories, facts=noted(state.facts, told))

    def _deliver(self, state: State) -> tuple[int, tuple[int, ...], tuple[Note, ...]]:
        by_url = {f"{app.origin}/chain/backchannel-logout": app for app in self.apps}
        for app, memory in zip(self.apps, state.memories, strict=True):
            app.recall(memory, state.now)

        told: list[Note] = []

        async def tell(url: str, logout_token: str) -> int:
            status = await by_url[url].told(logout_token)
            if status == OK:
                told.append(Note("told", (by_url[url].id, payload(logout_token)["epoch"])))
            return status

        store = self.gateway.delivered(state.store, state.now, tell)
        return store, tuple(app.memories.number(app.memory) for app in self.apps), tuple(told)

    def _unnoticed(self, state: State) -> int | None:
        """A tab whose answer touches nothing but the tab itself when it arrives."""
        for index, number in enumerate(state.tabs):
            tab = TABS.values[number]
            if tab.phase == ANSWERED and self._is_private(number, state.facts, state.jars[0]):
                return index
        return None

    @cache  # noqa: B019 - a world lives as long as its exploration
    def _is_private(self, number: int, facts: int, jar: int) -> bool:
        """Whether an answer brings no cookie that another tab looks at, and leads where no such cookie is shown.

        The same must hold of the request that it answers, which a reload sends again.
        """
        tab = TABS.values[number]
        answer = ANSWERS.values[tab.answer]
        if not self.settings.narrow or heard(facts, tab.answer) != facts or is_public(answer):
            return False
        sent = (REQUESTS.values[tab.request], answer.onward, answer.aside)
        if not all(each is None or self._shows_nothing_shared(each) for each in sent):
            return False
        return has_browser(jar)

    def _shows_nothing_shared(self, request: Request) -> bool:
        """Whether a request has the same cookies whenever it is sent, once the browser has its own at the gateway."""
        if request.to == GATEWAY:
            return not self.gateway.concerned(request)[0]
        return request.to == PROVIDER or request.posted

    def _asked(self, state: State, index: int, tab: Tab) -> Iterator[Event]:
        draws = (index, tab.sent)
        for name, after, answer in self._served(state, tab.request, draws):
            held = Tab(ANSWERED, tab.request, answer, tab.sent, tab.shown_page)
            yield Event(f"{index} {name}", _with(after, index, held))
        if not state.faults or REQUESTS.values[tab.request].path in self.settings.spared:
            return
        faulty = _faulty(state)
        yield Event(f"{index} is lost", _with(faulty, index, Tab(LOST)))
        yield Event(f"{index} is repeated", _haunted(faulty, Ghost(ASKED, tab.request, 0, (*draws, "again"))))
        left = _haunted(faulty, Ghost(ASKED, tab.request, 0, (*draws, "left")))
        yield Event(f"{index} is reloaded", self._resent(left, index, tab, tab.request))
        if tab.shown_page and tab.shown_page != tab.request:
            yield Event(f"{index} goes back", self._resent(left, index, tab, tab.shown_page))

    def _answered(self, state: State, index: int, tab: Tab) -> Iterator[Event]:
        answer = ANSWERS.values[tab.answer]
        arrived = self._arrived(state, tab.answer)
        yield Event(f"{index} arrives", self._gone_on(arrived, index, tab, answer, answer.onward))
        if not state.faults or REQUESTS.values[tab.request].path in self.settings.spared:
            return
        if answer.aside is not None:
            passed = self._gone_on(_faulty(arrived), index, tab, answer, answer.aside)
            yield Event(f"{index} arrives, app unreachable", passed)
        faulty = _faulty(state)
        yield Event(f"{index} is lost", _with(faulty, index, Tab(LOST)))
        yield Event(f"{index} is reloaded", self._resent(faulty, index, tab, tab.request))
        if tab.shown_page and tab.shown_page != tab.request:
            yield Event(f"{index} goes back", self._resent(faulty, index, tab, tab.shown_page))

    def _ghostly(self, state: State, place: int, ghost: Ghost) -> Iterator[Event]:
        others = state.ghosts[:place] + state.ghosts[place + 1 :]
        if ghost.phase == ANSWERED:
            yield Event("ghost arrives", self._arrived(state, ghost.answer)._replace(ghosts=others))
            return
        for name, after, answer in self._served(state._replace(faults=0), ghost.request, ghost.draws):
            gone = after._replace(ghosts=(*others, *after.ghosts[len(state.ghosts) :]), faults=state.faults)
            yield Event(f"ghost {name}", gone)
            if is_public(ANSWERS.values[answer]):
                yield Event(f"ghost {name} in time", _haunted(gone, ghost._replace(phase=ANSWERED, answer=answer)))

    # The steps of a message.

    def _served(self, state: State, number: int, draws: tuple[object, ...]) -> Iterator[tuple[str, State, int]]:
        """Each way in which the server of a request may answer it: its name, the state, and the answer."""
        request = REQUESTS.values[number]
        if request.to == GATEWAY:
            served = self.gateway.serve(state.store, state.op, state.now, number, draws)
            # What comes after a logout is later than that by the clock too.
            now = state.now + self.settings.tick_ms if request.path == "/logout" else state.now
            facts = said(state.facts, served.answer)
            after = State(served.store, served.op, *state[2:6], now, state.faults, facts)
            yield "is served", after, served.answer
        elif request.to == PROVIDER:
            yield from self._at_provider(state, number, draws)
        else:
            yield from self._at_app(state, number, draws)

    def _at_provider(self, state: State, number: int, draws: tuple[object, ...]) -> Iterator[tuple[str, State, int]]:
        request = REQUESTS.values[number]
        choices = self.gateway.provider.choices(state.op, request, others=self.settings.others)
        for choice in choices if len(draws) == 2 else choices[:1]:  # nobody acts on a page that is gone
            now = state.now + (self.settings.tick_ms if choice in provider.HANDS else 0)
            op, answer = self.gateway.provider.serve(state.op, now, number, draws, choice)
            facts = said(state.facts, answer)
            after = State(state.store, op, *state[2:6], now, state.faults, facts)
            token = self.gateway.provider.logout_token(state.op, now, draws) if choice == provider.ENDS else ""
            if self.settings.tells and token:
                told = Request(GATEWAY, "/backchannel-logout", (("logout_token", token),))
                after = _haunted(after, Ghost(ASKED, REQUESTS.number(told), 0, (*draws, "told")))
            yield f"is served {choice}", after, answer

    def _at_app(self, state: State, number: int, draws: tuple[object, ...]) -> Iterator[tuple[str, State, int]]:
        request = REQUESTS.values[number]
        place = self.places[request.to] - 1
        moods = (WELL, *MOODS) if state.faults and request.path != "/" else (WELL,)
        for mood in moods:
            memory, answer = self.apps[place].serve(state.memories[place], state.now, number, draws, mood)
            memories = (*state.memories[:place], memory, *state.memories[place + 1 :])
            facts = said(state.facts, answer)
            after = State(*state[:2], memories, *state[3:7], state.faults - (mood != WELL), facts)
            yield "is served" if mood == WELL else f"is served, {request.to} {mood}", after, answer

    def _arrived(self, state: State, answer: int) -> State:
        """An answer's cookies are kept."""
        jars = state.jars
        by = ANSWERS.values[answer].by
        if by != PROVIDER:
            place = self.places[by]
            jars = (*jars[:place], kept(jars[place], answer), *jars[place + 1 :])
        return State(*state[:3], jars, *state[4:8], heard(state.facts, answer))

    def _gone_on(self, state: State, index: int, tab: Tab, answer: Answer, onward: Request | None) -> State:
        """The tab follows a redirect or does what the page does; without either it stands at its end."""
        if answer.page:
            tab = tab._replace(shown_page=tab.request)
        if onward is None or (onward.path == "/" and not self.settings.pages):
            return _with(state, index, Tab(ENDED, 0, tab.answer, tab.sent, tab.shown_page))
        return self._sent(state, index, tab, onward)

    def _sent(self, state: State, index: int, tab: Tab, request: Request) -> State:
        return _with(state, index, Tab(ASKED, self._shown(state, request), 0, tab.sent + 1, tab.shown_page))

    def _shown(self, state: State, request: Request) -> int:
        """The request with the cookies that the browser sends now: none on a POST to an app, which is cross-site."""
        if request.to == PROVIDER or (request.posted and request.to != GATEWAY):
            return REQUESTS.number(request)
        names = None
        if request.to == GATEWAY:
            whole, found = self.gateway.concerned(request)
            names = None if whole else found
        return with_cookies(REQUESTS.number(request), state.jars[self.places[request.to]], state.now, names)

    def _resent(self, state: State, index: int, tab: Tab, number: int) -> State:
        return self._sent(state, index, tab, REQUESTS.values[number]._replace(shown=()))


@contextmanager
def a_world(settings: Settings | None = None) -> Iterator[World]:
    """A world, and the end of what runs its coroutines."""
    loop = asyncio.new_event_loop()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    try:
        yield World(settings or Settings(), loop)
    finally:
        logging.disable(logging.NOTSET)
        structlog.reset_defaults()
        loop.close()
        forget()
        for each in (kept, with_cookies, has_browser, said, heard, World._is_private, Gateway._opened, Words.stays):
            each.cache_clear()


def _haunted(state: State, ghost: Ghost) -> State:
    return state._replace(ghosts=tuple(sorted((*state.ghosts, GHOSTS.number(ghost)))))


def _with(state: State, index: int, tab: Tab) -> State:
    tabs = (*state.tabs[:index], TABS.number(tab), *state.tabs[index + 1 :])
    return State(*state[:4], tabs, *state[5:])


def _faulty(state: State) -> State:
    return State(*state[:7], state.faults - 1, state.facts)
