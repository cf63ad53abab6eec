"""Browsers by the hundred: a jar for each origin that all tabs share, raw HTTP on keep-alive connections.

A GET whose connection broke without an answer is sent once more, as the browser or the proxy before the gateways does;
a POST never is. What an app is sent, and what it signs, is noted on the way.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import parse_qs, quote, urlsplit

from bench.soak.checks import REDIRECTS
from bench.soak.trace import Logout, Receipt, Trace

SECONDS: Final = 20
"""How long somebody looks at an empty tab before they count it as an error."""
ADDRESS_CHARS: Final = 80
SECRETS: Final = 300_000
SECRET_CHARS: Final = 24
"""What is shorter is no secret: ids of walks and keys are."""
SEE_OTHER: Final = frozenset({302, 303})
TROUBLE: Final = (OSError, asyncio.IncompleteReadError, TimeoutError)
_COOKIE: Final = re.compile(r"\r\nSet-Cookie: ([^=]+)=([^;\r]*)([^\r]*)", re.IGNORECASE)
_LOCATION: Final = re.compile(r"\r\nLocation: ([^\r]+)", re.IGNORECASE)
_LENGTH: Final = re.compile(r"\r\nContent-Length: (\d+)", re.IGNORECASE)
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Closed(Exception):
    """The tab was closed."""


@dataclass(slots=True)
class Browser:
    """One person's browser. ``number`` tells it from the others."""

    number: int
    who: str
    trace: Trace
    secrets: set[str]
    jars: dict[str, dict[str, str]] = field(default_factory=dict)

    def shown(self, origin: str) -> str:
        """The Cookie header for that origin."""
        return "; ".join(f"{name}={value}" for name, value in self.jars.get(origin, {}).items())

    def copy(self) -> dict[str, str]:
        """The Cookie header of each origin as it is now, as a thief would have it."""
        return {origin: self.shown(origin) for origin in self.jars}

    def keep(self, origin: str, head: str) -> None:
        """Takes what an answer sets."""
        jar = self.jars.setdefault(origin, {})
        for name, value, attributes in _COOKIE.findall(head):
            if "max-age=0" in attributes.lower() or not value:
                jar.pop(name, None)
            else:
                jar[name] = value
                self.keep_secret(value)

    def keep_secret(self, value: str) -> None:
        """Remembers what no log may have."""
        if len(value) >= SECRET_CHARS and len(self.secrets) < SECRETS:
            self.secrets.add(value)


