"""A logout that comes between a login's epoch and its first page: whoever is later in the store sees the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from support.browser import Browser
from support.world import a_world, choose

from chain_gateway.store.memory import MemoryStore

NO_OP = {"logout": "none"}


class Interrupted(MemoryStore):
    """A store that lets something happen before, or after, the next walk is written down."""

    before: Callable[[], Awaitable[None]] | None = None
    after: Callable[[], Awaitable[None]] | None = None

    async def open_walk(self, *args: object) -> None:
        meanwhile, self.before = self.before, None
        if meanwhile is not None:
            await meanwhile()
        await super().open_walk(*args)
        meanwhile, self.after = self.after, None
        if meanwhile is not None:
            await meanwhile()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("login", ["form_post", "two_step"])
async def test_a_logout_before_the_first_page_leaves_nobody_signed_in(login: str, when: str) -> None:
    """No ticket goes out for the older walk, or the logout visits where it went (T26, I1, I2)."""
    store = Interrupted()
    async with a_world(store=store, op=NO_OP, every={"login": login}) as world, world.browser() as b, Browser() as tab:
        tab.jars = b.jars
        await world.sign_in(b)
        world.clock.now += 15
        await world.sign_out(b)
        world.clock.now += 15

        async def sign_out_in_the_other_tab() -> None:
            world.clock.now += 1
            await tab.open(f"{world.gateway}/logout")
            await tab.submit()

        await b.open(f"{world.gateway}/login?app=shop&prompt=login")
        setattr(store, when, sign_out_in_the_other_tab)
        page = await choose(b)
        page = await b.walk_on()
        assert page.url.startswith(world.gateway)
        assert "This sign-in was stopped" in page.text
        assert await world.signed_in(b) == {}
        assert await world.sweep() == 0
