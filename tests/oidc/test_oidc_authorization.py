"""What a login asks for, and what is believed of the answer."""

from __future__ import annotations

import pytest
from support.op import CHALLENGE, VERIFIER, Op
from yarl import URL

from chain_gateway.errors import OpUnavailable, SignInFailed
from chain_gateway.oidc.authorization import (
    INTERACTION_CODES,
    LoginRequest,
    challenge_of,
    check_response_issuer,
    login_url,
    read_response,
)
from chain_gateway.oidc.metadata import Metadata, read_metadata

ISSUER = "https://op.example"
OP = Op(issuer=ISSUER)


def metadata(**changes: object) -> Metadata:
    return read_metadata({**OP.document(), **changes}, ISSUER)


def test_the_challenge_is_that_of_the_specification() -> None:
    """RFC 7636, appendix B."""
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert challenge_of(VERIFIER) == CHALLENGE


def test_a_login_asks_for_a_code_and_binds_it() -> None:
    """State, nonce, an S256 challenge and max_age are in every request, and prompt only where it is wanted."""
    url = URL(login_url(OP.client(), metadata(), LoginRequest("a-state", "a-nonce", CHALLENGE)))
    assert str(url).startswith(f"{ISSUER}/authorize?")
    assert dict(url.query) == {
        "response_type": "code",
        "client_id": "gateway",
        "redirect_uri": "https://login.example/callback",
        "scope": "openid profile email",
        "state": "a-state",
        "nonce": "a-nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "max_age": str(400 * 24 * 3600),
    }


def test_what_a_login_is_asked_for_reaches_the_provider_and_nothing_else_does() -> None:
    """prompt, login_hint and max_age go along; a hint cannot add a parameter of its own."""
    request = LoginRequest("a-state", "a-nonce", CHALLENGE, "none", "alice&prompt=login&x=ü é")
    url = URL(login_url(OP.client(max_age=60), metadata(), request))
    assert url.query.getall("prompt") == ["none"]
    assert url.query["login_hint"] == "alice&prompt=login&x=ü é"
    assert url.query["max_age"] == "60"
    assert str(url).isascii()


def test_a_query_of_the_endpoint_itself_is_kept() -> None:
    """RFC 6749 section 3.1: the endpoint may have a query, and it stays."""
    endpoint = f"{ISSUER}/authorize?tenant=a%2Fb"
    url = login_url(OP.client(), metadata(authorization_endpoint=endpoint), LoginRequest("s", "n", "c"))
    assert url.startswith(f"{endpoint}&response_type=code&")


@pytest.mark.parametrize(
    "iss",
    ["https://evil.example", f"{ISSUER}/", "HTTPS://op.example", "https://OP.example", "https://op.example:443", ""],
)
@pytest.mark.parametrize("announced", [True, False])
def test_a_response_of_another_issuer_is_refused(iss: str, *, announced: bool) -> None:
    """RFC 9207: compared as plain text whenever it is there, announced or not; nothing is normalised."""
    with pytest.raises(SignInFailed) as caught:
        check_response_issuer(iss, metadata(authorization_response_iss_parameter_supported=announced))
    assert caught.value.code == "sign_in_failed.iss"


def test_a_response_may_lack_the_issuer_only_where_it_is_not_announced() -> None:
    """Whoever strips the parameter must not win by it; a provider that never sends it still signs people in."""
    check_response_issuer(None, metadata())
    check_response_issuer(ISSUER, metadata())
    announced = metadata(authorization_response_iss_parameter_supported=True)
    check_response_issuer(ISSUER, announced)
    with pytest.raises(SignInFailed):
        check_response_issuer(None, announced)


def test_a_code_is_read() -> None:
    """A response with a code and no error yields the code as it stands."""
    assert read_response({"code": "a b+c", "state": "s"}) == "a b+c"


@pytest.mark.parametrize("error", ["access_denied", "login_required", "consent_required", "interaction_required"])
def test_an_error_of_the_specifications_becomes_a_code(error: str) -> None:
    """The provider's refusal is told by its name; those of a silent login are in a list of their own."""
    with pytest.raises(SignInFailed) as caught:
        read_response({"error": error, "error_description": "<b>not repeated</b>"})
    assert caught.value.code == f"sign_in_failed.{error}"
    assert (caught.value.code in INTERACTION_CODES) == (error != "access_denied")
    assert "repeated" not in str(caught.value)


@pytest.mark.parametrize("error", ["server_error", "temporarily_unavailable"])
def test_an_outage_that_the_provider_admits_is_an_outage(error: str) -> None:
    """What the provider blames on itself is not told to the person as a refusal."""
    with pytest.raises(OpUnavailable) as caught:
        read_response({"error": error})
    assert caught.value.code == f"op_unavailable.{error}"


@pytest.mark.parametrize(
    "params",
    [{}, {"code": ""}, {"error": "<script>"}, {"error": "made_up", "code": "a-code"}, {"error": "x" * 5000}],
)
def test_a_response_that_is_neither_has_one_fixed_code(params: dict[str, str]) -> None:
    """No code of ours is ever made of what came in, and an error beside a code is an error."""
    with pytest.raises(SignInFailed) as caught:
        read_response(params)
    assert caught.value.code == "sign_in_failed.response"
    assert "script" not in str(caught.value)


def test_an_error_beside_a_code_is_an_error() -> None:
    """A code that came with an error is not redeemed."""
    with pytest.raises(SignInFailed):
        read_response({"code": "a-code", "error": "access_denied"})
