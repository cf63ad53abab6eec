"""A person at the browser: what they do when a page does not come, until the walk is over for them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from html import unescape
from typing import Self

import aiohttp
from support.browser import Browser, Page, TooManyRedirects

MOVES = 12
PATIENCE = 2
"""How often somebody who is stranded goes on at once; then they make themselves a coffee first."""
TROUBLE = (aiohttp.ClientError, TooManyRedirects, OSError)
NOTHING = "about:error"
PING = re.compile(r'data-ping="([^"]*)"')


class LoneBrowser(Browser):
    """A browser that never sends a request twice by itself, as real ones do over connections that they had open."""

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._http._retry_connection = False
        return self

    async def reaches(self, url: str) -> bool:
        """Whether anything answers there, asked as the gateway's page asks: without cookies."""
        try:
            async with self._http.get(url, allow_redirects=False):
                return True
        except TROUBLE:
            return False

    async def hop(self) -> Page:
        """What the script of a hop's page does: it asks the app first, and leaves it out if nobody answers."""
        ping = PING.search(self.page.text)
        if ping is not None and not await self.reaches(unescape(ping[1])):
            return await self.follow("Go on without")
        return await self.submit(next(form for form in self.page.forms if "ticket" in form.fields))


async def see(browser: Browser, act: Awaitable[Page]) -> Page:
    """What ``act`` brings; the browser's own error page if it brings none."""
    try:
        page = await act
    except TROUBLE:
        page = browser.page = Page(NOTHING, 0, {}, "", [], {}, [])
    return page


class Person:
    """Goes on at the gateway whenever stranded, tries once more what failed, and then leaves it out."""

    def __init__(self, browser: LoneBrowser, gateway: str, sites: tuple[str, ...], wait: Callable[[], None]) -> None:
        """``sites`` are the origins of the apps; ``wait`` lets the time of a hop pass."""
        self._browser = browser
        self._gateway = gateway
        self._sites = sites
        self._wait = wait
        self._tried = False
        self._stranded = 0
        self.moves = 0
        """How often they had to do something."""

    async def until_stranded(self) -> None:
        """Lets the browser go on by itself, until it shows what is no page of the gateway's that goes on by itself."""
        while any("ticket" in form.fields for form in self._browser.page.forms):
            await see(self._browser, self._browser.hop())

    async def finish(self) -> str:
        """Goes on until the walk is over; returns where they are then.

        That is ``back`` at a site, the walk's own ``page``, or a page that says that it is over (``gone``).
        """
        while (end := self._end()) is None:
            assert self.moves < MOVES, f"no end in sight at {self._browser.page.url}: {self._browser.page.text[-800:]}"
            await see(self._browser, self._next())
        return end

    def _end(self) -> str | None:
        page = self._browser.page
        if page.origin in self._sites and page.status == 200 and "/chain/" not in page.url and "<h1" in page.text:
            return "back"
        if page.origin != self._gateway:
            return None
        if page.status == 410:
            return "gone"
        return None if page.status != 200 or self._under_way() else "page"

    def _under_way(self) -> bool:
        page = self._browser.page
        ticket = any("ticket" in form.fields for form in page.forms)
        return ticket or any("/relay?" in href or href.endswith("/resume") for href in page.links.values())

    def _next(self) -> Awaitable[Page]:
        """What the browser does by itself; else what a person would do."""
        browser, page = self._browser, self._browser.page
        if page.origin == self._gateway and page.status == 200:
            if any("ticket" in form.fields for form in page.forms):
                return browser.hop()
            self.moves += 1
            return self._choose()
        self.moves += 1
        self._stranded += 1
        if self._stranded > PATIENCE:
            self._wait()
        return browser.open(f"{self._gateway}/resume")

    def _choose(self) -> Awaitable[Page]:
        """On the page of a walk under way: once the main button, the next time the one that leaves the app out."""
        links = self._browser.page.links
        skip = next((said for said in links if said.startswith("Skip")), None)
        if self._tried and skip is not None:
            return self._browser.follow(skip)
        self._tried = True
        return self._browser.follow(
            next(said for said, href in links.items() if "/relay?" in href or "/resume" in href)
        )
