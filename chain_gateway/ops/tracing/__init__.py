"""Traces by OpenTelemetry, where its packages are installed and the environment asks for them.

This is the door, and it names nothing of OpenTelemetry: ``start`` imports the other rooms where somebody asks.
"""

from chain_gateway.ops.tracing.environment import start
from chain_gateway.ops.tracing.ports import STOP_SECONDS, Running, Tracing

__all__ = ["STOP_SECONDS", "Running", "Tracing", "start"]
