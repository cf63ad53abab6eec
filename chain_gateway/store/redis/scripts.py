"""The changes, each one Lua script, and so one change; the text goes once to each server, then a digest names it."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Final

from chain_gateway.core.limits import BROWSER_SECONDS, NOBODY_SECONDS, OPEN_WALKS

LIMITS: Final = {"BROWSER_SECONDS": BROWSER_SECONDS, "NOBODY_SECONDS": NOBODY_SECONDS, "OPEN_WALKS": OPEN_WALKS}
ALONE: Final = frozenset({"once", "ping"})
"""Scripts that know no shard, and so begin without what the others share."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script as Redis knows it."""

    name: str
    text: str
    digest: str


@functools.cache
def script(name: str) -> Script:
    """The script in ``lua/NAME.lua``."""
    folder = resources.files(__package__) / "lua"
    text = (folder / f"{name}.lua").read_text()
    if name not in ALONE:
        limits = "".join(f"local {limit} = {number}\n" for limit, number in LIMITS.items())
        text = limits + (folder / "common.lua").read_text() + text
    return Script(name, text, hashlib.sha1(text.encode()).hexdigest())  # noqa: S324 - the digest that Redis names it by
