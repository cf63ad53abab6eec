"""The provider over a real socket: what is asked of it, how often, and what becomes of a provider that misbehaves."""

from __future__ import annotations

import asyncio
import gzip
import logging
import time
from collections.abc import Callable

import aiohttp
import pytest
from support.op import ACCESS_TOKEN, CHALLENGE, CODE, NONCE, PLANTED, VERIFIER, Op, body, redirect, running_op

from chain_gateway.core.limits import OP_BYTES
from chain_gateway.errors import OpUnavailable, SignInFailed
from chain_gateway.oidc.http import LoginRequest, Provider, SignIn

MakeProvider = Callable[..., Provider]
REQUEST = LoginRequest("a-state", NONCE, CHALLENGE)
GUARD_SECONDS = 5


async def redeem(provider: Provider) -> SignIn:
    return await provider.redeem(CODE, VERIFIER, NONCE)


async def unavailable(provider: Provider) -> str:
    """The code of the outage that a redemption ends in, within a time that no test has to wait for."""
    async with asyncio.timeout(GUARD_SECONDS):
        with pytest.raises(OpUnavailable) as caught:
            await provider.redeem(CODE, VERIFIER, NONCE)
    return caught.value.code


async def test_a_code_is_exchanged_with_its_verifier(op: Op, provider_of: MakeProvider) -> None:
    """The token request carries what binds the code to this login and to this client, and nothing in its URL."""
    await redeem(provider_of())
    assert op.token_requests == [
        {
            "grant_type": "authorization_code",
            "code": CODE,
            "redirect_uri": "https://login.example/callback",
            "code_verifier": VERIFIER,
        }
    ]
    assert op.token_headers[0]["Authorization"].startswith("Basic ")
    assert op.calls == {"metadata": 1, "token": 1, "jwks": 1}


async def test_a_code_of_another_login_is_refused(op: Op, provider_of: MakeProvider) -> None:
    """Another login's code, or its verifier, gets no tokens; the refusal repeats nothing that came in."""
    for code, verifier in [("stolen", VERIFIER), (CODE, "another-verifier")]:
        with pytest.raises(SignInFailed) as caught:
            await provider_of().redeem(code, verifier, NONCE)
        assert caught.value.code == "sign_in_failed.code"
        assert "such" not in str(caught.value)
        assert code not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (body(b'{"error":"invalid_client"}', code=401), "sign_in_failed.token_endpoint"),
        (body(b'{"error":"<script>"}', code=400), "sign_in_failed.token_endpoint"),
        (body(b'{"error":["invalid_grant"]}', code=400), "sign_in_failed.token_endpoint"),
        (body(b'{"error":"invalid_grant"}', code=403), "sign_in_failed.code"),
        (body(b'{"access_token":"a","token_type":"Bearer"}'), "sign_in_failed.id_token"),
        (body(b'{"id_token":["a"]}'), "sign_in_failed.id_token"),
    ],
)
async def test_a_refusal_of_the_token_endpoint_has_a_fixed_code(
    op: Op, provider_of: MakeProvider, answer: object, code: str
) -> None:
    """Whatever the token endpoint says, the code is one of ours, and the log never gets its text."""
    op.faults = {"token": answer}
    with pytest.raises(SignInFailed) as caught:
        await redeem(provider_of())
    assert caught.value.code == code
    assert "script" not in caught.value.detail


async def test_metadata_is_kept_for_ten_minutes(op: Op, provider_of: MakeProvider) -> None:
    """Logins do not ask for the metadata each time, and a change is seen after ten minutes at most."""
    provider = provider_of()
    for _ in range(3):
        await provider.login_url(REQUEST)
    op.clock.now += 599
    await provider.login_url(REQUEST)
    assert op.calls["metadata"] == 1
    op.metadata = {"authorization_endpoint": f"{op.issuer}/moved"}
    op.clock.now += 1
    assert (await provider.login_url(REQUEST)).startswith(f"{op.issuer}/moved?")
    assert op.calls["metadata"] == 2


async def test_old_metadata_is_better_than_none(op: Op, provider_of: MakeProvider) -> None:
    """While the provider is down the old document serves, and the provider is asked once a minute, not each time."""
    provider = provider_of()
    await provider.login_url(REQUEST)
    op.fail("metadata", 503)
    op.clock.now += 600
    for _ in range(5):
        assert (await provider.metadata()).issuer == op.issuer
    assert op.calls["metadata"] == 1 + 3
    op.clock.now += 60
    await provider.metadata()
    assert op.calls["metadata"] == 1 + 3 + 3
    del op.faults["metadata"]
    op.clock.now += 60
    await provider.metadata()
    await provider.metadata()
    assert op.calls["metadata"] == 1 + 3 + 3 + 1


