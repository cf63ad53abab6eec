"""The provider as the rest of the gateway sees it: login URL, redemption of a code, logout URL.

Each method checks what it was told before it answers, and raises SignInFailed where the provider's word does not
hold, OpUnavailable where there is no word to be had. Both carry the check in their ``code``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from typing import Final

import aiohttp

from chain_gateway.core.limits import OP_SECONDS
from chain_gateway.core.origins import origin_of
from chain_gateway.errors import OpUnavailable
from chain_gateway.oidc import authorization, logout
from chain_gateway.oidc.authorization import LoginRequest
from chain_gateway.oidc.cached import Cached, SigningKeys
from chain_gateway.oidc.client_auth import prove
from chain_gateway.oidc.id_token import check_access_token, check_claims, check_type
from chain_gateway.oidc.jwks import PublicKeys, read_jwks
from chain_gateway.oidc.jws import Signed, read_signed
from chain_gateway.oidc.logout_token import OpLogout, read_logout_token
from chain_gateway.oidc.metadata import Metadata, metadata_url, read_metadata
from chain_gateway.oidc.settings import Client
from chain_gateway.oidc.sign_in import SignIn, sign_in_of
from chain_gateway.oidc.token_response import TokenResponse, read_tokens, token_error
from chain_gateway.oidc.wire import Wire
from chain_gateway.tokens.encoding import b64e

__all__ = ["Client", "LoginRequest", "Metadata", "Provider", "SignIn"]

_OK: Final = 200
_REFUSALS: Final = frozenset({400, 401, 403})
"""RFC 6749 section 5.2 knows the first two; Auth0 answers a spent code with the third."""
_JTI_BYTES: Final = 16


class Provider:
    """One OpenID Provider, at which we are ``client``."""

    def __init__(
        self,
        client: Client,
        session: aiohttp.ClientSession,
        clock: Callable[[], float],
        wanted_claims: Collection[str] = frozenset(),
        *,
        entropy: Callable[[int], bytes] = os.urandom,
        seconds: float = OP_SECONDS,
        observe: Callable[[str, float], None] | None = None,
    ) -> None:
        """``clock`` gives the time in seconds; ``session`` stays the caller's, and ``seconds`` bound each call.

        ``wanted_claims`` are those that some app is configured to get: userinfo is asked only for what is missing of
        them in an ID token. ``observe`` is told each call's name and its seconds.
        """
        self._client = client
        self._clock = clock
        self._wanted = frozenset(wanted_claims)
        self._entropy = entropy
        self._wire = Wire(session, seconds, observe)
        self._metadata = Cached(self._fetch_metadata, clock)
        self._keys = SigningKeys(self._fetch_keys, clock)

    async def metadata(self) -> Metadata:
        """What the provider says of itself, at most ten minutes old unless it cannot be reached."""
        return await self._metadata.current()

    async def probe(self) -> None:
        """Returns if a login could be done now, as far as metadata and keys go; OpUnavailable if not."""
        await self.metadata()
        await self._keys.ready()

    async def login_url(self, request: LoginRequest) -> str:
        """Where ``request`` sends the browser."""
        return authorization.login_url(self._client, await self.metadata(), request)

    def login_origin(self) -> str:
        """Where people sign in, as far as is known without asking: the issuer's own origin before the metadata came."""
        known = self._metadata.kept
        return origin_of(known.authorization_endpoint if known else self._client.issuer)

    async def check_response_issuer(self, issuer: str | None) -> None:
        """SignInFailed unless the response at the callback, whose ``iss`` this is, can be the provider's (RFC 9207)."""
        authorization.check_response_issuer(issuer, await self.metadata())

    async def redeem(self, code: str, verifier: str, nonce: str) -> SignIn:
        """Who signed in: the code exchanged, the ID token checked, and what it lacks asked of userinfo."""
        metadata = await self.metadata()
        tokens = await self._exchange(metadata, code, verifier)
        signed, claims = await self.open_signed(tokens.id_token)
        check_type(signed)
        check_claims(claims, self._client, nonce=nonce, now=int(self._clock()))
        check_access_token(claims, signed, tokens.access_token)
        sign_in = sign_in_of(claims, tokens.id_token)
        if tokens.access_token and metadata.userinfo_endpoint and sign_in.missing(self._wanted):
            userinfo = await self._wire.get("userinfo", metadata.userinfo_endpoint, bearer=tokens.access_token)
            return sign_in.with_userinfo(userinfo, self._wanted)
        return sign_in

    async def open_signed(self, text: str) -> tuple[Signed, dict[str, object]]:
        """Header and payload of a text that the provider signed with a key of its own; SignInFailed if it did not.

        What they must say is the caller's to check.
        """
        signed = read_signed(text, (await self.metadata()).signatures(self._client.algorithms))
        return signed, await self._keys.claims(signed)

    async def read_logout_token(self, text: str) -> OpLogout:
        """What a logout token of the provider's says; SignInFailed or TokenRefused if it does not hold."""
        signed, claims = await self.open_signed(text)
        return read_logout_token(signed.typ, claims, self._client, int(self._clock()))

    async def logout_url(self, id_token: str, sid: str, state: str) -> str | None:
        """Where the browser ends the provider's session; None if the provider knows no logout."""
        return logout.logout_url(self._client, await self.metadata(), id_token=id_token, sid=sid, state=state)

    async def _exchange(self, metadata: Metadata, code: str, verifier: str) -> TokenResponse:
        """The tokens for ``code``, which was asked for with the challenge of ``verifier``."""
        proof = prove(self._client, metadata, now=int(self._clock()), jti=b64e(self._entropy(_JTI_BYTES)))
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.redirect_uri,
            "code_verifier": verifier,
            **proof.form,
        }
        answer = await self._wire.post("token", metadata.token_endpoint, form, proof.headers)
        if answer.status in _REFUSALS:
            raise token_error(answer.json())
        if answer.status != _OK:
            raise OpUnavailable(f"token: status {answer.status}", code="op_unavailable.status")
        return read_tokens(answer.json())

    async def _fetch_metadata(self) -> Metadata:
        return read_metadata(
            await self._wire.get("metadata", metadata_url(self._client.issuer)), issuer=self._client.issuer
        )

    async def _fetch_keys(self) -> PublicKeys:
        return read_jwks(await self._wire.get("jwks", (await self.metadata()).jwks_uri))
