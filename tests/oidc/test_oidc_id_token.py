"""Every rule of OpenID Connect Core 3.1.3.7, asked at the door where ID tokens come in: the redemption of a code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey
from support.op import ACCESS_TOKEN, CODE, NONCE, VERIFIER, Op, b64, compact, ec_key, hs256_with, signed

from chain_gateway.errors import SignInFailed
from chain_gateway.oidc.http import Provider, SignIn

NOW = 1_800_000_000
MakeProvider = Callable[..., Provider]


async def redeem(provider: Provider) -> SignIn:
    return await provider.redeem(CODE, VERIFIER, NONCE)


async def refused(provider: Provider) -> str:
    with pytest.raises(SignInFailed) as caught:
        await redeem(provider)
    return caught.value.code


async def test_an_honest_id_token_signs_in(op: Op, provider_of: MakeProvider) -> None:
    """What the token says about the person and the session is what the login yields, and nothing else."""
    op.claims = {"email": "alice@example.test", "acr": "urn:mfa", "amr": ["pwd"]}
    sign_in = await redeem(provider_of())
    assert (sign_in.sub, sign_in.sid, sign_in.auth_time, sign_in.acr) == ("alice", "op-session", NOW - 5, "urn:mfa")
    assert sign_in.claims == {"email": "alice@example.test", "amr": ["pwd"]}
    assert sign_in.id_token.count(".") == 2


CLAIMS = [
    pytest.param({"iss": "https://other.example"}, "iss", id="another issuer"),
    pytest.param({"iss": None}, "iss", id="no issuer"),
    pytest.param({"aud": "another-client"}, "aud", id="another audience"),
    pytest.param({"aud": ["another-client"]}, "aud", id="a list without us"),
    pytest.param({"aud": "gateway-2"}, "aud", id="an audience that begins like us"),
    pytest.param({"aud": None}, "aud", id="no audience"),
    pytest.param({"aud": []}, "aud", id="an empty audience"),
    pytest.param({"aud": {"gateway": 1}}, "aud", id="an audience that is an object"),
    pytest.param({"aud": ["gateway", "another-client"]}, "azp", id="two audiences, issued to nobody in particular"),
    pytest.param({"aud": ["gateway", "other"], "azp": "other"}, "azp", id="issued to the other audience"),
    pytest.param({"azp": "other"}, "azp", id="issued to another client"),
    pytest.param({"azp": ["gateway"]}, "azp", id="azp is a list"),
    pytest.param({"exp": NOW - 60}, "exp", id="expired"),
    pytest.param({"exp": None}, "exp", id="without an end"),
    pytest.param({"exp": str(NOW + 300)}, "exp", id="an end that is a text"),
    pytest.param({"exp": True}, "exp", id="an end that is a truth value"),
    pytest.param({"iat": NOW + 61}, "iat", id="of the future"),
    pytest.param({"iat": None}, "iat", id="without a beginning"),
    pytest.param({"nbf": NOW + 61}, "nbf", id="not yet valid"),
    pytest.param({"nonce": "another-nonce"}, "nonce", id="the answer to another request"),
    pytest.param({"nonce": None}, "nonce", id="the answer to no request"),
    pytest.param({"nonce": None, "events": {"x": {}}}, "nonce", id="a logout token"),
    pytest.param({"nonce": [NONCE]}, "nonce", id="a list of nonces"),
    pytest.param({"auth_time": NOW + 61}, "auth_time", id="signed in tomorrow"),
    pytest.param({"auth_time": "now"}, "auth_time", id="signed in at no number"),
    pytest.param({"sub": None}, "sub", id="nobody"),
    pytest.param({"sub": ""}, "sub", id="nobody by an empty name"),
    pytest.param({"sub": "a" * 256}, "sub", id="256 characters"),
    pytest.param({"sub": "alicé"}, "sub", id="not ASCII"),
    pytest.param({"sub": "alice\n"}, "sub", id="a line break"),
    pytest.param({"sub": 7}, "sub", id="a number"),
    pytest.param({"sid": 7}, "sid", id="a session that is a number"),
    pytest.param({"sid": "s" * 256}, "sid", id="a session of 256 characters"),
    pytest.param({"acr": ["a"]}, "acr", id="acr is a list"),
    pytest.param({"at_hash": b64(bytes(16))}, "at_hash", id="came with another access token"),
    pytest.param({"at_hash": 1}, "at_hash", id="at_hash is a number"),
]


@pytest.mark.parametrize(("claims", "check"), CLAIMS)
async def test_a_false_claim_is_refused_by_its_own_check(
    op: Op, provider_of: MakeProvider, claims: dict[str, object], check: str
) -> None:
    """Each claim that does not hold refuses the sign-in, under the code of that very claim."""
    op.claims = claims
    assert await refused(provider_of()) == f"sign_in_failed.{check}"


TOLERATED = [
    pytest.param({"exp": NOW - 59}, id="just expired"),
    pytest.param({"iat": NOW + 60}, id="a minute ahead"),
    pytest.param({"iat": NOW + 0.5, "exp": NOW + 9.5}, id="fractions of a second"),
    pytest.param({"nbf": NOW}, id="valid from now on"),
    pytest.param({"aud": ["gateway"]}, id="a list of us alone"),
    pytest.param({"aud": ["other", "gateway"], "azp": "gateway"}, id="two audiences, issued to us"),
    pytest.param({"azp": "gateway"}, id="issued to us"),
    pytest.param({"auth_time": None}, id="without auth_time, which nobody demanded"),
    pytest.param({"auth_time": NOW - 300 * 24 * 3600}, id="signed in most of a year ago"),
    pytest.param({"sub": "a" * 255}, id="255 characters"),
    pytest.param({"sid": None}, id="no session id"),
    pytest.param({"unheard": {"of": 1}}, id="a claim that nobody knows"),
]


@pytest.mark.parametrize("claims", TOLERATED)
async def test_what_the_specification_allows_is_taken(
    op: Op, provider_of: MakeProvider, claims: dict[str, object]
) -> None:
    """Being strict ends where the specification leaves the provider a choice, or clocks differ a little."""
    op.claims = claims
    assert (await redeem(provider_of())).sub.startswith("a")


async def test_a_sign_in_older_than_max_age_is_refused(op: Op, provider_of: MakeProvider) -> None:
    """A demanded max_age is held against auth_time, and cannot be dodged by leaving auth_time out."""
    provider = provider_of(max_age=3600)
    op.claims = {"auth_time": NOW - 3600 - 60}
    assert (await redeem(provider)).auth_time == NOW - 3660
    op.claims = {"auth_time": NOW - 3600 - 61}
    assert await refused(provider) == "sign_in_failed.auth_time"
    op.claims = {"auth_time": None}
    assert await refused(provider) == "sign_in_failed.auth_time"


async def test_an_access_token_hash_is_compared(op: Op, provider_of: MakeProvider) -> None:
    """The right at_hash of each kind of signature is taken; without an access token there is nothing to compare."""
    op.claims = {"at_hash": "UKSrXMHl8Qk86PxwP7VJTA"}
    op.tokens = {"access_token": "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"}
    assert await refused(provider_of()) == "sign_in_failed.at_hash"
    op.claims = {"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}  # the example of OpenID Connect Core 1.0, appendix A.3
    assert (await redeem(provider_of())).sub == "alice"
    op.tokens = {"access_token": None}
    op.claims = {"at_hash": "anything"}
    assert (await redeem(provider_of())).sub == "alice"


async def refused_as(op: Op, provider: Provider, text: str) -> str:
    op.tokens = {"id_token": text}
    return await refused(provider)


def claims_of(op: Op) -> dict[str, object]:
    return {"iss": op.issuer, "sub": "mallory", "aud": "gateway", "iat": NOW, "exp": NOW + 300, "nonce": NONCE}


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
async def test_an_unsigned_token_is_refused(op: Op, provider_of: MakeProvider, alg: str) -> None:
    """No spelling of `none` signs anybody in, though this provider's metadata announces it."""
    text = compact({"alg": alg, "kid": "first"}, claims_of(op))
    assert await refused_as(op, provider_of(), text) == "sign_in_failed.alg"
    assert await refused_as(op, provider_of(), text.removesuffix(".")) == "sign_in_failed.shape"


