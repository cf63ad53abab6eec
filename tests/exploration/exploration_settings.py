"""What of an explored world can be chosen, and what a person may want in it."""

from __future__ import annotations

from dataclasses import dataclass

from exploration_values import GATEWAY, Request

from chain_gateway.core.chain import Mode
from chain_gateway.core.walk import OpLogout


@dataclass(frozen=True)
class Intention:
    """What a person wants in one tab: ``login``, ``silent login``, ``logout`` or ``app logout``, at an app."""

    what: str
    app: str

    def request(self) -> Request:
        """The request that begins it."""
        fields = {"app": self.app}
        if self.what == "silent login":
            fields["prompt"] = "none"
        if self.what == "app logout":
            fields["scope"] = "app"
        return Request(GATEWAY, "/login" if "login" in self.what else "/logout", tuple(fields.items()))

    def __str__(self) -> str:
        return f"{self.what} at {self.app}"


@dataclass(frozen=True)
class Settings:
    """What of a world can be chosen.

    ``confirm`` is the gateway's ``confirm_logout``: whether a page asks first. ``tick_ms`` is how much later by the
    clock it is before and after a logout begins, and when somebody signs in by hand. ``pages``: whether a tab that
    comes back to an app opens its page, whose answer tidies up. ``others``: whether somebody else may sign in.
    ``tells``: whether the provider sends a logout token when its session ends. ``queue``: whether owed logouts are
    delivered among the other events, and not only when all is over. ``narrow``: whether endpoints are shown only the
    cookies that concern them, which tells fewer states apart. ``forgetful``: whether apps forget which sessions were
    ended, so that their cookies alone decide. ``spared`` are paths that no fault happens to.
    """

    apps: tuple[str, ...] = ("shop", "news")
    login: Mode = Mode.FORM_POST
    logout: Mode = Mode.REDIRECT
    op_logout: OpLogout = OpLogout.FIRST
    confirm: str = "never"
    retries: int = 1
    tick_ms: int = 1000
    pages: bool = False
    others: bool = False
    tells: bool = False
    queue: bool = True
    narrow: bool = True
    forgetful: bool = False
    spared: frozenset[str] = frozenset()
