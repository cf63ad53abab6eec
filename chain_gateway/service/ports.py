"""The ports that use cases name beside the store: the provider, seen from here."""

from __future__ import annotations

from typing import Protocol

from chain_gateway.oidc.http import LoginRequest, SignIn


class OpenIdProvider(Protocol):
    """Whoever signs people in."""

    async def login_url(self, request: LoginRequest) -> str:
        """Where the browser signs in; raises OpUnavailable."""

    async def redeem(self, code: str, verifier: str, nonce: str) -> SignIn:
        """What the provider says of the person; raises SignInFailed or OpUnavailable."""

    async def check_response_issuer(self, iss: str | None) -> None:
        """Raises SignInFailed unless the response names the right provider (RFC 9207)."""

    async def logout_url(self, id_token: str, sid: str, state: str) -> str | None:
        """Where the provider's own session ends; None if it has no such place; raises OpUnavailable."""
