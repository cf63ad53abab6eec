"""One Chromium for each file of stories; every person in them has a context of their own."""

from __future__ import annotations

import pytest_asyncio
from playwright.async_api import async_playwright
from support.gallery import CHROMIUM, CHROMIUM_ARGS


@pytest_asyncio.fixture(name="chromium", scope="module", loop_scope="module")
async def run_chromium():
    """A real Chromium, with the back/forward cache that people's browsers have."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(CHROMIUM_ARGS), ignore_default_args=["--disable-back-forward-cache"]
        )
        yield browser
        await browser.close()
