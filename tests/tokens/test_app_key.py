"""The keys of apps and key sets: what is read, what it verifies, and what is refused at once (T15, T16)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from token_builders import NOW, RECEIPT, SECRET, a_keyring, an_es256_jwk, header_of, public_part, refusal

from chain_gateway.tokens.encoding import b64e
from chain_gateway.tokens.jws import open_jws
from chain_gateway.tokens.public_keys import private_from_jwk
from chain_gateway.tokens.purposes import RECEIPT_TYP
from chain_gateway.tokens.receipt import AppKey, sign_receipt
from chain_gateway.tokens.refusals import Check
from chain_gateway.tokens.ticket import GatewayKeys

JWK = an_es256_jwk()
PRIVATE = private_from_jwk(JWK)
PRIVATE_PEM = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC_PEM = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
P384 = ec.derive_private_key(7, ec.SECP384R1())
P384_PEM = P384.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
P384_PRIVATE_PEM = P384.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
K256_PEM = (
    ec.derive_private_key(7, ec.SECP256K1()).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
).decode()
RSA_PEM = (
    rsa.generate_private_key(65537, 2048).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
).decode()
LOCKED_PEM = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")).decode()


def takes(key: AppKey, text: str) -> bool:
    """Whether the signature holds under ``key``."""
    return open_jws(text, RECEIPT_TYP, 2048, key.find)["jti"] == RECEIPT.jti


@pytest.mark.parametrize("signs", [AppKey.private(JWK), AppKey.private(PRIVATE_PEM)], ids=["JWK", "PEM"])
@pytest.mark.parametrize(
    "verifies",
    [
        AppKey.public(public_part(JWK)),
        AppKey.public(PUBLIC_PEM),
        AppKey.private(JWK),
        AppKey.public(JWK),
        AppKey.public(public_part(JWK) | {"use": "sig", "alg": "ES256", "kid": "a"}),
    ],
    ids=["JWK", "PEM", "private", "private JWK as public", "JWK with use, alg and kid"],
)
def test_one_key_in_every_spelling(signs: AppKey, verifies: AppKey) -> None:
    """JWK and PEM, private and public, are the same key."""
    assert takes(verifies, sign_receipt(RECEIPT, signs))


def test_a_secret_signs_what_it_verifies() -> None:
    """And another secret does not."""
    text = sign_receipt(RECEIPT, AppKey.secret(SECRET))
    assert takes(AppKey.secret(SECRET), text)
    refusal(Check.SIGNATURE, lambda: takes(AppKey.secret(SECRET[::-1]), text))


def test_a_key_writes_its_name_and_takes_no_other() -> None:
    """A JWK with a kid signs with it; a text without one can still mean it."""
    named, other = AppKey.private(an_es256_jwk("one")), AppKey.private(an_es256_jwk("two"))
    assert header_of(sign_receipt(RECEIPT, named))["kid"] == "one"
    assert takes(named, sign_receipt(RECEIPT, named))
    assert takes(named, sign_receipt(RECEIPT, AppKey.private(JWK)))
    refusal(Check.KEY, lambda: takes(named, sign_receipt(RECEIPT, other)))


def test_an_app_may_publish_several_keys() -> None:
    """Each text is verified by the key that it names, and without a name by none."""
    jwks = {"keys": [public_part(an_es256_jwk("one", 7)), public_part(an_es256_jwk("two", 8))]}
    key = AppKey.key_set(jwks)
    assert takes(key, sign_receipt(RECEIPT, AppKey.private(an_es256_jwk("one", 7))))
    assert takes(key, sign_receipt(RECEIPT, AppKey.private(an_es256_jwk("two", 8))))
    refusal(Check.SIGNATURE, lambda: takes(key, sign_receipt(RECEIPT, AppKey.private(an_es256_jwk("one", 8)))))
    refusal(Check.KEY, lambda: takes(key, sign_receipt(RECEIPT, AppKey.private(an_es256_jwk("three", 7)))))
    refusal(Check.KEY, lambda: takes(key, sign_receipt(RECEIPT, AppKey.private(JWK))))


@pytest.mark.parametrize("key", [AppKey.public(PUBLIC_PEM), AppKey.key_set({"keys": [public_part(an_es256_jwk("a"))]})])
def test_a_public_key_does_not_sign(key: AppKey) -> None:
    """A programmer's mistake, said as one."""
    with pytest.raises(ValueError, match="does not sign"):
        sign_receipt(RECEIPT, key)


@pytest.mark.parametrize("secret", [b"", b"short", bytes(31)])
def test_a_short_secret_is_refused(secret: bytes) -> None:
    """RFC 7518 section 3.2: at least as long as the hash."""
    with pytest.raises(ValueError, match="32 bytes"):
        AppKey.secret(secret)


