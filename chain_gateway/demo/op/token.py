"""``/token`` and ``/userinfo``: a code becomes tokens once, and an access token becomes claims."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from urllib.parse import unquote_plus

from aiohttp import web
from multidict import MultiMapping

from chain_gateway.demo.op.authorize import single
from chain_gateway.demo.op.keys import at_hash
from chain_gateway.demo.op.model import Access, Account, Dialect, Grant, OpClient
from chain_gateway.demo.op.refusals import OAuthRefused
from chain_gateway.demo.op.signin import posted
from chain_gateway.demo.op.state import ACCESS_SECONDS, OpState

ID_TOKEN_SECONDS = 600
ACR = "urn:chain-gateway:demo:one-click"
AMR = ("user",)
CHALLENGE_HEADER = {"WWW-Authenticate": 'Basic realm="token"'}


class Tokens:
    """The token endpoint and the userinfo endpoint."""

    def __init__(self, state: OpState) -> None:
        """``state`` has the codes, the keys and the clock."""
        self._state = state

    async def token(self, request: web.Request) -> web.StreamResponse:
        """``POST /token`` (OIDC Core §3.1.3)."""
        try:
            form = await posted(request)
            return web.json_response(self._redeem(form, self._client(request, form)))
        except OAuthRefused as refused:
            body = {"error": refused.error, "error_description": refused.description}
            headers = CHALLENGE_HEADER if refused.status == web.HTTPUnauthorized.status_code else None
            return web.json_response(body, status=refused.status, headers=headers)

    async def userinfo(self, request: web.Request) -> web.StreamResponse:
        """``GET`` and ``POST /userinfo`` with a Bearer token in the header (OIDC Core §5.3)."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        access = self._state.access.get(token.strip(), self._state.clock())
        if scheme.lower() != "bearer" or access is None:
            headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return web.json_response({"error": "invalid_token"}, status=401, headers=headers)
        account = self._state.accounts[access.sub]
        return web.json_response({"sub": account.sub, **claims_of(account, access.scope)})

    def _client(self, request: web.Request, form: MultiMapping[str]) -> OpClient:
        """The client that proved itself by exactly one of the two methods (RFC 6749 §2.3.1)."""
        basic = _basic(request.headers.get("Authorization", ""))
        post = (single(form, "client_id"), single(form, "client_secret"))
        if basic is not None and post[1]:
            raise OAuthRefused("invalid_request", "the client authenticates in two ways at once")
        client_id, secret = basic if basic is not None else post
        client = self._state.clients.get(client_id)
        expected = client.client_secret if client else ""
        if not hmac.compare_digest(expected.encode(), secret.encode()) or client is None or not secret:
            raise OAuthRefused("invalid_client", "the client is unknown or its secret is wrong", status=401)
        if post[0] not in {"", client.client_id}:
            raise OAuthRefused("invalid_request", "client_id is not the client that authenticated")
        return client

    def _redeem(self, form: MultiMapping[str], client: OpClient) -> dict[str, object]:
        """The token response for a code; the code is gone whatever comes of it (RFC 6749 §4.1.2)."""
        if single(form, "grant_type") != "authorization_code":
            raise OAuthRefused("unsupported_grant_type", "grant_type must be authorization_code")
        now = self._state.clock()
        code = single(form, "code")
        grant = self._state.grants.take(code, now)
        if grant is None:
            # A code that comes twice was stolen by one of the two: what the first got is worth nothing from now on.
            self._state.access.take(self._state.spent.take(code, now) or "", now)
            raise OAuthRefused("invalid_grant", "the code is unknown, used or too old")
        asked = grant.request
        if asked.client_id != client.client_id or asked.redirect_uri != single(form, "redirect_uri"):
            raise OAuthRefused("invalid_grant", "the code was given to another client or redirect_uri")
        if not hmac.compare_digest(asked.challenge.encode(), s256(single(form, "code_verifier")).encode()):
            raise OAuthRefused("invalid_grant", "code_verifier does not fit the code_challenge")
        access_token = self._state.name() + self._state.name()
        self._state.access.put(access_token, Access(grant.session.sub, asked.scope), now)
        self._state.spent.put(code, access_token, now)
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": ACCESS_SECONDS,
            "scope": asked.scope,
            "id_token": self._id_token(grant, access_token),
        }

    def _id_token(self, grant: Grant, access_token: str) -> str:
        """The ID token (OIDC Core §2)."""
        now, asked, session = int(self._state.clock()), grant.request, grant.session
        claims: dict[str, object] = {
            "iss": self._state.issuer,
            "sub": session.sub,
            "aud": asked.client_id,
            "iat": now,
            "exp": now + ID_TOKEN_SECONDS,
            "sid": session.sid,
            "acr": ACR,
            "amr": list(AMR),
            "at_hash": at_hash(access_token),
            **claims_of(self._state.accounts[session.sub], asked.scope),
        }
        if asked.nonce:
            claims["nonce"] = asked.nonce
        # Auth0 tells auth_time only to who asked for freshness.
        if self._state.dialect is Dialect.OIDC or asked.max_age is not None or "login" in asked.prompt:
            claims["auth_time"] = session.auth_time
        return self._state.keys.sign(claims)


def claims_of(account: Account, scope: str) -> dict[str, object]:
    """What ``scope`` tells of a person (OIDC Core §5.4)."""
    told = scope.split()
    claims: dict[str, object] = {}
    if "profile" in told:
        claims["name"] = account.name
    if "email" in told:
        claims.update(email=account.email, email_verified=True)
    return claims


def s256(verifier: str) -> str:
    """The challenge of a verifier (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _basic(header: str) -> tuple[str, str] | None:
    """The client's name and secret from a Basic header, None if there is none (RFC 6749 §2.3.1)."""
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise OAuthRefused("invalid_client", "the Basic header cannot be read", status=401) from error
    return unquote_plus(name), unquote_plus(secret)
