"""A gateway for an app's own tests: it signs real tickets, and its browser brings them as a real one would.

::

    async def test_the_account_page_knows_who_is_signed_in(aiohttp_client):
        gateway = FakeGateway()
        chain = gateway.config()
        app = web.Application()
        app.router.add_get("/account", account)
        setup_chain(app, chain, keys=gateway.keys)
        browser = gateway.browser(await aiohttp_client(app), chain)

        await browser.login("alice")
        assert (await browser.get("/account")).status == 200
        await browser.logout()
        assert (await browser.get("/account")).status == 302
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http.cookies import SimpleCookie
from typing import Final
from urllib.parse import parse_qs, urlsplit

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

from chain_gateway.core.limits import TICKET_SECONDS
from chain_gateway.sdk.config import ChainConfig
from chain_gateway.sdk.keys import JWKS_PATH, FixedKeys
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.tokens.receipt import Receipt, verify_receipt
from chain_gateway.tokens.ticket import Act, GatewayKeys, Ticket, sign_ticket

__all__ = ["AppBrowser", "FakeGateway", "Landing"]

SECRET: Final = "an app's secret for its tests, 32 bytes or more"  # noqa: S105  (signs nothing real)
SESSION_KEY: Final = "a session key for an app's tests, 32 bytes or more"
_REDIRECTS: Final = frozenset({302, 303})


@dataclass(frozen=True, slots=True)
class Landing:
    """What came of a hop: the app's answer, and the receipt in it, None where the app gave none."""

    status: int
    location: str
    text: str
    headers: Mapping[str, str]
    set_cookies: tuple[str, ...]
    receipt: Receipt | None = None
    bind: str = ""


class FakeGateway:
    """Signs tickets for any app; its epochs rise like a real one's."""

    def __init__(self, url: str = "https://login.example.com", clock: Callable[[], float] = time.time) -> None:
        """``url`` is where it claims to be; ``clock`` gives seconds and should be the app's as well."""
        self.url = url
        self.clock = clock
        self.keyring = Keyring.generate(int(clock()), secrets.token_bytes)
        self._epoch = 0

    @property
    def keys(self) -> FixedKeys:
        """Its public keys, for ``setup_chain(app, chain, keys=...)``."""
        return FixedKeys(GatewayKeys.from_jwks(self.keyring.jwks(int(self.clock()))))

    def config(
        self, app_id: str = "shop", origin: str = "https://shop.example", session_max: str = "12h"
    ) -> ChainConfig:
        """A configuration of an app of this gateway; ``dataclasses.replace`` changes the rest of it."""
        return ChainConfig(
            gateway=self.url,
            app_id=app_id,
            origin=origin,
            secret=SECRET,
            session_key=SESSION_KEY,
            session_max=session_max,
        )

    def ticket(self, chain: ChainConfig, act: Act = Act.LOGIN, bid: str = "browser") -> Ticket:
        """A new ticket of a new walk for the app of ``chain``; ``dataclasses.replace`` bends it."""
        now = int(self.clock())
        ticket = Ticket(
            iss=self.url,
            aud=chain.origin,
            act=act,
            bid=bid,
            jti=b64e(secrets.token_bytes(16)),
            iat=now,
            exp=now + TICKET_SECONDS,
            epoch=self.take_epoch(),
            walk=b64e(secrets.token_bytes(16)),
            hop=0,
            return_to=f"{self.url}/relay?state={b64e(secrets.token_bytes(32))}",
        )
        return replace(ticket, sub="alice", sid="sid-1") if act is Act.LOGIN else ticket

    def take_epoch(self) -> int:
        """The next epoch, in milliseconds."""
        self._epoch = max(self._epoch + 1, int(self.clock() * 1000))
        return self._epoch

    def sign(self, ticket: Ticket) -> str:
        """The text of ``ticket``."""
        return sign_ticket(ticket, self.keyring, int(self.clock()))

    def logout_token(self, chain: ChainConfig, sid: str, /, **changed: object) -> str:
        """A logout token for the back channel; a claim in ``changed`` replaces the usual one, None leaves it out."""
        now = int(self.clock())
        claims: dict[str, object] = {
            "iss": self.url,
            "aud": chain.app_id,
            "iat": now,
            "exp": now + TICKET_SECONDS,
            "jti": b64e(secrets.token_bytes(16)),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
            "sid": sid,
            "epoch": self.take_epoch(),
            **changed,
        }
        return self.keyring.sign("logout+jwt", {n: v for n, v in claims.items() if v is not None}, now)

    def application(self) -> web.Application:
        """A server of its key set, for an app that is to fetch it."""

        async def jwks(request: web.Request) -> web.Response:  # noqa: ARG001  (a handler's signature)
            return web.json_response(self.keyring.jwks(int(self.clock())))

        app = web.Application()
        app.router.add_get(JWKS_PATH, jwks)
        return app

    def browser(self, client: TestClient[web.Request, web.Application], chain: ChainConfig) -> AppBrowser:
        """A browser at the app that ``client`` reaches."""
        return AppBrowser(client, self, chain)


