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
from chain_gateway.config.rows import Row, field_table
from chain_gateway.config.secret import Secret

__all__ = [
    "AppSettings",
    "ChainSettings",
    "GatewaySettings",
    "OpSettings",
    "Row",
    "Secret",
    "Settings",
    "StoreSettings",
    "field_table",
    "load",
    "parse",
    "redacted",
    "registry",
]
