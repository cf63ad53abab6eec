"""What things are called in Redis. ``redis-cli --scan --pattern 'cg{*'`` shows them all.

A shard is a hash tag: in a cluster, all keys of one tag lie in one slot, and a script may touch them as one change. A
browser belongs to one shard, and each index of a shard lists that shard's browsers alone. So an index never disagrees
with what it leads to, and what concerns all browsers is asked of each shard.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from typing import Final

_OF_SHARD: Final = ("walks", "deadlines", "expiries", "over", "owed", "owing", "signins", "known", "life")
"""In the order in which ``lua/common.lua`` takes them; of a browser, ``browser`` and ``open`` come after."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The names, for a number of shards that never changes for the same data."""

    shards: int

    def of_shard(self, shard: int) -> tuple[str, ...]:
        """The indexes of a shard."""
        return _of_shard(shard)

    def of_browser(self, browser: str) -> tuple[str, ...]:
        """Those of its shard, then its own; ``browser`` is hexadecimal."""
        shard = self._shard(browser)
        return (*_of_shard(shard), f"cg{{{shard}}}:browser:{browser}", f"cg{{{shard}}}:open:{browser}")

    def of_once(self, label: str, key: str) -> tuple[str, ...]:
        """What is remembered of a key; of any length, so its digest stands for it."""
        digest = hashed(f"{len(label)}:{label}{key}")
        return (f"cg{{{self._shard(digest)}}}:once:{digest}",)

    def of_ping(self, shard: int) -> tuple[str, ...]:
        """What a ping writes."""
        return (f"cg{{{shard}}}:ping",)

    def _shard(self, text: str) -> int:
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) % self.shards if self.shards > 1 else 0


@functools.cache
def _of_shard(shard: int) -> tuple[str, ...]:
    return tuple(f"cg{{{shard}}}:{name}" for name in _OF_SHARD)


def hashed(text: str) -> str:
    """A fixed length for a text of any length, and nobody reads a person's name in an index."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def sid_word(sub: str, sid: str, browser: str = "") -> str:
    """The line of an index by which a session is found; without ``browser`` what such lines begin with."""
    return f"s:{hashed(sid)}:{hashed(sub)}:{browser}" if sub or browser else f"s:{hashed(sid)}:"


def sub_word(sub: str, browser: str = "") -> str:
    """The same for a person."""
    return f"p:{hashed(sub)}:{browser}"
