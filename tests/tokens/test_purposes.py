"""The labels of what a text is for: frozen, distinct, complete."""

from __future__ import annotations

from chain_gateway.core import limits
from chain_gateway.tokens import purposes
from chain_gateway.tokens.purposes import LIFE, USE, Purpose, Use

FROZEN = {
    "CHAIN_TOKEN": "chain-token",
    "OP_STATE": "op-state",
    "CONFIRM": "confirm",
    "OP_SESSION": "op-session",
    "TRANSACTION": "transaction",
    "BROWSER": "browser",
    "IDENTITY": "identity",
    "AWAY": "away",
    "APP_SESSION": "app-session",
    "APP_TOMBSTONE": "app-tombstone",
}


def test_no_label_changes() -> None:
    """A label is inside texts that are out in the world: changing one refuses them all."""
    assert FROZEN.items() <= {purpose.name: purpose.value for purpose in Purpose}.items()
    assert purposes.TICKET_TYP == "chain-ticket+jwt"
    assert purposes.RECEIPT_TYP == "chain-receipt+jwt"
    assert purposes.LOGOUT_REQUEST_TYP == "chain-logout-request+jwt"


def test_no_two_purposes_share_a_label() -> None:
    """An enumeration would make the second an alias of the first, silently."""
    assert len(Purpose.__members__) == len({purpose.value for purpose in Purpose})


def test_each_purpose_of_the_gateway_has_its_keys_and_its_life() -> None:
    """All but the app's own two are sealed by the keyring, by keys that seal or cookie keys, never by signing keys."""
    own = set(Purpose) - {Purpose.APP_SESSION, Purpose.APP_TOMBSTONE}
    assert set(USE) == own
    assert set(LIFE) == own
    assert set(USE.values()) == {Use.SEAL, Use.COOKIE}


def test_a_life_is_no_shorter_than_what_the_text_is_needed_for() -> None:
    """A key that is superseded the moment after must outlive what it sealed."""
    assert LIFE[Purpose.CHAIN_TOKEN] >= limits.WALK_SECONDS
    assert LIFE[Purpose.IDENTITY] >= limits.WALK_SECONDS
    assert LIFE[Purpose.TRANSACTION] >= limits.TRANSACTION_SECONDS
    assert LIFE[Purpose.CONFIRM] >= limits.CONFIRM_SECONDS
    assert LIFE[Purpose.BROWSER] >= limits.BROWSER_SECONDS
