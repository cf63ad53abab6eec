"""What the provider says of itself (OpenID Connect Discovery 1.0, section 4; RFC 8414), and what we take of it.

The document decides where codes, secrets and people are sent. So it must name the very issuer that was configured
(section 4.3), and every address in it is an https URL in its one spelling: plain http is for a loopback provider alone,
and a provider elsewhere cannot point us at our own machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chain_gateway.core.origins import check_origin, host_of, is_loopback, origin_of
from chain_gateway.errors import OpUnavailable, TargetRefused

WELL_KNOWN: Final = "/.well-known/openid-configuration"
SIGNATURES: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
"""Every algorithm that may sign for a provider: asymmetric ones alone, so that no public text can be the key."""

_ENDPOINTS: Final = (
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
    "end_session_endpoint",
)


class Metadata(BaseModel):
    """The members that we use, under the names of the specifications; what else the document holds is ignored."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    authorization_response_iss_parameter_supported: bool = False
    id_token_signing_alg_values_supported: list[str] = Field(default=["RS256"])
    token_endpoint_auth_methods_supported: list[str] = Field(default=["client_secret_basic"])
    token_endpoint_auth_signing_alg_values_supported: list[str] = Field(default=[])
    backchannel_logout_supported: bool = False

    def signatures(self, wanted: tuple[str, ...]) -> frozenset[str]:
        """The algorithms an ID token may be signed with: ``wanted``, or else those announced; none but SIGNATURES."""
        return SIGNATURES.intersection(wanted or self.id_token_signing_alg_values_supported)


def metadata_url(issuer: str) -> str:
    """Where the document of ``issuer`` is (Discovery section 4.1: a slash at the end of the issuer goes first)."""
    return issuer.removesuffix("/") + WELL_KNOWN


def read_metadata(document: Mapping[str, object], issuer: str) -> Metadata:
    """The metadata in ``document``, which must be that of ``issuer``; OpUnavailable with the reason if it is not."""
    try:
        metadata = Metadata.model_validate(document)
    except ValidationError as error:
        wrong = ", ".join(sorted({str(problem["loc"][0]) for problem in error.errors()}))
        raise _refused(f"members missing or of the wrong type: {wrong}") from error
    if metadata.issuer != issuer:
        raise _refused("it is the metadata of another issuer than the configured one")
    local = is_loopback(_host(issuer, "issuer"))
    for name in _ENDPOINTS:
        url: str | None = getattr(metadata, name)
        if url is not None and is_loopback(_host(url, name)) and not local:
            raise _refused(f"{name} is on this machine, the issuer is not")
    return metadata


def _host(url: str, name: str) -> str:
    """The host of a URL that we would connect to or send a person to; OpUnavailable if it is not fit for either."""
    try:
        return host_of(check_origin(origin_of(url)))
    except (TargetRefused, ValueError) as error:
        raise _refused(f"{name} is not a plain https URL: {error}") from error


def _refused(reason: str) -> OpUnavailable:
    return OpUnavailable(f"metadata refused: {reason}", code="op_unavailable.metadata")
