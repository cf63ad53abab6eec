"""From ``store.url`` of the configuration to a store.

``memory://`` forgets at a restart. ``sqlite:///chain.db`` is a file beside the configuration, ``sqlite:////var/lib/x.db``
one anywhere; ``?synchronous=full`` waits for the disk at each commit (``store.sqlite.connection``).

``redis://USER:PASSWORD@HOST:PORT/DATABASE`` is a server of Redis or Valkey, ``redis+sentinel://HOST,HOST/NAME`` what
sentinels watch under it, ``redis+cluster://HOST,HOST`` a cluster. Sentinels that have a password of their own get it by
``?sentinel_password=PASSWORD``, with ``&sentinel_user=USER`` where they have users. With ``rediss`` it is over TLS,
where ``?ca=PATH`` names the authority of the servers' certificates, and ``&cert=PATH&key=PATH`` a certificate of one's
own.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from chain_gateway.errors import ConfigError, Problem
from chain_gateway.store.base import Store
from chain_gateway.store.memory import MemoryStore
from chain_gateway.store.redis import RedisStore
from chain_gateway.store.redis.links import INSTALL, LIBRARIES
from chain_gateway.store.redis.places import PlaceError, read_place
from chain_gateway.store.sqlite import SqliteStore, Synchronous

_HINT = (
    "write memory://, sqlite:///PATH (relative), sqlite:////PATH (absolute), redis://HOST, redis+sentinel://HOSTS/NAME "
    "or redis+cluster://HOSTS"
)


def open_store(url: str, *, base: Path | None = None) -> Store:
    """The store of a URL, not yet opened (``await store.open()``).

    A relative path counts from the folder ``base``, the working directory without one. Raises ConfigError.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise _refused("is no URL") from error
    if parts.scheme == "memory" and url == "memory://":
        return MemoryStore()
    if parts.scheme == "sqlite" and url.startswith("sqlite:///"):
        return _sqlite(parts, base or Path())
    if parts.scheme.partition("+")[0] in {"redis", "rediss"}:
        return _redis(parts)
    # The URL itself is not repeated: that of a server holds a password.
    raise _refused(f"names no store that is known here, by the scheme {parts.scheme!r}")


def _sqlite(parts: SplitResult, base: Path) -> SqliteStore:
    """The file of ``sqlite://`` + "/" + path, where a second slash makes the path absolute."""
    path = unquote(parts.path)[1:]
    if parts.fragment or not path or path.endswith("/") or path == ":memory:" or "\0" in path:
        raise _refused("names no file")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    word = options.pop("synchronous", Synchronous.NORMAL.value)
    if options or word not in {each.value for each in Synchronous}:
        raise _refused("has an option that is not known", "the one option is ?synchronous=normal or ?synchronous=full")
    return SqliteStore(base / path, synchronous=Synchronous(word))


def _redis(parts: SplitResult) -> RedisStore:
    """The servers of a URL whose scheme begins with ``redis``."""
    try:
        place = read_place(parts)
    except ValueError as error:
        # Only our own words: those of a parser may repeat the URL.
        reason = str(error) if type(error) is PlaceError else "is no URL of a store"
        raise _refused(reason) from None
    if any(importlib.util.find_spec(library) is None for library in LIBRARIES):
        raise _refused("needs a library that is not installed", INSTALL)
    return RedisStore(place)


def _refused(reason: str, hint: str = _HINT) -> ConfigError:
    return ConfigError((Problem("store.url", reason, hint),))
