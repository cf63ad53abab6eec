"""``--version``: this program, and the parts whose versions matter when something is strange."""

from __future__ import annotations

import platform
import sqlite3
import ssl
from importlib import metadata

from chain_gateway import __version__

PARTS = ("aiohttp", "aiohttp-session", "cryptography", "joserfc", "pydantic", "uvloop", "yarl")


def versions() -> dict[str, str]:
    """Versions by name, this program first."""
    found = {"chain-gateway": __version__, "python": platform.python_version()}
    for part in PARTS:
        try:
            found[part] = metadata.version(part)
        except metadata.PackageNotFoundError:
            found[part] = "missing"
    return found | {"openssl": ssl.OPENSSL_VERSION, "sqlite": sqlite3.sqlite_version}
