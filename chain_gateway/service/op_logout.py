"""``POST /backchannel-logout``: the provider says that a session has ended; every app of it is told.

Verify, write down, answer: the provider waits seconds, and so does the browser whose logout this may be. The apps are
told by the queue afterwards. For a browser that has begun to sign out by itself nothing is done but to believe that the
provider's own part is over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chain_gateway.core.ledger import OP_LINE, Browser, Entry, Holding, app_of
from chain_gateway.core.limits import SKEW_SECONDS
from chain_gateway.core.plan import may_live
from chain_gateway.errors import SignInFailed, TokenRefused
from chain_gateway.service.audit import AuditEvent
from chain_gateway.service.log import log
from chain_gateway.service.notes import takes_back_channel
from chain_gateway.service.op_session import OpSession, OpSessions
from chain_gateway.service.ports import OpenIdProvider
from chain_gateway.service.realm import Realm

TOKEN_BYTES: Final = 8 * 1024


class OpLoggedOut:
    """Receives logout tokens."""

    def __init__(self, realm: Realm, provider: OpenIdProvider, wake: Callable[[], None]) -> None:
        """``provider`` verifies; ``wake`` says that logouts are owed at once."""
        self._realm = realm
        self._wake = wake
        self._provider = provider
        self._op_sessions = OpSessions(realm)

    async def __call__(self, logout_token: str) -> None:
        """Returns when what the token says is written down; TokenRefused if it does not hold or was seen before."""
        if len(logout_token) > TOKEN_BYTES:
            raise TokenRefused("a logout token that is too long", code="token_refused.size")
        try:
            said = await self._provider.read_logout_token(logout_token)
        except SignInFailed as error:
            raise TokenRefused(error.detail, code="token_refused.seal") from error
        browsers = await self._realm.store.browsers_of(said.sub, said.sid)
        for browser in browsers:
            await self._end(browser, said.iat)
        self._wake()
        # Last, so that a token whose effect was not written down may come again; what it did is done once anyhow, as
        # it ends no sign-in that is newer than itself, and none that has been ended.
        if not await self._realm.store.once("op-logout", said.jti, said.until, self._realm.now()):
            raise TokenRefused("a logout token that was used before", code="token_refused.replayed")
        how = {"browsers": len(browsers), "by": "sid" if said.sid else "sub"}
        log.info("op_logout.received", **how)
        self._realm.audit(AuditEvent.PROVIDER_SIGN_OUT, **how)

    async def _end(self, browser: bytes, iat: int) -> None:
        """Owes a logout to every app of one browser, unless it has signed out, or signed in anew, since."""
        store = self._realm.store
        known = await store.browser(browser)
        session = self._op_sessions.read(known) if known else None
        if known is None or (session is not None and _signed_in_after(session, iat)):
            return
        if session is None or known.signed_out_epoch < session.epoch:
            await store.take_epoch(browser, self._realm.now_ms(), logout=True)
            # The ledger after the epoch: what an older walk did is in it, and none does anything more.
            known = await store.browser(browser) or known
        await store.note(browser, [self._op_line(known.epoch), *self._owed(known)])

    def _owed(self, known: Browser) -> list[Entry]:
        """What the last sign-out has not seen to; a walk sees to all that it visits, unless it was cut as it began."""
        now, epoch = self._realm.now(), known.signed_out_epoch
        owed = []
        for entry in known.ledger.values():
            app = self._realm.registry.apps.get(app_of(entry.app))
            lives = app is not None and takes_back_channel(app) and may_live(entry, now, app)
            if lives and entry.epoch < epoch:
                owed.append(entry._replace(holding=Holding.OWED, epoch=epoch, since=now))
        return owed

    def _op_line(self, epoch: int) -> Entry:
        return Entry(OP_LINE, Holding.NONE, epoch, self._realm.now())


def _signed_in_after(session: OpSession, iat: int) -> bool:
    """Whether ``session`` is newer than what the provider said at ``iat``, as the provider's own clock tells.

    Where it tells no ``auth_time`` our clock stands in for it, and is not believed to the minute.
    """
    if session.auth_time:
        return session.auth_time > iat
    return session.epoch > (iat + SKEW_SECONDS) * 1000
