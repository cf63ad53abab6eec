"""Spans of what really happens: each request and call by itself, and all hops of a walk in one trace."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import SpanContext, StatusCode
from support.browser import Browser
from support.spans import Kept
from support.world import World, a_world, overtaken

from chain_gateway.errors import StoreUnavailable
from chain_gateway.ops import tracing
from chain_gateway.ops.tracing.spans import Spans
from chain_gateway.resolver import LoopbackResolver
from chain_gateway.store.memory import MemoryStore
from chain_gateway.tokens.encoding import b64d

STRANGER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NAME = re.compile(r"(GET|POST|_OTHER) (-|/[a-z/{}.-]+)|(hop|walk|store|round|app|provider) [a-z_]+")
NAMES = {
    "chain.walk", "chain.kind", "chain.app", "chain.mode", "chain.outcome", "chain.place", "chain.hop",
    "http.request.method", "http.route", "http.response.status_code", "server.address", "server.port",
    "db.operation.name", "error.type",
}  # fmt: skip


@asynccontextmanager
async def a_traced_world(**changes: object) -> AsyncIterator[tuple[World, Browser, Kept]]:
    """A world whose gateway makes spans, and a browser."""
    kept = Kept()
    async with a_world(tracing=kept.tracing, **changes) as world, world.browser() as b:
        yield world, b, kept


def a_client() -> aiohttp.ClientSession:
    """A program that finds the hosts of a world."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=LoopbackResolver()))


def ids(context: SpanContext) -> tuple[int, int]:
    return context.trace_id, context.span_id


async def test_all_hops_of_a_walk_are_in_one_trace_that_has_the_walks_id() -> None:
    """The walk is the root, its hops are below it, and each request that moved it is linked to it."""
    async with a_traced_world() as (world, b, kept):
        await world.sign_in(b)
    root = kept.one("walk login")
    walk = root.attributes["chain.walk"]
    assert root.context.trace_id == int.from_bytes(b64d(walk))
    assert root.parent is None
    assert (root.attributes["chain.kind"], root.attributes["chain.place"]) == ("login", "done")
    hops = kept.all("hop ")
    assert [hop.attributes["chain.app"] for hop in hops] == ["shop", "news", "bank"]
    assert {ids(hop.parent) for hop in hops} == {ids(root.context)}
    assert {hop.attributes["chain.walk"] for hop in hops} == {walk}
    assert {(hop.attributes["chain.mode"], hop.attributes["chain.outcome"]) for hop in hops} == {
        ("form_post", "applied")
    }
    moved = [span for span in kept.all("GET ") if span.attributes.get("chain.walk") == walk]
    assert [span.name for span in moved] == ["GET /callback", *["GET /relay"] * 3]
    assert {ids(link.context) for span in moved for link in span.links} == {ids(root.context)}
    assert [ids(hop.links[0].context) for hop in hops] == [ids(span.context) for span in moved[1:]]
    assert [span.attributes["chain.app"] for span in moved[1:]] == ["shop", "news", "bank"]
    assert len({span.context.trace_id for span in moved}) == 4


async def test_a_request_holds_its_calls_to_the_provider_and_to_the_store() -> None:
    """As its children, with host and status and a word for what was asked."""
    async with a_traced_world() as (world, b, kept):
        await world.sign_in(b)
        callback = kept.one("GET /callback")
        below = [span for span in kept.all() if span.parent and ids(span.parent) == ids(callback.context)]
        assert {"provider token", "provider jwks", "store login_epoch", "store open_walk"} <= {s.name for s in below}
        token = kept.one("provider token")
        assert token.attributes["server.address"] == "id.localhost"
        assert token.attributes["http.response.status_code"] == 200
        assert (callback.attributes["http.route"], callback.attributes["http.response.status_code"]) == (
            "/callback",
            200,
        )


async def test_a_hop_that_failed_is_an_error_and_so_is_what_was_asked_in_vain() -> None:
    """With the class of the error, and no words of it."""
    async with a_traced_world(every={"login": "two_step", "retries": 0}) as (world, b, kept):
        world.fronts["news"].down()
        await world.sign_in(b)
        (hop,) = kept.all("hop news")
        assert (hop.status.status_code, hop.attributes["chain.outcome"]) == (StatusCode.ERROR, "unreachable")
        ping = next(span for span in kept.all("app ping") if span.attributes["chain.app"] == "news")
        assert (ping.status.status_code, ping.status.description, ping.events) == (StatusCode.ERROR, None, ())


