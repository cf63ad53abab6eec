"""One browser that costs next to nothing: blocking keep-alive sockets, a jar for each host, forms found by pattern.

It keeps to the rules that matter here: cookies of a host go to that host alone, SameSite=Lax keeps them at home on a
cross-site POST, ``Origin`` is told on every POST, and a redirect is followed by GET.
"""

from __future__ import annotations

import re
import socket
import time
from html import unescape
from typing import Final, Self
from urllib.parse import quote, urlsplit

from bench.figures import MeasurementFailed

STEPS: Final = 2000
SECONDS: Final = 30
CHUNK: Final = 65536
OK: Final = 200
SEE_OTHER: Final = frozenset({302, 303})

_HOP: Final = re.compile(r'<form id="hop" method="post" action="([^"]+)" data-ping="([^"]*)"')
_TICKET: Final = re.compile(r'name="ticket" value="([^"]+)"')
_GO: Final = re.compile(r'id="go" href="([^"]+)"')
_SIGN_IN: Final = re.compile(
    r'<form method="post" action="(/login)">\s*<input type="hidden" name="form" value="([^"]+)"'
)
_COOKIE: Final = re.compile(r"\r\nSet-Cookie: ([^=]+)=([^;\r]*)([^\r]*)")
_LOCATION: Final = re.compile(r"\r\nLocation: ([^\r]+)")
_LENGTH: Final = re.compile(r"\r\nContent-Length: (\d+)")


class Browser:
    """A browser; ``aside`` is the origin whose time is not counted."""

    def __init__(self, aside: str = "") -> None:
        self.requests = 0
        self.seconds = 0.0
        self.status = 0
        self.text = ""
        self.url = ""
        self._aside = aside
        self._jars: dict[str, dict[str, str]] = {}
        self._sockets: dict[str, socket.socket] = {}
        self._location = ""

    def __enter__(self) -> Self:
        """Nothing is open yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes every connection."""
        for each in self._sockets.values():
            each.close()

    def forget(self) -> None:
        """Is somebody else's browser from now on, over the same connections."""
        self._jars.clear()

    def open(self, url: str) -> str:
        """Goes to ``url`` and on through all that goes on by itself; the text of the page where it ends."""
        self.ask("GET", url)
        return self._walk_on()

    def post(self, url: str, origin: str, **fields: str) -> str:
        """Sends a form to ``url`` from a page of ``origin``, and goes on likewise."""
        self.ask("POST", url, origin, fields)
        return self._walk_on()

    def ask(self, method: str, url: str, origin: str = "", fields: dict[str, str] | None = None) -> None:
        """One request and its answer, counted and timed unless it went aside."""
        at, _, path = url.partition("://")[2].partition("/")
        host = f"http://{at}"
        began = time.perf_counter()
        head, self.text = self._exchange(
            at, _request(method, at, path, self._shown(host, origin), origin, fields or {})
        )
        if host != self._aside:
            self.seconds += time.perf_counter() - began
            self.requests += 1
        self._keep(host, head)
        found = _LOCATION.search(head)
        self.url, self.status, self._location = url, int(head[9:12]), found[1] if found else ""

    def _walk_on(self) -> str:
        """Follows redirects, posts tickets and goes on from pauses, as a browser with the pages' scripts does."""
        for _ in range(STEPS):
            if self.status in SEE_OTHER:
                self.ask("GET", self._location)
            elif self.status != OK:
                raise MeasurementFailed(f"{self.status} at {self.url.partition('?')[0]}: {self.text[:300]}")
            elif (hop := _HOP.search(self.text)) and (ticket := _TICKET.search(self.text)):
                self._hop(hop[1], hop[2], ticket[1])
            elif go := _GO.search(self.text):
                self.ask("GET", unescape(go[1]))
            elif form := _SIGN_IN.search(self.text):
                here = _origin(self.url)
                self.ask("POST", here + form[1], here, {"form": form[2], "account": "alice"})
            else:
                return self.text
        raise MeasurementFailed("the walk does not end")

    def _hop(self, hop_url: str, ping_url: str, ticket: str) -> None:
        """The page asks whether the app can be reached, without cookies, and then posts the ticket there."""
        here = _origin(self.url)
        if ping_url:
            jar = self._jars.pop(_origin(ping_url), {})
            self.ask("GET", ping_url)
            self._jars[_origin(ping_url)] = jar
        self.ask("POST", hop_url, here, {"ticket": ticket})

    def _shown(self, host: str, origin: str) -> str:
        """The Cookie header; cookies stay at home on a POST from another site."""
        if origin and origin != host:
            return ""
        return "; ".join(f"{name}={value}" for name, value in self._jars.get(host, {}).items())

    def _keep(self, host: str, head: str) -> None:
        jar = self._jars.setdefault(host, {})
        for name, value, attributes in _COOKIE.findall(head):
            if "Max-Age=0" in attributes:
                jar.pop(name, None)
            else:
                jar[name] = value

    def _exchange(self, at: str, request: bytes) -> tuple[str, str]:
        """Head and body of the answer; the connection stays open."""
        connection = self._sockets.get(at)
        if connection is None:
            port = urlsplit(f"http://{at}").port or 80
            connection = self._sockets[at] = socket.create_connection(("127.0.0.1", port), SECONDS)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(request)
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += _more(connection)
        head = data[:end].decode("latin-1")
        length = _LENGTH.search(head)
        whole = end + 4 + (int(length[1]) if length else 0)
        while len(data) < whole:
            data += _more(connection)
        return head, data[end + 4 :].decode()


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(CHUNK)
    if not data:
        raise MeasurementFailed("a connection was closed")
    return data


def _origin(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def _request(method: str, at: str, path: str, cookies: str, origin: str, fields: dict[str, str]) -> bytes:
    lines = [f"{method} /{path} HTTP/1.1", f"Host: {at}", "Accept: text/html"]
    if cookies:
        lines.append(f"Cookie: {cookies}")
    body = ""
    if method == "POST":
        body = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())
        lines += [
            f"Origin: {origin}",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
        ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
