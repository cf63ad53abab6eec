"""Signed texts at the one door that opens them: forged headers, keys, signatures and spellings (T15, T16, T17)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from token_builders import (
    APP,
    ES256,
    GATEWAY,
    HS256,
    NOW,
    RECEIPT,
    SECRET,
    an_es256_jwk,
    claims_of,
    forged,
    public_part,
    refusal,
)

from chain_gateway.tokens.encoding import b64d, b64e
from chain_gateway.tokens.es256 import signature
from chain_gateway.tokens.jws import open_jws
from chain_gateway.tokens.public_keys import private_from_jwk, public_from_jwk
from chain_gateway.tokens.receipt import AppKey, Receipt, sign_receipt, verify_receipt
from chain_gateway.tokens.refusals import Check

TYP = "chain-receipt+jwt"
HS_TEXT = sign_receipt(RECEIPT, HS256)
ES_TEXT = sign_receipt(RECEIPT, ES256)
CLAIMS = claims_of(HS_TEXT)
NUMBER = (7).to_bytes(32, "big")
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def opened(text: str, key: AppKey = HS256) -> Receipt:
    """What the gateway reads of a receipt."""
    walk, hop, epoch = RECEIPT.walk, RECEIPT.hop, RECEIPT.epoch
    return verify_receipt(
        text, key, app_id=APP, gateway=GATEWAY, jti=RECEIPT.jti, walk=walk, hop=hop, epoch=epoch, now=NOW
    )


def test_the_forgeries_below_are_refused_for_what_they_change_alone() -> None:
    """The same builder with nothing changed makes a text that opens."""
    assert opened(forged({"alg": "HS256", "typ": TYP}, CLAIMS)) == RECEIPT
    assert opened(forged({"alg": "ES256", "typ": TYP}, CLAIMS, NUMBER), ES256) == RECEIPT


@pytest.mark.parametrize(
    "alg", ["none", "None", "NONE", "", "HS384", "hs256", "ES256", "RS256", "PS256", None, 256, ["HS256"]]
)
def test_a_secret_verifies_hs256_alone(alg: object) -> None:
    """Whatever a header says, the key knows its algorithm (T15)."""
    refusal(Check.HEADER, lambda: opened(forged({"alg": alg, "typ": TYP}, CLAIMS)))


@pytest.mark.parametrize("alg", ["none", "HS256", "ES384", "ES256K", "EdDSA", "es256"])
def test_a_public_key_verifies_es256_alone(alg: str) -> None:
    """An HMAC with the public key's bytes, which everybody has, is no signature (T15)."""
    public = public_from_jwk(public_part(an_es256_jwk()))
    spki = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    for secret in (spki, spki.strip(), point):
        refusal(Check.HEADER, lambda secret=secret: opened(forged({"alg": alg, "typ": TYP}, CLAIMS, secret), ES256))


def test_a_text_without_a_signature_is_refused() -> None:
    """Neither with ``alg: none``, nor with an honest header (T15)."""
    unsigned = forged({"alg": "none", "typ": TYP}, CLAIMS).rpartition(".")[0] + "."
    refusal(Check.HEADER, lambda: opened(unsigned))
    refusal(Check.SIGNATURE, lambda: opened(HS_TEXT.rpartition(".")[0] + "."))
    refusal(Check.SIGNATURE, lambda: opened(ES_TEXT.rpartition(".")[0] + ".", ES256))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("crit", ["exp"]),
        ("crit", []),
        ("b64", False),
        ("b64", True),
        ("zip", "DEF"),
        ("jku", "https://evil.example/keys"),
        ("x5u", "https://evil.example/cert"),
        ("jwk", public_part(an_es256_jwk())),
        ("x5c", ["MIIB"]),
        ("x5t", "AAAA"),
        ("cty", "JWT"),
        ("iss", APP),
        ("", ""),
    ],
)
def test_a_header_with_anything_more_is_refused(name: str, value: object) -> None:
    """The header has alg, typ and kid; nothing in it fetches, unpacks, or asks to be understood (T16)."""
    refusal(Check.HEADER, lambda: opened(forged({"alg": "HS256", "typ": TYP, name: value}, CLAIMS)))


def test_crit_that_names_b64_is_refused() -> None:
    """RFC 7797's payload without encoding would let two readers see two payloads (T16)."""
    header = {"alg": "HS256", "typ": TYP, "b64": False, "crit": ["b64"]}
    refusal(Check.HEADER, lambda: opened(forged(header, CLAIMS)))


@pytest.mark.parametrize("kid", [None, 1, True, ["a"], {"a": 1}])
def test_a_kid_is_a_text(kid: object) -> None:
    """Anything else is no header of ours."""
    refusal(Check.HEADER, lambda: opened(forged({"alg": "HS256", "typ": TYP, "kid": kid}, CLAIMS)))


