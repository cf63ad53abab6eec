"""The token and userinfo endpoints of the embedded provider."""

import aiohttp
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from chain_gateway.demo.op.keys import at_hash


async def claims(op, token: str, jwks: str = "/jwks") -> dict:
    """The claims of an ID token under the published keys."""
    keys = KeySet.import_key_set(await (await op.browser.get(jwks)).json())
    return jwt.decode(token, keys, ["ES256", "RS256"]).claims


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
@pytest.mark.parametrize("auth", ["basic", "post"])
async def test_a_code_becomes_an_id_token(visit, algorithm, auth):
    """Every claim that a client checks or keeps is there, under the published key."""
    op = await visit(algorithm=algorithm)
    back = await op.sign_in(account="bob")
    op.now += 5
    answer = await (await op.redeem(back.query["code"], auth=auth)).json()
    told = await claims(op, answer["id_token"])
    assert told.pop("sid")
    assert told == {
        "iss": op.op.issuer,
        "sub": "demo|bob",
        "aud": "gateway",
        "iat": op.now,
        "exp": op.now + 600,
        "nonce": "n-1",
        "auth_time": op.now - 5,
        "acr": "urn:chain-gateway:demo:one-click",
        "amr": ["user"],
        "at_hash": at_hash(answer["access_token"]),
        "email": "bob@example.test",
        "email_verified": True,
        "name": "Bob",
    }


async def test_a_silent_sign_in_keeps_auth_time_and_sid(visit):
    """auth_time is when the person signed in by hand, and the session keeps its sid."""
    op = await visit()
    first = await claims(op, await op.id_token())
    op.now += 100
    back = aiohttp.client.URL((await op.authorize()).headers["Location"])
    second = await claims(op, (await (await op.redeem(back.query["code"])).json())["id_token"])
    assert (first["auth_time"], first["sid"]) == (second["auth_time"], second["sid"])
    assert second["iat"] == first["iat"] + 100


async def test_scope_decides_what_is_told(visit):
    """Without profile and email neither the token nor userinfo tells them."""
    op = await visit()
    back = await op.sign_in(scope="openid")
    answer = await (await op.redeem(back.query["code"])).json()
    told = await claims(op, answer["id_token"])
    assert not {"email", "name"} & told.keys()
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    assert await (await op.browser.get("/userinfo", headers=headers)).json() == {"sub": "demo|alice"}


async def test_userinfo_tells_the_person(visit):
    """The access token opens userinfo, until it is an hour old."""
    op = await visit()
    answer = await (await op.redeem((await op.sign_in()).query["code"])).json()
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    told = await (await op.browser.get("/userinfo", headers=headers)).json()
    assert (told["sub"], told["name"], told["email"]) == ("demo|alice", "Alice", "alice@example.test")
    op.now += 3600
    assert (await op.browser.get("/userinfo", headers=headers)).status == 401
    assert (await op.browser.get("/userinfo")).status == 401


async def test_a_code_that_comes_twice_takes_the_tokens_back(visit):
    """The second use of a code is refused, and what the first one got is worth nothing any more."""
    op = await visit()
    code = (await op.sign_in()).query["code"]
    answer = await (await op.redeem(code)).json()
    again = await op.redeem(code)
    assert (again.status, (await again.json())["error"]) == (400, "invalid_grant")
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    assert (await op.browser.get("/userinfo", headers=headers)).status == 401


async def test_a_code_lives_for_a_minute(visit):
    """After sixty seconds a code is worth nothing."""
    op = await visit()
    code = (await op.sign_in()).query["code"]
    op.now += 60
    assert (await op.redeem(code)).status == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {"redirect_uri": "http://login.localhost:9000/other"},
        {"redirect_uri": ""},
        {"code": "unknown"},
    ],
)
async def test_a_code_is_bound_to_its_request(visit, changes):
    """Verifier and redirect URI are those of the request, or the code is refused and lost."""
    op = await visit()
    code = (await op.sign_in()).query["code"]
    answer = await op.redeem(**({"code": code} | changes))
    assert (answer.status, (await answer.json())["error"]) == (400, "invalid_grant")
    if "code" not in changes:
        assert (await op.redeem(code)).status == 400


async def test_a_code_is_bound_to_its_client(visit):
    """Another client, with its own good secret, cannot redeem it."""
    op = await visit()
    code = (await op.sign_in()).query["code"]
    answer = await op.redeem(code, auth="none", client_id="other", client_secret="o" * 32)
    assert (await answer.json())["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("auth", "changes", "error"),
    [
        ("none", {}, "invalid_client"),
        ("none", {"client_id": "gateway"}, "invalid_client"),
        ("none", {"client_id": "gateway", "client_secret": "wrong"}, "invalid_client"),
        ("none", {"client_id": "nobody", "client_secret": "s" * 32}, "invalid_client"),
        ("basic", {"client_secret": "s" * 32}, "invalid_request"),
        ("basic", {"client_id": "other"}, "invalid_request"),
        ("basic", {"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_the_client_proves_itself_in_one_way(visit, auth, changes, error):
    """No secret, a wrong one, two at once, or another name: the code stays unspent."""
    op = await visit()
    code = (await op.sign_in()).query["code"]
    answer = await op.redeem(code, auth=auth, **changes)
    assert (await answer.json())["error"] == error
    assert answer.status == (401 if error == "invalid_client" else 400)
    assert (await op.redeem(code)).status == 200


async def test_a_basic_header_that_cannot_be_read_is_refused(visit):
    """Garbage in the header is an unknown client and no server error."""
    op = await visit()
    answer = await op.browser.post("/token", data={}, headers={"Authorization": "Basic %%%"})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


async def test_a_token_of_the_key_before_still_verifies(visit):
    """A rotation between signing and checking does not break a sign-in."""
    op = await visit()
    token = await op.id_token()
    op.op.rotate_keys()
    assert (await claims(op, token))["sub"] == "demo|alice"


async def test_the_auth0_dialect_tells_auth_time_only_to_who_asked(visit):
    """Without max_age or prompt=login a tenant's ID token has no auth_time."""
    op = await visit(dialect="auth0")
    jwks = "/.well-known/jwks.json"
    plain = await claims(op, await op.id_token(path="/oauth/token"), jwks)
    asked = await claims(op, await op.id_token(path="/oauth/token", prompt="login"), jwks)
    aged = await claims(op, await op.id_token(path="/oauth/token", max_age="0"), jwks)
    assert "auth_time" not in plain
    assert asked["auth_time"] == aged["auth_time"] == op.now
    assert plain["iss"] == "http://id.localhost:9000/"
