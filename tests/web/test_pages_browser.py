"""The pages in a real Chromium: they go on by themselves, never leave a person stuck, and hold what they promise.

The gateway and the apps are one loopback server here, told apart by host: to the browser they are foreign sites.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import async_playwright
from support.gallery import CHROMIUM, CHROMIUM_ARGS, REVEAL, a_hop, states, still
from support.patience import STEP_PATIENCE

from chain_gateway.service.views import ConfirmPage, PausePage
from chain_gateway.web.pages import Pages

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

AXE = Path(__file__).parents[1] / "node/node_modules/axe-core/axe.min.js"
HOSTILE = '<img src=x onerror=pwned=1><script>pwned=1</script>"\' onfocus=pwned=1 autofocus x="'
STATES = states()


PAGES = Pages("Example ID", "https://login.example", None, None)


class Stage:
    """Hosts of one loopback server. ``pages`` is what the gateway shows by path; ``seen`` every request that came."""

    def __init__(self):
        self.pages = {}
        self.seen = []
        self.hang = asyncio.Event()
        self.port = 0

    def origin(self, name):
        return f"http://{name}.localhost:{self.port}"

    @property
    def gateway(self):
        return self.origin("login")

    async def handle(self, request):
        fields = dict(await request.post())
        self.seen.append(
            (request.method, f"{request.scheme}://{request.host}{request.path_qs}", request.headers, fields)
        )
        if request.path.endswith("/hang"):
            await self.hang.wait()
        if request.path == "/chain/ping":
            return web.Response(status=204)
        if request.path == "/chain/hop":
            return web.Response(status=303, headers={"Location": request.query.get("to", f"{self.gateway}/arrived")})
        if request.path in self.pages and request.host.startswith("login."):
            rendered = Pages("Example ID", self.gateway, None, None).render(self.pages[request.path], status=200)
            headers = {"Cache-Control": "no-store"} if "nostore" in request.query else {}
            return web.Response(text=rendered.html, content_type="text/html", headers={**rendered.headers, **headers})
        text = f'<!doctype html><title>t</title><iframe src="{request.query.get("frame", "about:blank")}"></iframe>'
        return web.Response(text=text, content_type="text/html")

    def requests(self, method, url):
        """The headers and fields of each request of ``method`` to ``url``."""
        return [(headers, fields) for seen, at, headers, fields in self.seen if (seen, at) == (method, url)]

    def hop(self, **changes):
        """A hop at ``bank``, put at ``/hop`` of the gateway; returns its address."""
        bank = self.origin("bank")
        values = {
            "app_name": "Bank",
            "hop_url": f"{bank}/chain/hop",
            "ping_url": f"{bank}/chain/ping",
            "skip_url": f"{self.gateway}/skipped",
            "unreachable_url": f"{self.gateway}/unreachable",
            "form_origins": (self.gateway, bank),
        }
        self.pages["/hop"] = a_hop(apps=4, at=2, **(values | changes))
        return f"{self.gateway}/hop"


@pytest_asyncio.fixture(name="chromium", scope="module", loop_scope="module")
async def run_chromium():
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(CHROMIUM_ARGS), ignore_default_args=["--disable-back-forward-cache"]
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module", name="stage")
async def build_stage():
    stage = Stage()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", stage.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stage.port = site._server.sockets[0].getsockname()[1]
    yield stage
    stage.hang.set()
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="module", name="tab")
async def open_tab(chromium):
    context = await chromium.new_context()
    context.set_default_timeout(1000 * STEP_PATIENCE)
    yield await context.new_page()
    await context.close()


@pytest_asyncio.fixture(loop_scope="module", name="plain_tab")
async def open_tab_without_script(chromium):
    context = await chromium.new_context(java_script_enabled=False)
    context.set_default_timeout(1000 * STEP_PATIENCE)
    yield await context.new_page()
    await context.close()


async def show_lost(stage, tab, **changes):
    """The hop's page of an app that the browser cannot reach, with a clock that the test turns."""
    await tab.clock.install()
    await tab.goto(stage.hop(ping_url="http://bank.localhost:1/chain/ping", **changes))
    await tab.locator("#lost").wait_for()


async def test_a_hop_goes_on_by_itself_once_the_app_was_reached(stage, tab):
    """The app is asked without credentials, then gets the ticket with the gateway's Origin and no path of it."""
    await tab.goto(stage.hop(ticket="t.i.c"))
    await tab.wait_for_url("**/arrived")
    (_, url, ping, _), (_, _, post, fields) = stage.seen[1:3]
    assert url == f"{stage.origin('bank')}/chain/ping"
    assert ping["Sec-Fetch-Mode"] == "no-cors"
    # Chromium says how it stands with cookies wherever a request may carry them.
    assert "Sec-Fetch-Storage-Access" not in ping
    assert fields == {"ticket": "t.i.c"}
    assert post["Origin"] == stage.gateway
    assert post["Referer"] == f"{stage.gateway}/"
    assert post["Content-Type"] == "application/x-www-form-urlencoded"


