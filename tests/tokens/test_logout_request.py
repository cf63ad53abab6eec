"""Logout requests: an app may ask for its own person's logout, for a minute (T14, T28)."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_builders import APP, ES256, GATEWAY, HS256, NOW, REQUEST, claims_of, header_of, refusal

from chain_gateway.core import limits
from chain_gateway.tokens.logout_request import CLAIMS, LogoutRequest, sign_logout_request, verify_logout_request
from chain_gateway.tokens.purposes import LOGOUT_REQUEST_TYP
from chain_gateway.tokens.receipt import AppKey
from chain_gateway.tokens.refusals import Check

VALUES = asdict(REQUEST)

BOTH_KEYS = pytest.mark.parametrize("key", [HS256, ES256], ids=["HS256", "ES256"])


def opened(text: str, key: AppKey = HS256, app: str = APP, gateway: str = GATEWAY, now: int = NOW) -> LogoutRequest:
    """What the gateway reads."""
    return verify_logout_request(text, key, app_id=app, gateway=gateway, now=now)


def changed(**claims: object) -> str:
    """A request with these claims changed."""
    return HS256.sign(LOGOUT_REQUEST_TYP, VALUES | claims)


@BOTH_KEYS
def test_a_request_arrives_as_it_was_sent(key: AppKey) -> None:
    """By secret and by key, with the type and the claims of the protocol."""
    text = sign_logout_request(REQUEST, key)
    assert opened(text, key) == REQUEST
    assert header_of(text)["typ"] == "chain-logout-request+jwt"
    assert claims_of(text) == VALUES
    assert CLAIMS.must == VALUES.keys()


@BOTH_KEYS
def test_a_request_of_another_app_or_to_another_gateway_is_refused(key: AppKey) -> None:
    """The parameter ``app`` names the key, and the text must name the same app (T28)."""
    text = sign_logout_request(REQUEST, key)
    refusal(Check.ISSUER, lambda: opened(text, key, app="bank"))
    refusal(Check.AUDIENCE, lambda: opened(text, key, gateway="https://other.example"))
    refusal(Check.SIGNATURE, lambda: opened(changed(), AppKey.secret(b"the secret of quite another app!")))


def test_a_request_lives_a_minute_and_a_minute_of_skew() -> None:
    """To the second, on both sides."""
    text = sign_logout_request(REQUEST, HS256)
    assert opened(text, now=NOW - limits.SKEW_SECONDS) == REQUEST
    assert opened(text, now=REQUEST.exp + limits.SKEW_SECONDS - 1) == REQUEST
    refusal(Check.EARLY, lambda: opened(text, now=NOW - limits.SKEW_SECONDS - 1))
    refusal(Check.EXPIRED, lambda: opened(text, now=REQUEST.exp + limits.SKEW_SECONDS))


@pytest.mark.parametrize("life", [61, 3600, 0, -1])
def test_a_request_that_lives_longer_or_not_at_all_is_refused(life: int) -> None:
    """A request that is kept for later is a weapon for later."""
    refusal(Check.CLAIMS, lambda: opened(changed(exp=NOW + life)))


@pytest.mark.parametrize("name", sorted(CLAIMS.must))
def test_a_request_without_a_claim_is_refused(name: str) -> None:
    """Each of them."""
    without = {claim: value for claim, value in VALUES.items() if claim != name}
    refusal(Check.CLAIMS, lambda: opened(HS256.sign(LOGOUT_REQUEST_TYP, without)))


@pytest.mark.parametrize("name", ["sub", "scope", "return_to", "events", "nonce"])
def test_a_request_with_a_claim_too_many_is_refused(name: str) -> None:
    """Nothing but a session is asked for."""
    refusal(Check.CLAIMS, lambda: opened(changed(**{name: "x"})))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("sid", value) for value in (None, True, 1, [], {}, "", "a" * 256, "a\nb")),
        *(("jti", value) for value in (None, True, 1, [], {}, "", "a" * 33, "a b", "a\n")),
        *(("iat", value) for value in (None, True, "1", float(NOW), -1, 2**53)),
        *(("exp", value) for value in (None, True, "1", float(NOW + 60), -1, 2**53)),
    ],
)
def test_a_claim_of_another_type_or_size_is_refused(name: str, value: object) -> None:
    """Types are strict."""
    refusal(Check.CLAIMS, lambda: opened(changed(**{name: value})))


def test_a_request_that_is_too_long_is_refused() -> None:
    """Before it is parsed."""
    refusal(Check.SIZE, lambda: opened("a" * (limits.LOGOUT_REQUEST_BYTES + 1)))
    longest = replace(REQUEST, sid="s" * 255)
    assert opened(sign_logout_request(longest, ES256), ES256) == longest


@settings(deadline=None, max_examples=60)
@given(
    st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1, max_size=255),
    st.integers(1, limits.LOGOUT_REQUEST_SECONDS),
    st.sampled_from([HS256, ES256]),
)
def test_any_request_arrives_as_it_was_sent(sid: str, life: int, key: AppKey) -> None:
    """Whatever the session's name and the life."""
    request = replace(REQUEST, sid=sid, exp=NOW + life)
    assert opened(sign_logout_request(request, key), key) == request