@pytest.mark.parametrize(
    "kid", ["../../dev/null", "x' OR '1'='1", "https://evil.example", "named\0", "NAMED", " named"]
)
def test_a_kid_is_compared_and_nothing_else(kid: str) -> None:
    """A key that has a name takes no other; tricks with paths and queries are just another name (T16)."""
    named = AppKey.private(an_es256_jwk("named"))
    assert opened(sign_receipt(RECEIPT, named), named) == RECEIPT
    refusal(Check.KEY, lambda: opened(forged({"alg": "ES256", "typ": TYP, "kid": kid}, CLAIMS, NUMBER), named))


@pytest.mark.parametrize(
    "typ", ["JWT", "", "chain-ticket+jwt", "logout+jwt", TYP.upper(), f"application/{TYP}", f" {TYP}", None, 1, [TYP]]
)
def test_another_type_is_refused(typ: object) -> None:
    """The type is compared character by character (T14)."""
    refusal(Check.HEADER, lambda: opened(forged({"alg": "HS256", "typ": typ}, CLAIMS)))


def test_a_header_without_type_or_algorithm_is_refused() -> None:
    """Nothing is assumed."""
    refusal(Check.HEADER, lambda: opened(forged({"alg": "HS256"}, CLAIMS)))
    refusal(Check.HEADER, lambda: opened(forged({"typ": TYP}, CLAIMS)))


def test_a_signature_by_another_key_is_refused() -> None:
    """Of the same algorithm and, where there is one, the same name."""
    refusal(Check.SIGNATURE, lambda: opened(forged({"alg": "HS256", "typ": TYP}, CLAIMS, SECRET + b"!")))
    other = (8).to_bytes(32, "big")
    refusal(Check.SIGNATURE, lambda: opened(forged({"alg": "ES256", "typ": TYP}, CLAIMS, other), ES256))


@pytest.mark.parametrize(("text", "key"), [(HS_TEXT, HS256), (ES_TEXT, ES256)], ids=["HS256", "ES256"])
def test_each_changed_byte_is_refused(text: str, key: AppKey) -> None:
    """Whichever byte of header, claims or signature is changed, nothing opens."""
    parts = [b64d(part) for part in text.split(".")]
    for place, part in enumerate(parts):
        for index in range(len(part)):
            changed = [*parts]
            changed[place] = part[:index] + bytes([part[index] ^ 1]) + part[index + 1 :]
            with pytest.raises(Exception, match=TYP.replace("+", "\\+")) as caught:
                opened(".".join(map(b64e, changed)), key)
            assert caught.value.code in {
                f"token_refused.{c}" for c in (Check.SHAPE, Check.HEADER, Check.KEY, Check.SIGNATURE)
            }


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(bytes(64), id="zeros"),
        pytest.param(b"\xff" * 64, id="beyond the order"),
        pytest.param(ORDER.to_bytes(32, "big") * 2, id="the order"),
        pytest.param(b"", id="empty"),
        pytest.param(bytes(63), id="63 bytes"),
        pytest.param(bytes(65), id="65 bytes"),
        pytest.param(bytes(96), id="of ES384"),
        pytest.param(bytes(132), id="of ES512"),
        pytest.param(bytes(32), id="of HS256"),
    ],
)
def test_an_es256_signature_that_is_none_is_refused(made: bytes) -> None:
    """Numbers of zero or beyond the order, and every other length."""
    refusal(Check.SIGNATURE, lambda: opened(f"{ES_TEXT.rpartition('.')[0]}.{b64e(made)}", ES256))


def test_a_der_signature_and_leading_zeros_are_refused() -> None:
    """ES256 has 64 bytes: a second spelling of the same two numbers is no signature (T17)."""
    signed, _, text = ES_TEXT.rpartition(".")
    raw = b64d(text)
    der = private_from_jwk(an_es256_jwk()).sign(signed.encode(), ec.ECDSA(ec.hashes.SHA256()))
    padded = b"\0" + raw[:32] + b"\0" + raw[32:]
    padded_last = raw[:32] + b"\0" + raw[32:]
    for made in (der, padded, padded_last):
        refusal(Check.SIGNATURE, lambda made=made: opened(f"{signed}.{b64e(made)}", ES256))


