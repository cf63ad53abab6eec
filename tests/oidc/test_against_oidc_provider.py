"""The relying party and somebody else's OpenID Provider: two programs that never saw each other's code agree."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from joserfc import jws
from support.oidc_provider import Person, RunningProvider, oidc_provider
from support.op import ec_key

from chain_gateway.errors import SignInFailed
from chain_gateway.oidc.authorization import INTERACTION_CODES, challenge_of, read_response
from chain_gateway.oidc.http import Client, LoginRequest, Provider, SignIn
from chain_gateway.oidc.id_token import check_type
from chain_gateway.oidc.jws import read_signed

pytestmark = pytest.mark.node

VERIFIER = "a-verifier-that-is-at-least-forty-three-characters-long"
KEY = ec_key("ours")


@dataclass
class Meeting:
    """A running provider, us as its client, and a person; ``logout_tokens`` is what it told us on the back channel."""

    op: RunningProvider
    gateway: str
    session: aiohttp.ClientSession
    person: Person
    logout_tokens: list[str] = field(default_factory=list)

    def provider(self, **changes: Any) -> Provider:
        usual: dict[str, Any] = {
            "kind": "oidc",
            "issuer": self.op.issuer,
            "client_id": self.op.client_id,
            "client_secret": self.op.client_secret,
            "redirect_uri": f"{self.gateway}/callback",
            "post_logout_redirect_uri": f"{self.gateway}/logged-out",
        }
        return Provider(Client(**{**usual, **changes}), self.session, time.time, ("email", "name"))

    async def login(self, provider: Provider) -> SignIn:
        """From the login URL through the provider's pages to the person's sign-in."""
        url = await provider.login_url(LoginRequest("a-state", "a-nonce", challenge_of(VERIFIER), login_hint="alice"))
        back = await self.person.sign_in(url)
        assert (back.path, back.query["state"]) == ("/callback", "a-state")
        await provider.check_response_issuer(back.query.get("iss"))
        return await provider.redeem(read_response(back.query), VERIFIER, "a-nonce")

    async def silently(self, provider: Provider) -> str:
        """The code of a login that may show no page; SignInFailed if the provider would have to."""
        url = await provider.login_url(LoginRequest("silent", "a-nonce", challenge_of(VERIFIER), prompt="none"))
        back = await self.person.silently(url)
        assert back.query["state"] == "silent"
        await provider.check_response_issuer(back.query.get("iss"))
        return read_response(back.query)


@asynccontextmanager
async def a_meeting() -> AsyncIterator[Meeting]:
    logout_tokens: list[str] = []

    async def receive(request: web.Request) -> web.Response:
        logout_tokens.append(str((await request.post())["logout_token"]))
        return web.Response()

    app = web.Application()
    app.router.add_post("/backchannel-logout", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    gateway = f"http://login.localhost:{runner.addresses[0][1]}"
    common = {"redirect_uris": [f"{gateway}/callback"], "grant_types": ["authorization_code"]}
    clients = [
        {
            "client_id": "by-form",
            "client_secret": "s" * 32,
            "token_endpoint_auth_method": "client_secret_post",
            **common,
        },
        {
            "client_id": "by-key",
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "jwks": {"keys": [KEY.as_dict(private=False)]},
            **common,
        },
    ]
    try:
        async with (
            oidc_provider(gateway, clients=clients) as op,
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser,
        ):
            yield Meeting(op, gateway, session, Person(browser, gateway), logout_tokens)
    finally:
        await runner.cleanup()


async def test_a_person_signs_in() -> None:
    """Through the provider's own pages, with a secret that needs encoding; the email comes by userinfo."""
    async with a_meeting() as meeting:
        before = int(time.time())
        sign_in = await meeting.login(meeting.provider())
        assert sign_in.sub == "alice"
        assert sign_in.claims == {"email": "alice@example.test", "name": "Name of alice"}
        assert sign_in.sid
        assert sign_in.auth_time is not None
        assert before <= sign_in.auth_time <= time.time()
        assert meeting.person.pages == 2
        assert (await meeting.provider().metadata()).authorization_response_iss_parameter_supported


async def test_we_prove_ourselves_by_form_and_by_key() -> None:
    """The other ways of authentication are those that this provider demands of two other clients."""
    async with a_meeting() as meeting:
        by_form = meeting.provider(client_id="by-form", client_secret="s" * 32, auth_method="client_secret_post")
        assert (await meeting.login(by_form)).sub == "alice"
        by_key = meeting.provider(client_id="by-key", client_secret=None, private_key=KEY)
        assert (await meeting.login(by_key)).sub == "alice"
        wrong = meeting.provider(client_id="by-key", client_secret=None, private_key=ec_key("ours"))
        with pytest.raises(SignInFailed) as caught:
            await wrong.redeem(await meeting.silently(wrong), VERIFIER, "a-nonce")
        assert caught.value.code == "sign_in_failed.token_endpoint"


