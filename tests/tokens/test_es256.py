"""ES256 and HS256 against the vectors of the RFCs and against another library: signers, key readers, verification."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey, OctKey
from token_builders import an_es256_jwk, claims_of, header_of, public_part

from chain_gateway.tokens import es256
from chain_gateway.tokens.encoding import b64d, b64e
from chain_gateway.tokens.es256 import Es256Signer, signature
from chain_gateway.tokens.hs256 import Hs256Signer, Secret
from chain_gateway.tokens.jws import open_jws
from chain_gateway.tokens.keyfile import private_key
from chain_gateway.tokens.public_keys import private_from_jwk, public_from_jwk, public_jwk
from chain_gateway.tokens.receipt import AppKey

PAYLOAD = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
CLAIMS = {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}

A1_KEY = b64d("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
A1_TEXT = f"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
A3_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
}
A3_TEXT = (
    f"eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)

RFC6979_NUMBER = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"
RFC6979_POINT = (
    "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6",
    "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299",
)
RFC6979_SIGNATURES = {
    b"sample": (
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
    ),
    b"test": (
        "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
        "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083"
    ),
}


@pytest.mark.parametrize("message", sorted(RFC6979_SIGNATURES))
def test_signatures_are_those_of_rfc_6979_a_2_5(message: bytes) -> None:
    """The very bytes: r and s, big-endian, 32 bytes each, and the deterministic choice of k."""
    key = private_key(bytes.fromhex(RFC6979_NUMBER))
    point = key.public_key().public_numbers()
    assert (f"{point.x:064X}", f"{point.y:064X}") == RFC6979_POINT
    assert signature(key, message).hex().upper() == RFC6979_SIGNATURES[message]


def test_the_text_of_rfc_7515_a_3_verifies_under_our_key() -> None:
    """ES256: key and signature are read by us, and hold for those bytes alone."""
    key = public_from_jwk(public_part(A3_KEY))
    signed, _, made = A3_TEXT.rpartition(".")
    assert claims_of(A3_TEXT) == CLAIMS
    assert es256.holds(key, signed.encode(), b64d(made))
    assert not es256.holds(key, signed.encode() + b".", b64d(made))
    assert not es256.holds(public_from_jwk(an_es256_jwk()), signed.encode(), b64d(made))


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=64), st.integers(0, 63), st.integers(0, 255), st.integers(-2, 2))
def test_whatever_is_done_to_a_signature_the_library_judges_it_alike(
    payload: bytes, place: int, value: int, longer: int
) -> None:
    """ES256: a byte is another, or some at the end are cut off or added; what is left as it was holds."""
    key = private_from_jwk(A3_KEY)
    signed, _, text = Es256Signer(key).sign("JWT", payload).rpartition(".")
    raw = b64d(text)
    made = (raw[:place] + bytes([value]) + raw[place + 1 :])[: 64 + min(longer, 0)] + bytes(max(longer, 0))
    held = es256.holds(key.public_key(), signed.encode(), made)
    assert held == (made == raw)
    try:
        jws.deserialize_compact(f"{signed}.{b64e(made)}", ECKey.import_key(public_part(A3_KEY)))
    except BadSignatureError:
        assert not held
    else:
        assert held


def test_the_key_of_rfc_7515_a_3_signs_what_the_library_verifies() -> None:
    """ES256: signed by us, verified by the library under its own reading of the key."""
    text = Es256Signer(private_from_jwk(A3_KEY), "a3").sign("JWT", b64d(PAYLOAD))
    assert jws.deserialize_compact(text, ECKey.import_key(public_part(A3_KEY))).payload == b64d(PAYLOAD)
    assert header_of(text) == {"alg": "ES256", "typ": "JWT", "kid": "a3"}


def test_the_text_of_rfc_7515_a_1_opens_at_our_door() -> None:
    """HS256: signature, header with line breaks, and claims."""
    assert open_jws(A1_TEXT, "JWT", 4096, AppKey.secret(A1_KEY).find) == CLAIMS


def test_the_signature_of_rfc_7515_a_1_is_ours() -> None:
    """HS256: the very bytes, and no others hold."""
    signed, _, made = A1_TEXT.rpartition(".")
    assert b64e(Secret(A1_KEY).signature(signed.encode())) == made
    assert Secret(A1_KEY).holds(signed.encode(), b64d(made))
    assert not Secret(A1_KEY).holds(signed.encode(), b64d(made)[:31])


def test_the_key_of_rfc_7515_a_1_signs_what_the_library_signs() -> None:
    """HS256: the very text that the library makes of the same header and payload."""
    text = Hs256Signer(Secret(A1_KEY)).sign("JWT", b64d(PAYLOAD))
    header = {"alg": "HS256", "typ": "JWT"}
    assert text == jws.serialize_compact(header, b64d(PAYLOAD), OctKey.import_key(A1_KEY))
    assert header_of(text) == header


@settings(deadline=None, max_examples=30)
@given(st.binary(max_size=64), st.integers(1, 2**255))
def test_a_signature_has_64_bytes_and_holds(payload: bytes, number: int) -> None:
    """Also where r or s begins with zeros; and the same payload gets the same text."""
    key = ec.derive_private_key(number, ec.SECP256R1())
    text = Es256Signer(key).sign("JWT", payload)
    assert len(b64d(text.rpartition(".")[2])) == 64
    assert jws.deserialize_compact(text, ECKey.import_key(public_jwk(key.public_key()))).payload == payload
    assert Es256Signer(key).sign("JWT", payload) == text


def test_leading_zeros_of_r_and_s_are_kept() -> None:
    """A number below 2^248 still takes its 32 bytes (RFC 7518 section 3.4)."""
    key = private_key(bytes.fromhex(RFC6979_NUMBER))
    messages = (hashlib.sha256(bytes([i, j])).digest() for i in range(8) for j in range(256))
    short = [made for made in (signature(key, message) for message in messages) if 0 in (made[0], made[32])]
    assert short
    assert all(len(made) == 64 for made in short)


def test_a_key_on_another_curve_does_not_sign() -> None:
    """ES256 is P-256, whatever else the key could do."""
    with pytest.raises(ValueError, match="P-256"):
        Es256Signer(ec.derive_private_key(7, ec.SECP384R1()))


def test_a_signer_without_a_kid_writes_none() -> None:
    """An app's key may have no name."""
    signer = Es256Signer(private_from_jwk(an_es256_jwk()))
    assert header_of(signer.sign("a", b"{}")) == {"alg": "ES256", "typ": "a"}
    assert header_of(signer.sign("b", b"{}")) == {"alg": "ES256", "typ": "b"}