async def test_a_hop_that_asks_nobody_goes_on_at_once(stage, tab):
    """Without a ping URL the form is sent right away, once."""
    await tab.goto(stage.hop(ping_url=""))
    await tab.wait_for_url("**/arrived")
    assert [url for _, url, _, _ in stage.seen if "ping" in url] == []
    assert len(stage.requests("POST", f"{stage.origin('bank')}/chain/hop")) == 1


async def test_without_script_the_button_does_it(stage, plain_tab):
    """The page says what to press, and the POST carries the gateway's Origin just the same."""
    await plain_tab.goto(stage.hop())
    assert await plain_tab.locator("noscript p").is_visible()
    await plain_tab.get_by_role("button", name="Continue").click()
    await plain_tab.wait_for_url("**/arrived")
    ((headers, _),) = stage.requests("POST", f"{stage.origin('bank')}/chain/hop")
    assert headers["Origin"] == stage.gateway


async def test_a_broken_script_leaves_the_button(stage, tab):
    """Where the browser lacks what the script calls, nothing happens by itself and everything works by hand."""
    await tab.add_init_script("window.fetch = () => { throw new Error('broken') }")
    await tab.goto(stage.hop())
    await tab.get_by_role("button", name="Continue").click()
    await tab.wait_for_url("**/arrived")


async def test_an_app_that_this_browser_cannot_reach_is_told_and_passed(stage, tab):
    """The page says so, counts down where a person can see it, and goes on without the app."""
    await show_lost(stage, tab)
    assert await tab.get_by_text("This browser can\N{RIGHT SINGLE QUOTATION MARK}t reach Bank right now.").is_visible()
    assert not await tab.get_by_role("button", name="Continue").is_visible()
    assert await tab.get_by_role("timer").inner_text() == "10"
    await tab.clock.run_for(4000)
    assert await tab.get_by_role("timer").inner_text() == "6"
    await tab.clock.run_for(6000)
    await tab.wait_for_url("**/unreachable")
    assert not stage.requests("POST", f"{stage.origin('bank')}/chain/hop")


async def test_an_app_that_does_not_answer_the_question_in_time_counts_as_unreachable(stage, tab):
    """Two seconds are the limit, so a hanging app cannot keep the page."""
    await tab.clock.install()
    await tab.goto(stage.hop(ping_url=f"{stage.origin('bank')}/hang"))
    assert await tab.locator("#lost").is_hidden()
    await tab.clock.run_for(2000)
    await tab.locator("#lost").wait_for()


async def test_the_countdown_can_be_stopped(stage, tab):
    """WCAG 2.2.1: who wants to stay stays, for as long as they like, and can still try."""
    await show_lost(stage, tab)
    await tab.get_by_role("button", name="Stay here").click()
    await tab.clock.run_for(60_000)
    assert tab.url.endswith("/hop")
    assert await tab.locator("#count").is_hidden()
    await tab.get_by_role("button", name="Try anyway").click()
    await tab.wait_for_url("**/arrived")


async def test_a_key_stops_the_countdown_and_the_focus_stays_on_the_page(stage, tab):
    """Whoever moves through the page by keyboard is not thrown off it, nor left without a place."""
    await show_lost(stage, tab)
    await tab.get_by_role("button", name="Stay here").focus()
    await tab.keyboard.press("Shift")
    await tab.clock.run_for(60_000)
    assert tab.url.endswith("/hop")
    assert await tab.evaluate("document.activeElement.id") == "again"


async def test_one_can_go_on_without_the_app_at_once(stage, tab):
    """The link does what the countdown would do."""
    await show_lost(stage, tab)
    await tab.get_by_role("link", name="Go on without Bank").click()
    await tab.wait_for_url("**/unreachable")


HASTY = """
    const patient = window.setTimeout;
    window.setTimeout = (call, ms) => patient(call, ms > 2000 ? ms / 50 : ms);
    setInterval(() => document.getElementById("slow")?.hidden === false && console.log("told"), 50);
"""
"""Long waits at fifty times the speed, and a word when the page says that an app is slow: a page can't be asked while
the browser is on its way out of it."""


