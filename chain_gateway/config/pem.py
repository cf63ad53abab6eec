"""Keys in PEM form: the provider's client may sign with a private one, an app registers a public one."""

from __future__ import annotations

from typing import Annotated, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from chain_gateway.config.fields import Shape, refuse
from chain_gateway.config.secret import Secret
from chain_gateway.config.sources import sources

RSA_BITS: Final = 2048

_NEW_KEY: Final = "make one: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem"
_PUBLIC_OF: Final = "write what this prints: openssl pkey -in key.pem -pubout"


def read_private(secret: Secret) -> Secret:
    """``secret`` if it is an unencrypted PEM private key that can sign a client assertion."""
    try:
        key = load_pem_private_key(secret.reveal().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise refuse("this is not a PEM private key without a passphrase", _NEW_KEY) from None
    if isinstance(key, RSAPrivateKey) and key.key_size < RSA_BITS:
        raise refuse(f"an RSA key of less than {RSA_BITS} bits is too weak", _NEW_KEY)
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey):
        raise refuse("a client assertion is signed with an RSA, EC or Ed25519 key", _NEW_KEY)
    return secret


def read_text(value: object, info: ValidationInfo) -> str:
    """A text in the forms of a secret that is none: its file may be read by others."""
    return sources(info).text(value, private=False)


def read_public(text: str) -> str:
    """``text`` if it is a PEM public key for ES256; a private key is refused, as it has no business here."""
    if "PRIVATE KEY" in text:
        raise refuse("this is a private key: it stays with the app", _PUBLIC_OF)
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise refuse("this is not a PEM public key", _PUBLIC_OF) from None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise refuse("receipts are signed by ES256, which takes a key on the curve P-256", _NEW_KEY)
    return text


def same_key(text: str) -> bytes:
    """What two PEM public keys that ``read_public`` has taken share if they are one, however they are written."""
    return load_pem_public_key(text.encode()).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


PrivatePem = Annotated[Secret, AfterValidator(read_private), Shape("PEM private key")]
PublicPem = Annotated[str, BeforeValidator(read_text), AfterValidator(read_public), Shape("PEM public key")]
