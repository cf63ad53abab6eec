"""What an app tells the SDK: who its gateway is, who it is itself, and its keys."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from chain_gateway.core.chain import App, AppId, Registry
from chain_gateway.core.origins import check_origin, check_path
from chain_gateway.errors import ConfigError, Problem
from chain_gateway.sdk.memory import Memory
from chain_gateway.sdk.session import Session
from chain_gateway.tokens.app_key import AppKey
from chain_gateway.tokens.sealer import Sealer

PATHS: Final = ("hop_path", "ping_path", "backchannel_logout_path", "login_path", "logout_path")

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([1-9][0-9]{0,8})([smhd]?)")

OnLogin = Callable[[Session], Awaitable[None]]
OnLogout = Callable[[str, int], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainConfig:
    """One app's side of the protocol; ConfigError with every problem at once.

    ``gateway`` and ``origin`` are origins without a slash behind; ``app_id`` is the app's id at the gateway. Receipts
    are signed with ``secret`` (text or bytes, at least 32 of them as UTF-8: HS256) or ``private_key`` (PEM or JWK
    members on P-256: ES256). Cookies are sealed under ``session_key``, text or bytes of at least 32; of several the
    first seals and all open, so that a key can be changed. ``session_max`` is seconds or ``"90s"``, ``"30m"``,
    ``"12h"``, ``"7d"``.

    ``memory`` is where spent tickets and ended sessions are remembered; without it, in this process. ``on_login`` is
    called with each new session, before the answer that sets it, and again with the same one (its ``jti``) where an
    answer was lost and the ticket comes once more; ``on_logout`` with each ``sid`` that ends here and the epoch up to
    which it does, whether a browser or the back channel brought the logout.
    """

    gateway: str
    app_id: str
    origin: str
    session_key: str | bytes | Sequence[str | bytes] = field(repr=False)
    secret: str | bytes = field(default="", repr=False)
    private_key: str | dict[str, object] = field(default="", repr=False)
    chain: str = ""
    hop_path: str = "/chain/hop"
    ping_path: str = "/chain/ping"
    backchannel_logout_path: str = "/chain/backchannel-logout"
    login_path: str = "/chain/login"
    logout_path: str = "/chain/logout"
    session_max: int | str = "12h"
    clear_site_data: bool = False
    memory: Memory | None = field(default=None, repr=False)
    on_login: OnLogin | None = field(default=None, repr=False)
    on_logout: OnLogout | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Raises ConfigError with all that is wrong."""
        problems = [
            *_origin_problems("gateway", self.gateway),
            *_origin_problems("origin", self.origin),
            *self._path_problems(),
            *_tried("session_max", lambda: seconds(self.session_max), 'write seconds, or "90s", "30m", "12h", "7d"'),
            *_tried("session_key", self.sealer, "give at least 32 random bytes, and the same ones after a restart"),
            *_tried("secret", self.key, "give the secret, or the private_key, whose public half the gateway knows"),
        ]
        if not self.app_id:
            problems.append(Problem("app_id", "it is empty", "write the id that this app has at the gateway"))
        if problems:
            raise ConfigError(tuple(problems))

    @property
    def life(self) -> int:
        """``session_max`` in seconds."""
        return seconds(self.session_max)

    def sealer(self) -> Sealer:
        """The sealer of this app's cookies; ValueError on short keys."""
        given = [self.session_key] if isinstance(self.session_key, str | bytes) else list(self.session_key)
        return Sealer.from_secrets([key.encode() if isinstance(key, str) else key for key in given])

    def key(self) -> AppKey:
        """What signs receipts and logout requests; ValueError unless there is exactly one good key."""
        if bool(self.secret) == bool(self.private_key):
            raise ValueError("there must be exactly one of secret and private_key")
        if not self.secret:
            return AppKey.private(self.private_key)
        return AppKey.secret(self.secret.encode() if isinstance(self.secret, str) else self.secret)

    def own(self) -> Registry:
        """A registry of this app alone, with which ``judge_return`` judges its own addresses."""
        at = self.origin
        app = App(AppId(self.app_id), self.app_id, at, at + self.hop_path, at + self.ping_path, "")
        return Registry([app], [])

    def _path_problems(self) -> list[Problem]:
        paths = [str(getattr(self, name)) for name in PATHS]
        problems = [p for name, path in zip(PATHS, paths, strict=True) for p in _path_problems(name, path)]
        if len(set(paths)) < len(paths):
            problems.append(Problem("hop_path", "two of the paths are the same", "give each its own"))
        return problems


def seconds(duration: int | str) -> int:
    """A duration in seconds; ValueError if it is none, or not above zero.

    >>> seconds("12h")
    43200
    """
    match = _DURATION.fullmatch(str(duration))
    if match is None:
        raise ValueError("not a duration")
    return int(match[1]) * _UNITS[match[2]]


def _path_problems(name: str, path: str) -> list[Problem]:
    return _tried(name, lambda: check_path(path), 'write a path such as "/chain/hop"')


def _origin_problems(name: str, origin: str) -> list[Problem]:
    return _tried(name, lambda: check_origin(origin), "write it as https://host, without a slash behind")


def _tried(path: str, check: Callable[[], object], hint: str) -> list[Problem]:
    """The problem that ``check`` finds, as a list of one or none."""
    try:
        check()
    except ValueError as error:
        return [Problem(path, str(error), hint)]
    return []
