"""The app's configuration: everything wrong at once, and nothing secret in print."""

import pytest

from chain_gateway.errors import ConfigError
from chain_gateway.sdk import ChainConfig
from chain_gateway.sdk.config import seconds

GOOD = {
    "gateway": "https://login.example.com",
    "app_id": "shop",
    "origin": "https://shop.example",
    "secret": "canary-secret-" + "x" * 32,
    "session_key": "canary-key-" + "x" * 32,
}


def test_a_good_configuration_has_the_protocols_paths():
    """Without a word about them, the routes are those of the protocol, and a session lasts twelve hours."""
    chain = ChainConfig(**GOOD)
    assert (chain.hop_path, chain.ping_path) == ("/chain/hop", "/chain/ping")
    assert chain.backchannel_logout_path == "/chain/backchannel-logout"
    assert (chain.login_path, chain.logout_path) == ("/chain/login", "/chain/logout")
    assert chain.life == 12 * 3600


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gateway", "https://login.example.com/"),
        ("gateway", "http://login.example.com"),
        ("origin", "https://shop.example:443"),
        ("origin", "shop.example"),
        ("app_id", ""),
        ("secret", "short"),
        ("session_key", "short"),
        ("session_key", []),
        ("session_key", ["k" * 32, "k" * 32]),
        ("session_max", "never"),
        ("session_max", 0),
        ("hop_path", "chain/hop"),
        ("hop_path", "/a/../hop"),
        ("hop_path", "/{any}"),
        ("hop_path", "/chain/ping"),
    ],
)
def test_a_bad_value_is_named(name, value):
    """Each refusal says which argument, why, and what to write instead."""
    with pytest.raises(ConfigError) as refusal:
        ChainConfig(**{**GOOD, name: value})
    (problem,) = refusal.value.problems
    assert problem.path == name
    assert problem.reason
    assert problem.hint


def test_all_problems_come_at_once():
    """Nobody repairs a configuration one error at a time."""
    with pytest.raises(ConfigError) as refusal:
        ChainConfig(gateway="", app_id="", origin="", session_key="")
    assert [p.path for p in refusal.value.problems] == ["gateway", "origin", "session_key", "secret", "app_id"]


def test_a_secret_and_a_private_key_are_one_too_many():
    """Receipts have one key."""
    with pytest.raises(ConfigError):
        ChainConfig(**GOOD, private_key="-----BEGIN PRIVATE KEY-----")


def test_nothing_secret_is_printed():
    """T45: a configuration in a log or a traceback shows no key."""
    assert "canary" not in repr(ChainConfig(**GOOD))
    with pytest.raises(ConfigError) as refusal:
        ChainConfig(**{**GOOD, "session_key": "canary"})
    assert "canary" not in str(refusal.value)


@pytest.mark.parametrize(("text", "value"), [(90, 90), ("90", 90), ("90s", 90), ("30m", 1800), ("7d", 604800)])
def test_durations_are_seconds_or_a_number_with_a_unit(text, value):
    """The spellings of the gateway's own configuration."""
    assert seconds(text) == value
