"""The endpoints: each reads its parameters, calls one use case, and turns the result into a reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import structlog
from aiohttp import web

from chain_gateway.errors import TokenRefused
from chain_gateway.hops.base import Returned
from chain_gateway.service.callback import CallbackParams, FinishLogin
from chain_gateway.service.login import LoginParams, StartLogin
from chain_gateway.service.logout import LogoutParams, StartLogout
from chain_gateway.service.op_logout import OpLoggedOut
from chain_gateway.service.relay import FINISH, Relay
from chain_gateway.service.resume import Resume
from chain_gateway.service.walks import ShowWalk
from chain_gateway.web import parse
from chain_gateway.web.cookies import visitor
from chain_gateway.web.metadata import JWKS_PATH, metadata
from chain_gateway.web.reply import answer, go

JWKS_SECONDS = 300
OWN_PAGE = "same-origin"
"""What a browser says of a link on a page of ours, and of nothing else (Fetch Metadata).

An app has the chain token of its hop and may say that this one failed, but ends no walk. In a browser that says nothing
the link goes on past the hop instead.
"""
log = structlog.stdlib.get_logger("chain_gateway")


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the endpoints call."""

    login: StartLogin
    callback: FinishLogin
    logout: StartLogout
    relay: Relay
    resume: Resume
    walks: ShowWalk
    op_logged_out: OpLoggedOut


def _pick(fields: dict[str, str], *names: str) -> dict[str, str]:
    return {name: fields[name] for name in names if name in fields}


class Endpoints:
    """The handlers."""

    def __init__(self, cases: UseCases, public_url: str, jwks: Callable[[], Mapping[str, object]]) -> None:
        """``jwks`` returns today's public keys."""
        self._cases = cases
        self._public_url = public_url
        self._jwks = jwks

    def routes(self) -> list[web.RouteDef]:
        """The route table."""
        return [
            web.get("/login", self.login, allow_head=False),
            web.get("/callback", self.callback, allow_head=False),
            web.get("/logout", self.logout, allow_head=False),
            web.post("/logout", self.post_logout),
            web.get("/logged-out", self.logged_out, allow_head=False),
            web.get("/relay", self.relay, allow_head=False),
            web.post("/relay", self.post_relay),
            web.get("/resume", self.resume, allow_head=False),
            web.get("/walks/{id}", self.walk, allow_head=False),
            web.post("/backchannel-logout", self.backchannel_logout),
            web.get(JWKS_PATH, self.jwks),
            web.get("/.well-known/chain-gateway", self.metadata),
        ]

    async def login(self, request: web.Request) -> web.Response:
        """``GET /login``."""
        fields = _pick(parse.query(request), "chain", "return_to", "app", "prompt", "login_hint")
        return await answer(request, await self._cases.login(await visitor(request), LoginParams(**fields)))

    async def callback(self, request: web.Request) -> web.Response:
        """``GET /callback``."""
        fields = _pick(parse.query(request), "state", "code", "iss", "error")
        return await answer(request, await self._cases.callback(await visitor(request), CallbackParams(**fields)))

    async def logout(self, request: web.Request) -> web.Response:
        """``GET /logout``."""
        fields = _pick(parse.query(request), "chain", "return_to", "app", "scope", "request")
        return await answer(request, await self._cases.logout(await visitor(request), LogoutParams(**fields)))

    async def post_logout(self, request: web.Request) -> web.Response:
        """``POST /logout``: the page that asks, or another site's form, which shows no cookies and so comes by GET."""
        fields = await parse.form(request)
        if fields.get("confirm"):
            params = LogoutParams(confirm=fields["confirm"])
            return await answer(request, await self._cases.logout(await visitor(request), params))
        return self._by_get(request, "/logout", _pick(fields, "chain", "return_to", "app", "scope", "request"))

    async def logged_out(self, request: web.Request) -> web.Response:
        """``GET /logged-out``."""
        state = parse.query(request).get("state", "")
        return await answer(request, await self._cases.resume.logged_out(await visitor(request), state))

    async def relay(self, request: web.Request) -> web.Response:
        """``GET /relay``."""
        fields = _pick(parse.query(request), "state", "receipt", "bind", "error")
        if fields.get("error") == FINISH and request.headers.get("Sec-Fetch-Site") != OWN_PAGE:
            fields["error"] = "foreign"
        return await answer(request, await self._cases.relay(await visitor(request), Returned(**fields)))

    async def post_relay(self, request: web.Request) -> web.Response:
        """``POST /relay``: the same fields; another site's form shows no cookies, so it comes by GET."""
        fields = _pick(await parse.form(request), "state", "receipt", "bind", "error")
        return self._by_get(request, "/relay", fields)

    async def resume(self, request: web.Request) -> web.Response:
        """``GET /resume``."""
        return await answer(request, await self._cases.resume.resume(await visitor(request)))

    async def walk(self, request: web.Request) -> web.Response:
        """``GET /walks/{id}``."""
        return await answer(request, await self._cases.walks(await visitor(request), request.match_info["id"]))

    async def backchannel_logout(self, request: web.Request) -> web.Response:
        """``POST /backchannel-logout``, from the provider (Back-Channel Logout 1.0, sections 2.5 and 2.8)."""
        fields = await parse.form(request)
        try:
            await self._cases.op_logged_out(fields.get("logout_token", ""))
        except TokenRefused as error:
            log.warning("op_logout.refused", code=error.code, detail=error.detail)
            return web.json_response({"error": "invalid_request", "error_description": error.code}, status=400)
        return web.Response()

    async def jwks(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """The public keys; the one answer that may be cached, as apps ask for it again at an unknown ``kid``."""
        headers = {"Cache-Control": f"public, max-age={JWKS_SECONDS}"}
        return web.json_response(self._jwks(), headers=headers)

    async def metadata(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """What this gateway is and can."""
        return web.json_response(metadata(self._public_url))

    def _by_get(self, request: web.Request, path: str, fields: dict[str, str]) -> web.Response:
        return go(request, f"{self._public_url}{path}?{urlencode(fields)}")