async def test_metadata_that_turned_wrong_never_replaces_the_old(op: Op, provider_of: MakeProvider) -> None:
    """A document of another issuer is no newer document of this one."""
    provider = provider_of()
    await provider.metadata()
    op.metadata = {"issuer": "https://evil.example", "authorization_endpoint": f"{op.issuer}/evil"}
    op.clock.now += 600
    assert (await provider.login_url(REQUEST)).startswith(f"{op.issuer}/authorize?")


async def test_metadata_of_another_issuer_is_refused(op: Op, provider_of: MakeProvider) -> None:
    """Without an older document a wrong one is as good as none."""
    op.metadata = {"issuer": f"{op.issuer}/"}
    assert await unavailable(provider_of()) == "op_unavailable.metadata"


async def test_who_waits_together_asks_once(op: Op, provider_of: MakeProvider) -> None:
    """Any number of logins at once make one request for the metadata, and one for the keys."""
    provider = provider_of()
    await asyncio.gather(*(redeem(provider) for _ in range(20)))
    assert op.calls == {"metadata": 1, "token": 20, "jwks": 1}


async def test_who_waits_together_fails_together(op: Op, provider_of: MakeProvider) -> None:
    """An outage costs each of them one and the same set of attempts, not a queue of them."""
    op.fail("metadata", 500)
    provider = provider_of()
    results = await asyncio.gather(*(provider.metadata() for _ in range(20)), return_exceptions=True)
    assert all(isinstance(result, OpUnavailable) for result in results)
    assert op.calls["metadata"] == 3