async def test_a_public_key_is_no_shared_secret(op: Op, provider_of: MakeProvider) -> None:
    """HS256 keyed with any text of the public key, or with the client's secret, is refused, though it is announced."""
    key = op.keys[0]
    jwk = key.as_dict(private=False)
    texts = [key.as_pem(private=False), key.as_der(private=False), json.dumps(jwk).encode(), str(jwk["x"]).encode()]
    for secret in [*texts, b"planted-canary", b"x"]:
        forged = hs256_with(secret, {"alg": "HS256", "kid": "first"}, claims_of(op))
        assert await refused_as(op, provider_of(), forged) == "sign_in_failed.alg"


async def test_the_algorithm_is_the_keys_and_not_the_headers(op: Op, provider_of: MakeProvider) -> None:
    """An algorithm that is announced, but is not that of the named key's type and curve, finds no key."""
    op.metadata = {"id_token_signing_alg_values_supported": ["ES256", "ES384", "RS256", "EdDSA"]}
    p384 = ec_key("first", "P-384")
    for key, alg in [(p384, "ES384"), (RSAKey.generate_key(2048, {"kid": "first"}), "RS256")]:
        forged = signed(key, claims_of(op), alg=alg)
        assert await refused_as(op, provider_of(), forged) == "sign_in_failed.key"
    op.keys = [p384]
    forged = signed(ec_key("first"), claims_of(op), alg="ES256")
    assert await refused_as(op, provider_of(), forged) == "sign_in_failed.key"


