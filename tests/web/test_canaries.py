"""Nothing that somebody could use, and nothing about a person, is in any line that a whole walk leaves behind (T45)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import quote

import pytest
import structlog
from support.browser import Browser, TooManyRedirects
from support.spans import Kept
from support.wire import claims, query, ticket_on
from support.world import SECRET, World, a_world, choose

from chain_gateway.errors import StoreUnavailable
from chain_gateway.service.op_session import OpSessions
from chain_gateway.store.memory import MemoryStore
from chain_gateway.tokens.encoding import b64d
from chain_gateway.tokens.purposes import Purpose

MODES = {"bank": {"login": "two_step"}, "news": {"logout": "back_channel"}}
SHORTEST = 16
"""What is shorter is no secret, and could stand in a line by chance."""
PERSON = ("demo|alice", "demo|bob", "alice@example.test", "bob@example.test")
SECRET_FIELDS = ("ticket", "begin", "state", "receipt", "bind", "request", "code", "confirm", "form", "id_token_hint")


class Observed(Browser):
    """A browser that notes all it is given that is nobody else's business."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    async def _ask(self, method, url, data, headers, start):
        status, answer, text = await super()._ask(method, url, data, headers, start)
        self._note(query(url))
        self._note(query(answer.get("Location", "")))
        self._note(data or {})
        self.seen |= {line.partition("=")[2].partition(";")[0] for line in self.set_cookies}
        return status, answer, text

    def _note(self, fields: dict[str, str]) -> None:
        self.seen |= {value for name, value in fields.items() if name in SECRET_FIELDS}