async def test_a_code_is_good_once_and_for_its_own_login() -> None:
    """The provider refuses a code without its verifier, and a second time; a foreign nonce is refused by us."""
    async with a_meeting() as meeting:
        provider = meeting.provider()
        await meeting.login(provider)
        with pytest.raises(SignInFailed) as caught:
            await provider.redeem(await meeting.silently(provider), f"{VERIFIER}-of-another", "a-nonce")
        assert caught.value.code == "sign_in_failed.code"
        with pytest.raises(SignInFailed) as caught:
            await provider.redeem(await meeting.silently(provider), VERIFIER, "another-nonce")
        assert caught.value.code == "sign_in_failed.nonce"
        code = await meeting.silently(provider)
        assert (await provider.redeem(code, VERIFIER, "a-nonce")).sub == "alice"
        with pytest.raises(SignInFailed) as caught:
            await provider.redeem(code, VERIFIER, "a-nonce")
        assert caught.value.code == "sign_in_failed.code"


async def test_a_silent_login_answers_without_a_page() -> None:
    """Before anybody signed in it says so by its code; afterwards it is the same session, of the same time."""
    async with a_meeting() as meeting:
        provider = meeting.provider()
        with pytest.raises(SignInFailed) as caught:
            await meeting.silently(provider)
        assert caught.value.code == "sign_in_failed.login_required"
        assert caught.value.code in INTERACTION_CODES
        first = await meeting.login(provider)
        again = await provider.redeem(await meeting.silently(provider), VERIFIER, "a-nonce")
        assert (again.sub, again.sid, again.auth_time) == (first.sub, first.sid, first.auth_time)


async def test_a_person_signs_out() -> None:
    """The logout comes back with our state, the back channel has told us before, and the session is gone."""
    async with a_meeting() as meeting:
        provider = meeting.provider()
        sign_in = await meeting.login(provider)
        url = await provider.logout_url(sign_in.id_token, sign_in.sid, "a-logout")
        assert url is not None
        back = await meeting.person.sign_out(url)
        assert (back.path, back.query["state"]) == ("/logged-out", "a-logout")
        assert await meeting.op.event() == {"event": "backchannel.success", "client": "gateway", "sid": sign_in.sid}
        (logout_token,) = meeting.logout_tokens
        told = json.loads(jws.extract_compact(logout_token.encode()).payload)
        assert (told["sub"], told["sid"]) == ("alice", sign_in.sid)
        with pytest.raises(SignInFailed) as caught:
            await meeting.silently(provider)
        assert caught.value.code == "sign_in_failed.login_required"


async def test_staying_signed_in_comes_back_the_same_way() -> None:
    """The other button leads to the same URL with the same state, and the session lives: a return proves nothing."""
    async with a_meeting() as meeting:
        provider = meeting.provider()
        sign_in = await meeting.login(provider)
        url = await provider.logout_url(sign_in.id_token, sign_in.sid, "a-logout")
        assert url is not None
        back = await meeting.person.sign_out(url, stay=True)
        assert (back.path, back.query["state"]) == ("/logged-out", "a-logout")
        with pytest.raises(SignInFailed) as caught:
            await meeting.silently(provider)
        assert caught.value.code == "sign_in_failed.consent_required"


async def test_its_logout_token_is_no_id_token() -> None:
    """What it signs for the back channel, with the same key and for the same client, signs nobody in."""
    async with a_meeting() as meeting:
        provider = meeting.provider()
        sign_in = await meeting.login(provider)
        url = await provider.logout_url(sign_in.id_token, sign_in.sid, "a-logout")
        assert url is not None
        await meeting.person.sign_out(url)
        (logout_token,) = meeting.logout_tokens
        with pytest.raises(SignInFailed) as caught:
            check_type(read_signed(logout_token, {"RS256"}))
        assert caught.value.code == "sign_in_failed.typ"


async def test_a_missing_package_is_a_failure_that_says_what_to_do(tmp_path: Path) -> None:
    """Where the provider cannot run, its tests go red: nothing is left out in silence."""
    with pytest.raises(RuntimeError, match="npm ci"):
        async with oidc_provider("http://login.localhost:1", node=tmp_path):
            pass


async def test_the_provider_ends_when_nobody_holds_its_input() -> None:
    """A test that dies leaves no program behind."""
    async with oidc_provider("http://login.localhost:1") as op:
        assert op.process.stdin is not None
        op.process.stdin.close()
        async with asyncio.timeout(10):
            assert await op.process.wait() == 0
