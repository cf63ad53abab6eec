"""What no gateway can leave out of a hop: the arithmetic, and an answer by aiohttp. No check, no store, no walk.

It takes the requests that the relay takes, and shows how much of what a bare redirect reaches is left on a machine
once texts are opened, verified, sealed and signed.
"""

from __future__ import annotations

import os
from typing import Final

from aiohttp import web

from bench.gateways import SECRET
from chain_gateway.core.limits import CHAIN_TOKEN_BYTES, IDENTITY_BYTES, RECEIPT_BYTES, TICKET_SECONDS
from chain_gateway.service.realm import NONCE_BYTES, Realm
from chain_gateway.tokens.app_key import AppKey
from chain_gateway.tokens.jws import open_jws
from chain_gateway.tokens.purposes import RECEIPT_TYP, TICKET_TYP, Purpose
from chain_gateway.web.cookies import COOKIE_BYTES

BID: Final = "a-pseudonym-of-16-byte"
"""As long as one that a gateway works out."""


def floor(realm: Realm) -> web.Application:
    """An application whose ``/relay`` does the arithmetic of a hop from the first app to the second."""
    keyring = realm.keyring()
    first, second = list(realm.registry.apps.values())[:2]
    key = AppKey.secret((SECRET + first.id).encode())

    async def redirect(request: web.Request) -> web.Response:
        state, receipt = (pair.partition("=")[2] for pair in request.raw_path.partition("?")[2].split("&"))
        browser, identity = (pair.partition("=")[2] for pair in request.headers["Cookie"].split("; "))
        now = realm.now()
        walk = keyring.open(Purpose.CHAIN_TOKEN, state, CHAIN_TOKEN_BYTES, now)
        keyring.open(Purpose.BROWSER, browser, COOKIE_BYTES, now)
        keyring.open(Purpose.IDENTITY, identity, IDENTITY_BYTES, now)
        said = open_jws(receipt, RECEIPT_TYP, RECEIPT_BYTES, key.find)
        sealed = keyring.seal(Purpose.CHAIN_TOKEN, walk, os.urandom(NONCE_BYTES), now)
        claims = {
            "iss": realm.public_url,
            "aud": second.origin,
            "act": "logout",
            "bid": BID,
            "jti": said["jti"],
            "iat": now,
            "exp": now + TICKET_SECONDS,
            "epoch": said["epoch"],
            "walk": said["walk"],
            "hop": 1,
            "return": f"{realm.public_url}/relay?state={sealed}",
            "sid": "the-session-of-the-provider",
        }
        url = f"{second.hop_url}?ticket={keyring.sign(TICKET_TYP, claims, now)}"
        return web.Response(status=302, headers={"Location": url})

    app = web.Application()
    app.router.add_get("/relay", redirect)
    return app
