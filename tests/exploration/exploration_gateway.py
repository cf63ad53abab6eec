"""The gateway of an explored world: the real use cases on a real memory store, as a function of numbers.

``serve`` takes what the store and the provider hold, the time, and a request, and gives what they hold afterwards and
the answer. Randomness is drawn from where the request stands in its tab, so that the same things have the same names in
whatever order they came about.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Hashable, Mapping
from functools import cache
from typing import NamedTuple

from exploration_parts import TRANSACTION, Calls, Clock, Concerned, Draws, Watched
from exploration_provider import Provider
from exploration_values import (
    ANSWERS,
    GATEWAY,
    PROVIDER,
    REQUESTS,
    Answer,
    Cookie,
    Frozen,
    Note,
    Request,
    at_once,
    origin_of,
)
from exploration_words import Words, claims, onward
from support.app_keys import Keys

from chain_gateway import assembly
from chain_gateway.core.chain import Registry
from chain_gateway.core.ledger import Browser
from chain_gateway.core.limits import BROWSER_SECONDS
from chain_gateway.core.packing import unpack
from chain_gateway.core.walk import OpLogout
from chain_gateway.errors import ChainGatewayError
from chain_gateway.hops.base import Returned
from chain_gateway.service import away, identity
from chain_gateway.service.callback import CallbackParams
from chain_gateway.service.deliver import Deliver
from chain_gateway.service.login import LoginParams
from chain_gateway.service.logout import LogoutParams
from chain_gateway.service.realm import Realm, Visitor
from chain_gateway.service.sweep import Sweep
from chain_gateway.service.views import Go, Reply
from chain_gateway.store.memory import MemoryStore
from chain_gateway.tokens.app_key import AppKey
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.tokens.purposes import Purpose

BROWSER = "__Host-chain-browser"
IDENTITY, AWAY = identity.PREFIX, away.PREFIX
WHOLE = frozenset({"/login", "/logout", "/logged-out", "/resume"})


class Served(NamedTuple):
    """What the store and the provider hold afterwards, and the answer, all by number."""

    store: int
    op: int
    answer: int


class Gateway:
    """The use cases between two moments."""

    def __init__(
        self,
        registry: Registry,
        keys: Mapping[str, AppKey],
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        *,
        op_logout: OpLogout = OpLogout.FIRST,
        confirm_logout: str = "never",
        budget: int = 15,
    ) -> None:
        """``loop`` runs the use cases; ``clock`` is set by whoever explores."""
        self.draws = Draws()
        self.clock = clock
        self.loop = loop
        self.registry = registry
        self.provider = Provider(clock)
        self.store = MemoryStore()
        self.watched = Watched(self.store)
        self.keyring = Keyring.generate(0, self.draws)
        self.realm = Realm(
            public_url=origin_of(GATEWAY),
            op_issuer=origin_of(PROVIDER),
            registry=registry,
            app_keys=Keys(keys),
            keyring=lambda: self.keyring,
            store=self.watched,
            clock=clock,
            random=self.draws,
            budget=budget,
            op_logout=op_logout,
            confirm_logout=confirm_logout,
        )
        self.calls = Calls()
        self.cases, _ = assembly.use_cases(self.realm, self.provider, self.calls)
        self.stores = Frozen(self.store)
        self.words = Words(registry)
        self.narrow = True
        self.served = 0
        self._known: dict[tuple[Hashable, ...], Served] = {}
        self._due: dict[int, float] = {}

    def serve(self, store: int, op: int, now_ms: int, request: int, draws: tuple[Hashable, ...]) -> Served:
        """What comes of a request."""
        asks = REQUESTS.values[request].path == "/callback"  # nothing else looks at what the provider holds
        key = (store, op if asks else -1, now_ms, request, draws)
        found = self._known.get(key)
        if found is None:
            self.stores.restore(store, self.store)
            self.provider.state = self.provider.states.values[op]
            self.clock.now_ms = now_ms
            self.draws.begin(*draws)
            answer = self._answer(REQUESTS.values[request])
            found = Served(
                self.stores.number(self.store),
                self.provider.states.number(self.provider.state),
                ANSWERS.number(answer),
            )
            self._known[key] = found
            self.served += 1
        return found if asks else Served(found.store, op, found.answer)

    def look(self, store: int, browser: bytes) -> Browser | None:
        """What the store has of ``browser``."""
        self.stores.restore(store, self.store)
        return at_once(self.store.browser(browser), self.loop)

    def due(self, store: int) -> float:
        """The second at which the next owed logout is due; infinity where none is."""
        if store not in self._due:
            self.stores.restore(store, self.store)
            owed = at_once(self.store.all_owed(100), self.loop)
            self._due[store] = min((each.due for each in owed), default=math.inf)
        return self._due[store]

    def delivered(self, store: int, now_ms: int, tell: Callable[[str, str], Awaitable[int]]) -> int:
        """The store after a round of deliveries; ``tell`` is called with the address and the token of each."""
        self.calls.tell = tell
        try:
            return self._round(store, now_ms, Deliver(self.realm, self.calls))
        finally:
            self.calls.tell = None

    def swept(self, store: int, now_ms: int) -> int:
        """The store after a round of the sweeper."""
        return self._round(store, now_ms, Sweep(self.realm, self.cases.relay._passage))

    def _round(self, store: int, now_ms: int, work: Callable[[], Awaitable[int]]) -> int:
        self.stores.restore(store, self.store)
        self.clock.now_ms = now_ms
        self.draws.begin("round", store, now_ms)
        self.loop.run_until_complete(work())
        return self.stores.number(self.store)

    def concerned(self, request: Request) -> tuple[bool, frozenset[str]]:
        """Which cookies an endpoint may look at: all of them, or those of these names alone.

        A request is explored with these cookies only, as the others would tell apart what is the same. ``Concerned``
        sees to it that the gateway looks at no others.
        """
        fields = dict(request.fields)
        if request.path in WHOLE or not self.narrow:
            return True, frozenset()
        names = {BROWSER}
        if request.path == "/callback":
            names.add(f"{TRANSACTION}{self._opened(Purpose.OP_STATE, fields['state'])}")
        if request.path == "/relay":
            walk = self._opened(Purpose.CHAIN_TOKEN, fields["state"])
            names |= {IDENTITY + walk, AWAY + walk}
        return False, frozenset(names)

    @cache  # noqa: B019 - a gateway lives as long as its exploration
    def _opened(self, purpose: Purpose, text: str) -> str:
        """What a sealed text is about: the id of its transaction, or of its walk."""
        plain = self.keyring.open(purpose, text, 4096, self.realm.now())
        return json.loads(plain)["id"] if purpose is Purpose.OP_STATE else b64e(unpack(plain).id)

    def _answer(self, request: Request) -> Answer:
        self.watched.forget()
        try:
            reply = at_once(self._reply(request), self.loop)
        except ChainGatewayError as refusal:
            written = tuple(self.words.written(self.watched, request, self.realm.now()))
            return Answer(GATEWAY, page=refusal.code, said=written)
        except Exception as error:  # noqa: BLE001 - nothing else may leave a use case, and the note says what did
            return Answer(GATEWAY, page="crash", said=(Note("wrong", (f"{type(error).__name__}: {error}",)),))
        following, page, aside = onward(request, reply)
        said = [*self.words.written(self.watched, request, self.realm.now()), *self.words.judged(reply)]
        if following is not None and following.path == "/authorize":
            said.append(Note("left", (dict(following.fields)["state"],)))
        cookies = self._cookies(reply, self._visitor(request).browser)
        return Answer(GATEWAY, cookies, following, page, aside, tuple(said), claims(reply))

    async def _reply(self, request: Request) -> Reply:
        cases, visitor = self.cases, self._visitor(request)

        def picked(*names: str) -> dict[str, str]:
            return {name: text for name, text in request.fields if name in names}

        said = picked("state", "receipt", "bind", "error", "logout_token")
        match request.path:
            case "/login":
                wanted = picked("chain", "return_to", "app", "prompt", "login_hint")
                reply = await cases.login(visitor, LoginParams(**wanted))
            case "/callback":
                reply = await cases.callback(visitor, CallbackParams(**picked("state", "code", "iss", "error")))
            case "/logout":
                wanted = picked("confirm") or picked("chain", "return_to", "app", "scope", "request")
                reply = await cases.logout(visitor, LogoutParams(**wanted))
            case "/logged-out":
                reply = await cases.resume.logged_out(visitor, said.get("state", ""))
            case "/relay":
                reply = await cases.relay(visitor, Returned(**said))
            case "/resume":
                reply = await cases.resume.resume(visitor)
            case _:
                assert request.path == "/backchannel-logout", f"the gateway has no {request.path}"
                await cases.op_logged_out(said["logout_token"])
                reply = Go(self.realm.url("/resume"))  # nobody follows it: the provider asked, not a browser
        return reply

    def _visitor(self, request: Request) -> Visitor:
        cookies = dict(request.shown)
        whole, names = self.concerned(request)
        seen = cookies if whole else Concerned(cookies, names, self.watched.begun)
        return Visitor(bytes.fromhex(cookies.get(BROWSER, "")), seen)

    def _cookies(self, reply: Reply, browser: bytes) -> tuple[Cookie, ...]:
        now = self.clock.now_ms
        cookies = [(c.name, c.value, now + c.max_age * 1000 if c.value else 0) for c in reply.cookies]
        if reply.browser and reply.browser != browser:
            cookies.append((BROWSER, reply.browser.hex(), now + BROWSER_SECONDS * 1000))
        return tuple(cookies)
