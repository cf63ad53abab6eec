"""A span for each call to the provider or to an app, from its beginning to the head of the answer.

It has the method, host and port, the status, and what was asked for in a word; never a path or a query. Nothing is
sent along: an app or a provider is told of no trace.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Final

import aiohttp
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode
from yarl import URL

from chain_gateway.ops.tracing.marks import Spanning, mark

REFUSED: Final = 400
WORDS: Final = {"an app's keys": "keys"}


def calls(spans: Spanning, apps: Mapping[str, str]) -> aiohttp.TraceConfig:
    """The hooks of a client session; ``apps`` has the id of the app behind a URL, and the rest is the provider's."""
    known = {URL(url): app for url, app in apps.items()}

    async def begun(_: object, call: SimpleNamespace, told: aiohttp.TraceRequestStartParams) -> None:
        app = known.get(told.url)
        what = WORDS.get(call.trace_request_ctx, call.trace_request_ctx)
        facts: dict[str, str | int] = {"http.request.method": told.method, "server.address": told.url.host or "-"}
        if told.url.port is not None:
            facts["server.port"] = told.url.port
        if app is not None:
            facts["chain.app"] = app
        parent = spans.parent(waking=True) or Context()
        name = f"{'provider' if app is None else 'app'} {what}"
        call.span = spans.tracer.start_span(name, parent, SpanKind.CLIENT, facts)

    async def answered(_: object, call: SimpleNamespace, told: aiohttp.TraceRequestEndParams) -> None:
        call.span.set_attribute("http.response.status_code", told.response.status)
        if told.response.status >= REFUSED:
            call.span.set_status(StatusCode.ERROR)
        call.span.end()

    async def failed(_: object, call: SimpleNamespace, told: aiohttp.TraceRequestExceptionParams) -> None:
        mark(call.span, told.exception)
        call.span.end()

    config = aiohttp.TraceConfig()
    config.on_request_start.append(begun)
    config.on_request_end.append(answered)
    config.on_request_exception.append(failed)
    return config
