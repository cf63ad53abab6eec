"""The pages of refusals in a real Chromium, on a phone: short headings, and codes that can be read out."""

from __future__ import annotations

import pytest
from playwright.async_api import async_playwright
from support.gallery import CHROMIUM, CHROMIUM_ARGS, GATEWAY, states

from chain_gateway.web.pages import Pages

pytestmark = pytest.mark.browser

REFUSALS = {name: page for name, page in states().items() if name.startswith("error")}
SIGN = 2.6
"""How many lines of the heading the sign above it is high."""
HEADING_LINES = "heading => heading.getBoundingClientRect().height / parseFloat(getComputedStyle(heading).lineHeight)"
WITH_WORD_BEFORE = """code => {
    const text = code.previousSibling, range = new Range();
    range.setStart(text, text.data.trimEnd().lastIndexOf(" ") + 1);
    range.setEndAfter(code);
    return range.getBoundingClientRect().height / parseFloat(getComputedStyle(code.parentElement).lineHeight);
}"""


async def test_a_refusal_fits_a_phone() -> None:
    """The sign and three lines of heading are the most; a code is not parted from the word that says what it is."""
    pages = Pages("Example ID", GATEWAY, None, None)
    heights, parted = {}, {}
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGS))
        tab = await chromium.new_page(viewport={"width": 380, "height": 560})
        for name, page in REFUSALS.items():
            await tab.set_content(pages.render(page, status=page.status).html)
            heights[name] = await tab.locator("h1").evaluate(HEADING_LINES)
            parted[name] = await tab.locator(".quiet code").last.evaluate(WITH_WORD_BEFORE)
        await chromium.close()
    assert {"error-403", "error-408", "error-429"} <= heights.keys()
    assert {name: height for name, height in heights.items() if height > SIGN + 3} == {}
    assert {name: height for name, height in parted.items() if height > 1} == {}
