"""Who signed in: what a login yields once the ID token has held, and what userinfo adds to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from chain_gateway.errors import SignInFailed
from chain_gateway.oidc.id_token import seconds_of, text_of

_OF_THE_TOKEN: Final = frozenset(
    {
        "iss", "sub", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "auth_time", "acr", "sid", "events",
        "at_hash", "c_hash", "s_hash",
    }
)  # fmt: skip
"""Claims about the token and the session; no app is ever given them under the name of a claim about the person."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A person's sign-in at the provider. ``auth_time`` is in seconds, None where the provider keeps it to itself.

    ``sid`` and ``acr`` are empty where it gives none; ``claims`` are those about the person alone.
    """

    sub: str
    sid: str
    auth_time: int | None
    acr: str
    claims: Mapping[str, object] = field(repr=False)
    id_token: str = field(repr=False)

    def missing(self, wanted: Collection[str]) -> frozenset[str]:
        """Which of the ``wanted`` claims the ID token did not have."""
        return frozenset(wanted) - self.claims.keys() - _OF_THE_TOKEN

    def with_userinfo(self, userinfo: Mapping[str, object], wanted: Collection[str]) -> SignIn:
        """With the ``wanted`` claims that were missing; SignInFailed if ``userinfo`` is about somebody else.

        Core section 5.3.2: its ``sub`` must be that of the ID token. What the ID token says is never replaced.
        """
        if userinfo.get("sub") != self.sub:
            raise SignInFailed("userinfo is about somebody else", code="sign_in_failed.userinfo")
        found = {name: userinfo[name] for name in self.missing(wanted) if name in userinfo}
        return replace(self, claims={**self.claims, **found})


def sign_in_of(claims: Mapping[str, object], id_token: str) -> SignIn:
    """The sign-in that the checked ``claims`` of ``id_token`` tell of."""
    return SignIn(
        sub=text_of(claims, "sub"),
        sid=text_of(claims, "sid"),
        auth_time=seconds_of(claims, "auth_time"),
        acr=text_of(claims, "acr"),
        claims={name: value for name, value in claims.items() if name not in _OF_THE_TOKEN},
        id_token=id_token,
    )