async def test_a_round_is_told_of_when_it_found_something_to_do() -> None:
    """The delivery is below its round; an idle gateway sends nothing."""
    async with a_traced_world(op={"logout": "none"}) as (world, b, kept):
        await world.sign_in(b)
        world.fronts["bank"].down()
        await world.sign_out(b)
        world.fronts["bank"].well()
        kept.forget()
        world.clock.now += 100
        assert await world.deliver() == 1
        (told,) = kept.all("round deliver")
        (post,) = kept.all("app back_channel")
        assert ids(post.parent) == ids(told.context)
        assert (post.attributes["chain.app"], post.attributes["http.response.status_code"]) == ("bank", 200)
        assert [ids(span.parent) for span in kept.all("store note")] == [ids(told.context)]
        kept.forget()
        assert (await world.deliver(), await world.sweep()) == (0, 0)
        assert kept.all() == []


async def test_a_walk_that_is_swept_has_a_root_as_well() -> None:
    """Its browser never came back."""
    async with a_traced_world() as (world, b, kept):
        b.halt_at = world.apps["shop"]
        await b.open(f"{world.gateway}/login?app=shop")
        await b.submit(b.page.forms[0], b.page.forms[0].buttons[0])
        world.clock.now += 10_000
        assert await world.sweep() == 1
        assert kept.one("walk login").attributes["chain.place"] == "expired"
        (told,) = kept.all("round sweep")
        assert ids(kept.one("store advance").parent) == ids(told.context)


async def test_a_walk_that_was_overtaken_has_one_root_however_often_its_browser_comes_back() -> None:
    """The way back from its hop is asked for again and again; each request is linked to it all the same."""
    async with a_traced_world() as (world, b, kept):
        back = await overtaken(world, b)
        for _ in range(3):
            await b.open(back)
    roots = {root.attributes["chain.place"]: root for root in kept.all("walk ")}
    assert sorted(root.attributes["chain.place"] for root in kept.all("walk ")) == ["done", "superseded"]
    came = [link.context for span in kept.all("GET /relay") for link in span.links]
    assert [ids(context) for context in came].count(ids(roots["superseded"].context)) == 4


async def test_what_a_stranger_says_of_a_trace_is_not_believed_and_nobody_is_told_of_ours() -> None:
    """Neither trace nor parent of the request is taken, and no call that goes out has any."""
    heard: list[str] = []

    async def listen(request: web.Request) -> web.Response:
        heard.extend(name.lower() for name in request.headers)
        return web.Response()

    kept = Kept()
    app = web.Application()
    app.router.add_get("/ping", listen)
    async with a_world(tracing=kept.tracing) as world, TestServer(app) as server, a_client() as client:
        headers = {"traceparent": STRANGER, "tracestate": "x=y", "baggage": "a=b"}
        await (await client.get(f"{world.gateway}/login?app=shop", headers=headers, allow_redirects=False)).read()
        login = kept.one("GET /login")
        assert login.parent is None
        assert f"{login.context.trace_id:032x}" not in STRANGER
        async with aiohttp.ClientSession(trace_configs=[kept.tracing.calls({})]) as own:
            await (await own.get(server.make_url("/ping"), trace_request_ctx="ping")).read()
    assert "host" in heard
    assert not {"traceparent", "tracestate", "baggage"} & set(heard)


async def test_names_are_from_a_fixed_list_whatever_is_asked() -> None:
    """A path and a method that nobody knows are in no span (no more than a query is)."""
    async with a_traced_world() as (world, b, kept):
        await world.sign_in(b)
        await world.sign_out(b)
        async with a_client() as client:
            await (await client.request("PROPFIND", f"{world.gateway}/canary?canary=canary")).read()
            await (await client.get(f"{world.gateway}/walks/canary?canary")).read()
        assert kept.one("GET /walks/{id}").attributes["http.route"] == "/walks/{id}"
        assert kept.one("_OTHER -").attributes["http.response.status_code"] == 404
        assert [span.name for span in kept.all() if not NAME.fullmatch(span.name)] == []
        assert {name for span in kept.all() for name in span.attributes} <= NAMES
        assert not [line for line in kept.said() if "canary" in line.lower()]


class Broken(MemoryStore):
    """A store whose failures repeat what they were asked."""

    def _check(self) -> None:
        raise StoreUnavailable("canary")


