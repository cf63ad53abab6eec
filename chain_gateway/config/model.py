"""A whole configuration: its sections, each in a module of its own.

Only what the gateway does is accepted. What one key says about another is in ``config.rules`` and ``config.unique``.
"""

from __future__ import annotations

from typing import Final

from chain_gateway.config.apps import AppSettings, ChainSettings
from chain_gateway.config.gateway import GatewaySettings, StoreSettings
from chain_gateway.config.provider import OpSettings
from chain_gateway.config.section import Section

__all__ = [
    "SECTIONS",
    "AppSettings",
    "ChainSettings",
    "GatewaySettings",
    "OpSettings",
    "Section",
    "Settings",
    "StoreSettings",
]


class Settings(Section):
    """A whole configuration without a problem."""

    gateway: GatewaySettings
    store: StoreSettings
    op: OpSettings
    apps: tuple[AppSettings, ...]
    chains: tuple[ChainSettings, ...]


SECTIONS: Final[dict[str, type[Section]]] = {
    "[gateway]": GatewaySettings,
    "[store]": StoreSettings,
    "[op]": OpSettings,
    "[[apps]]": AppSettings,
    "[[chains]]": ChainSettings,
}
"""The sections of the file as TOML writes their headings, in the order of the pages that are made of them."""
