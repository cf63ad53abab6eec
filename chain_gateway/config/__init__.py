"""The configuration file: its model, its secrets, and every problem at once."""

from chain_gateway.config.load import load, parse
from chain_gateway.config.model import (
    AppSettings,
    ChainSettings,
    GatewaySettings,
    OpSettings,
    Settings,
    StoreSettings,
)
from chain_gateway.config.redact import redacted
from chain_gateway.config.registry import registry
from chain_gateway.config.secret import Secret

__all__ = [
    "AppSettings",
    "ChainSettings",
    "GatewaySettings",
    "OpSettings",
    "Secret",
    "Settings",
    "StoreSettings",
    "load",
    "parse",
    "redacted",
    "registry",
]
