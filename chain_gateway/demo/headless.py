"""One login and one logout in a real browser, judged at each app's own page and by the cookies of its own domain.

Nothing here asks the gateway whether it went well: what an app shows and what a browser keeps is the truth, and what
the gateway says at the end is held against it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Error, Page, async_playwright

from chain_gateway.config import AppSettings
from chain_gateway.demo.op import DEMO_ACCOUNTS
from chain_gateway.demo.report import AppReport, Report
from chain_gateway.demo.settings import Stage
from chain_gateway.demo.verdicts import Expected, Seen, faults_after, faults_before, faults_signed_in
from chain_gateway.demo.watch import Watch
from chain_gateway.errors import ConfigError, Problem
from chain_gateway.sdk.session import named

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ACCOUNT = DEMO_ACCOUNTS[0]
PAGE_SECONDS = 15
APP_SECONDS = 1
NO_SUCH_WALK = 410
"""What the gateway's ``/resume`` answers where no walk is left unfinished."""

APP_PAGE = "#state"
OP_LOGIN = f"button[name=account][value={ACCOUNT.username}]"
OP_LOGOUT = "button[name=logout][value=yes]"
GATEWAY_CONFIRM = "form:has(input[name=confirm]) button"
LAST_PAGE = "main:not(:has(progress)):not(:has(form)) h1"
"""The heading of a page that goes on by nothing but a link: the end of a walk, or an error."""


def find_browser() -> str:
    """The first Chromium in PATH, empty without one."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), "")


async def check(ready: Stage, executable: str) -> Report:
    """Walks through the demo ``ready`` with the browser ``executable``."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        try:
            return await Check(ready, await browser.new_context()).run()
        finally:
            await browser.close()


