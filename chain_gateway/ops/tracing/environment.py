"""Which traces the environment asks for.

Nothing of OpenTelemetry is imported before, and without it the gateway does no more than ask whether there are traces.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Final

import structlog

from chain_gateway.ops.tracing.ports import Running

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
HTTP: Final = "http/protobuf"
log = structlog.stdlib.get_logger("chain_gateway")


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
        from chain_gateway.ops.tracing import sdk  # noqa: PLC0415 - an extra, and costly to import
    except ImportError as error:
        log.warning("tracing.not_available", missing=error.name)
        return None
    try:
        return sdk.exporting()
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
    from chain_gateway.ops.tracing import joined  # noqa: PLC0415 - the same

    return joined.joined()
