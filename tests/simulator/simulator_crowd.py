"""Thousands of browsers at once: the real use cases and the real app side, without the network between them.

Each browser is a task that lets go after every request. Who goes on next is drawn, so the walks are mixed step by step,
in an order that a seed repeats. The provider is a desk that believes everybody; all else is the project's own.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from simulator_world import NAMES, document
from support.app_keys import Keys
from support.wire import query
from support.world import SECRET, Clock

from chain_gateway.assembly import app_keys, use_cases
from chain_gateway.config.load import parse
from chain_gateway.config.registry import registry
from chain_gateway.core.walk import OpLogout
from chain_gateway.errors import BrowserUnknown, WalkGone
from chain_gateway.hops.base import Returned
from chain_gateway.oidc.authorization import LoginRequest
from chain_gateway.oidc.logout_token import OpLogout as OpLogoutToken
from chain_gateway.oidc.sign_in import SignIn
from chain_gateway.sdk.app_side import AppSide, Arrival
from chain_gateway.sdk.config import ChainConfig
from chain_gateway.sdk.keys import FixedKeys
from chain_gateway.sdk.reply import Reply as AppReply
from chain_gateway.service.callback import CallbackParams
from chain_gateway.service.login import LoginParams
from chain_gateway.service.logout import LogoutParams
from chain_gateway.service.realm import Realm, Visitor
from chain_gateway.service.views import ConfirmPage, Go, HopPage, PausePage, Reply, Show, WalkPage
from chain_gateway.store.memory import MemoryStore
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.tokens.ticket import GatewayKeys

URLS = {name: f"https://{name}.example" for name in ("login", *NAMES)}
DESK = "https://id.example"
AT_ONCE = 64
"""How many browsers take their next step together, so that requests overlap as well."""
FAULTS = ("request lost", "answer lost", "twice", "no receipt", "another's return", "tab closed")
ONE_IN = 10


class Desk:
    """A provider that takes the name in the code for the person's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def login_url(self, request: LoginRequest) -> str:
        return f"{DESK}/authorize?state={request.state}"

    def login_origin(self) -> str:
        return DESK

    async def redeem(self, code: str, verifier: str, nonce: str) -> SignIn:  # noqa: ARG002 - the port's signature
        return SignIn(code, "", int(self._clock()), "", {"name": code}, "")

    async def check_response_issuer(self, iss: str | None) -> None:
        """Every response is its own."""

    async def read_logout_token(self, text: str) -> OpLogoutToken:
        raise NotImplementedError(text)

    async def logout_url(self, id_token: str, sid: str, state: str) -> str | None:  # noqa: ARG002
        return None


@dataclass
class Turns:
    """Whose turn it is."""

    drawn: random.Random
    waiting: list[asyncio.Future[None]] = field(default_factory=list)

    async def turn(self) -> None:
        """Returns when it is this one's turn."""
        mine = asyncio.get_running_loop().create_future()
        self.waiting.append(mine)
        await mine

    async def run(self, tasks: list[asyncio.Task[None]]) -> None:
        """Gives turns until all tasks are done or wait for something else."""
        everybody = asyncio.gather(*tasks)
        while not everybody.done():
            await asyncio.sleep(0)
            for _ in range(min(AT_ONCE, len(self.waiting))):
                at = self.drawn.randrange(len(self.waiting))
                self.waiting[at], self.waiting[-1] = self.waiting[-1], self.waiting[at]
                self.waiting.pop().set_result(None)
        await everybody


class Crowd:
    """A gateway and its apps, and what all browsers share. The back channel goes straight to the apps."""

    def __init__(self, seed: int) -> None:
        self.clock = Clock()
        self.turns = Turns(random.Random(seed))
        settings = parse(document(URLS, DESK), base=Path("/"), environ={})
        self.keyring = Keyring.generate(int(self.clock()) - 10, os.urandom)
        self.store = MemoryStore()
        self.realm = Realm(
            public_url=URLS["login"],
            op_issuer=DESK,
            registry=registry(settings),
            app_keys=Keys(app_keys(settings)),
            keyring=lambda: self.keyring,
            store=self.store,
            clock=self.clock,
            random=os.urandom,
            op_logout=OpLogout.NONE,
            confirm_logout="never",
        )
        self.cases, self.background = use_cases(self.realm, Desk(self.clock), self)
        keys = FixedKeys(GatewayKeys.from_jwks(self.keyring.jwks(int(self.clock()))))
        self.apps: dict[str, AppSide] = {}
        for name in NAMES:
            secrets = {"secret": SECRET + name, "session_key": SECRET + "k" + name}
            config = ChainConfig(gateway=URLS["login"], app_id=name, origin=URLS[name], **secrets)
            self.apps[name] = AppSide(config, keys, self.clock, os.urandom)
        self.returns: list[tuple[str, str]] = []
        """Chain tokens of some browsers, and whose they are, for others to try."""
        self.met: Counter[str] = Counter()

    async def ask(self, url: str) -> bool:  # noqa: ARG002 - the port's signature
        return True

    async def post(self, url: str, logout_token: str) -> int | None:
        app = next(name for name in NAMES if url.startswith(URLS[name]))
        return (await self.apps[app].backchannel_logout(logout_token)).status

    async def round(self, name: str) -> object:
        return await next(each for each in self.background._rounds if each.name == name).run()


