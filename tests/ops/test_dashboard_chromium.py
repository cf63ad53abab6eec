"""The dashboard in a real Chromium without any script: sign in, look at a walk, retry, drop, sign out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from ops_desk import TOKEN, Desk, a_desk, busy
from playwright.async_api import Browser, Page, async_playwright, expect
from support.gallery import CHROMIUM, CHROMIUM_ARGS

from chain_gateway.core.ledger import Holding

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(name="chromium", scope="module", loop_scope="module")
async def run_chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGS))
        yield browser
        await browser.close()


@asynccontextmanager
async def at_desk(chromium: Browser, *expected: str, **options: object) -> AsyncIterator[Page]:
    """A page of somebody without script; what the browser complains of is a failure, unless it is ``expected``."""
    context = await chromium.new_context(java_script_enabled=False, **options)
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    yield page
    await context.close()
    assert not [line for line in said if not any(part in line for part in ("Failed to load resource", *expected))]


async def sign_in(page: Page, desk: Desk, token: str = TOKEN) -> None:
    await page.goto(f"{desk.origin}/dashboard")
    await page.get_by_label("Token").fill(token)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def test_an_operator_needs_no_script(chromium: Browser) -> None:
    """By keyboard at the form; by the names of links and buttons from then on."""
    async with a_desk() as desk, at_desk(chromium) as page:
        await busy(desk.world)
        (owed,) = await desk.world.store.all_owed(10)
        await sign_in(page, desk, "wrong")
        await expect(page.get_by_role("alert")).to_contain_text("not the token")
        await sign_in(page, desk)
        await expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")

        table = page.get_by_role("table", name="Open walks")
        await table.get_by_role("link").click()
        hops = page.get_by_role("table", name="confirmed")
        await expect(hops.get_by_role("row")).to_have_count(4)
        await page.get_by_role("link", name="Drop this walk").click()
        await page.get_by_role("link", name="Keep it").click()
        assert (await desk.world.store.counts()).walks == 1
        await page.get_by_role("table", name="Open walks").get_by_role("link").click()
        await page.get_by_role("link", name="Drop this walk").click()
        await page.get_by_role("button", name="Drop it").click()
        await expect(page.get_by_role("status")).to_contain_text("The walk was dropped")
        assert (await desk.world.store.counts()).walks == 0

        await desk.world.store.defer(owed.browser, owed.entry.app, owed.entry.epoch, 2**40, 3)
        await page.get_by_role("button", name="Retry Bank").click()
        await expect(page.get_by_role("status")).to_contain_text("is due now")
        assert (await desk.world.store.all_owed(10))[0].due <= desk.world.realm.now()
        await page.get_by_role("button", name="Retry all now").click()
        await page.get_by_role("link", name="Drop").click()
        await page.get_by_role("button", name="Drop it").click()
        await expect(page.get_by_role("status")).to_contain_text("may keep the session")
        assert (await desk.world.store.counts()).owed == 0
        assert (await desk.world.store.browser(owed.browser)).ledger["bank"].holding is Holding.LAPSED

        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_label("Token")).to_be_visible()
        await page.goto(f"{desk.origin}/dashboard")
        await expect(page.get_by_label("Token")).to_be_visible()


EVIL = """<!doctype html>
<title>A page on another port of this machine</title>
<iframe src="{desk}/dashboard"></iframe>
<form method="post" action="{desk}/dashboard/retry"><input name="app" value="bank"><button>Win</button></form>"""


async def test_a_page_at_another_port_neither_frames_it_nor_sends_its_forms(chromium: Browser) -> None:
    """Cookies know no ports, so the browser shows it the operator's (T47, T52)."""
    async with a_desk() as desk, at_desk(chromium, "frame-ancestors") as page:
        await busy(desk.world)
        (before,) = await desk.world.store.all_owed(10)
        await sign_in(page, desk)
        app = web.Application()

        async def evil(_: web.Request) -> web.Response:
            return web.Response(text=EVIL.format(desk=desk.origin), content_type="text/html")

        app.add_routes([web.get("/", evil)])
        async with TestServer(app) as server:
            await page.goto(str(server.make_url("/")))
            frame = page.frames[1]
            assert "Dashboard" not in await frame.title()
            assert await frame.get_by_text("Owed logouts").count() == 0
            await page.get_by_role("button", name="Win").click()
            await expect(page.get_by_role("heading", level=1)).to_contain_text("came from elsewhere")
        assert await desk.world.store.all_owed(10) == [before]
        await page.goto(f"{desk.origin}/dashboard")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")


@pytest.mark.parametrize("width", [320, 380, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fits_a_phone_and_is_a_table_for_who_cannot_see(chromium: Browser, width: int, scheme: str) -> None:
    """Nothing is cut off sideways, and lists that look like cards are still tables with named columns."""
    options = {"viewport": {"width": width, "height": 700}, "color_scheme": scheme}
    async with a_desk() as desk, at_desk(chromium, **options) as page:
        await busy(desk.world)
        await sign_in(page, desk)
        walk = await page.get_by_role("table", name="Open walks").get_by_role("link").get_attribute("href")
        for path in ("/dashboard", str(walk), f"{walk}/drop"):
            await page.goto(desk.origin + path)
            widest = await page.locator("body").bounding_box()
            assert widest["width"] <= width
            for each in await page.locator("main *:visible").all():
                box = await each.bounding_box()
                assert box is None or box["x"] + box["width"] <= width + 1, await each.inner_text()
        await page.goto(f"{desk.origin}/dashboard")
        table = page.get_by_role("table", name="Owed logouts")
        assert await table.get_by_role("columnheader").count() == 6
        assert await table.get_by_role("row").count() == 2
        assert await table.get_by_role("cell").count() == 6
