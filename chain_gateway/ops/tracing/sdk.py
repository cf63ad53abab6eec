"""The SDK of OpenTelemetry as this process has it: spans go in batches, over HTTP, to where the environment says.

The standard ``OTEL_*`` variables are read by the SDK itself: endpoint, headers, certificate, sampler, batches, the
service's name. It works in a thread of its own, so whatever is said here is said in the process that serves.
"""

from __future__ import annotations

import asyncio
import os
from threading import Thread

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision

from chain_gateway import __version__
from chain_gateway.ops.tracing.ports import STOP_SECONDS
from chain_gateway.ops.tracing.spans import FORCED, Spans


class WalkIds(RandomIdGenerator):
    """Random ids, but for the root of a walk's trace, which has the walk's."""

    def generate_trace_id(self) -> int:
        """See the SDK."""
        forced = FORCED.get()
        return forced.trace_id if forced is not None else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """See the SDK."""
        forced = FORCED.get()
        return forced.span_id if forced is not None else super().generate_span_id()


class Exporting:
    """``Running`` with a provider of its own."""

    def __init__(self, exporter: SpanExporter) -> None:
        """Sends to ``exporter``, which may block."""
        self._provider = TracerProvider(resource=_resource(), id_generator=WalkIds(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracing = spans_of(self._provider)

    async def stop(self) -> None:
        """Sends what is left; gives up on whoever does not take it in time."""
        loop, sent = asyncio.get_running_loop(), asyncio.Event()

        def send() -> None:
            self._provider.shutdown()
            loop.call_soon_threadsafe(sent.set)

        # Not by the loop's executor, whose threads hold up the end of the process for as long as they run.
        Thread(target=send, daemon=True, name="last spans").start()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await sent.wait()
        except TimeoutError:
            return


def spans_of(provider: TracerProvider) -> Spans:
    """Spans of a provider whose ids are ``WalkIds``; its sampler says the same of a walk in every process."""

    def sampled(trace_id: int) -> bool:
        return provider.sampler.should_sample(None, trace_id, "walk").decision is Decision.RECORD_AND_SAMPLE

    return Spans(provider, sampled, own_ids=True)


def exporting() -> Exporting:
    """Traces to where the environment says."""
    return Exporting(OTLPSpanExporter())


def _resource() -> Resource:
    own: dict[str, str | int] = {
        "service.name": "chain-gateway",
        "service.version": __version__,
        "process.pid": os.getpid(),
    }
    return Resource.create(own).merge(OTELResourceDetector().detect())
