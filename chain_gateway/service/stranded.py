"""A walk whose browser never came back from a hop, found at the next visit to any endpoint."""

from __future__ import annotations

from chain_gateway.core.limits import HOP_SECONDS
from chain_gateway.core.packing import unpack
from chain_gateway.core.walk import Kind, Place, Walk
from chain_gateway.errors import StoreUnavailable
from chain_gateway.service.realm import Realm, Visitor

OUT = frozenset({Place.BINDING, Place.VISITING, Place.AWAY})


async def stranded(realm: Realm, visitor: Visitor, kind: Kind) -> Walk | None:
    """This browser's newest walk, if it is of ``kind``, has a hop out, and the time of that hop is over.

    A walk that was left standing when a newer one began, and ended, is not gone on with: what was wanted since counts.
    Nor is a logout of one app alone: who comes now may want another one, or all.
    """
    if not visitor.browser:
        return None
    now = realm.now()
    try:
        walks = await realm.store.open_walks(visitor.browser, now)
        known = await realm.store.browser(visitor.browser) if walks else None
    except StoreUnavailable:
        return None
    walk = unpack(walks[0].state) if walks else None
    if walk is None or walk.kind is not kind or walk.place not in OUT:
        return None
    if known is not None and known.epoch > walk.epoch:
        return None
    if kind is Kind.LOGOUT and (known is None or known.signed_out_epoch < walk.epoch):
        return None
    return walk if now >= walk.issued_at + HOP_SECONDS else None
