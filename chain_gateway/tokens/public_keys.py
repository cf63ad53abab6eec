"""Public keys for ES256 from what people publish: a JWK (RFC 7517) or PEM; only points on P-256 come through."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from chain_gateway.tokens import es256
from chain_gateway.tokens.encoding import b64d, b64e
from chain_gateway.tokens.jws import VerifyKey

_SIZE: Final = 32
_FIXED: Final = {"kty": "EC", "crv": "P-256"}
_WHERE_GIVEN: Final = {"use": "sig", "alg": "ES256"}


def es256_jwk(jwk: Mapping[str, object]) -> bool:
    """Whether a JWK is meant for ES256: of its type and curve, and not set apart for something else."""
    fits = all(jwk.get(name) == value for name, value in _FIXED.items())
    return fits and all(jwk.get(name, value) == value for name, value in _WHERE_GIVEN.items())


def public_from_jwk(jwk: Mapping[str, object]) -> ec.EllipticCurvePublicKey:
    """The key of an ES256 JWK; ValueError if it is none, or its point is not on the curve."""
    if not es256_jwk(jwk):
        raise ValueError("not a JWK for ES256")
    x, y = _number(jwk, "x"), _number(jwk, "y")
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def private_from_jwk(jwk: Mapping[str, object]) -> ec.EllipticCurvePrivateKey:
    """The private key of an ES256 JWK; ValueError if it is none, or its parts do not belong together."""
    public = public_from_jwk(jwk)
    return ec.EllipticCurvePrivateNumbers(_number(jwk, "d"), public.public_numbers()).private_key()


def public_from_pem(pem: str) -> ec.EllipticCurvePublicKey:
    """The P-256 key of a PEM text (``PUBLIC KEY``); ValueError if it is none."""
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("not a public key on P-256")  # noqa: TRY004 - a refusal of what was configured
    return key


def private_from_pem(pem: str) -> ec.EllipticCurvePrivateKey:
    """The P-256 key of a PEM text (``PRIVATE KEY``, not encrypted); ValueError if it is none."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except TypeError as error:  # what the library raises on an encrypted key
        raise ValueError("a private key under a password") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("not a private key on P-256")  # noqa: TRY004 - a refusal of what was configured
    return key


def public_jwk(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """The JWK of a key on P-256 (RFC 7518 section 6.2), without a kid."""
    point = key.public_numbers()
    x, y = (b64e(number.to_bytes(_SIZE, "big")) for number in (point.x, point.y))
    return {**_FIXED, "x": x, "y": y}


def verify_key(key: ec.EllipticCurvePublicKey) -> VerifyKey:
    """The key as ``open_jws`` takes it."""
    return VerifyKey("ES256", partial(es256.holds, key))


def _number(jwk: Mapping[str, object], name: str) -> int:
    value = jwk.get(name)
    data = b64d(value) if isinstance(value, str) else b""
    if len(data) != _SIZE:
        raise ValueError(f"a JWK whose {name} is not of {_SIZE} bytes")
    return int.from_bytes(data, "big")
