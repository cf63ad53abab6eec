"""What is not time: how long a chain token is, and how it grows with the chain."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Final

from bench.figures import Figure, Size, Subject, Words
from chain_gateway.core.chain import Mode, app_tag
from chain_gateway.core.walk import Hop, Hops, Kind, Place, Walk
from chain_gateway.tokens.chain_token import seal_walk
from chain_gateway.tokens.keyring import Keyring

GOAL: Final = 1024
"""Characters: what a chain token may take of a URL that proxies and servers cut at 8 KiB, or at 2."""
LENGTHS: Final = (1, 10, 100)
RETURN_TO: Final = "https://shop.example.com/account/orders?page=2"


def chain_token(apps: int) -> str:
    """The chain token of a login in the middle of a chain of that many apps, with a return URL of the usual length."""
    now = int(time.time())
    walk = Walk(
        id=os.urandom(16),
        kind=Kind.LOGIN,
        browser=os.urandom(16),
        epoch=now * 1000,
        chain="main",
        hops=Hops.of(tuple(Hop(app_tag(f"app{number}"), Mode.FORM_POST) for number in range(apps))),
        nonce=os.urandom(16),
        issued_at=now,
        expires_at=now + 900,
        place=Place.VISITING,
        cursor=apps // 2,
        app=app_tag("app0"),
        return_to=RETURN_TO,
    )
    return seal_walk(walk, Keyring.generate(now, os.urandom), os.urandom(12), now)


def _measure(_: Size) -> Mapping[str, Figure]:
    return {f"token.size.{apps}": Figure(len(chain_token(apps)), "characters", GOAL) for apps in LENGTHS}


def _words(apps: int) -> Words:
    many = "1 app" if apps == 1 else f"{apps} apps"
    return Words(f"the chain token of a walk through {many}", "1,024 characters")


SUBJECTS: Final = (Subject({f"token.size.{apps}": _words(apps) for apps in LENGTHS}, _measure),)