async def test_a_slow_app_is_told_and_can_be_skipped(stage, tab):
    """While the app keeps the browser waiting, the page is still there with a word and a way out."""
    await tab.add_init_script(HASTY)
    hang = f"{stage.origin('bank')}/hang"
    async with tab.expect_console_message(lambda message: message.text == "told"):
        await tab.goto(stage.hop(hop_url=hang), wait_until="commit")
    for key in ("Tab", "Tab", "Enter"):
        await tab.keyboard.press(key)
    await tab.wait_for_url("**/skipped")
    assert len(stage.requests("POST", hang)) == 1


async def test_a_double_click_is_one_click_and_a_later_one_counts(stage, tab):
    """The ticket is not sent twice by a nervous hand, but a person who tries again after a while is heard."""
    told = []
    tab.on("console", lambda message: told.append(message.text))
    await tab.add_init_script("addEventListener('submit', event => console.log(event.defaultPrevented))")
    await tab.clock.install()
    nowhere = f"{stage.origin('bank')}/chain/ping"
    await tab.goto(stage.hop(ping_url=f"{stage.origin('bank')}/hang", hop_url=nowhere))
    button = tab.get_by_role("button", name="Continue")
    async with tab.expect_response(nowhere):
        await button.click()
    await button.click()
    await tab.clock.run_for(3000)
    async with tab.expect_response(nowhere):
        await button.click()
    assert told == ["false", "true", "false"]
    assert len(stage.requests("POST", nowhere)) == 2


async def test_back_asks_where_the_walk_stands(stage, tab):
    """T58: a page that comes back from the browser's memory is asked for anew instead of being used again."""
    await tab.add_init_script("addEventListener('pageshow', event => console.log(`kept: ${event.persisted}`))")
    await tab.goto(stage.hop(ping_url="http://bank.localhost:1/chain/ping"))
    await tab.locator("#lost").wait_for()
    await tab.evaluate("location.href = '/other'")
    await tab.wait_for_url("**/other")
    stage.pages["/hop"] = STATES["walk-signed-in"]
    async with tab.expect_console_message(lambda message: message.text == "kept: true"):
        await tab.go_back(wait_until="commit")
    await tab.get_by_role("heading", name="You are signed in").wait_for()


async def test_chromium_holds_the_form_to_the_origins_that_the_page_names(stage, tab):
    """T48: a redirect after the POST passes where it is named, and is stopped where it is not."""
    onward = f"{stage.origin('bank')}/chain/hop?to={stage.origin('shop')}/here"
    named = (stage.gateway, stage.origin("bank"), stage.origin("shop"))
    await tab.goto(stage.hop(hop_url=onward, form_origins=named))
    await tab.wait_for_url(f"{stage.origin('shop')}/here")
    async with tab.expect_console_message(lambda message: "form-action" in message.text):
        await tab.goto(stage.hop(hop_url=onward))
    assert tab.url.endswith("/hop")
    assert len(stage.requests("GET", f"{stage.origin('shop')}/here")) == 1


@pytest.mark.parametrize("name", ["hop-login", "confirm-all", "walk-signed-in"])
async def test_no_page_can_be_framed(name, stage, tab):
    """T47: another site's frame stays empty, by the page's own policy."""
    stage.pages["/page"] = STATES[name]
    await tab.goto(f"{stage.origin('evil')}/?frame={stage.gateway}/page")
    (frame,) = tab.main_frame.child_frames
    assert await frame.locator("main").count() == 0
    assert stage.requests("GET", f"{stage.gateway}/page")


@pytest.mark.parametrize("name", ["hop-login", "pause", "confirm-all", "walk-signed-out-partly", "error-links"])
async def test_hostile_text_runs_nothing(name, stage, tab):
    """T46: neither text nor a link of a hostile spelling is ever executed."""
    link = "javascript:pwned=1"
    values = {"app_name": HOSTILE, "ticket": HOSTILE, "skip_url": link, "continue_url": link, "stay_url": link}
    values |= {"text": HOSTILE, "help": HOSTILE, "continue_name": HOSTILE, "ping_url": "http://bank.localhost:1/"}
    values |= {"sites": (HOSTILE, HOSTILE), "fields": ((HOSTILE, HOSTILE),), "aborted_by": HOSTILE}
    page = STATES[name]
    page = replace(page, **{key: value for key, value in values.items() if hasattr(page, key)})
    stage.pages["/page"] = page
    await tab.goto(f"{stage.gateway}/page")
    for anchor in await tab.locator("a[href^=javascript]").all():
        if await anchor.is_visible():
            await anchor.click()
    assert await tab.evaluate("'pwned' in window") is False
    assert await tab.locator("main img, main script").count() == 0


