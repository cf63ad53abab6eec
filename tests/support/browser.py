"""A browser without a screen: a cookie jar per host, the SameSite rules, `__Host-` prefixes, and a bounded walk.

It knows what matters here of a real one: Lax cookies stay at home on a cross-site POST, a POST tells its Origin as the
page's referrer policy allows, redirects are followed up to a limit as Chromium's, and forms are sent as they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Self
from urllib.parse import urlencode, urljoin, urlsplit

import aiohttp

from chain_gateway.resolver import LoopbackResolver

REDIRECTS = 19
PAGES = 400


class TooManyRedirects(Exception):
    """What Chromium says after nineteen in a row."""


@dataclass
class Form:
    """A form as it stands on a page."""

    action: str
    method: str
    fields: dict[str, str]
    buttons: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Page:
    """Where the browser is."""

    url: str
    status: int
    headers: Mapping[str, str]
    text: str
    forms: list[Form]
    links: dict[str, str]
    chain: list[str]
    """The URLs that were passed on the way here, this one included."""

    @property
    def origin(self) -> str:
        return origin(self.url)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self._open: Form | None = None
        self._href: str | None = None
        self._said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(values.get("action", ""), values.get("method", "get").lower(), {})
            self.forms.append(self._open)
        elif tag == "input" and self._open is not None and values.get("type") != "submit" and "name" in values:
            self._open.fields[values["name"]] = values.get("value", "")
        elif tag == "button" and self._open is not None and "name" in values:
            self._open.buttons.append((values["name"], values.get("value", "")))
        elif tag == "a" and "href" in values:
            self._href, self._said = values["href"], []

    def handle_data(self, data: str) -> None:
        self._said.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        if tag == "a" and self._href is not None:
            self.links[" ".join("".join(self._said).split())] = self._href
            self._href = None


def origin(url: str) -> str:
    """Scheme and authority."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class Browser:
    """One person's browser."""

    def __init__(self) -> None:
        self.jars: dict[str, dict[str, str]] = {}
        self.page: Page | None = None
        self.locations: list[str] = []
        self.halt_at = ""
        """A URL that begins so is not asked for: the browser stands before it, with status 0."""
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(resolver=LoopbackResolver())
        self._http = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._http is not None
        await self._http.close()

    def cookies(self, url: str) -> dict[str, str]:
        """The cookies of that origin."""
        return self.jars.setdefault(origin(url), {})

    async def open(self, url: str, **headers: str) -> Page:
        """Types an address, or follows a link from nowhere."""
        return await self._go("GET", url, None, headers)

    async def follow(self, text: str) -> Page:
        """Clicks the link of that text (or one whose text begins so)."""
        assert self.page is not None
        href = next((href for said, href in self.page.links.items() if said.startswith(text)), None)
        assert href is not None, f"no link {text!r} among {list(self.page.links)}"
        return await self._go("GET", urljoin(self.page.url, href), None, {})

    async def submit(self, form: Form | None = None, button: tuple[str, str] | None = None, **fields: str) -> Page:
        """Sends a form of the page, the first one unless named."""
        assert self.page is not None
        form = form or self.page.forms[0]
        data = form.fields | fields | (dict([button]) if button else {})
        url = urljoin(self.page.url, form.action or self.page.url)
        if form.method == "get":
            return await self._go("GET", f"{url}?{urlencode(data)}", None, {})
        return await self._go("POST", url, data, {})

    async def walk_on(self, until: int = PAGES) -> Page:
        """Does what the script of the gateway's pages does: posts tickets, goes on from pauses, until another page."""
        assert self.page is not None
        for _ in range(until):
            ticket = next((form for form in self.page.forms if "ticket" in form.fields), None)
            if ticket is not None:
                await self.submit(ticket)
            elif (pause := self._pause()) is not None:
                await self._go("GET", pause, None, {})
            else:
                return self.page
        raise AssertionError("the walk does not end")

    def _pause(self) -> str | None:
        assert self.page is not None
        links = self.page.links.items()
        return next((href for said, href in links if said == "Continue" and "/relay?state=" in href), None)

    async def _go(self, method: str, url: str, data: dict[str, str] | None, headers: dict[str, str]) -> Page:
        start = self.page
        chain = [url]
        told = headers
        for _ in range(REDIRECTS + 1):
            headers = {"Sec-Fetch-Site": _fetch_site(start, chain), **told}
            if self.halt_at and url.startswith(self.halt_at):
                self.page = Page(url, 0, {}, "", [], {}, chain)
                return self.page
            status, answer, text = await self._ask(method, url, data, headers, start)
            self._keep(url)
            location = answer.get("Location")
            if status not in {301, 302, 303, 307, 308} or location is None:
                reader = _Reader()
                reader.feed(text)
                self.page = Page(url, status, answer, text, reader.forms, reader.links, chain)
                return self.page
            self.locations.append(location)
            url = urljoin(url, location)
            chain.append(url)
            if status in {301, 302, 303}:
                method, data = "GET", None
        raise TooManyRedirects(len(chain))

    async def _ask(
        self, method: str, url: str, data: dict[str, str] | None, headers: dict[str, str], start: Page | None
    ) -> tuple[int, Mapping[str, str], str]:
        assert self._http is not None
        cross_site = start is not None and _site(start.url) != _site(url)
        send = dict(headers)
        if method == "POST" and "Origin" not in send:
            policy = start.headers.get("Referrer-Policy", "") if start else "no-referrer"
            send["Origin"] = "null" if start is None or policy == "no-referrer" else start.origin
        if not (method == "POST" and cross_site):
            jar = self.cookies(url)
            if jar:
                send["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        async with self._http.request(method, url, data=data, headers=send, allow_redirects=False) as response:
            self.set_cookies = response.headers.getall("Set-Cookie", [])
            return response.status, response.headers.copy(), await response.text()

    def _keep(self, url: str) -> None:
        for line in self.set_cookies:
            for name, morsel in SimpleCookie(line).items():
                if name.startswith("__Host-"):
                    assert morsel["secure"], line
                    assert morsel["path"] == "/", line
                    assert not morsel["domain"], line
                if morsel["max-age"] == "0" or not morsel.value:
                    self.cookies(url).pop(name, None)
                else:
                    self.cookies(url)[name] = morsel.value


def _fetch_site(start: Page | None, chain: list[str]) -> str:
    """Where a visit comes from, all the redirects on its way included (Fetch Metadata, section 2.3)."""
    if start is None:
        return "none"
    if all(origin(url) == start.origin for url in chain):
        return "same-origin"
    return "same-site" if all(_site(url) == _site(start.url) for url in chain) else "cross-site"


def _site(url: str) -> str:
    """The registrable domain as far as these tests need it: every name under localhost is its own."""
    return urlsplit(url).hostname or ""
