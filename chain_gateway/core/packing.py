"""A walk as bytes, for the chain token and for the store: fixed fields, then two short texts, then the hops.

The size is flat: 80 bytes, the chain's name, the return URL, and five bytes a planned hop, from the first step of a
walk to its last.
"""

from __future__ import annotations

import struct
from typing import Final

from chain_gateway.core.walk import HOP_BYTES, Hops, Kind, OpLogout, Place, Walk

VERSION = 1
_KINDS: Final = {int(kind): kind for kind in Kind}
_PLACES: Final = {int(place): place for place in Place}
_OPS: Final = {int(op): op for op in OpLogout}
_HEAD = struct.Struct(">B16sB16sQ16sIIBBBBBBB3sBHB")


def pack(walk: Walk) -> bytes:
    """The bytes of a walk."""
    chain, return_to = walk.chain.encode(), walk.return_to.encode()
    head = _HEAD.pack(
        VERSION,
        walk.id,
        walk.kind,
        walk.browser,
        walk.epoch,
        walk.nonce,
        walk.issued_at,
        walk.expires_at,
        walk.place,
        walk.cursor,
        walk.attempt,
        walk.redirects,
        walk.budget,
        walk.op,
        walk.silent | walk.form_run << 1,
        walk.app,
        len(chain),
        len(return_to),
        len(walk.hops),
    )
    return b"".join((head, chain, return_to, walk.hops.plan, walk.hops.outcomes))


def unpack(data: bytes) -> Walk:
    """The walk of ``data``; ValueError if it is not what ``pack`` makes of some walk."""
    if len(data) < _HEAD.size:
        raise ValueError("too short for a walk")
    (
        version, walk_id, kind, browser, epoch, nonce, issued_at, expires_at,
        place, cursor, attempt, redirects, budget, op, flags, app, chain_size, return_size, count,
    ) = _HEAD.unpack_from(data)  # fmt: skip
    if version != VERSION:
        raise ValueError(f"a walk of version {version}")
    at_return = _HEAD.size + chain_size
    at_plan = at_return + return_size
    at_outcomes = at_plan + count * HOP_BYTES
    plan, outcomes = data[at_plan:at_outcomes], data[at_outcomes:]
    if len(data) != at_outcomes + count or cursor > count:
        raise ValueError("lengths do not add up")
    if kind not in _KINDS or place not in _PLACES or op not in _OPS:
        raise ValueError("a kind, a place or a logout of the provider that is not known")
    return Walk(
        id=walk_id,
        kind=_KINDS[kind],
        browser=browser,
        epoch=epoch,
        chain=data[_HEAD.size : at_return].decode(),
        hops=Hops(plan, outcomes),
        nonce=nonce,
        issued_at=issued_at,
        expires_at=expires_at,
        place=_PLACES[place],
        cursor=cursor,
        attempt=attempt,
        redirects=redirects,
        budget=budget,
        form_run=bool(flags & 2),
        op=_OPS[op],
        silent=bool(flags & 1),
        app=app,
        return_to=data[at_return:at_plan].decode(),
    )
