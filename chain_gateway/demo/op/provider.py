"""The embedded OpenID Provider of the demo, and of tests that need a real one.

It speaks the code flow as OpenID Connect Core 1.0 describes it, for people who sign in by a click: anybody can be
Alice. It is for development on loopback and says so on each of its pages.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from chain_gateway.demo.op.backchannel import PATIENCE, BackChannel, connection
from chain_gateway.demo.op.forms import Forms
from chain_gateway.demo.op.keys import OpKeys
from chain_gateway.demo.op.logout import Logout
from chain_gateway.demo.op.model import DEMO_ACCOUNTS, Account, Algorithm, Dialect, OpClient
from chain_gateway.demo.op.refusals import PageRefused
from chain_gateway.demo.op.signin import SignIn
from chain_gateway.demo.op.state import OpState
from chain_gateway.demo.op.token import Tokens
from chain_gateway.demo.pages import OP_POLICY, STATIC, render, secure

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PATHS = {
    Dialect.OIDC: {"jwks_uri": "/jwks", "token_endpoint": "/token", "end_session_endpoint": "/session/end"},
    Dialect.AUTH0: {"jwks_uri": "/.well-known/jwks.json", "token_endpoint": "/oauth/token"},
}


class DemoOp:
    """An OpenID Provider with its memory; ``app()`` is the aiohttp application that serves it."""

    def __init__(
        self,
        issuer: str,
        clients: Iterable[OpClient],
        accounts: Iterable[Account] = DEMO_ACCOUNTS,
        algorithm: Algorithm | str = Algorithm.ES256,
        dialect: Dialect | str = Dialect.OIDC,
        clock: Callable[[], float] = time.time,
        random: Callable[[int], bytes] = os.urandom,
        patience: float = PATIENCE,
    ) -> None:
        """``issuer`` is the origin it is served at; ``clock`` gives seconds, ``random`` that many bytes.

        ``patience`` is how many seconds a logout waits for the clients that are told of it.
        """
        self._keys = OpKeys(Algorithm(algorithm), random)
        self._state = OpState(issuer, clients, accounts, self._keys, Dialect(dialect), clock, random)
        self._forms = Forms(self._state)
        self._sign_in = SignIn(self._state, self._forms)
        self._tokens = Tokens(self._state)
        self._logout = Logout(self._state, self._forms, self._sign_in, BackChannel(self._state, patience))

    @property
    def issuer(self) -> str:
        """``iss`` as its tokens spell it: with a slash at the end in the Auth0 dialect."""
        return self._state.issuer

    def forget_sessions(self) -> None:
        """As after a restart: nobody is signed in, no code is known."""
        self._state.sessions.clear()
        self._state.grants.clear()

    def rotate_keys(self) -> None:
        """A new key signs from now on; the previous one stays published."""
        self._keys.rotate()

    def app(self) -> web.Application:
        """A fresh application on this provider's memory."""
        app = web.Application(middlewares=[refusals], client_max_size=64 * 1024)
        app.on_response_prepare.append(secure)
        app.cleanup_ctx.append(connection)
        for method, path, handler in self._routes():
            app.router.add_route(method, path, handler)
        app.router.add_static("/static", STATIC)
        return app

    def _routes(self) -> list[tuple[str, str, Handler]]:
        """The route table of the dialect."""
        paths = PATHS[self._state.dialect]
        routes: list[tuple[str, str, Handler]] = [
            ("GET", "/", self._home),
            ("GET", "/.well-known/openid-configuration", self._discovery),
            ("GET", paths["jwks_uri"], self._jwks),
            ("GET", "/authorize", self._sign_in.authorize),
            ("POST", "/authorize", self._sign_in.authorize),
            ("POST", "/login", self._sign_in.login),
            ("POST", paths["token_endpoint"], self._tokens.token),
            ("GET", "/userinfo", self._tokens.userinfo),
            ("POST", "/userinfo", self._tokens.userinfo),
        ]
        end = paths.get("end_session_endpoint", "/oidc/logout")
        routes += [("GET", end, self._logout.end), ("POST", end, self._logout.end)]
        routes.append(("POST", f"{end}/confirm", self._logout.confirm))
        if self._state.dialect is Dialect.AUTH0:
            routes.append(("GET", "/v2/logout", self._logout.auth0))
        return routes

    async def _home(self, request: web.Request) -> web.StreamResponse:
        """Whether this browser is signed in here, and as whom."""
        session = self._sign_in.session(request)
        account = self._state.accounts[session.sub] if session else None
        return render("op_home.html", OP_POLICY, account=account)

    async def _jwks(self, _request: web.Request) -> web.StreamResponse:
        """The public keys."""
        return web.json_response(self._keys.jwks())

    async def _discovery(self, _request: web.Request) -> web.StreamResponse:
        """The metadata (OpenID Connect Discovery 1.0 §3)."""
        state = self._state
        document: dict[str, object] = {
            "issuer": state.issuer,
            "authorization_endpoint": state.base + "/authorize",
            "userinfo_endpoint": state.base + "/userinfo",
            **{name: state.base + path for name, path in PATHS[state.dialect].items()},
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self._keys.algorithm.value],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid", "profile", "email"],
            "prompt_values_supported": ["none", "login", "consent", "select_account"],
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
            "request_uri_parameter_supported": False,
        }
        if state.dialect is Dialect.OIDC:
            document["authorization_response_iss_parameter_supported"] = True
        return web.json_response(document)


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns a refusal into its page."""
    try:
        return await handler(request)
    except PageRefused as refused:
        title = "This cannot be done"
        return render("op_message.html", OP_POLICY, 400, title=title, text=refused.text)