async def test_of_an_exception_a_span_has_the_class_alone() -> None:
    """Its words may repeat a request."""
    kept = Kept()
    broken = kept.tracing.store(Broken(), lambda _, __: None)

    async def run() -> None:
        kept.tracing.parent(waking=True)
        await broken.ping()

    with pytest.raises(StoreUnavailable):
        await kept.tracing.round("health", run)()
    assert [span.attributes["error.type"] for span in kept.all()] == ["StoreUnavailable"] * 2
    assert not [line for line in kept.said() if "canary" in line]


async def test_a_call_that_is_given_up_ends_its_span() -> None:
    """Whoever waits no longer has had no answer."""
    kept, over = Kept(), asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        await over.wait()
        return web.Response()

    app = web.Application()
    app.router.add_get("/", hang)
    async with TestServer(app) as server, aiohttp.ClientSession(trace_configs=[kept.tracing.calls({})]) as own:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await own.get(server.make_url("/"), trace_request_ctx="token")
        over.set()
    assert kept.one("provider token").status.status_code is StatusCode.ERROR


async def test_a_line_of_the_log_names_the_request_it_was_written_in() -> None:
    """By trace and span, which nobody has without traces."""
    for kept in (Kept(), None):
        async with a_world(tracing=kept.tracing if kept else None) as world, world.browser() as b:
            with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
                await b.open(f"{world.gateway}/no/such/path")
        (line,) = [line for line in lines if line["event"] == "request.refused"]
        if kept is None:
            assert not {"trace_id", "span_id"} & line.keys()
        else:
            context = kept.one("GET -").context
            assert (line["trace_id"], line["span_id"]) == (f"{context.trace_id:032x}", f"{context.span_id:016x}")


async def test_a_trace_that_is_not_kept_is_kept_by_nobody() -> None:
    """Whether a walk's trace is kept goes by its id, so that all processes say the same of it."""
    kept = Kept(ParentBased(ALWAYS_OFF))
    async with a_world(tracing=kept.tracing) as world, world.browser() as b:
        await world.sign_in(b)
    assert kept.all() == []


async def test_a_provider_that_makes_its_own_ids_has_the_walk_in_its_trace_all_the_same() -> None:
    """There the root is below the place that the hops are below."""
    kept = Kept()
    async with a_world(tracing=Spans(kept.provider)) as world, world.browser() as b:
        await world.sign_in(b)
    root, hops = kept.one("walk login"), kept.all("hop ")
    assert root.context.trace_id == int.from_bytes(b64d(root.attributes["chain.walk"]))
    assert {ids(hop.parent) for hop in hops} == {ids(root.parent)}


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
        {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
        {"OTEL_TRACES_EXPORTER": "console"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
    ],
)
def test_nobody_who_does_not_ask_has_traces(environ: dict[str, str]) -> None:
    """And what cannot be had is said, not half done."""
    with structlog.testing.capture_logs() as lines:
        assert tracing.start(environ) is None
    asked = environ.get("OTEL_TRACES_EXPORTER") == "console" or "OTEL_EXPORTER_OTLP_PROTOCOL" in environ
    assert [line["event"] for line in lines] == ["tracing.not_available"] * asked


def test_a_value_that_cannot_be_taken_is_told_and_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as batches that are larger than the queue: the gateway serves without traces."""
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "9999")
    with structlog.testing.capture_logs() as lines:
        assert tracing.start({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}) is None
    assert [line["event"] for line in lines] == ["tracing.not_available"]


def python(program: str) -> str:
    """What a new process prints."""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def test_nothing_of_it_is_imported_where_nobody_asks() -> None:
    """Neither the API nor the SDK."""
    assert python(
        "import sys; from chain_gateway.cli import serve; from chain_gateway.ops import tracing\n"
        "print(tracing.start({}), [name for name in sys.modules if name.startswith('opentelemetry')])"
    ) == "None []"  # fmt: skip


def test_without_the_packages_the_log_says_what_is_missing() -> None:
    """And the gateway serves without traces."""
    said = python(
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from chain_gateway.ops import tracing\n"
        "print(tracing.start({'OTEL_EXPORTER_OTLP_ENDPOINT': 'http://127.0.0.1:1'}))"
    )
    assert "tracing.not_available" in said
    assert said.endswith("None")


def test_a_provider_that_is_set_up_already_is_used() -> None:
    """By whoever starts the gateway with an SDK of their own; the API by itself makes nothing of it."""
    program = (
        "from opentelemetry import trace; from opentelemetry.sdk.trace import TracerProvider\n"
        "from chain_gateway.ops import tracing\n"
        "print(tracing.start({})); trace.set_tracer_provider(TracerProvider())\n"
        "print(type(tracing.start({}).tracing).__name__)"
    )
    assert python(program).split() == ["None", "Spans"]