def test_the_other_signature_of_the_same_text_makes_no_second_receipt() -> None:
    """(r, n - s) verifies as (r, s) does; it is the same receipt, by its claims: identity is never the text (T17)."""
    signed, _, text = ES_TEXT.rpartition(".")
    raw = b64d(text)
    mirrored = raw[:32] + (ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    assert mirrored != raw
    assert opened(f"{signed}.{b64e(mirrored)}", ES256) == opened(ES_TEXT, ES256)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("..", id="three empty parts"),
        pytest.param("e30.e30.e30.e30", id="four parts"),
        pytest.param("e30.e30", id="two parts"),
        pytest.param("e30.e30.e30.e30.e30", id="encrypted"),
        pytest.param(HS_TEXT + "=", id="padding"),
        pytest.param(HS_TEXT + "\n", id="newline"),
        pytest.param(" " + HS_TEXT, id="blank"),
        pytest.param(HS_TEXT.replace(".", "=.", 1), id="padding inside"),
        pytest.param(HS_TEXT + ".", id="a part more"),
        pytest.param(HS_TEXT[:-1], id="last character cut"),
        pytest.param("{" + HS_TEXT, id="brace"),
        pytest.param('{"protected":"e30","payload":"e30","signature":"e30"}', id="JSON serialization"),
        pytest.param("ü" + HS_TEXT, id="not ASCII"),
    ],
)
def test_a_respelt_or_broken_text_is_refused(text: str) -> None:
    """Shape comes before everything but size (T17)."""
    refusal(Check.SHAPE, lambda: opened(text))


def test_the_last_character_has_one_spelling() -> None:
    """A signature of 32 bytes leaves two bits over: of the four last characters only one is taken (T17)."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    at = alphabet.index(HS_TEXT[-1])
    for last in alphabet[at - at % 4 : at - at % 4 + 4]:
        if last != HS_TEXT[-1]:
            refusal(Check.SHAPE, lambda last=last: opened(HS_TEXT[:-1] + last))


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        pytest.param(b'{"alg":"none","alg":"HS256","typ":"chain-receipt+jwt"}', CLAIMS, id="alg twice"),
        pytest.param(b'{"alg":"HS256","typ":"JWT","typ":"chain-receipt+jwt"}', CLAIMS, id="typ twice"),
        pytest.param(b'["alg"]', CLAIMS, id="header is an array"),
        pytest.param(b"{", CLAIMS, id="header is cut"),
        pytest.param(b'{"a":' + b"[" * 300 + b"]" * 300 + b"}", CLAIMS, id="header is deep"),
        pytest.param({"alg": "HS256", "typ": TYP}, b'{"hop":2,"hop":3}', id="claim twice"),
        pytest.param({"alg": "HS256", "typ": TYP}, b"[]", id="claims are an array"),
        pytest.param({"alg": "HS256", "typ": TYP}, b"receipt", id="claims are no JSON"),
        pytest.param({"alg": "HS256", "typ": TYP}, b"", id="no claims"),
        pytest.param({"alg": "HS256", "typ": TYP}, b'{"a":' + b"[" * 300 + b"]" * 300 + b"}", id="claims are deep"),
    ],
)
def test_json_that_two_readers_could_read_differently_is_refused(header: object, claims: object) -> None:
    """In the header and in the claims, even under a signature that holds (T17)."""
    refusal(Check.SHAPE, lambda: opened(forged(header, claims)))


def test_claims_may_be_written_in_any_order_and_spacing() -> None:
    """Other languages' libraries do."""
    header = b'{ "typ" : "chain-receipt+jwt",\r\n "alg" : "HS256" }'
    spaced = (
        "{ " + ", ".join(f'"{k}": {v!r}'.replace("'", '"') for k, v in reversed(CLAIMS.items())) + " }\n"
    ).encode()
    assert opened(forged(header, spaced)) == RECEIPT


def test_size_is_checked_before_anything_is_read() -> None:
    """A text that would open is refused if it is too long; so is one that could not even be split."""
    assert open_jws(HS_TEXT, TYP, len(HS_TEXT), HS256.find) == CLAIMS
    refusal(Check.SIZE, lambda: open_jws(HS_TEXT, TYP, len(HS_TEXT) - 1, HS256.find))
    refusal(Check.SIZE, lambda: open_jws("." * 2049, TYP, 2048, HS256.find))


def test_claims_are_not_read_before_the_signature_holds() -> None:
    """What a stranger wrote is told apart from what the app wrote wrongly: the signature is checked first."""
    signed = forged({"alg": "HS256", "typ": TYP}, b"not JSON")
    refusal(Check.SHAPE, lambda: opened(signed))
    refusal(Check.SIGNATURE, lambda: opened(signed[:-43] + HS_TEXT[-43:]))


def test_an_app_s_receipt_may_carry_a_kid_although_its_secret_has_none() -> None:
    """Some libraries add one by themselves; it chooses nothing."""
    assert opened(forged({"alg": "HS256", "typ": TYP, "kid": "whatever"}, CLAIMS)) == RECEIPT


def test_two_signatures_of_one_key_are_told_apart_by_what_they_sign() -> None:
    """The signature of one receipt does not fit another."""
    other = sign_receipt(replace(RECEIPT, hop=3), ES256)
    spliced = f"{ES_TEXT.rpartition('.')[0]}.{other.rpartition('.')[2]}"
    refusal(Check.SIGNATURE, lambda: opened(spliced, ES256))
    assert signature(private_from_jwk(an_es256_jwk()), b"a") != signature(private_from_jwk(an_es256_jwk()), b"b")
