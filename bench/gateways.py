"""The configuration of the gateways that are measured, and the secrets that both sides of it share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from chain_gateway.config.load import parse
from chain_gateway.config.model import Settings

SECRET: Final = "a secret of the measurement alone, longer than 32 bytes: "
CLIENT_ID: Final = "gateway"
NOWHERE: Final = 1
"""A port for URLs that nobody asks."""


def names(count: int) -> list[str]:
    """The ids of that many apps."""
    return [f"app{number}" for number in range(count)]


def url(name: str, port: int) -> str:
    """The origin of a host on loopback."""
    return f"http://{name}.localhost:{port}"


def settings(
    count: int,
    *,
    store: str = "memory://",
    ports: Mapping[str, int] | None = None,
    every: Mapping[str, object] | None = None,
    listen: str = "127.0.0.1:8080",
) -> Settings:
    """A gateway with one chain of ``count`` apps, at the ``ports`` by name; ``every`` changes each app's settings."""
    return parse(document(names(count), store, ports or {}, every or {}, listen), base=Path("/"), environ={})


def document(
    apps: Sequence[str], store: str, ports: Mapping[str, int], every: Mapping[str, object], listen: str
) -> dict[str, object]:
    """The same, as an operator would write it."""
    return {
        "gateway": {"public_url": url("login", ports.get("login", NOWHERE)), "listen": listen},
        "store": {"url": store},
        "op": {
            "issuer": url("id", ports.get("id", NOWHERE)),
            "client_id": CLIENT_ID,
            "client_secret": SECRET,
            "logout": "none",
        },
        "apps": [
            {"id": app, "origin": url(app, ports.get(app, NOWHERE)), "secret": SECRET + app, **every} for app in apps
        ],
        "chains": [{"id": "main", "apps": list(apps)}],
    }


def toml(table: Mapping[str, object]) -> str:
    """A configuration as a file: sections of plain values, and lists of them."""
    lines = []
    for section, content in table.items():
        for each in content if isinstance(content, list) else [content]:
            lines.append(f"[[{section}]]" if isinstance(content, list) else f"[{section}]")
            lines += [f"{name} = {_value(value)}" for name, value in each.items()]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_value(each)}" for name, each in value.items()) + " }"
    return json.dumps(value)
