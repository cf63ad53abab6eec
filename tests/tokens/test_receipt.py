"""Receipts: of exactly this app, ticket, walk, hop and epoch, or not at all (T14, T21)."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_builders import APP, EPOCH, ES256, GATEWAY, HS256, NOW, RECEIPT, an_id, claims_of, forged, header_of, refusal

from chain_gateway.core import limits
from chain_gateway.errors import TokenRefused
from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.purposes import RECEIPT_TYP
from chain_gateway.tokens.receipt import (
    CLAIMS,
    RECEIPT_SECONDS,
    AppKey,
    Receipt,
    ReceiptOutcome,
    sign_receipt,
    verify_receipt,
)
from chain_gateway.tokens.refusals import Check

EXPECTED = {
    "app_id": APP,
    "gateway": GATEWAY,
    "jti": RECEIPT.jti,
    "walk": RECEIPT.walk,
    "hop": RECEIPT.hop,
    "epoch": RECEIPT.epoch,
    "now": NOW,
}
VALUES = claims_of(sign_receipt(replace(RECEIPT, outcome=ReceiptOutcome.REFUSED, reason="used"), HS256))

BOTH_KEYS = pytest.mark.parametrize("key", [HS256, ES256], ids=["HS256", "ES256"])


def opened(text: str, key: AppKey = HS256, **expected: object) -> Receipt:
    """What the gateway reads, at the hop of ``RECEIPT`` or as changed."""
    return verify_receipt(text, key, **(EXPECTED | expected))


def changed(**claims: object) -> str:
    """A receipt with all that it may carry, and these claims changed."""
    return HS256.sign(RECEIPT_TYP, VALUES | claims)


@BOTH_KEYS
@pytest.mark.parametrize("outcome", ReceiptOutcome)
def test_a_receipt_arrives_as_it_was_sent(key: AppKey, outcome: ReceiptOutcome) -> None:
    """Each outcome, with a reason and without, by secret and by key."""
    for reason in ("", "other_browser"):
        receipt = replace(RECEIPT, outcome=outcome, reason=reason)
        assert opened(sign_receipt(receipt, key), key) == receipt


@BOTH_KEYS
def test_a_receipt_has_the_header_and_the_claims_of_the_protocol(key: AppKey) -> None:
    """What another language writes."""
    text = sign_receipt(RECEIPT, key)
    assert header_of(text)["typ"] == "chain-receipt+jwt"
    assert (
        claims_of(text).keys() == CLAIMS.must == {"iss", "aud", "jti", "rid", "walk", "hop", "epoch", "outcome", "iat"}
    )
    assert CLAIMS.may == {"reason"}


@BOTH_KEYS
@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (Check.ISSUER, {"app_id": "bank"}),
        (Check.ISSUER, {"app_id": ""}),
        (Check.AUDIENCE, {"gateway": "https://other.example"}),
        (Check.AUDIENCE, {"gateway": f"{GATEWAY}/"}),
        (Check.HOP, {"jti": an_id("another ticket")}),
        (Check.HOP, {"jti": RECEIPT.rid}),
        (Check.HOP, {"walk": an_id("another walk")}),
        (Check.HOP, {"hop": 1}),
        (Check.HOP, {"hop": 3}),
        (Check.HOP, {"epoch": EPOCH + 1}),
        (Check.HOP, {"epoch": EPOCH - 1}),
    ],
)
def test_a_receipt_of_another_hop_is_refused(key: AppKey, check: Check, expected: dict[str, object]) -> None:
    """Each of app, gateway, ticket, walk, place and epoch by itself (T21)."""
    refusal(check, lambda: opened(sign_receipt(RECEIPT, key), key, **expected))


def test_another_app_s_key_is_refused() -> None:
    """A registered app signs for itself alone (T21)."""
    other = AppKey.secret(b"the secret of quite another app!")
    refusal(Check.SIGNATURE, lambda: opened(sign_receipt(RECEIPT, other)))


def test_a_receipt_is_as_fresh_as_a_redirect() -> None:
    """A minute of skew ahead, five minutes behind: an app's clock that is ten minutes off shows (F07)."""
    text = sign_receipt(RECEIPT, HS256)
    assert opened(text, now=NOW - limits.SKEW_SECONDS) == RECEIPT
    assert opened(text, now=NOW + RECEIPT_SECONDS) == RECEIPT
    refusal(Check.EARLY, lambda: opened(text, now=NOW - limits.SKEW_SECONDS - 1))
    refusal(Check.EXPIRED, lambda: opened(text, now=NOW + RECEIPT_SECONDS + 1))
    refusal(Check.EARLY, lambda: opened(text, now=NOW - 600))
    refusal(Check.EXPIRED, lambda: opened(text, now=NOW + 600))


