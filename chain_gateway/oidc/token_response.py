"""What the token endpoint answered (RFC 6749 sections 5.1 and 5.2, OpenID Connect Core 1.0 section 3.1.3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from chain_gateway.errors import SignInFailed

_ERRORS: Final = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type"}
)


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """The tokens; ``access_token`` is empty where there is none that a bearer may use."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False, default="")


def read_tokens(document: Mapping[str, object]) -> TokenResponse:
    """The tokens in a successful answer; SignInFailed if there is no ID token."""
    id_token, access_token, kind = (document.get(name) for name in ("id_token", "access_token", "token_type"))
    if not isinstance(id_token, str):
        raise SignInFailed("the token endpoint gave no ID token", code="sign_in_failed.id_token")
    if isinstance(access_token, str) and isinstance(kind, str) and kind.lower() == "bearer":
        return TokenResponse(id_token, access_token)
    return TokenResponse(id_token)


def token_error(document: Mapping[str, object]) -> SignInFailed:
    """The refusal in an answer of status 400 or 401, under ``sign_in_failed.code`` if it is the code that was refused.

    Any other is between us and the provider, and only the log says which: ``sign_in_failed.token_endpoint``.
    """
    error = document.get("error")
    known = error if isinstance(error, str) and error in _ERRORS else "an error of no known name"
    code = "sign_in_failed.code" if error == "invalid_grant" else "sign_in_failed.token_endpoint"
    return SignInFailed(f"the token endpoint answered {known}", code=code)
