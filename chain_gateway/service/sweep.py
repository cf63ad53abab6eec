"""The sweeper: what is past its time is ended, and what it leaves open is owed.

A browser that never comes back leaves its walk where it stood. It may still go on until the walk's own time is over;
then the walk ends here, every pending hop counts as timed out, and the ledger says what an app may still hold or is
owed.
"""

from __future__ import annotations

from chain_gateway.core.events import DeadlinePassed
from chain_gateway.core.packing import unpack
from chain_gateway.core.walk import Place
from chain_gateway.errors import StoreUnavailable
from chain_gateway.service.log import log, tell_end
from chain_gateway.service.op_session import OpSessions
from chain_gateway.service.passage import Passage
from chain_gateway.service.realm import Realm
from chain_gateway.service.sessions import sessions_of
from chain_gateway.store.base import StoredWalk
from chain_gateway.tokens.encoding import b64e


class Sweep:
    """Ends walks."""

    def __init__(self, realm: Realm, passage: Passage) -> None:
        """``passage`` steps and writes down."""
        self._realm = realm
        self._passage = passage
        self._op_sessions = OpSessions(realm)

    async def __call__(self) -> int:
        """One round; returns how many walks it ended. Nothing is raised: the next round goes on."""
        now = self._realm.now()
        ended = 0
        try:
            for stored in await self._realm.store.sweep(now):
                if stored.expires_at <= now:
                    ended += await self._end(stored)
        except StoreUnavailable:
            log.warning("sweep.store_unavailable")
        return ended

    async def _end(self, stored: StoredWalk) -> bool:
        """Ends one walk; one that cannot be read is dropped, so that it keeps no other from its end."""
        try:
            walk = unpack(stored.state)
        except ValueError:
            log.exception("sweep.unreadable", walk=b64e(stored.id))
            return await self._realm.store.drop_walk(stored.id)
        known = await self._realm.store.browser(stored.browser)
        if await self._passage.end(walk, DeadlinePassed(), sessions_of(self._op_sessions, known)):
            return True
        now = await self._realm.store.walk(walk.id)
        if now is not None and now.stopped:  # by that step: a newer walk had taken its place, and it never came back
            overtaken = walk._replace(place=Place.SUPERSEDED)
            tell_end(self._realm, overtaken)
            if self._realm.traces is not None:
                self._realm.traces.stepped(overtaken, self._realm.clock())
        return False