@contextmanager
def everything_said(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """All that is logged at any level, before any filter, and all that is printed."""
    said: list[str] = []

    def keep(_logger: object, method: str, event: dict[str, object]) -> dict[str, object]:
        said.append(f"{method} {event!r}")
        raise structlog.DropEvent

    caplog.set_level(logging.DEBUG)
    structlog.configure(
        processors=[structlog.processors.format_exc_info, keep],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        cache_logger_on_first_use=False,
    )
    try:
        yield said
        said += [caplog.text, *capfd.readouterr()]
    finally:
        structlog.reset_defaults()


def opened(world: World, browser: Browser) -> set[str]:
    """What is sealed inside the cookies that ``browser`` has at the gateway: verifiers, nonces, claims."""
    found: set[str] = set()
    now = int(world.clock())
    for name, text in browser.cookies(world.gateway).items():
        if name.startswith("__Host-chain-tx-"):
            content = json.loads(world.keyring.open(Purpose.TRANSACTION, text, 4096, now))
            found |= {content["verifier"], content["nonce"]}
    return found


async def stored(world: World, browser: Browser) -> set[str]:
    """What the store keeps of ``browser``: the ID token and the names of sessions."""
    text = browser.cookies(world.gateway)["__Host-chain-browser"]
    content = json.loads(world.keyring.open(Purpose.BROWSER, text, 4096, int(world.clock())))
    known = await world.store.browser(b64d(content["session"]["id"]))
    session = OpSessions(world.realm).read(known)
    return {session.id_token, session.sid, session.op_sid}


class Failing(MemoryStore):
    """A store that can be switched off."""

    dead = False

    def _check(self) -> None:
        if self.dead:
            raise StoreUnavailable("switched off")
        super()._check()


async def errors(world: World, b: Observed) -> None:
    """What goes wrong, with real tokens in the wrong places and at the wrong times."""
    tokens = sorted(b.seen, key=len)[-12:]
    for token in tokens:
        for path in ("login?app=", "login?login_hint=", "logout?app=shop&request=", "relay?state=", "callback?state="):
            await b.open(f"{world.gateway}/{path}{quote(token)}")
        await b.open(f"{world.gateway}/relay?state={quote(tokens[-1])}&receipt={quote(token)}&bind={quote(token)}")
        await b.open(f"{world.gateway}/callback?state={quote(tokens[-1])}&code={quote(token)}&error={quote(token)}")
        await b.open(f"{world.gateway}/walks/{quote(token)}")
        await b.open(f"{world.apps['shop']}/chain/hop?ticket={quote(token)}")
        await b.open(f"{world.apps['shop']}/chain/login?return_to={quote(token)}")
        await b._go("POST", f"{world.gateway}/backchannel-logout", {"logout_token": token}, {})


async def story(world: World, b: Observed) -> set[str]:
    """Two people sign in and out by every way there is, and much goes wrong; what was sealed on the way."""
    secret: set[str] = set()
    await b.open(f"{world.apps['shop']}/chain/login")
    secret |= opened(world, b)
    await choose(b)
    secret |= {value for value in ticket_on(b).values() if isinstance(value, str)} - {ticket_on(b)["walk"]}
    await b.walk_on()
    assert await world.signed_in(b) == dict.fromkeys(world.apps, "demo|alice")
    secret |= await stored(world, b)
    world.clock.now += 1
    await b.open(f"{world.apps['news']}/chain/login?prompt=login")
    await choose(b, "bob")
    await b.follow("Skip")
    await b.walk_on()
    secret |= await stored(world, b)
    await b.open(f"{world.gateway}/logout?app=bank&scope=app")
    await b.submit()
    await b.walk_on()
    await errors(world, b)
    world.store.dead = True
    await b.open(f"{world.apps['shop']}/chain/login")
    with suppress(StopIteration, AssertionError, TooManyRedirects):
        await choose(b)
    world.store.dead = False
    await world.sign_out(b)
    await b.submit()  # Shop was left out, and so has a session that the gateway does not know: it asks
    await world.walk_out(b)
    world.clock.now += 1000
    for each in world.background._rounds:
        await each.run()
    await b.open(f"{world.gateway}/login?app=shop")
    await b.open(f"{world.op.issuer}/")
    return secret


def found_in(said: list[str], secrets: set[str]) -> dict[str, list[str]]:
    """Which of ``secrets``, whole or a long part of them, stand in which lines."""
    parts = {part for secret in secrets for part in (secret, *secret.split(".")) if len(part) >= SHORTEST}
    return {part: lines for part in parts if (lines := [line for line in said if part in line])}


async def test_no_canary_is_in_anything_that_a_walk_leaves_behind(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """App secrets, client secret, keys, codes, verifiers, tickets, receipts, tokens, cookies, ID tokens, the person."""
    with everything_said(caplog, capfd) as said:
        async with a_world(store=Failing(), apps=MODES) as world, Observed() as b:
            sealed = await story(world, b)
            keys = {key["secret"] for key in json.loads(world.keyring.dump())["keys"]}
    given = {SECRET, *(SECRET + name for name in world.apps), *keys}
    assert len(b.seen) > 50
    assert any("delivery." in line for line in said)
    assert any("request.refused" in line for line in said)
    assert any("hop refused" in line for line in said)
    assert not found_in(said, given | b.seen | sealed)
    assert not [line for line in said for word in PERSON if word in line]
    assert not [line for line in said if "state=" in line or "ticket=" in line]


async def test_no_canary_is_in_any_span() -> None:
    """The same, for what is told to whoever collects traces: names, attributes, events, links, words of errors."""
    kept = Kept()
    async with a_world(store=Failing(), apps=MODES, tracing=kept.tracing) as world, Observed() as b:
        sealed = await story(world, b)
        keys = {key["secret"] for key in json.loads(world.keyring.dump())["keys"]}
    said = kept.said()
    assert len(said) > 200
    assert {"GET /relay", "POST /backchannel-logout", "app back_channel", "walk logout"} <= {s.name for s in kept.all()}
    assert any("StoreUnavailable" in line for line in said)
    given = {SECRET, *(SECRET + name for name in world.apps), *keys}
    assert not found_in(said, given | b.seen | sealed)
    assert not [line for line in said for word in (*PERSON, "?", "state=", "ticket=", "_go(") if word in line]


def test_a_canary_would_be_found() -> None:
    """The test above can fail: whole, and by one of its parts."""
    jws = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"
    assert found_in(["a line", f"with {jws}"], {jws})
    assert found_in(["with eyJzdWIiOiJhbGljZSJ9 alone"], {jws})
    assert not found_in(["with nothing"], {jws, "short"})
    assert claims(jws) == {"sub": "alice"}
