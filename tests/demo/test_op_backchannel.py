"""The embedded provider tells its clients that a session is over, before the browser goes on, and waits for nobody."""

import asyncio
import base64
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from conftest import CLIENT, LOGGED_OUT
from support.wire import claims

from chain_gateway.demo.op.model import OpClient


@asynccontextmanager
async def receiver(status: int = 200, held: asyncio.Event | None = None):
    """A client's back-channel endpoint; what it was told, and its address."""
    told: list[str] = []

    async def take(request: web.Request) -> web.Response:
        told.append((await request.post())["logout_token"])
        if held is not None:
            await held.wait()
        return web.Response(status=status)

    app = web.Application()
    app.router.add_post("/told", take)
    async with TestServer(app) as server:
        yield told, str(server.make_url("/told"))


def clients(url: str) -> list[OpClient]:
    return [replace(CLIENT, backchannel_logout_uri=url)]


def header(token: str) -> dict[str, str]:
    text = token.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


async def sign_out(op, dialect: str = "oidc"):
    if dialect == "auth0":
        query = {"client_id": "gateway", "returnTo": LOGGED_OUT}
        return await op.browser.get("/v2/logout", params=query, allow_redirects=False)
    page = await op.browser.get("/session/end", allow_redirects=False)
    return await op.press(page, "/session/end/confirm", logout="yes")


@pytest.mark.parametrize(("dialect", "typ"), [("oidc", "logout+jwt"), ("auth0", "JWT")])
async def test_a_client_of_the_session_is_told_with_a_logout_token(visit, dialect, typ):
    """One token with session and person, the one event, no nonce, signed by the published key."""
    async with receiver() as (told, url):
        op = await visit(clients=clients(url), dialect=dialect)
        token_path = "/oauth/token" if dialect == "auth0" else "/token"
        sid = claims(await op.id_token(path=token_path))["sid"]
        await sign_out(op, dialect)
        (token,) = told
        assert header(token)["typ"] == typ
        said = claims(token)
        assert said.pop("jti")
        assert said == {
            "iss": op.op.issuer,
            "aud": "gateway",
            "iat": op.now,
            "exp": op.now + 120,
            "sub": "demo|alice",
            "sid": sid,
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        }
        assert op.op._keys.read(token) is not None


async def test_a_client_that_the_session_was_not_used_at_is_not_told(visit):
    """It has nothing to end."""
    async with receiver() as (told, url):
        other = OpClient("other", "o" * 32, ("http://other.localhost:9000/cb",), backchannel_logout_uri=url)
        op = await visit(clients=[CLIENT, other])
        await op.sign_in()
        await sign_out(op)
        assert told == []


async def test_who_stays_signed_in_is_told_of_nothing(visit):
    """No session has ended."""
    async with receiver() as (told, url):
        op = await visit(clients=clients(url))
        await op.sign_in()
        page = await op.browser.get("/session/end", allow_redirects=False)
        await op.press(page, "/session/end/confirm", logout="no")
        assert told == []


async def test_a_client_that_fails_or_hangs_keeps_no_browser(visit):
    """The session is over and the browser goes on, whatever the client answers, or does not."""
    held = asyncio.Event()
    async with receiver(500) as (told, url):
        op = await visit(clients=clients(url))
        await op.sign_in()
        assert (await sign_out(op)).status == 200
        assert len(told) == 1
    async with receiver(held=held) as (told, url):
        op = await visit(clients=clients(url), patience=0.3)
        await op.sign_in()
        assert (await sign_out(op)).status == 200
        assert len(told) == 1
        assert not await op.signed_in()
        held.set()
    op = await visit(clients=clients("http://127.0.0.1:9/told"))
    await op.sign_in()
    assert (await sign_out(op)).status == 200
