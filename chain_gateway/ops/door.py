"""Who may use the dashboard: whoever shows its token, from this machine, by a page of its own.

A person shows the token once and gets a cookie, which is made from the token by a MAC and so ends with it; a program
shows it with each request. The cookie may reach any server on the same host, as cookies know no ports, and is sent by
any of their pages: so each form carries a text that only a page of the dashboard knows, and its origin is looked at.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from aiohttp import web

from chain_gateway.config.secret import Secret
from chain_gateway.tokens.encoding import b64e

PATH: Final = "/dashboard"
COOKIE: Final = "chain-dashboard"
LIFE_SECONDS: Final = 8 * 3600
"""How long a person need not show the token again."""
NONCE_BYTES: Final = 12
BURST: Final = 5
PER_SECOND: Final = 0.1
"""Wrong tokens: so many at once, and then one in ten seconds, whoever shows them."""


class Attempts:
    """A bucket of attempts that fills again."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """``clock`` in seconds, which only goes on."""
        self._clock = clock
        self._left = float(BURST)
        self._since = clock()

    def left(self) -> bool:
        """Whether there is one left."""
        now = self._clock()
        self._left = min(float(BURST), self._left + (now - self._since) * PER_SECOND)
        self._since = now
        return self._left >= 1

    def spend(self) -> None:
        """Takes one out."""
        self._left -= 1


class Door:
    """Opens to a token."""

    def __init__(
        self,
        token: Secret,
        now: Callable[[], int],
        random: Callable[[int], bytes],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``now`` dates cookies, ``clock`` fills the attempts."""
        secret = token.reveal().encode()
        self._token, self._cookies, self._forms = (
            hmac.digest(secret, b"chain-gateway dashboard 1 " + label, "sha256")
            for label in (b"token", b"cookie", b"form")
        )
        self._now = now
        self._random = random
        self.attempts = Attempts(clock)

    def opens(self, shown: str) -> bool:
        """Whether ``shown`` is the token; compared in constant time, whatever its length."""
        digest = hmac.digest(shown.encode("utf-8", "replace"), b"chain-gateway dashboard 1 token", "sha256")
        return hmac.compare_digest(digest, self._token)

    def cookie(self) -> str:
        """The value of a new cookie: when it was made, something random, and the MAC of both."""
        body = f"{self._now()}.{b64e(self._random(NONCE_BYTES))}"
        return f"{body}.{self._mac(self._cookies, body)}"

    def holds(self, cookie: str) -> bool:
        """Whether ``cookie`` was made here, under this token, and not too long ago."""
        body, _, mac = cookie.rpartition(".")
        if not hmac.compare_digest(self._mac(self._cookies, body).encode(), mac.encode("utf-8", "replace")):
            return False
        return 0 <= self._now() - int(body.partition(".")[0]) < LIFE_SECONDS

    def form_key(self, cookie: str) -> str:
        """What each form carries that is sent under ``cookie``."""
        return self._mac(self._forms, cookie)

    def takes_form(self, cookie: str, shown: str) -> bool:
        """Whether ``shown`` is what a page made under ``cookie`` carries."""
        return hmac.compare_digest(self.form_key(cookie).encode(), shown.encode("utf-8", "replace"))

    @staticmethod
    def _mac(key: bytes, text: str) -> str:
        return b64e(hmac.digest(key, text.encode("utf-8", "replace"), "sha256"))


def is_for_here(request: web.Request) -> bool:
    """Whether the request names this machine: a page that has its own name lead here does not (DNS rebinding)."""
    hosts = request.headers.getall("Host", ())
    if len(hosts) != 1:
        return False
    name, _, port = hosts[0].rpartition(":") if not hosts[0].endswith("]") else (hosts[0], "", "")
    name = (name or port).lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


def is_from_here(request: web.Request) -> bool:
    """Whether a page of this very origin sent the request, as the browser tells; one that tells nothing is not it."""
    origins = request.headers.getall("Origin", ())
    sites = request.headers.getall("Sec-Fetch-Site", ())
    if any(site != "same-origin" for site in sites):
        return False
    here = {f"{scheme}://{request.headers.get('Host', '').lower()}" for scheme in ("http", "https")}
    return all(origin in here for origin in origins) if origins else bool(sites)


def cookie_of(request: web.Request) -> str:
    """The dashboard's cookie; empty without one, and where there are two of its name."""
    pairs = [pair.strip().partition("=") for line in request.headers.getall("Cookie", ()) for pair in line.split(";")]
    found = [value for name, _, value in pairs if name == COOKIE]
    return found[0] if len(found) == 1 else ""


def bearer_of(request: web.Request) -> str | None:
    """The token that a program shows; None if it shows none."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def set_cookie(response: web.StreamResponse, value: str) -> None:
    """Sets the cookie for the dashboard's own pages, or ends it with an empty value."""
    response.set_cookie(
        COOKIE, value, path=PATH, max_age=LIFE_SECONDS if value else 0, httponly=True, samesite="Strict"
    )
