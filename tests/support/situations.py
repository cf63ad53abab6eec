"""Situations that several tests begin with, and what a page's policy says."""

from __future__ import annotations

import re
from dataclasses import replace

from support.browser import Browser, Page
from support.world import World, choose


async def declared_down(world: World, name: str) -> None:
    """Lets an app fail until its breaker is open."""
    world.fronts[name].down()
    for _ in range(4):
        world.clock.now += 11
        await world.look()


async def at_the_provider(world: World, browser: Browser) -> None:
    """Signs Alice in at the provider alone: the gateway has not heard of it."""
    browser.halt_at = f"{world.gateway}/callback"
    await browser.open(f"{world.gateway}/login?app=shop")
    await choose(browser)
    browser.halt_at, browser.page = "", None


def named(world: World, length: int) -> None:
    """Gives Alice a name of that length."""
    accounts = world.op._state.accounts
    accounts["demo|alice"] = replace(accounts["demo|alice"], name="x" * length)


def form_action(page: Page) -> set[str]:
    """The origins that the page's policy lets its form pass through."""
    found = re.search("form-action ([^;]*)", page.headers["Content-Security-Policy"])
    assert found is not None
    return set(found[1].split())
