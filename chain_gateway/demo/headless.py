"""One login and one logout in a real browser, judged at each app's own page and by the cookies of its own domain.

Nothing here asks the gateway whether it went well: what an app shows and what a browser keeps is the truth, and what
the gateway says at the end is held against it.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Error, Page, async_playwright

from chain_gateway.config import AppSettings
from chain_gateway.demo.faults import Fault, Kind
from chain_gateway.demo.person import ACCOUNT, APP_PAGE, BROWSERS_OWN, PATIENCE_MS, Person, Stranded
from chain_gateway.demo.report import AppReport, Report
from chain_gateway.demo.settings import Stage
from chain_gateway.demo.verdicts import Expected, Seen, faults_after, faults_before, faults_signed_in
from chain_gateway.demo.watch import Watch
from chain_gateway.errors import ConfigError, Problem
from chain_gateway.sdk.session import named

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PAGE_SECONDS: Final = 15
APP_SECONDS: Final = 1
BACK_CHANNEL_SECONDS: Final = 15
"""How long the back channel has to reach the sites that the browser's sign-out did not."""
NO_SUCH_WALK: Final = 410
"""What the gateway's ``/resume`` answers where no walk is left unfinished."""
NOT_NAMED: Final = "not named"
LINES: Final = "ul.apps li"
LINE: Final = "line => [line.querySelector('b').innerText, line.className, line.querySelector('span').innerText]"


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
            AppReport(app.id, app.name or app.id, app.origin, expected(app).story, _broken(ready.faults.get(app.id)))
            for look, app in zip(ready.looks, ready.settings.apps, strict=True)
        ]
        self._report = Report(self._apps)
        self._first = self._apps[first_visited(ready)]
        self._watch = Watch(context)
        self._slow_ms = 1000 * max((fault.seconds for fault in ready.faults.values()), default=0)
        context.set_default_timeout((PAGE_SECONDS + APP_SECONDS * len(self._apps)) * 1000 + self._slow_ms)

    async def run(self) -> Report:
        """The report of the whole story; what the browser could not do ends it early."""
        page = await self._context.new_page()
        # A site that is slow on purpose is waited for, however long that is: what it comes to is what is looked at.
        person = Person(page, self._ready.gateway, PATIENCE_MS + self._slow_ms)
        try:
            await self._each(page, faults_before)
            self._report.sign_in_seconds = await _timed(self._sign_in(person))
            await self._visit_lazy_apps(person)
            await self._each(page, faults_signed_in)
            self._report.sign_out_seconds = await _timed(self._sign_out(person))
            await self._wait_for_the_back_channel(page)
            await self._each(page, faults_after)
            await self._judge_the_rest(page)
        except Stranded:
            self._report.faults.append(f"the person was stranded at {place(page)}")
        except Error as error:
            reason = error.message.partition("\n")[0]
            self._report.faults.append(f"the browser got stuck at {place(page)}: {reason}")
        self._report.faults += self._watch.faults(self._ready)
        return self._report

    async def _each(self, page: Page, judge: Callable[[Seen, Expected], list[str]]) -> None:
        """Looks at each app's own page and judges it; one that fails on purpose, by what the gateway claims of it."""
        for app, settings in zip(self._apps, self._ready.settings.apps, strict=True):
            seen = await self._look(page, app)
            wanted = expected(settings)
            if app.broken:
                wanted = Expected(wanted.sub, wanted.signs_out, buries=False)
            if seen is not None and not (app.broken and judge is faults_signed_in and not app.claimed):
                app.faults += judge(seen, wanted)
            if seen is None and app.claimed:
                app.faults.append("cannot be reached, and is called confirmed")
            app.reached = seen is not None
            app.looks += 1

    async def _look(self, page: Page, app: AppReport) -> Seen | None:
        """The page of an app, and the cookies of its host; None where an app that fails on purpose has no page."""
        try:
            await page.goto(app.origin + "/")
        except Error:
            if not app.broken:
                raise
            await page.wait_for_url(f"{BROWSERS_OWN}**")  # its own error page comes a moment later
            return None
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

    async def _sign_in(self, person: Person) -> None:
        """Signs in once, at the first app."""
        await person.page.goto(self._first.origin + "/")
        await person.press(person.page.get_by_role("button", name="Sign in"))
        await person.walk_to_the_end()
        ending = await self._read_the_ending(person.page, "sign-in")
        missed = [app for app in self._visited() if not app.claimed]
        if any(not app.broken for app in missed):
            self._report.faults.append(f"the sign-in ended at {place(person.page)}: {ending}")
        elif bool(missed) is not self._is_at_gateway(person.page):
            self._report.faults.append(f"the sign-in ended at {place(person.page)}, which does not fit what came of it")

    async def _visit_lazy_apps(self, person: Person) -> None:
        """Opens the protected page of each app that no login visits by itself, as its person would."""
        eager = self._visited()
        for app, settings in zip(self._apps, self._ready.settings.apps, strict=True):
            if settings.login != "none" and app not in eager and not app.broken:
                await person.page.goto(app.origin + "/account")
                await person.walk_to_the_end()

    def _visited(self) -> list[AppReport]:
        """The apps that the sign-in at the first one visits by itself."""
        chain = next(chain.apps for chain in self._ready.settings.chains if self._first.id in chain.apps)
        eager = {app.id for app in self._ready.settings.apps if app.visit == "eager" and app.login != "none"}
        return [app for app in self._apps if app is self._first or (app.id in eager and app.id in chain)]

    async def _sign_out(self, person: Person) -> None:
        """Signs out everywhere, at the first app, and says yes to whoever asks."""
        page = person.page
        await page.goto(self._first.origin + "/")
        await person.press(page.get_by_role("button", name="Sign out everywhere"))
        await person.walk_to_the_end()
        self._report.ending = await self._read_the_ending(page, "sign-out")
        for app, settings in zip(self._apps, self._ready.settings.apps, strict=True):
            if not app.claimed and not app.broken and expected(settings).buries:
                app.faults.append("is not confirmed on the last page")

    async def _wait_for_the_back_channel(self, page: Page) -> None:
        """Looks again at the last page until every site that is there has confirmed, or there was time enough."""
        again = page.get_by_role("link", name="Look again")
        for _ in range(BACK_CHANNEL_SECONDS):
            missing = [app for app in self._apps if not app.claimed and app.broken != Kind.DOWN]
            if not missing or not self._is_at_gateway(page) or not await again.count():
                return
            await asyncio.sleep(1)
            await again.click()
            await self._read_the_ending(page, "later")

    async def _read_the_ending(self, page: Page, when: str) -> str:
        """What the person is told in the end; to be back at the site means that every app has confirmed.

        It says nothing of an app that fails and that no walk need have visited: not at the sign-in by its policy, and
        not at the sign-out because it never was called signed in.
        """
        if not self._is_at_gateway(page):
            visited = self._visited()
            for app in self._apps:
                said = not app.broken or (app.claimed if app.words else app in visited)
                app.told(when, "confirmed" if said else NOT_NAMED, claimed=said)
            return f"back at {self._first.name}"
        lines = await page.locator(LINES).evaluate_all(f"lines => lines.map({LINE})")
        told = {name: (icon, words) for name, icon, words in lines}
        for app in self._apps:
            icon, words = told.get(app.name, ("", NOT_NAMED))
            app.told(when, words, claimed=icon == "ok")
        return await page.locator("h1").inner_text()

    def _is_at_gateway(self, page: Page) -> bool:
        return page.url.startswith(self._ready.gateway)

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
    """The number of the first app that is well and that a login visits; ConfigError without one."""
    for number, app in enumerate(ready.settings.apps):
        well = not _broken(ready.faults.get(app.id))
        if well and app.login != "none" and any(app.id in chain.apps for chain in ready.settings.chains):
            return number
    hint = "give at least one app of a chain a login mode, and leave it well"
    raise ConfigError((Problem("--headless-check", "there is nothing to sign in to", hint),))


def _broken(fault: Fault | None) -> str:
    """What fails on purpose, so that a hop there does not come to its end; empty where nothing does."""
    return fault.kind if fault is not None and fault.breaks else ""


def place(page: Page) -> str:
    """Where the browser is, without the query, which may hold a ticket."""
    return page.url.partition("?")[0]


async def _timed(work: Awaitable[None]) -> float:
    """How many seconds ``work`` takes."""
    start = time.monotonic()
    await work
    return time.monotonic() - start
