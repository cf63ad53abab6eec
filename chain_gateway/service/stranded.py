"""The walk that a browser has not finished: held up at a hop, or a sign-out that another wish must not stop."""

from __future__ import annotations

from chain_gateway.core.ledger import Browser
from chain_gateway.core.limits import HOP_SECONDS
from chain_gateway.core.packing import unpack
from chain_gateway.core.walk import OUT, Kind, Walk
from chain_gateway.errors import StoreUnavailable
from chain_gateway.service.realm import Realm, Visitor


async def stranded(realm: Realm, visitor: Visitor, kind: Kind) -> Walk | None:
    """This browser's newest walk, if it is of ``kind``, has a hop out, and the time of that hop is over.

    A walk that was left standing when a newer one began, and ended, is not gone on with: what was wanted since counts.
    Nor is a logout of one app alone: who comes now may want another one, or all.
    """
    newest = await _newest(realm, visitor)
    if newest is None:
        return None
    walk, known = newest
    if walk.kind is not kind or walk.place not in OUT:
        return None
    if kind is Kind.LOGOUT and (known is None or known.signed_out_epoch < walk.epoch):
        return None
    return walk if realm.now() >= walk.issued_at + HOP_SECONDS else None


async def signing_out(realm: Realm, visitor: Visitor) -> Walk | None:
    """This browser's newest walk, if it is a logout of everything that has not ended."""
    newest = await _newest(realm, visitor)
    if newest is None:
        return None
    walk, known = newest
    if walk.kind is not Kind.LOGOUT:
        return None
    return walk if known is not None and known.signed_out_epoch >= walk.epoch else None


async def _newest(realm: Realm, visitor: Visitor) -> tuple[Walk, Browser | None] | None:
    """The open walk of the newest epoch that this browser took, and what is known of the browser."""
    if not visitor.browser:
        return None
    try:
        walks = await realm.store.open_walks(visitor.browser, realm.now())
        known = await realm.store.browser(visitor.browser) if walks else None
    except StoreUnavailable:
        return None
    if not walks:
        return None
    walk = unpack(walks[0].state)
    if known is not None and known.epoch > walk.epoch:
        return None
    return walk, known
