"""An app that asks for a login again, right after it confirmed one: its session does not stay in this browser.

The second hop within a minute is made so that the app sees its cookies, and one that sees none says so. An app that
sees them, and still forgets, would send the browser round by redirects alone until the browser gives up. So it may ask
again once: a person may sign in twice, and tabs that are opened together may ask at once. Then a page says what is
wrong; it is no verdict for ever.
"""

from __future__ import annotations

from typing import Final

from chain_gateway.core.ledger import Browser, Holding
from chain_gateway.core.plan import SignedIn
from chain_gateway.service.realm import Realm
from chain_gateway.tokens.encoding import b64e

LOOP_SECONDS: Final = 60


async def asks_in_a_loop(realm: Realm, known: Browser, app_id: str, who: SignedIn) -> bool:
    """Whether the app has confirmed this very sign-in within a minute, and has asked again since, and asks again."""
    entry, now = known.ledger.get(app_id), realm.now()
    if entry is None or entry.holding is not Holding.HOLDS or now - entry.since >= LOOP_SECONDS:
        return False
    if (entry.sub, entry.auth_time) != (who.sub, who.auth_time):  # not every provider names its sessions
        return False
    return not await realm.store.once(f"again:{app_id}", b64e(known.id), now + LOOP_SECONDS, now)
