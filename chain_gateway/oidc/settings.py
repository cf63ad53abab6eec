"""Who we are at the OpenID Provider: the registered client, and how the provider differs from the specifications."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from joserfc.jwk import ECKey, OKPKey, RSAKey

from chain_gateway.core.limits import BROWSER_SECONDS

Kind = Literal["auth0", "oidc"]
AuthMethod = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
SigningKey = RSAKey | ECKey | OKPKey

LONGEST_MAX_AGE: Final = BROWSER_SECONDS
"""Longer than any provider keeps a session: a ``max_age`` that asks for ``auth_time`` and for nothing else."""

_NEEDS: Final = {
    "client_secret_basic": "client_secret",
    "client_secret_post": "client_secret",
    "private_key_jwt": "private_key",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The client as it is registered at the provider; ``issuer`` is spelled exactly as the provider spells it.

    ``auth_method`` None means: the best that the provider's metadata and what we have allow. ``max_age`` is in
    seconds; below its default it is a demand, and an ID token without ``auth_time`` is then refused.
    ``algorithms`` are those an ID token may be signed with; empty means those of the metadata.
    """

    kind: Kind
    issuer: str
    client_id: str
    redirect_uri: str
    post_logout_redirect_uri: str
    client_secret: str | None = field(default=None, repr=False)
    private_key: SigningKey | None = field(default=None, repr=False)
    auth_method: AuthMethod | None = None
    scope: str = "openid profile email"
    federated: bool = False
    max_age: int = LONGEST_MAX_AGE
    algorithms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """ValueError if ``auth_method`` needs what is not there: better now than at somebody's login."""
        needed = _NEEDS.get(self.auth_method or "none")
        if needed is not None and getattr(self, needed) is None:
            raise ValueError(f"auth_method {self.auth_method} needs a {needed}")

    @property
    def demands_auth_time(self) -> bool:
        """Whether ``max_age`` limits how old a sign-in may be, and so cannot do without the provider's word on it."""
        return self.max_age < LONGEST_MAX_AGE