async def test_an_algorithm_that_was_not_announced_is_refused(op: Op, provider_of: MakeProvider) -> None:
    """Metadata names what signs ID tokens; without a word it is RS256, and the client's own list goes before it."""
    op.metadata = {"id_token_signing_alg_values_supported": ["RS256"]}
    assert await refused(provider_of()) == "sign_in_failed.alg"
    op.metadata = {"id_token_signing_alg_values_supported": None}
    assert await refused(provider_of()) == "sign_in_failed.alg"
    assert (await redeem(provider_of(algorithms=("ES256",)))).sub == "alice"
    op.metadata = {}
    assert await refused(provider_of(algorithms=("RS256", "HS256"))) == "sign_in_failed.alg"


DANGEROUS = [
    {"crit": ["exp"], "exp": NOW + 9},
    {"crit": []},
    {"jku": "https://evil.example/jwks"},
    {"x5u": "https://evil.example/cert"},
    {"x5c": ["MII="]},
    {"zip": "DEF"},
    {"b64": False},
    {"b64": False, "crit": ["b64"]},
    {"kid": 7},
    {"typ": ["JWT"]},
]


@pytest.mark.parametrize("header", DANGEROUS, ids="+".join)
async def test_a_header_that_brings_a_key_or_an_extension_is_refused(
    op: Op, provider_of: MakeProvider, header: dict[str, object]
) -> None:
    """What would make a reader fetch, trust or understand something else is refused, though the signature holds."""
    op.header = header
    assert await refused(provider_of()) == "sign_in_failed.header"


async def test_a_key_in_the_header_is_refused(op: Op, provider_of: MakeProvider) -> None:
    """A token that carries its own key proves that somebody has a key, and no more."""
    own = ec_key("first")
    forged = signed(own, claims_of(op), jwk=own.as_dict(private=False))
    assert await refused_as(op, provider_of(), forged) == "sign_in_failed.header"


async def test_a_header_member_without_a_meaning_is_ignored(op: Op, provider_of: MakeProvider) -> None:
    """RFC 7515 section 4: what is not understood and not critical changes nothing."""
    op.header = {"x5t": "abc", "trace": {"a": 1}, "typ": "jwt"}
    assert (await redeem(provider_of())).sub == "alice"


@pytest.mark.parametrize("typ", ["logout+jwt", "at+jwt", "chain-ticket+jwt", "application/jwt"])
async def test_a_token_of_another_kind_is_refused(op: Op, provider_of: MakeProvider, typ: str) -> None:
    """Other things that the provider signs with the same key are no ID tokens."""
    op.header = {"typ": typ}
    assert await refused(provider_of()) == "sign_in_failed.typ"


KIDS = ["../../../../dev/null", "/etc/passwd", "' OR 1=1 --", "first\x00", "FIRST", "first ", "https://evil.example/k"]


@pytest.mark.parametrize("kid", KIDS)
async def test_a_kid_is_looked_up_and_nothing_else(op: Op, provider_of: MakeProvider, kid: str) -> None:
    """A kid that no published key has finds no key, whatever it looks like to a file system or a database."""
    forged = signed(ec_key(kid), claims_of(op))
    assert await refused_as(op, provider_of(), forged) == "sign_in_failed.key"