BROKEN_JWKS = {
    "empty": {},
    "RSA": {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
    "secret": {"kty": "oct", "k": b64e(SECRET)},
    "P-384": JWK | {"crv": "P-384"},
    "secp256k1": JWK | {"crv": "secp256k1"},
    "Ed25519": {"kty": "OKP", "crv": "Ed25519", "x": JWK["x"]},
    "for encryption": JWK | {"use": "enc"},
    "of another algorithm": JWK | {"alg": "ES384"},
    "of an HMAC": JWK | {"alg": "HS256"},
    "without x": {name: value for name, value in JWK.items() if name != "x"},
    "without y": {name: value for name, value in JWK.items() if name != "y"},
    "x is a number": JWK | {"x": 7},
    "x is short": JWK | {"x": b64e(bytes(31))},
    "x is long": JWK | {"x": b64e(bytes(33))},
    "x is padded": JWK | {"x": JWK["x"] + "="},
    "not on the curve": JWK | {"y": JWK["x"]},
    "the point at infinity": JWK | {"x": b64e(bytes(32)), "y": b64e(bytes(32))},
    "kid is a number": JWK | {"kid": 7},
}


@pytest.mark.parametrize("jwk", BROKEN_JWKS.values(), ids=BROKEN_JWKS)
def test_a_jwk_that_is_no_es256_key_is_refused(jwk: dict[str, object]) -> None:
    """A ValueError when it is configured, public or private."""
    for read in (AppKey.public, AppKey.private):
        with pytest.raises(ValueError):  # noqa: PT011 - any ValueError is the promise
            read(jwk)


@pytest.mark.parametrize("d", [None, 7, "", b64e(bytes(32)), b64e((8).to_bytes(32, "big")), b64e(b"\xff" * 32)])
def test_a_private_number_belongs_to_its_point(d: object) -> None:
    """Neither missing, nor of another key, nor beyond the order."""
    with pytest.raises(ValueError):  # noqa: PT011 - any ValueError is the promise
        AppKey.private(JWK | {"d": d})


@pytest.mark.parametrize(
    "pem",
    ["", "no PEM", PRIVATE_PEM, P384_PEM, K256_PEM, RSA_PEM, PUBLIC_PEM[:80], PUBLIC_PEM.replace("M", "N", 1)],
    ids=["empty", "no PEM", "private", "P-384", "K-256", "RSA", "cut off", "changed"],
)
def test_a_pem_that_is_no_public_key_on_p_256_is_refused(pem: str) -> None:
    """A ValueError when it is configured; a private key is not taken for a public one."""
    with pytest.raises(ValueError):  # noqa: PT011 - any ValueError is the promise
        AppKey.public(pem)


@pytest.mark.parametrize(
    "pem",
    ["", "no PEM", PUBLIC_PEM, P384_PRIVATE_PEM, LOCKED_PEM],
    ids=["empty", "no PEM", "public", "P-384", "locked"],
)
def test_a_pem_that_is_no_private_key_on_p_256_is_refused(pem: str) -> None:
    """A ValueError when it is configured, also for a key under a password."""
    with pytest.raises(ValueError):  # noqa: PT011 - any ValueError is the promise
        AppKey.private(pem)


def test_a_key_set_passes_over_what_is_not_for_it() -> None:
    """Keys of other types may stand beside ours (RFC 7517 section 5), and keys that nothing can name."""
    ours = public_part(an_es256_jwk("ours"))
    others = [BROKEN_JWKS[name] for name in ("RSA", "secret", "P-384", "Ed25519", "for encryption")]
    keys = GatewayKeys.from_jwks({"keys": [*others, None, "key", public_part(JWK), ours], "more": 1})
    assert len(keys) == 1
    assert "ours" in keys
    assert "" not in keys


@pytest.mark.parametrize(
    "jwks",
    [
        {},
        {"keys": None},
        {"keys": {}},
        {"keys": "ours"},
        {"keys": [public_part(an_es256_jwk("a")), public_part(an_es256_jwk("a", 8))]},
        {"keys": [public_part(an_es256_jwk("a")) | {"y": JWK["x"]}]},
        {"keys": [public_part(an_es256_jwk("a")) | {"x": 7}]},
    ],
)
def test_a_key_set_that_is_none_is_refused(jwks: dict[str, object]) -> None:
    """Also one in which a name is not unique, or a key of ours is not on the curve."""
    with pytest.raises(ValueError):  # noqa: PT011 - any ValueError is the promise
        GatewayKeys.from_jwks(jwks)


def test_a_key_set_of_the_gateway_is_read() -> None:
    """All its keys by their names."""
    jwks = a_keyring().jwks(NOW)
    assert [jwk["kid"] in GatewayKeys.from_jwks(jwks) for jwk in jwks["keys"]] == [True]


def test_no_secret_is_printed() -> None:
    """An app's key in a log or a traceback shows nothing (T45)."""
    for key in (AppKey.secret(SECRET), AppKey.private(JWK)):
        shown = f"{key!r} {vars(key)!r} {key.find('')!r}"
        assert SECRET.decode() not in shown
        assert JWK["d"] not in shown
