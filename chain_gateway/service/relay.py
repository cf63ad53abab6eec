"""``/relay``: the one place where every hop comes back.

The order of the checks is the order of the lines: size → shape → seal → purpose → this browser → right hop → receipt →
step the machine (which knows the walk's own time) → spend the nonce and write down, in one → act.
"""

from __future__ import annotations

from chain_gateway.core.chain import App
from chain_gateway.core.events import Abandoned, CameBack, Continued, Event, HopFailed
from chain_gateway.core.walk import HELD, Outcome, Place, Walk
from chain_gateway.errors import BrowserUnknown, TokenRefused
from chain_gateway.hops.base import Returned
from chain_gateway.hops.modes import MODES
from chain_gateway.service.away import Away
from chain_gateway.service.identity import Identities, Identity
from chain_gateway.service.passage import Passage
from chain_gateway.service.realm import Realm, Visitor
from chain_gateway.service.views import Reply
from chain_gateway.tokens.app_key import AppKey
from chain_gateway.tokens.chain_token import open_walk
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.receipt import Receipt, verify_receipt

FINISH = "finish"
"""The word by which a page of ours ends the walk; an app's own words never mean it."""
UNKNOWN_KEY = HopFailed(Outcome.ERROR, "key")


class Relay:
    """Takes what a hop brought back, and sends the browser on."""

    def __init__(self, realm: Realm, passage: Passage) -> None:
        """``passage`` moves the walk."""
        self._realm = realm
        self._passage = passage
        self._identities = Identities(realm)
        self._away = Away(realm)

    async def __call__(self, visitor: Visitor, returned: Returned) -> Reply:
        """The next stop; TokenRefused or BrowserUnknown if the return proves nothing, and then nothing has changed."""
        walk = open_walk(returned.state, self._realm.keyring(), self._realm.now())
        if not visitor.is_owner(walk.browser):
            raise BrowserUnknown("the chain token of another browser")
        if walk.place not in HELD:
            raise TokenRefused("no hop is out at this place", code="token_refused.hop")
        event = await self._read(walk, returned)
        identity = self._identities.read(walk, visitor) or Identity()
        return await self._passage.go_on(walk, event, identity, visitor, self._away.clear(walk, visitor))

    async def _read(self, walk: Walk, returned: Returned) -> Event:
        """What the return means for the hop that is out."""
        if returned.error == FINISH:
            return Abandoned()
        if walk.place is Place.PAUSED:
            return Continued()
        if walk.place is Place.AWAY and not returned.error:
            return CameBack()
        app = self._realm.registry.by_tag.get(walk.hop.tag)
        if app is None:
            return HopFailed(Outcome.GONE, "gone")
        mode = MODES[walk.hop.mode]
        key = await self._realm.app_keys.of(app.id)
        event = mode.read(walk, returned, lambda text: self._receipt(walk, app, key, text))
        if event == UNKNOWN_KEY and (newer := await self._realm.app_keys.renewed(app.id)):
            event = mode.read(walk, returned, lambda text: self._receipt(walk, app, newer, text))
        return event

    def _receipt(self, walk: Walk, app: App, key: AppKey | None, text: str) -> Receipt:
        """The receipt, if the app of this very hop signed it for the ticket that is out."""
        if key is None:
            raise TokenRefused("no key for the app", code="token_refused.key")
        return verify_receipt(
            text,
            key,
            app_id=app.id,
            gateway=self._realm.public_url,
            jti=b64e(walk.nonce),
            walk=b64e(walk.id),
            hop=walk.cursor,
            epoch=walk.epoch,
            now=self._realm.now(),
        )