async def test_one_who_leaves_does_not_take_the_answer_along(op: Op, provider_of: MakeProvider) -> None:
    """The first to ask goes away in the middle; whoever joined gets the document all the same."""
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slowly(request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
        asked.set()
        await answer.wait()
        return await op.serve_metadata(request)

    op.faults["metadata"] = slowly
    provider = provider_of()
    first = asyncio.ensure_future(provider.metadata())
    await asked.wait()
    second = asyncio.ensure_future(provider.metadata())
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    answer.set()
    assert (await second).issuer == op.issuer
    assert op.calls["metadata"] == 1


@pytest.mark.parametrize("endpoint", ["metadata", "jwks", "token", "userinfo"])
@pytest.mark.parametrize("manner", ["hang", "drip"])
async def test_a_slow_provider_is_given_up(op: Op, provider_of: MakeProvider, endpoint: str, manner: str) -> None:
    """An answer that does not come, or does not end, costs a bounded time at every endpoint."""
    op.faults[endpoint] = getattr(op, manner)
    assert await unavailable(provider_of(seconds=0.1, wanted=("email",))) == "op_unavailable.timeout"
    assert op.calls[endpoint] == 1


@pytest.mark.parametrize(("endpoint", "attempts"), [("metadata", 3), ("jwks", 3), ("userinfo", 3), ("token", 1)])
@pytest.mark.parametrize("status", [500, 502, 503, 429])
async def test_only_what_may_be_repeated_is_repeated(
    op: Op, provider_of: MakeProvider, endpoint: str, attempts: int, status: int
) -> None:
    """A passing failure is tried again three times in all, except for a code, which is good for one request."""
    op.fail(endpoint, status)
    assert await unavailable(provider_of(wanted=("email",))) == "op_unavailable.status"
    assert op.calls[endpoint] == attempts


@pytest.mark.parametrize("endpoint", ["metadata", "jwks", "userinfo"])
async def test_a_passing_failure_is_not_noticed(op: Op, provider_of: MakeProvider, endpoint: str) -> None:
    """A provider that stumbles once signs people in all the same."""
    op.fail(endpoint, 503, times=2)
    assert (await redeem(provider_of(wanted=("email",)))).claims == {"email": "alice@example.test"}


@pytest.mark.parametrize("endpoint", ["metadata", "jwks", "token", "userinfo"])
@pytest.mark.parametrize("status", [204, 404, 418])
async def test_a_status_that_means_nothing_here_is_an_outage(
    op: Op, provider_of: MakeProvider, endpoint: str, status: int
) -> None:
    """A status that the specifications do not know is not tried again and not interpreted."""
    op.fail(endpoint, status)
    assert await unavailable(provider_of(wanted=("email",))) == "op_unavailable.status"
    assert op.calls[endpoint] == 1


@pytest.mark.parametrize("endpoint", ["metadata", "jwks", "token", "userinfo"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(op: Op, provider_of: MakeProvider, endpoint: str, status: int) -> None:
    """Where a redirect leads, nobody has checked: it is not asked, not even with the very answer waiting there."""
    async with running_op(op.clock) as inside:
        inside.keys = op.keys
        path = {"metadata": "/.well-known/openid-configuration"}.get(endpoint, f"/{endpoint}")
        inside.metadata = op.document()
        op.faults[endpoint] = redirect(f"{inside.issuer}{path}", status)
        assert await unavailable(provider_of(wanted=("email",))) == "op_unavailable.redirect"
        assert op.calls[endpoint] == 1
        assert not inside.calls


@pytest.mark.parametrize("endpoint", ["metadata", "jwks", "token", "userinfo"])
async def test_an_oversize_answer_is_cut_off(op: Op, provider_of: MakeProvider, endpoint: str) -> None:
    """An answer over the cap is given up while it is read, announced length or not."""
    op.faults[endpoint] = body(b'{"a":"' + b"a" * OP_BYTES + b'"}')
    assert await unavailable(provider_of(wanted=("email",))) == "op_unavailable.size"
    op.faults[endpoint] = endless
    assert await unavailable(provider_of(wanted=("email",))) == "op_unavailable.size"


async def endless(request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
    """Writes until the reader goes away, or until no honest reader would still be there."""
    response = aiohttp.web.StreamResponse()
    await response.prepare(request)
    for _ in range(64 * OP_BYTES // 65536):
        await response.write(b" " * 65536)
    return response


BODIES = [b"", b"[]", b"not json", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff\xfe{}", b'"alice"', b"[" * 100_000]


@pytest.mark.parametrize("endpoint", ["metadata", "jwks", "token", "userinfo"])
@pytest.mark.parametrize("content", [*BODIES, gzip.compress(b"{}", mtime=0)], ids=lambda content: repr(content[:14]))
async def test_an_answer_that_is_no_json_object_is_an_outage(
    op: Op, provider_of: MakeProvider, endpoint: str, content: bytes
) -> None:
    """Nothing is guessed of an answer that is not one JSON object, nor is one unpacked that was sent compressed."""
    op.faults[endpoint] = body(content)
    assert await unavailable(provider_of(wanted=("email",))) == "op_unavailable.body"


async def test_a_compressed_answer_is_not_unpacked(op: Op, provider_of: MakeProvider) -> None:
    """A few kilobytes that would unpack to many megabytes stay a few kilobytes."""
    op.faults["jwks"] = body(gzip.compress(b" " * 50_000_000), **{"Content-Encoding": "gzip"})
    assert await unavailable(provider_of()) == "op_unavailable.body"


async def test_a_provider_that_is_not_there_is_an_outage(op: Op, session: aiohttp.ClientSession) -> None:
    """A refused connection is told apart from an answer that does not hold."""
    async with running_op() as gone:
        client = gone.client()
    assert await unavailable(Provider(client, session, op.clock)) == "op_unavailable.connection"


async def test_new_keys_are_fetched_in_the_middle_of_a_login(op: Op, provider_of: MakeProvider) -> None:
    """A token of a key that is not known yet makes one more request for the keys, and signs in."""
    provider = provider_of()
    await redeem(provider)
    op.rotate("second")
    await redeem(provider)
    assert op.calls["jwks"] == 2


async def test_unknown_kids_ask_for_the_keys_once_a_minute(op: Op, provider_of: MakeProvider) -> None:
    """A flood of tokens with keys that are nowhere makes one request a minute, in a row or all at once."""
    provider = provider_of()
    await redeem(provider)
    for minute in (1, 2):
        for number in range(10):
            op.header = {"kid": f"nowhere-{minute}-{number}"}
            with pytest.raises(SignInFailed) as caught:
                await redeem(provider)
            assert caught.value.code == "sign_in_failed.key"
        flood = await asyncio.gather(*(redeem(provider) for _ in range(20)), return_exceptions=True)
        assert all(isinstance(result, SignInFailed) for result in flood)
        assert op.calls["jwks"] == 1 + minute
        op.clock.now += 60


async def test_an_honest_login_amid_a_flood_still_signs_in(op: Op, provider_of: MakeProvider) -> None:
    """The limit is on asking, not on signing in: known keys go on to serve, new ones do within a minute."""
    provider = provider_of()
    op.header = {"kid": "nowhere"}
    with pytest.raises(SignInFailed):
        await redeem(provider)
    op.header = {}
    await redeem(provider)
    op.rotate("second")
    with pytest.raises(SignInFailed):
        await redeem(provider)
    op.clock.now += 60
    await redeem(provider)


async def test_who_meets_new_keys_together_asks_once(op: Op, provider_of: MakeProvider) -> None:
    """Twenty logins that a rotation catches in flight share the one request, and all of them sign in."""
    provider = provider_of()
    await redeem(provider)
    op.rotate("second")
    await asyncio.gather(*(redeem(provider) for _ in range(20)))
    assert op.calls["jwks"] == 2


async def test_a_provider_without_kids_may_change_its_key(op: Op, provider_of: MakeProvider) -> None:
    """A token that names no key, and does not hold under the only one, may be of a new one; the same limit applies."""
    provider = provider_of()
    op.header = {"kid": None}
    await redeem(provider)
    op.rotate("second")
    await redeem(provider)
    assert op.calls["jwks"] == 2
    op.rotate("third")
    with pytest.raises(SignInFailed) as caught:
        await redeem(provider)
    assert caught.value.code == "sign_in_failed.signature"
    assert op.calls["jwks"] == 2


async def test_withdrawn_keys_stop_counting(op: Op, provider_of: MakeProvider) -> None:
    """A key that the provider took back is trusted for ten minutes at most, even if nothing else changes."""
    provider = provider_of()
    await redeem(provider)
    stolen = op.id_token()
    op.rotate("second")
    op.clock.now += 600
    op.tokens = {"id_token": stolen}
    with pytest.raises(SignInFailed) as caught:
        await redeem(provider)
    assert caught.value.code == "sign_in_failed.key"


async def test_old_keys_serve_while_the_provider_is_down(op: Op, provider_of: MakeProvider) -> None:
    """The keys are served stale as the metadata is; a key that is not among them is an outage then, not a forgery."""
    provider = provider_of()
    await redeem(provider)
    op.fail("jwks", 503)
    op.clock.now += 600
    assert (await redeem(provider)).sub == "alice"
    op.header = {"kid": "new"}
    assert await unavailable(provider) == "op_unavailable.status"


async def test_keys_of_no_use_are_an_outage(op: Op, provider_of: MakeProvider) -> None:
    """A key set without a list, or without any key that signs ID tokens, is no key set."""
    for content in (b"{}", b'{"keys":{}}', b'{"keys":[]}', b'{"keys":[1,{"kty":"oct","k":"c2VjcmV0"}]}'):
        op.faults["jwks"] = body(content)
        assert await unavailable(provider_of()) == "op_unavailable.jwks"


async def test_userinfo_is_asked_only_for_what_is_missing(op: Op, provider_of: MakeProvider) -> None:
    """No app wants a claim, or the ID token has all of them: nothing is asked."""
    op.claims = {"email": "of-the-token@example.test"}
    assert (await redeem(provider_of())).claims == {"email": "of-the-token@example.test"}
    assert (await redeem(provider_of(wanted=("email", "sub", "sid")))).claims == {"email": "of-the-token@example.test"}
    assert op.calls["userinfo"] == 0


async def test_userinfo_adds_what_was_wanted_and_missing(op: Op, provider_of: MakeProvider) -> None:
    """It never replaces what the signed token says, brings nothing unasked, and no claim about token or session."""
    op.claims = {"name": "Of the token"}
    op.userinfo = {
        "sub": "alice",
        "name": "Of userinfo",
        "email": "alice@example.test",
        "phone_number": "1",
        "sid": "forged",
        "auth_time": 1,
    }
    sign_in = await redeem(provider_of(wanted=("email", "name", "locale", "sid", "auth_time")))
    assert sign_in.claims == {"name": "Of the token", "email": "alice@example.test"}
    assert (sign_in.sid, sign_in.auth_time) == ("op-session", int(op.clock.now) - 5)


@pytest.mark.parametrize("sub", ["mallory", "Alice", None, ["alice"]])
async def test_userinfo_about_somebody_else_is_refused(op: Op, provider_of: MakeProvider, sub: object) -> None:
    """A substituted access token would bring another person's claims (Core 5.3.2): that is no sign-in at all."""
    op.userinfo = {"sub": sub, "email": "mallory@example.test"}
    with pytest.raises(SignInFailed) as caught:
        await redeem(provider_of(wanted=("email",)))
    assert caught.value.code == "sign_in_failed.userinfo"


async def test_without_access_token_or_endpoint_userinfo_is_not_asked(op: Op, provider_of: MakeProvider) -> None:
    """Where there is no way to ask, the person is signed in with what the ID token says."""
    op.metadata = {"userinfo_endpoint": None}
    assert (await redeem(provider_of(wanted=("email",)))).claims == {}
    op.metadata = {}
    for tokens in ({"access_token": None}, {"token_type": "DPoP"}, {"token_type": None}, {"access_token": 1}):
        op.tokens = tokens
        assert (await redeem(provider_of(wanted=("email",)))).claims == {}
    assert op.calls["userinfo"] == 0
    op.tokens = {"token_type": "bearer"}
    assert (await redeem(provider_of(wanted=("email",)))).claims == {"email": "alice@example.test"}


async def test_the_issuer_of_a_response_is_demanded_where_it_is_announced(op: Op, provider_of: MakeProvider) -> None:
    """RFC 9207 by way of the provider's own metadata."""
    await provider_of().check_response_issuer(None)
    op.metadata = {"authorization_response_iss_parameter_supported": True}
    provider = provider_of()
    await provider.check_response_issuer(op.issuer)
    with pytest.raises(SignInFailed) as caught:
        await provider.check_response_issuer(None)
    assert caught.value.code == "sign_in_failed.iss"


async def test_where_people_sign_in_is_known_from_the_metadata(op: Op, provider_of: MakeProvider) -> None:
    """It need not be at the issuer's host; before anything is known, that is the best guess."""
    op.metadata = {"authorization_endpoint": "https://people.example:8443/authorize"}
    provider = provider_of()
    assert provider.login_origin() == op.issuer.rstrip("/")
    await provider.metadata()
    assert provider.login_origin() == "https://people.example:8443"


async def test_the_logout_url_comes_from_the_metadata(op: Op, provider_of: MakeProvider) -> None:
    """The announced endpoint, or None where there is none and the provider is not Auth0."""
    assert (await provider_of().logout_url("", "", "a-state") or "").startswith(f"{op.issuer}/logout?")
    op.metadata = {"end_session_endpoint": None}
    assert await provider_of().logout_url("", "", "a-state") is None


async def test_a_probe_looks_at_metadata_and_keys(op: Op, provider_of: MakeProvider) -> None:
    """Readiness is that a login could be done now, from what is kept if it must be."""
    provider = provider_of()
    await provider.probe()
    op.fail("metadata", 503)
    op.fail("jwks", 503)
    await provider.probe()
    op.clock.now += 600
    await provider.probe()
    with pytest.raises(OpUnavailable):
        await provider_of().probe()
    del op.faults["metadata"]
    with pytest.raises(OpUnavailable):
        await provider_of().probe()


async def test_nothing_secret_is_told(
    op: Op, provider_of: MakeProvider, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """No log, text or repr of a login, its failures and its retries holds secret, code, verifier or token."""
    caplog.set_level(logging.DEBUG)
    told = []
    provider = provider_of(wanted=("email",))
    sign_in = await redeem(provider)
    for endpoint, code in [("token", 500), ("userinfo", 503), ("token", 400)]:
        op.fail(endpoint, code)
        with pytest.raises((OpUnavailable, SignInFailed)) as caught:
            await redeem(provider)
        told += [str(caught.value), repr(caught.value), caught.value.code, caught.value.detail]
    out, err = capsys.readouterr()
    everything = "\n".join([*told, repr(sign_in), repr(op.client()), caplog.text, out, err])
    for secret in (PLANTED, CODE, VERIFIER, ACCESS_TOKEN, sign_in.id_token, "alice@example.test"):
        assert secret not in everything


async def test_retries_end_within_the_time_of_one_call(op: Op, provider_of: MakeProvider) -> None:
    """The bound is on the call as a whole: a provider that hangs on the second attempt costs no second time limit."""
    seen = []

    async def first_fails(request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
        seen.append(request.path)
        return aiohttp.web.Response(status=503) if len(seen) == 1 else await op.hang(request)

    op.faults["metadata"] = first_fails
    began = time.monotonic()
    assert await unavailable(provider_of(seconds=0.2)) == "op_unavailable.timeout"
    assert time.monotonic() - began < GUARD_SECONDS / 2
    assert len(seen) == 2
