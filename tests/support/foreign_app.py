"""An app that has never heard of this protocol: it signs people in at the provider by itself, as its own client.

What a chain visits is what such apps have: an address that starts a login for a third party (OpenID Connect Core 1.0,
section 4), and a logout that goes on to an address on its list.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from html import escape

import aiohttp
from aiohttp import web

from chain_gateway.oidc.authorization import challenge_of
from chain_gateway.oidc.http import Client, LoginRequest, Provider
from chain_gateway.resolver import LoopbackResolver

TEMPLATES = {
    "external_login": "/login?iss={iss}&target_link_uri={target_link_uri}",
    "external_logout": "/logout?next={return_to}",
}
"""How a gateway's configuration names its two addresses, from the path on."""
SECRET = "the secret of an app without the SDK"
SESSION = "wiki_session"
PAGE = """<!doctype html>
<html lang="en"><title>A wiki</title>
<h1 id="state" data-signed-in="{signed_in}" data-sub="{sub}">A wiki</h1>
</html>"""


class ForeignApp:
    """The app; ``connect`` tells it where it is, whom it asks, and where its logout may lead."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """``clock`` gives seconds."""
        self._clock = clock
        self._sessions: dict[str, str] = {}
        self._logins: dict[str, tuple[str, str, str]] = {}
        self._provider: Provider | None = None
        self._allowed: tuple[str, ...] = ()
        self._issuer = ""
        self._own = ""

    def connect(self, own: str, issuer: str, *allowed: str) -> None:
        """``own`` is its origin, ``allowed`` are addresses that it may send people on to."""
        self._own, self._issuer, self._allowed = own, issuer, allowed

    def application(self) -> web.Application:
        """What serves it."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/", self._home),
                web.get("/whoami", self._whoami),
                web.get("/login", self._login),
                web.get("/callback", self._callback),
                web.get("/logout", self._logout),
            ]
        )
        app.cleanup_ctx.append(self._lifetime)
        return app

    async def _lifetime(self, _app: web.Application):
        connector = aiohttp.TCPConnector(resolver=LoopbackResolver())
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as self._http:
            yield

    def _known(self) -> Provider:
        if self._provider is None:
            client = Client(
                kind="oidc",
                issuer=self._issuer,
                client_id="wiki",
                client_secret=SECRET,
                redirect_uri=f"{self._own}/callback",
                post_logout_redirect_uri=f"{self._own}/",
            )
            self._provider = Provider(client, self._http, self._clock)
        return self._provider

    def _sub(self, request: web.Request) -> str:
        return self._sessions.get(request.cookies.get(SESSION, ""), "")

    async def _home(self, request: web.Request) -> web.Response:
        sub = self._sub(request)
        page = PAGE.format(signed_in="yes" if sub else "no", sub=escape(sub))
        return web.Response(text=page, content_type="text/html", headers={"Cache-Control": "no-store"})

    async def _whoami(self, request: web.Request) -> web.Response:
        return web.Response(text=self._sub(request))

    async def _login(self, request: web.Request) -> web.Response:
        target = request.query["target_link_uri"]
        if request.query["iss"] != self._issuer or target not in self._allowed:
            raise web.HTTPBadRequest
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        self._logins[state] = (nonce, verifier, target)
        url = await self._known().login_url(LoginRequest(state, nonce, challenge_of(verifier)))
        return _to(url, "wiki_state", state)

    async def _callback(self, request: web.Request) -> web.Response:
        state = request.query["state"]
        if request.cookies.get("wiki_state") != state:
            raise web.HTTPBadRequest
        nonce, verifier, target = self._logins.pop(state)
        signed_in = await self._known().redeem(request.query["code"], verifier, nonce)
        session = secrets.token_urlsafe(32)
        self._sessions[session] = signed_in.sub
        return _to(target, SESSION, session)

    async def _logout(self, request: web.Request) -> web.Response:
        if request.query["next"] not in self._allowed:
            raise web.HTTPBadRequest
        self._sessions.pop(request.cookies.get(SESSION, ""), None)
        return _to(request.query["next"], SESSION, "")


def _to(url: str, cookie: str, value: str) -> web.Response:
    """A redirect with a cookie, as such apps set them: Lax, without a prefix."""
    response = web.Response(status=302, headers={"Location": url})
    response.set_cookie(cookie, value, httponly=True, samesite="Lax")
    return response
