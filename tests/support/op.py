"""A small OpenID Provider that does what it is told, wrong things above all, and a hand for forging what it signs.

It runs on a real socket. Every endpoint counts its calls and can be given a fault: a handler that answers in its place.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from chain_gateway.oidc.settings import Client

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Key = ECKey | RSAKey | OKPKey

CLIENT_ID = "gateway"
CODE = "a-code"
NONCE = "a-nonce"
VERIFIER = "a-verifier-of-forty-three-characters-or-so-"
ACCESS_TOKEN = "an-access-token"
PLANTED = "planted-canary"
"""The client's secret: no text that anybody reads may hold it."""
ENDPOINTS = ("metadata", "jwks", "token", "userinfo")


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


CHALLENGE = b64(hashlib.sha256(VERIFIER.encode()).digest())


def ec_key(kid: str, curve: str = "P-256") -> ECKey:
    return ECKey.generate_key(curve, parameters={"kid": kid, "use": "sig"})


def compact(header: Mapping[str, object], claims: Mapping[str, object], signature: bytes = b"") -> str:
    """Three segments with whatever is given, signed by nobody."""
    segments = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(b64(segment) for segment in segments)


def hs256_with(secret: bytes, header: Mapping[str, object], claims: Mapping[str, object]) -> str:
    """A text whose HMAC key is ``secret``, e.g. the text of a public key."""
    body = compact(header, claims).rpartition(".")[0]
    return f"{body}.{b64(hmac.digest(secret, body.encode(), 'sha256'))}"


def signed(key: Key, claims: Mapping[str, object], *, alg: str = "ES256", **header: object) -> str:
    """``claims`` signed by ``key`` under its kid; ``header`` adds members, and takes one away by None."""
    members = {"alg": alg, "kid": key.kid, **header}
    wanted = {name: value for name, value in members.items() if value is not None}
    model = jws.JWSRegistry.algorithms[alg]
    body = f"{b64(json.dumps(wanted).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{body}.{b64(model.sign(body.encode(), key))}"


@dataclass
class Clock:
    """A clock that a test sets."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Op:
    """The provider. ``claims``, ``header``, ``tokens`` and ``metadata`` replace what it would say; None takes away."""

    issuer: str
    clock: Clock = field(default_factory=Clock)
    keys: list[Key] = field(default_factory=lambda: [ec_key("first")])
    calls: Counter[str] = field(default_factory=Counter)
    faults: dict[str, Handler] = field(default_factory=dict)
    metadata: dict[str, object] = field(default_factory=dict)
    claims: dict[str, object] = field(default_factory=dict)
    userinfo: dict[str, object] = field(default_factory=lambda: {"sub": "alice", "email": "alice@example.test"})
    tokens: dict[str, object] = field(default_factory=dict)
    header: dict[str, object] = field(default_factory=dict)
    challenge: str = CHALLENGE
    token_requests: list[dict[str, str]] = field(default_factory=list)
    token_headers: list[dict[str, str]] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def rotate(self, kid: str) -> None:
        """From now on it signs and publishes another key alone."""
        self.keys = [ec_key(kid)]

    def client(self, **changes: Any) -> Client:
        """The gateway as this provider knows it."""
        usual: dict[str, Any] = {
            "kind": "oidc",
            "issuer": self.issuer,
            "client_id": CLIENT_ID,
            "client_secret": PLANTED,
            "redirect_uri": "https://login.example/callback",
            "post_logout_redirect_uri": "https://login.example/logged-out",
        }
        return Client(**{**usual, **changes})

    def id_token(self) -> str:
        now = int(self.clock())
        claims = {
            "iss": self.issuer,
            "sub": "alice",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "auth_time": now - 5,
            "nonce": NONCE,
            "sid": "op-session",
        }
        return signed(self.keys[0], _changed(claims, self.claims), **self.header)

    def document(self) -> dict[str, object]:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/logout",
            "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }
        return _changed(document, self.metadata)

    async def serve_metadata(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(self.document())

    async def serve_jwks(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response({"keys": [key.as_dict(private=False) for key in self.keys]})

    async def serve_token(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.token_requests.append(form)
        self.token_headers.append(dict(request.headers))
        proof = b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if form.get("code") != CODE or proof != self.challenge:
            return web.json_response({"error": "invalid_grant", "error_description": "no <b>such</b> code"}, status=400)
        tokens: dict[str, object] = {"access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 60}
        if "id_token" not in self.tokens:
            tokens["id_token"] = self.id_token()
        return web.json_response(_changed(tokens, self.tokens))

    async def serve_userinfo(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {ACCESS_TOKEN}":
            return web.Response(status=401)
        return web.json_response(self.userinfo)

    def fail(self, name: str, code: int, times: int = 1_000_000) -> None:
        """The endpoint ``name`` answers ``code``, so many times, and then works again."""
        left = times
        usual: Handler = getattr(self, f"serve_{name}")

        async def answer(request: web.Request) -> web.StreamResponse:
            nonlocal left
            left -= 1
            return web.Response(status=code) if left >= 0 else await usual(request)

        self.faults[name] = answer

    async def hang(self, _request: web.Request) -> web.StreamResponse:
        """The fault of an endpoint that takes the request and never answers."""
        await self.over.wait()
        return web.Response(status=500)

    async def drip(self, request: web.Request) -> web.StreamResponse:
        """The fault of an endpoint that begins its answer and never ends it."""
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"{")
        await self.over.wait()
        return response


def _changed(members: dict[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in {**members, **changes}.items() if value is not None}


def redirect(target: str, code: int = 302) -> Handler:
    """A fault that answers with a redirect to ``target``."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=code, headers={"Location": target})

    return answer


def body(content: bytes, *, code: int = 200, **headers: str) -> Handler:
    """A fault that answers with these bytes."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=content, status=code, headers={"Content-Type": "application/json", **headers})

    return answer


@asynccontextmanager
async def running_op(clock: Clock | None = None) -> AsyncIterator[Op]:
    """A provider on a free port of 127.0.0.1."""
    op = Op(issuer="", clock=clock or Clock())
    paths = {
        "metadata": "/.well-known/openid-configuration",
        "jwks": "/jwks",
        "token": "/token",
        "userinfo": "/userinfo",
    }

    def endpoint(name: str) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            op.calls[name] += 1
            usual: Handler = getattr(op, f"serve_{name}")
            return await op.faults.get(name, usual)(request)

        return handle

    app = web.Application()
    for name in ENDPOINTS:
        app.router.add_route("*", paths[name], endpoint(name))
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        op.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield op
    finally:
        op.over.set()
        await runner.cleanup()
