"""When the gateway's keys are fetched, how often, and from where alone."""

import asyncio
import json
import secrets

import pytest
from aiohttp import web

from chain_gateway.sdk.jwks import fetch_jwks
from chain_gateway.sdk.keys import FAILED_SECONDS, JWKS_BYTES, JWKS_PATH, UNKNOWN_SECONDS, KeyCache, KeysUnavailable
from chain_gateway.tokens.keyring import JWKS_SECONDS, Keyring

NOW = 1_800_000_000


def a_key_set():
    """The bytes of a new gateway's key set."""
    return json.dumps(Keyring.generate(NOW, secrets.token_bytes).jwks(NOW)).encode()


class Source:
    """Counts fetches; ``answer`` is what they bring, None for a gateway out of reach; ``gate`` holds them back."""

    def __init__(self):
        self.fetches = 0
        self.answer = a_key_set()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self):
        self.fetches += 1
        await self.gate.wait()
        if self.answer is None:
            raise KeysUnavailable("out of reach")
        return self.answer


async def test_keys_are_fetched_once_and_kept_for_an_hour():
    """The first need fetches, an hour later the next one does."""
    source = Source()
    cache = KeyCache(source)
    first = await cache.keys(NOW)
    assert await cache.keys(NOW + JWKS_SECONDS - 1) is first
    assert source.fetches == 1
    assert await cache.keys(NOW + JWKS_SECONDS) is not first
    assert source.fetches == 2


async def test_many_at_once_make_one_fetch():
    """T44: a burst of first visits asks the gateway once."""
    source = Source()
    source.gate.clear()
    cache = KeyCache(source)
    waiting = [asyncio.create_task(cache.keys(NOW)) for _ in range(20)]
    await asyncio.sleep(0)
    source.gate.set()
    assert len({id(keys) for keys in await asyncio.gather(*waiting)}) == 1
    assert source.fetches == 1


async def test_an_unknown_kid_fetches_at_once_and_then_at_most_once_a_minute():
    """T44: a rotation is noticed at once, a flood of made-up kids is not passed on."""
    source = Source()
    cache = KeyCache(source)
    await cache.keys(NOW)
    assert await cache.newer(NOW + 1) is not None
    for second in range(2, UNKNOWN_SECONDS + 1):
        assert await cache.newer(NOW + second) is None
    assert source.fetches == 2
    assert await cache.newer(NOW + 1 + UNKNOWN_SECONDS) is not None
    assert source.fetches == 3


async def test_unknown_kids_at_one_moment_share_the_fetch():
    """Who meets the new key while it is being fetched waits for it, and is not sent away."""
    source = Source()
    cache = KeyCache(source)
    await cache.keys(NOW)
    source.gate.clear()
    waiting = [asyncio.create_task(cache.newer(NOW + 1)) for _ in range(5)]
    await asyncio.sleep(0)
    source.gate.set()
    assert None not in await asyncio.gather(*waiting)
    assert source.fetches == 2


async def test_a_failed_fetch_is_not_repeated_for_a_moment():
    """A gateway that is down is not asked by each request, and is asked again soon."""
    source = Source()
    source.answer = None
    cache = KeyCache(source)
    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            await cache.keys(NOW)
    assert source.fetches == 1
    source.answer = a_key_set()
    assert len(await cache.keys(NOW + FAILED_SECONDS)) == 1


async def test_old_keys_are_used_while_the_gateway_is_away():
    """An hour that ends during an outage ends nobody's logins."""
    source = Source()
    cache = KeyCache(source)
    first = await cache.keys(NOW)
    source.answer = None
    assert await cache.keys(NOW + JWKS_SECONDS) is first
    assert await cache.newer(NOW + JWKS_SECONDS + 1) is None


@pytest.mark.parametrize("body", [b"", b"[]", b'{"keys":{}}', b'{"keys":[],"keys":[]}', b"<html>"])
async def test_what_is_no_key_set_counts_as_out_of_reach(body):
    """A captive portal's page is not a key set."""
    source = Source()
    source.answer = body
    with pytest.raises(KeysUnavailable):
        await KeyCache(source).keys(NOW)


@pytest.fixture
async def serve(aiohttp_server):
    """Serves an answer at the key set's path, under a name that only browsers resolve by themselves."""

    async def start(answer):
        async def handler(request):
            if request.path == "/elsewhere":
                return web.Response(body=a_key_set())
            return answer()

        app = web.Application()
        app.add_routes([web.get(JWKS_PATH, handler), web.get("/elsewhere", handler)])
        server = await aiohttp_server(app)
        return f"http://login.localhost:{server.port}"

    return start


async def test_the_key_set_comes_from_a_loopback_name_too(serve):
    """``*.localhost`` is this machine, also where the system's resolver does not know it."""
    body = a_key_set()
    assert await fetch_jwks(await serve(lambda: web.Response(body=body))) == body


@pytest.mark.parametrize(
    "answer",
    [
        lambda: web.Response(status=302, headers={"Location": "/elsewhere"}),
        lambda: web.Response(status=500),
        lambda: web.Response(body=b" " * (JWKS_BYTES + 1)),
    ],
    ids=["redirect", "error", "too big"],
)
async def test_anything_but_a_plain_small_answer_is_refused(serve, answer):
    """T43: no redirect is followed, and no more is read than a key set can have."""
    with pytest.raises(KeysUnavailable):
        await fetch_jwks(await serve(answer))


async def test_a_gateway_that_does_not_listen_is_out_of_reach(unused_tcp_port):
    """A refused connection is reported as what it means."""
    with pytest.raises(KeysUnavailable):
        await fetch_jwks(f"http://127.0.0.1:{unused_tcp_port}")