class Check:
    """The story: look, sign in, look, sign out, look."""

    def __init__(self, ready: Stage, context: BrowserContext) -> None:
        """``context`` is a browser without cookies."""
        self._ready = ready
        self._context = context
        self._apps = [
            AppReport(app.id, look.name, app.origin, expected(app).story)
            for look, app in zip(ready.looks, ready.settings.apps, strict=True)
        ]
        self._report = Report(self._apps)
        self._first = self._apps[first_visited(ready)]
        self._watch = Watch(context)
        context.set_default_timeout((PAGE_SECONDS + APP_SECONDS * len(self._apps)) * 1000)

    async def run(self) -> Report:
        """The report of the whole story; what the browser could not do ends it early."""
        page = await self._context.new_page()
        try:
            await self._each(page, faults_before)
            self._report.sign_in_seconds = await _timed(self._sign_in(page))
            await self._visit_lazy_apps(page)
            await self._each(page, faults_signed_in)
            self._report.sign_out_seconds = await _timed(self._sign_out(page))
            await self._each(page, faults_after)
            await self._judge_the_rest(page)
        except Error as error:
            reason = error.message.partition("\n")[0]
            self._report.faults.append(f"the browser got stuck at {place(page)}: {reason}")
        self._report.faults += self._watch.faults(self._ready)
        return self._report

    async def _each(self, page: Page, judge: Callable[[Seen, Expected], list[str]]) -> None:
        """Looks at each app's own page and judges it."""
        for app, settings in zip(self._apps, self._ready.settings.apps, strict=True):
            app.faults += judge(await self._look(page, app), expected(settings))
            app.looks += 1

    async def _look(self, page: Page, app: AppReport) -> Seen:
        """The page of an app, and the cookies of its host."""
        await page.goto(app.origin + "/")
        state = page.locator(APP_PAGE)
        host = urlsplit(app.origin).hostname
        cookies = [cookie["name"] for cookie in await self._context.cookies() if cookie["domain"] == host]
        epochs = [kind for kind in map(named, cookies) if kind is not None]
        return Seen(
            signed_in=await state.get_attribute("data-signed-in") == "yes",
            sub=await state.evaluate("state => state.dataset.sub || ''"),
            session=max((epoch for letter, epoch in epochs if letter == "s"), default=-1),
            tombstone=max((epoch for letter, epoch in epochs if letter == "t"), default=-1),
        )

    async def _sign_in(self, page: Page) -> None:
        """Signs in once, at the first app."""
        await page.goto(self._first.origin + "/")
        await page.get_by_role("button", name="Sign in").click()
        await page.locator(OP_LOGIN).click()
        end = page.locator(f"{APP_PAGE}, {LAST_PAGE}").first
        await end.wait_for()
        if not page.url.startswith(self._first.origin):
            self._report.faults.append(f"the sign-in ended at {place(page)}: {await end.inner_text()}")

    async def _visit_lazy_apps(self, page: Page) -> None:
        """Opens the protected page of each app that no login visits by itself, as its person would."""
        chain = next(chain.apps for chain in self._ready.settings.chains if self._first.id in chain.apps)
        for app in self._ready.settings.apps:
            if app.login != "none" and (app.visit != "eager" or app.id not in chain):
                await page.goto(app.origin + "/account")
                await page.locator(f"{APP_PAGE}, {LAST_PAGE}").first.wait_for()

    async def _sign_out(self, page: Page) -> None:
        """Signs out everywhere, at the first app, and says yes to whoever asks."""
        await page.goto(self._first.origin + "/")
        button = page.get_by_role("button", name="Sign out everywhere")
        while True:
            async with page.expect_navigation():
                await button.click()
            await page.locator(f"{APP_PAGE}, {LAST_PAGE}, {OP_LOGOUT}, {GATEWAY_CONFIRM}").first.wait_for()
            button = page.locator(f"{OP_LOGOUT}, {GATEWAY_CONFIRM}").first
            if not await button.is_visible():
                break
        await self._read_the_ending(page)

    async def _read_the_ending(self, page: Page) -> None:
        """What the person was told: to be back at the site means that every app has confirmed."""
        if not page.url.startswith(self._ready.gateway):
            self._report.ending = f"back at {self._first.name}"
            return
        self._report.ending = await page.locator("h1").inner_text()
        confirmed = set(await page.locator("ul.apps li.ok b").all_inner_texts())
        for app, settings in zip(self._apps, self._ready.settings.apps, strict=True):
            if app.name not in confirmed and expected(settings).buries:
                app.faults.append("is not confirmed on the last page")

    async def _judge_the_rest(self, page: Page) -> None:
        """The provider's session has ended, and no walk is left unfinished."""
        await page.goto(self._ready.provider + "/")
        if self._ready.settings.op.logout != "none" and await page.locator("#session[data-signed-in=yes]").count():
            self._report.faults.append("the provider's own session has not ended")
        answer = await page.goto(self._ready.gateway + "/resume")
        if answer is None or answer.status != NO_SUCH_WALK:
            self._report.faults.append(f"the gateway still has a walk to go on with: {place(page)}")


def expected(app: AppSettings) -> Expected:
    """What is to come of an app by its configuration."""
    sub = ACCOUNT.sub if app.login != "none" else ""
    return Expected(sub, signs_out=app.logout != "none", buries=app.logout not in {"none", "back_channel"})


def first_visited(ready: Stage) -> int:
    """The number of the first app that a login visits; ConfigError without one."""
    for number, app in enumerate(ready.settings.apps):
        if app.login != "none" and any(app.id in chain.apps for chain in ready.settings.chains):
            return number
    hint = "give at least one app of a chain a login mode"
    raise ConfigError((Problem("--headless-check", "there is nothing to sign in to", hint),))


def place(page: Page) -> str:
    """Where the browser is, without the query, which may hold a ticket."""
    return page.url.partition("?")[0]


async def _timed(work: Awaitable[None]) -> float:
    """How many seconds ``work`` takes."""
    start = time.monotonic()
    await work
    return time.monotonic() - start
