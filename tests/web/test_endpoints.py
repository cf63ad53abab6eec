"""Bad input at each endpoint: a calm page with a stable code, the right status and headers, and nothing changed."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio
from support.browser import Browser
from support.world import World, a_world, choose
from yarl import URL

from chain_gateway.resolver import LoopbackResolver

LINE = re.compile(r"(?P<method>[A-Z]+) (?P<target>\S+)(?: \| (?P<body>\S*))? => (?P<status>\d+) (?P<code>\S+)")
CASES = [
    line
    for line in (Path(__file__).parents[1] / "attacks" / "requests.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
AHEAD = [
    ("Sec-Purpose", "prefetch"),
    ("Sec-Purpose", "prefetch;prerender"),
    ("Purpose", "Prefetch"),
    ("X-Purpose", "preview"),
    ("X-Moz", "prefetch"),
]
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with a_world("shop", "news") as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(resolver=LoopbackResolver())
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize("case", CASES)
async def test_bad_input_is_answered_calmly(case: str, accept: str, world: World, http: aiohttp.ClientSession) -> None:
    """The status and the code are those of the list, in HTML and in JSON, with the headers of every answer."""
    found = LINE.fullmatch(case)
    assert found is not None, case
    fill = {"long": "a" * 3000, "huge": "a" * 70_000, "login": world.gateway, "shop": world.apps["shop"]}
    target = found["target"].format(**fill)
    body = found["body"].format(**fill) if found["body"] is not None else None
    headers = {"Accept": accept} | ({"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {})
    url = URL(world.gateway + target, encoded=True)
    async with http.request(found["method"], url, data=body, headers=headers, allow_redirects=False) as response:
        text = await response.text()
        assert response.status == int(found["status"]), text
        for name, value in HEADERS.items():
            assert response.headers[name] == value
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        if found["code"] == "-":
            location = response.headers["Location"]
            assert location.startswith((world.gateway, world.op.issuer))
            return
        assert not [c for c in response.headers.getall("Set-Cookie", []) if "__Host-chain-browser" in c]
        if accept == "application/json":
            told = json.loads(text)
            assert told["error"] == found["code"]
            assert told["error_description"]
        else:
            assert found["code"] in text
            assert "evil" not in text
            assert "aaaaaaaaaa" not in text
            assert "Traceback" not in text


@pytest.mark.asyncio(loop_scope="module")
async def test_nothing_of_the_request_chooses_a_url(world: World, http: aiohttp.ClientSession) -> None:
    """`Host`, `X-Forwarded-*`, `Forwarded` and an absolute-form target change no URL that is answered (T37)."""
    spoofed = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-For": "203.0.113.9",
        "Forwarded": "host=evil.example;proto=gopher",
    }
    for path in ("/login?app=shop", "/.well-known/chain-gateway", "/logout", "/nope"):
        async with http.get(world.gateway + path, headers=spoofed, allow_redirects=False) as response:
            assert "evil" not in await response.text()
            assert "evil" not in str(response.headers)
    port = urlsplit(world.gateway).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET http://evil.example/login?app=shop HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    assert b"evil" not in answer.partition(b"\r\n\r\n")[0]
    writer.close()
    await writer.wait_closed()


@pytest.mark.asyncio(loop_scope="module")
async def test_two_cookies_of_one_name_are_refused(world: World, http: aiohttp.ClientSession) -> None:
    """A sibling that tosses a cookie of our name gets nobody anywhere (T11)."""
    headers = {"Cookie": "__Host-chain-browser=a; x=y; __Host-chain-browser=b"}
    async with http.get(world.gateway + "/resume", headers=headers) as response:
        assert response.status == 400
        assert "bad_input.cookie" in await response.text()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_planted_browser_cookie_is_not_adopted(world: World) -> None:
    """The browser's id is drawn by the server; a made-up cookie counts as none (T10)."""
    async with Browser() as b:
        b.cookies(world.gateway)["__Host-chain-browser"] = "planted.AAAA"
        await world.sign_in(b)
        assert b.cookies(world.gateway)["__Host-chain-browser"] != "planted.AAAA"
        assert await world.signed_in(b) == dict.fromkeys(world.apps, "demo|alice")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_prefetch_spends_nothing(world: World) -> None:
    """A prefetch gets 503, and the real visit then works as if nothing had been (T57)."""
    async with Browser() as b:
        await b.open(f"{world.apps['shop']}/chain/login")
        page = await choose(b)
        shown = page
        ticket = page.forms[0]
        for name, value in AHEAD:
            page = await b.open(f"{world.gateway}/relay?state=x", **{name: value})
            assert page.status == 503
        b.page = shown
        await b.submit(ticket)
        await b.walk_on()
        assert await world.signed_in(b) == dict.fromkeys(world.apps, "demo|alice")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_compressed_body_is_refused(world: World, http: aiohttp.ClientSession) -> None:
    """No content coding is taken (T40)."""
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded"}
    async with http.post(world.gateway + "/logout", data=b"app=shop", headers=headers) as response:
        assert response.status == 400


@pytest.mark.asyncio(loop_scope="module")
async def test_the_documents_tell_keys_and_endpoints(world: World, http: aiohttp.ClientSession) -> None:
    """Public keys only, and every URL made of the configured address."""
    async with http.get(world.gateway + "/.well-known/jwks.json") as response:
        keys = (await response.json())["keys"]
        assert keys
        assert all("d" not in key and key["kty"] == "EC" for key in keys)
    async with http.get(world.gateway + "/.well-known/chain-gateway") as response:
        document = await response.json()
        assert document["issuer"] == world.gateway
        assert document["relay_endpoint"] == world.gateway + "/relay"


@pytest.mark.asyncio(loop_scope="module")
async def test_redirects_are_302_from_get_and_303_from_post(world: World, http: aiohttp.ClientSession) -> None:
    """No method is ever repeated."""
    async with http.get(world.gateway + "/login?app=shop", allow_redirects=False) as response:
        assert response.status == 302
    form = {"app": "shop"}
    async with http.post(world.gateway + "/logout", data=form, allow_redirects=False) as response:
        assert response.status == 303
        assert response.headers["Location"] == world.gateway + "/logout?app=shop"


@pytest.mark.asyncio(loop_scope="module")
async def test_cookies_are_host_prefixed_and_bounded(world: World, http: aiohttp.ClientSession) -> None:
    """`__Host-`, Secure, HttpOnly, Lax, Path=/, no Domain, and small (I9)."""
    async with http.get(world.gateway + "/login?app=shop", allow_redirects=False) as response:
        lines = sorted(response.headers.getall("Set-Cookie"))
    for line, name, life in zip(lines, ("browser=", "tx-"), (400 * 24 * 3600, 600), strict=True):
        assert line.startswith(f"__Host-chain-{name}")
        for attribute in ("Path=/", "Secure", "HttpOnly", "SameSite=Lax", f"Max-Age={life}"):
            assert f"; {attribute}" in line
        assert "Domain" not in line
        assert len(line) < 600
