"""Where the servers are, as ``store.url`` says it."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote

PORT: Final = 6379
SENTINEL_PORT: Final = 26379
HIGHEST_PORT: Final = 0xFFFF
FILES: Final = {"ca": "ssl_ca_certs", "cert": "ssl_certfile", "key": "ssl_keyfile"}
"""Options of a URL with TLS, and what redis-py calls them."""
SENTINEL: Final = ("sentinel_user", "sentinel_password")
"""Options of a URL with sentinels: how they let us in, as they know other users than the servers do."""
_HOST: Final = re.compile(r"(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::(?P<port>[0-9]{1,5}))?")


class Form(enum.Enum):
    """How the servers stand together, by the word that follows ``redis`` or ``rediss``."""

    ALONE = ""
    SENTINEL = "+sentinel"
    CLUSTER = "+cluster"


class PlaceError(ValueError):
    """A URL that names no place; its words repeat nothing of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """One store: its servers, how to be let in, and how by sentinels. ``files`` are of TLS, as redis-py names them."""

    form: Form
    hosts: tuple[tuple[str, int], ...]
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0
    name: str = ""
    tls: bool = False
    files: tuple[tuple[str, str], ...] = ()
    sentinel_username: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """What opens each refusal: the servers, and nothing that is secret."""
        scheme = f"redis{'s' * self.tls}{self.form.value}"
        return f"{scheme}://{','.join(f'{host}:{port}' for host, port in self.hosts)}"


def read_place(parts: SplitResult) -> Place:
    """The place of a URL whose scheme begins with ``redis``.

    PlaceError says what is wrong with it; ValueError is of a form or a port that there is none of.
    """
    scheme, plus, form = parts.scheme.partition("+")
    userinfo, _, hosts = parts.netloc.rpartition("@")
    username, colon, password = userinfo.partition(":")
    tls = scheme == "rediss"
    place = Place(
        form=Form(plus + form),
        hosts=_hosts(hosts, SENTINEL_PORT if form == "sentinel" else PORT),
        username=unquote(username) or None,
        password=unquote(password) if colon else None,
        tls=tls,
    )
    return _at_path(_with_options(place, parts.query), parts)


def _at_path(place: Place, parts: SplitResult) -> Place:
    """``place`` with the database or the name that the path says."""
    path = parts.path.removeprefix("/")
    if parts.fragment or (place.username and place.password is None):
        raise PlaceError("is no URL of a store")
    if place.form is Form.SENTINEL:
        if not path or "/" in path:
            raise PlaceError("does not name what the sentinels watch")
        return replace(place, name=unquote(path))
    if place.form is Form.CLUSTER:
        if path:
            raise PlaceError("names a database, and a cluster has one alone")
        return place
    if len(place.hosts) != 1 or not re.fullmatch(r"[0-9]{0,3}", path):
        raise PlaceError("names no server, or no database of it")
    return replace(place, database=int(path or 0))


def _hosts(text: str, port: int) -> tuple[tuple[str, int], ...]:
    found = [_HOST.fullmatch(each) for each in text.split(",")]
    hosts = [(match["host"].strip("[]"), int(match["port"] or port)) for match in found if match]
    if len(hosts) != len(found) or any(number > HIGHEST_PORT for _, number in hosts):
        raise PlaceError("names no server")
    return tuple(hosts)


def _with_options(place: Place, query: str) -> Place:
    """``place`` with what its query says: files of TLS, and how sentinels let us in."""
    # A plus is a plus, as it is before the ``@``: a password may have one.
    options = dict(parse_qsl(query.replace("+", "%2B"), keep_blank_values=True))
    user, password = (options.pop(name, None) for name in SENTINEL)
    if (user is not None and not password) or (password is not None and place.form is not Form.SENTINEL):
        raise PlaceError("has a password of sentinels, and asks none, or a user of theirs without one")
    if not all(name in FILES and path.startswith("/") for name, path in options.items()) or (options and not place.tls):
        raise PlaceError("has an option that is not known")
    files = tuple((FILES[name], path) for name, path in options.items())
    return replace(place, files=files, sentinel_username=user or None, sentinel_password=password or None)
