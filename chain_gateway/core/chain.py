"""Who is registered: apps, chains, and the registry that finds them.

An app is known by its id everywhere but in the chain token, where a hundred ids would not fit: there it is its
``tag``, the first three bytes of the id's SHA-256. The configuration refuses two ids of one tag.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NewType

AppId = NewType("AppId", str)
ChainId = NewType("ChainId", str)
AppTag = NewType("AppTag", bytes)

TAG_BYTES = 3


class Mode(enum.IntEnum):
    """How a hop is made; the numbers are part of the chain token and never change."""

    NONE = 0
    FORM_POST = 1
    TWO_STEP = 2
    REDIRECT = 3
    EXTERNAL = 4
    BACK_CHANNEL = 5

    @property
    def word(self) -> str:
        """The mode as configuration, logs and pages spell it, e.g. ``form_post``."""
        return self._name_.lower()


class Visit(enum.Enum):
    """When a login visits an app."""

    EAGER = "eager"
    LAZY = "lazy"
    RECENT = "recent"


def app_tag(app_id: str) -> AppTag:
    """The three bytes by which a chain token names an app."""
    return AppTag(hashlib.sha256(app_id.encode()).digest()[:TAG_BYTES])


@dataclass(frozen=True, slots=True)
class App:
    """A registered site. URLs are absolute and judged; ``session_max`` is in seconds."""

    id: AppId
    name: str
    origin: str
    hop_url: str
    ping_url: str
    backchannel_logout_url: str
    login: Mode = Mode.FORM_POST
    logout: Mode = Mode.REDIRECT
    visit: Visit = Visit.EAGER
    required: bool = False
    retries: int = 1
    ping: bool = True
    session_max: int = 12 * 3600
    claims: tuple[str, ...] = ()
    return_to: tuple[str, ...] = ("/",)
    external_login: str = ""
    external_logout: str = ""

    @property
    def tag(self) -> AppTag:
        """See ``app_tag``."""
        return app_tag(self.id)


@dataclass(frozen=True, slots=True)
class Chain:
    """The ordered apps that one operator's walk passes through."""

    id: ChainId
    apps: tuple[App, ...]


class Registry:
    """All apps and chains of one configuration; immutable once built."""

    def __init__(self, apps: Iterable[App], chains: Iterable[Chain]) -> None:
        """``chains`` name only apps in ``apps``; ids and tags are unique (the configuration has checked it)."""
        self.apps: Mapping[str, App] = {app.id: app for app in apps}
        self.chains: Mapping[str, Chain] = {chain.id: chain for chain in chains}
        self.by_tag: Mapping[AppTag, App] = {app.tag: app for app in self.apps.values()}
        self.by_origin: Mapping[str, App] = {app.origin: app for app in self.apps.values()}

    def chain_for(self, chain_id: str, app_id: str) -> Chain | None:
        """The chain named; without a name the first one that has the app; without both the first. None if unknown."""
        if chain_id:
            return self.chains.get(chain_id)
        for chain in self.chains.values():
            if not app_id or any(app.id == app_id for app in chain.apps):
                return chain
        return None