class Tab:
    """A tab: where it is, what it shows, and the longest run of redirects that it came through."""

    def __init__(self, browser: Browser) -> None:
        """Nothing is open yet."""
        self.browser = browser
        self.url = ""
        self.status = 0
        self.text = ""
        self.redirects = 0
        self.way: list[str] = []
        """The addresses of that run, each by host and path; the last is where it ended."""
        self.walk = ""
        self.epoch = 0
        self.steps_left = -1
        """How many requests to hops are made before the tab is closed; below 0 it is not."""
        self._open: dict[str, _Streams] = {}

    async def __aenter__(self) -> Self:
        """Opens nothing."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes every connection."""
        for _reader, writer in self._open.values():
            writer.close()

    @property
    def origin(self) -> str:
        """Where the page is from."""
        return origin_of(self.url)

    async def open(self, url: str, accept: str = "text/html") -> None:
        """Goes to ``url``, and on through redirects."""
        await self._go("GET", url, "", {}, accept)

    async def post(self, url: str, **fields: str) -> None:
        """Sends a form of the page to ``url``, and goes on likewise."""
        await self._go("POST", url, self.origin, fields, "text/html")

    async def reaches(self, url: str) -> bool:
        """Whether anything answers there, asked as the gateway's page asks: without cookies."""
        try:
            async with asyncio.timeout(SECONDS):
                await self._exchange(_request("GET", url, "", "", {}, "*/*"), url, again=False)
        except TROUBLE:
            return False
        return True

    async def _go(self, method: str, url: str, origin: str, fields: dict[str, str], accept: str) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                await self._follow(method, url, origin, fields, accept)
        except TROUBLE as error:
            self.browser.trace.trouble[f"{type(error).__name__} on the way to {_named(self.url)}"] += 1
            self.status, self.text = 0, ""

    async def _follow(self, method: str, url: str, origin: str, fields: dict[str, str], accept: str) -> None:
        way: list[str] = []
        for count in range(REDIRECTS + 2):
            way.append(_named(url)[:ADDRESS_CHARS])
            self._note(url, fields)
            self.url, at = url, origin_of(url)
            shown = "" if origin and origin != at else self.browser.shown(at)
            head, self.text = await self._exchange(
                _request(method, url, shown, origin, fields, accept), url, again=method == "GET"
            )
            self.browser.keep(at, head)
            self.status = int(head[9:12])
            found = _LOCATION.search(head)
            if self.status not in SEE_OTHER or found is None:
                return
            if count + 1 > self.redirects:
                self.redirects, self.way = count + 1, way
            method, url, origin, fields = "GET", found[1] if ":" in found[1] else at + found[1], "", {}
        self.browser.trace.trouble["too many redirects"] += 1
        self.status, self.text = 0, ""

    def _note(self, url: str, fields: dict[str, str]) -> None:
        """Learns from what goes by: which walk it is, what an app has signed, and what is secret."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        for name, value in (query | fields).items():
            if name not in {"return_to", "redirect_uri", "post_logout_redirect_uri"}:
                self.browser.keep_secret(value)
        if receipt := query.get("receipt"):
            said = claims(receipt)
            self.browser.trace.receipts.add(Receipt(str(said["iss"]), str(said["walk"]), str(said["outcome"])))
        ticket = query.get("ticket") or fields.get("ticket")
        if not ticket:
            return
        if self.steps_left == 0:
            raise Closed
        self.steps_left -= 1
        said = claims(ticket)
        self.browser.trace.kids[str(read_part(ticket, 0)["kid"])] += 1
        self.walk, self.epoch = str(said["walk"]), int(str(said["epoch"]))
        if said["act"] == "logout":
            logout = Logout(self.browser.number, self.walk, self.epoch, time.time())
            self.browser.trace.logouts.setdefault(self.walk, logout)

    async def _exchange(self, request: bytes, url: str, *, again: bool) -> tuple[str, str]:
        at = urlsplit(url).netloc
        if (known := self._open.pop(at, None)) is not None:
            try:
                return await self._ask(at, known, request)
            except TROUBLE:
                if not again:
                    raise
        try:
            return await self._ask(at, await _connection(at), request)
        except TROUBLE:
            if not again:
                raise
        return await self._ask(at, await _connection(at), request)

    async def _ask(self, at: str, streams: _Streams, request: bytes) -> tuple[str, str]:
        reader, writer = streams
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = _LENGTH.search(head)
            body = await reader.readexactly(int(length[1])) if length else b""
        except BaseException:
            writer.close()
            raise
        if "connection: close" in head.lower():
            writer.close()
        else:
            self._open[at] = streams
        return head, body.decode()


def claims(token: str) -> dict[str, object]:
    """What a JWS says, unverified: it is for notes alone."""
    return read_part(token, 1)


def read_part(token: str, number: int) -> dict[str, object]:
    """The header of a JWS (0), or its claims (1)."""
    text = token.split(".")[number]
    found: dict[str, object] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def origin_of(url: str) -> str:
    """Scheme and authority."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _named(url: str) -> str:
    """The host's first label, and the path."""
    parts = urlsplit(url)
    return f"{parts.netloc.partition('.')[0]}{parts.path}"


async def _connection(at: str) -> _Streams:
    return await asyncio.open_connection("127.0.0.1", int(at.rpartition(":")[2]))


def _request(method: str, url: str, cookies: str, origin: str, fields: dict[str, str], accept: str) -> bytes:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", f"Accept: {accept}"]
    if cookies:
        lines.append(f"Cookie: {cookies}")
    body = ""
    if method == "POST":
        body = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())
        form = "Content-Type: application/x-www-form-urlencoded"
        lines += [f"Origin: {origin}", form, f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
