"""How we prove at the token endpoint who we are."""

from __future__ import annotations

import base64
import json
from urllib.parse import unquote_plus

import pytest
from joserfc import jws, jwt
from joserfc.jwk import OKPKey, RSAKey
from support.op import PLANTED, Op, ec_key

from chain_gateway.oidc.client_auth import Proof, auth_method, prove
from chain_gateway.oidc.metadata import Metadata, read_metadata
from chain_gateway.oidc.settings import Client

ISSUER = "https://op.example"
OP = Op(issuer=ISSUER)
RSA = RSAKey.generate_key(2048, {"kid": "ours"})


def metadata(**changes: object) -> Metadata:
    return read_metadata({**OP.document(), **changes}, ISSUER)


def proof(client: Client, **changes: object) -> Proof:
    return prove(client, metadata(**changes), now=1000, jti="a-jti")


@pytest.mark.parametrize("secret", ["plain", "a:b c+d/e%&=é€", "~*-._"])
@pytest.mark.parametrize("client_id", ["gateway", "https://login.example/client id"])
def test_a_secret_in_the_header_is_form_encoded_first(client_id: str, secret: str) -> None:
    """RFC 6749 section 2.3.1: a colon, a space or a letter beyond ASCII arrives as what it is."""
    sent = proof(OP.client(client_id=client_id, client_secret=secret))
    scheme, _, text = sent.headers["Authorization"].partition(" ")
    parts = base64.b64decode(text, validate=True).decode("ascii").split(":")
    assert (scheme, [unquote_plus(part) for part in parts]) == ("Basic", [client_id, secret])
    assert sent.form == {}


def test_a_secret_in_the_form_comes_with_the_client() -> None:
    """client_secret_post: both in the body, nothing in the header."""
    sent = proof(OP.client(auth_method="client_secret_post"))
    assert (sent.headers, sent.form) == ({}, {"client_id": "gateway", "client_secret": PLANTED})


def test_a_public_client_names_itself() -> None:
    """Without secret and key there is the client_id alone; PKCE binds the code."""
    assert proof(OP.client(client_secret=None)).form == {"client_id": "gateway"}


@pytest.mark.parametrize(
    ("client", "announced", "method"),
    [
        ({}, ["client_secret_basic", "client_secret_post"], "client_secret_basic"),
        ({}, ["client_secret_post"], "client_secret_post"),
        ({"kind": "auth0"}, ["client_secret_basic", "client_secret_post"], "client_secret_post"),
        ({"private_key": RSA}, ["client_secret_basic"], "private_key_jwt"),
        ({"client_secret": None}, ["client_secret_basic"], "none"),
        ({"auth_method": "client_secret_post"}, ["client_secret_basic"], "client_secret_post"),
        ({"auth_method": "client_secret_basic", "private_key": RSA}, [], "client_secret_basic"),
    ],
)
def test_the_method_is_the_configured_one_or_the_best(
    client: dict[str, object], announced: list[str], method: str
) -> None:
    """What is configured counts; else a key before a secret, and the header where the provider takes it."""
    assert auth_method(OP.client(**client), metadata(token_endpoint_auth_methods_supported=announced)) == method


def test_a_method_that_is_not_announced_at_all_is_the_default_one() -> None:
    """Discovery section 3: without a word it is client_secret_basic."""
    document = OP.document()
    del document["token_endpoint_auth_methods_supported"]
    assert auth_method(OP.client(), read_metadata(document, ISSUER)) == "client_secret_basic"


def test_an_assertion_is_for_the_issuer_alone_and_soon_over() -> None:
    """RFC 7523 section 3: who, for whom, until when, and a jti that makes it good once."""
    sent = proof(OP.client(client_secret=None, private_key=RSA))
    assert sent.headers == {}
    assert sent.form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    token = jwt.decode(sent.form["client_assertion"], RSA, algorithms=["RS256"])
    assert token.header == {"alg": "RS256", "typ": "JWT", "kid": "ours"}
    assert token.claims == {
        "iss": "gateway",
        "sub": "gateway",
        "aud": ISSUER,
        "jti": "a-jti",
        "iat": 1000,
        "exp": 1060,
    }


@pytest.mark.parametrize(
    ("key", "announced", "alg"),
    [
        (RSA, [], "RS256"),
        (RSA, ["PS256"], "PS256"),
        (RSA, ["ES256"], "RS256"),
        (ec_key("ours"), ["RS256", "ES256"], "ES256"),
        (ec_key("ours", "P-384"), [], "ES384"),
        (ec_key("ours", "P-521"), [], "ES512"),
        (OKPKey.generate_key("Ed25519"), [], "EdDSA"),
        (OKPKey.generate_key("Ed25519"), ["Ed25519"], "Ed25519"),
    ],
)
def test_an_assertion_is_signed_as_key_and_provider_can(key: RSAKey, announced: list[str], alg: str) -> None:
    """The first algorithm of the key that the provider announces, or else the key's usual one."""
    sent = proof(
        OP.client(client_secret=None, private_key=key), token_endpoint_auth_signing_alg_values_supported=announced
    )
    header, payload, signature = sent.form["client_assertion"].split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "=="))["alg"] == alg
    model = jws.JWSRegistry.algorithms[alg]
    assert model.verify(f"{header}.{payload}".encode(), base64.urlsafe_b64decode(signature + "=="), key)


def test_a_proof_does_not_print_itself() -> None:
    """Neither secret nor assertion is in what a log would show of it."""
    for method in ("client_secret_basic", "client_secret_post"):
        assert PLANTED not in repr(proof(OP.client(auth_method=method)))
    assert "eyJ" not in repr(proof(OP.client(private_key=RSA)))


@pytest.mark.parametrize(
    ("method", "without"),
    [
        ("client_secret_basic", "client_secret"),
        ("client_secret_post", "client_secret"),
        ("private_key_jwt", "private_key"),
    ],
)
def test_a_method_without_what_it_needs_is_no_client(method: str, without: str) -> None:
    """A client that could not prove itself is refused when it is made, not at somebody's login."""
    with pytest.raises(ValueError, match=without):
        OP.client(auth_method=method, **{without: None})
