"""Browsers, walks and entries with defaults; ids are random, so that cases can share a backend."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from chain_gateway.core.chain import AppId
from chain_gateway.core.ledger import Browser, Entry, Holding, OpRecord
from chain_gateway.core.limits import HOP_SECONDS, WALK_SECONDS
from chain_gateway.store.base import Store, StoredWalk

NOW = 1_800_000_000
NOW_MS = NOW * 1000
RACERS = 48
"""Calls that run at the same time in a race."""


def an_id() -> bytes:
    """16 random bytes: a browser's, a walk's, a nonce."""
    return secrets.token_bytes(16)


def a_walk(browser: bytes, epoch: int = NOW_MS, *, now: int = NOW, ended: bool = False) -> StoredWalk:
    """A walk of ``browser`` that began at ``now``."""
    return StoredWalk(
        an_id(), browser, epoch, an_id(), b"state of " + an_id(), now + HOP_SECONDS, now + WALK_SECONDS, ended=ended
    )


def step(walk: StoredWalk, *, ended: bool = False) -> StoredWalk:
    """The same walk one hop on: another nonce, state and deadline."""
    return walk._replace(nonce=an_id(), state=b"state of " + an_id(), hop_deadline=walk.hop_deadline + 1, ended=ended)


def an_entry(app: str = "shop", epoch: int = NOW_MS, holding: Holding = Holding.HOLDS) -> Entry:
    """A line of the ledger."""
    return Entry(AppId(app), holding, epoch, NOW, "sub", "sid", NOW - 60)


def a_record(word: bytes = b"sealed") -> OpRecord:
    """The provider's side of a sign-in, under a ``sub`` and a ``sid`` of its own."""
    return OpRecord(word, f"auth0|{an_id().hex()}", an_id().hex())


async def begun(store: Store, *, browser: bytes = b"", ledger: Sequence[Entry] = ()) -> StoredWalk:
    """A walk as a login begins it: an epoch is taken, and it is written down."""
    browser = browser or an_id()
    walk = a_walk(browser, await store.take_epoch(browser, NOW_MS, logout=False))
    await store.open_walk(walk, ledger, None)
    return walk


async def known(store: Store, browser: bytes) -> Browser:
    """What the store knows of a browser; an empty one with epoch -1 if it knows nothing."""
    return await store.browser(browser) or Browser(browser, epoch=-1)
