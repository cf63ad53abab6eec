"""What each proxy of ``deploy/`` passes on, refuses, repeats and tells the gateway, byte by byte."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from deploy_proxies import Proxy, running
from deploy_site import PATIENCE, Authority
from deploy_wire import Upstream, a_request, an_answer, answering, asked

from bench.ports import free_port

pytestmark = pytest.mark.deploy

LINE = 7 * 1024 + 512
FIELD = 5 * 1024
PROXIES = ("nginx", "haproxy", "caddy")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def ready() -> Iterator[int]:
    """The port of an operations listener that says that all is well."""
    with answering(200) as (port, _):
        yield port


@pytest.fixture(params=PROXIES)
def proxy(request: pytest.FixtureRequest, tmp_path: Path, authority: Authority, ready: int) -> Iterator[Proxy]:
    """Each proxy, before two sockets that nobody listens at yet."""
    sockets = tmp_path / "a.sock", tmp_path / "b.sock"
    with running(Proxy(request.param, tmp_path / "proxy", authority, free_port(), sockets, (ready, ready))) as it:
        yield it


@pytest.fixture
def upstreams(proxy: Proxy) -> Iterator[list[Upstream]]:
    """Those that a test puts there; they end with it."""
    kept: list[Upstream] = []
    yield kept
    for each in kept:
        each.close()


def test_long_requests_and_long_answers_pass(proxy: Proxy, upstreams: list[Upstream]) -> None:
    """A request line of 7.5 KiB, 16 KiB of headers, and an answer with a Location of 7.5 KiB and 12 KiB of cookies."""
    cookies = {f"Set_Cookie__{number}": f"c{number}=" + "c" * 4000 for number in range(3)}
    upstreams += [Upstream(path, an_answer(Location="/" + "l" * LINE, **cookies)) for path in proxy.sockets]
    fields = {f"X-Long-{number}": f"{number}" * FIELD for number in range(3)} | {"Cookie": "k=" + "v" * 1000}
    status, answer = asked(proxy, a_request(target="/relay?state=" + "s" * LINE, **fields))
    (head,) = upstreams[0].heads + upstreams[1].heads
    assert status == 302
    assert f"/relay?state={'s' * LINE} HTTP/1.1" in head
    assert all(value in head for value in fields.values())
    assert answer.count(b"c" * 4000) == 3
    assert b"l" * LINE in answer


@pytest.mark.parametrize("what", ["line", "field", "fields"])
def test_longer_requests_are_refused_by_the_proxy(proxy: Proxy, upstreams: list[Upstream], what: str) -> None:
    """As the client's fault, in an answer; the gateway does not see them, and whoever comes next is served."""
    upstreams += [Upstream(path, an_answer()) for path in proxy.sockets]
    long = {
        "line": a_request(target="/relay?state=" + "s" * 40_000),
        "field": a_request(X_Long="x" * 40_000),
        "fields": a_request(**{f"X-Long-{number}": "x" * 8000 for number in range(9)}),
    }
    status, _ = asked(proxy, long[what])
    assert status in {400, 413, 414, 431}
    assert upstreams[0].heads + upstreams[1].heads == []
    assert asked(proxy, a_request())[0] == 302


def test_nobody_is_believed_who_they_are(proxy: Proxy, upstreams: list[Upstream]) -> None:
    """``X-Forwarded-For`` is the address that the proxy saw, alone."""
    upstreams += [Upstream(path, an_answer()) for path in proxy.sockets]
    asked(proxy, a_request(X_Forwarded_For="203.0.113.9"))
    (head,) = upstreams[0].heads + upstreams[1].heads
    told = [line for line in head.splitlines() if line.lower().startswith("x-forwarded-for:")]
    assert [line.partition(": ")[2] for line in told] == ["127.0.0.1"]


def test_without_tls_there_is_only_the_way_to_it(proxy: Proxy) -> None:
    """A redirect to the same place, and nothing of a gateway."""
    http = HTTPConnection("127.0.0.1", proxy.plain, timeout=PATIENCE)
    http.request("GET", "/login?app=shop", headers={"Host": "login.localhost"})
    answer = http.getresponse()
    http.close()
    assert answer.status in {301, 308}
    assert re.fullmatch(r"https://login\.localhost(:\d+)?/login\?app=shop", answer.getheader("Location"))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_reaches_nobody_goes_to_the_other(proxy: Proxy, upstreams: list[Upstream], method: str) -> None:
    """One of the two sockets is dead: each of many requests is answered, and arrived once."""
    upstreams += [Upstream(path, an_answer()) for path in proxy.sockets]
    upstreams.pop(0).close()
    assert [asked(proxy, a_request(method))[0] for _ in range(6)] == [302] * 6
    assert len(upstreams[0].heads) == 6


@pytest.mark.parametrize(
    ("method", "times"),
    [("GET", {"nginx": 2, "haproxy": 3, "caddy": 1}), ("POST", {"nginx": 1, "haproxy": 1, "caddy": 1})],
    ids=["GET", "POST"],
)
def test_what_was_sent_is_not_sent_again(
    proxy: Proxy, upstreams: list[Upstream], method: str, times: dict[str, int]
) -> None:
    """Both hang up on what they have read: the browser is told; no POST arrives twice, and a GET a few times."""
    upstreams += [Upstream(path, b"") for path in proxy.sockets]
    status, _ = asked(proxy, a_request(method, "/relay"))
    assert 500 <= status < 600
    arrived = [head.split(" ", 2)[:2] for each in upstreams for head in each.heads]
    assert arrived == [[method, "/relay"]] * times[proxy.name]


def test_gateways_that_are_not_ready_are_better_than_none(tmp_path: Path, authority: Authority) -> None:
    """Their operations listeners say that they are not; soon HAProxy knows, and browsers are served all the same."""
    sockets = tmp_path / "a.sock", tmp_path / "b.sock"
    upstreams = [Upstream(path, an_answer()) for path in sockets]
    with answering(503) as (port, _):
        described = Proxy("haproxy", tmp_path / "proxy", authority, free_port(), sockets, (port, port))
        with running(described) as proxy:
            await_in_the_logs(proxy, "gateways/a is DOWN", "gateways/b is DOWN")
            assert asked(proxy, a_request())[0] == 302
    for each in upstreams:
        each.close()


def test_no_log_has_what_urls_carry(proxy: Proxy, upstreams: list[Upstream]) -> None:
    """Neither of what went well nor of what nobody answered: tickets and codes are in queries, Referer and Location."""
    upstreams += [Upstream(path, an_answer(Location="/relay?state=secret1")) for path in proxy.sockets]
    secrets = {"Referer": "https://shop.localhost/?code=secret2", "Cookie": "c=secret3"}
    assert asked(proxy, a_request(target="/well?ticket=secret4", **secrets))[0] == 302
    for each in upstreams:
        each.close()
    upstreams.clear()
    proxy.sockets[0].unlink()
    assert asked(proxy, a_request(target="/badly?ticket=secret5", **secrets))[0] in {502, 503, 504}
    await_in_the_logs(proxy, "/well", "/badly")
    assert "secret" not in proxy.logs()


def await_in_the_logs(proxy: Proxy, *words: str) -> None:
    """Returns when all of ``words`` are there; a proxy may write them after it has answered."""
    until = time.monotonic() + PATIENCE
    while not all(word in proxy.logs() for word in words):
        assert time.monotonic() < until, proxy.logs()
