"""The spans: one a request, one a call that goes out, one a round that found something to do; and one trace a walk.

A walk's hops are requests of their own, through the browser, at any of several processes, and a request learns which
walk it belongs to only on its way. So each request is a trace of its own, and is linked to the walk's trace, whose id
is the walk's own id: whoever settles a hop, or ends the walk, adds a span to it that all agree on without a word.

Names and attributes are words of the protocol and ids of registered apps, as in the log. No text of a request, of an
answer or of an exception is in any: of what was raised a span has the class.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from opentelemetry import trace
from opentelemetry.context import Context, get_current
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode, TraceFlags, TracerProvider

from chain_gateway import __version__
from chain_gateway.core.limits import WALK_SECONDS
from chain_gateway.core.walk import Outcome, Walk
from chain_gateway.ops.tracing.calls import calls
from chain_gateway.ops.tracing.marks import current, mark
from chain_gateway.ops.tracing.store import TracedStore
from chain_gateway.service.audit import REMEMBERED
from chain_gateway.store.base import Store
from chain_gateway.store.timed import Observe
from chain_gateway.tokens.encoding import b64e

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
SERVER_ERROR: Final = 500
SPAN_BYTES: Final = 8
FORCED: Final[ContextVar[SpanContext | None]] = ContextVar("chain_gateway_forced", default=None)
"""The ids that the next span is to have: those of a walk (``sdk.WalkIds``)."""
_ROUND: Final[ContextVar[_Round | None]] = ContextVar("chain_gateway_round", default=None)


class Spans:
    """``Tracing`` over a tracer provider."""

    def __init__(
        self, provider: TracerProvider, sampled: Callable[[int], bool] = lambda _: True, *, own_ids: bool = False
    ) -> None:
        """``sampled`` says whether a trace of that id is kept; ``own_ids``: the provider heeds ``FORCED``."""
        self.tracer = provider.get_tracer("chain_gateway", __version__)
        self._sampled = sampled
        self._own_ids = own_ids
        self._rooted: OrderedDict[bytes, None] = OrderedDict()

    def middleware(self) -> Middleware:
        """See ``Tracing``. What a request says of a trace is not believed: whoever asks is a stranger."""

        @web.middleware
        async def traced(request: web.Request, handler: Handler) -> web.StreamResponse:
            resource = request.match_info.route.resource
            route = resource.canonical if resource is not None else "-"
            method = request.method if request.method in METHODS else "_OTHER"
            named = {"http.request.method": method, "http.route": route}
            span = self.tracer.start_span(f"{method} {route}", Context(), SpanKind.SERVER, named)
            with current(span):
                response = await handler(request)
                span.set_attribute("http.response.status_code", response.status)
                if response.status >= SERVER_ERROR:
                    span.set_status(StatusCode.ERROR)
                return response

        return traced

    def calls(self, apps: Mapping[str, str]) -> aiohttp.TraceConfig:
        """See ``Tracing``."""
        return calls(self, apps)

    def store(self, store: Store, observe: Observe) -> Store:
        """See ``Tracing``."""
        return TracedStore(store, observe, self)

    def hop_settled(self, walk: Walk, index: int, app: str, outcome: Outcome, seconds: float, now: float) -> None:
        """See the port: a span of the walk's trace, and what it says at the request's own span too."""
        facts = {
            **_facts(walk),
            "chain.app": app,
            "chain.mode": walk.hops[index].mode.word,
            "chain.outcome": outcome.word,
        }
        request = trace.get_current_span()
        request.set_attributes(facts)
        links = [Link(request.get_span_context())] if request.get_span_context().is_valid else []
        parent = trace.set_span_in_context(trace.NonRecordingSpan(self._context(walk)), Context())
        began = _ns(now - seconds)
        span = self.tracer.start_span(f"hop {app}", parent, attributes=facts, links=links, start_time=began)
        span.set_attribute("chain.hop", index)
        if outcome.failed:
            span.set_status(StatusCode.ERROR)
        span.end(_ns(now))

    def stepped(self, walk: Walk, now: float) -> None:
        """See the port: the request is linked to the walk, and a walk that has ended gets the root of its trace.

        A walk that was overtaken ends each time that its browser is told so, and has its root from the first time.
        """
        facts = {**_facts(walk), "chain.place": walk.place.name.lower()}
        context = self._context(walk)
        request = trace.get_current_span()
        request.set_attributes(facts)
        request.add_link(context)
        if not walk.place.ended or self._has_root(walk):
            return
        forced = FORCED.set(context if self._own_ids else None)
        try:
            parent = Context() if self._own_ids else trace.set_span_in_context(trace.NonRecordingSpan(context))
            began = _ns(min(walk.expires_at - WALK_SECONDS, now))
            root = self.tracer.start_span(f"walk {walk.kind.word}", parent, attributes=facts, start_time=began)
        finally:
            FORCED.reset(forced)
        root.end(_ns(now))

    def round(self, name: str, run: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
        """See the port."""

        async def traced() -> object:
            this = _Round(self, name, time.time_ns())
            token = _ROUND.set(this)
            try:
                return await run()
            except BaseException as error:
                this.failed(error)
                raise
            finally:
                _ROUND.reset(token)
                this.end()

        return traced

    def parent(self, *, waking: bool = False) -> Context | None:
        """What a new span is a part of: the request, or the round; None where it is part of nothing.

        A round that has found nothing to do yet has no span; ``waking`` gives it one.
        """
        if trace.get_current_span().get_span_context().is_valid:
            return get_current()
        this = _ROUND.get()
        if this is None:
            return None
        if waking:
            this.wake()
        return trace.set_span_in_context(this.span) if this.span is not None else None

    def _has_root(self, walk: Walk) -> bool:
        """Whether the root of this trace was sent from here; from now on it was."""
        if walk.id in self._rooted:
            return True
        self._rooted[walk.id] = None
        if len(self._rooted) > REMEMBERED:
            self._rooted.popitem(last=False)
        return False

    def _context(self, walk: Walk) -> SpanContext:
        """The ids of the walk's trace and of its root, the same in every process."""
        trace_id = int.from_bytes(walk.id)
        flags = TraceFlags.SAMPLED if self._sampled(trace_id) else TraceFlags.DEFAULT
        return SpanContext(
            trace_id, int.from_bytes(walk.id[:SPAN_BYTES]), is_remote=True, trace_flags=TraceFlags(flags)
        )


@dataclass(slots=True)
class _Round:
    """One round, which has a span from when it finds something to do: an idle gateway sends nothing."""

    spans: Spans
    name: str
    began: int
    span: Span | None = None

    def wake(self) -> None:
        if self.span is None:
            self.span = self.spans.tracer.start_span(f"round {self.name}", Context(), start_time=self.began)

    def failed(self, error: BaseException) -> None:
        if self.span is not None:
            mark(self.span, error)

    def end(self) -> None:
        if self.span is not None:
            self.span.end()


def _facts(walk: Walk) -> dict[str, str]:
    return {"chain.walk": b64e(walk.id), "chain.kind": walk.kind.word}


def _ns(seconds: float) -> int:
    return int(seconds * 1_000_000_000)
