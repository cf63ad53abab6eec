"""Whom a walk is about, carried by the browser in a sealed cookie of that walk's own.

The chain token tells nothing about the person and the store need not know: so subject, session and claims wait in a
cookie that is named by the walk, never changes, and ends with it. Two tabs have two walks and so two cookies.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from types import MappingProxyType
from typing import Final, NamedTuple

import orjson

from chain_gateway.core.limits import IDENTITY_BYTES, WALK_SECONDS
from chain_gateway.core.walk import Walk
from chain_gateway.errors import SignInFailed, TokenRefused
from chain_gateway.service.jar import surplus
from chain_gateway.service.realm import Realm, Visitor
from chain_gateway.service.views import Cookie
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.purposes import Purpose

PREFIX: Final = "__Host-chain-who-"
_KEPT: Final = itemgetter("sub", "sid", "at", "acr", "claims", "sids", "more")
BOUND_BYTES: Final = 32
"""The ids of the walk and of the browser, which the content begins with."""
ROOM_CHARS: Final = 2400
"""How much those of older walks may take up: five tabs that sign in at once all know whom they were for."""
SIDS_BYTES: Final = 1500
"""How much room the cookie has for session ids that differ from the common one."""


class Identity(NamedTuple):
    """Subject, the provider's session id, and the claims that some app may get.

    ``sids`` names the sessions of apps that differ from ``sid``, by app id, empty where none is known: a logout ends
    each by its own. ``more`` says that some had no room in the cookie, and that only the ledger has them. A named
    tuple, as each hop reads one.
    """

    sub: str = ""
    sid: str = ""
    auth_time: int = 0
    acr: str = ""
    claims: Mapping[str, object] = MappingProxyType({})
    sids: Mapping[str, str] = MappingProxyType({})
    more: bool = False

    def sid_at(self, app_id: str) -> str:
        """The session id at one app."""
        return self.sids.get(app_id, self.sid)


class Identities:
    """Writes and reads the cookie of a walk's identity."""

    def __init__(self, realm: Realm) -> None:
        """``realm`` seals."""
        self._realm = realm

    def cookies(self, walk: Walk, identity: Identity, visitor: Visitor) -> tuple[Cookie, ...]:
        """The cookie to set when ``walk`` begins, and the end of those that have no room beside it.

        SignInFailed if the claims are too many for one.
        """
        return (self._cookie(walk, identity), *surplus(visitor, PREFIX, ROOM_CHARS, self._begun))

    def _cookie(self, walk: Walk, identity: Identity) -> Cookie:
        sids, more = _fitting(identity.sids)
        content = {
            "t": walk.issued_at,
            "sub": identity.sub,
            "sid": identity.sid,
            "at": identity.auth_time,
            "acr": identity.acr,
            "claims": dict(identity.claims),
            "sids": sids,
            "more": more,
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
        plain = self._open(text)
        if not plain.startswith(walk.id + walk.browser):
            return None
        return Identity._make(_KEPT(orjson.loads(plain[BOUND_BYTES:])))

    def _open(self, text: str) -> bytes:
        """What the cookie holds; nothing if it is not ours."""
        try:
            return self._realm.keyring().open(Purpose.IDENTITY, text, IDENTITY_BYTES, self._realm.now())
        except TokenRefused:
            return b""

    def _begun(self, text: str) -> int:
        plain = self._open(text)
        return int(orjson.loads(plain[BOUND_BYTES:])["t"]) if plain else 0

    @staticmethod
    def clear(walk: Walk) -> Cookie:
        """Ends the cookie."""
        return Cookie(_name(walk), "")


def _fitting(sids: Mapping[str, str]) -> tuple[dict[str, str], bool]:
    """As many of ``sids`` as have room, and whether some have not."""
    fitting: dict[str, str] = {}
    left = SIDS_BYTES
    for app, sid in sids.items():
        left -= len(orjson.dumps({app: sid}))
        if left < 0:
            return fitting, True
        fitting[app] = sid
    return fitting, False


def _name(walk: Walk) -> str:
    return PREFIX + b64e(walk.id)
