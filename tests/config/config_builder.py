"""A configuration without a problem, changed at the places that a test names; and the problems of one."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from chain_gateway.config import Settings, parse
from chain_gateway.errors import ConfigError, Problem

GONE = object()
"""The value that takes a key away."""

ENVIRON = {f"{name}_SECRET": f"planted-{name.lower()}-secret-of-more-than-32-bytes" for name in ("OP", "SHOP", "NEWS")}

_KEY = generate_private_key(SECP256R1())
PRIVATE = _KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC = _KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

SOUND = {
    "gateway": {"public_url": "https://login.example.com"},
    "op": {
        "issuer": "https://id.example.com",
        "client_id": "gateway",
        "client_secret": {"env": "OP_SECRET"},
    },
    "apps": [
        {"id": "shop", "origin": "https://shop.example", "secret": {"env": "SHOP_SECRET"}},
        {"id": "news", "origin": "https://news.example", "secret": {"env": "NEWS_SECRET"}},
    ],
    "chains": [{"id": "main", "apps": ["shop", "news"]}],
}

_STEP = re.compile(r"([A-Za-z0-9_]+)|\[([0-9]+)\]")


def a_config(changes: Mapping[str, object] | None = None) -> dict[str, object]:
    """The sound configuration with ``changes``: values by paths as problems spell them, e.g. ``apps[0].login``."""
    data = copy.deepcopy(SOUND)
    for path, value in (changes or {}).items():
        *steps, last = [int(match[2]) if match[2] else match[1] for match in _STEP.finditer(path)]
        place = data
        for step in steps:
            place = place[step] if isinstance(step, int) else place.setdefault(step, {})
        if value is GONE:
            del place[last]
        elif isinstance(place, list) and last == len(place):
            place.append(value)
        else:
            place[last] = value
    return data


def settings(
    changes: Mapping[str, object] | None = None, base: Path = Path("/nowhere"), environ: Mapping[str, str] = ENVIRON
) -> Settings:
    """The settings that the changed configuration makes."""
    return parse(a_config(changes), base=base, environ=environ)


def problems(
    changes: Mapping[str, object], base: Path = Path("/nowhere"), environ: Mapping[str, str] = ENVIRON
) -> tuple[Problem, ...]:
    """What is wrong with the changed configuration; nothing if it is sound."""
    try:
        settings(changes, base, environ)
    except ConfigError as error:
        return error.problems
    return ()


def the_problem(
    changes: Mapping[str, object], base: Path = Path("/nowhere"), environ: Mapping[str, str] = ENVIRON
) -> Problem:
    """The one problem of the changed configuration."""
    (problem,) = problems(changes, base, environ)
    return problem
