"""What is taken of a discovery document, and what refuses it."""

from __future__ import annotations

import pytest
from support.op import Op

from chain_gateway.errors import OpUnavailable
from chain_gateway.oidc.metadata import SIGNATURES, Metadata, metadata_url, read_metadata

ISSUER = "https://op.example"
LOCAL = "http://id.localhost:4100"
ADDRESSES = ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"]


def document(issuer: str = ISSUER, **changes: object) -> dict[str, object]:
    return {**Op(issuer=issuer).document(), **changes}


def refused(doc: dict[str, object], issuer: str = ISSUER) -> str:
    with pytest.raises(OpUnavailable) as caught:
        read_metadata(doc, issuer)
    assert caught.value.code == "op_unavailable.metadata"
    return caught.value.detail


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        ("https://op.example", "https://op.example/.well-known/openid-configuration"),
        ("https://tenant.eu.auth0.com/", "https://tenant.eu.auth0.com/.well-known/openid-configuration"),
        ("https://op.example/realms/a", "https://op.example/realms/a/.well-known/openid-configuration"),
    ],
)
def test_the_document_is_below_the_issuer(issuer: str, url: str) -> None:
    """Discovery 4.1, with Auth0's slash at the end and with a path."""
    assert metadata_url(issuer) == url


@pytest.mark.parametrize("issuer", [ISSUER, LOCAL, "http://127.0.0.1:8080", "https://tenant.eu.auth0.com/"])
def test_an_honest_document_is_read(issuer: str) -> None:
    """An https provider, and a loopback one by plain http, are read; a slash at the end is part of the name."""
    metadata = read_metadata(Op(issuer=issuer.rstrip("/")).document() | {"issuer": issuer}, issuer)
    assert metadata.token_endpoint == f"{issuer.rstrip('/')}/token"


@pytest.mark.parametrize("issuer", [f"{ISSUER}/", "https://evil.example", "HTTPS://op.example", "", None, [ISSUER]])
def test_a_document_of_another_issuer_is_refused(issuer: object) -> None:
    """Discovery 4.3: exactly the issuer that was asked for, letter by letter."""
    refused({**document(), "issuer": issuer})


@pytest.mark.parametrize("name", ADDRESSES[:3])
def test_a_document_without_what_a_login_needs_is_refused(name: str) -> None:
    """The three addresses that a login cannot do without must be there, and the log says which is not."""
    doc = document()
    del doc[name]
    assert name in refused(doc)


def test_a_document_may_lack_userinfo_and_logout() -> None:
    """Neither is needed to sign in; older Auth0 tenants announce no logout."""
    doc = document()
    del doc["userinfo_endpoint"], doc["end_session_endpoint"]
    metadata = read_metadata(doc, ISSUER)
    assert (metadata.userinfo_endpoint, metadata.end_session_endpoint) == (None, None)


BAD_ADDRESSES = [
    "http://op.example/x",
    "http://169.254.169.254/latest/meta-data",
    "https://127.0.0.1/x",
    "http://localhost:6379/",
    "https://[::1]:8443/x",
    "https://inside.localhost/x",
    "file:///etc/passwd",
    "ftp://op.example/x",
    "//op.example/x",
    "/x",
    "",
    "https://op.example@evil.example/x",
    "https://user:pw@op.example/x",
    "https://op.example/x#fragment",
    "https://op.example\\@evil.example/x",
    "https://op.example/x\r\nX: y",
    "https://op.example/ü",
    "https://OP.example/x",
    "https://0177.0.0.1/x",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("url", BAD_ADDRESSES)
def test_an_address_that_is_no_plain_https_url_elsewhere_is_refused(name: str, url: str) -> None:
    """No address makes us speak without TLS, to this machine, or to a host that two readers read differently."""
    assert name in refused(document(**{name: url}))


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_loopback_provider_stays_on_loopback_without_tls(name: str) -> None:
    """Plain http is for the provider on this machine, and even it cannot send anybody elsewhere without TLS."""
    read_metadata(document(LOCAL, **{name: "http://127.0.0.1:4100/x"}), LOCAL)
    read_metadata(document(LOCAL, **{name: "https://op.example/x"}), LOCAL)
    assert name in refused(document(LOCAL, **{name: "http://op.example/x"}), LOCAL)


def test_an_issuer_without_tls_is_refused() -> None:
    """Not even the operator's own word makes plain http to another machine right."""
    refused(document("http://op.example"), "http://op.example")


@pytest.mark.parametrize(
    "changes",
    [
        {"token_endpoint": 7},
        {"jwks_uri": ["https://op.example/jwks"]},
        {"authorization_response_iss_parameter_supported": "true"},
        {"id_token_signing_alg_values_supported": "RS256"},
        {"id_token_signing_alg_values_supported": [1]},
    ],
)
def test_a_member_of_another_type_is_refused(changes: dict[str, object]) -> None:
    """Nothing is converted: a text is no truth value and no list; the log names the member and not its value."""
    detail = refused(document(**changes))
    assert next(iter(changes)) in detail
    assert "op.example" not in detail


def test_only_asymmetric_signatures_are_ever_allowed() -> None:
    """Whatever the provider or the client's own settings name, neither `none` nor an HMAC is among the result."""
    announced = read_metadata(document(id_token_signing_alg_values_supported=["none", "HS256", "RS256", "X"]), ISSUER)
    assert announced.signatures(()) == {"RS256"}
    assert announced.signatures(("HS512", "none", "ES384")) == {"ES384"}
    assert not {alg for alg in SIGNATURES if alg.startswith("HS") or alg == "none"}


def test_a_document_cannot_be_changed() -> None:
    """What was judged stays as it was judged."""
    metadata = read_metadata(document(), ISSUER)
    with pytest.raises(ValueError, match="frozen"):
        metadata.token_endpoint = "https://evil.example"
    assert isinstance(metadata, Metadata)
