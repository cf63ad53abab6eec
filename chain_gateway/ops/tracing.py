"""Traces by OpenTelemetry, where its packages are installed and the environment asks for them.

Nothing of it is imported otherwise, and then the gateway does no more than ask whether there are traces.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Final, Protocol

import aiohttp
import structlog
from aiohttp.typedefs import Middleware

from chain_gateway.service.ports import Traces
from chain_gateway.store.base import Store
from chain_gateway.store.timed import Observe

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
HTTP: Final = "http/protobuf"
log = structlog.stdlib.get_logger("chain_gateway")


class Tracing(Traces, Protocol):
    """What makes spans, and where it is put around what there is."""

    def middleware(self) -> Middleware:
        """A span for each request."""

    def calls(self, apps: Mapping[str, str]) -> aiohttp.TraceConfig:
        """A span for each call of a client session; ``apps`` has the id of the app behind a URL."""

    def store(self, store: Store, observe: Observe) -> Store:
        """``store``, timed by ``observe``, with a span for each call that is part of something."""


class Running(Protocol):
    """Traces of one process."""

    @property
    def tracing(self) -> Tracing:
        """What makes the spans."""

    async def stop(self) -> None:
        """Sends what is left, in bounded time."""


def start(environ: Mapping[str, str] = os.environ) -> Running | None:
    """The traces that ``environ`` asks for, or None; to be called in the process that is traced, not before a fork.

    Without a word in the environment, those go to a tracer provider that somebody has set up in this process before.
    """
    wanted = _exporter(environ)
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or wanted == "none":
        return None
    if not wanted:
        return _joined()
    protocol = next((environ[name] for name in PROTOCOLS if environ.get(name)), HTTP)
    if wanted != "otlp" or protocol != HTTP:
        log.warning("tracing.not_available", exporter=wanted, protocol=protocol)
        return None
    try:
        from chain_gateway.ops import tracing_sdk  # noqa: PLC0415 - an extra, and costly to import
    except ImportError as error:
        log.warning("tracing.not_available", missing=error.name)
        return None
    try:
        return tracing_sdk.exporting()
    except ValueError as error:  # the SDK's word for a variable that it cannot take
        log.warning("tracing.not_available", reason=str(error))
        return None


def _exporter(environ: Mapping[str, str]) -> str:
    """Which exporter is asked for; empty without a word about it."""
    named = environ.get("OTEL_TRACES_EXPORTER", "").strip()
    return named or ("otlp" if any(environ.get(name) for name in ENDPOINTS) else "")


def _joined() -> Running | None:
    """Traces for the provider that is set up already; None where there is none, as then nobody would get them."""
    if "opentelemetry.sdk.trace" not in sys.modules:
        return None
    from chain_gateway.ops import tracing_joined  # noqa: PLC0415 - the same

    return tracing_joined.joined()
