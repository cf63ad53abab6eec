"""One Chromium for the walks through proxies, and one site behind all of them, each proxy in its turn."""

from __future__ import annotations

import pytest_asyncio
from deploy_site import a_site
from playwright.async_api import async_playwright
from support.gallery import CHROMIUM, CHROMIUM_ARGS


@pytest_asyncio.fixture(name="site", scope="module", loop_scope="module")
async def run_site(tmp_path_factory):
    """Two gateways, a provider and three apps."""
    async with a_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest_asyncio.fixture(name="chromium", scope="module", loop_scope="module")
async def run_chromium(site):
    """A real Chromium, which takes this site's one key for good and no other that it does not know."""
    known = f"--ignore-certificate-errors-spki-list={site.authority.pin}"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*CHROMIUM_ARGS, known])
        yield browser
        await browser.close()
