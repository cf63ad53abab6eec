"""The apps of an explored world: the SDK's own side of a hop, with its memory, as a function of numbers.

Hop and session rule, cookies and memory are the SDK's; only the web framework around them is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterator
from http.cookies import SimpleCookie
from typing import NamedTuple

from exploration_parts import Clock, Draws
from exploration_values import (
    ANSWERS,
    GATEWAY,
    JARS,
    REQUESTS,
    Answer,
    Cookie,
    Frozen,
    Note,
    Request,
    at_once,
    origin_of,
)
from exploration_words import to

from chain_gateway.core.chain import App
from chain_gateway.sdk.app_side import AppSide, Arrival
from chain_gateway.sdk.config import ChainConfig
from chain_gateway.sdk.keys import FixedKeys
from chain_gateway.sdk.memory import InProcessMemory
from chain_gateway.sdk.reply import Reply
from chain_gateway.sdk.session import Session, Shown, outlived
from chain_gateway.tokens.encoding import b64d, strict_json
from chain_gateway.tokens.ticket import GatewayKeys

WELL = "answers"
FAILS, SILENT, IDLES, BREAKS = "answers error", "leaves the receipt out", "sends back without acting", "shows a page"
MOODS = (FAILS, SILENT, IDLES, BREAKS)


class Treated(NamedTuple):
    """What an app did with a ticket: ``sets`` says whether its answer brings a session or a tombstone."""

    app: str
    epoch: int
    act: str
    outcome: str
    sets: bool


class HookDown(Exception):
    """The app's own code fails."""


class Forgetful(InProcessMemory):
    """Remembers tickets, and not which sessions were ended."""

    async def revoke(self, *_: object) -> None:
        """Forgets it at once."""


class AppServer:
    """One app between two moments."""

    def __init__(
        self,
        app: App,
        secret: str,
        keys: GatewayKeys,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        *,
        forgetful: bool = False,
    ) -> None:
        """``keys`` are the gateway's; ``loop`` is for what asks for one."""
        self.id = app.id
        self.origin = app.origin
        self.draws = Draws()
        self._clock = clock
        self._loop = loop
        self._failing = False
        self.memory = Forgetful() if forgetful else InProcessMemory()
        config = ChainConfig(
            gateway=origin_of(GATEWAY),
            app_id=app.id,
            origin=app.origin,
            secret=secret,
            session_key=secret,
            memory=self.memory,
            on_login=self._hook,
            on_logout=self._hook,
        )
        self._side = AppSide(config, FixedKeys(keys), clock, self.draws)
        self.memories = Frozen(self.memory)
        self._known: dict[tuple[Hashable, ...], tuple[int, int]] = {}
        self._live: dict[tuple[int, int, int], Session | None] = {}
        self.calls = 0

    def serve(
        self, memory: int, now_ms: int, request: int, draws: tuple[Hashable, ...], mood: str = WELL
    ) -> tuple[int, int]:
        """What the app remembers afterwards, and its answer, by number."""
        key = (memory, now_ms, request, draws, mood)
        if key not in self._known:
            self.recall(memory, now_ms)
            self.draws.begin(*draws)
            answer = self._answer(REQUESTS.values[request], mood)
            self._known[key] = self.memories.number(self.memory), ANSWERS.number(answer)
            self.calls += 1
        return self._known[key]

    def live(self, jar: int, memory: int, now_ms: int) -> Session | None:
        """Who is signed in here, in a browser with these cookies."""
        key = (jar, memory, now_ms)
        if key not in self._live:
            self.recall(memory, now_ms)
            shown = self._shown(tuple((name, value) for name, value, until in JARS.values[jar] if until > now_ms))
            self._live[key] = at_once(self._side.session(shown), self._loop)
        return self._live[key]

    def recall(self, memory: int, now_ms: int) -> None:
        """Makes the app remember what has this number, at this time."""
        self.memories.restore(memory, self.memory)
        self._clock.now_ms = now_ms

    async def told(self, logout_token: str) -> int:
        """What the app answers to a logout token by the back channel, from what it remembers now."""
        return (await self._side.backchannel_logout(logout_token)).status

    async def _hook(self, *_: object) -> None:
        if self._failing:
            raise HookDown

    def _shown(self, cookies: tuple[tuple[str, str], ...]) -> Shown:
        return self._side.jar.shown(dict(cookies), self._side.now)

    def _answer(self, request: Request, mood: str) -> Answer:
        if request.path == "/":
            gone = outlived(self._shown(request.shown))
            return Answer(self.id, tuple((name, "", 0) for name in gone), page="at the app")
        if mood == BREAKS:
            return Answer(self.id, page="stranded")
        fields = dict(request.fields)
        text = fields.get("ticket") or fields["begin"]
        ticket = payload(text)
        if mood == IDLES:
            return Answer(self.id, onward=to(str(ticket["return"])))
        self._failing = mood == FAILS
        shown = self._shown(request.shown)
        origin = origin_of(GATEWAY) if request.posted else ""
        arrival = Arrival(request.posted, origin, fields.get("ticket", ""), fields.get("begin", ""), shown)
        reply = at_once(self._side.hop(arrival), self._loop)
        self._failing = False
        return self._told(request, ticket, reply, hides=mood == SILENT)

    def _told(self, request: Request, ticket: dict[str, object], reply: Reply, *, hides: bool) -> Answer:
        cookies = tuple(self._set(reply))
        if not reply.location:
            return Answer(self.id, cookies, page="stranded")
        onward = to(reply.location)
        receipt = dict(onward.fields).get("receipt", "")
        if not receipt:
            return Answer(self.id, cookies, onward)
        outcome = str(payload(receipt)["outcome"])
        brought = [(name, value) for name, value, _ in cookies if value]
        shown = self._shown(request.shown)
        overruled = shown.barrier(ticket["bid"]) >= ticket["epoch"] or any(
            s.epoch > ticket["epoch"] for s in shown.sessions
        )
        said = [Note("treated", Treated(self.id, ticket["epoch"], ticket["act"], outcome, bool(brought)))]
        if overruled and (ticket["act"], outcome) == ("login", "applied"):
            said.append(Note("wrong", (f"I4: {self.id} calls a login applied that its cookies overrule",)))
        if brought:
            said.append(Note("applied", (self.id, ticket["jti"], self._recognises(request, ticket))))
        if hides:
            onward = onward._replace(fields=tuple(pair for pair in onward.fields if pair[0] != "receipt"))
        else:
            said.append(Note("receipt", (ticket["walk"], ticket["hop"], outcome)))
        heard = (Note("reached", Treated(self.id, ticket["epoch"], ticket["act"], outcome, bool(brought))),)
        return Answer(self.id, cookies, onward, said=tuple(said), heard=heard)

    def _recognises(self, request: Request, ticket: dict[str, object]) -> bool:
        """Whether the request shows that it is the browser of the first answer to this ticket."""
        shown = self._shown(request.shown)
        if "cnf" in ticket:
            return bool(shown.bind)
        marks = {s.jti for s in shown.sessions} | {t.jti for t in shown.tombstones}
        own = ticket["act"] == "logout" and any(s.bid == ticket["bid"] for s in shown.sessions)
        return own or ticket["jti"] in marks

    def _set(self, reply: Reply) -> Iterator[Cookie]:
        for text in reply.cookies:
            for name, morsel in SimpleCookie(text).items():
                yield name, morsel.value, self._clock.now_ms + int(morsel["max-age"]) * 1000 if morsel.value else 0


def payload(jws: str) -> dict[str, object]:
    """The claims of a JWS, whoever signed it."""
    return strict_json(b64d(jws.split(".")[1]))
