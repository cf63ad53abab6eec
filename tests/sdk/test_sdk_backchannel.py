"""The logout token: every rule of Back-Channel Logout 1.0, sections 2.4 and 2.6, each with its own case."""

import secrets

import pytest

from chain_gateway.errors import TokenRefused
from chain_gateway.sdk.backchannel import verify_logout_token
from chain_gateway.sdk.testing import FakeGateway
from chain_gateway.tokens.keyring import Keyring

NOW = 1_800_000_000
EVENT = "http://schemas.openid.net/event/backchannel-logout"
GATEWAY = FakeGateway(clock=lambda: NOW)
SHOP = GATEWAY.config()
NAMES = frozenset({"shop", "https://shop.example"})


def verified(text, now=NOW):
    """The token as the shop reads it."""
    return verify_logout_token(text, GATEWAY.keys._fixed, gateway=GATEWAY.url, audiences=NAMES, now=now)


def test_a_logout_token_names_the_session_and_the_epoch():
    """What it says is read, whichever of its two names the app is called by."""
    for aud in ("shop", "https://shop.example", ["shop"]):
        token = verified(GATEWAY.logout_token(SHOP, "sid-1", epoch=7, jti="j", aud=aud))
        assert (token.sid, token.epoch, token.jti) == ("sid-1", 7, "j")


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://login.example.net"},
        {"aud": "bank"},
        {"aud": ["shop", "bank"]},
        {"aud": 5},
        {"iat": None},
        {"iat": NOW + 61, "exp": NOW + 100},
        {"exp": None},
        {"iat": NOW - 200, "exp": NOW - 90},
        {"exp": NOW + 121},
        {"jti": None},
        {"events": None},
        {"events": {}},
        {"events": {EVENT: {}, "https://example.com/other": {}}},
        {"events": {EVENT: {"more": 1}}},
        {"events": [EVENT]},
        {"nonce": "n"},
        {"sid": None},
        {"sid": ""},
        {"sid": None, "sub": "alice"},
        {"epoch": None},
        {"epoch": "7"},
        {"epoch": NOW * 1000 + 5 * 60 * 1000 + 1},
    ],
    ids=str,
)
def test_each_rule_refuses_alone(changed):
    """T42: one claim changed, left out or added, and the token proves nothing."""
    with pytest.raises(TokenRefused):
        verified(GATEWAY.logout_token(SHOP, "sid-1", **changed))


def test_a_claim_that_is_not_known_is_passed_over():
    """Section 2.4: a later version of the gateway may say more."""
    assert verified(GATEWAY.logout_token(SHOP, "sid-1", more="x", sub="alice")).sid == "sid-1"


def test_a_token_of_another_type_or_key_is_refused():
    """T14: a ticket is no logout token, and a key that is not the gateway's signs nothing."""
    claims = {"iss": GATEWAY.url, "aud": "shop", "iat": NOW, "exp": NOW + 60, "jti": "j", "events": {EVENT: {}}}
    claims |= {"sid": "sid-1", "epoch": 7}
    with pytest.raises(TokenRefused) as refusal:
        verified(GATEWAY.keyring.sign("chain-ticket+jwt", claims, NOW))
    assert refusal.value.code == "token_refused.header"
    with pytest.raises(TokenRefused) as refusal:
        verified(Keyring.generate(NOW, secrets.token_bytes).sign("logout+jwt", claims, NOW))
    assert refusal.value.code == "token_refused.key"
