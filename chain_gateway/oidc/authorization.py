"""The login request, and the answer that the browser brings back (OpenID Connect Core 1.0, section 3.1.2).

Always with ``state``, ``nonce`` and PKCE S256 (RFC 7636; RFC 9700 section 2.1.1), and always with ``max_age``:
providers tell when a person really signed in (``auth_time``) only where the request asks for it (Core section 2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chain_gateway.core.origins import with_query
from chain_gateway.errors import OpUnavailable, SignInFailed
from chain_gateway.oidc.metadata import Metadata
from chain_gateway.oidc.settings import Client
from chain_gateway.tokens.encoding import b64e

INTERACTION_CODES: Final = frozenset(
    f"sign_in_failed.{error}"
    for error in ("login_required", "consent_required", "interaction_required", "account_selection_required")
)
"""The codes of a ``prompt=none`` that would have had to show something (Core section 3.1.2.6)."""

_REFUSALS: Final = frozenset(
    {
        "access_denied", "invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope",
        "login_required", "consent_required", "interaction_required", "account_selection_required",
        "invalid_request_uri", "invalid_request_object", "request_not_supported", "request_uri_not_supported",
        "registration_not_supported", "unmet_authentication_requirements",
    }
)  # fmt: skip
_OUTAGES: Final = frozenset({"server_error", "temporarily_unavailable"})


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """What one login asks for; ``challenge`` is ``challenge_of`` the verifier that the transaction keeps."""

    state: str
    nonce: str
    challenge: str
    prompt: str = ""
    login_hint: str = ""


def challenge_of(verifier: str) -> str:
    """The S256 code challenge of ``verifier`` (RFC 7636 section 4.2)."""
    return b64e(hashlib.sha256(verifier.encode("ascii")).digest())


def login_url(client: Client, metadata: Metadata, request: LoginRequest) -> str:
    """The URL that starts ``request`` at the provider's authorization endpoint."""
    params = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "scope": client.scope,
        "state": request.state,
        "nonce": request.nonce,
        "code_challenge": request.challenge,
        "code_challenge_method": "S256",
        "max_age": str(client.max_age),
    }
    if request.prompt:
        params["prompt"] = request.prompt
    if request.login_hint:
        params["login_hint"] = request.login_hint
    return with_query(metadata.authorization_endpoint, **params)


def check_response_issuer(iss: str | None, metadata: Metadata) -> None:
    """SignInFailed unless the response's ``iss`` is the provider's; None means that the response has none.

    RFC 9207 section 2.4: compared as plain text whenever it is there, and missing only where the metadata does not
    announce it. It stands in error responses as well.
    """
    if iss is None:
        if metadata.authorization_response_iss_parameter_supported:
            raise SignInFailed("the response has no iss, and the provider announces one", code="sign_in_failed.iss")
    elif iss != metadata.issuer:
        raise SignInFailed("the response is of another issuer", code="sign_in_failed.iss")


def read_response(params: Mapping[str, str]) -> str:
    """The code in the parameters of a response whose ``state`` and ``iss`` have been checked.

    An error is raised as SignInFailed with the code ``sign_in_failed.ERROR`` (RFC 6749 section 4.1.2.1, Core section
    3.1.2.6), as OpUnavailable where the provider says that it is its own, and under ``….response`` where it is in
    neither list, so that no code is ever made up of what came in.
    """
    code, error = params.get("code", ""), params.get("error", "")
    if error in _OUTAGES:
        raise OpUnavailable(f"the provider answered {error}", code=f"op_unavailable.{error}")
    if error in _REFUSALS:
        raise SignInFailed(f"the provider answered {error}", code=f"sign_in_failed.{error}")
    if error or not code:
        raise SignInFailed("neither a code nor an error that a provider may answer", code="sign_in_failed.response")
    return code
