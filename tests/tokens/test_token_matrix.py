"""Every kind of token at every door: each opens at its own door alone (T14).

All is done twice: under keys as they are, and under one single secret for everything, where nothing but purposes and
types can tell the tokens apart. Beside the honest tokens stand disguised ones: the very claims that a door wants,
under the very key, as an ID token, an access token, a logout token, or another of our own kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pytest
from token_builders import (
    APP,
    BEGIN,
    GATEWAY,
    LOGIN_WITH_ALL,
    LOGOUT,
    NONCE,
    NOW,
    ORIGIN,
    RECEIPT,
    REQUEST,
    SECRET,
    a_keyring,
    a_walk,
    an_es256_jwk,
    claims_of,
    public_keys,
)

from chain_gateway.core.packing import pack
from chain_gateway.errors import TokenRefused
from chain_gateway.tokens.chain_token import open_walk, seal_walk
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.keyfile import KeyRecord, private_key
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.tokens.logout_request import sign_logout_request, verify_logout_request
from chain_gateway.tokens.purposes import LOGOUT_REQUEST_TYP, RECEIPT_TYP, TICKET_TYP, USE, Purpose, Use
from chain_gateway.tokens.receipt import AppKey, sign_receipt, verify_receipt
from chain_gateway.tokens.sealer import Sealer, SealKey
from chain_gateway.tokens.ticket import sign_ticket, verify_ticket

MOST: Final = 4096
FOREIGN_TYPES: Final = ("JWT", "at+jwt", "logout+jwt", "dpop+jwt", "application/jwt")
OUR_TYPES: Final = (TICKET_TYP, RECEIPT_TYP, LOGOUT_REQUEST_TYP)
EVENTS: Final = {"http://schemas.openid.net/event/backchannel-logout": {}}


@dataclass(frozen=True)
class World:
    """All keys of one deployment: the gateway's, and one app's."""

    ring: Keyring
    sealer: Sealer
    secret: AppKey
    key: AppKey


def separate() -> World:
    """Keys as they are."""
    sealer = Sealer.from_secrets([b"session key, of the app alone: 1"])
    return World(a_keyring(), sealer, AppKey.secret(SECRET), AppKey.private(an_es256_jwk("app")))


def shared() -> World:
    """One secret of 32 bytes and one kid for everything that there is."""
    number = SECRET
    ring = Keyring([KeyRecord("one", use, NOW, NOW, number) for use in Use])
    point = private_key(number).public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "kid": "one", "d": b64e(number)}
    jwk |= {"x": b64e(point.x.to_bytes(32, "big")), "y": b64e(point.y.to_bytes(32, "big"))}
    return World(ring, Sealer([SealKey("one", number)]), AppKey.secret(number), AppKey.private(jwk))


WORLDS: Final = {"separate keys": separate(), "one key for all": shared()}


def doors(world: World) -> Mapping[str, Callable[[str], object]]:
    """Every place that accepts a token, by the name of what it accepts."""
    ring, walk = world.ring, {"jti": RECEIPT.jti, "walk": RECEIPT.walk, "hop": RECEIPT.hop, "epoch": RECEIPT.epoch}
    party = {"app_id": APP, "gateway": GATEWAY}
    sealed: dict[str, Callable[[str], object]] = {
        purpose: lambda text, purpose=purpose: ring.open(purpose, text, MOST, NOW)
        for purpose in USE
        if purpose is not Purpose.CHAIN_TOKEN
    }
    apps: dict[str, Callable[[str], object]] = {
        purpose: lambda text, purpose=purpose: world.sealer.open(purpose, text, MOST, NOW)
        for purpose in (Purpose.APP_SESSION, Purpose.APP_TOMBSTONE)
    }
    keys = public_keys(ring)
    return {
        Purpose.CHAIN_TOKEN: lambda text: open_walk(text, ring, NOW),
        **sealed,
        **apps,
        "ticket": lambda text: verify_ticket(text, keys, gateway=GATEWAY, origin=ORIGIN, now=NOW),
        "receipt HS256": lambda text: verify_receipt(text, world.secret, **party, **walk, now=NOW),
        "receipt ES256": lambda text: verify_receipt(text, world.key, **party, **walk, now=NOW),
        "logout request HS256": lambda text: verify_logout_request(text, world.secret, **party, now=NOW),
        "logout request ES256": lambda text: verify_logout_request(text, world.key, **party, now=NOW),
    }


def honest(world: World) -> Iterator[tuple[str, str, str]]:
    """Each kind of token that is made here: its name, the door that is its own, its text."""
    content = pack(a_walk())
    yield "chain token", Purpose.CHAIN_TOKEN, seal_walk(a_walk(), world.ring, NONCE, NOW)
    for purpose in Purpose:
        if purpose is not Purpose.CHAIN_TOKEN:
            sealer = world.ring if purpose in USE else world.sealer
            yield purpose, purpose, sealer.seal(purpose, content, NONCE, NOW)
    for ticket in (LOGIN_WITH_ALL, LOGOUT, BEGIN):
        yield f"{ticket.act} ticket", "ticket", sign_ticket(ticket, world.ring, NOW)
    for alg, key in (("HS256", world.secret), ("ES256", world.key)):
        yield f"receipt {alg}", f"receipt {alg}", sign_receipt(RECEIPT, key)
        yield f"logout request {alg}", f"logout request {alg}", sign_logout_request(REQUEST, key)


def disguised(world: World) -> Iterator[tuple[str, str]]:
    """Texts that no door may take: name and text."""
    wanted = {
        TICKET_TYP: claims_of(sign_ticket(LOGIN_WITH_ALL, world.ring, NOW)),
        RECEIPT_TYP: claims_of(sign_receipt(RECEIPT, world.secret)),
        LOGOUT_REQUEST_TYP: claims_of(sign_logout_request(REQUEST, world.secret)),
    }
    signers = {
        "gateway": lambda typ, claims: world.ring.sign(typ, claims, NOW),
        "app HS256": world.secret.sign,
        "app ES256": world.key.sign,
    }
    for who, sign in signers.items():
        for typ, claims in wanted.items():
            for other in (*FOREIGN_TYPES, *OUR_TYPES):
                if other != typ:
                    yield f"the claims of a {typ} as {other} by {who}", sign(other, claims)
        for typ in (*FOREIGN_TYPES, *OUR_TYPES):
            yield f"an ID token as {typ} by {who}", sign(typ, id_token())
            yield f"a logout token as {typ} by {who}", sign(typ, logout_token())


def id_token() -> dict[str, object]:
    """What an OpenID Provider says of a sign-in."""
    times = {"iat": NOW, "exp": NOW + 60, "auth_time": NOW}
    return {"iss": GATEWAY, "aud": ORIGIN, "sub": "auth0|ada", "nonce": "n", "sid": "session-1", **times}


def logout_token() -> dict[str, object]:
    """What a back-channel logout says."""
    return {
        "iss": GATEWAY,
        "aud": ORIGIN,
        "iat": NOW,
        "exp": NOW + 60,
        "jti": "j",
        "sid": "session-1",
        "events": EVENTS,
    }


def opens(door: Callable[[str], object], text: str) -> bool:
    """Whether ``door`` takes ``text``; anything but a value and a TokenRefused is an error of ours."""
    try:
        door(text)
    except TokenRefused:
        return False
    return True


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_each_token_opens_at_its_own_door_alone(world: World) -> None:
    """The whole matrix: exactly the diagonal passes."""
    all_doors = doors(world)
    wrong = [
        f"{name} {'is refused at' if own == door else 'passes'} the door for {door}"
        for name, own, text in honest(world)
        for door, opened in all_doors.items()
        if opens(opened, text) is not (own == door)
    ]
    assert wrong == []


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_no_door_takes_a_token_in_disguise(world: World) -> None:
    """The right claims by the right key under the type of something else, and the standards' own tokens."""
    all_doors = doors(world)
    wrong = [
        f"{name} passes the door for {door}"
        for name, text in disguised(world)
        for door, opened in all_doors.items()
        if opens(opened, text)
    ]
    assert wrong == []


def test_the_matrix_is_complete() -> None:
    """Each purpose and each type that there is has its row and its door."""
    world = separate()
    rows = {name for name, _, _ in honest(world)}
    assert {door for _, door, _ in honest(world)} == doors(world).keys()
    assert {purpose.value for purpose in Purpose} - {"chain-token"} <= rows
    assert len(rows) == 17


def test_an_app_s_two_sealed_texts_are_no_texts_of_the_gateway() -> None:
    """The keyring has no key for them: asking it is a mistake of the program."""
    for purpose in (Purpose.APP_SESSION, Purpose.APP_TOMBSTONE):
        with pytest.raises(KeyError):
            a_keyring().seal(purpose, b"", NONCE, NOW)
