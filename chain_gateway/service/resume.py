"""``/resume`` and ``/logged-out``: a browser comes back by an address that says nothing of its walk."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Final

from chain_gateway.core.chain import Mode
from chain_gateway.core.events import Abandoned, CameBack, Event, HopFailed, OpReturned
from chain_gateway.core.limits import HOP_SECONDS
from chain_gateway.core.walk import Kind, Outcome, Place, Walk
from chain_gateway.errors import TokenRefused, WalkGone
from chain_gateway.service.away import Away
from chain_gateway.service.identity import Identities, Identity
from chain_gateway.service.passage import Passage
from chain_gateway.service.realm import Realm, Visitor
from chain_gateway.service.views import HopPage, Reply, Show
from chain_gateway.tokens.encoding import b64e

ANYWHERE: Final = frozenset(place for place in Place if not place.ended)
BLIND_PLACES: Final = frozenset({Place.BINDING, Place.VISITING})
AT_OP: Final = frozenset({Place.AT_OP})


class Resume:
    """Goes on with this browser's newest unfinished walk."""

    def __init__(self, realm: Realm, passage: Passage) -> None:
        """``passage`` moves the walk."""
        self._realm = realm
        self._passage = passage
        self._identities = Identities(realm)
        self._away = Away(realm)

    async def resume(self, visitor: Visitor) -> Reply:
        """Where the walk goes on; WalkGone if there is none.

        An app without the SDK counts as visited. A hop whose time has passed counts as failed. A login of which this
        browser does not know whose it is ends. Else the walk stands where it stood, and that is shown.
        """
        walk = await self._away.find(visitor, ANYWHERE)
        if walk is None:
            raise WalkGone("no open walk in this browser")
        event = self._event(walk)
        known = self._identities.read(walk, visitor)
        if known is None and walk.kind is Kind.LOGIN and walk.place is not Place.AWAY:
            # The answer that began it was lost, and its cookie with it: no ticket can be made, so it ends, on its page.
            event = Abandoned()
        identity = known or Identity()
        if event is None and walk.place in BLIND_PLACES and walk.hop.mode is not Mode.FORM_POST:
            # Not at once to where the browser has just come back from: its person may want to leave that app out.
            return self._passage.walk_page(walk)
        if event is None:
            return _waiting(await self._passage.present(walk, identity, visitor))
        return await self._passage.go_on(walk, event, identity, visitor, self._away.clear(walk, visitor))

    async def past_hop(self, walk: Walk, visitor: Visitor) -> Reply:
        """Goes on with ``walk`` after the hop that is out, which counts as failed."""
        identity = self._identities.read(walk, visitor) or Identity()
        failed = HopFailed(Outcome.TIMED_OUT, "timed_out")
        return await self._passage.go_on(walk, failed, identity, visitor, self._away.clear(walk, visitor))

    async def logged_out(self, visitor: Visitor, state: str) -> Reply:
        """Back from the provider's logout. No parameter decides anything, but a ``state`` must be the right one."""
        walk = await self._away.find(visitor, AT_OP)
        if walk is None:
            raise WalkGone("no walk of this browser is at the provider's logout")
        if state and not hmac.compare_digest(state.encode(), b64e(walk.nonce).encode()):
            raise TokenRefused("the state of another logout", code="token_refused.state")
        identity = self._identities.read(walk, visitor) or Identity()
        return await self._passage.go_on(walk, OpReturned(), identity, visitor, self._away.clear(walk, visitor))

    def _event(self, walk: Walk) -> Event | None:
        if walk.place in {Place.AWAY, Place.AT_OP}:
            return CameBack()
        if walk.place is Place.PAUSED or self._realm.now() < walk.issued_at + HOP_SECONDS:
            return None
        return HopFailed(Outcome.TIMED_OUT, "timed_out")


def _waiting(reply: Reply) -> Reply:
    """``reply``, whose page does not go on by itself if it leads to where the browser has just come back from."""
    if isinstance(reply, Show) and isinstance(reply.page, HopPage):
        return replace(reply, page=replace(reply.page, waits=True))
    return reply
