"""Whom a walk is about, carried by the browser in a sealed cookie of that walk's own.

The chain token tells nothing about the person and the store need not know: so subject, session and claims wait in a
cookie that is named by the walk, never changes, and ends with it. Two tabs have two walks and so two cookies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from chain_gateway.core.limits import IDENTITY_BYTES, WALK_SECONDS
from chain_gateway.core.walk import Walk
from chain_gateway.errors import SignInFailed, TokenRefused
from chain_gateway.service.realm import Realm, Visitor
from chain_gateway.service.views import Cookie
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.purposes import Purpose

PREFIX = "__Host-chain-who-"


@dataclass(frozen=True, slots=True)
class Identity:
    """Subject, the provider's session id, and the claims that some app may get.

    ``sids`` names the sessions of apps that differ from ``sid``, by app id: a logout ends each by its own.
    """

    sub: str = ""
    sid: str = ""
    auth_time: int = 0
    acr: str = ""
    claims: Mapping[str, object] = field(default_factory=dict)
    sids: Mapping[str, str] = field(default_factory=dict)

    def sid_at(self, app_id: str) -> str:
        """The session id at one app."""
        return self.sids.get(app_id, self.sid)


class Identities:
    """Writes and reads the cookie of a walk's identity."""

    def __init__(self, realm: Realm) -> None:
        """``realm`` seals."""
        self._realm = realm

    def cookie(self, walk: Walk, identity: Identity) -> Cookie:
        """The cookie to set when ``walk`` begins; SignInFailed if the claims are too many for one."""
        content = {
            "sub": identity.sub,
            "sid": identity.sid,
            "at": identity.auth_time,
            "acr": identity.acr,
            "claims": dict(identity.claims),
            "sids": dict(identity.sids),
        }
        plain = walk.id + walk.browser + orjson.dumps(content)
        if len(plain) > IDENTITY_BYTES - 600:
            raise SignInFailed("the claims do not fit into a cookie", code="sign_in_failed.claims_too_big")
        return Cookie(_name(walk), self._realm.seal(Purpose.IDENTITY, plain), WALK_SECONDS)

    def read(self, walk: Walk, visitor: Visitor) -> Identity | None:
        """Whom ``walk`` is about; None if this browser does not show it."""
        text = visitor.cookies.get(_name(walk))
        if text is None:
            return None
        try:
            plain = self._realm.keyring().open(Purpose.IDENTITY, text, IDENTITY_BYTES, self._realm.now())
        except TokenRefused:
            return None
        bound = walk.id + walk.browser
        if not plain.startswith(bound):
            return None
        content = orjson.loads(plain[len(bound) :])
        return Identity(
            content["sub"], content["sid"], content["at"], content["acr"], content["claims"], content["sids"]
        )

    @staticmethod
    def clear(walk: Walk) -> Cookie:
        """Ends the cookie."""
        return Cookie(_name(walk), "")


def _name(walk: Walk) -> str:
    return PREFIX + b64e(walk.id)
