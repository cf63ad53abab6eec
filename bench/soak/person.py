"""A person at the browser: what they do when a page does not go on by itself, until the walk is over for them."""

from __future__ import annotations

import asyncio
import json
import re
import time
from html import unescape
from typing import Final

from bench.soak.browser import Closed, Tab, origin_of
from bench.soak.checks import REDIRECTS
from bench.soak.trace import Told, Trip

PATIENCE: Final = 90
"""Seconds after which somebody who gets no further is stranded."""
PAUSE: Final = 0.5
"""How long somebody looks at an error before they try again."""
OK: Final = 200
GONE: Final = 410
FAILED: Final = 500
OP_PATHS: Final = frozenset({"/login", "/session/end/confirm"})

_HOP: Final = re.compile(r'<form id="hop" method="post" action="([^"]+)" data-ping="([^"]*)" data-lost="([^"]*)"')
_TICKET: Final = re.compile(r'name="ticket" value="([^"]+)"')
_GO: Final = re.compile(r'id="go" href="([^"]+)"')
_FORM: Final = re.compile(r'<form method="post" action="(/[^"]+)">(.*?)</form>', re.DOTALL)
_FIELD: Final = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
_LINK: Final = re.compile(r'<a class="(?:button main|button|link)" href="([^"]+)">([^<]*)<')
_CODE: Final = re.compile(r"(?:code <code>|<small>)([a-z_.]+)<")


class Person:
    """Somebody with one tab. ``gateway`` and ``op`` are origins, ``sites`` those of the apps by name."""

    def __init__(self, tab: Tab, gateway: str, op: str, sites: dict[str, str]) -> None:
        """Signs in as the browser's owner."""
        self.tab = tab
        self._gateway = gateway
        self._op = op
        self._sites = sites
        self._moves = 0
        self._tried = False

    async def sign_in(self, app: str) -> str:
        """Signs in from ``app``; how that ended."""
        return await self._trip("login", self.tab.open(f"{self._sites[app]}/chain/login"))

    async def sign_out(self, app: str) -> str:
        """Signs out everywhere from ``app``, reads what came of it, and how that ended."""
        await self.tab.open(f"{self._sites[app]}/")
        self.tab.walk = ""
        end = await self._trip("logout", self.tab.post(f"{self._sites[app]}/chain/logout"))
        if self.tab.walk and end != "left":
            await self._read()
        return end

    async def _trip(self, wanted: str, first: object) -> str:
        tab = self.tab
        began, self._moves, self._tried, tab.redirects = time.monotonic(), 0, False, 0
        try:
            await first  # type: ignore[misc]
            end = await self._until_over(began)
        except Closed:
            end = "left"
        took = time.monotonic() - began
        way = tuple(tab.way) if tab.redirects > REDIRECTS else ()
        tab.browser.trace.trips.append(Trip(tab.browser.number, wanted, end, took, self._moves, tab.redirects, way))
        return end

    async def _until_over(self, began: float) -> str:
        while (end := self._end()) is None:
            if time.monotonic() - began > PATIENCE:
                return f"stranded at {origin_of(self.tab.url)} with {self.tab.status}"
            await self._next()
        return end

    def _end(self) -> str | None:
        tab = self.tab
        if tab.origin in self._sites.values() and tab.status == OK and 'id="state"' in tab.text:
            return "back"
        if tab.origin != self._gateway or tab.status in {0, *range(FAILED, FAILED + 100)}:
            return None
        if tab.status == GONE:
            return "gone"
        if tab.status != OK:
            self._met()
            return "page"
        return None if self._under_way() or "<form" in tab.text else "page"

    def _under_way(self) -> bool:
        return any("/relay?" in link or link.endswith("/resume") for link, _ in _LINK.findall(self.tab.text))

    async def _next(self) -> None:
        """What the browser does by itself; else what a person would do."""
        tab = self.tab
        if tab.status == OK and (hop := _HOP.search(tab.text)) and (ticket := _TICKET.search(tab.text)):
            url, ping, lost = (unescape(text) for text in hop.groups())
            if ping and not await tab.reaches(ping):
                await tab.open(lost)
            else:
                await tab.post(url, ticket=ticket[1])
        elif tab.status == OK and (go := _GO.search(tab.text)):
            await tab.open(unescape(go[1]))
        elif tab.status == OK and (form := _FORM.search(tab.text)) and tab.origin in {self._op, self._gateway}:
            await self._say_yes(form[1], form[2])
        elif tab.status == OK and tab.origin == self._gateway:
            self._moves += 1
            await tab.open(self._choice())
        else:
            await self._try_again()

    async def _say_yes(self, action: str, body: str) -> None:
        fields = {name: unescape(value) for name, value in _FIELD.findall(body)}
        answers = {"account": self.tab.browser.who, "logout": "yes"} if self.tab.origin == self._op else {}
        self._moves += 1
        await self.tab.post(self.tab.origin + action, **fields, **answers)

    def _choice(self) -> str:
        """On the page of a walk under way: once the main button, the next time the one that leaves the app out."""
        links = [(unescape(link), text) for link, text in _LINK.findall(self.tab.text)]
        skip = next((link for link, text in links if text.startswith("Skip")), "")
        if self._tried and skip:
            return self._absolute(skip)
        self._tried = True
        return self._absolute(next(link for link, _ in links if "/relay?" in link or link.endswith("/resume")))

    def _absolute(self, link: str) -> str:
        return link if "://" in link else self._gateway + link

    async def _try_again(self) -> None:
        """An error, an empty tab, or a site that shows something else: after a moment, on at the gateway."""
        self._met()
        self._moves += 1
        await asyncio.sleep(PAUSE)
        await self.tab.open(f"{self._gateway}/resume")

    def _met(self) -> None:
        """Counts what was met, by its cause."""
        tab = self.tab
        if tab.status:
            code = _CODE.search(tab.text)
            place = "gateway" if tab.origin == self._gateway else tab.origin.partition("//")[2].partition(".")[0]
            tab.browser.trace.trouble[f"{tab.status} {code[1] if code else ''} at {place}".replace("  ", " ")] += 1

    async def _read(self) -> None:
        """Reads the logout's own page; where the store has lost the walk, there is none."""
        tab = self.tab
        walk, epoch = tab.walk, tab.epoch
        await tab.open(f"{self._gateway}/walks/{walk}", accept="application/json")
        if tab.status != OK:
            return
        page = json.loads(tab.text)
        if page.get("kind") == "logout":
            outcomes = {line["id"]: line["outcome"] for line in page["apps"]}
            tab.browser.trace.told.append(Told(tab.browser.number, walk, epoch, outcomes))
