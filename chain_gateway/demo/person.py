"""Somebody in front of a browser who wants a walk to come to its end, whatever goes wrong at a site.

They do what pages offer: say yes to the provider, skip a site that takes too long, go on without one that cannot be
reached. Where a page offers nothing, because it is a site's own error or the browser's, or nothing happens for long,
they open the sign-in service again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from playwright.async_api import Error, Locator, Page, Response
from playwright.async_api import TimeoutError as TooLate

from chain_gateway.demo.op import DEMO_ACCOUNTS

ACCOUNT: Final = DEMO_ACCOUNTS[0]
APP_PAGE: Final = "#state"
LAST_PAGE: Final = "main:not(:has(progress)):not(:has(form)) h1"
"""The heading of a page that goes on by nothing but a link: the end of a walk, or an error."""
BUTTONS: Final = (
    f"button[name=account][value={ACCOUNT.username}]",
    "button[name=logout][value=yes]",
    "form:has(input[name=confirm]) button",
    "#lost:not([hidden]) a.button",
    "main:has(#slow:not([hidden])) #acts a",
    "form#hop[data-wait] #acts a",
    "main:has(progress):not(:has(form)) .acts a:not(#go):text-matches('^Skip ')",
    "main:has(progress):not(:has(form)) .acts a.main:not(#go)",
)
"""What a person presses on the way, the first that is there: at the provider, on the page that asks, on a hop's page
that cannot reach its site, that waits for long, or that waits for them, and on the page of a walk under way."""
LOOK_MS: Final = 500
PATIENCE_MS: Final = 9000
"""For how long a person looks at a page on which nothing happens; a hop's page offers to skip after six seconds."""
MOVES: Final = 200
ERROR: Final = 400
BROWSERS_OWN: Final = "chrome-error:"


class Stranded(Exception):
    """Nothing that a person can do brings the walk to its end."""


class Person:
    """One tab, and who sits before it."""

    def __init__(self, page: Page, gateway: str, patience_ms: float = PATIENCE_MS) -> None:
        """``gateway`` is where they know the sign-in service to be."""
        self.page = page
        self._gateway = gateway
        self._patience_ms = patience_ms
        self._status = 0
        self.reopened = 0
        """How often they had to open the sign-in service again."""
        page.on("response", self._seen)

    async def press(self, button: Locator) -> None:
        """Presses ``button``, without waiting for what comes; its page counts no longer for what is waited for."""
        element = await button.element_handle()
        await element.evaluate("button => { button.ownerDocument.documentElement.dataset.left = 'yes' }")
        self._status = 0
        await element.click(no_wait_after=True)

    async def walk_to_the_end(self) -> None:
        """Goes on until a site's own page or the last page of a walk is there; raises Stranded if none ever is."""
        for _ in range(MOVES):
            if await self._settled():
                button = await self._next()
                if button is None:
                    return
                with suppress(Error):  # the page may go on by itself just now
                    await self.press(button)
            else:
                await self._open_again()
        raise Stranded

    async def _settled(self) -> bool:
        """Whether there is something to press, or the end; False if the page offers nothing, or has for too long."""
        wanted = self._there(", ".join((*BUTTONS, APP_PAGE, LAST_PAGE)))
        for _ in range(int(self._patience_ms / LOOK_MS)):
            if self.page.url.startswith(BROWSERS_OWN) or self._is_a_sites_error():
                return False
            with suppress(TooLate):
                await wanted.first.wait_for(timeout=LOOK_MS)
                return True
        return False

    async def _next(self) -> Locator | None:
        """What to press on this page; None at the end."""
        for selector in BUTTONS:
            button = self._there(selector).first
            if await button.count() and await button.is_visible():
                return button
        return None

    async def _open_again(self) -> None:
        self.reopened += 1
        self._status = 0
        with suppress(Error):  # it may lead straight into what is broken
            await self.page.goto(f"{self._gateway}/resume", wait_until="commit", timeout=self._patience_ms)

    def _there(self, selector: str) -> Locator:
        """What fits ``selector`` on a page that was not left yet."""
        return self.page.locator("html:not([data-left])").locator(selector)

    def _is_a_sites_error(self) -> bool:
        return self._status >= ERROR and not self.page.url.startswith(self._gateway)

    def _seen(self, response: Response) -> None:
        """Notes the status of what the tab itself shows."""
        request = response.request
        if request.is_navigation_request() and request.frame == self.page.main_frame:
            self._status = response.status
