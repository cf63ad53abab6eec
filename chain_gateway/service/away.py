"""Finding the walk of a browser that comes back by an address which says nothing.

Auth0's logout hands nothing of ours back, and hardly any app without the SDK can. So before the browser leaves for such
a place, its walk is put into a sealed cookie named by the walk; what comes back is recognised by that, and no parameter
of the URL decides anything. The store knows the walk as well, for a browser that lost the cookie.
"""

from __future__ import annotations

from typing import Final

from chain_gateway.core.limits import CHAIN_TOKEN_BYTES, WALK_SECONDS
from chain_gateway.core.packing import pack, unpack
from chain_gateway.core.walk import Place, Walk
from chain_gateway.errors import StoreUnavailable, TokenRefused
from chain_gateway.service.jar import surplus
from chain_gateway.service.realm import Realm, Visitor
from chain_gateway.service.views import Cookie
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.purposes import Purpose

PREFIX: Final = "__Host-chain-away-"
ROOM_CHARS: Final = 1000
"""How much the cookies of older walks may take up; the store knows them as well."""


class Away:
    """Writes, reads and ends the cookies of walks that are away."""

    def __init__(self, realm: Realm) -> None:
        """``realm`` seals, and its store is asked where no cookie tells."""
        self._realm = realm

    def cookies(self, walk: Walk, visitor: Visitor) -> tuple[Cookie, ...]:
        """The cookie to set before the browser leaves, and the end of those that have no room beside it."""
        cookie = Cookie(PREFIX + b64e(walk.id), self._realm.seal(Purpose.AWAY, pack(walk)), WALK_SECONDS)
        ended = surplus(visitor, PREFIX, ROOM_CHARS, self._begun)
        return (cookie, *(each for each in ended if each.name != cookie.name))

    def clear(self, walk: Walk, visitor: Visitor) -> tuple[Cookie, ...]:
        """Ends the cookie of ``walk``, if this browser has it."""
        name = PREFIX + b64e(walk.id)
        return (Cookie(name, ""),) if name in visitor.cookies else ()

    async def find(self, visitor: Visitor, places: frozenset[Place]) -> Walk | None:
        """This browser's newest open walk that stands at one of ``places``; None if there is none."""
        now = self._realm.now()
        found = [walk for name, text in visitor.cookies.items() if name.startswith(PREFIX) for walk in self._open(text)]
        if visitor.browser:
            found += await self._stored(visitor.browser, now)
        mine = [w for w in found if visitor.is_owner(w.browser) and w.place in places and w.expires_at > now]
        return max(mine, key=lambda walk: (walk.epoch, walk.issued_at), default=None)

    def _open(self, text: str) -> list[Walk]:
        try:
            plain = self._realm.keyring().open(Purpose.AWAY, text, CHAIN_TOKEN_BYTES, self._realm.now())
            return [unpack(plain)]
        except (TokenRefused, ValueError):
            return []

    def _begun(self, text: str) -> int:
        return max((walk.issued_at for walk in self._open(text)), default=0)

    async def _stored(self, browser: bytes, now: int) -> list[Walk]:
        try:
            return [unpack(stored.state) for stored in await self._realm.store.open_walks(browser, now)]
        except StoreUnavailable:
            return []
