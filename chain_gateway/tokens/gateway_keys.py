"""The gateway's public keys, as an app fetched them."""

from __future__ import annotations

from chain_gateway.tokens.key_set import KeySet


class GatewayKeys(KeySet):
    """Made by ``from_jwks``; whoever meets a kid that is not among them may fetch anew."""