async def test_a_pause_goes_on_and_leaves_no_trace_in_the_history(stage, tab):
    """Back does not lead into a page that goes forward again."""
    stage.pages["/pause"] = PausePage(STATES["pause"].view, f"{stage.gateway}/further")
    await tab.goto(f"{stage.gateway}/before")
    await tab.goto(f"{stage.gateway}/pause", wait_until="commit")
    await tab.wait_for_url("**/further")
    await tab.go_back(wait_until="commit")
    assert tab.url.endswith("/before")


async def test_a_pause_goes_on_without_script(stage, plain_tab):
    """The refresh in ``noscript`` does it, and the URL survives as it is."""
    stage.pages["/pause"] = PausePage(STATES["pause"].view, f"{stage.gateway}/further?a=1&b='2;3'")
    await plain_tab.goto(f"{stage.gateway}/pause", wait_until="commit")
    await plain_tab.wait_for_url("**/further?a=1&b=*2;3*")


async def test_the_question_is_answered_by_a_form(stage, plain_tab):
    """The hidden fields arrive, and the redirect that follows may lead to a named app."""
    shop = stage.origin("shop")
    fields = (("confirm", "sealed&=\"'"), ("x", "y"))
    stage.pages["/ask"] = ConfirmPage(("Shop", "News"), fields, f"{shop}/", form_origins=(shop,))
    await plain_tab.goto(f"{stage.gateway}/ask")
    await plain_tab.get_by_role("button", name="Sign out").click()
    ((_, sent),) = stage.requests("POST", f"{stage.gateway}/logout")
    assert sent == dict(fields)


async def test_nothing_of_a_page_is_refused_by_its_own_policy(stage, tab):
    """Style and script have the hashes that the policy names, as Chromium computes them."""
    complaints = []
    tab.on("console", lambda message: complaints.append(message.text))
    nowhere = f"{stage.origin('bank')}/chain/ping"
    stays = {"ping_url": nowhere, "hop_url": nowhere, "form_origins": (stage.origin("bank"),), "continue_url": "#"}
    for name, page in STATES.items():
        stage.pages[f"/{name}"] = replace(page, **{key: value for key, value in stays.items() if hasattr(page, key)})
        await tab.goto(f"{stage.gateway}/{name}", wait_until="commit")
        await tab.locator("h1").wait_for()
        assert await tab.evaluate("getComputedStyle(document.querySelector('h1')).marginTop") == "0px"
    assert complaints == []


async def test_the_keyboard_walks_a_hop_in_the_order_of_reading(stage, tab):
    """Continue, then skip; each with an outline that can be seen."""
    await tab.clock.install()
    await tab.goto(stage.hop(ping_url=f"{stage.origin('bank')}/hang"))
    walked = []
    for _ in range(2):
        await tab.keyboard.press("Tab")
        walked.append(await tab.evaluate("document.activeElement.textContent"))
        assert await tab.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
    assert walked == ["Continue", "Skip Bank"]


@pytest.mark.parametrize(("scheme", "width"), [("light", 320), ("dark", 1280)])
async def test_each_page_is_accessible(scheme, width, chromium):
    """No finding of axe-core in any state, targets of 44 px, and nothing to scroll sideways on a phone of 320 px."""
    context = await chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 700})
    await context.add_init_script(path=AXE)
    tab = await context.new_page()
    findings = []
    for name, page in STATES.items():
        await tab.set_content(still(PAGES.render(page, status=200).html))
        await tab.evaluate(REVEAL.get(name, "0"))
        report = await tab.evaluate("axe.run({ rules: { 'target-size': { enabled: true } } })")
        findings += [(name, found["id"], found["nodes"][0]["html"]) for found in report["violations"]]
        findings += [(name, "small", html) for html in await tab.evaluate(SMALL_TARGETS)]
        if await tab.evaluate("document.documentElement.scrollWidth > innerWidth"):
            findings.append((name, "wider than the window", width))
    await context.close()
    assert findings == []


SMALL_TARGETS = """[...document.querySelectorAll('a, button, summary')]
    .filter(e => e.offsetParent && e.getBoundingClientRect().height < 44).map(e => e.outerHTML)"""


async def test_who_wants_no_motion_sees_none(chromium, stage):
    """prefers-reduced-motion stops the only thing that moves."""
    for motion, running in (("reduce", 0), ("no-preference", 1)):
        context = await chromium.new_context(reduced_motion=motion)
        tab = await context.new_page()
        await tab.clock.install()
        await tab.goto(stage.hop(ping_url=f"{stage.origin('bank')}/hang"))
        assert await tab.evaluate("document.getAnimations().length") == running
        await context.close()
