"""Which of a provider's published keys count, and for what."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from support.op import b64, ec_key

from chain_gateway.errors import OpUnavailable
from chain_gateway.oidc.jwks import PublicKeys, read_jwks

EC = ec_key("ec").as_dict(private=False)
RSA = RSAKey.generate_key(2048, {"kid": "rsa"}).as_dict(private=False)


def keys_of(*members: object) -> PublicKeys:
    return read_jwks({"keys": list(members)})


def test_a_key_is_found_by_kid_and_algorithm() -> None:
    """Both must fit: the kid alone would let a token choose the kind of its key."""
    keys = keys_of(EC, RSA)
    assert keys.find("ec", "ES256") is not None
    assert keys.find("rsa", "PS384") is not None
    assert keys.find("ec", "RS256") is None
    assert keys.find("rsa", "ES256") is None
    assert keys.find("ec", "ES384") is None
    assert keys.find("nowhere", "ES256") is None


def test_without_a_kid_only_the_only_key_counts() -> None:
    """Core 10.1: of several keys that would do, none is tried."""
    assert keys_of(EC, RSA).find("", "ES256") is not None
    assert keys_of(EC, ec_key("other").as_dict(private=False)).find("", "ES256") is None


def test_a_key_serves_its_own_algorithm_alone() -> None:
    """A key that is published for one algorithm verifies no other."""
    keys = keys_of({**RSA, "alg": "RS256"})
    assert keys.find("rsa", "RS256") is not None
    assert keys.find("rsa", "PS256") is None


def short_rsa(bits: int) -> dict[str, str]:
    """A sound key in all but its length."""
    numbers = rsa.generate_private_key(65537, bits).public_key().public_numbers()
    return {"kty": "RSA", "kid": "short", "e": "AQAB", "n": b64(numbers.n.to_bytes(bits // 8, "big"))}


OF_NO_USE = [
    pytest.param(OctKey.generate_key(256, {"kid": "secret"}).as_dict(private=True), id="a shared secret"),
    pytest.param({**EC, "use": "enc"}, id="for encryption"),
    pytest.param({**EC, "key_ops": ["sign"]}, id="not for verification"),
    pytest.param({**EC, "alg": "ECDH-ES"}, id="for key agreement"),
    pytest.param({**EC, "x": "AAAA"}, id="no point of its curve"),
    pytest.param({**EC, "crv": "P-999"}, id="an unknown curve"),
    pytest.param({**EC, "x": 7}, id="a member of another type"),
    pytest.param(ECKey.generate_key("secp256k1", {"kid": "k1"}).as_dict(private=False), id="a curve of coins"),
    pytest.param(OKPKey.generate_key("X25519", {"kid": "x"}).as_dict(private=False), id="a curve that cannot sign"),
    pytest.param(short_rsa(1024), id="RSA of too few bits"),
    pytest.param({**RSA, "n": ""}, id="RSA without a modulus"),
    pytest.param({"kty": "AKP", "kid": "new", "alg": "ML-DSA-44", "pub": "AAAA"}, id="a type of the future"),
    pytest.param({"kid": "nothing"}, id="no type"),
    pytest.param("text", id="no object"),
]


@pytest.mark.parametrize("member", OF_NO_USE)
def test_a_key_of_no_use_is_passed_over(member: object) -> None:
    """It neither counts nor spoils the others (RFC 7517 section 5); a set of such keys alone is none."""
    assert keys_of(member, RSA).find("rsa", "RS256") is not None
    with pytest.raises(OpUnavailable) as caught:
        keys_of(member)
    assert caught.value.code == "op_unavailable.jwks"


def test_the_shortest_rsa_key_that_counts_has_2048_bits() -> None:
    """The shape of the short key above is right: with enough bits it serves."""
    assert keys_of(short_rsa(2048)).find("short", "RS256") is not None


def test_private_members_are_not_read() -> None:
    """A provider that publishes its private key by mistake gives us none."""
    key = keys_of(ec_key("ec").as_dict(private=True)).find("ec", "ES256")
    assert key is not None
    assert not key.is_private
