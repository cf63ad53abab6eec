"""Every way to make a hop in one chain, in a real Chromium: what each page's policy allows must fit what follows."""

from __future__ import annotations

import random
from contextlib import asynccontextmanager

import pytest
from real_browser import CONFIRM, in_a_world, press
from support.foreign_app import SECRET, TEMPLATES, ForeignApp

from chain_gateway.demo.op.model import OpClient

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

MODES = {
    "shop": ("form_post", "redirect"),
    "news": ("two_step", "redirect"),
    "bank": ("form_post", "form_post"),
    "mail": ("two_step", "form_post"),
    "maps": ("form_post", "redirect"),
    "wiki": ("external", "external"),
}


@asynccontextmanager
async def in_a_mixed_world(chromium, order, *, javascript=True, **settings):
    """A chain of that order, in which one app has a login of its own at the provider."""
    wiki = ForeignApp(lambda: 1_800_000_000.5)
    apps = {name: {"login": login, "logout": logout} for name, (login, logout) in MODES.items() if name != "wiki"}
    foreign = {"extra": {"wiki": wiki.application()}, "external": {"wiki": TEMPLATES}}
    async with in_a_world(chromium, *order, javascript=javascript, apps=apps, **foreign, **settings) as (world, person):
        at = world.apps["wiki"]
        world.op._state.clients["wiki"] = OpClient("wiki", SECRET, (f"{at}/callback",))
        wiki.connect(at, world.op.issuer, f"{world.gateway}/resume")
        yield world, person


ORDERS = [tuple(MODES), ("wiki", *(name for name in MODES if name != "wiki"))]
ORDERS += [tuple(random.Random(seed).sample(sorted(MODES), len(MODES))) for seed in (1, 2)]


CASES = [*zip(ORDERS, ["first", "last", "none", "last"], [True, True, False, True], strict=True)]


@pytest.mark.parametrize(
    ("order", "op_logout", "javascript"), CASES, ids=lambda it: it if isinstance(it, str) else None
)
async def test_all_modes_fit_together(chromium, order, op_logout, javascript):
    """Signed in at each site, the one without the SDK too; out of all of them; and the end claims no more than that."""
    async with in_a_mixed_world(chromium, order, op={"logout": op_logout}, javascript=javascript) as (world, person):
        await person.sign_in()
        assert person.tab.url == world.apps["shop"] + "/"
        assert await person.looks() == dict.fromkeys(world.apps, "demo|alice")
        await person.sign_out()
        assert person.tab.url.startswith(world.gateway)
        assert await person.tab.get_by_role("heading").inner_text() == "Signed out of 5 of 6"
        assert await person.tab.get_by_text("Not confirmed by Wiki.").count() == 1
        assert await person.looks() == {}


async def test_by_the_page_that_asks(chromium):
    """The same chain, when the run of redirects begins with a form of the gateway itself."""
    async with in_a_mixed_world(chromium, ORDERS[1], op={"logout": "last"}) as (world, person):
        await person.sign_in()
        await person.tab.goto(world.gateway + "/logout")
        await press(person.tab.locator(CONFIRM))
        await person.walk_on()
        assert await person.tab.get_by_role("heading").inner_text() == "Signed out of 5 of 6"
        assert await person.looks() == {}