@pytest.mark.parametrize("name", sorted(CLAIMS.must))
def test_a_receipt_without_a_claim_is_refused(name: str) -> None:
    """Each of them."""
    without = {claim: value for claim, value in VALUES.items() if claim != name}
    refusal(Check.CLAIMS, lambda: opened(HS256.sign(RECEIPT_TYP, without)))


@pytest.mark.parametrize("name", ["exp", "sub", "sid", "act", "nonce", "return", "Outcome", ""])
def test_a_receipt_with_a_claim_too_many_is_refused(name: str) -> None:
    """A text that could be something else as well is not taken (T14)."""
    refusal(Check.CLAIMS, lambda: opened(changed(**{name: "x"})))


_IDENT = (None, True, 1, [], {}, "", "a" * 33, "a b", "a=", "ä", "a\n")
_INT = (None, True, False, "1", 2.0, -1, 2**53, 2**64 - 1, [], {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("jti", value) for value in _IDENT),
        *(("rid", value) for value in _IDENT),
        *(("walk", value) for value in _IDENT),
        *(("hop", value) for value in (*_INT, limits.CHAIN_APPS)),
        *(("epoch", value) for value in _INT),
        *(("iat", value) for value in _INT),
        *(("outcome", value) for value in (None, True, 1, [], {}, "", "Applied", "applied ", "done", "pending")),
        *(("reason", value) for value in (None, True, 1, [], {}, "", "a\r\nb", "\x1b[2J", "ä", "a" * 257)),
    ],
)
def test_a_claim_of_another_type_or_size_is_refused(name: str, value: object) -> None:
    """Types are strict, also where the expected value would be equal to it: 2.0 == 2, True == 1."""
    expected = {name: value} if name in EXPECTED else {}
    refusal(Check.CLAIMS, lambda: opened(changed(**{name: value}), **expected))


@pytest.mark.parametrize("number", [b"18446744073709551616", b"1" + b"0" * 400, b"2.0", b"2e0", b"-0.0"])
def test_a_number_that_is_no_exact_integer_is_refused(number: bytes) -> None:
    """As other languages might write it, equal to the expected one or beyond every range."""
    claims = orjson.dumps(VALUES).replace(b'"hop":2', b'"hop":' + number)
    with pytest.raises(TokenRefused):
        opened(forged({"alg": "HS256", "typ": RECEIPT_TYP}, claims), hop=float(number))


@pytest.mark.parametrize("reason", ["used", "other_browser", "Database is down <b>", "x" * 256])
def test_a_reason_is_printable_text(reason: str) -> None:
    """It may be a sentence; whoever shows it escapes it (T46)."""
    assert opened(changed(reason=reason)).reason == reason


def test_a_receipt_that_is_too_long_is_refused() -> None:
    """Before it is parsed."""
    refusal(Check.SIZE, lambda: opened("a" * (limits.RECEIPT_BYTES + 1)))
    longest = replace(RECEIPT, reason="x" * limits.ERROR_CHARS)
    assert opened(sign_receipt(longest, ES256), ES256) == longest


@settings(deadline=None, max_examples=60)
@given(
    st.builds(
        Receipt,
        iss=st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=40),
        aud=st.just(GATEWAY),
        jti=st.binary(min_size=1, max_size=24).map(b64e),
        rid=st.binary(min_size=1, max_size=24).map(b64e),
        walk=st.binary(min_size=1, max_size=24).map(b64e),
        hop=st.integers(0, limits.CHAIN_APPS - 1),
        epoch=st.integers(0, 2**53 - 1),
        outcome=st.sampled_from(ReceiptOutcome),
        iat=st.integers(NOW - RECEIPT_SECONDS, NOW + limits.SKEW_SECONDS),
        reason=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
    ),
    st.sampled_from([HS256, ES256]),
)
def test_any_receipt_arrives_as_it_was_sent(receipt: Receipt, key: AppKey) -> None:
    """Whatever the values."""
    expected = {"app_id": receipt.iss, "jti": receipt.jti, "walk": receipt.walk, "hop": receipt.hop}
    assert opened(sign_receipt(receipt, key), key, epoch=receipt.epoch, **expected) == receipt
