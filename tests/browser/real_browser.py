"""What the stories here share: a browser that is watched, a person who clicks, and eyes for pages and cookies."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Locator, Page, Request
from support.firefox import FRESH
from support.patience import STEP_PATIENCE
from support.world import World, a_world

AXE = Path(__file__).parents[1] / "node/node_modules/axe-core/axe.min.js"
PATIENCE_MS = 1000 * STEP_PATIENCE

HOP = f"{FRESH} #hop button.main"
"""The button of the page that makes a hop; with script it is pressed by itself."""
ENDS = f"{FRESH} #state, {FRESH} main:not(:has(progress)) > h1"
"""What a person comes to: a site's page, or a page of the gateway or the provider that does not go on by itself."""
AT_PROVIDER = f"{FRESH} button[name=account][value={{}}]"
YES = f"{FRESH} button[name=logout][value=yes]"
CONFIRM = f"{FRESH} form:has(input[name=confirm]) button"
BROWSER = "__Host-chain-browser"
"""The one cookie of the gateway that stays."""

TELL_VIOLATIONS = """addEventListener("securitypolicyviolation", event =>
    console.error(`stopped by policy: ${event.effectiveDirective} ${event.blockedURI}`))"""
HELD = "const ask = fetch; window.fetch = (url, how) => url === '{}' ? new Promise(() => {{}}) : ask(url, how)"
"""The page's own question to an app gets no answer, not even that it is late: so a walk stands still until somebody
presses Continue."""
PATIENT = "const hurry = setTimeout; window.setTimeout = (call, ms) => hurry(call, ms === 2000 ? 20000 : ms)"
"""A page waits two seconds for an app's answer to its question; where tests share two cores, that says nothing."""
EVENT = re.compile(r"__Host-chain-([st])-(\d+)")


class Watch:
    """Listens to every page of a context: where its requests went, and what it complained of."""

    def __init__(self, context: BrowserContext, registered: Iterable[str]) -> None:
        """``registered`` are the origins that a request may go to."""
        self._registered = set(registered)
        self.strangers: set[str] = set()
        self.complaints: list[str] = []
        context.on("request", self._request)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def _request(self, request: Request) -> None:
        origin = origin_of(request.url)
        if origin not in self._registered:
            self.strangers.add(origin)

    def _console(self, message: ConsoleMessage) -> None:
        # Browsers report answers of 4xx and 5xx here as well; what page came of them is what a story looks at.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)

    def check(self) -> None:
        """Nothing left the registered hosts (T01), and no page was stopped by its own policy or failed (T48)."""
        assert self.strangers == set()
        assert self.complaints == []


@asynccontextmanager
async def watched(chromium: Browser, registered: Iterable[str], **options: object) -> AsyncIterator[BrowserContext]:
    """A browser without cookies, whose watch must have seen nothing wrong at the end; ``options`` are Playwright's."""
    context = await chromium.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    watch = Watch(context, registered)
    await context.add_init_script(TELL_VIOLATIONS)
    await context.add_init_script(PATIENT)
    try:
        yield context
        watch.check()
    finally:
        await context.close()


@asynccontextmanager
async def in_a_world(
    chromium: Browser, *names: str, javascript: bool = True, **settings: object
) -> AsyncIterator[tuple[World, Person]]:
    """A world (see ``support.world``) and somebody in it; ``settings`` are the world's."""
    async with a_world(*names, **settings) as world:
        known = (world.gateway, world.op.issuer.rstrip("/"), *world.apps.values())
        async with watched(chromium, known, java_script_enabled=javascript) as context:
            yield world, Person(context, await context.new_page(), world.apps, by_hand=not javascript)


