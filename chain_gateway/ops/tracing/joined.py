"""Traces for a tracer provider that somebody else has set up in this process."""

from __future__ import annotations

from opentelemetry import trace

from chain_gateway.ops.tracing.spans import Spans


class Joined:
    """``Running`` for a provider that is not ours to end."""

    def __init__(self, tracing: Spans) -> None:
        """Made by ``joined``."""
        self.tracing = tracing

    async def stop(self) -> None:
        """Whoever has set up the provider sends what is left."""


def joined() -> Joined | None:
    """Traces for the provider that is set up; None if there is none."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider):
        return None
    return Joined(Spans(provider))
