"""The server of the relay's measurement: the gateway, and on the same loop a bare aiohttp 302 and a hop's floor.

``python -m bench.relay_server STORE APPS [watched]`` answers ``ports`` with the three ports, and ``hops COUNT APPS``
with that many requests, each of which brings the first receipt of a walk of its own back: its URL, tokens and cookies
are unique. ``open COUNT APPS`` writes that many walks down and leaves them open. ``steps`` is answered with what the
stopwatch of ``watched`` has seen (``bench.steps``).
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import secrets
import socket
import sys
import time
from contextlib import AsyncExitStack

from bench.floor import floor
from bench.gateways import SECRET, settings
from bench.serving import bare, obey, run, serving
from bench.steps import Stopwatch
from chain_gateway import assembly
from chain_gateway.core.chain import Mode
from chain_gateway.core.ledger import Entry, Holding
from chain_gateway.core.packing import pack
from chain_gateway.core.walk import Hop, Hops, Kind, Place, Walk
from chain_gateway.ops.meter import PrometheusMeter
from chain_gateway.service.identity import Identities, Identity
from chain_gateway.service.realm import Realm, Visitor
from chain_gateway.service.tickets import Tickets
from chain_gateway.store.base import StoredWalk
from chain_gateway.tokens.app_key import AppKey
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.tokens.purposes import Purpose
from chain_gateway.tokens.receipt import Receipt, ReceiptOutcome, sign_receipt
from chain_gateway.web.cookies import BROWSER

HOP_SECONDS = 30
WALK_SECONDS = 900
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
BATCH = 100


async def hops(realm: Realm, count: int, apps: int) -> list[str]:
    """That many requests, written down in shares, as walks that begin at the same time would be."""
    made: list[str] = []
    for done in range(0, count, BATCH):
        made += await asyncio.gather(*(hop(realm, apps) for _ in range(min(BATCH, count - done))))
    gc.collect()  # what this left behind is not to be paid for by those who are measured
    return made


async def hop(realm: Realm, apps: int) -> str:
    """One logout walk of ``apps`` hops in the store, and the request by which its first hop comes back."""
    walk = await begun(realm, apps)
    app = realm.registry.by_tag[walk.hop.tag]
    receipt = sign_receipt(_receipt(realm, walk, app.id), AppKey.secret((SECRET + app.id).encode()))
    head = (
        f"GET /relay?state={Tickets(realm).state(walk)}&receipt={receipt} HTTP/1.1",
        f"Host: {realm.public_url.partition('://')[2]}",
        f"User-Agent: {AGENT}",
        f"Accept: {ACCEPT}",
        "Accept-Encoding: gzip, deflate, br",
        "Accept-Language: en-GB,en;q=0.9",
        f"Cookie: {_cookies(realm, walk)}",
    )
    return "\r\n".join(head) + "\r\n\r\n"


async def begun(realm: Realm, apps: int) -> Walk:
    """One logout walk of ``apps`` hops, written down with what the first app holds, and open."""
    walk = await _walk(realm, apps)
    record = StoredWalk(
        walk.id, walk.browser, walk.epoch, walk.nonce, pack(walk), walk.issued_at + HOP_SECONDS, walk.expires_at
    )
    app = realm.registry.by_tag[walk.hop.tag]
    held = Entry(app.id, Holding.HOLDS, walk.epoch - 1, walk.issued_at, "auth0|0123456789abcdef01234567", "a-session")
    await realm.store.open_walk(record, [held], None)
    return walk


async def _walk(realm: Realm, apps: int) -> Walk:
    now, browser = realm.now(), secrets.token_bytes(16)
    tags = [app.tag for app in realm.registry.apps.values()][:apps]
    return Walk(
        id=secrets.token_bytes(16),
        kind=Kind.LOGOUT,
        browser=browser,
        epoch=await realm.store.take_epoch(browser, realm.now_ms(), logout=True),
        chain="main",
        hops=Hops.of(tuple(Hop(tag, Mode.REDIRECT) for tag in tags)),
        nonce=secrets.token_bytes(16),
        issued_at=now,
        expires_at=now + WALK_SECONDS,
        place=Place.VISITING,
        redirects=3,
        return_to=realm.registry.by_tag[tags[0]].origin + "/account",
    )


def _receipt(realm: Realm, walk: Walk, app: str) -> Receipt:
    return Receipt(
        iss=app,
        aud=realm.public_url,
        jti=b64e(walk.nonce),
        rid=b64e(secrets.token_bytes(16)),
        walk=b64e(walk.id),
        hop=walk.cursor,
        epoch=walk.epoch,
        outcome=ReceiptOutcome.APPLIED,
        iat=walk.issued_at,
    )


def _cookies(realm: Realm, walk: Walk) -> str:
    """The two cookies that a browser shows in the middle of a walk: its own id, and whom the walk is about."""
    session = json.dumps({"created": realm.now(), "session": {"id": b64e(walk.browser)}}, separators=(",", ":"))
    who = Identities(realm).cookies(walk, Identity(sid="the-session-of-the-provider"), Visitor())[0]
    return f"{BROWSER}={realm.seal(Purpose.BROWSER, session.encode())}; {who.name}={who.value}"


async def main(store: str, apps: int, *watched: str) -> None:
    """Serves until standard input ends; ``watched``, if anything, puts a stopwatch around each step of a hop."""
    keyring = Keyring.generate(int(time.time()) - 10, os.urandom)
    # Every walk here is left after one hop, which the sweeper would take for thousands of lost browsers.
    gateway = await assembly.build(settings(apps, store=store), keyring, rounds=False, meter=PrometheusMeter())
    realm = gateway[assembly.REALM]
    stopwatch = Stopwatch()
    if watched:
        stopwatch.wind(gateway)
    async with AsyncExitStack() as stack:
        bound = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
        for app, each in zip((gateway, bare(), floor(realm)), bound, strict=True):
            await stack.enter_async_context(serving(app, each))
        ports = [str(each.getsockname()[1]) for each in bound]

        async def told(_: str) -> list[str]:
            return ports

        async def made(rest: str) -> list[str]:
            count, of = rest.split()
            return await hops(realm, int(count), int(of))

        async def opened(rest: str) -> list[str]:
            count, of = rest.split()
            for _ in range(int(count)):
                await begun(realm, int(of))
            gc.collect()
            return [count]

        async def steps(_: str) -> list[str]:
            return [f"{took} {name}" for name, took in stopwatch.told()]

        await obey({"ports": told, "hops": made, "open": opened, "steps": steps})


if __name__ == "__main__":
    run(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