class Client:
    """One browser, and the person in front of it."""

    def __init__(self, crowd: Crowd, number: int) -> None:
        self._crowd = crowd
        self.name = f"person {number}"
        self._browser = b""
        self._own: dict[str, str] = {}
        self._jars: dict[str, dict[str, str]] = {name: {} for name in NAMES}
        self.end = ""

    async def log_in(self, everybody: asyncio.Barrier) -> None:
        """Signs in; all have begun before the first goes on."""
        reply = await self._step(self._crowd.cases.login(self._visitor, LoginParams(app="shop")))
        state = query(reply.url)["state"]
        reply = await self._step(self._crowd.cases.callback(self._visitor, CallbackParams(state, self.name)))
        await everybody.wait()
        await self._walk(reply)

    async def log_out(self, everybody: asyncio.Barrier) -> None:
        """Signs out everywhere."""
        reply = await self._step(self._crowd.cases.logout(self._visitor, LogoutParams(app="shop")))
        await everybody.wait()
        await self._walk(reply)

    async def signed_in(self) -> dict[str, str]:
        """Who is signed in where."""
        found = {}
        for name, side in self._crowd.apps.items():
            session = await side.session(side.jar.shown(self._jars[name], side.now))
            if session is not None:
                found[name] = session.sub
        return found

    @property
    def _visitor(self) -> Visitor:
        return Visitor(self._browser, dict(self._own))

    async def _step(self, request: Awaitable[Reply]) -> Reply:
        """One request to the gateway, when it is this browser's turn."""
        await self._crowd.turns.turn()
        reply = await request
        self._browser = reply.browser or self._browser
        for cookie in reply.cookies:
            self._own[cookie.name] = cookie.value
            if not cookie.value:
                del self._own[cookie.name]
        return reply

    async def _walk(self, reply: Reply) -> None:
        """Goes on until there is no further step, with a fault in one of ten hops."""
        drawn, faulty = self._crowd.turns.drawn, set[str]()
        while (leads := _leads(reply)) is not None:
            name, ticket, posted = leads
            if not name:
                reply = await self._step(self._crowd.cases.relay(self._visitor, Returned(query(ticket)["state"])))
                continue
            fault = drawn.choice(FAULTS) if name not in faulty and not drawn.randrange(ONE_IN) else ""
            faulty.add(name)
            self._crowd.met[fault] += 1
            if fault == "tab closed":
                self.end = "left"
                return
            reply = await self._hop(name, ticket, posted=posted, fault=fault)
        self.end = "back" if isinstance(reply, Go) else "page"

    async def _hop(self, name: str, ticket: str, *, posted: bool, fault: str) -> Reply:
        if fault == "request lost":
            return await self._resume()
        answer = await self._visit(name, ticket, posted=posted)
        if fault == "twice":
            answer = await self._visit(name, ticket, posted=posted)
        if fault == "answer lost":
            return await self._resume()
        for text in answer.cookies:
            for cookie, morsel in SimpleCookie(text).items():
                self._jars[name][cookie] = morsel.value
                if not morsel.value:
                    del self._jars[name][cookie]
        back = query(answer.location)
        if fault == "another's return":
            await self._try_another(back)
        receipt = "" if fault == "no receipt" else back["receipt"]
        returned = Returned(back["state"], receipt)
        return await self._step(self._crowd.cases.relay(self._visitor, returned))

    async def _try_another(self, mine: Mapping[str, str]) -> None:
        """Brings back what belongs to another browser; nothing may come of it."""
        self._crowd.returns.append((self.name, mine["state"]))
        name, state = self._crowd.turns.drawn.choice(self._crowd.returns)
        if name == self.name:
            return
        with pytest.raises(BrowserUnknown):
            await self._step(self._crowd.cases.relay(self._visitor, Returned(state, mine["receipt"])))

    async def _visit(self, name: str, ticket: str, *, posted: bool) -> AppReply:
        await self._crowd.turns.turn()
        side = self._crowd.apps[name]
        shown = side.jar.shown({} if posted else self._jars[name], side.now)
        return await side.hop(Arrival(posted, URLS["login"] if posted else "", ticket, "", shown))

    async def _resume(self) -> Reply:
        """Stranded: goes on at the gateway."""
        try:
            return await self._step(self._crowd.cases.resume.resume(self._visitor))
        except WalkGone:
            return Go("")


def _leads(reply: Reply) -> tuple[str, str, bool] | None:
    """The next hop (app, ticket, whether it is posted), a step of the gateway's own (empty, URL), or None."""
    if isinstance(reply, Show) and isinstance(reply.page, HopPage):
        return _app(reply.page.hop_url), reply.page.ticket, True
    if isinstance(reply, Show) and isinstance(reply.page, PausePage):
        return "", reply.page.continue_url, False
    if isinstance(reply, Show) and isinstance(reply.page, WalkPage) and "/relay?" in reply.page.resume_url:
        return "", reply.page.resume_url, False
    assert not (isinstance(reply, Show) and isinstance(reply.page, ConfirmPage))
    if isinstance(reply, Go) and "/chain/hop?" in reply.url:
        return _app(reply.url), query(reply.url)["ticket"], False
    return None


def _app(url: str) -> str:
    return next(name for name in NAMES if url.startswith(URLS[name] + "/"))