class AppBrowser:
    """One browser at one app: it keeps cookies as a browser does, and keeps Lax ones at home on a foreign POST."""

    def __init__(
        self, client: TestClient[web.Request, web.Application], gateway: FakeGateway, chain: ChainConfig
    ) -> None:
        """``client`` reaches the app; ``chain`` is how the app is configured."""
        self.jar: dict[str, str] = {}
        self.bid = b64e(secrets.token_bytes(16))
        self._client = client
        self._gateway = gateway
        self._chain = chain

    async def login(self, sub: str, *, sid: str = "sid-1", claims: Mapping[str, object] | None = None) -> Landing:
        """Signs ``sub`` in by ``form_post``."""
        ticket = self._gateway.ticket(self._chain, bid=self.bid)
        return await self.form_post(replace(ticket, sub=sub, sid=sid, claims=claims or {}))

    async def logout(self) -> Landing:
        """Signs out by ``redirect``."""
        return await self.redirect(self._gateway.ticket(self._chain, Act.LOGOUT, self.bid))

    async def form_post(self, ticket: Ticket, origin: str | None = "") -> Landing:
        """The ticket in a form that the gateway's page posts; another ``origin``, or None for no header at all."""
        headers = {} if origin is None else {"Origin": origin or self._gateway.url}
        data = {"ticket": self._gateway.sign(ticket)}
        answer = await self._client.post(self._chain.hop_path, data=data, headers=headers, allow_redirects=False)
        return await self._landed(answer, ticket)

    async def redirect(self, ticket: Ticket) -> Landing:
        """The ticket in the URL."""
        return await self._landed(await self._visit("ticket", ticket), ticket)

    async def begin(self, ticket: Ticket) -> Landing:
        """The first half of ``two_step`` for ``ticket``."""
        first = replace(self._gateway.ticket(self._chain, Act.BEGIN, ticket.bid), epoch=ticket.epoch, walk=ticket.walk)
        return await self._landed(await self._visit("begin", first), first)

    async def two_step(self, ticket: Ticket) -> Landing:
        """Both halves, as the gateway makes them."""
        begun = await self.begin(ticket)
        return await self.redirect(replace(ticket, cnf=begun.bind))

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> ClientResponse:
        """A page of the app; no redirect is followed."""
        answer = await self._client.get(path, headers={**self._cookies(), **(headers or {})}, allow_redirects=False)
        self._keep(answer)
        return answer

    async def post(self, path: str, data: Mapping[str, str], headers: Mapping[str, str]) -> ClientResponse:
        """A form that a page of the app itself posts; no redirect is followed."""
        sent = {**self._cookies(), **headers}
        answer = await self._client.post(path, data=dict(data), headers=sent, allow_redirects=False)
        self._keep(answer)
        return answer

    async def _visit(self, name: str, ticket: Ticket) -> ClientResponse:
        query = {name: self._gateway.sign(ticket)}
        return await self._client.get(
            self._chain.hop_path, params=query, headers=self._cookies(), allow_redirects=False
        )

    async def _landed(self, answer: ClientResponse, ticket: Ticket) -> Landing:
        """Keeps the cookies and reads the receipt, which must be that of ``ticket``."""
        self._keep(answer)
        location = answer.headers.get("Location", "")
        query = parse_qs(urlsplit(location).query) if answer.status in _REDIRECTS else {}
        receipt = self._read(query["receipt"][0], ticket) if "receipt" in query else None
        return Landing(
            status=answer.status,
            location=location,
            text=await answer.text(),
            headers=dict(answer.headers),
            set_cookies=tuple(answer.headers.getall("Set-Cookie", ())),
            receipt=receipt,
            bind=query.get("bind", [""])[0],
        )

    def _read(self, text: str, ticket: Ticket) -> Receipt:
        return verify_receipt(
            text,
            self._chain.key(),
            app_id=self._chain.app_id,
            gateway=self._gateway.url,
            jti=ticket.jti,
            walk=ticket.walk,
            hop=ticket.hop,
            epoch=ticket.epoch,
            now=int(self._gateway.clock()),
        )

    def _cookies(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.jar.items())} if self.jar else {}

    def _keep(self, answer: ClientResponse) -> None:
        """Takes what a browser would: a ``__Host-`` cookie only with the attributes that its name promises."""
        for header in answer.headers.getall("Set-Cookie", ()):
            for name, morsel in SimpleCookie(header).items():
                if name.startswith("__Host-") and not (morsel["secure"] and morsel["path"] == "/"):
                    continue
                if morsel["max-age"] == "0":
                    self.jar.pop(name, None)
                else:
                    self.jar[name] = morsel.value
