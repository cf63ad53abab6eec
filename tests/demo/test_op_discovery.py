"""The embedded provider's metadata and keys, in both dialects."""

import pytest


async def test_the_metadata_names_the_endpoints_of_the_issuer(visit):
    """A client that knows the issuer alone finds every endpoint, under the issuer's own origin."""
    op = await visit()
    document = await (await op.browser.get("/.well-known/openid-configuration")).json()
    assert document["issuer"] == "http://id.localhost:9000" == op.op.issuer
    for name in ("authorization", "token", "userinfo", "end_session"):
        assert document[f"{name}_endpoint"].startswith("http://id.localhost:9000/")
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True


async def test_the_auth0_dialect_has_a_slash_and_no_end_session_endpoint(visit):
    """Auth0's issuer ends with a slash, and a tenant does not announce its logout unless told to."""
    op = await visit(dialect="auth0")
    document = await (await op.browser.get("/.well-known/openid-configuration")).json()
    assert document["issuer"] == "http://id.localhost:9000/" == op.op.issuer
    assert "end_session_endpoint" not in document
    assert "authorization_response_iss_parameter_supported" not in document
    assert document["token_endpoint"] == "http://id.localhost:9000/oauth/token"


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
async def test_the_keys_are_public_and_rotate(visit, algorithm):
    """Private parts are never published; a rotation adds a key and keeps the one before it, and no older."""
    op = await visit(algorithm=algorithm)

    async def kids() -> list[str]:
        keys = (await (await op.browser.get("/jwks")).json())["keys"]
        assert all(key["alg"] == algorithm and "d" not in key and "p" not in key for key in keys)
        return [key["kid"] for key in keys]

    first = await kids()
    op.op.rotate_keys()
    second = await kids()
    op.op.rotate_keys()
    third = await kids()
    assert second[1:] == first
    assert third[1:] == second[:1]
