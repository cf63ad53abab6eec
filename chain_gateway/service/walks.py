"""``/walks/{id}``: this browser's own walk, as a page."""

from __future__ import annotations

from chain_gateway.core.packing import unpack
from chain_gateway.errors import WalkGone
from chain_gateway.service.confirmed import with_confirmations
from chain_gateway.service.describe import describe
from chain_gateway.service.endings import Endings
from chain_gateway.service.passage import Passage
from chain_gateway.service.realm import Realm, Visitor
from chain_gateway.service.views import Reply, Show, WalkPage
from chain_gateway.tokens.encoding import b64d


class ShowWalk:
    """Shows where a walk stands; changes nothing."""

    def __init__(self, realm: Realm, passage: Passage) -> None:
        """``realm`` has the store; ``passage`` knows how a walk goes on."""
        self._realm = realm
        self._passage = passage
        self._endings = Endings(realm)

    async def __call__(self, visitor: Visitor, walk_id: str) -> Reply:
        """The walk's page; the same answer for a walk that is not there and for somebody else's."""
        try:
            key = b64d(walk_id)
        except ValueError:
            raise WalkGone("no walk has such an id") from None
        stored = await self._realm.store.walk(key)
        if stored is None or not visitor.browser or not visitor.is_owner(stored.browser):
            raise WalkGone("no such walk of this browser")
        walk = unpack(stored.state)
        if stored.stopped:
            return Show(WalkPage(describe(self._realm, walk), superseded=True))
        if walk.place.ended:
            known = await self._endings.known(walk)
            return Show(self._endings.page(with_confirmations(self._realm, walk, known), known))
        return self._passage.walk_page(walk)
