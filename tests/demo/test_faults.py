"""What is put before a site of the demo so that it fails: each kind does what its name says, at the hop alone."""

import asyncio

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chain_gateway.demo.faults import FAILING, Fault, Kind, read_faults
from chain_gateway.errors import ConfigError

APPS = ("shop", "bank", "app-1")
HOP = "/chain/hop"
BACK = "http://login.localhost/relay?state=a.b&receipt=c"


@pytest.fixture
async def site():
    """Opens a site with a fault before it; what reached the site itself is noted."""
    servers = []
    reached = []

    async def answer(request: web.Request) -> web.Response:
        reached.append(request.path)
        if request.path == HOP:
            return web.Response(status=303, headers={"Location": BACK, "Set-Cookie": "session=yes"})
        return web.Response(text="well")

    async def _open(kind: Kind, seconds: int = 0):
        app = web.Application(middlewares=[Fault(kind, seconds).before(HOP)])
        app.router.add_route("*", "/{path:.*}", answer)
        server = TestServer(app)
        servers.append(server)
        await server.start_server()
        return server, reached

    yield _open
    for server in servers:
        await server.close()


async def ask(server: TestServer, path: str, seconds: float = 5) -> aiohttp.ClientResponse:
    """One request, without following anything."""
    timeout = aiohttp.ClientTimeout(total=seconds)
    async with (
        aiohttp.ClientSession(timeout=timeout) as http,
        http.get(server.make_url(path), allow_redirects=False) as response,
    ):
        await response.read()
        return response


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.DOWN])
async def test_only_the_hop_fails(site, kind):
    """Pages, ping and back channel of the site are well."""
    server, _ = await site(kind, 1 if kind is Kind.SLOW else 0)
    for path in ("/", "/chain/ping", "/chain/backchannel-logout"):
        assert (await ask(server, path)).status == 200


async def test_down_is_the_whole_site(site):
    """Nothing of it answers, its ping least of all."""
    server, reached = await site(Kind.DOWN)
    for path in ("/", "/chain/ping", HOP):
        with pytest.raises(aiohttp.ClientError):
            await ask(server, path)
    assert reached == []


async def test_hang_takes_the_request_and_says_nothing(site):
    """Whoever asks gives up first."""
    server, reached = await site(Kind.HANG)
    with pytest.raises(TimeoutError):
        await ask(server, HOP, 0.3)
    assert reached == []


async def test_error_is_a_server_error_that_leads_nowhere(site):
    """No link, no redirect, nothing done."""
    server, reached = await site(Kind.ERROR)
    answer = await ask(server, HOP)
    assert (answer.status, "Location" in answer.headers, reached) == (500, False, [])


async def test_no_receipt_is_done_and_not_proven(site):
    """The site did it, and the browser comes back without its word."""
    server, reached = await site(Kind.NO_RECEIPT)
    answer = await ask(server, HOP)
    assert answer.headers["Location"] == "http://login.localhost/relay?state=a.b"
    assert answer.headers["Set-Cookie"] == "session=yes"
    assert reached == [HOP]


async def test_reset_is_done_and_never_answered(site):
    """The site did it; the browser gets nothing, the cookie neither."""
    server, reached = await site(Kind.RESET)
    with pytest.raises(aiohttp.ClientError):
        await ask(server, HOP)
    assert set(reached) == {HOP}


async def test_loop_leads_to_itself(site):
    """For ever, by redirects alone."""
    server, reached = await site(Kind.LOOP)
    answer = await ask(server, HOP + "?ticket=x")
    assert (answer.status, answer.headers["Location"], reached) == (303, HOP + "?ticket=x", [])


async def test_slow_answers_later(site):
    """As it would have, after its seconds."""
    server, reached = await site(Kind.SLOW, 1)
    began = asyncio.get_running_loop().time()
    assert (await ask(server, HOP)).headers["Location"] == BACK
    assert asyncio.get_running_loop().time() - began >= 1
    assert reached == [HOP]


def test_every_kind_fails_somehow():
    """A kind that does nothing would be a check that checks nothing."""
    assert {Kind.DOWN, *FAILING} == set(Kind)


def test_several_sites_may_fail():
    """Each in its own way; of one that is named twice the last word counts."""
    found = read_faults(["bank=down", "app-1=slow:2s", "shop=hang", "shop=no-receipt"], APPS)
    assert found == {"bank": Fault(Kind.DOWN), "app-1": Fault(Kind.SLOW, 2), "shop": Fault(Kind.NO_RECEIPT)}
    assert read_faults([], APPS) == {}


@pytest.mark.parametrize(
    ("item", "word"),
    [
        ("bank", "is not APP=KIND"),
        ("nobody=down", "no site has this id"),
        ("=down", "is not APP=KIND"),
        ("bank=", "is not APP=KIND"),
        ("bank=broken", "no site can fail like this"),
        ("bank=slow", "no site can fail like this"),
        ("bank=hang:2s", "no site can fail like this"),
        ("bank=slow:2m", "is not APP=KIND"),
        ("bank=slow:61s", "too slow to wait for"),
    ],
)
def test_what_cannot_be_meant_is_refused(item, word):
    """With the item, the reason, and what to write."""
    with pytest.raises(ConfigError) as refused:
        read_faults([item], APPS)
    (problem,) = refused.value.problems
    assert problem.path == "--fail"
    assert item in problem.reason
    assert word in problem.reason