async def test_a_signature_of_another_key_is_refused(op: Op, provider_of: MakeProvider) -> None:
    """A key of the same name is not the same key."""
    assert await refused_as(op, provider_of(), signed(ec_key("first"), claims_of(op))) == "sign_in_failed.signature"


async def test_a_changed_token_is_refused(op: Op, provider_of: MakeProvider) -> None:
    """Another payload under an honest signature, and a cut or an absent signature, are refused."""
    header, _, signature = op.id_token().split(".")
    payload = b64(json.dumps(claims_of(op)).encode())
    for forged in (f"{header}.{payload}.{signature}", f"{header}.{payload}.", f"{header}.{payload}.{signature[:-3]}"):
        assert await refused_as(op, provider_of(), forged) == "sign_in_failed.signature"


async def test_what_is_no_compact_jws_is_refused(op: Op, provider_of: MakeProvider) -> None:
    """Encrypted, empty, padded, spaced and oversize texts fall before any claim is read."""
    honest = op.id_token()
    header, payload, signature = honest.split(".")
    for text in ("", "a", "..", f"{honest}.{payload}.{signature}", f" {honest}", f"{header}=.{payload}.{signature}"):
        assert await refused_as(op, provider_of(), text) == "sign_in_failed.shape"
    assert await refused_as(op, provider_of(), f"{honest}\n") == "sign_in_failed.signature"
    assert await refused_as(op, provider_of(), "a" * 20_000) == "sign_in_failed.size"


def respelt(op: Op, header: bytes, payload: bytes) -> str:
    body = f"{b64(header)}.{b64(payload)}"
    return f"{body}.{_signature(op.keys[0], body)}"


def _signature(key: ECKey, body: str) -> str:
    return b64(jws.JWSRegistry.algorithms["ES256"].sign(body.encode(), key))


async def test_a_member_that_is_named_twice_is_refused(op: Op, provider_of: MakeProvider) -> None:
    """Two readers of such a text could see two tokens (RFC 7515 section 4, RFC 8725 section 2.4)."""
    claims = json.dumps(claims_of(op)).encode()
    honest_header = b'{"alg":"ES256","kid":"first"}'
    twice = claims[:-1] + b', "sub": "alice"}'
    assert await refused_as(op, provider_of(), respelt(op, honest_header, twice)) == "sign_in_failed.shape"
    header = b'{"alg":"none","alg":"ES256","kid":"first"}'
    assert await refused_as(op, provider_of(), respelt(op, header, claims)) == "sign_in_failed.shape"
    for payload in (b"[]", b'"alice"', b"null", b"", b"\xff"):
        assert await refused_as(op, provider_of(), respelt(op, honest_header, payload)) == "sign_in_failed.shape"


async def test_other_algorithms_of_real_providers_are_taken(op: Op, provider_of: MakeProvider) -> None:
    """RSA with both paddings, the larger curves and Ed25519 sign people in where the provider announces them."""
    rsa = RSAKey.generate_key(2048, {"kid": "rsa"})
    edwards = OKPKey.generate_key("Ed25519", {"kid": "ed"})
    cases = [(rsa, "RS256"), (rsa, "PS512"), (ec_key("large", "P-521"), "ES512"), (edwards, "EdDSA")]
    op.metadata = {"id_token_signing_alg_values_supported": [alg for _, alg in cases]}
    for key, alg in cases:
        op.keys = [key]
        text = signed(key, claims_of(op), alg=alg)
        op.tokens = {"id_token": text}
        assert (await redeem(provider_of())).sub == "mallory"


async def test_the_access_token_hash_follows_the_signature(op: Op, provider_of: MakeProvider) -> None:
    """at_hash is made with the hash of the signature's algorithm, SHA-512 for Ed25519 (Core 3.1.3.8)."""
    for key, alg, digest in [
        (OKPKey.generate_key("Ed25519", {"kid": "ed"}), "EdDSA", hashlib.sha512),
        (OKPKey.generate_key("Ed25519", {"kid": "ed"}), "Ed25519", hashlib.sha512),
        (ec_key("p384", "P-384"), "ES384", hashlib.sha384),
    ]:
        op.metadata = {"id_token_signing_alg_values_supported": [alg]}
        op.keys = [key]
        full = digest(ACCESS_TOKEN.encode()).digest()
        op.tokens = {"id_token": signed(key, {**claims_of(op), "at_hash": b64(full[: len(full) // 2])}, alg=alg)}
        assert (await redeem(provider_of())).sub == "mallory"