class Person:
    """Somebody with a browser: a first tab, the sites that they know, and what they do there."""

    def __init__(self, context: BrowserContext, tab: Page, sites: Mapping[str, str], *, by_hand: bool = False) -> None:
        """``sites`` are origins by the name of the app; ``by_hand`` presses Continue, as pages without script need."""
        self.context = context
        self.tab = tab
        self.sites = dict(sites)
        self._on = f"{YES}, {CONFIRM}, {HOP}" if by_hand else f"{YES}, {CONFIRM}"

    async def looks(self) -> dict[str, str]:
        """Who is signed in where, by each site's own page; sites where nobody is are left out."""
        found = {}
        for name, url in self.sites.items():
            await self.tab.goto(url + "/")
            state = self.tab.locator("#state")
            if await state.get_attribute("data-signed-in") == "yes":
                found[name] = await state.get_attribute("data-sub")
        return found

    async def sign_in(self, site: str = "shop", who: str = "alice", tab: Page | None = None) -> None:
        """The button of the site, that of the account, and the walk to its end."""
        tab = tab or self.tab
        await self.ask_to_sign_in(site, tab)
        await press(tab.locator(AT_PROVIDER.format(who)))
        await self.walk_on(tab)

    async def ask_to_sign_in(self, site: str, tab: Page) -> None:
        """As far as the provider's page."""
        await tab.goto(self.sites[site] + "/")
        await press(tab.get_by_role("button", name="Sign in", exact=True))
        await tab.locator(AT_PROVIDER.format("alice")).wait_for()

    async def sign_out(self, site: str = "shop", tab: Page | None = None) -> None:
        """The button of the site, yes to whoever asks, and the walk to its end."""
        tab = tab or self.tab
        await tab.goto(self.sites[site] + "/")
        await press(tab.get_by_role("button", name="Sign out everywhere"))
        await self.walk_on(tab)

    async def walk_on(self, tab: Page | None = None) -> None:
        """Waits for the end of a walk: yes to whoever asks on the way, and Continue where that is done by hand."""
        tab = tab or self.tab
        while True:
            try:
                await tab.locator(f"{self._on}, {ENDS}").first.wait_for()
            except Error as error:
                error.add_note(f"at {tab.url}\n{await tab.locator('body').inner_text()}")
                raise
            button = tab.locator(self._on)
            if not await button.count():
                return
            await press(button)

    async def epochs(self) -> dict[str, tuple[list[int], list[int]]]:
        """The epochs of the sessions and of the tombstones that the browser has, site by site."""
        return {name: await epochs_at(self.context, url) for name, url in self.sites.items()}


async def press(button: Locator) -> None:
    """Presses ``button``; the page that it stands on no longer counts for what is waited for next."""
    element = await button.element_handle()
    await element.evaluate("button => { button.ownerDocument.documentElement.dataset.left = 'yes' }")
    await element.click()


async def stand_still_at(person: Person, site: str) -> str:
    """Walks stop at the page of the hop to ``site``; returns what finds that page's form."""
    await person.context.add_init_script(HELD.format(person.sites[site] + "/chain/ping"))
    return f"form[action^='{person.sites[site]}/']"


async def findings(tab: Page) -> list[tuple[str, str]]:
    """What axe-core finds wrong with the page that ``tab`` shows."""
    await tab.evaluate(AXE.read_text("utf-8"))
    report = await tab.evaluate("axe.run()")
    return [(found["id"], found["nodes"][0]["html"]) for found in report["violations"]]


async def cookies_at(context: BrowserContext, url: str) -> dict[str, str]:
    """The cookies of the host of ``url``, each held to PROTOCOL 6: no wider, no longer, no more open than it says."""
    found = {}
    for cookie in await context.cookies():
        if cookie["domain"].lstrip(".") != urlsplit(url).hostname:
            continue
        assert cookie["domain"] == urlsplit(url).hostname, cookie["name"]
        assert cookie["name"].startswith("__Host-"), cookie["name"]
        assert (cookie["path"], cookie["sameSite"]) == ("/", "Lax"), cookie["name"]
        assert cookie["secure"], cookie["name"]
        assert cookie["httpOnly"], cookie["name"]
        found[cookie["name"]] = cookie["value"]
    return found


async def epochs_at(context: BrowserContext, url: str) -> tuple[list[int], list[int]]:
    """The epochs of the sessions and of the tombstones that the browser has at ``url``; it has nothing else there."""
    found: dict[str, list[int]] = {"s": [], "t": []}
    for name in await cookies_at(context, url):
        kind, epoch = EVENT.fullmatch(name).groups()
        found[kind].append(int(epoch))
    return sorted(found["s"]), sorted(found["t"])


def origin_of(url: str) -> str:
    """Scheme and authority."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
