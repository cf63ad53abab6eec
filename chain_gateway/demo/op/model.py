"""The values of the embedded provider: who can sign in, which clients it knows, how it speaks."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Algorithm(enum.StrEnum):
    """How ID tokens are signed (RFC 7518 §3.1)."""

    ES256 = "ES256"
    RS256 = "RS256"


class Dialect(enum.StrEnum):
    """``oidc`` does what the specifications say; ``auth0`` differs from them where Auth0 does."""

    OIDC = "oidc"
    AUTH0 = "auth0"


@dataclass(frozen=True, slots=True)
class Account:
    """A person who can sign in by one click; ``username`` is also what ``login_hint`` may name."""

    username: str
    sub: str
    name: str
    email: str


DEMO_ACCOUNTS = (
    Account("alice", "demo|alice", "Alice", "alice@example.test"),
    Account("bob", "demo|bob", "Bob", "bob@example.test"),
)


@dataclass(frozen=True, slots=True)
class OpClient:
    """A relying party; both lists of URLs are matched exactly (the Auth0 dialect relaxes the second once).

    ``backchannel_logout_uri`` gets a logout token when a session ends that was used there; empty for none.
    """

    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...] = ()
    name: str = ""
    backchannel_logout_uri: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """One browser's sign-in; ``id`` is the cookie's value, ``sid`` is told to clients, ``auth_time`` in seconds."""

    id: str
    sub: str
    sid: str
    auth_time: int


@dataclass(frozen=True, slots=True)
class AuthRequest:
    """An authorization request that has passed every check; ``max_age`` is in seconds, None where it was not asked."""

    client_id: str
    redirect_uri: str
    state: str
    nonce: str
    challenge: str
    scope: str
    prompt: tuple[str, ...] = ()
    max_age: int | None = None
    login_hint: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """What an authorization code stands for: the request it answers and the session that answered it."""

    request: AuthRequest
    session: Session


@dataclass(frozen=True, slots=True)
class Access:
    """What an access token stands for."""

    sub: str
    scope: str
