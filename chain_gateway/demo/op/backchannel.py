"""The provider tells its clients, server to server, that a session is over (OIDC Back-Channel Logout 1.0 §2.5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import aiohttp
from aiohttp import web

from chain_gateway.demo.op.model import Dialect, OpClient, Session
from chain_gateway.demo.op.state import OpState
from chain_gateway.resolver import LoopbackResolver

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
TOKEN_SECONDS: Final = 120
PATIENCE: Final = 3.0
"""Seconds for which a browser that signs out waits; a client that did not answer by then is not told again."""
TYPES: Final = {Dialect.OIDC: "logout+jwt", Dialect.AUTH0: "JWT"}
HTTP: Final = web.AppKey("http", aiohttp.ClientSession)


class BackChannel:
    """Signs logout tokens and posts them."""

    def __init__(self, state: OpState, patience: float) -> None:
        """``state`` has the keys, the clock, and which clients a session was used at; ``patience`` is in seconds."""
        self._state = state
        self._timeout = aiohttp.ClientTimeout(total=patience)

    async def tell(self, http: aiohttp.ClientSession, session: Session) -> None:
        """Returns when every client of ``session`` that wants to know has answered, or the time is over."""
        clients = [self._state.clients[client_id] for client_id in self._state.clients_of(session)]
        await asyncio.gather(
            *(self._post(http, client, session) for client in clients if client.backchannel_logout_uri)
        )

    def token(self, client: OpClient, session: Session) -> str:
        """The logout token of ``session`` for ``client`` (§2.4); the Auth0 dialect calls its type ``JWT``."""
        now = int(self._state.clock())
        claims = {
            "iss": self._state.issuer,
            "aud": client.client_id,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "jti": self._state.name(),
            "sub": session.sub,
            "sid": session.sid,
            "events": {EVENT: {}},
        }
        return self._state.keys.sign(claims, TYPES[self._state.dialect])

    async def _post(self, http: aiohttp.ClientSession, client: OpClient, session: Session) -> None:
        """One attempt; whatever comes of it, the browser goes on."""
        form = {"logout_token": self.token(client, session)}
        url = client.backchannel_logout_uri
        try:
            async with http.post(url, data=form, timeout=self._timeout, allow_redirects=False):
                pass
        except (aiohttp.ClientError, TimeoutError, OSError):
            return


async def connection(app: web.Application) -> AsyncIterator[None]:
    """The HTTP client of one application, as long as it runs; for ``cleanup_ctx``."""
    connector = aiohttp.TCPConnector(resolver=LoopbackResolver())
    app[HTTP] = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
    yield
    await app[HTTP].close()
