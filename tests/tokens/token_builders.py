"""Builders with defaults for everything that the token tests seal, sign or forge."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

import orjson
import pytest

from chain_gateway.core.chain import Mode, app_tag
from chain_gateway.core.walk import Hop, Hops, Kind, Walk
from chain_gateway.errors import TokenRefused
from chain_gateway.tokens.encoding import b64d, b64e
from chain_gateway.tokens.es256 import signature
from chain_gateway.tokens.keyfile import private_key
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.tokens.logout_request import LogoutRequest
from chain_gateway.tokens.receipt import AppKey, Receipt, ReceiptOutcome
from chain_gateway.tokens.refusals import Check
from chain_gateway.tokens.ticket import Act, GatewayKeys, Ticket

NOW: Final = 1_800_000_000
EPOCH: Final = NOW * 1000
GATEWAY: Final = "https://login.example"
ORIGIN: Final = "https://shop.example"
APP: Final = "shop"
SECRET: Final = b"a secret of thirty-two bytes: ok"
NONCE: Final = bytes(range(12))
BOUND: Final = b64e(hashlib.sha256(b"cookie").digest())


def drawn(seed: str = "") -> Callable[[int], bytes]:
    """Bytes that look random and are the same in each run."""

    def blocks() -> Iterator[bytes]:
        count = 0
        while True:
            yield hashlib.sha256(f"{seed}/{count}".encode()).digest()
            count += 1

    source = blocks()
    return lambda count: b"".join(next(source) for _ in range(count // 32 + 1))[:count]


def an_id(name: str) -> str:
    """An opaque name of 22 characters."""
    return b64e(hashlib.sha256(name.encode()).digest()[:16])


def a_keyring(seed: str = "ring", now: int = NOW) -> Keyring:
    """A keyring, the same for the same seed."""
    return Keyring.generate(now, drawn(seed))


def public_keys(ring: Keyring, now: int = NOW) -> GatewayKeys:
    """What an app fetches from the gateway."""
    return GatewayKeys.from_jwks(ring.jwks(now))


def an_es256_jwk(kid: str = "", number: int = 7) -> dict[str, str]:
    """A private JWK."""
    point = private_key(number.to_bytes(32, "big")).public_key().public_numbers()
    size = {"x": point.x, "y": point.y, "d": number}
    jwk = {"kty": "EC", "crv": "P-256"} | {name: b64e(value.to_bytes(32, "big")) for name, value in size.items()}
    return jwk | ({"kid": kid} if kid else {})


def public_part(jwk: Mapping[str, str]) -> dict[str, str]:
    """The same JWK without its private number."""
    return {name: value for name, value in jwk.items() if name != "d"}


LOGIN: Final = Ticket(
    iss=GATEWAY,
    aud=ORIGIN,
    act=Act.LOGIN,
    bid=an_id("browser at shop"),
    jti=an_id("ticket"),
    iat=NOW,
    exp=NOW + 60,
    epoch=EPOCH,
    walk=an_id("walk"),
    hop=2,
    return_to=f"{GATEWAY}/relay?state=sealed",
    sub="auth0|ada",
    sid="session-1",
)
LOGIN_WITH_ALL: Final = replace(
    LOGIN,
    auth_time=NOW - 5,
    acr="urn:mfa",
    claims={"email": "ada@example.com", "groups": ["a", "b"], "height": 1.75},
    cnf=BOUND,
    watch="w" * 40,
)
LOGOUT: Final = replace(LOGIN, act=Act.LOGOUT, sub="")
BEGIN: Final = replace(LOGIN, act=Act.BEGIN, sub="", sid="")

RECEIPT: Final = Receipt(
    iss=APP,
    aud=GATEWAY,
    jti=LOGIN.jti,
    rid=an_id("receipt"),
    walk=LOGIN.walk,
    hop=2,
    epoch=EPOCH,
    outcome=ReceiptOutcome.APPLIED,
    iat=NOW,
)
REQUEST: Final = LogoutRequest(iss=APP, aud=GATEWAY, sid="session-1", jti=an_id("request"), iat=NOW, exp=NOW + 60)


def a_walk(apps: int = 3, chain: str = "main", return_to: str = "https://shop.example/account") -> Walk:
    """A login walk through that many apps, at its first hop."""
    hops = Hops.of(tuple(Hop(app_tag(f"app-{i}"), Mode.FORM_POST) for i in range(apps)))
    return Walk(
        id=bytes(range(16)),
        kind=Kind.LOGIN,
        browser=bytes(range(16, 32)),
        epoch=EPOCH,
        chain=chain,
        hops=hops,
        nonce=bytes(range(32, 48)),
        issued_at=NOW,
        expires_at=NOW + 900,
        app=app_tag("app-0"),
        return_to=return_to,
    )


def forged(header: Mapping[str, object] | bytes, claims: Mapping[str, object] | bytes, key: bytes = SECRET) -> str:
    """A JWS with any header and claims under it: ES256 with a private number of 32 bytes if so headed, else HS256."""
    head = header if isinstance(header, bytes) else orjson.dumps(header)
    body = claims if isinstance(claims, bytes) else orjson.dumps(claims)
    signed = f"{b64e(head)}.{b64e(body)}"
    if b'"ES256"' in head:
        return f"{signed}.{b64e(signature(private_key(key), signed.encode()))}"
    return f"{signed}.{b64e(hmac.digest(key, signed.encode(), 'sha256'))}"


def claims_of(text: str) -> dict[str, object]:
    """The claims of a JWS, unverified."""
    claims: dict[str, object] = orjson.loads(b64d(text.split(".")[1]))
    return claims


def header_of(text: str) -> dict[str, object]:
    """The header of a JWS, unverified."""
    header: dict[str, object] = orjson.loads(b64d(text.split(".", maxsplit=1)[0]))
    return header


def refusal(check: Check, act: Callable[[], object]) -> None:
    """Passes if ``act`` is refused at ``check``, and tells the outside nothing but that it was refused."""
    with pytest.raises(TokenRefused) as caught:
        act()
    assert caught.value.code == f"token_refused.{check}"
    assert caught.value.text == TokenRefused.text
    assert caught.value.status == TokenRefused.status


HS256: Final = AppKey.secret(SECRET)
ES256: Final = AppKey.private(an_es256_jwk())
