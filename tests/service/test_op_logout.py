"""The provider says that a session is over: every rule of Back-Channel Logout 1.0, and what follows at the apps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import pytest
from support.browser import Browser
from support.op import ec_key, hs256_with, signed
from support.wire import told
from support.world import SECRET, World, a_world, choose

from chain_gateway.core.limits import SKEW_SECONDS
from chain_gateway.errors import StoreUnavailable
from chain_gateway.resolver import LoopbackResolver
from chain_gateway.service.op_logout import _signed_in_after
from chain_gateway.service.op_session import OpSession, OpSessions
from chain_gateway.store.memory import MemoryStore
from chain_gateway.tokens.encoding import b64e

EVENT = "http://schemas.openid.net/event/backchannel-logout"


class Failing(MemoryStore):
    """A store that takes no ledger entries while it fails."""

    failing = False

    async def note(self, *args: object) -> None:
        if self.failing:
            raise StoreUnavailable("failing")
        await super().note(*args)


@asynccontextmanager
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(resolver=LoopbackResolver())
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


def the_browser(world: World) -> bytes:
    """The one browser that the store knows."""
    (browser,) = world.store._browsers
    return browser


def sids(world: World) -> list[str]:
    """The sessions at the provider, the oldest first."""
    return [session.sid for _, session in world.op._state.sessions._items.values()]


def token_claims(world: World, **changes: object) -> dict[str, object]:
    """A logout token's claims for the newest session; None takes one away."""
    now = int(world.clock())
    usual = {
        "iss": world.op.issuer,
        "aud": "gateway",
        "iat": now,
        "exp": now + 120,
        "jti": b64e(world.realm.random(16)),
        "sub": "demo|alice",
        "sid": sids(world)[-1],
        "events": {EVENT: {}},
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def token(world: World, header: Mapping[str, object] | None = None, **changes: object) -> str:
    """A logout token that the provider signed."""
    key = world.op._keys._keys[0]
    return signed(key, token_claims(world, **changes), **{"typ": "logout+jwt", **(header or {})})


async def tell(world: World, text: str) -> tuple[int, dict[str, str]]:
    """Posts a logout token to the gateway as the provider would; status and answer."""
    async with http() as session:
        url = world.gateway + "/backchannel-logout"
        async with session.post(url, data={"logout_token": text}) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            return answer.status, await answer.json() if "json" in answer.content_type else {}


async def sign_out_at_provider(world: World, browser: Browser) -> None:
    """Signs out on the provider's own page, which no site asked for."""
    await browser.open(world.op.issuer.rstrip("/") + "/session/end")
    await browser.submit(browser.page.forms[0], ("logout", "yes"))


async def test_a_sign_out_at_the_provider_reaches_every_app() -> None:
    """One token to the gateway, and no app has the session any more, whatever the browser does."""
    async with a_world(op_tells=True) as world, world.browser() as b:
        await world.sign_in(b)
        await sign_out_at_provider(world, b)
        assert await world.deliver() == 3
        assert await world.signed_in(b) == {}
        assert await world.owed() == {}
        page = await b.open(f"{world.gateway}/login?app=bank&prompt=none")
        assert page.url == world.apps["bank"] + "/?error=login_required"


async def test_a_token_as_it_should_be_is_taken() -> None:
    """The ground on which each rule is broken below."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        assert await tell(world, token(world)) == (200, {})
        await world.deliver()
        assert await world.signed_in(b) == {}


@pytest.mark.parametrize("typ", [None, "JWT", "jwt", "logout+jwt", "LOGOUT+JWT"])
async def test_its_type_may_be_any_of_those_that_providers_use(typ: str | None) -> None:
    """Explicit typing is only recommended (section 2.4)."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        assert (await tell(world, token(world, {"typ": typ})))[0] == 200


NOW = 1_800_000_000
BROKEN = {
    "iss": ({"iss": "https://evil.example"}, "iss"),
    "no iss": ({"iss": None}, "iss"),
    "aud": ({"aud": "another"}, "aud"),
    "no aud": ({"aud": None}, "aud"),
    "aud of others": ({"aud": ["another", "third"]}, "aud"),
    "nonce": ({"nonce": "n"}, "nonce"),
    "empty nonce": ({"nonce": ""}, "nonce"),
    "no events": ({"events": None}, "events"),
    "another event": ({"events": {"https://evil.example/event": {}}}, "events"),
    "events as text": ({"events": EVENT}, "events"),
    "event as text": ({"events": {EVENT: "yes"}}, "events"),
    "no jti": ({"jti": None}, "jti"),
    "neither sub nor sid": ({"sub": None, "sid": None}, "sub"),
    "sid as number": ({"sid": 5}, "sid"),
    "sub as list": ({"sub": ["demo|alice"]}, "sub"),
    "no iat": ({"iat": None}, "iat"),
    "iat as text": ({"iat": "now"}, "iat"),
    "iat of the future": ({"iat": NOW + 61}, "iat"),
    "iat of long ago": ({"iat": NOW - 241}, "iat"),
    "expired": ({"exp": NOW - 60}, "exp"),
    "exp as text": ({"exp": "late"}, "exp"),
}


@pytest.mark.parametrize(("changes", "check"), BROKEN.values(), ids=BROKEN)
async def test_a_token_that_breaks_a_rule_changes_nothing(changes: dict[str, object], check: str) -> None:
    """400 with the rule's name, and every session stands (section 2.6, T42)."""
    async with a_world("shop") as world, world.browser() as b:
        await world.sign_in(b)
        status, answer = await tell(world, token(world, **changes))
        assert (status, answer["error"]) == (400, "invalid_request")
        assert answer["error_description"] == f"token_refused.{check}"
        assert await world.owed() == {}
        await world.deliver()
        assert await world.signed_in(b) == {"shop": "demo|alice"}


def forged(world: World) -> dict[str, str]:
    """Texts that the provider did not sign, or that are no logout tokens."""
    mine = ec_key(world.op._keys._keys[0].kid)
    public = str(world.op._keys.jwks()["keys"][0]["x"]).encode()
    hs256 = {"alg": "HS256", "typ": "logout+jwt"}
    whole = token(world)
    head, body, signature = whole.split(".")
    return {
        "of another key": signed(mine, token_claims(world), typ="logout+jwt"),
        "unsigned": f"{head}.{body}.",
        "of no algorithm": signed(world.op._keys._keys[0], token_claims(world), typ="logout+jwt").replace(
            head, b64e(b'{"alg":"none","typ":"logout+jwt"}')
        ),
        "of the client's secret": hs256_with(SECRET.encode(), hs256, token_claims(world)),
        "of the public key": hs256_with(public, hs256, token_claims(world)),
        "of another type": token(world, {"typ": "at+jwt"}),
        "cut": whole[:-2],
        "of two parts": f"{head}.{signature}",
        "empty": "",
        "no token at all": "x",
        "too long": "x" * 8193,
    }


async def test_a_token_that_the_provider_did_not_sign_changes_nothing() -> None:
    """Whatever it says; and an ID token is none (T14, T15, T42)."""
    async with a_world("shop") as world, world.browser() as b:
        await world.sign_in(b)
        for what, text in forged(world).items():
            assert (await tell(world, text))[0] == 400, what
        known = await world.store.browser(the_browser(world))
        assert known is not None
        session = OpSessions(world.realm).read(known)
        assert session is not None
        status, answer = await tell(world, session.id_token)
        assert (status, answer["error_description"]) == (400, "token_refused.nonce")
        assert await world.owed() == {}
        assert await world.signed_in(b) == {"shop": "demo|alice"}


async def test_a_form_without_a_token_is_refused() -> None:
    """And so is what is no form."""
    async with a_world("shop") as world, http() as session:
        url = world.gateway + "/backchannel-logout"
        for body in ({"data": {}}, {"data": {"token": "x"}}, {"json": {"logout_token": "x"}}):
            async with session.post(url, **body) as answer:
                assert answer.status == 400


async def test_a_token_counts_once() -> None:
    """The second time it is refused, and ends no sign-in that came between (T42)."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        text = token(world)
        assert (await tell(world, text))[0] == 200
        await world.deliver()
        world.clock.now += 5
        world.op.forget_sessions()
        await world.sign_in(b)
        status, answer = await tell(world, text)
        assert (status, answer["error_description"]) == (400, "token_refused.replayed")
        await world.deliver()
        assert await world.signed_in(b) == dict.fromkeys(world.apps, "demo|alice")


async def test_a_token_whose_effect_was_not_written_down_may_come_again() -> None:
    """The store failed meanwhile: 503, and the provider's next try is no replay."""
    store = Failing()
    async with a_world(store=store) as world, world.browser() as b:
        await world.sign_in(b)
        text = token(world)
        store.failing = True
        assert (await tell(world, text))[0] == 503
        store.failing = False
        await tell(world, text)
        await world.deliver()
        assert await world.signed_in(b) == {}


async def test_without_the_provider_to_verify_it_nothing_is_decided() -> None:
    """Its keys cannot be fetched: 502, so that it tries again."""
    async with a_world("shop") as world:
        async with world.browser() as b:
            await world.sign_in(b)
        text = token(world, {"kid": "unknown"})
        await world.runners["id"].cleanup()
        assert (await tell(world, text))[0] == 502


async def test_a_session_ends_in_its_own_browser_alone() -> None:
    """`sid` names one session, whoever else is signed in."""
    async with a_world() as world, world.browser() as one, world.browser() as other:
        await world.sign_in(one)
        await world.sign_in(other)
        await tell(world, token(world, sub=None, sid=sids(world)[0]))
        await world.deliver()
        assert await world.signed_in(one) == {}
        assert len(await world.signed_in(other)) == 3


async def test_a_person_is_signed_out_of_every_browser() -> None:
    """`sub` without `sid` names all of a person's sessions, and nobody else's."""
    async with a_world() as world, world.browser() as one, world.browser() as other, world.browser() as bobs:
        await world.sign_in(one)
        await world.sign_in(other)
        await world.sign_in(bobs, who="bob")
        await tell(world, token(world, sid=None))
        await world.deliver()
        assert await world.signed_in(one) == await world.signed_in(other) == {}
        assert len(await world.signed_in(bobs)) == 3


@pytest.mark.parametrize("named", [{"sid": "nobody's"}, {"sub": "demo|carol", "sid": None}, {"sub": "demo|bob"}])
async def test_a_session_that_is_not_known_is_no_error(named: dict[str, object]) -> None:
    """200, and nothing has changed; a session and a person that do not belong together are nobody's."""
    async with a_world("shop") as world, world.browser() as b:
        await world.sign_in(b)
        assert (await tell(world, token(world, **named)))[0] == 200
        assert await world.owed() == {}
        assert await world.signed_in(b) == {"shop": "demo|alice"}


@pytest.mark.parametrize("when", ["first", "last"])
async def test_for_a_browser_that_is_signing_out_the_token_only_proves_the_provider(when: str) -> None:
    """Nothing is owed twice, and the page says that the provider has confirmed."""
    async with a_world(op_tells=True, op={"logout": when}) as world, world.browser() as b:
        await world.sign_in(b)
        await b.open(f"{world.gateway}/logout")
        b.halt_at = world.gateway + "/logged-out"
        await b.submit()
        await b.walk_on()
        assert await world.deliver() == 0
        b.halt_at = ""
        await b.open(b.page.url)
        page = await b.walk_on()
        assert "You are signed out" in page.text
        assert "Confirmed by all 3 sites and the sign-in provider." in page.text
        assert await world.owed() == {}
        assert all(front.tokens == [] for front in world.fronts.values())


async def test_a_token_after_the_walk_proves_the_provider_on_its_page() -> None:
    """The walk's page tells what has been proven since."""
    async with a_world() as world, world.browser() as b:
        await world.sign_in(b)
        text = token(world)
        await b.open(f"{world.gateway}/logout")
        await b.submit()
        await world.walk_out(b)
        walk = max(world.store._over.values(), key=lambda each: each.epoch)
        assert (await told(b, world.gateway, b64e(walk.id)))["op"] == "unproven"
        assert (await tell(world, text))[0] == 200
        assert (await told(b, world.gateway, b64e(walk.id)))["op"] == "applied"


async def test_a_login_under_way_ends_with_the_session_that_it_came_from() -> None:
    """No app gets a ticket any more, and those that had one are told (T26)."""
    async with a_world() as world, world.browser() as b:
        await b.open(f"{world.apps['shop']}/chain/login")
        await choose(b)
        await b.submit()
        await tell(world, token(world))
        page = await b.submit()
        assert "ticket" not in page.text
        await world.deliver()
        assert await world.signed_in(b) == {}


async def test_a_token_that_is_older_than_the_sign_in_ends_nothing() -> None:
    """By the provider's own clock: a token that was late is about what was before (T27)."""
    async with a_world("shop") as world, world.browser() as b:
        await world.sign_in(b)
        signed_in_at = int(world.clock())
        assert (await tell(world, token(world, sid=None, iat=signed_in_at - 1)))[0] == 200
        assert await world.owed() == {}
        assert (await tell(world, token(world, sid=None, iat=signed_in_at)))[0] == 200
        assert list(await world.owed()) == ["shop"]


def test_clocks_may_differ() -> None:
    """With `auth_time` both times are the provider's; without it ours stands in, and is not believed to the minute."""
    assert not _signed_in_after(OpSession(auth_time=NOW, epoch=(NOW + 300) * 1000), NOW)
    assert _signed_in_after(OpSession(auth_time=NOW + 1, epoch=NOW * 1000), NOW)
    assert not _signed_in_after(OpSession(epoch=(NOW + SKEW_SECONDS) * 1000), NOW)
    assert _signed_in_after(OpSession(epoch=(NOW + SKEW_SECONDS) * 1000 + 1), NOW)


async def test_apps_that_the_back_channel_does_not_reach_are_owed_nothing() -> None:
    """One that takes no logout is left alone."""
    async with a_world(apps={"bank": {"logout": "none"}}) as world, world.browser() as b:
        await world.sign_in(b)
        await tell(world, token(world))
        assert set(await world.owed()) == {"shop", "news"}
