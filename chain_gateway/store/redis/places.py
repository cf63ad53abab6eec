"""Where the servers are, as ``store.url`` says it."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote

PORT: Final = 6379
SENTINEL_PORT: Final = 26379
HIGHEST_PORT: Final = 0xFFFF
FILES: Final = {"ca": "ssl_ca_certs", "cert": "ssl_certfile", "key": "ssl_keyfile"}
"""Options of a URL with TLS, and what redis-py calls them."""
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
    """One store: its servers, and how to be let in. ``files`` are those of TLS, by the names of redis-py."""

    form: Form
    hosts: tuple[tuple[str, int], ...]
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0
    name: str = ""
    tls: bool = False
    files: tuple[tuple[str, str], ...] = ()

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
        files=_files(parts.query, tls=tls),
    )
    return _at_path(place, parts)


def _at_path(place: Place, parts: SplitResult) -> Place:
    """``place`` with the database or the name that the path says."""
    path = parts.path.removeprefix("/")
    if parts.fragment or (place.username and place.password is None):
        raise PlaceError("is no URL of a store")
    if place.form is Form.SENTINEL:
        if not path or "/" in path:
            raise PlaceError("does not name what the sentinels watch")
        return _with(place, name=unquote(path))
    if place.form is Form.CLUSTER:
        if path:
            raise PlaceError("names a database, and a cluster has one alone")
        return place
    if len(place.hosts) != 1 or not re.fullmatch(r"[0-9]{0,3}", path):
        raise PlaceError("names no server, or no database of it")
    return _with(place, database=int(path or 0))


def _with(place: Place, *, name: str = "", database: int = 0) -> Place:
    return Place(
        place.form, place.hosts, place.username, place.password, database, name, tls=place.tls, files=place.files
    )


def _hosts(text: str, port: int) -> tuple[tuple[str, int], ...]:
    found = [_HOST.fullmatch(each) for each in text.split(",")]
    hosts = [(match["host"].strip("[]"), int(match["port"] or port)) for match in found if match]
    if len(hosts) != len(found) or any(number > HIGHEST_PORT for _, number in hosts):
        raise PlaceError("names no server")
    return tuple(hosts)


def _files(query: str, *, tls: bool) -> tuple[tuple[str, str], ...]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    if not all(name in FILES and path.startswith("/") for name, path in options.items()) or (options and not tls):
        raise PlaceError("has an option that is not known")
    return tuple((FILES[name], path) for name, path in options.items())
