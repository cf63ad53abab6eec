"""How we prove at the token endpoint that we are the client (OpenID Connect Core 1.0, section 9)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote_plus

from chain_gateway.oidc.jwks import algorithms_of
from chain_gateway.oidc.jws import sign_text
from chain_gateway.oidc.metadata import Metadata
from chain_gateway.oidc.settings import AuthMethod, Client, SigningKey

ASSERTION_SECONDS: Final = 60
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_PREFERRED: Final = (
    "RS256",
    "PS256",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
    "RS384",
    "RS512",
    "PS384",
    "PS512",
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a token request carries beside its own parameters."""

    headers: Mapping[str, str] = field(repr=False, default_factory=dict)
    form: Mapping[str, str] = field(repr=False, default_factory=dict)


def auth_method(client: Client, metadata: Metadata) -> AuthMethod:
    """The configured method; else a key before a secret, and a secret by header where the provider announces that.

    Auth0 gets the secret in the form, which is what its applications are registered for by default.
    """
    if client.auth_method is not None:
        return client.auth_method
    if client.private_key is not None:
        return "private_key_jwt"
    if client.client_secret is None:
        return "none"
    basic = "client_secret_basic" in metadata.token_endpoint_auth_methods_supported and client.kind != "auth0"
    return "client_secret_basic" if basic else "client_secret_post"


def prove(client: Client, metadata: Metadata, *, now: int, jti: str) -> Proof:
    """The proof for one request; ``jti`` is fresh, ``now`` in seconds."""
    method = auth_method(client, metadata)
    if method == "private_key_jwt" and client.private_key is not None:
        assertion = _assertion(client, client.private_key, metadata, now=now, jti=jti)
        return Proof(form={"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion})
    if method == "client_secret_basic" and client.client_secret is not None:
        return Proof(headers={"Authorization": _basic(client.client_id, client.client_secret)})
    if method == "client_secret_post" and client.client_secret is not None:
        return Proof(form={"client_id": client.client_id, "client_secret": client.client_secret})
    return Proof(form={"client_id": client.client_id})


def _basic(client_id: str, secret: str) -> str:
    """RFC 6749 section 2.3.1: both parts are form-encoded before they are joined."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _assertion(client: Client, key: SigningKey, metadata: Metadata, *, now: int, jti: str) -> str:
    """RFC 7523 section 3, for the issuer alone: whoever could name an endpoint would get assertions meant for it."""
    announced = metadata.token_endpoint_auth_signing_alg_values_supported
    able = [alg for alg in _PREFERRED if alg in algorithms_of(key)]
    alg = next((alg for alg in able if alg in announced), able[0])
    claims = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": client.issuer,
        "jti": jti,
        "iat": now,
        "exp": now + ASSERTION_SECONDS,
    }
    return sign_text(claims, key, alg)
