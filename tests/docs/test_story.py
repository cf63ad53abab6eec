"""What README.md tells of a login and a logout is what a browser asks for, line by line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from doc_pages import blocks, page, section
from support.browser import Browser
from support.world import World, a_world


class Listening(Browser):
    """A browser that writes down what it asks for and what status it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.story: list[tuple[str, ...]] = []

    async def _ask(self, method, url, *more):
        answer = await super()._ask(method, url, *more)
        parts = urlsplit(url)
        self.story.append((method, parts.hostname.partition(".")[0], parts.path or "/", str(answer[0])))
        return answer


def told(number: int) -> list[tuple[str, ...]]:
    """The lines of one of the two blocks, without their words."""
    block = blocks(section(page("README.md"), "## What a login and a logout look like"), "text")[number]
    return [tuple(line.split()[:4]) for line in block.text.splitlines()]


@pytest.fixture
async def shop_and_news() -> AsyncIterator[World]:
    """Two sites, a gateway and a provider."""
    async with a_world("shop", "news") as world:
        yield world


async def test_the_login_and_the_logout_are_as_told(shop_and_news):
    """Every request, its host, its path and its status; and both are what they say at their ends."""
    world = shop_and_news
    async with Listening() as browser:
        await world.sign_in(browser)
        assert browser.story == told(0)
        assert await world.signed_in(browser) == {"shop": "demo|alice", "news": "demo|alice"}
        await browser.open(f"{world.apps['shop']}/")
        browser.story.clear()
        await browser.submit()
        await browser.walk_on()
        assert browser.story == told(1)
        assert await world.signed_in(browser) == {}
