"""Spans as they were sent: kept in this process by the real SDK, or taken by a receiver of OTLP over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Sampler

from chain_gateway.ops.tracing.sdk import WalkIds, spans_of


class Kept:
    """Traces that stay here. ``tracing`` makes them."""

    def __init__(self, sampler: Sampler | None = None) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(sampler=sampler, id_generator=WalkIds(), shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracing = spans_of(self.provider)

    def all(self, beginning: str = "") -> list[ReadableSpan]:
        """The spans that have ended, as far as their names begin so."""
        return [span for span in self._exporter.get_finished_spans() if span.name.startswith(beginning)]

    def one(self, name: str) -> ReadableSpan:
        """The last span of that name."""
        return [span for span in self.all() if span.name == name][-1]

    def forget(self) -> None:
        """Those until now."""
        self._exporter.clear()

    def said(self) -> list[str]:
        """Each span with all that it says."""
        return [span.to_json() for span in self.all()]


class Receiver:
    """Who takes spans: ``spans`` in the order in which they came, each with the resource that it is of."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.paths: set[str] = set()
        self.spans: list[tuple[dict[str, str], Span]] = []
        self.news = Condition()

    def take(self, path: str, body: bytes) -> None:
        """One request."""
        with self.news:
            self.paths.add(path)
            for batch in ExportTraceServiceRequest.FromString(body).resource_spans:
                resource = {each.key: _text(each.value) for each in batch.resource.attributes}
                self.spans += [(resource, span) for scope in batch.scope_spans for span in scope.spans]
            self.news.notify_all()

    def named(self, beginning: str) -> list[Span]:
        """The spans whose names begin so."""
        return [span for _, span in self.spans if span.name.startswith(beginning)]


@contextmanager
def a_receiver() -> Iterator[Receiver]:
    """A receiver on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(server.server_port)
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


def _text(value: object) -> str:
    return getattr(value, "string_value", "") or str(getattr(value, "int_value", ""))


def told(span: Span) -> dict[str, str]:
    """The attributes of a span that was received."""
    return {each.key: _text(each.value) for each in span.attributes}
