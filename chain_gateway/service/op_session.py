"""The provider's side of this browser's last sign-in, sealed at rest: what its logout and later logins need."""

from __future__ import annotations

from dataclasses import dataclass, replace

import orjson

from chain_gateway.core.ledger import Browser, OpRecord
from chain_gateway.errors import StoreUnavailable, TokenRefused
from chain_gateway.service.realm import Realm
from chain_gateway.tokens.purposes import Purpose

OP_SESSION_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class OpSession:
    """Subject, session id as tickets carry it, the provider's own, ``auth_time`` and the ID token; all may be empty.

    ``epoch`` is the login walk's: a logout of a higher one came after this sign-in. ``login`` is the id of the
    transaction that it came from.
    """

    sub: str = ""
    sid: str = ""
    op_sid: str = ""
    auth_time: int = 0
    id_token: str = ""
    epoch: int = 0
    login: str = ""


class OpSessions:
    """Seals and opens them."""

    def __init__(self, realm: Realm) -> None:
        """``realm`` has the keys and the store."""
        self._realm = realm

    def seal(self, session: OpSession) -> OpRecord:
        """What a store keeps; without the ID token where that is too long to keep."""
        kept = replace(session, id_token="") if len(session.id_token) > OP_SESSION_BYTES // 2 else session
        sealed = self._realm.seal(Purpose.OP_SESSION, orjson.dumps(kept))
        return OpRecord(sealed.encode(), session.sub, session.op_sid)

    def read(self, browser: Browser) -> OpSession | None:
        """What ``browser``'s record holds; None if nothing, or sealed by a key that is no more."""
        if browser.op_session is None:
            return None
        sealed = browser.op_session.sealed.decode()
        now = self._realm.now()
        try:
            plain = self._realm.keyring().open(Purpose.OP_SESSION, sealed, OP_SESSION_BYTES, now)
        except TokenRefused:
            return None
        return OpSession(**orjson.loads(plain))

    async def of(self, browser: bytes) -> OpSession:
        """The same by the browser's id; an empty one where nothing is known or the store is out of reach."""
        try:
            known = await self._realm.store.browser(browser)
        except StoreUnavailable:
            known = None
        return (self.read(known) if known else None) or OpSession()
